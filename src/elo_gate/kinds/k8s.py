"""Turns a Kubernetes manifest (YAML or JSON, several documents, lists) into the views that rules select.

Objects come as the production overlay applies them (see `kustomize`); patches, kustomizations and Helm
templates are recognised and not judged as objects of their own.
"""

from __future__ import annotations

from ..model import MAP, SCALAR, SEQ, UNKNOWN, Item, Node
from . import cluster, helm, kustomize, manifest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..model import Artifact

# Words of a namespace or an environment label, and the environment they stand for.
_WORDS = {
    "production": "production", "prod": "production", "prd": "production", "live": "production",
    "staging": "staging", "stage": "staging", "stg": "staging", "preprod": "staging", "uat": "staging",
    "dev": "development", "develop": "development", "development": "development", "local": "development",
    "sandbox": "development", "test": "test", "tests": "test", "testing": "test", "qa": "test", "e2e": "test",
    "ci": "test", "preview": "preview", "example": "example", "examples": "example", "sample": "example",
    "demo": "example",
}  # fmt: skip
_LABELS = ("environment", "env", "app.kubernetes.io/environment", "tags.datadoghq.com/env")


def load(artifact: Artifact) -> None:
    """Reads the documents; says why a file is not judged (a patch, a chart's file, a template)."""
    source = artifact.source
    text = source.text
    role = helm.role(artifact.path, artifact.project)
    if role:
        _set_aside(artifact, role)
        return
    from ..syntax import yaml

    documents, artifact.problems = yaml.parse(source)
    artifact.root = Node(SEQ, documents, source, 0, len(text))
    if "{{" in text and any(problem.fatal for problem in artifact.problems) and helm.is_template(text):
        artifact.problems = []
        artifact.root = Node(SEQ, [], source, 0, 0)
        _set_aside(artifact, helm.GO_TEMPLATE)
        return
    if "${" in text or "{{" in text:
        manifest.veil(artifact.root)


def settle(artifact: Artifact) -> None:
    """The second look, beside the other files: the environment of a base, files that mean something only elsewhere."""
    if artifact.state != "judged":
        return
    graph = cluster.graph_of(artifact.project)
    patched_by = graph.patches.get(artifact.path)
    if patched_by is not None:
        _set_aside(artifact, f"a patch of {patched_by}: judged in what it patches")
        return
    owner = graph.owner(artifact.path)
    if owner is None and artifact.path in graph.unused:
        _set_aside(artifact, f"part of the component {graph.unused[artifact.path]}, which no kustomization takes in")
        return
    if owner is not None and owner.path != artifact.path and artifact.assumed:
        _follow(artifact, owner)
    if artifact.state == "judged" and not kustomize.is_kustomization(artifact.path) and not artifact.problems:
        every = cluster.objects(artifact)
        if every and not view(artifact, "objects"):
            kinds = sorted({item.facts["kind"] for item in every})
            _set_aside(artifact, f"it holds nothing that is judged ({', '.join(kinds[:4])})")


def _follow(artifact: Artifact, owner: kustomize.Kustomization) -> None:
    """Gives a base the environment of the overlay that stands for production, where that is known."""
    found = None
    if owner.rank == 2:
        found = "production", f"the production overlay {owner.path} builds on it"
    elif owner.rank == 0:
        found = owner.environment, f"only {owner.path} builds on it"
    if found is not None:
        artifact.environment, artifact.why = found
        artifact.assumed = False
        if artifact.environment != "production":
            artifact.state = "aside"


def _set_aside(artifact: Artifact, why: str) -> None:
    artifact.state, artifact.why = "aside", why


# -- views


def file(artifact: Artifact) -> list[Item]:
    """One item for the whole file, placed at the first document's `kind`."""
    first = artifact.root.get(0)
    place = first.get("kind") or first.key("resources") or first
    return [Item(first or artifact.root, {"path": artifact.path}, place)]


def objects(artifact: Artifact) -> list[Item]:
    """Every whole object of Kubernetes' own or of a kind that is judged; patches left out."""
    if artifact.path in cluster.graph_of(artifact.project).patches:
        return []
    return [
        item
        for item in cluster.objects(artifact)
        if (item.facts["kind"] in manifest.KINDS or _builtin(item.facts["api"])) and not item.facts.get("partial")
    ]


def _builtin(api: str) -> bool:
    group, slash, _ = api.partition("/")
    return not slash or (group.endswith(".k8s.io") and ".x-" not in group) or ("." not in group and group != "skaffold")


def workloads(artifact: Artifact) -> list[Item]:
    """Every object that runs pods. `server`: it listens (ports, probes, or a Service selects it)."""
    found = [item for item in view(artifact, "objects") if item.facts["kind"] in manifest.WORKLOADS]
    if found:
        tree = cluster.cluster_of(artifact)
        for item in found:
            facts = item.facts
            facts["services"] = tree.selecting("Service", item)
            listens = bool(facts["services"]) or any(map(_listens, facts["containers"]))
            facts["server"] = facts["long_running"] and listens
            facts["stateful"] = facts["kind"] == "StatefulSet" or _keeps_data(item)
    return found


def _listens(item: Item) -> bool:
    index = item.node.index or {}
    return "ports" in index or "readinessProbe" in index or "livenessProbe" in index


def _keeps_data(item: Item) -> bool:
    """A pod that mounts a claim of its own or runs a store cannot simply be run twice."""
    for volume in item.facts["pod"].get("volumes").elements():
        if volume.get("persistentVolumeClaim"):
            return True
    for one in item.facts["containers"]:
        image = one.facts["image"]
        if isinstance(image, Item) and manifest.is_store(image):
            return True
    return False


