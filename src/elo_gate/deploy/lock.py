"""Turns a target's state folder into one that a single deploy holds: a kernel lock that its children keep holding.

The lock is the kernel's, so none is left behind; a child that outlives its parent holds it until it ends, because it
has the descriptor too. `holder.json` beside it only tells people who.
"""

from __future__ import annotations

import fcntl
import json
import os

from .journal import write_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Held(Exception):
    """Somebody holds the lock; `holder` is what is known of them."""

    def __init__(self, holder: dict[str, Any]) -> None:
        super().__init__(words(holder))
        self.holder = holder


class Lock:
    """A held lock; `descriptor` is handed to children."""

    __slots__ = ("folder", "descriptor", "holder")

    def __init__(self, folder: str, who: str, what: str) -> None:
        """Takes the lock without waiting. Raises Held and OSError."""
        self.folder = folder
        self.descriptor = os.open(
            os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self.descriptor)
            raise Held(read(folder)) from None
        import socket
        import time

        self.holder: dict[str, Any] = {
            "host": socket.gethostname(), "boot": boot(), "pid": os.getpid(), "born": born(os.getpid()), "user": who,
            "since": int(time.time()), "deploy": what,
        }  # fmt: skip
        self._write()

    def child(self, pid: int | None, what: str = "") -> None:
        """Notes which process group works for the holder now, None for none."""
        self.holder.pop("child", None)
        if pid is not None:
            self.holder["child"] = {"group": pid, "born": born(pid), "what": what}
        self._write()

    def release(self) -> None:
        """Lets go. A child that still runs keeps holding."""
        os.close(self.descriptor)

    def _write(self) -> None:
        write_file(os.path.join(self.folder, "holder.json"), json.dumps(self.holder).encode())


def read(folder: str) -> dict[str, Any]:
    """What is known of the last holder; empty when nothing is."""
    try:
        with open(os.path.join(folder, "holder.json"), "rb") as file:
            found = json.loads(file.read(65_536))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def held(folder: str) -> bool:
    """Whether somebody holds the lock now."""
    try:
        descriptor = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def here(holder: dict[str, Any]) -> bool:
    """Whether a holder is of this machine, since its last start."""
    import socket

    return holder.get("host") == socket.gethostname() and holder.get("boot") == boot()


def alive(holder: dict[str, Any]) -> bool:
    """Whether the process that took the lock still runs; of another machine nobody knows, so it does."""
    if not holder or not here(holder):
        return bool(holder)
    return lives(holder.get("pid"), holder.get("born"))


def lives(pid: Any, since: Any) -> bool:
    """Whether a process runs that has this number and was born then; a number that was given anew is another one."""
    if not isinstance(pid, int) or pid <= 1:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    now = born(pid)
    return now != "gone" and (not since or not now or now == since)


def born(pid: int) -> str:
    """When a process started, in ticks; `gone` for one that has ended, empty where the system does not tell."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return ""
    # proc(5): the state is the third field, starttime the 22nd; the split begins behind the second.
    return "gone" if fields[0] in ("Z", "X") else fields[19]


def boot() -> str:
    """The id of the machine's last start; empty where the system does not tell."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def words(holder: dict[str, Any]) -> str:
    """Who holds the lock, in words."""
    if not holder:
        return "held by a process that has not said who it is"
    text = f"held by {holder.get('user')} on {holder.get('host')}, process {holder.get('pid')}"
    text += f", deploy {holder.get('deploy')}"
    child = holder.get("child")
    if not alive(holder) and isinstance(child, dict):
        text += f"; it is gone, its child {child.get('group')} ({child.get('what')}) still runs"
    return text
