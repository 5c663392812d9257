"""Turns a run into Checkstyle's XML, which most review tools and CI servers read: a `file` element, its `error`s."""

from __future__ import annotations

from . import tally
from .markup import attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..gate import Run

# Checkstyle's SeverityLevel: ignore, info, warning, error.
_SEVERITIES = {"error": "error", "warning": "warning", "note": "info"}


def render(run: Run) -> str:
    """The document as text; what is about no one file stands under `elo-gate`."""
    files: dict[str, list[str]] = {artifact.path: [] for artifact in run.verdict.coverage.judged}

    def add(path: str, line: int, column: int, severity: str, message: str, source: str) -> None:
        made = attributes(line=line, column=column, severity=severity, message=message, source=source)
        files.setdefault(path, []).append(f"    <error{made}/>")

    for finding in run.verdict.findings:
        line, column = finding.source.position(finding.start)
        source = "elo-gate." + finding.rule.id.replace("/", ".")
        words = f"{finding.message} Fix: {finding.fix}"
        add(finding.source.path, line, column, _SEVERITIES[finding.severity], words, source)
    for reason in run.verdict.reasons:
        path, line = tally.place_of(run.verdict, reason) or ("elo-gate", 1)
        add(path, line, 1, "error", reason, "elo-gate.not-analysed")
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<checkstyle version="10.0">']
    for path in sorted(files):
        head = f"  <file{attributes(name=path)}"
        lines += [f"{head}>", *files[path], "  </file>"] if files[path] else [f"{head}/>"]
    return "\n".join([*lines, "</checkstyle>"]) + "\n"
