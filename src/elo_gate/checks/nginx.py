"""Judges the servers of an nginx configuration: TLS, redirects, response headers, what they tell about themselves."""

from __future__ import annotations

import re

from ..kinds import nginx
from ..model import WARNING, Fault, Item, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ..kinds.nginx_scopes import Scope
    from ..model import Artifact

    Answers = Iterator[Fault | Undecided]

_OLD_PROTOCOLS = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1")


def once(file: Artifact, name: str) -> Iterator[Item]:
    """Each directive of a name once, also when its file is included in several places."""
    seen = set()
    for item in nginx.view(file, "directives"):
        key = (item.place.source.path, item.place.start)
        if item.facts["name"] == name and key not in seen:
            seen.add(key)
            yield item


def syntax(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for what the reader met and nginx refuses: a directive that took the next line in."""
    yield Fault(it, problem=it.facts["message"])


def old_protocols(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each `ssl_protocols` that offers a broken version, and for an old nginx that offers it."""
    for item in once(file, "ssl_protocols"):
        words = item.facts["directive"].words
        old = [str(word.value) for word in words if str(word.value) in _OLD_PROTOCOLS]
        if old:
            first = next(word for word in words if str(word.value) in _OLD_PROTOCOLS)
            yield Fault(first, protocols=", ".join(old))
    version = nginx.version(file)
    if version is not None and version < (1, 27, 3) and (nginx.root_of(file).kind == "main" or _whole(file)):
        for server in nginx.view(file, "servers"):
            scope: Scope = server.facts["scope"]
            if server.facts["tls"] and scope.find("ssl_protocols") is None and not scope.unsure():
                number = ".".join(map(str, version))
                yield Fault(server, message="unset", severity="note", version=number, protocols="TLSv1, TLSv1.1")
                return


_WEAK = re.compile(
    r"(?:^|[-_+])(?:RC4|RC2|DES|3DES|MD5|NULL|aNULL|eNULL|EXP|EXPORT\d*|LOW|ADH|AECDH|IDEA|SEED)(?:$|[-_+])"
)


def weak_ciphers(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each `ssl_ciphers` that asks for broken ones; `!X` and `-X` take them away."""
    for item in once(file, "ssl_ciphers"):
        words = item.facts["directive"].words
        if not words:
            continue
        parts = re.split(r"[:, ]", str(words[0].value))
        # What `!` takes away stays away, wherever it stands (openssl-ciphers(1)).
        banned = {part[1:] for part in parts if part.startswith(("!", "-"))}
        weak = [
            part
            for part in parts
            if part[:1] not in ("!", "-", "+", "@")
            and _WEAK.search(part)
            and not any(gone in re.split(r"[-+_]", part) for gone in banned)
        ]
        if weak:
            yield Fault(words[0], ciphers=weak)


def serves_plain(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each name that is served over TLS and, on port 80, without a redirect to it."""
    servers = nginx.view(file, "servers")
    ports = {80, *_published(file)}
    secure = [server for server in servers if any(_is_secure(listen, server) for listen in server.facts["listens"])]
    for server in servers:
        listens = server.facts["listens"]
        plain = [each for each in listens if each.facts["port"] in ports and not each.facts["loopback"]]
        plain = [each for each in plain if not each.facts["tls"]]
        switch = server.facts["scope"].find("ssl")
        if not plain or (switch is not None and switch.text() == "on") or _sends_away(server):
            continue
        other = next((each for each in secure if _same_names(server, each)), None)
        if other is None:
            continue
        scope: Scope = server.facts["scope"]
        if scope.open:
            yield Undecided("an included file that is not here may redirect", server)
            continue
        name = next((each for each in server.facts["names"] if each != "_"), "every host")
        related = next(each for each in other.facts["listens"] if _is_secure(each, other))
        names = " ".join(server.facts["names"]) or "_"
        yield Fault(plain[0], [(related, "the same name with TLS")], name=name, names=names)


def _published(file: Artifact) -> Iterator[int]:
    """The ports of containers with this file that Compose publishes as port 80 of the host."""
    from ..kinds import compose
    from ..kinds.nginx_mounts import places

    units = {mount.unit for _, mount in places(file.project, file.path)}
    for artifact in file.project.artifacts("compose") if units else ():
        for service in compose.VIEWS["services"](artifact) if artifact.state != "broken" else ():
            if f"{artifact.path}#{service.facts['name']}" in units:
                for port in service.facts["ports"]:
                    if port.facts["published"] == "80" and str(port.facts["target"]).isdigit():
                        yield int(port.facts["target"])


def _is_secure(listen: Item, server: Item) -> bool:
    switch = server.facts["scope"].find("ssl")
    return bool(listen.facts["tls"]) or (switch is not None and switch.text() == "on")


def _same_names(one: Item, other: Item) -> bool:
    if one is other:
        return True
    names, others = set(one.facts["names"]) or {"_"}, set(other.facts["names"]) or {"_"}
    return bool(names & others)


def _sends_away(server: Item) -> bool:
    """Whether a server sends every page to https, or answers none."""
    redirect = server.facts["redirect"]
    if redirect is not None and (redirect.facts["https"] or redirect.facts["code"] not in ("", "200")):
        return True
    pages = [each for each in server.facts["locations"] if _is_page(each)]
    if pages:
        return all(
            each.facts["redirect"] is not None
            and (each.facts["redirect"].facts["https"] or each.facts["redirect"].facts["code"][:1] in ("4", "5"))
            for each in pages
        )
    scope: Scope = server.facts["scope"]
    serves = (
        scope.own("root") or scope.own("try_files") or any(each.facts["proxy"] for each in server.facts["locations"])
    )
    return not serves


_ASIDE = re.compile(
    r"acme-challenge|well-known|health|status|ping|ready|live|metrics|favicon|robots|/\\?\.|sitemap|stub", re.I
)


def _is_page(location: Item) -> bool:
    """Whether a location serves what a visitor came for, not a certificate's challenge or a health check."""
    return not location.facts["internal"] and not aside(location.facts["path"])


def tls_port_plain(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each server that listens on 443 without TLS."""
    for server in nginx.view(file, "servers"):
        for listen in server.facts["listens"]:
            if listen.facts["port"] == 443 and not listen.facts["loopback"] and not _is_secure(listen, server):
                if server.facts["scope"].open:
                    yield Undecided("an included file that is not here may switch TLS on", listen)
                else:
                    yield Fault(listen, listen=str(listen.node.value))
                break


def no_certificate(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each TLS server to which no certificate holds."""
    for server in nginx.view(file, "servers"):
        scope: Scope = server.facts["scope"]
        listen = next((each for each in server.facts["listens"] if each.facts["tls"]), None)
        if listen is None:
            continue
        reject = scope.find("ssl_reject_handshake")
        if reject is not None and reject.text() == "on":
            continue
        missing = [name for name in ("ssl_certificate", "ssl_certificate_key") if scope.find(name) is None]
        if missing:
            if scope.unsure():
                yield Undecided("an included file that is not here may name the certificate", listen)
            elif nginx.root_of(file).kind == "http" and not _whole(file):
                yield Undecided("the file that includes this one may name the certificate", listen)
            else:
                yield Fault(listen, missing=missing)


def _whole(file: Artifact) -> bool:
    """Whether a fragment is put into an image whose own nginx.conf, without TLS settings, includes it."""
    from ..kinds import nginx_mounts

    found = nginx_mounts.places(file.project, file.path)
    mains = [each for each in nginx_mounts.mounts(file.project) if each.target == "/etc/nginx/nginx.conf"]
    return any(
        (mount.image or {}).get("repository") == "nginx" and not any(main.unit == mount.unit for main in mains)
        for _, mount in found
    )


def server_tokens(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields one fault a file whose servers tell the version of nginx."""
    if nginx.root_of(file).kind != "main" and any(
        "server_tokens off" in other.source.text for other in file.project.artifacts("nginx") if other is not file
    ):
        return  # it may well be the file that includes this one
    for server in nginx.view(file, "servers"):
        scope: Scope = server.facts["scope"]
        entry = scope.find("server_tokens")
        if entry is None and scope.unsure():
            continue
        if entry is None or entry.text() == "on":
            http = scope.parent.directive if scope.parent is not None else None
            at = entry.words[0] if entry is not None and entry.words else http.name if http else server
            name = next((each for each in server.facts["names"] if each not in ("_", "")), "every host")
            yield Fault(at, server=name)
            return


# response headers


def lost_header(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each `add_header` block that drops security headers of the one around it."""
    found: dict[tuple[str, int], tuple[bool, Node, Item, list[Item]]] = {}
    for answer in nginx.view(file, "answers"):
        facts = answer.facts
        own = facts["scope"].group("add_header")
        if not own or facts["redirect"] or facts["open"] or _is_fixed(facts["scope"]) or not _served(answer):
            continue
        page = page_like(facts["path"])
        lost = [
            each
            for each in facts["lost"]
            if each.facts["name"] in params["headers"]
            and (page or each.facts["name"] not in params["pages"])
            and nginx.state(answer, each.facts["name"]) == "absent"
        ]
        at = own[0].name
        key = (at.source.path, at.start)
        if lost and (key not in found or (page and not found[key][0])):
            found[key] = (page, at, answer, lost)
    for page, at, answer, lost in found.values():
        names = list(dict.fromkeys(str(each.facts["key"].value) for each in lost))
        place = f"{answer.facts['modifier']} {answer.facts['path']}".strip()
        related = [(lost[0].facts["origin"], "set here, and not inherited")]
        yield Fault(at, related, severity=None if page else WARNING, headers=names, location=place)


def _is_fixed(scope: Scope) -> bool:
    """Whether a place answers with a fixed text or code, as a health check does."""
    return bool(scope.own("return")) or bool(scope.own("empty_gif")) or bool(scope.own("stub_status"))


def _served(answer: Item) -> bool:
    return not answer.facts["scope"].own("internal") and not aside(answer.facts["path"])


def aside(path: str) -> bool:
    """Whether a path is for machines: a certificate's challenge, a health check, metrics."""
    return _ASIDE.search(path) is not None


_ASSETS = re.compile(
    r"\b(?:js|css|png|jpe?g|gif|ico|svg|woff2?|ttf|eot|otf|webp|avif|mp4|webm|map|pdf|wasm|mjs)\b|"
    r"/_next/|/assets|/static|/images|/img|/fonts|/media|/public|/api|/uploads|/files|/downloads|/storage|manifest|/sw\b",
    re.I,
)


def page_like(path: str) -> bool:
    """Whether browsers show what a path serves as a page."""
    return bool(re.search(r"\bhtml?\b", path)) or not _ASSETS.search(path)


def not_always(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields one fault a file for the security headers that error pages lack."""
    found: dict[tuple[str, int], Item] = {}
    for header in nginx.view(file, "headers"):
        facts = header.facts
        named = facts["name"] in params["headers"] and facts["directive"] == "add_header"
        if named and not facts["always"] and page_like(facts["path"]) and not aside(facts["path"]):
            found.setdefault((facts["origin"].source.path, facts["origin"].start), header)
    if not found:
        return
    items = list(found.values())
    names = list(dict.fromkeys(str(each.facts["key"].value) for each in items))
    related = [(each.facts["key"], "and here") for each in items[1:]]
    yield Fault(items[0].facts["key"], related, headers=names)


# old and dangerous settings


def obsolete(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for `ssl on`, which current versions refuse, and one a file for `listen ... http2`."""
    version = nginx.version(file)
    for item in once(file, "ssl"):
        directive = item.facts["directive"]
        if directive.text() in ("on", "off") and (version is None or version >= (1, 25, 1)):
            severity = None if version is not None else WARNING
            yield Fault(item, message="ssl", severity=severity, value=directive.text())
    if version is not None and version < (1, 25, 1):
        return
    places = []
    for item in once(file, "listen"):
        word = next((each for each in item.facts["directive"].words[1:] if str(each.value) == "http2"), None)
        if word is not None:
            places.append(word)
    if places:
        yield Fault(
            places[0], [(each, "and here") for each in places[1:]], message="http2", severity="note", value="http2"
        )


def root_workers(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault when the processes that answer requests run as root."""
    for item in once(file, "user"):
        words: Iterable[Node] = item.facts["directive"].words
        word = next(iter(words), None)
        if word is not None and str(word.value) in ("root", "0") and item.facts["scope"].kind in ("main", "http"):
            yield Fault(word, user=str(word.value))
