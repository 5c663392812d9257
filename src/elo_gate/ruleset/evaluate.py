"""The run time of the expression language: what compiled rules call, with absent and unknown in every answer.

Generated code (see `expr`) calls nothing but the names in `FUNCTIONS` and the operators here. A value is a
Node, an Item, plain text, number, boolean, list, tuple, dict or None. An unknown raises `Undecided` as soon
as an answer would depend on it.
"""

from __future__ import annotations

from ..model import ABSENT, CHOICE, MAP, MISSING, SCALAR, SEQ, UNKNOWN, Item, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_NOTHING = object()


def attr(value: Any, name: str | int) -> Any:
    """`value.name`: a fact of an Item, else an entry of its node; never an attribute of a Python object."""
    if isinstance(value, Item):
        fact = value.facts.get(name, _NOTHING)  # type: ignore[arg-type]
        if fact is not _NOTHING:
            return ABSENT if fact is None else fact
        value = value.node
    if isinstance(value, Node):
        if value.kind is CHOICE:
            return Node(CHOICE, [attr(each, name) for each in value.value], value.source, value.start, value.end)
        return value.get(name)
    if isinstance(value, dict):
        return value.get(name, ABSENT)
    if isinstance(value, (list, tuple)) and isinstance(name, int):
        return value[name] if -len(value) <= name < len(value) else ABSENT
    return ABSENT


def truth(value: Any) -> bool:
    """Whether a value counts as true. Absent, null, false, zero and everything empty do not."""
    if value is True or value is False:
        return value
    if isinstance(value, Node):
        kind = value.kind
        if kind is SCALAR:
            if value.style == "" and (value.is_null() or value.boolean() is False or value.value == "0"):
                return False
            return bool(value.value)
        if kind is MAP or kind is SEQ:
            return bool(value.value)
        if kind is MISSING:
            return False
        if kind is CHOICE:
            return _agree([_decide(truth, each) for each in value.value])
        raise _unknown(value)
    if isinstance(value, Item):
        return value.node.kind is not MISSING
    return bool(value)


def _unknown(node: Node) -> Undecided:
    return Undecided("a value cannot be known without running something", node)


def _decide(function: Callable[..., bool], *arguments: Any) -> bool | None:
    try:
        return function(*arguments)
    except Undecided:
        return None


def _agree(answers: list[bool | None]) -> bool:
    if len(set(answers)) == 1 and answers[0] is not None:
        return answers[0]
    raise Undecided("the value is one of several and they do not agree")


def equal(left: Any, right: Any) -> bool:
    """`==`: text with text, a scalar with a number or boolean read as one; absent equals nothing."""
    if isinstance(left, Item):
        left = left.node
    if isinstance(right, Item):
        right = right.node
    if isinstance(right, Node) and not isinstance(left, Node):
        left, right = right, left
    if isinstance(left, Node):
        kind = left.kind
        if kind is UNKNOWN:
            raise _unknown(left)
        if kind is CHOICE:
            return _agree([_decide(equal, each, right) for each in left.value])
        if isinstance(right, Node):
            if right.kind is UNKNOWN:
                raise _unknown(right)
            if right.kind is CHOICE:
                return equal(right, left)
            text = left.text()
            return text is not None and text == right.text()
        if kind is not SCALAR:
            return False
        if isinstance(right, bool):
            return left.boolean() is right
        if isinstance(right, (int, float)):
            return left.number() == right
        return left.text() is not None and left.value == right
    if left is None or right is None:
        return False
    return bool(left == right)


def _number(value: Any) -> int | float | None:
    if isinstance(value, Item):
        value = value.node
    if isinstance(value, Node):
        if value.kind is UNKNOWN or value.kind is CHOICE:
            raise _unknown(value)
        return value.number()
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            try:
                return float(value)
            except ValueError:
                return None
    return None


def _is_choice(value: Any) -> bool:
    return isinstance(value, Node) and value.kind is CHOICE


def _alternatives(value: Any) -> list[Any]:
    return value.value if _is_choice(value) else [value]


def less(left: Any, right: Any) -> bool:
    """`<`: numbers as numbers, text with text in code point order; false when either is absent."""
    if _is_choice(left) or _is_choice(right):
        return _agree([_decide(less, one, other) for one in _alternatives(left) for other in _alternatives(right)])
    if isinstance(left, str) and isinstance(right, str):
        return left < right
    low, high = _number(left), _number(right)
    return low is not None and high is not None and low < high


