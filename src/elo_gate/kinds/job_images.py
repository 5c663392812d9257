"""Turns a job's steps into the container images it builds, and the versions of Node.js it runs on."""

from __future__ import annotations

import re

from ..model import ABSENT, Node
from ..syntax.command import Word
from .jobs import below, known, listed, steps, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .jobs import Call, Job, Step

_BUILDERS = frozenset(("docker", "podman", "buildah", "nerdctl", "img", "depot"))
# Programs and actions that build images whose names stand elsewhere.
_ELSEWHERE = frozenset(
    ("skaffold", "pack", "ko", "kaniko", "executor", "bazel", "earthly", "dagger", "werf", "tilt", "nixpacks", "make",
     "just", "task", "gradle", "gradlew", "mvn", "docker-compose", "lerna", "nx", "turbo")
)  # fmt: skip
_ACTIONS = ("docker/build-push-action", "redhat-actions/buildah-build", "depot/build-push-action")
_NAMES = re.compile(r"[^\s,]+")
_NODE_IMAGE = re.compile(r"(?:^|/)node:v?(\d{1,2})(?:[.-]|$)")
_MAJOR = re.compile(r"v?(\d{1,2})(?:\.|$)")


def images(job: Job) -> Iterator[tuple[str, Node]]:
    """(name without tag, node) of every image a job builds; the name is "" where it cannot be known."""
    for step in steps(job):
        for call in step.calls:
            yield from _called(call)
        yield from _used(step)
    if job.uses and job.called is None:
        yield "", job.uses


def made(job: Job) -> Iterator[tuple[str, str]]:
    """(image's name without tag, path of the Dockerfile it is built from) where a job says both."""
    for step in steps(job):
        for call in step.calls:
            words = [text for text in call.texts if not text.startswith("-")][:2]
            if call.program in _BUILDERS and (words[:1] == ["build"] or words == ["buildx", "build"]):
                path = _dockerfile(call)
                yield from ((name, path) for name, _ in _called(call) if name and path)
        if step.action in _ACTIONS:
            file, context = (step.inputs.get(name, (ABSENT, ABSENT))[1] for name in ("file", "context"))
            text = text_of(file) if file else f"{text_of(context) or '.'}/Dockerfile"
            path = below("", Word(text, 0, 0, True)) if text and (not context or text_of(context)) else None
            yield from ((name, path) for name, _ in _used(step) if name and path)


def _dockerfile(call: Call) -> str | None:
    """The path of the Dockerfile that a build reads; None when it cannot be known."""
    given, context = call.value("-f", "--file"), call.args[-1]
    if given is not None:
        return below(call.folder, given) if known(given) else None
    folder = below(call.folder, context)
    return below(folder, Word("Dockerfile", 0, 0, True))


def _called(call: Call) -> Iterator[tuple[str, Node]]:
    texts = call.texts
    if call.program in _BUILDERS:
        words = [text for text in texts if not text.startswith("-")][:2]
        if words[:1] == ["compose"]:
            yield "", call.place
        if words[:1] == ["build"] or words == ["buildx", "build"]:
            value = call.value("-t", "--tag")
            if value is None:
                yield "", call.place
            elif "$" in value.text.rpartition(":")[0] or not (known(value) or _named(value.text)):
                yield "", call.at(value)
            else:
                yield _bare(value.text), call.at(value)
        elif words[:1] in (["push"], ["tag"]) or words == ["buildx", "bake"]:
            target = call.args[-1]
            yield (_bare(target.text) if _named(target.text) else ""), call.at(target)
    elif call.program in ("gcloud", "az") and ("submit" in texts or "build" in texts):
        value = call.value("-t", "--tag", "--image")
        yield (_bare(value.text) if value is not None and known(value) else ""), call.place
    elif call.program in _ELSEWHERE and ("build" in " ".join(texts) or "docker" in " ".join(texts)):
        yield "", call.place


def _named(text: str) -> bool:
    """Whether the name in front of the tag is known, whatever the tag is."""
    return "$" not in _bare(text)


def _bare(text: str) -> str:
    name = text.partition("@")[0]
    colon = name.rfind(":")
    name = name[:colon] if colon > name.rfind("/") else name
    return name.removeprefix("docker.io/").removeprefix("library/").lower()


def _used(step: Step) -> Iterator[tuple[str, Node]]:
    action = step.action
    if not action:
        return
    if action in _ACTIONS:
        _, tags = step.inputs.get("tags", (ABSENT, ABSENT))
        text = text_of(tags)
        if text is None:
            raw = tags.text() or ""
            found = [each for each in _NAMES.findall(raw) if "${{" not in each.rpartition(":")[0] and "/" in each]
            names = [_bare(each) for each in found]
            for name in names or [""]:
                yield name, tags or step.place
            return
        for each in _NAMES.findall(text):
            yield _bare(each), tags
    elif any(word in action.partition("/")[2] for word in ("docker", "image", "build", "skaffold", "kaniko", "ko")):
        if not action.startswith(("docker/login", "docker/setup", "docker/metadata", "actions/")):
            yield "", step.uses


def node_versions(job: Job) -> Iterator[tuple[int, Node]]:
    """(major, node) of each version of Node.js that a job is set up with: an action's input, its matrix, its image."""
    for step in steps(job):
        if step.action in ("actions/setup-node", "volta-cli/action"):
            _, value = step.inputs.get("node-version", (ABSENT, ABSENT))
            text = value.text()
            if text is not None and "matrix." in text:
                name = text.partition("matrix.")[2].strip("} ").strip()
                for each in listed(job.matrix.get(name)):
                    yield from _major(each)
            elif text is not None:
                yield from _major(value)
    for image in (job.image, job.container, job.container.get("image")):
        text = text_of(image)
        match = _NODE_IMAGE.search(text) if text is not None else None
        if match is not None:
            yield int(match[1]), image


def _major(node: Node) -> Iterator[tuple[int, Node]]:
    match = _MAJOR.match(node.text() or "")
    if match is not None:
        yield int(match[1]), node
