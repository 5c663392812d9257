"""Turns an ECS service into a platform, in place: a task definition is a release, the service says which one runs.

The artifact holds `task-definition.json`, what `register-task-definition --cli-input-json` takes, its images by digest.
`aws ecs wait services-stable` ends with 0 after the circuit breaker has brought the old release back
(https://github.com/aws-actions/amazon-ecs-deploy-task-definition/issues/191, looked up 2026-11-25): it is not used;
what the service says of the release is.
"""

from __future__ import annotations

import json
import os
import re

from pydantic import Field

from ..platform import Handle, Lost, identity
from .aws import Account, Aws, objects, pick

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..config import Place
    from ..tool import Tool
    from ..veil import Veil

FILE = "task-definition.json"
TAG = "elo-gate-id"
# Of a family, the newest revisions that are looked through for a key.
REVISIONS = 20
_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")


class EcsOptions(Account):
    """Which service of which cluster."""

    cluster: str = Field(pattern=r"^[A-Za-z0-9_-]{1,255}$")
    service: str = Field(pattern=r"^[A-Za-z0-9_-]{1,255}$")

    def stages(self) -> bool:
        """As Options.stages: tasks of a new release serve as soon as they are healthy."""
        return False

    def goes_back(self) -> bool:
        """As Options.goes_back."""
        return True


