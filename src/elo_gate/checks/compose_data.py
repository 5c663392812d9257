"""Answers whether the data of a Compose file's databases and caches lasts, and who can get at it."""

from __future__ import annotations

import re

from ..kinds import compose
from ..kinds import compose_roles as roles
from ..kinds.compose_secrets import url_credentials
from ..model import UNKNOWN, Fault, Item, Undecided
from .compose_start import known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_REDIS = frozenset(["redis", "valkey", "keydb"])
_CACHE_ONLY = re.compile(
    r"--save\s+(?:\"\"|''|$|--)|--maxmemory-policy\s+(?:allkeys-\w+|volatile-\w+)|--appendonly\s+no"
)
_AUTHENTICATED = re.compile(r"--requirepass|--aclfile|--user\b|requirepass\s")
_CONFIG_FILE = re.compile(r"\.conf\b")
_POSTGRES_MAJOR = re.compile(r"^(?:pg)?(\d{2})(?!\d)")
_OPEN = {
    "POSTGRES_HOST_AUTH_METHOD": ("trust",),
    "MYSQL_ALLOW_EMPTY_PASSWORD": ("yes", "true", "1"),
    "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD": ("yes", "true", "1"),
    "MARIADB_ALLOW_EMPTY_PASSWORD": ("yes", "true", "1"),
    "ALLOW_EMPTY_PASSWORD": ("yes", "true", "1"),
    "xpack.security.enabled": ("false",),
    "plugins.security.disabled": ("true",),
    "DISABLE_SECURITY_PLUGIN": ("true",),
}
_DATABASE_URL = re.compile(
    r"^(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|redis|rediss|amqps?|valkey)(?:\+\w+)?://"
)
_FILLED_IN = re.compile(r"\bpostgres(?:ql)?(?:\+\w+)?://([^:@/$\s]+):\$(?:\w+|\{[^}]*\})@([\w.-]+)(?=[:/?]|$)")
_HOST = re.compile(r"^[A-Za-z][\w+.-]*://(?:[^/@]*@)?(\[[^\]]*\]|[^:/?,]+)")


