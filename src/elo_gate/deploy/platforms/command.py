"""Turns the verbs of a platform into programs that a configuration names: words in, one JSON object out, no shell."""

from __future__ import annotations

from pydantic import Field, model_validator

from ..fields import Argv, Name, Table
from ..platform import Handle, Lost, address, identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .. import child
    from ..config import Place
    from ..tool import Tool
    from ..veil import Veil

STATES = ("ready", "pending", "failed", "reverted")
ANSWER = 65_536
# Which placeholders a verb can fill.
VERBS = {
    "deploy": ("snapshot", "digest", "key"),
    "current": (),
    "status": ("id",),
    "find": ("key",),
    "promote": ("id",),
    "rollback": ("id",),
}


class CommandOptions(Table):
    """The verbs as lists of words; `env` are the variables that their programs get."""

    deploy: Argv
    current: Argv
    status: Argv
    find: Argv | None = None
    promote: Argv | None = None
    rollback: Argv | None = None
    env: list[Name] = Field(default=[])

    @model_validator(mode="after")
    def _placeholders(self) -> CommandOptions:
        for verb, allowed in VERBS.items():
            for word in getattr(self, verb) or ():
                if word.startswith("{") and word.endswith("}") and word[1:-1] not in allowed:
                    known = ", ".join("{" + each + "}" for each in allowed) or "none"
                    raise ValueError(f"{verb}: no such placeholder here; there are: {known}")
        return self

    def stages(self) -> bool:
        """As Options.stages."""
        return self.promote is not None

    def goes_back(self) -> bool:
        """As Options.goes_back."""
        return self.rollback is not None

    def variables(self) -> list[str]:
        """As Options.variables."""
        return self.env

    def programs(self) -> list[list[str]]:
        """As Options.programs."""
        return [
            argv for argv in (self.deploy, self.current, self.status, self.find, self.promote, self.rollback) if argv
        ]


class CommandPlatform:
    """The verbs of one target."""

    __slots__ = ("stage", "back", "finds", "_options", "_timeouts", "_veil", "_tool")

    def __init__(self, place: Place, options: CommandOptions, veil: Veil, tool: Tool) -> None:
        self.stage = options.stages()
        self.back = options.goes_back()
        self.finds = options.find is not None
        self._options = options
        self._timeouts = place.target.timeouts
        self._veil = veil
        self._tool = tool

    def preflight(self, snapshot: str, digest: str) -> list[str]:
        """As Platform.preflight: the programs themselves know, when they are asked what is live."""
        return []

    def current(self) -> str | None:
        """As Platform.current."""
        return self._identity("current", self._answer("current", {}))

    def deploy(self, snapshot: str, digest: str, key: str) -> Handle:
        """As Platform.deploy."""
        answer = self._answer("deploy", {"snapshot": snapshot, "digest": digest, "key": key})
        found = self._identity("deploy", answer)
        if found is None:
            raise Lost("deploy: its answer names no id")
        return Handle(found, address("deploy", answer.get("url"), self._veil))

    def find(self, key: str) -> Handle | None:
        """As Platform.find."""
        answer = self._answer("find", {"key": key})
        found = self._identity("find", answer)
        return Handle(found, address("find", answer.get("url"), self._veil)) if found is not None else None

    def status(self, id: str) -> tuple[str, str, str]:
        """As Platform.status."""
        answer = self._answer("status", {"id": id})
        state = answer.get("state")
        if state not in STATES:
            raise Lost(f"status: its state is none of {', '.join(STATES)}")
        return (
            state, self._veil.hide(str(answer.get("detail") or "")), address("status", answer.get("url"), self._veil)
        )  # fmt: skip

    def promote(self, id: str) -> None:
        """As Platform.promote."""
        self._run("promote", {"id": id})

    def rollback(self, id: str) -> None:
        """As Platform.rollback."""
        self._run("rollback", {"id": id})

    def variables(self, snapshot: str) -> list[str] | None:
        """As Platform.variables: no verb asks for them."""
        return None

    def calls(self) -> list[list[str]]:
        """As Platform.calls."""
        found = (
            getattr(self._options, verb) for verb in ("current", "deploy", "status", "promote", "current", "rollback")
        )
        return [[self._veil.hide(word) for word in argv] for argv in found if argv]

    def _run(self, verb: str, values: dict[str, str]) -> child.Done:
        argv = getattr(self._options, verb)
        if argv is None:
            raise Lost(f"{verb}: the target has no such command")
        times = self._timeouts
        limit = {"deploy": times.deploy, "promote": times.promote, "rollback": times.rollback}.get(verb, times.ask)
        words = [values[each[1:-1]] if each.startswith("{") and each[1:-1] in values else each for each in argv]
        return self._tool.run(verb, words, limit)

    def _answer(self, verb: str, values: dict[str, str]) -> dict[str, Any]:
        return self._tool.object(verb, self._run(verb, values), ANSWER)

    def _identity(self, verb: str, answer: dict[str, Any]) -> str | None:
        if "id" not in answer:
            raise Lost(f"{verb}: its answer has no `id`")
        return None if answer["id"] is None else identity(verb, answer["id"], self._veil)
