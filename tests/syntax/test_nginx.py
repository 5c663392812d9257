"""nginx's own grammar: words, quotes, blocks, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elo_gate.model import Source
from elo_gate.syntax import nginx

WORDS = """server location { } ; " ' \\ # $ ${ } $uri ~* if content_by_lua_block -- [[ ]] listen 80; {{ ${HOST} ) ( é
add_header X y;"""
PIECES = st.sampled_from([*WORDS.split(), " ", "\n", "\r\n", "\t", "\0"])
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=60).map("".join))


def parse(text: str) -> tuple[list[nginx.Directive], list[str]]:
    directives, problems = nginx.parse(Source("nginx.conf", text))
    return directives, [problem.code for problem in problems]


def shape(directives: list[nginx.Directive]) -> list[object]:
    found: list[object] = []
    for each in directives:
        row: list[object] = [each.key, *each.texts()]
        if each.block is not None:
            row.append(shape(each.block))
        found.append(row)
    return found


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_any_text_is_read_or_reported(text: str) -> None:
    source = Source("nginx.conf", text)
    directives, problems = nginx.parse(source)
    nginx.tree(directives, source)
    for problem in problems:
        assert 0 <= problem.start <= problem.end <= len(text)
    for directive in nginx.walk(directives):
        assert text[directive.start : directive.end].startswith(text[directive.name.start : directive.name.end])
        for word in [directive.name, *directive.words]:
            written = text[word.start : word.end]
            assert written
            if word.style:
                assert written[0] == written[-1] == word.style
            elif "\\" not in written:
                assert written == word.value


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_what_is_read_whole_reads_the_same_again(text: str) -> None:
    """Each directive's own text, alone, is that directive."""
    directives, problems = nginx.parse(Source("nginx.conf", text))
    if problems:
        return
    for directive in directives:
        again, more = nginx.parse(Source("nginx.conf", text[directive.start : directive.end] + "\n"))
        assert not more
        assert shape(again) == shape([directive])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a;", [["a"]]),
        ("a b c;d{e f;}", [["a", "b", "c"], ["d", [["e", "f"]]]]),
        ("a # b;\n c;", [["a", "c"]]),
        ("a b#c;", [["a", "b#c"]]),
        ("a 'b ; {' \"c ' d\";", [["a", "b ; {", "c ' d"]]),
        (r"a 'b\'c' d\;e;", [["a", "b'c", r"d\;e"]]),
        ("log '$a' '\\n';", [["log", "$a", "\n"]]),
        ("set $a ${b}c;", [["set", "$a", "${b}c"]]),
        ('if ($a = "b") { return 1; }', [["if", "($a", "=", "b", ")", [["return", "1"]]]]),
        ("location ~ ^/x(/|$) { }", [["location", "~", "^/x(/|$)", []]]),
        ("map $a $b { default 0; ~^/x 1; }", [["map", "$a", "$b", [["default", "0"], ["~^/x", "1"]]]]),
        ("server {\n  ${EXTRA}\n  listen 80;\n}", [["server", [["${EXTRA}"], ["listen", "80"]]]]),
        ("a\r\nb;\r\n", [["a", "b"]]),
    ],
)
def test_grammar(text: str, expected: list[object]) -> None:
    directives, problems = parse(text)
    assert not problems
    assert shape(directives) == expected


def test_lua_is_one_body() -> None:
    text = 'location / { access_by_lua_block { local a = {b = "}"} -- }\n if x then y[[}]] end } root /srv; }'
    directives, problems = parse(text)
    assert not problems
    block = directives[0].block
    assert block is not None
    assert [each.key for each in block] == ["access_by_lua_block", "root"]
    assert block[0].body is not None
    assert block[0].body.value.startswith(" local a = {")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a 'b;", "unterminated-quote"),
        ("a {", "unbalanced-brace"),
        ("a; }", "unbalanced-brace"),
        ("a { b }", "unterminated-directive"),
        ("a", "unterminated-directive"),
        ("{ }", "missing-name"),
        (";", "missing-name"),
        ('a "b"c;', "missing-space"),
        ("x_by_lua_block { {", "unbalanced-brace"),
        ("a{" * 300, "limit"),
    ],
)
def test_what_nginx_refuses_is_fatal(text: str, code: str) -> None:
    _, problems = nginx.parse(Source("nginx.conf", text))
    assert [(problem.code, problem.fatal) for problem in problems] == [(code, True)]


def test_a_forgotten_semicolon_is_told_where_it_is() -> None:
    text = "server {\n  root /srv\n  listen 80;\n}\n"
    _, problems = nginx.parse(Source("nginx.conf", text))
    assert [(problem.code, problem.fatal) for problem in problems] == [("missing-semicolon", False)]
    assert text[problems[0].start : problems[0].end] == "root"


def test_a_forgotten_semicolon_is_not_seen_in_a_list_over_lines() -> None:
    assert not parse("log_format a '$b'\n  '$c';\nserver_name a\n  b;\nadd_header X 'y'\n always;")[1]
