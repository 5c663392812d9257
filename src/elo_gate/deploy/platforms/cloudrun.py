"""Turns the verbs of a platform into calls of `gcloud run`: a revision without traffic, a look at it, a traffic split.

What is shipped is an image, and of an image only its digest says which: the artifact is a file with one reference.
What is live is a split of the traffic between revisions, and that whole split is the id of what is live.
"""

from __future__ import annotations

import json
import os
import re

from pydantic import Field, model_validator

from ..fields import Address, Below, Name, Table
from ..platform import Handle, Lost, address, identity
from . import traffic
from .image import reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..config import Place
    from ..tool import Tool
    from ..veil import Veil

OLDEST = 528  # of gcloud; what came before was not tried
LOCATION = "cloud.googleapis.com/location"
# *.localhost is this machine, whatever a name server says: RFC 6761, 6.3.
_SAFE = re.compile(r"https://|http://([a-z0-9-]+\.)*localhost(:|/|$)")
# What is asked of a service: nothing that holds the value of a variable.
SERVICE = (
    "json(metadata.generation,metadata.labels,spec.traffic,spec.template.metadata.name,"
    "status.conditions,status.observedGeneration,status.traffic)"
)
REVISIONS = "json(metadata.name,status.conditions[].type,status.conditions[].status,status.conditions[].message)"
NAMES = "json(spec.template.spec.containers[].env[].name)"


class CloudRunOptions(Table):
    """Which service. `token_env` names the variable of an access token, `credentials_env` one with the path of a file
    of credentials (a service account's, or of workload identity); one of the two.

    `image` is the file of the artifact that holds the reference. `release_env` is a variable that the new revision
    gets, with the release's digest, for `verify.expect_release`.
    """

    # A revision is called SERVICE-elo-KEY and has at most 63 letters.
    service: str = Field(pattern=r"^[a-z]([a-z0-9-]{0,32}[a-z0-9])?$")
    region: str = Field(pattern=r"^[a-z]+-[a-z]+[0-9]+$")
    project: str = Field(pattern=r"^[a-z][a-z0-9.:-]{4,62}$")
    token_env: Name | None = None
    credentials_env: Name | None = None
    image: Below = "image"
    release_env: Name | None = None
    gcloud: str = Field(default="gcloud", pattern=r"^[!-,.-~][ -~]*$")
    endpoint: Address | None = None

    @model_validator(mode="after")
    def _one(self) -> CloudRunOptions:
        if (self.token_env is None) == (self.credentials_env is None):
            raise ValueError("needs either `token_env` or `credentials_env`")
        if self.endpoint is not None and not re.match(
            r"https://|http://([a-z0-9-]+\.)*localhost(:|/|$)", self.endpoint
        ):
            raise ValueError("endpoint: a token goes over https only")
        return self

    def stages(self) -> bool:
        """As Options.stages: a revision can be there without traffic."""
        return True

    def goes_back(self) -> bool:
        """As Options.goes_back."""
        return True

    def variables(self) -> list[str]:
        """As Options.variables."""
        return [name for name in (self.token_env, self.credentials_env) if name is not None]

    def programs(self) -> list[list[str]]:
        """As Options.programs."""
        return [[self.gcloud]]


