"""Answers whether the responses of a Next.js application carry the security headers, with values that protect."""

from __future__ import annotations

import re

from ..kinds import next as config
from ..kinds import next_headers
from ..kinds.next_headers import ALL, SOME, Header
from ..model import CHOICE, MAP, SCALAR, UNKNOWN, Fault, Item, Node, Undecided
from ..syntax.javascript import TEMPLATE, alternatives
from .next import told
from .next_versions import only_vercel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

    Answers = Iterator[Fault | Undecided]

_POLICY = "content-security-policy"
_FRAMES = "x-frame-options"
_TRANSPORT = "strict-transport-security"
# Packages that set the headers from code.
_SETTERS = ("helmet", "nosecone", "@nosecone/next", "next-secure-headers", "next-safe", "@next-safe/middleware")
# What sets headers in the configuration of a server or an ingress.
_ELSEWHERE = re.compile(
    r"^\s*add_header\s|more_set_headers|configuration-snippet|custom-headers|customResponseHeaders|stsSeconds|"
    r"customFrameOptionsValue|ResponseHeaderModifier|Strict-Transport-Security",
    re.M | re.I,
)


def missing(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields one fault that lists the security headers no response carries, or only those of some paths."""
    if told(config.option(file, "output"), lambda text: text == "export") is not False:
        return
    if file.root.kind is not MAP and file.root.kind is not CHOICE:
        raise Undecided("the configuration is not known")
    found, doubts = next_headers.effective(file)
    absent: list[str] = []
    perhaps: list[str] = []
    partial: list[Header] = []
    for name in params["headers"]:
        if name.lower() == _TRANSPORT and only_vercel(file):
            continue  # https://vercel.com/docs/cdn-security/encryption: Vercel sends it for every domain
        state, some = _state(name.lower(), found)
        if state == "perhaps":
            perhaps.append(name)
        elif state == "absent":
            absent.append(name)
            partial.extend(some[:1])
    if perhaps:
        yield Undecided(f"whether {', '.join(perhaps)} is set depends on what is not known", _place(it, file))
    if not absent:
        return
    why = _elsewhere(file, doubts)
    if why is not None:
        yield Undecided(f"{', '.join(absent)}: {why}", _place(it, file))
        return
    paths = [next_headers.middleware(file), *next_headers.platform_files(file)]
    yield Fault(
        _place(it, file),
        [(header.key, f"{header.key.value} for {_words(header.source)} only") for header in partial],
        message="many" if len(absent) > 3 else "default",
        headers=", ".join(absent[:3]),
        more=", ".join(absent[3:]),
        files=", ".join([file.path, *(path for path in paths if path is not None)]),
    )


def _state(name: str, found: list[Header]) -> tuple[str, list[Header]]:
    """("present", "absent" or "perhaps", the headers that only some paths carry)."""
    own = [header for header in found if header.name == name]
    if name == _POLICY:
        own += [header for header in found if header.name == f"{_POLICY}-report-only"]
    if name == _FRAMES:
        own += [header for header in found if header.name == _POLICY and _frames(header.value) is not False]
    sure = [header for header in own if header.covers == ALL and not header.perhaps]
    if any(header.name == name or _frames(header.value) or header.name != _POLICY for header in sure):
        return "present", []
    if any(header.covers != SOME for header in own):
        return "perhaps", []
    return "absent", [header for header in own if header.name == name]


def _frames(policy: Node) -> bool | None:
    """Whether a policy forbids framing; None when it cannot be told."""
    for each in alternatives(policy):
        if each.kind is SCALAR or each.tag == TEMPLATE:
            if "frame-ancestors" in str(each.value):
                return True
            if each.kind is SCALAR:
                return False
        return None
    return False


def _elsewhere(file: Artifact, doubts: list[tuple[str, Node]]) -> str | None:
    """Why a header that was not found may be set all the same; None when everything was looked at."""
    if doubts:
        return doubts[0][0]
    project = file.project
    if project.partial:
        return str(project.partial)
    package = config.of(file)["package"]
    for name in _SETTERS:
        if package is not None and package.has(name):
            return f"the package '{name}' sets headers from code"
    servers = [path for path, why in project.aside.items() if why.startswith("a server configuration")]
    servers += [path for path in project.aside if path.rpartition("/")[2] in ("Caddyfile", "_headers", "netlify.toml")]
    for path in sorted(servers):
        source = project.read(path)
        if source is None or not source.text.strip() or _ELSEWHERE.search(source.text) or not path.endswith("conf"):
            return f"'{path}' may set headers"
    for artifact in project.artifacts("k8s"):
        if artifact.state == "judged" and _ELSEWHERE.search(artifact.source.text):
            return f"'{artifact.path}' may set headers"
    return None


def _place(it: Item, file: Artifact) -> Node | Item:
    """The list a header would be added to: of the one entry for all paths, else `headers`, else the configuration."""
    whole = [
        entry
        for entry in config.entries(config.returned(file, "headers"))
        if entry.kind is MAP and next_headers.covers(entry.get("source")) == ALL and entry.key("headers")
    ]
    if len(whole) == 1 and whole[0].source is file.source:
        return whole[0].key("headers")
    key = config.key(file, "headers")
    return key if key and key.kind is SCALAR and key.source is file.source else it


def weak(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each security header whose value does not protect, once a header."""
    found, _ = next_headers.effective(file)
    seen: dict[tuple[str, str], list[Header]] = {}
    for header in found:
        test = _TESTS.get(header.name)
        if test is None:
            continue
        answer = told(header.value, lambda text, test=test: test(text, params) is not None)  # type: ignore[misc]
        if answer:
            value = str(next(iter(alternatives(header.value))).value)
            seen.setdefault((header.name, test(value, params) or ""), []).append(header)
        elif answer is None and header.value.tag != TEMPLATE:
            yield Undecided(f"the value of '{header.key.value}' is not known", header.value)
    for (_, message), headers in seen.items():
        first, *others = headers
        yield Fault(
            first.value,
            [(header.value, "set here too") for header in others],
            message=message,
            header=str(first.key.value),
            value=str(next(iter(alternatives(first.value))).value),
            least=str(params["max_age"]),
        )


def _empty(text: str) -> bool:
    return not text.strip()


def _options(text: str, params: dict[str, Any]) -> str | None:
    return "empty" if _empty(text) else None if text.strip().lower() == "nosniff" else "nosniff"


def _framing(text: str, params: dict[str, Any]) -> str | None:
    return "empty" if _empty(text) else None if text.strip().upper() in ("DENY", "SAMEORIGIN") else "frames"


_LOOSE = ("unsafe-url", "no-referrer-when-downgrade", "origin-when-cross-origin")
_REFERRERS = (*_LOOSE, "no-referrer", "origin", "same-origin", "strict-origin", "strict-origin-when-cross-origin")


def _referrer(text: str, params: dict[str, Any]) -> str | None:
    """The last policy of a list that a browser knows is the one it follows."""
    if _empty(text):
        return "empty"
    known = [word for word in (part.strip().lower() for part in text.split(",")) if word in _REFERRERS]
    return "unknown" if not known else "referrer" if known[-1] in _LOOSE else None


def _transport(text: str, params: dict[str, Any]) -> str | None:
    if _empty(text):
        return "empty"
    match = re.search(r"max-age\s*=\s*\"?(\d+)", text, re.I)
    return None if match is not None and int(match[1][:12]) >= int(params["max_age"]) else "transport"


def _permissions(text: str, params: dict[str, Any]) -> str | None:
    """A structured header: `camera=()`. One item in the old syntax (`camera 'none'`) and browsers drop them all."""
    if _empty(text):
        return "empty"
    old = any("=" not in item for item in text.split(",") if item.strip()) or re.search(r";\s*[\w-]+=[(*]", text)
    return "permissions" if old else None


def _policy(text: str, params: dict[str, Any]) -> str | None:
    return "empty" if _empty(text) else None


_TESTS = {
    "x-content-type-options": _options,
    _FRAMES: _framing,
    "referrer-policy": _referrer,
    _TRANSPORT: _transport,
    "permissions-policy": _permissions,
    _POLICY: _policy,
}


def duplicate(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields one fault for the security headers that several files set for every path."""
    found, _ = next_headers.effective(file)
    whole = [header for header in found if header.covers == ALL and not header.conditional and header.name in _TESTS]
    twice: list[tuple[Header, Header]] = []
    for header in whole:
        if header.key.source is not file.source or any(first.name == header.name for first, _ in twice):
            continue
        other = next((each for each in whole if each.name == header.name and each.key.source is not file.source), None)
        if other is not None:
            twice.append((header, other))
    if not twice:
        return
    differ = [pair for pair in twice if _differs(*pair)]
    first = (differ or twice)[0]
    related = [(other.key, f"{header.key.value} again") for header, other in twice]
    yield Fault(
        first[0].key,
        related,
        message="differs" if differ else "default",
        severity="warning" if differ else None,
        headers=", ".join(str(header.key.value) for header, _ in (differ or twice)),
        file=first[1].key.source.path,
    )


def _differs(one: Header, other: Header) -> bool:
    texts = [each.value.text() for each in (one, other)]
    return None not in texts and str(texts[0]).strip().lower() != str(texts[1]).strip().lower()


def open_cors(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for an entry that allows every origin and credentials, which browsers refuse together."""
    found, _ = next_headers.of_config(file)
    for header in found:
        if header.name != "access-control-allow-origin":
            continue
        wide = told(header.value, lambda text: text.strip() == "*")
        other = next(
            (each for each in found if each.entry is header.entry and each.name == "access-control-allow-credentials"),
            None,
        )
        allowed = told(other.value, lambda text: text.strip().lower() == "true") if other is not None else False
        if wide and allowed and other is not None:
            yield Fault(header.value, [(other.value, "credentials")], source=_words(header.source))
        elif None in (wide, allowed) and wide is not False and allowed is not False:
            yield Undecided("the allowed origin is not known", header.value)


def _words(source: Node) -> str:
    return str(source.value) if source.kind in (SCALAR, UNKNOWN) else "some paths"
