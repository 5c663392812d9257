"""Turns a run into one line a finding, `path:line:column: severity rule: message`, as editors and grep read it."""

from __future__ import annotations

from ..inert import inert
from . import tally
from .language import ENGLISH, Language

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..gate import Run
    from ..model import Finding


def line(tongue: Language, finding: Finding) -> str:
    """One finding."""
    number, column = finding.source.position(finding.start)
    place = f"{inert(finding.source.path)}:{number}:{column}"
    return f"{place}: {tongue.say(finding.severity)} {finding.rule.id}: {tongue.message(finding)}"


def render(run: Run, language: str = ENGLISH) -> str:
    """The lines, then why the run is broken where it is, then the summary."""
    tongue = Language(run.ruleset, language)
    lines = [line(tongue, finding) for finding in run.verdict.findings]
    lines += [f"{tongue.say('broken')}: {inert(reason)}" for reason in run.verdict.reasons]
    lines.append(tally.summary(tongue, run.verdict))
    return "\n".join(lines) + "\n"
