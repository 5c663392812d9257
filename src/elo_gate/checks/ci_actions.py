"""Judges the actions that workflows use: versions that are refused, old, moving, abandoned; inputs they do not have."""

from __future__ import annotations

import re

from ..kinds.jobs import text_of
from ..model import ABSENT, ERROR, NOTE, WARNING, Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.jobs import Job, Step
    from ..model import Artifact, Item, Node

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_VERSION = re.compile(r"v?(\d{1,4})(?:\.(\d{1,5}))?(?:\.(\d{1,5}))?\Z")
_COMMENT = re.compile(r"[ \t'\"]*#\s*(?:tag=|ratchet:\S*@)?(v?\d[\d.]*)")
# Not the address of a chat channel, nor the token of a coverage report: whoever steals one of them can do little.
_SECRET = re.compile(
    r"\bsecrets\.(?!GITHUB_TOKEN\b)(?!\w+_ID\b)(?!\w*(?:WEBHOOK|CODECOV|COVERALLS))[A-Za-z_]"
    r"|\bsecrets\[|toJSON\(\s*secrets\s*\)",
    re.I,
)


def version(uses: Node) -> tuple[int, ...]:
    """The version an action is used at, as numbers; of a commit that of the comment behind it; () for unknown."""
    ref = (uses.text() or "").partition("@")[2].strip()
    if _SHA.match(ref):
        end = uses.source.text.find("\n", uses.end)
        match = _COMMENT.match(uses.source.text, uses.end, end if end >= 0 else len(uses.source.text))
        ref = match.group(1) if match is not None else ""
    match = _VERSION.match(ref)
    return tuple(int(part) for part in match.groups() if part is not None) if match is not None else ()


def _used(it: Item) -> list[tuple[Job, Step]]:
    """The steps of a pipeline that use an action by name, not those of other files."""
    return [
        (job, step)
        for job in it.facts["pipeline"].jobs
        for step in job.steps
        if "/" in step.action and not step.action.startswith((".", "$", "docker:"))
    ]


def _releases(it: Item) -> bool:
    """Whether a pipeline deploys to production."""
    from ..kinds.jobs import deploys

    return any(deploy.production for job in it.facts["pipeline"].jobs for deploy in deploys(job))


