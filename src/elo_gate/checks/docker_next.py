"""Answers whether a Dockerfile and the Next.js application it builds fit each other."""

from __future__ import annotations

from ..kinds import dockerfile
from ..model import CHOICE, SCALAR, UNKNOWN, Fault, Item, Node, Undecided
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
        path = _config(file, source.value, copy)
        config = file.project.read(path) if path is not None else None
        if config is None or not config.text.strip():
            continue
        from ..syntax.javascript import alternatives, evaluate, lookup

        module = evaluate(config, read=file.project.read)
        found = lookup(module.result(module.default), "output")  # the default export may be a function
        known = [each.value for each in alternatives(found) if each.kind is SCALAR]
        if "standalone" in known:
            return
        if found.kind in (UNKNOWN, CHOICE):
            yield Undecided(f"the output of '{path}' is not known", source)
            return
        place = found or Node(SCALAR, "", config, 0, len(config.line(1)))
        yield Fault(source, [(place, "the configuration")], source=source.value, config=path)
        return


def _config(file: Artifact, source: str, copy: Item) -> str | None:
    """The next.config of the application whose build output is copied; None when that cannot be told."""
    context, project = dockerfile.of(file)["context"], file.project
    if context.folder is None:
        return None
    place = source.partition("/" + _STANDALONE)[0] if "/" + _STANDALONE in source else ""
    folder: str | None = None
    for stage in copy.facts["from"].facts.get("chain", ()):
        for each in stage.facts["copies"]:
            root = (each.facts["path"] or "").rstrip("/")
            if each.facts["whole"] and (place == root or place.startswith(root + "/")):
                folder = context.path(place[len(root) :])
    if folder is None:
        # Copied from who knows where (a pruned workspace): only the sole configuration can be meant.
        found = [config.path for config in project.artifacts("next")]
        return found[0] if len(found) == 1 else None
    names = [name for name in project.names(folder) if name.startswith("next.config.")]
    return (f"{folder}/{names[0]}" if folder else names[0]) if len(names) == 1 else None


def public_names(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault for a build that is not given the NEXT_PUBLIC_ names that production documents."""
    context = dockerfile.of(file)["context"]
    wanted = _documented(file, context) if context.folder is not None else {}
    if not wanted or not _builds_next(file, context):
        return
    for stage in dockerfile.stages(file):
        build = next((command for command in stage.facts["runs"] if command.facts["call"].builds), None)
        if build is None:
            continue
        given = set(stage.facts["args"]) | set(stage.facts["env"]) | set(build.facts["assigned"])
        missing = [name for name in wanted if name not in given]
        missing = [name for name in missing if _read_by_code(file, name)]
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


def _read_by_code(file: Artifact, name: str) -> bool:
    """Whether program code names a variable; True where no code is known."""
    project = file.project
    if project.partial or not project.programs:
        return True
    return any(name in (project.text(path) or "") for path in project.programs)


def _builds_next(file: Artifact, context: Any) -> bool:
    package = file.project.package(context.path("x") or "x")
    if package is not None and package.scripts_known:
        return bool(package.has("next"))
    return any(name.startswith("next.config.") for name in file.project.names(context.folder))


def _documented(file: Artifact, context: Any) -> dict[str, Any]:
    """NEXT_PUBLIC_ name -> its key in a production env file of the context."""
    facts = file.project.facts
    known: dict[str, dict[str, Any]] | None = facts.get("public names by folder")
    if known is None:
        known = {}
        facts["public names by folder"] = known
        for artifact in file.project.artifacts("env"):
            if artifact.environment != "production" or artifact.assumed:
                continue
            from ..syntax import dotenv

            folder = known.setdefault(artifact.path.rpartition("/")[0], {})
            for key, _ in dotenv.parse(artifact.source, "next")[0].items():
                if key.value.startswith("NEXT_PUBLIC_"):
                    folder.setdefault(key.value, key)
    return known.get(context.folder, {})


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
