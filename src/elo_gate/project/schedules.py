"""Turns the files of a tree into what starts by itself: crontabs, timers, CronJobs, pipelines, platforms' schedules.

A schedule is an item at the time it names. What it starts is shell text, kept as nodes; where that stands elsewhere (an
image, a route, a setting of the platform) the schedule is open: it may start anything.
"""

from __future__ import annotations

import re

from ..model import MAP, SCALAR, UNKNOWN, Item, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

# Images that back a database up by themselves, at times given in their environment.
BACKUP_IMAGES = re.compile(
    r"(?:^|/)(?:postgres-backup-local|postgres-backup-s3|pg-backup|docker-pg-backup|db-backup|mysql-backup|mysql-cron-backup|"
    r"postgresql-backup-s3|pgbackrest|wal-g|docker-volume-backup|docker-db-backup|pg_back|databasus|postgresus|"
    r"docker-postgres-backup\w*|postgres-backup)$"
)
# Objects of operators that back up at times of their own.
_OPERATORS = {"ScheduledBackup": "spec.schedule", "Schedule": "spec.schedule", "PGBackup": "", "ReplicationSource": ""}
_OPERATED = ("postgresql.cnpg.io/", "velero.io/", "k8s.enterprisedb.io/", "longhorn.io/", "volsync.backube/")
_GITLAB_SCHEDULED = re.compile(r"^[ \t]*(?:- *)?schedules\b|\$CI_PIPELINE_SOURCE\s*==\s*[\"']schedule[\"']", re.M)
_INSTALLS = re.compile(r"\|\s*crontab\s+-|/etc/cron\.\w+/|systemctl\s+enable\s+\S+\.timer")
_LOOP = re.compile(r"\bsleep\s+(?:\d{4,}|\d+[hd]|\$\{?\w+)|\bcrond?\b|\bsupercronic\b|\bofelia\b")


def items(project: Any) -> list[Item]:
    """Every schedule of the judged files.

    Facts: `origin` ("crontab", "timer", "CronJob", "workflow", "GitLab schedule", "Vercel cron", "Railway cron",
    "Compose service", "operator", "script"), `when` (a node), `commands` (nodes of shell text), `image` (its name, ""
    when there is none), `open` (why it may start what the tree does not show, "" when it does not), `backs_up` (the
    schedule is a backup whatever it runs).
    """
    found: list[Item] | None = project.facts.get("schedules")
    if found is None:
        found = []
        project.facts["schedules"] = found
        for artifact in project.judged():
            read = _READERS.get(artifact.kind)
            if read is not None:
                found.extend(read(artifact))
    return found


def _item(
    origin: str, when: Node, commands: list[Node], opened: str = "", image: str = "", backs_up: bool = False
) -> Item:
    facts = {
        "origin": origin,
        "when": when,
        "commands": commands,
        "open": opened,
        "image": image,
        "backs_up": backs_up,
    }
    return Item(when, facts, when)


def _crontab(artifact: Artifact) -> Iterator[Item]:
    from ..kinds import schedule

    origin = "timer" if artifact.path.endswith(".timer") else "crontab"
    for job in schedule.VIEWS["jobs"](artifact):
        opened = "its service is not in the repository" if job.facts.get("open") else ""
        yield _item(origin, job.facts["when"], [] if opened else [job.facts["command"]], opened)


def _kubernetes(artifact: Artifact) -> Iterator[Item]:
    if "CronJob" not in artifact.source.text and "chedule" not in artifact.source.text:
        return
    from ..kinds import cluster, manifest

    for owner in cluster.objects(artifact):
        kind, node = owner.facts["kind"], owner.node
        if kind in _OPERATORS and str(owner.facts["api"]).startswith(_OPERATED):
            yield _item("operator", node.get("spec", "schedule") or owner.place, [], backs_up=True)
        if kind != "CronJob":
            continue
        when = node.get("spec", "schedule")
        if not when or manifest.truth(node.get("spec", "suspend")):
            continue
        commands: list[Node] = []
        opened = image = ""
        for container in owner.facts.get("containers", ()):
            told = [container.node.get("command"), container.node.get("args")]
            words = [word for each in told for word in each.elements()]
            commands.extend(words)
            shown = container.facts["image"]
            image = image or (str(shown.facts["name"]) if isinstance(shown, Item) else str(shown.value or ""))
            if not words:
                opened = "its image decides what it runs"
        backs_up = BACKUP_IMAGES.search(image) is not None
        yield _item("CronJob", when, commands, opened, image, backs_up)


