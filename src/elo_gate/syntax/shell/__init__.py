"""Turns shell scripts into commands: which programs, with which words, under which conditions and options.

`parse(source)` gives a `Script`; `script.value(word)` says what a word is when the script runs, as far as it is known.
"""

from __future__ import annotations

from .parser import parse
from .script import Assignment, Command, Heredoc, Piece, Redirect, Script, Segment, Value, Word

__all__ = ["Assignment", "Command", "Heredoc", "Piece", "Redirect", "Script", "Segment", "Value", "Word", "parse"]
