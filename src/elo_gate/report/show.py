"""Turns the model of a tree into plain data with the origin of every value: `elo-gate show`.

One document a noun: services, headers, env, files, pipelines. A place is `path`, `line` and `column`, 1-based. Every
text in a document is masked and fits on a line; the value of an environment variable is in none.
"""

from __future__ import annotations

from ..inert import inert
from ..redact import mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..model import Item, Node
    from ..project import Project

    Document = dict[str, Any]

NOUNS = ("services", "headers", "env", "files", "pipelines")
VERSION = 1


class ModelError(Exception):
    """The model of a tree cannot be made; the message holds nothing of the tree."""


def document(project: Project, noun: str) -> Document:
    """What the model knows of a noun, as plain data that may be shown. Raises ModelError."""
    try:
        return {"version": VERSION, "noun": noun, **_MAKERS[noun](project)}
    except Exception as error:
        raise ModelError(f"the model of {noun} failed: {type(error).__name__}") from None


def say(text: Any, limit: int = 0) -> str:
    """A text that may be shown: without secrets, on one line, cut where it is longer than `limit`."""
    return inert(mask(str(text)), limit)


def place(node: Node) -> Document:
    """Where a node stands."""
    line, column = node.source.position(node.start)
    return {"path": inert(node.source.path), "line": line, "column": column}


def _places(nodes: list[Node]) -> list[Document]:
    found = [place(node) for node in nodes if node.source.path]
    return sorted(found, key=lambda each: (each["path"], each["line"], each["column"]))


# -- services


def _services(project: Project) -> Document:
    from ..project import services

    found = services.of(project)
    return {"services": [_service(each) for each in found], "beside": [_store(each) for each in _stores(project)]}


def _stores(project: Project) -> list[Item]:
    """The Compose services that are no application: data stores, proxies, tools."""
    from ..kinds import compose, compose_roles

    judged = [each for each in project.artifacts("compose") if each.state == "judged"]
    items = [item for artifact in judged for item in compose.VIEWS["services"](artifact)]
    return [item for item in items if item.facts["role"] != compose_roles.APP]


def _store(item: Item) -> Document:
    image = item.facts["image"]
    return {
        "name": say(item.facts["name"]),
        "role": item.facts["role"],
        "image": say(_text(image.node)) if image is not None else "",
        **place(item.place),
    }


def _service(service: Any) -> Document:
    parts = {id(part): number for number, part in enumerate(service.parts, 1)}
    return {
        "name": say(service.name),
        "parts": [_part(part) for part in service.parts],
        "links": [
            {"parts": [parts[id(one)], parts[id(other)]], "why": say(why)}
            for one, other, why in service.links
            if id(one) in parts and id(other) in parts
        ],
    }


def _part(part: Any) -> Document:
    return {
        "kind": part.kind,
        "name": say(part.name),
        **place(part.place),
        "claims": [
            {
                "role": claim.role,
                "value": claim.value if isinstance(claim.value, int) else say(claim.value),
                **place(claim.node),
            }
            for claim in part.claims
        ],
        "open": say(part.open),
    }


# -- headers


def _headers(project: Project) -> Document:
    from ..project import headers

    return {"targets": [_target(item) for item in headers.items(project)]}


def _target(item: Item) -> Document:
    facts = item.facts
    return {
        "application": say(facts["application"]),
        "target": facts["target"],
        **place(item.place),
        "doubts": sorted({say(why) for why in facts["doubts"]}),
        "headers": [_header(each) for each in facts["headers"]],
    }


def _header(item: Item) -> Document:
    values = [
        {
            "value": say(_text(each.node)),
            "known": each.node.kind == "scalar",
            "covers": each.facts["covers"],
            **place(each.place if each.place.source.path else each.node),
        }
        for each in item.facts["values"]
    ]
    return {
        "name": say(item.facts["name"]),
        "state": item.facts["state"],
        "why": say(item.facts["why"]),
        "values": values,
    }


def _text(node: Node) -> str:
    if node.kind == "choice":
        return " or ".join(_text(each) for each in node.value)
    return node.value if isinstance(node.value, str) else ""


# -- environment variables


def _env(project: Project) -> Document:
    from ..project import variables

    items = variables.items(project)
    matrix = variables.of(project)
    numbers = {id(target): number for number, target in enumerate(matrix.targets, 1)}
    return {
        "targets": [
            {
                "number": number,
                "title": say(target.title),
                "platform": target.platform,
                "environment": target.environment,
                **place(target.place),
                "open": say(target.open),
            }
            for number, target in enumerate(matrix.targets, 1)
        ],
        "variables": [_variable(item, numbers, project.provided) for item in items],
        "computed": _places([node for each in matrix.applications.values() for node in each.open]),
    }


