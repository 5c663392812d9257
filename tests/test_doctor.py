"""What `doctor` says about an installation and a tree, and what it must not say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from elo_gate import __version__
from elo_gate.start import doctor

Write = Callable[[dict[str, str]], Path]

AS_OF = "2026-11-25"
TREE = {"compose.production.yaml": "services:\n  app:\n    image: ghcr.io/acme/app:1.2.3\n    restart: always\n"}


def call(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "elo_gate", "doctor", *words], cwd=folder, capture_output=True, text=True, timeout=120,
        env={**os.environ, **environment}, check=False,
    )  # fmt: skip


def examined(folder: Path, as_of: str = AS_OF) -> dict[str, doctor.Line]:
    return {line.what.strip(): line for line in doctor.examine(str(folder), as_of)}


def test_a_sound_tree_is_fine(tree: Write) -> None:
    done = call(tree(TREE), "--as-of", AS_OF)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(line.startswith(("ok ", "warn ", "    ")) for line in done.stdout.splitlines())
    assert f"elo-gate  {' ' * 10}" in done.stdout and __version__ in done.stdout
    assert "1 Compose file" in done.stdout


def test_every_state_comes_with_what_to_do(tree: Write) -> None:
    for line in doctor.examine(str(tree(TREE)), "2030-01-01"):
        assert line.state in (doctor.OK, doctor.WARN, doctor.FAIL)
        assert line.state == doctor.OK or line.do, line.what


def test_a_refused_configuration_fails(tree: Write) -> None:
    folder = tree({**TREE, "elo-gate.toml": 'fail_onn = "error"\n'})
    done = call(folder, "--as-of", AS_OF)
    assert done.returncode == 1
    assert "did you mean `fail_on`" in done.stdout and "elo-gate.toml:1" in done.stdout
    assert str(folder) not in done.stdout


def test_each_value_says_where_it_comes_from(tree: Write) -> None:
    folder = tree(
        {
            **TREE,
            "elo-gate.toml": 'extends = ["policy/base.toml"]\nplatforms = ["docker"]\n\n[[ignore]]\nrule = "compose/not-hardened"\n'
            'path = "**"\nreason = "x"\n',
            "policy/base.toml": 'fail_on = "warning"\nexclude = ["old/**"]\n',
        }
    )
    found = examined(folder)
    assert found["configuration"].said == "elo-gate.toml"
    assert found["platforms"].said == "docker  (elo-gate.toml:2, joined with policy/base.toml)"
    assert found["fail_on"].said == "warning  (policy/base.toml)"
    assert found["exclude"].said == "old/**  (policy/base.toml)"
    assert found["ignore"].said.startswith("1 entries  (elo-gate.toml:4")


def test_defaults_are_named_as_such(tree: Write) -> None:
    found = examined(tree({**TREE, "elo-gate.toml": 'platforms = ["docker"]\n'}))
    assert found["fail_on"].said == "error  (built in)"


def test_a_configuration_in_pyproject(tree: Write) -> None:
    found = examined(tree({**TREE, "pyproject.toml": '[project]\nname = "x"\n\n[tool.elo-gate]\nfail_on = "note"\n'}))
    assert found["configuration"].said == "pyproject.toml" and found["fail_on"].said == "note  (pyproject.toml:5)"


def test_old_tables_are_a_warning_and_no_failure(tree: Write) -> None:
    found = doctor.examine(str(tree(TREE)), "2028-01-01")
    old = [line for line in found if line.what.startswith("table ")]
    assert old and all(line.state == doctor.WARN and "days ago" in line.said for line in old)
    assert doctor.exit_code(found) == 0
    assert not [line for line in doctor.examine(str(tree(TREE)), AS_OF) if line.what.startswith("table ")]


def test_a_file_that_is_not_analysed_is_named(tree: Write) -> None:
    found = examined(tree({**TREE, "k8s/compose.yaml": "services: [\n"}))
    (line,) = (line for name, line in found.items() if name.startswith("k8s/compose.yaml:"))
    assert line.state == doctor.WARN and line.said.startswith("not analysed: ")


def test_an_empty_tree_is_a_warning(tree: Write) -> None:
    found = examined(tree({"README.md": "x"}))
    assert found["files"].state == doctor.WARN and found["git"].state == doctor.WARN


def test_json_says_the_same(tree: Write) -> None:
    document = json.loads(call(tree(TREE), "--as-of", AS_OF, "-f", "json").stdout)
    assert document["exit_code"] == 0
    assert {"elo-gate", "Python", "rules", "git", "terminal", "colours"} <= {line["what"] for line in document["lines"]}


def test_neither_values_nor_folders_of_people_are_shown(tree: Write) -> None:
    folder = tree(
        {
            **TREE,
            ".env.production": "SESSION_SECRET=Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA\n",
            "elo-gate.toml": 'exclude = ["ghp_16C7e42F292c6912E7710c838347Ae178B4a/**"]\n',
        }
    )
    done = call(folder, "--as-of", AS_OF, HOME=str(folder.parent), DATABASE_URL="postgres://u:hunter2hunter2@h/d")
    for secret in ("Zm9vYmFy", "hunter2", "16C7e42F", str(folder.parent)):
        assert secret not in done.stdout + done.stderr, secret


def test_what_fails_unexpectedly_is_a_line_with_a_class_alone(tree: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise ValueError("postgres://u:hunter2@h/d")

    monkeypatch.setattr(doctor, "_yaml", fails)
    found = examined(tree(TREE))
    assert found["YAML"].state == doctor.FAIL and found["YAML"].said.endswith("ValueError")


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, "off, by NO_COLOR"),
        ({"NO_COLOR": "", "FORCE_COLOR": "1"}, "on, by FORCE_COLOR"),
        ({"CLICOLOR_FORCE": "1", "TERM": "dumb"}, "on, by CLICOLOR_FORCE"),
        ({"TERM": "dumb"}, "off, by TERM=dumb"),
    ],
)
def test_colours_are_explained(environment: dict[str, str], says: str, tree: Write) -> None:
    found = {line.what: line for line in doctor.examine(str(tree(TREE)), AS_OF, environment=environment)}
    assert found["colours"].said == says


def test_a_terminal_without_unicode(tree: Write) -> None:
    done = call(tree(TREE), "--as-of", AS_OF, PYTHONIOENCODING="latin-1", PYTHONUTF8="0")
    assert "warn  terminal" in done.stdout and done.returncode == 0


def test_the_digest_is_that_of_the_rules(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.yaml").write_text("1")
    first = doctor.digest(str(tmp_path))
    assert first == doctor.digest(str(tmp_path)) and len(first) == 12
    (tmp_path / "a/notes.txt").write_text("not a rule")
    assert doctor.digest(str(tmp_path)) == first
    (tmp_path / "a/x.yaml").write_text("2")
    assert doctor.digest(str(tmp_path)) != first


def test_git_is_looked_at(tree: Write) -> None:
    folder = tree(TREE)
    run = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    try:
        subprocess.run([*run, "init", "-q"], cwd=folder, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("git is not here")
    assert examined(folder)["git"].state == doctor.WARN  # no commit yet
    subprocess.run([*run, "commit", "-q", "--allow-empty", "-m", "x"], cwd=folder, check=True)
    assert examined(folder)["git"].state == doctor.OK
    (folder / ".git/shallow").write_text("0" * 40 + "\n")
    assert "fetch-depth" in examined(folder)["git history"].do
