"""JSON text to nodes: spans, values as the standard library reads them, and what is only reported."""

from __future__ import annotations

import json as standard
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elo_gate.model import ABSENT, MAP, SCALAR, SEQ, Node, Source, walk
from elo_gate.syntax import json


def plain(node: Node) -> Any:
    if node.kind == MAP:
        return {name: plain(value) for name, (_, value) in (node.index or {}).items()}
    if node.kind == SEQ:
        return [plain(item) for item in node.value]
    return node.value if node.style else standard.loads(node.value)


def problems_of(text: str, comments: bool = False) -> list[tuple[str, str, bool]]:
    """(code, the text it stands at, fatal) of each problem."""
    return [(p.code, text[p.start : p.end], p.fatal) for p in json.parse(Source("x.json", text), comments)[1]]


PIECES = st.sampled_from([
    '"a"', '"b": ', "1", "-0.5e3", "01", "true", "nul", " ", "\n", "\r\n", "{", "}", "[", "]", ",", ":", '"', "\\", "\\u00e9",
    "\\ud83d", "\\ude00", "'", "//c\n", "/*c*/", "/", "#", "a", "é", "\x00", "\t", '{"a": [1, {}]}', "\ufeff", "\ud800",
])  # fmt: skip
TEXTS = st.one_of(st.lists(PIECES, max_size=20).map("".join), st.text(max_size=30))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)


def strict(text: str) -> Any:
    """The standard library's value without its extensions. Raises ValueError."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    return standard.loads(text, parse_constant=refuse)


@settings(max_examples=600, deadline=None)
@given(TEXTS)
def test_any_text_is_read_as_the_standard_library_does(text: str) -> None:
    source = Source("x.json", text)
    root, problems = json.parse(source)
    for problem in problems:
        assert 0 <= problem.start <= problem.end <= len(text)
    try:
        value = strict(text)
    except ValueError:
        assert problems
        return
    assert [problem.code for problem in problems if problem.code != "duplicate-key"] == []
    if not any(0xD800 <= ord(char) <= 0xDFFF for char in standard.dumps(value, ensure_ascii=False)):
        assert plain(root) == value


@settings(max_examples=200, deadline=None)
@given(JSON, st.sampled_from([None, 1, "\t"]))
def test_spans_slice_back(value: Any, indent: int | str | None) -> None:
    text = standard.dumps(value, indent=indent)
    source = Source("x.json", text)
    root, problems = json.parse(source)
    assert problems == []
    for node in walk(root):
        again, _ = json.parse(Source("x.json", text[node.start : node.end]))
        assert plain(again) == plain(node)
        assert node.source is source


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(1, 4))
def test_blank_lines_before_only_shift(text: str, lines: int) -> None:
    one, problems = json.parse(Source("x.json", text))
    two, moved = json.parse(Source("x.json", "\n" * lines + text))
    assert [(n.start, n.end) for n in walk(one) if n] == [(n.start - lines, n.end - lines) for n in walk(two) if n]
    assert [p.code for p in problems] == [p.code for p in moved]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ('{"a": 1, "a": 2}', [("duplicate-key", '"a"', False)]),
        ('{"a": 1,}', [("trailing-comma", ",", False)]),
        ("[1, 2,\n]", [("trailing-comma", ",", False)]),
        ('{"a": 1} // c', [("comment", "// c", False)]),
        ('/* c\n */ {"a": 1}', [("comment", "/* c\n */", False)]),
        ('{"a": "// no"}', []),
        ("{'a': 1}", [("syntax", "'", True)]),
        ("{a: 1}", [("syntax", "a", True)]),
        ('{"a" 1}', [("syntax", "1", True)]),
        ('{"a": 1 "b": 2}', [("syntax", '"', True)]),
        ('{"a": yes}', [("syntax", "yes", True)]),
        ('{"a": 1', [("syntax", "{", True)]),
        ('{"a": "b', [("syntax", '"', True)]),
        ('{"a": "b\n"}', [("syntax", '"', True)]),
        ('{"a": "b\tc"}', [("syntax", "\t", True)]),
        ('{"a": "b\\qc"}', [("syntax", "\\", True)]),
        ('{"a": "b\\u12"}', [("syntax", "\\", True)]),
        ("[1] 2", [("syntax", "2", True)]),
        ("[,]", [("syntax", ",", True)]),
        ("[1,,2]", [("syntax", ",", True)]),
        ("[NaN]", [("syntax", "NaN", True)]),
        ("/* c", [("syntax", "/*", True)]),
        (" \n", [("empty", " ", True)]),
        ("", [("empty", "", True)]),
    ],
)
def test_problems(text: str, problems: list[tuple[str, str, bool]]) -> None:
    assert problems_of(text) == problems


def test_comments_and_trailing_commas_where_they_are_allowed() -> None:
    text = '{ // c\n "a": [1, 2,], /* d */ }'
    root, problems = json.parse(Source("tsconfig.json", text), comments=True)
    assert (plain(root), problems) == ({"a": [1, 2]}, [])


def test_a_fatal_problem_leaves_no_tree() -> None:
    assert json.parse(Source("x.json", '{"a": }'))[0] is ABSENT


def test_reading_goes_on_past_what_is_only_reported() -> None:
    root, _ = json.parse(Source("x.json", '{"a": [1, 2,], /* c */ "b": "é", "b": null,}'))
    assert plain(root) == {"a": [1, 2], "b": None}
    assert len(root.value) == 3


def test_lone_surrogates_are_replaced() -> None:
    root, problems = json.parse(Source("x.json", r'["\ud800", "\ud83d\ude00"]'))
    assert (plain(root), problems) == (["\ufffd", "\U0001f600"], [])
    root.get(0).value.encode()


def test_the_depth_limit() -> None:
    assert json.parse(Source("x.json", "[" * 200 + "]" * 200))[1] == []
    assert [(code, fatal) for code, _, fatal in problems_of("[" * 201 + "]" * 201)] == [("limit", True)]
    assert [(code, fatal) for code, _, fatal in problems_of('{"a":' * 100_000)] == [("limit", True)]


@pytest.mark.parametrize("text", ['["a', '["\t"]', '["\\q"]', '["\\u12"]', '["\\'])
def test_the_package_json_need_not_be_imported(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The C scanner takes its error class from json.decoder, and fails otherwise when that is not imported."""
    monkeypatch.delitem(sys.modules, "json.decoder", raising=False)
    assert [(code, fatal) for code, _, fatal in problems_of(text)] == [("syntax", True)]


def test_styles() -> None:
    root, _ = json.parse(Source("x.json", '["1", 1, true, null]'))
    assert [item.style for item in root.elements()] == ['"', "", "", ""]
    assert [item.kind for item in root.elements()] == [SCALAR] * 4
    assert root.get(3).is_null()
