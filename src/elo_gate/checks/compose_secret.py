"""Answers where a Compose file writes credentials down, guesses them, or goes on without them."""

from __future__ import annotations

from ..kinds import compose_roles as roles
from ..kinds.compose_interpolate import scan
from ..kinds.compose_secrets import KEY, PASSWORD, holds_credentials, is_value, kind_of, url_credentials
from ..model import ABSENT, UNKNOWN, Fault, Item, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

# Variables that the image also reads with `_FILE` (hub.docker.com/_/postgres, _/mysql, _/mariadb, _/mongo).
_FILES = {
    "postgres": ("POSTGRES_PASSWORD",),
    "mysql": ("MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD"),
    "mariadb": ("MARIADB_PASSWORD", "MARIADB_ROOT_PASSWORD", "MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD"),
    "mongo": ("MONGO_INITDB_ROOT_PASSWORD",),
}


class _Secret:
    """One credential's text and everywhere it is written."""

    __slots__ = ("kind", "places", "is_default", "store", "published")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.places: list[tuple[Item, Item]] = []
        self.is_default = True
        self.store: Item | None = None
        self.published = False


def literal(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault for each credential that stands in the file, as a value or as a default."""
    for secret in _secrets(it):
        service, variable = secret.places[0]
        related: list[tuple[Node | Item, str]] = [(each, "the same value") for _, each in secret.places[1:]]
        severity = None
        if secret.kind == PASSWORD and not secret.published and (secret.store is not None or secret.is_default):
            severity = "warning"
        yield Fault(
            variable, related, "fallback" if secret.is_default else "default", severity,
            name=variable.facts["name"], service=service.facts["name"],
        )  # fmt: skip


def _secrets(it: Item) -> list[_Secret]:
    """The credentials of a file by their text; a data store's own variable comes first among the places."""
    found: dict[str, _Secret] = {}
    for service in it.facts["services"]:
        for variable in service.facts["environment"].values():
            if variable.facts["style"] == "file":
                continue  # the env rules read that file
            text, is_default = variable.facts["value"], False
            if text is None and variable.facts["style"] in ("default", "plain"):
                text, is_default = variable.facts["default"], True
            kind = kind_of(variable.facts["name"])
            if not text:
                continue
            if kind is None or not is_value(text, kind):
                credentials = url_credentials(text)
                if credentials is None or len(credentials[1]) < 2:
                    continue
                kind, text = PASSWORD, credentials[1]
            elif is_default and not _is_whole_default(variable.node):
                continue
            secret = found.setdefault(text, _Secret(kind))
            secret.is_default = secret.is_default and is_default
            if kind == KEY:
                secret.kind = KEY
            own = service.facts["role"] in roles.STORES
            if own:
                secret.store = service
            named = kind_of(variable.facts["name"]) is not None
            if own or (named and service.facts["role"] == roles.TOOL):
                secret.published |= any(each.facts["reach"] == "all" for each in service.facts["ports"])
            secret.places.insert(0 if own and named else len(secret.places), (service, variable))
    return list(found.values())


def _is_whole_default(node: Node) -> bool:
    """The text is one reference and nothing else: its default is the whole credential."""
    references, _ = scan(node.value)
    return len(references) == 1 and references[0].start == 0 and references[0].end == len(node.value)


def in_environment(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a database's password in its environment where the image reads it from a file."""
    for name in _FILES.get(it.facts["product"], ()) if it.facts["official"] else ():
        variable = it.facts["environment"].get(name)
        if variable is None or variable.facts["style"] in ("file", "literal"):
            continue  # compose/literal-secret says it
        if variable.facts["style"] == "default" and variable.facts["default"]:
            continue
        yield Fault(variable, name=name, service=it.facts["name"])


def not_required(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault for each variable that carries a credential and that Compose does without when it is unset."""
    first: dict[str, tuple[Item, Item]] = {}
    others: dict[str, list[Item]] = {}
    required: set[str] = set()
    for service in it.facts["all_services"]:
        for variable in service.facts["environment"].values():
            if variable.node.kind is not UNKNOWN or variable.facts["style"] == "file":
                continue
            for reference in scan(variable.node.value)[0]:
                if reference.required:
                    required.add(reference.name)
                elif reference.style == "plain" and reference.name not in it.facts["model"].values:
                    names = (variable.facts["name"], reference.name)
                    if any(kind_of(each) or holds_credentials(each) for each in names):
                        first.setdefault(reference.name, (service, variable))
                        others.setdefault(reference.name, []).append(variable)
    elsewhere = _unread_env_file(file) if first else ABSENT
    for name, (service, variable) in first.items():
        if name in required:
            continue
        related: list[tuple[Node | Item, str]] = [(each, "used here too") for each in others[name][1:]]
        key = elsewhere.key(name)
        if key:
            related.append((key, "set here, where Compose does not look"))
        yield Fault(
            variable, related, "unread" if key else "default", variable=name, name=variable.facts["name"],
            service=service.facts["name"], file=elsewhere.source.path,
        )  # fmt: skip


def _unread_env_file(file: Artifact) -> Node:
    """What a production env file beside the Compose file sets: without `--env-file` Compose reads `.env` alone."""
    project, folder = file.project, file.path.rpartition("/")[0]
    if project is None:
        return ABSENT
    for name in (".env.production", ".env.prod"):
        path = f"{folder}/{name}" if folder else name
        source = project.read(path) if project.exists(path) and not project.ignored(path) else None
        if source is not None:
            from ..syntax import dotenv

            return dotenv.parse(source, "compose")[0]
    return ABSENT
