"""Turns what runs a program into the environment variables it is given: Compose, Kubernetes, Vercel, Railway, images.

Every name keeps the node that gives it. A target is open, with the reason in words, when it may hold more names than
the repository shows: a dashboard, a store of secrets, a file that git ignores.
"""

from __future__ import annotations

from ..model import SCALAR, Item, Node
from . import services
from .variables_read import home_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# Programs that put variables into the environment of what they start.
_WRAPPERS = frozenset("doppler infisical dotenv dotenvx op vault chamber envconsul sops teller aws-vault".split())


class Target:
    """A place where a program runs and gets its variables.

    `platform`: "compose", "kubernetes", "vercel", "railway", or "workflow" and "gitlab" for a job of a pipeline, which
    builds; `name`: the service, container or job; `environment`; `folder`: of the application it runs (with `/`, ""
    for the root), None when nothing tells; `place`: where a name that is missing would stand; `names`: name -> node;
    `values`: name -> text where it is known; `baked`: names the image itself sets; `open`: why more may be given;
    `script`: a script provisions it.
    """

    __slots__ = (
        "platform", "name", "environment", "folder", "place", "names", "values", "baked", "open", "assumed", "image",
        "script",
    )  # fmt: skip

    def __init__(self, platform: str, name: str, place: Node, folder: str | None) -> None:
        self.platform = platform
        self.name = name
        self.environment = "production"
        self.folder = folder
        self.place = place
        self.names: dict[str, Node] = {}
        self.values: dict[str, str] = {}
        self.baked: dict[str, Node] = {}
        self.open = ""
        self.assumed = False
        self.image: Any = None  # the Dockerfile's artifact
        self.script = False

    @property
    def title(self) -> str:
        """`compose service 'app'`, for people."""
        words = {"compose": "service", "kubernetes": "container", "railway": "Railway service"}
        if self.platform == "vercel":
            return f"Vercel ({self.environment})"
        return f"{words.get(self.platform, 'job')} {self.name}"

    def gives(self, name: str) -> Node | None:
        """The node that gives a name, itself or as a file (`X_FILE`)."""
        return self.names.get(name) or self.names.get(name + "_FILE") or self.baked.get(name)


def targets(project: Any, provided: dict[str, set[str]]) -> list[Target]:
    """Every production target of the tree, by path; what `[[provided]]` of the configuration names is added."""
    found: list[Target] = []
    for service in services.of(project):
        for part in service.runners:
            make = _MAKERS.get(part.kind)
            if make is not None:
                image = services.image_of(service, part)
                found += make(project, part, _folder(project, service, image), image)
    found += _scripts(project)
    found += _jobs(project)
    for target in found:
        more = provided.get(target.platform) or provided.get({"compose": "docker"}.get(target.platform, "")) or set()
        for name in more:
            target.names.setdefault(name, target.place)
        if more and target.platform in ("vercel", "railway"):
            target.open = ""
    return sorted(found, key=lambda each: (each.place.source.path, each.place.start, each.environment))


def _folder(project: Any, service: services.Service, image: services.Part | None) -> str | None:
    """The folder of the one application a service runs; None when it may be several, or a workspace's root."""
    packages = {part.path.rpartition("/")[0] for part in service.kind(services.APPLICATION)}
    if not packages and image is not None and image.artifact is not None:
        from ..kinds import dockerfile

        folder = dockerfile.of(image.artifact)["context"].folder
        home = image.path.rpartition("/")[0]
        if folder is None:
            return None
        packages = {home if home_of(project, home) == home + "/" else folder}
    if not packages:
        # A Vercel or Railway project in a tree without a package.json.
        packages = {part.path.rpartition("/")[0] for part in service.kind(services.VERCEL, services.RAILWAY)}
    if len(packages) != 1:
        return None
    folder = packages.pop()
    package = project.package(f"{folder}/x" if folder else "x")
    if package is not None and package.workspaces and (package.folder.rstrip("/") == folder):
        return None
    return folder + "/" if folder else ""


def _bake(target: Target, image: services.Part | None) -> None:
    """Adds what the image sets, and opens the target when the image starts something that sets more."""
    if image is None or image.item is None:
        return
    target.image = image.artifact
    for name, item in image.item.facts["env"].items():
        target.baked[name] = item.place
    from ..kinds import dockerfile

    for command in dockerfile.started(image.item):
        words = command.facts["words"]
        if words and (words[0].endswith((".sh", ".bash")) or words[0].rpartition("/")[2] in _WRAPPERS):
            target.open = target.open or f"{words[0]} starts it, and may set more"


def _compose(project: Any, part: services.Part, folder: str | None, image: services.Part | None) -> Iterator[Target]:
    if part.item is None or part.artifact is None:
        return
    service, facts = part.item, part.item.facts
    target = Target("compose", facts["name"], service.node.key("environment") or service.place, folder)
    target.assumed = part.artifact.assumed
    if facts["open"]:
        target.open = str(facts["open"])
    elif facts["environment_open"]:
        target.open = "an env_file of it is not in the repository"
    for name, item in facts["environment"].items():
        target.names[name] = item.place
        if isinstance(item.facts["value"], str):
            target.values[name] = item.facts["value"]
    words = f"{facts['entrypoint']} {facts['command']}".split()
    if any(word.rpartition("/")[2] in _WRAPPERS or word.endswith(".sh") for word in words):
        target.open = target.open or "its command may set more"
    for volume in facts["volumes"]:
        if ".env" in volume.facts["target"]:
            target.open = target.open or "an env file is mounted into it"
    if not facts["build"] and image is None:
        target.folder = None
    _bake(target, image)
    yield target


