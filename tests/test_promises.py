"""What elo-gate.toml declares beside rules: promises, services, what platforms hold; and what keeps a promise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from elo_gate import gate
from elo_gate.checks.promises import _WRITE
from elo_gate.discover import DiskTree
from elo_gate.examples import MemoryIgnores, MemoryTree
from elo_gate.policy import ConfigError
from elo_gate.policy.config import PROMISES, read_text
from elo_gate.project import Project, promises

DECLARED = """
platforms = ["vercel", "kubernetes"]
promises = ["hpa", "csp"]

[[service]]
name = "web"
files = ["apps/web/**", "deploy/web.yaml"]

[[provided]]
platform = "vercel"
names = ["DATABASE_URL"]

[[provided]]
platform = "vercel"
names = ["AUTH_SECRET"]
"""


def test_what_is_declared_reaches_the_project() -> None:
    policy = read_text("elo-gate.toml", DECLARED, "")
    project = Project(MemoryTree({}), "2026-11-25", lambda _: {}, ignores=MemoryIgnores({}))
    gate.declare(project, policy)
    assert project.promises == ("hpa", "csp")
    assert project.provided == {"vercel": {"DATABASE_URL", "AUTH_SECRET"}}
    ((name, tests),) = project.services_named
    paths = ("apps/web/a/b.ts", "deploy/web.yaml", "apps/api/a.ts")
    assert (name, [any(test(path) for test in tests) for path in paths]) == ("web", [True, True, False])
    node = project.declared["promises", "csp"]
    assert node.source.text[node.start : node.end] == '"csp"'
    assert node.source.path == "elo-gate.toml"
    assert ("platforms", "vercel") in project.declared


def test_nothing_is_declared_without_a_configuration(tree: Callable[[dict[str, str]], Path]) -> None:
    run = gate.run(str(tree({"vercel.json": "{}\n"})), as_of="2026-11-25")
    project = run.project
    assert (project.promises, project.provided, project.services_named, project.declared) == ((), {}, [], {})


def test_a_configuration_above_the_root_has_no_place_below_it() -> None:
    assert read_text("/x/elo-gate.toml", DECLARED, "app/").declared == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('promises = ["hpaa"]', "did you mean `hpa`"),
        ('promises = ["schedule-backup"]', "did you mean `scheduled-backup`"),
        ('[[provided]]\nplatform = "vercl"\nnames = []', "did you mean `vercel`"),
        ("[[provided]]\nnames = []", r"\[\[provided\]\] needs `platform`"),
        ('[[service]]\nname = "web"', r"\[\[service\]\] needs `files`"),
        ('[[service]]\nnames = "web"', "did you mean `name`"),
    ],
)
def test_mistakes_are_named(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read_text("elo-gate.toml", text + "\n", "")


def test_each_promise_has_words_and_evidence(root: Path) -> None:
    assert sorted(PROMISES) == sorted(_WRITE)
    project = Project(DiskTree(str(root / "examples/intranet")), "2026-11-25", lambda _: {})
    for word in PROMISES:
        promises.keeper(project, word)


def test_the_corrected_example_keeps_its_promises(root: Path) -> None:
    project = gate.run(str(root / "examples/intranet"), as_of="2026-11-25").project
    for word in (
        "alerts",
        "audit",
        "csp",
        "health-check",
        "hpa",
        "pdb",
        "rate-limit",
        "scheduled-backup",
        "zero-downtime",
    ):
        kept = promises.keeper(project, word)
        assert kept is not None, word
        assert kept.source.text[kept.start : kept.end] or word == "zero-downtime"
