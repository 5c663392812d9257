"""Turns the texts of the `[deploy]` table into checked values: times, names, paths, addresses, commands."""

from __future__ import annotations

import os
import re
import tomllib
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema

from ..policy import ConfigError
from . import calendar

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
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


def ident(text: str) -> str:
    """A name of small letters, digits and `-`. Raises ValueError."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", text):
        raise ValueError("a name is made of small letters, digits and -")
    return text


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
Ident = Annotated[str, AfterValidator(ident)]
Argv = Annotated[list[str], AfterValidator(_command)]
Window = Annotated[str, AfterValidator(_window)]
Freeze = Annotated[str, AfterValidator(_freeze)]


def tables(text: str, path: str) -> dict[str, Any]:
    """The tables of a configuration, also where it is a part of pyproject.toml. Raises ConfigError."""
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        raise ConfigError(f"{path}: not TOML; `elo-gate check` says where") from None
    if os.path.basename(path) == "pyproject.toml":
        values = values.get("tool", {}).get("elo-gate", {})
    return values


def mistake(error: ValidationError, path: str, key: str) -> ConfigError:
    """The first thing that is wrong with a table, without any value."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(each) for each in (key, *first["loc"]))
    return ConfigError(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}")


class Table(BaseModel):
    """A table whose keys are all known, and whose mistakes show no value."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)
