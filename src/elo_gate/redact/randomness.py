"""Tells text that looks random from words, numbers and names made of words."""

from __future__ import annotations

import re
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Letters that follow each other in words of English, Portuguese and computing.
_FOLLOWERS = {
    "a": "bcdfghiklmnpqrstuvwxyz", "b": "abeijloruys", "c": "acehikmlortuys", "d": "adegiloruysbmc",
    "e": "abcdefgiklmnopqrstuvwxy", "f": "aefilortuys", "g": "aeghilnoruys", "h": "adeimnortuy",
    "i": "abcdefgklmnopqrstuvxz", "j": "aeosuw", "k": "aeilnosuy", "l": "abcdefgiklmoprstuvwy", "m": "abeilmnopsuy",
    "n": "acdefghiklmnopstuvxyz", "o": "abcdefgiklmnopqrstuvwxyz", "p": "aeghilmoprstuy", "q": "lu",
    "r": "abcdefgiklmnopqrstuvwy", "s": "abcdefghiklmnopqrstuwy", "t": "abcefhilmnoprstuwyz",
    "u": "abcdefgiklmnpqrstvxz", "v": "aeimoprsuy", "w": "aehilnorst", "x": "aceiptu", "y": "abceilmnoprstw",
    "z": "aeiouyz",
}  # fmt: skip
_RUN = re.compile(r"[0-9A-Za-z+/_.%\-]{10,}={0,2}")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_MIXED = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])", re.DOTALL)
_HEX = re.compile("(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{10,}|(?=[A-F]*[0-9])(?=[0-9]*[A-F])[0-9A-F]{10,}")
_ADVISORY = re.compile("GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}|CVE-[0-9]{4}-[0-9]{4,7}")
ALNUM = re.compile("[0-9A-Za-z]+")


@lru_cache(4096)  # the same words come again on every line
def odd(word: str) -> bool:
    """Whether a run of letters and digits looks like no word, number or name made of words."""
    size = len(word)
    if word.isdigit():
        return size > 15
    humps = _HUMP.findall(word)
    if size < 10:
        return size > 3 and len(humps) * 2 >= size
    if len(humps) * 3 > size or _HEX.fullmatch(word):
        return True
    strange, pairs = _strangeness(humps)
    return strange * 7 >= pairs and strange > 1


def _strangeness(humps: list[str]) -> tuple[int, int]:
    """How many pairs of letters are none that words have, of how many."""
    strange = pairs = 0
    for hump in humps:
        lower = hump.lower()
        if not lower.isdigit():
            pairs += len(lower) - 1
            strange += sum(lower[i + 1] not in _FOLLOWERS[lower[i]] for i in range(len(lower) - 1))
    return strange, pairs


def _encoded(run: str, total: int) -> bool:
    """Whether a run with `+ / _ -` in it looks like base64: all kinds of characters, or padding, and no words."""
    padded = run[-1] == "=" and not run.isupper() and not run.islower()
    if total < 12 or not (padded or _MIXED.match(run)):
        return False
    if padded and run[-2] == "=" and len(run) % 4 == 0:
        return True
    humps = _HUMP.findall(run)
    strange, pairs = _strangeness(humps)
    return len(humps) * 2.2 > total or (strange * 6 >= pairs and strange > 1)


def runs(text: str) -> Iterator[tuple[int, int]]:
    """Where ten or more characters look random: the whole run when most of it does, else the words that do."""
    for run in _RUN.finditer(text):
        start, end = run.span()
        if text[start - 7 : start] == "sha256:" and end - start == 64:
            continue  # an image's digest
        for begin, stop in _parts(run[0]) if end - start < 100 else _parts.__wrapped__(run[0]):
            yield start + begin, start + stop


@lru_cache(4096)
def _parts(run: str) -> tuple[tuple[int, int], ...]:
    """Where a run of ten or more characters looks random: all of it, or the long ones of its words."""
    written = run
    if "GHSA-" in written or "CVE-" in written:
        written = _ADVISORY.sub(lambda found: "-" * len(found[0]), written)
    strange, total = [], 0
    for word in ALNUM.finditer(written):
        total += len(word[0])
        if odd(word[0]):
            strange.append(word.span())
    size = sum(stop - begin for begin, stop in strange)
    if (size > 9 and size * 2 >= total) or _encoded(written, total):
        return ((0, len(written)),)
    return tuple(span for span in strange if span[1] - span[0] > 9)


def entropy(value: str) -> float:
    """Shannon's measure of a text in bits for each character: 0 for one repeated, about 4.5 for 40 random ones."""
    from math import log2

    size = len(value)
    return sum(-n / size * log2(n / size) for n in map(value.count, set(value))) if size else 0.0
