"""Turns a source, or a stretch of one, into a `Script`, within bounds."""

from __future__ import annotations

from elo_gate.model import Problem
from elo_gate.syntax import treesitter

from .reader import DEPTH, Deep, Reader
from .script import Script
from .sound import is_sound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node as Branch
    from tree_sitter import Parser

    from elo_gate.model import Source

# The grammar takes time with the square of nested brackets and of functions, where sound text has few.
LARGEST = 400_000
FUNCTIONS = 3_000
# So it does with one pipeline's parts; 50,000 overflow the C stack (tree-sitter 0.26.1, tree-sitter-bash 0.25.1).
PIPES = 1_000

_parser: Parser | None = None


def parse(source: Source, start: int = 0, end: int | None = None, outer: Script | None = None) -> Script:
    """The script that a source, or a stretch of it, holds. Never raises; `problems` say what could not be read.

    A "syntax" problem is fatal when the text is no shell's; where the text pairs up, the grammar stumbled at that
    place, and the caller decides whether what it looks for may have been lost there.
    """
    end = len(source.text) if end is None else end
    script = Script(source, start, end)
    script.outer = outer
    text = source.text[start:end]
    if text.startswith("#!"):
        line = text.find("\n")
        script.shebang = (start, start + len(text[: line if line >= 0 else None].rstrip("\r")))
    where = (start, min(start + 1, end))
    if len(text) > LARGEST or text.count("()") > FUNCTIONS or _nested(text) or _piped(text):
        script.problems.append(Problem("limit", "The script is too large or too deeply nested.", *where, fatal=True))
        return script
    reader = Reader(script, text)
    tree = treesitter.parse(_bash(), reader.data)
    if tree is None:
        script.problems.append(Problem("syntax", "The script is not valid.", *where, fatal=True))
        return script
    try:
        reader.script_of(tree.root_node)
    except (Deep, RecursionError):
        script.commands.clear()
        script.problems.append(Problem("limit", "The script is too deeply nested.", *where, fatal=True))
        return script
    if tree.root_node.has_error:
        broken = _first_error(tree.root_node)
        words = "The script is not valid here."
        fatal = not is_sound(text)
        script.problems.append(Problem("syntax", words, reader.start(broken), reader.end(broken), fatal=fatal))
    return script


def _bash() -> Parser:
    global _parser
    if _parser is None:
        _parser = treesitter.parser("tree_sitter_bash")
    return _parser


def _nested(text: str) -> bool:
    """Whether more brackets are open at once than anybody writes."""
    depth = 0
    for character in text:
        if character == "(":
            depth += 1
            if depth > DEPTH:
                return True
        elif character == ")" and depth:
            depth -= 1
    return False


def _piped(text: str) -> bool:
    """Whether one pipeline has more parts than anybody writes."""
    parts = 0
    for line in text.split("\n") if text.count("|") > PIPES else ():
        parts += line.count("|")
        if parts > PIPES:
            return True
        if not line.rstrip().endswith(("|", "\\")):
            parts = 0
    return False


def _first_error(root: Branch) -> Branch:
    """The first node that is an error or that the parser had to invent."""
    stack, found = [root], root
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            return node
        if node.has_error:
            found = node
            stack.extend(reversed(node.children))
    return found
