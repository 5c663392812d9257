"""The command line: every subcommand's work is imported only when it runs."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from . import __version__
from .report import FORMATS, render

_LANGUAGES = ("en", "pt-BR")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="elo-gate")
def cli() -> None:
    """The gate between a web application's repository and its production."""


@cli.command()
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
@click.option("--lang", type=click.Choice(_LANGUAGES), default="en", help="The language of reports for people.")
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
    from . import gate
    from .discover import Unreadable
    from .policy import ConfigError, is_date
    from .ruleset.load import RuleError

    wanted = [_output(each) for each in outputs]
    if as_of is not None and not is_date(as_of):
        _stop(f"--as-of {as_of}: not a date, written 2026-11-25")
    options: dict[str, Any] = {"verbose": verbose, "include_suppressed": include_suppressed, "language": lang}
    if not any(target == "-" for _, target in wanted):
        wanted.insert(0, (format_, "-"))
    if unsafe_fixes and not (fix or diff):
        _stop("--unsafe-fixes: goes with --fix, which writes, or --diff, which shows")
    if (fix or diff) and (watch or stdin_filename is not None):
        _stop("--fix and --diff: go with neither --watch nor --stdin-filename")
    origins = fix or diff or any(name in _WITH_FIXES for name, _ in wanted)
    try:
        root, below = gate.root_of(paths)
        texts = _stdin(stdin_filename, root, below, watch) if stdin_filename is not None else None
    except gate.UsageError as error:
        _stop(str(error))
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
            _write(target, render(run, name, {**options, "colour": target == "-" and _colour(color)}))
        for remark in run.remarks:
            print(f"elo-gate: {remark}", file=sys.stderr)
        return run.verdict.exit_code

    if watch:
        _leave(_watch(judge, root, config, baseline, [target for _, target in wanted]))
    try:
        _leave(judge())
    except (gate.UsageError, ConfigError, RuleError, Unreadable) as error:
        _stop(str(error))


def _stdin(name: str, root: str, below: list[str], watch: bool) -> dict[str, str]:
    """What stdin holds, at the path it stands for. Raises UsageError."""
    from .gate import UsageError
    from .start import overlay

    if below or watch:
        raise UsageError("--stdin-filename: goes with one folder at most, and not with --watch")
    return {overlay.below(root, name): overlay.text_of(sys.stdin.buffer, name)}


def _seen(root: str, texts: dict[str, str] | None) -> tuple[Any, Any]:
    """(the tree to judge, the line that shows progress); None for each that is not called for."""
    line = None
    # Whom progress could be shown to is asked first: a run without a terminal imports nothing for it.
    if sys.stderr.isatty():
        from .start import progress

        line = progress.Progress() if progress.wanted(sys.stderr, os.environ) else None
    if line is None and texts is None:
        return None, None
    from .start.overlay import Overlay

    return Overlay(root, texts, line.seen if line is not None else None), line


def _watch(judge: Any, root: str, config: str | None, baseline: str | None, targets: list[str]) -> int:
    """Judges until the user ends it; what is wrong with a configuration is shown, and looked at again."""
    from .discover import Unreadable
    from .gate import UsageError
    from .inert import inert
    from .policy import ConfigError
    from .redact import mask
    from .ruleset.load import RuleError
    from .start.watch import watch

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
    from .fixes.rounds import mend, summary
    from .fixes.write import WriteError, refusal, write
    from .inert import inert

    root = run.project.tree.root
    done = mend(run, judge, unsafe, refusal(root))
    if only_shown:
        from .report import diff

        _write("-", diff.render(run, done))
    else:
        for path in sorted(done.texts):
            try:
                write(root, path, run.project.read(path).text, done.texts[path])
            except WriteError as error:
                _stop(f"{inert(str(error))}; what was written before it stays")
    for line in summary(done, only_shown):
        print(f"elo-gate: {line}", file=sys.stderr)
    if only_shown:
        _leave(run.verdict.exit_code)
    return done.run


