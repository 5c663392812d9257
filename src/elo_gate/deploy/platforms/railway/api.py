"""Turns an operation of Railway's API into one HTTP request and the JSON it answers with, or into Lost.

TLS is always verified, and no redirect is followed: the token goes to the one host that was named. A request that acts
is sent once; a question is asked again while it may be, where Railway says it is too busy.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import ssl
import threading
import time
from urllib.parse import urlsplit

from ...platform import Lost
from .documents import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Any

    from ...veil import Veil

MOST = 4 << 20  # of an answer
CONNECT = 10.0
BUSY = (429, 502, 503, 504)
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Api:
    """One host and one token. `project` tokens and those of a person or a workspace travel in different headers."""

    __slots__ = ("_parts", "_name", "_project", "_veil", "_stop")

    def __init__(self, address: str, name: str, project: bool, veil: Veil, stop: Callable[[], bool] | None) -> None:
        self._parts = urlsplit(address)
        self._name = name  # of the variable that holds the token
        self._project = project
        self._veil = veil
        self._stop = stop

    def ask(
        self, what: str, document: str, values: dict[str, Any], seconds: float, acts: bool = False
    ) -> dict[str, Any]:
        """The `data` of a GraphQL operation's answer. `what` names the deed in messages. Raises Lost."""
        body = json.dumps({"query": document, "operationName": name_of(document), "variables": values}).encode()
        until = time.monotonic() + seconds
        pause = 0.5
        while True:
            left = until - time.monotonic()
            status, headers, said = self._exchange(what, "/graphql/v2", "application/json", body, len(body), left)
            if status not in BUSY or acts:
                break
            pause = _pause(headers.get("retry-after", ""), pause * 2)
            if time.monotonic() + pause >= until or (self._stop is not None and self._stop()):
                break
            time.sleep(pause)
        answer = self._object(what, status, said)
        errors = answer.get("errors")
        if errors:
            first = errors[0].get("message") if isinstance(errors, list) and isinstance(errors[0], dict) else ""
            raise Lost(f"{what}: Railway says: {self._veil.hide(str(first or 'an error without a message'))}")
        data = answer.get("data")
        if not isinstance(data, dict):
            raise Lost(f"{what}: its answer has no `data`")
        return data

    def send(self, what: str, path: str, body: IO[bytes], size: int, seconds: float) -> dict[str, Any]:
        """What Railway answers to an upload of `size` bytes. Raises Lost: it may have arrived."""
        status, _, said = self._exchange(what, path, "application/gzip", body, size, seconds)
        return self._object(what, status, said)

    def _object(self, what: str, status: int, said: bytes) -> dict[str, Any]:
        if status in (401, 403):
            raise Lost(f"{what}: Railway refuses the token of ${self._name} ({status})")
        if status == 429:
            raise Lost(f"{what}: too many requests for this token (429); its plan says how many there may be")
        if 300 <= status < 400:
            raise Lost(f"{what}: answered with a redirect ({status}); a token is not taken to another address")
        try:
            answer = json.loads(said) if len(said) <= MOST else None
        except (ValueError, RecursionError):
            answer = None
        if status != 200:
            word = answer.get("message") if isinstance(answer, dict) else ""
            hint = "the release is too large" if status == 413 else self._veil.hide(str(word or ""))
            raise Lost(f"{what}: answered {status}" + (f": {hint}" if hint else ""))
        if not isinstance(answer, dict):
            raise Lost(f"{what}: its answer is not one JSON object")
        return answer

    def _exchange(
        self, what: str, path: str, kind: str, body: bytes | IO[bytes], size: int, seconds: float
    ) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, body) of one POST. Raises Lost."""
        headers = {
            **self._token(what), "Content-Type": kind, "Content-Length": str(size), "Accept": "application/json",
            "User-Agent": "elo-gate", "Connection": "close",
        }  # fmt: skip
        until = time.monotonic() + seconds
        connection = self._connection(max(0.05, min(CONNECT, seconds)))
        over = threading.Event()
        try:
            connection.connect()
            connection.sock.settimeout(max(0.05, seconds))
            threading.Thread(target=self._watch, args=(connection, until, over), daemon=True).start()
            connection.request("POST", self._parts.path.rstrip("/") + path, body, headers)
            answer = connection.getresponse()
            said = answer.read(MOST + 1)
            if answer.length or time.monotonic() >= until:
                raise http.client.IncompleteRead(b"")  # cut off, by Railway or by us
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, said
        except ssl.SSLCertVerificationError as error:
            raise Lost(f"{what}: its certificate is not to be trusted: {error.verify_message}") from None
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            why = "not in time" if time.monotonic() >= until else getattr(error, "strerror", None) or "cut off"
            raise Lost(f"{what}: no answer ({why})") from None
        finally:
            over.set()
            connection.close()

    def _connection(self, patience: float) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=patience, context=ssl.create_default_context())
        if host not in LOOPBACK:
            raise Lost("a token goes over https only")
        return http.client.HTTPConnection(host, port, timeout=patience)

    def _token(self, what: str) -> dict[str, str]:
        """The header with the token. Project tokens have one of their own: docs.railway.com/integrations/api."""
        value = os.environ.get(self._name, "")
        if not value:
            raise Lost(f"{what}: ${self._name} is not set; it holds the token")
        if not re.fullmatch(r"[!-~]+", value):
            raise Lost(f"{what}: ${self._name} holds blanks or letters that no token has")
        return {"Project-Access-Token": value} if self._project else {"Authorization": f"Bearer {value}"}

    def _watch(self, connection: http.client.HTTPConnection, until: float, over: threading.Event) -> None:
        # A socket's own time-out counts from one piece to the next: who sends a letter now and then is cut off here.
        while not over.wait(0.1):
            if time.monotonic() >= until or (self._stop is not None and self._stop()):
                try:
                    connection.sock.shutdown(socket.SHUT_RDWR)
                except (OSError, AttributeError):
                    pass
                return


def _pause(said: str, usual: float) -> float:
    return max(0.2, min(60.0, float(said))) if re.fullmatch(r"[0-9]{1,5}", said) else usual
