"""Turns findings into the changes their rules know how to write."""

from __future__ import annotations

import sys

from .edit import SAFE, Change, Edit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ..model import Artifact, Fault, Finding, Item

    # What the engine keeps of a finding for its fix: see engine.Outcome.
    Origin = tuple[Fault, Item, Artifact, dict[str, Any]]
    Body = Callable[[Fault, Item, Artifact, dict[str, Any]], Iterable[Edit]]

_bodies: dict[str, Any] = {}


def body_of(name: str) -> Body:
    """The function `module:function` of this package, its module imported on first use."""
    found = _bodies.get(name)
    if found is None:
        module, _, function = name.partition(":")
        full = f"elo_gate.fixes.{module}"
        if full not in sys.modules:
            __import__(full)
        found = _bodies[name] = getattr(sys.modules[full], function)
    body: Body = found
    return body


def change_of(finding: Finding, origin: Origin | None) -> Change | None:
    """What would mend a finding; None when its rule, or the rule here, knows nothing that is certain.

    A function that raises proposes nothing: a finding without a fix is still a finding.
    """
    edit = finding.rule.edit
    if edit is None or origin is None:
        return None
    try:
        edits = list(body_of(edit[1])(*origin))
    except Exception:
        return None
    edits = [each for each in edits if each.text != each.source.text[each.start : each.end]]
    return Change(finding, edit[0], edits) if edits else None


def changes(findings: Iterable[Finding], origins: dict[Finding, Origin], unsafe: bool) -> list[Change]:
    """The changes for some findings, in their order; those that are not safe only when asked for."""
    found = []
    for finding in findings:
        change = change_of(finding, origins.get(finding))
        if change is not None and (unsafe or change.safety == SAFE):
            found.append(change)
    return found
