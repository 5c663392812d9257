"""Says what is wrong with exceptions: the policy has read them, the rules only give the words."""

from __future__ import annotations

from ..model import Artifact, Fault, Item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def told(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """The one fault of an exception: every item of these views is one."""
    yield Fault(it, message=it.facts["fault"], **it.facts["values"])
