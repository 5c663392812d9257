"""Turns a run into JSON lines: one a finding, one each that is let pass, at last one summary.

The lines hold what `schemas/report.schema.json` says, with a `type` before it: "finding", "suppressed", "summary". The
summary is the rest of that document, so that the lines together are the whole of it.
"""

from __future__ import annotations

from ..inert import inert_json
from .json import document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..gate import Run


def render(run: Run) -> str:
    """The lines as text."""
    import json

    rest = document(run)
    lines = [{"type": "finding", **each} for each in rest.pop("findings")]
    lines += [{"type": "suppressed", **each} for each in rest.pop("suppressed")]
    lines.append({"type": "summary", **rest})
    return inert_json("".join(json.dumps(each) + "\n" for each in lines))
