"""Turns a document and its JSON Schema into violations that know their place and speak in our own words.

The part of JSON Schema (2020-12) that our schemas use: type, enum, minimum, maximum, minLength, maxLength,
pattern, required, properties, additionalProperties, minProperties, maxProperties, items, minItems, maxItems,
anyOf; `title` of a subschema is what a message calls it. tests/test_schemas.py holds this walk against
jsonschema and jsonschema-rs. Why not these at run time: docs/decisions.md.
"""

from __future__ import annotations

from ..model import CHOICE, MAP, SCALAR, SEQ, UNKNOWN, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    Schema = dict[str, Any]

UNKNOWN_KEY = "unknown-key"
MISSING_KEY = "missing-key"
TYPE = "type"
ENUM = "enum"
RANGE = "range"
LENGTH = "length"
PATTERN = "pattern"
COUNT = "count"

MOST = 300

_WORDS = {
    "object": "a map",
    "array": "a list",
    "string": "text in quotes",
    "number": "a number without quotes",
    "integer": "a whole number without quotes",
    "boolean": "true or false without quotes",
    "null": "null",
}


class Violation:
    """One thing the schema does not allow.

    `at`: the key for an unknown key, the key (or the place) of the map for a missing one, else the value.
    `path`: keys and indexes from the root to the map or value; `key`: the key it is about, "" for an element.
    `expected`: what to write, in words; for an unknown key the nearest known one or "".
    """

    __slots__ = ("code", "at", "value", "path", "key", "expected")

    def __init__(self, code: str, at: Node, value: Node, path: tuple[str | int, ...], key: str, expected: str) -> None:
        self.code = code
        self.at = at
        self.value = value
        self.path = path
        self.key = key
        self.expected = expected

    @property
    def where(self) -> str:
        """The path in one word: `functions.api/a.ts.memory`, `crons[0]`."""
        return spell(self.path)


