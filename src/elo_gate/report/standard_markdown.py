"""Turns the production standard of a run (see standard.document) into Markdown, for a pull request or a release."""

from __future__ import annotations

from .standard import STATES
from .standard_text import evidence, summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .standard import Document
    from .standard_words import Words

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


def lines(made: Document, words: Words) -> Iterator[str]:
    """The lines of the page: a summary, a table of clauses, then what failed, what is open, what is for people."""
    yield f"# {words.say('Production standard')}"
    yield ""
    yield f"{plain(summary(made, words))} {words.say('Judged as of {}.', made['as_of'])}"
    for reason in made["reasons"]:
        yield ""
        yield f"{words.say('not judged')}: {plain(reason)}"
    yield ""
    yield f"| {words.say('Clause')} | | {words.say('State')} | {words.say('Evidence')} |"
    yield "|---|---|---|---|"
    for clause in made["clauses"]:
        cells = (clause["clause"], plain(clause["heading"]), words.say(clause["state"]), _evidence(clause, words))
        yield f"| {' | '.join(cells)} |"
    for state in STATES[:2]:
        chosen = [clause for clause in made["clauses"] if clause["state"] == state]
        if not chosen:
            continue
        yield ""
        yield f"## {words.say(state.capitalize())}"
        for clause in chosen:
            yield ""
            yield f"### {clause['clause']} {plain(clause['heading'])}"
            yield ""
            for each in clause["findings"]:
                place = code(f"{each['path']}:{each['line']}")
                yield f"- **{words.say(each['severity'])}** {code(each['rule'])} {place}: {plain(each['message'])}"
            if state == STATES[1]:
                for each in clause["undecided"]:
                    place = code(f"{each['path'] or words.say('the tree')}:{each['line']}")
                    yield f"- {code(each['rule'])} {place}: {plain(each['why'])}"
    people = {row["row"]: row for clause in made["clauses"] for row in clause["people"]}
    if people:
        yield ""
        yield f"## {words.say('For people')}"
        yield ""
        for row in people.values():
            yield f"- [ ] {plain(row['title'])}: {plain(row['why'])}"


def _evidence(clause: Document, words: Words) -> str:
    found = []
    if clause["findings"]:
        levels = [words.count(number, level) for level, number in clause["counts"].items() if number]
        found.append(", ".join(levels))
    if clause["passed"]:
        found.append(evidence(clause["passed"], words, 2))
    if clause["undecided"]:
        found.append(words.say("{} undecided", words.count(len(clause["undecided"]), "answer")))
    if not found and clause["people"]:
        found.append(words.say("{} for people", words.count(len(clause["people"]), "item")))
    return plain("; ".join(found))
