"""Turns JSON text into nodes with spans; comments and trailing commas are reported and read over."""

from __future__ import annotations

import re

from elo_gate.model import ABSENT, MAP, SCALAR, SEQ, Node, Problem, Source

try:
    from _json import scanstring  # the package json costs three times this module
except ImportError:
    from json.decoder import scanstring  # type: ignore[attr-defined, no-redef, unused-ignore]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

DEPTH = 200
NODES = 500_000

_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN = re.compile(r"(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)(?![\w.+-])")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9A-Fa-f]{4})*+')
_WORD = re.compile(r"[\w$.+-]+")
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Stop(Exception):
    """Reading ends here."""

    def __init__(self, message: str, start: int, end: int = -1, code: str = "syntax") -> None:
        super().__init__(message)
        self.problem = Problem(code, message, start, max(end, start + 1), fatal=True)


def parse(source: Source, comments: bool = False) -> tuple[Node, list[Problem]]:
    """The value of a JSON text and what is wrong with it; ABSENT when that is fatal.

    Problems: "comment" and "trailing-comma" (not with `comments`, for formats that allow both),
    "duplicate-key"; fatal: "syntax", "empty", "limit". Strings have style '"', all else is plain.
    """
    problems: list[Problem] = []
    try:
        root = _read(source, problems, _skipper(source.text, None if comments else problems), comments)
    except _Stop as stop:
        problem = stop.problem
        end = len(source.text)
        problem.start = min(problem.start, max(end - 1, 0))
        problem.end = min(problem.end, end)
        return ABSENT, [*problems, problem]
    return root, problems


def _read(source: Source, problems: list[Problem], skip: Callable[[int], int], lenient: bool) -> Node:
    """The node of the whole text, without recursion."""
    text = source.text
    plain = _PLAIN.match
    stack: list[Node] = []
    keys: list[Node] = []  # of the maps on the stack: the key whose value comes next
    count = 0
    at = skip(0)
    if at == len(text):
        raise _Stop("The file holds nothing; JSON needs a value.", 0, code="empty")
    while True:
        char = text[at : at + 1]
        if char == '"':
            node = _string(source, at)
        elif char in ("{", "["):
            node = Node(MAP if char == "{" else SEQ, [], source, at, at + 1)
            if len(stack) == DEPTH:
                raise _Stop(f"Nested deeper than {DEPTH} levels.", at, code="limit")
            at = skip(at + 1)
            if text[at : at + 1] != ("}" if char == "{" else "]"):
                stack.append(node)
                if char == "{":
                    key = _key(source, at)
                    keys.append(key)
                    at = _colon(text, skip, key.end)
                continue
            node.end = at + 1
        else:
            match = plain(text, at)
            if match is None:
                raise _unexpected(text, at, "a value")
            node = Node(SCALAR, match.group(), source, at, match.end())
        count += 1
        if count > NODES:
            raise _Stop(f"More than {NODES} values.", at, code="limit")
        while True:  # a value is complete
            if not stack:
                at = skip(node.end)
                if at < len(text):
                    raise _Stop("Something follows the end of the JSON value.", at)
                return node
            parent = stack[-1]
            if parent.kind is MAP:
                parent.value.append((keys[-1], node))
                close = "}"
            else:
                parent.value.append(node)
                close = "]"
            at = skip(node.end)
            char = text[at : at + 1]
            if char == ",":
                comma = at
                at = skip(at + 1)
                char = text[at : at + 1]
                if char != close:
                    if close == "}":
                        keys[-1] = key = _key(source, at)
                        at = _colon(text, skip, key.end)
                    break
                if not lenient:
                    words = "JSON allows no comma after the last entry."
                    problems.append(Problem("trailing-comma", words, comma, comma + 1))
            if char != close:
                if at >= len(text):
                    raise _Stop(f"`{close}` is missing for this bracket.", parent.start)
                raise _unexpected(text, at, f"a comma or `{close}`")
            stack.pop()
            if close == "}":
                keys.pop()
                _index(parent, problems)
            parent.end = at + 1
            node = parent


def _string(source: Source, at: int) -> Node:
    """The string whose opening quote stands at an offset."""
    text = source.text
    try:
        value, end = scanstring(text, at + 1, True)
    except (ValueError, SystemError):  # its error class lies in json.decoder; SystemError when that is not imported
        match = _STRING.match(text, at)
        end = match.end() if match is not None else at
        if text[end : end + 1] in ("", "\n", "\r"):
            raise _Stop("This string has no closing quote.", at) from None
        raise _Stop("This string holds a control character or a wrong escape.", end) from None
    if not value.isascii() and _SURROGATE.search(value):
        value = _SURROGATE.sub("\ufffd", value)
    return Node(SCALAR, value, source, at, end, '"')


def _key(source: Source, at: int) -> Node:
    """The key that must stand at an offset."""
    if source.text[at : at + 1] != '"':
        raise _unexpected(source.text, at, "a key in double quotes")
    return _string(source, at)


def _colon(text: str, skip: Callable[[int], int], at: int) -> int:
    """The offset of the value behind a key that ends at an offset."""
    at = skip(at)
    if text[at : at + 1] != ":":
        raise _unexpected(text, at, "a colon after the key")
    return skip(at + 1)


def _unexpected(text: str, at: int, wanted: str) -> _Stop:
    """The error where something else stands than JSON wants."""
    if text[at : at + 1] == "'":
        return _Stop("JSON strings take double quotes.", at)
    if at >= len(text):
        return _Stop(f"The file ends where JSON wants {wanted}.", len(text.rstrip()) - 1)
    match = _WORD.match(text, at)
    return _Stop(f"JSON wants {wanted} here.", at, match.end() if match else at + 1)


def _index(node: Node, problems: list[Problem]) -> None:
    """Gives a complete map its index and reports its duplicates."""
    value = node.value
    node.index = {pair[0].value: pair for pair in value}
    if len(node.index) == len(value):
        return
    seen = set()
    for key, _ in value:
        if key.value in seen:
            words = "This key stands twice in its object; the last one counts."
            problems.append(Problem("duplicate-key", words, key.start, key.end))
        seen.add(key.value)


def _skipper(text: str, problems: list[Problem] | None) -> Callable[[int], int]:
    """What skips white space and comments from an offset on; comments are reported if there is a list for them."""
    space = _SPACE.match
    if "/" not in text:
        return lambda at: space(text, at).end()  # type: ignore[union-attr]

    def skip(at: int) -> int:
        while True:
            start = space(text, at).end()  # type: ignore[union-attr]
            two = text[start : start + 2]
            if two == "//":
                at = text.find("\n", start)
                at = len(text) if at < 0 else at
            elif two == "/*":
                at = text.find("*/", start + 2) + 2
                if at < 2:
                    raise _Stop("This comment has no end.", start, start + 2)
            else:
                return start
            if problems is not None:
                words = "JSON has no comments; this file's reader refuses them."
                problems.append(Problem("comment", words, start, start + len(text[start:at].rstrip())))

    return skip
