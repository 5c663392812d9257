"""The jobs that docs/gitlab.md shows, run line by line with packages from a folder of wheels."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

KEPT = (
    "src",
    "rules",
    "schemas",
    "requirements",
    "pyproject.toml",
    "hatch_build.py",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
)
COMPOSE = """\
services:
  app:
    image: ghcr.io/acme/app:1.2.3
    restart: unless-stopped
    environment:
      NODE_ENV: production
"""
PUBLISHED = COMPOSE + '  db:\n    image: postgres:18.1\n    ports: ["5432:5432"]\n    restart: always\n'
OFF = "".join(
    f'[rule."compose/{name}"]\nseverity = "off"\n' for name in ("data-store-published", "database-without-volume")
)


@pytest.fixture(scope="module")
def jobs(root: Path) -> list[dict[str, Any]]:
    page = (root / "docs/gitlab.md").read_text(encoding="utf-8")
    return [yaml.safe_load(each) for each in re.findall(r"^```yaml\n(.*?)^```$", page, re.M | re.S)]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    wheels = Path(os.environ.get("ELO_GATE_WHEELS", ""))
    if not wheels.parts or not any(wheels.glob("hatchling-*.whl")):
        pytest.skip(
            "no folder of wheels: pip download -r requirements/action.txt -d DIR, and set ELO_GATE_WHEELS to DIR"
        )
    home = tmp_path_factory.mktemp("home")
    nothing = home / "nothing"
    nothing.touch()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "GIT_", "PYTHON", "CI_", "SYSTEM_"))
    }
    return {
        **kept,
        "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": str(nothing), "HOME": str(home),
        "GIT_CONFIG_GLOBAL": str(nothing), "GIT_CONFIG_SYSTEM": str(nothing), "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@acme.test", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@acme.test",
    }  # fmt: skip


def git(folder: Path, environment: dict[str, str], *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=True
    ).stdout.strip()


@pytest.fixture(scope="module")
def gate(root: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """(where a clone of this repository is, its commit)."""
    copy = tmp_path_factory.mktemp("gate") / "elo-gate"
    copy.mkdir()
    for name in KEPT:
        if (root / name).is_dir():
            shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "_compiled"))
        else:
            shutil.copy(root / name, copy / name)
    git(copy, environment, "init", "-q")
    git(copy, environment, "add", "-A")
    git(copy, environment, "commit", "-q", "-m", "x")
    return str(copy), git(copy, environment, "rev-parse", "HEAD")


def change(folder: Path, environment: dict[str, str]) -> str:
    """A repository whose last commit lowers its own bar; returns the commit before it."""
    folder.mkdir()
    (folder / "compose.production.yaml").write_text(COMPOSE)
    git(folder, environment, "init", "-q", "-b", "main")
    git(folder, environment, "add", "-A")
    git(folder, environment, "commit", "-q", "-m", "x")
    before = git(folder, environment, "rev-parse", "HEAD")
    git(folder, environment, "update-ref", "refs/remotes/origin/main", before)
    (folder / "compose.production.yaml").write_text(PUBLISHED)
    (folder / "elo-gate.toml").write_text(OFF)
    git(folder, environment, "add", "-A")
    git(folder, environment, "commit", "-q", "-m", "x")
    return before


def shell(folder: Path, environment: dict[str, str], script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-e", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
        check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_the_gitlab_job(
    jobs: list[dict[str, Any]], environment: dict[str, str], gate: tuple[str, str], tmp_path: Path
) -> None:
    job = jobs[0]["elo-gate"]
    assert job["variables"]["ELO_GATE_COMMIT"] == "COMMIT" and job["artifacts"]["when"] == "always"
    told = {**environment, **job["variables"], "ELO_GATE_REPOSITORY": gate[0], "ELO_GATE_COMMIT": gate[1]}
    folder = tmp_path / "shop"
    before = change(folder, environment)
    prepare, script = (
        "\n".join(job[name]).replace("/tmp/elo-gate", str(tmp_path / "gate")) for name in ("before_script", "script")
    )
    ready = shell(folder, told, prepare)
    assert ready.returncode == 0, ready.stderr
    pushed = shell(folder, told, script)
    assert pushed.returncode == 0, pushed.stdout + pushed.stderr
    asked = shell(folder, {**told, "CI_MERGE_REQUEST_DIFF_BASE_SHA": before}, script)
    assert asked.returncode == 1, asked.stdout + asked.stderr
    reports = job["artifacts"]["reports"]
    quality = json.loads((folder / reports["codequality"]).read_text())
    assert "compose/data-store-published" in {each["check_name"] for each in quality}
    sarif = json.loads((folder / reports["sarif"]).read_text())
    assert "compose/data-store-published" in {each["ruleId"] for each in sarif["runs"][0]["results"]}


def test_the_azure_job(
    jobs: list[dict[str, Any]], environment: dict[str, str], gate: tuple[str, str], tmp_path: Path
) -> None:
    pipeline = jobs[1]
    install, judge = (step["bash"] for step in pipeline["steps"] if "bash" in step)
    # Azure gives variables to scripts with upper-case names.
    assert {name.upper() for name in pipeline["variables"]} == {"ELOGATEREPOSITORY", "ELOGATECOMMIT"}
    told = {
        **environment, "ELOGATEREPOSITORY": gate[0], "ELOGATECOMMIT": gate[1],
        "AGENT_TEMPDIRECTORY": str(tmp_path), "BUILD_ARTIFACTSTAGINGDIRECTORY": str(tmp_path / "staging"),
    }  # fmt: skip
    folder = tmp_path / "shop"
    change(folder, environment)
    ready = shell(folder, told, install)
    assert ready.returncode == 0, ready.stderr
    assert shell(folder, told, judge).returncode == 0
    asked = shell(folder, {**told, "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main"}, judge)
    assert asked.returncode == 1, asked.stdout + asked.stderr
    (publish,) = (step for step in pipeline["steps"] if "task" in step)
    where = publish["inputs"]["SarifsInputDirectory"].replace(
        "$(Build.ArtifactStagingDirectory)", str(tmp_path / "staging")
    )
    assert json.loads(Path(where, "elo-gate.sarif").read_text())["version"] == "2.1.0"


def test_what_azure_says_of_the_base_is_followed_only_when_it_is_there(
    jobs: list[dict[str, Any]], environment: dict[str, str], tmp_path: Path
) -> None:
    judge = [step["bash"] for step in jobs[1]["steps"] if "bash" in step][1]
    fake = tmp_path / "elo-gate/venv/bin/elo-gate"
    fake.parent.mkdir(parents=True)
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    fake.chmod(0o755)
    told = {**environment, "AGENT_TEMPDIRECTORY": str(tmp_path), "BUILD_ARTIFACTSTAGINGDIRECTORY": str(tmp_path)}
    told["SYSTEM_PULLREQUEST_TARGETBRANCH"] = "refs/heads/a b;$(id)"
    assert shell(tmp_path, told, judge).stdout.splitlines()[:4] == ["check", ".", "--policy-from", "origin/a b;$(id)"]
