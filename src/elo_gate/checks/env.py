"""Turns a variable's value into what is weak about it: left as a placeholder, short, predictable, used twice.

A value that is a placeholder has one finding, the placeholder; the checks of strength leave it alone.
"""

from __future__ import annotations

import re

from ..kinds.env import tracked_on_purpose, vars_of
from ..model import SCALAR, UNKNOWN, Artifact, Fault, Item, Undecided
from ..redact import entropy, runs, weak_password

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_URL = re.compile(r"[a-z][a-z0-9+.-]*://([^\s/:@]*):([^\s]*)@", re.IGNORECASE)
_PASSWORD_NAME = re.compile(r"(?:PASSWORD|PASSWD|PASS|PWD|PASSPHRASE|SENHA)$", re.IGNORECASE)
_HEX = re.compile("[0-9a-f]+", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_ALPHABETS = ("[a-z]", "[A-Z]", "[0-9]", r"[^a-zA-Z0-9]")


def stand_in(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault when a value is a placeholder; for a key of a fixed size also says how far it is off.

    A file that an ignore file takes in by name is kept as a template: there they are one warning.
    """
    value = it.facts["value"]
    if value.kind is UNKNOWN:
        yield Undecided("the value refers to a variable that this file does not set", it)
        return
    part = it.facts["stand_in"]
    if not part:
        return
    name = it.facts["name"]
    if tracked_on_purpose(file):
        all_of_them = [item for item in vars_of(file) if item.facts["stand_in"]]
        if all_of_them[0].facts["name"] == name:
            related = [(other, f"{other.facts['name']} as well") for other in all_of_them[1:]]
            names = [item.facts["name"] for item in all_of_them]
            yield Fault(it, related=related, message="template", severity="warning", name=name, names=names)
        return
    size = len(value.value.encode("utf-8", "surrogatepass"))
    if size != params["bytes"] and re.search(params["keys"], name) and "://" not in value.value:
        yield Fault(it, message="key", name=name, part=part, size=size, bytes=params["bytes"])
    else:
        yield Fault(it, name=name, part=part)


def guessable(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault for each password that everybody tries first; further places of the same one are related."""
    found: dict[tuple[str, str], list[tuple[Item, bool]]] = {}
    for item in vars_of(file):
        value = item.facts["value"]
        if value.kind is not SCALAR or item.facts["stand_in"]:
            continue
        match = _URL.match(value.value)
        if match:
            user, password = match[1], match[2]
        elif item.facts["secret"] and (name := _PASSWORD_NAME.search(item.facts["name"])):
            beside = file.root.get(item.facts["name"][: name.start()] + "USER").text()
            user, password = beside or "", value.value
        else:
            continue
        if weak_password(password, user):
            found.setdefault((user, password), []).append((item, match is not None))
    for (user, _), items in found.items():
        (first, url), rest = items[0], items[1:]
        related = [(other, f"{other.facts['name']} has the same one") for other, _ in rest]
        severity = "warning" if tracked_on_purpose(file) else None
        message = "url" if url else "default"
        yield Fault(first, related=related, message=message, severity=severity, name=first.facts["name"], user=user)


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
    facts = file.project.facts
    found = facts.get("reused secrets")
    if found is None:
        found = facts["reused secrets"] = _repeats(file, re.compile(params["names"]))
    for item, earlier in found.get(file.path, ()):
        words = f"{earlier.facts['name']} has it, too"
        yield Fault(item, related=[(earlier, words)], name=item.facts["name"], other=earlier.facts["name"])


def _repeats(file: Artifact, names: re.Pattern[str]) -> dict[str, list[tuple[Item, Item]]]:
    """Path -> (variable, the first one that holds the same secret under a name for something else)."""
    first: dict[str, Item] = {}
    found: dict[str, list[tuple[Item, Item]]] = {}
    for item in _production_variables(file):
        value = item.facts["value"]
        if value.kind is not SCALAR or len(value.value) < 8 or item.facts["stand_in"]:
            continue
        name = item.facts["name"]
        if not names.search(name):
            continue
        earlier = first.setdefault(value.value, item)
        if earlier is not item and not _same_purpose(earlier.facts["name"], name):
            found.setdefault(value.source.path, []).append((item, earlier))
    return found


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
