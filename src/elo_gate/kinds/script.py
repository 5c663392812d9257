"""Turns a shell script that backs up, restores, rolls back, deploys or provisions into views of what it does.

| view | one item for each | facts (besides `call`) |
|---|---|---|
| `file` | script | `purposes`, `commands` (whether it has any) |
| `commands` | program that is started | `program`, `words`, `wrappers` |
| `dumps` | dump of a database | `tool`, `format`, `packed`, `encrypted`, `path`, `file`, `database`, `contained` |
| `archives` | files that are packed or copied | `tool`, `packed`, `path`, `file`, `sources` |
| `uploads` | copy that leaves the machine | `tool`, `source`, `destination`, `bucket`, `encrypted` |
| `prunes` | deletion of old copies | `tool`, `folder`, `names`, `days`, `count`, `remote` |
| `restores` | restore of a dump | `tool`, `path` |
| `deploys` | deployment | `platform`, `environment`, `target` |
| `rollbacks` | way back | `platform`, `program`, `subcommand` |
| `provisions` | variable put into a platform | `name` (text, unknown: a node), `platform`, `environments`, `target` |

Paths are patterns, `*` for what is not known before the script runs: `/backups/shop_*.dump`.
"""

from __future__ import annotations

import re

from ..model import SCALAR, Item, Node
from ..syntax import command as line_syntax
from ..syntax import shell
from .script_calls import Call, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..model import Artifact

BACKUP, RESTORE, ROLLBACK, DEPLOY, PROVISION = "backup", "restore", "rollback", "deploy", "provision"

_NAMES = {
    BACKUP: re.compile(r"(?:^|[-_.])(?:back[-_]?ups?|bak|dump|snapshot)(?:[-_.]|$)", re.I),
    RESTORE: re.compile(r"(?:^|[-_.])(?:restore|recover|recovery)(?:[-_.]|$)", re.I),
    ROLLBACK: re.compile(r"(?:^|[-_.])(?:roll[-_]?back|revert)(?:[-_.]|$)", re.I),
    DEPLOY: re.compile(r"(?:^|[-_.])(?:deploy|deployment|redeploy|release|rollout)(?:[-_.]|$)", re.I),
    PROVISION: re.compile(r"(?:^|[-_.])(?:provision)(?:[-_.]|$)", re.I),
}
# What a script says that does one of these things, as text: cheap, before anything is read.
_SAYS = re.compile(
    r"\b(?:pg_dump|pg_dumpall|pg_basebackup|pg_restore|mysqldump|mariadb-dump|mongodump|mongorestore|restic|borg|pgbackrest|"
    r"wal-g|rclone\s+(?:copy|sync|move|rcat)|aws\s+s3\s+(?:cp|sync|mv)|gsutil\b.*\bcp|"
    r"vercel\s|railway\s|@railway/cli|flyctl\s|fly\s+deploy|netlify\s+deploy|wrangler\s+(?:deploy|publish|secret)|heroku\s+\w+:|"
    r"kubectl\b.*\b(?:apply|set\s+image|rollout|create\s+secret)|helm\s+(?:upgrade|rollback|install)|"
    r"docker(?:-compose|\s+compose|\s+stack|\s+service)\b|gcloud\b.*\bdeploy|az\s+(?:webapp|containerapp)|aws\s+(?:ecs|ssm)|"
    r"gh\s+(?:secret|variable)\s+set|psql\b.*\s(?:-f|--file|<)\s|elo-gate\s+deploy)"
)
_ALIASES = {"@railway/cli": "railway", "vc": "vercel", "now": "vercel", "flyctl": "fly", "podman": "docker"}
_OTHER_LANGUAGE = re.compile(r"#!.*\b(?:python|node|perl|ruby|fish|php|deno|bun|awk|tclsh|pwsh)")
# Programs whose loss in a place that the grammar does not read would be the loss of a finding.
_WEIGHTY = frozenset(
    """pg_dump pg_dumpall pg_basebackup pg_restore mysqldump mariadb-dump mongodump mongorestore aws rclone gsutil
    restic borg rsync tar gzip find rm vercel railway fly kubectl helm docker docker-compose psql gh gpg age set
    ssh""".split()
)


