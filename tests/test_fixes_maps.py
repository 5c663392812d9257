"""Entries added to and taken from maps of any shape: what is read afterwards is what was meant, nothing else moved."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from elo_gate.fixes.edit import Change, applied
from elo_gate.fixes.maps import add_entry, cut, remove_entry
from elo_gate.model import Finding, Node, Source
from elo_gate.syntax import json as json_syntax
from elo_gate.syntax import yaml as yaml_syntax

NAMES = st.sampled_from(["image", "ports", "restart", "build", "x-a", "command", "y"])
COMMENTS = st.sampled_from(["", "  # note", " # a: b"])
SCALARS = st.sampled_from(["web", '"a: b"', "'it''s'", "4", "", "~", "http://x/#y"])
BLANKS = st.sampled_from(["", "\n", "# above\n", "    # deeper\n"])


@st.composite
def blocks(draw: st.DrawFn, depth: int = 0) -> str:
    """A block map with comments, blank lines, lists, flow maps and block scalars."""
    indent = "  " * depth
    lines = []
    for name in draw(st.lists(NAMES, min_size=1, max_size=5, unique=True)):
        lines.append(draw(BLANKS))
        kind = draw(st.sampled_from(["scalar", "scalar", "list", "flow", "text", "map" if depth < 2 else "scalar"]))
        note = draw(COMMENTS)
        if kind == "scalar":
            value = draw(SCALARS)
            lines.append(f"{indent}{name}:{' ' if value else ''}{value}{note}\n")
        elif kind == "flow":
            lines.append(f"{indent}{name}: {{a: 1, b: [x, 'y']}}{note}\n")
        elif kind == "list":
            lines.append(f"{indent}{name}:{note}\n{indent}- one{note}\n{indent}- two\n")
        elif kind == "text":
            lines.append(f"{indent}{name}: |\n{indent}  # no comment\n{indent}  text\n")
        else:
            lines.append(f"{indent}{name}:{note}\n{draw(blocks(depth + 1))}")
    return "".join(lines)


def plain(node: Node) -> Any:
    """A tree as plain values."""
    if node.kind == "map":
        return [(key.value, plain(value)) for key, value in node.value]
    return [plain(each) for each in node.value] if node.kind == "seq" else (node.value, node.style)


def read(text: str) -> tuple[Source, Node]:
    source = Source("x.yaml", text)
    documents, problems = yaml_syntax.parse(source)
    assert not problems
    return source, documents[0]


def written(source: Source, edits: list[Any]) -> str:
    class Rule:
        id = "x/y"

    finding = Finding(Rule, "note", "", "", [], "", source, 0, 0, [])
    return applied([Change(finding, "safe", edits)])["x.yaml"]


def notes(text: str) -> int:
    return len(re.findall(r"# (?:note|a: b|above|deeper)", text))


def shapes(text: str, windows: bool, ended: bool) -> str:
    text = text if ended else text.rstrip("\n")
    return text.replace("\n", "\r\n") if windows else text


@given(blocks(), st.booleans(), st.booleans())
def test_an_entry_more(text: str, windows: bool, ended: bool) -> None:
    text = shapes(text, windows, ended)
    source, root = read(text)
    edits = add_entry(root, "added: yes", ("image",))
    assert len(edits) == 1
    after = written(source, edits)
    _, found = read(after)
    assert [each for each in plain(found) if each[0] != "added"] == plain(root)
    assert found.get("added").value == "yes"
    assert notes(after) == notes(text)
    if "\r\n" in text:
        assert after.count("\n") == after.count("\r\n")
    kept = after.replace("\r", "").split("\n")
    assert [line for line in kept if line != "added: yes"] == text.replace("\r", "").split("\n")


@given(blocks(), st.integers(0, 4), st.booleans(), st.booleans())
def test_an_entry_less(text: str, which: int, windows: bool, ended: bool) -> None:
    text = shapes(text, windows, ended)
    source, root = read(text)
    assume(which < len(root.value) and len(root.value) > 1)
    key, value = root.value[which]
    edits = remove_entry(root, key.value)
    if not edits:
        # A comment within what would go, or one below that would fall into the text above.
        end = max(key.end, value.end)
        assert "#" in text[key.start : end] or re.match(r"[^\n]*(\r?\n[ \t]*)*[ \t]#", text[end:])
        return
    after = written(source, edits)
    _, found = read(after)
    assert plain(found) == [each for number, each in enumerate(plain(root)) if number != which]
    assert notes(after) == notes(text)


VALUES = st.recursive(
    st.sampled_from(["1", '"a, b"', '"}"', "null"]),
    lambda inner: st.lists(inner, max_size=3).map(lambda each: "[" + ", ".join(each) + "]"),
    max_leaves=4,
)


@given(st.lists(VALUES, min_size=1, max_size=5), st.integers(0, 4), st.sampled_from([", ", ",\n  ", "\n  , "]))
def test_an_element_less(values: list[str], which: int, comma: str) -> None:
    assume(which < len(values))
    source = Source("x.yaml", "[\n  " + comma.join(values) + "\n]\n")
    root, problems = json_syntax.parse(source)
    assert not problems
    node = root.value[which]
    after = written(source, cut(source, node.start, node.end))
    found, wrong = json_syntax.parse(Source("x.yaml", after))
    assert not wrong
    assert plain(found) == [each for number, each in enumerate(plain(root)) if number != which]
