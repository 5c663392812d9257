"""Turns an address into green, red or no answer: a few bounded requests, repeated until one of them is sure.

No answer is not a wrong answer: a closed port, a time-out, an answer that cannot be read, or a login page (401, 403)
say nothing about the release.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
from urllib.parse import urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .config import Verify
    from .veil import Veil

GREEN = "green"
RED = "red"
SILENT = "silent"
BODY = 1 << 20


def verify(
    url: str, wanted: Verify, digest: str, limit: float, veil: Veil, stop: Callable[[], bool] | None = None,
    tell: Callable[[dict[str, Any]], None] | None = None,
) -> tuple[str, list[dict[str, Any]]]:  # fmt: skip
    """(green, red or silent; what the last round saw). `digest` empty: which release answers is not asked.

    Green after `passes` rounds in a row, red after `failures`, silent after `no_answer_limit` or at the time limit.
    """
    until = time.monotonic() + limit
    run = {GREEN: 0, RED: 0, SILENT: 0}
    needed = {GREEN: wanted.passes, RED: wanted.failures, SILENT: wanted.no_answer_limit}
    while True:
        seen = _round(url, wanted, digest, until, veil)
        words = [each["result"] for each in seen]
        word = RED if RED in words else SILENT if SILENT in words else GREEN
        run = {each: run[each] + 1 if each == word else 0 for each in run}
        if tell is not None:
            tell({"result": word, "url": url, "checks": seen})
        if run[word] >= needed[word]:
            return word, seen
        if time.monotonic() + wanted.interval >= until or (stop is not None and stop()):
            return SILENT, seen
        time.sleep(wanted.interval)


def _round(url: str, wanted: Verify, digest: str, until: float, veil: Veil) -> list[dict[str, Any]]:
    seen = []
    expect = wanted.expect_release if digest else ""
    if wanted.health is not None:
        seen.append(_health(url, wanted, digest if expect else "", until, veil))
    for each in wanted.paths:
        path, status = (each, 0) if isinstance(each, str) else (each.path, each.status)
        answer = _get(url, path, wanted.answer, until)
        result, why = _status(answer, status)
        if result == GREEN and expect.startswith("header:") and answer is not None:
            name = expect.partition(":")[2]
            result, why = _release(answer[1].get(name.lower(), ""), digest, f"header {name}")
        seen.append(_told(path, answer, result, why, veil))
    return seen


def _health(url: str, wanted: Verify, digest: str, until: float, veil: Veil) -> dict[str, Any]:
    health = wanted.health
    assert health is not None
    answer = _get(url, health.path, wanted.answer, until)
    result, why = _status(answer, 200)
    if answer is not None and result == GREEN:
        expect, _, name = wanted.expect_release.partition(":")
        if health.expect or (digest and expect == "json"):
            try:
                body = json.loads(answer[2])
            except (ValueError, RecursionError):
                body = None
            if not isinstance(body, dict):
                result, why = RED, "its answer is not a JSON object"
            else:
                said = _field(body, health.field)
                if health.expect and said != health.expect:
                    if said in health.warn:
                        why = f"{health.field} is one of those that are told"
                    else:
                        result, why = RED, f"{health.field} is not '{health.expect}'"
                if result == GREEN and digest and expect == "json":
                    result, why = _release(_field(body, name), digest, f"field {name}")
        if result == GREEN and digest and expect == "header":
            result, why = _release(answer[1].get(name.lower(), ""), digest, f"header {name}")
    return _told(health.path, answer, result, why, veil)


def _release(said: Any, digest: str, where: str) -> tuple[str, str]:
    """At least twelve digits of the digest, so that a chance does not pass; another release may still be answering."""
    short = said.removeprefix("sha256:").lower() if isinstance(said, str) else ""
    good = len(short) >= 12 and digest.startswith(short)
    return (GREEN, "") if good else (RED, f"{where} does not name this release")


def _field(body: Any, path: str) -> Any:
    for name in path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _status(answer: tuple[int, dict[str, str], bytes] | None, wanted: int) -> tuple[str, str]:
    if answer is None:
        return SILENT, "no answer"
    if wanted and answer[0] == wanted:
        return GREEN, ""
    if answer[0] in (401, 403):
        return SILENT, "asks for a login"
    if wanted:
        return RED, f"answers {answer[0]}, not {wanted}"
    return (RED, f"answers {answer[0]}") if answer[0] >= 500 else (GREEN, "")


def _told(path: str, answer: Any, result: str, why: str, veil: Veil) -> dict[str, Any]:
    return {"path": path, "status": answer[0] if answer else None, "result": result, "why": veil.hide(why)}


def _get(url: str, path: str, limit: float, until: float) -> tuple[int, dict[str, str], bytes] | None:
    """(status, headers, body) of one request; redirects are not followed. None when there is no whole answer."""
    parts = urlsplit(url)
    deadline = min(time.monotonic() + limit, until)
    host = parts.hostname or ""
    patience = max(0.05, deadline - time.monotonic())
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            host, parts.port, timeout=patience, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=patience)
    watch = None
    try:
        connection.connect()
        # A time-out counts from one piece to the next; who sends a letter now and then is cut off here.
        watch = threading.Timer(max(0.05, deadline - time.monotonic()), _cut, (connection,))
        watch.daemon = True
        watch.start()
        connection.request(
            "GET", (parts.path.rstrip("/") + path) or "/", headers={"User-Agent": "elo-gate", "Accept": "*/*",
            "Cache-Control": "no-cache", "Connection": "close"},
        )  # fmt: skip
        answer = connection.getresponse()
        body = b""
        while len(body) < BODY:
            if time.monotonic() >= deadline:
                return None
            piece = answer.read1(65_536)
            if not piece:
                break
            body += piece
        if (answer.length and len(body) < BODY) or time.monotonic() >= deadline:
            return None  # cut off, by the site or by us
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body
    except (OSError, http.client.HTTPException, ValueError, AttributeError):
        return None
    finally:
        if watch is not None:
            watch.cancel()
        connection.close()


def _cut(connection: http.client.HTTPConnection) -> None:
    try:
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
