"""Turns an nginx configuration into views: servers, locations, upstreams, proxies and the headers of responses.

Files that an `include` brings in (found in the repository, by what is mounted or copied to /etc/nginx, else by name
beside the file) are judged as part of the file that includes them. Facts of the items:

servers    names, name_nodes, listens, tls, redirect, locations, headers, scope. A listen: port, address, tls, quic,
           default, loopback, unix, directive.
locations  server, path, modifier ("", "=", "^~", "~", "~*", "@"), regex, internal, proxy, returns, headers, scope.
upstreams  name, targets. A target: host, port, unix, known.
proxies    directive, scheme, host, port, upstream, targets, variables, location, server, read_timeout, send_timeout,
           connect_timeout (seconds), read_timeout_at (the node that sets it, ABSENT for the default).
answers    every place that answers requests by itself (a server without `location /`, each location): path, modifier,
           servers (names), headers (Items, below), lost, open, redirect, scope, `state(name)` by `nginx.state`.
headers    one item a header and place: name (lower case), key, value (scalar, choice or unknown), always, state
           ("present", "unknown"), origin, path, modifier, servers, answer.
"""

from __future__ import annotations

import re

from ..model import ABSENT, Item, Node
from ..syntax import nginx as syntax
from . import nginx_headers, nginx_mounts, nginx_proxies, nginx_scopes
from .nginx_scopes import Scope, variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..model import Artifact
    from ..syntax.nginx import Directive

_BLOCK = re.compile(
    r"^[ \t]*(?:server|http|events|stream|upstream[ \t]+\S+|location[ \t]+(?:(?:=|~\*?|\^~)[ \t]*)?\S+)"
    r"[ \t]*\r?\n?[ \t]*\{",
    re.M,
)
_DIRECTIVE = re.compile(
    r"\b(?:listen|server_name|proxy_pass|fastcgi_pass|uwsgi_pass|grpc_pass|root|alias|return|rewrite|try_files|add_header"
    r"|ssl_certificate|worker_connections|include|server|autoindex|stub_status)[ \t]+[^;={}\n]*[^;{}\n]*;"
)
_PASSES = ("proxy_pass", "grpc_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass")


def looks_like(path: str, text: str) -> bool:
    """Whether a file is nginx's: by its name, else by blocks and directives only nginx has together."""
    name = path.rpartition("/")[2].lower()
    if name in ("nginx.conf", "nginx.conf.template"):
        return True
    if "{" not in text or ";" not in text or "<VirtualHost" in text or "<Directory" in text:
        return False
    return _BLOCK.search(text) is not None and _DIRECTIVE.search(text) is not None


def load(artifact: Artifact) -> None:
    """Reads the directives; a file of another template language is set aside."""
    source = artifact.source
    directives, artifact.problems = syntax.parse(source)
    artifact.root = syntax.tree(directives, source)
    if any(problem.fatal for problem in artifact.problems) and any(
        mark in source.text for mark in ("{{", "{%", "<%", "#{")
    ):
        artifact.problems = []
        artifact.root = Node(artifact.root.kind, [], source, 0, len(source.text))
        directives = []
        artifact.state, artifact.why = "aside", "a template of another program: what it becomes is not here"
    place = next((each.name for each in directives), artifact.root)
    artifact.views["file"] = [Item(artifact.root, {"directives": directives, "root": None}, place)]


def root_of(artifact: Artifact) -> Scope:
    """The outermost scope of a file, with what it includes."""
    facts = file(artifact)[0].facts
    found: Scope | None = facts["root"]
    if found is None:
        found = facts["root"] = nginx_scopes.build(artifact.source, facts["directives"], artifact.project)
    return found


def parts(artifact: Artifact) -> list[str]:
    """The paths of the files that are judged as part of this one."""
    return list(dict.fromkeys(root_of(artifact).rest))


def settle(artifact: Artifact) -> None:
    """Gives a file the environment of what mounts or copies it, where it has none of its own."""
    if artifact.state != "judged" or not artifact.assumed:
        return
    owners = {mount.owner.path: mount.owner for _, mount in nginx_mounts.places(artifact.project, artifact.path)}
    if not owners:
        return
    judged = [owner for owner in owners.values() if owner.environment == "production"]
    if not judged:
        owner = next(iter(owners.values()))
        artifact.environment, artifact.assumed, artifact.state = owner.environment, False, "aside"
        artifact.why = f"only {owner.path} uses it"
    elif any(not owner.assumed for owner in judged):
        owner = next(owner for owner in judged if not owner.assumed)
        artifact.assumed, artifact.why = False, f"{owner.path} uses it"


def signs(artifact: Artifact) -> tuple[str, str] | None:
    """Development, when it proxies to the developer's machine or serves no name but localhost's."""
    text = artifact.source.text
    if "host.docker.internal" in text:
        return "development", "it proxies to host.docker.internal"
    if "/etc/letsencrypt/live/" in text:
        return "production", "it serves a certificate of Let's Encrypt"
    return None


