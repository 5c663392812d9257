"""Answers whether the addresses that files name fit each other: public hosts, and what a proxy sends requests to."""

from __future__ import annotations

import re

from ..model import SCALAR, UNKNOWN, Fault, Item, Node, Undecided
from ..project import services
from ..project.services import COMPOSE, KUBERNETES, Part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_HOST = re.compile(r"https?://([a-z0-9][a-z0-9.-]*\.[a-z]{2,})(?::\d+)?(?:/|$)", re.I)
_STAND_IN = (".example", "example.com", "example.org", "localhost", ".local", ".internal", ".svc", ".invalid", ".test")


def hosts(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault where the application calls itself by a host that no entrance of the tree serves."""
    project = file.project
    entrances = _entrances(project)
    known = services.of(project)
    if not entrances or len([each for each in known if each.kind(services.APPLICATION)]) > 1:
        return  # several applications: which of them an address is about cannot be told
    served = {name for name, _ in entrances}
    if "" in served:
        return  # an entrance for every host, or for one that cannot be known
    for name, node in _addresses(project, params["names"]):
        if node.kind is UNKNOWN:
            continue
        match = _HOST.match(node.value)
        if match is None:
            continue
        host = match[1].lower()
        if host.endswith(_STAND_IN) or any(_serves(each, host) for each in served):
            continue
        related = [(place, f"serves {each}") for each, place in entrances[:4]]
        yield Fault(node, related, name=name, host=host, served=sorted(served))


def _serves(entrance: str, host: str) -> bool:
    """Whether a host of an entrance covers another; `*.` stands for one label or more."""
    if entrance.startswith("*."):
        return host.endswith(entrance[1:])
    return entrance == host or host == "www." + entrance or entrance == "www." + host


def _entrances(project: Any) -> list[tuple[str, Node]]:
    """(host, node) of every host that Ingresses, routes and nginx serve; "" for one that is any or unknown."""
    found: list[tuple[str, Node]] = []

    def add(node: Node) -> None:
        known = node.kind is SCALAR and "$" not in node.value
        found.append((node.value.lower() if known else "", node))

    for artifact in project.artifacts("k8s"):
        if artifact.state != "judged":
            continue
        from ..kinds import k8s

        for item in k8s.view(artifact, "objects"):
            spec = item.node.get("spec")
            kind = item.facts["kind"]
            if kind == "Ingress":
                for rule in spec.get("rules").elements():
                    add(rule.get("host")) if rule.get("host") else found.append(("", rule))
            elif kind == "HTTPRoute":
                for host in spec.get("hostnames").elements():
                    add(host)
    for artifact in project.artifacts("nginx"):
        if artifact.state != "judged":
            continue
        from ..kinds import nginx

        for server in nginx.view(artifact, "servers"):
            for node in server.facts["name_nodes"]:
                if node.kind is not SCALAR or "." not in node.value or node.value.startswith("~"):
                    found.append(("", node))
                else:
                    add(node)
    return found


def _addresses(project: Any, names: list[str]) -> Iterator[tuple[str, Node]]:
    """(name, value) of the variables that hold the application's own public address."""
    from ..kinds import env

    for artifact in project.artifacts("env"):
        if artifact.state == "judged":
            for item in env.vars_of(artifact):
                if item.facts["name"] in names:
                    yield item.facts["name"], item.facts["value"]
    for service in services.of(project):
        for part in service.kind(COMPOSE, KUBERNETES):
            if part.item is None:
                continue
            if part.kind == COMPOSE:
                for name in names:
                    entry = part.item.facts["environment"].get(name)
                    if entry is not None and entry.facts["style"] == "literal":
                        yield name, entry.node
            else:
                for entry in part.item.node.get("env").elements():
                    if entry.get("name").text() in names and entry.get("value"):
                        yield str(entry.get("name").value), entry.get("value")


def upstreams(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault where nginx sends requests to a port on which the service behind it does not listen."""
    project = file.project
    artifacts = project.artifacts("nginx")
    if not artifacts:
        return
    from ..kinds import nginx

    parts = [(service, part) for service in services.of(project) for part in service.runners]
    for artifact in artifacts:
        if artifact.state != "judged":
            continue
        for proxy in nginx.view(artifact, "proxies"):
            for target in proxy.facts["targets"]:
                host, port = target.facts["host"], target.facts["port"]
                if not host or port is None or not target.facts["known"]:
                    continue
                alike = [(service, part) for service, part in parts if part.kind == COMPOSE and part.name == host]
                for service, part in alike:
                    yield from _sent(target, port, service, part)
                if not alike:  # where both have one of that name, Compose's is the one that mounts a file of nginx
                    yield from _to_service(project, target, host, port)


def _sent(target: Item, port: int, service: services.Service, part: Part) -> Iterator[Fault | Undecided]:
    image = services.image_of(service, part)
    listens = services.port(part, image)
    if listens is None:
        if part.open:
            yield Undecided(part.open, target.node)
        return
    exposed = {claim.value for claim in image.of("exposed")} if image is not None else set()
    if listens.value != port and not (port in exposed and listens not in part.claims):
        related = [(listens.node, f"the program listens on {listens.value}")]
        yield Fault(target.node, related, host=part.name, port=port, listens=listens.value)


def _to_service(project: Any, target: Item, host: str, port: int) -> Iterator[Fault]:
    """A target that is a Service of the cluster: `web`, `web.shop`, `web.shop.svc.cluster.local`."""
    name, _, rest = host.partition(".")
    namespace = rest.partition(".")[0]
    from ..kinds import k8s, manifest

    for artifact in project.artifacts("k8s"):
        if artifact.state != "judged":
            continue
        for item in k8s.view(artifact, "services"):
            if item.facts["name"] != name or (namespace and item.facts["namespace"] != namespace):
                continue
            offered = [entry.get("port") for entry in item.node.get("spec", "ports").elements()]
            numbers = [manifest.integer(node) for node in offered]
            if None not in numbers and numbers and port not in numbers:
                yield Fault(target.node, [(offered[0], "the Service's port")], host=host, port=port, listens=numbers[0])
                return
