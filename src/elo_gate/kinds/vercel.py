"""Turns vercel.json (or vercel.toml, which has the same properties) into what Vercel will do with it.

Properties: vercel.com/docs/project-configuration/vercel-json, looked up 2026-11-25.
"""

from __future__ import annotations

from ..model import ABSENT, MAP, SCALAR, Item, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..model import Artifact


def load(artifact: Artifact) -> None:
    """Sets the tree and the problems of the file."""
    if artifact.path.endswith(".toml"):
        from ..syntax import toml

        artifact.root, artifact.problems = toml.parse(artifact.source)
    elif artifact.path.endswith(".ts"):
        _load_program(artifact)
    else:
        from ..syntax import json

        artifact.root, artifact.problems = json.parse(artifact.source)


def _load_program(artifact: Artifact) -> None:
    """vercel.ts exports the same settings, as `config` or by default (vercel.com/docs/project-configuration)."""
    from ..syntax.javascript import evaluate

    module = evaluate(artifact.source, artifact.project.read if artifact.project is not None else None)
    artifact.root = module.exports.get("config") or module.default
    artifact.problems = module.problems


def signs(artifact: Artifact) -> tuple[str, str] | None:
    """Vercel reads the file for each of its deployments, production among them."""
    return ("production", "Vercel reads it for every deployment") if artifact.root.kind is MAP else None


def secrets(artifact: Artifact) -> list[tuple[int, int]]:
    """Literal values of `env` and `build.env`; neither references (`@name`) nor lower-case words."""
    found = []
    for item in environment(artifact):
        value = item.node
        text = value.text()
        if text and text[0] != "@" and not (text.isalpha() and text.islower()) and not text.isdigit():
            found.append((value.start, value.end))
    return found


def skip_answer(command: str) -> bool | None:
    """What an ignore command always answers: True = skip the build (exit 0), False = build; None when it depends.

    Only a chain of `echo`, `true`, `:` that ends in `exit N`, `true` or `false` always answers the same. Exit 0
    skips and anything else builds: vercel.com/kb/guide/how-do-i-use-the-ignored-build-step-field-on-vercel.
    """
    commands = _commands(command)
    if not commands:
        return None
    *before, last = commands
    if any(words[0] not in ("echo", "true", ":") for words in before):
        return None
    if last[0] == "exit" and len(last) == 2 and last[1].isdecimal() and len(last[1]) < 10:
        return int(last[1]) % 256 == 0
    return {"true": True, ":": True, "echo": True, "false": False}.get(last[0])


def _commands(text: str) -> list[list[str]]:
    """Commands of a chain by `;` or `&&` as words without quotes; empty for any other shell grammar."""
    commands: list[list[str]] = [[]]
    word: str | None = None
    quote = ""
    at = 0
    while at < len(text):
        letter = text[at]
        if quote:
            if letter == quote:
                quote = ""
            elif quote == '"' and letter in "$`\\":
                return []
            else:
                word = (word or "") + letter
        elif letter in "'\"":
            quote, word = letter, word or ""
        elif letter in " \t\n;" or text.startswith("&&", at):
            if word is not None:
                commands[-1].append(word)
                word = None
            if letter not in " \t":
                if not commands[-1]:
                    return []
                commands.append([])
                at += letter == "&"
        elif letter in "|&<>()$`\\{}#*?":
            return []
        else:
            word = (word or "") + letter
        at += 1
    if word is not None:
        commands[-1].append(word)
    if not commands[-1]:
        commands.pop()
    return [] if quote or not all(commands) else commands


def file(artifact: Artifact) -> list[Item]:
    """The file as a whole: facts `name`, `builders`, `route_count`, keys as `builds_key` ..., `contradicts`."""
    root = artifact.root
    if root.kind is not MAP:
        return []
    builders = dict.fromkeys(text for each in root.get("builds").elements() if (text := each.get("use").text()))
    facts = {
        "name": artifact.path.rpartition("/")[2],
        "contradicts": contradicts(root),
        "builders": "', '".join(builders),
        "builds_key": root.key("builds"),
        "routes_key": root.key("routes"),
        "route_count": len(root.get("routes").elements()),
    }
    return [Item(root, facts, _head(root))]


def contradicts(root: Node) -> bool:
    """True when the ignore command prints that nothing is deployed, and always answers that the build goes on."""
    command = root.get("ignoreCommand").text()
    if command is None or skip_answer(command) is not False:
        return False
    words = command.lower()
    return any(
        word in words for word in ("block", "skip", "disabled", "not deploy", "ignored", "cancel", "not support")
    )


