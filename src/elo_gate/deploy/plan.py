"""Turns a target into what a deploy of it would do: the copy, the gate's word on it, and each call; only looks."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time

from .. import gate
from ..discover import HARD_LIMIT, DiskTree
from ..inert import inert
from ..project import variables
from ..verdict import Passed
from . import admission, calendar, checklist, platforms, snapshot
from .journal import canonical
from .platform import Lost
from .veil import Veil

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .admission import Admission
    from .config import Place
    from .ship import Choices
    from .snapshot import Snapshot


class PlanError(Exception):
    """A release that changed while it was judged."""


class Prepared:
    """What a gate that was asked for a release left: the run, and where it passed, the copy and its admission.

    `needs` are the names of variables that the release has to find where it runs, None where that is not known.
    """

    __slots__ = ("run", "copy", "admitted", "needs")

    def __init__(self, run: gate.Run, copy: Snapshot, admitted: Admission | None) -> None:
        self.run = run
        self.copy = copy
        self.admitted = admitted
        self.needs: list[str] | None = None


def prepare(place: Place, folder: str) -> Prepared:
    """Copies the artifact to a new folder and asks the gate about it, as of today.

    Raises PlanError, SnapshotError, ConfigError, UsageError.
    """
    aside = [os.path.relpath(place.states, place.folder).replace(os.sep, "/")]
    copy = snapshot.take(place.folder, place.target.artifact, folder, aside)
    witness = snapshot.Witness(place.folder, copy)
    run = gate.run(place.folder, tree=witness, config=place.path)
    if not isinstance(run.verdict, Passed):
        return Prepared(run, copy, None)
    if snapshot.source_digest(place.folder, place.target.artifact, aside) != copy.digest:
        raise PlanError(f"{place.target.artifact}: changed while it was judged; once more, please")
    given = dict(witness.given)
    tree = DiskTree(place.folder)
    for path in [*programs(place), os.path.basename(place.path)]:
        if path not in given:
            given[path] = hashlib.sha256(tree.read(path, HARD_LIMIT)).hexdigest()
    # What the copy holds is compared there.
    prepared = Prepared(run, copy, admission.admit(run, copy, given, time.time()))
    prepared.needs = variables.asked(run.project, place.target.artifact)
    return prepared


def plan(place: Place, prepared: Prepared, choices: Choices) -> dict[str, Any]:
    """What a deploy would do, as plain data with a digest of its own. Asks the platform what is live, no more."""
    target = place.target
    veil = Veil(place.secrets())
    with tempfile.TemporaryDirectory(prefix="elo-gate-") as home:
        platform = platforms.make(place, veil, home)
        try:
            live, why = platform.current(), ""
        except Lost as error:
            live, why = None, str(error)
    verdict = prepared.run.verdict
    admitted = prepared.admitted
    made: dict[str, Any] = {
        "target": place.name,
        "platform": target.platform,
        "url": target.url,
        "strategy": "stage" if target.staged else "in-place",
        "artifact": target.artifact,
        "files": len(prepared.copy.files),
        "digest": prepared.copy.digest,
        "gate": {
            "verdict": verdict.word,
            "policy": admission.policy_digest(place.path),
            "let_pass": len(verdict.suppressed),
            "admitted": admitted is not None,
        },
        "live": live,
        "live_unknown": why,
        "rollback": {
            "mode": "auto" if target.returns else "manual",
            "to": live,
            "possible": live is not None and platform.back,
        },
        "migrations": {"reversible": target.migrations.reversible, "accepted": choices.no_rollback},
        "backup": target.backed.model_dump() if target.backed is not None else None,
        "closed": calendar.closed(time.time(), target.windows, target.freeze),
        "windows": target.windows,
        "freeze": target.freeze,
        "requires": target.requires,
        "approvals": target.approvals.count if target.approvals else 0,
        "break_glass": bool(choices.break_glass),
        "calls": platform.calls(),
        "variables": [f"${name}" for name in target.options.variables()],
        "checklist": [
            {
                "phase": each.phase,
                "id": each.id,
                "how": "command" if each.run else "person",
                "words": veil.hide(each.manual or " ".join(each.run or ())),
                "confirmed_by": choices.confirm.get(each.id, "") if not each.run else "",
            }
            for each in target.checklist
        ],
        "needs": prepared.needs,
        "standard": checklist.standard(place),
        "timeouts": target.timeouts.model_dump(),
        "on_inconclusive": target.verify.on_inconclusive,
    }
    # What passes with time is no part of what somebody agreed to.
    lasting = {key: value for key, value in made.items() if key != "closed"}
    made["plan_digest"] = hashlib.sha256(canonical(lasting)).hexdigest()
    return made


def words_of(made: dict[str, Any]) -> str:
    """A plan for people."""
    back = made["rollback"]
    lines = [
        f"{made['target']}: {made['url']} ({made['platform']}, {made['strategy']})",
        *_one_way(made["migrations"]),
        f"  release   {made['digest']}",
        f"            {made['files']} files of {made['artifact']}",
        f"  gate      {made['gate']['verdict']}, {made['gate']['let_pass']} findings let pass",
        f"  live now  {made['live'] or made['live_unknown'] or 'nothing'}",
        f"  rollback  {back['mode']}, " + (f"to {back['to']}" if back["possible"] else "not possible"),
    ]
    lines += [f"  closed    {each}" for each in made["closed"]]
    if made["requires"]:
        lines.append(f"  requires  the same bytes in {', '.join(made['requires'])}")
    if made["approvals"]:
        lines.append(f"  approvals {made['approvals']} needed")
    if made["break_glass"]:
        lines.append(
            "  BREAK GLASS: windows, freeze, approvals, requires and checklist are overridden, and it is logged"
        )
    if made["backup"]:
        how = "restored now" if made["backup"]["drill"] else "young, whole and elsewhere too"
        lines.append(f"  pre       backup-fresh: the newest of backup {made['backup']['name']} is {how}")
    for each in made["checklist"]:
        who = f", confirmed by {each['confirmed_by']}" if each["confirmed_by"] else ""
        lines.append(f"  {each['phase']:<9} {each['id']}: {each['how']}: {each['words']}{who}")
    lines += [f"  runs      {' '.join(argv)}" for argv in made["calls"]]
    if made["variables"]:
        lines.append(f"  with      {' '.join(made['variables'])}")
    open_ = [f"{each['row']} {each['id']}" for each in made["standard"] if each["answered_by"] == "nobody"]
    if open_:
        lines.append(f"  answered by nobody: {', '.join(open_)}")
    lines.append(f"  plan      {made['plan_digest']}")
    return "".join(inert(line) + "\n" for line in lines)


def _one_way(migrations: dict[str, bool]) -> list[str]:
    """What stands before all else where there is no way back."""
    if migrations["reversible"]:
        return []
    said = "accepted" if migrations["accepted"] else "refused without --accept-no-rollback"
    return [f"  NO ROLLBACK: migrations cannot be taken back; when this fails people are called ({said})"]


def programs(place: Place) -> list[str]:
    """The files of the repository that a target would run, relative to it."""
    argvs = [*place.target.options.programs(), *(item.run for item in place.target.checklist if item.run)]
    return sorted({
        os.path.normpath(word)
        for argv in argvs
        for word in argv
        if not os.path.isabs(word) and not word.startswith("-") and os.path.isfile(os.path.join(place.folder, word))
    })  # fmt: skip
