"""Turns the tree into the paths that are asked of its web applications: by probes, platforms, images, their own code.

Who asks a database or somebody else's image is left out: only what can be the repository's own application is asked
for here.
"""

from __future__ import annotations

import re

from ..model import SCALAR, UNKNOWN, Item, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_KEY = "asked_paths"
_STANDARD = "/api/health"
# `curl -f http://localhost:3000/api/health`: the process asks itself.
_OWN_URL = re.compile(
    r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(?:\d+|\$\{?\w+\}?))?(/[^\s'\"`|;&)\\]*)"
)
# What starts a Next.js application: itself, a script, its standalone server.
_IS_NODE = re.compile(r"\b(?:next|npm|pnpm|yarn|bun|node|npx)\b")
_PROBES = (("livenessProbe", "liveness"), ("readinessProbe", "readiness"), ("startupProbe", "startup"))
_CALLERS = ("fetch", "axios", "axios.get", "axios.post", "navigator.sendBeacon", "ky", "ky.get", "ky.post", "$fetch")


def items(project: Any) -> list[Item]:
    """Every question: facts `path`, `who` (words), `folder`, `health` (asked to see whether it works), `platform`."""
    known: list[Item] | None = project.facts.get(_KEY)
    if known is None:
        known = [*_railway(project), *_kubernetes(project), *_compose(project), *_images(project), *_code(project)]
        if project.elo and not any(item.facts["health"] for item in known):
            known.extend(_standard(project))
        project.facts[_KEY] = known
    return known


def health(project: Any) -> list[Item]:
    """The questions that decide whether the application is kept running."""
    return [item for item in items(project) if item.facts["health"]]


def _item(node: Node, path: str, who: str, folder: str, asks: bool = True, platform: bool = False) -> Item:
    return Item(node, {"path": path, "who": who, "folder": folder, "health": asks, "platform": platform}, node)


def _judged(project: Any, kind: str) -> Iterator[tuple[Artifact, Any]]:
    from ..kinds import module_of

    for artifact in project.artifacts(kind):
        if artifact.state == "judged":
            yield artifact, module_of(kind)


def _view(artifact: Artifact, module: Any, name: str) -> list[Item]:
    found: list[Item] | None = artifact.views.get(name)
    if found is None:
        found = artifact.views[name] = module.VIEWS[name](artifact)
    return found


def _standard(project: Any) -> Iterator[Item]:
    """The declared standard asks where nobody else does, at the line that declares it."""
    from . import routes

    source = project.read("elo-gate.toml")
    if source is None or not routes.applications(project):
        return
    for word in ("platforms", "standard"):
        at = source.text.find(word)
        if at >= 0:
            node = Node(SCALAR, word, source, at, at + len(word))
            yield _item(node, _STANDARD, "the declared standard", routes.applications(project)[0].folder)
            return


def _railway(project: Any) -> Iterator[Item]:
    for artifact, module in _judged(project, "railway"):
        for service in _view(artifact, module, "services"):
            node = service.facts["healthcheckPath"]
            start = service.facts["startCommand"].text() or "next"
            if not _IS_NODE.search(start):
                continue
            text = node.text() if node.kind is SCALAR else None
            if text is not None and text.startswith("/"):
                yield _item(node, text, "the health check of Railway", module.folder_of(artifact), platform=True)


def _kubernetes(project: Any) -> Iterator[Item]:
    found: list[tuple[Item, str]] = []
    for artifact, module in _judged(project, "k8s"):
        for container in _view(artifact, module, "containers"):
            for field, fact in _PROBES:
                handler = container.facts[fact].get("httpGet")
                node = handler.get("path")
                text = node.text() if node.kind is SCALAR else None
                if text is None or not text.startswith("/") or handler.get("host"):
                    continue
                who = f"{field} of {container.facts['name']}"
                folder = artifact.path.rpartition("/")[0]
                found.append((_item(node, text, who, folder, platform=True), _image(container)))
    images = {image for _, image in found}
    own = _own_names(project)
    for item, image in found:
        words = set(re.split(r"[^a-z0-9]+", image.lower()))
        # The one image that is asked by path, or one that is named as the application is.
        if image and (words & own or (len(images) == 1 and not _is_public(image))):
            yield item


def _image(container: Item) -> str:
    """The last part of an image's name, without tag and digest; "" when it cannot be known."""
    image = container.facts["image"]
    node = image.node if isinstance(image, Item) else image
    if node is None or node.kind is UNKNOWN or not isinstance(node.value, str):
        return ""
    name: str = node.value.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


def _is_public(image: str) -> bool:
    """Whether an image is on Docker Hub under a name (`grafana/grafana`), or in a public project's registry."""
    first = image.partition("/")[0]
    return ("/" in image and "." not in first and ":" not in first) or first in (
        "quay.io",
        "registry.k8s.io",
        "docker.io",
    )


def _own_names(project: Any) -> set[str]:
    """The words of the names of the tree's applications: of their packages, and of the images that compose builds."""
    from . import routes

    common = {"app", "web", "the", "my", "service", "server", "api", "site", "next", "nextjs", "prod", "production"}
    found: set[str] = set()
    for app in routes.applications(project):
        package = project.package(f"{app.folder}/package.json" if app.folder else "package.json")
        name = package.name if package is not None else None
        found |= set(re.split(r"[^a-z0-9]+", (name or "").lower().rpartition("/")[2]))
    return {word for word in found - common if len(word) > 2}


def _compose(project: Any) -> Iterator[Item]:
    for artifact, module in _judged(project, "compose"):
        folder = artifact.path.rpartition("/")[0]
        built: dict[str, list[Item]] = {}
        for service in _view(artifact, module, "services"):
            build = service.node.get("build")
            context = build.text() if build.kind is SCALAR else build.get("context").text()
            if build and context is not None and not any(mark in context for mark in ("$", "..", "://")):
                image = build.get("dockerfile").text() or ""
                parts = (folder, context.strip("./"), image.rpartition("/")[0].strip("./"))
                built.setdefault("/".join(part for part in parts if part), []).append(service)
        for where, services in built.items():
            if len(services) == 1:  # of several that are built in one folder, nobody knows which one is the application
                test = services[0].node.get("healthcheck", "test")
                for each in (test, *test.elements()):
                    yield from _urls(each, f"the health check of {services[0].place.value}", where)


def _images(project: Any) -> Iterator[Item]:
    found = list(_judged(project, "dockerfile"))
    in_folder: dict[str, int] = {}
    for artifact, _ in found:
        folder = artifact.path.rpartition("/")[0]
        in_folder[folder] = in_folder.get(folder, 0) + 1
    for artifact, module in found:
        if in_folder[artifact.path.rpartition("/")[0]] > 1:
            continue
        for stage in _view(artifact, module, "final_stage"):
            check = stage.facts.get("healthcheck")
            node = check.node if isinstance(check, Item) else check
            if isinstance(node, Node) and node.source.path:
                words = Node(SCALAR, node.source.text[node.start : node.end], node.source, node.start, node.end)
                yield from _urls(words, "HEALTHCHECK of the image", artifact.path.rpartition("/")[0])


def _urls(node: Node, who: str, folder: str) -> Iterator[Item]:
    """The path of a URL of the container's own, at its place within the text as written."""
    if node.kind is not SCALAR:
        return
    match = _OWN_URL.search(node.source.text, node.start, node.end)
    if match is not None:
        start, end = match.span(1)
        yield _item(Node(SCALAR, match[1], node.source, start, end), match[1], who, folder)


def _code(project: Any) -> Iterator[Item]:
    artifacts = project.artifacts("code")
    if not artifacts:
        return
    from ..kinds import code

    for artifact in artifacts:
        module = code.module_of(artifact) if artifact.state == "judged" else None
        for call in module.calls if module is not None else ():
            if module is None or call.callee not in _CALLERS or not call.arguments:
                continue
            text = module.literal(call.arguments[0])
            if text is not None and text.startswith("/api/"):
                where = artifact.path.rpartition("/")[0]
                yield _item(
                    module.token(call.arguments[0], text), text, f"'{call.function or 'the module'}'", where, False
                )
