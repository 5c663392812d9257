"""Turns all pipelines of a tree into job graphs: what has run, and must have passed, before what is deployed.

A job runs after those it needs, those of the workflows it calls, those that stand before the job that calls its
workflow, and those of the run that starts it (`workflow_run`). Each way in which a job can be started is a Way.
"""

from __future__ import annotations

from ..kinds import jobs as nouns
from ..kinds import module_of
from ..kinds.job_environment import PRODUCTION, environment_of
from ..kinds.jobs import text_of
from ..model import ABSENT, Item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.job_deploys import Deploy
    from ..kinds.job_gates import Gate
    from ..kinds.jobs import Job, Pipeline

KINDS = ("workflow", "gitlab", "pipeline")
_DEPTH = 6


class Way:
    """One way in which a job gets started. `start` is the pipeline whose events start it, `by` the calling job.

    `before`: the jobs that must have passed, nearest first. `passed_over`: (job, job that runs though it failed, why).
    `open`: what runs before and cannot be read, in words.
    """

    __slots__ = ("before", "by", "open", "passed_over", "start")

    def __init__(self, start: Pipeline, by: Job | None = None) -> None:
        self.start = start
        self.by = by
        self.before: list[Job] = []
        self.passed_over: list[tuple[Job, Job, str]] = []
        self.open: list[str] = []

    def add(self, job: Job) -> None:
        if job not in self.before:
            self.before.append(job)


def of(project: Any) -> list[Pipeline]:
    """The judged pipelines of the tree, by kind and path; worked out once."""
    found: list[Pipeline] | None = project.facts.get("pipelines")
    if found is None:
        found = []
        for kind in KINDS:
            artifacts = [each for each in project.artifacts(kind) if each.state == "judged"]
            if artifacts:
                read = getattr(module_of(kind), "pipelines", None)
                if read is not None:
                    for artifact in artifacts:
                        found.extend(read(artifact))
        project.facts["pipelines"] = found
    return found


def ways(project: Any, job: Job) -> list[Way]:
    """Every way in which a job gets started; empty for one that nothing in the tree starts."""
    return list(_ways(project, job, 0))


def _ways(project: Any, job: Job, depth: int) -> Iterator[Way]:
    pipeline = job.pipeline
    if depth > _DEPTH:
        return
    events = set(pipeline.triggers)
    if events - {"workflow_call", "workflow_run"} or not events:
        way = Way(pipeline)
        _before(job, way, 0)
        yield way
    if "workflow_call" in events:
        for other in of(project):
            for caller in other.jobs:
                if caller.called is pipeline:
                    for outer in _ways(project, caller, depth + 1):
                        way = Way(outer.start, caller)
                        _before(job, way, 0)
                        for each in outer.before:
                            way.add(each)
                        way.passed_over += outer.passed_over
                        way.open += outer.open
                        yield way
    if "workflow_run" in events:
        yield _after_run(project, job)


def _after_run(project: Any, job: Job) -> Way:
    """The way through `workflow_run`: the other workflow's jobs passed only when a condition asks for that."""
    pipeline = job.pipeline
    way = Way(pipeline)
    _before(job, way, 0)
    asked = any("conclusion" in (each.condition.text() or "") for each in [job, *way.before])
    for node in nouns.listed(pipeline.triggers["workflow_run"].get("workflows")):
        name = text_of(node)
        others = [each for each in of(project) if name is not None and text_of(each.name) == name]
        if not others:
            way.open.append(f"the workflow '{name or 'of an unknown name'}'")
        for other in others:
            for each in other.jobs:
                for inner in [each, *(each.called.jobs if each.called is not None else ())]:
                    if asked:
                        way.add(inner)
                    else:
                        way.passed_over.append((inner, job, "`workflow_run` starts it after failed runs too"))
                if each.uses and each.called is None:
                    way.open.append(f"'{each.uses.text() or ''}'")
    return way


def _before(job: Job, way: Way, depth: int, lost: tuple[Job, str] | None = None) -> None:
    """Adds what a job needs, and what that needs. `lost`: a job behind runs though they fail, and why."""
    if depth > 40:
        return
    if job.ignores_needs:
        lost = lost or (job, job.ignores_needs)
    for name, _ in job.needs:
        other = job.pipeline.job(name)
        if other is None or other is job or other in way.before:
            continue
        for each in [other, *(_inside(other.called, 0) if other.called is not None else ())]:
            if lost is None:
                way.add(each)
            elif all(known is not each for known, _, _ in way.passed_over):
                way.passed_over.append((each, *lost))
        if other.uses and other.called is None:
            way.open.append(f"'{other.uses.text() or 'a called workflow'}'")
        _before(other, way, depth + 1, lost)


def _inside(pipeline: Pipeline, depth: int) -> Iterator[Job]:
    """The jobs of a called workflow, and of those it calls."""
    for job in pipeline.jobs:
        yield job
        if job.called is not None and depth < _DEPTH:
            yield from _inside(job.called, depth + 1)


def gates_before(job: Job, way: Way) -> list[Gate]:
    """The gates that must have passed on this way before the job deploys, those of the job itself included."""
    found: list[Gate] = []
    for each in [job, *way.before]:
        found.extend(nouns.gates(each))
    return found


def releases(project: Any) -> list[Item]:
    """Every job that deploys to production: facts `job`, `deploys`, `pipeline`, `ways`."""
    found: list[Item] | None = project.facts.get("releases")
    if found is None:
        found = []
        for pipeline in of(project):
            for job in pipeline.jobs:
                deploys = [each for each in nouns.deploys(job) if each.production]
                if deploys:
                    through = [way for way in ways(project, job) if _meant(way, deploys)]
                    facts = {"pipeline": pipeline, "job": job, "deploys": deploys, "ways": through}
                    found.append(Item(job.node, facts, job.place))
        project.facts["releases"] = found
    return found


def _meant(way: Way, deploys: list[Deploy]) -> bool:
    """Whether a way leads to production: of several callers only those that name it."""
    inputs = {deploy.input for deploy in deploys}
    if inputs == {""} or "" in inputs:
        return True
    return way.by is not None and any(
        environment_of(text_of(way.by.inputs.get(name)) or "") == PRODUCTION for name in inputs
    )


def items(project: Any) -> list[Item]:
    """Every pipeline, to be printed: facts `path`, `name`, `events`, `jobs` (`id`, `needs`, `gates`, `deploys`)."""
    found = []
    for pipeline in of(project):
        listed = []
        for job in pipeline.jobs:
            gates = [Item(each.place, {"name": each.name, "soft": each.soft}, each.place) for each in nouns.gates(job)]
            deploys = [
                Item(
                    each.place,
                    {
                        "platform": each.platform,
                        "target": each.target,
                        "environment": each.environment,
                        "by": each.said,
                    },
                    each.place,
                )
                for each in nouns.deploys(job)
            ]
            needs = [node for _, node in job.needs]
            facts = {"id": job.id, "needs": needs, "gates": gates, "deploys": deploys, "calls": job.uses or ABSENT}
            listed.append(Item(job.node, facts, job.place))
        facts = {
            "path": pipeline.path, "name": text_of(pipeline.name) or "", "events": list(pipeline.triggers),
            "jobs": listed, "pipeline": pipeline,
        }  # fmt: skip
        found.append(Item(pipeline.node, facts, pipeline.place))
    return found
