"""Judges what a backup script saves: does it leave, who can read it, can it be read back, how long is it kept."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from ..kinds import script_backups as backups
from ..kinds.script import BACKUP, named, program, reading, view
from ..model import ABSENT, ERROR, NOTE, SCALAR, WARNING, Fault, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.script_calls import Call
    from ..model import Artifact, Item

    Answer = Iterator[Fault | Undecided]

DAYS = 30


def _kept(file: Artifact) -> list[Item]:
    """The dumps and archives that a script makes to keep them; nothing where it dumps before it does another thing."""
    if not _is_backup(file):
        return []
    found = list(view(file, "dumps"))
    if found and BACKUP not in named(file.path):
        found += [item for item in view(file, "archives") if "backup" in item.facts["path"].lower()]
    elif BACKUP in named(file.path):
        found += view(file, "archives")
    return [item for item in found if not item.facts["call"].command.trapped]


def _is_backup(file: Artifact) -> bool:
    """Whether making backups is what a script is for."""
    names = named(file.path)
    if BACKUP in names:
        # `restore-backup.sh` and `verify-backup.sh` are about a backup, too.
        return names == {BACKUP} and not re.search(
            r"verify|test|check|list|download|fetch", file.path.rpartition("/")[2], re.I
        )
    return bool(view(file, "dumps")) and not names and not view(file, "deploys")


def _leaves(file: Artifact) -> bool:
    return bool(view(file, "uploads")) or any(item.facts["leaves"] for item in view(file, "dumps"))


def not_off_site(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a backup that stays where the data is."""
    kept = _kept(file)
    if not kept or _leaves(file):
        return
    project = file.project
    first = kept[0]
    if any(item.facts["path"][:1] == "*" for item in kept if item.facts["path"]):
        raise Undecided("where the backup goes is told when it is started", first)
    for call in reading(file).calls:
        name = call.head.text
        if name.endswith((".sh", ".py", ".js", ".ts")) or program(call) in (
            "python",
            "python3",
            "node",
            "make",
            "npm",
            "pnpm",
        ):
            raise Undecided(f"what '{call.shown}' does with it is not here", call.place)
        if program(call) in ("git",) and "push" in call.texts:
            return
    other = _carries(project, file, kept)
    if other:
        if other == "uploads":
            return
        raise Undecided(f"{other} may carry it away", first)
    yield Fault(first, program=program(first.facts["call"]), path=first.facts["path"] or "its output")


def _carries(project: Any, file: Artifact, kept: list[Item]) -> str:
    """ "uploads" when another script carries the files away, a path that may, "" when nothing does."""
    paths = [item.facts["path"] for item in kept if item.facts["path"].startswith("/")]
    for other in project.artifacts("script"):
        if other.path != file.path and other.state != "broken":
            for upload in view(other, "uploads"):
                source = upload.facts["source"].rstrip("/")
                if any(path.startswith(source + "/") or fnmatchcase(path, source) for path in paths if len(source) > 1):
                    return "uploads"
    name = file.path.rpartition("/")[2]
    for artifact in project.all():
        if artifact.path == file.path or artifact.kind in ("script", "checklist"):
            continue
        text = artifact.source.text
        if name in text and re.search(r"aws s3|rclone|gsutil|upload|restic|\bscp\b|\brsync\b", text):
            return str(artifact.path)
    return ""


