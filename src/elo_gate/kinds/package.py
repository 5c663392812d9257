"""Turns a package.json and the lockfile above it into facts: what is installed, which scripts there are.

A file without content says nothing (a checkout may hold empty stand-ins): every answer is then the
one that concludes nothing. Lockfiles run to megabytes, so they are searched, never parsed.
"""

from __future__ import annotations

import re

from elo_gate.model import ABSENT, MAP, Node
from elo_gate.syntax import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from elo_gate.model import Source

SECTIONS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
LOCKFILES = {
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
}

_VERSION = re.compile(r"v?=?\s*([0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?)(?:\+[0-9A-Za-z.-]+)?\Z")
_NUMBER = r"([0-9]{1,9}|[xX*])"
_PARTIAL = re.compile(rf"[v=]*\s*{_NUMBER}(?:\.{_NUMBER})?(?:\.{_NUMBER})?(?:[-+][0-9A-Za-z.+-]*)?\Z")
_HYPHEN = re.compile(r"\s+-\s+")
_YARN_VERSION = re.compile(r"\s+version:?[ ]+\"?([^\"\s]+)")
_OPERATOR = re.compile(r"(\^|~>?|[<>]=?|=)\s+")


def nearest(project: Any, path: str) -> Package | None:
    """The package a file belongs to: the nearest package.json at or above its folder, None when there is none.

    One that only sets a module type (`{"type": "commonjs"}`) is no package.
    """
    for folder in _upwards(_folder(path)):
        where = folder + "package.json"
        if project.exists(where):
            package = Package(project, where)
            if not package.scripts_known or any(package.root.get(key) for key in ("name", "scripts", *SECTIONS)):
                return package
    return None


class Package:
    """A package.json. `root` is its tree, ABSENT when it is empty or cannot be read: then nothing is known.

    `scripts_known`: the content is known, so that a script or dependency it does not name is really not there.
    """

    __slots__ = ("_lock_source", "_lockfile", "_project", "_versions", "path", "root", "scripts_known")

    def __init__(self, project: Any, path: str) -> None:
        source = project.read(path)
        root = json.parse(source)[0] if source is not None else ABSENT
        self.path = path
        self.root: Node = root if root.kind is MAP else ABSENT
        self.scripts_known = bool(self.root)
        self._project = project
        self._lockfile: tuple[str, str] | bool | None = False  # False: not looked for yet
        self._lock_source: Source | None = None
        self._versions: dict[str, str | None] = {}

    @property
    def folder(self) -> str:
        """The package's folder: "" for the root, else with a `/` at its end."""
        return _folder(self.path)

    @property
    def name(self) -> str | None:
        return self.root.get("name").text()

    def has(self, name: str) -> bool:
        """It depends on a package, in whichever section."""
        return any(self.root.get(section, name) for section in SECTIONS)

    def range(self, name: str) -> str | None:
        """The range of a dependency as npm reads it: catalog entries are looked up, other protocols left alone."""
        for section in SECTIONS:
            text = self.root.get(section, name).text()
            if text is not None:
                return self._catalog(name, text[8:]) if text.startswith("catalog:") else text
        return None

    def version(self, name: str) -> str | None:
        """The exact version a dependency has: from the lockfile, else from an exact pin, else None."""
        if name not in self._versions:
            wanted = self.range(name)
            found = None
            if self.has(name):
                found = self._locked(name, wanted or "")
                if found is None and wanted is not None:
                    match = _VERSION.match(_unalias(name, wanted))
                    found = match.group(1) if match is not None else None
            self._versions[name] = found
        return self._versions[name]

    def floor(self, name: str) -> tuple[int, int, int] | None:
        """The lowest version the range of a dependency allows; None when any will do or nobody knows."""
        wanted = self.range(name)
        return floor(_unalias(name, wanted)) if wanted is not None else None

    def script(self, name: str) -> str | None:
        """The command of a script."""
        return self.root.get("scripts", name).text()

    def engines(self, name: str) -> str | None:
        """The range of `engines`: `node`, `npm` ..."""
        return self.root.get("engines", name).text()

    @property
    def workspaces(self) -> list[str]:
        """The globs of the workspace this package is the root of, from itself or pnpm-workspace.yaml."""
        return self._workspaces() or []

    def _workspaces(self) -> list[str] | None:
        """As `workspaces`; None when a file that may hold them is not readable."""
        node = self.root.get("workspaces")
        node = node.get("packages") if node.kind is MAP else node
        globs = [text for item in node.elements() if (text := item.text()) is not None]
        where = self.folder + "pnpm-workspace.yaml"
        if self._project.exists(where):
            settings = self._settings()
            if not settings:
                return None
            globs += [text for item in settings.get("packages").elements() if (text := item.text()) is not None]
        return globs if globs or self.scripts_known else None

    def _settings(self) -> Node:
        """The map in the pnpm-workspace.yaml beside this file."""
        source = self._project.read(self.folder + "pnpm-workspace.yaml")
        if source is None:
            return ABSENT
        from elo_gate.syntax import yaml

        documents, _ = yaml.parse(source)
        return documents[0] if documents else ABSENT

    def _catalog(self, name: str, catalog: str) -> str | None:
        """The range in a workspace's catalog (https://pnpm.io/catalogs, https://bun.com/docs/pm/catalogs)."""
        paths = (("catalog",), ("catalogs", "default")) if catalog in ("", "default") else (("catalogs", catalog),)
        for folder in _upwards(self.folder):
            root = self if folder == self.folder else Package(self._project, folder + "package.json")
            for node in (root._settings(), root.root.get("workspaces"), root.root):
                for path in paths:
                    text = node.get(*path, name).text()
                    if text is not None:
                        return text
        return None

    @property
    def lockfile(self) -> tuple[str, str] | None:
        """(path, manager) of the lockfile that governs this package: beside it, or at the top of its workspace."""
        if self._lockfile is False:
            self._lockfile = self._find_lockfile()
        return self._lockfile  # type: ignore[return-value]

    def _find_lockfile(self) -> tuple[str, str] | None:
        for folder in _upwards(self.folder):
            names = [name for name in LOCKFILES if self._project.exists(folder + name)]
            if not names:
                continue
            top = self
            if folder != self.folder and self._project.exists(folder + "package.json"):
                top = Package(self._project, folder + "package.json")
                globs = top._workspaces()
                if globs is not None and not _member(globs, self.folder[len(folder) : -1]):
                    continue
            chosen = (top.root.get("packageManager").text() or "").partition("@")[0]
            names.sort(key=lambda name: LOCKFILES[name] != chosen)
            return folder + names[0], LOCKFILES[names[0]]
        return None

    def _locked(self, name: str, wanted: str) -> str | None:
        """The version of a dependency in the lockfile."""
        if self.lockfile is None:
            return None
        path, _ = self.lockfile
        find = _FINDERS.get(path[path.rfind("/") + 1 :])
        if find is None:
            return None
        if self._lock_source is None:
            self._lock_source = self._project.read(path)
        if self._lock_source is None:
            return None
        found = find(self._lock_source.text, self, self.folder[len(_folder(path)) : -1], name, wanted)
        match = _VERSION.match(found) if found else None
        return match.group(1) if match is not None else None


