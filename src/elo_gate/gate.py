"""Turns a folder and a few choices into a verdict: configuration, project, rules. Both doors come here."""

from __future__ import annotations

import os

from .inert import inert
from .verdict import decide

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .model import Finding
    from .policy import Policy
    from .project import Project
    from .ruleset.load import Ruleset
    from .verdict import Verdict


class UsageError(Exception):
    """Something asked for cannot be done; the message says what to do instead."""


class Run:
    """A finished run: the verdict, and what reporters need beside it.

    `prefix` is where the judged root lies below the repository's top, with a final `/`, or empty.
    """

    __slots__ = ("verdict", "project", "ruleset", "policy", "prefix")

    def __init__(self, verdict: Verdict, project: Project, ruleset: Ruleset, policy: Policy, prefix: str) -> None:
        self.verdict = verdict
        self.project = project
        self.ruleset = ruleset
        self.policy = policy
        self.prefix = prefix


def today() -> str:
    """The day of judgement where none is given, YYYY-MM-DD in UTC."""
    import time

    return time.strftime("%Y-%m-%d", time.gmtime())


def root_of(paths: Sequence[str]) -> tuple[str, list[str]]:
    """(root, paths below it to report on). One folder is the root; else the working directory is. Raises UsageError."""
    here = os.getcwd()
    if not paths:
        return here, []
    for path in paths:
        if not os.path.lexists(path):
            raise UsageError(f"{inert(path)}: there is no such file or folder")
    if len(paths) == 1 and os.path.isdir(paths[0]):
        return os.path.realpath(paths[0]), []
    root = os.path.realpath(here)
    below = []
    for path in paths:
        relative = os.path.relpath(os.path.realpath(path), root)
        if relative == os.pardir or relative.startswith(os.pardir + os.sep):
            raise UsageError(f"{inert(path)}: outside of the working directory; give that folder alone, or start there")
        below.append(relative.replace(os.sep, "/"))
    return root, below


def run(
    root: str,
    below: Sequence[str] = (),
    as_of: str | None = None,
    fail_on: str | None = None,
    config: str | None = None,
    files: Sequence[str] | None = None,
    hook: bool = False,
) -> Run:
    """Judges a tree. `files` names the only ones to look at (the hook); `below` the ones to report on.

    Raises policy.config.ConfigError and UsageError.
    """
    from . import engine
    from .discover import DiskTree
    from .project import Project
    from .redact import mask
    from .ruleset.load import load

    tree = DiskTree(root)
    top = tree.top()
    policy = _policy(tree.root, top, config)
    if fail_on is not None:
        policy.fail_on = fail_on
    ruleset = load()
    if policy.rules:
        ruleset = _with_own_rules(ruleset, policy)
    if policy.settings or policy.ignores:
        from .policy.config import check_rules

        check_rules(policy, ruleset.ids, lambda identifier: set(ruleset.words(identifier)["parameters"]))
    project = Project(
        tree,
        as_of or today(),
        ruleset.table,
        elo=policy.elo,
        platforms=policy.platforms,
        exclude=_excluded(policy),
        environments=_environments(policy),
    )
    declare(project, policy)
    if files is None:
        project.look()
    else:
        project.look_at(files)
    outcome = engine.judge(project.subjects(), ruleset, policy.settings, mask)
    if below:
        outcome.findings = [each for each in outcome.findings if _touches(each, below)]
    verdict = decide(project, outcome, policy, hook)
    prefix = os.path.relpath(tree.root, top).replace(os.sep, "/") + "/" if top != tree.root else ""
    return Run(verdict, project, ruleset, policy, prefix)


def declare(project: Project, policy: Policy) -> None:
    """Hands a project what its configuration says about it."""
    project.promises = tuple(policy.promises)
    project.services_named = policy.services
    project.provided = policy.provided
    project.declared = policy.declared


def _policy(root: str, top: str, config: str | None) -> Policy:
    own = config
    if own is None:
        # Looking for a configuration must stay cheap: the reader is imported only when there is one.
        folder = root
        while True:
            if any(os.path.isfile(os.path.join(folder, name)) for name in ("elo-gate.toml", "pyproject.toml")):
                from .policy.config import find

                own = find(root, top)
                break
            if folder == top or os.path.dirname(folder) == folder:
                break
            folder = os.path.dirname(folder)
    from .policy import ConfigError, Policy

    if own is None:
        return Policy()
    if config is not None and not os.path.isfile(config):
        raise ConfigError(f"{inert(config)}: there is no such configuration file")
    from .policy.config import read

    return read(own, root)


def _with_own_rules(ruleset: Ruleset, policy: Policy) -> Ruleset:
    """The built-in rules and a user's own folders of rule files; data only, compiled here."""
    from .policy import ConfigError
    from .ruleset.compile import compile_rules, read_rule, rule_files
    from .ruleset.load import RuleError, from_sources

    for folder in policy.rules:
        try:
            own = [read_rule(identifier, path) for identifier, path in rule_files(folder)]
            sources = compile_rules(own)
        except (OSError, RuleError) as error:
            raise ConfigError(f"{policy.path}: rules: {error}") from None
        taken = sorted({rule.id for rule in own} & set(ruleset.ids))
        if taken:
            raise ConfigError(f"{policy.path}: rules: '{taken[0]}' is the id of a built-in rule")
        ruleset = ruleset.and_own(from_sources(sources))
    return ruleset


def _excluded(policy: Policy) -> Callable[[str], bool] | None:
    if not policy.exclude:
        return None
    from .policy import glob

    tests = [glob(pattern) for pattern in policy.exclude]
    return lambda path: any(test(path) for test in tests)


def _environments(policy: Policy) -> Callable[[str], str | None] | None:
    if not policy.environments:
        return None

    def named(path: str) -> str | None:
        for name, tests in policy.environments:
            if any(test(path) for test in tests):
                return name
        return None

    return named


def _touches(finding: Finding, below: Sequence[str]) -> bool:
    places = [finding.source.path, *(source.path for source, _, _, _ in finding.related)]
    return any(one in (path, ".") or path.startswith(one + "/") for path in places for one in below)