def _output(text: str) -> tuple[str, str]:
    name, equals, target = text.partition("=")
    if not equals or not target or name not in FORMATS:
        _stop(f"-o {text}: written FORMAT=FILE, FORMAT one of {', '.join(FORMATS)}")
    return name, target


def _colour(choice: str) -> bool:
    """`--color`, then NO_COLOR (no-color.org), then FORCE_COLOR, then whether stdout is a terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _write(target: str, text: str) -> None:
    """Writes a report: to stdout, or to a file as a whole or not at all."""
    if target == "-":
        try:
            data = text.encode(sys.stdout.encoding or "utf-8", "backslashreplace")
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
        except BrokenPipeError:
            os._exit(141)
        except OSError as error:
            _stop(f"stdout: cannot be written ({error.strerror})")
        return
    part = f"{target}.{os.getpid()}.part"
    try:
        if os.path.exists(target) and not os.path.isfile(target):
            # A device or a pipe (/dev/null, /dev/stderr) is written to, never replaced.
            with open(target, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            return
        with open(part, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException as error:
        try:
            os.unlink(part)
        except OSError:
            pass
        if not isinstance(error, OSError):
            raise
        _stop(f"{target}: cannot be written ({error.strerror})")


def _stop(message: str) -> Any:
    """Ends with exit code 2 and a word on stderr."""
    from .inert import inert
    from .redact import mask

    print(f"elo-gate: {inert(mask(message))}", file=sys.stderr)
    _leave(2)


def _leave(code: int) -> Any:
    sys.exit(code)


@cli.command()
@click.argument("rule")
@click.option("--lang", type=click.Choice(_LANGUAGES), default="en", help="The language of the words.")
def explain(rule: str, lang: str) -> None:
    """Show what a rule wants, why, how to fix it, its sources and examples."""
    from .ruleset import page
    from .ruleset.load import load

    ruleset = load()
    if rule not in ruleset.ids:
        from .policy.config import nearest

        _stop(f"no rule '{rule}'{nearest(rule, ruleset.ids)}")
    _write("-", page.explain(ruleset, rule, lang))


@cli.group()
def rules() -> None:
    """List, scaffold and test rules."""


@rules.command("list")
@click.option("-f", "--format", "format_", type=click.Choice(("text", "json")), default="text")
def rules_list(format_: str) -> None:
    """Every rule: id, severity, title."""
    from .ruleset import page
    from .ruleset.load import load

    _write("-", page.listing(load(), format_))


@rules.command("new")
@click.argument("rule")
def rules_new(rule: str) -> None:
    """Write rules/<folder>/<name>.yaml to start from."""
    from .ruleset import page

    try:
        path = page.scaffold(rule)
    except page.ScaffoldError as error:
        _stop(str(error))
    print(f"wrote {path}; next: elo-gate rules test {rule}")


@rules.command("test")
@click.argument("names", nargs=-1)
@click.option("--folder", help="A rules folder other than the built-in one.")
def rules_test(names: tuple[str, ...], folder: str | None) -> None:
    """Run the examples of rules: by id, by folder, or all."""
    from .examples import test_rules
    from .ruleset.load import RuleError

    try:
        tested, complaints = test_rules(names, folder)
    except RuleError as error:
        _stop(str(error))
    for complaint in complaints:
        print(complaint)
    print(f"{tested} rules tested, {len(complaints)} complaints")
    _leave(1 if complaints or not tested else 0)


@cli.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("-f", "--format", "format_", type=click.Choice(("text", "json")), default="text")
@click.option("--as-of", metavar="DATE", help="The day of judgement, YYYY-MM-DD; today where not given.")
@click.option("--config", metavar="FILE", help="This configuration and no other.")
@click.option("--baseline", "file", metavar="FILE", help="The accepted findings, instead of the configured file.")
def ignores(paths: tuple[str, ...], format_: str, as_of: str | None, config: str | None, file: str | None) -> None:
    """List what is let pass: comments, [[ignore]] and the baseline, with reason, owner and last day."""
    from .report import ignores as listing

    _write("-", listing.render(_judge(paths, as_of, config, file), format_))


@cli.group()
def baseline() -> None:
    """Accept findings with a reason, and forget those that are gone."""


@baseline.command("add")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--reason", required=True, metavar="TEXT", help="Why they are accepted.")
@click.option("--rule", "only", multiple=True, metavar="ID", help="Only findings of this rule; may be repeated.")
@click.option("--as-of", metavar="DATE", help="The day of judgement, YYYY-MM-DD; today where not given.")
@click.option("--config", metavar="FILE", help="This configuration and no other.")
@click.option("--baseline", "file", metavar="FILE", help="The file, instead of the configured one.")
def baseline_add(
    paths: tuple[str, ...], reason: str, only: tuple[str, ...], as_of: str | None, config: str | None, file: str | None
) -> None:
    """Accept what is found now."""
    from .policy import baseline as accepted

    if not reason.strip():
        _stop("--reason: say why these findings are accepted")
    run = _judge(paths, as_of, config, file, growing=True)
    known = set(run.ruleset.ids)
    for each in only:
        if each not in known:
            from .policy.config import nearest

            _stop(f"no rule '{each}'{nearest(each, known)}")
    count = accepted.accept(run.baseline, run.verdict.findings, run.project, run.policy, run.ruleset, reason, only)
    _save(run)
    print(f"accepted: {count}; {run.baseline.path} holds {sum(each.count for each in run.baseline.entries)}")
    if file is None and not run.policy.baseline:
        print(f'to count, elo-gate.toml needs: baseline = "{os.path.basename(run.baseline.path)}"')
    hint = accepted.merging(run.baseline.path)
    if hint:
        print(f"so that branches which both accept always merge, .gitattributes needs: {hint}")
    for why in run.verdict.reasons:
        print(f"elo-gate: {why}", file=sys.stderr)


@baseline.command("prune")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--as-of", metavar="DATE", help="The day of judgement, YYYY-MM-DD; today where not given.")
@click.option("--config", metavar="FILE", help="This configuration and no other.")
@click.option("--baseline", "file", metavar="FILE", help="The file, instead of the configured one.")
def baseline_prune(paths: tuple[str, ...], as_of: str | None, config: str | None, file: str | None) -> None:
    """Forget what is not found any more, follow files that moved, and end a merge that git left open."""
    from .policy import baseline as accepted

    run = _judge(paths, as_of, config, file, growing=True)
    if run.verdict.exit_code == 2:
        _stop(f"nothing is forgotten while something is not looked at: {run.verdict.reasons[0]}")
    gone = accepted.prune(run.baseline)
    _save(run)
    print(f"forgotten: {gone}; {run.baseline.path} holds {sum(each.count for each in run.baseline.entries)}")


def _judge(
    paths: tuple[str, ...], as_of: str | None, config: str | None, file: str | None, growing: bool = False
) -> Any:
    """A finished run for the commands beside `check`."""
    from . import gate
    from .discover import Unreadable
    from .policy import ConfigError, is_date
    from .ruleset.load import RuleError

    if as_of is not None and not is_date(as_of):
        _stop(f"--as-of {as_of}: not a date, written 2026-11-25")
    try:
        root, below = gate.root_of(paths)
        return gate.run(root, below, as_of, None, config, baseline=file, growing=growing)
    except (gate.UsageError, ConfigError, RuleError, Unreadable) as error:
        _stop(str(error))


def _save(run: Any) -> None:
    from .policy.baseline import write

    try:
        write(run.baseline, run.baseline.path)
    except OSError as error:
        _stop(f"{run.baseline.path}: cannot be written ({error.strerror})")


_NOUNS = ("services", "headers", "env", "files", "pipelines")


@cli.command()
@click.argument("noun", type=click.Choice(_NOUNS))
@click.argument("path", default=".")
@click.option("-f", "--format", "format_", type=click.Choice(("text", "json")), default="text")
@click.option("--config", metavar="FILE", help="This configuration and no other.")
def show(noun: str, path: str, format_: str, config: str | None) -> None:
    """Print the model of a tree, with the origin of every value."""
    from .report import show as page

    run = _run_of(path, None, config)
    try:
        text = page.render(run.project, noun, format_)
    except page.ModelError as error:
        _stop(str(error))
    _write("-", text)


@cli.command()
@click.argument("place", metavar="FILE:LINE")
@click.argument("path", default=".")
@click.option("--config", metavar="FILE", help="This configuration and no other.")
def why(place: str, path: str, config: str | None) -> None:
    """Tell which rules looked at a line, what they saw and what they said."""
    from .report import why as page

    name, colon, line = place.rpartition(":")
    if not colon or not line.isascii() or not line.isdecimal() or len(line) > 9:
        _stop(f"{place!r}: written FILE:LINE, as in vercel.json:24")
    run = _run_of(path, None, config)
    try:
        text = page.why(run, _below(name, run), int(line))
    except page.Aside as reason:
        _stop(str(reason))
    _write("-", text)


@cli.command("why-not")
@click.argument("rule")
@click.argument("file")
@click.argument("path", default=".")
@click.option("--config", metavar="FILE", help="This configuration and no other.")
def why_not(rule: str, file: str, path: str, config: str | None) -> None:
    """Tell what a rule answered in a file, and why it did not fire."""
    from .report import why_not as page
    from .report.why import Aside

    run = _run_of(path, None, config)
    if rule not in run.ruleset.ids:
        from .policy.config import nearest

        _stop(f"no rule '{rule}'{nearest(rule, run.ruleset.ids)}")
    try:
        text = page.why_not(run, rule, _below(file, run))
    except Aside as reason:
        _stop(str(reason))
    _write("-", text)


@cli.command()
@click.argument("path", default=".")
@click.option("-f", "--format", "format_", type=click.Choice(("text", "markdown", "json")), default="text")
@click.option("--as-of", metavar="DATE", help="The day of judgement, YYYY-MM-DD; today where not given.")
@click.option("--config", metavar="FILE", help="This configuration and no other.")
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", help="Colours in text.")
@click.option("--lang", type=click.Choice(_LANGUAGES), default="en", help="The language of text and Markdown.")
@click.option("-v", "--verbose", is_flag=True, help="Messages, files behind what passed, every undecided answer.")
def standard(
    path: str, format_: str, as_of: str | None, config: str | None, color: str, lang: str, verbose: bool
) -> None:
    """Judge a tree clause by clause of the production standard; exit codes as of check."""
    from .report import standard as page

    run = _run_of(path, as_of, config)
    _write("-", page.render(run, format_, _colour(color), verbose, lang))
    _leave(run.verdict.exit_code)


def _run_of(path: str, as_of: str | None, config: str | None) -> Any:
    """A finished run over one folder; ends with exit code 2 where there is none."""
    if not os.path.isdir(path):
        _stop(f"{path!r}: no folder of that name")
    return _judge((path,), as_of, config, None)


def _below(name: str, run: Any) -> str:
    """A file's path below the judged root: as given when it is there, else from the working directory."""
    clean = os.path.normpath(name).replace(os.sep, "/")
    if run.project.exists(clean) and not os.path.isabs(name):
        return clean
    below = os.path.relpath(os.path.realpath(name), run.project.tree.root).replace(os.sep, "/")
    return clean if below.startswith("../") else below


