"""Turns a plain SQL dump into what psql may run in a scratch database: line by line, rows of COPY untouched.

Owners and grants are left out, as pg_restore does with --no-owner --no-privileges: a scratch server has no such roles.
psql runs it in its restricted mode, in which no line can start a program or connect elsewhere.
Facts: PostgreSQL 15.14 release notes, CVE-2025-8714 (\\restrict), www.postgresql.org/docs/release/15.14/, 2026-11-25.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# From these on psql knows \restrict, and keeps a dump from running programs.
_RESTRICTS = {13: 22, 14: 19, 15: 14, 16: 10, 17: 6}
_COPY = re.compile(rb"COPY .{1,20000} FROM stdin;\r?\n\Z", re.S)
_OWNER = re.compile(rb"(?:ALTER [A-Z][^'$]* OWNER TO [^'$]+;|(?:GRANT|REVOKE) [^'$]* (?:TO|FROM) [^'$]+;)\r?\n\Z")
_DEFAULTS = re.compile(rb"ALTER DEFAULT PRIVILEGES [^'$]+;\r?\n\Z")
_KEY = re.compile(rb"\\(?:un)?restrict [A-Za-z0-9]+\r?\n\Z")
_DROPS = re.compile(rb"DROP (?!.* IF EXISTS)|ALTER TABLE (?!IF EXISTS).* DROP CONSTRAINT (?!IF EXISTS)")
_LINE = 1 << 16


class Script:
    """The statements of a dump. `drops`: it begins by dropping what an empty database does not have."""

    __slots__ = ("_pieces", "_key", "drops")

    def __init__(self, pieces: Iterable[bytes], key: str) -> None:
        self._pieces = pieces
        self._key = key
        self.drops = False

    def __iter__(self) -> Iterator[bytes]:
        """What psql reads, no piece empty."""
        return _gathered(self._statements())

    def _statements(self) -> Iterator[bytes]:
        yield f"\\restrict {self._key}\n".encode()
        rows = created = False
        fresh = True  # the next piece begins a line
        # pg_dump sets its statements apart with empty lines; a line in the middle of a value is none of them.
        apart = False
        for line in _lines(self._pieces):
            begins, fresh = fresh, line.endswith(b"\n")
            if not begins:
                yield line
                continue
            if rows:
                rows = line not in (b"\\.\n", b"\\.\r\n")
                yield line
                continue
            if apart and (_KEY.match(line) or _OWNER.match(line) or _DEFAULTS.match(line)):
                continue
            apart = not line.strip()
            created = created or line.startswith(b"CREATE ")
            self.drops = self.drops or (not created and _DROPS.match(line) is not None)
            rows = _COPY.match(line) is not None
            yield line
        yield f"\n\\unrestrict {self._key}\n".encode()


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines with their ends; one that is longer than a piece comes in several."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line + b"\n"
        if len(rest) > _LINE:
            yield rest
            rest = b""
    if rest:
        yield rest


def _gathered(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines in pieces that are worth a write of their own."""
    held = bytearray()
    for line in lines:
        held += line
        if len(held) >= _LINE:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def restricts(version: str) -> bool:
    """Whether a psql knows \\restrict, by what `psql --version` says."""
    found = re.search(r"\b(\d+)\.(\d+)", version)
    if found is None:
        return re.search(r"\b(\d{2,})(?:devel|beta|rc)", version) is not None
    major, minor = int(found[1]), int(found[2])
    return major >= 18 or minor >= _RESTRICTS.get(major, 1 << 30)
