"""Turns a deployment, its job and what starts it into the environment it goes to.

What the command or the action says counts first, then the job's `environment` (through the inputs of a called workflow,
where its callers give them), then words in the names of job and file, then what starts the pipeline.
"""

from __future__ import annotations

import re

from .jobs import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .job_deploys import Deploy
    from .jobs import Job, Step

PRODUCTION = "production"
_WORDS = {
    "production": PRODUCTION, "prod": PRODUCTION, "prd": PRODUCTION, "live": PRODUCTION, "produccion": PRODUCTION,
    "producao": PRODUCTION,
    "staging": "staging", "stage": "staging", "stg": "staging", "preview": "preview", "previews": "preview",
    "pr": "preview", "review": "preview", "dev": "development", "development": "development", "test": "test",
    "qa": "staging", "uat": "staging", "canary": "staging", "sandbox": "staging", "demo": "staging",
    "preprod": "staging", "e2e": "test", "smoke": "test", "nightly": "staging",
}  # fmt: skip
RELEASED = frozenset(("main", "master", "production", "prod", "release", "live", "trunk"))


def environment_of(text: str) -> str:
    """The environment that a name's words say, "" for none; anything else wins over production."""
    found = ""
    for word in re.split(r"[\s/._-]+", text.lower()):
        said = _WORDS.get(word, "")
        if said and said != PRODUCTION:
            return said
        found = found or said
    return found


def settle(made: Deploy, explicit: str, said: str, job: Job) -> None:
    """Fills in the environment from the job and what starts it, where the command does not say."""
    if explicit and explicit != "?":
        made.environment, made.said = explicit, said
        return
    doubtful = explicit == "?" or said == "?"
    made.environment, made.said = ("", "an expression") if doubtful else _of_job(job)
    if made.said == "an expression" and (name := _input(job)):
        values = {environment_of(text) for text in given(job, name)}
        if PRODUCTION in values:
            made.environment, made.said, made.input = PRODUCTION, "an input of the caller", name


def of_action(step: Step) -> str:
    """What an action's inputs say: an environment, "" for nothing, "?" for unknown, "none" when it does not deploy."""
    name = step.action

    def given(key: str) -> str | None:
        pair = next((pair for each, pair in step.inputs.items() if each.lower() == key), None)
        return None if pair is None else (text_of(pair[1]) if pair[1].text() is not None else None) or "?"

    if name == "amondnet/vercel-action":
        arguments = given("vercel-args")
        return (
            "preview"
            if arguments is None
            else "?"
            if arguments == "?"
            else PRODUCTION
            if "--prod" in arguments
            else "preview"
        )
    if name == "betahuhn/deploy-to-vercel-action":
        return {"false": "preview", "?": "?"}.get(given("production") or "", "")
    if name in ("superfly/flyctl-actions", "cloudflare/wrangler-action"):
        arguments = given("args") or given("command") or ""
        if (
            arguments != "?"
            and name.endswith("wrangler-action")
            and arguments
            and "deploy" not in arguments
            and "publish" not in arguments
        ):
            return "none"
        if "deploy" not in arguments and name.endswith("flyctl-actions"):
            return "none"
        return environment_of(given("environment") or "")
    if name == "nwtgck/actions-netlify":
        return PRODUCTION if given("production-deploy") == "true" else ""
    if name == "firebaseextended/action-hosting-deploy":
        return PRODUCTION if given("channelid") == "live" else "preview"
    for key in ("environment", "environment-name", "slot-name", "namespace", "stage", "branch"):
        value = given(key)
        if value:
            return "?" if value == "?" else environment_of(value)
    return ""


def _of_job(job: Job) -> tuple[str, str]:
    """(environment, by what) of what a job deploys, by the job itself."""
    declared = job.environment.get("name") if job.environment.kind == "map" else job.environment
    if declared:
        name = text_of(declared)
        if name is None:
            return "", "an expression"
        found = environment_of(name)
        if found:
            return found, "the job's environment"
    names = [job.id, text_of(job.name) or ""]
    for name in names:
        found = environment_of(name)
        if found:
            return found, "the job's name"
    pipeline = job.pipeline
    for name in (pipeline.path.rpartition("/")[2], text_of(pipeline.name) or ""):
        found = environment_of(name)
        if found:
            return found, "the pipeline's name"
    return _of_triggers(job)


def _of_triggers(job: Job) -> tuple[str, str]:
    """Production when only releases start it: a push to the main branch, a release, a version tag."""
    if job.branches is not None:
        if job.branches and all(branch in RELEASED for branch in job.branches):
            return PRODUCTION, "the branch it runs for"
        return "", "the branches it runs for"
    triggers = job.pipeline.triggers
    said = ""
    for event, node in triggers.items():
        if event == "push":
            branches = [each.text() or "" for each in (node.get("branches").elements() or [node.get("branches")])]
            tags = node.get("tags")
            if not tags and (not any(branches) or not all(branch in RELEASED for branch in branches)):
                return "", "the branches that start it"
            said = said or "the branch that starts it"
        elif event == "release":
            said = said or "a release starts it"
        elif event not in ("workflow_dispatch", "workflow_run"):
            return "", "what starts it"
    return (PRODUCTION, said) if said else ("", "nothing says")


def _input(job: Job) -> str:
    """The input of a called workflow that a job's environment is, "" when it is something else."""
    declared = job.environment.get("name") if job.environment.kind == "map" else job.environment
    match = re.fullmatch(r"\$\{\{\s*(?:github\.event\.)?inputs\.([\w-]+)\s*\}\}", (declared.text() or "").strip())
    return match.group(1) if match is not None else ""


def given(job: Job, name: str) -> list[str]:
    """What the callers of a job's workflow in the repository give to one of its inputs."""
    project = job.pipeline.artifact.project
    if project is None or "workflow_call" not in job.pipeline.triggers:
        return []
    from .workflow import pipeline

    found = []
    for artifact in project.artifacts("workflow"):
        for caller in pipeline(artifact).jobs:
            if caller.called is job.pipeline and (text := text_of(caller.inputs.get(name))):
                found.append(text)
    return found
