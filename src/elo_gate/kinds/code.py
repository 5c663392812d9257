"""Turns the modules of an application that the standard names into what each of them does: its roles.

Those are a Next.js middleware, health routes, rate limiters, sanitisers, error tracking and analytics, the modules that
back up, restore and roll back, and those that measure. Other program code is not read: a repository has thousands.
"""

from __future__ import annotations

import re

from ..model import MAP, SCALAR, Item, Node
from . import code_reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..model import Artifact
    from .code_module import Module

GATE = "middleware"
HEALTH = "health"
LIMITER = "limiter"
SANITISER = "sanitiser"
TRACKING = "tracking"
ANALYTICS = "analytics"
BACKUP = "backup"
ROLLBACK = "rollback"
TIMING = "timing"
ROLES = (GATE, HEALTH, LIMITER, SANITISER, TRACKING, ANALYTICS, BACKUP, ROLLBACK, TIMING)

LIMITERS = (
    "@upstash/ratelimit", "express-rate-limit", "rate-limiter-flexible", "@fastify/rate-limit", "hono-rate-limiter",
    "express-slow-down", "@vercel/firewall", "koa-ratelimit", "limiter",
)  # fmt: skip
SANITISERS = ("dompurify", "isomorphic-dompurify", "sanitize-html", "xss", "insane", "rehype-sanitize")
TRACKERS = "@sentry/"
ANALYSERS = ("@vercel/analytics", "@vercel/speed-insights")

LARGEST = 256 * 1024  # What is longer was not written by hand.

_GATES = frozenset(f"{name}.{ending}" for name in ("middleware", "proxy") for ending in ("ts", "js", "mts", "mjs"))
_HEALTH = re.compile(
    r"(?:^|/)(?:app/(?:.+/)?(?:healthz?|health[-_]?checks?|livez?|liveness|readyz?|readiness)/(?:[^/]+/)?route\.(?:ts|js|tsx|jsx|mjs)"
    r"|pages/api/(?:.+/)?(?:healthz?|health[-_]?checks?|livez?|liveness|readyz?|readiness)(?:/index)?\.(?:ts|js|tsx|jsx|mjs))\Z"
)
_IMPORT = r"""(?:from|require\(|import\(?)\s*['"]"""
_LIMITER = re.compile(_IMPORT + "(?:" + "|".join(re.escape(name) for name in LIMITERS) + r")(?:/[^'\"]*)?['\"]")
_SANITISER = re.compile(_IMPORT + "(?:" + "|".join(re.escape(name) for name in SANITISERS) + r")(?:/[^'\"]*)?['\"]")
_TRACKER = re.compile(_IMPORT + r"@sentry/[^'\"]+['\"]")
_ANALYSER = re.compile(_IMPORT + r"@vercel/(?:analytics|speed-insights)(?:/[^'\"]*)?['\"]")
# What of Sentry decides something: set up, or an interface that a major release took away.
_SET_UP = (
    "init(",
    "Replay",
    "Integrations.",
    "startTransaction",
    "configureScope",
    "BrowserTracing",
    "Handlers.",
    "Hub",
)
_DEED = re.compile(r"(?:class|function|const)\s+(\w*(?:[rR]ollback|[bB]ackup|[rR]estore)\w*)")
_ACTS = ("child_process", "exec", "spawn", "await ", "$`", "process.env")
_TESTS = re.compile(r"(?:^|/)(?:__tests__|__mocks__)/|\.(?:test|spec|stories|e2e|cy|bench)\.\w+\Z")
_STEMS = re.compile(r"[a-z]+|[A-Z][a-z]*")
_DEED_WORDS = {
    "backup": BACKUP, "backups": BACKUP, "snapshot": BACKUP, "rollback": ROLLBACK, "rollbacks": ROLLBACK,
    "restore": ROLLBACK, "disaster": ROLLBACK,
}  # fmt: skip
_TIMING_STEMS = frozenset(("performance", "perf", "metrics", "timing", "monitoring"))


def looks_like(path: str, text: str) -> bool:
    """Whether a file is one of the modules the standard names, by its name or by a few words of its content."""
    return bool(roles(path, text))


