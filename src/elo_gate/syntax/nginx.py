"""Turns the text of an nginx configuration into directives: words, blocks, and what is wrong with them.

The grammar is that of nginx's own reader, `ngx_conf_read_token` in src/core/ngx_conf_file.c (github.com/nginx/nginx,
looked up 2026-11-25): a word ends at white space, `;` or `{`; a quote counts at the start of a word only; `#` begins a
comment at the start of a word only; `}` inside a word is part of it; `${` opens no block. Two additions: the body of a
`*_by_lua_block` is Lua (OpenResty), and a template's placeholder alone on a line stands for directives of its own.
"""

from __future__ import annotations

import re

from ..model import MAP, SCALAR, SEQ, Node, Problem, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DEPTH = 200

_SPACE = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"[^\n]*")
# A backslash takes the next character with it; `${` opens no block.
_BARE = re.compile(r"(?:\\[\s\S]|\$\{|[^ \t\r\n;{\\]|\\\Z)*+")
_DOUBLE = re.compile(r'(?:\\[\s\S]|[^"\\])*+')
_SINGLE = re.compile(r"(?:\\[\s\S]|[^'\\])*+")
_ESCAPE = re.compile(r"\\([\"'\\trn])")
_ESCAPED = {"t": "\t", "r": "\r", "n": "\n"}
_PLACEHOLDER = re.compile(r"\$(?:\{[A-Z_][A-Z0-9_]*\}|[A-Z_][A-Z0-9_]*)(?=[ \t\r]*(?:\n|\Z))")
_LUA = re.compile(
    r"--\[(=*)\[[\s\S]*?\]\1\]|--[^\n]*|\[(=*)\[[\s\S]*?\]\2\]|'(?:\\[\s\S]|[^'\\\n])*'|\"(?:\\[\s\S]|[^\"\\\n])*\""
    r"|[{}]|[^{}'\"\[-]+|[\s\S]"
)
# Names that stand for no value anywhere: on a new line inside a directive they show that its `;` was forgotten.
_NAMES = re.compile(
    r"(?:listen|location|upstream|(?:server_name|server_tokens|proxy_pass|proxy_set_header|proxy_http_version|add_header"
    r"|try_files|error_page|access_log|error_log|ssl_certificate|ssl_certificate_key|ssl_protocols|ssl_ciphers|gzip_types"
    r"|keepalive_timeout|client_max_body_size|proxy_read_timeout|proxy_connect_timeout|proxy_send_timeout|fastcgi_pass"
    r"|default_type|worker_connections|worker_processes))"
)


class Directive:
    """One directive: `name` and `words` (its arguments) are scalars; `block` holds its directives, None without one.

    `start` is where the name begins, `end` behind its `;` or `}`. `body` is the node of a Lua block, else None.
    """

    __slots__ = ("name", "words", "block", "body", "start", "end")

    def __init__(self, name: Node, words: list[Node]) -> None:
        self.name = name
        self.words = words
        self.block: list[Directive] | None = None
        self.body: Node | None = None
        self.start = name.start
        self.end = words[-1].end if words else name.end

    @property
    def key(self) -> str:
        """The name as text."""
        return str(self.name.value)

    def texts(self) -> list[str]:
        """The arguments as texts."""
        return [str(word.value) for word in self.words]

    def text(self, index: int = 0) -> str:
        """One argument as text, "" when there is none."""
        return str(self.words[index].value) if -len(self.words) <= index < len(self.words) else ""


