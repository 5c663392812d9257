"""Answers whether a Dockerfile and the Next.js application it builds fit each other."""

from __future__ import annotations

from ..kinds import dockerfile
from ..model import CHOICE, MAP, SCALAR, UNKNOWN, Fault, Item, Undecided
from .docker_context import holds_secrets, is_env_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_STANDALONE = ".next/standalone"


def output(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault when an image is made from a standalone build and next.config does not ask for one."""
    for copy in [copy for stage in it.facts["chain"] for copy in stage.facts["copies"]]:
        source = next((word for word in copy.facts["sources"] if _STANDALONE in str(word.value)), None)
        if source is None or not isinstance(copy.facts["from"], Item):
            continue
        config = _config(file, source.value, copy)
        if config is None:
            continue
        if config.state == "broken" or config.root.kind is not MAP:
            yield Undecided(f"'{config.path}' cannot be read", source)
            continue
        value = config.root.get("output")
        if value.kind in (UNKNOWN, CHOICE):
            if value.kind is CHOICE and any(each.kind is SCALAR and each.value == "standalone" for each in value.value):
                continue
            yield Undecided(f"the output of '{config.path}' is not known", source)
        elif value.text() != "standalone":
            yield Fault(source, [(value or config.root, "the configuration")], source=source.value, config=config.path)
        return


def _config(file: Artifact, source: str, copy: Item) -> Artifact | None:
    """The next.config of the application whose build output is copied; None when several come into question."""
    context = dockerfile.of(file)["context"]
    found: list[Artifact] = file.project.artifacts("next")
    if context.folder is None or not found:
        return None
    place = source.partition("/" + _STANDALONE)[0] if "/" + _STANDALONE in source else ""
    origin = copy.facts["from"]
    for stage in origin.facts.get("chain", ()):
        for each in stage.facts["copies"]:
            root = (each.facts["path"] or "").rstrip("/")
            if each.facts["whole"] and (place == root or place.startswith(root + "/")):
                folder = context.path(place[len(root) :])
                inside = [config for config in found if config.path.rpartition("/")[0] == folder]
                return inside[0] if len(inside) == 1 else None
    below = [config for config in found if not context.folder or config.path.startswith(context.folder + "/")]
    return below[0] if len(below) == 1 else None


def public_names(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault for a build that is not given the NEXT_PUBLIC_ names that production documents."""
    context = dockerfile.of(file)["context"]
    if context.folder is None or not _builds_next(file, context):
        return
    wanted = _documented(file, context)
    if not wanted:
        return
    for stage in dockerfile.stages(file):
        build = next((command for command in stage.facts["runs"] if command.facts["call"].builds), None)
        if build is None:
            continue
        given = set(stage.facts["args"]) | set(stage.facts["env"]) | set(build.facts["assigned"])
        missing = [name for name in wanted if name not in given]
        if not missing:
            return
        flags = [value.value for name, value in build.facts["instruction"].flags if name.value == "mount" and value]
        if any("type=secret" in flag or "type=bind" in flag for flag in flags):
            yield Undecided("a mount may bring the values", build)
            return
        files = _entering(file, context, stage)
        if any(holds_secrets(file, context.path(name) or name) is False for name in files):
            return  # a file of public values only, copied on purpose
        related = [(wanted[name], "documented here") for name in missing]
        values = {
            "names": ", ".join(missing),
            "build": build.facts["text"],
            "stage": stage.facts["title"],
            "first": missing[0],
        }
        if files:
            yield Fault(build.node, related, "file", "warning", files=", ".join(files), **values)
        else:
            yield Fault(build.node, related, **values)
        return


def _builds_next(file: Artifact, context: Any) -> bool:
    package = file.project.package(context.path("x") or "x")
    if package is not None and package.scripts_known:
        return bool(package.has("next"))
    return any(name.startswith("next.config.") for name in file.project.names(context.folder))


def _documented(file: Artifact, context: Any) -> dict[str, Any]:
    """NEXT_PUBLIC_ name -> its key in a production env file of the context."""
    from ..syntax import dotenv

    found: dict[str, Any] = {}
    for artifact in file.project.artifacts("env"):
        if (
            artifact.path.rpartition("/")[0] != context.folder
            or artifact.environment != "production"
            or artifact.assumed
        ):
            continue
        for key, _ in dotenv.parse(artifact.source, "next")[0].items():
            if key.value.startswith("NEXT_PUBLIC_"):
                found.setdefault(key.value, key)
    return found


def _entering(file: Artifact, context: Any, stage: Item) -> list[str]:
    """Env files of the context that reach a stage."""
    copies = [copy for each in stage.facts["chain"] for copy in each.facts["copies"]]
    whole = any(copy.facts["whole"] for copy in copies)
    named = [
        word.value.removeprefix("./")
        for copy in copies
        if copy.facts["from"] is None
        for word in copy.facts["sources"]
        if word.kind is SCALAR and is_env_file(word.value.rpartition("/")[2])
    ]
    names = [name for name in file.project.names(context.folder) if is_env_file(name)]
    return [
        name
        for name in names
        if (whole or name in named) and not context.excluded(name) and not file.project.ignored(context.path(name))
    ]
