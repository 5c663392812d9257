"""Turns comments and `[[ignore]]` entries into findings that are let pass, and into findings about themselves.

An exception names its rules and says why; it may have an owner and a last day. What is past its day, covers nothing,
or is written wrongly becomes an item for the rules of `rules/policy/`: exceptions are judged like anything else.
"""

from __future__ import annotations

import re

from ..kinds import kind_of
from ..model import SCALAR, Artifact, Item, Node, Source
from . import ConfigError, is_date
from .comments import MARK, Comment, comments
from .config import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..model import Finding
    from ..project import Project
    from ..ruleset.load import Ruleset
    from . import Ignore, Policy

POLICY = "policy"  # the kind, and the folder, of the rules about exceptions
VIEWS = ("malformed", "refused", "expired", "unused")

_HEAD = re.compile(r"elo-gate:\s*([A-Za-z][A-Za-z-]*)?\s*(.*)\Z", re.S)
_ID = re.compile(r"[a-z0-9-]+(?:/[a-z0-9-]+)+\Z")
_WORD = re.compile(r"([A-Za-z][A-Za-z_-]*)=(\S+)\s*")
# What other tools call it.
_OTHERS = frozenset("allow disable ignore-file ignore-line ignore-next-line noqa nolint off skip suppress".split())


class Inline:
    """One rule that a comment lets pass: why, who, until when; `used` counts the findings."""

    __slots__ = ("covers", "line", "node", "owner", "path", "reason", "rule", "until", "used")

    kind = "inSource"

    def __init__(self, comment: Comment, rule: str, reason: str, owner: str, until: str) -> None:
        self.rule = rule
        self.reason = reason
        self.owner = owner
        self.until = until
        self.path = comment.source.path
        self.node = _node(comment)
        self.line = comment.source.position(comment.start)[0]
        self.covers = comment.covers or (0, 0)
        self.used = 0


class Exceptions:
    """Every exception of a run: comments and `[[ignore]]` entries; `items` are what the rules about them judge."""

    __slots__ = ("ignores", "inline", "items")

    def __init__(self) -> None:
        self.inline: list[Inline] = []
        self.ignores: list[Ignore] = []
        self.items: dict[str, list[Item]] = {view: [] for view in VIEWS}

    def subject(self, project: Project) -> Artifact:
        """What the rules about exceptions look at."""
        artifact = Artifact(Source("", ""), POLICY)
        artifact.project = project
        artifact.assumed = False
        artifact.views = dict(self.items)
        return artifact


def apply(
    findings: list[Finding],
    undecided: list[tuple[str, str, int, str]],
    project: Project,
    policy: Policy,
    ruleset: Ruleset,
) -> tuple[list[Finding], list[Finding], Exceptions]:
    """(findings that count, those let pass, the exceptions). Raises ConfigError for an `[[ignore]]` that may not be."""
    found = Exceptions()
    found.ignores = policy.ignores
    sources = {each.path: (each.source, each.kind) for each in project.judged()}
    for finding in findings:
        if finding.source.path not in sources:
            sources[finding.source.path] = (finding.source, kind_of(finding.source.path) or "")
    terms = _Terms(policy, ruleset, project.as_of)
    for path in sorted(sources):
        source, kind = sources[path]
        if MARK in source.text:
            for comment in comments(source, kind):
                _take(comment, terms, found)
    for entry in policy.ignores:
        terms.check(entry, policy)
    kept, passed = [], []
    by_path: dict[str, list[Inline]] = {}
    for inline in found.inline:
        by_path.setdefault(inline.path, []).append(inline)
    for finding in findings:
        exception = _of(finding, by_path.get(finding.source.path, ()), policy.ignores, terms)
        if exception is None:
            kept.append(finding)
        else:
            exception.used += 1
            finding.suppressed = exception
            passed.append(finding)
    _judge_use(found, undecided, project, policy)
    return kept, passed, found


def locked(policy: Policy, ruleset: Ruleset) -> Callable[[str], bool]:
    """A test for rule ids: whether nothing lets the rule's findings pass."""
    return _Terms(policy, ruleset, "").fixed


class _Terms:
    """What an exception must be like, by the policy and the rules."""

    __slots__ = ("as_of", "days", "ids", "locked", "owner", "ruleset", "until")

    def __init__(self, policy: Policy, ruleset: Ruleset, as_of: str) -> None:
        self.as_of = as_of
        self.owner = policy.require_owner
        self.until = policy.require_until or policy.max_days > 0
        self.days = policy.max_days
        self.ruleset = ruleset
        self.ids = frozenset(ruleset.ids)
        self.locked = policy.unsuppressable

    def rule(self, identifier: str) -> str | None:
        """The id of a rule by its id or a former one, None when there is none."""
        return identifier if identifier in self.ids else self.ruleset.aliases.get(identifier)

    def fixed(self, identifier: str) -> bool:
        """Whether no exception may let a rule's findings pass."""
        folder = identifier.partition("/")[0]
        if folder == POLICY or identifier in self.locked or folder + "/*" in self.locked:
            return True
        return not self.ruleset.words(identifier).get("suppressable", True)

    def past(self, until: str) -> bool:
        return bool(until) and self.as_of > until

    def fault(self, rule: str, owner: str, until: str) -> tuple[str, dict[str, str]] | None:
        """Which term an exception breaks: the message's name and its values."""
        if self.fixed(rule):
            return "fixed", {"rule": rule}
        if self.owner and not owner:
            return "owner", {"rule": rule}
        if self.until and not until:
            return "until", {"rule": rule}
        if self.days and until and not self.past(until) and _days(self.as_of, until) > self.days:
            return "days", {"rule": rule, "until": until, "days": str(self.days)}
        return None

    def check(self, entry: Ignore, policy: Policy) -> None:
        """Refuses an `[[ignore]]` that breaks a term. Raises ConfigError."""
        fault = self.fault(entry.rule, entry.owner, entry.until)
        if fault is not None:
            words = {
                "fixed": f"'{entry.rule}' may not be ignored",
                "owner": "[[ignore]] needs `owner`: the policy demands it",
                "until": "[[ignore]] needs `until`: the policy demands it",
                "days": f"`until` is {entry.until}: the policy allows {self.days} days from today",
            }
            raise ConfigError(f"{entry.file or policy.path}:{entry.line}: {words[fault[0]]}")


