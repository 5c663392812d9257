"""The rule language: what it answers on absent and unknown values, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elo_gate.model import ABSENT, CHOICE, MAP, SCALAR, SEQ, UNKNOWN, Item, Node, Source, Undecided
from elo_gate.ruleset.evaluate import NAMES
from elo_gate.ruleset.expr import ExpressionError, translate, translate_test

HERE = Source("x", "text")


def scalar(text: str, style: str = "") -> Node:
    return Node(SCALAR, text, HERE, 0, 1, style)


def unknown() -> Node:
    return Node(UNKNOWN, "${X}", HERE, 0, 1)


def mapping(**entries: Node) -> Node:
    return Node(MAP, [(scalar(key), value) for key, value in entries.items()], HERE, 0, 1)


def seq(*elements: Node) -> Node:
    return Node(SEQ, list(elements), HERE, 0, 1)


def ask(expression: str, it: Any, **params: Any) -> Any:
    code = compile(f"lambda it, params, file: {translate_test(expression)}", "<test>", "eval")
    return eval(code, dict(NAMES))(it, params, {"as_of": "2026-11-25"})


IT = Item(
    mapping(
        replicas=scalar("3"),
        on=scalar("true"),
        name=scalar("web", '"'),
        empty=scalar("", '"'),
        null=scalar("~"),
        list=seq(scalar("a"), scalar("b")),
        hole=unknown(),
        inner=mapping(user=scalar("root")),
        either=Node(CHOICE, [scalar("a"), scalar("b")], HERE, 0, 1),
        both=Node(CHOICE, [scalar("3"), scalar("4")], HERE, 0, 1),
    ),
    {"role": "app", "ports": [80, 443], "nothing": None},
)


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("it.replicas >= 3", True),
        ("it.replicas == 3 and it.replicas < 4", True),
        ("it.on == True", True),
        ("it.name == 'web'", True),
        ("it.missing", False),
        ("it.missing == 'x'", False),
        ("it.missing < 3 or it.missing >= 3", False),
        ("it.empty or it.null", False),
        ("it.inner.user in ('root', '0')", True),
        ("it.inner.nobody.further", False),
        ("'a' in it.list and 'c' not in it.list", True),
        ("any(e == 'b' for e in it.list)", True),
        ("all(len(e) == 1 for e in it.list)", True),
        ("count(e for e in it.list if e == 'a') == 1", True),
        ("it.role == 'app' and 443 in it.ports", True),
        ("it.nothing", False),
        ("exists(it.hole) and not known(it.hole)", True),
        ("exists(it.null) and not exists(it.missing)", True),
        ("it.both > 2", True),
        ("startswith(it.name, ('w', 'x')) and matches(it.name, '^w.b$')", True),
        ("it['inner']['user'] == 'root'", True),
        ("before('2026-01-01', file.as_of)", True),
        ("number(it.replicas) * 2 + 1 == 7", True),
        ("('yes' if it.on else 'no') == 'yes'", True),
        ("it.replicas == params.least", True),
        ("1 < it.replicas < 4", True),
    ],
)
def test_answers(expression: str, answer: bool) -> None:
    assert ask(expression, IT, least=3) is answer


@pytest.mark.parametrize(
    "expression",
    ["it.hole", "it.hole == 'x'", "it.hole.deeper > 3", "'a' in it.hole", "it.either == 'a'", "it.hole and it.name",
     "any(e == 'x' for e in it.hole)", "not it.hole"],
)  # fmt: skip
def test_undecided(expression: str) -> None:
    with pytest.raises(Undecided):
        ask(expression, IT)


@pytest.mark.parametrize(
    ("expression", "answer"),
    [("it.hole and it.missing", False), ("it.missing and it.hole", False), ("it.hole or it.name", True),
     ("any(x for x in it.list) or it.hole", True)],
)  # fmt: skip
def test_short_circuit_around_an_unknown(expression: str, answer: bool) -> None:
    assert ask(expression, IT) is answer


@pytest.mark.parametrize(
    "expression",
    ["__import__('os')", "it.__class__.__mro__ == open", "(lambda: 1)()", "[x for x in it.list]", "it.name.upper()",
     "open('x')", "it := 3", "f'{it}'", "other.name", "it is None", "any(x for x in it.a for y in x)", "it ** 99999999",
     "len(*it)", "matches(it.name, it.name)", "matches(it.name, '(a+)+$')", "1 if", "x" * 3, "{1: 2}", "it[params.x]"],
)  # fmt: skip
def test_refused(expression: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        translate(expression)
    assert refused.value.column >= 1


def test_attributes_never_reach_python() -> None:
    for name in ("facts", "node", "__class__", "get", "value", "source"):
        assert ask(f"it.{name}", IT) is False
        assert ask(f"it.inner.{name}", IT) is False


@given(st.text(max_size=60))
def test_any_text_is_translated_or_refused(text: str) -> None:
    try:
        source = translate(text)
    except ExpressionError:
        return
    compile(source, "<test>", "eval")


def test_absent_is_absent_everywhere() -> None:
    assert ABSENT.get("a", "b") is ABSENT
    assert not ABSENT
    assert ABSENT.items() == () and ABSENT.elements() == ()
