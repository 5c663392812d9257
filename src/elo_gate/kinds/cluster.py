"""Turns all Kubernetes artifacts of a tree into one picture: who selects whom, what is declared, what is open.

Objects of one namespace may lie in many files. Everything the tree holds counts, whatever its environment:
a rule says that something is missing only when no file has it, and when nothing outside of the tree (a chart,
a remote base, a controller's own resource) may bring it.
"""

from __future__ import annotations

from ..model import ABSENT, Item, Node
from . import helm, kustomize, manifest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..model import Artifact

# Kinds that bring objects of their own when a controller reads them.
_BRINGERS = frozenset(
    ("Application", "ApplicationSet", "HelmRelease", "HelmChart", "HelmChartConfig", "Kustomization.flux", "Template")
)
_KEPT = 40  # candidates looked at per question


class Cluster:
    """The objects of a tree, found by name or by the labels they carry or select."""

    __slots__ = (
        "graph", "open", "built", "by_name", "by_kind", "pods", "generated", "_pods_by_label", "_selectors", "_select_all",
    )  # fmt: skip

    def __init__(self) -> None:
        self.graph = kustomize.Graph()
        self.open = ""  # why more objects may exist than the tree holds, in words
        self.built: set[str] = set()  # image names that a development tool replaces when it deploys (skaffold)
        self.by_name: dict[tuple[str, str], list[Item]] = {}
        self.by_kind: dict[str, list[Item]] = {}
        self.pods: list[Item] = []
        self._pods_by_label: dict[tuple[str, str], list[Item]] = {}
        self._selectors: dict[tuple[str, tuple[str, str]], list[Item]] = {}
        self._select_all: dict[str, list[Item]] = {}
        self.generated: dict[tuple[str, str], list[tuple[str, frozenset[str] | None]]] = {}

    def add(self, item: Item) -> None:
        """Takes one object in."""
        facts = item.facts
        kind = facts["kind"]
        self.by_name.setdefault((kind, facts["name"]), []).append(item)
        self.by_kind.setdefault(kind, []).append(item)
        if kind in manifest.WORKLOADS:
            if facts["partial"]:
                return
            self.pods.append(item)
            for pair in facts["labels"].items():
                self._pods_by_label.setdefault(pair, []).append(item)
        elif kind == "Service":
            self._add_selector(kind, manifest.labels(item.node.get("spec", "selector")), item)
        elif kind == "NetworkPolicy":
            self._add_selector(kind, manifest.labels(item.node.get("spec", "podSelector", "matchLabels")), item, True)
        elif kind == "PodDisruptionBudget":
            self._add_selector(kind, manifest.labels(item.node.get("spec", "selector", "matchLabels")), item, True)

    def _add_selector(self, kind: str, wanted: dict[str, str | None], item: Item, empty: bool = False) -> None:
        known = sorted((key, value) for key, value in wanted.items() if value is not None)
        if known:
            self._selectors.setdefault((kind, known[-1]), []).append(item)
        elif wanted or empty:
            self._select_all.setdefault(kind, []).append(item)

    def selecting(self, kind: str, pod: Item) -> list[Item]:
        """The Services, budgets or policies that select a workload's pods; those with unknown selectors too."""
        wanted = pod.facts["labels"]
        found = []
        for pair in wanted.items():
            candidates = self._selectors.get((kind, pair), ())
            if len(candidates) > _KEPT:
                candidates = [one for one in candidates if one.node.source is pod.node.source] or candidates[:_KEPT]
            for item in candidates:
                if together(item, pod) and _chosen(kind, item, wanted) is not False:
                    found.append(item)
        for item in self._select_all.get(kind, ())[:_KEPT]:
            if together(item, pod) and _chosen(kind, item, wanted) is not False:
                found.append(item)
        return found

    def selected(self, selector: dict[str, str | None], by: Item) -> list[Item] | None:
        """The workloads whose pods carry labels, as one object would select them; None when that is unknown."""
        known = [(key, value) for key, value in selector.items() if value is not None]
        if len(known) != len(selector) or not known:
            return None
        lists = [self._pods_by_label.get(pair, []) for pair in known]
        candidates = min(lists, key=len)
        if len(candidates) > _KEPT:
            candidates = [one for one in candidates if one.node.source is by.node.source] or candidates[:_KEPT]
        return [pod for pod in candidates if together(pod, by) and manifest.fits(selector, pod.facts["labels"])]

    def named(self, kind: str, name: str, near: Item) -> list[Item]:
        """Objects of a kind and name in an object's namespace."""
        found = self.by_name.get((kind, name), [])
        return [item for item in found[:_KEPT] if together(item, near)]

    def of_kind(self, kind: str, near: Item) -> list[Item]:
        """Objects of a kind in an object's namespace."""
        return [item for item in self.by_kind.get(kind, ())[:_KEPT] if together(item, near)]

    def autoscalers(self, pod: Item) -> list[Item]:
        """HorizontalPodAutoscalers and KEDA ScaledObjects that target a workload."""
        kind, name = pod.facts["kind"], pod.facts["name"]
        return [item for item in self.by_name.get(("->" + kind, name), [])[:_KEPT] if together(item, pod)]


def together(one: Item, other: Item) -> bool:
    """Whether two objects may be in one namespace; an unknown namespace may be any."""
    first, second = one.facts["namespace"], other.facts["namespace"]
    return first == second or not first or not second


