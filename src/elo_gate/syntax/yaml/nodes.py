"""Turns what a YAML parser says into nodes: exact ends, indexes, merge keys, duplicates.

The C composer calls `Scalar`, `Seq` and `Map` as it would call PyYAML's node classes (yaml/_yaml.pyx,
`_compose_*_node`), and sets `end_mark` on a collection when all its values are there.
"""

from __future__ import annotations

import re
from sys import intern

from elo_gate.model import MAP, NOWHERE, SCALAR, SEQ, Node, Problem, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SMALL = 65_536  # characters; above, only the composer with limits reads
MERGED = 10_000  # entries that merge keys may copy

_PROPERTIES = re.compile(r"(?:(?:&[^\s,\[\]{}]*|!<[^>]*>|![^\s,\[\]{}]*)(?:\s|(?<=\s)#[^\n]*+)*+)+")

# What is read now. Module state, because the C composer hands over nothing but marks.
_source = NOWHERE
_text = ""
_marked = False  # there may be anchors or tags
_explicit = False  # there may be a `? key`
_problems: list[Problem] = []
_merged = 0
_offsets: list[int] = []  # each number once, for all files: every node keeps two of them


def begin(source: Source) -> list[Problem]:
    """Readies this module for a source; the list its problems will be in."""
    global _source, _text, _marked, _explicit, _problems, _merged
    _source = source
    _text = source.text
    _offsets.extend(range(len(_offsets), min(len(_text), SMALL) + 1))
    _marked = "&" in _text or "!" in _text
    _explicit = "?" in _text
    _problems = []
    _merged = 0
    return _problems


def finish() -> None:
    """Lets go of the source."""
    global _source, _text, _problems
    _source, _text, _problems = NOWHERE, "", []


class Scalar(Node):
    """A scalar, made by the C composer."""

    __slots__ = ()

    def __init__(self, tag: str | None, value: str, start_mark: Any, end_mark: Any, style: str) -> None:
        self.kind = SCALAR
        self.value = intern(value)  # the same words come again in every file
        self.start = _offsets[start_mark.index]
        self.end = _offsets[end_mark.index]
        self.style = style
        self.source = _source
        self.index = None
        self.tag = tag
        if _marked or style in ("|", ">"):
            trim(self)


class Seq(Node):
    """A list, made by the C composer."""

    __slots__ = ()

    def __init__(self, tag: str | None, value: list[Node], start_mark: Any, end_mark: None, flow_style: bool) -> None:
        self.kind = SEQ
        self.value = value
        self.start = _offsets[start_mark.index]
        self.style = "[" if flow_style else ""
        self.source = _source
        self.index = None
        self.tag = tag

    def _end(self, mark: Any) -> None:
        self.end = mark.index if self.style or not self.value else self.value[-1].end
        if _marked:
            trim(self)

    end_mark = property(None, _end)


class Map(Node):
    """A map, made by the C composer."""

    __slots__ = ()

    def __init__(
        self, tag: str | None, value: list[tuple[Node, Node]], start_mark: Any, end_mark: None, flow_style: bool
    ) -> None:
        self.kind = MAP
        self.value = value
        self.start = _offsets[start_mark.index]
        self.style = "{" if flow_style else ""
        self.source = _source
        self.tag = tag

    def _end(self, mark: Any) -> None:
        value = self.value
        if not value:
            self.end = mark.index
            self.index = {}
        else:
            if self.style or _explicit:
                for key, item in value:
                    if item.start == item.end:
                        pull(key.end, item)
            self.end = mark.index if self.style else value[-1][1].end
            fill(self)
        if _marked:
            trim(self)

    end_mark = property(None, _end)


def trim(node: Node) -> None:
    """Takes anchor and tag off a node's start and the empty lines off a block scalar's end."""
    start = node.start
    if _text[start : start + 1] in ("&", "!"):
        match = _PROPERTIES.match(_text, start, node.end)
        if match:
            node.start = match.end()
    if node.style in ("|", ">"):
        node.end = node.start + len(_text[node.start : node.end].rstrip())


def pull(end: int, value: Node) -> None:
    """Puts the empty value of a `? key` without `:` behind its key; libyaml puts it at the next token."""
    if value.start > end and ":" not in _text[end : value.start]:
        value.start = value.end = end


def fill(node: Node) -> None:
    """Gives a map its index: the last of duplicates wins, merge keys are resolved."""
    value = node.value
    try:
        index = {pair[0].value: pair for pair in value}
    except TypeError:  # a key that is a map or a list
        index = {pair[0].value: pair for pair in value if pair[0].kind is SCALAR}
    node.index = index
    if len(index) != len(value):
        seen = set()
        for key, _ in value:
            if key.kind is SCALAR:
                if key.value in seen:
                    _problems.append(Problem("duplicate-key", "This key stands twice in its map.", key.start, key.end))
                seen.add(key.value)
    if "<<" in index and index["<<"][0].style == "":
        _merge(node, index)


def _merge(node: Node, index: dict[str, tuple[Node, Node]]) -> None:
    """Adds the entries of merge keys: an explicit key wins, then the earlier map (https://yaml.org/type/merge.html)."""
    global _merged
    del index["<<"]
    for key, value in node.value:
        if key.kind is not SCALAR or key.value != "<<" or key.style:
            continue
        for origin in value.value if value.kind is SEQ else (value,):
            if origin.kind is not MAP:
                words = "A merge key `<<` takes a map or a list of maps."
                _problems.append(Problem("merge", words, key.start, key.end))
                break
            entries = origin.index or {}
            _merged += len(entries)
            if _merged > MERGED:
                words = f"Merge keys copy more than {MERGED} entries."
                _problems.append(Problem("limit", words, key.start, key.end, fatal=True))
                return
            for name, pair in entries.items():
                index.setdefault(name, pair)
