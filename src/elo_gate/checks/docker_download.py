"""Answers what a build fetches from the network and runs or unpacks unseen."""

from __future__ import annotations

from ..model import SCALAR, Fault, Item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_INTERPRETERS = frozenset(("sh", "bash", "ash", "dash", "zsh", "python", "python3", "node", "perl", "ruby"))
_FETCHERS = frozenset(("curl", "wget"))


def piped(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a script that goes from the network straight into an interpreter."""
    fetch = it.facts["pipes"]
    words = [word.rpartition("/")[2] for word in it.facts["words"]]
    program = next((word for word in words if word not in ("sudo", "-E", "env", "exec") and "=" not in word), "")
    if fetch is None or program not in _INTERPRETERS or fetch.facts["program"] not in _FETCHERS:
        return
    at = next((index for index, word in enumerate(fetch.facts["words"]) if "://" in word), None)
    if at is None:
        return
    url = fetch.facts["words"][at]
    yield Fault(fetch.facts["nodes"][at], [(it, "run here")], url=url, program=program)


def unverified(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for an ADD from a URL that no checksum holds fast."""
    if not it.facts["add"] or it.facts["checksum"] is not None:
        return
    for source in it.facts["sources"]:
        text = source.value
        if source.kind is not SCALAR and "://" not in text:
            continue
        if text.startswith(("http://", "https://")) and not text.partition("#")[0].endswith(".git"):
            plain = text.startswith("http://")
            yield Fault(source, message="plain" if plain else "default", severity=None if plain else "note", url=text)
