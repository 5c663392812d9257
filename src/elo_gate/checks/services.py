"""Answers whether the files that speak of one service agree: its port, its runtime, its image, its memory."""

from __future__ import annotations

import re

from ..model import SCALAR, Fault, Item, Node, Undecided
from ..project import services
from ..project.services import APPLICATION, COMPOSE, IMAGE, KUBERNETES, Claim, Part, Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_HEAP = re.compile(r"--max[-_]old[-_]space[-_]size[= ](\d{2,6})")
_MEBI = 1 << 20


def ports(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault where traffic or a health check is sent to a port on which the program does not listen."""
    service: Service = it.facts["service"]
    for part in service.runners:
        image = services.image_of(service, part)
        received = [claim for claim in part.of("receives") if claim.value not in params["ignore"]]
        if part.kind == COMPOSE and image is None and not part.of("listens"):
            continue
        listens = services.port(part, image)
        if part.open or (image is not None and image.open):
            if received:
                yield Undecided(part.open or (image.open if image is not None else ""), received[0].node)
            continue
        exposed = {claim.value for claim in image.of("exposed")} if image is not None else set()
        if listens is not None:
            related = [(listens.node, f"the program listens on {listens.value}")]
            if received and listens.value not in {claim.value for claim in received}:
                # What an image exposes beside its PORT may be a second server; told by the runner, there is but one.
                if listens in part.claims or not exposed & {claim.value for claim in received}:
                    yield _drift("default", part, received[0], listens, related)
                continue
            yield from _probes(part, image, listens, exposed, received)
        elif received and exposed and not exposed & {claim.value for claim in received}:
            first = image.of("exposed")[0] if image is not None else received[0]
            related = [(first.node, f"the image exposes {first.value}")]
            yield _drift("exposed", part, received[0], first, related, "warning")


def _probes(
    part: Part, image: Part | None, listens: Claim, exposed: set[Any], received: list[Claim]
) -> Iterator[Fault | Undecided]:
    """Health checks inside of the container, the image's own and Compose's; Kubernetes' probes have their own rule."""
    for source in (part, image):
        if source is None or source.kind == KUBERNETES:
            continue
        for claim in source.of("probed"):
            known = {listens.value, *exposed, *(each.value for each in received)}
            if claim.value not in known:
                related = [(listens.node, f"the program listens on {listens.value}")]
                yield _drift("probe", part, claim, listens, related)
                break


def _drift(
    message: str, part: Part, wrong: Claim, right: Claim, related: list[tuple[Node, str]], severity: str | None = None
) -> Fault:
    return Fault(
        wrong.node, related, message, severity, runner=f"{part.kind} {part.name}", port=wrong.value, listens=right.value
    )


def heap(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where the heap that an image allows Node.js reaches the memory limit of what runs the image."""
    from ..kinds.quantity import quantity

    service: Service = it.facts["service"]
    for part in service.runners:
        image = services.image_of(service, part)
        if image is None or image.item is None or part.item is None:
            continue
        options = image.item.facts["env"].get("NODE_OPTIONS")
        value = options.facts["value"] if options is not None else None
        match = _HEAP.search(value.value) if isinstance(value, Node) and value.kind is SCALAR else None
        limit = _limit(part)
        if match is None or limit is None or limit.kind is not SCALAR or _own_options(part):
            continue
        bytes_ = quantity(limit.value) if part.kind == KUBERNETES else _compose_bytes(limit.value)
        if bytes_ is not None and int(match[1]) * _MEBI >= bytes_ and isinstance(value, Node):
            yield Fault(
                value, [(limit, "the limit")], heap=match[1], limit=limit.value, runner=f"{part.kind} {part.name}"
            )
            return


def _limit(part: Part) -> Node | None:
    if part.item is None:
        return None
    if part.kind == KUBERNETES:
        found: Node = part.item.facts["limits"].get("memory")
        return found or None
    if part.kind == COMPOSE:
        node = part.item.node
        return node.get("deploy", "resources", "limits", "memory") or node.get("mem_limit") or None
    return None


def _own_options(part: Part) -> bool:
    """Whether the runner sets NODE_OPTIONS itself: then the image's are not in force."""
    if part.item is None:
        return False
    if part.kind == COMPOSE:
        return "NODE_OPTIONS" in part.item.facts["environment"]
    return any(each.get("name").text() == "NODE_OPTIONS" for each in part.item.node.get("env").elements())


def _compose_bytes(text: str) -> int | None:
    """A memory size of Compose: bytes, or with b, k, m, g, kb, mb, gb (compose-spec, 11-extension.md)."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([bkmg]?)b?", text.strip().lower())
    if match is None:
        return None
    return int(float(match[1]) * {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[match[2]])


def runtime(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where the image runs a major version of Node.js that its framework or `engines` refuses."""
    from ..kinds import package as packages

    service: Service = it.facts["service"]
    for image in service.kind(IMAGE):
        claims = image.of("node")
        if not claims or image.artifact is None:
            continue
        major = claims[0].value
        applications = service.kind(APPLICATION)
        if len(applications) != 1 or not applications[0].path.endswith("package.json"):
            continue
        package = file.project.package(applications[0].path)
        if package is None:
            continue
        least = _least(package, params["minimum"])
        if least is not None and major < least[1][0]:
            related = [(least[2], f"Next.js {least[0]} is installed")]
            yield Fault(claims[0].node, related, "framework", major=major, needed=".".join(map(str, least[1])),
                        framework=f"Next.js {least[0]}")  # fmt: skip
            continue
        node = package.root.get("engines", "node")
        wanted = node.text()
        floor = packages.floor(wanted) if wanted is not None else None
        if floor is not None and major < floor[0]:
            yield Fault(
                claims[0].node, [(node, "what package.json asks for")], "engines", "warning", major=major, needed=wanted
            )


def _least(package: Any, minimum: dict[str, str]) -> tuple[int, tuple[int, ...], Node] | None:
    """(major of Next.js, the lowest Node.js it runs on, the dependency's node) when both are known."""
    version = package.version("next")
    floor = tuple(map(int, version.split("-")[0].split("."))) if version else package.floor("next")
    if floor is None or str(floor[0]) not in minimum:
        return None
    sections = [package.root.get(section, "next") for section in ("dependencies", "devDependencies")]
    node = next((each for each in sections if each), None)
    needed = tuple(int(part) for part in minimum[str(floor[0])].split("."))
    return (floor[0], needed, node) if node is not None else None


def user(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault where a pod must not run as root and its image's user is root, so that it is never started."""
    service: Service = it.facts["service"]
    for part in service.kind(KUBERNETES):
        image = services.image_of(service, part)
        if image is None or part.item is None or image.item is None:
            continue
        must = _confined(part.item)
        if must is None:
            continue
        written = image.item.facts["user"]
        if written is None:
            from ..kinds.dockerfile_images import runs_as_root

            base = image.item.facts["base"]
            if not isinstance(base, Item) or runs_as_root(base) is not True:
                continue
            place, name = image.place, "root"
        else:
            name = written.facts["name"]
            if isinstance(name, Node):
                yield Undecided("a variable holds the image's user", must)
                continue
            if name not in ("root", "0"):
                continue
            place = written.node
        yield Fault(must, [(place, "the image's user")], pod=part.name, user=name)


def _confined(container: Item) -> Node | None:
    """The `runAsNonRoot: true` in force for a container that is given no user by the manifest."""
    pod = container.facts["workload"].facts["pod"].get("securityContext")
    own = container.facts["security"]
    if own.get("runAsUser") or pod.get("runAsUser"):
        return None
    node = own.get("runAsNonRoot") or pod.get("runAsNonRoot")
    return node if node and node.boolean() is True else None
