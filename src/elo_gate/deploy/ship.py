"""Turns an admitted snapshot into a live release: asks `machine` what is next, does it, and writes both down.

Each effect is an intent in the journal before, and an outcome after. What was meant and has no outcome is looked for
on the platform by its key; it is never done again blindly.
"""

from __future__ import annotations

import json
import os
import shutil
import time

from . import admission, approvals, calendar, checklist, evidence, machine, notify, smoke, snapshot
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

    __slots__ = ("actor", "break_glass", "confirm")

    def __init__(self, actor: str, break_glass: str = "", confirm: dict[str, str] | None = None) -> None:
        self.actor = actor
        self.break_glass = break_glass
        self.confirm = confirm or {}


class Shipping:
    """One deploy or rollback, under its lock."""

    __slots__ = (
        "id", "place", "platform", "journal", "lock", "veil", "choices", "say", "stops", "what", "digest", "admitted",
        "copy", "handle", "before", "known", "way", "state", "attempted", "_resumed",
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
            place.target.strategy == "stage", place.target.rollback == "auto" and platform.back,
            place.target.verify.on_inconclusive,
        )  # fmt: skip
        self.state = machine.LOCKED
        self.attempted: set[str] = set()  # verbs with an intent
        self._resumed = False

    # -- the beginning -------------------------------------------------------------------------------------------

    def begin(self, admitted: Admission, copy: Snapshot, plan: str) -> None:
        """A new deploy of what was admitted. Only an Admission gets here, and one exists only for what Passed."""
        if not isinstance(admitted, Admission) or admitted.digest != copy.digest:
            raise NotAdmitted("the gate has judged other bytes")
        self.admitted, self.copy, self.digest = admitted, copy, copy.digest
        os.makedirs(self._folder(), mode=0o700, exist_ok=True)
        write_file(self._folder("inputs.json"), canonical(admitted.keep()))
        self._write(
            "start", what="deploy", digest=copy.digest, actor=self.choices.actor, target=self.place.name, plan=plan
        )
        self._write("gate", gate=admitted.record)
        self._write("transition", **{"from": machine.PLANNED, "to": machine.GATED, "seen": machine.PASS, "why": ""})
        self._write("transition", **{"from": machine.GATED, "to": machine.LOCKED, "seen": machine.FREE, "why": ""})

    def begin_rollback(self, live: str, to: str, digest: str) -> None:
        """A rollback somebody asked for: from what is live to an earlier release."""
        self.what, self.digest = "rollback", digest
        self.before, self.known, self.handle = to, True, Handle(live)
        self._write(
            "start", what="rollback", digest=digest, actor=self.choices.actor, target=self.place.name, live=live, to=to
        )
        self._write(
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
            self._mind_stops()
            if abort:
                seen, why, abort = machine.ABORT, "asked for", False
            else:
                seen, why = getattr(self, "_" + machine.ACTIONS[self.state].replace("-", "_"))()
            after = machine.decide(self.state, seen, self.way)
            self._write("transition", **{"from": self.state, "to": after, "seen": seen, "why": why})
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
            self._write("evidence", files=files)
        self._write("end", state=end, exit=exit_code)
        if end not in machine.OPEN:
            remove(self._folder("snapshot"))
            if os.path.exists(self._folder("inputs.json")):
                os.unlink(self._folder("inputs.json"))
        wanted = self.place.target.notify
        if wanted is not None:
            how = notify.tell(wanted, {
                "deploy": self.id, "what": self.what, "target": self.place.name, "digest": self.digest,
                "outcome": end, "exit": exit_code, "actor": self.choices.actor,
            })  # fmt: skip
            self._write("notify", how=how)
            if how != "told":
                self.say(how)
        return exit_code

    def audit(self, event: str, reason: str) -> None:
        """An event that somebody may ask about later."""
        self._write("audit", event=event, actor=self.choices.actor, reason=self.veil.hide(reason, 1_000))

    def _write(self, kind: str, **data: Any) -> None:
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

    def _mind_stops(self) -> None:
        if self.stopped():
            self._write("interrupted", state=self.state)
            raise Interrupted(self.state)

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._mind_stops()
            time.sleep(min(left, 0.2))

    # -- what each state does; (what was seen, why) ----------------------------------------------------------------

    def _look(self) -> tuple[str, str]:
        try:
            self.before = self.platform.current()
        except Lost as error:
            return machine.REFUSED, f"what is live is not known: {error}"
        self.known = True
        self._write("before", live=self.before)
        if self.before is None and not self.place.target.first_deploy:
            return machine.REFUSED, "nothing is live, so nothing could be rolled back to; first_deploy = true allows it"
        return machine.CLEAR, ""

    def _clear(self) -> tuple[str, str]:
        reasons = self._closed() + self._unproven() + self._unapproved() + self._open_items("pre")
        if not reasons:
            reasons = self._failed_items("pre")
        if reasons:
            text = self.veil.hide("; ".join(reasons), 1_000)
            if not self.choices.break_glass:
                return machine.REFUSED, text
            self.audit("overridden", text)
        try:
            self._check_bytes()
        except (snapshot.Changed, NotAdmitted) as error:
            return machine.REFUSED, str(error)
        return machine.CLEAR, ""

    def _deploy(self) -> tuple[str, str]:
        if self.handle is not None:
            return machine.ACCEPTED, "adopted"
        if "deploy" in self.attempted:
            try:
                if self._search():
                    return machine.ACCEPTED, "found by its key"
            except Lost as error:
                return machine.LOST, f"whether it arrived is not known: {error}"
        try:
            copy = self._check_bytes()
        except (snapshot.Changed, NotAdmitted) as error:
            return machine.REFUSED, str(error)
        self._intent("deploy", digest=copy.digest)
        try:
            handle = self.platform.deploy(copy.folder, copy.digest, self.id)
        except Lost as error:
            self._mind_stops()
            self._write("outcome", verb="deploy", result="not known", why=str(error))
            try:
                if self._search():
                    return machine.ACCEPTED, f"found by its key after: {error}"
            except Lost as lost:
                return machine.LOST, f"{error}; whether it arrived is not known: {lost}"
            return machine.FAILED, str(error)
        self._adopt(handle)
        return machine.ACCEPTED, ""

    def _wait(self) -> tuple[str, str]:
        return self._until_ready(time.monotonic() + self.place.target.timeouts.deploy)

    def _until_ready(self, until: float) -> tuple[str, str]:
        assert self.handle is not None
        while True:
            why = ""
            state = ""
            try:
                state, why, url = self.platform.status(self.handle.id)
                if url and not self.handle.url:
                    self.handle.url = url
            except Lost as error:
                why = str(error)
            if state == "ready":
                return machine.READY, why
            if state == "failed":
                return machine.FAILED, why or "the platform says it failed"
            if time.monotonic() + self.place.target.poll >= until:
                return (machine.LATE, why or "not ready in time") if state else (machine.LOST, why)
            self._sleep(self.place.target.poll)

    def _verify_candidate(self) -> tuple[str, str]:
        assert self.handle is not None
        closed = self._closed()
        if closed and not self.choices.break_glass:
            return machine.REFUSED, "; ".join(closed)
        if closed:
            self.audit("overridden", "; ".join(closed))
        missing = self._open_items("during")
        if missing and not self.choices.break_glass:
            return machine.UNREADY, "; ".join(missing)
        if missing:
            self.audit("overridden", "; ".join(missing))
        if not self.handle.url:
            return machine.SILENT, "the platform gives the candidate no address"
        seen, why = self._smoke(self.handle.url, self.digest)
        if seen != machine.PASS:
            return seen, why
        failed = self._failed_items("during")
        return (machine.RED, "; ".join(failed)) if failed else (machine.PASS, "")

    def _promote(self) -> tuple[str, str]:
        assert self.handle is not None
        live = self._live()
        if live in (machine.FOREIGN, machine.LOST, machine.OURS):
            return live, {machine.FOREIGN: "somebody else has deployed"}.get(live, "")
        if self.admitted is None:
            return machine.REFUSED, "the gate's record does not count any more"
        self._intent("promote", id=self.handle.id)
        why = ""
        try:
            self.platform.promote(self.handle.id)
        except Lost as error:
            why = str(error)
        self._write("outcome", verb="promote", result="said so" if not why else "not known", why=why)
        return self._until_live(machine.OURS, self.place.target.timeouts.promote, why)

    def _verify_live(self) -> tuple[str, str]:
        live = self._live()
        if live in (machine.FOREIGN, machine.LOST):
            return live, "what is live is not this release"
        if live == machine.OLD:
            return machine.RED, "the release before is live"
        seen, why = self._smoke(self.place.target.url, self.digest)
        if seen != machine.PASS:
            return seen, why
        failed = self._failed_items("post" if self.way.stage else "during", "post")
        if failed:
            return machine.RED, "; ".join(failed)
        for each in self._open_items("post", *(() if self.way.stage else ("during",))):
            self.say(f"still to do: {each}")
        return machine.PASS, ""

    def _reckon(self) -> tuple[str, str]:
        if not self.known:
            return machine.LOST, "what was live before is not known"
        if "promote" in self.attempted or ("deploy" in self.attempted and not self.way.stage):
            self._sleep(self.place.target.settle)  # what was only queued may still happen
        live = self._live()
        if live != machine.OLD or self.way.stage or "deploy" not in self.attempted:
            return live, "somebody else has deployed" if live == machine.FOREIGN else ""
        # In place, a release that is still on its way will be live later.
        try:
            if self.handle is None and not self._search():
                return machine.OLD, ""
            assert self.handle is not None
            state, why, _ = self.platform.status(self.handle.id)
        except Lost as error:
            return machine.LOST, f"whether the release is still on its way is not known: {error}"
        if state == "failed":
            return self._live(), why
        return machine.LOST, f"the release is {state} and may still go live"

    def _roll_back(self) -> tuple[str, str]:
        live = self._live()
        if live in (machine.FOREIGN, machine.LOST, machine.OLD):
            return live, "somebody else has deployed" if live == machine.FOREIGN else ""
        if self.before is None or not self.platform.back:
            return machine.CANNOT, "there is no release before" if self.before is None else "the target has no rollback"
        if self.what == "deploy" and self.place.target.rollback == "manual":
            return machine.CANNOT, 'rollback = "manual"'
        self._intent("rollback", id=self.before)
        why = ""
        try:
            self.platform.rollback(self.before)
        except Lost as error:
            why = str(error)
        self._write("outcome", verb="rollback", result="said so" if not why else "not known", why=why)
        return self._until_live(machine.OLD, self.place.target.timeouts.rollback, why)

    def _verify_restored(self) -> tuple[str, str]:
        live = self._live()
        if live != machine.OLD:
            return (machine.FOREIGN if live == machine.FOREIGN else machine.RED), "what was rolled back to is not live"
        return self._smoke(self.place.target.url, "")

    # -- what they share -----------------------------------------------------------------------------------------

    def _live(self) -> str:
        """Whose release is live, as the platform says now."""
        try:
            live = self.platform.current()
        except Lost as error:
            self._write("observed", live=None, why=str(error))
            return machine.LOST
        self._write("observed", live=live, why="")
        if self.handle is not None and live == self.handle.id:
            return machine.OURS
        return machine.OLD if live == self.before else machine.FOREIGN

    def _until_live(self, wanted: str, limit: float, why: str) -> tuple[str, str]:
        until = time.monotonic() + limit
        while True:
            live = self._live()
            if live in (wanted, machine.FOREIGN):
                return live, why
            if time.monotonic() + self.place.target.poll >= until:
                return live, why or "the platform did not do it in time"
            self._sleep(self.place.target.poll)

    def _intent(self, verb: str, **data: Any) -> None:
        self._write("intent", verb=verb, **data)
        self.attempted.add(verb)

    def _adopt(self, handle: Handle) -> None:
        self.handle = handle
        self._write("outcome", verb="deploy", result="accepted", id=handle.id, url=handle.url)

    def _search(self) -> bool:
        """Whether the platform has what was sent under our key: asked, and after its settle time once more.

        Raises Lost.
        """
        for wait in (0.0, self.place.target.settle):
            if wait:
                self._sleep(wait)
            found = self.platform.find(self.id)
            if found is not None:
                self._adopt(found)
                return True
        return False

    def _check_bytes(self) -> Snapshot:
        """The snapshot, hashed this very moment. Raises Changed and NotAdmitted."""
        if self.admitted is None or self.copy is None or self.admitted.digest != self.copy.digest:
            raise NotAdmitted("the gate's record does not count any more")
        admission.again(
            self.admitted.record, self.admitted.keep(), self.copy.digest, self.place.path, self.place.max_age,
            time.time(),
        )  # fmt: skip
        snapshot.unchanged(self.copy, self.place.folder, self.admitted.inputs)
        return self.copy

    def _smoke(self, url: str, digest: str) -> tuple[str, str]:
        target = self.place.target
        result, checks = smoke.verify(
            url, target.verify, digest, target.timeouts.verify, self.veil, self.stopped,
            lambda seen: self._write("smoke", **seen),
        )  # fmt: skip
        self._mind_stops()
        bad = [f"{each['path']}: {each['why']}" for each in checks if each["result"] != smoke.GREEN]
        return {smoke.GREEN: machine.PASS, smoke.RED: machine.RED}.get(result, machine.SILENT), "; ".join(bad)

    def _closed(self) -> list[str]:
        return calendar.closed(time.time(), self.place.target.windows, self.place.target.freeze)

    def _unproven(self) -> list[str]:
        """The targets in which these bytes must have succeeded before, and have not."""
        from .journal import JournalError, read

        missing = []
        for name in self.place.target.requires:
            try:
                records, _, _ = read(os.path.join(self.place.states, name, "journal.jsonl"))
            except JournalError as error:
                missing.append(str(error))
                continue
            same = {each["deploy"] for each in records if each["kind"] == "start" and each["digest"] == self.digest
                    and each["what"] == "deploy"}  # fmt: skip
            if not any(
                each["kind"] == "end" and each["state"] == machine.SUCCEEDED and each["deploy"] in same
                for each in records
            ):
                missing.append(f"these bytes have not succeeded in {name}")
        return missing

    def _unapproved(self) -> list[str]:
        wanted = self.place.target.approvals
        if wanted is None:
            return []
        try:
            good, bad = approvals.approved(self.place, self.digest, self.choices.actor, time.time())
        except approvals.ApprovalError as error:
            return [str(error)]
        self._write("approvals", by=good, refused=[self.veil.hide(each) for each in bad])
        if len(good) >= wanted.count:
            return []
        return [f"approved by {len(good)} of {wanted.count}" + (f" ({'; '.join(bad)})" if bad else "")]

    def _items(self, *phases: str) -> list[Any]:
        return [each for each in self.place.target.checklist if each.phase in phases]

    def _open_items(self, *phases: str) -> list[str]:
        """What nobody has confirmed; what somebody has is written down."""
        answers, missing = checklist.confirmed(self._items(*phases), self.choices.confirm)
        for answer in answers:
            self._write("item", answer={**answer, "by": self.veil.hide(answer["by"])})
        words = [f"{each} is not confirmed (--confirm {each}=NAME)" for each in missing]
        if "pre" in phases and self.place.target.every_item:
            words += [f"{each} is answered by nobody" for each in checklist.unanswered(self.place)]
        return words

    def _failed_items(self, *phases: str) -> list[str]:
        """What commands of the checklist say against the release."""
        failed = []
        home = checklist.private_home(self.place.state)
        for item in self._items(*phases):
            if item.run is not None:
                answer = checklist.run(item, self.place, self.veil, home, self.lock, self.killed)
                self._mind_stops()
                self._write("item", answer=answer)
                if answer["result"] != "passed":
                    words = f"{item.id}: {answer['why']}" + (f": {answer['said']}" if answer.get("said") else "")
                    if item.advisory:
                        self.say(f"advisory: {words}")
                    else:
                        failed.append(words)
        return failed


def remove(folder: str) -> None:
    """Removes a snapshot; its files are read-only, its folders are not."""
    shutil.rmtree(folder, ignore_errors=True)
