"""Turns new texts into files: each as a whole or not at all, never through a link, never outside of the root."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_MARK = b"\xef\xbb\xbf"


class WriteError(Exception):
    """A file that was not written; the message says why."""


def refusal(root: str) -> Callable[[str], str]:
    """A function that says why a path of a tree must not be written, "" when it may."""
    known: dict[str, str] = {}

    def why(path: str) -> str:
        if path not in known:
            known[path] = _refusal(root, path)
        return known[path]

    return why


def _refusal(root: str, path: str) -> str:
    full = os.path.join(root, path)
    real = os.path.realpath(full)
    base = os.path.realpath(root)
    if real != os.path.normpath(os.path.join(base, path)) or not real.startswith(base.rstrip(os.sep) + os.sep):
        return "it is reached through a link"
    try:
        status = os.lstat(full)
    except OSError as error:
        return f"it cannot be opened ({error.strerror})"
    if not stat.S_ISREG(status.st_mode):
        return "it is not a regular file"
    if not os.access(full, os.W_OK):
        return "it is write-protected"
    return ""


def write(root: str, path: str, before: str, after: str) -> None:
    """Replaces the text of a file that still says what was judged. Raises WriteError; the file is then as it was.

    A byte order mark and the mode stay.
    """
    why = _refusal(root, path)
    if why:
        raise WriteError(f"{path}: {why}")
    full = os.path.join(os.path.realpath(root), path)
    part = f"{full}.{os.getpid()}.part"
    try:
        descriptor = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read()
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        mark = _MARK if data.startswith(_MARK) else b""
        if data[len(mark) :] != before.encode("utf-8"):
            raise WriteError(f"{path}: it has changed since it was judged")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(mark + after.encode("utf-8"))
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            os.replace(part, full)
        except BaseException:
            os.unlink(part)
            raise
    except OSError as error:
        raise WriteError(f"{path}: cannot be written ({error.strerror})") from None
