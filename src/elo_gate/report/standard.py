"""Turns a run into the production standard, clause by clause: what passed, failed, cannot be told, is for people."""

from __future__ import annotations

from textwrap import wrap

from .. import __version__
from ..inert import inert
from ..model import SEVERITIES
from ..redact import mask
from . import witness as seen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ..gate import Run
    from ..model import Finding

    Document = dict[str, Any]
    Paint = Callable[[str, str], str]

VERSION = 1
PASSED, FAILED, UNDECIDED, NOTHING, PEOPLE = "passed", "failed", "cannot tell", "not applicable", "for people"
STATES = (FAILED, UNDECIDED, PASSED, NOTHING, PEOPLE)
_COLOURS = {FAILED: "31", UNDECIDED: "33", PASSED: "32", NOTHING: "2", PEOPLE: "36", "bold": "1", "dim": "2"}
_WIDTH = 100


class _Sight:
    """What a rule has looked at: places a file, places it could not decide, places its condition left out."""

    __slots__ = ("failed", "files", "left_out", "undecided")

    def __init__(self) -> None:
        self.files: dict[str, int] = {}
        self.undecided: list[tuple[str, int, str]] = []
        self.left_out = 0
        self.failed = 0


def document(run: Run) -> Document:
    """The standard as plain data that may be shown; `state` of a clause is one of STATES."""
    sights = _sights(run)
    findings: dict[str, list[Finding]] = {}
    for finding in run.verdict.findings:
        findings.setdefault(finding.rule.id, []).append(finding)
    passes: dict[str, int] = {}
    for finding in run.verdict.suppressed:
        passes[finding.rule.id] = passes.get(finding.rule.id, 0) + 1
    rules: dict[str, list[str]] = {}
    for kind in run.ruleset.kinds:
        for rule in run.ruleset.of(kind):
            for clause in rule.standard:
                listed = rules.setdefault(clause, [])
                if rule.id not in listed:
                    listed.append(rule.id)
    people = _people(run)
    clauses = [
        _clause(run, name, heading, sorted(rules.get(name, ())), sights, findings, passes, people.get(name, []))
        for name, heading in run.ruleset.clauses.items()
    ]
    verdict = run.verdict
    return {
        "version": VERSION,
        "tool": {"name": "elo-gate", "version": __version__},
        "as_of": verdict.as_of,
        "verdict": verdict.word,
        "exit_code": verdict.exit_code,
        "counts": {state: sum(1 for each in clauses if each["state"] == state) for state in STATES},
        "clauses": clauses,
        "reasons": [_say(reason) for reason in verdict.reasons],
    }


def _sights(run: Run) -> dict[str, _Sight]:
    """Rule by rule, where it has looked: the engine's own loop once more, with a witness."""
    witness, outcome = seen.watch(run, run.project.subjects())
    found: dict[str, _Sight] = {}
    for look in witness.looks:
        sight = found.setdefault(look.rule.id, _Sight())
        if look.answer == seen.SKIPPED:
            sight.left_out += 1
        elif look.answer in (seen.FINE, seen.FAULT):
            path = _path(look)
            if path:
                sight.files[path] = sight.files.get(path, 0) + 1
    for rule, path, line, why in outcome.undecided:
        found.setdefault(rule, _Sight()).undecided.append((path, line, why))
    for rule, _, _, _ in outcome.failures:
        found.setdefault(rule, _Sight()).failed += 1
    return found


def _path(look: seen.Look) -> str:
    """The file that holds what a rule looked at; "" for the tree as such, which proves nothing was there to see."""
    for node in (look.item.place, look.item.node):
        path = getattr(getattr(node, "source", None), "path", "")
        if path:
            return str(path)
    return look.path


def _people(run: Run) -> dict[str, list[Document]]:
    """Clause by clause, what the standard leaves to people: rows of the coverage table."""
    table = run.ruleset.table("coverage") or {}
    found: dict[str, list[Document]] = {}
    for identifier, row in table.get("rows", {}).items():
        if "people" in row:
            for clause in row.get("standard", ()):
                found.setdefault(clause, []).append({"row": identifier, "title": row["title"], "why": row["people"]})
    return found


def _clause(
    run: Run,
    name: str,
    heading: str,
    rules: list[str],
    sights: dict[str, _Sight],
    findings: dict[str, list[Finding]],
    passes: dict[str, int],
    people: list[Document],
) -> Document:
    failed = [finding for rule in rules for finding in findings.get(rule, ())]
    looked: dict[str, int] = {}
    evidence = []
    undecided = []
    for rule in rules:
        sight = sights.get(rule)
        if sight is None:
            continue
        undecided += [
            {"rule": rule, "path": inert(path), "line": line, "why": _say(why)} for path, line, why in sight.undecided
        ]
        if sight.files and rule not in findings:
            evidence.append(
                {
                    "rule": rule,
                    "title": run.ruleset.words(rule)["title"],
                    "places": sum(sight.files.values()),
                    "files": [inert(path) for path in sorted(sight.files)],
                    "let_pass": passes.get(rule, 0),
                }
            )
        for path, count in sight.files.items():
            looked[path] = looked.get(path, 0) + count
    raised = sum(sights[rule].failed for rule in rules if rule in sights)
    if failed:
        state = FAILED
    elif raised or (undecided and not evidence):
        state = UNDECIDED
    elif evidence:
        state = PASSED
    else:
        state = PEOPLE if people else NOTHING
    blocking = SEVERITIES[: SEVERITIES.index(run.verdict.fail_on) + 1]
    return {
        "clause": name,
        "heading": heading,
        "state": state,
        "blocks": any(each.severity in blocking for each in failed),
        "counts": {level: sum(1 for each in failed if each.severity == level) for level in SEVERITIES},
        "findings": [_finding(each) for each in sorted(failed, key=_order)],
        "passed": evidence,
        "undecided": undecided,
        "failures": raised,
        "without_anything_to_look_at": [
            rule for rule in rules if rule not in findings and (rule not in sights or not _had(sights[rule]))
        ],
        "people": people,
    }


