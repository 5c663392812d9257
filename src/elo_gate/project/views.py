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


def variable_targets(whole: Artifact) -> list[Item]:
    """Every place where a program runs and gets its variables: see project.variables_given."""
    from .variables import goals

    return goals(whole.project)


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


def headers(whole: Artifact) -> list[Item]:
    """The headers of every application on every target, for people: see project.headers."""
    from .headers import items

    return items(whole.project)


def responses(whole: Artifact) -> list[Item]:
    """Every application with its targets and their headers: see project.headers."""
    if not whole.project.artifacts("next"):
        return []
    from .headers import responses

    return responses(whole.project)


def header_values(whole: Artifact) -> list[Item]:
    """The headers that any file of the tree sets, as one item: see project.headers."""
    if not any(whole.project.artifacts(kind) for kind in ("next", "nginx", "vercel", "k8s", "cloud")):
        return []
    from .headers import header_values

    return header_values(whole.project)


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


# Programs that make backups, and those that read them back: without a word of them nothing needs to be parsed.
_SAVERS = ("dump", "pg_basebackup", "rsync", "tar ", "restic", "borg", "sqlite3")
_READERS = ("pg_restore", "psql", "mysql", "mongorestore", "mariadb")


def _speaks_of(whole: Artifact, programs: tuple[str, ...]) -> bool:
    return any(program in artifact.source.text for artifact in whole.project.judged() for program in programs)


def databases(whole: Artifact) -> list[Item]:
    """Every container of the tree that runs PostgreSQL: see project.databases."""
    if not _speaks_of(whole, ("postg", "timescale", "pgvector")):
        return []
    from .databases import items

    return items(whole.project)


def schedules(whole: Artifact) -> list[Item]:
    """Everything in the tree that starts by itself at a time: see project.schedules."""
    from .schedules import items

    return items(whole.project)


def backups(whole: Artifact) -> list[Item]:
    """Everything in the tree that makes a backup: see project.backups."""
    if not _speaks_of(whole, _SAVERS):
        return []
    from .backups import items

    return items(whole.project)


def restores(whole: Artifact) -> list[Item]:
    """Everything in the tree that reads a backup back: see project.backups."""
    if not _speaks_of(whole, _READERS):
        return []
    from .backups import restores as found

    return found(whole.project)


def rollbacks(whole: Artifact) -> list[Item]:
    """Every platform the tree deploys to, with the commands that go back there: see project.rollbacks."""
    from .rollbacks import items

    return items(whole.project)


def promises(whole: Artifact) -> list[Item]:
    """Every promise that elo-gate.toml lists, with what keeps it: see project.promises."""
    from .promises import items

    return items(whole.project)


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {
    "pipelines": pipelines,
    "releases": releases,
    "asked_paths": asked_paths,
    "headers": headers,
    "responses": responses,
    "header_values": header_values,
    "routes": routes,
    "variables": variables,
    "variable_targets": variable_targets,
    "services": services,
    "tree": tree,
    "schedules": schedules,
    "databases": databases,
    "backups": backups,
    "restores": restores,
    "rollbacks": rollbacks,
    "promises": promises,
}
