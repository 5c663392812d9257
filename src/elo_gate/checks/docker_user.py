"""Answers as whom the released image runs: root, and whether Kubernetes can tell that it is not."""

from __future__ import annotations

import re

from ..kinds import dockerfile
from ..kinds.dockerfile_images import runs_as_root
from ..model import SCALAR, Fault, Item, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_DROPS = re.compile(r"\b(?:su-exec|gosu|setpriv|runuser|s6-setuidgid|setuidgid|chpst)\b")
_UID = re.compile(r"(?:--uid[= ]|-u ?|--uid=)(\d+)")


def root(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault when the released stage runs as root."""
    user = it.facts["user"]
    if user is not None:
        if isinstance(user.facts["root"], Node):
            raise Undecided("a variable holds the user", user)
        if not user.facts["root"]:
            return
    else:
        base = it.facts["base"]
        is_root = runs_as_root(base) if isinstance(base, Item) else None
        if is_root is None:
            raise Undecided("the base image may set a user of its own", it)
        if not is_root:
            return
    if _overruled(it, file):
        return
    if file.project.elsewhere():
        raise Undecided(f"a manifest may set the user: {file.project.elsewhere()}", user or it)
    if _drops_root(it, file):
        raise Undecided("the entry point may drop root when it starts", user or it)
    if user is not None:
        yield Fault(user.node, message="written", stage=it.facts["title"], user=user.node.value)
    else:
        yield Fault(it, stage=it.facts["title"], image=it.facts["base"].facts["text"].partition("@")[0])


def named(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when the user is a name, which Kubernetes cannot tell from root."""
    user = it.facts["user"]
    if user is None or user.facts["root"] or user.facts["numeric"] or isinstance(user.facts["name"], Node):
        return
    pods = _pods(file)
    if file.project.elsewhere():
        return
    if pods and all(_not_root(each) for each in pods):
        return  # they say the number themselves
    kubernetes = bool(pods) or "kubernetes" in file.project.platforms
    name = user.facts["name"]
    yield Fault(
        user.node,
        severity=None if kubernetes else "note",
        stage=it.facts["title"],
        user=name,
        number=_number(it, name) or "1001",
    )


def _number(stage: Item, name: str) -> str | None:
    """The number a user is created with in the stage or in what it is built from."""
    if name == "node":
        return "1000"  # github.com/nodejs/docker-node, docs/BestPractices.md
    for each in stage.facts["chain"]:
        for command in each.facts["runs"]:
            words = command.facts["words"]
            if command.facts["program"] in ("adduser", "useradd") and words[-1] == name:
                found = _UID.search(" ".join(words))
                if found is not None:
                    return found[1]
    return None


def _overruled(stage: Item, file: Artifact) -> bool:
    """Whether everything that is known to run the image gives it a user of its own, and not root."""
    for artifact in file.project.artifacts("railway"):
        if artifact.state == "judged" and file.path.rpartition("/")[2] in artifact.source.text:
            return False  # Railway runs the image as it is
    services = dockerfile.of(file)["context"].services
    users = [service.facts["user"] for other, service in services if other.state == "judged"] + _pods(file)
    return bool(users) and all(_not_root(user) for user in users)


def _not_root(user: Any) -> bool:
    if isinstance(user, Node):
        if user.kind is not SCALAR:
            return False
        user = user.value
    return isinstance(user, str) and user.partition(":")[0] not in ("", "root", "0")


def _pods(file: Artifact) -> list[Any]:
    """The users that pods give to this image: found by the file's folder name, else those of all applications."""
    found = file.project.artifacts("k8s")
    if not found:
        return []
    from ..kinds import compose_roles, k8s

    folders = file.path.split("/")[:-1][-2:]
    named, others = [], []
    for artifact in found:
        if artifact.state == "broken":
            continue
        for container in k8s.VIEWS["containers"](artifact):
            image = container.facts["image"]
            if not isinstance(image, Item) or container.facts["init"]:
                continue  # a patch, or an image that only a renderer knows
            pod = container.facts["workload"].facts["pod"]
            user = container.facts["security"].get("runAsUser") or pod.get("securityContext", "runAsUser")
            if image.facts["base"] in folders:
                named.append(user)
            elif (
                artifact.state == "judged" and compose_roles.of_image(image.facts["repository"])[0] == compose_roles.APP
            ):
                others.append(user)
    return named or others


def _drops_root(stage: Item, file: Artifact) -> bool:
    """Whether a program that changes the user is installed, called, or named in the script that is started."""
    for each in stage.facts["chain"]:
        if any(
            _DROPS.search(command.facts["text"]) or "s6-overlay" in command.facts["text"]
            for command in each.facts["runs"]
        ):
            return True
    started = [
        word
        for part in ("entrypoint", "cmd")
        if stage.facts[part] is not None
        for command in stage.facts[part].facts["commands"]
        for word in command.facts["words"]
    ]
    if any(_DROPS.search(word) for word in started):
        return True
    context = dockerfile.of(file)["context"]
    for word in started[:3]:
        name = word.rpartition("/")[2]
        if not name.endswith(".sh"):
            continue
        for each in stage.facts["chain"]:
            for copy in each.facts["copies"]:
                for source in copy.facts["sources"]:
                    if source.kind is SCALAR and copy.facts["from"] is None and source.value.rpartition("/")[2] == name:
                        path = context.path(source.value)
                        script = file.project.read(path) if path else None
                        if script is not None and _DROPS.search(script.text):
                            return True
    return False
