"""Turns a Dockerfile's place in the tree into its build context: the folder, the ignore file, who builds it and how.

A Compose service that builds the file names the context. Otherwise it is the folder, at or above the file, in which
most of what COPY names is found. The ignore file: `<Dockerfile>.dockerignore` beside the file, else `.dockerignore` at
the context's root (https://docs.docker.com/build/concepts/context/#dockerignore-files).
"""

from __future__ import annotations

from ..model import SCALAR, Item, Node
from ..syntax.ignore import DOCKER, Patterns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..model import Artifact

_WILD = frozenset("*?[")


class Context:
    """`folder`: relative to the root, "" for the root itself, None when nothing tells. `certain`: a file names it.

    `ignore`: the patterns of the ignore file, None when there is none; `ignore_path`: its path, or where it belongs.
    `services`: the Compose services that build this file, as (artifact, service).
    """

    __slots__ = ("_seen", "certain", "folder", "ignore", "ignore_path", "project", "services")

    def __init__(self, project: Any, folder: str | None, certain: bool, services: list[tuple[Artifact, Item]]) -> None:
        self.project = project
        self.folder = folder
        self.certain = certain
        self.services = services
        self.ignore: Patterns | None = None
        self.ignore_path = ".dockerignore"
        self._seen: dict[str, bool] = {}

    def path(self, source: str) -> str | None:
        """Where in the tree a source of COPY lies; None when the context is not known."""
        if self.folder is None:
            return None
        steps = [step for step in source.split("/") if step not in ("", ".")]
        kept: list[str] = []
        for step in steps:
            if step == "..":
                if kept:
                    kept.pop()
            else:
                kept.append(step)
        return "/".join([*([self.folder] if self.folder else []), *kept])

    def excluded(self, path: str) -> bool:
        """Whether the ignore file keeps a path (relative to the context) out of the build."""
        return self.ignore is not None and self.ignore.match(path) is True

    def exists(self, source: str) -> bool:
        """Whether a source of COPY is there, kept out or not."""
        found = self._seen.get(source)
        if found is None:
            path = self.path(source)
            found = self._seen[source] = path is not None and (path == "" or self.project.exists(path))
        return found


def find(artifact: Artifact, copies: list[Item]) -> Context:
    """The build context of a Dockerfile."""
    project = artifact.project
    if project is None:
        return Context(None, None, False, [])
    built = _services(artifact)
    # The services that run in production say more than those of a development file.
    built.sort(key=lambda entry: (entry[0].state != "judged", entry[0].path))
    if built:
        context = Context(project, built[0][2], True, [(compose, service) for compose, service, _ in built])
    else:
        context = Context(project, *_guess(artifact, copies), [])
    _read_ignore(context, artifact)
    return context


def _services(artifact: Artifact) -> list[tuple[Artifact, Item, str]]:
    """(compose file, service, context folder) of every service that is built from the file."""
    project = artifact.project
    found = project.artifacts("compose")
    if not found:
        return []
    count, known = project.facts.get("built by compose", (0, {}))
    if count != len(found):  # some are read only when something names them
        known = _built(found)
        project.facts["built by compose"] = len(found), known
    return list(known.get(artifact.path, ()))


def _built(found: list[Artifact]) -> dict[str, list[tuple[Artifact, Item, str]]]:
    """Path of a Dockerfile -> (compose file, service, context folder) of every service that is built from it."""
    from . import compose
    from .compose_model import resolve

    built: dict[str, list[tuple[Artifact, Item, str]]] = {}
    for other in found:
        if other.state == "broken":
            continue
        for service in compose.VIEWS["services"](other):
            build = service.facts["build"]
            if build is None or build.facts["inline"]:
                continue
            context, name = build.facts["context"], build.facts["dockerfile"]
            if isinstance(context, Node) or isinstance(name, Node):
                continue
            folder = resolve(compose.model_of(other).folder(build.node), context or ".")
            path = resolve(folder, name or "Dockerfile") if folder is not None else None
            if folder is not None and path is not None:
                built.setdefault(path, []).append((other, service, folder))
    return built


def _guess(artifact: Artifact, copies: list[Item]) -> tuple[str | None, bool]:
    """(folder, whether the sources of COPY leave no doubt) for a file that no Compose service builds."""
    project = artifact.project
    sources = [
        word.value
        for copy in copies
        for word in copy.facts["sources"]
        if copy.facts["from"] is None and word.kind is SCALAR and plain(word.value) and word.value.strip("./")
    ]
    home = artifact.path.rpartition("/")[0]
    folders = [home]
    while home:
        home = home.rpartition("/")[0]
        folders.append(home)
    if not sources:
        return folders[0], len(folders) == 1
    counts = [
        sum(project.exists(f"{folder}/{name.lstrip('./')}" if folder else name.lstrip("./")) for name in sources)
        for folder in folders
    ]
    best = max(counts)
    if best == 0:
        return folders[0], False
    return folders[counts.index(best)], counts.count(best) == 1


def plain(source: str) -> bool:
    """A source of COPY that names one file or folder of the context: no wildcard, no URL, no variable."""
    return (
        "://" not in source and "$" not in source and not _WILD.intersection(source) and not source.startswith("git@")
    )


def _read_ignore(context: Context, artifact: Artifact) -> None:
    if context.folder is None:
        return
    for path in (artifact.path + ".dockerignore", context.path(".dockerignore") or ".dockerignore"):
        source = context.project.read(path)
        context.ignore_path = path
        if source is not None:
            context.ignore = Patterns(source.text, dialect=DOCKER)
            return
