"""Turns text with Compose's `$` references into references, pieces and the text that applies by default.

The grammar is that of the Compose specification (reference/compose-file/interpolation): `$V`, `${V}`,
`:-` `-` `:?` `?` `:+` `+`, nested; `$$` is a literal dollar; anything else behind a `$` is refused by Compose.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_FIRST = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_NAME = _FIRST | frozenset("0123456789")
_DEPTH = 40  # nested defaults deeper than this are left as they stand


class Reference:
    """One outermost reference: its variable, operator ("" when bare) and the word behind the operator."""

    __slots__ = ("name", "operator", "word", "start", "end")

    def __init__(self, name: str, operator: str, word: str, start: int, end: int) -> None:
        self.name = name
        self.operator = operator
        self.word = word
        self.start = start
        self.end = end

    @property
    def required(self) -> bool:
        """Compose refuses to start without the variable."""
        return "?" in self.operator

    @property
    def style(self) -> str:
        """One of "plain", "default", "required", "alternative"."""
        return {"-": "default", "?": "required", "+": "alternative"}.get(self.operator[-1:], "plain")


def scan(text: str) -> tuple[list[Reference], list[int]]:
    """The outermost references of a text, and the offsets of dollars that Compose refuses."""
    found: list[Reference] = []
    refused: list[int] = []
    at = text.find("$")
    last = text.rfind("}")
    while at >= 0:
        follow = text[at + 1 : at + 2]
        end = at + 2
        if follow in _FIRST and follow:
            while end < len(text) and text[end] in _NAME:
                end += 1
            found.append(Reference(text[at + 1 : end], "", "", at, end))
        elif follow == "{":
            reference = _braced(text, at) if at < last else None
            if reference is None:
                refused.append(at)
            else:
                found.append(reference)
                end = reference.end
        elif follow != "$":
            refused.append(at)
            end = at + 1
        at = text.find("$", end)
    return found, refused


def _braced(text: str, start: int) -> Reference | None:
    """The `${...}` at `start`. As in Compose, only `${` opens a level: the first free `}` closes."""
    depth, at = 0, start
    closing = text.find("}", at)
    while closing >= 0 and depth <= _DEPTH:
        opening = text.find("${", at, closing)
        if opening >= 0:
            depth, at = depth + 1, opening + 2
            continue
        depth, at = depth - 1, closing + 1
        if depth == 0:
            break
        closing = text.find("}", at)
    else:
        return None
    inside = text[start + 2 : at - 1]
    length = 0
    while length < len(inside) and inside[length] in _NAME:
        length += 1
    if length == 0 or inside[0] not in _FIRST:
        return None
    rest = inside[length:]
    if not rest:
        return Reference(inside, "", "", start, at)
    operator = rest[:2] if rest[:1] == ":" else rest[:1]
    if operator not in (":-", "-", ":?", "?", ":+", "+"):
        return None
    return Reference(inside[:length], operator, rest[len(operator) :], start, at)


def refused(text: str, depth: int = 0) -> list[int]:
    """Offsets of every dollar Compose refuses, also inside the words of references."""
    references, found = scan(text)
    if depth < _DEPTH:
        for each in references:
            base = each.end - 1 - len(each.word) if each.word else each.end
            found.extend(base + offset for offset in refused(each.word, depth + 1) if "$" in each.word)
    return sorted(found)


def names(text: str, depth: int = 0) -> list[str]:
    """Every variable a text mentions, also inside defaults, in order."""
    found = []
    for each in scan(text)[0]:
        found.append(each.name)
        if "$" in each.word and depth < _DEPTH:
            found.extend(names(each.word, depth + 1))
    return found


def expand(text: str, values: Mapping[str, str] | None = None, depth: int = 0) -> str:
    """What Compose makes of a text when only `values` are set: defaults apply, everything else is empty."""
    if "$" not in text or depth > _DEPTH:
        return text
    known = values or {}
    parts = []
    at = 0
    for each in scan(text)[0]:
        parts.append(text[at : each.start].replace("$$", "$"))
        at = each.end
        value = known.get(each.name)
        is_set = bool(value) if each.operator[:1] == ":" else value is not None
        if "+" in each.operator:
            parts.append(expand(each.word, known, depth + 1) if is_set else "")
        elif "-" in each.operator and not is_set:
            parts.append(expand(each.word, known, depth + 1))
        else:
            parts.append(value or "")
    parts.append(text[at:].replace("$$", "$"))
    return "".join(parts)


def literal(text: str) -> str:
    """A text without references, its `$$` turned into `$`."""
    return text.replace("$$", "$")


def split(text: str, separator: str) -> list[str]:
    """The pieces of a text between separators that stand outside of references (and of `[]`, for IPv6)."""
    spans = [(each.start, each.end) for each in scan(text)[0]] if "$" in text else []
    pieces = []
    begin = at = bracket = 0
    while at < len(text):
        if spans and at == spans[0][0]:
            at = spans.pop(0)[1]
            continue
        mark = text[at]
        if mark == "[":
            bracket += 1
        elif mark == "]":
            bracket -= 1
        elif mark == separator and bracket <= 0:
            pieces.append(text[begin:at])
            begin = at + 1
        at += 1
    pieces.append(text[begin:])
    return pieces
