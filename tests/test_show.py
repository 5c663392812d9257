"""The model as it is shown: right to the last entry on real trees, aligned, with an origin that holds, without secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from elo_gate import examples, gate
from elo_gate.cli import cli
from elo_gate.report import show, show_text
from elo_gate.ruleset.load import load

AS_OF = "2026-11-25"


@pytest.fixture(scope="module")
def guide_run(guide: Path) -> gate.Run:
    return gate.run(str(guide), as_of=AS_OF)


@pytest.fixture(scope="module")
def intranet_run(root: Path) -> gate.Run:
    return gate.run(str(root / "examples/intranet"), as_of=AS_OF)


def without_values(document: dict[str, Any]) -> dict[str, Any]:
    """A document of headers without what the judged tree wrote: names, states and places are facts, values are not."""
    for target in document.get("targets", ()):
        for header in target.get("headers", ()):
            for value in header["values"]:
                value["value"] = "..."
    return document


def golden(path: Path, text: str, request: pytest.FixtureRequest) -> None:
    """Compares with a golden file, or writes it anew."""
    if request.config.getoption("--update-golden"):
        path.write_text(text, encoding="utf-8")
    assert path.is_file() and path.read_text(encoding="utf-8") == text, f"{path.name}: pytest --update-golden"


@pytest.mark.parametrize("noun", show.NOUNS)
def test_the_guide_to_the_last_entry(
    noun: str, guide_run: gate.Run, root: Path, request: pytest.FixtureRequest
) -> None:
    """Compared by hand with the guide's files, then kept: names, places and states, none of its values."""
    made = without_values(show.document(guide_run.project, noun))
    golden(root / f"tests/golden/guide-{noun}.json", json.dumps(made, indent=1) + "\n", request)
    golden(root / f"tests/golden/guide-{noun}.txt", "\n".join(show_text.lines(made)) + "\n", request)


@pytest.mark.parametrize("noun", show.NOUNS)
def test_the_example_to_the_last_entry(
    noun: str, intranet_run: gate.Run, root: Path, request: pytest.FixtureRequest
) -> None:
    golden(root / f"tests/golden/intranet-{noun}.txt", show.render(intranet_run.project, noun, "text"), request)


def places(value: Any) -> list[dict[str, Any]]:
    """Every part of a document that has a place."""
    found = []
    if isinstance(value, dict):
        if "line" in value:
            found.append(value)
        for each in value.values():
            found += places(each)
    elif isinstance(value, list):
        for each in value:
            found += places(each)
    return found


@pytest.fixture(scope="module", params=["guide", "intranet", "intranet-before"])
def any_run(request: pytest.FixtureRequest, root: Path) -> gate.Run:
    if request.param == "guide":
        return gate.run(str(request.getfixturevalue("guide")), as_of=AS_OF)
    return gate.run(str(root / "examples" / request.param), as_of=AS_OF)


@pytest.mark.parametrize("noun", show.NOUNS)
def test_every_place_is_in_a_file(noun: str, any_run: gate.Run) -> None:
    for each in places(show.document(any_run.project, noun)):
        source = any_run.project.read(each["path"])
        assert source is not None and 1 <= each["line"] <= len(source.starts), each
        assert 1 <= each["column"] <= len(source.line(each["line"])) + 1, each


def line_at(run: gate.Run, place: dict[str, Any]) -> str:
    source = run.project.read(place["path"])
    assert source is not None
    return source.line(place["line"]) if place["line"] <= len(source.starts) else ""


def test_a_variable_stands_where_it_is_said_to(any_run: gate.Run) -> None:
    document = show.document(any_run.project, "env")
    for variable in document["variables"]:
        for key in ("read", "documented", "set"):
            for each in variable[key]:
                assert variable["name"] in line_at(any_run, each), (variable["name"], key, each)
        for each in variable["given"]:
            if not each["declared"]:
                names = (variable["name"], "envFrom", "env_file", "secretRef", "configMapRef")
                assert any(name in line_at(any_run, each) for name in names), (variable["name"], each)


def test_a_claim_stands_where_it_is_said_to(any_run: gate.Run) -> None:
    document = show.document(any_run.project, "services")
    for service in document["services"]:
        for part in service["parts"]:
            for claim in part["claims"]:
                if claim["role"] != "default" and claim["value"] != "":
                    # A command may go on over some lines.
                    lines = [line_at(any_run, {**claim, "line": claim["line"] + more}) for more in range(6)]
                    assert str(claim["value"]) in "\n".join(lines), (service["name"], claim)


def test_a_job_a_gate_a_header_stand_where_they_are_said_to(any_run: gate.Run) -> None:
    for pipeline in show.document(any_run.project, "pipelines")["pipelines"]:
        for job in pipeline["jobs"]:
            assert job["id"] in line_at(any_run, job)
            if job["environment"]:
                assert job["environment"]["name"] in line_at(any_run, job["environment"])
    for target in show.document(any_run.project, "headers")["targets"]:
        for header in target["headers"]:
            for value in header["values"]:
                assert header["name"] in line_at(any_run, value).lower(), value


def test_every_file_is_told_once_and_why(any_run: gate.Run) -> None:
    files = show.document(any_run.project, "files")["files"]
    assert len({each["path"] for each in files}) == len(files)
    assert all(each["why"] for each in files)
    judged = {each["path"] for each in files if each["state"] == "judged"}
    assert judged == {each.path for each in any_run.verdict.coverage.judged}


@pytest.mark.parametrize("noun", show.NOUNS)
def test_a_hundred_columns(noun: str, any_run: gate.Run) -> None:
    for line in show.render(any_run.project, noun, "text").splitlines():
        assert len(line) <= 100 or " " not in line.strip(), line
        assert line == line.rstrip()


def test_names_that_try_to_command_stay_words(tree: Any) -> None:
    folder = tree({
        "compose.production.yaml": "services:\n  \"::error::x\\e[31m\":\n    image: nginx:1.29\n    restart: always\n",
        ".github/workflows/production.yml": "name: \"::set-output name=a::b\"\non: push\njobs: {\"a\\u202eb\": {steps: []}}\n",
    })  # fmt: skip
    run = gate.run(str(folder), as_of=AS_OF)
    for noun in show.NOUNS:
        text = show.render(run.project, noun, "text")
        assert all(letter.isprintable() or letter == "\n" for letter in text)
        assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_an_empty_tree_says_so(tree: Any) -> None:
    run = gate.run(str(tree({"notes.txt": "x\n"})), as_of=AS_OF)
    for noun in ("services", "headers", "env", "pipelines"):
        assert show.render(run.project, noun, "text").startswith("No ")
    assert "notes.txt" in show.render(run.project, "files", "text")


def test_a_file_cut_in_half_is_shown_as_far_as_it_goes(root: Path) -> None:
    folder = root / "examples/intranet"
    files = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "package-lock.json"
    }
    ruleset = load()
    for path, text in files.items():
        project = examples.project_of({**files, path: text[: len(text) // 2]}, ruleset)
        for noun in show.NOUNS:
            assert show.render(project, noun, "text"), (path, noun)


def test_from_the_command_line(tree: Any) -> None:
    folder = tree({"compose.production.yaml": "services:\n  web: {image: 'ghcr.io/a/web:1', restart: always}\n"})
    done = CliRunner().invoke(cli, ["show", "services", str(folder), "-f", "json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["services"][0]["parts"][0]["path"] == "compose.production.yaml"
    assert CliRunner().invoke(cli, ["show", "services", str(folder / "nowhere")]).exit_code == 2
    assert CliRunner().invoke(cli, ["show", "secrets", str(folder)]).exit_code == 2
