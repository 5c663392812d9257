"""Turns next.config, middleware and vercel.json into the headers that a Next.js application's responses carry.

Each header is told with how much it covers, and each file with what in it cannot be told: while a doubt is left, no
header is missing.
"""

from __future__ import annotations

import re

from ..model import MAP, SCALAR, SEQ, UNKNOWN, Node
from ..syntax.javascript import OMITTED, alternatives, lookup
from . import next as config
from .header import ALL, SOME, UNSEEN, Header, covers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model import Artifact
    from ..syntax.javascript import Module

    Doubt = tuple[str, Node]

_WATCHED = (".set", ".append", "NextResponse", "NextResponse.next", "NextResponse.rewrite", "Response")
# `const headers = new Headers(request.headers)`: what the application is asked with, not what it answers.
_COPIES = re.compile(
    r"(\w+)\s*(?::\s*Headers\s*)?=\s*new\s+Headers\(\s*(?:\w+\.)*(?:req|request|_req|_request)\.headers\b"
)
_SECURITY = ("content-security-policy", "strict-transport-security", "x-", "referrer-policy", "permissions-policy")
_NAMES = ("middleware.ts", "middleware.js", "proxy.ts", "proxy.js", "middleware.mts", "middleware.mjs")
# Packages whose functions answer requests or know who asks, and set none of the headers that are asked for here.
_INERT = (
    "next/", "next-auth", "@auth/", "@clerk/", "@supabase/", "next-intl", "better-auth", "@better-auth/", "jose",
    "iron-session", "@kinde-oss/", "@auth0/", "@workos-inc/", "negotiator", "@formatjs/", "uuid", "nanoid", "crypto",
    "node:", "zod", "@upstash/", "@vercel/edge-config", "@vercel/functions", "@vercel/kv", "lodash", "jsonwebtoken",
    "jwt-decode", "path-to-regexp", "cookie", "date-fns", "@t3-oss/", "@sentry/", "accept-language", "@panva/",
)  # fmt: skip


def of_config(artifact: Artifact) -> tuple[list[Header], list[Doubt]]:
    """What `headers()` sets."""
    return _listed(config.returned(artifact, "headers"))


def _listed(node: Node) -> tuple[list[Header], list[Doubt]]:
    """The headers of a list of `{ source, headers: [{ key, value }] }`."""
    found: list[Header] = []
    doubts: list[Doubt] = []
    for entry, perhaps in _each(node, doubts):
        if entry.kind is not MAP:
            doubts.append(("an entry of headers() cannot be told", entry))
            continue
        source = lookup(entry, "source")
        conditional = bool(lookup(entry, "has")) or bool(lookup(entry, "missing"))
        for header, uncertain in _each(lookup(entry, "headers"), doubts):
            key = lookup(header, "key")
            if key.kind is not SCALAR:
                doubts.append(("the name of a header cannot be told", header))
                continue
            unsure = perhaps or uncertain
            found.append(
                Header(key, lookup(header, "value"), source, covers(source), conditional, unsure, config.head(entry))
            )
    return found, doubts


def _each(node: Node, doubts: list[Doubt]) -> Iterator[tuple[Node, bool]]:
    """The elements a list can have, and whether each may be missing."""
    if not node or node.is_null():
        return
    options = alternatives(node)
    total = len(node.value) if options and options[0] is not node else 1
    for option in options:
        if option.is_null():
            continue
        if option.kind is not SEQ:
            why = f"'{option.value}' gives headers" if option.kind is UNKNOWN else "headers() gives no list"
            doubts.append((why, option))
            continue
        for element in option.value:
            inner = alternatives(element)
            several = total > 1 or len(inner) != 1 or inner[0] is not element
            for each in inner:
                if each.kind is UNKNOWN:
                    doubts.append((f"'{each.value}' gives headers", each))
                elif each.tag != OMITTED and not each.is_null():
                    yield each, several


def middleware(artifact: Artifact) -> str | None:
    """The path of the application's middleware or proxy file: beside the configuration or in its `src/`."""
    folder = artifact.path.rpartition("/")[0]
    for place in (folder, f"{folder}/src" if folder else "src"):
        for name in _NAMES:
            path = f"{place}/{name}" if place else name
            if artifact.project.exists(path):
                return path
    return None


def of_middleware(artifact: Artifact) -> tuple[list[Header], list[Doubt]]:
    """What the middleware sets on responses, in its own functions and those it imports from the repository."""
    found, doubts, _ = _of_middleware(artifact)
    return found, doubts


def asked(artifact: Artifact) -> list[Header]:
    """What the middleware sets on the request it hands on: Next.js takes a nonce from the policy there."""
    return _of_middleware(artifact)[2]


def _of_middleware(artifact: Artifact) -> tuple[list[Header], list[Doubt], list[Header]]:
    facts = config.of(artifact)
    known: tuple[list[Header], list[Doubt], list[Header]] | None = facts.get("middleware")
    if known is None:
        known = facts["middleware"] = _read_middleware(artifact)
    return known


def _read_middleware(artifact: Artifact) -> tuple[list[Header], list[Doubt], list[Header]]:
    path = middleware(artifact)
    if path is None:
        return [], [], []
    from ..syntax.javascript import evaluate

    source = artifact.project.read(path)
    nowhere = Node(UNKNOWN, path, artifact.source, 0, 0)
    if source is None or not source.text.strip():
        return [], [(f"the content of '{path}' is not here", nowhere)], []
    module = evaluate(source, artifact.project.read, watch=_WATCHED)
    for entry in (module.default, module.exports.get("middleware"), module.exports.get("proxy")):
        if entry is not None:
            module.result(entry)
    if any(problem.fatal for problem in module.problems):
        return [], [(f"'{path}' cannot be read", nowhere)], []
    return _set_by(module, path)


