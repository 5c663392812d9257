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


def routes(whole: Artifact) -> list[Item]:
    """Every route of the tree's web applications: see project.routes."""
    from .routes import items

    return items(whole.project)


def asked_paths(whole: Artifact) -> list[Item]:
    """Every path that a probe, a platform or the code asks of the tree's applications: see project.asked_paths."""
    from .asked_paths import items

    return items(whole.project)


def services(whole: Artifact) -> list[Item]:
    """Every service of the tree, stitched from several files: see project.services."""
    from .services import items

    return items(whole.project)


def tree(whole: Artifact) -> list[Item]:
    """One item for the tree as a whole, for rules that compare files of many kinds; it has no place of its own."""
    from ..model import ABSENT, Item

    return [Item(ABSENT)]


def pipelines(whole: Artifact) -> list[Item]:
    """Every pipeline of the tree with its jobs, gates and deployments: see project.pipelines."""
    from .pipelines import items

    return items(whole.project)


def releases(whole: Artifact) -> list[Item]:
    """Every job of a pipeline that deploys to production, and all ways to it: see project.pipelines."""
    from .pipelines import releases as found

    return found(whole.project)


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {
    "pipelines": pipelines,
    "releases": releases,
    "asked_paths": asked_paths,
    "routes": routes,
    "variables": variables,
    "services": services,
    "tree": tree,
}
