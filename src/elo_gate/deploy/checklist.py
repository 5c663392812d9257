"""Turns the checklist of a release into answers: what a machine has shown, and what a named person has confirmed."""

from __future__ import annotations

import json
import os
import sys

from . import child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .config import Backed, Item, Place
    from .lock import Lock
    from .veil import Veil

# The standard's checklist: id -> (its row there, phase, what it asks, what answers it without being asked for).
ITEMS = {
    "tests-pass": ("S70", "pre", "tests pass", ""),
    "build-works": ("S71", "pre", "the build works", ""),
    "variables-configured": ("S72", "pre", "variables are configured", "gate"),
    "migrations-tested": ("S73", "pre", "migrations are tested", ""),
    "docs-updated": ("S74", "pre", "documents are up to date", ""),
    "rollback-planned": ("S75", "pre", "a rollback is planned", "preflight"),
    "logs-watched": ("S76", "during", "logs are watched", ""),
    "health-checked": ("S77", "during", "health is checked", "verify"),
    "critical-tested": ("S78", "during", "critical features are tested", "verify"),
    "performance-watched": ("S79", "during", "performance is watched", ""),
    "rollback-ready": ("S80", "during", "a rollback is ready", "preflight"),
    "smoke-tested": ("S81", "post", "smoke tests pass", "verify"),
    "analytics-checked": ("S82", "post", "analytics are checked", ""),
    "errors-watched": ("S83", "post", "errors are watched", ""),
    "docs-updated-after": ("S84", "post", "documents tell of the release", ""),
    "stakeholders-notified": ("S85", "post", "stakeholders are told", "notify"),
}

# The item of the standard's row S89, for a target that names a series of backups.
BACKUP = "backup-fresh"


def standard(place: Place) -> list[dict[str, str]]:
    """The rows of the standard's checklist, and who answers each for a target; `nobody` is an answer too."""
    target = place.target
    own = {each.id: each for each in target.checklist}
    there = {
        "gate": True,
        "preflight": True,
        "verify": True,
        "notify": target.notify is not None,
    }
    found = []
    for name, (row, phase, words, by) in ITEMS.items():
        item = own.get(name)
        who = "nobody"
        if item is not None:
            who = "command" if item.run is not None else "person"
        elif name == "health-checked":
            who = "verify" if target.verify.health is not None else "nobody"
        elif name == "critical-tested":
            who = "verify" if target.verify.paths else "nobody"
        elif by and there[by]:
            who = by
        found.append({"row": row, "id": name, "phase": phase, "asks": words, "answered_by": who})
    if target.backed is not None:
        asks = "there is a good backup"
        found.append({"row": "S89", "id": BACKUP, "phase": "pre", "asks": asks, "answered_by": "backup"})
    return found


def unanswered(place: Place) -> list[str]:
    """The rows that have to be answered before a release and are by nobody."""
    return [f"{each['row']} {each['id']}" for each in standard(place)
            if each["phase"] != "post" and each["answered_by"] == "nobody"]  # fmt: skip


def confirmed(items: list[Item], names: dict[str, str]) -> tuple[list[dict[str, Any]], list[str]]:
    """(answers, ids that nobody has confirmed) of the items that people answer."""
    answers, open_ = [], []
    for item in items:
        if item.run is None:
            if names.get(item.id):
                answers.append({"id": item.id, "phase": item.phase, "result": "confirmed", "by": names[item.id]})
            else:
                open_.append(item.id)
    return answers, open_


def run(
    item: Item, place: Place, veil: Veil, home: str, lock: Lock, stop: Callable[[], bool] | None = None
) -> dict[str, Any]:
    """The answer of an item that is a command: passed when it ended with 0 in time."""
    done = child.run(
        item.run or (), place.folder, child.environment(home, place.target.options.variables()), item.timeout,
        (lock.descriptor,), lambda pid: lock.child(pid, f"checklist {item.id}"), stop=stop,
    )  # fmt: skip
    good = done.code == 0 and not done.late
    answer: dict[str, Any] = {"id": item.id, "phase": item.phase, "result": "passed" if good else "failed"}
    if not good:
        if done.code is None:
            answer["why"] = f"cannot be started ({done.why})"
        elif done.late:
            answer["why"] = "did not end in time"
        else:
            answer["why"] = f"ended with {done.code}"
            said = veil.hide((done.err or done.out).decode("utf-8", "replace").strip()[-2_000:])
            answer["said"] = said
        answer["advisory"] = item.advisory
    return answer


def backup(
    wanted: Backed, place: Place, veil: Veil, lock: Lock, stop: Callable[[], bool] | None = None
) -> dict[str, Any]:
    """The answer of `elo-gate backup verify --fresh`: passed when the newest backup is good, and restored where asked.

    It is this very program, so it gets this one's variables, and lets fewer through to what it starts.
    """
    home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    done = child.run(
        [sys.executable, "-P", "-m", "elo_gate", "backup", "verify", wanted.name, f"--root={place.folder}", "--fresh",
         "--json", *(["--drill"] if wanted.drill else [])],
        place.folder, {**os.environ, "PYTHONPATH": home}, wanted.timeout, (lock.descriptor,),
        lambda pid: lock.child(pid, f"checklist {BACKUP}"), stop=stop,
    )  # fmt: skip
    good = done.code == 0 and not done.late
    answer: dict[str, Any] = {"id": BACKUP, "phase": "pre", "result": "passed" if good else "failed"}
    if not good:
        answer["why"] = "did not end in time" if done.late else f"ended with {done.code}"
        try:
            checks = [each for one in json.loads(done.out)["backups"] for each in one["checks"]]
            text = "; ".join(f"{each['id']}: {each['what']}" for each in checks if each["state"] in ("red", "unknown"))
        except (ValueError, RecursionError, KeyError, TypeError):
            text = done.err.decode("utf-8", "replace").strip()[-2_000:]
        answer["said"] = veil.hide(text)
        answer["advisory"] = False
    return answer


def private_home(state: str) -> str:
    """The folder that children take for home."""
    home = os.path.join(state, "home")
    os.makedirs(home, mode=0o700, exist_ok=True)
    return home