def functions(artifact: Artifact) -> list[Item]:
    """Entries of `functions`: fact `pattern`; the node is the settings, the place the pattern."""
    return [Item(value, {"pattern": key.value}, key) for key, value in artifact.root.get("functions").items()]


def regions(artifact: Artifact) -> list[Item]:
    """Every region named: facts `region` (the text) and `property`."""
    found = []
    for key, value, owner in _region_lists(artifact.root):
        for element in value.elements():
            if element.kind is SCALAR:
                found.append(Item(element, {"region": element.value, "property": key, "list": owner}))
    return found


def _region_lists(root: Node) -> Iterator[tuple[str, Node, Node]]:
    for name in ("regions", "functionFailoverRegions", "passiveRegions"):
        yield name, root.get(name), root.key(name)
    for pattern, settings in root.get("functions").items():
        for name in ("regions", "functionFailoverRegions"):
            yield f"functions.{pattern.value}.{name}", settings.get(name), settings.key(name)


def routes(artifact: Artifact) -> list[Item]:
    """Entries of the legacy `routes`: facts `src`, `dest` (nodes), `noop` (it maps a path to itself)."""
    return [
        Item(entry, {"src": entry.get("src"), "dest": entry.get("dest"), "noop": maps_to_itself(entry)}, _head(entry))
        for entry in artifact.root.get("routes").elements()
    ]


def maps_to_itself(entry: Node) -> bool:
    """True when a route does nothing but send a path to the same path: `/api/(.*)` to `/api/$1`."""
    source, target = entry.get("src").text(), entry.get("dest").text()
    if source is None or target is None or any(key.value not in ("src", "dest") for key, _ in entry.items()):
        return False
    for group in ("(.*)", "(.+)"):
        if source.count("(") == source.count(group) == 1:
            return source.removeprefix("^").removesuffix("$").replace(group, "$1") == target
    return "(" not in source and source.removeprefix("^").removesuffix("$") == target


def builds(artifact: Artifact) -> list[Item]:
    """Entries of the legacy `builds`: facts `src`, `use`."""
    return _entries(artifact, "builds", ("src", "use"))


def headers(artifact: Artifact) -> list[Item]:
    """Entries of `headers`: facts `source` (node), `headers` (list of (key node, value node)), `conditional`."""
    found = []
    for entry in artifact.root.get("headers").elements():
        pairs = [(each.get("key"), each.get("value")) for each in entry.get("headers").elements()]
        conditional = bool(entry.get("has")) or bool(entry.get("missing"))
        facts = {"source": entry.get("source"), "headers": pairs, "conditional": conditional}
        found.append(Item(entry, facts, entry.key("source") or _head(entry)))
    return found


def rewrites(artifact: Artifact) -> list[Item]:
    """Entries of `rewrites`: facts `source`, `destination`."""
    return _entries(artifact, "rewrites", ("source", "destination"))


def redirects(artifact: Artifact) -> list[Item]:
    """Entries of `redirects`: facts `source`, `destination`."""
    return _entries(artifact, "redirects", ("source", "destination"))


def crons(artifact: Artifact) -> list[Item]:
    """Entries of `crons`: facts `path`, `schedule`."""
    return _entries(artifact, "crons", ("path", "schedule"))


def _entries(artifact: Artifact, name: str, facts: tuple[str, ...]) -> list[Item]:
    return [
        Item(entry, {fact: entry.get(fact) for fact in facts}, _head(entry))
        for entry in artifact.root.get(name).elements()
    ]


def environment(artifact: Artifact) -> list[Item]:
    """Variables of `env` and `build.env`: facts `name`, `scope`, `value` (the node); the place is the name."""
    root = artifact.root
    found = []
    for scope, block in (("env", root.get("env")), ("build.env", root.get("build", "env"))):
        for key, value in block.items():
            found.append(Item(value, {"name": key.value, "scope": scope, "value": value}, key))
    return found


def _head(node: Node) -> Node:
    """The first key of a map, else the node: a short token for an entry of a list."""
    return node.value[0][0] if node.kind is MAP and node.value else node or ABSENT


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {
    "file": file,
    "functions": functions,
    "regions": regions,
    "routes": routes,
    "builds": builds,
    "headers": headers,
    "rewrites": rewrites,
    "redirects": redirects,
    "crons": crons,
    "env": environment,
}
