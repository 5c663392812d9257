"""Answers whether the options of a Next.js configuration exist, do something, and leave the build's checks on."""

from __future__ import annotations

from ..kinds import credential
from ..kinds import next as config
from ..model import ABSENT, CHOICE, MAP, SCALAR, SEQ, UNKNOWN, Fault, Item, Node, Undecided
from ..syntax.javascript import alternatives

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ..model import Artifact

    Answers = Iterator[Fault | Undecided]


def told(node: Node, bad: Callable[[str], bool]) -> bool | None:
    """Whether a value is bad, whichever of its alternatives it is; None when it may be one or the other."""
    answers: set[bool | None] = set()
    for each in node.value if node.kind is CHOICE else (node,):
        if each.kind is SCALAR:
            answers.add(not each.is_null() and bad(str(each.value)))
        else:
            answers.add(None if each.kind is UNKNOWN else False)
    return answers.pop() if len(answers) == 1 else None


def flag(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each of the options that has the bad value."""
    for path in params["options"]:
        node = config.option(file, path)
        answer = told(node, lambda text: text == params["value"]) if node else False
        if answer:
            yield Fault(config.key(file, path), option=path)
        elif answer is None:
            yield Undecided(f"'{path}' is not known", node)


def absent_flag(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault when an option that protects is not set to the value that does."""
    path = params["option"]
    node = config.option(file, path)
    if file.root.kind is not MAP and file.root.kind is not CHOICE:
        raise Undecided("the configuration is not known")
    if not node or node.is_null():
        yield Fault(it, option=path)
        return
    answer = told(node, lambda text: text != params["value"])
    if answer:
        yield Fault(config.key(file, path), option=path)
    elif answer is None:
        yield Undecided(f"'{path}' is not known", node)


def numbers(text: str) -> tuple[int, ...]:
    """A version as numbers: "15.3.0" -> (15, 3, 0)."""
    return tuple(int(part) for part in text.partition("-")[0].split("."))


def supported(file: Artifact) -> list[int]:
    """The majors of Next.js that get fixes on the day of judgement, oldest first."""
    lines = file.project.table("end-of-life")["products"]["nextjs"]
    return [int(line["cycle"]) for line in lines if not _ended(line["eol"], file.project.as_of)]


def _ended(day: str | None, as_of: str) -> bool:
    return day not in (None, "", "null", "~") and str(day) <= as_of


def reached(it: Item, file: Artifact, since: tuple[int, ...]) -> bool | None:
    """Whether the version in use is at least a release; without any version: whether every supported one is."""
    facts = it.facts
    if facts["release"] is not None:
        return bool(facts["release"] >= since)
    if facts["floor"] is not None and facts["floor"] >= since:
        return True
    if facts["major"] is not None:
        return False if facts["major"] < since[0] else None
    if facts["floor"] is not None or facts["dependency"]:
        return None
    oldest = supported(file)
    return (oldest[0], 0, 0) >= since if oldest else None


def here(it: Item) -> str:
    """The version in use, in words for a message."""
    if it.facts["version"] is not None:
        return f"{it.facts['version']} is in use"
    wanted = it.facts["package"].range("next") if it.facts["package"] is not None else None
    if wanted is not None:
        return f"package.json asks for {wanted}"
    return "no package.json names a version, and every supported one is newer"


def removed_options(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each option that the version in use does not read, or reads elsewhere."""
    for row in file.project.table("next-options")["options"]:
        node = config.option(file, row["path"])
        key = config.key(file, row["path"])
        if not node or node.is_null() or key is node or key.source is not file.source:
            continue
        answer = reached(it, file, numbers(row["since"]))
        if answer is None:
            yield Undecided(f"'{row['path']}' changed in Next.js {row['since']}, and the version is not known", key)
        if answer:
            yield Fault(
                key,
                message=row["change"],
                severity="note" if row["change"] == "deprecated" else None,
                path=row["path"],
                since=row["since"],
                to=row.get("to", ""),
                say=row.get("say", ""),
                here=here(it),
                repair=f"Write it as `{row['to']}`" if "to" in row else f"Delete `{row['path']}`",
            )


def optimize_css(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault when the CSS inliner is switched on and the package it needs is not installed."""
    path = "experimental.optimizeCss"
    node = config.option(file, path)
    if not node or node.is_null():
        return
    on = True if node.kind is MAP else told(node, lambda text: text != "false")
    if on is False:
        return
    package = it.facts["package"]
    top = file.project.package("package.json")
    if on is None or package is None or not package.scripts_known:
        yield Undecided("it needs the package 'critters', and the dependencies are not known", config.key(file, path))
    elif not package.has("critters") and not (top is not None and top.has("critters")):
        related = [(it.facts["dependency"], "the dependencies")] if it.facts["dependency"] else []
        yield Fault(config.key(file, path), related, package=package.path)


def public_secret(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a secret in the `env` block, whose values are written into the browser's JavaScript."""
    name = it.facts["name"]
    upper = name.upper()
    if not credential.secret_name(name) or "PUBLIC" in upper or "PUBLISHABLE" in upper:
        return
    for each in alternatives(it.node):
        if each.kind is SCALAR and each.style and not credential.stand_in(str(each.value), name):
            yield Fault(it, message="literal", name=name)
            return
        if each.kind is UNKNOWN and each.value.startswith("process.env."):
            yield Fault(it, message="passed", severity="warning", name=name, source=each.value)
            return


def redundant_defaults(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields one fault for the image options that say what Next.js does without them."""
    found: list[tuple[str, Node]] = []
    for path, rows in file.project.table("next-options")["defaults"].items():
        node = config.option(file, path)
        if node.kind is not SEQ or not all(each.kind is SCALAR for each in node.value):
            continue
        written = [str(each.value) for each in node.value]
        known = it.facts["release"] or it.facts["floor"]
        rows = [row for row in rows if known is None or numbers(row["since"]) <= known]
        same = [row for row in (rows if known is None else rows[-1:]) if row["value"] == written]
        if same:
            later = next((row for row in rows if numbers(row["since"]) > numbers(same[0]["since"])), None)
            until = f" (before {numbers(later['since'])[0]})" if later is not None else ""
            found.append((path + until, config.key(file, path)))
    found.sort(key=lambda pair: pair[1].start)
    if found:
        related = [(key, "this one too") for _, key in found[1:]]
        yield Fault(found[0][1], related, options=", ".join(path for path, _ in found))


def static_export(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault when a static export leaves out what only a server can do."""
    if not told(config.option(file, "output"), lambda text: text == "export"):
        return
    lost = [name for name in ("headers", "rewrites", "redirects") if _gives(file, name)]
    if lost:
        keys = [config.key(file, name) for name in lost]
        related = [(key, "this one too") for key in keys[1:]]
        yield Fault(keys[0], [*related, (config.key(file, "output"), "the static export")], names=", ".join(lost))


def _gives(file: Artifact, name: str) -> bool:
    result = config.returned(file, name)
    return any(bool(each.value) for each in alternatives(result) if each.kind is SEQ or each.kind is MAP)


def noop_rewrite(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a rewrite from a path to itself."""
    source, target = it.facts["source"], it.facts["destination"]
    if source.kind is SCALAR and target.kind is SCALAR and source.value == target.value and not it.facts["conditional"]:
        yield Fault(it, source=source.value)


_OWN = ("localhost", "127.0.0.1", "0.0.0.0", "[::1]")
_PRIVATE = (".internal", ".local", ".svc", ".localhost", ".lan", ".home", ".intranet", ".corp")


def destination(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a rewrite that sends requests to this machine, or over the internet without TLS."""
    target = it.facts["destination"]
    seen: list[str] = []
    options = target.value if target.kind is CHOICE else (target,)
    for each in options:
        text = str(each.value) if each.kind is SCALAR else ""
        scheme, _, rest = text.partition("://")
        host = rest.partition("/")[0].rpartition("@")[2]
        host = host if host.startswith("[") else host.partition(":")[0]
        if scheme in ("http", "https") and host in _OWN:
            seen.append("local")
        else:
            seen.append("plain" if scheme == "http" and _public(host) else "")
    if set(seen) in ({"local"}, {"plain"}):
        yield Fault(options[0], message=seen[0], host=str(options[0].value).partition("://")[2].partition("/")[0])
    elif any(seen):
        yield Undecided("the destination depends on the environment", target or ABSENT)


def _public(host: str) -> bool:
    """Whether a host is a name in the public DNS: no address, no name of a cluster or a private network."""
    return "." in host and "[" not in host and not host.endswith(_PRIVATE) and not host.replace(".", "").isdigit()
