"""Turns the kustomizations of a tree into the objects that the production overlay would apply.

Known statically: resources, components, patches (strategic merge and JSON 6902), images, replicas,
namespace, labels; what a replacement touches becomes unknown. Names keep their base spelling: prefixes and
suffixes are applied to names and references alike. Remote resources and charts are not read; the tree is
then said to be open. Facts: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/.
"""

from __future__ import annotations

from ..model import ABSENT, MAP, MISSING, SCALAR, SEQ, UNKNOWN, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from ..model import Artifact

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_HOSTS = ("git@", "github.com/", "gitlab.com/", "bitbucket.org/")
_LIMIT = 40  # how deep kustomizations may nest

# Lists that a strategic merge joins by a key; every other list is replaced.
_MERGE_KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "ports": ("containerPort", "port"),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey",),
}
_PRODUCTION = frozenset(("production", "prod", "prd", "live"))
_OTHER = frozenset(
    "dev development develop local test tests testing e2e ci staging stage stg qa uat preview sandbox demo example "
    "examples sample samples template templates".split()
)


def is_kustomization(path: str) -> bool:
    """Whether a path is one that kustomize reads as its own."""
    return path.rpartition("/")[2] in NAMES


def words(path: str) -> set[str]:
    """The whole words of a path, split at `/ . _ -`."""
    return set(path.lower().replace(".", "/").replace("_", "/").replace("-", "/").split("/"))


class Kustomization:
    """One kustomization: its tree, the files it takes in, the kustomizations it builds on."""

    __slots__ = ("path", "folder", "root", "files", "bases", "components", "patches", "remote", "missing")

    def __init__(self, path: str, root: Node) -> None:
        self.path = path
        self.folder = path.rpartition("/")[0]
        self.root = root
        self.files: list[str] = []
        self.bases: list[str] = []
        self.components: list[str] = []
        self.patches: list[str] = []
        self.remote: list[str] = []
        self.missing: list[Node] = []

    def join(self, entry: str) -> str:
        """A path of this kustomization, from the root of the tree; empty when it leaves the tree."""
        parts = self.folder.split("/") if self.folder else []
        for part in entry.split("/"):
            if part == "..":
                if not parts:
                    return ""
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return "/".join(parts)

    @property
    def rank(self) -> int:
        """2 when the path says production, 0 when it says another environment, 1 when it says nothing."""
        own = words(self.folder)
        return 2 if own & _PRODUCTION else 0 if own & _OTHER else 1


class Graph:
    """The kustomizations of a tree and what each file is to them."""

    __slots__ = ("all", "patches", "owners", "unused", "_plans")

    def __init__(self) -> None:
        self.all: dict[str, Kustomization] = {}
        self.patches: dict[str, str] = {}  # patch file -> kustomization
        self.owners: dict[str, list[Kustomization]] = {}  # file -> roots that take it in, best first
        self.unused: dict[str, str] = {}  # file -> component that no kustomization takes in
        self._plans: dict[str, dict[str, list[Node]]] = {}

    def owner(self, path: str) -> Kustomization | None:
        """The root kustomization that stands for production where a file is concerned."""
        owners = self.owners.get(path)
        return owners[0] if owners else None

    def effective(self, path: str, documents: Callable[[str], Sequence[Node]]) -> list[Node] | None:
        """The objects of a file as its root applies them; None when no kustomization takes the file in."""
        root = self.owner(path)
        if root is None:
            return None
        plan = self._plans.get(root.path)
        if plan is None:
            plan = self._plans[root.path] = {}
            for origin, node in _build(self, root, documents, 0):
                plan.setdefault(origin, []).append(node)
        return plan.get(path, [])

    @property
    def remote(self) -> str:
        """What brings objects that are not in the tree, in words; empty when nothing does."""
        for item in self.all.values():
            if item.remote:
                return f"{item.path} takes in '{item.remote[0]}'"
        return ""


def graph(project: Any, artifacts: Sequence[Artifact], tree: Callable[[Artifact], Node]) -> Graph:
    """The kustomizations among artifacts. `tree` gives an artifact's documents."""
    result = Graph()
    for artifact in artifacts:
        if is_kustomization(artifact.path):
            root = tree(artifact)
            document = root.value[0] if root.kind is SEQ and root.value else ABSENT
            result.all[artifact.path] = Kustomization(artifact.path, document)
    for item in result.all.values():
        _resolve(item, project, result)
    used = {path for item in result.all.values() for path in item.bases + item.components}
    for path in sorted(result.all):
        item = result.all[path]
        if path in used:
            continue
        component = item.root.get("kind").text() == "Component"
        for file in _reached(result, item, set()):
            if component:
                result.unused.setdefault(file, path)
            else:
                result.owners.setdefault(file, []).append(item)
    for owners in result.owners.values():
        owners.sort(key=lambda root: (-root.rank, root.path))
    return result


