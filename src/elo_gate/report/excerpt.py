"""Turns a place in a source into lines that may be shown: masked, without control characters, with the marked part."""

from __future__ import annotations

from ..inert import inert_lines
from ..kinds import module_of
from ..redact import mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model import Source
    from ..project import Project

_WIDTH = 160
LONG = 1_000  # a line of more is cut also where programs read: each of its findings would repeat it


class Excerpts:
    """Masked texts of the sources of one run, made on first use and kept with the run: each report shows the same."""

    __slots__ = ("_artifacts", "_lines")

    def __init__(self, project: Project) -> None:
        self._artifacts = {artifact.path: artifact for artifact in project.all()}
        self._lines: dict[Source, list[str]] = project.facts.setdefault("masked lines", {})

    def lines(self, source: Source) -> list[str]:
        """All lines of a source, masked and inert. As many as the source has."""
        found = self._lines.get(source)
        if found is None:
            found = self._lines[source] = inert_lines(mask(source.text, self._spans(source)))
        return found

    def _spans(self, source: Source) -> list[tuple[int, int]]:
        artifact = self._artifacts.get(source.path)
        if artifact is None:
            return []
        secrets = getattr(module_of(artifact.kind), "secrets", None)
        try:
            return secrets(artifact) if secrets is not None else []
        except Exception:
            # A function that fails to say what is secret hides the whole file rather than nothing.
            return [(0, len(source.text))]

    def line(self, source: Source, number: int) -> str:
        """One masked line, 1-based."""
        lines = self.lines(source)
        return lines[number - 1] if number <= len(lines) else ""

    def frame(self, source: Source, start: int, end: int) -> tuple[int, str, int, int]:
        """(line number, masked line, first marked column, column after the last), columns 0-based in that line."""
        number, column = source.position(start)
        raw = source.line(number)
        shown = self.line(source, number)
        first = column - 1
        last = min(len(raw), first + max(1, end - start))
        if shown != raw:
            tail = raw[last:]
            if raw[:first] != shown[:first]:
                first = min(len(raw) - len(raw.lstrip()), len(shown))
            last = (
                len(shown) - len(tail)
                if tail and shown.endswith(tail) and len(shown) - len(tail) > first
                else len(shown)
            )
        return number, shown, first, max(last, first + 1)


def crop(line: str, first: int, last: int) -> tuple[str, int, int]:
    """A line cut to a width that shows its marked part, with the moved marks."""
    if len(line) <= _WIDTH:
        return line, first, last
    begin = max(0, min(first - 40, len(line) - _WIDTH))
    part = line[begin : begin + _WIDTH]
    return (
        ("..." if begin else "") + part + "...",
        first - begin + (3 if begin else 0),
        min(last - begin, _WIDTH) + (3 if begin else 0),
    )