def at_most(left: Any, right: Any) -> bool:
    """`<=`, as `less`."""
    if _is_choice(left) or _is_choice(right):
        return _agree([_decide(at_most, one, other) for one in _alternatives(left) for other in _alternatives(right)])
    if isinstance(left, str) and isinstance(right, str):
        return left <= right
    low, high = _number(left), _number(right)
    return low is not None and high is not None and low <= high


def within(needle: Any, hay: Any) -> bool:
    """`in`: an element of a seq or tuple, a key of a map, a part of a text."""
    if isinstance(hay, Item):
        hay = hay.node
    if isinstance(hay, Node):
        if hay.kind is UNKNOWN:
            raise _unknown(hay)
        if hay.kind is CHOICE:
            return _agree([_decide(within, needle, each) for each in hay.value])
        if hay.kind is SEQ:
            return any_of(lambda each: equal(needle, each), hay.value)
        text_of = text(needle)
        if text_of is None:
            return False
        if hay.kind is MAP:
            return hay.index is not None and text_of in hay.index
        return hay.kind is SCALAR and text_of in hay.value
    if isinstance(hay, str):
        part = text(needle)
        return part is not None and part in hay
    if isinstance(hay, dict):
        return text(needle) in hay
    if isinstance(hay, (list, tuple)):
        return any_of(lambda each: equal(needle, each), hay)
    return False


def every(*parts: Callable[[], bool]) -> bool:
    """`and`: false as soon as one part is, undecided only when nothing else decides."""
    undecided = None
    for part in parts:
        try:
            if not part():
                return False
        except Undecided as reason:
            undecided = undecided or reason
    if undecided is not None:
        raise undecided
    return True


def some(*parts: Callable[[], bool]) -> bool:
    """`or`: true as soon as one part is, undecided only when nothing else decides."""
    undecided = None
    for part in parts:
        try:
            if part():
                return True
        except Undecided as reason:
            undecided = undecided or reason
    if undecided is not None:
        raise undecided
    return False


def each(value: Any) -> Sequence[Any]:
    """What a generator runs over: elements of a seq, keys of a map, nothing of what is absent."""
    if isinstance(value, Item):
        value = value.node
    if isinstance(value, Node):
        if value.kind is SEQ:
            return value.value  # type: ignore[no-any-return]
        if value.kind is MAP:
            return [key for key, _ in value.items()]
        if value.kind is UNKNOWN or value.kind is CHOICE:
            raise _unknown(value)
        return ()
    if isinstance(value, (list, tuple)):
        return value
    if isinstance(value, dict):
        return list(value)
    return ()


def any_of(test: Callable[[Any], bool], values: Sequence[Any]) -> bool:
    """`any(test for x in values)`."""
    undecided = None
    for value in values:
        try:
            if test(value):
                return True
        except Undecided as reason:
            undecided = undecided or reason
    if undecided is not None:
        raise undecided
    return False


def all_of(test: Callable[[Any], bool], values: Sequence[Any]) -> bool:
    """`all(test for x in values)`."""
    undecided = None
    for value in values:
        try:
            if not test(value):
                return False
        except Undecided as reason:
            undecided = undecided or reason
    if undecided is not None:
        raise undecided
    return True


def count_of(test: Callable[[Any], bool], values: Sequence[Any]) -> int:
    """`count(test for x in values)`: how many are true."""
    return sum(1 for value in values if test(value))


def selected(test: Callable[[Any], bool], values: Sequence[Any]) -> list[Any]:
    """The `if` of a generator."""
    return [value for value in values if test(value)]


def add(left: Any, right: Any) -> Any:
    """`+`: of texts or numbers, absent when either is neither."""
    if isinstance(left, str) or isinstance(right, str):
        first, second = text(left), text(right)
        return first + second if first is not None and second is not None else None
    first_number, second_number = _number(left), _number(right)
    return None if first_number is None or second_number is None else first_number + second_number


def arithmetic(sign: str, left: Any, right: Any) -> Any:
    """`-`, `*`, `/` of numbers; absent when either is none or the divisor is zero."""
    first, second = _number(left), _number(right)
    if first is None or second is None:
        return None
    if sign == "-":
        return first - second
    if sign == "*":
        return first * second
    return first / second if second else None


def text(value: Any) -> str | None:
    """`text(x)`: the text of a scalar, None for anything else."""
    if isinstance(value, Item):
        value = value.node
    if isinstance(value, Node):
        if value.kind is UNKNOWN or value.kind is CHOICE:
            raise _unknown(value)
        return value.text()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return value if isinstance(value, str) else None