def refused(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for each version of an action that GitHub fails since a day; Enterprise Server does not."""
    if params["enterprise_server"]:
        return
    table = file.project.table("actions")["refused"]
    severity = ERROR if file.kind == "action" or _releases(it) else WARNING
    for _, step in _used(it):
        row = table.get(step.action)
        number = version(step.uses)
        if row is None or not number:
            continue
        for limit in row:
            if number[0] <= int(limit["last"]) and file.project.as_of >= limit["from"]:
                yield Fault(
                    step.uses, severity=severity, action=step.action, version=_shown(number), since=limit["from"],
                    instead=f"{step.action}@{limit['instead']}",
                )  # fmt: skip
                break


def _shown(number: tuple[int, ...]) -> str:
    return "v" + ".".join(map(str, number))


def removed_runtime(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault for the actions of a releasing pipeline that were made for a Node.js which is gone."""
    if not _releases(it):
        return
    table = file.project.table("actions")
    found: list[tuple[Step, str, str]] = []
    for _, step in _used(it):
        number = version(step.uses)
        if not number or step.action in table["archived"] or _is_refused(step, number, file):
            continue
        for runtime, last in table["runtimes"].get(step.action, {}).items():
            gone = table["removed"][runtime]
            if number[0] <= int(last) and file.project.as_of >= gone:
                found.append(
                    (step, f"{step.action}@{_shown(number)}", f"{runtime.replace('node', 'Node.js ')} ({gone})")
                )
                break
    if found:
        step, _, runtime = min(found, key=lambda each: each[2])
        names = list(dict.fromkeys(name for _, name, _ in found))
        related = [(each.uses, f"{name} was made for {of}") for each, name, of in found if each is not step]
        yield Fault(step.uses, related=related, actions=_names(names), runtime=runtime)


def _is_refused(step: Step, number: tuple[int, ...], file: Artifact) -> bool:
    rows = file.project.table("actions")["refused"].get(step.action, ())
    return any(number[0] <= int(limit["last"]) and file.project.as_of >= limit["from"] for limit in rows)


def archived(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for each archived action, once a file."""
    table = file.project.table("actions")["archived"]
    met: set[str] = set()
    for _, step in _used(it):
        row = table.get(step.action)
        if row is not None and step.action not in met and file.project.as_of >= row["since"]:
            met.add(step.action)
            others = [each.uses for _, each in _used(it) if each.action == step.action and each is not step]
            yield Fault(
                step.uses, related=[(other, "used here too") for other in others], action=step.action,
                since=row["since"], instead=row["instead"],
            )  # fmt: skip


def unknown_input(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for each input that a well-known action does not have."""
    table = file.project.table("actions")["inputs"]
    for _, step in _used(it):
        row = table.get(step.action)
        number = version(step.uses)
        if row is None or (row.get("major") and (not number or number[0] not in map(int, row["major"]))):
            continue
        names = {name.lower() for name in row["names"]}
        for name, (key, _) in step.inputs.items():
            if name.lower() in names or (row.get("major") is None and not number):
                continue
            hint = row.get("instead", {}).get(name)
            if hint is None:
                close = _near(name, row["names"])
                yield Fault(key, action=step.action, name=name, hint=f"`{close}`" if close else "one of its inputs")
            elif hint["env"] not in step.env and not _everywhere(step, hint["env"]):
                yield Fault(
                    key, message="env", action=step.action, name=name, env=hint["env"], hint=f"env {hint['env']}"
                )


def _everywhere(step: Step, name: str) -> bool:
    return step.job is not None and name in step.job.variables


def _near(name: str, names: list[str]) -> str:
    from difflib import get_close_matches

    found = get_close_matches(name.lower(), names, 1, 0.6)
    return found[0] if found else ""


def unpinned(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault for the third parties' actions at a ref that can move, one note for those of GitHub."""
    others: list[tuple[Node, str, bool]] = []
    own: list[tuple[Node, str]] = []
    release = file.kind == "workflow" and _releases(it)
    for job in it.facts["pipeline"].jobs:
        called = [(job.uses, _gets_secret(job.secrets, job.inputs))] if job.uses else []
        steps = [(step.uses, _step_secret(step)) for step in job.steps if step.uses]
        for uses, secret in [*called, *steps]:
            text = text_of(uses)
            if text is None or text.startswith((".", "$/", "docker://")) or "/" not in text:
                continue
            name, _, ref = text.partition("@")
            if _SHA.match(ref.strip()):
                continue
            if any(_like(name, pattern) for pattern in params["allow"]):
                continue
            if any(_like(name, pattern) for pattern in params["first_party"]):
                own.append((uses, text))
            else:
                vendor = any(_like(name, pattern) for pattern in params["vendors"])
                others.append((uses, text, secret and not vendor))
    if not release:
        # Where nothing is released, what the platforms' vendors publish is as good as GitHub's own.
        others = [
            each for each in others if not any(_like(each[1].partition("@")[0], name) for name in params["vendors"])
        ]
    if others:
        worst = next((each for each in others if each[2]), others[0])
        severity = ERROR if worst[2] and release else WARNING if release or worst[2] else NOTE
        related = [(uses, "moves too") for uses, _, _ in others if uses is not worst[0]]
        related += [(uses, "moves too") for uses, _ in own]
        message = "secret" if worst[2] else "default"
        names = _names([worst[1], *(text for _, text, _ in others)])
        yield Fault(worst[0], related, message, severity, action=worst[1], actions=names)
    elif own and release:
        related = [(uses, "moves too") for uses, _ in own[1:]]
        yield Fault(own[0][0], related, "own", NOTE, action=own[0][1], actions=_names([text for _, text in own]))


def _names(names: list[str]) -> str:
    """Some names for a message, the first three and how many more."""
    listed = list(dict.fromkeys(names))
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return ", ".join(listed[:3]) + more


def _like(name: str, pattern: str) -> bool:
    return name.lower() == pattern or (pattern.endswith("/*") and name.lower().startswith(pattern[:-1]))


def _gets_secret(*nodes: Node) -> bool:
    for node in nodes:
        if node is not ABSENT and (node.text() == "inherit" or _SECRET.search(node.source.text, node.start, node.end)):
            return True
    return False


def _step_secret(step: Step) -> bool:
    """Whether a step's inputs or environment hold a secret of the repository."""
    values = [value for _, value in [*step.inputs.values(), *step.env.values()]]
    if step.job is not None:
        values += [value for _, value in step.job.variables.values()]
    return _gets_secret(*values)


def problem(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a problem of the reader: what GitHub refuses as well."""
    yield Fault(it, problem=it.facts["message"].rstrip("."))
