"""Turns an address into green, red or no answer: looks at the site (verify.look) until one of them is sure.

No answer is not a wrong answer: a closed port, a time-out, an answer that cannot be read, a certificate that is not
accepted, or a login page (401, 403) say nothing about the release.
"""

from __future__ import annotations

import time
from dataclasses import replace

from ..model import SEVERITIES
from ..verify.look import CannotLook, look
from ..verify.outcome import GREEN, RED, SILENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..verify.options import Options
    from ..verify.outcome import Look
    from .config import Verify
    from .veil import Veil

__all__ = ["GREEN", "RED", "SILENT", "verify"]


def verify(
    url: str, wanted: Verify, digest: str, limit: float, veil: Veil, stop: Callable[[], bool] | None = None,
    tell: Callable[[dict[str, Any]], None] | None = None,
) -> tuple[str, list[dict[str, Any]]]:  # fmt: skip
    """(green, red or silent; what the last round saw). `digest` empty: which release answers is not asked.

    Green after `passes` rounds in a row, red after `failures`, silent after `no_answer_limit` or at the time limit.
    """
    until = time.monotonic() + limit
    run = {GREEN: 0, RED: 0, SILENT: 0}
    needed = {GREEN: wanted.passes, RED: wanted.failures, SILENT: wanted.no_answer_limit}
    # The way there is not the release's: what is wrong with a certificate is no answer here.
    options = replace(wanted.look(), transport=False, whole=limit)
    level = "error" if wanted.headers == "off" else wanted.headers
    while True:
        seen = _round(url, options, digest, until, level, veil)
        words = [each["result"] for each in seen]
        word = RED if RED in words else SILENT if SILENT in words else GREEN
        run = {each: run[each] + 1 if each == word else 0 for each in run}
        if tell is not None:
            tell({"result": word, "url": url, "checks": seen})
        if run[word] >= needed[word]:
            return word, seen
        if time.monotonic() + wanted.interval >= until or (stop is not None and stop()):
            return SILENT, seen
        time.sleep(wanted.interval)


def _round(url: str, options: Options, digest: str, until: float, level: str, veil: Veil) -> list[dict[str, Any]]:
    """What one look says of each path; a finding of the level or a graver one makes its paths red. Where headers are
    judged they are told too, for the evidence.
    """
    try:
        seen = look(url, options, digest, until)
    except CannotLook as error:
        return [{"path": "/", "status": None, "result": SILENT, "why": veil.hide(str(error))}]
    wrong = _wrong(seen, level)
    told = []
    for each in seen.checks:
        result, why = each.result, each.why
        if result == GREEN and each.path in wrong:
            result, why = RED, wrong[each.path]
        one: dict[str, Any] = {"path": each.path, "status": each.status, "result": result, "why": veil.hide(why)}
        if options.headers:
            one["headers"] = [[name, veil.hide(value, 1_000)] for name, value in each.headers]
        told.append(one)
    return told


def _wrong(seen: Look, level: str) -> dict[str, str]:
    """Path to the first finding that counts."""
    grave = SEVERITIES[: SEVERITIES.index(level) + 1]
    found: dict[str, str] = {}
    for each in seen.findings:
        for path in each.paths if each.severity in grave else ():
            found.setdefault(path, f"{each.rule}: {each.message}")
    return found