def named(path: str) -> set[str]:
    """The purposes that a script's name tells."""
    name = path.rpartition("/")[2].rpartition(".")[0]
    return {purpose for purpose, pattern in _NAMES.items() if pattern.search(name)}


def looks_like(path: str, text: str) -> bool:
    """Whether a script backs up, restores, rolls back, deploys or provisions, by its name or its text."""
    return bool(named(path)) or _SAYS.search(text) is not None


def load(artifact: Artifact) -> None:
    """Reads the script; where the grammar stumbled, a second reader tells whether anything that matters was lost."""
    source = artifact.source
    artifact.root = Node(SCALAR, source.text, source, 0, len(source.text), "'")
    if _OTHER_LANGUAGE.match(source.text):
        artifact.state, artifact.why = "aside", "a program of another language than the shell's"
        return
    script = shell.parse(source)
    reading = Reading(script)
    artifact.problems = script.problems
    for problem in script.problems:
        if not problem.fatal and problem.code == "syntax":
            problem.fatal = _lost(source.text, reading)
    artifact.views["reading"] = [Item(artifact.root, {"reading": reading})]


def _lost(text: str, reading: Reading) -> bool:
    """Whether a reader without grammar meets a weighty program where the tree has none."""
    starts = {call.start for call in reading.calls}
    starts.update(command.start for script in reading.scripts for command in script.commands)
    bodies = [
        (body.start, body.end) for script in reading.scripts for command in script.commands for body in command.heredocs
    ]
    for each in line_syntax.parse(text):
        for word in each.words[:1]:
            if word.text.rpartition("/")[2] in _WEIGHTY and word.start not in starts:
                if not any(start <= word.start < end for start, end in bodies):
                    return True
    return False


def reading(artifact: Artifact) -> Reading:
    """The calls of a script; none of one that could not be read."""
    kept = artifact.views.get("reading")
    if kept is None:
        empty = Reading(shell.Script(artifact.source, 0, 0))
        kept = artifact.views["reading"] = [Item(artifact.root, {"reading": empty})]
    found: Reading = kept[0].facts["reading"]
    return found


def program(call: Call) -> str:
    """The program under its usual name: `railway` for `@railway/cli`."""
    return _ALIASES.get(call.program, call.program)


def top(artifact: Artifact) -> Node:
    """The token where a script begins: its `#!` line wherever that stands, else its first program."""
    source = artifact.source
    found = shebang(artifact)
    if found is not None:
        return found
    calls = reading(artifact).calls
    if calls:
        return calls[0].place
    end = source.text.find("\n")
    return Node(SCALAR, "", source, 0, len(source.text) if end < 0 else end, "'")


def shebang(artifact: Artifact) -> Node | None:
    """The `#!` line: the first one, or one behind nothing but comments and blank lines."""
    text = artifact.source.text
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end].rstrip("\r")
        bare = line.strip()
        if bare.startswith("#!") and "/" in bare:
            start = at + line.index("#!")
            return Node(SCALAR, bare, artifact.source, start, start + len(bare), "'")
        if bare and not bare.startswith("#"):
            return None
        at = end + 1
    return None


def purposes(artifact: Artifact) -> set[str]:
    """What a script is for, by its name and by what it does."""
    found = named(artifact.path)
    if view(artifact, "dumps"):
        found.add(BACKUP)
    if view(artifact, "restores"):
        found.add(RESTORE)
    if view(artifact, "rollbacks"):
        found.add(ROLLBACK)
    if view(artifact, "deploys"):
        found.add(DEPLOY)
    if view(artifact, "provisions"):
        found.add(PROVISION)
    return found


