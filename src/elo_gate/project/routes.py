"""Turns the tree into the paths that its web applications answer, and tells which file answers one.

    route = routes.find(project, "/api/health", folder)

A Next.js application routes by files, so that what no file serves is known to be missing. Any other server routes in
code: there a path that is read proves itself, and one that is not read proves nothing. Sources, looked up 2026-11-25:
nextjs.org/docs/app/api-reference/file-conventions, nextjs.org/docs/app/api-reference/config/next-config-js (basePath,
pageExtensions, rewrites).
"""

from __future__ import annotations

import re

from ..model import SCALAR, Item, Node, Undecided
from .route_moves import base_path, config_of, matches, rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

_CONFIGS = tuple(f"next.config.{ending}" for ending in ("js", "mjs", "ts", "mts", "cjs"))
_GATES = tuple(f"{name}.{ending}" for name in ("middleware", "proxy") for ending in ("ts", "js", "mts", "mjs"))
# What Next.js makes a path of: https://nextjs.org/docs/app/api-reference/file-conventions/metadata
_METADATA = {
    "/robots.txt": "robots", "/sitemap.xml": "sitemap", "/manifest.webmanifest": "manifest",
    "/manifest.json": "manifest", "/favicon.ico": "favicon",
}  # fmt: skip
# A folder with one of these is a program of its own.
_MANIFESTS = ("package.json", "pyproject.toml", "requirements.txt", "go.mod", "Cargo.toml", "Gemfile", "pom.xml")
_TESTS = re.compile(r"(?:^|/)(?:__tests__|tests?|e2e|cypress|playwright|__mocks__|fixtures)/|\.(?:test|spec)\.\w+\Z")
# `app.get("/health"`, `router.all('/x'`, `@app.get("/health")`, `fastify.route({ method: "GET", url: "/health"`.
_REGISTERED = re.compile(
    r"\b(?:\w*(?:[aA]pp|[sS]erver|[rR]outer|[rR]outes)|fastify|hono|bp|blueprint)"
    r"\.(?:get|head|all|use|route|add_api_route|add_url_rule)\(\s*(['\"`])(?P<path>/[^'\"`\s]*)\1"
    r"|\burl\s*:\s*(['\"`])(?P<url>/[^'\"`\s]*)\3"
)
_KEY = "routes"


class Route:
    """A path that a file answers. `segments`: as written below the router, groups and slots left out.

    `router`: "app" (route.ts), "page", "pages", "file" (public/, metadata), "rewrite", "redirect", "middleware" or
    "program" (registered in code). `at`: the node that says so, when a file was read for it.
    """

    __slots__ = ("segments", "file", "router", "at")

    def __init__(self, segments: Sequence[str], file: str, router: str, at: Node | None = None) -> None:
        self.segments = tuple(segments)
        self.file = file
        self.router = router
        self.at = at

    @property
    def path(self) -> str:
        return "/" + "/".join(self.segments)

    @property
    def handler(self) -> bool:
        """The file is an endpoint of its own: a route handler, an API route, code that registers the path."""
        return self.router in ("app", "program") or (self.router == "pages" and self.segments[:1] == ("api",))


class Application:
    """A Next.js application: its folder ("" is the root) and the routes of its files, the most particular first."""

    __slots__ = ("folder", "routes")

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.routes: list[Route] = []


def applications(project: Any) -> list[Application]:
    """The tree's Next.js applications, by folder. Nothing when only some files are looked at."""
    known: list[Application] | None = project.facts.get(_KEY)
    if known is None:
        known = project.facts[_KEY] = _applications(project)
    return known


def find(project: Any, path: str, folder: str = "") -> Route | None:
    """The route that answers a path asked of the application a folder belongs to; None when nothing answers it.

    `path` may have a query. `folder`: where the question stands, root-relative ("k8s/production", "" for the root).
    Raises Undecided where it cannot be told: the path has gaps, the application is not known or routes in code.
    """
    clean = path.partition("?")[0].partition("#")[0]
    if not clean.startswith("/") or any(mark in clean for mark in ("$", "{", "}", "*", "<", "..", "%")):
        raise Undecided("the path is not known")
    found = owners(project, folder)
    for app in found:
        try:
            route = served(project, app, clean)
        except Undecided:
            route = None
        if route is not None:
            return route
    registered = _registered(project, clean, folder)
    if registered is not None:
        return registered
    if len(found) != 1:
        raise Undecided("several applications could answer" if found else "no application that routes by files")
    app = found[0]
    route = served(project, app, clean)
    here = folder.strip("/")
    if route is None and app.folder and here != app.folder and not here.startswith(app.folder + "/"):
        raise Undecided(f"'{app.folder}' may not be the application that is asked")
    if route is None and _separate(project, app, folder):
        raise Undecided(f"'{folder}' may belong to another program")
    return route


