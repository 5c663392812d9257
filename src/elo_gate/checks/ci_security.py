"""Judges what strangers can do to a pipeline: text of theirs in scripts, code of theirs with secrets at hand."""

from __future__ import annotations

import re

from ..kinds.jobs import known, steps
from ..model import ABSENT, ERROR, SCALAR, WARNING, Fault, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.jobs import Call, Job, Step
    from ..model import Artifact, Item

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.S)
# What anybody can write who opens an issue or a pull request, comments, or has a commit merged.
_STRANGERS = re.compile(
    r"github\s*\.\s*head_ref\b"
    r"|github\.event\.(?:issue|pull_request|discussion|comment|review|review_comment)\.(?:title|body)\b"
    r"|github\.event\.discussion\.(?:title|body)\b"
    r"|github\.event\.pull_request\.head\.(?:ref|label)\b"
    r"|github\.event\.pull_request\.head\.repo\.(?:default_branch|description|homepage)\b"
    r"|github\.event\.workflow_run\.(?:head_branch|display_title|head_commit\.message|head_commit\.author\.(?:name|email))\b"
    r"|github\.event\.head_commit\.(?:message|author\.(?:name|email))\b"
    r"|github\.event\.commits[\w\[\]*.]*\.(?:message|author\.(?:name|email))\b"
    r"|github\.event\.pages[\w\[\]*.]*\.page_name\b"
)
# Of these only true or false comes out.
_TRUTH = re.compile(
    r"\b(?:contains|startsWith|endsWith)\s*\([^()]*(?:\([^()]*\)[^()]*)*\)|[\w.\[\]*'-]+\s*(?:==|!=)\s*(?:'[^']*'|[\w.\[\]*-]+)",
    re.I,
)
# A fork's pull request runs with its own workflow and without secrets: there it gains nothing.
_HARMLESS = frozenset(("pull_request", "merge_group", "workflow_dispatch", "schedule"))
_HEAD = re.compile(
    r"github\.event\.pull_request\.head\.(?:sha|ref)|github\.head_ref|refs/pull/|github\.event\.pull_request\.merge_commit_sha"
    r"|github\.event\.workflow_run\.head_(?:sha|branch|commit)|github\.event\.pull_request\.number|github\.event\.number"
)
_OURS = re.compile(
    r"head\.repo\.full_name\s*==\s*github\.repository|head\.repo\.fork\s*==\s*false|!\s*github\.event\.pull_request\.head\.repo\.fork"
    r"|head_repository\.full_name\s*==\s*github\.repository|author_association|merged\s*==\s*true|pull_request\.merged"
    r"|workflow_run\.event\s*==\s*'push'|github\.(?:actor|triggering_actor)\s*==|user\.login\s*=="
)
_LABEL = re.compile(r"pull_request\.labels|label\.name")
_READERS = frozenset(
    (
        "git",
        "gh",
        "echo",
        "jq",
        "cat",
        "ls",
        "grep",
        "diff",
        "test",
        "[",
        "[[",
        "printf",
        "exit",
        "set",
        "export",
        "head",
        "tail",
        "wc",
    )
)
_TOKENS = (
    "--token",
    "-t",
    "--password",
    "-p",
    "--auth-token",
    "--access-token",
    "--api-key",
    "--apikey",
    "--secret",
    "--pat",
)
_NAMED = re.compile(
    r"\$\{\{\s*secrets\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}|\$\{?([A-Za-z_][A-Za-z0-9_]*(?:TOKEN|PASSWORD|SECRET|API_KEY|APIKEY|_PAT))\}?\Z"
)
_IN_URL = re.compile(
    r"[?&](?:token|access_token|api_key|apikey|key)=(\$\{\{\s*secrets\.([A-Za-z_]\w*)\s*\}\}|\$\{?([A-Za-z_]\w*)\}?)",
    re.I,
)


