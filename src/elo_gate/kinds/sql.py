"""Turns an SQL script into what it sets up, migrates or restores: databases, roles, grants, settings, shell lines.

Three sorts of scripts are looked at: those that set a server up (CREATE DATABASE, CREATE ROLE, ALTER SYSTEM, GRANT),
those that restore or roll back, and the newest migration of a folder. The grammar is PostgreSQL's
(https://www.postgresql.org/docs/18/sql-commands.html, looked up 2026-11-25); of MySQL the passwords are read.
"""

from __future__ import annotations

import re

from ..model import ABSENT, SCALAR, SEQ, UNKNOWN, Item, Node
from ..syntax import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from ..model import Artifact

BOOTSTRAP, RESTORE, MIGRATION = "bootstrap", "restore", "migration"

_NAMED = frozenset(("rollback", "restore", "bootstrap"))
_MIGRATIONS = frozenset(("migrations", "migration", "drizzle"))
_NUMBERED = re.compile(r"(?:\d{3,}|V\d+(?:[._]\d+)*__)", re.I)
_SETUP = re.compile(
    r"^[ \t]*(?:create\s+(?:database|role|user|tablespace)|alter\s+(?:system|role|user|database)|grant|revoke)\s"
    r"|\bcreate\s+(?:role|user)\s+\w+\s+(?:\w+\s+){0,12}password\b",
    re.I | re.M,
)
_RESTORES = re.compile(r"^[ \t]*(?:\S{0,200}/)?pg_restore\s", re.M)
_HASHED = re.compile(r"(?:SCRAM-SHA-256\$\d+:|md5[0-9a-f]{32}$|\*[0-9A-F]{40}$)")
_CONNECTION = re.compile(r"\bpassword\s*=\s*('[^']{1,200}'|[^\s']{1,200})|://[^\s:/@]{1,64}:([^\s@]{1,200})@", re.I)
_SHELL_PASSWORD = re.compile(r"\bPGPASSWORD=(\"[^\"]*\"|'[^']*'|[^\s$]+)")
_INIT = re.compile(r"(\.{1,2}/[^\s:\"',]{0,200}):/docker-entrypoint-initdb\.d")
# Where the way back begins in a file that holds both ways (dbmate, goose, sql-migrate).
_DOWN = re.compile(r"^[ \t]*--[ \t]*(?:migrate:down|\+goose\s+Down|\+migrate\s+Down|@down|down\b)", re.I | re.M)


def looks_like(path: str, text: str) -> bool:
    """Whether a script sets a server up, restores, or is a migration."""
    sort = by_name(path)
    if sort is not None:
        return sql.dialect(text) != sql.OTHER
    if "PostgreSQL database dump" in text[:200]:
        return False  # what a database looked like, grants of its time included
    return (_SETUP.search(text) is not None or _RESTORES.search(text) is not None) and sql.dialect(text) != sql.OTHER


def by_name(path: str) -> str | None:
    """What a path alone says: RESTORE, BOOTSTRAP, MIGRATION, or None."""
    *folders, name = path.lower().split("/")
    stem = name.removesuffix(".sql")
    if folders and folders[-1] in _MIGRATIONS and _NUMBERED.match(name):
        return None if stem.endswith((".down", "_down", "-down")) else MIGRATION
    if name == "migration.sql" and len(folders) > 1 and folders[-2] in _MIGRATIONS:
        return MIGRATION
    if _MIGRATIONS.isdisjoint(folders):
        words = re.split(r"[^a-z0-9]+", stem)
        if "bootstrap" in words:
            return BOOTSTRAP
        if not _NAMED.isdisjoint(words):
            return RESTORE
    return None


def load(artifact: Artifact) -> None:
    """Reads the statements; the tree is a list of them, each with its whole text."""
    source = artifact.source
    statements, artifact.problems = sql.parse(source, sql.dialect(source.text))
    nodes = [Node(SCALAR, one.text, source, one.start, one.end, "'") for one in statements]
    artifact.root = Node(SEQ, nodes, source, 0, len(source.text))
    artifact.views["statements"] = [Item(node, {"statement": one}) for node, one in zip(nodes, statements, strict=True)]


