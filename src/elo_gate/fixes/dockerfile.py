"""Turns findings in Dockerfiles into edits."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from ..kinds import dockerfile
from ..kinds.dockerfile_runs import join
from ..model import SCALAR, Item
from .edit import Edit
from .maps import indent_of, inner, line_start, slice_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..model import Artifact, Fault

# What a shell does itself: neither exec nor the exec form can start it.
_BUILTINS = frozenset(
    """. : [ alias bg break case cd command continue eval exec exit export for if local read return set shift source
    test trap ulimit umask unset until wait while { ( ! time""".split()
)
_WORD = re.compile(r"[\w./:=@%+,-]+")
# A variable is filled in alike in both forms.
_ONE_VALUE = re.compile(r"""[^\s"'\\`]+|"[^"\\\n]*"|'[^'\\\n]*'""")
_SPACED = re.compile(r"""[^"'\\\n`]+""")
_GROUPS = frozenset("if then else elif do for while until case { ( ! time".split())


def env_form(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """An equals sign between each name and its value, quotes around a value with blanks; all of the file or none."""
    edits = []
    for item in dockerfile.instructions(file):
        if item.facts["name"] != "ENV" or item.facts["form"] != "legacy":
            continue
        for key, value in item.facts["instruction"].pairs:
            text = slice_of(value)
            if not value or value.start <= key.end or value.source.text[key.end : value.start].strip(" \t"):
                return []
            if _ONE_VALUE.fullmatch(text):
                edits.append(Edit(key.source, key.end, value.start, "="))
            elif _SPACED.fullmatch(text):
                edits += [Edit(key.source, key.end, value.start, '="'), Edit(key.source, value.end, value.end, '"')]
            else:
                return []
    return edits


def npm_option(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """The option of today in the place of the retired one, its value with it."""
    call, words, nodes = it.facts["call"], it.facts["words"], it.facts["nodes"]
    at, instead = call.retired, fault.values["instead"]
    if call.production is None or _old_npm(it) or [slice_of(node) for node in nodes] != words:
        return []
    end = nodes[at].end
    if words[at] == "--only":
        if words[at + 1 : at + 2] not in (["prod"], ["production"]):
            return []
        end = nodes[at + 1].end
    elif re.fullmatch(r"--only=prod(uction)?|--production(=true|=false)?", words[at]) is None:
        return []
    if words[at] == "--production" and words[at + 1 : at + 2] in (["true"], ["false"]):
        return []
    return [Edit(nodes[at].source, nodes[at].start, end, instead)]


def locked(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """`npm ci`, or `--frozen-lockfile` for pnpm and Bun, where the lockfile is copied before."""
    call, words, nodes = it.facts["call"], it.facts["words"], it.facts["nodes"]
    if fault.message != "default" or call.verb not in words or not _copied(it, fault.values["lockfile"]):
        return []
    if any("lock" in word for word in words):
        return []  # --no-package-lock and its like
    node = nodes[words.index(call.verb)]
    if slice_of(node) != call.verb:
        return []
    if call.manager == "npm" and call.verb in ("install", "i"):
        return [Edit(node.source, node.start, node.end, "ci")]
    if call.manager in ("pnpm", "bun"):
        return [Edit(node.source, node.end, node.end, " --frozen-lockfile")]
    return []


def _old_npm(command: Item) -> bool:
    """Whether the image brings npm 6, which does not know `--omit`: npm 7 came with Node.js 15."""
    base = command.facts["stage"].facts["base"]
    if not isinstance(base, Item) or base.facts["repository"] != "node" or not isinstance(base.facts["tag"], str):
        return False
    major = re.match(r"\d+", base.facts["tag"])
    return major is not None and int(major[0]) < 15


def _copied(command: Item, lockfile: str) -> bool:
    """Whether a lockfile of the context is in the folder in which a command runs."""
    name = lockfile.rpartition("/")[2]
    for stage in command.facts["stage"].facts["chain"]:
        for copy in stage.facts["copies"]:
            if copy.place.start > command.place.start or copy.facts["from"] is not None:
                continue
            if copy.facts["path"] is None and _stays(command, copy):
                # The base image's own folder: not known, and the same for both.
                target, folder = "/", "/"
            else:
                target, folder = copy.facts["path"], command.facts["folder"]
            if target is not None and folder is not None and join(folder, name) in _targets(copy, target, lockfile):
                return True
    return False


def _stays(command: Item, copy: Item) -> bool:
    """Whether neither leaves a working directory that is not known."""
    instruction, call = command.facts["instruction"], command.facts["call"]
    moved = any(
        each.facts["words"][0] == "cd"
        for each in command.facts["stage"].facts["runs"]
        if each.facts["instruction"] is instruction
    )
    return command.facts["folder"] is None and not moved and not call.folder and copy.facts["dest"].value in (".", "./")


def _targets(copy: Item, target: str, lockfile: str) -> list[str | None]:
    """Where a lockfile of the context may lie after a copy."""
    if copy.facts["whole"]:
        return [join(target, lockfile)]
    found = []
    dest, sources = str(copy.facts["dest"].value), copy.facts["sources"]
    for source in sources:
        if source.kind is SCALAR and fnmatchcase(lockfile, source.value.removeprefix("./")):
            folder = dest.endswith("/") or dest in (".", "..") or len(sources) > 1 or "*" in source.value
            found.append(join(target, lockfile.rpartition("/")[2]) if folder else target)
    return found


def node_env(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """`ENV NODE_ENV=production` above what is started; another mode that is set is somebody's decision."""
    return _set(it, "ENV NODE_ENV=production") if fault.message == "default" else []


def hostname(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """`ENV HOSTNAME=0.0.0.0` above what is started, or in the place of the loopback address."""
    if fault.message == "default":
        return _set(it, "ENV HOSTNAME=0.0.0.0")
    node = fault.at.node if isinstance(fault.at, Item) else fault.at
    return inner(node, fault.values["value"], "0.0.0.0")


def _set(stage: Item, line: str) -> list[Edit]:
    """A line above the CMD or ENTRYPOINT of a stage and the comment that belongs to it."""
    parts = [stage.facts[part] for part in ("entrypoint", "cmd") if stage.facts[part] is not None]
    places = [part.place for part in parts if part.facts["stage"] is stage]
    if not places or len(places) != len(parts):
        return []  # inherited: a base is not only this stage's
    place = min(places, key=lambda node: node.start)
    text = place.source.text
    at = line_start(text, place.start)
    while at:
        above = line_start(text, at - 1)
        if not text[above:at].lstrip().startswith("#"):
            break
        at = above
    return [Edit(place.source, at, at, f"{indent_of(text, place.start)}{line}\n")]


def exec_form(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """The exec form of one plain command; `exec` in front of the last of several."""
    part = str(fault.values["instruction"]).lower()
    other = it.facts["cmd" if part == "entrypoint" else "entrypoint"]
    started = it.facts[part]
    commands: list[Item] = started.facts["commands"]
    if started.facts["form"] != "shell" or started.facts["stage"] is not it or started.facts["instruction"].heredocs:
        return []
    last = commands[-1]
    words, nodes = last.facts["words"], last.facts["nodes"]
    source, start, end = last.place.source, last.place.start, nodes[-1].end
    before, after = source.text[started.place.end : start], source.text[end : started.node.end]
    if words[0] in _BUILTINS or words[0].startswith(("'", '"', "[", "$", "(")) or "=" in words[0] or after.strip():
        return []
    if any(each.facts["words"][0] in _GROUPS for each in commands):
        return []
    alone = len(commands) == 1 and not before.strip()
    # A script without a shebang is started by a shell alone; with the exec form CMD becomes an argument of ENTRYPOINT.
    if alone and other is None and not words[0].endswith(".sh"):
        if all(_WORD.fullmatch(slice_of(node)) for node in nodes) and source.text[start:end].split() == words:
            shown = ", ".join(f'"{word}"' for word in words)
            return [Edit(source, start, end, f"[{shown}]")]
    if last.facts["assigned"] or re.search(r"[|(`#]|(?<!\$)\{|(?<!&)&(?!&)", source.text[started.place.end : end]):
        return []  # more than a list of commands
    if not alone and (len(commands) == 1 or last.facts["joiner"] not in ("&&", ";")):
        return []
    return [Edit(source, start, start, "exec ")]
