"""Vercel, with its real CLI, new and old, against a stub on loopback: no account was there to try it on."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from elo_gate.deploy import child, commands, platforms
from elo_gate.deploy.platform import Lost
from elo_gate.deploy.platforms.vercel import output
from elo_gate.deploy.veil import Veil
from elo_gate.policy import ConfigError

from ..conftest import World
from .conformance import Conformance
from .vercel_stub import PROJECT, TEAM, Sites, VercelStub

CANARY = "vc_Kd82nqVt7zx93mmLw2"  # letters, digits and _ only: the CLI takes no other token
ENVIRONMENT = {"VERCEL_TOKEN": CANARY, "VERCEL_ORG_ID": TEAM, "VERCEL_PROJECT_ID": PROJECT}
CLIS = {"new": "ELO_GATE_VERCEL", "old": "ELO_GATE_VERCEL_OLD"}
GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "deploy"
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
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to make a certificate")
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


# -- the contract ------------------------------------------------------------------------------------------------


def wrapped(stand: Stand, script: str) -> None:
    """Lets lines of a shell run before the CLI; `$settings` and `$tree` are its folders."""
    program = stand.world.tree.parent / "wrapped"
    program.write_text(
        "#!/bin/sh\nset -e\n"
        'for word; do case "$before" in --global-config) settings=$word;; --cwd) tree=$word;; esac; before=$word; done\n'
        f'{script}\nexec "{stand.cli}" "$@"\n'
    )
    program.chmod(0o755)
    configure(stand.world, stand.stub.base, str(program))


def snapshot_of(stand: Stand) -> str:
    return str(stand.world.tree / ".vercel" / "output")


def test_preflight_has_nothing_against_a_good_release(stand: Stand, account: None) -> None:
    for number in range(5_000):  # the list of these is over a MiB long
        (Path(snapshot_of(stand)) / "static" / f"page-of-a-larger-site-{number}.html").write_text(str(number))
    assert platform_of(stand.world).preflight(snapshot_of(stand), "5" * 64) == []
    assert not stand.stub.creates and "upload" not in stand.stub.calls


def test_preflight_says_what_is_wrong_with_the_project(stand: Stand, account: None) -> None:
    stand.stub.project |= {
        "rollingRelease": {"target": "production"}, "accountId": "team_other",
        "lastAliasRequest": {"jobStatus": "in-progress"},
    }  # fmt: skip
    stand.stub.deployments["dpl_r0"]["projectId"] = "prj_other"
    against = platform_of(stand.world).preflight(snapshot_of(stand), "5" * 64)
    for words in ("not that of VERCEL_ORG_ID", "rolling releases", "is going on", "deployment of another project"):
        assert any(words in each for each in against), (words, against)
    stand.stub.deployments["dpl_r0"] |= {"projectId": PROJECT, "target": None}
    against = platform_of(stand.world).preflight(snapshot_of(stand), "5" * 64)
    assert any("none of production" in each for each in against)


def test_preflight_compares_the_list_of_files(stand: Stand, account: None) -> None:
    wrapped(stand, '[ ! -d "$tree/.vercel/output" ] || echo more > "$tree/.vercel/output/static/more.html"')
    against = platform_of(stand.world).preflight(snapshot_of(stand), "5" * 64)
    assert against == [".vercel/output/static/more.html: the CLI would send it, and the gate has not judged it"]


def test_a_function_that_needs_files_outside_is_told_before_anything_is_sent(stand: Stand, account: None) -> None:
    config = Path(snapshot_of(stand)) / "functions" / "api" / "health.func" / ".vc-config.json"
    before = json.loads(config.read_text())
    config.write_text(json.dumps({**before, "filePathMap": {"a.js": "node_modules/a.js"}}))
    (against,) = platform_of(stand.world).preflight(snapshot_of(stand), "5" * 64)
    assert "node_modules/a.js" in against and "--standalone" in against
    assert not stand.stub.calls
    # What is in the output may be taken from there.
    config.write_text(json.dumps({**before, "filePathMap": {"a.html": ".vercel/output/static/index.html"}}))
    assert platform_of(stand.world).preflight(snapshot_of(stand), "5" * 64) == []


def test_only_a_build_output_is_sent(stand: Stand, account: None) -> None:
    (Path(snapshot_of(stand)) / "config.json").unlink()
    (against,) = platform_of(stand.world).preflight(snapshot_of(stand), "5" * 64)
    assert "config.json" in against and "vercel build" in against
    path = stand.world.tree / "elo-gate.toml"
    path.write_text(path.read_text().replace('".vercel/output"', '"dist"'))
    (against,) = platform_of(stand.world).preflight(str(stand.world.tree / "dist"), "5" * 64)
    assert "vercel build" in against


def test_several_deployments_of_one_command(stand: Stand, account: None) -> None:
    stand.stub.add("dpl_a", "ERROR", {"elo-gate-id": "k1"})
    stand.stub.add("dpl_b", "READY", {"elo-gate-id": "k1"})
    stand.stub.add("dpl_c", "READY", {"elo-gate-id": "k1"})
    found = platform_of(stand.world).find("k1")
    assert found is not None and found.id == "dpl_b"


@pytest.mark.parametrize("which", ["new", "old"])
def test_a_domain_without_a_deployment(which: str, account: None, request: pytest.FixtureRequest) -> None:
    made: Stand = request.getfixturevalue("stand" if which == "new" else "old")
    made.stub.live = None
    assert platform_of(made.world).current() is None


def test_a_state_that_nobody_knows(stand: Stand, account: None) -> None:
    stand.stub.modes = {"status": "odd"}
    with pytest.raises(Lost, match="nobody knows"):
        platform_of(stand.world).status("dpl_r0")


def test_names_of_variables(stand: Stand, account: None) -> None:
    assert platform_of(stand.world).variables(snapshot_of(stand)) == ["DATABASE_URL", "PUBLIC_NAME"]


def test_the_old_cli_gets_its_token_in_a_private_file(old: Stand, account: None) -> None:
    seen = old.world.tree.parent / "seen"
    wrapped(old, f'[ -z "$settings" ] || stat -c "%a" "$settings" "$settings/auth.json" > "{seen}"')
    assert platform_of(old.world).current() == "dpl_r0"
    assert seen.read_text().split() == ["700", "600"]
    assert not list(old.world.tree.parent.rglob("auth.json"))


def test_a_cli_that_is_too_old_or_missing(world: World, account: None) -> None:
    program = world.tree / "vercel"
    program.write_text("#!/bin/sh\necho 36.0.0\n")
    program.chmod(0o755)
    (world.tree / "dist" / "config.json").write_text('{"version": 3}')
    configure(world, "http://127.0.0.1:9", str(program))
    (against,) = platform_of(world).preflight(str(world.tree / "dist"), "5" * 64)
    assert "36.0.0" in against and "37.14.0" in against
    configure(world, "http://127.0.0.1:9", "no-such-vercel")
    with pytest.raises(Lost, match="cannot be started"):
        platform_of(world).current()


def test_a_variable_that_is_not_set(world: World, account: None, monkeypatch: pytest.MonkeyPatch) -> None:
    program = world.tree / "vercel"
    program.write_text("#!/bin/sh\necho 64.0.2\n")
    program.chmod(0o755)
    configure(world, "http://127.0.0.1:9", str(program))
    monkeypatch.delenv("VERCEL_TOKEN")
    with pytest.raises(Lost, match="VERCEL_TOKEN is not set"):
        platform_of(world).current()


@pytest.mark.parametrize(
    ("target", "vercel", "words"),
    [
        (TIMES, 'target = "production"', "custom environment"),
        (TIMES, 'target = "staging"', "rollback"),
        (TIMES, 'token_env = "vc_secret-value"', "never its value"),
        (TIMES, 'api = "http://api.example"', "https only"),
        (TIMES + '\nstrategy = "in-place"', "", "stage"),
    ],
)
def test_what_a_configuration_cannot_say(world: World, target: str, vercel: str, words: str) -> None:
    configure(world, "https://api.example", "vercel", target, vercel)
    path = world.tree / "elo-gate.toml"
    if vercel.startswith("api"):
        path.write_text(path.read_text().replace('api = "https://api.example"\n', ""))
    with pytest.raises(ConfigError, match=words):
        commands.place_of(str(world.tree), "production")


@pytest.mark.parametrize("which", ["new", "old"])
def test_what_the_real_cli_asks_for(
    which: str, account: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file a verb: the words of each command, and the requests that it made."""
    made: Stand = request.getfixturevalue("stand" if which == "new" else "old")
    platform = platform_of(made.world)
    home = str(made.world.tree.parent / "vercel")
    argvs: list[list[str]] = []
    run = child.run

    def noted(argv: list[str], *words: Any, **more: Any) -> Any:
        argvs.append([each.replace(made.cli, "vercel").replace(home, "HOME") for each in argv])
        return run(argv, *words, **more)

    monkeypatch.setattr(child, "run", noted)
    snapshot = snapshot_of(made)
    for verb, words in (
        ("current", ()), ("preflight", (snapshot, "5" * 64)), ("deploy", (snapshot, "5" * 64, "k1")), ("find", ("k1",)),
        ("status", ("dpl_r1",)), ("promote", ("dpl_r1",)), ("rollback", ("dpl_r0",)), ("variables", (snapshot,)),
    ):  # fmt: skip
        if which == "old" and verb == "variables":
            continue  # it does not ask
        argvs.clear()
        made.stub.requests.clear()
        getattr(platform, verb)(*words)
        for each in made.stub.requests:
            if each["verb"] == "create":
                each["body"]["files"].sort(key=lambda file: str(file["file"]))
        # Some go out at once, so their order says nothing; a host's port is of this run.
        asked = sorted(json.dumps(each, sort_keys=True) for each in made.stub.requests)
        text = json.dumps({"argv": argvs, "requests": [json.loads(each) for each in asked]}, indent=2, sort_keys=True)
        text = re.sub(r"localhost:[0-9]+", "localhost:PORT", text) + "\n"
        golden = GOLDEN / f"vercel-{'' if which == 'new' else 'old-'}{verb}.json"
        if request.config.getoption("--update-golden"):
            golden.parent.mkdir(exist_ok=True)
            golden.write_text(text)
        assert text == golden.read_text(), golden.name


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
    stand.configure(vercel='release_env = "RELEASE"')
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
    start = next(each for each in world.records() if each["kind"] == "start")
    assert create["meta"] == {"elo-gate-id": start["deploy"]} and create["env"] == {"RELEASE": start["digest"]}
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
    assert done.returncode == 6 and "it may still happen" in done.stderr, done.stderr
    outcome = [each for each in stand.world.records() if each["kind"] == "outcome" and each["verb"] == "promote"]
    assert [each["result"] for each in outcome] == ["said so"], "the command itself ended well"
    assert stand.stub.live == "dpl_r0"
    # Asked again, it is as it was: nothing went live.
    assert stand.deploy("--resume").returncode == 4


def test_a_foreign_deploy_in_between_is_left_alone(stand: Stand) -> None:
    stand.stub.add("dpl_foreign", "READY")
    stand.stub.modes = {"promote": "foreign"}
    done = stand.deploy()
    assert done.returncode == 6, done.stderr
    assert stand.count("rollback") == 0 and stand.stub.live == "dpl_foreign"


def test_a_program_goes_on_undisturbed_when_we_are_killed(tmp_path: Path) -> None:
    """The CLI writes for ever where nobody reads its stderr; so somebody has to."""
    program = "import sys, time; time.sleep(0.5); sys.stderr.write('a' * 2000); sys.stderr.flush(); open('done', 'w')"
    parent = (
        "import sys; from elo_gate.deploy import child\n"
        f"child.run([sys.executable, '-c', {program!r}], {str(tmp_path)!r}, {{}}, 60,"
        " started=lambda pid: print(pid, flush=True), outlives=True)"
    )
    source = Path(child.__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", parent], env={"PYTHONPATH": str(source)}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline().strip().isdigit()
    process.kill()
    process.communicate(timeout=30)
    until = time.monotonic() + 30
    while not (tmp_path / "done").exists():
        assert time.monotonic() < until, "it did not go on"
        time.sleep(0.05)


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
