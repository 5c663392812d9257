"""Turns the text of a module into mutants: one small change each, as a careless hand would make it."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from types import CodeType
from typing import Any

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
}  # fmt: skip
_COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.Mod: ast.Add, ast.Div: ast.Mult,
}  # fmt: skip


class Mutant:
    """One changed place: its line in the module, the change in words, the code of the changed module."""

    __slots__ = ("line", "what", "code")

    def __init__(self, line: int, what: str, code: CodeType) -> None:
        self.line = line
        self.what = what
        self.code = code


Place = tuple[Any, str, int | None, Any]


def mutants(text: str, path: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines. What never runs (docstrings, annotations) is left alone."""
    tree = ast.parse(text)
    places = sorted(_places(tree), key=lambda each: (each[3].lineno, each[3].col_offset))
    for owner, field, at, node in places:
        for what, put in list(_changes(node)):
            ast.copy_location(put, node)
            _put(owner, field, at, put)
            yield Mutant(node.lineno, what, compile(ast.fix_missing_locations(tree), path, "exec"))
            _put(owner, field, at, node)


def _put(owner: Any, field: str, at: int | None, node: Any) -> None:
    if at is None:
        setattr(owner, field, node)
    else:
        getattr(owner, field)[at] = node


def _places(tree: ast.Module) -> Iterator[Place]:
    """(owner, field, index in the field or None, node) of everything that can be changed."""
    stack: list[ast.AST] = [tree]
    while stack:
        owner = stack.pop()
        for field, value in ast.iter_fields(owner):
            if field in ("annotation", "returns", "decorator_list"):
                continue
            for at, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if not isinstance(node, ast.AST) or isinstance(node, ast.arg) or _never_runs(node):
                    continue
                stack.append(node)
                if isinstance(node, (ast.expr, ast.stmt)) and not isinstance(owner, ast.JoinedStr):
                    yield owner, field, at, node


def _never_runs(node: ast.AST) -> bool:
    """Docstrings, what only a type checker reads, and the names of slots."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id in ("TYPE_CHECKING", "__slots__")
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """(the change in words, what stands there instead)."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in _COMPARED[type(node.ops[0])]:
            made = copy.deepcopy(node)
            made.ops = [other()]
            yield _words(node, made), made
    elif isinstance(node, ast.BoolOp):
        made = copy.deepcopy(node)
        made.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield _words(node, made), made
        for at in range(len(node.values)):
            rest = [each for other, each in enumerate(node.values) if other != at]
            less: ast.AST = ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0]
            yield _words(node, less), copy.deepcopy(less)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield _words(node, node.operand), copy.deepcopy(node.operand)
    elif isinstance(node, ast.BinOp) and type(node.op) in _COUNTED and not isinstance(node.left, ast.JoinedStr):
        made = copy.deepcopy(node)
        made.op = _COUNTED[type(node.op)]()
        yield _words(node, made), made
    elif isinstance(node, ast.Constant):
        yield from ((_words(node, put), put) for put in _constants(node))
    elif isinstance(node, ast.IfExp):
        yield _words(node, node.body), copy.deepcopy(node.body)
        yield _words(node, node.orelse), copy.deepcopy(node.orelse)
    elif isinstance(node, (ast.If, ast.While)) and not isinstance(node.test, ast.Constant):
        for value in (True, False):
            if value and isinstance(node, ast.While):
                continue
            made_if = copy.deepcopy(node)
            made_if.test = ast.Constant(value)
            kind = type(node).__name__.lower()
            yield f"{kind} {ast.unparse(node.test)} -> {kind} {value}", made_if
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield f"{_short(node)} -> return None", ast.Return(ast.Constant(None))
    elif isinstance(node, (ast.Continue, ast.Break)):
        other_way = ast.Break() if isinstance(node, ast.Continue) else ast.Continue()
        yield _words(node, other_way), other_way
        yield f"{_short(node)} -> pass", ast.Pass()
    elif isinstance(node, (ast.Assign, ast.AugAssign, ast.Raise, ast.Delete)) or (
        isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
    ):
        yield f"{_short(node)} -> nothing", ast.Pass()


def _constants(node: ast.Constant) -> Iterator[ast.Constant]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield ast.Constant(value + 1)
    elif isinstance(value, str) and value:
        yield ast.Constant("mutated")


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _short(node: ast.AST) -> str:
    return ast.unparse(node).split("\n")[0][:90]


def _words(before: ast.AST, after: ast.AST) -> str:
    return f"{_short(before)} -> {_short(after)}"
