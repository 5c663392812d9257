"""Turns statements into effects on names and objects, and into what a function returns."""

from __future__ import annotations

from elo_gate.model import CHOICE, MAP, SCALAR, SEQ, UNKNOWN, Node

from . import methods
from .values import OMITTED, SPREAD, alternatives, choice, held, nothing, open_up, plain, put, truth, unknown, widen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node as Branch

    from .evaluator import Evaluator, Scope

# How a run of statements ends: it goes on, it leaves the function, it leaves the loop's turn, or it perhaps does that.
ON, RETURN, SKIP, PERHAPS_SKIP = 0, 1, 2, 3

SILENT = frozenset({
    "comment", "empty_statement", "function_declaration", "generator_function_declaration", "interface_declaration",
    "type_alias_declaration", "ambient_declaration", "import_statement", "debugger_statement", "hash_bang_line",
})  # fmt: skip
# Their callbacks and arguments stay as they are.
HARMLESS = ("console.", "Object.freeze", "assert", "dotenv.")


def run(ev: Evaluator, branches: Sequence[Branch], scope: Scope, returns: list[Node]) -> int:
    """Follows statements in order; adds what they return to `returns`, says how they end."""
    hoist(ev, branches, scope)
    before = ev.branches
    outcome = ON
    try:
        for branch in branches:
            end = one(ev, branch, scope, returns)
            if end == PERHAPS_SKIP and outcome == ON:
                ev.perhaps()
                outcome = PERHAPS_SKIP
            elif end not in (ON, PERHAPS_SKIP):
                return end if outcome == ON else outcome
        return outcome
    finally:
        ev.branches = before


def hoist(ev: Evaluator, branches: Sequence[Branch], scope: Scope) -> None:
    """Function declarations are known before the statements that stand above them."""
    for branch in branches:
        declaration = branch.child_by_field_name("declaration") if branch.type == "export_statement" else branch
        if declaration is not None and declaration.type == "function_declaration":
            name = declaration.child_by_field_name("name")
            if name is not None:
                scope.names[scope.tree.text(name)] = ev.function(declaration, scope)


def one(ev: Evaluator, branch: Branch, scope: Scope, returns: list[Node]) -> int:
    ev.spend()
    kind = branch.type
    if kind in SILENT:
        return ON
    if kind in ("lexical_declaration", "variable_declaration"):
        declare(ev, branch, scope)
        return ON
    if kind == "expression_statement":
        _expression(ev, branch.named_children[0], scope)
        return ON
    if kind == "return_statement":
        value = [each for each in branch.named_children if each.type != "comment"]
        returns.append(ev.value(value[0], scope) if value else nothing(ev.place(branch, scope)))
        return RETURN
    if kind == "throw_statement":
        return RETURN
    if kind in ("break_statement", "continue_statement"):
        return SKIP
    if ev.levels >= 100:
        havoc(ev, branch, scope)
        return ON
    ev.levels += 1
    try:
        if kind == "statement_block":
            return run(ev, branch.named_children, ev.inside(scope), returns)
        if kind == "else_clause":
            return one(ev, branch.named_children[-1], scope, returns)
        if kind == "if_statement":
            return _if(ev, branch, scope, returns)
        if kind == "try_statement":
            return _try(ev, branch, scope, returns)
        if kind == "for_in_statement":
            return _for(ev, branch, scope, returns)
        if kind in ("class_declaration", "abstract_class_declaration", "enum_declaration", "internal_module"):
            name = branch.child_by_field_name("name")
            if name is not None:
                scope.names[scope.tree.text(name)] = ev.cannot_tell(name, scope)
            return ON
        # Loops and switches: whatever they touch is unknown; they are gone through once for their calls.
        if kind == "switch_statement":
            ev.field(branch, "value", scope)
        havoc(ev, branch, scope)
        for body in _bodies(branch):
            before = ev.perhaps()
            try:
                run(ev, body, ev.inside(scope), returns)
            finally:
                ev.branches = before
        return ON
    finally:
        ev.levels -= 1


def declare(ev: Evaluator, branch: Branch, scope: Scope) -> None:
    """`const a = 1, { b } = c`."""
    for declarator in branch.named_children:
        if declarator.type != "variable_declarator":
            continue
        pattern, value = declarator.child_by_field_name("name"), declarator.child_by_field_name("value")
        if pattern is not None:
            ev.bind(pattern, ev.value(value, scope) if value is not None else nothing(ev.place(pattern, scope)), scope)


