"""Railway, over HTTP and Railway's own GraphQL schema, against a stub on loopback: no account was there to try it on."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import ssl
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from elo_gate.deploy import commands, config, platforms
from elo_gate.deploy.platform import Lost
from elo_gate.deploy.platforms.railway import documents
from elo_gate.deploy.platforms.railway.archive import pack
from elo_gate.deploy.platforms.railway.platform import FAILED, PENDING, READY
from elo_gate.deploy.veil import Veil
from elo_gate.policy import ConfigError

from ..conftest import World
from .conformance import Conformance
from .railway_stub import ENVIRONMENT, PROJECT, SCHEMA, SERVICE, RailwayStub

pytest.importorskip("graphql", reason="graphql-core is not installed")

CANARY = "rw-Kd82nqVt7zx93mmLw2"
TIMES = 'timeouts = { deploy = "30s", promote = "1s", verify = "10s", rollback = "10s", ask = "10s" }'
SHORT = 'timeouts = { deploy = "1s", promote = "1s", verify = "3s", rollback = "2s", ask = "1s" }'


def configure(world: World, base: str, target: str = TIMES, railway: str = "", artifact: str = "dist") -> None:
    """Writes elo-gate.toml; the arguments are lines of their tables."""
    (world.tree / "elo-gate.toml").write_text(f"""
