"""Turns the commands deploy, status, abort, unlock, approve, history, rollback and audit into what they say and do."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import sys
import tempfile
import time
from contextlib import contextmanager

from ..inert import inert
from . import admission, checklist, child, config, evidence, lock, machine, platforms, ship
from .journal import Journal, JournalError
from .platform import Lost, Reserves, named
from .veil import Veil

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .config import Place
    from .plan import Prepared


class DeployError(Exception):
    """A command that cannot be done: the words for people, and the exit code."""

    def __init__(self, words: str, code: int = 2) -> None:
        super().__init__(words)
        self.code = code


# Called with (n, kind) after each line of a journal is on the disk; tests end the process there.
MOMENT: Callable[[int, str], None] | None = None


def place_of(root: str, target: str) -> Place:
    """A target by name. Raises ConfigError and DeployError."""
    if os.name != "posix":
        raise DeployError("deploy works on Linux and macOS only")
    return config.read(root, target)


def actor() -> str:
    """Who deploys: $ELO_GATE_ACTOR, what a CI says, or who is logged in. A claim, not a proof."""
    for name in ("ELO_GATE_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN"):
        if os.environ.get(name):
            return inert(os.environ[name], 100)
    import getpass

    try:
        return inert(getpass.getuser(), 100)
    except (OSError, KeyError, ImportError):
        return f"uid {os.getuid()}"


def new_id() -> str:
    """An id that sorts by time."""
    return time.strftime("%Y%m%dt%H%M%S", time.gmtime()) + "-" + secrets.token_hex(4)


def ready_state(place: Place) -> None:
    """Makes the folders of a target's state; git and the gate see nothing of them. Raises DeployError."""
    try:
        os.makedirs(place.state, mode=0o700, exist_ok=True)
        if not (os.path.realpath(place.state) + os.sep).startswith(os.path.realpath(place.folder) + os.sep):
            raise DeployError(f"{place.state}: a link leads it out of the repository")
        hidden = os.path.join(place.states, ".gitignore")
        if not os.path.lexists(hidden):
            with open(hidden, "w", encoding="utf-8") as file:
                file.write("*\n")
    except OSError as error:
        raise DeployError(f"{place.state}: cannot be made ({error.strerror})") from None


def journal_of(place: Place) -> Journal:
    """The target's journal. Raises JournalError."""
    return Journal(os.path.join(place.state, "journal.jsonl"), MOMENT)


def unfinished(journal: Journal) -> tuple[str, str] | None:
    """(id, state) of the newest deploy while it has no end, or one that waits for somebody."""
    last = journal.last()
    if last is None:
        return None
    state, ended = machine.LOCKED, False
    for each in journal.of(last):
        if each["kind"] == "transition":
            state, ended = each["to"], False
        elif each["kind"] == "end":
            state, ended = each["state"], each["state"] not in machine.OPEN
    return None if ended else (last, state)


@contextmanager
def holding(place: Place, what: str) -> Iterator[lock.Lock]:
    """The target's lock. Raises DeployError with 3 while somebody else holds it."""
    try:
        held = lock.Lock(place.state, actor(), what)
    except lock.Held as other:
        raise DeployError(f"{place.name}: {other}", 3) from None
    except OSError as error:
        raise DeployError(f"{place.state}: cannot be locked ({error.strerror})") from None
    try:
        yield held
    finally:
        held.release()