def owners(project: Any, folder: str = "") -> list[Application]:
    """The applications a folder can belong to: the nearest at or above it, else the tree's."""
    folder = folder.strip("/")
    if project.partial:
        raise Undecided("only the named files are looked at")
    apps = applications(project)
    above = [app for app in apps if not app.folder or folder == app.folder or folder.startswith(app.folder + "/")]
    if above:
        nearest = max(above, key=lambda app: len(app.folder))
        if nearest.folder or len(apps) == 1:
            return [nearest]
    below = [app for app in apps if folder and app.folder.startswith(folder + "/")]
    return below or apps


def served(project: Any, app: Application, path: str) -> Route | None:
    """The route of an application that answers a path, None when none does. Raises Undecided."""
    return _served(project, app, path, 0)


def _served(project: Any, app: Application, path: str, depth: int) -> Route | None:
    config = config_of(project, app.folder)
    doubt = ""
    inner = path
    if config is not None:
        base, doubt = base_path(config)
        if base:
            if path != base and not path.startswith(base + "/"):
                if path.startswith("/_next/") or depth:
                    return None
                inner = ""
            else:
                inner = path[len(base) :] or "/"
    if inner:
        route = _matching(app, [part for part in inner.split("/") if part]) or _static(project, app, inner)
        if route is not None:
            return route
    moved, unsure = _moved(project, app, config, path, depth)
    if moved is not None:
        return moved
    doubt = doubt or unsure or _unread(project, app, path)
    if doubt:
        raise Undecided(doubt)
    return None


def _applications(project: Any) -> list[Application]:
    apps: dict[str, Application] = {}
    proven: dict[str, bool] = {}
    for path in project.programs:
        if ("app/" not in path and "pages/" not in path) or path.endswith(".py") or _TESTS.search(path):
            continue
        for root, route in _candidates(path):
            if root not in proven:
                proven[root] = _is_next(project, root, route)
            if proven[root]:
                apps.setdefault(root, Application(root)).routes.append(route)
                break
    for app in apps.values():
        app.routes.sort(key=_precedence)
    return [apps[root] for root in sorted(apps)]


def _candidates(path: str) -> Iterator[tuple[str, Route]]:
    """(folder of the application, route) for each folder of a path that could be a router's."""
    *folders, name = path.split("/")
    stem = name.rpartition(".")[0]
    for index, folder in enumerate(folders):
        inner = folders[index + 1 :]
        above = folders[: index - 1] if index and folders[index - 1] == "src" else folders[:index]
        if folder == "app" and stem in ("route", "page"):
            segments = _segments(inner)
            if segments is not None:
                yield "/".join(above), Route(segments, path, "app" if stem == "route" else "page")
        elif folder == "pages" and not stem.startswith("_") and not stem.endswith(".d"):
            yield "/".join(above), Route([*inner, *([] if stem == "index" else [stem])], path, "pages")


def _segments(folders: list[str]) -> list[str] | None:
    """The parts of a path that folders of the App Router make; None when they make none (`_private`)."""
    found = []
    for name in folders:
        if name.startswith("_"):
            return None
        if name.startswith("(") and not name.endswith(")"):
            return None  # (.)photo: shown in place of another route, never asked for
        if name.startswith(("(", "@")):
            continue
        found.append(name.replace("%5F", "_") if name.startswith("%5F") else name)
    return found


def _is_next(project: Any, root: str, route: Route) -> bool:
    """Whether a folder is a Next.js application: it has a next.config, or its package depends on next."""
    prefix = root + "/" if root else ""
    if any(project.exists(prefix + name) for name in _CONFIGS):
        return True
    package = project.package(prefix + "package.json")
    if package is not None and package.folder == prefix and package.scripts_known:
        return bool(package.has("next"))
    return route.router == "app" and package is None


def _precedence(route: Route) -> tuple[list[int], str]:
    """Next.js asks the most particular route first: a name, then one part, the rest, perhaps nothing."""
    marks = ("[[...", "[...", "[")
    return [next((3 - at for at, mark in enumerate(marks) if part.startswith(mark)), 0) for part in route.segments], (
        route.file
    )


def _matching(app: Application, parts: list[str]) -> Route | None:
    for route in app.routes:
        if _fits(route.segments, parts):
            return route
    return None


def _fits(segments: Sequence[str], parts: Sequence[str]) -> bool:
    for index, segment in enumerate(segments):
        if segment.startswith("[[..."):
            return True
        if segment.startswith("[..."):
            return len(parts) > index
        if index >= len(parts) or not (segment[:1] == "[" or segment == parts[index]):
            return False
    return len(parts) == len(segments)


