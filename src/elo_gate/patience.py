"""Bounds the processor time that one file may take, whatever a reader, a rule or a regular expression meets in it.

Every file has a moment for nothing, which is far more than an ordinary one takes. Beyond it all files of a run share
two allowances: one for what is slow (up to FILE for each), one for what is slower still. So a run ends, whatever is in
it. The time is that of this process alone (ITIMER_VIRTUAL), so that a busy machine changes nothing. Where there is no
such timer (Windows, a thread that is not the main one) nothing is bounded.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # the module without its enums: start-up time
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Made = TypeVar("Made")

MOMENT = 0.1  # seconds of each file
FILE = 1.0  # seconds of each file, as long as SLOW is not used up
SLOW = 6.0  # seconds between MOMENT and FILE, of all files together
TREE = 4.0  # seconds of the rules that look across files
SHARED = 4.0  # seconds beyond FILE or TREE, of all files together
_AGAIN = 0.2  # in case a callback from C swallowed it


class Overdue(BaseException):
    """A file took too long. No Exception: what catches those must not go on with the file."""


class Patience:
    """The allowance of one run."""

    __slots__ = ("_armed", "_left", "_slow")

    def __init__(self) -> None:
        self._left = SHARED
        self._slow = SLOW
        self._armed = False

    def spend(self, free: float, work: Callable[[], Made]) -> Made:
        """What some work returns. Raises Overdue when it takes its own time and all that is left of the shared one."""
        if self._armed:
            return work()
        try:
            before = signal.signal(signal.SIGVTALRM, self._stop)
        except (AttributeError, ValueError):
            return work()
        started = time.process_time()
        if free <= FILE:
            free = min(free, MOMENT + self._slow)
        try:
            self._armed = True
            signal.setitimer(signal.ITIMER_VIRTUAL, free + self._left, _AGAIN)
            return work()
        finally:
            self._armed = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)
            spent = time.process_time() - started
            if spent > MOMENT and free <= FILE:
                self._slow = max(0.0, self._slow - (min(spent, free) - MOMENT))
            if spent > free:
                self._left = max(0.0, self._left - (spent - free))

    def _stop(self, signum: int, frame: object) -> None:
        if self._armed:
            raise Overdue