def _chosen(kind: str, item: Item, pod: dict[str, str | None]) -> bool | None:
    spec = item.node.get("spec")
    if kind == "Service":
        return manifest.fits(manifest.labels(spec.get("selector")), pod)
    return manifest.selects(spec.get("podSelector" if kind == "NetworkPolicy" else "selector"), pod)


# -- one tree


def documents(artifact: Artifact) -> Node:
    """An artifact's documents, read now if nobody has."""
    if artifact.root is ABSENT and not artifact.problems:
        from . import k8s

        k8s.load(artifact)
    return artifact.root


def objects(artifact: Artifact) -> list[Item]:
    """All objects of one file as the production overlay applies them, workloads with their pod's facts."""
    found: list[Item] | None = artifact.views.get("every object")
    if found is None:
        found = artifact.views["every object"] = list(_objects(artifact))
    return found


def _objects(artifact: Artifact) -> Iterator[Item]:
    if kustomize.is_kustomization(artifact.path):
        return
    graph = graph_of(artifact.project)
    nodes: Sequence[Node] | None = None
    if graph.owners:
        nodes = graph.effective(artifact.path, lambda path: _documents_at(artifact.project, path))
    if nodes is None:
        nodes = manifest.flatten(documents(artifact).elements())
    for node in nodes:
        item = manifest.describe(node)
        if item is not None:
            yield manifest.workload(item) if item.facts["kind"] in manifest.WORKLOADS else item


def _documents_at(project: Any, path: str) -> Sequence[Node]:
    artifact = project.artifact(path)
    if artifact is not None and artifact.kind == "k8s":
        return manifest.flatten(documents(artifact).elements()) or documents(artifact).elements()
    source = project.read(path)
    if source is None:
        return ()
    from ..syntax import yaml

    found, problems = yaml.parse(source)
    if any(problem.fatal for problem in problems):
        return ()
    for document in found:
        manifest.veil(document)
    return manifest.flatten(found) or found


class _Held:
    """The last project asked about, its kustomizations and its cluster: one run judges one tree."""

    __slots__ = ("project", "graph", "cluster")

    def __init__(self) -> None:
        self.project: Any = None
        self.graph: kustomize.Graph | None = None
        self.cluster: Cluster | None = None


_held = _Held()


def _hold(project: Any) -> _Held:
    if _held.project is not project:
        _held.project, _held.graph, _held.cluster = project, None, None
    return _held


def graph_of(project: Any) -> kustomize.Graph:
    """The kustomizations of a tree."""
    held = _hold(project)
    if held.graph is None:
        artifacts = project.artifacts("k8s") if project is not None else ()
        held.graph = kustomize.graph(project, artifacts, documents)
    return held.graph


def cluster_of(artifact: Artifact) -> Cluster:
    """The picture of the tree an artifact lies in; of its own objects alone when it lies in none."""
    held = _hold(artifact.project)
    if held.cluster is None or artifact.project is None:
        held.cluster = _gather(artifact)
    return held.cluster


def _gather(artifact: Artifact) -> Cluster:
    project = artifact.project
    result = Cluster()
    result.graph = graph_of(project)
    result.open = result.graph.remote
    artifacts = project.artifacts("k8s") if project is not None else [artifact]
    for one in artifacts:
        role = helm.role(one.path, project)
        if role == helm.TEMPLATE or role == helm.CHART:
            result.open = result.open or f"the Helm chart of {one.path} may bring objects"
            continue
        documents(one)
        if one.path in result.graph.patches:
            continue
        if kustomize.is_kustomization(one.path):
            _generated(result, one)
            continue
        if one.why == helm.GO_TEMPLATE:
            result.open = result.open or f"{one.path} is a template"
            continue
        for item in objects(one):
            kind, api = item.facts["kind"], item.facts["api"]
            if kind in _BRINGERS and "/" in api:
                result.open = result.open or f"{one.path} holds a {kind}, which brings objects of its own"
            elif api.startswith("skaffold/"):
                for built in item.node.get("build", "artifacts").elements():
                    result.built.add(built.get("image").text() or "")
            elif kind in ("HorizontalPodAutoscaler", "ScaledObject"):
                target = item.node.get("spec", "scaleTargetRef")
                key = ("->" + (target.get("kind").text() or "Deployment"), target.get("name").text() or "")
                result.by_name.setdefault(key, []).append(item)
            result.add(item)
    return result


def _generated(result: Cluster, artifact: Artifact) -> None:
    """Secrets and ConfigMaps that a kustomization generates: name, namespace, keys (None: not known)."""
    root = artifact.root.get(0)
    namespace = root.get("namespace").text() or ""
    for kind, field in (("Secret", "secretGenerator"), ("ConfigMap", "configMapGenerator")):
        for entry in root.get(field).elements():
            name = entry.get("name").text()
            if name is None:
                continue
            keys: set[str] | None = set()
            if entry.get("env") or entry.get("envs") or entry.get("behavior"):
                keys = None
            for literal in entry.get("literals").elements():
                if keys is not None:
                    keys.add((literal.text() or "").partition("=")[0])
            for file in entry.get("files").elements():
                text = file.text() or ""
                if keys is not None:
                    keys.add(text.partition("=")[0] if "=" in text else text.rpartition("/")[2])
            entries = result.generated.setdefault((kind, name), [])
            entries.append((namespace, None if keys is None else frozenset(keys)))


