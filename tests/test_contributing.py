"""The worked example of CONTRIBUTING.md: one file is a rule, in the repository's rules and in a user's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from elo_gate import examples, gate
from elo_gate.policy import ConfigError
from elo_gate.ruleset import page
from elo_gate.ruleset.load import load

Write = Callable[[dict[str, str]], Path]


@pytest.fixture
def worked(root: Path) -> str:
    """The rule file that CONTRIBUTING.md shows."""
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- worked example.*?-->\n```yaml\n(.*?)```", text, re.S)
    assert found
    return found.group(1)


def test_the_worked_example_passes_its_own_examples(worked: str, tree: Write) -> None:
    folder = tree({"docker/add-over-http.yaml": worked})
    assert examples.test_rules((), str(folder)) == (1, [])


def test_a_rule_whose_example_lies_is_told(worked: str, tree: Write) -> None:
    folder = tree({"docker/add-over-http.yaml": worked.replace("at: 2", "at: 3")})
    tested, complaints = examples.test_rules((), str(folder))
    assert tested == 1 and "expected findings at Dockerfile.production:3" in complaints[0]


def test_a_users_own_folder_of_rules_is_judged_too(worked: str, tree: Write) -> None:
    dockerfile = "FROM alpine:3.23\nADD http://downloads.acme.example/tool /opt/\nUSER 1001\n"
    folder = tree(
        {
            "Dockerfile.production": dockerfile,
            "policy/rules/docker/add-over-http.yaml": worked,
            "elo-gate.toml": 'rules = ["policy/rules"]\n',
        }
    )
    run = gate.run(str(folder), as_of=examples.AS_OF)
    found = [each for each in run.verdict.findings if each.rule.id == "docker/add-over-http"]
    assert [each.source.position(each.start)[0] for each in found] == [2]
    assert "docker/add-over-http" in page.listing(run.ruleset, "text")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("severity: warning", "severity: fatal", "severity"),
        ("assert: not any", "assert: __import__('os') or not any", "unknown function"),
        ("id: docker/add-over-http", "id: docker/other", "the path says"),
        ("rationale:", "reason:", "rationale"),
        ("'{it.sources}'", "{it.sources}", "single quotes"),
    ],
)
def test_a_refused_rule_file_stops_the_run_and_says_why(
    worked: str, tree: Write, old: str, new: str, says: str
) -> None:
    assert old in worked
    folder = tree(
        {
            "Dockerfile.production": "FROM scratch\n",
            "policy/rules/docker/add-over-http.yaml": worked.replace(old, new),
            "elo-gate.toml": 'rules = ["policy/rules"]\n',
        }
    )
    with pytest.raises(ConfigError, match=says):
        gate.run(str(folder), as_of=examples.AS_OF)


def test_scaffold_and_explain(tree: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree({"rules/README": ""}) / "rules"
    monkeypatch.setattr(page, "data_dir", lambda name: str(folder))
    path = page.scaffold("docker/no-add")
    assert Path(path).is_file()
    for wrong in ("docker/no-add", "Docker/No", "plain"):
        with pytest.raises(page.ScaffoldError):
            page.scaffold(wrong)
    ruleset = load()
    for identifier in ruleset.ids:
        text = page.explain(ruleset, identifier)
        assert "why  " in text and "fix  " in text and "wrong" in text and "standard  " in text