def roles(path: str, text: str) -> frozenset[str]:
    """What a file is for. Cheap for the many that are for nothing of it."""
    found = set()
    if len(text) > LARGEST:
        return frozenset()
    folder, _, name = path.rpartition("/")
    if name in _GATES and (folder in ("", "src") or "next/server" in text):
        found.add(GATE)
    elif "/route." in path or "pages/api/" in path:
        if _HEALTH.search(path):
            found.add(HEALTH)
    if any(each in text for each in LIMITERS) and _LIMITER.search(text):
        found.add(LIMITER)
    if any(each in text for each in SANITISERS) and _SANITISER.search(text):
        found.add(SANITISER)
    if TRACKERS in text and any(word in text for word in _SET_UP) and _TRACKER.search(text):
        found.add(TRACKING)
    if "@vercel/" in text and ("inject(" in text or "track(" in text) and _ANALYSER.search(text):
        found.add(ANALYTICS)
    if not path.endswith((".tsx", ".jsx")):
        stem = name.rpartition(".")[0]
        words = {word.lower() for word in _STEMS.findall(stem)}
        for word in words & _DEED_WORDS.keys():
            if "migrations/" not in path and _DEED.search(text) and any(each in text for each in _ACTS):
                found.add(_DEED_WORDS[word])
        if words & _TIMING_STEMS and "performance.now(" in text:
            found.add(TIMING)
        if (
            not found
            and ("ollback" in text or "ackup" in text)
            and re.search(r"class\s+\w*(?:Rollback|Backup)(?:Manager|Service|Runner|Job)?\b[^{]{0,80}\{", text)
        ):
            found.add(ROLLBACK if "Rollback" in text else BACKUP)
    if not found or _TESTS.search(path):
        return frozenset()
    return frozenset(found)


def load(artifact: Artifact) -> None:
    """Sets the problems, and the module for the views; the root is an empty map at the file's first token."""
    from ..syntax.javascript.grammar import Tree

    source = artifact.source
    artifact.root = Node(MAP, [], source, 0, min(1, len(source.text)))
    if not source.text.strip():
        artifact.views["file"] = []
        return
    try:
        tree = Tree(source)
        module = code_reader.read(tree)
    except (RecursionError, MemoryError):
        from ..model import Problem

        artifact.problems = [Problem("limit", "The file is nested too deeply.", 0, 1, fatal=True)]
        artifact.views["file"] = []
        return
    artifact.problems = tree.problems
    if tree.root is None:
        artifact.views["file"] = []
        return
    found = roles(artifact.path, source.text)
    facts: dict[str, Any] = {"module": module, "roles": tuple(role for role in ROLES if role in found)}
    artifact.views["file"] = [Item(artifact.root, facts, token(module))]


def token(module: Module) -> Node:
    """A short token for the file as a whole: its first exported name, else its first word."""
    for name in module.exports.values():
        if len(module.text(name)) < 80:
            return module.token(name)
    source = module.tree.source
    start = len(source.text) - len(source.text.lstrip())
    end = start + len(source.text[start:].split(None, 1)[0]) if source.text.strip() else start
    return Node(SCALAR, source.text[start:end], source, start, end, "'")


def module_of(artifact: Artifact) -> Module | None:
    """The module of a file, None when its content is not here or not valid."""
    items = artifact.views.get("file", [])
    return items[0].facts["module"] if items else None


def file(artifact: Artifact) -> list[Item]:
    """The module as a whole: facts `module`, `roles`."""
    return artifact.views.get("file", [])


def _of_role(role: str) -> Callable[[Artifact], list[Item]]:
    def view(artifact: Artifact) -> list[Item]:
        return [item for item in artifact.views.get("file", []) if role in item.facts["roles"]]

    return view


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {
    "file": file,
    "middleware": _of_role(GATE),
    "health_routes": _of_role(HEALTH),
    "limiters": _of_role(LIMITER),
    "sanitisers": _of_role(SANITISER),
    "trackers": _of_role(TRACKING),
    "analytics": _of_role(ANALYTICS),
    "backups": _of_role(BACKUP),
    "rollbacks": _of_role(ROLLBACK),
    "timings": _of_role(TIMING),
}


def signs(artifact: Artifact) -> tuple[str, str] | None:
    """The application runs its modules wherever it runs, in production too."""
    return ("production", "the application runs it in production") if artifact.views.get("file") else None


def secrets(artifact: Artifact) -> list[tuple[int, int]]:
    """Literal texts that are given to a secret's name, and passwords in URLs."""
    from . import credential

    module = module_of(artifact)
    if module is None:
        return []
    found = []
    for text, branch in module.texts:
        parent = branch.parent
        key = None
        if parent is not None and parent.type in ("pair", "variable_declarator"):
            key = parent.child_by_field_name("key") or parent.child_by_field_name("name")
        named = key is not None and credential.secret_name(module.text(key))
        if named or credential.url_password(text) is not None:
            found.append((module.tree.start(branch), module.tree.end(branch)))
    return found
