"""Turns a Compose file into an artifact: its merged model, services and what they are, volumes, networks, problems.

Views

* `file`: one item; `services`, `volumes`, `networks`, `secrets`, `configs`, `proxies` as lists of items; `open`: why
  the model is not complete, else None; `files`: paths of the other files merged into it.
* `services`: what runs in production (not those behind a development profile). Facts: name; open; image (`text`,
  registry, repository, tag, digest, known); build (context, dockerfile, target, inline); environment (dict of name ->
  item: value, style, variables, default); environment_open (an `env_file` of it cannot be read); ports (host_ip,
  published, target, protocol, reach); volumes (type, source, target, read_only, known, create); depends_on (name,
  condition); waited_on (names of the services that depend on it); restart; health; memory_limit, cpu_limit; networks;
  user, privileged, network_mode, pid, ipc, cap_add, cap_drop, security_opt, read_only; secrets; profiles; command,
  entrypoint (texts); replicas; logging; role; product; official.
* `volumes`, `networks`: the top-level entries: name, external.
* `documents`: the whole files of the model, each with its own `version`; swarm: `docker stack deploy` is meant.
"""

from __future__ import annotations

import re

from ..model import ABSENT, MAP, SEQ, UNKNOWN, Item, Node, Problem
from ..syntax import yaml
from . import compose_roles as roles
from . import compose_secrets, compose_service
from .compose_model import Model, assemble, base_of, documents, override_of, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..model import Artifact

__all__ = ["VIEWS", "base_of", "load", "model_of", "override_of", "parts", "secrets", "signs"]

_DEVELOPMENT_PROFILES = frozenset("dev development debug test tests testing e2e ci local tools".split())
_ENVIRONMENT_NAMES = (
    "NODE_ENV",
    "APP_ENV",
    "RAILS_ENV",
    "FLASK_ENV",
    "DJANGO_ENV",
    "ENVIRONMENT",
    "ASPNETCORE_ENVIRONMENT",
)
_DEV_COMMAND = re.compile(
    r"(?:\b(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?(?:[\w:-]*:)?dev\b|\bnext\s+dev\b|\bnodemon\b|\bvite(?:\s|$)(?!build|preview)|"
    r"\b(?:ts-node-dev|tsx\s+watch|air\b|cargo\s+watch|flask\s+.*--debug|--reload\b|runserver\b|webpack\s+serve|"
    r"webpack-dev-server))"
)
_PUBLIC_URL = re.compile(r"(?:^|_)(?:NEXTAUTH|AUTH|APP|WEB|WEBAPP|SITE|PUBLIC|BASE|FRONTEND|APPLICATION|SERVER)_URL$")
_LOCAL = ("http://localhost", "http://127.0.0.1")
_DEV_TARGET = re.compile(r"(?:^|[-_.])(?:dev|development|local)(?:$|[-_.])")
_SOURCE_TARGET = re.compile(
    r"^/(?:app|usr/src(?:/\w+)?|src|workspaces?|code|srv(?:/\w+)?|var/www(?:/html)?|home/\w+/app)/?$"
)


def load(artifact: Artifact) -> None:
    """Reads the artifact's source: sets root (the document, or a SEQ of several) and problems."""
    source = artifact.source
    found, artifact.problems = yaml.parse(source)
    if len(found) == 1:
        artifact.root = found[0]
    else:
        artifact.root = Node(SEQ, found, source, 0, len(source.text)) if found else ABSENT
    if not documents(artifact.root) and not any(each.fatal for each in artifact.problems):
        artifact.problems.append(Problem("shape", "not a map: a Compose file is a map of sections", 0, 0))


def model_of(artifact: Artifact) -> Model:
    """The merged model of an artifact."""
    found: Model = _file(artifact)[0].facts["model"]
    return found


def parts(artifact: Artifact) -> list[str]:
    """Paths of the other files that are judged through this artifact: base, override, included files."""
    return list(model_of(artifact).files)


def secrets(artifact: Artifact) -> list[tuple[int, int]]:
    """Spans of the artifact's text that may be credentials and must be masked."""
    return compose_secrets.spans(artifact.root)


def _file(artifact: Artifact) -> list[Item]:
    if "file" not in artifact.views:
        artifact.views["file"] = [_file_item(artifact, assemble(artifact))]
    return artifact.views["file"]


def _file_item(artifact: Artifact, model: Model) -> Item:
    root = model.root
    items = [
        compose_service.service_item(key, node, model)
        for key, node in root.get("services").items()
        if node.kind is MAP
    ]  # fmt: skip
    by_name = {each.facts["name"]: each for each in items}
    for each in items:
        each.facts["waited_on"] = []
        _add_env_files(each, artifact, model)
    for each in items:
        for dependency in each.facts["depends_on"]:
            other = by_name.get(dependency.facts["name"])
            if other is not None:
                other.facts["waited_on"].append(each.facts["name"])
                if dependency.facts["condition"] == "service_completed_successfully":
                    other.facts["role"] = roles.JOB
    live = [each for each in items if not _is_for_development(each)]
    facts: dict[str, Any] = {"model": model, "open": model.gaps.get(""), "files": model.files, "all_services": items}
    facts["services"] = live
    facts["proxies"] = [each for each in live if each.facts["role"] == roles.PROXY]
    for section in ("volumes", "networks", "secrets", "configs"):
        facts[section] = [
            Item(node, {"name": key.value, "external": bool(node.get("external"))}, key)
            for key, node in root.get(section).items()
        ]
    return Item(root, facts, _place(artifact))


