"""Turns a state and what was seen in it into the next state: the whole decision, and nothing that acts.

Every state that is not final has one action, which ends in one of the observations below. A pair that cannot happen
still has an answer: before anything was sent nothing is sent, afterwards a human is asked.
"""

from __future__ import annotations

# States in which something is done.
PLANNED = "planned"
GATED = "gated"
LOCKED = "locked"
PREFLIGHT = "preflight"
DEPLOYING = "deploying"
WAITING = "waiting"
STAGED = "staged"
PROMOTING = "promoting"
VERIFYING = "verifying"
RECKONING = "reckoning"  # something failed after a request was sent: which release is live?
ROLLING_BACK = "rolling-back"
RESTORED = "restored"  # the old release is live again and has to prove it

# States that end a run.
SUCCEEDED = "succeeded"
REJECTED = "rejected"
BROKEN = "broken"
BUSY = "busy"
BLOCKED = "blocked"
FAILED_CLEAN = "failed-clean"
ROLLED_BACK = "rolled-back"
ROLLBACK_FAILED = "rollback-failed"
UNKNOWN = "unknown"
HELD = "held"

# Observations.
PASS = "pass"
RED = "red"
SILENT = "silent"  # no answer, or one that says nothing about the release
FREE = "free"
TAKEN = "taken"
CLEAR = "clear"
REFUSED = "refused"
ACCEPTED = "accepted"
READY = "ready"
FAILED = "failed"
LATE = "late"
OURS = "ours"
OLD = "old"
FOREIGN = "foreign"
LOST = "lost"  # the platform cannot be asked
CANNOT = "cannot"  # there is no way back: none known, or none allowed
REVERTED = "reverted"  # the platform itself has gone back to an earlier release
UNREADY = "unready"  # a person has to say something first
ABORT = "abort"

ACTIONS = {
    PLANNED: "judge",
    GATED: "lock",
    LOCKED: "look",
    PREFLIGHT: "clear",
    DEPLOYING: "deploy",
    WAITING: "wait",
    STAGED: "verify-candidate",
    PROMOTING: "promote",
    VERIFYING: "verify-live",
    RECKONING: "reckon",
    ROLLING_BACK: "roll-back",
    RESTORED: "verify-restored",
}
FINAL = (SUCCEEDED, REJECTED, BROKEN, BUSY, BLOCKED, FAILED_CLEAN, ROLLED_BACK, ROLLBACK_FAILED, UNKNOWN, HELD)
STATES = (*ACTIONS, *FINAL)
OBSERVATIONS = (
    PASS, RED, SILENT, FREE, TAKEN, CLEAR, REFUSED, ACCEPTED, READY, FAILED, LATE, OURS, OLD, FOREIGN, LOST, CANNOT,
    REVERTED, UNREADY, ABORT,
)  # fmt: skip
# Nothing has been sent to the platform in these.
BEFORE = (PLANNED, GATED, LOCKED, PREFLIGHT)
# Final states that a later run may go on from.
OPEN = (UNKNOWN, HELD, ROLLBACK_FAILED)
# How a run ends; HELD and FAILED_CLEAN leave production alone, UNKNOWN and ROLLBACK_FAILED need a human.
EXIT = {
    SUCCEEDED: 0,
    REJECTED: 1,
    BROKEN: 2,
    BUSY: 3,
    BLOCKED: 3,
    FAILED_CLEAN: 4,
    ROLLED_BACK: 5,
    ROLLBACK_FAILED: 6,
    UNKNOWN: 6,
    HELD: 7,
}


class Way:
    """What a target can and wants: `stage` (a candidate before users see it), `back` (automatic rollback allowed)."""

    __slots__ = ("stage", "back", "silent")

    def __init__(self, stage: bool, back: bool, silent: str) -> None:
        self.stage = stage
        self.back = back
        self.silent = silent  # what to do when nothing answers: hold, rollback, accept


def decide(state: str, seen: str, way: Way) -> str:
    """The next state. Total: every state and every observation has an answer; final states stay."""
    if state in FINAL:
        return state
    if seen == ABORT:
        return BLOCKED if state in BEFORE else state if state in (RECKONING, ROLLING_BACK, RESTORED) else RECKONING
    known = _table(way).get(state, {}).get(seen)
    if known is not None:
        return known
    return BLOCKED if state in BEFORE else UNKNOWN


def _table(way: Way) -> dict[str, dict[str, str]]:
    live = ROLLING_BACK if way.back else ROLLBACK_FAILED
    return {
        PLANNED: {PASS: GATED, RED: REJECTED, SILENT: BROKEN},
        GATED: {FREE: LOCKED, TAKEN: BUSY},
        LOCKED: {CLEAR: PREFLIGHT, REFUSED: BLOCKED},
        PREFLIGHT: {CLEAR: DEPLOYING, REFUSED: BLOCKED},
        DEPLOYING: {ACCEPTED: WAITING, FAILED: RECKONING, REFUSED: RECKONING, LOST: UNKNOWN},
        WAITING: {
            READY: STAGED if way.stage else VERIFYING,
            FAILED: RECKONING,
            LATE: RECKONING,
            REVERTED: RECKONING if way.stage else RESTORED,
            LOST: UNKNOWN,
        },
        STAGED: {
            PASS: PROMOTING,
            RED: RECKONING,
            REFUSED: HELD,
            UNREADY: HELD,
            SILENT: {"hold": HELD, "rollback": RECKONING, "accept": PROMOTING}.get(way.silent, HELD),
        },
        PROMOTING: {OURS: VERIFYING, OLD: RECKONING, REFUSED: RECKONING, FOREIGN: UNKNOWN, LOST: UNKNOWN},
        VERIFYING: {
            PASS: SUCCEEDED,
            RED: live,
            FOREIGN: UNKNOWN,
            SILENT: {"hold": UNKNOWN, "rollback": live, "accept": SUCCEEDED}.get(way.silent, UNKNOWN),
        },
        RECKONING: {OLD: FAILED_CLEAN, OURS: live, FOREIGN: UNKNOWN, LOST: UNKNOWN},
        ROLLING_BACK: {OLD: RESTORED, OURS: ROLLBACK_FAILED, CANNOT: ROLLBACK_FAILED, FOREIGN: UNKNOWN, LOST: UNKNOWN},
        RESTORED: {PASS: ROLLED_BACK, RED: ROLLBACK_FAILED, SILENT: ROLLBACK_FAILED, FOREIGN: UNKNOWN},
    }