def version(artifact: Artifact) -> tuple[int, ...] | None:
    """The lowest version of nginx that runs the file, from the images that use it; None when it is not known."""
    found = []
    for _, mount in nginx_mounts.places(artifact.project, artifact.path):
        image = mount.image or {}
        name, tag = image.get("repository"), image.get("tag")
        if not isinstance(name, str) or name.rpartition("/")[2] not in ("nginx", "nginx-unprivileged"):
            continue
        match = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", tag) if isinstance(tag, str) else None
        if match:
            found.append(tuple(int(each) for each in match.groups() if each))
    return min(found) if found else None


def file(artifact: Artifact) -> list[Item]:
    """The file as a whole, placed at its first directive's name."""
    if "file" not in artifact.views:  # a file that could not be read
        load(artifact)
    return artifact.views["file"]


# servers


def servers(artifact: Artifact) -> list[Item]:
    """Every server of the http module, in order."""
    return [_server(scope) for scope in root_of(artifact).below("server") if not is_stream(scope)]


def is_stream(scope: Scope) -> bool:
    """Whether a server forwards connections: in `stream`, or by a `proxy_pass` that http allows in locations only."""
    return (scope.parent is not None and scope.parent.kind in ("stream", "mail")) or bool(scope.own("proxy_pass"))


def _server(scope: Scope) -> Item:
    directive = scope.directive
    name_nodes = [word for each in scope.own("server_name") for word in each.words]
    listens = [_listen(each) for each in scope.own("listen")]
    facts: dict[str, Any] = {
        "names": [str(word.value).lower() for word in name_nodes], "name_nodes": name_nodes, "listens": listens,
        "scope": scope, "redirect": _redirect(scope), "headers": nginx_headers.effective(scope).set,
    }  # fmt: skip
    switch = scope.find("ssl")
    on = switch is not None and switch.text() == "on"
    facts["tls"] = on or any(each.facts["tls"] for each in listens)
    place = directive.name if directive is not None else ABSENT
    item = Item(place, facts, place)
    facts["locations"] = [_location(each, item) for each in scope.below("location")]
    return item


def _listen(directive: Directive) -> Item:
    words = directive.texts()
    address = words[0] if words else ""
    unix = address.startswith("unix:")
    known = not variables(address)
    host, port = "", None
    if not unix and known:
        host, _, digits = address.rpartition(":")
        if not digits.isdigit() or (address.startswith("[") and address.endswith("]")):
            host, digits = (address, "80") if not address.isdigit() else ("", address)
        port = int(digits[:6])
    facts = {
        "port": port, "address": host, "unix": unix, "known": known, "directive": directive,
        "tls": "ssl" in words[1:] or "quic" in words[1:], "quic": "quic" in words[1:],
        "default": "default_server" in words[1:] or "default" in words[1:],
        "loopback": unix or host.startswith("127.") or host in ("localhost", "[::1]"),
    }  # fmt: skip
    return Item(directive.words[0] if directive.words else directive.name, facts)


def _redirect(scope: Scope) -> Item | None:
    """Where a scope sends every request by itself: code, target (Node), https, conditional; None when it does not."""
    for entry in scope.own("return"):
        code, target = entry.text(0), entry.words[-1] if entry.words else entry.name
        if not code.isdigit() or (code in ("301", "302", "303", "307", "308") and len(entry.words) > 1):
            return Item(target, {"code": code, "target": target, "https": _secure(target), "conditional": False})
    for entry in scope.own("rewrite"):
        if len(entry.words) > 1 and "://" in entry.text(1):
            target = entry.words[1]
            return Item(target, {"code": "", "target": target, "https": _secure(target), "conditional": False})
    for inner in scope.scopes:
        found = _redirect(inner) if inner.kind == "if" else None
        if found is not None and found.facts["https"]:
            found.facts["conditional"] = True
            return found
    return None


def _secure(target: Node) -> bool:
    return str(target.value).lower().startswith("https://")


# locations


def locations(artifact: Artifact) -> list[Item]:
    """Every location, inner ones too, in order."""
    found = [each for server in view(artifact, "servers") for each in server.facts["locations"]]
    root = root_of(artifact)
    if root.kind == "server":
        nobody = Item(ABSENT, {"names": [], "listens": [], "tls": False, "scope": root})
        found += [_location(each, nobody) for each in root.below("location")]
    return found


