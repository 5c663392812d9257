"""Why a rule fired, and why it did not: told by the engine's own loop, in full, and without secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from elo_gate import engine, gate
from elo_gate.cli import cli
from elo_gate.redact import mask
from elo_gate.report import why as page
from elo_gate.report import why_not as page_not
from elo_gate.report import witness

AS_OF = "2026-11-25"
TREE = {
    "compose.production.yaml": (
        "services:\n  web:\n    image: ghcr.io/acme/web:1.2.3\n    restart: always\n  db:\n    image: postgres:18.1\n"
        '    restart: always\n    ports: ["5432:5432"]\n'
    ),
    "compose.dev.yaml": "services:\n  web: {image: 'a/b:1'}\n",
    "vercel.json": '{\n  "functions": {"src/*.ts": {"maxDuration": 10}},\n  "builds": [{"src": "a", "use": "@vercel/node"}]\n}\n',
    "notes.txt": "x\n",
}


@pytest.fixture
def run(tree: Any) -> gate.Run:
    return gate.run(str(tree(TREE)), as_of=AS_OF)


@pytest.fixture(scope="module", params=["guide", "intranet-before"])
def any_run(request: pytest.FixtureRequest, root: Path) -> gate.Run:
    if request.param == "guide":
        return gate.run(str(request.getfixturevalue("guide")), as_of=AS_OF)
    return gate.run(str(root / "examples" / request.param), as_of=AS_OF)


def shape(outcome: engine.Outcome) -> Any:
    return (
        [
            (each.rule.id, each.source.path, each.start, each.end, each.severity, each.message)
            for each in outcome.findings
        ],
        outcome.undecided,
        outcome.failures,
        outcome.rules,
    )


def test_a_witness_changes_nothing(any_run: gate.Run) -> None:
    subjects = any_run.project.subjects()
    plain = engine.judge(subjects, any_run.ruleset, any_run.policy.settings, mask)
    seen, watched = witness.watch(any_run, subjects)
    assert shape(watched) == shape(plain)
    assert sum(len(look.faults) for look in seen.looks) == len(plain.findings)
    undecided = [look for look in seen.looks if look.why]
    assert len(undecided) <= len(plain.undecided)
    assert {look.rule.id for look in undecided} <= {each[0] for each in plain.undecided}


def test_every_finding_is_told_at_its_line(any_run: gate.Run) -> None:
    places = {}
    for finding in any_run.verdict.findings:
        if any_run.project.artifact(finding.source.path) is not None:
            line = finding.source.position(finding.start)[0]
            places.setdefault((finding.source.path, line), []).append(finding)
    for number, ((path, line), findings) in enumerate(sorted(places.items())):
        if number % 5 == 0:
            text = page.why(any_run, path, line)
            assert "Points here" in text
            for finding in findings:
                assert f"{finding.rule.id}  {path}:{line}" in text


def test_a_line_with_a_finding(run: gate.Run) -> None:
    text = page.why(run, "compose.production.yaml", 8)
    head, _, rest = text.partition("\n")
    assert head.startswith("compose.production.yaml:8  compose, production: ")
    assert "compose/data-store-published  compose.production.yaml:8" in rest.partition("Looked at what")[0]
    assert "compose/no-restart-policy" in rest, "what was content is named as well"
    assert "saw" in rest and "role database" in rest


def test_a_line_that_nobody_looks_at(tree: Any) -> None:
    run = gate.run(str(tree({"compose.production.yaml": "# nothing here\nservices: {}\n"})), as_of=AS_OF)
    assert "No rule looked at this line." in page.why(run, "compose.production.yaml", 1)


@pytest.mark.parametrize(
    ("path", "line", "words"),
    [
        ("compose.dev.yaml", 1, "set aside, development"),
        ("notes.txt", 1, "not judged: prose"),
        ("nowhere.yaml", 1, "no such file"),
        ("vercel.json", 99, "has 5 lines"),
        ("vercel.json", 0, "has 5 lines"),
    ],
)
def test_a_file_that_is_not_looked_at(path: str, line: int, words: str, run: gate.Run) -> None:
    with pytest.raises(page.Aside, match=words):
        page.why(run, path, line)


def test_why_not_when_the_rule_does_not_apply(run: gate.Run) -> None:
    text = page_not.why_not(run, "vercel/legacy-builds", "vercel.json")
    assert "not for it `when: it.builds and not it.functions` is false" in text
    assert "it.functions is 1 entry" in text


def test_why_not_when_it_holds(tree: Any) -> None:
    run = gate.run(str(tree({".env.production": "LOG_LEVEL=info\n"})), as_of=AS_OF)
    text = page_not.why_not(run, "env/platform-variable", ".env.production")
    assert "`assert: it.name not in params.names` is true" in text
    assert "it.name is LOG_LEVEL" in text


def test_why_not_when_it_fires_all_the_same(run: gate.Run) -> None:
    text = page_not.why_not(run, "compose/data-store-published", "compose.production.yaml")
    assert "fires      at compose.production.yaml:8" in text
    assert "looked and found nothing wrong" in text, "the other service"


def test_why_not_of_another_kind(run: gate.Run) -> None:
    with pytest.raises(page.Aside, match=r"looks at dockerfile, and .* is of the kind vercel"):
        page_not.why_not(run, "docker/root-user", "vercel.json")


def test_why_not_when_undecided(tree: Any) -> None:
    run = gate.run(str(tree({"Dockerfile.production": "FROM node:24-alpine\nARG WHO\nUSER $WHO\n"})), as_of=AS_OF)
    assert "undecided" in page_not.why_not(run, "docker/root-user", "Dockerfile.production")


def test_why_not_when_off_or_let_pass(tree: Any) -> None:
    folder = tree({
        **TREE,
        "elo-gate.toml": (
            '[rule."vercel/legacy-builds"]\nseverity = "off"\n[[ignore]]\nrule = "compose/data-store-published"\n'
            'path = "compose.production.yaml"\nreason = "a firewall stands before it"\n'
        ),
    })  # fmt: skip
    run = gate.run(str(folder), as_of=AS_OF)
    with pytest.raises(page.Aside, match="is off"):
        page_not.why_not(run, "vercel/legacy-builds", "vercel.json")
    text = page_not.why_not(run, "compose/data-store-published", "compose.production.yaml")
    assert "let pass: a firewall stands before it" in " ".join(text.split())
    assert "let pass" in page.why(run, "compose.production.yaml", 8)


def test_rules_over_the_tree_name_the_files_they_join(guide: Path) -> None:
    run = gate.run(str(guide), as_of=AS_OF)
    text = page_not.why_not(run, "project/port-drift", "Dockerfile.production")
    assert "looked and found nothing wrong" in text
    assert "does not concern" not in text


def test_a_file_of_no_kind_that_a_rule_over_the_tree_points_to(root: Path) -> None:
    run = gate.run(str(root / "examples/intranet"), as_of=AS_OF)
    source = run.project.read("src/lib/settings.ts")
    assert source is not None and run.project.artifact("src/lib/settings.ts") is None
    line = next(n for n in range(1, len(source.starts)) if "DATABASE_URL" in source.line(n))
    text = page.why(run, "src/lib/settings.ts", line)
    assert "not judged: program code" in text
    assert "the tree: variables" in text
    assert "name DATABASE_URL" in text
    assert "looked and found nothing" in page_not.why_not(run, "project/variable-undocumented", "src/lib/settings.ts")


def test_the_names_of_an_expression() -> None:
    names = page_not.names_in('it.a.b and any(x.c == params.d for x in it["e"]) or not file.path')
    assert names == ["it.a.b", "params.d", "it['e']", "file.path"] or set(names) == {
        "it.a.b", "params.d", "it['e']", "file.path"
    }  # fmt: skip
    assert page_not.names_in("this is no (expression") == []


def test_from_the_command_line(tree: Any) -> None:
    folder = str(tree(TREE))
    call = CliRunner().invoke
    assert call(cli, ["why", "compose.production.yaml:8", folder]).exit_code == 0
    assert call(cli, ["why", "compose.production.yaml", folder]).exit_code == 2
    assert call(cli, ["why", "notes.txt:1", folder]).exit_code == 2
    assert call(cli, ["why-not", "vercel/legacy-builds", "vercel.json", folder]).exit_code == 0
    assert call(cli, ["why-not", "vercel/legacy-build", "vercel.json", folder]).exit_code == 2
