"""Turns a judged tree into a mended one, in memory: edits are kept only where the next judgement is better for them."""

from __future__ import annotations

from ..inert import inert
from . import propose
from .edit import apart, applied

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .edit import Change

    # Judges the tree with other texts at some paths; gives a gate.Run that has kept its origins.
    Judge = Callable[[dict[str, str]], Any]

ROUNDS = 10


class Mended:
    """What came out: new texts by path, the run over them, the changes kept, and those dropped with the reason."""

    __slots__ = ("dropped", "kept", "run", "texts")

    def __init__(self, run: Any) -> None:
        self.run = run
        self.texts: dict[str, str] = {}
        self.kept: list[Change] = []
        self.dropped: list[tuple[Change, str]] = []


def mend(run: Any, judge: Judge, unsafe: bool, refused: Callable[[str], str]) -> Mended:
    """Applies what the findings of a run ask for, round by round, until nothing more is to be done.

    `refused` says why a path must not be written, "" when it may. Of edits that overlap the first wins; the others
    come in the next round, where they still are asked for.
    """
    done = Mended(run)
    never: set[tuple[str, str, int]] = set()
    for _ in range(ROUNDS):
        wanted = []
        for change in propose.changes(done.run.verdict.findings, done.run.origins, unsafe):
            why = next((why for why in (refused(each.source.path) for each in change.edits) if why), "")
            if why and _identity(change) not in never:
                done.dropped.append((change, why))
                never.add(_identity(change))
            if _identity(change) not in never:
                wanted.append(change)
        batch = apart(wanted)
        if not batch:
            break
        before = len(done.kept)
        _accept(batch, done, judge, never)
        if len(done.kept) == before and len(batch) == len(wanted):
            break
    return done


def _identity(change: Change) -> tuple[str, str, int]:
    """A change that was dropped is not tried again: the same rule, file and line's text."""
    finding = change.finding
    line = finding.source.line(finding.source.position(finding.start)[0])
    return (*change.key, hash(line))


def _accept(batch: list[Change], done: Mended, judge: Judge, never: set[tuple[str, str, int]]) -> None:
    """Keeps those of a batch that make things better: all at once where that works, else by halves."""
    queue = [batch]
    base = done.run
    good: list[Change] = []
    while queue:
        part = queue.pop(0)
        texts = {**done.texts, **applied([*good, *part])}
        after = judge(texts)
        why = worse(base, after, [*good, *part])
        if not why:
            good += part
            done.run = after
        elif len(part) == 1:
            done.dropped.append((part[0], why))
            never.add(_identity(part[0]))
        else:
            middle = len(part) // 2
            queue[:0] = [part[:middle], part[middle:]]
    if good:
        done.texts = {**done.texts, **applied(good)}
        done.kept += good


def worse(before: Any, after: Any, made: list[Change]) -> str:
    """Why a run is not better for some changes, "" when it is: what they mend is gone, and nothing new has come."""
    if after.verdict.exit_code == 2 and before.verdict.exit_code != 2:
        return "a file could not be read after it"
    if len(after.verdict.reasons) > len(before.verdict.reasons):
        return "a file could not be read after it"
    if {each.path for each in before.verdict.coverage.judged} - {each.path for each in after.verdict.coverage.judged}:
        return "a file would not be judged any more"
    was, now = _counts(before), _counts(after)
    for change in made:
        was[change.key] = was.get(change.key, 0) - 1
    for key, count in now.items():
        if count > was.get(key, 0):
            if any(change.key == key for change in made):
                return "the finding would stay"
            return f"it would bring a finding of {key[0]} in {key[1]}"
    doubts, more = _doubts(before), _doubts(after)
    for change in made:
        if more.get(change.key, 0) > doubts.get(change.key, 0):
            return "the rule could not tell any more"
    paths = {each.source.path for change in made for each in change.edits}
    if any(_problems(after, path) > _problems(before, path) for path in paths):
        return "the file would not be well-formed"
    return ""


def _counts(run: Any) -> dict[tuple[str, str], int]:
    """How many findings of each rule in each file, those that are let pass included."""
    counts: dict[tuple[str, str], int] = {}
    for finding in [*run.verdict.findings, *run.verdict.suppressed]:
        key = (finding.rule.id, finding.source.path)
        counts[key] = counts.get(key, 0) + 1
    return counts


def _doubts(run: Any) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for rule, path, _, _ in run.verdict.coverage.undecided:
        counts[rule, path] = counts.get((rule, path), 0) + 1
    return counts


def _problems(run: Any, path: str) -> int:
    artifact = run.project.artifact(path)
    return len(artifact.problems) if artifact is not None else 0


def summary(done: Mended, only_shown: bool) -> list[str]:
    """What happened in words: how many findings are mended, what was not done and why."""
    files = len(done.texts)
    what = f"{len(done.kept)} {'finding' if len(done.kept) == 1 else 'findings'}"
    where = f"{files} {'file' if files == 1 else 'files'}"
    lines = [f"{'would fix' if only_shown else 'fixed'} {what} in {where}" if files else "nothing to fix by itself"]
    for change, why in done.dropped:
        source = change.finding.source
        line = source.position(change.finding.start)[0]
        lines.append(f"not fixed: {change.finding.rule.id} at {inert(source.path)}:{line}: {inert(why)}")
    return lines
