"""Turns an env file as a whole into what is wrong with it: secrets in version control, lines that are lost,
names that stand in a circle or in no example."""

from __future__ import annotations

import re
from bisect import bisect_right

from ..kinds.env import BROWSER, credential, tracked_on_purpose, vars_of
from ..model import SCALAR, Artifact, Fault, Item, Node, Undecided
from ..redact import PUBLIC, secret_name, tokens
from ..syntax import dotenv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_EXAMPLES = (".env.example", ".env.sample", ".env.template", ".env.dist", "env.example", ".env_example")
_NAME = re.compile(r"(?<!\\)\$\{?([A-Za-z_][A-Za-z0-9_]*)(?!:-|[A-Za-z0-9_])")
_ASSIGNED = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z0-9_.-]+)[ \t]*[=:]")


def committed(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault a file, at the first credential, when git tracks it or nothing says that it is ignored."""
    tracked = file.project.tracked(file.path)
    if tracked is False or (tracked is None and file.project.ignored(file.path)):
        return
    held = [(item.place, item.facts["name"]) for item in vars_of(file) if credential(item)]
    starts = [value.start for _, value in file.root.value]
    for start, end, kind in tokens(file.source.text):
        near = bisect_right(starts, start) - 1
        inside = near >= 0 and start < file.root.value[near][1].end
        if kind not in PUBLIC and kind != "url password" and not inside:
            held.append((Node(SCALAR, "", file.source, start, end), f"a {kind} in a comment"))
    if not held:
        return
    held.sort(key=lambda pair: pair[0].start)
    (first, name), rest = held[0], held[1:]
    message = ("tracked-several" if rest else "tracked") if tracked else "several" if rest else "default"
    yield Fault(first, related=rest, message=message, name=name, more=len(rest))


def missing(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields one fault for the names that a configuration demands and the file does not set, or sets to nothing."""
    if not params["names"]:
        return
    values = {item.facts["name"]: item.facts["value"] for item in vars_of(file)}
    lacking = [name for name in params["names"] if name not in values]
    for name in params["names"]:
        value = values.get(name)
        if value is not None and value.kind is SCALAR and not value.value:
            lacking.append(name)
        elif value is not None and value.kind is not SCALAR:
            yield Undecided(f"'{name}' expands what only the running system knows", value)
    if lacking:
        yield Fault(it, names=lacking, file=file.path.rpartition("/")[2])


def not_ignored(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a file whose names ask for secrets, that holds none yet, and that git would take in."""
    if file.project.ignored(file.path) or tracked_on_purpose(file):
        return
    names = [item.facts["name"] for item in vars_of(file) if item.facts["secret"] and not item.facts["browser"]]
    if names and not any(map(credential, vars_of(file))):
        yield Fault(it, name=names[0], file=file.path.rpartition("/")[2])


def in_browser(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when a variable that is compiled into the browser's JavaScript is a secret by name or form."""
    name, value = it.facts["name"], it.facts["value"]
    if not it.facts["browser"] or value.kind is not SCALAR or not value.value:
        return
    prefix = next(each for each in BROWSER if name.startswith(each))
    found = [kind for _, _, kind in tokens(value.value) if kind not in PUBLIC]
    if "json web token" in found and _public_role(value.value):
        found.remove("json web token")
    if found:
        yield Fault(it, message="form", name=name, prefix=prefix, kind=found[0])
    elif re.search(params["names"], name) and secret_name(name) and not re.search(params["public"], name):
        if value.boolean() is None and value.number() is None:
            yield Fault(it, name=name, prefix=prefix)


def _public_role(token: str) -> bool:
    """Whether a token is one that its issuer makes for browsers: a Supabase `anon` key."""
    from binascii import Error, a2b_base64

    try:
        body = token.split(".")[1].replace("-", "+").replace("_", "/")
        claims = a2b_base64(body + "=" * (-len(body) % 4))
    except (Error, IndexError, ValueError):
        return False
    return re.search(rb'"role"\s*:\s*"anon"', claims) is not None


def lost_line(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for what the reader of env files skips or reads otherwise than it looks."""
    code = it.facts["code"]
    if code in ("syntax", "unterminated-quote", "text-after-quote"):
        name = _name_on_line(file, it.node.start)
        yield Fault(it, message=code, name=name)


def duplicate(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault at a name that is set again with another value."""
    seen: dict[str, tuple[Node, Node]] = {}
    for key, value in file.root.value:
        earlier = seen.get(key.value)
        if earlier is not None and earlier[1].value != value.value:
            yield Fault(key, related=[(earlier[0], "set here before")], name=key.value)
        seen[key.value] = (key, value)


def _name_on_line(file: Artifact, at: int) -> str:
    """The name that is set on the line of an offset."""
    begin = file.source.text.rfind("\n", 0, at) + 1
    found = _ASSIGNED.match(file.source.text, begin)
    return found[1] if found and found.end() <= at else "this line"


def cut(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when an unquoted value ends at a `#` that touches it."""
    written = file.root.get(it.facts["name"])
    text = file.source.text
    if written.style or written.end == written.start or text[written.end : written.end + 1] != "#":
        return
    yield Fault(it, name=it.facts["name"])


def circle(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault at the first name of references that lead back to it: the reader recurses until it fails."""
    package = file.project.package(file.path)
    index = file.root.index
    if package is None or not package.has("next") or index is None:
        return
    refers = {key.value: [n for n in _NAME.findall(value.value) if n in index] for key, value in index.values()}
    done: set[str] = set()
    for start, names in refers.items():
        # Depth first, without recursion: a name that is met while it is on the path closes a circle.
        path, todo = {start: None}, [(start, iter(names))]
        while todo and start not in done:
            name, rest = todo[-1]
            following = next((each for each in rest if each not in done), None)
            if following is None:
                todo.pop()
                path.pop(name, None)
                done.add(name)
            elif following in path:
                first = min(list(path)[list(path).index(following) :], key=lambda each: index[each][0].start)
                yield Fault(index[first][0], name=first)
                done.update(path)
            else:
                path[following] = None
                todo.append((following, iter(refers[following])))


def drift(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when the example beside a file lacks names that the file sets."""
    folder = file.path.rpartition("/")[0]
    for name in _EXAMPLES:
        path = f"{folder}/{name}" if folder else name
        example = file.project.read(path)
        if example is None or path == file.path:
            continue
        root, _ = dotenv.parse(example)
        documented = {key.value for key, _ in root.items()}
        documented |= set(re.findall(r"(?m)^[ \t]*#[ \t]*([A-Z][A-Z0-9_]*)[ \t]*=", example.text))
        missing = [item for item in vars_of(file) if item.facts["name"] not in documented]
        if missing:
            names = ", ".join(item.facts["name"] for item in missing[:5]) + (" ..." if len(missing) > 5 else "")
            related = [(item.facts["key"], f"{item.facts['name']} is not in {name}") for item in missing[1:20]]
            yield Fault(missing[0].facts["key"], related=related, names=names, example=name)
        return