def spell(path: Iterable[str | int]) -> str:
    """A path of keys and indexes as one word."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def violations(node: Node, schema: Schema, place: Node | None = None) -> Iterator[Violation]:
    """Everything in a document that its schema does not allow, in document order.

    What cannot be known is never a violation. `place` stands for the root where a key is missing there. A document
    that is wrong all over is given up after MOST of them.
    """
    for count, found in enumerate(_walk(node, schema, (), place if place is not None else node), 1):
        yield found
        if count == MOST:
            return


def shape(node: Node) -> str:
    """The JSON type of a node: object, array, string, number, boolean, null; "" when it cannot be known or is none."""
    if node.kind is MAP:
        return "object"
    if node.kind is SEQ:
        return "array"
    if node.kind is not SCALAR:
        return ""
    if node.style:
        return "string"
    word = node.value
    if word in ("true", "false"):
        return "boolean"
    if word == "null":
        return "null"
    return "number" if node.number() is not None else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known spelling a word was most likely meant to be, "" when none is near."""
    low = word.lower().replace("_", "").replace("-", "")
    best, distance = "", max(2, len(low) // 4) + 1
    if len(low) > 64:
        return ""
    for candidate in known:
        other = candidate.lower().replace("_", "").replace("-", "")
        if other == low:
            return candidate
        if len(other) > 5 and (low.endswith(other) or other.endswith(low)):
            apart = 1
        elif abs(len(other) - len(low)) >= distance:
            continue
        else:
            apart = _edits(low, other)
        if apart < distance:
            best, distance = candidate, apart
    return best if distance < len(low) else ""


def _edits(first: str, second: str) -> int:
    """How many letters to change, add, drop or swap with the next one (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        older, before, row = before, row, [i]
        for j, other in enumerate(second, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _walk(node: Node, schema: Schema, path: tuple[str | int, ...], place: Node) -> Iterator[Violation]:
    if node.kind is UNKNOWN or node.kind is CHOICE or not node:
        return
    choices = schema.get("anyOf")
    if choices is not None:
        yield from _any_of(node, choices, path, place, schema)
        return
    key = path[-1] if path and isinstance(path[-1], str) else ""
    allowed = schema.get("type")
    found = shape(node)
    if allowed is not None and not _fits(node, found, allowed):
        yield Violation(TYPE, node, node, path, key, schema.get("title") or _type_words(allowed))
        return
    enum = schema.get("enum")
    if enum is not None and not _listed(node, found, enum):
        words = schema.get("title") or "one of " + ", ".join(_literal(value) for value in enum)
        yield Violation(ENUM, node, node, path, key, words)
        return
    if found == "object":
        yield from _object(node, schema, path, place)
    elif found == "array":
        yield from _array(node, schema, path)
    elif found == "number":
        yield from _number(node, schema, path, key)
    elif found == "string":
        yield from _string(node, schema, path, key)


def _object(node: Node, schema: Schema, path: tuple[str | int, ...], place: Node) -> Iterator[Violation]:
    known = schema.get("properties", {})
    rest = schema.get("additionalProperties", True)
    entries = node.items()
    key_of_map = path[-1] if path and isinstance(path[-1], str) else ""
    if len(entries) < schema.get("minProperties", 0) and node.tag is None:
        yield Violation(COUNT, place, node, path, key_of_map, f"at least {schema['minProperties']} entry")
    if len(entries) > schema.get("maxProperties", len(entries)):
        yield Violation(COUNT, place, node, path, key_of_map, f"at most {schema['maxProperties']} entries")
    for name in schema.get("required", ()):
        # A map with a tag has entries that were not seen (`...spread`): nothing can be missing there.
        if node.tag is None and node.get(name).kind == "absent":
            yield Violation(MISSING_KEY, place, node, path, name, known.get(name, {}).get("title", ""))
    for key, value in entries:
        name = key.value
        if name in known:
            yield from _walk(value, known[name], (*path, name), key)
        elif rest is False:
            yield Violation(UNKNOWN_KEY, key, value, path, name, nearest(name, known))
        elif rest is not True:
            yield from _walk(value, rest, (*path, name), key)


def _array(node: Node, schema: Schema, path: tuple[str | int, ...]) -> Iterator[Violation]:
    elements = node.elements()
    key = path[-1] if path and isinstance(path[-1], str) else ""
    if len(elements) < schema.get("minItems", 0):
        yield Violation(COUNT, node, node, path, key, f"at least {schema['minItems']} entry")
    if len(elements) > schema.get("maxItems", len(elements)):
        yield Violation(COUNT, node, node, path, key, f"at most {schema['maxItems']} entries")
    inner = schema.get("items")
    if inner is not None:
        for index, element in enumerate(elements):
            yield from _walk(element, inner, (*path, index), _head(element))


def _number(node: Node, schema: Schema, path: tuple[str | int, ...], key: str) -> Iterator[Violation]:
    number = node.number() or 0
    low, high = schema.get("minimum"), schema.get("maximum")
    if (low is None or number >= low) and (high is None or number <= high):
        return
    words = f"{low} to {high}" if low is not None and high is not None else f"{low} or more"
    yield Violation(
        RANGE, node, node, path, key, schema.get("title") or (words if low is not None else f"{high} or less")
    )


def _string(node: Node, schema: Schema, path: tuple[str | int, ...], key: str) -> Iterator[Violation]:
    length = len(node.value)
    if length < schema.get("minLength", 0):
        words = schema.get("title") or f"at least {schema['minLength']} characters"
        yield Violation(LENGTH, node, node, path, key, words)
    elif length > schema.get("maxLength", length):
        yield Violation(LENGTH, node, node, path, key, f"at most {schema['maxLength']} characters")
    elif "pattern" in schema:
        import re

        if re.search(schema["pattern"], node.value) is None:
            yield Violation(PATTERN, node, node, path, key, schema.get("title") or f"text like {schema['pattern']}")


def _any_of(
    node: Node, choices: list[Schema], path: tuple[str | int, ...], place: Node, schema: Schema
) -> Iterator[Violation]:
    """Nothing when one alternative holds; else what is wrong by the one whose type the value has."""
    found = shape(node)
    nearest_miss: list[Violation] | None = None
    for choice in choices:
        misses = list(_walk(node, choice, path, place))
        if not misses:
            return
        if nearest_miss is None and "type" in choice and _fits(node, found, choice["type"]):
            nearest_miss = misses
    if nearest_miss is not None:
        yield from nearest_miss
        return
    words = schema.get("title") or " or ".join(
        choice.get("title") or _type_words(choice.get("type", "object")) for choice in choices
    )
    yield Violation(TYPE, node, node, path, path[-1] if path and isinstance(path[-1], str) else "", words)


def _fits(node: Node, found: str, allowed: str | list[str]) -> bool:
    names = (allowed,) if isinstance(allowed, str) else allowed
    if found in names:
        return True
    return found == "number" and "integer" in names and float(node.number() or 0).is_integer()


def _listed(node: Node, found: str, enum: list[Any]) -> bool:
    if found == "string":
        return node.value in enum
    if found == "number":
        return any(not isinstance(value, (bool, str)) and value == node.number() for value in enum if value is not None)
    if found == "boolean":
        return any(value is (node.value == "true") for value in enum)
    return found == "null" and None in enum


def _literal(value: Any) -> str:
    return f"`{value}`" if isinstance(value, str) else "null" if value is None else str(value).lower()


def _type_words(allowed: str | list[str]) -> str:
    names = (allowed,) if isinstance(allowed, str) else allowed
    return " or ".join(_WORDS[name] for name in names)


def _head(node: Node) -> Node:
    """A short token for an element: its first key where it is a map."""
    return node.value[0][0] if node.kind is MAP and node.value else node
