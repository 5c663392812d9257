"""Turns a glob of an ignore file into a regular expression that takes linear time to match.

Every `*` but the last of a path segment is matched once, leftmost, and never reconsidered (atomic groups): whatever
would let a later place match lets the leftmost one match as well. Git's globs are those of its wildmatch.c, Docker's
Go's filepath.Match with `**`.
"""

from __future__ import annotations

# What `[[:name:]]` means between brackets of a regular expression, in ASCII as in git.
_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": " \\t", "cntrl": "\\x00-\\x1f\\x7f", "digit": "0-9",
    "graph": "\\x21-\\x7e", "lower": "a-z", "print": "\\x20-\\x7e", "punct": "!-/:-@\\[-`{-~",
    "space": " \\t\\n\\r\\f\\v", "upper": "A-Z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_FOLDERS = "(?:[^/]*/)*?"  # any number of folders, as few as it takes


class _Block:
    """What stands between two `**/`: path segments, each a list of the texts between its stars."""

    __slots__ = ("before", "glued", "segments")

    def __init__(self, before: str) -> None:
        self.before = before  # the regular expression of the `**/` in front
        self.segments: list[list[str]] = [[""]]
        self.glued = False  # ends in the middle of a segment; only docker knows that


def translate(pattern: str, folders: bool = True, docker: bool = False) -> str | None:
    """A glob as a regular expression for the whole rest of a path, None when it can match nothing.

    `folders`: `**` has its meaning; without it (git, no slash in the pattern) it is a plain `*`.
    """
    block = _Block("")
    blocks = [block]
    rest = ""  # the regular expression of a trailing `**`
    at, size = 0, len(pattern)
    while at < size:
        char = pattern[at]
        at += 1
        segment = block.segments[-1]
        if char == "*":
            begin = at - 1
            while at < size and pattern[at] == "*" and (not docker or at < begin + 2):
                at += 1
            before = ""
            if at - begin > 1 and docker:
                at += pattern.startswith("/", at)
                block.glued = segment != [""]
                before = _FOLDERS
            elif at - begin > 1 and folders and segment == [""]:
                if at == size or pattern[at] == "/":
                    at += 1
                    before = _FOLDERS
                elif pattern.startswith("\\/", at):
                    # An escaped slash has to be there, it does not go away with the folders.
                    at += 2
                    before = "(?:[^/]*/)+?"
            if before and at >= size and pattern[-1] == "*":
                rest = ".*"
            elif before:
                block = _Block(before)
                blocks.append(block)
            elif len(segment) == 1 or segment[-1]:
                segment.append("")
        elif char == "?":
            segment[-1] += "[^/]"
        elif char == "[":
            at, source = _bracket(pattern, at, docker)
            if not source:
                return None
            segment[-1] += source
        elif char == "\\":
            if at == size:
                return None
            if pattern[at] != "/":
                segment[-1] += quote(pattern[at])
                at += 1
        elif char == "/":
            block.segments.append([""])
        else:
            segment[-1] += quote(char)
    source = ""
    reconsider = True
    for block in blocks:
        body = block.before + "/".join(map(_segment, block.segments))
        if not block.before or (block is blocks[-1] and not rest):
            source += body
        elif block.glued and reconsider:
            # Docker's `**a**b`: the leftmost `a` need not be the right one. One such is tried everywhere, further
            # ones in a pattern are not: nobody writes them, and each would multiply the time.
            source += body
            reconsider = False
        else:
            source += "(?>" + body + ")"
    return source + rest


def _segment(texts: list[str]) -> str:
    """The texts between the stars of one path segment, each found leftmost but for the last."""
    source = texts[0]
    for text in texts[1:-1]:
        source += "(?>[^/]*?" + text + ")"
    if len(texts) > 1:
        source += "[^/]*" + texts[-1] if texts[-1] else "[^/]*+"
    return source


def _bracket(pattern: str, at: int, docker: bool) -> tuple[int, str]:
    """A bracket expression from behind its `[`: the place behind it and its translation, "" when it is malformed."""
    size = len(pattern)
    negated = at < size and (pattern[at] == "^" or (pattern[at] == "!" and not docker))
    at += negated
    body = ""
    previous = ""
    first = True
    while True:
        if at >= size:
            return at, ""
        char = pattern[at]
        if char == "]" and (not first or docker):
            break
        first = False
        if char == "[" and pattern.startswith(":", at + 1) and not docker:
            end = pattern.find("]", at + 2)
            if end < 0:
                return at, ""
            if end > at + 2 and pattern[end - 1] == ":":
                name = _CLASSES.get(pattern[at + 2 : end - 1])
                if name is None:
                    return at, ""
                body += name
                previous = ""
                at = end + 1
                continue
        if char == "-" and previous and at + 1 < size and pattern[at + 1] != "]":
            at += 1
            high = pattern[at]
            if high == "\\":
                at += 1
                if at >= size:
                    return at, ""
                high = pattern[at]
            if previous <= high:
                body += quote(previous) + "-" + quote(high)
            elif docker:
                return at, ""
            previous = ""
            at += 1
            continue
        if char == "\\":
            at += 1
            if at >= size:
                return at, ""
            char = pattern[at]
        body += quote(char)
        previous = char
        at += 1
    if not body:
        return at + 1, "[^/]" if negated else "(?!)"
    return at + 1, f"(?!/)[{'^' if negated else ''}{body}]"


def quote(text: str) -> str:
    """As re.escape, which would cost its import here."""
    if text.isalnum():
        return text
    return "".join(char if char.isalnum() or char in "_/" else "\\" + char for char in text)
