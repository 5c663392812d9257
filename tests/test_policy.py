"""elo-gate.toml: every mistake is refused with its place and the nearest right spelling."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import tomli

from elo_gate import gate
from elo_gate.policy import ConfigError, glob
from elo_gate.policy.config import find, read_text, schema

Write = Callable[[dict[str, str]], Path]

FULL = """
fail_on = "warning"
exclude = ["charts/**"]
platforms = ["vercel", "kubernetes"]
standard = "elo"
allow_empty = true

[rule."docker/root-user"]
severity = "warning"

[rule."compose/floating-image"]
with = {allow = ["ghcr.io/acme/*"], deep = {n = 3, on = true}}

[[environment]]
name = "production"
files = ["deploy/prod/**"]

[[ignore]]
rule = "docker/root-user"
path = "tools/**"
reason = "never deployed"
owner = "platform"
until = 2027-03-01
"""


def test_everything_is_read() -> None:
    policy = read_text("elo-gate.toml", FULL, "")
    assert (policy.fail_on, policy.elo, policy.allow_empty) == ("warning", True, True)
    assert policy.platforms == ["vercel", "kubernetes"]
    assert policy.settings["docker/root-user"] == ("warning", {})
    assert policy.settings["compose/floating-image"] == (
        None,
        {"allow": ["ghcr.io/acme/*"], "deep": {"n": 3, "on": True}},
    )
    assert policy.environments[0][1][0]("deploy/prod/web/app.yaml")
    entry = policy.ignores[0]
    assert (entry.rule, entry.until, entry.owner) == ("docker/root-user", "2027-03-01", "platform")
    assert entry.matches("tools/a/Dockerfile") and not entry.matches("Dockerfile")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('fail_onn = "error"\n', "elo-gate.toml:1:1: unknown key `fail_onn`; did you mean `fail_on`?"),
        ('fail_on = "errors"\n', "1:11: `fail_on` is one of error, warning, note; did you mean `error`?"),
        ("fail_on = 3\n", "in quotes"),
        ("allow_empty = 'true'\n", "true or false"),
        ('exclude = "x"\n', "is a list"),
        ('\n[[ignore]]\nrule = "a/b"\npath = "x"\n', "elo-gate.toml:2: [[ignore]] needs `reason`"),
        ('[[ignore]]\nrule = "a/b"\npath = "x"\nreason = "r"\nuntil = "2027-02-30"\n', "5:9: `ignore.until` is a date"),
        ('[[ignore]]\nrule = "a/b"\npath = "x"\nreason = "r"\nuntill = 2027-01-01\n', "did you mean `until`?"),
        ('[rule."a/b"]\nseverity = "fatal"\n', "is one of error, warning, note, off"),
        ('[rule."a/b"]\nlevel = "note"\n', "unknown key"),
        ("a = \n", "elo-gate.toml:1"),
        ('fail_on = "error"\nfail_on = "note"\n', "elo-gate.toml:2"),
        ('[[environment]]\nname = "prod"\nfiles = []\n', "did you mean `production`?"),
    ],
)
def test_mistakes_are_refused_with_their_place(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_text("elo-gate.toml", text, "")
    assert says in str(refused.value)


def test_unknown_rules_and_parameters_are_refused(tree: Write) -> None:
    folder = tree(
        {"Dockerfile": "FROM scratch\n", "elo-gate.toml": '[rule."compose/docker-sokcet"]\nseverity = "off"\n'}
    )
    with pytest.raises(ConfigError, match="did you mean `compose/docker-socket`"):
        gate.run(str(folder))
    folder = tree({"elo-gate.toml": '[rule."compose/floating-image"]\nwith = {alow = []}\n'})
    with pytest.raises(ConfigError, match="did you mean `allow`"):
        gate.run(str(folder))


def test_found_from_the_root_upwards_to_the_top_and_no_further(tree: Write) -> None:
    folder = tree(
        {"elo-gate.toml": "", "repo/.git/HEAD": "", "repo/app/x": "", "repo/pyproject.toml": "[tool.elo-gate]\n"}
    )
    top = str(folder / "repo")
    assert find(str(folder / "repo/app"), top) == str(folder / "repo/pyproject.toml")
    (folder / "repo/pyproject.toml").unlink()
    assert find(str(folder / "repo/app"), top) is None
    tree({"repo/elo-gate.toml": "", "repo/pyproject.toml": "[tool.elo-gate]\n"})
    with pytest.raises(ConfigError, match="keep one"):
        find(top, top)


def test_globs_are_relative_to_the_configuration() -> None:
    policy = read_text("elo-gate.toml", 'exclude = ["app/charts/**", "other/**", "**/x.env"]\n', "app/")
    tests = [glob(each) for each in policy.exclude]
    assert [any(test(path) for test in tests) for path in ("charts/a", "other/a", "deep/x.env")] == [True, False, True]


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [("*.env", "a.env", True), ("*.env", "d/a.env", False), ("**/*.env", "a.env", True), ("**/*.env", "d/e/a.env", True),
     ("dir", "dir/a/b", True), ("dir/**", "dir/a", True), ("d?r", "dir", True), ("a.b", "axb", False)],
)  # fmt: skip
def test_globs(pattern: str, path: str, matches: bool) -> None:
    assert glob(pattern)(path) is matches


def test_schema_is_fresh_and_agrees(root: Path) -> None:
    kept = json.loads((root / "schemas/config.schema.json").read_text())
    assert kept == schema(), "run: python -m elo_gate.policy.config"
    data = tomli.loads(FULL)
    data["ignore"][0]["until"] = "2027-03-01"
    jsonschema.Draft202012Validator(kept).validate(data)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(kept).validate({"fail_onn": "error"})


def test_a_rule_is_known_by_its_former_id(tmp_path: Path) -> None:
    (tmp_path / "next.config.js").write_text("module.exports = {poweredByHeader: false}\n")
    (tmp_path / "elo-gate.toml").write_text('[rule."next/missing-headers"]\nseverity = "note"\n')
    found = gate.run(str(tmp_path), as_of="2026-11-25").verdict.findings
    assert [each.severity for each in found if each.rule.id == "headers/missing-headers"] == ["note"]
