"""Answers whether the Next.js version in use still gets fixes and has no published way in."""

from __future__ import annotations

from ..kinds import next as config
from ..kinds import next_headers
from ..model import SCALAR, Fault, Item, Node, Undecided
from ..syntax.javascript import alternatives
from .next import numbers, supported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

    Answers = Iterator[Fault | Undecided]

_RANKS = ("critical", "high", "moderate", "low")


def vulnerable(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields one fault for a version with published flaws that this application can be reached by."""
    if not _depends(it):
        yield Undecided("the version of Next.js is not known: no package.json names it", it)
        return
    if it.facts["release"] is None:
        yield Undecided("the exact version of Next.js is not known: there is no lockfile and no exact pin", _place(it))
        return
    open_to, unsure = affecting(it, file)
    if open_to:
        table = file.project.table("next-advisories")
        worst = open_to[0]
        major = str(it.facts["major"])
        fixed = table["floors"].get(major) or table["floors"][max(table["floors"], key=int)]
        yield Fault(
            _place(it),
            severity=None if worst["severity"] in _RANKS[:2] else "warning",
            version=it.facts["version"],
            count=str(len(open_to)),
            worst=worst["title"],
            ids=", ".join(str(row.get("cve") or row["id"]) for row in open_to),
            fixed=fixed,
        )
    elif unsure:
        yield Undecided(f"whether {unsure[0]['id']} applies depends on what is not known", it)


def affecting(it: Item, file: Artifact) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(advisories that hold for the version and the configuration, worst first; those that may)."""
    found, unsure = [], []
    for row in file.project.table("next-advisories")["advisories"]:
        release = it.facts["release"]
        if not any(numbers(each["from"]) <= release < numbers(each["fixed"]) for each in row["ranges"]):
            continue
        if row.get("vercel") == "protected" and only_vercel(file):
            continue
        answer = _applies(str(row["when"]), file)
        if answer:
            found.append(row)
        elif answer is None:
            unsure.append(row)
    found.sort(key=lambda row: (_RANKS.index(row["severity"]), row["id"]))
    return found, unsure


def _applies(when: str, file: Artifact) -> bool | None:
    """Whether the condition of an advisory holds for an application."""
    folder = file.path.rpartition("/")[0]
    base = f"{folder}/" if folder else ""
    if when == "always":
        return True
    if when == "app-router":
        return bool(file.project.exists(f"{base}app") or file.project.exists(f"{base}src/app"))
    if when == "middleware":
        return next_headers.middleware(file) is not None
    if when == "optimizer":
        return config.optimizer(file)
    if when == "remote-images":
        hosts = [config.option(file, f"images.{name}") for name in ("remotePatterns", "domains")]
        return config.optimizer(file) if any(config.entries(each) for each in hosts) else False
    if when == "use-cache":
        return any(
            each.kind is SCALAR and each.value == "true"
            for path in ("cacheComponents", "experimental.useCache", "experimental.dynamicIO")
            for each in alternatives(config.option(file, path))
        )
    return False


def only_vercel(file: Artifact) -> bool:
    """Whether everything in the tree says that the application runs on Vercel and nowhere else."""
    project = file.project
    if project.platforms:
        return tuple(project.platforms) == ("vercel",)
    folder = file.path.rpartition("/")[0]
    named = project.exists("vercel.json") or project.exists(f"{folder}/vercel.json" if folder else "vercel.json")
    others = ("dockerfile", "k8s", "railway")
    return bool(named) and not project.partial and not any(project.artifacts(kind) for kind in others)


def end_of_life(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a release line that gets no fixes any more, unless a known flaw is reported in its place."""
    if not _depends(it):
        return
    lines = file.project.table("end-of-life")["products"]["nextjs"]
    living = supported(file)
    major = it.facts["major"]
    if major is None:
        if it.facts["floor"] is None or not living or it.facts["floor"][0] < living[0]:
            yield Undecided("the release line of Next.js is not known", _place(it))
        return
    line = next((row for row in lines if int(row["cycle"]) == major), None)
    if line is None or major in living:
        return
    if it.facts["release"] is not None and affecting(it, file)[0]:
        return
    yield Fault(
        _place(it),
        version=it.facts["version"] or it.facts["package"].range("next"),
        major=str(major),
        day=str(line["eol"]),
        supported=", ".join(str(each) for each in living) or "none known here",
    )


def _depends(it: Item) -> bool:
    return it.facts["package"] is not None and bool(it.facts["dependency"])


def _place(it: Item) -> Node | Item:
    """Where the version is asked for: the dependency in package.json."""
    found: Node = it.facts["dependency"]
    return found or it
