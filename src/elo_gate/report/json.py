"""Turns a run into the JSON document that `schemas/report.schema.json` describes."""

from __future__ import annotations

from .. import __version__
from ..fixes.edit import written
from ..inert import inert_json
from ..model import SEVERITIES
from ..redact import mask
from .edits import change_of
from .excerpt import LONG, Excerpts, crop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..gate import Run
    from ..model import Finding, Source

VERSION = 1


def document(run: Run) -> dict[str, Any]:
    """The report as plain data. Lines and columns are 1-based code points, ends exclusive."""
    verdict = run.verdict
    coverage = verdict.coverage
    excerpts = Excerpts(run.project)
    return {
        "version": VERSION,
        "tool": {"name": "elo-gate", "version": __version__},
        "as_of": verdict.as_of,
        "verdict": verdict.word,
        "exit_code": verdict.exit_code,
        "fail_on": verdict.fail_on,
        "counts": {level: verdict.count(level) for level in SEVERITIES},
        "findings": [_finding(each, excerpts, run) for each in verdict.findings],
        "suppressed": [
            {**_finding(each, excerpts, run), "reason": mask(each.suppressed.reason), "until": each.suppressed.until}
            for each in verdict.suppressed
        ],
        "reasons": list(verdict.reasons),
        "coverage": {
            "rules": coverage.rules,
            "partial": coverage.partial,
            "judged": [
                {
                    "path": each.path,
                    "kind": each.kind,
                    "environment": each.environment,
                    "assumed": each.assumed,
                    "why": each.why,
                }
                for each in coverage.judged
            ],
            "set_aside": [
                {"path": each.path, "kind": each.kind, "environment": each.environment, "why": each.why}
                for each in coverage.aside
            ],
            "not_analysed": [{"path": each.path, "kind": each.kind} for each in coverage.broken],
            "not_judged": [{"path": path, "why": why} for path, why in coverage.rest.items()],
            "undecided": [
                {"rule": rule, "path": path, "line": line, "why": why} for rule, path, line, why in coverage.undecided
            ],
        },
    }


def place(source: Source, start: int, end: int) -> dict[str, Any]:
    """Path, line, column and their ends."""
    line, column = source.position(start)
    end_line, end_column = source.position(end)
    return {"path": source.path, "line": line, "column": column, "end_line": end_line, "end_column": end_column}


def _finding(finding: Finding, excerpts: Excerpts, run: Run) -> dict[str, Any]:
    words = run.ruleset.words(finding.rule.id)
    _, shown, first, last = excerpts.frame(finding.source, finding.start, finding.end)
    made: dict[str, Any] = {
        "rule": finding.rule.id,
        "severity": finding.severity,
        "title": words["title"],
        "message": finding.message,
        "rationale": words["rationale"],
        "fix": finding.fix,
        "standard": list(finding.rule.standard),
        **place(finding.source, finding.start, finding.end),
        "snippet": shown if len(shown) <= LONG else crop(shown, first, last)[0],
        "environment": finding.environment,
        "related": [{**place(source, start, end), "message": words} for source, start, end, words in finding.related],
    }
    change = change_of(run, finding, excerpts)
    if change is not None:
        made["safety"] = change.safety
        made["edits"] = [{**place(each.source, each.start, each.end), "text": written(each)} for each in change.edits]
    return made


def render(run: Run) -> str:
    """The document as text."""
    import json

    return inert_json(json.dumps(document(run), indent=2, ensure_ascii=True) + "\n")
