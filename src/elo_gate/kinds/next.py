"""Turns next.config.* into the configuration that Next.js builds with, as far as it can be told without running it.

The root is the map that the file exports (what a function export returns for a build), through known plugins; UNKNOWN
when that cannot be told, ABSENT when the file exports nothing or its content is not here. Look values up with
`syntax.javascript.lookup`: a map with something unseen in it is open, and what it lacks is unknown, not absent.
"""

from __future__ import annotations

import re

from ..model import ABSENT, CHOICE, MAP, SCALAR, SEQ, UNKNOWN, Item, Node
from ..syntax.javascript import alternatives, lookup
from . import credential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..model import Artifact
    from ..syntax.javascript import Module

# What stands before a configuration object: `const nextConfig: NextConfig = `, `export default `, `return `.
_BEFORE = re.compile(r"(?:([\w$.]+)\s*(?::\s*[\w$.<>\[\]]+\s*)?=|(export\s+default|return)|(=>))[\s(]*\Z")
_RELEASE = re.compile(r"(\d+)\.(\d+)\.(\d+)(-[\w.-]+)?")
# A range that stays within one major: `^15.1.0`, `~15.1`, `15.x`, `15`.
_ONE_MAJOR = re.compile(r"[\^~]?\s*v?(\d+)(?:\.(?:\d+|[xX*])){0,2}(?:-[\w.]+)?\Z")

# What takes /_next/image away: an option, and the value that does it ("": any but "default").
_SWITCHES = (("images.unoptimized", "true"), ("images.loader", ""), ("images.loaderFile", ""), ("output", "export"))


def load(artifact: Artifact) -> None:
    """Sets the configuration, the problems and the `file` view."""
    from ..syntax.javascript import evaluate

    read = artifact.project.read if artifact.project is not None else None
    module = evaluate(artifact.source, read)
    artifact.root = _configuration(module, artifact)
    artifact.problems = module.problems
    package = artifact.project.package(artifact.path) if artifact.project is not None else None
    facts: dict[str, Any] = {
        "config": artifact.root,
        "module": module,
        "package": package,
        "folder": artifact.path.rpartition("/")[0],
        **release(package),
    }
    shown = bool(artifact.source.text.strip())
    artifact.views["file"] = [Item(artifact.root, facts, token(artifact))] if shown else []


def _configuration(module: Module, artifact: Artifact) -> Node:
    """What Next.js gets from the module: a function is called with the phase and the default configuration."""
    root = module.default
    if root and root.kind is UNKNOWN or root.kind is CHOICE:
        source = artifact.source

        def text(word: str) -> Node:
            return Node(SCALAR, word, source, root.start, root.end, "'")

        phase = Node(
            CHOICE, [text("phase-production-build"), text("phase-production-server")], source, root.start, root.end
        )
        nothing = Node(MAP, [], source, root.start, root.end)
        context = Node(MAP, [(text("defaultConfig"), nothing)], source, root.start, root.end)
        root = module.result(root, phase, context)
    return root


def release(package: Any) -> dict[str, Any]:
    """What is known of Next.js's version: `version` (exact), `release` (as numbers), `major`, `dependency` (its node).

    `floor` is the lowest release that the range allows. Each is None when it is not known.
    """
    facts: dict[str, Any] = {"version": None, "release": None, "major": None, "floor": None, "dependency": ABSENT}
    if package is None:
        return facts
    for section in ("dependencies", "devDependencies", "peerDependencies"):
        facts["dependency"] = facts["dependency"] or package.root.get(section, "next")
    version = package.version("next")
    match = _RELEASE.match(version) if version is not None else None
    if match is not None:
        facts["version"] = version
        facts["release"] = facts["floor"] = (int(match[1]), int(match[2]), int(match[3]))
        facts["major"] = int(match[1])
        return facts
    facts["floor"] = package.floor("next")
    wanted = package.range("next")
    match = _ONE_MAJOR.match(wanted.strip()) if wanted is not None else None
    facts["major"] = int(match[1]) if match is not None else None
    return facts


def token(artifact: Artifact) -> Node:
    """A short token for the configuration as a whole: its name, or the words that export it."""
    source, root = artifact.source, artifact.root
    at = next(iter(alternatives(root)), root)
    if at and at.source is not source:
        return at.value[0][0] if at.kind is MAP and at.value else at
    match = _BEFORE.search(source.text, max(0, at.start - 300), at.start) if at else None
    if match is not None:
        start, end = match.span(match.lastindex or 0)
        return Node(SCALAR, source.text[start:end], source, start, end)
    if at.kind is MAP and at.value:
        key: Node = at.value[0][0]
        return key
    match = re.search(r"export\s+default|module\.exports", source.text)
    start, end = match.span() if match is not None else (0, len(source.text.split("\n", 1)[0]))
    return at or Node(SCALAR, source.text[start:end], source, start, end)


def of(artifact: Artifact) -> dict[str, Any]:
    """The facts of the file; empty when its content is not here."""
    items = artifact.views.get("file", ())
    return items[0].facts if items else {}


def returned(artifact: Artifact, name: str) -> Node:
    """What one of the configuration's functions gives: `headers`, `redirects`, `rewrites`."""
    node = lookup(artifact.root, name)
    module: Module | None = of(artifact).get("module")
    return module.result(node) if module is not None and node else node


def option(artifact: Artifact, path: str) -> Node:
    """The value of an option by its dotted path; unknown where something unseen may set it."""
    return lookup(artifact.root, *path.split("."))


