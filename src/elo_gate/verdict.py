"""Turns findings and coverage into a verdict: Passed, Blocked or Broken. Only a Passed can be deployed."""

from __future__ import annotations

from .model import SEVERITIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .engine import Outcome
    from .model import Artifact, Finding
    from .policy import Policy
    from .policy.baseline import Baseline
    from .policy.suppress import Exceptions
    from .project import Project
    from .ruleset.load import Ruleset

# What a comment for elo-gate begins with; without it in any text, nothing that reads comments is imported.
_MARK = "elo-gate:"


class Coverage:
    """What was looked at. `judged`, `aside`, `broken` are lists of artifacts; `rest` is path -> why it has no kind."""

    __slots__ = ("judged", "aside", "broken", "rest", "undecided", "failures", "rules", "partial", "unlisted", "unread")

    def __init__(self, project: Project, outcome: Outcome) -> None:
        everything = project.all()
        self.judged: list[Artifact] = [each for each in everything if each.state == "judged"]
        self.aside: list[Artifact] = [each for each in everything if each.state == "aside"]
        self.broken: list[Artifact] = [each for each in everything if each.state == "broken"]
        self.rest = dict(sorted(project.aside.items()))
        self.undecided = outcome.undecided
        self.failures = outcome.failures
        self.rules = len(outcome.rules)
        self.partial = project.partial
        self.unlisted = dict(sorted(getattr(project.tree, "unlisted", {}).items()))
        named = {each.path for each in self.broken} | {each.path for each in self.aside}
        self.unread = {path: why for path, why in sorted(project.unread.items()) if path not in named}


class Verdict:
    """What the run says: `word`, `exit_code`, findings that count, those let pass, coverage, why it is broken."""

    __slots__ = ("findings", "suppressed", "coverage", "reasons", "as_of", "fail_on")

    word = ""
    exit_code = 2

    def __init__(
        self,
        findings: list[Finding],
        suppressed: list[Finding],
        coverage: Coverage,
        reasons: list[str],
        as_of: str,
        fail_on: str,
    ) -> None:
        self.findings = findings
        self.suppressed = suppressed
        self.coverage = coverage
        self.reasons = reasons
        self.as_of = as_of
        self.fail_on = fail_on

    def count(self, severity: str) -> int:
        """How many findings have a severity."""
        return sum(1 for each in self.findings if each.severity == severity)


class Passed(Verdict):
    """Everything that is production was read and judged, and nothing blocks."""

    __slots__ = ()
    word = "passed"
    exit_code = 0


class Blocked(Verdict):
    """Everything was judged, and something blocks."""

    __slots__ = ()
    word = "blocked"
    exit_code = 1


class Broken(Verdict):
    """Something that had to be looked at was not."""

    __slots__ = ()
    word = "broken"
    exit_code = 2


def weigh(
    project: Project,
    outcome: Outcome,
    policy: Policy,
    ruleset: Ruleset,
    mask: Callable[[str], str],
    baseline: Baseline | None = None,
) -> tuple[list[Finding], Exceptions | None]:
    """(findings let pass, the exceptions), the former taken out of the outcome: by comments, `[[ignore]]`, a baseline.

    What is wrong with exceptions comes in as findings. Raises ConfigError for an `[[ignore]]` that may not be.
    """
    passed: list[Finding] = []
    exceptions = None
    marked = any(_MARK in each.source.text for each in project.judged())
    sources = {each.source.path: each.source for each in outcome.findings}
    if policy.ignores or marked or any(_MARK in each.text for each in sources.values()):
        from .policy import suppress

        outcome.findings, passed, exceptions = suppress.apply(
            outcome.findings, outcome.undecided, project, policy, ruleset
        )
    if baseline is not None:
        from .policy.baseline import match
        from .policy.suppress import locked

        outcome.findings, accepted = match(outcome.findings, baseline, project, locked(policy, ruleset))
        passed = passed + accepted
    if exceptions is not None and any(exceptions.items.values()):
        from . import engine

        more = engine.judge([exceptions.subject(project)], ruleset, policy.settings, mask)
        outcome.findings = sorted(
            outcome.findings + more.findings,
            key=lambda each: (each.source.path, each.start, each.end, each.rule.id, each.message),
        )
        outcome.rules |= more.rules
        outcome.failures += more.failures
    return passed, exceptions


def decide(
    project: Project, outcome: Outcome, policy: Policy, hook: bool = False, suppressed: Sequence[Finding] = ()
) -> Verdict:
    """The verdict of a run. As a hook, a tree with nothing to judge passes. `suppressed` are findings let pass."""
    coverage = Coverage(project, outcome)
    findings = outcome.findings
    reasons = _reasons(coverage, policy, hook)
    blocking = SEVERITIES[: SEVERITIES.index(policy.fail_on) + 1]
    made: type[Verdict] = Passed
    if reasons:
        made = Broken
    elif any(finding.severity in blocking for finding in findings):
        made = Blocked
    return made(findings, list(suppressed), coverage, reasons, project.as_of, policy.fail_on)


def _reasons(coverage: Coverage, policy: Policy, hook: bool) -> list[str]:
    """Why the run cannot say passed or blocked, in words; empty when it can."""
    reasons = [f"{folder or '.'}/: not looked at: {why}" for folder, why in coverage.unlisted.items()]
    reasons += [f"{path}: not looked at: {why}" for path, why in coverage.unread.items()]
    for artifact in coverage.broken:
        problem = next((each for each in artifact.problems if each.fatal), None)
        if problem is not None:
            line, column = artifact.source.position(problem.start)
            place = f"{artifact.path}:{line}:{column}" if artifact.source.text else artifact.path
            reasons.append(f"{place}: not analysed: {problem.message}")
    for rule, path, line, why in coverage.failures:
        reasons.append(f"{path}:{line}: {rule}: {why}")
    if not coverage.judged and not coverage.broken and not hook:
        if not coverage.aside:
            reasons.append(
                "nothing to judge: no file of a kind that elo-gate knows (env, next.config, vercel.json, railway, "
                "Dockerfile, Compose, Kubernetes) lies here; name the folder that holds them"
            )
        elif not policy.allow_empty:
            first = coverage.aside[0]
            reasons.append(
                f"every recognised file was set aside ({first.path}: {first.environment}, {first.why}); say in "
                f'elo-gate.toml which one is production: [[environment]] name = "production" files = ["{first.path}"], '
                "or allow_empty = true"
            )
    return reasons
