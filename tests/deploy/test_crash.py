"""kill -9 at every line of the journal: what follows, resume or abort, ends in a known state, and sends once."""

from __future__ import annotations

import signal
import time

import pytest

from elo_gate.deploy import commands

from .conftest import World

KILL = """
import os, elo_gate.deploy.commands as c
def moment(n, kind):
    if n == {at}:
        os.kill(os.getpid(), 9)
c.MOMENT = moment
"""


def lines_of(world: World, health: object) -> int:
    """How many lines an undisturbed run writes."""
    world.health = {"r1": health} if health else {}
    assert world.deploy().returncode in (0, 4, 5)
    count = len(world.records())
    (world.folder / "journal.jsonl").unlink()
    world.set(live="r0", releases={"r0": {"key": "", "digest": ""}}, calls=[])
    return count


@pytest.mark.parametrize("back", [False, True], ids=["resume", "abort"])
@pytest.mark.parametrize(("strategy", "health"), [("stage", None), ("in-place", 500)], ids=["good", "rolled-back"])
def test_killed_at_every_line(world: World, strategy: str, health: int | None, back: bool) -> None:
    world.config(strategy)
    for at in range(lines_of(world, health)):
        world.set(live="r0", releases={"r0": {"key": "", "digest": ""}}, calls=[])
        (world.folder / "journal.jsonl").unlink(missing_ok=True)
        dead = world.deploy(code=KILL.format(at=at))
        assert dead.returncode == -signal.SIGKILL, (at, dead.stderr)
        reached = ([each["kind"] for each in world.records()], world.path())
        after = world.run("deploy", "abort", "production", "--yes") if back else world.deploy("--resume")
        states = [each for each in world.records() if each["kind"] == "end"]
        assert states, (at, reached, after.stderr)
        state = states[-1]["state"]
        now = world.now()
        assert len([each for each in now["calls"] if each[0] == "deploy"]) <= 1, (at, reached)
        finished = reached[0][-1] in ("end", "notify")
        assert after.returncode == (states[-1]["exit"] if not finished else 0 if back else 2), (
            at,
            reached,
            after.stderr,
        )
        if state == "succeeded":
            assert now["live"] == "r1" and not health
        else:
            # Never left with a release that was not verified.
            assert state in ("blocked", "failed-clean", "rolled-back"), (at, reached, after.stderr)
            assert now["live"] == "r0"
        place = commands.place_of(str(world.tree), "production")
        assert commands.audit(place) == []
        assert commands.unfinished(commands.journal_of(place)) is None, "something is still open"


def test_killed_twice(world: World) -> None:
    world.config("in-place")
    world.health = {"r1": 500}
    for at in (8, 9, 11, 13, 15, 17, 19, 21):
        world.set(live="r0", releases={"r0": {"key": "", "digest": ""}}, calls=[])
        (world.folder / "journal.jsonl").unlink(missing_ok=True)
        assert world.deploy(code=KILL.format(at=at)).returncode == -signal.SIGKILL
        assert world.deploy("--resume", code=KILL.format(at=at + 3)).returncode == -signal.SIGKILL
        done = world.deploy("--resume")
        assert done.returncode == 5 and world.now()["live"] == "r0", (at, done.stderr)
        assert len(world.calls("deploy")) == 1


def until(test: object) -> None:
    end = time.monotonic() + 20
    while not test():  # type: ignore[operator]
        assert time.monotonic() < end, "did not come"
        time.sleep(0.05)


def test_a_crash_whose_arrival_nobody_can_tell_needs_a_human(world: World) -> None:
    world.config(find=False)
    intent = next(each["n"] for each in _good(world) if each["kind"] == "intent")
    assert world.deploy(code=KILL.format(at=intent)).returncode == -signal.SIGKILL
    assert world.deploy("--resume").returncode == 6
    assert not world.calls("deploy")


def _good(world: World) -> list[dict[str, object]]:
    assert world.deploy().returncode == 0
    records = world.records()
    (world.folder / "journal.jsonl").unlink()
    world.set(live="r0", releases={"r0": {"key": "", "digest": ""}}, calls=[])
    return records


