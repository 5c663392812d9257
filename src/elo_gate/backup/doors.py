"""Turns the words of the command line into `backup verify`: reads the configuration, words refusals, exit codes."""

from __future__ import annotations

import os
import signal
import sys
import time

from ..policy import ConfigError
from . import config, drill, page
from .source import Unseen
from .verify import verify as look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Stopped(Exception):
    """A command that was not done: words and the exit code."""

    def __init__(self, words: str, code: int) -> None:
        super().__init__(words)
        self.code = code


def verify(
    root: str, names: tuple[str, ...], drills: bool | None, fresh: bool, as_json: bool, write: Callable[[str], None]
) -> int:
    """`elo-gate backup verify`: the exit code. Without a word on `drills` they are held, but not for a fresh one.

    Raises Stopped.
    """
    if os.name != "posix":
        raise Stopped("backup verify works on Linux and macOS only", 2)
    # A terminal that is closed ends a drill as Ctrl-C does: the scratch database is dropped.
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    try:
        asked = not fresh if drills is None else drills
        folder, wanted = config.read(root, names)
        bare = next((name for name, promise in wanted.items() if promise.drill is None), None)
        if drills and bare is not None:
            raise Stopped(f"--drill: [backup.{bare}] has no `drill`, so nothing says where to restore", 2)
        # Every drill's ground is seen before the first one begins.
        grounds = {
            name: drill.Ground(promise.drill) if promise.drill is not None and asked else None
            for name, promise in wanted.items()
        }
        now = time.time()
        reports, unseen = [], []
        for name, promise in wanted.items():
            try:
                reports.append(look(name, promise, folder, now, grounds[name], fresh))
            except Unseen as error:
                unseen.append(f"{name}: {error}")
    except (ConfigError, drill.Refused) as error:
        raise Stopped(str(error), 2) from None
    except OSError as error:
        raise Stopped(f"{error.filename or 'a scratch folder'}: {error.strerror}", 2) from None
    code = 2 if unseen else page.code(reports)
    if reports:
        write(page.as_json(reports, now, code) if as_json else page.text(reports))
    if unseen:
        raise Stopped("; ".join(unseen), 2)
    return code
