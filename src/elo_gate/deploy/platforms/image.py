"""Turns an artifact of one file into the reference of an image, which names it by its digest."""

from __future__ import annotations

import os
import re

from ..platform import Lost

_REFERENCE = re.compile(r"[a-z0-9][a-zA-Z0-9._:/-]{0,300}@sha256:[0-9a-f]{64}")


def reference(what: str, snapshot: str, name: str) -> str:
    """The one line of the file `name` of a snapshot. Raises Lost: no such file, or a reference without a digest."""
    try:
        with open(os.path.join(snapshot, name), encoding="utf-8") as file:
            said = file.read(1_000).removesuffix("\n")
    except (OSError, UnicodeDecodeError):
        raise Lost(f"{what}: the artifact has no file `{name}` with the reference of an image") from None
    if not _REFERENCE.fullmatch(said):
        raise Lost(f"{what}: `{name}` is not one line HOST/IMAGE@sha256:DIGEST; a tag may name another image tomorrow")
    return said
