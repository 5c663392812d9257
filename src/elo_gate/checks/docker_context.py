"""Answers what a Dockerfile takes from its build context: too much, a secret file, something that is not there."""

from __future__ import annotations

from ..kinds import credential, dockerfile
from ..kinds.dockerfile_context import plain
from ..model import SCALAR, UNKNOWN, Fault, Item, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_EXAMPLES = ("example", "sample", "template", "dist", "defaults", "schema", "test", "tmpl")
_PUBLIC = ("NEXT_PUBLIC_", "VITE_", "PUBLIC_", "REACT_APP_", "NUXT_PUBLIC_", "EXPO_PUBLIC_")


def is_env_file(name: str) -> bool:
    """Whether a file name is that of an env file with values: `.env`, `.env.production`, `prod.env`, `.env*`."""
    lower = name.lower()
    if not (lower.startswith(".env") or lower.endswith(".env")) or lower.startswith((".envrc", ".env.vault")):
        return False
    return not any(word in _EXAMPLES for word in lower.replace("-", ".").replace("_", ".").split("."))


def holds_secrets(file: Artifact, path: str) -> bool | None:
    """Whether an env file sets something that is not for the browser and looks secret; None when it cannot be read."""
    source = file.project.read(path)
    if source is None:
        return None
    from ..syntax import dotenv

    for key, value in dotenv.parse(source, "next")[0].items():
        text = value.value if value.kind in (SCALAR, UNKNOWN) else ""
        if key.value.startswith(_PUBLIC) or not text:
            continue
        if credential.secret_name(key.value) or ("://" in text and "@" in text):
            return True
    return False


