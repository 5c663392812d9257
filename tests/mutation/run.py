"""Changes one place of a module at a time and lets its tests run: what no test notices is listed.

    python tests/mutation/run.py verdict engine deploy.machine          # whole modules
    python tests/mutation/run.py policy.config --sample 100 --seed 7    # some of the mutants
    python tests/mutation/run.py --list                                 # the modules, with the tests that hold them

First the tests run once, to learn which of them reach which line; then each mutant meets those alone, quickest first,
in a process of its own. The last lines are the survivors: a test is missing, or the change changes nothing; which one
is said in docs/testing.md. POSIX only.
"""

from __future__ import annotations

import argparse
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import select
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

from mutants import Mutant, mutants  # noqa: E402

# A module -> the tests that hold it. They run in one process: what a test starts as a program is not mutated.
_POLICY = [
    "tests/test_policy.py",
    "tests/test_exceptions.py",
    "tests/test_suppress.py",
    "tests/test_baseline.py",
    "tests/test_changed.py",
    "tests/test_verdict.py",
]
_REDACT = ["tests/test_redact.py", "tests/test_leaks.py", "tests/test_shown_secrets.py"]
TARGETS = {
    "verdict": ["tests/test_verdict.py", "tests/test_doors.py", "tests/test_reports.py", *_POLICY[:5], "tests/test_trees.py"],
    "engine": ["tests/test_engine.py", "tests/test_verdict.py", "tests/test_reports.py", "tests/test_policy.py", "tests/test_expressions.py"],
    "deploy.machine": ["tests/deploy/test_machine.py", "tests/deploy/test_machine_table.py"],
    "policy": _POLICY, "policy.config": _POLICY, "policy.suppress": _POLICY, "policy.baseline": _POLICY, "policy.identity": _POLICY,
    "policy.comments": _POLICY, "policy.extends": _POLICY, "policy.reference": _POLICY,
    "redact": _REDACT, "redact.cover": _REDACT, "redact.formats": _REDACT, "redact.names": _REDACT, "redact.randomness": _REDACT,
    "inert": ["tests/test_reports.py", "tests/test_formats.py"],
    "patience": ["tests/test_engine.py"],
    "discover": ["tests/test_discover.py", "tests/test_doors.py"],
}  # fmt: skip
MOST = 150  # tests that a mutant meets, at most
MOST_AT_IMPORT = (
    1000  # of a line that runs when the module is imported: it is reached by no test, and may matter to any
)
SECONDS = 30  # of one mutant; a change that makes a loop endless is noticed by that


