"""Turns a path, its siblings and its content into the environment an artifact belongs to, and why.

In this order: a path word, the files beside it, its content, else production by assumption. Words match whole
segments only, split at `/ . _ -`: `dev` in `devtools` and `test` in `latest` say nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

PRODUCTION = "production"

_WORDS = {
    "production": PRODUCTION, "prod": PRODUCTION, "prd": PRODUCTION, "live": PRODUCTION,
    "staging": "staging", "stage": "staging", "stg": "staging", "preview": "staging", "uat": "staging", "qa": "staging",
    "demo": "demo", "sandbox": "demo", "playground": "demo",
    "dev": "development", "develop": "development", "development": "development", "local": "development",
    "debug": "development", "devcontainer": "development", "override": "development",
    "test": "test", "tests": "test", "testing": "test", "e2e": "test", "ci": "test", "loadtest": "test",
    "profiling": "test", "benchmark": "test", "bench": "test", "fixtures": "test", "fixture": "test", "mocks": "test",
    "example": "example", "examples": "example", "sample": "example", "samples": "example", "template": "example",
    "templates": "example", "dist": "example", "tmpl": "example", "docs": "example", "documentation": "example",
    "archived": "archive", "archive": "archive", "deprecated": "archive", "legacy": "archive", "backup": "archive",
    "bak": "archive", "old": "archive", "orig": "archive",
}  # fmt: skip

# Kinds whose files have twins, a file for another environment beside them.
TWINS = frozenset(("compose", "dockerfile"))
# A folder of one of these holds no production whatever its files are called.
_SHELVES = frozenset(("test", "example", "archive"))
# Vercel, Railway and Next.js read these files for production itself: only a shelf or a config sets them aside.
_BY_DEFINITION = {
    "vercel": "Vercel", "railway": "Railway", "next": "Next.js", "workflow": "GitHub", "action": "GitHub",
    "gitlab": "GitLab", "pipeline": "its platform", "checklist": "whoever releases",
}  # fmt: skip
# `dist` is a build folder in a path and `.env.dist` an example; only a file name says so.
# Words that say what a file does, where a kind is about just that: a backup script is no archive.
_DEEDS = frozenset(("backup", "ci"))
_DEED_KINDS = frozenset(("k8s", "script", "sql", "code", "schedule"))
_FILE_ONLY = frozenset(("dist", "legacy", "old", "backup", "override", "live", "bench"))


def words(segment: str) -> list[str]:
    """The words of a path segment, lower case."""
    return segment.lower().replace(".", " ").replace("_", " ").replace("-", " ").split()


def by_path(path: str, kind: str) -> tuple[str, str] | None:
    """(environment, why) by the words of a path, None when it has none of them."""
    *folders, name = path.split("/")
    if kind == "nginx":
        # The official image fills in `/etc/nginx/templates/*.template` when it starts: not an example
        # (https://hub.docker.com/_/nginx, "Using environment variables in nginx configuration").
        folders = [folder for folder in folders if folder != "templates"]
        name = name.removesuffix(".template")
    for folder in folders:
        for word in words(folder):
            if (
                _WORDS.get(word) in _SHELVES
                and word not in _FILE_ONLY
                and not (kind in _BY_DEFINITION and word == "docs")
            ):
                return _WORDS[word], f"the folder name '{folder}'"
    if kind in _BY_DEFINITION:
        return PRODUCTION, f"{_BY_DEFINITION[kind]} reads it for production"
    own = words(name)
    if kind in _DEED_KINDS:
        own = [word for word in own if word not in _DEEDS]
    found = _of(own, True)
    if found:
        return found, f"the file name '{name}'"
    for folder in reversed(folders):
        found = _of(words(folder), False)
        if found:
            return found, f"the folder name '{folder}'"
    return None


def _of(names: Iterable[str], file: bool) -> str | None:
    """The environment of some words: anything else wins over production (`.env.production.example`)."""
    found = None
    for word in names:
        environment = _WORDS.get(word)
        if environment and (file or word not in _FILE_ONLY):
            if environment != PRODUCTION:
                return environment
            found = environment
    return found


def by_siblings(path: str, kind: str, names: Iterable[str]) -> tuple[str, str] | None:
    """(environment, why) by what lies beside a file whose own name says nothing.

    A development twin makes the plain file production; a production twin makes it development. `names` are the
    names of files of the same kind in the same folder. An env file has no twins: Next.js reads `.env` everywhere.
    """
    if kind not in TWINS:
        return None
    own = path.rpartition("/")[2]
    for name in names:
        # `Dockerfile.tools` beside `Dockerfile.production` is another image; only the plain name is a twin.
        if kind == "dockerfile" and len(words(own)) > 1 and words(own)[0] == "dockerfile":
            break
        if name != own and _of(words(name), True) == PRODUCTION:
            return "development", f"'{name}' beside it is the one for production"
    for name in names:
        if name != own and _of(words(name), True) == "development" and "override" not in words(name):
            return PRODUCTION, f"'{name}' beside it is the one for development"
    return None
