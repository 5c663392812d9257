"""Answers what ARG and ENV set: secrets, the mode of the runtime, the port."""

from __future__ import annotations

import re

from ..kinds import credential, dockerfile
from ..model import SCALAR, UNKNOWN, Fault, Item, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

# What builds are given so that they do not stop at a missing variable.
_FILLER = (
    "dummy", "fake", "placeholder", "build", "change", "example", "your", "test", "mock", "temp", "skip", "not-used",
    "not_used", "not-real", "ignore", "xxx", "localhost", "127.0.0.1", ":password@", ":pass@", "postgres:postgres@",
    "user:",
)  # fmt: skip
_FRAMEWORKS = (
    "next", "express", "koa", "fastify", "@nestjs/core", "@hapi/hapi", "nuxt", "react-dom", "@remix-run/node", "hono",
    "@adonisjs/core", "@feathersjs/feathers", "sails", "strapi", "@strapi/strapi", "vue",
)  # fmt: skip


def secret(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault for each name of a secret that is written into the image or passed as a build argument."""
    found: dict[str, list[tuple[str, Item]]] = {}
    for item in dockerfile.settings(file):
        how = _how(item)
        if how:
            found.setdefault(item.facts["name"], []).append((how, item))
    for name, entries in found.items():
        if any(name.endswith(suffix) or name == suffix for suffix in params["ignore"]):
            continue
        entries.sort(key=lambda entry: ("literal", "kept", "argument").index(entry[0]))
        how, first = entries[0]
        related = [(other, f"{name} again") for _, other in entries[1:]]
        place = first if how == "argument" or not isinstance(first.facts["value"], Node) else first.node
        yield Fault(
            place if how != "literal" else first,
            related,
            how if how != "literal" else "default",
            "warning" if how == "argument" else None,
            name=name,
            instruction=first.facts["kind"],
        )


def _how(item: Item) -> str:
    """In which way a pair gives a secret away: "literal", "kept" (an argument kept by ENV), "argument", or ""."""
    facts = item.facts
    name, value, written = facts["name"], facts["value"], facts["written"]
    named = credential.secret_name(name)
    if facts["kind"] == "ARG" and not (written or "").strip("\"'"):
        inherited = facts["inherited"]
        given = inherited is not None and inherited.facts["written"]
        return "argument" if named and not given and facts["stage"] is not None else ""
    if written is not None and "$" not in written:
        text = value.value if value is not None else written
        if not (named or credential.url_password(text)) or credential.stand_in(text, name):
            return ""
        if any(word in text.lower() for word in _FILLER):
            return ""
        # In a stage that is thrown away nearly every such value is there so that the build does not stop.
        return "literal" if facts["shipped"] or _random(text) else ""
    kept = named and facts["kind"] == "ENV" and facts["shipped"] and _from_argument(item)
    return "kept" if kept else ""


def _from_argument(item: Item) -> bool:
    """Whether the value of an ENV is a build argument of the same stage."""
    arguments = item.facts["stage"].facts["args"]
    return any(name in arguments for name in re.findall(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)", item.facts["written"] or ""))


def _random(text: str) -> bool:
    """Letters and digits mixed over a length that nobody types."""
    return len(text) >= 20 and any(c.isdigit() for c in text) and any(c.isalpha() for c in text) and " " not in text


def legacy(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault for all `ENV name value` of a file."""
    found = [
        item for item in dockerfile.instructions(file) if item.facts["name"] == "ENV" and item.facts["form"] == "legacy"
    ]
    pairs = [pair for item in found for pair in item.facts["instruction"].pairs]
    if pairs:
        first = pairs[0][0]
        yield Fault(
            first,
            [(key, "the same form") for key, _ in pairs[1:]],
            names=", ".join(dict.fromkeys(key.value for key, _ in pairs)),
            name=first.value,
        )


def mode(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault when a Node.js server is released without, or with another than, NODE_ENV=production."""
    commands = dockerfile.started(it)
    node = [command for command in commands if _is_node(command)]
    value = it.facts["env"].get("NODE_ENV")
    if value is not None:
        resolved = value.facts["value"]
        if resolved.kind is UNKNOWN:
            raise Undecided("a variable holds NODE_ENV", value)
        if resolved.value != "production" and (node or not commands):
            yield Fault(value.node, message="other", value=resolved.value, stage=it.facts["title"])
        return
    if not node:
        return
    command = node[0]
    if "NODE_ENV" in command.facts["assigned"] or _sets_itself(it, command):
        return
    package = file.project.package(file.path)
    if package is None or not package.scripts_known:
        raise Undecided("package.json is not known", command)
    if not any(package.has(name) for name in _FRAMEWORKS):
        return
    if file.project.elsewhere():
        raise Undecided(f"what runs the image may set NODE_ENV: {file.project.elsewhere()}", command)
    script = package.script(command.facts["call"].script) if command.facts["call"].script else ""
    if script is None or "NODE_ENV" in (script or "") or "next start" in (script or "") or _given(file):
        return
    yield Fault(command, stage=it.facts["title"], command=command.facts["text"])


def _is_node(command: Item) -> bool:
    call = command.facts["call"]
    return call.tool in ("node", "bun", "tsx", "pm2-runtime", "pm2", "next") or bool(call.manager and call.script)


def _sets_itself(stage: Item, command: Item) -> bool:
    """`next start` and the server of a standalone build set NODE_ENV themselves."""
    if command.facts["call"].tool == "next":
        return True
    return any(
        ".next/standalone" in str(word.value)
        for each in stage.facts["chain"]
        for copy in each.facts["copies"]
        for word in copy.facts["sources"]
    )


def _given(file: Artifact) -> bool:
    """Whether a Compose service that builds the file, or a pod of the tree, sets NODE_ENV."""
    if any("NODE_ENV" in service.facts["environment"] for _, service in dockerfile.of(file)["context"].services):
        return True
    return any("NODE_ENV" in other.source.text for kind in ("k8s", "railway") for other in file.project.artifacts(kind))


def port(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when PORT and every EXPOSE of the released stage differ."""
    value = it.facts["env"].get("PORT")
    exposed = [each for each in it.facts["ports"] if each.facts["protocol"] == "tcp"]
    if value is None or not exposed:
        return
    resolved = value.facts["value"]
    if resolved.kind is not SCALAR or any(isinstance(each.facts["port"], Node) for each in exposed):
        raise Undecided("a variable holds a port", value)
    if (
        resolved.value.isdecimal()
        and len(resolved.value) < 20
        and int(resolved.value) not in [each.facts["port"] for each in exposed]
    ):
        yield Fault(
            exposed[-1].node,
            [(value.node, "the port the application is given")],
            exposed=", ".join(str(each.facts["port"]) for each in exposed),
            port=resolved.value,
        )
