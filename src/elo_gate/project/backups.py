"""Turns the shell of a tree into the chain of its backups: what is dumped, copied, packed, pruned, and restored.

Shell stands in scripts, in the commands of CronJobs, workflows and services, and in SQL files by mistake. Each such
text is a unit; its assignments are put in where they are known, and what is not known becomes a `*`, so that a name is
a pattern: `/backups/shop_*.dump`. Facts of the tools: postgresql.org/docs/18 app-pgdump, app-pgrestore, app-psql
(looked up 2026-11-25).
"""

from __future__ import annotations

import re

from ..kinds.jobs import Call, Script
from ..model import ABSENT, SCALAR, UNKNOWN, Item, Node
from ..syntax import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

PLAIN, CUSTOM, DIRECTORY, TAR = "plain", "custom", "directory", "tar"
DUMPS = {"pg_dump": PLAIN, "pg_dumpall": PLAIN, "pg_basebackup": TAR, "mysqldump": PLAIN, "mariadb-dump": PLAIN,
         "mongodump": DIRECTORY, "sqlite3": PLAIN}  # fmt: skip
_FORMATS = {"p": PLAIN, "plain": PLAIN, "c": CUSTOM, "custom": CUSTOM, "d": DIRECTORY, "directory": DIRECTORY,
            "t": TAR, "tar": TAR}  # fmt: skip
# Packers and what they add to a name.
_PACKERS = {"gzip": ".gz", "pigz": ".gz", "bzip2": ".bz2", "xz": ".xz", "zstd": ".zst", "lz4": ".lz4", "gpg": ".gpg",
            "age": ".age"}  # fmt: skip
_UNPACKERS = frozenset(("gunzip", "zcat", "unpigz", "bunzip2", "bzcat", "unxz", "xzcat", "unzstd", "zstdcat"))
_ENDINGS = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".gpg", ".age", ".enc")
# Flags whose next word is their value; some letters mean another thing to psql.
_COMMON = ("-U", "-h", "-p", "-d", "-f", "-F", "-t", "-n", "-N", "-T", "-j", "-Z", "-E", "-S", "-L", "-D", "-u", "-P",
           "--username", "--host", "--port", "--dbname", "--file", "--format", "--jobs", "--compress", "--table",
           "--schema", "--role", "--exclude-table")  # fmt: skip
_PSQL = ("-U", "-h", "-p", "-d", "-f", "-v", "-c", "-o", "-L", "-P", "--username", "--host", "--port", "--dbname",
         "--file", "--set", "--variable", "--command", "--output")  # fmt: skip
_FETCHERS = frozenset(
    (
        "aws",
        "rclone",
        "gsutil",
        "gcloud",
        "scp",
        "rsync",
        "cp",
        "mv",
        "s3cmd",
        "mc",
        "restic",
        "curl",
        "wget",
        "openssl",
    )
)
_LONG = 400
_REFERENCE = re.compile(r"\$\{(\w+)(?::?[-=]([^}]*)|[#%:?][^}]*)?\}|\$(\w+)|\$\([^)]*\)|`[^`]*`|\$[@*#?!$-]|%[A-Za-z]")
_REDIRECT = re.compile(r"(?<![0-9&<>-])1?>{1,2}\|?\s*(?!&|/dev/)(\"[^\"]*\"|'[^']*'|[^\s;|&()<>]+)")
_INPUT = re.compile(r"(?<![<\d])<\s*(?![<(&])(\"[^\"]*\"|'[^']*'|[^\s;|&()<>]+)")
_NEWEST = re.compile(r"\bls\s+[^|)]*?(\"[^\"]+\"|[^\s|)\"']*[*/.$][^\s|)]*)\s*(?:2>\S+\s*)?\|")


