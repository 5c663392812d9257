"""Turns edits of spans into new text: comments, indentation, quotes and line ends stay as they are."""

from __future__ import annotations

from bisect import bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..model import Finding, Source

SAFE = "safe"
UNSAFE = "unsafe"


class Edit:
    """A span of a source and the text that replaces it; offsets as in Node. A line end in `text` is a plain LF."""

    __slots__ = ("end", "source", "start", "text")

    def __init__(self, source: Source, start: int, end: int, text: str = "") -> None:
        self.source = source
        self.start = start
        self.end = end
        self.text = text


class Change:
    """All edits that one finding asks for: applied together or not at all."""

    __slots__ = ("edits", "finding", "safety")

    def __init__(self, finding: Finding, safety: str, edits: list[Edit]) -> None:
        self.finding = finding
        self.safety = safety
        self.edits = edits

    @property
    def key(self) -> tuple[str, str]:
        """What is counted before and after: the rule and the file."""
        return self.finding.rule.id, self.finding.source.path


def line_end(text: str) -> str:
    """How the lines of a text end, told by its first."""
    at = text.find("\n")
    return "\r\n" if at > 0 and text[at - 1] == "\r" else "\n"


def written(edit: Edit) -> str:
    """The text of an edit with the line ends of its file."""
    return edit.text.replace("\n", line_end(edit.source.text)) if "\n" in edit.text else edit.text


class _Taken:
    """The spans of one source that are to be edited, none of them overlapping, in order."""

    __slots__ = ("ends", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []

    def free(self, edit: Edit) -> bool:
        """Whether an edit wants no character that is taken, and does not begin where another one does."""
        at = bisect_right(self.starts, edit.start)
        if at and (self.starts[at - 1] == edit.start or edit.start < self.ends[at - 1]):
            return False
        return at == len(self.starts) or self.starts[at] >= edit.end

    def take(self, edit: Edit) -> None:
        at = bisect_right(self.starts, edit.start)
        self.starts.insert(at, edit.start)
        self.ends.insert(at, edit.end)

    def leave(self, edit: Edit) -> None:
        at = bisect_right(self.starts, edit.start) - 1
        del self.starts[at], self.ends[at]


def apart(changes: Iterable[Change]) -> list[Change]:
    """The changes that can be applied at once: of two that overlap the first."""
    taken: dict[str, _Taken] = {}
    found = []
    for change in changes:
        own: list[Edit] = []
        for edit in change.edits:
            spans = taken.setdefault(edit.source.path, _Taken())
            if not spans.free(edit):
                for each in own:
                    taken[each.source.path].leave(each)
                break
            spans.take(edit)
            own.append(edit)
        else:
            found.append(change)
    return found


def applied(changes: Iterable[Change]) -> dict[str, str]:
    """Path to new text for the sources of changes that do not overlap."""
    by_path: dict[str, list[Edit]] = {}
    for change in changes:
        for edit in change.edits:
            by_path.setdefault(edit.source.path, []).append(edit)
    return {path: _applied(edits[0].source.text, edits) for path, edits in by_path.items()}


def _applied(text: str, edits: list[Edit]) -> str:
    parts = []
    at = 0
    for edit in sorted(edits, key=lambda each: (each.start, each.end)):
        parts.append(text[at : edit.start])
        parts.append(written(edit))
        at = edit.end
    parts.append(text[at:])
    return "".join(parts)