def key(artifact: Artifact, path: str) -> Node:
    """The key that sets an option, for the place; the value's own place when no key of the file does."""
    *owners, name = path.split(".")
    for owner in alternatives(lookup(artifact.root, *owners) if owners else artifact.root):
        if owner.kind is MAP and owner.key(name):
            return owner.key(name)
    return option(artifact, path)


def file(artifact: Artifact) -> list[Item]:
    return artifact.views.get("file", [])


def options(artifact: Artifact) -> list[Item]:
    """Every option that is set, three levels deep: facts `path`, `value`; the place is its key."""
    found: list[Item] = []

    def walk(node: Node, prefix: str, depth: int) -> None:
        for each in alternatives(node):
            for name, value in each.items():
                path = prefix + str(name.value)
                found.append(Item(value, {"path": path, "value": value}, name))
                if depth < 3:
                    walk(value, path + ".", depth + 1)

    walk(artifact.root, "", 1)
    return found


def images(artifact: Artifact) -> list[Item]:
    """The image options, when any are set: facts `optimizer` (whether /_next/image is served; None: cannot tell)."""
    node = option(artifact, "images")
    if not node or node.is_null():
        return []
    return [Item(node, {"optimizer": optimizer(artifact)}, key(artifact, "images"))]


def optimizer(artifact: Artifact) -> bool | None:
    """Whether Next.js serves /_next/image: not with `unoptimized`, another loader or a static export."""
    served: bool | None = True
    for path, off in _SWITCHES:
        node = option(artifact, path)
        values = node.value if node.kind is CHOICE else (node,)
        states = {_switched_off(each, off) for each in values}
        if states == {True}:
            return False
        if states != {False}:
            served = None
    return served


def _switched_off(node: Node, off: str) -> bool | None:
    """Whether an option has the value that switches the optimizer off; "": any but "default"."""
    if node.is_null():
        return False
    if node.kind is not SCALAR:
        return None
    return bool(node.value == off if off else node.value != "default")


def remote_patterns(artifact: Artifact) -> list[Item]:
    """Entries of `images.remotePatterns`: facts `hostname`, `protocol`, `pathname` (nodes), `optimizer`."""
    served = optimizer(artifact)
    found: list[Item] = []
    for entry in entries(option(artifact, "images.remotePatterns")):
        facts: dict[str, Any] = {name: lookup(entry, name) for name in ("hostname", "protocol", "pathname")}
        found.append(Item(entry, {**facts, "optimizer": served}, head(entry)))
    return found


def entries(node: Node) -> list[Node]:
    """What a list can hold: the elements of every alternative, each one's alternatives apart."""
    found: list[Node] = []
    for each in alternatives(node):
        for element in each.elements():
            found.extend(alternatives(element))
    return found


def head(node: Node) -> Node:
    """The first key of a map, else the node: a short token for an entry of a list."""
    if node.kind is MAP and node.value:
        first: Node = node.value[0][0]
        return first
    return node


def rewrites(artifact: Artifact) -> list[Item]:
    """Entries of `rewrites()`, in whichever of its lists: facts `source`, `destination`, `conditional`."""
    found: list[Item] = []
    for each in alternatives(returned(artifact, "rewrites")):
        lists = [lookup(each, name) for name in ("beforeFiles", "afterFiles", "fallback")]
        for listed in [each] if each.kind is SEQ else lists:
            found.extend(_route(entry) for entry in entries(listed) if entry.kind is MAP)
    return found


def redirects(artifact: Artifact) -> list[Item]:
    """Entries of `redirects()`: facts `source`, `destination`, `conditional`."""
    return [_route(entry) for entry in entries(returned(artifact, "redirects")) if entry.kind is MAP]


def _route(entry: Node) -> Item:
    facts = {
        "source": lookup(entry, "source"),
        "destination": lookup(entry, "destination"),
        "conditional": bool(lookup(entry, "has")) or bool(lookup(entry, "missing")),
    }
    return Item(entry, facts, head(entry))


def headers(artifact: Artifact) -> list[Item]:
    """Every header of `headers()`: facts `name` (lower case), `value`, `source`, `conditional`, `perhaps`, `covers`."""
    from .next_headers import of_config

    return [header.item() for header in of_config(artifact)[0]]


def alone(artifact: Artifact) -> list[Item]:
    """The file itself while only some files are looked at: else the model of the whole tree answers for it."""
    return file(artifact) if artifact.project is not None and not artifact.project.joined else []


def environment(artifact: Artifact) -> list[Item]:
    """Variables of the `env` block: facts `name`, `value`; the place is the name."""
    return [
        Item(value, {"name": name.value, "value": value}, name)
        for each in alternatives(option(artifact, "env"))
        for name, value in each.items()
    ]


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {
    "file": file,
    "options": options,
    "images": images,
    "remote_patterns": remote_patterns,
    "headers": headers,
    "responses": alone,
    "header_values": alone,
    "rewrites": rewrites,
    "redirects": redirects,
    "env": environment,
}


def signs(artifact: Artifact) -> tuple[str, str] | None:
    """Next.js reads the file for every build, production among them."""
    return ("production", "Next.js reads it for production") if artifact.root else None


def secrets(artifact: Artifact) -> list[tuple[int, int]]:
    """Literal texts of the file under a secret's name, and passwords in URLs."""
    found: set[tuple[int, int]] = set()
    for item in options(artifact):
        for node in alternatives(item.node):
            if node.kind is SCALAR and node.style and node.source is artifact.source:
                name = str(item.facts["path"]).rpartition(".")[2]
                if credential.secret_name(name) or credential.url_password(str(node.value)) is not None:
                    found.add((node.start, node.end))
    return sorted(found)
