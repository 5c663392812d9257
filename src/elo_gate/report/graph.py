"""Turns a run into the drawing of its deployment: cards, wires between them, and the findings of each.

A card is what one place in one file says: an entrance, a job that deploys, a runner of a service, an image, an
application. A wire is a tie between two, with the evidence. A wire is broken when a finding is about both of its ends.
"""

from __future__ import annotations

from ..engine import view
from ..inert import inert
from ..model import ERROR, NOTE, Item
from ..redact import mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..gate import Run
    from ..kinds.job_deploys import Deploy
    from ..kinds.jobs import Job
    from ..model import Finding, Node, Source
    from ..project import Project
    from ..project.headers import Target
    from ..project.services import Part, Service

IN, RUNS, IMAGE, SOURCES = range(4)  # the columns
SERVES, DEPLOYS, MADE = "serves", "deploys", "made"
# A part's kind, and the name of its target among headers and variables.
_TARGETS = {"compose": "docker", "kubernetes": "kubernetes", "railway": "railway", "vercel": "vercel"}
# How a job's deployment names what it deploys to: a part's kind.
_DEPLOYED = {"vercel": "vercel", "railway": "railway", "kubernetes": "kubernetes", "docker": "compose"}
_PASSED_GATES = ("PIP-1", "PIP-3")
# The clauses about how two things meet. Any other finding that names two places of one file names twice the same gap.
_MEETING = ("NET-1", "NET-2", "NET-4", "CTR-5", "RUN-1")


class Card:
    """One place. `facts`: lines for people as (words, values) for `Language.say`; `findings`: their numbers."""

    __slots__ = ("column", "kind", "name", "path", "line", "start", "end", "facts", "findings", "whole")

    def __init__(self, column: int, kind: str, name: str, place: Node, area: Node | None = None) -> None:
        """`area`: the node whose findings are the card's; None for the whole file."""
        self.column = column
        self.kind = kind
        self.name = show(name)
        self.path = place.source.path
        self.line = place.source.position(place.start)[0]
        self.whole = area is None or area.source.path != self.path
        self.start = min(place.start, area.start) if area is not None else 0
        self.end = max(place.end, area.end) if area is not None else 0
        self.facts: list[tuple[str, tuple[object, ...]]] = []
        self.findings: list[int] = []

    @property
    def where(self) -> str:
        """Path and line, as they may be shown."""
        return f"{inert(self.path)}:{self.line}"

    def say(self, words: str, *values: object) -> None:
        self.facts.append((words, values))

    def holds(self, source: Source, start: int) -> bool:
        """Whether a place is the card's."""
        return source.path == self.path and (self.whole or self.start <= start <= self.end)


class Wire:
    """A tie from a card to one in a column behind it. `kind`: serves, deploys or made; `findings` break it."""

    __slots__ = ("one", "other", "kind", "why", "findings")

    def __init__(self, one: Card, other: Card, kind: str, why: str) -> None:
        self.one, self.other = (one, other) if one.column <= other.column else (other, one)
        self.kind = kind
        self.why = show(why)
        self.findings: list[int] = []


class Band:
    """One service: its cards and wires."""

    __slots__ = ("name", "cards", "wires")

    def __init__(self, name: str) -> None:
        self.name = show(name)
        self.cards: list[Card] = []
        self.wires: list[Wire] = []

    def card(self, made: Card) -> Card:
        self.cards.append(made)
        return made


def show(text: object) -> str:
    """A text that may be shown."""
    return inert(mask(str(text)))


def of(run: Run) -> list[Band]:
    """The bands of a run's drawing: one a service, then one for jobs whose service is not known."""
    from ..project import services

    project = run.project
    found = services.of(project)
    parts: dict[int, Card] = {}
    bands = []
    for service in found:
        band = Band(service.name)
        for part in service.parts:
            parts[id(part)] = band.card(_part(project, service, part))
        for one, other, why in service.links:
            if id(one) in parts and id(other) in parts:
                band.wires.append(Wire(parts[id(one)], parts[id(other)], MADE, why))
        bands.append(band)
    _entrances(project, found, bands, parts)
    _deployments(project, found, bands, parts)
    _number(run.verdict.findings, bands)
    return bands


