"""Judges how an application reports its errors: with an interface that exists, masked, and from where it runs."""

from __future__ import annotations

import re

from ..model import Fault, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.code_module import Call, Module
    from ..model import Artifact, Item

    Answers = Iterator[Fault | Undecided]

_REPLAYS = ("Replay", "replayIntegration")
_IN_BROWSER = ("Replay", "replayIntegration", "BrowserTracing", "browserTracingIntegration", "feedbackIntegration")
_COMPONENTS = ("Component", "PureComponent", "React.Component", "React.PureComponent")
_VARIABLE = re.compile(r"process\.env\.(\w+)!?\Z")


def removed_interface(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each use of what the SDK's installed major release no longer has."""
    module: Module = it.facts["module"]
    table = file.project.table("sdk-removed")
    package = file.project.package(file.path)
    for call in module.calls:
        found = _removed(module, call, table)
        if found is None:
            continue
        entry, source = found
        values = {
            "call": ("new " if call.new else "") + call.callee, "package": source, "instead": entry["instead"],
            "since": f"{entry['removed']}.0.0",
        }  # fmt: skip
        major = _major(package, source)
        if major is not None:
            if major >= int(entry["removed"]):
                yield Fault(module.token(call.name), version=major, **values)
            continue
        if package is not None:
            yield Undecided(f"the version of {source} is not known", module.token(call.name))
            continue
        yield Fault(module.token(call.name), message="unpinned", day=table["releases"][str(entry["removed"])], **values)


def _removed(module: Module, call: Call, table: Any) -> tuple[Any, str] | None:
    """(what the table says of a call, the package it comes from)."""
    head, _, rest = call.callee.partition(".")
    found = module.imports.get(head)
    if found is None or found.type_only or not found.source.startswith("@sentry/"):
        return None
    path = rest if found.name in ("*", "default") else ".".join(each for each in (found.name, rest) if each)
    for entry in table["interfaces"]:
        name = entry["name"]
        if bool(entry.get("new")) == call.new and (path == name or name.endswith(".*") and path.startswith(name[:-1])):
            return entry, "/".join(found.source.split("/")[:2])
    return None


def _major(package: Any, name: str) -> int | None:
    """The major release that is installed: of the exact version, else of a range that stays within one."""
    if package is None:
        return None
    version = package.version(name)
    if version is not None:
        return int(version.partition(".")[0])
    wanted = package.range(name) or ""
    match = re.match(r"[\^~]?v?(\d+)(?:\.[\dx*]+){0,2}\Z", wanted.strip())
    return int(match[1]) if match is not None else None


def sample_rate(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault where more requests are traced than production needs."""
    module: Module = it.facts["module"]
    for call in _set_up(module):
        found, _ = module.entries(call.arguments[0] if call.arguments else None)
        if "tracesSampleRate" in found:
            value = found["tracesSampleRate"][1]
            rate = module.number(value)
            if rate is not None and rate > params["most"]:
                yield Fault(module.token(value), rate=module.text(value), most=params["most"])


def unmasked_replay(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault where session replay records texts or media as people see them."""
    module: Module = it.facts["module"]
    for call in module.calls:
        if call.last not in _REPLAYS or not _from_sentry(module, call) or not call.arguments:
            continue
        found, _ = module.entries(call.arguments[0])
        off = [name for name in ("maskAllText", "blockAllMedia", "maskAllInputs") if _is_false(module, found, name)]
        if off:
            related = [(module.token(found[name][0]), "and here") for name in off[1:]]
            yield Fault(module.token(found[off[0]][0]), related=related, options=", ".join(off))


def _is_false(module: Module, found: Any, name: str) -> bool:
    return name in found and module.text(found[name][1]) == "false"


def dsn_not_in_browser(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault where what runs in the browser is set up with a variable that the browser does not get."""
    module: Module = it.facts["module"]
    for call in _set_up(module):
        source = module.imports[call.callee.partition(".")[0]].source
        if not source.startswith("@sentry/nextjs") or not call.arguments:
            continue
        words = module.text(call.arguments[0])
        used = next((name for name in _IN_BROWSER if re.search(rf"\b{name}\b", words)), None)
        found, _ = module.entries(call.arguments[0])
        if used is None or "dsn" not in found:
            continue
        match = _VARIABLE.match(module.text(found["dsn"][1]))
        if match is None or match[1].startswith("NEXT_PUBLIC_"):
            continue
        if any(match[1] in artifact.source.text for artifact in file.project.artifacts("next")):
            raise Undecided("the configuration of Next.js may give the variable to the browser")
        yield Fault(module.token(found["dsn"][1]), name=match[1], used=used)


def _set_up(module: Module) -> list[Call]:
    """The calls of Sentry's `init`."""
    return [call for call in module.calls if call.last == "init" and _from_sentry(module, call)]


def _from_sentry(module: Module, call: Call) -> bool:
    found = module.imports.get(call.callee.partition(".")[0])
    return found is not None and found.source.startswith("@sentry/")


def broken_boundary(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for an error boundary that never comes to show what it has for errors."""
    module: Module = it.facts["module"]
    for each in module.classes:
        if "componentDidCatch" not in each.members or each.name is None or not each.extends:
            continue
        if "getDerivedStateFromError" in each.members or each.extends.rpartition(".")[2] not in (
            "Component",
            "PureComponent",
        ):
            continue
        caught = module.text(each.members["componentDidCatch"])
        if "setState" in caught:
            continue
        body = module.text(each.branch)
        related = []
        message = "default"
        if "state" not in each.members and "this.state." in body:
            message = "stateless"
            reads = [branch for text, branch in module.members if text.startswith("this.state.")]
            related = [(module.token(branch), "this reads a property of undefined") for branch in reads[:1]]
        yield Fault(module.token(each.name), related=related, message=message, name=module.text(each.name))


def console_only(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a module that measures and tells only the console."""
    module: Module = it.facts["module"]
    told = [call for call in module.calls if call.callee in ("console.log", "console.info", "console.debug")]
    sinks = re.compile(r"report|track|capture|send|beacon|record|observe|histogram|metric|emit|gauge|span|logger", re.I)
    if not told or any(not each.type_only for each in module.imports.values()):
        return
    if any(sinks.search(call.callee) or call.callee == "fetch" for call in module.calls):
        return
    yield Fault(module.token(told[0].name), call=told[0].callee)
