"""Application code: which files are read, what their modules hold, which routes an application has."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elo_gate.examples import AS_OF, MemoryIgnores, MemoryTree
from elo_gate.gate import run
from elo_gate.kinds import code, code_module, code_reader
from elo_gate.model import Artifact, Source, Undecided
from elo_gate.project import Project, asked_paths, routes
from elo_gate.syntax.javascript.grammar import Tree

TRACK = 'import { track } from "@vercel/analytics";\n'


def module_of(text: str, path: str = "src/lib/backup.ts") -> code_module.Module:
    return code_reader.read(Tree(Source(path, text)))


def project_of(files: dict[str, str], elo: bool = False) -> Project:
    project = Project(MemoryTree(files), AS_OF, lambda name: {}, elo=elo, ignores=MemoryIgnores(files))
    project.look()
    return project


# -- which files


@pytest.mark.parametrize(
    "path",
    [
        "middleware.ts", "src/middleware.ts", "src/proxy.js", "app/api/health/route.ts", "apps/web/app/readyz/route.ts",
        "src/app/(ops)/api/health/live/route.js", "pages/api/healthz.ts", "src/pages/api/health/index.js",
    ],
)  # fmt: skip
def test_a_name_proves_itself_without_content(path: str) -> None:
    assert code.looks_like(path, "")


@pytest.mark.parametrize(
    ("path", "text", "role"),
    [
        ("a.ts", 'import { Ratelimit } from "@upstash/ratelimit"', code.LIMITER),
        ("a.js", "const limit = require('express-rate-limit')", code.LIMITER),
        ("a.tsx", "import DOMPurify from 'isomorphic-dompurify'", code.SANITISER),
        ("a.ts", "import * as Sentry from '@sentry/nextjs'\nSentry.init({})", code.TRACKING),
        ("a.ts", TRACK + 'track("x")', code.ANALYTICS),
        ("src/lib/backup.ts", "export async function createBackup() { await save() }", code.BACKUP),
        ("src/ops/rollback-manager.ts", "class RollbackManager { async run() { await x() } }", code.ROLLBACK),
        ("src/lib/performance.ts", "performance.now()", code.TIMING),
        ("apps/web/src/middleware.ts", 'import { NextResponse } from "next/server"', code.GATE),
    ],
)
def test_content_tells_a_role(path: str, text: str, role: str) -> None:
    assert role in code.roles(path, text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/components/card.tsx", "const [limit, setLimit] = useState(1); // sanitize, backup"),
        ("src/app/layout.tsx", 'import { Analytics } from "@vercel/analytics/next"'),
        ("src/components/view.tsx", "import { captureException } from '@sentry/nextjs'; captureException(new Error())"),
        ("src/widgets/plex/proxy.js", "export default () => null"),
        ("src/components/backup-card.tsx", "export function BackupCard() { return null }"),
        ("src/lib/limit.test.ts", 'import { Ratelimit } from "@upstash/ratelimit"'),
        ("db/migrations/001-rollback.ts", "export async function rollback() { await x() }"),
        ("app/api/orders/route.ts", "export async function GET() {}"),
        ("app/api/orders/[id]/status/route.ts", "export async function GET() {}"),
        ("dist/bundle.ts", "// " + "x" * code.LARGEST + ' from "@upstash/ratelimit"'),
    ],
)
def test_the_many_others_are_left_alone(path: str, text: str) -> None:
    assert not code.looks_like(path, text)


# -- the view of a module


def test_what_a_module_imports_exports_and_declares() -> None:
    module = module_of(
        """'use client'
import one, { two as second, type Three } from "a"
import * as four from 'b/c'
import type { Five } from "d"
const { six, seven: renamed = 1 } = require("e")
export const eight = (first, { nine } = {}) => first + nine
export default function ten<T>(list: Array<{ [key: string]: T }>): asserts list is never {}
export { six as eleven }
export class Twelve extends Base { field = 1; constructor(private thirteen: number) { super(); this.fourteen = 1 } }
"""
    )
    assert module.directives == {"use client"}
    found = {name: (each.source, each.name, each.type_only) for name, each in module.imports.items()}
    assert found == {
        "one": ("a", "default", False), "second": ("a", "two", False), "Three": ("a", "Three", True),
        "four": ("b/c", "*", False), "Five": ("d", "Five", True), "six": ("e", "six", False),
        "renamed": ("e", "seven", False),
    }  # fmt: skip
    assert set(module.exports) == {"eight", "default", "eleven", "Twelve"}
    assert {"first", "nine", "ten", "list", "Twelve", "renamed"} <= module.declared
    assert "key" not in {name for name, _ in module.uses}
    assert set(module.classes[0].members) == {"field", "constructor", "thirteen", "fourteen"}


def test_where_a_call_stands() -> None:
    module = module_of(
        """
