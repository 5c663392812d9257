"""Turns findings in Compose files into edits."""

from __future__ import annotations

import re

from ..kinds import compose_interpolate as interpolation
from ..kinds import compose_roles as roles
from ..model import MAP, SCALAR, Item, Node
from .edit import Edit
from .maps import add_entry, inner, remove_entry, slice_of, written_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..model import Artifact, Fault


def version(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """Takes the line out."""
    return remove_entry(it.node, "version")


def restart(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """Adds the policy where none is written; a written `no` is somebody's decision."""
    facts = it.facts
    if facts["restart"] is not None or it.node.get("restart") or not written_at(it.place, it.node):
        return []
    serves = facts["ports"] or facts["waited_on"] or facts["health"] == "present" or it.node.get("expose")
    if facts["role"] == roles.APP and (facts["command"] or facts["entrypoint"]) and not serves:
        return []  # it may be a job that is done once
    return add_entry(it.node, "restart: unless-stopped", ("image", "build", "container_name"))


def required(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """`${NAME:?}` for the first reference; once for each variable is enough."""
    name = fault.values["variable"]
    if fault.message != "default" or not isinstance(fault.at, Item):
        return []
    node = fault.at.node
    for found in re.finditer(rf"\$\$|\$\{{{name}\}}|\${name}(?![A-Za-z0-9_])", slice_of(node)):
        if found[0] != "$$":
            return [Edit(node.source, node.start + found.start(), node.start + found.end(), f"${{{name}:?}}")]
    return []


def read_only(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """`:ro` behind a short mount, `read_only: true` in a long one."""
    node = fault.at.node if isinstance(fault.at, Item) else fault.at
    if node.kind is MAP:
        given = node.get("read_only")
        return inner(given, given.value, "true") if given.kind is SCALAR else add_entry(node, "read_only: true")
    pieces = interpolation.split(node.value, ":")
    if len(pieces) == 2:
        return inner(node, node.value, f"{node.value}:ro")
    if len(pieces) == 3 and pieces[2] == "rw":
        return inner(node, node.value, f"{node.value[:-2]}ro")
    return []


def ready(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """Waits for health where the other service has a health check, and for the end of a job."""
    from ..kinds.compose import VIEWS

    services = {each.facts["name"]: each for each in VIEWS["file"](file)[0].facts["all_services"]}
    wanted: dict[str, str] = {}
    names = fault.values["others"].split(", ")
    for name in names:
        other = services[name]
        if fault.message == "job" and other.facts["role"] == roles.JOB:
            wanted[name] = "service_completed_successfully"
        elif fault.message == "default" and other.facts["health"] == "present":
            wanted[name] = "service_healthy"
        else:
            return []
    depends = it.node.get("depends_on")
    if not written_at(it.node.key("depends_on"), depends):
        return []
    if depends.kind is MAP and depends.source.text[depends.start] in "-[":
        return _as_map(it.node, depends, wanted)
    edits: list[Edit] = []
    for name, condition in wanted.items():
        node = depends.get(name, "condition")
        if node.kind is not SCALAR or node.source is not depends.source or not depends.start < node.start < depends.end:
            return []
        edits += inner(node, "service_started", condition)
    return edits if len(edits) == len(wanted) else []


def _as_map(service: Node, names: Node, wanted: dict[str, str]) -> list[Edit]:
    """A list of names as a map with conditions, each comment where it was."""
    source, text = names.source, names.source.text
    listed = [key for key, _ in names.value]
    if any(not _plain(each) for each in listed):
        return []
    flow = text[names.start] == "["
    key = service.key("depends_on")
    edits = []
    column = source.position(key.start)[1]
    for each in listed:
        entry = f"{slice_of(each)}: {{condition: {wanted.get(each.value, 'service_started')}}}"
        if flow:
            edits.append(Edit(source, each.start, each.end, entry))
            continue
        dash = re.compile(r"-[ \t]+\Z").search(text[: each.start])
        if dash is None:
            return []
        deeper = "" if source.position(dash.start())[1] > column else "  "
        edits.append(Edit(source, dash.start(), each.end, deeper + entry))
    if flow:
        if text[names.end - 1] != "]":
            return []
        edits = [Edit(source, names.start, names.start + 1, "{"), *edits, Edit(source, names.end - 1, names.end, "}")]
    return edits


def _plain(node: Node) -> bool:
    return re.fullmatch(r"[\w.-]+", slice_of(node).strip("\"'")) is not None
