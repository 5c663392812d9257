"""Turns a run into GitHub's Markdown, for step summaries and comments: the verdict, then a table for each severity.

Every text from the tree is made of entities: none of it is Markdown, HTML, a mention or a reference to an issue.
GitHub drops a step summary over 1 MiB (actions/runner, CreateStepSummaryCommand), so this ends before that and says so.
"""

from __future__ import annotations

from ..inert import inert
from ..model import SEVERITIES
from . import tally
from .language import ENGLISH, Language
from .markup import code_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..gate import Run
    from ..model import Finding

LIMIT = 900_000  # bytes
_SIGNS = {"passed": "\N{WHITE HEAVY CHECK MARK}", "blocked": "\N{NO ENTRY}", "broken": "\N{WARNING SIGN}"}
# What Markdown, HTML or GitHub reads within a line. The space without width parts a sign from the name or number behind
# it: GitHub looks for `@name` and `#1` in the finished text, where an entity is a sign again.
_ENTITIES = {ord(sign): f"&#{ord(sign)};" for sign in '&<>"`|*_[]()~!\\{}$:'}
_ENTITIES |= {ord("@"): "&#64;&#8203;", ord("#"): "&#35;&#8203;"}


def escape(text: str) -> str:
    """A text within a line as one that means only itself."""
    return inert(text).translate(_ENTITIES).replace("www.", "www&#46;")


def code(text: str) -> str:
    """A text as code."""
    return f"<code>{escape(text)}</code>"


def _row(tongue: Language, finding: Finding) -> str:
    line, column = finding.source.position(finding.start)
    place = code(f"{finding.source.path}:{line}:{column}")
    also = "".join(
        f"<br>{tongue.say('also')} {code(f'{source.path}:{source.position(start)[0]}')} {code_in(words, escape)}"
        for source, start, _, words in finding.related
    )
    what = f"{code_in(tongue.message(finding), escape)}{also}<br><sub>{code(finding.rule.id)}</sub>"
    return f"| {place} | {what} | {code_in(tongue.fix(finding), escape)} |\n"


def render(run: Run, language: str = ENGLISH, limit: int = LIMIT) -> str:
    """The page; what does not fit into `limit` bytes is counted at its end."""
    tongue = Language(run.ruleset, language)
    left = limit - 2000  # for what closes the page
    parts: list[str] = []
    out = 0
    for text in _parts(run, tongue):
        size = len(text.encode("utf-8", "backslashreplace"))
        if size > left:
            out += text.startswith("| <code>")
            left = 0
        elif left:
            left -= size
            parts.append(text)
        else:
            out += text.startswith("| <code>")
    if out:
        opened = sum(part.count("<details") - part.count("</details>") for part in parts)
        parts.append("\n</details>\n" * opened + f"\n{tongue.say('{} more findings do not fit here.', out)}\n")
    return "".join(parts)


def _parts(run: Run, tongue: Language) -> Iterator[str]:
    verdict = run.verdict
    word = escape(tongue.say(verdict.word.capitalize()))
    yield f"## {_SIGNS[verdict.word]} elo-gate: {word}\n\n{escape(tongue.found(verdict))}"
    looked = tongue.say(
        "Looked at {} with {} rules", tongue.count(len(verdict.coverage.judged), "file"), verdict.coverage.rules
    )
    yield f" · {escape(looked)} · {verdict.as_of}\n"
    if verdict.reasons:
        yield f"\n### {escape(tongue.say('Not analysed'))}\n\n"
        for reason in verdict.reasons:
            yield f"- {code(reason)}\n"
    for severity in SEVERITIES:
        chosen = [each for each in verdict.findings if each.severity == severity]
        if not chosen:
            continue
        open_ = " open" if any(tally.blocks(verdict, each) for each in chosen) else ""
        yield f"\n<details{open_}><summary><b>{escape(tongue.count(len(chosen), severity))}</b></summary>\n\n"
        head = " | ".join(map(tongue.say, ("Place", "What is wrong", "What to write")))
        yield f"| {head} |\n|---|---|---|\n"
        for finding in chosen:
            yield _row(tongue, finding)
        yield "\n</details>\n"
