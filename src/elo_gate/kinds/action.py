"""Turns a composite action of GitHub into its steps.

Source, looked up 2026-11-25: docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax
"""

from __future__ import annotations

from ..model import ABSENT, MAP, Item
from .jobs import Job, Pipeline
from .pipeline_views import VIEWS as _VIEWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..model import Artifact


def looks_like(path: str, text: str) -> bool:
    """By its place in `.github/actions`, else by what an action must have."""
    return path.startswith(".github/") or ("runs:" in text and "using:" in text)


def load(artifact: Artifact) -> None:
    """Sets the tree and the problems of YAML."""
    from ..syntax import yaml

    documents, artifact.problems = yaml.parse(artifact.source)
    artifact.root = documents[0] if documents else ABSENT


def signs(artifact: Artifact) -> tuple[str, str] | None:
    return None


def pipeline(artifact: Artifact) -> Pipeline | None:
    """A composite action as a pipeline of one job; None for any other action."""
    from .workflow import composite

    root = artifact.root
    if root.kind is not MAP or root.get("runs").kind is not MAP:
        return None
    runs = root.key("runs")
    made = Pipeline(artifact, root.key("name") or runs, root)
    job = Job(made, runs, root.get("runs"))
    job.steps = composite(artifact, job)
    if job.steps:
        made.jobs = [job]
    return made


def file(artifact: Artifact) -> list[Item]:
    """The action as a whole: facts `pipeline`, `using` (its runtime)."""
    made = pipeline(artifact)
    if made is None:
        return []
    return [Item(made.node, {"pipeline": made, "using": artifact.root.get("runs", "using")}, made.place)]


def _view(name: str) -> Callable[[Artifact], list[Item]]:
    def items(artifact: Artifact) -> list[Item]:
        made = pipeline(artifact)
        return _VIEWS[name](made) if made is not None else []

    return items


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {
    "file": file,
    **{name: _view(name) for name in ("steps", "actions", "calls")},
}
