"""Turns an Azure pipeline into jobs and steps: stages, jobs, deployments, and templates of the repository.

Source, looked up 2026-11-25: learn.microsoft.com/azure/devops/pipelines/yaml-schema/
"""

from __future__ import annotations

import re

from ..model import ABSENT, MAP, SCALAR, SEQ, UNKNOWN, Node
from .jobs import Job, Script, Step, listed, pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .jobs import Pipeline

_SCRIPTS = ("script", "bash")
_HOOKS = ("preDeploy", "deploy", "routeTraffic", "postRouteTraffic")
_STRATEGIES = ("runOnce", "rolling", "canary")
_BRANCH = re.compile(r"eq\(\s*variables\[?[.']*Build\.SourceBranch(Name)?'?\]?\s*,\s*'(?:refs/heads/)?([^']+)'", re.I)
_TAG = re.compile(r"startsWith\(\s*variables\[?[.']*Build\.SourceBranch'?\]?\s*,\s*'refs/tags/", re.I)
_FAILS = re.compile(r"\b(always|failed|succeededOrFailed)\s*\(\s*\)")
# Tasks whose text is a shell script.
_INLINE = {"bash": "script", "azurecli": "inlineScript", "cmdline": "script", "shellscript": "script"}
_DEPTH = 4


def fill(made: Pipeline, root: Node) -> None:
    """Adds the jobs of an Azure pipeline."""
    made.name = root.get("name")
    made.variables = _variables(root.get("variables"))
    made.triggers = _triggers(root)
    if root.get("extends"):
        made.open = "it extends a template"
        return
    reader = _Reader(made)
    if root.get("stages"):
        reader.stages(root.get("stages"))
    elif root.get("jobs"):
        reader.jobs(root.get("jobs"), "", [])
    elif root.get("steps"):
        job = Job(made, root.key("steps"), root)
        job.id = "job"
        reader.settings(job, root)
        reader.steps(job, root.get("steps"), 0)
        made.jobs.append(job)


def _triggers(root: Node) -> dict[str, Node]:
    """What starts it, in the nouns of the other platforms; without a `trigger` every branch does."""
    trigger = root.get("trigger")
    found: dict[str, Node] = {}
    if trigger.text() == "none":
        found["manual"] = trigger
    else:
        branches = trigger.get("branches", "include") if trigger.kind is MAP else trigger
        names = Node(SEQ, list(listed(branches)), root.source, trigger.start, trigger.end)
        key = Node(SCALAR, "branches", root.source, trigger.start, trigger.end, "'")
        found["push"] = Node(MAP, [(key, names)], root.source, trigger.start, trigger.end)
    if root.get("schedules"):
        found["schedule"] = root.get("schedules")
    return found


def _variables(node: Node) -> dict[str, tuple[Node, Node]]:
    """Both forms: a map, or a list of name and value, groups and templates left out."""
    if node.kind is MAP:
        return pairs(node)
    found = {}
    for each in node.elements():
        name = each.get("name").text()
        if name is not None and each.get("value"):
            found[name] = (each.get("name"), each.get("value"))
    return found


