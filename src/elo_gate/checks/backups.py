"""Judges the chain from the dump to the restore: who starts it, what it saves, whether it can be read back."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from ..model import ERROR, SCALAR, Fault, Item, Node, Undecided
from ..project import backups, schedules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

    Answer = Iterator[Fault | Undecided]

_BACKUP = re.compile(r"backup|dump|snapshot|(?:^|[-_.])bak(?:[-_.]|$)", re.I)
_ANOTHER_DEED = re.compile(r"restore|rollback|deploy|release|migrat|test|verify|setup|install|upgrade|seed", re.I)
# Kinds of which project.schedules sees all that starts by itself.
_READ = ("sql", "workflow", "gitlab", "schedule", "vercel")
_WORK = ("/app", "/usr/src/app", "/srv/app", "/home/node/app", "/workspace", "/opt/app")


def not_scheduled(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a backup script that nothing starts."""
    path, name = it.facts["path"], it.facts["name"]
    if it.facts["schedule"] is not None or not _BACKUP.search(name) or _ANOTHER_DEED.search(name):
        return
    project = file.project
    for schedule in schedules.items(project):
        if schedule.facts["backs_up"]:
            return  # the backup that runs by itself is another one; this is a tool for the hand
        where = str(schedule.node.source.path) + str(schedule.place.value)
        if schedule.facts["open"] and _BACKUP.search(where):
            raise Undecided(f"{schedule.facts['open']}: {schedule.node.source.path} may start it", it)
    named = _named_in(project, path)
    if named:
        raise Undecided(f"{named} names it and may start it", it)
    severity = ERROR if "scheduled-backup" in project.promises else None
    yield Fault(it, severity=severity, name=name)


def _named_in(project: Any, path: str) -> str:
    """Another file that names a script: a Dockerfile, a package, a task file, a document with a crontab's line."""
    name = path.rpartition("/")[2]
    for artifact in project.all():
        if artifact.path == path or artifact.kind in _READ or name not in artifact.source.text:
            continue
        if artifact.kind == "dockerfile" and not _starts(artifact.source.text, name):
            continue
        if artifact.kind != "k8s" or "CronJob" not in artifact.source.text:
            if artifact.kind != "checklist" or _has_time(artifact.source.text, name):
                return str(artifact.path)
    for other in sorted(project.aside):
        last = other.rpartition("/")[2].lower()
        task = last in ("makefile", "justfile", "taskfile.yml", "package.json") or last.endswith(
            (".sh", ".service", ".mk")
        )
        if (task or last.endswith(".md") and "backup" in last) and other != path:
            text = project.text(other) or ""
            if name in text and (task or _has_time(text, name)):
                return str(other)
    return ""


def _starts(text: str, name: str) -> bool:
    """Whether an image does more with a script than taking it along."""
    lines = text.replace("\\\n", " ").split("\n")
    placed = re.compile(r"\s*(?:COPY|ADD)\b(?!.*(?:cron|periodic|init\.d|entrypoint))|\s*#", re.I)
    return any(name in line and not placed.match(line) for line in lines)


def _has_time(text: str, name: str) -> bool:
    """Whether a line gives the script a crontab's time."""
    return re.search(rf"(?:^|[\s`\"'])(?:[\d*/,-]+\s+){{4}}[\d*/,-]+\s[^\n]*{re.escape(name)}", text) is not None


# -- restores


