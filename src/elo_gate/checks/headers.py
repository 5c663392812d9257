"""Answers whether responses carry the security headers, once and with values that protect."""

from __future__ import annotations

import re

from ..kinds import next as config
from ..kinds import next_headers
from ..kinds.header import ALL, Header, covers
from ..model import CHOICE, MAP, SCALAR, UNKNOWN, Fault, Item, Node, Undecided
from ..project import headers as model
from ..project.header_layers import MISSING, UNSURE
from ..project.headers import FRAMES, PARTIAL, POLICY, PRESENT, REPORT_ONLY, TRANSPORT, State, Target
from ..syntax import csp
from ..syntax.javascript import TEMPLATE, alternatives
from .next import told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

    Answers = Iterator[Fault | Undecided]

_ORIGIN = "access-control-allow-origin"
SERVED = "served"  # what a site answers (verify.served): no file, and everything is known


def targets_of(it: Item, file: Artifact) -> tuple[Artifact, list[Target]]:
    """The application that an item is about and its targets; its own files when it was looked at alone."""
    if file.kind == "next":
        return file, [model.alone(file)]
    return it.facts["application"], it.facts["targets"]


def headers_of(it: Item, file: Artifact) -> list[Header]:
    """The headers that an item is about."""
    return model.alone(file).headers() if file.kind == "next" else list(it.facts["headers"])


