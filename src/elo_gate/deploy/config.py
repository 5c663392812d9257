"""Turns the `[deploy]` table of elo-gate.toml into targets, or says which key is wrong.

Only names of variables stand here, never a value of one.
"""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from ..policy import ConfigError
from ..policy.config import find, text_of
from .fields import Address, Argv, Below, Freeze, Ident, Name, Seconds, Table, UrlPath, Window, ident, mistake, tables
from .platforms.azure import AzureOptions
from .platforms.cloudrun import CloudRunOptions
from .platforms.command import CommandOptions
from .platforms.ecs import EcsOptions
from .platforms.kubernetes.options import KubernetesOptions
from .platforms.railway.options import RailwayOptions
from .platforms.s3_static import S3StaticOptions
from .platforms.vercel.options import VercelOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ..verify.options import Options as Look

    class Options(Protocol):
        """What every platform's own table says of itself."""

        def stages(self) -> bool:
            """Whether a release can exist before users see it."""

        def goes_back(self) -> bool:
            """Whether there is a rollback."""

        def variables(self) -> list[str]:
            """The names of the variables that its programs get; their values are never shown."""

        def programs(self) -> list[list[str]]:
            """The commands that it runs; files of the repository among their words are judged with the release."""


# The tables of a target, one a platform.
TABLES = ("command", "railway", "kubernetes", "ecs", "s3_static", "vercel", "cloudrun", "azure")
# The words of `elo-gate deploy WORD`.
RESERVED = ("abort", "approve", "history", "run", "status", "unlock")


def _target(text: str) -> str:
    if text in RESERVED:
        raise ValueError(f"a target is not called as a command is: {', '.join(RESERVED)}")
    return ident(text)


TargetName = Annotated[str, AfterValidator(_target)]


class Approvals(Table):
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


class Timeouts(Table):
    deploy: Seconds = 900.0
    promote: Seconds = 180.0
    verify: Seconds = 300.0
    rollback: Seconds = 300.0
    ask: Seconds = 30.0


class Health(Table):
    """The health route: its `field` of a JSON answer must be `expect`; one of `warn` is told and lets pass.

    `nested` (`checks.*.status`) is where its parts say how they are, by the same words.
    """

    path: UrlPath
    field: str = "status"
    expect: str = ""
    warn: list[str] = Field(default=[])
    nested: str = Field(default="", pattern=r"^(|[A-Za-z0-9_*-]+(\.[A-Za-z0-9_*-]+)*)$")


class Path(Table):
    path: UrlPath
    status: int = Field(ge=100, le=599)


class Verify(Table):
    """What a look asks for. `headers`: from which severity on what the rules say of served headers is red; `cookies`:
    their flags too; `browser`: pages are opened in Chromium; `bypass_env`: the variable whose value lets requests
    through a platform's login.
    """

    health: Health | None = None
    paths: list[UrlPath | Path] = Field(default=[], max_length=50)
    passes: int = Field(default=3, ge=1, le=100)
    failures: int = Field(default=2, ge=1, le=100)
    no_answer_limit: int = Field(default=6, ge=1, le=1000)
    interval: Seconds = 5.0
    answer: Seconds = 10.0
    on_inconclusive: Literal["hold", "rollback", "accept"] = "hold"
    expect_release: str = Field(default="", pattern=r"^(|header:[A-Za-z0-9-]+|json:[A-Za-z0-9_.-]+)$")
    headers: Literal["off", "error", "warning", "note"] = "off"
    cookies: bool = False
    browser: Literal["off", "auto", "require"] = "off"
    bypass_env: Name | None = None

    @model_validator(mode="after")
    def _something(self) -> Verify:
        if self.health is None and not self.paths:
            raise ValueError("needs `health` or `paths`: what is not looked at is not verified")
        if self.expect_release.startswith("json:") and self.health is None:
            raise ValueError("expect_release: json: reads the health route, and there is none")
        return self

    def look(self) -> Look:
        """It as verify reads it."""
        from ..verify import options

        health = self.health
        return options.Options(
            health=None
            if health is None
            else options.Health(health.path, health.field, health.expect, tuple(health.warn), health.nested),
            paths=tuple(
                options.Path(each) if isinstance(each, str) else options.Path(each.path, each.status)
                for each in self.paths
            ),
            answer=self.answer,
            expect_release=self.expect_release,
            headers=self.headers != "off",
            cookies=self.cookies,
            browser=self.browser,
            bypass_env=self.bypass_env or "",
        )


class Item(Table):
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


class Notify(Table):
    """Where the outcome is told: the address stands in a variable, since it lets its reader write there."""

    url_env: Name
    timeout: Seconds = 5.0


