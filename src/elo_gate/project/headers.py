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

from ..kinds.header import ALL, SOME, Header
from ..model import UNKNOWN, Item, Node
from . import header_layers as layers
from .header_layers import MISSING, UNSURE, Layer

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
PRESENT, PARTIAL = "present", "partial"
VERCEL, RAILWAY, DOCKER, KUBERNETES, AZURE = "vercel", "railway", "docker", "kubernetes", "azure"

# What a platform sends untold: vercel.com/docs/cdn-security/encryption, looked up 2026-11-25.
_GIVEN = {VERCEL: {TRANSPORT: "Vercel sends it for every domain"}}


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

    def __init__(self, name: str, application: Artifact, passed: list[Layer], doubts: list[Doubt]) -> None:
        self.name = name
        self.application = application
        self.layers = passed
        self.doubts = [*(doubt for layer in passed for doubt in layer.doubts), *doubts]

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
    own = [*layers.own_layers(application), Layer("vercel.json", found, doubts)]
    nowhere = Node(UNKNOWN, "", application.source, 0, 0)
    doubts = [(str(application.project.partial), nowhere)] if application.project.partial else []
    return Target("", application, own, [*doubts, *layers.packages(application)])


def every(project: Any) -> list[Header]:
    """Every header that any file of the tree sets, once each."""
    found: dict[tuple[str, int, int, str], Header] = {}
    for layer in [*(layer for target in targets(project) for layer in target.layers), *layers.others(project)]:
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


def _targets(project: Any, application: Artifact, only: bool) -> Iterator[Target]:
    own = layers.own_layers(application)
    nowhere = Node(UNKNOWN, "", application.source, 0, 0)
    doubts = layers.packages(application)
    for path in sorted(project.aside):
        if path.rpartition("/")[2] in layers.UNREAD:
            doubts.append((f"'{path}' may set headers", nowhere))
    names, hosts = _runners(project, application, only)
    for name in names or [""]:
        before: list[Layer] = []
        more: list[Doubt] = []
        if name == VERCEL:
            before = layers.before_vercel(application)
        elif name == KUBERNETES:
            before, more = layers.before_cluster(project, only)
        elif name == AZURE:
            before = layers.before_azure(project) if only else []
        elif name in (DOCKER, ""):
            before, more = layers.before_compose(project, hosts, only)
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
    for service in services.of(project) if only else services.within(project, homes):
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
    if only and any(each.state == "judged" for each in project.artifacts("k8s")) and layers.served(project):
        found.append(KUBERNETES)
    if only and layers.before_azure(project):
        found.append(AZURE)
    order = (VERCEL, RAILWAY, DOCKER, KUBERNETES, AZURE)
    return [name for name in order if name in found], hosts
