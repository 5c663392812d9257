"""Judges what a backup script writes: can it be read back, who can read it, does anybody try."""

from __future__ import annotations

import re

from ..kinds import script_backups as backups
from ..kinds.script import BACKUP, RESTORE, named, program, reading, view
from ..model import ABSENT, SCALAR, Fault, Node, Undecided
from .script_backup import ABOUT, is_backup, kept_of, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.script_calls import Call
    from ..model import Artifact, Item

    Answer = Iterator[Fault | Undecided]


# -- what is in it


def double_compression(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for each packer that packs what is packed."""
    calls = reading(file)
    for name in ("dumps", "archives"):
        for item in view(file, name):
            facts = item.facts
            if not (facts["built_in"] if name == "dumps" else facts["packed"]):
                continue
            again = next((each for each in calls.after(facts["call"]) if program(each) in backups.PACKERS), None)
            if again is None and facts["path"]:
                again = _packs(calls.calls, facts)
            if again is not None:
                how = f"in {facts['format']} format" if name == "dumps" else "with compression"
                what = f"{facts['tool']} {how}"
                yield Fault(again.place, [(item, "packed here already")], program=program(again), what=what)


def _packs(calls: list[Call], facts: dict[str, Any]) -> Call | None:
    """`gzip FILE` of a file that was made before."""
    for call in calls:
        if (
            program(call) in backups.PACKERS
            and call.start > facts["call"].start
            and not call.flag("-d", "-t", "--test", "-l")
        ):
            if any(call.text(word) == facts["path"] for word in call.plain("-o")):
                return call
    return None


def misleading_extension(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for each file whose name says another format than it has."""
    for item in view(file, "dumps"):
        facts = item.facts
        if facts["tool"] not in ("pg_dump", "pg_dumpall", "mysqldump", "mariadb-dump"):
            continue
        found = _wrong_dump(facts)
        if found is not None:
            ending, message = found
            values = {"ending": ending, "format": facts["format"], "tool": facts["tool"]}
            yield Fault(_ending_at(file, facts, ending), [(item, "written by this")], message, **values)
    for item in view(file, "archives"):
        facts = item.facts
        if facts["tool"] == "tar" and not facts["packed"] and not reading(file).after(facts["call"]):
            endings = (".gz", ".tgz", ".bz2", ".xz", ".zst")
            ending = next((each for each in endings if facts["path"].endswith(each)), "")
            if ending:
                values = {"ending": ending, "format": "tar", "tool": "tar"}
                yield Fault(_ending_at(file, facts, ending), [(item, "written by this")], "unpacked", **values)


def _wrong_dump(facts: dict[str, Any]) -> tuple[str, str] | None:
    """(ending, which message) of a dump whose name says another format."""
    path, form = facts["path"], facts["format"]
    if not path or not form:
        return None
    for ending in (".gpg", ".age", ".enc"):
        path = path.removesuffix(ending)
    packed = next((each for each in (".gz", ".bz2", ".xz", ".zst", ".lz4") if path.endswith(each)), "")
    if packed:
        message = "packed" if form in (backups.CUSTOM, backups.DIRECTORY) else "unpacked"
        return (packed, message) if not facts["packed"] else None
    wrong = {backups.CUSTOM: (".sql", ".tar", ".txt"), backups.PLAIN: (".tar", ".custom", ".pgdump")}.get(form, ())
    return (path[path.rindex(".") :], "format") if path.endswith(wrong) and wrong else None


def _ending_at(file: Artifact, facts: dict[str, Any], ending: str) -> Node:
    """Where an ending is written: in the assignment or in the command."""
    text = file.source.text
    value = facts["value"]
    for segment in reversed(value.segments if value is not None else ()):
        written = text[segment.start : segment.end]
        at = written.rfind(ending)
        if at >= 0:
            return Node(SCALAR, ending, file.source, segment.start + at, segment.start + at + len(ending), "'")
    found: Node = facts["file"] if facts["file"] is not ABSENT else facts["call"].place
    return found


# -- who can read it, and whether anybody can


def not_encrypted(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for the first copy that leaves the machine in the clear."""
    kept = kept_of(file)
    uploads = view(file, "uploads")
    if not kept or not uploads or any(item.facts["encrypted"] for item in uploads):
        return
    if any(backups.ciphers(call) for call in reading(file).calls) or any(item.facts.get("encrypted") for item in kept):
        return
    first = uploads[0]
    text = first.facts["destination"]
    if not text.strip("*"):
        raise Undecided("the destination is told when it is started", first)
    message = "bucket" if first.facts["tool"] in ("aws", "gsutil", "gcloud", "az", "azcopy") else "default"
    yield Fault(first, message=message, destination=_shown(text), tool=first.facts["call"].shown)


def _shown(text: str) -> str:
    """An address without what may be a credential."""
    return re.sub(r"//[^/@]*@", "//", text)


def not_verified(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a backup that nothing reads again."""
    kept = [item for item in kept_of(file) if item.facts["tool"] != "rsync"]
    dumps = [item for item in kept if item in view(file, "dumps")]
    if not dumps or backups.checked(file):
        return
    for other in file.project.artifacts("script"):
        if other.path == file.path or not ABOUT.search(other.path.rpartition("/")[2]):
            continue
        if not other.source.text.strip():
            raise Undecided(f"what {other.path} does is not here", dumps[0])
        if (
            "backup" in other.source.text.lower()
            and not named(other.path) - {RESTORE, BACKUP}
            and backups.checked(other)
        ):
            return
    first = dumps[0]
    custom = first.facts["format"] in (backups.CUSTOM, backups.DIRECTORY, backups.TAR)
    yield Fault(
        first,
        message="archive" if custom else "default",
        tool=first.facts["tool"],
        path=shown(first),
    )


def asks_for_password(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a dump over the network that gets its password from nowhere in sight."""
    text = file.source.text
    if re.search(r"PGPASS|\.pgpass|PGSERVICE|\.my\.cnf|MYSQL_PWD|--login-path|--defaults", text):
        return
    for item in view(file, "dumps"):
        call: Call = item.facts["call"]
        if (
            item.facts["tool"] not in ("pg_dump", "pg_dumpall", "pg_basebackup")
            or call.contained
            or call.outer is not None
        ):
            continue
        host = call.option("-h", "--host")
        database = item.facts["database"]
        address = database.value if database is not ABSENT and isinstance(database.value, str) else ""
        if "://" in address or "*" in address and host is None or "password=" in address or "service=" in address:
            continue
        if host is None or call.text(host).startswith("/") or call.flag("-w", "--no-password"):
            continue
        if call.user and call.text(host) in ("", "localhost") and call.option("-U") is None:
            continue
        yield Fault(item, tool=item.facts["tool"], host=call.text(host).replace("*", "$..."))
        return


def roles_not_saved(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a note for a cluster whose roles no script of the tree dumps."""
    dumps = [item for item in view(file, "dumps") if item.facts["tool"] == "pg_dump"]
    if not dumps or not is_backup(file) or file.project.partial:
        return
    for other in file.project.artifacts("script"):
        if "pg_dumpall" in other.source.text or "pg_basebackup" in other.source.text:
            return
    if all(item.facts["contained"] for item in dumps) and _one_role(file.project):
        return
    if any(_CREATES_ROLES.search(artifact.source.text) for artifact in file.project.artifacts("sql")):
        return  # a new server gets its roles from the script that made them
    yield Fault(dumps[0], tool="pg_dump")


_CREATES_ROLES = re.compile(r"^[ \t]*CREATE\s+(?:ROLE|USER)\b", re.I | re.M)


def _one_role(project: Any) -> bool:
    """Whether the container of the database makes its role from its environment."""
    kinds = ("compose", "k8s")
    return any("POSTGRES_USER" in artifact.source.text for kind in kinds for artifact in project.artifacts(kind))


def not_incremental(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for rsync into a folder that is new each time, which copies everything."""
    for item in view(file, "archives"):
        call: Call = item.facts["call"]
        if item.facts["tool"] != "rsync" or call.flag("--link-dest", "--copy-dest", "--compare-dest"):
            continue
        value = item.facts["value"]
        holes = [segment for segment in value.segments if segment.text is None and "date" in segment.shape]
        if holes:
            deletes = call.flag("--delete", "--delete-after", "--delete-before", "--del") is not None
            yield Fault(item, message="delete" if deletes else "default", path=item.facts["path"])


def restore_goes_on(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a restore that neither stops at an error nor tells of it."""
    call: Call = it.facts["call"]
    tool = it.facts["tool"]
    if tool == "psql":
        if "ON_ERROR_STOP" not in file.source.text and not call.flag("-1", "--single-transaction"):
            yield Fault(it, tool=tool, missing="--set=ON_ERROR_STOP=1")
    elif tool == "pg_restore" and _has(call, "c", "--clean"):
        if not (_has(call, "e", "--exit-on-error") or _has(call, "1", "--single-transaction")):
            yield Fault(it, message="clean", tool=tool, missing="--exit-on-error")


def _has(call: Call, letter: str, name: str) -> bool:
    """Whether pg_restore is given a flag: long, or among short ones that take no value (`-ce`)."""
    return any(text == name or re.fullmatch(rf"-[acCeIOsvx1]*{letter}[acCeIOsvx1]*", text) for text in call.texts)
