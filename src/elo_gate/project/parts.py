"""Turns each file of a tree into the parts of services it speaks of, and what it claims about them.

A part is an application (its package.json), an image (the released stage of a Dockerfile), or something that runs one:
a Compose service, a container of a workload, a service of Railway, a Vercel project.
"""

from __future__ import annotations

import re

from ..model import SCALAR, UNKNOWN, Item, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

APPLICATION, IMAGE = "application", "image"
COMPOSE, KUBERNETES, RAILWAY, VERCEL = "compose", "kubernetes", "railway", "vercel"

# `http://localhost:3000/api/health`, `127.0.0.1:8080`.
_LOCAL = re.compile(r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(\d{1,5}))?(/[^\s\"'|;)]*)?")
_PORT_OPTION = re.compile(r"(?:^|\s)(?:-p|--port)[ =](\d{2,5})(?=\s|$)")
_NODE_IMAGE = re.compile(r"(?:^|/)node$")
_MAJOR = re.compile(r"v?(\d{1,2})(?:[.-]|$)")


class Claim:
    """A value with a role and the node that says so.

    Roles: "listens" (a port the program is told to use), "default" (the port it uses untold), "exposed", "receives" (a
    port traffic is sent to), "probed" (a port that is asked for health), "health" (a path), "image" (a name without
    tag), "user" (a name, "" for root by default), "node" (a major version).
    """

    __slots__ = ("value", "role", "node")

    def __init__(self, value: Any, role: str, node: Node) -> None:
        self.value = value
        self.role = role
        self.node = node


class Part:
    """What one file says about a service. `item` is what its kind knows; `open`: why a claim may be missing."""

    __slots__ = ("kind", "name", "path", "place", "item", "artifact", "claims", "open")

    def __init__(self, kind: str, name: str, place: Node, item: Item | None, artifact: Artifact | None) -> None:
        self.kind = kind
        self.name = name
        self.path = place.source.path
        self.place = place
        self.item = item
        self.artifact = artifact
        self.claims: list[Claim] = []
        self.open = ""

    def claim(self, value: Any, role: str, node: Node) -> None:
        self.claims.append(Claim(value, role, node))

    def of(self, *roles: str) -> list[Claim]:
        """The claims of some roles."""
        return [claim for claim in self.claims if claim.role in roles]


def of(project: Any) -> list[Part]:
    found = [*_images(project), *_compose(project), *_pods(project), *_railway(project), *_vercel(project)]
    applications: dict[str, Part] = {}
    places = {each.path.rpartition("/")[0]: each for each in _judged(project, "next")}
    for folder in [*(folder for part in found if (folder := folder_of(part)) is not None), *places]:
        home = home_of(project, folder)
        if home in applications:
            continue
        package = project.package(f"{folder}/x" if folder else "x")
        if package is not None and package.root:
            name = package.name or home.rpartition("/")[2] or "application"
            place = package.root.key("name") or next((key for key, _ in package.root.items()), package.root)
        elif home in places:
            from ..kinds import next as config

            name, place = home.rpartition("/")[2] or "application", config.token(places[home])
        else:
            continue
        applications[home] = Part(APPLICATION, name, place, None, None)
    return [*(applications[path] for path in sorted(applications)), *found]


def home_of(project: Any, folder: str) -> str:
    """The folder of the application that a folder belongs to: its nearest package.json, else the folder itself."""
    package = project.package(f"{folder}/x" if folder else "x")
    return str(package.path.rpartition("/")[0]) if package is not None else folder


def _judged(project: Any, kind: str) -> list[Artifact]:
    return [each for each in project.artifacts(kind) if each.state == "judged"]


def folder_of(part: Part) -> str | None:
    """The folder of the application that a part is about; None when nothing tells."""
    if part.kind == IMAGE and part.artifact is not None:
        from ..kinds import dockerfile

        context = dockerfile.of(part.artifact)["context"]
        folder = context.folder
        home = part.path.rpartition("/")[0]
        # A Dockerfile in an application's own folder is for it, also where the context is a workspace's root.
        if (
            folder is not None
            and home.startswith(folder)
            and context.project.exists(f"{home}/package.json".lstrip("/"))
        ):
            return home
        return folder if context.certain or context.folder == home else None
    if part.kind == VERCEL:
        return part.path.rpartition("/")[0]
    if part.kind == RAILWAY and part.item is not None:
        folder = part.item.facts["folder"]
        return str(folder)
    return None


def _images(project: Any) -> Iterator[Part]:
    artifacts = _judged(project, "dockerfile")
    if not artifacts:
        return
    from ..kinds import dockerfile

    for artifact in artifacts:
        for stage in dockerfile.VIEWS["final_stage"](artifact):
            facts = stage.facts
            part = Part(IMAGE, artifact.path, stage.place, stage, artifact)
            for port in facts["ports"]:
                if isinstance(port.facts["port"], Node):
                    part.open = "a variable holds an exposed port"
                elif port.facts["protocol"] == "tcp":
                    part.claim(port.facts["port"], "exposed", port.node)
            _listens(part, {name: each.facts["value"] for name, each in facts["env"].items()})
            for command in dockerfile.started(stage):
                match = _PORT_OPTION.search(command.facts["text"])
                if match is not None:
                    part.claim(int(match[1]), "listens", command.node)
                elif _next_server(command, project.package(artifact.path)):
                    part.claim(3000, "default", command.node)
            _health(part, facts["healthcheck"])
            user = facts["user"]
            if user is not None and isinstance(user.facts["name"], str):
                part.claim(user.facts["name"], "user", user.node)
            base = facts["base"]
            if (
                isinstance(base, Item)
                and isinstance(base.facts["name"], str)
                and _NODE_IMAGE.search(base.facts["name"])
            ):
                match = _MAJOR.match(base.facts["tag"]) if isinstance(base.facts["tag"], str) else None
                if match is not None:
                    part.claim(int(match[1]), "node", base.node)
            yield part


def _next_server(command: Item, package: Any) -> bool:
    """Whether a command starts the server of Next.js, which listens on 3000 untold.

    https://nextjs.org/docs/app/api-reference/cli/next#next-start-options
    """
    call = command.facts["call"]
    if call.tool == "next" and "start" in call.arguments:
        return True
    if call.manager and call.script and package is not None:
        script = package.script(call.script) or ""
        return script.split()[:2] == ["next", "start"] and not _PORT_OPTION.search(script)
    return False


def _listens(part: Part, variables: dict[str, Any]) -> None:
    node = variables.get("PORT")
    if not isinstance(node, Node):
        return
    if node.kind is SCALAR and node.value.isdecimal() and len(node.value) < 6:
        part.claim(int(node.value), "listens", node)
    else:
        part.open = "a variable holds PORT"


def _health(part: Part, check: Item | None) -> None:
    if check is not None and not check.facts["none"]:
        _asked(part, check.facts["text"], check.node)


def _asked(part: Part, text: str, node: Node) -> None:
    for match in _LOCAL.finditer(text):
        if match[1]:
            part.claim(int(match[1]), "probed", node)
        if match[2]:
            part.claim(match[2].partition("?")[0], "health", node)


def _compose(project: Any) -> Iterator[Part]:
    artifacts = _judged(project, "compose")
    if not artifacts:
        return
    from ..kinds import compose, compose_roles

    for artifact in artifacts:
        for service in compose.VIEWS["services"](artifact):
            facts = service.facts
            if facts["role"] != compose_roles.APP:
                continue
            part = Part(COMPOSE, facts["name"], service.place, service, artifact)
            part.open = facts["open"] or ""
            for port in facts["ports"]:
                if port.facts["target"].isdecimal() and port.facts["protocol"] == "tcp":
                    part.claim(int(port.facts["target"]), "receives", port.node)
            variable = facts["environment"].get("PORT")
            if variable is not None:
                value = variable.facts["value"] or variable.facts["default"]
                _listens(part, {"PORT": variable.node if value == variable.node.value else _told(variable, value)})
            match = _PORT_OPTION.search(facts["command"] or "")
            if match is not None:
                part.claim(int(match[1]), "listens", service.node.get("command"))
            test = service.node.get("healthcheck", "test")
            if facts["health"] == "present" and test:
                words = [each.value for each in test.elements()] if test.elements() else [test.value]
                _asked(part, " ".join(str(word) for word in words), test)
            image = facts["image"]
            if image is not None and (image.facts["known"] or _named(image)):
                part.claim(_full(image.facts["registry"], image.facts["repository"]), "image", image.node)
            yield part


def _named(image: Item) -> bool:
    """Whether only the tag or the digest of an image is a variable."""
    head = str(image.facts["text"]).partition("$")[0]
    return ":" in head.rpartition("/")[2]


def _told(variable: Item, value: str | None) -> Node:
    """A variable's value as it applies by default, at the variable's place."""
    node = variable.node
    return Node(SCALAR if value else UNKNOWN, value or "", node.source, node.start, node.end, '"')


def _full(registry: str, repository: str) -> str:
    return repository if registry in ("docker.io", "", "index.docker.io") else f"{registry}/{repository}"


def _pods(project: Any) -> Iterator[Part]:
    artifacts = _judged(project, "k8s")
    if not artifacts:
        return
    from ..kinds import k8s, manifest

    for artifact in artifacts:
        for container in k8s.view(artifact, "containers"):
            facts = container.facts
            owner = facts["workload"].facts
            if facts["init"] or not owner["long_running"] or not isinstance(facts["image"], Item):
                continue
            part = Part(KUBERNETES, f"{owner['name']}/{facts['name']}", container.place, container, artifact)
            image = facts["image"].facts
            part.claim(_full(image["registry"], image["repository"]), "image", facts["image"].node)
            declared = manifest.ports(container)
            for _, number, node in declared:
                if number is None:
                    part.open = "a port is filled in when the manifest is deployed"
                elif (node.get("protocol").text() or "TCP") == "TCP":
                    part.claim(number, "receives", node.get("containerPort"))
            for entry in container.node.get("env").elements():
                if entry.get("name").text() == "PORT":
                    _listens(part, {"PORT": entry.get("value") or Node(UNKNOWN, "PORT", entry.source, 0, 0)})
            for probe in ("liveness", "readiness", "startup"):
                port = facts[probe].get("httpGet", "port")
                number = manifest.integer(port)
                if number is not None:
                    part.claim(number, "probed", port)
                path = facts[probe].get("httpGet", "path")
                if path.kind is SCALAR:
                    part.claim(path.value.partition("?")[0], "health", path)
            yield part


def _railway(project: Any) -> Iterator[Part]:
    artifacts = _judged(project, "railway")
    if not artifacts:
        return
    from ..kinds import railway

    for artifact in artifacts:
        for service in railway.services(artifact):
            if service.facts["source"] in ("image", "template"):
                continue
            name = service.facts["name"] or service.facts["folder"].rpartition("/")[2] or RAILWAY
            part = Part(RAILWAY, name, service.place, service, artifact)
            path = service.facts["healthcheckPath"]
            if path.kind is SCALAR:
                part.claim(path.value.partition("?")[0], "health", path)
            variables = {
                each.facts["name"]: each.node
                for each in railway.variables(artifact)
                if each.facts["read"] and each.facts["service"] == service.facts["name"]
            }
            _listens(part, variables)
            yield part


def _vercel(project: Any) -> Iterator[Part]:
    for artifact in _judged(project, "vercel"):
        place = next((key for key, _ in artifact.root.items()), artifact.root)
        if place:
            yield Part(VERCEL, artifact.path.rpartition("/")[0] or "vercel", place, None, artifact)


def own(part: Part) -> bool:
    """Whether a container's image is not one that everybody uses."""
    from ..kinds import compose_roles

    image = part.item.facts["image"] if part.item is not None else None
    if not isinstance(image, Item):
        return False
    role, _ = compose_roles.of_image(image.facts["repository"])
    return role == compose_roles.APP and image.facts["registry"] not in _PUBLIC_REGISTRIES


_PUBLIC_REGISTRIES = frozenset(("registry.k8s.io", "k8s.gcr.io", "mcr.microsoft.com", "public.ecr.aws", "cgr.dev"))
