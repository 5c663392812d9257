"""Turns a run into one HTML page: verdict, drawing of the deployment, standard clause by clause, findings, coverage.

The page needs nothing from elsewhere and admits nothing: its Content Security Policy names the digests of its own style
and script. Without the script every finding is shown, with it they can be filtered.
"""

from __future__ import annotations

from .. import __version__
from ..model import SEVERITIES
from ..redact import mask
from . import tally
from .html_findings import Findings, path
from .html_style import SCRIPT, STYLE
from .language import ENGLISH, Language
from .markup import escape, prose, table, tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..gate import Run
    from .standard_words import Words

_REASONS = {
    "passed": "Everything that is production was read and judged, and nothing blocks.",
    "blocked": "Everything was judged, and something blocks the release.",
    "broken": "Something that had to be looked at was not, so there is no verdict.",
}


def render(run: Run, language: str = ENGLISH) -> str:
    """The page as text."""
    tongue = Language(run.ruleset, language)
    findings = Findings(run, tongue)
    drawing = _drawing(run, tongue)
    sections = [
        ("reasons", "Not analysed", "".join(_reasons(run))),
        ("deployment", "Deployment", drawing),
        ("standard", "Standard", "".join(_standard(run, tongue))),
        ("findings", "Findings", "".join(_findings(run, tongue, findings))),
        ("let-pass", "Let pass", "".join(_suppressed(run, tongue))),
        ("coverage", "Coverage", "".join(_coverage(run, tongue))),
    ]
    there = [each for each in sections if each[2]]
    links = "".join(f'<li><a href="#{key}">{escape(tongue.say(title))}</a></li>' for key, title, _ in there)
    body = "".join(
        f'<section aria-labelledby="{key}"><h2 id="{key}">{escape(tongue.say(title))}</h2>\n{text}</section>\n'
        for key, title, text in there
    )
    return "".join(
        [
            *_head(run, tongue),
            f'<a class="skip" href="#main">{escape(tongue.say("Skip to the report"))}</a>\n',
            "<header>\n",
            *_verdict(run, tongue),
            f'<nav aria-label="{escape(tongue.say("Sections"))}"><ul>{links}</ul></nav>\n</header>\n',
            f'<main id="main">\n{body}</main>\n',
            f"<footer>elo-gate {__version__}</footer>\n",
            f"<script>{SCRIPT}</script>\n</body>\n</html>\n",
        ]
    )


