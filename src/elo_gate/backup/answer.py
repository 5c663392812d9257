"""Turns what one check saw into an answer: what it is, why it matters, what to do."""

from __future__ import annotations

GOOD = "good"
RED = "red"
UNKNOWN = "unknown"  # it was to be looked at, and could not be
SKIPPED = "skipped"  # it was not asked for, or there is nothing to compare with; the words say which


class Answer:
    """The answer of the check `id`. `facts` are numbers and names for programs; nothing in it is a secret."""

    __slots__ = ("id", "state", "what", "why", "do", "facts")

    def __init__(self, id: str, state: str, what: str, why: str = "", do: str = "", **facts: object) -> None:
        self.id = id
        self.state = state
        self.what = what
        self.why = why
        self.do = do
        self.facts = facts


def words(seconds: float) -> str:
    """A span of time for people: `0.4s`, `12s`, `40m`, `26h`, `3d 4h`."""
    whole = int(abs(seconds))
    if whole < 10:
        return f"{abs(seconds):.1f}s"
    if whole < 120:
        return f"{whole}s"
    if whole < 2 * 3600:
        return f"{whole // 60}m"
    if whole < 2 * 86_400:
        return f"{whole // 3600}h"
    days, rest = divmod(whole, 86_400)
    return f"{days}d" + (f" {rest // 3600}h" if rest >= 3600 else "")


def moment(at: float) -> str:
    """A moment for people and programs: `2026-11-25T03:00Z`."""
    import time

    return time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(at))


def bytes_of(count: float) -> str:
    """A size for people: `20 B`, `1.4 MB`."""
    if count < 1000:
        return f"{int(count)} B"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 1000:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:.1f} TB"
