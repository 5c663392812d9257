"""Turns a run into what formats count alike: findings by severity, which of them block, the summary in words."""

from __future__ import annotations

from ..model import SEVERITIES

TYPE_CHECKING = False
if TYPE_CHECKING:
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


def summary(tongue: Language, verdict: Verdict) -> str:
    """`Blocked: 2 errors, 1 warning, 0 notes in 2 files.`"""
    return f"{tongue.say(verdict.word.capitalize())}: {tongue.found(verdict)}."