def _digest(text: str) -> str:
    import base64
    import hashlib

    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _head(run: Run, tongue: Language) -> Iterator[str]:
    policy = (
        f"default-src 'none'; style-src '{_digest(STYLE)}'; script-src '{_digest(SCRIPT)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    yield f'<!DOCTYPE html>\n<html lang="{tongue.code}">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
    yield '<meta name="robots" content="noindex">\n<link rel="icon" href="data:,">\n'
    yield tag("title", f"elo-gate: {escape(tongue.say(run.verdict.word.capitalize()))}") + "\n"
    yield f"<style>{STYLE}</style>\n</head>\n<body>\n"


def _verdict(run: Run, tongue: Language) -> Iterator[str]:
    verdict, coverage = run.verdict, run.verdict.coverage
    say = tongue.say
    day = tag("span", escape(say("judged as of {}", verdict.as_of)))
    yield f'<div class="top"><strong>elo-gate</strong>{day}</div>\n'
    yield f'<div class="verdict {verdict.word}"><div><h1>{escape(say(verdict.word.capitalize()))}</h1>'
    why = say(_REASONS[verdict.word])
    if verdict.word == "blocked":
        blocking = tongue.count(sum(1 for each in verdict.findings if tally.blocks(verdict, each)), "finding")
        why = say("{} at or above the threshold, '{}', block the release.", blocking, say(verdict.fail_on))
    yield f'<p>{escape(why)}</p></div><ul class="counts">'
    for level in SEVERITIES:
        number = verdict.count(level)
        words = tag("span", escape(say(level if number == 1 else level + "s")))
        yield tag("li", f"<b>{number}</b> {words}", class_=level if number else f"{level} zero")
    yield "</ul></div>\n"
    facts = [
        (len(coverage.judged), "file judged", "files judged"),
        (coverage.rules, "rule asked", "rules asked"),
        (len(coverage.aside), "file set aside", "files set aside"),
        (len(coverage.rest), "file of no kind that is judged", "files of no kind that is judged"),
        (len(coverage.undecided), "answer undecided", "answers undecided"),
        (len(verdict.suppressed), "finding let pass", "findings let pass"),
    ]
    listed = "".join(
        f"<li><b>{number}</b> {escape(say(one if number == 1 else many))}</li>" for number, one, many in facts if number
    )
    yield f'<ul class="facts">{listed}</ul>\n'


def _reasons(run: Run) -> Iterator[str]:
    if run.verdict.reasons:
        yield '<div class="panel broken-list"><ul>'
        for reason in run.verdict.reasons:
            yield f"<li><bdi>{escape(reason)}</bdi></li>"
        yield "</ul></div>\n"


def _drawing(run: Run, tongue: Language) -> str:
    """The drawing and its table; empty where the tree has no service. A strange tree may not have a drawing."""
    from . import graph
    from .html_drawing import Drawing

    try:
        drawn = Drawing(graph.of(run), run.verdict.findings, tongue)
    except Exception as error:
        words = tongue.say("The drawing could not be made: {}.", type(error).__name__)
        return tag("p", escape(words), class_="empty")
    if not drawn.bands:
        return ""
    shown = tag(
        "div", drawn.svg(), class_="scroll", tabindex="0", role="region", aria_label=tongue.say("The deployment")
    )
    title = tag("summary", escape(tongue.say("The same as a table")))
    same = tag("details", title + drawn.table(), class_="twin")
    return tag("div", shown + drawn.legend() + same, class_="panel") + "\n"


def _standard(run: Run, tongue: Language) -> Iterator[str]:
    """Every clause as `elo-gate standard` judges it, with what was looked at."""
    from . import standard
    from .standard_words import Words

    words = Words(run.ruleset, tongue.code)
    states = {standard.PASSED: "passed"}
    rows = []
    for each in standard.document(run, tongue.code)["clauses"]:
        clause = each["clause"]
        badges = [(level, tongue.count(number, level)) for level, number in each["counts"].items() if number]
        if not badges:
            badges = [(states.get(each["state"], ""), words.say(each["state"]))]
        mine = [(number, one) for number, one in enumerate(run.verdict.findings, 1) if clause in one.rule.standard]
        mine.sort(key=lambda one: SEVERITIES.index(one[1].severity))
        links = [tag("a", f"#{number}", class_=one.severity, href=f"#f{number}") for number, one in mine[:8]]
        links += [f"+{len(mine) - 8}"] if len(mine) > 8 else []
        rows.append(
            [
                tag("th", escape(clause), scope="row", id=clause),
                tag("td", escape(each["heading"])),
                tag(
                    "td", " ".join(tag("span", escape(text), class_=f"state {kind}".rstrip()) for kind, text in badges)
                ),
                tag("td", "".join(_evidence(each, tongue, words))),
                tag("td", " ".join(links)),
            ]
        )
    heads = ("Clause", "What it asks", "Result", "Looked at, nothing found", "Findings")
    yield tag("div", table(map(tongue.say, heads), rows, class_="clauses"), class_="panel") + "\n"


def _evidence(clause: dict[str, Any], tongue: Language, words: Words) -> Iterator[str]:
    """What the rules of a clause looked at without finding anything, what they could not tell, what is for people."""
    passed = clause["passed"]
    if passed:
        places = tongue.count(sum(each["places"] for each in passed), "place")
        files = tongue.count(len({path for each in passed for path in each["files"]}), "file")
        title = tongue.say("{}: {} in {}", words.count(len(passed), "rule"), places, files)
        listed = [
            tag(
                "li",
                f"{tag('code', escape(each['rule']))} {', '.join(map(path, each['files'][:3]))}{_more(each['files'])}",
            )
            for each in passed
        ]
        yield tag("details", tag("summary", escape(title)) + tag("ul", "".join(listed)))
    if clause["undecided"]:
        yield tag("div", escape(words.say("{} undecided", tongue.count(len(clause["undecided"]), "answer"))))
    if clause["people"]:
        listed = [tag("li", f"{prose(each['title'])}: {prose(each['why'])}") for each in clause["people"]]
        title = words.say("{} for people", words.count(len(listed), "item"))
        yield tag("details", tag("summary", escape(title)) + tag("ul", "".join(listed)))


def _more(names: list[str]) -> str:
    return f" +{len(names) - 3}" if len(names) > 3 else ""


def _findings(run: Run, tongue: Language, findings: Findings) -> Iterator[str]:
    if not run.verdict.findings:
        yield f'<p class="empty">{escape(tongue.say("no findings"))}</p>\n'
        return
    yield findings.filter() + "\n"
    for text in findings.sections():
        yield text + "\n"


def _suppressed(run: Run, tongue: Language) -> Iterator[str]:
    if not run.verdict.suppressed:
        return
    rows = []
    for finding in run.verdict.suppressed:
        line, column = finding.source.position(finding.start)
        cells = [
            path(f"{finding.source.path}:{line}:{column}"),
            tag("code", escape(finding.rule.id)),
            prose(tongue.message(finding)),
            escape(mask(str(finding.suppressed.reason))),
            escape(str(finding.suppressed.until or "")),
        ]
        rows.append([tag("td", each) for each in cells])
    heads = ("Where", "Rule", "What is wrong", "Reason", "Until")
    yield tag("div", table(map(tongue.say, heads), rows), class_="panel") + "\n"


def _coverage(run: Run, tongue: Language) -> Iterator[str]:
    say, coverage = tongue.say, run.verdict.coverage
    yield '<div class="panel">\n'
    if coverage.partial:
        yield f"<p>{escape(say('Rules that look across files were left out: {}.', coverage.partial))}</p>\n"
    if coverage.judged:
        counts: dict[str, int] = {}
        for finding in run.verdict.findings:
            counts[finding.source.path] = counts.get(finding.source.path, 0) + 1
        rows = [
            [
                tag("td", path(each.path)),
                tag("td", escape(each.kind)),
                tag("td", escape(say("assumed production") if each.assumed else say(each.environment))),
                tag("td", escape(each.why)),
                tag("td", str(counts.get(each.path, 0)), class_="n"),
            ]
            for each in coverage.judged
        ]
        title = f"{say('Judged')}: {tongue.count(len(coverage.judged), 'file')}"
        body = table(map(say, ("File", "Kind", "Environment", "Told by", "Findings")), rows)
        yield tag("details", tag("summary", escape(title)) + body, open=True) + "\n"
    aside: dict[str, list[str]] = {}
    for each in coverage.aside:
        why = each.why if each.environment == "production" else f"{say(each.environment)}: {each.why}"
        aside.setdefault(why, []).append(each.path)
    rest: dict[str, list[str]] = {}
    for name, why in coverage.rest.items():
        rest.setdefault(why, []).append(name)
    for words, groups in (("Set aside", aside), ("Not judged", rest)):
        total = sum(map(len, groups.values()))
        if total:
            parts = [tag("summary", escape(f"{say(words)}: {tongue.count(total, 'file')}"))]
            for why, names in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
                parts.append(tag("p", escape(why)) + tag("ul", "".join(tag("li", path(name)) for name in names)))
            yield tag("details", "\n".join(parts)) + "\n"
    if coverage.undecided:
        title = f"{say('Undecided')}: {tongue.count(len(coverage.undecided), 'answer')}"
        listed = [
            tag("li", f"{path(f'{name}:{line}') if name else ''} {tag('code', escape(rule))} <bdi>{escape(why)}</bdi>")
            for rule, name, line, why in coverage.undecided
        ]
        yield tag("details", tag("summary", escape(title)) + tag("ul", "\n".join(listed))) + "\n"
    yield "</div>\n"
