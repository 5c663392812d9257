"""Turns a run into JUnit's XML: a suite a file, a test case a finding, as Jenkins, GitLab and Azure read it.

What blocks is a failure; what does not is a case that passes and says its words on system-out; an answer that could
not be decided is skipped; what was not analysed is an error; a judged file without findings is one case that passes.
"""

from __future__ import annotations

from . import tally
from .markup import attributes, escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..gate import Run
    from ..model import Finding


class _Suite:
    """The cases of one file and how many of them are what."""

    __slots__ = ("name", "cases", "counts")

    def __init__(self, name: str) -> None:
        self.name = name
        self.cases: list[str] = []
        self.counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}

    def add(self, name: str, line: int, body: str = "", what: str = "") -> None:
        """One case; `what` is the count it belongs to beside the tests."""
        self.counts["tests"] += 1
        if what:
            self.counts[what] += 1
        head = f"    <testcase{attributes(name=name, classname=self.name, file=self.name, line=line, time='0')}"
        self.cases.append(f"{head}>{body}</testcase>" if body else f"{head}/>")

    def text(self) -> str:
        head = f"  <testsuite{attributes(name=self.name, **self.counts, time='0')}>"
        return "\n".join([head, *self.cases, "  </testsuite>"])


def _body(run: Run, finding: Finding, place: str) -> tuple[str, str]:
    words = run.ruleset.words(finding.rule.id)
    text = f"{escape(place)}\n{escape(words['rationale'])}\nFix: {escape(finding.fix)}"
    if tally.blocks(run.verdict, finding):
        head = attributes(message=finding.message, type=finding.severity)
        return f"<failure{head}>{text}</failure>", "failures"
    return f"<system-out>{escape(finding.severity)}: {escape(finding.message)}\n{text}</system-out>", ""


def render(run: Run) -> str:
    """The document as text."""
    verdict = run.verdict
    suites: dict[str, _Suite] = {}

    def suite(path: str) -> _Suite:
        return suites.setdefault(path, _Suite(path))

    for finding in verdict.findings:
        line, column = finding.source.position(finding.start)
        body, what = _body(run, finding, f"{finding.source.path}:{line}:{column}")
        suite(finding.source.path).add(f"{finding.rule.id} ({line}:{column})", line, body, what)
    for rule, path, line, why in verdict.coverage.undecided:
        suite(path or "elo-gate").add(
            f"{rule} ({line}) undecided", line, f"<skipped{attributes(message=why)}/>", "skipped"
        )
    for artifact in verdict.coverage.judged:
        if artifact.path not in suites:
            suite(artifact.path).add("no findings", 1)
    for reason in verdict.reasons:
        suite("elo-gate").add("not analysed", 1, f"<error{attributes(message=reason, type='not-analysed')}/>", "errors")
    total = {
        name: sum(each.counts[name] for each in suites.values()) for name in ("tests", "failures", "errors", "skipped")
    }
    head = f"<testsuites{attributes(name='elo-gate', **total, time='0')}>"
    parts = ['<?xml version="1.0" encoding="UTF-8"?>', head, *(suites[path].text() for path in sorted(suites))]
    return "\n".join([*parts, "</testsuites>"]) + "\n"
