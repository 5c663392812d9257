"""Turns a Compose file and the files it draws on into one model: base, override, `extends`, `include`, `.env`.

Files are read through the project only, never outside of its root, and never one that git ignores: what a laptop
has and CI has not must not change an answer. What could not be read is a gap, and a gap makes what depends on it
unknown instead of missing.
"""

from __future__ import annotations

from ..model import ABSENT, MAP, SCALAR, SEQ, UNKNOWN, Node
from ..syntax import yaml
from . import compose_merge as merge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model import Artifact

    Trail = tuple[tuple[str, str], ...]

# The names Compose looks for, best first (docs.docker.com/compose/intro/compose-application-model).
DEFAULT_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_SECTIONS = ("services", "volumes", "networks", "secrets", "configs")
_FILES = 50  # files one model may draw on, and steps of one chain of `extends`


class Model:
    """What Compose would run.

    `root`: the merged tree, services in canonical form. `documents`: the whole files in it, own file last.
    `files`: paths of the other files read wholly. `gaps`: service -> why it is not fully known, "" for the whole
    model. `values`: what `.env` gives. `folders`: path of a file -> folder its relative paths start at.
    """

    __slots__ = ("root", "documents", "files", "gaps", "values", "folders")

    def __init__(self) -> None:
        self.root: Node = ABSENT
        self.documents: list[Node] = []
        self.files: list[str] = []
        self.gaps: dict[str, str] = {}
        self.values: dict[str, str] = {}
        self.folders: dict[str, str] = {}

    def folder(self, node: Node) -> str:
        """The folder at which relative paths of a node start."""
        path = node.source.path
        return self.folders.get(path, parent(path))


def parent(path: str) -> str:
    """The folder of a path, "" for the root."""
    return path.rpartition("/")[0]


def resolve(folder: str, path: str) -> str | None:
    """A relative path from a folder, relative to the root; None when it leaves the root or is not relative."""
    if not path or path[0] in "/~" or "\\" in path or "://" in path:
        return None
    steps = folder.split("/") if folder else []
    for step in path.split("/"):
        if step == "..":
            if not steps:
                return None
            steps.pop()
        elif step not in ("", "."):
            steps.append(step)
    return "/".join(steps)


def documents(root: Node) -> list[Node]:
    """The maps among the documents of a file."""
    return [each for each in (root.value if root.kind is SEQ else [root]) if each.kind is MAP]


def assemble(artifact: Artifact, alone: bool = False) -> Model:
    """The model of one artifact, merged with its base or override unless `alone`."""
    return _Assembly(artifact).model([] if alone else None)


def base_of(artifact: Artifact) -> str | None:
    """The Compose file beside this one that it overrides, None when it stands for itself.

    It is an override when a service of it has neither `image`, `build` nor `extends`: Compose refuses such a file
    alone ("service has neither an image nor a build context specified").
    """
    project = artifact.project
    folder, _, own = artifact.path.rpartition("/")
    if project is None or own in DEFAULT_NAMES or not _is_fragment(artifact.root):
        return None
    names = project.names(folder)
    for name in DEFAULT_NAMES:
        path = f"{folder}/{name}" if folder else name
        if name in names and not project.ignored(path):
            return path
    return None


def override_of(artifact: Artifact) -> str | None:
    """The `*.override.*` file Compose reads together with this one, None when there is none or it is for development.

    Compose reads it by itself when it is started without `-f`.
    """
    project = artifact.project
    folder, _, own = artifact.path.rpartition("/")
    if project is None or own not in DEFAULT_NAMES:
        return None
    stem = own.rpartition(".")[0]
    names = project.names(folder)
    for ending in ("yml", "yaml"):
        name = f"{stem}.override.{ending}"
        path = f"{folder}/{name}" if folder else name
        if name in names and not project.ignored(path):
            other = project.artifact(path)
            if other is not None and (other.state != "judged" or other.environment != "production"):
                return None
            return path
    return None


def _is_fragment(root: Node) -> bool:
    for document in documents(root):
        for _, service in document.get("services").items():
            if service.kind is MAP and not any(service.get(name) for name in ("image", "build", "extends", "provider")):
                return True
    return False


