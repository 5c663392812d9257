"""Turns a Dockerfile into an artifact: its stages, what they run, copy, set and are based on.

Views (what only a development or test stage needs is left out of runs, copies, settings, images and stages)

* `file`: one item, its place the first FROM; `stages`, `final` (the released stages), `cmd`, `entrypoint`, `context`
  (dockerfile_context.Context), `parsed` (syntax.dockerfile.Dockerfile).
* `stages`, `final_stage`: see dockerfile_stages.build.
* `instructions`: name, form, stage, instruction.
* `runs`: the commands of RUN, see dockerfile_runs.commands.
* `copies`: add, sources, dest, path, from (None, a stage's or an image's Item, UNKNOWN), whole, chown, chmod, checksum,
  stage.
* `settings`: each ARG and ENV pair: name, value (Node, UNKNOWN, None without one), kind, legacy, stage, shipped.
* `images`: each distinct image from elsewhere, see dockerfile_images.read; also stages (that use it), shipped (it is
  the base of a released stage), others (its further places).
"""

from __future__ import annotations

import re

from ..model import SCALAR, UNKNOWN, Item, Node
from ..syntax import dockerfile as syntax
from . import credential, dockerfile_context, dockerfile_stages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ..model import Artifact

_MODES = ("NODE_ENV", "RAILS_ENV", "APP_ENV", "FLASK_ENV", "ENVIRONMENT", "ASPNETCORE_ENVIRONMENT")
_TOKENS = ("_authtoken=", "_auth=", "_password=", "://")
_PROGRAMS = (".c", ".cs", ".css", ".go", ".h", ".html", ".java", ".js", ".php", ".py", ".rb", ".rs", ".ts")
# A Dockerfile begins with FROM, behind comments and ARG at most
# (https://docs.docker.com/reference/dockerfile/#format, looked up 2026-11-25); `from x import y` is no FROM.
_BEGINS = (
    r"(?im)\A(?:[ \t]*(?:#.*)?\r?\n)*[ \t]*"
    r"(?:ARG[ \t]+\w|FROM[ \t]+(?:--\S+[ \t]+)*\S+(?:[ \t]+AS[ \t]+\S+)?[ \t]*\r?$)"
)


def looks_like(path: str, text: str) -> bool:
    """Whether it is a Dockerfile: `Dockerfile.go` by its name; `dockerfile.py`, a module's name too, by its start."""
    name = path.rpartition("/")[2]
    return name[0].isupper() or not name.lower().endswith(_PROGRAMS) or re.match(_BEGINS, text) is not None


def load(artifact: Artifact) -> None:
    """Reads the artifact's source: sets root and problems, and the `file` view with what was read."""
    parsed = syntax.parse(artifact.source)
    artifact.root = parsed.root
    artifact.problems = parsed.problems
    made = dockerfile_stages.build(parsed)
    place = next((each.keyword for each in parsed.instructions if each.name == "FROM"), None)
    if place is None:
        place = parsed.instructions[0].keyword if parsed.instructions else parsed.root
    facts: dict[str, Any] = {"parsed": parsed, "made": made, "stages": made.stages, "settled": False}
    artifact.views["file"] = [Item(parsed.root, facts, place)]


def of(artifact: Artifact) -> dict[str, Any]:
    """The facts of the file as a whole, its build context and released stages settled."""
    if "file" not in artifact.views:
        load(artifact)
    facts = artifact.views["file"][0].facts
    if not facts["settled"]:
        facts["settled"] = True
        made = facts["made"]
        copies = [copy for stage in made.stages for copy in stage.facts["copies"]]
        facts["context"] = context = dockerfile_context.find(artifact, copies)
        names = [
            target.lower()
            for other, service in context.services
            if other.state == "judged" and isinstance(target := service.facts["build"].facts["target"], str)
        ]
        targets = [stage for stage in made.stages if stage.facts["name"] and stage.facts["name"].lower() in names]
        if targets:
            dockerfile_stages.release(made, targets)
        facts["final"] = made.final
        facts["built"] = [stage for stage in made.stages if stage.facts["built"]]
        last = made.final[-1].facts if made.final else {}
        facts["cmd"], facts["entrypoint"] = last.get("cmd"), last.get("entrypoint")
    return facts


def file(artifact: Artifact) -> list[Item]:
    of(artifact)
    return artifact.views["file"]


def started(stage: Item) -> list[Item]:
    """The commands of a stage's ENTRYPOINT and CMD, in the order in which they are put together."""
    found: list[Item] = []
    for part in ("entrypoint", "cmd"):
        if stage.facts[part] is not None:
            found += stage.facts[part].facts["commands"]
    return found


def stages(artifact: Artifact) -> list[Item]:
    found: list[Item] = of(artifact)["built"]
    return found


