"""Judges the middleware of a Next.js application: which requests it meets, under which name, and what it stops."""

from __future__ import annotations

import re

from ..kinds.next import release
from ..model import Fault, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tree_sitter import Node as Branch

    from ..kinds.code_module import Module
    from ..model import Artifact, Item

    Answers = Iterator[Fault | Undecided]

_ENDINGS = ("ts", "js", "mts", "mjs")
# A middleware that looks at the path picks its requests itself.
_PICKS = re.compile(
    r"pathname|nextUrl\.(?:path|href)|request\.url|req\.url|createRouteMatcher|_next|isPublic|publicPath"
)
_LOGIN = re.compile(r"/(?:[\w-]+/)*(?:log-?in|sign-?in|auth)\b", re.I)
# `/((?!api|_next/static|favicon.ico).*)`: everything but what begins with one of the words.
_BUT = re.compile(r"/\(\(\?!(?P<words>[\w./|\\*$-]+)\)\.[*+]\)\Z")


def no_matcher(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a middleware that runs for every request, files and images included."""
    module: Module = it.facts["module"]
    name = _function(module)
    if name is None or "*" in module.exports or _PICKS.search(module.tree.source.text):
        return
    if "config" in module.exports:
        found, whole = module.entries(module.constant("config"))
        if "matcher" in found or not whole:
            return
    yield Fault(module.token(name), name=file.path.rpartition("/")[2])


def renamed(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a middleware file under a Next.js that calls it proxy."""
    module: Module = it.facts["module"]
    name = _function(module)
    major = release(file.project.package(file.path))["major"]
    if name is None or not _stem(file).startswith("middleware") or major is None or major < params["since"]:
        return
    if _twin(file) is None:
        yield Fault(module.token(name), major=major, name=file.path.rpartition("/")[2])


def both(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault where a middleware and a proxy file stand side by side."""
    module: Module = it.facts["module"]
    name = _function(module)
    if name is None or not _stem(file).startswith("middleware"):
        return
    other = _twin(file)
    if other is None:
        return
    major = release(file.project.package(file.path))["major"]
    if major is None:
        raise Undecided("the version of Next.js is not known", module.token(name))
    if major < params["since"]:
        return
    twin = file.project.artifact(other)
    related: list[tuple[Item, str]] = [(item, "the proxy") for item in twin.views.get("file", [])] if twin else []
    yield Fault(module.token(name), related=related, name=file.path.rpartition("/")[2], other=other)


def health_behind_login(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault where whoever asks for the health of the application is sent to log in."""
    module: Module = it.facts["module"]
    if _function(module) is None or _PICKS.search(_deciding(module)):
        return
    call = next(
        (
            each
            for each in module.calls
            if each.last == "redirect" and each.arguments and _LOGIN.search(module.text(each.arguments[0]))
        ),
        None,
    )
    if call is None or "*" in module.exports or file.project.partial:
        return
    matchers = _matchers(module)
    if matchers is None:
        return
    from ..project.asked_paths import health

    for asked in health(file.project):
        if not matchers or any(_covers(each, asked.facts["path"]) for each in matchers):
            yield Fault(
                module.token(call.name),
                related=[(asked, f"{asked.facts['who']} asks for {asked.facts['path']}")],
                path=asked.facts["path"],
            )
            return


def _deciding(module: Module) -> str:
    """The text without what decides nothing: the matcher, and `new URL("/login", request.url)`."""
    text = module.tree.source.text
    config = module.constant("config")
    if config is not None:
        text = text.replace(module.text(config), "")
    return re.sub(r"new URL\(\s*['\"`][^'\"`]*['\"`]\s*,\s*\w+\.(?:url|nextUrl(?:\.href)?)\s*\)", "", text)


def _function(module: Module) -> Branch | None:
    """The name under which the middleware is exported."""
    for name in ("middleware", "proxy", "default"):
        if name in module.exports:
            branch = module.exports[name]
            return branch if len(module.text(branch)) < 200 else None
    return None


def _stem(file: Artifact) -> str:
    return str(file.path.rpartition("/")[2])


def _twin(file: Artifact) -> str | None:
    """The proxy file beside a middleware: in the same folder, or in the other of the application's two."""
    folder = file.path.rpartition("/")[0]
    outer = folder[:-4] if folder.endswith("/src") else "" if folder == "src" else folder
    for place in dict.fromkeys((folder, outer, f"{outer}/src" if outer else "src")):
        for ending in _ENDINGS:
            path = f"{place}/proxy.{ending}" if place else f"proxy.{ending}"
            if file.project.exists(path):
                return path
    return None


def _matchers(module: Module) -> list[str] | None:
    """The patterns of `config.matcher`, empty for none, None when they cannot be told."""
    if "config" not in module.exports:
        return []
    found, whole = module.entries(module.constant("config"))
    if "matcher" not in found:
        return [] if whole else None
    value: Branch | None = found["matcher"][1]
    text = module.literal(module.resolved(value))
    if text is not None:
        return [text]
    elements, known = module.elements(value)
    texts = [module.literal(each) for each in elements]
    return [each for each in texts if each is not None] if known and None not in texts and texts else None


def _covers(pattern: str, path: str) -> bool:
    """Whether a matcher surely matches a path; only the forms that everybody uses are read."""
    match = _BUT.match(pattern)
    if match is not None:
        rest = path[1:]
        for word in match["words"].split("|"):
            plain = word.replace("\\", "").rstrip("$")
            if plain.startswith(".*"):
                if "." in rest:
                    return False
            elif rest.startswith(plain):
                return False
        return True
    base, star, _ = pattern.partition("/:")
    if star:
        tail = pattern[len(base) :]
        return bool(re.fullmatch(r"/:\w+\*", tail)) and (path == base or path.startswith(base + "/"))
    return pattern in (path, "/(.*)") or (pattern.endswith("/(.*)") and path.startswith(pattern[:-4]))
