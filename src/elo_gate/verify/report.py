"""Turns a look into text for people and into JSON for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..inert import inert, inert_json
from ..model import ERROR, NOTE, SEVERITIES, WARNING
from ..redact import mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .outcome import Check, Look
    from .words import Found

VERSION = 1
_COLOURS = {ERROR: "31", WARNING: "33", NOTE: "36", "bold": "1", "dim": "2", "green": "32", "red": "31", "silent": "35"}
_WORDS = {0: "Green", 1: "Red", 7: "No answer"}
_WIDTH = 160


def as_json(seen: Look, fail_on: str, code: int) -> str:
    """The look as a JSON document; docs/verify.md lists its keys."""
    from .. import __version__

    made = {
        "version": VERSION,
        "tool": {"name": "elo-gate", "version": __version__},
        "url": seen.url,
        "result": seen.result(fail_on),
        "exit_code": code,
        "fail_on": fail_on,
        "counts": {level: sum(each.severity == level for each in seen.findings) for level in SEVERITIES},
        "findings": [_finding(each) for each in seen.findings],
        "checks": [each.told() for each in seen.checks],
        "tls": seen.tls.told() if seen.tls is not None else None,
        "browser": {"version": seen.browser, "pages": [each.told() for each in seen.pages]} if seen.browser else None,
        "not_looked_at": seen.remarks,
    }
    return inert_json(json.dumps(made, indent=2, ensure_ascii=True) + "\n")


def _finding(each: Found) -> dict[str, Any]:
    return {
        "rule": each.rule,
        "severity": each.severity,
        "standard": list(each.standard),
        "message": each.message,
        "rationale": each.why,
        "fix": each.fix,
        "path": each.paths[0],
        "paths": each.paths,
        "line": each.line,
        "evidence": each.evidence,
        "related": [{"place": place, "message": words} for place, words in each.related],
    }


def as_text(seen: Look, code: int, colour: bool = False) -> str:
    """The look for people: findings as `check` words them, then what was asked and what was not."""

    def paint(text: str, style: str) -> str:
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if colour else text

    lines: list[str] = []
    path = None
    for each in sorted(seen.findings, key=lambda one: one.paths[0]):
        if each.paths[0] != path:
            path = each.paths[0]
            lines += ["", paint(inert(path), "bold")]
        lines += _found(each, paint)
    lines += ["", f"Looked at {inert(seen.url)}: {_many(len(seen.checks), 'path')}{_transport(seen)}."]
    width = max((len(each.path) for each in seen.checks), default=0)
    lines += [_check(each, min(width, 60), paint) for each in seen.checks]
    if seen.pages:
        lines.append(f"Opened {_many(len(seen.pages), 'page')} in {inert(seen.browser)}.")
    lines += [f"Not looked at: {inert(each)}." for each in seen.remarks]
    counts = [_many(sum(each.severity == level for each in seen.findings), level) for level in SEVERITIES]
    word = _WORDS.get(code, "Red")
    silent = sum(each.result == "silent" for each in seen.checks)
    tail = f"; {_many(silent, 'path')} without an answer" if silent else ""
    style = {0: "green", 1: "red"}.get(code, "silent")
    lines += ["", f"{paint(word, style)}: {', '.join(counts)}{tail}."]
    return "\n".join(lines).lstrip("\n") + "\n"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _transport(seen: Look) -> str:
    if seen.tls is None:
        return ""
    version = seen.tls.version.replace("TLSv", "TLS ")
    until = f"certificate until {seen.tls.not_after} ({_many(seen.tls.days or 0, 'day')})" if seen.tls.not_after else ""
    return "".join(f", {each}" for each in (version, until) if each)


def _check(each: Check, width: int, paint: Any) -> str:
    status = str(each.status) if each.status is not None else "---"
    steps = "".join(f" -> {inert(mask(where), 200)}" for _, where in each.hops[:3]) + (
        " ..." if len(each.hops) > 3 else ""
    )
    why = f"  {inert(each.why)}" if each.why and each.result != "red" else ""
    return f"  {paint(status, each.result)}  {inert(each.path):{width}}{steps}{why}".rstrip()


def _found(each: Found, paint: Any) -> Iterator[str]:
    yield ""
    yield f"  {paint(each.severity, each.severity)}  {paint(each.rule, 'bold')}"
    yield f"    {each.message}"
    if each.evidence:
        line, first, last = _crop(each.evidence, each.start, each.end)
        yield f"    {paint('|', 'dim')} {line}"
        yield f"    {paint('|', 'dim')} {' ' * first}{paint('^' * max(1, last - first), each.severity)}"
    if len(each.paths) > 1:
        yield f"    also  {', '.join(map(inert, each.paths[1:6]))}" + (" ..." if len(each.paths) > 6 else "")
    for place, words in each.related:
        yield f"    also  {inert(place)}  {words}"
    yield f"    {paint('why', 'dim')}   {each.why}"
    yield f"    {paint('fix', 'dim')}   {each.fix}"


def _crop(line: str, first: int, last: int) -> tuple[str, int, int]:
    from ..report.excerpt import crop

    return crop(line, first, last)
