"""Turns findings in Dockerfiles into edits."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from ..kinds import dockerfile
from ..model import SCALAR, Item, Node
from .edit import Edit
from .maps import indent_of, inner, line_start, slice_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..model import Artifact, Fault

# What a shell does itself: neither exec nor the exec form can start it.
_BUILTINS = frozenset(
    (".", ":", "[", "alias", "bg", "break", "case", "cd", "command", "continue", "eval", "exec", "exit", "export", "for",
     "if", "local", "read", "return", "set", "shift", "source", "test", "trap", "ulimit", "umask", "unset", "until",
     "wait", "while", "{", "(", "!", "time")
)  # fmt: skip
_WORD = re.compile(r"[\w./:=@%+,-]+")
_ONE_VALUE = re.compile(r"""[^\s"'\\#$`]+|\$\{?\w+\}?|"[^"\\\n]*"|'[^'\\\n]*'""")
_SPACED = re.compile(r"""[^"'\\\n$`]+""")


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
    if call.production is None or not all(slice_of(node) == word for node, word in zip(nodes, words, strict=True)):
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


def _copied(command: Item, lockfile: str) -> bool:
    """Whether a lockfile of the context is in the image when a command runs."""
    for stage in command.facts["stage"].facts["chain"]:
        for copy in stage.facts["copies"]:
            if copy.place.start > command.place.start or copy.facts["from"] is not None:
                continue
            if copy.facts["whole"]:
                return True
            for source in copy.facts["sources"]:
                if source.kind is SCALAR and fnmatchcase(lockfile, source.value.removeprefix("./")):
                    return True
    return False


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
    start, source = last.place.start, last.place.source
    whole = source.text[started.place.end : started.node.end]
    if words[0] in _BUILTINS or words[0].startswith(("'", '"', "[", "$", "(")) or "=" in words[0]:
        return []
    if len(commands) == 1 and other is None and all(_WORD.fullmatch(slice_of(node)) for node in nodes):
        if whole.split() == words:
            shown = ", ".join(f'"{word}"' for word in words)
            return [Edit(source, start, nodes[-1].end, f"[{shown}]")]
        return []
    before = source.text[started.place.end : start]
    if last.facts["assigned"] or re.search(r"[|({`]|(?<!&)&(?!&)", before + source.text[start : started.node.end]):
        # Braces of a variable are no group; anything else here is more than a list of commands.
        if last.facts["assigned"] or re.search(r"[|(`]|(?<!\$)\{|(?<!&)&(?!&)", whole):
            return []
    if len(commands) > 1 and last.facts["joiner"] not in ("&&", ";"):
        return []
    if len(commands) == 1 and before.strip():
        return []
    return [Edit(source, start, start, "exec ")]
