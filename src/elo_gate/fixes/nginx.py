"""Turns findings in nginx's configuration into edits."""

from __future__ import annotations

import re

from ..kinds import nginx
from ..model import Item, Node
from .edit import Edit
from .maps import indent_of, slice_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..model import Artifact, Fault


def always(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """`always` behind the value of each header that the finding names."""
    keys = [at for at in (fault.at, *(at for at, _ in fault.related)) if isinstance(at, Node)]
    values = {}
    for header in nginx.view(file, "headers"):
        value, key = header.facts["value"], header.facts["key"]
        if value.source is key.source:
            values[key.source.path, key.start] = value
    edits = []
    for key in keys:
        value = values.get((key.source.path, key.start))
        if value is None:
            return []
        text = value.source.text
        semicolon = re.compile(r"\s*;").match(text, value.end)
        if semicolon is None:
            return []
        edits.append(Edit(value.source, value.end, value.end, " always"))
    return edits


def tokens_off(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """`off` for `on`; else the directive at the begin of `http`, or of each server that has none."""
    place = fault.at.place if isinstance(fault.at, Item) else fault.at
    if slice_of(place) == "on":
        return [Edit(place.source, place.start, place.end, "off")]
    if slice_of(place) == "http":
        return _begin(place, "server_tokens off;")
    edits = []
    for server in nginx.view(file, "servers"):
        if server.facts["scope"].find("server_tokens") is None:
            added = _begin(server.place, "server_tokens off;")
            if not added or slice_of(server.place) != "server":
                return []
            edits += added
    return edits


def _begin(place: Node, line: str) -> list[Edit]:
    """A directive at the begin of the block behind a name."""
    text = place.source.text
    opened = re.compile(r"\s*\{[ \t]*").match(text, place.end)
    if opened is None:
        return []
    rest = re.compile(r"(#[^\n]*?)?(?=\r?\n)").match(text, opened.end())
    if rest is None:
        return [Edit(place.source, opened.end(), opened.end(), line + " ")]
    following = re.compile(r"\r?\n(?:[ \t]*\r?\n)*([ \t]+)[^\s}]").match(text, rest.end())
    blanks = following[1] if following is not None else indent_of(text, place.start) + "    "
    return [Edit(place.source, rest.end(), rest.end(), f"\n{blanks}{line}")]


def protocols(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """The two versions that may be offered, in the place of all that are."""
    if fault.message != "default" or not isinstance(fault.at, Node):
        return []
    text = fault.at.source.text
    begin = text.rfind("ssl_protocols", 0, fault.at.start)
    found = re.compile(r"ssl_protocols(\s+)((?:(?:SSLv[23]|TLSv1(?:\.[0123])?)\s*)+);").match(text, begin)
    if begin < 0 or found is None:
        return []
    end = found.start(2) + len(found[2].rstrip())
    return [Edit(fault.at.source, found.start(2), end, "TLSv1.2 TLSv1.3")]
