"""A real Chromium on real pages: what the headers alone do not show."""

from __future__ import annotations

import json
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from elo_gate.verify import browser
from elo_gate.verify.doors import Stopped

from .conftest import HEADERS, PAGE, Raw, Start, answer, command, lines, rules, seen

StartRaw = Callable[[Callable[[bytes], object]], Raw]
SCRIPT = b"<!DOCTYPE html><title>x</title><script>document.title = 'ran'</script>"


def test_a_good_page_over_tls_of_an_authority_that_chromium_does_not_know(nginx: Start, chromium: str) -> None:
    look = seen(nginx().url, browser="require")
    assert rules(look) == [] and look.result() == "green"
    [page] = look.pages
    assert page.told() == {"path": "/", "violations": [], "errors": [], "failed": ""}
    assert look.browser.startswith(("Chrome/", "HeadlessChrome/"))


def test_a_policy_that_breaks_the_page_shows_in_a_browser_alone(nginx: Start, chromium: str, tmp_path: Path) -> None:
    site = nginx()
    [folder] = [each for each in tmp_path.iterdir() if (each / "html").is_dir()]
    (folder / "html" / "index.html").write_text(PAGE + "<script>document.title = 'inline'</script>" * 2)
    assert rules(seen(site.url)) == []
    look = seen(site.url, browser="require")
    [found] = look.findings
    assert found.rule == "verify/csp-violation" and look.result() == "red"
    assert "'script-src-elem' refuses inline (2 times)" in found.message


def test_a_policy_on_trial_is_told(raw: StartRaw, chromium: str) -> None:
    site = raw(lambda _: answer(200, SCRIPT, Content_Security_Policy_Report_Only="script-src 'self'; report-uri /r",
                                Content_Security_Policy=""))  # fmt: skip
    look = seen(site.url, browser="require", headers=False)
    assert rules(look) == ["verify/csp-report"] and look.findings[0].severity == "note"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("throw new Error('it broke')", "Error: it broke"),
        ("console.error('it', 'broke', 7)", "it broke 7"),
        ("console.log('fine')", ""),
        ("console.error('token=gh' + 'p_Zx81kQm2Lw9Rt4Yu7' + 'Ip0As3Df6Gh5JkLqWeR')", "ghp_***"),
    ],
)
def test_the_console(raw: StartRaw, chromium: str, script: str, words: str) -> None:
    page = b"<!DOCTYPE html><script src=/app.js></script>"
    site = raw(
        lambda request: answer(200, script.encode(), "text/javascript") if b"/app.js" in request else answer(200, page)
    )
    look = seen(site.url, browser="require")
    assert rules(look) == (["verify/console-error"] if words else [])
    assert all(words in each.message and "Zx81" not in each.message for each in look.findings)


def test_a_page_that_never_stops_talking(raw: StartRaw, chromium: str) -> None:
    script = b"setInterval(() => { for (let i = 0; i < 200; i++) console.error('again', i) }, 1)"
    site = raw(
        lambda request: answer(200, script, "text/javascript") if b"/app.js" in request else answer(200, PAGE.encode())
    )
    look = seen(site.url, browser="require", headers=False)
    assert rules(look) == ["verify/console-error"] and len(look.pages[0].errors) == 50


def test_a_script_that_is_not_there(raw: StartRaw, chromium: str) -> None:
    site = raw(lambda request: answer(404, b"") if b"/app.js" in request else answer(200, PAGE.encode()))
    look = seen(site.url, browser="require", headers=False)
    assert rules(look) == ["verify/console-error"] and "/app.js: " in look.findings[0].message


def test_a_page_that_never_ends_loading(raw: StartRaw, chromium: str) -> None:
    def give(request: bytes) -> object:
        if b"/app.js" not in request:
            return answer(200, PAGE.encode())
        time.sleep(15)
        return b""

    look = seen(raw(give).url, browser="require", headers=False, answer=1.5)
    assert rules(look) == ["verify/page-fails"] and "not loaded in time" in look.findings[0].message


def test_the_value_that_passes_a_login_goes_to_the_site_alone(
    raw: StartRaw, chromium: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "canary-7d1b9e3a55"
    monkeypatch.setenv("BYPASS", secret)
    other = raw(lambda _: answer(200, b"", "text/javascript"))
    page = f"<!DOCTYPE html><script src={other.url}/there.js></script><script src=/here.js></script>"
    policy = f"script-src 'self' {other.url}; object-src 'none'"

    def give(request: bytes) -> bytes:
        if secret.encode() not in request:
            return answer(401)
        return (
            answer(200, b"", "text/javascript")
            if b"/here.js" in request
            else answer(200, page.encode(), Content_Security_Policy=policy)
        )

    site = raw(give)
    look = seen(site.url, browser="require", headers=False, bypass_env="BYPASS")
    assert rules(look) == [] and look.pages[0].errors == []
    assert any(b"/here.js" in each and secret.encode() in each for each in site.asked)
    assert other.asked and not any(secret.encode() in each for each in other.asked)


def test_a_picture(raw: StartRaw, chromium: str, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    code, text = command(raw(lambda _: answer(200, SCRIPT[:40])).url, screenshot=str(picture))
    assert code == 0 and "Opened 2 pages in " in text
    data = picture.read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    assert data[:8] == b"\x89PNG\r\n\x1a\n" and width > 300 and height > 300
    with pytest.raises(Stopped):
        command(raw(lambda _: answer(200, SCRIPT[:40])).url, screenshot=str(tmp_path / "no" / "folder.png"))


def test_no_chromium(raw: StartRaw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELO_GATE_CHROMIUM", "/nonexistent/chromium")
    site = raw(lambda _: answer())
    with pytest.raises(Stopped, match="there is no Chromium"):
        command(site.url, browser=True)
    look = seen(site.url, browser="auto")
    assert look.result() == "green" and "pages in a browser: there is no Chromium" in look.remarks[-1]


@pytest.mark.parametrize("script", ["exit 1", "sleep 600", "printf 'x' >&4; sleep 600", "printf '{\\0' >&4; sleep 600"])
def test_a_program_that_is_no_chromium(
    raw: StartRaw, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str
) -> None:
    program = tmp_path / "chromium"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("ELO_GATE_CHROMIUM", str(program))
    home = tmp_path / "temporary"
    home.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(home))
    monkeypatch.setattr(browser, "_PATIENCE", 1.0)
    with pytest.raises(browser.BrowserError, match="does not answer"):
        browser.look("http://127.0.0.1:9", ["/"], 1.0)
    assert list(home.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_no_process_stays(raw: StartRaw, chromium: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "temporary"
    home.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(home))
    seen(raw(lambda _: answer(200, SCRIPT[:40])).url, browser="require")
    assert list(home.iterdir()) == []
    if Path("/proc/self").exists():
        left = [each for each in Path("/proc").glob("[0-9]*/cmdline") if str(home).encode() in _read(each)]
        assert left == []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_the_json_of_pages(nginx: Start, chromium: str) -> None:
    made = json.loads(command(nginx(lines(HEADERS)).url, browser=True, as_json=True, paths=("/",))[1])
    assert made["browser"]["pages"] == [{"path": "/", "violations": [], "errors": [], "failed": ""}]
