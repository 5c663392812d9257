"""YAML text to nodes: spans, values, merge keys, limits, and both ways through the parser alike."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
import yaml as pyyaml
from hypothesis import given, settings
from hypothesis import strategies as st

from elo_gate.model import MAP, SCALAR, SEQ, Node, Problem, Source, walk
from elo_gate.syntax import yaml
from elo_gate.syntax.yaml import composer, library, nodes

BREAK = re.compile("[\n\r\x85\u2028\u2029]")  # what libyaml takes for a line's end


def read(text: str) -> Node:
    documents, problems = yaml.parse(Source("x.yaml", text))
    assert problems == []
    assert len(documents) == 1
    return documents[0]


def problems_of(text: str) -> list[tuple[str, str, bool]]:
    """(code, the text it stands at, fatal) of each problem."""
    return [(p.code, text[p.start : p.end], p.fatal) for p in yaml.parse(Source("x.yaml", text))[1]]


def plain(node: Node) -> Any:
    if node.kind == MAP:
        return {name: plain(value) for name, (_, value) in (node.index or {}).items()}
    return [plain(item) for item in node.value] if node.kind == SEQ else node.value


def shape(documents: list[Node]) -> list[Any]:
    """Everything there is to a tree, aliases as references."""
    seen: dict[int, int] = {}
    rows = []
    for document in documents:
        for node in walk(document):
            seen[id(node)] = len(seen)
            children = []
            if node.kind == MAP:
                children = [(id(key), id(value)) for key, value in node.value]
            elif node.kind == SEQ:
                children = [id(item) for item in node.value]
            rows.append((node, children))
    return [
        (
            node.kind, node.start, node.end, node.style, node.tag, node.value if node.kind == SCALAR else None,
            [tuple(map(seen.get, child)) if isinstance(child, tuple) else seen[child] for child in children],
            {name: (seen[id(key)], seen[id(value)]) for name, (key, value) in (node.index or {}).items()},
        )
        for node, children in rows
    ]  # fmt: skip


def by_events(text: str) -> tuple[list[Node], list[Problem]]:
    source = Source("x.yaml", text)
    problems = nodes.begin(source)
    try:
        return composer.read(source, problems), problems
    finally:
        nodes.finish()


# Pieces that YAML is made of; joined at random they are valid more often than random text.
PIECES = st.sampled_from([
    "a", "b", "1", " ", "  ", "\n", "\n  ", "\n    ", ": ", "- ", "? ", "[", "]", "{", "}", ",", "#", " # c\n", "'", '"',
    "|\n", ">-\n", "&x ", "*x", "!t ", "!", "<<: ", "---\n", "...\n", "%YAML 1.2\n", "\t", "\r\n", "\\", "é", "\U0001f600",
    "\x85", "\u2028", "\ufeff", "\x00", "a: 1\n", "- b\n", "k: [x, {y: z}]\n", "<<: *x\n", "q: &x\n  r: 1\n", "@", "`",
])  # fmt: skip
TEXTS = st.one_of(st.lists(PIECES, max_size=25).map("".join), st.text(max_size=40))

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=600, deadline=None)
@given(TEXTS)
def test_any_text_returns_and_both_ways_agree(text: str) -> None:
    source = Source("x.yaml", text)
    documents, problems = yaml.parse(source)
    for node in (node for document in documents for node in walk(document)):
        assert node.source is source
        assert 0 <= node.start <= node.end <= len(text)
    others, other_problems = by_events(text)
    others = [node for node in others if node.start < node.end or node.kind != SCALAR]
    assert shape(documents) == shape(others)
    assert [(p.code, p.start, p.fatal) for p in problems] == [(p.code, p.start, p.fatal) for p in other_problems]


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_a_scalar_slices_back_to_itself(text: str) -> None:
    documents, problems = yaml.parse(Source("x.yaml", text))
    if problems:
        return
    for node in (node for document in documents for node in walk(document)):
        token = text[node.start : node.end]
        if BREAK.search(token):
            continue  # folded
        if node.kind == SCALAR and node.style in ("'", '"'):
            assert token[0] == token[-1] == node.style
            again = yaml.parse(Source("x.yaml", token))[0]
            assert [item.value for item in again] == [node.value]
        elif node.kind == SCALAR and node.style == "":
            assert token == node.value


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_values_are_those_of_pyyaml(value: Any) -> None:
    text = pyyaml.safe_dump({"k": value}, allow_unicode=True)
    documents, problems = yaml.parse(Source("x.yaml", text))
    assert problems == []
    assert plain(documents[0]) == pyyaml.load(text, pyyaml.BaseLoader)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(1, 5))
def test_blank_lines_before_only_shift(text: str, lines: int) -> None:
    if text.startswith(("%", "\ufeff")):
        return
    one, problems = yaml.parse(Source("x.yaml", text))
    two, moved = yaml.parse(Source("x.yaml", "\n" * lines + text))

    def spans(documents: list[Node], by: int) -> list[tuple[int, int]]:
        return [(node.start - by, node.end - by) for document in documents for node in walk(document)]

    assert spans(one, 0) == spans(two, lines)
    assert [(p.code, p.start) for p in problems] == [(p.code, p.start - lines) for p in moved]


MANIFEST = """\
# a comment
kind: Deployment   # another
metadata: &meta
  name: "web"
  labels: {app: 'web # no comment', "tier": front}