@cli.command()
@click.argument("path", default=".")
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.option("--github", is_flag=True, help="Write the GitHub workflow also where there is no .github yet.")
@click.option("--as-of", metavar="DATE", help="The day of judgement, YYYY-MM-DD; today where not given.")
def init(path: str, yes: bool, dry_run: bool, force: bool, github: bool, as_of: str | None) -> None:
    """Set elo-gate up in a repository: configuration, hook, workflow, baseline.

    Shows each file first and asks for each on a terminal. Nothing that is there is replaced without --force.
    """
    from .discover import Unreadable
    from .gate import UsageError
    from .policy import ConfigError, is_date
    from .start import init as setup

    if as_of is not None and not is_date(as_of):
        _stop(f"--as-of {as_of}: not a date, written 2026-11-25")
    if not os.path.isdir(path):
        _stop(f"{path!r}: no folder of that name")
    try:
        plan = setup.plan(os.path.realpath(path), as_of, force, github)
    except (setup.InitError, UsageError, ConfigError, Unreadable) as error:
        _stop(str(error))
    _write("-", setup.render(plan, contents=dry_run))
    if dry_run or not plan.steps:
        return
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        _stop("nothing was written: there is no terminal to ask on; --yes writes, --dry-run shows what")
    chosen = [step for step in plan.steps if yes or click.confirm(f"Write {step.path}?", default=True)]
    done, wrong = setup.write(plan, chosen)
    _write("-", "\n" + "".join(f"{each}\n" for each in done or ["nothing was written"]))
    for each in wrong:
        print(f"elo-gate: {each}", file=sys.stderr)
    if done:
        _write("-", "next: read elo-gate.toml, run `elo-gate check`, commit\n")
    _leave(2 if wrong else 0)