# -- parts of services


def _part(project: Project, service: Service, part: Part) -> Card:
    column = {"application": SOURCES, "image": IMAGE}.get(part.kind, RUNS)
    area = None
    if part.item is not None and part.kind in ("compose", "kubernetes"):
        owner = part.item.facts.get("workload")
        area = owner.node if isinstance(owner, Item) else part.item.node
    card = Card(column, part.kind, part.name if part.kind != "image" else part.path, part.place, area)
    ports = sorted({str(claim.value) for claim in part.of("listens", "default", "exposed", "receives")})
    if ports:
        card.say("port {}", show(", ".join(ports)))
    health = sorted({str(claim.value) for claim in part.of("health")})
    if health:
        card.say("health {}", show(", ".join(health)))
    user = part.of("user")
    if user:
        card.say("user {}", show(user[-1].value or "root"))
    if column == RUNS:
        _headers(project, service, part, card)
        _variables(project, part, card)
    return card


def _headers(project: Project, service: Service, part: Part, card: Card) -> None:
    """How many of the headers of the standard are set on this way."""
    from ..project import headers

    every = headers.targets(project)
    applications = {target.application.path for target in every}
    homes = {each.path.rpartition("/")[0] for each in service.kind("application", "image", "vercel")}
    for target in every:
        mine = target.application.path.rpartition("/")[0] in homes or len(applications) == 1
        if mine and target.name == _TARGETS[part.kind]:
            _count_headers(target, card)
            return


def _count_headers(target: Target, card: Card) -> None:
    from ..project.headers import NAMES, PRESENT

    states = [target.state(name).word for name in NAMES]
    unknown = states.count("unknown")
    words = "headers {} of {} set, {} unknown" if unknown else "headers {} of {} set"
    card.say(words, states.count(PRESENT), len(states), *([unknown] if unknown else []))


def _variables(project: Project, part: Part, card: Card) -> None:
    """How many names the environment gives, and whether it may give more."""
    from ..project import variables

    for target in variables.of(project).targets:
        if target.platform == part.kind and target.place.source.path == part.path:
            if part.kind in ("compose", "kubernetes") and target.name not in (part.name, part.name.rpartition("/")[2]):
                continue
            names = len({*target.names, *target.baked})
            card.say("env names: {}, perhaps more" if target.open else "env names: {}", names)
            return


# -- entrances


def _entrances(project: Project, found: list[Service], bands: list[Band], parts: dict[int, Card]) -> None:
    """Ingresses and routes of the cluster, and the reverse proxies of Compose files."""
    made: dict[tuple[int, str, int], Card] = {}
    for index, service in enumerate(found):
        for part in service.runners:
            for item, kind, facts, why in [*_ingresses(project, part), *_proxies(project, part)]:
                key = (index, item.place.source.path, item.place.start)
                card = made.get(key)
                if card is None:
                    name = str(item.facts.get("name") or kind)
                    card = made[key] = bands[index].card(Card(IN, kind, name, item.place, item.node))
                    card.facts += facts
                bands[index].wires.append(Wire(card, parts[id(part)], SERVES, why))


Facts = list[tuple[str, tuple[object, ...]]]


def _ingresses(project: Project, part: Part) -> Iterator[tuple[Item, str, Facts, str]]:
    if part.kind != "kubernetes" or part.item is None or part.artifact is None:
        return
    from ..kinds import cluster, manifest

    pod = part.item.facts.get("workload")
    if not isinstance(pod, Item):
        return
    names = {each.facts["name"] for each in cluster.cluster_of(part.artifact).selecting("Service", pod)}
    for artifact in project.artifacts("k8s"):
        if artifact.state != "judged":
            continue
        for route in view(artifact, "routes"):
            reached = {service for service, _, _ in manifest.backends(route)} & names
            if not reached or not cluster.together(route, pod):
                continue
            spec = route.node.get("spec")
            hosts = [rule.get("host").text() for rule in spec.get("rules").elements()]
            hosts += [host.text() for host in spec.get("hostnames").elements()]
            facts: Facts = [("host {}", (show(host),)) for host in dict.fromkeys(hosts) if host]
            if route.facts["kind"] == "Ingress":
                facts.append(("TLS" if spec.get("tls") else "no TLS", ()))
            yield route, str(route.facts["kind"]), facts, f"its backend is the Service {sorted(reached)[0]}"


