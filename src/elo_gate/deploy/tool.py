"""Turns an argument list of a platform into what its program said, or into Lost: one place for limits and secrets."""

from __future__ import annotations

import json

from . import child
from .platform import Lost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from .lock import Lock
    from .veil import Veil


class Tool:
    """Runs the programs of one target: with its variables, its lock, its veil. `stop` says whether to end one."""

    __slots__ = ("folder", "home", "_veil", "_names", "_lock", "_stop")

    def __init__(
        self, folder: str, veil: Veil, home: str, names: Sequence[str], lock: Lock | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.home = home
        self._veil = veil
        self._names = names
        self._lock = lock
        self._stop = stop

    def run(
        self, what: str, argv: Sequence[str], seconds: float, *, codes: Sequence[int] = (0,), folder: str = "",
        variables: Mapping[str, str] | None = None, feed: bytes | None = None, outlives: bool = False,
        cap: int = child.CAP,
    ) -> child.Done:  # fmt: skip
        """What a program said. `what` names the deed in messages, `codes` are the exit codes that count as an answer.
        `outlives` and `cap` are as in child.run.

        Raises Lost when it cannot be started, ends with another code, or does not end within `seconds`.
        """
        lock = self._lock
        done = child.run(
            argv, folder or self.folder, {**child.environment(self.home, self._names), **(variables or {})}, seconds,
            (lock.descriptor,) if lock is not None else (),
            (lambda pid: lock.child(pid, what)) if lock is not None else None, feed=feed, stop=self._stop,
            outlives=outlives, cap=cap,
        )  # fmt: skip
        if done.code is None:
            raise Lost(f"{what}: cannot be started ({done.why})")
        if done.late or done.code not in codes:
            said = self._veil.hide(done.err.decode("utf-8", "replace").strip()[-2_000:])
            how = "did not end in time" if done.late else f"ended with {done.code}"
            raise Lost(f"{what}: {how}" + (f": {said}" if said else ""))
        return done

    def object(self, what: str, done: child.Done, most: int = child.CAP) -> dict[str, Any]:
        """The one JSON object that a program printed, at most `most` bytes long. Raises Lost."""
        try:
            answer = json.loads(done.out) if len(done.out) <= most else None
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise Lost(f"{what}: its answer is not one JSON object")
        return answer
