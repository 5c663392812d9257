"""Judges vercel.json: what Vercel refuses, ignores, or does otherwise than its author meant."""

from __future__ import annotations

from ..model import ERROR, SCALAR, WARNING, Fault, Undecided
from . import schema
from .vercel_schema import COMMENT_KEYS, EXPERIMENTAL, SCHEMA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact, Item, Node

    Answer = Iterator[Fault | Undecided]

# What Vercel takes at most: functionsSchema in packages/build-utils, and vercel.com/docs/cron-jobs/usage-and-pricing.
MOST_FUNCTIONS = 50
MOST_CRONS = 100


def syntax(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a problem of the reader; a key written twice is only a warning."""
    name = file.path.rpartition("/")[2]
    if it.facts["code"] == "duplicate-key" and name.endswith(".json"):
        yield Fault(it, message="duplicate", severity=WARNING, name=name)
    else:
        yield Fault(it, name=name, problem=it.facts["message"].rstrip("."))


def builds_with_functions(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault at `builds`; `functions`, which it excludes, is related."""
    functions = it.node.get("functions")
    yield Fault(
        it.node.key("builds"),
        related=[(it.node.key("functions"), "the property that it excludes")],
        count=len(functions.items()),
    )


def unknown_key(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields each key that vercel.json does not have, outside of `functions`."""
    for found in schema.violations(it.node, SCHEMA, it.place):
        if found.code is not schema.UNKNOWN_KEY or found.path[:1] == ("functions",):
            continue
        if found.path or found.expected:
            yield Fault(found.at, message="near" if found.expected else "inner", severity=ERROR, **_words(found))
        elif found.key in COMMENT_KEYS:
            yield Fault(found.at, message="comment", severity=ERROR, **_words(found))
        elif not found.key.startswith(EXPERIMENTAL):
            yield Fault(found.at, message="top", severity=WARNING, **_words(found))


def refused_value(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields each value or missing key for which Vercel refuses the file, outside of `functions`."""
    for found in schema.violations(it.node, SCHEMA, it.place):
        if found.code is schema.UNKNOWN_KEY or found.path[:1] == ("functions",):
            continue
        if found.path == ("ignoreCommand",) and it.facts["contradicts"]:
            continue  # vercel/ignore-command-builds says what is wrong with it
        yield Fault(found.at, message=_message(found), **_words(found))


def function_setting(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields each setting of a `functions` entry that Vercel refuses."""
    for found in schema.violations(it.node, SCHEMA, it.place):
        if found.path[:1] == ("functions",):
            message = "runtime" if found.key == "runtime" and found.code is schema.PATTERN else _message(found)
            yield Fault(found.at, message=message, **_words(found))
    for key in [key for key, _ in it.node.get("functions").items()]:
        if key.value.startswith("/"):
            yield Fault(key, message="slash", pattern=key.value, relative=key.value.lstrip("/"))


def _message(found: schema.Violation) -> str:
    if found.code is schema.UNKNOWN_KEY:
        return "near" if found.expected else "unknown"
    return "missing" if found.code is schema.MISSING_KEY else "default"


def _words(found: schema.Violation) -> dict[str, Any]:
    """A violation in words; never the value itself."""
    path = (*found.path, found.key) if found.code in (schema.UNKNOWN_KEY, schema.MISSING_KEY) else found.path
    return {
        "key": found.key,
        "where": schema.spell(found.path) or "vercel.json",
        "path": schema.spell(path),
        "expected": found.expected or found.key,
    }


def noop_routes(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields one fault at the first route of the file that maps a path to itself; the others are related."""
    from ..kinds.vercel import routes

    found = [item for item in routes(file) if item.facts["noop"]]
    if found:
        first, *others = found
        yield Fault(
            first.facts["dest"],
            related=[(other.facts["dest"], "this one too") for other in others],
            source=first.facts["src"].value,
            target=first.facts["dest"].value,
            count=len(found),
        )


def duration(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault when a function may run longer than the plan's cap, or than the standard's own limit."""
    limit = it.node.get("maxDuration")
    pattern = it.facts["pattern"]
    seconds = limit.number() if limit.kind is SCALAR else None
    if file.project is not None and file.project.elo:
        if not limit:
            yield Fault(it, message="absent", severity=ERROR, pattern=pattern, standard=params["standard"])
        elif seconds is None or seconds > params["standard"]:
            yield Fault(
                limit,
                message="standard",
                severity=ERROR,
                pattern=pattern,
                value=limit.value,
                standard=params["standard"],
            )
    elif seconds is not None and seconds > params["cap"]:
        yield Fault(limit, pattern=pattern, value=limit.value, cap=params["cap"])


def unknown_region(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault when a region id is not one of Vercel's, with the id that was most likely meant."""
    table = file.project.table("vercel-regions")
    regions = table["regions"]
    name = it.facts["region"]
    if name in regions:
        return
    meant = table["aliases"].get(name) or next((key for key, at in regions.items() if at["aws"] == name), "")
    if not meant and name not in table["aliases"]:
        meant = f"{name}1" if f"{name}1" in regions else schema.nearest(name, regions)
    if meant:
        yield Fault(it.node, region=name, meant=meant, city=regions[meant]["city"])
    else:
        yield Fault(it.node, message="unknown", region=name)


def far_region(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault when a database host names a cloud region in which none of the functions' regions lies."""
    regions = file.project.table("vercel-regions")["regions"]
    by_cloud = {at["aws"]: key for key, at in regions.items()}
    chosen = it.node.get("regions")
    if chosen and any(each.kind is not SCALAR for each in chosen.elements()):
        raise Undecided("the regions cannot be known", chosen)
    names = [each.value for each in chosen.elements()] or ["iad1"]
    if not all(name in regions for name in names):
        return  # another rule's finding
    for name, value, place in _databases(file):
        home = next((by_cloud[cloud] for cloud in _clouds(value) if cloud in by_cloud), None)
        if home is None or home in names:
            continue
        yield Fault(
            chosen.elements()[0] if chosen.elements() else it,
            related=[(place, "the database")],
            message="default" if chosen.elements() else "implicit",
            region=names[0],
            city=regions[names[0]]["city"],
            variable=name,
            home=home,
            home_city=regions[home]["city"],
        )
        return


_DATABASES = ("DATABASE_URL", "POSTGRES_URL", "POSTGRES_PRISMA_URL", "DIRECT_URL", "MYSQL_URL", "MONGODB_URI")


def _databases(file: Artifact) -> Iterator[tuple[str, str, Node]]:
    """(variable, value, place) of database URLs given to production: in vercel.json, then in env files."""
    for block in (file.root.get("env"), file.root.get("build", "env")):
        for key, value in block.items():
            if key.value in _DATABASES and value.kind is SCALAR:
                yield key.value, value.value, key
    from ..kinds.env import vars_of

    for artifact in file.project.artifacts("env"):
        if artifact.state == "judged":
            for item in vars_of(artifact):
                if item.facts["name"] in _DATABASES and item.facts["value"].kind is SCALAR:
                    yield item.facts["name"], item.facts["value"].value, item.facts["key"]


def _clouds(url: str) -> list[str]:
    """Cloud regions named in the host of a URL: `ep-x.us-east-2.aws.neon.tech` names us-east-2."""
    import re

    host = url.rpartition("@")[2].partition("/")[0].partition("?")[0]
    return re.findall(r"(?:af|ap|ca|eu|me|sa|us)-(?:central|north|south|east|west|northeast|southeast)-\d", host)


def unmatched_function(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault when a pattern of `functions` matches no file beside vercel.json."""
    from .vercel_globs import Unreadable, matching

    root = file.root
    pattern = it.facts["pattern"]
    if pattern.startswith("/") or len(pattern) > 256:
        return
    if len(root.get("functions").items()) > MOST_FUNCTIONS:
        raise Undecided(f"there are more than {MOST_FUNCTIONS} patterns", it)
    if any(root.key(name) for name in ("services", "experimentalServices", "experimentalServicesV2")):
        raise Undecided("with services, patterns are relative to the root of a service", it)
    folder = file.path.rpartition("/")[0]
    try:
        if matching(file.project, folder, pattern):
            return
    except Unreadable as reason:
        raise Undecided(str(reason), it) from None
    if folder and not file.project.exists(f"{folder}/package.json") and not file.project.exists(f"{folder}/api"):
        raise Undecided("the project's Root Directory may be another folder than the file's", it)
    yield Fault(it, pattern=pattern, folder=folder or "the root folder")


def cron_schedule(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault when a cron expression is not one that Vercel runs."""
    from .vercel_crons import cron_problem

    schedule = it.node.get("schedule")
    text = schedule.text()
    if text is None or len(text) < 9:
        return  # the schema's finding
    problem = cron_problem(text)
    if problem:
        yield Fault(schedule, schedule=text, problem=problem)


def cron_without_route(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault when no file serves a cron's path, in a Next.js project or one with an `api` folder."""
    from .vercel_crons import serves
    from .vercel_globs import Unreadable

    path = it.node.get("path")
    text = path.text()
    if text is None or not text.startswith("/"):
        return
    if len(file.root.get("crons").elements()) > MOST_CRONS:
        raise Undecided(f"there are more than {MOST_CRONS} cron jobs", path)
    folder = file.path.rpartition("/")[0]
    if any(file.root.get(name) for name in ("rewrites", "routes", "redirects", "services", "experimentalServices")):
        raise Undecided("a rewrite or redirect may serve the path", path)
    try:
        served = serves(file.project, folder, text)
    except Unreadable as reason:
        raise Undecided(str(reason), path) from None
    if served is None:
        raise Undecided("how the framework routes requests cannot be told from the files", path)
    if not served:
        yield Fault(path, path=text, file=f"app{text.partition('?')[0].rstrip('/')}/route.ts")


def ignore_command(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault when the ignore command announces that nothing is deployed and lets every build pass."""
    command = it.node.get("ignoreCommand")
    if it.facts["contradicts"]:
        length = len(command.value)
        yield Fault(command, message="default" if length <= 256 else "long", name=it.facts["name"], length=length)


def inline_secret(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault when a variable in vercel.json holds what looks like a credential."""
    text = it.node.text()
    if text is not None and credential(it.facts["name"], text):
        yield Fault(it, name=it.facts["name"], scope=it.facts["scope"])


def legacy_env(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields one note for variables in vercel.json that are neither references nor credentials."""
    for scope, block in (("env", it.node.get("env")), ("build.env", it.node.get("build", "env"))):
        names = [
            key.value
            for key, value in block.items()
            if (text := value.text()) is not None and text[:1] != "@" and not credential(key.value, text)
        ]
        if names:
            at = it.node.key("env") if scope == "env" else it.node.get("build").key("env")
            yield Fault(at, scope=scope, names="', '".join(names))


_PUBLIC = ("NEXT_PUBLIC_", "VITE_", "PUBLIC_", "NUXT_PUBLIC_", "EXPO_PUBLIC_", "REACT_APP_", "GATSBY_")


def credential(name: str, text: str) -> bool:
    """Whether a variable's literal value is a credential; a reference or a name made for browsers is none."""
    from ..kinds.credential import literal

    return not text.startswith("@") and "${{" not in text and not name.startswith(_PUBLIC) and literal(name, text)
