"""The n-th call fails, for every n, through both doors as a process runs them: reports, configuration, baseline, own rules.

The tree is small, so that every call of a run has its turn in a usual run of the tests. What is right: exit code 2 and a
word on stderr, or the answer of an untroubled run; never a traceback, a greener answer, half a report or a file left
behind. tests/hostile/test_faults.py does the same to a large tree.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from elo_gate import gate, hook
from elo_gate.cli import cli

AS_OF = "2026-11-25"
REPORTS = ("sarif", "json", "html", "markdown")
READING = ("open", "file", "read", "fstat", "scandir", "listdir", "stat", "lstat", "readlink")
WRITING = ("file", "write", "flush", "close", "fsync", "replace", "unlink", "mkdir", "rename")
RULE = """\
id: own/label
title: An image that is called x
severity: warning
standard: [CTR-2]
kind: dockerfile
select: final_stage
assert: it.image != 'x'
message: "The image '{it.image}' is called x."
rationale: Nobody knows what such an image holds.
fix: Call it by its name.
references: [{title: An example, url: 'https://x.example/', date: 2026-11-25}]
bad:
- {why: it is called x, file: "FROM x\\nUSER 1\\n", at: 1}
good:
- {why: it is not, file: "FROM y\\nUSER 1\\n"}
"""
TREE = {
    "elo-gate.toml": 'extends = ["base.toml"]\nbaseline = "accepted.json"\n[[ignore]]\nrule = "docker/no-healthcheck"\npath = "**"\nreason = "x"\n',
    "base.toml": 'exclude = ["old/**"]\n',
    "accepted.json": '{"version": 1, "accepted": [\n{"rule": "docker/floating-image", "at": "x", "is": "y", "path": "Dockerfile.production", "reason": "r"},\nnull]}\n',
    ".gitignore": "*.log\n", "sub/.gitignore": "x\n", ".dockerignore": ".env\n", ".git/HEAD": "ref: refs/heads/main\n", ".git/info/exclude": "y\n",
    "Dockerfile.production": "FROM node:latest\nUSER root\nCMD npm start\n",
    "compose.production.yaml": "services:\n  web:\n    image: a/b:latest\n    env_file: .env.production\n    ports: ['5432:5432']\n",
    ".env.production": "API_PASSWORD=Zr4tYp9wQx7nLv2cHd\nNEXT_PUBLIC_A=1\n",
    "next.config.ts": "import { a } from './sub/a'\nexport default { headers: a }\n", "sub/a.ts": "export const a = 1\n",
    "package.json": '{"dependencies": {"next": "16.3.3"}}\n', "scripts/deploy.sh": "#!/bin/sh\nnpx vercel --prod\n",
    "nginx/nginx.conf": "events {}\nhttp { include site.conf; }\n", "nginx/site.conf": "server { listen 80; }\n",
}  # fmt: skip


class Failing:
    """Counts the calls about one folder and lets one of them fail."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self.folder = str(folder)
        self.count = 0
        self.at = -1
        self.error: BaseException = OSError()
        self.hit = ""
        self.counting: tuple[str, ...] = (*READING, *WRITING)
        self.descriptors: dict[int, str] = {}
        for name in sorted({*READING, *WRITING} - {"file", "flush", "close"}):
            patch.setattr(os, name, self.counted(name, getattr(os, name)))
        for module in (builtins, io):
            patch.setattr(module, "open", self.counted("file", module.open))

    def turn(self, name: str, path: str) -> None:
        """Fails when the turn of this call has come."""
        if name not in self.counting:
            return
        self.count += 1
        if self.count == self.at:
            self.hit = f"{name} {path[len(self.folder) :]}"
            raise self.error

    def counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """A call that counts when it is about the folder."""

        def call(*given: Any, **more: Any) -> Any:
            what = given[0] if given else "."
            path = self.descriptors.get(what, "") if isinstance(what, int) else os.fspath(what)
            if isinstance(path, bytes) or not path.startswith(self.folder):
                return real(*given, **more)
            self.turn(name, path)
            made = real(*given, **more)
            if name == "open":
                self.descriptors[made] = path
            elif name == "file" and set(given[1] if len(given) > 1 else more.get("mode", "r")) & set("wax+"):
                self.descriptors[made.fileno()] = path
                made = Written(made, lambda what: self.turn(what, path))
            return made

        return call


class Written:
    """A file whose writes are counted."""

    def __init__(self, file: Any, turn: Callable[[str], None]) -> None:
        self.file = file
        self.turn = turn

    def write(self, text: Any) -> Any:
        """Writes, or fails."""
        self.turn("write")
        return self.file.write(text)

    def flush(self) -> None:
        """Flushes, or fails."""
        self.turn("flush")
        self.file.flush()

    def __enter__(self) -> Written:
        return self

    def __exit__(self, *what: object) -> None:
        self.file.close()
        self.turn("close")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in TREE.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "rules" / "own").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    return tmp_path


