"""Turns JavaScript or TypeScript text into a tree-sitter tree whose places are code points."""

from __future__ import annotations

from bisect import bisect_right

from elo_gate.model import Problem
from elo_gate.syntax import treesitter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node as Branch
    from tree_sitter import Parser

    from elo_gate.model import Source

_parsers: dict[str, Parser] = {}


class Tree:
    """A parsed file: `root` is tree-sitter's program node, None when the text is not valid (`problems` says where).

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
        self.problems: list[Problem] = []
        self.root: Branch | None = None
        typescript = source.path.endswith((".ts", ".mts", ".cts"))
        tree = treesitter.parse(_parser("typescript" if typescript else "tsx"), data)
        if typescript and (tree is None or tree.root_node.has_error):
            other = treesitter.parse(_parser("tsx"), data)
            if other is not None and not other.root_node.has_error:
                tree = other
                words = "JSX in a .ts file: the compiler reads it only in a .tsx file."
                self.problems.append(Problem("jsx", words, *self._span(_first_jsx(tree.root_node))))
        self._keep = tree
        if tree is None:
            self.problems.append(Problem("syntax", "The text is not valid.", 0, min(1, len(text)), fatal=True))
        elif tree.root_node.has_error:
            broken = _first_error(tree.root_node)
            self.problems.append(Problem("syntax", "The text is not valid here.", *self._span(broken), fatal=True))
        else:
            self.root = tree.root_node

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
        _parsers[name] = treesitter.parser("tree_sitter_typescript", f"language_{name}")
    return _parsers[name]


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
