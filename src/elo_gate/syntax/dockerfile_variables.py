"""Turns a word of a Dockerfile into its value: quotes removed, variables filled in, as BuildKit's shell lexer does.

https://docs.docker.com/reference/dockerfile/#environment-replacement. Forms that are not read (`${X#pattern}`,
`${X/from/to}`) make the value unknown.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#]")
_DEPTH = 20
_SIZE = 1 << 16  # values that double from line to line end here: as unknown, not as an exhausted memory


def expand(text: str, get: Callable[[str], str | None], escape: str = "\\") -> str | None:
    """The value of a word, None when it cannot be known.

    `get` gives the value of a variable: a text, "" when it is unset, None when it cannot be known.
    """
    if "$" not in text and '"' not in text and "'" not in text and escape not in text:
        return text
    found = _Word(text, get, escape).read(0, "", 0)
    return None if found is None or len(found[0]) > _SIZE else found[0]


class _Word:
    __slots__ = ("escape", "get", "text")

    def __init__(self, text: str, get: Callable[[str], str | None], escape: str) -> None:
        self.text = text
        self.get = get
        self.escape = escape

    def read(self, at: int, stop: str, depth: int) -> tuple[str, int] | None:
        """Reads up to a stop character: the value and the place behind it."""
        if depth > _DEPTH:
            return None
        text, escape = self.text, self.escape
        out: list[str] = []
        size = len(text)
        quote = ""
        while at < size:
            char = text[at]
            if not quote and stop and char == stop:
                return "".join(out), at + 1
            if char == quote:
                quote = ""
            elif char in "\"'" and not quote:
                quote = char
            elif char == escape and quote != "'":
                if at + 1 < size and (not quote or text[at + 1] in ('"', "$", escape)):
                    at += 1
                    out.append(text[at])
                elif quote:
                    out.append(char)
            elif char == "$" and quote != "'":
                found = self.variable(at + 1, depth)
                if found is None:
                    return None
                value, at = found
                out.append(value)
                continue
            else:
                out.append(char)
            at += 1
        if stop or quote:
            return None
        return "".join(out), at

    def variable(self, at: int, depth: int) -> tuple[str, int] | None:
        """Reads what follows a dollar."""
        text = self.text
        braces = text.startswith("{", at)
        name = _NAME.match(text, at + braces)
        if name is None:
            return None if braces else ("$", at)
        at = name.end()
        value = self.get(name[0])
        if not braces or text.startswith("}", at):
            return None if value is None else (value, at + braces)
        colon = text.startswith(":", at)
        operator = text[at + colon : at + colon + 1]
        if operator not in ("-", "+", "?"):
            return None
        found = self.read(at + colon + 1, "}", depth + 1)
        if value is not None and operator != "?" and (bool(value) == (operator == "-")) and (colon or value):
            # The word is not needed, but its end is.
            end = found[1] if found is not None else self.closing(at)
            return (value if operator == "-" else "", end) if end >= 0 else None
        if found is None or value is None or (not colon and value == ""):
            return None  # without the colon, unset and empty differ, and `get` does not tell them apart
        if operator == "?":
            return (value, found[1]) if value else None
        return found

    def closing(self, at: int) -> int:
        """The place behind the brace that closes the one before, -1 when there is none."""
        depth = 1
        while at < len(self.text):
            if self.text[at] == "{":
                depth += 1
            elif self.text[at] == "}":
                depth -= 1
                if depth == 0:
                    return at + 1
            at += 1
        return -1
