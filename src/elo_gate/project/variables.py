"""Turns the whole tree into its environment variables: where each is read, documented and provided."""

from __future__ import annotations

import re

from ..model import SCALAR, Item, Node
from . import IGNORED
from . import variables_read as reading
from .variables_given import Target, targets
from .variables_read import OPTIONAL, PLAIN, REQUIRED, Application, Read, home_of
from .variables_referred import references

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_KEY = "variables"
_COMMENTED = re.compile(r"(?m)^[ \t]*#[ \t]*(?:export[ \t]+)?([A-Z][A-Z0-9_]*)[ \t]*=")
# Compiled in, or handed over, where the pages are built.
INLINED = ("NEXT_PUBLIC_", "VITE_", "REACT_APP_", "GATSBY_")


class Variable:
    """One name of one application.

    `reads`: in code, Compose files, Prisma schemas and pipelines; `documented`, `assigned`: name nodes in example and
    in production env files; `local`: paths of env files that git ignores and that name it; `given`: (target, node);
    `platform`: it is there without anybody's doing; `library`: the package that reads it by itself, "?" when nobody
    knows what is installed; `needed`: why production must have it, in words, "" when it can do without.
    """

    __slots__ = (
        "name", "folder", "reads", "documented", "assigned", "local", "given", "platform", "library", "needed",
        "strong",
    )  # fmt: skip

    def __init__(self, name: str, folder: str) -> None:
        self.name = name
        self.folder = folder
        self.reads: list[Read] = []
        self.documented: list[Node] = []
        self.assigned: list[tuple[Artifact, Node, Node]] = []
        self.local: list[str] = []
        self.given: list[tuple[Target, Node]] = []
        self.platform = False
        self.library = ""
        self.needed = ""
        self.strong = False

    @property
    def public(self) -> bool:
        """It is compiled into what browsers get: needed where the pages are built, not where they are served."""
        return self.name.startswith(INLINED)

    def of(self, *where: str) -> list[Read]:
        """The reads of some places."""
        return [read for read in self.reads if read.where in where]

    @property
    def form(self) -> str:
        """What the application's code does without a value: it fails, says nothing, or can do without."""
        forms = {read.form for read in self.of(reading.APP)}
        schema = {read.form for read in self.reads if read.context == "schema"}
        if schema:
            return REQUIRED if REQUIRED in schema else OPTIONAL
        return REQUIRED if REQUIRED in forms else OPTIONAL if OPTIONAL in forms else PLAIN if forms else ""


class Matrix:
    """The variables of a tree by application and name, the applications and the targets they run on.

    `examples`: env files that document names; `production`: env files that set them; both as (folder, artifact).
    """

    __slots__ = ("applications", "variables", "targets", "examples", "production", "table", "_libraries", "_same")

    def __init__(self, table: Any) -> None:
        self.applications: dict[str, Application] = {}
        self.variables: dict[tuple[str, str], Variable] = {}
        self.targets: list[Target] = []
        self.examples: list[tuple[str, Artifact]] = []
        self.production: list[tuple[str, Artifact]] = []
        self.table = table
        self._libraries: dict[str, Any] = {}
        self._same: dict[str, list[Variable]] = {}  # by name alone

    def variable(self, name: str, folder: str) -> Variable:
        """The variable of a name in an application, made when it is new."""
        found = self.variables.get((folder, name))
        if found is None:
            found = self.variables[folder, name] = Variable(name, folder)
            self._same.setdefault(name, []).append(found)
            found.platform = self.is_platform(name)
        return found

    def of(self, folder: str) -> list[Variable]:
        """The variables of one application, by name."""
        return sorted((each for each in self.variables.values() if each.folder == folder), key=lambda each: each.name)

    def is_platform(self, name: str) -> bool:
        """Whether a name is set by the system, a tool or a platform."""
        table = self.table["platform"]
        return name not in table["own"] and (name in table["names"] or name.startswith(tuple(table["prefixes"])))

    def named(self, name: str) -> bool:
        """Whether any env file of the tree names a variable, be it in a comment."""
        return any(each.documented or each.assigned for each in self._same.get(name, ()))

    def reads_below(self, folder: str, name: str) -> bool:
        """Whether an application in a folder below reads a variable."""
        return any(
            each.reads and each.folder != folder and each.folder.startswith(folder) for each in self._same.get(name, ())
        )

    def is_retired(self, name: str) -> bool:
        """Whether the library that once read a name reads another one now."""
        return any(name in row.get("retired", ()) for row in self.table["libraries"])


