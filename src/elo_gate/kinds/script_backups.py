"""Turns the calls of a script into the parts of a backup: what is dumped, packed, copied away, pruned, checked.

Facts of the tools: postgresql.org/docs/18 app-pgdump, app-pg-dumpall; dev.mysql.com mysqldump; AWS CLI s3 cp; rclone
commands; restic forget; find(1) (looked up 2026-11-25).
"""

from __future__ import annotations

import re

from ..model import ABSENT, SCALAR, UNKNOWN, Item, Node
from .script import program, reading, view

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..model import Artifact
    from ..syntax.shell import Word
    from .script_calls import Call, Reading

PLAIN, CUSTOM, DIRECTORY, TAR = "plain", "custom", "directory", "tar"
TOOLS = {
    "pg_dump": PLAIN, "pg_dumpall": PLAIN, "pg_basebackup": DIRECTORY, "mysqldump": PLAIN, "mariadb-dump": PLAIN,
    "mongodump": DIRECTORY,
}  # fmt: skip
_FORMATS = {"p": PLAIN, "plain": PLAIN, "c": CUSTOM, "custom": CUSTOM, "d": DIRECTORY, "directory": DIRECTORY,
            "t": TAR, "tar": TAR}  # fmt: skip
PACKERS = {"gzip": ".gz", "pigz": ".gz", "bzip2": ".bz2", "pbzip2": ".bz2", "xz": ".xz", "zstd": ".zst", "lz4": ".lz4",
           "lzop": ".lzo"}  # fmt: skip
_CIPHERS = {"gpg": ".gpg", "gpg2": ".gpg", "age": ".age", "rage": ".age", "openssl": ".enc", "ccrypt": ".cpt"}
_REMOTE = re.compile(r"(?:[\w.-]+@)?[\w.*$-]+:(?!//)\S*|rsync://|ssh://|s3:|sftp:|b2:|rest:|azure:|gs:|swift:|rclone:")
_DAYS = re.compile(r"(\d+)\s*(d|days?|w|weeks?|M|months?|y|h|m)?")


