"""Dumps on their way: programs that are fed piece by piece, that read nothing, that end early; memory that stays small."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from elo_gate.deploy import child

from .conftest import command, run, variables


def fed(script: str, pieces: Iterator[bytes] | bytes, seconds: float = 60) -> child.Done:
    return child.run([sys.executable, "-c", script], "/", child.environment("/", ()), seconds, feed=pieces)


def test_a_program_is_fed_more_than_a_pipe_holds_and_answers_meanwhile() -> None:
    script = "import sys\nn = 0\nwhile p := sys.stdin.buffer.read(1000):\n    n += len(p); sys.stdout.write('.' * 100)\nprint(n)"
    done = fed(script, (b"x" * 70_000 for _ in range(30)))
    assert (done.code, done.out.decode().strip(".\n")) == (0, "2100000")
    assert fed("import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())", b"short").out == b"short"


def test_a_program_that_reads_no_more_ends_the_feeding() -> None:
    taken = []

    def pieces() -> Iterator[bytes]:
        while True:
            taken.append(1)
            yield b"x" * 65_536

    done = fed("import sys; sys.stdin.buffer.read(10); sys.exit(3)", pieces())
    assert (done.code, done.late) == (3, False)
    assert len(taken) < 100
    assert fed("import time; time.sleep(60)", pieces(), 0.5).late


def test_what_goes_wrong_while_feeding_ends_the_program() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x"
        raise EOFError("torn")

    before = time.monotonic()
    with pytest.raises(EOFError):
        fed("import sys, time; sys.stdin.read(1); time.sleep(60)", pieces())
    assert time.monotonic() - before < 30


def test_pieces_of_a_program_are_whole_or_broken() -> None:
    def pieces(script: str, seconds: float = 60) -> bytes:
        return b"".join(child.pieces([sys.executable, "-c", script], "/", child.environment("/", ()), seconds))

    assert len(pieces("import sys; sys.stdout.write('x' * 300000)")) == 300_000
    with pytest.raises(child.Broken, match="ended with 4"):
        pieces("import sys; sys.stdout.write('x' * 300000); sys.stdout.flush(); sys.exit(4)")
    with pytest.raises(child.Broken, match="in time"):
        pieces("import time; time.sleep(60)", 0.5)
    with pytest.raises(child.Broken):
        list(child.pieces(["/no/such/program"], "/", {}, 1))


def test_a_large_dump_is_not_held_in_memory(series: Callable[..., Path]) -> None:
    head, end = b"--\n-- PostgreSQL database dump\n--\n", b"\n-- PostgreSQL database dump complete\n--\n"
    body = gzip.compress(head + b"0" * 192_000_000 + end, 1)
    tree = series(body, days=1)
    script = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)\n"
        "print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command("--root", str(tree), "--fresh")], capture_output=True, text=True,
        timeout=300, check=True, env=variables(),
    )  # fmt: skip
    code, peak = done.stdout.split()
    unit = 1 if sys.platform == "darwin" else 1024
    assert code == "0" and int(peak) * unit < 130e6


def test_without_the_program_of_its_packing_a_dump_is_unknown_by_name(
    series: Callable[..., Path], tmp_path: Path
) -> None:
    if shutil.which("zstd") is None:
        pytest.skip("no zstd program here")
    data = subprocess.run(["zstd", "-qc"], input=b"-- x\n" * 99, capture_output=True, check=True, timeout=60).stdout
    done = run("--root", str(series(data, days=1)), "--fresh", environment={"PATH": str(tmp_path)})
    assert done.returncode == 7 and "no zstd program here" in done.stdout and "do: install zstd" in done.stdout