def bind_parts(ev: Evaluator, pattern: Branch, value: Node, scope: Scope) -> None:
    """`{ a, b: c, ...rest }` and `[a, , b]`: declares the names with the parts of a value."""
    tree = scope.tree
    if pattern.type == "array_pattern":
        index = 0
        for child in pattern.children:
            if child.type == ",":
                index += 1
            elif child.type == "rest_pattern":
                rest = ev.cannot_tell(child, scope)
                if value.kind is SEQ:
                    rest = Node(SEQ, list(value.value[index:]), value.source, value.start, value.end)
                ev.bind(child.named_children[0], rest, scope)
            elif child.is_named and child.type != "comment":
                ev.bind(child, ev.member(value, str(index), ev.place(child, scope)), scope)
        return
    taken: set[str] = set()
    for child in pattern.named_children:
        if child.type == "rest_pattern":
            rest = ev.cannot_tell(child, scope)
            if value.kind is MAP:
                left = [(key, item) for key, item in value.items() if key.value not in taken]
                rest = Node(MAP, left, value.source, value.start, value.end, tag=value.tag)
            ev.bind(child.named_children[0], rest, scope)
            continue
        target: Branch | None = child
        key: Branch | None = child
        if child.type == "pair_pattern":
            key, target = child.child_by_field_name("key"), child.child_by_field_name("value")
        elif child.type == "object_assignment_pattern":
            key = child.child_by_field_name("left")
        if key is None or target is None or child.type == "comment":
            continue
        name = tree.text(key).strip("'\"")
        taken.add(name)
        part = ev.member(value, name, ev.place(key, scope))
        ev.bind(target, part, scope)


def assign_to(ev: Evaluator, target: Branch | None, value: Node, scope: Scope) -> None:
    """`target = value` for a name, a member or a pattern."""
    while target is not None and target.type in ("parenthesized_expression", "non_null_expression", "as_expression"):
        target = target.named_children[0] if target.named_children else None
    if target is None:
        return
    if target.type == "identifier":
        ev.assign(scope.tree.text(target), value, scope)
        return
    if target.type in ("object_pattern", "array_pattern"):
        parts = ev.inside(scope)
        ev.bind(target, value, parts)
        for name, part in parts.names.items():
            ev.assign(name, part, scope)
        return
    holder = target.child_by_field_name("object")
    if holder is None:
        return
    owner = ev.value(holder, scope)
    named = target.child_by_field_name("property")
    if named is not None:
        key = plain(scope.tree.text(named), ev.place(named, scope))
    else:
        index = target.child_by_field_name("index")
        key = ev.value(index, scope) if index is not None else unknown("?", owner)
    for each in owner.value if owner.kind is CHOICE else (owner,):
        if each.kind is SEQ or (each.kind is MAP and key.kind is not SCALAR):
            open_up(each)
        elif each.kind is MAP:
            item = value
            if owner.kind is CHOICE or not ev.sure_of(each):
                item = choice([value, *held(each, str(key.value), value)], value)
            put(each, (key, item))


def havoc(ev: Evaluator, branch: Branch, scope: Scope, entered: set[int] | None = None) -> None:
    """Makes unknown what a statement that is not followed may have changed, in the functions it names too."""
    entered = set() if entered is None else entered
    cursor = branch.walk()
    depth = 0
    while True:
        node = cursor.node
        if node is not None and node.type in ("identifier", "shorthand_property_identifier_pattern"):
            ev.spend()
            name = scope.tree.text(node)
            holder = scope.holder(name)
            if holder is not None:
                _touch(ev, node, name, holder, scope)
                function = ev.functions.get(id(holder.names[name]))
                if function is not None and function[1].id not in entered:
                    entered.add(function[1].id)
                    havoc(ev, function[1], function[2], entered)
        if cursor.goto_first_child():
            depth += 1
            continue
        while depth and not cursor.goto_next_sibling():
            cursor.goto_parent()
            depth -= 1
        if not depth:
            return


def _touch(ev: Evaluator, node: Branch, name: str, holder: Scope, scope: Scope) -> None:
    """What one mention of a name in a statement that is not followed does to its value."""
    value = holder.names[name]
    use = _use(node, scope)
    if use == "assign":
        holder.names[name] = choice([value, ev.cannot_tell(node, scope)], value)
    for each in alternatives(value):
        if use == "add" and each.kind is SEQ:
            widen(each)
        elif use not in ("read", "assign") and (each.kind is MAP or each.kind is SEQ):
            open_up(each)


# Methods that leave a list or text as it is, and functions that leave their arguments as they are.
PURE = frozenset(
    "map filter join concat includes forEach slice find findIndex some every flat flatMap reduce indexOf at keys "
    "values entries split replace replaceAll trim startsWith endsWith toLowerCase toUpperCase toString get has".split()
)
READING = (
    *HARMLESS,
    "Object.keys",
    "Object.values",
    "Object.entries",
    "JSON.stringify",
    "Array.isArray",
    "String",
    "Boolean",
)


