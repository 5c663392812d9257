"""Turns a run into the production standard, clause by clause: what passed, failed, cannot be told, is for people."""

from __future__ import annotations

from .. import __version__
from ..inert import inert
from ..model import SEVERITIES
from ..redact import mask
from . import witness as seen
from .language import ENGLISH
from .standard_words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..gate import Run
    from ..model import Finding

    Document = dict[str, Any]

VERSION = 1
PASSED, FAILED, UNDECIDED, NOTHING, PEOPLE = "passed", "failed", "cannot tell", "not applicable", "for people"
STATES = (FAILED, UNDECIDED, PASSED, NOTHING, PEOPLE)


class _Sight:
    """What a rule has looked at: places a file, places it could not decide, places its condition left out."""

    __slots__ = ("failed", "files", "left_out", "undecided")

    def __init__(self) -> None:
        self.files: dict[str, int] = {}
        self.undecided: list[tuple[str, int, str]] = []
        self.left_out = 0
        self.failed = 0


def document(run: Run, language: str = ENGLISH) -> Document:
    """The standard as plain data that may be shown; `state` of a clause is one of STATES, whatever the language."""
    words = Words(run.ruleset, language)
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
    people = _people(run, words)
    clauses = [
        _clause(run, name, words, sorted(rules.get(name, ())), sights, findings, passes, people.get(name, []))
        for name in run.ruleset.clauses
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


def _people(run: Run, words: Words) -> dict[str, list[Document]]:
    """Clause by clause, what the standard leaves to people: rows of the coverage table."""
    table = run.ruleset.table("coverage") or {}
    found: dict[str, list[Document]] = {}
    for identifier, row in table.get("rows", {}).items():
        if "people" in row:
            title, why = words.row(row)
            for clause in row.get("standard", ()):
                found.setdefault(clause, []).append({"row": identifier, "title": title, "why": why})
    return found


def _clause(
    run: Run,
    name: str,
    words: Words,
    rules: list[str],
    sights: dict[str, _Sight],
    findings: dict[str, list[Finding]],
    passes: dict[str, int],
    people: list[Document],
) -> Document:
    failed = [finding for rule in rules for finding in findings.get(rule, ())]
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
                    "title": words.tongue.title(rule),
                    "places": sum(sight.files.values()),
                    "files": [inert(path) for path in sorted(sight.files)],
                    "let_pass": passes.get(rule, 0),
                }
            )
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
        "heading": words.heading(name),
        "state": state,
        "blocks": any(each.severity in blocking for each in failed),
        "counts": {level: sum(1 for each in failed if each.severity == level) for level in SEVERITIES},
        "findings": [_finding(each, words) for each in sorted(failed, key=_order)],
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


def _finding(finding: Finding, words: Words) -> Document:
    line, column = finding.source.position(finding.start)
    return {
        "rule": finding.rule.id,
        "severity": finding.severity,
        "message": words.tongue.message(finding),
        "path": inert(finding.source.path),
        "line": line,
        "column": column,
    }


def _say(text: str) -> str:
    return inert(mask(text))


def render(run: Run, form: str = "text", colour: bool = False, verbose: bool = False, language: str = ENGLISH) -> str:
    """The standard as text, Markdown or JSON. `verbose` adds messages, the files behind what passed, open answers."""
    if form == "json":
        import json

        return json.dumps(document(run), indent=2, ensure_ascii=True) + "\n"
    made, words = document(run, language), Words(run.ruleset, language)
    if form == "markdown":
        from .standard_markdown import lines

        return "\n".join(lines(made, words)) + "\n"
    from .standard_text import render as text

    return text(made, words, colour, verbose)