# program -> its flags whose next word is their value, of those that carry files away.
_VALUED = {
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


def dumps(artifact: Artifact) -> list[Item]:
    """The dumps of databases. What goes straight into another server is a copy, and a schema alone no backup."""
    found = []
    calls = reading(artifact)
    for call in calls.calls:
        tool = program(call)
        if tool == "sqlite3":
            if not any(".backup" in text or ".dump" in text for text in call.texts):
                continue
        elif tool not in TOOLS or call.flag("--version", "-V", "--help"):
            continue
        after = calls.after(call)
        if any(program(each) in ("psql", "pg_restore", "mysql", "mariadb", "mongorestore") for each in after):
            continue
        if tool == "pg_dump" and call.flag("-s", "--schema-only"):
            continue
        found.append(_dump(calls, call, tool, after))
    return found


def _dump(calls: Reading, call: Call, tool: str, after: list[Call]) -> Item:
    form: str = TOOLS.get(tool, CUSTOM)
    if tool in ("pg_dump", "pg_basebackup"):
        told = call.option("-F", "--format")
        if told is not None:
            value = call.value(told)
            form = _FORMATS.get(value.text.lower(), "") if value.known else ""
    packed = [PACKERS[program(each)] for each in after if program(each) in PACKERS and not _unpacks(each)]
    level = call.text(call.option("-Z", "--compress"))
    if tool == "mongodump" and call.flag("--gzip"):
        packed.append(".gz")
    if form == PLAIN and tool == "pg_dump" and level and level not in ("0", "none"):
        packed.append(".gz" if level.isdigit() or level.startswith("gzip") else "." + level.partition(":")[0])
    built_in = form in (CUSTOM, DIRECTORY) and tool == "pg_dump" and level not in ("0", "none")
    word, owner = _target(call, after)
    text = owner.text(word) if word is not None else ""
    database = call.option("-d", "--dbname")
    if database is None:
        words = call.plain(
            *"""-U -h -p -f -F -t -n -N -T -j -Z -E -S --username --host --port --file --format -u -P --user""".split()
        )
        database = words[0] if words else None
    facts: dict[str, Any] = {
        "call": call,
        "tool": tool,
        "format": form,
        "compressed": bool(packed) or built_in,
        "built_in": built_in,
        "packed": packed,
        "encrypted": any(ciphers(each) for each in after),
        "path": text,
        "file": owner.node(word) if word is not None else ABSENT,
        "value": owner.value(word) if word is not None else None,
        "database": call.node(database) if database is not None else ABSENT,
        "globals": tool == "pg_dumpall",
        "contained": call.contained,
        "remote": call.remote,
        "leaves": any(_upload(calls, each) is not None for each in after),
    }
    return Item(call.place, facts)


def _target(call: Call, after: list[Call]) -> tuple[Word | None, Call]:
    """The word that names the file a dump goes into, and the call that says it."""
    word = call.option("-f", "--file", "-r", "--result-file", "-o", "--out", "--archive", "-D", "--pgdata")
    if word is not None:
        return word, call
    if not after:
        return call.output, call
    for each in reversed(after):
        if each.output is not None:
            return each.output, each
    last = after[-1]
    if program(last) == "tee" and last.plain():
        return last.plain()[0], last
    if program(last) in _CIPHERS or program(last) in PACKERS:
        return last.option("-o", "--output", "-out"), last
    return None, call


def _unpacks(call: Call) -> bool:
    return call.flag("-d", "--decompress", "--uncompress", "-t", "--test", "-l", "--list") is not None


def ciphers(call: Call) -> bool:
    """Whether a call encrypts what it is given."""
    name = program(call)
    if name in ("gpg", "gpg2"):
        return call.flag("-c", "-e", "--symmetric", "--encrypt", "-r", "--recipient") is not None and not call.flag(
            "--decrypt"
        )
    if name in ("age", "rage"):
        return call.flag("-d", "--decrypt") is None
    if name == "openssl":
        return call.texts[:1] in (["enc"], ["smime"], ["cms"]) and call.flag("-d") is None
    if name in ("zip", "7z", "7za"):
        return any(text.startswith(("-e", "-P", "-p")) for text in call.texts)
    return name in ("ccrypt", "sops", "mcrypt", "gocryptfs")


def archives(artifact: Artifact) -> list[Item]:
    """Files that are packed or copied to be kept."""
    found = []
    for call in reading(artifact).calls:
        made = _archive(call)
        if made is not None:
            found.append(made)
    return found


def _archive(call: Call) -> Item | None:
    tool = program(call)
    packed: list[str] = []
    file: Word | None = None
    sources: list[Word] = []
    if tool == "tar":
        flags = call.args[0].text if call.args else ""
        letters = flags.lstrip("-") if not flags.startswith("--") else ""
        if "c" not in letters and not call.flag("--create"):
            return None
        short = {"z": ".gz", "j": ".bz2", "J": ".xz"}
        packed = [ending for letter, ending in short.items() if letter in letters]
        for flag, ending in (("--gzip", ".gz"), ("--bzip2", ".bz2"), ("--xz", ".xz"), ("--zstd", ".zst")):
            if call.flag(flag):
                packed.append(ending)
        if "a" in letters or "I" in letters or call.flag("-a", "-I", "--auto-compress", "--use-compress-program"):
            packed.append("")  # told by the name or by another program
        file = call.option("-f", "--file")
        if file is None and "f" in letters and len(call.args) > 1:
            file = call.args[1]
        words = call.plain("-C", "--directory", "--exclude", "-X", "-T", "-f", "--file", "-I")
        sources = [word for word in words if word is not file and word.text != flags]
    elif tool == "rsync":
        words = call.plain(*_VALUED["rsync"])
        if len(words) < 2:
            return None
        file, sources = words[-1], words[:-1]
    elif tool in ("zip", "7z"):
        words = call.plain("-P", "-x")
        if tool == "7z":
            words = words[1:] if words and words[0].text == "a" else []
        if len(words) < 2:
            return None
        file, sources, packed = words[0], words[1:], [".zip"]
    else:
        return None
    facts: dict[str, Any] = {
        "call": call,
        "tool": tool,
        "packed": packed,
        "path": call.text(file),
        "file": call.node(file) if file is not None else ABSENT,
        "value": call.value(file) if file is not None else None,
        "sources": [call.node(word) for word in sources],
    }
    return Item(call.place, facts)


# -- what leaves


def uploads(artifact: Artifact) -> list[Item]:
    """What leaves the machine."""
    calls = reading(artifact)
    found = []
    for call in calls.calls:
        made = _upload(calls, call)
        if made is not None:
            found.append(made)
    return found


def _upload(calls: Reading, call: Call) -> Item | None:
    tool = program(call)
    words = call.plain(*_VALUED.get(tool, ()))
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
        source, target = _named_upload(tool, texts, words)
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


def _named_upload(tool: str, texts: list[str], words: list[Word]) -> tuple[Word | None, Word | None]:
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


# -- what is checked


def checked(artifact: Artifact) -> bool:
    """Whether a script looks at what it has made: reads the archive, sums it, asks its size, restores it somewhere."""
    calls = reading(artifact)
    for call in calls.calls:
        name, texts = program(call), call.texts
        if name == "pg_restore" or name in (
            "sha256sum",
            "shasum",
            "md5sum",
            "sha512sum",
            "sha1sum",
            "cksum",
            "b3sum",
            "b2sum",
        ):
            return True
        if name in (*PACKERS, "gunzip", "unzip", "unzstd") and call.flag("-t", "--test"):
            return True
        if name == "tar" and texts and re.fullmatch(r"-?[a-zA-Z]*t[a-zA-Z]*|--list|--compare|--verify", texts[0]):
            return True
        if name in ("restic", "borg") and texts[:1] and texts[0] in ("check", "verify", "extract"):
            return True
        if name in ("pg_verifybackup", "mongorestore", "cmp", "zcat") or (name == "openssl" and texts[:1] == ["dgst"]):
            return True
        if name == "test" and "-s" in texts or re.match(r"\[.*\s-s\s", call.head.text):
            return True
        if name in ("stat", "wc") and call.command.within:
            return True
    return bool(view(artifact, "restores"))
