"""Turns a GitHub workflow into a pipeline of jobs and steps, as GitHub reads it.

Composite actions and called workflows of the repository are resolved, one level; others stay unknown. A value of a type
that GitHub refuses is a problem at its place, the rest is read. Source, looked up 2026-11-25:
docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

import re

from ..model import ABSENT, MAP, SCALAR, SEQ, Item, Node, Problem
from .jobs import Job, Pipeline, Script, Step, listed, pairs, text_of
from .pipeline_views import VIEWS as _VIEWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..model import Artifact

# Actions that run their input `script` in a shell of another machine.
_SSH = frozenset(
    ("appleboy/ssh-action", "fifsky/ssh-action", "garygrossgarten/github-action-ssh", "cross-the-world/ssh-pipeline")
)
# What makes a step do something; the last five came with parallel steps in June 2026.
_DOES = ("uses", "run", "parallel", "wait", "wait-all", "cancel", "background")
# The checkout, and the repository at the commit that runs
# (https://github.blog/changelog/2026-07-30-reference-same-repository-actions-with-self-repository-syntax/,
# looked up 2026-11-25).
_OF_THIS = ("./", "$/")
_NO_SHELL = ("python", "pwsh", "powershell", "cmd", "node")
_REF = re.compile(r"github\.ref(?:_name)?\s*==\s*'(?:refs/(?:heads|tags)/)?([^']+)'")
_TAG = re.compile(
    r"startsWith\(\s*github\.ref\s*,\s*'refs/tags/|github\.event_name\s*==\s*'release'|github\.ref_type\s*==\s*'tag'"
)
_FAILS = re.compile(r"\b(always|failure)\s*\(\s*\)|!\s*cancelled\s*\(\s*\)")
_CHECKED = re.compile(r"\bsuccess\s*\(\s*\)|\.(?:result|conclusion|outcome)\s*(?:==|!=)|contains\s*\(\s*needs\.")


def looks_like(path: str, text: str) -> bool:
    """GitHub and its kin read workflows in a folder at the top of the repository, and nowhere else."""
    return path.startswith((".github/", ".gitea/", ".forgejo/"))


def load(artifact: Artifact) -> None:
    """Sets the tree, and the problems of YAML and of the shape."""
    from ..syntax import yaml

    documents, artifact.problems = yaml.parse(artifact.source)
    artifact.root = documents[0] if documents else ABSENT
    _shape(artifact)


def signs(artifact: Artifact) -> tuple[str, str] | None:
    return None


def _shape(artifact: Artifact) -> None:
    """Adds a problem for each value of a type that GitHub refuses."""
    root = artifact.root

    def refuse(node: Node, words: str) -> None:
        end = node.end if node.kind is SCALAR else min(node.end, node.start + 1)
        artifact.problems.append(Problem("refused", words, node.start, max(end, node.start)))

    if not root:
        if not artifact.problems and artifact.source.text.strip():
            artifact.problems.append(Problem("refused", "the file holds no workflow.", 0, 1))
        return
    if root.kind is not MAP:
        refuse(root, "a workflow is a map of `on` and `jobs`.")
        return
    first = root.value[0][0] if root.value else root
    if not root.get("on"):
        refuse(first, "there is no `on`: nothing starts the workflow.")
    jobs = root.get("jobs")
    if jobs.kind is not MAP or not jobs.value:
        refuse(root.key("jobs") or first, "`jobs` is no map of jobs.")
        return
    for key, job in jobs.items():
        if job.kind is not MAP:
            refuse(key, "the job is no map.")
            continue
        if not job.get("runs-on") and not job.get("uses"):
            refuse(key, "the job has neither `runs-on` nor `uses`.")
        steps = job.get("steps")
        if steps and steps.kind is not SEQ:
            refuse(job.key("steps"), "`steps` is no list.")
        for step in steps.elements():
            if step.kind is not MAP:
                refuse(step, "the step is no map.")
            elif not any(step.key(name) for name in _DOES):
                refuse(step.value[0][0] if step.value else step, "the step has neither `uses` nor `run`.")
        for need in listed(job.get("needs")):
            name = text_of(need)
            if name is not None and not jobs.key(name):
                refuse(need, "it needs a job that does not exist.")


def pipeline(artifact: Artifact) -> Pipeline:
    """The workflow's model, made once."""
    kept = artifact.project.facts.setdefault("workflow", {}) if artifact.project is not None else {}
    made: Pipeline | None = kept.get(artifact.path)
    if made is None:
        root = artifact.root if artifact.root.kind is MAP else ABSENT
        first = root.value[0][0] if root and root.value else artifact.root
        made = kept[artifact.path] = Pipeline(artifact, root.key("name") or root.key("on") or first, root)
        _fill(made, root)
    return made


