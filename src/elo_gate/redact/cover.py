"""Finds what is secret in a text of whatever notation, and covers it with `***`."""

from __future__ import annotations

import re

from .formats import bare, tokens
from .names import STARS, masked, readable, secret_name
from .randomness import ALNUM, odd, runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What the names of secrets, and the phrases before them, are made of; lower case.
_SUSPECT = (
    "pass", "pwd", "senha", "secret", "token", "key", "cred", "auth", "salt", "pepper", "psk", "identified", "bearer",
    "basic", "login", "redis-cli", "mysql", "-u", "--user",
)  # fmt: skip
# A name, what stands between it and its value, and the value's begin.
_NAMED = re.compile(
    r"(?<![\w.\-])(?<!\$\{)-{0,2}([A-Za-z_][\w.\-]*+)[\"'`\])]*[ \t]*(?::=|=>|==?|\|\|=?|\?\?=?|:|>)[ \t]*(?=\S)",
    re.ASCII,
)
_OPTION = re.compile(
    r"(?<![\w-])--?([A-Za-z][\w-]*+)(?:[ \t]+|[\"'][ \t]*,\s*+|[\"']?[ \t]*\r?\n[ \t]*-[ \t]+)[\"']?(?=\S)", re.ASCII
)
_ENTRY = re.compile(
    r"name[\"']?[ \t]*[:=][ \t]*[\"']?([A-Za-z_][\w.\-]*+)[\"']?[ \t]*+,?\s*+[\"']?value[\"']?[ \t]*[:=][ \t]*(?=\S)",
    re.ASCII,
)
_INSTRUCTION = re.compile(
    r"^[ \t]*(?:ENV|ARG)[ \t]+([A-Za-z_]\w*)[ \t]+(?=\S)", re.ASCII | re.MULTILINE | re.IGNORECASE
)
_DEFAULT = re.compile(r"\$\{([A-Za-z_]\w*+):?[-=+]", re.ASCII)
_DEFAULT_END = re.compile(r"\}(?=[\s\"',;:/@\]})&|]|\Z)|(?=\r?\n)|\Z")
_PHRASES = re.compile(
    r"(?:password|identified[ \t]+by)[ \t]+(?=['\"])|login[ \t]+\S+[ \t]+password[ \t]+|"
    r"(?P<prose>\b(?:bearer|basic|(?:password|passwd|passphrase|senha)(?:[ \t]+(?:is|was|é|era))?)[ \t]+)|"
    r"(?<!\S)(?:-u|--user)(?:[ \t]+|=)[\"']?[^\s:\"'${]+:|\bmysql\w*\b[^\n|;&]{0,200}?[ \t]-p(?=\S)|"
    r"\b(?:sshpass|login)\b[^\n|;&]{0,200}?[ \t]-p[ \t=]?|\bredis-cli\b[^\n|;&]{0,200}?[ \t]-a[ \t=]?",
    re.IGNORECASE,
)
# Each with words of which one stands on the line where a match begins: to look for a word is much cheaper.
_PATTERNS = ((_NAMED, ("",)), (_OPTION, ("-",)), (_ENTRY, ("name",)), (_INSTRUCTION, ("env", "arg")))
_SAID = ("pass", "senha", "identified", "login", "bearer", "basic", "-u", "mysql", "redis-cli")
_LEADS = re.compile(r"[\s\"'\-]*(?:(?:export|set|ENV|ARG|env)[ \t]+)?[\"']?")
_PIECE = re.compile(r"(?:[^\s\"'`]|\"[^\"\n]*\"?|'[^'\n]*'?|`[^`\n]*`?)+")
_BLOCK = re.compile(r"[|>][0-9+-]{0,2}(?:[ \t]+#[^\n]*)?[ \t]*\r?\n")
_PREFIX = re.compile(
    r"[srp]k_[lt]|sk-|whse|gh[pousr]_|gith|gl[a-z]{2}|AKIA|ASIA|xox[a-z]|xapp|hook|disc|AIza|GOCS|ya29|npm_|pypi|SG\.|key-|SK|"
    r"shp[a-z]|do[opr]_|dckr|hv[sbr]\.|hf_|sb[p_]|re_|lin_|ntn_|secr|sntr|psca|PMAK|AGE-|eyJ"
)
_REST = -2  # the value goes on to the end of the line, whatever stands before it


def cover(text: str, spans: Iterable[tuple[int, int]] = ()) -> str:
    """The text with every secret and the given spans replaced by `***`."""
    size = len(text)
    if size < 10 and not spans and text.replace("-", "").replace(".", "").replace("_", "").isalnum():
        return text  # neither a secret nor a name with its value
    given = [(max(0, start), min(size, end), 0) for start, end in spans]
    text = _cover(text, [span for span in given if span[0] < span[1]])
    while True:
        covered = _cover(text, list(_find(text)))
        if covered == text:
            return text
        text = covered


def _find(text: str) -> Iterator[tuple[int, int, int]]:
    """Spans to hide: (start, end, how many characters to keep)."""
    if not bare(text):
        yield from _by_themselves(text)
    for start, end in _named(text):
        yield start, end, 0


def _by_themselves(text: str) -> Iterator[tuple[int, int, int]]:
    """Secrets that need no name: of a well-known format, or random."""
    for start, end, kind in tokens(text):
        prefix = None if kind in ("private key", "url password") else _PREFIX.match(text, start)
        yield start, end, prefix.end() - start if prefix else 0
    for start, end in runs(text):
        yield start, end, 0


