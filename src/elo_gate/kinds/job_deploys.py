"""Turns a job's steps into what they deploy: platform, target, environment, and where it is written.

Which environment: what the command itself says (`--prod`, `-e production`), then the job's `environment`, then words in
the names of job and file, then what starts the pipeline. Where none of them tells it stays "".
"""

from __future__ import annotations

import re

from .job_environment import PRODUCTION, RELEASED, environment_of, of_action, settle
from .job_gates import elsewhere, run_script
from .jobs import Script, known, package_of, steps, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Node
    from .jobs import Call, Job, Step


_VERCEL_OTHER = frozenset(
    """build pull env login logout link list ls alias inspect logs rollback remove rm dev init teams switch whoami
    domains dns certs project git help telemetry curl cache bisect target integration blob api redirects
    guidance""".split()
)
_VERCEL_VALUED = (
    "--token", "-t", "--scope", "-S", "--cwd", "--target", "-b", "-e", "--env", "--build-env", "-m", "--meta",
    "--regions", "-A", "--local-config",
)  # fmt: skip
# program -> (platform, subcommands that deploy).
_PROGRAMS = {
    "railway": ("railway", ("up", "redeploy")),
    "fly": ("fly", ("deploy",)),
    "flyctl": ("fly", ("deploy",)),
    "netlify": ("netlify", ("deploy",)),
    "ntl": ("netlify", ("deploy",)),
    "wrangler": ("cloudflare", ("deploy", "publish", "pages deploy", "pages publish", "versions deploy")),
    "kubectl": ("kubernetes", ("apply", "replace", "set image", "rollout restart", "create")),
    "helm": ("kubernetes", ("upgrade", "install")),
    "helmfile": ("kubernetes", ("apply", "sync")),
    "skaffold": ("kubernetes", ("run", "deploy")),
    "firebase": ("firebase", ("deploy", "hosting:channel:deploy")),
    "serverless": ("aws", ("deploy",)),
    "sls": ("aws", ("deploy",)),
    "sst": ("aws", ("deploy",)),
    "cdk": ("aws", ("deploy",)),
    "sam": ("aws", ("deploy",)),
    "eb": ("aws", ("deploy",)),
    "heroku": ("heroku", ("container:release",)),
    "doctl": ("digitalocean", ("apps create-deployment", "apps update")),
    "render": ("render", ("deploys create",)),
    "aws": (
        "aws",
        ("ecs update-service", "ecs deploy", "apprunner start-deployment", "lambda update-function-code",
         "elasticbeanstalk update-environment", "deploy create-deployment", "amplify start-job"),
    ),
    "gcloud": (
        "gcloud",
        ("run deploy", "run services update", "run services replace", "app deploy", "functions deploy",
         "beta run deploy", "deploy releases create", "run services update-traffic"),
    ),
    "az": (
        "azure",
        ("containerapp update", "containerapp up", "webapp deploy", "webapp up", "webapp deployment",
         "functionapp deployment", "staticwebapp deploy"),
    ),
    "swa": ("azure", ("deploy",)),
}  # fmt: skip
# Flags that name the environment, and those that name what is deployed.
_ENVIRONMENT = ("-e", "--environment", "--env", "--stage", "--target", "--context")
_TARGET = ("-s", "--service", "-a", "--app", "--project", "--project-name", "--site", "-n", "--namespace", "--name")
_ACTIONS = {
    "superfly/flyctl-actions": "fly",
    "cloudflare/wrangler-action": "cloudflare",
    "cloudflare/pages-action": "cloudflare",
    "nwtgck/actions-netlify": "netlify",
    "aws-actions/amazon-ecs-deploy-task-definition": "aws",
    "aws-actions/aws-cloudformation-github-deploy": "aws",
    "einaregilsson/beanstalk-deploy": "aws",
    "google-github-actions/deploy-cloudrun": "gcloud",
    "google-github-actions/deploy-appengine": "gcloud",
    "google-github-actions/deploy-cloud-functions": "gcloud",
    "azure/webapps-deploy": "azure",
    "azure/container-apps-deploy-action": "azure",
    "azure/static-web-apps-deploy": "azure",
    "azure/functions-action": "azure",
    # Azure Pipelines' tasks.
    "azurewebapp": "azure",
    "azurewebappcontainer": "azure",
    "azurermwebappdeployment": "azure",
    "azurefunctionapp": "azure",
    "azurestaticwebapp": "azure",
    "azurecontainerapps": "azure",
    "kubernetesmanifest": "kubernetes",
    "helmdeploy": "kubernetes",
    "azure/k8s-deploy": "kubernetes",
    "helmfile/helmfile-action": "kubernetes",
    "deliverybot/helm": "kubernetes",
    "akhileshns/heroku-deploy": "heroku",
    "bervproject/railway-deploy": "railway",
    "firebaseextended/action-hosting-deploy": "firebase",
    "digitalocean/app_action/deploy": "digitalocean",
    "johnbeynon/render-deploy-action": "render",
    "jorgelnjunior/render-deploy": "render",
    "caprover/deploy-from-github": "caprover",
    "amondnet/vercel-action": "vercel",
    "betahuhn/deploy-to-vercel-action": "vercel",
}
_HOOKS = re.compile(
    r"https://api\.(?P<vercel>vercel)\.com/v1/integrations/deploy/|https://api\.(?P<render>render)\.com/deploy/"
)


