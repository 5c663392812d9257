"""next.config.* and what stands beside it: the configuration, its places, its version, the headers responses carry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from elo_gate.examples import MemoryIgnores, MemoryTree
from elo_gate.kinds import next as config
from elo_gate.kinds import next_headers
from elo_gate.kinds.header import Header, covers
from elo_gate.model import ABSENT, UNKNOWN, Artifact, Node, Source
from elo_gate.project import Project

TABLES: dict[str, Any] = {}


def artifact(text: str, path: str = "next.config.mjs", **files: str) -> Artifact:
    """A configuration in a tree; a file's name is written with `__` for `/` and `_` for `.`."""
    tree = {path: text, **{name.replace("__", "/").replace("_", "."): body for name, body in files.items()}}
    project = Project(MemoryTree(tree), "2026-11-25", TABLES.get, ignores=MemoryIgnores(tree))
    project.look()
    found = project.artifact(path)
    assert found is not None
    return found


def effective(of: Artifact) -> tuple[list[Header], list[tuple[str, Node]]]:
    """The headers of a configuration's own file, its middleware and its vercel.json, and what cannot be told."""
    parts = [next_headers.of_config(of), next_headers.of_middleware(of), next_headers.of_vercel(of)]
    return [header for found, _ in parts for header in found], [doubt for _, doubts in parts for doubt in doubts]


def token(of: Artifact) -> str:
    place = config.token(of)
    return place.source.text[place.start : place.end]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("const nextConfig = {\n  a: 1 }\nexport default nextConfig", "nextConfig"),
        ("const c: NextConfig = { a: 1 }\nexport default c", "c"),
        ("export default { a: 1 }", "export default"),
        ("module.exports = { a: 1 }", "module.exports"),
        ("module.exports = async (phase) => {\n  return { a: 1 }\n}", "return"),
        ("import { withX } from 'x'\nexport default withX({ a: 1 })", "a"),
        ("export default somewhere()", "export default"),
    ],
)
def test_the_token_for_the_whole(text: str, expected: str) -> None:
    assert token(artifact(text, "next.config.ts")) == expected


def test_an_empty_file_says_nothing() -> None:
    found = artifact("")
    assert found.root is ABSENT
    assert [name for name, view in config.VIEWS.items() if view(found)] == []


def test_a_file_that_does_not_parse_is_broken() -> None:
    found = artifact("export default { a: ")
    assert found.state == "broken"
    assert found.root.kind is UNKNOWN


@pytest.mark.parametrize(
    ("package", "version", "major", "floor"),
    [
        ('{"dependencies": {"next": "15.3.2"}}', "15.3.2", 15, (15, 3, 2)),
        ('{"dependencies": {"next": "^14.2.0"}}', None, 14, (14, 2, 0)),
        ('{"dependencies": {"next": "16.x"}}', None, 16, (16, 0, 0)),
        ('{"dependencies": {"next": ">=14"}}', None, None, (14, 0, 0)),
        ('{"dependencies": {"next": "latest"}}', None, None, None),
        ('{"name": "a", "dependencies": {"react": "19.0.0"}}', None, None, None),
    ],
)
def test_the_version(package: str, version: str | None, major: int | None, floor: Any) -> None:
    facts = config.of(artifact("export default {}", package_json=package))
    assert (facts["version"], facts["major"], facts["floor"]) == (version, major, floor)


def test_function_configurations_are_those_of_a_build() -> None:
    found = artifact(
        "import { PHASE_DEVELOPMENT_SERVER as DEV } from 'next/constants.js'\n"
        "export default (phase, { defaultConfig }) => {\n"
        "  if (phase === DEV) return { ...defaultConfig, distDir: 'dev' }\n"
        "  return { ...defaultConfig, output: 'standalone' }\n}"
    )
    assert config.option(found, "output").text() == "standalone" or config.option(found, "output").kind == "choice"
    plain = artifact(
        "const { PHASE_DEVELOPMENT_SERVER } = require('next/constants')\n"
        "module.exports = (phase, { defaultConfig }) => ({ ...defaultConfig, distDir: phase === PHASE_DEVELOPMENT_SERVER ? 'dev' : 'build' })",
        "next.config.js",
    )
    assert config.option(plain, "distDir").text() == "build"
    assert config.option(plain, "output") is ABSENT


@pytest.mark.parametrize(
    ("options", "served"),
    [
        ("images: { formats: ['image/webp'] }", True),
        ("", True),
        ("images: { unoptimized: true }", False),
        ("images: { loader: 'custom', loaderFile: './loader.ts' }", False),
        ("output: 'export'", False),
        ("images: { unoptimized: process.env.NODE_ENV === 'development' }", True),
        ("images: { unoptimized: process.env.STATIC === '1' }", None),
        ("...shared", None),
    ],
)
def test_the_optimizer(options: str, served: bool | None) -> None:
    assert config.optimizer(artifact(f"export default {{ {options} }}")) is served


