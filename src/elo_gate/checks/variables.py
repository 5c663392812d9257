"""Turns the environment matrix into what is wrong with it: names that nothing gives, documents or reads."""

from __future__ import annotations

import re

from ..environment import by_path
from ..model import Artifact, Fault, Item, Node, Undecided
from ..project import variables
from ..project.variables import Matrix, Variable, above
from ..project.variables_given import Target
from ..project.variables_read import APP, PLAIN, REQUIRED, Read
from ..project.variables_referred import COMPOSE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_SHOWN = 100  # characters: a longer value is cut where it is shown
# Endings of files in which a name may be read, beside programs and what is recognised.
_CODE = tuple(
    ".go .rb .java .kt .rs .php .cs .swift .vue .svelte .astro .ex .exs .sh .bash .prisma .json .toml .yaml .yml .tf "
    ".hcl .gradle .xml .properties .conf .ini .template .tmpl .j2 makefile justfile procfile dockerfile rc".split()
)
_NAME = re.compile(r"[A-Za-z0-9_]+")
_MANY = 50  # names to look for in every file
_LOCKS = ("package-lock.json", "pnpm-lock.yaml", "yarn.lock", "composer.lock")
# Words of names that production has no use for.
_ELSEWHERE = frozenset(("TEST", "TESTS", "E2E", "MOCK", "DEV", "LOCAL", "STORYBOOK", "DEBUG", "PLAYWRIGHT", "CYPRESS"))
_UNDOCUMENTED = "variables: undocumented"


