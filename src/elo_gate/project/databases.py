"""Turns the containers of a tree that run PostgreSQL into what is known of each: names, version, memory, ports.

A script and a database belong together when a name that only they share says so (the database, its user), or when the
database's container mounts the script. That there is only one of each proves nothing.
"""

from __future__ import annotations

import re

from ..model import ABSENT, SCALAR, UNKNOWN, Item, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_POSTGRES = ("postgres", "postgresql", "postgis", "pgvector", "timescaledb", "timescaledb-ha")
_MAJOR = re.compile(r"(?:pg)?(\d{1,2})(?!\d)")
_BYTES = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kmgt])?i?b?)", re.I)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_NAMES = {"database": ("POSTGRES_DB", "POSTGRESQL_DATABASE"), "user": ("POSTGRES_USER", "POSTGRESQL_USERNAME")}
INIT = "/docker-entrypoint-initdb.d"


def items(project: Any) -> list[Item]:
    """The databases of the judged files, in order of path.

    Facts: `name`, `where` ("Compose service", "container"), `major` (None when the tag does not say), `alpine`,
    `official`, `database`, `user` (nodes; ABSENT when the environment does not give them), `limit` (bytes or None),
    `limit_at` (its node), `published` (a port reaches the host), `mounts` ((source, target) pairs), `port` (in it).
    """
    found: list[Item] | None = project.facts.get("databases")
    if found is None:
        found = []
        project.facts["databases"] = found
        for artifact in project.judged():
            if artifact.kind == "compose":
                found.extend(_of_compose(artifact))
            elif artifact.kind == "k8s":
                found.extend(_of_kubernetes(artifact))
    return found


def _of_compose(artifact: Artifact) -> Iterator[Item]:
    from ..kinds import compose

    for file in compose.VIEWS["file"](artifact):
        for service in file.facts["services"]:
            facts = service.facts
            image = facts["image"]
            if facts["product"] != "postgres" or image is None:
                continue
            environment = facts["environment"]
            tag = image.facts["tag"]
            limit = service.node.get("deploy", "resources", "limits", "memory") or service.node.get("mem_limit")
            found = _described(image.facts["repository"], tag if isinstance(tag, str) else None)
            found.update(
                name=facts["name"],
                where="Compose service",
                official=facts["official"],
                published=bool(facts["ports"]),
                mounts=[(each.facts["source"] or "", each.facts["target"]) for each in facts["volumes"]],
                limit=size(limit.value) if limit.kind is SCALAR else None,
                limit_at=limit,
                command=facts["command"],
            )
            for role, names in _NAMES.items():
                held = next((environment[name] for name in names if name in environment), None)
                found[role] = _value(held) if held is not None else ABSENT
            yield Item(service.node, found, service.place)


def _value(variable: Item) -> Node:
    """What a variable holds; an unknown for a reference, whatever its default."""
    value, node = variable.facts["value"], variable.node
    if value is None:
        return Node(UNKNOWN, "", node.source, node.start, node.end)
    return Node(SCALAR, value, node.source, node.start, node.end, "'")


def _of_kubernetes(artifact: Artifact) -> Iterator[Item]:
    if not any(name in artifact.source.text for name in _POSTGRES):
        return
    from ..kinds import k8s

    for container in k8s.view(artifact, "containers"):
        image = container.facts["image"]
        owner = container.facts["workload"]
        if not isinstance(image, Item) or container.facts["init"] or not owner.facts["long_running"]:
            continue
        if image.facts["base"] not in _POSTGRES:
            continue
        found = _described(image.facts["repository"], image.facts["tag"])
        limit = container.facts["limits"].get("memory")
        found.update(
            name=owner.facts["name"] or container.facts["name"],
            where="container",
            official=image.facts["repository"] in ("postgres", "library/postgres"),
            published=False,
            mounts=[],
            limit=_quantity(limit),
            limit_at=limit,
            command="",
            database=ABSENT,
            user=ABSENT,
        )
        for variable in container.node.get("env").elements():
            for role, names in _NAMES.items():
                if variable.get("name").text() in names:
                    value = variable.get("value")
                    found[role] = value if value.kind is SCALAR else Node(
                        UNKNOWN, "", variable.source, variable.start, variable.end
                    )  # fmt: skip
        yield Item(container.node, found, container.place)


def _described(repository: str, tag: str | None) -> dict[str, Any]:
    major = _MAJOR.match(tag) if tag and repository.rpartition("/")[2] in _POSTGRES else None
    return {"major": int(major.group(1)) if major is not None else None, "alpine": bool(tag and "alpine" in tag)}


def size(text: str) -> int | None:
    """Bytes of a size as Compose and PostgreSQL write it (`512m`, `1GB`, `256MB`); None when it is none."""
    found = _BYTES.fullmatch(text.strip())
    if found is None:
        return None
    return int(float(found.group(1)) * 1024 ** _POWERS[(found.group(2) or "").lower()])


def _quantity(node: Node) -> int | None:
    from ..kinds.quantity import NANO, quantity

    found = quantity(node.value) if node.kind is SCALAR else None
    return found // NANO if found is not None else None


def of_names(project: Any, database: Node, user: Node) -> tuple[Item, str] | None:
    """The one database that goes by this name, else by this user, and which of the two said so; None otherwise."""
    for role, wanted in (("database", database), ("user", user)):
        if wanted.kind is not SCALAR or wanted.value in ("postgres", "root", "admin", "app", ""):
            continue
        same = [
            one for one in items(project) if one.facts[role].kind is SCALAR and one.facts[role].value == wanted.value
        ]
        if len(same) == 1:
            return same[0], role
    return None


def of_script(project: Any, path: str) -> Item | None:
    """The database whose container runs a script of the tree when it starts for the first time."""
    for one in items(project):
        folder = one.node.source.path.rpartition("/")[0]
        for source, target in one.facts["mounts"]:
            if not target.startswith(INIT) or source[:1] != ".":
                continue
            from ..kinds.compose_model import resolve

            real = resolve(folder, source)
            if real is not None and (real == path or path.startswith(real.rstrip("/") + "/") or not real):
                return one
    return None
