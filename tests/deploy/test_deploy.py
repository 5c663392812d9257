"""A deploy from end to end, against a strict platform made of one file and a site on loopback."""

from __future__ import annotations

import json

import pytest

from .conftest import World


def test_a_good_release_is_staged_verified_promoted_and_verified(world: World) -> None:
    done = world.deploy()
    assert done.returncode == 0, done.stderr + done.stdout
    now = world.now()
    assert now["live"] == "r1"
    assert now["releases"]["r1"]["files"] == {"index.html": "<p>new</p>"}
    assert world.path() == [
        "gated",
        "locked",
        "preflight",
        "deploying",
        "waiting",
        "staged",
        "promoting",
        "verifying",
        "succeeded",
    ]
    assert [each[0] for each in now["calls"] if each[0] in ("deploy", "promote", "rollback")] == ["deploy", "promote"]
    assert not list(world.folder.glob("*/snapshot"))
    assert world.run("audit", "verify", "production").returncode == 0


RED = '{"env": {"DATABASE_URL": "@database-url"}}\n'


def end(world: World) -> str:
    return [each["state"] for each in world.records() if each["kind"] == "end"][-1]


@pytest.mark.parametrize(
    ("strategy", "modes", "health", "code", "state", "live"),
    [
        ("stage", {"status": ["pending", "pending", "ok"]}, {}, 0, "succeeded", "r1"),
        ("stage", {"status": "failed"}, {}, 4, "failed-clean", "r0"),
        ("stage", {"status": "pending"}, {}, 4, "failed-clean", "r0"),  # a candidate that never is ready is seen by nobody
        ("stage", {"status": "refuse"}, {}, 6, "unknown", "r0"),
        ("stage", {"deploy": "refuse"}, {}, 4, "failed-clean", "r0"),
        ("stage", {"deploy": "lost-before"}, {}, 4, "failed-clean", "r0"),
        ("stage", {"deploy": "lost-after"}, {}, 0, "succeeded", "r1"),  # found by its key, sent once
        ("stage", {"deploy": "nonsense"}, {}, 4, "failed-clean", "r0"),
        ("stage", {"deploy": "lost-after", "find": "refuse"}, {}, 6, "unknown", "r0"),
        ("stage", {"deploy": "hang"}, {}, 4, "failed-clean", "r0"),
        ("stage", {}, {"r1": 500}, 4, "failed-clean", "r0"),  # red before anybody saw it
        ("stage", {}, {"r1": {"status": "unhealthy"}}, 4, "failed-clean", "r0"),
        ("stage", {}, {"r1": {"status": "healthy", "version": "0" * 64}}, 4, "failed-clean", "r0"),  # another release answers
        ("stage", {}, {"r1": None}, 7, "held", "r0"),
        ("stage", {}, {"r1": 401}, 7, "held", "r0"),
        ("stage", {"promote": "skipped"}, {}, 6, "unknown", "r0"),  # a false success, or only queued
        ("stage", {"promote": "said-no"}, {}, 0, "succeeded", "r1"),  # a false failure
        ("stage", {"promote": "foreign"}, {}, 6, "unknown", "r-foreign"),
        ("in-place", {}, {}, 0, "succeeded", "r1"),
        ("in-place", {}, {"r1": 500}, 5, "rolled-back", "r0"),
        ("in-place", {}, {"r1": None}, 6, "unknown", "r1"),
        ("in-place", {"rollback": "said-no"}, {"r1": 500}, 5, "rolled-back", "r0"),
        ("in-place", {"rollback": "skipped"}, {"r1": 500}, 6, "rollback-failed", "r1"),
        ("in-place", {"rollback": "foreign"}, {"r1": 500}, 6, "unknown", "r-foreign"),
        ("in-place", {}, {"r1": 500, "r0": 500}, 6, "rollback-failed", "r0"),
        ("in-place", {"status": "failed"}, {}, 5, "rolled-back", "r0"),
        ("in-place", {"deploy": "not-live", "status": "failed"}, {}, 4, "failed-clean", "r0"),
        ("in-place", {"deploy": "not-live", "status": "pending"}, {}, 6, "unknown", "r0"),  # it may still go live
        ("in-place", {"current": ["ok", "ok", "refuse"]}, {}, 6, "unknown", "r1"),
    ],
)  # fmt: skip
def test_the_end_is_what_was_observed(
    world: World, strategy: str, modes: dict[str, object], health: dict[str, object], code: int, state: str, live: str
) -> None:
    world.config(strategy)
    world.set(modes=modes)
    world.health = health
    done = world.deploy()
    assert (done.returncode, end(world), world.now()["live"]) == (code, state, live), done.stderr
    assert len(world.calls("deploy")) == 1
    assert world.run("audit", "verify", "production").returncode == 0
    assert world.evidence()["predicate"]["exit"] == code