class Unit:
    """One text of shell: `path`, `script`, `artifact`, and what was found in it."""

    __slots__ = ("artifact", "copies", "dumps", "prunes", "restores", "script", "values")

    def __init__(self, artifact: Artifact, script: Script) -> None:
        self.artifact = artifact
        self.script = script
        self.values: dict[str, list[str]] = {}
        self.dumps: list[Item] = []
        self.copies: list[Item] = []
        self.prunes: list[Item] = []
        self.restores: list[Item] = []

    @property
    def path(self) -> str:
        """The file that holds it."""
        return self.artifact.path

    @property
    def backs_up(self) -> bool:
        """Whether it makes a backup: it dumps a database, or packs files and keeps them where backups are kept."""
        return bool(self.dumps) or any(copy.facts["kept"] for copy in self.copies)

    @property
    def first(self) -> Node:
        """The program that makes the backup."""
        found = [item.place for item in (*self.dumps, *self.copies) if item in self.dumps or item.facts["kept"]]
        return min(found, key=lambda node: node.start)


def units(project: Any) -> list[Unit]:
    """The texts of shell that dump, pack, prune or restore, by path; worked out once."""
    found: list[Unit] | None = project.facts.get("backup units")
    if found is None:
        found = []
        project.facts["backup units"] = found
        for artifact in project.judged():
            for node in _texts(artifact):
                text = node.value if isinstance(node.value, str) else ""
                if not _MENTIONS.search(text):
                    continue
                unit = read(artifact, Script(node, text))
                if unit.dumps or unit.copies or unit.prunes or unit.restores:
                    found.append(unit)
    return found


_MENTIONS = re.compile(r"\b(?:pg_dump|pg_dumpall|pg_basebackup|mysqldump|mariadb-dump|mongodump|sqlite3|"
                       r"pg_restore|psql|mysql|mongorestore|rsync|tar|restic|borg|find|rm)\b")  # fmt: skip


def _texts(artifact: Artifact) -> Iterator[Node]:
    """The shell an artifact holds."""
    source = artifact.source
    if artifact.kind == "script":
        yield Node(SCALAR, source.text, source, 0, len(source.text), "")
    elif artifact.kind == "sql":
        from ..kinds import sql

        for item in sql.VIEWS["shell"](artifact):
            yield item.node
    elif artifact.kind in ("k8s", "compose", "schedule", "workflow", "railway", "gitlab"):
        from . import schedules

        yield from schedules.commands(artifact.project).get(artifact.path, ())


def read(artifact: Artifact, script: Script) -> Unit:
    """What one text of shell does to backups."""
    unit = Unit(artifact, script)
    calls = script.calls
    _assign(unit, command.parse(script.text))
    for at, call in enumerate(calls):
        program = call.program
        inner = _inside(call)
        if program in DUMPS and (program != "sqlite3" or any("backup" in word for word in call.texts)):
            unit.dumps.append(_dump(unit, call))
        elif inner is not None:
            if inner.program in DUMPS:
                unit.dumps.append(_dump(unit, inner, True))
            elif inner.program in ("pg_restore", "psql", "mysql", "mongorestore"):
                _restore(unit, inner, calls[at - 1] if at else None, True)
        elif program in ("rsync", "tar", "restic", "borg"):
            _copy(unit, call)
        elif program in ("pg_restore", "psql", "mysql", "mariadb", "mongorestore"):
            _restore(unit, call, calls[at - 1] if at else None, False)
        elif program in ("find", "rm"):
            _prune(unit, call)
        elif program in _PACKERS:
            _pack(unit, call)
    return unit


def _inside(call: Call) -> Call | None:
    """The program that `docker exec`, `docker compose exec` or `kubectl exec` runs in a container."""
    if call.program not in ("docker", "docker-compose", "podman", "kubectl") or not call.flag("exec"):
        return None
    for at, word in enumerate(call.args):
        name = word.text.rpartition("/")[2]
        if name in DUMPS or name in ("pg_restore", "psql", "mysql", "mongorestore"):
            made = command.Command(call.command.joiner)
            made.words = call.args[at:]
            found = Call(call.script, made)
            found.after = call.after
            return found
        if name in ("sh", "bash") and call.args[at + 1 : at + 2] and call.args[-1].text.strip():
            parsed = [each for each in command.parse(call.args[-1].text) if each.words]
            if parsed:
                # The words of the inner text have no place of their own: the whole text stands for them.
                for each in parsed[0].words:
                    each.start, each.end = call.args[-1].start, call.args[-1].end
                found = Call(call.script, parsed[0])
                found.after = call.after
                return found
    return None


# -- names


