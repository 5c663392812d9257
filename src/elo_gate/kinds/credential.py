"""Turns a name and a value of a Kubernetes manifest into the answer: is a real credential written here?

A value under a secret's name counts unless it is a stand-in, a flag, or a reference to the place where the secret
really lives (a path, an address of a vault, another variable).
"""

from __future__ import annotations

import re

from ..redact.names import placeholder, secret_name, well_known_pair

__all__ = ["literal", "secret_name", "stand_in", "url_password"]

_FLAGS = frozenset(("true", "false", "yes", "no", "on", "off", "none", "null", "nil", "undefined"))
_ELSEWHERE = ("<", "$", "{{", "%", "enc[", "arn:", "vault:", "op://", "ref+", "projects/", "awssm", "ssm:", "keyvault:")
_PATH = re.compile(r"(?:/|\./|~/)?[a-z][a-z_.-]*(?:/[a-z_.-]+)+")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^\s/:@]*):([^\s@/]+)@")


def literal(name: str, value: str) -> bool:
    """Whether a name and its literal value are a credential in plain sight."""
    upper = name.upper()
    if secret_name(name) and "PUBLIC" not in upper and "PUBLISHABLE" not in upper:
        return not stand_in(value, name)
    return url_password(value) is not None


def stand_in(value: str, name: str = "") -> bool:
    """Whether a value is no secret: empty, a stand-in, a flag, or the place where the secret lives."""
    text = value.strip()
    lower = text.lower()
    if text.isupper() and "_" in text and text.replace("_", "").isalpha():  # `GOOGLE_API_KEY_VAL`, for sed to fill in
        return True
    if len(text) < 3 or lower in _FLAGS or lower.startswith(_ELSEWHERE) or placeholder(text, name):
        return True
    if "://" in text:
        return url_password(text) is None
    return _PATH.fullmatch(text) is not None


def url_password(value: str) -> tuple[int, int] | None:
    """Where in a text the password of a URL stands; None when there is none or only a stand-in."""
    if "://" not in value or "@" not in value:
        return None
    match = _URL.search(value[:4096])
    if match is None or match[2].startswith(("$", "<", "{", "%", "*")):
        return None
    if well_known_pair(match[1].lower(), match[2].lower()) or placeholder(match[2], "PASSWORD"):
        return None
    return match.span(2)
