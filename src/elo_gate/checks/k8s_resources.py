"""Answers what a Kubernetes container may use: requests, limits, and whether they can be meant."""

from __future__ import annotations

from ..kinds.cluster import cluster_of
from ..kinds.quantity import NANO, quantity
from ..model import MAP, SCALAR, UNKNOWN, Fault, Item, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_MEBI = 2**20 * NANO


def missing(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields one fault a container that lists which of requests and limits it lacks.

    A limit without a request counts as the request, as Kubernetes does. The CPU limit is asked for only
    where the repository declares the standard: without one a container merely uses idle CPU.
    """
    facts = it.facts
    resources = facts["resources"]
    owner = facts["workload"]
    for node in (resources, facts["requests"], facts["limits"], owner.facts["pod"].get("resources")):
        if node.kind is UNKNOWN:
            raise Undecided("the resources are filled in when the manifest is deployed", node)
    if owner.facts["pod"].get("resources").kind is MAP:
        return
    requests, limits = facts["requests"], facts["limits"]
    lacking = [
        name
        for name, node in (
            ("requests.cpu", requests.get("cpu") or limits.get("cpu")),
            ("requests.memory", requests.get("memory") or limits.get("memory")),
            ("limits.memory", limits.get("memory")),
        )
        if not node
    ]
    if (lacking or (file.project is not None and file.project.elo)) and not limits.get("cpu"):
        lacking.append("limits.cpu")
    if not lacking:
        return
    if cluster_of(file).of_kind("LimitRange", owner):
        raise Undecided("a LimitRange of the namespace may give defaults", it)
    severity = None
    if facts["init"] and not facts["sidecar"]:
        if file.assumed:
            return
        severity = "note"
    elif not owner.facts["long_running"]:
        severity = "note" if file.assumed else "warning"
    place = it.node.key("resources") if resources.kind is MAP else it.place
    yield Fault(place, severity=severity, container=facts["name"], missing=lacking)


def request_over_limit(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where a request is larger than its limit."""
    limits = it.facts["limits"]
    for key, request in it.facts["requests"].items():
        limit = limits.get(key.value)
        asked, allowed = _amount(request), _amount(limit)
        if asked is not None and allowed is not None and asked > allowed:
            yield Fault(
                request,
                related=[(limit, "the limit")],
                container=it.facts["name"],
                resource=key.value,
                request=request.value,
                limit=limit.value,
            )


def bad_quantity(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a text that is no quantity, or one that cannot be what was meant."""
    for group in ("requests", "limits"):
        for key, node in it.facts[group].items():
            name = key.value
            if node.kind is not SCALAR or name not in ("cpu", "memory", "ephemeral-storage"):
                continue
            amount = quantity(node.value)
            values = {"container": it.facts["name"], "resource": f"{group}.{name}", "value": node.value}
            if amount is None:
                yield Fault(node, **values)
            elif name != "cpu" and 0 < amount < params["least_memory_mebibytes"] * _MEBI:
                yield Fault(node, message="tiny", **values)
            elif name == "cpu" and amount > params["most_cores"] * NANO:
                yield Fault(node, message="huge", **values)


def heap_over_limit(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where Node's heap may grow to the memory limit or beyond."""
    limit = it.facts["limits"].get("memory")
    allowed = _amount(limit)
    if allowed is None:
        return
    for node in _words(it):
        text = node.value
        _, option, rest = text.partition("--max-old-space-size")
        if not option:
            _, option, rest = text.partition("--max_old_space_size")
        digits = rest.lstrip("= ").split(" ")[0] if option else ""
        if digits.isdecimal() and len(digits) < 20 and int(digits) * _MEBI >= allowed:
            related = [(limit, "the limit")]
            yield Fault(node, related=related, container=it.facts["name"], heap=digits, limit=limit.value)
            return


def _words(it: Item) -> Iterator[Node]:
    for entry in it.node.get("env").elements():
        if entry.get("name").text() == "NODE_OPTIONS":
            yield from (node for node in (entry.get("value"),) if node.kind is SCALAR)
    for field in ("command", "args"):
        yield from (node for node in it.node.get(field).elements() if node.kind is SCALAR)


def _amount(node: Node) -> int | None:
    return quantity(node.value) if node.kind is SCALAR else None
