"""Turns bytes into a tree-sitter tree, with a bound on the work and without the packages' unused imports."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tree_sitter import Parser, Tree

CHUNK = 65_536
BRACES = 20_000  # more than a configuration has


def parser(package: str, language: str = "language") -> Parser:
    """A parser for a grammar's package (`tree_sitter_typescript`) and its function (`language_tsx`)."""
    tree_sitter, grammar = _load("tree_sitter"), _load(package)
    made: Parser = tree_sitter.Parser(tree_sitter.Language(getattr(grammar, language)()))
    return made


def parse(with_parser: Parser, data: bytes) -> Tree | None:
    """The tree, or None when the parser does not come to an end.

    Its error recovery can go round for ever, with 16 bytes: `([{'',e/'')p((a ` (tree-sitter 0.26.1, grammar
    typescript 0.23.2). The callback counts steps: sound text takes one for about 100 bytes, and no more on a
    slow machine. And it overflows the C stack on 100,000 nested `{a:` (the same versions): too many braces are
    not read.
    """
    if data.count(b"{") > BRACES:
        return None
    left = 1_000 + len(data) // 16

    def enough(offset: int, error: bool) -> bool:
        nonlocal left
        left -= 1
        return left < 0

    def read(offset: int, point: object) -> bytes:
        return data[offset : offset + CHUNK]

    try:
        return with_parser.parse(read, progress_callback=enough)
    except ValueError:
        with_parser.reset()
        return None


def _load(name: str) -> Any:
    """A package, without what it imports for features unused here (half of its start-up time).

    tree_sitter takes `Protocol` from typing for one annotation; grammars take `files` from importlib.resources
    for their highlighting queries.
    """
    if name in sys.modules:
        return sys.modules[name]
    stand_ins: dict[str, dict[str, Any]] = {"typing": {"Protocol": object}, "importlib.resources": {"files": _files}}
    absent = [each for each in stand_ins if each not in sys.modules]
    for each in absent:
        module = type(sys)(each)
        module.__dict__.update(stand_ins[each])
        sys.modules[each] = module
    try:
        __import__(name)
    except ImportError:
        for each in absent:
            del sys.modules[each]
        absent = []
        __import__(name)
    finally:
        for each in absent:
            del sys.modules[each]
    return sys.modules[name]


def _files(package: str) -> Any:
    from importlib.resources import files

    return files(package)
