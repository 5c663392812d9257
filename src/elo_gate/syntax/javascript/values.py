"""Turns what JavaScript would compute into nodes that also say "one of these" and "cannot be known".

A map's tag is "open" when entries may exist that were not seen (`...unknown`): what it lacks is unknown.
An alternative that is "nothing" (an element or entry that is there only under a condition) is a null with the tag
"omitted"; what is left of `process.env.X && value` when X is not set is unknown with the tag "falsy". A seq that takes
in an unknown list holds an unknown element with the tag "spread".
"""

from __future__ import annotations

from elo_gate.model import ABSENT, CHOICE, MAP, SCALAR, SEQ, UNKNOWN, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OPEN = "open"
OMITTED = "omitted"
SPREAD = "spread"
FALSY = "falsy"
UNDEFINED = "undefined"
TEMPLATE = "template"  # the tag of an unknown text of which parts are known: `frame-src ${process.env.X}`
FUNCTION = "function"
REGEX = "regex"

MOST_ALTERNATIVES = 16
LONGEST_TEXT = 64_000


def lookup(node: Node, *path: str | int) -> Node:
    """The node down a path; unknown where it could be anything, ABSENT only where it is certainly not there.

    A choice is looked up in each alternative; those without the entry count as an omitted null.
    """
    for step in path:
        if node.kind is MAP:
            entry = node.index.get(step) if node.index is not None else None  # type: ignore[arg-type]
            if entry is not None:
                node = entry[1]
            elif node.tag == OPEN:
                return unknown(str(step), node)
            else:
                return ABSENT
        elif node.kind is CHOICE:
            found = [lookup(alternative, step) for alternative in node.value]
            if not any(found):
                return ABSENT
            node = choice([each or nothing(node, OMITTED) for each in found], node)
        else:
            node = node.get(step)
        if not node:
            return ABSENT
    return node


def held(node: Node, name: str, at: Node) -> list[Node]:
    """What a map may hold under a name: the value, nothing, or both nothing and anything when the map is open."""
    value = node.get(name) if node.kind is MAP else ABSENT
    if value:
        return [value]
    return [nothing(at, OMITTED), unknown(name, at)] if node.tag == OPEN else [nothing(at, OMITTED)]


def alternatives(node: Node) -> Sequence[Node]:
    """What a node can be: the alternatives of a choice, without omitted and falsy ones; else the node itself."""
    if node.kind is CHOICE:
        return [each for each in node.value if each.tag not in (OMITTED, FALSY)]
    return () if node.tag in (OMITTED, FALSY) or not node else (node,)


def certain(node: Node) -> bool:
    """True when the node is one value that is known as a whole (its parts may still be unknown)."""
    return node.kind is not UNKNOWN and node.kind is not CHOICE


def unknown(text: str, at: Node, tag: str | None = None) -> Node:
    """A value that cannot be known, with the words that stand for it."""
    if tag != TEMPLATE and len(text) > 120:
        text = text[:120] + "..."
    return Node(UNKNOWN, text, at.source, at.start, at.end, tag=tag)


def string(text: str, at: Node) -> Node:
    """A computed text at the place of the expression; unknown when it grows beyond all measure."""
    if len(text) > LONGEST_TEXT:
        return unknown("a very long text", at)
    return Node(SCALAR, text, at.source, at.start, at.end, "`")


def plain(word: str, at: Node, tag: str | None = None) -> Node:
    """A number, boolean or null at the place of the expression."""
    return Node(SCALAR, word, at.source, at.start, at.end, tag=tag)


def nothing(at: Node, tag: str = UNDEFINED) -> Node:
    return plain("null", at, tag)


def choice(options: Iterable[Node], at: Node) -> Node:
    """One of several: nested choices are flattened, equal scalars told once, a single option is itself."""
    told: dict[object, Node] = {}
    for option in options:
        for each in option.value if option.kind is CHOICE else (option,):
            scalar = each.kind is SCALAR
            told.setdefault((each.value, bool(each.style), each.tag) if scalar else id(each), each)
    if len(told) == 1:
        return next(iter(told.values()))
    if not told or len(told) > MOST_ALTERNATIVES:
        return unknown("one of many values", at)
    return Node(CHOICE, list(told.values()), at.source, at.start, at.end)