def length(value: Any) -> int:
    """`len(x)`: entries, elements or characters; 0 for what is absent."""
    if isinstance(value, Item):
        value = value.node
    if isinstance(value, Node):
        if value.kind is UNKNOWN or value.kind is CHOICE:
            raise _unknown(value)
        if value.kind is MAP:
            return len(value.index or ())
        return len(value.value) if value.kind in (SEQ, SCALAR) else 0
    return len(value) if isinstance(value, (str, list, tuple, dict)) else 0


def lower(value: Any) -> str | None:
    """`lower(x)`."""
    found = text(value)
    return found.lower() if found is not None else None


def strip(value: Any) -> str | None:
    """`strip(x)`: without blanks at both ends."""
    found = text(value)
    return found.strip() if found is not None else None


def startswith(value: Any, prefix: Any) -> bool:
    """`startswith(x, p)`; `p` may be a tuple."""
    found = text(value)
    return found is not None and found.startswith(prefix)


def endswith(value: Any, suffix: Any) -> bool:
    """`endswith(x, p)`; `p` may be a tuple."""
    found = text(value)
    return found is not None and found.endswith(suffix)


def matches(value: Any, pattern: str) -> bool:
    """`matches(x, regex)`: found anywhere in the text; at most 4,096 characters are looked at."""
    import re

    found = text(value)
    return found is not None and re.search(pattern, found[:4096]) is not None


def split(value: Any, separator: str) -> list[str]:
    """`split(x, sep)`: a list of texts, empty when absent."""
    found = text(value)
    return found.split(separator) if found is not None else []


def keys(value: Any) -> list[str]:
    """`keys(x)`: the keys of a map as text."""
    if isinstance(value, Item):
        value = value.node
    if isinstance(value, Node):
        if value.kind is UNKNOWN or value.kind is CHOICE:
            raise _unknown(value)
        return list(value.index) if value.index is not None else []
    return list(value) if isinstance(value, dict) else []


def values(value: Any) -> list[Any]:
    """`values(x)`: the values of a map."""
    if isinstance(value, Item):
        value = value.node
    if isinstance(value, Node):
        if value.kind is UNKNOWN or value.kind is CHOICE:
            raise _unknown(value)
        return [entry for _, entry in value.items()]
    return list(value.values()) if isinstance(value, dict) else []


def exists(value: Any) -> bool:
    """`exists(x)`: the value is there, even when unknown, null or empty."""
    if isinstance(value, Item):
        value = value.node
    return value is not None and not (isinstance(value, Node) and value.kind is MISSING)


def known(value: Any) -> bool:
    """`known(x)`: the value is not an unknown (an absent one is known)."""
    if isinstance(value, Item):
        value = value.node
    return not (isinstance(value, Node) and value.kind in (UNKNOWN, CHOICE))


def before(value: Any, date: Any) -> bool:
    """`before(x, date)`: both are ISO dates (YYYY-MM-DD) and x is the earlier one."""
    first, second = text(value), text(date)
    return first is not None and second is not None and first < second


def shown(value: Any, default: str) -> str:
    """What a placeholder becomes in a message: the text, the default when absent, the source text when unknown."""
    if isinstance(value, Item):
        value = value.node
    if isinstance(value, Node):
        if value.kind is CHOICE:
            return " or ".join(shown(one, default) for one in value.value[:4])
        if value.kind is MAP:
            return ", ".join(list(value.index or ())[:6]) or default
        if value.kind is SEQ:
            return ", ".join(shown(one, default) for one in value.value[:6]) or default
        if value.is_null() or value.value == "":
            return default
        return str(value.value)
    if isinstance(value, (list, tuple)):
        return ", ".join(shown(one, default) for one in value) or default
    if value is None or value == "":
        return default
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


FUNCTIONS = {
    "len": length, "lower": lower, "strip": strip, "startswith": startswith, "endswith": endswith,
    "matches": matches, "number": _number, "text": text, "split": split, "keys": keys, "values": values,
    "exists": exists, "known": known, "before": before,
}  # fmt: skip

# What generated code may name; the short names keep the compiled rules small.
NAMES = {
    "A": attr, "T": truth, "EQ": equal, "LT": less, "LE": at_most, "IN": within, "AND": every, "OR": some,
    "EACH": each, "ANY": any_of, "ALL": all_of, "COUNT": count_of, "IF": selected, "ADD": add, "MATH": arithmetic,
    "SHOW": shown, **{"f_" + name: function for name, function in FUNCTIONS.items()},
}  # fmt: skip
globals().update(NAMES)
__all__ = list(NAMES)
