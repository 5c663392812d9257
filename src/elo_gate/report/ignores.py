"""Turns the exceptions of a run into a list for people or machines: what is let pass, where, by whom, until when."""

from __future__ import annotations

from ..inert import inert
from ..redact import mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..gate import Run

VERSION = 1


def document(run: Run) -> dict[str, Any]:
    """The list as plain data: what ends first comes first, what never ends last."""
    as_of = run.verdict.as_of
    rows = []
    found = run.exceptions
    for each in found.inline if found is not None else ():
        rows.append(_row("comment", each, each.path, as_of))
    for entry in found.ignores if found is not None else ():
        rows.append(_row("ignore", entry, entry.file or run.policy.path.rpartition("/")[2], as_of))
    rows.sort(key=lambda row: (row["until"] is None, row["until"] or "", row["path"], row["line"], row["rule"]))
    items = found.items if found is not None else {}
    refused = [
        {"path": item.node.source.path, "line": item.node.source.position(item.node.start)[0]}
        for view in ("malformed", "refused")
        for item in items.get(view, [])
    ]
    made: dict[str, Any] = {"version": VERSION, "as_of": as_of, "exceptions": rows, "not_in_force": refused}
    baseline = run.baseline
    made["baseline"] = (
        None
        if baseline is None
        else {
            "path": baseline.path.replace("\\", "/").rpartition("/")[2],
            "accepted": sum(each.count for each in baseline.entries),
            "gone": baseline.gone(),
        }
    )
    return made


def _row(kind: str, each: Any, path: str, as_of: str) -> dict[str, Any]:
    days = None
    if each.until:
        from datetime import date

        days = (date.fromisoformat(each.until) - date.fromisoformat(as_of)).days
    state = "expired" if days is not None and days < 0 else "in force" if each.used else "unused"
    return {
        "kind": kind,
        "rule": each.rule,
        "path": path,
        "line": each.line,
        "files": mask(each.path) if kind == "ignore" else None,
        "reason": mask(each.reason),
        "owner": mask(each.owner) or None,
        "until": each.until or None,
        "days_left": days,
        "state": state,
        "findings": each.used,
    }


def render(run: Run, format_: str = "text") -> str:
    """The list as text or JSON."""
    made = document(run)
    if format_ == "json":
        import json

        return json.dumps(made, indent=2, ensure_ascii=True) + "\n"
    lines = []
    for row in made["exceptions"]:
        days = row["days_left"]
        end = "no last day" if days is None else f"{days} days left" if days >= 0 else f"ended {-days} days ago"
        until = f"until {row['until']}, {end}" if row["until"] else end
        owner = f", {row['owner']}" if row["owner"] else ""
        count = row["findings"]
        used = "unused" if row["state"] == "unused" else f"{count} finding{'s' * (count != 1)}" if count else "nothing"
        lines.append(f"{inert(row['path'])}:{row['line']}  {row['rule']}  {until}{inert(owner)}; lets pass: {used}")
        where = f" (in {inert(row['files'])})" if row["files"] else ""
        lines.append(f"    {inert(row['reason'], 200)}{where}")
    for row in made["not_in_force"]:
        lines.append(f"{inert(row['path'])}:{row['line']}  not in force: `elo-gate check` says why")
    baseline = made["baseline"]
    if baseline is not None:
        lines.append(f"{inert(baseline['path'])}  {baseline['accepted']} accepted, {baseline['gone']} of them gone")
    return "\n".join(lines or ["Nothing is let pass."]) + "\n"
