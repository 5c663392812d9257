"""Turns the verbs of a platform into commands of the Vercel CLI: a staged deployment, a promotion, a rollback by id.

What a command says it did counts for nothing: `promote` ends well when it has only queued, `rollback` when it was
skipped. What is live is the deployment that the target's domain leads to.
"""

from __future__ import annotations

import math
import os
import re
from urllib.parse import quote, urlsplit

from ...platform import Handle, Lost, address, identity
from . import output
from .cli import OLDEST, Cli

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ...config import Place
    from ...tool import Tool
    from ...veil import Veil
    from .options import VercelOptions

# The states of a deployment: https://vercel.com/docs/rest-api/deployments/get-a-deployment-by-id-or-url, 2026-11-25.
STATES = {
    "QUEUED": "pending",
    "INITIALIZING": "pending",
    "BUILDING": "pending",
    "ANALYZING": "pending",
    "DEPLOYING": "pending",
    "READY": "ready",
    "ERROR": "failed",
    "CANCELED": "failed",
    "DELETED": "failed",
}
KEY = "elo-gate-id"
UNKNOWN_NAME = "Can't find the deployment"
JSON = ("--format", "json")
# What the CLI gets beyond its own time limit, to say that it is over.
GRACE = 15.0


class VercelPlatform:
    """The verbs of one target."""

    __slots__ = ("stage", "back", "finds", "_options", "_target", "_folder", "_veil", "_cli")

    def __init__(self, place: Place, options: VercelOptions, veil: Veil, tool: Tool) -> None:
        self.stage = options.stages()
        self.back = options.goes_back()
        self.finds = True
        self._options = options
        self._target = place.target
        self._folder = place.folder
        self._veil = veil
        self._cli = Cli(options, tool, veil)

    def preflight(self, snapshot: str, digest: str) -> list[str]:
        """As Platform.preflight."""
        against = output.faults(self._target.artifact, snapshot)
        version = self._cli.version()
        if version < OLDEST:
            against.append(f"the Vercel CLI is {_dotted(version)}, older than {_dotted(OLDEST)}: install a newer one")
        if against:
            return against
        if not self._cli.modern:
            self.find("none")  # whether the project can be asked at all
            return []
        return [*self._project_faults(), *self._live_faults(), *self._list_faults(snapshot)]

    def _project_faults(self) -> list[str]:
        wanted = {"id": self._options.project_id_env, "accountId": self._options.org_id_env}
        path = f"/v9/projects/{quote(self._cli.value(wanted['id']), safe='')}?rollbackInfo=true"
        project = self._cli.ask(path, self._target.timeouts.ask)
        if project is None:
            return [f"the team of {self._options.org_id_env} has no project {self._options.project_id_env}"]
        against = [
            f"the project that Vercel knows is not that of {name}"
            for field, name in wanted.items()
            if project.get(field) != self._cli.value(name)
        ]
        if project.get("rollingRelease") and self.stage:
            against.append("the project has rolling releases: a promotion would be live for some users only")
        last = project.get("lastAliasRequest")
        if isinstance(last, dict) and last.get("jobStatus") in ("pending", "in-progress"):
            against.append("a promotion or a rollback is going on")
        return against

    def _live_faults(self) -> list[str]:
        live = self._cli.ask(f"/v13/deployments/{quote(self._domain, safe='')}", self._target.timeouts.ask)
        if live is None:
            return []
        if live.get("projectId") != self._cli.value(self._options.project_id_env):
            return [f"{self._domain}: leads to a deployment of another project"]
        if self._target.rollback == "auto" and self.back and live.get("target") != "production":
            return [f"{self._domain}: leads to a deployment that is none of production, so no rollback leads to it"]
        return []

    def _list_faults(self, snapshot: str) -> list[str]:
        words = ["deploy", "--dry", "--prebuilt", *self._where(), "--json"]
        self._lay_out(snapshot)
        try:
            done = self._cli.run(words, self._target.timeouts.deploy, codes=(0, 1, 2))
        finally:
            output.clear_out(self._cli.tree)
        if b"unexpected option: --dry" in done.err:
            return []  # between 50.42.0 and the version that has it
        found = output.difference(output.manifest(snapshot), output.listed(self._cli.object(words, done)))
        return [found] if found else []

    def current(self) -> str | None:
        """As Platform.current: the deployment that the domain of the target's url leads to."""
        found = self._inspect(f"https://{self._domain}")
        return found["id"] if found is not None else None

    def deploy(self, snapshot: str, digest: str, key: str) -> Handle:
        """As Platform.deploy."""
        modern = self._cli.modern
        words = self._deploy(digest, key) + (list(JSON) if modern else [])
        self._lay_out(snapshot)
        try:
            done = self._cli.run(words, self._target.timeouts.deploy)
        finally:
            output.clear_out(self._cli.tree)
        if not modern:
            found = self._at(done.out.decode("utf-8", "replace").strip())
            return Handle(found["id"], found["url"])
        made = self._cli.object(words, done).get("deployment")
        if not isinstance(made, dict):
            raise Lost("vercel deploy: its answer names no deployment")
        return Handle(identity("vercel deploy", made.get("id"), self._veil), self._url("vercel deploy", made))

    def find(self, key: str) -> Handle | None:
        """As Platform.find. One command may have made several deployments: the oldest that has not failed."""
        words = ["list", "--yes", "--meta", f"{KEY}={key}"]
        limit = self._target.timeouts.ask
        if not self._cli.modern:
            lines = self._cli.run(words, limit).out.decode("utf-8", "replace").split()
            several = [self._at(each) for each in reversed(lines)]
        else:
            rows = self._cli.answer([*words, *JSON], limit).get("deployments")
            if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
                raise Lost("vercel list: its answer has no deployments")
            mine = [each for each in rows if isinstance(each.get("meta"), dict) and each["meta"].get(KEY) == key]
            several = [
                {"id": identity("vercel list", each.get("id"), self._veil), "url": self._url("vercel list", each),
                 "state": each.get("state")}
                for each in sorted(mine, key=lambda each: str(each.get("createdAt")))
            ]  # fmt: skip
        good = [each for each in several if STATES.get(str(each["state"])) != "failed"]
        found = next(iter(good or several), None)
        return Handle(found["id"], found["url"]) if found is not None else None

    def status(self, id: str) -> tuple[str, str, str]:
        """As Platform.status."""
        found = self._inspect(id)
        if found is None:
            raise Lost("vercel inspect: it knows no such deployment")
        state = STATES.get(found["state"])
        if state is None:
            raise Lost("vercel inspect: its state is one that nobody knows")
        if state == "ready" and not self.stage and self.current() != id:
            return "pending", f"{self._domain} does not lead to it yet", found["url"]
        return state, found["state"].lower(), found["url"]

    def promote(self, id: str) -> None:
        """As Platform.promote. Without `--yes`, for with it a preview would be built anew instead."""
        self._move("promote", id, self._target.timeouts.promote)

    def rollback(self, id: str) -> None:
        """As Platform.rollback. Without an id the command would only say how the last one went."""
        self._move("rollback", id, self._target.timeouts.rollback)

    def _move(self, verb: str, id: str, seconds: float) -> None:
        self._cli.run([verb, id, "--timeout", f"{math.ceil(seconds)}s"], seconds + GRACE)

    def variables(self, snapshot: str) -> list[str] | None:
        """As Platform.variables. The answer holds values; they stay in it."""
        if not self._cli.modern:
            return None
        rows = self._cli.answer(["env", "ls", self._options.target or "production", *JSON], self._target.timeouts.ask)
        try:
            return sorted({str(each["key"]) for each in rows["envs"]})
        except (KeyError, TypeError):
            raise Lost("vercel env: its answer has no variables") from None

    def calls(self) -> list[list[str]]:
        """As Platform.calls."""
        try:
            lists = self._cli.modern
        except Lost:
            lists = True  # which CLI it will be is not known yet
        live = ["inspect", f"https://{self._domain}"]
        moves = [["promote", "{id}"], live, ["rollback", "{id}"]] if self.stage else [live]
        dry = [["deploy", "--dry", "--prebuilt", *self._where(), "--json"]] if lists else []
        every = [live, *dry, self._deploy("{digest}", "{key}"), ["inspect", "{id}"], *moves]
        return [[self._veil.hide(word) for word in (*self._options.cli, *words)] for words in every]

    @property
    def _domain(self) -> str:
        return urlsplit(self._target.url).hostname or ""

    def _where(self) -> list[str]:
        return [f"--target={self._options.target}"] if self._options.target else ["--prod"]

    def _deploy(self, digest: str, key: str) -> list[str]:
        later = ["--skip-domain"] if self.stage else []
        told = ["--env", f"{self._options.release_env}={digest}"] if self._options.release_env else []
        return ["deploy", "--prebuilt", *self._where(), *later, "--no-wait", "--yes", "--meta", f"{KEY}={key}", *told]

    def _lay_out(self, snapshot: str) -> None:
        beside = self._target.artifact.removesuffix(output.OUTPUT)
        output.lay_out(snapshot, self._cli.tree, os.path.join(self._folder, beside, "vercel.json"))

    def _inspect(self, name: str) -> dict[str, str] | None:
        """The `id`, `url` and `state` of a deployment, None for a name that leads to none. Raises Lost."""
        words = ["inspect", name, *(JSON if self._cli.modern else ())]
        done = self._cli.run(words, self._target.timeouts.ask, codes=(0, 1))
        if UNKNOWN_NAME.encode() in done.err:
            return None
        answer = self._cli.object(words, done) if self._cli.modern else _words_of(done.err.decode("utf-8", "replace"))
        what = "vercel inspect"
        if "id" not in answer:
            raise self._cli.lost(words, done)
        id = identity(what, answer.get("id"), self._veil)
        return {"id": id, "url": self._url(what, answer), "state": str(answer.get("readyState"))}

    def _at(self, url: str) -> dict[str, str]:
        """As _inspect, of the very deployment that has an address. Raises Lost."""
        found = self._inspect(url)
        if found is None or found["url"] != url:
            raise Lost("vercel inspect: the deployment that the CLI names is not there")
        return found

    def _url(self, what: str, answer: dict[str, Any]) -> str:
        found = answer.get("url")
        bare = isinstance(found, str) and bool(found) and "://" not in found
        return address(what, f"https://{found}" if bare else found, self._veil)


def _words_of(said: str) -> dict[str, Any]:
    """What `inspect` before 50.42.0 says of a deployment; its fields stand in lines of their own."""
    found = {name: re.findall(rf"^ {{4}}{name}\t+(.*?) *$", said, re.MULTILINE) for name in ("id", "url", "status")}
    made = {name: lines[0] for name, lines in found.items() if len(lines) == 1}
    return {**made, "readyState": made.get("status", "").removeprefix("\u25cf ").upper()}


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))