def truth(node: Node) -> bool | None:
    """Whether JavaScript takes the value for true; None when that cannot be known."""
    if node.kind is SCALAR:
        if node.style:
            return bool(node.value)
        return str(node.value) not in ("false", "null", "undefined", "NaN", "0", "-0", "0n")
    if node.kind is CHOICE:
        answers: set[bool | None] = {truth(each) for each in node.value}
        return answers.pop() if len(answers) == 1 else None
    if node.kind is UNKNOWN:
        if node.tag == FALSY:
            return False
        written = node.tag == TEMPLATE and not node.value.startswith("${")
        return True if written or node.tag in (FUNCTION, REGEX) else None
    return bool(node)


def equal(left: Node, right: Node, strict: bool = True) -> bool | None:
    """Whether `left === right`, or `left == right`; None when that cannot be known."""
    if left.kind is CHOICE or right.kind is CHOICE:
        answers: set[bool | None] = {
            equal(a, b, strict)
            for a in (left.value if left.kind is CHOICE else (left,))
            for b in (right.value if right.kind is CHOICE else (right,))
        }
        return answers.pop() if len(answers) == 1 else None
    if left.kind is UNKNOWN or right.kind is UNKNOWN:
        return None
    if left.kind is SCALAR and right.kind is SCALAR:
        if bool(left.style) != bool(right.style):
            return False if strict or left.is_null() or right.is_null() else None
        if left.is_null() and right.is_null():
            return not strict or (left.tag in (UNDEFINED, OMITTED)) == (right.tag in (UNDEFINED, OMITTED))
        if left.style or not (left.number() is not None and right.number() is not None):
            return bool(left.value == right.value)
        return left.number() == right.number()
    return left is right


def put(target: Node, *entries: tuple[Node, Node]) -> None:
    """Sets entries of a map, in place."""
    assert target.index is not None
    before = len(target.index)
    for key, value in entries:
        target.index[key.value] = (key, value)
    if len(target.index) == before + len(entries):
        target.value.extend(entries)
    else:
        target.value[:] = target.index.values()


def open_up(target: Node) -> None:
    """Says of a map or seq that more may be in it than was seen, and that what was seen may have changed."""
    doubt = unknown("a later change", target)
    if target.kind is MAP:
        target.tag = OPEN
        put(target, *[(key, choice([value, doubt], value)) for key, value in target.items()])
    elif target.kind is SEQ:
        target.value[:] = [
            each if each.tag == SPREAD else choice([each, nothing(each, OMITTED)], each) for each in target.value
        ]
        widen(target)


def widen(target: Node) -> None:
    """Says of a list that elements may have been added at either end."""
    more = unknown("a later change", target, SPREAD)
    if not target.value or target.value[0].tag != SPREAD:
        target.value.insert(0, more)
    if target.value[-1].tag != SPREAD:
        target.value.append(more)


def words(node: Node) -> str | None:
    """What a known value becomes inside a text; None when it cannot be known or is no scalar."""
    if node.kind is SCALAR:
        return UNDEFINED if node.tag in (UNDEFINED, OMITTED) else str(node.value)
    return None


def glue(parts: Sequence[Node], at: Node) -> Node:
    """The texts of all parts put together; a choice for parts with alternatives, unknown when one is."""
    texts: list[tuple[str, bool]] = [("", True)]
    for part in parts:
        longer: list[tuple[str, bool]] = []
        for option in part.value if part.kind is CHOICE else (part,):
            word = words(option)
            for text, known in texts:
                if len(text) > LONGEST_TEXT or len(longer) > MOST_ALTERNATIVES:
                    return unknown("a text with too many forms", at)
                if word is not None:
                    longer.append((text + word, known))
                elif option.tag == TEMPLATE:
                    longer.append((text + option.value, False))
                else:
                    longer.append((f"{text}${{{option.value if option.kind is UNKNOWN else '...'}}}", False))
        texts = longer
    return choice([string(text, at) if known else unknown(text, at, TEMPLATE) for text, known in texts], at)
