"""Turns a series of backups and what it promises into a report: every check's answer, and how long a restore takes."""

from __future__ import annotations

import os
import tempfile
import time

from . import drill, elsewhere, series, source
from .answer import GOOD, RED, SKIPPED, UNKNOWN, Answer
from .archive import Archive, Torn, Unread, integrity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .config import Backup
    from .source import Copy, Source

# How far back a good one is looked for when the newest is not.
_BACK = 3


class Report:
    """What was seen of one series. `good` is the newest of the usual size that can be read, or was restored.

    `restore_seconds` is measured, from the fetch to the last row; None without a drill.
    """

    __slots__ = ("name", "source", "count", "newest", "good", "answers", "restore_seconds")

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.source = source
        self.count = 0
        self.newest: Copy | None = None
        self.good: Copy | None = None
        self.answers: list[Answer] = []
        self.restore_seconds: float | None = None

    @property
    def state(self) -> str:
        """Red where one check is, unknown where one could not be looked at, else good."""
        states = {each.state for each in self.answers}
        return RED if RED in states else UNKNOWN if UNKNOWN in states else GOOD


def verify(
    name: str, promise: Backup, folder: str, now: float, ground: drill.Ground | None, fresh: bool = False
) -> Report:
    """Looks at one series. `ground` is where to drill, None for not at all; `fresh` asks only for a good one now.

    Raises Unseen when the source cannot be looked at.
    """
    patterns = promise.patterns()
    place = source.of(promise.source, folder, patterns, promise.timezone)
    report = Report(name, place.words)
    seen = place.series()
    report.count = len(seen)
    report.answers.append(series.age(seen, promise, now))
    past = [each for each in seen if each.when.at - each.when.doubt <= now + series.SKEW]
    with tempfile.TemporaryDirectory(prefix="elo-gate-") as scratch:
        if past:
            report.newest = past[-1]
            _look(report, past, promise, place, scratch, folder, ground, fresh, patterns)
    if not fresh:
        report.answers += [
            series.gaps(past, promise, now),
            series.history(past, promise, now),
            series.longer(past, report.good, promise, now),
        ]
    return report


def _look(
    report: Report, past: list[Copy], promise: Backup, place: Source, scratch: str, folder: str,
    ground: drill.Ground | None, fresh: bool, patterns: list[str],
) -> None:  # fmt: skip
    """The answers about the newest backup itself; where it is bad, which one is good."""
    newest = past[-1]
    weight = series.size(newest, past, promise)
    report.answers.append(weight)
    start = time.monotonic()
    # A bucket's objects are large and far away: a question before a deploy does not fetch one.
    reads = ground is not None or not fresh or isinstance(place, source.Folder)
    path, whole, archive = (
        "",
        Answer("integrity", SKIPPED, "not read: it lies in a bucket, and --fresh fetches nothing"),
        None,
    )
    if reads:
        path, whole, archive = _whole(newest, place, scratch, ground is not None and promise.drill is not None)
    report.answers.append(whole)
    good = newest if RED not in (weight.state, whole.state) else None
    if ground is not None and promise.drill is not None:
        if archive is None or not archive.kind:
            report.answers.append(Answer("restore", SKIPPED, "there is nothing that could be restored"))
        else:
            done = drill.hold(newest.name, archive, promise.drill, ground, scratch, folder)
            if done[0].state == UNKNOWN and whole.state == SKIPPED:
                whole = _whole(newest, place, scratch, False)[1]  # what no server has read is read here
                report.answers[-1] = whole
                good = None if whole.state == RED else good
            report.answers += done
            if "error" in done[0].facts:
                good = None
            if done[0].state == GOOD:
                report.restore_seconds = round(time.monotonic() - start, 3)
    elif promise.drill is None:
        report.answers.append(Answer("restore", SKIPPED, "no `drill`: only a restore proves that it can be restored"))
    else:
        report.answers.append(Answer("restore", SKIPPED, "not tried: no drill was asked for"))
    if good is None and not fresh:
        good = _older(past, promise, place, scratch)
    report.good = good
    if promise.off_site:
        there = source.of(promise.off_site, folder, patterns, promise.timezone)
        best = good or newest
        if best is not newest:
            path = place.open(best, scratch) if isinstance(place, source.Folder) else ""
        report.answers.append(elsewhere.answer(best, place, path, there))
    else:
        report.answers.append(Answer("off-site", SKIPPED, "no `off_site`: that there is a second place was not asked"))


def _whole(copy: Copy, place: Source, scratch: str, restored: bool) -> tuple[str, Answer, Archive | None]:
    """(its content on this machine, whether all of it can be read, what it is)."""
    try:
        path = place.open(copy, scratch)
        before = os.stat(path)
        archive = Archive(path)
        answer = integrity(copy.name, archive, restored)
        after = os.stat(path)
    except source.Unseen as error:
        return "", Answer("integrity", UNKNOWN, str(error)), None
    except Unread as error:
        return "", Answer("integrity", UNKNOWN, f"{copy.name}: {error}", "it was not looked at", error.do), None
    except OSError as error:
        return "", Answer("integrity", UNKNOWN, f"{copy.name}: cannot be read ({error.strerror})"), None
    except Torn as error:
        return path, Answer(
            "integrity", RED, f"{copy.name} cannot be read to its end: {error}", "its rows cannot be restored",
            "see why it was cut off or damaged (disk full, transfer, a killed job), and make a new one",
        ), None  # fmt: skip
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        return path, Answer("integrity", UNKNOWN, f"{copy.name}: is still being written", "", "ask again later"), None
    return path, answer, archive


def _older(past: list[Copy], promise: Backup, place: Source, scratch: str) -> Copy | None:
    """The newest of the few before that has its size and can be read."""
    for copy in reversed(past[-1 - _BACK : -1]):
        if series.size(copy, past, promise).state == RED:
            continue
        if _whole(copy, place, scratch, False)[1].state == GOOD:
            return copy
    return None
