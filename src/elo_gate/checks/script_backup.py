"""Judges what a backup script saves: does it leave, who can read it, can it be read back, how long is it kept."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from ..kinds.script import BACKUP, named, program, reading, view
from ..model import ERROR, NOTE, WARNING, Fault, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.script_calls import Call
    from ..model import Artifact, Item

    Answer = Iterator[Fault | Undecided]

DAYS = 30
# Scripts about a backup that make none.
ABOUT = re.compile(r"(?:^|[-_.])(?:verify|test|check|list|download|fetch)(?:[-_.]|$)", re.I)
_OWN_PROGRAMS = frozenset("python python3 node make npm pnpm".split())


def kept_of(file: Artifact) -> list[Item]:
    """The dumps and archives that a script makes to keep them; nothing where it dumps before it does another thing."""
    if not is_backup(file):
        return []
    found = list(view(file, "dumps"))
    if found and BACKUP not in named(file.path):
        found += [item for item in view(file, "archives") if "backup" in item.facts["path"].lower()]
    elif BACKUP in named(file.path):
        found += view(file, "archives")
    return [item for item in found if not item.facts["call"].command.trapped]


def is_backup(file: Artifact) -> bool:
    """Whether making backups is what a script is for."""
    names = named(file.path)
    if BACKUP in names:
        # `restore-backup.sh` and `verify-backup.sh` are about a backup, too.
        return names == {BACKUP} and not ABOUT.search(file.path.rpartition("/")[2])
    return bool(view(file, "dumps")) and not names and not view(file, "deploys")


def _leaves(file: Artifact) -> bool:
    return bool(view(file, "uploads")) or any(item.facts["leaves"] for item in view(file, "dumps"))


def shown(item: Item) -> str:
    """The file a backup goes into, for people."""
    path: str = item.facts["path"]
    return path if path.strip("*") else "its output"


def not_off_site(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a backup that stays where the data is."""
    kept = kept_of(file)
    if not kept or _leaves(file):
        return
    project = file.project
    first = kept[0]
    if any(item.facts["path"][:1] == "*" for item in kept if item.facts["path"]):
        raise Undecided("where the backup goes is told when it is started", first)
    for call in reading(file).calls:
        name = call.head.text
        if name.endswith((".sh", ".py", ".js", ".ts")) or program(call) in _OWN_PROGRAMS:
            raise Undecided(f"what '{call.shown}' does with it is not here", call.place)
        if program(call) == "git" and "push" in call.texts:
            return
    other = _carries(project, file, kept)
    if other:
        if other == "uploads":
            return
        raise Undecided(f"{other} may carry it away", first)
    yield Fault(first, program=program(first.facts["call"]), path=shown(first))


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
        if artifact.kind == "dockerfile":  # that it brings script and tool along starts neither
            text = "\n".join(line for line in text.replace("\\\n", " ").split("\n") if name in line)
        if name in text and re.search(r"aws s3|rclone|gsutil|upload|restic|\bscp\b|\brsync\b", text):
            return str(artifact.path)
    return ""


def pruned_before_upload(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for old copies that are deleted before the new one is safe elsewhere."""
    uploads = [item.facts["call"] for item in view(file, "uploads") if not item.facts["call"].command.within]
    if not uploads or not kept_of(file):
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
    kept = kept_of(file)
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
    yield Fault(first, message="absent", severity=ERROR if project.elo else WARNING, days=days, path=shown(first))


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
            told = told or re.search(r"\bdate\b", segment.shape) is None
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
    if not kept_of(file):
        return
    uploads = [
        item
        for item in view(file, "uploads")
        if item.facts["bucket"] or item.facts["tool"] in ("aws", "gsutil", "mc", "rclone")
    ]
    if not uploads or any(prune.facts["remote"] for prune in view(file, "prunes")):
        return
    if not view(file, "prunes") and _told(it, file, params):
        return
    if _lifecycle(file.project):
        return
    first = uploads[0]
    place = first.facts["destination_at"]
    bucket = first.facts["bucket"] or re.sub(
        r"^[\"']|^[\"']?\w+://|/.*|[\"']$", "", file.source.text[place.start : place.end]
    )
    yield Fault(place, bucket=bucket, severity=WARNING if file.project.elo else NOTE)


def _told(it: Item, file: Artifact, params: dict[str, Any]) -> bool:
    """Whether the other rule says that nothing is ever deleted, which counts for both places."""
    try:
        return next(retention(it, file, params), None) is not None
    except Undecided:
        return False


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
