"""Turns a file into those of its own comments that speak to elo-gate, each with the part of the file it covers.

Alone on a line a comment covers the construct that begins on the next line that is neither blank nor a comment: the
entry of a map with everything in it, the element of a list, the instruction, the statement, the block. At the end of a
line it covers what begins on that line. In a Dockerfile, an env file, a crontab and an ignore file `#` behind
something is part of it: such a comment covers nothing.
"""

from __future__ import annotations

import re

from ..model import MAP, SCALAR, SEQ, Node, Source, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Span = tuple[int, int]

MARK = "elo-gate:"
MOST = 2_000  # in one file; of more none counts, so that nothing is let pass: nobody maintains them

_BY_KIND = {
    "checklist": "markup", "code": "javascript", "dockerfile": "dockerfile", "env": "env", "next": "javascript",
    "nginx": "nginx", "schedule": "lines", "script": "shell", "sql": "sql",
}  # fmt: skip
_BY_ENDING = {
    "yaml": "yaml", "yml": "yaml", "toml": "toml", "md": "markup", "mdx": "markup", "html": "markup", "sh": "shell",
    "bash": "shell", "py": "shell", "sql": "sql", "conf": "nginx", "dockerignore": "lines", "gitignore": "lines",
    "ts": "javascript", "tsx": "javascript", "js": "javascript", "jsx": "javascript", "mjs": "javascript",
    "cjs": "javascript", "mts": "javascript", "cts": "javascript",
}  # fmt: skip
# Strings are passed over up to the end of their line; a quote without its partner is a letter.
_STRING = r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
_HASH = re.compile(rf"{_STRING}|(?<![^\s;{{}}])#(?P<comment>[^\n]*)")
_DASHES = re.compile(r"'(?:''|[^'\n])*'|\"[^\"\n]*\"|--(?P<comment>[^\n]*)")
_MARKUP = re.compile(r"<!--(?P<comment>.*?)-->", re.S)
_HASH_AT_ALL = re.compile(r"#(?P<comment>[^\n]*)")
_BRACKETS = re.compile(rf"{_STRING}|[()\[\]{{}}]")


class Comment:
    """One comment: `body` without its marks, its span, the span it `covers` (None where it is out of place)."""

    __slots__ = ("body", "covers", "end", "source", "start")

    def __init__(self, source: Source, start: int, end: int, body: str, covers: Span | None) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.body = body
        self.covers = covers


def comments(source: Source, kind: str = "") -> list[Comment]:
    """The comments of a file that begin with `elo-gate:`, in order; none where the format has no comments (JSON)."""
    if not 0 < source.text.count(MARK) <= MOST:
        return []
    name = source.path.rpartition("/")[2].lower()
    style = _BY_KIND.get(kind) or _BY_ENDING.get(name.rpartition(".")[2])
    found = _READERS[style](source) if style is not None else ()
    return sorted((each for each in found if each.body.startswith(MARK)), key=lambda each: each.start)


def _make(source: Source, start: int, end: int, body: str, below: Callable[[int], Span], trailing: bool) -> Comment:
    """A comment with what it covers: `below` gives the construct that begins at an offset."""
    text = source.text
    line_start = text.rfind("\n", 0, start) + 1
    line_end = _line_end(text, end)
    covers: Span | None
    if text[line_start:start].strip(" \t{") == "" and text[end:line_end].strip(" \t\r}") == "":
        at = _next(text, line_end)
        covers = below(at) if at < len(text) else (at, at)
    else:
        covers = (line_start, line_end) if trailing else None
    return Comment(source, start, end, body.strip(" \t\r*"), covers)


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _next(text: str, at: int) -> int:
    """The offset of the first character of the next line that says something; the text's length when there is none."""
    while at < len(text):
        start = at + 1
        at = _line_end(text, start)
        line = text[start:at].strip()
        if line and line not in ("---", "...") and not line.startswith(("#", "//", "-- ", "/*", "{/*", "* ", "<!--")):
            return start + len(text[start:at]) - len(text[start:at].lstrip())
    return len(text)


def _found(pattern: re.Pattern[str], source: Source, span: Span | None = None) -> Iterator[tuple[int, int, str]]:
    """(start, end, body) of the comments that a scan over strings and comments finds."""
    for match in pattern.finditer(source.text, *(span or ())):
        body = match["comment"]
        if body is not None:
            yield match.start(), match.end(), body


def _rest(source: Source, at: int, stop: str = "") -> Span:
    """What begins at an offset: to the line's end, over open brackets, joined lines and, with `stop`, up to that."""
    text = source.text
    depth = 0
    end = at
    while True:
        start, end = end, _line_end(text, end)
        line = text[start:end]
        for match in _BRACKETS.finditer(line):
            depth += (match[0] in "([{") - (match[0] in ")]}")
        more = depth > 0 or line.rstrip().endswith("\\") or (stop and stop not in line and not line.endswith("}"))
        if end >= len(text) or not more:
            return at, end
        end += 1


def _lines(source: Source) -> Iterator[Comment]:
    """`#` at a line's begin only."""
    for start, end, body in _found(_HASH_AT_ALL, source):
        yield _make(source, start, end, body, lambda at: (at, _line_end(source.text, at)), False)


