"""Vercel, with its real CLI, new and old, against a stub on loopback: no account was there to try it on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from elo_gate.deploy import commands, platforms
from elo_gate.deploy.platforms.vercel import output
from elo_gate.deploy.veil import Veil

from ..conftest import World
from .conformance import Conformance
from .vercel_stub import PROJECT, TEAM, Sites, VercelStub

CANARY = "vc_Kd82nqVt7zx93mmLw2"  # letters, digits and _ only: the CLI takes no other token
ENVIRONMENT = {"VERCEL_TOKEN": CANARY, "VERCEL_ORG_ID": TEAM, "VERCEL_PROJECT_ID": PROJECT}
CLIS = {"new": "ELO_GATE_VERCEL", "old": "ELO_GATE_VERCEL_OLD"}
# The CLI is a program of JavaScript: a call is a second or two, more on a busy machine. These are limits for hangs.
TIMES = 'timeouts = { deploy = "60s", promote = "8s", verify = "30s", rollback = "8s", ask = "60s" }'


def executable(which: str) -> str:
    found = os.environ.get(CLIS[which], "")
    if not os.access(found, os.X_OK):
        pytest.skip(f"{CLIS[which]} does not name the vercel executable")
    return found


def configure(world: World, base: str, cli: str, target: str = TIMES, vercel: str = "") -> None:
    """Writes elo-gate.toml; the arguments are lines of their tables."""
    (world.tree / "elo-gate.toml").write_text(f"""
[deploy.targets.production]
platform = "vercel"
url = "{world.base}"
artifact = ".vercel/output"
settle = "50ms"
poll = "20ms"
{target}
[deploy.targets.production.verify]
health = {{ path = "/api/health", expect = "healthy" }}
passes = 2
failures = 2
no_answer_limit = 2
interval = "20ms"
[deploy.targets.production.vercel]
cli = ["{cli}"]
api = "{base}"
{vercel}
""")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate for localhost that is its own authority, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    made = (str(folder / "cert.pem"), str(folder / "key.pem"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-out", made[0], "-keyout", made[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return made


class Stand:
    """The world, a stub of Vercel and the sites of its deployments."""

    def __init__(self, world: World, certificate: tuple[str, str], cli: str) -> None:
        self.world = world
        self.cli = cli
        self.certificate = certificate[0]
        self.sites = Sites(*certificate)
        self.stub = VercelStub(CANARY, self.sites.serve, lambda live: world.set(live=live))
        output = world.tree / ".vercel" / "output"
        (output / "static").mkdir(parents=True)
        (output / "config.json").write_text('{"version": 3}\n')
        (output / "static" / "index.html").write_text("<p>new</p>")
        (output / "static" / "start.html").symlink_to("index.html")
        (output / "functions" / "api" / "health.func").mkdir(parents=True)
        (output / "functions" / "api" / "health.func" / ".vc-config.json").write_text(
            '{"runtime": "nodejs22.x", "handler": "index.js", "launcherType": "Nodejs"}'
        )
        (output / "functions" / "api" / "health.func" / "index.js").write_text("module.exports = () => {}\n")
        (output / "functions" / "api" / "ready.func").symlink_to("health.func")
        world.set(live="dpl_r0")
        self.configure()

    def configure(self, target: str = TIMES, vercel: str = "") -> None:
        configure(self.world, self.stub.base, self.cli, target, vercel)

    def start(self, *words: str, env: dict[str, str] | None = None, **more: Any) -> Any:
        every = {**ENVIRONMENT, "SSL_CERT_FILE": self.certificate, **(env or {})}
        return self.world.run(*words, env=every, wait=False, **more)

    def run(self, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        process = self.start(*words, **more)
        out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def deploy(self, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return self.run("deploy", "production", "--yes", *words, **more)

    def count(self, verb: str) -> int:
        return self.stub.calls.count(verb)


@pytest.fixture
def stand(world: World, certificate: tuple[str, str]) -> Iterator[Stand]:
    made = Stand(world, certificate, executable("new"))
    yield made
    made.stub.close()
    made.sites.close()
    made.stub.check()


@pytest.fixture
def old(world: World, certificate: tuple[str, str]) -> Iterator[Stand]:
    made = Stand(world, certificate, executable("old"))
    yield made
    made.stub.close()
    made.sites.close()
    made.stub.check()


def platform_of(world: World) -> Any:
    place = commands.place_of(str(world.tree), "production")
    return platforms.make(place, Veil(place.secrets()), str(world.tree.parent))


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


# -- what every platform keeps -----------------------------------------------------------------------------------


VERBS = {"deploy": "create", "find": "list"}


class Stage:
    canary = CANARY
    first = "dpl_r0"

    def __init__(self, stand: Stand) -> None:
        self.stub = stand.stub
        self.world = stand.world
        self.snapshot = str(stand.world.tree / ".vercel" / "output")
        self.platform = platform_of(stand.world)

    def break_(self, verb: str, how: str) -> None:
        self.stub.modes = {VERBS.get(verb, verb): how}
        if how == "hang":
            short = TIMES.replace('"60s"', '"2s"')
            path = self.world.tree / "elo-gate.toml"
            path.write_text(path.read_text().replace(TIMES, short))
            self.platform = platform_of(self.world)

    def arrivals(self, key: str) -> int:
        return self.stub.arrivals(key)


@pytest.fixture(params=["new", "old"])
def stage(request: pytest.FixtureRequest, account: None) -> Stage:
    return Stage(request.getfixturevalue("stand" if request.param == "new" else "old"))


class TestVercel(Conformance):
    pass


# -- through the command line ------------------------------------------------------------------------------------


class Watch:
    """Whether the token stands in the words of any process, looked at again and again."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.rounds = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._over.is_set():
            self.rounds += 1
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    words = path.read_bytes()
                except OSError:
                    continue
                if b"vercel" in words and str(os.getpid()).encode() not in path.parts[2].encode():
                    self.seen.add(words.replace(b"\0", b" ").decode("utf-8", "replace"))
            self._over.wait(0.05)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def secret_free(stand: Stand, *texts: str) -> None:
    """The token stands in no text and no file of the state."""
    for text in texts:
        assert CANARY not in text
    state = stand.world.tree / ".elo-gate"
    for path in state.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert CANARY.encode() not in path.read_bytes(), path


