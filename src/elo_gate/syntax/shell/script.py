"""The nouns of a shell script: words made of pieces, commands made of words, and what a word's value is known to be.

Places are code points of the source's text, end exclusive, quotes included.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from elo_gate.model import Problem, Source

# Kinds of pieces.
TEXT = "text"
VARIABLE = "variable"
COMMAND = "command"  # $(...) or backticks
OTHER = "other"  # arithmetic, process substitution, an array

ERREXIT, NOUNSET, PIPEFAIL = "errexit", "nounset", "pipefail"
SOURCED = "sourced"  # another file was read in: it may have set anything


class Piece:
    """A part of a word. `text`: the text without quotes, the variable's name, the substitution as written.

    `operator` of a variable: what stands behind its name in braces (`:?`, `:-`, `%`, `#`, "" for none), `argument` the
    words of a default as pieces. `quoted`: inside quotes, so that it is not split.
    """

    __slots__ = ("argument", "end", "kind", "operator", "quoted", "start", "text")

    def __init__(self, kind: str, text: str, start: int, end: int, quoted: bool) -> None:
        self.kind = kind
        self.text = text
        self.start = start
        self.end = end
        self.quoted = quoted
        self.operator = ""
        self.argument: list[Piece] = []


class Word:
    """One word: its pieces and its place. `text` is what it says without quotes, expansions as written."""

    __slots__ = ("end", "pieces", "start", "text")

    def __init__(self, pieces: list[Piece], start: int, end: int, text: str) -> None:
        self.pieces = pieces
        self.start = start
        self.end = end
        self.text = text

    @property
    def known(self) -> bool:
        """Whether it is the same whatever the variables hold."""
        return all(piece.kind is TEXT for piece in self.pieces)

    @property
    def quoted(self) -> bool:
        """Whether it is one quoted text, from its first character to its last."""
        return bool(self.pieces) and all(piece.quoted for piece in self.pieces)


class Redirect:
    """`operator` target: `>`, `>>`, `<`, `2>`, `&>`, `<<<`; `descriptor` is the number in front, "" for none."""

    __slots__ = ("descriptor", "operator", "target")

    def __init__(self, operator: str, descriptor: str, target: Word) -> None:
        self.operator = operator
        self.descriptor = descriptor
        self.target = target


class Heredoc:
    """The text between `<<EOF` and `EOF`: its place. `literal`: the delimiter was quoted, nothing is expanded."""

    __slots__ = ("end", "literal", "start")

    def __init__(self, start: int, end: int, literal: bool) -> None:
        self.start = start
        self.end = end
        self.literal = literal


class Assignment:
    """`name=value`. It holds up to `until`, the end of the branch, loop or function it stands in; behind that it may.

    `value` is None where the shell fills it in (`read X`, `for X in`, `X=(...)`, `X+=...`). `prefix`: for one command.
    """

    __slots__ = ("end", "name", "prefix", "start", "until", "value")

    def __init__(self, name: str, value: Word | None, start: int, end: int, until: int, prefix: bool = False) -> None:
        self.name = name
        self.value = value
        self.start = start
        self.end = end
        self.until = until
        self.prefix = prefix


class Command:
    """One simple command.

    `words`: the program first. `options`: what `set` has in force (ERREXIT, NOUNSET, PIPEFAIL, SOURCED).
    `tested`: "if", "while", "!", "&&" or "||" when the shell looks at its status there, so that `set -e` does not;
    `otherwise`: the commands that run when it fails (behind `||`). `needs`: "&&" or "||" in front of it.
    `before`, `after`: the commands of its pipeline in front of and behind it. `function`: the one it stands in.
    `branch`: it runs only sometimes (in a branch, a loop). `trapped`: it stands in a trap. `background`: ended by `&`.
    `within`: in a substitution `$(...)`, whose status is mostly not looked at.
    """

    __slots__ = (
        "after", "assignments", "background", "before", "branch", "end", "function", "heredocs", "needs", "options",
        "otherwise", "redirects", "start", "tested", "trapped", "within", "words",
    )  # fmt: skip

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end
        self.words: list[Word] = []
        self.assignments: list[Assignment] = []
        self.redirects: list[Redirect] = []
        self.heredocs: list[Heredoc] = []
        self.options: frozenset[str] = frozenset()
        self.tested = ""
        self.otherwise: list[Command] = []
        self.needs = ""
        self.before: list[Command] = []
        self.after: list[Command] = []
        self.function = ""
        self.branch = False
        self.trapped = False
        self.background = False
        self.within = False

    @property
    def name(self) -> str:
        """The text of its first word."""
        return self.words[0].text if self.words else ""


class Segment:
    """A stretch of a value: `text`, None for a hole, and where it is written (in an assignment, for a variable)."""

    __slots__ = ("end", "shape", "start", "text")

    def __init__(self, text: str | None, start: int, end: int, shape: str = "") -> None:
        self.text = text
        self.start = start
        self.end = end
        self.shape = shape  # of a hole: the variable or the substitution, as written


class Value:
    """What a word is when the script runs: segments in order. `text` has a `*` for each hole."""

    __slots__ = ("segments",)

    def __init__(self, segments: list[Segment]) -> None:
        self.segments = segments

    @property
    def known(self) -> bool:
        return all(segment.text is not None for segment in self.segments)

    @property
    def text(self) -> str:
        return "".join("*" if segment.text is None else segment.text for segment in self.segments)


class Script:
    """A script, or a piece of one that another program runs (`ssh host '...'`).

    `shebang`: (start, end) of its first line when that begins with `#!`. `functions`: name -> (start, end).
    `outer`: the script whose variables were put in before this one ran.
    """

    __slots__ = ("assignments", "commands", "end", "functions", "outer", "problems", "shebang", "source", "start")

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.commands: list[Command] = []
        self.assignments: dict[str, list[Assignment]] = {}
        self.functions: dict[str, tuple[int, int]] = {}
        self.shebang: tuple[int, int] | None = None
        self.problems: list[Problem] = []
        self.outer: Script | None = None

    def assigned(self, name: str, at: int) -> Assignment | None:
        """The assignment that holds at a place, None when several may, or none is known."""
        every = [each for each in self.assignments.get(name, ()) if not each.prefix]
        if not every:
            return self.outer.assigned(name, at) if self.outer is not None else None
        earlier = [each for each in every if each.start < at]
        if earlier and at <= earlier[-1].until:
            return earlier[-1]
        if not earlier and len(every) == 1 and every[0].until >= self.end:
            return every[0]  # a function that stands in front of what it uses
        return None

    def value(self, word: Word) -> Value:
        """What a word is, as far as the script says it."""
        segments: list[Segment] = []
        self._put(word.pieces, word.start, segments, 0)
        return Value(segments)

    def _put(self, pieces: list[Piece], at: int, into: list[Segment], depth: int) -> None:
        for piece in pieces:
            if piece.kind is TEXT:
                into.append(Segment(piece.text, piece.start, piece.end))
            elif piece.kind is VARIABLE and depth < 12 and len(into) < 200:
                self._variable(piece, at, into, depth)
            else:
                into.append(Segment(None, piece.start, piece.end, self.source.text[piece.start : piece.end]))

    def _variable(self, piece: Piece, at: int, into: list[Segment], depth: int) -> None:
        found = self.assigned(piece.text, at)
        if found is not None and found.value is not None and piece.operator in ("", ":?", "?", ":-", "-", ":=", "="):
            self._put(found.value.pieces, found.start, into, depth + 1)
        elif piece.operator in (":-", "-", ":=", "=") and piece.text not in self.assignments and piece.argument:
            self._put(piece.argument, at, into, depth + 1)
        else:
            into.append(Segment(None, piece.start, piece.end, self.source.text[piece.start : piece.end]))
