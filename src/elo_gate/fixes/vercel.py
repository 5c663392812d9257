"""Turns findings in vercel.json into edits."""

from __future__ import annotations

import re

from ..model import Item
from .edit import Edit
from .maps import cut, inner, joined, remove_entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..model import Artifact, Fault


def region(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """The id that an old alias or a cloud's own name of the region stands for; a guess by spelling is none."""
    table = file.project.table("vercel-regions")
    regions, name = table["regions"], fault.values["region"]
    meant = [key for key, at in regions.items() if at["aws"] == name or key == f"{name}1"]
    meant = [table["aliases"][name]] if table["aliases"].get(name) else meant
    return inner(it.node, name, meant[0]) if len(meant) == 1 and meant[0] == fault.values.get("meant") else []


def noop_routes(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """Takes the routes out that change nothing; `routes` itself when no other is left."""
    from ..kinds.vercel import routes

    if not file.path.endswith(".json"):
        return []
    entries = routes(file)
    noops = [each.node for each in entries if each.facts["noop"]]
    if len(noops) == len(entries):
        return remove_entry(file.root, "routes")
    return joined([edit for node in noops for edit in cut(node.source, node.start, node.end)])


def trailing_comma(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """Takes the comma out; a comment is somebody's text."""
    node = it.node
    if it.facts["code"] != "trailing-comma" or node.source.text[node.start : node.end] != ",":
        return []
    if re.compile(r"\s*[}\]]").match(node.source.text, node.end) is None:
        return []
    return [Edit(node.source, node.start, node.end)]
