"""Every rule file: its shape, its clause, and its examples, which are its tests."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from elo_gate import examples
from elo_gate.ruleset import load
from elo_gate.ruleset.compile import clauses, compile_rules, read_rule, rule_files, tables
from elo_gate.ruleset.schema import RuleFile

FOLDER = load.data_dir("rules")
RULES = list(rule_files(FOLDER))
_TABLES = {f"table_{name.replace('-', '_')}": f"TABLE = {table!r}" for name, table in tables(FOLDER).items()}


@pytest.mark.parametrize(("identifier", "path"), RULES, ids=[identifier for identifier, _ in RULES])
def test_examples_hold(identifier: str, path: str) -> None:
    rule = read_rule(identifier, path)
    ruleset = load.from_sources({**compile_rules([rule]), **_TABLES})
    assert examples.check(rule, ruleset) == []


@pytest.mark.parametrize(("identifier", "path"), RULES, ids=[identifier for identifier, _ in RULES])
def test_words_are_kept(identifier: str, path: str) -> None:
    rule = read_rule(identifier, path)
    assert set(rule.standard) <= set(clauses(FOLDER))
    for text in (rule.title, rule.rationale, rule.fix, *rule.messages.values()):
        assert not re.search(r"\b(TODO|FIXME|XXX|simply|obviously)\b", text)
    assert len(rule.title) <= 80, "a title fits on a line"
    assert not rule.title.endswith("."), "a title is no sentence"


def test_ids_are_sorted_and_unique() -> None:
    found = [identifier for identifier, _ in RULES]
    assert found == sorted(set(found))
    assert load.load().ids == found


def test_every_clause_cited_or_kept_has_a_paragraph() -> None:
    with open(f"{FOLDER}/STANDARD.md", encoding="utf-8") as file:
        text = file.read()
    for clause, heading in clauses(FOLDER).items():
        body = text.split(f"## {clause} {heading}\n", 1)[1].split("\n## ", 1)[0].strip()
        assert len(body) > 100, f"{clause} says what it demands, why and how it is checked"


def test_every_table_names_its_sources() -> None:
    for name, table in tables(FOLDER).items():
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(table["as_of"])), name
        assert "https://" in str(table), f"{name} names where its facts stand"


def test_the_schema_of_rule_files_is_fresh_and_takes_every_rule(root: Path) -> None:
    kept = json.loads((root / "schemas/rule.schema.json").read_text(encoding="utf-8"))
    made = RuleFile.model_json_schema()
    # Not compared as a whole: how pydantic words a schema changes with its version.
    for part in ("properties", "required", "additionalProperties"):
        assert set(kept[part] or ()) == set(made[part] or ()), (
            "python -m elo_gate.ruleset.schema > schemas/rule.schema.json"
        )
    assert {name: set(each.get("properties", ())) for name, each in kept["$defs"].items()} == {
        name: set(each.get("properties", ())) for name, each in made["$defs"].items()
    }
    validator = jsonschema.Draft202012Validator(kept)
    for _, path in RULES:
        with open(path, encoding="utf-8") as file:
            data = yaml.safe_load(file)
        # YAML reads a date as one; JSON has text there.
        validator.validate(json.loads(json.dumps(data, default=str)))
    assert not validator.is_valid({"id": "a/b"})


def test_every_table_is_named_by_a_rule_that_reads_it() -> None:
    named = {name for identifier, path in RULES for name in read_rule(identifier, path).tables}
    known = {path.stem for path in (Path(load.data_dir("rules")) / "data").glob("*.yaml")}
    assert named <= known
    assert known - named <= {"coverage"}, "a table with dates that `explain` never shows"