def test_a_red_gate_sends_nothing(world: World) -> None:
    (world.tree / "vercel.json").write_text(RED)
    done = world.deploy()
    assert done.returncode == 1
    assert "vercel/secret-reference" in done.stdout
    assert not world.calls("deploy") and not list(world.folder.glob("*/snapshot"))


def test_a_gate_that_looked_at_nothing_sends_nothing(world: World) -> None:
    (world.tree / "Dockerfile").unlink()
    assert world.deploy().returncode == 2
    assert not world.calls("deploy")


def test_without_a_terminal_nothing_is_asked_and_nothing_done(world: World) -> None:
    done = world.run("deploy", "production")
    assert done.returncode == 2 and "--yes" in done.stderr
    assert not world.calls("deploy") and not world.folder.exists()


def test_a_plan_changes_nothing_and_is_stable(world: World) -> None:
    before = {str(each): each.stat().st_mtime_ns for each in world.tree.rglob("*")}
    first, second = (world.run("deploy", "production", "--plan", "--json") for _ in range(2))
    assert first.returncode == 0 and first.stdout == second.stdout
    assert {str(each): each.stat().st_mtime_ns for each in world.tree.rglob("*")} == before
    assert {each[0] for each in world.now()["calls"]} == {"current"}
    plan = json.loads(first.stdout)
    assert plan["live"] == "r0" and plan["rollback"] == {"mode": "auto", "possible": True, "to": "r0"}
    for_people = world.run("deploy", "--plan", "production").stdout
    assert plan["plan_digest"] in for_people and plan["digest"] in for_people
    assert world.deploy("--plan-digest", "0" * 64).returncode == 3
    assert world.deploy("--plan-digest", plan["plan_digest"]).returncode == 0


def test_nothing_live_is_refused_unless_it_is_the_first(world: World) -> None:
    world.set(live=None)
    assert world.deploy().returncode == 3
    assert not world.calls("deploy")
    world.config(target="first_deploy = true")
    assert world.deploy().returncode == 0


def test_the_first_deploy_cannot_be_rolled_back_and_says_so(world: World) -> None:
    world.set(live=None)
    world.config("in-place", target="first_deploy = true")
    world.health = {"r1": 500}
    assert world.deploy().returncode == 6
    assert end(world) == "rollback-failed"
    assert not world.calls("rollback")


def test_a_manual_rollback_is_left_to_people(world: World) -> None:
    world.config("in-place", rollback=False)
    world.health = {"r1": 500}
    done = world.deploy()
    assert done.returncode == 6 and end(world) == "rollback-failed"
    world.health = {}
    assert world.deploy("--resume").returncode == 0  # somebody has mended it, and it proves itself
    assert end(world) == "succeeded"


@pytest.mark.parametrize(("choice", "code"), [("accept", 0), ("rollback", 4), ("hold", 7)])
def test_silence_is_what_the_target_says(world: World, choice: str, code: int) -> None:
    world.config(verify=f'on_inconclusive = "{choice}"')
    world.health = {"r1": 401}
    assert world.deploy().returncode == code


def test_a_held_candidate_goes_on_or_back(world: World) -> None:
    world.health = {"r1": None}
    assert world.deploy().returncode == 7
    refused = world.deploy()
    assert refused.returncode == 3 and "--resume" in refused.stderr
    assert world.deploy("--resume").returncode == 7
    world.health = {}
    assert world.deploy("--resume").returncode == 0
    assert len(world.calls("deploy")) == 1
    world.health = {"r2": None}
    (world.tree / "dist" / "index.html").write_text("<p>newer</p>")
    assert world.deploy().returncode == 7
    assert world.run("deploy", "abort", "production", "--yes").returncode == 4
    assert world.now()["live"] == "r1"
    assert world.run("audit", "verify", "production").returncode == 0


