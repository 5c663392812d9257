"""The shallow view of a module of JavaScript or TypeScript: what it imports, exports, declares, calls and catches.

Nothing is evaluated and no scope is built: a name that is declared anywhere in the file counts as declared everywhere.
Branches are tree-sitter's; `Module.node` and `Module.token` make nodes of them. It is filled by `code_reader.read`.
"""

from __future__ import annotations

from bisect import bisect_left

from ..model import SCALAR, UNKNOWN, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tree_sitter import Node as Branch

    from ..syntax.javascript.grammar import Tree

    # The innermost named function's name, the innermost function, the innermost class, inside a `catch`.
    Around = tuple[str, Branch | None, "Class | None", bool]

FUNCTIONS = frozenset((
    "function_declaration", "function_expression", "arrow_function", "method_definition",
    "generator_function_declaration", "generator_function",
))  # fmt: skip


class Call:
    """A call or `new`: the callee as written without spaces, its arguments, where it stands.

    `function`: the name of the innermost named function around it, "" at the top; `owner`: the innermost function.
    `within`: the innermost class. `caught`: it stands in a `catch`.
    """

    __slots__ = ("callee", "branch", "arguments", "function", "owner", "within", "awaited", "caught", "new")

    def __init__(self, callee: str, branch: Branch, arguments: list[Branch], around: Around, new: bool) -> None:
        self.callee = callee
        self.branch = branch
        self.arguments = arguments
        self.function, self.owner, self.within, self.caught = around
        self.awaited = branch.parent is not None and branch.parent.type == "await_expression"
        self.new = new

    @property
    def last(self) -> str:
        """The last name of the callee: `count` of `prisma.user.count`."""
        return self.callee.rpartition(".")[2]

    @property
    def name(self) -> Branch:
        """The branch of the callee."""
        return self.branch.child_by_field_name("constructor" if self.new else "function") or self.branch


class Import:
    """One name that is imported. `name`: what it is called there ("default", "*")."""

    __slots__ = ("local", "name", "source", "branch", "type_only")

    def __init__(self, local: str, name: str, source: str, branch: Branch, type_only: bool) -> None:
        self.local = local
        self.name = name
        self.source = source
        self.branch = branch
        self.type_only = type_only


class Class:
    """A class: its members by name (method or field branches), what it extends."""

    __slots__ = ("name", "branch", "members", "extends")

    def __init__(self, name: Branch | None, branch: Branch, extends: str) -> None:
        self.name = name
        self.branch = branch
        self.members: dict[str, Branch] = {}
        self.extends = extends


