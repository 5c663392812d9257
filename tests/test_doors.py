"""Both doors as a user meets them: exit codes, what stdout carries, what a broken tree says."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[[dict[str, str]], Path]

COMPOSE = """\
services:
  app:
    image: ghcr.io/acme/app:1.2.3
    restart: unless-stopped
    environment:
      NODE_ENV: production
"""
PUBLISHED = COMPOSE + '  db:\n    image: postgres:18.1\n    ports: ["5432:5432"]\n    restart: always\n'
UNPARSABLE = "services:\n  app: [\n"


def call(module: str, folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"from elo_gate.{module} import main; main()", *words],
        cwd=folder, capture_output=True, text=True, timeout=120, env={**os.environ, **environment}, check=False,
    )  # fmt: skip


def check(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return call("cli", folder, "check", "--as-of", "2026-11-25", *words, **environment)


def test_findings_block_and_are_shown(tree: Write) -> None:
    done = check(tree({"compose.production.yaml": PUBLISHED}))
    assert done.returncode == 1 and done.stderr == ""
    assert "compose/data-store-published" in done.stdout
    assert "^^^" in done.stdout and "why" in done.stdout and "fix" in done.stdout
    assert done.stdout.rstrip().splitlines()[-1].startswith("Blocked: ")
    assert "\x1b[" not in done.stdout


def test_fail_on_decides_what_blocks(tree: Write) -> None:
    folder = tree({"compose.production.yaml": COMPOSE})
    assert check(folder).returncode == 0
    assert check(folder, "--fail-on", "note").returncode == 1


@pytest.mark.parametrize(
    ("files", "words", "says"),
    [
        ({}, [], "nothing to judge"),
        ({"README.md": "x"}, ["."], "nothing to judge"),
        ({"compose.yaml": UNPARSABLE, "b/compose.yaml": PUBLISHED}, [], "compose.yaml:"),
        ({"compose.yaml": COMPOSE, "elo-gate.toml": "fail_onn = 1"}, [], "did you mean `fail_on`"),
        ({"compose.yaml": COMPOSE}, ["nowhere"], "nowhere: there is no such file or folder"),
        ({"compose.yaml": COMPOSE}, ["--config", "no.toml"], "no such configuration"),
        ({"compose.yaml": COMPOSE}, ["--as-of", "yesterday"], "not a date"),
        ({"compose.yaml": COMPOSE}, ["-o", "pdf=x"], "FORMAT=FILE"),
        ({"compose.dev.yaml": COMPOSE}, [], "every recognised file was set aside"),
        ({"compose.yaml": COMPOSE}, ["..", "compose.yaml"], "outside of the working directory"),
    ],
)
def test_what_cannot_be_decided_is_exit_2_and_says_what_to_do(
    tree: Write, files: dict[str, str], words: list[str], says: str
) -> None:
    done = check(tree(files), *words)
    assert done.returncode == 2
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_findings_of_other_files_still_appear_when_one_is_broken(tree: Write) -> None:
    done = check(tree({"compose.yaml": UNPARSABLE, "b/compose.production.yaml": PUBLISHED}))
    assert done.returncode == 2 and "compose/data-store-published" in done.stdout


def test_a_broken_file_that_is_set_aside_breaks_nothing(tree: Write) -> None:
    done = check(tree({"compose.dev.yaml": UNPARSABLE, "compose.production.yaml": COMPOSE}))
    assert done.returncode == 0, done.stdout
    assert "compose.dev.yaml" in done.stdout


def test_allow_empty(tree: Write) -> None:
    done = check(tree({"compose.dev.yaml": COMPOSE, "elo-gate.toml": "allow_empty = true"}))
    assert done.returncode == 0


def test_one_folder_is_the_root_and_several_paths_filter(tree: Write) -> None:
    folder = tree({"a/compose.production.yaml": PUBLISHED, "b/compose.production.yaml": PUBLISHED})
    one = json.loads(check(folder, "-f", "json", "a").stdout)
    assert {each["path"] for each in one["findings"]} == {"compose.production.yaml"}
    file = json.loads(check(folder, "-f", "json", "a/compose.production.yaml").stdout)
    assert {each["path"] for each in file["findings"]} == {"a/compose.production.yaml"}
    assert len(file["coverage"]["judged"]) == 2


def test_an_examples_folder_above_the_root_makes_nothing_an_example(tree: Write) -> None:
    folder = tree({"examples/tests/compose.production.yaml": PUBLISHED})
    assert check(folder / "examples/tests").returncode == 1
    assert check(folder).returncode == 2


def test_reports_go_to_files_as_a_whole(tree: Write) -> None:
    folder = tree({"compose.production.yaml": PUBLISHED})
    done = check(folder, "-o", "sarif=out.sarif", "-o", "json=out.json")
    assert json.loads((folder / "out.sarif").read_text())["version"] == "2.1.0"
    assert json.loads((folder / "out.json").read_text())["verdict"] == "blocked"
    assert done.stdout.startswith("compose.production.yaml")
    assert sorted(each.name for each in folder.iterdir()) == ["compose.production.yaml", "out.json", "out.sarif"]
    assert check(folder, "-o", "json=no/such/folder.json").returncode == 2


@pytest.mark.parametrize(
    ("words", "environment", "coloured"),
    [(["--color", "always"], {"NO_COLOR": "1"}, True), ([], {"FORCE_COLOR": "1"}, True),
     ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False), (["--color", "never"], {"FORCE_COLOR": "1"}, False)],
)  # fmt: skip
def test_colour(tree: Write, words: list[str], environment: dict[str, str], coloured: bool) -> None:
    done = check(tree({"compose.production.yaml": PUBLISHED}), *words, **environment)
    assert ("\x1b[31m" in done.stdout) is coloured


def test_ignore_lets_pass_until_its_day(tree: Write) -> None:
    entry = '[[ignore]]\nrule = "compose/data-store-published"\npath = "*.yaml"\nreason = "lab"\nuntil = 2026-12-01\n'
    folder = tree({"compose.production.yaml": PUBLISHED, "elo-gate.toml": entry})
    words = ["--fail-on", "error", "-f", "json"]
    before = json.loads(check(folder, *words).stdout)
    assert [each["rule"] for each in before["suppressed"]] == ["compose/data-store-published"]
    after = json.loads(call("cli", folder, "check", "--as-of", "2026-12-02", *words).stdout)
    assert not after["suppressed"] and after["verdict"] == "blocked"


def test_severity_off_and_changed(tree: Write) -> None:
    rule = 'rule."compose/data-store-published"'
    folder = tree({"compose.production.yaml": PUBLISHED, "elo-gate.toml": f'[{rule}]\nseverity = "off"\n'})
    found = json.loads(check(folder, "-f", "json").stdout)
    assert "compose/data-store-published" not in {each["rule"] for each in found["findings"]}
    tree({"elo-gate.toml": f'[{rule}]\nseverity = "note"\n'})
    found = json.loads(check(folder, "-f", "json").stdout)
    assert {each["severity"] for each in found["findings"] if each["rule"] == "compose/data-store-published"} == {
        "note"
    }


# -- the hook


def hook(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return call("hook", folder, *words)


def test_hook_without_names_judges_everything(tree: Write) -> None:
    done = hook(tree({"compose.production.yaml": PUBLISHED}))
    assert done.returncode == 1 and "compose/data-store-published" in done.stdout


def test_hook_is_silent_when_nothing_is_there_or_everything_passes(tree: Write) -> None:
    assert (hook(tree({"x.md": ""})).returncode, hook(tree({})).stdout) == (0, "")
    assert hook(tree({"compose.dev.yaml": UNPARSABLE})).returncode == 0


def test_hook_with_names_judges_those_and_says_what_is_off(tree: Write) -> None:
    folder = tree({"a/compose.production.yaml": PUBLISHED, "b/compose.production.yaml": PUBLISHED, "-rf.env": "A=1\n"})
    done = hook(folder, "a/compose.production.yaml", "-rf.env")
    assert done.returncode == 1
    assert "a/compose.production.yaml" in done.stdout and "b/compose" not in done.stdout
    assert "across files were left out" in done.stdout


@pytest.mark.parametrize("name", ["--help", "-f", "nowhere.env", "../x"])
def test_hook_takes_every_argument_as_a_file_name(tree: Write, name: str) -> None:
    done = hook(tree({"compose.yaml": COMPOSE}), name)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stdout == ""


def test_hook_breaks_on_what_it_cannot_read(tree: Write) -> None:
    folder = tree({"compose.production.yaml": UNPARSABLE})
    assert hook(folder, "compose.production.yaml").returncode == 2
    assert hook(folder).returncode == 2


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / ".env.production").write_text("LOG_LEVEL=info\n")
    pipe = tmp_path / "report"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "elo_gate", "check", "-o", f"json={pipe}"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        with open(pipe, encoding="utf-8") as reader:
            assert json.load(reader)["tool"]["name"] == "elo-gate"
        process.wait(timeout=60)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_file_alone_does_not_fail_by_what_other_files_may_say(tree: Write) -> None:
    folder = tree(
        {"Dockerfile": 'FROM node:24-alpine\nENV NODE_ENV=production\nCMD ["node", "x.js"]\n', "k8s/app.yaml": "a: b\n"}
    )
    door = [sys.executable, "-c", "from elo_gate.hook import main; main()", "Dockerfile"]
    assert (
        "docker/root-user  " not in subprocess.run(door, cwd=folder, capture_output=True, text=True, check=False).stdout
    )
    (folder / "k8s/app.yaml").unlink()
    (folder / "k8s").rmdir()
    assert "docker/root-user  " in subprocess.run(door, cwd=folder, capture_output=True, text=True, check=False).stdout
