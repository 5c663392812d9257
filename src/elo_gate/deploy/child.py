"""Turns an argument list into what a program said: no shell, no input, few variables, bounded in time and output."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

CAP = 1 << 20  # of each stream; more is read and dropped
GRACE = 3.0
# What every child gets besides the names that a target lets through. Markers of CI and of other tools stay out:
# programs behave differently on them.
PASSED_ON = (
    "PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSH_AUTH_SOCK",
)  # fmt: skip


class Done:
    """A program that has ended: `code` (None where it could not be started), `out`, `err`, whether it was `late`."""

    __slots__ = ("code", "out", "err", "late", "why")

    def __init__(self, code: int | None, out: bytes, err: bytes, late: bool, why: str = "") -> None:
        self.code = code
        self.out = out
        self.err = err
        self.late = late
        self.why = why


def environment(home: str, names: Sequence[str]) -> dict[str, str]:
    """The variables of a child: a few of every system, and those that are named."""
    found = {name: os.environ[name] for name in (*PASSED_ON, *names) if name in os.environ}
    found.setdefault("PATH", os.defpath)
    found["HOME"] = home
    return found


def run(
    argv: Sequence[str],
    folder: str,
    variables: dict[str, str],
    seconds: float,
    keep: Sequence[int] = (),
    started: Callable[[int | None], None] | None = None,
    feed: bytes | Iterable[bytes] | None = None,
    stop: Callable[[], bool] | None = None,
    outlives: bool = False,
    cap: int = CAP,
) -> Done:
    """Runs a program to its end, or ends its process group. `keep` are descriptors it inherits (the lock).

    `started` is told the group's id, and None when it is over; `stop` is asked whether to end it at once. Pieces of
    `feed` are taken as the program reads them; what taking one raises ends the program and goes on to the caller.
    `outlives`: when we are killed it goes on undisturbed, for it holds the other end of its output itself. `cap` is
    how many bytes of each stream are kept.
    """
    pipes = [os.pipe(), os.pipe()] if outlives else []
    out, err = [write for _, write in pipes] or (subprocess.PIPE, subprocess.PIPE)
    try:
        process = subprocess.Popen(
            list(argv), cwd=folder, env=variables, stdout=out, stderr=err,
            stdin=subprocess.DEVNULL if feed is None else subprocess.PIPE,
            pass_fds=(*keep, *(read for read, _ in pipes)), start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        for read, _ in pipes:
            os.close(read)
        return Done(None, b"", b"", False, getattr(error, "strerror", None) or "not a command")
    finally:
        for _, write in pipes:
            os.close(write)
    if pipes:
        process.stdout, process.stderr = (open(read, "rb", buffering=0) for read, _ in pipes)
    if started is not None:
        started(process.pid)
    try:
        return _follow(process, time.monotonic() + seconds, feed, stop, cap)
    except BaseException:
        end(process)
        raise
    finally:
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        if started is not None:
            started(None)


def _follow(
    process: subprocess.Popen[bytes], deadline: float, feed: bytes | Iterable[bytes] | None,
    stop: Callable[[], bool] | None, cap: int,
) -> Done:  # fmt: skip
    got: dict[str, bytearray] = {"out": bytearray(), "err": bytearray()}
    pieces = iter((feed,) if isinstance(feed, bytes) else feed or ())
    rest: memoryview | None = memoryview(b"")
    late = False
    with selectors.DefaultSelector() as selector:
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin, selectors.EVENT_WRITE, "in")
        for name, stream in (("out", process.stdout), ("err", process.stderr)):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, selectors.EVENT_READ, name)
        quiet = 0
        while selector.get_map():
            now = time.monotonic()
            if now >= deadline or (stop is not None and stop()):
                late = True
                end(process)
                break
            ready = selector.select(min(0.05, deadline - now))
            # A grandchild may keep the pipe open: what the program itself said is there when it ends.
            quiet = 0 if ready else quiet + 1
            if not ready and quiet > 1 and process.poll() is not None:
                break
            for key, _ in ready:
                if key.data == "in":
                    rest = _put(key.fd, rest or memoryview(next(pieces, b"")))
                    if rest is None and process.stdin is not None:
                        selector.unregister(process.stdin)
                        process.stdin.close()
                    continue
                said = os.read(key.fd, 65_536)
                if not said:
                    selector.unregister(key.fileobj)
                elif len(got[key.data]) < cap:
                    got[key.data] += said[: cap - len(got[key.data])]
    while not late and process.poll() is None:
        if time.monotonic() >= deadline or (stop is not None and stop()):
            late = True
            end(process)
        time.sleep(0.01)
    return Done(process.wait(), bytes(got["out"]), bytes(got["err"]), late)


def _put(descriptor: int, piece: memoryview) -> memoryview | None:
    """What is left of a piece; None where it was the empty one at the end, or nobody reads."""
    try:
        return piece[os.write(descriptor, piece) :] if piece else None
    except BlockingIOError:
        return piece
    except OSError:
        return None


class Broken(Exception):
    """A program whose output is not whole: it could not be started, ended with another code than 0, or was late."""


def pieces(argv: Sequence[str], folder: str, variables: dict[str, str], seconds: float) -> Iterator[bytes]:
    """What a program writes to stdout, piece by piece, none of it kept. Raises Broken, also at the very end."""
    try:
        process = subprocess.Popen(
            list(argv), cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise Broken(getattr(error, "strerror", None) or "not a command") from None
    deadline = time.monotonic() + seconds
    try:
        with selectors.DefaultSelector() as selector:
            if process.stdout is not None:
                selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise Broken("did not end in time")
                piece = os.read(process.stdout.fileno(), 65_536) if process.stdout is not None else b""
                if not piece:
                    break
                yield piece
        if process.wait(GRACE):
            raise Broken(f"ended with {process.returncode}")
    except subprocess.TimeoutExpired:
        raise Broken("did not end") from None
    finally:
        if process.poll() is None:
            end(process)
        if process.stdout is not None:
            process.stdout.close()


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a child and its group: politely, then not."""
    for what in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, what)
        except (ProcessLookupError, PermissionError):
            pass
        try:
            process.wait(GRACE)
            if what is signal.SIGTERM:
                continue  # the group may hold more than its leader
        except subprocess.TimeoutExpired:
            pass


def end_group(group: int, gone: Callable[[], bool]) -> bool:
    """Ends a process group of a run that is gone; whether it has ended."""
    for what in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(group, what)
        except (ProcessLookupError, PermissionError):
            pass
        until = time.monotonic() + GRACE
        while time.monotonic() < until:
            if gone():
                return True
            time.sleep(0.05)
    return gone()
