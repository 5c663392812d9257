"""Turns a GitLab pipeline file and what it includes into one configuration: jobs as GitLab merges them.

In GitLab's order: `include` (files of the repository), `extends`, then `!reference`. What is included from elsewhere
stays unknown, and `open` says so. Sources, looked up 2026-11-25: docs.gitlab.com/ci/yaml/,
docs.gitlab.com/ci/yaml/includes/, docs.gitlab.com/ci/yaml/yaml_optimization/.
"""

from __future__ import annotations

import re

from ..model import ABSENT, MAP, SCALAR, SEQ, UNKNOWN, Node
from .jobs import listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

# Top-level keys that are no jobs; the last five are the old spelling of `default`.
DEFAULTS = ("image", "services", "before_script", "after_script", "cache")
RESERVED = frozenset(("default", "include", "stages", "types", "variables", "workflow", "spec", *DEFAULTS))
_LEVELS = 11  # of `extends`
_FILES = 150  # GitLab's own limit of included files
_ENTRIES = 200_000  # that merging and references may copy, in all
_TOO_LARGE = "it is too large to be put together"
_REMOTE = ("remote", "template", "project", "component", "artifact")


class Config:
    """The merged configuration. `root`: the top-level map; `files`: included paths; `open`: what of it is unknown.

    `missing`: the names of templates that jobs extend and that nothing defines.
    """

    __slots__ = ("_jobs", "_left", "files", "missing", "open", "project", "root")

    def __init__(self, artifact: Artifact) -> None:
        self.project = artifact.project
        self.files: list[str] = []
        self.open = ""
        self.missing: list[Node] = []
        self._left = _ENTRIES
        self._jobs: dict[str, Node] = {}
        self.root = self._with_includes(main(artifact.root), artifact.path, 0)

    def jobs(self) -> Iterator[tuple[Node, Node]]:
        """(key, merged map) of each job that can run, in the order of the file."""
        for key, node in self.root.items():
            name = key.value
            if node.kind is MAP and name not in RESERVED and not name.startswith("."):
                yield key, self.job(name)

    def job(self, name: str) -> Node:
        """A job or template with what it extends, ABSENT when there is none."""
        return self._extended(name, frozenset())

    # -- include

    def _with_includes(self, root: Node, path: str, depth: int) -> Node:
        if root.kind is not MAP:
            return Node(MAP, [], root.source, root.start, root.end)
        merged: Node | None = None
        for each in listed(root.get("include")) or [root.get("include")]:
            for local in self._locals(each):
                if len(self.files) >= _FILES or depth > _FILES:
                    self.open = self.open or "more included files than GitLab takes"
                    break
                if local in self.files or local == path:
                    continue
                other = self._read(local)
                if other is None:
                    self.open = self.open or f"the included file '{local}' cannot be read here"
                    continue
                self.files.append(local)
                found = self._with_includes(other, local, depth + 1)
                merged = found if merged is None else self.merge(merged, found)
        return root if merged is None else self.merge(merged, root)

    def _locals(self, node: Node) -> list[str]:
        """The paths of one entry of `include`; anything else leaves the configuration open."""
        if not node:
            return []
        if node.kind is MAP:
            local = node.get("local")
            text = local.text()
            if text is None:
                what = next((name for name in _REMOTE if node.get(name)), "an unknown form")
                self.open = self.open or f"part of it is included from elsewhere ({what})"
                return []
            if node.get("rules"):
                self.open = self.open or "part of it is included under conditions"
        else:
            text = node.text()
            if text is None or "://" in text:
                self.open = self.open or "part of it is included from elsewhere"
                return []
        if "$" in text:
            self.open = self.open or "a variable holds the path of an included file"
            return []
        text = text.strip().lstrip("/").removeprefix("./")
        return self._matching(text) if "*" in text else [text]

    def _matching(self, pattern: str) -> list[str]:
        """The files of the tree that a pattern of `include: local` matches: `*` in a folder, `**` below it."""
        from ..syntax.glob import translate

        expression = translate(pattern)
        if self.project is None or expression is None:
            return []
        matches = re.compile(expression, re.S).fullmatch
        folders = [pattern[: pattern.index("*")].rpartition("/")[0]]
        found: list[str] = []
        for folder in folders:  # grows as it goes
            for name in self.project.names(folder):
                path = f"{folder}/{name}" if folder else name
                if name.endswith("/"):
                    if "**" in pattern and len(folders) < 1000 and name not in ("node_modules/", ".git/"):
                        folders.append(path.rstrip("/"))
                elif matches(path):
                    found.append(path)
        return sorted(found)[:_FILES]

    def _read(self, path: str) -> Node | None:
        source = self.project.read(path) if self.project is not None else None
        if source is None:
            return None
        known = self.project.artifact(path)
        if known is not None and known.kind == "gitlab":
            return main(known.root)
        from ..syntax import yaml

        documents, problems = yaml.parse(source)
        if any(problem.fatal for problem in problems):
            return None
        return documents[-1] if documents else ABSENT

    # -- extends

    def _extended(self, name: str, seen: frozenset[str]) -> Node:
        done = self._jobs.get(name)
        if done is not None:
            return done
        node = self.root.get(name)
        if node.kind is not MAP:
            return ABSENT
        merged: Node | None = None
        if len(seen) < _LEVELS:
            for each in listed(node.get("extends")):
                parent = each.text()
                if parent is None or parent in seen or parent == name:
                    continue
                found = self._extended(parent, seen | {name})
                if found:
                    merged = found if merged is None else self.merge(merged, found)
                elif not self.open and "$" not in parent:
                    self.missing.append(each)
        made = node if merged is None else self.merge(merged, node)
        self._jobs[name] = made
        return made

    def merge(self, base: Node, over: Node) -> Node:
        """Two maps as one, maps inside too; for anything else the second wins."""
        entries = dict(base.index or {})
        self._left -= len(entries)
        if self._left < 0:
            self.open = self.open or _TOO_LARGE
            return over
        for key, value in over.items():
            below = entries.get(key.value)
            if below is not None and below[1].kind is MAP and value.kind is MAP:
                value = self.merge(below[1], value)
            entries[key.value] = (key, value)
        made = Node(MAP, [], over.source, over.start, over.end)
        made.value = list(entries.values())
        made.index = entries
        return made

    # -- !reference

    def resolve(self, node: Node, depth: int = 0) -> Node:
        """What a `!reference` stands for; any other node itself. Unknown when it leads nowhere here."""
        while node.tag == "!reference" and node.kind is SEQ:
            path = [each.text() or "" for each in node.elements()]
            found = self.job(path[0]).get(*path[1:]) if path else ABSENT
            if path and not found and path[0] in RESERVED:
                found = self.root.get(*path)
            depth += 1
            if not found or depth > 10:
                return Node(UNKNOWN, "!reference", node.source, node.start, node.end)
            node = found
        return node

    def flat(self, node: Node, depth: int = 0) -> Iterator[Node]:
        """The elements of a list, lists in it and references opened; a scalar is a list of one."""
        node = self.resolve(node, depth)
        self._left -= 1
        if self._left < 0:
            self.open = self.open or _TOO_LARGE
        elif node.kind is SEQ:
            if depth <= 10:
                for each in node.elements():
                    yield from self.flat(each, depth + 1)
        elif node and not node.is_null():
            yield node


def main(root: Node) -> Node:
    """The configuration's map: the last document, for a `spec:` header stands before it."""
    documents = root.elements()
    return documents[-1] if documents and documents[-1].kind is MAP else ABSENT


_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$([A-Za-z_][A-Za-z0-9_]*)")


def expand(text: str, variables: dict[str, tuple[Node, Node]], depth: int = 0) -> str | None:
    """A text with the pipeline's own variables filled in, None when it holds another one or an input."""
    unknown = "$[[" in text

    def fill(match: Any) -> str:
        nonlocal unknown
        if match[0] == "$$":
            return "$"
        pair = variables.get(match[1] or match[2])
        value = pair[1].text() if pair is not None and pair[1].kind is SCALAR else None
        if value is not None and "$" in value:
            value = expand(value, variables, depth + 1) if depth < 4 else None
        if value is None or len(value) > 500:
            unknown = True
            return ""
        return value

    made = _VARIABLE.sub(fill, text)
    return None if unknown else made


def names_in(text: str) -> list[str]:
    """The variables that a text holds, in order."""
    return [match[1] or match[2] for match in _VARIABLE.finditer(text) if match[0] != "$$"]