def _shell(source: Source) -> Iterator[Comment]:
    for start, end, body in _found(_HASH, source):
        yield _make(source, start, end, body, lambda at: _rest(source, at), True)


def _nginx(source: Source) -> Iterator[Comment]:
    for start, end, body in _found(_HASH, source):
        yield _make(source, start, end, body, lambda at: _rest(source, at, ";"), True)


def _sql(source: Source) -> Iterator[Comment]:
    for start, end, body in _found(_DASHES, source):
        yield _make(source, start, end, body, lambda at: _rest(source, at, ";"), True)


def _markup(source: Source) -> Iterator[Comment]:
    for start, end, body in _found(_MARKUP, source):
        yield _make(source, start, end, body, lambda at: (at, _line_end(source.text, at)), True)


def _env(source: Source) -> Iterator[Comment]:
    from ..syntax import dotenv

    root, _ = dotenv.parse(source)
    pairs = root.value

    def below(at: int) -> Span:
        line_end = _line_end(source.text, at)
        for key, value in pairs:
            if at <= key.start < line_end:
                return at, max(key.end, value.end)
        return at, line_end

    quoted = [value for _, value in pairs if value.style]
    for start, end, body in _found(_HASH_AT_ALL, source):
        if MARK in body and not any(value.start < start < value.end for value in quoted):
            yield _make(source, start, end, body, below, False)


def _dockerfile(source: Source) -> Iterator[Comment]:
    from ..syntax import dockerfile

    nodes = dockerfile.parse(source).root.value

    def below(at: int) -> Span:
        for node in nodes:
            if node.start <= at < node.end:
                return at, node.end
        return at, _line_end(source.text, at)

    for start, end, body in _found(_HASH_AT_ALL, source):
        yield _make(source, start, end, body, below, False)


def _yaml(source: Source) -> Iterator[Comment]:
    from ..syntax import yaml

    documents, _ = yaml.parse(source)
    starts = _starts(documents, source)

    def below(at: int) -> Span:
        return starts.get(source.position(at)[0], (at, _line_end(source.text, at)))

    for start, end in yaml.comments(source, documents):
        yield _make(source, start, end, source.text[start + 1 : end], below, True)
    for document in documents:
        for node in walk(document):
            # A script in a block scalar has its own comments, for what lies in it.
            if node.kind is SCALAR and node.style in ("|", ">") and MARK in source.text[node.start : node.end]:
                inner = source.text.find("\n", node.start, node.end)
                for start, end, body in _found(_HASH, source, (inner, node.end)):
                    yield _make(source, start, end, body, lambda at: _rest(source, at), True)


def _toml(source: Source) -> Iterator[Comment]:
    from ..syntax import toml

    root, _ = toml.parse(source)
    starts = _starts([root], source)

    def below(at: int) -> Span:
        return starts.get(source.position(at)[0], (at, _line_end(source.text, at)))

    for start, end in toml.comments(source):
        yield _make(source, start, end, source.text[start + 1 : end], below, True)


def _starts(roots: Iterable[Node], source: Source) -> dict[int, Span]:
    """Line -> the widest entry of a map or element of a list that begins on it."""
    found: dict[int, Span] = {}

    def note(start: int, end: int) -> None:
        line = source.position(start)[0]
        known = found.get(line)
        found[line] = (min(start, known[0]), max(end, known[1])) if known is not None else (start, end)

    for root in roots:
        for node in walk(root):
            if node.kind is MAP:
                for key, value in node.value:
                    # An alias stands for a value that was written above it.
                    note(key.start, max(key.end, value.end) if value.source is source else key.end)
            elif node.kind is SEQ:
                for value in node.value:
                    if value.source is source:
                        note(value.start, value.end)
    return found


def _javascript(source: Source) -> Iterator[Comment]:
    from ..syntax.javascript.grammar import Tree

    tree = Tree(source)
    if tree.root is None:
        return
    root, text = tree.root, source.text

    def below(at: int) -> Span:
        byte = len(text[:at].encode("utf-8", "surrogatepass"))
        node = root.descendant_for_byte_range(byte, byte + 1)
        while node is not None and node.parent is not None and node.parent.parent is not None:
            if node.parent.start_byte != node.start_byte:
                break
            node = node.parent
        return (at, tree.end(node)) if node is not None and node.parent is not None else (at, _line_end(text, at))

    stack = [root]
    while stack:
        node = stack.pop()
        if node.type == "comment":
            start, end = tree.start(node), tree.end(node)
            body = text[start + 2 : end - 2] if text.startswith("/*", start) else text[start + 2 : end]
            if MARK in body:
                yield _make(source, start, end, body, below, True)
        stack.extend(node.children)


_READERS: dict[str, Callable[[Source], Iterator[Comment]]] = {
    "dockerfile": _dockerfile,
    "env": _env,
    "javascript": _javascript,
    "lines": _lines,
    "markup": _markup,
    "nginx": _nginx,
    "shell": _shell,
    "sql": _sql,
    "toml": _toml,
    "yaml": _yaml,
}
