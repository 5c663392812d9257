"""Turns railway.toml, railway.json and `.railway/railway.ts` into the services that Railway builds and runs.

The first two ("Config as Code") configure one service and may override settings for an environment; the third
("Infrastructure as Code") describes a project in calls of the `railway/iac` package. Sources, looked up 2026-11-25:
docs.railway.com/config-as-code/reference, docs.railway.com/infrastructure-as-code/reference, and
github.com/railwayapp/railway-ts-sdk (src/iac/sdk.ts: which of its synonyms wins).
"""

from __future__ import annotations

from ..model import ABSENT, MAP, SCALAR, SEQ, UNKNOWN, Item, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from ..model import Artifact

SETTINGS = {
    "build": ("builder", "buildCommand", "dockerfilePath", "watchPatterns"),
    "deploy": (
        "startCommand", "preDeployCommand", "healthcheckPath", "healthcheckTimeout", "restartPolicyType",
        "restartPolicyMaxRetries", "cronSchedule", "numReplicas", "overlapSeconds", "drainingSeconds",
    ),
}  # fmt: skip

# What a call's `service(name, {...})` writes instead, strongest first (normalizeDeploy in sdk.ts).
_SYNONYMS: dict[str, tuple[tuple[str, ...], ...]] = {
    "startCommand": (("start",), ("startCommand",), ("run", "command"), ("deploy", "startCommand")),
    "preDeployCommand": (
        ("preDeploy",), ("preDeployCommand",), ("run", "preDeploy"), ("deploy", "preDeployCommand"),
    ),
    "healthcheckPath": (
        ("healthcheck",), ("healthcheckPath",), ("run", "healthcheck"), ("deploy", "healthcheckPath"),
    ),
    "healthcheckTimeout": (
        ("healthcheckTimeout",), ("run", "healthcheckTimeout"), ("deploy", "healthcheckTimeout"),
    ),
    "numReplicas": (("replicas",), ("deploy", "numReplicas")),
}  # fmt: skip


def load(artifact: Artifact) -> None:
    """Sets the tree and the problems; the tree of a program is the list of its services' settings."""
    if artifact.path.endswith(".ts"):
        _load_program(artifact)
        return
    if artifact.path.endswith(".json"):
        from ..syntax import json

        artifact.root, artifact.problems = json.parse(artifact.source)
    else:
        from ..syntax import toml

        artifact.root, artifact.problems = toml.parse(artifact.source)


def recognises(root: Node) -> bool:
    """Whether a railway.json is Railway's: other tools keep catalog entries and data under that name."""
    return root.kind is MAP and any(root.key(name) for name in ("build", "deploy", "$schema", "environments"))


def signs(artifact: Artifact) -> tuple[str, str] | None:
    """Railway reads the file for each of its deployments, production among them."""
    return ("production", "Railway reads it for every deployment") if artifact.root else None


def secrets(artifact: Artifact) -> list[tuple[int, int]]:
    """Literal values of variables and registry passwords; neither references (`${{...}}`) nor plain words."""
    found = []
    for item in variables(artifact):
        text = item.node.text()
        if text and "${{" not in text and not (text.isalpha() and text.islower()) and not text.isdigit():
            found.append((item.node.start, item.node.end))
    for service in services(artifact):
        password = service.get("credentials").get("password")
        if password.kind is SCALAR:
            found.append((password.start, password.end))
    return found


def legacy(artifact: Artifact) -> bool:
    """Whether this is one of the files whose reading Railway ends (Config as Code)."""
    return not artifact.path.endswith(".ts")


def ended(artifact: Artifact) -> bool:
    """Whether, on the day of judgement, Railway no longer reads the file at all."""
    if not legacy(artifact) or artifact.project is None:
        return False
    table = artifact.project.table("railway")
    return bool(table) and str(artifact.project.as_of) >= str(table["config_as_code"]["ends"])


def folder_of(artifact: Artifact) -> str:
    """The folder a file speaks for: its own, for a program the one that holds `.railway`; "" for the root."""
    folder = artifact.path.rpartition("/")[0]
    return folder.removesuffix(".railway").rstrip("/") if not legacy(artifact) else folder


