"""Answers whether a Kubernetes manifest holds a credential that anyone who reads the repository can use."""

from __future__ import annotations

from ..kinds import k8s
from ..model import SCALAR, Fault, Item, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..model import Artifact


# A name or value without any of these is no credential: most files are done with this test alone.
_HINTS = ("pass", "pwd", "secret", "senha", "token", "key", "cred", "auth", "salt", "pepper", "psk", "://")


def literals(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault a container, ConfigMap or generator whose literal values are credentials."""
    for container in k8s.view(file, "containers"):
        entries = [(entry.get("name"), entry.get("value")) for entry in container.node.get("env").elements()]
        yield from _found(entries, f"container {container.facts['name']}")
    for config in k8s.view(file, "configs"):
        yield from _found(config.node.get("data").items(), f"ConfigMap {config.facts['name']}")
    for item in k8s.view(file, "kustomizations"):
        for field in ("configMapGenerator", "secretGenerator"):
            for entry in item.node.get(field).elements():
                pairs = _generated(entry, field)
                if pairs:
                    yield _fault(pairs, f"{field} {entry.get('name').text()}")


def _found(entries: Sequence[tuple[Node, Node]], where: str) -> Iterator[Fault]:
    pairs = []
    for name, value in entries:
        if name.kind is SCALAR and value.kind is SCALAR and value.value and "\n" not in value.value:
            hay = name.value.lower() + " " + value.value
            if any(hint in hay for hint in _HINTS) and _literal(name.value, value.value):
                pairs.append((name.value, name))
    if pairs:
        yield _fault(pairs, where)


def _literal(name: str, value: str) -> bool:
    from ..kinds.credential import literal

    return literal(name, value)


def _fault(pairs: list[tuple[str, Node]], where: str) -> Fault:
    related = [(node, "and here") for _, node in pairs[1:]]
    return Fault(pairs[0][1], related=related, names=[name for name, _ in pairs], where=where)


def _generated(entry: Node, field: str) -> list[tuple[str, Node]]:
    pairs = []
    for node in entry.get("literals").elements():
        name, equals, value = (node.text() or "").partition("=")
        value = value.strip("\"'")
        if equals and (_literal(name, value) or (field == "secretGenerator" and _real(name, value))):
            pairs.append((name, node))
    return pairs


def committed(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault a Secret whose data is real; encrypted, empty and stand-in values are let be."""
    if it.node.get("sops") or it.node.get("type").text() in params["types"]:
        return
    names = []
    places: list[Node] = []
    for field in ("stringData", "data"):
        for key, value in it.node.get(field).items():
            if value.kind is not SCALAR or value.is_null() or key.value in params["public"]:
                continue
            text = value.value if field == "stringData" else _decoded(value.value)
            if text is not None and _real(key.value, text):
                names.append(key.value)
                places.append(key)
    if names:
        related = [(place, "and here") for place in places[1:]]
        yield Fault(places[0], related=related, names=names, name=it.facts["name"])


def _real(name: str, text: str) -> bool:
    """Whether a Secret's value is one: what is plainly public (a name, a host, a URL without password) is not."""
    from ..kinds.credential import secret_name, stand_in, url_password
    from ..redact.randomness import runs

    if "PRIVATE KEY-----" in text:
        return "..." not in text
    if stand_in(text, name):
        return False
    if secret_name(name) or url_password(text) is not None:
        return True
    if "://" in text or "\n" in text or len(text) < 16 or " " in text:
        return False
    # Under an ordinary name, what looks random.
    return next(runs(text), None) is not None


def _decoded(text: str) -> str | None:
    """The text behind base64; None when it is none, or bytes."""
    import binascii

    try:
        return binascii.a2b_base64("".join(text.split()).encode("ascii"), strict_mode=True).decode("utf-8")
    except (ValueError, binascii.Error):
        return None
