"""ECS with the real `aws` command line against a service of our own that rolls; no cluster was there to try it on."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from elo_gate.deploy import commands, platforms
from elo_gate.deploy.platform import Lost
from elo_gate.deploy.veil import Veil

from ..conftest import World
from .aws_stub import ACCOUNT, Cloud
from .conformance import Conformance

AWS = os.environ.get("ELO_GATE_AWS") or shutil.which("aws") or ""
CANARY = "wJalrXUtnFEMI/K7MDENG/kq-Vt7zx93mmLw2"
pytestmark = pytest.mark.skipif(not AWS, reason="no `aws` command line on PATH or in ELO_GATE_AWS")
IMAGE = "registry.example/web@sha256:" + "a" * 64


class Shop:
    """A tree whose target is the stub's service."""

    def __init__(self, world: World, cloud: Cloud) -> None:
        self.world = world
        self.cloud = cloud
        self.ecs = cloud.ecs
        self.env = {"AWS_ENDPOINT_URL": cloud.address, "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": CANARY,
                    "AWS_MAX_ATTEMPTS": "1"}  # fmt: skip
        folder = world.tree / "ops" / "ecs"
        folder.mkdir()
        self.definition(IMAGE)
        self.config()

    def definition(self, image: str) -> None:
        made = {
            "family": "web",
            "containerDefinitions": [
                {
                    "name": "web", "image": image, "environment": [{"name": "NODE_ENV", "value": "production"}],
                    "secrets": [{"name": "DATABASE_URL", "valueFrom": "arn:aws:ssm:x"}],
                }
            ],
        }  # fmt: skip
        (self.world.tree / "ops" / "ecs" / "task-definition.json").write_text(json.dumps(made))

    def config(self, deploy: str = "20s") -> None:
        (self.world.tree / "elo-gate.toml").write_text(f"""
[deploy.targets.production]
platform = "ecs"
url = "{self.world.base}"
artifact = "ops/ecs"
settle = "50ms"
poll = "50ms"
timeouts = {{ deploy = "{deploy}", promote = "20s", verify = "5s", rollback = "20s", ask = "20s" }}
[deploy.targets.production.verify]
health = {{ path = "/api/health", expect = "healthy" }}
passes = 1
failures = 1
no_answer_limit = 2
interval = "20ms"
[deploy.targets.production.ecs]
cli = "{AWS}"
account = "{ACCOUNT}"
region = "eu-central-1"
cluster = "shop"
service = "web"
""")

    def deploy(self, *words: str, **more: Any) -> Any:
        return self.world.run("deploy", "production", "--yes", *words, env=self.env, **more)


@pytest.fixture
def shop(world: World) -> Iterator[Shop]:
    cloud = Cloud()
    made = Shop(world, cloud)
    yield made
    cloud.close()
    assert made.ecs.strange == []


# What the command line asks for a verb.
OPERATIONS = {
    "current": "DescribeServices", "deploy": "UpdateService", "find": "DescribeServices", "status": "DescribeServices",
    "rollback": "UpdateService", "promote": "UpdateService",
}  # fmt: skip


class Stage:
    canary = CANARY
    first = "web:1"

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        shop.world.config()  # a short `ask`, as the command platform's own tests have it
        shop.config()
        self.snapshot = str(shop.world.tree / "ops" / "ecs")
        place = commands.place_of(str(shop.world.tree), "production")
        self.platform = platforms.make(place, Veil(place.secrets()), str(shop.world.tree.parent))

    def break_(self, verb: str, how: str) -> None:
        ecs = self.shop.ecs
        if how in ("pending", "failed"):
            ecs.deployments[0]["rolloutState"] = {"pending": "IN_PROGRESS", "failed": "FAILED"}[how]
            ecs.deployments[0]["stuck"] = True
            return
        said: Any = {
            "refuse": (400, "AccessDeniedException"), "nonsense": "nonsense", "hang": "drop", "lost-before": "drop",
            "lost-after": "drop-after",
        }[how]  # fmt: skip
        ecs.answers[OPERATIONS[verb]] = [said]

    def arrivals(self, key: str) -> int:
        return sum({"key": "elo-gate-id", "value": key} in each["tags"] for each in self.shop.ecs.definitions)


