"""Turns resources and a kustomization into the objects that come out: patches, images, replicas, namespace, labels.

Trees are never changed: what a kustomization sets is a new node beside shared ones, and it keeps the place where
it is written, so that a finding points there.
"""

from __future__ import annotations

from ..model import ABSENT, MAP, MISSING, SCALAR, SEQ, UNKNOWN, Node
from .manifest import pod_path, split_image

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .kustomize import Graph, Kustomization

    Documents = Callable[[str], Sequence[Node]]

LIMIT = 200  # kustomizations that one may be made of

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


def build(graph: Graph, item: Kustomization, documents: Documents, seen: set[str]) -> list[tuple[str, Node]]:
    """Objects with the file they come from; each kustomization counts once, as kustomize refuses a second time."""
    built: list[tuple[str, Node]] = []
    if item.path in seen or len(seen) > LIMIT:
        return built
    seen.add(item.path)
    for file in item.files:
        built.extend((file, node) for node in documents(file))
    for path in item.bases:
        built.extend(build(graph, graph.all[path], documents, seen))
    for path in item.components:
        component = graph.all[path]
        for file in component.files:
            built.extend((file, node) for node in documents(file))
        for base in component.bases:
            built.extend(build(graph, graph.all[base], documents, seen))
        built = _transform(component, built, documents)
    return _transform(item, built, documents)


def _transform(item: Kustomization, built: list[tuple[str, Node]], documents: Documents) -> list[tuple[str, Node]]:
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


def _changes(item: Kustomization, documents: Documents) -> Iterator[Callable[[Node], Node | None]]:
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


def _patch_documents(item: Kustomization, entry: Node, documents: Documents) -> Sequence[Node]:
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
    return tuple(int(part) if part.isdecimal() and len(part) < 10 else part for part in text.split(".") if part)


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
    if len(pattern) > 100 or "(" in pattern or "{" in pattern or sum(map(pattern.count, "*+?")) > 2:
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
            step = len(current.value) if part == "-" else int(part) if part.isdecimal() and len(part) < 10 else part
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
