"""Turns the calls of a script into what it saves: databases that are dumped, files that are packed, what is checked.

Facts of the tools: postgresql.org/docs/18 app-pgdump, app-pg-dumpall; dev.mysql.com mysqldump; AWS CLI s3 cp; rclone
commands; restic forget; find(1) (looked up 2026-11-25).
"""

from __future__ import annotations

import re

from ..model import ABSENT, Item
from .script import program, reading, view
from .script_copies import VALUED, upload

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
        "leaves": any(upload(calls, each) is not None for each in after),
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
        words = call.plain(*VALUED["rsync"])
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
