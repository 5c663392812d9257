"""Turns a command of the Vercel CLI into what it said: private settings, two dialects, nothing secret in argv.

From 50.42.0 on the CLI prints JSON and takes its token from VERCEL_TOKEN (changelog of the package `vercel`, read
2026-11-25). Before that the token lies in a file of the private folder while a command runs, and words are read.
"""

from __future__ import annotations

import json
import os
import re
import tempfile

from ...platform import Lost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ... import child
    from ...tool import Tool
    from ...veil import Veil
    from .options import VercelOptions

OLDEST = (37, 14, 0)
MODERN = (50, 42, 0)
# A list of files takes some two hundred bytes for each, and a build may have a hundred thousand.
CAP = 64 << 20
# Neither telemetry nor a look for a newer version, which would outlive the command; no questions.
QUIET = {"VERCEL_TELEMETRY_DISABLED": "1", "NO_UPDATE_NOTIFIER": "1", "CI": "1"}


class Cli:
    """The CLI with the account of one target. `tree` is the empty folder that it takes for a project."""

    __slots__ = ("tree", "_options", "_tool", "_veil", "_settings", "_version")

    def __init__(self, options: VercelOptions, tool: Tool, veil: Veil) -> None:
        self.tree = os.path.join(tool.home, "vercel", "tree")
        self._settings = os.path.join(tool.home, "vercel", "settings")
        self._options = options
        self._tool = tool
        self._veil = veil
        self._version: tuple[int, int, int] | None = None

    def version(self) -> tuple[int, int, int]:
        """Its version. Raises Lost."""
        if self._version is None:
            done = self._tool.run("vercel --version", [*self._options.cli, "--version"], 30.0, variables=QUIET)
            found = re.search(r"^([0-9]+)\.([0-9]+)\.([0-9]+)", done.out.decode("utf-8", "replace"), re.MULTILINE)
            if found is None:
                raise Lost("vercel --version: it names no version")
            self._version = (int(found[1]), int(found[2]), int(found[3]))
        return self._version

    @property
    def modern(self) -> bool:
        """Whether it prints JSON and takes its token from the environment. Raises Lost."""
        return self.version() >= MODERN

    def run(self, words: Sequence[str], seconds: float, codes: Sequence[int] = (0,)) -> child.Done:
        """What a command printed. Raises Lost."""
        own = {"VERCEL_ORG_ID": self.value(self._options.org_id_env),
               "VERCEL_PROJECT_ID": self.value(self._options.project_id_env)}  # fmt: skip
        token = self.value(self._options.token_env)
        secret = os.path.join(self._settings, "auth.json")
        modern = self.modern
        try:
            os.makedirs(self._settings, mode=0o700, exist_ok=True)
            os.makedirs(self.tree, mode=0o700, exist_ok=True)
            _write(os.path.join(self._settings, "config.json"), {"api": self._options.api} if self._options.api else {})
            if not modern:
                _write(secret, {"token": token})
        except OSError as error:
            raise Lost(f"vercel {words[0]}: its settings cannot be written ({error.strerror})") from None
        # Without a scope the CLI takes the token's default team, whatever VERCEL_ORG_ID says; only a personal account
        # has no team. The id of a team is no secret: `vercel link` writes it to a file of the project.
        scope = ["--scope", own["VERCEL_ORG_ID"]] if own["VERCEL_ORG_ID"].startswith("team_") else []
        argv = [*self._options.cli, *words, *scope, *(["--non-interactive"] if modern else []),
                "--global-config", self._settings, "--cwd", self.tree]  # fmt: skip
        try:
            # Where nobody reads its stderr any more the CLI never ends (64.0.2, 37.14.0), and would hold the lock.
            return self._tool.run(
                f"vercel {words[0]}", argv, seconds, codes=codes, outlives=True, cap=CAP,
                variables={**QUIET, **own, **({"VERCEL_TOKEN": token} if modern else {})},
            )  # fmt: skip
        finally:
            if os.path.lexists(secret):
                os.unlink(secret)

    def answer(self, words: Sequence[str], seconds: float) -> dict[str, Any]:
        """The JSON object that a command printed, also one that says it failed. Raises Lost."""
        return self.object(words, self.run(words, seconds, codes=(0, 1)))

    def object(self, words: Sequence[str], done: child.Done) -> dict[str, Any]:
        """The JSON object among what a command printed. Raises Lost, with the command's own words."""
        try:
            return self._tool.object(f"vercel {words[0]}", done, CAP)
        except Lost:
            raise self.lost(words, done) from None

    def ask(self, path: str, seconds: float) -> dict[str, Any] | None:
        """The JSON object at a path of the API, which the CLI asks for; None where there is none. Raises Lost."""
        words = ["api", path, "--raw"]
        done = self.run(words, seconds, codes=(0, 1))
        return None if done.code and b"(404)" in done.err else self.object(words, done)

    def lost(self, words: Sequence[str], done: child.Done) -> Lost:
        """That a command gave no answer, in its own words."""
        said = self._veil.hide(done.err.decode("utf-8", "replace").strip()[-2_000:])
        return Lost(f"vercel {words[0]}: ended with {done.code} and no answer" + (f": {said}" if said else ""))

    def value(self, name: str) -> str:
        """The value of a variable of the account. Raises Lost."""
        found = os.environ.get(name, "")
        if not found:
            raise Lost(f"the variable {name} is not set")
        return found


def _write(path: str, values: dict[str, str]) -> None:
    """A file that only we can read, whole or not at all."""
    descriptor, made = tempfile.mkstemp(dir=os.path.dirname(path))
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(values, file)
    os.replace(made, path)
