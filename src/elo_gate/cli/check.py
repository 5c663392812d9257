"""`elo-gate check`: turns options into one run, and that into the reports asked for."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from ..report import FORMATS, render
from .output import LANGUAGES, colour, leave, stop, write


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "-f", "--format", "format_", type=click.Choice(tuple(FORMATS)), default="text", help="What stdout carries."
)
@click.option("-o", "outputs", multiple=True, metavar="FORMAT=FILE", help="Also write a report to a file; - is stdout.")
@click.option("--fail-on", type=click.Choice(("error", "warning", "note")), help="The lowest severity that blocks.")
@click.option("--as-of", metavar="DATE", help="The day of judgement, YYYY-MM-DD; today where not given.")
@click.option("--config", metavar="FILE", help="This configuration and no other.")
@click.option(
    "--changed", metavar="[=REF]", is_flag=False, flag_value="HEAD", help="Only findings in files that differ from REF."
)
@click.option("--policy-from", metavar="REF", help="The policy and the baseline as they are in REF.")
@click.option("--baseline", metavar="FILE", help="The accepted findings, instead of the configured file.")
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", help="Colours in text.")
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", help="The language of reports for people.")
@click.option("-v", "--verbose", is_flag=True, help="Name every file set aside and every undecided answer.")
@click.option("--include-suppressed", is_flag=True, help="Keep findings that are let pass in SARIF.")
@click.option("--stdin-filename", metavar="FILE", help="Judge what stdin holds as this file, beside the others.")
@click.option("--watch", is_flag=True, help="Judge again whenever a file changes; Ctrl+C ends.")
@click.option("--fix", is_flag=True, help="Write the fixes that are safe, then report what is left.")
@click.option("--diff", is_flag=True, help="Print what --fix would write, and change nothing.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: fixes too that somebody should think over.")
def check(
    paths: tuple[str, ...],
    format_: str,
    outputs: tuple[str, ...],
    fail_on: str | None,
    as_of: str | None,
    config: str | None,
    changed: str | None,
    policy_from: str | None,
    baseline: str | None,
    color: str,
    lang: str,
    verbose: bool,
    include_suppressed: bool,
    stdin_filename: str | None,
    watch: bool,
    fix: bool,
    diff: bool,
    unsafe_fixes: bool,
) -> None:
    """Judge a tree: 0 passed, 1 blocked, 2 something was not looked at.

    One folder given is the root of what is judged; otherwise the working directory is, and only findings under
    the PATHs are reported.
    """
    from .. import gate
    from ..discover import Unreadable
    from ..policy import ConfigError, is_date
    from ..ruleset.load import RuleError

    wanted = [_output(each) for each in outputs]
    if as_of is not None and not is_date(as_of):
        stop(f"--as-of {as_of}: not a date, written 2026-11-25")
    options: dict[str, Any] = {"verbose": verbose, "include_suppressed": include_suppressed, "language": lang}
    if not any(target == "-" for _, target in wanted):
        wanted.insert(0, (format_, "-"))
    if unsafe_fixes and not (fix or diff):
        stop("--unsafe-fixes: goes with --fix, which writes, or --diff, which shows")
    if (fix or diff) and (watch or stdin_filename is not None):
        stop("--fix and --diff: go with neither --watch nor --stdin-filename")
    origins = fix or diff or any(name in _WITH_FIXES for name, _ in wanted)
    try:
        root, below = gate.root_of(paths)
        texts = _stdin(stdin_filename, root, below, watch) if stdin_filename is not None else None
    except gate.UsageError as error:
        stop(str(error))
    if texts:
        below = list(texts)

    def look(mended: dict[str, str] | None = None) -> gate.Run:
        tree, line = _seen(root, texts)
        try:
            return gate.run(
                root, below, as_of, fail_on, config,
                changed=changed, policy_from=policy_from, baseline=baseline, origins=origins, texts=mended, tree=tree,
            )  # fmt: skip
        finally:
            if line is not None:
                line.done()

    def judge() -> int:
        run = look()
        if fix or diff:
            run = _mend(run, look, unsafe_fixes, diff)
        for name, target in wanted:
            write(target, render(run, name, {**options, "colour": target == "-" and colour(color)}))
        for remark in run.remarks:
            print(f"elo-gate: {remark}", file=sys.stderr)
        return run.verdict.exit_code

    if watch:
        leave(_watch(judge, root, config, baseline, [target for _, target in wanted]))
    try:
        leave(judge())
    except (gate.UsageError, ConfigError, RuleError, Unreadable) as error:
        stop(str(error))


def _stdin(name: str, root: str, below: list[str], watch: bool) -> dict[str, str]:
    """What stdin holds, at the path it stands for. Raises UsageError."""
    from ..gate import UsageError
    from ..start import overlay

    if below or watch:
        raise UsageError("--stdin-filename: goes with one folder at most, and not with --watch")
    return {overlay.below(root, name): overlay.text_of(sys.stdin.buffer, name)}


def _seen(root: str, texts: dict[str, str] | None) -> tuple[Any, Any]:
    """(the tree to judge, the line that shows progress); None for each that is not called for."""
    line = None
    # Whom progress could be shown to is asked first: a run without a terminal imports nothing for it.
    if sys.stderr.isatty():
        from ..start import progress

        line = progress.Progress() if progress.wanted(sys.stderr, os.environ) else None
    if line is None and texts is None:
        return None, None
    from ..start.overlay import Overlay

    return Overlay(root, texts, line.seen if line is not None else None), line


def _watch(judge: Any, root: str, config: str | None, baseline: str | None, targets: list[str]) -> int:
    """Judges until the user ends it; what is wrong with a configuration is shown, and looked at again."""
    from ..discover import Unreadable
    from ..gate import UsageError
    from ..inert import inert
    from ..policy import ConfigError
    from ..redact import mask
    from ..ruleset.load import RuleError
    from ..start.watch import watch

    def once() -> None:
        try:
            judge()
        except (UsageError, ConfigError, RuleError, Unreadable) as error:
            print(f"elo-gate: {inert(mask(str(error)))}", file=sys.stderr)

    more = [os.path.abspath(path) for path in (config, baseline) if path is not None]
    written = [path for path in targets if path != "-"]
    return watch(once, root, more, written, clear=sys.stdout.isatty() and os.environ.get("TERM") != "dumb")


# The formats that carry fixes for other programs.
_WITH_FIXES = ("sarif", "json")


def _mend(run: Any, judge: Any, unsafe: bool, only_shown: bool) -> Any:
    """Writes what findings know to write and gives the run over what is left; or prints it, and ends."""
    from ..fixes.rounds import mend, summary
    from ..fixes.write import WriteError, refusal
    from ..fixes.write import write as write_fix
    from ..inert import inert

    root = run.project.tree.root
    done = mend(run, judge, unsafe, refusal(root))
    if only_shown:
        from ..report import diff

        write("-", diff.render(run, done))
    else:
        for path in sorted(done.texts):
            try:
                write_fix(root, path, run.project.read(path).text, done.texts[path])
            except WriteError as error:
                stop(f"{inert(str(error))}; what was written before it stays")
    for line in summary(done, only_shown):
        print(f"elo-gate: {line}", file=sys.stderr)
    if only_shown:
        leave(run.verdict.exit_code)
    return done.run


def _output(text: str) -> tuple[str, str]:
    name, equals, target = text.partition("=")
    if not equals or not target or name not in FORMATS:
        stop(f"-o {text}: written FORMAT=FILE, FORMAT one of {', '.join(FORMATS)}")
    return name, target