@pytest.fixture
def stage(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Stage:
    for name, value in shop.env.items():
        monkeypatch.setenv(name, value)
    # The command line's own retries are not what is tested.
    monkeypatch.setattr("elo_gate.deploy.platforms.aws.PLAIN", (*platform_names(), "AWS_MAX_ATTEMPTS"))
    return Stage(shop)


def platform_names() -> tuple[str, ...]:
    from elo_gate.deploy.platforms.aws import PLAIN

    return PLAIN


class TestEcs(Conformance):
    pass


def test_a_good_release_goes_live(shop: Shop) -> None:
    done = shop.deploy()
    assert done.returncode == 0, done.stderr
    assert shop.ecs.live == "web:2" and shop.ecs.count("UpdateService") == 1
    tags = {each["key"]: each["value"] for each in shop.ecs.definitions[1]["tags"]}
    assert tags["elo-gate-digest"] == shop.world.records()[0]["digest"]
    assert not any("wait" in name.lower() for name, _ in shop.ecs.calls)


# With no task wanted, the new definition is what has come to rest: it is live, runs nothing, and is taken back.
@pytest.mark.parametrize(("mode", "code", "end"), [("failed", 4, "failed-clean"), ("zero", 5, "rolled-back")])
def test_a_release_that_does_not_come_up(shop: Shop, mode: str, code: int, end: str) -> None:
    shop.ecs.mode = mode
    done = shop.deploy()
    assert (done.returncode, shop.world.path()[-1]) == (code, end), done.stderr


def test_the_circuit_breaker_went_back_and_nobody_calls_that_a_success(shop: Shop) -> None:
    shop.ecs.mode = "breaker"
    done = shop.deploy()
    assert done.returncode == 5, done.stderr
    assert shop.world.path()[-2:] == ["restored", "rolled-back"]
    assert shop.ecs.live == "web:1" and shop.ecs.count("UpdateService") == 1
    assert "circuit breaker" in done.stderr


def test_a_release_that_never_comes_to_rest_is_not_called_anything(shop: Shop) -> None:
    shop.config(deploy="6s")
    shop.ecs.mode = "never"
    done = shop.deploy()
    assert done.returncode == 6 and "may still go live" in done.stderr


def test_a_red_look_at_the_live_release_brings_the_old_one_back(shop: Shop) -> None:
    health: dict[str, Any] = {"web:2": {"status": "down"}, "web:1": "good", "r0": "good"}
    shop.world.health = Following(health, shop)
    done = shop.deploy()
    assert done.returncode == 5, done.stderr
    assert shop.ecs.live == "web:1"
    assert [body["taskDefinition"] for name, body in shop.ecs.calls if name == "UpdateService"][1:] == ["web:1"]


class Following(dict[str, Any]):
    """What the site's health says, by what the service runs and not by what the site itself believes."""

    def __init__(self, said: dict[str, Any], shop: Shop) -> None:
        super().__init__(said)
        self.shop = shop

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(self.shop.ecs.live, default)


def test_somebody_else_deploys_in_between(shop: Shop) -> None:
    class Other(Following):
        def get(self, key: str, default: Any = None) -> Any:
            if shop.ecs.live == "web:2":
                shop.ecs.definitions.append({"family": "web", "tags": []})
                shop.ecs.give("arn:aws:ecs:eu-central-1:123456789012:task-definition/web:3")
                shop.ecs.step()
            return {"status": "down"}

    shop.world.health = Other({}, shop)
    done = shop.deploy()
    assert done.returncode == 6, done.stderr
    assert shop.ecs.count("UpdateService") == 1


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("DescribeServices", (400, "ExpiredTokenException")),
        ("DescribeServices", (400, "ThrottlingException")),
        ("RegisterTaskDefinition", (400, "AccessDeniedException")),
    ],
)
def test_a_refusal_changes_nothing(shop: Shop, operation: str, said: Any) -> None:
    shop.ecs.answers[operation] = [said] * 20
    done = shop.deploy()
    assert done.returncode in (3, 4), done.stderr
    assert shop.ecs.count("UpdateService") == 0 and shop.ecs.live == "web:1"
    assert CANARY not in done.stderr + done.stdout