def _workflow(artifact: Artifact) -> Iterator[Item]:
    if "schedule" not in artifact.source.text:
        return
    from ..kinds import workflow

    for pipeline in workflow.pipelines(artifact):
        when = pipeline.triggers.get("schedule")
        if when is None:
            continue
        first = when.get(0, "cron") or when
        commands = [
            script.node
            for job in pipeline.jobs
            for step in job.steps
            for inner in (step, *step.inner)
            for script in inner.scripts
        ]
        called = any(job.uses and job.called is None for job in pipeline.jobs)
        yield _item("workflow", first, commands, "it calls a workflow of another repository" if called else "")


def _gitlab(artifact: Artifact) -> Iterator[Item]:
    found = _GITLAB_SCHEDULED.search(artifact.source.text)
    if found is None:
        return
    from ..kinds import module_of

    when = Node(SCALAR, found[0].strip(), artifact.source, found.start(), found.end(), "'")
    commands = [
        script.node
        for pipeline in module_of("gitlab").pipelines(artifact)
        for job in pipeline.jobs
        for step in job.steps
        for script in step.scripts
    ]
    yield _item("GitLab schedule", when, commands)


def _vercel(artifact: Artifact) -> Iterator[Item]:
    for cron in artifact.root.get("crons").elements():
        if cron.get("schedule"):
            yield _item("Vercel cron", cron.get("schedule"), [], "a route of the application decides what it does")


def _railway(artifact: Artifact) -> Iterator[Item]:
    from ..kinds import railway

    for service in railway.services(artifact):
        when, start = service.facts["cronSchedule"], service.facts["startCommand"]
        if isinstance(when, Node) and when.kind in (SCALAR, UNKNOWN) and not when.is_null():
            known = isinstance(start, Node) and start.kind is SCALAR
            yield _item(
                "Railway cron", when, [start] if known else [], "" if known else "its image decides what it runs"
            )


def _compose(artifact: Artifact) -> Iterator[Item]:
    from ..kinds import compose

    for file in compose.VIEWS["file"](artifact):
        for service in file.facts["services"]:
            facts = service.facts
            image = facts["image"].facts["repository"] if facts["image"] is not None else ""
            node = service.node
            texts = [each for name in ("entrypoint", "command") for each in _words(node.get(name))]
            labels = node.get("labels")
            if BACKUP_IMAGES.search(image):
                yield _item("Compose service", service.place, texts, image=image, backs_up=True)
            elif any(each.kind is SCALAR and _LOOP.search(each.value) for each in texts):
                opened = (
                    "a crontab inside of its image" if not any("sleep" in str(each.value) for each in texts) else ""
                )
                yield _item("Compose service", service.place, texts, opened, image)
            elif labels.kind is MAP and any(key.value.startswith("ofelia.") for key, _ in labels.items()):
                jobs = [value for key, value in labels.items() if key.value.endswith(".command")]
                yield _item("Compose service", service.place, jobs, image=image)


def _words(node: Node) -> list[Node]:
    return [each for each in node.elements() if each.kind is SCALAR] or ([node] if node.kind is SCALAR else [])


def _script(artifact: Artifact) -> Iterator[Item]:
    """A script that writes a crontab or enables a timer."""
    source = artifact.source
    for found in _INSTALLS.finditer(source.text):
        line = source.position(found.start())[0]
        start = source.offset(max(1, line - 8))
        stop = source.offset(min(line + 8, len(source.starts)))
        text = Node(SCALAR, source.text[start:stop], source, start, stop, "'")
        when = Node(SCALAR, found[0], source, found.start(), found.end(), "'")
        yield _item("script", when, [text])


_READERS = {
    "schedule": _crontab,
    "k8s": _kubernetes,
    "workflow": _workflow,
    "gitlab": _gitlab,
    "vercel": _vercel,
    "railway": _railway,
    "compose": _compose,
    "script": _script,
}


def commands(project: Any) -> dict[str, list[Node]]:
    """What schedules start, by the file that holds the schedule."""
    found: dict[str, list[Node]] | None = project.facts.get("scheduled commands")
    if found is None:
        found = {}
        project.facts["scheduled commands"] = found
        for schedule in items(project):
            if schedule.facts["origin"] != "script":
                found.setdefault(schedule.node.source.path, []).extend(schedule.facts["commands"])
    return found


def starts(schedule: Item, path: str) -> Node | None:
    """The command of a schedule that names a file of the tree, by the longest end of its path that is written."""
    name = path.rpartition("/")[2]
    for command in schedule.facts["commands"]:
        text = command.value if isinstance(command.value, str) else ""
        if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", text):
            found: Node = command
            return found
    return None
