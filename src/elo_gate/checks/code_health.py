"""Judges the health route of a Next.js application: what everything that keeps the service running believes."""

from __future__ import annotations

import re

from ..kinds.code_module import FUNCTIONS, below, inside
from ..kinds.next import release
from ..model import ERROR, Fault, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tree_sitter import Node as Branch

    from ..kinds.code_module import Call, Module
    from ..model import Artifact, Item

    Answers = Iterator[Fault | Undecided]

# What makes a GET handler of Next.js 14 run for each request:
# https://nextjs.org/docs/14/app/building-your-application/routing/route-handlers#opting-out-of-caching
_PER_REQUEST = ("cookies", "headers", "connection", "noStore", "unstable_noStore", "draftMode")
_RESPONSES = ("NextResponse.json", "Response.json", "Response", "NextResponse")
_HEAVY = ("count", "findMany", "aggregate", "groupBy", "countDocuments", "estimatedDocumentCount", "findAll")
_HEAVY_SQL = re.compile(r"\bcount\s*\(|\bselect\s+\*\s+from\b(?![^;]*\blimit\s+1\b)", re.I)
_QUERIES = ("query", "execute", "$queryRaw", "$queryRawUnsafe", "raw", "unsafe", "sql")
_STORES = re.compile(
    r"^(?:this\.)?(?:\w*(?:prisma|db|database|pool|pg|mysql|mongo|mongoose|redis|knex|drizzle|sequelize|kysely|sql)\w*)"
    r"(?:\(\))?\.",
    re.I,
)
_BOUNDED = re.compile(r"time_?out|Promise\.race|AbortSignal|AbortController|\bsignal\b|deadline", re.I)
_GUARDED = re.compile(r"authorization|x-api-key|x-health|bearer|getServerSession|\bauth\(|verify(?:Token|Secret)", re.I)


def handler(module: Module) -> tuple[Branch | None, Branch | None]:
    """(the function that answers GET, its name): a route handler's GET, an API route's default export."""
    name = module.exports.get("GET")
    if name is not None:
        return module.functions.get("GET"), name
    name = module.exports.get("default")
    if name is not None and "pages/api/" in module.tree.source.path:
        return (name if name.type in FUNCTIONS else module.functions.get(module.text(name))), name
    return None, None


