"""Judges whether those who log in to a database of the tree can reach it, and mean the one that is there."""

from __future__ import annotations

import re

from ..model import SCALAR, Fault, Item, Node, Undecided
from ..project import databases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

    Answer = Iterator[Fault | Undecided]

_LOCAL = ("localhost", "127.0.0.1", "::1")


def identity(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a login that names this database and cannot reach it, or misses its name."""
    project = file.project
    logins = project.facts.get("database logins")
    if logins is None:
        logins = project.facts["database logins"] = _logins(project)
    for login in logins:
        yield from _unreachable(login, it, project)
    if it.facts["where"] == "Compose service":
        known = project.facts.get("database addresses")
        if known is None:
            known = project.facts["database addresses"] = _addresses(project)
        for url, name in known.get((it.node.source.path.rpartition("/")[0], it.facts["name"]), ()):
            yield from _misnamed(url, name, it, project)


def _logins(project: Any) -> list[Item]:
    """The logins of all programs of the tree that make or read back a dump."""
    programs = ("pg_dump", "pg_restore", "psql")
    if not any(program in each.source.text for each in project.judged() for program in programs):
        return []
    from ..project import backups

    return [login for unit in backups.units(project) for login in (*unit.dumps, *unit.restores)]


def _unreachable(login: Item, container: Item, project: Any) -> Answer:
    facts = login.facts
    found = databases.of_names(project, facts["database"], facts["user"])
    if found is None or found[0] is not container or facts["inside"]:
        return
    by = found[1]
    shown = facts["database"] if by == "database" else facts["user"]
    host = facts["host"]
    if host.kind is SCALAR and host.value in _LOCAL and not container.facts["published"]:
        if container.facts["where"] != "Compose service" or re.search(
            r"port-forward|\bssh\b", facts["unit"].script.text
        ):
            return
        related = [(container, "publishes no port"), (container.facts[by], f"the same {by}")]
        yield Fault(
            host,
            related,
            "host",
            name=str(shown.value),
            host=host.value,
            service=container.facts["name"],
            tool=facts["tool"],
        )
    elif by == "user" and facts["database"].kind is SCALAR and container.facts["database"].kind is SCALAR:
        if not _creates(project, "databases", facts["database"].value) and facts["database"].value != "postgres":
            related = [(container.facts["database"], "the database of the same user")]
            yield Fault(
                facts["database"], related, "database", name=facts["database"].value, service=container.facts["name"],
                known=container.facts["database"].value,
            )  # fmt: skip


_URL = re.compile(r"postgres(?:ql)?(?:\+\w+)?://(?:[^\s:/@\"']*(?::[^\s/@\"']*)?@)?([\w.-]+)(?::\d+)?/([\w.-]+)")


def _addresses(project: Any) -> dict[tuple[str, str], list[tuple[Node, str]]]:
    """(folder, host) -> (place of the database's name, database) of the literal URLs in Compose and env files."""
    addresses: dict[tuple[str, str], list[tuple[Node, str]]] = {}
    for artifact in project.judged():
        if artifact.kind not in ("compose", "env"):
            continue
        text = artifact.source.text
        for found in _URL.finditer(text):
            line = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
            if not line.lstrip().startswith("#"):
                at = Node(SCALAR, found[2], artifact.source, found.start(2), found.end(2), "'")
                addresses.setdefault((artifact.path.rpartition("/")[0], found[1]), []).append((at, found[2]))
    return addresses


def _misnamed(at: Node, name: str, container: Item, project: Any) -> Answer:
    """A URL whose host is the service, in a file of the same folder, and whose database the service does not make."""
    made = container.facts["database"] or container.facts["user"]
    if made.kind is not SCALAR or name in (made.value, "postgres"):
        return
    if not _creates(project, "databases", name) and not _initialised(container):
        known = str(made.value)
        yield Fault(
            at, [(made, "the database it makes")], "database", name=name, service=container.facts["name"], known=known
        )


def _initialised(container: Item) -> bool:
    """Whether init scripts may create another database, in files that are not read."""
    return any(target.startswith(databases.INIT) for _, target in container.facts["mounts"])


def _creates(project: Any, view: str, name: str) -> bool:
    """Whether an SQL script of the tree, of any state, creates a database of that name."""
    from ..kinds import sql

    for artifact in project.artifacts("sql"):
        for item in sql.VIEWS[view](artifact):
            if item.facts["name"].value == name:
                return True
    return any(
        re.search(rf"\bcreatedb\b[^\n]*\b{re.escape(name)}\b", artifact.source.text)
        for artifact in project.artifacts("script")
    )
