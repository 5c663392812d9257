"""Judges what watches over a release: the question whether it answers, the message, the migrations, the audit."""

from __future__ import annotations

import re

from ..kinds import jobs as nouns
from ..kinds.jobs import text_of
from ..model import Fault, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.job_deploys import Deploy
    from ..kinds.jobs import Call, Job, Pipeline, Step
    from ..model import Artifact, Item, Node

    Answer = Iterator[Fault | Undecided]

_NOTIFIERS = re.compile(
    r"slack|discord|teams|telegram|pagerduty|opsgenie|mail|google-chat|mattermost|rocket\.?chat|notif|pushover|ntfy",
    re.I,
)
_WATCHERS = frozenset(
    (
        "wget",
        "http",
        "https",
        "xh",
        "wait-on",
        "k6",
        "playwright",
        "cypress",
        "newman",
        "artillery",
        "hurl",
        "lhci",
        "lighthouse",
        "vegeta",
        "hey",
    )
)
_WATCHES = re.compile(r"smoke|health|verif|validat|e2e|check|probe|ready|uptime|ping|wait", re.I)
_MIGRATES = re.compile(
    r"migrate|migration|drizzle-kit\s+push|db:push|db\s+push|flyway|liquibase|alembic|knex\b|typeorm\b", re.I
)
# Platforms that ask a service for its health themselves before traffic moves.
_SELF_CHECKED = frozenset(("railway", "render", "fly", "gcloud", "elo-gate", "github-pages"))


