"""A deploy whose migrations cannot be taken back, and one that wants a good backup first."""

from __future__ import annotations

import gzip
import json
import os
import time

import pytest

from elo_gate.deploy import checklist, config, lock
from elo_gate.deploy.veil import Veil
from elo_gate.policy import ConfigError

from .conftest import World

ONE_WAY = "[deploy.targets.production.migrations]\nreversible = false\n"
SQL = b"--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE t ();\n\n-- PostgreSQL database dump complete\n--\n"


def test_what_cannot_be_taken_back_is_accepted_by_name_or_not_begun(world: World) -> None:
    world.config("in-place", more=ONE_WAY)
    done = world.deploy()
    assert done.returncode == 3 and "--accept-no-rollback" in done.stderr
    done = world.deploy("--break-glass", "the site is down")
    assert done.returncode == 3 and "--accept-no-rollback" in done.stderr, "no glass to break"
    assert not world.calls("deploy")
    done = world.deploy("--accept-no-rollback")
    assert done.returncode == 0 and world.now()["live"] == "r1"
    (event,) = [each for each in world.evidence()["predicate"]["audit"] if each["event"] == "no-rollback"]
    assert event["by"] == "ana"


def test_what_fails_then_is_left_to_people(world: World) -> None:
    world.config("in-place", more=ONE_WAY)
    world.health = {"r1": 500}
    assert world.deploy("--accept-no-rollback").returncode == 6
    assert world.path()[-1] == "rollback-failed" and world.now()["live"] == "r1"
    assert not world.calls("rollback")
    # Somebody who knows the tables may go back all the same.
    world.health = {}
    assert world.run("rollback", "production", "--yes").returncode == 0
    assert world.now()["live"] == "r0"


def test_the_plan_begins_with_it(world: World) -> None:
    world.config(more=ONE_WAY)
    refused, accepted = (
        json.loads(world.run("deploy", "production", "--plan", "--json", *words).stdout)
        for words in ((), ("--accept-no-rollback",))
    )
    assert refused["rollback"]["mode"] == "manual" and refused["migrations"] == {"reversible": False, "accepted": False}
    assert accepted["migrations"]["accepted"] and accepted["plan_digest"] != refused["plan_digest"]
    second = world.run("deploy", "production", "--plan").stdout.splitlines()[1]
    assert "NO ROLLBACK" in second and "refused without --accept-no-rollback" in second
    world.config(more=ONE_WAY.replace("false", "true"))
    assert "NO ROLLBACK" not in world.run("deploy", "production", "--plan").stdout


def backups(world: World, hours: float, body: bytes, target: str = 'backup = "postgres"', more: str = "") -> None:
    """A target that wants a good backup, and one that is so many hours old."""
    folder = world.tree.parent / "dumps"
    folder.mkdir(exist_ok=True)
    for each in folder.iterdir():
        each.unlink()
    name = time.strftime("db-%Y%m%dT%H%M%SZ.sql.gz", time.gmtime(time.time() - hours * 3600))
    (folder / name).write_bytes(body)
    world.config(target=target, more=f'[backup.postgres]\nsource = "{folder}"\n{more}')


def test_a_good_backup_is_wanted_before_anything_is_sent(world: World) -> None:
    backups(world, 30, gzip.compress(SQL))
    done = world.deploy()
    assert done.returncode == 3 and "backup-fresh" in done.stderr and "30h old" in done.stderr
    backups(world, 1, gzip.compress(b"", mtime=0))
    done = world.deploy()
    assert done.returncode == 3 and "holds nothing" in done.stderr
    assert not world.calls("deploy")
    backups(world, 1, gzip.compress(SQL))
    assert world.deploy().returncode == 0
    assert {"id": "backup-fresh", "phase": "pre", "result": "passed"} in world.evidence()["predicate"]["checklist"]
    plan = json.loads(world.run("deploy", "production", "--plan", "--json").stdout)
    assert plan["backup"] == {"name": "postgres", "drill": False, "timeout": 600.0}
    assert [each["answered_by"] for each in plan["standard"] if each["id"] == "backup-fresh"] == ["backup"]


def test_a_backup_that_cannot_be_looked_at_is_no_good_one_and_glass_may_be_broken(world: World) -> None:
    backups(world, 1, gzip.compress(SQL))
    os.rename(world.tree.parent / "dumps", world.tree.parent / "elsewhere")
    done = world.deploy()
    assert done.returncode == 3 and "cannot be read" in done.stderr
    assert world.deploy("--break-glass", "the disk of backups is down").returncode == 0
    assert "overridden" in [each["event"] for each in world.evidence()["predicate"]["audit"]]


def test_a_drill_that_is_asked_for_is_tried(world: World) -> None:
    drill = 'drill = { admin_dsn_env = "ELO_DRILL_DSN" }'
    backups(world, 1, gzip.compress(SQL), 'backup = { name = "postgres", drill = true }', drill)
    done = world.deploy()
    assert done.returncode == 3 and "$ELO_DRILL_DSN is not set" in done.stderr


def test_a_package_in_the_repository_is_not_taken_for_this_program(world: World) -> None:
    backups(world, 30, gzip.compress(SQL))
    (world.tree / "elo_gate").mkdir()
    (world.tree / "elo_gate" / "__init__.py").write_text("")
    (world.tree / "elo_gate" / "__main__.py").write_text("raise SystemExit(0)")
    place = config.read(str(world.tree), "production")
    os.makedirs(place.state)
    held = lock.Lock(place.state, "ana", "a test")
    try:
        assert place.target.backed is not None
        answer = checklist.backup(place.target.backed, place, Veil(()), held)
    finally:
        held.release()
    assert answer["result"] == "failed" and "30h old" in answer["said"]


def test_a_series_that_is_not_configured_is_a_mistake(world: World) -> None:
    world.config(target='backup = "postgres"')
    with pytest.raises(ConfigError, match=r"there is no \[backup.postgres\]"):
        config.parse((world.tree / "elo-gate.toml").read_text(), "elo-gate.toml")
    assert world.run("deploy", "production", "--plan").returncode == 2