def _proxies(project: Project, part: Part) -> Iterator[tuple[Item, str, Facts, str]]:
    if part.kind != "compose" or part.artifact is None:
        return
    from ..kinds import compose_roles

    services = view(part.artifact, "services")
    alone = sum(1 for each in services if each.facts["role"] == compose_roles.APP) == 1
    for service in services:
        if service.facts["role"] != compose_roles.PROXY:
            continue
        ports = [str(port.facts["published"]) for port in service.facts["ports"] if port.facts.get("published")]
        facts: Facts = [("published {}", (show(", ".join(ports)),))] if ports else []
        # What a proxy without a configuration in the tree passes on is a guess, but for the only application.
        why = "the proxy of the only application in the file" if alone else ""
        for artifact in project.artifacts("nginx"):
            if artifact.state != "judged":
                continue
            for proxy in view(artifact, "proxies"):
                if any(target.facts.get("host") == part.name for target in proxy.facts["targets"]):
                    line = proxy.node.source.position(proxy.node.start)[0]
                    why = f"{proxy.node.source.path}:{line} passes on to {part.name}"
        if why:
            yield service, "proxy", facts, why


# -- deployments


def _deployments(project: Project, found: list[Service], bands: list[Band], parts: dict[int, Card]) -> None:
    """The jobs that deploy to production, tied to what they deploy where that is one runner."""
    from ..project import pipelines

    loose = Band("")
    for release in pipelines.releases(project):
        job: Job = release.facts["job"]
        deploys: list[Deploy] = release.facts["deploys"]
        runners = [
            (index, part)
            for index, service in enumerate(found)
            for part in service.runners
            if part.kind in {_DEPLOYED.get(each.platform) for each in deploys}
        ]
        homes = {index for index, _ in runners}
        band = bands[homes.pop()] if len(homes) == 1 else loose
        card = band.card(Card(IN, "job", job.id or "job", job.place, job.node))
        card.say("deploys to {}", show(", ".join(dict.fromkeys(each.platform for each in deploys))))
        gates = dict.fromkeys(
            gate.name for way in release.facts["ways"] for gate in pipelines.gates_before(job, way) if not gate.soft
        )
        known = [name for name in gates if name != "?"]
        card.say("after {}", ", ".join(known)) if known else card.say("after no gate")
        for _, part in runners if band is not loose else ():
            said = next(each.said for each in deploys if _DEPLOYED.get(each.platform) == part.kind)
            band.wires.append(Wire(card, parts[id(part)], DEPLOYS, f"{job.id} deploys it to production: {said}"))
    if loose.cards:
        bands.append(loose)


# -- findings


def _number(findings: list[Finding], bands: list[Band]) -> None:
    """Gives each card and wire the numbers of its findings; numbers are places in the run's list, from 1."""
    by_path: dict[str, list[Card]] = {}
    for band in bands:
        for card in band.cards:
            by_path.setdefault(card.path, []).append(card)
    wires = [wire for band in bands for wire in band.wires]
    for number, finding in enumerate(findings, 1):
        own = [card for card in by_path.get(finding.source.path, ()) if card.holds(finding.source, finding.start)]
        for card in own:
            card.findings.append(number)
        if finding.severity == NOTE:
            continue
        clauses = finding.rule.standard
        meets = any(clause in _MEETING for clause in clauses)
        far = [
            card
            for source, start, _, _ in finding.related
            for card in by_path.get(source.path, ())
            if card.holds(source, start) and (meets or source.path != finding.source.path)
        ]
        late = finding.severity == ERROR and any(clause in _PASSED_GATES for clause in clauses)
        if not far and not late:
            continue
        for wire in wires:
            ends = ((wire.one, wire.other), (wire.other, wire.one))
            if any(one in own and other in far and one is not other for one, other in ends) or (
                late and wire.kind == DEPLOYS and wire.one in own
            ):
                wire.findings.append(number)
