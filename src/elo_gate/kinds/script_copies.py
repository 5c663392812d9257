"""Turns the calls of a script into what becomes of its copies: carried away, and deleted when they are old.

Facts of the tools: AWS CLI s3 cp and sync, rclone commands, restic forget, find(1) (looked up 2026-11-25).
"""

from __future__ import annotations

import re

from ..model import ABSENT, SCALAR, UNKNOWN, Item, Node
from .script import program, reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..model import Artifact
    from ..syntax.shell import Word
    from .script_calls import Call, Reading

_REMOTE = re.compile(r"(?:[\w.-]+@)?[\w.*$-]+:(?!//)\S*|rsync://|ssh://|s3:|sftp:|b2:|rest:|azure:|gs:|swift:|rclone:")
_DAYS = re.compile(r"(\d+)\s*(d|days?|w|weeks?|M|months?|y|h|m)?")
# program -> its flags whose next word is their value, of those that carry files away.
VALUED = {
    "aws": tuple(
        """--sse-kms-key-id --storage-class --profile --region --endpoint-url --acl --exclude --include --expected-size
        --metadata --content-type --tagging --cache-control""".split()
    ),
    "gsutil": ("-h", "-u", "-o"),
    "gcloud": ("--project", "--account"),
    "rclone": tuple("--config --transfers --checkers --bwlimit --log-file --exclude --include --log-level".split()),
    "rsync": ("-e", "--rsh", "--exclude", "--include", "--link-dest", "--log-file", "--bwlimit", "--exclude-from",
              "--files-from", "--port", "--timeout", "--backup-dir", "--password-file"),
    "scp": ("-i", "-P", "-o", "-F", "-J", "-l", "-c"),
    "mc": ("--config-dir", "-C"),
    "s3cmd": ("-c", "--config", "--exclude"),
    "curl": tuple("-X --request -H --header -u --user -o --output -T --upload-file -F --form -d --data-binary".split()),
    "restic": ("-r", "--repo", "--tag", "--exclude", "-p", "--password-file", "--host", "--stdin-filename"),
    "borg": ("--exclude", "-C", "--compression", "--comment", "-e"),
    "b2": (),
}  # fmt: skip


# -- what leaves


def uploads(artifact: Artifact) -> list[Item]:
    """What leaves the machine."""
    calls = reading(artifact)
    found = []
    for call in calls.calls:
        made = upload(calls, call)
        if made is not None:
            found.append(made)
    return found


