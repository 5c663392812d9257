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
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from ..model import Artifact

# Kinds that bring objects of their own when a controller reads them.
_BRINGERS = frozenset(("Application", "ApplicationSet", "HelmRelease", "HelmChart", "HelmChartConfig", "Template"))
# Where a kind keeps the labels it selects, and whether selecting none means selecting all.
_SELECTORS = {
    "Service": (("spec", "selector"), False),
    "NetworkPolicy": (("spec", "podSelector", "matchLabels"), True),
    "PodDisruptionBudget": (("spec", "selector", "matchLabels"), True),
}
_MANY = 40


class Cluster:
    """The objects of a tree, found by name or by the labels they carry or select."""

    __slots__ = (
        "graph", "open", "built", "told", "routes", "by_name", "by_kind", "by_path", "pods", "namespaces", "generated",
        "_first", "_pods", "_selectors", "_buckets",
    )  # fmt: skip

    def __init__(self) -> None:
        self.graph = kustomize.Graph()
        self.open = ""  # why more objects may exist than the tree holds, in words
        self.built: set[str] = set()  # image names that a development tool replaces when it deploys (skaffold)
        self.told: dict[tuple[str, int], tuple[str, int]] = {}  # image in a kustomization -> first container
        self.routes: dict[str, Any] = {}  # path of a probe -> the source of its route handler, None when not there
        self.by_name: dict[tuple[str, str], list[Item]] = {}
        self.by_kind: dict[str, list[Item]] = {}
        self.by_path: dict[str, list[Item]] = {}
        self.pods: list[Item] = []
        self.namespaces: set[str] = set()  # of pods, "" for those of an unknown one
        self.generated: dict[tuple[str, str], list[tuple[str, frozenset[str] | None]]] = {}
        self._first: dict[str, Node] | None = None
        self._pods: dict[tuple[str, str], list[Item]] = {}
        self._selectors: dict[str, list[tuple[list[tuple[str, str]], Item]]] = {}
        self._buckets: dict[str, dict[tuple[str, str] | None, list[Item]]] = {}

    def add(self, item: Item) -> None:
        """Takes one object in."""
        facts = item.facts
        kind = facts["kind"]
        self.by_name.setdefault((kind, facts["name"]), []).append(item)
        self.by_kind.setdefault(kind, []).append(item)
        self.by_path.setdefault(item.node.source.path, []).append(item)
        if kind in manifest.WORKLOADS:
            if not facts["partial"]:
                self.pods.append(item)
                self.namespaces.add(facts["namespace"])
                for pair in facts["labels"].items():
                    self._pods.setdefault(pair, []).append(item)
        elif kind in _SELECTORS:
            path, empty = _SELECTORS[kind]
            wanted = manifest.labels(item.node.get(*path))
            if wanted or empty:
                known = [(key, value) for key, value in wanted.items() if value is not None]
                self._selectors.setdefault(kind, []).append((known, item))

    def _bucket(self, kind: str) -> dict[tuple[str, str] | None, list[Item]]:
        """Objects of a kind by the rarest label they select; None for those that select no known one."""
        found = self._buckets.get(kind)
        if found is None:
            found = self._buckets[kind] = {}
            selectors = self._selectors.get(kind, ())
            count: dict[tuple[str, str], int] = {}
            for pairs, _ in selectors:
                for pair in pairs:
                    count[pair] = count.get(pair, 0) + 1
            for pairs, item in selectors:
                rarest = min(pairs, key=lambda pair: (count[pair], pair)) if pairs else None
                found.setdefault(rarest, []).append(item)
        return found

    def _own(self, candidates: list[Item], near: Item, test: Callable[[dict[str, Any]], bool]) -> list[Item]:
        """Of many candidates those in the same file, if there are any: a tree may hold a thousand copies."""
        if len(candidates) <= _MANY:
            return candidates
        return [one for one in self.by_path.get(near.node.source.path, ()) if test(one.facts)] or candidates

    def selecting(self, kind: str, pod: Item) -> list[Item]:
        """The Services, budgets or policies that select a workload's pods; those with unknown selectors too."""
        bucket = self._bucket(kind)
        if not bucket:
            return []
        labels = pod.facts["labels"]
        found = []
        for pair in (*labels.items(), None):
            candidates = bucket.get(pair)
            if candidates:
                for item in self._own(candidates, pod, lambda facts: facts["kind"] == kind):
                    if together(item, pod) and _chosen(kind, item, labels) is not False:
                        found.append(item)
        return found

    def selected(self, selector: dict[str, str | None], by: Item) -> list[Item] | None:
        """The workloads whose pods carry labels, as one object would select them; None when that is unknown."""
        known = [(key, value) for key, value in selector.items() if value is not None]
        if len(known) != len(selector) or not known:
            return None
        candidates = min((self._pods.get(pair, []) for pair in known), key=len)
        candidates = self._own(candidates, by, lambda facts: facts.get("partial") is False)
        return [pod for pod in candidates if together(pod, by) and manifest.fits(selector, pod.facts["labels"])]

    def named(self, kind: str, name: str, near: Item) -> list[Item]:
        """Objects of a kind and name in an object's namespace."""
        found = self.by_name.get((kind, name))
        if not found:
            return []
        own = self._own(found, near, lambda facts: facts["kind"] == kind and facts["name"] == name)
        return [item for item in own if together(item, near)]

    def of_kind(self, kind: str, near: Item) -> list[Item]:
        """Objects of a kind in an object's namespace."""
        found = self.by_kind.get(kind)
        if not found:
            return []
        return [item for item in self._own(found, near, lambda facts: facts["kind"] == kind) if together(item, near)]

    def autoscalers(self, pod: Item) -> list[Item]:
        """HorizontalPodAutoscalers and KEDA ScaledObjects that target a workload."""
        return self.named("->" + pod.facts["kind"], pod.facts["name"], pod)

    def fills_in(self, image: Item, artifact: Artifact) -> bool:
        """Whether a tool completes an image when it deploys: skaffold, or a kustomization that is not looked at."""
        facts = image.facts
        if facts["name"] in self.built:
            return True
        if facts["tag"] or facts["digest"] or artifact.project is None or not artifact.project.partial:
            return False
        return self.graph.owner(artifact.path) is not None

    def deployed(self, item: Item, near: Artifact) -> bool:
        """Whether an object is part of what is judged: an example or another environment is not deployed."""
        if item.node.source is near.source or near.project is None:
            return True
        other = near.project.artifact(item.node.source.path)
        return other is not None and other.state == "judged"

    def first_server(self, namespace: str, near: Artifact) -> Node | None:
        """The first deployed workload of a namespace, by path, that traffic reaches."""
        if self._first is None:
            self._first = {}
            for pod in sorted(self.pods, key=lambda one: (one.node.source.path, one.node.start)):
                where = pod.facts["namespace"]
                if where not in self._first and self.deployed(pod, near) and self._serves(pod):
                    self._first[where] = pod.node
        return self._first.get(namespace)

    def _serves(self, pod: Item) -> bool:
        if not pod.facts["long_running"]:
            return False
        return any(one.node.get("ports") for one in pod.facts["containers"]) or bool(self.selecting("Service", pod))


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
        if artifacts and project.partial:
            artifacts = [*artifacts, *_beside(project, artifacts)]
        held.graph = kustomize.graph(project, artifacts, documents)
    return held.graph