def _place(artifact: Artifact) -> Node:
    """The key `services` of the file itself, else its first key, else its tree."""
    for document in documents(artifact.root):
        key = document.key("services") or next((key for key, _ in document.items()), ABSENT)
        if key:
            return key
    return artifact.root or Node(MAP, [], artifact.source, 0, 0)


def _is_for_development(service: Item) -> bool:
    profiles = service.facts["profiles"]
    return bool(profiles) and all(each.lower() in _DEVELOPMENT_PROFILES for each in profiles)


def _add_env_files(service: Item, artifact: Artifact, model: Model) -> None:
    """Adds what `env_file` gives below `environment`; a file that cannot be read leaves the environment open."""
    project, environment = artifact.project, service.facts["environment"]
    service.facts["environment_open"] = False
    for each in reversed(service.node.get("env_file").elements()):
        node = each.get("path") if each.kind is MAP else each
        path = resolve(model.folder(node), node.text() or "")
        source = None
        if project is not None and path is not None and not project.ignored(path):
            source = project.read(path)
        if source is None:
            service.facts["environment_open"] = True
            continue
        from ..syntax import dotenv

        for key, value in dotenv.parse(source, "compose")[0].items():
            if key.value not in environment:
                known = value.text() if value.kind is not UNKNOWN and "$" not in value.value else None
                facts = {"name": key.value, "value": known, "style": "file", "variables": [], "default": None}
                environment[key.value] = Item(value, facts, key)


def _documents(artifact: Artifact) -> list[Item]:
    swarm = any(each.facts["swarm"] for each in _file(artifact)[0].facts["all_services"])
    return [
        Item(each, {"path": each.source.path, "swarm": swarm}, each.key("version") or each)
        for each in model_of(artifact).documents
    ]


def _section(name: str) -> Callable[[Artifact], list[Item]]:
    def view(artifact: Artifact) -> list[Item]:
        found: list[Item] = _file(artifact)[0].facts[name]
        return found

    return view


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {
    "file": _file,
    "services": _section("services"),
    "volumes": _section("volumes"),
    "networks": _section("networks"),
    "documents": _documents,
}


def signs(artifact: Artifact) -> tuple[str, str] | None:
    """What the file itself, without base or override, says about its environment; None when it says nothing."""
    stands_alone = base_of(artifact) is None and override_of(artifact) is None
    item = _file(artifact)[0] if stands_alone else _file_item(artifact, assemble(artifact, alone=True))
    services: list[Item] = item.facts["services"]
    production = development = weak = None
    for each in services:
        kind, why = _sign(each)
        if kind == "development":
            development = development or why
        elif kind == "production" and not each.facts["profiles"]:
            production = production or why
        elif kind == "weak":
            weak = weak or why
    if development and not production:
        return "development", development
    if production:
        return None if development else ("production", production)
    if not services or item.facts["open"]:
        return None
    if all(_is_infrastructure(each) for each in services):
        return "development", "it holds databases and their tools only, no application"
    # Localhost and mail catchers also stand in files that people install from: there, next to a restart policy.
    if weak and (artifact.path.count("/") > 1 or not any(_restarts(each) for each in services)):
        return "development", weak
    return None


def _is_infrastructure(service: Item) -> bool:
    facts = service.facts
    if facts["open"] or facts["image"] is None:
        return False
    return facts["role"] in (*roles.STORES, roles.MAIL, roles.JOB) or facts["product"] == "admin"


def _restarts(service: Item) -> bool:
    return service.facts["role"] == roles.APP and service.facts["restart"] in ("always", "unless-stopped")


def _sign(service: Item) -> tuple[str, str]:
    """("production" | "development" | "weak" | "", why): "weak" is a sign of development that proves nothing."""
    facts = service.facts
    name = facts["name"]
    if facts["role"] == roles.MAIL:
        return "weak", f"'{name}' catches mail instead of sending it"
    if facts["role"] not in (roles.APP, roles.PROXY, roles.JOB):
        return "", ""
    for variable in _ENVIRONMENT_NAMES:
        entry = facts["environment"].get(variable)
        if entry is None or entry.facts["style"] == "file":
            continue
        if (entry.facts["value"] or "").lower() in ("development", "dev", "test", "local"):
            return "development", f"'{name}' runs with {variable}={entry.facts['value']}"
        told = (entry.facts["value"] or entry.facts["default"] or "").lower()
        if told == "production" and facts["role"] == roles.APP:
            return "production", f"'{name}' runs with {variable}=production"
    target = facts["build"].facts["target"] if facts["build"] is not None else None
    if isinstance(target, str) and _DEV_TARGET.search(target.lower()):
        return "development", f"'{name}' is built with target {target}"
    if _DEV_COMMAND.search(f"{facts['entrypoint']} {facts['command']}"):
        return "development", f"'{name}' runs a development server"
    for volume in facts["volumes"]:
        if volume.facts["type"] == "bind" and _mounts_source(volume, facts):
            return "development", f"'{name}' mounts the source tree"
    for variable, entry in facts["environment"].items():
        if entry.node.value.startswith(_LOCAL) and entry.facts["style"] != "file" and _PUBLIC_URL.search(variable):
            return "weak", f"'{name}' is addressed as localhost by {variable}"
    return "", ""


def _mounts_source(volume: Item, facts: dict[str, Any]) -> bool:
    """The service's own source folder over the folder its image works in."""
    source, target = volume.facts["source"] or "", volume.facts["target"]
    if volume.facts["read_only"] or not _SOURCE_TARGET.match(target):
        return False
    return source.rstrip("/") in (".", "..", "../..") or (facts["build"] is not None and source.startswith("."))
