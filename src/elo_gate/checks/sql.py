"""Judges SQL scripts: what fails halfway, what gives too much away, which settings do nothing."""

from __future__ import annotations

import re

from ..kinds import sql as scripts
from ..model import ABSENT, SCALAR, UNKNOWN, Fault, Item, Node, Undecided
from ..project import databases
from ..syntax import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

    Answer = Iterator[Fault | Undecided]

_NEUTRAL = ("C", "POSIX", "C.UTF-8", "C.UTF8", "EN_US.UTF-8", "EN_US.UTF8")
_WRITES = ("CREATE", "INSERT", "UPDATE", "DELETE", "TRUNCATE")


def shell(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a line of shell: psql reads it as SQL."""
    yield Fault(it, program=it.facts["program"])


def role_before_use(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a role that is used above the statement that creates it."""
    created: dict[str, Node] = {}
    for role in scripts.VIEWS["roles"](file):
        name = role.facts["name"]
        if role.facts["created"] and name.kind is SCALAR and not role.facts["guarded"]:
            created.setdefault(name.value, name)
    seen = set()
    for use in _uses(file):
        made = created.get(use.value)
        if made is not None and use.start < made.start and use.value not in seen:
            seen.add(use.value)
            yield Fault(use, [(made, "created only here")], role=use.value, line=_line(made))


def _uses(file: Artifact) -> Iterator[Node]:
    """Where roles are named that have to exist: owners of databases and schemas, who gets a grant."""
    for one in scripts.all_statements(file):
        tokens = one.tokens
        for at, token in enumerate(tokens[:-1]):
            if token.kind is not sql.WORD:
                continue
            following = tokens[at + 1 : at + 4]
            if token.text == "OWNER":
                following = [each for each in following if each.text not in ("=", "TO")]
            elif (
                token.text == "AUTHORIZATION"
                and one.words("CREATE", "SCHEMA")
                or token.text == "TO"
                and one.words("GRANT")
            ):
                pass
            else:
                continue
            if following and following[0].kind in (sql.WORD, sql.NAME):
                yield scripts.node_of(file, following[0])


def not_utf8(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a database in another encoding than UTF-8."""
    encoding = it.facts["encoding"]
    if encoding.kind is SCALAR and encoding.value.upper().replace("-", "") not in ("UTF8", "UNICODE", "DEFAULT", "6"):
        yield Fault(encoding, name=_shown(it), encoding=encoding.value)


def locale_of_image(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a locale of the C library that the database's image does not have."""
    provider = it.facts["locale_provider"]
    given = [it.facts[name] for name in ("lc_collate", "lc_ctype", "locale")]
    given = [each for each in given if each.kind is SCALAR and each.value.upper() not in _NEUTRAL]
    if not given or (provider and provider.value.lower() != "libc"):
        return
    database = database_of(file, it)
    if database is None or not database.facts["official"]:
        return
    message = "alpine" if database.facts["alpine"] else "debian"
    related = [(each, "this one too") for each in given[1:]] + [(database, "the server it runs in")]
    yield Fault(given[0], related, message, locale=given[0].value, name=_shown(it), service=database.facts["name"])


def database_of(file: Artifact, created: Item | None = None) -> Item | None:
    """The container that runs the database a script is about, by evidence."""
    if file.project is None:
        return None
    mounted = databases.of_script(file.project, file.path)
    if mounted is not None:
        return mounted
    candidates = [created] if created is not None else scripts.VIEWS["databases"](file)
    for one in candidates:
        found = databases.of_names(file.project, one.facts["name"], one.facts["owner"])
        if found is not None:
            return found[0]
    for role in scripts.VIEWS["roles"](file) if created is None else ():
        found = databases.of_names(file.project, ABSENT, role.facts["name"])
        if found is not None:
            return found[0]
    return None


def plaintext_password(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a role whose password stands in the script."""
    password = it.facts["password"]
    if password.kind is UNKNOWN:
        return
    if password.kind is SCALAR and password.value and not it.facts["hashed"]:
        yield Fault(password, role=_shown(it))


def broad_grant(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a grant of everything on a database, of writing to everybody, of what belongs to the owner."""
    facts = it.facts
    receivers = [each.value for each in facts["to"] if each.kind is SCALAR]
    shown = ", ".join(each for each in receivers if each.upper() not in ("WITH", "GRANT", "OPTION", "GROUP"))
    privileges = facts["privileges"]
    objects = ", ".join(each.value for each in facts["objects"][:3] if each.kind is SCALAR) or "?"
    everybody = any(each.kind is SCALAR and each.value == "public" and not each.style for each in facts["to"])
    if everybody and (
        privileges == "ALL" or any(word in privileges for word in ("CREATE", "INSERT", "UPDATE", "DELETE"))
    ):
        yield Fault(it, message="everybody", privileges=privileges, objects=objects)
    elif privileges == "ALL" and facts["on"] == "DATABASE":
        owners = {one.facts["owner"].value: one.facts["owner"] for one in scripts.VIEWS["databases"](file)
                  if one.facts["owner"].kind is SCALAR}  # fmt: skip
        owned = [(owners[each], "and owns the database") for each in receivers if each in owners]
        yield Fault(it, owned, role=shown, objects=objects)


def superuser(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a role that is made a superuser."""
    power = it.facts["super"]
    if power and _shown(it) != "postgres":
        yield Fault(power, role=_shown(it))


def created_twice(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for what the container of the database has made already when the script runs."""
    container = database_of(file)
    if container is None:
        return
    name = container.facts["database"] or container.facts["user"]
    twice: list[tuple[Node, Node]] = []
    for one in scripts.VIEWS["databases"](file):
        made = one.facts["name"]
        if made.kind is SCALAR and name.kind is SCALAR and made.value == name.value and not one.facts["guarded"]:
            twice.append((made, name))
    user = container.facts["user"]
    for role in scripts.VIEWS["roles"](file):
        made = role.facts["name"]
        again = role.facts["created"] and not role.facts["guarded"] and made.kind is SCALAR and user.kind is SCALAR
        if again and made.value == user.value:
            twice.append((made, user))
    if not twice:
        return
    twice.sort(key=lambda pair: pair[0].start)
    related = [(made, "and this one") for made, _ in twice[1:]] + [(by, "made here already") for _, by in twice]
    names = ", ".join(dict.fromkeys(made.value for made, _ in twice))
    yield Fault(twice[0][0], related, names=names, service=container.facts["name"])


# -- restores


def restore_flags(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a `pg_restore` that drops what is there and goes on after errors."""
    for command in it.facts["commands"]:
        words = [each.text for each in command.words]
        if not words or words[0].rpartition("/")[2] != "pg_restore":
            continue
        flags = _flags(words[1:])
        if not flags & {"c", "--clean"} or flags & {"--exit-on-error", "e", "--single-transaction", "1"}:
            continue
        missing = "--exit-on-error" if "--if-exists" in flags else "--if-exists --exit-on-error"
        yield Fault(_part(it, command, "pg_restore"), missing=missing)


def fixed_backup(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a restore of a backup whose date stands in the script."""
    for command in it.facts["commands"]:
        words = command.words
        if not words or words[0].text.rpartition("/")[2] not in ("pg_restore", "psql", "gunzip", "zcat", "gzip"):
            continue
        for word in words[1:]:
            if word.known and re.search(r"(?:19|20)\d{2}[-_]?(?:0\d|1[0-2])[-_]?[0-3]\d", word.text):
                start = it.node.start + word.start
                name = word.text.rpartition("/")[2]
                yield Fault(Node(SCALAR, name, file.source, start, it.node.start + word.end), backup=name)


def _flags(words: list[str]) -> set[str]:
    """Long options as written, short ones one by one."""
    found = set()
    for word in words:
        if word.startswith("--"):
            found.add(word.partition("=")[0])
        elif word.startswith("-"):
            found.update(word[1:] if word[1:2] not in "UdhpFfjtnLSIPT" else word[1:2])
    return found


def _part(it: Item, command: Any, program: str) -> Node:
    word = command.words[0]
    return Node(SCALAR, program, it.node.source, it.node.start + word.start, it.node.start + word.end)


def goes_on_after_error(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a restore script that writes its success down whatever happened before."""
    if it.facts["sort"] != scripts.RESTORE or it.facts["dialect"] != sql.POSTGRESQL:
        return
    for item in file.views["statements"]:
        one = item.facts["statement"]
        if one.kind is sql.META and re.match(r"\\set\s+ON_ERROR_STOP\s+(?:on|1|true)\b", one.text, re.I):
            return
        if one.kind is sql.SQL and (one.words("BEGIN") or one.words("START", "TRANSACTION")):
            return
    statements = scripts.all_statements(file)
    if not statements or len(file.views["statements"]) < 2:
        return
    last = statements[-1]
    if not last.words("INSERT") and not last.words("UPDATE"):
        return
    caller = _caller(file)
    if caller == "stops":
        return
    if not caller and file.project is not None and file.project.partial:
        raise Undecided("only some files are looked at: another may run this one and set ON_ERROR_STOP", it)
    if caller:
        raise Undecided(f"{caller} may set ON_ERROR_STOP", it)
    token = last.tokens[0]
    yield Fault(scripts.node_of(file, token), line=_line(it.place))


def _caller(file: Artifact) -> str:
    """Who runs this script: "stops" when psql is told to stop at errors, a path, or nothing."""
    name = file.path.rpartition("/")[2]
    for kind in ("script", "workflow", "gitlab"):
        for artifact in file.project.artifacts(kind) if file.project is not None else ():
            text = artifact.source.text
            if name in text:
                return "stops" if "ON_ERROR_STOP" in text else str(artifact.path)
    return ""


# -- words


def _shown(it: Item) -> str:
    name = it.facts["name"]
    return str(name.value)


def _line(node: Node) -> int:
    return node.source.position(node.start)[0]