class Migrations(Table):
    """Whether the release before can run on what this one's migrations leave behind."""

    reversible: bool = True


class Backed(Table):
    """The series of `[backup]` that must hold a good backup before a deploy; `drill`: and one that was restored now."""

    name: Ident
    drill: bool = False
    timeout: Seconds = 600.0


class Target(Table):
    platform: Literal["command", "railway", "kubernetes", "ecs", "s3-static", "vercel", "cloudrun", "azure"]
    url: Address
    artifact: Below
    verify: Verify
    command: CommandOptions | None = None
    azure: AzureOptions | None = None
    cloudrun: CloudRunOptions | None = None
    ecs: EcsOptions | None = None
    s3_static: S3StaticOptions | None = Field(default=None, alias="s3-static")
    vercel: VercelOptions | None = None
    kubernetes: KubernetesOptions | None = None
    railway: RailwayOptions | None = None
    strategy: Literal["stage", "in-place"] | None = None  # as the platform can
    requires: list[Ident] = Field(default=[])
    windows: list[Window] = Field(default=[])
    freeze: list[Freeze] = Field(default=[])
    approvals: Approvals | None = None
    timeouts: Timeouts = Timeouts()
    rollback: Literal["auto", "manual"] = "auto"
    first_deploy: bool = False
    settle: Seconds = 10.0
    poll: Seconds = 2.0
    checklist: list[Item] = Field(default=[], max_length=100)
    every_item: bool = False
    notify: Notify | None = None
    migrations: Migrations = Migrations()
    backup: Ident | Backed | None = None

    @property
    def returns(self) -> bool:
        """Whether a release that fails is rolled back without asking."""
        return self.rollback == "auto" and self.migrations.reversible

    @property
    def backed(self) -> Backed | None:
        """What must hold a good backup before a deploy."""
        return Backed(name=self.backup) if isinstance(self.backup, str) else self.backup

    @property
    def options(self) -> Options:
        """The table of its platform."""
        found: Options = getattr(self, self.platform.replace("-", "_"))
        return found

    @property
    def staged(self) -> bool:
        """Whether a release is looked at before users see it."""
        return self.options.stages()

    @property
    def longest(self) -> float:
        """The seconds that a run takes at the most: each verb and the wait for what it did, and all that is asked."""
        times = self.timeouts
        verbs = 2 * (times.deploy + times.promote + times.verify + times.rollback)
        asked = verbs + 20 * times.ask
        backed = self.backed.timeout if self.backed is not None else 0.0
        return asked + 4 * self.settle + sum(each.timeout for each in self.checklist) + backed

    @model_validator(mode="after")
    def _fits(self) -> Target:
        own = self.platform.replace("-", "_")
        for name in TABLES:
            if (getattr(self, name) is not None) != (name == own):
                said = f'platform = "{self.platform}"' + (" and" if name == own else ", so not")
                raise ValueError(f"{said} a table `{name}`")
        can = "stage" if self.options.stages() else "in-place"
        if self.strategy not in (None, can):
            needs = "needs command.promote" if self.platform == "command" and can == "in-place" else "cannot be"
            raise ValueError(f'strategy = "{self.strategy}" {needs}: as it stands the platform can "{can}"')
        if self.rollback == "auto" and not self.options.goes_back():
            raise ValueError(f'rollback = "auto" needs {own}.rollback; rollback = "manual" says there is none')
        names = [each.id for each in self.checklist]
        if len(set(names)) != len(names):
            raise ValueError("checklist: two items have one id")
        return self


class Deploy(Table):
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
        target = self.target
        more = [target.notify.url_env if target.notify else None, target.verify.bypass_env]
        return [*target.options.variables(), *(each for each in more if each)]


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
    values = tables(text, path)
    if "deploy" not in values:
        raise ConfigError(f"{path}: no [deploy.targets.NAME]: nothing says where to deploy to")
    try:
        made = Deploy.model_validate(values["deploy"])
    except ValidationError as error:
        raise mistake(error, path, "deploy") from None
    backups = values.get("backup")
    for name, target in made.targets.items():
        if target.backed is not None and target.backed.name not in (backups if isinstance(backups, dict) else {}):
            raise ConfigError(f"{path}: deploy.targets.{name}.backup: there is no [backup.{target.backed.name}]")
    return made


def schema() -> dict[str, Any]:
    """The JSON schema of the table."""
    made = Deploy.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "[deploy] of elo-gate.toml"}


if __name__ == "__main__":
    import json
    import sys

    # Writes the schema: python -m elo_gate.deploy.config > schemas/deploy.schema.json
    sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
