"""Judges the lines of crontabs: whether cron takes them."""

from __future__ import annotations

import re

from ..model import SCALAR, Fault, Item, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

# crontab(5): what each field takes.
_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 7),
)


def refused(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a line that is no job, or for the first field of it whose value does not exist."""
    if it.facts["code"] == "line":
        yield Fault(it, line=it.node.source.position(it.node.start)[0])
        return
    when = it.node
    for found, (field, least, most) in zip(re.finditer(r"\S+", when.value), _FIELDS, strict=False):
        for number in re.findall(r"(?<![/\d])\d+", found[0]):
            if not least <= int(number[:9]) <= most:
                start = when.start + found.start()
                at = Node(SCALAR, found[0], when.source, start, when.start + found.end(), "'")
                yield Fault(at, message="range", value=found[0], field=field, least=least, most=most)
                return
