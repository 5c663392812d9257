"""Turns a finding into what it is about: its rule, the way of names to its place, the shape of what stands there.

Names are those that people give: keys, stages, the `name` of a list's element. No line, no index, no value and no
digest of one is in it, so that inserted lines, reordered keys and renamed folders change nothing, and nothing leaks.
"""

from __future__ import annotations

import re

from ..model import ABSENT, MAP, SCALAR, SEQ, Node
from ..redact import mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model import Finding, Source
    from ..project import Project

    # (start, end, way, whether it is a key)
    Place = tuple[int, int, tuple[str, ...], bool]

FIRST = "^"  # marks the first key of a document or line of a script: where a rule points that misses something in it
_JOIN = " > "
# By what people tell the elements of a list apart; `key` only beside a value (headers).
_NAMES = (
    "name", "id", "uses", "image", "host", "hostname", "path", "source", "src", "route", "mountPath", "containerPort",
    "port", "topologyKey", "alert", "type", "stage", "job",
)  # fmt: skip
_NAME = re.compile(r"[\w/.:*][\w./:*@()-]{0,63}\Z", re.A)
_VARIABLE = re.compile(r"([A-Z][A-Z0-9_]{1,60})=(?!=|\Z)")
_STATEMENT = re.compile(
    r"(?:ALTER|COMMENT|COPY|CREATE|DELETE|DO|DROP|GRANT|INSERT|RESET|REVOKE|SELECT|SET|TRUNCATE|UPDATE|VACUUM)\b"
    r"(?:[ \t]+[A-Za-z_]\w{0,40}){0,3}", re.I | re.A,
)  # fmt: skip
_SHAPES = (
    ("empty", re.compile(r"\s*\Z")),
    ("reference", re.compile(r".*(\$\{|\$\(|\$\w|\{\{|process\.env|secrets\.)", re.S)),
    ("number", re.compile(r"[-+]?\d[\d_.]*\Z")),
    ("boolean", re.compile(r"(true|false|yes|no|on|off)\Z", re.I)),
    ("url", re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")),
    ("path", re.compile(r"[./~]\S*\Z")),
    ("port", re.compile(r"[\d.:]+(/\w+)?\Z")),
    ("image", re.compile(r"[\w./-]+[:@]\S+\Z")),
    ("word", re.compile(r"[\w.-]+\Z")),
    ("wildcard", re.compile(r"[*'\"\s]+\Z")),
)
_PROGRAMS = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".py")
_HEADS = re.compile(r"[A-Za-z_$][A-Za-z_$-]{0,30}(?:[ \t]+[A-Za-z_$][A-Za-z_$-]{0,30}){0,3}")


class Identities:
    """The identities of one run's findings; the ways of each file are made once."""

    __slots__ = ("_artifacts", "_places")

    def __init__(self, project: Project) -> None:
        self._artifacts = {each.path: each for each in project.all()}
        self._places: dict[str, list[Place]] = {}

    def of(self, finding: Finding) -> tuple[str, str, str]:
        """(rule id, way, shape). Sets the finding's `symbol` to the way."""
        source, start = finding.source, finding.start
        places = self._places.get(source.path)
        if places is None:
            places = self._places[source.path] = self._walk(source)
        best: Place | None = None
        for place in places:
            if place[0] <= start < max(place[1], place[0] + 1):
                if best is None or place[1] - place[0] <= best[1] - best[0]:
                    best = place
        if best is None or not best[2]:
            way, key = _outline(source, start), False
        else:
            way, key = best[2], best[3]
        finding.symbol = mask(_JOIN.join(way))
        if key:
            shape = "key"
        else:
            shape = "start" if way[-1].startswith(FIRST) else shape_of(source.text[start : finding.end])
        if finding.message_id != "default":
            shape = f"{finding.message_id}, {shape}"
        return finding.rule.id, finding.symbol, shape

    def _walk(self, source: Source) -> list[Place]:
        artifact = self._artifacts.get(source.path)
        if artifact is None or artifact.source.text != source.text:
            root, kind = self._tree(source), ""
        else:
            root, kind = artifact.root, artifact.kind
        if kind == "dockerfile":
            return list(_instructions(root))
        if kind == "sql":
            return [(node.start, node.end, (_statement(node),), False) for node in root.elements()]
        if not root or kind in ("code", "script"):
            return []
        return [place for place in _entries(root, source) if place[1] > place[0]]

    def _tree(self, source: Source) -> Node:
        """The tree of a file that is no artifact, where its name says how to read it."""
        if source.path.endswith((".yaml", ".yml")):
            from ..syntax import yaml

            documents, _ = yaml.parse(source)
            return Node(SEQ, documents, source, 0, len(source.text))
        if source.path.endswith(".json"):
            from ..syntax import json

            return json.parse(source)[0]
        if source.path.endswith(".toml"):
            from ..syntax import toml

            return toml.parse(source)[0]
        return ABSENT


def shape_of(text: str) -> str:
    """What kind of thing a text is, in one word of a short list."""
    text = text.strip()
    if len(text) > 1 and text[0] in "\"'`" and text[-1] == text[0]:
        text = text[1:-1]
    if text[:1] in ("{", "["):
        return "collection"
    for name, pattern in _SHAPES:
        if pattern.match(text):
            return name
    return "words"


