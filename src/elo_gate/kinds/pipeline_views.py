"""Turns a pipeline into the items that rules look at, alike for every platform.

| view | an item for | facts |
|---|---|---|
| jobs | each job | `job`, `name` |
| steps | each step, those of a composite action left to the action's own file | `job`, `step` |
| actions | each step that uses an action | `job`, `step`, `action`, `ref` |
| calls | each program a script starts | `job`, `step`, `call` |
| deploys | each deployment, whatever its environment | `job`, `step`, `deploy`, `platform`, `environment` |
| production | each job that deploys to production | `job`, `deploys` (those to production) |

`pipeline` is a fact of each. The objects are those of kinds/jobs.py, for checks; the texts are for expressions.
"""

from __future__ import annotations

from ..model import Item
from . import jobs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .jobs import Pipeline


def each_job(pipeline: Pipeline) -> list[Item]:
    return [Item(job.node, {"pipeline": pipeline, "job": job, "name": job.id}, job.place) for job in pipeline.jobs]


def each_step(pipeline: Pipeline) -> list[Item]:
    return [
        Item(step.node, {"pipeline": pipeline, "job": job, "step": step}, step.place)
        for job in pipeline.jobs
        for step in job.steps
    ]


def each_action(pipeline: Pipeline) -> list[Item]:
    found = []
    for job in pipeline.jobs:
        for step in job.steps:
            if step.uses:
                ref = (step.uses.text() or "").partition("@")[2]
                facts = {"pipeline": pipeline, "job": job, "step": step, "action": step.action, "ref": ref}
                found.append(Item(step.node, facts, step.uses))
    return found


def each_call(pipeline: Pipeline) -> list[Item]:
    return [
        Item(call.script.node, {"pipeline": pipeline, "job": job, "step": step, "call": call}, call.script.node)
        for job in pipeline.jobs
        for step in job.steps
        for call in step.calls
    ]


def each_deploy(pipeline: Pipeline) -> list[Item]:
    found = []
    for job in pipeline.jobs:
        for deploy in jobs.deploys(job):
            facts = {
                "pipeline": pipeline, "job": job, "step": deploy.step, "deploy": deploy,
                "platform": deploy.platform, "environment": deploy.environment,
            }  # fmt: skip
            found.append(Item(job.node, facts, deploy.place))
    return found


def each_production(pipeline: Pipeline) -> list[Item]:
    found = []
    for job in pipeline.jobs:
        deploys = [deploy for deploy in jobs.deploys(job) if deploy.production]
        if deploys:
            found.append(Item(job.node, {"pipeline": pipeline, "job": job, "deploys": deploys}, job.place))
    return found


VIEWS: dict[str, Callable[[Pipeline], list[Item]]] = {
    "jobs": each_job,
    "steps": each_step,
    "actions": each_action,
    "calls": each_call,
    "deploys": each_deploy,
    "production": each_production,
}