def no_health_check(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a production deployment after which nothing asks whether the application answers."""
    job: Job = it.facts["job"]
    deploy: Deploy = it.facts["deploys"][-1]
    if deploy.platform in _SELF_CHECKED or _waits(deploy):
        return
    after = _after(file.project, job, deploy)
    if any(_watches(step) for step in after):
        return
    unknown = next((each for each in _followers(job) if each.uses and each.called is None), None)
    if unknown is not None:
        yield Undecided(f"'{unknown.uses.text() or ''}' runs after it and stands elsewhere", unknown.place)
        return
    if any("deployment_status" in each.triggers for each in _all(file.project)):
        return
    yield Fault(deploy.place, job=job.id, platform=deploy.platform)


def _all(project: Any) -> list[Pipeline]:
    from ..project import pipelines

    return pipelines.of(project)


def _after(project: Any, job: Job, deploy: Deploy) -> Iterator[Step]:
    """The steps that run after a deployment: its own and those behind it, those of later jobs, of runs it starts."""
    listed = list(nouns.steps(job))
    yield from listed[listed.index(deploy.step) :] if deploy.step in listed else ()
    for other in _followers(job):
        yield from nouns.steps(other)
        if other.called is not None:
            for each in other.called.jobs:
                yield from nouns.steps(each)
    name = text_of(job.pipeline.name)
    started, callers = _links(project)
    for pipeline in started.get(name, ()) if name else ():
        for each in pipeline.jobs:
            yield from nouns.steps(each)
    for caller in callers.get(job.pipeline, ()):
        for follower in _followers(caller):
            yield from nouns.steps(follower)


def _links(project: Any) -> tuple[dict[str, list[Pipeline]], dict[Pipeline, list[Job]]]:
    """A workflow's name -> those that its end starts; a pipeline -> the jobs that call it. Worked out once."""
    found: tuple[dict[str, list[Pipeline]], dict[Pipeline, list[Job]]] | None = project.facts.get("pipeline links")
    if found is None:
        started: dict[str, list[Pipeline]] = {}
        callers: dict[Pipeline, list[Job]] = {}
        found = project.facts["pipeline links"] = started, callers
        for pipeline in _all(project):
            run = pipeline.triggers.get("workflow_run")
            listed = nouns.listed(run.get("workflows")) if run is not None else ()
            for name in {text for node in listed if (text := text_of(node))}:
                started.setdefault(name, []).append(pipeline)
            for caller in pipeline.jobs:
                if caller.called is not None:
                    callers.setdefault(caller.called, []).append(caller)
    return found


def _followers(job: Job) -> list[Job]:
    """The jobs that need a job, all the way."""
    behind: dict[Job, list[Job]] = {}
    for other in job.pipeline.jobs:
        for name, _ in other.needs:
            before = job.pipeline.job(name)
            if before is not None:
                behind.setdefault(before, []).append(other)
    found = {job}
    stack = [job]
    while stack:
        for other in behind.get(stack.pop(), ()):
            if other not in found:
                found.add(other)
                stack.append(other)
    return [other for other in job.pipeline.jobs if other is not job and other in found]


def _waits(deploy: Deploy) -> bool:
    """A deployment that itself waits until what it starts is ready."""
    if deploy.call is not None:
        return deploy.call.flag("--wait", "--atomic", "--wait-for-jobs", "--rollback-on-failure") is not None
    wait = deploy.step.inputs.get("wait-for-service-stability")
    return wait is not None and wait[1].boolean() is True


def _watches(step: Step) -> bool:
    if (
        "url-health" in step.action
        or "wait-for" in step.action
        or "http-request" in step.action
        or "lighthouse" in step.action
    ):
        return True
    if _WATCHES.search(step.action.partition("/")[2]) and not step.action.startswith("actions/"):
        return True
    return any(_call_watches(call) for call in step.calls)


def _call_watches(call: Call) -> bool:
    from ..kinds.job_gates import run_script

    texts = call.texts
    words = " ".join(texts)
    if call.program == "curl":
        # Neither an installer nor a message to people.
        piped = call.after is not None and call.piped and call.after.program in ("sh", "bash", "tar", "gpg", "apt-key")
        return (
            not piped
            and not _NOTIFIERS.search(words)
            and not re.search(r"webhook|sentry|-X\s*POST|--data", words, re.I)
        )
    if call.program == "kubectl":
        return texts[:2] == ["rollout", "status"] or texts[:1] == ["wait"]
    if call.program == "argocd":
        return texts[:2] == ["app", "wait"]
    if call.program == "aws":
        return "wait" in texts[:2]
    if call.program in _WATCHERS:
        return True
    script = run_script(call)
    if script:
        return _WATCHES.search(script) is not None
    if call.program in ("bash", "sh", "node", "python", "python3", "tsx", "make", "pytest", "elo-gate"):
        return _WATCHES.search(words) is not None
    return call.head.text.startswith(("./", "scripts/")) and _WATCHES.search(call.head.text) is not None


def no_notification(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a production deployment whose outcome no step tells anybody."""
    job: Job = it.facts["job"]
    deploy: Deploy = it.facts["deploys"][-1]
    for step in [*nouns.steps(job), *_after(file.project, job, deploy)]:
        if _notifies(step):
            return
    unknown = next((each for each in _followers(job) if each.uses and each.called is None), None)
    if unknown is not None:
        yield Undecided(f"'{unknown.uses.text() or ''}' runs after it and stands elsewhere", unknown.place)
        return
    yield Fault(it, job=job.id)


def _notifies(step: Step) -> bool:
    if _NOTIFIERS.search(step.action) or (step.action and _NOTIFIERS.search(text_of(step.name) or "")):
        return True
    for call in step.calls:
        words = " ".join([call.program, *call.texts])
        if _NOTIFIERS.search(words) or (call.program == "curl" and "webhook" in words.lower()):
            return True
        if call.program == "gh" and call.texts[:1] in (["issue"], ["pr"]) and bool(call.texts[1:2]):
            return True
    return any(_NOTIFIERS.search(name) for name in step.env)


def migrations_not_run(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a production deployment of a repository whose migrations nothing applies."""
    project = file.project
    job: Job = it.facts["job"]
    place = _migrations(project, job)
    if place is None:
        return
    for pipeline in _all(project):
        for other in pipeline.jobs:
            for step in nouns.steps(other):
                if any(_MIGRATES.search(" ".join([call.program, *call.texts])) for call in step.calls):
                    return
            if other.uses and other.called is None and _MIGRATES.search(other.id + (other.uses.text() or "")):
                return
    for artifact in project.all():
        if artifact.kind in (
            "dockerfile",
            "compose",
            "k8s",
            "railway",
            "vercel",
            "script",
            "cloud",
        ) and _MIGRATES.search(artifact.source.text):
            return
    package = nouns.package_of(job.pipeline.artifact, "")
    if package is not None:
        texts = [value.text() or "" for _, value in package.root.get("scripts").items()]
        builds = [
            package.script(name) or ""
            for name in ("build", "vercel-build", "start", "prebuild", "postbuild", "prestart", "postinstall")
        ]
        if any(_MIGRATES.search(text) for text in builds) or not package.scripts_known:
            return
        if any("migrat" in text for text in texts) and any(
            step.uses for step in job.steps if step.action.startswith((".", "$/"))
        ):
            return
    deploy: Deploy = it.facts["deploys"][0]
    if any(gate.name == "?" for gate in nouns.gates(job)):
        yield Undecided("a script that cannot be read may apply the migrations", deploy.place)
        return
    yield Fault(deploy.place, folder=place[0], tool=place[1], count=place[2], job=job.id)


def _migrations(project: Any, job: Job) -> tuple[str, str, int] | None:
    """(folder, command that applies them, how many) of Prisma's or Drizzle's migrations at the root."""
    names = [name for name in project.names("prisma/migrations") if name.endswith("/")]
    if names:
        return "prisma/migrations", "npx prisma migrate deploy", len(names)
    for folder in ("drizzle", "migrations", "src/db/migrations"):
        if project.exists(f"{folder}/meta/_journal.json"):
            found = [name for name in project.names(folder) if name.endswith(".sql")]
            if found:
                return folder, "npx drizzle-kit migrate", len(found)
    return None


def no_audit(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields one fault for a tree that releases and whose pipelines never look for known vulnerabilities."""
    project = file.project
    if _firsts(project) is not it:
        return
    for pipeline in _all(project):
        for job in pipeline.jobs:
            if any(gate.name == "audit" for gate in nouns.gates(job)):
                return
    for path in (
        ".github/dependabot.yml",
        ".github/dependabot.yaml",
        "renovate.json",
        ".github/renovate.json",
        "renovate.json5",
        ".renovaterc",
        ".renovaterc.json",
        ".github/renovate.json5",
    ):
        if project.exists(path):
            return
    yield Fault(it, job=it.facts["job"].id)


def _firsts(project: Any) -> Item | None:
    from ..project import pipelines

    found = pipelines.releases(project)
    return found[0] if found else None


def status_of_another(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for `job.status` in a job that only reports: it is the status of that job itself."""
    job: Job = it.facts["job"]
    if not job.needs or nouns.deploys(job) or nouns.gates(job):
        return
    reporting = [step for step in job.steps if _notifies(step)]
    others = [step for step in job.steps if step not in reporting and step.action != "actions/checkout"]
    if any(step.scripts for step in others):
        return
    for step in reporting:
        for node in [value for _, value in [*step.inputs.values(), *step.env.values()]] + [
            each.node for each in step.scripts
        ]:
            text = node.text() or ""
            if "job.status" in text and "needs." not in _step_text(step):
                start = node.source.text.find("job.status", node.start, node.end)
                at = node if start < 0 else _piece(node, start, "job.status")
                yield Fault(
                    at,
                    [(node_, "the job it should report") for _, node_ in job.needs],
                    job=job.id,
                    needed=job.needs[0][0],
                )
                return


def _piece(node: Node, start: int, text: str) -> Node:
    from ..model import SCALAR, Node

    return Node(SCALAR, text, node.source, start, start + len(text), "'")


def _step_text(step: Step) -> str:
    return step.node.source.text[step.node.start : step.node.end]
