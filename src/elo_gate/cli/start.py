"""`elo-gate init`, `doctor`, `completion` and `lsp`: setting up, and serving an editor."""

from __future__ import annotations

import os
import sys

import click

from .output import leave, stop, write


@click.command()
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
    from ..discover import Unreadable
    from ..gate import UsageError
    from ..policy import ConfigError, is_date
    from ..start import init as setup

    if as_of is not None and not is_date(as_of):
        stop(f"--as-of {as_of}: not a date, written 2026-11-25")
    if not os.path.isdir(path):
        stop(f"{path!r}: no folder of that name")
    try:
        plan = setup.plan(os.path.realpath(path), as_of, force, github)
    except (setup.InitError, UsageError, ConfigError, Unreadable) as error:
        stop(str(error))
    write("-", setup.render(plan, contents=dry_run))
    if dry_run or not plan.steps:
        return
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        stop("nothing was written: there is no terminal to ask on; --yes writes, --dry-run shows what")
    chosen = [step for step in plan.steps if yes or click.confirm(f"Write {step.path}?", default=True)]
    done, wrong = setup.write(plan, chosen)
    write("-", "\n" + "".join(f"{each}\n" for each in done or ["nothing was written"]))
    for each in wrong:
        print(f"elo-gate: {each}", file=sys.stderr)
    if done:
        write("-", "next: read elo-gate.toml, run `elo-gate check`, commit\n")
    leave(2 if wrong else 0)


@click.command()
@click.argument("path", default=".")
@click.option("-f", "--format", "format_", type=click.Choice(("text", "json")), default="text")
@click.option("--as-of", metavar="DATE", help="The day by which the age of tables is told; today where not given.")
@click.option("--config", metavar="FILE", help="This configuration and no other.")
def doctor(path: str, format_: str, as_of: str | None, config: str | None) -> None:
    """Look at this installation and this tree: what works, what is amiss, what to do. 0 fine, 1 something fails."""
    from ..gate import today
    from ..policy import is_date
    from ..start import doctor as look

    if as_of is not None and not is_date(as_of):
        stop(f"--as-of {as_of}: not a date, written 2026-11-25")
    if not os.path.isdir(path):
        stop(f"{path!r}: no folder of that name")
    found = look.examine(os.path.realpath(path), as_of or today(), config)
    write("-", look.render(found, format_))
    leave(look.exit_code(found))


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print what makes a shell complete the words of elo-gate: eval "$(elo-gate completion bash)"."""
    from click.shell_completion import ShellComplete, get_completion_class

    from . import cli

    made = get_completion_class(shell)
    if made is not None:
        # `source` of bash's class would start a bash to ask for its version.
        write("-", ShellComplete.source(made(cli, {}, "elo-gate", "_ELO_GATE_COMPLETE")) + "\n")


@click.command()
def lsp() -> None:
    """Serve an editor over stdin and stdout (Language Server Protocol)."""
    from ..start import extra

    missing = extra.missing()
    if missing:
        stop(missing)
    from ..lsp.server import serve

    leave(serve())
