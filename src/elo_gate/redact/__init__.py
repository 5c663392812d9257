"""Turns text that may hold secrets into text that may be shown: the one place that knows what a secret looks like.

`mask` prefers to hide too much: of a secret it keeps at most the four public characters of a token's prefix.
"""

from __future__ import annotations

from .formats import PUBLIC, tokens
from .names import placeholder, secret_name, stand_in, weak_password
from .randomness import entropy, odd, runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "PUBLIC", "entropy", "mask", "odd", "placeholder", "runs", "secret_name", "stand_in", "tokens", "weak_password",
]  # fmt: skip

_cover: Callable[[str, Iterable[tuple[int, int]]], str] | None = None


def mask(text: str, spans: Iterable[tuple[int, int]] = ()) -> str:
    """The text with every secret and the given spans replaced by `***`; never raises, keeps the lines.

    Stand-ins, references (`${NAME}`), flags, short numbers and plain words that do not follow a secret's name
    stay readable. Masking what is masked changes nothing.
    """
    global _cover
    if _cover is None:
        from .cover import cover  # its patterns are compiled when there is something to show

        _cover = cover
    return _cover(text, spans)
