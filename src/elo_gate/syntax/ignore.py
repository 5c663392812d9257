"""Turns the text of a .gitignore, .dockerignore or .vercelignore into an answer: is this path ignored?

Three dialects. "git": https://git-scm.com/docs/gitignore with the corners of git's wildmatch.c. "docker":
patterns anchored at the context's root, Go's filepath.Match plus `**`, a match on a parent counts, the last
match wins (https://docs.docker.com/build/concepts/context/#dockerignore-files). "vercel": the git grammar
after the names that the Vercel CLI always leaves out (https://vercel.com/docs/deployments/build-features).

Plain names, `*suffix` and `prefix*` never reach a regular expression; `glob` translates the rest.
"""

from __future__ import annotations

from .glob import quote, translate

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator

GIT = "git"
DOCKER = "docker"
VERCEL = "vercel"
LONGEST = 4_096  # no path is longer (Linux, PATH_MAX); what a longer pattern could still match, nobody meant

VERCEL_DEFAULTS = (
    ".hg", ".git", ".gitmodules", ".svn", ".cache", ".next", ".now", ".vercel", ".npmignore", ".dockerignore",
    ".gitignore", ".*.swp", ".DS_Store", ".wafpicke-*", ".lock-wscript", ".env.local", ".env.*.local", ".venv",
    ".yarn/cache", "npm-debug.log", "config.gypi", "node_modules", "__pycache__", "venv", "CVS",
)  # fmt: skip

_SPECIAL = frozenset("*?[\\")


class Patterns:
    """The patterns of one ignore file.

    `base` is the folder the file lies in, relative to the root, "" for the root. Paths are given relative to
    the root, with `/`.
    """

    __slots__ = ("_runs", "_text", "base", "dialect")

    def __init__(self, text: str, base: str = "", dialect: str = GIT) -> None:
        self.base = base.strip("/")
        self.dialect = dialect
        self._text = text
        self._runs: list[_Run] | None = None

    def match(self, path: str, is_dir: bool = False) -> bool | None:
        """True: the last pattern that matches ignores this path; False: it re-includes it; None: no pattern matches.

        For git and vercel the answer is about this path alone (its folders are asked for by `ignored` or `Tree`);
        for docker a pattern that matches a folder counts for everything below it.
        """
        if self.base:
            if not path.startswith(self.base + "/"):
                return None
            path = path[len(self.base) + 1 :]
        if self._runs is None:
            self._runs = _read(self._text, self.dialect)
        if not self._runs:
            return None
        if self.dialect == DOCKER:
            folders = list(_parents(path))
            for run in reversed(self._runs):
                if run.any.hits("", path) or any(folder in run.any.paths for folder in folders):
                    return not run.negated
            return None
        if not path.isascii():
            # git compares bytes: `?` is one of them.
            path = path.encode("utf-8", "surrogatepass").decode("latin-1")
        name = path[path.rfind("/") + 1 :]
        for run in reversed(self._runs):
            if run.any.hits(name, path) or (is_dir and run.dirs.hits(name, path)):
                return not run.negated
        return None

    def ignored(self, path: str, is_dir: bool = False) -> bool:
        """Whether this file alone makes the path ignored, folders above it included."""
        if self.dialect != DOCKER and any(self.match(folder, True) for folder in reversed(list(_parents(path)))):
            return True
        return self.match(path, is_dir) is True


class Tree:
    """Nested ignore files: `Tree([(folder, Patterns), ...])`. More may be added while folders are walked top-down.

    A deeper file overrules a higher one, but nothing below an ignored folder can be re-included.
    """

    __slots__ = ("_files", "_folders")

    def __init__(self, files: Iterable[tuple[str, Patterns]] = ()) -> None:
        self._files: dict[str, list[Patterns]] = {}
        self._folders: dict[str, bool] = {"": False}
        for folder, patterns in files:
            self.add(folder, patterns)

    def add(self, folder: str, patterns: Patterns) -> None:
        """Adds the patterns that lie in a folder. Of two in one folder the later one overrules."""
        folder = folder.strip("/")
        self._files.setdefault(folder, []).append(patterns)
        prefix = folder + "/" if folder else ""
        for known in [name for name in self._folders if name.startswith(prefix) and name != folder and name]:
            del self._folders[known]

    def ignored(self, path: str, is_dir: bool = False) -> bool:
        """Whether a path, or a folder above it, is ignored."""
        folders = self._folders
        end = path.find("/")
        while end >= 0:
            folder = path[:end]
            known = folders.get(folder)
            if known is None:
                known = folders[folder] = self._decide(folder, True)
            if known:
                return True
            end = path.find("/", end + 1)
        return self._decide(path, is_dir)

    def _decide(self, path: str, is_dir: bool) -> bool:
        for folder in (*_parents(path), ""):
            for patterns in reversed(self._files.get(folder, ())):
                answer = patterns.match(path, is_dir)
                if answer is not None:
                    return answer
        return False