class Deploy:
    """One deployment. `environment`: "production", another word, or "" when nobody can tell; `said` in words by what.

    `target` names what is deployed to (a service, a namespace, an application), "" when the command does not say;
    `place` is the command or the action as written; `call` the command, None for an action. `input`: the input of a
    called workflow by which its callers choose the environment, "" when nothing of the kind decides.
    """

    __slots__ = ("call", "environment", "input", "place", "platform", "said", "step", "target")

    def __init__(self, platform: str, place: Node, step: Step, call: Call | None, target: str = "") -> None:
        self.platform = platform
        self.place = place
        self.step = step
        self.call = call
        self.target = target
        self.environment = ""
        self.said = ""
        self.input = ""

    @property
    def production(self) -> bool:
        return self.environment == PRODUCTION


def of(job: Job) -> list[Deploy]:
    """The deployments of a job, in order."""
    found: list[Deploy] = []
    for step in steps(job):
        found.extend(_of_step(step, job))
    return found


def _of_step(step: Step, job: Job) -> Iterator[Deploy]:
    platform = _ACTIONS.get(step.action)
    if platform is not None:
        made = Deploy(platform, step.uses, step, None, _action_target(step))
        explicit = of_action(step)
        if explicit != "none":
            settle(made, explicit, "its inputs", job)
            yield made
        return
    local = not step.remote
    for call in step.calls:
        for each in _of_call(call, step, job, local, 0):
            settle(each, each.environment, each.said, job)
            yield each


def _of_call(call: Call, step: Step, job: Job, local: bool, depth: int) -> Iterator[Deploy]:
    program, texts = call.program, call.texts
    if program in ("vercel", "vc", "now"):
        yield from _vercel(call, step)
    elif program in ("ssh", "sh", "bash", "sshpass") and depth < 3:
        over = program in ("ssh", "sshpass")
        for word in call.args:
            if " " in word.text:
                for inner in Script(call.script.node, word.text).calls:
                    for each in _of_call(inner, step, job, local and not over, depth + 1):
                        each.place = call.at(word)
                        yield each
        if not over:
            yield from _inside(call, _file_of(call), step, job, local, depth)
    elif program in ("npm", "pnpm", "yarn", "bun") or call.head.text.startswith(("./", "scripts/")):
        yield from _inside(call, call.head.text, step, job, local, depth)
    elif program in ("docker", "docker-compose", "podman"):
        yield from _compose(call, step, local)
    elif program in _PROGRAMS:
        platform, commands = _PROGRAMS[program]
        plain = " ".join(
            word.text for word in call.plain(*_ENVIRONMENT, *_TARGET, "-f", "--kubeconfig", "--kube-context")
        )
        if any(plain == each or plain.startswith(each + " ") for each in commands) and not _dry(call):
            if program == "kubectl" and _bookkeeping(call, plain):
                return
            yield _with_words(Deploy(platform, call.place, step, call, _target(call)), call)
    elif program == "git" and texts[:1] == ["push"] and "heroku" in texts:
        yield Deploy("heroku", call.place, step, call)
    elif program == "curl" and (match := _HOOKS.search(call.script.text[call.words[0].start : call.words[-1].end])):
        yield Deploy("vercel" if match["vercel"] else "render", call.place, step, call)
    elif program == "elo-gate" and texts[:1] == ["deploy"]:
        made = Deploy(
            texts[1] if len(texts) > 1 and not texts[1].startswith("-") else "elo-gate", call.place, step, call
        )
        made.environment, made.said = PRODUCTION, "`elo-gate deploy`"
        yield made


def _file_of(call: Call) -> str:
    """The file that a shell is told to run, "" for none."""
    plain = call.plain("-o")
    return plain[0].text if plain and call.flag("-c") is None else ""


def _inside(call: Call, path: str, step: Step, job: Job, local: bool, depth: int) -> Iterator[Deploy]:
    """The deployments of a package.json script or a shell script of the repository that a call starts."""
    text = _text_of(call, path, job.pipeline.artifact) if local else None
    if text is None or depth > 2:
        return
    for inner in Script(call.script.node, text).calls:
        inner.folder = call.folder
        for each in _of_call(inner, step, job, local, depth + 1):
            each.place = call.place
            yield each


