"""Turns what was measured into lines of JSON and back, so that a long run can be done in parts and told anew."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from compare import Comparison, Sample


class Results:
    """What was measured: read from a file where there is one, and written to it line by line.

    `comparisons`: (kind, count, peer) -> Comparison; `own`: (kind, count) -> door -> samples; `growth`: files ->
    samples; `failed`: peer -> why; `rules`: how many elo-gate lists. Of two lines about the same the last one counts.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self.comparisons: dict[tuple[str, int, str], Comparison] = {}
        self.own: dict[tuple[str, int], dict[str, list[Sample]]] = {}
        self.growth: dict[int, list[Sample]] = {}
        self.failed: dict[str, str] = {}
        self.rules = 0
        if file is not None and file.exists():
            for line in file.read_text(encoding="utf-8").splitlines():
                self._take(json.loads(line))

    def compared(self, comparison: Comparison) -> None:
        """Adds a comparison."""
        self._add("comparison", asdict(comparison))

    def alone(self, kind: str, count: int, samples: dict[str, list[Sample]]) -> None:
        """Adds what elo-gate's doors took on a corpus, and bare Python beside them."""
        taken = {door: [asdict(each) for each in found] for door, found in samples.items()}
        self._add("own", {"kind": kind, "count": count, "samples": taken})

    def grown(self, files: int, samples: list[Sample]) -> None:
        """Adds what elo-gate took on a tree of so many files."""
        self._add("growth", {"files": files, "samples": [asdict(each) for each in samples]})

    def missed(self, peer: str, why: str) -> None:
        """Adds that a peer did not do its work."""
        self._add("failed", {"peer": peer, "why": why})

    def counted(self, rules: int) -> None:
        """Adds how many rules elo-gate has."""
        self._add("rules", rules)

    def _add(self, name: str, data: object) -> None:
        self._take({name: data})
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as out:
                out.write(json.dumps({name: data}) + "\n")

    def _take(self, record: dict[str, Any]) -> None:
        [(name, data)] = record.items()
        if name == "comparison":
            sides = {side: [Sample(**each) for each in data[side]] for side in ("ours", "theirs")}
            found = Comparison(data["kind"], data["count"], data["peer"], data["does"], **sides)
            self.comparisons[found.kind, found.count, found.peer] = found
            self.failed.pop(found.peer, None)
        elif name == "own":
            taken = {door: [Sample(**each) for each in found] for door, found in data["samples"].items()}
            self.own[data["kind"], data["count"]] = taken
        elif name == "growth":
            self.growth[data["files"]] = [Sample(**each) for each in data["samples"]]
        elif name == "failed":
            self.failed[data["peer"]] = data["why"]
        else:
            self.rules = data
