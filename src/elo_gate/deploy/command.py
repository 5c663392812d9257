"""Turns the verbs of a platform into programs that a configuration names: words in, one JSON object out, no shell."""

from __future__ import annotations

import json
import os
import re

from . import child
from .platform import Handle, Lost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .config import Place
    from .lock import Lock
    from .veil import Veil

_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:/@+=-]{0,255}")
STATES = ("ready", "pending", "failed")
ANSWER = 65_536


class CommandPlatform:
    """The verbs of one target. `stop` is asked while a program runs whether to end it."""

    __slots__ = ("stage", "back", "finds", "_place", "_veil", "_lock", "_home", "_stop")

    def __init__(
        self, place: Place, veil: Veil, home: str, lock: Lock | None = None, stop: Callable[[], bool] | None = None
    ) -> None:
        verbs = place.target.command
        self.stage = verbs.promote is not None
        self.back = verbs.rollback is not None
        self.finds = verbs.find is not None
        self._place = place
        self._veil = veil
        self._home = home
        self._lock = lock
        self._stop = stop

    def current(self) -> str | None:
        """As Platform.current."""
        return self._identity("current", self._answer("current", {}))

    def deploy(self, snapshot: str, digest: str, key: str) -> Handle:
        """As Platform.deploy."""
        answer = self._answer("deploy", {"snapshot": snapshot, "digest": digest, "key": key})
        found = self._identity("deploy", answer)
        if found is None:
            raise Lost("deploy: its answer names no id")
        return Handle(found, self._address("deploy", answer))

    def find(self, key: str) -> Handle | None:
        """As Platform.find."""
        answer = self._answer("find", {"key": key})
        found = self._identity("find", answer)
        return Handle(found, self._address("find", answer)) if found is not None else None

    def status(self, id: str) -> tuple[str, str, str]:
        """As Platform.status."""
        answer = self._answer("status", {"id": id})
        state = answer.get("state")
        if state not in STATES:
            raise Lost(f"status: its state is none of {', '.join(STATES)}")
        return state, self._veil.hide(str(answer.get("detail") or "")), self._address("status", answer)

    def promote(self, id: str) -> None:
        """As Platform.promote."""
        self._run("promote", {"id": id})

    def rollback(self, id: str) -> None:
        """As Platform.rollback."""
        self._run("rollback", {"id": id})

    def calls(self) -> list[list[str]]:
        """As Platform.calls."""
        verbs = self._place.target.command
        found = (getattr(verbs, verb) for verb in ("current", "deploy", "status", "promote", "current", "rollback"))
        return [[self._veil.hide(word) for word in argv] for argv in found if argv]

    def _run(self, verb: str, values: dict[str, str]) -> child.Done:
        place = self._place
        argv = getattr(place.target.command, verb)
        if argv is None:
            raise Lost(f"{verb}: the target has no such command")
        timeouts = place.target.timeouts
        limit = {"deploy": timeouts.deploy, "promote": timeouts.promote, "rollback": timeouts.rollback}
        words = [values[each[1:-1]] if each.startswith("{") and each[1:-1] in values else each for each in argv]
        lock = self._lock
        done = child.run(
            words, place.folder, child.environment(self._home, place.target.command.env),
            limit.get(verb, timeouts.ask), (lock.descriptor,) if lock is not None else (),
            (lambda pid: lock.child(pid, verb)) if lock is not None else None, stop=self._stop,
        )  # fmt: skip
        if done.code is None:
            raise Lost(f"{verb}: cannot be started ({done.why})")
        said = self._veil.hide(done.err.decode("utf-8", "replace").strip()[-2_000:])
        if done.late:
            raise Lost(f"{verb}: did not end in time" + (f": {said}" if said else ""))
        if done.code != 0:
            raise Lost(f"{verb}: ended with {done.code}" + (f": {said}" if said else ""))
        return done

    def _answer(self, verb: str, values: dict[str, str]) -> dict[str, Any]:
        done = self._run(verb, values)
        try:
            answer = json.loads(done.out) if len(done.out) <= ANSWER else None
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise Lost(f"{verb}: its answer is not one JSON object")
        return answer

    def _identity(self, verb: str, answer: dict[str, Any]) -> str | None:
        if "id" not in answer:
            raise Lost(f"{verb}: its answer has no `id`")
        found = answer["id"]
        if found is None:
            return None
        if not isinstance(found, str) or not _ID.fullmatch(found) or self._veil.known(found):
            raise Lost(f"{verb}: its `id` is not one that can be written down")
        return found

    def _address(self, verb: str, answer: dict[str, Any]) -> str:
        from urllib.parse import urlsplit

        url = answer.get("url")
        if url is None:
            return ""
        try:
            parts = urlsplit(url) if isinstance(url, str) and url.isprintable() and len(url) <= 2_000 else None
            good = parts is not None and parts.scheme in ("http", "https") and parts.hostname and not parts.username
        except ValueError:
            good = False
        if not good or self._veil.hide(url) != url:
            raise Lost(f"{verb}: its `url` is not an address that can be written down")
        return str(url).rstrip("/")


def programs(place: Place) -> list[str]:
    """The files of the repository that a target would run, relative to it."""
    verbs = place.target.command
    found = set()
    for argv in (verbs.deploy, verbs.current, verbs.status, verbs.find, verbs.promote, verbs.rollback):
        found |= own(argv, place.folder)
    for item in place.target.checklist:
        found |= own(item.run, place.folder)
    return sorted(found)


def own(argv: list[str] | None, folder: str) -> set[str]:
    """The words of a command that are files of a folder."""
    return {
        os.path.normpath(word)
        for word in argv or ()
        if not os.path.isabs(word) and not word.startswith("-") and os.path.isfile(os.path.join(folder, word))
    }
