"""Judges what stands between strangers' input and the application: rate limits and sanitisers."""

from __future__ import annotations

import re

from ..kinds.code import SANITISERS
from ..model import ERROR, WARNING, Fault, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tree_sitter import Node as Branch

    from ..kinds.code_module import Call, Module
    from ..model import Artifact, Item

    Answers = Iterator[Fault | Undecided]

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(
    r"\s*(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?)\s*\Z", re.I
)
_REFUSED = re.compile(r"too[ _-]?many|rate[ _-]?limit|limit exceeded|muitas|quota", re.I)
_HTML = re.compile(
    r"<\\?/?\(?(?:\?:)?(?:script|iframe|style|object)|javascript\\?:"
    r"|(?:(?<![a-z])|\\[sb])on(?:\\w|\[\\?w|\[a-z|[a-z]{3,}(?:\\s\*)?=)",
    re.I,
)
_ALWAYS = ("script", "style", "iframe", "object", "embed")
_SERVERS = ("next", "@remix-run/node", "@react-router/node", "@sveltejs/kit", "nuxt", "astro", "express", "fastify")
_TAG_LISTS = ("ALLOWED_TAGS", "ADD_TAGS", "allowedTags")
_ATTRIBUTE_LISTS = ("ALLOWED_ATTR", "ADD_ATTR", "allowedAttributes")


