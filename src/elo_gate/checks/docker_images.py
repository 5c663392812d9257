"""Answers what a Dockerfile is based on: whether its line still gets fixes, and how firmly it is named."""

from __future__ import annotations

import re

from ..kinds import dockerfile
from ..model import Fault, Item, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.\d+)*")
_SUFFIX = re.compile(r"([a-z]+)(\d+(?:\.\d+)?)?")


def end_of_life(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault for an image whose release line, or whose base system's, gets no fixes any more."""
    table = file.project.table("end-of-life")
    name, tag = it.facts.get("name"), it.facts.get("tag")
    if not isinstance(name, str):
        yield Undecided("a variable holds the image", it)
        return
    product = table["images"].get(name)
    if isinstance(tag, Node):
        if product is not None:
            yield Undecided("a variable holds the tag", it)
        return
    if not tag:
        return
    for each, cycle in _lines(table, product, tag):
        day = next((line["eol"] for line in table["products"][each] if line["cycle"] == cycle), None)
        if day is None or day > file.project.as_of:
            continue
        supported = [
            line for line in table["products"][each] if line["eol"] is None or line["eol"] > file.project.as_of
        ]
        yield Fault(
            it,
            [(stage, f"stage '{stage.facts['title']}' is built from it") for stage in it.facts["stages"][1:]],
            severity=None if it.facts["shipped"] else "warning",
            image=it.facts["text"].partition("@")[0],
            title=table["titles"].get(each, each),
            cycle=cycle,
            day=day,
            supported=", ".join(line["cycle"] for line in supported[-3:]) or "none known here",
        )
        return


def _lines(table: dict[str, Any], product: str | None, tag: str) -> Iterator[tuple[str, str]]:
    """(product, release line) of a tag: the product itself, then the base system in the tag's words."""
    found = _VERSION.match(tag)
    if product is not None:
        cycle = _codename(table, product, tag.partition("-")[0])
        if found is not None and cycle is None:
            cycle = found[1]
            if table["cycles"][product] == "minor":
                cycle = f"{cycle}.{found[2]}" if found[2] is not None else None
        if cycle is not None:
            yield product, cycle
    if found is None and product is None:
        return
    for word in tag.split("-")[1:]:
        suffix = _SUFFIX.fullmatch(word)
        if suffix is not None and suffix[1] == "alpine" and suffix[2]:
            yield "alpine", suffix[2]
        for system in ("debian", "ubuntu"):
            cycle = _codename(table, system, word)
            if cycle is not None:
                yield system, cycle


def _codename(table: dict[str, Any], product: str, word: str) -> str | None:
    return next((line["cycle"] for line in table["products"][product] if line.get("codename") == word), None)


def unpinned(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault for an image without a version, and one for a version whose bytes can still change."""
    facts = it.facts
    name, tag = facts.get("name"), facts.get("tag")
    if facts.get("scratch") or facts.get("digest"):
        return
    if not isinstance(name, str) or isinstance(tag, Node):
        yield Undecided("a variable holds the image", it)
        return
    if any(_allowed(name, pattern) for pattern in params["allow"]) or facts["text"] in _contexts(file):
        return
    related = [(other, "the same image") for other in facts["others"]]
    if not tag:
        yield Fault(it, related, "untagged", image=facts["text"])
    elif not any(character.isdigit() for character in tag):
        yield Fault(it, related, "floating", image=facts["text"], tag=tag)
    else:
        # A tag with a version moves only within it: that is for those who release it to weigh.
        weight = "note" if file.assumed or not facts["shipped"] else None
        yield Fault(it, related, severity=weight, image=facts["text"], tag=tag)


def _contexts(file: Artifact) -> set[str]:
    """Names of further build contexts: `COPY --from` takes them before any image."""
    services = dockerfile.of(file)["context"].services
    found = [service.facts["build"].node.get("additional_contexts") for _, service in services]
    names = {key.value for each in found for key, _ in each.items()}
    return names | {str(entry.value).partition("=")[0] for each in found for entry in each.elements()}


def _allowed(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
