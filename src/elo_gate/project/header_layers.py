"""Turns the files that set response headers into layers: what each sets, and what of it cannot be told."""

from __future__ import annotations

import re

from ..kinds.header import ALL, SOME, Header, covers
from ..model import SCALAR, UNKNOWN, Item, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

    Doubt = tuple[str, Node]

UNSURE, MISSING = "unknown", "absent"

# Packages that set the headers from code.
_SETTERS = ("helmet", "nosecone", "@nosecone/next", "next-secure-headers", "next-safe", "@next-safe/middleware")
# Files that set headers for a server or a platform which is not read.
UNREAD = ("Caddyfile", "_headers", "netlify.toml")
# What sets headers by objects or labels of a controller that is not read.
_ELSEWHERE = re.compile(
    r"customResponseHeaders|stsSeconds|customFrameOptionsValue|contentTypeNosniff|frameDeny|"
    r"traefik\.http\.middlewares\.[\w-]+\.headers|kind:\s*VirtualService\b",
    re.I,
)


class Layer:
    """What one file sets. `doubts`: what of it cannot be told."""

    __slots__ = ("path", "headers", "doubts")

    def __init__(self, path: str, headers: list[Header], doubts: list[Doubt]) -> None:
        self.path = path
        self.headers = headers
        self.doubts = doubts


def own_layers(application: Artifact) -> list[Layer]:
    """What next.config and the middleware of an application set."""
    from ..kinds import next_headers

    layers = [Layer(application.path, *next_headers.of_config(application))]
    path = next_headers.middleware(application)
    if path is not None:
        layers.append(Layer(path, *next_headers.of_middleware(application)))
    return layers


def packages(application: Artifact) -> list[Doubt]:
    """The packages of an application that set headers from code."""
    package = application.project.package(application.path)
    nowhere = Node(UNKNOWN, "", application.source, 0, 0)
    return [
        (f"the package '{name}' sets headers from code", nowhere)
        for name in _SETTERS
        if package is not None and package.has(name)
    ]


def before_vercel(application: Artifact) -> list[Layer]:
    """What the Vercel configuration beside an application, or at the top, sets."""
    from ..kinds import next_headers

    found, doubts = next_headers.of_vercel(application)
    paths = next_headers.platform_files(application)
    return [Layer(paths[0], found, doubts)] if paths else []


def before_azure(project: Any) -> list[Layer]:
    """What the configurations of static web apps set."""
    from ..kinds import cloud

    found = []
    for artifact in project.artifacts("cloud"):
        if artifact.state == "judged" and artifact.path.rpartition("/")[2] == "staticwebapp.config.json":
            headers = []
            for each in cloud.VIEWS["headers"](artifact):
                path = str(each.facts["path"])
                source = Node(SCALAR, path, artifact.source, each.place.start, each.place.end)
                headers.append(Header(each.facts["key"], each.facts["value"], source, ALL if path == "/" else SOME))
            found.append(Layer(artifact.path, headers, []))
    return found


# -- nginx before Compose services


def before_compose(project: Any, hosts: set[str], only: bool) -> tuple[list[Layer], list[Doubt]]:
    """The layers of the reverse proxies before an application, and what of them is not here."""
    layers = []
    doubts: list[Doubt] = []
    for artifact in project.artifacts("nginx"):
        nowhere = Node(UNKNOWN, artifact.path, artifact.source, 0, 0)
        if artifact.state == "judged":
            found = of_nginx(artifact, hosts, only)
            layers += [found] if found is not None else []
        elif artifact.why.startswith("a template") and "add_header" in artifact.source.text:
            doubts.append((f"'{artifact.path}' may set headers", nowhere))
    key = "labels" if layers else "labels and proxies"
    found_in = project.facts.get(key)
    if found_in is None:  # the same for every application
        found_in = project.facts[key] = _doubts_of_compose(project, proxies=not layers)
    return layers, doubts + found_in


def _doubts_of_compose(project: Any, proxies: bool) -> list[Doubt]:
    """What of the headers is set by the labels of Compose services, or by their `proxies` whose files are not here."""
    doubts: list[Doubt] = []
    for artifact in project.artifacts("compose"):
        if artifact.state != "judged":
            continue
        if _ELSEWHERE.search(artifact.source.text):
            doubts.append((f"labels in '{artifact.path}' set headers", Node(UNKNOWN, "", artifact.source, 0, 0)))
        elif proxies:
            doubts += _unseen_proxies(artifact)
    return doubts


def _unseen_proxies(artifact: Artifact) -> Iterator[Doubt]:
    """The reverse proxies of a Compose file: called when the configuration of none is in the tree."""
    from ..kinds import compose, compose_roles

    for service in compose.VIEWS["services"](artifact):
        if service.facts["role"] == compose_roles.PROXY:
            yield f"the configuration of the proxy '{service.facts['name']}' is not here", service.node