def test_a_held_candidate_is_not_promoted_after_the_policy_changed(world: World) -> None:
    world.health = {"r1": None}
    assert world.deploy().returncode == 7
    world.health = {}
    path = world.tree / "elo-gate.toml"
    path.write_text(path.read_text() + "\n# another policy\n")
    done = world.deploy("--resume")
    assert done.returncode == 4 and not world.calls("promote"), done.stderr


def test_bytes_that_changed_after_the_gate_are_not_shipped(world: World) -> None:
    for change in (
        "p = next(iter(glob.glob('.elo-gate/deploy/production/*/snapshot/index.html'))); os.chmod(p, 0o600); open(p, 'a').write('x')",
        "open(glob.glob('.elo-gate/deploy/production/*/snapshot')[0] + '/more.html', 'w').write('x')",
        "open('Dockerfile', 'a').write('# more')",
        "open('ops/platform', 'a').write('# more')",
    ):
        hook = f"""
import os, glob, elo_gate.deploy.commands as c
def change(n, kind):
    if kind == "before":
        {change}
c.MOMENT = change
"""
        done = world.deploy(code=hook)
        assert done.returncode == 3, (change, done.stderr)
        assert not world.calls("deploy")


def test_a_tree_that_changes_while_it_is_judged_is_refused(world: World) -> None:
    hook = """
import elo_gate.gate as g
real = g.run
def run(*words, **more):
    done = real(*words, **more)
    open("dist/index.html", "a").write("x")
    return done
g.run = run
"""
    done = world.deploy(code=hook)
    assert done.returncode == 3 and "changed" in done.stderr


def test_windows_freezes_and_break_glass(world: World) -> None:
    world.config(target='freeze = ["2020-01-01/2099-12-31"]')
    done = world.deploy()
    assert done.returncode == 3 and "frozen" in done.stderr and not world.calls("deploy")
    done = world.deploy("--break-glass", "a fix for the outage")
    assert done.returncode == 0
    audit = world.evidence()["predicate"]["audit"]
    assert audit[0]["event"] == "break-glass" and audit[0]["reason"] == "a fix for the outage"
    # What is rolled back is never frozen.
    assert world.run("rollback", "production", "--yes").returncode == 0
    assert world.now()["live"] == "r0"


def test_break_glass_is_logged_when_nobody_needed_it_and_opens_no_gate(world: World) -> None:
    assert world.deploy("--break-glass", "habit").returncode == 0
    assert "break-glass" in json.loads(world.run("deploy", "history", "production").stdout)[0]["audit"]
    (world.tree / "vercel.json").write_text(RED)
    assert world.deploy("--break-glass", "habit").returncode == 1
    assert world.deploy("--break-glass", " ").returncode == 2


def test_the_checklist(world: World) -> None:
    world.config(
        more="""
[[deploy.targets.production.checklist]]
phase = "pre"
id = "tests-pass"
run = ["./ops/item", "pre"]
[[deploy.targets.production.checklist]]
phase = "pre"
id = "docs-updated"
manual = "the documents are up to date"
[[deploy.targets.production.checklist]]
phase = "during"
id = "logs-watched"
manual = "somebody watches the logs"
[[deploy.targets.production.checklist]]
phase = "post"
id = "smoke-tested"
run = ["./ops/item", "post"]
"""
    )
    item = world.tree / "ops" / "item"
    item.write_text(f'#!/bin/sh\ntest ! -e "{world.tree.parent}/$1"\n')
    item.chmod(0o755)
    done = world.deploy()
    assert done.returncode == 3 and "docs-updated" in done.stderr
    assert world.deploy("--confirm", "docs-update=eva").returncode == 2
    (world.tree.parent / "pre").touch()
    done = world.deploy("--confirm", "docs-updated=eva")
    assert done.returncode == 3 and "tests-pass" in done.stderr
    (world.tree.parent / "pre").unlink()
    done = world.deploy("--confirm", "docs-updated=eva")
    assert done.returncode == 7 and "logs-watched" in done.stderr
    (world.tree.parent / "post").touch()
    done = world.deploy("--resume", "--confirm", "logs-watched=rui")
    assert done.returncode == 5 and world.now()["live"] == "r0"  # its smoke test failed after promotion
    answers = world.evidence()["predicate"]["checklist"]
    assert {(each["id"], each["result"]) for each in answers} >= {
        ("docs-updated", "confirmed"), ("logs-watched", "confirmed"), ("tests-pass", "passed"), ("smoke-tested", "failed"),
    }  # fmt: skip


