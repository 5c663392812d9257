"""Turns mended texts into a unified diff that may be shown: lines masked and inert, compared as they are."""

from __future__ import annotations

from ..inert import inert
from .excerpt import Excerpts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..fixes.rounds import Mended
    from ..gate import Run
    from ..model import Source

_AROUND = 3
_NO_END = "\\ No newline at end of file"


def render(before: Run, done: Mended) -> str:
    """The diff of all files that would be written, in order of path; "" when there is none."""
    parts: list[str] = []
    for path in sorted(done.texts):
        old, new = before.project.read(path), done.run.project.read(path)
        if old is not None and new is not None and old.text != new.text:
            name = inert(path)
            parts += [f"--- a/{name}", f"+++ b/{name}"]
            parts += _hunks(_Side(old, before), _Side(new, done.run))
    return "\n".join(parts) + "\n" if parts else ""


class _Side:
    """The lines of one text: as they are, to compare, and as they may be shown."""

    __slots__ = ("lines", "shown", "unended")

    def __init__(self, source: Source, run: Run) -> None:
        self.lines = source.text.split("\n")
        self.shown = list(Excerpts(run.project).lines(source))
        self.unended = -1
        if self.lines[-1] == "":
            del self.lines[-1], self.shown[-1]
        else:
            self.unended = len(self.lines) - 1

    def show(self, mark: str, first: int, last: int) -> list[str]:
        """Some lines behind a mark, and the word on a last line without an end."""
        found = []
        for number in range(first, last):
            found.append(mark + self.shown[number])
            if number == self.unended:
                found.append(_NO_END)
        return found


def _hunks(old: _Side, new: _Side) -> list[str]:
    from difflib import SequenceMatcher

    found = []
    for group in SequenceMatcher(None, old.lines, new.lines, autojunk=False).get_grouped_opcodes(_AROUND):
        first, last = group[0], group[-1]
        found.append(f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@")
        for tag, low, high, begin, end in group:
            if tag == "equal":
                found += new.show(" ", begin, end)
            else:
                found += old.show("-", low, high) + new.show("+", begin, end)
    return found


def _range(start: int, stop: int) -> str:
    length = stop - start
    begin = start if not length else start + 1
    return str(begin) if length == 1 else f"{begin},{length}"
