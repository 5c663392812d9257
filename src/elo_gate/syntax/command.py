"""Turns a shell command line into its simple commands: words with their places, and how they are joined.

Good enough to see which programs a `RUN`, a `command:` or a `script` starts and with which arguments: quoting,
`&&`, `||`, `;`, `|`, `&`, newlines, comments, redirections, assignments in front, substitutions kept as text,
reserved words (`if`, `then`, `for`, `{`, `(`) skipped. No grammar of shell functions, no expansion.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"(?P<blank>[ \t\r]++|\\\r?\n)"
    r"|(?P<join>&&|\|\||\|&|;;|[;|\n()]|&(?!>))"
    r"|(?P<redirect>[0-9]*(?:<<<|<<-?|[<>]&|[<>]\||>>|[<>])|&>>?)"
)
_PLAIN = re.compile(r"[^\s\\'\"$`;&|<>()]++")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_RESERVED = frozenset(
    ("if", "then", "else", "elif", "while", "until", "do", "!", "{", "time", "fi", "done", "}", "esac")
)  # fmt: skip
_LOOSE = ("", ";", ";;", "\n", "(", ")")  # what stands between commands without tying them to each other


class Word:
    """A word without its quotes. `known` is False when a variable or a substitution stands in it, as written."""

    __slots__ = ("end", "known", "start", "text")

    def __init__(self, text: str, start: int, end: int, known: bool) -> None:
        self.text = text
        self.start = start
        self.end = end
        self.known = known


class Command:
    """A program with its arguments. `joiner` stands before it: "", "&&", "||", ";", "|", "&", a newline or "("."""

    __slots__ = ("assignments", "joiner", "words")

    def __init__(self, joiner: str) -> None:
        self.joiner = joiner
        self.words: list[Word] = []
        self.assignments: list[Word] = []


def parse(text: str) -> list[Command]:
    """The simple commands of a line or a script, in order. Never raises; what it cannot read it skips."""
    found: list[Command] = []
    command = Command("")
    at, size = 0, len(text)
    target = False  # the next word is the target of a redirection
    while at < size:
        match = _TOKEN.match(text, at)
        if match is None:
            if text[at] == "#":
                end = text.find("\n", at)
                at = size if end < 0 else end
                continue
            word = _word(text, at)
            at = word.end
            if target:
                target = False
            elif command.words:
                command.words.append(word)
            elif _ASSIGNMENT.match(text, word.start):
                command.assignments.append(word)
            elif text[word.start : word.end] not in _RESERVED:
                command.words.append(word)
            continue
        at = match.end()
        if match.lastgroup == "redirect":
            # A heredoc's word and a file alike are no arguments.
            target = True
        elif match.lastgroup == "join":
            if command.words or command.assignments:
                found.append(command)
                command = Command("")
            if command.joiner in _LOOSE:
                command.joiner = match[0]
            target = False
    if command.words or command.assignments:
        found.append(command)
    return found


def _word(text: str, at: int) -> Word:
    """The word that begins here, at least one character of it."""
    out: list[str] = []
    start, size = at, len(text)
    known = True
    while at < size:
        char = text[at]
        if char == "\\":
            if text.startswith("\n", at + 1):
                at += 2
                continue
            out.append(text[at + 1 : at + 2])
            at += 2
        elif char == "'":
            end = text.find("'", at + 1)
            end = size if end < 0 else end
            out.append(text[at + 1 : end])
            at = end + 1
        elif char == '"':
            end = _quoted(text, at + 1)
            body = text[at + 1 : end]
            if "$" in body or "`" in body:
                known = known and "$" not in re.sub(r"\\.", "", body).replace("`", "$")
            out.append(re.sub(r"\\([\"\\$`])", r"\1", body) if "\\" in body else body)
            at = end + 1
        elif char == "`" or text.startswith(("$(", "${"), at):
            end = _substitution(text, at)
            out.append(text[at:end])
            known = False
            at = end
        elif char == "$":
            known = False
            out.append(char)
            at += 1
        else:
            match = _PLAIN.match(text, at)
            if match is None:
                if at > start:
                    break
                # Nothing that begins a word (a form feed): taken alone, so that reading goes on.
                at += 1
                continue
            out.append(match[0])
            at = match.end()
    return Word("".join(out), start, min(at, size), known)


def _quoted(text: str, at: int) -> int:
    """The place of the double quote that closes the one before `at`."""
    size = len(text)
    while at < size:
        char = text[at]
        if char == '"':
            return at
        if char == "\\":
            at += 2
        elif char == "$" and text.startswith("(", at + 1):
            at = _substitution(text, at)
        else:
            at += 1
    return size


def _substitution(text: str, at: int) -> int:
    """The place behind a `$(...)`, a `${...}` or a pair of backticks."""
    size = len(text)
    if text[at] == "`":
        end = text.find("`", at + 1)
        return size if end < 0 else end + 1
    opening, closing = ("(", ")") if text[at + 1] == "(" else ("{", "}")
    depth = 0
    while at < size:
        char = text[at]
        if char == "\\":
            at += 1
        elif char == "'":
            end = text.find("'", at + 1)
            at = size if end < 0 else end
        elif char == opening:
            depth += 1
        elif char == closing:
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return size
