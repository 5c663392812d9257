"""The n-th call to the file system fails, for every n of a run on an example: no traceback, and never greener than it is.

A sample in a usual run; `ELO_GATE_HOSTILE=all` for every call.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from elo_gate import gate
from elo_gate.discover import Unreadable
from elo_gate.policy import ConfigError
from elo_gate.report import text

AS_OF = "2026-11-25"
EVERY = 1 if os.environ.get("ELO_GATE_HOSTILE") == "all" else 23
CALLS = ("open", "read", "fstat", "scandir", "stat", "lstat", "readlink")


class Faults:
    """Counts calls about a tree and lets one of them fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
        self.count = 0
        self.at = -1
        self.error: Callable[[], BaseException] = lambda: OSError(errno.EIO, os.strerror(errno.EIO))
        self.hit = ""
        self.root = str(root)
        self.descriptors: dict[int, str] = {}
        for name in CALLS:
            monkeypatch.setattr(os, name, self.failing(name, getattr(os, name)))

    def failing(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """A call of the system that fails when its turn has come."""

        def call(*given: Any, **more: Any) -> Any:
            what = given[0] if given else "."
            path = self.descriptors.get(what, "") if isinstance(what, int) else os.fspath(what)
            if isinstance(path, bytes) or not path.startswith(self.root):
                return real(*given, **more)
            self.count += 1
            if self.count == self.at:
                self.hit = f"{name} {path[len(self.root) :]}"
                raise self.error()
            made = real(*given, **more)
            if name == "open":
                self.descriptors[made] = path
            return made

        return call

    def run(self, at: int) -> tuple[str, set[tuple[str, str, int]]]:
        """(the verdict, the findings) when one call fails."""
        self.count, self.at, self.hit = 0, at, ""
        self.descriptors.clear()
        try:
            done = gate.run(self.root, as_of=AS_OF)
        except (gate.UsageError, ConfigError, Unreadable, MemoryError):  # what both doors end with 2 for
            return "broken", set()
        finally:
            self.at = -1
        text.render(done)
        return done.verdict.word, {(each.rule.id, each.source.path, each.start) for each in done.verdict.findings}


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch, root: Path) -> Iterator[Faults]:
    made = Faults(monkeypatch, root / "examples" / "intranet-before")
    made.run(-1)  # what is imported on the way is imported now
    yield made
    monkeypatch.undo()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EIO, "Input/output error"),
        PermissionError(errno.EACCES, "Permission denied"),
        FileNotFoundError(errno.ENOENT, "No such file"),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_call_that_fails_makes_nothing_greener(faults: Faults, error: BaseException) -> None:
    word, clean = faults.run(-1)
    assert word == "blocked"
    assert clean
    calls = faults.count
    faults.error = lambda: error
    wrong = []
    first = CALLS.index("open") + sum(map(ord, type(error).__name__)) % EVERY
    for at in range(1 + first % EVERY, calls + 1, EVERY):
        word, found = faults.run(at)
        if word == "passed" or (not clean <= found and word != "broken" and "/.git" not in faults.hit):
            wrong.append((at, faults.hit, word, sorted(clean - found)[:3]))
    assert wrong == []
