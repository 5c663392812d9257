"""Turns TOML text into nodes with spans; tables and keys defined twice are reported and read all the same.

The grammar is TOML 1.0 (https://toml.io/en/v1.0.0). tomllib gives neither positions nor anything at
all for a file with a duplicate table; tests hold this reader to tomllib's answer on every text.
"""

from __future__ import annotations

import re

from elo_gate.model import ABSENT, MAP, SCALAR, SEQ, Node, Problem, Source

DEPTH = 200
NODES = 500_000

_BLANK = re.compile(r"[ \t]*")
_LINES = re.compile(r"(?:[ \t\n]|\r\n)*")
_COMMENT = re.compile(r"#[^\x00-\x08\x0a-\x1f\x7f]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'[^"\\\x00-\x08\x0a-\x1f\x7f]*')
_LITERAL = re.compile(r"[^'\x00-\x08\x0a-\x1f\x7f]*")
_LONG_BASIC = re.compile(r'(?:[^"\\\x00-\x08\x0b-\x1f\x7f]|\r\n|"(?!""))*')
_LONG_LITERAL = re.compile(r"(?:[^'\x00-\x08\x0b-\x1f\x7f]|\r\n|'(?!''))*")
_ESCAPE = re.compile(r'\\(?:([btnfre"\\])|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))')
_FOLD = re.compile(r"\\[ \t]*\r?\n(?:[ \t\n]|\r\n)*")
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?P<seconds>:[0-5][0-9](?:\.[0-9]+)?)?"
_DATE = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12][0-9]|3[01])"
    rf"(?P<time>[Tt ]{_TIME}(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?)?"
)
_CLOCK = re.compile(_TIME)
_PLAIN = re.compile(
    r"true|false|[+-]?(?:inf|nan)"
    r"|0(?:x[0-9A-Fa-f](?:_?[0-9A-Fa-f])*|o[0-7](?:_?[0-7])*|b[01](?:_?[01])*)"
    r"|[+-]?(?:0|[1-9](?:_?[0-9])*)(?:\.[0-9](?:_?[0-9])*)?(?:[eE][+-]?[0-9](?:_?[0-9])*)?"
)
_WORD = re.compile(r"[^\s,\[\]{}=#]+")
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class _Stop(Exception):
    """Reading ends here."""

    def __init__(self, message: str, start: int, end: int = -1, code: str = "syntax") -> None:
        super().__init__(message)
        self.problem = Problem(code, message, start, max(end, start + 1), fatal=True)


def parse(source: Source) -> tuple[Node, list[Problem]]:
    """The map of a TOML text and what is wrong with it; ABSENT when that is fatal.

    Dates, numbers and booleans are plain scalars as written. Problems: "duplicate-table" and
    "duplicate-key" at the second one, whose entries join the first table or stand beside the first
    value; "toml-1.1" for what TOML 1.0 refuses; fatal: "syntax", "limit".
    """
    return _Reader(source).read()


def comments(source: Source) -> list[tuple[int, int]]:
    """The spans of all comments, `#` to the end of the line, as far as the text can be read."""
    reader = _Reader(source)
    reader.read()
    return reader.comments


