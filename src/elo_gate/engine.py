"""Turns a project and rules into findings: the only loop.

Rules of a kind are grouped by view, so that a view is computed once an artifact. A rule that raises, and a view
that does, is a failure: the run is then broken, never green. Nothing of an exception's text is kept.
"""

from __future__ import annotations

import sys

from .inert import inert
from .kinds import module_of
from .model import OFF, Fault, Finding, Item, Node, Undecided
from .patience import FILE, TREE, Overdue
from .project import WHOLE

MOST = 10_000  # findings of one rule in one file, or in the tree as a whole: nobody reads more

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .model import Artifact, Source
    from .ruleset.load import Rule, Ruleset

    # Per rule id: (severity or None, parameters).
    Settings = dict[str, tuple[str | None, dict[str, Any]]]


class Outcome:
    """What the loop found: findings, what could not be decided, what failed.

    `undecided` and `failures` are (rule id, path, line, why) tuples; `rules` counts the rules that looked. `origins`
    holds what a fix needs of a finding, (fault, item, artifact, parameters), where that was asked for.
    """

    __slots__ = ("findings", "undecided", "failures", "rules", "origins")

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.undecided: list[tuple[str, str, int, str]] = []
        self.failures: list[tuple[str, str, int, str]] = []
        self.rules: set[str] = set()
        self.origins: dict[Finding, tuple[Fault, Item, Artifact, dict[str, Any]]] | None = None


def judge(
    artifacts: Iterable[Artifact],
    ruleset: Ruleset,
    settings: Settings,
    mask: Callable[[str], str],
    origins: bool = False,
) -> Outcome:
    """Runs every rule on every artifact. `mask` makes a text safe to show; `origins` are kept only for fixes."""
    outcome = Outcome()
    if origins:
        outcome.origins = {}
    mask = _once(mask)
    plans: dict[str, list[tuple[str, list[tuple[Rule, dict[str, Any], str | None]]]]] = {}
    for artifact in artifacts:
        plan = plans.get(artifact.kind)
        if plan is None:
            plan = plans[artifact.kind] = _plan(ruleset.of(artifact.kind), settings, outcome)
        try:
            free = TREE if artifact.kind == WHOLE else FILE
            artifact.project.patience.spend(free, lambda one=artifact, its=plan: _judge_one(one, its, outcome, mask))
        except Overdue:
            outcome.failures.append(("engine", artifact.path or ".", 1, "it takes too long to judge; not judged"))
    outcome.findings.sort(key=lambda each: (each.source.path, each.start, each.end, each.rule.id, each.message))
    outcome.undecided.sort()
    outcome.failures.sort()
    return outcome


def _once(mask: Callable[[str], str]) -> Callable[[str], str]:
    """A mask that makes each text fit for a line once: the same names come again with every finding."""
    known: dict[str, str] = {}

    def safe(text: str) -> str:
        found = known.get(text)
        if found is None:
            found = known[text] = inert(mask(text), 120)
        return found

    return safe


def _plan(
    rules: list[Rule], settings: Settings, outcome: Outcome
) -> list[tuple[str, list[tuple[Rule, dict[str, Any], str | None]]]]:
    """The rules by view, with their parameters and configured severity; those that are off left out."""
    views: dict[str, list[tuple[Rule, dict[str, Any], str | None]]] = {}
    for rule in rules:
        severity, parameters = settings.get(rule.id, (None, {}))
        if severity == OFF:
            continue
        outcome.rules.add(rule.id)
        params = {**rule.params, **parameters} if parameters else rule.params
        views.setdefault(rule.select, []).append((rule, params, severity))
    return list(views.items())


def view(artifact: Artifact, name: str) -> list[Item]:
    """The items of a view of an artifact; "problems", which every kind has, are what its reader met."""
    found = artifact.views.get(name)
    if found is None:
        if artifact.kind == WHOLE:
            from .project.views import VIEWS as views
        else:
            views = module_of(artifact.kind).VIEWS
        found = problems(artifact) if name == "problems" and name not in views else views[name](artifact)
        artifact.views[name] = found
    return found


def problems(artifact: Artifact) -> list[Item]:
    """One item for each problem that lost a construct and not the file: code, message, at its place."""
    source = artifact.source
    return [
        Item(
            Node("scalar", source.text[each.start : each.end], source, each.start, each.end, "'"),
            {"code": each.code, "message": each.message},
        )
        for each in artifact.problems
        if not each.fatal
    ]


