"""The module budget: what the two doors may import. The guard of the start-up time that no machine's load disturbs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from elo_gate.ruleset import load

# Outside of elo_gate, a judged YAML, Dockerfile or env file may bring these and nothing else.
BASE = {
    "_collections", "_functools", "_operator", "_sre", "collections", "copyreg", "enum", "functools", "itertools",
    "keyword", "operator", "re", "re._casefix", "re._compiler", "re._constants", "re._parser", "reprlib", "types",
    "__future__", "time", "gc", "errno", "fnmatch", "posixpath", "stat", "os", "bisect",
    "_bisect", "_json",
}  # fmt: skip
YAML = {"yaml._yaml", "cython_runtime"}
JSON = {"_json"}

FILES: dict[str, tuple[str, str, set[str]]] = {
    "k8s": ("k8s/production/app.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: 1}]}\n", YAML),
    "compose": ("compose.production.yaml", "services:\n  app: {image: 'ghcr.io/a/b:1', restart: always}\n", YAML),
    "dockerfile": ("Dockerfile.production", "FROM node:24\nUSER 1001\nCMD [\"node\", \"x.js\"]\n", JSON),
    "env": (".env.production", "LOG_LEVEL=info\nA=b\n", set()),
}  # fmt: skip


def imported(door: str, folder: Path) -> set[str]:
    """The modules a door brings into a fresh interpreter."""
    script = (
        "import sys\nbefore = set(sys.modules)\n" + door + "\nnew = sorted(set(sys.modules) - before)\n"
        "sys.stderr.write('MODULES ' + ','.join(new))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, timeout=120, check=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    return set(done.stderr.rpartition("MODULES ")[2].split(","))


@pytest.fixture(scope="module", autouse=True)
def _compiled(root: Path) -> None:
    """Rules that are stale are compiled on the fly, which imports pydantic: the budget is that of compiled ones."""
    index = root / "src/elo_gate/_compiled/index.py"
    if not index.is_file() or load.stamp(load.data_dir("rules")) not in index.read_text():
        load.write_compiled(str(root))


@pytest.mark.parametrize("kind", sorted(FILES))
def test_the_hook_imports_little(kind: str, tmp_path: Path) -> None:
    path, text, allowed = FILES[kind]
    target = tmp_path / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    new = imported("from elo_gate import hook\nhook.run([])", tmp_path)
    others = {name for name in new if not name.startswith("elo_gate") and not name.startswith("_cython_")}
    assert others <= BASE | allowed, sorted(others - BASE - allowed)
    kinds = {name for name in new if name.startswith("elo_gate._compiled.kind_")}
    assert kinds == {f"elo_gate._compiled.kind_{kind}"}, "only the rules of the kind that is there"


@pytest.mark.parametrize("kind", sorted(FILES))
def test_check_adds_click_and_nothing_heavy(kind: str, tmp_path: Path) -> None:
    path, text, _ = FILES[kind]
    target = tmp_path / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    door = "from elo_gate.cli import cli\ntry:\n    cli(['check'])\nexcept SystemExit:\n    pass"
    new = imported(door, tmp_path)
    heavy = {"pydantic", "jsonschema", "jsonschema_rs", "tree_sitter", "logging", "argparse", "subprocess", "yaml.constructor",
             "importlib.metadata", "elo_gate.ruleset.compile", "elo_gate.report.sarif", "tomli", "attr", "typing_extensions"}  # fmt: skip
    assert not new & heavy, sorted(new & heavy)


def test_a_configuration_brings_the_reader_and_no_more(tmp_path: Path) -> None:
    (tmp_path / ".env.production").write_text("A=b\n")
    (tmp_path / "elo-gate.toml").write_text('fail_on = "error"\n')
    new = imported("from elo_gate import hook\nhook.run([])", tmp_path)
    assert "elo_gate.policy.config" in new
    assert not new & {"pydantic", "jsonschema", "difflib", "elo_gate.ruleset.compile"}


def test_nothing_of_the_network_or_of_processes(tmp_path: Path) -> None:
    for path, text, _ in FILES.values():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    new = imported("from elo_gate import hook\nhook.run([])", tmp_path)
    assert not new & {"socket", "ssl", "http", "urllib.request", "subprocess", "asyncio", "multiprocessing"}
