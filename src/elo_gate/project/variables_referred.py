"""Turns what is not code into the variables it refers to: Compose files, Dockerfiles, Prisma schemas, pipelines."""

from __future__ import annotations

import re

from ..model import SCALAR, Node
from .variables_read import APP, OPTIONAL, PLAIN, REQUIRED, Read, home_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# Where a reference stands, beside the places of variables_read.
COMPOSE, IMAGE, PIPELINE = "compose", "image", "pipeline"

_ENV = re.compile(r"\benv\(\s*\"([A-Za-z_]\w*)\"\s*\)")
_KEPT = re.compile(r"\b(secrets|vars)\.([A-Za-z_]\w*)")
# GitLab hands its variables to scripts as they are; those it sets itself begin like this.
_EXPANDED = re.compile(r"\$\{?([A-Z][A-Z0-9_]+)")
_ASSIGNED = re.compile(r"\b([A-Z][A-Z0-9_]+)=|\bread\s+(?:-\w+\s+)*([A-Z][A-Z0-9_]+)")
_GITLAB = ("CI_", "GITLAB_", "RUNNER_")


def references(project: Any) -> Iterator[tuple[str, Read]]:
    """(folder of the application, read) of every reference, in order of kind, path and place."""
    yield from _prisma(project)
    yield from _compose(project)
    yield from _arguments(project)
    yield from _pipelines(project)


def _prisma(project: Any) -> Iterator[tuple[str, Read]]:
    """`env("X")` of a schema; the shadow database and the direct connection are for migrations."""
    for path in sorted(path for path in project.aside if path.endswith(".prisma")):
        source = project.read(path)
        for match in _ENV.finditer(source.text) if source is not None else ():
            begin = source.text.rfind("\n", 0, match.start()) + 1
            if "//" not in source.text[begin : match.start()]:
                node = Node(SCALAR, match[1], source, match.start(1), match.end(1))
                form = PLAIN if match[1].startswith(("SHADOW", "DIRECT")) else REQUIRED
                yield home_of(project, path.rpartition("/")[0]), Read(match[1], node, form, APP, "prisma")


def _compose(project: Any) -> Iterator[tuple[str, Read]]:
    """`${X}` in the environment and the build arguments of services; what a committed `.env` gives is optional."""
    artifacts = [each for each in project.artifacts("compose") if each.state == "judged"]
    if not artifacts:
        return
    from ..kinds import compose

    for artifact in artifacts:
        folder = home_of(project, artifact.path.rpartition("/")[0])
        values = compose.model_of(artifact).values
        seen: set[tuple[str, int]] = set()
        for service in compose.VIEWS["services"](artifact):
            arguments = service.node.get("build", "args")
            nodes = [item.node for item in service.facts["environment"].values() if item.facts["style"] != "file"]
            nodes += [value for _, value in arguments.items()] + list(arguments.elements())
            for node in nodes:
                if node.source.path != artifact.path:
                    continue
                for read in _interpolated(node, service.facts["name"]):
                    if (read.name, read.node.start) not in seen:
                        seen.add((read.name, read.node.start))
                        if read.name in values:
                            read.form = OPTIONAL
                        yield folder, read


def _interpolated(node: Node, service: str) -> Iterator[Read]:
    if not isinstance(node.value, str) or "$" not in node.value:
        return
    from ..kinds.compose_interpolate import scan

    after = node.start
    for reference in scan(node.value)[0]:
        start = node.source.text.find(reference.name, node.source.text.find("$", after), node.end)
        if start < 0:
            return
        after = start + len(reference.name)
        form = {"plain": PLAIN, "required": REQUIRED}.get(reference.style, OPTIONAL)
        yield Read(reference.name, Node(SCALAR, reference.name, node.source, start, after), form, COMPOSE, service)


def _arguments(project: Any) -> Iterator[tuple[str, Read]]:
    """The first ARG of each name in a Dockerfile: what a build may be given."""
    artifacts = [each for each in project.artifacts("dockerfile") if each.state == "judged"]
    if not artifacts:
        return
    from ..kinds import dockerfile

    for artifact in artifacts:
        folder = home_of(project, artifact.path.rpartition("/")[0])
        seen: set[str] = set()
        for item in dockerfile.settings(artifact):
            name: str = item.facts["name"]
            if item.facts["kind"] == "ARG" and name not in seen:
                seen.add(name)
                form = PLAIN if item.facts["value"] is None else OPTIONAL
                yield folder, Read(name, item.facts["key"], form, IMAGE, artifact.path)


def _pipelines(project: Any) -> Iterator[tuple[str, Read]]:
    """The first `secrets.X` or `vars.X` of each workflow: names that GitHub keeps."""
    for artifact in project.artifacts("workflow"):
        seen = {"GITHUB_TOKEN"}
        for match in _KEPT.finditer(artifact.source.text) if artifact.state == "judged" else ():
            if match[2] not in seen:
                seen.add(match[2])
                node = Node(SCALAR, match[2], artifact.source, match.start(2), match.end(2))
                yield "", Read(match[2], node, OPTIONAL, PIPELINE, match[1])
    if project.artifacts("gitlab"):
        yield from _gitlab(project)


def _gitlab(project: Any) -> Iterator[tuple[str, Read]]:
    """The first `$X` in the scripts of each GitLab pipeline that nothing in the file sets: GitLab keeps it."""
    from . import pipelines

    for pipeline in pipelines.of(project):
        if pipeline.artifact.kind != "gitlab":
            continue
        scripts = [(job, script) for job in pipeline.jobs for step in job.steps for script in step.scripts]
        seen = {name for _, script in scripts for each in _ASSIGNED.findall(script.text) for name in each}
        for job, script in scripts:
            for match in _EXPANDED.finditer(script.text):
                name = match[1]
                if name not in seen and name not in job.variables and name != "CI" and not name.startswith(_GITLAB):
                    seen.add(name)
                    node = script.at(match.start(1), match.end(1))
                    yield "", Read(name, node, OPTIONAL, PIPELINE, "secrets")
