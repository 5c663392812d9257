"""Turns import specifiers into the values they bring: one level of the repository's own files, known packages."""

from __future__ import annotations

from elo_gate.model import MAP, SCALAR, UNKNOWN, Node

from . import statements
from .grammar import Tree
from .values import OPEN, lookup, plain, put, string, unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tree_sitter import Node as Branch

    from elo_gate.model import Source

    from .evaluator import Evaluator, Scope

IMPORT = "import "
ENDINGS = ("", ".ts", ".tsx", ".js", ".mjs", ".cjs", ".mts", ".cts", ".json", "/index.ts", "/index.js", "/index.mjs")

# Packages whose functions take a Next.js configuration (or options first) and give it back with additions: by their
# stated purpose none takes security headers away or opens what was closed.
TRANSPARENT = frozenset({
    "@axiomhq/nextjs", "@builder.io/partytown", "@content-collections/next", "@ducanh2912/next-pwa",
    "@highlight-run/next/config", "@logtail/next", "@mdx-js/loader", "@million/lint", "@next/bundle-analyzer",
    "@next/mdx", "@nx/next", "@payloadcms/next/withPayload", "@posthog/nextjs-config", "@sentry/nextjs",
    "@serwist/next", "@vanilla-extract/next-plugin", "@vercel/microfrontends/next/config",
    "@vercel/toolbar/plugins/next", "botid/next/config", "fumadocs-mdx/next", "million/compiler", "next-axiom",
    "next-compose-plugins", "next-contentlayer", "next-contentlayer2", "next-intl/plugin", "next-plausible", "next-pwa",
    "next-transpile-modules", "next-translate", "next-translate-plugin", "next-video/process", "next-with-less",
    "next-yak/withYak", "nextra", "workflow/next",
})  # fmt: skip

# https://nextjs.org/docs/app/api-reference/config/next-config-js and packages/next/src/shared/lib/constants.ts
CONSTANTS = {
    "next/constants": {
        "PHASE_EXPORT": "phase-export",
        "PHASE_ANALYZE": "phase-analyze",
        "PHASE_PRODUCTION_BUILD": "phase-production-build",
        "PHASE_PRODUCTION_SERVER": "phase-production-server",
        "PHASE_DEVELOPMENT_SERVER": "phase-development-server",
        "PHASE_TEST": "phase-test",
        "PHASE_INFO": "phase-info",
    }
}