def containers(artifact: Artifact) -> list[Item]:
    """Every container and init container. An image that a development tool replaces is unknown."""
    found: list[Item] = []
    for owner in view(artifact, "workloads"):
        found += owner.facts["containers"]
        found += owner.facts["init"]
    if found:
        tree = cluster.cluster_of(artifact)
        for item in found:
            facts = item.facts
            facts["serves"] = _serves(item)
            image = facts["image"]
            if not isinstance(image, Item):
                continue
            node = image.node
            if tree.fills_in(image, artifact):
                facts["image"] = Node(UNKNOWN, node.value, node.source, node.start, node.end, node.style)
            elif node.source is not artifact.source:
                # Written in a kustomization for several containers: only the first one speaks of it.
                own = (artifact.path, item.node.start)
                facts["told"] = tree.told.setdefault((node.source.path, node.start), own) != own
    return found


def _serves(item: Item) -> bool:
    """Whether traffic reaches a container: it declares a port, or it is alone behind a Service."""
    owner = item.facts["workload"].facts
    if item.facts["init"] or not owner["long_running"]:
        return False
    if item.node.get("ports").elements():
        return True
    return bool(owner["services"]) and len(owner["containers"]) == 1


def _of_kind(*kinds: str) -> Callable[[Artifact], list[Item]]:
    def chosen(artifact: Artifact) -> list[Item]:
        return [item for item in view(artifact, "objects") if item.facts["kind"] in kinds]

    return chosen


def kustomizations(artifact: Artifact) -> list[Item]:
    """The kustomization of the file, if it is one."""
    if not kustomize.is_kustomization(artifact.path):
        return []
    root = artifact.root.get(0)
    if root.kind is not MAP:
        return []
    item = cluster.graph_of(artifact.project).all.get(artifact.path)
    return [Item(root, {"missing": item.missing if item else []}, root.get("kind") or root.key("resources") or root)]


def view(artifact: Artifact, name: str) -> list[Item]:
    """A view of an artifact, computed once."""
    found = artifact.views.get(name)
    if found is None:
        found = artifact.views[name] = VIEWS[name](artifact)
    return found


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {
    "file": file,
    "objects": objects,
    "workloads": workloads,
    "containers": containers,
    "services": _of_kind("Service"),
    "ingresses": _of_kind("Ingress"),
    "entrances": _of_kind("Ingress", "Gateway"),
    "routes": _of_kind("Ingress", "HTTPRoute"),
    "secrets": _of_kind("Secret"),
    "configs": _of_kind("ConfigMap"),
    "certified": _of_kind("Ingress", "Certificate"),
    "autoscalers": _of_kind("HorizontalPodAutoscaler"),
    "kustomizations": kustomizations,
}


# -- environment and secrets


def signs(artifact: Artifact) -> tuple[str, str] | None:
    """What the objects say about their environment: their namespaces, their labels."""
    for document in manifest.flatten(artifact.root.elements()):
        metadata = document.get("metadata")
        namespace = metadata.get("name" if document.get("kind").text() == "Namespace" else "namespace").text()
        namespace = namespace or document.get("namespace").text()
        found = _environment(words(namespace)) if namespace else None
        if found is not None:
            return found, f"its objects live in namespace '{namespace}'"
        labels = metadata.get("labels")
        if labels:
            for name in _LABELS:
                value = labels.get(name).text()
                found = _environment({value.lower()}) if value else None
                if found is not None:
                    return found, f"its label {name} says '{value}'"
    return None


def words(text: str) -> set[str]:
    """The whole words of a name, split at `. _ -`."""
    return set(text.lower().replace(".", "-").replace("_", "-").split("-"))


def _environment(words: set[str]) -> str | None:
    found = {_WORDS[word] for word in words if word in _WORDS}
    return found.pop() if len(found) == 1 else None


def secrets(artifact: Artifact) -> list[tuple[int, int]]:
    """Spans that no output may show: data of Secrets, literal values under secret names, passwords in URLs."""
    return [(node.start, node.end) for node in _secret_nodes(artifact.root)]


def _secret_nodes(root: Node) -> Iterator[Node]:
    from .credential import secret_name

    inner = any(mark in root.source.text for mark in "=@\\")  # else no scalar holds a `NAME=value` or a URL's user
    stack: list[tuple[str, Node]] = [("", root)]
    seen = set()
    while stack:
        name, node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.kind is SEQ:
            for value in node.value:
                if value.kind is not SCALAR:
                    stack.append((name, value))
                elif _is_secret(name, value.value):
                    yield value
        elif node.kind is MAP:
            if node.index and "kind" in node.index and node.get("kind").text() == "Secret":
                for field in ("data", "stringData"):
                    yield from (value for _, value in node.get(field).items() if value.kind in (SCALAR, UNKNOWN))
            for key, value in node.value:
                known = key.value if key.kind is SCALAR else ""
                if known == "value":
                    known = node.get("name").text() or known
                if value.kind is not SCALAR:
                    stack.append((known, value))
                elif inner or secret_name(known):
                    if _is_secret(known, value.value):
                        yield value


def _is_secret(name: str, text: str) -> bool:
    """Whether a scalar may be a credential: by its name, as `NAME=value`, or as a URL with one in it."""
    from .credential import secret_name

    if not text or text.isdecimal() or text in ("true", "false", "null"):
        return False
    if secret_name(name):
        return True
    part, equals, _ = text.partition("=")
    return (equals != "" and ("://" in text or secret_name(part))) or ("://" in text and "@" in text)
