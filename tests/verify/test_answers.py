"""Answers as no proper server gives them: slow, endless, in a circle, behind a login, not well and saying 200."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator

import pytest

from elo_gate.verify.options import Health
from elo_gate.verify.options import Path as Asked

from .conftest import Raw, answer, command, rules, seen

StartRaw = Callable[[Callable[[bytes], object]], Raw]


def moved(to: str, status: int = 302, **more: str) -> bytes:
    return answer(status, b"", Location=to, **more)


def path_of(request: bytes) -> str:
    return request.split(b" ")[1].decode()


def drip(pieces: Iterator[bytes], pause: float) -> Iterator[bytes]:
    for piece in pieces:
        yield piece
        time.sleep(pause)


@pytest.mark.parametrize(
    ("give", "why"),
    [
        (lambda _: drip((bytes([each]) for each in answer()), 0.2), "the answer is not whole in time"),
        (lambda _: drip(itertools.chain([answer()[:-5]], itertools.repeat(b"", 50)), 0.2), "the answer is not whole in time"),
        (lambda _: drip(itertools.chain([b"HTTP/1.1 200 OK\r\n"], itertools.repeat(b"X-A: b\r\n", 60)), 0.1),
         "the answer is not whole in time"),
        (lambda _: drip(iter([b"", b""]), 3), "the answer is not whole in time"),
        (lambda _: answer()[:-5], "the answer ends before its end"),
        (lambda _: b"SSH-2.0-OpenSSH_9.2\r\n", "what comes back is no HTTP"),
        (lambda _: b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 500 + b"\r\n", "what comes back is no HTTP"),
        (lambda _: b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 100_000 + b"\r\n\r\n", "what comes back is no HTTP"),
        (lambda _: b"", "the connection is closed without an answer"),
    ],
)  # fmt: skip
def test_no_answer(raw: StartRaw, give: Callable[[bytes], object], why: str) -> None:
    started = time.monotonic()
    look = seen(raw(give).url, answer=1.0)
    assert look.result() == "silent" and rules(look) == []
    assert [each.why for each in look.checks if each.path == "/"] == [why]
    assert time.monotonic() - started < 30


def test_a_handshake_that_drips(raw: StartRaw) -> None:
    site = raw(
        lambda _: drip(itertools.chain([b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"], itertools.repeat(b"\0", 60)), 0.1)
    )
    look = seen(site.url.replace("http:", "https:"), answer=1.0)
    assert look.result() == "silent" and look.checks[0].why == "the answer is not whole in time"
    look = seen(site.url.replace("http:", "https:"), answer=1.0, transport=False)
    assert look.result() == "silent" and look.checks[0].why == "the answer is not whole in time"


def test_early_hints_are_not_the_answer(raw: StartRaw) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
    look = seen(raw(lambda _: hints * 2 + answer()).url)
    assert rules(look) == [] and look.checks[0].status == 200
    assert seen(raw(lambda _: hints * 50).url, headers=False).checks[0].result in ("silent", "green")


def test_a_body_without_an_end(raw: StartRaw) -> None:
    head = answer(kind="text/plain").partition(b"\r\n\r\n")[0].replace(b"Content-Length: 13\r\n", b"")
    site = raw(lambda _: itertools.chain([head + b"\r\n\r\n"], itertools.repeat(b"x" * 65_536, 2_000)))
    look = seen(site.url, answer=20.0)
    assert [(each.status, each.result) for each in look.checks] == [(200, "green")]


def test_nobody_there() -> None:
    assert [each.why for each in seen("http://127.0.0.1:9").checks] == ["nobody listens there"]
    assert "is not known" in seen("https://no-such-name.invalid").checks[0].why
    code, text = command("http://127.0.0.1:9")
    assert code == 7 and text.rstrip().endswith("No answer: 0 errors, 0 warnings, 0 notes; 2 paths without an answer.")


def test_the_whole_look_has_an_end(raw: StartRaw) -> None:
    site = raw(lambda _: drip((bytes([each]) for each in answer()), 0.2))
    started = time.monotonic()
    look = seen(site.url, paths=[f"/{each}" for each in range(40)], answer=1.0, whole=3.0)
    assert look.result() == "silent" and len(look.checks) == 40
    assert "no time is left to ask" in {each.why for each in look.checks}
    assert time.monotonic() - started < 60


def test_a_look_asks_a_bounded_number_of_times(raw: StartRaw) -> None:
    count = itertools.count()
    site = raw(lambda _: moved(f"/{next(count)}"))
    look = seen(site.url, paths=[f"/a{each}" for each in range(40)])
    assert len(site.asked) <= 60
    assert "it has been asked as often as a look may ask" in {each.why for each in look.checks}


@pytest.mark.parametrize(
    ("hops", "found"),
    [
        ({"/": "/a", "/a": "/b", "/b": "/a"}, ["verify/redirect-loop"]),
        ({"/": "/"}, ["verify/redirect-loop"]),
        ({"/": "/a", "/a": "/b"}, []),
        ({"/": "http://elsewhere.invalid/"}, []),
        ({"/": "//elsewhere.invalid/"}, []),
        ({"/": "http://[::"}, []),
        ({"/": "javascript:alert(1)"}, []),
        ({"/": "/%0d%0aX: y"}, []),
    ],
)
def test_redirects(raw: StartRaw, hops: dict[str, str], found: list[str]) -> None:
    site = raw(lambda request: moved(hops[path_of(request)]) if path_of(request) in hops else answer())
    look = seen(site.url, paths=("/",), transport=False)
    assert rules(look) == found
    assert look.checks[0].result == ("red" if found else "green")
    assert len(site.asked) <= 6


def test_a_redirect_that_waits_for_its_cookie_is_no_loop(raw: StartRaw) -> None:
    site = raw(lambda request: answer() if b"Cookie: seen=1" in request else moved("/", Set_Cookie="seen=1; Path=/"))
    look = seen(site.url, transport=False)
    assert rules(look) == [] and look.checks[0].status == 200 and look.checks[0].hops == [(302, f"{site.url}/")]


def test_ever_on_is_a_chain_too_long(raw: StartRaw) -> None:
    count = itertools.count()
    look = seen(raw(lambda _: moved(f"/{next(count)}")).url, transport=False)
    assert rules(look) == ["verify/redirect-chain"]


def test_an_expected_status_is_that_of_the_first_answer(raw: StartRaw) -> None:
    site = raw(lambda request: moved("/new", 308) if path_of(request) == "/old" else answer())
    look = seen(site.url, paths=(Asked("/old", 308), Asked("/old", 200)), transport=False)
    assert [each.result for each in look.checks] == ["green", "red"]
    assert look.findings[0].message == "'/old' answers 308, not 200."


@pytest.mark.parametrize(
    ("give", "status", "why"),
    [
        (lambda _: answer(401, X_Frame_Options=""), 401, "asks for a login"),
        (lambda _: answer(403, Content_Security_Policy=""), 403, "asks for a login"),
        (lambda _: moved("https://vercel.com/sso-api?url=https%3A%2F%2Fx&nonce=abc"), 302, "asks for a login"),
        (lambda _: moved("https://acme.cloudflareaccess.com/cdn-cgi/access/login/x"), 302, "asks for a login"),
        (lambda _: answer(429), 429, "is asked too often"),
    ],
)
def test_a_login_is_no_wrong_answer(raw: StartRaw, give: Callable[[bytes], object], status: int, why: str) -> None:
    look = seen(raw(give).url)
    assert rules(look) == [] and look.result() == "silent"
    assert (look.checks[0].status, look.checks[0].why) == (status, why)
    assert "nonce" not in json.dumps([each.told() for each in look.checks])


def test_the_value_that_passes_a_login(raw: StartRaw, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "canary-4f8a6c0e2b"
    monkeypatch.setenv("BYPASS", secret)
    site = raw(
        lambda request: answer() if f"x-vercel-protection-bypass: {secret}".encode() in request.lower() else answer(401)
    )
    assert seen(site.url).result() == "silent"
    assert seen(site.url, bypass_env="BYPASS").result() == "green"
    for shown in (command(site.url, bypass_env="BYPASS"), command(site.url, bypass_env="BYPASS", as_json=True)):
        assert shown[0] == 0 and secret not in shown[1]
    other = raw(lambda request: moved(f"{site.url}/"))  # another origin: it does not go along
    before = len(site.asked)
    seen(other.url, bypass_env="BYPASS")
    assert len(site.asked) == before


def test_http_of_another_machine_is_in_the_clear(raw: Callable[..., Raw], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BYPASS", "canary-90ab12cd34")
    try:
        site = raw(lambda _: answer(), host="127.0.0.2")  # another one, as far as the address says
    except OSError:
        pytest.skip("127.0.0.2 is no address of this machine")
    look = seen(site.url, bypass_env="BYPASS")
    assert rules(look) == ["verify/plain-http"] and look.result() == "red"
    assert site.asked and not any(b"canary" in each for each in site.asked)


BODY = {
    "status": "healthy",
    "version": "a" * 16,
    "checks": {"db": {"status": "healthy"}, "cache": {"status": "healthy"}},
}
WELL = Health("/health", expect="healthy", nested="checks.*.status", warn=("warning",))


@pytest.mark.parametrize(
    ("body", "health", "found", "words"),
    [
        (BODY, WELL, [], ""),
        ({**BODY, "checks": {"db": {"status": "unhealthy"}}}, WELL, ["verify/health-nested"], "checks.db.status is not 'healthy'"),
        ({**BODY, "checks": {"db": {"status": "warning"}}}, WELL, [], ""),
        ({**BODY, "status": "warning"}, WELL, [], ""),
        ({**BODY, "status": "degraded"}, WELL, ["verify/health"], "status is not 'healthy'"),
        ({**BODY, "checks": {"db": {"status": "DOWN"}}}, Health("/health", nested="checks.*.status"), ["verify/health-nested"],
         "checks.db.status is 'down'"),
        ({"checks": {"db": [{"status": "pass"}, {"status": "fail"}]}}, Health("/health", nested="checks.*.status"),
         ["verify/health-nested"], "checks.db is 'fail'"),
        ({"status": "error"}, Health("/health", plain=True), ["verify/health"], "status is 'error'"),
        ({"status": "error"}, Health("/health"), [], ""),
        ([], WELL, ["verify/health"], "not a JSON object"),
        ({"status": "s3cr3t-of-somebody"}, WELL, ["verify/health"], "status is not 'healthy'"),
        ({"status": "healthy", "checks": {"a b<c": {"status": "bad"}}}, WELL, ["verify/health-nested"], "checks.....status"),
    ],
)  # fmt: skip
def test_health(raw: StartRaw, body: object, health: Health, found: list[str], words: str) -> None:
    site = raw(lambda _: answer(200, json.dumps(body).encode(), "application/json"))
    look = seen(site.url, paths=(), health=health)
    assert rules(look) == found
    assert all(words in each.message and "s3cr3t" not in each.message for each in look.findings)


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"null"])
def test_health_that_is_no_json(raw: StartRaw, body: bytes) -> None:
    look = seen(raw(lambda _: answer(200, body, "application/json")).url, paths=(), health=WELL)
    assert rules(look) == ["verify/health"]


def test_the_release_that_a_field_names(raw: StartRaw) -> None:
    site = raw(lambda _: answer(200, json.dumps(BODY).encode(), "application/json"))
    asked = {"paths": (), "health": WELL, "expect_release": "json:version"}
    assert rules(seen(site.url, digest="a" * 64, **asked)) == []
    assert rules(seen(site.url, digest="b" * 64, **asked)) == ["verify/release"]


def test_a_server_that_fails(raw: StartRaw) -> None:
    look = seen(raw(lambda _: answer(503)).url)
    assert rules(look) == ["verify/server-error"] and look.result() == "red"


def test_a_nonce_that_stays_the_same(raw: StartRaw) -> None:
    count = itertools.count()
    policy = "script-src 'nonce-{}'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    assert rules(seen(raw(lambda _: answer(Content_Security_Policy=policy.format("c2FtZXNhbWU="))).url)) == [
        "verify/same-nonce"
    ]
    fresh = raw(lambda _: answer(Content_Security_Policy=policy.format(f"bmV3{next(count)}")))
    assert rules(seen(fresh.url)) == []


def test_two_policies_are_judged_together(raw: StartRaw) -> None:
    loose = "script-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    one = answer(Content_Security_Policy=loose)
    assert rules(seen(raw(lambda _: one).url)) == ["headers/csp-unsafe-inline"]
    two = one.replace(b"Connection: close", b"Content-Security-Policy: script-src 'self'\r\nConnection: close")
    assert rules(seen(raw(lambda _: two).url)) == ["headers/duplicate-header"]  # what the second forbids is forbidden


def test_hostile_headers_are_inert(raw: StartRaw) -> None:
    hostile = answer(X_Powered_By="\x1b[31mred ::error::no ##vso[task]", Set_Cookie="\x1b[2Jsession=1")
    code, text = command(raw(lambda _: hostile).url, fail_on="note")
    assert code == 1 and "\x1b" not in text and "##vso" not in text
    code, text = command(raw(lambda _: hostile).url, as_json=True, fail_on="note")
    assert "\\u001b" not in text and json.loads(text)["exit_code"] == 1


@pytest.mark.parametrize(
    "where",
    ["ftp://a.example", "https://", "https://user:pw@a.example", "https://a.example/?q=1", "http://a.example:0", "https://[::", "http://a b"],
)  # fmt: skip
def test_what_cannot_be_asked_for(where: str) -> None:
    from elo_gate.verify.doors import Stopped

    with pytest.raises(Stopped):
        command(where)