def view(artifact: Artifact, name: str) -> list[Item]:
    """The items of a view, worked out once."""
    kept = artifact.views.get(name)
    if kept is None:
        kept = artifact.views[name] = VIEWS[name](artifact)
    return kept


# -- views


def _file(artifact: Artifact) -> list[Item]:
    place = top(artifact)
    facts = {"purposes": sorted(purposes(artifact)), "commands": bool(reading(artifact).calls)}
    return [Item(artifact.root, facts, place)]


def _commands(artifact: Artifact) -> list[Item]:
    return [
        Item(call.place, {"call": call, "program": program(call), "words": call.texts, "wrappers": list(call.wrappers)})
        for call in reading(artifact).calls
    ]


def _dumps(artifact: Artifact) -> list[Item]:
    from .script_backups import dumps

    return dumps(artifact)


def _archives(artifact: Artifact) -> list[Item]:
    from .script_backups import archives

    return archives(artifact)


def _uploads(artifact: Artifact) -> list[Item]:
    from .script_copies import uploads

    return uploads(artifact)


def _prunes(artifact: Artifact) -> list[Item]:
    from .script_copies import prunes

    return prunes(artifact)


def _restores(artifact: Artifact) -> list[Item]:
    found = []
    for call in reading(artifact).calls:
        name = program(call)
        if name in ("pg_restore", "mongorestore") and not call.flag("-l", "--list", "--version", "-V", "--help"):
            words = call.plain(
                *"""-d --dbname -U --username -h --host -p --port -j --jobs -n -t --role -L --uri --archive
                --db""".split()
            )
            path = words[-1] if words else call.input
        elif name in ("psql", "mysql", "mariadb"):
            path = call.option("-f", "--file") or call.input
            before = reading(artifact).before(call)
            unpacks = any(program(each) in ("gunzip", "zcat", "gzip", "zstdcat", "unzstd", "xzcat") for each in before)
            text = call.text(path)
            if not unpacks and not re.search(r"backup|dump|restore", text, re.I):
                continue
        else:
            continue
        facts = {
            "call": call,
            "tool": name,
            "path": call.text(path),
            "database": call.text(call.option("-d", "--dbname")),
        }
        found.append(Item(call.place, facts))
    return found


def _deploys(artifact: Artifact) -> list[Item]:
    from .script_platforms import deploys

    return deploys(artifact)


def _rollbacks(artifact: Artifact) -> list[Item]:
    from .script_platforms import rollbacks

    return rollbacks(artifact)


def _provisions(artifact: Artifact) -> list[Item]:
    from .script_platforms import provisions

    return provisions(artifact)


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {
    "file": _file,
    "commands": _commands,
    "dumps": _dumps,
    "archives": _archives,
    "uploads": _uploads,
    "prunes": _prunes,
    "restores": _restores,
    "deploys": _deploys,
    "rollbacks": _rollbacks,
    "provisions": _provisions,
}


def signs(artifact: Artifact) -> tuple[str, str] | None:
    """A script that starts the development server, or only a Compose file for development, is no production's."""
    for call in reading(artifact).calls:
        words = call.texts
        if program(call) in ("docker", "docker-compose") and "up" in words:
            file = call.text(call.option("-f", "--file"))
            if re.search(r"(?:^|[-_.])(?:dev|development|local|test)(?:[-_.]|$)", file.rpartition("/")[2]):
                return "development", f"it starts '{file}'"
        if program(call) in ("npm", "pnpm", "yarn", "bun", "next", "vite") and words[:2] in (["run", "dev"], ["dev"]):
            return "development", "it starts the development server"
    return None


def secrets(artifact: Artifact) -> list[tuple[int, int]]:
    """The literal values that may be credentials: assignments and options whose names say so, passwords in URLs."""
    from . import script_secrets

    return [(node.start, node.end) for node, _, _ in script_secrets.literals(artifact)]
