"""Turns a finding into the edits that would mend it, for other programs; none where a touched line holds a secret."""

from __future__ import annotations

from ..inert import inert
from ..redact import mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..fixes.edit import Change, Edit
    from ..gate import Run
    from ..model import Finding
    from .excerpt import Excerpts


def change_of(run: Run, finding: Finding, excerpts: Excerpts) -> Change | None:
    """The change for a finding of a run that has kept its origins, when all of it may be shown."""
    if finding.rule.edit is None or finding not in run.origins:
        return None
    from ..fixes.propose import change_of as propose

    change = propose(finding, run.origins[finding])
    if change is None or not all(_may_be_shown(edit, excerpts) for edit in change.edits):
        return None
    return change


def _may_be_shown(edit: Edit, excerpts: Excerpts) -> bool:
    """Neither the lines that an edit touches nor what they become hold anything to hide."""
    source = edit.source
    first, last = source.position(edit.start)[0], source.position(edit.end)[0]
    lines = [source.line(number) for number in range(first, last + 1)]
    if [inert(line) for line in lines] != [excerpts.line(source, number) for number in range(first, last + 1)]:
        return False
    begin = source.starts[first - 1]
    tail = source.text[edit.end : source.starts[last - 1] + len(lines[-1])] if lines else ""
    after = source.text[begin : edit.start] + edit.text + tail
    return mask(after) == after
