"""Answers whether Kubernetes can tell a container that works from one that does not."""

from __future__ import annotations

from ..kinds.cluster import cluster_of
from ..kinds.manifest import integer, ports
from ..model import MAP, SCALAR, UNKNOWN, Fault, Item, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact, Source

_PROBES = (("livenessProbe", "liveness"), ("readinessProbe", "readiness"), ("startupProbe", "startup"))
# Where Next.js keeps the handler of a path.
_ROUTES = tuple(
    folder + "{path}/route." + ending
    for folder in ("src/app", "app", "apps/web/src/app", "apps/web/app")
    for ending in ("ts", "js", "tsx", "mjs")
) + tuple(folder + "{path}." + ending for folder in ("src/pages", "pages") for ending in ("ts", "js"))


def missing(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault a serving container that lacks a readiness or a liveness probe."""
    facts = it.facts
    if not facts["serves"]:
        return
    asked = (("readinessProbe", "readiness"), ("livenessProbe", "liveness"))
    lacking = [name for name, fact in asked if not facts[fact]]
    if not lacking:
        return
    elo = file.project is not None and file.project.elo
    severity = None if elo or "readinessProbe" in lacking else "note" if file.assumed else "warning"
    yield Fault(it.place, severity=severity, container=facts["name"], missing=lacking)


def unknown_port(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a probe of a port that the container does not declare; a name must be declared."""
    declared = ports(it)
    names = {name for name, _, _ in declared}
    numbers = {number for _, number, _ in declared}
    for field, fact in _PROBES:
        probe = it.facts[fact]
        for handler in ("httpGet", "tcpSocket", "grpc"):
            port = probe.get(handler, "port")
            if port.kind is not SCALAR or probe.get(handler, "host"):
                continue
            number = integer(port)
            if number is None and port.value.isdecimal() and len(port.value) < 20:
                number = int(port.value)
            values = {"container": it.facts["name"], "probe": field, "port": port.value}
            related = [(node.get("containerPort"), "a declared port") for _, _, node in declared[:3]]
            if number is None:
                if port.value not in names:
                    yield Fault(port, related=related, message="name", **values)
            elif declared and None not in numbers and number not in numbers:
                yield Fault(port, related=related, severity="note" if file.assumed else "warning", **values)


def liveness_as_readiness(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where both probes ask the same and liveness does not wait for longer."""
    liveness, readiness = it.facts["liveness"], it.facts["readiness"]
    first, second = _request(liveness), _request(readiness)
    if first is None or first != second:
        return
    patience = integer(liveness.get("failureThreshold")) or 3
    other = integer(readiness.get("failureThreshold")) or 3
    if patience <= other:
        yield Fault(
            it.node.key("livenessProbe"),
            related=[(it.node.key("readinessProbe"), "the readiness probe")],
            container=it.facts["name"],
            path=liveness.get("httpGet", "path").text() or "/",
            threshold=patience,
        )


def _request(probe: Node) -> tuple[str, str, tuple[str, ...]] | None:
    """(path, port, headers) of an HTTP probe, comparable; None when there is none or it cannot be known."""
    handler = probe.get("httpGet")
    path, port = handler.get("path"), handler.get("port")
    if handler.kind is not MAP or path.kind is UNKNOWN or port.kind is UNKNOWN:
        return None
    headers = tuple(
        f"{header.get('name').text()}={header.get('value').text()}" for header in handler.get("httpHeaders").elements()
    )
    return path.text() or "/", port.text() or "", headers


def no_startup(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where a long first delay of the liveness probe stands in for a startup probe."""
    liveness = it.facts["liveness"]
    if it.facts["startup"] or not it.facts["serves"] or liveness.get("tcpSocket"):
        return
    delay = integer(liveness.get("initialDelaySeconds"))
    if delay is not None and delay >= params["delay"]:
        yield Fault(it.node.key("livenessProbe"), container=it.facts["name"], delay=delay)


def short_timeout(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault where the default timeout of one second meets a route that waits for something."""
    asked: dict[str, list[tuple[str, Node]]] = {}
    for field, fact in _PROBES:
        probe = it.facts[fact]
        path = probe.get("httpGet", "path").text()
        if path is not None and not probe.get("timeoutSeconds"):
            asked.setdefault(path.partition("?")[0], []).append((field, it.node.key(field)))
    for path, probes in asked.items():
        routes = cluster_of(file).routes
        if path not in routes:
            routes[path] = _route(file, path)
        source = routes[path]
        if source is None:
            continue
        at = source.text.find("await ")
        if at < 0:
            continue
        waits = Item(Node(SCALAR, "await", source, at, at + 5))
        names = [name for name, _ in probes]
        yield Fault(probes[0][1], related=[(waits, "the route waits here")], path=path, probes=names, route=source.path)


def _route(file: Artifact, path: str) -> Source | None:
    """The source of the Next.js route handler of a path, where the tree has one."""
    project = file.project
    clean = path.rstrip("/")
    if project is None or not clean.startswith("/") or ".." in clean:
        return None
    for pattern in _ROUTES:
        name = pattern.format(path=clean) if "{" not in clean else ""
        if name and project.exists(name):
            source: Source | None = project.read(name)
            return source
    return None


def other_path(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for an HTTP probe that asks neither the standard's path nor one below it, where it is declared."""
    if file.project is None or not file.project.elo or not it.facts["serves"]:
        return
    for field, fact in _PROBES:
        path = it.facts[fact].get("httpGet", "path")
        if path.kind is SCALAR and not any(
            path.value == wanted or path.value.startswith(wanted + "/") for wanted in params["paths"]
        ):
            yield Fault(path, probe=field, path=path.value, wanted=params["paths"][0])
