"""Turns a YAML parser's events into nodes, without recursion and under limits, one bad document at a time."""

from __future__ import annotations

import re

from elo_gate.model import MAP, SCALAR, SEQ, Node, Problem, Source
from elo_gate.syntax.yaml import library
from elo_gate.syntax.yaml.nodes import fill, pull, trim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from elo_gate.syntax.yaml.library import Event

DEPTH = 200
NODES = 500_000  # a file's values, each alias counted with all it stands for
ALIASES = 10_000

_DOCUMENT = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)
_EMPTY = re.compile(r"(?:[ \t\r\n]|[#%][^\n]*+|\.\.\.[ \t]*+(?=\r?\n|\Z))*+\Z")
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Unreadable(Exception):
    """A document that cannot be read, and why."""

    def __init__(self, code: str, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.problem = Problem(code, message, start, end, fatal=True)


def read(source: Source, problems: list[Problem]) -> list[Node]:
    """The documents of a text; what is wrong is added to the problems."""
    try:
        return _Text(source, 0, len(source.text)).documents()
    except Unreadable as error:
        problems.clear()
        return _read_apart(source, problems, error.problem)


def _read_apart(source: Source, problems: list[Problem], first: Problem) -> list[Node]:
    """The documents read one by one, so that a bad one does not silence the others."""
    text = source.text
    cuts = [0]
    for match in _DOCUMENT.finditer(text):
        if _EMPTY.match(text, cuts[-1], match.start()) is None:  # directives belong to what follows
            cuts.append(match.start())
    if len(cuts) == 1:
        problems.append(first)
        return []
    documents: list[Node] = []
    bad: list[Problem] = []
    good = 0
    for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True):
        mark = len(problems)
        try:
            found = _Text(source, start, end).documents()
        except Unreadable as error:
            del problems[mark:]
            bad.append(error.problem)
            problems.append(error.problem)
        else:
            documents += found
            good += bool(found)
    if not bad:  # each is fine alone, so it is the whole that is too much
        problems.append(first)
        return []
    for problem in bad:
        problem.fatal = problem.code != "syntax" or not good
    return documents


class _Frame:
    """A collection whose end is still to come."""

    __slots__ = ("anchor", "end", "height", "key", "node", "size")

    def __init__(self, node: Node, anchor: str | None, end: int) -> None:
        self.node = node
        self.anchor = anchor
        self.end = end  # of its last value
        self.key: Node | None = None  # whose value comes next
        self.size = 1  # values in it, aliases counted in full
        self.height = 0  # levels below it


class _Text:
    """A part of a source, read from the parser's events."""

    __slots__ = ("aliases", "next", "nodes", "shift", "source", "text")

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        text = source.text[start:end]
        self.text = text.lstrip("\ufeff")  # the parser would skip it without counting it
        self.shift = start + len(text) - len(self.text)
        self.nodes = 0
        self.aliases = 0

    def documents(self) -> list[Node]:
        """The nodes of all documents. Raises Unreadable."""
        documents = []
        library.bind()
        try:
            self.next = library.events(self.text)
            while True:
                what = self.next()[0]
                if what == "document":
                    documents.append(self.document())
                elif what == "stream end":
                    return documents
        except Unreadable:
            raise
        except Exception as error:  # the parser's own errors, and those of encoding and memory
            raise self.unreadable(error) from None
        finally:
            library.unbind()

    def document(self) -> Node:
        """The node of one document."""
        anchors: dict[str | None, tuple[Node, int, int]] = {}
        stack: list[_Frame] = []
        while True:
            event = self.next()
            what, anchor = event[0], event[1]
            start, end = event[4] + self.shift, event[5] + self.shift
            size, height = 1, 0
            if what is SCALAR:
                node = Node(SCALAR, event[3], self.source, start, end, event[6], event[2])
                trim(node)
                end = node.end
            elif what == "alias":
                self.aliases += 1
                if anchor not in anchors:
                    raise Unreadable("syntax", "This alias names an anchor that does not exist.", start, end)
                node, size, height = anchors[anchor]
                if size == 0:
                    raise Unreadable("syntax", "This alias stands within what it names.", start, end)
                anchor = None
            elif what == "end":
                frame = stack.pop()
                node, anchor, size, height = frame.node, frame.anchor, frame.size, frame.height
                node.end = end = end if node.style or not node.value else frame.end
                if node.kind is MAP:
                    fill(node)
                trim(node)
            else:
                stack.append(self.open(event, start))
                if anchor is not None:
                    anchors[anchor] = (stack[-1].node, 0, 0)
                if len(stack) > DEPTH:
                    raise Unreadable("limit", f"Nested deeper than {DEPTH} levels.", start, start + 1)
                continue
            if anchor is not None:
                anchors[anchor] = (node, size, height)
            self.nodes += size if what == "alias" else 1
            if self.nodes > NODES or self.aliases > ALIASES:
                raise Unreadable("limit", f"More than {NODES} values or {ALIASES} aliases.", start, end)
            if not stack:
                return node
            if len(stack) + height > DEPTH:
                raise Unreadable("limit", f"Nested deeper than {DEPTH} levels.", start, end)
            self.put(stack[-1], node, end, size, height)

    def open(self, event: Event, start: int) -> _Frame:
        """The frame of a collection that begins."""
        node = Node(event[0], [], self.source, start, start, event[6], event[2])
        return _Frame(node, event[1], event[5] + self.shift)

    def put(self, frame: _Frame, node: Node, end: int, size: int, height: int) -> None:
        """Adds a complete value to its collection."""
        frame.size += size
        frame.height = max(frame.height, height + 1)
        if frame.node.kind is SEQ:
            frame.node.value.append(node)
        elif frame.key is None:
            frame.key = node
        else:
            if node.start == node.end and node.kind is SCALAR and node.start > frame.end:
                pull(frame.end, node)
                end = node.end
            frame.node.value.append((frame.key, node))
            frame.key = None
        frame.end = end

    def unreadable(self, error: Exception) -> Unreadable:
        """A parser's error with its place in the source; its words name no value."""
        text = self.source.text
        match = _UNREADABLE.search(text, self.shift, self.shift + len(self.text))
        if match:
            words = f"The character U+{ord(match.group()):04X} is not allowed in YAML."
            return Unreadable("character", words, match.start(), match.end())
        said = getattr(error, "problem", None) or "it cannot be read"
        context = getattr(error, "context", None)
        mark = getattr(error, "problem_mark", None)
        end = self.shift + len(self.text.rstrip(" \r\n"))
        if mark is not None and self.shift + mark.index >= end:  # where it was opened tells more than where all ends
            mark = getattr(error, "context_mark", None) or mark
        start = self.shift + (mark.index if mark is not None else 0)
        start = max(min(start, end - 1), self.shift)
        while start > self.shift and text[start] in "\r\n":
            start -= 1
        if "exceeded maximum" in said:  # libyaml has a limit of its own for brackets
            return Unreadable("limit", f"Nested deeper than {DEPTH} levels.", start, start + 1)
        words = f"Not valid YAML: {context + ', ' if context else ''}{said}."
        if library.is_pure():  # its words quote what they found
            words = "Not valid YAML."
        return Unreadable("syntax", words, start, min(start + 1, len(text)))
