"""Turns the list of backups into answers: is the newest young, is one missing, are there enough, is one too small."""

from __future__ import annotations

import time
from calendar import timegm
from itertools import pairwise
from statistics import median

from .answer import GOOD, RED, SKIPPED, UNKNOWN, Answer, bytes_of, moment, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .config import Backup
    from .source import Copy

SKEW = 600.0  # clocks of two machines
_LAST = 7
_ENOUGH = 3


def age(series: list[Copy], promise: Backup, now: float) -> Answer:
    """Whether the newest backup is younger than `max_age`. A moment that lies ahead is no backup of today."""
    if not series:
        return Answer(
            "age", RED, "there is no backup", "nothing matches `pattern` in the source: there is nothing to restore",
            "let the job that makes backups run, or correct `source` and `pattern`",
        )  # fmt: skip
    ahead = [each for each in series if each.when.at - each.when.doubt > now + SKEW]
    past = [each for each in series if each not in ahead]
    if ahead:
        return Answer(
            "age", RED, f"{ahead[-1].name} is from {moment(ahead[-1].when.at)}, which has not come yet",
            "a wrong clock or a wrong name: which backup is the newest cannot be told from it",
            "set the clock of the machine that makes backups; `timezone` says which zone names are written in",
            ahead=[each.name for each in ahead[-10:]], newest=past[-1].name if past else None,
        )  # fmt: skip
    newest = series[-1]
    old = max(0.0, now - newest.when.at)
    facts: dict[str, Any] = {"newest": newest.name, "seconds": round(old), "most": round(promise.max_age)}
    if old - newest.when.doubt > promise.max_age:
        return Answer(
            "age", RED, f"the newest backup is {words(old)} old, and at most {words(promise.max_age)} are allowed",
            f"everything since {moment(newest.when.at)} would be lost", "see why the job did not run, and run it now",
            **facts,
        )  # fmt: skip
    if old + newest.when.doubt > promise.max_age and newest.when.doubt:
        return Answer(
            "age", UNKNOWN, f"{newest.name}: the hour it was made cannot be told, and it may be too old",
            "its name holds a day or a time without a zone, and the file's own time is another",
            "write names as 20261125T030000Z, or name their zone in `timezone`", **facts,
        )  # fmt: skip
    return Answer("age", GOOD, f"the newest backup is {words(old)} old, at most {words(promise.max_age)}", **facts)


def gaps(series: list[Copy], promise: Backup, now: float) -> Answer:
    """Whether two neighbours within the retention are further apart than `gap`, which is `max_age` where not given."""
    most = promise.gap or promise.max_age
    inside = [each for each in series if each.when.at >= now - promise.retention]
    if len(inside) < 2:
        return Answer("gaps", SKIPPED, "fewer than two backups: there is no series to look at")
    found: list[tuple[float, float, str]] = []
    known: list[tuple[float, float, str]] = []
    for before, after in pairwise(inside):
        apart = after.when.at - before.when.at
        if apart - before.when.doubt - after.when.doubt > most:
            days = {_day(before.when.at + step) for step in range(0, int(apart) + 1, 3600)}
            reason = next((why for day, why in promise.known_gaps.items() if day in days), "")
            (known if reason else found).append((before.when.at, after.when.at, reason))
    spans = [{"from": moment(start), "to": moment(end)} for start, end, _ in found]
    accepted = [{"from": moment(start), "to": moment(end), "reason": why} for start, end, why in known]
    if not found:
        rest = f"; {len(known)} known: {known[-1][2]}" if known else ""
        return Answer("gaps", GOOD, f"{len(inside)} backups, none missing between them{rest}", known=accepted)
    start, end, _ = found[-1]
    more = f" ({len(found)} gaps in all)" if len(found) > 1 else ""
    return Answer(
        "gaps", RED, f"no backup for {words(end - start)} after {moment(start)}, at most {words(most)} allowed{more}",
        "a run that failed and told nobody: the next one may be the one you need",
        f'see why it did not run; once that is known: known_gaps = {{ "{_day(start)}" = "why" }}',
        gaps=spans, known=accepted,
    )  # fmt: skip


