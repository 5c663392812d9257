"""Turns a connection URL and the library that code hands it to into whether the one speaks the other's protocol."""

from __future__ import annotations

import re

from ..model import SCALAR, Artifact, Fault, Item, Node
from ..project import variables
from ..project.variables import Matrix, Variable, above
from ..project.variables_read import APP, Read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_WIRE = ("redis", "rediss", "unix", "valkey", "valkeys")
# package, what stands before the value, the schemes it takes, how a right URL begins.
_CLIENTS = (
    ("@upstash/redis", re.compile(r"new\s+\w+\(\s*\{[^{}]*\burl:\s*$"), ("https", "http"), "https://"),
    ("ioredis", re.compile(r"new\s+(?:IO)?Redis\(\s*$"), _WIRE, "redis:// or rediss://"),
    ("redis", re.compile(r"\bcreateClient\(\s*\{[^{}]*\burl:\s*$"), _WIRE, "redis:// or rediss://"),
)
# Names that env/wrong-url-scheme judges by themselves, where no client over HTTP is installed.
_JUDGED = re.compile(r"(?:REDIS|KV|CACHE|QUEUE_REDIS|REDIS_TLS|VALKEY)_UR[LI]")
_REST = re.compile(r"(?:UPSTASH_REDIS_REST|KV_REST_API)_URL")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_PROVIDER = re.compile(r"\bprovider\s*=\s*\"(postgresql|postgres|mysql|sqlite|sqlserver|mongodb|cockroachdb)\"")
# Prisma's own proxy speaks for every provider: https://www.prisma.io/docs/orm/reference/connection-urls
_DATABASES = {
    "postgresql": ("postgresql", "postgres"), "postgres": ("postgresql", "postgres"), "mysql": ("mysql",),
    "sqlite": ("file",), "sqlserver": ("sqlserver",), "mongodb": ("mongodb", "mongodb+srv"),
    "cockroachdb": ("postgresql", "postgres", "cockroachdb"),
}  # fmt: skip
_ALL_DATABASES = frozenset(scheme for schemes in _DATABASES.values() for scheme in schemes)


def scheme(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where a library is given a URL of a scheme that it does not speak."""
    variable: Variable = it.facts["variable"]
    values = None
    for read in variable.of(APP):
        title, schemes, expected = _client(read)
        if not schemes:
            continue
        if values is None:
            values = list(_values(variables.of(file.project), variable))
        for text, node in values:
            match = _SCHEME.match(text)
            given = match[1].lower() if match is not None else ""
            if not given or given in schemes or (read.context == "prisma" and given not in _ALL_DATABASES):
                continue
            if _said(file.project, variable, given, node):
                continue
            related = [(node, "its value is set here")]
            yield Fault(read.node, related, name=variable.name, client=title, scheme=f"{given}://", expected=expected)
            return


def _said(project: Any, variable: Variable, given: str, node: Node) -> bool:
    """Whether env/wrong-url-scheme already says so of the line that sets the value."""
    artifact = project.artifact(node.source.path)
    if artifact is None or artifact.kind != "env":
        return False
    if _REST.fullmatch(variable.name):
        return given not in ("http", "https")
    package = project.package(node.source.path)
    over_http = package is None or package.has("@upstash/redis") or package.has("@vercel/kv")
    return given in ("http", "https") and not over_http and _JUDGED.fullmatch(variable.name) is not None


def _client(read: Read) -> tuple[str, tuple[str, ...], str]:
    """What a read is handed to: its name, the schemes it takes, how a right URL begins; no schemes when unknown."""
    node, text = read.node, read.node.source.text
    if read.context == "prisma":
        block = text[text.rfind("{", 0, node.start) : node.start]
        found = _PROVIDER.search(block) or _PROVIDER.search(text, node.end, max(node.end, text.find("}", node.end)))
        schemes = _DATABASES[found[1]] if found is not None else ()
        return (f"Prisma with provider {found[1]}", schemes, f"{schemes[0]}:") if found is not None else ("", (), "")
    before = text[max(0, node.start - 240) : node.start]
    before = before[: max(before.rfind("process"), before.rfind("import.meta"), 0)]
    for package, shape, schemes, expected in _CLIENTS:
        if shape.search(before) and _imports(text, package):
            return package, schemes, expected
    return "", (), ""


def _imports(text: str, package: str) -> bool:
    return re.search(rf"(?:\bfrom\s+|\brequire\(\s*|\bimport\(\s*)['\"]{re.escape(package)}['\"/]", text) is not None


def _values(matrix: Matrix, variable: Variable) -> Iterator[tuple[str, Node]]:
    """What production sets a variable to, where the repository says it: (text, name node)."""
    for folder in above(variable.folder):
        other = matrix.variables.get((folder, variable.name))
        for _, key, value in other.assigned if other is not None else ():
            if value.kind is SCALAR:
                yield value.value, key
    for target, node in variable.given:
        text = target.values.get(variable.name)
        if text and "$" not in text:
            yield text, node