def source_of(target: str) -> Path:
    """The file of a module below elo_gate."""
    path = ROOT / "src" / "elo_gate" / Path(*target.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


class Swapped(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from given code, whatever lies on disk."""

    def __init__(self, name: str, path: Path, code: CodeType) -> None:
        self.name = name
        self.path = path
        self.code = code

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """A spec for the one module, None for all others."""
        if name != self.name:
            return None
        inside = [str(self.path.parent)] if self.path.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(name, self.path, loader=self, submodule_search_locations=inside)

    def exec_module(self, module: ModuleType) -> None:
        """Runs the given code as the module."""
        exec(self.code, module.__dict__)


class Seen:
    """A pytest plugin: which lines of a file each test reached, and how long it took."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.lines: dict[str, set[int]] = {}
        self.took: dict[str, float] = {}
        self.failed: list[str] = []

    def pytest_runtest_protocol(self, item: Any, nextitem: Any) -> None:
        """Traces the lines from the begin of a test to the begin of the next."""
        reached = self.lines[item.nodeid] = set()
        path = self.path

        def inside(frame: FrameType, event: str, arg: object) -> Any:
            reached.add(frame.f_lineno)
            return inside

        def trace(frame: FrameType, event: str, arg: object) -> Any:
            if frame.f_code.co_filename != path:
                return None
            reached.add(frame.f_lineno)
            return inside

        sys.settrace(trace)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Adds up what a test took; notes those that fail without any mutation."""
        self.took[report.nodeid] = self.took.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Ends the tracing."""
        sys.settrace(None)


def session(words: Sequence[str], plugins: Iterable[Any] = ()) -> int:
    """Runs pytest in this process, silent."""
    import pytest

    fixed = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-o",
        "addopts=",
        "--import-mode=importlib",
        "--rootdir",
        str(ROOT),
    ]
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    return int(pytest.main([*fixed, *words], plugins=list(plugins)))


def apart(work: Any, seconds: float) -> tuple[str, Any]:
    """("done", answer), ("died", None) or ("late", None) of some work in a process of its own; answers are JSON."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(reading)
        # A mutant may fill the memory.
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
        code = 1
        try:
            data = json.dumps(work()).encode()
            while data:
                data = data[os.write(writing, data) :]
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    parts: list[bytes] = []
    end = time.monotonic() + seconds
    late = False
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            late = True
            break
        part = os.read(reading, 1 << 16)
        if not part:
            break
        parts.append(part)
    try:
        os.killpg(child, signal.SIGKILL)  # also what its tests started
    except ProcessLookupError:
        pass
    os.waitpid(child, 0)
    os.close(reading)
    if late:
        return "late", None
    text = b"".join(parts)
    return ("done", json.loads(text)) if text else ("died", None)


def learn(target: str, folder: str) -> tuple[dict[int, list[str]], list[str]]:
    """(the tests that reach each line, quickest first; all of them) of an unchanged module."""
    path = source_of(target)
    tests = [each for each in TARGETS[target] if (ROOT / each).is_file()]

    def work() -> Any:
        seen = Seen(path)
        session([*tests, "--basetemp", os.path.join(folder, "learn")], [seen])
        return [{name: sorted(lines) for name, lines in seen.lines.items()}, seen.took, seen.failed]

    how, answer = apart(work, 900)
    if how != "done":
        sys.exit(f"{target}: its tests did not end: {how}")
    lines, took, failed = answer
    if failed:
        print(f"{target}: fail without a mutation and are left out: {', '.join(failed)}")
    good = [name for name in sorted(lines, key=lambda each: took.get(each, 0.0)) if name not in failed]
    reached: dict[int, list[str]] = {}
    for name in good:
        for line in lines[name]:
            reached.setdefault(line, []).append(name)
    print(f"{target}: {len(good)} tests, {sum(bool(lines[name]) for name in good)} of them reach it", flush=True)
    return reached, good


def survives(target: str, mutant: Mutant, tests: list[str], folder: str) -> str:
    """ "" when a test notices a mutant, else "survived" or "no test"."""
    if not tests:
        return "no test"
    name = f"elo_gate.{target}"

    def work() -> int:
        sys.meta_path.insert(0, Swapped(name, source_of(target), mutant.code))
        return session(["-x", "--basetemp", os.path.join(folder, "mutant"), *tests])

    how, answer = apart(work, SECONDS)
    return "survived" if how == "done" and answer == 0 else ""


def main() -> int:
    """The command line; 0 whatever survived, for a person has to look at it."""
    reader = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    reader.add_argument("modules", nargs="*", metavar="MODULE")
    reader.add_argument("--sample", type=int, metavar="N", help="only so many mutants of each module")
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--lines", metavar="FIRST-LAST", help="only mutants of these lines")
    reader.add_argument("--list", action="store_true")
    asked = reader.parse_args()
    if asked.list or not asked.modules:
        for target, tests in TARGETS.items():
            print(f"{target:18} {' '.join(tests)}")
        return 0
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT / "src"))
    os.environ.update(CI="true", PYTHONDONTWRITEBYTECODE="1", PYTHONPATH=os.pathsep.join(filter(None, sys.path)))
    sys.dont_write_bytecode = True
    # Imported once, for all processes; nothing of elo_gate is.
    import yaml  # noqa: F401

    with tempfile.TemporaryDirectory(prefix="mutation.") as folder:
        for target in asked.modules:
            judge(target, asked, folder)
    return 0


def judge(target: str, asked: argparse.Namespace, folder: str) -> None:
    """Prints a module's survivors and the counts."""
    path = source_of(target)
    text = path.read_text(encoding="utf-8")
    rows = text.split("\n")
    chosen = list(mutants(text, str(path)))
    if asked.lines:
        first, last = map(int, asked.lines.split("-"))
        chosen = [each for each in chosen if first <= each.line <= last]
    total = len(chosen)
    if asked.sample and asked.sample < total:
        chosen = sorted(random.Random(asked.seed).sample(chosen, asked.sample), key=lambda each: each.line)
    reached, every = learn(target, folder)
    started = time.monotonic()
    left = 0
    for mutant in chosen:
        tests = reached.get(mutant.line, [])[:MOST] or every[:MOST_AT_IMPORT]
        how = survives(target, mutant, tests, folder)
        if how:
            left += 1
            print(f"{target}:{mutant.line}: {how}: {mutant.what}\n    {rows[mutant.line - 1].strip()}", flush=True)
    spent = time.monotonic() - started
    print(f"{target}: {len(chosen)} of {total} mutants, {left} survived, {spent:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