def no_volume(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a database whose data folder is in no volume, or in one it does not use."""
    facts = it.facts
    if facts["role"] not in (roles.DATABASE, roles.STORAGE):
        return
    volumes = facts["volumes"]
    if any(not each.facts["target"] for each in volumes):
        raise Undecided("a variable holds where a volume is mounted", it)
    known(it)
    keeping = [each for each in volumes if each.facts["type"] in ("volume", "bind", "unknown", "nfs", "cluster")]
    folders: tuple[str, ...] | None = roles.DATA_FOLDERS.get(facts["product"])
    if folders is None:
        if not [each for each in keeping if not each.facts["read_only"] and not _is_file(each)]:
            yield Fault(it.place, service=facts["name"], what=facts["product"] or facts["role"])
        return
    folders = (*folders, *_moved(it))
    holding = [each for each in keeping if _covers(each.facts["target"], folders)]
    if not holding:
        lost = next((each for each in volumes if _covers(each.facts["target"], folders)), None)
        message = "default" if lost is None else "anonymous"
        yield Fault(it.place if lost is None else lost, (), message, service=facts["name"], what=facts["product"])
        return
    major = _major(it)
    if facts["official"] and facts["product"] == "postgres" and major is not None and major >= 18:
        for each in holding:
            if each.facts["target"].rstrip("/") == "/var/lib/postgresql/data" and "PGDATA" not in facts["environment"]:
                yield Fault(each, message="moved", service=facts["name"], major=major)


def _moved(it: Item) -> tuple[str, ...]:
    """Where PGDATA or a datadir option puts the data instead."""
    variable = it.facts["environment"].get("PGDATA")
    value = variable.facts["value"] or variable.facts["default"] if variable is not None else None
    option = re.search(r"--(?:datadir|dbpath)[=\s]+(\S+)", it.facts["command"])
    return tuple(each for each in (value, option.group(1) if option else None) if each)


def _covers(target: str, folders: tuple[str, ...]) -> bool:
    target = target.rstrip("/")
    return any(target == each or target.startswith(each + "/") or each.startswith(target + "/") for each in folders)


def _is_file(volume: Item) -> bool:
    return "." in volume.facts["target"].rpartition("/")[2]


def _major(it: Item) -> int | None:
    image = it.facts["image"]
    tag = image.facts["tag"] if image is not None else None
    found = _POSTGRES_MAJOR.match(tag) if isinstance(tag, str) else None
    return int(found.group(1)) if found is not None else None


def redis_volatile(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a Redis that is not said to be a cache and keeps nothing beyond its container."""
    if it.facts["product"] not in _REDIS or it.facts["role"] != roles.CACHE:
        return
    text = f"{it.facts['entrypoint']} {it.facts['command']}"
    if _CACHE_ONLY.search(text):
        return
    if any(each.facts["type"] in ("volume", "bind", "unknown") and not _is_file(each) for each in it.facts["volumes"]):
        return
    if _CONFIG_FILE.search(text):
        raise Undecided("its configuration file may say that it is only a cache", it)
    known(it)
    yield Fault(it.place, service=it.facts["name"], what=it.facts["product"])


def redis_open(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a Redis that asks nobody for a password."""
    if it.facts["product"] not in _REDIS or it.facts["role"] != roles.CACHE:
        return
    text = f"{it.facts['entrypoint']} {it.facts['command']}"
    environment = it.facts["environment"]
    if _AUTHENTICATED.search(text) or any("PASSWORD" in name or name == "REDIS_ARGS" for name in environment):
        return
    if _CONFIG_FILE.search(text) or any(each.facts["target"].endswith(".conf") for each in it.facts["volumes"]):
        raise Undecided("its configuration file may set a password", it)
    if it.facts["environment_open"]:
        raise Undecided("its env file may set a password", it)
    known(it)
    yield Fault(it.place, service=it.facts["name"], what=it.facts["product"])


def no_password(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a setting that switches the authentication of a data store off."""
    if it.facts["role"] not in roles.STORES:
        return
    severity = "error" if any(each.facts["reach"] == "all" for each in it.facts["ports"]) else None
    for name, off in _OPEN.items():
        variable = it.facts["environment"].get(name)
        if variable is None:
            continue
        value = variable.facts["value"] or variable.facts["default"] or ""
        if value.lower() in off:
            yield Fault(variable, severity=severity, service=it.facts["name"], setting=f"{name}={value}")


def superuser(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where the role that applications connect as is the one the image makes superuser."""
    facts = it.facts
    if facts["role"] != roles.DATABASE or facts["product"] != "postgres":
        return
    variable = facts["environment"].get("POSTGRES_USER")
    if variable is not None and variable.facts["style"] == "inherited":
        return
    user = (variable.facts["value"] or variable.facts["default"]) if variable is not None else "postgres"
    if not user:
        raise Undecided("a variable holds the superuser's name", variable)
    if any("docker-entrypoint-initdb.d" in each.facts["target"] for each in facts["volumes"]):
        return  # scripts there make the application's role
    at = variable if variable is not None else None
    users = list(_users_of(it, file))
    same = [place for name, place in users if name == user]
    if same:
        yield Fault(
            at if at is not None else same[0], [(each, "connects as it") for each in same], user=user,
            service=facts["name"],
        )  # fmt: skip
    elif at is not None and not users and user not in params["administrators"]:
        # Named like an application's role, and no other role is made anywhere.
        yield Fault(at, user=user, service=facts["name"])


def _users_of(database: Item, file: Artifact) -> Iterator[tuple[str, Item]]:
    """(user, variable) of each connection URL, and each user variable, that leads to the database."""
    name = database.facts["name"]
    for service in compose.VIEWS["services"](file):
        if service is database:
            continue
        for variable in service.facts["environment"].values():
            text = variable.facts["value"] or variable.facts["default"] or ""
            found = url_credentials(text) if "://" in text else None
            if found is not None and found[2] == name and text.startswith("postgres"):
                yield found[0], variable
            elif found is None and variable.node.kind is UNKNOWN:
                # The password is filled in, the user and the host are written.
                written = _FILLED_IN.search(str(variable.node.value))
                if written is not None and written[2] == name:
                    yield written[1], variable


def localhost_store(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a connection URL that names the container itself as its database host."""
    if it.facts["network_mode"]:
        return
    for variable in it.facts["environment"].values():
        text = variable.facts["value"] or variable.facts["default"] or ""
        if variable.facts["style"] == "file" or not _DATABASE_URL.match(text):
            continue
        host = _HOST.match(text)
        if host is not None and host.group(1) in ("localhost", "127.0.0.1", "[::1]"):
            severity = "warning" if variable.facts["value"] is None else None
            yield Fault(variable, severity=severity, name=variable.facts["name"], service=it.facts["name"])
