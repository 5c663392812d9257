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
    """A test for paths: `*` and `?` inside a segment, `**` over segments where it is one; a folder's name covers what
    is below it. Takes time with the length of the path, whatever the pattern is."""
    import re

    from ..syntax.glob import translate

    # Only `*` and `?` mean something here; in ignore files brackets and backslashes do, too.
    plain = "".join("\\" + letter if letter in "[]\\" else letter for letter in pattern.strip("/"))
    while "***" in plain:
        plain = plain.replace("***", "**")
    ways = [plain]
    # `docs/**.md` goes over segments as well: within one, or with any number of them between.
    for _ in range(3):
        ways = [way for each in ways for way in _unglued(each)]
    test = re.compile("(?:" + "|".join(translate(way) or "(?!)" for way in ways) + r")(?:/.*)?", re.S).fullmatch
    return lambda path: test(path) is not None


def _unglued(pattern: str) -> tuple[str, ...]:
    """A glob whose first `**` beside other letters is laid out; itself where there is none."""
    at = pattern.find("**")
    while at >= 0:
        before, after = pattern[:at], pattern[at + 2 :]
        if (before and before[-1] != "/") or (after and after[0] != "/"):
            return f"{before}*{after}", f"{before}*/**/*{after}"
        at = pattern.find("**", at + 2)
    return (pattern,)


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
