"""TOML text to nodes: tomllib's values on every text, spans, and reading on past duplicates."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elo_gate.model import ABSENT, MAP, SEQ, Node, Source, walk
from elo_gate.syntax import toml


def plain(node: Node) -> Any:
    if node.kind == MAP:
        return {name: plain(value) for name, (_, value) in (node.index or {}).items()}
    if node.kind == SEQ:
        return [plain(item) for item in node.value]
    return node.value if node.style else tomllib.loads("x=" + node.value)["x"]


def read(text: str) -> Node:
    root, problems = toml.parse(Source("x.toml", text))
    assert problems == []
    return root


def agrees_with_tomllib(text: str) -> None:
    source = Source("x.toml", text)
    root, problems = toml.parse(source)
    for problem in problems:
        assert 0 <= problem.start <= problem.end <= len(text)
    for node in walk(root):
        assert node is ABSENT or (node.source is source and 0 <= node.start <= node.end <= len(text))
    newer = [problem for problem in problems if problem.code == "toml-1.1"]
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assert problems
        return
    if not newer:
        assert problems == []
        assert repr(plain(root)) == repr(value) or plain(root) == value


PIECES = st.sampled_from([
    "a", "b", "c", " ", ".", "=", "[", "]", "[[", "]]", "{", "}", ",", "\n", "\r\n", "\r", "1", "0", "_", "-", "+", "'", '"',
    "'''", '"""', "\\", "#", "1979-05-27", "2023-02-29", "T", "07:32:00", ".5", "Z", "+01:00", "true", "inf", "nan", "e5",
    "0x", "0b1", "\\u0041", "\\ud800", "é", "\x00", "\t", "a=1\n", "[a]\n", "[[a]]\n", "a.b=1\n", "a={b=1}\n", "[a.b]\n",
])  # fmt: skip
KEYS = ("a", "b", "a.b", "a.c", "b.a", "a.b.c", '"a".b')
LINES = st.sampled_from(
    [f"{key} = {value}" for key in KEYS for value in ("1", "{}", "[]", "{b=1}", "[{b=1}]", "{b.c=1}", "[[1], [{a=2}]]")]
    + [f"[{key}]" for key in KEYS]
    + [f"[[{key}]]" for key in KEYS]
)


@settings(max_examples=600, deadline=None)
@given(st.one_of(st.lists(PIECES, max_size=16).map("".join), st.text(max_size=30)))
def test_any_text_is_read_as_tomllib_does(text: str) -> None:
    agrees_with_tomllib(text)


@settings(max_examples=600, deadline=None)
@given(st.lists(LINES, max_size=8).map("\n".join))
def test_tables_and_keys_are_combined_as_tomllib_does(text: str) -> None:
    agrees_with_tomllib(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=6).map("\n".join), st.integers(1, 4))
def test_blank_lines_before_only_shift(text: str, lines: int) -> None:
    one, problems = toml.parse(Source("x.toml", text))
    two, moved = toml.parse(Source("x.toml", "\n" * lines + text))
    spans = [(node.start, node.end) for node in walk(one) if node is not one]
    assert spans == [(node.start - lines, node.end - lines) for node in walk(two) if node is not two]
    assert [(p.code, p.start) for p in problems] == [(p.code, p.start - lines) for p in moved]


FILE = """\
# railway
[build]
builder = "DOCKERFILE"  # how
watchPatterns = [
  "src/**",  # sources
  '*.#x',
]

[deploy]
numReplicas = 1_000
healthcheck."path x" = '/api'
limits = { cpu = 0.5, mem = [1, 2] }
when = 1979-05-27 07:32:00Z
note = \"\"\"
two \\
    lines\"\"\"

[[deploy.regions]]
name = "eu"
[[deploy.regions]]
name = "us"
[deploy.regions.extra]
x = true
"""


def test_a_file() -> None:
    root = read(FILE)
    assert plain(root) == tomllib.loads(FILE)


