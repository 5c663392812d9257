"""Judges the gates before production: whether a release waits for each of them, and whether they can fail."""

from __future__ import annotations

from ..kinds import jobs as nouns
from ..kinds.jobs import GATES, TITLES
from ..model import ERROR, WARNING, Fault, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.job_gates import Gate
    from ..kinds.jobs import Job, Pipeline
    from ..model import Artifact, Item, Node
    from ..project.pipelines import Way

    Answer = Iterator[Fault | Undecided]


def ungated(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields one fault for a job that deploys to production without waiting for every gate of the standard."""
    from ..project import pipelines

    project = file.project
    job: Job = it.facts["job"]
    wanted = _wanted(project, job, params)
    worst: tuple[int, Fault] | None = None
    for way in it.facts["ways"]:
        found = pipelines.gates_before(job, way)
        names = {gate.name for gate in found}
        missing = [name for name in GATES if name in wanted and name not in names]
        if not missing:
            continue
        if "?" in names:
            yield Undecided("a script that cannot be read may run the missing gates", job.place)
            continue
        if way.open:
            yield Undecided(f"{way.open[0]} runs before it and stands elsewhere", job.place)
            continue
        rank, fault = _ungated(project, job, way, missing, wanted)
        if worst is None or rank > worst[0]:
            worst = (rank, fault)
    if worst is not None:
        yield worst[1]


def _wanted(project: Any, job: Job, params: dict[str, Any]) -> list[str]:
    """The gates asked for: type checks where there are types, coverage where the standard is declared."""
    wanted = list(params["gates"])
    package = nouns.package_of(job.pipeline.artifact, _folder(job))
    if package is not None and package.scripts_known:
        typed = package.has("typescript") and not _typed_build(job, package)
    else:
        typed = project.exists("tsconfig.json")
    if not typed and not project.elo and "types" in wanted:
        wanted.remove("types")
    if project.elo:
        wanted += [name for name in params["elo"] if name not in wanted]
    return wanted


def _typed_build(job: Job, package: Any) -> bool:
    """The build script checks types itself, wherever it runs: on the platform, in an image."""
    from ..kinds.job_gates import of_script

    return "types" in of_script("build", package, job.pipeline.artifact)


def _folder(job: Job) -> str:
    return next((step.folder for step in job.steps if step.folder is not None and step.scripts), "")


def _ungated(project: Any, job: Job, way: Way, missing: list[str], wanted: list[str]) -> tuple[int, Fault]:
    """(weight, fault) for the gates that one way to a deployment does not wait for."""
    from ..project import pipelines

    over = {gate.name: (gate, by, why) for each, by, why in way.passed_over for gate in nouns.gates(each)}
    beside: dict[str, Gate] = {}
    elsewhere: dict[str, Gate] = {}
    reviewed = True
    known = {id(each) for each in [job, *way.before]}
    for pipeline in pipelines.of(project):
        for other in pipeline.jobs:
            if id(other) in known:
                continue
            for gate in nouns.gates(other):
                if gate.name in missing and gate.name not in over:
                    if pipeline is job.pipeline or pipeline is way.start:
                        beside.setdefault(gate.name, gate)
                    else:
                        elsewhere.setdefault(gate.name, gate)
                        starts = _starts(project, pipeline)
                        reviewed = reviewed and bool(starts & {"pull_request", "merge_group", "merge_request"})
    words = ", ".join(TITLES[name] for name in missing)
    values = {"job": job.id, "missing": words}
    skipped = [name for name in missing if name in over]
    if skipped:
        gate, by, why = over[skipped[0]]
        related = [(over[name][0].place, TITLES[name]) for name in skipped]
        at = by.condition or by.place
        return 4, Fault(
            at,
            related,
            "passed-over",
            ERROR,
            **{**values, "by": by.id, "why": why.strip("`"), "gate": TITLES[skipped[0]]},
        )
    near = [name for name in missing if name in beside]
    if near:
        related = [(beside[name].place, f"{TITLES[name]} runs here, beside it") for name in near]
        at = job.node.get("needs") if job.needs else job.place
        severity = ERROR if "test" in near or len(near) == len(wanted) or project.elo else WARNING
        return 3, Fault(
            at if at else job.place,
            related,
            "beside",
            severity,
            **{**values, "beside": ", ".join(TITLES[name] for name in near)},
        )
    absent = [name for name in missing if name not in elsewhere]
    if absent:
        grave = project.elo or "test" in absent or len(absent) == len(wanted)
        related = [
            (gate.place, f"{TITLES[name]} runs here, and nothing waits for it") for name, gate in elsewhere.items()
        ]
        return 2, Fault(
            job.place,
            related,
            "default",
            ERROR if grave else WARNING,
            **{**values, "missing": ", ".join(TITLES[name] for name in absent)},
        )
    related = [(elsewhere[name].place, f"{TITLES[name]} runs here") for name in missing]
    severity = WARNING if reviewed else ERROR
    where = elsewhere[missing[0]].place.source.path
    return 1, Fault(job.place, related, "elsewhere", severity, **{**values, "file": where})


def _starts(project: Any, pipeline: Pipeline, depth: int = 0) -> set[str]:
    """The events that start a pipeline, those of its callers included."""
    from ..project import pipelines

    found = set(pipeline.triggers)
    if "workflow_call" in found and depth < 4:
        for other in pipelines.of(project):
            if any(job.called is pipeline for job in other.jobs):
                found |= _starts(project, other, depth + 1)
    return found


def may_fail(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for each gate before a production deployment whose failure passes unseen."""
    from ..project import pipelines

    job: Job = it.facts["job"]
    met: set[int] = set()
    for way in it.facts["ways"]:
        found = pipelines.gates_before(job, way)
        firm = {gate.name for gate in found if not gate.soft}
        for gate in found:
            if not gate.soft or gate.name in firm or gate.name not in params["gates"] or id(gate.step) in met:
                continue
            met.add(id(gate.step))
            at = _why_place(gate)
            why = gate.soft.strip("`") if gate.soft.startswith("`") else gate.soft
            yield Fault(
                at, [(job.place, "deploys to production")], gate=TITLES[gate.name], why=why.replace("`", ""), job=job.id
            )


def _why_place(gate: Gate) -> Node:
    step, job = gate.step, gate.step.job
    if job is not None and job.allow_failure:
        return job.node.key("continue-on-error") or job.node.key("allow_failure") or gate.place
    return (step.node.key("continue-on-error") if step.continue_on_error else gate.place) or gate.place
