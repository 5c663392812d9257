"""Turns the second place into an answer: does it hold the newest good backup, and is it the same."""

from __future__ import annotations

import os

from .answer import GOOD, RED, UNKNOWN, Answer, bytes_of
from .archive import sums
from .bucket import Bucket
from .source import Folder, Unseen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .source import Copy, Source

# Sizes of a part that programs upload with; `aws s3 cp` takes 8 MiB.
_PARTS = tuple(mebibytes << 20 for mebibytes in (8, 5, 10, 15, 16, 32, 64, 100, 128))


def answer(copy: Copy, here: Source, path: str, there: Source) -> Answer:
    """Whether the second place holds a copy. `path` is its content on this machine, empty where it was not fetched."""
    why = "what destroys the first place, a fire or an account, takes the only copy"
    try:
        series = there.series()
    except Unseen as error:
        return Answer("off-site", UNKNOWN, str(error), why, "see that the second place can be read from here")
    same = next((each for each in series if each.name == copy.name), None)
    if same is None:
        short = copy.name.rsplit("/", 1)[-1]
        same = next((each for each in reversed(series) if each.name.rsplit("/", 1)[-1] == short), None)
    if same is None:
        newest = f"; the newest there is {series[-1].name}" if series else "; it holds none"
        return Answer(
            "off-site", RED, f"{there.words} does not hold {copy.name}{newest}", why,
            "see why the upload did not run, and copy it there now", newest=series[-1].name if series else None,
        )  # fmt: skip
    if same.size != copy.size:
        return Answer(
            "off-site", RED, f"{same.name} there has {bytes_of(same.size)} and {bytes_of(copy.size)} here",
            "a copy that broke off cannot be restored", "copy it again, and compare", bytes=same.size,
        )  # fmt: skip
    try:
        proof, differs = _compared(copy, here, path, same, there)
    except (Unseen, OSError) as error:
        words = getattr(error, "strerror", None) or str(error)
        return Answer("off-site", UNKNOWN, f"{same.name} there cannot be compared: {words}", why)
    if differs:
        return Answer(
            "off-site", RED, f"{same.name} there has the size of the one here and other bytes",
            "one of the two is damaged, and nobody knows which", "copy it again, and see which one can be restored",
        )  # fmt: skip
    beside = ""
    if isinstance(here, Folder) and isinstance(there, Folder) and _one_disk(here.path, there.path):
        beside = "; both places are on one disk"
    return Answer("off-site", GOOD, f"{there.words} holds {same.name}, the same {proof}{beside}", compared=proof)


def _compared(copy: Copy, here: Source, path: str, same: Copy, there: Source) -> tuple[str, bool]:
    """(what was compared, whether it differs)."""
    if isinstance(there, Folder):
        if path:
            return "SHA-256", sums(path)[0] != sums(os.path.join(there.path, same.name))[0]
        if isinstance(here, Bucket):
            return _etag(copy, here, os.path.join(there.path, same.name))
    if isinstance(there, Bucket):
        if path:
            return _etag(same, there, path)
        if isinstance(here, Bucket):
            if copy.etag == same.etag and copy.etag:
                return "ETag", False
            plain = "-" not in copy.etag + same.etag and here.plain_etag(copy) and there.plain_etag(same)
            return ("ETag", True) if plain else ("size", False)
    return "size", False


def _etag(copy: Copy, bucket: Bucket, path: str) -> tuple[str, bool]:
    """As `_compared`, of a file here and an object whose ETag is an MD5: of it, or of parts of a size to be guessed."""
    tag, dash, count = copy.etag.partition("-")
    if not tag or os.path.isdir(path):
        return "size", False
    if not dash:
        if sums(path)[1] == tag:
            return "MD5", False
        return ("MD5", True) if bucket.plain_etag(copy) else ("size", False)
    fitting = [part for part in _PARTS if count.isdigit() and -(-copy.size // part) == int(count)]
    if fitting and sums(path, fitting[0])[1] == tag:
        return "MD5 of its parts", False
    return "size", False


def _one_disk(here: str, there: str) -> bool:
    try:
        return os.stat(here).st_dev == os.stat(there).st_dev
    except OSError:
        return False
