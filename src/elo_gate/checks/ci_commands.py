"""Judges what pipelines run: installs without a lockfile or a version, scripts that do not exist, old Node.js."""

from __future__ import annotations

import re

from ..kinds import jobs as nouns
from ..kinds.job_gates import elsewhere, run_script
from ..kinds.jobs import known, package_of, text_of
from ..model import ERROR, NOTE, WARNING, Fault, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.jobs import Call, Job, Pipeline, Step
    from ..model import Artifact, Item, Node

_MAJOR = re.compile(r"v?(\d{1,3})(?:[.\s]|\Z)")
_EXACT = re.compile(r"[\^~]?v?\d")
# Command line tools by the packages that hold them.
_CLIS = {
    "vercel": "vercel", "vc": "vercel", "railway": "@railway/cli", "netlify": "netlify-cli", "wrangler": "wrangler",
    "firebase": "firebase-tools", "serverless": "serverless", "sls": "serverless", "flyctl": "flyctl", "cdk": "aws-cdk",
    "@railway/cli": "@railway/cli", "netlify-cli": "netlify-cli", "firebase-tools": "firebase-tools",
}  # fmt: skip


def releases(pipeline: Pipeline) -> bool:
    """Whether a pipeline deploys to production."""
    return any(deploy.production for job in pipeline.jobs for deploy in nouns.deploys(job))