def threshold(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a limit that lets more through than the standard; only where it is declared."""
    if not file.project.elo:
        return
    module: Module = it.facts["module"]
    for call in module.calls:
        found = _limit(module, call)
        if found is None:
            continue
        place, requests, seconds = found
        if requests is None or seconds is None or seconds <= 0:
            yield Undecided("the limit is computed", module.node(place))
        elif requests * 60 / seconds > params["requests"] * 60 / params["seconds"]:
            yield Fault(module.token(place), requests=_plain(requests), seconds=_plain(seconds))


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _limit(module: Module, call: Call) -> tuple[Branch, float | None, float | None] | None:
    """(where it stands, requests, seconds) of a call that sets a limit."""
    arguments = call.arguments
    if call.last in ("slidingWindow", "fixedWindow", "tokenBucket") and len(arguments) >= 2:
        return arguments[0], module.number(arguments[0]), _seconds(module, arguments[1])
    head = module.imports.get(call.callee.partition(".")[0])
    if head is None or not arguments:
        return None
    for names, span, unit in (
        (("limit", "max"), "windowMs", 0.001), (("points",), "duration", 1.0), (("max",), "timeWindow", 0.001),
    ):  # fmt: skip
        found, _ = module.entries(arguments[-1])
        name = next((each for each in names if each in found), None)
        if name is None or span not in found:
            continue
        value, window = found[name][1], found[span][1]
        number = module.number(window)
        return value, module.number(value), number * unit if number is not None else _seconds(module, window)
    return None


def _seconds(module: Module, branch: Branch) -> float | None:
    text = module.literal(module.resolved(branch))
    match = _SPAN.match(text) if text is not None else None
    if match is None:
        number = module.number(branch)
        return number / 1000 if number is not None else None
    unit = match[2].lower()
    return float(match[1]) * _UNITS["ms" if unit.startswith(("ms", "mil")) else unit[0]]


def plain_error(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault where a refused request becomes an ordinary error, which is answered with 500."""
    module: Module = it.facts["module"]
    if "429" in module.tree.source.text:
        return
    for call in module.calls:
        if not call.new or call.callee != "Error" or not call.arguments or call.branch.parent is None:
            continue
        if call.branch.parent.type != "throw_statement" or not _REFUSED.search(module.text(call.arguments[0])):
            continue
        if not file.project.partial:
            from .code_names import users

            if any("429" in text for _, text in users(file, module)):
                continue
        yield Fault(module.token(call.name), function=call.function)


def wide_allow_list(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each list of a sanitiser that lets through what can run, or more than the standard's."""
    module: Module = it.facts["module"]
    for call in module.calls:
        if not _is_sanitiser(module, call) or len(call.arguments) < 2:
            continue
        options, _ = module.entries(call.arguments[1])
        hosts = "allowedIframeHostnames" in options or "allowedIframeDomains" in options
        for name in (*_TAG_LISTS, *_ATTRIBUTE_LISTS):
            if name not in options:
                continue
            value = options[name][1]
            if module.text(value) == "false":
                yield Fault(module.token(value), message="everything", severity=ERROR, option=name)
                continue
            given = list(_listed(module, value))
            tags = name in _TAG_LISTS
            wrong = [(text, at) for text, at in given if _runs(text, tags) and not (hosts and text == "iframe")]
            if wrong:
                yield Fault(
                    module.token(wrong[0][1]), message="runs", severity=ERROR, option=name,
                    names=", ".join(text for text, _ in wrong),
                )  # fmt: skip
            elif file.project.elo:
                wanted = params["tags"] if tags else params["attributes"]
                extra = [(text, at) for text, at in given if text.lower() not in wanted]
                if extra:
                    yield Fault(
                        module.token(extra[0][1]), severity=ERROR, option=name, names=", ".join(t for t, _ in extra),
                        wanted=", ".join(wanted),
                    )  # fmt: skip


def _runs(text: str, tag: bool) -> bool:
    """Whether a tag or attribute runs code, or loads a page or a style of its choice."""
    lower = text.lower()
    return lower in _ALWAYS if tag else bool(re.match(r"on[a-z*]+\Z", lower)) or lower == "srcdoc"


def _listed(module: Module, value: Branch) -> Iterator[tuple[str, Branch]]:
    """The texts of a list; of the lists of a map (`{a: ["href"], "*": ["class"]}`)."""
    elements, _ = module.elements(value)
    entries, _ = module.entries(value)
    for each in [*elements, *(each for _, inner in entries.values() for each in module.elements(inner)[0])]:
        text = module.literal(each)
        if text is not None:
            yield text, each


def _is_sanitiser(module: Module, call: Call) -> bool:
    found = module.imports.get(call.callee.partition(".")[0])
    return found is not None and found.source.split("/")[0] in SANITISERS and (call.last != "addHook")


def regular_expression(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields one fault for a function that takes dangerous HTML out of a text with regular expressions."""
    module: Module = it.facts["module"]
    by_function: dict[str, list[Call]] = {}
    for call in module.calls:
        if call.last not in ("replace", "replaceAll") or not call.arguments or call.arguments[0].type != "regex":
            continue
        if _HTML.search(module.text(call.arguments[0])):
            by_function.setdefault(call.function, []).append(call)
    for function, calls in by_function.items():
        places = sorted((call.arguments[0] for call in calls), key=lambda each: each.start_byte)
        related = [(module.token(each), "and here") for each in places[1:4]]
        yield Fault(module.token(places[0]), related=related, function=function or "the module", count=len(places))


def without_document(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault where DOMPurify, which needs a document, is imported by code that runs on a server."""
    module: Module = it.facts["module"]
    text = module.tree.source.text
    if (
        "jsdom" in text
        or "happy-dom" in text
        or "linkedom" in text
        or "typeof window" in text
        or "typeof document" in text
    ):
        return
    found = next((each for each in module.from_package("dompurify")), None)
    if found is None or "use client" in module.directives:
        return
    package = file.project.package(file.path)
    if package is not None:
        if not package.scripts_known:
            raise Undecided("package.json is not known", module.token(found.branch))
        if not any(package.has(each) for each in _SERVERS):
            return
    elif not file.project.artifacts("next"):
        return
    source = next((branch for name, branch in module.sources if name == found.source), found.branch)
    yield Fault(module.token(source), name=found.source)


def target_without_rel(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault where links may name a target and nothing gives them `rel`."""
    module: Module = it.facts["module"]
    text = module.tree.source.text
    if "noopener" in text or "addHook" in text or "transformTags" in text:
        return
    for call in module.calls:
        if not _is_sanitiser(module, call) or len(call.arguments) < 2:
            continue
        options, _ = module.entries(call.arguments[1])
        for name in _ATTRIBUTE_LISTS:
            for value, at in _listed(module, options[name][1]) if name in options else ():
                if value.lower() == "target":
                    yield Fault(module.token(at), severity=WARNING if file.project.elo else None, option=name)
                    return
