"""Turns a copy of `.vercel/output` into the tree that the Vercel CLI wants to see, and into the list it has to send.

The layout of the folder: "Build Output API", https://vercel.com/docs/build-output-api, 2026-11-25.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil

from ...platform import Lost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

OUTPUT = ".vercel/output"
# What one file is on its way: the SHA-1 that Vercel names it by, and link, program or file.
Sent = tuple[str, str]


def lay_out(snapshot: str, folder: str, settings: str) -> None:
    """Makes `folder` a tree with the snapshot as its build output, and the vercel.json `settings` if there is one.

    The CLI takes a linked `.vercel/output` for one file, so it is a copy. Everybody may read that copy's files, for
    their modes travel, and a function runs as another user than the one it was packed by. Raises Lost.
    """
    clear_out(folder)
    try:
        shutil.copytree(snapshot, os.path.join(folder, OUTPUT), symlinks=True, copy_function=_copy)
        if os.path.isfile(settings):
            shutil.copyfile(settings, os.path.join(folder, "vercel.json"))
    except (OSError, shutil.Error) as error:
        raise Lost(f"the build output cannot be copied ({getattr(error, 'strerror', None) or 'files'})") from None


def clear_out(folder: str) -> None:
    """Leaves an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder, mode=0o700, exist_ok=True)


def _copy(source: str, target: str) -> str:
    shutil.copyfile(source, target)
    os.chmod(target, 0o755 if os.stat(source).st_mode & 0o100 else 0o644)
    return target


def faults(artifact: str, snapshot: str) -> list[str]:
    """Why a folder is no build output that can be sent."""
    if artifact != OUTPUT and not artifact.endswith("/" + OUTPUT):
        return [f'artifact = "{artifact}": only "{OUTPUT}" is sent; `vercel build --prod` makes it']
    try:
        with open(os.path.join(snapshot, "config.json"), "rb") as file:
            version = json.loads(file.read()).get("version")
    except (OSError, ValueError, AttributeError, RecursionError):
        return [f"{artifact}/config.json: missing or no JSON; `vercel build --prod` makes it"]
    if version != 3:
        return [f"{artifact}/config.json: not version 3 of the Build Output API"]
    return [
        f"{artifact}/{path} needs {needs}, which lies outside of the output and is not judged; "
        "`vercel build --prod --standalone` packs what functions need"
        for path, needs in _outside(snapshot)
    ][:1]


def _outside(snapshot: str) -> Iterator[tuple[str, str]]:
    """(a function's configuration, a file that it takes from outside of the output) of what the CLI would add."""
    for here, _, files in os.walk(snapshot):
        if ".vc-config.json" not in files or os.path.islink(os.path.join(here, ".vc-config.json")):
            continue
        path = os.path.relpath(os.path.join(here, ".vc-config.json"), snapshot).replace(os.sep, "/")
        try:
            with open(os.path.join(snapshot, path), "rb") as file:
                found = json.loads(file.read()).get("filePathMap") or {}
            needed = sorted(str(each) for each in found.values())
        except (OSError, ValueError, AttributeError, RecursionError):
            yield path, "what cannot be read in it"
            continue
        for each in needed:
            if not os.path.normpath(each).startswith(OUTPUT + "/"):
                yield path, each


def manifest(snapshot: str) -> dict[str, Sent]:
    """What has to be sent for a snapshot: path -> (SHA-1, what it is)."""
    made = {}
    for here, folders, files in os.walk(snapshot):
        for name in [*files, *(each for each in folders if os.path.islink(os.path.join(here, each)))]:
            path = os.path.join(here, name)
            made[OUTPUT + "/" + os.path.relpath(path, snapshot).replace(os.sep, "/")] = _sent(path)
    return made


def _sent(path: str) -> Sent:
    if os.path.islink(path):
        return _sha1(os.fsencode(os.readlink(path))), "link"
    made = hashlib.sha1(usedforsecurity=False)
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            made.update(piece)
    return made.hexdigest(), "program" if os.stat(path).st_mode & 0o100 else "file"


def _sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def listed(answer: dict[str, Any]) -> dict[str, Sent]:
    """What `vercel deploy --dry --json` says it would send. Raises Lost."""
    made = {}
    try:
        for each in answer["files"]:
            mode = int(each["mode"])
            kind = "link" if mode & 0o170000 == 0o120000 else "program" if mode & 0o100 else "file"
            made[str(each["path"])] = (str(each["sha"]), kind)
    except (KeyError, TypeError, ValueError):
        raise Lost("deploy --dry: its list of files cannot be read") from None
    return made


def difference(wanted: dict[str, Sent], found: dict[str, Sent]) -> str:
    """The first difference between what has to be sent and what would be, in words; empty where there is none."""
    for path in sorted(set(wanted) | set(found)):
        if path not in found:
            return f"{path}: the CLI would not send it"
        if path not in wanted:
            return f"{path}: the CLI would send it, and the gate has not judged it"
        if wanted[path] != found[path]:
            return f"{path}: the CLI would send other bytes or another mode than the gate has judged"
    return ""