def _reached(graph: Graph, item: Kustomization, seen: set[str]) -> Iterator[str]:
    if item.path in seen or len(seen) > 400:
        return
    seen.add(item.path)
    yield item.path
    yield from item.files
    for path in item.bases + item.components:
        child = graph.all.get(path)
        if child is not None:
            yield from _reached(graph, child, seen)


def _resolve(item: Kustomization, project: Any, graph: Graph) -> None:
    root = item.root
    for key, into in (("resources", item.bases), ("bases", item.bases), ("components", item.components)):
        for entry in root.get(key).elements():
            text = entry.text()
            if text is None:
                continue
            if "://" in text or "?" in text or text.startswith(_HOSTS):
                item.remote.append(text)
                continue
            path = item.join(text)
            inner = next((name for name in NAMES if f"{path}/{name}".lstrip("/") in graph.all), None)
            if inner is not None:
                into.append(f"{path}/{inner}".lstrip("/"))
            elif path in graph.all:
                into.append(path)
            elif path and project is not None and project.exists(path):
                item.files.append(path)
            elif project is not None:
                item.missing.append(entry)
    for key in ("helmCharts", "helmChartInflationGenerator", "generators", "transformers"):
        if root.get(key):
            item.remote.append(key)
    for key in ("patches", "patchesStrategicMerge", "patchesJson6902"):
        for entry in root.get(key).elements():
            name = entry.text() if entry.kind is SCALAR else entry.get("path").text()
            if name is None or "\n" in name:
                continue
            path = item.join(name)
            item.patches.append(path)
            graph.patches.setdefault(path, item.path)
            if project is not None and not project.exists(path):
                item.missing.append(entry if entry.kind is SCALAR else entry.get("path"))


# -- building


def _build(
    graph: Graph, item: Kustomization, documents: Callable[[str], Sequence[Node]], depth: int
) -> list[tuple[str, Node]]:
    built: list[tuple[str, Node]] = []
    if depth > _LIMIT:
        return built
    for file in item.files:
        built.extend((file, node) for node in documents(file))
    for path in item.bases:
        built.extend(_build(graph, graph.all[path], documents, depth + 1))
    for path in item.components:
        component = graph.all[path]
        for file in component.files:
            built.extend((file, node) for node in documents(file))
        built = _transform(component, built, documents)
    return _transform(item, built, documents)


def _transform(
    item: Kustomization, built: list[tuple[str, Node]], documents: Callable[[str], Sequence[Node]]
) -> list[tuple[str, Node]]:
    root = item.root
    for change in _changes(item, documents):
        changed = []
        for origin, node in built:
            after = change(node)
            if after is not None:
                changed.append((origin, after))
        built = changed
    namespace = root.get("namespace")
    images = [entry for entry in root.get("images").elements() if entry.get("name").text()]
    replicas = {entry.get("name").text(): entry.get("count") for entry in root.get("replicas").elements()}
    labels = [root.get("commonLabels")] + [entry.get("pairs") for entry in root.get("labels").elements()]
    labels = [pairs for pairs in labels if pairs.kind is MAP]
    result = []
    for origin, node in built:
        if namespace.kind in (SCALAR, UNKNOWN) and node.get("kind").text() not in ("Namespace", None):
            node = put(node, ("metadata", "namespace"), namespace)
        for pairs in labels:
            node = put(node, ("metadata", "labels"), merge(node.get("metadata", "labels"), pairs))
        count = replicas.get(node.get("metadata", "name").text()) if replicas else None
        if count and node.get("kind").text() in ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"):
            node = put(node, ("spec", "replicas"), count)
        if images:
            node = _rename_images(node, images)
        result.append((origin, node))
    return result


def _changes(
    item: Kustomization, documents: Callable[[str], Sequence[Node]]
) -> Iterator[Callable[[Node], Node | None]]:
    root = item.root
    for entry in root.get("patchesStrategicMerge").elements():
        for patch in _patch_documents(item, entry, documents):
            yield _patched(patch, ABSENT)
    for key in ("patches", "patchesJson6902"):
        for entry in root.get(key).elements():
            source = entry.get("patch") if entry.get("patch") else entry.get("path")
            for patch in _patch_documents(item, source, documents):
                yield _patched(patch, entry.get("target"))
    for entry in root.get("replacements").elements():
        name = entry.get("path").text()
        inner = documents(item.join(name)) if name else [entry]
        for one in inner:
            for replacement in one.elements() if one.kind is SEQ else (one,):
                for target in replacement.get("targets").elements():
                    yield _replaced(target)


