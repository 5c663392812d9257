"""Turns the whole tree into its environment variables: where each is read, documented and provided."""

from __future__ import annotations

import re

from ..model import SCALAR, Item, Node
from . import variables_read as reading
from .variables_given import Target, targets
from .variables_read import OPTIONAL, PLAIN, REQUIRED, Application, Read, home_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_KEY = "variables"
_COMMENTED = re.compile(r"(?m)^[ \t]*#[ \t]*(?:export[ \t]+)?([A-Z][A-Z0-9_]*)[ \t]*=")
_PRISMA = re.compile(r"\benv\(\s*\"([A-Za-z_]\w*)\"\s*\)")
_PIPELINE = re.compile(r"\b(secrets|vars)\.([A-Za-z_]\w*)")
BROWSER = ("NEXT_PUBLIC_", "VITE_", "REACT_APP_", "EXPO_PUBLIC_", "GATSBY_", "NUXT_PUBLIC_", "PUBLIC_")
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
        "name", "folder", "reads", "documented", "assigned", "local", "given", "platform", "library", "needed", "strong",
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

    __slots__ = ("applications", "variables", "targets", "examples", "production", "table", "_libraries")

    def __init__(self, table: Any) -> None:
        self.applications: dict[str, Application] = {}
        self.variables: dict[tuple[str, str], Variable] = {}
        self.targets: list[Target] = []
        self.examples: list[tuple[str, Artifact]] = []
        self.production: list[tuple[str, Artifact]] = []
        self.table = table
        self._libraries: dict[str, Any] = {}

    def variable(self, name: str, folder: str) -> Variable:
        """The variable of a name in an application, made when it is new."""
        found = self.variables.get((folder, name))
        if found is None:
            found = self.variables[folder, name] = Variable(name, folder)
        return found

    def of(self, folder: str) -> list[Variable]:
        """The variables of one application, by name."""
        return sorted((each for each in self.variables.values() if each.folder == folder), key=lambda each: each.name)

    def is_platform(self, name: str) -> bool:
        """Whether a name is set by the system, a tool or a platform."""
        table = self.table["platform"]
        return name not in table["own"] and (name in table["names"] or name.startswith(tuple(table["prefixes"])))


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
    _prisma(project, matrix)
    _compose(project, matrix)
    _pipelines(project, matrix)
    _env_files(project, matrix)
    matrix.targets = targets(project, getattr(project, "provided", None) or {})
    for variable in matrix.variables.values():
        variable.platform = matrix.is_platform(variable.name)
    _libraries(project, matrix)
    for variable in list(matrix.variables.values()):
        _need(matrix, variable)
    for target in matrix.targets:
        for name, node in target.names.items():
            for folder in [target.folder] if target.folder is not None else matrix.applications:
                if (folder, name) in matrix.variables or target.folder is not None:
                    matrix.variable(name, folder).given.append((target, node))
    return matrix


# -- reads outside of code


def _prisma(project: Any, matrix: Matrix) -> None:
    for path in sorted(path for path in project.aside if path.endswith(".prisma")):
        source = project.read(path)
        if source is None:
            continue
        folder = home_of(project, path.rpartition("/")[0])
        for match in _PRISMA.finditer(source.text):
            if "//" not in source.text[source.text.rfind("\n", 0, match.start()) + 1 : match.start()]:
                node = Node(SCALAR, match[1], source, match.start(1), match.end(1))
                form = PLAIN if match[1].startswith(("SHADOW", "DIRECT")) else REQUIRED
                matrix.variable(match[1], folder).reads.append(Read(match[1], node, form, reading.APP, "prisma"))