def cached(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a handler whose answer is made once, by `next build`, and then repeated."""
    module: Module = it.facts["module"]
    function, name = handler(module)
    if name is None or "GET" not in module.exports:
        return
    mode = module.literal(module.constant("dynamic"))
    if mode in ("force-static", "error"):
        value = module.constant("dynamic")
        if value is not None:
            yield Fault(module.node(value), message="forced", mode=mode)
        return
    if function is None or "dynamic" in module.exports or "revalidate" in module.exports:
        return
    if any(each in module.exports for each in ("POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")):
        return
    if not any(True for _ in below(function, ("await_expression",))):
        return  # An answer that depends on nothing may be made once.
    parameters = function.child_by_field_name("parameters")
    if parameters is not None and parameters.named_child_count:
        return
    if any(call.callee in _PER_REQUEST for call in module.calls_in(function)):
        return
    major = release(file.project.package(file.path))["major"]
    if major is None:
        raise Undecided("the version of Next.js is not known", module.token(name))
    if 13 <= major <= params["last"]:
        yield Fault(module.token(name), major=major)


def failure_status(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each failure branch that answers with something else than 503."""
    module: Module = it.facts["module"]
    function, _ = handler(module)
    if function is None:
        return
    for catch in module.catches:
        if not inside(catch, function):
            continue
        for call, status in _responses(module, catch):
            place = module.token(call.name)
            if status is None:
                yield Fault(place, message="success", severity=ERROR)
                continue
            number = module.number(status)
            if number is None:
                yield Undecided("the status is computed", module.node(status))
            elif number < 400:
                yield Fault(module.token(status), message="status", severity=ERROR, status=int(number))
            elif number != 503:
                yield Fault(module.token(status), status=int(number))


def leak(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault where an answer tells what was caught."""
    module: Module = it.facts["module"]
    function, _ = handler(module)
    if function is None or _GUARDED.search(module.text(function)):
        return
    for catch in module.catches:
        parameter = catch.child_by_field_name("parameter")
        if not inside(catch, function) or parameter is None or parameter.type != "identifier":
            continue
        name = module.text(parameter)
        for call, _ in _responses(module, catch):
            branch = _tells(module, call.arguments[0], name) if call.arguments else None
            if branch is not None:
                yield Fault(module.token(branch), told=module.text(branch)[:60])
                return


def heavy_query(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault where the route reads tables to see whether the database answers."""
    module: Module = it.facts["module"]
    function, _ = handler(module)
    if function is None:
        return
    for call in module.calls_in(function):
        heavy = call.last in _HEAVY and _STORES.match(call.callee) is not None
        if not heavy and (call.last in _QUERIES or call.callee in ("sql", "query")):
            words = " ".join(module.text(each) for each in call.arguments[:1])
            template = call.branch.child_by_field_name("arguments")
            if template is not None and template.type == "template_string":
                words = module.text(template)
            heavy = _HEAVY_SQL.search(words) is not None
        if heavy:
            yield Fault(module.token(call.name), call=call.callee)
            return


def unbounded(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault where the route waits for a store and nothing in the file bounds the wait."""
    module: Module = it.facts["module"]
    function, _ = handler(module)
    if function is None or _BOUNDED.search(module.tree.source.text):
        return
    waits = [call for call in module.calls_in(function) if call.awaited and _STORES.match(call.callee)]
    if waits:
        related = [(module.token(call.name), "and here") for call in waits[1:3]]
        yield Fault(module.token(waits[0].name), related=related, call=waits[0].callee)


def stored(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault where no answer of the route forbids caches to keep it."""
    module: Module = it.facts["module"]
    function, name = handler(module)
    text = module.tree.source.text.lower()
    if function is None or name is None or "cache-control" in text or "no-store" in text:
        return
    if not any(True for _ in below(function, ("await_expression",))):
        return
    for artifact in file.project.artifacts("next"):
        if "cache-control" in artifact.source.text.lower():
            raise Undecided("the configuration of Next.js sets Cache-Control for some paths", module.token(name))
    yield Fault(module.token(name), name=module.text(name))


def _responses(module: Module, within: Branch) -> Iterator[tuple[Call, Branch | None]]:
    """(the call that makes a response, its status or None) within a branch."""
    for call in module.calls_in(within):
        if call.callee in _RESPONSES:
            if call.callee in ("Response", "NextResponse") and not call.new:
                continue
            if len(call.arguments) < 2:
                yield call, None
                continue
            found, whole = module.entries(call.arguments[1])
            if "status" in found:
                yield call, found["status"][1]
            elif whole:
                yield call, None
        elif call.last in ("json", "send", "end") and "pages/api/" in module.tree.source.path:
            match = re.search(r"\bstatus\((\w+)\)\.\w+$", call.callee)
            if match is not None:
                inner = next(
                    (each for each in module.calls if each.last == "status" and inside(each.branch, call.branch)), None
                )
                if inner is not None and inner.arguments:
                    yield call, inner.arguments[0]


def _tells(module: Module, branch: Branch, name: str) -> Branch | None:
    """Where an expression puts what was caught, or its message or stack, into a value."""
    words = ("identifier", "shorthand_property_identifier")
    for each in [branch] if branch.type in words else below(branch, words):
        outer = each.parent
        if module.text(each) != name or outer is None or outer.type in ("binary_expression", "unary_expression"):
            continue
        told = each
        if outer.type == "member_expression":
            field = outer.child_by_field_name("property")
            if field is None or module.text(field) not in ("message", "stack", "cause", "toString"):
                continue
            told = outer
        if not _asked_only(module, each, branch):
            return told
    return None


def _asked_only(module: Module, each: Branch, top: Branch) -> bool:
    """Whether a name stands in the condition of a choice, or in one that is made by NODE_ENV."""
    outer = each.parent
    while outer is not None and inside(outer, top):
        if outer.type == "ternary_expression":
            condition = outer.child_by_field_name("condition")
            if condition is not None and (inside(each, condition) or "NODE_ENV" in module.text(condition)):
                return True
        outer = outer.parent
    return False
