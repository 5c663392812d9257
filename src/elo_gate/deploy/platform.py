"""What a platform is to a deploy: a few verbs that act or look, and never decide.

A platform raises Lost where it cannot be asked. What a verb that acts says is not believed: what is live decides.
"""

from __future__ import annotations

import re
from typing import Protocol, runtime_checkable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .veil import Veil

_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:/@+=-]{0,255}")


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

    def preflight(self, snapshot: str, digest: str) -> list[str]:
        """What speaks against sending a snapshot: a tool that is missing or too old, another account, a bad manifest.

        Only looks. Raises Lost where that is not known.
        """

    def current(self) -> str | None:
        """The id of what is live, None when nothing is. Raises Lost."""

    def deploy(self, snapshot: str, digest: str, key: str) -> Handle:
        """Sends a snapshot under a key; with `stage`, without making it live. Raises Lost: it may have arrived."""

    def find(self, key: str) -> Handle | None:
        """The release that was sent under a key. Raises Lost."""

    def status(self, id: str) -> tuple[str, str, str]:
        """(ready, pending, failed or reverted; a word on it; its address or empty). Raises Lost.

        `reverted` is a release that the platform itself has taken back, so that an earlier one is live.
        """

    def promote(self, id: str) -> None:
        """Makes a staged release live. Raises Lost: it may have happened."""

    def rollback(self, id: str) -> None:
        """Makes an earlier release live. Raises Lost: it may have happened."""

    def variables(self, snapshot: str) -> list[str] | None:
        """The names of the variables that a release of the snapshot gets, None where that is not said. Raises Lost."""

    def calls(self) -> list[list[str]]:
        """The commands or requests it would make, for a plan; without any value of a variable."""


@runtime_checkable
class Reserves(Protocol):
    """A platform that has a lock of its own, which deploys from other machines see as well."""

    def hold(self, key: str) -> str:
        """Takes it for a deploy, which may hold it already; empty, or who else holds it. Raises Lost."""

    def release(self, key: str) -> None:
        """Gives it back, if that deploy holds it. Raises Lost: then it runs out by itself."""


def identity(what: str, found: object, veil: Veil) -> str:
    """An id that a platform gave, as it may be written down. Raises Lost."""
    if not isinstance(found, str) or not _ID.fullmatch(found) or veil.known(found):
        raise Lost(f"{what}: its `id` is not one that can be written down")
    return found


def named(text: str) -> bool:
    """Whether a text can be the id of a release."""
    return _ID.fullmatch(text) is not None


def address(what: str, found: object, veil: Veil) -> str:
    """An http address that a platform gave, as it may be written down; empty where it gave none. Raises Lost."""
    from urllib.parse import urlsplit

    if found is None:
        return ""
    try:
        parts = urlsplit(found) if isinstance(found, str) and found.isprintable() and len(found) <= 2_000 else None
        good = parts is not None and parts.scheme in ("http", "https") and parts.hostname and not parts.username
    except ValueError:
        good = False
    if not good or veil.hide(str(found), 2_000) != found:
        raise Lost(f"{what}: its `url` is not an address that can be written down")
    return str(found).rstrip("/")
