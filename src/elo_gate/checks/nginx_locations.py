"""Judges what the locations of an nginx configuration open: files, upstreams, redirects, status pages."""

from __future__ import annotations

import re

from ..kinds import nginx, nginx_proxies, nginx_scopes
from ..model import WARNING, Fault, Item, Node, Undecided
from .nginx import aside, once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.nginx_scopes import Scope
    from ..model import Artifact

    Answers = Iterator[Fault | Undecided]


def listing(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each `autoindex on` that anyone can open."""
    for item in once(file, "autoindex"):
        if item.facts["words"][:1] == ["on"] and not _guarded(item.facts["scope"]):
            yield Fault(item, path=_path(item.facts["scope"]))


def _guarded(scope: Scope) -> bool:
    """Whether only some may come in: a password, a client certificate, an address list that ends in `deny all`."""
    names = ("auth_basic", "auth_request", "auth_jwt")
    if any((entry := scope.find(name)) is not None and entry.text() != "off" for name in names):
        return True
    verify = scope.find("ssl_verify_client")
    if verify is not None and verify.text() == "on":
        return True
    return bool(scope.own("internal")) or any(entry.text() == "all" for entry in scope.group("deny"))


def _path(scope: Scope) -> str:
    directive = scope.directive
    return " ".join([directive.key, *directive.texts()]) if directive is not None else "the file"


def alias_traversal(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each prefix location without a final slash whose alias has one."""
    for location in _locations(file):
        facts = location.facts
        scope: Scope = facts["scope"]
        if facts["modifier"] not in ("", "^~") or facts["path"].endswith("/") or facts["internal"]:
            continue
        for entry in scope.own("alias"):
            if entry.text().endswith("/"):
                yield Fault(location.place, [(entry.words[0], "the folder")], path=facts["path"], alias=entry.text())


def _locations(file: Artifact) -> Iterator[Item]:
    """Each location once, also when its file is included in several servers."""
    seen = set()
    for location in nginx.view(file, "locations"):
        key = (location.place.source.path, location.place.start)
        if key not in seen:
            seen.add(key)
            yield location


def _proxies(file: Artifact) -> Iterator[Item]:
    seen = set()
    for proxy in nginx.view(file, "proxies"):
        key = (proxy.place.source.path, proxy.place.start)
        if key not in seen:
            seen.add(key)
            yield proxy


# What a visitor writes into a request.
_VISITOR = ("http_", "arg_", "cookie_")
_VISITORS = frozenset(("host", "http_host", "request_uri", "uri", "document_uri", "args", "query_string", "is_args"))


def chosen_upstream(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each proxy whose host the request decides."""
    for proxy in _proxies(file):
        scope: Scope = proxy.facts["scope"]
        location = proxy.facts["location"]
        if location is not None and (location.facts["internal"] or _guarded(scope)):
            continue
        text = proxy.facts["text"]
        for name in nginx_scopes.variables(nginx_proxies.authority(text)):
            source = _from_request(name, scope, location)
            if source:
                yield Fault(proxy, target=text, variable="$" + name, source=source)
                break


def _from_request(name: str, scope: Scope, location: Item | None, depth: int = 0) -> str:
    """Which part of the request decides a variable; "" when none does, or a `map` with fixed values stands between."""
    if name in ("host", "http_host"):
        # With fixed names the host is one of them; the default server answers any.
        server = location.facts["server"].facts if location is not None else {"names": ["_"]}
        names = server["names"]
        fixed = names and all(each != "_" and each[:1] not in ("~", "*", ".", "$") and each for each in names)
        return "" if fixed else "$" + name
    if name in _VISITORS or name.startswith(_VISITOR):
        return "$" + name
    if name.isdigit() and location is not None and location.facts["regex"]:
        return "the path"
    outer: Scope | None = scope
    while outer is not None and depth < 5:
        for entry in outer.own("set"):
            if entry.text() == "$" + name:
                for inner in nginx_scopes.variables(entry.text(1)):
                    found = _from_request(inner, scope, location, depth + 1)
                    if found:
                        return found
        outer = outer.parent
    if (
        location is not None
        and location.facts["regex"]
        and re.search(rf"\(\?P?<{re.escape(name)}>", location.facts["path"])
    ):
        return "the path"
    return ""


def no_resolver(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each proxy that names its host by a variable where no `resolver` holds."""
    for proxy in _proxies(file):
        facts = proxy.facts
        scope: Scope = facts["scope"]
        host = facts["host"]
        if not facts["variables"] or facts["upstream"] is not None or host is None:
            continue
        if re.fullmatch(r"\[.*\]|\d+\.\d+\.\d+\.\d+|", host) or scope.find("resolver") is not None:
            continue
        if scope.unsure() or nginx.root_of(file).kind != "main":
            yield Undecided("a file that is not here may name the resolver", proxy)
        else:
            yield Fault(proxy, host=host, variable="$" + facts["variables"][0])


_FORWARDED = {"host": "Host", "x-forwarded-for": "X-Forwarded-For", "x-forwarded-proto": "X-Forwarded-Proto"}


def forwarded(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each proxy that drops what the server tells, and one for all that tell too little."""
    silent: list[tuple[Item, list[str]]] = []
    for proxy in _proxies(file):
        scope: Scope = proxy.facts["scope"]
        location = proxy.facts["location"]
        if proxy.facts["directive"] != "proxy_pass" or location is None or not proxy.facts["scheme"].startswith("http"):
            continue
        if scope.unsure() or _outside(proxy) or aside(location.facts["path"]) or _asset(location):
            continue
        here = {entry.text().lower() for entry in scope.group("proxy_set_header")}
        missing = [name for key, name in _FORWARDED.items() if key not in here]
        if not missing or ("forwarded" in here and missing == ["X-Forwarded-For", "X-Forwarded-Proto"]):
            continue
        own = scope.own("proxy_set_header")
        outer = scope.parent.group("proxy_set_header") if own and scope.parent is not None else []
        above = {entry.text().lower() for entry in outer}
        dropped = [name for name in missing if name.lower() in above]
        if dropped:
            yield Fault(
                own[0].name,
                [(outer[0].name, "set here, and not inherited")],
                message="dropped",
                severity=WARNING,
                headers=dropped,
                location=location.facts["path"],
            )
        else:
            silent.append((proxy, missing))
    if silent:
        first, missing = silent[0]
        yield Fault(
            first, [(other, "and here") for other, _ in silent[1:]], headers=missing, target=first.facts["text"]
        )


def _asset(location: Item) -> bool:
    """Whether a location serves files by their ending, for which nobody asks who wants them."""
    return (
        location.facts["regex"]
        and re.search(r"\b(?:js|css|png|jpe?g|woff2?|svg)\b", location.facts["path"]) is not None
    )


def _outside(proxy: Item) -> bool:
    """Whether a proxy goes to somebody else's service, whose host name must stay its own."""
    host = proxy.facts["host"]
    return host is None or (proxy.facts["upstream"] is None and "." in host and not re.fullmatch(r"[\d.]+", host))


def raw_uri(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each redirect or header that holds `$uri`, in which `%0d%0a` is already a line end."""
    for item in nginx.view(file, "directives"):
        directive = item.facts["directive"]
        words: list[Node] = []
        if directive.key == "return" and directive.text() in ("301", "302", "303", "307", "308"):
            words = directive.words[1:2]
        elif directive.key == "return" and len(directive.words) == 1 and "://" in directive.text():
            words = directive.words
        elif directive.key == "add_header":
            words = directive.words[1:2]
        for word in words:
            name = next(
                (each for each in nginx_scopes.variables(str(word.value)) if each in ("uri", "document_uri")), ""
            )
            if name and not _cannot_break(item.facts["scope"]):
                yield Fault(word, variable="$" + name, directive=directive.key)


def _cannot_break(scope: Scope) -> bool:
    """Whether the place is reached for one exact path only."""
    directive = scope.directive
    return directive is not None and directive.key == "location" and directive.text() == "="


def open_status(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each status page that anyone can open."""
    servers = {id(server.facts["scope"]): server for server in nginx.view(file, "servers")}
    for item in once(file, "stub_status"):
        scope: Scope = item.facts["scope"]
        outer: Scope | None = scope
        while outer is not None and outer.kind != "server":
            outer = outer.parent
        server = servers.get(id(outer))
        if _guarded(scope) or scope.unsure():
            continue
        listens = server.facts["listens"] if server is not None else []
        if listens and all(each.facts["loopback"] for each in listens):
            continue
        yield Fault(item, path=_path(scope))


_UPLOADS = (
    "multer",
    "formidable",
    "busboy",
    "@fastify/multipart",
    "express-fileupload",
    "koa-body",
    "fastify-multipart",
)


def upload_limit(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a note when the application takes files and nginx keeps its limit of one megabyte."""
    package = file.project.package(file.path)
    name = next((each for each in _UPLOADS if package is not None and package.has(each)), None)
    if name is None:
        return
    for proxy in _proxies(file):
        scope: Scope = proxy.facts["scope"]
        if scope.find("client_max_body_size") is None and not scope.unsure():
            yield Fault(proxy, package=name)
            return


def upgrade(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each proxy that passes an Upgrade on over HTTP/1.0, where there is none."""
    version = nginx.version(file)
    if version is None or version >= (1, 29, 7):
        return
    for proxy in _proxies(file):
        scope: Scope = proxy.facts["scope"]
        if any(entry.text().lower() == "upgrade" for entry in scope.group("proxy_set_header")):
            entry = scope.find("proxy_http_version")
            if entry is None and not scope.unsure():
                yield Fault(proxy, version=".".join(map(str, version)))


def any_origin(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each block that gives whichever site asks the visitor's own data."""
    seen = set()
    for item in nginx.view(file, "directives"):
        directive, scope = item.facts["directive"], item.facts["scope"]
        if directive.key != "add_header" or directive.text().lower() != "access-control-allow-origin":
            continue
        key = (directive.name.source.path, directive.start)
        origin = directive.text(1).strip()
        with_credentials = next(
            (
                each
                for each in scope.own("add_header")
                if each.text().lower() == "access-control-allow-credentials" and each.text(1).strip().lower() == "true"
            ),
            None,
        )
        if with_credentials is None or key in seen or _checked(scope):
            continue
        seen.add(key)
        related = [(with_credentials.words[0], "with credentials")]
        if origin in ("$http_origin", "${http_origin}"):
            yield Fault(directive.words[1], related, value=origin)
        elif origin == "*":
            yield Fault(directive.words[1], related, message="star", severity=WARNING, value=origin)


def _checked(scope: Scope) -> bool:
    """Whether the block is only for origins that a condition has looked at."""
    outer: Scope | None = scope
    while outer is not None:
        if outer.kind == "if" and outer.directive is not None and "$http_origin" in " ".join(outer.directive.texts()):
            return True
        outer = outer.parent
    return False
