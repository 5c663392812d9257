"""Turns a GitLab pipeline into jobs and steps, as GitLab puts them together.

The merging of files and templates is gitlab_config's, the reading of jobs gitlab_jobs'.
"""

from __future__ import annotations

import re

from ..model import MAP, SCALAR, SEQ, UNKNOWN, Artifact, Item, Node
from . import dockerfile_images
from .credential import literal
from .gitlab_config import RESERVED, Config, main, names_in
from .gitlab_jobs import fill
from .jobs import Pipeline, listed, pairs
from .pipeline_views import VIEWS as _VIEWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_INPUT = re.compile(r"\$\[\[.*?\]\]")
_OWN = (".gitlab-ci.yml", ".gitlab-ci.yaml")


def looks_like(path: str, text: str) -> bool:
    """GitLab's own file by its name; another one in `.gitlab` when it has a pipeline's keys."""
    if path.lower().endswith((".gitlab-ci.yml", ".gitlab-ci.yaml")):
        return True
    return any(f"{word}:" in text for word in ("script", "stages", "stage", "include", "trigger", "extends"))


def load(artifact: Artifact) -> None:
    """Sets the documents and the problems of YAML."""
    from ..syntax import yaml

    documents, artifact.problems = yaml.parse(artifact.source)
    artifact.root = Node(SEQ, documents, artifact.source, 0, len(artifact.source.text))


def signs(artifact: Artifact) -> tuple[str, str] | None:
    return None


def parts(artifact: Artifact) -> list[str]:
    """The files it includes, and those of the pipelines it starts: they are judged as part of it."""
    if artifact.path.rpartition("/")[2].lower() not in _OWN:
        return []
    return [path for each in pipelines(artifact) for path in (each.path, *config(each.artifact).files)]


def settle(artifact: Artifact) -> None:
    """Sets a template aside that GitLab does not read by itself."""
    if artifact.state == "judged" and artifact.path.rpartition("/")[2].lower() not in _OWN:
        artifact.state, artifact.why = "aside", "GitLab reads it only where a pipeline includes it"


def secrets(artifact: Artifact) -> list[tuple[int, int]]:
    """The values of variables that are credentials."""
    return [
        (item.node.start, item.node.end)
        for item in variables(artifact)
        if item.facts["literal"] and item.node.source is artifact.source
    ]


# -- the model


def config(artifact: Artifact) -> Config:
    """The merged configuration of a file, made once."""
    kept = artifact.project.facts.setdefault("gitlab-config", {}) if artifact.project is not None else {}
    made: Config | None = kept.get(artifact.path)
    if made is None:
        made = kept[artifact.path] = Config(artifact)
    return made


def pipeline(artifact: Artifact) -> Pipeline:
    """The pipeline's model, made once."""
    kept = artifact.project.facts.setdefault("gitlab", {}) if artifact.project is not None else {}
    made: Pipeline | None = kept.get(artifact.path)
    if made is None:
        own = main(artifact.root)
        place = own.value[0][0] if own.kind is MAP and own.value else artifact.root
        made = kept[artifact.path] = Pipeline(artifact, place, own)
        fill(made, config(artifact), lambda trigger: _started(artifact, trigger))
    return made


def pipelines(artifact: Artifact) -> list[Pipeline]:
    """The pipelines of the file: its own, and those that its jobs start from files of the repository."""
    found = pipeline(artifact)
    every = [found] if found.jobs else []
    for each in every:  # grows as it goes
        every += [job.called for job in each.jobs if job.called is not None and job.called not in every]
    return every


def _started(parent: Artifact, trigger: Node) -> Pipeline | None:
    """The pipeline that `trigger: include` starts from one file of the repository."""
    entries = listed(trigger.get("include")) or [trigger.get("include")]
    local = entries[0].get("local") if entries[0].kind is MAP else entries[0]
    path = (local.text() or "").strip().lstrip("/").removeprefix("./")
    source = parent.project.read(path) if path and "$" not in path and len(entries) == 1 and parent.project else None
    if source is None or path == parent.path:
        return None
    made: Pipeline | None = parent.project.facts.setdefault("gitlab", {}).get(path)
    if made is not None and not made.jobs:
        return None  # it is being read: a circle
    if made is None:
        child = Artifact(source, "gitlab")
        child.project, child.environment, child.assumed = parent.project, parent.environment, parent.assumed
        load(child)
        made = pipeline(child)
    made.triggers = {"workflow_call": trigger}
    return made


# -- views


def file(artifact: Artifact) -> list[Item]:
    """The pipeline as a whole: fact `pipeline`. Place: its first key."""
    return [Item(each.node, {"pipeline": each}, each.place) for each in pipelines(artifact)]


def images(artifact: Artifact) -> list[Item]:
    """Every image once: the facts of dockerfile_images.read, and `uses` (where else it stands, with words), `service`,
    `origins` (the values of the variables in it), `job`.
    """
    found: dict[str, Item] = {}
    for each in pipelines(artifact):
        for job in each.jobs:
            for number, node in enumerate([job.image, *job.services]):
                text = node.value if node.kind in (SCALAR, UNKNOWN) else None
                if not text or node.is_null():
                    continue
                item = found.get(text)
                if item is not None:
                    if node.start != item.node.start:
                        item.facts["uses"].append((node, f"job '{job.id}' runs in it"))
                    continue
                read = dockerfile_images.read(node, _INPUT.sub("${input}", text))
                written = node.source.text[node.start : node.end]
                origins = [job.variables[name][1] for name in names_in(written) if name in job.variables]
                found[text] = Item(
                    node,
                    {**read.facts, "uses": [], "service": number > 0, "origins": origins, "job": job, "runtime": False},
                )
    return list(found.values())


def variables(artifact: Artifact) -> list[Item]:
    """Every value written under a variable's name, once: facts `name`, `literal` (it is a credential)."""
    found: list[Item] = []
    seen: set[int] = set()
    roots = [each.root for each in configs(artifact)]
    for table in [node for root in roots for node in [root, *(value for _, value in root.items())]]:
        table = table.get("variables")
        for name, (key, value) in pairs(table).items():
            node = value.get("value") if value.kind is MAP else value
            text = node.text()
            if text is not None and id(node) not in seen:
                seen.add(id(node))
                found.append(Item(node, {"name": name, "literal": literal(name, text)}, key))
    return found


def configs(artifact: Artifact) -> list[Config]:
    """The merged configurations of the file's pipelines."""
    return [config(each.artifact) for each in pipelines(artifact)] or [config(artifact)]


def jobs(artifact: Artifact) -> list[tuple[Config, Node, Node]]:
    """(configuration, key, merged map) of a pipeline's jobs, for what the common model leaves out."""
    return [(config(artifact), key, node) for key, node in config(artifact).jobs()]


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

__all__ = ["RESERVED", "VIEWS", "config", "pipelines"]
