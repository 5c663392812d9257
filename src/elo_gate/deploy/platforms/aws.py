"""Turns an AWS operation into its JSON answer: the `aws` command line, one account, one region, no pager."""

from __future__ import annotations

import json
import os

from pydantic import Field

from ..fields import Name, Table
from ..platform import Lost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..tool import Tool

# What the command line and its credential chain read: the values nobody may see, and the others;
# https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html, looked up 2026-11-25.
SECRET = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN")
PLAIN = (
    "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_SESSION_NAME", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL",
)  # fmt: skip


class Account(Table):
    """What every table of an AWS platform has: `account` is the only one that is deployed to."""

    account: str = Field(pattern=r"^[0-9]{12}$")
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")
    cli: str = Field(default="aws", min_length=1)
    env: list[Name] = Field(default=[])

    def variables(self) -> list[str]:
        """As Options.variables."""
        return [*SECRET, *self.env]

    def programs(self) -> list[list[str]]:
        """As Options.programs."""
        return [[self.cli]]


class Aws:
    """The command line for one account and region."""

    __slots__ = ("_options", "_tool", "_seconds")

    def __init__(self, options: Account, tool: Tool, seconds: float) -> None:
        self._options = options
        self._tool = tool
        self._seconds = seconds

    def argv(self, *words: str) -> list[str]:
        """The command of an operation."""
        return [self._options.cli, *words, "--region", self._options.region, "--output", "json"]

    def say(self, what: str, *words: str, seconds: float = 0.0, folder: str = "") -> bytes:
        """What an operation printed. Raises Lost."""
        # A pager would wait for somebody.
        variables = {**{name: os.environ[name] for name in PLAIN if name in os.environ}, "AWS_PAGER": ""}
        return self._tool.run(what, self.argv(*words), seconds or self._seconds, folder=folder, variables=variables).out

    def ask(self, what: str, *words: str) -> dict[str, Any]:
        """The JSON object that an operation answers with. Raises Lost."""
        out = self.say(what, *words)
        try:
            answer = json.loads(out)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise Lost(f"{what}: its answer is not one JSON object")
        return answer

    def against(self) -> list[str]:
        """What speaks against using it: another account. Raises Lost."""
        found = self.ask("aws sts get-caller-identity", "sts", "get-caller-identity").get("Account")
        return (
            []
            if found == self._options.account
            else [f"the credentials are not those of account {self._options.account}"]
        )


def pick(answer: Any, *path: str | int) -> Any:
    """The value at a path of an answer, None where there is none."""
    for step in path:
        try:
            answer = answer[step]
        except (KeyError, IndexError, TypeError):
            return None
    return answer


def objects(answer: Any, *path: str | int) -> Sequence[dict[str, Any]]:
    """The objects of a list at a path of an answer."""
    found = pick(answer, *path)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
