"""Judges railway.toml, railway.json and `.railway/railway.ts`: what Railway refuses, ignores or will not do."""

from __future__ import annotations

from ..kinds import railway
from ..model import ERROR, MAP, SCALAR, SEQ, UNKNOWN, WARNING, Fault, Undecided
from . import schema
from .railway_schema import BUILDERS, SCHEMA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact, Item, Node

    Answer = Iterator[Fault | Undecided]

POLICIES = ("ON_FAILURE", "ALWAYS", "NEVER")


def syntax(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a problem of the reader; nothing for a file that Railway no longer reads."""
    if not railway.ended(file):
        yield Fault(it, name=_name(file), problem=it.facts["message"].rstrip("."))


def config_as_code(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a file whose reading Railway has ended or will end; the day is data."""
    table = file.project.table("railway")["config_as_code"]
    program = it.facts["program"]
    values = {"name": it.facts["name"], "deprecated": table["deprecated"], "ends": table["ends"]}
    if program:
        yield Fault(it, message="leftover", severity=WARNING, program=program, **values)
    elif it.facts["ended"]:
        yield Fault(it, message="ended", severity=ERROR, **values)
    else:
        yield Fault(it, severity=WARNING, **values)


def unknown_key(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields each key that Railway does not know. A whole section is one fault, whatever it holds."""
    advice = file.project.table("railway")["unknown_keys"]
    for found in schema.violations(it.node, SCHEMA, it.place):
        if found.code is not schema.UNKNOWN_KEY or found.key.startswith("x-"):
            continue
        section = found.value.kind is MAP or (found.value.kind is SEQ and any(found.value.value))
        hint = advice.get(found.key) or (f"write `{found.expected}`" if found.expected else "")
        inside = _keys_inside(found.value)
        yield Fault(
            found.at,
            related=[(key, advice[name]) for name, key in inside.items() if name in advice],
            message="section" if section and not found.path else "key",
            severity=ERROR if section and not found.path else WARNING,
            key=schema.spell((*found.path, found.key)),
            where=schema.spell(found.path) or _name(file),
            inside="', '".join(inside) if inside else "nothing",
            hint=hint or "delete it, or set it in the settings of the service",
        )


def _keys_inside(node: Node) -> dict[str, Node]:
    """The first few keys of a table, or of the tables of a list, by name."""
    tables = [node] if node.kind is MAP else node.elements()
    keys: dict[str, Node] = {}
    for key in [key for table in tables for key, _ in table.items()]:
        if len(keys) < 6:
            keys.setdefault(key.value, key)
    return keys


def refused_value(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields each value of a type or spelling that Railway's parser refuses."""
    for found in schema.violations(it.node, SCHEMA, it.place):
        if found.code is not schema.UNKNOWN_KEY:
            yield Fault(found.at, path=found.where, expected=found.expected)
    for section in (it.node, *(value for _, value in it.node.get("environments").items())):
        yield from _spelled(section.get("build", "builder"), BUILDERS)
        yield from _spelled(section.get("deploy", "restartPolicyType"), POLICIES)


def _spelled(value: Node, known: tuple[str, ...]) -> Answer:
    """A fault when a word is none of the known ones; case does not count."""
    text = value.text() if value.style else None
    if text is not None and text.upper() not in known:
        meant = schema.nearest(text, known)
        words = f"`{meant}`" if meant else "one of " + ", ".join(f"`{each}`" for each in known[:3])
        yield Fault(value, message="spelling", value=text, expected=words)


def healthcheck_path(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault when a service that serves HTTP has no health check, or not the one of the standard."""
    path = it.facts["healthcheckPath"]
    if path.kind is UNKNOWN:
        raise Undecided("the path cannot be known", path)
    text = path.text()
    if text is None:
        evidence = serves_http(it, file)
        if evidence:
            yield Fault(it.facts["deploy_at"], message="absent", evidence=evidence, path=params["path"])
    elif file.project.elo and text.rstrip("/") != params["path"]:
        yield Fault(path, message="other", value=text, path=params["path"])


def healthcheck_timeout(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault when a deployment has less time to answer than a start takes."""
    value = it.facts["healthcheckTimeout"]
    seconds = value.number() if value.kind is SCALAR else None
    if seconds is not None and seconds < params["least"]:
        yield Fault(value, value=value.value, least=params["least"])


def restart_policy(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault when a service is not restarted after a crash, or leaves that to a default."""
    policy = it.facts["restartPolicyType"]
    if policy.kind is SCALAR:
        if (policy.text() or "").upper() == "NEVER" and not it.facts["cronSchedule"]:
            yield Fault(policy, message="never", severity=WARNING, value=policy.value)
    elif it.facts["legacy"] and not policy and not it.facts["cronSchedule"]:
        # In a program the default is left out on purpose: `railway config pull` never writes it.
        yield Fault(it.facts["deploy_at"], name=_name(file))


def next_start(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault when `next start` runs an application that is built as a standalone server."""
    command = it.facts["startCommand"]
    text = _script(file, it, command.text() or ("npm start" if not command and _built_by_railway(it, file) else ""))
    if "next start" not in text:
        return
    for artifact in file.project.artifacts("next"):
        if artifact.path.rpartition("/")[0] != it.facts["folder"]:
            continue
        output = _output(artifact)
        if output is not None and output.text() == "standalone":
            yield Fault(
                command or it.facts["deploy_at"],
                related=[(output, "the build's output")],
                config=artifact.path,
            )


def _output(artifact: Artifact) -> Node | None:
    """The `output` of a next.config, None when there is none or it cannot be known."""
    from ..kinds.next import VIEWS

    for item in VIEWS["file"](artifact):
        value = item.get("output")
        if getattr(value, "kind", None) is SCALAR:
            return value  # type: ignore[no-any-return]
    return None


def migrations(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault when Prisma migrations exist and nothing that Railway or CI runs applies them."""
    folder = it.facts["folder"]
    package = file.project.package(_join(folder, "package.json"))
    if package is None or not (package.has("prisma") or package.has("@prisma/client")):
        return
    home = package.path.rpartition("/")[0]
    steps = [name for name in file.project.names(_join(home, "prisma/migrations")) if name.endswith("/")]
    if not steps:
        return
    commands = [it.facts[name] for name in ("preDeployCommand", "startCommand", "buildCommand")]
    if any(command.kind is UNKNOWN for command in commands):
        raise Undecided("a command cannot be known", it.facts["deploy_at"])
    texts = [_script(file, it, text) for command in commands for text in _texts(command)]
    if not it.facts["startCommand"] and _built_by_railway(it, file):
        texts.append(_script(file, it, "npm start"))
    if any(_migrates(text) for text in texts):
        return
    if any(".sh" in text or "make " in text for text in texts):
        raise Undecided("a script may apply them", it.facts["deploy_at"])
    dockerfile = file.project.read(_join(folder, it.facts["dockerfilePath"].text() or "Dockerfile"))
    if dockerfile is not None and not it.facts["startCommand"]:
        if _migrates(dockerfile.text):
            return
        if ".sh" in dockerfile.text:
            raise Undecided("a script that the image starts may apply them", it.facts["deploy_at"])
    for name in file.project.names(".github/workflows"):
        workflow = file.project.read(f".github/workflows/{name}") if name.endswith((".yml", ".yaml")) else None
        if workflow is not None and _migrates(workflow.text):
            return
    yield Fault(it.facts["deploy_at"], folder=_join(home, "prisma/migrations"), count=len(steps))


def _migrates(text: str) -> bool:
    return "migrate deploy" in text or "db push" in text or "migrate:deploy" in text


def dockerfile_not_used(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault when the service's folder has Dockerfiles, none of which Railway finds by itself."""
    builder = it.facts["builder"]
    if it.facts["dockerfilePath"] or it.facts["source"] == "image" or builder.kind is UNKNOWN:
        return
    if (builder.text() or "").upper() == "RAILPACK":
        return
    names = file.project.names(it.facts["folder"])
    if "Dockerfile" in names:
        return
    found = sorted(name for name in names if _is_production_dockerfile(name))
    if not found or any(item.facts["name"] == "RAILWAY_DOCKERFILE_PATH" for item in railway.variables(file)):
        return
    yield Fault(builder or it.facts["build_at"], dockerfile=found[0], folder=it.facts["folder"] or "the root folder")


_NOT_PRODUCTION = frozenset((
    "dev", "development", "test", "tests", "testing", "ci", "e2e", "local", "debug", "devcontainer", "dockerignore",
    "example", "sample", "staging",
))  # fmt: skip


def _is_production_dockerfile(name: str) -> bool:
    import re

    words = re.split(r"[._-]", name.lower())
    return "dockerfile" in words and not name.endswith("/") and not _NOT_PRODUCTION.intersection(words)


def missing_dockerfile(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault when `dockerfilePath` names a file that is neither in the folder nor at the root."""
    path = it.facts["dockerfilePath"]
    text = path.text()
    if text is None or it.facts["source"] == "image":
        return
    relative = text.removeprefix("./").lstrip("/")
    if not any(file.project.exists(_join(folder, relative)) for folder in (it.facts["folder"], "")):
        yield Fault(path, path=text)


def self_reference(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault when a variable's value refers to the variable itself, whether or not Railway reads it there."""
    import re

    text = it.node.text() or ""
    for reference in re.findall(r"\$\{\{([^{}]{1,200})\}\}", text):
        namespace, _, name = reference.strip().rpartition(".")
        if name == it.facts["name"] and (not namespace or namespace == it.facts["service"]):
            yield Fault(it.node, name=name)
            return


def inline_secret(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault when a variable holds what looks like a credential."""
    from .vercel import credential

    text = it.node.text()
    if text is not None and credential(it.facts["name"], text):
        yield Fault(it, name=it.facts["name"], file=_name(file))


# What a service runs

_SERVERS = (
    r"\$\{?PORT\b|\bnext start\b|\b(?:uvicorn|gunicorn|hypercorn|daphne|waitress-serve|puma|unicorn|nginx|caddy)\b"
    r"|\b(?:rails (?:s|server)|flask run|fastapi run|artisan serve|manage\.py runserver|vite preview|http-server)\b"
    r"|\b(?:serve -s|nest start|remix-serve|react-router-serve|nuxt start|strapi start|astro preview)\b"
    r"|\.output/server/index|standalone/server\.js|\bnode (?:\S*/)?server(?:\.[cm]?js)?(?:\s|$)"
)
_WORKERS = ("worker", "bot", "cron", "queue", "job", "scheduler", "consumer", "migrat")


def serves_http(it: Item, file: Artifact) -> str:
    """What shows that a service answers HTTP requests, in words; "" when nothing does."""
    import re

    facts = it.facts
    if facts["cronSchedule"] or any(word in facts["name"].lower() for word in _WORKERS):
        return ""
    if facts["domains"].kind is SEQ and facts["domains"].value:
        return "it has a domain"
    command = facts["startCommand"]
    if command.kind is UNKNOWN:
        return ""
    text = _script(file, it, command.text() or ("npm start" if not command and _built_by_railway(it, file) else ""))
    if any(word in text for word in _WORKERS):
        return ""
    match = re.search(_SERVERS, text)
    return f"it runs {match.group().strip()}" if match else ""


def _built_by_railway(it: Item, file: Artifact) -> bool:
    """Whether a builder of Railway makes the image, so that it starts the package's `start` script by itself."""
    facts = it.facts
    if facts["dockerfilePath"] or facts["source"] == "image" or (facts["builder"].text() or "").upper() == "DOCKERFILE":
        return False
    return not file.project.exists(_join(facts["folder"], "Dockerfile"))


def _script(file: Artifact, it: Item, command: str, depth: int = 0) -> str:
    """A command with the package.json scripts that it runs laid out behind it."""
    import re

    command = command[:4096]
    match = re.search(r"\b(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?([A-Za-z0-9:_-]+)", command)
    if match is None or depth > 3:
        return command
    package = file.project.package(_join(it.facts["folder"], "package.json"))
    script = package.script(match.group(1)) if package is not None else None
    return f"{command}; {_script(file, it, script, depth + 1)}" if script else command


def _texts(command: Node) -> list[str]:
    """A command, or the commands of a list."""
    nodes = command.elements() if command.kind is SEQ else (command,)
    return [text for node in nodes if (text := node.text()) is not None]


def _join(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def _name(file: Artifact) -> str:
    return file.path.rpartition("/")[2]
