"""Answers which image a Compose service pulls: how firmly it is named, and whether its line is still maintained."""

from __future__ import annotations

import re

from ..model import Fault, Item, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?")
_MAJOR_ONLY = re.compile(r"v?\d+(?:-[a-z][a-z0-9.]*)*$")


def floating(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault for each image of a file whose tag says no version, and a note where it says a major alone."""
    first: dict[str, Item] = {}
    others: dict[str, list[Item]] = {}
    for service in it.facts["services"]:
        image = service.facts["image"]
        if image is None or service.facts["build"] is not None:
            continue
        if any(_allowed(image.facts, pattern) for pattern in params["allow"]):
            continue
        first.setdefault(image.facts["text"], image)
        others.setdefault(image.facts["text"], []).append(image)
    for text, image in first.items():
        related: list[tuple[Node | Item, str]] = [(each, "the same image") for each in others[text][1:]]
        tag = image.facts["tag"]
        if image.facts["digest"] or isinstance(tag, Node):
            continue  # pinned, or decided when it is deployed
        if tag is None:
            yield Fault(image, related, "untagged", image=text)
        elif tag == "latest":
            yield Fault(image, related, image=text, tag=tag)
        elif not any(character.isdigit() for character in tag):
            yield Fault(image, related, severity="note" if file.assumed else None, image=text, tag=tag)
        elif _MAJOR_ONLY.match(tag) and not file.assumed and params["major"]:
            yield Fault(image, related, "major", "note", image=text, tag=tag)


def _allowed(facts: dict[str, Any], pattern: str) -> bool:
    """`ghcr.io/acme/*` or `postgres`: the image's name with or without its registry."""
    names = (facts["repository"], f"{facts['registry']}/{facts['repository']}")
    if pattern.endswith("*"):
        return any(name.startswith(pattern[:-1]) for name in names)
    return pattern in names


def end_of_life(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for an image whose release line gets no fixes any more on the day of judgement."""
    image, project = it.facts["image"], file.project
    if image is None or it.facts["build"] is not None or project is None or image.facts["registry"] != "docker.io":
        return
    table = project.table("end-of-life")
    product = (table or {}).get("images", {}).get(image.facts["repository"])
    if product is None:
        return
    tag = image.facts["tag"]
    if isinstance(tag, Node):
        raise Undecided("a variable holds the tag", image)
    found = _VERSION.match(re.sub(r"^(?:.*-)?pg(?=\d)", "", tag or "")) if tag else None
    if found is None:
        return
    cycle = found.group(1)
    if table["cycles"].get(product) == "minor":
        if found.group(2) is None:
            return  # floats over lines
        cycle += "." + found.group(2)
    for line in table["products"].get(product, ()):
        end = line["eol"]
        if line["cycle"] == cycle and end not in ("", "null", None) and end <= project.as_of:
            yield Fault(
                image, image=image.facts["text"], title=table["titles"].get(product, product), cycle=cycle, day=end
            )