def _days(first: str, last: str) -> int:
    from datetime import date

    return (date.fromisoformat(last) - date.fromisoformat(first)).days


def _node(comment: Comment) -> Node:
    """Where a finding about a comment points: the comment up to its line's end."""
    source = comment.source
    start = source.text.find(MARK, comment.start, comment.end)
    end = source.text.find("\n", start, comment.end)
    end = comment.end if end < 0 else end
    return Node(SCALAR, "", source, start, start + len(source.text[start:end].rstrip(" \t\r*/>-")), "'")


def _take(comment: Comment, terms: _Terms, found: Exceptions) -> None:
    """Reads one comment: an exception for each rule it names, or an item that says what is wrong with it."""

    def wrong(fault: str, view: str = "malformed", **values: str) -> None:
        found.items[view].append(Item(_node(comment), {"fault": fault, "values": values}))

    match = _HEAD.match(comment.body)
    word, rest = (match[1] or "", match[2]) if match is not None else ("", "")
    if word.lower() != "ignore":
        # A sentence about elo-gate is no exception; a word that was meant as one is a mistake.
        if rest.startswith("[") or (word and nearest(word, ("ignore",)) and "/" in rest.partition(" ")[0]):
            wrong("word", word=word or "[", near="ignore")
        elif word.lower() in _OTHERS and _ID.match(rest.partition(" ")[0].strip("[](),:")):
            wrong("word", word=word, near="ignore")
        return
    close = rest.find("]")
    if word != "ignore" or not rest.startswith("[") or close < 0:
        wrong("form")
        return
    names = [name.strip() for name in rest[1:close].split(",")]
    values = {"until": "", "owner": ""}
    tail = rest[close + 1 :].strip()
    while True:
        given = _WORD.match(tail)
        if given is None:
            break
        if given[1] not in values:
            near = nearest(given[1], values).removeprefix("; did you mean `").removesuffix("`?")
            wrong("key", word=given[1], near=near or "until=, owner= and then the reason")
            return
        if values[given[1]]:
            wrong("twice", word=given[1])
            return
        values[given[1]] = given[2].rstrip(",;")
        tail = tail[given.end() :]
    reason = " ".join(tail.strip(" -:–—").split())
    if values["until"] and not is_date(values["until"]):
        wrong("date", word=values["until"][:20])
        return
    if not any(letter.isalnum() for letter in reason):
        wrong("reason")
        return
    for name in names:
        if not _ID.match(name):
            wrong("blanket" if name in ("", "*") or name.endswith("*") else "name", word=name[:60])
            continue
        rule = terms.rule(name)
        if rule is None:
            near = nearest(name, terms.ids).removeprefix("; did you mean `").removesuffix("`?")
            wrong("rule" if near else "unknown", word=name, near=near)
            continue
        if comment.covers is None:
            wrong("place", word=name)
            continue
        fault = terms.fault(rule, values["owner"], values["until"])
        if fault is not None:
            wrong(fault[0], "refused", **fault[1])
            continue
        found.inline.append(Inline(comment, rule, reason, values["owner"], values["until"]))


def _of(finding: Finding, inline: Any, ignores: list[Ignore], terms: _Terms) -> Inline | Ignore | None:
    """The first exception that covers a finding and is not past its day."""
    rule, start = finding.rule.id, finding.start
    for each in inline:
        if each.rule == rule and not terms.past(each.until) and each.covers[0] <= start < max(each.covers[1], 1):
            return each  # type: ignore[no-any-return]
    for entry in ignores:
        if entry.rule == rule and not terms.past(entry.until) and entry.matches(finding.source.path):
            return entry
    return None


def _judge_use(found: Exceptions, undecided: list[tuple[str, str, int, str]], project: Project, policy: Policy) -> None:
    """Makes items of exceptions that are past their day or cover nothing.

    Of a part of the files, and of a folder below the configuration's, nothing can be said about what is not found. A
    rule that could not decide where an exception stands may fire there tomorrow.
    """
    as_of = project.as_of
    open_answers = [(rule, path, line) for rule, path, line, _ in undecided]
    for each in found.inline:
        facts = {"values": {"rule": each.rule, "until": each.until}, "owner": each.owner}
        if each.until and as_of > each.until:
            found.items["expired"].append(Item(each.node, {"fault": "default", **facts}))
        elif not each.used and not project.partial:
            source = each.node.source
            first = source.position(each.covers[0])[0]
            last = source.position(each.covers[1])[0]
            if not any(
                rule == each.rule and path == each.path and first <= line <= last for rule, path, line in open_answers
            ):
                found.items["unused"].append(Item(each.node, {"fault": "default", **facts}))
    for entry in policy.ignores:
        if entry.node is None:
            continue
        facts = {"values": {"rule": entry.rule, "until": entry.until}, "owner": entry.owner}
        if entry.until and as_of > entry.until:
            found.items["expired"].append(Item(entry.node, {"fault": "entry", **facts}))
        elif not entry.used and not project.partial:
            if not any(rule == entry.rule and entry.matches(path) for rule, path, _ in open_answers):
                found.items["unused"].append(Item(entry.node, {"fault": "entry", **facts}))
