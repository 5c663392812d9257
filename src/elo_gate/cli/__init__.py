"""The command line: a module a group of commands, imported when one of them is asked for."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from .. import __version__

# Command -> (module, the function there).
COMMANDS = {
    "audit": ("deploy", "audit"),
    "backup": ("deploy", "backup"),
    "baseline": ("baseline", "baseline"),
    "check": ("check", "check"),
    "completion": ("start", "completion"),
    "deploy": ("deploy", "deploy"),
    "doctor": ("start", "doctor"),
    "explain": ("rules", "explain"),
    "ignores": ("baseline", "ignores"),
    "init": ("start", "init"),
    "lsp": ("start", "lsp"),
    "rollback": ("deploy", "rollback"),
    "rules": ("rules", "rules"),
    "show": ("ask", "show"),
    "standard": ("ask", "standard"),
    "verify": ("deploy", "verify"),
    "why": ("ask", "why"),
    "why-not": ("ask", "why_not"),
}


class _Commands(click.Group):
    """The commands of COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        found: click.Command = getattr(import_module(f".{module}", __name__), name)
        return found


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="elo-gate")
def cli() -> None:
    """The gate between a web application's repository and its production."""


def main() -> None:
    """The entry point `elo-gate`."""
    import gc

    from ..ending import ending

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
    from ..inert import inert

    context = getattr(error, "ctx", None)
    if context is not None:
        click.echo(context.get_usage(), err=True)
        click.echo(f"Try '{context.command_path} -h' for help.\n", err=True)
    click.echo(f"Error: {inert(error.format_message())}", err=True)