def pipelines(artifact: Artifact) -> list[Pipeline]:
    """The pipelines of the file: one, none when it holds no jobs."""
    found = pipeline(artifact)
    return [found] if found.jobs else []


def _fill(made: Pipeline, root: Node) -> None:
    made.name = root.get("name")
    made.triggers = triggers(root.get("on"))
    made.variables = pairs(root.get("env"))
    made.permissions = root.get("permissions")
    made.concurrency = root.get("concurrency")
    for key, node in root.get("jobs").items():
        if node.kind is MAP:
            made.jobs.append(_job(made, key, node))


def triggers(node: Node) -> dict[str, Node]:
    """Event -> its settings, for all three forms of `on`."""
    if node.kind is MAP:
        return {key.value: value for key, value in node.items()}
    return {text: each for each in listed(node) if (text := each.text()) is not None}


def _job(made: Pipeline, key: Node, node: Node) -> Job:
    job = Job(made, key, node)
    get = node.get
    job.name = get("name")
    job.needs = [(text, need) for need in listed(get("needs")) if (text := text_of(need)) is not None]
    job.environment = get("environment")
    job.condition = get("if")
    job.image = get("runs-on")
    container = get("container")
    job.container = container.get("image") if container.kind is MAP else container
    job.services = [value.get("image") for _, value in get("services").items() if value.get("image")]
    job.variables = {**made.variables, **pairs(get("env"))}
    job.permissions = get("permissions")
    job.allow_failure = _truth(get("continue-on-error"))
    job.timeout = get("timeout-minutes")
    job.concurrency = get("concurrency")
    job.matrix = get("strategy", "matrix")
    job.inputs, job.secrets = get("with"), get("secrets")
    condition = (job.condition.text() or "") if job.condition else ""
    fails = _FAILS.search(condition)
    if fails is not None and not _CHECKED.search(condition):
        job.ignores_needs = f"`if: {fails[0]}`"
    job.branches = _branches(condition)
    job.uses = get("uses")
    if job.uses:
        job.called = _called(made.artifact, job.uses)
        return job
    _steps(job, node, made)
    return job


def _steps(job: Job, node: Node, made: Pipeline) -> None:
    default = node.get("defaults", "run", "working-directory") or made.node.get("defaults", "run", "working-directory")
    shell = text_of(node.get("defaults", "run", "shell") or made.node.get("defaults", "run", "shell")) or ""
    top: str | None = ""  # where the repository is checked out; None: another repository lies there
    for each in _flat(node.get("steps")):
        step = _step(job, each, default, shell, top)
        job.steps.append(step)
        if step.action == "actions/checkout":
            path = step.inputs.get("path")
            if "repository" not in step.inputs:
                top = (text_of(path[1]) if path is not None else "") or "" if path is None or text_of(path[1]) else None
                top = top.strip("/").removeprefix("./") if top is not None else None
            elif path is None:
                top = None
        elif (step.uses.text() or "").startswith(_OF_THIS):
            step.inner = _composite(made.artifact, job, step.uses.text() or "")


def _flat(steps: Node) -> list[Node]:
    """The steps of a list, those of a `parallel` group in its place."""
    found: list[Node] = []
    for each in steps.elements():
        if each.kind is MAP:
            group = each.get("parallel")
            found += [inner for inner in group.elements() if inner.kind is MAP] if group.kind is SEQ else [each]
    return found


def _step(job: Job | None, node: Node, default: Node, shell: str, top: str | None) -> Step:
    place = node.key("name") or node.key("uses") or node.key("run") or (node.value[0][0] if node.value else node)
    step = Step(job, node.get("name") or place, node)
    step.id = node.get("id").text() or ""
    step.name = node.get("name")
    step.uses = node.get("uses")
    step.inputs = pairs(node.get("with"))
    step.env = pairs(node.get("env"))
    step.condition = node.get("if")
    step.continue_on_error = _truth(node.get("continue-on-error"))
    step.shell = text_of(node.get("shell")) or shell
    step.pipefail = step.shell == "bash" or "pipefail" in step.shell
    step.folder = _folder(node.get("working-directory") or default, top)
    run = node.get("run")
    if run.kind is SCALAR and not step.shell.startswith(_NO_SHELL):
        step.scripts = [Script(run)]
    elif step.action in _SSH and "script" in step.inputs:
        step.remote = True
        step.scripts = [Script(step.inputs["script"][1])]
    return step


