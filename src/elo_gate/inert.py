"""Turns any text into one line that no terminal and no CI runner takes as a command.

Runners read `::command ::` at a line's begin after white space (actions/runner, ActionCommand.cs), `##[command]`
anywhere, Azure `##vso[`, TeamCity `##teamcity[`. Terminals read control characters; people misread direction marks.
"""

from __future__ import annotations

_COMMANDS = ("##[", "##vso[", "##teamcity[")


def inert(text: str, limit: int = 0) -> str:
    """One printable line; over `limit` characters (0: no limit) it is cut and ends in `...`."""
    if limit and len(text) > limit:
        text = text[: limit - 3] + "..."
    if not text.isprintable():
        text = "".join(
            letter if letter.isprintable() else {"\n": "\\n", "\t": " ", "\r": ""}.get(letter, f"\\u{ord(letter):04x}")
            for letter in text
        )
    if "##" in text:
        for command in _COMMANDS:
            text = text.replace(command, "## " + command[2:])
    if "::" in text and text.lstrip().startswith("::"):
        text = text.replace("::", ": :", 1)
    return text


def inert_lines(text: str) -> list[str]:
    """The lines of a text, each made inert; most texts are so already, which is told of all lines at once."""
    lines = text.split("\n")
    if "##" in text or "::" in text or not "".join(lines).isprintable():
        return [inert(line) for line in lines]
    return lines


def inert_json(text: str) -> str:
    """JSON that means the same and holds no `##`, by which runners find commands anywhere in a line.

    A hash stands in JSON only within a string, and never behind a backslash that would be its own.
    """
    while "##" in text:
        text = text.replace("##", "\\u0023#")
    return text