export class Rollback {
  async run() {
    try { await this.stop?.() } catch (error) { report(error) }
    new Inner().go
  }
}
const go = async () => sql`SELECT 1`
"""
    )
    told = [(call.callee, call.function, call.awaited, call.caught, call.new) for call in module.calls]
    assert told == [
        ("this.stop", "run", True, False, False),
        ("report", "run", False, True, False),
        ("Inner", "run", False, False, True),
        ("sql", "go", False, False, False),
    ]
    assert module.calls[0].within is module.classes[0]
    assert module.calls_in(module.catches[0]) == [module.calls[1]]


def test_numbers_end() -> None:
    module = module_of("const a = b; const b = a; const c = 2 * 30 * 1_000; f(a, c, " + "+".join("1" * 500) + ")")
    assert [module.number(each) for each in module.calls[0].arguments] == [None, 60_000, None]


WORDS = st.sampled_from(
    "import export class const function async await try catch { } ( ) ; , . => = this x 'a' `b` /c/ <T> new 1 @ \n é".split(
        " "
    )
)


@given(st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=40).map(" ".join)))
def test_any_text_is_read_and_places_slice_back(text: str) -> None:
    artifact = Artifact(Source("src/middleware.ts", text), "code")
    code.load(artifact)
    for item in code.file(artifact):
        module = item.facts["module"]
        for call in module.calls:
            node = module.token(call.name)
            assert text[node.start : node.end] == node.value
        for name, branch in module.uses:
            assert module.text(branch) == name
    for problem in artifact.problems:
        assert 0 <= problem.start <= problem.end <= len(text)


def test_deep_and_long_files_end() -> None:
    for text in ("f(" * 5_000 + ")" * 5_000, "a" + ".b()" * 20_000, "x = [" * 3_000):
        artifact = Artifact(Source("src/middleware.ts", text), "code")
        code.load(artifact)
        assert code.file(artifact) or any(problem.fatal for problem in artifact.problems)


def test_credentials_are_masked() -> None:
    secret, address = "kfj3209dkjf02", "postgres://me:hunter2x@db/x"
    text = f'export const config = {{ apiSecret: "{secret}", url: "{address}", name: "fine" }};\n'
    artifact = Artifact(Source("src/middleware.ts", text), "code")
    code.load(artifact)
    assert [text[start + 1 : end - 1] for start, end in code.secrets(artifact)] == [secret, address]


# -- routes

APP = {
    "next.config.mjs": "export default {};\n",
    "src/app/page.tsx": "export default () => null;\n",
    "src/app/(ops)/api/health/route.ts": "export function GET() {}\n",
    "src/app/@modal/photos/page.tsx": "export default () => null;\n",
    "src/app/(.)photos/[id]/page.tsx": "export default () => null;\n",
    "src/app/_parts/hidden/page.tsx": "export default () => null;\n",
    "src/app/orders/[id]/route.ts": "export function GET() {}\n",
    "src/app/docs/[[...slug]]/page.tsx": "export default () => null;\n",
    "src/app/files/[...path]/route.ts": "export function GET() {}\n",
    "src/app/robots.ts": "export default () => ({});\n",
    "src/pages/api/old/index.ts": "export default () => null;\n",
    "src/pages/_app.tsx": "export default () => null;\n",
    "public/up.txt": "ok\n",
}


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/", "src/app/page.tsx"),
        ("/api/health", "src/app/(ops)/api/health/route.ts"),
        ("/api/health/?deep=1", "src/app/(ops)/api/health/route.ts"),
        ("/photos", "src/app/@modal/photos/page.tsx"),
        ("/orders/7", "src/app/orders/[id]/route.ts"),
        ("/docs", "src/app/docs/[[...slug]]/page.tsx"),
        ("/docs/a/b", "src/app/docs/[[...slug]]/page.tsx"),
        ("/files/a/b", "src/app/files/[...path]/route.ts"),
        ("/robots.txt", "src/app/robots.ts"),
        ("/api/old", "src/pages/api/old/index.ts"),
        ("/up.txt", "public/up.txt"),
    ],
)
def test_a_path_leads_to_a_file(path: str, file: str) -> None:
    route = routes.find(project_of(APP), path)
    assert route is not None
    assert route.file == file


@pytest.mark.parametrize(
    "path", ["/api/healthz", "/files", "/orders", "/orders/7/8", "/hidden", "/_parts/hidden", "/_app"]
)
def test_what_no_file_serves_is_not_there(path: str) -> None:
    assert routes.find(project_of(APP), path) is None


@pytest.mark.parametrize(
    "more",
    [
        {"server.js": "const next = require('next');\n"},
        {"package.json": '{"dependencies": {"next": "16.0.0"}, "scripts": {"start": "node server.mjs"}}'},
        {"package.json": ""},
        {
            "src/middleware.ts": "export const middleware = (r) => r.nextUrl.pathname === '/missing' && new Response();\n"
        },
        {"src/middleware.ts": ""},
        {"next.config.mjs": "export default { rewrites: () => load() };\n"},
        {"next.config.mjs": "export default { pageExtensions: ['page.tsx'] };\n"},
        {"vercel.json": '{"routes": [{"src": "/(.*)", "dest": "/backend/$1"}]}'},
        {"apps/other/next.config.mjs": "export default {};\n", "apps/other/app/page.tsx": "export default 1;\n"},
    ],
)
def test_what_may_answer_all_the_same_is_undecided(more: dict[str, str]) -> None:
    with pytest.raises(Undecided):
        routes.find(project_of({**APP, **more}), "/missing")


def test_a_base_path_moves_everything() -> None:
    project = project_of({**APP, "next.config.mjs": "export default { basePath: '/x' };\n"})
    assert routes.find(project, "/x/api/health") is not None
    assert routes.find(project, "/api/health") is None


def test_a_path_in_code_proves_itself() -> None:
    project = project_of({"src/server.ts": "const app = express();\napp.get('/health', (q, s) => s.end());\n"})
    route = routes.find(project, "/health")
    assert route is not None
    assert (route.file, route.router, route.handler) == ("src/server.ts", "program", True)
    with pytest.raises(Undecided):
        routes.find(project, "/ready")


def test_the_folder_tells_the_application() -> None:
    files = {}
    for name in ("web", "admin"):
        files[f"apps/{name}/next.config.mjs"] = "export default {};\n"
        files[f"apps/{name}/app/{name}/route.ts"] = "export function GET() {}\n"
    project = project_of(files)
    assert routes.find(project, "/web", "apps/web") is not None
    assert routes.find(project, "/web", "apps/admin/deploy") is None
    assert routes.find(project, "/web", "k8s") is not None
    with pytest.raises(Undecided):
        routes.find(project, "/nothing", "k8s")


def test_an_application_called_app_is_found_below_its_own_folder() -> None:
    project = project_of(
        {"apps/app/next.config.mjs": "export default {};\n", "apps/app/app/page.tsx": "export default 1;\n"}
    )
    assert [(app.folder, [route.path for route in app.routes]) for app in routes.applications(project)] == [
        ("apps/app", ["/"])
    ]


def test_the_declared_standard_asks_where_nobody_does() -> None:
    files = {**APP, "elo-gate.toml": 'standard = "elo"\nplatforms = ["vercel"]\n'}
    [item] = asked_paths.health(project_of(files, elo=True))
    assert (item.facts["path"], item.place.value) == ("/api/health", "platforms")
    assert not asked_paths.health(project_of(files))


# -- the owner's guide


def test_the_guide_is_told_where_it_is_wrong(guide: Path) -> None:
    verdict = run(str(guide), as_of=AS_OF).verdict
    found = {
        (each.rule.id, each.source.path, each.source.position(each.start)[0])
        for each in verdict.findings
        if each.rule.id.startswith("code/") or each.rule.id == "project/missing-route"
    }
    health, tracking = "src/app/api/health/route.ts", "src/lib/error-tracking.ts"
    assert {
        ("code/heavy-health-check", health, 12), ("code/health-leaks-error", health, 38),
        ("code/health-failure-status", health, 40), ("code/hook-on-server", "src/lib/analytics.ts", 12),
        ("project/missing-route", "src/lib/analytics.ts", 15), ("code/full-trace-sampling", tracking, 9),
        ("code/removed-sdk-interface", tracking, 13), ("code/broken-error-boundary", tracking, 34),
        ("code/jsx-in-ts", tracking, 41), ("code/undeclared-name", "src/lib/backup.ts", 23),
        ("code/redaction-by-regular-expression", "src/lib/backup.ts", 5), ("code/never-called", "src/lib/rate-limit.ts", 10),
        ("code/refused-without-status", "src/lib/rate-limit.ts", 20), ("code/undefined-step", "src/lib/rollback.ts", 18),
        ("code/swallowed-failure", "src/lib/rollback.ts", 26), ("code/empty-step", "src/lib/rollback.ts", 32),
        ("code/sanitizer-without-document", "src/lib/sanitizer.ts", 2),
        ("code/html-by-regular-expression", "src/lib/sanitizer.ts", 13),
        ("code/middleware-without-matcher", "src/middleware.ts", 5),
    } <= found  # fmt: skip
    assert not any(path == health and rule == "project/missing-route" for rule, path, _ in found)
