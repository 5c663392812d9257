"""A site behind a real nginx with TLS: a good one is green; each seeded defect is found, and nothing else is."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import GOOD, HEADERS, Authority, Raw, Start, answer, command, lines, rules, seen


def test_a_good_site_is_green(nginx: Start) -> None:
    site = nginx()
    look = seen(site.url, paths=("/", "/elo-gate-no-such-page", "/api/health"))
    assert rules(look) == []
    assert look.result() == "green"
    assert [(each.path, each.status) for each in look.checks] == [
        ("/", 200), ("/elo-gate-no-such-page", 404), ("/api/health", 200), ("/app.js", 200),
    ]  # fmt: skip
    assert look.tls is not None
    assert look.tls.version == "TLSv1.3" and look.tls.names == ["localhost"] and look.tls.issuer == "Test Authority"
    assert look.tls.days == 88 and look.tls.life == 90 and look.tls.old is False
    assert len(look.tls.fingerprint) == 64


def test_http_leads_to_https(nginx: Start) -> None:
    site = nginx()
    look = seen(site.plain)
    assert look.url == site.url and look.tls is not None and look.result() == "green"


def test_https_that_leads_back_to_http(nginx: Start) -> None:
    site = nginx(plain="return 200 'here';")
    back = nginx(GOOD + f"location = /old {{ return 301 http://localhost:{site.http}/; }}")
    look = seen(back.url, paths=("/", "/old"))
    assert rules(look) == ["verify/redirect-to-http"] and look.findings[0].paths == ["/old"]


HSTS_LOST = (
    "/api/",
    lines(HEADERS) + 'location /api/ { default_type application/json; add_header X-Content-Type-Options nosniff; '
    "return 200 '{}'; }",
)  # fmt: skip


def test_hsts_that_a_location_loses(nginx: Start) -> None:
    path, server = HSTS_LOST
    look = seen(nginx(server).url, paths=("/", path))
    [found] = look.findings
    assert found.rule == "headers/missing-headers" and found.paths == ["/api/"]
    assert found.message == "The answer lacks 'Strict-Transport-Security'."
    assert look.result() == "red"


def test_headers_that_errors_go_without(nginx: Start) -> None:
    server = "\n".join(f'add_header {name} "{value}";' for name, value in HEADERS.items())  # without `always`
    look = seen(nginx(server).url, paths=("/", "/nowhere"))
    [found] = look.findings
    assert found.rule == "headers/missing-headers" and found.paths == ["/nowhere"]


@pytest.mark.parametrize(
    ("more", "found", "words", "red"),
    [
        ('add_header X-Frame-Options SAMEORIGIN always;', ["headers/duplicate-header"], "values that differ", True),
        ('add_header X-Frame-Options DENY always;', ["headers/duplicate-header"], "with one value", False),
        ('add_header X-Powered-By Next.js always;', ["verify/framework-told"], "X-Powered-By: Next.js", False),
        ("server_tokens on;", ["verify/version-told"], "nginx/", False),
        ('add_header Set-Cookie "session=s3cr3t; Path=/; HttpOnly; SameSite=Lax" always;', ["verify/cookie-not-secure"],
         "'session' has no 'Secure'", True),
        ('add_header Set-Cookie "auth_token=s3cr3t; Path=/; Secure; SameSite=Lax" always;', ["verify/cookie-readable"],
         "'auth_token' has no 'HttpOnly'", True),
        ('add_header Set-Cookie "sid=s3cr3t; Path=/; Secure; HttpOnly" always;', ["verify/cookie-anywhere"],
         "every other site", True),
        ('add_header Set-Cookie "theme=dark; Path=/; Secure" always;', [], "", False),
        ('add_header Set-Cookie "session=; Path=/; Max-Age=0" always;', [], "", False),
    ],
)  # fmt: skip
def test_one_header_more(nginx: Start, more: str, found: list[str], words: str, red: bool) -> None:
    look = seen(nginx(GOOD + more).url)
    assert rules(look) == found
    assert all(words in each.message for each in look.findings)
    assert look.result() == ("red" if red else "green")
    assert "s3cr3t" not in repr([each.told() for each in look.checks])


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("Content-Security-Policy", "script-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; "
         "form-action 'self'; frame-ancestors 'none'", ["headers/csp-unsafe-inline"]),
        ("Content-Security-Policy", "default-src 'self' *; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
         ["headers/csp-any-host"]),
        ("Content-Security-Policy", "default-src 'self'", ["headers/csp-missing-directive"]),
        ("Content-Security-Policy", "defualt-src 'self'", ["headers/csp-missing-directive", "headers/csp-mistake"]),
        ("X-Frame-Options", "ALLOW-FROM https://a.example", ["headers/weak-header"]),
        ("Strict-Transport-Security", "max-age=60", ["headers/weak-header"]),
        ("Referrer-Policy", "unsafe-url", ["headers/weak-header"]),
    ],
)  # fmt: skip
def test_one_header_that_is_weak(nginx: Start, name: str, value: str, found: list[str]) -> None:
    look = seen(nginx(lines({**HEADERS, name: value})).url)
    assert rules(look) == found
    first = look.findings[0]
    assert first.evidence.startswith(f"{name}: ") and first.end > first.start >= 0


@pytest.mark.parametrize(
    ("certificate", "found", "words"),
    [
        ("expired", "verify/certificate-expired", "has expired (2"),
        ("name", "verify/certificate-name", "is not for localhost"),
        ("self", "verify/certificate-self-signed", "signed by itself"),
    ],
)
def test_a_certificate_that_is_not_accepted(nginx: Start, certificate: str, found: str, words: str) -> None:
    look = seen(nginx(certificate=certificate).url)
    assert rules(look) == [found] and words in look.findings[0].message
    assert look.result() == "red"
    [check] = look.checks
    assert check.status is None and check.why.startswith("not asked")
    assert look.tls is not None and len(look.tls.fingerprint) == 64


def test_an_authority_that_is_not_known(nginx: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    site = nginx()
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    assert rules(seen(site.url)) == ["verify/certificate-untrusted"]


def test_a_certificate_that_ends_soon(nginx: Start) -> None:
    look = seen(nginx(certificate="soon").url)
    assert rules(look) == ["verify/certificate-ends-soon"] and "in 3 days" in look.findings[0].message


@pytest.mark.parametrize(
    ("protocols", "found"), [("TLSv1", "verify/old-tls-only"), ("TLSv1 TLSv1.2 TLSv1.3", "verify/old-tls")]
)
def test_tls_of_the_past(nginx: Start, protocols: str, found: str) -> None:
    if not ssl.HAS_TLSv1:
        pytest.skip("this Python's OpenSSL has no TLS 1.0")
    look = seen(nginx(tls=f"ssl_protocols {protocols}; ssl_ciphers ALL:@SECLEVEL=0;").url)
    assert rules(look) == [found]
    assert look.result() == "red"


def test_plain_http_on_a_port_for_tls(nginx: Start) -> None:
    site = nginx()
    look = seen(site.plain.replace("http:", "https:"))
    assert look.result() == "silent"
    assert {each.why for each in look.checks} == {"TLS fails: none is spoken on this port"}


def test_an_old_release_behind_a_cache(nginx: Start, raw: Callable[..., Raw], tmp_path: Path) -> None:
    old, new = "a" * 64, "b" * 64
    live = [old]
    app = raw(lambda _: answer(**{"X-Elo-Release": live[0][:16]}))
    site = nginx(
        f"location / {{ proxy_cache kept; proxy_cache_valid 200 10m; proxy_pass {app.url}; }}",
        top=f"proxy_cache_path {tmp_path}/kept keys_zone=kept:1m;",
    )
    where = "header:x-elo-release"
    assert rules(seen(site.url, digest=old, expect_release=where)) == []
    live[0] = new  # the new release is live, and the cache does not know it
    look = seen(site.url, digest=new, expect_release=where)
    assert rules(look) == ["verify/release"] and look.result() == "red"
    assert rules(seen(app.url, digest=new, expect_release=where)) == []
    assert rules(seen(site.url, expect_release=where)) == []  # which one answers was not asked


def test_the_report_of_the_command(nginx: Start, authority: Authority) -> None:
    site = nginx(GOOD + "add_header X-Powered-By Next.js always;")
    code, text = command(site.url, paths=("/",))
    assert code == 0
    assert "verify/framework-told" in text and "\n    why   The header serves nobody" in text
    assert "TLS 1.3, certificate until 20" in text and "Green: 0 errors, 0 warnings, 1 note." in text
    code, text = command(site.url, paths=("/",), fail_on="note", as_json=True)
    made = json.loads(text)
    assert code == 1 and made["result"] == "red" and made["exit_code"] == 1
    assert [each["rule"] for each in made["findings"]] == ["verify/framework-told"]
    again = json.loads(command(site.url, paths=("/",), fail_on="note", as_json=True)[1])
    assert made == again
