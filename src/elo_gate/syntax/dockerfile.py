"""Turns the text of a Dockerfile into instructions whose every token has its place.

The grammar is BuildKit's (https://docs.docker.com/reference/dockerfile/, and its parser where the reference is
silent): parser directives, comments and blank lines inside continuations, flags, exec form that falls back to
shell form when the JSON is bad, heredocs. Nothing is expanded here (`dockerfile_variables` does that).
"""

from __future__ import annotations

import re
from bisect import bisect_right

from ..model import ABSENT, SCALAR, SEQ, Node, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model import Source

INSTRUCTIONS = frozenset(
    (
        "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
        "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
    )
)  # fmt: skip

EXEC = "exec"
SHELL = "shell"

_DIRECTIVE = re.compile(r"#[ \t]*([A-Za-z][A-Za-z0-9]*)[ \t]*=[ \t]*(.+?)[ \t\r]*$")
_WORD = re.compile(r"\S+")
_FLAG = re.compile(r"--(?:[^\s\"'\\]++|\\.|\"(?:[^\"\\]++|\\.)*+\"|'[^']*+'|[\"'\\])*+", re.DOTALL)
# A word in which quotes and escapes keep blanks together; an open quote runs to the end.
_QUOTED = {
    escape: re.compile(
        rf"(?:[^\s\"'{mark}]++|{mark}.|\"(?:[^\"{mark}]++|{mark}.)*+(?:\"|\Z)|'(?:[^'{mark}]++|{mark}.)*+(?:'|\Z)|{mark}\Z)++",
        re.DOTALL,
    )
    for escape, mark in (("\\", r"\\"), ("`", "`"))
}
_SHELL_WORD = re.compile(r"(?:[^\s\"'\\]++|\\.|\"(?:[^\"\\]++|\\.)*+(?:\"|\Z)|'[^']*+(?:'|\Z)|\\\Z)++", re.DOTALL)
_ITEM = re.compile(r"[ \t\r\n]*(\"(?:[^\"\\\x00-\x1f]++|\\.)*+\")[ \t\r\n]*([,\]])")
_HEREDOC = re.compile(r"(\d*)<<(-?)([^<]+)", re.DOTALL)


class Heredoc:
    """One heredoc: `mark` is the `<<EOF` word, `body` the text between, `name` the terminator.

    `expand` is False when the word was quoted; `strip` is True for `<<-`: leading tabs do not count.
    """

    __slots__ = ("body", "expand", "mark", "name", "strip")

    def __init__(self, mark: Node, name: str, expand: bool, strip: bool) -> None:
        self.mark = mark
        self.name = name
        self.expand = expand
        self.strip = strip
        self.body: Node = ABSENT


class Instruction:
    """One instruction.

    `keyword`: its word as written; `name`: the same in capitals. `flags`: (name, value) pairs, `--link` has the
    value ABSENT. `args`: the words, or the strings of the exec form, or one text for the shell form of RUN, CMD,
    ENTRYPOINT, HEALTHCHECK and for USER, WORKDIR, STOPSIGNAL, MAINTAINER. `pairs`: (name, value) of ENV, ARG and
    LABEL; an ARG without default has the value ABSENT. `form`: "exec", "shell", "legacy" (`ENV name value`) or "".
    `kind`: the NONE or CMD of a HEALTHCHECK. `inner`: the instruction behind ONBUILD. `line` maps text to places, a
    shell form begins at `at` of its text.
    Values are as written (quotes and `$` included, continuations taken out), only exec strings are decoded.
    """

    __slots__ = ("args", "at", "flags", "form", "heredocs", "inner", "keyword", "kind", "line", "name", "node", "pairs")

    def __init__(self, keyword: Node, line: Line) -> None:
        self.keyword = keyword
        self.name = keyword.value.upper()
        self.line = line
        self.at = 0
        self.flags: list[tuple[Node, Node]] = []
        self.args: list[Node] = []
        self.pairs: list[tuple[Node, Node]] = []
        self.heredocs: list[Heredoc] = []
        self.form = ""
        self.kind: Node = ABSENT
        self.inner: Instruction | None = None
        self.node: Node = ABSENT

    def flag(self, name: str) -> Node:
        """The value of the last flag of that name, its name when it has none, ABSENT when it is not there."""
        for key, value in reversed(self.flags):
            if key.value == name:
                return value if value else key
        return ABSENT