class EcsPlatform:
    """The verbs of one service; an id is `family:revision`."""

    __slots__ = ("stage", "back", "finds", "_options", "_times", "_veil", "_aws", "_tool")

    def __init__(self, place: Place, options: EcsOptions, veil: Veil, tool: Tool) -> None:
        self.stage = False
        self.back = True
        self.finds = True
        self._options = options
        self._times = place.target.timeouts
        self._veil = veil
        self._tool = tool
        self._aws = Aws(options, tool, place.target.timeouts.ask)

    def preflight(self, snapshot: str, digest: str) -> list[str]:
        """As Platform.preflight."""
        against = self._aws.against()
        definition, why = read(snapshot)
        if definition is None:
            return [*against, why]
        for each in objects(definition, "containerDefinitions"):
            if not _DIGEST.fullmatch(str(each.get("image"))):
                against.append(f"{FILE}: the image of container {each.get('name')} has no @sha256: digest")
        service = self._service()
        if service.get("status") != "ACTIVE":
            against.append(f"service {self._options.service} is not active")
        if pick(service, "deploymentController", "type") not in (None, "ECS"):
            against.append(
                f"service {self._options.service} is deployed by {pick(service, 'deploymentController', 'type')}"
            )
        if not service.get("desiredCount"):
            against.append(f"service {self._options.service} wants no task at all, so nothing could be seen to run")
        if any(each.get("rolloutState") == "IN_PROGRESS" for each in objects(service, "deployments")):
            against.append("a deployment of the service is under way")
        return against

    def current(self) -> str | None:
        """As Platform.current: what has come to rest; tasks of a deployment under way are not counted on."""
        rested = [each for each in objects(self._service(), "deployments") if each.get("rolloutState") == "COMPLETED"]
        rested.sort(key=lambda each: each.get("status") != "PRIMARY")
        if not rested:
            raise Lost("current: no deployment of the service has come to rest")
        return self._id("current", rested[0].get("taskDefinition"))

    def deploy(self, snapshot: str, digest: str, key: str) -> Handle:
        """As Platform.deploy: registers the task definition once for a key, then gives it to the service."""
        definition, why = read(snapshot)
        if definition is None:
            raise Lost(f"deploy: {why}")
        family = str(definition.get("family"))
        made = self._registered(family, key) or self._id(
            "deploy",
            pick(
                self._aws.ask(
                    "aws ecs register-task-definition", "ecs", "register-task-definition", "--cli-input-json",
                    "file://" + os.path.join(snapshot, FILE), "--tags", f"key={TAG},value={key}",
                    f"key=elo-gate-digest,value={digest}",
                ),
                "taskDefinition", "taskDefinitionArn",
            ),
        )  # fmt: skip
        self._give("deploy", made)
        return Handle(made)

    def find(self, key: str) -> Handle | None:
        """As Platform.find: a definition that was registered and never given to the service has not arrived."""
        for each in objects(self._service(), "deployments"):
            made = self._id("find", each.get("taskDefinition"))
            if self._key(made) == key:
                return Handle(made)
        return None

    def status(self, id: str) -> tuple[str, str, str]:
        """As Platform.status; `reverted` where the service has gone back by itself."""
        deployments = objects(self._service(), "deployments")
        mine = [each for each in deployments if self._id("status", each.get("taskDefinition")) == id]
        primary = next((each for each in deployments if each.get("status") == "PRIMARY"), {})
        if primary in mine:
            state, wanted = primary.get("rolloutState"), primary.get("desiredCount")
            if state == "COMPLETED" and not wanted:
                return "failed", "the service wants no task, so nothing runs", ""
            if state == "COMPLETED" and primary.get("runningCount") == wanted:
                return "ready", "", ""
            if state == "FAILED":
                return "failed", self._veil.hide(str(primary.get("rolloutStateReason") or "")), ""
            return "pending", f"{primary.get('runningCount')} of {wanted} tasks run", ""
        if primary.get("rolloutState") == "COMPLETED":
            reason = next((str(each.get("rolloutStateReason")) for each in mine if each.get("rolloutStateReason")), "")
            return "reverted", self._veil.hide(reason or "the service has gone back to another release"), ""
        return "pending", "the service is on its way to another release", ""

    def promote(self, id: str) -> None:
        """As Platform.promote: there is no stage."""
        raise Lost("promote: a service has no stage")

    def rollback(self, id: str) -> None:
        """As Platform.rollback."""
        self._give("rollback", id)

    def variables(self, snapshot: str) -> list[str] | None:
        """As Platform.variables: what the task definition itself gives its containers."""
        definition, _ = read(snapshot)
        found = {
            str(each.get("name"))
            for container in objects(definition, "containerDefinitions")
            for key in ("environment", "secrets")
            for each in objects(container, key)
        }
        # A file of variables lies in S3 and is not read.
        files = any(container.get("environmentFiles") for container in objects(definition, "containerDefinitions"))
        return None if definition is None or files else sorted(found)

    def calls(self) -> list[list[str]]:
        """As Platform.calls."""
        argv = self._aws.argv
        where = ("--cluster", self._options.cluster)
        return [
            argv("sts", "get-caller-identity"),
            argv("ecs", "describe-services", *where, "--services", self._options.service),
            argv(
                "ecs",
                "register-task-definition",
                "--cli-input-json",
                f"file://{FILE}",
                "--tags",
                f"key={TAG},value=KEY",
            ),
            argv(
                "ecs",
                "update-service",
                *where,
                "--service",
                self._options.service,
                "--task-definition",
                "FAMILY:REVISION",
            ),
        ]

    def _service(self) -> dict[str, Any]:
        answer = self._aws.ask(
            "aws ecs describe-services", "ecs", "describe-services", "--cluster", self._options.cluster, "--services",
            self._options.service,
        )  # fmt: skip
        found = objects(answer, "services")
        if len(found) != 1:
            raise Lost(f"aws ecs describe-services: knows no service {self._options.service}")
        return found[0]

    def _give(self, what: str, id: str) -> None:
        breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
        self._aws.ask(
            f"{what}: aws ecs update-service", "ecs", "update-service", "--cluster", self._options.cluster, "--service",
            self._options.service, "--task-definition", id, "--deployment-configuration", json.dumps(breaker),
        )  # fmt: skip

    def _registered(self, family: str, key: str) -> str | None:
        """The revision of a family that was registered under a key."""
        answer = self._aws.ask(
            "aws ecs list-task-definitions", "ecs", "list-task-definitions", "--family-prefix", family, "--sort",
            "DESC", "--max-items", str(REVISIONS),
        )  # fmt: skip
        arns = pick(answer, "taskDefinitionArns")
        for arn in arns if isinstance(arns, list) else []:
            made = self._id("find", arn)
            if self._key(made) == key:
                return made
        return None

    def _key(self, id: str) -> str | None:
        answer = self._aws.ask(
            "aws ecs describe-task-definition", "ecs", "describe-task-definition", "--task-definition", id, "--include",
            "TAGS",
        )  # fmt: skip
        return next((str(each.get("value")) for each in objects(answer, "tags") if each.get("key") == TAG), None)

    def _id(self, what: str, arn: object) -> str:
        """`family:revision` of an ARN. Raises Lost."""
        return identity(what, str(arn).rpartition("/")[2], self._veil)


def read(snapshot: str) -> tuple[dict[str, Any] | None, str]:
    """(the task definition of a snapshot, why there is none)."""
    try:
        with open(os.path.join(snapshot, FILE), "rb") as file:
            found = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return None, f"the artifact has no {FILE} that is JSON"
    if (
        not isinstance(found, dict)
        or not isinstance(found.get("family"), str)
        or not objects(found, "containerDefinitions")
    ):
        return None, f"{FILE}: names no family or no container"
    return found, ""
