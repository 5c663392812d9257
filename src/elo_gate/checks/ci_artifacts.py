"""Judges whether what a pipeline built and tested is what it deploys."""

from __future__ import annotations

from ..kinds import jobs as nouns
from ..kinds.jobs import text_of
from ..model import ABSENT, ERROR, WARNING, Fault, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.jobs import Pipeline, Step
    from ..model import Artifact, Item, Node

_BUILT = (".next", ".vercel", "dist", "build", "out", ".output", ".svelte-kit", "standalone")


def hidden(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for an upload of a folder that begins with a dot, which the action leaves out."""
    from .ci_actions import version

    pipeline: Pipeline = it.facts["pipeline"]
    for job in pipeline.jobs:
        for step in job.steps:
            if step.action != "actions/upload-artifact":
                continue
            include = step.inputs.get("include-hidden-files", (ABSENT, ABSENT))[1]
            number = version(step.uses)
            if (include and include.boolean() is not False) or _before(number):
                continue
            node = step.inputs.get("path", (ABSENT, ABSENT))[1]
            paths = [line.strip() for line in (node.text() or "").splitlines() if line.strip()]
            hidden_ = [path for path in paths if _is_hidden(path)]
            if hidden_:
                used = _downloaded(pipeline, step)
                severity = (
                    ERROR
                    if used is not None or hidden_[0].startswith((".next", "./.next", ".vercel", "./.vercel"))
                    else WARNING
                )
                related = [(used.uses, "is downloaded here")] if used is not None else []
                yield Fault(node, related, severity=severity, path=hidden_[0])


def _before(number: tuple[int, ...]) -> bool:
    """A version from before hidden files were left out: v3.2.0 and v4.4.0, where all three numbers are known."""
    if len(number) == 1:
        return number[0] < 3
    if len(number) < 2:
        return False
    return number < (3, 2) or (4, 0) <= number < (4, 4)


def _is_hidden(path: str) -> bool:
    if path.startswith(("!", "~", "/")) or "$" in path:
        return False
    return any(part.startswith(".") and part not in (".", "..") for part in path.split("/"))


def _downloaded(pipeline: Pipeline, upload: Step) -> Step | None:
    """The step that takes an uploaded artefact again."""
    name = _name(upload)
    for job in pipeline.jobs:
        for step in job.steps:
            if step.action == "actions/download-artifact":
                wanted = _name(step)
                if wanted == name or not wanted:
                    return step
    return None


def _name(step: Step) -> str:
    return text_of(step.inputs.get("name", (ABSENT, ABSENT))[1]) or ""


def not_deployed(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault for a job that fetches the build of an earlier job and has the platform build once more."""
    for deploy in it.facts["deploys"]:
        call = deploy.call
        if deploy.platform != "vercel" or call is None or call.flag("--prebuilt") is not None:
            continue
        if call.program not in ("vercel", "vc") or call.texts[:1] in (["promote"], ["redeploy"]):
            continue
        for step in nouns.steps(it.facts["job"]):
            if step is deploy.step:
                break
            if step.action == "actions/download-artifact" and _is_build(step, it.facts["pipeline"]):
                name = _name(step) or text_of(step.inputs.get("path", (ABSENT, ABSENT))[1]) or "the artefact"
                yield Fault(deploy.place, [(step.uses, "the build that was tested")], artifact=name)
                return


def _is_build(step: Step, pipeline: Pipeline) -> bool:
    """Whether a downloaded artefact is a build: by where it goes, or by what was uploaded under its name."""
    nodes: list[Node] = [step.inputs.get("path", (ABSENT, ABSENT))[1]]
    for job in pipeline.jobs:
        for other in job.steps:
            if other.action == "actions/upload-artifact" and _name(other) == _name(step):
                nodes.append(other.inputs.get("path", (ABSENT, ABSENT))[1])
    for node in nodes:
        for part in (node.text() or "").replace("\n", "/").split("/"):
            if part in _BUILT:
                return True
    return False