def check(folder: Path, *words: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of the command. What it raises is raised."""
    outputs = [f"-o{name}={folder / 'out' / name}" for name in REPORTS]
    done = CliRunner().invoke(
        cli, ["check", str(folder / "tree"), f"--as-of={AS_OF}", *outputs, *words], catch_exceptions=False
    )
    return done.exit_code, done.stdout, done.stderr


def commit(folder: Path, *words: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of the hook. What it raises is raised."""
    out, err = io.StringIO(), io.StringIO()
    before = os.getcwd()
    os.chdir(folder / "tree")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = hook.run(list(words))
    finally:
        os.chdir(before)
    return code, out.getvalue(), err.getvalue()


ALL = os.environ.get("ELO_GATE_HOSTILE") == "all"
EIO = OSError(errno.EIO, "Input/output error")
EACCES = PermissionError(errno.EACCES, "Permission denied")
ENOENT = FileNotFoundError(errno.ENOENT, "No such file or directory")
ENOSPC = OSError(errno.ENOSPC, "No space left on device")
# (door, error, the calls that fail, every n-th of them)
SWEEPS = {
    "check EIO": ("check", EIO, (*READING, *WRITING), 1),
    "check EACCES": ("check", EACCES, READING, 1 if ALL else 5),
    "check ENOENT": ("check", ENOENT, READING, 1 if ALL else 5),
    "check ENOSPC": ("check", ENOSPC, WRITING, 1),
    "hook EIO": ("commit", EIO, READING, 1),
    "hook EACCES": ("commit", EACCES, READING, 1 if ALL else 5),
    "hook ENOENT": ("commit", ENOENT, READING, 1),
}


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Failing]:
    for door in (check, commit):
        assert door(folder)[0] == 1  # what is imported on the way is imported now
    monkeypatch.setattr(gate, "today", lambda: AS_OF)
    yield Failing(monkeypatch, folder)
    monkeypatch.undo()


@pytest.mark.parametrize("name", SWEEPS)
def test_every_call_of_a_run(name: str, patched: Failing, folder: Path) -> None:
    which, error, patched.counting, every = SWEEPS[name]
    door = check if which == "check" else commit
    patched.count, patched.at = 0, -1
    code, clean, _ = door(folder)
    assert code == 1
    reports = {path.name: path.read_bytes() for path in (folder / "out").iterdir()}
    calls, patched.error = patched.count, error
    assert calls > 12
    wrong = []
    for at in range(1, calls + 1, every):
        for path in (folder / "out").iterdir():
            path.unlink() if path.suffix else path.write_bytes(b"old")
        patched.count, patched.at, patched.hit = 0, at, ""
        patched.descriptors.clear()
        code, out, err = door(folder)
        hit, patched.at = patched.hit, -1
        left = {path.name: path.read_bytes() for path in (folder / "out").iterdir()}
        if code == 0 or code == 2 and not (err or "not " in out) or code == 1 and _fewer(clean, out):
            wrong.append((at, hit, code, err[-200:], out[-200:] if code == 1 else ""))
        if set(left) - set(reports):
            wrong.append((at, hit, "left behind", sorted(set(left) - set(reports))))
        if half := [report for report, data in left.items() if data != b"old" and not _whole(report, data)]:
            wrong.append((at, hit, "half a report", half))
    assert wrong == []


def _whole(name: str, data: bytes) -> bool:
    """Whether a report is there to its end."""
    if name in ("sarif", "json"):
        try:
            return bool(json.loads(data))
        except ValueError:
            return False
    return data.endswith(b"</html>\n" if name == "html" else b"\n")


def _fewer(clean: str, out: str) -> bool:
    """Whether a report has fewer findings than the untroubled one."""
    return sum(line.startswith("error") for line in out.splitlines()) < sum(
        line.startswith("error") for line in clean.splitlines()
    )


@pytest.mark.parametrize("error", [EIO, ENOENT], ids=["EIO", "ENOENT"])
def test_every_call_with_own_rules(error: BaseException, patched: Failing, folder: Path) -> None:
    """The configuration, its rule folder and what they name: unread, they are no reason to be content with less."""
    (folder / "tree" / "own" / "own").mkdir(parents=True)
    (folder / "tree" / "own" / "own" / "label.yaml").write_text(RULE)
    (folder / "tree" / "elo-gate.toml").write_text(TREE["elo-gate.toml"].replace("\n[[", '\nrules = ["own"]\n[[', 1))
    patched.count = 0
    code, _, err = check(folder)
    assert code == 1, err
    calls, patched.error = patched.count, error
    wrong = []
    for at in range(1, calls + 1, 1 if ALL else 3):
        patched.count, patched.at, patched.hit = 0, at, ""
        patched.descriptors.clear()
        code, out, err = check(folder)
        hit, patched.at = patched.hit, -1
        if code not in (1, 2) or code == 2 and not (err or "not " in out):
            wrong.append((at, hit, code, err[-200:]))
    assert wrong == []
