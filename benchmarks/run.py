"""Turns corpora into a comparison of elo-gate with other tools: time, memory, and what each of them looks at.

    python -m venv .bench && .bench/bin/pip install .
    .bench/bin/python benchmarks/install.py PEERS          # once: the other tools, from PyPI and npm
    .bench/bin/python benchmarks/run.py --folder PEERS --write

elo-gate is what is installed beside the Python that runs this: install a wheel, an editable install is slower to
start. `--write` puts tables and picture into docs/. Nothing here uses the network.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import corpora
from compare import Command, Comparison, Failed, Sample, in_turn, measure, middle
from install import PEERS, program
from page import BARE, coverage_table, growth_table, own_table, peer_table, put, section
from picture import draw, title
from results import Results

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"
KINDS = [*corpora.KINDS, "monorepo"]  # and "growth", which is no corpus
GROWTH = (10, 100, 1_000, 5_000, 20_000)


class Bench:
    """One run of the benchmark: where things lie and how often they are measured."""

    def __init__(self, options: argparse.Namespace, scratch: Path) -> None:
        self.options = options
        self.scratch = scratch
        self.folder = Path(options.folder).resolve() if options.folder else None
        self.rounds = 1 if options.quick else options.rounds
        self.budget = 2.0 if options.quick else 40.0
        # No settings and caches but those made here; whoever asks for the network all the same is refused at once.
        nowhere = "http://127.0.0.1:9"
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath), "HOME": str(scratch / "home"), "LANG": "C.UTF-8",
            "NO_COLOR": "1", "HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere, "http_proxy": nowhere,
            "https_proxy": nowhere,
        }  # fmt: skip
        if "PYTHONPATH" in os.environ:
            self.environment["PYTHONPATH"] = os.path.abspath(os.environ["PYTHONPATH"])
        (scratch / "home").mkdir()
        self.doors = doors()

    def size(self, kind: str) -> int:
        """How many files a corpus has."""
        whole = corpora.MONOREPO if kind == "monorepo" else corpora.KINDS[kind][2]
        return max(2, whole // 100) if self.options.quick else whole

    def corpus(self, kind: str, count: int) -> Path:
        """The folder of a corpus, written when it is first asked for."""
        folder = self.scratch / f"{kind}-{count}"
        if not folder.exists():
            corpora.write(corpora.corpus(kind, count), folder)
        return folder

    def own(self, door: str, kind: str, count: int) -> Command:
        """elo-gate on a corpus: "check" or "hook" on the tree, "file" the hook on the one file that is named."""
        words = self.doors["check" if door == "check" else "hook"]
        named = corpora.of_kind(kind, corpora.corpus(kind, count)) if door == "file" else []
        # The hook says nothing of a tree that passes.
        proof = "Looked at" if door == "check" else ""
        return Command((*words, *named), self.corpus(kind, count), self.environment, (0, 1), proof, 600)

    def peer(self, name: str, kind: str, count: int) -> Command:
        """Another tool on a corpus."""
        assert self.folder is not None
        peer, where = PEERS[name], program(self.folder, name)
        files = corpora.of_kind(kind, corpora.corpus(kind, count))
        words: list[str] = []
        for word in peer["commands"][kind]:
            if word == "{files}":
                words += files
            else:
                words.append(str(where) if word == f"{{{peer['program']}}}" else word.replace("{here}", str(HERE)))
        environment = {**self.environment, "PATH": f"{where.parent}{os.pathsep}{self.environment['PATH']}"}
        folder = self.corpus(kind, count)
        return Command(tuple(words), folder, environment, tuple(peer["exit"]), peer["proof"], self.options.limit)

    def compare(self, name: str, kind: str, count: int) -> Comparison:
        """A peer and elo-gate in turn: on one file the hook with its name, on many `elo-gate check`."""
        found = Comparison(kind, count, name, PEERS[name]["does"][kind])
        theirs = self.peer(name, kind, count)
        measure(self.peer(name, kind, 1), self.scratch)  # what a tool makes once for itself is not counted
        ours = self.own("file" if count == 1 else "check", kind, count)
        in_turn(found, ours, theirs, self.scratch, self.rounds, self.budget)
        return found

    def itself(self, kind: str, count: int) -> dict[str, list[Sample]]:
        """Both doors of elo-gate on a corpus, bare Python beside them, in turn."""
        commands = {
            BARE: Command((sys.executable, "-c", "pass"), self.corpus(kind, count), self.environment),
            "check": self.own("check", kind, count),
            "hook": self.own("file" if count == 1 else "hook", kind, count),
        }
        found: dict[str, list[Sample]] = {name: [] for name in commands}
        for _ in range(min(self.rounds, 3) if count > 1 else self.rounds):
            for name, command in commands.items():
                found[name].append(measure(command, self.scratch))
        return found

    def corpora(self, kind: str, run: list[str], results: Results) -> None:
        """Measures elo-gate and the peers that read it on a corpus and, of one kind, on one file of it."""
        for count in [self.size(kind)] if kind == "monorepo" else [self.size(kind), 1]:
            results.alone(kind, count, self.itself(kind, count))
            print(*own_table({(kind, count): results.own[kind, count]})[2:], sep="\n", flush=True)
            for name in [each for each in run if kind in PEERS[each]["commands"]]:
                try:
                    found = self.compare(name, kind, count)
                except Failed as error:
                    results.missed(name, f"on {title(kind, count)}: {error}")
                    print(f"{name}: {results.failed[name]}", file=sys.stderr, flush=True)
                else:
                    results.compared(found)
                    print(peer_table([found])[-1], flush=True)

    def growth(self, results: Results) -> None:
        """Measures elo-gate on trees of several sizes."""
        for files in (10, 20, 40) if self.options.quick else GROWTH:
            # A tree that is beyond a share of time is told with its exit code 2, not left out.
            command = replace(self.own("check", "monorepo", files), exits=(0, 1, 2))
            rounds = 1 if self.options.quick or files >= 5_000 else 3
            results.grown(files, [measure(command, self.scratch) for _ in range(rounds)])
            print(growth_table({files: results.growth[files]})[-1], flush=True)

    def rules(self) -> int:
        """How many rules elo-gate lists."""
        words = (*self.doors["check"][:-1], "rules", "list")
        said = subprocess.run(words, env=self.environment, capture_output=True, text=True, check=True).stdout
        return len(said.splitlines())


def doors() -> dict[str, tuple[str, ...]]:
    """The commands of elo-gate's two doors: installed beside this Python, else the package it can import."""
    beside = Path(sys.executable).parent
    if (beside / "elo-gate").exists():
        return {"check": (str(beside / "elo-gate"), "check"), "hook": (str(beside / "elo-gate-hook"),)}
    return {
        "check": (sys.executable, "-P", "-m", "elo_gate", "check"),
        "hook": (sys.executable, "-P", "-c", "from elo_gate.hook import main; main()"),
    }


