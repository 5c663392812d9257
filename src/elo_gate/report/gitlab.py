"""Turns a run into GitLab's Code Quality report: a JSON array that the merge request shows in its widget and diff.

Fields and severities: docs.gitlab.com/ci/testing/code_quality, "Code Quality report format", looked up 2026-11-25.
GitLab merges entries with the same fingerprint, and tells old from new by it: so it is made of what stays when lines
move, and counts what is alike.
"""

from __future__ import annotations

from ..inert import inert, inert_json
from . import tally

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..gate import Run

_SEVERITIES = {"error": "critical", "warning": "minor", "note": "info"}


def render(run: Run) -> str:
    """The array as text, one entry a line. Paths start at the repository's top."""
    import hashlib
    import json

    seen: dict[str, int] = {}

    def fingerprint(*parts: str) -> str:
        # The message is masked: no digest of a secret.
        key = "\n".join(parts)
        seen[key] = seen.get(key, 0) + 1
        return hashlib.sha256(f"{key}\n{seen[key]}".encode("utf-8", "backslashreplace")).hexdigest()[:32]

    def entry(name: str, words: str, severity: str, path: str, line: int, print_: str) -> str:
        made = {
            "description": words,
            "check_name": name,
            "fingerprint": print_,
            "severity": severity,
            "location": {"path": path, "lines": {"begin": line}},
        }
        return json.dumps(made)

    entries = []
    for each in run.verdict.findings:
        path = inert(run.prefix + each.source.path)
        line = each.source.position(each.start)[0]
        mark = fingerprint(each.rule.id, path, each.message)
        entries.append(entry(each.rule.id, each.message, _SEVERITIES[each.severity], path, line, mark))
    for reason in run.verdict.reasons:
        place, line = tally.place_of(run.verdict, reason) or (".", 1)
        path = inert(run.prefix + place)
        mark = fingerprint("not-analysed", path, inert(reason))
        entries.append(entry("not-analysed", inert(reason), "blocker", path, line, mark))
    return inert_json("[\n" + ",\n".join(entries) + "\n]\n" if entries else "[]\n")
