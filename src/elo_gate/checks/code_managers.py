"""Judges the modules that back up, restore and roll back: needed on the worst day, tried on no other."""

from __future__ import annotations

import re

from ..kinds.code import ROLLBACK
from ..kinds.code_module import FUNCTIONS, below, inside, is_empty
from ..model import SCALAR, Fault, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tree_sitter import Node as Branch

    from ..kinds.code_module import Call, Class, Module
    from ..model import Artifact, Item

    Answers = Iterator[Fault | Undecided]

_OWN = re.compile(r"this\.(#?\w+)\Z")
_DEED = re.compile(
    r"backup|restore|rollback|roll_back|deploy|stop|start|migrat|dump|upload|snapshot|check|notify|alert|exec|spawn|"
    r"drain|scale|switch|verify|prune|clean",
    re.I,
)
_TELLS = re.compile(r"[_#]?(?:log|print|on|handle|show|warn|debug|trace)(?![a-z])", re.I)
# The steps of a rollback by the words of their names: `restoreFromBackup` restores, `findBackup` does neither.
_STEPS = (
    ("restore", re.compile(r"restore|revertDatabase|rollbackDatabase|migrateDown", re.I)),
    (
        "",
        re.compile(
            r"(?:find|get|list|download|load|select|verify|delete|fetch|validate|prune|clean\w*|upload)\w*backup", re.I
        ),
    ),
    ("backup", re.compile(r"backup|snapshot|dump", re.I)),
    ("stop", re.compile(r"^stop|shutdown|drain|enterMaintenance|pause|scaleDown", re.I)),
    ("deploy", re.compile(r"^(?:re)?deploy|promote|activateVersion|switchVersion", re.I)),
    ("start", re.compile(r"^(?:re)?start|resume|scaleUp", re.I)),
    ("check", re.compile(r"health|smoke|^verify|^probe", re.I)),
    ("notify", re.compile(r"^notif|slack|announce|informTeam|alertTeam", re.I)),
)
_BUILT_IN = frozenset(("constructor", "toString", "valueOf", "hasOwnProperty", "toJSON", "isPrototypeOf"))
_TOLD = re.compile(r"notif|alert|capture|report|slack|page\w*\(|emit\(", re.I)
_MASK = re.compile(r"\*|redact|hidden|mask|xxx|\.\.\.|secret", re.I)
_ADDRESS = re.compile(r"(?:URL|URI|DSN|CONNECTION)\w*$|(?:url|uri|dsn|connection\w*)$", re.I)


