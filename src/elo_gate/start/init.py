"""Turns a repository that has not met elo-gate into one that has: its files are planned, shown, and written when asked.

No file that exists is replaced without being told to; the list of hooks is added to, and stays otherwise as it is.
"""

from __future__ import annotations

import os

from .. import __version__, gate
from ..inert import inert
from . import pipelines, settings, survey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

CONFIG = "elo-gate.toml"
BASELINE = "elo-gate-baseline.json"
REASON = "found on the day elo-gate was set up"


class InitError(Exception):
    """Nothing can be set up; the message says what to do instead."""


class Step:
    """A file to write. `text` is "" for the baseline, which is made when the others are there; `note` is about it."""

    __slots__ = ("note", "path", "replaces", "text")

    def __init__(self, path: str, text: str, note: str, replaces: bool = False) -> None:
        self.path = path
        self.text = text
        self.note = note
        self.replaces = replaces


class Plan:
    """What was found and what would be written: `steps`, `left` (why something is left out), `best` fixes."""

    __slots__ = ("as_of", "best", "found", "left", "make", "root", "run", "steps")

    def __init__(self, root: str, run: gate.Run, as_of: str | None) -> None:
        self.root = root
        self.run = run
        self.as_of = as_of
        self.found: list[str] = []
        self.steps: list[Step] = []
        self.left: list[str] = []
        self.best = survey.best(run)
        self.make: Callable[[bool], str] = lambda _: ""


def plan(root: str, as_of: str | None = None, force: bool = False, github: bool = False) -> Plan:
    """Looks at a tree and plans; writes nothing. Raises InitError, UsageError, ConfigError."""
    config = os.path.join(root, CONFIG)
    known = os.path.lexists(config)
    run = gate.run(root, as_of=as_of)
    coverage = run.verdict.coverage
    if not coverage.judged and not coverage.broken and not coverage.aside:
        raise InitError(run.verdict.reasons[0] if run.verdict.reasons else "nothing to judge lies here")
    made = Plan(root, run, as_of)
    project = run.project
    platforms = survey.platforms(project)
    services = survey.services(project)
    made.found = _found(run, platforms, services)
    unseen = {name: names for name in platforms if (names := survey.unseen(project, name))}
    declared = bool(run.policy.path) and not known
    counted = bool(run.policy.baseline)

    def make(with_baseline: bool) -> str:
        return settings.text(project, platforms, services, unseen, BASELINE if with_baseline else "")

    made.make = make
    if declared:
        made.left.append(f"{CONFIG}: {_short(run.policy.path, root)} already holds the configuration")
    elif known and not force:
        made.left.append(f"{CONFIG}: it is there; --force replaces it")
    else:
        note = f"platforms: {', '.join(platforms)}" if platforms else "no platform was recognised"
        made.steps.append(Step(CONFIG, make(True), note, known))
    _baseline(made, force, counted)
    _pipelines(made, force, github)
    return made


def _found(run: gate.Run, platforms: dict[str, str], services: dict[str, list[str]]) -> list[str]:
    from ..kinds import KINDS

    coverage = run.verdict.coverage
    kinds: dict[str, int] = {}
    for artifact in coverage.judged:
        kinds[artifact.kind] = kinds.get(artifact.kind, 0) + 1
    lines = []
    if kinds:
        lines.append("files: " + ", ".join(f"{KINDS[kind][1]} ({count})" for kind, count in sorted(kinds.items())))
    if coverage.aside:
        lines.append(f"set aside as not production: {len(coverage.aside)} (elo-gate show files)")
    if platforms:
        lines.append("platforms: " + ", ".join(f"{name} ({inert(path)})" for name, path in platforms.items()))
    if services:
        more = f" and {len(services) - 12} more" if len(services) > 12 else ""
        lines.append("services: " + ", ".join(list(services)[:12]) + more)
    verdict = run.verdict
    lines.append(
        "findings: " + ", ".join(_counted(verdict.count(level), level) for level in ("error", "warning", "note"))
    )
    lines += [f"not looked at: {inert(reason)}" for reason in verdict.reasons[:3]]
    return lines


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _baseline(made: Plan, force: bool, counted: bool) -> None:
    count = len(made.run.verdict.findings)
    there = os.path.lexists(os.path.join(made.root, BASELINE))
    if not any(step.path == CONFIG for step in made.steps) and not counted:
        made.left.append(f'{BASELINE}: to count, the configuration needs: baseline = "{BASELINE}"')
    elif counted and not force and not there and not any(step.path == CONFIG for step in made.steps):
        made.left.append(f"{BASELINE}: the configuration names its own baseline; `elo-gate baseline add` grows it")
    elif there and not force:
        made.left.append(f"{BASELINE}: it is there; `elo-gate baseline add --reason ...` grows it")
    elif not count:
        made.left.append(f"{BASELINE}: nothing was found that would have to be accepted")
    else:
        made.steps.append(
            Step(
                BASELINE,
                "",
                f"accepts what is found today ({count}, and what the platforms add), so that only new findings block",
                there,
            )
        )


