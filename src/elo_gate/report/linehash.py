"""Turns a line of a source into the `primaryLocationLineHash` that GitHub's upload action would compute.

A rolling hash over the first 100 UTF-16 units from the line's start, blanks left out, every line end one LF, then
65535, then zeros; the counter says which line start with that window it is
(github/codeql-action, src/fingerprints.ts, looked up 2026-11-23).
"""

from __future__ import annotations

from itertools import accumulate
from operator import mul

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model import Source

_WINDOW = 100
_MASK = (1 << 64) - 1
_POWERS = [pow(37, _WINDOW - 1 - at, 1 << 64) for at in range(_WINDOW)]


class LineHashes:
    """The hashes of one source's lines, made for the lines asked for."""

    __slots__ = ("_before", "_lines", "_text", "_windows")

    def __init__(self, source: Source) -> None:
        text = source.text
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        self._text = text = text.replace(" ", "").replace("\t", "")
        self._lines = text.split("\n")
        self._before = [0, *accumulate(map(len, self._lines))]  # characters of the lines before, without their ends
        self._windows: dict[int, Sequence[int]] = {}

    def _start(self, line: int) -> int:
        return self._before[line] + line

    def _window(self, line: int) -> Sequence[int]:
        """The 100 units from a line's start (0-based line)."""
        found = self._windows.get(line)
        if found is None:
            start = self._start(line)
            part = self._text[start : start + _WINDOW]
            if len(part) == _WINDOW and part.isascii():
                found = self._windows[line] = part.encode()
                return found
            data = part.encode("utf-16-le", "surrogatepass")
            units = list(memoryview(data[: 2 * _WINDOW]).cast("H"))
            if len(units) < _WINDOW:
                units.append(65535)
                units += [0] * (_WINDOW - len(units))
            found = self._windows[line] = tuple(units)
        return found

    def of(self, line: int) -> str:
        """The hash of a 1-based line: `hex:counter`. A carriage return alone counts as a line end here too."""
        index = min(line, len(self._lines)) - 1
        window = self._window(index)
        # Lines with the same window begin with the same characters: one of them may be two units.
        head = self._lines[index][: _WINDOW // 2]
        count = 1
        alike = self._text.startswith(head) or self._text.find("\n" + head, 0, self._start(index)) >= 0
        for other in range(index) if alike else ():
            if self._lines[other][: _WINDOW // 2] == head and self._window(other) == window:
                count += 1
        return f"{sum(map(mul, window, _POWERS)) & _MASK:x}:{count}"
