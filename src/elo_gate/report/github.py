"""Turns a run into workflow commands, which GitHub shows as annotations beside the lines of a pull request.

Escaped as actions/toolkit does (packages/core/src/command.ts). GitHub shows ten errors, ten warnings and ten notices of
a step and drops the others: the most severe come first, and what is over the limit is printed as plain lines.
"""

from __future__ import annotations

from ..inert import inert
from . import concise, tally
from .language import Language

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..gate import Run
    from ..model import Finding

LIMIT = 10
_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def data(text: str) -> str:
    """A command's message."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def value(text: str) -> str:
    """The value of a command's property."""
    return data(text).replace(":", "%3A").replace(",", "%2C")


def command(name: str, properties: dict[str, object], message: str) -> str:
    """One workflow command."""
    listed = ",".join(f"{key}={value(inert(str(each)))}" for key, each in properties.items())
    return f"::{name} {listed}::{data(message)}"


def _annotation(run: Run, finding: Finding) -> str:
    source = finding.source
    line, column = source.position(finding.start)
    end_line, end_column = source.position(finding.end)
    properties: dict[str, object] = {"file": run.prefix + source.path, "line": line, "endLine": end_line}
    if line == end_line:  # GitHub takes columns within one line only
        properties |= {"col": column, "endColumn": end_column}
    properties["title"] = f"{finding.rule.id}: {run.ruleset.words(finding.rule.id)['title']}"
    message = f"{finding.message}\n{run.ruleset.words(finding.rule.id)['rationale']}\nFix: {finding.fix}"
    return command(_COMMANDS[finding.severity], properties, "\n".join(map(inert, message.split("\n"))))


def render(run: Run) -> str:
    """The commands, then a plain line for each finding over the limit, then the summary. Paths from the top."""
    tongue = Language(run.ruleset)
    lines: list[str] = []
    rest: list[str] = []
    shown = dict.fromkeys(_COMMANDS, 0)
    for reason in run.verdict.reasons:
        if shown["error"] < LIMIT:
            shown["error"] += 1
            place = tally.place_of(run.verdict, reason)
            where = {"file": run.prefix + place[0], "line": place[1]} if place is not None else {}
            lines.append(command("error", {**where, "title": "elo-gate: not analysed"}, inert(reason)))
        else:
            rest.append(f"broken: {inert(reason)}")
    for finding in tally.by_severity(run.verdict.findings):
        if shown[finding.severity] < LIMIT:
            shown[finding.severity] += 1
            lines.append(_annotation(run, finding))
        else:
            rest.append(concise.line(tongue, finding))
    if rest:
        lines += [f"::group::{len(rest)} more, for which GitHub has no annotations left", *rest, "::endgroup::"]
    lines.append(f"elo-gate: {tally.summary(tongue, run.verdict)}")
    return "\n".join(lines) + "\n"
