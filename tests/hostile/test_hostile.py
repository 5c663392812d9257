"""No tree breaks a promise: every case through every door, 20 seconds and 512 MiB, watched, as root and as nobody.

A usual run takes every case of the kinds where something once broke and a sample of the others;
`ELO_GATE_HOSTILE=all python -m pytest tests/hostile` takes all of them.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("limits and links of POSIX", allow_module_level=True)


def _beside(name: str) -> None:
    """Makes a module of this folder importable, as the tests' own names are not."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])


for _name in ("trees", "sandbox", "judge"):
    _beside(_name)

import judge as court  # noqa: E402
import trees  # noqa: E402

ALL = os.environ.get("ELO_GATE_HOSTILE") == "all"
CASES = trees.cases()
EVERY = 6
# Kinds of cases that are all run: what they are about is decided in a few lines of ours.
KEPT = ("secret-",)
NAMES = [name for at, name in enumerate(CASES) if ALL or name.startswith(KEPT) or at % EVERY == 0]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A fresh folder that everybody may enter, gone whatever its modes are."""
    for each in (tmp_path, *tmp_path.parents):
        if each.owner() == tmp_path.owner() and each.name.startswith(("pytest-", "popen-", tmp_path.name)):
            each.chmod(0o755)
    yield tmp_path
    # By descriptors: a path of the tree may be too long for a call.
    for _, _, _, descriptor in os.fwalk(tmp_path, onerror=lambda error: None):
        os.fchmod(descriptor, 0o755)
    shutil.rmtree(tmp_path, ignore_errors=True)


def test_there_are_enough() -> None:
    assert len(CASES) >= 120


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_tree(name: str, folder: Path) -> None:
    try:
        said, _ = court.judge(
            CASES[name], folder, both=ALL or name.startswith(("file-", "config-", "secret-", "name-"))
        )
    except (PermissionError, NotImplementedError) as error:
        pytest.skip(f"this user or file system cannot make it: {error}")
    assert said == []