def unfiltered(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault a file: what its copies of the whole context take with them."""
    wholes = [copy for copy in dockerfile.copies(file) if copy.facts["whole"]]
    context = dockerfile.of(file)["context"]
    if not wholes or context.folder is None:
        return
    shipped = any(copy.facts["stage"].facts["shipped"] for copy in wholes)
    names = file.project.names(context.folder)
    files: list[str] = []
    secret = False
    for name in names:
        path = context.path(name) or name
        if is_env_file(name) and not context.excluded(name) and not file.project.ignored(path):
            files.append(name)
            secret = secret or holds_secrets(file, path) is not False
    others: list[str] = []
    overwrites = any(_installs_before(copy) for copy in wholes)
    modules = overwrites or ("package.json" in names and context.ignore is None)
    if modules and not context.excluded("node_modules"):
        others.append("node_modules")
    # The repository's top holds .git; in a stage that is thrown away it does no harm but to the cache.
    if context.folder == "" and not context.excluded(".git") and (shipped or context.ignore is None):
        others.append(".git")
    if not files and not others:
        return
    if context.ignore is not None and not files and not (overwrites and "node_modules" in others) and not shipped:
        return
    first = wholes[0]
    values = {
        "ignore": context.ignore_path,
        "entering": ", ".join([*files, *others]),
        "files": ", ".join(files),
        "stage": first.facts["stage"].facts["title"],
    }
    message = ("secrets" if files else "default") if context.ignore is None else ("uncovered" if files else "partial")
    place = first.facts["sources"][0]
    related = [(copy, "here, too") for copy in wholes[1:]]
    yield Fault(place, related, message, None if secret else "warning", **values)


def _installs_before(copy: Item) -> bool:
    """Whether node_modules are in place when the sources are copied over them."""
    for stage in copy.facts["stage"].facts["chain"]:
        if any(each.facts["call"].installs and each.place.start < copy.place.start for each in stage.facts["runs"]):
            return True
        for each in stage.facts["copies"]:
            path = each.facts["path"] or ""
            if (
                each.place.start < copy.place.start
                and each.facts["from"] is not None
                and path.endswith("/node_modules")
            ):
                return True
    return False


def env_file(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for each env file that is copied by name."""
    if it.facts["from"] is not None:
        return
    context = dockerfile.of(file)["context"]
    for source in it.facts["sources"]:
        if source.kind is not SCALAR or not is_env_file(source.value.rpartition("/")[2]):
            continue
        path = context.path(source.value)
        if context.excluded(source.value.removeprefix("./")) or (path and holds_secrets(file, path) is False):
            continue
        shipped = it.facts["stage"].facts["shipped"]
        yield Fault(
            source,
            message="default" if shipped else "builder",
            severity=None if shipped else "warning",
            source=source.value,
            stage=it.facts["stage"].facts["title"],
        )


def missing_source(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault for a copy that names what is not in the build context."""
    context, project = dockerfile.of(file)["context"], file.project
    if context.folder is None or it.facts["parents"]:
        return
    origin = it.facts["from"]
    if origin is not None:
        yield from _missing_public(it, file)
        return
    missing: list[Any] = []
    ignored: list[Any] = []
    for source in it.facts["sources"]:
        if source.kind is not SCALAR or not plain(source.value):
            continue
        path = context.path(source.value)
        if path is None or path == context.folder or path.rpartition("/")[2] == ".git":
            continue
        if not context.exists(source.value):
            if not project.ignored(path) and not _in_submodule(file, path):
                missing.append(source)
        elif "!" not in _ignore_text(file, context) and context.excluded(path[len(context.folder) :].lstrip("/")):
            ignored.append(source)
    if missing and not context.certain and not _known(file, context):
        yield Undecided("the build context is not known", missing[0])
        return
    for found, message in ((missing, "default"), (ignored, "ignored")):
        if found:
            yield Fault(
                found[0],
                [(other, "this, too") for other in found[1:]],
                message,
                None if context.certain else "warning",
                sources=", ".join(source.value for source in found),
                context=context.folder or ".",
                ignore=context.ignore_path,
            )


def _in_submodule(file: Artifact, path: str) -> bool:
    """Whether a path lies in another repository that is checked out here only on demand."""
    modules = file.project.read(".gitmodules")
    if modules is None:
        return False
    folders = [line.partition("=")[2].strip() for line in modules.text.split("\n") if line.strip().startswith("path")]
    return any(path == folder or path.startswith(folder + "/") for folder in folders if folder)


def _ignore_text(file: Artifact, context: Any) -> str:
    source = file.project.read(context.ignore_path) if context.ignore is not None else None
    return source.text if source is not None else ""


def _known(file: Artifact, context: Any) -> bool:
    """Whether most of what the file copies by name is found, so that a gap is no sign of another context."""
    sources = [
        source.value
        for copy in dockerfile.copies(file)
        if copy.facts["from"] is None
        for source in copy.facts["sources"]
        if source.kind is SCALAR and plain(source.value) and source.value.strip("./")
    ]
    found = sum(context.exists(source) for source in sources)
    return bool(found and found * 2 >= len(sources))


def _missing_public(it: Item, file: Artifact) -> Iterator[Fault]:
    """`COPY --from=builder /app/public`: the folder is not made by a Next.js build, it has to be in the repository."""
    context, origin = dockerfile.of(file)["context"], it.facts["from"]
    if not isinstance(origin, Item) or "copies" not in origin.facts:
        return
    copies = [copy for stage in (it.facts["stage"], origin) for copy in stage.facts["copies"]]
    if not any(".next" in str(word.value) for copy in copies for word in copy.facts["sources"]):
        return
    for source in it.facts["sources"]:
        if source.kind is not SCALAR or source.value.rstrip("/").rpartition("/")[2] != "public":
            continue
        place = source.value.rstrip("/")
        for stage in origin.facts["chain"]:
            if any("public" in command.facts["text"] for command in stage.facts["runs"]):
                return
            for copy in stage.facts["copies"]:
                root = (copy.facts["path"] or "").rstrip("/")
                if not copy.facts["whole"] or not place.startswith(root + "/"):
                    continue
                name = place[len(root) + 1 :]
                path = context.path(name)
                if path is None or context.exists(name) or file.project.ignored(path):
                    return
                yield Fault(
                    source,
                    [(copy, "the sources come from here")],
                    "staged",
                    None if context.certain else "warning",
                    sources=source.value,
                    context=path,
                    ignore=context.ignore_path,
                )
                return