def file(artifact: Artifact) -> list[Item]:
    """The file as a whole: facts `name`, `legacy`, `ended`, `program` (path of the successor file, if there)."""
    root = artifact.root
    if not root:
        return []
    place = root.value[0][0] if root.kind is MAP and root.value else root
    facts = {
        "name": artifact.path.rpartition("/")[2],
        "legacy": legacy(artifact),
        "ended": ended(artifact),
        "program": _successor(artifact),
    }
    return [Item(root, facts, place)]


def _successor(artifact: Artifact) -> str | None:
    """The nearest `.railway/railway.ts` (or .py, .go) at or above the file."""
    if not legacy(artifact) or artifact.project is None:
        return None
    folder = folder_of(artifact)
    while True:
        for ending in ("ts", "py", "go"):
            path = f"{folder}/.railway/railway.{ending}".lstrip("/")
            if artifact.project.exists(path):
                return path
        if not folder:
            return None
        folder = folder.rpartition("/")[0]


def services(artifact: Artifact) -> list[Item]:
    """What Railway runs in production: one item a service, the settings of SETTINGS as facts (nodes).

    Further facts: `name`, `legacy`, `folder` (its source, root-relative), `source` ("github", "image", ...),
    `domains`, `credentials`, `build_at`, `deploy_at` (where a missing setting would stand). After the end of
    Config as Code its files describe nothing.
    """
    if ended(artifact):
        return []
    if not legacy(artifact):
        return [_called(artifact, entry) for entry in artifact.root.elements()]
    root = artifact.root
    if root.kind is not MAP:
        return []
    place = root.value[0][0] if root.value else root
    facts: dict[str, Any] = {"name": "", "legacy": True, "folder": folder_of(artifact), "source": "", "domains": ABSENT}
    for section, names in SETTINGS.items():
        base, override = root.get(section), root.get("environments", "production", section)
        for name in names:
            facts[name] = override.get(name) or base.get(name)
        facts[f"{section}_at"] = root.key(section) or place
    facts["credentials"] = root.get("deploy", "registryCredentials")
    return [Item(root, facts, place)]


def _called(artifact: Artifact, entry: Node) -> Item:
    """The item of one `service(name, settings)` call; `entry` holds both, see `_load_program`."""
    from ..syntax.javascript import lookup

    name, settings = entry.get("name"), entry.get("settings")
    facts: dict[str, Any] = {"name": name.text() or "", "legacy": False}
    for section, names in SETTINGS.items():
        for setting in names:
            paths = _SYNONYMS.get(setting, ((section, setting),))
            facts[setting] = next((node for path in paths if (node := lookup(settings, *path))), ABSENT)
        facts[f"{section}_at"] = settings.key(section) or name
    short = lookup(settings, "build")
    if short.kind is SCALAR:
        facts["buildCommand"] = short
        facts["builder"] = facts["dockerfilePath"] = facts["watchPatterns"] = ABSENT
    root = next(
        (
            node
            for path in (("root",), ("rootDirectory",), ("source", "rootDirectory"))
            if (node := lookup(settings, *path))
        ),
        ABSENT,
    )
    facts["folder"] = _join(folder_of(artifact), (root.text() or "").removeprefix("./").strip("/"))
    facts["source"] = lookup(settings, "source", "type").text() or ""
    facts["domains"] = lookup(settings, "domains")
    facts["credentials"] = lookup(settings, "deploy", "registryCredentials")
    return Item(settings, facts, name)