def mismatch(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a restore that cannot read what the backups of the same database write."""
    dumps = [dump for unit in backups.units(file.project) for dump in unit.dumps if _belongs(dump, it)]
    if not dumps:
        return
    reasons: list[tuple[str, str, Item]] = []
    for dump in dumps:
        found = _reason(dump, it)
        if found is None:
            return
        reasons.append((*found, dump))
    message, shown, dump = reasons[0]
    related = [(dump, "the backup")]
    if dump.facts["packed_at"]:
        related.append((dump.facts["packed_at"], "packed here"))
    yield Fault(
        it, related, message, file=it.facts["file"].rpartition("/")[2] or "?", tool=it.facts["tool"], written=shown
    )


def _belongs(dump: Item, restore: Item) -> bool:
    """Whether a restore is meant for what a dump writes: the same database by name, or the same stem of a file name."""
    if dump.facts["unit"] is restore.facts["unit"]:
        return False  # a check of the dump itself
    first, second = dump.facts["database"], restore.facts["database"]
    if first.kind is SCALAR and second.kind is SCALAR and first.value == second.value:
        return True
    stems = [_stem(item.facts["file"]) for item in (dump, restore)]
    return len(stems[0]) > 3 and stems[0] == stems[1]


def _stem(file: str) -> str:
    """The letters a file's name begins with, up to its date or the first unknown."""
    return re.split(r"[*\d.]", file.rpartition("/")[2], maxsplit=1)[0].rstrip("_-").lower()


def _reason(dump: Item, restore: Item) -> tuple[str, str] | None:
    """(message, what the backup is) when a restore cannot read a dump; None when it can, or nobody knows."""
    form, tool = dump.facts["format"], restore.facts["tool"]
    if form == backups.PLAIN and tool == "pg_restore":
        return "plain", dump.facts["tool"]
    if form in (backups.CUSTOM, backups.DIRECTORY, backups.TAR) and tool == "psql":
        return "archive", form
    written, wanted = dump.facts["file"].rpartition("/")[2], restore.facts["file"].rpartition("/")[2]
    if not written or written == "*" or not wanted:
        return None
    ending = _ending(written)
    if wanted.strip("*") == "":
        return None  # an argument: the caller knows the name
    packed = ending in backups._ENDINGS
    if "*" not in wanted:
        fits = fnmatchcase(wanted, _pattern(written))
    else:
        fits = _ending(wanted) == ending or not _ending(wanted) or not ending
    if fits and packed and not restore.facts["unpacked"] and not _unpacks(restore):
        return "packed", written
    return None if fits else ("name", written)


def _unpacks(restore: Item) -> bool:
    """Whether the same text unpacks a file before it is read."""
    text = restore.facts["unit"].script.text
    return (
        re.search(
            r"\b(?:gunzip|unpigz|bunzip2|unxz|unzstd)\b|\b(?:gzip|zstd|xz|pigz|bzip2)\s+-\w*d|\bgpg\b|\bage\b", text
        )
        is not None
    )


def _pattern(name: str) -> str:
    return name.replace("[", "[[]")


def _ending(name: str) -> str:
    found = re.search(r"\.[A-Za-z][A-Za-z0-9]*$", name)
    return found[0].lower() if found is not None else ""


# -- prunes


def prune_scope(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a prune that deletes what another job keeps."""
    for unit in backups.units(file.project):
        if unit is not it.facts["unit"]:
            continue
        others = [(other, _written(other)) for other in backups.units(file.project) if other is not unit]
        known: dict[tuple[object, ...], list[Item | None]] = {}  # a script may delete the same again and again
        for prune in unit.prunes:
            reach = tuple(prune.facts[name] for name in ("folder", "names", "folders_only", "deep"))
            if reach not in known:
                known[reach] = [next((one for one in written if _covers(prune, one)), None) for _, written in others]
            for (other, _), hit in zip(others, known[reach], strict=True):
                if hit is not None:
                    yield Fault(
                        prune,
                        [(hit.facts["file_at"] or hit, "written by another job")],
                        names=prune.facts["names"],
                        folder=prune.facts["folder"],
                        file=hit.facts["file"],
                        other=other.path.rpartition("/")[2],
                    )


def _written(unit: backups.Unit) -> list[Item]:
    return [one for one in (*unit.dumps, *unit.copies) if one.facts["file"].startswith("/")]


def _covers(prune: Item, one: Item) -> bool:
    """Whether a prune's folder and names take in what a job writes."""
    folder, file = prune.facts["folder"], one.facts["file"].rstrip("/")
    if prune.facts["folders_only"] or not folder.startswith("/") or "*" in folder or not file.startswith(folder + "/"):
        return False
    rest = file[len(folder) + 1 :]
    if "/" in rest and not prune.facts["deep"]:
        return False
    name = rest.rpartition("/")[2]
    if not _ending(name):
        return False  # a folder: find would have to match what lies in it
    # Both are patterns: what the job writes, with its unknown parts filled in, has to match.
    return fnmatchcase(name.replace("*", "0"), prune.facts["names"])


# -- sources


def source_not_mounted(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a backup of a folder of the application's container that is no volume."""
    for copy in it.facts["copies"]:
        for source in copy.facts["sources"]:
            path = source.value.rstrip("/") if source.kind is SCALAR else ""
            folder = copy.facts["folder"]
            if path and not path.startswith("/") and folder.kind is SCALAR and folder.value.startswith("/"):
                path = f"{folder.value.rstrip('/')}/{path}"
            if not _in_application(path, file.project):
                continue
            runs = list(_applications(file.project))
            if not runs or any(mounted is None or _under(path, mounted) for _, mounted in runs):
                continue
            related = [(place, "runs without a volume there") for place, _ in runs[:3]]
            yield Fault(_origin(it, source, path), related, path=path)
            return


def _origin(it: Item, source: Node, path: str) -> Node:
    """Where the path is written: the assignment that holds it, else the argument."""
    unit = it.facts["unit"]
    found = re.search(
        rf"^[ \t]*(?:export\s+|readonly\s+)?\w+=[\"']?{re.escape(path)}/?[\"']?[ \t\r]*$", unit.script.text, re.M
    )
    if found is None:
        return source
    text = found[0]
    start = found.start() + len(text) - len(text.lstrip())
    node: Node = unit.script.at(start, found.start() + len(text.rstrip()))
    return node


def _in_application(path: str, project: Any) -> bool:
    """Whether a path lies in the folder the application's image works in."""
    if not path.startswith("/"):
        return False
    folders = set(_WORK)
    for artifact in project.artifacts("dockerfile"):
        folders.update(re.findall(r"^\s*WORKDIR\s+(/[\w./-]+)", artifact.source.text, re.M | re.I))
    return any(path.startswith(folder.rstrip("/") + "/") for folder in folders if folder.strip("/"))


def _applications(project: Any) -> Iterator[tuple[Node, list[str] | None]]:
    """Where the application runs, with the folders that are mounted there; None when those are not known."""
    for artifact in project.judged():
        if artifact.kind == "compose":
            from ..kinds import compose
            from ..kinds import compose_roles as roles

            for item in compose.VIEWS["file"](artifact):
                for service in item.facts["services"]:
                    if service.facts["role"] == roles.APP:
                        targets = [volume.facts["target"] for volume in service.facts["volumes"]]
                        yield service.place, None if service.facts["open"] else targets
        elif artifact.kind == "k8s":
            from ..kinds import k8s, manifest

            for container in k8s.view(artifact, "containers"):
                image = container.facts["image"]
                owner = container.facts["workload"]
                if container.facts["init"] or not owner.facts["long_running"]:
                    continue
                if isinstance(image, Item) and manifest.is_store(image):
                    continue
                mounts = container.node.get("volumeMounts").elements()
                yield container.place, [each.get("mountPath").text() or "/" for each in mounts]


def _under(path: str, targets: list[str]) -> bool:
    return any(
        path == each.rstrip("/") or path.startswith(each.rstrip("/") + "/") or each.startswith(path + "/")
        for each in targets
    )
