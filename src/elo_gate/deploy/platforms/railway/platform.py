"""Turns the verbs of a platform into requests of Railway's API: upload, look, roll back.

A release is live as soon as Railway has built and started it: the strategy is in-place. Railway builds from the source,
so that the source is what the gate judges and what is sent.
"""

from __future__ import annotations

import json
import os
from urllib.parse import urlencode

from ...journal import canonical, write_file
from ...platform import Handle, Lost, identity
from . import documents
from .api import Api
from .archive import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ...config import Place
    from ...veil import Veil
    from .options import RailwayOptions

ROLLBACK = "railway-rollback.json"  # in the state: which release was asked for
LAST = 50  # deployments that are looked at, the newest ones
# Railway's thirteen statuses (enum DeploymentStatus of its schema), and what each says of a release.
READY = {"SUCCESS": "it runs", "SLEEPING": "it sleeps until somebody asks"}
PENDING = {
    "QUEUED": "it is queued",
    "INITIALIZING": "it is being set up",
    "WAITING": "it waits for something else",
    "BUILDING": "it is being built",
    "DEPLOYING": "it is being started",
    "NEEDS_APPROVAL": "it waits until somebody approves it at Railway; until then nothing happens",
}
FAILED = {
    "FAILED": "its build or its start failed",
    "CRASHED": "it crashed",
    "SKIPPED": "Railway skipped it: none of the service's watched files changed, so nothing was deployed",
    "REMOVING": "it is being removed",
    "REMOVED": "it was removed",
}


