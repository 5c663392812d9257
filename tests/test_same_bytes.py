"""The same tree, the same report: from a second process, in another place, in another order of files and of arguments."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from elo_gate import gate
from elo_gate.report import FORMATS, render

AS_OF = "2026-11-25"
OPTIONS = {"verbose": True, "include_suppressed": True, "colour": False}


def reports(root: Path, below: tuple[str, ...] = ()) -> dict[str, str]:
    run = gate.run(str(root), below, as_of=AS_OF)
    return {name: render(run, name, OPTIONS) for name in FORMATS}


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    folder = tmp_path_factory.mktemp("a") / "shop"
    shutil.copytree(root / "examples" / "intranet-before", folder)
    return folder


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory, original: Path) -> Iterator[list[Path]]:
    """The tree in other places, its files written in other orders: other inodes, another order of the folder's names."""
    made = []
    for number, order in enumerate((files(original)[::-1], sorted(files(original), key=lambda path: str(path)[::-1]))):
        target = tmp_path_factory.mktemp("b" * (number * 40 + 1)) / "some" / "where" / "else" / "shop"
        for path in order:
            copy = target / path.relative_to(original)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
            os.utime(copy, (1, number + 1))
        made.append(target)
    yield made


def test_a_second_run_and_a_copy_elsewhere(original: Path, copies: list[Path]) -> None:
    first = reports(original)
    assert "docker/" in first["json"]
    assert reports(original) == first
    for copy in copies:
        assert reports(copy) == first
    for name, text in first.items():
        assert str(original) not in text, f"{name} says where the tree lies"


def test_the_order_of_arguments(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = sorted(path.name for path in original.iterdir())[:6]
    monkeypatch.chdir(original)
    said = set()
    for words in (names, names[::-1], [*names[3:], *names[:3]], [*names, names[0]]):
        root, below = gate.root_of([f"./{name}" for name in words])
        said.add("\0".join(f"{name}\0{text}" for name, text in reports(Path(root), tuple(below)).items()))
    assert len(said) == 1


def test_the_hash_seed_of_another_process(original: Path, tmp_path: Path, root: Path) -> None:
    """Sets and dictionaries come in another order under another PYTHONHASHSEED; nothing that is shown may."""
    said = []
    for seed, cwd in (("0", original), ("1", original), ("4711", tmp_path)):
        out = tmp_path / f"out{seed}"
        out.mkdir()
        outputs = [f"-o{name}={out / name}" for name in FORMATS]
        done = subprocess.run(
            [sys.executable, "-P", "-m", "elo_gate", "check", str(original), f"--as-of={AS_OF}", "-v", *outputs], cwd=cwd, check=False,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([str(root / "src"), *filter(None, sys.path)])},
            capture_output=True,
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        said.append({"stdout": done.stdout, **{name: (out / name).read_bytes() for name in FORMATS}})
    assert said[0] == said[1] == said[2]


def test_the_hook_and_its_arguments(original: Path, root: Path) -> None:
    named = [
        str(path.relative_to(original))
        for path in files(original)
        if "Dockerfile" in path.name or path.suffix == ".yaml"
    ][:5]
    said = set()
    for seed, words in (("0", named), ("1", named[::-1])):
        done = subprocess.run(
            [sys.executable, "-P", "-c", "import elo_gate.gate as g; g.today = lambda: '2026-11-25'\nfrom elo_gate.hook import main; main()", *words],
            cwd=original, capture_output=True, check=False,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([str(root / "src"), *filter(None, sys.path)])},
        )  # fmt: skip
        said.add((done.returncode, done.stdout, done.stderr))
    assert len(said) == 1
