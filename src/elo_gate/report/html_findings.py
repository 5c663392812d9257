"""Turns the findings of a run into HTML: by file, each with its words, its lines, what to write instead."""

from __future__ import annotations

from ..model import SEVERITIES
from .excerpt import Excerpts, crop
from .markup import escape, prose, tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..gate import Run
    from ..model import Finding, Source
    from .language import Language

_BEFORE, _AFTER, _LONGEST = 1, 2, 6  # lines shown around the marked ones, and most lines marked
_WIDE = 110  # letters of a line that may not fit


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
        every = tag("option", escape(say("all")), value="")
        paths = "".join(tag("option", escape(name), value=key) for name, key in self.keys.items())
        ids = "".join(tag("option", escape(each), value=each) for each in rules)

        def labelled(key: str, words: str, control: str) -> str:
            return f"<div>{tag('label', escape(say(words)), class_='over', for_=key)}{control}</div>"

        parts = [
            f"<fieldset><legend>{escape(say('Severity'))}</legend>{boxes}</fieldset>",
            labelled("by-file", "File", tag("select", every + paths, id="by-file", name="file")),
            labelled("by-rule", "Rule", tag("select", every + ids, id="by-rule", name="rule")),
            labelled("by-words", "Words", '<input type="search" id="by-words" name="words" autocomplete="off">'),
            f'<button type="reset">{escape(say("Show all"))}</button><output aria-live="polite"></output>',
        ]
        count = say("{} of {} findings shown")
        name = say("Filter")
        return tag("form", "".join(parts), id="filter", class_="filter", hidden=True, data_count=count, aria_label=name)

    def sections(self) -> Iterator[str]:
        """One section a file."""
        say, count = self.tongue.say, self.tongue.count
        for name, found in self.files.items():
            key = self.keys[name]
            levels = [(level, sum(1 for _, each in found if each.severity == level)) for level in SEVERITIES]
            counts = ", ".join(count(number, level) for level, number in levels if number)
            environment = found[0][1].environment
            about = tag("span", escape(say(environment))) if environment else ""
            title = tag("h3", f"{path(name)}{about}{tag('span', escape(counts))}", id=key)
            each = [self._finding(number, finding, key) for number, finding in found]
            yield tag("section", "\n".join([title, *each]), class_="file", aria_labelledby=key)

    def _finding(self, number: int, finding: Finding, key: str) -> str:
        tongue = self.tongue
        rule = finding.rule.id
        line, column = finding.source.position(finding.start)
        clauses = " ".join(f'<a href="#{each}">{escape(each)}</a>' for each in finding.rule.standard)
        severity = tag("span", escape(tongue.say(finding.severity)), class_="sev")
        title = f"{severity} <span>{prose(tongue.title(rule))}</span> " + tag("a", f"#{number}", href=f"#f{number}")
        where = f"{escape(tongue.say('line'))} {line}:{column}"
        meta = f"{tag('code', escape(rule))}<span>{where}</span><span>{clauses}</span>"
        out = [
            tag("h4", title, id=f"t{number}"),
            tag("div", meta, class_="meta"),
            tag("p", prose(tongue.message(finding))),
            self.frame(finding.source, finding.start, finding.end),
            "<dl>",
        ]
        for source, start, end, words in finding.related:
            row, col = source.position(start)
            shown = self.frame(source, start, end, 0, 0) if source.path != finding.source.path else ""
            out.append(f"<dt>{escape(tongue.say('also'))}</dt>")
            out.append(f"<dd>{path(f'{source.path}:{row}:{col}')} {prose(words)}{shown}</dd>")
        out.append(f"<dt>{escape(tongue.say('why'))}</dt><dd>{prose(tongue.rationale(rule))}</dd>")
        out.append(f"<dt>{escape(tongue.say('fix'))}</dt><dd>{prose(tongue.fix(finding))}</dd></dl>")
        return tag(
            "article",
            "".join(out),
            class_=f"finding {finding.severity}",
            id=f"f{number}",
            data_severity=finding.severity,
            data_file=key,
            data_rule=rule,
            aria_labelledby=f"t{number}",
        )

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
        longest = 0
        for at in range(low, high + 1):
            if at == number:
                text, left, right = crop(shown, first, last)
                marked = f"<mark>{_part(text[left:right]) or ' '}</mark>"
                body = _part(text[:left]) + marked + _part(text[right:])
            else:
                text = crop(lines[at - 1], 0, 1)[0]
                body = _part(text)
            longest = max(longest, len(text))
            line = f"<i>{at:>{gutter}}  </i>{body}"
            out.append(f'<span class="hit">{line}</span>' if number <= at <= until else f"<span>{line}</span>")
        # What scrolls must be reached by the keyboard; what does not must not stand in its way.
        return tag("pre", "".join(out), class_="frame", tabindex="0" if longest > _WIDE else None)


def _part(text: str) -> str:
    """A part of a line that is inert as a whole already; its own begin is not that of a line."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
