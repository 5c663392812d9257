"""Turns a tree into the headers of its responses: per application and target, from every file that sets some.

A response passes through layers: next.config and the middleware of the application, then what stands before it on a
target (vercel.json on Vercel, nginx in Compose, the Ingress or HTTPRoute in Kubernetes). A header of a target is

present   set for every path
partial   set for some paths only
unknown   something that cannot be read may set it
absent    set by nothing that was read

`items` is the model for people: one item a target with facts `target`, `application` (its path), `doubts` (words) and
`headers`, a list of items: `name`, `state`, `why` (words, for unknown and for what a platform sends untold) and
`values`, a list of items of the value's node: `path`, `covers` ("all", "some", "unseen"), `source` (the paths' node).
"""

from __future__ import annotations

import re

from ..kinds.header import ALL, SOME, Header
from ..model import SCALAR, UNKNOWN, Item, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

    Doubt = tuple[str, Node]

POLICY = "content-security-policy"
REPORT_ONLY = "content-security-policy-report-only"
FRAMES = "x-frame-options"
TRANSPORT = "strict-transport-security"
PRESENT, PARTIAL, UNSURE, MISSING = "present", "partial", "unknown", "absent"
VERCEL, RAILWAY, DOCKER, KUBERNETES = "vercel", "railway", "docker", "kubernetes"

# What a platform sends untold: vercel.com/docs/cdn-security/encryption, looked up 2026-11-25.
_GIVEN = {VERCEL: {TRANSPORT: "Vercel sends it for every domain"}}
# Packages that set the headers from code.
_SETTERS = ("helmet", "nosecone", "@nosecone/next", "next-secure-headers", "next-safe", "@next-safe/middleware")
# Files that set headers for a server or a platform which is not read.
_UNREAD = ("Caddyfile", "_headers", "netlify.toml")
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


class State:
    """What is known of one header on one target."""

    __slots__ = ("word", "headers", "why")

    def __init__(self, word: str, headers: list[Header], why: str = "") -> None:
        self.word = word
        self.headers = headers
        self.why = why


class Target:
    """One way by which an application's responses reach the browser; `name` is "" when no target is known."""

    __slots__ = ("name", "application", "layers", "doubts")

    def __init__(self, name: str, application: Artifact, layers: list[Layer], doubts: list[Doubt]) -> None:
        self.name = name
        self.application = application
        self.layers = layers
        self.doubts = [*(doubt for layer in layers for doubt in layer.doubts), *doubts]

    def headers(self) -> list[Header]:
        """Every header that a layer sets, inner layers first."""
        return [header for layer in self.layers for header in layer.headers]

    def state(self, name: str) -> State:
        """What is known of a header, by its lower-case name."""
        own = [header for header in self.headers() if header.name == name]
        if any(header.covers == ALL and not header.perhaps for header in own):
            return State(PRESENT, own)
        given = _GIVEN.get(self.name, {}).get(name)
        if given is not None:
            return State(PRESENT, own, given)
        if any(header.covers != SOME for header in own):
            return State(UNSURE, own, "whether it is set depends on what is not known")
        why = self.doubt(name)
        if why is not None:
            return State(UNSURE, own, why)
        return State(PARTIAL if own else MISSING, own)

    def doubt(self, name: str) -> str | None:
        """Why a header that was not found may be set all the same; None when everything was looked at."""
        from ..kinds import ingress_headers

        for doubt in self.doubts:
            if name == TRANSPORT or not ingress_headers.is_default(doubt):
                return doubt[0]
        return None


# -- the model


def targets(project: Any) -> list[Target]:
    """Every target of every application of the tree, worked out once."""
    found: list[Target] | None = project.facts.get("headers")
    if found is None:
        applications = [
            each for each in project.artifacts("next") if each.state == "judged" and each.source.text.strip()
        ]
        found = project.facts["headers"] = [
            target for each in applications for target in _targets(project, each, len(applications) == 1)
        ]
    return found


def alone(application: Artifact) -> Target:
    """An application by its own files and what lies beside them, when nothing else was looked at."""
    from ..kinds import next_headers

    found, doubts = next_headers.of_vercel(application)
    layers = [*_own_layers(application), Layer("vercel.json", found, doubts)]
    nowhere = Node(UNKNOWN, "", application.source, 0, 0)
    doubts = [(str(application.project.partial), nowhere)] if application.project.partial else []
    return Target("", application, layers, [*doubts, *_packages(application)])


def every(project: Any) -> list[Header]:
    """Every header that any file of the tree sets, once each."""
    found: dict[tuple[str, int, int, str], Header] = {}
    for layer in [*(layer for target in targets(project) for layer in target.layers), *_others(project)]:
        for header in layer.headers:
            key = (header.value.source.path, header.value.start, header.value.end, header.name)
            found.setdefault(key, header)
    return list(found.values())


def items(project: Any) -> list[Item]:
    """One item a target: see the head of this module."""
    found = []
    for target in targets(project):
        place = _place(target.application)
        names = dict.fromkeys([*NAMES, *sorted({each.name for each in target.headers()})])
        facts = {
            "target": target.name or "any",
            "application": target.application.path,
            "doubts": [why for why, _ in target.doubts],
            "headers": [_shown(name, target, place) for name in names],
        }
        found.append(Item(place, facts, place))
    return found


NAMES = (
    TRANSPORT, POLICY, FRAMES, "x-content-type-options", "referrer-policy", "permissions-policy",
)  # fmt: skip


def _shown(name: str, target: Target, place: Node) -> Item:
    state = target.state(name)
    values = [
        Item(each.value, {"path": each.key.source.path, "covers": each.covers, "source": each.source}, each.key)
        for each in state.headers
    ]
    return Item(place, {"name": name, "state": state.word, "why": state.why, "values": values}, place)


