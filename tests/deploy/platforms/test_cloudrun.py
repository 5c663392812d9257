"""Cloud Run with the real gcloud, against a stub on loopback; no project was there to try it on.

ELO_GATE_GCLOUD is the program, else `gcloud` on the PATH; without one these tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from elo_gate.deploy import commands, config, platforms
from elo_gate.deploy.platform import Lost, named
from elo_gate.deploy.platforms.cloudrun import CloudRunPlatform
from elo_gate.deploy.veil import Veil
from elo_gate.policy import ConfigError

from ..conftest import World
from .cloudrun_stub import PROJECT, REGION, SERVICE, CloudRunStub
from .conformance import Conformance

GCLOUD = os.environ.get("ELO_GATE_GCLOUD") or shutil.which("gcloud")
real = pytest.mark.skipif(GCLOUD is None, reason="gcloud is not installed (ELO_GATE_GCLOUD or PATH)")
CANARY = "cr-Kd82nqVt7zx93mmLw2"
FIRST = "web-a=90+web-b=10"
IMAGE = "southamerica-east1-docker.pkg.dev/eloproject/app/web@sha256:" + "5" * 64
TIMES = 'timeouts = { deploy = "60s", promote = "60s", verify = "10s", rollback = "60s", ask = "60s" }'


def configure(world: World, target: str = TIMES, cloudrun: str = "", gcloud: str = "") -> None:
    """Writes elo-gate.toml; the arguments are lines of their tables."""
    (world.tree / "elo-gate.toml").write_text(f"""
