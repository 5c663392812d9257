"""Turns what a door does into the exit code of its process: whatever happens, no traceback and nothing half said.

0 passed, 1 blocked, 2 broken; 130 at Ctrl-C, 141 when nobody reads any more. An exception that nobody expected is 2,
never 1: its text may hold what a file says and is not shown, only where in elo-gate it was raised.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import NoReturn


def ending(door: Callable[[], int]) -> NoReturn:
    """Runs a door and ends the process."""
    if sys.stdout is None or sys.stderr is None:  # closed by whoever started it
        sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")
        if sys.stdout is None:
            sys.stderr.write("elo-gate: stdout is closed: nobody would see the report\n")
            _leave(2)
    # A file's name need not be text, nor the terminal's encoding hold it.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = door()
    except SystemExit as done:
        code = done.code if isinstance(done.code, int) else 2 if done.code else 0
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = 141
    except BaseException as error:
        sys.stderr.write(f"elo-gate: internal error: {type(error).__name__} at {_place(error.__traceback__)}\n")
        code = 2
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = 141
    except OSError:
        code = 2
    _leave(code)


def _leave(code: int) -> NoReturn:
    """Ends without Python's own farewell, which flushes once more and complains."""
    if "tempfile" in sys.modules:  # folders that go at the end
        import atexit

        atexit._run_exitfuncs()
    os._exit(code)


def _place(trace: TracebackType | None) -> str:
    """Module and line of the last frame of elo-gate's own."""
    place = "start"
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        if module.startswith("elo_gate"):
            place = f"{module}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