def pruned_before_upload(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for old copies that are deleted before the new one is safe elsewhere."""
    uploads = [item.facts["call"] for item in view(file, "uploads") if not item.facts["call"].command.within]
    if not uploads or not _kept(file):
        return
    for prune in view(file, "prunes"):
        call: Call = prune.facts["call"]
        if prune.facts["remote"] or call.command.function != uploads[0].command.function or call.command.needs == "&&":
            continue
        if all(call.start < upload.start for upload in uploads):
            yield Fault(
                prune,
                [(uploads[0].place, "the new copy leaves only here")],
                command=call.program,
                upload=uploads[0].shown,
            )
            return


def retention(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for local copies that are kept for another time than the standard's, or for ever."""
    kept = _kept(file)
    if not kept:
        return
    days = params.get("days", DAYS)
    project = file.project
    prunes = view(file, "prunes")
    told = [prune for prune in prunes if prune.facts["days"] is not None]
    for prune in told:
        found = prune.facts["days"]
        if found not in (days, days - 1) and project.elo:
            yield Fault(prune.facts["days_at"] or prune, severity=ERROR, found=found, days=days)
    if prunes:
        if not told:
            count = next((prune.facts["count"] for prune in prunes if prune.facts["count"]), None)
            if count is not None and project.elo and count not in (days, days + 1):
                yield Undecided(f"it keeps {count} copies; how many days that is depends on when it runs", prunes[0])
        return
    stays = [item for item in kept if item.facts["path"].startswith(("/", "*", "~", ".")) and not _removed(file, item)]
    stays = [item for item in stays if _accumulates(item)]
    if not stays:
        return  # nothing stays on the machine, or each one takes the place of the last
    if _pruned_elsewhere(project, file, stays):
        return
    first = stays[-1]
    yield Fault(
        first, message="absent", severity=ERROR if project.elo else WARNING, days=days, path=first.facts["path"]
    )


def _accumulates(item: Item) -> bool:
    """Whether each run writes a file of its own: its name has a date in it that does not come round again.

    Raises Undecided where the name is told elsewhere.
    """
    value = item.facts["value"]
    holes = [segment for segment in value.segments if segment.text is None] if value is not None else []
    for hole in holes:
        if re.search(r"\bdate\b", hole.shape):
            if re.search(r"%[YyFDsGcxjmN]|--iso|-I|date\)?`?$", hole.shape):
                return True
        elif re.search(r"uuid|RANDOM|EPOCHSECONDS|rev-parse", hole.shape):
            return True
    told = False
    for segment in value.segments if value is not None else ():
        if segment.text is None:
            told = True
        elif "/" in segment.text:
            told = False  # a hole in front of it is a folder
    if told:
        raise Undecided("what the file is called is told when it is started", item)
    return False


def _removed(file: Artifact, item: Item) -> bool:
    """Whether a script deletes what it made: a folder that was packed, a file that was carried away."""
    path = item.facts["path"].rstrip("/")
    for call in reading(file).calls:
        if program(call) in ("rm", "shred") or (program(call) == "aws" and call.texts[:2] == ["s3", "mv"]):
            for word in call.args:
                text = call.text(word).rstrip("/")
                if text == path or (text.startswith(path + "*") or path.startswith(text + "/")) and len(text) > 1:
                    return True
                if "*" in text and text.strip("*/") == "" and program(call) == "rm" and call.command.trapped:
                    return True
    return "mktemp" in item.facts["path"] or any(
        segment.text is None and "mktemp" in segment.shape
        for segment in (item.facts["value"].segments if item.facts["value"] else ())
    )


def _pruned_elsewhere(project: Any, file: Artifact, kept: list[Item]) -> bool:
    """Whether a script that makes no backups itself deletes old ones there."""
    for other in project.artifacts("script"):
        if other.path == file.path or other.state == "broken" or view(other, "dumps") or view(other, "archives"):
            continue
        for prune in view(other, "prunes"):
            folder = prune.facts["folder"]
            if folder and any(item.facts["path"].startswith(folder) for item in kept):
                return True
    return False


def remote_for_ever(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a note for copies in a bucket that nothing in the tree ever deletes."""
    if not _kept(file):
        return
    uploads = [
        item for item in view(file, "uploads") if item.facts["bucket"] or item.facts["tool"] in ("aws", "gsutil", "mc")
    ]
    if not uploads or any(prune.facts["remote"] for prune in view(file, "prunes")):
        return
    if not view(file, "prunes") and next(retention(it, file, params), None) is not None:
        return  # told there, for both places
    if _lifecycle(file.project):
        return
    first = uploads[0]
    place = first.facts["destination_at"]
    bucket = first.facts["bucket"] or re.sub(r"^[\"']?\w+://|/.*", "", file.source.text[place.start : place.end])
    yield Fault(place, bucket=bucket, severity=WARNING if file.project.elo else NOTE)


def _lifecycle(project: Any) -> bool:
    """Whether a file of the tree sets up a bucket's lifecycle."""
    for path in sorted(project.aside):
        if path.endswith((".tf", ".tofu", ".json", ".ts", ".py", ".md")) and re.search(
            r"s3|bucket|storage|backup|lifecycle|infra", path
        ):
            text = project.text(path) or ""
            if re.search(r"lifecycle", text, re.I):
                return True
    return any(
        re.search(r"lifecycle", artifact.source.text, re.I) and artifact.kind == "script" for artifact in project.all()
    )


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
    kept = _kept(file)
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
    kept = [item for item in _kept(file) if item.facts["tool"] != "rsync"]
    dumps = [item for item in kept if item in view(file, "dumps")]
    if not dumps or backups.checked(file):
        return
    for other in file.project.artifacts("script"):
        name = other.path.rpartition("/")[2]
        if (
            other.path != file.path
            and re.search(r"verify|test|check", name, re.I)
            and ("backup" in other.source.text.lower() or not other.source.text.strip())
        ):
            if not other.source.text.strip():
                raise Undecided(f"what {other.path} does is not here", dumps[0])
            if backups.checked(other) and not named(other.path) - {"restore", "backup"}:
                return
    first = dumps[0]
    custom = first.facts["format"] in (backups.CUSTOM, backups.DIRECTORY, backups.TAR)
    yield Fault(
        first,
        message="archive" if custom else "default",
        tool=first.facts["tool"],
        path=first.facts["path"] or "its output",
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
    if not dumps or not _is_backup(file):
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
