"""Turns a run into text for people: findings by file with code frames, then what was and was not looked at."""

from __future__ import annotations

from ..inert import inert
from ..model import ERROR, NOTE, SEVERITIES, WARNING
from .excerpt import Excerpts, crop

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


def render(run: Run, colour: bool = False, verbose: bool = False) -> str:
    """The report; `verbose` names every file that was set aside and every undecided answer."""

    def paint(text: str, style: str) -> str:
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if colour else text

    verdict = run.verdict
    lines: list[str] = []
    excerpts = Excerpts(run.project)
    path = None
    for finding in verdict.findings:
        if finding.source.path != path:
            path = finding.source.path
            lines += ["", paint(inert(path), "bold") + paint(f"  {finding.environment}", "dim")]
        lines += _finding(run, finding, excerpts, paint)
    for reason in verdict.reasons:
        lines += ["", f"{paint('broken', 'broken')}  {inert(reason)}"]
    lines += ["", *_coverage(verdict.coverage, verbose), ""]
    lines.append(_summary(run, paint))
    return "\n".join(lines).lstrip("\n") + "\n"


def _finding(run: Run, finding: Finding, excerpts: Excerpts, paint: object) -> Iterator[str]:
    number, line, first, last = excerpts.frame(finding.source, finding.start, finding.end)
    line, first, last = crop(line, first, last)
    column = finding.source.position(finding.start)[1]
    docs = run.ruleset.words(finding.rule.id)
    yield ""
    yield f"  {paint(finding.severity, finding.severity)}  {paint(finding.rule.id, 'bold')}  {number}:{column}"  # type: ignore[operator]
    yield f"    {finding.message}"
    gutter = len(str(number))
    yield f"    {paint(f'{number} |', 'dim')} {line}"  # type: ignore[operator]
    marks = "^" * max(1, last - first)
    yield f"    {' ' * gutter} {paint('|', 'dim')} {' ' * first}{paint(marks, finding.severity)}"  # type: ignore[operator]
    for source, start, _, words in finding.related:
        where, col = source.position(start)
        yield f"    {'also':4}  {inert(source.path)}:{where}:{col}  {words}"
    yield f"    {paint('why', 'dim'):4}   {docs['rationale']}"  # type: ignore[operator]
    yield f"    {paint('fix', 'dim'):4}   {finding.fix}"  # type: ignore[operator]


def _coverage(coverage: Coverage, verbose: bool) -> Iterator[str]:
    kinds: dict[str, int] = {}
    for artifact in coverage.judged:
        kinds[artifact.kind] = kinds.get(artifact.kind, 0) + 1
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    yield f"Looked at {_count(len(coverage.judged), 'file')} with {coverage.rules} rules" + (
        f" ({listed})." if listed else "."
    )
    if coverage.partial:
        yield f"Rules that look across files were left out: {coverage.partial}."
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
        yield f"{title}: {_count(total, 'file')}."
        for why, paths in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
            shown = paths if verbose else paths[:3]
            more = f" and {len(paths) - len(shown)} more" if len(paths) > len(shown) else ""
            yield f"  {why}: {', '.join(map(inert, shown))}{more}"
    if coverage.undecided:
        yield f"Undecided: {_count(len(coverage.undecided), 'answer')} (a value that only the running system knows)."
        groups_: dict[str, int] = {}
        for rule, _, _, _ in coverage.undecided:
            groups_[rule] = groups_.get(rule, 0) + 1
        if verbose:
            for rule, path, line, why in coverage.undecided:
                yield f"  {inert(path)}:{line}  {rule}: {inert(why)}"
        else:
            yield (
                "  "
                + ", ".join(f"{rule} {count}" for rule, count in sorted(groups_.items())[:6])
                + (f" and {len(groups_) - 6} more rules" if len(groups_) > 6 else "")
            )


def _summary(run: Run, paint: object) -> str:
    verdict = run.verdict
    counts = ", ".join(_count(verdict.count(level), level) for level in SEVERITIES)
    files = len({finding.source.path for finding in verdict.findings})
    found = f"{counts} in {_count(files, 'file')}" if verdict.findings else "no findings"
    passed = f", {len(verdict.suppressed)} let pass" if verdict.suppressed else ""
    word = verdict.word.capitalize()
    return f"{paint(word, verdict.word)}: {found}{passed}."  # type: ignore[operator]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
