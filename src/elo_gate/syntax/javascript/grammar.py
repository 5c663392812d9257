"""Turns JavaScript or TypeScript text into a tree-sitter tree whose places are code points."""

from __future__ import annotations

import sys
from bisect import bisect_right

from elo_gate.model import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Node as Branch
    from tree_sitter import Parser

    from elo_gate.model import Source

_parsers: dict[str, Parser] = {}


class Tree:
    """A parsed file: `root` is tree-sitter's program node, `problems` what was not right in the text.

    tree-sitter counts bytes of UTF-8; `start`, `end` and `text` count code points of `source.text`.
    """

    __slots__ = ("source", "root", "problems", "_ends", "_extra", "_keep")

    def __init__(self, source: Source) -> None:
        text = source.text
        self.source = source
        # Byte offsets behind each character that takes more than one byte, and how many bytes too many so far.
        self._ends: list[int] = []
        self._extra: list[int] = [0]
        if text.isascii():
            data = text.encode()
        else:
            data = text.encode("utf-8", "surrogatepass")
            extra = 0
            for index, character in enumerate(text):
                if character > "\x7f":
                    width = 2 if character < "\u0800" else 3 if character < "\U00010000" else 4
                    self._ends.append(index + extra + width)
                    extra += width - 1
                    self._extra.append(extra)
        typescript = source.path.endswith((".ts", ".mts", ".cts"))
        tree = _parser("typescript" if typescript else "tsx").parse(data)
        self.problems: list[Problem] = []
        if tree.root_node.has_error and typescript:
            other = _parser("tsx").parse(data)
            if not other.root_node.has_error:
                tree = other
                words = "JSX in a .ts file: the compiler reads it only in a .tsx file."
                self.problems.append(Problem("jsx", words, *self._span(_first_jsx(tree.root_node))))
        self._keep = tree
        self.root = tree.root_node
        if self.root.has_error:
            broken = _first_error(self.root)
            self.problems.append(Problem("syntax", "The text is not valid here.", *self._span(broken), fatal=True))

    def _span(self, node: Branch) -> tuple[int, int]:
        return self.start(node), self.end(node)

    def start(self, node: Branch) -> int:
        at = node.start_byte
        return at - self._extra[bisect_right(self._ends, at)] if self._ends else at

    def end(self, node: Branch) -> int:
        at = node.end_byte
        return at - self._extra[bisect_right(self._ends, at)] if self._ends else at

    def text(self, node: Branch) -> str:
        return self.source.text[self.start(node) : self.end(node)]


def _parser(name: str) -> Parser:
    """The parser of the "typescript" or the "tsx" grammar, which also reads JavaScript."""
    if name not in _parsers:
        tree_sitter, grammars = _load()
        pointer = grammars.language_tsx() if name == "tsx" else grammars.language_typescript()
        _parsers[name] = tree_sitter.Parser(tree_sitter.Language(pointer))
    return _parsers[name]


def _load() -> tuple[Any, Any]:
    """The two packages, without what they import for features unused here (half of their start-up time).

    tree_sitter takes `Protocol` from typing for one annotation, tree_sitter_typescript takes `files` from
    importlib.resources for its highlighting queries.
    """
    stand_ins: dict[str, dict[str, Any]] = {"typing": {"Protocol": object}, "importlib.resources": {"files": _files}}
    absent = [name for name in stand_ins if name not in sys.modules]
    for name in absent:
        module = type(sys)(name)
        module.__dict__.update(stand_ins[name])
        sys.modules[name] = module
    try:
        import tree_sitter
        import tree_sitter_typescript
    except ImportError:
        for name in absent:
            del sys.modules[name]
        absent = []
        import tree_sitter
        import tree_sitter_typescript
    finally:
        for name in absent:
            del sys.modules[name]
    return tree_sitter, tree_sitter_typescript


def _files(package: str) -> Any:
    from importlib.resources import files

    return files(package)


def _first_error(root: Branch) -> Branch:
    """The first node that the parser put in or skipped to go on."""
    node = root
    while True:
        child = next((c for c in node.children if c.has_error or c.is_missing), None)
        if child is None or node.is_error:
            return node
        node = child


def _first_jsx(root: Branch) -> Branch:
    """The first JSX element's opening tag, the root when there is none."""
    cursor = root.walk()
    while True:
        node = cursor.node
        if node is not None and node.type in ("jsx_opening_element", "jsx_self_closing_element"):
            return node
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return root