def _beside(project: Any, artifacts: Sequence[Artifact]) -> list[Artifact]:
    """The kustomizations in and around the folders of some files, when only those files are looked at."""
    paths = {artifact.path for artifact in artifacts}
    folders = sorted({path.rpartition("/")[0] for path in paths})
    found = []
    seen = set(paths)

    def look(folder: str) -> bool:
        for name in kustomize.NAMES:
            path = f"{folder}/{name}" if folder else name
            if path in seen:
                return True
            artifact = project.artifact(path) if project.exists(path) else None
            if artifact is not None:
                seen.add(path)
                found.append(artifact)
                return True
        return False

    for folder in folders:
        parent = folder.rpartition("/")[0]
        if look(folder) and parent:  # a base: its overlays lie beside it, or one level further down
            for name in _folders(project, parent):
                if not look(f"{parent}/{name}"):
                    for inner in _folders(project, f"{parent}/{name}"):
                        look(f"{parent}/{name}/{inner}")
    return found


def _folders(project: Any, folder: str) -> list[str]:
    names: list[str] = project.names(folder)
    return [name[:-1] for name in names if name.endswith("/")][:50]


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
    result.open = result.graph.remote or (project.partial if project is not None else "")
    artifacts = project.artifacts("k8s") if project is not None else [artifact]
    for one in artifacts:
        role = helm.role(one.path, project)
        if role in (helm.TEMPLATE, helm.CHART):
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
