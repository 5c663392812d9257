"""Turns a run into the Test Anything Protocol, version 14 (testanything.org/tap-version-14-specification.html).

What blocks is "not ok"; what does not is "not ok" with a TODO, which fails no harness; undecided is a SKIP; a judged
file without findings is "ok".
"""

from __future__ import annotations

from ..inert import inert, inert_json
from . import tally

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..gate import Run
    from ..model import Finding


def description(text: str) -> str:
    """A text as the description of a test point: a hash would begin a directive."""
    return inert(text).replace("\\", "\\\\").replace("#", "\\#")


def _diagnostics(finding: Finding, line: int, column: int) -> list[str]:
    import json

    fields = {
        "severity": finding.severity, "rule": finding.rule.id, "path": inert(finding.source.path), "line": line,
        "column": column, "message": finding.message, "fix": finding.fix,
    }  # fmt: skip
    # Every JSON value is a YAML value too, but for letters written as surrogates.
    return [
        "  ---",
        *(f"  {key}: {inert_json(json.dumps(each, ensure_ascii=False))}" for key, each in fields.items()),
        "  ...",
    ]


def render(run: Run) -> str:
    """The stream as text."""
    verdict = run.verdict
    points: list[tuple[str, str, list[str]]] = []
    for finding in verdict.findings:
        line, column = finding.source.position(finding.start)
        what = f"{finding.source.path}:{line}:{column} {finding.rule.id} {finding.message}"
        directive = "" if tally.blocks(verdict, finding) else f" # TODO {finding.severity}"
        points.append(("not ok", description(what) + directive, _diagnostics(finding, line, column)))
    for reason in verdict.reasons:
        points.append(("not ok", description(reason), []))
    for rule, path, line, why in verdict.coverage.undecided:
        what = f"{path}:{line} {rule}" if path else rule
        points.append(("ok", f"{description(what)} # SKIP undecided: {description(why)}", []))
    found = {finding.source.path for finding in verdict.findings}
    points += [("ok", description(each.path), []) for each in verdict.coverage.judged if each.path not in found]
    lines = ["TAP version 14", f"1..{len(points)}"]
    for number, (word, text, more) in enumerate(points, 1):
        lines += [f"{word} {number} - {text}", *more]
    return "\n".join(lines) + "\n"
