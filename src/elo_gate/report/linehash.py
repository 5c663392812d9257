"""Turns a line of a source into the `primaryLocationLineHash` that GitHub's upload action would compute.

A rolling hash over the first 100 UTF-16 units from the line's start, blanks left out, every line end one LF, then
65535, then zeros; the counter says which line start with that window it is
(github/codeql-action, src/fingerprints.ts, looked up 2026-11-23).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model import Source

_WINDOW = 100
_MASK = (1 << 64) - 1
_POWERS = [pow(37, _WINDOW - 1 - at, 1 << 64) for at in range(_WINDOW)]


class LineHashes:
    """The hashes of one source's lines, made for the lines asked for."""

    __slots__ = ("_text", "_starts", "_windows")

    def __init__(self, source: Source) -> None:
        text = source.text.replace("\r\n", "\n").replace("\r", "\n")
        self._text = text
        self._starts = [0]
        at = text.find("\n")
        while at >= 0:
            self._starts.append(at + 1)
            at = text.find("\n", at + 1)
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
        index = line - 1
        if index >= len(self._starts):
            index = len(self._starts) - 1
        window = self._window(index)
        start = self._starts[index]
        # Equal windows begin with equal text: only lines that share the first characters are compared.
        head = self._text[start : start + 1]
        count = 1
        for other in range(index):
            at = self._starts[other]
            if (self._text[at : at + 1] == head or head in " \t" or self._text[at : at + 1] in " \t") and self._window(
                other
            ) == window:
                count += 1
        value = 0
        for unit, power in zip(window, _POWERS, strict=True):
            value += unit * power
        return f"{value & _MASK:x}:{count}"
