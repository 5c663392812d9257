"""Azure Container Apps: which words `az` is given, and what its answers are taken for.

Nothing here shows that Azure does what its documents say: `az` is a program of ours that keeps to them.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from elo_gate.deploy import commands, config, platforms
from elo_gate.deploy.platform import Lost
from elo_gate.deploy.platforms.azure import APP, NAMES, REVISIONS
from elo_gate.deploy.veil import Veil
from elo_gate.policy import ConfigError

from ..conftest import World
from .conformance import Conformance

CANARY = "az-Kd82nqVt7zx93mmLw2"
FIRST = "web--a=90+web--b=10"
IMAGE = "elo.azurecr.io/app/web@sha256:" + "5" * 64
SUBSCRIPTION = "22222222-2222-4222-8222-222222222222"
WHOSE = ["--name", "web", "--resource-group", "elo", "--subscription", SUBSCRIPTION]

# Strict: words that are not exactly the expected ones end it.
AZ = """#!{python} -SE
import json, os, sys, time
state = {state!r}
now = json.load(open(state))
assert os.environ["AZURE_CONFIG_DIR"] == {canary!r} and "HOME" in os.environ
words = sys.argv[1:]
now["argv"].append(words)
def save():
    json.dump(now, open(state + ".new", "w")); os.replace(state + ".new", state)
def leave(answer, code=0):
    save()
    if answer is not None: print(json.dumps(answer))
    sys.exit(code)
assert words[:1] == ["containerapp"]
at = 1 + next(i for i, w in enumerate(words[1:]) if w.startswith("--"))
verb, rest = " ".join(words[1:at]), words[at:]
assert rest[:6] == {whose!r}, rest
rest = rest[6:]
if verb == "show" and rest[1].startswith("properties"): verb = "names"
mode = now["modes"].get(verb, "ok")
if mode == "refuse": sys.stderr.write("folder " + os.environ["AZURE_CONFIG_DIR"]); leave(None, 1)
if mode == "nonsense": save(); print("<html>"); sys.exit(0)
if mode == "hang": save(); time.sleep(60)
if mode == "lost-before": leave(None, 1)
if verb == "show":
    assert rest == ["--query", {app!r}, "--output", "json"]
    leave(now["app"])
elif verb == "names":
    assert rest == ["--query", {names!r}, "--output", "json"]
    leave(["PORT", "DB"])
elif verb == "revision list":
    assert rest == ["--all", "--query", {revisions!r}, "--output", "json"]
    leave(now["revisions"])
elif verb == "update":
    assert rest[0] == "--image" and rest[2] == "--revision-suffix" and rest[-2:] == ["--output", "none"]
    name = "web--" + rest[3]
    now["revisions"].append({{"name": name, "fqdn": name + ".example", "provisioning": "Provisioned", "running": "Running", "health": "Healthy"}})
    leave(None, 1 if mode == "lost-after" else 0)
elif verb == "ingress traffic set":
    assert rest[0] == "--revision-weight" and rest[-2:] == ["--output", "none"]
    for each in rest[1:-2]:
        name, weight = each.split("=")
        assert any(one["name"] == name for one in now["revisions"])
        now["app"]["traffic"] = [one for one in now["app"]["traffic"] if one["revisionName"] != name]
        now["app"]["traffic"].append({{"revisionName": name, "weight": int(weight)}})
    assert sum(one["weight"] for one in now["app"]["traffic"]) == 100
    leave(None, 1 if mode == "said-no" else 0)
else:
    raise SystemExit("no such verb: " + verb)
"""


def revision(name: str) -> dict[str, str]:
    return {
        "name": name,
        "fqdn": f"{name}.example",
        "provisioning": "Provisioned",
        "running": "Running",
        "health": "Healthy",
    }


class Azure:
    """The state of the program."""

    def __init__(self, world: World) -> None:
        self.state = world.tree.parent / "azure.json"
        self.program = world.tree.parent / "az"
        self.program.write_text(
            AZ.format(
                python=os.path.realpath(sys.executable), state=str(self.state), canary=CANARY, whose=WHOSE, app=APP,
                names=NAMES, revisions=REVISIONS,
            )
        )  # fmt: skip
        self.program.chmod(0o755)
        self.state.write_text("{}")
        traffic = [{"revisionName": "web--a", "weight": 90}, {"revisionName": "web--b", "weight": 10}]
        app = {"mode": "Multiple", "traffic": traffic, "state": "Succeeded", "ready": "web--b"}
        self.set(app=app, revisions=[revision("web--a"), revision("web--b")], argv=[], modes={})

    def now(self) -> dict[str, Any]:
        return dict(json.loads(self.state.read_text()))

    def set(self, **values: Any) -> None:
        self.state.write_text(json.dumps({**self.now(), **values}))


def configure(world: World, azure: Azure, more: str = "experimental = true", ask: str = "10s") -> None:
    (world.tree / "elo-gate.toml").write_text(f"""