def _patch_documents(item: Kustomization, entry: Node, documents: Callable[[str], Sequence[Node]]) -> Sequence[Node]:
    text = entry.text()
    if text is None:
        return ()
    if "\n" in text or text.lstrip().startswith(("{", "[", "- ")):
        return inline(entry)
    return documents(item.join(text))


def inline(entry: Node) -> Sequence[Node]:
    """The documents of a patch written inside a kustomization; every node of them stands at the patch's place."""
    from ..model import Source, walk
    from ..syntax import yaml

    source = Source(entry.source.path, entry.value)
    documents, problems = yaml.parse(source)
    if any(problem.fatal for problem in problems):
        return ()
    for document in documents:
        for node in walk(document):
            node.source, node.start, node.end = entry.source, entry.start, entry.end
    return documents


def _patched(patch: Node, target: Node) -> Callable[[Node], Node | None]:
    def change(node: Node) -> Node | None:
        if patch.kind is SEQ:
            if not _selected(node, target):
                return node
            for operation in patch.value:
                node = _operate(node, operation)
            return node
        if patch.kind is not MAP:
            return node
        if target.kind is MAP:
            if not _selected(node, target):
                return node
        elif not _same(node, patch):
            return node
        if patch.get("$patch").text() == "delete":
            return None
        return merge(node, patch, keep=("apiVersion", "kind"))

    return change


def _replaced(target: Node) -> Callable[[Node], Node | None]:
    def change(node: Node) -> Node | None:
        if not _selected(node, target.get("select")):
            return node
        for field in target.get("fieldPaths").elements():
            path = _field_path(field.text() or "")
            if path and node.get(*path):
                node = put(node, path, Node(UNKNOWN, "replaced by kustomize", field.source, field.start, field.end))
        return node

    return change


def _field_path(text: str) -> tuple[str | int, ...]:
    return tuple(int(part) if part.isdecimal() else part for part in text.split(".") if part)


def _selected(node: Node, target: Node) -> bool:
    if target.kind is not MAP:
        return False
    kind, name = target.get("kind").text(), target.get("name").text()
    if kind is not None and not _fits(kind, node.get("kind").text()):
        return False
    if name is not None and not _fits(name, node.get("metadata", "name").text()):
        return False
    selector = target.get("labelSelector").text()
    if selector is not None:
        labels = node.get("metadata", "labels")
        for part in selector.split(","):
            key, _, value = part.replace("==", "=").partition("=")
            if labels.get(key.strip()).text() != (value.strip() or None):
                return False
    return True


def _fits(pattern: str, text: str | None) -> bool:
    """As kustomize: an anchored regular expression; here only where it is plain or `.*`-like enough to be safe."""
    if text is None:
        return False
    if pattern == text or pattern in (".*", "^.*$"):
        return True
    if not any(character in pattern for character in "*+?|[(^$"):
        return False
    if len(pattern) > 100 or "(" in pattern or "{" in pattern or pattern.count("*") + pattern.count("+") > 2:
        return False
    import re

    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:
        return False


def _same(node: Node, patch: Node) -> bool:
    return (
        node.get("kind").text() == patch.get("kind").text()
        and node.get("metadata", "name").text() == patch.get("metadata", "name").text()
    )


def _operate(node: Node, operation: Node) -> Node:
    """One JSON 6902 operation; what cannot be followed leaves the object's spec unknown."""
    name, pointer, value = operation.get("op").text(), operation.get("path").text(), operation.get("value")
    if name == "test" or pointer is None:
        return node
    path: list[str | int] = []
    current = node
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        step: str | int = part
        if current.kind is SEQ:
            step = len(current.value) if part == "-" else int(part) if part.isdecimal() else part
        path.append(step)
        current = current.get(step)
    if path and name in ("add", "replace") and value:
        return put(node, tuple(path), value, insert=name == "add")
    if path and name == "remove":
        return put(node, tuple(path), None)
    spot = operation.get("path")
    return put(node, ("spec",), Node(UNKNOWN, "patched by kustomize", spot.source, spot.start, spot.end))


def _rename_images(node: Node, images: list[Node]) -> Node:
    path = pod_path(node.get("kind").text() or "")
    for key in ("containers", "initContainers"):
        for index, container in enumerate(node.get(*path, key).elements()):
            image = container.get("image")
            text = image.text()
            if text is None:
                continue
            name, tag, digest = split_image(text)
            for entry in images:
                if entry.get("name").text() == name:
                    renamed = _renamed(entry, name, tag, digest)
                    if renamed is not None:
                        node = put(node, (*path, key, index, "image"), renamed)
                    break
    return node


