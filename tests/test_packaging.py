"""Both ways to be installed: what the wheel holds and that it works alone, and that a checkout's rules are live."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from elo_gate.ruleset import load


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from a copy of the checkout by the build backend alone."""
    copy = tmp_path_factory.mktemp("build") / "copy"
    kept = ("src", "rules", "schemas", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "CHANGELOG.md")
    copy.mkdir()
    for name in kept:
        if (root / name).is_dir():
            shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "_compiled"))
        else:
            shutil.copy(root / name, copy / name)
    out = copy.parent / "dist"
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out],
        cwd=copy,
        check=True,
        capture_output=True,
        timeout=300,
    )
    (made,) = out.iterdir()
    return made


def test_the_wheel_holds_rules_schemas_and_the_compiled_rules(wheel: Path, root: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (root / "rules").rglob("*"):
        if path.is_file():
            assert f"elo_gate/{path.relative_to(root).as_posix()}" in names
    assert {f"elo_gate/schemas/{path.name}" for path in (root / "schemas").iterdir()} <= names
    assert "elo_gate/_compiled/index.py" in names
    assert not any(name.startswith(("tests/", "examples/", "docs/")) for name in names)


def test_the_wheel_works_outside_of_the_checkout(wheel: Path, root: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    shutil.copytree(root / "examples", tmp_path / "examples")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "elo_gate", *words],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    where = call("explain", "compose/docker-socket")
    assert where.returncode == 0 and "right" in where.stdout
    assert call("check", "examples/intranet-before", "--as-of", "2026-11-25").returncode == 1
    assert call("check", "examples/intranet", "--as-of", "2026-11-25", "--fail-on", "note").returncode == 0
    assert len(call("rules", "list").stdout.splitlines()) == len(load.load().ids)


def test_in_a_checkout_an_edited_rule_is_live(root: Path, tmp_path: Path) -> None:
    for name in ("src", "rules"):
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    rule = tmp_path / "rules/compose/docker-socket.yaml"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}

    def explain() -> str:
        return subprocess.run(
            [sys.executable, "-m", "elo_gate", "explain", "compose/docker-socket"],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=True,
        ).stdout  # fmt: skip

    before = explain()
    title = before.splitlines()[0].partition(": ")[2]
    rule.write_text(rule.read_text().replace(f"title: {title}", "title: Another title altogether"))
    assert explain().startswith("compose/docker-socket: Another title altogether")


def test_the_version_stands_in_one_place(root: Path) -> None:
    from elo_gate import __version__

    assert f'__version__ = "{__version__}"' in (root / "src/elo_gate/__init__.py").read_text()
    assert 'dynamic = ["version"]' in (root / "pyproject.toml").read_text()
    address = load.load().address
    assert f'Repository = "{address}"' in (root / "pyproject.toml").read_text()
    for path in (root / "src").rglob("*.py"):
        if "_compiled" not in path.parts:
            assert address not in path.read_text(encoding="utf-8"), path


def test_quick_start_is_two_commands(root: Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8").partition("## Quick start\n")[2].partition("\n## ")[0]
    block = text.partition("```sh\n")[2].partition("```")[0].splitlines()
    assert len(block) == 2
    assert "elo-gate check examples/intranet-before" in block[0] and block[1].endswith(".venv/bin/pytest")
    script = (root / ".ci/run").read_text(encoding="utf-8")
    assert "/^## Quick start$/" in script and 'eval "$second"' in script, "CI runs the command that stands here"