def upload(calls: Reading, call: Call) -> Item | None:
    """What a call carries away from the machine, None when it carries nothing."""
    tool = program(call)
    words = call.plain(*VALUED.get(tool, ()))
    texts = [call.text(word) for word in words]
    source: Word | None = None
    target: Word | None = None
    encrypted = call.flag("--sse", "--sse-c", "--sse-kms-key-id", "--server-side-encryption", "--encrypt") is not None
    if tool == "aws" and texts[:1] == ["s3"] and texts[1:2] and texts[1] in ("cp", "sync", "mv"):
        # `--sse` without a value stands in front of a word that would be taken for one.
        rest = [word for word in words[2:] if call.text(word) not in ("AES256", "aws:kms", "aws:kms:dsse")]
        if len(rest) > 1 and _bucket_like(call.text(rest[1]), "s3://"):
            source, target = rest[0], rest[1]
        if rest and call.text(rest[0]).startswith("s3://"):
            target = None
    elif tool == "aws" and texts[:2] == ["s3api", "put-object"]:
        source, target = call.option("--body"), call.option("--bucket")
    elif tool in ("gsutil", "s3cmd", "s5cmd", "mc", "b2", "swift", "oci") and texts:
        source, target = _namedupload(tool, texts, words)
    elif (
        tool == "gcloud"
        and texts[:1] == ["storage"]
        and texts[1:2]
        and texts[1] in ("cp", "rsync", "mv")
        and len(words) > 3
    ):
        source, target = (words[-2], words[-1]) if texts[-1].startswith("gs://") else (None, None)
    elif tool == "az" and texts[:1] == ["storage"] and any(text.startswith("upload") for text in texts):
        source, target = (
            call.option("--file", "-f", "--source", "-s"),
            call.option("--container-name", "-c", "-d") or call.head,
        )
    elif tool == "azcopy" and texts[:1] and texts[0] in ("copy", "cp", "sync") and len(words) > 2:
        source, target = (words[1], words[2]) if not texts[1].startswith("http") else (None, None)
    elif tool == "rclone" and texts[:1] and texts[0] in ("copy", "sync", "move", "copyto", "moveto", "rcat"):
        last = words[-1] if len(words) > 1 else None
        if last is not None and (":" in call.text(last) or not call.value(last).known):
            source, target = words[1] if len(words) > 2 else None, last
            encrypted = encrypted or "crypt" in call.text(last).lower()
    elif tool in ("scp", "rsync") and len(words) > 1:
        last = words[-1]
        if _REMOTE.match(call.text(last)) and not call.text(last).startswith("/"):
            source, target = words[0], last
    elif tool == "curl" and call.flag("-T", "--upload-file", "-F", "--form", "--data-binary"):
        source, target = (
            call.option("-T", "--upload-file", "-F", "--form", "--data-binary"),
            words[-1] if words else call.head,
        )
        if (
            source is not None
            and tool == "curl"
            and not call.flag("-T", "--upload-file")
            and "@" not in call.text(source)
        ):
            return None
    elif tool in (
        "sftp",
        "lftp",
        "ncftpput",
        "ftp",
        "duplicity",
        "wal-g",
        "pgbackrest",
        "barman",
        "kopia",
        "rdiff-backup",
    ):
        source, target = None, call.head
    elif tool in ("restic", "borg", "borgmatic") and (texts[:1] in (["backup"], ["create"]) or tool == "borgmatic"):
        repo = call.option("-r", "--repo") if tool == "restic" else (words[1] if len(words) > 1 else None)
        text = call.text(repo) if repo is not None else ""
        encrypted = True
        if not text.startswith("/"):
            source, target = words[1] if len(words) > 1 else None, repo or call.head
    elif tool == "ssh" and calls.before(call) and any("cat" in text or ">" in text for text in call.texts[1:]):
        source, target = None, call.args[0] if call.args else call.head
    elif tool == "split" or target is None:
        return None
    if target is None:
        return None
    text = call.text(target)
    bucket = re.match(r"\w+://([^/*]+)", text)
    facts = {
        "call": call,
        "tool": tool,
        "source": call.text(source) if source is not None else "",
        "destination": text,
        "destination_at": call.node(target),
        "bucket": bucket[1] if bucket is not None else "",
        "encrypted": encrypted,
    }
    return Item(call.place, facts)


def _bucket_like(text: str, scheme: str) -> bool:
    """A bucket's address, or a variable that holds one."""
    return text.startswith((scheme, "*"))


def _namedupload(tool: str, texts: list[str], words: list[Word]) -> tuple[Word | None, Word | None]:
    if tool == "gsutil":
        at = next((n for n, text in enumerate(texts) if text in ("cp", "rsync", "mv")), -1)
        if at >= 0 and len(words) > at + 2 and texts[-1].startswith(("gs://", "*")):
            return words[at + 1], words[-1]
    elif tool in ("s3cmd", "s5cmd"):
        if texts[0] in ("put", "sync", "cp", "mv") and len(words) > 2 and texts[-1].startswith(("s3://", "*")):
            return words[1], words[-1]
    elif tool == "mc":
        if texts[0] in ("cp", "mirror", "mv", "pipe") and len(words) > 1 and not texts[-1].startswith(("/", ".")):
            return (words[1] if len(words) > 2 else None), words[-1]
    elif tool == "b2" and (texts[0] in ("upload-file", "upload_file", "sync") or texts[:2] == ["file", "upload"]):
        return None, words[1] if len(words) > 1 else words[0]
    elif tool == "swift" and texts[0] == "upload" and len(words) > 1:
        return None, words[1]
    elif tool == "oci" and "put" in texts:
        return None, words[0]
    return None, None


# -- what is deleted


def prunes(artifact: Artifact) -> list[Item]:
    """Deletions of old copies. `days`: their age, None when it is not one; `count`: how many are kept instead."""
    calls = reading(artifact)
    found = []
    for call in calls.calls:
        made = _prune(calls, call)
        if made is not None:
            found.append(made)
    return found


