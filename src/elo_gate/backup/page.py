"""Turns reports into text for people and JSON for programs."""

from __future__ import annotations

import json

from ..inert import inert, inert_json
from .answer import GOOD, RED, SKIPPED, UNKNOWN, bytes_of, moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .source import Copy
    from .verify import Report

_SIGNS = {GOOD: "good", RED: "RED", UNKNOWN: "unknown", SKIPPED: "-"}
CODES = {GOOD: 0, RED: 1, UNKNOWN: 7}


def code(reports: list[Report]) -> int:
    """0 good, 1 a check is red, 7 something that was to be looked at could not be."""
    states = {each.state for each in reports}
    return CODES[RED if RED in states else UNKNOWN if UNKNOWN in states else GOOD]


def text(reports: list[Report]) -> str:
    """The reports for people: each check with what it saw, why that matters and what to do."""
    lines = []
    for report in reports:
        newest = f", the newest {report.newest.name}" if report.newest is not None else ""
        lines.append(f"{report.name}: {report.source}: {report.count} backups{newest}")
        for each in report.answers:
            lines.append(f"  {_SIGNS[each.state]:<8}{each.id:<10} {each.what}")
            if each.state in (RED, UNKNOWN) or each.do:
                lines += [f"{'':<21}{words}" for words in (each.why, each.do and f"do: {each.do}") if words]
        if report.good is not None and report.good is not report.newest:
            lines.append(f"  the newest that can be read is {report.good.name}, {moment(report.good.when.at)}")
        if report.restore_seconds is not None:
            lines.append(f"  measured: {report.restore_seconds:.1f}s from the file to rows that answer")
        lines.append(f"{report.name}: {_SIGNS[report.state]}")
    return "".join(inert(line) + "\n" for line in lines)


def as_json(reports: list[Report], now: float, code: int) -> str:
    """The reports for programs. `restore_seconds` is the measured time of a restore, null without one."""
    made: dict[str, Any] = {
        "schema": 1,
        "at": moment(now),
        "exit_code": code,
        "backups": [
            {
                "name": report.name,
                "source": report.source,
                "state": report.state,
                "count": report.count,
                "newest": _copy(report.newest),
                "newest_good": _copy(report.good),
                "restore_seconds": report.restore_seconds,
                "checks": [
                    {"id": each.id, "state": each.state, "what": each.what, "why": each.why, "do": each.do,
                     "facts": each.facts}
                    for each in report.answers
                ],
            }
            for report in reports
        ],
    }  # fmt: skip
    return inert_json(json.dumps(made, indent=2)) + "\n"


def _copy(copy: Copy | None) -> dict[str, Any] | None:
    if copy is None:
        return None
    return {"name": copy.name, "at": moment(copy.when.at), "size": copy.size, "words": bytes_of(copy.size)}
