"""Answers what a Kubernetes container runs: which image, from where, pinned how firmly."""

from __future__ import annotations

from ..model import UNKNOWN, WARNING, Fault, Item, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact


def _image(it: Item) -> dict[str, Any] | None:
    """The parts of a container's image; None when it names none, Undecided when a tool fills it in."""
    image = it.facts["image"]
    if isinstance(image, Item):
        return None if it.facts.get("told") else image.facts
    if isinstance(image, Node) and image.kind is UNKNOWN:
        raise Undecided("the image is filled in when the manifest is deployed", image)
    return None


def _known(it: Item) -> dict[str, Any] | None:
    """As `_image`, None also for an unknown one: that it is unknown is said once, by the rule on its tag."""
    return _image(it) if isinstance(it.facts["image"], Item) else None


def floating_tag(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when the tag is absent, `latest`, or a word that names no version."""
    image = _image(it)
    if image is None or image["digest"]:
        return
    tag = image["tag"]
    if not tag:
        yield Fault(it.facts["image"], message="untagged", image=image["text"])
    elif tag in params["tags"]:
        yield Fault(it.facts["image"], image=image["text"], tag=tag)
    elif not any(character.isdigit() for character in tag):
        severity = "note" if file.assumed else WARNING
        yield Fault(it.facts["image"], message="word", severity=severity, image=image["text"], tag=tag)


def pull_policy(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when a floating tag is pulled once and kept, or nothing says how it is pulled."""
    image = _known(it)
    if image is None or image["digest"] or (image["tag"] not in params["tags"] and image["tag"]):
        return
    policy = it.get("imagePullPolicy")
    text = policy.text()
    if text in ("IfNotPresent", "Never"):
        yield Fault(policy, image=image["text"], policy=text)
    elif not policy and not file.assumed:
        yield Fault(it.facts["image"], message="unset", severity="note", image=image["text"])


def no_registry(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a bare name that is none of Docker Hub's official images."""
    image = _image(it)
    if image is None or image["registry"] or "/" in image["repository"]:
        return
    if image["base"] not in params["official"]:
        name = image["base"]
        yield Fault(it.facts["image"], image=image["text"], name=name, pulled="docker.io/library/" + name)


def placeholder(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when the registry or the owner in an image's name is a stand-in."""
    image = _image(it)
    if image is None:
        return
    for part in image["name"].split("/"):
        if part.startswith(tuple(params["prefixes"])) or part in params["words"]:
            yield Fault(image["name_node"], image=image["text"], part=part)
            return


def no_digest(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when a version tag stands without the digest that fixes its content."""
    image = _known(it)
    if image is None or file.assumed or image["digest"]:
        return
    if any(character.isdigit() for character in image["tag"]):
        yield Fault(it.facts["image"], image=image["text"])
