"""What a platform is to a deploy: a few verbs that act or look, and never decide.

A platform raises Lost where it cannot be asked. What a verb that acts says is not believed: what is live decides.
"""

from __future__ import annotations

from typing import Protocol


class Lost(Exception):
    """The platform gave no answer that can be trusted; the message is already safe to show."""


class Handle:
    """A release on its way: the platform's id, and where a candidate can be looked at, if it can."""

    __slots__ = ("id", "url")

    def __init__(self, id: str, url: str = "") -> None:
        self.id = id
        self.url = url


class Platform(Protocol):
    """`stage`: a release can exist before users see it. `back`: a rollback exists. `finds`: by key."""

    stage: bool
    back: bool
    finds: bool

    def current(self) -> str | None:
        """The id of what is live, None when nothing is. Raises Lost."""

    def deploy(self, snapshot: str, digest: str, key: str) -> Handle:
        """Sends a snapshot under a key; with `stage`, without making it live. Raises Lost: it may have arrived."""

    def find(self, key: str) -> Handle | None:
        """The release that was sent under a key. Raises Lost."""

    def status(self, id: str) -> tuple[str, str, str]:
        """(ready, pending or failed; a word on it; its address or empty). Raises Lost."""

    def promote(self, id: str) -> None:
        """Makes a staged release live. Raises Lost: it may have happened."""

    def rollback(self, id: str) -> None:
        """Makes an earlier release live. Raises Lost: it may have happened."""

    def calls(self) -> list[list[str]]:
        """The commands or requests it would make, for a plan; without any value of a variable."""
