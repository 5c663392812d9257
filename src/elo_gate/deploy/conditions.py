"""Turns what a target asks for around a release into what is missing: windows, other targets, approvals, checklist."""

from __future__ import annotations

import os
import time

from . import approvals, calendar, checklist, machine
from .platform import Lost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .ship import Shipping


def closed(run: Shipping) -> list[str]:
    """The windows and freezes that speak against now."""
    return calendar.closed(time.time(), run.place.target.windows, run.place.target.freeze)


def unproven(run: Shipping) -> list[str]:
    """The targets in which these bytes must have succeeded before, and have not."""
    from .journal import JournalError, read

    missing = []
    for name in run.place.target.requires:
        try:
            records, _, _ = read(os.path.join(run.place.states, name, "journal.jsonl"))
        except JournalError as error:
            missing.append(str(error))
            continue
        same = {each["deploy"] for each in records if each["kind"] == "start" and each["digest"] == run.digest
                and each["what"] == "deploy"}  # fmt: skip
        if not any(
            each["kind"] == "end" and each["state"] == machine.SUCCEEDED and each["deploy"] in same for each in records
        ):
            missing.append(f"these bytes have not succeeded in {name}")
    return missing


def unapproved(run: Shipping) -> list[str]:
    """What is missing of the approvals."""
    wanted = run.place.target.approvals
    if wanted is None:
        return []
    try:
        good, bad = approvals.approved(run.place, run.digest, run.choices.actor, time.time())
    except approvals.ApprovalError as error:
        return [str(error)]
    run.write("approvals", by=good, refused=[run.veil.hide(each) for each in bad])
    if len(good) >= wanted.count:
        return []
    return [f"approved by {len(good)} of {wanted.count}" + (f" ({'; '.join(bad)})" if bad else "")]


def unset_variables(run: Shipping) -> list[str]:
    """The variables that the code fails without and the platform does not have; only names are asked for."""
    if not run.needs or run.copy is None:
        return []
    try:
        there = run.platform.variables(run.copy.folder)
    except Lost as error:
        return [f"variables-configured: {error}"]
    if there is None:
        return []
    missing = [each for each in run.needs if each not in there]
    result = "failed" if missing else "passed"
    run.write("item", answer={"id": "variables-configured", "phase": "pre", "result": result})
    return [f"variables-configured: the platform has no {', '.join(missing)}"] if missing else []


def _items(run: Shipping, *phases: str) -> list[Any]:
    return [each for each in run.place.target.checklist if each.phase in phases]


def open_items(run: Shipping, *phases: str) -> list[str]:
    """What nobody has confirmed; what somebody has is written down."""
    answers, missing = checklist.confirmed(_items(run, *phases), run.choices.confirm)
    for answer in answers:
        run.write("item", answer={**answer, "by": run.veil.hide(answer["by"])})
    words = [f"{each} is not confirmed (--confirm {each}=NAME)" for each in missing]
    if "pre" in phases and run.place.target.every_item:
        words += [f"{each} is answered by nobody" for each in checklist.unanswered(run.place)]
    return words


def failed_items(run: Shipping, *phases: str) -> list[str]:
    """What commands of the checklist say against the release."""
    failed = []
    backed = run.place.target.backed
    if backed is not None and "pre" in phases:
        answer = checklist.backup(backed, run.place, run.veil, run.lock, run.killed)
        run.mind_stops()
        run.write("item", answer=answer)
        if answer["result"] != "passed":
            failed.append(f"{answer['id']}: {answer['why']}: {answer['said']}")
    home = checklist.private_home(run.place.state)
    for item in _items(run, *phases):
        if item.run is not None:
            answer = checklist.run(item, run.place, run.veil, home, run.lock, run.killed)
            run.mind_stops()
            run.write("item", answer=answer)
            if answer["result"] != "passed":
                words = f"{item.id}: {answer['why']}" + (f": {answer['said']}" if answer.get("said") else "")
                if item.advisory:
                    run.say(f"advisory: {words}")
                else:
                    failed.append(words)
    return failed
