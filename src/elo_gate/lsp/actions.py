"""Turns findings into what an editor offers to do about them: the edits of their rules, in the file as it is now."""

from __future__ import annotations

from ..fixes import propose
from ..fixes.edit import SAFE, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..model import Finding, Source
    from .workspace import Seen


class Action:
    """One offer: its title, whether it keeps what the deployment does, and (source, start, end, text) of each edit."""

    __slots__ = ("edits", "finding", "safe", "title")

    def __init__(self, title: str, safe: bool, finding: Finding, edits: list[tuple[Source, int, int, str]]) -> None:
        self.title = title
        self.safe = safe
        self.finding = finding
        self.edits = edits


def actions(seen: Seen, start: int, end: int, texts: Mapping[str, str]) -> list[Action]:
    """The offers for the findings that touch a span. What was judged with another text than the editor's has none."""
    found = []
    for finding in seen.findings:
        if finding.start > end or finding.end < start:
            continue
        change = propose.change_of(finding, seen.origins.get(finding))
        if change is None:
            continue
        if any(texts.get(each.source.path, each.source.text) != each.source.text for each in change.edits):
            continue
        safe = change.safety == SAFE
        title = f"{finding.rule.id}: mend" + ("" if safe else " (changes what the deployment does)")
        found.append(Action(title, safe, finding, [(e.source, e.start, e.end, written(e)) for e in change.edits]))
    return found
