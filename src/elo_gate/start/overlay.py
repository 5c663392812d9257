"""Turns a folder and texts that are not saved, of an editor or from stdin, into a tree in which those texts count."""

from __future__ import annotations

import os

from ..discover import TEXT_LIMIT, DiskTree, Unreadable, decode
from ..gate import UsageError
from ..inert import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO


class Overlay(DiskTree):
    """A folder on disk with other texts at some paths, also at paths that are not on disk yet.

    `seen` is called with the number of files read so far.
    """

    __slots__ = ("_count", "_seen")

    def __init__(
        self, root: str, texts: Mapping[str, str] | None = None, seen: Callable[[int], None] | None = None
    ) -> None:
        super().__init__(root)
        self.texts.update(texts or {})
        self._seen = seen
        self._count = 0

    def _list(self, folder: str) -> tuple[list[str], list[str]]:
        files, folders = super()._list(folder)
        prefix = folder + "/" if folder else ""
        for path in self.texts:
            if path.startswith(prefix):
                name, slash, _ = path[len(prefix) :].partition("/")
                listed = folders if slash else files
                if name not in listed:
                    listed.append(name)
                self.special.pop(prefix + name, None)
        files.sort()
        folders.sort()
        return files, folders

    def read(self, path: str, limit: int = TEXT_LIMIT) -> bytes:
        """As of a folder; a text that is too large is refused like a file."""
        if self._seen is not None:
            self._count += 1
            self._seen(self._count)
        data = super().read(path, limit)
        if len(data) > limit:
            raise Unreadable(f"larger than {limit >> 20} MiB")
        return data


def below(root: str, name: str) -> str:
    """A name, relative to the working directory, as a path of a tree; it need not be there. Raises UsageError."""
    if not name or name.endswith(("/", os.sep)) or "\0" in name or os.path.isdir(name):
        raise UsageError(f"--stdin-filename {inert(name)}: not the name of a file")
    # The folder may be reached through a link; the file itself is not followed.
    folder, last = os.path.split(os.path.abspath(name))
    path = os.path.relpath(os.path.join(os.path.realpath(folder), last), os.path.realpath(root))
    if path == os.pardir or path.startswith(os.pardir + os.sep):
        raise UsageError(f"--stdin-filename {inert(name)}: outside of what is judged")
    return path.replace(os.sep, "/")


def text_of(stream: BinaryIO, name: str) -> str:
    """What a stream holds, as the text of a file. Raises UsageError for what no file could be judged with."""
    data = stream.read(TEXT_LIMIT + 1)
    try:
        if len(data) > TEXT_LIMIT:
            raise Unreadable(f"larger than {TEXT_LIMIT >> 20} MiB")
        return decode(data)
    except Unreadable as error:
        raise UsageError(f"{inert(name)}: not analysed: {error}") from None