def _text_of(call: Call, path: str, artifact: Any) -> str | None:
    name = run_script(call)
    if name:
        package = package_of(artifact, call.folder) if not elsewhere(call) else None
        return package.script(name) if package is not None else None
    if artifact.project is None or call.folder is None or not path.endswith((".sh", ".bash")) or "$" in path:
        return None
    source = artifact.project.read(f"{call.folder}/{path.removeprefix('./')}".lstrip("/"))
    return source.text if source is not None else None


def _vercel(call: Call, step: Step) -> Iterator[Deploy]:
    plain = [word.text for word in call.plain(*_VERCEL_VALUED)]
    first = plain[0] if plain else ""
    if first in _VERCEL_OTHER or call.flag("--version", "-v", "--help", "-h") is not None:
        return
    made = Deploy("vercel", call.place, step, call)
    target = call.value("--target")
    if call.flag("--prod", "--production", "-p") is not None or first == "promote":
        made.environment, made.said = PRODUCTION, "`--prod`" if first != "promote" else "`promote`"
    elif target is not None:
        if known(target):
            made.environment = PRODUCTION if target.text == PRODUCTION else target.text
            made.said = "`--target`"
        else:
            made.said = "?"
    elif any("$" in word.text for word in call.args if word.text.startswith(("$", "${{"))):
        made.said = "?"  # an argument may be `--prod`
    else:
        made.environment, made.said = "preview", "no `--prod`"
    yield made


def _compose(call: Call, step: Step, local: bool) -> Iterator[Deploy]:
    """Compose on another machine; on the runner it starts what tests need."""
    plain = [
        word.text
        for word in call.plain(
            "-f", "--file", "-p", "--project-name", "--env-file", "--profile", "-H", "--context", "-c"
        )
    ]
    if call.program == "docker-compose":
        plain.insert(0, "compose")
    there = not local or any("DOCKER_HOST" in word.text for word in call.command.assignments)
    there = there or call.flag("-H", "--host", "--context") is not None or "DOCKER_HOST" in step.env
    there = there or "DOCKER_HOST" in (step.job.variables if step.job is not None else {})
    there = there or "DOCKER_CONTEXT" in step.env
    if plain[:2] == ["stack", "deploy"] or (there and plain[:1] == ["compose"] and "up" in plain[1:2]):
        yield Deploy("compose", call.place, step, call, plain[-1] if plain[:1] == ["stack"] else "")


def _dry(call: Call) -> bool:
    word = call.flag("--dry-run", "--dryrun", "--check", "--validate-only", "--diff")
    return word is not None and word.text not in ("--dry-run=none", "--dry-run=false")


def _bookkeeping(call: Call, plain: str) -> bool:
    """Objects around the application: namespaces, secrets, plain creates."""
    return plain.startswith("create") and not plain.startswith(("create deployment", "create -f"))


def _target(call: Call) -> str:
    names = ("-k", "--kustomize", *_TARGET) if call.program == "kubectl" else _TARGET
    for name in names:
        word = call.value(name)
        if word is not None and known(word):
            return word.text.removeprefix("./").rstrip("/")
    return ""


def _with_words(made: Deploy, call: Call) -> Deploy:
    """The environment that a command's own flags name."""
    for name in (
        *_ENVIRONMENT,
        "--cluster",
        "-n",
        "--namespace",
        "--kube-context",
        "-f",
        "--values",
        "-k",
        "--kustomize",
    ):
        word = call.value(name)
        if word is None:
            continue
        if not known(word) and name in _ENVIRONMENT:
            made.said = "?"
        elif (found := environment_of(word.text)) and known(word):
            made.environment, made.said = found, f"`{name}`"
            return made
    if made.platform == "netlify":
        made.environment = PRODUCTION if call.flag("--prod", "-p", "--prod-if-unlocked") is not None else "preview"
        made.said = "`--prod`" if made.production else "no `--prod`"
    elif made.platform == "firebase" and "hosting:channel:deploy" in call.texts:
        made.environment, made.said = "preview", "a channel"
    elif made.platform == "cloudflare" and call.value("--branch") is not None:
        branch = call.value("--branch")
        if branch is not None and known(branch):
            made.environment = PRODUCTION if branch.text in RELEASED else "preview"
        made.said = "`--branch`"
    return made


def _action_target(step: Step) -> str:
    for key in (
        "service",
        "app-name",
        "app_name",
        "app",
        "name",
        "projectName",
        "vercel-project-id",
        "heroku_app_name",
    ):
        pair = step.inputs.get(key)
        if pair is not None and text_of(pair[1]):
            return text_of(pair[1]) or ""
    return ""
