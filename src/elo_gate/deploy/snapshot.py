"""Turns an artifact into a private copy with one digest, and the gate's run into one over exactly those bytes.

The gate reads what will be shipped from the copy; of everything else it reads, the digest is kept. Both are hashed
again right before anything is sent.
"""

from __future__ import annotations

import hashlib
import os
import stat

from ..discover import HARD_LIMIT, TEXT_LIMIT, DiskTree, Ignores, Unreadable, read_file, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FILES = 200_000
BYTES = 8 << 30
_PIECE = 1 << 20


class Changed(Exception):
    """Bytes are not those that were judged; the message names the first file."""


class SnapshotError(Exception):
    """An artifact that cannot be copied; the message says what is wrong with it."""


class Snapshot:
    """A copy at `folder`. `files` is path -> (mode, size, digest), paths relative to it; `digest` is of all of them.

    `below` is where the artifact lies in the judged tree, with a final `/`, or empty for the tree itself.
    """

    __slots__ = ("folder", "below", "files", "digest")

    def __init__(self, folder: str, below: str, files: dict[str, tuple[str, int, str]]) -> None:
        self.folder = folder
        self.below = below
        self.files = files
        self.digest = digest_of(files)


def digest_of(files: dict[str, tuple[str, int, str]]) -> str:
    """SHA-256 over one line a file: mode, size, digest, path; in the order of the paths' bytes."""
    made = hashlib.sha256()
    for path in sorted(files, key=os.fsencode):
        mode, size, digest = files[path]
        made.update(f"{mode} {size} {digest} ".encode() + os.fsencode(path) + b"\0")
    return made.hexdigest()


def take(root: str, artifact: str, folder: str, aside: Sequence[str] = ()) -> Snapshot:
    """Copies an artifact to a new folder. `aside` are paths of the tree that never belong to it (the state).

    The tree itself as the artifact is what git would know of it, without folders of other people's code; any other
    folder is taken whole. Raises SnapshotError.
    """
    below = "" if artifact == "." else artifact + "/"
    os.makedirs(folder, mode=0o700)
    files: dict[str, tuple[str, int, str]] = {}
    for path in _paths(root, artifact, aside):
        files[path] = _copy(os.path.join(root, below + path), os.path.join(folder, path), path, BYTES)
        if len(files) > FILES or sum(size for _, size, _ in files.values()) > BYTES if len(files) % 500 == 0 else False:
            raise SnapshotError(f"{artifact}: over {FILES} files or {BYTES >> 30} GiB")
    if not files:
        raise SnapshotError(f"{artifact}: nothing to ship is in there; build it first")
    return Snapshot(folder, below, files)


def load(folder: str, artifact: str) -> Snapshot:
    """A copy that is there already, hashed anew. Raises SnapshotError."""
    files = {path: _hash(os.path.join(folder, path), path) for path in _all(folder, "", ())}
    return Snapshot(folder, "" if artifact == "." else artifact + "/", files)


def source_digest(root: str, artifact: str, aside: Sequence[str] = ()) -> str:
    """The digest the artifact would have now where it was built. Raises SnapshotError."""
    below = "" if artifact == "." else artifact + "/"
    return digest_of({path: _hash(os.path.join(root, below + path), path) for path in _paths(root, artifact, aside)})


def _paths(root: str, artifact: str, aside: Sequence[str]) -> Iterator[str]:
    if artifact != ".":
        top = os.path.join(root, artifact)
        if not os.path.isdir(top) or not (os.path.realpath(top) + os.sep).startswith(os.path.realpath(root) + os.sep):
            raise SnapshotError(f"{artifact}: there is no such folder in the tree; build it first")
        yield from _all(top, artifact + "/", aside)
        return
    tree = DiskTree(root)
    for path, ignored in walk(tree, Ignores(tree)):
        if not ignored and not any(path == each or path.startswith(each + "/") for each in aside):
            yield path
    if tree.unlisted or tree.special:
        path, why = next(iter({**tree.unlisted, **tree.special}.items()))
        raise SnapshotError(f"{path}: {why}")