def _assign(unit: Unit, commands: list[command.Command]) -> None:
    for each in commands:
        words = list(each.assignments)
        if each.words and each.words[0].text in ("export", "local", "readonly", "declare", "typeset"):
            words.extend(each.words[1:])
        for word in words:
            name, equals, value = word.text.partition("=")
            if equals and name.isidentifier():
                unit.values.setdefault(name, []).append(value)


def pattern(unit: Unit, text: str, depth: int = 0) -> str:
    """A word as it would be, `*` for what cannot be known. A `$(ls ... | head)` is the pattern it lists."""
    if "$" not in text and "`" not in text and "%" not in text:
        return text
    if len(text) > _LONG:
        return "*"
    newest = _NEWEST.search(text) if text.startswith(("$(", "`")) else None
    if newest is not None and depth < 8:
        return pattern(unit, newest[1].strip("\"'"), depth + 1)

    def put(found: re.Match[str]) -> str:
        name = found[1] or found[3]
        values = unit.values.get(name or "", [])
        if name and len(set(values)) == 1 and depth < 8:
            return pattern(unit, values[0], depth + 1)
        if name and not values and found[2] is not None and depth < 8:
            return pattern(unit, found[2], depth + 1)
        return "*"

    return re.sub(r"\*{2,}", "*", _REFERENCE.sub(put, text))


def known(unit: Unit, word: command.Word | None) -> str:
    """A word's text when all of it is known, else ""."""
    found = pattern(unit, word.text) if word is not None else ""
    return "" if "*" in found else found


def _node(unit: Unit, call: Call, word: command.Word | None) -> Node:
    """A word as a node, unknown where a part of it is."""
    if word is None:
        return ABSENT
    at = call.at(word)
    text = pattern(unit, word.text)
    return Node(UNKNOWN if "*" in text else SCALAR, text, at.source, at.start, at.end, "'")


def _behind(call: Call, of: re.Pattern[str]) -> command.Word | None:
    """The file a redirection between this command and the next names."""
    text = call.script.text
    stop = call.after.words[0].start if call.after is not None else len(text)
    line = text.find("\n", call.words[-1].end)
    while line > 0 and text[line - 1] == "\\":
        line = text.find("\n", line + 1)
    stop = min(stop, line) if line >= 0 else stop
    every = list(of.finditer(text, call.head.end, max(stop, call.head.end)))
    if not every:
        return None
    found = every[-1]
    word = found[1]
    quoted = word[:1] in "\"'"
    return command.Word(
        word[1:-1] if quoted else word, found.start(1), found.end(1), "$" not in word or word[:1] == "'"
    )


# -- what is made


def _login(unit: Unit, call: Call) -> dict[str, Node]:
    """Host, user and database a program of PostgreSQL connects with."""
    database = call.value("-d", "--dbname") or _glued(call, "-d")
    if database is None and call.program in ("pg_dump", "psql"):
        database = next(iter(call.plain(*_valued(call))), None)
    return {
        "host": _node(unit, call, call.value("-h", "--host") or _glued(call, "-h")),
        "user": _node(unit, call, call.value("-U", "--username") or _glued(call, "-U")),
        "database": _node(unit, call, database),
    }


def _valued(call: Call) -> tuple[str, ...]:
    return _PSQL if call.program == "psql" else _COMMON


def _glued(call: Call, flag: str) -> command.Word | None:
    """The value of `-Uname`."""
    for word in call.args:
        if word.text.startswith(flag) and len(word.text) > 2 and not word.text.startswith("--"):
            return command.Word(word.text[2:], word.start, word.end, word.known)
    return None