class _Reader:
    """Reads stages, jobs and steps into a pipeline."""

    __slots__ = ("made",)

    def __init__(self, made: Pipeline) -> None:
        self.made = made

    def _opened(self, node: Node, key: str, depth: int) -> Iterator[Node]:
        """The entries of a list, those of the repository's templates in their place."""
        for each in node.elements():
            if each.kind is not MAP:
                continue
            template = each.get("template")
            if not template:
                if any("${{" in str(entry.value) for entry, _ in each.items()):
                    self.made.open = self.made.open or "an expression decides on part of it"
                else:
                    yield each
                continue
            other = self._template(template)
            if other is None or depth >= _DEPTH:
                self.made.open = self.made.open or "a template of it cannot be read here"
            else:
                yield from self._opened(other.get(key), key, depth + 1)

    def _template(self, node: Node) -> Node | None:
        text = node.text()
        artifact = self.made.artifact
        if text is None or "@" in text or "${{" in text or "$(" in text or artifact.project is None:
            return None
        folder = artifact.path.rpartition("/")[0]
        path = text.lstrip("/") if text.startswith("/") or not folder else f"{folder}/{text}"
        parts: list[str] = []
        for part in path.split("/"):
            if part == ".." and parts:
                parts.pop()
            elif part not in ("", ".", ".."):
                parts.append(part)
        source = artifact.project.read("/".join(parts))
        if source is None:
            return None
        from ..syntax import yaml

        documents, problems = yaml.parse(source)
        return None if any(each.fatal for each in problems) or not documents else documents[0]

    def stages(self, node: Node) -> None:
        before: list[str] = []
        ids: dict[str, list[str]] = {}
        for number, stage in enumerate(self._opened(node, "stages", 0)):
            name = stage.get("stage").text() or f"stage {number + 1}"
            wanted = stage.get("dependsOn")
            if wanted:
                names = [each.text() or "" for each in listed(wanted)]
                needs = [job for each in names for job in ids.get(each, [])]
            else:
                needs = list(before)
            start = len(self.made.jobs)
            self.jobs(stage.get("jobs"), name, needs, stage)
            before = ids[name] = [job.id for job in self.made.jobs[start:]]

    def jobs(self, node: Node, stage: str, needs: list[str], outer: Node = ABSENT) -> None:
        prefix = f"{stage}." if stage else ""
        for number, each in enumerate(self._opened(node, "jobs", 0)):
            key = each.get("deployment") if each.get("deployment") else each.get("job")
            place = key if key.text() else each.value[0][0] if each.value else each
            job = Job(self.made, place, each)
            job.id = prefix + (key.text() or f"job {number + 1}")
            job.name = each.get("displayName")
            at = each.key("dependsOn") or outer.key("dependsOn") or outer.key("stage") or place
            job.needs = [(prefix + (need.text() or ""), need) for need in listed(each.get("dependsOn"))]
            job.needs += [(need, at) for need in needs]
            self.settings(job, each, outer)
            strategy = each.get("strategy")
            if each.get("deployment"):
                environment = each.get("environment")
                name = environment.get("name") if environment.kind is MAP else environment
                text = name.text() or ""
                if "$(" in text or "${{" in text:
                    environment = Node(UNKNOWN, text, name.source, name.start, name.end)
                job.environment = environment
                for kind in _STRATEGIES:
                    for hook in _HOOKS:
                        self.steps(job, strategy.get(kind, hook, "steps"), 0)
            else:
                job.matrix = strategy.get("matrix")
                self.steps(job, each.get("steps"), 0)
            self.made.jobs.append(job)

    def settings(self, job: Job, node: Node, outer: Node = ABSENT) -> None:
        """What a job says beside its steps; `outer` is its stage."""
        job.variables = {
            **self.made.variables,
            **_variables(outer.get("variables")),
            **_variables(node.get("variables")),
        }
        pool = node.get("pool") or outer.get("pool") or self.made.node.get("pool")
        job.image = pool.get("vmImage") if pool.kind is MAP else pool
        container = node.get("container")
        if container.kind is MAP:
            container = container.get("image")
        elif container.text():
            for resource in self.made.node.get("resources", "containers").elements():
                if resource.get("container").text() == container.text():
                    container = resource.get("image")
                    break
        job.container = container
        job.timeout = node.get("timeoutInMinutes")
        job.condition = node.get("condition") or outer.get("condition")
        failing = node.get("continueOnError")
        job.allow_failure = failing.boolean() if failing else False
        text = " ".join(each.text() or "" for each in (outer.get("condition"), node.get("condition")))
        fails = _FAILS.search(text)
        if fails is not None:
            job.ignores_needs = f"`condition: {fails[0]}`"
        branches = [match[2] for match in _BRANCH.finditer(text)] + (["release"] if _TAG.search(text) else [])
        job.branches = branches if branches and "or(" not in text and "not(" not in text else None

    def steps(self, job: Job, node: Node, depth: int) -> None:
        for each in self._opened(node, "steps", depth):
            step = Step(job, each.value[0][0] if each.value else each, each)
            step.name = each.get("displayName")
            step.env = pairs(each.get("env"))
            step.condition = each.get("condition")
            failing = each.get("continueOnError")
            step.continue_on_error = failing.boolean() if failing else False
            folder = each.get("workingDirectory").text() or ""
            step.folder = (
                None
                if "$(" in folder and "$(System.DefaultWorkingDirectory)" not in folder
                else (folder.replace("$(System.DefaultWorkingDirectory)", "").strip("/"))
            )
            for name in _SCRIPTS:
                if each.get(name).kind is SCALAR:
                    step.scripts = [Script(each.get(name))]
                    step.shell = name
            task = each.get("task")
            if task.text():
                step.uses, step.inputs = task, pairs(each.get("inputs"))
                step.scripts = _of_task(step.action, each.get("inputs"))
            job.steps.append(step)


def _of_task(name: str, inputs: Node) -> list[Script]:
    """The shell text of the tasks that run one, and what Npm's and Docker's tasks start."""
    inline = inputs.get(_INLINE.get(name, "\0"))
    if inline.kind is SCALAR:
        return [Script(inline)]
    command = inputs.get("command")
    if name in ("npm", "npmauthenticate") and command.text():
        custom = inputs.get("customCommand")
        if command.text() == "custom":
            return [Script(custom, f"npm {custom.text()}")] if custom.text() else []
        return [Script(command, f"npm {command.text()}")]
    if name == "docker" and command.text():
        return [Script(command, f"docker {'build' if command.text() == 'buildAndPush' else command.text()}")]
    return []
