"""Turns a folder or a bucket into the series of backups that lies there, the oldest first."""

from __future__ import annotations

import os
import stat

from ..policy import glob
from . import stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    class Source(Protocol):
        """A place that holds backups. `words` names it for people."""

        words: str

        def series(self) -> list[Copy]:
            """What lies there. Raises Unseen."""

        def open(self, copy: Copy, folder: str) -> str:
            """The path of a copy's content here, below `folder` where it has to be fetched. Raises Unseen."""


MOST = 100_000
DEPTH = 8


class Unseen(Exception):
    """A place that cannot be looked at: the words for people, without a secret."""


class Copy:
    """One backup: its name below the source, its moment, its size in bytes; `etag` where a bucket gave one."""

    __slots__ = ("name", "when", "size", "changed", "etag")

    def __init__(self, name: str, when: stamp.Moment, size: int, changed: float, etag: str = "") -> None:
        self.name = name
        self.when = when
        self.size = size
        self.changed = changed
        self.etag = etag


def matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Whether a name below the source belongs to the series; a pattern without `/` counts in every folder."""
    tests = [glob(each if "/" in each else f"**/{each}") for each in patterns]
    return lambda name: any(test(name) for test in tests)


def ordered(copies: list[Copy]) -> list[Copy]:
    """The series, the oldest first."""
    return sorted(copies, key=lambda each: (each.when.at, each.name))


class Folder:
    """Backups as files below a folder; a folder that holds a `toc.dat` is one backup (pg_dump --format=directory)."""

    __slots__ = ("words", "path", "_wanted", "_zone")

    def __init__(self, path: str, patterns: Sequence[str], zone: str) -> None:
        self.path = path
        self.words = path
        self._wanted = matcher(patterns)
        self._zone = zone

    def series(self) -> list[Copy]:
        """What lies below the folder. Links are passed over: `latest` is no backup of its own. Raises Unseen."""
        found: list[Copy] = []
        self._walk(self.path, "", found, 0)
        return ordered(found)

    def _walk(self, folder: str, below: str, found: list[Copy], depth: int) -> None:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    name = below + entry.name
                    seen = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(seen.st_mode):
                        if os.path.isfile(os.path.join(entry.path, "toc.dat")):
                            size, changed = _weight(entry.path)
                            found.append(Copy(name, stamp.read(name, changed, self._zone), size, changed))
                        elif depth < DEPTH and not entry.name.startswith("."):
                            self._walk(entry.path, name + "/", found, depth + 1)
                    elif stat.S_ISREG(seen.st_mode) and not entry.name.startswith(".") and self._wanted(name):
                        when = stamp.read(name, seen.st_mtime, self._zone)
                        found.append(Copy(name, when, seen.st_size, seen.st_mtime))
                    if len(found) > MOST:
                        raise Unseen(f"{self.words}: more than {MOST} files; a narrower `pattern` says which count")
        except OSError as error:
            raise Unseen(f"{self.words}: cannot be read ({error.strerror})") from None

    def open(self, copy: Copy, folder: str) -> str:
        """The path of a copy."""
        return os.path.join(self.path, copy.name)


def _weight(folder: str) -> tuple[int, float]:
    """(bytes, newest change) of a dump in directory format."""
    with os.scandir(folder) as entries:
        seen = [entry.stat(follow_symlinks=False) for entry in entries]
    return sum(each.st_size for each in seen), max((each.st_mtime for each in seen), default=0.0)


def of(text: str, folder: str, patterns: Sequence[str], zone: str) -> Source:
    """The source that a configuration in a folder names."""
    if text.startswith("s3://"):
        from .bucket import Bucket

        return Bucket(text, patterns, zone)
    return Folder(os.path.normpath(os.path.join(folder, text)), patterns, zone)
