"""Turns two commands into how they compare: run in turn, so that what the machine does besides hits both."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

PROCESS = Path(__file__).with_name("process.py")


@dataclass(frozen=True)
class Sample:
    """What one run took: CPU and wall in seconds, memory in MiB; `stopped`: it was over its limit and ended."""

    cpu: float
    wall: float
    memory: float
    code: int
    stopped: bool


@dataclass(frozen=True)
class Command:
    """A command to measure.

    `exits`: the codes of a run that did its work; `proof`: words its output has to hold; `limit`: seconds of CPU.
    """

    words: tuple[str, ...]
    folder: Path
    environment: dict[str, str]
    exits: tuple[int, ...] = (0,)
    proof: str = ""
    limit: int = 60


class Failed(Exception):
    """A run that did not do its work: what it took says nothing."""


@dataclass
class Comparison:
    """A peer beside elo-gate on so many files of a kind; `ours` and `theirs` hold a sample for each round."""

    kind: str
    count: int
    peer: str
    does: str
    ours: list[Sample] = field(default_factory=list)
    theirs: list[Sample] = field(default_factory=list)

    @property
    def stopped(self) -> bool:
        """Whether the peer was ended before it was done: the ratios are lower bounds then."""
        return any(each.stopped for each in self.theirs)

    def ratios(self, of: str) -> list[float]:
        """Theirs by ours, a round each, of "cpu", "wall" or "memory"."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return [float(getattr(theirs, of)) / float(getattr(ours, of)) for ours, theirs in pairs]

    def ratio(self, of: str) -> float:
        """The median of the ratios: above 1 elo-gate took less."""
        return median(self.ratios(of))

    def spread(self, of: str) -> tuple[float, float]:
        """The least and the largest ratio."""
        found = self.ratios(of)
        return min(found), max(found)


def middle(samples: list[Sample], of: str) -> float:
    """The median of some samples' "cpu", "wall" or "memory"."""
    return median(float(getattr(each, of)) for each in samples)


def measure(command: Command, scratch: Path) -> Sample:
    """Runs a command once. Raises Failed when it ends otherwise than it says, or without its proof."""
    output = scratch / "output"
    words = [sys.executable, "-I", "-S", str(PROCESS), str(command.limit), str(output), *command.words]
    done = subprocess.run(
        words, cwd=command.folder, env=command.environment, capture_output=True, text=True, check=True
    )
    cpu, wall, memory, code, stopped = done.stdout.split()
    sample = Sample(float(cpu), float(wall), int(memory) / 1024, int(code), stopped == "1")
    if not sample.stopped:
        said = output.read_text(encoding="utf-8", errors="replace")
        if sample.code not in command.exits:
            raise Failed(f"exit code {sample.code}: {said[-200:]!r}")
        if command.proof not in said:
            raise Failed(f"its output does not hold {command.proof!r}: {said[-200:]!r}")
    return sample


def in_turn(
    found: Comparison,
    ours: Command,
    theirs: Command,
    scratch: Path,
    rounds: int,
    budget: float,
    measure: Callable[[Command, Path], Sample] = measure,
) -> None:
    """Adds rounds to a comparison, each a run of both; two at least, no more once `budget` seconds are over.

    A peer that does not end within its limit is run once.
    """  # fmt: skip
    started = time.perf_counter()
    while len(found.theirs) < rounds:
        found.theirs.append(measure(theirs, scratch))
        found.ours.append(measure(ours, scratch))
        if found.stopped or (len(found.theirs) >= 2 and time.perf_counter() - started > budget):
            break
