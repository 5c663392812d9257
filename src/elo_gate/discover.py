"""Turns a folder into the files of a tree: names, text, what git ignores and tracks; nothing outside is opened.

The tree is hostile: links are followed only to regular files inside the root, devices and pipes never opened,
reads are bounded. Of `.git` only `HEAD`'s presence, the names in `index` and `info/exclude` are read.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .syntax import ignore

TEXT_LIMIT = 1 << 20
HARD_LIMIT = 10 << 20
FILE_LIMIT = 200_000
INDEX_LIMIT = 64 << 20  # of a git index: about half a million files
PATH_LIMIT = 4_096  # of a path in it

# Never entered: other people's code and what builds leave behind.
SKIPPED = frozenset(
    (".git", ".hg", ".svn", "node_modules", "bower_components", ".next", ".turbo", ".vercel", ".venv", "venv",
     "__pycache__", ".tox", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".terraform", ".yarn", ".pnpm-store")
)  # fmt: skip


class Unreadable(Exception):
    """A file that cannot be taken as text; the message says why, without its content."""


class Failed(Unreadable):
    """A file that the system does not hand out, although it is there: nothing is known of it."""


class DiskTree:
    """A folder on disk. Paths are relative to it, with `/`; "" is the folder itself."""

    __slots__ = ("root", "special", "texts", "unlisted", "_held", "_listed", "_looked_up")

    def __init__(self, root: str) -> None:
        self.root = os.path.realpath(root)
        self.unlisted: dict[str, str] = {}  # folders whose names could not be read, and why
        self.special: dict[str, str] = {}  # paths that are no file to read, and why
        self.texts: dict[str, str] = {}  # what counts instead of a file's own text: fixes that are not written yet
        self._listed: dict[str, tuple[list[str], list[str]]] = {}
        self._looked_up: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
        self._held: dict[str, bool] = {}

    def names(self, folder: str) -> tuple[list[str], list[str]]:
        """(files, folders) in a folder, sorted. Links to folders, pipes, sockets and devices are left out.

        Nothing for a folder that is reached through a link.
        """
        listed = self._listed.get(folder)
        if listed is None:
            listed = self._listed[folder] = self._list(folder) if self.is_folder(folder) else ([], [])
        return listed

    def _list(self, folder: str) -> tuple[list[str], list[str]]:
        files, folders = [], []
        try:
            with os.scandir(os.path.join(self.root, folder)) as entries:
                for entry in entries:
                    why = ""
                    try:
                        if entry.is_symlink():
                            if not self._inside(entry.path):
                                why = "a link that leads out of the tree"
                            elif entry.is_file():
                                files.append(entry.name)
                            elif not entry.is_dir():
                                why = "a link to nothing that can be read"
                        elif entry.is_dir():
                            folders.append(entry.name)
                        elif entry.is_file():
                            files.append(entry.name)
                        else:
                            why = "not a regular file"
                    except OSError:
                        why = "a link that leads nowhere"
                    if why:
                        self.special[f"{folder}/{entry.name}" if folder else entry.name] = why
        except (OSError, ValueError) as error:  # also one that is gone since its name was read
            self.unlisted[folder] = getattr(error, "strerror", None) or "not a path"
        files.sort()
        folders.sort()
        return files, folders

    def _inside(self, path: str) -> bool:
        try:
            real = os.path.realpath(path)
        except (OSError, ValueError):
            return False
        return real.startswith(self.root + os.sep)

    def exists(self, path: str) -> bool:
        """Whether a file or folder of the tree is there; neither what a link leads to outside, nor through one."""
        if not path:
            return True
        folder, _, name = path.rpartition("/")
        files, folders = self._sets(folder)
        return name in folders or name in files

    def is_folder(self, path: str) -> bool:
        """Whether a folder of the tree is there."""
        folder, _, name = path.rpartition("/")
        return not path or name in self._sets(folder)[1]

    def _sets(self, folder: str) -> tuple[frozenset[str], frozenset[str]]:
        """The names in a folder, to look one up: of thousands, too."""
        found = self._looked_up.get(folder)
        if found is None:
            files, folders = self.names(folder)
            found = self._looked_up[folder] = frozenset(files), frozenset(folders)
        return found

    def read(self, path: str, limit: int = TEXT_LIMIT) -> bytes:
        """The bytes of a regular file. Raises Unreadable."""
        if path in self.texts:
            return self.texts[path].encode("utf-8")
        full = os.path.join(self.root, path)
        if os.path.islink(full) or not self._holds(path.rpartition("/")[0]):
            if not self._inside(full):
                raise Unreadable("a link that leads out of the tree")
            full = os.path.realpath(full)
        return read_file(full, limit)

    def _holds(self, folder: str) -> bool:
        """Whether a folder lies in the tree by its real path; looked up once, for all of its files."""
        found = self._held.get(folder)
        if found is None:
            found = self._held[folder] = not folder or self._inside(os.path.join(self.root, folder))
        return found

    def top(self) -> str:
        """The repository's top: the nearest folder at or above the root that holds `.git`, else the root."""
        folder = self.root
        while True:
            if os.path.lexists(os.path.join(folder, ".git")):
                return folder
            above = os.path.dirname(folder)
            if above == folder:
                return self.root
            folder = above


