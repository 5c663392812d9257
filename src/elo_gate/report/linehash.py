"""Turns a line of a source into the `primaryLocationLineHash` that GitHub's upload action would compute.

A rolling hash over the first 100 UTF-16 units from the line's start, blanks left out, every line end one LF, then
65535, then zeros; the counter says which line start with that window it is
(github/codeql-action, src/fingerprints.ts, looked up 2026-11-23).
"""

from __future__ import annotations

from operator import mul

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model import Source

_WINDOW = 100
_MASK = (1 << 64) - 1
_POWERS = [pow(37, _WINDOW - 1 - at, 1 << 64) for at in range(_WINDOW)]


class LineHashes:
    """The hashes of one source's lines, made for the lines asked for."""

    __slots__ = ("_heads", "_starts", "_text", "_windows")

    def __init__(self, source: Source) -> None:
        text = source.text
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        self._text = text
        lines = text.split("\n")
        # Lines with the same window begin with the same characters once blanks are gone.
        self._heads = [line[:400].replace(" ", "").replace("\t", "")[:_WINDOW] for line in lines]
        self._starts = [0]
        for line in lines[:-1]:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._windows: dict[int, tuple[int, ...]] = {}

    def _window(self, line: int) -> tuple[int, ...]:
        """The 100 units from a line's start (0-based line)."""
        found = self._windows.get(line)
        if found is None:
            start = self._starts[line]
            size = 2 * _WINDOW
            while True:
                part = self._text[start : start + size].replace(" ", "").replace("\t", "")
                data = part.encode("utf-16-le", "surrogatepass")
                if len(data) >= 2 * _WINDOW or start + size >= len(self._text):
                    break
                size *= 2
            units = list(memoryview(data[: 2 * _WINDOW]).cast("H"))
            if len(units) < _WINDOW:
                units.append(65535)
                units += [0] * (_WINDOW - len(units))
            found = self._windows[line] = tuple(units)
        return found

    def of(self, line: int) -> str:
        """The hash of a 1-based line: `hex:counter`. A carriage return alone counts as a line end here too."""
        index = min(line, len(self._starts)) - 1
        window = self._window(index)
        head = self._heads[index]
        count = 1
        for other in range(index):
            if self._heads[other] == head and self._window(other) == window:
                count += 1
        return f"{sum(map(mul, window, _POWERS)) & _MASK:x}:{count}"
