"""The standard clause by clause, and the table that says what answers for each of its rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from elo_gate import gate
from elo_gate.cli import cli
from elo_gate.report import standard
from elo_gate.ruleset import coverage
from elo_gate.ruleset.load import load

AS_OF = "2026-11-25"
COMPOSE = "services:\n  db:\n    image: postgres:18.1\n    restart: always\n    volumes: [data:/var/lib/postgresql]\n{}volumes: {{data: }}\n"


def of(tree: Any, files: dict[str, str]) -> dict[str, Any]:
    made = standard.document(gate.run(str(tree(files)), as_of=AS_OF))
    return {"all": made, **{each["clause"]: each for each in made["clauses"]}}


def test_every_clause_once_in_the_order_of_the_standard(tree: Any) -> None:
    made = of(tree, {"compose.production.yaml": COMPOSE.format("")})["all"]
    assert [each["clause"] for each in made["clauses"]] == list(load().clauses)
    assert sum(made["counts"].values()) == len(made["clauses"])


def test_failed_passed_and_nothing_to_look_at(tree: Any) -> None:
    made = of(tree, {"compose.production.yaml": COMPOSE.format('    ports: ["5432:5432"]\n')})
    assert made["NET-4"]["state"] == standard.FAILED and made["NET-4"]["blocks"]
    assert [each["rule"] for each in made["NET-4"]["findings"]] == ["compose/data-store-published"]
    assert made["DAT-1"]["state"] == standard.PASSED
    looked = {each["rule"]: each for each in made["DAT-1"]["passed"]}
    assert looked["compose/database-without-volume"]["files"] == ["compose.production.yaml"]
    assert looked["compose/database-without-volume"]["places"] == 1
    assert made["ENV-6"]["state"] == standard.NOTHING
    assert "env/invalid-line" in made["ENV-6"]["without_anything_to_look_at"]


def test_what_is_for_people(tree: Any) -> None:
    made = of(tree, {"compose.production.yaml": COMPOSE.format("")})
    assert made["DOC-1"]["state"] in (standard.PEOPLE, standard.PASSED)
    assert {"S04", "S74"} <= {each["row"] for each in made["DOC-1"]["people"]}


def test_undecided_alone_is_cannot_tell(tree: Any) -> None:
    made = of(tree, {"Dockerfile.production": "FROM scratch\nARG WHO\nUSER $WHO\nCMD [\"/app\"]\n"})  # fmt: skip
    clause = made["CTR-2"]
    assert any(each["rule"] == "docker/root-user" for each in clause["undecided"])
    assert clause["state"] in (standard.UNDECIDED, standard.PASSED)
    assert (clause["state"] == standard.UNDECIDED) == (not clause["passed"])


def test_let_pass_is_said(tree: Any) -> None:
    made = of(tree, {
        "compose.production.yaml": COMPOSE.format('    ports: ["5432:5432"]\n'),
        "elo-gate.toml": '[[ignore]]\nrule = "compose/data-store-published"\npath = "compose.production.yaml"\n'
            'reason = "a firewall stands before it"\n',
    })  # fmt: skip
    looked = {each["rule"]: each for each in made["NET-4"]["passed"]}
    assert made["NET-4"]["state"] == standard.PASSED
    assert looked["compose/data-store-published"]["let_pass"] == 1


def test_the_twin_of_the_example_fails_nothing(root: Path) -> None:
    run = gate.run(str(root / "examples/intranet"), as_of=AS_OF)
    made = standard.document(run)
    failed = {each["rule"] for clause in made["clauses"] for each in clause["findings"]}
    assert failed == {finding.rule.id for finding in run.verdict.findings}
    assert made["counts"][standard.PASSED] >= 30


def test_hostile_names_are_plain_words_in_markdown(tree: Any) -> None:
    run = gate.run(
        str(tree({"compose.production.yaml": 'services:\n  "<img src=x>|`a`@all":\n    image: nginx:latest\n'})),
        as_of=AS_OF,
    )
    text = standard.render(run, "markdown")
    assert "<img" not in text.replace("\\<img", "")
    assert all(line.count("|") - line.count("\\|") == 5 for line in text.splitlines() if line.startswith("| "))


def test_exit_codes_are_those_of_check(tree: Any) -> None:
    folder = str(tree({"compose.production.yaml": COMPOSE.format('    ports: ["5432:5432"]\n')}))
    for words in (["--as-of", AS_OF], ["--as-of", AS_OF, "-f", "json"]):
        done = CliRunner().invoke(cli, ["standard", folder, *words])
        assert done.exit_code == CliRunner().invoke(cli, ["check", folder, "--as-of", AS_OF]).exit_code == 1
    assert json.loads(done.stdout)["verdict"] == "blocked"
    assert CliRunner().invoke(cli, ["standard", folder, "--as-of", "tomorrow"]).exit_code == 2
    (Path(folder) / "compose.production.yaml").write_text("services: [\n")
    assert CliRunner().invoke(cli, ["standard", folder]).exit_code == 2


def test_text_fits_and_ends_in_a_summary(root: Path) -> None:
    run = gate.run(str(root / "examples/intranet-before"), as_of=AS_OF)
    for verbose in (False, True):
        lines = standard.render(run, verbose=verbose).splitlines()
        assert lines[-1].startswith("Blocked: ")
        assert all(len(line) <= 100 or " " not in line.strip() for line in lines), max(lines, key=len)


def test_in_portuguese(guide: Path) -> None:
    run = gate.run(str(guide), as_of=AS_OF)
    text = standard.render(run, verbose=True, language="pt-BR")
    assert "Toda variável obrigatória é fornecida" in text
    assert text.splitlines()[-1].startswith("Bloqueado: ")
    assert "A stack recomendada" in text and "The recommended stack" not in text
    assert "# Padrão de produção" in standard.render(run, "markdown", language="pt-BR")
    assert standard.render(run, "json", language="pt-BR") == standard.render(run, "json"), "machines read English"


def test_every_row_for_people_speaks_portuguese() -> None:
    for name, row in load().table("coverage")["rows"].items():
        if "people" in row:
            assert set(row["translations"]["pt-BR"]) == {"title", "people"}, name


# -- what answers for each row of the catalogue


def test_every_row_has_an_answer_and_every_rule_a_row() -> None:
    """`python -m elo_gate.ruleset.coverage` names what is missing in rules/data/coverage.yaml."""
    assert coverage.gaps(load()) == []


def test_the_page_is_fresh(root: Path) -> None:
    kept = (root / "docs/coverage.md").read_text(encoding="utf-8")
    assert kept == coverage.page(load()), "python -m elo_gate.ruleset.coverage > docs/coverage.md"


def test_the_page_names_every_row_once(root: Path) -> None:
    text = (root / "docs/coverage.md").read_text(encoding="utf-8")
    assert len(coverage.rows()) == 91 + 38
    for name in coverage.rows():
        assert text.count(f"| {name} |") == 1


def test_steps_of_a_release_are_named() -> None:
    rows = load().table("coverage")["rows"]
    for number in range(70, 86):
        row = rows[f"S{number}"]
        assert row.get("step", "").startswith("deploy, ") or row.get("rules"), number


def test_a_gap_is_named() -> None:
    class Half:
        def __init__(self) -> None:
            self.ids = ["docker/root-user"]
            self.clauses: dict[str, str] = {}

        def table(self, name: str) -> Any:
            return {"rows": {"S01": {"title": "x", "rules": ["no/such"]}, "Q1": {"title": "y"}}}

    found = coverage.gaps(Half())  # type: ignore[arg-type]
    assert "S02: no such row in rules/data/coverage.yaml" in found
    assert "S01: there is no rule 'no/such'" in found
    assert any(each.startswith("docker/root-user: in no row") for each in found)