def _join(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def _load_program(artifact: Artifact) -> None:
    """The tree of a program: a list with a map of `name` and `settings` for each service it describes.

    It is evaluated for the environment "production", as `railway config plan` evaluates it for the linked one.
    """
    from ..syntax.javascript import OPEN, evaluate

    services: list[Node] = []

    def text(word: str, at: Node) -> Node:
        return Node(SCALAR, word, at.source, at.start, at.end, '"')

    def mapping(at: Node, tag: str | None = None, **entries: Node) -> Node:
        pairs = [(text(name, at), value) for name, value in entries.items()]
        return Node(MAP, pairs, at.source, at.start, at.end, tag=tag)

    def service(arguments: Sequence[Node], at: Node) -> Node:
        if not arguments:
            return Node(UNKNOWN, "service()", at.source, at.start, at.end)
        settings = arguments[1] if len(arguments) > 1 else mapping(at)
        made = mapping(at, OPEN, name=arguments[0], settings=settings)
        services.append(made)
        return made

    def source(kind: str) -> Callable[[Sequence[Node], Node], Node]:
        def called(arguments: Sequence[Node], at: Node) -> Node:
            options = arguments[1].items() if len(arguments) > 1 else ()
            pairs = [(text("type", at), text(kind, at)), *options]
            return Node(MAP, pairs, at.source, at.start, at.end)

        return called

    def first(arguments: Sequence[Node], at: Node) -> Node:
        return arguments[0] if arguments else at

    project = artifact.project
    module = evaluate(
        artifact.source,
        read=project.read if project is not None else None,
        calls={
            "defineRailway": first, "define": first, "service": service, "fn": service,
            "github": source("github"), "image": source("image"), "template": source("template"),
            "empty": source("empty"),
        },
    )  # fmt: skip
    start = max(artifact.source.text.find("defineRailway("), 0)
    here = Node(UNKNOWN, "defineRailway", artifact.source, start, min(start + 13, len(artifact.source.text)))
    production = text("production", here)
    module.result(module.default, mapping(here, OPEN, environment=production, environmentName=production))
    artifact.root = Node(SEQ, services, artifact.source, here.start, here.end)
    artifact.problems = module.problems


def build(artifact: Artifact) -> list[Item]:
    """The build settings of each service: facts as written, place `build`."""
    return [_section(item, "build") for item in services(artifact)]


def deploy(artifact: Artifact) -> list[Item]:
    """The deploy settings of each service: facts as written, place `deploy`."""
    return [_section(item, "deploy") for item in services(artifact)]


def _section(service: Item, section: str) -> Item:
    facts = {name: service.facts[name] for name in SETTINGS[section]}
    facts["service"] = service
    return Item(service.node.get(section), facts, service.facts[f"{section}_at"])


def environments(artifact: Artifact) -> list[Item]:
    """Overrides for an environment: facts `name`, `production`; staging and `pr` are not production."""
    if ended(artifact) or not legacy(artifact):
        return []
    return [
        Item(value, {"name": key.value, "production": key.value.lower() in ("production", "prod")}, key)
        for key, value in artifact.root.get("environments").items()
    ]


def variables(artifact: Artifact) -> list[Item]:
    """Variables wherever people write them: facts `name`, `service`, `read` (Railway reads them there).

    In a program that is `env` or `variables` of a service. Config as Code has no variables: whatever stands in a
    table of such a name is not read, but shows what was meant.
    """
    if ended(artifact):
        return []
    if not legacy(artifact):
        found: list[Item] = []
        for item in services(artifact):
            for block in ("variables", "env"):
                found.extend(_pairs(item.node.get(block), item.facts["name"], True))
        return found
    return [item for block, service in _blocks(artifact.root, "") for item in _pairs(block, service, False)]


_BLOCKS = ("env", "environment", "environmentVariables", "variables", "vars", "secrets")


def _blocks(node: Node, service: str) -> Iterator[tuple[Node, str]]:
    """Tables with the name of a variable block, at most three levels down, with the service they stand under."""
    stack = [(node, service, 0)]
    while stack:
        current, outer, depth = stack.pop()
        for table in (current, *current.elements()):
            owner = (table.get("name").text() if depth else None) or outer
            for key, value in table.items():
                if key.value in _BLOCKS:
                    yield value, owner
                elif depth < 3 and key.value != "environments" and value.kind is not SCALAR:
                    stack.append((value, owner, depth + 1))


def _pairs(block: Node, service: str, read: bool) -> Iterator[Item]:
    for key, value in block.items():
        if value.kind is SCALAR or value.kind is UNKNOWN:
            yield Item(value, {"name": key.value, "service": service, "read": read}, key)
    for element in block.elements():
        name, value = element.get("name").text(), element.get("value")
        if name and (value.kind is SCALAR or value.kind is UNKNOWN):
            yield Item(value, {"name": name, "service": service, "read": read}, element.key("name"))


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {
    "file": file,
    "services": services,
    "build": build,
    "deploy": deploy,
    "environments": environments,
    "variables": variables,
}