def _use(node: Branch, scope: Scope) -> str:
    """How a mention uses a name: "read", "assign" (the name itself), "add" (to a list) or "change"."""
    top, parent = node, node.parent
    while parent is not None and parent.type in (
        "member_expression", "subscript_expression", "non_null_expression", "parenthesized_expression", "as_expression",
    ):  # fmt: skip
        if parent.type == "subscript_expression" and parent.child_by_field_name("object") != top:
            return "read"
        top, parent = parent, parent.parent
    if parent is None:
        return "read"
    kind = parent.type
    if kind in ("array_pattern", "object_pattern", "pair_pattern", "for_in_statement", "assignment_pattern"):
        return "assign"
    if kind in ("assignment_expression", "augmented_assignment_expression", "update_expression"):
        if kind == "update_expression" or parent.child_by_field_name("left") == top:
            return "assign" if top == node else "change"
        return "change" if top == node else "read"
    if kind == "unary_expression":
        return "change" if parent.children[0].type == "delete" else "read"
    if kind == "variable_declarator":
        return "change" if parent.child_by_field_name("value") == node else "read"
    if kind == "arguments":
        call = parent.parent
        callee = call.child_by_field_name("function") if call is not None else None
        return "read" if callee is not None and scope.tree.text(callee).startswith(READING) else "change"
    if kind == "call_expression" and top.type == "member_expression" and parent.child_by_field_name("function") == top:
        method = top.child_by_field_name("property")
        called = scope.tree.text(method) if method is not None else ""
        if called in ("push", "unshift") and top.child_by_field_name("object") == node:
            return "add"
        return "read" if called in PURE else "change"
    return "read"


def _bodies(branch: Branch) -> list[list[Branch]]:
    """The statements inside a loop or a label, or those of each case of a switch."""
    body = branch.child_by_field_name("body")
    if body is None:
        return []
    if body.type != "switch_body":
        return [[body]]
    return [case.children_by_field_name("body") for case in body.named_children]


def _expression(ev: Evaluator, expression: Branch, scope: Scope) -> None:
    result = ev.value(expression, scope)
    while expression.type in ("await_expression", "parenthesized_expression") and expression.named_children:
        expression = expression.named_children[0]
    if expression.type != "call_expression" or result.kind is not UNKNOWN:
        return
    # A call for its effect that cannot be followed may change what it is given.
    if result.value.startswith(HARMLESS):
        return
    arguments = expression.child_by_field_name("arguments")
    for argument in arguments.named_children if arguments is not None else ():
        if argument.type in ("identifier", "member_expression"):
            value = ev.value(argument, scope)
            if value.kind is MAP or value.kind is SEQ:
                open_up(value)


def _if(ev: Evaluator, branch: Branch, scope: Scope, returns: list[Node]) -> int:
    answer = truth(ev.field(branch, "condition", scope))
    then, other = branch.child_by_field_name("consequence"), branch.child_by_field_name("alternative")
    if answer is not None:
        taken = then if answer else other
        return run(ev, [taken], scope, returns) if taken is not None else ON
    ends = []
    for side in (then, other):
        before = ev.perhaps()
        try:
            ends.append(run(ev, [side], scope, returns) if side is not None else ON)
        finally:
            ev.branches = before
    if ends[0] == ends[1]:
        return ends[0]
    return PERHAPS_SKIP if SKIP in ends or PERHAPS_SKIP in ends else ON


def _try(ev: Evaluator, branch: Branch, scope: Scope, returns: list[Node]) -> int:
    body, handler = branch.child_by_field_name("body"), branch.child_by_field_name("handler")
    end = one(ev, body, scope, returns) if body is not None else ON
    caught = handler.child_by_field_name("body") if handler is not None else None
    if caught is not None:
        before = ev.perhaps()
        try:
            one(ev, caught, scope, returns)
        finally:
            ev.branches = before
    last = branch.child_by_field_name("finalizer")
    if last is not None and last.named_children:
        one(ev, last.named_children[-1], scope, returns)
    return end


def _for(ev: Evaluator, branch: Branch, scope: Scope, returns: list[Node]) -> int:
    """`for (const x of list)`, `for (const key in map)`: gone through when the list is known."""
    left, right, body = (branch.child_by_field_name(name) for name in ("left", "right", "body"))
    operator = branch.child_by_field_name("operator")
    if left is None or right is None or body is None or operator is None:
        return ON
    subject = ev.value(right, scope)
    if operator.type == "in":
        subject = methods.keys(ev, subject, ev.place(right, scope))
    if subject.kind is not SEQ:
        subject = Node(SEQ, [unknown("...", subject, SPREAD)], subject.source, subject.start, subject.end)
    if any(element.tag == SPREAD for element in subject.value):
        havoc(ev, body, scope)
    outer = ev.branches
    try:
        for element in subject.value:
            before = ev.branches
            inner = ev.inside(scope)
            if element.tag in (OMITTED, SPREAD) or (element.kind is CHOICE and len(alternatives(element)) == 1):
                ev.perhaps()
                if element.kind is CHOICE:
                    element = alternatives(element)[0]
            ev.bind(left, element, inner)
            end = run(ev, [body], inner, returns)
            ev.branches = before
            if end == RETURN and before == outer:
                return RETURN
            if end == PERHAPS_SKIP:
                ev.perhaps()
    finally:
        ev.branches = outer
    return ON
