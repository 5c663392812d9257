"""Turns a merged GitLab configuration into jobs: defaults, conditions, what must have run before, steps.

Source, looked up 2026-11-25: docs.gitlab.com/ci/yaml/
"""

from __future__ import annotations

import re

from ..model import ABSENT, MAP, SCALAR, SEQ, UNKNOWN, Node
from .gitlab_config import DEFAULTS, expand
from .jobs import Job, Script, Step, listed, pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .gitlab_config import Config
    from .jobs import Pipeline

_STAGES = (".pre", "build", "test", "deploy", ".post")
_MAIN = "main"  # what $CI_DEFAULT_BRANCH stands for
_TAGS = "release"
_UNTOLD = "?"
_BRANCH = re.compile(
    r"\$\{?CI_(?:COMMIT_BRANCH|COMMIT_REF_NAME|COMMIT_REF_SLUG)\}?\s*(==|!=)\s*(?:\"([^\"]*)\"|'([^']*)'|\$\{?(CI_DEFAULT_BRANCH)\}?)"
)
_TAG = re.compile(r"\$\{?CI_COMMIT_TAG\b\}?(?!\s*==\s*null)")
_ACTIONS = ("stop", "prepare", "verify", "access")


def fill(pipeline: Pipeline, merged: Config, start: Callable[[Node], Pipeline | None]) -> None:
    """Gives a pipeline its jobs; `start` finds the pipeline that a job's `trigger` starts."""
    _Reader(merged, pipeline, start).fill()