def read_file(path: str, limit: int = TEXT_LIMIT) -> bytes:
    """The bytes of a regular file that is no link itself; never waits for a pipe. Raises Unreadable."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise Failed(f"cannot be opened ({getattr(error, 'strerror', None) or 'not a path'})") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable("not a regular file")
        if status.st_size > limit:
            raise Unreadable(f"larger than {limit >> 20} MiB")
        parts = []
        left = limit + 1
        while left > 0:
            part = os.read(descriptor, left)
            if not part:
                break
            parts.append(part)
            left -= len(part)
        if left <= 0:
            raise Unreadable(f"larger than {limit >> 20} MiB")
        return b"".join(parts)
    except OSError as error:
        raise Failed(f"cannot be read ({error.strerror})") from None
    finally:
        os.close(descriptor)


def decode(data: bytes) -> str:
    """The text of a file. Raises Unreadable for anything but UTF-8 (with or without a byte order mark)."""
    if data[:3] == b"\xef\xbb\xbf":
        data = data[3:]
    elif data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Unreadable("UTF-16 or UTF-32: save it as UTF-8")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8 (byte {error.start})") from None
    if "\0" in text:
        raise Unreadable("it holds NUL characters")
    return text


def walk(tree: DiskTree, ignores: Ignores) -> Iterator[tuple[str, bool]]:
    """(path, ignored) of every file of a tree, folder by folder in order; ignored folders are not entered."""
    stack = [""]
    count = 0
    while stack:
        folder = stack.pop()
        files, folders = tree.names(folder)
        prefix = folder + "/" if folder else ""
        for name in files:
            count += 1
            if count > FILE_LIMIT:
                raise Unreadable(f"the tree has over {FILE_LIMIT} files")
            path = prefix + name
            yield path, ignores.ignored(path)
        for name in reversed(folders):
            if name not in SKIPPED and not ignores.ignored_folder(prefix + name):
                stack.append(prefix + name)


class Ignores:
    """What git ignores in a tree, and what it tracks: ignore files from the repository's top down, and the index."""

    __slots__ = ("_tree", "_rules", "_prefix", "_seen", "_top", "_tracked", "_any", "_sorted")

    def __init__(self, tree: DiskTree) -> None:
        self._tree = tree
        self._rules: ignore.Tree | None = None
        self._top = tree.top()
        self._prefix = (
            os.path.relpath(tree.root, self._top).replace(os.sep, "/") + "/" if self._top != tree.root else ""
        )
        self._seen: set[str] = set()
        self._tracked: frozenset[str] | bool | None = False
        self._any = False
        self._sorted: list[str] | None = None  # what git tracks, once somebody asks for a folder

    def _load(self, folder: str) -> None:
        """Reads the ignore files at and above a folder (relative to the top), once each."""
        steps = [""]
        for at, letter in enumerate(folder):
            if letter == "/":
                steps.append(folder[:at])
        if folder:
            steps.append(folder)
        for step in steps:
            if step not in self._seen:
                self._seen.add(step)
                if step == "":
                    self._add(os.path.join(self._top, ".git", "info", "exclude"), "")
                self._add(os.path.join(self._top, step, ".gitignore"), step)

    def _add(self, path: str, folder: str) -> None:
        if not os.path.isfile(path) or not self._own(path):
            return
        try:
            text = read_file(path).decode("utf-8", "replace")
        except Unreadable:
            return
        from .syntax import ignore

        if self._rules is None:
            self._rules = ignore.Tree()
        self._rules.add(folder, ignore.Patterns(text, folder))

    def _own(self, path: str) -> bool:
        """Whether a path below the repository's top is really there, not behind a link that leads out."""
        return os.path.realpath(path).startswith(self._top + os.sep)

    def _decide(self, path: str, is_dir: bool) -> bool:
        full = self._prefix + path
        self._load(full.rpartition("/")[0])
        return self._rules is not None and self._rules.ignored(full, is_dir)

    def ignored(self, path: str) -> bool:
        """Whether git ignores a file: a pattern matches and the index does not hold it."""
        return self._decide(path, False) and self.tracked(path) is not True

    def ignored_folder(self, path: str) -> bool:
        """Whether git ignores a folder as a whole and tracks nothing in it."""
        if not self._decide(path, True):
            return False
        names = self._index()
        if names is None:
            return True
        from bisect import bisect_left

        if self._sorted is None:
            self._sorted = sorted(names)
        start = self._prefix + path + "/"
        at = bisect_left(self._sorted, start)
        return at == len(self._sorted) or not self._sorted[at].startswith(start)

    def tracked(self, path: str) -> bool | None:
        """Whether git tracks a file; None outside of a checkout or when its index cannot be read."""
        names = self._index()
        return None if names is None else self._prefix + path in names

    def _index(self) -> frozenset[str] | None:
        if self._tracked is False:
            self._tracked = None
            path = os.path.join(self._top, ".git", "index")
            if os.path.isfile(path) and os.path.isdir(os.path.dirname(path)) and self._own(path):
                try:
                    self._tracked = index_names(read_file(path, INDEX_LIMIT))
                except (Unreadable, ValueError, IndexError):
                    self._tracked = None
        return self._tracked  # type: ignore[return-value]


