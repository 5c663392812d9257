"""Turns texts into parts of XML and HTML that hold nothing but these texts.

Every text goes through `inert` first: what is left is printable, so that XML 1.0 admits each character.
"""

from __future__ import annotations

from ..inert import inert

# `"` and `'` too, so that one function serves element and attribute alike.
_ENTITIES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;", ord("'"): "&#39;"}


def escape(text: str) -> str:
    """A text as the content of an element or of a quoted attribute."""
    return inert(text).translate(_ENTITIES)


def attributes(**values: object) -> str:
    """` name="value"` for each value; a final underscore of a name is dropped."""
    return "".join(f' {name.rstrip("_")}="{escape(str(value))}"' for name, value in values.items())


def prose(text: str) -> str:
    """The words of a rule as HTML: what stands between two backticks is code."""
    return code_in(text, escape)


def code_in(text: str, escaped: Escape) -> str:
    """The words of a rule with `<code>` for backticks, each part escaped; a last, single backtick stays one."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    return "".join(
        f"<code>{escaped(part)}</code>" if at % 2 and part else escaped(part) for at, part in enumerate(parts)
    )


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Escape = Callable[[str], str]