class _Reader:
    """Reads one text, statement by statement."""

    __slots__ = ("comments", "count", "defined", "frozen", "problems", "source", "text")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.problems: list[Problem] = []
        self.comments: list[tuple[int, int]] = []
        self.count = 0
        self.defined: set[int] = set()  # ids of tables that have a header or were made by a dotted key
        self.frozen: set[int] = set()  # ids of inline tables and arrays

    def read(self) -> tuple[Node, list[Problem]]:
        end = len(self.text)
        root = Node(MAP, [], self.source, 0, end)
        try:
            self.statements(root)
            return root, self.problems
        except _Stop as stop:
            problem = stop.problem
        except RecursionError:
            problem = Problem("limit", "Nested too deep.", 0, 1, fatal=True)
        problem.start = min(problem.start, max(end - 1, 0))
        problem.end = min(problem.end, end)
        return ABSENT, [*self.problems, problem]

    def statements(self, root: Node) -> None:
        """Reads the whole text into its root table."""
        text = self.text
        table, depth = root, 0
        dotted: list[Node] = []  # tables made by the dotted keys of this table: closed by the next header
        at = 0
        while True:
            at = _end(_LINES, text, at)
            char = text[at : at + 1]
            if not char:
                return
            if char == "[":
                self.defined.update(map(id, dotted))
                dotted.clear()
                at, table, depth = self.header(root, at)
            elif char != "#":
                at = self.entry(table, at, depth, dotted)
            at = self.line_end(at)

    def line_end(self, at: int) -> int:
        """The offset behind white space and a comment, where the line must end."""
        text = self.text
        at = self.comment(_end(_BLANK, text, at))
        if at < len(text) and text[at] != "\n" and text[at : at + 2] != "\r\n":
            raise self.unexpected(at, "the end of the line")
        return at

    def comment(self, at: int) -> int:
        """The offset behind the comment that may stand at one."""
        match = _COMMENT.match(self.text, at)
        if match is None:
            return at
        self.comments.append((at, at + len(match.group().rstrip())))
        return match.end()

    def lines(self, at: int) -> int:
        """The offset behind white space, line ends and comments."""
        while True:
            at = _end(_LINES, self.text, at)
            after = self.comment(at)
            if after == at:
                return at
            at = after

    # tables

    def header(self, root: Node, start: int) -> tuple[int, Node, int]:
        """Reads `[a.b]` or `[[a.b]]`: where it ends, its table, and how deep that is."""
        text = self.text
        several = text.startswith("[[", start)
        keys, at = self.key(start + 1 + several)
        close = "]]" if several else "]"
        if not text.startswith(close, at):
            raise self.unexpected(at, f"`{close}`")
        end = at + len(close)
        if len(keys) * 2 > DEPTH:
            raise _Stop(f"Nested deeper than {DEPTH} levels.", start, end, "limit")
        place = Node(SCALAR, "", self.source, start, end)
        parent = root
        for key in keys[:-1]:
            parent = self.step(parent, key, place)
        table = self.element(parent, keys[-1], place) if several else self.table(parent, keys[-1], place)
        return end, table, len(keys) * 2

    def step(self, parent: Node, key: Node, place: Node) -> Node:
        """The table a header's or dotted key's part leads to, made if there is none."""
        entry = parent.index.get(key.value) if parent.index is not None else None
        if entry is not None:
            child = entry[1]
            if id(child) in self.frozen:
                self.twice("duplicate-table", place)
            if child.kind is SEQ and child.value and child.value[-1].kind is MAP:
                child = child.value[-1]
            if child.kind is MAP:
                return child
            if id(entry[1]) not in self.frozen:
                self.twice("duplicate-key", place)
        child = Node(MAP, [], self.source, key.start, key.end)
        self.add(parent, key, child)
        return child

    def table(self, parent: Node, key: Node, place: Node) -> Node:
        """The table of `[key]` below another one."""
        entry = parent.index.get(key.value) if parent.index is not None else None
        table = entry[1] if entry is not None else ABSENT
        if table.kind is SEQ and table.value and table.value[-1].kind is MAP:
            table = table.value[-1]
        if table.kind is not MAP:
            if entry is not None:
                self.twice("duplicate-key", place)
            table = Node(MAP, [], self.source, place.start, place.end)
            self.add(parent, key, table)
        elif id(table) in self.defined or id(table) in self.frozen:
            self.twice("duplicate-table", place)
        elif id(table) not in self.defined:
            table.start, table.end = place.start, place.end
        self.defined.add(id(table))
        return table

    def element(self, parent: Node, key: Node, place: Node) -> Node:
        """The new table that `[[key]]` adds to an array of tables."""
        entry = parent.index.get(key.value) if parent.index is not None else None
        array = entry[1] if entry is not None else ABSENT
        if array.kind is not SEQ:
            if entry is not None:
                self.twice("duplicate-table" if array.kind is MAP else "duplicate-key", place)
            array = Node(SEQ, [], self.source, place.start, place.end)
            self.add(parent, key, array)
        elif id(array) in self.frozen:
            self.twice("duplicate-table", place)
        table = Node(MAP, [], self.source, place.start, place.end)
        self.tally(place.start)
        array.value.append(table)
        array.end = place.end
        self.defined.add(id(table))
        return table

    def entry(self, table: Node, at: int, depth: int, dotted: list[Node]) -> int:
        """Reads `key = value` into a table: where it ends."""
        start = at
        keys, at = self.key(at)
        if self.text[at : at + 1] != "=":
            raise self.unexpected(at, "`=` after the key")
        depth += len(keys)
        if depth > DEPTH:
            raise _Stop(f"Nested deeper than {DEPTH} levels.", start, at, "limit")
        place = Node(SCALAR, "", self.source, start, keys[-1].end)
        value, at = self.value(_end(_BLANK, self.text, at + 1), depth)
        within = table
        for key in keys[:-1]:
            within = self.step(within, key, place)
            if id(within) in self.defined:
                self.twice("duplicate-table", place)
            dotted.append(within)
            within.end = max(within.end, value.end)
        if within.index is not None and keys[-1].value in within.index:
            self.twice("duplicate-key", place)
        self.add(within, keys[-1], value)
        if table.start < start:
            table.end = max(table.end, value.end)
        return at

    def add(self, table: Node, key: Node, value: Node) -> None:
        """Puts an entry into a table."""
        self.tally(key.start)
        pair = (key, value)
        table.value.append(pair)
        table.index[key.value] = pair  # type: ignore[index]

    def tally(self, at: int) -> None:
        self.count += 1
        if self.count > NODES:
            raise _Stop(f"More than {NODES} values.", at, code="limit")

    def twice(self, code: str, place: Node) -> None:
        """Reports a table or key that is defined already."""
        if self.problems and self.problems[-1].start == place.start:
            return
        what = "table" if code == "duplicate-table" else "key"
        words = f"This {what} is defined a second time; TOML readers refuse the file."
        self.problems.append(Problem(code, words, place.start, place.end))

    def newer(self, at: int, end: int) -> None:
        """Reports what only TOML 1.1 allows."""
        self.problems.append(Problem("toml-1.1", "Only TOML 1.1 allows this; readers of 1.0 refuse it.", at, end))

    # keys and values

    def key(self, at: int) -> tuple[list[Node], int]:
        """Reads a dotted key: its parts, and where what follows it begins."""
        text = self.text
        parts = []
        while True:
            at = _end(_BLANK, text, at)
            char = text[at : at + 1]
            match = _BARE.match(text, at)
            if match is not None:
                part = Node(SCALAR, match.group(), self.source, at, match.end())
            elif char in ('"', "'") and not text.startswith(char * 3, at):
                part = self.string(at, char)
            else:
                raise self.unexpected(at, "a key")
            parts.append(part)
            at = _end(_BLANK, text, part.end)
            if text[at : at + 1] != ".":
                return parts, at
            at += 1

    def value(self, at: int, depth: int) -> tuple[Node, int]:
        """Reads a value: its node and where it ends."""
        text = self.text
        self.tally(at)
        char = text[at : at + 1]
        if char in ('"', "'"):
            node = self.long_string(at, char * 3) if text.startswith(char * 3, at) else self.string(at, char)
        elif char in ("[", "{"):
            if depth >= DEPTH:
                raise _Stop(f"Nested deeper than {DEPTH} levels.", at, code="limit")
            node = self.array(at, depth + 1) if char == "[" else self.inline(at, depth + 1)
            self.frozen.add(id(node))
        else:
            match = _DATE.match(text, at)
            if match is not None:
                year, month, day = map(int, match.group("year", "month", "day"))
                leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
                if year == 0 or day > _DAYS[month - 1] or (month == 2 and day == 29 and not leap):
                    raise _Stop("There is no such date.", at, match.end())
                short = match.group("time") is not None
            else:
                match = _CLOCK.match(text, at)
                short = match is not None
                if match is None:
                    match = _PLAIN.match(text, at)
            if match is None:
                raise self.unexpected(at, "a value")
            if short and match.group("seconds") is None:
                self.newer(at, match.end())
            node = Node(SCALAR, match.group(), self.source, at, match.end())
        return node, node.end

    def array(self, start: int, depth: int) -> Node:
        """Reads `[1, 2]`, over several lines if it has them."""
        text = self.text
        node = Node(SEQ, [], self.source, start, start + 1, "[")
        at = self.lines(start + 1)
        while text[at : at + 1] != "]":
            value, at = self.value(at, depth)
            node.value.append(value)
            at = self.lines(at)
            if text[at : at + 1] == ",":
                at = self.lines(at + 1)
            elif text[at : at + 1] != "]":
                if at >= len(text):
                    raise _Stop("This array has no closing `]`.", start)
                raise self.unexpected(at, "a comma or `]`")
        node.end = at + 1
        return node

    def inline(self, start: int, depth: int) -> Node:
        """Reads `{a = 1, b.c = 2}`."""
        text = self.text
        node = Node(MAP, [], self.source, start, start + 1, "{")
        dotted: list[Node] = []
        at = self.gap(start + 1)
        while text[at : at + 1] != "}":
            at = self.gap(self.entry(node, at, depth, dotted))
            if text[at : at + 1] == ",":
                comma = at
                at = self.gap(at + 1)
                if text[at : at + 1] == "}":
                    self.newer(comma, comma + 1)
            elif text[at : at + 1] != "}":
                if at >= len(text):
                    raise _Stop("This table has no closing `}`.", start)
                raise self.unexpected(at, "a comma or `}`")
        self.frozen.update(map(id, dotted))
        node.end = at + 1
        return node

    def gap(self, at: int) -> int:
        """The offset behind white space within an inline table, where TOML 1.0 wants one line."""
        start = _end(_BLANK, self.text, at)
        at = self.lines(start)
        if at > start:
            self.newer(start, start + 1)
        return at

    def string(self, start: int, quote: str) -> Node:
        """Reads a string on one line."""
        text = self.text
        if quote == "'":
            at = _end(_LITERAL, text, start + 1)
            value = text[start + 1 : at]
        else:
            parts = []
            at = start + 1
            while True:
                end = _end(_BASIC, text, at)
                parts.append(text[at:end])
                at = end
                if text[at : at + 1] != "\\":
                    break
                at = self.escape(at, parts)
            value = "".join(parts)
        if text[at : at + 1] != quote:
            raise self.unclosed(start, at, text[at : at + 1] in ("", "\n", "\r"))
        return Node(SCALAR, value, self.source, start, at + 1, quote)

    def long_string(self, start: int, quotes: str) -> Node:
        """Reads a string over several lines."""
        text = self.text
        at = start + 3
        if text[at : at + 1] == "\n":
            at += 1
        elif text[at : at + 2] == "\r\n":
            at += 2
        pattern = _LONG_BASIC if quotes == '"""' else _LONG_LITERAL
        parts = []
        while True:
            end = _end(pattern, text, at)
            parts.append(text[at:end].replace("\r\n", "\n"))
            at = end
            if text[at : at + 1] != "\\":
                break
            fold = _FOLD.match(text, at)
            at = fold.end() if fold is not None else self.escape(at, parts)
        if not text.startswith(quotes, at):
            raise self.unclosed(start, at, at >= len(text))
        at += 3
        for _ in range(2):  # up to two quotes may stand right before the closing three
            if text[at : at + 1] == quotes[0]:
                parts.append(quotes[0])
                at += 1
        return Node(SCALAR, "".join(parts), self.source, start, at, quotes)

    def escape(self, at: int, parts: list[str]) -> int:
        """Reads one escape of a basic string: where it ends."""
        match = _ESCAPE.match(self.text, at)
        if match is None:
            raise _Stop("TOML knows no such escape.", at, at + 2)
        letter, *codes = match.groups()
        if letter is not None:
            parts.append(_ESCAPED[letter])
        else:
            code = int(next(filter(None, codes)), 16)
            if 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
                raise _Stop("This escape names no character.", at, match.end())
            parts.append(chr(code))
        if letter == "e" or codes[0] is not None:
            self.newer(at, match.end())
        return match.end()

    # errors

    def unclosed(self, start: int, at: int, ended: bool) -> _Stop:
        if ended:
            return _Stop("This string has no closing quote.", start, start + 1)
        return _Stop("This string holds a control character.", at)

    def unexpected(self, at: int, wanted: str) -> _Stop:
        """The error where something else stands than TOML wants."""
        text = self.text
        if at >= len(text):
            return _Stop(f"The file ends where TOML wants {wanted}.", len(text.rstrip()) - 1)
        match = _WORD.match(text, at)
        return _Stop(f"TOML wants {wanted} here.", at, match.end() if match is not None else at + 1)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where a pattern that may match nothing ends."""
    match = pattern.match(text, at)
    return match.end() if match is not None else at