def sent(stand: Stand) -> dict[str, str]:
    """What the one create request listed: path -> SHA-1."""
    (create,) = stand.stub.creates
    return {each["file"]: each["sha"] for each in create["files"]}


def test_a_build_of_the_real_cli_goes_live_and_back_and_forth(stand: Stand) -> None:
    world = stand.world
    build(stand)
    (world.tree / "vercel.json").write_text('{"regions": ["gru1"]}\n')
    with Watch() as watch:
        done = stand.deploy()
        assert done.returncode == 0, done.stdout + done.stderr
        back = stand.run("rollback", "production", "--yes")
        assert back.returncode == 0 and stand.stub.live == "dpl_r0", back.stderr
        forth = stand.run("rollback", "production", "--to", "dpl_r1", "--yes")
        assert forth.returncode == 0 and stand.stub.live == "dpl_r1", forth.stderr
    (create,) = stand.stub.creates
    wanted = output.manifest(str(world.tree / ".vercel" / "output"))
    assert len(wanted) > 2 and sent(stand) == {path: sha for path, (sha, _) in wanted.items()}
    assert {each["mode"] for each in create["files"]} <= {0o100644, 0o100755, 0o120777}
    assert create["autoAssignCustomDomains"] is False and create["target"] == "production"
    assert create["regions"] == ["gru1"]
    key = next(each["deploy"] for each in world.records() if each["kind"] == "start")
    assert create["meta"] == {"elo-gate-id": key}
    assert stand.count("promote") == 1 and stand.count("rollback") == 2
    # The command was seen while it ran, and the token was not in it.
    assert any("--skip-domain" in words for words in watch.seen), watch.rounds
    assert any("rollback dpl_r0" in words for words in watch.seen)
    assert not any(CANARY in words for words in watch.seen)
    secret_free(stand, *(each.stdout + each.stderr for each in (done, back, forth)))
    assert stand.run("audit", "verify", "production").returncode == 0


def build(stand: Stand) -> None:
    """`vercel build --prod` of a page, without a network, in place of the output that the fixture wrote."""
    tree = stand.world.tree
    shutil.rmtree(tree / ".vercel")
    (tree / ".vercel").mkdir()
    (tree / ".vercel" / "project.json").write_text(json.dumps({
        "orgId": TEAM, "projectId": PROJECT,
        "settings": {"framework": None, "outputDirectory": "dist", "buildCommand": "", "installCommand": ""},
    }))  # fmt: skip
    subprocess.run(
        [stand.cli, "build", "--prod", "--yes"], cwd=tree, check=True, capture_output=True, timeout=240,
        env={"PATH": os.environ["PATH"], "HOME": str(tree.parent), "NO_UPDATE_NOTIFIER": "1",
             "VERCEL_TELEMETRY_DISABLED": "1", "VERCEL_TOKEN": CANARY},
    )  # fmt: skip


def test_the_old_cli_goes_live_and_back(old: Stand) -> None:
    with Watch() as watch:
        done = old.deploy()
        assert done.returncode == 0, done.stdout + done.stderr
        back = old.run("rollback", "production", "--yes")
    assert back.returncode == 0 and old.stub.live == "dpl_r0", back.stderr
    wanted = output.manifest(str(old.world.tree / ".vercel" / "output"))
    assert sent(old) == {path: sha for path, (sha, _) in wanted.items()}
    assert any("--skip-domain" in words for words in watch.seen), watch.rounds
    assert not any(CANARY in words for words in watch.seen)
    secret_free(old, done.stdout + done.stderr, back.stderr)
    assert not list(old.world.tree.rglob("auth.json"))


