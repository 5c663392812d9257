"""The command platform keeps what every platform has to keep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from elo_gate.deploy import commands, platforms
from elo_gate.deploy.platform import Lost
from elo_gate.deploy.veil import Veil

from ..conftest import World
from .conformance import Conformance

CANARY = "kq-Vt7/zx+93=mm-Lw2"


class Stage:
    canary = CANARY

    def __init__(self, world: World) -> None:
        world.config("stage", target='timeouts = { deploy = "1s", promote = "5s", rollback = "5s", ask = "1s" }')
        self.world = world
        self.snapshot = str(world.tree / "dist")
        place = commands.place_of(str(world.tree), "production")
        self.platform = platforms.make(place, Veil(place.secrets()), str(world.tree.parent))

    def break_(self, verb: str, how: str) -> None:
        self.world.set(modes={verb: how})

    def arrivals(self, key: str) -> int:
        return sum(each["key"] == key for each in self.world.now()["releases"].values())


@pytest.fixture
def stage(world: World, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setenv("PLATFORM_TOKEN", CANARY)
    return Stage(world)


class TestCommand(Conformance):
    pass


@pytest.mark.parametrize(
    "answer",
    [
        "{}", "[]", "1", '{"id": 7}', '{"id": ""}', '{"id": "-rf"}', '{"id": "a b"}', '{"id": "a\\nb"}', '{"id": null}',
        '{"id": "%s"}' % ("x" * 300), '{"id": "kq-Vt7/zx+93=mm-Lw2"}', '{"id": "a", "url": "file:///etc/passwd"}',
        '{"id": "a", "url": "https://u:p@x/"}', '{"id": "a", "url": 7}', '{"id": "a", "url": "http://["}', "[" * 100_000,
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_written_down_is_none(stage: Any, world: World, answer: str) -> None:
    program: Path = world.tree / "ops" / "platform"
    (world.tree / "answer").write_text(answer)
    program.write_text("#!/bin/sh\ncat answer\n")
    with pytest.raises(Lost):
        stage.platform.deploy(stage.snapshot, "5" * 64, "k1")
