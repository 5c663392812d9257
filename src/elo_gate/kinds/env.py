"""Turns an env file into its variables: what each is called, what it holds, whether that is a secret."""

from __future__ import annotations

from ..model import SCALAR, UNKNOWN, Item, Node
from ..redact import PUBLIC, mask, runs, secret_name, stand_in, tokens, weak_password
from ..syntax import dotenv, ignore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..model import Artifact

# Names with these prefixes are compiled into the JavaScript that browsers get.
BROWSER = ("NEXT_PUBLIC_", "VITE_", "REACT_APP_", "EXPO_PUBLIC_", "GATSBY_", "NUXT_PUBLIC_")

_ENVIRONMENTS = {
    "production": "production", "prod": "production", "development": "development", "dev": "development",
    "local": "development", "test": "test", "staging": "staging", "preview": "staging",
}  # fmt: skip
# The address under which people reach the application.
_ADDRESSES = ("NEXTAUTH_URL", "AUTH_URL", "BETTER_AUTH_URL", "NEXT_PUBLIC_APP_URL", "NEXT_PUBLIC_SITE_URL", "APP_URL",
              "SITE_URL", "BASE_URL", "CLIENT_URL", "FRONTEND_URL", "PUBLIC_URL", "NEXT_PUBLIC_BASE_URL",
              "NEXT_PUBLIC_API_URL", "VITE_API_URL")  # fmt: skip
_HERE = ("://localhost", "://127.0.0.1", "://0.0.0.0", "://[::1]")


def load(artifact: Artifact) -> None:
    """Reads the file as @next/env does."""
    artifact.root, artifact.problems = dotenv.parse(artifact.source)


def signs(artifact: Artifact) -> tuple[str, str] | None:
    """What the content says about the environment: NODE_ENV, else an address on the own machine."""
    for name in ("NODE_ENV", "APP_ENV"):
        said = (artifact.root.get(name).text() or "").lower()
        if said in _ENVIRONMENTS:
            return _ENVIRONMENTS[said], f"it sets {name}={said}"
    for name in _ADDRESSES:
        if any(here in (artifact.root.get(name).text() or "") for here in _HERE):
            return "development", f"its {name} is the own machine"
    return None


def secrets(artifact: Artifact) -> list[tuple[int, int]]:
    """Where values stand that may be credentials: by their name, by their form, or because they look random."""
    found = []
    for key, value in artifact.root.value:
        text = value.value
        if not text or value.kind is not SCALAR:
            continue
        inner = (value.start + 1, value.end - 1) if value.style else (value.start, value.end)
        shown = mask(f"{key.value}={text}")
        if shown == f"{key.value}={text}":
            continue
        inside = tokens(text)
        if len(inside) == 1 and inside[0][2] == "url password" and artifact.source.text[slice(*inner)] == text:
            found.append((inner[0] + inside[0][0], inner[0] + inside[0][1]))
        else:
            found.append(inner)
    return found


def variables(artifact: Artifact) -> list[Item]:
    """One item a variable: the facts of its effective value. The place is its name."""
    expanded = dotenv.expand(artifact.root, {})
    items = []
    for key, written in artifact.root.items():
        name = key.value
        given = expanded[name]
        if isinstance(given, Node):
            value = Node(UNKNOWN, written.value, written.source, written.start, written.end, written.style)
        elif given == written.value:
            value = written
        else:
            value = Node(SCALAR, given, written.source, written.start, written.end, written.style)
        browser = name.startswith(BROWSER)
        facts = {
            "name": name,
            "value": value,
            "raw": written.value,
            "quoted": written.style != "",
            "browser": browser,
            "secret": secret_name(name),
            "stand_in": stand_in(given, name) if isinstance(given, str) else "",
            "key": key,
        }
        items.append(Item(value, facts, value if value.end > value.start else key))
    return items


def vars_of(artifact: Artifact) -> list[Item]:
    """The view of another file's variables, computed once."""
    found = artifact.views.get("vars")
    if found is None:
        found = artifact.views["vars"] = variables(artifact)
    return found


def credential(item: Item) -> bool:
    """Whether a variable holds what looks like a real credential: of a known form, or random under a secret's name."""
    value: Node = item.facts["value"]
    if value.kind is not SCALAR or not value.value or item.facts["stand_in"]:
        return False
    text: str = value.value
    for start, end, kind in tokens(text):
        if kind not in PUBLIC and not (kind == "url password" and weak_password(text[start:end], _user(text[:start]))):
            return True
    return bool(item.facts["secret"]) and not item.facts["browser"] and any(runs(text))


def _user(before: str) -> str:
    """The user's name in the part of a URL before the password."""
    return before.rpartition("://")[2].rstrip(":")


def tracked_on_purpose(artifact: Artifact) -> bool:
    """Whether an ignore file says in so many words that git takes this file in (`!config/.env.*`): a template."""
    folder = artifact.path.rpartition("/")[0]
    while True:
        source = artifact.project.read(f"{folder}/.gitignore" if folder else ".gitignore")
        if source is not None:
            answer = ignore.Patterns(source.text, folder).match(artifact.path)
            if answer is not None:
                return not answer
        if not folder:
            return False
        folder = folder.rpartition("/")[0]


def file(artifact: Artifact) -> list[Item]:
    """The file itself: the names it sets. The place is the first name."""
    items = vars_of(artifact)
    place = items[0].facts["key"] if items else Node(SCALAR, "", artifact.source, 0, 0)
    return [Item(artifact.root, {"names": [item.facts["name"] for item in items]}, place)]


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {"file": file, "vars": variables}
