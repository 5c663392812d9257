"""Turns a tree into what it says about its site: the paths worth asking, the headers that answers have to carry."""

from __future__ import annotations

import re
from collections import Counter

from ..kinds.header import ALL, SOME
from ..model import SCALAR, SEQ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..kinds.header import Header
    from ..project.headers import Target

# Paths that nobody has: a status class of its own, and what stands before an API is seen without calling any of it.
NOWHERE = "/elo-gate-no-such-page"
NO_API = "/api/elo-gate-no-such-route"
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}\.(?:txt|svg|png|ico|jpg|webp|css|js|json|xml|webmanifest)")
# `/((?!api|_next/static|favicon\.ico).*)`, with which middleware is told what to leave out.
_ALL_BUT = re.compile(r"/\(\(\?!([\w/.|\\-]+)\)\.[*+]\)")


class Expected:
    """A header that the tree configures: for every path, or for those of `patterns`.

    `values`: what it can be, None where that is not known before it is sent; `place` is where it stands (path:line).
    """

    __slots__ = ("name", "shown", "patterns", "values", "place")

    def __init__(self, name: str, shown: str, patterns: list[str], values: set[str] | None, place: str) -> None:
        self.name = name
        self.shown = shown
        self.patterns = patterns
        self.values = values
        self.place = place

    def meant(self, path: str) -> bool:
        """Whether the answer of a path has to carry it; no where that cannot be told."""
        path = path.partition("?")[0]
        return not self.patterns or any(_matches(each, path) for each in self.patterns)


def _matches(pattern: str, path: str) -> bool:
    """Whether a path is one of a `source` of Next.js or Vercel, as far as that is plain."""
    if pattern == "/:path*":
        return True
    if ":" in pattern:
        stem = pattern.removesuffix("/:path*").removesuffix("/:slug*")
        if ":" in stem or "(" in stem:
            return False
        return path == stem or (stem != pattern and path.startswith(stem + "/"))
    if "(" not in pattern:
        return path == pattern
    # Not by running the pattern: one from a hostile repository could run for ever.
    but = _ALL_BUT.fullmatch(pattern)
    return but is not None and not path[1:].startswith(tuple(but[1].replace("\\", "").split("|")))


class Known:
    """What a tree says: `health` ("" for none), `paths` worth asking, `headers`, `remarks` on what it leaves open."""

    __slots__ = ("health", "paths", "headers", "remarks")

    def __init__(self) -> None:
        self.health = ""
        self.paths: list[str] = []
        self.headers: list[Expected] = []
        self.remarks: list[str] = []


def of(project: Any) -> Known:
    """What a looked-at project says about the site that it makes."""
    from ..project import asked_paths, headers, routes

    found = Known()
    asked = Counter(str(each.facts["path"]) for each in asked_paths.health(project))
    plain = [path for path, _ in asked.most_common() if re.fullmatch(r"/[A-Za-z0-9._/-]*", path)]
    found.health = plain[0] if plain else ""
    applications = routes.applications(project)
    routed = [route for each in applications for route in each.routes]
    if any(route.segments[:1] == ("api",) for route in routed):
        found.paths.append(NO_API)
        if not found.health and any(route.path == "/api/health" for route in routed):
            found.health = "/api/health"
    for each in applications[:1]:
        static = _static(project, each.folder)
        found.paths += [static] if static else []
    targets = headers.targets(project)
    names = {each.application.path for each in targets}
    if len(names) > 1:
        found.remarks.append("what is configured, since the tree has several applications")
    elif targets:
        found.headers = _expected(targets)
    return found


def _static(project: Any, folder: str) -> str:
    """The first plain file of an application's `public/`."""
    public = f"{folder}/public" if folder else "public"
    files = [name for name in project.names(public) if _FILE.fullmatch(name)] if project.exists(public) else []
    return f"/{files[0]}" if files else ""


def _expected(targets: list[Target]) -> list[Expected]:
    """What every target of an application sets for sure: for the whole site, else for the paths that it names."""
    found: list[Expected] = []
    sets = [_sure(each) for each in targets]
    for name in dict.fromkeys(each.name for each in sets[0]):
        own = [[each for each in headers if each.name == name] for headers in sets]
        if all(any(each.covers == ALL for each in part) for part in own):
            wide = next(each for each in own[0] if each.covers == ALL)
            made = [_one(wide, _values([each for part in own for each in part]))]
        else:
            made = [_one(each, _values([each])) for each in own[0] if len(targets) == 1 and each.covers == SOME]
        found += [each for each in made if each is not None]
    return found


def _sure(target: Target) -> list[Header]:
    """The headers of a target that no condition leaves open; of a middleware, whose branches are not followed, only
    those that every site needs."""
    from ..kinds import next_headers
    from ..project.headers import NAMES

    program = next_headers.middleware(target.application)
    return [
        each
        for layer in target.layers
        for each in layer.headers
        if not (each.perhaps or each.conditional) and (layer.path != program or each.name in NAMES)
    ]


def _one(header: Header, values: set[str] | None) -> Expected | None:
    source = header.source
    nodes = source.elements() if source.kind is SEQ else [source]
    patterns = [str(each.value) for each in nodes if each.kind is SCALAR]
    if len(patterns) != len(nodes):
        return None
    if header.covers == ALL and not any("?!" in each for each in patterns):
        patterns = []  # `/((?!api|_next).*)` counts as everything where files are judged, and is taken at its word here
    elif not all(each.startswith("/") for each in patterns) or source.source.path.endswith((".conf", ".template")):
        return None  # a location of nginx is no path alone: another one may come first
    key = header.key
    place = f"{key.source.path}:{key.source.position(key.start)[0]}"
    return Expected(header.name, header.shown, patterns, values, place)


def _values(headers: list[Header]) -> set[str] | None:
    """The values, as `plain` writes them; None when one is not known."""
    from ..syntax.javascript import alternatives

    found = set()
    for each in headers:
        for node in alternatives(each.value):
            text = node.text()
            if text is None or "$" in text or "{" in text:
                return None
            found.add(plain(text))
    return found


def plain(value: str) -> str:
    """A value without what means nothing: case, blanks, a final semicolon."""
    return " ".join(value.lower().split()).rstrip("; ")
