"""Turns a backup's name and its file's time into the moment it was made.

The name counts: a copied or touched file is not a new backup. What a name leaves open, the hour of a day or the time
zone, is read from the file's time where the two agree.
"""

from __future__ import annotations

import re
from calendar import timegm
from datetime import datetime, timedelta

# 20261125, 2026-11-25, 2026/11/25, each with or without a time of day: 030000, 03-00-00, T03:00:00Z, +00:00.
_STAMP = re.compile(
    r"(?<!\d)(20\d\d)([-_./]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])"
    r"(?:[-_.T ]?([01]\d|2[0-3])[-_.:h]?([0-5]\d)(?:[-_.:m]?([0-5]\d))?(?:[.,]\d{1,9})?s?(Z|[+-]\d\d:?\d\d)?)?(?!\d)"
)
_EPOCH = re.compile(r"(?<!\d)(1[6-9]\d{8})(?!\d)")
# The widest offset of a zone is 14 hours; a dump takes its time, and the stamp is often that of its start.
_ZONES = 15 * 3600.0
_DAY = 86_400.0


class Moment:
    """When a backup was made: seconds since 1970, and how much later or earlier it may have been."""

    __slots__ = ("at", "doubt", "named")

    def __init__(self, at: float, doubt: float, named: bool) -> None:
        self.at = at
        self.doubt = doubt
        self.named = named


def read(name: str, changed: float, zone: str) -> Moment:
    """The moment of a backup. `changed` is its file's time, `zone` the one that names are written in, or empty."""
    found = list(_STAMP.finditer(name))
    for match in reversed(found):
        made = _of(match, changed, zone)
        if made is not None:
            return made
    epochs = _EPOCH.findall(name)
    if epochs:
        return Moment(float(epochs[-1]), 0.0, True)
    return Moment(changed, 0.0, False)


def _of(match: re.Match[str], changed: float, zone: str) -> Moment | None:
    year, _, month, day, hour, minute, second, offset = match.groups()
    try:
        at = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
    except ValueError:
        return None
    if hour is None:
        # Only a day: the hour is that of the file where it was written on that day or in the night after.
        begin = _seconds(at, zone)
        if begin - _ZONES <= changed <= begin + _DAY + _ZONES:
            return Moment(changed, 0.0, True)
        return Moment(begin + _DAY / 2, _DAY / 2 + (0.0 if zone else 14 * 3600.0), True)
    if offset:
        return Moment(timegm((at - _offset(offset)).timetuple()), 0.0, True)
    if zone:
        return Moment(_seconds(at, zone), 0.0, True)
    read = float(timegm(at.timetuple()))
    if abs(changed - read) <= _ZONES:
        return Moment(changed, 0.0, True)
    return Moment(read, 14 * 3600.0, True)


def _seconds(at: datetime, zone: str) -> float:
    if not zone:
        return float(timegm(at.timetuple()))
    from zoneinfo import ZoneInfo

    return at.replace(tzinfo=ZoneInfo(zone)).timestamp()


def _offset(text: str) -> timedelta:
    if text == "Z":
        return timedelta()
    sign = -1 if text[0] == "-" else 1
    return sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