@pytest.mark.parametrize("what", ["image", "account", "busy", "none"])
def test_preflight(shop: Shop, what: str) -> None:
    if what == "image":
        shop.definition("registry.example/web:latest")
    elif what == "account":
        shop.ecs.account = "210987654321"
    elif what == "busy":
        shop.ecs.deployments.insert(0, {**shop.ecs.row("x", "web:1", "PRIMARY", "IN_PROGRESS", 0), "stuck": True})
    else:
        shop.ecs.desired = 0
    done = shop.deploy()
    assert done.returncode == 3, done.stderr
    words = {"image": "digest", "account": "account", "busy": "under way", "none": "no task"}
    assert words[what] in done.stderr
    assert shop.ecs.count("RegisterTaskDefinition") == shop.ecs.count("UpdateService") == 0


def test_killed_after_the_service_was_told(shop: Shop) -> None:
    hook = """
import os, elo_gate.deploy.platforms.ecs as e
give = e.EcsPlatform._give
def then_die(self, what, id):
    give(self, what, id)
    os.kill(os.getpid(), 9)
e.EcsPlatform._give = then_die
"""
    assert shop.deploy(code=hook).returncode == -9
    done = shop.deploy("--resume")
    assert done.returncode == 0, done.stderr
    assert shop.ecs.count("UpdateService") == shop.ecs.count("RegisterTaskDefinition") == 1


def test_killed_between_registering_and_telling(shop: Shop) -> None:
    hook = """
import os, elo_gate.deploy.platforms.ecs as e
e.EcsPlatform._give = lambda *_: os.kill(os.getpid(), 9)
"""
    assert shop.deploy(code=hook).returncode == -9
    done = shop.deploy("--resume")
    assert done.returncode == 0, done.stderr
    assert shop.ecs.count("UpdateService") == shop.ecs.count("RegisterTaskDefinition") == 1


def test_rollback_by_hand_and_no_word_of_the_secret(shop: Shop) -> None:
    seen: list[bytes] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.append(path.read_bytes())
                except OSError:
                    continue
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert shop.deploy().returncode == 0
        done = shop.world.run("rollback", "production", "--yes", env=shop.env)
    finally:
        over.set()
        watcher.join()
    assert done.returncode == 0, done.stderr
    assert shop.ecs.live == "web:1"
    assert any(b"describe-services" in each for each in seen)
    assert not any(CANARY.encode() in each for each in seen)
    kept = [each.read_bytes() for each in shop.world.folder.rglob("*") if each.is_file()]
    assert kept and not any(CANARY.encode() in each for each in kept)
    assert CANARY not in done.stdout + done.stderr


def test_a_red_gate_calls_nothing(shop: Shop) -> None:
    (shop.world.tree / "Dockerfile").write_text("FROM node:latest\nENV API_KEY=sk_live_4eC39HqLyjWDarjtT1zdp7dc\n")
    assert shop.deploy().returncode == 1
    assert shop.ecs.calls == []


def test_the_names_a_release_gets(stage: Stage) -> None:
    assert stage.platform.variables(stage.snapshot) == ["DATABASE_URL", "NODE_ENV"]


def test_there_is_no_stage(stage: Stage) -> None:
    with pytest.raises(Lost):
        stage.platform.promote("web:1")


@pytest.mark.parametrize("given", [True, False])
def test_a_variable_the_code_fails_without_has_to_be_there(shop: Shop, given: bool) -> None:
    (shop.world.tree / "package.json").write_text('{"name": "shop", "private": true}')
    (shop.world.tree / "db.js").write_text(
        'const url = process.env.PAYMENTS_URL;\nif (!url) throw new Error("PAYMENTS_URL is not set");\n'
    )
    if given:
        path = shop.world.tree / "ops" / "ecs" / "task-definition.json"
        path.write_text(path.read_text().replace("DATABASE_URL", "PAYMENTS_URL"))
    done = shop.deploy()
    assert done.returncode == (0 if given else 3), done.stderr
    assert given or "variables-configured: the platform has no PAYMENTS_URL" in done.stderr
    answers = [each["answer"]["result"] for each in shop.world.records() if each["kind"] == "item"]
    assert answers == ["passed" if given else "failed"]