def _variable(item: Item, numbers: dict[int, int], provided: dict[str, set[str]]) -> Document:
    facts = item.facts
    given = []
    for target, node in facts["variable"].given:
        if id(target) in numbers and node.source.path:
            # What `[[provided]]` of the configuration names has no place in the tree but the target's own.
            platform = "docker" if target.platform == "compose" else target.platform
            told = facts["name"] in provided.get(target.platform, provided.get(platform, ()))
            declared = told and node is target.place
            given.append({"target": numbers[id(target)], "declared": declared, **place(node)})
    return {
        "name": say(facts["name"]),
        "application": say(facts["application"]),
        "needed": say(facts["needed"]),
        "public": facts["public"],
        "set_by_platform": facts["platform"],
        "library": say(facts["library"]),
        "read": [
            {**place(each.node), "form": each.facts["form"], "by": each.facts["where"], "times": each.facts["count"]}
            for each in facts["reads"]
        ],
        "documented": _places(facts["documented"]),
        "set": _places(facts["assigned"]),
        "ignored_files": [inert(path) for path in facts["local"]],
        "given": sorted(given, key=lambda each: (each["target"], each["path"], each["line"])),
    }


# -- files


def _files(project: Project) -> Document:
    listed = [
        {
            "path": inert(each.path),
            "kind": each.kind,
            "state": {"judged": "judged", "aside": "set aside", "broken": "not analysed"}[each.state],
            "environment": each.environment,
            "assumed": each.assumed and each.environment == "production",
            "why": say(_broken(each) if each.state == "broken" else each.why),
        }
        for each in project.all()
    ]
    listed += [
        {
            "path": inert(path),
            "kind": _kind(project, path),
            "state": "not judged",
            "environment": "",
            "assumed": False,
            "why": say(why),
        }
        for path, why in project.aside.items()
    ]
    unlisted = getattr(project.tree, "unlisted", {})
    return {
        "files": sorted(listed, key=lambda each: str(each["path"])),
        "folders_not_read": [
            {"path": inert(folder) or ".", "why": say(why)} for folder, why in sorted(unlisted.items())
        ],
    }


def _broken(artifact: Any) -> str:
    problem = next((each for each in artifact.problems if each.fatal), None)
    if problem is None:
        return str(artifact.why)
    line = artifact.source.position(problem.start)[0]
    return f"line {line}: {problem.message}" if artifact.source.text else problem.message


def _kind(project: Project, path: str) -> str:
    """What a file is that is not judged though its name is that of a kind; "" for every other."""
    from ..kinds import KINDS, kind_of

    kind = kind_of(path)
    left_out = project.aside[path] in ("git ignores it", "excluded by the configuration")
    return kind if left_out and kind is not None and kind in KINDS else ""


# -- pipelines


def _pipelines(project: Project) -> Document:
    from ..project import pipelines

    return {"pipelines": [_pipeline(item) for item in pipelines.items(project)]}


def _pipeline(item: Item) -> Document:
    facts = item.facts
    return {
        "name": say(facts["name"]),
        **place(item.place),
        "events": [{"name": say(event), **place(_trigger(facts["pipeline"], event))} for event in facts["events"]],
        "jobs": [_job(each, facts["pipeline"]) for each in facts["jobs"]],
        "open": say(facts["pipeline"].open),
    }


def _trigger(pipeline: Any, event: str) -> Node:
    """Where an event is named: its key below `on`, else what the pipeline keeps of it."""
    root = pipeline.artifact.root
    for document in root.elements() or [root]:
        key: Node = document.get("on").key(event)
        if key:
            return key
    kept: Node = pipeline.triggers[event] if pipeline.triggers[event].source.path else pipeline.place
    return kept


def _job(item: Item, pipeline: Any) -> Document:
    facts = item.facts
    job = pipeline.job(facts["id"])
    return {
        "id": say(facts["id"]),
        **place(item.place),
        "environment": _environment(job),
        "manual": job.manual if job is not None else False,
        "needs": [
            {"job": say(name), **place(node if node.source.path else item.place)}
            for name, node in (job.needs if job is not None else ())
        ],
        "calls": say(_text(facts["calls"])) if facts["calls"] else "",
        "gates": [
            {"name": each.facts["name"], "soft": say(each.facts["soft"]), **place(each.place)}
            for each in facts["gates"]
        ],
        "deploys": [
            {
                "platform": each.facts["platform"],
                "target": say(each.facts["target"]),
                "environment": say(each.facts["environment"]),
                "by": say(each.facts["by"]),
                **place(each.place),
            }
            for each in facts["deploys"]
        ],
    }


def _environment(job: Any) -> Document | None:
    """The environment a job names, and where."""
    node = job.environment if job is not None else None
    if node is not None and node.kind == "map":
        node = node.get("name")
    return {"name": say(_text(node)), **place(node)} if node and node.source.path else None


_MAKERS = {
    "services": _services,
    "headers": _headers,
    "env": _env,
    "files": _files,
    "pipelines": _pipelines,
}


def render(project: Project, noun: str, form: str) -> str:
    """The document of a noun as JSON, or as text for people."""
    if form == "json":
        import json

        return json.dumps(document(project, noun), indent=2, ensure_ascii=True) + "\n"
    from .show_text import lines

    return "\n".join(lines(document(project, noun))) + "\n"
