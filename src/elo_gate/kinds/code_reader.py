"""Turns a tree of JavaScript or TypeScript into the shallow view of its module, in one walk without recursion."""

from __future__ import annotations

from .code_module import FUNCTIONS, Call, Class, Import, Module, bare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node as Branch

    from ..syntax.javascript.grammar import Tree
    from .code_module import Around

_CLASSES = frozenset(("class_declaration", "abstract_class_declaration", "class"))
# What has types in it and no values. (`typeof x` in a type names a value, and needs no check here.)
_TYPES = frozenset((
    "type_annotation", "type_arguments", "type_parameters", "interface_declaration", "type_alias_declaration",
    "type_predicate_annotation", "asserts_annotation", "implements_clause", "index_signature", "type_predicate",
    "comment",
))  # fmt: skip
_NAMED = frozenset((
    "function_declaration", "generator_function_declaration", "class_declaration", "abstract_class_declaration",
    "enum_declaration", "function_expression", "class", "function_signature", "internal_module", "module",
))  # fmt: skip
_DEEPEST = 1_000
_LONGEST_CALLEE = 300


def read(tree: Tree) -> Module:
    """The module of a tree; empty when the text is not valid."""
    module = Module(tree)
    root = tree.root
    if root is None:
        return module
    for statement in root.named_children:
        if statement.type == "comment":
            continue
        if statement.type != "expression_statement" or not statement.named_children:
            break
        word = module.literal(statement.named_children[0])
        if word is None:
            break
        module.directives.add(word)
    _walk(module, root)
    return module


def _walk(module: Module, root: Branch) -> None:
    """Visits every branch with what is around it. Raises RecursionError for a tree that is too deep."""
    stack: list[tuple[Branch, Around, int]] = [(root, ("", None, None, False), 0)]
    while stack:
        branch, around, depth = stack.pop()
        kind = branch.type
        if kind in _TYPES or kind.endswith("_type"):
            continue
        if depth > _DEEPEST:
            raise RecursionError
        visit = _VISITS.get(kind)
        if visit is not None and visit(module, branch, around):
            continue
        if kind in FUNCTIONS:
            name = _function_name(module, branch)
            if name and name not in module.functions:
                module.functions[name] = branch
            around = (name or around[0], branch, around[2], around[3])
        elif kind in _CLASSES:
            around = (around[0], around[1], module.classes[-1], around[3])
        elif kind == "catch_clause":
            around = (*around[:3], True)
        for child in reversed(branch.named_children):
            stack.append((child, around, depth + 1))


def _function_name(module: Module, branch: Branch) -> str:
    name = branch.child_by_field_name("name")
    if name is None and branch.parent is not None and branch.parent.type in ("variable_declarator", "pair"):
        name = branch.parent.child_by_field_name("name") or branch.parent.child_by_field_name("key")
    return module.text(name) if name is not None and name.type != "computed_property_name" else ""


def _import(module: Module, branch: Branch, _: Around) -> bool:
    source = branch.child_by_field_name("source")
    text = module.literal(source) or ""
    type_only = any(child.type == "type" for child in branch.children)
    if source is not None and not type_only:
        module.sources.append((text, source))
    stack = [child for child in branch.named_children if child.type in ("import_clause", "import_require_clause")]
    while stack:
        each = stack.pop()
        if each.type == "import_specifier":
            name, alias = each.child_by_field_name("name"), each.child_by_field_name("alias")
            if name is not None:
                local = alias or name
                only = type_only or any(child.type == "type" for child in each.children)
                _imported(module, Import(module.text(local), module.text(name), text, local, only))
        elif each.type == "namespace_import":
            for name in each.named_children:
                _imported(module, Import(module.text(name), "*", text, name, type_only))
        elif each.type == "identifier":
            _imported(module, Import(module.text(each), "default", text, each, type_only))
        else:
            stack.extend(each.named_children)
    return True


def _imported(module: Module, found: Import) -> None:
    module.imports[found.local] = found
    module.declared.add(found.local)


