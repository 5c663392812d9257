"""Content-Security-Policy: how a value becomes policies, where their words stand, what a browser lets through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elo_gate.model import ABSENT, SCALAR, UNKNOWN, Node, Source
from elo_gate.syntax import csp


def policies(text: str, tag: str | None = None) -> list[csp.Policy]:
    source = Source("x", text)
    return csp.parse(Node(UNKNOWN if tag else SCALAR, text, source, 0, len(text), "'", tag))


def policy(text: str, tag: str | None = None) -> csp.Policy:
    found = policies(text, tag)
    assert len(found) == 1
    return found[0]


def test_names_have_no_case_and_the_first_counts() -> None:
    found = policy("SCRIPT-SRC 'Self' HTTPS://CDN.example.com ;; ; script-src *; img-src")
    assert [each.name for each in found.directives] == ["script-src", "script-src", "img-src"]
    assert [each.text for each in found.directives[0].sources] == ["'self'", "https://cdn.example.com"]
    assert [each.ignored for each in found.directives] == [False, True, False]
    assert found.get("script-src") is found.directives[0]


def test_commas_part_policies() -> None:
    assert [len(each.directives) for each in policies("default-src 'self', , script-src *; img-src *")] == [1, 2]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("script-src-elem", "script-src-elem 'self'; script-src *; default-src *", "script-src-elem"),
        ("script-src-attr", "script-src-elem 'self'; script-src *", "script-src"),
        ("script-src-elem", "default-src *; style-src *", "default-src"),
        ("worker-src", "child-src *; script-src *", "child-src"),
        ("worker-src", "script-src *; default-src *", "script-src"),
        ("frame-src", "child-src *; default-src *", "child-src"),
        ("frame-src", "script-src *; default-src *", "default-src"),
        ("img-src", "default-src *", "default-src"),
        ("base-uri", "default-src *", None),
        ("form-action", "default-src *", None),
        ("frame-ancestors", "default-src *", None),
    ],
)
def test_fallback(name: str, text: str, expected: str | None) -> None:
    found, sure = policy(text).governing(name)
    assert (found.name if found else None) == expected and sure


HASH = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"


@pytest.mark.parametrize(
    ("text", "tag", "expected"),
    [
        ("script-src 'unsafe-inline'", None, True),
        ("default-src 'UNSAFE-INLINE'", None, True),
        ("img-src 'self'", None, True),
        ("script-src 'self'", None, False),
        ("script-src 'unsafe-inline' 'nonce-abc'", None, False),
        (f"script-src 'unsafe-inline' {HASH}", None, False),
        ("script-src 'unsafe-inline' 'strict-dynamic'", None, False),
        ("script-src 'unsafe-inline' 'nonce-'", None, True),
        ("script-src 'unsafe-inline' nonce-abc", None, True),
        ("script-src 'self' 'nonce-${nonce}' 'unsafe-inline'", "template", False),
        ("script-src 'self' ${more} 'unsafe-inline'", "template", None),
        ("script-src 'self' ${more}", "template", None),
        ("default-src 'self' 'unsafe-inline'; ${more}", "template", None),
        ("${more}; script-src 'unsafe-inline'", "template", None),
        ("script-src-elem 'self'; ${more}", "template", False),
    ],
)
def test_inline_scripts(text: str, tag: str | None, expected: bool | None) -> None:
    assert policy(text, tag).inline("script-src-elem") is expected


def test_strict_dynamic_does_nothing_for_styles() -> None:
    assert policy("style-src 'unsafe-inline' 'strict-dynamic'").inline("style-src-elem") is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("script-src 'unsafe-eval' 'nonce-abc' 'strict-dynamic'", True),
        ("script-src 'wasm-unsafe-eval'", False),
        ("script-src 'self'; script-src-elem 'unsafe-eval'", False),
        ("default-src 'unsafe-eval'", True),
        ("default-src 'unsafe-eval'; script-src 'self'", False),
        ("frame-ancestors 'none'", True),
    ],
)
def test_eval(text: str, expected: bool) -> None:
    assert policy(text).evaluates() is expected


@pytest.mark.parametrize(
    ("source", "wanted", "expected"),
    [
        ("https://js.stripe.com", "https://js.stripe.com", True),
        ("js.stripe.com", "https://js.stripe.com", True),
        ("http://js.stripe.com", "https://js.stripe.com", True),
        ("https://*.stripe.com/v3/", "https://js.stripe.com", True),
        ("*.stripe.com", "https://stripe.com", False),
        ("https://stripe.com", "https://js.stripe.com", False),
        ("https://js.stripe.com.evil.example", "https://js.stripe.com", False),
        ("https://eu.i.posthog.com", "https://*.posthog.com", True),
        ("https://notposthog.com", "https://*.posthog.com", False),
        ("*", "https://js.stripe.com", True),
        ("*", "blob:", False),
        ("https:", "https://js.stripe.com", True),
        ("https:", "wss://live.example.com", False),
        ("wss://live.example.com", "wss://live.example.com", True),
        ("blob:", "blob:", True),
        ("data:", "blob:", False),
        ("'self'", "https://js.stripe.com", False),
        ("'self'", "'self'", True),
    ],
)
def test_origins(source: str, wanted: str, expected: bool) -> None:
    assert policy(f"connect-src {source}").admits("connect-src", wanted) is expected


def test_origins_that_cannot_be_told() -> None:
    assert policy("connect-src 'self' ${api}", "template").admits("connect-src", "https://a.example") is None
    assert policy("connect-src 'self' https://${host}", "template").admits("connect-src", "https://a.example") is None
    assert policy("script-src 'nonce-abc'").admits("script-src-elem", "https://a.example") is None
    assert policy("script-src 'nonce-abc' 'strict-dynamic'").admits("script-src-elem", "https://a.example") is True
    assert policy("img-src 'self'").admits("connect-src", "https://a.example") is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("script-src self", [("unquoted", "self", "'self'")]),
        ("script-src ‘self’", [("unquoted", "‘self’", "'self'")]),
        ("script-src unsafe-inline nonce-abc", [("unquoted", "unsafe-inline", "'unsafe-inline'"), ("unquoted", "nonce-abc", "'nonce-abc'")]),
        ("script-scr 'self'", [("unknown", "script-scr", "script-src")]),
        ("script 'self'", [("unknown", "script", "script-src")]),
        ("frame-ancestor 'none'", [("unknown", "frame-ancestor", "frame-ancestors")]),
        ("something-new 'self'", [("unknown", "something-new", "")]),
        ("default-src: 'self'", [("colon", "default-src:", "default-src")]),
        ("default-src 'self', https://a.example", [("separator", "https://a.example", "")]),
        ("default-src 'self' img-src 'self'", [("semicolon", "img-src", "")]),
        ("img-src 'none' https://a.example", [("none", "'none'", "")]),
        ("img-src 'none'", []),
        ("img-src *; img-src 'self'", [("duplicate", "img-src", "")]),
        ("block-all-mixed-content", [("retired", "block-all-mixed-content", "")]),
        ("script-src 'nonce-'", [("empty", "'nonce-'", "")]),
        ("script-src 'unsafe-evil'", [("source", "'unsafe-evil'", "")]),
        ("script-src https://", [("source", "https://", "")]),
        ("sandbox allow-scripts self; report-to self; trusted-types none", []),
        ("script-src https://self.example.com data: *.example.com:* [::1]:80 localhost", []),
    ],
)  # fmt: skip
def test_mistakes(text: str, expected: list[tuple[str, str, str]]) -> None:
    found = [each for part in policies(text) for each in csp.mistakes(part)]
    assert [(each.code, each.text, each.meant) for each in found] == expected


def places(found: csp.Policy) -> list[str]:
    nodes = [node for each in found.directives for node in (each.node, *(source.node for source in each.sources))]
    return [node.source.text[node.start : node.end] for node in nodes]


def test_every_word_has_its_own_place() -> None:
    text = "default-src 'self'; script-src 'self' 'unsafe-inline'; img-src 'self'"
    starts = [
        node.start for each in policy(text).directives for node in (each.node, *(one.node for one in each.sources))
    ]
    assert places(policy(text)) == text.replace(";", "").split()
    assert starts == sorted(set(starts))


def test_places_in_a_list_that_is_joined() -> None:
    text = (
        "[\n  \"default-src 'self'\", // 'unsafe-inline' in the past\n  'script-src \\'self\\' ' + extra,\n].join('; ')"
    )
    value = "default-src 'self'; script-src 'self' ${extra}"
    found = csp.parse(Node(UNKNOWN, value, Source("x.js", text), 0, len(text), "", "template"))[0]
    assert places(found)[:4] == ["default-src", "'self'", "script-src", "\\'self\\'"]


def test_places_of_parts_that_stand_elsewhere() -> None:
    text = 'const parts = [\n  "img-src *",\n  // "img-src *"\n]\nconst value = parts.join(\';\')\n'
    start = text.index("parts.join")
    found = csp.parse(Node(SCALAR, "img-src *", Source("x.js", text), start, len(text) - 1))[0]
    assert found.directives[0].node.start == text.index("img-src")
    assert found.directives[0].sources[0].node.start == text.index("*")


def test_what_is_known() -> None:
    source = Source("x", "y")
    assert csp.known(Node(SCALAR, "anything", source, 0, 1))
    assert csp.known(Node(UNKNOWN, "default-src 'self' ${x}", source, 0, 1, "", "template"))
    assert csp.known(Node(UNKNOWN, "script-src 'nonce-$request_id'", source, 0, 1))
    assert not csp.known(Node(UNKNOWN, "process.env.CSP", source, 0, 1))
    assert not csp.known(ABSENT)


WORDS = st.sampled_from(
    ["default-src", "script-src", "img-src", "'self'", "'none'", "'unsafe-inline'", "'nonce-${x}'", "${y}", "*", ";", ",",
     "https://a.example", "data:", "'", '"', "$z", "{{ q }}", "${", "\n", "self", "\\", "é", "frame-ancestors"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=14).map(" ".join)), st.booleans(), st.booleans())
def test_any_text_is_read_and_every_place_is_in_it(text: str, known: bool, more: bool) -> None:
    source = Source("x", f"a{text}b\n{text if more else ''}")
    node = Node(SCALAR if known else UNKNOWN, text, source, 1, 1 + len(text))
    csp.known(node)
    for found in csp.parse(node):
        list(csp.mistakes(found))
        for name in csp.DIRECTIVES:
            found.governing(name)
            assert found.admits(name, "https://a.example") in (True, False, None)
        assert found.evaluates() in (True, False, None)
        for each in found.directives:
            for place in (each.node, *(one.node for one in each.sources)):
                assert place.source is source and 0 <= place.start <= place.end <= len(source.text)
                if place is not node and place.kind is SCALAR and place.value == place.value.lower():
                    assert source.text[place.start : place.end].lower().replace("\\", "").replace("''", "'") in (
                        place.value, place.value.replace("\\", "").replace("''", "'"),
                    )  # fmt: skip
