"""Turns signatures over a release's digest into who approves it, with `ssh-keygen -Y`.

A signature is over the target, the digest and its last moment. Who may sign stands in a file that the change under
judgement cannot touch: outside of the repository, or as it is in another branch.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time

from . import child
from .journal import moment_of, stamp, write_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .config import Place

NAMESPACE = "elo-gate-deploy"
COUNT = 100
_WHO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}")


class ApprovalError(Exception):
    """Approvals cannot be asked for or written; the message says why."""


def message(target: str, digest: str, until: str) -> bytes:
    """The bytes that are signed."""
    return f"elo-gate deploy approval\ntarget: {target}\ndigest: {digest}\nuntil: {until}\n".encode()


def sign(place: Place, digest: str, who: str, key: str, hours: int) -> str:
    """Signs a digest with a key file (or what an agent holds of it); the path of the approval. Raises ApprovalError."""
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ApprovalError("a digest is 64 digits; `elo-gate deploy TARGET --plan` prints it")
    if not _WHO.fullmatch(who):
        raise ApprovalError("a name is as in the file of signers: letters, digits, . _ @ + -")
    until = stamp(time.time() + hours * 3600)
    variables = child.environment(os.path.expanduser("~"), ())
    with tempfile.TemporaryDirectory(prefix="elo-gate-") as folder:
        path = os.path.join(folder, "message")
        write_file(path, message(place.name, digest, until))
        done = child.run(
            [_program(), "-q", "-Y", "sign", "-f", os.path.abspath(key), "-n", NAMESPACE, path], folder, variables, 60
        )
        if done.code != 0 or done.late:
            raise ApprovalError("ssh-keygen did not sign; the key needs an agent or no passphrase")
        with open(path + ".sig", "rb") as file:
            signature = file.read(65_536)
    target = os.path.join(place.state, "approvals", digest)
    os.makedirs(target, mode=0o700, exist_ok=True)
    found = os.path.join(target, who + ".approval")
    write_file(found, f"until: {until}\n".encode() + signature)
    return found


def approved(place: Place, digest: str, actor: str, now: float) -> tuple[list[dict[str, str]], list[str]]:
    """(who approves with what until when, why others do not count). Raises ApprovalError."""
    wanted = place.target.approvals
    if wanted is None:
        return [], []
    folder = os.path.join(place.state, "approvals", digest)
    try:
        names = sorted(os.listdir(folder))[:COUNT]
    except OSError:
        return [], []
    good: list[dict[str, str]] = []
    bad: list[str] = []
    with tempfile.TemporaryDirectory(prefix="elo-gate-") as scratch:
        signers = os.path.join(scratch, "signers")
        write_file(signers, _signers(place))
        for name in names:
            who = name.removesuffix(".approval")
            if who == name or not _WHO.fullmatch(who):
                continue
            why = _check(os.path.join(folder, name), place.name, digest, who, signers, scratch, now)
            if not why and who == actor and not wanted.self_approval:
                why = "who deploys does not approve"
            if why:
                bad.append(f"{who}: {why}")
            else:
                good.append({"by": who, "digest": digest})
    return good, bad


def _check(path: str, target: str, digest: str, who: str, signers: str, scratch: str, now: float) -> str:
    """Why an approval does not count; empty when it does."""
    try:
        with open(path, "rb") as file:
            first, _, signature = file.read(65_536).partition(b"\n")
        until = first.decode("ascii").removeprefix("until: ")
        if moment_of(until) < now:
            return "is over"
    except (OSError, ValueError):
        return "cannot be read"
    place = os.path.join(scratch, "signature")
    write_file(place, signature)
    done = child.run(
        [_program(), "-q", "-Y", "verify", "-f", signers, "-I", who, "-n", NAMESPACE, "-s", place], scratch,
        child.environment(scratch, ()), 20, feed=message(target, digest, until),
    )  # fmt: skip
    return "" if done.code == 0 and not done.late else "no signature of theirs over this target and digest"


def _signers(place: Place) -> bytes:
    """Who may sign, from where the change cannot have put it. Raises ApprovalError."""
    wanted = place.target.approvals
    assert wanted is not None
    path = wanted.allowed_signers
    if os.path.isabs(path):
        if (os.path.realpath(path) + os.sep).startswith(os.path.realpath(place.folder) + os.sep):
            raise ApprovalError("allowed_signers lies in the repository: name it relative, and a `ref`")
        try:
            with open(path, "rb") as file:
                return file.read(1 << 20)
        except OSError as error:
            raise ApprovalError(f"allowed_signers: cannot be read ({error.strerror})") from None
    from .. import git
    from ..discover import DiskTree

    top = DiskTree(place.folder).top()
    below = os.path.relpath(os.path.join(place.folder, path), top).replace(os.sep, "/")
    try:
        text = git.text(top, git.commit(top, wanted.ref), below)
    except git.GitError as error:
        raise ApprovalError(f"allowed_signers: {error}") from None
    if text is None:
        raise ApprovalError(f"allowed_signers: {wanted.ref} has no such file")
    return text.encode()


def _program() -> str:
    found = shutil.which("ssh-keygen")
    if found is None:
        raise ApprovalError("ssh-keygen is not here; approvals are signed and read with it")
    return os.path.abspath(found)
