"""What a tree configures against what its site serves, and the paths that a tree knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from elo_gate import gate
from elo_gate.verify import known

from .conftest import HEADERS, Raw, Start, answer, command, lines, rules, seen

Write = Callable[[dict[str, str]], Path]
StartRaw = Callable[[Callable[[bytes], object]], Raw]


def config(headers: dict[str, str], source: str = "/:path*", more: str = "") -> str:
    listed = ",\n".join(f'        {{ key: "{name}", value: "{value}" }}' for name, value in headers.items())
    return f"""module.exports = {{
  output: "standalone",
  poweredByHeader: false,
  async headers() {{
    return [
      {{ source: "{source}", headers: [
{listed}
      ] }},{more}
    ]
  }},
}}
"""


APPLICATION = {
    "package.json": '{"dependencies": {"next": "16.4.6", "react": "19.3.1"}}',
    "app/page.tsx": "export default function Page() { return null }\n",
    "app/api/health/route.ts": "export function GET() { return Response.json({ status: 'healthy' }) }\n",
    "public/robots.txt": "User-agent: *\n",
}


def of(folder: Path) -> known.Known:
    return known.of(gate.run(str(folder), as_of="2026-11-25").project)


def test_the_paths_that_a_tree_knows(tree: Write) -> None:
    found = of(tree({**APPLICATION, "next.config.js": config(HEADERS)}))
    assert found.health == "/api/health"
    assert found.paths == ["/api/elo-gate-no-such-route", "/robots.txt"]
    assert {each.name for each in found.headers} == {name.lower() for name in HEADERS}
    assert next(each for each in found.headers if each.name == "x-frame-options").place == "next.config.js:9"


def test_configured_and_not_served(tree: Write, nginx: Start) -> None:
    folder = tree({**APPLICATION, "next.config.js": config(HEADERS)})
    site = nginx(lines(HEADERS, but="Permissions-Policy") + "location = /api/health { return 200 '{}'; }")
    look = seen(site.url, known=of(folder))
    [found] = look.findings
    assert found.rule == "verify/configured-not-served"
    assert found.message == "'Permissions-Policy' is configured for '/' and is not in its answer."
    assert found.related == [("next.config.js:12", "configured here")] and found.paths == ["/", "/app.js"]
    code, text = command(site.url, root=str(folder), paths=("/",))
    assert code == 1 and "also  next.config.js:12  configured here" in text


def test_configured_otherwise(tree: Write, raw: StartRaw) -> None:
    folder = tree({**APPLICATION, "next.config.js": config({**HEADERS, "X-Frame-Options": "SAMEORIGIN"})})
    look = seen(raw(lambda _: answer()).url, known=of(folder))
    assert rules(look) == ["verify/configured-otherwise"] and "X-Frame-Options" in look.findings[0].message
    same = {**HEADERS, "X-Frame-Options": "deny ", "Permissions-Policy": "camera=(),  microphone=()"}
    assert rules(seen(raw(lambda _: answer()).url, known=of(tree({"next.config.js": config(same)})))) == []


def test_what_only_the_running_site_knows_is_not_compared(tree: Write, raw: StartRaw) -> None:
    proxy = """import { NextResponse } from "next/server";
export function proxy() {
  const response = NextResponse.next();
  response.headers.set("Content-Security-Policy", `script-src 'nonce-${crypto.randomUUID()}'`);
  if (process.env.STRICT) response.headers.set("X-Extra", "1");
  return response;
}
"""
    few = {name: value for name, value in HEADERS.items() if name != "Content-Security-Policy"}
    folder = tree({**APPLICATION, "next.config.js": config(few), "proxy.ts": proxy})
    assert rules(seen(raw(lambda _: answer()).url, known=of(folder))) == []
    without = raw(lambda _: answer(Content_Security_Policy=""))
    assert "verify/configured-not-served" in rules(seen(without.url, known=of(folder)))


@pytest.mark.parametrize(
    ("source", "path", "due"),
    [
        ("/:path*", "/api/x", True),
        ("/(.*)", "/", True),
        ("/((?!api|_next).*)", "/api/x", False),
        ("/((?!api|_next).*)", "/page", True),
        ("/account/:path*", "/account/a/b", True),
        ("/account/:path*", "/accounts", False),
        ("/account/:path*", "/", False),
        ("/login", "/login", True),
        ("/:locale/login", "/en/login", False),
        ("/(a+)+b", "/" + "a" * 60, False),
    ],
)
def test_where_a_header_is_due(tree: Write, source: str, path: str, due: bool) -> None:
    found = of(tree({**APPLICATION, "next.config.js": config({"X-Extra": "1"}, source)}))
    assert any(each.name == "x-extra" and each.meant(path) for each in found.headers) is due


def test_conditions_and_two_applications_leave_it_open(tree: Write) -> None:
    more = (
        '\n      { source: "/:path*", has: [{ type: "header", key: "x" }], headers: [{ key: "X-Odd", value: "1" }] },'
    )
    found = of(tree({**APPLICATION, "next.config.js": config(HEADERS, more=more)}))
    assert "x-odd" not in {each.name for each in found.headers}
    both = {f"{name}/{path}": text for name in ("one", "two") for path, text in APPLICATION.items()}
    two = of(tree({f"{name}/next.config.js": config(HEADERS) for name in ("one", "two")} | both))
    assert two.headers == [] and two.remarks == ["what is configured, since the tree has several applications"]


def test_the_rules_that_a_configuration_turns_off_are_off(tree: Write, raw: StartRaw) -> None:
    folder = tree({"elo-gate.toml": '[rule."headers/missing-headers"]\nseverity = "off"\n'})
    site = raw(lambda _: answer(Referrer_Policy=""))
    assert command(site.url)[0] == 1
    code, text = command(site.url, root=str(folder))
    assert (code, "missing-headers" in text) == (0, False)
