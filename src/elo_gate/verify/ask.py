"""Turns an address into one answer, or into words why there is none: one bounded request, no redirect followed.

No answer is not a wrong answer: a closed port, a time-out, a cut connection or what is no HTTP say nothing about the
site's content.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from .options import BODY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

LOCAL = ("localhost", "127.0.0.1", "::1")
# vercel.com/docs/deployment-protection/methods-to-bypass-deployment-protection/protection-bypass-automation
BYPASS = "x-vercel-protection-bypass"


class Silence(Exception):
    """There is no answer; the text says why, without anything that the other side has sent."""


class NoTls(Silence):
    """A handshake does not come about; `reason` is OpenSSL's own word for it."""

    def __init__(self, reason: str) -> None:
        spoken = reason not in ("wrong version number", "http request", "record layer failure")
        super().__init__(f"TLS fails: {(reason or 'no end') if spoken else 'none is spoken on this port'}")
        self.reason = reason


@dataclass(slots=True)
class Answer:
    """One answer: `headers` as they came, names as written; `body` up to BODY bytes, `cut` where there was more."""

    url: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    cut: bool = False

    def all(self, name: str) -> list[str]:
        """Every value of a header, by its lower-case name."""
        return [value for key, value in self.headers if key.lower() == name]

    def first(self, name: str) -> str:
        """The first value of a header, "" without one."""
        return next(iter(self.all(name)), "")

    @property
    def html(self) -> bool:
        """Whether it is a page."""
        return self.first("content-type").partition(";")[0].strip().lower() in ("text/html", "application/xhtml+xml")


class Bounds:
    """How long one answer and the whole look may take, and how many requests are left."""

    __slots__ = ("answer", "until", "left", "bypass")

    def __init__(self, answer: float, until: float, requests: int, bypass: str = "") -> None:
        self.answer = answer
        self.until = until
        self.left = requests
        self.bypass = bypass

    def deadline(self) -> float:
        """When the next answer has to be whole. Raises Silence when there is no time left."""
        now = time.monotonic()
        if now >= self.until:
            raise Silence("no time is left to ask")
        return min(now + self.answer, self.until)


def bypass(name: str) -> str:
    """The value of the variable that lets requests through a login, "" where it is not set. Raises ValueError."""
    value = os.environ.get(name, "") if name else ""
    if value and not re.fullmatch(r"[!-~]{1,256}", value):
        raise ValueError(f"{name}: its value is none that a header can carry")
    return value


def trusted() -> ssl.SSLContext:
    """What the machine trusts; SSL_CERT_FILE and SSL_CERT_DIR count, as for every program with OpenSSL."""
    return ssl.create_default_context()


def ask(url: str, bounds: Bounds, cookies: str = "") -> Answer:
    """The answer to GET. Raises Silence, and ssl.SSLCertVerificationError for a certificate that is not accepted.

    The value that lets through a login goes only over TLS, or to this machine.
    """
    if bounds.left <= 0:
        raise Silence("it has been asked as often as a look may ask")
    bounds.left -= 1
    deadline = bounds.deadline()
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    asked = {"Host": parts.netloc.rpartition("@")[2], "User-Agent": "elo-gate", "Accept": "*/*", "Connection": "close"}
    if bounds.bypass and (secure or host in LOCAL):
        asked[BYPASS] = bounds.bypass
    if cookies:
        asked["Cookie"] = cookies
    target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe="/:?#[]@!$&'()*+,;=%~")
    lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in asked.items()), "", ""]
    with dial(host, parts.port or (443 if secure else 80), deadline, trusted() if secure else None) as link:
        link.sendall("\r\n".join(lines).encode("latin-1", "replace"))
        answer = http.client.HTTPResponse(link, method="GET")
        try:
            answer.begin()
            hints = 0
            while 102 <= answer.status < 200 and hints < 10:
                # http.client takes 103 Early Hints (RFC 8297) for the answer; what follows is.
                hints += 1
                answer.headers = None  # type: ignore[assignment]
                answer.begin()
            body = b""
            while len(body) < BODY and (piece := answer.read1(65_536)):
                body += piece
            if answer.length and len(body) < BODY:
                raise Silence("the answer ends before its end")
            found = [(name, _line(value)) for name, value in answer.getheaders()]
            return Answer(url, answer.status, found, body[:BODY], len(body) >= BODY)
        finally:
            answer.close()


@contextlib.contextmanager
def dial(host: str, port: int, deadline: float, context: ssl.SSLContext | None = None) -> Iterator[Any]:
    """An open connection, over TLS where there is a context, that is cut at a time.

    A time-out of a socket counts anew with each letter that drips in, within a handshake too, so a clock of its own
    ends it. Raises Silence, NoTls and ssl.SSLCertVerificationError, also for what fails inside of the block.
    """
    late = threading.Event()
    try:
        plain = socket.create_connection((host, port), timeout=max(0.05, deadline - time.monotonic()))
        link = plain
        if context is not None:
            with plain:  # it is the other's from here on
                link = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)

        def cut() -> None:
            late.set()
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

        watch = threading.Timer(max(0.05, deadline - time.monotonic()), cut)
        watch.daemon = True
        watch.start()
        link.settimeout(max(0.0, deadline - time.monotonic()) + 5.0)  # the clock comes first
        try:
            if isinstance(link, ssl.SSLSocket):
                link.do_handshake()
            yield link
            if late.is_set():
                raise Silence(_LATE)
        finally:
            watch.cancel()
            link.close()
    except (Silence, ssl.SSLCertVerificationError):
        if late.is_set():
            raise Silence(_LATE) from None
        raise
    except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
        raise (Silence(_LATE) if late.is_set() else _silence(error, host)) from None


def _silence(error: Exception, host: str) -> Silence:
    """What the system says in words; nothing of what was received stands in them."""
    if isinstance(error, ssl.SSLError):
        return NoTls((error.reason or "").lower().replace("_", " "))
    if isinstance(error, socket.gaierror):
        return Silence(f"the name {host} is not known")
    if isinstance(error, TimeoutError):
        return Silence("nobody answers in time")
    if isinstance(error, ConnectionRefusedError):
        return Silence("nobody listens there")
    if isinstance(error, (ConnectionError, http.client.RemoteDisconnected)):
        return Silence("the connection is closed without an answer")
    if isinstance(error, http.client.IncompleteRead):
        return Silence("the answer ends before its end")
    if isinstance(error, UnicodeError):
        return Silence("its name is none that can be asked")
    if isinstance(error, OSError):
        return Silence(f"it cannot be asked: {error.strerror or 'the network fails'}")
    return Silence("what comes back is no HTTP")


_LATE = "the answer is not whole in time"


def _line(value: str) -> str:
    """A value on one line: a folded one is unfolded, what does not print becomes a blank."""
    flat = re.sub(r"\r?\n[ \t]+", " ", value).strip()
    return flat if flat.isprintable() else "".join(each if each.isprintable() else " " for each in flat)
