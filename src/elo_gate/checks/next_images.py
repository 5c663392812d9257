"""Answers whether Next.js's image optimizer serves strangers, and whether its settings do what they look like."""

from __future__ import annotations

from ..kinds import next as config
from ..model import SCALAR, SEQ, UNKNOWN, Fault, Item, Node, Undecided
from ..syntax.javascript import alternatives, lookup
from .next import told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

    Answers = Iterator[Fault | Undecided]


def any_host(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a remote pattern that any host, or any host of a top-level domain, matches."""
    if it.facts["optimizer"] is False:
        return
    host = it.facts["hostname"]
    answer = told(host, _matches_anything) if host else False
    if answer and it.facts["optimizer"] is None:
        yield Undecided("whether the optimizer is served is not known", host)
    elif answer:
        yield Fault(host, hostname=str(next(iter(alternatives(host))).value))
    elif answer is None:
        yield Undecided("the host is not known", host)


def _matches_anything(text: str) -> bool:
    """`**`, `*`, `**.com`: what is left without wildcards has no domain of anyone's own."""
    rest = [part for part in text.split(".") if part not in ("*", "**", "")]
    return ("*" in text) and len(rest) < 2 and all("*" not in part for part in rest) or text == "**"


def domains(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for the list of hosts that remote patterns replace."""
    node = lookup(it.node, "domains")
    hosts = [str(each.value) for each in config.entries(node) if each.kind is SCALAR and not each.is_null()]
    if hosts:
        yield Fault(config.key(file, "images.domains"), hosts=", ".join(hosts), first=hosts[0])
    elif node.kind is UNKNOWN and it.node.key("domains"):
        yield Undecided("the list is not known", node)


def dangerous(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for SVG that is passed on, and for fetches from the internal network."""
    if it.facts["optimizer"] is False:
        return
    for name in ("dangerouslyAllowSVG", "dangerouslyAllowLocalIP"):
        node = lookup(it.node, name)
        answer = told(node, lambda text: text == "true") if node else False
        key = config.key(file, f"images.{name}")
        if answer is None:
            yield Undecided(f"'{name}' is not known", node)
        elif answer and name == "dangerouslyAllowLocalIP":
            yield Fault(key, message="local", severity="warning", option=name)
        elif answer:
            yield from _svg(it.node, key, name)


def _svg(images: Node, key: Node, name: str) -> Answers:
    policy, disposition = lookup(images, "contentSecurityPolicy"), lookup(images, "contentDispositionType")
    if policy.kind is UNKNOWN or disposition.kind is UNKNOWN:
        yield Undecided("the policy for images is not known", policy if policy.kind is UNKNOWN else disposition)
        return
    text = policy.text()
    if text is not None and "sandbox" not in text and "script-src 'none'" not in text:
        yield Fault(key, [(policy, "the policy")], message="open", option=name)
    elif disposition.text() == "inline":
        yield Fault(key, [(disposition, "shown in the browser")], message="inline", severity="warning", option=name)
    elif text is None or disposition.text() is None:
        yield Fault(key, severity="warning", option=name)


def unreachable_format(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for AVIF behind WebP: the first format a browser takes is served, and all of them take WebP."""
    node = lookup(it.node, "formats")
    if it.facts["optimizer"] is False or node.kind is not SEQ:
        return
    names = [each.value if each.kind is SCALAR else None for each in node.value]
    if None in names:
        yield Undecided("the formats are not known", node)
    elif "image/webp" in names and "image/avif" in names[names.index("image/webp") :]:
        yield Fault(node.value[names.index("image/avif")], format="image/avif")
