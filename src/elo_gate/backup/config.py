"""Turns the `[backup]` table of elo-gate.toml into what each series of backups promises, or says which key is wrong.

Only names of variables stand here, never a value of one.
"""

from __future__ import annotations

import os
import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from ..deploy.fields import Ident, Name, Seconds, Table, mistake, tables
from ..policy import ConfigError, is_date
from ..policy.config import find, nearest, text_of

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86_400.0}
WITHIN = 3660 * 86_400.0
# What a dump is called where no pattern says so.
DUMPS = (
    "*.dump", "*.pgdump", "*.backup", "*.bak", "*.sql", "*.tar", "*.tgz", "*.gz", "*.zst", "*.xz", "*.bz2", "*.age",
    "*.gpg",
)  # fmt: skip


def _span(value: Any) -> Any:
    """The seconds of `26h`, `30d`, `90m`."""
    found = re.fullmatch(r"([0-9]{1,6})([mhd])", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('a span of time is written "26h", "30d" or "90m"')
    made = int(found[1]) * _UNITS[found[2]]
    if not 0 < made <= WITHIN:
        raise ValueError("a span of time is over nothing and at most ten years")
    return made


def _source(text: str) -> str:
    if text.startswith("s3://"):
        # A prefix holds no colon: the aws program takes file:// and http:// in its options for something to read.
        if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w!.*'()=+@ /-]*)?", text, re.A):
            raise ValueError("a bucket is written s3://bucket or s3://bucket/prefix, without a key and without a colon")
    elif "://" in text:
        raise ValueError("a folder or s3://bucket/prefix stands here; other stores are not read yet")
    elif not text or "\0" in text:
        raise ValueError("a folder or s3://bucket/prefix stands here")
    return text


def _zone(text: str) -> str:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(text)
    except (OSError, ValueError, KeyError):
        raise ValueError("a time zone is written America/Sao_Paulo or UTC") from None
    return text


def _day(text: str) -> str:
    if not is_date(text):
        raise ValueError('a day is written "2026-11-25"')
    return text


def _days(values: dict[str, str]) -> dict[str, str]:
    for day, reason in values.items():
        if not is_date(day) or not reason.strip():
            raise ValueError('a day and a reason are written "2026-11-25" = "why"')
    return values


Span = Annotated[
    float, BeforeValidator(_span), WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,6}[mhd]$"}, mode="validation")
]
Place = Annotated[str, AfterValidator(_source)]
Zone = Annotated[str, AfterValidator(_zone)]
Day = Annotated[str, AfterValidator(_day)]
Days = Annotated[dict[str, str], AfterValidator(_days)]


class Migrations(Table):
    """Where the migration head stands: in the database by `query`, in the tree below `folder`, or as `expect`."""

    query: str = ""
    folder: str = ""
    expect: str = ""

    @model_validator(mode="after")
    def _one(self) -> Migrations:
        if bool(self.folder) == bool(self.expect):
            raise ValueError("needs either `folder`, where the migrations lie, or `expect`, the newest one's name")
        if self.expect and not self.query:
            raise ValueError("expect: needs `query`, which reads the newest migration from the database")
        return self


class Drill(Table):
    """A restore into a scratch database of another server than production's."""

    admin_dsn_env: Name
    production_dsn_env: Name = "DATABASE_URL"
    checks: list[str] = Field(default=[], max_length=100)
    migrations: Migrations | None = None
    within: Span | None = None
    timeout: Seconds = 7200.0

    @model_validator(mode="after")
    def _apart(self) -> Drill:
        if self.admin_dsn_env == self.production_dsn_env:
            raise ValueError("admin_dsn_env and production_dsn_env are one: a drill never runs on production")
        return self


class Backup(Table):
    """What one series of backups promises."""

    source: Place
    pattern: str | list[str] = Field(default=list(DUMPS), min_length=1)
    max_age: Span = 26 * 3600.0
    gap: Span | None = None
    known_gaps: Days = Field(default={})
    retention: Span = 30 * 86_400.0
    keeps_longer: bool = False
    since: Day = ""
    min_size_ratio: float = Field(default=0.5, ge=0, lt=1)
    timezone: Zone = ""
    off_site: Place = ""
    drill: Drill | None = None

    @model_validator(mode="after")
    def _elsewhere(self) -> Backup:
        if self.off_site and os.path.normpath(self.off_site) == os.path.normpath(self.source):
            raise ValueError("off_site: the same place is no second place")
        return self

    def patterns(self) -> list[str]:
        """The globs of the files that belong to the series."""
        return [self.pattern] if isinstance(self.pattern, str) else self.pattern


_SERIES = TypeAdapter(Annotated[dict[Ident, Backup], Field(min_length=1)])


def read(root: str, names: tuple[str, ...]) -> tuple[str, dict[str, Backup]]:
    """(the configuration's folder, name -> series) of the names, or of all. Raises ConfigError."""
    from ..discover import DiskTree

    tree = DiskTree(root)
    path = find(tree.root, tree.top())
    if path is None:
        raise ConfigError(f"{tree.root}: no elo-gate.toml; [backup.NAME] says where backups lie")
    found = parse(text_of(path), path)
    for name in names:
        if name not in found:
            raise ConfigError(f"{path}: no backup '{name}'{nearest(name, found)}")
    return os.path.dirname(os.path.realpath(path)), {name: found[name] for name in names or found}


def parse(text: str, path: str) -> dict[str, Backup]:
    """The `[backup]` table of a configuration. Raises ConfigError."""
    values = tables(text, path)
    if "backup" not in values:
        raise ConfigError(f"{path}: no [backup.NAME]: nothing says where backups lie")
    try:
        return _SERIES.validate_python(values["backup"])
    except ValidationError as error:
        raise mistake(error, path, "backup") from None


def schema() -> dict[str, Any]:
    """The JSON schema of the table."""
    made = _SERIES.json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "[backup] of elo-gate.toml"}


if __name__ == "__main__":
    import json
    import sys

    # Writes the schema: python -m elo_gate.backup.config > schemas/backup.schema.json
    sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
