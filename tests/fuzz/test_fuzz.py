"""The fuzzers' corpus, input by input, and a few seconds of each fuzzer where atheris is."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))
from readers import READERS  # noqa: E402

sys.path.pop(0)
INPUTS = [(name, path) for name in READERS for path in sorted((HERE / "corpus" / name).iterdir())]


@pytest.mark.parametrize(("name", "path"), INPUTS, ids=[f"{name}/{path.name}" for name, path in INPUTS])
def test_an_input_of_the_corpus(name: str, path: Path) -> None:
    READERS[name](path.read_bytes())


def test_every_reader_has_a_harness() -> None:
    """Whatever turns text into nodes below syntax/ is fuzzed; the rest of that folder serves those."""
    serving = {"dockerfile_variables", "glob", "treesitter", "__init__"}
    syntax = {path.stem for path in (ROOT / "src" / "elo_gate" / "syntax").iterdir() if path.name != "__pycache__"}
    assert syntax - serving - set(READERS) == set()
    assert {path.name for path in (HERE / "corpus").iterdir()} == set(READERS)


@pytest.mark.parametrize("name", READERS)
def test_a_few_seconds_of_fuzzing(name: str, tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not here: pip install atheris")
    # The same inputs on a machine that says it is CI: what passed once passes again.
    seed = ["--seed", "1", "--runs", "400" if name == "tree" else "4000"] if os.environ.get("CI") else []
    done = subprocess.run(
        [sys.executable, str(HERE / "run.py"), name, "--seconds", "5", "--keep", str(tmp_path), *seed],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert list((tmp_path / name).iterdir()), "it kept nothing: it did not run"