def _all(top: str, prefix: str, aside: Sequence[str]) -> Iterator[str]:
    """Every file below a folder, `.git` and what lies aside left out; folders that are links are files here."""
    waiting = [""]
    while waiting:
        here = waiting.pop()
        try:
            entries = sorted(os.scandir(os.path.join(top, here)), key=lambda entry: entry.name)
        except OSError as error:
            raise SnapshotError(f"{prefix}{here}: cannot be read ({error.strerror})") from None
        for entry in entries:
            path = here + entry.name
            if entry.name == ".git" or any(prefix + path == each for each in aside):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(path + "/")
            else:
                yield path


def _copy(source: str, target: str, path: str, limit: int) -> tuple[str, int, str]:
    os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
    link = _link(source, path)
    if link is not None:
        os.symlink(link, target)
        return _of_link(link)
    found = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(found, "wb") as file:
        described = _read(source, path, file.write)
    os.chmod(target, 0o500 if described[0] == "755" else 0o400)
    return described


def _hash(source: str, path: str) -> tuple[str, int, str]:
    link = _link(source, path)
    return _of_link(link) if link is not None else _read(source, path, None)


def _of_link(link: str) -> tuple[str, int, str]:
    data = os.fsencode(link)
    return "link", len(data), hashlib.sha256(data).hexdigest()


def _link(source: str, path: str) -> str | None:
    """Where a link leads, None for what is none; one that leaves the artifact is refused. Raises SnapshotError."""
    try:
        if not stat.S_ISLNK(os.lstat(source).st_mode):
            return None
        link = os.readlink(source)
    except OSError as error:
        raise SnapshotError(f"{path}: cannot be read ({error.strerror})") from None
    leads = os.path.normpath(os.path.join(os.path.dirname(path), link))
    if os.path.isabs(link) or leads == ".." or leads.startswith("../"):
        raise SnapshotError(f"{path}: a link that leads out of the artifact")
    return link


def _read(source: str, path: str, write: object) -> tuple[str, int, str]:
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SnapshotError(f"{path}: cannot be read ({error.strerror})") from None
    made = hashlib.sha256()
    size = 0
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise SnapshotError(f"{path}: not a regular file")
        while piece := file.read(_PIECE):
            size += len(piece)
            made.update(piece)
            if callable(write):
                write(piece)
    return "755" if about.st_mode & 0o100 else "644", size, made.hexdigest()


class Witness(DiskTree):
    """A tree that gives the snapshot's bytes for what will be shipped, and remembers the digest of all it gave."""

    __slots__ = ("_snapshot", "given")

    def __init__(self, root: str, snapshot: Snapshot) -> None:
        super().__init__(root)
        self._snapshot = snapshot
        self.given: dict[str, str] = {}

    def read(self, path: str, limit: int = TEXT_LIMIT) -> bytes:
        """As of any tree. Raises Unreadable."""
        within = path[len(self._snapshot.below) :] if path.startswith(self._snapshot.below) else ""
        shipped = self._snapshot.files.get(within)
        if shipped is None or shipped[0] == "link":
            data = super().read(path, limit)
            self.given[path] = hashlib.sha256(data).hexdigest()
            return data
        data = read_file(os.path.join(self._snapshot.folder, within), limit)
        if hashlib.sha256(data).hexdigest() != shipped[2]:
            raise Unreadable("not the bytes that would be shipped")
        return data


def unchanged(snapshot: Snapshot, root: str, inputs: dict[str, str]) -> None:
    """Hashes the copy, and what else was judged, once more. Raises Changed."""
    try:
        now = {path: _hash(os.path.join(snapshot.folder, path), path) for path in _all(snapshot.folder, "", ())}
    except SnapshotError as error:
        raise Changed(str(error)) from None
    for path in sorted(set(now) | set(snapshot.files)):
        before = snapshot.files.get(path)
        if now.get(path) != before:
            raise Changed(f"{snapshot.below}{path}: the copy is not what was judged")
    tree = DiskTree(root)
    for path, digest in sorted(inputs.items()):
        try:
            same = hashlib.sha256(tree.read(path, HARD_LIMIT)).hexdigest() == digest
        except Unreadable:
            same = False
        if not same:
            raise Changed(f"{path}: changed since it was judged")
