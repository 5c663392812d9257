"""Turns the production standard of a run (see standard.document) into Markdown, for a pull request or a release."""

from __future__ import annotations

from .standard import STATES, counted, evidence, summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Document = dict[str, Any]

_SPECIAL = "\\`*_{}[]<>#|!~&"


def plain(text: str) -> str:
    """A text without meaning to Markdown or HTML, and without anything that mentions people or issues."""
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in text).replace("@", "@\u200b")


def code(text: str) -> str:
    """A text as code, whatever backticks it holds."""
    marks = "`"
    while marks in text:
        marks += "`"
    blank = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{marks}{blank}{text}{blank}{marks}"


def lines(made: Document) -> Iterator[str]:
    """The lines of the page: a summary, a table of clauses, then what failed, what is open, what is for people."""
    yield "# Production standard"
    yield ""
    yield f"{plain(summary(made))} Judged as of {made['as_of']}."
    for reason in made["reasons"]:
        yield ""
        yield f"Not judged: {plain(reason)}"
    yield ""
    yield "| Clause | | State | Evidence |"
    yield "|---|---|---|---|"
    for clause in made["clauses"]:
        yield f"| {clause['clause']} | {plain(clause['heading'])} | {clause['state']} | {_evidence(clause)} |"
    for state in STATES[:2]:
        chosen = [clause for clause in made["clauses"] if clause["state"] == state]
        if not chosen:
            continue
        yield ""
        yield f"## {state.capitalize()}"
        for clause in chosen:
            yield ""
            yield f"### {clause['clause']} {plain(clause['heading'])}"
            yield ""
            for each in clause["findings"]:
                place = code(f"{each['path']}:{each['line']}")
                yield f"- **{each['severity']}** {code(each['rule'])} {place}: {plain(each['message'])}"
            if state == STATES[1]:
                for each in clause["undecided"]:
                    place = code(f"{each['path'] or 'the tree'}:{each['line']}")
                    yield f"- {code(each['rule'])} {place}: {plain(each['why'])}"
    people = {row["row"]: row for clause in made["clauses"] for row in clause["people"]}
    if people:
        yield ""
        yield "## For people"
        yield ""
        for row in people.values():
            yield f"- [ ] {plain(row['title'])}: {plain(row['why'])}"


def _evidence(clause: Document) -> str:
    words = []
    if clause["findings"]:
        levels = [counted(number, level) for level, number in clause["counts"].items() if number]
        words.append(", ".join(levels))
    if clause["passed"]:
        words.append(evidence(clause["passed"], 2))
    if clause["undecided"]:
        words.append(f"{counted(len(clause['undecided']), 'answer')} undecided")
    if not words and clause["people"]:
        words.append(counted(len(clause["people"]), "item") + " for people")
    return plain("; ".join(words))
