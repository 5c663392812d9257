"""Turns a rule into the page an editor shows for it, in Markdown."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_EXAMPLES = 2


def page(ruleset: Any, identifier: str) -> str:
    """What a rule wants, why, how to mend it, examples and sources."""
    return "\n".join(_lines(ruleset, identifier)).rstrip() + "\n"


def _lines(ruleset: Any, identifier: str) -> Iterator[str]:
    words = ruleset.words(identifier)
    rule = next(each for kind in ruleset.kinds for each in ruleset.of(kind) if each.id == identifier)
    clauses = ruleset.clauses
    yield f"**{words['title']}** `{identifier}`"
    yield ""
    yield "; ".join(f"{clause} {clauses.get(clause, '')}".rstrip() for clause in rule.standard)
    yield ""
    yield f"**Why** {words['rationale']}"
    yield ""
    yield f"**Fix** {words['fix']}"
    for title, examples in (("Wrong", words["bad"]), ("Right", words["good"])):
        for why, text, *_ in examples[:_EXAMPLES]:
            yield ""
            yield f"{title}: {why}" if why else title
            yield ""
            yield from _fenced(text)
    if words["references"]:
        yield ""
        safe = [(title, url) for title, url, _ in words["references"] if _is_address(url)]
        yield "Sources: " + ", ".join(f"[{_plain(title)}]({url})" for title, url in safe)


def _fenced(text: str) -> Iterator[str]:
    fence = "```"
    while fence in text:
        fence += "`"
    yield fence
    yield from text.rstrip("\n").split("\n")
    yield fence


def _is_address(url: str) -> bool:
    return url.startswith("https://") and not set(url) & set(" ()<>")


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter not in "[]<>")
