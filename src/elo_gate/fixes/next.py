"""Turns findings in next.config into edits of the object that is written there."""

from __future__ import annotations

import re

from ..kinds import next as config
from ..model import MAP, Item, Node, Source
from .edit import Edit
from .maps import cut, indent_of, inner, joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..model import Artifact, Fault


# Removed options without which the build is what it was; the others leave something to decide.
_GONE = frozenset(
    ("swcMinify", "experimental.instrumentationHook", "experimental.after", "eslint", "devIndicators.appIsrStatus",
     "devIndicators.buildActivity", "devIndicators.buildActivityPosition")
)  # fmt: skip
_COLON = re.compile(r"[\"']?\s*:\s*")
_AFTER = re.compile(r"\s*[,}]")
_BODY = re.compile(r"\{([ \t]*)(\r?\n(?:[ \t]*\r?\n)*([ \t]*))?")


def powered_by(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """Switches the header off, in the object itself."""
    node = config.option(file, "poweredByHeader")
    if node and not node.is_null():
        return inner(node, "true", "false") if node.source is file.source else []
    return _add(file.root, file.source, "poweredByHeader: false")


def _add(node: Node, source: Source, entry: str) -> list[Edit]:
    """An entry more at the begin of an object literal of a file."""
    text = source.text
    if node.kind is not MAP or node.source is not source or text[node.start : node.start + 1] != "{":
        return []
    body = _BODY.match(text, node.start)
    if body is None:
        return []
    at = node.start + 1
    if text[body.end()] == "}":
        space = "" if body[1] else " "
        return [] if body[2] else [Edit(source, at, at, f" {entry}{space}")]
    if not body[2]:
        return [Edit(source, at, at, f" {entry},")]
    return [Edit(source, at, at, f"\n{body[3] or indent_of(text, body.end())}{entry},")]


def removed(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """Takes an option out that is not read any more, or gives it its new name in the same place."""
    path, to = fault.values["path"], fault.values["to"]
    if path in _GONE:
        return _take(file, path)
    if to and "." not in path and "." not in to:
        node = config.key(file, path)
        return inner(node, path, to) if node.source is file.source else []
    return []


def _take(file: Artifact, path: str) -> list[Edit]:
    """An option less in an object literal of the file."""
    key, value = config.key(file, path), config.option(file, path)
    text = file.source.text
    if key.source is not file.source or value.source is not file.source or value.start < key.end:
        return []
    if not _COLON.fullmatch(text, key.end, value.start) or not _AFTER.match(text, value.end):
        return []
    return cut(file.source, key.start, value.end)


def defaults(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """Takes the options out that say what Next.js does without them."""
    edits = []
    for path in fault.values["options"].split(", "):
        taken = _take(file, path.partition(" ")[0])
        if not taken:
            return []
        edits += taken
    return joined(edits)


def noop_rewrite(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """Takes the rewrite out."""
    node = it.node
    text = node.source.text
    if node.source is not file.source or text[node.start : node.start + 1] != "{" or text[node.end - 1] != "}":
        return []
    return cut(file.source, node.start, node.end)
