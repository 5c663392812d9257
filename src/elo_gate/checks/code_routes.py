"""Judges whether the paths that are asked of an application lead anywhere."""

from __future__ import annotations

from ..model import Fault, Undecided
from ..project import routes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact, Item


def missing(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for the first question for a path that nothing answers; the others are related."""
    from ..project.asked_paths import items

    path = it.facts["path"].partition("?")[0]
    if file.project.elo and it.facts["platform"] and not f"{path.rstrip('/')}/".startswith(f"{params['path']}/"):
        return  # k8s/probe-path and railway/healthcheck-path say that it is not the declared standard's path.
    others = [
        other for other in items(file.project) if other is not it and other.facts["path"].partition("?")[0] == path
    ]
    if routes.find(file.project, path, it.facts["folder"]) is not None:
        return
    same = [other for other in others if _unanswered(file, other)]
    if any(_order(other) < _order(it) for other in same):
        return  # told there
    app = routes.owners(file.project, it.facts["folder"])[0]
    base = f"{app.folder}/" if app.folder else ""
    src = "src/" if any(route.file.startswith(base + "src/") for route in app.routes) else ""
    yield Fault(
        it,
        related=[(other, f"{other.facts['who']} asks for it too") for other in same],
        who=str(it.facts["who"]).replace("'", ""),
        path=path,
        wanted=f"{base}{src}app{path.rstrip('/')}/route.ts",
    )


def _unanswered(file: Artifact, other: Item) -> bool:
    try:
        return routes.find(file.project, other.facts["path"], other.facts["folder"]) is None
    except Undecided:
        return False


def _order(item: Item) -> tuple[bool, str, int]:
    return not item.facts["health"], item.node.source.path, item.node.start
