"""`elo-gate baseline` and `elo-gate ignores`: what is let pass."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from .output import judge, stop, write


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("-f", "--format", "format_", type=click.Choice(("text", "json")), default="text")
@click.option("--as-of", metavar="DATE", help="The day of judgement, YYYY-MM-DD; today where not given.")
@click.option("--config", metavar="FILE", help="This configuration and no other.")
@click.option("--baseline", "file", metavar="FILE", help="The accepted findings, instead of the configured file.")
def ignores(paths: tuple[str, ...], format_: str, as_of: str | None, config: str | None, file: str | None) -> None:
    """List what is let pass: comments, [[ignore]] and the baseline, with reason, owner and last day."""
    from ..report import ignores as listing

    write("-", listing.render(judge(paths, as_of, config, file), format_))


@click.group()
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
    from ..policy import baseline as accepted

    if not reason.strip():
        stop("--reason: say why these findings are accepted")
    run = judge(paths, as_of, config, file, growing=True)
    known = set(run.ruleset.ids)
    for each in only:
        if each not in known:
            from ..policy.config import nearest

            stop(f"no rule '{each}'{nearest(each, known)}")
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
    from ..policy import baseline as accepted

    run = judge(paths, as_of, config, file, growing=True)
    if run.verdict.exit_code == 2:
        stop(f"nothing is forgotten while something is not looked at: {run.verdict.reasons[0]}")
    gone = accepted.prune(run.baseline)
    _save(run)
    print(f"forgotten: {gone}; {run.baseline.path} holds {sum(each.count for each in run.baseline.entries)}")


def _save(run: Any) -> None:
    from ..policy.baseline import write

    try:
        write(run.baseline, run.baseline.path)
    except OSError as error:
        stop(f"{run.baseline.path}: cannot be written ({error.strerror})")