def floor(text: str) -> tuple[int, int, int] | None:
    """The lowest version an npm range allows; None for `*`, tags, paths and URLs.

    Grammar: https://github.com/npm/node-semver#ranges
    """
    lowest: tuple[int, int, int] | None = None
    for alternative in text.split("||"):
        parts = _HYPHEN.split(alternative.strip())
        words = [parts[0]] if len(parts) == 2 else _OPERATOR.sub(r"\1", alternative).split()
        floors = [_bound(word) for word in words]
        if not floors or None in floors:
            return None
        highest = max(bound for bound in floors if bound is not None)
        if lowest is None or highest < lowest:
            lowest = highest
    return lowest


def _bound(word: str) -> tuple[int, int, int] | None:
    """The lower bound one comparator sets."""
    operator = word[: len(word) - len(word.lstrip("^~<>="))]
    match = _PARTIAL.match(word[len(operator) :])
    if match is None:
        return None
    numbers = [int(part) if part is not None and part.isdigit() else None for part in match.groups()]
    if numbers[0] is None:
        return None
    if operator in ("<", "<="):
        return (0, 0, 0)
    known = numbers[: next((at for at, number in enumerate(numbers) if number is None), 3)]
    filled = [number or 0 for number in known]
    if operator == ">" and not match.group().partition("+")[0].count("-"):
        filled[-1] += 1
    major, minor, patch = (*filled, 0, 0)[:3]
    return (major, minor, patch)


def _unalias(name: str, wanted: str) -> str:
    """The range without `npm:`, also when it names the package itself; "" when it names another one."""
    wanted = wanted.strip()
    if not wanted.startswith("npm:"):
        return wanted
    target, _, inner = wanted[4:].rpartition("@")
    if not target:
        return wanted[4:] if wanted[4:5].isdigit() or wanted[4:5] in "^~<>=v*" else ""
    return inner if target == name else ""


# --- lockfiles: each finder gets (text, package, its folder below the lockfile, name, range) -------


def _in_npm(text: str, package: Package, below: str, name: str, wanted: str) -> str | None:
    """package-lock.json: `packages` of versions 2 and 3, else the `dependencies` of version 1."""
    start = text.find('"packages"')
    if start >= 0:
        folders = below.split("/") if below else []
        for count in range(len(folders), -1, -1):
            where = "/".join([*folders[:count], "node_modules", name])
            match = re.compile(rf'"{re.escape(where)}"\s*:\s*\{{').search(text, start)
            if match is not None:
                return _field(text, match.end(), "version")
        return None
    match = re.search(rf'^(?: {{4}}|\t\t)"{re.escape(name)}"\s*:\s*\{{', text, re.MULTILINE)
    return _field(text, match.end(), "version") if match is not None else None


