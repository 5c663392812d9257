"""Answers whether the platforms that elo-gate.toml declares are those that the tree has files for."""

from __future__ import annotations

from ..environment import PRODUCTION
from ..model import SCALAR, Fault, Item, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

# Platform -> the kinds of file that are for it alone.
_KINDS = {
    "vercel": ("vercel",),
    "railway": ("railway",),
    "kubernetes": ("k8s",),
    "docker": ("compose", "dockerfile"),
}
_CLOUDS = {
    "aws": ("ecs", "apprunner"),
    "gcp": ("cloudrun",),
    "azure": ("containerapp", "staticwebapp"),
}
_SAME = {"gcloud": "gcp"}  # what pipelines call it by its program


def without_file(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault for a declared platform that no file of the tree is about and nothing deploys to."""
    project = file.project
    deployed = _deployed(project)
    for platform in project.platforms:
        place = project.declared.get(("platforms", platform))
        if place is None or _present(project, platform) is not None or platform in deployed:
            continue
        if platform == "vercel" and project.artifacts("next"):
            continue  # Vercel builds a Next.js application without a file of its own
        if platform == "railway" and any(project.artifacts(kind) for kind in ("next", "dockerfile")):
            continue
        yield Fault(place, platform=platform, write=params["files"][platform])


def undeclared(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a platform that has a production file and is not among those that are declared."""
    project = file.project
    if not project.platforms:
        return
    for platform in ("vercel", "railway", "kubernetes"):
        if platform in project.platforms:
            continue
        found = _present(project, platform)
        if found is not None:
            yield Fault(found, platform=platform, path=found.source.path, declared=sorted(project.platforms))


def _present(project: Any, platform: str) -> Node | None:
    """Where the tree shows that it is for a platform: a token of its first production file."""
    if platform in _CLOUDS:
        for artifact in project.artifacts("cloud"):
            if artifact.state != "judged":
                continue
            from ..kinds import cloud

            for service in cloud.VIEWS["services"](artifact):
                if service.facts["platform"] in _CLOUDS[platform]:
                    return service.place
        return None
    for kind in _KINDS[platform]:
        for artifact in project.artifacts(kind):
            if artifact.environment == PRODUCTION:
                return _token(artifact)
    return None


def _token(artifact: Artifact) -> Node:
    root = artifact.root
    first = root.elements()[0] if root.elements() else root
    key = first.get("kind") or next((key for key, _ in first.items()), first)
    return key or Node(SCALAR, "", artifact.source, 0, 0)


def _deployed(project: Any) -> set[str]:
    from ..kinds import jobs
    from ..project import pipelines

    found: set[str] = set()
    for pipeline in pipelines.of(project):
        for job in pipeline.jobs:
            found |= {_SAME.get(each.platform, each.platform) for each in jobs.deploys(job)}
    return found
