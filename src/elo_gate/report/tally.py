"""Turns a run into what formats count alike: findings by severity, which of them block, the summary in words."""

from __future__ import annotations

from ..model import SEVERITIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..gate import Run
    from ..model import Finding
    from ..verdict import Verdict
    from .language import Language


def by_severity(findings: list[Finding]) -> list[Finding]:
    """The findings, the most severe first; within a severity in their order."""
    return sorted(findings, key=lambda each: SEVERITIES.index(each.severity))


def blocks(verdict: Verdict, finding: Finding) -> bool:
    """Whether a finding is at or above the threshold of its run."""
    return SEVERITIES.index(finding.severity) <= SEVERITIES.index(verdict.fail_on)


def place_of(verdict: Verdict, reason: str) -> tuple[str, int] | None:
    """The path and line that a reason for a broken run begins with; None when it is about no one file."""
    coverage = verdict.coverage
    for path in [*(each.path for each in coverage.broken), *(path for _, path, _, _ in coverage.failures)]:
        if path and reason.startswith(f"{path}:"):
            line = reason[len(path) + 1 :].partition(":")[0]
            return path, int(line) if line.isdecimal() else 1
    return None


def summary(tongue: Language, run: Run) -> str:
    """`Blocked: 2 errors, 1 warning, 0 notes in 2 files.`"""
    verdict = run.verdict
    return f"{tongue.say(verdict.word.capitalize())}: {counted(tongue, run)}."


def counted(tongue: Language, run: Run) -> str:
    """`2 errors, 1 warning, 0 notes in 2 files, 1 let pass`."""
    verdict = run.verdict
    counts = ", ".join(tongue.count(verdict.count(level), level) for level in SEVERITIES)
    files = tongue.count(len({finding.source.path for finding in verdict.findings}), "file")
    found = f"{counts} {tongue.say('in')} {files}" if verdict.findings else tongue.say("no findings")
    return found + (", " + tongue.say("{} let pass", len(verdict.suppressed)) if verdict.suppressed else "")
