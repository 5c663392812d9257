"""Turns findings in Railway's files into edits."""

from __future__ import annotations

import re

from ..model import SCALAR, Item, Node
from .edit import Edit
from .maps import add_entry, inner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..model import Artifact, Fault


def restart(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """Adds the policy under a `deploy` that is there; NEVER is somebody's decision."""
    if fault.message != "default":
        return []
    source = file.source
    if file.path.endswith(".toml"):
        found = re.search(r"^([ \t]*)\[deploy\][ \t]*(?:#[^\n]*?)?(?=\r?$)", source.text, re.MULTILINE)
        if found is None:
            return []
        return [Edit(source, found.end(), found.end(), f'\n{found[1]}restartPolicyType = "ON_FAILURE"')]
    return (
        add_entry(file.root.get("deploy"), '"restartPolicyType": "ON_FAILURE"') if file.path.endswith(".json") else []
    )


def builder(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """The builder of today; the next deployment shows whether it builds the same."""
    node = fault.at.node if isinstance(fault.at, Item) else fault.at
    return inner(node, node.value, "RAILPACK") if isinstance(node, Node) and node.kind is SCALAR else []