def signs(artifact: Artifact) -> tuple[str, str] | None:
    """SQL says nothing of its environment."""
    return None


def settle(artifact: Artifact) -> None:
    """Sets aside migrations that have been applied, and what only databases for development start with."""
    if artifact.state != "judged":
        return
    if by_name(artifact.path) == MIGRATION:
        if not is_newest(artifact):
            artifact.state, artifact.why = "aside", "an earlier migration: the newest of its folder is judged"
    elif artifact.assumed and artifact.project is not None:
        mounts = [one for one in artifact.project.artifacts("compose") if _mounts(one, artifact.path)]
        if mounts and all(one.environment != "production" for one in mounts):
            artifact.environment, artifact.assumed = mounts[0].environment, False
            artifact.state, artifact.why = "aside", f"only {mounts[0].path} runs it"


def _mounts(compose: Artifact, path: str) -> bool:
    """Whether a Compose file gives a script to a database's first start."""
    folder = compose.path.rpartition("/")[0]
    for found in _INIT.finditer(compose.source.text):
        parts = f"{folder}/{found[1]}".split("/")
        real: list[str] = []
        for part in parts:
            if part == ".." and real:
                real.pop()
            elif part not in ("", ".", ".."):
                real.append(part)
        source = "/".join(real)
        if path == source or path.startswith(source + "/"):
            return True
    return False


def is_newest(artifact: Artifact) -> bool:
    """Whether no migration beside this one comes later, by name, as the tools order them."""
    folder, _, name = artifact.path.rpartition("/")
    project = artifact.project
    if project is None:
        return True
    if name == "migration.sql":
        folder, _, own = folder.rpartition("/")
        others = [each[:-1] for each in project.names(folder) if each.endswith("/")]
        others = [each for each in others if each > own and project.exists(f"{folder}/{each}/migration.sql")]
        return not others
    names = [each for each in project.names(folder) if by_name(f"{folder}/{each}") == MIGRATION]
    return max(names, key=_order, default=name) == name


def _order(name: str) -> tuple[tuple[int, ...], str]:
    """Flyway counts (`V10` after `V9`); the others compare names."""
    found = re.match(r"V(\d+(?:[._]\d+)*)__", name, re.I)
    return (tuple(int(each) for each in re.split(r"[._]", found.group(1))) if found else (), name)


def secrets(artifact: Artifact) -> list[tuple[int, int]]:
    """Passwords: behind PASSWORD or IDENTIFIED BY, in connection strings, in front of a shell line."""
    found = [(node.start, node.end) for node in _passwords(artifact)]
    base = artifact.source.text
    for item in artifact.views.get("statements", ()):
        one = item.facts["statement"]
        if one.kind is not sql.SQL:
            for match in (*_SHELL_PASSWORD.finditer(one.text), *_CONNECTION.finditer(one.text)):
                group = 1 if match[1] is not None else 2
                found.append((one.start + match.start(group), one.start + match.end(group)))
            continue
        for token in one.tokens:
            if token.kind in (sql.STRING, sql.BODY):
                for match in _CONNECTION.finditer(base, token.start, token.end):
                    group = 1 if match[1] is not None else 2
                    found.append((match.start(group), match.end(group)))
    return found


def _passwords(artifact: Artifact) -> Iterator[Node]:
    for one in all_statements(artifact):
        for at, token in enumerate(one.tokens[:-1]):
            value = one.tokens[at + 1]
            named = token.kind is sql.WORD and token.text in ("PASSWORD", "BY")
            if named and value.kind in (sql.STRING, sql.BODY) and value.text:
                yield node_of(artifact, value)


def all_statements(artifact: Artifact) -> list[sql.Statement]:
    """The SQL statements of a script in order, those inside of `DO` bodies too, up to where a way back begins."""
    kept = artifact.views.get("all statements")
    if kept is None:
        written = [item.facts["statement"] for item in artifact.views.get("statements", ())]
        found = [one for one in sql.every(artifact.source, written) if one.kind is sql.SQL]
        down = _DOWN.search(artifact.source.text) if by_name(artifact.path) == MIGRATION else None
        if down is not None:
            found = [one for one in found if one.start < down.start()]
        kept = artifact.views["all statements"] = [Item(artifact.root, {"statements": found})]
    statements: list[sql.Statement] = kept[0].facts["statements"]
    return statements