@contextmanager
def heeding(stops: list[int]) -> Iterator[None]:
    """While it lasts, signals to end are noted, and the deploy decides when that is right."""

    def note(number: int, _: object) -> None:
        stops.append(number)

    before = {each: signal.signal(each, note) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _shipping(
    place: Place, id: str, journal: Journal, held: lock.Lock, choices: ship.Choices
) -> tuple[ship.Shipping, list[int]]:
    veil = Veil(place.secrets())
    stops: list[int] = []
    made: list[ship.Shipping] = []
    platform = platforms.make(
        place, veil, checklist.private_home(place.state), held, lambda: made[0].killed() if made else False
    )
    shipping = ship.Shipping(id, place, platform, journal, held, veil, choices, say)
    shipping.stops = stops
    made.append(shipping)
    return shipping, stops


@contextmanager
def reserving(shipping: ship.Shipping, lost: int) -> Iterator[None]:
    """The platform's own lock, where it has one, against deploys from other machines.

    Raises DeployError: with 3 while somebody else holds it, with `lost` where that is not known.
    """
    platform, name = shipping.platform, shipping.place.name
    if not isinstance(platform, Reserves):
        yield
        return
    try:
        other = platform.hold(shipping.id)
    except Lost as error:
        raise DeployError(f"{name}: whether somebody else deploys is not known: {error}", lost) from None
    if other:
        raise DeployError(f"{name}: {other}", 3)
    try:
        yield
    finally:
        try:
            platform.release(shipping.id)
        except Lost as error:
            say(f"the platform's lock was not given back and runs out by itself: {error}")


def say(text: str) -> None:
    """A word for people, on stderr."""
    sys.stderr.write(f"elo-gate: {inert(text)}\n")
    sys.stderr.flush()


def _go(shipping: ship.Shipping, stops: list[int], abort: bool = False) -> int:
    with heeding(stops):
        try:
            return shipping.run(abort)
        except ship.Interrupted as where:
            say(f"interrupted at {where}; `--resume` goes on, `elo-gate deploy abort` goes back")
            return 128 + stops[0]
        except (JournalError, admission.NotAdmitted):
            raise
        except Exception as error:
            # Whatever it was, production may have changed, and no other exit code says so.
            what = getattr(error, "strerror", None) or type(error).__name__
            raise DeployError(f"stopped at {shipping.state}: {what}; `--resume` goes on from the journal", 6) from error


def deploy(place: Place, prepared: Prepared, id: str, choices: ship.Choices, plan_digest: str) -> int:
    """Ships what was prepared for an id; the exit code. Raises DeployError, JournalError, NotAdmitted."""
    if prepared.admitted is None:
        raise admission.NotAdmitted("the gate has not passed")
    with holding(place, id) as held:
        journal = journal_of(place)
        _nothing_open(place, journal)
        sweep(place, journal)
        shipping, stops = _shipping(place, id, journal, held, choices)
        shipping.needs = prepared.needs
        with reserving(shipping, 3):
            shipping.begin(prepared.admitted, prepared.copy, plan_digest)
            return _go(shipping, stops)


def _nothing_open(place: Place, journal: Journal) -> None:
    open_ = unfinished(journal)
    if open_ is not None:
        raise DeployError(
            f"{place.name}: deploy {open_[0]} is at {open_[1]}: `elo-gate deploy {place.name} --resume` goes on, "
            f"`elo-gate deploy abort {place.name}` goes back",
            3,
        )


def sweep(place: Place, journal: Journal) -> None:
    """Removes what deploys that have ended left behind when they were killed on their last line."""
    over = {each["deploy"] for each in journal.records if each["kind"] == "end" and each["state"] not in machine.OPEN}
    for id in over:
        ship.forget(os.path.join(place.state, id))


def resume(place: Place, choices: ship.Choices, abort: bool = False) -> int:
    """Goes on with the newest deploy, or back from it; the exit code. Raises DeployError, JournalError."""
    ready_state(place)
    with holding(place, "resume") as held:
        journal = journal_of(place)
        open_ = unfinished(journal)
        if open_ is None:
            say(f"{place.name}: nothing is open")
            return 0 if abort else 2
        shipping, stops = _shipping(place, open_[0], journal, held, choices)
        with reserving(shipping, 6):
            shipping.resume()
            shipping.audit("abort" if abort else "resume", f"at {open_[1]}")
            return _go(shipping, stops, abort and shipping.state not in machine.FINAL)


def abort(place: Place, choices: ship.Choices, wait: float = 60.0) -> int:
    """Ends a deploy that runs, and what it left running, and goes back; the exit code. Raises DeployError."""
    ready_state(place)
    if lock.held(place.state):
        holder = lock.read(place.state)
        if not lock.here(holder):
            raise DeployError(f"{place.name}: {lock.words(holder)}; abort it there", 3)
        if lock.alive(holder):
            os.kill(holder["pid"], signal.SIGTERM)
            say(f"asked process {holder['pid']} to end")
        until = time.monotonic() + wait
        while lock.held(place.state) and lock.alive(holder) and time.monotonic() < until:
            time.sleep(0.1)
        if lock.held(place.state) and not lock.alive(holder):
            _end_child(place, lock.read(place.state))
        if lock.held(place.state):
            raise DeployError(f"{place.name}: {lock.words(lock.read(place.state))}; it finishes what it began", 3)
    return resume(place, choices, abort=True)


def _end_child(place: Place, holder: dict[str, Any]) -> None:
    """Ends the process group that a holder who is gone has left behind, by its number and its birth."""
    group = holder.get("child")
    if isinstance(group, dict) and lock.lives(group.get("group"), group.get("born")):
        say(f"ending process group {group['group']} ({group.get('what')})")
        child.end_group(group["group"], lambda: not lock.held(place.state))


def unlock(place: Place, reason: str) -> int:
    """Forgets a holder who is gone; the exit code. Raises DeployError, JournalError."""
    ready_state(place)
    if lock.held(place.state):
        holder = lock.read(place.state)
        hint = "" if lock.alive(holder) else f"; `elo-gate deploy abort {place.name}` ends it"
        raise DeployError(f"{place.name}: {lock.words(holder)}{hint}", 3)
    before = lock.read(place.state)
    with holding(place, "unlock"):
        veil = Veil(place.secrets())
        who = lock.words(before).removeprefix("held by ") if before else "nobody"
        journal_of(place).append(
            "audit", "", event="unlock", actor=actor(), reason=veil.hide(reason, 1_000), holder=veil.hide(who)
        )
        os.unlink(os.path.join(place.state, "holder.json"))
    say(f"{place.name}: free")
    return 0


def rollback(place: Place, to: str | None, choices: ship.Choices, agreed: Callable[[str, str], bool]) -> int:
    """Makes an earlier release live again, from what is live now; the exit code. Raises DeployError, JournalError."""
    ready_state(place)
    with holding(place, "rollback") as held:
        journal = journal_of(place)
        id = new_id()
        shipping, stops = _shipping(place, id, journal, held, choices)
        if not shipping.platform.back:
            raise DeployError(f"{place.name}: the target has no command for a rollback", 3)
        if to is not None and not named(to):
            raise DeployError("--to: not the id of a release")
        try:
            live = shipping.platform.current()
        except Lost as error:
            raise DeployError(f"{place.name}: what is live is not known: {error}", 6) from None
        if live is None:
            raise DeployError(f"{place.name}: nothing is live, so there is nothing to roll back from", 3)
        target = to if to is not None else before_of(journal, live)
        if target is None:
            raise DeployError(f"{place.name}: {live} is live and the journal does not know what was before; --to ID", 3)
        if target == live:
            raise DeployError(f"{place.name}: {live} is live already", 3)
        open_ = unfinished(journal)
        if open_ is not None and open_[1] not in machine.OPEN:
            _nothing_open(place, journal)
        if not agreed(live, target):
            raise DeployError("nothing was changed", 2)
        with reserving(shipping, 6):
            shipping.begin_rollback(live, target, digest_of(journal, target))
            return _go(shipping, stops)


def before_of(journal: Journal, live: str) -> str | None:
    """What was live before the deploy that made a release live."""
    for id in dict.fromkeys(each["deploy"] for each in reversed(journal.records) if each["kind"] == "outcome"):
        records = journal.of(id)
        if any(each["kind"] == "outcome" and each.get("id") == live for each in records):
            return next((each["live"] for each in records if each["kind"] == "before"), None)
    return None


def digest_of(journal: Journal, release: str) -> str:
    """The digest of the deploy that made a release; empty when the journal has none."""
    by = next((each["deploy"] for each in reversed(journal.records) if each["kind"] == "outcome"
               and each.get("id") == release), None)  # fmt: skip
    return next((str(each["digest"]) for each in journal.of(by) if each["kind"] == "start"), "") if by else ""


def history(place: Place) -> list[dict[str, Any]]:
    """Every deploy and rollback of a target, the newest first. Raises JournalError."""
    journal = journal_of(place)
    found = []
    for start in reversed([each for each in journal.records if each["kind"] == "start"]):
        records = journal.of(start["deploy"])
        end = next((each for each in reversed(records) if each["kind"] == "end"), None)
        moved = next((each["to"] for each in reversed(records) if each["kind"] == "transition"), machine.LOCKED)
        found.append({
            "deploy": start["deploy"],
            "what": start["what"],
            "started": start["ts"],
            "ended": end["ts"] if end else None,
            "actor": start["actor"],
            "digest": start["digest"],
            "release": next((each["id"] for each in reversed(records) if each.get("id")), None),
            "state": end["state"] if end else moved,
            "exit": end["exit"] if end else None,
            "audit": [each["event"] for each in records if each["kind"] == "audit"],
        })  # fmt: skip
    return found


def status(place: Place, ask: bool) -> dict[str, Any]:
    """What is known of a target: its newest deploy, who holds the lock, and where asked, what is live."""
    rows = history(place)
    journal = journal_of(place)
    held = lock.held(place.state)
    made: dict[str, Any] = {
        "target": place.name,
        "deploy": rows[0] if rows else None,
        "open": bool(unfinished(journal)),
        "torn": bool(journal.torn),
        "held": lock.words(lock.read(place.state)) if held else None,
    }
    if ask:
        with tempfile.TemporaryDirectory(prefix="elo-gate-") as home:
            try:
                made["live"] = platforms.make(place, Veil(place.secrets()), home).current()
            except Lost as error:
                made["live_unknown"] = str(error)
    return made


def audit(place: Place) -> list[str]:
    """What is wrong with a target's journal and evidence; empty when nothing is."""
    try:
        journal = journal_of(place)
    except JournalError as error:
        return [str(error)]
    wrong = []
    for start in [each for each in journal.records if each["kind"] == "start"]:
        id = start["deploy"]
        records = journal.of(id)
        reached = {each["to"] for each in records if each["kind"] == "transition"}
        gates = [each["gate"] for each in records if each["kind"] == "gate"]
        sent = any(each["kind"] in ("intent", "outcome") for each in records)
        if (
            start["what"] == "deploy"
            and (sent or machine.SUCCEEDED in reached)
            and not any(each.get("digest") == start["digest"] and each.get("result") == "PASSED" for each in gates)
        ):
            wrong.append(f"{id}: no gate passed for its bytes")
        ends = [each for each in records if each["kind"] == "end"]
        for each in ends:
            if each["state"] not in reached or each["exit"] != evidence.code(start["what"], each["state"]):
                wrong.append(f"{id}: ended as {each['state']}, and no transition led there")
        for number, each in enumerate(records):
            if each["kind"] == "outcome" and not any(
                one["kind"] == "intent" and one["verb"] == each["verb"] for one in records[:number]
            ):
                wrong.append(f"{id}: an outcome of {each['verb']} that was never meant")
        said = [each for each in records if each["kind"] == "evidence"]
        for file, digest in (said[-1]["files"] if said else {}).items():
            try:
                with open(os.path.join(place.state, id, file), "rb") as opened:
                    same = hashlib.sha256(opened.read()).hexdigest() == digest
            except OSError:
                same = False
            if not same:
                wrong.append(f"{id}/{file}: not what was written")
    return wrong


def as_json(value: Any) -> str:
    """Plain data for programs."""
    return json.dumps(value, indent=2, sort_keys=True) + "\n"
