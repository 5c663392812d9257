"""Turns rule files and data tables into Python modules: a hot one a kind, a cold one with the words.

What comes out holds literals and calls into `evaluate` only. Used by the wheel's build, by a source checkout
whose rules have changed since, and for a user's own rule folders.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import ValidationError

from ..discover import Unreadable, read_file
from .expr import ExpressionError, translate, translate_test
from .load import RuleError
from .schema import Example, RuleFile

_PLACEHOLDER = re.compile(r"(?<![${])\{([A-Za-z_][^{}]*)\}")
_HEADING = re.compile(r"^## ([A-Z]{2,4}-[0-9]+) (.+)$", re.M)


def rule_files(folder: str) -> Iterator[tuple[str, str]]:
    """(id, path) of every rule file below a rules folder, sorted; `data/` holds tables, not rules."""
    for name in sorted(os.listdir(folder)):
        inner = os.path.join(folder, name)
        if not os.path.isdir(inner) or name == "data":
            continue
        for stem in sorted(file[:-5] for file in os.listdir(inner) if file.endswith(".yaml")):
            yield f"{name}/{stem}", os.path.join(inner, f"{stem}.yaml")


def read_rule(identifier: str, path: str) -> RuleFile:
    """One validated rule file. Raises RuleError with path and field."""
    try:
        text = read_file(os.path.realpath(path)).decode("utf-8")
        _bounded(path, text)
        data = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except Unreadable as error:
        raise RuleError(f"{path}: {error}") from None
    except (UnicodeDecodeError, yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark is not None else ""
        raise RuleError(f"{path}{place}: not readable as YAML") from None
    try:
        rule = RuleFile.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        raise RuleError(f"{path}: {field}: {first['msg']}") from None
    if rule.id != identifier:
        raise RuleError(f"{path}: the id is '{rule.id}', the path says '{identifier}'")
    return rule


def _bounded(path: str, text: str) -> None:
    """Refuses what PyYAML would not survive: a user's rules may lie in a hostile repository. Raises RuleError.

    libyaml's composer recurses in C, merge keys multiply, and aliases multiply for whoever walks what was loaded.
    """
    from ..model import Source
    from ..syntax.yaml import parse

    _, problems = parse(Source(path, text))
    if any(problem.fatal for problem in problems):
        raise RuleError(f"{path}: not readable as YAML")
    anchored: list[bool] = []  # of the collections that are open
    for event in yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, yaml.CollectionStartEvent):
            anchored.append(event.anchor is not None)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchored.pop()
        elif isinstance(event, yaml.AliasEvent) and any(anchored):
            raise RuleError(f"{path}: an anchor whose value holds another one: write it out")


def clauses(folder: str, edition: str = "STANDARD.md") -> dict[str, str]:
    """Clause id to heading, from an edition of the standard in a rules folder."""
    try:
        with open(os.path.join(folder, edition), encoding="utf-8") as file:
            return dict(_HEADING.findall(file.read()))
    except OSError:
        return {}


def template(text: str, names_only: bool, where: str) -> tuple[str, list[tuple[str, str]]]:
    """A text with `{0}`, `{1}` ... and, for each, (source of its value, words when absent).

    `names_only`: placeholders are names filled by a check, not expressions.
    """
    parts: list[tuple[str, str]] = []

    def replace(match: re.Match[str]) -> str:
        inside, _, default = match.group(1).partition("|")
        inside = inside.strip()
        if names_only:
            if not inside.isidentifier():
                raise RuleError(f"{where}: '{{{inside}}}': a check fills plain names only")
            source = f"v.get({inside!r})"
        else:
            try:
                source = translate(inside)
            except ExpressionError as error:
                raise RuleError(f"{where}: '{{{inside}}}': {error}") from None
        parts.append((source, default.strip() or "nothing"))
        return f"{{{len(parts) - 1}}}"

    return _unescape(_PLACEHOLDER.sub(replace, text)), parts


def _unescape(text: str) -> str:
    """`{{` and `}}` are braces of the text; those of an expression, `${{ ... }}`, stay as they are."""
    kept: list[bool] = []

    def brace(match: re.Match[str]) -> str:
        word = match[0]
        if word != "}}":
            kept.append(word == "${{")
            return word if kept[-1] else "{"
        return word if kept and kept.pop() else "}"

    return re.sub(r"\$\{\{|\{\{|\}\}", brace, text)


def _template_source(text: str, names_only: bool, where: str) -> str:
    body, parts = template(" ".join(text.split()), names_only, where)
    arguments = "v" if names_only else "it, params, file"
    values = "".join(f"SHOW({source}, {default!r}), " for source, default in parts)
    return f"({body!r}, lambda {arguments}: ({values}))" if parts else f"({body!r}, None)"


def _check_message(where: str, text: str) -> None:
    text = " ".join(text.split())
    if not text.endswith("."):
        raise RuleError(f"{where}: a message ends with a period")
    found = list(_PLACEHOLDER.finditer(text))
    if not found:
        raise RuleError(f"{where}: a message names the offending thing: it needs at least one placeholder")
    for match in found:
        if text[match.start() - 1 : match.start()] != "'" or text[match.end() : match.end() + 1] != "'":
            raise RuleError(f"{where}: placeholder {match.group(0)} stands in single quotes: '{match.group(0)}'")


def rule_source(rule: RuleFile) -> str:
    """The hot half of one rule: a tuple literal of literals and lambdas, in the order of `load.Rule`."""

    def lambda_of(expression: str | None, field: str, test: bool) -> str:
        if expression is None:
            return "None"
        try:
            return "lambda it, params, file: " + (translate_test if test else translate)(expression)
        except ExpressionError as error:
            raise RuleError(f"{rule.id}: {field}: {error}") from None

    levels = rule.levels
    names_only = rule.check is not None
    for name, text in rule.messages.items():
        _check_message(f"{rule.id}: message {name}", text)
    messages = ", ".join(
        f"{name!r}: {_template_source(text, names_only, f'{rule.id}: message {name}')}"
        for name, text in rule.messages.items()
    )
    return (
        f"({rule.id!r}, {levels.default!r}, {levels.elo!r}, {levels.assumed!r}, {tuple(rule.standard)!r}, "
        f"{rule.select!r}, {lambda_of(rule.when, 'when', True)}, {lambda_of(rule.assert_, 'assert', True)}, "
        f"{rule.check!r}, {dict(rule.with_)!r}, {lambda_of(rule.at, 'at', False)}, {{{messages}}}, "
        f"{_template_source(rule.fix, names_only, f'{rule.id}: fix')}"
        + (f", {(rule.edit.safety, rule.edit.by)!r})" if rule.edit is not None else ")")
    )


def documentation(rule: RuleFile) -> dict[str, Any]:
    """The cold half of one rule: its words."""
    return {
        "title": rule.title,
        "rationale": " ".join(rule.rationale.split()),
        "fix": _unescape(" ".join(rule.fix.split())),
        "messages": {
            name: template(" ".join(text.split()), rule.check is not None, rule.id)[0]
            for name, text in rule.messages.items()
        },
        "tables": list(rule.tables),
        "references": [(each.title, each.url, each.date.isoformat()) for each in rule.references],
        "security": rule.security,
        "cwe": list(rule.cwe),
        "aliases": list(rule.aliases),
        "suppressable": rule.suppressable,
        "parameters": dict(rule.with_),
        "bad": [(each.why, _shown(each), each.places) for each in rule.bad[:2]],
        "good": [(each.why, _shown(each)) for each in rule.good[:1]],
    }


def translation(rule: RuleFile, language: str) -> dict[str, Any]:
    """The words of a rule in another language: title, rationale, fix and messages.

    fix and messages are (text, {index: (English words, words)}): `{0}` stands for the first argument of the English
    text, and words that stand for an absent value are exchanged. Raises RuleError for a placeholder that is not there.
    """
    words = rule.translations[language]  # type: ignore[index]
    names_only = rule.check is not None

    def carried(text: str, english: str, field: str) -> tuple[str, dict[int, tuple[str, str]]]:
        where = f"{rule.id}: translations: {language}: {field}"
        body, parts = template(" ".join(text.split()), names_only, where)
        _, known = template(" ".join(english.split()), names_only, where)
        free = list(range(len(known)))
        order: list[int] = []
        for source, _ in parts:
            found = next((n for n in free if known[n][0] == source), None)
            if found is None:
                found = next((n for n, each in enumerate(known) if each[0] == source), None)
            if found is None:
                raise RuleError(f"{where}: a placeholder that the English text has not")
            if found in free:
                free.remove(found)
            order.append(found)
        if free and field != "fix":
            raise RuleError(f"{where}: a placeholder of the English text is missing")
        pieces = re.split(r"\{(\d+)\}", body)
        for at in range(1, len(pieces), 2):
            pieces[at] = f"{{{order[int(pieces[at])]}}}"
        absent = {n: (known[n][1], parts[at][1]) for at, n in enumerate(order) if known[n][1] != parts[at][1]}
        return "".join(pieces), absent

    for name, text in words.messages.items():
        _check_message(f"{rule.id}: translations: {language}: message {name}", text)
    return {
        "title": words.title,
        "rationale": " ".join(words.rationale.split()),
        "fix": carried(words.fix, rule.fix, "fix"),
        "shown_fix": _unescape(" ".join(words.fix.split())),
        "messages": {name: carried(text, rule.messages[name], name) for name, text in words.messages.items()},
    }


def _shown(example: Example) -> str:
    """An example as one text; of several files, and beside a configuration, each under its path."""
    files = dict(example.files) if example.files is not None else {"": example.file or ""}
    if example.config:
        files["elo-gate.toml"] = example.config
    if len(files) == 1 and "" in files:
        return files[""]
    return (
        "\n".join(f"--- {path or 'the file'}\n{text.rstrip()}" for path, text in files.items() if text.strip()) + "\n"
    )


def compile_rules(rules: list[RuleFile]) -> dict[str, str]:
    """Module name to Python source: `kind_<kind>` and `docs_<kind>` for each kind, and `index`."""
    by_kind: dict[str, list[RuleFile]] = {}
    for rule in rules:
        for kind in rule.kinds:
            by_kind.setdefault(kind, []).append(rule)
    modules = {}
    head = '"""Made from rules/ by ruleset.compile; not edited by hand."""\n'
    for kind, members in sorted(by_kind.items()):
        lines = ",\n".join(rule_source(rule) for rule in members)
        modules[f"kind_{kind}"] = f"{head}from elo_gate.ruleset.evaluate import *\n\nRULES = [\n{lines},\n]\n"
    # The words of a rule lie with its first kind, so that a finding loads only those of its own kind.
    for kind in sorted({rule.kinds[0] for rule in rules}):
        docs = ",\n".join(f"{rule.id!r}: {documentation(rule)!r}" for rule in rules if rule.kinds[0] == kind)
        modules[f"docs_{kind}"] = f"{head}DOCS = {{\n{docs},\n}}\n"
        for language in sorted({each for rule in rules for each in rule.translations}):
            told = [rule for rule in rules if rule.kinds[0] == kind and language in rule.translations]
            words = "".join(f"{rule.id!r}: {translation(rule, language)!r},\n" for rule in told)
            modules[f"words_{language.lower().replace('-', '_')}_{kind}"] = f"{head}WORDS = {{\n{words}}}\n"
    kinds = {rule.id: rule.kinds[0] for rule in sorted(rules, key=lambda rule: rule.id)}
    aliases = {alias: rule.id for rule in rules for alias in rule.aliases}
    modules["index"] = f"{head}KINDS = {sorted(by_kind)!r}\nIDS = {kinds!r}\nALIASES = {aliases!r}\n"
    return modules


def compile_folder(folder: str) -> dict[str, str]:
    """Everything of a rules folder: rule modules, `table_<name>` for each data table, `clauses`. Raises RuleError."""
    known = clauses(folder)
    rules = []
    for identifier, path in rule_files(folder):
        rule = read_rule(identifier, path)
        for clause in rule.standard:
            if known and clause not in known:
                raise RuleError(f"{path}: standard: '{clause}' is no heading of STANDARD.md")
        rules.append(rule)
    modules = compile_rules(rules)
    for name, table in tables(folder).items():
        modules["table_" + name.replace("-", "_")] = f'"""Made from rules/data/{name}.yaml."""\nTABLE = {table!r}\n'
    modules["index"] += f"ADDRESS = {address(folder)!r}\n"
    modules["clauses"] = f'"""Made from rules/STANDARD.md."""\nCLAUSES = {known!r}\n'
    modules["clauses"] += f"EDITIONS = {{'pt-BR': {clauses(folder, 'STANDARD.pt-BR.md')!r}}}\n"
    return modules


def address(folder: str) -> str:
    """The project's public address: one line of the pyproject.toml beside a rules folder."""
    try:
        with open(os.path.join(os.path.dirname(folder), "pyproject.toml"), encoding="utf-8") as file:
            found = re.search(r'^Repository = "(https://[^"]+)"$', file.read(), re.M)
    except OSError:
        found = None
    return found.group(1) if found else ""


def tables(folder: str) -> dict[str, Any]:
    """The data tables of a rules folder by name. Dates become ISO text. Raises RuleError without `as_of`."""
    found: dict[str, Any] = {}
    data = os.path.join(folder, "data")
    for file in sorted(os.listdir(data)) if os.path.isdir(data) else ():
        if not file.endswith(".yaml"):
            continue
        path = os.path.join(data, file)
        with open(path, encoding="utf-8") as stream:
            table = yaml.load(stream, getattr(yaml, "CBaseLoader", yaml.BaseLoader))
        if not isinstance(table, dict) or "as_of" not in table:
            raise RuleError(f"{path}: a table says `as_of` when its facts were looked up")
        found[file[:-5]] = table
    return found