def _folder(node: Node, top: str | None) -> str | None:
    """A working directory as a path from the root of the repository."""
    text = text_of(node) if node else ""
    if text is None or top is None:
        return None
    path = text.strip("/").removeprefix("./").strip(".") if text in (".", "./") else text.strip("/").removeprefix("./")
    if top:
        if path == top:
            return ""
        return path[len(top) + 1 :] if path.startswith(top + "/") else None
    return path if ".." not in path.split("/") else None


def _truth(node: Node) -> bool | None:
    """A boolean setting: False when absent, None when an expression decides."""
    return False if not node else node.boolean()


def _branches(condition: str) -> list[str] | None:
    """The branches (or `release` for tags and releases) that every way through a condition asks for, None for any."""
    if not condition:
        return None
    found: list[str] = []
    for way in condition.split("||"):
        names = _REF.findall(way)
        if _TAG.search(way):
            names.append("release")
        if not names:
            return None
        found += names
    return found


def _called(artifact: Artifact, uses: Node) -> Pipeline | None:
    """The workflow that a job calls, when it stands in the repository."""
    text = text_of(uses) or ""
    if not text.startswith(_OF_THIS) or artifact.project is None:
        return None
    other = artifact.project.artifact(text[2:])
    return pipeline(other) if other is not None and other.kind == "workflow" else None


def _composite(artifact: Artifact, job: Job, text: str) -> list[Step]:
    """The steps of a composite action of the repository."""
    if artifact.project is None or "${{" in text:
        return []
    folder = text[2:].strip("/")
    for name in ("action.yml", "action.yaml"):
        other = artifact.project.artifact(f"{folder}/{name}" if folder else name)
        if other is not None and other.kind == "action":
            return composite(other, job)
    return []


def composite(artifact: Artifact, job: Job | None) -> list[Step]:
    """The steps of a composite action, as steps of a job (or of none)."""
    return [_step(job, each, ABSENT, "", "") for each in _flat(artifact.root.get("runs", "steps"))]


def _view(name: str) -> Callable[[Artifact], list[Item]]:
    def items(artifact: Artifact) -> list[Item]:
        return [item for each in pipelines(artifact) for item in _VIEWS[name](each)]

    return items


def file(artifact: Artifact) -> list[Item]:
    """The workflow as a whole: fact `pipeline`. Place: its name, else `on`."""
    return [Item(each.node, {"pipeline": each}, each.place) for each in pipelines(artifact)]


def variables(artifact: Artifact) -> list[Item]:
    """Every value written under a variable's name, once: facts `name`, `literal` (a credential, in plain sight).

    Tests need values of their own: one counts where something is deployed to production, or when its form is that of a
    provider's token.
    """
    from ..redact.formats import tokens
    from .credential import literal
    from .jobs import deploys

    found: dict[int, Item] = {}
    for each in pipelines(artifact):
        for job in each.jobs:
            releases = any(deploy.production for deploy in deploys(job))
            for table in [job.variables, *(step.env for step in job.steps), *(step.inputs for step in job.steps)]:
                for name, (key, value) in table.items():
                    text = text_of(value)
                    if text is not None and literal(name, text) and (releases or tokens(text)):
                        found[value.start] = Item(value, {"name": name, "literal": True}, key)
    return [found[start] for start in sorted(found)]


def secrets(artifact: Artifact) -> list[tuple[int, int]]:
    """The values under the names of secrets, for whatever job they are."""
    from .credential import literal

    found = []
    for each in pipelines(artifact):
        for job in each.jobs:
            for table in [job.variables, *(step.env for step in job.steps), *(step.inputs for step in job.steps)]:
                for name, (_, value) in table.items():
                    text = text_of(value)
                    if text is not None and literal(name, text):
                        found.append((value.start, value.end))
    return found


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {
    "file": file,
    **{name: _view(name) for name in _VIEWS},
    "variables": variables,
}


def variables_read(artifact: Artifact) -> list[tuple[str, Node]]:
    """(`secrets.X` or `vars.X`, node) of each one that the workflow names, in order."""
    found: list[tuple[str, Node]] = []
    text = artifact.source.text
    for match in re.finditer(r"\b(secrets|vars)\.([A-Za-z_][A-Za-z0-9_]*)", text):
        line = text.rfind("\n", 0, match.start()) + 1
        if "${{" in text[line : match.start()] and "#" not in text[line : match.start()].partition("${{")[0]:
            found.append((match[0], Node(SCALAR, match[0], artifact.source, match.start(), match.end(), "'")))
    return found