def chosen(options: argparse.Namespace) -> tuple[list[str], dict[str, str]]:
    """The peers to run, and why others are not: name -> reason."""
    wanted = None if options.peers is None else [each for each in options.peers.split(",") if each]
    unknown = set(wanted or []) - set(PEERS)
    if unknown:
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    run, left = [], {}
    for name, peer in PEERS.items():
        if "missing" in peer:
            left[name] = peer["missing"]
        elif wanted is not None and name not in wanted:
            left[name] = "not asked for"
        elif options.folder is None or not program(Path(options.folder).resolve(), name).exists():
            left[name] = "not installed: benchmarks/install.py, and --folder or ELO_GATE_PEERS"
        else:
            run.append(name)
    return run, left


# -- the run


def main(words: list[str]) -> int:
    """Runs it; 1 when a peer that is installed did not do its work."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", default=os.environ.get("ELO_GATE_PEERS"), help="where install.py put the peers")
    parser.add_argument("--peers", help="names, by commas, instead of all that are installed; empty for none")
    parser.add_argument("--kinds", default=",".join([*KINDS, "growth"]), help="corpora and growth, by commas")
    parser.add_argument("--rounds", type=int, default=7, help="of each comparison, at most")
    parser.add_argument("--limit", type=int, default=60, help="seconds of CPU after which a process of a peer is ended")
    parser.add_argument("--quick", action="store_true", help="a hundredth of the files, one round: that it works")
    parser.add_argument("--write", action="store_true", help="put it into docs/performance.md, docs/img/benchmark.svg")
    parser.add_argument("--samples", help="a file of JSON lines: what it holds is told too, what is measured is added")
    options = parser.parse_args(words)
    run, left = chosen(options)
    kinds = options.kinds.split(",")
    results = Results(Path(options.samples) if options.samples else None)
    with tempfile.TemporaryDirectory(prefix="elo-gate-bench-") as scratch:
        bench = Bench(options, Path(scratch))
        for kind in KINDS:
            if kind in kinds:
                bench.corpora(kind, run, results)
        if "growth" in kinds:
            bench.growth(results)
        results.counted(bench.rules())
    order = {kind: place for place, kind in enumerate(KINDS)}
    results.own = dict(sorted(results.own.items(), key=lambda each: order[each[0][0]]))
    comparisons = sorted(results.comparisons.values(), key=lambda each: order[each.kind])
    tables = {
        "own": own_table(results.own), "peers": peer_table(comparisons), "growth": growth_table(results.growth),
        "coverage": coverage_table(run, results.rules),
    }  # fmt: skip
    made = section(tables, {**left, **results.failed})
    if options.write:
        page = DOCS / "performance.md"
        page.write_text(put(page.read_text(encoding="utf-8"), made), encoding="utf-8")
        growth = [(files, middle(samples, "cpu")) for files, samples in sorted(results.growth.items())]
        (DOCS / "img/benchmark.svg").write_text(draw(comparisons, growth), encoding="utf-8")
    else:
        print(f"\n{made}")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