def _prune(calls: Reading, call: Call) -> Item | None:
    tool = program(call)
    facts: dict[str, Any] = {"call": call, "tool": tool, "folder": "", "names": "*", "days": None, "days_at": ABSENT,
                             "count": None, "remote": False, "open": False}  # fmt: skip
    after = calls.after(call)
    if tool == "find":
        deletes = any(word.text in ("-delete", "rm", "unlink") for word in call.args)
        if not deletes and not any(program(each) in ("rm", "unlink") for each in after):
            return None
        if not call.args or call.args[0].text.startswith("-"):
            return None
        names = call.option("-name", "-iname")
        facts["folder"] = call.text(call.args[0]).rstrip("/")
        facts["names"] = call.text(names) if names is not None else "*"
        for flag, unit in (("-mtime", 1), ("-ctime", 1), ("-mmin", 24 * 60), ("-atime", 1)):
            age = call.option(flag)
            if age is not None:
                _age(facts, call, age, unit)
        if facts["days"] is None and not facts["open"]:
            return None  # no retention: it deletes everything that is called so
    elif tool == "rm" and any(
        program(each) in ("ls", "find", "head", "tail", "awk", "sort") for each in calls.before(call)
    ):
        before = calls.before(call)
        if any(program(each) == "find" for each in before):
            return None  # told at the find
        facts["open"] = True
        listing = next((each for each in before if program(each) == "ls"), None)
        if listing is not None and listing.plain():
            facts["folder"], _, facts["names"] = listing.text(listing.plain()[0]).rpartition("/")
        _kept(facts, before)
    elif tool == "restic" and call.texts[:1] == ["forget"] or tool == "borg" and call.texts[:1] == ["prune"]:
        facts["remote"] = True
        _kept_by_flags(facts, call)
    elif tool == "rclone" and call.texts[:1] == ["delete"] and call.option("--min-age") is not None:
        facts["remote"] = True
        _age(facts, call, call.option("--min-age"), 1)
    elif tool == "mc" and call.texts[:1] == ["rm"] and call.option("--older-than") is not None:
        facts["remote"] = True
        _age(facts, call, call.option("--older-than"), 1)
    elif (
        (tool == "aws" and call.texts[:2] in (["s3", "rm"], ["s3api", "delete-object"]))
        or (tool in ("gsutil", "s3cmd") and call.texts[:1] and call.texts[0] in ("rm", "del"))
        or tool == "aws"
        and call.texts[:1] == ["s3api"]
        and "lifecycle" in " ".join(call.texts[1:2])
        or tool in ("gsutil", "gcloud", "az", "mc")
        and any("lifecycle" in text or text == "ilm" for text in call.texts[:3])
    ):
        facts.update(remote=True, open=True)
    else:
        return None
    return Item(call.place, facts)


def _age(facts: dict[str, Any], call: Call, word: Word | None, unit: int) -> None:
    """Reads `+30`, `43200` minutes, `30d`, `4w`."""
    if word is None:
        return
    value = call.value(word)
    facts["days_at"] = Node(
        SCALAR if value.known else UNKNOWN, value.text, call.script.source, word.start, word.end, "'"
    )
    match = _DAYS.fullmatch(value.text.lstrip("+"))
    if not value.known or match is None or value.text.startswith("-"):
        facts["open"] = True
        return
    number = int(match[1])
    factor = {"w": 7, "week": 7, "weeks": 7, "M": 30, "month": 30, "months": 30, "y": 365}.get(match[2] or "", 1)
    if match[2] in ("h", "m"):
        facts["open"] = True
        return
    facts["days"] = number * factor // unit if unit > 1 else number * factor
    facts["exact"] = unit == 1 and not match[2]


def _kept(facts: dict[str, Any], before: list[Call]) -> None:
    """How many copies `tail -n +31` or `head -n -30` leave."""
    for each in before:
        word = each.option("-n", "--lines")
        text = (
            each.text(word)
            if word is not None
            else next((t for t in each.texts if t[:1] in "+-" and t[1:].isdigit()), "")
        )
        if program(each) == "tail" and text.startswith("+") and text[1:].isdigit():
            facts["count"] = int(text[1:]) - 1
        elif program(each) == "head" and text.startswith("-") and text[1:].isdigit() and word is not None:
            facts["count"] = int(text[1:])


def _kept_by_flags(facts: dict[str, Any], call: Call) -> None:
    facts["open"] = True
    daily = call.option("--keep-daily", "-d")
    within = call.option("--keep-within", "--keep-within-daily")
    if within is not None:
        _age(facts, call, within, 1)
    elif daily is not None and call.text(daily).isdigit():
        facts["days"], facts["days_at"] = int(call.text(daily)), call.node(daily)
        facts["open"] = False