@cli.command()
@click.argument("path", default=".")
@click.option("-f", "--format", "format_", type=click.Choice(("text", "json")), default="text")
@click.option("--as-of", metavar="DATE", help="The day by which the age of tables is told; today where not given.")
@click.option("--config", metavar="FILE", help="This configuration and no other.")
def doctor(path: str, format_: str, as_of: str | None, config: str | None) -> None:
    """Look at this installation and this tree: what works, what is amiss, what to do. 0 fine, 1 something fails."""
    from .gate import today
    from .policy import is_date
    from .start import doctor as look

    if as_of is not None and not is_date(as_of):
        _stop(f"--as-of {as_of}: not a date, written 2026-11-25")
    if not os.path.isdir(path):
        _stop(f"{path!r}: no folder of that name")
    found = look.examine(os.path.realpath(path), as_of or today(), config)
    _write("-", look.render(found, format_))
    _leave(look.exit_code(found))


class _Targets(click.Group):
    """`deploy TARGET` beside `deploy status TARGET`: a word that names no command is a target."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


_ROOT = click.option("--root", default=".", metavar="DIR", help="Where the repository lies, instead of here.")


@cli.group(cls=_Targets, options_metavar="TARGET [OPTIONS] |", subcommand_metavar="COMMAND TARGET [OPTIONS]")
def deploy() -> None:
    """Ship what the gate has passed to a target, verify it, and roll back what does not prove itself.

    `elo-gate deploy run -h` shows the options of a deploy. 0 live and verified, 1 blocked by the gate, 2 cannot be
    done, 3 not now, 4 failed before anybody saw it, 5 rolled back, 6 a human is needed now, 7 held.
    """


@deploy.command("run")
@click.argument("target")
@_ROOT
@click.option("--plan", "only_plan", is_flag=True, help="Print what would be done; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--plan-digest", metavar="DIGEST", help="Refuse when the plan is not the one with this digest.")
@click.option("--resume", "go_on", is_flag=True, help="Go on with the deploy that has no end.")
@click.option("--confirm", "confirms", multiple=True, metavar="ID=NAME", help="Who confirms an item of the checklist.")
@click.option("--break-glass", metavar="REASON", help="Override window, freeze, approvals, checklist; always logged.")
@click.option("--accept-no-rollback", is_flag=True, help="Where migrations cannot be taken back: a failure stays.")
@click.option("--json", "as_json", is_flag=True, help="The plan as JSON.")
def deploy_run(
    target: str,
    root: str,
    only_plan: bool,
    yes: bool,
    plan_digest: str | None,
    go_on: bool,
    confirms: tuple[str, ...],
    break_glass: str | None,
    accept_no_rollback: bool,
    as_json: bool,
) -> None:
    """Ship to a target what the gate has passed."""
    if break_glass is not None and not break_glass.strip():
        _stop("--break-glass: say why")
    given = {}
    for each in confirms:
        name, equals, who = each.partition("=")
        if not equals or not name or not who.strip():
            _stop(f"--confirm {each}: written ID=NAME")
        given[name] = who.strip()
    terminal = sys.stdin.isatty() and sys.stderr.isatty()
    asked = (lambda: click.confirm("Deploy?", default=False, err=True)) if terminal else None
    _deploying(
        lambda doors: doors.run(
            root, target, only_plan, yes, plan_digest, go_on, given, break_glass or "", accept_no_rollback, as_json,
            lambda text: _write("-", text), asked,
        )
    )  # fmt: skip


@deploy.command("status")
@click.argument("target")
@_ROOT
@click.option("--live", is_flag=True, help="Ask the platform what is live.")
def deploy_status(target: str, root: str, live: bool) -> None:
    """Print a target's newest deploy, who holds its lock, and where asked what is live; JSON."""
    _deploying(lambda doors: doors.status(root, target, live, lambda text: _write("-", text)))


