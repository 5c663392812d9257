"""Judges what an SQL script sets with ALTER SYSTEM: what does nothing, too little, too much, or too late."""

from __future__ import annotations

import re

from ..kinds import sql as scripts
from ..model import SCALAR, WARNING, Fault, Node, Undecided
from ..project import databases
from .sql import database_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact, Item

    Answer = Iterator[Fault | Undecided]

_TIMES = {"us": 0.001, "ms": 1.0, "s": 1000.0, "min": 60_000.0, "h": 3_600_000.0, "d": 86_400_000.0}
_TIME = re.compile(r"(-?\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)")
_BLOCK = 8192


def without_effect(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields one fault for the settings that repeat the default of the server's version."""
    table = file.project.table("postgres-settings")["settings"]
    container = database_of(file)
    major = container.facts["major"] if container is not None else None
    same = []
    for setting in it.facts["settings"]:
        row = table.get(setting.facts["name"])
        defaults = _defaults(row, major) if row is not None else []
        value = _amount(setting.facts["value"], row)
        if value is not None and defaults and all(_measure(each, row) == value for each in defaults):
            same.append(setting)
    if same:
        names = ", ".join(f"{each.facts['name']} = {each.facts['value'].value}" for each in same)
        yield Fault(same[0], [(each, "this one too") for each in same[1:]], settings=names)


def below_default(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a setting that leaves the server with less than an untouched one has."""
    row = file.project.table("postgres-settings")["settings"].get(it.facts["name"])
    value = _amount(it.facts["value"], row)
    if row is None or not row.get("less") or not isinstance(value, float):
        return
    container = database_of(file)
    major = container.facts["major"] if container is not None else None
    limit = container.facts["limit"] if container is not None else None
    defaults = [_measure(each, row) for each in _defaults(row, major)]
    known = [each for each in defaults if isinstance(each, float)]
    if not known or value >= min(known) or value < 0:
        return
    if limit is not None and row.get("unit") and min(known) > limit / 2:
        return  # a small machine: less is right
    if file.project.partial and row.get("unit") and container is None:
        raise Undecided("only some files are looked at: the machine may be a small one", it)
    yield Fault(
        it.facts["value"], name=it.facts["name"], value=it.facts["value"].value, usual=_defaults(row, major)[-1]
    )


def needs_restart(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields one fault for the settings that wait for a restart, unless the script runs before the server's start."""
    if databases.of_script(file.project, file.path) is not None:
        return  # the image restarts the server behind its init scripts
    table = file.project.table("postgres-settings")["settings"]
    late = [each for each in it.facts["settings"] if table.get(each.facts["name"], {}).get("restart")]
    if not late or _restarts(file.project):
        return
    if file.project.partial:
        raise Undecided("only some files are looked at: another may restart the server", late[0])
    names = ", ".join(each.facts["name"] for each in late)
    yield Fault(late[0], [(each, "this one too") for each in late[1:]], settings=names)


_RESTART = re.compile(
    r"systemctl\s+restart\s+postgres|pg_ctl\b[^\n]{0,200}\brestart|service\s+postgres\S{0,40}\s+restart|(?:docker(?:-|\s+)compose|docker)"
    r"\s+restart|rollout\s+restart\s+(?:statefulset|sts|deploy\w*)[/\s]\S{0,80}(?:postgres|db|database)"
)


def _restarts(project: Any) -> bool:
    """Whether a script or a pipeline of the tree restarts a database server."""
    for kind in ("script", "workflow", "gitlab"):
        for artifact in project.artifacts(kind):
            if _RESTART.search(artifact.source.text):
                return True
    return False


def without_tls(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a script that configures the server and leaves TLS off."""
    settings = {each.facts["name"]: each for each in it.facts["settings"]}
    ssl = settings.get("ssl")
    if ssl is not None:
        value = ssl.facts["value"]
        if value.kind is SCALAR and value.value.lower() in ("off", "false", "no", "0"):
            yield Fault(value, message="off", severity=WARNING, setting="ssl")
        return
    if len(settings) < params["least"] or _memory(settings) < 1:
        return  # a script about one thing
    container = database_of(file)
    if container is not None and "ssl=on" in container.facts["command"].replace(" ", ""):
        return
    yield Fault(it, setting="ssl")


def _memory(settings: dict[str, Item]) -> int:
    return sum(name in settings for name in ("shared_buffers", "effective_cache_size", "work_mem", "max_connections"))


def memory_over_limit(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault when the shared buffers leave a container no memory to work with."""
    limit = it.facts["limit"]
    if not limit:
        return
    row = file.project.table("postgres-settings")["settings"]["shared_buffers"]
    for at, text in _buffers(it, file.project):
        value = _measure(text, row)
        if isinstance(value, float) and value > limit * params["share"]:
            bound = it.facts["limit_at"]
            yield Fault(at, [(bound, "the limit")], value=text, limit=bound.value, service=it.facts["name"])


def _buffers(container: Item, project: Any) -> Iterator[tuple[Node | Item, str]]:
    """Where the shared buffers of a database are set: its command, and the scripts about it."""
    told = re.search(r"\bshared_buffers\s*=\s*'?(\d+\s*[kMGT]?B?)", container.facts["command"])
    if told is not None:
        command = container.node.get("command")
        yield (command if command.kind is SCALAR else container), told[1].strip()
    for artifact in project.artifacts("sql"):
        if artifact.state == "judged" and database_of(artifact) is container:
            for setting in scripts.VIEWS["settings"](artifact):
                if setting.facts["name"] == "shared_buffers" and setting.facts["value"].kind is SCALAR:
                    yield setting.facts["value"], setting.facts["value"].value


def _defaults(row: dict[str, Any], major: int | None) -> list[str]:
    """The defaults that apply: one for a known version, those of all supported ones otherwise."""
    pairs = sorted((int(since), str(value)) for since, value in row["defaults"].items())
    if major is not None:
        return [value for since, value in pairs if since <= major][-1:]
    oldest = 14
    before = [value for since, value in pairs if since <= oldest][-1:]
    return [*before, *(value for since, value in pairs if since > oldest)]


def _amount(value: Node, row: dict[str, Any] | None) -> float | str | None:
    return _measure(value.value, row) if row is not None and value.kind is SCALAR else None


def _measure(text: str, row: dict[str, Any] | None) -> float | str | None:
    """A setting's value in bytes, milliseconds or plain, by its unit; a lower-case word when it is no number."""
    unit = (row or {}).get("unit", "")
    text = text.strip().lower()
    try:
        number = float(text)
    except ValueError:
        time = _TIME.fullmatch(text)
        if time is not None and unit in _TIMES:
            return float(time.group(1)) * _TIMES[time.group(2)]
        found = databases.size(text) if unit.lower().endswith("b") else None
        if found is not None:
            return float(found)
        return {"true": "on", "yes": "on", "false": "off", "no": "off"}.get(text, text)
    if number < 0 or not unit:
        return number
    if unit in _TIMES:
        return number * _TIMES[unit]
    return number * (_BLOCK if unit == "8kB" else 1024 if unit == "kB" else 1024**2)
