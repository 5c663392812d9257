"""The decision of a deploy, row by row, in the words of the journal: what the design says, written a second time.

The words are pinned too: a journal that one version wrote is read by the next, and an exit code is in people's scripts.
"""

from __future__ import annotations

import itertools

import pytest

from elo_gate.deploy import machine as m

# state, observation, next state. `live` is rolling-back where a way back is allowed, else rollback-failed.
TABLE = """
planned pass gated
planned red rejected
planned silent broken
gated free locked
gated taken busy
locked clear preflight
locked refused blocked
preflight clear deploying
preflight refused blocked
deploying accepted waiting
deploying failed reckoning
deploying refused reckoning
deploying lost unknown
waiting failed reckoning
waiting late reckoning
waiting lost unknown
staged pass promoting
staged red reckoning
staged refused held
staged unready held
promoting ours verifying
promoting old reckoning
promoting refused reckoning
promoting foreign unknown
promoting lost unknown
verifying pass succeeded
verifying red live
verifying foreign unknown
reckoning old failed-clean
reckoning ours live
reckoning foreign unknown
reckoning lost unknown
rolling-back old restored
rolling-back ours rollback-failed
rolling-back cannot rollback-failed
rolling-back foreign unknown
rolling-back lost unknown
restored pass rolled-back
restored red rollback-failed
restored silent rollback-failed
restored foreign unknown
"""
ROWS = {(state, seen): after for state, seen, after in map(str.split, TABLE.strip().splitlines())}
# What a target chooses: (state, observation) -> by its choice.
STAGES = {("waiting", "ready"): ("staged", "verifying"), ("waiting", "reverted"): ("reckoning", "restored")}
SILENCE = {
    "staged": {"hold": "held", "rollback": "reckoning", "accept": "promoting"},
    "verifying": {"hold": "unknown", "rollback": "live", "accept": "succeeded"},
}
ACTIONS = {
    "planned": "judge", "gated": "lock", "locked": "look", "preflight": "clear", "deploying": "deploy", "waiting": "wait",
    "staged": "verify-candidate", "promoting": "promote", "verifying": "verify-live", "reckoning": "reckon",
    "rolling-back": "roll-back", "restored": "verify-restored",
}  # fmt: skip
EXIT = {
    "succeeded": 0, "rejected": 1, "broken": 2, "busy": 3, "blocked": 3, "failed-clean": 4, "rolled-back": 5, "rollback-failed": 6,
    "unknown": 6, "held": 7,
}  # fmt: skip
BEFORE = ("planned", "gated", "locked", "preflight")
SEEN = (
    "pass", "red", "silent", "free", "taken", "clear", "refused", "accepted", "ready", "failed", "late", "reverted", "ours", "old", "foreign",
    "lost", "cannot", "unready", "abort",
)  # fmt: skip


def wanted(state: str, seen: str, way: m.Way) -> str:
    """What the design says."""
    if state in EXIT:
        return state
    if seen == "abort":
        if state in BEFORE:
            return "blocked"
        return state if state in ("reckoning", "rolling-back", "restored") else "reckoning"
    if (state, seen) in STAGES:
        return STAGES[state, seen][0 if way.stage else 1]
    if seen == "silent" and state in SILENCE:
        # What nobody has chosen is the careful one.
        after = SILENCE[state].get(way.silent, SILENCE[state]["hold"])
    else:
        after = ROWS.get((state, seen), "blocked" if state in BEFORE else "unknown")
    return ("rolling-back" if way.back else "rollback-failed") if after == "live" else after


@pytest.mark.parametrize("silent", ["hold", "rollback", "accept", "something else"])
def test_every_state_and_observation(silent: str) -> None:
    for stage, back in itertools.product((True, False), repeat=2):
        way = m.Way(stage, back, silent)
        for state, seen in itertools.product([*ACTIONS, *EXIT], SEEN):
            assert m.decide(state, seen, way) == wanted(state, seen, way), (state, seen, stage, back)


def test_the_words_of_the_journal() -> None:
    assert m.ACTIONS == ACTIONS
    assert m.EXIT == EXIT
    assert set(m.STATES) == {*ACTIONS, *EXIT}
    assert set(m.OBSERVATIONS) == set(SEEN)
    assert set(m.OPEN) == {"unknown", "held", "rollback-failed"}
    assert m.BEFORE == BEFORE
