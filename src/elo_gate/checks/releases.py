"""Answers whether what runs in production is what the pipelines build and test."""

from __future__ import annotations

import re

from ..kinds import job_images
from ..kinds import jobs as nouns
from ..model import Fault, Item, Node, Undecided
from ..project import pipelines, services
from ..project.services import APPLICATION, IMAGE, KUBERNETES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

# Pipelines and builders whose files are not read: an image may be built there.
_UNREAD = (
    "Jenkinsfile", ".circleci/config.yml", "bitbucket-pipelines.yml", ".drone.yml", ".woodpecker.yml", "skaffold.yaml",
    ".buildkite/pipeline.yml", ".travis.yml", "Tiltfile", "werf.yaml", "Earthfile", "docker-bake.hcl", ".tekton",
)  # fmt: skip
_VERSION = re.compile(r"v?(\d{1,2})(?:\.\d+)*\s*$")
_FILES = (".nvmrc", ".node-version")


def not_built(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault where manifests run an image of the repository's own that none of its pipelines builds."""
    project = file.project
    service: services.Service = it.facts["service"]
    pods = service.kind(KUBERNETES)
    if not pods or not service.kind(IMAGE):
        return
    known = pipelines.of(project)
    if not known:
        return
    built: dict[str, Node] = {}
    unknown: Node | None = None
    for pipeline in known:
        for job in pipeline.jobs:
            for name, node in job_images.images(job):
                if name:
                    built.setdefault(name, node)
                else:
                    unknown = unknown or node
    for part in pods:
        for claim in part.of("image"):
            if claim.value.lower() in built:
                continue
            if unknown is not None or any(project.exists(path) for path in _UNREAD):
                yield Undecided("a pipeline builds images whose names are not known here", claim.node)
                continue
            related = [(node, f"builds {name}") for name, node in list(built.items())[:3]]
            if not built:
                related = [(pipeline.place, "a pipeline") for pipeline in known[:3]]
            severity = "error" if "kubernetes" in project.platforms else None
            message = "other" if built else "default"
            yield Fault(claim.node, related, message, severity, image=claim.value, pod=part.name, built=sorted(built))
            return


def node_drift(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where tests run on another major version of Node.js than the image that is released."""
    project = file.project
    service: services.Service = it.facts["service"]
    applications = service.kind(APPLICATION)
    images = [(claim, image) for image in service.kind(IMAGE) for claim in image.of("node")]
    if not images or len(applications) != 1:
        return
    home = applications[0].path.rpartition("/")[0]
    released = {claim.value for claim, _ in images}
    first = images[0][0]
    wrong = [
        (major, node) for major, node in [*_tested(project, home), *_pinned(project, home)] if major not in released
    ]
    if not wrong:
        return
    tested = {major for major, _ in _tested(project, home)}
    if tested & released:
        wrong = [(major, node) for major, node in wrong if major not in tested]  # a matrix that holds it as well
        if not wrong:
            return
    related = [
        (first.node, f"the image runs Node.js {first.value}"),
        *((node, f"Node.js {n}") for n, node in wrong[1:4]),
    ]
    yield Fault(wrong[0][1], related, major=wrong[0][0], released=first.value, place=wrong[0][1].source.path)


def _tested(project: Any, home: str) -> list[tuple[int, Node]]:
    """The versions that jobs with gates run on, where they are about the application in a folder."""
    found = []
    for pipeline in pipelines.of(project):
        for job in pipeline.jobs:
            gates = [gate for gate in nouns.gates(job) if gate.name in ("test", "coverage", "build")]
            folders = {gate.step.folder for gate in gates if gate.step is not None}
            if gates and any(folder in (home, "") for folder in folders):
                found += list(job_images.node_versions(job))
    return found


def _pinned(project: Any, home: str) -> Iterator[tuple[int, Node]]:
    """The version that `.nvmrc` or `.node-version` beside the application names."""
    from ..model import SCALAR

    for name in _FILES:
        path = f"{home}/{name}" if home else name
        source = project.read(path) if project.exists(path) else None
        if source is not None:
            line = source.text.split("\n", 1)[0]
            match = _VERSION.match(line)
            if match is not None:
                yield int(match[1]), Node(SCALAR, line, source, 0, len(line.rstrip()))