def unpinned_cli(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for each deployment tool that a releasing pipeline takes in whatever version is newest."""
    pipeline: Pipeline = it.facts["pipeline"]
    if not releases(pipeline):
        return
    met: set[str] = set()
    for job in pipeline.jobs:
        for step in job.steps:
            for call in step.calls:
                for name, version, at in _fetched(call):
                    tool = _CLIS.get(name)
                    if tool is None or tool in met or _EXACT.match(version) or "$" in version:
                        continue
                    package = package_of(file, call.folder)
                    if not version and call.fetched and package is not None and package.has(tool):
                        continue
                    met.add(tool)
                    yield Fault(at, tool=tool, version=version or "no version")


def _fetched(call: Call) -> Iterator[tuple[str, str, Node]]:
    """(package, version as written, place) of what a call loads from the registry to run it."""
    texts = call.texts
    if call.fetched:
        name = call.head.text
        at = name.find("@", 1)
        yield (name[:at], name[at + 1 :], call.at(call.head)) if at > 0 else (name, "", call.place)
        return
    everywhere = call.flag("-g", "--global", "--location=global") is not None
    adds = texts[:1] and texts[0] in ("i", "install", "add") and call.program in ("npm", "pnpm", "bun")
    if (adds and everywhere) or (call.program == "yarn" and texts[:2] == ["global", "add"]):
        for word in call.plain("--prefix")[1 if call.program != "yarn" else 2 :]:
            if known(word) or "@" in word.text:
                at = word.text.find("@", 1)
                yield (word.text[:at], word.text[at + 1 :], call.at(word)) if at > 0 else (word.text, "", call.at(word))


def unlocked_install(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for each install in a releasing pipeline that may take other versions than the lockfile's."""
    pipeline: Pipeline = it.facts["pipeline"]
    if not releases(pipeline):
        return
    for job in pipeline.jobs:
        for step in job.steps:
            for call in step.calls:
                instead = _instead(call)
                if instead is None:
                    continue
                package = package_of(file, call.folder)
                if package is not None and package.lockfile is None:
                    continue
                yield Fault(call.place, command=" ".join([call.program, *call.texts[:1]]), instead=instead)


def _instead(call: Call) -> str | None:
    """What to write for an install that is free to move, None for any other command."""
    texts = call.texts
    plain = call.plain("--prefix", "-C", "--cwd")
    if call.flag("-g", "--global") is not None or call.flag("--package-lock-only") is not None:
        return None
    if call.program == "npm" and texts[:1] and texts[0] in ("i", "install") and len(plain) == 1:
        return "npm ci"
    if (
        call.program == "pnpm"
        and texts[:1]
        and texts[0] in ("i", "install")
        and call.flag("--no-frozen-lockfile") is not None
    ):
        return "pnpm install --frozen-lockfile"
    if call.program == "yarn" and call.flag("--no-immutable") is not None:
        return "yarn install --immutable"
    if (
        call.program == "bun"
        and texts[:1]
        and texts[0] in ("i", "install")
        and len(plain) == 1
        and call.flag("--frozen-lockfile") is None
    ):
        return "bun install --frozen-lockfile"
    return None


def missing_script(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault for each `npm run X` whose package.json has no script X."""
    pipeline: Pipeline = it.facts["pipeline"]
    severity = ERROR if releases(pipeline) else WARNING
    met: set[tuple[str, str]] = set()
    for job in pipeline.jobs:
        for step in job.steps:
            for call in step.calls:
                name = run_script(call)
                if not name or "$" in name or elsewhere(call) or call.flag("--if-present") is not None:
                    continue
                if call.texts[:1] not in (["run"], ["run-script"], ["test"], ["t"]) or step.remote:
                    continue
                package = package_of(file, call.folder)
                if package is None or not package.scripts_known or package.script(name) is not None:
                    continue
                if call.program != "npm" and _is_binary(name, package):
                    continue
                if name in ("start", "restart", "env") or (package.path, name) in met or "*" in name:
                    continue
                if _written_before(step, job):
                    continue
                met.add((package.path, name))
                word = next((word for word in call.args if word.text == name), None)
                at = call.at(word) if word is not None else call.place
                yield Fault(at, severity=severity, script=name, file=package.path)


def _is_binary(name: str, package: Any) -> bool:
    """pnpm, yarn and bun also run programs of dependencies under `run`; their names are rarely known here."""
    return package.has(name) or name in (
        "tsc",
        "eslint",
        "vitest",
        "jest",
        "next",
        "prisma",
        "turbo",
        "playwright",
        "biome",
        "vite",
    )


def _written_before(step: Step, job: Job) -> bool:
    """Whether an earlier step writes a package.json of its own."""
    for earlier in job.steps:
        if earlier is step:
            return False
        for call in earlier.calls:
            if call.program == "npm" and call.texts[:1] in (["init"], ["pkg"], ["create"]):
                return True
            if call.program == "git" and call.texts[:1] == ["clone"]:
                return True
    return False


def end_of_life_node(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields one fault for the steps that set up a Node.js line which gets no more security fixes."""
    pipeline: Pipeline = it.facts["pipeline"]
    severity = ERROR if releases(pipeline) else NOTE
    lines = {row["cycle"]: row["eol"] for row in file.project.table("end-of-life")["products"]["node"]}
    found: list[tuple[Node, str, str]] = []
    for job in pipeline.jobs:
        for step in job.steps:
            if step.action != "actions/setup-node":
                continue
            for node, text in _versions(step, job, file):
                match = _MAJOR.match(text)
                if match is not None:
                    eol = lines.get(match.group(1))
                    if eol is not None and eol <= file.project.as_of:
                        found.append((node, match.group(1), eol))
    if found:
        node, cycle, eol = found[0]
        related = [(other, f"Node.js {number} here too") for other, number, _ in found[1:]]
        yield Fault(node, related, severity=severity, version=cycle, eol=eol)


def _versions(step: Step, job: Job, file: Artifact) -> Iterator[tuple[Node, str]]:
    """(place, version) of the Node.js that a step sets up; nothing where that cannot be known."""
    pair = step.inputs.get("node-version")
    if pair is not None:
        text = text_of(pair[1])
        if text is not None:
            yield pair[1], text
            return
        expression = re.fullmatch(r"\$\{\{\s*(env|matrix)\.([\w-]+)\s*\}\}", pair[1].text() or "")
        if expression is None:
            return
        if expression.group(1) == "env":
            value = job.variables.get(expression.group(2))
            if value is not None and text_of(value[1]):
                yield value[1], text_of(value[1]) or ""
        return
    named = step.inputs.get("node-version-file")
    if named is not None and (path := text_of(named[1])):
        source = file.project.read(path.removeprefix("./"))
        if source is None or path.endswith((".json", ".tool-versions")):
            return
        yield named[1], source.text.strip()


def piped_installer(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for each download in a releasing pipeline that goes straight into a shell."""
    pipeline: Pipeline = it.facts["pipeline"]
    if not releases(pipeline):
        return
    met: set[str] = set()
    for job in pipeline.jobs:
        for step in job.steps:
            for call in step.calls:
                after = call.after
                if call.program not in ("curl", "wget") or not call.piped or after is None or step.remote:
                    continue
                if after.program not in ("sh", "bash", "zsh", "python", "python3", "node"):
                    continue
                url = next((word.text for word in call.args if "://" in word.text and known(word)), "")
                if url and url not in met:
                    met.add(url)
                    yield Fault(call.place, url=url.partition("?")[0], shell=after.program)
