"""Turns a seed into a small JavaScript program of the forms configuration files take, and asks node what it gives."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from typing import Any

from elo_gate.model import CHOICE, MAP, SCALAR, UNKNOWN, Node
from elo_gate.syntax.javascript import OMITTED, OPEN, SPREAD, TEMPLATE

NODE = shutil.which("node")
ENVIRONMENTS: list[dict[str, str]] = [{}, {"A": ""}, {"A": "1", "B": "x"}, {"B": "y"}]
RUN = """
const vm = require('vm');
const cases = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const out = cases.map(([text, env]) => {
  try {
    const context = { module: { exports: {} }, process: { env: { NODE_ENV: 'production', ...env } },
      times: (f) => { for (let i = 0; i < Number(env.A || 0) + 1; i++) f(i, {}); } };
    vm.runInNewContext(text, context, { timeout: 500 });
    const value = context.module.exports;
    const mark = (v) => v === undefined ? { $: 'undefined' } : typeof v === 'function' ? { $: 'function' }
      : typeof v === 'number' && !Number.isFinite(v) ? { $: 'number' } : v === null || typeof v !== 'object' ? v
      : Array.isArray(v) ? Array.from(v, mark) : Object.fromEntries(Object.entries(v).map(([k, w]) => [k, mark(w)]));
    return { value: mark(value) };
  } catch (error) { return { error: String(error) }; }
});
process.stdout.write(JSON.stringify(out));
"""


def answers(cases: list[tuple[str, dict[str, str]]]) -> list[dict[str, Any]]:
    """What node computes for each (program, environment): {"value": ...} or {"error": ...}."""
    assert NODE is not None
    done = subprocess.run([NODE, "-e", RUN], input=json.dumps(cases), capture_output=True, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


class Writer:
    """Writes one program. `lists`, `maps` and `texts` are the names that hold such a value for certain."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names: list[str] = []
        self.lists: list[str] = []
        self.maps: list[str] = []
        self.functions: list[str] = []
        self.count = 0

    def pick(self, *options: Any) -> Any:
        return self.random.choice(options)

    def fresh(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def program(self) -> str:
        lines = [self.declaration() for _ in range(3)]
        lines += [self.statement(0) for _ in range(self.random.randint(2, 7))]
        if self.maps and self.random.random() < 0.7:
            lines.append(f"module.exports = {self.pick(*self.maps)}")
        else:
            lines.append(f"module.exports = {self.expression(0)}")
        if self.random.random() < 0.2:
            lines.append(f"module.exports.{self.pick(*'abc')} = {self.expression(2)}")
        return "\n".join(lines)

    def declaration(self) -> str:
        name = self.fresh()
        kind = self.random.random()
        if kind < 0.35:
            text = f"let {name} = {self.map(1)}"
            self.maps.append(name)
        elif kind < 0.65:
            text = f"let {name} = {self.list(1)}"
            self.lists.append(name)
        elif kind < 0.8:
            inner = "\n".join(self.inside(lambda: [self.statement(2) for _ in range(self.random.randint(0, 2))]))
            text = f"function {name}(p, q = 1) {{ {inner}\n return {self.with_names(['p', 'q'])} }}"
            self.functions.append(name)
            return text
        else:
            text = f"let {name} = {self.expression(1)}"
        self.names.append(name)
        return text

    def inside(self, make: Any) -> Any:
        kept = (list(self.names), list(self.lists), list(self.maps), list(self.functions))
        try:
            return make()
        finally:
            self.names, self.lists, self.maps, self.functions = kept

    def with_names(self, names: list[str]) -> str:
        def make() -> str:
            self.names += names
            return self.expression(1)

        return str(self.inside(make))

    def statement(self, depth: int) -> str:
        kind = self.random.random()
        if kind < 0.2 or depth > 3:
            return self.declaration() if depth == 0 else self.change()
        if kind < 0.55:
            return self.change()
        if kind < 0.8:
            body = self.block(depth)
            other = f" else {self.block(depth)}" if self.random.random() < 0.4 else ""
            return f"if ({self.condition()}) {body}{other}"
        if kind < 0.92 and self.lists:
            name = self.fresh()

            def make() -> str:
                self.names.append(name)
                skip = (
                    f"if ({self.condition()}) {self.pick('continue', 'break')};" if self.random.random() < 0.3 else ""
                )
                return f"{{ {skip} {self.change()} }}"

            return f"for (const {name} of {self.pick(*self.lists)}.slice ? {self.list(2)} : []) {self.inside(make)}"
        return f"switch ({self.expression(2)}) {{ case 'a': {self.change()}; break; default: {self.change()} }}"

    def block(self, depth: int) -> str:
        lines = self.inside(lambda: [self.statement(depth + 1) for _ in range(self.random.randint(1, 2))])
        return "{ " + "\n".join(lines) + " }"

    def change(self) -> str:
        kind = self.random.random()
        if kind < 0.35 and self.maps:
            return f"{self.pick(*self.maps)}.{self.pick(*'abc')} = {self.expression(2)};"
        if kind < 0.6 and self.lists:
            return f"{self.pick(*self.lists)}.{self.pick('push', 'push', 'unshift')}({self.expression(2)});"
        if kind < 0.7 and self.maps:
            return f"Object.assign({self.pick(*self.maps)}, {self.map(2)});"
        if kind < 0.75 and self.maps:
            return f"delete {self.pick(*self.maps)}.{self.pick(*'abc')};"
        if kind < 0.79:
            return f"times((e) => {{ {self.inside(self.change)} {self.assignment('e')} }});"
        if kind < 0.86 and self.lists:
            return f"{self.pick(*self.lists)}.forEach((e) => {{ {self.assignment('e')} }});"
        return self.assignment()

    def assignment(self, *names: str) -> str:
        plain = [name for name in self.names if name not in self.lists and name not in self.maps and name[0] == "v"]
        if not plain:
            return ";"
        return f"try {{ {self.pick(*plain)} {self.pick('=', '=', '||=', '+=')} {self.with_names(list(names))} }} catch (_) {{}}"

    def condition(self, depth: int = 3) -> str:
        known = (
            "process.env.A", "process.env.NODE_ENV === 'production'", "process.env.NODE_ENV !== 'production'",
            "process.env.B === 'x'", "!process.env.A", "true",
        )  # fmt: skip
        if self.random.random() < 0.75:
            return str(self.pick(*known))
        return f"{self.pick('', '!')}({self.expression(depth + 1)})"

    def map(self, depth: int) -> str:
        parts = []
        for _ in range(self.random.randint(0, 3)):
            kind = self.random.random()
            if kind < 0.6:
                parts.append(f"{self.pick(*'abc')}: {self.expression(depth + 1)}")
            elif kind < 0.8:
                parts.append(
                    self.pick("...({0} && {1})", "...({0} ? {1} : {{}})").format(
                        self.condition(depth), self.map(depth + 1)
                    )
                )
            elif self.maps:
                parts.append(f"...{self.pick(*self.maps)}")
            elif self.names:
                parts.append(self.pick(*self.names))
        return "{ " + ", ".join(parts) + " }" if depth < 5 else "{}"

    def list(self, depth: int) -> str:
        if depth > 4:
            return "[]"
        kind = self.random.random()
        if kind < 0.2 and self.lists:
            method = self.pick(
                "filter(Boolean)", f"map((e) => ({self.with_names(['e'])}))", f"concat({self.list(depth + 1)})",
                f"concat({self.expression(depth + 1)})", f"filter((e) => ({self.with_names(['e'])}))", "flat()", "reverse()",
                f"flatMap((e) => ({self.with_names(['e'])}))",
            )  # fmt: skip
            return f"{self.pick(*self.lists)}.{method}"
        parts = []
        for _ in range(self.random.randint(0, 3)):
            kind = self.random.random()
            if kind < 0.6:
                parts.append(self.expression(depth + 1))
            elif kind < 0.8:
                parts.append(f"...({self.condition(depth)} ? {self.list(depth + 1)} : {self.list(depth + 2)})")
            elif self.lists:
                parts.append(f"...{self.pick(*self.lists)}")
        return "[" + ", ".join(parts) + "]"

    def expression(self, depth: int) -> str:
        kind = self.random.random()
        if depth > 4 or kind < 0.25:
            return str(self.pick("'a'", "'b'", '""', "0", "1", "true", "false", "null", "undefined", "'a-b'", "2 * 3"))
        if kind < 0.35:
            return str(self.pick("process.env.A", "process.env.B", "process.env.NODE_ENV"))
        if kind < 0.5 and self.names:
            return str(self.pick(*self.names))
        if kind < 0.6:
            return f"({self.condition(depth)} ? {self.expression(depth + 1)} : {self.expression(depth + 1)})"
        if kind < 0.7:
            return f"({self.expression(depth + 1)} {self.pick('||', '&&')} {self.expression(depth + 1)})"
        if kind < 0.73:
            return f"({self.expression(depth + 1)} {self.pick('??', '===', '!==')} {self.expression(depth + 1)})"
        if kind < 0.78:
            return f"`x${{{self.expression(depth + 2)}}}-${{{self.expression(depth + 2)}}}`"
        if kind < 0.81:
            return f"('p' + {self.expression(depth + 2)})"
        if kind < 0.85:
            return f"{self.list(depth + 1)}.join({self.pick(repr('; '), repr(''), '')})"
        if kind < 0.9 and self.functions:
            return f"{self.pick(*self.functions)}({self.expression(depth + 1)})"
        if kind < 0.93 and self.maps:
            return f"{self.pick(*self.maps)}.{self.pick(*'abc')}"
        if kind < 0.95 and self.lists:
            return f"{self.pick(*self.lists)}{self.pick('.length', '[0]', '[1]')}"
        return self.map(depth + 1) if kind < 0.98 else self.list(depth + 1)


def admits(node: Node, value: Any, depth: int = 0) -> bool:
    """Whether a node allows a value that node computed."""
    if node.kind is UNKNOWN:
        if node.tag == TEMPLATE and isinstance(value, str):
            return all(part in value for part in _written(node.value))
        return node.tag != TEMPLATE
    if depth > 30:
        return True
    if node.kind is CHOICE:
        return any(admits(each, value, depth + 1) for each in node.value)
    if node.kind is SCALAR:
        if node.style:
            return bool(value == node.value) and isinstance(value, str)
        if node.is_null():
            return value is None or value == {"$": "undefined"}
        if node.value in ("true", "false"):
            return value is (node.value == "true")
        if node.value == "NaN":
            return bool(value == {"$": "number"})
        return not isinstance(value, bool) and isinstance(value, (int, float)) and node.number() == value
    if node.kind is MAP:
        if not isinstance(value, dict) or "$" in value:
            return False
        for key, item in node.items():
            if key.value in value:
                if not admits(item, value[key.value], depth + 1):
                    return False
            elif not _may_be_missing(item):
                return False
        return node.tag == OPEN or all(name in (node.index or {}) for name in value)
    return isinstance(value, list) and _fits(node.value, value, depth)


def _may_be_missing(node: Node) -> bool:
    return node.kind is UNKNOWN or node.tag == OMITTED or (
        node.kind is CHOICE and any(_may_be_missing(each) for each in node.value)
    )  # fmt: skip


def _written(text: str) -> list[str]:
    """The literal parts of a text with `${...}` gaps."""
    parts, rest = [], text
    while "${" in rest:
        before, _, rest = rest.partition("${")
        parts.append(before)
        level = 1
        for index, character in enumerate(rest):
            level += (character == "{") - (character == "}")
            if level == 0:
                rest = rest[index + 1 :]
                break
        else:
            rest = ""
    return [*parts, rest]


def _fits(nodes: list[Node], values: list[Any], depth: int) -> bool:
    if not nodes:
        return not values
    first, rest = nodes[0], nodes[1:]
    if first.tag == SPREAD:
        return any(_fits(rest, values[index:], depth + 1) for index in range(len(values) + 1))
    if _gone(first) and _fits(rest, values, depth + 1):
        return True
    return bool(values) and admits(first, values[0], depth + 1) and _fits(rest, values[1:], depth + 1)


def _gone(node: Node) -> bool:
    return node.tag == OMITTED or (node.kind is CHOICE and any(each.tag == OMITTED for each in node.value))