@deploy.command("history")
@click.argument("target")
@_ROOT
def deploy_history(target: str, root: str) -> None:
    """Print every deploy and rollback of a target, the newest first; JSON."""
    _deploying(lambda doors: doors.history(root, target, lambda text: _write("-", text)))


@deploy.command("abort")
@click.argument("target")
@_ROOT
@click.option("--yes", is_flag=True, required=True, help="It may roll production back; say so.")
def deploy_abort(target: str, root: str, yes: bool) -> None:
    """End the deploy that runs or waits, and go back: exit codes as of deploy."""
    _deploying(lambda doors: doors.abort(root, target))


@deploy.command("unlock")
@click.argument("target")
@_ROOT
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is logged.")
def deploy_unlock(target: str, root: str, reason: str) -> None:
    """Forget a holder of the lock that is gone."""
    if not reason.strip():
        _stop("--reason: say why")
    _deploying(lambda doors: doors.unlock(root, target, reason))


@deploy.command("approve")
@click.argument("target")
@click.argument("digest")
@_ROOT
@click.option("--as", "who", required=True, metavar="NAME", help="Your name in the file of signers.")
@click.option("--key", required=True, metavar="FILE", help="Your SSH key; an agent may hold it.")
@click.option("--hours", type=click.IntRange(1, 168), default=24, help="How long it holds.")
def deploy_approve(target: str, digest: str, root: str, who: str, key: str, hours: int) -> None:
    """Sign the digest of a release, as `--plan` prints it."""
    _deploying(lambda doors: doors.approve(root, target, digest, who, key, hours, lambda text: _write("-", text)))