def of_nginx(artifact: Artifact, hosts: set[str], only: bool) -> Layer | None:
    """What nginx sets on the responses of an application; None when it does not stand before it."""
    from ..kinds import nginx

    proxies = {
        id(each.facts["scope"]): each
        for each in nginx.view(artifact, "locations")
        if each.facts["proxy"] is not None and _meant(each.facts["proxy"], hosts, only)
    }
    answers = [each for each in nginx.view(artifact, "answers") if id(each.facts["scope"]) in proxies]
    if not answers:
        return None
    mains = [each for each in answers if each.facts["path"] == "/" or each.facts["modifier"] == "@"] or answers
    headers: list[Header] = []
    seen: set[tuple[str, int]] = set()
    for answer in answers:
        for each in answer.facts["headers"]:
            facts = each.facts
            at = (facts["key"].source.path, facts["key"].start)
            if at in seen:
                continue
            seen.add(at)
            states = {nginx.state(main, facts["name"]) for main in mains}
            headers.append(_of_line(each, answer, ALL if MISSING not in states else SOME, UNSURE in states))
    nowhere = Node(UNKNOWN, artifact.path, artifact.source, 0, 0)
    doubts: list[Doubt] = []
    if any(each.facts["open"] for each in mains):
        doubts.append((f"'{artifact.path}' includes what is not here", nowhere))
    return Layer(artifact.path, headers, doubts)


def _of_line(item: Item, answer: Item, reach: str, perhaps: bool) -> Header:
    """One `add_header` or `more_set_headers` of nginx; a proxied header that is hidden is replaced."""
    facts = item.facts
    scope = answer.facts["scope"]
    hidden = {word.lower() for each in _above(scope, "proxy_hide_header") for word in each.texts()}
    adds = facts["directive"] == "add_header" and facts["name"] not in hidden
    place = answer.place if isinstance(answer.place, Node) else facts["key"]
    perhaps = perhaps or facts["state"] == UNSURE
    return Header(facts["key"], facts["value"], place, reach, False, perhaps, adds=adds, name=facts["name"])


def _above(scope: Any, name: str) -> list[Any]:
    """The directives of a name in a scope, else in the nearest one around it."""
    while scope is not None:
        found = scope.own(name)
        if found:
            return list(found)
        scope = scope.parent
    return []


def _meant(proxy: Item, hosts: set[str], only: bool) -> bool:
    """Whether a proxied target is the application: by the name of its Compose service, else as the only one."""
    known = {each.facts["host"] for each in proxy.facts["targets"]} - {None}
    if known & hosts:
        return True
    if known and hosts and not any("." in str(host) or host in ("localhost", "127") for host in known):
        return False
    return only


# -- Kubernetes


def served(project: Any) -> bool:
    """Whether an Ingress or HTTPRoute lets requests in."""
    return any(
        True for artifact in project.artifacts("k8s") if artifact.state == "judged" for _ in _entrances(artifact)
    )


def _entrances(artifact: Artifact) -> list[Item]:
    from ..kinds import k8s

    return list(k8s.view(artifact, "routes"))


def before_cluster(project: Any, only: bool) -> tuple[list[Layer], list[Doubt]]:
    """The layers of the Ingresses and HTTPRoutes, and what else of the cluster may set headers."""
    key = "cluster, one application" if only else "cluster"
    found_in: tuple[list[Layer], list[Doubt]] | None = project.facts.get(key)
    if found_in is None:  # the same for every application
        found_in = project.facts[key] = _of_cluster(project, only)
    return found_in


def _of_cluster(project: Any, only: bool) -> tuple[list[Layer], list[Doubt]]:
    from ..kinds import cluster, ingress_headers

    layers = []
    doubts: list[Doubt] = []
    for artifact in project.artifacts("k8s"):
        if artifact.state != "judged":
            continue
        if _ELSEWHERE.search(artifact.source.text):
            doubts.append((f"'{artifact.path}' may set headers", Node(UNKNOWN, "", artifact.source, 0, 0)))
        for item in _entrances(artifact):
            found, unsure = ingress_headers.of(item, cluster.cluster_of(artifact))
            if only:
                layers.append(Layer(artifact.path, found, unsure))
            elif found or unsure:
                doubts.append((f"'{artifact.path}' may set headers", item.place))
    return layers, doubts


# -- files that stand before no known application


def others(project: Any) -> Iterator[Layer]:
    """The layers of the tree that no target has: of other programs than Next.js, of static sites."""
    yield from before_azure(project) if project.artifacts("cloud") else ()
    for artifact in project.artifacts("nginx"):
        if artifact.state == "judged":
            yield _whole_nginx(artifact)
    for artifact in project.artifacts("vercel"):
        if artifact.state == "judged" and artifact.root.get("headers"):
            yield _whole_vercel(artifact)
    for artifact in project.artifacts("k8s"):
        if artifact.state == "judged":
            from ..kinds import cluster, ingress_headers

            for item in _entrances(artifact):
                yield Layer(artifact.path, *ingress_headers.of(item, cluster.cluster_of(artifact)))


def _whole_nginx(artifact: Artifact) -> Layer:
    from ..kinds import nginx

    headers = []
    for answer in nginx.view(artifact, "answers"):
        reach = ALL if answer.facts["path"] == "/" else SOME
        headers += [_of_line(each, answer, reach, False) for each in answer.facts["headers"]]
    return Layer(artifact.path, headers, [])


def _whole_vercel(artifact: Artifact) -> Layer:
    from ..kinds import vercel

    headers = []
    for entry in vercel.headers(artifact):
        for key, value in entry.facts["headers"]:
            if key.kind is SCALAR:
                source = entry.facts["source"]
                headers.append(Header(key, value, source, covers(source), entry.facts["conditional"]))
    return Layer(artifact.path, headers, [])
