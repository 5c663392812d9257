"""Turns the mounts of Compose services and the COPYs of Dockerfiles into the paths that files have for nginx.

The official image reads /etc/nginx/nginx.conf, which takes in /etc/nginx/conf.d/*.conf, and makes the latter from
/etc/nginx/templates/*.template at start (https://hub.docker.com/_/nginx, looked up 2026-11-25).
"""

from __future__ import annotations

from ..model import SCALAR, Item, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_TEMPLATES = "/etc/nginx/templates/"


class Mount:
    """A file or folder of the repository (`path`) at a path of a container (`target`).

    `unit` tells one container from another, `owner` is the Compose file or Dockerfile, `node` the line in it, `image`
    the facts of the image that runs (`repository`, `tag`), None when it is not known.
    """

    __slots__ = ("target", "path", "unit", "owner", "node", "image")

    def __init__(
        self, target: str, path: str, unit: str, owner: Artifact, node: Node, image: dict[str, Any] | None
    ) -> None:
        self.target = target
        self.path = path
        self.unit = unit
        self.owner = owner
        self.node = node
        self.image = image


def mounts(project: Any) -> list[Mount]:
    """Every mount and COPY of the tree, worked out once."""
    if project is None:
        return []
    known: list[Mount] | None = project.facts.get("nginx_mounts")
    if known is None:
        project.facts["nginx_mounts"] = []  # what asks while it is being worked out gets nothing
        known = project.facts["nginx_mounts"] = [*_of_compose(project), *_of_dockerfiles(project)]
    return known


def _of_compose(project: Any) -> Iterator[Mount]:
    artifacts = [each for each in project.artifacts("compose") if each.state != "broken"]
    if not artifacts:
        return
    from . import compose
    from .compose_model import resolve

    for artifact in artifacts:
        model = compose.model_of(artifact)
        files = {
            each.facts["name"]: each.node.get("file")
            for each in compose.VIEWS["file"](artifact)[0].facts["configs"]
            if each.node.get("file").kind is SCALAR
        }
        for service in compose.VIEWS["services"](artifact):
            image = service.facts["image"]
            unit = f"{artifact.path}#{service.facts['name']}"
            facts = image.facts if image is not None and service.facts["build"] is None else None
            for volume in service.facts["volumes"]:
                if volume.facts["type"] == "bind" and volume.facts["source"] and volume.facts["known"]:
                    path = resolve(model.folder(volume.node), volume.facts["source"])
                    if path is not None:
                        yield Mount(volume.facts["target"].rstrip("/"), path, unit, artifact, volume.node, facts)
            for config in service.facts["configs"]:
                node = files.get(config.facts["name"])
                target = config.node.get("target").text()
                if node is not None and target:
                    path = resolve(model.folder(node), str(node.value))
                    if path is not None:
                        yield Mount(target, path, unit, artifact, config.node, facts)


def _of_dockerfiles(project: Any) -> Iterator[Mount]:
    artifacts = [each for each in project.artifacts("dockerfile") if each.state != "broken"]
    if not artifacts:
        return
    from . import dockerfile

    for artifact in artifacts:
        if "nginx" not in artifact.source.text:
            continue
        context = dockerfile.of(artifact)["context"]
        for stage in dockerfile.VIEWS["final_stage"](artifact):
            image = stage.facts.get("image")
            facts = image.facts if isinstance(image, Item) else None
            for part in (stage, *stage.facts["chain"]):
                for copy in part.facts["copies"]:
                    if copy.facts["from"] is None:
                        yield from _copied(copy, artifact, context, facts)


def _copied(copy: Item, artifact: Artifact, context: Any, image: dict[str, Any] | None) -> Iterator[Mount]:
    target = copy.facts["path"]
    if target is None:
        return
    sources = [word for word in copy.facts["sources"] if word.kind is SCALAR]
    for word in sources:
        path = context.path(word.value)
        if path is None or "*" in path:
            continue
        inside = len(sources) > 1 or str(copy.facts["dest"].value).endswith(("/", "/."))
        folder = context.project.exists(path) and bool(context.project.names(path))
        place = target.rstrip("/")
        if inside and not folder:
            place = f"{place}/{path.rpartition('/')[2]}"
        yield Mount(place, path, artifact.path, artifact, copy.node, image)


def places(project: Any, path: str) -> list[tuple[str, Mount]]:
    """(path in the container, mount) of a file of the repository, once for each place it is put."""
    found = []
    for mount in mounts(project):
        if mount.path == path:
            found.append((mount.target, mount))
        elif path.startswith(mount.path + "/"):
            found.append((mount.target + path[len(mount.path) :], mount))
    return [(where, mount) for where, mount in found if where.startswith("/etc/nginx") or where.endswith("nginx.conf")]


def _repository_files(mount: Mount, project: Any) -> Iterator[tuple[str, str]]:
    """(path in the container, path in the repository) of what a mount brings, one level deep."""
    names = project.names(mount.path)
    if not names:
        pairs = [(mount.target, mount.path)]
    else:
        pairs = [
            (f"{mount.target}/{name}", f"{mount.path}/{name}".lstrip("/")) for name in names if not name.endswith("/")
        ]
    for target, path in pairs:
        if target.startswith(_TEMPLATES) and target.endswith(".template"):
            target = "/etc/nginx/conf.d/" + target[len(_TEMPLATES) : -len(".template")]
        yield target, path


def included(project: Any, path: str, pattern: str) -> list[str] | None:
    """The files of the repository that an `include` in a file brings in; None when that cannot be told.

    First what is mounted or copied beside the file, then a file of that name beside it in the repository.
    """
    if "$" in pattern:
        return None
    whole = pattern if pattern.startswith("/") else "/etc/nginx/" + pattern
    units = {mount.unit for _, mount in places(project, path)}
    found: list[str] = []
    for mount in mounts(project):
        if mount.unit not in units:
            continue
        if whole.startswith(mount.target + "/") and "*" not in whole:
            inside = mount.path + whole[len(mount.target) :]
            if project.exists(inside):
                found.append(inside.lstrip("/"))
                continue
        found += [source for target, source in _repository_files(mount, project) if _matches(whole, target)]
    if found:
        return sorted(dict.fromkeys(each for each in found if each != path))
    folder = path.rpartition("/")[0]
    rest = pattern.removeprefix("/etc/nginx/").removeprefix("./")
    if rest.startswith("/"):
        return None
    for base in dict.fromkeys((folder, folder.rpartition("/")[0])):
        found = [each for each in _beside(project, base, rest) if each != path]
        if found:
            return sorted(found)
    return None


def _beside(project: Any, base: str, rest: str) -> list[str]:
    place = f"{base}/{rest}".lstrip("/")
    if ".." in place.split("/"):
        return []
    head, _, last = place.rpartition("/")
    if "*" in head or "?" in head:
        return []
    if "*" not in last and "?" not in last:
        return [place] if project.exists(place) and not project.names(place) else []
    prefix = head + "/" if head else ""
    return [
        prefix + name
        for name in project.names(head)
        if not name.endswith("/") and _matches(last, name) and not name.startswith(".")
    ]


def _matches(pattern: str, text: str) -> bool:
    if "*" not in pattern and "?" not in pattern:
        return pattern == text
    import re

    if len(pattern) > 400 or pattern.count("*") > 8:
        return False
    wild = {"*": "[^/]*", "?": "[^/]"}
    parts = [wild.get(piece) or re.escape(piece) for piece in re.split(r"([*?])", pattern)]
    return re.fullmatch("".join(parts), text) is not None
