"""Turns the text of one simple command into its words, its assignments and its redirections.

The grammar for bash says where a command begins and ends; its words are read here, because it takes `$A/$B/c` for two
words (tree-sitter-bash 0.25.1).
"""

from __future__ import annotations

import re

from .script import COMMAND, OTHER, TEXT, VARIABLE, Piece, Redirect, Word
from .sound import bracket, quoted_end

_REDIRECT = re.compile(r"([0-9]*|\{\w+\})(<<<|<<-?|<>|[<>]&|&>>?|>>|>\||[<>])(?!\()")
_PLAIN = re.compile(r"[^\s\\'\"$`;&|<>()]+")
_NAME = re.compile(r"\w+|[@*#?$!-]")
_ASSIGNS = re.compile(r"([A-Za-z_]\w*)(\[[^]\s]*\])?(\+?)=")
_BRACES = re.compile(r"(!|#(?=[\w@*]))?(\w+|[@*#?$!-])(\[[^]]*\])?")


class Read:
    """What a command says: `words`, `assigned` (name, value or None, the word), `redirects`."""

    __slots__ = ("assigned", "redirects", "words")

    def __init__(self) -> None:
        self.words: list[Word] = []
        self.assigned: list[tuple[str, Word | None, int, int]] = []
        self.redirects: list[Redirect] = []


def read(text: str, start: int, end: int, declares: bool = False) -> Read:
    """The words between two places. `declares`: assignments may stand behind the first word (`export X=1`)."""
    made = Read()
    at = start
    while at < end:
        char = text[at]
        if char in " \t\r\n;&|)" and not text.startswith("&>", at):
            at += 1
            continue
        if char == "\\" and text.startswith("\n", at + 1):
            at += 2
            continue
        if char == "#":
            line = text.find("\n", at)
            at = end if line < 0 else line
            continue
        match = _REDIRECT.match(text, at)
        if match is not None and match.end() <= end:
            at = _blank(text, match.end(), end)
            target = word(text, at, end)
            at = max(target.end, at + 1)
            if not match[2].startswith("<<") or match[2] == "<<<":
                made.redirects.append(Redirect(match[2], match[1], target))
            continue
        if char == "(":
            close = bracket(text, at)
            at = close if 0 < close <= end else end
            continue
        assigns = _ASSIGNS.match(text, at)
        if assigns is not None and (declares or not made.words):
            value: Word | None = None
            if text.startswith("(", assigns.end()):
                close = bracket(text, assigns.end())
                stop = close if 0 < close <= end else end
            else:
                value = word(text, assigns.end(), end)
                stop = max(value.end, assigns.end())
            made.assigned.append((assigns[1], None if assigns[2] or assigns[3] else value, at, stop))
            at = max(stop, at + 1)
            continue
        one = word(text, at, end)
        at = max(one.end, at + 1)
        made.words.append(one)
    return made


def _blank(text: str, at: int, end: int) -> int:
    while at < end and text[at] in " \t":
        at += 1
    return at


def word(text: str, start: int, end: int) -> Word:
    """The word that begins at a place; an empty one where none does."""
    pieces: list[Piece] = []
    at = start
    while at < end:
        char = text[at]
        if char == "\\":
            if text.startswith("\n", at + 1):
                at += 2
                continue
            pieces.append(Piece(TEXT, text[at + 1 : at + 2], at, min(at + 2, end), False))
            at += 2
        elif char == "'" or text.startswith("$'", at):
            begin = at + (2 if char == "$" else 1)
            close = text.find("'", begin, end)
            while char == "$" and close > 0 and text[close - 1] == "\\":
                close = text.find("'", close + 1, end)
            close = end if close < 0 else close
            pieces.append(Piece(TEXT, text[begin:close], at, min(close + 1, end), True))
            at = close + 1
        elif char == '"' or text.startswith('$"', at):
            at = _quoted(text, at + (2 if char == "$" else 1), end, pieces)
        elif char in "$`" or text.startswith(("<(", ">("), at):
            piece = _expansion(text, at, end, False)
            pieces.append(piece)
            at = piece.end
        else:
            match = _PLAIN.match(text, at, end)
            if match is None:
                break
            pieces.append(Piece(TEXT, match[0], at, match.end(), False))
            at = match.end()
    at = min(at, end)
    return Word(
        pieces,
        start,
        at,
        "".join(piece.text if piece.kind is TEXT else text[piece.start : piece.end] for piece in pieces),
    )


