"""Turns what vercel.json says about files and times into answers: does a pattern match, is a path served, is a cron valid."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MOST_FILES = 20_000
MOST_LEVELS = 24
SKIPPED = ("node_modules/", ".git/", ".next/", ".vercel/", ".turbo/")


class Unreadable(Exception):
    """The answer cannot be given: a pattern beyond what is understood here, or too many files."""


def files(project: Any, folder: str) -> Iterator[str]:
    """Paths of the files below a folder, relative to it. Raises Unreadable after MOST_FILES."""
    seen = 0
    stack = [("", 0)]
    while stack:
        inner, depth = stack.pop()
        for name in project.names("/".join(part for part in (folder, inner.rstrip("/")) if part)):
            if name.endswith("/"):
                if name not in SKIPPED and depth < MOST_LEVELS:
                    stack.append((inner + name, depth + 1))
                continue
            seen += 1
            if seen > MOST_FILES:
                raise Unreadable(f"there are more than {MOST_FILES} files")
            yield inner + name


def matching(project: Any, folder: str, pattern: str) -> bool:
    """Whether a `functions` pattern matches a file of the project that lies in `folder`.

    As Vercel does it: the very path, or minimatch without options. So `[id]` of a route is a character class unless
    the pattern is the whole path, and `*` does not match a leading dot (github.com/vercel/vercel,
    packages/fs-detectors/src/detect-builders.ts and packages/build-utils/src/lambda.ts, looked up 2026-11-25).
    """
    if project.exists("/".join(part for part in (folder, pattern) if part)) and not _magic(pattern):
        return True
    steps = pattern.split("/")
    fixed = 0
    while fixed < len(steps) - 1 and not _magic(steps[fixed]):
        fixed += 1
    base = "/".join(part for part in (folder, *steps[:fixed]) if part)
    # The literal beginning saves reading the whole tree; a route folder such as `[id]` may be meant literally.
    rest = "/".join(steps[fixed:])
    regexes = [_regex(each) for each in braces(rest)]
    return any(name == rest or any(regex.fullmatch(name) for regex in regexes) for name in files(project, base))


def _magic(text: str) -> bool:
    return any(letter in "*?[]{}!+@()" for letter in text)


def braces(pattern: str) -> list[str]:
    """A pattern with `{a,b}` laid out; ranges are not. Raises Unreadable beyond 64 patterns."""
    opening = pattern.find("{")
    if opening < 0:
        return [pattern]
    depth, parts, start = 0, [], opening + 1
    for at in range(opening, len(pattern)):
        letter = pattern[at]
        if letter == "{":
            depth += 1
        elif letter == "}":
            depth -= 1
            if depth == 0:
                parts.append(pattern[start:at])
                break
        elif letter == "," and depth == 1:
            parts.append(pattern[start:at])
            start = at + 1
    else:
        return [pattern]
    if len(parts) == 1:
        raise Unreadable("a range in braces")
    ends = braces(pattern[at + 1 :])
    made = [pattern[:opening] + middle + end for part in parts for middle in braces(part) for end in ends]
    if len(made) > 64:
        raise Unreadable("too many alternatives in braces")
    return made


def _regex(pattern: str) -> Any:
    """A compiled regex for one pattern. Raises Unreadable for extended globs other than alternatives."""
    import re

    text = ""
    steps = pattern.split("/")
    for index, step in enumerate(steps):
        last = index == len(steps) - 1
        if step == "**":
            text += r"(?!\.)(?:[^/]+(?:/(?!\.)[^/]+)*)?" if last else r"(?:(?!\.)[^/]+/)*"
            continue
        text += _step(step) + ("" if last else "/")
    try:
        return re.compile(text)
    except re.error:
        raise Unreadable("a pattern that cannot be read") from None


def _step(step: str) -> str:
    import re

    text = r"(?!\.)" if step[:1] in "*?" else ""
    at = 0
    while at < len(step):
        letter = step[at]
        if letter in "+@*?!" and step[at + 1 : at + 2] == "(":
            end = step.find(")", at)
            if end < 0 or letter == "!":
                raise Unreadable("an extended pattern")
            options = "|".join(re.escape(each) for each in step[at + 2 : end].split("|"))
            text += f"(?:{options})" + {"@": "", "+": "+", "*": "*", "?": "?"}[letter]
            at = end
        elif letter == "*":
            if not text.endswith("[^/]*"):
                text += "[^/]*"
        elif letter == "?":
            text += "[^/]"
        elif letter == "[":
            end = step.find("]", at + 2)
            if end < 0:
                text += r"\["
            else:
                inside = step[at + 1 : end].replace("\\", r"\\").replace("[", r"\[")
                text += "[" + ("^" + inside[1:] if inside[:1] in "!^" else inside) + "]"
                at = end
        else:
            text += re.escape(letter)
        at += 1
    return text


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
        if project.names(_join(folder, base)):
            router = True
            if _app_serves(project, _join(folder, base), parts, 0):
                return True
    for base in ("pages", "src/pages"):
        if project.names(_join(folder, base)):
            router = True
            if _files_serve(project, _join(folder, base), parts, 0):
                return True
    if parts[:1] == ["api"] and _files_serve(project, folder, parts, 0):
        return True
    if package is not None and not package.scripts_known:
        return None
    if package is None or not package.has("next") or not router:
        # Without Next.js only `api/` is routed by files, and only where no framework routes it.
        return False if package is None and parts[:1] == ["api"] and project.names(_join(folder, "api")) else None
    if _configures_routes(project, folder):
        return None
    return False


def _join(*parts: str) -> str:
    return "/".join(part for part in parts if part)


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
        _files_serve(project, _join(folder, name[:-1]), parts[1:], depth + 1)
        for name in names
        if name.endswith("/") and (name[:-1] == parts[0] or name.startswith("["))
    )


def _configures_routes(project: Any, folder: str) -> bool:
    """Whether a next.config could route the path: it has rewrites, redirects or a base path."""
    for ending in ("js", "mjs", "cjs", "ts", "mts"):
        source = project.read(_join(folder, f"next.config.{ending}"))
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
            if slash and not (step.isdigit() and int(step) > 0):
                return f"the {name} has a step that is not a number above 0"
            ends = span.split("-") if span != "*" else []
            if len(ends) > 2 or not all(end.isdigit() for end in ends):
                return f"the {name} is neither a number, a range nor '*'"
            if not all(low <= int(end) <= high for end in ends):
                return f"the {name} is not between {low} and {high}"
            if len(ends) == 2 and int(ends[0]) > int(ends[1]):
                return f"the {name} is a range that runs backwards"
    if fields[2] != "*" and fields[4] != "*":
        return "it sets both a day of the month and a day of the week"
    return ""
