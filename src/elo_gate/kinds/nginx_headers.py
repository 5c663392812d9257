"""Turns the `add_header` lines that hold in a server or location into the headers of its responses.

Sources, looked up 2026-11-25: nginx.org/en/docs/http/ngx_http_headers_module.html (inheritance, `always`,
`add_header_inherit` since 1.29.3) and github.com/openresty/headers-more-nginx-module (`more_set_headers`).
"""

from __future__ import annotations

from ..model import CHOICE, UNKNOWN, Item, Node
from .nginx_scopes import Scope, literal, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..syntax.nginx import Directive

PRESENT = "present"
ABSENT = "absent"
UNSURE = "unknown"


class Headers:
    """`set`: the headers sent (Items: name, key, value, always, state); `lost`: the outer ones that are not;
    `open`: whether something that cannot be read may set more."""

    __slots__ = ("set", "lost", "open")

    def __init__(self, found: list[Item], lost: list[Item], more: bool) -> None:
        self.set = found
        self.lost = lost
        self.open = more

    def state(self, name: str) -> str:
        """ "present", "absent" or "unknown" for a header by its lower-case name."""
        states = {each.facts["state"] for each in self.set if each.facts["name"] == name}
        if PRESENT in states:
            return PRESENT
        return UNSURE if states or self.open else ABSENT


def effective(scope: Scope) -> Headers:
    """The headers that responses of a scope get from nginx."""
    outer = effective(scope.parent) if scope.parent is not None and scope.kind != "main" else Headers([], [], False)
    own = [item for each in scope.own("add_header") if (item := _item(each, scope)) is not None]
    more = [item for each in scope.own("more_set_headers") for item in _more(each, scope)]
    rule = scope.find("add_header_inherit")
    mode = rule.text() if rule is not None else "on"
    sent = [each for each in outer.set if each.facts["directive"] == "add_header"]
    extra = [each for each in outer.set if each.facts["directive"] != "add_header"]
    lost: list[Item] = []
    if not scope.own("add_header") and mode != "off" or mode == "merge":
        own = [*sent, *own]
        lost = list(outer.lost) if not scope.own("add_header") else []
    elif mode == "on":
        names = {each.facts["name"] for each in own}
        lost = [each for each in sent if each.facts["name"] not in names]
    unclear = mode not in ("on", "off", "merge")
    return Headers([*own, *extra, *more], lost, scope.unsure() or unclear)


def _item(directive: Directive, scope: Scope) -> Item | None:
    """The header that one `add_header` sends; None for an empty value, which sends none."""
    if len(directive.words) < 2 or not directive.text(1):
        return None
    key = directive.words[0]
    known = value(directive.words[1], scope)
    always = len(directive.words) > 2 and directive.text(2) == "always"
    state = _state(known)
    if "$" in str(key.value):
        state = UNSURE
    return _made(directive, key, known, always, state)


def _made(directive: Directive, key: Node, known: Node, always: bool, state: str) -> Item:
    facts = {
        "name": str(key.value).partition(":")[0].strip().lower(), "key": key, "value": known, "always": always,
        "state": state, "directive": directive.key, "origin": directive.name,
    }  # fmt: skip
    return Item(known, facts, key)


def _state(known: Node) -> str:
    """An empty value sends no header."""
    if known.kind is CHOICE:
        filled = [bool(str(each.value)) for each in known.value]
        return PRESENT if all(filled) else UNSURE if any(filled) else ABSENT
    if known.kind is UNKNOWN:
        return PRESENT if literal(str(known.value)).strip() else UNSURE
    return PRESENT if str(known.value) else ABSENT


def _more(directive: Directive, scope: Scope) -> list[Item]:
    """`more_set_headers "Name: value" ...`; options begin with `-` and take the next word, they limit it to some."""
    words = directive.words
    limited = any(str(word.value).startswith("-") for word in words)
    found = []
    for word in words:
        name, colon, text = str(word.value).partition(":")
        if colon and text.strip() and not name.startswith("-"):
            node = Node(word.kind, text.strip(), word.source, word.start, word.end, word.style)
            state = UNSURE if limited else _state(value(node, scope))
            found.append(_made(directive, word, value(node, scope), not limited, state))
    return found