class RailwayPlatform:
    """The verbs of one service."""

    __slots__ = ("stage", "back", "finds", "_options", "_target", "_state", "_home", "_veil", "_api", "_where")

    def __init__(
        self, place: Place, options: RailwayOptions, veil: Veil, home: str, stop: Callable[[], bool] | None
    ) -> None:
        self.stage = False
        self.back = True
        self.finds = True
        self._options = options
        self._target = place.target
        self._state = place.state
        self._home = home
        self._veil = veil
        self._api = Api(options.api, options.variables()[0], options.api_token_env is None, veil, stop)
        self._where = {
            "projectId": options.project,
            "environmentId": options.environment,
            "serviceId": options.service,
        }

    def preflight(self, snapshot: str, digest: str) -> list[str]:
        """As Platform.preflight: the token's project, what is on its way, and whether the way back is open."""
        return [*self._elsewhere(), *self._on_their_way(), *self._no_way_back()]

    def current(self) -> str | None:
        """As Platform.current: the newest that runs, and where none does, the newest that crashed."""
        nodes = self._deployments("current", [*READY, "CRASHED"])
        live = next((each for each in nodes if each["status"] in READY), nodes[0] if nodes else None)
        return self._name(live) if live is not None else None

    def deploy(self, snapshot: str, digest: str, key: str) -> Handle:
        """As Platform.deploy: the key travels as the deployment's message."""
        self._note(
            "deploy", os.path.join(key, "railway-sent.json"), {"after": _newest(self._deployments("deploy", None))}
        )
        try:
            with pack(snapshot, self._home) as packed:
                size = os.fstat(packed.fileno()).st_size
                answer = self._api.send("deploy", self._upload(key), packed, size, self._target.timeouts.deploy)
        except OSError as error:
            raise Lost(f"deploy: the archive cannot be made ({error.strerror})") from None
        return Handle(identity("deploy", answer.get("deploymentId"), self._veil))

    def find(self, key: str) -> Handle | None:
        """As Platform.find. A deployment that came after ours was sent, and does not say whose it is, is no answer."""
        nodes = self._deployments("find", None)
        for each in nodes:
            if _message(key) in _strings(each.get("meta")):
                return Handle(each["id"])
        noted = self._noted(os.path.join(key, "railway-sent.json"))
        if noted is not None and _newest(nodes) > noted["after"]:
            raise Lost("find: a deployment has come since, and it does not say which release it is")
        return None

    def status(self, id: str) -> tuple[str, str, str]:
        """As Platform.status."""
        said = self._deployment("status", id).get("status")
        for word, known in (("ready", READY), ("pending", PENDING), ("failed", FAILED)):
            if said in known:
                return word, f"{said}: {known[said]}", ""
        raise Lost(f"status: {self._veil.hide(str(said), 40)} is no status that is known here")

    def promote(self, id: str) -> None:
        """As Platform.promote: there is none."""
        raise Lost("promote: Railway makes a deployment live by itself")

    def rollback(self, id: str) -> None:
        """As Platform.rollback."""
        target = self._deployment("rollback", id)
        if target.get("canRollback") is not True:
            raise Lost(f"rollback: Railway does not go back to {id} any more; its image may be past the retention")
        after = _newest(self._deployments("rollback", None))
        meta = target.get("meta")
        self._note("rollback", ROLLBACK, {"to": id, "image": _image(meta), "after": after, "keys": _keys(meta)})
        data = self._api.ask("rollback", documents.ROLLBACK, {"id": id}, self._target.timeouts.rollback, acts=True)
        if data.get("deploymentRollback") is not True:
            raise Lost("rollback: Railway has not done it")

    def variables(self, snapshot: str) -> list[str] | None:
        """As Platform.variables. Railway sends the values along; nothing of them is kept."""
        data = self._ask("variables", documents.VARIABLES, self._where)
        found = data.get("variables")
        if not isinstance(found, dict):
            raise Lost("variables: its answer is not a table of names")
        return sorted(found)

    def calls(self) -> list[list[str]]:
        """As Platform.calls."""
        graphql = f"{self._options.api}/graphql/v2"
        asked = (documents.DEPLOYMENTS, documents.DEPLOYMENT, documents.ROLLBACK)
        return [
            ["POST", self._options.api + self._upload("KEY")],
            *(["POST", graphql, documents.name_of(each)] for each in asked),
        ]

    # -- what they share -----------------------------------------------------------------------------------------

    def _ask(self, what: str, document: str, values: dict[str, Any]) -> dict[str, Any]:
        return self._api.ask(what, document, values, self._target.timeouts.ask)

    def _deployments(self, what: str, statuses: list[str] | None) -> list[dict[str, Any]]:
        """The service's newest deployments, the newest first. Raises Lost."""
        wanted: dict[str, Any] = {**self._where, **({"status": {"in": statuses}} if statuses else {})}
        data = self._ask(what, documents.DEPLOYMENTS, {"input": wanted, "first": LAST})
        try:
            nodes = [each["node"] for each in data["deployments"]["edges"]]
            nodes.sort(key=lambda each: str(each["createdAt"]), reverse=True)
            for each in nodes:
                identity(what, each["id"], self._veil)
                str(each["status"])
        except (KeyError, TypeError):
            raise Lost(f"{what}: its answer is no list of deployments") from None
        return nodes

    def _deployment(self, what: str, id: str) -> dict[str, Any]:
        """One deployment of this service. Raises Lost, also where it is one of another."""
        found = self._ask(what, documents.DEPLOYMENT, {"id": id}).get("deployment")
        if not isinstance(found, dict) or found.get("id") != id:
            raise Lost(f"{what}: Railway knows no deployment {id}")
        if any(found.get(name) != value for name, value in self._where.items()):
            raise Lost(f"{what}: {id} is a deployment of another service or environment")
        return found

    def _upload(self, key: str) -> str:
        where = self._options
        query = urlencode({"serviceId": where.service, "message": _message(key)})
        return f"/project/{where.project}/environment/{where.environment}/up?{query}"

    def _elsewhere(self) -> list[str]:
        options = self._options
        if options.api_token_env is None:
            found = self._ask("preflight", documents.PROJECT_TOKEN, {}).get("projectToken")
            wanted = {"projectId": options.project, "environmentId": options.environment}
        else:
            found = self._ask("preflight", documents.ENVIRONMENT, {"id": options.environment}).get("environment")
            wanted = {"id": options.environment, "projectId": options.project}
        if not isinstance(found, dict):
            raise Lost("preflight: whose token it is is not known")
        if any(found.get(name) != value for name, value in wanted.items()):
            return [f"${options.variables()[0]} or the environment is of another project than {options.project}"]
        return []

    def _on_their_way(self) -> list[str]:
        nodes = self._deployments("preflight", list(PENDING))
        return [f"deployment {each['id']} is on its way already ({each['status']})" for each in nodes[:1]]

    def _no_way_back(self) -> list[str]:
        live = self.current() if self._target.rollback == "auto" else None
        if live is None or self._deployment("preflight", live).get("canRollback") is True:
            return []
        return [
            f"Railway would not go back to {live}, which is live (canRollback is false: its image may be past the "
            'plan\'s retention); rollback = "manual" says that there is no way back'
        ]

    # -- what is kept --------------------------------------------------------------------------------------------

    def _name(self, node: dict[str, Any]) -> str:
        """The release that a deployment is: itself, or the one that we went back to with it.

        Whether a rollback starts the old deployment or makes a new one of its image is not in Railway's documents
        (docs.railway.com/deployments/deployment-actions, 2026-11-25). A new one counts as the old one only if it came
        after our request, has its image, and has no key of another deploy: the same source may give the same image.
        """
        noted = self._noted(ROLLBACK)
        meta = node.get("meta")
        if (
            noted is not None
            and str(node["createdAt"]) > noted["after"]
            and _image(meta) == noted.get("image") != ""
            and all(each in (noted.get("keys") or ()) for each in _keys(meta))
        ):
            return identity("current", noted.get("to"), self._veil)
        return str(node["id"])

    def _note(self, what: str, name: str, noted: dict[str, Any]) -> None:
        path = os.path.join(self._state, name)
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            write_file(path, canonical(noted))
        except OSError as error:
            raise Lost(f"{what}: what is asked for cannot be written down ({error.strerror})") from None

    def _noted(self, name: str) -> dict[str, Any] | None:
        """What was written down, None where nothing was. Raises Lost where it cannot be read."""
        try:
            with open(os.path.join(self._state, name), "rb") as file:
                found = json.loads(file.read())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise Lost(f"{name}: cannot be read ({getattr(error, 'strerror', None) or 'not JSON'})") from None
        if not isinstance(found, dict) or not isinstance(found.get("after"), str):
            raise Lost(f"{name}: not what was written there")
        return found


def _newest(nodes: list[dict[str, Any]]) -> str:
    """When the newest of deployments was made, in Railway's own clock; empty where there is none."""
    return max((str(each["createdAt"]) for each in nodes), default="")


def _message(key: str) -> str:
    return f"elo-gate:{key}"


def _strings(meta: Any) -> Iterator[str]:
    """Every text in a deployment's `meta`, whose shape Railway's schema leaves open."""
    if isinstance(meta, str):
        yield meta
    elif isinstance(meta, (dict, list)):
        for each in meta.values() if isinstance(meta, dict) else meta:
            yield from _strings(each)


def _keys(meta: Any) -> list[str]:
    """The messages of ours in a deployment's `meta`."""
    return [each for each in _strings(meta) if each.startswith(_message(""))]


def _image(meta: Any) -> str:
    """The digest of a deployment's image, empty where its `meta` has none."""
    for name in ("imageDigest", "image"):
        found = meta.get(name) if isinstance(meta, dict) else None
        if isinstance(found, str) and "sha256:" in found:
            return "sha256:" + found.rpartition("sha256:")[2]
    return ""