spec:
  replicas: 3
  list:
  - one
  -   - two
  empty:
  text: |  # third
    # no comment

    end

  folded: !custom >-
    a
    b
  again: *meta
"""


def test_spans_are_the_tokens() -> None:
    root = read(MANIFEST)

    def token(*path: str | int) -> str:
        node = root.get(*path)
        return MANIFEST[node.start : node.end]

    assert token("metadata", "name") == '"web"'
    assert token("metadata", "labels") == "{app: 'web # no comment', \"tier\": front}"
    assert token("metadata", "labels", "app") == "'web # no comment'"
    assert token("metadata").startswith("name:")
    assert token("metadata").endswith("front}")
    assert token("spec", "list") == "- one\n  -   - two"
    assert token("spec", "list", 1) == "- two"
    assert token("spec", "empty") == ""
    assert token("spec", "text") == "|  # third\n    # no comment\n\n    end"
    assert token("spec", "folded") == ">-\n    a\n    b"
    assert root.get("spec", "folded").tag == "!custom"
    assert MANIFEST[root.start : root.end] == MANIFEST[MANIFEST.index("kind") :].rstrip()
    assert root.get("spec", "again") is root.get("metadata")
    assert root.get("spec", "text").value == "# no comment\n\nend\n"


def test_styles_and_tags() -> None:
    root = read("a: 1\nb: '1'\nc: \"1\"\nd: !reset []\ne: !override\n  f: g\nh: ! x\n")
    assert [root.get(name).style for name in "abc"] == ["", "'", '"']
    assert root.get("d").tag == "!reset"
    assert root.get("e").tag == "!override"
    assert root.get("a").tag is None
    assert root.get("h").tag is None


def test_comments() -> None:
    source = Source("x.yaml", MANIFEST)
    documents, _ = yaml.parse(source)
    assert [MANIFEST[start:end] for start, end in yaml.comments(source, documents)] == [
        "# a comment", "# another", "# third",
    ]  # fmt: skip


def test_a_number_sign_in_a_word_is_no_comment() -> None:
    text = "a: b#c\n#d\ne: '#f' #g"
    source = Source("x.yaml", text)
    assert [text[start:end] for start, end in yaml.comments(source, yaml.parse(source)[0])] == ["#d", "#g"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}", {"x": "1", "y": "3"}),
        ("a: &a {x: 1}\nb: {y: 3, <<: *a}", {"x": "1", "y": "3"}),
        ("a: [&a {x: 1, y: 1}, &c {x: 2, z: 2}]\nb: {<<: [*a, *c]}", {"x": "1", "y": "1", "z": "2"}),
        ("a: &a {x: 1}\nc: &c {<<: *a, y: 2}\nb: {<<: *c}", {"x": "1", "y": "2"}),
        ("b: {<<: {x: 1}, y: 2}", {"x": "1", "y": "2"}),
        ('b: {"<<": {x: 1}}', {"<<": {"x": "1"}}),
    ],
)
def test_merge_keys(text: str, value: dict[str, Any]) -> None:
    assert plain(read(text).get("b")) == value


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("a: 1\na: 2", [("duplicate-key", "a", False)]),
        ("a: 1\n'a': 2", [("duplicate-key", "'a'", False)]),
        ("x: {a: 1, b: 2, a: 3}", [("duplicate-key", "a", False)]),
        ("a: &a {b: 1}\nc:\n  <<: *a\n  b: 2", []),
        ("a: {<<: 1}", [("merge", "<<", False)]),
        ("a: 'b", [("syntax", "'", True)]),
        ("a: [b", [("syntax", "[", True)]),
        ("a: b: c", [("syntax", ":", True)]),
        ("a: *b", [("syntax", "*b", True)]),
        ("a: &a [*a]", [("syntax", "*a", True)]),
        ("a:\n\tb: c", [("syntax", "\t", True)]),
        ("a: \x07", [("character", "\x07", True)]),
        ("a: \ud800", [("character", "\ud800", True)]),
        ("a: 1\n---\nb: 'c\n---\nd: 2", [("syntax", "'", False)]),
        ("a: '1\n---\nb: 'c\n", [("syntax", "'", True), ("syntax", "'", True)]),
        ("a: 1\n---\nb: \x07", [("character", "\x07", True)]),
        ("# only\n---\na: [1", [("syntax", "[", True)]),
        ("", []),
        ("---\n---\n# nothing\n", []),
        ("a: &x 1\nb: &x 2\nc: *x", []),
    ],
)
def test_problems(text: str, problems: list[tuple[str, str, bool]]) -> None:
    found = problems_of(text)
    assert [(code, fatal) for code, _, fatal in found] == [(code, fatal) for code, _, fatal in problems]
    if not text.startswith("a:\n\t"):
        assert found == problems


def test_a_bad_document_does_not_silence_the_others() -> None:
    text = "%YAML 1.1\n---\na: 1\n---\nb: [\n---\nc: {d: e}\n"
    source = Source("x.yaml", text)
    documents, problems = yaml.parse(source)
    assert [plain(node) for node in documents] == [{"a": "1"}, {"c": {"d": "e"}}]
    assert text[documents[1].get("c").start :] == "{d: e}\n"
    assert [source.position(p.start) for p in problems] == [(5, 4)]


def test_the_last_of_duplicates_counts_and_both_are_kept() -> None:
    documents, _ = yaml.parse(Source("x.yaml", "a: 1\na: 2"))
    assert plain(documents[0]) == {"a": "2"}
    assert len(documents[0].value) == 2


def test_a_key_may_be_a_map() -> None:
    root = read("a: {{ .Values.x }}\nb: 1")
    assert plain(root.get("b")) == "1"
    assert root.get("a").items() == []


@pytest.mark.parametrize("unit", ["- ", "? ", "[", "{a: ", "[a: ", "- ? ", "[? ", ": ", "- &a "])
@pytest.mark.parametrize("count", [150, 300, 40_000])
def test_deep_nesting_is_refused(unit: str, count: int) -> None:
    documents, problems = yaml.parse(Source("x.yaml", unit * count))
    if count > 200:
        assert documents == []
        assert problems[0].fatal


@pytest.mark.parametrize(("levels", "fits"), [(199, True), (201, False)])
def test_the_limit_is_exact_for_indentation(levels: int, fits: bool) -> None:
    documents, problems = yaml.parse(Source("x.yaml", "".join(" " * level + "a:\n" for level in range(levels))))
    assert (len(documents) == 1, problems == []) == (fits, fits)


def test_aliases_of_aliases_are_counted_in_full() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert [(code, fatal) for code, _, fatal in problems_of("\n".join(lines))] == [("limit", True)]


def test_merging_has_a_limit() -> None:
    big = "\n".join(f"  k{n}: v" for n in range(200))
    text = f"a: &a\n{big}\n" + "".join(f"b{n}: {{<<: *a}}\n" for n in range(100))
    assert ("limit", True) in [(code, fatal) for code, _, fatal in problems_of(text)]


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_json_is_read_as_json_is(value: Any) -> None:
    from elo_gate.syntax import json as json_reader

    text = json.dumps({"k": value}, ensure_ascii=False)
    if BREAK.search(text):
        return
    source = Source("x.json", text)
    documents, problems = yaml.parse(source)
    if any(problem.fatal for problem in problems):
        return  # YAML refuses some characters and long keys
    root, _ = json_reader.parse(source)

    def rows(root: Node) -> list[Any]:
        return [(n.kind, n.start, n.end, n.style == '"', n.kind != SCALAR or n.value) for n in walk(root)]

    assert rows(documents[0]) == rows(root)


def test_without_the_c_extension(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    texts = [
        MANIFEST,
        "a: &a {x: 1}\nb: {<<: *a}\n",
        "? a\n? b\n",
        "a: 1\na: 2\n---\nb: [\n---\nc: ''\n",
        "a: \x07",
        "",
    ]
    before = [yaml.parse(Source("x.yaml", text)) for text in texts]
    monkeypatch.setitem(sys.modules, "yaml._yaml", None)
    for name, value in (("_parser", None), ("_theirs", {}), ("_pure", False)):
        monkeypatch.setattr(library, name, value)
    for text, (documents, problems) in zip(texts, before, strict=True):
        again, others = yaml.parse(Source("x.yaml", text))
        assert shape(again) == shape(documents)
        assert [(p.code, p.fatal) for p in others] == [(p.code, p.fatal) for p in problems]
        assert all(p.message == "Not valid YAML." for p in others if p.code == "syntax")
    assert library.is_pure()
    assert capsys.readouterr().err.count("C extension") == 1


FIRST_OURS = """
import sys
from elo_gate.model import Source
from elo_gate.syntax import yaml as ours
parse = lambda: [n.get("a", 0).value for n in ours.parse(Source("x", "a: [b]"))[0]]
assert parse() == ["b"] and "yaml" not in sys.modules and "yaml.nodes" not in sys.modules
import yaml
assert yaml.load("a: [1, {b: c}]", yaml.CSafeLoader) == {"a": [1, {"b": "c"}]}
assert yaml.compose("a: [1]", yaml.CSafeLoader).value[0][0].start_mark.line == 0
assert [type(e).__module__ for e in yaml.parse("a", yaml.CSafeLoader)][0] == "yaml.events"
try:
    yaml.load("a: [", yaml.CSafeLoader)
except yaml.parser.ParserError:
    pass
assert parse() == ["b"] and ours.parse(Source("x", "a: ["))[1]
assert yaml.load("a: 1", yaml.CSafeLoader) == {"a": 1}
"""
FIRST_THEIRS = "import yaml\n" + FIRST_OURS.replace(
    'and "yaml" not in sys.modules and "yaml.nodes" not in sys.modules', ""
)


FIRST_ALIASES = """
import yaml as theirs
from elo_gate.model import Source
from elo_gate.syntax import yaml
documents, problems = yaml.parse(Source("x", "a: &a {b: c}\\nd: {<<: *a}"))
assert not problems and documents[0].get("d", "b").value == "c"
"""


@pytest.mark.parametrize("program", [FIRST_OURS, FIRST_THEIRS, FIRST_ALIASES])
def test_pyyaml_stays_usable_in_the_same_process(program: str) -> None:
    if not pyyaml.__with_libyaml__:
        pytest.skip("PyYAML has no C extension here")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