def _judge_one(
    artifact: Artifact,
    plan: list[tuple[str, list[tuple[Rule, dict[str, Any], str | None]]]],
    outcome: Outcome,
    mask: Callable[[str], str],
) -> None:
    file = {
        "path": artifact.path,
        "name": artifact.path.rpartition("/")[2],
        "environment": artifact.environment,
        "assumed": artifact.assumed,
        "as_of": artifact.project.as_of,
        "elo": artifact.project.elo,
    }
    found_of: dict[str, int] = {}
    for name, rules in plan:
        try:
            items = artifact.views.get(name)
            if items is None:
                items = view(artifact, name)
        except Undecided as reason:
            for rule, _, _ in rules:
                outcome.undecided.append((rule.id, artifact.path, _line(reason.at, artifact.source), reason.why))
            continue
        except Exception as error:
            for rule, _, _ in rules:
                why = f"the view '{name}' failed: {type(error).__name__}"
                outcome.failures.append((rule.id, artifact.path, 1, why))
            continue
        for item in items:
            for rule, params, severity in rules:
                if found_of.get(rule.id, 0) > MOST:
                    continue
                try:
                    if rule.when is not None and not rule.when(item, params, file):
                        continue
                    if rule.test is None:
                        faults = check_of(rule)(item, artifact, params) or ()
                    elif rule.test(item, params, file):
                        continue
                    else:
                        at = rule.at(item, params, file) if rule.at is not None else None
                        faults = (Fault(at if isinstance(at, (Node, Item)) and place_of(at) is not None else item),)
                    for fault in faults:
                        if isinstance(fault, Undecided):
                            at = fault.at if fault.at is not None else item
                            outcome.undecided.append((rule.id, artifact.path, _line(at, artifact.source), fault.why))
                        else:
                            found_of[rule.id] = found_of.get(rule.id, 0) + 1
                            if found_of[rule.id] > MOST:
                                why = f"it has more than {MOST} findings here; the others are not listed"
                                outcome.failures.append((rule.id, artifact.path, 1, why))
                                break
                            found = _finding(rule, fault, severity, artifact, mask, (item, params, file))
                            outcome.findings.append(found)
                            if outcome.origins is not None and rule.edit is not None:
                                outcome.origins[found] = (fault, item, artifact, params)
                except Undecided as reason:
                    at = reason.at if reason.at is not None else item
                    outcome.undecided.append((rule.id, artifact.path, _line(at, artifact.source), reason.why))
                except Exception as error:
                    why = f"the rule failed: {type(error).__name__}"
                    outcome.failures.append((rule.id, artifact.path, _line(item, artifact.source), why))


_checks: dict[str, Any] = {}


def check_of(rule: Rule) -> Any:
    """The Python body of a rule, its module imported on first use; `check` itself where it is one (report.witness)."""
    name = rule.check or ""
    found = _checks.get(name)
    if found is None:
        if callable(name):
            return name
        module, _, function = name.partition(":")
        full = f"elo_gate.checks.{module}"
        if full not in sys.modules:
            __import__(full)
        found = _checks[name] = getattr(sys.modules[full], function)
    return found


def place_of(at: Any) -> Node | None:
    """The node a place points to: an item's short token, a node itself; None for what is not in a file."""
    node = at.place if isinstance(at, Item) else at
    if isinstance(at, Item) and (not isinstance(node, Node) or not node.source.path):
        node = at.node
    return node if isinstance(node, Node) and node.source.path else None


def _line(at: Any, source: Source) -> int:
    node = place_of(at) if at is not None else None
    return node.source.position(node.start)[0] if node is not None and node.source.path == source.path else 1


def span(node: Node) -> tuple[Source, int, int]:
    """Where to point for a node: a scalar or key as a whole, a map or seq only its first line."""
    source, start, end = node.source, node.start, node.end
    if node.kind not in ("scalar", "unknown"):
        line_end = source.text.find("\n", start)
        if 0 <= line_end < end:
            end = line_end
    text = source.text
    while end > start + 1 and text[end - 1] in " \t\r\n":
        end -= 1
    return source, start, max(end, start)


def _finding(
    rule: Rule, fault: Fault, severity: str | None, artifact: Artifact, mask: Callable[[str], str], context: Any
) -> Finding:
    node = place_of(fault.at)
    if node is None:
        node = place_of(context[0])
    if node is None:
        node = Node("scalar", "", artifact.source, 0, 0)
    source, start, end = span(node)
    text, values = rule.messages[fault.message]
    fix_text, fix_values = rule.fix
    if rule.check is not None:
        found = values(fault.values) if values is not None else ()
        fixes = fix_values(fault.values) if fix_values is not None else ()
    else:
        found = values(*context) if values is not None else ()
        fixes = fix_values(*context) if fix_values is not None else ()
    arguments = [mask(value) for value in found]
    shown = [mask(value) for value in fixes]
    related = []
    for at, words in fault.related:
        other = place_of(at)
        if other is not None:
            related.append((*span(other), mask(words)))
    if severity is None:
        project = artifact.project
        severity = fault.severity or rule.severity
        if fault.severity is None:
            if project.elo and rule.elo:
                severity = rule.elo
            if artifact.assumed and rule.assumed:
                severity = rule.assumed
    finding = Finding(
        rule,
        severity,
        fill(text, arguments),
        fault.message,
        arguments,
        fill(fix_text, shown),
        source,
        start,
        end,
        related,
    )
    finding.fix_arguments = shown
    finding.environment = artifact.environment if not artifact.assumed else "assumed production"
    return finding


def fill(text: str, arguments: list[str]) -> str:
    """A template's `{0}`, `{1}` ... replaced."""
    for number, argument in enumerate(arguments):
        text = text.replace(f"{{{number}}}", argument, 1)
    return text
