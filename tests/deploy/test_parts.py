"""The parts of a deploy by themselves: configuration, calendar, veil, snapshot, admission, children, verification."""

from __future__ import annotations

import base64
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from elo_gate import gate
from elo_gate.deploy import admission, calendar, child, config, lock, ship, smoke, snapshot
from elo_gate.deploy.veil import Veil
from elo_gate.policy import ConfigError

from .conftest import DOCKERFILE, World

GOOD = """
[deploy.targets.production]
platform = "command"
url = "https://intranet.example"
artifact = "dist"
rollback = "manual"
[deploy.targets.production.verify]
paths = ["/"]
[deploy.targets.production.command]
deploy = ["d", "{snapshot}"]
current = ["c"]
status = ["s", "{id}"]
"""


def test_a_small_table_is_enough() -> None:
    target = config.parse(GOOD, "elo-gate.toml").targets["production"]
    assert (target.staged, target.verify.on_inconclusive, target.timeouts.deploy) == (False, "hold", 900.0)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("targets.production", "targets.status", "deploy.targets.status"),
        ('platform = "command"', 'platform = "vercel"', "platform"),
        ('url = "https://intranet.example"', 'url = "https://u:hunter2hunter2@x"', "url"),
        ('artifact = "dist"', 'artifact = "../dist"', "artifact"),
        ('artifact = "dist"', 'artifact = "/dist"', "artifact"),
        ('artifact = "dist"', 'artefact = "dist"', "art"),
        ('rollback = "manual"', "", "rollback"),
        ('rollback = "manual"', 'rollback = "manual"\nstrategy = "stage"', "promote"),
        ('rollback = "manual"', 'rollback = "manual"\nsettle = 5', "settle"),
        ('rollback = "manual"', 'rollback = "manual"\nsettle = "0s"', "settle"),
        ('rollback = "manual"', 'rollback = "manual"\nwindows = ["Mon-Thu 17:00-08:00 UTC"]', "windows"),
        ('rollback = "manual"', 'rollback = "manual"\nwindows = ["Mon 08:00-09:00 Nowhere/Land"]', "zone"),
        ('rollback = "manual"', 'rollback = "manual"\nfreeze = ["2026-12-31"]', "freeze"),
        ('paths = ["/"]', "", "verify"),
        ('paths = ["/"]', 'paths = ["x"]', "paths"),
        ('deploy = ["d", "{snapshot}"]', 'deploy = "d {snapshot}"', "command.deploy"),
        ('deploy = ["d", "{snapshot}"]', 'deploy = ["d", "{id}"]', "placeholder"),
        ('current = ["c"]', 'current = ["c"]\nenv = ["ghp_1234/secret"]', "env"),
        ("[deploy.targets.production.verify]", "[[deploy.targets.production.checklist]]\nphase = 'pre'\nid = 'x'\n[deploy.targets.production.verify]", "checklist"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_its_value_is_not(old: str, new: str, word: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        config.parse(GOOD.replace(old, new), "elo-gate.toml")
    assert word in str(caught.value)
    assert "hunter2" not in str(caught.value) and "ghp_" not in str(caught.value)


def test_the_gate_lets_the_table_be(tree: object, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "elo-gate.toml").write_text(GOOD)
    assert gate.run(str(tmp_path), as_of="2026-11-25").verdict.word == "passed"


def test_windows_and_freezes() -> None:
    def at(text: str) -> float:
        from elo_gate.deploy.journal import moment_of

        return moment_of(text)

    week = ["Mon-Thu 08:00-17:00 America/Sao_Paulo"]
    assert not calendar.closed(at("2026-11-25T11:00:00.000Z"), week, [])  # Wednesday, 08:00 there
    assert calendar.closed(at("2026-11-25T10:59:59.000Z"), week, [])
    assert calendar.closed(at("2026-11-25T20:00:00.000Z"), week, [])
    assert calendar.closed(at("2026-11-27T12:00:00.000Z"), week, [])  # Friday
    assert not calendar.closed(at("2026-11-29T12:00:00.000Z"), ["Fri-Mon 00:00-24:00 UTC"], [])
    frozen = ["2026-12-20/2027-01-05"]
    assert calendar.closed(at("2026-12-20T00:00:00.000Z"), [], frozen)
    assert calendar.closed(at("2027-01-05T23:59:59.000Z"), [], frozen)
    assert not calendar.closed(at("2027-01-06T00:00:00.000Z"), [], frozen)


def test_a_known_value_is_hidden_however_it_travels(monkeypatch: pytest.MonkeyPatch) -> None:
    value = "kq-Vt7/zx+93=mm Lw2é"
    monkeypatch.setenv("TOKEN", value)
    veil = Veil(["TOKEN"])
    for text in (
        value,
        quote(value, safe=""),
        *(base64.b64encode(b"x" * n + value.encode()).decode() for n in range(4)),
    ):
        hidden = veil.hide(f"say {text} again")
        assert "Vt7" not in hidden and value not in hidden
        assert "***" in hidden
        core = base64.b64encode(value.encode()).decode()[4:16]
        assert core not in hidden


def test_a_snapshot_is_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "dist" / "a").mkdir(parents=True)
    (tmp_path / "dist" / "a" / "x").write_text("1")
    (tmp_path / "dist" / "run").write_text("2")
    (tmp_path / "dist" / "run").chmod(0o755)
    (tmp_path / "dist" / "ln").symlink_to("a/x")
    copy = snapshot.take(str(tmp_path), "dist", str(tmp_path / "copy"))
    assert set(copy.files) == {"a/x", "run", "ln"}
    assert (
        copy.digest
        == snapshot.load(str(tmp_path / "copy"), "dist").digest
        == snapshot.source_digest(str(tmp_path), "dist")
    )
    snapshot.unchanged(copy, str(tmp_path), {})
    (tmp_path / "dist" / "run").chmod(0o644)
    assert snapshot.source_digest(str(tmp_path), "dist") != copy.digest
    for change in (
        lambda: os.chmod(tmp_path / "copy" / "a" / "x", 0o755),
        lambda: (tmp_path / "copy" / "more").write_text("x"),
    ):
        change()
        with pytest.raises(snapshot.Changed):
            snapshot.unchanged(copy, str(tmp_path), {})


@pytest.mark.parametrize("leads", ["/etc/passwd", "../outside", "a/../../outside"])
def test_links_that_lead_out_and_odd_files_are_refused(tmp_path: Path, leads: str) -> None:
    (tmp_path / "outside").write_text("x")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "ln").symlink_to(leads)
    with pytest.raises(snapshot.SnapshotError):
        snapshot.take(str(tmp_path), "dist", str(tmp_path / "copy"))
    (tmp_path / "dist" / "ln").unlink()
    os.mkfifo(tmp_path / "dist" / "pipe")
    with pytest.raises(snapshot.SnapshotError):
        snapshot.take(str(tmp_path), "dist", str(tmp_path / "copy2"))


