"""Turns a ref of a git repository into what it held: a commit, the files of it, the text of one.

Only plumbing that reads objects is run, by absolute path: neither the working tree nor the index is looked at, so that
no filter, hook, pager or monitor of the repository's configuration is started, and no object is fetched.
"""

from __future__ import annotations

import os
import subprocess

TIMEOUT = 10
_FLAGS = (
    "--no-pager", "--no-optional-locks", "--no-replace-objects", "-c", "core.fsmonitor=false", "-c",
    "core.hooksPath=/dev/null", "-c", "diff.external=", "-c", "core.sshCommand=false", "-c", "protocol.allow=never",
)  # fmt: skip


class GitError(Exception):
    """git cannot say what was asked; the message says why, in words for people."""


def commit(top: str, ref: str) -> str:
    """The id of the commit a ref names. Raises GitError."""
    if ref.startswith("-") or not ref.isprintable():
        raise GitError(f"{ref!r} is no name of a commit")
    done = _run(top, "rev-parse", "--verify", "--quiet", "--end-of-options", ref + "^{commit}")
    found = (done or b"").decode("ascii", "replace").strip()
    if not found:
        raise GitError(f"'{ref}' names no commit here; fetch it (actions/checkout: fetch-depth: 0) or name another")
    return found


def base(top: str, ref: str) -> str:
    """The commit at which HEAD left a ref; the ref's own where git cannot tell. Raises GitError."""
    named = commit(top, ref)
    done = _run(top, "merge-base", named, "HEAD")
    return (done or b"").decode("ascii", "replace").strip() or named


def text(top: str, at: str, path: str) -> str | None:
    """The text of a file of a commit, None when it has no such file. Raises GitError."""
    if files(top, at, path).get(path) is None:
        return None
    data = _run(top, "cat-file", "blob", f"{at}:{path}")
    if data is None:
        raise GitError(f"{path}: cannot be read from {at[:12]}")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise GitError(f"{path}: not UTF-8 in {at[:12]}") from None


def files(top: str, at: str, below: str = "") -> dict[str, str]:
    """Path -> id of every file of a commit, at or below a path. Raises GitError."""
    done = _run(top, "ls-tree", "-r", "-z", "--full-tree", at, *(["--", below] if below else []), literal=True)
    if done is None:
        raise GitError(f"the files of {at[:12]} cannot be read")
    found = {}
    for row in done.split(b"\0"):
        head, tab, path = row.partition(b"\t")
        words = head.split()
        if tab and len(words) == 3 and words[1] == b"blob" and words[0] != b"120000":
            found[path.decode("utf-8", "surrogateescape")] = words[2].decode("ascii")
    return found


def object_id(data: bytes, like: str) -> str:
    """The id git gives a file with these bytes; `like` is an id of the same repository."""
    import hashlib

    made = hashlib.sha256() if len(like) == 64 else hashlib.sha1(usedforsecurity=False)
    made.update(b"blob %d\0" % len(data))
    made.update(data)
    return made.hexdigest()


def _program(top: str) -> str:
    """git's absolute path, never one inside of the repository. Raises GitError."""
    inside = os.path.realpath(top) + os.sep
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, "git.exe" if os.name == "nt" else "git")
        if os.path.isabs(folder) and os.access(path, os.X_OK) and os.path.isfile(path):
            if not os.path.realpath(path).startswith(inside):
                return path
    raise GitError("git is not installed here")


def _run(top: str, *words: str, literal: bool = False) -> bytes | None:
    """What git prints; None when it ends with an error. Raises GitError when it cannot run or does not end."""
    environment = {
        "PATH": os.defpath,
        "LC_ALL": "C",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    if literal:
        environment["GIT_LITERAL_PATHSPECS"] = "1"
    if not os.path.lexists(os.path.join(top, ".git")):
        raise GitError(f"{top}: no git repository")
    # The configuration that would trust a folder of another owner is not read; objects are read only.
    command = [_program(top), *_FLAGS, "-c", f"safe.directory={top}", "-C", top, *words]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=TIMEOUT,
            env=environment, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise GitError(f"git did not answer within {TIMEOUT} seconds") from None
    except OSError as error:
        raise GitError(f"git cannot be started ({error.strerror})") from None
    return done.stdout if done.returncode == 0 else None