def _compose(project: Any, matrix: Matrix) -> None:
    """References in the environment and the build arguments of services: `${X}`, `${X:?}`, `${X:-d}`."""
    if not project.artifacts("compose"):
        return
    from ..kinds import compose
    from ..kinds.compose_interpolate import scan

    for artifact in project.artifacts("compose"):
        if artifact.state != "judged":
            continue
        folder = home_of(project, artifact.path.rpartition("/")[0])
        model = compose.model_of(artifact)
        seen: set[tuple[str, int]] = set()
        for service in compose.VIEWS["services"](artifact):
            arguments = service.node.get("build", "args")
            nodes = [item.node for item in service.facts["environment"].values() if item.facts["style"] != "file"]
            nodes += [value for _, value in arguments.items()] + list(arguments.elements())
            for node in nodes:
                for reference in scan(node.value)[0] if isinstance(node.value, str) and "$" in node.value else ():
                    name = reference.name
                    start = node.source.text.find(name, node.start + (reference.start if not node.style else 0), node.end)
                    if start < 0 or (name, start) in seen or node.source.path != artifact.path:
                        continue
                    seen.add((name, start))
                    form = {"plain": PLAIN, "required": REQUIRED}.get(reference.style, OPTIONAL)
                    if name in model.values:
                        form = OPTIONAL
                    at = Node(SCALAR, name, node.source, start, start + len(name))
                    matrix.variable(name, folder).reads.append(Read(name, at, form, "compose", service.facts["name"]))


def _pipelines(project: Any, matrix: Matrix) -> None:
    for artifact in project.artifacts("workflow"):
        if artifact.state != "judged":
            continue
        seen: set[str] = set()
        for match in _PIPELINE.finditer(artifact.source.text):
            name = match[2]
            if name in seen or name == "GITHUB_TOKEN":
                continue
            seen.add(name)
            node = Node(SCALAR, name, artifact.source, match.start(2), match.end(2))
            matrix.variable(name, "").reads.append(Read(name, node, OPTIONAL, "pipeline", match[1]))


# -- what env files say


def _env_files(project: Any, matrix: Matrix) -> None:
    from ..kinds.env import vars_of

    for artifact in project.artifacts("env"):
        folder = home_of(project, artifact.path.rpartition("/")[0])
        if artifact.state == "broken":
            continue
        produces = artifact.state == "judged"
        (matrix.production if produces else matrix.examples).append((folder, artifact))
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
    for path in sorted(path for path, why in project.aside.items() if why == "git ignores it" and _is_env(path)):
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
    """Names that an installed library reads by itself: added where needed, marked where they are there."""
    rows = matrix.table["libraries"]
    for folder in sorted({*matrix.applications, *(folder for folder, _ in matrix.variables)}):
        package = project.package(folder + "x")
        known = package is not None and package.scripts_known
        own = package.folder == folder if package is not None else False
        for row in rows:
            installed = next((name for name in row["packages"] if known and package.has(name)), "")
            if known and not installed:
                continue
            for variable in matrix.of(folder):
                if variable.name in row["names"] or row["prefixes"] and variable.name.startswith(tuple(row["prefixes"])):
                    variable.library = variable.library or installed or "?"
            if not installed or not own:
                continue
            for group in row["needed"]:
                present = [name for name in group if (folder, name) in matrix.variables]
                variable = matrix.variable(present[0] if present else group[0], folder)
                variable.library = installed
                if not variable.of(reading.APP) or variable.form != OPTIONAL:
                    variable.needed = f"{installed} reads it"
                    variable.strong = True


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
    elif assigned and (variable.of(reading.APP) or variable.library):
        variable.needed = "the production env file sets it" + ("" if variable.library else ", and the code reads it")
    elif form == PLAIN and variable.library and any(read.context == "dsn" for read in variable.reads):
        variable.needed = "errors are reported nowhere without it"


def items(project: Any) -> list[Item]:
    """One item a variable that is read, documented or provided; its place is the first node that names it.

    Facts: `name`, `application` (folder), `needed`, `platform`, `library`, `form`, `public`, `reads` (items: node,
    form, where, count a file), `documented`, `assigned` (nodes), `given` (items: platform, target, environment),
    `local` (paths), `variable`.
    """
    matrix = of(project)
    found = []
    for (folder, name), variable in sorted(matrix.variables.items(), key=lambda each: (each[0][1], each[0][0])):
        nodes = [read.node for read in variable.reads]
        nodes += [key for _, key, _ in variable.assigned] + variable.documented + [node for _, node in variable.given]
        if not nodes:
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
            "documented": variable.documented,
            "assigned": [key for _, key, _ in variable.assigned],
            "given": [
                Item(node, {"platform": target.platform, "target": target.name, "environment": target.environment})
                for target, node in variable.given
            ],
            "local": variable.local,
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


def goals(project: Any) -> list[Item]:
    """One item a target: facts `target`, `matrix`; the place is where a missing name would stand."""
    matrix = of(project)
    return [Item(target.place, {"target": target, "matrix": matrix, "name": target.name}) for target in matrix.targets]
