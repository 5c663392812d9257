"""Turns the words of `elo-gate verify` into a look and its report; gives the exit code."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ..discover import Unreadable
from ..gate import UsageError
from ..policy import ConfigError
from ..ruleset.load import RuleError
from . import report
from .known import Known
from .look import CannotLook, default_paths, look
from .options import Health, Options, Path
from .outcome import GREEN, RED, Look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..gate import Run

CODES = {GREEN: 0, RED: 1}
INCONCLUSIVE = 7


class Stopped(Exception):
    """A look that was not made: words; the exit code is 2."""


class Asked:
    """What the command line asks for, beside the address. `root` "" is no tree."""

    __slots__ = (
        "root", "paths", "health", "expect", "nested", "release", "expect_release", "browser", "screenshot", "answer",
        "bypass_env", "fail_on", "as_json", "colour",
    )  # fmt: skip

    def __init__(self) -> None:
        self.root = ""
        self.paths: tuple[str, ...] = ()
        self.health = ""
        self.expect = ""
        self.nested = ""
        self.release = ""
        self.expect_release = ""
        self.browser = False
        self.screenshot = ""
        self.answer = 10.0
        self.bypass_env = ""
        self.fail_on = "warning"
        self.as_json = False
        self.colour = False


def run(
    where: str, asked: Asked, target: Callable[[str, str], tuple[str, Options]], write: Callable[[str], None]
) -> int:
    """`elo-gate verify`: 0 green, 1 findings, 7 no answer. `target` gives the address and the options of a target by
    root and name. Raises Stopped."""
    try:
        url, options = (where, Options()) if "://" in where else target(asked.root or ".", where)
        _check(url, asked)
        root = asked.root or ("." if "://" not in where else "")
        run, known = _tree(root)
        options = _options(options, asked, known, run)
        seen = look(url, options, asked.release, known=known)
    except (CannotLook, ConfigError, UsageError, RuleError, Unreadable) as error:
        raise Stopped(str(error)) from None
    if options.browser == "off":
        seen.remarks.append("pages in a browser, where alone a policy that breaks one shows (--browser)")
    if options.expect_release and not asked.release:
        seen.remarks.append("which release answers (--release)")
    code = code_of(seen, asked.fail_on)
    write(report.as_json(seen, asked.fail_on, code) if asked.as_json else report.as_text(seen, code, asked.colour))
    return code


def code_of(seen: Look, fail_on: str) -> int:
    """The exit code of a look."""
    return CODES.get(seen.result(fail_on), INCONCLUSIVE)


def _check(url: str, asked: Asked) -> None:
    """Refuses what cannot be asked for. Raises Stopped."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        good = (
            parts.scheme in ("http", "https") and re.fullmatch(r"[\w.:-]{1,253}", host) is not None and parts.port != 0
        )
    except ValueError:
        good = False
    if not good or parts.username or parts.password or parts.query or parts.fragment or not url.isprintable():
        raise Stopped("an http or https address without a user, a query and a fragment stands here")
    for path in (*asked.paths, *([asked.health] if asked.health else [])):
        if not re.fullmatch(r"/[!-~]*", path):
            raise Stopped("a path begins with / and holds printable ASCII without blanks")
    if len(asked.paths) > 50:
        raise Stopped("at most 50 paths in one look")
    if asked.expect_release and not re.fullmatch(r"header:[A-Za-z0-9-]+|json:[A-Za-z0-9_.-]+", asked.expect_release):
        raise Stopped("--expect-release: written header:NAME or json:FIELD")
    if asked.release and not re.fullmatch(r"(?:sha256:)?[0-9a-fA-F]{12,64}", asked.release):
        raise Stopped("--release: the digest of a release stands here, at least twelve digits of it")


def _tree(root: str) -> tuple[Run | None, Known]:
    """The judged tree and what it says of its site. Raises Stopped, and as gate.run does."""
    if not root:
        return None, Known()
    import os

    from .. import gate
    from . import known

    if not os.path.isdir(root):
        raise Stopped(f"--root {root}: there is no such folder")
    made = gate.run(os.path.realpath(root))
    return made, known.of(made.project)


def _options(options: Options, asked: Asked, known: Known, run: Run | None) -> Options:
    """The options of a target, or none, under what the command line says."""
    from dataclasses import replace

    health = options.health
    path = asked.health or (health.path if health else known.health)
    if path:
        health = health or Health(path, nested="checks.*.status", plain=True)
        health = replace(health, path=path, expect=asked.expect or health.expect, nested=asked.nested or health.nested)
    paths = tuple(Path(each) for each in asked.paths) or options.paths or default_paths(known)
    return replace(
        options,
        health=health,
        paths=tuple(each for each in paths if health is None or each.path != health.path or each.status),
        answer=asked.answer,
        expect_release=asked.expect_release or options.expect_release,
        headers=True,
        cookies=True,
        transport=True,
        browser="require" if asked.browser or asked.screenshot else options.browser,
        screenshot=asked.screenshot,
        bypass_env=asked.bypass_env or options.bypass_env,
        settings=dict(run.policy.settings) if run is not None else {},
        elo=run.policy.elo if run is not None else False,
    )