def _pods(project: Any, part: services.Part, folder: str | None, image: services.Part | None) -> Iterator[Target]:
    if part.item is None or part.artifact is None:
        return
    node = part.item.node
    place = node.key("env") or node.key("envFrom") or part.item.place
    target = Target("kubernetes", part.name, place, folder)
    target.assumed = part.artifact.assumed
    for entry in node.get("env").elements():
        name = entry.get("name")
        if name.kind is SCALAR and name.value:
            target.names[name.value] = name
            if entry.get("value").kind is SCALAR:
                target.values[name.value] = entry.get("value").value
        elif name:
            target.open = "a name is filled in when the manifest is deployed"
    for entry in node.get("envFrom").elements():
        _take_all(part, entry, target)
    for mount in node.get("volumeMounts").elements():
        if ".env" in (mount.get("mountPath").text() or "") or ".env" in (mount.get("subPath").text() or ""):
            target.open = target.open or "an env file is mounted into it"
    words = [each.value for key in ("command", "args") for each in node.get(key).elements() if each.kind is SCALAR]
    if any(word.endswith(".sh") or word.rpartition("/")[2] in _WRAPPERS for word in words):
        target.open = target.open or "its command may set more"
    owner = part.item.facts["workload"].facts["pod"]
    if "vault.hashicorp.com/" in owner.source.text or "SecretProviderClass" in owner.source.text:
        target.open = target.open or "a store of secrets may be mounted into it"
    _bake(target, image)
    yield target


def _take_all(part: services.Part, entry: Node, target: Target) -> None:
    """Adds the keys of a Secret or ConfigMap that is taken in whole; opens the target when they cannot be known."""
    from ..kinds.cluster import cluster_of

    owner = part.item.facts["workload"] if part.item is not None else None
    tree = cluster_of(part.artifact)  # type: ignore[arg-type]
    prefix = entry.get("prefix").text() or ""
    for kind, field in (("Secret", "secretRef"), ("ConfigMap", "configMapRef")):
        name = entry.get(field, "name")
        if not name:
            continue
        objects = tree.named(kind, name.value, owner) if name.kind is SCALAR and isinstance(owner, Item) else []
        for item in objects:
            for block in ("data", "stringData"):
                for key, _ in item.node.get(block).items():
                    target.names.setdefault(prefix + key.value, key)
        generated = [keys for _, keys in tree.generated.get((kind, name.value), ())] if name.kind is SCALAR else []
        for made in (made for keys in generated for made in keys or ()):
            target.names.setdefault(prefix + made, name)
        if not objects and not generated or None in generated:
            target.open = target.open or f"the keys of the {kind} {name.value} are not in the repository"


def _railway(project: Any, part: services.Part, folder: str | None, image: services.Part | None) -> Iterator[Target]:
    if part.artifact is None or part.item is None:
        return
    from ..kinds import railway

    target = Target("railway", part.name, part.place, folder)
    for item in railway.variables(part.artifact):
        if item.facts["read"] and item.facts["service"] == part.item.facts["name"]:
            target.names[item.facts["name"]] = item.place
    target.open = "Railway keeps variables in its dashboard"
    yield target


def _vercel(project: Any, part: services.Part, folder: str | None, image: services.Part | None) -> Iterator[Target]:
    if part.artifact is None:
        return
    from ..kinds import vercel

    target = Target("vercel", part.name, part.place, folder)
    for item in vercel.environment(part.artifact):
        target.names[item.facts["name"]] = item.place
    target.open = "Vercel keeps variables in its dashboard"
    yield target


_MAKERS = {
    services.COMPOSE: _compose, services.KUBERNETES: _pods, services.RAILWAY: _railway, services.VERCEL: _vercel,
}  # fmt: skip


def _scripts(project: Any) -> list[Target]:
    """What scripts put into Vercel and Railway, one target an environment: `vercel env add NAME production`."""
    artifacts = [each for each in project.artifacts("script") if each.state == "judged"]
    if not artifacts:
        return []
    from ..kinds import script

    found: dict[tuple[str, str, str], Target] = {}
    for artifact in artifacts:
        folder = home_of(project, artifact.path.rpartition("/")[0])
        for item in script.view(artifact, "provisions"):
            name, platform = item.facts["name"], item.facts["platform"]
            for environment in item.facts["environments"] or [""] if platform in ("vercel", "railway") else ():
                target = found.get((platform, environment, folder))
                if target is None:
                    target = found[platform, environment, folder] = Target(platform, artifact.path, item.place, folder)
                    target.environment = environment
                    target.script = True
                if not isinstance(name, str) or not name:
                    target.open = "a script computes the names that it adds"
                elif not environment:
                    target.open = "a script does not say for which environment it adds a name"
                else:
                    target.names.setdefault(name, item.place)
    return list(found.values())


def _jobs(project: Any) -> Iterator[Target]:
    """What pipelines give to their jobs and steps. No application: a job may build any of them."""
    from . import pipelines

    for pipeline in pipelines.of(project):
        for job in pipeline.jobs:
            target = Target(pipeline.artifact.kind, job.id, job.place, None)
            target.environment = (job.environment.get("name") or job.environment).text() or ""
            for variables in (pipeline.variables, job.variables, *(step.env for step in job.steps)):
                for name, (key, _) in variables.items():
                    target.names[name] = key
            if target.names:
                target.open = "the platform keeps more variables"
                yield target
