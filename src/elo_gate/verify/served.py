"""Turns an answer into an artifact of the kind "served", on which the rules about headers run as on any file.

Its text is what was received, a line a header, so that a finding points at one. The value of a cookie is never in it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from ..kinds.header import ALL, Header
from ..model import SCALAR, Artifact, Item, Node, Source
from ..project.header_layers import Layer
from ..project.headers import FRAMES, POLICY, REPORT_ONLY, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .ask import Answer

KIND = "served"


def artifact(answer: Answer, path: str, project: Any, secure: bool) -> Artifact:
    """The answer to a path as an artifact with the views "header_values" and "responses".

    The item's facts: `headers` (every Header), `targets` (one, with all of them), `page` (it is HTML), `secure` (it
    came over https, or HSTS would mean nothing).
    """
    lines = [f"HTTP {answer.status}"]
    places: list[tuple[str, str, int, int]] = []  # name, value, and where they begin
    at = len(lines[0]) + 1
    for name, value in answer.headers:
        shown = cookie(value) if name.lower() == "set-cookie" else location(value) if _address(name) else value
        line = f"{name}: {shown}"
        places.append((name, shown, at, at + len(name) + 2))
        lines.append(line)
        at += len(line) + 1
    source = Source(path, "\n".join(lines) + "\n")
    made = Artifact(source, KIND)
    made.project = project
    made.assumed = False
    pattern = Node(SCALAR, path, source, 0, len(lines[0]), "'")
    headers: list[Header] = []
    received: list[Header] = []
    for name, value, first, second in places:
        key = Node(SCALAR, name, source, first, first + len(name), "'")
        # Of a list where one value may stand, which headers/duplicate-header tells, the first one is judged.
        text = value.partition(",")[0].strip() if name.lower() in (FRAMES, "x-content-type-options") else value
        node = Node(SCALAR, text, source, second, second + len(text), "'")
        received.append(Header(key, Node(SCALAR, value, source, second, second + len(value), "'"), pattern, ALL))
        headers.append(Header(key, node, pattern, ALL))
    target = Target("", made, [Layer(path, _joined(headers), [])], [])
    whole = Node(SCALAR, lines[0], source, 0, len(lines[0]), "'")
    facts = {
        "headers": target.headers(),
        "received": received,
        "application": made,
        "targets": [target],
        "page": answer.html,
        "secure": secure,
    }
    made.root = whole
    made.views = {"header_values": [Item(whole, facts)] if headers else [], "responses": [Item(whole, facts)]}
    return made


def _joined(headers: list[Header]) -> list[Header]:
    """The headers with several policies of one answer as one: a browser lets through what all of them let through."""
    found: list[Header] = []
    for name in (POLICY, REPORT_ONLY):
        same = [each for each in headers if each.name == name]
        if len(same) > 1:
            first, last = same[0].value, same[-1].value
            text = ", ".join(str(each.value.value) for each in same)
            found.append(
                Header(same[0].key, Node(SCALAR, text, first.source, first.start, last.end, "'"), same[0].source, ALL)
            )
        else:
            found += same
    return [*found, *(each for each in headers if each.name not in (POLICY, REPORT_ONLY))]


def cookie(value: str) -> str:
    """A Set-Cookie line without its value: `session=***; Path=/; HttpOnly`."""
    pair, semicolon, rest = value.partition(";")
    name, equals, _ = pair.partition("=")
    return (f"{name}=***" if equals else "***") + semicolon + rest


def location(value: str) -> str:
    """An address without user, query and fragment, which may hold what lets its reader in."""
    try:
        parts = urlsplit(value)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "***"
    base = f"{parts.scheme}://{host}" if parts.scheme and host else f"//{host}" if host else ""
    return base + parts.path + ("?***" if parts.query else "")


def _address(name: str) -> bool:
    return name.lower() in ("location", "content-location", "refresh", "link")
