"""Judges how a pipeline releases: who may start it, what its token may do, what keeps two releases apart."""

from __future__ import annotations

from ..kinds import jobs as nouns
from ..kinds.jobs import text_of
from ..model import ERROR, NOTE, WARNING, Fault, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.job_deploys import Deploy
    from ..kinds.jobs import Job, Pipeline, Step
    from ..model import Artifact, Item

    Answer = Iterator[Fault | Undecided]


def without_environment(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a job that deploys to production and names no environment."""
    job: Job = it.facts["job"]
    if not job.environment:
        deploy: Deploy = it.facts["deploys"][0]
        certain = deploy.said.startswith("`") or file.project.elo
        severity = ERROR if certain else WARNING
        yield Fault(it, [(deploy.place, "deploys here")], severity=severity, job=job.id, platform=deploy.platform)


def without_concurrency(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a releasing workflow that lets two runs deploy at once, or cuts one off."""
    pipeline: Pipeline = it.facts["pipeline"]
    releases = _releasing(pipeline)
    if not releases or set(pipeline.triggers) == {"workflow_call"}:
        return
    open_ = [job for job, _ in releases if not job.concurrency and not pipeline.concurrency]
    if open_:
        yield Fault(it, [(open_[0].place, "deploys to production")], job=open_[0].id)
        return
    for job, _ in releases:
        setting = job.concurrency or pipeline.concurrency
        if setting.get("cancel-in-progress").boolean():
            yield Fault(setting.key("cancel-in-progress"), message="cancelled", job=job.id)
            return


def broad_permissions(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a releasing workflow that does not say what its token may do, or allows all."""
    pipeline: Pipeline = it.facts["pipeline"]
    if not _releasing(pipeline):
        return
    for setting in [pipeline.permissions, *(job.permissions for job in pipeline.jobs)]:
        if setting.text() == "write-all":
            yield Fault(setting, message="all", job="")
            return
    silent = [job for job in pipeline.jobs if not job.permissions]
    if not pipeline.permissions and silent:
        yield Fault(it, job=", ".join(job.id for job in silent))


def dispatch_any_branch(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a manual start that deploys whatever branch was picked to production."""
    pipeline: Pipeline = it.facts["pipeline"]
    key = pipeline.node.get("on").key("workflow_dispatch") or pipeline.triggers.get("workflow_dispatch")
    if not key:
        return
    for job, deploys in _releasing(pipeline):
        if _asks_ref(job) or any(_asks_ref(each) for each in needed(job)):
            continue
        if any("github.ref" in (deploy.step.condition.text() or "") for deploy in deploys if deploy.step.condition):
            continue
        if any(_checks_out_fixed(step) for step in job.steps):
            continue
        severity = NOTE if job.environment else WARNING
        message = "environment" if job.environment else "default"
        yield Fault(key, [(job.place, "deploys to production")], message, severity, job=job.id)
        return


def _asks_ref(job: Job) -> bool:
    text = (job.condition.text() or "") if job.condition else ""
    return "github.ref" in text or ("github.event_name" in text and "workflow_dispatch" not in text)


def _checks_out_fixed(step: Step) -> bool:
    """A checkout of a branch that is named in the file."""
    ref = step.inputs.get("ref")
    return step.action == "actions/checkout" and ref is not None and text_of(ref[1]) is not None


def needed(job: Job) -> list[Job]:
    """The jobs a job needs, all the way."""
    found: dict[Job, None] = {}
    stack = [job]
    while stack:
        for name, _ in stack.pop().needs:
            other = job.pipeline.job(name)
            if other is not None and other not in found and other is not job:
                found[other] = None
                stack.append(other)
    return list(found)


def no_timeout(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a note for a deploying job that may hang for GitHub's six hours."""
    job: Job = it.facts["job"]
    if not job.timeout and not all(step.node.get("timeout-minutes") for step in job.steps if step.scripts):
        yield Fault(it, job=job.id)


def _releasing(pipeline: Pipeline) -> list[tuple[Job, list[Deploy]]]:
    found = []
    for job in pipeline.jobs:
        deploys = [each for each in nouns.deploys(job) if each.production]
        if deploys:
            found.append((job, deploys))
    return found
