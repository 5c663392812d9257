"""Turns findings in GitHub workflows and GitLab pipelines into edits."""

from __future__ import annotations

import re

from ..model import Item, Node
from .edit import Edit
from .maps import add_entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..model import Artifact, Fault


def locked(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """`npm ci` for `npm install` where a lockfile is known to be there."""
    from ..kinds.jobs import package_of

    if fault.values["instead"] != "npm ci":
        return []
    for job in it.facts["pipeline"].jobs:
        for step in job.steps:
            for call in step.calls:
                if isinstance(fault.at, Node) and call.place.start == fault.at.start:
                    package = package_of(file, call.folder)
                    found = re.compile(r"npm[ \t]+(install|i)(?![\w-])").match(call.place.source.text, call.place.start)
                    if package is None or package.lockfile is None or found is None:
                        return []
                    if any("lock" in text for text in call.texts):
                        return []
                    return [Edit(call.place.source, found.start(1), found.end(1), "ci")]
    return []


def permissions(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """What most workflows need; a job that writes has to say so itself."""
    if fault.message != "default":
        return []
    node = it.facts["pipeline"].node
    entry = "permissions: {contents: read}" if node.source.text[node.start] == "{" else "permissions:\n  contents: read"
    return add_entry(node, entry, ("name",))


def timeout(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """A quarter of an hour; how long a deployment takes its owner knows."""
    return add_entry(it.facts["job"].node, "timeout-minutes: 15", ("runs-on",))
