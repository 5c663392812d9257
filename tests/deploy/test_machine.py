"""The decision of a deploy, over all states and all observations."""

from __future__ import annotations

import itertools

import pytest

from elo_gate.deploy import machine as m

WAYS = [
    m.Way(stage, back, silent)
    for stage in (True, False)
    for back in (True, False)
    for silent in ("hold", "rollback", "accept")
]
# What each action can see; the driver's tests hold it to that.
POSSIBLE = {
    m.PLANNED: (m.PASS, m.RED, m.SILENT), m.GATED: (m.FREE, m.TAKEN), m.LOCKED: (m.CLEAR, m.REFUSED, m.ABORT),
    m.PREFLIGHT: (m.CLEAR, m.REFUSED, m.ABORT), m.DEPLOYING: (m.ACCEPTED, m.FAILED, m.REFUSED, m.LOST, m.ABORT),
    m.WAITING: (m.READY, m.FAILED, m.LATE, m.LOST, m.ABORT),
    m.STAGED: (m.PASS, m.RED, m.SILENT, m.REFUSED, m.UNREADY, m.ABORT),
    m.PROMOTING: (m.OURS, m.OLD, m.REFUSED, m.FOREIGN, m.LOST, m.ABORT),
    m.VERIFYING: (m.PASS, m.RED, m.SILENT, m.FOREIGN, m.ABORT), m.RECKONING: (m.OLD, m.OURS, m.FOREIGN, m.LOST),
    m.ROLLING_BACK: (m.OLD, m.OURS, m.CANNOT, m.FOREIGN, m.LOST), m.RESTORED: (m.PASS, m.RED, m.SILENT, m.FOREIGN),
}  # fmt: skip


def paths(way: m.Way) -> list[list[tuple[str, str]]]:
    """Every run there can be: (state, what was seen) up to the final state."""
    done: list[list[tuple[str, str]]] = []
    open_: list[list[tuple[str, str]]] = [[(m.PLANNED, "")]]
    while open_:
        path = open_.pop()
        state = path[-1][0]
        if state in m.FINAL:
            done.append(path)
            continue
        assert len(path) < 14, f"a run that does not end: {path}"
        for seen in POSSIBLE[state]:
            open_.append([*path[:-1], (state, seen), (m.decide(state, seen, way), "")])
    return done


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.stage}-{way.back}-{way.silent}")
def test_the_table_is_total(way: m.Way) -> None:
    for state, seen in itertools.product(m.STATES, m.OBSERVATIONS):
        after = m.decide(state, seen, way)
        assert after in m.STATES
        if state in m.FINAL:
            assert after == state
        elif seen != m.ABORT:
            assert after != state, "an observation that leads nowhere"
        if state in m.BEFORE:
            assert after not in (m.UNKNOWN, m.FAILED_CLEAN, m.ROLLING_BACK, m.SUCCEEDED), "nothing was sent yet"
        elif state not in m.FINAL:
            assert after not in (m.BLOCKED, m.REJECTED, m.BUSY, m.BROKEN), "says that production was left alone"


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.stage}-{way.back}-{way.silent}")
def test_every_run_ends_and_only_what_is_verified_is_success(way: m.Way) -> None:
    for path in paths(way):
        end = path[-1][0]
        assert end in m.EXIT
        seen = dict(path)
        if end == m.SUCCEEDED:
            assert seen[m.PLANNED] == m.PASS
            good = (m.PASS, m.SILENT) if way.silent == "accept" else (m.PASS,)
            assert seen[m.VERIFYING] in good
            assert m.EXIT[end] == 0
        else:
            assert m.EXIT[end] != 0
        if end == m.ROLLED_BACK:
            assert seen[m.ROLLING_BACK] == m.OLD and seen[m.RESTORED] == m.PASS
        if end == m.FAILED_CLEAN:
            assert seen[m.RECKONING] == m.OLD
        if m.DEPLOYING in seen:
            assert seen[m.PLANNED] == m.PASS and seen[m.GATED] == m.FREE and seen[m.PREFLIGHT] == m.CLEAR
        if m.PROMOTING in seen:
            assert way.stage and seen[m.STAGED] in (m.PASS, m.SILENT)
        if not way.back:
            assert m.ROLLING_BACK not in seen


def test_every_state_with_an_action_is_reached_and_every_final_one_too() -> None:
    reached = {state for way in WAYS for path in paths(way) for state, _ in path}
    assert reached == set(m.STATES)


def test_what_is_open_can_be_gone_on_from() -> None:
    assert set(m.OPEN) < set(m.FINAL)
    assert {m.EXIT[each] for each in m.OPEN} == {6, 7}
    assert set(m.EXIT) == set(m.FINAL)
    assert set(m.EXIT.values()) == set(range(8))
