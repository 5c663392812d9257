"""Turns an admitted snapshot into a live release: asks `machine` what is next, does it, and writes both down.

Each effect is an intent in the journal before, and an outcome after. What was meant and has no outcome is looked for
on the platform by its key; it is never done again blindly.
"""

from __future__ import annotations

import json
import os
import shutil
import time

from . import admission, evidence, machine, notify, smoke, snapshot, steps
from .admission import Admission, NotAdmitted
from .journal import canonical, write_file
from .platform import Handle, Lost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .config import Place
    from .journal import Journal
    from .lock import Lock
    from .platform import Platform
    from .snapshot import Snapshot
    from .veil import Veil


class Interrupted(Exception):
    """Somebody asked to stop and it was right to; the journal says where."""


class Choices:
    """What somebody said on the command line."""

    __slots__ = ("actor", "break_glass", "confirm", "no_rollback")

    def __init__(
        self, actor: str, break_glass: str = "", confirm: dict[str, str] | None = None, no_rollback: bool = False
    ) -> None:
        self.actor = actor
        self.break_glass = break_glass
        self.confirm = confirm or {}
        self.no_rollback = no_rollback  # whether it was accepted that a failure is not rolled back


class Shipping:
    """One deploy or rollback, under its lock."""

    __slots__ = (
        "id", "place", "platform", "journal", "lock", "veil", "choices", "say", "stops", "what", "digest", "admitted",
        "copy", "handle", "before", "known", "way", "state", "attempted", "needs", "promised", "_resumed",
    )  # fmt: skip

    def __init__(
        self, id: str, place: Place, platform: Platform, journal: Journal, lock: Lock, veil: Veil, choices: Choices,
        say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.id = id
        self.place = place
        self.platform = platform
        self.journal = journal
        self.lock = lock
        self.veil = veil
        self.choices = choices
        self.say = say
        self.stops: list[int] = []  # signals that have come
        self.what = "deploy"
        self.digest = ""
        self.admitted: Admission | None = None
        self.copy: Snapshot | None = None
        self.handle: Handle | None = None
        self.before: str | None = None
        self.known = False  # whether `before` has been asked for
        self.way = machine.Way(
            place.target.staged, place.target.returns and platform.back,
            place.target.verify.on_inconclusive,
        )  # fmt: skip
        self.state = machine.LOCKED
        self.attempted: set[str] = set()  # verbs with an intent
        self.needs: list[str] | None = None  # variables that the release has to find where it runs, as the gate says
        self.promised = False  # whether the platform has said, in this run, that it promoted
        self._resumed = False

    # -- the beginning -------------------------------------------------------------------------------------------

    def begin(self, admitted: Admission, copy: Snapshot, plan: str) -> None:
        """A new deploy of what was admitted. Only an Admission gets here, and one exists only for what Passed."""
        if not isinstance(admitted, Admission) or admitted.digest != copy.digest:
            raise NotAdmitted("the gate has judged other bytes")
        self.admitted, self.copy, self.digest = admitted, copy, copy.digest
        os.makedirs(self._folder(), mode=0o700, exist_ok=True)
        write_file(self._folder("inputs.json"), canonical(admitted.keep()))
        self.write(
            "start", what="deploy", digest=copy.digest, actor=self.choices.actor, target=self.place.name, plan=plan
        )
        self.write("gate", gate=admitted.record)
        self.write("transition", **{"from": machine.PLANNED, "to": machine.GATED, "seen": machine.PASS, "why": ""})
        self.write("transition", **{"from": machine.GATED, "to": machine.LOCKED, "seen": machine.FREE, "why": ""})

    def begin_rollback(self, live: str, to: str, digest: str) -> None:
        """A rollback somebody asked for: from what is live to an earlier release."""
        self.what, self.digest = "rollback", digest
        self.before, self.known, self.handle = to, True, Handle(live)
        self.write(
            "start", what="rollback", digest=digest, actor=self.choices.actor, target=self.place.name, live=live, to=to
        )
        self.write(
            "transition",
            **{"from": machine.LOCKED, "to": machine.ROLLING_BACK, "seen": machine.OURS, "why": "asked for"},
        )
        self.state = machine.ROLLING_BACK

    def resume(self) -> None:
        """Goes back to where the journal ends. Raises NotAdmitted when it has no such deploy."""
        records = self.journal.of(self.id)
        if not records or records[0]["kind"] != "start":
            raise NotAdmitted("the journal tells of no such deploy")
        start = records[0]
        self._resumed = True
        self.what, self.digest = start["what"], start["digest"]
        if self.what == "rollback":
            self.before, self.known, self.handle = start["to"], True, Handle(start["live"])
            self.state = machine.ROLLING_BACK
        for each in records:
            kind = each["kind"]
            if kind == "before":
                self.before, self.known = each["live"], True
            elif kind == "intent":
                self.attempted.add(each["verb"])
            elif kind == "outcome" and each["verb"] == "deploy" and each.get("id"):
                self.handle = Handle(each["id"], each.get("url", ""))
            elif kind == "transition":
                # A run that ended open goes on where it gave up; one that ended for good is only written up.
                self.state = each["from"] if each["to"] in machine.OPEN else each["to"]
        gate = next((each["gate"] for each in records if each["kind"] == "gate"), None)
        folder = self._folder("snapshot")
        if gate is not None and os.path.isdir(folder):
            try:
                self.copy = snapshot.load(folder, self.place.target.artifact)
                with open(self._folder("inputs.json"), "rb") as file:
                    kept = json.loads(file.read())
                self.admitted = admission.again(
                    gate, kept, self.copy.digest, self.place.path, self.place.max_age, time.time()
                )
            except (NotAdmitted, snapshot.SnapshotError, OSError, ValueError) as error:
                self.say(f"going forward is closed: {error}")
        if self.state in (machine.PLANNED, machine.GATED):
            self.state = machine.LOCKED

    # -- the loop ------------------------------------------------------------------------------------------------

    def run(self, abort: bool = False) -> int:
        """Goes on until the run ends; the exit code. Raises Interrupted, JournalError."""
        if self.choices.break_glass:
            self.audit("break-glass", self.choices.break_glass)
        if self._resumed and self.state in machine.BEFORE:
            abort = True  # nothing was sent: a new deploy is as good, and judges what is there now
        while self.state not in machine.FINAL:
            self.mind_stops()
            if abort:
                seen, why, abort = machine.ABORT, "asked for", False
            else:
                seen, why = steps.STEPS[machine.ACTIONS[self.state]](self)
            after = machine.decide(self.state, seen, self.way)
            self.write("transition", **{"from": self.state, "to": after, "seen": seen, "why": why})
            self.say(f"{self.state} -> {after}" + (f": {why}" if why else ""))
            if after == self.state:  # an abort where the way back has begun already
                continue
            self.state = after
        return self._finish()

    def _finish(self) -> int:
        end = self.state
        exit_code = evidence.code(self.what, end)
        records = self.journal.of(self.id)
        if self.digest:
            os.makedirs(self._folder(), mode=0o700, exist_ok=True)
            files = evidence.write(self._folder(), records, self.place.name, self.place.target.url, end)
            self.write("evidence", files=files)
        self.write("end", state=end, exit=exit_code)
        if end not in machine.OPEN:
            forget(self._folder())
        wanted = self.place.target.notify
        if wanted is not None:
            how = notify.tell(wanted, {
                "deploy": self.id, "what": self.what, "target": self.place.name, "digest": self.digest,
                "outcome": end, "exit": exit_code, "actor": self.choices.actor,
            })  # fmt: skip
            self.write("notify", how=how)
            if how != "told":
                self.say(how)
        return exit_code

    def audit(self, event: str, reason: str) -> None:
        """An event that somebody may ask about later."""
        self.write("audit", event=event, actor=self.choices.actor, reason=self.veil.hide(reason, 1_000))

    def write(self, kind: str, **data: Any) -> None:
        self.journal.append(kind, self.id, **data)

    def _folder(self, name: str = "") -> str:
        return os.path.join(self.place.state, self.id, name) if name else os.path.join(self.place.state, self.id)

    # -- stopping ------------------------------------------------------------------------------------------------

    def _stoppable(self) -> bool:
        """Whether production is as it was, whatever is stopped now: before promotion, or before anything is sent."""
        if self.state in machine.BEFORE:
            return True
        if self.way.stage:
            return self.state in (machine.DEPLOYING, machine.WAITING, machine.STAGED)
        return self.state == machine.DEPLOYING and "deploy" not in self.attempted

    def stopped(self) -> bool:
        """Whether a wait is to end: at the first signal where that is harmless, at the second anywhere."""
        return len(self.stops) > 1 or (bool(self.stops) and self._stoppable())

    def killed(self) -> bool:
        """Whether even a program that works is to end: at the second signal."""
        return len(self.stops) > 1

    def mind_stops(self) -> None:
        if self.stopped():
            self.write("interrupted", state=self.state)
            raise Interrupted(self.state)

    def sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.mind_stops()
            time.sleep(min(left, 0.2))

    # -- what they share -----------------------------------------------------------------------------------------

    def live(self) -> str:
        """Whose release is live, as the platform says now."""
        try:
            live = self.platform.current()
        except Lost as error:
            self.write("observed", live=None, why=str(error))
            return machine.LOST
        self.write("observed", live=live, why="")
        if self.handle is not None and live == self.handle.id:
            return machine.OURS
        return machine.OLD if live == self.before else machine.FOREIGN

    def until_live(self, wanted: str, limit: float, why: str) -> tuple[str, str]:
        until = time.monotonic() + limit
        while True:
            live = self.live()
            if live in (wanted, machine.FOREIGN):
                return live, why
            if time.monotonic() + self.place.target.poll >= until:
                return live, why or "the platform did not do it in time"
            self.sleep(self.place.target.poll)

    def intend(self, verb: str, **data: Any) -> None:
        self.write("intent", verb=verb, **data)
        self.attempted.add(verb)

    def adopt(self, handle: Handle) -> None:
        self.handle = handle
        self.write("outcome", verb="deploy", result="accepted", id=handle.id, url=handle.url)

    def search(self) -> bool:
        """Whether the platform has what was sent under our key: asked, and after its settle time once more.

        Raises Lost.
        """
        for wait in (0.0, self.place.target.settle):
            if wait:
                self.sleep(wait)
            found = self.platform.find(self.id)
            if found is not None:
                self.adopt(found)
                return True
        return False

    def check_bytes(self) -> Snapshot:
        """The snapshot, hashed this very moment. Raises Changed and NotAdmitted."""
        if self.admitted is None or self.copy is None or self.admitted.digest != self.copy.digest:
            raise NotAdmitted("the gate's record does not count any more")
        admission.again(
            self.admitted.record, self.admitted.keep(), self.copy.digest, self.place.path, self.place.max_age,
            time.time(),
        )  # fmt: skip
        snapshot.unchanged(self.copy, self.place.folder, self.admitted.inputs)
        return self.copy

    def smoke(self, url: str, digest: str) -> tuple[str, str]:
        target = self.place.target
        result, checks = smoke.verify(
            url, target.verify, digest, target.timeouts.verify, self.veil, self.stopped,
            lambda seen: self.write("smoke", **seen),
        )  # fmt: skip
        self.mind_stops()
        bad = [f"{each['path']}: {each['why']}" for each in checks if each["result"] != smoke.GREEN]
        return {smoke.GREEN: machine.PASS, smoke.RED: machine.RED}.get(result, machine.SILENT), "; ".join(bad)


def forget(folder: str) -> None:
    """Removes from a deploy's folder what only a deploy under way needs; the evidence stays."""
    remove(os.path.join(folder, "snapshot"))
    if os.path.exists(os.path.join(folder, "inputs.json")):
        os.unlink(os.path.join(folder, "inputs.json"))


def remove(folder: str) -> None:
    """Removes a snapshot; its files are read-only, its folders are not."""
    shutil.rmtree(folder, ignore_errors=True)
