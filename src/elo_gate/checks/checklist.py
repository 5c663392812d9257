"""Answers whether a deploy checklist is older than what its platforms have changed since, and names what is there."""

from __future__ import annotations

import re

from ..model import Fault, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact, Item

_KINDS = {
    "vercel": ("vercel",),
    "railway": ("railway",),
    "k8s": ("kubernetes",),
    "dockerfile": ("docker",),
    "compose": ("docker",),
    "workflow": ("github",),
    "gitlab": ("gitlab",),
    "next": ("next", "node"),
}
_SHOWN = 2


def outdated(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault for a date before changes of the tree's platforms; the changes are data, with their days."""
    updated = it.facts["updated"]
    if not updated:
        return
    project = file.project
    present = set(project.platforms)
    texts: dict[str, list[str]] = {}
    for artifact in project.judged():
        for platform in _KINDS.get(artifact.kind, ()):
            present.add(platform)
            texts.setdefault(platform, []).append(artifact.source.text)
    if project.package("package.json") is not None:
        present.add("node")
    table = project.table("platform-changes")["changes"]
    since = [
        row
        for row in table
        if row["platform"] in present
        and updated < row["day"] <= project.as_of
        and ("mentions" not in row or any(row["mentions"] in text for text in texts.get(row["platform"], ())))
    ]
    if since:
        since.sort(key=lambda row: str(row["day"]), reverse=True)
        shown = "; ".join(f"{row['what']} ({row['day']})" for row in since[:_SHOWN])
        yield Fault(it, said=it.facts["said"], count=len(since), changes=shown)


_SCRIPT = re.compile(r"`(?:npm|pnpm|yarn|bun) run ([\w:.-]+)[^`]*`")
_PATH = re.compile(
    r"`(?:\./|(?:bash|sh|node|psql -f) (?:\./)?)?((?:[\w.-]+/)+[\w.-]+\.(?:sh|sql|ya?ml|ts|mjs|js|py|md))\b[^`]*`"
)
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s#]+)")


def dead_reference(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for an item that names a script or a file which is not there."""
    text, project = it.facts["text"], file.project
    folder = file.path.rpartition("/")[0]
    package = project.package("package.json")
    for match in _SCRIPT.finditer(text):
        if package is not None and package.scripts_known and package.script(match[1]) is None:
            yield Fault(it, message="script", name=match[1], file=package.path)
            return
    for match in _PATH.finditer(text):
        if not project.exists(match[1]) and not project.exists(f"{folder}/{match[1]}"):
            yield Fault(it, name=match[1])
            return
    for match in _LINK.finditer(text):
        path = _beside(folder, match[1])
        if path is not None and not project.exists(path):
            yield Fault(it, name=match[1])
            return


def _beside(folder: str, link: str) -> str | None:
    """A link's path from the root; None when it leaves the tree."""
    parts = [] if link.startswith("/") or not folder else folder.split("/")
    for part in link.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