def index_names(data: bytes) -> frozenset[str]:
    """The paths in a git index, versions 2 to 4 (gitformat-index). Raises ValueError or IndexError when it is none."""
    if data[:4] != b"DIRC":
        raise ValueError("no git index")
    version = int.from_bytes(data[4:8], "big")
    if version not in (2, 3, 4):
        raise ValueError("unknown index version")
    names = []
    at = 12
    total = 0
    previous = b""
    for _ in range(int.from_bytes(data[8:12], "big")):
        flags = int.from_bytes(data[at + 60 : at + 62], "big")
        start = at + (64 if version >= 3 and flags & 0x4000 else 62)
        if version == 4:
            # Version 4 drops as many bytes from the end of the previous path as an offset-encoded number says.
            drop = data[start] & 127
            while data[start] & 128:
                start += 1
                if drop > PATH_LIMIT:
                    raise ValueError("no path is so long")
                drop = ((drop + 1) << 7) | (data[start] & 127)
            start += 1
            end = data.index(b"\0", start)
            if drop > len(previous) or end - start > PATH_LIMIT:
                raise ValueError("no path is so long")
            previous = previous[: len(previous) - drop] + data[start:end]
            total += len(previous)
            if len(previous) > PATH_LIMIT or total > INDEX_LIMIT:
                raise ValueError("no path is so long")
            at = end + 1
        else:
            end = data.index(b"\0", start)
            previous = data[start:end]
            at += (end - at + 8) & ~7
        names.append(previous.decode("utf-8", "surrogateescape"))
    return frozenset(names)
