"""Turns YAML text into nodes with spans: every scalar stays the text it is, consumers type it.

The reader is libyaml through PyYAML's `CParser`. Two ways lead through it and give the same tree:
its own `compose`, which builds our nodes directly (small files, the rule), and its events, composed
here without recursion and under limits (large, deep or aliased files, and whatever went wrong).
"""

from __future__ import annotations

import re

from elo_gate.model import MAP, SCALAR, SEQ, Node, Problem, Source, walk
from elo_gate.syntax.yaml import library, nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

DEPTH = 200  # nested collections
SAFE = 1_000  # nesting that the C composer's recursion surely bears

_DEEP = " " * (DEPTH // 4 - 4)
_ALIAS = re.compile(r"(?:^|[\s\[{,:])\*[^\s*]")


def parse(source: Source) -> tuple[list[Node], list[Problem]]:
    """The documents of a YAML text, those that hold nothing left out, and what is wrong with it.

    Problems: "duplicate-key", "merge" (a merge key without a map), "syntax", "limit", "character".
    A document that does not parse is left out; its problem is fatal unless another one could be read.
    """
    problems = nodes.begin(source)
    try:
        documents = _read(source, problems)
    finally:
        nodes.finish()
    return [node for node in documents if node.start < node.end or node.kind is not SCALAR], problems


def _read(source: Source, problems: list[Problem]) -> list[Node]:
    """All documents: by the C composer where that is safe, else by events."""
    text = source.text
    aliased = "&" in text and "*" in text and _ALIAS.search(text)
    if len(text) <= nodes.SMALL and not aliased and text[:1] != "\ufeff":
        # An upper bound of the depth: collections on one line need an indicator each; on several lines
        # an indentation each, which a map shares with a list in it.
        count = text.count
        nesting = count("- ") + count("? ") + 2 * (count("[") + count("{") + count(" : "))
        if nesting <= SAFE:
            try:
                documents = library.compose(text)
            except Exception:  # whatever it was, the composer below finds it too and says where
                problems.clear()
            else:
                if (nesting < DEPTH // 2 and _DEEP not in text) or _shallow(documents):
                    return documents
                problems.clear()
    from elo_gate.syntax.yaml import composer

    return composer.read(source, problems)


def _shallow(documents: list[Node]) -> bool:
    """True when no document nests deeper than the limit."""
    level = documents
    for _ in range(DEPTH + 1):
        below: list[Node] = []
        for node in level:
            if node.kind is SEQ:
                below += node.value
            elif node.kind is MAP:
                for pair in node.value:
                    below += pair
        if not below:
            return True
        level = below
    return False


def comments(source: Source, documents: Iterable[Node]) -> list[tuple[int, int]]:
    """The spans of all comments, `#` to the end of the line, in order; a `#` within a scalar is none."""
    text = source.text
    if "#" not in text:
        return []
    scalars = []
    for document in documents:
        for node in walk(document):
            if node.kind is SCALAR and node.start < node.end:
                start = node.start
                if node.style in ("|", ">"):  # its first line may end in a comment
                    start = text.find("\n", start, node.end)
                    if start < 0:
                        continue
                scalars.append((start, node.end))
    scalars.sort()
    scalars.append((len(text), len(text)))
    found = []
    at = 0
    for start, end in scalars:
        while True:
            mark = text.find("#", at, start)
            if mark < 0:
                break
            at = mark + 1
            if mark == 0 or text[mark - 1] in " \t\r\n":
                at = text.find("\n", mark)
                if at < 0:
                    at = len(text)
                found.append((mark, mark + len(text[mark:at].rstrip())))
        at = max(at, end)
    return found
