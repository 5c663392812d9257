"""Turns what a deploy means to do and what it saw into lines that outlive it: synced, chained, never rewritten.

One JSON object a line. `prev` is the hash of the line before, `hash` that of the line itself without it. A line that a
crash left half written stays; the next one says so and holds its hash.
"""

from __future__ import annotations

import hashlib
import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

START = "0" * 64
LIMIT = 64 << 20


class JournalError(Exception):
    """A journal that cannot be trusted or written; the message says which line."""


class Journal:
    """One target's journal. `records` are the lines that hold; `torn` is what a crash left at the end.

    `moment` is called with (n, kind) after each line has reached the disk.
    """

    __slots__ = ("path", "records", "torn", "_open_end", "_moment", "_clock")

    def __init__(self, path: str, moment: Callable[[int, str], None] | None = None, clock: Any = None) -> None:
        self.path = path
        self._moment = moment
        self._clock = clock
        self.reload()

    def reload(self) -> None:
        """Reads what the disk holds now. Raises JournalError."""
        self.records, self.torn, self._open_end = read(self.path)

    def append(self, kind: str, deploy: str, **data: Any) -> dict[str, Any]:
        """Writes one line and waits until the disk has it. Raises JournalError."""
        if self.torn:
            fragment, self.torn = self.torn, b""
            self._write("torn", "", {"fragment": hashlib.sha256(fragment).hexdigest()})
        return self._write(kind, deploy, data)

    def _write(self, kind: str, deploy: str, data: dict[str, Any]) -> dict[str, Any]:
        import time

        record: dict[str, Any] = {
            "n": len(self.records),
            "prev": self.records[-1]["hash"] if self.records else START,
            "ts": stamp(self._clock() if self._clock else time.time()),
            "kind": kind,
            "deploy": deploy,
            **data,
        }
        record["hash"] = digest(record)
        line = (b"\n" if self._open_end else b"") + canonical(record) + b"\n"
        fresh = not os.path.lexists(self.path)
        try:
            descriptor = os.open(
                self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
            )
            try:
                if os.write(descriptor, line) != len(line):
                    raise JournalError(f"{self.path}: the disk took half a line")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if fresh:
                sync_folder(os.path.dirname(self.path))
        except OSError as error:
            raise JournalError(f"{self.path}: cannot be written ({error.strerror})") from None
        self._open_end = False
        self.records.append(record)
        if self._moment is not None:
            self._moment(record["n"], kind)
        return record

    def of(self, deploy: str) -> list[dict[str, Any]]:
        """The lines of one deploy."""
        return [each for each in self.records if each["deploy"] == deploy]

    def last(self) -> str | None:
        """The id of the newest deploy."""
        return next((each["deploy"] for each in reversed(self.records) if each["kind"] == "start"), None)


def read(path: str) -> tuple[list[dict[str, Any]], bytes, bool]:
    """(lines that hold, what a crash left at the end, whether the end has no newline). Raises JournalError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(LIMIT + 1)
    except FileNotFoundError:
        return [], b"", False
    except OSError as error:
        raise JournalError(f"{path}: cannot be read ({error.strerror})") from None
    if len(data) > LIMIT:
        raise JournalError(f"{path}: over {LIMIT >> 20} MiB; move it away")
    records: list[dict[str, Any]] = []
    fragment: bytes | None = None
    lines = data.split(b"\n")
    for number, line in enumerate(lines, 1):
        if number == len(lines) and not line:
            break
        record = _record(line)
        if record is None:
            if fragment is not None:
                raise JournalError(f"{path}:{number}: not a line of a journal")
            fragment = line
            continue
        if fragment is not None:
            if record["kind"] != "torn" or record.get("fragment") != hashlib.sha256(fragment).hexdigest():
                raise JournalError(f"{path}:{number - 1}: not a line of a journal")
            fragment = None
        elif record["kind"] == "torn":
            raise JournalError(f"{path}:{number}: tells of a torn line that is not there")
        before = records[-1]["hash"] if records else START
        if record["prev"] != before or record["n"] != len(records):
            raise JournalError(f"{path}:{number}: does not follow the line before it")
        records.append(record)
    if fragment is not None and data.endswith(b"\n"):
        raise JournalError(f"{path}:{len(lines) - 1}: not a line of a journal")
    return records, fragment or b"", bool(data) and not data.endswith(b"\n")


def _record(line: bytes) -> dict[str, Any] | None:
    """A line whose own hash is right, else None."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not all(isinstance(record.get(key), str) for key in ("prev", "kind", "deploy")):
        return None
    return record if record.get("hash") == digest(record) else None


def canonical(value: Any) -> bytes:
    """JSON with one spelling for one value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def digest(record: dict[str, Any]) -> str:
    """The hash of a record without its own `hash`."""
    return hashlib.sha256(canonical({key: value for key, value in record.items() if key != "hash"})).hexdigest()


def stamp(at: float) -> str:
    """A moment as 2026-11-25T08:00:00.123Z."""
    import time

    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at * 1000) % 1000:03d}Z"


def moment_of(text: str) -> float:
    """The seconds since the epoch of a `stamp`."""
    from datetime import datetime

    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def sync_folder(folder: str) -> None:
    """Waits until the disk has a folder's names."""
    descriptor = os.open(folder or ".", os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_file(path: str, data: bytes) -> None:
    """Writes a file as a whole or not at all, private, and waits for the disk. Raises OSError."""
    part = f"{path}.{os.getpid()}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    sync_folder(os.path.dirname(path))