def _renamed(entry: Node, name: str, tag: str, digest: str) -> Node | None:
    new_name, new_tag, new_digest = entry.get("newName"), entry.get("newTag"), entry.get("digest")
    for part in (new_digest, new_tag, new_name):
        if part.kind is UNKNOWN:
            return Node(UNKNOWN, part.value, part.source, part.start, part.end)
    place = new_digest or new_tag or new_name
    if not place:
        return None
    name = new_name.text() or name
    if new_digest.text():
        tag, digest = "", new_digest.value
    elif new_tag.text():
        tag, digest = new_tag.value, ""
    text = name + (":" + tag if tag else "") + ("@" + digest if digest else "")
    image = Node(SCALAR, text, place.source, place.start, place.end, place.style)
    if new_name:
        image.index = {"name": (new_name, new_name)}
    return image


def split_image(text: str) -> tuple[str, str, str]:
    """(name, tag, digest) of an image reference; parts that are not there are empty."""
    name, _, digest = text.partition("@")
    slash = name.rfind("/")
    colon = name.rfind(":")
    if colon > slash:
        return name[:colon], name[colon + 1 :], digest
    return name, "", digest


def pod_path(kind: str) -> tuple[str, ...]:
    """Where an object of a kind keeps its pod's spec."""
    if kind == "Pod":
        return ("spec",)
    if kind == "CronJob":
        return ("spec", "jobTemplate", "spec", "template", "spec")
    return ("spec", "template", "spec")


# -- trees


def put(node: Node, path: tuple[str | int, ...], value: Node | None, insert: bool = False) -> Node:
    """A tree with one place set (or removed when `value` is None); nodes off the path are shared."""
    step, rest = path[0], path[1:]
    if node.kind is SEQ:
        if not isinstance(step, int) or step > len(node.value):
            return node
        items = list(node.value)
        if step == len(items):
            if value is None or rest:
                return node
            items.append(value)
        elif rest:
            items[step] = put(items[step], rest, value, insert)
        elif value is None:
            del items[step]
        elif insert:
            items.insert(step, value)
        else:
            items[step] = value
        return Node(SEQ, items, node.source, node.start, node.end, node.style, node.tag)
    if node.kind not in (MAP, MISSING) or not isinstance(step, str):
        return node
    if node.kind is not MAP:
        if value is None:
            return node
        node = Node(MAP, [], value.source, value.start, value.end)
    pairs = [(key, item) for key, item in node.items() if key.value != step]
    entry = node.index.get(step) if node.index is not None else None
    new = put(entry[1] if entry else ABSENT, rest, value, insert) if rest else value
    if new is not None and new:
        key = entry[0] if entry else Node(SCALAR, step, new.source, new.start, new.end)
        pairs.append((key, new))
    return Node(MAP, pairs, node.source, node.start, node.end, node.style, node.tag)


def merge(base: Node, patch: Node, name: str = "", keep: tuple[str, ...] = ()) -> Node:
    """A strategic merge: maps join, keyed lists join by their key, null removes, everything else is replaced."""
    if base.kind is MAP and patch.kind is MAP:
        if patch.get("$patch").text() == "replace":
            return patch
        index = dict(base.index or {})
        for key, item in patch.items():
            text = key.value
            if text == "$patch" or text in keep or text.startswith("$"):
                continue
            entry = index.get(text)
            if item.is_null() and item.kind is SCALAR:
                index.pop(text, None)
            elif entry is None:
                index[text] = (key, item)
            else:
                index[text] = (entry[0], merge(entry[1], item, text))
        return Node(MAP, list(index.values()), base.source, base.start, base.end, base.style, base.tag)
    if base.kind is SEQ and patch.kind is SEQ and name in _MERGE_KEYS:
        return _merge_lists(base, patch, _MERGE_KEYS[name])
    return patch


def _merge_lists(base: Node, patch: Node, keys: tuple[str, ...]) -> Node:
    items = list(base.value)
    for item in patch.value:
        key = next((one for one in keys if item.get(one)), None)
        wanted = item.get(key).text() if key else None
        at = next((i for i, old in enumerate(items) if wanted is not None and old.get(key).text() == wanted), None)
        if item.get("$patch").text() == "delete":
            if at is not None:
                del items[at]
        elif at is None:
            items.append(item)
        else:
            items[at] = merge(items[at], item)
    return Node(SEQ, items, base.source, base.start, base.end, base.style, base.tag)