def _entries(root: Node, source: Source) -> Iterator[Place]:
    """The places of every key and value of a tree that stand in a source."""
    tops: list[tuple[Node, tuple[str, ...], bool]] = []
    if root.kind is SEQ:
        several = len(root.value) > 1
        for each in root.value:
            tops.append((each, _document(each) if each.kind is MAP else (_element(each),) if several else (), True))
    else:
        tops.append((root, (), True))
    stack = tops
    seen = set()
    while stack:
        node, way, top = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        here = node.source is source or node.source.path == source.path
        if here:
            yield node.start, node.end, way, False
        if node.kind is MAP:
            first = min((key.start for key, _ in node.value if key.source.path == source.path), default=-1)
            for key, value in node.value:
                name = str(key.value) if key.kind is SCALAR else "?"
                marked = FIRST + name if top and key.start == first else name
                if key.source.path == source.path:
                    yield key.start, key.end, (*way, marked), True
                stack.append((value, (*way, name), False))
        elif node.kind is SEQ:
            for value in node.value:
                stack.append((value, (*way, _element(value)), False))


def _document(node: Node) -> tuple[str, ...]:
    """The name of one of a file's documents: what a Kubernetes object calls itself, else nothing."""
    kind, name = node.get("kind").text(), node.get("metadata", "name").text()
    if kind and name and _NAME.match(kind) and _NAME.match(name):
        return (f"{kind}/{name}",)
    # A directive of nginx is a map of one entry.
    return (_element(node),) if len(node.value) == 1 else ()


def _element(node: Node) -> str:
    """What tells an element of a list from the others, without its place in the list."""
    if node.kind is MAP:
        for name in (*_NAMES, *(("key",) if node.get("value") or node.get("operator") else ())):
            value = node.get(name)
            if value.kind is SCALAR:
                text = str(value.value)
                if name in ("uses", "image"):
                    text = text.partition("@")[0]
                    head, colon, tag = text.rpartition(":")
                    text = head if colon and "/" not in tag else text
                if _NAME.match(text) and mask(text) == text:
                    return f"[{name} {text}]"
        if len(node.value) == 1 and node.value[0][0].kind is SCALAR:
            return f"[{node.value[0][0].value}]"
        return "[run]" if node.get("run") else "[map]"
    if node.kind is SCALAR:
        text = str(node.value)
        variable = _VARIABLE.match(text)
        return f"[{variable[1]}]" if variable is not None else f"[{shape_of(text)}]"
    return "[list]"


def _statement(node: Node) -> str:
    """The first words of a statement of SQL, which say what it does to what."""
    for line in node.source.text[node.start : node.end].splitlines():
        match = _STATEMENT.match(line.strip())
        if match is not None:
            return " ".join(match[0].split())
    return "statement"


def _instructions(root: Node) -> Iterator[Place]:
    """The places of a Dockerfile: stage and instruction."""
    nodes = [node for node in root.elements() if node.kind is SEQ and node.value]
    froms = [node for node in nodes if str(node.value[0].value).upper() == "FROM"]
    stage = ""
    for node in nodes:
        word = str(node.value[0].value).upper()
        if word == "FROM":
            words = node.source.text[node.start : node.end].split()
            named = len(words) > 2 and words[-2].upper() == "AS"
            stage = f"stage {words[-1]}" if named else "last stage" if node is froms[-1] else "stage"
        way = (stage, word) if stage else (word,)
        name = node.value[1].source.text[node.value[1].start : node.value[1].end] if len(node.value) > 1 else ""
        if word in ("ENV", "ARG", "LABEL"):
            name = re.split(r"[=\s]", name, maxsplit=1)[0]
            if re.match(r"[A-Za-z_][\w.-]{0,63}\Z", name):
                way = (*way, name)
        yield node.start, node.end, way, False


def _outline(source: Source, start: int) -> tuple[str, ...]:
    """The way to a place in a text without a tree: the first words of the lines around it, by their indentation."""
    number = source.position(start)[0]
    line = source.line(number)
    indent = len(line) - len(line.lstrip())
    program = source.path.endswith(_PROGRAMS)
    way: list[str] = []
    for above in range(number - 1, max(0, number - 2000), -1):
        if indent == 0 or len(way) >= 8:
            break
        line = source.line(above)
        bare = line.strip()
        if bare and len(line) - len(line.lstrip()) < indent and bare[0] not in ")}]#/*":
            indent = len(line) - len(line.lstrip())
            way.append(_head(bare, program) or "...")
    way.reverse()
    own = _head(source.line(number).strip(), program)
    if not way and not any(_says(source.line(above)) for above in range(1, number)):
        return (FIRST + own,)
    return (*way, own) if own else tuple(way) or ("file",)


def _says(line: str) -> bool:
    """Whether a line is more than blanks or a comment."""
    return line.strip()[:2] not in ("", "//", "/*", "--") and line.lstrip()[0] not in "#*"


def _head(line: str, program: bool) -> str:
    """The first words of a line, which in a program are keywords and names; elsewhere only the very first, for what
    follows a command may be a value, and so may a word that stands alone."""
    match = _HEADS.match(line)
    if match is None or line[match.end() : match.end() + 1] in ("", ";", ","):
        return ""
    words = match[0].split()
    return " ".join(words if program else words[:1])
