"""Turns a `proxy_pass`, and an `upstream` group, into where requests go and how long nginx waits."""

from __future__ import annotations

import re

from ..model import ABSENT, Item, Node
from . import nginx_scopes
from .nginx_scopes import Scope, seconds, variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..syntax.nginx import Directive

_DEFAULT_PORTS = {"http": 80, "https": 443, "grpc": 80, "grpcs": 443}
_TARGET = re.compile(r"(?:[a-z]+://)?(?P<host>\[[^\]]*\]|[^/:?#]*)(?::(?P<port>[^/?#]*))?")


def upstream(scope: Scope) -> Item:
    directive = scope.directive
    name = directive.text() if directive is not None else ""
    targets = [target(each.words[0], "http") for each in scope.own("server") if each.words]
    place = directive.words[0] if directive is not None and directive.words else ABSENT
    return Item(place, {"name": name, "targets": targets, "scope": scope}, place)


def target(word: Node, scheme: str, text: str | None = None) -> Item:
    """Where a word sends requests: host, port (None when it is not known), unix, known."""
    written = str(word.value) if text is None else text
    match = _TARGET.match(written)
    host, digits = (match["host"], match["port"]) if match is not None else ("", None)
    unix = host == "unix"
    known = not unix and not variables(host)
    port = int(digits) if digits and digits.isdigit() and len(digits) < 7 else None
    if digits is None and known:
        port = _DEFAULT_PORTS.get(scheme, 80)
    facts = {"host": host if known else None, "port": port, "unix": unix, "known": known, "text": written}
    return Item(word, facts)


def proxy(directive: Directive, scope: Scope, location: Item | None) -> Item:
    """What one `..._pass` does; a variable that `set` or `map` gives one literal is read as that."""
    word = directive.words[0] if directive.words else directive.name
    text = str(word.value)
    names = variables(authority(text))
    for name in names:
        values = nginx_scopes.mapped(name, scope)
        if len(values) == 1:
            text = text.replace("${" + name + "}", str(values[0].value)).replace("$" + name, str(values[0].value))
    scheme, slashes, _ = text.partition("://")
    if not slashes:
        scheme = "http" if directive.key == "proxy_pass" else ""
    host = authority(text)
    one = target(word, scheme, host)
    group = _group(scope, one.facts["host"])
    family = directive.key.removesuffix("_pass")
    facts: dict[str, Any] = {
        "directive": directive.key, "text": str(word.value), "scheme": scheme, "host": one.facts["host"],
        "port": one.facts["port"], "uri": text.partition("://")[2].removeprefix(host), "upstream": group,
        "targets": group.facts["targets"] if group is not None else [one], "variables": names, "scope": scope,
        "location": location, "server": location.facts["server"] if location is not None else None,
    }  # fmt: skip
    for timeout in ("read", "send", "connect"):
        entry = scope.find(f"{family}_{timeout}_timeout")
        known = seconds(entry.text()) if entry is not None else 60.0
        facts[f"{timeout}_timeout"] = known
        facts[f"{timeout}_timeout_at"] = entry.words[0] if entry is not None and entry.words else ABSENT
    return Item(word, facts)


def authority(text: str) -> str:
    """Host and port of a target; a variable that begins with a slash, such as `$request_uri`, ends them."""
    rest = text.partition("://")[2] if "://" in text else text
    rest = re.split(r"[/?]", rest)[0]
    return re.split(r"(?<=[^$:{])\$\{?(?:request_uri|document_uri|uri|is_args|args)\b", rest)[0]


def _group(scope: Scope, host: str | None) -> Item | None:
    outer: Scope | None = scope
    while outer is not None and host:
        for inner in outer.scopes:
            if inner.kind == "upstream" and inner.directive is not None and inner.directive.text() == host:
                return upstream(inner)
        outer = outer.parent
    return None
