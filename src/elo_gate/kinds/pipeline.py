"""Turns the pipelines of Azure, Google Cloud Build and AWS CodeBuild into jobs and steps.

Which of the three a file is says its name, then its keys: pipeline_azure, pipeline_google, pipeline_aws read them.
"""

from __future__ import annotations

from ..model import ABSENT, MAP, SCALAR, UNKNOWN, Item, Node
from . import dockerfile_images
from .credential import literal
from .jobs import Pipeline
from .pipeline_views import VIEWS as _VIEWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..model import Artifact
    from .jobs import Job

AZURE, GOOGLE, AWS = "Azure Pipelines", "Google Cloud Build", "AWS CodeBuild"


def looks_like(path: str, text: str) -> bool:
    """A name of the three platforms' own; `buildspecs` of another tool have none of their keys."""
    name = path.rpartition("/")[2].lower()
    stem = name.rpartition(".")[0]
    if stem in ("azure-pipelines", "cloudbuild", "buildspec"):
        return True
    return any(f"{key}:" in text for key in ("steps", "stages", "jobs", "phases", "extends"))


def load(artifact: Artifact) -> None:
    """Sets the tree (the first document) and the problems of YAML."""
    from ..syntax import yaml

    documents, artifact.problems = yaml.parse(artifact.source)
    artifact.root = documents[0] if documents else ABSENT


def signs(artifact: Artifact) -> tuple[str, str] | None:
    return None


def platform(artifact: Artifact) -> str:
    """Whose pipeline it is."""
    name = artifact.path.rpartition("/")[2].lower()
    return GOOGLE if name.startswith("cloudbuild") else AWS if name.startswith("buildspec") else AZURE


def pipeline(artifact: Artifact) -> Pipeline:
    """The pipeline's model, made once."""
    kept = artifact.project.facts.setdefault("cloud-pipeline", {}) if artifact.project is not None else {}
    made: Pipeline | None = kept.get(artifact.path)
    if made is None:
        root = artifact.root
        place = root.value[0][0] if root.kind is MAP and root.value else root
        made = kept[artifact.path] = Pipeline(artifact, place, root)
        whose = platform(artifact)
        if root.kind is not MAP:
            return made
        if whose is GOOGLE:
            from .pipeline_google import fill
        elif whose is AWS:
            from .pipeline_aws import fill
        else:
            from .pipeline_azure import fill
        fill(made, root)
    return made


def pipelines(artifact: Artifact) -> list[Pipeline]:
    """The pipelines of the file: one, none when it holds no jobs."""
    found = pipeline(artifact)
    return [found] if found.jobs else []


def variables(artifact: Artifact) -> list[Item]:
    """Every value written under a variable's name, once: facts `name`, `literal` (it is a credential)."""
    found: dict[int, Item] = {}
    for each in pipelines(artifact):
        tables = [each.variables]
        for job in each.jobs:
            tables.append(job.variables)
            tables += [step.env for step in job.steps]
        for table in tables:
            for name, (key, value) in table.items():
                text = value.text()
                if text is not None and value.start not in found:
                    found[value.start] = Item(value, {"name": name, "literal": literal(name, text)}, key)
    return [found[start] for start in sorted(found)]


def secrets(artifact: Artifact) -> list[tuple[int, int]]:
    """The values of variables that are credentials."""
    return [(item.node.start, item.node.end) for item in variables(artifact) if item.facts["literal"]]


def file(artifact: Artifact) -> list[Item]:
    """The pipeline as a whole: facts `pipeline`, `platform`. Place: its first key."""
    return [
        Item(each.node, {"pipeline": each, "platform": platform(artifact)}, each.place) for each in pipelines(artifact)
    ]


def images(artifact: Artifact) -> list[Item]:
    """Every image and every version of Node.js a job asks for, once: the facts of dockerfile_images.read, and `uses`
    (where else it stands, with words), `service`, `origins`, `job`, `runtime` (a version that is installed).
    """
    found: dict[str, Item] = {}
    for each in pipelines(artifact):
        for job in each.jobs:
            wanted = [(job.container, False), *((node, True) for node in job.services)]
            for node, service in wanted:
                _image(found, node, node.text() or "", service, job)
            for step in job.steps:
                version = _runtime(step.uses, step.inputs)
                if version:
                    _image(found, version, f"node:{(version.text() or '').lower().removesuffix('.x')}", None, job)
            for key, value in job.inputs.items():
                if key.value == "nodejs":
                    _image(found, value, f"node:{value.text() or ''}", None, job)
    return list(found.values())


def _runtime(task: Node, inputs: dict[str, tuple[Node, Node]]) -> Node:
    """The version that Azure's task installs."""
    name = (task.text() or "").partition("@")[0].lower()
    key = {"nodetool": "versionSpec", "usenode": "version"}.get(name)
    return inputs[key][1] if key is not None and key in inputs else ABSENT


def _image(found: dict[str, Item], node: Node, text: str, service: bool | None, job: Job) -> None:
    if node.kind not in (SCALAR, UNKNOWN) or not text or node.is_null():
        return
    if text in found:
        if node.start != found[text].node.start:
            found[text].facts["uses"].append((node, f"'{job.id}' runs in it"))
        return
    read = dockerfile_images.read(node, text.replace("$(", "${"))
    facts = {"uses": [], "service": bool(service), "origins": [], "job": job, "runtime": service is None}
    found[text] = Item(node, {**read.facts, **facts})


def _view(name: str) -> Callable[[Artifact], list[Item]]:
    def items(artifact: Artifact) -> list[Item]:
        return [item for each in pipelines(artifact) for item in _VIEWS[name](each)]

    return items


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {
    "file": file,
    **{name: _view(name) for name in _VIEWS},
    "images": images,
    "variables": variables,
}