[deploy.targets.production]
platform = "azure"
url = "{world.base}"
artifact = "release"
timeouts = {{ deploy = "{ask}", promote = "{ask}", verify = "3s", rollback = "{ask}", ask = "{ask}" }}
[deploy.targets.production.verify]
health = {{ path = "/api/health" }}
[deploy.targets.production.azure]
app = "web"
resource_group = "elo"
subscription = "{SUBSCRIPTION}"
az = "{azure.program}"
{more}
""")


@pytest.fixture
def azure(world: World, monkeypatch: pytest.MonkeyPatch) -> Azure:
    (world.tree / "release").mkdir()
    (world.tree / "release" / "image").write_text(IMAGE + "\n")
    made = Azure(world)
    configure(world, made)
    monkeypatch.setenv("AZURE_CONFIG_DIR", CANARY)
    return made


def make(world: World) -> Any:
    place = commands.place_of(str(world.tree), "production")
    return platforms.make(place, Veil(place.secrets()), str(world.tree.parent))


VERBS = {
    "current": "show", "deploy": "update", "find": "revision list", "status": "revision list",
    "promote": "ingress traffic set", "rollback": "ingress traffic set",
}  # fmt: skip


class Stage:
    canary = CANARY
    first = FIRST

    def __init__(self, world: World, azure: Azure) -> None:
        self.azure = azure
        self.world = world
        self.snapshot = str(world.tree / "release")
        self.platform = make(world)

    def break_(self, verb: str, how: str) -> None:
        if how in ("pending", "failed"):
            states = {"provisioning": "Provisioning"} if how == "pending" else {"provisioning": "Failed"}
            found = self.azure.now()["revisions"]
            self.azure.set(revisions=[{**found[0], **states}, *found[1:]])
            return
        if how == "hang":
            configure(self.world, self.azure, ask="1s")
            self.platform = make(self.world)
        self.azure.set(modes={VERBS[verb]: how})

    def arrivals(self, key: str) -> int:
        return sum(each["name"] == f"web--elo-{key}" for each in self.azure.now()["revisions"])


@pytest.fixture
def stage(world: World, azure: Azure) -> Stage:
    return Stage(world, azure)


class TestAzure(Conformance):
    pass


def test_it_says_that_it_is_experimental(world: World, azure: Azure) -> None:
    configure(world, azure, more="")
    with pytest.raises(ConfigError, match="experimental = true"):
        config.read(str(world.tree), "production")


def test_the_words_are_these(world: World, azure: Azure) -> None:
    """What az is given for one release that goes live and back, word for word."""
    configure(world, azure, more='experimental = true\nrelease_env = "RELEASE"')
    platform = make(world)
    handle = platform.deploy(str(world.tree / "release"), "d" * 64, "k1")
    assert platform.current() == FIRST
    assert platform.status(handle.id) == ("ready", "", "https://web--elo-k1.example")
    platform.promote(handle.id)
    assert platform.current() == handle.id == "web--elo-k1=100"
    platform.rollback(FIRST)
    assert platform.current() == FIRST
    show = ["containerapp", "show", *WHOSE, "--query", APP, "--output", "json"]
    share = ["containerapp", "ingress", "traffic", "set", *WHOSE, "--revision-weight"]
    assert azure.now()["argv"] == [
        ["containerapp", "update", *WHOSE, "--image", IMAGE, "--revision-suffix", "elo-k1", "--set-env-vars",
         "RELEASE=" + "d" * 64, "--output", "none"],
        ["containerapp", "revision", "list", *WHOSE, "--all", "--query", REVISIONS, "--output", "json"],
        show,
        ["containerapp", "revision", "list", *WHOSE, "--all", "--query", REVISIONS, "--output", "json"],
        show,
        [*share, "web--elo-k1=100", "web--a=0", "web--b=0", "--output", "none"],
        show,
        show,
        [*share, "web--a=90", "web--b=10", "web--elo-k1=0", "--output", "none"],
        show,
    ]  # fmt: skip
    assert platform.calls()[1][:2] == [str(azure.program), "containerapp"]


@pytest.mark.parametrize(
    ("app", "image", "said"),
    [
        ({"mode": "Single"}, IMAGE, "revision mode"),
        ({"traffic": [{"latestRevision": True, "weight": 100}]}, IMAGE, "pin it"),
        ({"state": "InProgress"}, IMAGE, "on its way"),
        ({}, "elo.azurecr.io/app/web:latest", "sha256"),
    ],
)
def test_what_speaks_against_it(world: World, azure: Azure, app: dict[str, Any], image: str, said: str) -> None:
    snapshot = world.tree / "release"
    assert make(world).preflight(str(snapshot), "") == []
    azure.set(app={**azure.now()["app"], **app})
    (snapshot / "image").write_text(image)
    against = make(world).preflight(str(snapshot), "")
    assert len(against) == 1 and said in against[0]


def test_without_a_session_nothing_is_started(world: World, azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_CONFIG_DIR")
    with pytest.raises(Lost, match="AZURE_CONFIG_DIR"):
        make(world).current()
    assert azure.now()["argv"] == []


@pytest.mark.parametrize(
    ("states", "word"),
    [
        ({"running": "Processing"}, "pending"), ({"health": "Unhealthy"}, "pending"), ({"running": "Degraded"}, "pending"),
        ({"running": "Failed"}, "failed"), ({"running": "Stopped"}, "failed"), ({"provisioning": "Deprovisioned"}, "failed"),
        ({"health": "None"}, "ready"), ({"provisioning": None}, "pending"),
    ],
)  # fmt: skip
def test_what_a_state_is_taken_for(world: World, azure: Azure, states: dict[str, str], word: str) -> None:
    azure.set(revisions=[{**revision("web--a"), **states}])
    assert make(world).status("web--a=100")[0] == word


def test_only_names_of_variables_are_asked_for(world: World, azure: Azure) -> None:
    assert make(world).variables("") == ["DB", "PORT"]
    assert "value" not in APP + REVISIONS + NAMES


def test_the_folder_of_the_session_is_shown_nowhere(world: World, azure: Azure) -> None:
    azure.set(modes={"show": "refuse"})
    done = world.run("deploy", "production", "--yes", env={"AZURE_CONFIG_DIR": CANARY})
    assert done.returncode == 3 and CANARY not in done.stdout + done.stderr
    assert not any(CANARY.encode() in each.read_bytes() for each in Path(world.folder).rglob("*") if each.is_file())