def _export(module: Module, branch: Branch, _: Around) -> bool:
    declaration = branch.child_by_field_name("declaration")
    default = any(child.type == "default" for child in branch.children)
    if declaration is not None:
        for name in _names(declaration):
            module.exports["default" if default else module.text(name)] = name
    source = branch.child_by_field_name("source")
    for clause in branch.named_children:
        for each in clause.named_children if clause.type == "export_clause" else ():
            given = each.child_by_field_name("alias") or each.child_by_field_name("name")
            if given is not None:
                module.exports[module.text(given)] = given
    if default and "default" not in module.exports:
        module.exports["default"] = branch.child_by_field_name("value") or branch
    if source is not None:
        module.sources.append((module.literal(source) or "", source))
        if not any(clause.type == "export_clause" for clause in branch.named_children):
            module.exports.setdefault("*", source)
        return True
    return False


def _names(declaration: Branch) -> list[Branch]:
    """The names that a declaration declares."""
    name = declaration.child_by_field_name("name")
    if name is not None:
        return [name]
    return [
        target
        for each in declaration.named_children
        if each.type == "variable_declarator" and (target := each.child_by_field_name("name")) is not None
        and target.type == "identifier"
    ]  # fmt: skip


def _export_clause(module: Module, branch: Branch, _: Around) -> bool:
    for each in branch.named_children:
        name = each.child_by_field_name("name")
        if name is not None and name.type == "identifier":
            module.uses.append((module.text(name), name))
    return True


def _ambient(module: Module, branch: Branch, _: Around) -> bool:
    for each in branch.named_children:
        module.declared.update(module.text(name) for name in _names(each))
        if each.type == "statement_block":  # declare global { ... }
            module.open = True
    return True


def _declare(module: Module, branch: Branch, _: Around) -> bool:
    name = branch.child_by_field_name("name")
    if name is not None and name.type in ("identifier", "type_identifier"):
        module.declared.add(module.text(name))
    return False


def _declarator(module: Module, branch: Branch, _: Around) -> bool:
    target, value = branch.child_by_field_name("name"), branch.child_by_field_name("value")
    if target is not None:
        _pattern(module, target)
        inner = bare(value)
        if inner is not None and inner.type == "call_expression":
            callee = inner.child_by_field_name("function")
            arguments = inner.child_by_field_name("arguments")
            if callee is not None and arguments is not None and module.text(callee) == "require":
                _required(module, target, arguments)
    return False


def _required(module: Module, target: Branch, arguments: Branch) -> None:
    text = module.literal(arguments.named_children[0]) if arguments.named_children else None
    if text is None:
        return
    module.sources.append((text, arguments.named_children[0]))
    if target.type == "identifier":
        _imported(module, Import(module.text(target), "*", text, target, False))
        return
    for each in target.named_children:
        local = each.child_by_field_name("value") or each
        local = local.child_by_field_name("left") or local  # a default value
        name = each.child_by_field_name("key") or local
        _imported(module, Import(module.text(local), module.text(name), text, local, False))


def _pattern(module: Module, branch: Branch) -> None:
    """Declares the names of a binding pattern; default values in it are visited by the walk."""
    stack = [branch]
    while stack:
        each = stack.pop()
        if each.type in ("identifier", "shorthand_property_identifier_pattern"):
            module.declared.add(module.text(each))
        elif each.type in ("object_assignment_pattern", "assignment_pattern"):
            left = each.child_by_field_name("left")
            if left is not None:
                stack.append(left)
        elif each.type == "pair_pattern":
            value = each.child_by_field_name("value")
            if value is not None:
                stack.append(value)
        elif each.type in ("object_pattern", "array_pattern", "rest_pattern"):
            stack.extend(each.named_children)


def _parameter(module: Module, branch: Branch, _: Around) -> bool:
    pattern = branch.child_by_field_name("pattern") or branch.child_by_field_name("name")
    if pattern is not None:
        _pattern(module, pattern)
    return False


def _arrow(module: Module, branch: Branch, _: Around) -> bool:
    parameter = branch.child_by_field_name("parameter")
    if parameter is not None:
        _pattern(module, parameter)
    return False


def _catch(module: Module, branch: Branch, _: Around) -> bool:
    module.catches.append(branch)
    parameter = branch.child_by_field_name("parameter")
    if parameter is not None:
        _pattern(module, parameter)
    return False


def _for_in(module: Module, branch: Branch, _: Around) -> bool:
    left = branch.child_by_field_name("left")
    if left is not None and branch.child_by_field_name("kind") is not None:
        _pattern(module, left)
    return False