class CloudRunPlatform:
    """The verbs of one service."""

    __slots__ = ("stage", "back", "finds", "_options", "_target", "_veil", "_tool")

    def __init__(self, place: Place, options: CloudRunOptions, veil: Veil, tool: Tool) -> None:
        self.stage = True
        self.back = True
        self.finds = True
        self._options = options
        self._target = place.target
        self._veil = veil
        self._tool = tool

    def preflight(self, snapshot: str, digest: str) -> list[str]:
        """As Platform.preflight: the image's digest, gcloud, the service's place and peace, the way back."""
        against = self._too_old()
        if against:
            return against
        try:
            reference("preflight", snapshot, self._options.image)
        except Lost as error:
            against.append(str(error))
        service = self._service("preflight")
        at = (service["metadata"].get("labels") or {}).get(LOCATION)
        if at != self._options.region:
            against.append(f"the service is in {at}, not in {self._options.region}")
        status = service["status"]
        if status.get("observedGeneration") != service["metadata"].get("generation") or _ready(status) is None:
            against.append("a change of the service is on its way already")
        split = self._split("preflight", service)
        if split is not None and self._target.rollback == "auto":
            ready = {name for name, state in self._revisions("preflight").items() if _ready(state)}
            gone = sorted(set(traffic.parse("preflight", split)) - ready)
            against += [f"revision {each} has traffic and is not ready: there is no way back to it" for each in gone]
        return against

    def current(self) -> str | None:
        """As Platform.current: the split of the traffic as it is, `REVISION=PERCENT+...`."""
        return self._split("current", self._service("current"))

    def deploy(self, snapshot: str, digest: str, key: str) -> Handle:
        """As Platform.deploy: a revision named after the key, with a tag of its own and no traffic."""
        image = reference("deploy", snapshot, self._options.image)
        more = [f"--update-env-vars={self._options.release_env}={digest}"] if self._options.release_env else []
        argv = [
            "services", "update", self._options.service, f"--image={image}", "--no-traffic",
            f"--tag={_tag(key)}", f"--revision-suffix=elo-{key}", *more, "--async", f"--format={SERVICE}",
        ]  # fmt: skip
        return self._handle("deploy", self._object("deploy", argv, self._target.timeouts.deploy), self._revision(key))

    def find(self, key: str) -> Handle | None:
        """As Platform.find: a revision carries the key in its name."""
        name = self._revision(key)
        service = self._service("find")
        spec = service["spec"]
        asked = {each.get("revisionName") for each in spec.get("traffic") or ()}
        template = ((spec.get("template") or {}).get("metadata") or {}).get("name")
        if name in asked or name == template or name in self._revisions("find"):
            return self._handle("find", service, name)
        return None

    def status(self, id: str) -> tuple[str, str, str]:
        """As Platform.status."""
        revisions = self._revisions("status")
        for name in traffic.parse("status", id):
            if name not in revisions:
                return "pending", f"{name} is not there yet", ""
            ready, said = _ready(revisions[name]), self._veil.hide(_condition(revisions[name]).get("message") or "")
            if not ready:
                word = "pending" if ready is None else "failed"
                return word, f"{name} is not ready" + (f": {said}" if said else ""), ""
        return "ready", "", self._handle("status", self._service("status"), next(iter(traffic.parse("status", id)))).url

    def promote(self, id: str) -> None:
        """As Platform.promote."""
        self._send_traffic("promote", id, self._target.timeouts.promote)

    def rollback(self, id: str) -> None:
        """As Platform.rollback: exactly the split that was."""
        self._send_traffic("rollback", id, self._target.timeouts.rollback)

    def variables(self, snapshot: str) -> list[str] | None:
        """As Platform.variables: a revision gets those of the service; gcloud prints their names only."""
        argv = ["services", "describe", self._options.service, f"--format={NAMES}"]
        done = self._run("variables", argv, self._target.timeouts.ask)
        if done.out.strip() in (b"null", b"[]", b""):
            return []
        answer = self._tool.object("variables", done)
        try:
            containers = answer["spec"]["template"]["spec"]["containers"]
            return sorted({str(each["name"]) for one in containers for each in (one or {}).get("env") or ()})
        except (KeyError, TypeError, AttributeError):
            raise Lost("variables: its answer is not a list of names") from None

    def calls(self) -> list[list[str]]:
        """As Platform.calls."""
        service, form = self._options.service, f"--format={SERVICE}"
        more = [f"--update-env-vars={self._options.release_env}=DIGEST"] if self._options.release_env else []
        share = ["services", "update-traffic", service]
        return [
            self._argv(each)
            for each in (
                ["services", "describe", service, form],
                ["services", "update", service, "--image=IMAGE", "--no-traffic", "--tag=TAG",
                 "--revision-suffix=elo-KEY", *more, "--async", form],
                ["revisions", "list", f"--service={service}", f"--format={REVISIONS}"],
                [*share, f"--to-revisions={service}-elo-KEY=100", "--async", "--format=none"],
                [*share, "--to-revisions=THE-SPLIT-BEFORE", "--async", "--format=none"],
            )
        ]  # fmt: skip

    # -- what they share -----------------------------------------------------------------------------------------

    def _argv(self, words: list[str]) -> list[str]:
        where = self._options
        return [where.gcloud, "run", *words, f"--region={where.region}", f"--project={where.project}", "--quiet"]

    def _run(self, what: str, words: list[str], seconds: float) -> Any:
        return self._tool.run(what, self._argv(words), seconds, variables=self._variables(what))

    def _object(self, what: str, words: list[str], seconds: float) -> dict[str, Any]:
        return self._tool.object(what, self._run(what, words, seconds))

    def _variables(self, what: str) -> dict[str, str]:
        """What gcloud reads from its environment: docs.cloud.google.com/sdk/docs/properties, 2026-11-25."""
        options = self._options
        name = self._options.variables()[0]
        value = os.environ.get(name, "")
        if not value:
            raise Lost(f"{what}: ${name} is not set")
        token = options.token_env is not None
        return {
            "CLOUDSDK_CONFIG": os.path.join(self._tool.home, "gcloud"),
            "CLOUDSDK_AUTH_ACCESS_TOKEN" if token else "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE": value,
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
            "CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "1",
            "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
            **({"CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN": options.endpoint + "/"} if options.endpoint else {}),
        }

    def _too_old(self) -> list[str]:
        argv = [self._options.gcloud, "version", "--format=json"]
        done = self._tool.run("gcloud version", argv, self._target.timeouts.ask, variables=self._variables("preflight"))
        said = str(self._tool.object("gcloud version", done).get("Google Cloud SDK"))
        first = said.partition(".")[0]
        if not first.isdecimal() or int(first) < OLDEST:
            return [f"gcloud is {self._veil.hide(said, 40)}; {OLDEST} or newer is needed"]
        return []

    def _service(self, what: str) -> dict[str, Any]:
        """The service: its `metadata`, `spec` and `status`. Raises Lost."""
        argv = ["services", "describe", self._options.service, f"--format={SERVICE}"]
        found = self._object(what, argv, self._target.timeouts.ask)
        if any(not isinstance(found.get(each), dict) for each in ("metadata", "spec", "status")):
            raise Lost(f"{what}: its answer is no service")
        return found

    def _revisions(self, what: str) -> dict[str, dict[str, Any]]:
        """Revision -> its status. Raises Lost."""
        argv = ["revisions", "list", f"--service={self._options.service}", f"--format={REVISIONS}"]
        done = self._run(what, argv, self._target.timeouts.ask)
        try:
            found = json.loads(done.out)
            return {str(each["metadata"]["name"]): dict(each.get("status") or {}) for each in found}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Lost(f"{what}: its answer is no list of revisions") from None

    def _split(self, what: str, service: dict[str, Any]) -> str | None:
        shares = service["status"].get("traffic") or ()
        try:
            split = traffic.join((each["revisionName"], int(each["percent"])) for each in shares if each.get("percent"))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Lost(f"{what}: its traffic cannot be read") from None
        return identity(what, split, self._veil) if split is not None else None

    def _revision(self, key: str) -> str:
        return f"{self._options.service}-elo-{key}"

    def _handle(self, what: str, service: dict[str, Any], name: str) -> Handle:
        """A revision as what will be live, and the address of its tag where it has one already."""
        shares = (service.get("status") or {}).get("traffic") or ()
        url = next((each["url"] for each in shares if each.get("revisionName") == name and each.get("url")), None)
        return Handle(identity(what, f"{name}=100", self._veil), address(what, url, self._veil))

    def _send_traffic(self, what: str, id: str, seconds: float) -> None:
        split = ",".join(f"{name}={percent}" for name, percent in traffic.parse(what, id).items())
        words = ["services", "update-traffic", self._options.service, f"--to-revisions={split}"]
        self._run(what, [*words, "--async", "--format=none"], seconds)


def _condition(status: dict[str, Any]) -> dict[str, Any]:
    return next((each for each in status.get("conditions") or () if each.get("type") == "Ready"), {})


def _ready(status: dict[str, Any]) -> bool | None:
    """Whether it says that it is ready; None while that is open."""
    return {"True": True, "False": False}.get(str(_condition(status).get("status")))


def _tag(key: str) -> str:
    """A tag is a part of a host's name, so only the key's end is in it; the revision's name has all of it."""
    return "elo-" + key.rpartition("-")[2]
