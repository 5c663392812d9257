"""Turns the verbs of a platform into calls of `az containerapp`: a revision without traffic, then a traffic split.

Experimental: no Azure was there to try it on. Its words are those of Microsoft's documents (learn.microsoft.com,
azure/container-apps/revisions-manage and cli/azure/containerapp, 2026-11-25), and tests hold them fast, no more.
"""

from __future__ import annotations

import json
import os

from pydantic import Field, model_validator

from ..fields import Below, Name, Table
from ..platform import Handle, Lost, address, identity
from . import traffic
from .image import reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..config import Place
    from ..tool import Tool
    from ..veil import Veil

# What is asked of an app and of its revisions: nothing that holds the value of a variable.
APP = (
    "{mode:properties.configuration.activeRevisionsMode,traffic:properties.configuration.ingress.traffic,"
    "state:properties.provisioningState,ready:properties.latestReadyRevisionName}"
)
REVISIONS = (
    "[].{name:name,fqdn:properties.fqdn,provisioning:properties.provisioningState,running:properties.runningState,"
    "health:properties.healthState}"
)
NAMES = "properties.template.containers[].env[].name"


class AzureOptions(Table):
    """Which Container App. `config_env` names the variable with the folder in which `az login` has left its session.

    `image` is the file of the artifact that holds the reference. `release_env` is a variable that the new revision
    gets, with the release's digest, for `verify.expect_release`.
    """

    experimental: bool = False
    app: str = Field(pattern=r"^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$")
    resource_group: str = Field(pattern=r"^[A-Za-z0-9_(][A-Za-z0-9_().-]{0,89}$")
    subscription: str = Field(pattern=r"^[0-9a-f-]{36}$")
    config_env: Name = "AZURE_CONFIG_DIR"
    image: Below = "image"
    release_env: Name | None = None
    az: str = Field(default="az", pattern=r"^[!-,.-~][ -~]*$")

    @model_validator(mode="after")
    def _known(self) -> AzureOptions:
        if not self.experimental:
            raise ValueError("experimental = true says that you know: it was never tried on a real Azure")
        return self

    def stages(self) -> bool:
        """As Options.stages: with pinned traffic a new revision has none."""
        return True

    def goes_back(self) -> bool:
        """As Options.goes_back."""
        return True

    def variables(self) -> list[str]:
        """As Options.variables."""
        return [self.config_env]

    def programs(self) -> list[list[str]]:
        """As Options.programs."""
        return [[self.az]]