def _pipelines(made: Plan, force: bool, github: bool) -> None:
    root = made.root
    if made.run.prefix:
        made.left.append(
            f"{pipelines.HOOKS} and {pipelines.WORKFLOW}: they belong at the top of the repository; run init there, or "
            f"let the pipeline run `elo-gate check {inert(made.run.prefix.rstrip('/'))}`"
        )
        return
    path = os.path.join(root, pipelines.HOOKS)
    if not os.path.lexists(path):
        made.steps.append(Step(pipelines.HOOKS, pipelines.hook(__version__), "runs elo-gate before every commit"))
    else:
        _hook(made, path)
    if os.path.lexists(os.path.join(root, pipelines.WORKFLOW)) and not force:
        made.left.append(f"{pipelines.WORKFLOW}: it is there; --force replaces it")
    elif github or os.path.isdir(os.path.join(root, ".github")):
        there = os.path.lexists(os.path.join(root, pipelines.WORKFLOW))
        branch = _branch(root)
        text = pipelines.workflow(__version__, branch)
        made.steps.append(Step(pipelines.WORKFLOW, text, f"judges pull requests and {inert(branch)}", there))
    elif os.path.lexists(os.path.join(root, ".gitlab-ci.yml")):
        made.left.append(".gitlab-ci.yml: see docs/gitlab.md for the job to add")
    else:
        made.left.append(f"{pipelines.WORKFLOW}: there is no .github here; --github writes it")


def _hook(made: Plan, path: str) -> None:
    source = made.run.project.read(pipelines.HOOKS)
    if source is None:
        made.left.append(f"{pipelines.HOOKS}: it cannot be read")
        return
    # Line ends and a byte order mark are kept: what is added to is the file as it is on disk.
    if pipelines.has_hook(source.text):
        made.left.append(f"{pipelines.HOOKS}: it runs elo-gate already")
        return
    try:
        text, line = pipelines.with_hook(source.text, __version__)
    except pipelines.NoPlace as why:
        made.left.append(f"{pipelines.HOOKS}: {why}; add this by hand:\n" + pipelines.hook(__version__))
        return
    with open(path, "rb") as file:
        mark = "\ufeff" if file.read(3) == b"\xef\xbb\xbf" else ""
    count = text.count("\n") - source.text.count("\n")
    made.steps.append(
        Step(pipelines.HOOKS, mark + text, f"{count} lines more, from line {line}; the rest stays as it is", True)
    )


def _branch(root: str) -> str:
    """The default branch as the clone knows it, else `main`."""
    try:
        with open(os.path.join(root, ".git", "refs", "remotes", "origin", "HEAD"), encoding="utf-8") as file:
            ref = file.read(1000).strip()
    except (OSError, UnicodeDecodeError):
        return "main"
    start = "ref: refs/remotes/origin/"
    name = ref[len(start) :] if ref.startswith(start) else ""
    return name if name and name.isprintable() and not set(name) & set(" ~^:?*[\\") else "main"


def _short(path: str, root: str) -> str:
    return inert(os.path.relpath(path, root))