def injection(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for each script into which GitHub pastes text that a stranger wrote."""
    events = set(it.facts["pipeline"].triggers)
    severity = WARNING if file.kind == "action" or events and events <= _HARMLESS else ERROR
    for job in it.facts["pipeline"].jobs:
        for step in job.steps:
            for node in _scripts(step):
                text = node.text() or ""
                for match in _EXPRESSION.finditer(text):
                    found = _STRANGERS.search(_TRUTH.sub("", match.group(1)))
                    if found is not None:
                        yield Fault(_inside(node, match), severity=severity, context=re.sub(r"\s", "", found[0]))
                        break


def _scripts(step: Step) -> list[Node]:
    """The values of a step that some interpreter runs."""
    found = [step.node.get("run")] if step.node.get("run").kind is SCALAR else []
    if step.action == "actions/github-script" or step.remote:
        found += [step.inputs["script"][1]] if "script" in step.inputs else []
    return found


def _inside(node: Node, match: re.Match[str]) -> Node:
    """The place of an expression within a value."""
    start = node.source.text.find(match[0], node.start, node.end)
    return Node(SCALAR, match[0], node.source, start, start + len(match[0]), "'") if start >= 0 else node


def untrusted_checkout(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a job that fetches a stranger's commit in a run that holds the repository's secrets."""
    pipeline = it.facts["pipeline"]
    events = [event for event in ("pull_request_target", "workflow_run", "issue_comment") if event in pipeline.triggers]
    if not events:
        return
    for job in pipeline.jobs:
        condition = job.condition.text() or "" if job.condition else ""
        fetched: tuple[Step, Node] | None = None
        for step in steps(job):
            if fetched is None:
                place = _fetches(step)
                guard = condition + " " + ((step.condition.text() or "") if step.condition else "")
                if place is not None and not _OURS.search(guard):
                    if "workflow_run" in events and len(events) == 1 and "workflow_run" not in (place.text() or ""):
                        continue
                    fetched = (step, place)
                continue
            runs = next((call for call in step.calls if call.program not in _READERS), None)
            local = (step.uses.text() or "").startswith("./")
            if runs is not None or local:
                yield _checked_out(job, fetched, step, runs, events[0], condition)
                break


def _checked_out(
    job: Job, fetched: tuple[Step, Node], step: Step, runs: Call | None, event: str, condition: str
) -> Fault:
    first, place = fetched
    allowed = first.inputs.get("allow-unsafe-pr-checkout", (ABSENT, ABSENT))[1].boolean()
    from .ci_actions import version

    number = version(first.uses) if first.uses else ()
    at = runs.place if runs is not None else step.uses
    related = [(at, "and runs here")]
    if (
        first.action == "actions/checkout"
        and number
        and number[0] >= 7
        and not allowed
        and event == "pull_request_target"
    ):
        return Fault(place, related, "refused", WARNING, job=job.id, event=event)
    guarded = bool(job.environment) or _LABEL.search(condition) is not None or _harmless(job)
    return Fault(place, related, "default", WARNING if guarded else ERROR, job=job.id, event=event)


def _harmless(job: Job) -> bool:
    """A job that names no secret and whose token may only read."""
    permissions = job.permissions or job.pipeline.permissions
    reads = permissions and (
        permissions.text() == "read-all" or all(value.text() in ("read", "none") for _, value in permissions.items())
    )
    text = job.node.source.text
    return bool(reads) and "secrets." not in text[job.node.start : job.node.end]


def _fetches(step: Step) -> Node | None:
    """Where a step asks for the head of a pull request, None when it does not."""
    if step.action == "actions/checkout":
        ref = step.inputs.get("ref", (ABSENT, ABSENT))[1]
        return ref if ref and _HEAD.search(ref.text() or "") else None
    for call in step.calls:
        texts = call.texts
        if call.program == "gh" and texts[:2] == ["pr", "checkout"]:
            return call.place
        if (
            call.program == "git"
            and texts[:1] in (["fetch"], ["pull"], ["checkout"])
            and any(text.startswith(("pull/", "refs/pull/", "+refs/pull/")) for text in texts)
        ):
            return call.place
    return None


def token_on_command_line(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a secret that stands among the arguments of a program."""
    call: Call = it.facts["call"]
    if call.program in ("echo", "printf", "export", "read"):
        return
    for flag in _TOKENS:
        word = call.value(flag)
        if word is None or known(word) or not _takes(call, flag):
            continue
        match = _NAMED.search(word.text)
        if match is not None:
            name = match.group(1) or match.group(2)
            yield Fault(call.at(word), program=call.program, name=name, flag=flag)
            return
    for word in call.args:
        match = _IN_URL.search(word.text)
        if match is not None:
            name = match.group(2) or match.group(3)
            yield Fault(call.at(word), message="url", program=call.program, name=name, flag="URL")
            return


def _takes(call: Call, flag: str) -> bool:
    """Whether a short flag stands for a token or a password of this program; the long ones always do."""
    if flag == "-p":
        logs_in = call.program in ("docker", "podman", "oc", "helm", "buildah") and "login" in call.texts
        return logs_in or call.program == "sshpass"
    return flag != "-t" or call.program in ("vercel", "vc")
