"""Turns the end of a deploy into one bounded POST to an address that a variable holds; never changes the outcome."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import threading
from urllib.parse import urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .config import Notify


def tell(wanted: Notify, what: dict[str, Any]) -> str:
    """How it went, in words without the address: `told`, or why not."""
    url = os.environ.get(wanted.url_env, "")
    if not url:
        return f"not told: ${wanted.url_env} is not set"
    said: list[str] = []
    # In a thread, for neither a name's look-up nor a slow reader keeps to a time-out.
    thread = threading.Thread(target=lambda: said.append(_post(url, what, wanted.timeout)), daemon=True)
    thread.start()
    thread.join(wanted.timeout + 0.5)
    return said[0] if said else "not told: no answer in time"


def _post(url: str, what: dict[str, Any], limit: float) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port
    except ValueError:
        return "not told: the variable holds no address"
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=limit, context=ssl.create_default_context())
    elif parts.scheme == "http" and host in ("127.0.0.1", "::1", "localhost"):
        connection = http.client.HTTPConnection(host, port, timeout=limit)
    else:
        return "not told: the address is not https"
    try:
        body = json.dumps(what).encode()
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, {"Content-Type": "application/json", "User-Agent": "elo-gate"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError):
        return "not told: no answer"
    finally:
        connection.close()
    return "told" if 200 <= status < 300 else f"not told: answered {status}"
