"""Turns the split of a service's traffic between revisions into an id, `REVISION=PERCENT+...`, and back."""

from __future__ import annotations

import re

from ..platform import Lost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_SPLIT = re.compile(r"[a-z][a-z0-9-]{0,99}=[0-9]{1,3}(\+[a-z][a-z0-9-]{0,99}=[0-9]{1,3})*")


def join(shares: Iterable[tuple[str, int]]) -> str | None:
    """The id of a split; the shares of one revision are added up. None where nothing has traffic."""
    sums: dict[str, int] = {}
    for revision, percent in shares:
        if percent:
            sums[revision] = sums.get(revision, 0) + percent
    return "+".join(f"{each}={sums[each]}" for each in sorted(sums)) or None


def parse(what: str, id: str) -> dict[str, int]:
    """Revision -> percent. Raises Lost where an id is no split, or its shares are not 100."""
    parts = [each.partition("=") for each in id.split("+")] if _SPLIT.fullmatch(id) else []
    found = {name: int(percent) for name, _, percent in parts}
    if sum(found.values()) != 100 or len(found) != len(parts):
        raise Lost(f"{what}: {id} is no split of the traffic, REVISION=PERCENT+REVISION=PERCENT")
    return found
