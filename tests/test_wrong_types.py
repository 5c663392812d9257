"""No tree makes a rule or a view fail: our examples, mutated at random, wrong types at every place."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elo_gate import engine, examples
from elo_gate.kinds import kind_of
from elo_gate.redact import mask
from elo_gate.ruleset.load import load

TREES = Path(__file__).resolve().parents[1] / "examples"


def read(tree: str) -> dict[str, str]:
    """The text files of an example."""
    found = {}
    for path in sorted((TREES / tree).rglob("*")):
        if path.is_file():
            found[path.relative_to(TREES / tree).as_posix()] = path.read_text(encoding="utf-8")
    return found


FILES = {tree: read(tree) for tree in ("intranet", "intranet-before")}
STRUCTURED = [(t, p) for t, files in FILES.items() for p in files if p.endswith((".yaml", ".json")) and kind_of(p)]
TEXTUAL = [(t, p) for t, files in FILES.items() for p in files if kind_of(p) and not p.endswith((".yaml", ".json"))]

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 70000), st.floats(allow_nan=False), st.text(max_size=8),
    st.sampled_from(["${X}", "${X:-1}", "{{ .V }}", "0x", "1e999", "-1", "::", "latest", "@", "a:b:c", "/", "..", "\u202e", "8080-"]),
    st.lists(st.text(max_size=3), max_size=3), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.just([[]]), st.just({"": None}), st.just([None, {}]),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value below."""
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


def change(value: Any, path: tuple[Any, ...], put: Any) -> Any:
    """A copy with another value at a path."""
    if not path:
        return put
    made = copy.copy(value)
    made[path[0]] = change(made[path[0]], path[1:], put)
    return made


def failures(files: dict[str, str]) -> list[Any]:
    """What failed when a tree in memory was judged with all rules."""
    ruleset = load()
    project = examples.Project(
        examples.MemoryTree(files), examples.AS_OF, ruleset.table, elo=True, ignores=examples.MemoryIgnores(files)
    )
    project.look()
    outcome = engine.judge(project.judged(), ruleset, {}, mask)
    return outcome.failures


@pytest.mark.parametrize(("tree", "path"), STRUCTURED, ids=[f"{t}/{p}" for t, p in STRUCTURED])
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_wrong_types_in_documents(tree: str, path: str, data: st.DataObject) -> None:
    text = FILES[tree][path]
    documents = [json.loads(text)] if path.endswith(".json") else list(yaml.safe_load_all(text))
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.sampled_from(places(documents)[1:] or [()]))
        documents = change(documents, where, data.draw(ODD))
        if not isinstance(documents, list) or not documents:
            return
    made = json.dumps(documents[0]) if path.endswith(".json") else yaml.safe_dump_all(documents)
    assert failures({**FILES[tree], path: made}) == []


@pytest.mark.parametrize(("tree", "path"), TEXTUAL, ids=[f"{t}/{p}" for t, p in TEXTUAL])
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_broken_text(tree: str, path: str, data: st.DataObject) -> None:
    text = FILES[tree][path]
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.sampled_from([0, 1, 2, 7, 40])))
        put = data.draw(
            st.sampled_from(
                [
                    "",
                    "\n",
                    "'",
                    '"',
                    "{",
                    "}",
                    "[",
                    "$",
                    "${",
                    "\\",
                    "#",
                    "=",
                    ":",
                    "<<EOF\n",
                    "\t",
                    "FROM ",
                    "é",
                    "\x00",
                    "...",
                ]
            )
        )
        text = text[:start] + put + text[end:]
    assert failures({**FILES[tree], path: text}) == []
