"""Turns a CodeBuild buildspec into one job whose steps are its phases.

A phase `post_build` runs after a failed `build` too, unless `on-failure: ABORT` stops it: the step of a phase before
it is then marked so that its failure does not count. Source, looked up 2026-11-25:
docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html, view-build-details-phases.html.
"""

from __future__ import annotations

from ..model import MAP, SCALAR, Node
from .jobs import Job, Script, Step, listed, pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .jobs import Pipeline

PHASES = ("install", "pre_build", "build", "post_build")


def fill(made: Pipeline, root: Node) -> None:
    """Adds the job of a buildspec."""
    phases = root.get("phases")
    if phases.kind is not MAP:
        return
    job = Job(made, root.key("phases"), root)
    job.id = "build"
    made.variables = job.variables = pairs(root.get("env", "variables"))
    job.inputs = Node(MAP, [], root.source, root.start, root.end)
    for name in PHASES:
        phase = phases.get(name)
        if phase.kind is not MAP:
            continue
        if phase.get("runtime-versions").kind is MAP:
            job.inputs = phase.get("runtime-versions")
        step = Step(job, phases.key(name), phase)
        step.id = name
        step.folder = None if _moves(phase) else ""
        step.scripts = [Script(each) for each in listed(phase.get("commands")) if each.kind is SCALAR]
        step.continue_on_error = phase.get("on-failure").text() == "CONTINUE"
        job.steps.append(step)
    made.jobs.append(job)


def _moves(phase: Node) -> bool:
    """A command without text: what it does to the working directory is not known."""
    return any(each.kind is not SCALAR for each in phase.get("commands").elements())
