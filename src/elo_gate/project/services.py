"""Turns the artifacts of a tree into services: what several files say about one running program, by evidence.

A part is what one file says: an application (its package.json), an image (the released stage of a Dockerfile), or
something that runs one (a Compose service, a container of a workload, a service of Railway, a Vercel project). Parts
are tied together by evidence, strongest first; where two candidates are equally good, nothing is tied.
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


class Service:
    """Parts that run one program. `links`: (part, other part, why they belong together)."""

    __slots__ = ("name", "parts", "links")

    def __init__(self, name: str, parts: list[Part], links: list[tuple[Part, Part, str]]) -> None:
        self.name = name
        self.parts = parts
        self.links = links

    def kind(self, *kinds: str) -> list[Part]:
        """The parts of some kinds."""
        return [part for part in self.parts if part.kind in kinds]

    @property
    def runners(self) -> list[Part]:
        """What runs the program, as opposed to what it is made of."""
        return self.kind(COMPOSE, KUBERNETES, RAILWAY, VERCEL)


def of(project: Any) -> list[Service]:
    """The services of a tree, worked out once."""
    found: list[Service] | None = project.facts.get("services")
    if found is None:
        found = project.facts["services"] = _stitch(project)
    return found


def items(project: Any) -> list[Item]:
    """One item a service: facts `name`, `service`; the place is its first part's."""
    return [
        Item(service.parts[0].place, {"name": service.name, "service": service}, service.parts[0].place)
        for service in of(project)
    ]


# -- parts


def _parts(project: Any) -> list[Part]:
    found = [*_images(project), *_compose(project), *_pods(project), *_railway(project), *_vercel(project)]
    applications: dict[str, Part] = {}
    places = {each.path.rpartition("/")[0]: each for each in _judged(project, "next")}
    for folder in [*(folder for part in found if (folder := _folder(part)) is not None), *places]:
        home = _home(project, folder)
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


def _home(project: Any, folder: str) -> str:
    """The folder of the application that a folder belongs to: its nearest package.json, else the folder itself."""
    package = project.package(f"{folder}/x" if folder else "x")
    return str(package.path.rpartition("/")[0]) if package is not None else folder


def _judged(project: Any, kind: str) -> list[Artifact]:
    return [each for each in project.artifacts(kind) if each.state == "judged"]


def _folder(part: Part) -> str | None:
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
    from ..kinds import dockerfile

    for artifact in _judged(project, "dockerfile"):
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
    from ..kinds import compose, compose_roles

    for artifact in _judged(project, "compose"):
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
            if image is not None and image.facts["known"]:
                part.claim(_full(image.facts["registry"], image.facts["repository"]), "image", image.node)
            yield part


def _told(variable: Item, value: str | None) -> Node:
    """A variable's value as it applies by default, at the variable's place."""
    node = variable.node
    return Node(SCALAR if value else UNKNOWN, value or "", node.source, node.start, node.end, '"')


def _full(registry: str, repository: str) -> str:
    return repository if registry in ("docker.io", "", "index.docker.io") else f"{registry}/{repository}"


def _pods(project: Any) -> Iterator[Part]:
    from ..kinds import k8s, manifest

    for artifact in _judged(project, "k8s"):
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
    from ..kinds import railway

    for artifact in _judged(project, "railway"):
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


# -- stitching


class _Union:
    """Parts in groups, with the evidence that put them together. Groups are lists; the smaller one joins the larger."""

    __slots__ = ("groups", "links")

    def __init__(self, parts: list[Part]) -> None:
        self.groups = {id(part): [part] for part in parts}
        self.links: list[tuple[Part, Part, str]] = []

    def tie(self, one: Part, other: Part, why: str) -> None:
        large, small = self.groups[id(one)], self.groups[id(other)]
        if large is small:
            return
        self.links.append((one, other, why))
        if len(large) < len(small):
            large, small = small, large
        large.extend(small)
        for part in small:
            self.groups[id(part)] = large


def _stitch(project: Any) -> list[Service]:
    parts = _parts(project)
    union = _Union(parts)
    names: dict[int, str] = {}
    for name, tests in getattr(project, "services_named", ()):
        members = [part for part in parts if any(test(part.path) for test in tests)]
        for part in members[1:]:
            union.tie(members[0], part, "elo-gate.toml says so")
        if members:
            names[id(members[0])] = name
    for evidence in (_by_build, _by_pipeline, _by_image, _by_folder, _by_name, _by_being_alone):
        evidence(project, parts, union)
    order = {id(part): number for number, part in enumerate(parts)}
    links: dict[int, list[tuple[Part, Part, str]]] = {}
    for link in union.links:
        links.setdefault(id(union.groups[id(link[0])]), []).append(link)
    services = []
    for key, group in {id(group): group for group in union.groups.values()}.items():
        members = sorted(group, key=lambda part: order[id(part)])
        if len(members) == 1 and members[0].kind == APPLICATION:
            continue
        named = next((names[id(part)] for part in members if id(part) in names), "")
        services.append(Service(named or _name(members), members, links.get(key, [])))
    return sorted(services, key=lambda each: (each.name, each.parts[0].path, each.parts[0].place.start))


def _name(members: list[Part]) -> str:
    """A service's name: that of what runs it, else of its application, else of its image."""
    for kind in (COMPOSE, KUBERNETES, RAILWAY, APPLICATION, IMAGE, VERCEL):
        for part in members:
            if part.kind == kind:
                return part.name.partition("/")[0] if kind == KUBERNETES else part.name
    return ""


