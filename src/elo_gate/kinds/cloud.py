"""Turns the configuration of a cloud service into one normal form: services and their containers.

Amazon ECS task definitions, AWS App Runner's apprunner.yaml, Cloud Run services and jobs, Azure Container Apps, Azure
Static Web Apps. Facts of the items (an absent fact is None or ABSENT, one that a pipeline fills in is UNKNOWN):

services    platform ("ecs", "apprunner", "cloudrun", "containerapp", "staticwebapp"), title (its name in words), name,
            containers, job, public (True, False, None), insecure (Node: plain HTTP is let in), least, most
            (instances), timeout (Node, seconds).
containers  platform, title, name, service, image (Item as dockerfile_images.read, None), env (Items: name, value,
            secret), ports (Nodes), memory, memory_limit, cpu (Nodes), health, user, privileged, readonly (Nodes),
            essential, job.
secrets     values that the file itself stores under the name of a secret: name, value.
headers     of a static web app: name (lower case), key, value, path ("/" for all).
runtimes    names of language runtimes: product, cycle, text.
"""

from __future__ import annotations

import re

from ..model import ABSENT, MAP, SCALAR, SEQ, UNKNOWN, Item, Node, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from ..model import Artifact

TITLES = {
    "ecs": "Amazon ECS", "apprunner": "AWS App Runner", "cloudrun": "Cloud Run",
    "containerapp": "Azure Container Apps", "staticwebapp": "Azure Static Web Apps",
}  # fmt: skip
# What a pipeline or a template language fills in before the cloud reads the file.
_HOLE = re.compile(r"\$\{|\{\{|<[A-Za-z0-9_ -]+>|__[A-Z0-9_]+__|\$[A-Z][A-Z0-9_]+|%[A-Z0-9_]+%|^\[[a-z]+\(|@[A-Z_]+@")
_STAGES = {
    "production": "production", "prod": "production", "prd": "production", "live": "production", "staging": "staging",
    "stage": "staging", "stg": "staging", "dev": "development", "development": "development", "test": "test",
    "qa": "staging", "uat": "staging", "preview": "staging", "demo": "demo", "sandbox": "demo",
}  # fmt: skip


def looks_like(path: str, text: str) -> bool:
    """Whether a file that its name gives to this kind is of it: apprunner.yaml and staticwebapp.config.json always."""
    return True


def load(artifact: Artifact) -> None:
    """Reads the documents; a file that only mentions such a service is set aside."""
    source = artifact.source
    if artifact.path.endswith(".json"):
        from ..syntax import json

        root, artifact.problems = json.parse(source)
        documents = [root] if root else []
    else:
        from ..syntax import yaml

        documents, artifact.problems = yaml.parse(source)
    for document in documents:
        veil(document)
    artifact.root = Node(SEQ, documents, source, 0, len(source.text))
    if any(problem.fatal for problem in artifact.problems):
        if "{{" in source.text or "{%" in source.text:
            artifact.problems = []
            artifact.state, artifact.why = "aside", "a template of another program: what it becomes is not here"
        return
    if not _named(artifact.path) and not services(artifact):
        artifact.problems = []
        artifact.state, artifact.why = "aside", "it describes no cloud service"