def test_spans_are_the_tokens() -> None:
    root = read(FILE)

    def token(*path: str | int) -> str:
        node = root.get(*path)
        return FILE[node.start : node.end]

    assert token("build", "builder") == '"DOCKERFILE"'
    assert token("deploy", "numReplicas") == "1_000"
    assert token("deploy", "limits") == "{ cpu = 0.5, mem = [1, 2] }"
    assert token("deploy", "limits", "mem", 1) == "2"
    assert token("deploy", "when") == "1979-05-27 07:32:00Z"
    assert token("deploy", "note").startswith('"""') and token("deploy", "note").endswith('lines"""')
    assert token("build") == FILE[FILE.index("[build]") : FILE.index("]\n\n[deploy]") + 1]
    assert token("deploy", "regions", 0) == '[[deploy.regions]]\nname = "eu"'
    key = root.key("deploy")
    assert (FILE[key.start : key.end], root.get("build", "watchPatterns").kind) == ("deploy", SEQ)
    assert FILE[root.get("deploy").key("note").start :].startswith("note")


def test_styles() -> None:
    root = read("a = 1\nb = '1'\nc = \"1\"\nd = '''1'''\n")
    assert [root.get(name).style for name in "abcd"] == ["", "'", '"', "'''"]


def test_comments() -> None:
    assert [FILE[start:end] for start, end in toml.comments(Source("x.toml", FILE))] == [
        "# railway",
        "# how",
        "# sources",
    ]


@pytest.mark.parametrize(
    ("text", "problems", "value"),
    [
        ("[a]\nx = 1\n[b]\n[a]\ny = 2", [("duplicate-table", "[a]")], {"a": {"x": 1, "y": 2}, "b": {}}),
        ("[a]\nx = 1\n[a]\nx = 2", [("duplicate-table", "[a]"), ("duplicate-key", "x")], {"a": {"x": 2}}),
        ("a = 1\na = 2", [("duplicate-key", "a")], {"a": 2}),
        ("a.b = 1\na.b = 2", [("duplicate-key", "a.b")], {"a": {"b": 2}}),
        ("a = {b = 1}\n[a]\nc = 2", [("duplicate-table", "[a]")], {"a": {"b": 1, "c": 2}}),
        ("a = {b = 1}\na.c = 2", [("duplicate-table", "a.c")], {"a": {"b": 1, "c": 2}}),
        ("a = 1\n[a]\nb = 2", [("duplicate-key", "[a]")], {"a": {"b": 2}}),
        ("[a]\nx = 1\n[[a]]\ny = 2", [("duplicate-table", "[[a]]")], {"a": [{"y": 2}]}),
        ("[[a]]\nx = 1\n[a]\ny = 2", [("duplicate-table", "[a]")], {"a": [{"x": 1, "y": 2}]}),
        ("a = {b = 1,\n c = 2}", [("toml-1.1", "\n")], {"a": {"b": 1, "c": 2}}),
        ("a = {b = 1,}", [("toml-1.1", ",")], {"a": {"b": 1}}),
    ],
)
def test_duplicates_are_read_over(text: str, problems: list[tuple[str, str]], value: Any) -> None:
    root, found = toml.parse(Source("x.toml", text))
    assert [(p.code, text[p.start : p.end]) for p in found] == problems
    assert not any(p.fatal for p in found)
    assert plain(root) == value


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = 'b", "'"),
        ('a = "b\nc"', '"'),
        ('a = """b', '"'),
        ("a = [1, 2", "["),
        ("a = {b = 1", "{"),
        ("a = ", "="),
        ("a", "a"),
        ("a = yes", "yes"),
        ("a = 1 b = 2", "b"),
        ("[a", "a"),
        ("[a] b = 1", "b"),
        ("= 1", "="),
        ("a = 2023-02-29", "2023-02-29"),
        ('a = "\\q"', "\\q"),
        ('a = "\x07"', "\x07"),
    ],
)
def test_other_errors_are_fatal(text: str, place: str) -> None:
    root, problems = toml.parse(Source("x.toml", text))
    assert root is ABSENT
    assert [(p.code, text[p.start : p.end], p.fatal) for p in problems] == [("syntax", place, True)]


@pytest.mark.parametrize("text", ["a=" + "[" * 300, "a=" + "{b=" * 300, "[" + "a." * 300 + "a]", "a." * 300 + "a=1"])
def test_the_depth_limit(text: str) -> None:
    assert [(p.code, p.fatal) for p in toml.parse(Source("x.toml", text))[1]] == [("limit", True)]


def test_depth_within_the_limit_is_read() -> None:
    read("a=" + "[" * 150 + "]" * 150)