@cli.command()
@click.argument("target")
@_ROOT
@click.option("--to", metavar="ID", help="The release, instead of the one before the one that is live.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def rollback(target: str, root: str, to: str | None, yes: bool) -> None:
    """Make an earlier release live again and verify it; no window and no freeze stands in its way."""
    terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if not yes and not terminal:
        _stop("nothing was changed: there is no terminal to ask on; --yes rolls back")
    _deploying(
        lambda doors: doors.rollback(root, target, to, yes, lambda text: click.confirm(text, default=False, err=True))
    )


@cli.command()
@click.argument("where", metavar="URL|TARGET")
@click.option("--root", metavar="DIR", help="The repository the site is made of; of a target, here where not given.")
@click.option("--path", "paths", multiple=True, metavar="PATH", help="Ask for this path; instead of those known.")
@click.option("--health", default="", metavar="PATH", help="The health route.")
@click.option("--expect", default="", metavar="WORD", help="What `status` in its answer has to be.")
@click.option("--nested", default="", metavar="FIELDS", help="Where its parts say how they are; checks.*.status.")
@click.option("--release", default="", metavar="DIGEST", help="Which release has to answer.")
@click.option("--expect-release", default="", metavar="WHERE", help="Where it says so: header:NAME or json:FIELD.")
@click.option("--browser", is_flag=True, help="Open pages in Chromium too: violations of the policy, errors.")
@click.option("--screenshot", default="", metavar="FILE", help="Save what the first page looks like, as PNG.")
@click.option("--timeout", default=10.0, type=click.FloatRange(0.1, 120), help="Seconds for one answer.")
@click.option("--bypass-env", default="", metavar="NAME", help="The variable that lets requests through a login.")
@click.option("--fail-on", type=click.Choice(("error", "warning", "note")), default="warning", help="What is red.")
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", help="Colours in text.")
@click.option("--json", "as_json", is_flag=True, help="The look as JSON.")
def verify(where: str, root: str | None, color: str, timeout: float, **given: Any) -> None:
    """Look at what a site really serves: headers, TLS, health, release, pages. Changes nothing.

    0 good, 1 something is wrong, 2 it cannot be asked for, 7 no answer.
    """
    from .verify import doors

    def target(root: str, name: str) -> Any:
        try:
            from .deploy import doors as targets
        except ImportError as error:
            raise doors.Stopped(f"a target is known on Linux and macOS only ({error.name} is missing here)") from None
        return targets.looked_at(root, name)

    asked = doors.Asked()
    asked.root, asked.answer, asked.colour = root or "", timeout, _colour(color)
    for name, value in given.items():
        setattr(asked, name, value)
    try:
        _leave(doors.run(where, asked, target, lambda text: _write("-", text)))
    except doors.Stopped as error:
        _stop(str(error))


@cli.group()
def audit() -> None:
    """Look at what deploys have written down."""


@audit.command("verify")
@click.argument("target")
@_ROOT
def audit_verify(target: str, root: str) -> None:
    """Check a target's journal and evidence: 0 holds, 1 does not."""
    _deploying(lambda doors: doors.audit(root, target, lambda text: _write("-", text)))


def _deploying(work: Any) -> None:
    """Ends with what a command of deploy says; its mistakes are words and an exit code."""
    try:
        from .deploy import doors
    except ImportError as error:
        _stop(f"deploy works on Linux and macOS only ({error.name} is missing here)")
    try:
        _leave(work(doors))
    except doors.Stopped as error:
        from .inert import inert
        from .redact import mask

        print(f"elo-gate: {inert(mask(str(error)))}", file=sys.stderr)
        _leave(error.code)


@cli.group()
def backup() -> None:
    """Look at backups: are they there, young, whole, elsewhere too, and does a restore work."""


@backup.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@_ROOT
@click.option("--drill/--no-drill", "drills", default=None, help="Restore into a scratch database, where configured.")
@click.option("--fresh", is_flag=True, help="Ask only whether there is a good backup now; no drill.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
def backup_verify(names: tuple[str, ...], root: str, drills: bool | None, fresh: bool, as_json: bool) -> None:
    """Check what [backup.NAME] promises, or all: 0 good, 1 a check is red, 2 cannot look, 7 something is not known."""
    from .backup import doors

    try:
        _leave(doors.verify(root, names, drills, fresh, as_json, lambda text: _write("-", text)))
    except doors.Stopped as error:
        from .inert import inert
        from .redact import mask

        print(f"elo-gate: {inert(mask(str(error)))}", file=sys.stderr)
        _leave(error.code)


@cli.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print what makes a shell complete the words of elo-gate: eval "$(elo-gate completion bash)"."""
    from click.shell_completion import ShellComplete, get_completion_class

    made = get_completion_class(shell)
    if made is not None:
        # `source` of bash's class would start a bash to ask for its version.
        _write("-", ShellComplete.source(made(cli, {}, "elo-gate", "_ELO_GATE_COMPLETE")) + "\n")


@cli.command()
def lsp() -> None:
    """Serve an editor over stdin and stdout (Language Server Protocol)."""
    from .start import extra

    missing = extra.missing()
    if missing:
        _stop(missing)
    from .lsp.server import serve

    _leave(serve())


def main() -> None:
    """The entry point `elo-gate`."""
    import gc

    from .ending import ending

    # A short run allocates much and frees nothing: collecting only costs time.
    gc.disable()
    ending(_run)


def _run() -> int:
    import signal

    # What is open is closed and what is half written is removed, as at Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        _say(error)
        return error.exit_code
    return code if isinstance(code, int) else 0


def _say(error: click.ClickException) -> None:
    """A mistake on the command line, as click words it; the words may come from a hostile file's name."""
    from .inert import inert

    context = getattr(error, "ctx", None)
    if context is not None:
        click.echo(context.get_usage(), err=True)
        click.echo(f"Try '{context.command_path} -h' for help.\n", err=True)
    click.echo(f"Error: {inert(error.format_message())}", err=True)
