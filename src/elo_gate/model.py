"""The values everything else is made of: a source, its nodes, what a rule sees, what it finds.

Offsets are code points into `Source.text`; lines and columns are 1-based and made at the edge
(`Source.position`). Nothing here imports anything: this module is on every start's path.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

# Node kinds.
MAP = "map"
SEQ = "seq"
SCALAR = "scalar"
UNKNOWN = "unknown"  # a value that exists and cannot be known without running something
CHOICE = "choice"  # one of several known values (`cond ? a : b`)
MISSING = "absent"  # only the singleton ABSENT has it

ERROR = "error"
WARNING = "warning"
NOTE = "note"
OFF = "off"
SEVERITIES = (ERROR, WARNING, NOTE)


class Undecided(Exception):
    """A rule's answer "cannot tell". Raised, or yielded by a check; `at` is where, if anywhere special."""

    def __init__(self, why: str, at: Node | Item | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.at = at


class Source:
    """Text at a path. `path` is relative to the judged root, with `/`; `text` has no byte order mark."""

    __slots__ = ("path", "size", "text", "_starts")

    def __init__(self, path: str, text: str, size: int = -1) -> None:
        self.path = path
        self.text = text
        self.size = len(text) if size < 0 else size
        self._starts: list[int] | None = None

    @property
    def starts(self) -> list[int]:
        """Offset of each line's first character. Only LF and CRLF end a line, as in editors."""
        if self._starts is None:
            starts = [0]
            find = self.text.find
            at = find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = find("\n", at + 1)
            self._starts = starts
        return self._starts

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column) of an offset, both 1-based, column in code points."""
        starts = self.starts
        low, high = 0, len(starts)
        while high - low > 1:
            middle = (low + high) // 2
            if starts[middle] <= offset:
                low = middle
            else:
                high = middle
        return low + 1, offset - starts[low] + 1

    def line(self, number: int) -> str:
        """The text of a 1-based line without its line end."""
        starts = self.starts
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")

    def offset(self, line: int, column: int = 1) -> int:
        """The offset of a 1-based line and column."""
        return self.starts[line - 1] + column - 1


class Node:
    """One parsed value of any format, with its place.

    `value` by kind: map = list of (key Node, value Node) as written, duplicates kept; seq = list of
    Node; scalar = its text after unquoting; unknown = the text that stands there (`${PORT}`,
    `process.env.PORT`), for messages; choice = list of Node, the alternatives.
    `style` of a scalar: "" when plain (then numbers, booleans and null are told by the consumer),
    else the quote or block mark that made it text. `index` of a map: text of key -> (key, value),
    the effective entries: last duplicate wins, merge keys resolved.
    `start`/`end` are offsets into `source.text`, end exclusive, quotes included.
    """

    __slots__ = ("kind", "value", "start", "end", "style", "source", "index", "tag")

    def __init__(
        self,
        kind: str,
        value: Any,
        source: Source,
        start: int,
        end: int,
        style: str = "",
        tag: str | None = None,
    ) -> None:
        self.kind = kind
        self.value = value
        self.source = source
        self.start = start
        self.end = end
        self.style = style
        self.tag = tag
        self.index: dict[str, tuple[Node, Node]] | None = None
        if kind is MAP:
            self.index = {key.value: (key, item) for key, item in value if key.kind is SCALAR}

    def __bool__(self) -> bool:
        return self.kind is not MISSING

    def get(self, *path: str | int) -> Node:
        """The node down a path of keys and indexes; ABSENT when it ends early; an unknown on the way is returned."""
        node = self
        for step in path:
            if node.kind is MAP:
                entry = node.index.get(step)  # type: ignore[union-attr, arg-type]
                if entry is None:
                    return ABSENT
                node = entry[1]
            elif node.kind is SEQ and isinstance(step, int):
                if not -len(node.value) <= step < len(node.value):
                    return ABSENT
                node = node.value[step]
            elif node.kind is UNKNOWN:
                return node
            else:
                return ABSENT
        return node

    def key(self, name: str) -> Node:
        """The key node of an entry of this map, ABSENT when there is none."""
        entry = self.index.get(name) if self.index is not None else None
        return entry[0] if entry is not None else ABSENT

    def items(self) -> Sequence[tuple[Node, Node]]:
        """The effective (key, value) pairs of a map, in order; nothing for any other kind."""
        return list(self.index.values()) if self.index is not None else ()

    def elements(self) -> Sequence[Node]:
        """The elements of a seq; nothing for any other kind."""
        return self.value if self.kind is SEQ else ()

    def is_null(self) -> bool:
        """True for absent and for a plain null."""
        return self.kind is MISSING or (
            self.kind is SCALAR and self.style == "" and self.value in ("", "~", "null", "Null", "NULL")
        )

    def text(self) -> str | None:
        """The text of a scalar, None for anything else (also for null)."""
        return self.value if self.kind is SCALAR and not self.is_null() else None

    def number(self) -> float | int | None:
        """The number a scalar is (quoted or not), None when it is not one. `3`, `0.5`, `1e3`, `0x1f`, `1_000`."""
        if self.kind is not SCALAR:
            return None
        try:
            return int(self.value, 0) if self.value[:2] in ("0x", "0o", "0b") else int(self.value)
        except ValueError:
            try:
                return float(self.value)
            except ValueError:
                return None

    def boolean(self) -> bool | None:
        """The boolean a scalar is (`true`, `yes`, `on` and their opposites), None when it is not one."""
        if self.kind is not SCALAR:
            return None
        word = self.value.lower()
        if word in ("true", "yes", "on"):
            return True
        if word in ("false", "no", "off"):
            return False
        return None


NOWHERE = Source("", "")
ABSENT = Node(MISSING, None, NOWHERE, 0, 0)


class Item:
    """What one rule looks at: a node, what is known about it, and where to point when something is missing.

    A rule's `it.x` is `facts["x"]`, else the node's entry `x`. Facts are plain values (text, number,
    bool, None, list, tuple), Nodes or Items; an unknown is a Node of kind UNKNOWN.
    `place` is a short token: the key of the map, the service's name, the instruction word.
    """

    __slots__ = ("node", "place", "facts")

    def __init__(self, node: Node, facts: dict[str, Any] | None = None, place: Node | None = None) -> None:
        self.node = node
        self.facts = facts if facts is not None else {}
        self.place = place if place is not None else node

    def get(self, *path: str | int) -> Any:
        """As Node.get, the first step also through the facts."""
        if path and path[0] in self.facts:
            value = self.facts[path[0]]
            return value.get(*path[1:]) if len(path) > 1 and value is not None else value
        return self.node.get(*path)


class Problem:
    """What a reader met that is not right. `fatal`: bytes stayed unread or the tree is a guess."""

    __slots__ = ("code", "message", "start", "end", "fatal")

    def __init__(self, code: str, message: str, start: int, end: int, fatal: bool = False) -> None:
        self.code = code  # "duplicate-key", "comment", "trailing-comma", "syntax", ...
        self.message = message  # never quotes a value
        self.start = start
        self.end = end
        self.fatal = fatal


class Fault:
    """What a check yields: a place, the values for the message's placeholders, related places.

    `at`: Node or Item. `related`: (Node or Item, words) pairs. `message`: which of the rule's messages.
    `severity`: overrides the rule's (dated rules). `values` are shown: never put a secret in one.
    """

    __slots__ = ("at", "values", "related", "message", "severity")

    def __init__(
        self,
        at: Node | Item,
        related: Sequence[tuple[Node | Item, str]] = (),
        message: str = "default",
        severity: str | None = None,
        **values: Any,
    ) -> None:
        self.at = at
        self.values = values
        self.related = related
        self.message = message
        self.severity = severity


class Artifact:
    """A source recognised as a kind.

    `environment`: production, staging, development, test, example ...; `assumed` is True when production
    was not proven; `why` says how it was told, in words. `root` is the tree (a SEQ of documents for
    YAML kinds with several documents). `state`: "judged", "aside" (why says so), "broken".
    `project` answers questions about the rest of the tree (see project.Project).
    """

    __slots__ = (
        "source", "kind", "environment", "assumed", "why", "root", "problems", "state", "project", "views", "signs",
    )  # fmt: skip

    def __init__(self, source: Source, kind: str) -> None:
        self.source = source
        self.kind = kind
        self.environment = "production"
        self.assumed = True
        self.why = ""
        self.root: Node = ABSENT
        self.problems: list[Problem] = []
        self.state = "judged"
        self.project: Any = None
        self.views: dict[str, list[Item]] = {}
        self.signs: Any = None

    @property
    def path(self) -> str:
        return self.source.path


class Finding:
    """One fault of one rule at one place, in words, ready to be judged and shown."""

    __slots__ = (
        "rule", "severity", "message", "message_id", "arguments", "fix", "fix_arguments", "source", "start", "end",
        "related", "symbol", "environment", "suppressed",
    )  # fmt: skip

    def __init__(
        self,
        rule: Any,
        severity: str,
        message: str,
        message_id: str,
        arguments: list[str],
        fix: str,
        source: Source,
        start: int,
        end: int,
        related: list[tuple[Source, int, int, str]],
    ) -> None:
        self.rule = rule
        self.severity = severity
        self.message = message
        self.message_id = message_id
        self.arguments = arguments
        self.fix = fix
        self.fix_arguments: list[str] = []
        self.source = source
        self.start = start
        self.end = end
        self.related = related
        self.symbol = ""
        self.environment = ""
        self.suppressed: Any = None


def walk(node: Node) -> Iterator[Node]:
    """Every node below and including this one, each object once (aliases share), without recursion."""
    stack = [node]
    seen = set()
    while stack:
        current = stack.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if current.kind is MAP:
            for key, value in reversed(current.value):
                stack.append(value)
                stack.append(key)
        elif current.kind is SEQ or current.kind is CHOICE:
            stack.extend(reversed(current.value))