def _class(module: Module, branch: Branch, around: Around) -> bool:
    _declare(module, branch, around)
    heritage = next((child for child in branch.named_children if child.type == "class_heritage"), None)
    extends = ""
    if heritage is not None:
        clause = next((child for child in heritage.named_children if child.type == "extends_clause"), None)
        value = clause.child_by_field_name("value") if clause is not None else None
        extends = module.text(value) if value is not None else ""
    found = Class(branch.child_by_field_name("name"), branch, extends)
    body = branch.child_by_field_name("body")
    for member in body.named_children if body is not None else ():
        name = member.child_by_field_name("name")
        if name is not None and member.type not in ("method_signature", "index_signature"):
            found.members.setdefault(module.text(name), member)
            if member.type == "method_definition" and module.text(name) == "constructor":
                _assigned(module, found, member)
    module.classes.append(found)
    return False


def _assigned(module: Module, found: Class, constructor: Branch) -> None:
    """What a constructor gives an instance: `this.x = ...`, parameters with an access modifier."""
    stack = [constructor]
    while stack:
        each = stack.pop()
        if each.type == "required_parameter" and any(
            child.type in ("accessibility_modifier", "readonly", "override_modifier") for child in each.children
        ):
            pattern = each.child_by_field_name("pattern")
            if pattern is not None:
                found.members.setdefault(module.text(pattern), each)
        elif each.type == "assignment_expression":
            left = each.child_by_field_name("left")
            if left is not None and left.type == "member_expression" and module.text(left).startswith("this."):
                found.members.setdefault(module.text(left)[5:].partition(".")[0], each)
        stack.extend(each.named_children)


def _call(module: Module, branch: Branch, around: Around) -> bool:
    new = branch.type == "new_expression"
    callee = branch.child_by_field_name("constructor" if new else "function")
    if callee is None:
        return False
    arguments = branch.child_by_field_name("arguments")
    given: list[Branch] = []
    if arguments is not None and arguments.type != "template_string":
        given = [each for each in arguments.named_children if each.type != "comment"]
    module.calls.append(Call(_callee(module, callee), branch, given, around, new))
    return False


def _callee(module: Module, branch: Branch) -> str:
    """A callee as written, without spaces, `?` and `!`; of a long chain its last name alone."""
    if branch.end_byte - branch.start_byte > _LONGEST_CALLEE:
        name = branch.child_by_field_name("property")
        return "." + module.text(name)[:_LONGEST_CALLEE] if name is not None else ""
    return "".join(module.text(branch).split()).replace("?.", ".").replace("!.", ".")


def _identifier(module: Module, branch: Branch, _: Around) -> bool:
    module.uses.append((module.text(branch), branch))
    return True


def _tag(module: Module, branch: Branch, _: Around) -> bool:
    name = branch.child_by_field_name("name")
    if name is not None:
        module.tags.append((module.text(name), name))
    return False


def _string(module: Module, branch: Branch, _: Around) -> bool:
    text = module.literal(branch)
    if text is not None:
        module.texts.append((text, branch))
    return branch.type == "string"


def _member(module: Module, branch: Branch, _: Around) -> bool:
    if branch.parent is None or branch.parent.type != "member_expression":
        text = module.text(branch)
        if len(text) < 200:
            module.members.append((text.replace("?.", "."), branch))
    return False


_VISITS: dict[str, Callable[[Module, Branch, Around], bool]] = {
    "import_statement": _import,
    "export_statement": _export,
    "export_clause": _export_clause,
    "ambient_declaration": _ambient,
    "variable_declarator": _declarator,
    "required_parameter": _parameter,
    "optional_parameter": _parameter,
    "arrow_function": _arrow,
    "catch_clause": _catch,
    "for_in_statement": _for_in,
    "call_expression": _call,
    "new_expression": _call,
    "identifier": _identifier,
    "shorthand_property_identifier": _identifier,
    "jsx_opening_element": _tag,
    "jsx_self_closing_element": _tag,
    "string": _string,
    "template_string": _string,
    "member_expression": _member,
    **dict.fromkeys(_NAMED, _declare),
    **dict.fromkeys(_CLASSES, _class),
}