[deploy.targets.production]
platform = "cloudrun"
url = "{world.base}"
artifact = "release"
settle = "50ms"
poll = "20ms"
{target}
[deploy.targets.production.verify]
health = {{ path = "/api/health", expect = "healthy" }}
passes = 2
failures = 2
no_answer_limit = 2
interval = "20ms"
[deploy.targets.production.cloudrun]
service = "{SERVICE}"
region = "{REGION}"
project = "{PROJECT}"
gcloud = "{gcloud or GCLOUD or "gcloud"}"
endpoint = "http://run.localhost"
{'token_env = "RUN_TOKEN"' if "credentials_env" not in cloudrun else ""}
{cloudrun}
""")


@pytest.fixture
def stub(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudRunStub]:
    (world.tree / "release").mkdir()
    (world.tree / "release" / "image").write_text(IMAGE + "\n")
    made = CloudRunStub(CANARY, world.base, lambda live: world.set(live=live))
    world.set(live=FIRST)
    configure(world)
    monkeypatch.setenv("RUN_TOKEN", CANARY)
    monkeypatch.setenv("http_proxy", made.proxy)
    yield made
    made.close()
    made.check()


def make(world: World) -> Any:
    place = commands.place_of(str(world.tree), "production")
    home = world.tree.parent / "home"
    home.mkdir(exist_ok=True)
    return platforms.make(place, Veil(place.secrets()), str(home))


def run(world: World, *words: str, **more: Any) -> Any:
    return world.run(*words, env={"RUN_TOKEN": CANARY, "http_proxy": os.environ["http_proxy"]}, **more)


def deploy(world: World, *words: str, **more: Any) -> Any:
    return run(world, "deploy", "production", "--yes", *words, **more)


# -- what every platform keeps -----------------------------------------------------------------------------------


VERBS = {
    "current": "service", "deploy": "create", "find": "service", "status": "revisions", "promote": "traffic",
    "rollback": "traffic",
}  # fmt: skip


class Stage:
    canary = CANARY
    first = FIRST

    def __init__(self, world: World, stub: CloudRunStub) -> None:
        self.stub = stub
        self.world = world
        self.snapshot = str(world.tree / "release")
        self.platform = make(world)

    def break_(self, verb: str, how: str) -> None:
        if verb == "status" and how in ("pending", "failed"):
            self.stub.revisions["web-a"] = ["Unknown" if how == "pending" else "False"]
            return
        if how not in ("refuse", "lost-after"):
            # gcloud tries again and again where it gets no answer; a limit that hangs are cut off at.
            limit = "deploy" if verb == "deploy" else "ask"
            configure(self.world, target=TIMES.replace(f'{limit} = "60s"', f'{limit} = "5s"'))
            self.platform = make(self.world)
        self.stub.modes = {VERBS[verb]: [how] if how == "lost-after" else how}

    def arrivals(self, key: str) -> int:
        return sum(name == f"web-elo-{key}" for name in self.stub.revisions)


@pytest.fixture
def stage(world: World, stub: CloudRunStub) -> Stage:
    return Stage(world, stub)


@real
class TestCloudRun(Conformance):
    pass


# -- without gcloud ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('credentials_env = "GOOGLE_APPLICATION_CREDENTIALS"\ntoken_env = "RUN_TOKEN"', "either"),
        ('credentials_env = "a value, not a name"', "name of a variable"),
    ],
)
def test_a_wrong_table_is_said(world: World, line: str, said: str) -> None:
    configure(world, cloudrun=line)
    with pytest.raises(ConfigError, match=said):
        config.read(str(world.tree), "production")


def test_a_token_goes_over_https_only(world: World) -> None:
    configure(world)
    path = world.tree / "elo-gate.toml"
    path.write_text(path.read_text().replace("http://run.localhost", "http://run.example"))
    with pytest.raises(ConfigError, match="https only"):
        config.read(str(world.tree), "production")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "app",
        "host/app:latest",
        "host/app:1.2@sha256:abc",
        "--async",
        IMAGE + "\n" + IMAGE,
        " " + IMAGE,
        IMAGE + " --x",
    ],
)
def test_an_image_without_a_digest_is_refused(world: World, stub: CloudRunStub, text: str) -> None:
    (world.tree / "release" / "image").write_text(text)
    with pytest.raises(Lost, match="sha256"):
        make(world).deploy(str(world.tree / "release"), "5" * 64, "k1")
    assert not stub.calls


@pytest.mark.parametrize("id", ["web-a", "web-a=90", "web-a=50+web-b=60", "a=100,b=0", "--x=100", "web-a=100+"])
def test_what_is_no_split_goes_nowhere(world: World, stub: CloudRunStub, id: str) -> None:
    with pytest.raises(Lost, match="no split"):
        make(world).rollback(id)
    assert not stub.calls


def test_the_words_are_these(world: World, stub: CloudRunStub) -> None:
    """What gcloud is asked, word for word: a change shows here."""
    configure(world, gcloud="gcloud", cloudrun='release_env = "RELEASE"')
    where = [f"--region={REGION}", f"--project={PROJECT}", "--quiet"]
    form = "--format=json(metadata.generation,metadata.labels,spec.traffic,spec.template.metadata.name,status.conditions,status.observedGeneration,status.traffic)"
    assert make(world).calls() == [
        ["gcloud", "run", "services", "describe", "web", form, *where],
        ["gcloud", "run", "services", "update", "web", "--image=IMAGE", "--no-traffic", "--tag=TAG", "--revision-suffix=elo-KEY",
         "--update-env-vars=RELEASE=DIGEST", "--async", form, *where],
        ["gcloud", "run", "revisions", "list", "--service=web",
         "--format=json(metadata.name,status.conditions[].type,status.conditions[].status,status.conditions[].message)", *where],
        ["gcloud", "run", "services", "update-traffic", "web", "--to-revisions=web-elo-KEY=100", "--async", "--format=none", *where],
        ["gcloud", "run", "services", "update-traffic", "web", "--to-revisions=THE-SPLIT-BEFORE", "--async", "--format=none", *where],
    ]  # fmt: skip


@pytest.mark.parametrize(("said", "against"), [("527.9.9", "527.9.9"), ("none", "none")])
def test_a_gcloud_that_is_too_old_is_said(world: World, stub: CloudRunStub, said: str, against: str) -> None:
    program = world.tree.parent / "old-gcloud"
    program.write_text(f'#!/bin/sh\necho \'{{"Google Cloud SDK": "{said}"}}\'\n')
    program.chmod(0o755)
    configure(world, gcloud=str(program))
    assert against in make(world).preflight(str(world.tree / "release"), "")[0]


def test_without_gcloud_it_is_said(world: World, stub: CloudRunStub) -> None:
    configure(world, gcloud="no-such-gcloud")
    done = deploy(world)
    assert done.returncode == 3 and "cannot be started" in done.stderr


# -- with gcloud -------------------------------------------------------------------------------------------------


@real
def test_a_revision_is_made_of_the_image_that_the_gate_judged(world: World, stub: CloudRunStub) -> None:
    configure(world, cloudrun='release_env = "RELEASE"')
    platform: CloudRunPlatform = make(world)
    handle = platform.deploy(str(world.tree / "release"), "5" * 64, "20261125t101112-abcdef12")
    assert handle.id == "web-elo-20261125t101112-abcdef12=100" and named(handle.id)
    assert handle.url == f"{world.base}/candidate/web-elo-20261125t101112-abcdef12"
    (put,) = stub.puts
    (container,) = put["spec"]["template"]["spec"]["containers"]
    assert container["image"] == IMAGE
    assert {"name": "RELEASE", "value": "5" * 64} in container["env"]
    assert stub.split() == FIRST  # and nobody sees it
    assert [each for each in put["spec"]["traffic"] if each.get("tag")] == [
        {"revisionName": "web-elo-20261125t101112-abcdef12", "tag": "elo-abcdef12"}
    ]
    assert platform.variables("") == ["DB", "RELEASE"]
    platform.promote(handle.id)
    assert stub.split() == handle.id == platform.current()
    platform.rollback(FIRST)
    assert stub.split() == FIRST == platform.current()


@real
def test_what_speaks_against_it(world: World, stub: CloudRunStub) -> None:
    platform = make(world)
    snapshot = str(world.tree / "release")
    assert platform.preflight(snapshot, "") == []
    stub.labels["cloud.googleapis.com/location"] = "europe-west1"
    stub.observed = 0
    stub.revisions["web-b"] = ["False"]
    (world.tree / "release" / "image").write_text("host/app:latest\n")
    said = " ".join(platform.preflight(snapshot, ""))
    for word in ("sha256", "europe-west1", "on its way", "web-b"):
        assert word in said
    assert not stub.puts


def end(world: World) -> str:
    return [each["state"] for each in world.records() if each["kind"] == "end"][-1]


NEW = "NEW"  # stands for the new revision with all the traffic


@real
@pytest.mark.parametrize(
    ("script", "modes", "health", "code", "state", "live"),
    [
        (["Unknown", "True"], {}, {}, 0, "succeeded", NEW),
        (["Unknown", "False"], {}, {}, 4, "failed-clean", FIRST),
        (["True"], {}, {"candidate": 500}, 4, "failed-clean", FIRST),
        (["True"], {"traffic": "skipped"}, {}, 6, "unknown", FIRST),  # says so, and does nothing
        (["True"], {"traffic": "foreign"}, {}, 6, "unknown", "web-foreign=100"),
        (["True"], {}, {"live": 500}, 5, "rolled-back", FIRST),
        (["True"], {"traffic": ["ok", "skipped"]}, {"live": 500}, 6, "rollback-failed", NEW),
        (["True"], {"service": "refuse"}, {}, 3, "blocked", FIRST),
        (["True"], {"service": "429"}, {}, 3, "blocked", FIRST),
    ],
)  # fmt: skip
def test_the_end_is_what_was_observed(
    world: World, stub: CloudRunStub, script: list[str], modes: dict[str, Any], health: dict[str, Any], code: int,
    state: str, live: str,
) -> None:  # fmt: skip
    configure(world, target=TIMES.replace('deploy = "60s", promote = "60s"', 'deploy = "60s", promote = "15s"').replace(
        'rollback = "60s"', 'rollback = "15s"'
    ))  # fmt: skip
    stub.script, stub.modes = script, dict(modes)
    world.health = Health(health)
    done = deploy(world)
    new = [name for name in stub.revisions if "-elo-" in name]
    assert (done.returncode, end(world)) == (code, state), done.stderr
    assert stub.split() == (f"{new[0]}=100" if live == NEW else live)
    assert len(new) <= 1


class Health(dict[str, Any]):
    """What the site says: of a candidate, or of the new revision where it is live."""

    def get(self, release: str, default: Any = None) -> Any:
        if "-elo-" not in str(release):
            return default
        return super().get("live" if str(release).endswith("=100") else "candidate", default)


@real
def test_a_rollback_by_name_and_by_itself(world: World, stub: CloudRunStub) -> None:
    assert deploy(world).returncode == 0
    new = stub.split()
    assert run(world, "rollback", "production", "--yes").returncode == 0
    assert stub.split() == FIRST
    assert run(world, "rollback", "production", "--yes", "--to", new).returncode == 0
    assert stub.split() == new


@real
def test_killed_after_the_request_it_is_sent_once_and_the_token_is_seen_nowhere(
    world: World, stub: CloudRunStub
) -> None:
    stub.modes = {"create": ["wait-after"]}
    process = deploy(world, wait=False)
    seen: set[bytes] = set()
    limit = time.monotonic() + 60
    while not stub.puts:
        assert time.monotonic() < limit, "did not come"
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.add(each.read_bytes())
            except OSError:
                pass
        time.sleep(0.02)
    process.kill()
    process.communicate(timeout=30)
    refused = deploy(world, "--resume")
    while refused.returncode == 3:  # its gcloud lives on and holds the lock
        assert time.monotonic() < limit + 60
        stub.free.set()
        time.sleep(0.5)
        refused = deploy(world, "--resume")
    assert refused.returncode == 0, refused.stderr
    assert len([name for name in stub.revisions if "-elo-" in name]) == 1
    assert any(b"--no-traffic" in each for each in seen)
    written = [each.read_bytes() for each in world.folder.rglob("*") if each.is_file()]
    assert len(written) > 3
    for each in (*seen, *written, refused.stdout.encode(), refused.stderr.encode()):
        assert CANARY.encode() not in each and b"hunter22" not in each


@real
def test_a_red_gate_starts_no_gcloud(world: World, stub: CloudRunStub) -> None:
    (world.tree / "vercel.json").write_text('{"env": {"DATABASE_URL": "@database-url"}}\n')
    assert deploy(world).returncode == 1
    assert not stub.calls
