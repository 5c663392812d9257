"""Turns calls of JavaScript's own methods (`join`, `map`, `replace`, `Object.entries`) on known values into nodes."""

from __future__ import annotations

import re

from elo_gate.model import CHOICE, MAP, SCALAR, SEQ, UNKNOWN, Node

from .values import (
    OMITTED,
    OPEN,
    REGEX,
    SPREAD,
    TEMPLATE,
    alternatives,
    choice,
    equal,
    glue,
    nothing,
    open_up,
    plain,
    put,
    string,
    truth,
    unknown,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .evaluator import Evaluator

    Arguments = Sequence[Node]

# Regular expressions that are applied: one or two atoms, each with an optional count. No text can make them slow.
_ATOM = r"(?:\\[snrtd]|\[[\\\w\s;,.:-]{1,12}\]|[\w ;:,-])(?:[+*]|\{\d{1,2},?\d{0,2}\})?"
_SIMPLE = re.compile(rf"/((?:{_ATOM}){{1,2}})/(g?)")
_URL = re.compile(
    r"(?P<protocol>https?:)//(?P<hostname>[^/?#:@\s]+)(?::(?P<port>\d+))?(?P<pathname>/[^?#\s]*)?"
    r"(?P<search>\?[^#\s]*)?(?P<hash>#\S*)?"
)
_ESCAPE = re.compile(r"\\(?:u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(\r\n|[\s\S]))")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": "", "\r\n": ""}


def unescape(text: str) -> str:
    """The text that a JavaScript literal's characters stand for."""

    def stands_for(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        if code is None:
            return _ESCAPED.get(match[4], match[4])
        number = int(code, 16)
        return chr(number) if number < 0x110000 else ""

    return _ESCAPE.sub(stands_for, text)


def arithmetic(operator: str, left: Node, right: Node, at: Node) -> Node:
    """`60 * 60 * 24`, `a < b`; unknown for what is not plain arithmetic."""
    a, b = left.number(), right.number()
    if a is None or b is None or max(abs(a), abs(b)) > 1e15:
        return unknown("an expression", at)
    if operator in ("<", "<=", ">", ">="):
        answer = a < b if operator == "<" else a <= b if operator == "<=" else a > b if operator == ">" else a >= b
        return plain("true" if answer else "false", at)
    result = a + b if operator == "+" else a - b if operator == "-" else a * b if operator == "*" else None
    if operator == "/" and b != 0:
        result = a / b
    if result is None:
        return unknown("an expression", at)
    return plain(str(int(result) if result == int(result) else result), at)


def function(ev: Evaluator, name: str, arguments: Arguments, at: Node) -> Node | None:
    """What a global function gives, None when it is not one that is known."""
    first = arguments[0] if arguments else nothing(at)
    if name == "Object.entries":
        return _entries(ev, first, at)
    if name == "Object.keys":
        return keys(ev, first, at)
    if name == "Object.values":
        return _parts(ev, first, at, lambda key, value: value)
    if name == "Object.assign":
        if first.kind is not MAP:
            return None
        sure = ev.sure_of(first)
        for each in arguments[1:]:
            ev.spread_map(each if sure else choice([each, nothing(at, OMITTED)], at), first, at)
        return first
    if name in ("Object.freeze", "structuredClone", "Promise.resolve", "Array.from", "Set") and len(arguments) == 1:
        return first if first.kind is MAP or first.kind is SEQ or first.kind is CHOICE else None
    if name == "Object.fromEntries":
        return _from_entries(ev, first, at)
    if name == "URL":
        return _address(first, at)
    if name == "Boolean":
        answer = truth(first)
        return None if answer is None else plain("true" if answer else "false", at)
    if name == "String":
        return glue([first], at)
    if name in ("Number", "parseInt") and first.kind is SCALAR and first.number() is not None:
        return plain(str(first.number()), at)
    if name == "Array.isArray" and first.kind is not UNKNOWN and first.kind is not CHOICE:
        return plain("true" if first.kind is SEQ else "false", at)
    return None


def _address(text: Node, at: Node) -> Node | None:
    """`new URL(text)`: its parts as a map."""
    match = _URL.fullmatch(str(text.value)) if text.kind is SCALAR and text.style else None
    if match is None:
        return None
    parts = match.groupdict("")
    parts["host"] = parts["hostname"] + (f":{parts['port']}" if parts["port"] else "")
    parts["origin"] = f"{parts['protocol']}//{parts['host']}"
    parts["href"] = str(text.value)
    parts["pathname"] = parts["pathname"] or "/"
    entries = [(plain(name, at), string(value, text)) for name, value in parts.items()]
    return Node(MAP, entries, at.source, at.start, at.end)


def method(ev: Evaluator, target: Node, name: str, arguments: Arguments, at: Node) -> Node | None:
    """What a method of a known value gives, None when value or method is not known."""
    if target.kind is SEQ:
        if name in ("push", "unshift"):
            return _add(ev, target, arguments, name == "push", at)
        handler = _LISTS.get(name)
        if handler is not None:
            return handler(ev, target, arguments, at)
        if name in ("splice", "pop", "shift", "fill", "copyWithin"):
            open_up(target)
        return None
    if target.tag == TEMPLATE and name in ("trim", "trimStart", "trimEnd", "replace", "replaceAll"):
        # The gaps of a text that is known in parts stand as `${...}`: what is said of the rest holds.
        known = _text(ev, string(str(target.value), target), name, arguments, at)
        return unknown(str(known.value), at, TEMPLATE) if known is not None else None
    if target.kind is SCALAR and target.style:
        return _text(ev, target, name, arguments, at)
    if target.kind is CHOICE and target.value and name not in ("push", "unshift", "forEach"):
        found = [method(ev, each, name, arguments, at) for each in target.value]
        if any(found):
            return choice([each if each is not None else unknown("a call", at) for each in found], at)
        return None
    if target.kind is CHOICE and name in ("push", "unshift"):
        before = ev.perhaps()
        for each in target.value:
            method(ev, each, name, arguments, at)
        ev.branches = before
        return unknown("a length", at)
    return None


def keys(ev: Evaluator, target: Node, at: Node) -> Node:
    """`Object.keys(target)`."""
    return _parts(ev, target, at, lambda key, value: Node(SCALAR, key.value, key.source, key.start, key.end, "'"))


def _entries(ev: Evaluator, target: Node, at: Node) -> Node:
    def pair(key: Node, value: Node) -> Node:
        name = Node(SCALAR, key.value, key.source, key.start, key.end, "'")
        return Node(SEQ, [name, value], key.source, key.start, value.end if value.source is key.source else key.end)

    return _parts(ev, target, at, pair)


def _parts(ev: Evaluator, target: Node, at: Node, part: Callable[[Node, Node], Node]) -> Node:
    """A list with one part for each entry of a map."""
    if target.kind is not MAP:
        return unknown(target.value if target.kind is UNKNOWN else "an expression", at)
    out = []
    ev.spend(len(target.value))
    for key, value in target.items():
        if value.tag == OMITTED:
            continue
        if value.kind is CHOICE and any(each.tag == OMITTED for each in value.value):
            there = choice(alternatives(value), value)
            out.append(choice([part(key, there), nothing(value, OMITTED)], value))
        else:
            out.append(part(key, value))
    if target.tag == OPEN:
        out.append(unknown("...", at, SPREAD))
    return Node(SEQ, out, at.source, at.start, at.end)


def _from_entries(ev: Evaluator, target: Node, at: Node) -> Node | None:
    if target.kind is not SEQ:
        return None
    out = Node(MAP, [], at.source, at.start, at.end)
    for pair in target.value:
        key = pair.get(0)
        if key.kind is SCALAR and pair.kind is SEQ and len(pair.value) == 2:
            put(out, (key, pair.get(1)))
        else:
            out.tag = OPEN
    return out


def _add(ev: Evaluator, target: Node, arguments: Arguments, behind: bool, at: Node) -> Node:
    """`push` and `unshift`, in place; under an undecided condition the new elements may not be there."""
    ev.spend(len(arguments))
    if not ev.sure_of(target):
        arguments = [choice([each, nothing(each, OMITTED)], each) for each in arguments]
    if behind:
        target.value.extend(arguments)
    else:
        target.value[:0] = arguments
    return plain("1", at)


def _each(ev: Evaluator, element: Node, index: int, call: Node, at: Node) -> Node:
    """What a callback gives for one element; for an element that may be missing, the result may be missing too."""
    if element.tag == OMITTED:
        return element
    if element.kind is CHOICE and any(each.tag == OMITTED for each in element.value):
        before = ev.perhaps()
        result = ev.call(call, [choice(alternatives(element), element), plain(str(index), at)], at)
        ev.branches = before
        return choice([result, nothing(element, OMITTED)], element)
    if element.tag == SPREAD:
        ev.unsettle(call)
        before = ev.perhaps()
        ev.call(call, [unknown("...", element)], at)
        ev.branches = before
        return element
    return ev.call(call, [element, plain(str(index), at)], at)


def _map(ev: Evaluator, target: Node, arguments: Arguments, at: Node) -> Node | None:
    if not arguments:
        return None
    values = [_each(ev, each, index, arguments[0], at) for index, each in enumerate(list(target.value))]
    return ev.made_here(Node(SEQ, values, at.source, at.start, at.end))


def _for_each(ev: Evaluator, target: Node, arguments: Arguments, at: Node) -> Node | None:
    _map(ev, target, arguments, at)
    return nothing(at)


def _flat_map(ev: Evaluator, target: Node, arguments: Arguments, at: Node) -> Node | None:
    mapped = _map(ev, target, arguments, at)
    return _flat(ev, mapped, (), at) if mapped is not None else None


def _flat(ev: Evaluator, target: Node, arguments: Arguments, at: Node) -> Node | None:
    out: list[Node] = []
    for each in target.value:
        if each.kind is SEQ or (each.kind is CHOICE and any(option.kind is SEQ for option in each.value)):
            ev.spread_list(each, out, at)
        else:
            out.append(unknown(each.value, each, SPREAD) if each.kind is UNKNOWN else each)
    return ev.made_here(Node(SEQ, out, at.source, at.start, at.end))


def _filter(ev: Evaluator, target: Node, arguments: Arguments, at: Node) -> Node | None:
    if not arguments:
        return None
    test = arguments[0]
    plain_truth = test.kind is UNKNOWN and test.value == "Boolean" and test.tag is None
    out = []
    for element in list(target.value):
        if element.tag == SPREAD:
            out.append(element)
            continue
        kept: list[Node] = []
        dropped = False
        for option in element.value if element.kind is CHOICE else (element,):
            answer = truth(option) if plain_truth else truth(ev.call(test, [option], at))
            if option.tag == OMITTED or answer is False:
                dropped = True
            else:
                kept.append(option)
                dropped = dropped or answer is None
        if kept:
            out.append(choice([*kept, nothing(element, OMITTED)] if dropped else kept, element))
    return ev.made_here(Node(SEQ, out, at.source, at.start, at.end))


def _concat(ev: Evaluator, target: Node, arguments: Arguments, at: Node) -> Node | None:
    out: list[Node] = list(target.value)
    for each in arguments:
        if each.kind is SCALAR or each.kind is MAP:
            out.append(each)
        else:
            ev.spread_list(each, out, at)
    return ev.made_here(Node(SEQ, out, at.source, at.start, at.end))


def _join(ev: Evaluator, target: Node, arguments: Arguments, at: Node) -> Node | None:
    mark = arguments[0] if arguments else string(",", at)
    if mark.kind is not SCALAR:
        return None
    results: list[list[Node]] = [[]]
    for element in target.value:
        longer: list[list[Node]] = []
        for option in element.value if element.kind is CHOICE else (element,):
            for parts in results:
                if option.tag == OMITTED:
                    longer.append(parts)
                elif option.tag == SPREAD or (parts and parts[-1].tag == SPREAD):
                    # Any number of elements, none included: the marks around them belong to the gap.
                    longer.append([*parts, string("", option) if option.is_null() else option])
                else:
                    part = string("", option) if option.is_null() else option
                    longer.append([*parts, mark, part] if parts else [part])
        if len(longer) > 16:
            return unknown("a text with too many forms", at)
        ev.spend(sum(len(parts) for parts in longer) // 16)
        results = longer
    return choice([glue(parts, at) for parts in results], at)


def _includes(ev: Evaluator, target: Node, arguments: Arguments, at: Node) -> Node | None:
    answers = [equal(each, arguments[0]) for each in target.value] if arguments else [None]
    if any(answer is True for answer in answers):
        return plain("true", at)
    return plain("false", at) if all(answer is False for answer in answers) else None


def _same(ev: Evaluator, target: Node, arguments: Arguments, at: Node) -> Node | None:
    return target


def _reverse(ev: Evaluator, target: Node, arguments: Arguments, at: Node) -> Node | None:
    if ev.sure_of(target):
        target.value.reverse()
    else:
        open_up(target)
    return target


def _reduce(ev: Evaluator, target: Node, arguments: Arguments, at: Node) -> Node | None:
    if len(arguments) != 2:
        return None
    value = arguments[1]
    for element in list(target.value):
        if element.tag == SPREAD:
            return unknown("reduce(...)", at)
        there = alternatives(element)
        if len(there) == 1 and there[0] is element:
            value = ev.call(arguments[0], [value, element], at)
            continue
        before = ev.perhaps()
        results = [ev.call(arguments[0], [value, each], at) for each in there]
        ev.branches = before
        value = choice([*results, *([value] if len(there) < len(element.value) else [])], at)
    return value


_LISTS: dict[str, Callable[[Evaluator, Node, Arguments, Node], Node | None]] = {
    "map": _map,
    "forEach": _for_each,
    "flatMap": _flat_map,
    "flat": _flat,
    "filter": _filter,
    "concat": _concat,
    "join": _join,
    "includes": _includes,
    "reverse": _reverse,
    "sort": _same,  # the order of elements is never asked for
    "toSorted": _same,
    "reduce": _reduce,
}


def _text(ev: Evaluator, target: Node, name: str, arguments: Arguments, at: Node) -> Node | None:
    """What a method of a known text gives."""
    text = str(target.value)
    given = [str(each.value) if each.kind is SCALAR and each.style else None for each in arguments]
    first = given[0] if given else None
    if name in ("trim", "trimStart", "trimEnd", "toLowerCase", "toUpperCase", "toString"):
        simple = {
            "trim": text.strip,
            "trimStart": text.lstrip,
            "trimEnd": text.rstrip,
            "toLowerCase": text.lower,
            "toUpperCase": text.upper,
        }
        return string(simple[name]() if name in simple else text, at)
    if name in ("startsWith", "endsWith", "includes") and first is not None and len(given) == 1:
        test = {"startsWith": text.startswith, "endsWith": text.endswith, "includes": text.__contains__}[name]
        return plain("true" if test(first) else "false", at)
    if name == "concat":
        return glue([target, *arguments], at)
    if name == "split" and first:
        parts = text.split(first)
        ev.spend(len(parts))
        return Node(SEQ, [string(part, at) for part in parts], at.source, at.start, at.end)
    if name in ("replace", "replaceAll") and len(arguments) == 2 and given[1] is not None and "$" not in given[1]:
        if first is not None:
            return string(text.replace(first, given[1], -1 if name == "replaceAll" else 1), at)
        pattern = arguments[0]
        match = _SIMPLE.fullmatch(pattern.value) if pattern.kind is UNKNOWN and pattern.tag == REGEX else None
        if match is not None and len(text) <= 8_000:
            with_text = given[1]
            try:
                return string(re.sub(match[1], lambda _: with_text, text, count=0 if match[2] else 1), at)
            except re.error:
                return None
    return None
