"""Turns a snapshot into the .tar.gz that Railway builds from: the same bytes for the same snapshot, nothing else."""

from __future__ import annotations

import gzip
import os
import tarfile
import tempfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

# The day every file is from. Not 0: builders that make a ZIP refuse what is older than 1980.
DAY = 946_684_800


def pack(folder: str, home: str) -> IO[bytes]:
    """The archive of a folder, in a file without a name below `home`, read from its start. Raises OSError.

    Files in the order of their paths' bytes; of the mode the executable bit counts, owners and times are left out.
    A link stays a link.
    """
    made = tempfile.TemporaryFile(dir=home)
    try:
        with (
            gzip.GzipFile(filename="", mode="wb", fileobj=made, mtime=0, compresslevel=6) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for path in sorted(_files(folder), key=os.fsencode):
                _add(archive, folder, path)
        made.seek(0)
    except BaseException:
        made.close()
        raise
    return made


def _files(folder: str) -> Iterator[str]:
    waiting = [""]
    while waiting:
        here = waiting.pop()
        for entry in os.scandir(os.path.join(folder, here)):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(here + entry.name + "/")
            else:
                yield here + entry.name


def _add(archive: tarfile.TarFile, folder: str, path: str) -> None:
    entry = tarfile.TarInfo(path)
    entry.mtime = DAY
    where = os.path.join(folder, path)
    if os.path.islink(where):
        entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, os.readlink(where), 0o777
        archive.addfile(entry)
        return
    with open(where, "rb") as file:
        about = os.fstat(file.fileno())
        entry.size = about.st_size
        entry.mode = 0o755 if about.st_mode & 0o100 else 0o644
        archive.addfile(entry, file)
