"""Turns a JavaScript or TypeScript file into the values it exports, without running it.

    module = evaluate(source, read=project.read)
    module.default                      # what it exports by default (`export default`, `module.exports`)
    module.exports["config"]            # what it exports by name
    lookup(module.default, "a", "b")    # a value inside; unknown, never absent, where something unseen may be
    module.result(node, *arguments)     # what a function-valued node returns
    module.calls                        # calls asked for with `watch`, in the order they would run

Values are `model.Node`s whose places are the expressions that wrote them, in whichever file that is.

* Literals, templates, objects, arrays, spreads, `const`, assignment, `push`, conditions, loops over known
  lists, calls of the file's own functions, the usual methods of texts and lists are followed.
* `process.env.NODE_ENV` is "production". Any other `process.env.X` is UNKNOWN with the value "process.env.X".
* What depends on something unknown and has few forms is a CHOICE; what cannot be told is UNKNOWN, its value the
  words that stand there. A text of which parts are known is UNKNOWN with the tag "template", its value the text
  with `${...}` in the gaps.
* A map with the tag "open" may have more entries than are seen; an element or an alternative with the tag "omitted"
  is nothing, one with the tag "falsy" is what an unset variable leaves of `process.env.X && value`; an unknown element
  with the tag "spread" is any number of elements. `lookup` and `alternatives` know.
* A function is UNKNOWN with the tag "function"; ask `module.result(node)` for what it returns.
* The order of entries and elements is told as written; where conditions decide what is there, it may differ.
* `undefined` is a plain null with the tag "undefined".
* Imports: `read(path)` gives the Source at a root-relative path or None. One level of `./`, `../` and `@/` imports is
  followed (also .json); values of anything else are UNKNOWN with the tag "import <specifier>#<name>".
* Packages that wrap a Next.js configuration give back the configuration they are given.

Calls as data: `calls={"service": function}` names functions of this module's caller by which a call is evaluated
instead: `function(arguments, at) -> Node` gets the argument nodes and an empty node at the call's place
(`at.source`, `at.start`, `at.end`), and gives the node that stands for the call, for example

    def service(arguments, at):
        key = Node(SCALAR, "service", at.source, at.start, at.end)
        return Node(MAP, [(key, Node(SEQ, list(arguments), at.source, at.start, at.end))], at.source, at.start, at.end)

The name is the one the function was exported under when it is imported (`import { service as s }`), else the callee
as written (`railway.service`). A function that the file itself defines is followed, not looked up.

Any text gives a Module. A text that does not parse, or that asks for more work than a configuration can need, gives
UNKNOWN values and a fatal problem; an empty text gives a default that is ABSENT.
"""

from __future__ import annotations

from elo_gate.model import ABSENT, UNKNOWN, Node, Problem

from .values import FUNCTION, OMITTED, OPEN, SPREAD, TEMPLATE, alternatives, certain, lookup, truth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from elo_gate.model import Source

    from .evaluator import Call, Evaluator, Hook

__all__ = [
    "FUNCTION",
    "OMITTED",
    "OPEN",
    "SPREAD",
    "TEMPLATE",
    "Module",
    "alternatives",
    "certain",
    "evaluate",
    "lookup",
    "truth",
]


class Module:
    """What a file exports. `outside`: functions that were called and come from elsewhere, one node each."""

    __slots__ = ("source", "default", "exports", "problems", "_evaluator")

    def __init__(self, source: Source, evaluator: Evaluator) -> None:
        self.source = source
        self.default: Node = ABSENT
        self.exports: dict[str, Node] = {}
        self.problems: list[Problem] = []
        self._evaluator = evaluator

    @property
    def calls(self) -> list[Call]:
        """The watched calls met so far: at the top level of the file, and in functions asked for with `result`."""
        return self._evaluator.recorded

    @property
    def outside(self) -> list[Node]:
        return self._evaluator.outside

    def result(self, node: Node, *arguments: Node) -> Node:
        """What a function returns when called; a choice for a choice of functions; the node itself when it is none."""
        from .evaluator import Exhausted

        if not (node.kind is UNKNOWN and node.tag == FUNCTION) and not any(
            each.tag == FUNCTION for each in alternatives(node)
        ):
            return node
        try:
            return self._evaluator.call(node, arguments, node)
        except (Exhausted, RecursionError):
            self._give_up()
            return Node(UNKNOWN, "too much to follow", node.source, node.start, node.end)

    def _give_up(self) -> None:
        words = "The file asks for more evaluation than a configuration needs; its values are not known."
        self.problems.append(Problem("limit", words, 0, min(1, len(self.source.text)), fatal=True))


def evaluate(
    source: Source,
    read: Callable[[str], Source | None] | None = None,
    calls: Mapping[str, Hook] | None = None,
    watch: Sequence[str] = (),
) -> Module:
    """Evaluates a file. `watch`: endings of callees (".headers.set") whose calls are recorded. Never raises."""
    from .evaluator import Evaluator, Exhausted
    from .grammar import Tree
    from .imports import run_file

    evaluator = Evaluator(read, calls or {}, tuple(watch))
    evaluator.imports.main = source.path
    module = Module(source, evaluator)
    if not source.text.strip():
        return module
    doubt = Node(UNKNOWN, "the file", source, 0, min(1, len(source.text)))
    try:
        tree = Tree(source)
        module.problems.extend(tree.problems)
        if tree.root is None:
            module.default = doubt
            return module
        space = run_file(evaluator, tree.root, tree)
    except (Exhausted, RecursionError, MemoryError):
        module._give_up()
        module.default = doubt
        return module
    module.exports = {key.value: value for key, value in space.items() if key.value != "module.exports"}
    module.default = module.exports.pop("default", ABSENT)
    return module
