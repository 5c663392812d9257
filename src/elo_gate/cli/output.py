"""Turns what a command found into bytes, words on stderr and an exit code; runs the gate beside `check`."""

from __future__ import annotations

import os
import sys
from typing import Any

LANGUAGES = ("en", "pt-BR")


def colour(choice: str) -> bool:
    """`--color`, then NO_COLOR (no-color.org), then FORCE_COLOR, then whether stdout is a terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def write(target: str, text: str) -> None:
    """Writes a report: to stdout, or to a file as a whole or not at all."""
    if target == "-":
        try:
            data = text.encode(sys.stdout.encoding or "utf-8", "backslashreplace")
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
        except BrokenPipeError:
            os._exit(141)
        except OSError as error:
            stop(f"stdout: cannot be written ({error.strerror})")
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
        stop(f"{target}: cannot be written ({error.strerror})")


def stop(message: str, code: int = 2) -> Any:
    """Ends with an exit code and a word on stderr."""
    from ..inert import inert
    from ..redact import mask

    print(f"elo-gate: {inert(mask(message))}", file=sys.stderr)
    leave(code)


def leave(code: int) -> Any:
    sys.exit(code)


def judge(
    paths: tuple[str, ...], as_of: str | None, config: str | None, file: str | None, growing: bool = False
) -> Any:
    """A finished run for the commands beside `check`."""
    from .. import gate
    from ..discover import Unreadable
    from ..policy import ConfigError, is_date
    from ..ruleset.load import RuleError

    if as_of is not None and not is_date(as_of):
        stop(f"--as-of {as_of}: not a date, written 2026-11-25")
    try:
        root, below = gate.root_of(paths)
        return gate.run(root, below, as_of, None, config, baseline=file, growing=growing)
    except (gate.UsageError, ConfigError, RuleError, Unreadable) as error:
        stop(str(error))


def run_of(path: str, as_of: str | None, config: str | None) -> Any:
    """A finished run over one folder; ends with exit code 2 where there is none."""
    if not os.path.isdir(path):
        stop(f"{path!r}: no folder of that name")
    return judge((path,), as_of, config, None)
