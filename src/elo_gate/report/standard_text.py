"""Turns the production standard of a run (see standard.document) into text for people."""

from __future__ import annotations

from textwrap import wrap

from .standard import FAILED, NOTHING, PASSED, PEOPLE, STATES, UNDECIDED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .standard import Document
    from .standard_words import Words

    Paint = Callable[[str, str], str]

_COLOURS = {FAILED: "31", UNDECIDED: "33", PASSED: "32", NOTHING: "2", PEOPLE: "36", "bold": "1", "dim": "2"}
_WIDTH = 100


def render(made: Document, words: Words, colour: bool, verbose: bool) -> str:
    """The page: each clause with its state, what stands behind it, and a summary as the last line."""

    def paint(text: str, style: str) -> str:
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if colour else text

    return "\n".join(line.rstrip() for line in _lines(made, words, paint, verbose)) + "\n"


def _lines(made: Document, words: Words, paint: Paint, verbose: bool) -> Iterator[str]:
    width = max(len(each["clause"]) for each in made["clauses"])
    room = max(len(words.say(state)) for state in STATES)
    for clause in made["clauses"]:
        state = paint(words.say(clause["state"]).ljust(room), clause["state"])
        yield f"{paint(clause['clause'].ljust(width), 'bold')}  {state}  {clause['heading']}"
        yield from _details(clause, words, paint, verbose, " " * (width + 2))
    yield ""
    for reason in made["reasons"]:
        yield from _hang(f"{words.say('not judged')}: ", reason, "  ")
    yield summary(made, words)


def _details(clause: Document, words: Words, paint: Paint, verbose: bool, indent: str) -> Iterator[str]:
    findings = clause["findings"]
    width = max((len(each["rule"]) for each in findings), default=0)
    for each in findings:
        place = f"{each['path']}:{each['line']}"
        yield f"{indent}{words.say(each['severity']):7}  {each['rule']:{width}}  {paint(place, 'dim')}"
        if verbose:
            yield from _hang(f"{indent}         ", each["message"], f"{indent}         ")
    passed = clause["passed"]
    if passed:
        yield from _hang(f"{indent}{words.say('looked'):7}  ", evidence(passed, words), f"{indent}         ")
        if verbose:
            for each in passed:
                let = ", " + words.say("{} let pass", each["let_pass"]) if each["let_pass"] else ""
                yield f"{indent}         {each['rule']}: {words.count(each['places'], 'place')}{let}"
                yield from _hang(f"{indent}           ", ", ".join(each["files"]), f"{indent}           ")
    undecided = clause["undecided"]
    if undecided:
        if verbose or clause["state"] == UNDECIDED:
            for each in undecided:
                place = f"{each['path'] or words.say('the tree')}:{each['line']}"
                yield f"{indent}{words.say('unknown'):7}  {each['rule']}  {paint(place, 'dim')}"
                yield from _hang(f"{indent}         ", each["why"], f"{indent}         ")
        else:
            many = words.count(len(undecided), "answer")
            yield f"{indent}{words.say('unknown'):7}  {words.say('{} (-v names them)', many)}"
    if clause["failures"]:
        raised = words.say("{} raised an error: see elo-gate check", words.count(clause["failures"], "rule"))
        yield f"{indent}         {raised}"
    for each in clause["people"]:
        yield from _hang(f"{indent}{words.say('people'):7}  ", f"{each['title']}: {each['why']}", f"{indent}         ")


def evidence(passed: list[Document], words: Words, shown: int = 3) -> str:
    """What rules that found nothing have looked at, in one sentence."""
    files: dict[str, int] = {}
    for each in passed:
        for path in each["files"]:
            files[path] = files.get(path, 0) + 1
    first = sorted(files, key=lambda path: (-files[path], path))[:shown]
    left = len(files) - len(first)
    named = words.say("{} and {} more", ", ".join(first), left) if left else ", ".join(first)
    places = words.count(sum(each["places"] for each in passed), "place")
    text = words.say("{} found nothing at {} in {}", words.count(len(passed), "rule"), places, named)
    let = sum(each["let_pass"] for each in passed)
    return text + ("; " + words.say("{} let pass", let) if let else "")


def summary(made: Document, words: Words) -> str:
    """One line for the whole standard."""
    counts = made["counts"]
    blocks = sum(1 for each in made["clauses"] if each["blocks"])
    failed = words.states(counts[FAILED], FAILED)
    if blocks:
        failed += f" ({blocks} {words.say('blocks' if blocks == 1 else 'block')})"
    rest = [words.states(counts[state], state) for state in STATES[1:] if counts[state]]
    clauses = words.count(len(made["clauses"]), "clause")
    return f"{words.say(made['verdict'].capitalize())}: {clauses}: {', '.join([failed, *rest])}."


def _hang(head: str, text: str, indent: str) -> Iterator[str]:
    pieces = wrap(text, max(24, _WIDTH - len(head)), break_on_hyphens=False, break_long_words=False) or [""]
    yield head + pieces[0]
    for piece in pieces[1:]:
        yield indent + piece
