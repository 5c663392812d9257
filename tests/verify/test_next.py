"""A real Next.js application, as its standalone build serves it, behind a real nginx with TLS, in a real Chromium."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from elo_gate.verify.options import Health
from elo_gate.verify.options import Path as Asked

from .conftest import Start, command, rules, seen

SOURCE = Path(__file__).parent / "next_app"
HEALTH = Health("/api/health", expect="healthy", nested="checks.*.status")
PATHS = ("/", "/elo-gate-no-such-page", "/api/elo-gate-no-such-route", "/static.txt")
PASS = "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https;"
App = Callable[..., str]


def proxied(app: str, more: str = "", locations: str = "") -> str:
    return f"{more} location / {{ proxy_pass {app}; {PASS} }} {locations}"


def test_the_good_one_is_green(nginx: Start, next_app: App, chromium: str) -> None:
    look = seen(nginx(proxied(next_app())).url, paths=PATHS, health=HEALTH, browser="require")
    assert rules(look) == [] and look.result() == "green"
    statuses = {each.path: each.status for each in look.checks}
    assert [statuses[path] for path in ("/api/health", *PATHS)] == [200, 200, 404, 404, 200]
    asset = look.checks[-1]
    assert asset.path.startswith("/_next/static/") and asset.status == 200
    assert [(each.violations, each.errors) for each in look.pages] == [([], [])]


def test_the_source_says_what_is_served(nginx: Start, next_app: App) -> None:
    code, text = command(nginx(proxied(next_app())).url, root=str(SOURCE), as_json=True)
    made = json.loads(text)
    assert (code, made["findings"]) == (0, [])
    assert {each["path"] for each in made["checks"]} >= {
        "/",
        "/api/health",
        "/api/elo-gate-no-such-route",
        "/static.txt",
    }


POLICY = "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"


def test_a_policy_that_breaks_the_page_shows_in_a_browser_alone(nginx: Start, next_app: App, chromium: str) -> None:
    broken = f'proxy_hide_header Content-Security-Policy; add_header Content-Security-Policy "{POLICY}" always;'
    site = nginx(proxied(next_app(), broken))
    assert rules(seen(site.url)) == []
    look = seen(site.url, browser="require")
    assert "verify/csp-violation" in rules(look) and look.result() == "red"
    assert "'script-src-elem' refuses inline" in next(each.message for each in look.findings)


@pytest.mark.parametrize(
    ("more", "locations", "found", "path"),
    [
        ("", "location = /static.txt { proxy_pass APP; proxy_hide_header Strict-Transport-Security; }",
         "headers/missing-headers", "/static.txt"),
        ("add_header X-Frame-Options SAMEORIGIN always;", "", "headers/duplicate-header", "/"),
        ("add_header X-Powered-By Next.js always;", "", "verify/framework-told", "/api/health"),
        ("proxy_hide_header Content-Security-Policy; add_header Content-Security-Policy \"script-src 'self' 'unsafe-inline'; "
         "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'\" always;", "",
         "headers/csp-unsafe-inline", "/"),
        ("", "location = /api/health { default_type application/json; add_header Strict-Transport-Security max-age=63072000 "
         "always; add_header X-Content-Type-Options nosniff always; "
         "return 200 '{\"status\":\"healthy\",\"checks\":{\"database\":{\"status\":\"unhealthy\"}}}'; }",
         "verify/health-nested", "/api/health"),
        ("", "location = /static.txt { return 301 $scheme://$http_host/static.txt; }", "verify/redirect-loop", "/static.txt"),
    ],
)  # fmt: skip
def test_one_seeded_defect(nginx: Start, next_app: App, more: str, locations: str, found: str, path: str) -> None:
    app = next_app()
    site = nginx(proxied(app, more, locations.replace("APP", app)))
    look = seen(site.url, paths=PATHS, health=HEALTH)
    assert rules(look) == [found] and look.findings[0].paths[0] == path and look.result("note") == "red"


def test_the_release_that_answers(nginx: Start, next_app: App) -> None:
    old, new = "a" * 64, "b" * 64
    site = nginx(proxied(next_app(old[:16])))
    asked = {"paths": (Asked("/"),), "health": HEALTH, "expect_release": "json:version"}
    assert rules(seen(site.url, digest=old, **asked)) == []
    assert rules(seen(site.url, digest=new, **asked)) == ["verify/release"]