def test_every_item_of_the_standard_wants_an_answer(world: World) -> None:
    world.config(target="every_item = true")
    done = world.deploy()
    assert done.returncode == 3 and "S70 tests-pass" in done.stderr


def test_the_same_bytes_must_have_succeeded_elsewhere_first(world: World) -> None:
    world.config()
    text = (world.tree / "elo-gate.toml").read_text()
    staging = text.replace("targets.production", "targets.staging")
    (world.tree / "elo-gate.toml").write_text(text.replace("strategy", 'requires = ["staging"]\nstrategy', 1) + staging)
    assert world.deploy().returncode == 3
    assert world.run("deploy", "staging", "--yes").returncode == 0
    assert world.deploy().returncode == 0
    (world.tree / "dist" / "index.html").write_text("<p>other</p>")
    assert world.deploy().returncode == 3


def test_a_rollback_by_what_is_live(world: World) -> None:
    assert world.run("rollback", "production", "--yes").returncode == 3  # r0: nothing is known of what was before
    assert world.deploy().returncode == 0
    assert world.run("rollback", "production").returncode == 2  # no terminal
    assert world.run("rollback", "production", "--yes", "--to", "r1").returncode == 3  # is live
    assert world.run("rollback", "production", "--yes", "--to", "-x").returncode == 2
    world.set(modes={"rollback": "skipped"})
    assert world.run("rollback", "production", "--yes").returncode == 6
    world.set(modes={})
    assert world.run("rollback", "production", "--yes").returncode == 0
    assert world.now()["live"] == "r0"
    world.set(live="r-foreign")
    assert world.run("rollback", "production", "--yes").returncode == 3
    assert world.run("rollback", "production", "--yes", "--to", "r0").returncode == 0
    rows = json.loads(world.run("deploy", "history", "production").stdout)
    assert [each["what"] for each in rows] == ["rollback", "rollback", "rollback", "deploy"]
    assert world.run("audit", "verify", "production").returncode == 0


def test_the_end_is_told_and_never_decides(world: World) -> None:
    world.config(target='notify = { url_env = "HOOK" }')
    assert world.deploy(env={"HOOK": world.base + "/hook"}).returncode == 0
    assert [(each["outcome"], each["exit"]) for each in world.told] == [("succeeded", 0)]
    (world.tree / "dist" / "index.html").write_text("<p>newer</p>")
    for hook in ("http://elsewhere.invalid/", "http://127.0.0.1:1/", "http://[", ""):
        (world.tree / "dist" / "index.html").write_text(hook)
        done = world.deploy(env={"HOOK": hook})
        assert done.returncode == 0 and "not told" in done.stderr


def test_status_says_what_is_live(world: World) -> None:
    assert json.loads(world.run("deploy", "status", "production").stdout)["deploy"] is None
    assert world.deploy().returncode == 0
    said = json.loads(world.run("deploy", "status", "production", "--live").stdout)
    assert (said["live"], said["open"], said["held"], said["deploy"]["state"]) == ("r1", False, None, "succeeded")


def test_no_secret_is_written_down_or_shown(world: World) -> None:
    canary = "kq-Vt7/zx+93=mm Lw2"
    world.set(modes={"deploy": "refuse", "status": "refuse"})
    outputs = []
    for words in (
        ("deploy", "production", "--plan"),
        ("deploy", "production", "--yes"),
    ):
        done = world.run(*words, env={"PLATFORM_TOKEN": canary})
        outputs.append(done.stdout + done.stderr)
    assert "refused" in outputs[1] and "***" in outputs[1]
    outputs += [each.read_text(errors="replace") for each in world.folder.rglob("*") if each.is_file()]
    assert not any(canary in each or "Vt7" in each for each in outputs)


def test_audit_finds_what_was_changed(world: World) -> None:
    assert world.deploy().returncode == 0
    (proof,) = world.folder.glob("*/evidence.json")
    text = proof.read_text()
    proof.write_text(text.replace('"exit": 0', '"exit": 1'))
    assert world.run("audit", "verify", "production").returncode == 1
    proof.write_text(text)
    assert world.run("audit", "verify", "production").returncode == 0
    journal = world.folder / "journal.jsonl"
    data = journal.read_bytes()
    journal.write_bytes(data.replace(b'"actor":"ana"', b'"actor":"eva"', 1))
    assert world.run("audit", "verify", "production").returncode == 1
    assert world.deploy().returncode == 6  # a journal that does not hold is gone on with by nobody
