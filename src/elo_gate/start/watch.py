"""Turns changes of files into new judgements: looks at names, sizes and times again and again, without a dependency."""

from __future__ import annotations

import os
import sys
import time

from ..discover import DiskTree, Ignores, Unreadable, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Stamp = dict[str, tuple[int, int, int]]

EVERY = 0.4  # seconds between two looks, at least
SHARE = 10  # a look may take a tenth of the time
INTERRUPTED = 130


def stamp(root: str, more: Iterable[str] = ()) -> Stamp:
    """What changes when a file of a tree changes: time, size and number of each, and of files beside the tree.

    What git ignores counts only in so far as it is no folder: names of ignored env files are facts.
    """
    tree = DiskTree(root)
    found: Stamp = {}
    try:
        for path, _ in walk(tree, Ignores(tree)):
            _add(found, os.path.join(tree.root, path))
    except Unreadable:
        pass
    above = tree.root
    top = tree.top()
    while True:
        for name in ("elo-gate.toml", "pyproject.toml", ".gitignore"):
            _add(found, os.path.join(above, name))
        if above == top or os.path.dirname(above) == above:
            break
        above = os.path.dirname(above)
    # Which files git tracks is a fact: `git add` and `git switch` write here.
    for path in (os.path.join(top, ".git", "index"), os.path.join(top, ".git", "HEAD"), *more):
        _add(found, path)
    return found


def _add(found: Stamp, path: str) -> None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return
    found[path] = (status.st_mtime_ns, status.st_size, status.st_ino)


def watch(
    judge: Callable[[], object],
    root: str,
    more: Iterable[str] = (),
    written: Iterable[str] = (),
    clear: bool = False,
    rest: Callable[[float], None] = time.sleep,
) -> int:
    """Judges now and after each change, until the user ends it; gives the exit code for that.

    `judge` prints. `more` are files beside the tree that count, `written` those that a judgement writes itself.
    """
    import gc

    # A run may leave its cycles to the end of the process; many runs may not.
    gc.enable()
    ours = {os.path.realpath(path) for path in written}
    try:
        while True:
            # Taken before judging: what changes meanwhile is judged again.
            before = _without(stamp(root, more), ours)
            if clear:
                # The screen, and the cursor to its begin; what scrolled away stays.
                sys.stdout.write("\x1b[2J\x1b[H")
                sys.stdout.flush()
            judge()
            gc.collect()
            sys.stderr.write("elo-gate: watching; Ctrl+C ends\n")
            sys.stderr.flush()
            pause = EVERY
            while True:
                rest(pause)
                start = time.monotonic()
                now = _without(stamp(root, more), ours)
                pause = max(EVERY, SHARE * (time.monotonic() - start))
                if now != before:
                    break
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return INTERRUPTED


def _without(found: Stamp, ours: set[str]) -> Stamp:
    return {path: each for path, each in found.items() if path not in ours} if ours else found
