"""Turns a folder and a few choices into a verdict: configuration, project, rules. Both doors come here."""

from __future__ import annotations

import os

from .inert import inert
from .verdict import decide, weigh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .discover import DiskTree
    from .fixes.propose import Origin
    from .model import Finding, Source
    from .policy import Policy
    from .policy.baseline import Baseline
    from .policy.reference import Reference
    from .policy.suppress import Exceptions
    from .project import Project
    from .ruleset.load import Ruleset
    from .verdict import Verdict


class UsageError(Exception):
    """Something asked for cannot be done; the message says what to do instead."""


class Run:
    """A finished run: the verdict, and what reporters need beside it.

    `prefix` is where the judged root lies below the repository's top, with a final `/`, or empty. `exceptions` are the
    comments and `[[ignore]]` entries, None without any; `remarks` what people are told beside the report; `origins`
    what fixes need of findings, where that was asked for. `whole`: nothing narrowed it, so that its verdict is one over
    the tree as it lies there; only such a run can be deployed.
    """

    __slots__ = (
        "verdict", "project", "ruleset", "policy", "prefix", "exceptions", "baseline", "remarks", "origins", "whole",
    )  # fmt: skip

    def __init__(self, verdict: Verdict, project: Project, ruleset: Ruleset, policy: Policy, prefix: str) -> None:
        self.exceptions: Exceptions | None = None
        self.baseline: Baseline | None = None
        self.remarks: list[str] = []
        self.origins: dict[Finding, Origin] = {}
        self.whole = False
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
    changed: str | None = None,
    policy_from: str | None = None,
    baseline: str | None = None,
    growing: bool = False,
    origins: bool = False,
    texts: dict[str, str] | None = None,
    tree: DiskTree | None = None,
) -> Run:
    """Judges a tree. `files` names the only ones to look at (the hook); `below` the ones to report on.

    `changed` is a ref: only findings with a place in a file that is not as it was where HEAD left that ref are
    reported. `policy_from` is a ref whose policy and baseline count instead of the tree's. `baseline` is a file instead
    of the configured one; with `growing` it need not be there yet. `origins`: keep what fixes need. `texts` count
    instead of what files of the tree say, so that a fix is judged before it is written. `tree` is the folder as
    somebody else sees it (start.overlay).

    Raises policy.config.ConfigError and UsageError.
    """
    from . import engine
    from .discover import DiskTree
    from .project import Project
    from .redact import mask
    from .ruleset.load import load

    tree = DiskTree(root) if tree is None else tree
    tree.texts.update(texts or {})
    top = tree.top()
    reference = _reference(top, policy_from) if policy_from is not None else None
    policy = _policy(tree.root, top, config) if reference is None else _policy_of(reference, tree.root, config)
    if fail_on is not None:
        policy.fail_on = fail_on
    ruleset = load()
    if policy.rules:
        ruleset = _with_own_rules(ruleset, policy)
    if policy.settings or policy.ignores:
        from .policy.config import check_rules

        policy.rename(ruleset.aliases)
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
    for path in [each for each in project.aside if each.endswith("elo-gate-baseline.json")]:
        # What was found must not be a fact about the tree: a variable named there is not used there.
        del project.aside[path]
    outcome = engine.judge(project.subjects(), ruleset, policy.settings, mask, origins)
    prefix = os.path.relpath(tree.root, top).replace(os.sep, "/") + "/" if top != tree.root else ""
    remarks: list[str] = []
    accepted = None
    if policy.baseline or baseline is not None or reference is not None or growing:
        accepted = _accepted(policy, tree.root, baseline, reference, growing, remarks)
    suppressed, exceptions = weigh(project, outcome, policy, ruleset, mask, accepted)
    if reference is not None and exceptions is not None:
        remarks += _by_new_comments(exceptions, reference, tree.root)
    if accepted is not None and files is None and accepted.gone():
        remarks.append(f"{accepted.gone()} accepted findings are gone; `elo-gate baseline prune` takes them out")
    if below:
        outcome.findings = [each for each in outcome.findings if _touches(each, below)]
    if changed is not None:
        different = _different(tree, top, prefix, changed)
        shown = [each for each in outcome.findings if any(map(different, _sources(each)))]
        left_out = len(outcome.findings) - len(shown)
        if left_out:
            remarks.append(f"{left_out} findings in files that are as in {changed} are not shown")
        outcome.findings = shown
    done = Run(decide(project, outcome, policy, hook, suppressed), project, ruleset, policy, prefix)
    done.exceptions, done.baseline, done.remarks = exceptions, accepted, remarks
    done.origins = outcome.origins or {}
    done.whole = not (below or hook or growing or tree.texts) and files is None and changed is None
    return done


