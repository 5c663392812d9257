"""The schemas of vercel.json and railway.toml: as files, and the walk over them against two validators."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elo_gate.checks import railway_schema, schema, vercel_schema
from elo_gate.model import ABSENT, CHOICE, MAP, SCALAR, SEQ, UNKNOWN, Node, Source

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
TABLES: dict[str, Any] = {"vercel": vercel_schema, "railway": railway_schema}
TITLES = {
    "vercel": "vercel.json, written by elo-gate from Vercel's documented facts",
    "railway": "railway.toml and railway.json, written by elo-gate from Railway's documented facts",
}


def as_file(name: str) -> str:
    """The text of schemas/<name>.schema.json."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": TITLES[name],
        "$comment": f"Made from src/elo_gate/checks/{name}_schema.py by tests/test_schemas.py. Facts as of "
        f"{TABLES[name].AS_OF}; their sources stand in that module.",
    }
    return json.dumps({**head, **TABLES[name].SCHEMA}, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("name", sorted(TABLES))
def test_the_file_is_the_table(name: str) -> None:
    path = SCHEMAS / f"{name}.schema.json"
    assert path.read_text(encoding="utf-8") == as_file(name), f"stale: python {Path(__file__).name} --write"


@pytest.mark.parametrize("name", sorted(TABLES))
def test_the_file_is_a_schema(name: str) -> None:
    document = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(document)
    jsonschema_rs.validator_for(document)


def node_of(value: Any, source: Source | None = None) -> Node:
    """A tree for a JSON value, as a reader would make it, without places."""
    at = source or Source("x", "")
    if isinstance(value, dict):
        return Node(
            MAP, [(Node(SCALAR, key, at, 0, 0, '"'), node_of(each, at)) for key, each in value.items()], at, 0, 0
        )
    if isinstance(value, list):
        return Node(SEQ, [node_of(each, at) for each in value], at, 0, 0)
    if isinstance(value, str):
        return Node(SCALAR, value, at, 0, 0, '"')
    return Node(SCALAR, json.dumps(value), at, 0, 0)


def names_in(table: Any) -> set[str]:
    """Every property name and every text of an enum, for the generator to hit."""
    found: set[str] = set()
    if isinstance(table, dict):
        found.update(table.get("properties", ()))
        found.update(each for each in table.get("enum", ()) if isinstance(each, str))
        for each in table.values():
            found |= names_in(each)
    elif isinstance(table, list):
        for each in table:
            found |= names_in(each)
    return found


def documents(table: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Documents that use the schema's own names, in and out of place."""
    words = st.sampled_from(sorted(names_in(table))) | st.text(max_size=6)
    leaves = (
        st.none() | st.booleans() | st.integers(-3, 12_000) | st.floats(allow_nan=False, allow_infinity=False, width=16)
        | words | st.sampled_from(["max", "/a", "0 5 * * *", "x@1.2.3"])
    )  # fmt: skip
    inner = st.recursive(
        leaves, lambda each: st.lists(each, max_size=3) | st.dictionaries(words, each, max_size=4), max_leaves=12
    )
    top = st.dictionaries(st.sampled_from(sorted(table["properties"])) | words, inner, max_size=4)
    return top | directed(table)


def directed(table: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Documents that follow the schema with a wrong value now and then: what random ones seldom reach."""

    def of(part: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
        wrong: st.SearchStrategy[Any] = (
            st.none() | st.integers(-2, 20_000) | st.text(max_size=3) | st.just([]) | st.just({"x": 1})
        )
        if depth > 5:
            return wrong
        if "anyOf" in part:
            return st.one_of([of(each, depth + 1) for each in part["anyOf"]]) | wrong
        if "enum" in part:
            return st.sampled_from(part["enum"]) | wrong
        kinds = part.get("type", "object")
        options: list[st.SearchStrategy[Any]] = [wrong]
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            if kind == "object":
                known = part.get("properties", {})
                rest = part.get("additionalProperties", True)
                fixed = st.fixed_dictionaries({}, optional={key: of(each, depth + 1) for key, each in known.items()})
                more = (
                    st.dictionaries(st.text(max_size=3), of(rest, depth + 1), max_size=2)
                    if isinstance(rest, dict)
                    else st.just({})
                )
                options.append(st.builds(lambda a, b: {**b, **a}, fixed, more))
            elif kind == "array":
                options.append(st.lists(of(part.get("items", {"type": "string"}), depth + 1), max_size=3))
            elif kind == "string":
                options.append(st.sampled_from(["/a", "0 5 * * *", "x@1.2.3", "max", "ab", ""]))
            elif kind in ("number", "integer"):
                options.append(st.integers(0, 2000))
            elif kind == "boolean":
                options.append(st.booleans())
        return st.one_of(options)

    parts = {key: of(part, 0) for key, part in table["properties"].items()}
    return st.sampled_from(sorted(parts)).flatmap(lambda key: parts[key].map(lambda value: {key: value}))


def addresses(document: Any, table: dict[str, Any]) -> set[tuple[str | int, ...]]:
    """Where jsonschema finds fault, alternatives counted once at their value."""
    found: set[tuple[str | int, ...]] = set()
    for error in jsonschema.Draft202012Validator(table).iter_errors(document):
        found.add(tuple(error.absolute_path))
    return found


@pytest.mark.parametrize("name", sorted(TABLES))
def test_the_walk_agrees_with_two_validators(name: str) -> None:
    table = TABLES[name].SCHEMA
    rust = jsonschema_rs.validator_for(table)

    @settings(max_examples=250, deadline=None)
    @given(documents(table))
    def agree(document: Any) -> None:
        ours = list(schema.violations(node_of(document), table))
        theirs = addresses(document, table)
        assert bool(ours) == bool(theirs) == (not rust.is_valid(document))
        # An alternative's own fault lies below the value at which a validator reports that none holds.
        for each in ours:
            assert any(each.path[: len(path)] == path for path in theirs), (each.code, each.path)
        for path in theirs:
            assert any(each.path[: len(path)] == path for each in ours), path

    agree()


def test_what_is_unknown_is_no_violation() -> None:
    at = Source("x", "")
    key = Node(SCALAR, "crons", at, 0, 0, '"')
    for value in (Node(UNKNOWN, "crons()", at, 0, 0), Node(CHOICE, [], at, 0, 0)):
        assert not list(schema.violations(Node(MAP, [(key, value)], at, 0, 0), vercel_schema.SCHEMA))
    assert not list(schema.violations(ABSENT, vercel_schema.SCHEMA))


def test_a_spread_may_hold_what_is_required() -> None:
    at = Source("x", "")
    images = Node(MAP, [], at, 0, 0, tag="open")
    root = Node(MAP, [(Node(SCALAR, "images", at, 0, 0, '"'), images)], at, 0, 0)
    assert not list(schema.violations(root, vercel_schema.SCHEMA))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("maxDurations", "maxDuration"),
        ("max_duration", "maxDuration"),
        ("deploymentOverlapSeconds", "overlapSeconds"),
        ("healthCheckPath", "healthcheckPath"),
        ("startComand", "startCommand"),
        ("environment", "environments"),
        ("zzz", ""),
        ("x", ""),
    ],
)
def test_the_nearest_spelling(written: str, meant: str) -> None:
    known = [
        "maxDuration",
        "memory",
        "overlapSeconds",
        "drainingSeconds",
        "healthcheckPath",
        "startCommand",
        "environments",
    ]
    assert schema.nearest(written, known) == meant


def test_no_message_word_holds_a_value() -> None:
    secret = "hunter2-hunter2"
    document = {"env": {"A": [secret]}, "crons": [{"path": secret, "schedule": secret}], "public": secret}
    for each in schema.violations(node_of(document), vercel_schema.SCHEMA):
        assert secret not in f"{each.where} {each.key} {each.expected}"


if __name__ == "__main__" and "--write" in sys.argv:
    for each in TABLES:
        (SCHEMAS / f"{each}.schema.json").write_text(as_file(each), encoding="utf-8")
