"""Turns windows and freezes of a configuration into whether a moment lies in them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def window(text: str) -> tuple[frozenset[int], int, int, ZoneInfo]:
    """(days, first minute, minute after the last, zone) of `Mon-Thu 08:00-17:00 America/Sao_Paulo`. ValueError."""
    words = text.split()
    hours = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)", words[1]) if len(words) == 3 else None
    if hours is None:
        raise ValueError('a window is written "Mon-Thu 08:00-17:00 America/Sao_Paulo"')
    first, _, last = words[0].partition("-")
    if first not in _DAYS or (last or first) not in _DAYS:
        raise ValueError(f"the days of a window are {', '.join(_DAYS)}, or two of them: Mon-Thu")
    begin, length = _DAYS.index(first), (_DAYS.index(last or first) - _DAYS.index(first)) % 7
    start, end = int(hours[1]) * 60 + int(hours[2]), int(hours[3]) * 60 + int(hours[4])
    if not start < end <= 24 * 60:
        raise ValueError("a window ends after it begins, on the same day")
    try:
        zone = ZoneInfo(words[2])
    except (OSError, ValueError, KeyError):
        raise ValueError("the zone of a window is unknown here; it is written America/Sao_Paulo or UTC") from None
    return frozenset((begin + step) % 7 for step in range(length + 1)), start, end, zone


def freeze(text: str) -> tuple[date, date]:
    """(first day, last day) of `2026-12-20/2027-01-05`. Raises ValueError."""
    first, _, last = text.partition("/")
    try:
        if len(first) != 10 or len(last) != 10:
            raise ValueError
        days = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        raise ValueError('a freeze is written "2026-12-20/2027-01-05", both days in it') from None
    if days[1] < days[0]:
        raise ValueError("a freeze ends on or after the day it begins")
    return days


def closed(now: float, windows: Sequence[str], freezes: Sequence[str]) -> list[str]:
    """Why nothing may be deployed at a moment; empty when it may. A freeze counts its days where any window's zone,
    or UTC without a window, has them."""
    moment = datetime.fromtimestamp(now, UTC)
    read = [window(each) for each in windows]
    reasons = []
    if read and not any(
        at.weekday() in days and start <= at.hour * 60 + at.minute < end
        for days, start, end, zone in read
        for at in (moment.astimezone(zone),)
    ):
        reasons.append(f"outside of the windows: {', '.join(windows)}")
    zones: list[tzinfo] = [zone for _, _, _, zone in read] or [UTC]
    for text in freezes:
        first, last = freeze(text)
        if any(first <= moment.astimezone(zone).date() <= last for zone in zones):
            reasons.append(f"frozen from {first} to {last}; open again on {last + timedelta(days=1)}")
    return reasons