def write(made: Plan, chosen: list[Step]) -> tuple[list[str], list[str]]:
    """Writes the chosen steps; (what was done, what went wrong), in words."""
    done: list[str] = []
    wrong: list[str] = []
    paths = {step.path for step in chosen}
    for step in chosen:
        if step.path == BASELINE:
            continue
        text = step.text
        if step.path == CONFIG and BASELINE not in paths:
            text = made.make(False)
        try:
            _save(made.root, step.path, text, step.replaces)
            done.append(f"wrote {step.path}")
        except OSError as error:
            wrong.append(f"{step.path}: cannot be written ({error.strerror or error})")
    if BASELINE in paths:
        _accept(made, done, wrong)
    return done, wrong


def _accept(made: Plan, done: list[str], wrong: list[str]) -> None:
    from ..policy import ConfigError, baseline

    target = os.path.join(made.root, BASELINE)
    try:
        if os.path.islink(target):
            raise OSError(0, "it is a link")
        run = gate.run(made.root, as_of=made.as_of, baseline=target, growing=True)
        accepted: Any = run.baseline
        # With --force the file is made anew: what it held and is found still is accepted again.
        accepted.entries = []
        found = [*run.verdict.findings, *(each for each in run.verdict.suppressed if _by_baseline(each))]
        count = baseline.accept(accepted, found, run.project, run.policy, run.ruleset, REASON)
        baseline.write(accepted, target)
        done.append(f"wrote {BASELINE}: {count} findings accepted")
        left = len(found) - count
        if left:
            done.append(f"{left} findings are of rules that nothing lets pass: mend them")
        wrong += [f"not looked at: {inert(reason)}" for reason in run.verdict.reasons[:3]]
    except (ConfigError, gate.UsageError) as error:
        wrong.append(f"{BASELINE}: {error}")
    except OSError as error:
        wrong.append(f"{BASELINE}: cannot be written ({error.strerror})")


def _by_baseline(finding: Any) -> bool:
    from ..policy.baseline import Entry

    return isinstance(finding.suppressed, Entry)


def _save(root: str, path: str, text: str, replaces: bool) -> None:
    """Writes a file as a whole or not at all; one that appeared meanwhile, or a link, is left alone."""
    target = os.path.join(root, path)
    folder = os.path.dirname(target)
    base = os.path.realpath(root)
    if os.path.realpath(folder) != os.path.normpath(os.path.join(base, os.path.dirname(path))):
        raise OSError(0, "its folder is reached through a link")
    if os.path.islink(target):
        raise OSError(0, "it is a link")
    os.makedirs(folder, exist_ok=True)
    if not replaces:
        with open(target, "x", encoding="utf-8", newline="") as file:
            file.write(text)
        return
    mode = os.stat(target).st_mode & 0o777
    part = f"{target}.{os.getpid()}.part"
    try:
        with open(part, "x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, mode)
        os.replace(part, target)
    except OSError:
        if os.path.exists(part):
            os.unlink(part)
        raise


def render(made: Plan, contents: bool = False) -> str:
    """The plan in words; with the contents of the files for `--dry-run`."""
    lines = ["Found"]
    lines += [f"  {line}" for line in made.found]
    if made.steps:
        lines += ["", "To write"]
        width = max(len(step.path) for step in made.steps)
        for step in made.steps:
            word = "new" if not step.replaces else "changes" if step.path == pipelines.HOOKS else "replaces"
            lines.append(f"  {step.path:{width}}  {word}: {step.note}")
            if contents and step.text:
                lines += ["", *(f"    | {line}".rstrip() for line in step.text.splitlines()), ""]
    if made.left:
        lines += ["", "Left as it is"]
        for each in made.left:
            first, *rest = each.splitlines()
            lines += [f"  {first}", *(f"    {line}" for line in rest)]
    if made.best:
        lines += ["", "What buys most"]
        for best in made.best:
            finding = best.finding
            line = finding.source.position(finding.start)[0]
            title = made.run.ruleset.words(finding.rule.id)["title"]
            more = f" ({best.places} places" if best.places > 1 else ""
            more += f" in {best.files} files)" if best.files > 1 else ")" if more else ""
            lines.append(f"  {inert(finding.source.path)}:{line}  {finding.severity}  {finding.rule.id}: {title}{more}")
    return "\n".join(lines) + "\n"
