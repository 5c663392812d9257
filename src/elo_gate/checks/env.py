"""Turns a variable's value into what is weak about it: left as a placeholder, short, predictable, used twice.

A value that is a placeholder has one finding, the placeholder; the checks of strength leave it alone.
"""

from __future__ import annotations

import re

from ..kinds.env import vars_of
from ..model import SCALAR, UNKNOWN, Artifact, Fault, Item, Undecided
from ..redact import entropy, placeholder, runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_URL = re.compile(r"[a-z][a-z0-9+.-]*://([^\s/:@]*):([^\s]*)@", re.IGNORECASE)
_PASSWORD_NAME = re.compile(r"(?:PASSWORD|PASSWD|PASS|PWD|PASSPHRASE|SENHA)$", re.IGNORECASE)
_TAIL = re.compile(r"[0-9!@#$%&*_.\-]*$")
_HEX = re.compile("[0-9a-f]+", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_ALPHABETS = ("[a-z]", "[A-Z]", "[0-9]", r"[^a-zA-Z0-9]")


def stand_in(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault when a value is a placeholder; for a key of a fixed size also says how far it is off."""
    value = it.facts["value"]
    if value.kind is UNKNOWN:
        yield Undecided("the value refers to a variable that this file does not set", it)
        return
    part = it.facts["stand_in"]
    if not part:
        return
    name = it.facts["name"]
    if re.search(params["keys"], name) and "://" not in value.value:
        size = len(value.value.encode())
        if size != params["bytes"]:
            yield Fault(it, message="key", name=name, part=part, size=size, bytes=params["bytes"])
            return
    yield Fault(it, name=name, part=part)


def weak_password(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a password that everybody tries first, in a variable of its own or in a URL."""
    value = it.facts["value"]
    if value.kind is not SCALAR or it.facts["stand_in"]:
        return
    match = _URL.match(value.value)
    if match:
        user, password = match[1], match[2]
        if _first_tried(password, user, params["words"]):
            yield Fault(it, message="url", name=it.facts["name"], user=user)
    elif it.facts["secret"] and _PASSWORD_NAME.search(it.facts["name"]):
        user = re.sub(r"_?(?:PASSWORD|PASSWD|PASS|PWD)$", "", it.facts["name"], flags=re.IGNORECASE)
        beside = [i.facts["value"] for i in vars_of(file) if i.facts["name"] == user + "_USER"]
        known = beside[0].value if beside and beside[0].kind is SCALAR else ""
        if _first_tried(value.value, known, params["words"]):
            yield Fault(it, name=it.facts["name"])


def _first_tried(password: str, user: str, words: list[str]) -> bool:
    """Whether a password is the user's name, a known word, or such words with digits behind."""
    text = password.lower()
    if not text or text.startswith(("$", "{", "%", "<")) or placeholder(password, "A_PASSWORD"):
        return False
    if len(text) > 24 or any(runs(password)):
        return False
    parts = [part for part in re.split(r"[^a-z]+", text) if part]
    if not parts:
        return text.isdigit() and len(text) < 12
    own = {part for part in re.split(r"[^a-z]+", user.lower()) if part}
    return all(part in words or part in own for part in parts)


def short(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a secret that signs or encrypts and has fewer bytes than the digest it feeds."""
    value = it.facts["value"]
    if not re.search(params["names"], it.facts["name"]) or it.facts["stand_in"] or it.facts["browser"]:
        return
    if value.kind is UNKNOWN:
        raise Undecided("the value refers to a variable that this file does not set", it)
    size = len(value.value.encode("utf-8", "surrogatepass"))
    if 0 < size < params["bytes"]:
        yield Fault(it, name=it.facts["name"], size=size, bytes=params["bytes"])


def predictable(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a signing secret that is long enough but written by a person."""
    value = it.facts["value"]
    if not re.search(params["names"], it.facts["name"]) or it.facts["stand_in"] or it.facts["browser"]:
        return
    if value.kind is UNKNOWN:
        raise Undecided("the value refers to a variable that this file does not set", it)
    text = value.value
    if len(text) >= params["bytes"] and not _generated(text, params["bits"]):
        yield Fault(it, name=it.facts["name"])


def _generated(text: str, bits: float) -> bool:
    """Whether a text may come from a generator. Hexadecimal has four bits a character at most."""
    if entropy(text) < (bits - 0.5 if _HEX.fullmatch(text) and not text.isdigit() else bits):
        return False
    if any(runs(text)):
        return True
    words = re.findall("[A-Za-z]+", text)
    kinds = sum(bool(re.search(alphabet, text)) for alphabet in _ALPHABETS)
    return kinds > 2 and sum(map(len, words)) < 3.5 * max(1, len(words))


def key_length(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when an encryption key is not 32 bytes as text, hexadecimal or base64.

    Shorter is refused by every AES-256 implementation; longer may be hashed down first: a warning.
    """
    value = it.facts["value"]
    if not re.search(params["names"], it.facts["name"]) or it.facts["stand_in"] or it.facts["browser"]:
        return
    if value.kind is UNKNOWN:
        raise Undecided("the value refers to a variable that this file does not set", it)
    text = value.value.removeprefix("base64:").removeprefix("hex:")
    size = len(text.encode("utf-8", "surrogatepass"))
    wanted = params["bytes"]
    if size in (0, wanted) or (_HEX.fullmatch(text) and size == 2 * wanted):
        return
    if _BASE64.fullmatch(text) and len(text.rstrip("=")) == -(-wanted * 4 // 3):
        return
    longer = size > wanted
    severity = "warning" if longer else None
    yield Fault(it, severity=severity, name=it.facts["name"], size=size, bytes=wanted)


def reused(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault at each further name that holds the same signing or encryption secret."""
    first: dict[str, Item] = {}
    for item in _production_variables(file):
        value = item.facts["value"]
        if value.kind is not SCALAR or len(value.value) < 8 or item.facts["stand_in"]:
            continue
        name = item.facts["name"]
        if not re.search(params["names"], name):
            continue
        earlier = first.setdefault(value.value, item)
        if earlier is item or _same_purpose(earlier.facts["name"], name):
            continue
        if value.source is file.source:
            words = f"{earlier.facts['name']} has it, too"
            yield Fault(item, related=[(earlier, words)], name=name, other=earlier.facts["name"])


def _production_variables(file: Artifact) -> Iterator[Item]:
    """The variables of every judged env file, in the order of paths."""
    for artifact in file.project.artifacts("env"):
        if artifact.state == "judged":
            yield from vars_of(artifact)


def _same_purpose(one: str, other: str) -> bool:
    """Whether two names mean one secret: aliases (NEXTAUTH_SECRET, AUTH_SECRET), or one name inside the other."""
    plain = [
        name.replace("NEXTAUTH", "AUTH").replace("BETTER_AUTH", "AUTH").replace("_KEY", "") for name in (one, other)
    ]
    return plain[0].endswith(plain[1]) or plain[1].endswith(plain[0])


def certificate_check(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a variable that turns the check of certificates off for the whole process."""
    value = it.facts["value"]
    wrong = params["switches"].get(it.facts["name"])
    if wrong is not None and value.kind is SCALAR and value.value.strip().lower() == str(wrong).lower():
        yield Fault(it, name=it.facts["name"], value=value.value)