def _by_build(project: Any, parts: list[Part], union: _Union) -> None:
    """A Compose service or a Railway service names the Dockerfile it is built from."""
    from ..kinds import dockerfile

    for image in parts:
        if image.kind != IMAGE or image.artifact is None:
            continue
        builders = dockerfile.of(image.artifact)["context"].services
        for part in parts:
            if part.kind == COMPOSE and any(service.place is part.place for _, service in builders):
                target = part.item.facts["build"].facts["target"] if part.item is not None else None
                if not isinstance(target, str) or not image.item or target == image.item.facts["name"]:
                    union.tie(part, image, f"it is built from {image.path}")
            elif part.kind == RAILWAY and part.item is not None:
                named = part.item.facts["dockerfilePath"].text()
                folder = part.item.facts["folder"]
                path = (named or "").lstrip("./").lstrip("/")
                if named and image.path in (path, f"{folder}/{path}" if folder else path):
                    union.tie(part, image, f"dockerfilePath names {image.path}")


def _by_pipeline(project: Any, parts: list[Part], union: _Union) -> None:
    """A pipeline builds an image from one Dockerfile under the name that something runs."""
    images = {part.path: part for part in parts if part.kind == IMAGE}
    runners = [
        (part, claim.value) for part in parts if part.kind in (COMPOSE, KUBERNETES) for claim in part.of("image")
    ]
    if not images or not runners:
        return
    from ..kinds import job_images
    from . import pipelines

    built: dict[str, set[str]] = {}
    for pipeline in pipelines.of(project):
        for job in pipeline.jobs:
            for name, path in job_images.made(job):
                built.setdefault(name, set()).add(path)
    for part, name in runners:
        paths = built.get(name.lower(), set())
        image = images.get(next(iter(paths))) if len(paths) == 1 else None
        if image is not None:
            union.tie(part, image, f"a pipeline builds {name} from {image.path}")


def _by_image(project: Any, parts: list[Part], union: _Union) -> None:
    """Two parts name the same image."""
    known: dict[str, Part] = {}
    for part in parts:
        for claim in part.of("image"):
            first = known.setdefault(claim.value, part)
            if first is not part and part.kind != first.kind:
                union.tie(first, part, f"both run the image {claim.value}")


def _by_folder(project: Any, parts: list[Part], union: _Union) -> None:
    """An image, a Railway service or a Vercel project is made from the folder of an application."""
    applications = {part.path.rpartition("/")[0]: part for part in parts if part.kind == APPLICATION}
    for part in parts:
        folder = _folder(part)
        if folder is None or part.kind == APPLICATION:
            continue
        home = _home(project, folder)
        application = applications.get(home)
        if application is not None and (home == folder or part.kind == IMAGE):
            union.tie(application, part, f"it is made from the folder of {application.path}")


def _by_name(project: Any, parts: list[Part], union: _Union) -> None:
    """A container runs an image called like the folder of the one Dockerfile in a folder of that name."""
    folders: dict[str, list[Part]] = {}
    for part in parts:
        if part.kind == IMAGE:
            for name in {*part.path.split("/")[-3:-1]}:
                folders.setdefault(name, []).append(part)
    for part in parts:
        if part.kind == KUBERNETES and _own(part):
            for claim in part.of("image"):
                name = claim.value.rpartition("/")[2]
                images = folders.get(name, [])
                if len(images) == 1:
                    union.tie(images[0], part, f"the image {claim.value} has the name of its folder")


def _by_being_alone(project: Any, parts: list[Part], union: _Union) -> None:
    """The tree builds one image, and its manifests run one image that is nobody else's."""
    images = [part for part in parts if part.kind == IMAGE]
    pods = [part for part in parts if part.kind == KUBERNETES and _own(part)]
    names = {claim.value for part in pods for claim in part.of("image")}
    if len(images) == 1 and len(names) == 1:
        for part in pods:
            union.tie(images[0], part, f"the tree builds one image, and runs one of its own, {next(iter(names))}")


def _own(part: Part) -> bool:
    """Whether a container's image is not one that everybody uses."""
    from ..kinds import compose_roles

    image = part.item.facts["image"] if part.item is not None else None
    if not isinstance(image, Item):
        return False
    role, _ = compose_roles.of_image(image.facts["repository"])
    return role == compose_roles.APP and image.facts["registry"] not in _PUBLIC_REGISTRIES


_PUBLIC_REGISTRIES = frozenset(("registry.k8s.io", "k8s.gcr.io", "mcr.microsoft.com", "public.ecr.aws", "cgr.dev"))


def image_of(service: Service, part: Part) -> Part | None:
    """The image that a running part runs: the one tied to it, else the service's only one."""
    if part.kind == VERCEL:
        return None  # Vercel builds from the sources
    for one, other, _ in service.links:
        for near, far in ((one, other), (other, one)):
            if near is part and far.kind == IMAGE:
                return far
    images = service.kind(IMAGE)
    return images[0] if len(images) == 1 else None


def port(part: Part, image: Part | None) -> Claim | None:
    """The port a running part listens on: what it is told itself, else what its image is told, else its default."""
    for source in (part, image):
        if source is None:
            continue
        told = source.of("listens")
        if told:
            return told[-1]
        if source.open:
            return None
    defaults = image.of("default") if image is not None else []
    return defaults[0] if defaults else None