def _set_by(module: Module, path: str) -> tuple[list[Header], list[Doubt], list[Header]]:
    found: list[Header] = []
    doubts: list[Doubt] = []
    requested: list[Header] = []
    reach, matcher = _matched(module)
    for call in module.calls:
        arguments = call.arguments
        if call.name.endswith((".set", ".append")):
            key = arguments[0] if arguments else Node(UNKNOWN, "", module.source, 0, 0)
            where = _receiver(call.name.rpartition(".")[0], call.at.source.text)
            if key.kind is SCALAR:
                name = str(key.value).strip().lower()
                if where and (where == "response" or name.startswith(_SECURITY)):
                    value = arguments[1] if len(arguments) > 1 else key
                    header = Header(key, value, matcher, reach, False, where == "perhaps")
                    (requested if where == "request" else found).append(header)
            elif where == "response":
                doubts.append((f"'{path}' sets headers by name from a variable", call.at))
            continue
        for argument in arguments:
            headers = lookup(argument, "headers")
            for each in alternatives(headers):
                if each.kind is UNKNOWN and argument.kind is MAP and argument.key("headers"):
                    doubts.append((f"'{path}' gives a response headers from elsewhere", call.at))
                for key, value in each.items():
                    found.append(Header(key, value, matcher, reach))
    for function in module.outside:
        specifier = str(function.tag).removeprefix("import ").rpartition("#")[0]
        if not specifier.startswith(_INERT):
            doubts.append((f"'{path}' calls '{function.value}' from '{specifier}'", function))
    if "ontentSecurityPolicy" in module.source.text and not any("policy" in each.name for each in found):
        doubts.append((f"'{path}' configures a policy", Node(UNKNOWN, path, module.source, 0, 0)))
    return found, doubts, requested


def _receiver(name: str, text: str) -> str:
    """What `name.set(...)` writes to: "response", "request", "perhaps" (some other headers), "" (no headers)."""
    parts = name.split(".")
    last = parts[-1].lower()
    if not last.endswith("headers"):
        return "request" if name in _COPIES.findall(text) else ""
    if any(part.lower() in ("request", "req", "_request", "_req") for part in parts[:-1]) or last.startswith("req"):
        return "request"
    if len(parts) > 1:
        return "response"
    return "request" if name in _COPIES.findall(text) else "perhaps"


def _matched(module: Module) -> tuple[str, Node]:
    """How much of the site the middleware runs for, by its `config.matcher`; everything when there is none."""
    config_of = module.exports.get("config")
    matcher = lookup(config_of, "matcher") if config_of is not None else None
    if matcher is None or not matcher or matcher.is_null():
        return ALL, Node(SCALAR, "/:path*", module.source, 0, 0)
    patterns = config.entries(matcher) if matcher.kind is SEQ else list(alternatives(matcher))
    patterns = [lookup(each, "source") if each.kind is MAP else each for each in patterns]
    reaches = {covers(each) for each in patterns}
    return (ALL if ALL in reaches else UNSEEN if UNSEEN in reaches or not reaches else SOME), matcher


def of_vercel(artifact: Artifact) -> tuple[list[Header], list[Doubt]]:
    """What the vercel.json beside the configuration, or at the top, sets."""
    from . import vercel

    found: list[Header] = []
    doubts: list[Doubt] = []
    for path in platform_files(artifact):
        if path.endswith(".ts"):
            more, unsure = _of_program(artifact, path)
            found.extend(more)
            doubts.extend(unsure)
            continue
        other = artifact.project.artifact(path)
        if other is not None and other.kind == "vercel":
            if any(problem.fatal for problem in other.problems):
                doubts.append((f"'{other.path}' cannot be read", Node(UNKNOWN, other.path, artifact.source, 0, 0)))
                continue
            for entry in vercel.headers(other):
                source = entry.facts["source"]
                for key, value in entry.facts["headers"]:
                    if key.kind is SCALAR:
                        conditional = entry.facts["conditional"]
                        found.append(Header(key, value, source, covers(source), conditional, False, entry.place))
    return found, doubts


def _of_program(artifact: Artifact, path: str) -> tuple[list[Header], list[Doubt]]:
    """What a vercel.ts sets by `export const config = { headers: [...] }`."""
    from ..syntax.javascript import evaluate

    source = artifact.project.read(path)
    nowhere = Node(UNKNOWN, path, artifact.source, 0, 0)
    if source is None or not source.text.strip():
        return [], [(f"the content of '{path}' is not here", nowhere)]
    module = evaluate(source, artifact.project.read)
    root = module.exports.get("config") or module.default
    if not root or any(problem.fatal for problem in module.problems):
        return [], [(f"'{path}' may set headers", nowhere)] if "headers" in source.text else []
    return _listed(lookup(module.result(root), "headers"))


def platform_files(artifact: Artifact) -> list[str]:
    """The paths of vercel.json and vercel.ts beside the configuration and at the top."""
    folder = artifact.path.rpartition("/")[0]
    paths = [
        f"{place}/{name}" if place else name
        for place in dict.fromkeys((folder, ""))
        for name in ("vercel.json", "vercel.ts")
    ]
    return [path for path in paths if artifact.project.exists(path)]