def _quoted(text: str, start: int, end: int, into: list[Piece]) -> int:
    """Reads a double-quoted text whose first character is at `start`; the place behind its closing quote."""
    close = quoted_end(text, start)
    stop = close - 1 if 0 < close <= end else end
    at = begin = start
    count = len(into)
    while at < stop:
        char = text[at]
        if char == "\\":
            at += 2
        elif char == "`" or (char == "$" and at + 1 < stop and (text[at + 1] in "({" or _NAME.match(text, at + 1))):
            if at > begin:
                into.append(Piece(TEXT, _unescaped(text[begin:at]), begin, at, True))
            piece = _expansion(text, at, stop, True)
            into.append(piece)
            at = begin = piece.end
        else:
            at += 1
    if stop > begin or len(into) == count:
        into.append(Piece(TEXT, _unescaped(text[begin:stop]), begin, stop, True))
    return stop + 1


def _unescaped(text: str) -> str:
    """A text between double quotes without the backslashes that count there."""
    return re.sub(r'\\(["$`\\])|\\\n', lambda match: match[1] or "", text) if "\\" in text else text


def _expansion(text: str, at: int, end: int, quoted: bool) -> Piece:
    """What begins with a dollar or a backtick here, or a process substitution."""
    if text[at] == "`":
        close = text.find("`", at + 1, end)
        stop = end if close < 0 else close + 1
        return Piece(COMMAND, text[at:stop], at, stop, quoted)
    if text.startswith("${", at):
        close = bracket(text, at + 1)
        stop = close if 0 < close <= end else end
        return _braced(text, at, stop, quoted)
    if text[at] in "<>" or text.startswith("$(", at):
        close = bracket(text, at + 1)
        stop = close if 0 < close <= end else end
        kind = OTHER if text.startswith("$((", at) or text[at] in "<>" else COMMAND
        return Piece(kind, text[at:stop], at, stop, quoted)
    match = _NAME.match(text, at + 1, end)
    if match is None:
        return Piece(TEXT, "$", at, at + 1, quoted)
    name = match[0]
    if name[0].isdigit():
        name = name[0]
    return Piece(VARIABLE, name, at, at + 1 + len(name), quoted)


def _braced(text: str, start: int, end: int, quoted: bool) -> Piece:
    """`${NAME:-default}`."""
    inside = text[start + 2 : end - 1]
    match = _BRACES.match(inside)
    if match is None:
        return Piece(OTHER, text[start:end], start, end, quoted)
    made = Piece(VARIABLE, match[2], start, end, quoted)
    rest = inside[match.end() :]
    operator = re.match(r":?[-=?+]|##?|%%?|//?|\^\^?|,,?|:|@", rest)
    made.operator = "!" if match[1] == "!" else "length" if match[1] else operator[0] if operator is not None else ""
    if match[3] and not made.operator:
        made.operator = "["
    if operator is not None and operator[0] in (":-", "-", ":=", "="):
        begin = start + 2 + match.end() + operator.end()
        made.argument = _argument(text, begin, end - 1)
    return made


def _argument(text: str, start: int, end: int) -> list[Piece]:
    """The words of a default, blanks taken in."""
    pieces: list[Piece] = []
    at = start
    while at < end:
        one = word(text, at, end)
        pieces.extend(one.pieces)
        if one.end > at:
            at = one.end
            continue
        pieces.append(Piece(TEXT, text[at], at, at + 1, True))
        at += 1
    return pieces
