"""Turns a run into one HTML page: verdict, drawing of the deployment, standard clause by clause, findings, coverage.

The page needs nothing from elsewhere and admits nothing: its Content Security Policy names the digests of its own style
and script. Without the script every finding is shown, with it they can be filtered.
"""

from __future__ import annotations

from .. import __version__
from ..model import OFF, SEVERITIES
from . import tally
from .html_findings import Findings, path
from .html_style import SCRIPT, STYLE
from .language import ENGLISH, Language
from .markup import escape, prose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..gate import Run

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
    policy = f"default-src 'none'; style-src '{_digest(STYLE)}'; script-src '{_digest(SCRIPT)}'; img-src data:; base-uri 'none'; form-action 'none'"
    yield f'<!DOCTYPE html>\n<html lang="{tongue.code}">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
    yield '<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n<link rel="icon" href="data:,">\n'
    yield f"<title>elo-gate: {escape(tongue.say(run.verdict.word.capitalize()))}</title>\n"
    yield f"<style>{STYLE}</style>\n</head>\n<body>\n"


def _verdict(run: Run, tongue: Language) -> Iterator[str]:
    verdict, coverage = run.verdict, run.verdict.coverage
    say = tongue.say
    yield f'<div class="top"><strong>elo-gate</strong><span>{escape(say("judged as of {}", verdict.as_of))}</span></div>\n'
    yield f'<div class="verdict {verdict.word}"><div><h1>{escape(say(verdict.word.capitalize()))}</h1>'
    why = say(_REASONS[verdict.word])
    blocking = sum(1 for each in verdict.findings if tally.blocks(verdict, each))
    if verdict.word == "blocked":
        why = say(
            "{} at or above the threshold, '{}', block the release.",
            tongue.count(blocking, "finding"),
            say(verdict.fail_on),
        )
    yield f'<p>{escape(why)}</p></div><ul class="counts">'
    for level in SEVERITIES:
        number = verdict.count(level)
        zero = "" if number else " zero"
        yield f'<li class="{level}{zero}"><b>{number}</b><span>{escape(say(level if number == 1 else level + "s"))}</span></li>'
    yield "</ul></div>\n"
    facts = [
        (len(coverage.judged), "files judged"),
        (coverage.rules, "rules asked"),
        (len(coverage.aside), "files set aside"),
        (len(coverage.rest), "files of no kind that is judged"),
        (len(coverage.undecided), "answers undecided"),
        (len(verdict.suppressed), "findings let pass"),
    ]
    listed = "".join(f"<li><b>{number}</b> {escape(say(words))}</li>" for number, words in facts if number)
    yield f'<ul class="facts">{listed}</ul>\n'


def _reasons(run: Run) -> Iterator[str]:
    if run.verdict.reasons:
        yield '<div class="panel broken-list"><ul>'
        for reason in run.verdict.reasons:
            yield f"<li><bdi>{escape(reason)}</bdi></li>"
        yield "</ul></div>\n"


def _drawing(run: Run, tongue: Language) -> str:
    """The drawing and its table; empty where the tree has no service. The model of a strange tree may fail to be made."""
    from . import graph
    from .html_drawing import Drawing

    try:
        drawn = Drawing(graph.of(run), run.verdict.findings, tongue)
    except Exception as error:
        return f'<p class="empty">{escape(tongue.say("The drawing could not be made: {}.", type(error).__name__))}</p>'
    if not drawn.bands:
        return ""
    name = escape(tongue.say("The deployment"))
    return (
        f'<div class="panel"><div class="scroll" tabindex="0" role="region" aria-label="{name}">{drawn.svg()}</div>{drawn.legend()}'
        f"<details><summary>{escape(tongue.say('The same as a table'))}</summary>{drawn.table()}</details></div>\n"
    )