class _Reader:
    """Fills a pipeline from a configuration."""

    __slots__ = ("branches", "common", "config", "pipeline", "stages", "start")

    def __init__(self, merged: Config, pipeline: Pipeline, start: Callable[[Node], Pipeline | None]) -> None:
        self.config = merged
        self.pipeline = pipeline
        self.start = start
        self.stages: list[str] = list(_STAGES)
        self.branches: list[str] | None = None
        self.common: Node = ABSENT

    def fill(self) -> None:
        root, resolve = self.config.root, self.config.resolve
        pipeline = self.pipeline
        pipeline.open = self.config.open
        pipeline.name = resolve(root.get("workflow", "name"))
        pipeline.variables = self._variables(root.get("variables"))
        self.common = resolve(root.get("default"))
        stages = [each.text() or "" for each in self.config.flat(root.get("stages") or root.get("types"))]
        if stages:
            self.stages = [".pre", *(each for each in stages if each not in (".pre", ".post")), ".post"]
        self.branches = self._of_rules(root.get("workflow", "rules"))[0]
        made = [self._job(key, node) for key, node in self.config.jobs()]
        stage_of = {job.id: self._stage(node) for job, (_, node) in zip(made, self.config.jobs(), strict=True)}
        for job in made:
            self._needs(job, job.node, made, stage_of)
        pipeline.jobs = made
        pipeline.open = pipeline.open or self.config.open  # `extends` is followed only now

    def _job(self, key: Node, node: Node) -> Job:
        job = Job(self.pipeline, key, node)
        resolve = self.config.resolve
        inherit = node.get("inherit")
        job.variables = {**self._inherited(inherit.get("variables")), **self._variables(node.get("variables"))}
        job.image = self._image(self._value(node, "image", inherit), job)
        job.container = job.image
        job.services = [self._image(each, job) for each in self.config.flat(self._value(node, "services", inherit))]
        job.environment = self._environment(resolve(node.get("environment")), job)
        job.timeout = self._value(node, "timeout", inherit)
        job.concurrency = resolve(node.get("resource_group"))
        job.condition = node.get("rules") or node.get("only")
        job.matrix = node.get("parallel", "matrix")
        self._conditions(job, node)
        trigger = resolve(node.get("trigger"))
        if trigger:
            job.uses = trigger
            job.called = self.start(trigger)
        self._steps(job, node, inherit)
        return job

    def _value(self, node: Node, name: str, inherit: Node) -> Node:
        """A key of the job, else of `default`, else (old spelling) of the file."""
        own = node.get(name)
        if own:
            return self.config.resolve(own)
        wanted = inherit.get("default")
        if wanted.boolean() is False or (
            wanted.kind is SEQ and name not in [each.text() for each in wanted.elements()]
        ):
            return ABSENT
        found = self.common.get(name) if self.common.kind is MAP else ABSENT
        if not found and name in DEFAULTS:
            found = self.config.root.get(name)
        return self.config.resolve(found)

    def _variables(self, node: Node) -> dict[str, tuple[Node, Node]]:
        found = {}
        for name, (key, value) in pairs(self.config.resolve(node)).items():
            if value.kind is MAP:
                value = value.get("value")
            found[name] = (key, self.config.resolve(value))
        return found

    def _inherited(self, node: Node) -> dict[str, tuple[Node, Node]]:
        """The pipeline's variables, those that `inherit: variables` leaves."""
        if node.boolean() is False:
            return {}
        if node.kind is SEQ:
            names = {each.text() for each in node.elements()}
            return {name: pair for name, pair in self.pipeline.variables.items() if name in names}
        return dict(self.pipeline.variables)

    def _image(self, node: Node, job: Job) -> Node:
        """The name of an image with the pipeline's own variables filled in; unknown when another one stands there."""
        name = self.config.resolve(node.get("name")) if node.kind is MAP else node
        text = name.text()
        if text is None or "$" not in text:
            return name
        varied = {key for rule in self.config.flat(job.node.get("rules")) for key in pairs(rule.get("variables"))}
        varied.update(key for row in listed(job.node.get("parallel", "matrix")) for key in pairs(row))
        full = expand(text, {key: pair for key, pair in job.variables.items() if key not in varied})
        if full is None:
            return Node(UNKNOWN, text, name.source, name.start, name.end)
        return Node(SCALAR, full, name.source, name.start, name.end, name.style or "'")

    def _environment(self, node: Node, job: Job) -> Node:
        """The environment: its tier where it names one, unknown where a variable is all of its name."""
        if node.kind is MAP:
            if node.get("action").text() in _ACTIONS:
                return node
            tier = node.get("deployment_tier")
            if tier.text():
                return tier
        name = node.get("name") if node.kind is MAP else node
        text = name.text()
        if text is None or "$" not in text:
            return node
        full = expand(text, job.variables)
        head = text.partition("$")[0].strip("/-_ ")
        if full is None and head:
            full = head
        if full is None:
            return Node(UNKNOWN, text, name.source, name.start, name.end)
        return Node(SCALAR, full, name.source, name.start, name.end, "'")

    # -- when it runs

    def _conditions(self, job: Job, node: Node) -> None:
        when = self.config.resolve(node.get("when")).text()
        allowed = self.config.resolve(node.get("allow_failure"))
        rules = node.get("rules")
        job.branches = self.branches
        if rules:
            branches, manual, optional = self._of_rules(rules, when)
            job.branches = branches if branches is not None else self.branches
            job.manual = manual
            job.allow_failure = optional if not allowed else _truth(allowed)
        else:
            job.manual = when == "manual"
            job.allow_failure = _truth(allowed) if allowed else job.manual
            limited = self._of_only(self.config.resolve(node.get("only")))
            if limited is not None:
                job.branches = limited
        if when == "always":
            job.ignores_needs = "`when: always`"

    def _of_rules(self, node: Node, when: str | None = None) -> tuple[list[str] | None, bool | None, bool | None]:
        """(branches, manual, may fail) of a list of rules; None where it depends."""
        found: list[str] = []
        left: list[str] = []
        free = not node
        manual: set[bool] = set()
        optional: set[bool] = set()
        for rule in self.config.flat(node):
            if rule.kind is not MAP:
                found.append(_UNTOLD)
                continue
            text = self.config.resolve(rule.get("if")).text()
            then = rule.get("when").text() or when
            named = list(_branches(text or "", "!=" if then == "never" else "=="))
            if then == "never":
                # What it leaves over: `$CI_COMMIT_BRANCH != "main"` leaves main, anything else may be left.
                if named and text is not None and "&&" not in text:
                    left = named
                continue
            manual.add(then == "manual")
            optional.add(rule.get("allow_failure").boolean() is True)
            if named or rule.get("if"):
                found += named or left or [_UNTOLD]
            elif left:
                found += left
            else:
                free = True
        return (
            None if free else found or None,
            manual.pop() if len(manual) == 1 else None if manual else False,
            optional.pop() if len(optional) == 1 else None if optional else False,
        )

    def _of_only(self, node: Node) -> list[str] | None:
        refs = node.get("refs") if node.kind is MAP else node
        names = [each.text() or _UNTOLD for each in self.config.flat(refs)]
        if not names or "branches" in names:
            return None
        return [_TAGS if name == "tags" else name.partition("@")[0] if name[0] != "/" else _UNTOLD for name in names]

    # -- what must have run before

    def _stage(self, node: Node) -> int:
        name = self.config.resolve(node.get("stage")).text() or "test"
        return self.stages.index(name) if name in self.stages else -1

    def _needs(self, job: Job, node: Node, made: list[Job], stage_of: dict[str, int]) -> None:
        needs = self.config.resolve(node.get("needs"))
        if needs.kind is SEQ:
            for each in self.config.flat(needs):
                name = each.get("job") if each.kind is MAP else each
                if name.text() is not None and not each.get("pipeline") and not each.get("project"):
                    job.needs.append((name.text() or "", name))
            return
        own = stage_of[job.id]
        place = node.key("stage") or job.place
        for other in made:
            if 0 <= stage_of[other.id] < own:
                job.needs.append((other.id, place))

    # -- what it does

    def _steps(self, job: Job, node: Node, inherit: Node) -> None:
        before = list(self.config.flat(self._value(node, "before_script", inherit)))
        script = list(self.config.flat(node.get("script")))
        after = list(self.config.flat(self._value(node, "after_script", inherit)))
        for name, lines, counts in (("script", [*before, *script], True), ("after_script", after, False)):
            if not lines:
                continue
            step = Step(job, node.key(name) or job.place, node)
            step.scripts = [Script(each) for each in lines]
            step.shell, step.pipefail = "bash", True  # the runner sets errexit and pipefail
            step.continue_on_error = not counts
            job.steps.append(step)


def _truth(node: Node) -> bool | None:
    """`allow_failure`: None when only some exit codes are allowed."""
    return node.boolean() if node.kind is SCALAR else None


def _branches(text: str, operator: str) -> Iterator[str]:
    """The branches that a condition compares with; `release` for tags."""
    for match in _BRANCH.finditer(text):
        if match[1] == operator:
            name = match[2] if match[2] is not None else match[3]
            yield (_MAIN if match[4] or name == "$CI_DEFAULT_BRANCH" else name) or _UNTOLD
    if operator == "==" and _TAG.search(text):
        yield _TAGS
