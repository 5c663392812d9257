"""JavaScript read, not run: the forms configuration files take, soundness against node, budgets, spans."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from elo_gate.model import ABSENT, CHOICE, MAP, SCALAR, SEQ, UNKNOWN, Node, Source, walk
from elo_gate.syntax.javascript import OMITTED, OPEN, SPREAD, Module, evaluate, lookup


def plain(node: Node) -> Any:
    """A node as Python data: `?words` for unknown, a set-like tuple for a choice, `None` for what is not there."""
    if node.kind is MAP:
        entries = {key.value: plain(value) for key, value in node.items()}
        return {**entries, "...": "open"} if node.tag == OPEN else entries
    if node.kind is SEQ:
        return [plain(each) for each in node.value]
    if node.kind is CHOICE:
        return tuple(plain(each) for each in node.value)
    if node.kind is UNKNOWN:
        return f"?{node.value}" + ("..." if node.tag == SPREAD else "")
    if node is ABSENT or node.tag == OMITTED or node.is_null():
        return None
    if node.style:
        return node.value
    return node.number() if node.number() is not None else {"true": True, "false": False}.get(node.value, node.value)


def module(text: str, path: str = "next.config.mjs", **files: str) -> Module:
    sources = {name.replace("__", "/").replace("_", "."): text for name, text in files.items()}
    return evaluate(Source(path, text), lambda at: Source(at, sources[at]) if at in sources else None)


def value(expression: str, before: str = "") -> Any:
    return plain(module(f"{before}\nexport default {expression}").default)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'a\\u00e9\\x41\\n'", "aéA\n"),
        ("1_000 * 2 + 0.5", 2000.5),
        ("`a${'b'}${1 + 1}`", "ab2"),
        ("({ a: 1, 'b-c': [true, null], ['d' + 'e']: -3 })", {"a": 1, "b-c": [True, None], "de": -3}),
        ("(<const>{ a: 1 } as any)! satisfies T", {"a": 1}),
        ("['a', 'b'].join('; ')", "a; b"),
        ("`\n a   b\n`.replace(/\\s{2,}/g, ' ').trim()", "a b"),
        ("'a\\nb'.replace(/\\n/g, '')", "ab"),
        ("['a'].concat(['b'], 'c')", ["a", "b", "c"]),
        ("['/a', '/b'].map((source) => ({ source }))", [{"source": "/a"}, {"source": "/b"}]),
        ("[0, 'a', null, undefined, false, 'b'].filter(Boolean)", ["a", "b"]),
        ("Object.entries({ a: 1 }).map(([key, value]) => ({ key, value }))", [{"key": "a", "value": 1}]),
        ("Object.assign({ a: 1 }, { b: 2 }, { a: 3 })", {"a": 3, "b": 2}),
        ("[...[1, 2], ...(true ? [3] : [])]", [1, 2, 3]),
        ("({ ...{ a: 1 }, a: 2, ...(false && { a: 3 }) })", {"a": 2}),
        ("process.env.NODE_ENV === 'production' ? 'p' : 'd'", "p"),
        ("process.env['NODE_ENV'] !== 'production' && 'd'", False),
        ("process.env.X", "?process.env.X"),
        ("process.env.X || 'y'", ("?process.env.X", "y")),
        ("process.env.X ? 'a' : 'b'", ("a", "b")),
        ("process.env.X ? 'a' : 'a'", "a"),
        ("`a ${process.env.X} b`", "?a ${process.env.X} b"),
        ("['a', process.env.X ? 'b' : 'c'].join('')", ("ab", "ac")),
        ("[...(process.env.X ? ['a'] : [])]", [("a", None)]),
        ("({ ...(process.env.X && { a: 1 }) })", {"a": (None, 1)}),
        ("({ a: 1, ...other })", {"a": (1, "?other"), "...": "open"}),
        ("[1, ...other]", [1, "?other..."]),
        ("new URL('https://a.example:8443/b/c?d=e').hostname", "a.example"),
        ("other(1).x", "?other(...).x"),
        ("(await import('unheard-of')).default", "?unheard-of.default"),
        ("/(a+)+$/.test('aaaa')", "?/(a+)+$/.test(...)"),
        ("'aaa'.replace(/(a+)+$/, 'b')", "?replace(...)"),
    ],
)
def test_an_expression(expression: str, expected: Any) -> None:
    path = "a.ts" if "satisfies" in expression or "<const>" in expression else "a.mjs"
    assert plain(module(f"export default {expression}", path).default) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("const a = { b: 1 }; a.c = 2; a.d ??= 3; module.exports = a", {"b": 1, "c": 2, "d": 3}),
        ("exports.a = 1; exports.b = { c: exports.a }", {"a": 1, "b": {"c": 1}}),
        ("module.exports = { a: 1 }; module.exports = { ...module.exports, b: 2 }", {"a": 1, "b": 2}),
        ("const list = ['a']; if (process.env.NODE_ENV === 'production') list.push('b'); export default list", ["a", "b"]),
        ("const list = []; if (process.env.X) list.push('a'); else list.push('b'); export default list", [("a", None), ("b", None)]),
        ("const a = {}; if (process.env.X) { a.b = 1 }; export default a", {"b": (1, None)}),
        ("const { a, b: { c = 2 } = {}, ...rest } = { a: 1, b: {}, d: 3 }; export default [a, c, rest]", [1, 2, {"d": 3}]),
        ("const [, a = 'x', ...b] = [1, undefined, 3, 4]; export default { a, b }", {"a": "x", "b": [3, 4]}),
        ("const out = []; for (const x of ['a', 'b', 'c']) { if (x === 'b') continue; out.push(x) } export default out", ["a", "c"]),
        ("const all = []; ['a', 'b'].forEach((x, i) => all.push(`${x}${i}`)); export default all", ["a0", "b1"]),
        ("function f(x = 1, ...more) { return [x, more] } export default f(undefined, 2, 3)", [1, [2, 3]]),
        ("const f = (x) => { if (x) return 'a'; return 'b' }; export default f(process.env.X)", ("a", "b")),
        ("let a = 'x'; try { a = require('./gone') } catch { a = 'y' } export default { a }", {"a": ("y", "?gone")}),
        ("const a = { b: 1 }; change(a); export default a", {"b": (1, "?a later change"), "...": "open"}),
        ("const a = ['x']; names.forEach((n) => { a.push(n) }); export default a", ["?a later change...", "x", "?a later change...", ("?n", None)]),
        ("const a = { b: 1 }; console.log(a); export default a", {"b": 1}),
        ("let a = 1; while (x()) a = 2; export default a", (2, 1, "?a")),
        ("const a = { b: { c: 1 } }; const d = a.b; d.c = 2; export { a as default }", {"b": {"c": 2}}),
        ("export default async function () { return { a: 1 } }", {"a": 1}),
        ("module.exports = (phase, { defaultConfig }) => ({ ...defaultConfig, a: phase })", {"a": "?phase", "...": "open"}),
    ],
)  # fmt: skip
def test_a_file(text: str, expected: Any) -> None:
    found = module(text.replace("; ", ";\n"))
    assert plain(found.result(found.default)) == expected
    assert not found.problems


WRAPPED = [
    "export default withSentryConfig(withNextIntl(nextConfig), { silent: true })",
    "export default [withBundle, withMDX].reduce((config, plugin) => plugin(config), nextConfig)",
    "nextConfig = withMDX(nextConfig)\nexport default nextConfig",
    "module.exports = withBundle(nextConfig)\nmodule.exports = withSentryConfig(module.exports, { org: 'a' })",
    "export default async () => { const plugins = [withBundle]; return plugins.reduce((a, p) => p(a), { ...nextConfig }) }",
    "export default process.env.ANALYZE ? withBundle(nextConfig) : nextConfig",
    "const all = [withMDX]\nif (process.env.ANALYZE) all.push(withBundle)\nexport default all.reduce((a, p) => p(a), nextConfig)",
]


@pytest.mark.parametrize("ending", WRAPPED)
def test_known_plugins_give_back_the_configuration(ending: str) -> None:
    found = module(
        "import { withSentryConfig } from '@sentry/nextjs'\n"
        "import createMDX from '@next/mdx'\n"
        "import createNextIntlPlugin from 'next-intl/plugin'\n"
        "const withNextIntl = createNextIntlPlugin('./i18n.ts')\n"
        "const withMDX = createMDX({ extension: /\\.mdx?$/ })\n"
        "const withBundle = require('@next/bundle-analyzer')({ enabled: process.env.ANALYZE === 'true' })\n"
        f"let nextConfig = {{ output: 'standalone' }}\n{ending}"
    )
    result = found.result(found.default)
    assert lookup(result, "output").text() == "standalone"
    assert lookup(result, "poweredByHeader") is ABSENT


def test_unknown_plugins_leave_the_rest_unknown() -> None:
    package = module("import { withThing } from 'some-plugin'\nexport default withThing({ a: 1 })").default
    assert lookup(package, "a").number() == 1
    assert lookup(package, "b").kind is UNKNOWN
    local = module("import { withThing } from './thing.mjs'\nexport default withThing({ a: 1 })").default
    assert local.kind is UNKNOWN


def test_imports_are_followed_one_level() -> None:
    found = module(
        "import { a, twice } from './lib/a.mjs'\nimport data from '../data.json' with { type: 'json' }\n"
        "export default { a, ...data, b: twice(a) }",
        "web/next.config.mjs",
        web__lib__a_mjs="import { c } from './c.mjs'\nexport const a = 'A'\nexport const twice = (x) => x + x + c",
        data_json='{"d": [1]}',
        web__lib__c_mjs="export const c = 1",
    )
    assert plain(found.default) == {"a": "A", "d": [1], "b": "?AA${c}"}
    assert found.default.get("a").source.path == "web/lib/a.mjs"
    assert (
        module(
            "import { a } from '../../a.mjs'\nexport default a", "next.config.mjs", a_mjs="export const a = 1"
        ).default.kind
        is UNKNOWN
    )
    empty = module("import { a } from './a.mjs'\nexport default { ...a }", a_mjs="")
    assert lookup(empty.default, "x").kind is UNKNOWN


def test_watched_calls() -> None:
    found = evaluate(
        Source(
            "middleware.ts",
            "import { NextResponse } from 'next/server'\nimport { clerk } from '@clerk/nextjs/server'\n"
            "import { more } from '@acme/edge'\nconst set = { 'X-A': 'a', 'X-B': process.env.B }\n"
            "export default clerk(async (auth, request) => {\n"
            "  if (!auth.userId) return NextResponse.redirect('/login')\n"
            "  const response: NextResponse = NextResponse.next()\n"
            "  for (const [name, value] of Object.entries(set)) response.headers.set(name, value)\n"
            "  if (process.env.NODE_ENV === 'development') response.headers.set('X-Dev', '1')\n"
            "  response.headers.set(`X-${request.nextUrl.pathname}`, 'c')\n"
            "  return more(response)\n})\nexport const config = { matcher: ['/((?!api).*)'] }\n",
        ),
        watch=("headers.set",),
    )
    assert [plain(call.arguments[0]) for call in found.calls] == ["X-A", "X-B", "?X-${request.nextUrl.pathname}"]
    assert plain(found.exports["config"]) == {"matcher": ["/((?!api).*)"]}
    assert any(each.value == "more" for each in found.outside)


def test_calls_as_data() -> None:
    def service(arguments: Any, at: Node) -> Node:
        return Node(SEQ, list(arguments), at.source, at.start, at.end)

    text = "import { service as s } from 'railway/iac'\nexport default [s('web', { replicas: 2 })]"
    assert plain(evaluate(Source("a.ts", text), calls={"service": service}).default) == [["web", {"replicas": 2}]]


def test_places_are_the_tokens() -> None:
    text = "// é😀\nconst value = 'D\\u0045NY'\nexport default { key: `é`, 'header': value, n: 1_0 }\n"
    root = module(text).default
    for name, token in (("key", "`é`"), ("header", "'D\\u0045NY'"), ("n", "1_0")):
        node = root.get(name)
        assert text[node.start : node.end] == token
        assert node.source.position(node.start)[0] == (2 if name == "header" else 3)
    assert text[root.key("header").start : root.key("header").end] == "'header'"


@pytest.mark.parametrize(
    ("path", "text", "code", "fatal"),
    [
        ("a.ts", "export const A = () => <div>hi</div>", "jsx", False),
        ("a.js", "export const A = () => <div>hi</div>", "", False),
        ("a.mjs", "export default { a: 1", "syntax", True),
        ("a.mjs", "export default 'a", "syntax", True),
        ("a.tsx", "([{'',e/'')p((a ", "syntax", True),  # the parser's recovery never ends
        ("a.mjs", "const a = [1, 2]; for (const x of a) a.push(x); export default a", "limit", True),
    ],
)
def test_problems(path: str, text: str, code: str, fatal: bool) -> None:
    found = module(text, path)
    assert [(problem.code, problem.fatal) for problem in found.problems] == ([(code, fatal)] if code else [])
    if fatal:
        assert found.default.kind is UNKNOWN


BOMBS = {
    "texts that double": "const a0 = 'xxxxxxxx';" + "".join(f"const a{i + 1} = a{i} + a{i};" for i in range(60)) + "export default a60",
    "lists that double": "const a0 = [1];" + "".join(f"const a{i + 1} = [...a{i}, ...a{i}];" for i in range(60)) + "export default a60",
    "shared lists": "const a0 = [1];" + "".join(f"const a{i + 1} = [a{i}, a{i}];" for i in range(60)) + "export default a60",
    "calls that double": "".join(f"const f{i + 1} = () => [f{i}(), f{i}()];" for i in range(40)) + "const f0 = () => 1;export default f40()",
    "endless recursion": "const f = (x) => g(x) + g(x); const g = (x) => f(x) + f(x); export default f(1)",
    "three nested loops": "const a = [" + "1," * 300 + "]; a.forEach(() => a.forEach(() => a.forEach(() => 1))); export default a",
    "choices of choices": "export default [" + ",".join(f"process.env.A{i} ? 'a{i}' : 'b{i}'" for i in range(200)) + "].join('')",
    "a map in itself": "const a = {}; a.a = a; a.b = [a]; export default a",
    "deep objects": "export default " + "{a:" * 3_000 + "1" + "}" * 3_000,
    "a long sum": "export default " + "+".join(["'a'"] * 20_000),
    "many spreads": "const b = {" + ",".join(f"a{i}: {i}" for i in range(2_000)) + "}; export default {" + "...b," * 2_000 + "}",
    "many unknown spreads": "export default {" + ",".join(f"a{i}: 1, ...x{i}" for i in range(3_000)) + "}",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_end(name: str) -> None:
    found = module(BOMBS[name])
    for node in walk(found.result(found.default)):
        assert node.kind is not SCALAR or len(str(node.value)) <= 64_000


# Soundness: whatever node computes is among what was told, for programs and environments made at random.


def _programs() -> ModuleType:
    place = Path(__file__).with_name("javascript_programs.py")
    spec = importlib.util.spec_from_file_location("javascript_programs", place)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize("seed", [0, 7_000, 22_000])
def test_node_computes_nothing_else(seed: int) -> None:
    programs = _programs()
    if programs.NODE is None:
        pytest.skip("node is not installed")
    texts = [programs.Writer(each).program() for each in range(seed, seed + 150)]
    cases = [(text, environment) for text in texts for environment in programs.ENVIRONMENTS]
    known = 0
    for (text, environment), answer in zip(cases, programs.answers(cases), strict=True):
        if "error" in answer:
            assert "SyntaxError" not in answer["error"], text
            continue
        found = evaluate(Source("a.js", text)).default
        known += found.kind is not UNKNOWN
        told = found or Node(MAP, [], Source("a.js", text), 0, 0)
        assert programs.admits(told, answer["value"]), (
            f"{text}\n{environment}\nnode: {answer['value']}\ntold: {plain(found)}"
        )
    assert known > len(cases) // 2


def test_the_oracle_tells_a_wrong_answer() -> None:
    admits: Callable[[Node, Any], bool] = _programs().admits
    node = module("export default { a: process.env.X ? 1 : 2, b: [1, ...(process.env.X ? [2] : [])] }").default
    assert admits(node, {"a": 2, "b": [1, 2]})
    assert admits(node, {"a": 1, "b": [1]})
    for wrong in ({"a": 3, "b": [1]}, {"a": 1, "b": [2]}, {"a": 1}, {"a": 1, "b": [1], "c": 0}, [], "a", None):
        assert not admits(node, wrong)