class Line:
    """The text of an instruction with its continuations taken out, and the way back to the source."""

    __slots__ = ("offsets", "shift", "source", "starts", "text")

    def __init__(self, source: Source, pieces: list[tuple[int, int]]) -> None:
        self.source = source
        text = source.text
        self.shift = -1  # of a line without continuations: where it begins
        self.offsets: list[int] = []
        self.starts: list[int] = []
        if len(pieces) == 1:
            self.shift, end = pieces[0]
            self.text = text[self.shift : end]
            return
        self.text = "".join([text[start:end] for start, end in pieces])
        total = 0
        for start, end in pieces:
            self.offsets.append(start)
            self.starts.append(total)
            total += end - start

    def place(self, at: int) -> int:
        """The offset in the source of a character of the text."""
        if self.shift >= 0:
            return self.shift + at
        index = bisect_right(self.starts, at) - 1
        return self.offsets[index] + at - self.starts[index]

    def node(self, start: int, end: int, value: str | None = None, style: str = "") -> Node:
        """A scalar for a part of the text."""
        if value is None:
            value = self.text[start:end]
        if self.shift >= 0:
            return Node(SCALAR, value, self.source, self.shift + start, self.shift + end, style)
        first = self.place(start)
        return Node(SCALAR, value, self.source, first, self.place(end - 1) + 1 if end > start else first, style)


class Dockerfile:
    """What a Dockerfile says. `root` is the same as a tree: a seq of seqs, the keyword first, then its arguments.

    `directives`: name -> value Node (syntax, escape, check). `comments`: (start, end) of every comment that is no
    directive, without its line end.
    """

    __slots__ = ("comments", "directives", "escape", "instructions", "problems", "root")

    def __init__(self, source: Source) -> None:
        self.root = Node(SEQ, [], source, 0, len(source.text))
        self.instructions: list[Instruction] = []
        self.directives: dict[str, Node] = {}
        self.comments: list[tuple[int, int]] = []
        self.problems: list[Problem] = []
        self.escape = "\\"


def parse(source: Source) -> Dockerfile:
    """Reads a whole file. Problems: "unknown-instruction", "syntax", "unterminated-heredoc" (fatal)."""
    return _Reader(source).read()


