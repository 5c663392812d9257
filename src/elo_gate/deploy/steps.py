"""Turns a state into what is done in it: each function acts once or looks, and says (what was seen, why)."""

from __future__ import annotations

import time

from . import conditions, machine, snapshot
from .admission import NotAdmitted
from .platform import Lost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .ship import Shipping


def look(run: Shipping) -> tuple[str, str]:
    """Asks what is live, before anything else: the release to go back to."""
    try:
        run.before = run.platform.current()
    except Lost as error:
        return machine.REFUSED, f"what is live is not known: {error}"
    run.known = True
    run.write("before", live=run.before)
    if run.before is None and not run.place.target.first_deploy:
        return machine.REFUSED, "nothing is live, so nothing could be rolled back to; first_deploy = true allows it"
    return machine.CLEAR, ""


def clear(run: Shipping) -> tuple[str, str]:
    """Whether everything that has to hold before a deploy holds: conditions, bytes, the platform."""
    if not run.place.target.migrations.reversible:
        # No glass to break: who deploys says so, each time.
        if not run.choices.no_rollback:
            return machine.REFUSED, (
                "migrations.reversible = false: the release before cannot run on this one's tables, so a failure is "
                "not rolled back; --accept-no-rollback accepts that"
            )
        run.audit("no-rollback", "migrations cannot be taken back, and that was accepted")
    reasons = (
        conditions.closed(run)
        + conditions.unproven(run)
        + conditions.unapproved(run)
        + conditions.open_items(run, "pre")
    )
    if not reasons:
        reasons = conditions.failed_items(run, "pre") + conditions.unset_variables(run)
    if reasons:
        text = run.veil.hide("; ".join(reasons), 1_000)
        if not run.choices.break_glass:
            return machine.REFUSED, text
        run.audit("overridden", text)
    try:
        copy = run.check_bytes()
        against = run.platform.preflight(copy.folder, copy.digest)
    except (snapshot.Changed, NotAdmitted) as error:
        return machine.REFUSED, str(error)
    except Lost as error:
        return machine.REFUSED, f"whether it can be sent is not known: {error}"
    if against:
        return machine.REFUSED, run.veil.hide("; ".join(against), 1_000)
    return machine.CLEAR, ""


def deploy(run: Shipping) -> tuple[str, str]:
    """Sends the snapshot once; what was sent before and got no answer is looked for."""
    if run.handle is not None:
        return machine.ACCEPTED, "adopted"
    if "deploy" in run.attempted:
        try:
            if run.search():
                return machine.ACCEPTED, "found by its key"
        except Lost as error:
            return machine.LOST, f"whether it arrived is not known: {error}"
    try:
        copy = run.check_bytes()
    except (snapshot.Changed, NotAdmitted) as error:
        return machine.REFUSED, str(error)
    run.intend("deploy", digest=copy.digest)
    try:
        handle = run.platform.deploy(copy.folder, copy.digest, run.id)
    except Lost as error:
        run.mind_stops()
        run.write("outcome", verb="deploy", result="not known", why=str(error))
        try:
            if run.search():
                return machine.ACCEPTED, f"found by its key after: {error}"
        except Lost as lost:
            return machine.LOST, f"{error}; whether it arrived is not known: {lost}"
        return machine.FAILED, str(error)
    if run.way.stage and handle.id == run.before:
        # Adopted, the release before would look like a success.
        run.write("outcome", verb="deploy", result="not known", why="it gave the id of the release before")
        return machine.LOST, "the platform gave the id of what is live for the new release"
    run.adopt(handle)
    return machine.ACCEPTED, ""


def wait(run: Shipping) -> tuple[str, str]:
    """Waits until the release is ready."""
    return _until_ready(run, time.monotonic() + run.place.target.timeouts.deploy)


def _until_ready(run: Shipping, until: float) -> tuple[str, str]:
    assert run.handle is not None
    while True:
        why = ""
        state = ""
        try:
            state, why, url = run.platform.status(run.handle.id)
            if url and not run.handle.url:
                run.handle.url = url
        except Lost as error:
            why = str(error)
        if state == "ready":
            return machine.READY, why
        if state == "failed":
            return machine.FAILED, why or "the platform says it failed"
        if state == "reverted":
            return machine.REVERTED, why or "the platform has gone back by itself"
        if time.monotonic() + run.place.target.poll >= until:
            return (machine.LATE, why or "not ready in time") if state else (machine.LOST, why)
        run.sleep(run.place.target.poll)


