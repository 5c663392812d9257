"""Turns the words of the command line into `backup verify`: reads the configuration, words refusals, exit codes."""

from __future__ import annotations

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
    root: str, names: tuple[str, ...], drills: bool, fresh: bool, as_json: bool, write: Callable[[str], None]
) -> int:
    """`elo-gate backup verify`: the exit code. Raises Stopped."""
    # A terminal that is closed ends a drill as Ctrl-C does: the scratch database is dropped.
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    try:
        folder, wanted = config.read(root, names)
        # Every drill's ground is seen before the first one begins.
        grounds = {
            name: drill.Ground(promise.drill) if drills and promise.drill is not None else None
            for name, promise in wanted.items()
        }
        now = time.time()
        reports = [look(name, promise, folder, now, grounds[name], fresh) for name, promise in wanted.items()]
    except ConfigError as error:
        raise Stopped(str(error), 2) from None
    except (drill.Refused, Unseen) as error:
        raise Stopped(str(error), 2) from None
    except OSError as error:
        raise Stopped(f"{error.filename or 'a scratch folder'}: {error.strerror}", 2) from None
    write(page.as_json(reports, now) if as_json else page.text(reports))
    return page.code(reports)
