"""Turns findings in shell scripts into edits."""

from __future__ import annotations

import re

from ..kinds.script import reading
from ..model import Item, Node
from .edit import Edit
from .maps import line_start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..model import Artifact, Fault


def shebang_first(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """Moves the line to the begin of the file."""
    node = fault.at
    if not isinstance(node, Node):
        return []
    text = node.source.text
    begin = line_start(text, node.start)
    end = text.find("\n", node.start)
    if begin == 0 or end < 0 or not text.startswith("#!", begin) or "\r" in text:
        return []  # a carriage return would be a part of the interpreter's name
    line = text[begin:end].rstrip("\r")
    if not text[:begin].strip():
        return [Edit(node.source, 0, begin)]
    return [Edit(node.source, 0, 0, line + "\n"), Edit(node.source, begin, end + 1)]


def strict(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """The options below the shebang; a script that relies on an unset variable or a failing command then stops."""
    found = re.compile(r"#!\S*?(?:/|env[ \t]+)(bash|sh|dash|ash|zsh|ksh)[ \t]*(?=\r?\n)").match(file.source.text)
    if fault.message != "default" or found is None:
        return []
    options = "set -euo pipefail" if found[1] in ("bash", "zsh", "ksh") else "set -eu"
    return [Edit(file.source, found.end(), found.end(), f"\n{options}")]


def guarded(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """`"${NAME:?}"` for the variable that may be empty."""
    node, name = fault.at, re.escape(fault.values["name"])
    if not isinstance(node, Node):
        return []
    written = node.source.text[node.start : node.end]
    call = next((each for each in reading(file).calls if any(w.start == node.start for w in each.words)), None)
    if call is None or call.outer is not None:
        return []  # within a text that another shell reads
    if any(mark in written for mark in ("'", "\\", "`", "$(")):
        return []
    edits = []
    for found in re.finditer(rf"\$(?:\{{{name}\}}|{name}(?![A-Za-z0-9_]))", written):
        guard = f"${{{fault.values['name']}:?}}"
        inside = written.count('"', 0, found.start()) % 2 == 1
        text = guard if inside else f'"{guard}"'
        edits.append(Edit(node.source, node.start + found.start(), node.start + found.end(), text))
    return edits