def final_stage(artifact: Artifact) -> list[Item]:
    found: list[Item] = of(artifact)["final"]
    return found


def instructions(artifact: Artifact) -> list[Item]:
    found: list[Item] = of(artifact)["made"].instructions
    return found


def _commands(artifact: Artifact) -> list[Item]:
    return [command for stage in stages(artifact) for command in stage.facts["runs"]]


def copies(artifact: Artifact) -> list[Item]:
    return [copy for stage in stages(artifact) for copy in stage.facts["copies"]]


def settings(artifact: Artifact) -> list[Item]:
    found: list[Item] = list(of(artifact)["made"].arguments)
    for stage in stages(artifact):
        for kind in ("args", "env"):
            for item in stage.facts[kind].values():
                if item.facts["stage"] is stage:
                    item.facts["shipped"] = stage.facts["shipped"]
                    found.append(item)
    for item in found:
        item.facts.setdefault("shipped", False)
    return sorted(found, key=lambda item: item.place.start)


def images(artifact: Artifact) -> list[Item]:
    found: dict[str, Item] = {}
    for stage in stages(artifact):
        base = [stage.facts["image"]] if stage.facts["parent"] is None else []
        for image in [*base, *stage.facts["external"]]:
            if not isinstance(image, Item):
                if isinstance(image, Node):
                    key = f"?{image.value}"
                    found.setdefault(
                        key, Item(image, {"known": False, "text": image.value, "stages": [], "others": []})
                    )
                    found[key].facts["stages"].append(stage)
                continue
            first = found.setdefault(image.facts["text"], image)
            facts = first.facts
            facts.setdefault("stages", []).append(stage)
            facts.setdefault("others", [])
            if first is not image:
                facts["others"].append(image)
            facts["shipped"] = facts.get("shipped", False) or (image in base and stage.facts["shipped"])
    return list(found.values())


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {
    "file": file,
    "stages": stages,
    "final_stage": final_stage,
    "instructions": instructions,
    "runs": _commands,
    "copies": copies,
    "settings": settings,
    "images": images,
}


def signs(artifact: Artifact) -> tuple[str, str] | None:
    """What the released stage says about its environment: the mode it sets, the server it starts, its own name."""
    found = artifact.views.get("file")  # not there when the file could not be read
    if not found or not found[0].facts["made"].final:
        return None
    made = found[0].facts["made"]
    facts = made.final[-1].facts
    for part in ("entrypoint", "cmd"):
        commands = facts[part].facts["commands"] if facts[part] is not None else []
        if any(command.facts["call"].develops for command in commands):
            return "development", "it starts a development server"
        if any(command.facts["words"][:2] in (["sleep", "infinity"], ["tail", "-f"]) for command in commands):
            return "development", "it keeps the container alive and starts nothing"
    for name in _MODES:
        value = facts["env"].get(name)
        text = value.facts["value"].value.lower() if value is not None and value.facts["value"].kind is SCALAR else ""
        if text in ("production", "prod"):
            return "production", f"its last stage sets {name} to production"
        if text in ("development", "dev", "local"):
            return "development", f"its last stage sets {name} to development"
        if text in ("test", "testing"):
            return "test", f"its last stage sets {name} to test"
    words = facts["name"].lower().replace("-", "_").split("_")
    if "production" in words or "prod" in words:
        return "production", f"its last stage is named '{facts['name']}'"
    if facts["aside"]:
        return "development", f"its only stage to release is named '{facts['name']}'"
    return None


def secrets(artifact: Artifact) -> list[tuple[int, int]]:
    """Values of ARG and ENV that may be credentials, passwords in URLs, tokens and secret assignments in commands."""
    if "file" not in artifact.views:
        return []
    made = artifact.views["file"][0].facts["made"]
    found: set[tuple[int, int]] = set()
    for item in made.instructions:
        found.update(_secret_spans(item.facts["instruction"]))
    for stage in made.stages:
        for command in stage.facts["runs"]:
            for node in command.facts["nodes"]:
                if node.kind is UNKNOWN or len(node.value) < 4:
                    continue
                name, equals, value = node.value.partition("=")
                lower = node.value.lower()
                if (equals and value and credential.secret_name(name.rpartition(":")[2].lstrip("-"))) or (
                    any(token in lower for token in _TOKENS) and _has_credential(node.value)
                ):
                    found.add((node.start, node.end))
    return sorted(found)


def _secret_spans(instruction: syntax.Instruction) -> Iterator[tuple[int, int]]:
    if instruction.inner is not None:
        yield from _secret_spans(instruction.inner)
    for name, value in instruction.pairs:
        if value and value.value and (credential.secret_name(name.value) or _has_credential(value.value)):
            yield value.start, value.end


def _has_credential(text: str) -> bool:
    lower = text.lower()
    return credential.url_password(text) is not None or any(token in lower for token in _TOKENS[:-1])