class _Shape:
    """Patterns of one sign, sorted by what it takes to try them."""

    __slots__ = ("names", "paths", "prefixes", "regex", "sources", "suffixes")

    def __init__(self) -> None:
        self.names: set[str] = set()  # the last segment is exactly this
        self.paths: set[str] = set()  # the whole path is exactly this
        self.prefixes: tuple[str, ...] = ()  # the last segment begins so
        self.suffixes: tuple[str, ...] = ()
        self.sources: list[str] = []  # everything else: regular expressions on the whole path
        self.regex: re.Pattern[str] | None = None

    def hits(self, name: str, path: str) -> bool:
        if name in self.names or path in self.paths:
            return True
        if (self.suffixes and name.endswith(self.suffixes)) or (self.prefixes and name.startswith(self.prefixes)):
            return True
        if not self.sources:
            return False
        if self.regex is None:
            import re

            self.regex = re.compile("|".join(self.sources), re.DOTALL)
        return self.regex.fullmatch(path) is not None


class _Run:
    """Neighbouring patterns of one sign: among them the order does not matter."""

    __slots__ = ("any", "dirs", "negated")

    def __init__(self, negated: bool) -> None:
        self.negated = negated
        self.any = _Shape()
        self.dirs = _Shape()  # patterns that end in `/`


def _parents(path: str) -> Iterator[str]:
    """The folders above a path, the nearest first, without the root."""
    end = path.rfind("/")
    while end > 0:
        yield path[:end]
        end = path.rfind("/", 0, end)


def _read(text: str, dialect: str) -> list[_Run]:
    lines = text.removeprefix("\ufeff").split("\n")
    if dialect == VERCEL:
        lines[:0] = VERCEL_DEFAULTS
    runs: list[_Run] = []
    for line in lines:
        if not line or line[0] == "#" or len(line) > LONGEST:
            continue
        line = line.strip() if dialect == DOCKER else _trim(line.removesuffix("\r"))
        negated = line.startswith("!")
        if negated:
            line = line[1:]
        if not runs or runs[-1].negated != negated:
            runs.append(_Run(negated))
        if dialect == DOCKER:
            _add_docker(runs[-1], line)
        else:
            if not line.isascii():
                line = line.encode("utf-8", "surrogatepass").decode("latin-1")
            _add_git(runs[-1], line)
    return runs


def _trim(line: str) -> str:
    """Without trailing spaces, unless a backslash keeps one."""
    bare = line.rstrip(" ")
    if bare is not line and bare.endswith("\\"):
        slashes = len(bare) - len(bare.rstrip("\\"))
        if slashes % 2 and len(bare) < len(line):
            return bare + " "
    return bare


def _add_git(run: _Run, pattern: str) -> None:
    shape = run.any
    if pattern.endswith("/"):
        pattern = pattern[:-1]
        shape = run.dirs
    if not pattern:
        return
    if "/" not in pattern:
        _add_name(shape, pattern)
        return
    pattern = pattern.removeprefix("/")
    plain = next((at for at, char in enumerate(pattern) if char in _SPECIAL), len(pattern))
    if plain == len(pattern):
        shape.paths.add(pattern)
        return
    # git compares the part before the first special character as text and starts to match after it. Seen from
    # there a `**` stands at the beginning, so `foo**/bar` takes folders, too.
    source = translate(pattern[plain:])
    if source is not None:
        shape.sources.append(quote(pattern[:plain]) + source)


def _add_name(shape: _Shape, pattern: str) -> None:
    """A pattern without a slash: it is matched against the last segment, on any level."""
    if not _SPECIAL.intersection(pattern):
        shape.names.add(pattern)
    elif pattern[0] == "*" and not _SPECIAL.intersection(pattern[1:]):
        shape.suffixes += (pattern[1:],)
    elif pattern[-1] == "*" and not _SPECIAL.intersection(pattern[:-1]):
        shape.prefixes += (pattern[:-1],)
    else:
        source = translate(pattern, folders=False)
        if source is not None:
            shape.sources.append("(?:[^/]*/)*+" + source)


def _add_docker(run: _Run, pattern: str) -> None:
    pattern = _clean(pattern.strip())
    if not pattern:
        return
    if not _SPECIAL.intersection(pattern):
        run.any.paths.add(pattern)
        return
    source = translate(pattern, docker=True)
    if source is not None:
        run.any.sources.append(source + "(?:/.*)?")  # what lies below a match goes with it


def _clean(pattern: str) -> str:
    """As Go's filepath.Clean, without the leading slash."""
    parts: list[str] = []
    for part in pattern.split("/"):
        if part == "..":
            if parts:
                parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
