"""Turns an Ingress or an HTTPRoute into the response headers that its controller is told to set.

Sources, looked up 2026-11-25: kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations (snippets,
custom-headers) and .../configmap (hsts, on by default for servers with TLS);
gateway-api.sigs.k8s.io/guides/http-header-modifier (ResponseHeaderModifier).
"""

from __future__ import annotations

import re

from ..model import ABSENT, SCALAR, UNKNOWN, Item, Node, Source
from .header import ALL, SOME, UNSEEN, Header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .cluster import Cluster

    Doubt = tuple[str, Node]

_NGINX = "nginx.ingress.kubernetes.io/"
_SNIPPETS = (
    f"{_NGINX}configuration-snippet",
    f"{_NGINX}server-snippet",
    "nginx.org/server-snippets",
    "nginx.org/location-snippets",
)
# Annotations by which other controllers take headers from an object that is not read here.
_FOREIGN = ("router.middlewares", "response-headers", "custom-response-headers", "haproxy.org/response-set-header")
TRANSPORT = "strict-transport-security"
_DEFAULT = "ingress-nginx sends it by default where TLS ends, if that is the controller"


def of(item: Item, tree: Cluster) -> tuple[list[Header], list[Doubt]]:
    """The headers of one Ingress or HTTPRoute, and what cannot be told."""
    if item.facts["kind"] == "HTTPRoute":
        return _of_route(item)
    found: list[Header] = []
    doubts: list[Doubt] = []
    source, reach = _paths(item)
    for key, value in item.facts["annotations"].items():
        name = str(key.value)
        if name in _SNIPPETS:
            headers = _snippet(value, source, reach)
            found.extend(headers)
            words = str(value.value) if value.kind is SCALAR else "add_header"
            if not headers and ("add_header" in words or "more_set_headers" in words):
                doubts.append((f"'{name}' sets headers", value))
        elif name == f"{_NGINX}custom-headers":
            headers = _custom(item, value, tree, source, reach)
            found.extend(headers)
            if not headers:
                doubts.append((f"the ConfigMap of '{name}' is not here", value))
        elif name.endswith(_FOREIGN):
            doubts.append((f"'{name}' may set headers", value))
    if not any(each.name == TRANSPORT for each in found) and item.node.get("spec", "tls"):
        place = _class(item)
        if place is not None:
            doubts.append((_DEFAULT, place))
    return found, doubts


def is_default(doubt: Doubt) -> bool:
    """Whether a doubt is about the one header that ingress-nginx sends untold."""
    return doubt[0] is _DEFAULT


def _class(item: Item) -> Node | None:
    """What says that ingress-nginx may serve an Ingress; None when its class is another's."""
    annotations: Node = item.facts["annotations"]
    for key, _ in annotations.items():
        if str(key.value).startswith(_NGINX):
            return key
        if str(key.value).startswith(("nginx.org/", "nginx.com/")):
            return None
    for node in (item.node.get("spec", "ingressClassName"), annotations.get("kubernetes.io/ingress.class")):
        if node and not node.is_null():
            return node if node.kind is not SCALAR or "nginx" in str(node.value) else None
    return item.place


def _paths(item: Item) -> tuple[Node, str]:
    """The path of an Ingress that reaches furthest, and whether that is all of them."""
    first = ABSENT
    for rule in item.node.get("spec", "rules").elements():
        for each in rule.get("http", "paths").elements():
            path = each.get("path")
            if not path or path.text() in ("/", "/*", "/(.*)", "/(.+)"):
                return path or each.get("pathType") or rule.get("host"), ALL
            first = first or path
    return (first, SOME) if first else (item.node.get("spec"), ALL)


def _snippet(value: Node, source: Node, reach: str) -> list[Header]:
    """What the directives of a snippet set, at their places in the manifest."""
    if value.kind is not SCALAR:
        return []
    from ..syntax import nginx

    written = value.source.text[value.start : value.end]
    inner = re.sub(r"\A[|>][-+0-9]*", lambda match: " " * len(match[0]), written)
    if value.style in ("'", '"'):
        inner = " " + inner[1:-1] + " "
    # The same places in a text of the same length: everything else is blank.
    blank = re.sub(r"[^\n]", " ", value.source.text[: value.start])
    directives, problems = nginx.parse(Source(value.source.path, blank + inner))
    if any(problem.fatal for problem in problems):
        return []
    found = []
    for each in nginx.walk(directives):
        if each.key == "add_header" and len(each.words) > 1:
            found.append(_header(each.words[0], each.words[1], value.source, source, reach, True, ""))
        elif each.key == "more_set_headers":
            for word in each.words:
                name, colon, text = str(word.value).partition(":")
                if colon:
                    told = Node(word.kind, text.strip(), word.source, word.start, word.end, word.style)
                    found.append(_header(word, told, value.source, source, reach, False, name))
    return found


def _header(key: Node, value: Node, place: Source, source: Node, reach: str, adds: bool, name: str) -> Header:
    for node in (key, value):
        node.source = place
    if "$" in str(value.value):
        value = Node(UNKNOWN, value.value, place, value.start, value.end, value.style)
    return Header(key, value, source, reach, adds=adds, name=name)


def _custom(item: Item, value: Node, tree: Cluster, source: Node, reach: str) -> list[Header]:
    """The entries of the ConfigMap that `namespace/name` names."""
    name = (value.text() or "").rpartition("/")[2]
    found = []
    for each in tree.by_name.get(("ConfigMap", name), ()) if name else ():
        for key, text in each.node.get("data").items():
            found.append(Header(key, text, source, reach))
    return found


def _of_route(item: Item) -> tuple[list[Header], list[Doubt]]:
    found: list[Header] = []
    doubts: list[Doubt] = []
    for rule in item.node.get("spec", "rules").elements():
        source, reach = _matches(rule)
        for filter_ in rule.get("filters").elements():
            kind = filter_.get("type").text()
            if kind == "ExtensionRef":
                doubts.append(("a filter of the route's controller may set headers", filter_.get("type")))
            if kind != "ResponseHeaderModifier":
                continue
            for way in ("set", "add"):
                for each in filter_.get("responseHeaderModifier", way).elements():
                    key = each.get("name")
                    if key.kind is SCALAR:
                        found.append(Header(key, each.get("value"), source, reach, adds=way == "add"))
                    else:
                        doubts.append(("the name of a header is filled in when the route is deployed", each))
    return found, doubts


def _matches(rule: Node) -> tuple[Node, str]:
    """The path of a rule's matches that reaches furthest, and how far."""
    paths = [each.get("path") for each in rule.get("matches").elements()]
    if not paths:
        return rule.get("backendRefs") or rule, ALL
    for path in paths:
        value = path.get("value")
        if value.kind is UNKNOWN:
            return value, UNSEEN
        kind = path.get("type").text() or "PathPrefix"
        if not path or (value.text() or "/") == "/" and kind == "PathPrefix":
            return value or path or rule.get("matches"), ALL
    return paths[0].get("value"), SOME