class AzurePlatform:
    """The verbs of one app."""

    __slots__ = ("stage", "back", "finds", "_options", "_target", "_veil", "_tool")

    def __init__(self, place: Place, options: AzureOptions, veil: Veil, tool: Tool) -> None:
        self.stage = True
        self.back = True
        self.finds = True
        self._options = options
        self._target = place.target
        self._veil = veil
        self._tool = tool

    def preflight(self, snapshot: str, digest: str) -> list[str]:
        """As Platform.preflight: the image's digest, several revisions at a time, and pinned traffic."""
        against = []
        try:
            reference("preflight", snapshot, self._options.image)
        except Lost as error:
            against.append(str(error))
        app = self._app("preflight")
        if str(app.get("mode")).lower() != "multiple":
            against.append("the app's revision mode is not `multiple`: a new revision would take all the traffic")
        if any(each.get("latestRevision") and each.get("weight") for each in app["traffic"]):
            against.append("the app's traffic goes to whatever revision is the latest: pin it to a named one first")
        if app.get("state") != "Succeeded":
            against.append("a change of the app is on its way, or has failed")
        return against

    def current(self) -> str | None:
        """As Platform.current: the split of the traffic as it is, `REVISION=PERCENT+...`."""
        app = self._app("current")
        try:
            split = traffic.join(
                (each.get("revisionName") or app["ready"], int(each.get("weight") or 0)) for each in app["traffic"]
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Lost("current: its traffic cannot be read") from None
        return identity("current", split, self._veil) if split is not None else None

    def deploy(self, snapshot: str, digest: str, key: str) -> Handle:
        """As Platform.deploy: a revision named after the key, which is looked for whatever az says."""
        more = ["--set-env-vars", f"{self._options.release_env}={digest}"] if self._options.release_env else []
        image = reference("deploy", snapshot, self._options.image)
        words = ["update", *self._whose(), "--image", image, "--revision-suffix", f"elo-{key}", *more]
        self._run("deploy", [*words, "--output", "none"], self._target.timeouts.deploy)
        found = self.find(key)
        if found is None:
            raise Lost("deploy: the revision is not there")
        return found

    def find(self, key: str) -> Handle | None:
        """As Platform.find: a revision carries the key in its name."""
        name = self._revision(key)
        if not any(each.get("name") == name for each in self._revisions("find")):
            return None
        return Handle(identity("find", f"{name}=100", self._veil))

    def status(self, id: str) -> tuple[str, str, str]:
        """As Platform.status."""
        found = {each.get("name"): each for each in self._revisions("status")}
        url = ""
        for name in traffic.parse("status", id):
            each = found.get(name)
            if each is None:
                return "pending", f"{name} is not there yet", ""
            states = {str(each.get(part)) for part in ("provisioning", "running", "health")}
            said = self._veil.hide(f"{name}: {', '.join(sorted(states))}")
            if states & {"Failed", "Deprovisioned", "Stopped"}:
                return "failed", said, ""
            if "Provisioned" not in states or "Unhealthy" in states or "Degraded" in states or "Processing" in states:
                return "pending", said, ""
            url = url or (f"https://{each['fqdn']}" if each.get("fqdn") else "")
        return "ready", "", address("status", url or None, self._veil)

    def promote(self, id: str) -> None:
        """As Platform.promote."""
        self._send_traffic("promote", id, self._target.timeouts.promote)

    def rollback(self, id: str) -> None:
        """As Platform.rollback: exactly the split that was."""
        self._send_traffic("rollback", id, self._target.timeouts.rollback)

    def variables(self, snapshot: str) -> list[str] | None:
        """As Platform.variables: a revision gets those of the app; az prints their names only."""
        words = ["show", *self._whose(), "--query", NAMES, "--output", "json"]
        return sorted({str(each) for each in self._list("variables", words)})

    def calls(self) -> list[list[str]]:
        """As Platform.calls."""
        more = ["--set-env-vars", f"{self._options.release_env}=DIGEST"] if self._options.release_env else []
        share = ["ingress", "traffic", "set", *self._whose(), "--revision-weight"]
        return [
            [self._options.az, "containerapp", *words]
            for words in (
                ["show", *self._whose(), "--query", APP, "--output", "json"],
                ["update", *self._whose(), "--image", "IMAGE", "--revision-suffix", "elo-KEY", *more,
                 "--output", "none"],
                ["revision", "list", *self._whose(), "--all", "--query", REVISIONS, "--output", "json"],
                [*share, f"{self._revision('KEY')}=100", "THE-OTHERS=0", "--output", "none"],
                [*share, "THE-SPLIT-BEFORE", "--output", "none"],
            )
        ]  # fmt: skip

    # -- what they share -----------------------------------------------------------------------------------------

    def _whose(self) -> list[str]:
        where = self._options
        return ["--name", where.app, "--resource-group", where.resource_group, "--subscription", where.subscription]

    def _run(self, what: str, words: list[str], seconds: float) -> Any:
        folder = os.environ.get(self._options.config_env, "")
        if not folder:
            raise Lost(f"{what}: ${self._options.config_env} is not set; it is the folder of `az login`")
        more = {
            "AZURE_CONFIG_DIR": folder,
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_ONLY_SHOW_ERRORS": "true",
            "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
        }
        return self._tool.run(what, [self._options.az, "containerapp", *words], seconds, variables=more)

    def _app(self, what: str) -> dict[str, Any]:
        words = ["show", *self._whose(), "--query", APP, "--output", "json"]
        found = self._tool.object(what, self._run(what, words, self._target.timeouts.ask))
        if not isinstance(found.get("traffic"), list) or not all(isinstance(each, dict) for each in found["traffic"]):
            raise Lost(f"{what}: its answer has no traffic; the app needs an ingress")
        return found

    def _revisions(self, what: str) -> list[dict[str, Any]]:
        words = ["revision", "list", *self._whose(), "--all", "--query", REVISIONS, "--output", "json"]
        found = self._list(what, words)
        if not all(isinstance(each, dict) for each in found):
            raise Lost(f"{what}: its answer is no list of revisions")
        return found

    def _list(self, what: str, words: list[str]) -> list[Any]:
        try:
            found = json.loads(self._run(what, words, self._target.timeouts.ask).out)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, list):
            raise Lost(f"{what}: its answer is not one JSON list")
        return found

    def _revision(self, key: str) -> str:
        return f"{self._options.app}--elo-{key}"

    def _send_traffic(self, what: str, id: str, seconds: float) -> None:
        """The split, and nothing for who has traffic now and is not in it: a weight that is not named may stay."""
        wanted = traffic.parse(what, id)
        now = self.current()
        rest = {name: 0 for name in traffic.parse(what, now) if name not in wanted} if now is not None else {}
        weights = [f"{name}={percent}" for name, percent in (wanted | rest).items()]
        words = ["ingress", "traffic", "set", *self._whose(), "--revision-weight", *weights, "--output", "none"]
        self._run(what, words, seconds)
