"""The two trees of examples/: one passes every rule and leaves nothing undecided, the other breaks every clause."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from elo_gate import gate
from elo_gate.policy.config import PROMISES, read_text
from elo_gate.ruleset.compile import read_rule, rule_files
from elo_gate.ruleset.load import data_dir

AS_OF = "2026-11-25"
# A release of the twin goes to production after its gates; there is no second environment to go through.
NOT_PROMISED = {"staging"}


@cache
def clauses() -> dict[str, set[str]]:
    """Clause -> the rules that name it."""
    found: dict[str, set[str]] = {}
    for identifier, path in rule_files(data_dir("rules")):
        for clause in read_rule(identifier, path).standard:
            found.setdefault(clause, set()).add(identifier)
    return found


@pytest.mark.parametrize("as_of", [AS_OF, "2027-11-25"])
def test_the_twin_passes_and_everything_could_be_decided(root: Path, as_of: str) -> None:
    run = gate.run(str(root / "examples/intranet"), as_of=as_of, fail_on="note")
    assert [f"{each.source.path}: {each.rule.id}" for each in run.verdict.findings] == []
    assert run.verdict.coverage.undecided == []
    assert run.verdict.coverage.failures == []
    assert run.verdict.suppressed == []
    assert (run.verdict.word, run.verdict.exit_code) == ("passed", 0)


def test_the_twin_declares_what_it_can_hold(root: Path) -> None:
    policy = read_text("elo-gate.toml", (root / "examples/intranet/elo-gate.toml").read_text(encoding="utf-8"), "")
    assert policy.elo
    assert set(policy.platforms) == {"vercel", "railway", "docker", "kubernetes"}
    assert set(policy.promises) == set(PROMISES) - NOT_PROMISED
    assert not policy.settings and not policy.ignores


def test_every_folder_of_rules_finds_something_to_look_at_in_the_twins(root: Path) -> None:
    kinds: set[str] = set()
    for tree in ("intranet", "intranet-before"):
        kinds.update(each.kind for each in gate.run(str(root / "examples" / tree), as_of=AS_OF).verdict.coverage.judged)
    assert kinds >= {
        "checklist", "code", "compose", "dockerfile", "env", "gitlab", "k8s", "next", "nginx", "railway", "script", "sql",
        "vercel", "workflow",
    }  # fmt: skip


def test_the_tree_before_breaks_every_clause_that_a_rule_checks(root: Path) -> None:
    run = gate.run(str(root / "examples/intranet-before"), as_of=AS_OF)
    assert (run.verdict.word, run.verdict.exit_code) == ("blocked", 1)
    assert run.verdict.coverage.broken == [] and run.verdict.coverage.failures == []
    found = {each.rule.id for each in run.verdict.findings}
    missing = {clause: sorted(rules) for clause, rules in clauses().items() if not rules & found}
    assert missing == {}


def test_every_clause_of_the_standard_is_checked_by_a_rule(root: Path) -> None:
    headings = set(re.findall(r"^## ([A-Z]+-\d+) ", (root / "rules/STANDARD.md").read_text(encoding="utf-8"), re.M))
    assert headings == set(clauses())