def _named(text: str) -> Iterator[tuple[int, int]]:
    """Where values stand whose name, or the words before them, say that they are secret."""
    covered = 0
    for begin, end_of_line, limit in _suspect_lines(text):
        line = text[begin:end_of_line].lower()
        for pattern, words in _PATTERNS:
            if not any(word in line for word in words):
                continue
            at = begin
            while (match := pattern.search(text, at, limit)) and match.start(1) < end_of_line:
                at = match.end(1)
                if secret_name(match[1]):
                    rest = pattern is _INSTRUCTION or (pattern is _ENTRY and "\n" in match[0])
                    for start, end in _value(text, match.end(), _REST if rest else match.start(1)):
                        yield start, end
                        at = end if end - at > 400 else at  # names inside a long one need no look of their own
        said = not line.isascii() or any(word in line for word in _SAID)
        for match in _PHRASES.finditer(text, begin, limit) if said else ():
            if match.start() >= end_of_line:
                break
            for start, end in _value(text, match.end(), -1) if match.end() >= covered else ():
                if match["prose"] is None or any(map(odd, ALNUM.findall(text[start:end]))):
                    yield start, end
                    covered = end
    at = 0
    while match := _DEFAULT.search(text, at):
        at = match.end()
        if secret_name(match[1]) and (stop := _DEFAULT_END.search(text, at)):
            if not readable(text[at : stop.start()]):
                yield at, stop.start()
            at = stop.start()


def _suspect_lines(text: str) -> Iterator[tuple[int, int, int]]:
    """(begin, end, how far a match may reach) of each line with a word that the names of secrets are made of."""
    lower = text.lower()
    if len(lower) != len(text):  # a letter whose small form is two: only ASCII counts here
        lower = "".join(letter.lower() if letter.isascii() else " " for letter in text)
    begins = set()
    for word in _SUSPECT:
        at = lower.find(word)
        while at >= 0:
            begins.add(lower.rfind("\n", 0, at) + 1)
            line = lower.find("\n", at)
            at = lower.find(word, line) if line >= 0 else -1
    for begin in sorted(begins):
        end = text.find("\n", begin)
        end = limit = len(text) if end < 0 else end
        for _ in range(2):  # a name and its value may stand on two lines, with one between them
            limit = text.find("\n", limit + 1) if limit < len(text) else limit
            limit = len(text) if limit < 0 else limit
        yield begin, end, limit


def _value(text: str, at: int, name: int) -> Iterator[tuple[int, int]]:
    """The span of the value that begins at an offset, in whatever notation; nothing when it may be read.

    `name` is where its name begins: first on its line, the value goes on to the end of the line.
    """
    line = text.find("\n", at)
    line = len(text) if line < 0 else line
    if at >= line:
        return
    if block := _BLOCK.match(text, at):
        yield from _block(text, block.end(), name)
        return
    quote = text[at]
    if quote in "\"'`":
        at += 1
        end = _closing(text, at, line, quote)
    elif name == _REST or (name >= 0 and _LEADS.fullmatch(text, text.rfind("\n", 0, name) + 1, name)):
        end = line
        while end > at and text[end - 1] in " \t\r":
            end -= 1
        if readable(text[at:end].partition(" #")[0].rstrip(" \t,;")):
            return
    else:
        piece = _PIECE.match(text, at, line)
        end = piece.end() if piece else line
        while end > at + 1 and text[end - 1] in ",;)]}>\"'`":
            end -= 1
    if at < end and not readable(text[at:end]):
        yield at, end


def _closing(text: str, at: int, line: int, quote: str) -> int:
    """The quote that ends a value: not escaped and not followed by more of it; the end of the line without one."""
    while (end := text.find(quote, at, line)) >= 0:
        if text[end - 1] != "\\" and text[end + 1 : end + 2] in ("", *" \t\r\n,;)]}>:#&|\\\"'`"):
            return end
        at = end + 1
    return line


def _block(text: str, at: int, name: int) -> Iterator[tuple[int, int]]:
    """The lines of a YAML block scalar: those indented deeper than the line of its name."""
    depth = _indent(text, text.rfind("\n", 0, max(name, 0)) + 1)
    start = at
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if text[at:end].strip() and _indent(text, at) <= depth:
            break
        at = end + 1
    at = min(at, len(text))
    if text[start:at].strip():
        yield start, at


def _indent(text: str, at: int) -> int:
    start = at
    while at < len(text) and text[at] in " \t":
        at += 1
    return at - start


def _cover(text: str, spans: list[tuple[int, int, int]]) -> str:
    """Replaces each span by `***`, overlapping ones as one, line by line; a token's public prefix stays."""
    if not spans:
        return text
    spans.sort()
    parts = []
    at = index = 0
    while index < len(spans):
        start, end, keep = spans[index]
        index += 1
        while index < len(spans) and spans[index][0] < end:
            if spans[index][0] == start:
                keep = max(keep, spans[index][2])
            end = max(end, spans[index][1])
            index += 1
        parts.append(text[at:start])
        parts.append("\n".join(_stars(line, keep) for line in text[start:end].split("\n")))
        at = end
    parts.append(text[at:])
    return "".join(parts)


def _stars(line: str, keep: int) -> str:
    bare = line.strip(" \t\r")
    if not bare or not bare.strip("*") or masked(bare):
        return line
    start = line.index(bare)
    return line[:start] + bare[:keep] + STARS + line[start + len(bare) :]
