"""Turns a wish about a map or a list, to hold or to lose an entry, into edits, in YAML, JSON and JavaScript alike."""

from __future__ import annotations

import re

from ..model import MAP, SCALAR, SEQ, Node, Source
from .edit import Edit

_TAIL = re.compile(r"[ \t]*(#[^\n]*?)?(?=\r?\n|\Z)")
_CODE_TAIL = re.compile(r"[ \t]*(//[^\n]*?|/\*[^\n]*\*/[ \t]*)?(?=\r?\n|\Z)")
_BLANK = re.compile(r"[ \t]*")
_COMMENT = re.compile(r"(?:^|\s)(?:#|//|/\*)", re.MULTILINE)
_BETWEEN = re.compile(r"[\"']?\s*+:(?:\s++|[&!]\S++|#[^\n]*+)*+")


def slice_of(node: Node) -> str:
    """A node as it is written."""
    return node.source.text[node.start : node.end]


def inner(node: Node, old: str, new: str) -> list[Edit]:
    """An edit of a scalar's text within its quotes; none when it is not written as it reads."""
    written = slice_of(node)
    quote = 1 if written[:1] in ("'", '"', "`") and written[-1:] == written[:1] and len(written) > 1 else 0
    if written[quote : len(written) - quote] != old:
        return []
    return [Edit(node.source, node.start + quote, node.end - quote, new)]


def line_start(text: str, at: int) -> int:
    """The offset at which the line of an offset begins."""
    return text.rfind("\n", 0, at) + 1


def indent_of(text: str, at: int) -> str:
    """Blanks as wide as what stands before an offset in its line; tabs stay tabs."""
    before = text[line_start(text, at) : at]
    return before if not before.strip() else " " * len(before)


def written_at(place: Node, node: Node) -> bool:
    """Whether a value stands behind its key: not an alias of what stands elsewhere."""
    if place.source is not node.source or node.start < place.end:
        return False
    return _BETWEEN.fullmatch(place.source.text, place.end, node.start) is not None


def is_flow(node: Node) -> bool:
    """Whether a map or list is written in brackets."""
    return node.source.text[node.start : node.start + 1] in ("{", "[")


def add_entry(node: Node, entry: str, after: tuple[str, ...] = ()) -> list[Edit]:
    """An entry more in a map, in the map's own style; `after` names keys that it had best follow.

    A block gets it below its leading one-line entries, with their indentation; further lines of `entry` are moved in.
    """
    if node.kind is not MAP or not node.value:
        return []
    text = node.source.text
    first = node.value[0][0]
    if is_flow(node):
        return _add_flow(node, entry)
    blanks = indent_of(text, first.start)
    lines = entry.replace("\n", "\n" + blanks)
    below = None
    for key, value in node.value:
        if not _one_line(text, key, value):
            break
        below = value if value.end > key.end else key
        if key.value in after:
            break
    if below is None:
        return [Edit(node.source, first.start, first.start, f"{lines}\n{blanks}")]
    at = below.end
    if below.end and text[below.end : below.end + 1] == ":":
        at += 1
    tail = _TAIL.match(text, at)
    if tail is None:
        return [Edit(node.source, first.start, first.start, f"{lines}\n{blanks}")]
    return [Edit(node.source, tail.end(), tail.end(), f"\n{blanks}{lines}")]


def _one_line(text: str, key: Node, value: Node) -> bool:
    if value.kind is MAP or value.kind is SEQ or value.style in ("|", ">") or value.source is not key.source:
        return False
    return value.start >= key.end and "\n" not in text[key.start : value.end] and "*" not in text[key.end : value.start]


def _add_flow(node: Node, entry: str) -> list[Edit]:
    if "\n" in entry:
        return []
    text = node.source.text
    first, last = node.value[0][0], node.value[-1][1]
    end = max(last.end, node.value[-1][0].end)
    if "\n" in text[node.start : first.start]:
        return [Edit(node.source, end, end, f",\n{indent_of(text, first.start)}{entry}")]
    return [Edit(node.source, end, end, f", {entry}")]


def remove_entry(node: Node, name: str) -> list[Edit]:
    """An entry less in a map: its lines when they hold nothing else; a comment behind it stays."""
    entry = node.index.get(name) if node.index is not None else None
    if entry is None or (len(node.value) < 2 and not is_flow(node)):
        return []
    key, value = entry
    if value.source is not key.source or key.source is not node.source:
        return []
    end = max(key.end, value.end)
    if is_flow(node):
        return cut(node.source, key.start, end)
    text = node.source.text
    if _COMMENT.search(text, key.start, end) or "*" in text[key.end : value.start]:
        return []
    if value.is_null() and value.start == value.end:
        end = text.find(":", key.end) + 1
    tail = _TAIL.match(text, end)
    begin = line_start(text, key.start)
    if tail is None:
        return []
    if tail[1]:
        return [Edit(node.source, key.start, tail.start(1))]
    if text[begin : key.start].strip():
        # `- name: x`: the dash stays for the entry that follows.
        following = next((other for other, _ in node.value if other.start > end), None)
        return [Edit(node.source, key.start, following.start)] if following is not None else []
    rest = re.compile(r"(?:[ \t]*\r?\n)*([ \t]*)#").match(text, tail.end())
    if rest is not None and len(rest[1]) > key.start - begin:
        return []  # a comment that would fall into the text of the entry above
    return [Edit(node.source, begin, _line_after(text, tail.end(), begin == 0))]


def _line_after(text: str, at: int, blank_too: bool) -> int:
    """Behind the line end at an offset, and behind blank lines when these would lead the file."""
    found = re.compile(r"(?:\r?\n[ \t]*(?=\r?\n))*(?:\r?\n)?" if blank_too else r"(?:\r?\n)?").match(text, at)
    return found.end() if found is not None else at


def cut(source: Source, start: int, end: int) -> list[Edit]:
    """An element less in a list in brackets (JSON, JavaScript, YAML flow), with its comma."""
    text = source.text
    if _COMMENT.search(text, start, end):
        return []
    comma = re.compile(r"\s*,").match(text, end)
    if comma is not None and not _COMMENT.search(text, end, comma.end()):
        end = comma.end()
        begin = line_start(text, start)
        tail = _CODE_TAIL.match(text, end) or _TAIL.match(text, end)
        if tail is not None and not text[begin:start].strip():
            if tail[1]:
                return [Edit(source, start, tail.start(1))]
            return [Edit(source, begin, _line_after(text, tail.end(), False))]
        blank = _BLANK.match(text, end)
        return [Edit(source, start, blank.end() if blank is not None else end)]
    before = re.compile(r",\s*\Z").search(text[:start])
    if before is not None:
        return [Edit(source, before.start(), end)]
    begin = line_start(text, start)
    tail = _CODE_TAIL.match(text, end)
    if tail is not None and not tail[1] and not text[begin:start].strip():
        return [Edit(source, begin, _line_after(text, tail.end(), False))]
    return [Edit(source, start, end)]


def joined(edits: list[Edit]) -> list[Edit]:
    """Deletions, those that overlap as one: neighbours in a list share a comma."""
    found: list[Edit] = []
    for edit in sorted(edits, key=lambda each: (each.source.path, each.start)):
        last = found[-1] if found else None
        if last is not None and last.source is edit.source and edit.start <= last.end:
            found[-1] = Edit(last.source, last.start, max(last.end, edit.end))
        else:
            found.append(edit)
    return found


def plain_scalar(node: Node) -> bool:
    """A scalar without quotes, on one line."""
    return node.kind is SCALAR and not node.style and "\n" not in slice_of(node)
