"""Turns findings into what an editor offers to do about them: the edits of their rules, in the file as it is now."""

from __future__ import annotations

from ..fixes import propose
from ..fixes.edit import SAFE, line_end, written
from ..kinds import kind_of
from ..model import Source
from ..policy.comments import MARK, comments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..model import Finding
    from .workspace import Seen

# How a comment begins and ends; which of them a file knows is for its reader to say.
_MARKS = (("#", ""), ("//", ""), ("--", ""), ("<!--", "-->"))


class Action:
    """One offer: its title, whether it keeps what the deployment does, and (source, start, end, text) of each edit."""

    __slots__ = ("edits", "finding", "safe", "title")

    def __init__(self, title: str, safe: bool, finding: Finding, edits: list[tuple[Source, int, int, str]]) -> None:
        self.title = title
        self.safe = safe
        self.finding = finding
        self.edits = edits


def actions(
    seen: Seen, start: int, end: int, texts: Mapping[str, str], locked: Callable[[str], bool] = lambda _: False
) -> list[Action]:
    """The offers for the findings that touch a span: edits first, then an exception that still wants its reason.

    What was judged with another text than the editor's has none. `locked` tells the rules that nothing lets pass.
    """
    found, exceptions = [], []
    for finding in seen.findings:
        if finding.start > end or finding.end < start or not _current(finding.source, texts):
            continue
        identifier = finding.rule.id
        change = propose.change_of(finding, seen.origins.get(finding))
        if change is not None and all(_current(each.source, texts) for each in change.edits):
            safe = change.safety == SAFE
            title = f"{identifier}: mend" + ("" if safe else " (changes what the deployment does)")
            edits = [(each.source, each.start, each.end, written(each)) for each in change.edits]
            found.append(Action(title, safe, finding, edits))
        place = None if locked(identifier) else exception(finding)
        if place is not None:
            title = f"{identifier}: let pass here, with a reason that you write"
            exceptions.append(Action(title, False, finding, [(finding.source, place[0], place[0], place[1])]))
    return found + exceptions


def _current(source: Source, texts: Mapping[str, str]) -> bool:
    return texts.get(source.path, source.text) == source.text


def exception(finding: Finding) -> tuple[int, str] | None:
    """Where a comment alone on a line would cover a finding, and that line; None where the format has none there.

    The reason is left to people: without one the comment is a finding of its own.
    """
    source = finding.source
    number, _ = source.position(finding.start)
    at = source.offset(number)
    line = source.line(number)
    indent = line[: len(line) - len(line.lstrip())]
    for head, tail in _MARKS:
        new = f"{indent}{head} {MARK} ignore[{finding.rule.id}] {tail}{line_end(source.text)}"
        made = Source(source.path, source.text[:at] + new + source.text[at:])
        place = finding.start + len(new)
        for comment in comments(made, kind_of(source.path) or ""):
            if at <= comment.start < at + len(new) and comment.covers is not None:
                if comment.covers[0] <= place < max(comment.covers[1], 1):
                    return at, new
    return None
