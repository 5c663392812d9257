"""Turns the text of an env file into a map of names to values, and expands the values.

Two dialects. `next`: what `@next/env` 16 reads (dotenv 16.3 and its dotenv-expand, whose rules were read in the
published package and are checked against it in the tests). `compose`: what Docker Compose reads for `env_file`
(https://docs.docker.com/reference/compose-file/services/#env_file-format, looked up 2026-11-25). They differ in
comments (`a#b`), quotes, escapes and expansion; the same file can mean two things.
"""

from __future__ import annotations

import re

from ..model import MAP, SCALAR, UNKNOWN, Node, Problem, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# JavaScript's white space and line ends: `\s`, `^`, `$` and `.` mean less, or more, in Python.
_SPACE = "\t\n\v\f\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_BLANK = "\t\v\f \xa0\u1680\u2000-\u200a\u202f\u205f\u3000\ufeff"
_ENDS = "\n\r\u2028\u2029"
_TRIM = "\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))

_SKIP = re.compile(f"(?:[{_BLANK}]*+(?:#[^{_ENDS}]*+)?[{_ENDS}])*+[{_BLANK}]*+")
_TO_END = re.compile(f"[^{_ENDS}]*+")
_ASSIGNMENT = re.compile(
    f"(?:export[{_SPACE}]+)?([A-Za-z0-9_.-]+)(?:([{_SPACE}]*=)[{_SPACE}]*?|(:)[{_SPACE}]+?)"
    f"([{_SPACE}]*'(?:[^'\\\\]++|\\\\'?)*'|[{_SPACE}]*\"(?:[^\"\\\\]++|\\\\\"?)*\"|[{_SPACE}]*`(?:[^`\\\\]++|\\\\`?)*`"
    f"|[^#\r\n]+)?"
    f"[{_SPACE}]*(?:#[^{_ENDS}]*)?(?=[{_ENDS}]|\\Z)"
)
_QUOTED = re.compile(rf"(?:(?<=[{_ENDS}])|\A)(['\"`])([\s\S]*)\1(?=[{_ENDS}]|\Z)")
_NEWLINE = re.compile("\r\n?")
_REFERENCE = re.compile(r"\$\{?([A-Za-z0-9_]+)(?::-([^}\\]*))?\}?")
_ESCAPE = re.compile(r"\\(?:[abcfnrtv$\"\\]|0\d{0,3})")
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\"}
_COMPOSE_SPACE = "\t\v\f\r \x85\xa0"
_COMPOSE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATORS = (":-", ":?", ":+", "-", "?", "+")

# References that need more steps, or more text in a value or a file, are a loop or an attack: unknown.
_STEPS = 200
_NESTING = 50
_LENGTH = 32_768
_TOTAL = 4_194_304


def parse(source: Source, dialect: str = "next") -> tuple[Node, list[Problem]]:
    """The assignments of an env file and what is wrong with it.

    The map's keys and values are scalars; a value is unquoted and not expanded, its span holds the quotes, its
    style is the quote character. `tag` of the map is the dialect. A name alone on a line is an unknown value in
    the compose dialect. Problems: "syntax" (the line is lost), "duplicate-key" (the last one wins),
    "unterminated-quote" (`next` reads the line with its quote and goes on; Compose refuses the file: fatal),
    "text-after-quote" (`next` keeps the quotes as part of the value).
    """
    problems: list[Problem] = []
    pairs = _parse_compose(source, problems) if dialect == "compose" else _parse_next(source, problems)
    seen = set()
    for key, _ in pairs:
        if key.value in seen:
            problems.append(
                Problem("duplicate-key", f"{key.value} is set more than once; the last one wins", key.start, key.end)
            )
        seen.add(key.value)
    root = Node(MAP, pairs, source, 0, len(source.text), tag=dialect)
    return root, problems


def expand(root: Node, environment: Mapping[str, str | Node]) -> dict[str, str | Node]:
    """What each name of the file holds after expansion: text, or an UNKNOWN node that stands at the value.

    `environment` is what is there before the file is read; a name it does not hold, that the file does not set
    and that has no default, is unknown. In the `next` dialect the environment also wins over the file.
    """
    return _expand_compose(root, environment) if root.tag == "compose" else _expand_next(root, environment)


# The dialect of @next/env.


def _parse_next(source: Source, problems: list[Problem]) -> list[tuple[Node, Node]]:
    text = source.text
    size = len(text)
    pairs: list[tuple[Node, Node]] = []
    skip, match = _SKIP.match, _ASSIGNMENT.match
    at = 0
    while True:
        at = skip(text, at).end()  # type: ignore[union-attr]  # matches the empty text
        if at >= size or text[at] == "#":  # a comment on the last line, without a line end
            return pairs
        found = match(text, at)
        if found is None:
            end = _TO_END.match(text, at).end()  # type: ignore[union-attr]
            stop = at + len(text[at:end].rstrip(_TRIM))
            problems.append(Problem("syntax", "this line is neither a comment nor NAME=value and is ignored", at, stop))
            at = end + 1
            continue
        key = Node(SCALAR, found[1], source, found.start(1), found.end(1))
        value = _next_value(source, found)
        pairs.append((key, value))
        if not value.style and value.value[:1] in ("'", '"', "`"):
            _quote_problem(value, problems)
        at = found.end()
        if at < size and text[at - 1] not in _ENDS:
            at += 1


