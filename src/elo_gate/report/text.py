"""Turns a run into text for people: findings by file with code frames, then what was and was not looked at."""

from __future__ import annotations

from ..inert import inert
from ..model import ERROR, NOTE, WARNING
from .excerpt import Excerpts, crop
from .language import ENGLISH, Language

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..gate import Run
    from ..model import Finding
    from ..verdict import Coverage

_COLOURS = {
    ERROR: "31",
    WARNING: "33",
    NOTE: "36",
    "bold": "1",
    "dim": "2",
    "passed": "32",
    "blocked": "31",
    "broken": "35",
}


def render(run: Run, colour: bool = False, verbose: bool = False, language: str = ENGLISH) -> str:
    """The report; `verbose` names every file that was set aside and every undecided answer."""
    tongue = Language(run.ruleset, language)

    def paint(text: str, style: str) -> str:
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if colour else text

    verdict = run.verdict
    lines: list[str] = []
    excerpts = Excerpts(run.project)
    path = None
    for finding in verdict.findings:
        if finding.source.path != path:
            path = finding.source.path
            lines += ["", paint(inert(path), "bold") + paint(f"  {tongue.say(finding.environment)}", "dim")]
        lines += _finding(tongue, finding, excerpts, paint)
    for reason in verdict.reasons:
        lines += ["", f"{paint(tongue.say('broken'), 'broken')}  {inert(reason)}"]
    lines += ["", *_coverage(tongue, verdict.coverage, verbose), ""]
    lines.append(_summary(tongue, run, paint))
    return "\n".join(lines).lstrip("\n") + "\n"


def _finding(tongue: Language, finding: Finding, excerpts: Excerpts, paint: object) -> Iterator[str]:
    number, line, first, last = excerpts.frame(finding.source, finding.start, finding.end)
    line, first, last = crop(line, first, last)
    column = finding.source.position(finding.start)[1]
    yield ""
    severity = tongue.say(finding.severity)
    yield f"  {paint(severity, finding.severity)}  {paint(finding.rule.id, 'bold')}  {number}:{column}"  # type: ignore[operator]
    yield f"    {tongue.message(finding)}"
    gutter = len(str(number))
    yield f"    {paint(f'{number} |', 'dim')} {line}"  # type: ignore[operator]
    marks = "^" * max(1, last - first)
    yield f"    {' ' * gutter} {paint('|', 'dim')} {' ' * first}{paint(marks, finding.severity)}"  # type: ignore[operator]
    for source, start, _, words in finding.related:
        where, col = source.position(start)
        yield f"    {tongue.say('also'):4}  {inert(source.path)}:{where}:{col}  {words}"
    yield f"    {paint(tongue.say('why'), 'dim'):4}   {tongue.rationale(finding.rule.id)}"  # type: ignore[operator]
    yield f"    {paint(tongue.say('fix'), 'dim'):4}   {tongue.fix(finding)}"  # type: ignore[operator]


def _coverage(tongue: Language, coverage: Coverage, verbose: bool) -> Iterator[str]:
    kinds: dict[str, int] = {}
    for artifact in coverage.judged:
        kinds[artifact.kind] = kinds.get(artifact.kind, 0) + 1
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    looked = tongue.say("Looked at {} with {} rules", tongue.count(len(coverage.judged), "file"), coverage.rules)
    yield looked + (f" ({listed})." if listed else ".")
    if coverage.partial:
        yield tongue.say("Rules that look across files were left out: {}.", coverage.partial)
    aside: dict[str, list[str]] = {}
    for artifact in coverage.aside:
        why = artifact.why if artifact.environment == "production" else f"{artifact.environment}: {artifact.why}"
        aside.setdefault(why, []).append(artifact.path)
    rest: dict[str, list[str]] = {}
    for path, why in coverage.rest.items():
        rest.setdefault(why, []).append(path)
    for title, groups in (("Set aside", aside), ("Not judged", rest)):
        total = sum(len(paths) for paths in groups.values())
        if not total:
            continue
        yield f"{tongue.say(title)}: {tongue.count(total, 'file')}."
        for why, paths in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
            shown = paths if verbose else paths[:3]
            names = ", ".join(map(inert, shown))
            left = len(paths) - len(shown)
            yield f"  {why}: {tongue.say('{} and {} more', names, left) if left else names}"
    if coverage.undecided:
        many = tongue.count(len(coverage.undecided), "answer")
        yield tongue.say("Undecided: {} (a value that only the running system knows).", many)
        groups_: dict[str, int] = {}
        for rule, _, _, _ in coverage.undecided:
            groups_[rule] = groups_.get(rule, 0) + 1
        if verbose:
            for rule, path, line, why in coverage.undecided:
                yield f"  {inert(path)}:{line}  {rule}: {inert(why)}"
        else:
            shown_ = ", ".join(f"{rule} {count}" for rule, count in sorted(groups_.items())[:6])
            left = len(groups_) - 6
            yield "  " + (tongue.say("{} and {} more rules", shown_, left) if left > 0 else shown_)


def _summary(tongue: Language, run: Run, paint: object) -> str:
    verdict = run.verdict
    word = tongue.say(verdict.word.capitalize())
    return f"{paint(word, verdict.word)}: {tongue.found(verdict)}."  # type: ignore[operator]