def of(project: Any) -> Matrix:
    """The matrix of a tree, worked out once."""
    found: Matrix | None = project.facts.get(_KEY)
    if found is None:
        found = project.facts[_KEY] = _gather(project)
    return found


def _gather(project: Any) -> Matrix:
    matrix = Matrix(project.table("variables"))
    matrix.applications = reading.applications(project)
    for folder, application in matrix.applications.items():
        for read in application.reads:
            matrix.variable(read.name, folder).reads.append(read)
    for folder, read in references(project):
        matrix.variable(read.name, folder).reads.append(read)
    _env_files(project, matrix)
    if matrix.variables or project.programs:  # else nobody asks for anything, be there a thousand manifests
        matrix.targets = targets(project, getattr(project, "provided", None) or {})
    _libraries(project, matrix)
    for variable in list(matrix.variables.values()):
        _need(matrix, variable)
    for target in matrix.targets:
        for name, node in {**target.baked, **target.names}.items():
            for folder in [target.folder] if target.folder is not None else matrix.applications:
                if (folder, name) in matrix.variables or target.folder is not None:
                    matrix.variable(name, folder).given.append((target, node))
    return matrix


# -- what env files say


def _env_files(project: Any, matrix: Matrix) -> None:
    artifacts = project.artifacts("env")
    if artifacts:
        from ..kinds.env import vars_of
    for artifact in artifacts:
        folder = home_of(project, artifact.path.rpartition("/")[0])
        if artifact.state == "broken":
            continue
        produces = artifact.state == "judged"
        if produces:
            matrix.production.append((folder, artifact))
        elif artifact.environment == "example":
            matrix.examples.append((folder, artifact))
        for item in vars_of(artifact):
            key: Node = item.facts["key"]
            variable = matrix.variable(key.value, folder)
            if produces:
                variable.assigned.append((artifact, key, item.facts["value"]))
            else:
                variable.documented.append(key)
        if not produces:
            for match in _COMMENTED.finditer(artifact.source.text):
                node = Node(SCALAR, match[1], artifact.source, match.start(1), match.end(1))
                if match[1] not in (artifact.root.index or ()):
                    matrix.variable(match[1], folder).documented.append(node)
    for path in sorted(path for path, why in project.aside.items() if why == IGNORED and _is_env(path)):
        source = project.read(path)
        if source is not None:
            from ..syntax import dotenv

            folder = home_of(project, path.rpartition("/")[0])
            for key, _ in dotenv.parse(source)[0].items():
                if (folder, key.value) in matrix.variables:
                    matrix.variables[folder, key.value].local.append(path)


def _is_env(path: str) -> bool:
    from ..kinds import kind_of

    return kind_of(path) == "env"


# -- who needs what


def _libraries(project: Any, matrix: Matrix) -> None:
    """Names that an installed library reads by itself: marked where they are known, added where it needs them.

    An env file above several applications serves the libraries of each.
    """
    folders = sorted({*matrix.applications, *(folder for folder, _ in matrix.variables)})
    packages = {folder: project.package(folder + "x") for folder in folders}
    for folder in folders:
        below = [packages[each] for each in folders if each.startswith(folder)]
        known = all(package is not None and package.scripts_known for package in below)
        own = matrix.of(folder)
        for row in matrix.table["libraries"]:
            installed = next((name for name in row["packages"] for each in below if each and each.has(name)), "")
            if known and not installed:
                continue
            starts = tuple(row["prefixes"])
            for variable in own:
                if variable.name in row["names"] or starts and variable.name.startswith(starts):
                    variable.library = variable.library or installed or "?"
            if packages[folder] is not None and packages[folder].folder == folder and packages[folder].has(installed):
                for group in row["needed"]:
                    _demand(matrix, folder, group, installed, row.get("options", ()))


