"""Answers how the services of a Compose file start, wait for each other, stay up and share their host."""

from __future__ import annotations

import re

from ..kinds import compose
from ..kinds import compose_roles as roles
from ..kinds.compose_model import resolve
from ..model import UNKNOWN, Fault, Item, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_WAITS = re.compile(r"wait-?for|wait_for|dockerize|wait4|pg_isready")
_HEALTHCHECK = re.compile(r"^[ \t]*HEALTHCHECK[ \t]+(?!NONE)", re.MULTILINE | re.IGNORECASE)


def known(service: Item) -> None:
    """Raises Undecided when a part of the service comes from where it cannot be read."""
    if service.facts["open"]:
        raise Undecided(str(service.facts["open"]), service)


def names(services: list[Item]) -> str:
    """Service names for a message."""
    return ", ".join(each.facts["name"] for each in services)


def spread(services: list[Item], words: str) -> list[tuple[Node | Item, str]]:
    """All but the first as related places."""
    return [(each.place, words) for each in services[1:]]


def no_restart(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a long-lived service that stays down once it stops."""
    if it.facts["role"] == roles.JOB or it.facts["swarm"]:
        return
    restart = it.facts["restart"]
    if isinstance(restart, Node):
        raise Undecided("a variable holds the restart policy", restart)
    if restart is None or restart in ("no", "none"):
        known(it)
        yield Fault(it.node.get("restart") or it.place, service=it.facts["name"])


def no_limits(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault a file for the long-lived services without a memory limit."""
    live = [each for each in it.facts["services"] if each.facts["role"] != roles.JOB and not each.facts["open"]]
    bare = [each for each in live if not each.facts["memory_limit"]]
    if bare:
        yield Fault(bare[0].place, spread(bare, "no memory limit either"), services=names(bare))


def no_log_rotation(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault a file for the long-lived services whose logs grow for ever."""
    bare = []
    for each in it.facts["services"]:
        if each.facts["role"] == roles.JOB or each.facts["open"]:
            continue
        logging = each.facts["logging"]
        if logging is None or (logging.kind is not UNKNOWN and _grows(logging)):
            bare.append(each)
    if bare:
        yield Fault(bare[0].place, spread(bare, "no rotation either"), services=names(bare))


def _grows(logging: Node) -> bool:
    """The default driver without a bound."""
    return (logging.get("driver").text() or "json-file") == "json-file" and not logging.get("options", "max-size")


def started_only(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault a service that waits for the start of what has to be ready, or done, before it."""
    services = {each.facts["name"]: each for each in _all(file)}
    if _WAITS.search(f"{it.facts['entrypoint']} {it.facts['command']}"):
        return
    unready, undone = [], []
    for dependency in it.facts["depends_on"]:
        other = services.get(dependency.facts["name"])
        if other is None or dependency.facts["condition"] != "service_started":
            continue
        role = other.facts["role"]
        if role == roles.JOB:
            undone.append(dependency)
        elif role in roles.STORES or (role == roles.APP and it.facts["role"] == roles.PROXY):
            unready.append(dependency)
    key = it.node.key("depends_on")
    for message, found in (("default", unready), ("job", undone)):
        if found:
            at = key if message == "default" and key else found[0].place
            related: list[tuple[Node | Item, str]] = [(each.place, "started, not waited for") for each in found]
            yield Fault(at, related, message, service=it.facts["name"], others=names(found))


def no_healthcheck(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a service that others wait for and nobody can see to be ready."""
    waiting = it.facts["waited_on"]
    if not waiting or it.facts["role"] == roles.JOB or it.facts["health"] != "absent":
        return
    if any(_wants_health(other, it) for other in _all(file)):
        return  # compose/healthy-without-healthcheck says it
    if _image_checks(it, file):
        return
    known(it)
    yield Fault(it.place, service=it.facts["name"], others=", ".join(waiting))


def never_healthy(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault for each `condition: service_healthy` on a service that has no health check."""
    services = {each.facts["name"]: each for each in _all(file)}
    for dependency in it.facts["depends_on"]:
        other = services.get(dependency.facts["name"])
        if other is None or dependency.facts["condition"] != "service_healthy":
            continue
        if other.facts["health"] == "present" or other.facts["open"]:
            continue
        at = dependency.node.get("condition") or dependency.place
        if other.facts["health"] == "absent":
            try:
                if _image_checks(other, file):
                    continue
            except Undecided as reason:
                yield Undecided(reason.why, at)
                continue
        related = [(other.place, "no healthcheck here")]
        yield Fault(at, related, service=it.facts["name"], other=other.facts["name"])


def replicas(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when several containers of one service want one host port or one name."""
    count = it.facts["replicas"]
    if count is None or count < 2 or it.facts["swarm"]:
        return
    name = it.node.get("container_name")
    if name:
        yield Fault(name, message="name", service=it.facts["name"], count=int(count))
    for port in it.facts["ports"]:
        if port.facts["published"] and "-" not in port.facts["published"] and port.facts["published"] != "0":
            yield Fault(port, service=it.facts["name"], count=int(count), port=port.facts["published"])


def _all(file: Artifact) -> list[Item]:
    found: list[Item] = compose.VIEWS["file"](file)[0].facts["all_services"]
    return found


def _wants_health(service: Item, other: Item) -> bool:
    return any(
        each.facts["name"] == other.facts["name"] and each.facts["condition"] == "service_healthy"
        for each in service.facts["depends_on"]
    )


def _image_checks(service: Item, file: Artifact) -> bool:
    """The service's image brings a HEALTHCHECK. Raises Undecided when the image is not known from inside."""
    build = service.facts["build"]
    if build is not None:
        return _dockerfile_checks(service, build, file)
    image = service.facts["image"]
    if image is None:
        known(service)
        return False
    if service.facts["official"] and service.facts["product"] in roles.WITHOUT_HEALTHCHECK:
        return False
    raise Undecided("the image may bring a health check of its own", image)


def _dockerfile_checks(service: Item, build: Item, file: Artifact) -> bool:
    context, name, inline = build.facts["context"], build.facts["dockerfile"], build.node.get("dockerfile_inline")
    if inline:
        return _HEALTHCHECK.search(inline.text() or "") is not None
    model = compose.model_of(file)
    folder = resolve(model.folder(build.node), context or ".") if not isinstance(context, Node) else None
    path = resolve(folder, name or "Dockerfile") if folder is not None and not isinstance(name, Node) else None
    source = file.project.read(path) if path is not None and file.project is not None else None
    if source is None:
        raise Undecided("the Dockerfile cannot be read", build)
    return _HEALTHCHECK.search(source.text) is not None