[deploy.targets.production]
platform = "railway"
url = "{world.base}"
artifact = "{artifact}"
settle = "50ms"
poll = "20ms"
{target}
[deploy.targets.production.verify]
health = {{ path = "/api/health", expect = "healthy" }}
passes = 2
failures = 2
no_answer_limit = 2
interval = "20ms"
[deploy.targets.production.railway]
project = "{PROJECT}"
environment = "{ENVIRONMENT}"
service = "{SERVICE}"
api = "{base}"
{railway}
""")


@pytest.fixture
def stub(world: World) -> Iterator[RailwayStub]:
    made = RailwayStub(CANARY, lambda live: world.set(live=live))
    configure(world, made.base)
    yield made
    made.close()
    made.check()


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAILWAY_TOKEN", CANARY)


def make(world: World) -> Any:
    place = commands.place_of(str(world.tree), "production")
    return platforms.make(place, Veil(place.secrets()), str(world.tree.parent))


def run(world: World, *words: str, **more: Any) -> Any:
    return world.run(*words, env={"RAILWAY_TOKEN": CANARY}, **more)


def deploy(world: World, *words: str, **more: Any) -> Any:
    return run(world, "deploy", "production", "--yes", *words, **more)


# -- what every platform keeps -----------------------------------------------------------------------------------


VERBS = {
    "current": "Deployments", "deploy": "up", "find": "Deployments", "status": "Deployment",
    "rollback": "DeploymentRollback", "promote": "none",
}  # fmt: skip


class Stage:
    canary = CANARY

    def __init__(self, world: World, stub: RailwayStub) -> None:
        self.stub = stub
        self.world = world
        self.snapshot = str(world.tree / "dist")
        self.platform = make(world)

    def break_(self, verb: str, how: str) -> None:
        if verb == "status" and how in ("pending", "failed"):
            self.stub.of("r0")["status"] = "BUILDING" if how == "pending" else "FAILED"
            return
        if how == "hang":
            configure(self.world, self.stub.base, target=SHORT)
            self.platform = make(self.world)
        self.stub.modes = {VERBS[verb]: how}

    def arrivals(self, key: str) -> int:
        return self.stub.arrivals(key)


@pytest.fixture(params=["again", "new"])
def stage(world: World, stub: RailwayStub, request: pytest.FixtureRequest) -> Stage:
    stub.back = request.param
    return Stage(world, stub)


class TestRailway(Conformance):
    pass


# -- the contract ------------------------------------------------------------------------------------------------


def test_every_document_is_valid_in_railways_schema() -> None:
    from graphql import build_schema, parse, validate

    schema = build_schema(SCHEMA.read_text())
    found = {name: text for name, text in vars(documents).items() if name.isupper()}
    assert len(found) == 6
    for text in found.values():
        assert validate(schema, parse(text)) == []
        assert documents.name_of(text) == parse(text).definitions[0].name.value  # type: ignore[attr-defined]
    wrong = documents.DEPLOYMENT.replace("canRollback", "canRollBack")
    assert validate(schema, parse(wrong))


def test_every_status_of_the_schema_means_something(world: World, stub: RailwayStub) -> None:
    from graphql import GraphQLEnumType

    kind = stub.schema.type_map["DeploymentStatus"]
    assert isinstance(kind, GraphQLEnumType)
    assert set(kind.values) == {*READY, *PENDING, *FAILED} and len(kind.values) == 13
    platform = make(world)
    for word, statuses in (("ready", READY), ("pending", PENDING), ("failed", FAILED)):
        for status in statuses:
            stub.of("r0")["status"] = status
            said = platform.status("r0")
            assert said[0] == word and said[1].startswith(status + ": "), said
    assert platform.status("r0")[0] != "ready"
    stub.of("r0")["status"] = "SKIPPED"
    assert platform.status("r0")[0] == "failed"


def test_a_status_that_nobody_knows_is_no_answer(world: World, stub: RailwayStub) -> None:
    """Some projects report CANCELLED, which the schema does not have."""
    from graphql import GraphQLEnumType, GraphQLEnumValue

    kind = stub.schema.type_map["DeploymentStatus"]
    assert isinstance(kind, GraphQLEnumType)
    kind.values["CANCELLED"] = GraphQLEnumValue("CANCELLED")
    kind.__dict__.pop("_value_lookup", None)
    stub.of("r0")["status"] = "CANCELLED"
    with pytest.raises(Lost):
        make(world).status("r0")


def test_the_archive_is_the_snapshot_and_the_same_every_time(world: World, stub: RailwayStub, tmp_path: Path) -> None:
    folder = world.tree / "dist"
    (folder / "bin").mkdir()
    (folder / "bin" / "run").write_bytes(b"#!/bin/sh\n\0\xff")
    (folder / "bin" / "run").chmod(0o500)
    (folder / "bin" / "link").symlink_to("run")
    (folder / ("n" * 120 + "ç")).write_text("long")
    (folder / "index.html").chmod(0o400)
    made = []
    for _ in range(2):
        with pack(str(folder), str(tmp_path)) as file:
            made.append(file.read())
        os.utime(folder / "index.html", (1, time.time() - 1_000_000))
    assert made[0] == made[1] and not list(tmp_path.glob("*.part"))
    platform = make(world)
    platform.deploy(str(folder), "5" * 64, "k1")
    (upload,) = stub.uploads
    assert upload["body"] == made[0]
    assert upload["entries"] == {
        "bin/link": (0o777, "run"),
        "bin/run": (0o755, b"#!/bin/sh\n\0\xff"),
        "index.html": (0o644, b"<p>new</p>"),
        "n" * 120 + "ç": (0o644, b"long"),
    }
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(made[0]))) as archive:
        assert {(each.uid, each.gid, each.uname, each.mtime) for each in archive} == {(0, 0, "", 946_684_800)}


def test_the_whole_tree_is_what_the_gate_judged(world: World, stub: RailwayStub) -> None:
    configure(world, stub.base, artifact=".")
    (world.tree / ".env").write_text("SECRET=1\n")
    (world.tree / ".gitignore").write_text(".env\n")
    done = deploy(world)
    assert done.returncode == 0, done.stderr
    names = set(stub.uploads[0]["entries"])
    assert {"Dockerfile", "elo-gate.toml", "dist/index.html", "ops/platform"} <= names
    assert not any(".elo-gate" in each or each == ".env" for each in names)


# -- the token and the wire --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 307])
def test_a_redirect_is_not_followed(world: World, stub: RailwayStub, status: int) -> None:
    other = RailwayStub(CANARY)
    stub.modes = {"Deployments": f"redirect {other.base}/graphql/v2"}
    try:
        with pytest.raises(Lost, match="redirect"):
            make(world).current()
        assert not other.calls
    finally:
        other.close()


def test_a_token_goes_over_https_only(world: World) -> None:
    configure(world, "http://backboard.example")
    with pytest.raises(ConfigError, match="https only"):
        config.read(str(world.tree), "production")


def test_an_account_token_is_a_bearer(world: World, stub: RailwayStub, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(world, stub.base, railway='api_token_env = "RAILWAY_API_TOKEN"')
    monkeypatch.setenv("RAILWAY_API_TOKEN", CANARY)
    stub.header = "authorization"
    platform = make(world)
    assert platform.current() == "r0"
    assert platform.preflight(str(world.tree / "dist"), "") == []
    stub.owner = "another"
    assert "another project" in platform.preflight(str(world.tree / "dist"), "")[0]


@pytest.mark.parametrize("value", ["", "a b", "a\nb", "é"])
def test_a_token_that_is_none_is_not_shown(
    world: World, stub: RailwayStub, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("RAILWAY_TOKEN", value)
    with pytest.raises(Lost, match="RAILWAY_TOKEN") as caught:
        make(world).current()
    assert not value or value not in str(caught.value)
    assert not stub.calls


def test_a_question_is_asked_again_where_railway_is_busy_and_an_upload_is_not(world: World, stub: RailwayStub) -> None:
    platform = make(world)
    stub.modes = {"Deployments": ["429", "503", "ok"]}
    assert platform.current() == "r0"
    stub.modes = {"up": ["503", "ok"]}
    with pytest.raises(Lost, match="503"):
        platform.deploy(str(world.tree / "dist"), "", "k1")
    stub.modes = {"DeploymentRollback": ["503", "ok"]}
    with pytest.raises(Lost, match="503"):
        platform.rollback("r0")
    assert stub.calls.count("up") == 1 and stub.calls.count("DeploymentRollback") == 1


@pytest.mark.parametrize(
    ("verb", "how", "said"),
    [
        ("Deployments", "unauthorized", "Not Authorized"), ("up", "413", "too large"), ("up", "400", "no such service"),
        ("up", "429", "429"),
    ],
)  # fmt: skip
def test_what_railway_says_is_told_without_the_token(
    world: World, stub: RailwayStub, verb: str, how: str, said: str
) -> None:
    stub.modes = {verb: how}
    with pytest.raises(Lost, match=said) as caught:
        make(world).deploy(str(world.tree / "dist"), "", "k1")
    assert CANARY not in str(caught.value)


def test_who_sends_a_letter_now_and_then_is_cut_off(world: World) -> None:
    class Slow(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                for _ in range(100):
                    self.wfile.write(b"x: y\r\n")
                    time.sleep(0.1)
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    configure(world, f"http://127.0.0.1:{server.server_port}", target=SHORT)
    try:
        with pytest.raises(Lost, match="not in time"):
            make(world).current()
    finally:
        server.shutdown()
        server.server_close()


def test_a_certificate_is_always_verified(
    world: World, stub: RailwayStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    key, own = tmp_path / "key.pem", tmp_path / "own.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", own, "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own, key)
    stub.server.socket = context.wrap_socket(stub.server.socket, server_side=True)
    configure(world, f"https://localhost:{stub.server.server_port}")
    with pytest.raises(Lost, match="certificate"):
        make(world).current()
    assert not stub.calls
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    assert make(world).current() == "r0"


def test_variables_are_names(world: World, stub: RailwayStub) -> None:
    assert make(world).variables("") == ["DATABASE_URL", "PORT"]
    stub.modes = {"Variables": "unauthorized"}
    with pytest.raises(Lost):
        make(world).variables("")


# -- what speaks against it --------------------------------------------------------------------------------------


def test_a_live_release_that_cannot_be_gone_back_to_is_said_before_anything_is_sent(
    world: World, stub: RailwayStub
) -> None:
    stub.of("r0")["canRollback"] = False
    done = deploy(world)
    assert done.returncode == 3 and "canRollback" in done.stderr
    assert not stub.uploads
    configure(world, stub.base, target=TIMES + '\nrollback = "manual"')
    assert deploy(world).returncode == 0


def test_a_deployment_that_is_on_its_way_is_waited_for_by_nobody(world: World, stub: RailwayStub) -> None:
    stub.add("NEEDS_APPROVAL")
    done = deploy(world)
    assert done.returncode == 3 and "r1 is on its way" in done.stderr and not stub.uploads


def test_the_token_of_another_project_sends_nothing(world: World, stub: RailwayStub) -> None:
    stub.owner = "another"
    done = deploy(world)
    assert done.returncode == 3 and "another project" in done.stderr and not stub.uploads


def test_a_deployment_of_another_service_is_none_of_ours(world: World, stub: RailwayStub) -> None:
    stub.of("r0")["serviceId"] = "s-other"
    with pytest.raises(Lost, match="another service"):
        make(world).rollback("r0")
    assert "DeploymentRollback" not in stub.calls


# -- what is live ------------------------------------------------------------------------------------------------


def test_what_is_live_is_the_newest_that_runs(world: World, stub: RailwayStub) -> None:
    platform = make(world)
    stub.add("FAILED"), stub.add("SKIPPED"), stub.add("BUILDING")
    assert platform.current() == "r0"
    stub.of("r0")["status"] = "SLEEPING"
    assert platform.current() == "r0"
    stub.add("CRASHED")
    assert platform.current() == "r0"  # that it crashed and took nobody's place
    stub.of("r0")["status"] = "REMOVED"
    assert platform.current() == "r4"
    stub.of("r4")["status"] = "FAILED"
    assert platform.current() is None


def test_a_new_deployment_is_the_old_release_only_by_our_rollback_and_its_image(
    world: World, stub: RailwayStub
) -> None:
    platform = make(world)
    image = {"imageDigest": "sha256:" + "0" * 64}
    stub.add("SUCCESS", id="r1", meta={"imageDigest": "sha256:" + "1" * 64})
    stub.add("SUCCESS", id="redeploy", meta=dict(image))
    assert platform.current() == "redeploy"  # nobody went back: somebody else deployed
    stub.back = "new"
    platform.rollback("r0")
    assert platform.current() == "r0"
    assert make(world).current() == "r0"  # and another process knows it
    stub.add("SUCCESS", id="r-foreign", meta={"imageDigest": "sha256:" + "f" * 64})
    assert platform.current() == "r-foreign"
    stub.add("SUCCESS", id="r-silent", meta=None)
    assert platform.current() == "r-silent"
    # The same source built again may have the same image, and is another release all the same.
    stub.add("SUCCESS", id="r-again", meta={**image, "cliMessage": "elo-gate:k9"})
    assert platform.current() == "r-again"
    kept = world.folder / "railway-rollback.json"
    assert kept.stat().st_mode & 0o777 == 0o600


def test_what_came_since_and_does_not_say_whose_it_is_stops_the_search(world: World, stub: RailwayStub) -> None:
    platform = make(world)
    stub.modes = {"up": "lost-before"}
    with pytest.raises(Lost):
        platform.deploy(str(world.tree / "dist"), "", "k1")
    assert platform.find("k1") is None
    stub.add("BUILDING", meta={"reason": "deploy"})
    with pytest.raises(Lost, match="has come since"):
        platform.find("k1")


# -- from end to end ---------------------------------------------------------------------------------------------


def end(world: World) -> str:
    return [each["state"] for each in world.records() if each["kind"] == "end"][-1]


@pytest.mark.parametrize(
    ("script", "modes", "health", "code", "state", "live"),
    [
        (["BUILDING", "DEPLOYING", "SUCCESS"], {}, {}, 0, "succeeded", "r1"),
        (["SLEEPING"], {}, {}, 0, "succeeded", "r1"),
        (["BUILDING", "FAILED"], {}, {}, 4, "failed-clean", "r0"),
        (["SKIPPED"], {}, {}, 4, "failed-clean", "r0"),  # nothing was deployed, and it is no success
        (["DEPLOYING", "CRASHED"], {}, {}, 4, "failed-clean", "r0"),  # Railway kept the old one
        (["REMOVED"], {}, {}, 4, "failed-clean", "r0"),
        (["NEEDS_APPROVAL"], {}, {}, 6, "unknown", "r0"),  # somebody may still approve it
        (["BUILDING"], {}, {}, 6, "unknown", "r0"),  # it may still go live
        (["SUCCESS"], {}, {"r1": 500}, 5, "rolled-back", "r0"),
        (["SUCCESS"], {}, {"r1": None}, 6, "unknown", "r1"),
        (["SUCCESS"], {"back": "skipped"}, {"r1": 500}, 6, "rollback-failed", "r1"),  # says true, does nothing
        (["SUCCESS"], {"back": "said-no"}, {"r1": 500}, 6, "rollback-failed", "r1"),
        (["SUCCESS"], {"back": "foreign"}, {"r1": 500}, 6, "unknown", "r-foreign"),
        (["SUCCESS"], {"up": "lost-after"}, {}, 0, "succeeded", "r1"),  # found by its key
        (["SUCCESS"], {"up": "lost-before"}, {}, 4, "failed-clean", "r0"),
        (["SUCCESS"], {"up": "refuse"}, {}, 4, "failed-clean", "r0"),
        (["SUCCESS"], {"up": "429"}, {}, 4, "failed-clean", "r0"),
        (["SUCCESS"], {"up": "lost-after", "Deployments": ["ok"] * 4 + ["refuse"] * 9}, {}, 6, "unknown", "r0"),
        (["SUCCESS"], {"Deployments": "refuse"}, {}, 3, "blocked", "r0"),
        (["SUCCESS"], {"Deployment": ["ok", "429", "503", "ok"]}, {}, 0, "succeeded", "r1"),
    ],
)  # fmt: skip
def test_the_end_is_what_was_observed(
    world: World, stub: RailwayStub, script: list[str], modes: dict[str, Any], health: dict[str, Any], code: int,
    state: str, live: str,
) -> None:  # fmt: skip
    stub.script, stub.modes = script, dict(modes)
    if script[-1] in PENDING or "back" in modes:
        configure(world, stub.base, target=SHORT)
    world.health = health
    done = deploy(world)
    assert (done.returncode, end(world), stub.live) == (code, state, live), done.stderr
    assert len(stub.uploads) <= 1 and stub.calls.count("up") <= 1
    assert run(world, "audit", "verify", "production").returncode == 0


@pytest.mark.parametrize("back", ["again", "new"])
def test_a_rollback_by_name_and_by_itself(world: World, stub: RailwayStub, back: str) -> None:
    stub.back = back
    assert deploy(world).returncode == 0
    assert run(world, "rollback", "production", "--yes").returncode == 0
    assert make(world).current() == "r0"
    assert run(world, "rollback", "production", "--yes", "--to", "r1").returncode == 0
    assert make(world).current() == "r1"
    (world.tree / "dist" / "index.html").write_text("<p>newer</p>")
    newest = f"r{len(stub.deployments)}"
    world.health = {newest: 500}
    done = deploy(world)
    assert done.returncode == 5 and make(world).current() == "r1", done.stderr


def test_killed_after_the_upload_it_is_sent_once(world: World, stub: RailwayStub) -> None:
    stub.modes = {"up": "wait-after"}
    process = deploy(world, wait=False)
    until(lambda: stub.uploads)
    process.kill()
    process.communicate(timeout=30)
    stub.modes = {}
    done = deploy(world, "--resume")
    assert done.returncode == 0 and stub.live == "r1", done.stderr
    assert len(stub.uploads) == 1


def test_somebody_else_deploys_meanwhile(world: World, stub: RailwayStub) -> None:
    stub.script = ["BUILDING"] * 5 + ["SUCCESS"]
    process = deploy(world, wait=False)
    until(lambda: stub.uploads)
    stub.of("r1")["script"] = ["REMOVED"]
    stub.add("SUCCESS", id="r-foreign", meta={})
    process.communicate(timeout=30)
    assert process.returncode == 6 and stub.live == "r-foreign"
    assert "DeploymentRollback" not in stub.calls


def test_a_red_gate_asks_railway_nothing(world: World, stub: RailwayStub) -> None:
    (world.tree / "vercel.json").write_text('{"env": {"DATABASE_URL": "@database-url"}}\n')
    assert deploy(world).returncode == 1
    assert stub.calls == []


def test_a_plan_says_what_would_be_sent(world: World, stub: RailwayStub) -> None:
    done = run(world, "deploy", "production", "--plan")
    assert done.returncode == 0 and "/up?serviceId=s-web" in done.stdout and "$RAILWAY_TOKEN" in done.stdout
    assert set(stub.calls) == {"Deployments"} and CANARY not in done.stdout


def test_the_token_is_seen_nowhere(world: World, stub: RailwayStub) -> None:
    stub.script = ["BUILDING"] * 10 + ["SUCCESS"]
    stub.modes = {"Deployment": ["ok", "refuse", "unauthorized", "ok"]}
    process = deploy(world, wait=False)
    seen: set[bytes] = set()
    while process.poll() is None:
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.add(each.read_bytes())
            except OSError:
                pass
        time.sleep(0.02)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert any(b"elo_gate.cli" in each for each in seen)
    written = [each.read_bytes() for each in world.folder.rglob("*") if each.is_file()]
    assert len(written) > 3
    for each in (*seen, *written, out.encode(), err.encode()):
        assert CANARY.encode() not in each and b"hunter22" not in each


def until(test: Any) -> None:
    limit = time.monotonic() + 60
    while not test():
        assert time.monotonic() < limit, "did not come"
        time.sleep(0.02)
