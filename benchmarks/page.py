"""Turns what was measured into the part of docs/performance.md that tells it."""

from __future__ import annotations

import os
import sys

from compare import Comparison, Sample, middle
from install import PEERS
from picture import ratio, title

START, END = "<!-- beside -->", "<!-- /beside -->"
BARE = "python -c pass"


def own_table(found: dict[tuple[str, int], dict[str, list[Sample]]]) -> list[str]:
    """What elo-gate takes by itself, two rows a corpus."""
    rows = ["| corpus | door | CPU s | CPU × bare | wall s | MiB over bare |", "|---|---|--:|--:|--:|--:|"]
    for (kind, count), samples in found.items():
        bare, memory = middle(samples[BARE], "cpu"), middle(samples[BARE], "memory")
        for door in ("check", "hook"):
            taken = samples[door]
            rows.append(
                f"| {title(kind, count)} | {door} | {middle(taken, 'cpu'):.3g} | {middle(taken, 'cpu') / bare:.1f} | "
                f"{middle(taken, 'wall'):.3g} | {middle(taken, 'memory') - memory:.0f} |"
            )
    return rows


def peer_table(comparisons: list[Comparison]) -> list[str]:
    """What the others take on the same files, the nearest first."""
    rows = [
        "| corpus | tool | it | CPU s | wall s | MiB | CPU × elo-gate (least to most) | wall × | memory × | rounds |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    order = list(dict.fromkeys((each.kind, each.count) for each in comparisons))
    for each in sorted(comparisons, key=lambda one: (order.index((one.kind, one.count)), one.ratio("cpu"))):
        least, most = each.spread("cpu")
        spread = "" if each.stopped or len(each.theirs) == 1 else f" ({least:.2g} to {most:.2g})"
        over = "> " if each.stopped else ""
        rows.append(
            f"| {title(each.kind, each.count)} | {each.peer} | {each.does} | {over}{middle(each.theirs, 'cpu'):.3g} | "
            f"{over}{middle(each.theirs, 'wall'):.3g} | {middle(each.theirs, 'memory'):.0f} | "
            f"{ratio(each, 'cpu')}{spread} | {ratio(each, 'wall')} | {ratio(each, 'memory')} | {len(each.theirs)} |"
        )
    return rows


def coverage_table(run: list[str], rules: int) -> list[str]:
    """What each tool looks at, by its own account."""
    rows = ["| tool | reads here, and | rules by its own account | across files |", "|---|---|---|---|"]
    rows.append(
        f"| elo-gate | all of them: judges | {rules} (`elo-gate rules list`), of which a corpus' kind asks some "
        "| all kinds with each other, and with the code's variables and routes |"
    )
    for name in run:
        peer = PEERS[name]
        reads = "; ".join(f"{kind}: {does}" for kind, does in peer["does"].items() if kind != "monorepo")
        version = peer["install"][0].replace("==", " ").replace("@", " ")
        rows.append(f"| {name} ({version}) | {reads} | {peer['rules']} | {peer['across']} |")
    return rows


def growth_table(growth: dict[int, list[Sample]]) -> list[str]:
    """Seconds of CPU and memory for trees of several sizes, and whether everything could be judged."""
    rows = ["| files | CPU s | ms a file | MiB | |", "|--:|--:|--:|--:|---|"]
    for files, samples in sorted(growth.items()):
        seconds, memory = middle(samples, "cpu"), middle(samples, "memory")
        over = "exit 2: rules across files were over their share of time" if samples[-1].code == 2 else ""
        rows.append(f"| {files:,} | {seconds:.3g} | {seconds / files * 1000:.2f} | {memory:.0f} | {over} |")
    return rows


def section(tables: dict[str, list[str]], left: dict[str, str]) -> str:
    """The part of docs/performance.md between its two marks; `left`: name -> why a tool was not measured."""
    reasons: dict[str, list[str]] = {}
    for name, why in left.items():
        reasons.setdefault(why, []).append(name)
    names = "; ".join(f"{', '.join(each)} ({why})" for why, each in reasons.items())
    machine = f"CPython {sys.version.split()[0]}, {os.uname().machine}, {os.cpu_count()} cores"
    parts = [
        f"{machine} shared with other work, so that CPU is the figure to compare. A round runs the other tool and then "
        "elo-gate on the same files (many: `elo-gate check`; one: `elo-gate-hook FILE`); a ratio is the median of the "
        "rounds' ratios. Memory is that of the largest process. No network, updates or telemetry.",
        "![CPU time of other tools as a multiple of elo-gate's](img/benchmark.svg)",
        "### What they look at", "\n".join(tables["coverage"]), f"Not measured: {names}." if names else "",
        "### What they take", "\n".join(tables["peers"]),
        "### What elo-gate takes by itself",
        "Bare is `python -c pass`. The hook judges the tree where there are many files, else the one that is named.",
        "\n".join(tables["own"]),
        "### How it grows", "`elo-gate check` on trees of all kinds, in the proportions of the corpora.",
        "\n".join(tables["growth"]),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part)


def put(page: str, made: str) -> str:
    """A page with the part between the two marks exchanged."""
    head, start, rest = page.partition(START)
    _, end, tail = rest.partition(END)
    if not start or not end:
        raise SystemExit(f"the page lacks {START} or {END}")
    return f"{head}{start}\n\n{made}\n\n{end}{tail}"
