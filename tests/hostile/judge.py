"""Turns a hostile tree into the promises that elo-gate broke on it, in words: every door, watched and limited."""

from __future__ import annotations

import os
from pathlib import Path

from sandbox import broken_promises, digest, run, stranger
from trees import SECRETS, Case, write_outside

NOBODY = 65534


def judge(case: Case, folder: Path, both: bool = True) -> tuple[list[str], str]:
    """(broken promises, how it went) of a case in a fresh folder. Raises OSError where the tree cannot be made."""
    tree = folder / "tree"
    tree.mkdir()
    folder.chmod(0o755)
    write_outside(folder)
    case.write(tree)
    before = digest(tree)
    said: list[str] = []
    notes = ""
    root = os.geteuid() == 0
    nobody = NOBODY if root and stranger() else None
    # As root, as somebody who owns nothing, and as a step of a workflow.
    rounds = [("check", None), ("hook", nobody), ("action", nobody)] if both else [("check", None)]
    for door, uid in rounds:
        out = folder / f"out-{door}"
        out.mkdir()
        out.chmod(0o777)
        result = run(tree, out, door, uid=uid, git=door == "action")  # it asks for the head of the checkout
        found = broken_promises(result, SECRETS, door)
        if result.code not in case.codes and not any("exit" in each for each in found):
            found.append(
                f"exit {result.code}, right is {case.codes}: {(result.err or result.out).decode('utf-8', 'replace')[-300:]}"
            )
        if door == "check" and b"outside-was-read" in b"".join(result.reports.values()):
            found.append("it read outside of the tree")
        if (
            door == "check"
            and result.reports
            and b"canary/Dockerfile.production" not in result.reports.get("json", b"")
        ):
            found.append("the other files are not reported")
        said += [f"{door}: {each}" for each in found]
        notes += f" {door} {result.code} {result.spent:4.1f}s"
    if digest(tree) != before:
        said.append("the tree is not as it was")
    if (folder / "outside-was-executed").exists():
        said.append("something of the tree was executed")
    return said, notes
