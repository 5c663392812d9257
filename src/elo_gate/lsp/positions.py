"""Turns offsets into positions of the Language Server Protocol: lines from 0, columns in an encoding's units."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model import Source

UTF8, UTF16, UTF32 = "utf-8", "utf-16", "utf-32"


def units(text: str, encoding: str = UTF16) -> int:
    """How long a text is in the units of an encoding."""
    if encoding == UTF32 or text.isascii():
        return len(text)
    if encoding == UTF8:
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def place(source: Source, offset: int, encoding: str = UTF16) -> tuple[int, int]:
    """(line, character) of an offset."""
    line, column = source.position(offset)
    start = source.starts[line - 1]
    return line - 1, units(source.text[start : start + column - 1], encoding)


def offset(source: Source, line: int, character: int, encoding: str = UTF16) -> int:
    """The offset of a position; one behind the end of a line is that end, one behind the text its end."""
    if line >= len(source.starts):
        return len(source.text)
    start = source.starts[line]
    at = start
    left = character
    for letter in source.line(line + 1):
        if left <= 0:
            break
        left -= units(letter, encoding)
        at += 1
    return at