def test_a_build_that_fails_is_never_live(stand: Stand) -> None:
    stand.stub.script = ["BUILDING", "ERROR"]
    done = stand.deploy()
    assert done.returncode == 4 and "error" in done.stderr, done.stderr
    assert stand.count("promote") == 0 and stand.stub.live == "dpl_r0"


def test_a_build_without_an_end_is_given_up(stand: Stand) -> None:
    stand.configure(TIMES.replace('deploy = "60s"', 'deploy = "25s"'))
    stand.stub.script = ["BUILDING"]
    done = stand.deploy()
    assert done.returncode == 4 and "building" in done.stderr, done.stderr
    assert stand.count("promote") == 0 and stand.stub.live == "dpl_r0"


def test_a_red_candidate_is_never_live(stand: Stand) -> None:
    stand.sites.health = {"dpl_r1": 500}
    done = stand.deploy()
    assert done.returncode == 4, done.stderr
    assert stand.count("promote") == 0 and stand.stub.live == "dpl_r0"


def test_red_after_going_live_is_rolled_back(stand: Stand) -> None:
    stand.world.health = {"dpl_r1": 500}
    done = stand.deploy()
    assert done.returncode == 5, done.stderr
    assert stand.count("promote") == 1 and stand.stub.live == "dpl_r0"


@pytest.mark.parametrize("how", ["skipped", "late"])
def test_a_rollback_that_ends_well_and_did_nothing_needs_a_human(stand: Stand, how: str) -> None:
    """`late`: a server whose clock is over three minutes behind makes the CLI say that no rollback is in progress."""
    stand.world.health = {"dpl_r1": 500}
    stand.stub.modes = {"rollback": "skipped" if how == "skipped" else "nothing"}
    stand.stub.skew = 400 if how == "late" else 0
    done = stand.deploy()
    assert done.returncode == 6, done.stderr
    assert stand.count("rollback") == 1 and stand.stub.live == "dpl_r1"
    outcome = [each for each in stand.world.records() if each["kind"] == "outcome" and each["verb"] == "rollback"]
    assert [each["result"] for each in outcome] == ["said so"], "the command itself ended well"


def test_a_promotion_that_is_only_queued_is_no_success(stand: Stand) -> None:
    stand.stub.modes = {"promote": "queued"}
    done = stand.deploy()
    assert done.returncode == 4, done.stderr
    outcome = [each for each in stand.world.records() if each["kind"] == "outcome" and each["verb"] == "promote"]
    assert [each["result"] for each in outcome] == ["said so"], "the command itself ended well"
    assert stand.stub.live == "dpl_r0"


def test_a_foreign_deploy_in_between_is_left_alone(stand: Stand) -> None:
    stand.stub.add("dpl_foreign", "READY")
    stand.stub.modes = {"promote": "foreign"}
    done = stand.deploy()
    assert done.returncode == 6, done.stderr
    assert stand.count("rollback") == 0 and stand.stub.live == "dpl_foreign"


def test_killed_after_the_create_request_it_creates_once(stand: Stand) -> None:
    stand.stub.modes = {"create": "slow"}
    process = stand.start("deploy", "production", "--yes")
    assert stand.stub.came.wait(240)
    process.kill()
    process.communicate(timeout=30)
    assert stand.deploy("--resume").returncode == 3, "the command that is still running keeps the lock"
    stand.stub.held.set()
    until = time.monotonic() + 120
    while (done := stand.deploy("--resume")).returncode == 3 and time.monotonic() < until:
        time.sleep(0.2)
    assert done.returncode == 0, done.stderr
    assert len(stand.stub.creates) == 1 and stand.stub.live == "dpl_r1"


def test_a_lost_answer_is_found_by_its_key(stand: Stand) -> None:
    stand.stub.modes = {"create": "lost-after"}
    done = stand.deploy()
    assert done.returncode == 0, done.stderr
    assert "found by its key" in done.stderr and len(stand.stub.creates) == 1


@pytest.mark.parametrize(
    ("verb", "how", "code"), [("current", "refuse", 3), ("create", "refuse", 4), ("create", "busy", 4)]
)
def test_a_refusal_is_told_and_changes_nothing(stand: Stand, verb: str, how: str, code: int) -> None:
    stand.stub.modes = {verb: how}
    done = stand.deploy()
    assert done.returncode == code, done.stderr
    assert stand.stub.live == "dpl_r0" and not stand.stub.creates and stand.count("promote") == 0
    secret_free(stand, done.stdout + done.stderr)


def test_a_red_gate_asks_nobody(stand: Stand) -> None:
    (stand.world.tree / "vercel.json").write_text('{"env": {"API_KEY": "@api-key"}}')
    done = stand.deploy()
    assert done.returncode == 1, done.stdout + done.stderr
    assert stand.stub.calls == []


def test_a_custom_environment_is_deployed_in_place(stand: Stand) -> None:
    stand.configure(TIMES + '\nrollback = "manual"', 'target = "staging"')
    done = stand.deploy()
    assert done.returncode == 0, done.stderr
    (create,) = stand.stub.creates
    assert "autoAssignCustomDomains" not in create and stand.count("promote") == 0
    assert stand.stub.live == "dpl_r1"
