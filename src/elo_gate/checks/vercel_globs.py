"""Tells whether a pattern in the `functions` of vercel.json matches a file, as Vercel matches them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MOST_FILES = 20_000
MOST_LEVELS = 24
MOST_PATTERNS = 64
MOST_WORK = 2_000_000
SKIPPED = ("node_modules/", ".git/", ".next/", ".vercel/", ".turbo/")


class Unreadable(Exception):
    """The answer cannot be given: a pattern beyond what is understood here, or too many files."""


def files(project: Any, folder: str) -> Iterator[str]:
    """Paths of the files below a folder, relative to it. Raises Unreadable after MOST_FILES."""
    seen = 0
    stack = [("", 0)]
    while stack:
        inner, depth = stack.pop()
        for name in project.names(join(folder, inner.rstrip("/"))):
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
    Raises Unreadable for what is not understood here.
    """
    if not _magic(pattern):
        return bool(project.exists(join(folder, pattern)))
    steps = pattern.split("/")
    fixed = 0
    while fixed < len(steps) - 1 and not _magic(steps[fixed]):
        fixed += 1
    # The literal beginning saves reading the whole tree.
    rest = "/".join(steps[fixed:])
    globs = [Glob(each) for each in alternatives(rest)]
    names = files(project, join(folder, *steps[:fixed]))
    return any(name == rest or any(glob.matches(name) for glob in globs) for name in names)


def _magic(text: str) -> bool:
    return any(letter in "*?[]{}!+@()" for letter in text)


def alternatives(pattern: str) -> list[str]:
    """A pattern with `{a,b}`, `@(a|b)` and one turn of `+(a|b)` laid out. Raises Unreadable beyond MOST_PATTERNS."""
    opening, closing, comma = _first_group(pattern)
    if opening < 0:
        return [pattern]
    parts, start = [], opening + 1
    for at in comma:
        parts.append(pattern[start:at])
        start = at + 1
    parts.append(pattern[start:closing])
    if pattern[opening] == "(":
        opening -= 1
        if pattern[opening] == "?":
            parts.append("")
    elif len(parts) == 1:
        raise Unreadable("the pattern has a range in braces")
    ends = alternatives(pattern[closing + 1 :])
    made = [pattern[:opening] + middle + end for part in parts for middle in alternatives(part) for end in ends]
    if len(made) > MOST_PATTERNS:
        raise Unreadable(f"the pattern has more than {MOST_PATTERNS} alternatives")
    return made


def _first_group(pattern: str) -> tuple[int, int, list[int]]:
    """Where the first group opens and closes, and the marks between its parts; -1 when there is none."""
    for opening, letter in enumerate(pattern):
        if letter == "(" and pattern[opening - 1 : opening] in ("!", "*"):
            raise Unreadable("the pattern negates or repeats a group")
        if letter != "{" and not (letter == "(" and opening and pattern[opening - 1] in "@+?"):
            continue
        depth = 0
        marks: list[int] = []
        for at in range(opening, len(pattern)):
            depth += (pattern[at] in "{(") - (pattern[at] in "})")
            if depth == 0:
                return opening, at, marks
            if depth == 1 and pattern[at] == (",|"[letter == "("]):
                marks.append(at)
    return -1, -1, []


class Glob:
    """One pattern without groups. Matching takes bounded work, whatever pattern and names are."""

    __slots__ = ("steps", "work")

    def __init__(self, pattern: str) -> None:
        self.steps: list[list[str] | None] = []  # None: any number of folders
        for step in pattern.split("/"):
            if step != "**":
                self.steps.append(_tokens(step))
            elif not self.steps or self.steps[-1] is not None:
                self.steps.append(None)
        self.work = MOST_WORK

    def matches(self, path: str) -> bool:
        """Whether a path matches. Raises Unreadable when it would take too long to tell."""
        steps = self.steps
        reached = {0}  # how many steps of the pattern may be behind us
        parts = path.split("/")
        for number, part in enumerate(parts):
            following: set[int] = set()
            for at in reached:
                while at < len(steps):
                    step = steps[at]
                    if step is None:
                        if part[:1] != ".":
                            following.add(at)
                        at += 1  # `**` may also stand for no folder
                        continue
                    if self._step(step, part):
                        following.add(at + 1)
                    break
            reached = following
            if not reached:
                return False
            if number == len(parts) - 1:
                return len(steps) in reached or (steps[-1] is None and len(steps) - 1 in reached)
        return False

    def _step(self, tokens: list[str], name: str) -> bool:
        """One folder or file name: the last star is the only one that ever has to take more."""
        if name[:1] == "." and tokens[:1] and tokens[0] in ("*", "?"):
            return False
        at = read = 0
        star, marked = -1, 0
        while read < len(name):
            self.work -= 1
            if self.work < 0:
                raise Unreadable("the pattern takes too long to compare")
            if at < len(tokens) and tokens[at] == "*":
                star, marked = at, read
                at += 1
            elif at < len(tokens) and _fits(tokens[at], name[read]):
                at, read = at + 1, read + 1
            elif star >= 0:
                marked += 1
                at, read = star + 1, marked
            else:
                return False
        return all(token == "*" for token in tokens[at:])


def _tokens(step: str) -> list[str]:
    """`*`, `?`, classes as `[...]`, and letters; a letter that means itself has a backslash in front."""
    tokens = []
    at = 0
    while at < len(step):
        letter = step[at]
        end = step.find("]", at + 2) if letter == "[" else -1
        if end > 0:
            tokens.append(step[at : end + 1])
            at = end
        elif letter == "\\" and at + 1 < len(step):
            at += 1
            tokens.append("\\" + step[at])
        else:
            tokens.append(letter if letter in "*?" else "\\" + letter)
        at += 1
    return tokens


def _fits(token: str, letter: str) -> bool:
    if token[0] != "[":
        return token == "?" or (token[0] == "\\" and token[1] == letter)
    inside = token[1:-1]
    negated = inside[:1] in ("!", "^")
    inside = inside[negated:]
    found = letter in inside
    for at in range(1, len(inside) - 1):
        found = found or (inside[at] == "-" and inside[at - 1] <= letter <= inside[at + 1])
    return found is not negated


def join(*parts: str) -> str:
    return "/".join(part for part in parts if part)
