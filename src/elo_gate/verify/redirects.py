"""Turns an address into the answer that its redirects lead to."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from . import served
from .ask import Answer, Bounds, Silence, ask
from .options import HOPS

MOVED = (301, 302, 303, 307, 308)


def follow(url: str, bounds: Bounds) -> tuple[Answer, list[tuple[int, str]], str]:
    """(last answer, redirects, the id of what is wrong with them). Stays on the host; cookies go along, since
    some sites redirect until theirs comes back."""
    hops: list[tuple[int, str]] = []
    cookies: dict[str, str] = {}
    host = urlsplit(url).hostname
    seen = {(url, "")}
    down = ""
    last: Answer | None = None
    while True:
        try:
            answer = ask(url, bounds, "; ".join(f"{name}={value}" for name, value in cookies.items()))
        except Silence:
            if down and last is not None:
                return last, hops, down
            raise
        last = answer
        where = answer.first("location")
        if answer.status not in MOVED or not where:
            return answer, hops, down
        try:
            target = urljoin(url, where).partition("#")[0]
            parts = urlsplit(target)
            port = parts.port
        except ValueError:
            return answer, hops, down
        hops.append((answer.status, served.location(target)))
        before = urlsplit(url)
        other = parts.hostname != host or (parts.scheme == before.scheme and port != before.port)
        if before.scheme == "https" and parts.scheme == "http" and parts.hostname == host:
            down = "verify/redirect-to-http"
        if other or parts.scheme not in ("http", "https") or not target.isprintable() or " " in target:
            return answer, hops, down
        for line in answer.all("set-cookie")[:20]:
            name, _, value = line.partition(";")[0].partition("=")
            if re.fullmatch(r"[!-~]{1,100}", name.strip()) and re.fullmatch(r"[!-~]{0,2000}", value.strip()):
                cookies[name.strip()] = value.strip()
        state = (target, repr(sorted(cookies.items())) if cookies else "")
        if state in seen:
            return answer, hops, "verify/redirect-loop"
        if len(hops) > HOPS:
            return answer, hops, "verify/redirect-chain"
        seen.add(state)
        url = target