def _standard(run: Run, tongue: Language) -> Iterator[str]:
    """Every clause: what its rules found. A rule was asked when a file of its kind was judged."""
    say = tongue.say
    asked: dict[str, set[str]] = {}
    kinds = {artifact.kind for artifact in run.verdict.coverage.judged} | {"project"}
    for kind in sorted(kinds & set(run.ruleset.kinds)):
        if kind == "project" and run.verdict.coverage.partial:
            continue
        for rule in run.ruleset.of(kind):
            if run.policy.settings.get(rule.id, (None,))[0] != OFF:
                for clause in rule.standard:
                    asked.setdefault(clause, set()).add(rule.id)
    unsure = {rule for rule, _, _, _ in run.verdict.coverage.undecided}
    head = "".join(
        f'<th scope="col">{escape(say(each))}</th>'
        for each in ("Clause", "What it asks", "Result", "Rules without a finding", "Findings")
    )
    yield f'<div class="panel scroll"><table class="clauses"><thead><tr>{head}</tr></thead><tbody>\n'
    for clause, heading in run.ruleset.clauses.items():
        mine = [(n, each) for n, each in enumerate(run.verdict.findings, 1) if clause in each.rule.standard]
        rules = asked.get(clause, set()) | {each.rule.id for _, each in mine}
        clean = rules - {each.rule.id for _, each in mine}
        levels = [level for level in SEVERITIES if any(each.severity == level for _, each in mine)]
        if levels:
            states = " ".join(
                f'<span class="state {level}">{escape(tongue.count(sum(1 for _, each in mine if each.severity == level), level))}</span>'
                for level in levels
            )
        elif rules & unsure:
            states = f'<span class="state">{escape(say("undecided"))}</span>'
        elif rules:
            states = f'<span class="state passed">{escape(say("no findings"))}</span>'
        else:
            states = f'<span class="state">{escape(say("nothing to look at"))}</span>'
        ratio = say("{} of {}", len(clean), len(rules)) if rules else ""
        mine.sort(key=lambda each: SEVERITIES.index(each[1].severity))
        links = " ".join(f'<a class="{each.severity}" href="#f{n}">#{n}</a>' for n, each in mine[:8])
        more = f" +{len(mine) - 8}" if len(mine) > 8 else ""
        yield f'<tr><th scope="row" id="{escape(clause)}">{escape(clause)}</th><td>{escape(heading)}</td><td>{states}</td><td class="n">{escape(ratio)}</td><td>{links}{more}</td></tr>\n'
    yield "</tbody></table></div>\n"


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
    head = "".join(
        f'<th scope="col">{escape(tongue.say(each))}</th>'
        for each in ("Where", "Rule", "What is wrong", "Reason", "Until")
    )
    yield f'<div class="panel scroll"><table><thead><tr>{head}</tr></thead><tbody>\n'
    for finding in run.verdict.suppressed:
        line, column = finding.source.position(finding.start)
        cells = [
            path(f"{finding.source.path}:{line}:{column}"), f"<code>{escape(finding.rule.id)}</code>",
            prose(tongue.message(finding)), escape(str(finding.suppressed.reason)), escape(str(finding.suppressed.until or "")),
        ]  # fmt: skip
        yield f"<tr>{''.join(f'<td>{each}</td>' for each in cells)}</tr>\n"
    yield "</tbody></table></div>\n"


def _coverage(run: Run, tongue: Language) -> Iterator[str]:
    say, coverage = tongue.say, run.verdict.coverage
    yield '<div class="panel">\n'
    if coverage.partial:
        yield f"<p>{escape(say('Rules that look across files were left out: {}.', coverage.partial))}</p>\n"
    if coverage.judged:
        counts: dict[str, int] = {}
        for finding in run.verdict.findings:
            counts[finding.source.path] = counts.get(finding.source.path, 0) + 1
        head = "".join(
            f'<th scope="col">{escape(say(each))}</th>'
            for each in ("File", "Kind", "Environment", "Told by", "Findings")
        )
        yield f"<details open><summary>{escape(say('Judged'))}: {escape(tongue.count(len(coverage.judged), 'file'))}</summary>"
        yield f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>\n'
        for each in coverage.judged:
            environment = say("assumed production") if each.assumed else say(each.environment)
            yield f"<tr><td>{path(each.path)}</td><td>{escape(each.kind)}</td><td>{escape(environment)}</td><td>{escape(each.why)}</td>"
            yield f'<td class="n">{counts.get(each.path, 0)}</td></tr>\n'
        yield "</tbody></table></div></details>\n"
    aside: dict[str, list[str]] = {}
    for each in coverage.aside:
        why = each.why if each.environment == "production" else f"{say(each.environment)}: {each.why}"
        aside.setdefault(why, []).append(each.path)
    rest: dict[str, list[str]] = {}
    for name, why in coverage.rest.items():
        rest.setdefault(why, []).append(name)
    for title, groups in (("Set aside", aside), ("Not judged", rest)):
        total = sum(map(len, groups.values()))
        if total:
            yield f"<details><summary>{escape(say(title))}: {escape(tongue.count(total, 'file'))}</summary>\n"
            for why, names in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
                yield f"<p>{escape(why)}</p><ul>{''.join(f'<li>{path(name)}</li>' for name in names)}</ul>\n"
            yield "</details>\n"
    if coverage.undecided:
        yield f"<details><summary>{escape(say('Undecided'))}: {escape(tongue.count(len(coverage.undecided), 'answer'))}</summary><ul>\n"
        for rule, name, line, why in coverage.undecided:
            place = f"{path(f'{name}:{line}')} " if name else ""
            yield f"<li>{place}<code>{escape(rule)}</code> <bdi>{escape(why)}</bdi></li>\n"
        yield "</ul></details>\n"
    yield "</div>\n"