def test_the_tree_itself_is_what_git_would_know(tmp_path: Path) -> None:
    for name in ("src/a.ts", "node_modules/x/y.js", ".env.local", ".gitignore", "state/p/journal"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(".env.local\n")
    copy = snapshot.take(str(tmp_path), ".", str(tmp_path.parent / (tmp_path.name + "-copy")), ["state"])
    assert set(copy.files) == {"src/a.ts", ".gitignore"}


def test_only_a_whole_run_that_passed_is_admitted(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    copy = snapshot.take(str(tmp_path), ".", str(tmp_path.parent / (tmp_path.name + "-copy")))
    witness = snapshot.Witness(str(tmp_path), copy)
    good = gate.run(str(tmp_path), as_of="2026-11-25", tree=witness)
    assert admission.admit(good, copy, {}, 0.0).digest == copy.digest
    root = str(tmp_path)
    for run in (
        gate.run(root, ["Dockerfile"], as_of="2026-11-25"),
        gate.run(root, as_of="2026-11-25", files=["Dockerfile"]),
        gate.run(root, as_of="2026-11-25", hook=True),
        gate.run(root, as_of="2026-11-25", growing=True),
        gate.run(root, as_of="2026-11-25", texts={"Dockerfile": DOCKERFILE}),
    ):
        assert run.verdict.word == "passed"
        with pytest.raises(admission.NotAdmitted):
            admission.admit(run, copy, {}, 0.0)
    (tmp_path / "vercel.json").write_text('{"env": {"DATABASE_URL": "@database-url"}}')
    with pytest.raises(admission.NotAdmitted):
        admission.admit(gate.run(root, as_of="2026-11-25"), copy, {}, 0.0)
    with pytest.raises(admission.NotAdmitted):
        admission.Admission("passed", copy.digest, {}, "", {})  # type: ignore[arg-type]
    with pytest.raises(admission.NotAdmitted):
        ship.Shipping.begin(object.__new__(ship.Shipping), "passed", copy, "")  # type: ignore[arg-type]


def test_a_record_counts_for_its_bytes_policy_and_time(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    copy = snapshot.take(str(tmp_path), ".", str(tmp_path.parent / (tmp_path.name + "-copy")))
    run = gate.run(str(tmp_path), as_of="2026-11-25")
    admitted = admission.admit(run, copy, {"a": "0" * 64}, 1_000.0)
    record, kept = admitted.record, admitted.keep()
    assert admission.again(record, kept, copy.digest, "", 60, 1_050.0).digest == copy.digest
    (tmp_path / "policy").write_text("x")
    for digest, policy, now in (
        ("0" * 64, "", 1_050.0),
        (copy.digest, str(tmp_path / "policy"), 1_050.0),
        (copy.digest, "", 1_061.0),
        (copy.digest, "", 999.0),
    ):
        with pytest.raises(admission.NotAdmitted):
            admission.again(record, kept, digest, policy, 60, now)


def test_what_was_judged_beside_it_counts_too(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    copy = snapshot.take(str(tmp_path), ".", str(tmp_path.parent / (tmp_path.name + "-copy")))
    admitted = admission.admit(gate.run(str(tmp_path), as_of="2026-11-25"), copy, {"a": "0" * 64}, 0.0)
    for kept in ({}, {**admitted.keep(), "inputs": {}}, {**admitted.keep(), "salt": ""}):
        with pytest.raises(admission.NotAdmitted):
            admission.again(admitted.record, kept, copy.digest, "", 60, 1.0)


def test_a_child_gets_few_variables_no_input_and_no_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_OPTIONS", "--require x")
    monkeypatch.setenv("OTHER_SECRET", "x")
    monkeypatch.setenv("NAMED", "y")
    script = "import os, sys; print(sorted(os.environ), sys.stdin.read(), sys.argv[1])"
    done = child.run(
        [sys.executable, "-c", script, "$(id); *"], str(tmp_path), child.environment("/none", ["NAMED"]), 20
    )
    assert done.code == 0
    said = done.out.decode()
    assert "'NAMED'" in said and "NODE_OPTIONS" not in said and "OTHER_SECRET" not in said
    assert said.endswith(" $(id); *\n")


def test_a_child_that_does_not_end_is_ended_with_all_it_started(tmp_path: Path) -> None:
    script = "import subprocess, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); time.sleep(60)"
    done = child.run([sys.executable, "-c", script], str(tmp_path), child.environment("/none", []), 1.0)
    assert done.late
    grandchild = int(done.out)
    end = time.monotonic() + 5
    while lock.lives(grandchild, "") and time.monotonic() < end:
        time.sleep(0.05)
    assert not lock.lives(grandchild, "")


def test_output_is_bounded_and_a_pipe_kept_open_is_not_waited_for(tmp_path: Path) -> None:
    flood = "import sys; [sys.stdout.write('x' * 65536) for _ in range(64)]"
    assert (
        len(child.run([sys.executable, "-c", flood], str(tmp_path), child.environment("/none", []), 20).out)
        <= child.CAP
    )
    keeps = "import subprocess; print(subprocess.Popen(['sleep', '30'], start_new_session=True).pid, flush=True)"
    started = time.monotonic()
    done = child.run([sys.executable, "-c", keeps], str(tmp_path), child.environment("/none", []), 20)
    assert not done.late and done.code == 0 and time.monotonic() - started < 15
    os.kill(int(done.out), signal.SIGKILL)
    assert child.run(["/none/such"], str(tmp_path), {}, 1).code is None


def raw(answer: bytes, drip: float = 0.0) -> str:
    """A site that gives every client these bytes, one by one where they drip."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            client, _ = server.accept()
            threading.Thread(target=give, args=(client,), daemon=True).start()

    def give(client: socket.socket) -> None:
        try:
            client.recv(65_536)
            for at in range(len(answer)) if drip else ():
                client.sendall(answer[at : at + 1])
                time.sleep(drip)
            if not drip:
                client.sendall(answer)
            client.close()
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    ("answer", "drip", "result"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 0, smoke.GREEN),
        (b"HTTP/1.1 308 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 0, smoke.GREEN),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 0, smoke.GREEN),
        (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", 0, smoke.RED),
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", 0, smoke.SILENT),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok", 0, smoke.SILENT),
        (b"rubbish\r\n\r\n", 0, smoke.SILENT),
        (b"", 0, smoke.SILENT),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 60, 0.05, smoke.SILENT),
    ],
)  # fmt: skip
def test_three_answers(answer: bytes, drip: float, result: str) -> None:
    wanted = config.Verify(paths=["/"], passes=1, failures=1, no_answer_limit=1, interval="10ms", answer="1s")  # type: ignore[arg-type]
    started = time.monotonic()
    assert smoke.verify(raw(answer, drip), wanted, "", 5.0, Veil([]))[0] == result
    assert time.monotonic() - started < 20


def test_the_programs_of_a_target_are_among_what_was_judged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "today", lambda: "2026-11-25")
    from elo_gate.deploy import commands, plan

    place = commands.place_of(str(world.tree), "production")
    assert plan.programs(place) == ["ops/platform"]
    prepared = plan.prepare(place, str(world.tree.parent / "copy"))
    assert prepared.admitted is not None
    assert {"ops/platform", "elo-gate.toml", "Dockerfile"} <= set(prepared.admitted.inputs)


def test_help_is_there(world: World) -> None:
    for words in (
        ("deploy", "-h"),
        ("deploy", "run", "-h"),
        ("deploy", "status", "-h"),
        ("rollback", "-h"),
        ("audit", "verify", "-h"),
    ):
        done = world.run(*words)
        assert done.returncode == 0 and "Usage" in done.stdout
    assert world.run("deploy", "nowhere", "--plan").returncode == 2


def test_the_gate_sees_nothing_of_the_state(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from elo_gate.deploy import commands, plan

    monkeypatch.setattr(gate, "today", lambda: "2026-11-25")
    path = world.tree / "elo-gate.toml"
    path.write_text(path.read_text().replace('artifact = "dist"', 'artifact = "."'))
    place = commands.place_of(str(world.tree), "production")
    commands.ready_state(place)
    prepared = plan.prepare(place, str(world.folder / "d1" / "snapshot"))
    assert (world.folder / "d1" / "snapshot" / "Dockerfile").exists()
    assert [each.path for each in prepared.run.verdict.coverage.judged] == ["Dockerfile"]
    assert not any(each.startswith(".elo-gate") for each in prepared.copy.files)
