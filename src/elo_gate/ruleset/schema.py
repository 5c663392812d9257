"""The shape of a rule file and its examples, checked by pydantic when rules are compiled (never on the check path)."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Level = Literal["error", "warning", "note"]
Text = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    """Unknown keys are errors; inputs are never quoted in messages."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Severity(Strict):
    """`default`, and what replaces it when the standard is declared or production is only assumed."""

    default: Level
    elo: Level | None = None
    assumed: Level | None = None


class Reference(Strict):
    """Where a fact comes from and the day it was looked up."""

    title: Text
    url: Annotated[str, Field(pattern=r"^https://")]
    date: datetime.date


class Edit(Strict):
    """What `check --fix` writes: a function of elo_gate.fixes; `unsafe` when somebody has to decide."""

    safety: Literal["safe", "unsafe"]
    by: Annotated[str, Field(pattern=r"^[a-z0-9_]+:[a-z0-9_]+$")]


class Translation(Strict):
    """The words of a rule in another language; placeholders as in the English ones."""

    title: Annotated[str, Field(min_length=5, max_length=140)]
    message: Text | dict[str, Text]
    rationale: Annotated[str, Field(min_length=20, max_length=1100)]
    fix: Text

    @property
    def messages(self) -> dict[str, str]:
        """`message` as a map."""
        return {"default": self.message} if isinstance(self.message, str) else dict(self.message)


class Example(Strict):
    """One small tree and the lines at which the rule fires in it."""

    why: str = ""
    path: str | None = None
    file: str | None = None
    files: dict[str, str] | None = None
    at: int | str | list[int | str] | None = None
    as_of: datetime.date | None = None
    config: str | None = None

    @model_validator(mode="after")
    def _one_tree(self) -> Example:
        if (self.file is None) == (self.files is None):
            raise ValueError("an example has either `file` or `files`")
        return self

    @property
    def places(self) -> list[int | str]:
        """`at` as a list."""
        if self.at is None:
            return []
        return list(self.at) if isinstance(self.at, list) else [self.at]


class RuleFile(Strict):
    """One file of `rules/`."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)+$")]
    title: Annotated[str, Field(min_length=5, max_length=120)]
    severity: Level | Severity
    standard: Annotated[list[Annotated[str, Field(pattern=r"^[A-Z]{2,4}-[0-9]+$")]], Field(min_length=1)]
    kind: str | list[str]
    select: str = "file"
    when: str | None = None
    assert_: Annotated[str | None, Field(alias="assert")] = None
    check: Annotated[str | None, Field(pattern=r"^[a-z0-9_]+:[a-z0-9_]+$")] = None
    with_: Annotated[dict[str, object], Field(alias="with", default_factory=dict)]
    at: str | None = None
    message: Text | dict[str, Text]
    rationale: Annotated[str, Field(min_length=20, max_length=900)]
    fix: Text
    edit: Edit | None = None
    references: list[Reference] = []
    tables: list[Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]] = []
    security: Annotated[float | None, Field(gt=0, le=10)] = None
    cwe: list[int] = []
    aliases: list[str] = []
    suppressable: bool = True
    translations: dict[Literal["pt-BR"], Translation] = {}
    bad: Annotated[list[Example], Field(min_length=1)]
    good: Annotated[list[Example], Field(min_length=1)]
    undecided: list[Example] = []

    @model_validator(mode="after")
    def _one_body(self) -> RuleFile:
        if (self.assert_ is None) == (self.check is None):
            raise ValueError("a rule has either `assert` or `check`")
        if any(not example.places for example in self.bad):
            raise ValueError("every bad example says `at` which line")
        if any(set(each.messages) != set(self.messages) for each in self.translations.values()):
            raise ValueError("a translation has the same messages as the rule")
        return self

    @property
    def kinds(self) -> list[str]:
        """`kind` as a list."""
        return [self.kind] if isinstance(self.kind, str) else list(self.kind)

    @property
    def levels(self) -> Severity:
        """`severity` as a map."""
        return self.severity if isinstance(self.severity, Severity) else Severity(default=self.severity)

    @property
    def messages(self) -> dict[str, str]:
        """`message` as a map."""
        return {"default": self.message} if isinstance(self.message, str) else dict(self.message)


if __name__ == "__main__":
    import json
    import sys

    # Writes the schema: python -m elo_gate.ruleset.schema > schemas/rule.schema.json
    sys.stdout.write(json.dumps(RuleFile.model_json_schema(), indent=2) + "\n")