def _static(project: Any, app: Application, path: str) -> Route | None:
    """What is served without a route of its own: files of public/, metadata files, Next.js's own paths."""
    prefix = app.folder + "/" if app.folder else ""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["_next"]:
        return Route(parts, "", "file")
    file = f"{prefix}public{path}"
    if parts and project.exists(file) and not project.tree.is_folder(file):
        return Route(parts, file, "file")
    stem = _METADATA.get(path)
    if stem is not None:
        for folder in ("app", "src/app"):
            for name in project.names(prefix + folder):
                if name.partition(".")[0] == stem:
                    return Route(parts, f"{prefix}{folder}/{name}", "file")
    return None


def _moved(project: Any, app: Application, config: Any, path: str, depth: int) -> tuple[Route | None, str]:
    """(the route a rewrite or redirect makes of a path, why it cannot be told whether one does)."""
    doubt = ""
    for source, destination, router, file in rules(project, app.folder, config):
        if source is None or source.kind is not SCALAR:
            doubt = f"{router}s of {file} are not known"
            continue
        fits = matches(str(source.value), path)
        if fits is None:
            doubt = f"a {router} of {file} has a pattern that is not read"
        if not fits:
            continue
        target = destination.text() if destination is not None else None
        if target == source.value:
            continue  # it leads where it comes from
        parts = [part for part in path.split("/") if part]
        if router == "redirect" or target is None or not target.startswith("/") or depth > 3:
            return Route(parts, file, router, source), ""
        if ":" in target or "$" in target:
            doubt = f"a {router} of {file} leads to a computed path"
            continue
        inner = _served(project, app, target.partition("?")[0], depth + 1)
        return (Route(parts, inner.file, "rewrite", source), "") if inner is not None else (None, "")
    return None, doubt


def _unread(project: Any, app: Application, path: str) -> str:
    """Why something that is not routed by files may answer a path all the same; "" when nothing may."""
    prefix = app.folder + "/" if app.folder else ""
    package = project.package(prefix + "package.json")
    if package is not None and package.folder == prefix:
        if not package.scripts_known:
            return "package.json is not known"
        start = package.script("start") or ""
        if re.search(r"\b(?:node|tsx|bun|nodemon|pm2|ts-node)\b", start) and "standalone" not in start:
            return "the application has a server of its own"
    for name in ("server.js", "server.ts", "server.mjs"):
        text = project.text(prefix + name) if project.exists(prefix + name) else None
        if text is not None and (not text.strip() or "next" in text):
            return "the application has a server of its own"
    last = path.rstrip("/").rpartition("/")[2]
    for folder in ("", "src/"):
        for name in _GATES:
            where = prefix + folder + name
            text = project.text(where) if project.exists(where) else None
            if text is not None and (not text.strip() or (last and last in text)):
                return f"'{where}' may answer it"
    if any(not project.text(route.file) for route in app.routes[:3] if route.router == "app" and "..." in route.path):
        return "a route that takes every path is not known"
    return ""


def _registered(project: Any, path: str, folder: str) -> Route | None:
    """The program that registers a path by name, when one does: read as text, so only what is evident."""
    key = path.rstrip("/") or "/"
    known: dict[str, Route] | None = project.facts.get(_KEY + ".registered")
    if known is None:
        known = {}
        for file in project.programs:
            text = project.text(file) if not _TESTS.search(file) else None
            if text is None or not any(word in text for word in (".get(", ".all(", ".use(", ".route(", ".head(")):
                continue
            for match in _REGISTERED.finditer(text):
                name = match["path"] or match["url"]
                parts = [part for part in name.split("/") if part]
                if not any(mark in name for mark in "{:*<"):
                    known.setdefault("/" + "/".join(parts), Route(parts, file, "program"))
        project.facts[_KEY + ".registered"] = known
    return known.get(key)


def _separate(project: Any, app: Application, folder: str) -> bool:
    """Whether a folder below the application's is a program of its own."""
    here = folder.strip("/")
    while here and here != app.folder:
        names = project.names(here)
        if any(name in _MANIFESTS or name.lower().startswith("dockerfile") for name in names):
            return True
        here = here.rpartition("/")[0]
    return False


def items(project: Any) -> list[Item]:
    """Every route of the tree's applications: facts `path`, `file`, `router`, `folder`; placed at the file's start."""
    found = []
    for app in applications(project):
        for route in app.routes:
            source = project.read(route.file)
            if source is None:
                continue
            end = min(len(source.text), len(source.line(1)))
            node = Node(SCALAR, route.path, source, 0, end, "'")
            facts = {"path": route.path, "file": route.file, "router": route.router, "folder": app.folder}
            found.append(Item(node, facts, node))
    return found
