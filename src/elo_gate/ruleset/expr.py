"""Turns an expression of a rule into Python source that calls only `evaluate`, or says where and why it will not.

The grammar is Python's, cut down (docs/writing-rules.md). Nothing of the expression is ever run as it is:
each node of its tree is translated, and what has no translation is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .evaluate import FUNCTIONS

LONGEST = 2_000  # characters of an expression
DEEPEST = 60  # brackets and operators in each other

ROOTS = ("it", "params", "file")
_AGGREGATES = {"any": "ANY", "all": "ALL", "count": "COUNT"}
_MATH = {ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


class ExpressionError(Exception):
    """An expression that is refused; `column` is 1-based in the expression's text."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"column {column}: {message}")
        self.column = column


def translate(expression: str) -> str:
    """Python source of one expression over the names `it`, `params` and `file`. Raises ExpressionError."""
    return _value(_parse(expression), ROOTS)


def translate_test(expression: str) -> str:
    """As `translate`, with a boolean answer."""
    return _test(_parse(expression), ROOTS)


def _parse(expression: str) -> ast.expr:
    if len(expression) > LONGEST:
        raise ExpressionError(f"over {LONGEST} characters: a check says it better", LONGEST)
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError("this is not an expression", getattr(error, "offset", None) or 1) from None
    level: list[ast.AST] = [tree.body]
    for _ in range(DEEPEST):
        level = [below for node in level for below in ast.iter_child_nodes(node)]
        if not level:
            return tree.body
    raise ExpressionError("nested too deeply", 1)


def _refuse(node: ast.AST, message: str) -> ExpressionError:
    return ExpressionError(message, getattr(node, "col_offset", 0) + 1)


def _test(node: ast.expr, names: tuple[str, ...]) -> str:
    if isinstance(node, ast.BoolOp):
        parts = ", ".join(f"lambda: {_test(part, names)}" for part in node.values)
        return f"{'AND' if isinstance(node.op, ast.And) else 'OR'}({parts})"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return f"(not {_test(node.operand, names)})"
    if isinstance(node, ast.Compare):
        return _compare(node, names)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return repr(node.value)
    return f"T({_value(node, names)})"


def _compare(node: ast.Compare, names: tuple[str, ...]) -> str:
    if len(node.ops) > 1:
        first = ast.Compare(node.left, node.ops[:1], node.comparators[:1])
        rest = ast.Compare(node.comparators[0], node.ops[1:], node.comparators[1:])
        return f"AND(lambda: {_compare(first, names)}, lambda: {_compare(rest, names)})"
    left, right = _value(node.left, names), _value(node.comparators[0], names)
    match node.ops[0]:
        case ast.Eq():
            return f"EQ({left}, {right})"
        case ast.NotEq():
            return f"(not EQ({left}, {right}))"
        case ast.Lt():
            return f"LT({left}, {right})"
        case ast.LtE():
            return f"LE({left}, {right})"
        case ast.Gt():
            return f"LT({right}, {left})"
        case ast.GtE():
            return f"LE({right}, {left})"
        case ast.In():
            return f"IN({left}, {right})"
        case ast.NotIn():
            return f"(not IN({left}, {right}))"
    raise _refuse(node, "`is` compares Python objects; write `==`")


def _value(node: ast.expr, names: tuple[str, ...]) -> str:
    match node:
        case ast.Name(id=name):
            if name in names:
                return name
            raise _refuse(node, f"unknown name `{name}`; known here: {', '.join(names)}")
        case ast.Attribute(value=inner, attr=name):
            return f"A({_value(inner, names)}, {name!r})"
        case ast.Subscript(value=inner, slice=ast.Constant(value=str() | int() as key)) if not isinstance(key, bool):
            return f"A({_value(inner, names)}, {key!r})"
        case ast.Constant(value=str() | int() | float() | bool() | None as literal):
            return repr(literal)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as literal)):
            return f"(-{literal!r})"
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return "(" + "".join(_value(each, names) + ", " for each in elements) + ")"
        case ast.BoolOp() | ast.Compare() | ast.UnaryOp(op=ast.Not()):
            return _test(node, names)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return f"({_value(body, names)} if {_test(test, names)} else {_value(orelse, names)})"
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return f"ADD({_value(left, names)}, {_value(right, names)})"
        case ast.BinOp(op=ast.Sub() | ast.Mult() | ast.Div() as sign, left=left, right=right):
            return f"MATH({_MATH[type(sign)]!r}, {_value(left, names)}, {_value(right, names)})"
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            if name in _AGGREGATES:
                return _aggregate(node, name, arguments, names)
            if name in FUNCTIONS:
                if name == "matches":
                    _check_regex(node, arguments)
                return f"f_{name}({', '.join(_value(each, names) for each in arguments)})"
            known = ", ".join(sorted([*FUNCTIONS, *_AGGREGATES]))
            raise _refuse(node, f"unknown function `{name}`; there are {known}")
    raise _refuse(node, f"{type(node).__name__} is not part of the rule language")


def _aggregate(call: ast.expr, name: str, arguments: list[ast.expr], names: tuple[str, ...]) -> str:
    function = _AGGREGATES[name]
    if len(arguments) != 1:
        raise _refuse(call, f"`{name}` takes one generator or list")
    (argument,) = arguments
    if not isinstance(argument, ast.GeneratorExp):
        return f"{function}(T, EACH({_value(argument, names)}))"
    if len(argument.generators) != 1 or argument.generators[0].is_async:
        raise _refuse(call, f"one `for` only; put another `{name}` inside")
    (loop,) = argument.generators
    if not isinstance(loop.target, ast.Name) or loop.target.id in names:
        raise _refuse(call, "the loop needs one new, simple name")
    inner = (*names, loop.target.id)
    variable = loop.target.id
    values = f"EACH({_value(loop.iter, names)})"
    for condition in loop.ifs:
        values = f"IF(lambda {variable}: {_test(condition, inner)}, {values})"
    return f"{function}(lambda {variable}: {_test(argument.elt, inner)}, {values})"


def _check_regex(call: ast.expr, arguments: list[ast.expr]) -> None:
    """A pattern is a literal that compiles and does not repeat a repetition (no exponential backtracking)."""
    import re

    if len(arguments) != 2 or not isinstance(arguments[1], ast.Constant) or not isinstance(arguments[1].value, str):
        raise _refuse(call, "`matches` takes a value and a literal pattern")
    pattern = arguments[1].value
    try:
        re.compile(pattern)
    except re.error as error:
        raise _refuse(arguments[1], f"the pattern does not compile: {error}") from None
    if len(pattern) > 500 or _repeats_repetition(pattern):
        raise _refuse(arguments[1], "a repetition of a repetition, or over 500 characters: write it simpler")


def _repeats_repetition(pattern: str) -> bool:
    """Whether something that is repeated without bound holds something that is."""
    from re import _constants as codes  # type: ignore[attr-defined]
    from re import _parser as parser  # type: ignore[attr-defined]

    repeats = (codes.MAX_REPEAT, codes.MIN_REPEAT)

    def parts(argument: object) -> Iterator[object]:
        if isinstance(argument, parser.SubPattern):
            yield argument
        elif isinstance(argument, (tuple, list)):
            for each in argument:
                yield from parts(each)

    def holds(pattern: object, within: bool) -> bool:
        for code, argument in pattern:  # type: ignore[attr-defined]
            unbounded = code in repeats and argument[1] > 20
            if unbounded and within:
                return True
            if any(holds(each, within or unbounded) for each in parts(argument)):
                return True
        return False

    return holds(parser.parse(pattern), False)