def responses(project: Any) -> list[Item]:
    """One item an application, for rules: facts `application` (its artifact) and `targets`."""
    found: dict[str, list[Target]] = {}
    for target in targets(project):
        found.setdefault(target.application.path, []).append(target)
    return [
        Item(_place(each[0].application), {"application": each[0].application, "targets": each})
        for each in found.values()
    ]


def header_values(project: Any) -> list[Item]:
    """One item, where any file of the tree sets a header, for rules: fact `headers` (a list of Header)."""
    found = every(project)
    return [Item(found[0].key, {"headers": found})] if found else []


def _place(application: Artifact) -> Node:
    from ..kinds import next as config

    return config.token(application)


# -- layers


def _own_layers(application: Artifact) -> list[Layer]:
    from ..kinds import next_headers

    layers = [Layer(application.path, *next_headers.of_config(application))]
    path = next_headers.middleware(application)
    if path is not None:
        layers.append(Layer(path, *next_headers.of_middleware(application)))
    return layers


def _packages(application: Artifact) -> list[Doubt]:
    package = application.project.package(application.path)
    nowhere = Node(UNKNOWN, "", application.source, 0, 0)
    return [
        (f"the package '{name}' sets headers from code", nowhere)
        for name in _SETTERS
        if package is not None and package.has(name)
    ]


def _targets(project: Any, application: Artifact, only: bool) -> Iterator[Target]:
    own = _own_layers(application)
    nowhere = Node(UNKNOWN, "", application.source, 0, 0)
    doubts = _packages(application)
    for path in sorted(project.aside):
        if path.rpartition("/")[2] in _UNREAD:
            doubts.append((f"'{path}' may set headers", nowhere))
    names, hosts = _runners(project, application, only)
    for name in names or [""]:
        before: list[Layer] = []
        more: list[Doubt] = []
        if name == VERCEL:
            before = _before_vercel(application)
        elif name == KUBERNETES:
            before, more = _before_cluster(project, only)
        elif name in (DOCKER, ""):
            before, more = _before_compose(project, hosts, only)
        yield Target(name, application, [*own, *before], [*doubts, *more])


def _runners(project: Any, application: Artifact, only: bool) -> tuple[list[str], set[str]]:
    """The targets of an application, and the names under which Compose runs it."""
    from . import services

    package = project.package(application.path)
    folder = application.path.rpartition("/")[0]
    homes = {folder, package.path.rpartition("/")[0] if package is not None else folder}
    kinds: dict[str, str] = {
        services.VERCEL: VERCEL, services.RAILWAY: RAILWAY, services.COMPOSE: DOCKER, services.KUBERNETES: KUBERNETES,
    }  # fmt: skip
    found: list[str] = []
    hosts: set[str] = set()
    for service in services.of(project):
        mine = any(part.path.rpartition("/")[0] in homes for part in service.kind(services.APPLICATION, services.IMAGE))
        mine = mine or any(part.path.rpartition("/")[0] in homes for part in service.kind(services.VERCEL))
        if not (mine or only):
            continue
        found += [kinds[part.kind] for part in service.runners if mine or part.kind != services.KUBERNETES]
        hosts.update(part.name for part in service.kind(services.COMPOSE))
        if not service.runners and service.kind(services.IMAGE):
            found.append(DOCKER)
    if project.platforms:
        return list(project.platforms), hosts
    if only and any(each.state == "judged" for each in project.artifacts("k8s")) and _served(project):
        found.append(KUBERNETES)
    order = (VERCEL, RAILWAY, DOCKER, KUBERNETES)
    return [name for name in order if name in found], hosts


def _before_vercel(application: Artifact) -> list[Layer]:
    from ..kinds import next_headers

    found, doubts = next_headers.of_vercel(application)
    paths = next_headers.platform_files(application)
    return [Layer(paths[0], found, doubts)] if paths else []


# -- nginx before Compose services


def _before_compose(project: Any, hosts: set[str], only: bool) -> tuple[list[Layer], list[Doubt]]:
    layers = []
    doubts: list[Doubt] = []
    for artifact in project.artifacts("nginx"):
        nowhere = Node(UNKNOWN, artifact.path, artifact.source, 0, 0)
        if artifact.state == "judged":
            found = of_nginx(artifact, hosts, only)
            layers += [found] if found is not None else []
        elif artifact.why.startswith("a template") and "add_header" in artifact.source.text:
            doubts.append((f"'{artifact.path}' may set headers", nowhere))
    for artifact in project.artifacts("compose"):
        if artifact.state != "judged":
            continue
        if _ELSEWHERE.search(artifact.source.text):
            doubts.append((f"labels in '{artifact.path}' set headers", Node(UNKNOWN, "", artifact.source, 0, 0)))
        elif not layers:
            doubts += _unseen_proxies(artifact)
    return layers, doubts


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


def _served(project: Any) -> bool:
    return any(
        True for artifact in project.artifacts("k8s") if artifact.state == "judged" for _ in _entrances(artifact)
    )


def _entrances(artifact: Artifact) -> list[Item]:
    from ..kinds import k8s

    return list(k8s.view(artifact, "routes"))


def _before_cluster(project: Any, only: bool) -> tuple[list[Layer], list[Doubt]]:
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


def _others(project: Any) -> Iterator[Layer]:
    """The layers of the tree that no target has: of other programs than Next.js, of static sites."""
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
    from ..kinds.header import covers

    headers = []
    for entry in vercel.headers(artifact):
        for key, value in entry.facts["headers"]:
            if key.kind is SCALAR:
                source = entry.facts["source"]
                headers.append(Header(key, value, source, covers(source), entry.facts["conditional"]))
    return Layer(artifact.path, headers, [])