def _reference(top: str, ref: str) -> Reference:
    from .git import GitError
    from .policy.reference import Reference

    try:
        return Reference(top, ref)
    except GitError as error:
        raise UsageError(f"--policy-from {inert(ref)}: {inert(str(error))}") from None


def _policy_of(reference: Reference, root: str, config: str | None) -> Policy:
    from .git import GitError

    try:
        return reference.policy(root, config)
    except GitError as error:
        raise UsageError(f"--policy-from {inert(reference.ref)}: {inert(str(error))}") from None


def baseline_path(policy: Policy, root: str, named: str | None) -> str:
    """Where the baseline lies: what was named, else what the policy says, else beside the configuration."""
    from .policy.baseline import NAME

    folder = os.path.dirname(os.path.abspath(policy.path)) if policy.path else root
    return os.path.abspath(named) if named is not None else os.path.join(folder, policy.baseline or NAME)


def _accepted(
    policy: Policy, root: str, named: str | None, reference: Reference | None, growing: bool, remarks: list[str]
) -> Baseline | None:
    """The baseline that counts; with a reference the one that stood there. Raises ConfigError and UsageError."""
    from .git import GitError
    from .policy import ConfigError, baseline

    path = baseline_path(policy, root, named)
    if named is None and policy.baseline:
        from .policy.config import top_of, within

        within(path, top_of(os.path.dirname(os.path.abspath(policy.path))), policy.baseline)
    wanted = named is not None or bool(policy.baseline)
    entries: list[baseline.Entry] | None
    try:
        entries = baseline.read(path, growing)
    except FileNotFoundError:
        entries = [] if growing else None
    if reference is not None and reference.inside(path) is not None:
        try:
            text = reference.text(path)
        except GitError as error:
            raise UsageError(f"--policy-from {inert(reference.ref)}: {inert(str(error))}") from None
        before = baseline.parse(text, path) if text is not None else []
        more = baseline.grown(entries or [], before)
        if more:
            remarks.append(f"accepted in this change: {more} (the baseline of {reference.ref} counts)")
        entries = before
    elif entries is None and wanted:
        raise ConfigError(f"{path}: there is no such baseline; `elo-gate baseline add` writes it")
    if entries is None or not (wanted or growing):
        return None
    return baseline.Baseline(entries, path, policy.below)


def _by_new_comments(exceptions: Exceptions, reference: Reference, root: str) -> list[str]:
    """A word on what is let pass by comments that the reference does not have: they come with the change."""
    from .git import GitError

    count = 0
    for each in exceptions.inline:
        if each.used:
            try:
                before = reference.text(os.path.join(root, each.path)) or ""
            except GitError as error:
                raise UsageError(f"--policy-from {inert(reference.ref)}: {inert(str(error))}") from None
            source = each.node.source
            if source.text[each.node.start : each.node.end] not in before:
                count += each.used
    return [f"let pass in this change: {count}, by comments that {reference.ref} does not have"] if count else []


def _different(tree: DiskTree, top: str, prefix: str, ref: str) -> Callable[[Source], bool]:
    """A test for sources: whether the file is not as it was where HEAD left a ref. Raises UsageError."""
    from . import git
    from .discover import HARD_LIMIT, Unreadable

    try:
        before = git.files(top, git.base(top, ref))
    except git.GitError as error:
        raise UsageError(f"--changed {inert(ref)}: {inert(str(error))}") from None
    known: dict[str, bool] = {}

    def different(source: Source) -> bool:
        found = known.get(source.path)
        if found is None:
            was = before.get(prefix + source.path)
            try:
                found = was is None or git.object_id(tree.read(source.path, HARD_LIMIT), was) != was
            except Unreadable:
                found = True
            known[source.path] = found
        return found

    return different


def _sources(finding: Finding) -> list[Source]:
    return [finding.source, *(source for source, _, _, _ in finding.related)]


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
            if any(os.path.lexists(os.path.join(folder, name)) for name in ("elo-gate.toml", "pyproject.toml")):
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
