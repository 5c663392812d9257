"""Turns findings in env files into edits."""

from __future__ import annotations

import re

from ..model import Item, Node
from .edit import Edit
from .maps import inner, line_start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..model import Artifact, Fault

_LINE = re.compile(r"[ \t]*(?:export[ \t]+)?\Z")
_TAIL = re.compile(r"[ \t]*(#[^\n]*)?(?:\r?\n|\Z)")


def drop_earlier(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """Takes out the line that loses: the one before. A comment behind it stays."""
    place = fault.related[0][0]
    key = place.place if isinstance(place, Item) else place
    value = next((value for name, value in file.root.value if name is key), None)
    text = key.source.text
    begin = line_start(text, key.start)
    later = fault.at.place if isinstance(fault.at, Item) else fault.at
    if re.search(rf"\$\{{?{re.escape(key.value)}(?![A-Za-z0-9_])", text[key.end : later.start]):
        return []  # Compose fills in what was set so far
    if value is None or "\n" in text[key.start : value.end] or not _LINE.match(text[begin : key.start]):
        return []
    tail = _TAIL.match(text, max(value.end, key.end + 1))
    if tail is None:
        return []
    return [Edit(key.source, begin, tail.start(1) if tail[1] else tail.end())]


def documented(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """The names at the end of the example, without values."""
    folder = file.path.rpartition("/")[0]
    name = fault.values["example"]
    example = file.project.read(f"{folder}/{name}" if folder else name)
    places = [fault.at, *(at for at, _ in fault.related)]
    names = [str(at.value) for at in places if isinstance(at, Node)]
    if example is None or len(names) != len(places) or not all(re.fullmatch(r"[A-Za-z_]\w*", each) for each in names):
        return []
    end = len(example.text)
    lines = "\n".join(f"{each}=" for each in names)
    return [Edit(example, end, end, f"{lines}\n" if example.text.endswith("\n") or not end else f"\n{lines}")]


def comment(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """`#` in the place of `//` at the begin of a line: what else a lost line was meant to be nobody knows."""
    text = it.node.source.text
    begin = line_start(text, it.node.start)
    found = re.compile(r"[ \t]*(//+)").match(text, begin)
    if fault.message != "syntax" or found is None:
        return []
    return [Edit(it.node.source, found.start(1), found.end(1), "#")]


def boolean(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """`true` or `false` in the place of another spelling."""
    written = file.root.get(it.facts["name"])
    return inner(written, fault.values["value"], fault.values["plain"])
