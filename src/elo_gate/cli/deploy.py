"""`elo-gate deploy`, `rollback`, `verify`, `audit` and `backup`: what happens beyond the tree."""

from __future__ import annotations

import sys
from typing import Any

import click

from .output import colour, leave, stop, write


class _Targets(click.Group):
    """`deploy TARGET` beside `deploy status TARGET`: a word that names no command is a target."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


_ROOT = click.option("--root", default=".", metavar="DIR", help="Where the repository lies, instead of here.")


@click.group(cls=_Targets, options_metavar="TARGET [OPTIONS] |", subcommand_metavar="COMMAND TARGET [OPTIONS]")
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
        stop("--break-glass: say why")
    given = {}
    for each in confirms:
        name, equals, who = each.partition("=")
        if not equals or not name or not who.strip():
            stop(f"--confirm {each}: written ID=NAME")
        given[name] = who.strip()
    terminal = sys.stdin.isatty() and sys.stderr.isatty()
    asked = (lambda: click.confirm("Deploy?", default=False, err=True)) if terminal else None
    _deploying(
        lambda doors: doors.run(
            root, target, only_plan, yes, plan_digest, go_on, given, break_glass or "", accept_no_rollback, as_json,
            lambda text: write("-", text), asked,
        )
    )  # fmt: skip


@deploy.command("status")
@click.argument("target")
@_ROOT
@click.option("--live", is_flag=True, help="Ask the platform what is live.")
def deploy_status(target: str, root: str, live: bool) -> None:
    """Print a target's newest deploy, who holds its lock, and where asked what is live; JSON."""
    _deploying(lambda doors: doors.status(root, target, live, lambda text: write("-", text)))


@deploy.command("history")
@click.argument("target")
@_ROOT
def deploy_history(target: str, root: str) -> None:
    """Print every deploy and rollback of a target, the newest first; JSON."""
    _deploying(lambda doors: doors.history(root, target, lambda text: write("-", text)))


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
        stop("--reason: say why")
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
    _deploying(lambda doors: doors.approve(root, target, digest, who, key, hours, lambda text: write("-", text)))


@click.command()
@click.argument("target")
@_ROOT
@click.option("--to", metavar="ID", help="The release, instead of the one before the one that is live.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def rollback(target: str, root: str, to: str | None, yes: bool) -> None:
    """Make an earlier release live again and verify it; no window and no freeze stands in its way."""
    terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if not yes and not terminal:
        stop("nothing was changed: there is no terminal to ask on; --yes rolls back")
    _deploying(
        lambda doors: doors.rollback(root, target, to, yes, lambda text: click.confirm(text, default=False, err=True))
    )


@click.command()
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
    from ..verify import doors

    def target(root: str, name: str) -> Any:
        try:
            from ..deploy import doors as targets
        except ImportError as error:
            raise doors.Stopped(f"a target is known on Linux and macOS only ({error.name} is missing here)") from None
        return targets.looked_at(root, name)

    asked = doors.Asked()
    asked.root, asked.answer, asked.colour = root or "", timeout, colour(color)
    for name, value in given.items():
        setattr(asked, name, value)
    try:
        leave(doors.run(where, asked, target, lambda text: write("-", text)))
    except doors.Stopped as error:
        stop(str(error))


@click.group()
def audit() -> None:
    """Look at what deploys have written down."""


@audit.command("verify")
@click.argument("target")
@_ROOT
def audit_verify(target: str, root: str) -> None:
    """Check a target's journal and evidence: 0 holds, 1 does not."""
    _deploying(lambda doors: doors.audit(root, target, lambda text: write("-", text)))


def _deploying(work: Any) -> None:
    """Ends with what a command of deploy says; its mistakes are words and an exit code."""
    try:
        from ..deploy import doors
    except ImportError as error:
        stop(f"deploy works on Linux and macOS only ({error.name} is missing here)")
    try:
        leave(work(doors))
    except doors.Stopped as error:
        stop(str(error), error.code)


@click.group()
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
    from ..backup import doors

    try:
        leave(doors.verify(root, names, drills, fresh, as_json, lambda text: write("-", text)))
    except doors.Stopped as error:
        stop(str(error), error.code)
