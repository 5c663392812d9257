"""The lock: one deploy at a time, held by children too, and never stale."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from elo_gate.deploy import lock

HOLD = """
import sys, os, signal, subprocess, time
from elo_gate.deploy.lock import Lock
held = Lock(sys.argv[1], "ana", "d1")
child = None
if sys.argv[2] == "child":
    child = subprocess.Popen(["sleep", "30"], pass_fds=(held.descriptor,), start_new_session=True)
    held.child(child.pid, "deploy")
print(child.pid if child else 0, flush=True)
time.sleep(30)
"""


def start(folder: Path, what: str) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder), what], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def until(test: object) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if test():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


def test_a_second_one_is_told_who_holds(tmp_path: Path) -> None:
    process, _ = start(tmp_path, "alone")
    try:
        with pytest.raises(lock.Held) as caught:
            lock.Lock(str(tmp_path), "rui", "d2")
        assert "ana" in str(caught.value) and str(process.pid) in str(caught.value)
        assert lock.alive(caught.value.holder)
    finally:
        process.kill()
        process.wait()
    assert not lock.held(str(tmp_path))
    assert not lock.alive(lock.read(str(tmp_path)))
    lock.Lock(str(tmp_path), "rui", "d2").release()  # nothing stale is left behind


def test_a_child_that_outlives_its_parent_holds_on(tmp_path: Path) -> None:
    process, child = start(tmp_path, "child")
    try:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert lock.held(str(tmp_path))
        with pytest.raises(lock.Held) as caught:
            lock.Lock(str(tmp_path), "rui", "d2")
        assert not lock.alive(caught.value.holder)
        assert str(child) in str(caught.value)
        assert lock.lives(child, caught.value.holder["child"]["born"])
    finally:
        os.kill(child, signal.SIGKILL)
    assert until(lambda: not lock.held(str(tmp_path)))


def test_a_number_that_was_given_anew_is_another_process() -> None:
    assert lock.lives(os.getpid(), lock.born(os.getpid()))
    if os.path.isdir("/proc/self"):
        assert not lock.lives(os.getpid(), "1")
    for nobody in (0, 1, -1, None, "7"):
        assert not lock.lives(nobody, "")


def test_the_holder_of_another_machine_counts_as_alive() -> None:
    assert lock.alive({"host": "elsewhere", "boot": "x", "pid": 1})
    assert not lock.alive({})


def test_the_lock_is_no_link(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        lock.Lock(str(tmp_path), "ana", "d1")