def node_of(artifact: Artifact, token: sql.Token) -> Node:
    """A token as a node: a name that is not quoted in lower case, as PostgreSQL folds it."""
    text = token.text.lower() if token.kind is sql.WORD else token.text
    known = token.known and token.kind is not sql.VARIABLE
    style = "'" if token.kind in (sql.STRING, sql.NAME, sql.BODY) else ""
    return Node(SCALAR if known else UNKNOWN, text, artifact.source, token.start, token.end, style)


# -- views


def sort_of(artifact: Artifact) -> str:
    """What the script is for: MIGRATION, RESTORE or BOOTSTRAP."""
    said = by_name(artifact.path)
    return said or (RESTORE if _RESTORES.search(artifact.source.text) else BOOTSTRAP)


def _file(artifact: Artifact) -> list[Item]:
    """The script: `sort`, `dialect`; its place is the first word of its first statement."""
    items = artifact.views["statements"]
    if not items:
        return []
    first: sql.Statement = items[0].facts["statement"]
    end = first.tokens[0].end if first.tokens else first.start + len(first.text.split(None, 1)[0])
    source = artifact.source
    place = Node(SCALAR, source.text[first.start : end], source, first.start, end)
    facts = {"sort": sort_of(artifact), "dialect": sql.dialect(source.text)}
    return [Item(artifact.root, facts, place)]


def _postgres(artifact: Artifact) -> list[sql.Statement]:
    return all_statements(artifact) if sql.dialect(artifact.source.text) == sql.POSTGRESQL else []


def _shell(artifact: Artifact) -> list[Item]:
    """Lines of shell: `program`, `text`, `words` (of its first command)."""
    from ..syntax import command

    found = []
    for item in artifact.views["statements"]:
        one = item.facts["statement"]
        if one.kind is not sql.SHELL:
            continue
        commands = command.parse(one.text)
        words = commands[0].words if commands else []
        text = words[0].text if words else one.text.split(None, 1)[0]
        place = Node(SCALAR, one.text, artifact.source, one.start, one.end, "'")
        facts = {"program": text.rpartition("/")[2], "text": one.text, "commands": commands}
        found.append(Item(place, facts, place))
    return found


def _databases(artifact: Artifact) -> list[Item]:
    """CREATE DATABASE: `name`, `guarded`, and its options as nodes: OWNER, ENCODING, LC_COLLATE, LOCALE ..."""
    found = []
    for one in _postgres(artifact):
        if not one.words("CREATE", "DATABASE") or len(one.tokens) < 3:
            continue
        name = node_of(artifact, one.tokens[2])
        facts: dict[str, Any] = {"name": name, "guarded": one.guarded or bool(one.executed)}
        for option in ("OWNER", "ENCODING", "LC_COLLATE", "LC_CTYPE", "LOCALE", "LOCALE_PROVIDER", "ICU_LOCALE"):
            facts[option.lower()] = option_of(artifact, one.tokens[3:], option)
        found.append(Item(name, facts, name))
    return found


def option_of(artifact: Artifact, tokens: Sequence[sql.Token], name: str) -> Node:
    """The value behind an option's name, with or without `=`; ABSENT when it is not given."""
    for at, token in enumerate(tokens):
        if token.kind is sql.WORD and token.text == name:
            rest = [each for each in tokens[at + 1 : at + 3] if each.text not in ("=", "TO")]
            return node_of(artifact, rest[0]) if rest else ABSENT
    return ABSENT


