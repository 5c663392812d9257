"""Turns what builds the pages into the public variables that it is not given: images, Compose arguments, pipelines."""

from __future__ import annotations

from ..model import Artifact, Fault, Item, Node, Undecided
from ..project import variables
from ..project.variables import INLINED, Matrix, Variable
from ..project.variables_given import Target
from ..project.variables_read import OPTIONAL, PLAIN, home_of
from .variables import copied_names, listed, origins, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# Env files that `next build` and its kin read by themselves.
_READ_BY_BUILDS = (".env", ".env.production")
# Actions and commands that bring variables from where they cannot be seen.
_FETCHING_ACTIONS = ("env", "secret", "vault", "doppler", "infisical", "1password")
_FETCHING = (".env", "GITHUB_ENV", "vercel pull", "vercel build", "doppler", "infisical", *INLINED)


def not_built_in(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault for each build of the pages that is not given the public variables which the code reads."""
    project = file.project
    matrix = variables.of(project)
    for artifact in project.artifacts("dockerfile"):
        if artifact.state == "judged":
            yield from _image(project, matrix, artifact)
    for target in matrix.targets:
        if target.platform == "compose" and target.image is not None:
            yield from _arguments(matrix, target)
    yield from _pipelines(project, matrix)


def _wanted(matrix: Matrix, folder: str) -> list[Variable]:
    """Public variables that an application's pages cannot do without; nothing when its code is not shown."""
    application = matrix.applications.get(folder)
    if application is None or application.hidden:
        return []
    return [each for each in matrix.of(folder) if each.public and not each.platform and (each.needed or _told(each))]


def _told(variable: Variable) -> bool:
    """The code reads it without a default, and an example names it for everybody to fill in."""
    return variable.form == PLAIN and any(
        not node.source.text[node.source.text.rfind("\n", 0, node.start) + 1 : node.start].strip()
        for node in variable.documented
    )


def _image(project: Any, matrix: Matrix, artifact: Artifact) -> Iterator[Fault | Undecided]:
    from ..kinds import dockerfile
    from .docker_next import public_names

    context = dockerfile.of(artifact)["context"]
    if context.folder is None:
        return
    home = artifact.path.rpartition("/")[0] + "/"
    folder = home if home in matrix.applications else context.folder + "/" if context.folder else ""
    wanted = _wanted(matrix, folder)
    if not wanted or any(isinstance(each, Fault) for each in public_names(dockerfile.file(artifact)[0], artifact, {})):
        return  # docker/public-env-not-built-in says so
    for stage in dockerfile.stages(artifact):
        build = next((command for command in stage.facts["runs"] if command.facts["call"].builds), None)
        if build is None:
            continue
        copies = [copy for each in stage.facts["chain"] for copy in each.facts["copies"]]
        given = {*stage.facts["args"], *stage.facts["env"], *build.facts["assigned"]}
        given.update(copied_names(matrix, artifact, copies))
        missing = [each for each in wanted if each.name not in given]
        flags = [value.value for name, value in build.facts["instruction"].flags if name.value == "mount" and value]
        if missing and any("type=secret" in flag or "type=bind" in flag for flag in flags):
            yield Undecided("a mount may bring the values", build)
        elif missing:
            severity = None if any(each.strong for each in missing) else "warning"
            values = {"names": listed(missing), "first": missing[0].name, "build": build.facts["text"]}
            yield Fault(build.node, origins(missing), severity=severity, **values)
        return


def _arguments(matrix: Matrix, target: Target) -> Iterator[Fault]:
    """A Compose service whose image declares public arguments without a default, and that passes other ones."""
    from ..kinds import dockerfile

    known = {each.name: each for each in matrix.of(target.folder)} if target.folder is not None else {}
    for artifact, service in dockerfile.of(target.image)["context"].services:
        if service.facts["name"] != target.name or artifact.path != target.place.source.path:
            continue
        build = service.node.get("build")
        arguments = build.get("args")
        passed = {key.value for key, _ in arguments.items()}
        passed |= {str(each.value).partition("=")[0] for each in arguments.elements()}
        lacking: dict[str, Node] = {}
        for stage in dockerfile.stages(target.image):
            for name, item in stage.facts["args"].items():
                optional = name in known and known[name].form == OPTIONAL
                if name.startswith(INLINED) and item.facts["value"] is None and name not in passed and not optional:
                    lacking.setdefault(name, item.facts["key"])
        if lacking:
            related = [(node, f"{name} is declared here, without a default") for name, node in lacking.items()]
            place = build.key("args") or service.node.key("build") or service.place
            strong = any(known[name].strong for name in lacking if name in known)
            values = {"target": target.title, "names": words(list(lacking)), "first": next(iter(lacking))}
            yield Fault(place, related, "argument", None if strong else "warning", **values)


def _pipelines(project: Any, matrix: Matrix) -> Iterator[Fault]:
    """GitHub jobs that build the pages and hand them on. A GitLab job gets the project's variables by itself."""
    from ..kinds import jobs
    from ..project import pipelines

    for pipeline in pipelines.of(project):
        for job in pipeline.jobs if pipeline.artifact.kind == "workflow" and not pipeline.open else ():
            build = next((gate for gate in jobs.gates(job) if gate.name == "build"), None)
            if build is None or build.step.folder is None or not _hands_on(job):
                continue
            wanted = _wanted(matrix, home_of(project, build.step.folder))
            given = {*build.step.env, *job.variables, *pipeline.variables}
            missing = [each for each in wanted if each.name not in given]
            if not missing or _fetches(job):
                continue
            values = {"build": build.place.value, "names": listed(missing), "first": missing[0].name}
            files = [path for each in missing if (path := _checked_out(each))]
            if len(files) < len(missing):
                yield Fault(build.place, origins(missing), "pipeline", "warning", **values)
            elif any(_holds_secrets(each) for each in missing):
                yield Fault(build.place, origins(missing), "checkout", "warning", file=files[0], **values)


def _hands_on(job: Any) -> bool:
    """Whether what a job builds leaves it: as an artefact, in an image, by a deployment."""
    from ..kinds import jobs

    ships = ("actions/upload-", "docker/build-push")
    return any(step.action.startswith(ships) for step in jobs.steps(job)) or bool(jobs.deploys(job))


def _fetches(job: Any) -> bool:
    """Whether a step may set variables where they cannot be seen."""
    from ..kinds import jobs

    return any(
        any(word in step.action for word in _FETCHING_ACTIONS)
        or any(word in script.text for script in step.scripts for word in _FETCHING)
        for step in jobs.steps(job)
    )


def _checked_out(variable: Variable) -> str:
    """The env file that sets a variable, comes with the checkout and is read by the build; "" when there is none."""
    paths = (artifact.path for artifact, _, _ in variable.assigned)
    return next((path for path in paths if path.rpartition("/")[2] in _READ_BY_BUILDS), "")


def _holds_secrets(variable: Variable) -> bool:
    from .docker_context import holds_secrets

    return any(holds_secrets(artifact, artifact.path) is not False for artifact, _, _ in variable.assigned)
