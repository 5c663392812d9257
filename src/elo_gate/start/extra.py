"""Tells whether the packages that only the editor needs are there."""

from __future__ import annotations

INSTALL = "pip install 'elo-gate[lsp]'"


def missing() -> str:
    """What to install for `elo-gate lsp`, or empty when it is there in a version that is known to work."""
    from importlib import metadata

    try:
        number = metadata.version("pygls")
    except metadata.PackageNotFoundError:
        return f"the editor's server needs pygls, which is not installed: {INSTALL}"
    if number.partition(".")[0] != "2":
        return f"the editor's server needs pygls 2, and {number} is installed: {INSTALL}"
    return ""
