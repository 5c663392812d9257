"""Turns the findings of a run into HTML: by file, each with its words, its lines, what to write instead."""

from __future__ import annotations

from ..model import SEVERITIES
from .excerpt import Excerpts, crop
from .markup import attributes, escape, prose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..gate import Run
    from ..model import Finding, Source
    from .language import Language

_BEFORE, _AFTER, _LONGEST = 1, 2, 6  # lines shown around the marked ones, and most lines marked


def path(text: str) -> str:
    """A path as code whose letters cannot turn the direction of what follows."""
    return f"<code><bdi>{escape(text)}</bdi></code>"


class Findings:
    """The findings of a run, numbered in their order from 1."""

    def __init__(self, run: Run, tongue: Language) -> None:
        self.run = run
        self.tongue = tongue
        self.excerpts = Excerpts(run.project)
        self.files: dict[str, list[tuple[int, Finding]]] = {}
        for number, finding in enumerate(run.verdict.findings, 1):
            self.files.setdefault(finding.source.path, []).append((number, finding))
        self.keys = {name: f"p{at}" for at, name in enumerate(self.files)}

    def filter(self) -> str:
        """The form that the script shows and acts on."""
        say = self.tongue.say
        boxes = "".join(
            f'<label><input type="checkbox" name="{level}" checked> {escape(say(level + "s"))}</label>'
            for level in SEVERITIES
        )
        rules = sorted({finding.rule.id for finding in self.run.verdict.findings})
        paths = "".join(f'<option value="{key}">{escape(name)}</option>' for name, key in self.keys.items())
        ids = "".join(f"<option{attributes(value=each)}>{escape(each)}</option>" for each in rules)
        every = f'<option value="">{escape(say("all"))}</option>'
        count = escape(say("{} of {} findings shown"))
        return (
            f'<form id="filter" class="filter" hidden data-count="{count}"{attributes(aria_label=say("Filter"))}>'.replace(
                "aria_", "aria-"
            )
            + f"<fieldset><legend>{escape(say('Severity'))}</legend>{boxes}</fieldset>"
            + f'<div><label class="over" for="by-file">{escape(say("File"))}</label><select id="by-file" name="file">{every}{paths}</select></div>'
            + f'<div><label class="over" for="by-rule">{escape(say("Rule"))}</label><select id="by-rule" name="rule">{every}{ids}</select></div>'
            + f'<div><label class="over" for="by-words">{escape(say("Words"))}</label><input type="search" id="by-words" name="words" autocomplete="off"></div>'
            + f'<button type="reset">{escape(say("Show all"))}</button><output aria-live="polite"></output></form>'
        )

    def sections(self) -> Iterator[str]:
        """One section a file."""
        say, count = self.tongue.say, self.tongue.count
        for name, found in self.files.items():
            key = self.keys[name]
            levels = [(level, sum(1 for _, each in found if each.severity == level)) for level in SEVERITIES]
            counts = ", ".join(count(number, level) for level, number in levels if number)
            environment = found[0][1].environment
            about = f"<span>{escape(say(environment))}</span>" if environment else ""
            yield f'<section class="file" aria-labelledby="{key}"><h3 id="{key}">{path(name)}{about}<span>{escape(counts)}</span></h3>'
            for number, finding in found:
                yield self._finding(number, finding, key)
            yield "</section>"

    def _finding(self, number: int, finding: Finding, key: str) -> str:
        tongue = self.tongue
        rule = finding.rule.id
        line, column = finding.source.position(finding.start)
        clauses = " ".join(f'<a href="#{each}">{escape(each)}</a>' for each in finding.rule.standard)
        out = [
            f'<article class="finding {finding.severity}" id="f{number}" data-severity="{finding.severity}" '
            f'data-file="{key}"{attributes(data_rule=rule).replace("data_", "data-")} aria-labelledby="t{number}">',
            f'<h4 id="t{number}"><span class="sev">{escape(tongue.say(finding.severity))}</span> '
            f'<span>{prose(tongue.title(rule))}</span> <a href="#f{number}">#{number}</a></h4>',
            f'<div class="meta"><code>{escape(rule)}</code><span>{escape(tongue.say("line"))} {line}:{column}</span><span>{clauses}</span></div>',
            f"<p>{prose(tongue.message(finding))}</p>",
            self.frame(finding.source, finding.start, finding.end),
            "<dl>",
        ]
        for source, start, end, words in finding.related:
            where, col = source.position(start)
            out.append(
                f"<dt>{escape(tongue.say('also'))}</dt><dd>{path(f'{source.path}:{where}:{col}')} {prose(words)}"
                f"{self.frame(source, start, end, 0, 0) if source.path != finding.source.path else ''}</dd>"
            )
        out.append(f"<dt>{escape(tongue.say('why'))}</dt><dd>{prose(tongue.rationale(rule))}</dd>")
        out.append(f"<dt>{escape(tongue.say('fix'))}</dt><dd>{prose(tongue.fix(finding))}</dd></dl></article>")
        return "".join(out)

    def frame(self, source: Source, start: int, end: int, before: int = _BEFORE, after: int = _AFTER) -> str:
        """The lines of a place, masked, the place marked."""
        number, shown, first, last = self.excerpts.frame(source, start, end)
        lines = self.excerpts.lines(source)
        until = min(max(number, source.position(max(start, end - 1))[0]), number + _LONGEST)
        low = max(1, number - before)
        high = min(len(lines), until + after)
        while high > until and not lines[high - 1].strip():
            high -= 1
        gutter = len(str(high))
        out = []
        for at in range(low, high + 1):
            head = f"<i>{at:>{gutter}}  </i>"
            if at == number:
                text, left, right = crop(shown, first, last)
                body = f"{escape_part(text[:left])}<mark>{escape_part(text[left:right]) or ' '}</mark>{escape_part(text[right:])}"
            else:
                body = escape_part(crop(lines[at - 1], 0, 1)[0])
            out.append(
                f'<span class="hit">{head}{body}</span>' if number <= at <= until else f"<span>{head}{body}</span>"
            )
        return f'<pre class="frame" tabindex="0">{"".join(out)}</pre>'


def escape_part(text: str) -> str:
    """A part of a line that is inert as a whole already; its own begin is not that of a line."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
