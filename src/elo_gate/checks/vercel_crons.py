"""Tells whether a cron job of vercel.json can run: does a file serve its path, is its schedule one that Vercel runs."""

from __future__ import annotations

from .vercel_globs import MOST_LEVELS, Unreadable, join

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ROUTE_FILES = (
    "route.ts",
    "route.js",
    "route.tsx",
    "route.jsx",
    "route.mjs",
    "page.tsx",
    "page.ts",
    "page.jsx",
    "page.js",
)
ENDINGS = (".ts", ".js", ".tsx", ".jsx", ".mjs", ".cjs", ".py", ".go", ".rb", ".php", ".rs")


def serves(project: Any, folder: str, path: str) -> bool | None:
    """Whether a file serves a path, by the App Router, the Pages Router or an `api` folder; None: cannot be told.

    Folders in parentheses and `@slots` are not part of a path, `[x]` stands for one part, `[...x]` for the rest.
    """
    parts = [part for part in path.partition("?")[0].split("/") if part]
    package = project.package("/".join(each for each in (folder, "package.json") if each))
    router = False
    for base in ("app", "src/app"):
        if project.names(join(folder, base)):
            router = True
            if _app_serves(project, join(folder, base), parts, 0):
                return True
    for base in ("pages", "src/pages"):
        if project.names(join(folder, base)):
            router = True
            if _files_serve(project, join(folder, base), parts, 0):
                return True
    if parts[:1] == ["api"] and _files_serve(project, folder, parts, 0):
        return True
    if package is not None and not package.scripts_known:
        return None
    if package is None or not package.has("next") or not router:
        # Without Next.js only `api/` is routed by files, and only where no framework routes it.
        return False if package is None and parts[:1] == ["api"] and project.names(join(folder, "api")) else None
    if _configures_routes(project, folder):
        return None
    return False


def _app_serves(project: Any, folder: str, parts: list[str], depth: int) -> bool:
    names = project.names(folder)
    if not parts and any(name in ROUTE_FILES for name in names):
        return True
    if depth > MOST_LEVELS:
        raise Unreadable("folders are nested too deeply")
    for name in names:
        if not name.endswith("/"):
            continue
        step = name[:-1]
        if step.startswith(("(", "@")):
            rest = parts
        elif step.startswith("[[..."):
            rest = []
        elif step.startswith("[..."):
            rest = [] if parts else ["?"]
        elif parts and (step == parts[0] or step.startswith("[")):
            rest = parts[1:]
        else:
            continue
        if rest != ["?"] and _app_serves(project, f"{folder}/{step}", rest, depth + 1):
            return True
    return False


def _files_serve(project: Any, folder: str, parts: list[str], depth: int) -> bool:
    """As the Pages Router and `api/` do: `a/b.ts`, `a/b/index.ts`, `a/[id].ts`, `[...rest].ts`."""
    names = project.names(folder)
    stems = {name.rpartition(".")[0] for name in names if name.endswith(ENDINGS)}
    if not parts:
        return "index" in stems or any(stem.startswith("[[...") for stem in stems)
    if any(stem.startswith(("[...", "[[...")) for stem in stems):
        return True
    if len(parts) == 1 and (parts[0] in stems or any(stem.startswith("[") for stem in stems)):
        return True
    if depth > MOST_LEVELS:
        raise Unreadable("folders are nested too deeply")
    return any(
        _files_serve(project, join(folder, name[:-1]), parts[1:], depth + 1)
        for name in names
        if name.endswith("/") and (name[:-1] == parts[0] or name.startswith("["))
    )


def _configures_routes(project: Any, folder: str) -> bool:
    """Whether a next.config could route the path: it has rewrites, redirects or a base path."""
    for ending in ("js", "mjs", "cjs", "ts", "mts"):
        source = project.read(join(folder, f"next.config.{ending}"))
        if source is not None and any(word in source.text for word in ("rewrites", "redirects", "basePath")):
            return True
    return False


_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7))


def cron_problem(text: str) -> str:
    """What Vercel does not run about a cron expression, "" when nothing.

    Five numeric fields with `*`, `,`, `-`, `/`; no names of days or months; not both a day of the month and a day
    of the week (vercel.com/docs/cron-jobs, looked up 2026-11-25).
    """
    fields = text.split()
    if len(fields) != 5:
        return f"it has {len(fields)} fields, not 5"
    for field, (name, low, high) in zip(fields, _FIELDS, strict=True):
        if any(letter.isalpha() for letter in field):
            return f"the {name} is a name; only numbers are read"
        for part in field.split(","):
            span, slash, step = part.partition("/")
            if slash and not (step.isdecimal() and step.strip("0")):
                return f"the {name} has a step that is not a number above 0"
            ends = span.split("-") if span != "*" else []
            if len(ends) > 2 or not all(end.isdecimal() and len(end) < 10 for end in ends):
                return f"the {name} is neither a number, a range nor '*'"
            if not all(low <= int(end) <= high for end in ends):
                return f"the {name} is not between {low} and {high}"
            if len(ends) == 2 and int(ends[0]) > int(ends[1]):
                return f"the {name} is a range that runs backwards"
    if fields[2] != "*" and fields[4] != "*":
        return "it sets both a day of the month and a day of the week"
    return ""
