"""Turns texts into parts of XML and HTML that hold nothing but these texts.

Every text goes through `inert` first: what is left is printable, so that XML 1.0 admits each character.
"""

from __future__ import annotations

from ..inert import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# `"` and `'` too, so that one function serves element and attribute alike.
_ENTITIES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;", ord("'"): "&#39;"}


def escape(text: str) -> str:
    """A text as the content of an element or of a quoted attribute."""
    return inert(text).translate(_ENTITIES)


def attributes(**values: object) -> str:
    """` name="value"` for each value: `data_x` is `data-x`, `class_` is `class`; True is a bare name, None nothing."""
    made = []
    for key, value in values.items():
        name = key.rstrip("_").replace("_", "-")
        if value is True:
            made.append(" " + name)
        elif value is not None:
            made.append(f' {name}="{escape(str(value))}"')
    return "".join(made)


def tag(name: str, body: str, /, **values: object) -> str:
    """An element with what stands in it, which is markup already, and its attributes."""
    return f"<{name}{attributes(**values)}>{body}</{name}>"


def table(columns: Iterable[str], rows: Iterable[Iterable[str]], **values: object) -> str:
    """A table in a box that scrolls: the heads are texts, the cells are elements already."""
    head = "".join(tag("th", escape(each), scope="col") for each in columns)
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    text = f"<thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody>"
    return tag("div", tag("table", text, **values), class_="scroll")


def prose(text: str) -> str:
    """The words of a rule as HTML: what stands between two backticks is code."""
    return code_in(text, escape)


def code_in(text: str, escaped: Callable[[str], str]) -> str:
    """The words of a rule with `<code>` for backticks, each part escaped; a last, single backtick stays one."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    return "".join(
        f"<code>{escaped(part)}</code>" if at % 2 and part else escaped(part) for at, part in enumerate(parts)
    )
