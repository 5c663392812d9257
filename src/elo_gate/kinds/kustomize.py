"""Turns the kustomizations of a tree into the objects that the production overlay would apply.

Known statically: resources, components, patches (strategic merge and JSON 6902), images, replicas,
namespace, labels; what a replacement touches becomes unknown. Names keep their base spelling: prefixes and
suffixes are applied to names and references alike. Remote resources and charts are not read; the tree is
then said to be open. Facts: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/.
"""

from __future__ import annotations

from ..model import ABSENT, SCALAR, SEQ, Node
from . import kustomize_build

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from ..model import Artifact

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_HOSTS = ("git@", "github.com/", "gitlab.com/", "bitbucket.org/")


def is_kustomization(path: str) -> bool:
    """Whether a path is one that kustomize reads as its own."""
    return path.rpartition("/")[2] in NAMES


class Kustomization:
    """One kustomization: its tree, the files it takes in, the kustomizations it builds on.

    `rank`: 2 when it is known to be production's, 1 when that is assumed, 0 when it is another environment's.
    """

    __slots__ = (
        "path", "folder", "root", "rank", "environment", "files", "bases", "components", "patches", "remote", "missing",
    )  # fmt: skip

    def __init__(self, path: str, root: Node, environment: str = "production", assumed: bool = True) -> None:
        self.path = path
        self.environment = environment
        self.rank = 0 if environment != "production" else 1 if assumed else 2
        self.folder = path.rpartition("/")[0]
        self.root = root
        self.files: list[str] = []
        self.bases: list[str] = []
        self.components: list[str] = []
        self.patches: list[str] = []
        self.remote: list[str] = []
        self.missing: list[Node] = []

    def join(self, entry: str) -> str:
        """A path of this kustomization, from the root of the tree; empty when it leaves the tree."""
        parts = self.folder.split("/") if self.folder else []
        for part in entry.split("/"):
            if part == "..":
                if not parts:
                    return ""
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return "/".join(parts)


class Graph:
    """The kustomizations of a tree and what each file is to them."""

    __slots__ = ("all", "patches", "owners", "unused", "_plans")

    def __init__(self) -> None:
        self.all: dict[str, Kustomization] = {}
        self.patches: dict[str, str] = {}  # patch file -> kustomization
        self.owners: dict[str, list[Kustomization]] = {}  # file -> roots that take it in, best first
        self.unused: dict[str, str] = {}  # file -> component that no kustomization takes in
        self._plans: dict[str, dict[str, list[Node]]] = {}

    def owner(self, path: str) -> Kustomization | None:
        """The root kustomization that stands for production where a file is concerned."""
        owners = self.owners.get(path)
        return owners[0] if owners else None

    def effective(self, path: str, documents: Callable[[str], Sequence[Node]]) -> list[Node] | None:
        """The objects of a file as its root applies them; None when no kustomization takes the file in."""
        root = self.owner(path)
        if root is None:
            return None
        plan = self._plans.get(root.path)
        if plan is None:
            plan = self._plans[root.path] = {}
            for origin, node in kustomize_build.build(self, root, documents, set()):
                plan.setdefault(origin, []).append(node)
        return plan.get(path, [])

    @property
    def remote(self) -> str:
        """What brings objects that are not in the tree, in words; empty when nothing does."""
        for item in self.all.values():
            if item.remote:
                # An address may hold a credential before its host or in its query.
                return f"{item.path} takes in '{item.remote[0].rpartition('@')[2].partition('?')[0]}'"
        return ""


def graph(project: Any, artifacts: Sequence[Artifact], tree: Callable[[Artifact], Node]) -> Graph:
    """The kustomizations among artifacts. `tree` gives an artifact's documents."""
    result = Graph()
    for artifact in artifacts:
        if is_kustomization(artifact.path):
            root = tree(artifact)
            document = root.value[0] if root.kind is SEQ and root.value else ABSENT
            found = Kustomization(artifact.path, document, artifact.environment, artifact.assumed)
            result.all[artifact.path] = found
    for item in result.all.values():
        _resolve(item, project, result)
    used = {path for item in result.all.values() for path in item.bases + item.components}
    for path in sorted(result.all):
        item = result.all[path]
        if path in used:
            continue
        component = item.root.get("kind").text() == "Component"
        for file in _reached(result, item, set()):
            if component:
                result.unused.setdefault(file, path)
            else:
                result.owners.setdefault(file, []).append(item)
    for owners in result.owners.values():
        owners.sort(key=lambda root: (-root.rank, root.path))
    return result


def _reached(graph: Graph, item: Kustomization, seen: set[str]) -> Iterator[str]:
    if item.path in seen or len(seen) > kustomize_build.LIMIT:
        return
    seen.add(item.path)
    yield item.path
    yield from item.files
    for path in item.bases + item.components:
        child = graph.all.get(path)
        if child is not None:
            yield from _reached(graph, child, seen)


def _resolve(item: Kustomization, project: Any, graph: Graph) -> None:
    root = item.root
    for key, into in (("resources", item.bases), ("bases", item.bases), ("components", item.components)):
        for entry in root.get(key).elements():
            text = entry.text()
            if text is None:
                continue
            if "://" in text or "?" in text or text.startswith(_HOSTS):
                item.remote.append(text)
                continue
            path = item.join(text)
            inner = next((name for name in NAMES if f"{path}/{name}".lstrip("/") in graph.all), None)
            if inner is not None:
                into.append(f"{path}/{inner}".lstrip("/"))
            elif path in graph.all:
                into.append(path)
            elif path and project is not None and project.exists(path):
                item.files.append(path)
            elif project is not None:
                item.missing.append(entry)
    for key in ("helmCharts", "helmChartInflationGenerator", "generators", "transformers"):
        if root.get(key):
            item.remote.append(key)
    for key in ("patches", "patchesStrategicMerge", "patchesJson6902"):
        for entry in root.get(key).elements():
            name = entry.text() if entry.kind is SCALAR else entry.get("path").text()
            if name is None or "\n" in name:
                continue
            path = item.join(name)
            item.patches.append(path)
            graph.patches.setdefault(path, item.path)
            if project is not None and not project.exists(path):
                item.missing.append(entry if entry.kind is SCALAR else entry.get("path"))