def _next_value(source: Source, found: re.Match[str]) -> Node:
    raw = found[4]
    place = found.end(2) if found[2] is not None else found.end(3)
    value = raw.strip(_TRIM) if raw is not None else ""
    if not value:
        return Node(SCALAR, "", source, place, place)
    start = found.start(4) + len(raw) - len(raw.lstrip(_TRIM))
    end = start + len(value)
    if "\r" in value:
        value = _NEWLINE.sub("\n", value)
    first = value[0]
    style = ""
    if first in "'\"`" and len(value) > 1 and value[-1] == first:
        value, style = value[1:-1], first
    elif "\u2028" in value or "\u2029" in value:  # ends of lines in JavaScript, not in an editor
        value = _QUOTED.sub(r"\2", value)
    if first == '"':
        value = value.replace("\\n", "\n").replace("\\r", "\r")
    return Node(SCALAR, value, source, start, end, style)


def _quote_problem(value: Node, problems: list[Problem]) -> None:
    if value.value[0] in value.value[1:]:
        words = "text follows the closing quote, so the quotes become part of the value"
        problems.append(Problem("text-after-quote", words, value.start, value.end))
    else:
        words = "the quote is never closed, so it becomes part of the value, which ends with this line"
        problems.append(Problem("unterminated-quote", words, value.start, value.end))


class _Unknown(Exception):
    """The text refers to something that cannot be known."""


def _expand_next(root: Node, environment: Mapping[str, str | Node]) -> dict[str, str | Node]:
    values: dict[str, str | Node] = {key.value: value.value for key, value in root.items()}
    room = _TOTAL
    for key, value in root.items():
        name = key.value
        given = environment.get(name, values[name])
        if isinstance(given, Node) or ("$" not in given and "\\" not in given):
            values[name] = given
            continue
        try:
            expanded = _interpolate_next(given, environment, values).replace("\\$", "$")
            room -= len(expanded)
            values[name] = expanded if room > 0 else _unknown(value)
        except _Unknown:
            values[name] = _unknown(value)
    return values


def _interpolate_next(text: str, environment: Mapping[str, str | Node], values: Mapping[str, str | Node]) -> str:
    """Replaces references from the last to the first, as dotenv-expand does, quirks included.

    A default wins over the file's own value, a last `$` that names nothing ends the expansion, and what is
    replaced is the first text equal to the last reference.
    """
    for _ in range(_STEPS):
        at = text.rfind("$")
        while at > 0 and text[at - 1] == "\\":
            at = text.rfind("$", 0, at)
        found = _REFERENCE.match(text, at) if at >= 0 else None
        if found is None:
            return text
        name, default = found[1], found[2]
        value = environment.get(name) or default or values.get(name)
        if value is None and (name in environment or default is not None):
            value = ""
        if value is None or isinstance(value, Node) or len(text) > _LENGTH:
            break
        text = _replace_as_javascript(text, found[0], value)
    raise _Unknown


def _replace_as_javascript(text: str, old: str, new: str) -> str:
    """String.prototype.replace with a text: the first hit, and `$$ $& $` $'` mean something in the replacement."""
    at = text.index(old)
    before, after = text[:at], text[at + len(old) :]
    if "$" in new:
        special = {"$$": "$", "$&": old, "$`": before, "$'": after}
        new = re.sub(r"\$[$&`']", lambda found: special[found[0]], new)
    return before + new + after


# The dialect of Docker Compose.


def _parse_compose(source: Source, problems: list[Problem]) -> list[tuple[Node, Node]]:
    text = source.text
    size = len(text)
    pairs: list[tuple[Node, Node]] = []
    at = 0
    while at < size:
        char = text[at]
        if char.isspace():
            at += 1
            continue
        line = text.find("\n", at)
        line = size if line < 0 else line
        if char == "#":
            at = line
            continue
        start = at
        if text.startswith("export", at) and text[at + 6 : at + 7].isspace():
            start += 6
            while start < line and text[start] in _COMPOSE_SPACE:
                start += 1
        stop = start
        while stop < line and text[stop] not in "=:" and (text[stop] in "_.-[]" or _is_name_or_space(text[stop])):
            stop += 1
        name = text[start:stop].rstrip()
        if (stop < line and text[stop] not in "=:") or not name or " " in name:
            words = "this line is neither a comment nor NAME=value; Docker Compose refuses the file"
            problems.append(Problem("syntax", words, at, at + len(text[at:line].rstrip())))
            at = line
            continue
        key = Node(SCALAR, name, source, start, start + len(name))
        if stop == line:
            pairs.append((key, Node(UNKNOWN, name, source, start, start + len(name))))
            at = line
            continue
        value, at = _compose_value(source, stop + 1, line, problems)
        pairs.append((key, value))
    return pairs


