"""Turns functions, calls and names into nodes: what JavaScript would compute, as far as that can be told."""

from __future__ import annotations

from elo_gate.model import CHOICE, MAP, SCALAR, SEQ, UNKNOWN, Node

from . import expressions, statements
from .expressions import described
from .imports import Imports
from .values import (
    FALSY,
    FUNCTION,
    OMITTED,
    OPEN,
    SPREAD,
    choice,
    held,
    lookup,
    nothing,
    plain,
    put,
    string,
    truth,
    unknown,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tree_sitter import Node as Branch

    from elo_gate.model import Source

    from .grammar import Tree

    Hook = Callable[[Sequence[Node], Node], Node]

MOST_STEPS = 300_000
MOST_LEVELS = 120
MOST_CALLS = 24
MOST_ELEMENTS = 20_000

ENV = "process.env"
IMPORT = "import "


class Exhausted(Exception):
    """The text asks for more work than a configuration file can need."""


class Scope:
    """Names and their values in one block, function or file."""

    __slots__ = ("names", "parent", "tree", "branches")

    def __init__(self, parent: Scope | None, tree: Tree, branches: tuple[int, ...]) -> None:
        self.names: dict[str, Node] = {}
        self.parent = parent
        self.tree = tree
        self.branches = branches

    def holder(self, name: str) -> Scope | None:
        """The scope that declares a name."""
        scope: Scope | None = self
        while scope is not None and name not in scope.names:
            scope = scope.parent
        return scope


class Call:
    """A call that was asked for: its callee as written or imported, its arguments, its place."""

    __slots__ = ("name", "arguments", "at")

    def __init__(self, name: str, arguments: Sequence[Node], at: Node) -> None:
        self.name = name
        self.arguments = arguments
        self.at = at


class Evaluator:
    """One evaluation: its budget, the functions met, the calls recorded, what could not be followed.

    `branches` names the undecided conditions under which the current statement stands. A change made
    there to something older than the condition keeps the old value as an alternative.
    """

    __slots__ = (
        "imports", "hooks", "watch", "steps", "levels", "running", "branches", "next_branch",
        "functions", "wrappers", "made", "recorded", "outside",
    )  # fmt: skip

    def __init__(
        self, read: Callable[[str], Source | None] | None, hooks: Mapping[str, Hook], watch: tuple[str, ...]
    ) -> None:
        self.imports = Imports(read)
        self.hooks = hooks
        self.watch = watch
        self.steps = MOST_STEPS
        self.levels = 0
        self.running: list[int] = []
        self.branches: tuple[int, ...] = ()
        self.next_branch = 0
        self.functions: dict[int, tuple[Node, Branch, Scope]] = {}
        self.wrappers: dict[int, tuple[Node, bool]] = {}  # the function, and whether its package is known
        self.made: dict[int, tuple[Node, tuple[int, ...]]] = {}
        self.recorded: list[Call] = []
        self.outside: list[Node] = []

    # Places and new values

    def place(self, branch: Branch, scope: Scope) -> Node:
        """An empty node at the place of a branch, to make values from."""
        tree = scope.tree
        return Node(UNKNOWN, "", tree.source, tree.start(branch), tree.end(branch))

    def cannot_tell(self, branch: Branch, scope: Scope, tag: str | None = None) -> Node:
        return unknown(described(branch, scope.tree), self.place(branch, scope), tag)

    def spend(self, steps: int = 1) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise Exhausted

    def made_here(self, node: Node) -> Node:
        """Remembers under which conditions a map or seq was made."""
        if self.branches:
            self.made[id(node)] = (node, self.branches)
        return node

    def sure(self, branches: tuple[int, ...]) -> bool:
        """Whether what was made under these conditions changes for certain under the current ones."""
        return self.branches == branches[: len(self.branches)]

    def sure_of(self, node: Node) -> bool:
        return not self.branches or self.sure(self.made[id(node)][1] if id(node) in self.made else ())

    def perhaps(self) -> tuple[int, ...]:
        """Enters an undecided condition; gives back what to restore."""
        before = self.branches
        self.next_branch += 1
        self.branches = (*before, self.next_branch)
        return before

    # Expressions

    def value(self, branch: Branch, scope: Scope) -> Node:
        """What an expression computes."""
        self.spend()
        handler = expressions.HANDLERS.get(branch.type)
        if handler is None or self.levels >= MOST_LEVELS:
            return self.cannot_tell(branch, scope)
        self.levels += 1
        try:
            return handler(self, branch, scope)
        finally:
            self.levels -= 1

    def field(self, branch: Branch, name: str, scope: Scope) -> Node:
        child = branch.child_by_field_name(name)
        return self.value(child, scope) if child is not None else unknown("?", self.place(branch, scope))

    def function(self, branch: Branch, scope: Scope) -> Node:
        node = self.cannot_tell(branch, scope, FUNCTION)
        self.functions[id(node)] = (node, branch, scope)
        return node

    def inside(self, scope: Scope) -> Scope:
        """A block's own scope."""
        return Scope(scope, scope.tree, self.branches)

    def file_scope(self, tree: Tree) -> Scope:
        return Scope(None, tree, self.branches)

    def record(self, name: str, arguments: Sequence[Node], at: Node) -> None:
        self.recorded.append(Call(name, arguments, at))

    def find(self, name: str, branch: Branch, scope: Scope) -> Node:
        holder = scope.holder(name)
        if holder is not None:
            return holder.names[name]
        if name == "undefined":
            return nothing(self.place(branch, scope))
        return self.cannot_tell(branch, scope)

    def assign(self, name: str, value: Node, scope: Scope) -> None:
        holder = scope.holder(name)
        if holder is None:
            return
        if not self.sure(holder.branches):
            value = choice([value, holder.names[name]], value)
        holder.names[name] = value

    def member(self, target: Node, name: str, at: Node) -> Node:
        """`target.name`."""
        if target.kind is UNKNOWN:
            if target.tag == ENV:
                return string("production", at) if name == "NODE_ENV" else unknown(f"process.env.{name}", at)
            if target.value == "process" and target.tag is None:
                return unknown(ENV, at, ENV) if name == "env" else unknown(f"process.{name}", at)
            known = self.imports.constant(target.tag, name)
            if known is not None:
                return string(known, at)
            tag = target.tag if target.tag is not None and target.tag.startswith(IMPORT) else None
            return self.remember_wrapper(unknown(f"{target.value}.{name}", at, tag), target)
        if target.kind is CHOICE:
            return choice([self.member(each, name, at) for each in target.value], at)
        if target.kind is SEQ:
            if name == "length" and all(each.kind is not CHOICE and each.tag != SPREAD for each in target.value):
                return plain(str(len(target.value)), at)
            if (
                name.isdecimal()
                and len(name) < 10
                and not any(each.kind is CHOICE or each.tag == SPREAD for each in target.value)
            ):
                return target.get(int(name)) or nothing(at)
            return unknown(name, at)
        if target.kind is MAP:
            value = lookup(target, name) or nothing(at)
            if value.kind is CHOICE:  # what may not be there is undefined once it is asked for
                return choice([nothing(at) if each.tag == OMITTED else each for each in value.value], value)
            return nothing(at) if value.tag == OMITTED else value
        return unknown(name, at)

    def remember_wrapper(self, node: Node, like: Node) -> Node:
        if id(like) in self.wrappers:
            self.wrappers[id(node)] = (node, self.wrappers[id(like)][1])
        return node

    def arguments(self, branch: Branch, scope: Scope) -> list[Node]:
        holder = branch.child_by_field_name("arguments")
        if holder is None or holder.type != "arguments":
            return []
        return self.listed(holder, scope)

    def listed(self, branch: Branch, scope: Scope) -> list[Node]:
        """The elements between brackets, spreads laid out."""
        out: list[Node] = []
        gap = branch.type == "array"
        for child in branch.children:
            kind = child.type
            if kind == "spread_element":
                self.spread_list(self.value(child.named_children[0], scope), out, self.place(child, scope))
            elif child.is_named and kind != "comment":
                out.append(self.value(child, scope))
            elif kind == "," and gap:
                out.append(nothing(self.place(child, scope)))
            gap = kind in ("[", ",") and branch.type == "array" or (kind == "comment" and gap)
        self.spend(len(out) // 8)
        return out

    def spread_list(self, value: Node, out: list[Node], at: Node) -> None:
        """Adds the elements of a value to a list; those of a choice's alternatives lie over each other."""
        if value.kind is SEQ:
            self.spend(len(value.value) + 1)
            out.extend(value.value)
        elif value.kind is CHOICE and all(each.kind is SEQ or truth(each) is False for each in value.value):
            lists = [each.elements() for each in value.value]
            longest = max(len(each) for each in lists)
            self.spend(longest * len(lists))
            spreads = [element for each in lists for element in each if element.tag == SPREAD]
            if spreads:
                known = [element for each in lists for element in each if element.tag != SPREAD]
                perhaps = [choice([element, nothing(at, OMITTED)], element) for element in known]
                out.extend([spreads[0], *perhaps, spreads[0]])
                longest = 0
            for index in range(longest):
                out.append(choice([each[index] if index < len(each) else nothing(at, OMITTED) for each in lists], at))
        elif value.kind is not SCALAR and value.tag != FALSY:
            out.append(unknown(value.value if value.kind is UNKNOWN else "...", at, SPREAD))
        if len(out) > MOST_ELEMENTS:
            raise Exhausted

    def spread_map(self, value: Node, target: Node, at: Node) -> None:
        """`{...value}`: lays the entries of a value over a map."""
        if value.kind is MAP:
            self.spend(len(value.value) + len(target.value) // 8 + 1)
            entries = []
            for key, item in value.items():
                if item.tag == OMITTED:
                    continue
                if item.kind is CHOICE and any(each.tag == OMITTED for each in item.value):
                    rest = [each for each in item.value if each.tag != OMITTED]
                    item = choice([*rest, *held(target, key.value, at)], at)
                entries.append((key, item))
            put(target, *entries)
            if value.tag == OPEN:
                self.spread_map(unknown("...", at), target, at)
        elif value.kind is CHOICE:
            self.spend((len(target.value) + 1) * len(value.value))
            several = [Node(MAP, list(target.value), at.source, at.start, at.end, tag=target.tag) for _ in value.value]
            for each, copy in zip(value.value, several, strict=True):
                self.spread_map(each, copy, at)
            keys = {name: pair[0] for copy in several for name, pair in (copy.index or {}).items()}
            merged = [(key, [each for copy in several for each in held(copy, name, at)]) for name, key in keys.items()]
            put(target, *[(key, choice(options, at)) for key, options in merged])
            if any(copy.tag == OPEN for copy in several):
                target.tag = OPEN
        elif value.kind is UNKNOWN and value.tag != FALSY:
            target.tag = OPEN
            self.spend(len(target.value))
            doubt = unknown(value.value, at)
            put(target, *[(key, choice([item, doubt], item)) for key, item in target.items()])

    # Calls

    def call(self, function: Node, arguments: Sequence[Node], at: Node) -> Node:
        """What calling a value gives: a function of this text is followed, a known wrapper gives its configuration."""
        known = self.functions.get(id(function))
        if known is not None:
            return self.run(known[1], known[2], arguments, at)
        if function.kind is CHOICE:
            return choice([self.call(each, arguments, at) for each in function.value], at)
        tag = function.tag if function.kind is UNKNOWN else None
        imported = tag is not None and tag.startswith(IMPORT)
        wrapper = self.wrappers.get(id(function))
        if wrapper is None and imported and self.imports.wraps(function):
            wrapper = (function, False)
        if wrapper is not None:
            return self.wrap(wrapper[0], arguments, at, wrapper[1])
        if imported:
            self.outside.append(function)
        for each in arguments:
            if id(each) in self.functions:
                self.perhaps_calls(each, at)
        words = f"{function.value}(...)" if function.kind is UNKNOWN else "a call"
        return unknown(words, at, tag if imported else None)

    def wrap(self, function: Node, arguments: Sequence[Node], at: Node, known: bool) -> Node:
        """What a configuration plugin gives: the configuration. Given its options first, it gives itself.

        Options and configuration are both maps, so the result is both: the map, and a plugin when called.
        A package that is not known may have added anything: its result is open.
        """
        result = next((each for each in arguments if self.configures(each)), None)
        if result is None:
            result = next((each for each in arguments if each.kind is UNKNOWN), function)
            result = unknown(result.value, at)
        elif not known:
            if result.kind is MAP:
                result = Node(MAP, list(result.items()), result.source, result.start, result.end, tag=OPEN)
            else:
                result = unknown(f"{function.value}(...)", at)
        self.wrappers[id(result)] = (result, known)
        return result

    def perhaps_calls(self, callback: Node, at: Node) -> None:
        """Follows a function that something unknown may call, any number of times."""
        self.unsettle(callback)
        before = self.perhaps()
        try:
            self.call(callback, (), at)
        finally:
            self.branches = before

    def unsettle(self, function: Node) -> None:
        """Makes unknown what a function changes that is called an unknown number of times."""
        known = self.functions.get(id(function))
        body = known[1].child_by_field_name("body") if known is not None else None
        if known is not None and body is not None:
            statements.havoc(self, body, known[2])

    def configures(self, node: Node) -> bool:
        return node.kind is MAP or id(node) in self.functions or (node.kind is CHOICE and any(
            self.configures(each) for each in node.value
        ))  # fmt: skip

    def run(self, branch: Branch, scope: Scope, arguments: Sequence[Node], at: Node) -> Node:
        """What a function returns."""
        if len(self.running) >= MOST_CALLS or branch.id in self.running or "*" in (c.type for c in branch.children):
            return self.cannot_tell(branch, scope)
        inner = Scope(scope, scope.tree, self.branches)
        parameters = branch.child_by_field_name("parameters")
        single = branch.child_by_field_name("parameter")
        listed = [single] if single is not None else parameters.named_children if parameters is not None else []
        listed = [each for each in listed if each.type != "comment"]
        for index, parameter in enumerate(listed):
            pattern = parameter.child_by_field_name("pattern") or parameter
            if pattern.type == "rest_pattern":
                rest = Node(SEQ, list(arguments[index:]), at.source, at.start, at.end)
                self.bind(pattern.named_children[0], rest, inner)
                continue
            given = arguments[index] if index < len(arguments) else None
            default = parameter.child_by_field_name("value")
            if default is not None and (given is None or given.tag == "undefined"):
                given = self.value(default, inner)
            self.bind(pattern, given if given is not None else self.cannot_tell(pattern, scope), inner)
        body = branch.child_by_field_name("body")
        if body is None:
            return self.cannot_tell(branch, scope)
        self.running.append(branch.id)
        try:
            if body.type != "statement_block":
                return self.value(body, inner)
            returns: list[Node] = []
            ended = statements.run(self, body.named_children, inner, returns)
            if not ended:
                returns.append(nothing(at))
            return choice(returns, returns[-1]) if returns else unknown("never", at)
        finally:
            self.running.pop()

    def bind(self, pattern: Branch, value: Node, scope: Scope) -> None:
        """Declares the names of a pattern with the parts of a value."""
        self.spend()
        kind = pattern.type
        if kind in ("identifier", "shorthand_property_identifier_pattern"):
            if value.kind is UNKNOWN and value.tag is None and value.value == "?":
                value = self.cannot_tell(pattern, scope)
            scope.names[scope.tree.text(pattern)] = value
        elif kind in ("object_pattern", "array_pattern"):
            statements.bind_parts(self, pattern, value, scope)
        elif kind in ("assignment_pattern", "object_assignment_pattern"):
            left, right = pattern.child_by_field_name("left"), pattern.child_by_field_name("right")
            if left is not None and right is not None:
                if value.tag == "undefined" or not value:
                    value = self.value(right, scope)
                elif value.kind is UNKNOWN:
                    value = choice([value, self.value(right, scope)], value)
                self.bind(left, value, scope)