@pytest.mark.parametrize(
    ("source", "reach"),
    [
        ("/:path*", "all"),
        ("/(.*)", "all"),
        ("/:path(.*)", "all"),
        ("/(.*?)", "all"),
        ("/((?!api|_next/static).*)", "all"),
        ("/:path((?!embed).*)*", "all"),
        ("/", "some"),
        ("/about", "some"),
        ("/api/:path*", "some"),
    ],
)
def test_what_a_source_covers(source: str, reach: str) -> None:
    node = Node("scalar", source, Source("a", ""), 0, 0, "'")
    assert covers(node) == reach


def names(found: list[Header], reach: str = "all") -> list[str]:
    return sorted({header.name for header in found if header.covers == reach and not header.perhaps})


def test_headers_come_from_all_files() -> None:
    found = artifact(
        "const shared = [{ key: 'X-Frame-Options', value: 'DENY' }]\n"
        "export default { async headers() { return [\n"
        "  { source: '/:path*', headers: [...shared, process.env.CDN && { key: 'X-Cdn', value: '1' }].filter(Boolean) },\n"
        "  { source: '/api/:path*', headers: [{ key: 'Cache-Control', value: 'no-store' }] },\n"
        "] } }",
        "apps/web/next.config.mjs",
        apps__web__src__middleware_ts=(
            "import { NextResponse } from 'next/server'\nimport { harden } from '@/lib/harden'\n"
            "export function middleware() { return harden(NextResponse.next({ headers: { 'X-Next': '1' } })) }\n"
        ),
        apps__web__src__lib__harden_ts="export const harden = (r) => { r.headers.set('Referrer-Policy', 'no-referrer'); return r }",
        vercel_json='{"headers": [{"source": "/(.*)", "headers": [{"key": "Permissions-Policy", "value": "camera=()"}]}]}',
    )
    headers, doubts = effective(found)
    assert names(headers) == ["permissions-policy", "referrer-policy", "x-frame-options", "x-next"]
    assert names(headers, "some") == ["cache-control"]
    assert [header.name for header in headers if header.perhaps] == ["x-cdn"]
    assert doubts == []
    places = {header.name: header.key.source.path for header in headers}
    assert places["referrer-policy"] == "apps/web/src/lib/harden.ts"
    assert places["permissions-policy"] == "vercel.json"


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("import { list } from '@acme/headers'\nexport default { headers: async () => list() }", {}),
        ("export default { headers: async () => [{ source: '/:path*', headers: await fetched() }] }", {}),
        ("export default { headers: () => [{ source: '/', headers: [{ key: process.env.NAME, value: '1' }] }] }", {}),
        ("export default {}", {"middleware_ts": ""}),
        (
            "export default {}",
            {"proxy_ts": "import { secure } from '@acme/edge'\nexport const proxy = (r) => secure(r)"},
        ),
        ("export default {}", {"proxy_ts": "export function proxy(r) { r.headers.set(name(), '1'); return r }"}),
        (
            "export default {}",
            {
                "vercel_ts": "import { routes } from '@vercel/config/v1'\nexport const config = { headers: [routes.header('/(.*)', [])] }"
            },
        ),
    ],
)
def test_doubts(text: str, files: dict[str, str]) -> None:
    _, doubts = effective(artifact(text, **files))
    assert doubts


def test_secrets_are_masked() -> None:
    text = "export default { env: { API_SECRET: 'f00-b4r-b4z', SITE: 'x' }, db: 'postgres://u:s3cr3t-w0rd@db/x' }"
    found = artifact(text)
    assert [text[start:end] for start, end in config.secrets(found)] == [
        "'f00-b4r-b4z'",
        "'postgres://u:s3cr3t-w0rd@db/x'",
    ]


def test_the_guide(guide: Path) -> None:
    files = {
        path: (guide / path).read_text(encoding="utf-8")
        for path in ("next.config.js", "src/middleware.ts", "vercel.json")
    }
    found = artifact(files.pop("next.config.js"), "next.config.js")
    project = Project(
        MemoryTree({"next.config.js": found.source.text, **files}),
        "2026-11-25",
        TABLES.get,
        ignores=MemoryIgnores(files),
    )
    project.look()
    whole = project.artifact("next.config.js")
    assert whole is not None and token(whole) == "nextConfig"
    headers, doubts = effective(whole)
    assert doubts == []
    assert {header.key.source.path for header in headers} == {"next.config.js", "src/middleware.ts"}
    assert "content-security-policy" in names(headers) and "strict-transport-security" not in names(headers)
    assert len(config.rewrites(whole)) == 1
