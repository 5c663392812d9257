"""Turns a finished run, a rule and a file into what the rule answered there, item by item, and why it did not fire."""

from __future__ import annotations

import ast
import os

from .. import engine
from ..inert import inert
from ..model import OFF, Artifact, Node, Undecided
from ..redact import mask
from . import witness as seen
from .why import VALUED_KINDS, VALUES, Aside, beside, described, finding_at, hang, saw, secrets_of, subject, subjects
from .witness import Look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..gate import Run
    from ..ruleset.load import Rule
    from ..ruleset.schema import RuleFile

_MOST = 40
_FAR = 5000  # how many values of an item are followed to the files that they come from


def why_not(run: Run, identifier: str, path: str) -> str:
    """What a rule says about each thing it looks at in a file. The rule exists. Raises Aside where none looks."""
    severity, _ = run.policy.settings.get(identifier, (None, {}))
    if severity == OFF:
        raise Aside(f'{identifier} is off: the configuration says so (`[rule."{identifier}"] severity = "off"`)')
    kinds = [kind for kind in run.ruleset.kinds if any(rule.id == identifier for rule in run.ruleset.of(kind))]
    whole = "project" in kinds and run.project.whole() is not None
    artifact = beside(run, path) if whole else subject(run, path)
    if artifact.kind not in kinds and not whole:
        raise Aside(
            f"{identifier} looks at {' and '.join(kinds) or 'no kind of file'}, and {inert(path)} is of the kind "
            f"{artifact.kind}"
        )
    kind = artifact.kind if artifact.kind in kinds else "project"
    rule = next(each for each in run.ruleset.of(kind) if each.id == identifier)
    chosen = [each for each in subjects(run, artifact) if each.kind == kind]
    witness, outcome = seen.watch(run, chosen)
    looks = [look for look in witness.looks if look.rule.id == identifier]
    near = [look for look in looks if kind != "project" or _concerns(look, path)]
    written = _file_of(run, identifier)
    head = f"{identifier}  {run.ruleset.words(identifier)['title']}"
    lines = [head, f"{inert(path)}  {described(artifact)}"]
    for failed, where, _, reason in outcome.failures:
        if failed == identifier:
            lines += ["", f"the rule failed at {inert(where) or 'the tree'}: {reason}"]
    if not looks:
        stopped = [each for each in outcome.undecided if each[0] == identifier]
        lines.append("")
        if stopped:
            lines += hang("undecided  ", mask(stopped[0][3]))
        else:
            place = "the tree" if kind == "project" else "this file"
            lines.append(f"Its view '{rule.select}' is empty: {place} has nothing of what the rule looks at.")
    elif not near:
        lines += ["", f"None of the {len(looks)} things that the rule looks at ('{rule.select}') concerns this file."]
    for look in near[:_MOST]:
        lines.append("")
        lines += _look(look, rule, written, artifact, run)
    if len(near) > _MOST:
        lines += ["", f"and {len(near) - _MOST} more of the same view"]
    return "\n".join(each.rstrip() for each in lines) + "\n"


def _concerns(look: Look, path: str) -> bool:
    """Whether an item of the whole tree has to do with a file; one without any place has to do with all."""
    paths: set[str] = set()
    stack: list[Any] = [look.item, *look.faults]
    met: set[int] = set()
    while stack and len(met) < _FAR:
        each = stack.pop()
        if id(each) in met:
            continue
        met.add(id(each))
        if isinstance(each, Node):
            if each.source.path:
                paths.add(each.source.path)
        elif isinstance(each, Artifact):
            if each.path:
                paths.add(each.path)
        elif isinstance(each, dict):
            stack += each.values()
        elif isinstance(each, (list, tuple, set)):
            stack += each
        elif type(each).__module__.startswith("elo_gate.") and type(each).__name__ not in ("Project", "Source"):
            stack += [getattr(each, name, None) for name in getattr(type(each), "__slots__", ())]
    return path in paths or not paths


