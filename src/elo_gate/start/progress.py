"""Turns the reading of many files into one line on the terminal, that is gone when the report comes."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

AFTER = 1.0  # seconds: what is quicker needs no word
EVERY = 0.1
_CI = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD")


def wanted(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether there is somebody to show progress to: a terminal that can erase a line, and no pipeline."""
    if environment.get("TERM", "") in ("", "dumb") or any(environment.get(name) for name in _CI):
        return False
    return stream.isatty()


class Progress:
    """The line: `seen` counts files, `done` erases it. Nothing is shown in the first second."""

    __slots__ = ("_next", "_shown", "_stream")

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._next = time.monotonic() + AFTER
        self._shown = False

    def seen(self, count: int) -> None:
        """Says how many files were read, at most ten times a second."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + EVERY
            self._shown = True
            self._write(f"\relo-gate: {count} files read\x1b[K")

    def done(self) -> None:
        """Erases the line, if there is one."""
        if self._shown:
            self._shown = False
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            # The terminal is gone: there is nobody to tell.
            self._stream = open(os.devnull, "w", encoding="utf-8")
