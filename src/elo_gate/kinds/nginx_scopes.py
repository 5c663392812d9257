"""Turns the directives of an nginx configuration and what it includes into scopes: http, server, location and so on.

A directive is inherited by inner scopes unless they set it themselves; one that may stand several times (`add_header`,
`proxy_set_header`) is inherited as a group: a single one in an inner scope replaces them all.
"""

from __future__ import annotations

import re

from ..model import CHOICE, SCALAR, UNKNOWN, Node, Source
from ..syntax import nginx as syntax
from . import nginx_mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..syntax.nginx import Directive

_CONTEXTS = frozenset(("http", "server", "location", "if", "limit_except", "upstream", "stream", "events", "mail"))
# What packages bring along, and what it cannot hold: servers, response headers, TLS settings.
_HARMLESS = ("mime.types", "fastcgi_params", "fastcgi.conf", "uwsgi_params", "scgi_params", "koi-utf", "koi-win")
_MODULES = ("/usr/share/nginx/modules/", "modules-enabled/", "/usr/lib/nginx/modules/")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*)|(\d))")
_DEPTH = 10


class Scope:
    """One context: what stands in it (`entries`), the scopes inside it, and whether more may stand there (`open`)."""

    __slots__ = ("kind", "directive", "parent", "entries", "scopes", "open", "rest")

    def __init__(self, kind: str, directive: Directive | None, parent: Scope | None) -> None:
        self.kind = kind
        self.directive = directive
        self.parent = parent
        self.entries: list[Directive] = []
        self.scopes: list[Scope] = []
        self.open = False
        self.rest: list[str] = []  # paths of what was included here and below

    def own(self, name: str) -> list[Directive]:
        """The directives of a name that stand in this scope itself."""
        return [each for each in self.entries if each.key == name]

    def find(self, name: str) -> Directive | None:
        """The directive that holds here: the scope's own, else an outer one's."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.own(name)
            if found:
                return found[-1]
            scope = scope.parent
        return None

    def group(self, name: str) -> list[Directive]:
        """The directives of a name that hold here: all of the nearest scope that has one."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.own(name)
            if found:
                return found
            scope = scope.parent
        return []

    def unsure(self) -> bool:
        """Whether a file that cannot be read may add to this scope or one around it."""
        scope: Scope | None = self
        while scope is not None:
            if scope.open:
                return True
            scope = scope.parent
        return False

    def below(self, kind: str) -> list[Scope]:
        """The scopes of a kind inside this one, at any depth, in order."""
        found = []
        for scope in self.scopes:
            if scope.kind == kind:
                found.append(scope)
            found += scope.below(kind)
        return found

    def every(self) -> Iterator[tuple[Scope, Directive]]:
        """Each directive at any depth, with the scope it stands in."""
        for entry in self.entries:
            yield self, entry
        for scope in self.scopes:
            yield from scope.every()


def build(source: Source, directives: list[Directive], project: Any) -> Scope:
    """The scope of a whole file. Its kind is "main", or what a fragment is included into: "http", "server"."""
    names = {each.key for each in directives if each.block is not None}
    kind = "main" if names & {"http", "events", "stream", "mail"} else "server" if "location" in names else "http"
    if "server" in names and kind == "server":
        kind = "http"
    root = Scope(kind, None, None)
    root.open = kind == "server"
    _fill(root, directives, source.path, (source.path,), project, root)
    return root


def _fill(
    scope: Scope, directives: list[Directive], path: str, chain: tuple[str, ...], project: Any, root: Scope
) -> None:
    for directive in directives:
        if directive.key == "include" and directive.block is None:
            _include(scope, directive, path, chain, project, root)
            continue
        if directive.key.startswith("$") and not directive.words and directive.block is None:
            scope.open = True  # a template's placeholder
            continue
        if directive.body is not None and ("header_filter" in directive.key or "rewrite_by" in directive.key):
            scope.open = True
        scope.entries.append(directive)
        if directive.block is not None and directive.key in _CONTEXTS:
            inner = Scope(directive.key, directive, scope)
            scope.scopes.append(inner)
            _fill(inner, directive.block, path, chain, project, root)


def _include(scope: Scope, directive: Directive, path: str, chain: tuple[str, ...], project: Any, root: Scope) -> None:
    pattern = directive.text()
    if pattern.rpartition("/")[2] in _HARMLESS or any(each in pattern for each in _MODULES):
        return
    files = nginx_mounts.included(project, chain[0], pattern) if project is not None else None
    if files is None and path != chain[0] and project is not None:
        files = nginx_mounts.included(project, path, pattern)
    if not files or len(chain) > _DEPTH:
        scope.open = True
        return
    for name in files:
        read = _read(project, name) if name not in chain else None
        if read is None:
            scope.open = True
            continue
        root.rest.append(name)
        _fill(scope, read, name, (*chain, name), project, root)


def _read(project: Any, path: str) -> list[Directive] | None:
    """The directives of an included file, None when it cannot be read."""
    known: dict[str, list[Directive] | None] = project.facts.setdefault("nginx_included", {})
    if path not in known:
        source = project.read(path)
        known[path] = None
        if source is not None:
            directives, problems = syntax.parse(source)
            if not any(problem.fatal for problem in problems):
                known[path] = directives
    return known[path]


def variables(text: str) -> list[str]:
    """The names of the variables in a text; a digit is a capture of a regular expression."""
    if "$" not in text:
        return []
    return [match[1] or match[2] or match[3] for match in _VARIABLE.finditer(text)]


def literal(text: str) -> str:
    """A text without its variables."""
    return _VARIABLE.sub("", text) if "$" in text else text


def value(word: Node, scope: Scope) -> Node:
    """What a word can be: itself; the values of a `map` that alone makes it up (a choice); else unknown."""
    text = str(word.value)
    names = variables(text)
    if not names:
        return word
    if len(names) == 1 and not literal(text):
        choices = mapped(names[0], scope)
        if choices:
            return Node(CHOICE, choices, word.source, word.start, word.end) if len(choices) > 1 else choices[0]
    return Node(UNKNOWN, text, word.source, word.start, word.end)


def mapped(name: str, scope: Scope) -> list[Node]:
    """The values that a variable can have when `map`, `geo` or `set` gives it nothing but literals; else none."""
    outer: Scope | None = scope
    given: list[Node] = []
    while outer is not None:
        for entry in outer.entries:
            if entry.key == "set" and entry.text() == f"${name}" and len(entry.words) == 2:
                given.append(entry.words[1])
            elif entry.block is not None and entry.key in ("map", "geo", "split_clients"):
                if entry.text(-1) != f"${name}":
                    continue
                rows = [each for each in entry.block if each.words and each.key not in ("include", "proxy")]
                if any(each.key == "include" for each in entry.block):
                    return []
                given += [each.words[0] for each in rows]
                if not any(each.key == "default" for each in rows):
                    given.append(Node(SCALAR, "", entry.name.source, entry.name.start, entry.name.end))
        outer = outer.parent
    return [] if any(variables(str(each.value)) for each in given) else given


def seconds(text: str) -> float | None:
    """A time of nginx in seconds (`60`, `60s`, `1m30s`, `500ms`), None when it is none."""
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000, "": 1}
    if not re.fullmatch(r"(?:\d{1,9}(?:ms|[smhdwMy])? ?){1,6}", text):
        return None
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)(ms|[smhdwMy])?", text))
