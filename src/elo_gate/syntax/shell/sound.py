"""Turns shell text into the answer whether its quotes and its reserved words pair up, without a grammar.

The grammar for bash stumbles over sound text now and then (`for file; do`, an address with `#` in a pattern). Where
this reader finds nothing open, the text is one that a shell reads.
"""

from __future__ import annotations

import re

_CLOSES = {"fi": "if", "esac": "case", "done": "do", "}": "{"}
_OPENS = frozenset(_CLOSES.values())
# Behind these a command begins.
_LEADS = frozenset(("if", "then", "else", "elif", "while", "until", "do", "!", "{", "time"))
_TOKEN = re.compile(
    r"(?P<blank>(?:[ \t\r]|\\\n)+)"
    r"|(?P<heredoc><<-?[ \t]*(?P<mark>\\?[\w.-]+|'[^'\n]*'|\"[^\"\n]*\"))"
    r"|(?P<join>&&|\|\||[;|&\n()])"
    r"|(?P<redirect>[0-9]*(?:<<<|[<>]&|&>>?|>>|[<>])[|]?)"
)
_PLAIN = re.compile(r"[^\s\\'\"$`;&|<>()]+")


def is_sound(text: str) -> bool:
    """Whether nothing is left open at the end."""
    size, at = len(text), 0
    opened: list[str] = []
    bodies: list[tuple[str, bool]] = []
    leads, loop = True, 0
    while at < size:
        match = _TOKEN.match(text, at)
        if match is not None:
            at = match.end()
            if match["heredoc"]:
                bodies.append((match["mark"].strip("'\"").lstrip("\\"), match["heredoc"].startswith("<<-")))
            elif match["join"]:
                leads = True
                if match["join"] == "\n" and bodies:
                    at = _behind_bodies(text, at, bodies)
                    if at < 0:
                        return False
                    bodies = []
            continue
        if text[at] == "#":
            end = text.find("\n", at)
            at = size if end < 0 else end
            continue
        end = word_end(text, at)
        if end < 0:
            return False
        word = text[at:end]
        at = end
        loop -= 1
        if word == "do" and loop == 0:
            leads = True  # `for file do`
        if not leads:
            continue
        if word in ("for", "select"):
            loop = 2
        if word in _OPENS:
            opened.append(word)
        elif word in _CLOSES:
            if not opened or opened.pop() != _CLOSES[word]:
                return False
        leads = word in _LEADS
    return not opened


def _behind_bodies(text: str, at: int, bodies: list[tuple[str, bool]]) -> int:
    """The place behind the texts of the heredocs that begin here, -1 when one has no end."""
    for mark, tabs in bodies:
        while True:
            if at >= len(text):
                return -1
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            line = text[at:end].rstrip("\r")
            at = end + 1
            if (line.lstrip("\t") if tabs else line) == mark:
                break
    return min(at, len(text))


def word_end(text: str, at: int) -> int:
    """The end of the word that begins here, -1 when a quote or a bracket in it stays open."""
    start, size = at, len(text)
    while at < size:
        char = text[at]
        if char == "\\":
            at += 2
        elif char == "'":
            ansi = at > start and text[at - 1] == "$"
            at += 1
            while at < size and text[at] != "'":
                at += 2 if ansi and text[at] == "\\" else 1
            if at >= size:
                return -1
            at += 1
        elif char == '"':
            at = quoted_end(text, at + 1)
        elif char == "`":
            at = text.find("`", at + 1) + 1 or -1
        elif text.startswith(("$(", "${"), at):
            at = bracket(text, at + 1)
        elif char == "$":
            at += 1
        else:
            match = _PLAIN.match(text, at)
            if match is None:
                return at if at > start else at + 1
            at = match.end()
        if at < 0:
            return -1
    return min(at, size)


def quoted_end(text: str, at: int) -> int:
    """The place behind the double quote that closes."""
    size = len(text)
    while 0 <= at < size:
        char = text[at]
        if char == '"':
            return at + 1
        if char == "\\":
            at += 2
        elif char == "`":
            at = text.find("`", at + 1) + 1 or -1
        elif text.startswith(("$(", "${"), at):
            at = bracket(text, at + 1)
        else:
            at += 1
    return -1


def bracket(text: str, at: int) -> int:
    """The place behind the bracket that closes the one here; quotes inside are followed, nothing else is."""
    closing = {"(": ")", "{": "}"}
    stack: list[str] = []
    size = len(text)
    while at < size:
        char = text[at]
        if char == "\\":
            at += 2
            continue
        if char == "'" and (not stack or stack[-1] == ")"):
            end = text.find("'", at + 1)
            if end < 0:
                return -1
            at = end
        elif char == '"':
            end = text.find('"', at + 1)
            while end > 0 and text[end - 1] == "\\":
                end = text.find('"', end + 1)
            if end < 0:
                return -1
            at = end
        elif char in closing and (char == "(" or text[at - 1] == "$"):
            stack.append(closing[char])
        elif stack and char == stack[-1]:
            stack.pop()
            if not stack:
                return at + 1
        at += 1
    return -1
