"""Measures the speed budgets as ratios to `python -c pass` in the same run, CPU time, bytecode compiled.

    python -m venv .perf && .perf/bin/pip install . && .perf/bin/python tests/perf/measure.py [--write]

Needs an installed wheel (not an editable install): the budgets are those of what people install. `--write` puts
the table into docs/performance.md. Files are made in a temporary folder; nothing is read from the network.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[2]

sys.path.insert(0, str(ROOT / "benchmarks"))

from corpora import COMPOSE, DOCKERFILE, MANIFEST, NEXT  # noqa: E402

ENV = 'DATABASE_URL="${DB}"\nNEXTAUTH_URL=https://intranet.acme.example\nLOG_LEVEL=info\nFEATURE_PUSH=true\n'

# case -> (files, command, budget as a multiple of `python -c pass`, rounds)
CASES = {
    "one Kubernetes manifest, hook": ({"k8s/production/web.yaml": MANIFEST.format(n=1)}, "hook", 3.5, 15),
    "one Compose file, hook": ({"compose.production.yaml": COMPOSE}, "hook", 3.5, 15),
    "one Dockerfile, hook": ({"Dockerfile.production": DOCKERFILE}, "hook", 3.5, 15),
    "one env file, hook": ({".env.production": ENV}, "hook", 3.5, 15),
    "one next.config.ts, hook": ({"next.config.ts": NEXT}, "hook", 6.0, 15),
    "one Kubernetes manifest, check": ({"k8s/production/web.yaml": MANIFEST.format(n=1)}, "check", 7.0, 15),
    "one Compose file, check": ({"compose.production.yaml": COMPOSE}, "check", 7.0, 15),
    "one Dockerfile, check": ({"Dockerfile.production": DOCKERFILE}, "check", 7.0, 15),
    "one env file, check": ({".env.production": ENV}, "check", 7.0, 15),
    "one next.config.ts, check": ({"next.config.ts": NEXT}, "check", 9.5, 15),
    "2,000 manifests of 80 lines, SARIF": (
        {f"k8s/production/{n // 100}/web-{n}.yaml": MANIFEST.format(n=n) for n in range(2000)}, "sarif", 60.0, 3),
    "500 Dockerfiles": ({f"services/s{n}/Dockerfile.production": DOCKERFILE for n in range(500)}, "check", 12.0, 5),
}  # fmt: skip


def cpu(command: list[str], folder: str, rounds: int) -> tuple[float, int]:
    """(least CPU seconds of some rounds, exit code of the last)."""
    best = float("inf")
    code = 0
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        code = subprocess.run(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        ).returncode
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best, code


def commands(name: str) -> list[str]:
    """The command of a case."""
    if name == "hook":
        return [str(BIN / "elo-gate-hook")]
    return [str(BIN / "elo-gate"), "check", *(["-f", "sarif"] if name == "sarif" else [])]


def main() -> int:
    """Prints the table; 1 when a budget is missed."""
    bare = [sys.executable, "-c", "pass"]
    rows = []
    missed = 0
    for case, (files, door, budget, rounds) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            for path, text in files.items():
                target = Path(folder, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
            # Bare Python is measured beside each case: a shared machine is not the same from minute to minute.
            base, _ = cpu(bare, folder, max(rounds, 9))
            taken, code = cpu(commands(door), folder, rounds)
        if code not in (0, 1):
            print(f"{case}: exit code {code}", file=sys.stderr)
            return 2
        ratio = taken / base
        missed += ratio > budget
        rows.append(f"| {case} | {ratio:.1f} | {budget:g} | {'held' if ratio <= budget else 'missed'} |")
        print(rows[-1], flush=True)
    if "--write" in sys.argv:
        page = ROOT / "docs" / "performance.md"
        head, mark, _ = page.read_text().partition("<!-- measured -->")
        version = sys.version.split()[0]
        table = "\n".join(["| case | × `python -c pass` | budget | |", "|---|--:|--:|---|", *rows])
        page.write_text(
            f"{head}{mark}\n\nCPython {version}, {os.uname().machine}, CPU time, least of several rounds.\n\n{table}\n"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
