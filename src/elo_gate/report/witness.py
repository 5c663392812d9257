"""Turns rules into rules that tell what they are asked and what they answer; the engine runs them like any other."""

from __future__ import annotations

from .. import engine
from ..inert import inert
from ..model import Fault, Item, Node, Undecided
from ..redact import mask
from ..ruleset.load import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ..gate import Run
    from ..model import Artifact
    from ..ruleset.load import Ruleset

# Answers of a rule about an item.
FINE, FAULT, UNDECIDED, SKIPPED, FAILED = "fine", "fault", "undecided", "not applicable", "failed"


class Look:
    """One rule's look at one item of a file; `path` is "" for the tree as a whole.

    `faults`: what it yielded, each with a place; `why`: of an undecided answer; `at`: where that points.
    """

    __slots__ = ("answer", "at", "faults", "item", "path", "rule", "why")

    def __init__(self, rule: Rule, item: Item, path: str) -> None:
        self.rule = rule
        self.item = item
        self.path = path
        self.answer = FINE
        self.faults: list[Fault] = []
        self.why = ""
        self.at: Node | Item | None = None

    def undecided(self, reason: Undecided) -> None:
        """Takes in that the rule cannot tell."""
        if not self.faults:
            self.answer = UNDECIDED
        self.why = reason.why
        self.at = reason.at

    def fault(self, fault: Fault) -> None:
        """Takes in what is wrong."""
        self.answer = FAULT
        self.faults.append(fault)


class Witness:
    """A ruleset that remembers: hand it to the engine instead of the ruleset it is made from; then read `looks`."""

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self.looks: list[Look] = []

    def of(self, kind: str) -> list[Rule]:
        """The rules of a kind, each wrapped."""
        return [self._watched(rule) for rule in self._ruleset.of(kind)]

    def _watched(self, rule: Rule) -> Rule:
        looks = self.looks

        def asked(body: Any, wanted: bool | None, answer: str) -> Any:
            """A body of the rule that notes its answer: a look where the answer is not the wanted one."""

            def ask(item: Item, params: dict[str, Any], file: Any) -> Any:
                look = Look(rule, item, file["path"])
                try:
                    found = body(item, params, file)
                except Undecided as reason:
                    look.undecided(reason)
                    looks.append(look)
                    raise
                except Exception:
                    look.answer = FAILED
                    looks.append(look)
                    raise
                if wanted is None:
                    if not found:
                        look.fault(Fault(item))
                    looks.append(look)
                elif bool(found) is not wanted:
                    look.answer = answer
                    looks.append(look)
                return found

            return ask

        def placed(item: Item, params: dict[str, Any], file: Any) -> Any:
            """The place of the fault that was just noted."""
            look = looks[-1]
            try:
                found = rule.at(item, params, file) if rule.at is not None else None
            except Undecided as reason:
                look.faults.clear()
                look.undecided(reason)
                raise
            if isinstance(found, (Node, Item)):
                look.faults[-1].at = found
            return found

        def checked(item: Item, artifact: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
            look = Look(rule, item, artifact.path)
            looks.append(look)
            try:
                for fault in engine.check_of(rule)(item, artifact, params) or ():
                    if isinstance(fault, Undecided):
                        look.undecided(fault)
                    else:
                        look.fault(fault)
                    yield fault
            except Undecided as reason:
                look.undecided(reason)
                raise
            except Exception:
                look.answer = FAILED
                raise

        return Rule(
            rule.id,
            rule.severity,
            rule.elo,
            rule.assumed,
            rule.standard,
            rule.select,
            asked(rule.when, True, SKIPPED) if rule.when is not None else None,
            asked(rule.test, None, "") if rule.test is not None else None,
            checked if rule.check is not None else None,  # type: ignore[arg-type]
            rule.params,
            placed if rule.at is not None else None,
            rule.messages,
            rule.fix,
            rule.edit,
        )


def watch(run: Run, artifacts: Iterable[Artifact]) -> tuple[Witness, engine.Outcome]:
    """Every look of every rule at some artifacts of a finished run, and what the engine makes of them."""
    witness = Witness(run.ruleset)
    outcome = engine.judge(artifacts, witness, run.policy.settings, mask)  # type: ignore[arg-type]
    return witness, outcome


def entries(value: Any) -> str:
    """How many there are of something."""
    return f"{len(value)} {'entry' if len(value) == 1 else 'entries'}"


def show(value: Any, secrets: frozenset[str] = frozenset(), name: str = "") -> str:
    """A value as one short text that may be shown: without secrets, neither known ones nor such as look like one."""
    from ..ruleset.evaluate import shown

    if isinstance(value, Item):
        own = value.facts.get("name")
        text = own if isinstance(own, str) else "present" if value.node else "absent"
    elif isinstance(value, Node) and value.kind in ("map", "seq", "choice"):
        text = f"{len(value.value)} alternatives" if value.kind == "choice" else entries(value.value)
    elif isinstance(value, (list, tuple, dict, set, frozenset)):
        text = entries(value)
    elif isinstance(value, Node) and value.kind == "unknown":
        text = f"unknown ({value.value})" if isinstance(value.value, str) and value.value else "unknown"
    elif value is None or (isinstance(value, Node) and not value):
        return "absent"
    elif isinstance(value, (str, int, float, Node)):
        text = shown(value, "empty")
    else:
        return "present"
    for secret in secrets:
        if secret in text:
            return "***"
    if name and mask(f"{name}={text}") != f"{name}={text}":
        text = mask(f"{name}={text}")[len(name) + 1 :]
    return inert(mask(text), 60)