def _demand(matrix: Matrix, folder: str, group: list[str], installed: str, options: list[str]) -> None:
    """Marks the one of several names that a library needs, unless the code hands it over by an option."""
    present = [name for name in group if (folder, name) in matrix.variables]
    application = matrix.applications.get(folder)
    if not present:
        if application is None or application.hidden:
            return
        if any(read.context in options for read in application.reads):
            return
    variable = matrix.variable(present[0] if present else group[0], folder)
    variable.library = installed
    if variable.form != OPTIONAL:
        variable.needed, variable.strong = f"{installed} reads it", True


def above(folder: str) -> Iterator[str]:
    """A folder and those it lies in, nearest first, each with its final `/`; "" last."""
    while folder:
        yield folder
        folder = folder[: folder[:-1].rfind("/") + 1]
    yield ""


def _need(matrix: Matrix, variable: Variable) -> None:
    """Why production must have a variable."""
    if variable.platform or variable.needed:
        return
    form = variable.form
    assigned = any(
        other.assigned
        for folder in above(variable.folder)
        if (other := matrix.variables.get((folder, variable.name))) is not None
    )
    if form == REQUIRED:
        variable.needed, variable.strong = "the code fails without it", True
    elif assigned and (variable.of(reading.APP) or variable.library and not matrix.is_retired(variable.name)):
        variable.needed = "the production env file sets it" + ("" if variable.library else ", and the code reads it")
    elif form == PLAIN and variable.library and any(read.context == "dsn" for read in variable.reads):
        variable.needed = "errors are reported nowhere without it"


def items(project: Any) -> list[Item]:
    """One item a variable that is read, documented or provided; its place is the first node that names it.

    What env files above an application say stands with its variables, and by itself only where nobody below reads it.
    Facts: `name`, `application` (folder), `needed`, `platform`, `library`, `form`, `public`, `reads` (items: node,
    form, where, count a file), `documented`, `assigned` (nodes), `given` (items: platform, target, environment),
    `local` (paths), `variable`.
    """
    matrix = of(project)
    found = []
    for (folder, name), variable in sorted(matrix.variables.items(), key=lambda each: (each[0][1], each[0][0])):
        held = [matrix.variables[each, name] for each in above(folder) if (each, name) in matrix.variables]
        documented = [node for each in held for node in each.documented]
        assigned = [key for each in held for _, key, _ in each.assigned]
        nodes = [read.node for read in variable.reads]
        nodes += assigned + documented + [node for _, node in variable.given]
        if not nodes or not (variable.reads or variable.given) and matrix.reads_below(folder, name):
            continue
        facts = {
            "name": name,
            "application": folder.rstrip("/"),
            "needed": variable.needed,
            "platform": variable.platform,
            "library": "" if variable.library == "?" else variable.library,
            "form": variable.form,
            "public": variable.public,
            "reads": list(_first_reads(variable)),
            "documented": documented,
            "assigned": assigned,
            "given": [
                Item(node, {"platform": target.platform, "target": target.name, "environment": target.environment})
                for target, node in variable.given
            ],
            "local": sorted({path for each in held for path in each.local}),
            "variable": variable,
        }
        found.append(Item(nodes[0], facts))
    return found


def _first_reads(variable: Variable) -> Iterator[Item]:
    """The first read in each file, with the number of reads there."""
    files: dict[str, list[Read]] = {}
    for read in variable.reads:
        files.setdefault(read.node.source.path, []).append(read)
    for reads in files.values():
        facts = {"form": reads[0].form, "where": reads[0].where, "count": len(reads)}
        yield Item(reads[0].node, facts)


def asked(project: Any, path: str) -> list[str] | None:
    """The names without which the code of the application that a path belongs to fails where it runs, if nothing of the
    tree gives them; None where it is not known which application that is.
    """
    matrix = of(project)
    folders = [each for each in matrix.applications if (path.rstrip("/") + "/").startswith(each)]
    folder = max(folders, key=len) if folders else None
    if not folder and len(matrix.applications) != 1:
        return None
    if folder is None:
        folder = next(iter(matrix.applications))
    return [each.name for each in matrix.of(folder) if each.strong and not (each.platform or each.public or each.given)]


def goals(project: Any) -> list[Item]:
    """One item a target: facts `target`, `matrix`; the place is where a missing name would stand."""
    matrix = of(project)
    return [Item(target.place, {"target": target, "matrix": matrix, "name": target.name}) for target in matrix.targets]
