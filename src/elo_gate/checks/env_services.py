"""Turns the variables of one service into what is wrong with them together: test keys, retired names, two rivals."""

from __future__ import annotations

import re

from ..kinds.env import vars_of
from ..model import SCALAR, Artifact, Fault, Item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_MODE = re.compile(r"(?:[psr]k|pat)_(test|live)_")


def test_mode(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault a provider whose keys are of its test mode, the other keys as related places."""
    keys: dict[str, list[tuple[Item, str]]] = {}
    for item in vars_of(file):
        value = item.facts["value"]
        if value.kind is SCALAR and not item.facts["stand_in"] and (mode := _MODE.match(value.value)):
            provider = next((each for each in params["providers"] if each.upper() in item.facts["name"].upper()), "")
            keys.setdefault(provider, []).append((item, mode[1]))
    for provider, found in keys.items():
        tests = [item for item, mode in found if mode == "test"]
        if not tests:
            continue
        others = [
            (item, f"{item.facts['name']} is a {mode} key") for item, mode in found if item is not tests[0]
        ]  # fmt: skip
        mixed = any(mode == "live" for _, mode in found)
        name = tests[0].facts["name"]
        message = "mixed" if mixed else "default"
        yield Fault(tests[0], related=others, message=message, name=name, provider=provider or "the provider")


def two_providers(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when two systems that sign people in are configured in one file."""
    package = file.project.package(file.path)
    found = []
    for row in params["providers"]:
        first = next((i for i in vars_of(file) if re.search(row["names"], i.facts["name"])), None)
        if first is not None and (
            package is None or not package.scripts_known or any(map(package.has, row["packages"]))
        ):
            found.append((row["title"], first))
    if len(found) > 1:
        (one, first), (other, second) = found[0], found[1]
        related = [(first.facts["key"], f"{one} is configured here")]
        yield Fault(second.facts["key"], related=related, name=second.facts["name"], one=one, other=other)


def retired(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when a service is configured by names that its current library does not read."""
    names = {item.facts["name"]: item for item in vars_of(file)}
    for row in params["services"]:
        old = [names[name] for name in row["old"] if name in names]
        if not old or row["new"] in names:
            continue
        package = file.project.package(file.path)
        floor = package.floor(row["package"]) if package is not None and package.scripts_known else None
        if package is not None and package.scripts_known and (not package.has(row["package"]) or floor is None):
            continue
        if floor is not None and floor[0] < row["since"]:
            continue
        listed = " and ".join(item.facts["name"] for item in old)
        related = [(item.facts["key"], "retired as well") for item in old[1:]]
        yield Fault(
            old[0].facts["key"], related=related, names=listed, new=row["new"], since=row["since"], title=row["title"]
        )


def boolean(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when a flag is written in another way than the `true` and `false` of the file's other flags."""
    if not re.search(params["names"], it.facts["name"]):
        return
    value = it.facts["value"]
    if value.kind is SCALAR and value.value not in ("true", "false") and value.boolean() is not None:
        plain = "true" if value.boolean() else "false"
        beside = [i for i in vars_of(file) if i.facts["raw"] in ("true", "false")]
        if beside or file.project.package(file.path) is not None:
            yield Fault(it, name=it.facts["name"], value=value.value, plain=plain)
