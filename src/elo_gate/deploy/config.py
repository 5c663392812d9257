"""Turns the `[deploy]` table of elo-gate.toml into targets, or says which key is wrong.

Only names of variables stand here, never a value of one.
"""

from __future__ import annotations

import os
import re
import tomllib
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from ..policy import ConfigError
from ..policy.config import find, text_of
from . import calendar

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
# Which placeholders a verb of the command platform can fill.
VERBS = {
    "deploy": ("snapshot", "digest", "key"),
    "current": (),
    "status": ("id",),
    "find": ("key",),
    "promote": ("id",),
    "rollback": ("id",),
}
# The words of `elo-gate deploy WORD`.
RESERVED = ("abort", "approve", "history", "run", "status", "unlock")
WITHIN = 24 * 3600.0


def seconds(value: Any) -> Any:
    """The seconds of `15m`, `5s`, `500ms`, `2h`."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise ValueError('a time has a unit and quotes: "15m", "5s"')
    found = re.fullmatch(r"([0-9]{1,7})(ms|s|m|h)", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('a time is written "15m", "5s", "500ms" or "2h"')
    made = int(found[1]) * _UNITS[found[2]]
    if not 0 < made <= WITHIN:
        raise ValueError("a time is over nothing and at most a day")
    return made


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", text):
        raise ValueError("the name of a variable stands here, never its value")
    return text


def _below(text: str) -> str:
    clean = os.path.normpath(text).replace(os.sep, "/")
    if not text or os.path.isabs(text) or clean == ".." or clean.startswith("../") or "\0" in text:
        raise ValueError("a path below the configuration's folder stands here")
    return clean


def _address(text: str) -> str:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        bad = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:
        bad = True
    if bad or parts.username or parts.password or parts.query or parts.fragment or not text.isprintable():
        raise ValueError("an http or https address without a user, a query and a fragment stands here")
    return text.rstrip("/")


def _path(text: str) -> str:
    if not re.fullmatch(r"/[!-~]*", text):
        raise ValueError("a path begins with / and holds printable ASCII without blanks")
    return text


def _ident(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", text):
        raise ValueError("a name is made of small letters, digits and -")
    return text


def _target(text: str) -> str:
    if text in RESERVED:
        raise ValueError(f"a target is not called as a command is: {', '.join(RESERVED)}")
    return _ident(text)


def _window(text: str) -> str:
    calendar.window(text)
    return text


def _freeze(text: str) -> str:
    calendar.freeze(text)
    return text


def _command(argv: list[str]) -> list[str]:
    if not argv or not argv[0] or any("\0" in each for each in argv):
        raise ValueError("a command is a list of words, the program first; no shell reads it")
    return argv


Seconds = Annotated[
    float,
    BeforeValidator(seconds),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,7}(ms|s|m|h)$"}, mode="validation"),
]
Name = Annotated[str, AfterValidator(_name)]
Below = Annotated[str, AfterValidator(_below)]
Address = Annotated[str, AfterValidator(_address)]
UrlPath = Annotated[str, AfterValidator(_path)]
Ident = Annotated[str, AfterValidator(_ident)]
TargetName = Annotated[str, AfterValidator(_target)]
Argv = Annotated[list[str], AfterValidator(_command)]
Window = Annotated[str, AfterValidator(_window)]
Freeze = Annotated[str, AfterValidator(_freeze)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)


class Approvals(_Table):
    """Who must have signed: `allowed_signers` lies outside of the repository, or is read as it is in `ref`."""

    count: int = Field(ge=1, le=20)
    allowed_signers: str
    ref: str = ""
    self_approval: bool = False

    @model_validator(mode="after")
    def _signers(self) -> Approvals:
        if not os.path.isabs(self.allowed_signers) and not self.ref:
            raise ValueError("allowed_signers: a path of the repository needs `ref`, the branch it is read from")
        return self


class Timeouts(_Table):
    deploy: Seconds = 900.0
    promote: Seconds = 180.0
    verify: Seconds = 300.0
    rollback: Seconds = 300.0
    ask: Seconds = 30.0


class Health(_Table):
    """The health route: its `field` of a JSON answer must be `expect`; one of `warn` is told and lets pass."""

    path: UrlPath
    field: str = "status"
    expect: str = ""
    warn: list[str] = []


class Path(_Table):
    path: UrlPath
    status: int = Field(ge=100, le=599)


class Verify(_Table):
    health: Health | None = None
    paths: list[UrlPath | Path] = Field(default=[], max_length=50)
    passes: int = Field(default=3, ge=1, le=100)
    failures: int = Field(default=2, ge=1, le=100)
    no_answer_limit: int = Field(default=6, ge=1, le=1000)
    interval: Seconds = 5.0
    answer: Seconds = 10.0
    on_inconclusive: Literal["hold", "rollback", "accept"] = "hold"
    expect_release: str = Field(default="", pattern=r"^(|header:[A-Za-z0-9-]+|json:[A-Za-z0-9_.-]+)$")

    @model_validator(mode="after")
    def _something(self) -> Verify:
        if self.health is None and not self.paths:
            raise ValueError("needs `health` or `paths`: what is not looked at is not verified")
        if self.expect_release.startswith("json:") and self.health is None:
            raise ValueError("expect_release: json: reads the health route, and there is none")
        return self


class Item(_Table):
    """One item of the checklist: `run` is a command, `manual` the words that somebody confirms."""

    phase: Literal["pre", "during", "post"]
    id: Ident
    run: Argv | None = None
    manual: str = ""
    advisory: bool = False
    timeout: Seconds = 300.0

    @model_validator(mode="after")
    def _one(self) -> Item:
        if (self.run is None) == (not self.manual):
            raise ValueError("needs either `run` or `manual`")
        if self.manual and self.advisory:
            raise ValueError("advisory: goes with `run`")
        return self


class Notify(_Table):
    """Where the outcome is told: the address stands in a variable, since it lets its reader write there."""

    url_env: Name
    timeout: Seconds = 5.0


class Command(_Table):
    """The verbs of the command platform, as lists of words."""

    deploy: Argv
    current: Argv
    status: Argv
    find: Argv | None = None
    promote: Argv | None = None
    rollback: Argv | None = None
    env: list[Name] = []

    @model_validator(mode="after")
    def _placeholders(self) -> Command:
        for verb, allowed in VERBS.items():
            for word in getattr(self, verb) or ():
                if word.startswith("{") and word.endswith("}") and word[1:-1] not in allowed:
                    known = ", ".join("{" + each + "}" for each in allowed) or "none"
                    raise ValueError(f"{verb}: no such placeholder here; there are: {known}")
        return self


class Target(_Table):
    platform: Literal["command"]
    url: Address
    artifact: Below
    verify: Verify
    command: Command
    strategy: Literal["stage", "in-place"] = "in-place"
    requires: list[Ident] = []
    windows: list[Window] = []
    freeze: list[Freeze] = []
    approvals: Approvals | None = None
    timeouts: Timeouts = Timeouts()
    rollback: Literal["auto", "manual"] = "auto"
    first_deploy: bool = False
    settle: Seconds = 10.0
    poll: Seconds = 2.0
    checklist: list[Item] = Field(default=[], max_length=100)
    every_item: bool = False
    notify: Notify | None = None

    @model_validator(mode="after")
    def _fits(self) -> Target:
        if self.strategy == "stage" and self.command.promote is None:
            raise ValueError('strategy = "stage" needs command.promote')
        if self.strategy == "in-place" and self.command.promote is not None:
            raise ValueError('command.promote goes with strategy = "stage"')
        if self.rollback == "auto" and self.command.rollback is None:
            raise ValueError('rollback = "auto" needs command.rollback; rollback = "manual" says there is none')
        names = [each.id for each in self.checklist]
        if len(set(names)) != len(names):
            raise ValueError("checklist: two items have one id")
        return self


class Deploy(_Table):
    state_dir: Below = ".elo-gate/deploy"
    gate_max_age: Seconds = 3600.0
    targets: dict[TargetName, Target] = Field(min_length=1)


class Place:
    """A target in its repository: `folder` is the configuration's, `state` where the target's journal lies."""

    __slots__ = ("name", "target", "folder", "state", "path", "max_age", "states")

    def __init__(self, name: str, target: Target, path: str, deploy: Deploy) -> None:
        self.name = name
        self.target = target
        self.path = path
        self.folder = os.path.dirname(path)
        self.states = os.path.join(self.folder, deploy.state_dir)
        self.state = os.path.join(self.states, name)
        self.max_age = deploy.gate_max_age

    def secrets(self) -> list[str]:
        """The names of the variables whose values must not be shown."""
        return [*self.target.command.env, *([self.target.notify.url_env] if self.target.notify else [])]


def read(root: str, name: str) -> Place:
    """The target of a name, of the configuration that `check` would read at a root. Raises ConfigError."""
    from ..discover import DiskTree
    from ..policy.config import nearest

    tree = DiskTree(root)
    path = find(tree.root, tree.top())
    if path is None:
        raise ConfigError(f"{tree.root}: no elo-gate.toml; [deploy.targets.NAME] says where to deploy to")
    deploy = parse(text_of(path), path)
    if name not in deploy.targets:
        raise ConfigError(f"{path}: no target '{name}'{nearest(name, deploy.targets)}")
    place = Place(name, deploy.targets[name], os.path.realpath(path), deploy)
    for other in place.target.requires:
        if other not in deploy.targets or other == name:
            raise ConfigError(f"{path}: deploy.targets.{name}.requires: '{other}' is no other target")
    return place


def parse(text: str, path: str) -> Deploy:
    """The `[deploy]` table of a configuration. Raises ConfigError."""
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        raise ConfigError(f"{path}: not TOML; `elo-gate check` says where") from None
    if os.path.basename(path) == "pyproject.toml":
        values = values.get("tool", {}).get("elo-gate", {})
    if "deploy" not in values:
        raise ConfigError(f"{path}: no [deploy.targets.NAME]: nothing says where to deploy to")
    try:
        return Deploy.model_validate(values["deploy"])
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(each) for each in ("deploy", *first["loc"]))
        raise ConfigError(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}") from None


def schema() -> dict[str, Any]:
    """The JSON schema of the table."""
    made = Deploy.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "[deploy] of elo-gate.toml"}


if __name__ == "__main__":
    import json
    import sys

    # Writes the schema: python -m elo_gate.deploy.config > schemas/deploy.schema.json
    sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
