"""Turns trees of Compose files into one, merged by the rules of the Compose specification.

Rules: docs.docker.com/reference/compose-file/merge (maps by key, lists appended, `command`, `entrypoint` and
`healthcheck.test` replaced, ports, volumes, secrets and configs unique by key, `!reset`, `!override`). Lists that
Compose reads as maps (environment, labels, depends_on, networks ...) are brought into their map form first, so that
what reads the merged tree meets one form only. Every node keeps its source and its span.
"""

from __future__ import annotations

from ..model import ABSENT, MAP, SCALAR, SEQ, UNKNOWN, Node
from . import compose_interpolate as interpolation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Path = tuple[str, ...]
    Pairs = list[tuple[Node, Node]]

_DEPTH = 200
_REPLACED = frozenset([("command",), ("entrypoint",), ("healthcheck", "test")])
_ASSIGNED = frozenset(["environment", "labels", "annotations", "sysctls"])  # `- NAME=value`
_NAMED = frozenset(["depends_on", "networks", "models"])  # `- name`


def interpolate(node: Node) -> Node:
    """The tree as Compose reads its scalars: `$$` is a dollar, a text with references becomes an UNKNOWN.

    An unknown's value is the text as written, references and all (`compose_interpolate` reads it).
    """
    if "$" not in node.source.text:
        return node
    return _interpolate(node, {}, 0)


def _interpolate(node: Node, done: dict[int, Node], depth: int) -> Node:
    if node.kind is SCALAR:
        if "$" not in node.value:
            return node
        references, _ = interpolation.scan(node.value)
        kind, value = (UNKNOWN, node.value) if references else (SCALAR, interpolation.literal(node.value))
        return Node(kind, value, node.source, node.start, node.end, node.style, node.tag)
    known = done.get(id(node))
    if known is not None or depth > _DEPTH:
        return known if known is not None else node
    done[id(node)] = node  # an alias inside its own anchor
    if node.kind is MAP:
        pairs = [(key, _interpolate(value, done, depth + 1)) for key, value in node.items()]
        done[id(node)] = Node(MAP, pairs, node.source, node.start, node.end, node.style, node.tag)
    elif node.kind is SEQ:
        values = [_interpolate(value, done, depth + 1) for value in node.value]
        done[id(node)] = Node(SEQ, values, node.source, node.start, node.end, node.style, node.tag)
    return done[id(node)]


def like(node: Node, pairs: Pairs) -> Node:
    """A map with these entries in the place of `node`."""
    return Node(MAP, pairs, node.source, node.start, node.end, node.style, node.tag)


def canonical(service: Node) -> Node:
    """A service with every list that means a map written as a map, `build: DIR` and `env_file: F` in long form."""
    if service.kind is not MAP:
        return service
    pairs = []
    for key, value in service.items():
        name = key.value
        if name in _ASSIGNED:
            value = assignments(value)
        elif name in _NAMED:
            value = _names(value)
        elif name == "env_file" and value.kind not in (SEQ, MAP) and not value.is_null():
            value = Node(SEQ, [value], value.source, value.start, value.end, "", value.tag)
        elif name == "build":
            value = _build(value)
        pairs.append((key, value))
    return like(service, pairs)


def _build(value: Node) -> Node:
    if value.kind in (SCALAR, UNKNOWN) and not value.is_null():
        key = Node(SCALAR, "context", value.source, value.start, value.end)
        return like(value, [(key, value)])
    if value.kind is MAP:
        return like(value, [(k, assignments(v) if k.value in ("args", "labels") else v) for k, v in value.items()])
    return value


def assignments(node: Node) -> Node:
    """`[NAME=value, NAME]` as a map; a name alone gets a null. Values of such a list have the style "="."""
    if node.kind is not SEQ:
        return node
    pairs = [pair for pair in map(_assignment, node.value) if pair is not None]
    return like(node, pairs)


def _assignment(element: Node) -> tuple[Node, Node] | None:
    if element.kind not in (SCALAR, UNKNOWN):
        return None
    text = element.value
    name = interpolation.split(text, "=")[0] if element.kind is UNKNOWN else text.partition("=")[0]
    if element.kind is UNKNOWN and "$" in name:
        return None
    source, start, end = element.source, element.start, element.end
    token = source.text[start:end]
    quote = 1 if element.style in ("'", '"') else 0
    begin = middle = start
    if element.style in ("", "'", '"') and "\n" not in token and token[quote : quote + len(name)] == name:
        begin, middle, end = start + quote, start + quote + len(name), end - quote
    key = Node(SCALAR, name, source, begin, middle if middle > begin else end)
    if len(name) == len(text):
        return key, Node(SCALAR, "", source, begin, end)
    value = text[len(name) + 1 :]
    kind = UNKNOWN if element.kind is UNKNOWN else SCALAR
    return key, Node(kind, value, source, middle + 1 if middle > begin else begin, end, "=")


def _names(node: Node) -> Node:
    if node.kind is not SEQ:
        return node
    return like(
        node,
        [
            (each, Node(SCALAR, "", each.source, each.start, each.end))
            for each in node.value
            if each.kind is SCALAR
        ],
    )  # fmt: skip


def merge_files(base: Node, over: Node) -> Node:
    """Two whole files (their services in canonical form): `over` wins."""
    if base.kind is not MAP:
        return over
    return _maps(base, over, (), {}, _file)