def _is_name_or_space(char: str) -> bool:
    return char.isalpha() or char.isnumeric() or char in _COMPOSE_SPACE


def _compose_value(source: Source, at: int, line: int, problems: list[Problem]) -> tuple[Node, int]:
    text = source.text
    while at < line and text[at] in _COMPOSE_SPACE:
        at += 1
    quote = text[at : at + 1]
    if quote in ("'", '"'):
        end = at + 1
        while end < len(text) and text[end] != quote:
            end += 2 if text[end] == "\\" else 1
        if end < len(text):
            value = text[at + 1 : end]
            if "\\" in value:
                value = _unescape_quote(value, quote)
                value = _ESCAPE.sub(_unescape, value) if quote == '"' else value
            return Node(SCALAR, value, source, at, end + 1, quote), end + 1
        words = "the quote is never closed; Docker Compose refuses the file"
        problems.append(Problem("unterminated-quote", words, at, at + len(text[at:line].rstrip()), fatal=True))
    comment = text.find(" #", at, line)
    value = text[at : line if comment < 0 else comment].rstrip()
    return Node(SCALAR, value, source, at, at + len(value)), line


def _unescape_quote(text: str, quote: str) -> str:
    """The text between quotes: an escaped quote loses its backslash, any other escape keeps it."""
    return re.sub(r"\\([\s\S])", lambda found: quote if found[1] == quote else found[0], text)


def _unescape(found: re.Match[str]) -> str:
    escape = found[0]
    if escape == "\\$":
        return "$$"  # the expansion turns it back into one dollar
    if escape[1] == "0":
        octal = escape[2:]
        return chr(int(octal, 8)) if re.fullmatch("[0-3][0-7]{2}", octal) else "\\" + octal
    return _ESCAPED.get(escape[1], escape)


def _expand_compose(root: Node, environment: Mapping[str, str | Node]) -> dict[str, str | Node]:
    values: dict[str, str | Node] = {}
    room = _TOTAL

    def look_up(name: str) -> str | None:
        value = environment.get(name, values.get(name))
        if value is None or isinstance(value, Node):
            raise _Unknown
        return value

    for key, value in root.value:
        name = key.value
        if value.kind is UNKNOWN:
            values[name] = environment.get(name, value)
        elif value.style == "'" or "$" not in value.value:
            values[name] = value.value
        else:
            try:
                expanded = _interpolate_compose(value.value, look_up, 0)
                room -= len(expanded)
                values[name] = expanded if room > 0 else _unknown(value)
            except _Unknown:
                values[name] = _unknown(value)
    return values


def _interpolate_compose(text: str, look_up: Callable[[str], str | None], depth: int) -> str:
    """`$A`, `${A}`, `${A:-b}`, `${A-b}`, `${A:?b}`, `${A?b}`, `${A:+b}`, `${A+b}` and `$$`, nested."""
    if depth > _NESTING:
        raise _Unknown
    parts = []
    at = 0
    length = 0
    while True:
        dollar = text.find("$", at)
        if dollar < 0:
            parts.append(text[at:])
            return "".join(parts)
        parts.append(text[at:dollar])
        following = text[dollar + 1 : dollar + 2]
        if following == "$":
            parts.append("$")
            at = dollar + 2
            continue
        braced = following == "{"
        found = _COMPOSE_NAME.match(text, dollar + 1 + braced)
        if found is None:
            raise _Unknown
        at = found.end()
        if not braced:
            value = look_up(found[0])
        else:
            close = _closing_brace(text, at)
            value = _operate(found[0], text[at:close], look_up, depth)
            at = close + 1
        parts.append(value or "")
        length += len(parts[-1])
        if length > _LENGTH:
            raise _Unknown


def _closing_brace(text: str, at: int) -> int:
    depth = 1
    while at < len(text):
        if text.startswith("${", at):
            depth += 1
            at += 1
        elif text[at] == "}":
            depth -= 1
            if not depth:
                return at
        at += 1
    raise _Unknown


def _operate(name: str, rest: str, look_up: Callable[[str], str | None], depth: int) -> str | None:
    if not rest:
        return look_up(name)
    for operator in _OPERATORS:
        if rest.startswith(operator):
            word = rest[len(operator) :]
            break
    else:
        raise _Unknown
    try:
        value = look_up(name)
    except _Unknown:
        if operator[-1] != "-":
            raise
        return _interpolate_compose(word, look_up, depth + 1)
    if operator[-1] == "+":
        present = value if operator[0] == ":" else True
        return _interpolate_compose(word, look_up, depth + 1) if present else ""
    if value or operator[0] != ":":
        return value
    if operator[-1] == "-":
        return _interpolate_compose(word, look_up, depth + 1)
    raise _Unknown  # `:?` with an empty value: Compose stops with the message


def _unknown(value: Node) -> Node:
    text = value.source.text[value.start : value.end]
    return Node(UNKNOWN, text, value.source, value.start, value.end, value.style)