def _dump(unit: Unit, call: Call, inside: bool = False) -> Item:
    """A dump: `tool`, `format`, `file` (a pattern, "" when it goes elsewhere), `file_at`, `packed` (endings), login."""
    told = call.value("-F", "--format") or _glued(call, "-F")
    form = DUMPS[call.program]
    if told is not None and call.program == "pg_dump":
        form = _FORMATS.get(known(unit, told).lower(), "")
    file = call.value("-f", "--file", "-r", "--result-file", "--out") or _glued(call, "-f")
    packed = []
    last = call
    while last.after is not None and last.after.command.joiner in ("|", "|&"):
        last = last.after
        if last.program in _PACKERS and last.flag("-d", "--decompress") is None:
            packed.append(_PACKERS[last.program])
        elif last.program == "openssl":
            packed.append(".enc")
    if file is None:
        file = _behind(last, _REDIRECT)
        if file is None and last.program in ("tee", "gpg", "age", "openssl"):
            file = last.value("-o", "--output", "-out") or (
                last.args[0] if last.program == "tee" and last.args else None
            )
    name = pattern(unit, file.text) if file is not None else ""
    facts: dict[str, Any] = {
        "tool": call.program,
        "format": form,
        "file": name,
        "file_at": call.script.at(file.start, file.end) if file is not None else ABSENT,
        "packed": packed,
        "packed_at": ABSENT,
        "inside": inside,
        "unit": unit,
        **_login(unit, call),
    }
    place = call.at(call.head)
    return Item(place, facts, place)


def _pack(unit: Unit, call: Call) -> None:
    """`gzip FILE` behind a dump: the dump goes by a longer name from then on."""
    if call.flag("-d", "--decompress", "-c", "--stdout", "-t", "-l"):
        return
    for word in call.plain("-o", "--output", "-r", "--recipient", "-T"):
        name = pattern(unit, word.text)
        for dump in (*unit.dumps, *unit.copies):
            if name and name != "*" and dump.facts["file"] == name:
                dump.facts["file"] = name + _PACKERS[call.program]
                dump.facts["packed"].append(_PACKERS[call.program])
                dump.facts["packed_at"] = call.at(call.head)


def _copy(unit: Unit, call: Call) -> None:
    """Files that are copied or packed: `tool`, `file` (a pattern), `sources` (words), `kept` (it is a backup)."""
    words = call.plain("-C", "-e", "--exclude", "--exclude-from", "-f", "--directory", "--rsh", "-T", "--link-dest",
                       "-r", "--repo", "--tag", "--log-file", "--bwlimit")  # fmt: skip
    file: command.Word | None
    if call.program == "tar":
        flags = next((word.text for word in call.args), "")
        letters = flags.lstrip("-") if not flags.startswith("--") else ""
        if "c" not in letters and not call.flag("-c", "--create"):
            return
        file = call.value("-f", "--file")
        if file is None and letters.endswith("f") and len(call.args) > 1:
            file = call.args[1]
        sources = [word for word in words if word is not file and word.text != flags]
        folder = call.value("-C", "--directory")
    elif call.program in ("restic", "borg"):
        if not words or words[0].text not in ("backup", "create"):
            return
        file, sources, folder = None, words[1:], None
    else:
        if len(words) < 2:
            return
        file, sources, folder = words[-1], words[:-1], None
    name = pattern(unit, file.text) if file is not None else ""
    low = (name + " " + unit.path.rpartition("/")[2]).lower()
    kept = call.program in ("restic", "borg") or "backup" in low or "/bak" in low
    facts = {
        "tool": call.program,
        "file": name,
        "file_at": call.script.at(file.start, file.end) if file is not None else ABSENT,
        "sources": [_node(unit, call, word) for word in sources],
        "folder": _node(unit, call, folder),
        "packed": [],
        "kept": kept and name != "-",
        "unit": unit,
    }
    place = call.at(call.head)
    unit.copies.append(Item(place, facts, place))


def _prune(unit: Unit, call: Call) -> None:
    """What is deleted: `folder`, `names` (a pattern), `deep` (subfolders too), `at` (the word of the names)."""
    if call.program == "rm":
        return
    deletes = call.flag("-delete") is not None or any(word.text == "rm" for word in call.args)
    folder = next(iter(call.args), None)
    if not deletes or folder is None or folder.text.startswith("-"):
        return
    names = call.value("-name", "-iname")
    depth = call.value("-maxdepth")
    facts = {
        "folder": pattern(unit, folder.text).rstrip("/"),
        "names": pattern(unit, names.text) if names is not None else "*",
        "deep": depth is None or depth.text != "1",
        "folders_only": (kind := call.value("-type")) is not None and kind.text == "d",
        "unit": unit,
    }
    place = call.at(names or folder)
    unit.prunes.append(Item(place, facts, place))