class _Reader:
    __slots__ = ("at", "file", "source", "text")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.at = 0
        self.file = Dockerfile(source)

    def read(self) -> Dockerfile:
        self.read_directives()
        staged = False
        for line in self.lines():
            instruction = self.instruction(line, 0)
            self.file.instructions.append(instruction)
            if instruction.name == "FROM":
                staged = True
            elif not staged and instruction.name in INSTRUCTIONS and instruction.name != "ARG":
                self.refuse(instruction, "only ARG may stand before the first FROM")
        if not staged:
            self.problem("syntax", "there is no FROM: nothing can be built", 0, min(1, len(self.text)))
        self.file.root.value = [instruction.node for instruction in self.file.instructions]
        return self.file

    def physical(self) -> tuple[int, int]:
        """The next line's start and end, its line break left out, and steps behind it."""
        start = self.at
        end = self.text.find("\n", start)
        if end < 0:
            end = self.at = len(self.text)
        else:
            self.at = end + 1
            if end > start and self.text[end - 1] == "\r":
                end -= 1
        return start, end

    def read_directives(self) -> None:
        size = len(self.text)
        while self.at < size:
            before = self.at
            start, end = self.physical()
            match = _DIRECTIVE.match(self.text[start:end].lstrip(" \t"))
            name = match[1].lower() if match else ""
            if match is None or name not in ("syntax", "escape", "check") or name in self.file.directives:
                self.at = before
                return
            value = match[2]
            begin = self.text.rindex(value, start, end)
            self.file.directives[name] = Node(SCALAR, value, self.source, begin, begin + len(value))
            if name == "escape":
                if value in ("\\", "`"):
                    self.file.escape = value
                else:
                    self.problem("syntax", "the escape directive takes a backslash or a backtick", begin, end)

    def lines(self) -> Iterator[Line]:
        """The instructions' lines, continuations joined, comments and blank lines taken out."""
        text, size, escape = self.text, len(self.text), self.file.escape
        while self.at < size:
            pieces: list[tuple[int, int]] = []
            more = True
            while more and self.at < size:
                start, end = self.physical()
                bare = text[start:end].strip()
                if not bare:
                    more = bool(pieces)
                    continue
                if bare[0] == "#":
                    self.file.comments.append((text.index("#", start, end), end))
                    more = bool(pieces)
                    continue
                if not pieces and text[start] != bare[0]:
                    start = text.index(bare[0], start, end)
                more = False
                if bare[-1] == escape:
                    mark = text.rindex(escape, start, end)
                    # Only blanks may follow (a form feed is none), and an escaped escape continues nothing.
                    if not text[mark + 1 : end].strip(" \t") and (mark == start or text[mark - 1] != escape):
                        more = True
                        end = mark
                pieces.append((start, end))
            if pieces:
                line = Line(self.source, pieces)
                if not line.text.isspace() and line.text:
                    yield line

    def problem(self, code: str, message: str, start: int, end: int, fatal: bool = False) -> None:
        self.file.problems.append(Problem(code, message, start, end, fatal))

    def refuse(self, instruction: Instruction, message: str) -> None:
        self.problem("syntax", f"{instruction.name}: {message}", instruction.keyword.start, instruction.keyword.end)

    def instruction(self, line: Line, at: int, outer: Instruction | None = None) -> Instruction:
        """Reads the instruction that begins at a place of a line, with its heredocs."""
        word = _WORD.search(line.text, at)
        assert word is not None
        instruction = Instruction(line.node(word.start(), word.end()), line)
        end = len(line.text.rstrip())
        rest = _skip(line.text, word.end())
        if instruction.name not in INSTRUCTIONS:
            keyword = instruction.keyword
            frontend = self.file.directives.get("syntax")
            # Another frontend has instructions of its own.
            if frontend is None or "docker/dockerfile" in frontend.value:
                message = "this word is no Dockerfile instruction"
                self.problem("unknown-instruction", message, keyword.start, keyword.end)
        elif instruction.name == "ONBUILD":
            if outer is not None or rest >= end:
                self.refuse(instruction, "an instruction other than ONBUILD has to follow")
            else:
                instruction.inner = self.instruction(line, rest, instruction)
        else:
            rest = self.flags(instruction, rest)
            self.arguments(instruction, rest, end)
        self.close(instruction)
        return instruction

    def close(self, instruction: Instruction) -> None:
        """Makes the instruction's node of its parts."""
        parts = [instruction.keyword]
        if instruction.inner is not None:
            parts.append(instruction.inner.node)
        elif instruction.pairs:
            for name, value in instruction.pairs:
                parts.append(name)
                if value:
                    parts.append(value)
        else:
            if instruction.kind:
                parts.append(instruction.kind)
            parts += instruction.args
        end = parts[-1].end
        for _, value in instruction.flags[-1:]:
            end = max(end, value.end)
        if instruction.heredocs:
            end = max(end, instruction.heredocs[-1].body.end)
        instruction.node = Node(SEQ, parts, self.source, instruction.keyword.start, end)

    def flags(self, instruction: Instruction, at: int) -> int:
        text = instruction.line.text
        while text.startswith("--", at):
            match = _FLAG.match(text, at)
            assert match is not None
            end = match.end()
            if end - at == 2:
                return _skip(text, end)
            cut = text.find("=", at, end)
            name = instruction.line.node(at + 2, cut if cut >= 0 else end)
            value = instruction.line.node(cut + 1, end) if cut >= 0 else ABSENT
            instruction.flags.append((name, value))
            at = _skip(text, end)
        return at

    def arguments(self, instruction: Instruction, at: int, end: int) -> None:
        name, line = instruction.name, instruction.line
        if at >= end:
            # `RUN` with nothing is refused, so is the rest; CMD may be empty.
            if name not in ("CMD", "ENTRYPOINT"):
                self.refuse(instruction, "at least one argument is required")
            return
        if name in ("RUN", "CMD", "ENTRYPOINT"):
            self.command(instruction, at, end)
        elif name in ("COPY", "ADD", "VOLUME", "SHELL"):
            if not self.strings(instruction, at, end):
                if name == "SHELL":
                    self.refuse(instruction, "a JSON array of strings is required")
                instruction.args = [line.node(*match.span()) for match in _WORD.finditer(line.text, at, end)]
        elif name in ("ENV", "LABEL", "ARG"):
            self.read_pairs(instruction, at, end)
        elif name in ("FROM", "EXPOSE"):
            instruction.args = [line.node(*match.span()) for match in _WORD.finditer(line.text, at, end)]
            if name == "FROM" and (len(instruction.args) not in (1, 3) or not _names_stage(instruction.args)):
                self.refuse(instruction, "an image and, if any, `AS` and a name are expected")
        elif name == "HEALTHCHECK":
            word = _WORD.match(line.text, at, end)
            assert word is not None
            instruction.kind = line.node(*word.span())
            at = _skip(line.text, word.end())
            if instruction.kind.value.upper() == "CMD" and at < end:
                self.command(instruction, at, end)
            elif instruction.kind.value.upper() != "NONE" or at < end:
                self.refuse(instruction, "`NONE` or `CMD` and a command are expected")
        else:
            instruction.args = [line.node(at, end)]
        if name in ("RUN", "COPY", "ADD") and instruction.form != EXEC and line.text.find("<<", at, end) >= 0:
            self.heredocs(instruction, at, end)

    def command(self, instruction: Instruction, at: int, end: int) -> None:
        if not self.strings(instruction, at, end):
            instruction.form = SHELL
            instruction.at = at
            instruction.args = [instruction.line.node(at, end)]

    def strings(self, instruction: Instruction, at: int, end: int) -> bool:
        """Reads the exec form; False when this is no JSON array of strings: it is shell form then."""
        line = instruction.line
        text = line.text
        if text[at] != "[":
            return False
        found: list[Node] = []
        begin = _skip(text, at + 1)
        if text.startswith("]", begin) and begin + 1 == end:
            instruction.form = EXEC
            return True
        at += 1
        while True:
            match = _ITEM.match(text, at, end)
            if match is None:
                return False
            value = match[1][1:-1]
            if "\\" in value:
                from json import JSONDecodeError, loads

                try:
                    value = str(loads(match[1]))
                except JSONDecodeError:
                    return False
            found.append(line.node(*match.span(1), value=value, style='"'))
            at = match.end()
            if match[2] == "]":
                break
        if at != end:
            return False
        instruction.form = EXEC
        instruction.args = found
        return True

    def read_pairs(self, instruction: Instruction, at: int, end: int) -> None:
        line, text = instruction.line, instruction.line.text
        words = [match.span() for match in _QUOTED[self.file.escape].finditer(text, at, end)]
        first, last = words[0] if words else (at, end)
        if instruction.name != "ARG" and text.find("=", first, last) < 0:
            instruction.form = "legacy"
            word = _WORD.match(text, at, end)
            assert word is not None
            value = _skip(text, word.end())
            if value >= end:
                self.refuse(instruction, "a name and a value are expected")
                return
            instruction.pairs = [(line.node(*word.span()), line.node(value, end))]
            return
        for first, last in words:
            cut = text.find("=", first, last)
            if cut >= 0:
                instruction.pairs.append((line.node(first, cut), line.node(cut + 1, last)))
            elif instruction.name == "ARG":
                instruction.pairs.append((line.node(first, last), ABSENT))
            else:
                self.refuse(instruction, "every word has to be of the form name=value")
                return

    def heredocs(self, instruction: Instruction, at: int, end: int) -> None:
        """Finds the `<<WORD`s of a line and reads their bodies from the lines that follow."""
        line, text = instruction.line, self.text
        for word in _SHELL_WORD.finditer(line.text, at, end):
            match = _HEREDOC.fullmatch(word[0])
            if match is None:
                continue
            name = re.sub(r"[\"'\\]", "", match[3])
            if not name:
                continue
            heredoc = Heredoc(line.node(*word.span()), name, name == match[3], match[2] == "-")
            instruction.heredocs.append(heredoc)
        for heredoc in instruction.heredocs:
            begin = self.at
            stop = -1
            while self.at < len(text):
                start, finish = self.physical()
                if heredoc.strip:
                    while start < finish and text[start] == "\t":
                        start += 1
                if finish - start == len(heredoc.name) and text.startswith(heredoc.name, start):
                    stop = text.rfind("\n", begin, start) + 1 if start > begin else begin
                    stop = max(stop, begin)
                    break
            unclosed = stop < 0
            if unclosed:
                stop = len(text)
                mark = heredoc.mark
                self.problem("unterminated-heredoc", "the heredoc is never closed", mark.start, mark.end, fatal=True)
            heredoc.body = Node(SCALAR, text[begin:stop], self.source, begin, stop, "<<")
            if unclosed:
                return


def _skip(text: str, at: int) -> int:
    """The next place that is no blank."""
    size = len(text)
    while at < size and text[at].isspace():
        at += 1
    return at


def _names_stage(args: list[Node]) -> bool:
    return len(args) == 1 or args[1].value.upper() == "AS"
