"""Turns a crontab, or a systemd timer with its service, into the jobs it starts: when, and by which command.

Crontabs of a system name a user between time and command, those of a user do not (crontab(5)). A timer starts the unit
it names, else the service of its own name beside it (systemd.timer(5), looked up 2026-11-25).
"""

from __future__ import annotations

import re

from ..model import SCALAR, SEQ, Item, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..model import Artifact, Source

_FIELD = r"(?:\*|\?|[0-9A-Za-z*][\w*,/~-]*)"
_LINE = re.compile(
    rf"^[ \t]*(?P<when>@(?:reboot|yearly|annually|monthly|weekly|daily|midnight|hourly|every_\w+)|"
    rf"(?:{_FIELD}[ \t]+){{4}}{_FIELD})"
    r"[ \t]+(?P<command>[^\n]+)$",
    re.MULTILINE,
)
_USER = re.compile(r"(?:root|nobody|[a-z_][a-z0-9_-]{1,31}\$?)[ \t]+(?=[/~.\w$\"'(\[])")
# Programs that a line of a user's own crontab begins with, and that are no user's name.
_PROGRAMS = frozenset(
    "bash sh zsh env nice ionice cd test docker docker-compose podman kubectl psql pg_dump python python3 node npm npx "
    "pnpm yarn php curl wget find rsync tar flock timeout aws rclone restic borg sudo run-parts certbot echo".split()
)
_SETTING = re.compile(r"^[ \t]*(OnCalendar|OnUnitActiveSec|OnBootSec|OnActiveSec|Unit)[ \t]*=[ \t]*([^\n]*)$", re.M)
_START = re.compile(r"^[ \t]*ExecStart[ \t]*=[ \t]*[-@:+!]*((?:[^\n\\]|\\[^\n]|\\\n)*)", re.M)


def looks_like(path: str, text: str) -> bool:
    """Whether a file is a timer, or holds at least one line of a crontab."""
    name = path.rpartition("/")[2].lower()
    if name.endswith(".timer"):
        return not text or "[Timer]" in text
    return name == "crontab" or _LINE.search(text) is not None


def load(artifact: Artifact) -> None:
    """The tree is the list of the times at which something starts; nothing in such a file is fatal."""
    source = artifact.source
    timer = artifact.path.lower().endswith(".timer")
    jobs = list(_timer(artifact) if timer else _crontab(source, "cron.d" in artifact.path or "/etc/" in artifact.path))
    artifact.views["jobs"] = jobs
    artifact.root = Node(SEQ, [job.node for job in jobs], source, 0, len(source.text))


def signs(artifact: Artifact) -> tuple[str, str] | None:
    """A schedule says nothing of its environment."""
    return None


def _crontab(source: Source, system: bool) -> Iterator[Item]:
    for found in _LINE.finditer(source.text):
        start, end = found.span("command")
        end = start + len(found["command"].rstrip())
        if start == end:
            continue
        user = _USER.match(source.text, start, end)
        if user is not None and (system or user[0].strip() not in _PROGRAMS and _is_user(source.text, user.end(), end)):
            start = user.end()
        when = Node(SCALAR, found["when"], source, found.start("when"), found.end("when"))
        command = Node(SCALAR, source.text[start:end], source, start, end, "'")
        yield Item(when, {"when": when, "command": command}, when)


def _is_user(text: str, start: int, end: int) -> bool:
    """Whether what follows a first word is a command of its own: a path or a program."""
    first = text[start:end].split(None, 1)[:1]
    return bool(first) and (first[0].startswith(("/", "~")) or first[0] in _PROGRAMS)


def _timer(artifact: Artifact) -> Iterator[Item]:
    source = artifact.source
    unit = ""
    when: Node | None = None
    for found in _SETTING.finditer(source.text):
        text = found[2].rstrip()
        if found[1] == "Unit":
            unit = text
        elif text and when is None:
            when = Node(SCALAR, text, source, found.start(2), found.start(2) + len(text))
    if when is None:
        return
    folder, _, name = artifact.path.rpartition("/")
    service = f"{folder}/{unit or name[: -len('.timer')] + '.service'}".lstrip("/")
    other = artifact.project.read(service) if artifact.project is not None else None
    start = _START.search(other.text) if other is not None else None
    command = when
    if other is not None and start is not None:
        command = Node(SCALAR, start[1].strip(), other, start.start(1), start.end(1), "'")
    yield Item(when, {"when": when, "command": command, "open": start is None}, when)


def _file(artifact: Artifact) -> list[Item]:
    """The file: its place is the first time in it."""
    jobs = artifact.views["jobs"]
    return [Item(artifact.root, {"jobs": jobs}, jobs[0].place)] if jobs else []


# A time that another program fills in.
_FILLED_IN = re.compile(r"\{\{|\{%|\$|%[A-Z_]+%|<%")
_ASSIGNMENT = re.compile(r"[ \t]*(?:\w+|\"[^\"]+\"|'[^']+')[ \t]*=")


def _problems(artifact: Artifact) -> list[Item]:
    """Lines of a crontab that are no job (`code` "line"), and the times of those that are ("when")."""
    if artifact.path.lower().endswith(".timer"):
        return []
    source = artifact.source
    found = [Item(job.node, {"code": "when"}, job.place) for job in artifact.views["jobs"]]
    for number, start in enumerate(source.starts, 1):
        line = source.line(number)
        bare = line.strip()
        if not bare or bare[0] == "#" or _LINE.match(line) or _ASSIGNMENT.match(line) or _FILLED_IN.search(line):
            continue
        start += len(line) - len(line.lstrip())
        node = Node(SCALAR, "", source, start, start + len(bare), "'")
        found.append(Item(node, {"code": "line"}, node))
    return found


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {
    "file": _file,
    "jobs": lambda artifact: artifact.views["jobs"],
    "problems": _problems,
}
