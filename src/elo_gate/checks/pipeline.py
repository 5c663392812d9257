"""Answers what pipelines of GitLab and of the clouds run in, which secrets they show, and what runs after a failure."""

from __future__ import annotations

import re

from ..kinds.jobs import deploys, gates
from ..model import NOTE, SCALAR, WARNING, Fault, Item, Node, Undecided
from ..redact.formats import tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.jobs import Job, Pipeline
    from ..model import Artifact

    Answer = Iterator[Fault | Undecided]

_MAJOR_ONLY = re.compile(r"v?\d+(?:-[a-z][a-z0-9.]*)*$")
_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?")
_CHECKS = re.compile(r"CODEBUILD_BUILD_SUCCEEDING|\bexit\b")


def literal_secret(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a credential that stands in the pipeline's file."""
    if it.facts["literal"] and not _for_tests(it.node.text() or ""):
        yield Fault(it, name=it.facts["name"], store=_STORES[file.kind])


def _for_tests(value: str) -> bool:
    """A credential that only a database or a mock beside the tests knows: a short or a speaking one, a local host."""
    if tokens(value) and "://" not in value:
        return False
    if _TESTS.search(value):
        return True
    address = _HOST.search(value)
    if address is not None:
        host = address[1]
        return "." not in host or host.endswith((".local", ".internal", ".localhost")) or host[0].isdigit()
    return len(value) < 12 or not any(char.isdigit() for char in value) or not any(char.isalpha() for char in value)


_TESTS = re.compile(r"(?i)test|\bci\b|dummy|fake|mock|local|example|sample|placeholder|changeme|build[-_]?time")
_HOST = re.compile(r"://[^\s/]*@([^\s/:?]+)")
_STORES = {
    "workflow": "the secrets of the GitHub environment",
    "gitlab": "the project's CI/CD variables (masked, protected)",
    "pipeline": "the platform's secret store (a secret variable or a key vault, Secret Manager, Parameter Store)",
}


def problem(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for what the reader of YAML had to leave out."""
    if it.facts["code"] == "duplicate-key":
        yield Fault(it, key=it.node.value)
    else:
        yield Fault(it, message="other", problem=it.facts["message"].rstrip("."))


def after_failure(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a buildspec whose `post_build` deploys though `build` failed."""
    if it.facts["platform"] != "AWS CodeBuild":
        return
    for job in it.facts["pipeline"].jobs:
        phases = {step.id: step for step in job.steps}
        build, after = phases.get("build"), phases.get("post_build")
        if build is None or after is None or build.node.get("on-failure").text() == "ABORT":
            continue
        if any(_CHECKS.search(script.text) for script in after.scripts):
            continue
        found = [each for each in deploys(job) if each.step is after]
        pushed = [call for call in after.calls if call.program == "docker" and call.texts[:1] == ["push"]]
        failing = [each for each in gates(job) if each.step is build]
        at = found[0].place if found else pushed[0].place if pushed else None
        if at is not None and failing:
            yield Fault(at, [(failing[0].place, "when this fails")], what="deploys" if found else "pushes the image")


def unpinned_image(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for an image whose tag can be another tomorrow; a note where only its minor version can."""
    facts = it.facts
    text, tag = facts["text"], facts["tag"]
    if facts["runtime"] or facts["digest"] or any(_allowed(facts, pattern) for pattern in params["allow"]):
        return
    if isinstance(tag, Node):
        # GitLab's own variables name this project's registry and this commit: what they name was built here.
        if "$CI_" not in text and "${CI_" not in text:
            yield Undecided("a variable holds the image or its tag", it)
        return
    severity = NOTE if file.kind == "pipeline" or not _releases(it) else None
    if tag is None or tag == "latest":
        yield Fault(it, facts["uses"], "floating", severity, image=text, tag="latest")
    elif not any(character.isdigit() for character in tag):
        yield Fault(it, facts["uses"], "floating", severity, image=text, tag=tag)
    elif _MAJOR_ONLY.match(tag) and not facts["service"]:
        yield Fault(it, facts["uses"], "major", severity if file.project.elo else NOTE, image=text, tag=tag)


def _releases(it: Item) -> bool:
    """Whether the pipeline of an image deploys to production; one that only tests is less grave."""
    job: Job = it.facts["job"]
    return any(deploy.production for each in job.pipeline.jobs for deploy in deploys(each))


def _allowed(facts: dict[str, Any], pattern: str) -> bool:
    names = [each for each in (facts["repository"], facts["name"]) if isinstance(each, str)]
    if pattern.endswith("*"):
        return any(name.startswith(pattern[:-1]) for name in names)
    return pattern in names


def end_of_life(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for an image whose release line gets no fixes on the day of judgement.

    It stands at the variable that holds the version where one does: that is the line to edit.
    """
    table = file.project.table("end-of-life")
    name, tag = it.facts["name"], it.facts["tag"]
    product = table["images"].get(name) if isinstance(name, str) else None
    if product is None:
        return
    if isinstance(tag, Node):
        yield Undecided("a variable holds the tag", it)
        return
    found = _VERSION.match(tag or "")
    if found is None:
        return
    cycle = found[1]
    if table["cycles"].get(product) == "minor":
        if found[2] is None:
            return
        cycle += "." + found[2]
    day = next((line["eol"] for line in table["products"][product] if line["cycle"] == cycle), None)
    if day is None or day > file.project.as_of:
        return
    supported = [line["cycle"] for line in table["products"][product] if (line["eol"] or "9999") > file.project.as_of]
    origins = it.facts["origins"]
    at: Node | Item = origins[0] if len(origins) == 1 and origins[0].kind is SCALAR else it
    related = [*([(it.node, "this image gets it")] if at is not it else []), *it.facts["uses"]]
    yield Fault(
        at,
        related,
        severity=WARNING if it.facts["service"] or not _releases(it) else None,
        image=it.facts["text"],
        title=table["titles"].get(product, product),
        cycle=cycle,
        day=day,
        supported=", ".join(supported[-3:]) or "none known here",
    )


# -- two pipelines for one application

_OWN = (
    "CI",
    "GITHUB_",
    "GIT_",
    "FF_",
    "DOCKER_",
    "CACHE_",
    "SECURE_",
    "SAST_",
    "DS_",
    "npm_config_",
    "NPM_CONFIG_",
    "RUNNER_",
)


def variables_differ(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields one fault for the variables that a GitHub workflow gives its jobs and GitLab's jobs of the same work lack.

    GitLab may hold them in its settings: `[[provided]]` says so, and closes the list.
    """
    from ..project import pipelines

    mine: Pipeline = it.facts["pipeline"]
    if mine.artifact.kind != "gitlab" or mine.open:
        return
    provided = file.project.provided.get("gitlab")
    for work in ("test", "build", "deploy"):
        jobs = [job for job in mine.jobs if work in _work(job)]
        if not jobs:
            continue
        here = set(provided or ())
        for job in jobs:
            here.update(job.variables)
            here.update(name for step in job.steps for script in step.scripts for name in _NAME.findall(script.text))
        lacking: dict[str, Node] = {}
        for other in pipelines.of(file.project):
            if other.artifact.kind != "workflow":
                continue
            for job in other.jobs:
                if work in _work(job):
                    for name, node in _given(job, work).items():
                        if name not in here and not name.startswith(_OWN):
                            lacking.setdefault(name, node)
        if lacking:
            yield Fault(
                jobs[0].place,
                [(node, f"{name} is given here") for name, node in lacking.items()],
                severity=WARNING if provided is not None else None,
                job=jobs[0].id,
                names=", ".join(lacking),
                work=_WORK[work],
            )


_NAME = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_WORK = {"test": "tests", "build": "build", "deploy": "deployment"}


def _work(job: Job) -> set[str]:
    """What a job is for: `test`, `build`, `deploy` (to production)."""
    found = {gate.name for gate in gates(job)} & {"test", "build"}
    if any(deploy.production for deploy in deploys(job)):
        found = {"deploy"}
    return found


def _given(job: Job, work: str) -> dict[str, Node]:
    """The variables of a job and of those of its steps that do the work."""
    found = {name: key for name, (key, _) in job.variables.items()}
    steps = [gate.step for gate in gates(job) if gate.name == work]
    steps += [deploy.step for deploy in deploys(job)] if work == "deploy" else []
    for step in steps:
        found.update({name: key for name, (key, _) in step.env.items()})
    if work != "deploy":
        # The platform's own names are for the deployment, wherever the workflow writes them.
        found = {name: key for name, key in found.items() if not name.startswith(("VERCEL_", "RAILWAY_"))}
    return found