class Imports:
    """What a file's imports bring. `read` gives the source at a path inside the repository, or None."""

    __slots__ = ("read", "main", "loaded")

    def __init__(self, read: Callable[[str], Source | None] | None) -> None:
        self.read = read
        self.main = ""
        self.loaded: dict[str, Node] = {}

    def tag(self, specifier: str, name: str) -> str:
        return f"{IMPORT}{specifier}#{name}"

    def spelled(self, function: Node) -> str | None:
        """The exported name of an imported function, whatever it is called here."""
        if function.kind is not UNKNOWN or function.tag is None or not function.tag.startswith(IMPORT):
            return None
        name = function.tag.rpartition("#")[2]
        return name if name not in ("*", "default") and "." not in function.value else None

    def packaged(self, tag: str) -> bool:
        """Whether an import comes from a published package, not from this repository."""
        specifier = tag[len(IMPORT) :].rpartition("#")[0]
        return not specifier.startswith((".", "/", "@/", "~", "#", "src/", "$"))

    def wraps(self, function: Node) -> bool:
        """Whether an imported function is a plugin by its name (`withSomething`) and comes from a package."""
        return str(function.value).rpartition(".")[2].startswith("with") and self.packaged(function.tag or "")

    def constant(self, tag: str | None, name: str) -> str | None:
        if tag is None or not tag.startswith(IMPORT):
            return None
        return CONSTANTS.get(tag[len(IMPORT) :].rpartition("#")[0], {}).get(name)

    def declare(self, ev: Evaluator, branch: Branch, scope: Scope) -> None:
        """`import a, { b as c } from "d"`."""
        source = branch.child_by_field_name("source")
        clause = next((each for each in branch.named_children if each.type == "import_clause"), None)
        if source is None or clause is None or any(each.type == "type" for each in branch.children):
            return
        at = ev.place(source, scope)
        specifier = scope.tree.source.text[at.start + 1 : at.end - 1]
        for child in clause.named_children:
            if child.type == "identifier":
                self._name(ev, specifier, "default", child, scope)
            elif child.type == "namespace_import":
                self._name(ev, specifier, "*", child.named_children[-1], scope)
            elif child.type == "named_imports":
                for each in child.named_children:
                    name, alias = each.child_by_field_name("name"), each.child_by_field_name("alias")
                    if name is not None:
                        exported = scope.tree.text(name).strip("'\"")
                        self._name(ev, specifier, exported, alias or name, scope)

    def _name(self, ev: Evaluator, specifier: str, exported: str, local: Branch, scope: Scope) -> None:
        at = ev.place(local, scope)
        scope.names[scope.tree.text(local)] = self.imported(ev, specifier, exported, scope, at)

    def imported(self, ev: Evaluator, specifier: str, exported: str, scope: Scope, at: Node) -> Node:
        """The value of one imported name."""
        constant = CONSTANTS.get(specifier, {}).get(exported)
        if constant is not None:
            return string(constant, at)
        space = self._file(ev, specifier, scope)
        if space is not None:
            if exported == "*":
                return space
            found = lookup(space, exported)
            return found or unknown(exported, at)
        node = unknown(at.source.text[at.start : at.end], at, self.tag(specifier, exported))
        if specifier in TRANSPARENT:
            ev.wrappers[id(node)] = (node, True)
        return node

    def load(self, ev: Evaluator, arguments: Sequence[Node], scope: Scope, at: Node) -> Node:
        """`require("x")` and `import("x")`."""
        if not arguments or arguments[0].kind is not SCALAR:
            return unknown("require(...)", at)
        specifier = str(arguments[0].value)
        space = self._file(ev, specifier, scope)
        if space is not None:
            commons = space.get("module.exports")
            return commons or space
        node = unknown(specifier.rpartition("/")[2], at, self.tag(specifier, "*"))
        if specifier in TRANSPARENT:
            ev.wrappers[id(node)] = (node, True)
        return node

    def _file(self, ev: Evaluator, specifier: str, scope: Scope) -> Node | None:
        """What a file of the repository exports, as a map; None when it cannot be read from here."""
        origin = scope.tree.source.path
        if self.read is None or not specifier.startswith((".", "@/")) or origin != self.main:
            return None
        for path in resolved(specifier, origin):
            for ending in ENDINGS:
                if path + ending in self.loaded:
                    return self.loaded[path + ending]
                source = self.read(path + ending) if path or ending else None
                if source is not None:
                    self.loaded[path + ending] = space = exported_by(ev, source)
                    return space
        return None


def resolved(specifier: str, origin: str) -> list[str]:
    """The root-relative paths that a specifier in a file can mean, without its ending.

    `@/` is the alias that create-next-app writes into tsconfig.json, for `src/` or for the project's folder.
    """
    folder = origin.rpartition("/")[0]
    if specifier.startswith("@/"):
        inside = folder.split("/") if folder else []
        base = "/".join(inside[: inside.index("src")] if "src" in inside else inside)
        rest = specifier[2:]
        return [f"{base}/{path}".lstrip("/") for path in (f"src/{rest}", rest)] if ".." not in rest else []
    parts = folder.split("/") if folder else []
    for step in specifier.split("/"):
        if step == "..":
            if not parts:
                return []
            parts.pop()
        elif step not in (".", ""):
            parts.append(step)
    path = "/".join(parts)
    # TypeScript's own spelling for its modules is the name of the output.
    return [path, path[:-3]] if path.endswith(".js") else [path]


def exported_by(ev: Evaluator, source: Source) -> Node:
    """What a file exports, as a map with "default", the names, and "module.exports" for the old form."""
    nowhere = Node(UNKNOWN, source.path.rpartition("/")[2], source, 0, 0)
    if not source.text.strip():
        return nowhere
    if source.path.endswith(".json"):
        from elo_gate.syntax import json

        root, problems = json.parse(source)
        if any(problem.fatal for problem in problems):
            return nowhere
        return Node(MAP, [(plain("default", nowhere), root), (plain("module.exports", nowhere), root)], source, 0, 0)
    tree = Tree(source)
    return run_file(ev, tree.root, tree) if tree.root is not None else nowhere


