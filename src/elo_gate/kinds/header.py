"""One response header that one file sets, and how much of a site it covers."""

from __future__ import annotations

import re

from ..model import SCALAR, Item, Node

ALL = "all"  # every path, as far as anyone can see
SOME = "some"  # a part that is named
UNSEEN = "unseen"  # the pattern cannot be told

# `/:path*`, `/(.*)`, `/:path(.*)`, `/:path((?!api).*)*`, `/((?!api|_next).*)`: from the first segment on, anything.
_EVERYTHING = re.compile(r"/?(?::\w+\*|(?::\w+)?\((?:\?:)?\.\*\??\)[*?]?|(?::\w+)?\((?:\(\?!|\?!).*|\*\*?|/?)\Z", re.S)


class Header:
    """One header that one file sets, on responses.

    `source`: the pattern of the paths that carry it; `covers`: how much of the site that is. `perhaps`: it may not be
    there; `conditional`: only some requests get it. `adds`: it comes beside one that the application sets itself,
    instead of replacing that.
    """

    __slots__ = ("name", "key", "value", "source", "covers", "conditional", "perhaps", "entry", "adds")

    def __init__(
        self,
        key: Node,
        value: Node,
        source: Node,
        covers: str,
        conditional: bool = False,
        perhaps: bool = False,
        entry: Node | None = None,
        adds: bool = False,
        name: str = "",
    ) -> None:
        self.name = (name or str(key.value)).strip().lower()
        self.key = key
        self.value = value
        self.source = source
        self.covers = covers
        self.conditional = conditional
        self.perhaps = perhaps
        self.entry = entry if entry is not None else key
        self.adds = adds

    @property
    def shown(self) -> str:
        """Its name as it is written, when a name is all that is written there."""
        written = str(self.key.value).strip()
        return written if written.lower() == self.name else self.name

    def item(self) -> Item:
        facts = {
            "name": self.name,
            "value": self.value,
            "source": self.source,
            "covers": self.covers,
            "conditional": self.conditional,
            "perhaps": self.perhaps,
        }
        return Item(self.value, facts, self.value)


def covers(source: Node) -> str:
    """How much of a site a `source` pattern of Next.js or Vercel matches."""
    if source.kind is not SCALAR:
        return UNSEEN
    text = str(source.value)
    if text == "/":
        return SOME
    return ALL if _EVERYTHING.match(text) else SOME