def missing(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields one fault that lists the security headers no response carries, or only those of some paths."""
    if file.kind == SERVED:
        yield from _not_received(it, params)
        return
    application, targets = targets_of(it, file)
    if told(config.option(application, "output"), lambda text: text == "export") is not False:
        return
    place = _place(config.file(application)[0], application)
    if application.root.kind is not MAP and application.root.kind is not CHOICE:
        yield Undecided("the configuration is not known", place)
        return
    absent: dict[str, list[str]] = {}
    unsure: dict[str, str] = {}
    partial: list[Header] = []
    for name in params["headers"]:
        for target in targets:
            found = _state(target, name.lower())
            if found.word == UNSURE:
                unsure.setdefault(name, found.why)
            elif found.word != PRESENT:
                absent.setdefault(name, []).append(target.name)
                partial.extend(found.headers[:1])
    for why in dict.fromkeys(unsure.values()):
        yield Undecided(f"{', '.join(name for name in unsure if unsure[name] == why)}: {why}", place)
    if not absent:
        return
    shown = [
        name if len(names) == len(targets) else f"{name} (on {', '.join(names)})" for name, names in absent.items()
    ]
    paths = dict.fromkeys(layer.path for target in targets for layer in target.layers)
    related = {id(header): (header.key, f"{header.shown} for {_words(header.source)} only") for header in partial}
    yield Fault(
        place,
        list(related.values()),
        message="many" if len(shown) > 3 else "default",
        headers=", ".join(shown[:3]),
        more=", ".join(shown[3:]),
        files=", ".join(paths),
    )


def _not_received(it: Item, params: dict[str, Any]) -> Answers:
    """Of an answer of a site: what it lacks. Only a page needs them all; HSTS means nothing over http."""
    target = it.facts["targets"][0]
    lacks = []
    for name in params["headers"]:
        known = name.lower()
        due = it.facts["page"] or known in (TRANSPORT, "x-content-type-options")
        if due and (known != TRANSPORT or it.facts["secure"]) and _state(target, known).word != PRESENT:
            lacks.append(name)
    if lacks:
        yield Fault(it, message="served", headers=", ".join(lacks))


def _state(target: Target, name: str) -> State:
    """What is known of a header, or of what stands for it: a policy on trial, a policy that forbids framing."""
    found = target.state(name)
    if found.word not in (MISSING, PARTIAL):
        return found
    if name == POLICY:
        trial = target.state(REPORT_ONLY)
        return trial if trial.word in (PRESENT, UNSURE) else found
    if name == FRAMES:
        answers = [_frames(each.value) for each in target.headers() if each.name == POLICY and each.covers == ALL]
        if True in answers:
            return State(PRESENT, found.headers)
        if None in answers:
            return State(UNSURE, found.headers, "whether the policy forbids framing is not known")
    return found


def _frames(value: Node) -> bool | None:
    """Whether a policy says who may frame a page; None when it cannot be told."""
    answers: set[bool | None] = set()
    for each in alternatives(value):
        policies = csp.parse(each) if csp.known(each) else []
        if any(policy.get("frame-ancestors") for policy in policies):
            answers.add(True)
        else:
            answers.add(None if not csp.known(each) or any(policy.open for policy in policies) else False)
    return answers.pop() if len(answers) == 1 else None


def _place(it: Item, file: Artifact) -> Node | Item:
    """The list a header would be added to: of the one entry for all paths, else `headers`, else the configuration."""
    whole = [
        entry
        for entry in config.entries(config.returned(file, "headers"))
        if entry.kind is MAP and covers(entry.get("source")) == ALL and entry.key("headers")
    ]
    if len(whole) == 1 and whole[0].source is file.source:
        return whole[0].key("headers")
    key = config.key(file, "headers")
    return key if key and key.kind is SCALAR and key.source is file.source else it


def weak(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each security header whose value does not protect, once a header."""
    seen: dict[tuple[str, str], list[Header]] = {}
    for header in headers_of(it, file):
        test = _TESTS.get(header.name)
        if test is None:
            continue
        answer = told(header.value, lambda text, test=test: test(text, params) is not None)  # type: ignore[misc]
        if answer:
            value = str(next(iter(alternatives(header.value))).value)
            seen.setdefault((header.name, test(value, params) or ""), []).append(header)
        elif answer is None and any(each.tag != TEMPLATE for each in alternatives(header.value)):
            yield Undecided(f"the value of '{header.shown}' is not known", header.value)
    for (_, message), headers in seen.items():
        first, *others = headers
        yield Fault(
            first.value,
            [(header.value, "set here too") for header in others],
            message=message,
            header=first.shown,
            value=str(next(iter(alternatives(first.value))).value),
            least=str(params["max_age"]),
        )


def _empty(text: str) -> bool:
    return not text.strip()


def _options(text: str, params: dict[str, Any]) -> str | None:
    return "empty" if _empty(text) else None if text.strip().lower() == "nosniff" else "nosniff"


def _framing(text: str, params: dict[str, Any]) -> str | None:
    return "empty" if _empty(text) else None if text.strip().upper() in ("DENY", "SAMEORIGIN") else "frames"


_LOOSE = ("unsafe-url", "no-referrer-when-downgrade", "origin-when-cross-origin")
_REFERRERS = (*_LOOSE, "no-referrer", "origin", "same-origin", "strict-origin", "strict-origin-when-cross-origin")


def _referrer(text: str, params: dict[str, Any]) -> str | None:
    """The last policy of a list that a browser knows is the one it follows."""
    if _empty(text):
        return "empty"
    known = [word for word in (part.strip().lower() for part in text.split(",")) if word in _REFERRERS]
    return "unknown" if not known else "referrer" if known[-1] in _LOOSE else None


def _transport(text: str, params: dict[str, Any]) -> str | None:
    if _empty(text):
        return "empty"
    match = re.search(r"max-age\s*=\s*\"?(\d+)", text, re.I)
    return None if match is not None and int(match[1][:12]) >= int(params["max_age"]) else "transport"


def _permissions(text: str, params: dict[str, Any]) -> str | None:
    """A structured header: `camera=()`. One item in the old syntax (`camera 'none'`) and browsers drop them all."""
    if _empty(text):
        return "empty"
    old = any("=" not in item for item in text.split(",") if item.strip()) or re.search(r";\s*[\w-]+=[(*]", text)
    return "permissions" if old else None


def _policy(text: str, params: dict[str, Any]) -> str | None:
    return "empty" if _empty(text) else None


_TESTS = {
    "x-content-type-options": _options,
    FRAMES: _framing,
    "referrer-policy": _referrer,
    TRANSPORT: _transport,
    "permissions-policy": _permissions,
    POLICY: _policy,
}


def duplicate(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields faults for the headers that two files set for the same paths: one for each pair of files and outcome."""
    if file.kind == SERVED:
        yield from _received_twice(it, params)
        return
    _, targets = targets_of(it, file)
    pairs: dict[tuple[int, int], tuple[Header, Header]] = {}
    for target in targets:
        headers = [each for each in target.headers() if not each.conditional and not each.perhaps]
        for index, header in enumerate(headers):
            if header.name not in _TESTS and header.name != _ORIGIN:
                continue
            for other in headers[index + 1 :]:
                apart = other.key.source.path != header.key.source.path
                if other.name == header.name and apart and _overlap(header, other):
                    pairs.setdefault((id(header.key), id(other.key)), (header, other))
                    break
    groups: dict[tuple[str, str], list[tuple[str, Header, Header]]] = {}
    for header, other in pairs.values():
        files = (header.key.source.path, other.key.source.path)
        groups.setdefault(files, []).append((_outcome(header, other), header, other))
    for (_, path), found in groups.items():
        worst = max((message for message, _, _ in found), key=_OUTCOMES.index)
        told = [(header, other) for message, header, other in found if message == worst]
        yield Fault(
            told[0][0].key,
            [(other.key, f"{header.shown} again") for _, header, other in found],
            message=worst,
            severity=params["severities"].get(worst),
            headers=", ".join(header.shown for header, _ in told),
            file=path,
        )


def _received_twice(it: Item, params: dict[str, Any]) -> Answers:
    """Of an answer of a site: the headers that are in it several times, or hold several values where one may stand."""
    received: dict[str, list[tuple[Header, str]]] = {}
    for header in it.facts["received"]:
        if header.name in _TESTS or header.name == _ORIGIN:
            texts = str(header.value.value).split(",") if header.name in _SINGLE else [str(header.value.value)]
            received.setdefault(header.name, []).extend((header, text) for text in texts)
    for name, found in received.items():
        if len(found) < 2:
            continue
        (first, _), *others = found
        alike = len({text.strip().lower() for _, text in found}) == 1
        if name == _ORIGIN:
            outcome = "origins"
        elif name == POLICY:
            outcome = "policies"
        else:
            outcome = "twice" if alike else "frames" if name == FRAMES else "both"
        yield Fault(
            first.value,
            [(other.value, f"{first.shown} again") for other, _ in others if other is not first],
            message=f"served_{outcome}",
            severity=params["severities"].get(outcome),
            headers=first.shown,
        )


# Of these a browser takes one value; a list is what two layers made together.
_SINGLE = (FRAMES, "x-content-type-options", _ORIGIN)
# From the harmless to the broken.
_OUTCOMES = ("default", "twice", "differs", "both", "policies", "frames", "origins")


def _overlap(one: Header, other: Header) -> bool:
    """Whether two headers are set for the same paths, as far as their patterns say."""
    if one.covers == ALL and other.covers == ALL:
        return True
    texts = [str(each.source.value) if each.source.kind is SCALAR else "" for each in (one, other)]
    stems = [re.split(r"[:(*~^]", text, maxsplit=1)[0].rstrip("/") for text in texts]
    return bool(stems[0]) and stems[0] == stems[1]


def _outcome(header: Header, other: Header) -> str:
    """What the browser gets of two: the other one alone, or both, and what it makes of them."""
    values = [each.value.text() for each in (header, other)]
    differ = None not in values and str(values[0]).strip().lower() != str(values[1]).strip().lower()
    if not other.adds:
        return "differs" if differ else "default"
    if header.name == _ORIGIN:
        return "origins"
    if header.name == POLICY:
        return "policies"
    if differ:
        return "frames" if header.name == FRAMES else "both"
    return "twice"


def open_cors(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for an entry that allows every origin and credentials, which browsers refuse together."""
    found, _ = next_headers.of_config(file)
    for header in found:
        if header.name != "access-control-allow-origin":
            continue
        wide = told(header.value, lambda text: text.strip() == "*")
        other = next(
            (each for each in found if each.entry is header.entry and each.name == "access-control-allow-credentials"),
            None,
        )
        allowed = told(other.value, lambda text: text.strip().lower() == "true") if other is not None else False
        if wide and allowed and other is not None:
            yield Fault(header.value, [(other.value, "credentials")], source=_words(header.source))
        elif None in (wide, allowed) and wide is not False and allowed is not False:
            yield Undecided("the allowed origin is not known", header.value)


def _words(source: Node) -> str:
    return str(source.value) if source.kind in (SCALAR, UNKNOWN) else "some paths"