def _had(sight: _Sight) -> bool:
    return bool(sight.files or sight.undecided or sight.failed)


def _order(finding: Finding) -> tuple[int, str, int, str]:
    return SEVERITIES.index(finding.severity), finding.source.path, finding.start, finding.rule.id


def _finding(finding: Finding) -> Document:
    line, column = finding.source.position(finding.start)
    return {
        "rule": finding.rule.id,
        "severity": finding.severity,
        "message": finding.message,
        "path": inert(finding.source.path),
        "line": line,
        "column": column,
    }


def _say(text: str) -> str:
    return inert(mask(text))


# -- forms


def render(run: Run, form: str = "text", colour: bool = False, verbose: bool = False) -> str:
    """The standard as text, Markdown or JSON. `verbose` names the files behind each passed clause and every rule."""
    made = document(run)
    if form == "json":
        import json

        return json.dumps(made, indent=2, ensure_ascii=True) + "\n"
    if form == "markdown":
        from .standard_markdown import lines

        return "\n".join(lines(made)) + "\n"

    def paint(text: str, style: str) -> str:
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if colour else text

    return "\n".join(line.rstrip() for line in _lines(made, paint, verbose)) + "\n"


def _lines(made: Document, paint: Paint, verbose: bool) -> Iterator[str]:
    width = max(len(each["clause"]) for each in made["clauses"])
    for clause in made["clauses"]:
        state = paint(f"{clause['state']:14}", clause["state"])
        yield f"{paint(clause['clause'].ljust(width), 'bold')}  {state}  {clause['heading']}"
        yield from _details(clause, paint, verbose, " " * (width + 2))
    yield ""
    for reason in made["reasons"]:
        yield from _hang("not judged: ", reason, "  ")
    yield summary(made)


def _details(clause: Document, paint: Paint, verbose: bool, indent: str) -> Iterator[str]:
    findings = clause["findings"]
    width = max((len(each["rule"]) for each in findings), default=0)
    for each in findings:
        place = f"{each['path']}:{each['line']}"
        yield f"{indent}{each['severity']:7}  {each['rule']:{width}}  {paint(place, 'dim')}"
        if verbose:
            yield from _hang(f"{indent}         ", each["message"], f"{indent}         ")
    passed = clause["passed"]
    if passed:
        yield from _hang(f"{indent}looked   ", evidence(passed), f"{indent}         ")
        if verbose:
            for each in passed:
                let = f", {each['let_pass']} let pass" if each["let_pass"] else ""
                yield f"{indent}         {each['rule']}: {counted(each['places'], 'place')}{let}"
                yield from _hang(f"{indent}           ", ", ".join(each["files"]), f"{indent}           ")
    undecided = clause["undecided"]
    if undecided:
        if verbose or clause["state"] == UNDECIDED:
            for each in undecided:
                place = f"{each['path'] or 'the tree'}:{each['line']}"
                yield f"{indent}unknown  {each['rule']}  {paint(place, 'dim')}"
                yield from _hang(f"{indent}         ", each["why"], f"{indent}         ")
        else:
            yield f"{indent}unknown  {counted(len(undecided), 'answer')} (-v names them)"
    if clause["failures"]:
        yield f"{indent}failed   {counted(clause['failures'], 'rule')} raised an error: see elo-gate check"
    for each in clause["people"]:
        yield from _hang(f"{indent}people   ", f"{each['title']}: {each['why']}", f"{indent}         ")


def counted(number: int, noun: str) -> str:
    """`1 place`, `2 places`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def evidence(passed: list[Document], shown: int = 3) -> str:
    """What rules that found nothing have looked at, in one sentence."""
    files: dict[str, int] = {}
    for each in passed:
        for path in each["files"]:
            files[path] = files.get(path, 0) + 1
    first = sorted(files, key=lambda path: (-files[path], path))[:shown]
    left = len(files) - len(first)
    named = ", ".join(first) + (f" and {left} more" if left else "")
    places = sum(each["places"] for each in passed)
    let = sum(each["let_pass"] for each in passed)
    words = f"{counted(len(passed), 'rule')} found nothing at {counted(places, 'place')} in {named}"
    return words + (f"; {counted(let, 'finding')} let pass" if let else "")


def summary(made: Document) -> str:
    """One line for the whole standard."""
    counts = made["counts"]
    blocks = sum(1 for each in made["clauses"] if each["blocks"])
    failed = f"{counts[FAILED]} failed" + (f" ({blocks} block)" if blocks else "")
    rest = ", ".join(f"{counts[state]} {state}" for state in STATES[1:] if counts[state])
    return f"{made['verdict'].capitalize()}: {counted(len(made['clauses']), 'clause')}: {failed}, {rest}."


def _hang(head: str, text: str, indent: str) -> Iterator[str]:
    pieces = wrap(text, max(24, _WIDTH - len(head)), break_on_hyphens=False, break_long_words=False) or [""]
    yield head + pieces[0]
    for piece in pieces[1:]:
        yield indent + piece
