"""`elo-gate verify` as people and pipelines call it: a target of elo-gate.toml, an address, exit codes, help."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from elo_gate.deploy import config, smoke
from elo_gate.deploy.veil import Veil
from elo_gate.verify import words
from elo_gate.verify.options import Health
from elo_gate.verify.options import Path as Asked

from .conftest import Authority, Raw, Start, answer

Write = Callable[[dict[str, str]], Path]
StartRaw = Callable[[Callable[[bytes], object]], Raw]

TARGET = """
[deploy.targets.production]
platform = "command"
url = "URL"
artifact = "dist"
rollback = "manual"
[deploy.targets.production.verify]
health = { path = "/api/health", expect = "healthy", nested = "checks.*.status" }
paths = ["/", { path = "/nowhere", status = 404 }]
expect_release = "json:version"
[deploy.targets.production.command]
deploy = ["d", "{snapshot}"]
current = ["c"]
status = ["s", "{id}"]
"""


def run(*words: str, ca: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8"}
    environment |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    environment |= {"SSL_CERT_FILE": ca, "SSL_CERT_DIR": "/nonexistent"} if ca else {}
    return subprocess.run(
        [sys.executable, "-m", "elo_gate", "verify", *words],
        capture_output=True, text=True, timeout=120, cwd=cwd, env=environment, check=False,
    )  # fmt: skip


def test_a_target(tree: Write, nginx: Start, authority: Authority) -> None:
    site = nginx()
    folder = tree({"elo-gate.toml": TARGET.replace("URL", site.url)})
    done = run("production", "--json", ca=str(authority.ca), cwd=folder)
    made = json.loads(done.stdout)
    assert (done.returncode, done.stderr, made["findings"]) == (0, "", [])
    assert [(each["path"], each["status"]) for each in made["checks"]] == [
        ("/api/health", 200), ("/", 200), ("/nowhere", 404), ("/app.js", 200),
    ]  # fmt: skip
    assert "which release answers (--release)" in made["not_looked_at"]
    done = run("production", "--root", str(folder), "--release", "a" * 16, ca=str(authority.ca))
    assert done.returncode == 1 and "field version does not name the release" in done.stdout


def test_exit_codes(tree: Write, raw: StartRaw) -> None:
    good, bad = raw(lambda _: answer()), raw(lambda _: answer(X_Frame_Options="ALLOWALL"))
    assert run(good.url).returncode == 0
    assert run(bad.url, "--fail-on", "error").returncode == 0
    assert run(bad.url).returncode == 1
    assert run("http://127.0.0.1:9").returncode == 7
    for wrong in (("https://a.example/?q",), ("nowhere",), (good.url, "--path", "x"), (good.url, "--root", "/nonexistent"),
                  (good.url, "--release", "xyz"), (good.url, "--expect-release", "x"), (), (good.url, "--fail-on", "x")):  # fmt: skip
        done = run(*wrong, cwd=tree({"elo-gate.toml": TARGET.replace("URL", good.url)}))
        assert done.returncode == 2 and done.stderr and "Traceback" not in done.stderr, wrong


def test_help() -> None:
    done = run("-h")
    assert done.returncode == 0 and "0 good, 1 something is wrong" in done.stdout


def test_a_target_says_what_deploy_looks_at() -> None:
    table = config.parse(TARGET.replace("URL", "https://a.example"), "elo-gate.toml").targets["production"].verify
    options = table.look()
    assert options.health == Health("/api/health", expect="healthy", nested="checks.*.status")
    assert options.paths == (Asked("/"), Asked("/nowhere", 404))
    assert (options.headers, options.cookies, options.browser) == (False, False, "off")


@pytest.mark.parametrize(
    ("headers", "answered", "result"),
    [
        ("off", answer(X_Frame_Options=""), smoke.GREEN),
        ("error", answer(X_Frame_Options="", Content_Security_Policy=""), smoke.GREEN),
        ("warning", answer(X_Frame_Options="", Content_Security_Policy=""), smoke.RED),
        ("error", answer(Content_Security_Policy="script-src 'unsafe-inline'"), smoke.RED),
        ("warning", answer(), smoke.GREEN),
    ],
)
def test_served_headers_count_from_a_severity_on(raw: StartRaw, headers: str, answered: bytes, result: str) -> None:
    wanted = config.Verify(paths=["/"], passes=1, failures=1, no_answer_limit=1, interval="10ms", headers=headers)  # type: ignore[arg-type]
    got, checks = smoke.verify(raw(lambda _: answered).url, wanted, "", 20.0, Veil([]))
    assert got == result
    assert [each["result"] for each in checks] == [result]
    assert ("headers" in checks[0]) == (headers != "off")
    assert headers == "off" or ["Referrer-Policy", "strict-origin-when-cross-origin"] in checks[0]["headers"]


def test_a_nested_failure_turns_a_deploy_red(raw: StartRaw) -> None:
    body = json.dumps({"status": "healthy", "checks": {"db": {"status": "down"}}}).encode()
    wanted = config.parse(TARGET.replace("URL", "http://a.example"), "elo-gate.toml").targets["production"].verify
    wanted = wanted.model_copy(update={"paths": [], "failures": 1, "expect_release": ""})
    got, checks = smoke.verify(raw(lambda _: answer(200, body, "application/json")).url, wanted, "", 20.0, Veil([]))
    assert got == smoke.RED and checks[0]["why"] == "checks.db.status is not 'healthy'"


def test_a_page_that_its_policy_breaks_turns_a_deploy_red(raw: StartRaw, chromium: str) -> None:
    site = raw(lambda _: answer(200, b"<!DOCTYPE html><script>document.title = 'x'</script>"))
    asked = {"paths": ["/"], "passes": 1, "failures": 1}
    assert smoke.verify(site.url, config.Verify(**asked), "", 30.0, Veil([]))[0] == smoke.GREEN  # type: ignore[arg-type]
    got, checks = smoke.verify(site.url, config.Verify(**asked, browser="require"), "", 60.0, Veil([]))  # type: ignore[arg-type]
    assert got == smoke.RED and checks[0]["why"].startswith("verify/csp-violation: ")


def test_a_certificate_is_not_the_fault_of_a_release(nginx: Start) -> None:
    wanted = config.Verify(paths=["/"], no_answer_limit=1)
    got, checks = smoke.verify(nginx(certificate="expired").url, wanted, "", 20.0, Veil([]))
    assert got == smoke.SILENT and checks[0]["why"] == "its certificate is not accepted"


def test_the_words_of_what_is_found() -> None:
    from elo_gate.ruleset.load import load

    for rule, (severity, clauses, message, why, fix) in words.FOUND.items():
        assert severity in ("error", "warning", "note") and set(clauses) <= set(load().clauses), rule
        assert all(text[0].isupper() or text[0] in "'{h" for text in (message, why, fix)), rule
        assert all(text.endswith((".", "`.", ";`.")) for text in (message, why, fix)), rule