def _location(scope: Scope, server: Item) -> Item:
    directive = scope.directive
    words = directive.texts() if directive is not None else []
    modifier, path = "", words[-1] if words else "/"
    if len(words) > 1:
        modifier = words[0]
    elif path.startswith(("~*", "^~")):
        modifier, path = path[:2], path[2:]
    elif path.startswith(("=", "~", "@")):
        modifier, path = path[0], path[1:]
    facts: dict[str, Any] = {
        "server": server, "path": path, "modifier": modifier, "regex": modifier in ("~", "~*"), "scope": scope,
        "internal": bool(scope.own("internal")) or modifier == "@", "returns": scope.own("return"),
        "redirect": _redirect(scope), "headers": nginx_headers.effective(scope).set,
    }  # fmt: skip
    place = directive.name if directive is not None else ABSENT
    item = Item(place, facts, directive.words[-1] if directive is not None and directive.words else place)
    passes = [each for name in _PASSES for each in scope.own(name)]
    facts["proxy"] = nginx_proxies.proxy(passes[0], scope, item) if passes else None
    return item


# upstreams and proxies


def upstreams(artifact: Artifact) -> list[Item]:
    """Every `upstream` group."""
    return [nginx_proxies.upstream(scope) for scope in root_of(artifact).below("upstream")]


def proxies(artifact: Artifact) -> list[Item]:
    """Every `proxy_pass`, `grpc_pass`, `fastcgi_pass`, `uwsgi_pass`."""
    found = []
    for location in view(artifact, "locations"):
        for scope in (location.facts["scope"], *location.facts["scope"].below("if")):
            if scope.kind == "if" and scope.parent is not location.facts["scope"]:
                continue
            found += [nginx_proxies.proxy(each, scope, location) for name in _PASSES for each in scope.own(name)]
    for scope in root_of(artifact).below("server"):
        if is_stream(scope):
            found += [nginx_proxies.proxy(each, scope, None) for each in scope.own("proxy_pass")]
    return found


# response headers


def answers(artifact: Artifact) -> list[Item]:
    """Every place that answers requests: each location that is no named one, and a server without `location /`."""
    found = []
    for server in view(artifact, "servers"):
        inner = server.facts["locations"]
        whole = any(each.facts["path"] == "/" and each.facts["modifier"] in ("", "^~") for each in inner)
        if not whole:
            found.append(_answer(server.facts["scope"], "/", "", server, server.place, server.facts["redirect"]))
        for each in inner:
            facts = each.facts
            found.append(
                _answer(facts["scope"], facts["path"], facts["modifier"], server, each.place, facts["redirect"])
            )
    return found


def _answer(scope: Scope, path: str, modifier: str, server: Item, place: Node, redirect: Item | None) -> Item:
    headers = nginx_headers.effective(scope)
    facts = {
        "path": path, "modifier": modifier, "servers": server.facts["names"], "server": server, "open": headers.open,
        "headers": headers.set, "lost": headers.lost, "scope": scope,
        "redirect": redirect is not None and not redirect.facts["conditional"],
    }  # fmt: skip
    return Item(place, facts, place)


def state(answer: Item, name: str) -> str:
    """Whether an item of `answers` sends a header (lower-case name): "present", "absent" or "unknown"."""
    facts = answer.facts
    return nginx_headers.Headers(facts["headers"], facts["lost"], facts["open"]).state(name)


def headers(artifact: Artifact) -> list[Item]:
    """One item for each header of each item of `answers`."""
    found = []
    for answer in view(artifact, "answers"):
        for header in answer.facts["headers"]:
            facts = {**header.facts, "answer": answer}
            for name in ("path", "modifier", "servers"):
                facts[name] = answer.facts[name]
            found.append(Item(header.node, facts, header.place))
    return found


def directives(artifact: Artifact) -> list[Item]:
    """Every directive with the scope it stands in: name, words (texts), directive, scope."""
    return [
        Item(entry.name, {"name": entry.key, "words": entry.texts(), "directive": entry, "scope": scope}, entry.name)
        for scope, entry in root_of(artifact).every()
    ]


def secrets(artifact: Artifact) -> list[tuple[int, int]]:
    """Values that may be credentials: in Authorization headers, URLs with a password, variables named so."""
    from .credential import secret_name, url_password

    found = []
    for directive in syntax.walk(file(artifact)[0].facts["directives"]):
        words = directive.words
        for index, word in enumerate(words):
            text = str(word.value)
            before = str(words[index - 1].value) if index else directive.key
            plain = index > 0 and len(text) > 5 and not variables(text)
            if url_password(text) is not None or (plain and _secret_place(before, secret_name)):
                found.append((word.start, word.end))
    return found


def _secret_place(before: str, secret_name: Callable[[str], bool]) -> bool:
    name = before.lstrip("$").rstrip(":")
    return name.lower() in ("authorization", "proxy-authorization", "cookie", "x-api-key") or secret_name(name)


def view(artifact: Artifact, name: str) -> list[Item]:
    """A view, worked out once."""
    if name not in artifact.views:
        artifact.views[name] = VIEWS[name](artifact)
    return artifact.views[name]


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {
    "file": file,
    "servers": servers,
    "locations": locations,
    "upstreams": upstreams,
    "proxies": proxies,
    "answers": answers,
    "headers": headers,
    "directives": directives,
}
