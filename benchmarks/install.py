"""Turns peers.json into installed programs, each in an environment of its own: their pins contradict each other.

    python benchmarks/install.py FOLDER [name ...]

Asks PyPI and npm; nothing else of the benchmark uses the network. What cannot be installed is named and left out.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PEERS = json.loads(Path(__file__).with_name("peers.json").read_text(encoding="utf-8"))


def program(folder: Path, name: str) -> Path:
    """Where a peer's program is, or would be."""
    peer = PEERS[name]
    place = folder / name / ("node_modules/.bin" if peer["from"] == "npm" else "bin")
    return place / str(peer["program"])


def install(folder: Path, name: str) -> str:
    """Installs a peer into its folder below `folder`; "" or what went wrong."""
    peer = PEERS[name]
    home = folder / name
    if peer["from"] == "npm":
        home.mkdir(parents=True, exist_ok=True)
        commands = [["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(home), *peer["install"]]]
    else:
        commands = [
            [sys.executable, "-m", "venv", str(home)],
            [str(home / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", *peer["install"]],
        ]
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            return f"{command[0]}: {error.strerror}"
        if done.returncode:
            return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return "" if program(folder, name).exists() else "the package does not hold the program"


def main(words: list[str]) -> int:
    """Installs all peers, or those that are named; 1 when one of them failed."""
    if not words or words[0].startswith("-"):
        print(__doc__)
        return 2
    folder = Path(words[0]).resolve()
    failed = 0
    for name in words[1:] or PEERS:
        why = PEERS[name].get("missing") or install(folder, name)
        failed += bool(why) and "missing" not in PEERS[name]
        print(f"{name}: {why or 'installed'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
