"""Turns the text of a Kubernetes quantity (`250m`, `512Mi`, `1e3`) into an exact number.

The grammar is that of k8s.io/apimachinery `resource.Quantity`: a signed decimal number, then a binary
suffix, a decimal suffix or a decimal exponent. Numbers are whole nano-units, so that `100m` and `0.1`
compare equal without floating point.
"""

from __future__ import annotations

NANO = 10**9

# Suffix to (numerator, denominator).
_SUFFIXES = {
    "": (1, 1),
    "n": (1, 10**9),
    "u": (1, 10**6),
    "m": (1, 10**3),
    "k": (10**3, 1),
    "M": (10**6, 1),
    "G": (10**9, 1),
    "T": (10**12, 1),
    "P": (10**15, 1),
    "E": (10**18, 1),
    "Ki": (2**10, 1),
    "Mi": (2**20, 1),
    "Gi": (2**30, 1),
    "Ti": (2**40, 1),
    "Pi": (2**50, 1),
    "Ei": (2**60, 1),
}
_DIGITS = "0123456789"


def quantity(text: str) -> int | None:
    """Nano-units of a quantity, rounded up as Kubernetes does; None when it is none."""
    end = 1 if text[:1] in ("+", "-") and text else 0
    sign = -1 if text[:1] == "-" else 1
    start = end
    while end < len(text) and text[end] in _DIGITS:
        end += 1
    whole = text[start:end]
    fraction = ""
    if end < len(text) and text[end] == ".":
        start = end = end + 1
        while end < len(text) and text[end] in _DIGITS:
            end += 1
        fraction = text[start:end]
    if (not whole and not fraction) or len(whole) + len(fraction) > 40:
        return None
    scale = _scale(text[end:])
    if scale is None:
        return None
    numerator: int = int(whole + fraction or "0") * scale[0] * NANO
    denominator: int = scale[1] * 10 ** len(fraction)
    return sign * -(-numerator // denominator)


def _scale(suffix: str) -> tuple[int, int] | None:
    known = _SUFFIXES.get(suffix)
    if known is not None or suffix[:1] not in ("e", "E"):
        return known
    digits = suffix[2:] if suffix[1:2] in ("+", "-") else suffix[1:]
    if not digits or not digits.isascii() or not digits.isdigit() or len(digits) > 2:
        return None
    power = 10 ** int(digits)
    return (1, power) if suffix[1:2] == "-" else (power, 1)