def _restore(unit: Unit, call: Call, before: Call | None, inside: bool) -> None:
    """A restore: `tool`, `file` (a pattern), `unpacked` (a program unpacks it on the way), login."""
    unpacked = False
    file: command.Word | None = None
    source: Call = call
    if call.command.joiner in ("|", "|&") and before is not None:
        if before.program in _UNPACKERS or before.flag("-d", "-dc", "-cd", "--decompress", "-dk", "-kdc"):
            unpacked = True
            file = next(iter(before.plain("-o", "-i", "-in", "-out", "-pass", "--passphrase-file")), None)
            file = before.value("-in") or file or _behind(before, _INPUT)
            source = before
        elif before.program == "cat":
            file, source = next(iter(before.plain()), None), before
    if file is None and source is call:
        if call.program == "psql":
            file = call.value("-f", "--file") or _behind(call, _INPUT)
        elif call.program in ("mysql", "mariadb"):
            file = _behind(call, _INPUT)
        else:
            if call.flag("-l", "--list") or call.flag("--version", "-V"):
                return
            words = call.plain(*_valued(call))
            file = words[-1] if words else _behind(call, _INPUT)
    if file is None:
        return
    name = pattern(unit, file.text)
    if call.program == "psql" and not unpacked:
        project = unit.artifact.project
        own = project is not None and name[:1] not in ("", "/") and project.exists(name.removeprefix("./"))
        if own or not re.search(r"backup|dump|restore|\.sql\.|\*|\d{6}", name, re.I):
            return  # a script of one's own, no backup
    if _fetched(unit, call, name):
        name = "*"  # decrypted, unpacked or copied to here under a name of its own: nobody knows what it was called
    facts: dict[str, Any] = {
        "tool": call.program,
        "file": name,
        "unpacked": unpacked,
        "inside": inside,
        "unit": unit,
        **_login(unit, call),
    }
    at = source.script.at(file.start, file.end)
    unit.restores.append(Item(at, facts, at))


def _fetched(unit: Unit, call: Call, name: str) -> bool:
    """Whether a command above has written the file that is restored: `age --decrypt --output F`, `aws s3 cp X F`."""
    for other in unit.script.calls:
        if other.place.start >= call.place.start:
            return False
        if other.program not in _FETCHERS and other.program not in _UNPACKERS and other.program not in _PACKERS:
            continue
        words = [other.value("-o", "--output", "-out", "-O", "--output-document")]
        if other.program in ("aws", "rclone", "gsutil", "gcloud", "scp", "rsync", "cp", "mv", "s3cmd", "mc", "restic"):
            words.extend(other.plain()[-1:])
        words.append(_behind(other, _REDIRECT))
        if any(word is not None and pattern(unit, word.text) == name for word in words):
            return True
    return False


# -- views


def items(project: Any) -> list[Item]:
    """The backups of the tree: one item for each text of shell that makes one, at the program that makes it.

    Facts: `path`, `unit`, `dumps`, `copies`, `schedule` (the schedule that starts it or holds it, None).
    """
    found = []
    for unit in units(project):
        if not unit.backs_up:
            continue
        facts = {
            "path": unit.path,
            "name": unit.path.rpartition("/")[2],
            "unit": unit,
            "dumps": unit.dumps,
            "copies": unit.copies,
            "schedule": _started(project, unit),
        }
        found.append(Item(unit.first, facts, unit.first))
    return found


def _started(project: Any, unit: Unit) -> Item | None:
    """The schedule that holds a text, starts its file, or starts a script that names its file."""
    from . import schedules

    every = schedules.items(project)
    callers = [unit.path]
    name = unit.path.rpartition("/")[2]
    for artifact in project.artifacts("script") if every else ():
        if artifact.path != unit.path and artifact.state == "judged" and name in artifact.source.text:
            callers.append(artifact.path)
    for path in callers:
        for schedule in every:
            holds = any(each is unit.script.node for each in schedule.facts["commands"])
            if holds or schedules.starts(schedule, path) is not None:
                return schedule
    return None


def restores(project: Any) -> list[Item]:
    """Every restore of the tree, at the file it reads."""
    return [restore for unit in units(project) for restore in unit.restores]