def verify_candidate(run: Shipping) -> tuple[str, str]:
    """Looks at a staged release before any user sees it."""
    assert run.handle is not None
    closed = conditions.closed(run)
    if closed and not run.choices.break_glass:
        return machine.REFUSED, "; ".join(closed)
    if closed:
        run.audit("overridden", "; ".join(closed))
    missing = conditions.open_items(run, "during")
    if missing and not run.choices.break_glass:
        return machine.UNREADY, "; ".join(missing)
    if missing:
        run.audit("overridden", "; ".join(missing))
    if not run.handle.url:
        return machine.SILENT, "the platform gives the candidate no address"
    seen, why = run.smoke(run.handle.url, run.digest)
    if seen != machine.PASS:
        return seen, why
    failed = conditions.failed_items(run, "during")
    return (machine.RED, "; ".join(failed)) if failed else (machine.PASS, "")


def promote(run: Shipping) -> tuple[str, str]:
    """Makes the staged release live."""
    assert run.handle is not None
    live = run.live()
    if live in (machine.FOREIGN, machine.LOST, machine.OURS):
        return live, {machine.FOREIGN: "somebody else has deployed"}.get(live, "")
    if run.admitted is None:
        return machine.REFUSED, "the gate's record does not count any more"
    run.intend("promote", id=run.handle.id)
    why = ""
    try:
        run.platform.promote(run.handle.id)
    except Lost as error:
        why = str(error)
    run.promised = not why
    run.write("outcome", verb="promote", result="said so" if not why else "not known", why=why)
    return run.until_live(machine.OURS, run.place.target.timeouts.promote, why)


def verify_live(run: Shipping) -> tuple[str, str]:
    """Looks at the release as it is served."""
    live = run.live()
    if live in (machine.FOREIGN, machine.LOST):
        return live, "what is live is not this release"
    if live == machine.OLD:
        return machine.RED, "the release before is live"
    seen, why = run.smoke(run.place.target.url, run.digest)
    if seen != machine.PASS:
        return seen, why
    failed = conditions.failed_items(run, "post" if run.way.stage else "during", "post")
    if failed:
        return machine.RED, "; ".join(failed)
    for each in conditions.open_items(run, "post", *(() if run.way.stage else ("during",))):
        run.say(f"still to do: {each}")
    return machine.PASS, ""


def reckon(run: Shipping) -> tuple[str, str]:
    """After a failure: which release is live?"""
    if not run.known:
        return machine.LOST, "what was live before is not known"
    if "promote" in run.attempted or ("deploy" in run.attempted and not run.way.stage):
        run.sleep(run.place.target.settle)  # what was only queued may still happen
    live = run.live()
    if live == machine.OLD and run.promised:
        # The Vercel CLI ends well on the 202 of a promotion that is queued behind a rolling release.
        return machine.LOST, "the platform says it promoted, and the release before is live: it may still happen"
    if live != machine.OLD or run.way.stage or "deploy" not in run.attempted:
        return live, "somebody else has deployed" if live == machine.FOREIGN else ""
    # In place, a release that is still on its way will be live later.
    try:
        if run.handle is None and not run.search():
            return machine.OLD, ""
        assert run.handle is not None
        state, why, _ = run.platform.status(run.handle.id)
    except Lost as error:
        return machine.LOST, f"whether the release is still on its way is not known: {error}"
    if state in ("failed", "reverted"):
        return run.live(), why
    return machine.LOST, f"the release is {state} and may still go live"


def roll_back(run: Shipping) -> tuple[str, str]:
    """Makes the release before live again, if what is live is still ours."""
    live = run.live()
    if live in (machine.FOREIGN, machine.LOST, machine.OLD):
        return live, "somebody else has deployed" if live == machine.FOREIGN else ""
    if run.before is None or not run.platform.back:
        return machine.CANNOT, "there is no release before" if run.before is None else "the target has no rollback"
    if run.what == "deploy" and not run.place.target.returns:
        manual = run.place.target.rollback == "manual"
        return machine.CANNOT, 'rollback = "manual"' if manual else "migrations.reversible = false"
    run.intend("rollback", id=run.before)
    why = ""
    try:
        run.platform.rollback(run.before)
    except Lost as error:
        why = str(error)
    run.write("outcome", verb="rollback", result="said so" if not why else "not known", why=why)
    return run.until_live(machine.OLD, run.place.target.timeouts.rollback, why)


def verify_restored(run: Shipping) -> tuple[str, str]:
    """Looks at the release that was rolled back to."""
    live = run.live()
    if live != machine.OLD:
        return (machine.FOREIGN if live == machine.FOREIGN else machine.RED), "what was rolled back to is not live"
    return run.smoke(run.place.target.url, "")


# machine.ACTIONS -> what does it; the two before a lock is held are done before a Shipping exists.
STEPS: dict[str, Callable[[Shipping], tuple[str, str]]] = {
    "look": look,
    "clear": clear,
    "deploy": deploy,
    "wait": wait,
    "verify-candidate": verify_candidate,
    "promote": promote,
    "verify-live": verify_live,
    "reckon": reckon,
    "roll-back": roll_back,
    "verify-restored": verify_restored,
}