class _Stop(Exception):
    """Reading ends here."""

    def __init__(self, code: str, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.problem = Problem(code, message, start, end, True)


def parse(source: Source) -> tuple[list[Directive], list[Problem]]:
    """The directives of a configuration and what is wrong with them.

    Problems: "missing-semicolon" (the directive has taken the next line in; nothing else is lost); fatal, and then the
    directives end where reading did: "unterminated-quote", "unterminated-directive", "unbalanced-brace",
    "missing-space" (after a quoted word), "missing-name" (`{` or `;` with nothing before it), "limit" (200 levels).
    """
    problems: list[Problem] = []
    top: list[Directive] = []
    try:
        _read(source, top, problems)
    except _Stop as stop:
        problem = stop.problem
        problem.start = min(problem.start, max(len(source.text) - 1, 0))
        problem.end = min(max(problem.end, problem.start + 1), len(source.text))
        problems.append(problem)
    return top, problems


def tree(directives: Sequence[Directive], source: Source) -> Node:
    """The directives as nodes of the common kind: a list of maps, each `{name: [words..., block]}`."""

    def node(directive: Directive) -> Node:
        parts = list(directive.words)
        if directive.body is not None:
            parts.append(directive.body)
        if directive.block is not None:
            inner = [node(each) for each in directive.block]
            parts.append(Node(SEQ, inner, source, directive.end - 1, directive.end))
        first = parts[0].start if parts else directive.end
        words = Node(SEQ, parts, source, first, directive.end)
        return Node(MAP, [(directive.name, words)], source, directive.start, directive.end)

    return Node(SEQ, [node(each) for each in directives], source, 0, len(source.text))


def walk(directives: Sequence[Directive]) -> Iterator[Directive]:
    """Every directive, outer before inner, in order."""
    stack = list(reversed(directives))
    while stack:
        directive = stack.pop()
        yield directive
        if directive.block:
            stack.extend(reversed(directive.block))


def _read(source: Source, top: list[Directive], problems: list[Problem]) -> None:
    text = source.text
    size = len(text)
    open_blocks: list[Directive] = []
    here = top
    words: list[Node] = []
    at = 0
    while True:
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        if at >= size:
            break
        character = text[at]
        if character == "#":
            at = _COMMENT.match(text, at).end()  # type: ignore[union-attr]
        elif character == "}":
            if words:
                raise _Stop("unterminated-directive", "a directive ends without ';' before '}'", words[0].start, at)
            if not open_blocks:
                raise _Stop("unbalanced-brace", "'}' closes no block", at, at + 1)
            at += 1
            open_blocks.pop().end = at
            here = (open_blocks[-1].block or []) if open_blocks else top
        elif character in ";{":
            if not words:
                raise _Stop("missing-name", f"'{character}' has no directive before it", at, at + 1)
            directive = Directive(words[0], words[1:])
            words = []
            at += 1
            directive.end = at
            _note_missing(directive, text, problems)
            here.append(directive)
            if character == ";":
                continue
            if directive.key.endswith("_by_lua_block"):
                end = _lua(text, at, directive)
                directive.body = Node(SCALAR, text[at : end - 1], source, at, end - 1, "{")
                at = directive.end = end
                continue
            if len(open_blocks) >= DEPTH:
                raise _Stop("limit", f"blocks lie more than {DEPTH} levels deep", at - 1, at)
            directive.block = here = []
            open_blocks.append(directive)
        else:
            placeholder = _PLACEHOLDER.match(text, at) if not words and character == "$" else None
            if placeholder is not None:
                at = placeholder.end()
                here.append(Directive(Node(SCALAR, placeholder[0], source, placeholder.start(), at), []))
                continue
            word = _word(source, at)
            words.append(word)
            at = word.end
    if words:
        raise _Stop("unterminated-directive", "the last directive has no ';'", words[0].start, words[0].end)
    if open_blocks:
        name = open_blocks[-1].name
        raise _Stop("unbalanced-brace", "the block that begins here is not closed", name.start, name.end)


def _word(source: Source, at: int) -> Node:
    """The word that begins at an offset; a quoted one with its quotes."""
    text = source.text
    quote = text[at]
    if quote in "\"'":
        end = (_DOUBLE if quote == '"' else _SINGLE).match(text, at + 1).end()  # type: ignore[union-attr]
        if text[end : end + 1] != quote:
            raise _Stop("unterminated-quote", "the quote that begins here is not closed", at, at + 1)
        written = text[at + 1 : end]
        end += 1
        # `if ($x = "y") {`: a bracket may follow at once.
        if text[end : end + 1] not in ("", " ", "\t", "\r", "\n", ";", "{", ")"):
            raise _Stop("missing-space", "a quoted word is followed by text without a space", at, end + 1)
    else:
        quote = ""
        end = max(_BARE.match(text, at).end(), at + 1)  # type: ignore[union-attr]
        written = text[at:end]
    if "\\" in written:
        written = _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), written)
    return Node(SCALAR, written, source, at, end, quote)


def _lua(text: str, at: int, directive: Directive) -> int:
    """Where a Lua body that begins behind its `{` ends, behind its `}`."""
    depth = 1
    while at < len(text):
        match = _LUA.match(text, at)
        at = match.end()  # type: ignore[union-attr]
        piece = match[0]  # type: ignore[index]
        if piece == "{":
            depth += 1
        elif piece == "}":
            depth -= 1
            if not depth:
                return at
    raise _Stop("unbalanced-brace", "the Lua block that begins here is not closed", directive.start, directive.name.end)


def _note_missing(directive: Directive, text: str, problems: list[Problem]) -> None:
    """Adds a problem when a directive has taken the next line in because its own `;` is missing."""
    before = directive.name
    for word in directive.words:
        if not word.style and _NAMES.fullmatch(word.value) and "\n" in text[before.end : word.start]:
            problems.append(
                Problem(
                    "missing-semicolon",
                    f"'{directive.key}' is not ended by ';' before '{word.value}' on the next line",
                    directive.start,
                    directive.name.end,
                )
            )
            return
        before = word