def merge_services(base: Node, over: Node) -> Node:
    """Two definitions of one service in canonical form: `over` wins."""
    if base.kind is not MAP or over.kind is not MAP:
        return over if over.kind is MAP else base
    return _maps(base, over, (), {}, _attribute)


def _file(path: Path, base: Node, over: Node, done: dict[tuple[int, int], Node]) -> Node | None:
    if path[0] == "services" and len(path) == 1 and base.kind is MAP and over.kind is MAP:
        return _maps(base, over, path, done, _file)
    if path[0] == "services" and len(path) == 2 and over.tag is None:
        return merge_services(base, over)
    if path[0].startswith("x-"):
        return over
    return _attribute(("top", *path), base, over, done)


def _maps(
    base: Node,
    over: Node,
    path: Path,
    done: dict[tuple[int, int], Node],
    merge: Callable[[Path, Node, Node, dict[tuple[int, int], Node]], Node | None],
) -> Node:
    key = (id(base), id(over))
    if key in done:
        return done[key]
    done[key] = over
    pairs = []
    for name, (base_key, base_value) in (base.index or {}).items():
        entry = over.index.get(name) if over.index is not None else None
        if entry is None:
            pairs.append((base_key, base_value))
            continue
        value = merge((*path, name), base_value, entry[1], done)
        if value is not None:
            pairs.append((entry[0], value))
    seen = base.index or {}
    pairs.extend(pair for name, pair in (over.index or {}).items() if name not in seen)
    done[key] = like(over, pairs)
    return done[key]


def _attribute(path: Path, base: Node, over: Node, done: dict[tuple[int, int], Node]) -> Node | None:
    """One attribute of a service; None when `!reset` removes it."""
    if over.tag == "!reset":
        return None
    if over.tag == "!override" or path in _REPLACED or len(path) > _DEPTH:
        return over
    if over.is_null() and base.kind in (MAP, SEQ):
        return base  # a null override leaves a map or list in place (compose-go, merge_null_test)
    if path == ("logging",) and _drivers_differ(base, over):
        return over
    if base.kind is MAP and over.kind is MAP:
        return _maps(base, over, path, done, _attribute)
    if base.kind is SEQ and over.kind is SEQ:
        return _append(path, base, over)
    return over


def _drivers_differ(base: Node, over: Node) -> bool:
    first, second = base.get("driver"), over.get("driver")
    return bool(first) and bool(second) and first.value != second.value


def _append(path: Path, base: Node, over: Node) -> Node:
    unique = _UNIQUE.get(path[0], _itself) if len(path) == 1 else _itself
    values: list[Node] = []
    places: dict[str, int] = {}
    for each in (*base.value, *over.value):
        key = unique(each)
        if key is None or key not in places:
            if key is not None:
                places[key] = len(values)
            values.append(each)
        else:
            values[places[key]] = each
    return Node(SEQ, values, over.source, over.start, over.end, over.style, over.tag)


def _itself(node: Node) -> str | None:
    return node.value if node.kind in (SCALAR, UNKNOWN) else None


def _target(node: Node) -> str | None:
    """What a volume is unique by: its target."""
    if node.kind is MAP:
        return _itself(node.get("target"))
    text = _itself(node)
    if text is None:
        return None
    pieces = interpolation.split(text, ":")
    return interpolation.expand(pieces[0] if len(pieces) == 1 else pieces[1])


def _grant(node: Node) -> str | None:
    """What a secret or config is unique by: its target, the source's name by default."""
    if node.kind is MAP:
        return _itself(node.get("target")) or _itself(node.get("source"))
    return _itself(node)


def _port(node: Node) -> str | None:
    """What a port is unique by: address, published, target, protocol."""
    if node.kind is MAP:
        parts = [_itself(node.get(name)) or default for name, default in _PORT_DEFAULTS]
        return "{}:{}:{}/{}".format(*parts)
    text = _itself(node)
    if text is None:
        return None
    body, _, protocol = text.partition("/")
    pieces = interpolation.split(body, ":")
    pieces = [""] * (3 - len(pieces)) + pieces
    host = ":".join(pieces[:-2]) or "0.0.0.0"
    return f"{host}:{pieces[-2]}:{pieces[-1]}/{protocol or 'tcp'}"


_PORT_DEFAULTS = (("host_ip", "0.0.0.0"), ("published", ""), ("target", ""), ("protocol", "tcp"))
_UNIQUE: dict[str, Callable[[Node], str | None]] = {
    "ports": _port,
    "volumes": _target,
    "secrets": _grant,
    "configs": _grant,
}


def strip_reset(node: Node) -> Node:
    """The tree without what `!reset` removes, for the last step of a merge."""
    if node.kind is not MAP or "!reset" not in node.source.text:
        return node
    return _strip(node, {}, 0)


def _strip(node: Node, done: dict[int, Node], depth: int) -> Node:
    if node.kind is not MAP or depth > _DEPTH:
        return node
    if id(node) not in done:
        done[id(node)] = node
        pairs = [(key, _strip(value, done, depth + 1)) for key, value in node.items() if value.tag != "!reset"]
        done[id(node)] = like(node, pairs)
    return done[id(node)]


def entry(node: Node, name: str) -> Node:
    """The value under a key, ABSENT for anything that is no map."""
    return node.get(name) if node.kind is MAP else ABSENT
