"""Judges several pipelines of a tree beside each other: two that deploy the same thing, gates that only one has."""

from __future__ import annotations

from ..kinds import jobs as nouns
from ..kinds.jobs import TITLES, text_of
from ..model import ABSENT, Fault, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.job_deploys import Deploy
    from ..kinds.jobs import Job
    from ..model import Artifact, Item

_IDS = {"vercel": "VERCEL_PROJECT_ID", "netlify": "NETLIFY_SITE_ID", "railway": "RAILWAY_PROJECT_ID", "fly": "FLY_APP"}
_EVENTS = frozenset(("push", "release", "schedule", "workflow_run"))


def duplicate(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a deployment that another pipeline makes too, for the same target."""
    from ..project import pipelines

    job: Job = it.facts["job"]
    for other in pipelines.releases(file.project):
        if other is it:
            return
        rival: Job = other.facts["job"]
        if rival.pipeline is job.pipeline or not _both_start(job, rival):
            continue
        for mine in it.facts["deploys"]:
            for theirs in other.facts["deploys"]:
                if _same(mine, job, theirs, rival):
                    yield Fault(
                        mine.place, [(theirs.place, "deploys it too")], platform=mine.platform, file=rival.pipeline.path
                    )
                    return


def _both_start(one: Job, two: Job) -> bool:
    """Both run for the release branch, by themselves or at a click of GitLab's."""
    for job in (one, two):
        if job.pipeline.artifact.kind == "workflow" and not _EVENTS & set(job.pipeline.triggers):
            return False
    if one.branches is not None and two.branches is not None:
        return bool(set(one.branches) & set(two.branches))
    return True


def _same(mine: Deploy, job: Job, theirs: Deploy, rival: Job) -> bool:
    """The same platform and, as far as both say, the same target."""
    if mine.platform != theirs.platform:
        return False
    if mine.platform in ("kubernetes", "compose", "aws", "gcloud", "azure", "cloudflare"):
        return bool(mine.target) and mine.target == theirs.target
    if mine.target and theirs.target and mine.target != theirs.target:
        return False
    one, two = _id(mine, job), _id(theirs, rival)
    if one and two and job.pipeline.artifact.kind == rival.pipeline.artifact.kind:
        return (one.text() or "") == (two.text() or "")
    if one and two and text_of(one) and text_of(two) and "$" not in (one.text() or "") + (two.text() or ""):
        return one.text() == two.text()
    return mine.step.folder == theirs.step.folder


def _id(deploy: Deploy, job: Job) -> Node:
    """The value of the variable that names a platform's project."""
    name = _IDS.get(deploy.platform, "")
    for variables in (deploy.step.env, job.variables):
        if name in variables:
            return variables[name][1]
    return ABSENT


def other_project(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a deployment to another project than the one that an earlier pipeline deploys to."""
    from ..project import pipelines

    job: Job = it.facts["job"]
    named = [mine for mine in it.facts["deploys"] if _id(mine, job)]
    for other in pipelines.releases(file.project) if named else ():
        if other is it:
            return
        rival: Job = other.facts["job"]
        for mine in named:
            for theirs in other.facts["deploys"]:
                if mine.platform != theirs.platform or mine.step.folder != theirs.step.folder:
                    continue
                one, two = _id(mine, job), _id(theirs, rival)
                if not (one and two and text_of(one) and text_of(two)):
                    continue
                if "$" not in f"{one.text()}{two.text()}" and one.text() != two.text():
                    yield Fault(one, [(two, "the other project")], platform=mine.platform, file=rival.pipeline.path)
                    return


def gates_differ(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a release that waits for fewer gates than the release of another kind of pipeline."""
    from ..project import pipelines

    job: Job = it.facts["job"]
    mine = _passed(it)
    if mine is None:
        return
    for other in pipelines.releases(file.project):
        rival: Job = other.facts["job"]
        if rival.pipeline.artifact.kind == job.pipeline.artifact.kind:
            continue
        theirs = _passed(other)
        if theirs is None or not _platforms(it) & _platforms(other):
            continue
        missing = [name for name in nouns.GATES if name in theirs and name not in mine and name != "audit"]
        if missing:
            words = ", ".join(TITLES[name] for name in missing)
            yield Fault(it, [(theirs[missing[0]], "runs there")], missing=words, file=rival.pipeline.path, job=job.id)
            return


def _platforms(it: Item) -> set[str]:
    return {deploy.platform for deploy in it.facts["deploys"]}


def _passed(it: Item) -> dict[str, Node] | None:
    """The gates that every way to a release waits for, with their places; None when that cannot be known."""
    from ..project import pipelines

    found: dict[str, Node] | None = None
    for way in it.facts["ways"]:
        gates = pipelines.gates_before(it.facts["job"], way)
        if way.open or any(gate.name == "?" for gate in gates):
            return None
        names = {gate.name: gate.place for gate in gates}
        found = names if found is None else {name: place for name, place in found.items() if name in names}
    return found
