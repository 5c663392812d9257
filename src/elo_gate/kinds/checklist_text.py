"""Turns Markdown into the items of its task lists with the headings above them, and into the day it says it is from.

Beside the kind's module, because its patterns cost more than a README without a task list is worth.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_TASK = re.compile(r"(?m)^[ \t]*(?:[-*+]|\d+[.)]) \[([ xX])\] +(\S[^\r\n]*)")
_HEADING = re.compile(r"(?m)^ {0,3}#{1,6}[ \t]+([^\r\n]*)$")
_WORDS = re.compile(
    r"\b(?:(?:pre|post|p[óo]s)?[- ]?deploy\w*|releas(?:e|ing)|go[- ]?live|launch|roll-?out|implanta[çc][ãa]o|"
    r"publica[çc][ãa]o|"
    r"lan[çc]amento|despliegue|lanzamiento|d[ée]ploiement|mise en production|produktivsetzung)\b",
    re.I,
)
_NAMES = re.compile(
    r"(?:^|[/._-])(?:deploy(?:ment)?|release|go-?live|launch|rollout|production)[._-]?checklist|"
    r"checklist[._-](?:deploy|release|launch|production)",
    re.I,
)
_LEAST = 2
_MONTHS = (
    "jan janeiro january enero janvier januar",
    "feb fev fevereiro february febrero février fevrier februar",
    "mar março marco march marzo mars märz",
    "apr abr abril april avril",
    "may mai maio mayo",
    "jun junho june junio juin juni",
    "jul julho july julio juillet juli",
    "aug ago agosto august août aout",
    "sep sept set setembro september septiembre septembre",
    "oct out outubro october octubre octobre oktober",
    "nov novembro november noviembre novembre",
    "dec dez dezembro december diciembre décembre decembre dezember",
)
_MONTH = {word: number for number, words in enumerate(_MONTHS, 1) for word in words.split()}
_SAID = re.compile(
    r"(?:last[ _-]?(?:updated?|reviewed|revised|modified)|updated(?:[ _-]?(?:at|on))?|revised|"
    r"[úu]ltima atualiza[çc][ãa]o|"
    r"atualizado(?: em)?|[úu]ltima actualizaci[óo]n|actualizado(?: el)?|(?:derni[èe]re )?mis(?:e)? [àa] jour(?: le)?|"
    r"zuletzt aktualisiert(?: am)?|\bstand)[\s*_`\"']{0,6}[:|=-]?[\s*_`\"']{0,6}",
    re.I,
)
_DATE = re.compile(
    r"(?P<iso>\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?)|(?P<numbers>\d{1,2}[/.]\d{1,2}[/.]\d{4})|"
    r"(?:(?P<day>\d{1,2})(?:st|nd|rd|th|\.|º)?\s+(?:de\s+|of\s+)?)?(?P<month>[^\W\d_]{3,10})\.?"
    r"(?:\s+(?P<after>\d{1,2})(?:st|nd|rd|th)?,)?\s+(?:de\s+|of\s+)?(?P<year>\d{4})"
)


def releases(path: str, text: str) -> bool:
    """Whether a text with task items is about a release: by the file's name, or by two items below such a heading."""
    if _NAMES.search(path):
        return _TASK.search(text) is not None
    found = 0
    for _, heading in tasks(text):
        found += 1 if _WORDS.search(heading) else 0
        if found >= _LEAST:
            return True
    return False


def tasks(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """(task, the headings above it) in order; nothing within a fenced block."""
    fences = [match.start() for match in re.finditer(r"(?m)^[ \t]*(?:```|~~~)", text)]
    marks = sorted(
        [(match.start(), match, True) for match in _HEADING.finditer(text)]
        + [(match.start(), match, False) for match in _TASK.finditer(text)],
        key=lambda mark: mark[0],
    )
    above: list[tuple[int, str]] = []
    at = 0
    for start, match, is_heading in marks:
        while at < len(fences) and fences[at] < start:
            at += 1
        if at % 2:
            continue
        if is_heading:
            level = len(match[0]) - len(match[0].lstrip(" #"))
            above = [each for each in above if each[0] < level]
            above.append((level, match[1]))
        else:
            yield match, " / ".join(each for _, each in above)


def updated(text: str) -> tuple[str, int, int] | None:
    """(day, start, end) of the newest date behind words such as "last updated"; a month stands for its last day."""
    best: tuple[str, int, int] | None = None
    for said in _SAID.finditer(text):
        match = _DATE.match(text, said.end())
        day = _day(match) if match is not None else None
        if match is not None and day is not None and (best is None or day > best[0]):
            best = (day, match.start(), match.end())
    return best


def _day(match: re.Match[str]) -> str | None:
    """The day of a date as written; the later one where day and month may be either."""
    if match["iso"]:
        parts = [int(part) for part in re.split(r"[-/.]", match["iso"])]
        return _iso(parts[0], parts[1], parts[2] if len(parts) > 2 else 31)
    if match["numbers"]:
        one, two, year = (int(part) for part in re.split(r"[/.]", match["numbers"]))
        found = [day for day in (_iso(year, two, one), _iso(year, one, two)) if day is not None]
        return max(found) if found else None
    month = _MONTH.get(match["month"].lower())
    if month is None:
        return None
    day = match["day"] or match["after"]
    return _iso(int(match["year"]), month, int(day) if day else 31)


def _iso(year: int, month: int, day: int) -> str | None:
    """A real month's day, never later than its end; only the order of such days matters."""
    if not (1990 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= 31):
        return None
    return f"{year:04d}-{month:02d}-{day:02d}"
