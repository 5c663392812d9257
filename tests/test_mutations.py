"""One mistake put into the corrected example: the rule for it fires, at its line, and nothing else cries along."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from elo_gate import engine, examples
from elo_gate.gate import declare
from elo_gate.policy.config import read_text
from elo_gate.project import Project
from elo_gate.redact import mask
from elo_gate.ruleset.compile import read_rule, rule_files
from elo_gate.ruleset.load import Ruleset, data_dir, load
from elo_gate.verdict import Verdict, decide, weigh

ROOT = Path(__file__).resolve().parents[1]
TREE = ROOT / "examples/intranet"
MUTATIONS: list[dict[str, Any]] = yaml.safe_load((ROOT / "tests/mutations.yaml").read_text(encoding="utf-8"))


@cache
def rules() -> Ruleset:
    return load()


@cache
def twin() -> dict[str, str]:
    paths = sorted(path for path in TREE.rglob("*") if path.is_file())
    return {path.relative_to(TREE).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def apply(mutation: dict[str, Any]) -> tuple[dict[str, str], str, int]:
    """The tree with a mistake in it, and the (path, line) at which the finding has to start."""
    files = dict(twin())
    first: tuple[str, int] | None = None
    for edit in mutation.get("edits", [mutation]):
        path = edit["file"]
        if edit.get("delete"):
            del files[path]
            continue
        if "add" in edit:
            assert path not in files
            files[path] = edit["add"]
            first = first or (path, 1)
            continue
        assert files[path].count(edit["find"]) == 1, edit["find"]
        start = files[path].index(edit["find"])
        files[path] = files[path].replace(edit["find"], edit["put"])
        first = first or (path, files[path].count("\n", 0, start) + 1)
    if "at" not in mutation:
        assert first is not None
        return files, *first
    path, _, place = mutation["at"].partition(":")
    if place.isdecimal():
        return files, path, int(place)
    assert files[path].count(place) == 1, place
    return files, path, files[path].count("\n", 0, files[path].index(place) + len(place.rstrip("\n"))) + 1


def judge(files: dict[str, str]) -> Verdict:
    """The verdict on a tree in memory, under its own elo-gate.toml, that blocks on errors."""
    policy = read_text("elo-gate.toml", files["elo-gate.toml"], "")
    project = Project(
        examples.MemoryTree(files), examples.AS_OF, rules().table, elo=policy.elo, platforms=policy.platforms,
        ignores=examples.MemoryIgnores(files),
    )  # fmt: skip
    declare(project, policy)
    project.look()
    outcome = engine.judge(project.subjects(), rules(), policy.settings, mask)
    passed, _ = weigh(project, outcome, policy, rules(), mask)
    return decide(project, outcome, policy, suppressed=passed)


def test_without_a_mistake_nothing_is_found() -> None:
    verdict = judge(twin())
    assert (verdict.word, verdict.findings, verdict.coverage.undecided) == ("passed", [], [])


@pytest.mark.parametrize(
    "mutation", MUTATIONS, ids=[f"{number}-{each['rule']}" for number, each in enumerate(MUTATIONS, 1)]
)
def test_a_mistake_is_found_where_it_was_made(mutation: dict[str, Any]) -> None:
    files, path, line = apply(mutation)
    verdict = judge(files)
    assert verdict.reasons == []
    found = [
        (each.rule.id, each.source.path, each.source.position(each.start)[0], each.severity)
        for each in verdict.findings
    ]
    assert [each[1:3] for each in found if each[0] == mutation["rule"]] == [(path, line)], found
    others = {each[0] for each in found} - {mutation["rule"]}
    assert others == set(mutation.get("also", [])), found
    blocked = any(severity == "error" for *_, severity in found)
    assert verdict.word == ("blocked" if blocked else "passed")


def test_the_mistakes_reach_every_folder_and_every_clause() -> None:
    read = {identifier: read_rule(identifier, path) for identifier, path in rule_files(data_dir("rules"))}
    tried = {each["rule"] for each in MUTATIONS}
    assert {each.partition("/")[0] for each in tried} == {each.partition("/")[0] for each in read}
    every = {clause for rule in read.values() for clause in rule.standard}
    assert every - {clause for each in tried for clause in read[each].standard} == set()
