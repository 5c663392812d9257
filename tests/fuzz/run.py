"""Feeds a reader with bytes that a fuzzer makes, guided by the lines they reach: one harness each, one command.

    python tests/fuzz/run.py                          # every harness, a minute each
    python tests/fuzz/run.py yaml tree --seconds 600
    python tests/fuzz/run.py yaml --again FILE        # one input again, with its traceback

Needs atheris (Linux and macOS wheels; `pip install atheris`). It starts from `corpus/NAME/` and keeps what it finds in
the folder that `--keep` names, build/fuzz where nothing is named. An input that breaks a promise lies there as
`NAME-crash-*`: make it small (`--small FILE`), mend the reader, and put it into `corpus/NAME/`, where
tests/fuzz/test_fuzz.py runs it from then on.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SRC = HERE.parents[1] / "src"
MEMORY = 1024  # MiB of the fuzzer's process, in which every line of ours is counted
INPUT = 4096  # bytes; what many bytes do is tests/hostile's question


def harness(name: str, words: list[str]) -> None:
    """Fuzzes in this process and ends it."""
    import atheris

    with atheris.instrument_imports(include=["elo_gate"]):
        import readers

    # atheris cannot instrument what it did not import: the table is asked once all is there.
    atheris.Setup([name, *words], readers.READERS[name])
    atheris.Fuzz()


def start(name: str, words: list[str], keep: Path, seconds: int) -> int:
    """A harness in a process of its own: its exit code, 0 when no promise broke."""
    found = keep / name
    found.mkdir(parents=True, exist_ok=True)
    given = [
        f"-dict={HERE / 'tokens.dict'}", f"-rss_limit_mb={MEMORY}", f"-max_len={INPUT}", "-timeout=20", f"-artifact_prefix={keep / name}-",
        "-print_final_stats=1", *words,
    ]  # fmt: skip
    if seconds:
        given += [f"-max_total_time={seconds}", str(found), str(HERE / "corpus" / name)]
    path = os.pathsep.join(filter(None, [str(SRC), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, str(HERE / "run.py"), "--harness", name, *given]
    done = subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    rows = done.stdout.splitlines()
    tally = [row for row in rows if "cov:" in row][-1:] + [
        row for row in rows if row.startswith("stat::number_of_executed")
    ]
    print(f"{name}: exit {done.returncode} {' '.join(' '.join(tally).split())}", flush=True)
    if done.returncode:
        print("\n".join(rows[-60:]), flush=True)
    return done.returncode


def main() -> int:
    """The command line; 1 when a promise broke."""
    if sys.argv[1:2] == ["--harness"]:
        harness(sys.argv[2], sys.argv[3:])
        return 0
    reader = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    reader.add_argument("names", nargs="*", metavar="NAME")
    reader.add_argument("--seconds", type=int, default=60, help="for each harness")
    reader.add_argument("--runs", type=int, default=-1, help="inputs for each harness, at most")
    reader.add_argument("--seed", type=int, default=0, help="the same inputs each time; 0 is another one each time")
    reader.add_argument("--keep", type=Path, default=Path("build/fuzz"))
    reader.add_argument("--again", metavar="FILE", help="run this input alone")
    reader.add_argument("--small", metavar="FILE", help="make this input as small as it can be and still fail")
    asked = reader.parse_args()
    try:
        import atheris  # noqa: F401
    except ImportError:
        sys.exit("atheris is not here: pip install atheris")
    sys.path.insert(0, str(SRC))
    from readers import READERS

    keep = asked.keep.resolve()
    code = 0
    for name in asked.names or READERS:
        if name not in READERS:
            sys.exit(f"{name}: one of {', '.join(READERS)}")
        if asked.again:
            code |= start(name, [asked.again], keep, 0)
        elif asked.small:
            code |= start(name, ["-minimize_crash=1", "-max_total_time=30", asked.small], keep, 0)
        else:
            code |= start(name, [f"-seed={asked.seed}", f"-runs={asked.runs}"], keep, asked.seconds)
    return 1 if code else 0


if __name__ == "__main__":
    sys.exit(main())
