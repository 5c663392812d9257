"""Turns the parts of a tree into services: what several files say about one running program, tied by evidence.

Evidence counts strongest first; where two candidates are equally good, nothing is tied.
"""

from __future__ import annotations

import re

from ..model import Item
from .parts import (
    APPLICATION,
    COMPOSE,
    IMAGE,
    KUBERNETES,
    RAILWAY,
    VERCEL,
    Claim,
    Part,
    folder_of,
    home_of,
    own,
)
from .parts import of as parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "APPLICATION",
    "COMPOSE",
    "IMAGE",
    "KUBERNETES",
    "RAILWAY",
    "VERCEL",
    "Claim",
    "Part",
    "Service",
    "image_of",
    "items",
    "of",
    "port",
]


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


def within(project: Any, folders: set[str]) -> list[Service]:
    """The services with a part in one of some folders, in their order."""
    known: dict[str, dict[int, Service]] | None = project.facts.get("services by folder")
    if known is None:
        known = {}
        project.facts["services by folder"] = known
        for number, service in enumerate(of(project)):
            for part in service.parts:
                known.setdefault(part.path.rpartition("/")[0], {})[number] = service
    found: dict[int, Service] = {}
    for folder in folders:
        found.update(known.get(folder, {}))
    return [found[number] for number in sorted(found)]


def items(project: Any) -> list[Item]:
    """One item a service: facts `name`, `service`; the place is its first part's."""
    return [
        Item(service.parts[0].place, {"name": service.name, "service": service}, service.parts[0].place)
        for service in of(project)
    ]


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
    parts = parts_of(project)
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
    composed = {id(part.place): part for part in parts if part.kind == COMPOSE}
    railways = [(part, part.item.facts) for part in parts if part.kind == RAILWAY and part.item is not None]
    if not (composed or railways) or not any(part.kind == IMAGE for part in parts):
        return
    from ..kinds import dockerfile

    for image in parts:
        if image.kind != IMAGE or image.artifact is None:
            continue
        for _, service in dockerfile.of(image.artifact)["context"].services:
            part = composed.get(id(service.place))
            if part is not None and part.item is not None:
                target = part.item.facts["build"].facts["target"]
                if not isinstance(target, str) or not image.item or target == image.item.facts["name"]:
                    union.tie(part, image, f"it is built from {image.path}")
        for part, facts in railways:
            named = facts["dockerfilePath"].text()
            folder = facts["folder"]
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
        folder = folder_of(part)
        if folder is None or part.kind == APPLICATION:
            continue
        home = home_of(project, folder)
        application = applications.get(home) if part.kind != IMAGE or _has_application(part) else None
        if application is not None and (home == folder or part.kind == IMAGE):
            union.tie(application, part, f"it is made from the folder of {application.path}")


_APPLICATION = re.compile(
    r"^[ \t]*COPY\s+(?:--\S+\s+)*[\"']?\.{1,2}/?[\"']?\s|\b(?:npm|pnpm|yarn|bun|node|deno|package\.json|next)\b",
    re.I | re.M,
)


def _has_application(part: Part) -> bool:
    """Whether an image takes in an application; one with a database's clients and scripts beside it does not."""
    return part.artifact is None or _APPLICATION.search(part.artifact.source.text) is not None


def _by_name(project: Any, parts: list[Part], union: _Union) -> None:
    """A container runs an image called like the folder of the one Dockerfile in a folder of that name."""
    folders: dict[str, list[Part]] = {}
    for part in parts:
        if part.kind == IMAGE:
            for name in {*part.path.split("/")[-3:-1]}:
                folders.setdefault(name, []).append(part)
    for part in parts:
        if part.kind == KUBERNETES and own(part):
            for claim in part.of("image"):
                name = claim.value.rpartition("/")[2]
                images = folders.get(name, [])
                if len(images) == 1:
                    union.tie(images[0], part, f"the image {claim.value} has the name of its folder")


def _by_being_alone(project: Any, parts: list[Part], union: _Union) -> None:
    """The tree builds one image, and its manifests run one image that is nobody else's."""
    images = [part for part in parts if part.kind == IMAGE]
    pods = [part for part in parts if part.kind == KUBERNETES and own(part)]
    names = {claim.value for part in pods for claim in part.of("image")}
    if len(images) == 1 and len(names) == 1:
        for part in pods:
            union.tie(images[0], part, f"the tree builds one image, and runs one of its own, {next(iter(names))}")


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