def test_a_torn_line_is_gone_on_after(world: World) -> None:
    world.health = {"r1": None}
    assert world.deploy().returncode == 7
    journal = world.folder / "journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"n": 99, "ki')
    world.health = {}
    assert world.deploy("--resume").returncode == 0
    assert any(each["kind"] == "torn" for each in world.records())
    assert world.run("audit", "verify", "production").returncode == 0


def test_a_signal_before_promotion_stops_clean_and_can_be_resumed(world: World) -> None:
    world.config(target='timeouts = { deploy = "60s" }')
    world.set(modes={"status": "pending"})
    process = world.run("deploy", "production", "--yes", wait=False)
    until(lambda: world.calls("status"))
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 143 and "--resume" in said
    assert world.deploy().returncode == 3
    world.set(modes={})
    assert world.deploy("--resume").returncode == 0
    assert len(world.calls("deploy")) == 1


def test_a_signal_after_promotion_still_verifies_or_rolls_back(world: World) -> None:
    world.config("in-place", verify="", target='timeouts = { verify = "20s", deploy = "5s", rollback = "5s" }')
    path = world.tree / "elo-gate.toml"
    path.write_text(path.read_text().replace("failures = 2", "failures = 30"))
    world.health = {"r1": 500}
    process = world.run("deploy", "production", "--yes", wait=False)
    until(lambda: "verifying" in world.path() if (world.folder / "journal.jsonl").exists() else False)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 5 and world.now()["live"] == "r0"


def test_abort_ends_a_deploy_that_runs_and_its_child(world: World) -> None:
    world.config(target='timeouts = { deploy = "60s" }')
    world.set(modes={"deploy": "hang"})
    process = world.run("deploy", "production", "--yes", wait=False)
    until(lambda: world.calls("deploy"))
    second = world.deploy()
    assert second.returncode == 3 and "held by" in second.stderr
    assert world.run("deploy", "unlock", "production", "--reason", "why not").returncode == 3
    assert "held by ana" in world.run("deploy", "status", "production").stdout
    process.kill()
    process.communicate(timeout=30)
    # The parent is gone, its child holds on: nobody comes in, nobody unlocks.
    assert world.deploy().returncode == 3
    refused = world.run("deploy", "unlock", "production", "--reason", "it is gone")
    assert refused.returncode == 3 and "abort" in refused.stderr
    done = world.run("deploy", "abort", "production", "--yes")
    assert done.returncode == 4 and "ending process group" in done.stderr, done.stderr
    assert world.now()["live"] == "r0"
    assert world.run("deploy", "unlock", "production", "--reason", "tidy").returncode == 0
    assert any(each.get("event") == "unlock" for each in world.records())


def test_abort_of_a_deploy_that_waits(world: World) -> None:
    world.config(target='timeouts = { deploy = "60s" }')
    world.set(modes={"status": "pending"})
    process = world.run("deploy", "production", "--yes", wait=False)
    until(lambda: world.calls("status"))
    done = world.run("deploy", "abort", "production", "--yes")
    process.communicate(timeout=30)
    assert process.returncode == 143
    assert done.returncode == 4 and world.now()["live"] == "r0", done.stderr


def test_a_fault_while_shipping_is_never_told_as_nothing_changed(world: World) -> None:
    hook = """
import elo_gate.deploy.steps as s
def fault(self):
    raise OSError(28, "No space left on device")
s.STEPS["wait"] = fault
"""
    done = world.deploy(code=hook)
    assert done.returncode == 6 and "No space left" in done.stderr and "Traceback" not in done.stderr
    assert world.deploy("--resume").returncode == 0


def test_what_a_kill_at_the_last_line_left_is_swept_by_the_next_deploy(world: World) -> None:
    hook = """
import os, elo_gate.deploy.commands as c
c.MOMENT = lambda number, kind: os.kill(os.getpid(), 9) if kind == "end" else None
"""
    assert world.deploy(code=hook).returncode == -9
    left = next(world.folder.glob("*/snapshot"))
    assert (left.parent / "inputs.json").exists()
    (world.tree / "dist" / "index.html").write_text("<p>newer</p>")
    assert world.deploy().returncode == 0
    assert not left.exists() and not (left.parent / "inputs.json").exists()
    assert (left.parent / "evidence.json").exists()
