"""Turns the words of rules into pages for people, and a name into a rule file to start from."""

from __future__ import annotations

import os
import re
import textwrap

from .load import Ruleset, data_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


# The labels of a rule's page in other languages.
_LABELS = {
    "pt-BR": {
        "severity": "severidade", "standard": "norma", "parameter": "parâmetro", "why": "por quê", "fix": "correção",
        "wrong": "errado", "right": "certo", "line": "linha", "sources": "fontes", "looked up": "consultado em",
        "facts as of": "fatos de",
    }
}  # fmt: skip


class ScaffoldError(Exception):
    """A rule file that cannot be started; the message says what to do instead."""


def explain(ruleset: Ruleset, identifier: str, language: str = "en") -> str:
    """Everything there is to know about a rule, as text; title, reason and fix in a language where it has them."""
    words = ruleset.words(identifier)
    told = ruleset.translated(identifier, language) if language != "en" else None
    if told is not None:
        words = {**words, "title": told["title"], "rationale": told["rationale"], "fix": told["shown_fix"]}
    rule = next(each for kind in ruleset.kinds for each in ruleset.of(kind) if each.id == identifier)
    levels = [rule.severity]
    if rule.elo:
        levels.append(f'{rule.elo} where standard = "elo"')
    if rule.assumed:
        levels.append(f"{rule.assumed} where production is assumed")
    say = _LABELS.get(language, {})
    clauses = ruleset.headings(language)
    standard, why, fix = say.get("standard", "standard"), say.get("why", "why"), say.get("fix", "fix")
    lines = [f"{identifier}: {words['title']}", "", f"{say.get('severity', 'severity')}  {', '.join(levels)}"]
    lines += [f"{standard}  {clause} {clauses.get(clause, '')}".rstrip() for clause in rule.standard]
    for name, value in words["parameters"].items():
        lines.append(f"{say.get('parameter', 'parameter')} {name} = {value!r}")
    lines += ["", *_wrapped(why, words["rationale"]), "", *_wrapped(fix, words["fix"])]
    for why, text, places in words["bad"]:
        where = f" ({say.get('line', 'line')} {', '.join(map(str, places))})"
        lines += ["", say.get("wrong", "wrong") + (f": {why}" if why else "") + where]
        lines += ["    " + line for line in text.rstrip("\n").split("\n")]
    for why, text in words["good"]:
        lines += ["", say.get("right", "right") + (f": {why}" if why else "")]
        lines += ["    " + line for line in text.rstrip("\n").split("\n")]
    if words["references"]:
        looked = say.get("looked up", "looked up")
        lines += ["", say.get("sources", "sources")]
        lines += [f"    {title}, {url}, {looked} {date}" for title, url, date in words["references"]]
    for name in words["tables"]:
        table = ruleset.table(name)
        if table is not None:
            looked = say.get("looked up", "looked up")
            lines += ["", f"{say.get('facts as of', 'facts as of')} {table['as_of']}: rules/data/{name}.yaml"]
            lines += [f"    {each['title']}, {each['url']}, {looked} {each['date']}" for each in _sources(table)]
    return "\n".join(lines) + "\n"


def _sources(table: Any) -> list[dict[str, str]]:
    """The sources of a table, wherever in it they stand: maps with `title`, `url` and `date`."""
    found: dict[str, dict[str, str]] = {}
    stack = [table]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if {"title", "url", "date"} <= value.keys():
                found.setdefault(value["url"], value)
            stack.extend(reversed(list(value.values())))
        elif isinstance(value, list):
            stack.extend(reversed(value))
    return list(found.values())


def _wrapped(label: str, text: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent=f"{label}  ", subsequent_indent=" " * (len(label) + 2))


def listing(ruleset: Ruleset, form: str) -> str:
    """Every rule once: id, severity, clauses, title."""
    rows = {}
    for kind in ruleset.kinds:
        for rule in ruleset.of(kind):
            rows[rule.id] = (rule.severity, list(rule.standard), ruleset.words(rule.id)["title"])
    if form == "json":
        import json

        listed = [
            {"id": identifier, "severity": severity, "standard": clauses, "title": title}
            for identifier, (severity, clauses, title) in sorted(rows.items())
        ]
        return json.dumps(listed, indent=2) + "\n"
    width = max(map(len, rows), default=0)
    return "".join(f"{identifier:{width}}  {row[0]:7}  {row[2]}\n" for identifier, row in sorted(rows.items()))


_TEMPLATE = """\
id: {id}
title: What is wrong, in a few words
severity: warning
standard: [CTR-1]
kind: {kind}
select: file
assert: it
message: "'{{file.name}}' has it wrong."
rationale: Why it matters, in one to three sentences that hedge nothing.
fix: What to write instead, literally.
references:
  - {{title: "Where the fact stands", url: "https://", date: {date}}}
bad:
  - why: what this example shows
    file: |
      replace me
    at: 1
good:
  - file: |
      replace me
"""

_FOLDER_KINDS = {"docker": "dockerfile", "ci": "workflow", "headers": "project"}


def scaffold(identifier: str) -> str:
    """Writes `rules/<folder>/<name>.yaml` in a checkout and returns its path. Raises ScaffoldError."""
    if not re.fullmatch(r"[a-z0-9]+/[a-z0-9]+(-[a-z0-9]+)*", identifier):
        raise ScaffoldError(f"{identifier}: a rule is named folder/bad-pattern, lower case with hyphens")
    folder, _, name = identifier.partition("/")
    path = os.path.join(data_dir("rules"), folder, f"{name}.yaml")
    if os.path.exists(path):
        raise ScaffoldError(f"{path}: it exists already")
    from ..gate import today

    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(_TEMPLATE.format(id=identifier, kind=_FOLDER_KINDS.get(folder, folder), date=today()))
    return path