def history(series: list[Copy], promise: Backup, now: float) -> Answer:
    """Whether backups reach back as far as `retention`, or to `since`, the day on which they began."""
    if not series:
        return Answer("history", SKIPPED, "there is no backup")
    begin = now - promise.retention
    if promise.since:
        began = timegm(time.strptime(promise.since, "%Y-%m-%d"))
        begin = max(begin, min(began + 86_400.0, now))
    oldest = series[0]
    slack = (promise.gap or promise.max_age) + oldest.when.doubt
    old = now - oldest.when.at
    facts: dict[str, Any] = {"oldest": oldest.name, "seconds": round(old), "retention": round(promise.retention)}
    if oldest.when.at > begin + slack:
        return Answer(
            "history", RED,
            f"the oldest backup is {words(now - oldest.when.at)} old, and {words(promise.retention)} are promised",
            "a mistake that is noticed later than that cannot be undone any more",
            'let the job keep them as long as `retention` says; where backups began later: since = "the day"', **facts,
        )  # fmt: skip
    return Answer("history", GOOD, f"backups reach back {words(now - oldest.when.at)}", **facts)


def longer(series: list[Copy], good: Copy | None, promise: Backup, now: float) -> Answer:
    """Whether anything is kept longer than `retention`; the newest good backup is, whatever its age."""
    if promise.keeps_longer:
        return Answer("prune", SKIPPED, "keeps_longer: older backups may stay")
    slack = promise.gap or promise.max_age
    old = [each for each in series if now - each.when.at - each.when.doubt > promise.retention + slack]
    kept = [each for each in old if each is not good]
    if kept:
        return Answer(
            "prune", RED, f"{len(kept)} backups are older than {words(promise.retention)}, the oldest {kept[0].name}",
            "what was deleted on request is still in them, and the disk fills up until a backup fails",
            "let the job remove what is older than `retention`; where they are kept on purpose: keeps_longer = true",
            count=len(kept), oldest=kept[0].name,
        )  # fmt: skip
    if old:
        return Answer(
            "prune",
            GOOD,
            f"{old[0].name} is older than {words(promise.retention)}, and stays: it is the newest good one",
        )
    return Answer("prune", GOOD, f"nothing is older than {words(promise.retention)} and one run")


def size(copy: Copy, series: list[Copy], promise: Backup) -> Answer:
    """Whether a backup is smaller than `min_size_ratio` times the median of the seven before it."""
    before = [each.size for each in series[: series.index(copy)]][-_LAST:]
    if not copy.size:
        return Answer(
            "size", RED, f"{copy.name} is empty", "nothing can be restored from it", "see why the dump failed", bytes=0
        )
    if len(before) < _ENOUGH or not promise.min_size_ratio:
        return Answer(
            "size", SKIPPED, f"{bytes_of(copy.size)}; fewer than {_ENOUGH} before it to compare with", bytes=copy.size
        )
    usual = median(before)
    ratio = copy.size / usual if usual else 1.0
    facts: dict[str, Any] = {"bytes": copy.size, "median": round(usual), "ratio": round(ratio, 3)}
    if ratio < promise.min_size_ratio:
        return Answer(
            "size", RED, f"{copy.name} has {bytes_of(copy.size)}, {ratio:.1%} of the usual {bytes_of(usual)}",
            "a dump that failed halfway, of another database, or a table that lost its rows",
            "compare it with the one before; where the data did shrink, a lower `min_size_ratio` lets it pass", **facts,
        )  # fmt: skip
    return Answer(
        "size", GOOD, f"{bytes_of(copy.size)}, {ratio:.0%} of the median of the {len(before)} before", **facts
    )


def _day(at: float) -> str:
    return moment(at)[:10]
