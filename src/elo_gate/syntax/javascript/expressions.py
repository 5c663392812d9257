"""Turns one expression into a node: literals, objects, operators, member access, calls."""

from __future__ import annotations

from elo_gate.model import CHOICE, MAP, SCALAR, SEQ, UNKNOWN, Node

from . import methods, statements
from .values import (
    FALSY,
    FUNCTION,
    OMITTED,
    OPEN,
    REGEX,
    TEMPLATE,
    choice,
    equal,
    glue,
    nothing,
    plain,
    put,
    truth,
    unknown,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node as Branch

    from .evaluator import Evaluator, Scope
    from .grammar import Tree

    Handler = Callable[[Evaluator, Branch, Scope], Node]


def described(branch: Branch, tree: Tree) -> str:
    """A few words for an expression that cannot be known: names as written, never a literal's text."""
    kind = branch.type
    if kind in ("identifier", "this", "property_identifier", "shorthand_property_identifier"):
        return tree.text(branch)
    if kind in ("member_expression", "non_null_expression"):
        text = tree.text(branch)
        return text if len(text) <= 80 and all(c.isalnum() or c in "._$?!" for c in text) else "an expression"
    if kind in ("call_expression", "new_expression"):
        callee = branch.child_by_field_name("function") or branch.child_by_field_name("constructor")
        inner = described(callee, tree) if callee is not None and callee.type != "call_expression" else "a call"
        return f"{inner}(...)" if inner != "a call" else inner
    if kind in ("await_expression", "parenthesized_expression") and branch.named_children:
        return described(branch.named_children[0], tree)
    if kind in ("arrow_function", "function_expression", "function_declaration", "method_definition"):
        name = branch.child_by_field_name("name")
        return f"{tree.text(name)}()" if name is not None and name.type == "property_identifier" else "a function"
    return "an expression"


def _string(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    tree = scope.tree
    start, end = tree.start(branch), tree.end(branch)
    text = tree.source.text[start + 1 : end - 1]
    if "\\" in text:
        text = methods.unescape(text)
    return Node(SCALAR, text, tree.source, start, end, tree.source.text[start])


def _template(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    parts: list[Node] = []
    tree = scope.tree
    at = ev.place(branch, scope)
    written = tree.start(branch) + 1
    for child in branch.named_children:
        if child.type != "template_substitution":
            continue
        parts.append(_written(tree, written, tree.start(child)))
        inner = [each for each in child.named_children if each.type != "comment"]
        parts.append(ev.value(inner[0], scope) if inner else nothing(at))
        written = tree.end(child)
    parts.append(_written(tree, written, tree.end(branch) - 1))
    return glue(parts, at)


def _written(tree: Tree, start: int, end: int) -> Node:
    """Literal text of a template between two offsets."""
    text = tree.source.text[start:end].replace("\r\n", "\n")
    return Node(SCALAR, methods.unescape(text) if "\\" in text else text, tree.source, start, end, "`")


def _number(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    return plain(scope.tree.text(branch).replace("_", ""), ev.place(branch, scope))


def _word(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    return plain(branch.type, ev.place(branch, scope))


def _regex(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    return unknown(scope.tree.text(branch), ev.place(branch, scope), REGEX)


def _undefined(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    return nothing(ev.place(branch, scope))


def _identifier(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    return ev.find(scope.tree.text(branch), branch, scope)


def _inner(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    """Parentheses, await, `as`, `satisfies`, `!`: the value inside."""
    inner = [each for each in branch.named_children if each.type != "comment"]
    if not inner:
        return ev.cannot_tell(branch, scope)
    return ev.value(inner[-1] if branch.type == "type_assertion" else inner[0], scope)


def _sequence(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    values = [ev.value(each, scope) for each in branch.named_children if each.type != "comment"]
    return values[-1] if values else ev.cannot_tell(branch, scope)


def _array(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    at = ev.place(branch, scope)
    return ev.made_here(Node(SEQ, ev.listed(branch, scope), at.source, at.start, at.end))


def _object(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    at = ev.place(branch, scope)
    node = ev.made_here(Node(MAP, [], at.source, at.start, at.end))
    for child in branch.named_children:
        kind = child.type
        if kind == "comment":
            continue
        if kind == "spread_element":
            ev.spread_map(ev.value(child.named_children[0], scope), node, ev.place(child, scope))
            continue
        key = child.child_by_field_name("key") or child.child_by_field_name("name") or child
        name = _key(ev, key, scope)
        if kind == "pair":
            value = ev.field(child, "value", scope)
        elif kind == "method_definition":
            accessor = any(each.type in ("get", "set") for each in child.children)
            value = ev.cannot_tell(child, scope) if accessor else ev.function(child, scope)
        elif kind == "shorthand_property_identifier":
            value = ev.find(scope.tree.text(child), child, scope)
        else:
            value = ev.cannot_tell(child, scope)
        if name.kind is SCALAR:
            put(node, (name, value))
        else:
            node.tag = OPEN
    return node


def _key(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    """An entry's name: a scalar, or unknown."""
    if branch.type == "computed_property_name":
        return ev.value(branch.named_children[0], scope)
    if branch.type in ("string", "number"):
        return ev.value(branch, scope)
    at = ev.place(branch, scope)
    return plain(scope.tree.text(branch), at)


def _member(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    name = branch.child_by_field_name("property")
    target = ev.field(branch, "object", scope)
    if name is None:
        return ev.cannot_tell(branch, scope)
    return ev.member(target, scope.tree.text(name), ev.place(branch, scope))


def _subscript(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    target, index = ev.field(branch, "object", scope), ev.field(branch, "index", scope)
    at = ev.place(branch, scope)
    if index.kind is SCALAR:
        return ev.member(target, str(index.value), at)
    return unknown(f"{target.value}[...]" if target.kind is UNKNOWN else "an expression", at)


def _ternary(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    answer = truth(ev.field(branch, "condition", scope))
    if answer is not None:
        return ev.field(branch, "consequence" if answer else "alternative", scope)
    before = ev.perhaps()
    try:
        options = [ev.field(branch, "consequence", scope), ev.field(branch, "alternative", scope)]
    finally:
        ev.branches = before
    return choice(options, ev.place(branch, scope))


def _binary(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    """A chain of operators, its left side taken apart without recursion: `a + b + c` may be very long."""
    chain: list[Branch] = []
    left = branch
    while left.type == "binary_expression":
        chain.append(left)
        inner = left.child_by_field_name("left")
        if inner is None:
            return ev.cannot_tell(branch, scope)
        left = inner
    value = ev.value(left, scope)
    while chain:
        step = chain.pop()
        operator = step.child_by_field_name("operator")
        ev.spend()
        value = _operate(ev, operator.type if operator is not None else "?", value, step, scope)
    return value


def _operate(ev: Evaluator, operator: str, left: Node, branch: Branch, scope: Scope) -> Node:
    at = ev.place(branch, scope)
    if operator in ("||", "&&", "??"):
        return _logical(ev, operator, left, branch, scope, at)
    right = ev.field(branch, "right", scope)
    if operator in ("===", "==", "!==", "!="):
        answer = equal(left, right, len(operator) == 3)
        return unknown("a comparison", at) if answer is None else _boolean(answer == (operator[0] == "="), at)
    if operator == "+":
        pairs = [
            (a, b)
            for a in (left.value if left.kind is CHOICE else (left,))
            for b in (right.value if right.kind is CHOICE else (right,))
        ]
        return choice([_plus(a, b, at) for a, b in pairs], at)
    if left.kind is SCALAR and right.kind is SCALAR and not left.style and not right.style:
        return methods.arithmetic(operator, left, right, at)
    return unknown("an expression", at)


def _plus(left: Node, right: Node, at: Node) -> Node:
    """A text as soon as one side is one."""
    if left.style or right.style or TEMPLATE in (left.tag, right.tag):
        return glue([left, right], at)
    if left.kind is SCALAR and right.kind is SCALAR:
        return methods.arithmetic("+", left, right, at)
    return unknown("an expression", at)


def _logical(ev: Evaluator, operator: str, left: Node, branch: Branch, scope: Scope, at: Node) -> Node:
    """`||`, `&&`, `??`: the left side's alternatives that stay, and the right side where it is reached."""

    def stays(each: Node) -> bool | None:
        if operator == "??":
            return None if each.kind is UNKNOWN and each.tag not in (FUNCTION, TEMPLATE) else not each.is_null()
        answer = truth(each)
        return answer if operator == "||" or answer is None else not answer

    options = left.value if left.kind is CHOICE else (left,)
    answers = [stays(each) for each in options]
    kept = [each for each, answer in zip(options, answers, strict=True) if answer is not False]
    if all(answer is True for answer in answers):
        return left
    if not kept:
        return ev.field(branch, "right", scope)
    before = ev.perhaps()
    try:
        right = ev.field(branch, "right", scope)
    finally:
        ev.branches = before
    if operator == "&&":
        # An unknown left side either stays, and then it is false, or gives way.
        kept = [unknown(each.value, each, FALSY) if each.kind is UNKNOWN else each for each in kept]
    return choice([*kept, right], at)


def _boolean(answer: bool, at: Node) -> Node:
    return plain("true" if answer else "false", at)


def _unary(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    operator = branch.child_by_field_name("operator")
    sign = operator.type if operator is not None else ""
    value = ev.field(branch, "argument", scope)
    at = ev.place(branch, scope)
    if sign == "!":
        answer = truth(value)
        return unknown("a condition", at) if answer is None else _boolean(not answer, at)
    if sign in "+-" and value.kind is SCALAR and value.number() is not None:
        return plain(f"{'-' if sign == '-' else ''}{value.value}", at)
    if sign == "void":
        return nothing(at)
    if sign == "delete":
        statements.assign_to(ev, branch.child_by_field_name("argument"), nothing(at, OMITTED), scope)
    return unknown("an expression", at)


def _assignment(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    left = branch.child_by_field_name("left")
    if branch.type == "assignment_expression":
        value = ev.field(branch, "right", scope)
    else:
        operator = branch.child_by_field_name("operator")
        sign = operator.type[:-1] if operator is not None else "?"
        before = ev.value(left, scope) if left is not None else unknown("?", ev.place(branch, scope))
        value = _operate(ev, sign, before, branch, scope)
    statements.assign_to(ev, left, value, scope)
    return value


def _update(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    value = ev.cannot_tell(branch, scope)
    statements.assign_to(ev, branch.child_by_field_name("argument"), value, scope)
    return value


def _call(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    callee = branch.child_by_field_name("function") or branch.child_by_field_name("constructor")
    at = ev.place(branch, scope)
    if callee is None:
        return unknown("a call", at)
    if callee.type == "import":
        return ev.imports.load(ev, ev.arguments(branch, scope), scope, at)
    while callee.type in ("parenthesized_expression", "non_null_expression") and callee.named_children:
        callee = callee.named_children[0]
    receiver, name = None, None
    if callee.type == "member_expression":
        key = callee.child_by_field_name("property")
        name = scope.tree.text(key) if key is not None else ""
        receiver = ev.field(callee, "object", scope)
        function = ev.member(receiver, name, ev.place(callee, scope))
    else:
        function = ev.value(callee, scope)
    arguments = ev.arguments(branch, scope)
    spelled = ev.imports.spelled(function) or described(callee, scope.tree)
    if ev.watch and spelled.endswith(ev.watch):
        ev.record(spelled, arguments, at)
    if spelled in ev.hooks and id(function) not in ev.functions:
        return ev.hooks[spelled](arguments, at)
    if spelled == "require" and function.tag is None:
        return ev.imports.load(ev, arguments, scope, at)
    result = None
    if receiver is not None and name is not None:
        result = methods.method(ev, receiver, name, arguments, at)
    if result is None:
        result = methods.function(ev, spelled, arguments, at) if function.tag is None else None
    return result if result is not None else ev.call(function, arguments, at)


def _function(ev: Evaluator, branch: Branch, scope: Scope) -> Node:
    return ev.function(branch, scope)


HANDLERS: dict[str, Handler] = {
    "string": _string,
    "template_string": _template,
    "number": _number,
    "true": _word,
    "false": _word,
    "null": _word,
    "regex": _regex,
    "undefined": _undefined,
    "identifier": _identifier,
    "parenthesized_expression": _inner,
    "await_expression": _inner,
    "as_expression": _inner,
    "satisfies_expression": _inner,
    "non_null_expression": _inner,
    "type_assertion": _inner,
    "sequence_expression": _sequence,
    "array": _array,
    "object": _object,
    "member_expression": _member,
    "subscript_expression": _subscript,
    "ternary_expression": _ternary,
    "binary_expression": _binary,
    "unary_expression": _unary,
    "assignment_expression": _assignment,
    "augmented_assignment_expression": _assignment,
    "update_expression": _update,
    "call_expression": _call,
    "new_expression": _call,
    "arrow_function": _function,
    "function_expression": _function,
}