def not_provided(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields one fault for a target with all the names that its program needs and nothing gives it."""
    target, matrix = it.facts["target"], it.facts["matrix"]
    if (
        target.script
        or target.folder is None
        or any(each.script and each.platform == target.platform for each in matrix.targets)
    ):
        return
    group = [each for each in matrix.targets if _together(each, target)]
    if group[0] is not target:
        return  # several services of one image: what one of them gets, another may do without
    needed = _needed(matrix, target.folder, built=target.platform in ("vercel", "railway"))
    missing = [each for each in needed if not any(gives(matrix, other, each) for other in group)]
    if not missing:
        return
    closed = [each for each in group if not each.open]
    if len(closed) < len(group):
        why = next(each.open for each in group if each.open)
        yield Undecided(f"'{target.name}' may be given more: {why}", it)
        return
    copied = in_image(matrix, target)
    bare = [each for each in missing if each.name not in copied]
    values = {"target": target.title, "names": listed(missing), "first": missing[0].name}
    if not bare:
        if any(_secret(file.project, copied[each.name]) for each in missing):
            yield Fault(it, origins(missing), "baked", "warning", file=copied[missing[0].name].path, **values)
        return
    sure = not target.assumed and any(each.strong for each in bare)
    yield Fault(it, origins(missing), severity=None if sure else "warning", **values)


def _together(one: Target, other: Target) -> bool:
    """Two targets of a platform that run the same application for the same environment."""
    return (
        not one.script
        and (one.platform, one.folder, one.environment) == (other.platform, other.folder, other.environment)
        and (one.platform != "compose" or one.place.source.path == other.place.source.path)
    )


def incomplete(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields one fault for an environment that scripts provision without names that the application needs."""
    target, matrix = it.facts["target"], it.facts["matrix"]
    if not target.script or target.environment == "development":
        return
    if target.open:
        yield Undecided(target.open, it)
        return
    beside = [each for each in matrix.targets if each.platform == target.platform and not each.script]
    needed = _needed(matrix, target.folder, built=True)
    missing = [each for each in needed if not any(gives(matrix, other, each) for other in [target, *beside])]
    if missing:
        values = {"names": listed(missing), "environment": target.environment, "first": missing[0].name}
        severity = None if target.environment == "production" else "warning"
        yield Fault(it, origins(missing), severity=severity, platform=target.platform, **values)


def _needed(matrix: Matrix, folder: str | None, built: bool) -> list[Variable]:
    """What an application needs where it runs, and where it is `built`: first what it fails without."""
    application = matrix.applications.get(folder) if folder is not None else None
    hidden = application is None or application.hidden
    found = [
        each
        for each in (matrix.of(folder) if folder is not None else ())
        if each.needed and (built or not each.public) and not (hidden and each.library in ("", "?"))
    ]
    return sorted(found, key=lambda each: (not each.strong, each.name))


def gives(matrix: Matrix, target: Target, variable: Variable) -> bool:
    """Whether a target gives a variable, or another name that the same library takes instead."""
    if target.gives(variable.name) is not None:
        return True
    groups = (group for row in matrix.table["libraries"] for group in row["needed"] if variable.name in group)
    return any(target.gives(name) is not None for group in groups for name in group)


def in_image(matrix: Matrix, target: Target) -> dict[str, Artifact]:
    """Name -> the env file that brings it only because the image is built from the whole folder."""
    if target.image is None:
        return {}
    from ..kinds import dockerfile

    return copied_names(matrix, target.image, dockerfile.VIEWS["copies"](target.image))


def copied_names(matrix: Matrix, image: Artifact, copies: list[Item]) -> dict[str, Artifact]:
    """Name -> env file, for those that come with the whole build context."""
    from ..kinds import dockerfile

    context = dockerfile.of(image)["context"]
    if context.folder is None or not any(copy.facts["whole"] for copy in copies):
        return {}
    found: dict[str, Artifact] = {}
    for _, artifact in matrix.production:
        folder, _, name = artifact.path.rpartition("/")
        if folder == context.folder and name in (".env", ".env.production") and not context.excluded(name):
            for key, _ in artifact.root.items():
                found[key.value] = artifact
    return found


def _secret(project: Any, artifact: Artifact) -> bool:
    """Whether an env file holds what must not be in an image."""
    from .docker_context import holds_secrets

    return holds_secrets(artifact, artifact.path) is not False


# -- documentation


def undocumented(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a variable that must be set and that no env file of the repository names."""
    variable: Variable = it.facts["variable"]
    matrix = variables.of(file.project)
    document = _document(matrix, variable.folder)
    read = _undocumented(matrix, variable) if document is not None else None
    if read is None or document is None:
        return
    known = file.project.facts.setdefault(_UNDOCUMENTED, {})
    if document.path not in known:
        known[document.path] = [
            (each, first)
            for each in sorted(matrix.variables.values(), key=lambda one: (one.name, one.folder))
            if _document(matrix, each.folder) is document and (first := _undocumented(matrix, each)) is not None
        ]
    others = known[document.path]
    if len(others) <= params["apart"]:
        further = [each for each in variable.of(APP, COMPOSE) if each is not read][:10]
        severity = "note" if read.form == PLAIN and read.where == APP else None
        related = [(each.node, "read here too") for each in further]
        yield Fault(read.node, related, severity=severity, name=variable.name, file=document.path)
    elif others[0][0] is variable:
        related = [(first.node, f"{each.name} is read here") for each, first in others[1:20]]
        strong = any(first.form == REQUIRED for _, first in others)
        names = words([each.name for each, _ in others])
        yield Fault(read.node, related, "several", None if strong else "note", names=names, file=document.path)


def _undocumented(matrix: Matrix, variable: Variable) -> Read | None:
    """The read that demands documentation; None when the variable is named somewhere or can stay unset."""
    if variable.platform or matrix.named(variable.name) or not _ELSEWHERE.isdisjoint(variable.name.split("_")):
        return None
    application = matrix.applications.get(variable.folder)
    reads = variable.of(APP) if application is None or not application.hidden else []
    if reads and variable.form in (REQUIRED, PLAIN):
        if any(variable.name in target.values for target, _ in variable.given):
            return None
        return next((read for read in reads if read.form == variable.form), reads[0])
    return next((read for read in variable.of(COMPOSE) if read.form == PLAIN), None)


def _document(matrix: Matrix, folder: str) -> Artifact | None:
    """The env file that documents an application: the nearest example, else the nearest one for production."""
    for files in (matrix.examples, matrix.production):
        for each in above(folder):
            found = next((artifact for home, artifact in files if home == each), None)
            if found is not None:
                return found
    return None


def unused(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault an env file for the names it sets or documents and nothing in the tree reads."""
    project = file.project
    matrix = variables.of(project)
    applications = matrix.applications.values()
    if not applications or any(each.hidden for each in applications) or _handed_to_others(project):
        return
    read = {each.name for each in matrix.variables.values() if each.reads or each.library or each.platform}
    left: dict[str, list[Node]] = {}
    for _, artifact in [*matrix.production, *(each for each in matrix.examples if not _shelved(each[1].path))]:
        keys = [key for key, _ in artifact.root.items() if key.value not in read]
        read |= {key.value for key in keys}
        if keys:
            left[artifact.path] = keys
    if not left:
        return
    alive = _mentioned(project, matrix, {key.value for keys in left.values() for key in keys})
    for path in sorted(left):
        keys = [key for key in left[path] if key.value not in alive]
        if keys:
            related = [(key, f"{key.value} is read nowhere either") for key in keys[1:20]]
            yield Fault(keys[0], related, names=words([key.value for key in keys]), file=path)


def _shelved(path: str) -> bool:
    """Whether its folder sets an env file aside, not its name: `examples/shop/.env.production` documents nothing."""
    found = by_path(path.rpartition("/")[0] + "/.env", "env")
    return found is not None and found[0] == "example"


def _handed_to_others(project: Any) -> bool:
    """Whether a whole env file goes into an image from elsewhere, which may read any name of it."""
    artifacts = project.artifacts("compose")
    if not artifacts:
        return False
    from ..kinds import compose

    return any(
        service.facts["build"] is None and service.node.get("env_file").elements()
        for artifact in artifacts
        if artifact.state != "broken"
        for service in compose.VIEWS["services"](artifact)
    )


def _mentioned(project: Any, matrix: Matrix, names: set[str]) -> set[str]:
    """The names that occur as a word in a program, script or configuration of the tree; env files and prose apart."""
    found: set[str] = set()
    paths = {*project.programs, *(each.path for each in project.all() if each.kind not in ("env", "checklist"))}
    paths |= {path for path in project.aside if path.lower().endswith(_CODE) and not path.endswith(_LOCKS)}
    plain = {name for name in names if _NAME.fullmatch(name)}
    for path in sorted(paths):
        if names <= found:
            break
        text = project.text(path) or ""
        left = names - found
        if len(left) > _MANY:  # then it is cheaper to take the text apart once
            found |= plain.intersection(_NAME.findall(text))
            left -= plain
        for name in left:
            if name in text and re.search(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", text):
                found.add(name)
    return found


# -- words


def origins(missing: list[Variable]) -> list[tuple[Node, str]]:
    """Where each name is read, else where it is set."""
    found = []
    for each in missing[:20]:
        reads = each.of(APP)
        read = next((one for one in reads if one.form == each.form), reads[0] if reads else None)
        if read is not None:
            found.append((read.node, f"{each.name} is read here"))
        elif each.assigned:
            found.append((each.assigned[0][1], f"{each.name} is set here"))
    return found


def listed(missing: list[Variable]) -> str:
    """The names of variables for a message."""
    return words([each.name for each in missing])


def words(names: list[str]) -> str:
    """As many names as fit in a line, and how many more there are."""
    shown: list[str] = []
    length = 0
    for name in names:
        length += len(name) + 2
        if shown and length > _SHOWN:
            break
        shown.append(name)
    left = len(names) - len(shown)
    return ", ".join(shown) + (f" and {left} more" if left else "")