def undefined_step(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a class that calls methods of its own which it does not have."""
    module: Module = it.facts["module"]
    text = module.tree.source.text
    for each in module.classes:
        if (
            each.extends
            or "Object.assign(this" in text
            or "prototype" in text
            or "interface " + _name(module, each) in text
        ):
            continue
        missing: dict[str, Call] = {}
        for call in module.calls_in(each.branch):
            match = _OWN.match(call.callee)
            name = match[1] if match is not None else None
            if name is None and each.name is not None and call.callee.startswith(_name(module, each) + "."):
                name = call.callee.rpartition(".")[2] if call.callee.count(".") == 1 else None
            if name is None or name in each.members or name in missing or name in _BUILT_IN or call.within is not each:
                continue
            missing[name] = call
        if missing and not _has_heirs(file, _name(module, each)):
            calls = list(missing.values())
            related = [(module.token(call.name), "and this") for call in calls[1:]]
            yield Fault(
                module.token(calls[0].name),
                related=related,
                names="', '".join(missing),
                name=_name(module, each) or "the class",
            )


def _name(module: Module, each: Class) -> str:
    return module.text(each.name) if each.name is not None else ""


def _has_heirs(file: Artifact, name: str) -> bool:
    """Whether a class of JavaScript, which has no abstract methods, is one that others complete."""
    if not file.path.endswith((".js", ".mjs", ".cjs")) or not name:
        return False
    paths = file.project.programs or [file.path]
    return any(re.search(rf"extends\s+{re.escape(name)}\b", file.project.text(path) or "") for path in paths)


def stub(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for steps that are called and do nothing."""
    module: Module = it.facts["module"]
    called = {call.last for call in module.calls}
    found: list[tuple[str, Branch]] = []
    for name, branch in _functions(module):
        target = branch.child_by_field_name("name") or (
            branch.parent.child_by_field_name("name") if branch.parent is not None else None
        )
        if (
            target is not None
            and _DEED.search(name)
            and (name in called or name in module.exports)
            and _does_nothing(module, branch)
        ):
            found.append((name, target))
    if found:
        related = [(module.token(target), "and this") for _, target in found[1:]]
        yield Fault(module.token(found[0][1]), related=related, names="', '".join(name for name, _ in found))


def _functions(module: Module) -> Iterator[tuple[str, Branch]]:
    for each in module.classes:
        for name, member in each.members.items():
            if member.type == "method_definition":
                yield name, member
    for name, branch in module.functions.items():
        if branch.type != "method_definition":
            yield name, branch


def _does_nothing(module: Module, function: Branch) -> bool:
    """Whether a body is empty, or only writes to the console."""
    if is_empty(function):
        return True
    body = function.child_by_field_name("body")
    statements = [each for each in body.named_children if each.type != "comment"] if body is not None else []
    if body is None or body.type != "statement_block":
        return False
    return all(
        each.type == "expression_statement" and re.match(r"console\.\w+\(", module.text(each)) for each in statements
    )


def swallowed(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault where a failed step ends in a function that returns as if it had not."""
    module: Module = it.facts["module"]
    for catch in module.catches:
        attempt = catch.parent
        tried = attempt.child_by_field_name("body") if attempt is not None else None
        body = catch.child_by_field_name("body")
        if tried is None or body is None or not _acts(module, tried):
            continue
        if any(True for _ in below(body, ("throw_statement",))):
            continue
        words = module.text(body)
        if re.search(r"\breturn\s+[^;\s}]|process\.exit|exitCode|reject\(|next\(\s*\w", words):
            continue
        if _goes_on(module, attempt):
            continue
        if ROLLBACK not in it.facts["roles"] and _TOLD.search(words):
            continue  # A backup that is run by a clock has nobody above it; somebody is told.
        start = module.tree.start(catch)
        keyword = Node(SCALAR, "catch", module.tree.source, start, start + len("catch"), "'")
        yield Fault(keyword, function=_around(module, catch))


def _acts(module: Module, tried: Branch) -> bool:
    return any(
        (call.awaited and _DEED.search(call.last)) or call.last in ("execSync", "execFileSync", "spawnSync")
        for call in module.calls_in(tried)
    )


def _goes_on(module: Module, attempt: Branch | None) -> bool:
    """Whether the failure is still seen: the next of many is tried, or the function ends with another result."""
    outer = attempt.parent if attempt is not None else None
    while outer is not None and outer.type not in FUNCTIONS:
        if outer.type in ("for_statement", "for_in_statement", "while_statement", "do_statement"):
            return True
        outer = outer.parent
    if outer is None or attempt is None:
        return False
    after = module.tree.source.text[module.tree.end(attempt) : module.tree.end(outer)]
    return re.search(r"\breturn\s+[^;\s}]|\bthrow\b", after) is not None


def _around(module: Module, branch: Branch) -> str:
    inner = [(name, each) for name, each in _functions(module) if inside(branch, each)]
    return max(inner, key=lambda pair: pair[1].start_byte)[0] if inner else "the module"


def step_order(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault where a rollback takes its steps in an order that loses data or tells too early."""
    module: Module = it.facts["module"]
    for _, function in _functions(module):
        steps: list[tuple[str, Call]] = []
        for call in module.calls_in(function):
            if call.owner == function and (call.awaited or call.callee.startswith("this.")) and not call.caught:
                kind = next((step for step, words in _STEPS if words.search(call.last)), None)
                if kind:
                    steps.append((kind, call))
        kinds = [kind for kind, _ in steps]
        if len(set(kinds)) < 3:
            continue
        # Whether the application runs while it is saved is the standard's choice; that it is saved at all is not.
        first = ("stop", "restore", "deploy") if file.project.elo else ("restore", "deploy")
        for later, earlier in (("backup", first), ("check", ("notify",))):
            if later not in kinds:
                continue
            at = kinds.index(later)
            before = next((call for kind, call in steps[:at] if kind in earlier), None)
            if before is not None:
                yield Fault(
                    module.token(steps[at][1].name),
                    related=[(module.token(before.name), "this comes first")],
                    message=later,
                    step=steps[at][1].last,
                    before=before.last,
                )
        if "restore" in kinds and "backup" not in kinds:
            call = next(call for kind, call in steps if kind == "restore")
            yield Fault(module.token(call.name), message="none", severity="warning", step=call.last)


def redaction(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault where credentials are taken out of addresses with a regular expression."""
    module: Module = it.facts["module"]
    found = []
    for call in module.calls:
        if call.last != "replace" or len(call.arguments) < 2 or call.arguments[0].type != "regex":
            continue
        words = module.text(call.arguments[0])
        if not _MASK.search(module.text(call.arguments[1])):
            continue
        if "@" in words and ("/" in words[1:-1] or ":" in words) and _ADDRESS.search(call.callee.rpartition(".")[0]):
            found.append(call)
    if found:
        related = [(module.token(call.arguments[0]), "and here") for call in found[1:]]
        yield Fault(module.token(found[0].arguments[0]), related=related, name=found[0].callee.rpartition(".")[0][-60:])
