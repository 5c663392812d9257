"""Turns answers into findings: the rules of the static gate on what was served, then what only an answer shows."""

from __future__ import annotations

import re

from ..model import SEVERITIES
from . import served
from .known import plain
from .words import Found, found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .ask import Answer
    from .browser import Page
    from .known import Expected

    Answered = list[tuple[str, Answer]]

NONCE = re.compile(r"'nonce-([^']+)'", re.I)
_SESSION = re.compile(r"sess|auth(?!or)|token|jwt|\bsid\b|login|remember|csrf|xsrf|connect\.sid|^id$", re.I)
_CSRF = re.compile(r"csrf|xsrf", re.I)  # read by the page's script, by design
_FRAMEWORK = ("x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "x-generator")
_VERSION = re.compile(r"[/ ]v?\d+(?:\.\d+)*")


def headers(
    answers: Answered, expected: list[Expected], secure: bool, elo: bool, settings: dict[str, Any], as_of: str
) -> list[Found]:
    """What the headers of answers, by path, do wrong. `settings` as of the engine, from elo-gate.toml."""
    from ..engine import judge
    from ..project import Project
    from ..redact import mask
    from ..ruleset.load import load

    ruleset = load()
    project = Project(None, as_of, ruleset.table, elo=elo, ignores=())
    lacking = [(path, each) for path, answer in answers for each in expected if _lacks(path, answer, each, secure)]
    artifacts = [served.artifact(answer, path, project, secure) for path, answer in answers]
    outcome = judge(artifacts, ruleset, settings, mask)
    made = [
        found("verify/configured-not-served", path, (each.place, "configured here"), header=each.shown)
        for path, each in lacking
    ]
    said = {(path, each.name) for path, each in lacking}
    for one in outcome.findings:
        if one.rule.id == "headers/missing-headers" and _told(one, said):
            continue  # told above, with the file that was to set it
        words = ruleset.words(one.rule.id)
        source, start, end = one.source, one.start, one.end
        related = [(where.path, text) for where, _, _, text in one.related if where.path != source.path]
        each = Found(
            one.rule.id, one.severity, one.rule.standard, one.message, words["rationale"], one.fix, source.path, related
        )
        each.line, column = source.position(start)
        each.show(source.line(each.line), column - 1, column - 1 + max(1, end - start))
        made.append(each)
    for path, answer in answers:
        made += _otherwise(path, answer, expected)
        made += _leaks(path, answer)
    return merged(made)


def _lacks(path: str, answer: Answer, expected: Expected, secure: bool) -> bool:
    if expected.name == "strict-transport-security" and not secure:
        return False
    if expected.name.startswith("content-security-policy") and not answer.html:
        return False  # a policy is for pages; middleware often leaves the rest out
    return expected.meant(path) and not answer.all(expected.name)


def _told(finding: Any, said: set[tuple[str, str]]) -> bool:
    """Whether all that a finding misses is told with the file that configures it."""
    names = [name.strip().lower() for name in finding.arguments[0].split(",")]
    return all((finding.source.path, name) in said for name in names)


def _otherwise(path: str, answer: Answer, expected: list[Expected]) -> list[Found]:
    made = []
    for each in expected:
        got = answer.all(each.name)
        if got and each.values is not None and each.meant(path) and not any(plain(one) in each.values for one in got):
            place = (each.place, "configured here")
            made.append(found("verify/configured-otherwise", path, place, header=each.shown))
    return made


def _leaks(path: str, answer: Answer) -> list[Found]:
    made = []
    for name, value in answer.headers:
        if name.lower() in _FRAMEWORK and value.strip():
            made.append(found("verify/framework-told", path, header=name, value=value[:80]))
        elif name.lower() == "server" and _VERSION.search(value):
            made.append(found("verify/version-told", path, header=name, value=value[:80]))
    return made


def cookies(answers: Answered, secure: bool) -> list[Found]:
    """What the flags of cookies leave open. Values are not looked at."""
    made = []
    for path, answer in answers:
        for line in answer.all("set-cookie"):
            pair, *rest = line.split(";")
            name = pair.partition("=")[0].strip()[:80]
            flags = {each.partition("=")[0].strip().lower(): each.partition("=")[2].strip().lower() for each in rest}
            if _gone(flags, pair):
                continue
            session = _SESSION.search(name) is not None
            if secure and "secure" not in flags:
                made.append(found("verify/cookie-not-secure", path, cookie=name))
            if session and "httponly" not in flags and not _CSRF.search(name):
                made.append(found("verify/cookie-readable", path, cookie=name))
            if session and flags.get("samesite") not in ("lax", "strict") and not name.startswith("__Host-csrf"):
                made.append(found("verify/cookie-anywhere", path, cookie=name))
    return merged(made)


def _gone(flags: dict[str, str], pair: str) -> bool:
    """Whether the line takes a cookie away."""
    return flags.get("max-age", "").startswith(("0", "-")) or not pair.partition("=")[2].strip()


def merged(findings: list[Found]) -> list[Found]:
    """One finding for what several paths have in common, the gravest first."""
    kept: dict[tuple[str, str], Found] = {}
    for each in findings:
        # A message that names its path is told once for all of them, with the first one's name.
        words = each.message.replace(f"'{each.paths[0]}'", "''")
        first = kept.setdefault((each.rule, words), each)
        if first is not each:
            first.paths += [path for path in each.paths if path not in first.paths]
    return sorted(kept.values(), key=lambda each: (SEVERITIES.index(each.severity), each.rule, each.paths[0]))


def page(seen: Page) -> list[Found]:
    """What a browser says of a page."""
    if seen.failed:
        return [found("verify/page-fails", seen.path, what=seen.failed)]
    made = []
    for rule, trial in (("verify/csp-violation", False), ("verify/csp-report", True)):
        counted: dict[str, int] = {}
        for directive, what, only in seen.violations:
            if only is trial:
                counted[f"'{directive}' refuses {what}"] = counted.get(f"'{directive}' refuses {what}", 0) + 1
        if counted:
            words = [f"{each} ({count} times)" if count > 1 else each for each, count in list(counted.items())[:4]]
            made.append(found(rule, seen.path, what="; ".join(words)))
    if seen.errors:
        made.append(found("verify/console-error", seen.path, what="; ".join(seen.errors[:2])))
    return made


def nonces(answer: Answer) -> set[str]:
    """The nonces of an answer's policies."""
    return {each for value in answer.all("content-security-policy") for each in NONCE.findall(value)}
