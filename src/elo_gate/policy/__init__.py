"""What a repository declares about its own judgement. The reader of the file is `config`; most runs need none."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..model import Node


class ConfigError(Exception):
    """A configuration that is refused: path, line and what to write instead."""


class Ignore:
    """One `[[ignore]]`: which rule, where, why, who, until when; `used` counts what it let pass.

    `node` is where it stands, None where it has no place below the judged root; `file` names a policy it came from
    through `extends`.
    """

    __slots__ = ("rule", "path", "reason", "owner", "until", "line", "used", "matches", "node", "file")

    kind = "external"

    def __init__(self, rule: str, path: str, reason: str, owner: str, until: str, line: int) -> None:
        self.rule = rule
        self.path = path
        self.reason = reason
        self.owner = owner
        self.until = until
        self.line = line
        self.used = 0
        self.matches = glob(path)
        self.node: Node | None = None
        self.file = ""


class Policy:
    """What is declared. `declared` is (key, word) -> where the word stands, for findings that have no other place."""

    __slots__ = (
        "path", "fail_on", "exclude", "rules", "platforms", "elo", "allow_empty", "settings", "environments", "ignores",
        "promises", "services", "provided", "declared", "baseline", "unsuppressable", "require_owner", "require_until",
        "max_days", "below",
    )  # fmt: skip

    def __init__(self) -> None:
        self.path = ""
        self.fail_on = "error"
        self.exclude: list[str] = []
        self.rules: list[str] = []
        self.platforms: list[str] = []
        self.elo = False
        self.allow_empty = False
        self.settings: dict[str, tuple[str | None, dict[str, Any]]] = {}
        self.environments: list[tuple[str, list[Callable[[str], bool]]]] = []
        self.ignores: list[Ignore] = []
        self.promises: list[str] = []
        self.services: list[tuple[str, tuple[Callable[[str], bool], ...]]] = []
        self.provided: dict[str, set[str]] = {}
        self.declared: dict[tuple[str, str], Node] = {}
        self.baseline = ""  # a path relative to the configuration's folder
        self.unsuppressable: list[str] = []
        self.require_owner = False
        self.require_until = False
        self.max_days = 0
        self.below = ""  # where the judged root lies under the configuration's folder, with a final `/`

    def rename(self, aliases: dict[str, str]) -> None:
        """Takes rules that are named by a former id under their present one."""
        for old in [each for each in self.settings if each in aliases]:
            self.settings.setdefault(aliases[old], self.settings.pop(old))
        for entry in self.ignores:
            entry.rule = aliases.get(entry.rule, entry.rule)


def glob(pattern: str) -> Callable[[str], bool]:
    """A test for paths: `*` and `?` inside a segment, `**` over segments; a folder's name covers what is below it."""
    import re

    pattern = pattern.strip("/") if pattern != "\0" else pattern
    out = ""
    at = 0
    while at < len(pattern):
        if pattern.startswith("**/", at):
            out += "(?:[^/]+/)*?"
            at += 3
        elif pattern.startswith("**", at):
            out += ".*"
            at += 2
        elif pattern[at] == "*":
            out += "[^/]*"
            at += 1
        elif pattern[at] == "?":
            out += "[^/]"
            at += 1
        else:
            out += re.escape(pattern[at])
            at += 1
    test = re.compile(out + r"(?:/.*)?", re.S).fullmatch
    return lambda path: test(path) is not None


def is_date(text: str) -> bool:
    """Whether a text is a real ISO date."""
    parts = text.split("-")
    if [len(part) for part in parts] != [4, 2, 2] or not all(part.isdigit() for part in parts):
        return False
    from datetime import date

    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
