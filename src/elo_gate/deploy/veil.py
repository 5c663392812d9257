"""Turns what programs and platforms say into text without secrets: known values first, then what looks like one."""

from __future__ import annotations

import os

from ..inert import inert
from ..redact import mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Veil:
    """Knows the values of the variables a target lets through, as they are and as they travel."""

    __slots__ = ("_values",)

    def __init__(self, names: Sequence[str], values: Sequence[str] = ()) -> None:
        """`values` are secrets that stand within a variable: the password of a connection string."""
        import base64
        import json
        from urllib.parse import quote, quote_plus

        found: set[str] = set()
        for value in (*(os.environ.get(name, "") for name in names), *values):
            if len(value) >= 4:
                data = value.encode("utf-8", "surrogateescape")
                found |= {value, quote(data, safe=""), quote_plus(data), json.dumps(value)[1:-1]}
                # Base64 of a longer text that holds it: the letters that do not depend on what stands around it.
                for shift in range(3):
                    coded = base64.b64encode(b"\0" * shift + data).decode()
                    core = coded[(shift * 8 + 5) // 6 : len(coded.rstrip("=")) - 1]
                    found |= {core, core.replace("+", "-").replace("/", "_")} if len(core) >= 6 else set()
        self._values = sorted(found, key=len, reverse=True)

    def known(self, text: str) -> bool:
        """Whether a known value stands in a text."""
        return any(value in text for value in self._values)

    def only(self, text: str) -> str:
        """The text without known values."""
        for value in self._values:
            text = text.replace(value, "***")
        return text

    def hide(self, text: str, limit: int = 400) -> str:
        """One printable line, at most `limit` long, without known values and what looks like a secret."""
        return inert(mask(self.only(text)), limit)