def _named(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name == "staticwebapp.config.json" or name.startswith("apprunner.")


def veil(root: Node) -> None:
    """Makes every value unknown that is filled in before the cloud reads it."""
    keys = {id(key) for node in walk(root) if node.kind is MAP for key, _ in node.value}
    for node in list(walk(root)):
        if node.kind is SCALAR and id(node) not in keys and _HOLE.search(str(node.value)):
            node.kind = UNKNOWN


def signs(artifact: Artifact) -> tuple[str, str] | None:
    """By the words of the services' names; a file that the platform reads for every deployment is production."""
    if _named(artifact.path) and artifact.root.value:
        return "production", "its platform reads it for every deployment"
    for service in services(artifact):
        for word in re.split(r"[^a-z]+", service.facts["name"].lower()):
            if word in _STAGES:
                return _STAGES[word], f"the service is called {service.facts['name']}"
    return None


def file(artifact: Artifact) -> list[Item]:
    """The file as a whole, placed at its first key."""
    root = artifact.root.get(0)
    place = root.value[0][0] if root.kind is MAP and root.value else artifact.root
    return [Item(root or artifact.root, {"path": artifact.path}, place)]


def _module(root: Node, artifact: Artifact) -> ModuleType | None:
    """The module that reads a document, by what stands in it."""
    if root.kind is not MAP:
        return None
    name = artifact.path.rpartition("/")[2].lower()
    if name == "staticwebapp.config.json" or root.get("type").text() == "Microsoft.App/containerApps" or _azure(root):
        from . import cloud_azure

        return cloud_azure
    api = root.get("apiVersion").text() or ""
    if api.startswith(("serving.knative.dev/", "run.googleapis.com/")):
        from . import cloud_google

        return cloud_google
    if (
        root.get("containerDefinitions").kind is SEQ
        or root.get("taskDefinition", "containerDefinitions")
        or (name.startswith("apprunner."))
    ):
        from . import cloud_aws

        return cloud_aws
    return None


def _azure(root: Node) -> bool:
    if any(each.get("type").text() == "Microsoft.App/containerApps" for each in root.get("resources").elements()):
        return True
    return bool(root.get("properties", "template", "containers"))


def services(artifact: Artifact) -> list[Item]:
    """Every service, task definition or job of the file."""
    if "services" not in artifact.views:
        found = artifact.views["services"] = []
        for root in artifact.root.elements():
            module = _module(root, artifact)
            if module is not None:
                found += module.services(root, artifact.path)
    return artifact.views["services"]


def containers(artifact: Artifact) -> list[Item]:
    """Every container of every service."""
    return [container for service in services(artifact) for container in service.facts["containers"]]


def stored(artifact: Artifact) -> list[Item]:
    """Values that the file stores as secrets."""
    return [secret for service in services(artifact) for secret in service.facts["secrets"]]


def headers(artifact: Artifact) -> list[Item]:
    """The response headers that a static web app sets."""
    return [header for service in services(artifact) for header in service.facts["headers"]]


def runtimes(artifact: Artifact) -> list[Item]:
    """The language runtimes that a file names."""
    return [runtime for service in services(artifact) for runtime in service.facts["runtimes"]]


def secrets(artifact: Artifact) -> list[tuple[int, int]]:
    """Literal values of variables and of stored secrets."""
    found = []
    for container in containers(artifact):
        for entry in container.facts["env"]:
            value = entry.facts["value"]
            text = value.text()
            if text and not text.isdigit() and not (text.isalpha() and text.islower()):
                found.append((value.start, value.end))
    found += [(each.facts["value"].start, each.facts["value"].end) for each in stored(artifact)]
    return found


# The normal form


def service(node: Node, place: Node, platform: str, name: str, **facts: object) -> Item:
    """An item of `services` with what is not given left empty."""
    empty: dict[str, object] = {
        "platform": platform, "title": TITLES[platform], "name": name, "containers": [], "job": False, "public": None,
        "insecure": ABSENT, "least": ABSENT, "most": ABSENT, "timeout": ABSENT, "secrets": [], "headers": [],
        "runtimes": [],
    }  # fmt: skip
    return Item(node, {**empty, **facts}, place)


def container(node: Node, place: Node, platform: str, name: str, **facts: object) -> Item:
    """An item of `containers` with what is not given left empty."""
    from . import dockerfile_images

    image = node.get("image")
    known = image.kind in (SCALAR, UNKNOWN) and not image.is_null()
    empty: dict[str, object] = {
        "platform": platform, "title": TITLES[platform], "name": name, "env": [], "ports": [], "memory": ABSENT,
        "memory_limit": ABSENT, "cpu": ABSENT, "health": ABSENT, "user": ABSENT, "privileged": ABSENT,
        "readonly": ABSENT, "capabilities": ABSENT, "essential": True, "job": False,
        "image": dockerfile_images.read(image, str(image.value)) if known else None, "image_node": image,
    }  # fmt: skip
    return Item(node, {**empty, **facts}, place)


def variable(name: Node, value: Node, secret: bool) -> Item:
    """An item of `env`."""
    return Item(value, {"name": str(name.value), "value": value, "secret": secret}, name)


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {
    "file": file,
    "services": services,
    "containers": containers,
    "secrets": stored,
    "headers": headers,
    "runtimes": runtimes,
}
