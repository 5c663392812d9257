"""Turns a file into what it is: a dump, how it is packed, and its content piece by piece, never whole in memory.

Facts: PostgreSQL documentation 18, pg_dump and pg_restore (formats; a plain dump ends in "dump complete"),
www.postgresql.org/docs/18/app-pgdump.html, 2026-11-25; the magic numbers of RFC 1952, RFC 8878, POSIX ustar.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import zlib
from contextlib import closing
from typing import BinaryIO, cast

from ..deploy import child
from .answer import GOOD, RED, SKIPPED, UNKNOWN, Answer, bytes_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

CUSTOM, TAR, DIRECTORY, PLAIN = "custom", "tar", "directory", "plain"
_PACKED = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ\x00", "xz"), (b"BZh", "bzip2"))
_SEALED = (
    (b"age-encryption.org/", "age"), (b"-----BEGIN AGE", "age"), (b"-----BEGIN PGP", "gpg"), (b"Salted__", "openssl"),
)  # fmt: skip
_PIECE = 1 << 16
_HEAD = 8192
_TIME = 6 * 3600.0
# pg_dump's first and last line; pg_dumpall's say `cluster dump`.
_BEGIN = re.compile(rb"^-- PostgreSQL database (?:cluster )?dump\s*$", re.M)
_END = re.compile(rb"^-- PostgreSQL database (?:cluster )?dump complete\s*$", re.M)
_SQL = re.compile(rb"^\s*(?:SET|CREATE|INSERT|COPY|BEGIN|SELECT|ALTER|DROP)\b", re.M | re.I)


class Torn(Exception):
    """Content that cannot be read to its end: the words for people."""


class Unread(Exception):
    """Content that cannot be looked at here: the words for people, and what would help."""

    def __init__(self, words: str, do: str) -> None:
        super().__init__(words)
        self.do = do


class Archive:
    """A file, or the folder of a dump in directory format. `kind` is empty where it is no dump that is known."""

    __slots__ = ("path", "packing", "kind", "head")

    def __init__(self, path: str) -> None:
        """Looks at the first bytes. Raises Torn and Unread, OSError."""
        self.path = path
        self.packing = ""
        self.head = b""
        if os.path.isdir(path):
            self.kind = DIRECTORY
            return
        with open(path, "rb") as file:
            first = file.read(_HEAD)
        for magic, seal in _SEALED:
            if first.startswith(magic):
                raise Unread(f"it is encrypted with {seal}", "look at it where the key is, before it is encrypted")
        self.packing = next((name for magic, name in _PACKED if first.startswith(magic)), "")
        with closing(self.pieces()) as pieces:
            for piece in pieces:
                self.head += piece
                if len(self.head) >= _HEAD:
                    break
        self.kind = _kind(self.head[:_HEAD])

    @property
    def words(self) -> str:
        """What it is, for people."""
        kind = {PLAIN: "plain SQL", "": "unknown content"}.get(self.kind, f"{self.kind} format")
        return kind + (f", {self.packing}" if self.packing else "")

    def pieces(self) -> Generator[bytes, None, None]:
        """The unpacked content, no piece empty. Raises Torn and Unread."""
        try:
            if self.packing == "zstd":
                if shutil.which("zstd") is None:
                    raise Unread("it is packed with zstd, and there is no zstd program here", "install zstd")
                variables = child.environment(os.sep, ())
                yield from child.pieces(["zstd", "-dcq", "--", self.path], os.sep, variables, _TIME)
                return
            with _opened(self.path, self.packing) as file:
                while piece := file.read(_PIECE):
                    yield piece
        except (EOFError, zlib.error, child.Broken) as error:
            raise Torn(f"{self.packing}: {error}") from None
        except OSError as error:
            # Of gzip and bz2, what is no such data; of the system, what has a number.
            if error.errno is None:
                raise Torn(f"{self.packing}: {error}") from None
            raise
        except Exception as error:
            if type(error).__name__ == "LZMAError":
                raise Torn(f"{self.packing}: {error}") from None
            raise


def _opened(path: str, packing: str) -> BinaryIO:
    if packing == "gzip":
        import gzip

        return cast("BinaryIO", gzip.open(path, "rb"))
    if packing == "xz":
        import lzma

        return cast("BinaryIO", lzma.open(path, "rb"))
    if packing == "bzip2":
        import bz2

        return cast("BinaryIO", bz2.open(path, "rb"))
    return open(path, "rb")


def _kind(head: bytes) -> str:
    if head.startswith(b"PGDMP"):
        return CUSTOM
    if head[257:262] == b"ustar":
        return TAR if head.startswith(b"toc.dat\0") else ""
    return PLAIN if b"\0" not in head and (_BEGIN.search(head) or _SQL.search(head)) else ""


def integrity(name: str, archive: Archive, restored: bool) -> Answer:
    """Whether the content is whole: all of it is read. `restored`: a drill reads it anyway and says more."""
    facts = {"kind": archive.kind, "packing": archive.packing}
    if archive.kind == DIRECTORY or (archive.kind in (CUSTOM, TAR) and not archive.packing):
        return _readable(name, archive, restored, facts)
    count, last = 0, b""
    with closing(archive.pieces()) as pieces:
        for piece in pieces:
            count += len(piece)
            last = (last + piece)[-4096:]
    facts["unpacked"] = str(count)
    if not count:
        return Answer(
            "integrity", RED, f"{name}: {archive.packing or 'the file'} holds nothing",
            "the dump failed and an empty stream was packed: the script went on without noticing",
            "set -o pipefail in the script, or let pg_dump compress by itself", **facts,
        )  # fmt: skip
    if not archive.kind:
        return Answer(
            "integrity", UNKNOWN, f"{name}: no dump of PostgreSQL that is known ({archive.words})",
            "what cannot be read here is not known to be restorable",
            "pg_dump --format=custom; a folder of a dump is not packed with tar but with --format=tar", **facts,
        )  # fmt: skip
    if archive.kind == PLAIN and not _BEGIN.search(archive.head):
        return Answer(
            "integrity", UNKNOWN, f"{name}: SQL whose end cannot be told: no first and last line of pg_dump",
            "when such a dump breaks off, psql takes what there is and says that all went well",
            "keep pg_dump's comments, or use pg_dump --format=custom", **facts,
        )  # fmt: skip
    if archive.kind == PLAIN and not _END.search(last):
        return Answer(
            "integrity", RED, f"{name}: the dump breaks off: its last line is missing",
            "psql takes what there is and says that all went well: rows are missing afterwards",
            "see why pg_dump ended early (disk, connection), and make a new one", **facts,
        )  # fmt: skip
    if archive.kind in (CUSTOM, TAR):
        return _readable(name, archive, restored, facts)
    return Answer("integrity", GOOD, f"{archive.words}: all {bytes_of(count)} were read", **facts)


def _readable(name: str, archive: Archive, restored: bool, facts: dict[str, str]) -> Answer:
    """Whether pg_restore reads an archive to its end; its table of contents stands at the front and proves nothing."""
    if restored:
        return Answer("integrity", SKIPPED, f"{archive.words}; the restore reads all of it", **facts)
    packed = archive.pieces() if archive.packing else None
    argv = ["pg_restore", f"--format={archive.kind[0]}", "--file=/dev/null"]
    done = child.run(
        argv if packed is not None else [*argv, archive.path], os.sep, child.environment(os.sep, ()), _TIME, feed=packed
    )
    if done.code is None:
        return Answer(
            "integrity", UNKNOWN, f"{name}: pg_restore cannot be started ({done.why})",
            "only it reads this format to its end", "install the PostgreSQL client", **facts,
        )  # fmt: skip
    if done.late:
        return Answer("integrity", UNKNOWN, f"{name}: was not read to its end in time", **facts)
    if done.code:
        said = done.err.decode("utf-8", "replace")
        if "unsupported version" in said:
            return Answer(
                "integrity", UNKNOWN, f"{name}: pg_restore here is older than the pg_dump that made it",
                "it cannot read this file", "install a PostgreSQL client as new as the server", **facts,
            )  # fmt: skip
        return Answer(
            "integrity", RED, f"{name}: pg_restore cannot read it to its end",
            "its table of contents can be listed, and its rows cannot be restored",
            "see why it was cut off (disk full, transfer, a killed job), and make a new one", **facts,
        )  # fmt: skip
    return Answer("integrity", GOOD, f"{archive.words}: pg_restore reads all of it", **facts)


def sums(path: str, part: int = 0) -> tuple[str, str]:
    """(SHA-256, MD5) of a file in hex; with `part` the MD5 over the MD5s of parts of so many bytes.

    Of a folder, the SHA-256 over its files' names and SHA-256, and no MD5.
    """
    strong = hashlib.sha256()
    if os.path.isdir(path):
        for name in sorted(os.listdir(path)):
            strong.update(f"{name}\0{sums(os.path.join(path, name))[0]}\n".encode("utf-8", "surrogateescape"))
        return strong.hexdigest(), ""
    weak = hashlib.md5(usedforsecurity=False)
    parts = b""
    filled = 0
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):  # parts are whole MiB, so that no piece lies in two of them
            strong.update(piece)
            weak.update(piece)
            filled += len(piece)
            if filled == part:
                parts += weak.digest()
                weak, filled = hashlib.md5(usedforsecurity=False), 0
    if not part:
        return strong.hexdigest(), weak.hexdigest()
    parts += weak.digest() if filled else b""
    return strong.hexdigest(), hashlib.md5(parts, usedforsecurity=False).hexdigest()