def _look(look: Look, rule: Rule, written: RuleFile | None, artifact: Artifact, run: Run) -> Iterator[str]:
    place = engine.place_of(look.item)
    where = f"{inert(place.source.path)}:{place.source.position(place.start)[0]}" if place is not None else "the tree"
    secrets = secrets_of(artifact)
    yield f"{look.rule.select}  {where}"
    facts = saw(look.item, artifact.kind if look.path else "", secrets)
    if facts:
        yield from hang("  saw        ", facts)
    if look.answer == seen.SKIPPED:
        yield from hang(
            "  not for it ", f"`when: {_one_line(written.when)}` is false" if written else "its `when` is false"
        )
        yield from _values(written.when if written else None, look, artifact, run, secrets)
    elif look.answer == seen.UNDECIDED:
        yield from hang("  undecided  ", mask(look.why))
        yield from _values(_asserted(written), look, artifact, run, secrets)
    elif look.answer == seen.FAILED:
        yield "  failed     the rule raised an error here"
    elif look.answer == seen.FAULT:
        yield from _fired(look, run)
    elif rule.test is not None:
        yield from hang(
            "  fine       ", f"`assert: {_one_line(_asserted(written))}` is true" if written else "it holds"
        )
        yield from _values(_asserted(written), look, artifact, run, secrets)
    else:
        yield f"  fine       {written.check if written else 'its check'} looked and found nothing wrong"


def _fired(look: Look, run: Run) -> Iterator[str]:
    for fault in look.faults:
        place = engine.place_of(fault.at) or engine.place_of(look.item)
        if place is None:
            continue
        line = place.source.position(place.start)[0]
        finding, let_pass = finding_at(run, look.rule.id, place)
        if finding is not None and let_pass:
            reason = getattr(finding.suppressed, "reason", "") or "no reason is given"
            yield from hang("  let pass   ", mask(f"it fires at {place.source.path}:{line}, and is let pass: {reason}"))
        else:
            yield f"  fires      at {inert(place.source.path)}:{line}"


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _asserted(written: RuleFile | None) -> str | None:
    return written.assert_ if written is not None else None


# -- the values of an expression's names


def _file_of(run: Run, identifier: str) -> RuleFile | None:
    """The rule as it is written: the built-in ones lie beside the compiled ones, a user's own where the policy says."""
    from ..ruleset.compile import read_rule
    from ..ruleset.load import RuleError, data_dir

    for folder in (data_dir("rules"), *run.policy.rules):
        path = os.path.join(folder, identifier + ".yaml")
        if os.path.isfile(path):
            try:
                return read_rule(identifier, path)
            except RuleError:
                return None
    return None


def _values(expression: str | None, look: Look, artifact: Artifact, run: Run, secrets: frozenset[str]) -> Iterator[str]:
    """Each name that the expression reads, with its value at this item, masked."""
    if not expression:
        return
    for name in names_in(expression):
        yield from hang("             ", f"{name} is {_value(name, look, artifact, run, secrets)}")


def names_in(expression: str) -> list[str]:
    """The longest accesses of an expression that begin at `it`, `params` or `file`, in order, each once."""
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except SyntaxError:
        return []
    found: dict[str, None] = {}

    def rooted(node: ast.AST) -> bool:
        while isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
        return isinstance(node, ast.Name) and node.id in ("it", "params", "file")

    def visit(node: ast.AST) -> None:
        if isinstance(node, (ast.Attribute, ast.Subscript, ast.Name)) and rooted(node):
            found[ast.unparse(node)] = None
            return
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return list(found)


def _value(name: str, look: Look, artifact: Artifact, run: Run, secrets: frozenset[str]) -> str:
    """The value of one access. Its source is translated like a rule's: nothing else can stand in it."""
    from ..ruleset.evaluate import NAMES
    from ..ruleset.expr import ExpressionError, translate

    if name.rpartition(".")[2] in VALUES or (artifact.kind in VALUED_KINDS and name == "it"):
        return "not shown"
    _, parameters = run.policy.settings.get(look.rule.id, (None, {}))
    names = {
        "it": look.item,
        "params": {**look.rule.params, **parameters},
        "file": {
            "path": look.path,
            "name": look.path.rpartition("/")[2],
            "environment": artifact.environment,
            "assumed": artifact.assumed,
            "as_of": run.project.as_of,
            "elo": run.project.elo,
        },
    }
    try:
        value = eval(translate(name), dict(NAMES), names)
    except Undecided as reason:
        return f"unknown ({mask(reason.why)})"
    except (ExpressionError, SyntaxError, ValueError, TypeError, AttributeError):
        return "not known"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, (list, tuple)) and all(isinstance(each, (str, int)) for each in value):
        return inert(mask(", ".join(map(str, value))), 240) or "an empty list"
    own = look.item.facts.get("name")
    return seen.show(value, secrets, own if isinstance(value, Node) and isinstance(own, str) else "")
