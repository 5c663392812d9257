"""The process itself: closed and full outputs, signals, four at once, and nothing left behind."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"
CHECK = [sys.executable, "-P", "-m", "elo_gate", "check", "--as-of=2026-11-25"]
HOOK = [sys.executable, "-P", "-c", "from elo_gate.hook import main; main()"]
DOORS = pytest.mark.parametrize("door", [CHECK, HOOK], ids=["check", "hook"])


def environment() -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(SRC), *(each for each in sys.path if each.endswith("-packages"))]),
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tree with many findings, whose report is longer than a pipe holds."""
    for number in range(150):
        path = tmp_path / f"a{number}" / "Dockerfile.production"
        path.parent.mkdir()
        path.write_text("FROM node:latest\nUSER root\nADD https://a.example/x /x\nCMD npm start\n")
    return tmp_path


@DOORS
def test_a_full_disk(door: list[str], folder: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            door, cwd=folder, env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@DOORS
def test_a_closed_pipe(door: list[str], folder: Path) -> None:
    process = subprocess.Popen(door, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    assert process.wait() == 141
    assert said == b""


@DOORS
@pytest.mark.parametrize("closed", [1, 2])
def test_a_closed_stream(door: list[str], closed: int, folder: Path) -> None:
    done = subprocess.run(
        door, cwd=folder, env=environment(), capture_output=True, text=True, check=False,
        preexec_fn=lambda: os.close(closed),
    )  # fmt: skip
    assert done.returncode == (2 if closed == 1 else 1)
    assert "Traceback" not in done.stderr + done.stdout


def test_a_report_that_does_not_fit(folder: Path) -> None:
    """A limit on the size of files, as a quota is: the old report stays, no half one, exit 2."""
    out = folder / "out.sarif"
    out.write_text("old")
    done = subprocess.run(
        [*CHECK, f"-osarif={out}"], cwd=folder, env=environment(), capture_output=True, text=True, check=False,
        preexec_fn=lambda: (resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)),
    )  # fmt: skip
    assert done.returncode == 2
    assert out.read_text() == "old"
    assert [each.name for each in folder.glob("out*")] == ["out.sarif"]
    assert "Traceback" not in done.stderr


@DOORS
@pytest.mark.parametrize(
    ("sent", "codes"), [(signal.SIGINT, {130}), (signal.SIGTERM, {143, -signal.SIGTERM})], ids=["SIGINT", "SIGTERM"]
)
def test_a_signal(door: list[str], sent: signal.Signals, codes: set[int], folder: Path) -> None:
    process = subprocess.Popen(door, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # It waits for somebody to read its report: the pipe is full, nobody reads.
    time.sleep(3)
    assert process.poll() is None, "it ended before the signal: the report is too short"
    process.send_signal(sent)
    _, said = process.communicate(timeout=60)
    assert process.returncode in codes
    assert b"Traceback" not in said


def test_four_at_once_say_the_same(folder: Path) -> None:
    running = [
        subprocess.Popen([*CHECK, "-fjson"], cwd=folder, env=environment(), stdout=subprocess.PIPE) for _ in range(4)
    ]
    said = {each.communicate()[0] for each in running}
    assert [each.returncode for each in running] == [1] * 4
    (text,) = said
    assert json.loads(text)


def test_an_error_nobody_expected_is_no_blocked(folder: Path) -> None:
    door = "import elo_gate.gate as g\ndef run(*a, **k): raise KeyError('s3cr3t-value')\ng.run = run\n"
    for end in (
        "from elo_gate.hook import main; main()",
        "import sys; sys.argv = ['elo-gate', 'check']; from elo_gate.cli import main; main()",
    ):
        done = subprocess.run(
            [sys.executable, "-P", "-c", door + end],
            cwd=folder,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert "internal error: KeyError" in done.stderr
        assert "s3cr3t" not in done.stderr
        assert "Traceback" not in done.stderr