def _field(text: str, start: int, name: str) -> str | None:
    """A text field of the JSON object that begins before an offset."""
    end = text.find("}", start)
    match = re.compile(rf'"{name}"\s*:\s*"([^"]*)"').search(text, start, end if end >= 0 else len(text))
    return match.group(1) if match is not None else None


def _in_pnpm(text: str, package: Package, below: str, name: str, wanted: str) -> str | None:
    """pnpm-lock.yaml: the importer of this package, or the only one of a file without importers."""
    quoted = rf"(?:{re.escape(name)}|'{re.escape(name)}'|\"{re.escape(name)}\")"
    importers = re.search(r"^importers:[ ]*\r?$", text, re.MULTILINE)
    indent = 0
    start, end = 0, len(text)
    if importers is not None:
        indent = 4
        importer = re.escape(below or ".")
        head = re.compile(rf"^  (?:{importer}|'{importer}'|\"{importer}\"):[ ]*\r?\n", re.MULTILINE)
        match = head.search(text, importers.end())
        if match is None:
            return None
        start = match.end()
        after = re.compile(r"^ {0,2}[^ \r\n]", re.MULTILINE).search(text, start)
        end = after.start() if after is not None else end
    elif below:
        return None
    pad = " " * indent
    sections = re.compile(rf"^{pad}(dependencies|devDependencies|optionalDependencies):[ ]*\r?\n", re.MULTILINE)
    for section in sections.finditer(text, start, end):
        after = re.compile(rf"^ {{0,{indent}}}[^ \r\n]", re.MULTILINE).search(text, section.end(), end)
        stop = after.start() if after is not None else end
        line = rf"^{pad}  {quoted}:(?:[ ]+(\S+)|[ ]*\r?\n(?:{pad}    .*\n)*?{pad}    version:[ ]+(\S+))"
        entry = re.compile(line, re.MULTILINE).search(text, section.end(), stop)
        if entry is not None:
            return re.split(r"[(_]", (entry.group(1) or entry.group(2)).strip("'\""))[0]
    return None


def _in_yarn(text: str, package: Package, below: str, name: str, wanted: str) -> str | None:
    """yarn.lock, classic and berry: the entry of exactly this range, else the only version there is."""
    versions = set()
    key = name + "@"
    at = text.find(key)
    while at >= 0:
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        head = text[start : end if end >= 0 else len(text)].rstrip()
        at = text.find(key, start + len(head) + 1)
        if head[:1] in (" ", "#") or head[-1:] != ":":
            continue
        names = [word.strip().strip('"') for word in head[:-1].split(",")]
        ranges = [word.removeprefix(key) for word in names if word.startswith(key)]
        version = _YARN_VERSION.match(text, end)
        if ranges and version is not None:
            if wanted in ranges or "npm:" + wanted in ranges:
                return version.group(1)
            versions.add(version.group(1))
    return versions.pop() if len(versions) == 1 else None


def _in_bun(text: str, package: Package, below: str, name: str, wanted: str) -> str | None:
    """bun.lock: this workspace's own copy, else the shared one."""
    start = text.find('"packages"')
    for key in (f"{package.name}/{name}", name):
        match = re.compile(rf'"{re.escape(key)}"\s*:\s*\[\s*"{re.escape(name)}@([^"]+)"').search(text, max(start, 0))
        if match is not None:
            return match.group(1)
    return None


_FINDERS: dict[str, Callable[[str, Package, str, str, str], str | None]] = {
    "package-lock.json": _in_npm,
    "npm-shrinkwrap.json": _in_npm,
    "pnpm-lock.yaml": _in_pnpm,
    "yarn.lock": _in_yarn,
    "bun.lock": _in_bun,
}


# --- folders --------------------------------------------------------------------------------------


def _folder(path: str) -> str:
    return path[: path.rfind("/") + 1]


def _upwards(folder: str) -> Iterable[str]:
    """A folder and those above it, up to the root ""."""
    while folder:
        yield folder
        folder = _folder(folder[:-1])
    yield ""


def _member(globs: list[str], folder: str) -> bool:
    """A folder is named by workspace globs; the last that matches decides."""
    from elo_gate.syntax.ignore import Patterns

    lines = []
    for glob in globs:
        mark = "!" if glob.startswith("!") else ""
        lines.append(mark + "/" + glob.removeprefix("!").removeprefix("./").replace("\n", ""))
    return Patterns("\n".join(lines)).match(folder, is_dir=True) is True
