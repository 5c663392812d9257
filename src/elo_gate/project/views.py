"""Turns the model of the whole tree into the items that rules of the kind "project" look at: one row a view."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..model import Artifact, Item


def variables(whole: Artifact) -> list[Item]:
    """Every environment variable of the tree: see project.variables."""
    from .variables import items

    return items(whole.project)


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {"variables": variables}
