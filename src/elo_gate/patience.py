"""Bounds the processor time that one file may take, whatever a reader, a rule or a regular expression meets in it.

Every file has a little time for nothing; beyond it, all files of a run share one allowance. The time is that of this
process alone (ITIMER_VIRTUAL), so that a busy machine changes nothing. Where there is no such timer (Windows, a thread
that is not the main one) nothing is bounded.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # the module without its enums: start-up time
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Made = TypeVar("Made")

FILE = 1.0  # seconds of each file
TREE = 4.0  # seconds of the rules that look across files
SHARED = 4.0  # seconds beyond those, of all files together
_AGAIN = 0.2  # in case a callback from C swallowed it


class Overdue(BaseException):
    """A file took too long. No Exception: what catches those must not go on with the file."""


class Patience:
    """The allowance of one run."""

    __slots__ = ("_armed", "_left")

    def __init__(self) -> None:
        self._left = SHARED
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
        try:
            self._armed = True
            signal.setitimer(signal.ITIMER_VIRTUAL, free + self._left, _AGAIN)
            return work()
        finally:
            self._armed = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)
            self._left = max(0.0, self._left - max(0.0, time.process_time() - started - free))

    def _stop(self, signum: int, frame: object) -> None:
        if self._armed:
            raise Overdue