class _Assembly:
    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self.project = artifact.project
        self.trees: dict[str, list[Node] | None] = {}
        self.result = Model()

    def model(self, extra: list[str] | None) -> Model:
        artifact, result = self.artifact, self.result
        base = base_of(artifact) if extra is None else None
        override = override_of(artifact) if extra is None else None
        paths = [path for path in (base, artifact.path, override) if path is not None]
        folder = parent(artifact.path)
        result.values = self.values(folder)
        merged = ABSENT
        for path in paths:
            merged = self.file(path, merged)
            if path != artifact.path:
                result.files.append(path)
        if merged.kind is MAP:
            merged = self.included(merged, (artifact.path, *paths), 0)
        if any("!reset" in document.source.text for document in result.documents):
            merged = merge.strip_reset(merged)
        if base is None and extra is None and _is_fragment(artifact.root):
            for name, (_, service) in (merged.get("services").index or {}).items():
                if service.kind is MAP and not any(service.get(key) for key in ("image", "build", "provider")):
                    result.gaps.setdefault(name, "it overrides a service of a file that is not beside it")
        result.root = merged
        return result

    def values(self, folder: str) -> dict[str, str]:
        """What the folder's `.env` sets, nothing when there is none or git ignores it."""
        path = f"{folder}/.env" if folder else ".env"
        if self.project is None or not self.project.exists(path) or self.project.ignored(path):
            return {}
        source = self.project.read(path)
        if source is None:
            return {}
        from ..syntax import dotenv

        root, _ = dotenv.parse(source, "compose")
        return {name: value for name, value in dotenv.expand(root, {}).items() if isinstance(value, str)}

    def trees_of(self, path: str) -> list[Node] | None:
        """The documents of a file, interpolated; None when it cannot be read."""
        if path in self.trees:
            return self.trees[path]
        found: list[Node] | None = None
        if path == self.artifact.path:
            found = documents(self.artifact.root)
        elif self.project is not None and len(self.trees) < _FILES and not self.project.ignored(path):
            source = self.project.read(path)
            if source is not None:
                found = [each for each in yaml.parse(source)[0] if each.kind is MAP]
        self.trees[path] = [merge.interpolate(each) for each in found] if found is not None else None
        return self.trees[path]

    def file(self, path: str, merged: Node) -> Node:
        """A whole file merged over what is there; its services in canonical form, `extends` resolved."""
        trees = self.trees_of(path)
        if trees is None:
            self.result.gaps[""] = f"'{path}' cannot be read"
            return merged
        for tree in trees:
            self.result.documents.append(tree)
            services = tree.get("services")
            if services.kind is MAP:
                resolved = [(key, self.top(services, key, value, path)) for key, value in services.items()]
                pairs = [(k, merge.like(v, resolved) if k.value == "services" else v) for k, v in tree.items()]
                tree = merge.like(tree, pairs)
            merged = merge.merge_files(merged, tree)
        return merged

    def top(self, services: Node, key: Node, value: Node, path: str) -> Node:
        resolved, gap = self.service(services, value, path, ((path, key.value),))
        if gap is not None:
            self.result.gaps.setdefault(key.value, gap)
        return resolved

    def service(self, services: Node, value: Node, path: str, trail: Trail) -> tuple[Node, str | None]:
        """A service with what it extends merged below it, and why that could not be done."""
        service = merge.canonical(value)
        extends = merge.entry(service, "extends")
        if extends.is_null():
            return service, None
        named, file = extends, ABSENT
        if extends.kind is MAP:
            named, file = extends.get("service"), extends.get("file")
        name = named.text()
        if name is None or file.kind is UNKNOWN:
            return service, "what it extends cannot be known"
        where = path
        if file:
            target = resolve(parent(path), file.text() or "")
            trees = self.trees_of(target) if target is not None else None
            if target is None or trees is None:
                return service, "the file it extends cannot be read"
            where, services = target, next((s for t in trees if (s := t.get("services")).get(name)), ABSENT)
        base = merge.entry(services, name)
        if base.kind is not MAP or (where, name) in trail or len(trail) > _FILES:
            return service, f"the service it extends, '{name}', is not there"
        below, gap = self.service(services, base, where, (*trail, (where, name)))
        return merge.merge_services(below, service), gap

    def included(self, merged: Node, trail: tuple[str, ...], depth: int) -> Node:
        """The tree with the resources of included files added; names already there win."""
        include = merged.get("include")
        for each in include.elements():
            paths, project_folder = self.include_paths(each)
            if paths is None or depth > 20:
                self.result.gaps[""] = "an included file cannot be read"
                continue
            if any(path in trail for path in paths):
                continue
            inner: Node = ABSENT
            for path in paths:
                self.result.folders[path] = project_folder
                inner = self.file(path, inner)
                self.result.files.append(path)
            self.result.values = {**self.values(project_folder), **self.result.values}
            if inner.kind is MAP:
                inner = self.included(inner, (*trail, *paths), depth + 1)
                merged = _add_missing(merged, inner)
        return merged

    def include_paths(self, entry: Node) -> tuple[list[str] | None, str]:
        folder = self.result.folder(entry)
        nodes = [entry]
        project_folder = None
        if entry.kind is MAP:
            path = entry.get("path")
            nodes = list(path.elements()) or [path]
            project_folder = entry.get("project_directory").text()
        paths = []
        for node in nodes:
            target = resolve(folder, node.text() or "")
            if target is None or self.trees_of(target) is None:
                return None, folder
            paths.append(target)
        return paths, (resolve(folder, project_folder) if project_folder else None) or parent(paths[0])


def _add_missing(merged: Node, inner: Node) -> Node:
    pairs = list(merged.items())
    for section in _SECTIONS:
        theirs = inner.get(section)
        if theirs.kind is not MAP:
            continue
        ours = merged.get(section)
        if ours.kind is not MAP:
            pairs = [pair for pair in pairs if pair[0].value != section]
            pairs.append((Node(SCALAR, section, theirs.source, theirs.start, theirs.start), theirs))
            continue
        names = ours.index or {}
        joined = [*ours.items(), *(pair for pair in theirs.items() if pair[0].value not in names)]
        pairs = [(k, merge.like(ours, joined) if k.value == section else v) for k, v in pairs]
    return merge.like(merged, pairs)
