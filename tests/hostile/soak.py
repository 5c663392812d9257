"""Turns real repositories into broken ones, at random, and judges each twice, until the time is over.

    python tests/hostile/soak.py                             # ten minutes
    python tests/hostile/soak.py --seconds 60 --seed 4711
    python tests/hostile/soak.py --seed 4711 --trees 1       # that tree again

Every tree has a seed of its own, which is printed when it breaks a promise; the tree is then kept in build/soak/SEED.
The trees are made from this project's examples and, where they are (ELO_GATE_PRACTICE), the practice repositories. The
promises: exit code 0, 1 or 2, no traceback, 20 seconds and 512 MiB, reports that programs can read, nothing run,
written or read outside, the same bytes from a second run on a copy elsewhere, and the tree as it was.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from sandbox import broken_promises, digest, run

ROOT = Path(__file__).resolve().parents[2]
MOST = 80  # files of a tree
LARGEST = 200_000  # bytes of a file
ODD = [
    b"", b"\x00", b"\xff", b"\xc3", b"\r", b"\r\n", b"\t", b"\\", b"'", b'"', b"`", b"{", b"}", b"[", b"]", b"(", b")", b"${", b"$(", b"<<EOF\n",
    b"#", b"/*", b"*/", b"//", b": ", b"- ", b"? ", b"&a ", b"*a", b"<<: *a", b"!!binary ", b"|\n", b">-\n", b"---\n", b"...\n", b"\xe2\x80\xae",
    b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"1e999", b"9" * 5000, b"null", b"[]", b"{}", b"true", b"-1", b"[" * 300, b"{a: " * 250, b"x" * 70_000,
    b"- " * 3000, b"a=b\n" * 500, b"\n" * 2000, b"elo-gate: ignore[", b"::error::x", b"##[group]", b"</script>", b"../../etc/passwd", b"/dev/zero",
]  # fmt: skip
NAMES = [
    ".env.production", "Dockerfile", "Dockerfile.production", "compose.yaml", "compose.production.yaml", "vercel.json", "railway.toml", "next.config.ts",
    "k8s/production/app.yaml", ".github/workflows/deploy.yml", ".gitlab-ci.yml", "nginx.conf", "scripts/backup.sh", "db/bootstrap.sql", "crontab",
    "docs/deploy-checklist.md", "elo-gate.toml", "package.json", "kustomization.yaml", ".gitignore", ".dockerignore", "a\nb.env", "\u202egnp.env", "-rf",
]  # fmt: skip

Files = dict[str, bytes]


def bases() -> list[tuple[str, Files]]:
    """(name, files) of every repository that trees are made from."""
    places = [ROOT / "examples"]
    for candidate in (os.environ.get("ELO_GATE_PRACTICE", ""), str(ROOT.parent / "shared" / "practice")):
        if candidate and (Path(candidate) / "README.md").is_file():
            places.append(Path(candidate))
            break
    found = []
    for place in places:
        for folder in sorted(place.iterdir()):
            if folder.is_dir():
                files = {}
                for path in sorted(folder.rglob("*")):
                    if path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST:
                        files[path.relative_to(folder).as_posix()] = path.read_bytes()
                found.append((folder.name, files))
    return found


def broken(files: Files, draw: random.Random) -> Files:
    """A part of a repository's files, some of them changed; the same for the same state of `draw`."""
    chosen = draw.sample(sorted(files), min(len(files), draw.randint(5, MOST)))
    made = {name: files[name] for name in sorted(chosen)}
    every = sorted(files)
    for _ in range(draw.randint(1, 25)):
        name = draw.choice(sorted(made))
        data = made[name]
        start = draw.randint(0, len(data))
        end = min(len(data), start + draw.choice([0, 1, 2, 8, 60, 400]))
        what = draw.randrange(9)
        if what <= 2:
            made[name] = data[:start] + draw.choice(ODD) + data[end:]
        elif what == 3:
            made[name] = data[:start] + data[end:]
        elif what == 4:
            made[name] = data[:start] + data[start:end] * draw.choice([2, 3, 50]) + data[end:]
        elif what == 5:
            other = files[draw.choice(every)]
            at = draw.randint(0, len(other))
            made[name] = data[:start] + other[at : at + draw.choice([10, 100, 3000])] + data[end:]
        elif what == 6:
            rows = data.split(b"\n")
            draw.shuffle(rows)
            made[name] = b"\n".join(rows)
        elif what == 7:
            made[draw.choice(NAMES)] = data
        elif data:
            at = draw.randrange(len(data))
            made[name] = data[:at] + bytes([data[at] ^ (1 << draw.randrange(8))]) + data[at + 1 :]
    return {name: data[: 2 << 20] for name, data in made.items()}


def write(files: Files, tree: Path) -> None:
    """Writes a tree; a name that is a folder already, or needs one where a file is, is left out."""
    for name, data in files.items():
        path = tree / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError:
            continue


def judge(files: Files, folder: Path) -> tuple[list[str], int, float]:
    """(broken promises, exit code, CPU seconds) of a tree, judged here and, as a copy, elsewhere."""
    said: list[str] = []
    results = []
    for place in ("here", "else/where"):
        tree, out = folder / place / "tree", folder / place / "out"
        tree.mkdir(parents=True)
        out.mkdir()
        write(files if place == "here" else dict(reversed(files.items())), tree)
        before = digest(tree)
        result = run(tree, out)
        said += [each for each in broken_promises(result, {}, "check") if each not in said]
        if digest(tree) != before:
            said.append("the tree is not as it was")
        results.append(result)
    one, other = results
    if one.code != other.code:
        said.append(f"two runs end with {one.code} and {other.code}")
    said += [
        f"{name}: other bytes from a second run" for name in one.reports if one.reports[name] != other.reports.get(name)
    ]
    if one.out != other.out:
        said.append("stdout: other bytes from a second run")
    return said, one.code, max(each.spent for each in results)


def soak(seconds: float, seed: int, trees: int, kept: Path, tell: Callable[[str], None]) -> int:
    """Trees with seeds `seed`, `seed` + 1, ... until time or number is reached. How many broke a promise."""
    repositories = bases()
    end = time.monotonic() + seconds
    codes: Counter[int] = Counter()
    slowest = 0.0
    wrong = count = 0
    while count < trees and time.monotonic() < end:
        draw = random.Random(seed + count)
        name, files = draw.choice(repositories)
        made = broken(files, draw)
        folder = Path(tempfile.mkdtemp(prefix="soak."))
        try:
            said, code, spent = judge(made, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        codes[code] += 1
        slowest = max(slowest, spent)
        if said:
            wrong += 1
            write(made, kept / str(seed + count))
            tell(
                f"FAIL seed {seed + count} ({name}), kept in {kept / str(seed + count)}:\n"
                + "".join(f"    {each[:2000]}\n" for each in said)
            )
        count += 1
    tell(
        f"{count} trees from seed {seed}, exit codes {dict(sorted(codes.items()))}, slowest {slowest:.1f} s, {wrong} broke a promise"
    )
    return wrong


def main() -> int:
    """The command line; 1 when a promise broke."""
    reader = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    reader.add_argument("--seconds", type=float, default=600)
    reader.add_argument("--seed", type=int, default=None)
    reader.add_argument("--trees", type=int, default=1 << 30)
    reader.add_argument("--keep", type=Path, default=Path("build/soak"))
    asked = reader.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    return 1 if soak(asked.seconds, seed, asked.trees, asked.keep, lambda text: print(text, flush=True)) else 0


if __name__ == "__main__":
    sys.exit(main())