class Module:
    """The shallow view. Every list is in the order of the text."""

    __slots__ = (
        "tree", "directives", "imports", "sources", "exports", "declared", "uses", "tags", "calls", "classes",
        "catches", "functions", "texts", "members", "open", "_constants", "_starts",
    )  # fmt: skip

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.directives: set[str] = set()
        self.imports: dict[str, Import] = {}
        self.sources: list[tuple[str, Branch]] = []
        self.exports: dict[str, Branch] = {}
        self.declared: set[str] = set()
        self.uses: list[tuple[str, Branch]] = []
        self.tags: list[tuple[str, Branch]] = []
        self.calls: list[Call] = []
        self.classes: list[Class] = []
        self.catches: list[Branch] = []
        self.functions: dict[str, Branch] = {}
        self.texts: list[tuple[str, Branch]] = []
        self.members: list[tuple[str, Branch]] = []  # member expressions as written: "this.state.hasError"
        self.open = False  # names may come from elsewhere: `declare global`
        self._constants: dict[str, Branch] | None = None
        self._starts: list[int] | None = None

    def text(self, branch: Branch) -> str:
        return self.tree.text(branch)

    def node(self, branch: Branch) -> Node:
        """A node at the place of a branch; a literal text is its value, anything else is UNKNOWN with its words."""
        start, end = self.tree.start(branch), self.tree.end(branch)
        literal = self.literal(branch)
        if literal is not None:
            return Node(SCALAR, literal, self.tree.source, start, end, "'")
        return Node(UNKNOWN, self.tree.source.text[start:end][:120], self.tree.source, start, end)

    def token(self, branch: Branch, text: str | None = None) -> Node:
        """A node at the place of a branch whose value is its words."""
        start, end = self.tree.start(branch), self.tree.end(branch)
        return Node(SCALAR, text if text is not None else self.text(branch), self.tree.source, start, end, "'")

    def literal(self, branch: Branch | None) -> str | None:
        """The text of a string or a template without gaps, None for anything else."""
        branch = bare(branch)
        if branch is None or branch.type not in ("string", "template_string"):
            return None
        if any(child.type == "template_substitution" for child in branch.named_children):
            return None
        return self.text(branch)[1:-1]

    def number(self, branch: Branch | None, depth: int = 0) -> float | None:
        """The number of a literal, of a `const`, of a small sum or product of them; None for anything else."""
        branch = bare(branch)
        if branch is None or depth > 8:
            return None
        if branch.type == "number":
            try:
                return float(self.text(branch).replace("_", ""))
            except ValueError:
                return None
        if branch.type == "binary_expression":
            left = self.number(branch.child_by_field_name("left"), depth + 1)
            right = self.number(branch.child_by_field_name("right"), depth + 1)
            operator = branch.child_by_field_name("operator")
            if left is None or right is None or operator is None:
                return None
            return {"*": left * right, "+": left + right, "-": left - right}.get(self.text(operator))
        if branch.type == "identifier":
            return self.number(self.constant(self.text(branch)), depth + 1)
        return None

    def calls_in(self, branch: Branch) -> Sequence[Call]:
        """The calls within a branch, in the order of the text."""
        if self._starts is None:
            self._starts = [call.branch.start_byte for call in self.calls]
        found = self.calls[bisect_left(self._starts, branch.start_byte) : bisect_left(self._starts, branch.end_byte)]
        return [call for call in found if call.branch.end_byte <= branch.end_byte]

    def constant(self, name: str) -> Branch | None:
        """The value of a `const` at the top of the file."""
        if self._constants is None:
            self._constants = dict(self._top())
        return self._constants.get(name)

    def _top(self) -> Iterator[tuple[str, Branch]]:
        root = self.tree.root
        for statement in root.named_children if root is not None else ():
            inner = statement.child_by_field_name("declaration") if statement.type == "export_statement" else statement
            if inner is None or inner.type != "lexical_declaration" or inner.children[0].type != "const":
                continue
            for each in inner.named_children:
                target, value = each.child_by_field_name("name"), each.child_by_field_name("value")
                if target is not None and target.type == "identifier" and value is not None:
                    yield self.text(target), value

    def entries(self, branch: Branch | None) -> tuple[dict[str, tuple[Branch, Branch]], bool]:
        """(name -> (key, value) of an object literal, whether nothing unseen is in it)."""
        branch = self.resolved(branch)
        if branch is None or branch.type != "object":
            return {}, False
        found: dict[str, tuple[Branch, Branch]] = {}
        whole = True
        for each in branch.named_children:
            if each.type == "pair":
                key, value = each.child_by_field_name("key"), each.child_by_field_name("value")
                if key is None or value is None or key.type == "computed_property_name":
                    whole = False
                    continue
                found[self.literal(key) or self.text(key)] = (key, value)
            elif each.type == "shorthand_property_identifier":
                found[self.text(each)] = (each, each)
            elif each.type == "method_definition":
                key = each.child_by_field_name("name")
                if key is not None:
                    found[self.text(key)] = (key, each)
            elif each.type != "comment":
                whole = False
        return found, whole

    def elements(self, branch: Branch | None) -> tuple[list[Branch], bool]:
        """(the elements of an array literal, whether nothing unseen is in it)."""
        branch = self.resolved(branch)
        if branch is None or branch.type != "array":
            return [], False
        found = [each for each in branch.named_children if each.type not in ("comment", "spread_element")]
        return found, not any(each.type == "spread_element" for each in branch.named_children)

    def resolved(self, branch: Branch | None) -> Branch | None:
        """A branch without parentheses and types; the value of a `const` for its name."""
        branch = bare(branch)
        if branch is not None and branch.type in ("identifier", "shorthand_property_identifier"):
            return bare(self.constant(self.text(branch)))
        return branch

    def from_package(self, *packages: str) -> Iterator[Import]:
        """What is imported from packages or their subpaths."""
        for each in self.imports.values():
            if not each.type_only and any(
                each.source == name or each.source.startswith(name + "/") for name in packages
            ):
                yield each


def bare(branch: Branch | None) -> Branch | None:
    """What an expression is under parentheses, `as`, `satisfies`, `!` and `await`."""
    while branch is not None and branch.type in (
        "parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression",
    ):  # fmt: skip
        branch = next((child for child in branch.named_children if child.type != "comment"), None)
    return branch


def inside(branch: Branch, outer: Branch) -> bool:
    """Whether a branch stands within another."""
    return outer.start_byte <= branch.start_byte and branch.end_byte <= outer.end_byte


def below(branch: Branch, kinds: Iterable[str]) -> Iterator[Branch]:
    """Every branch of some types below one, in the order of the text; functions inside it are entered too."""
    wanted = frozenset(kinds)
    stack = list(reversed(branch.named_children))
    while stack:
        each = stack.pop()
        if each.type in wanted:
            yield each
        stack.extend(reversed(each.named_children))


def is_empty(function: Branch) -> bool:
    """Whether a function's body holds no statement; comments are none."""
    body = function.child_by_field_name("body")
    if body is None or body.type != "statement_block":
        return False
    return all(child.type == "comment" for child in body.named_children)
