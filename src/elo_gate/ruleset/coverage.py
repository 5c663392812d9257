"""Turns the table of the standard's rows and the rules that exist into docs/coverage.md.

`python -m elo_gate.ruleset.coverage > docs/coverage.md`; what has no answer is named on stderr.
"""

from __future__ import annotations

import sys

from .load import Ruleset, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_ROWS = ("S", 91), ("C", 38)
_HEADS = (
    ("S01", "Objectives"), ("S05", "Environment file"), ("S14", "Next.js build"), ("S18", "PostgreSQL"),
    ("S21", "Vercel"), ("S28", "Railway"), ("S33", "Docker and Compose"), ("S41", "Kubernetes"), ("S48", "Pipelines"),
    ("S56", "Observation"), ("S60", "Application security"), ("S64", "Backup"), ("S67", "Rollback"),
    ("S70", "Checklist of a release"), ("S86", "Continuously"), ("C01", "Across files"),
)  # fmt: skip


def rows() -> list[str]:
    """The names of all rows of the catalogue, in order."""
    return [f"{letter}{number:02}" for letter, last in _ROWS for number in range(1, last + 1)]


def gaps(ruleset: Ruleset) -> list[str]:
    """What the table leaves open, in words: rows without an answer, ids without a rule, rules without a row."""
    table = ruleset.table("coverage") or {}
    known, listed = set(ruleset.ids), table.get("rows", {})
    found = [f"{name}: no such row in rules/data/coverage.yaml" for name in rows() if name not in listed]
    found += [f"{name}: the catalogue has no such row" for name in listed if name not in rows()]
    for name, row in listed.items():
        found += [f"{name}: there is no rule '{rule}'" for rule in row.get("rules", ()) if rule not in known]
        if not any(row.get(key) for key in ("rules", "step", "people")):
            found.append(f"{name}: neither a rule, nor a step, nor people answer for it")
        if row.get("people") and not row.get("standard"):
            found.append(f"{name}: `people` needs `standard`, the clauses it stands under")
        found += [
            f"{name}: there is no clause '{each}'" for each in row.get("standard", ()) if each not in ruleset.clauses
        ]
    for folder, part in table.get("beyond", {}).items():
        found += [
            f"beyond: there is no rule '{folder}/{name}'" for name in part["rules"] if f"{folder}/{name}" not in known
        ]
    found += [f"{rule}: in no row, and not listed under `beyond`" for rule in unmapped(ruleset)]
    return found


def unmapped(ruleset: Ruleset) -> list[str]:
    """The rules that are in no row and not listed as beyond the catalogue."""
    table = ruleset.table("coverage") or {}
    listed = {rule for row in table.get("rows", {}).values() for rule in row.get("rules", ())}
    listed.update(f"{folder}/{name}" for folder, part in table.get("beyond", {}).items() for name in part["rules"])
    return [rule for rule in ruleset.ids if rule not in listed]


def page(ruleset: Ruleset) -> str:
    """The page as Markdown."""
    return "\n".join(_page(ruleset)) + "\n"


def _page(ruleset: Ruleset) -> Iterator[str]:
    table: dict[str, Any] = ruleset.table("coverage") or {}
    listed, known = table.get("rows", {}), set(ruleset.ids)
    ruled = sum(1 for row in listed.values() if row.get("rules"))
    alone = sum(1 for row in listed.values() if row.get("people") and not row.get("rules") and not row.get("step"))
    stepped = sum(1 for row in listed.values() if row.get("step") and not row.get("rules"))
    yield "# What the standard asks for, and what answers"
    yield ""
    yield "Made from `rules/data/coverage.yaml` by `python -m elo_gate.ruleset.coverage > docs/coverage.md`."
    yield ""
    yield (
        f"The standard's catalogue has {len(listed)} rows. Rules check {ruled} of them; a step of `elo-gate deploy` "
        f"alone does {stepped}; {alone} {'is' if alone == 1 else 'are'} left to people alone. A row can have several "
        "answers: where people are named beside rules, the rules check what a file can show."
    )
    heads = dict(_HEADS)
    for name in rows():
        row = listed.get(name)
        if name in heads:
            yield ""
            yield f"## {heads[name]}"
            yield ""
            yield "| row | what is asked for | rules | step of a deployment | people | not checked |"
            yield "|---|---|---|---|---|---|"
        if row is None:
            yield f"| {name} | | | | | everything |"
            continue
        rules = ", ".join(_link(rule) if rule in known else rule for rule in row.get("rules", ()))
        rest = " | ".join(row.get(key, "") for key in ("step", "people", "open"))
        yield f"| {name} | {row['title']} | {rules} | {rest} |"
    yield ""
    yield "## Beyond the catalogue"
    yield ""
    yield "Rules that no row asks for. They stand under the same clauses, and real repositories asked for them."
    for folder, part in table.get("beyond", {}).items():
        names = ", ".join(_link(f"{folder}/{name}") for name in part["rules"])
        yield ""
        yield f"**{folder}**, {part['why']}: {names}."


def _link(rule: str) -> str:
    return f"[{rule}](../rules/{rule}.yaml)"


if __name__ == "__main__":
    made = load()
    sys.stdout.write(page(made))
    for gap in gaps(made):
        sys.stderr.write(gap + "\n")