def _roles(artifact: Artifact) -> list[Item]:
    """CREATE or ALTER ROLE, USER: `name`, `created`, `password` (a node, ABSENT), `hashed`, `super` (the word)."""
    found = []
    mysql = sql.dialect(artifact.source.text) == sql.MYSQL
    for one in all_statements(artifact):
        tokens = one.tokens
        verb = tokens[0].text if tokens else ""
        kind = tokens[1].text if len(tokens) > 2 and tokens[1].kind is sql.WORD else ""
        if verb not in ("CREATE", "ALTER") or kind not in ("ROLE", "USER") or tokens[2].text == "MAPPING":
            continue
        at = 5 if one.words(verb, kind, "IF", "NOT", "EXISTS") else 4 if one.words(verb, kind, "IF", "EXISTS") else 2
        if at >= len(tokens):
            continue
        name = node_of(artifact, tokens[at])
        rest = tokens[at + 1 :]
        password = option_of(artifact, rest, "PASSWORD")
        if not password and mysql:
            password = option_of(artifact, rest, "BY")
        if password and password.style == "":
            password = password if password.kind is UNKNOWN else ABSENT  # PASSWORD NULL
        power = next((each for each in rest if each.kind is sql.WORD and each.text == "SUPERUSER"), None)
        facts = {
            "name": name,
            "created": verb == "CREATE",
            "guarded": one.guarded or bool(one.executed),
            "password": password,
            "hashed": password.kind is SCALAR and _HASHED.match(password.value) is not None,
            "super": node_of(artifact, power) if power is not None else ABSENT,
        }
        found.append(Item(name, facts, name))
    return found


def _grants(artifact: Artifact) -> list[Item]:
    """GRANT ... ON ... TO ...: `privileges`, `on` ("DATABASE", "SCHEMA", "TABLE", "ALL TABLES"), `objects`, `to`."""
    found = []
    for one in _postgres(artifact):
        tokens = one.tokens
        if not one.words("GRANT"):
            continue
        on = _index(tokens, "ON")
        to = _index(tokens, "TO")
        if on < 0 or to < on:
            continue
        what = tokens[on + 1].text if tokens[on + 1].kind is sql.WORD else "TABLE"
        names = tokens[on + 1 : to]
        if what == "ALL":
            what = " ".join(each.text for each in tokens[on + 1 : on + 3])
        elif what not in ("DATABASE", "SCHEMA", "TABLE", "SEQUENCE", "FUNCTION", "LANGUAGE", "TYPE", "DOMAIN"):
            what = "TABLE"
        else:
            names = tokens[on + 2 : to]
        privileges = " ".join(each.text for each in tokens[1:on] if each.text != "PRIVILEGES").replace(" ,", ",")
        facts = {
            "privileges": privileges,
            "on": what,
            "objects": [node_of(artifact, each) for each in names if each.text not in (",", ".")],
            "to": [node_of(artifact, each) for each in tokens[to + 1 :] if each.kind in (sql.WORD, sql.NAME)],
        }
        source = artifact.source
        place = Node(SCALAR, privileges, source, tokens[0].start, tokens[on - 1].end, "'")
        found.append(Item(place, facts, place))
    return found


def _index(tokens: Sequence[sql.Token], word: str) -> int:
    return next((at for at, each in enumerate(tokens) if each.kind is sql.WORD and each.text == word), -1)


def _settings(artifact: Artifact) -> list[Item]:
    """ALTER SYSTEM SET: `name` (text), `value` (a node)."""
    found = []
    for one in _postgres(artifact):
        tokens = one.tokens
        if not one.words("ALTER", "SYSTEM", "SET") or len(tokens) < 6:
            continue
        value = node_of(artifact, tokens[5])
        if tokens[5].text == "-" and len(tokens) > 6:
            value = Node(SCALAR, "-" + tokens[6].text, artifact.source, tokens[5].start, tokens[6].end)
        name = node_of(artifact, tokens[3])
        found.append(Item(name, {"name": name.value.lower(), "value": value}, name))
    return found


def _server(artifact: Artifact) -> list[Item]:
    """The server a script configures: one item with all `settings`, none when it sets none."""
    settings = _settings(artifact)
    if not settings:
        return []
    return [Item(settings[0].node, {"settings": settings}, settings[0].node)]


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {
    "file": _file,
    "statements": lambda artifact: artifact.views["statements"],
    "shell": _shell,
    "databases": _databases,
    "roles": _roles,
    "grants": _grants,
    "settings": _settings,
    "server": _server,
}