def run_file(ev: Evaluator, root: Branch, tree: Tree) -> Node:
    """Follows a whole file; gives the map of its exports."""
    scope = ev.file_scope(tree)
    at = Node(UNKNOWN, "", tree.source, 0, 0)
    module = Node(MAP, [], tree.source, 0, 0)
    exports = Node(MAP, [], tree.source, 0, 0)
    put(module, (plain("exports", at), exports))
    scope.names.update(module=module, exports=exports)
    space = Node(MAP, [], tree.source, 0, 0)
    names: list[tuple[str, Branch]] = []  # exported name, the local name's place
    body = root.named_children
    statements.hoist(ev, body, scope)
    for branch in body:
        if branch.type == "import_statement":
            self_require = next((each for each in branch.named_children if each.type == "import_require_clause"), None)
            if self_require is None:
                ev.imports.declare(ev, branch, scope)
            else:
                _import_require(ev, self_require, scope)
        elif branch.type == "export_statement":
            _export(ev, branch, scope, space, names)
        else:
            statements.run(ev, [branch], scope, [])
    for exported, local in names:
        put(space, (plain(exported, ev.place(local, scope)), ev.find(tree.text(local), local, scope)))
    common = module.get("exports")
    if common is not exports or exports.value or exports.tag == OPEN:
        put(space, (plain("module.exports", at), common))
        if not space.get("default"):
            put(space, (plain("default", at), common))
        for key, value in common.items():
            if not space.get(key.value):
                put(space, (key, value))
    return space


def _import_require(ev: Evaluator, clause: Branch, scope: Scope) -> None:
    """`import a = require("b")`."""
    name, source = clause.named_children[0], clause.child_by_field_name("source")
    if source is not None:
        at = ev.place(source, scope)
        scope.names[scope.tree.text(name)] = ev.imports.load(ev, [ev.value(source, scope)], scope, at)


def _export(ev: Evaluator, branch: Branch, scope: Scope, space: Node, names: list[tuple[str, Branch]]) -> None:
    tree = scope.tree
    at = ev.place(branch, scope)
    declaration, value = branch.child_by_field_name("declaration"), branch.child_by_field_name("value")
    marks = {each.type for each in branch.children}
    if "=" in marks and value is None:  # `export = config`
        value = next((each for each in branch.named_children if each.type != "comment"), None)
        marks.add("default")
    if declaration is not None:
        if "default" in marks:
            name = declaration.child_by_field_name("name")
            found = ev.find(tree.text(name), name, scope) if name is not None else ev.function(declaration, scope)
            put(space, (plain("default", at), found))
            return
        statements.run(ev, [declaration], scope, [])
        if declaration.type == "function_declaration" or declaration.type.endswith("class_declaration"):
            name = declaration.child_by_field_name("name")
            if name is not None:
                names.append((tree.text(name), name))
        for declarator in declaration.named_children if declaration.type.endswith("able_declaration") or (
            declaration.type == "lexical_declaration"
        ) else ():  # fmt: skip
            pattern = declarator.child_by_field_name("name")
            if pattern is not None and pattern.type == "identifier":
                names.append((tree.text(pattern), pattern))
            elif pattern is not None:
                space.tag = OPEN
        return
    if value is not None:
        put(space, (plain("default", at), ev.value(value, scope)))
        return
    source = branch.child_by_field_name("source")
    clause = next((each for each in branch.named_children if each.type == "export_clause"), None)
    if clause is None:
        space.tag = OPEN  # export * from
        return
    for each in clause.named_children:
        name, alias = each.child_by_field_name("name"), each.child_by_field_name("alias")
        if name is None:
            continue
        exported = tree.text(alias or name).strip("'\"")
        if source is None:
            names.append((exported, name))
        else:
            specifier = tree.text(source).strip("'\"")
            local = tree.text(name).strip("'\"")
            put(space, (plain(exported, at), ev.imports.imported(ev, specifier, local, scope, ev.place(name, scope))))
