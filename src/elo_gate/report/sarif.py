"""Turns a run into SARIF 2.1.0 as GitHub, GitLab and Microsoft's validator want it; every text masked."""

from __future__ import annotations

from functools import lru_cache

from .. import __version__
from ..inert import inert
from ..redact import mask
from .edits import change_of
from .excerpt import LONG, Excerpts, crop
from .linehash import LineHashes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..fixes.edit import Change, Edit
    from ..gate import Run
    from ..model import Finding, Source

SCHEMA = "https://schemastore.azurewebsites.net/schemas/json/sarif-2.1.0.json"
# GitHub keeps 5,000 results of a run (docs: SARIF results exceed one or more limits).
RESULT_LIMIT = 5000
_PROBLEM = {"error": "error", "warning": "warning", "note": "recommendation"}
_RANK = {"error": 0, "warning": 1, "note": 2}
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")


@lru_cache(1024)  # each finding names its file
def uri(path: str) -> str:
    """A path percent-encoded; bytes that are no UTF-8 as they are."""
    data = path.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if byte in _SAFE else f"%{byte:02X}" for byte in data)


def pascal(identifier: str) -> str:
    """`docker/root-user` as `DockerRootUser`."""
    return "".join(word.capitalize() for word in identifier.replace("/", "-").split("-"))


def document(run: Run, include_suppressed: bool = False) -> dict[str, Any]:
    """The SARIF log as plain data."""
    log, findings, writer = _log(run, include_suppressed)
    log["runs"][0]["results"] = [writer.result(finding) for finding in findings]
    return log


def _log(run: Run, include_suppressed: bool) -> tuple[dict[str, Any], list[Finding], _Writer]:
    """The log without its results, the findings they are to be made of, and what makes them."""
    verdict = run.verdict
    findings = list(verdict.findings) + (list(verdict.suppressed) if include_suppressed else [])
    left_out = max(0, len(findings) - RESULT_LIMIT)
    if left_out:
        findings.sort(key=lambda each: _RANK[each.severity])
        findings = findings[:RESULT_LIMIT]
    findings.sort(key=lambda each: (each.source.path, each.start, each.end, each.rule.id, each.message))
    ids = sorted({each.rule.id for each in findings} | {each.rule.id for each in verdict.suppressed})
    indexes = {identifier: number for number, identifier in enumerate(ids)}
    writer = _Writer(run, indexes)
    notifications = writer.notifications(left_out)
    invocation: dict[str, Any] = {"executionSuccessful": verdict.exit_code != 2, "exitCode": verdict.exit_code}
    if notifications:
        invocation["toolExecutionNotifications"] = notifications
    driver: dict[str, Any] = {
        "name": "elo-gate",
        "fullName": f"elo-gate {__version__}",
        "version": __version__,
        "semanticVersion": __version__,
        "informationUri": run.ruleset.address,
        "rules": [writer.rule(identifier) for identifier in ids],
    }
    if notifications:
        driver["notifications"] = [_descriptor(run.ruleset.address)]
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "automationDetails": {"id": "elo-gate/"},
                "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The top of the repository."}}},
                "invocations": [invocation],
                "columnKind": "utf16CodeUnits",
            }
        ],
    }
    return log, findings, writer


def _descriptor(address: str) -> dict[str, Any]:
    return {
        "id": "not-analysed",
        "name": "NotAnalysed",
        "shortDescription": {"text": "Something was not analysed."},
        "fullDescription": {"text": "A file, a rule or a result could not be taken into the verdict."},
        "help": {"text": "Read the notification: it names the place and what to do."},
        "helpUri": address,
        "messageStrings": {"default": {"text": "Not analysed: '{0}'."}},
    }


class _Writer:
    """Writes the parts of one run."""

    def __init__(self, run: Run, indexes: dict[str, int]) -> None:
        self.run = run
        self.indexes = indexes
        self.excerpts = Excerpts(run.project)
        self.hashes: dict[str, LineHashes] = {}
        self.severities: dict[str, str] = {}
        for finding in [*run.verdict.findings, *run.verdict.suppressed]:
            self.severities.setdefault(finding.rule.id, finding.severity)

    def rule(self, identifier: str) -> dict[str, Any]:
        """The descriptor of a rule."""
        words = self.run.ruleset.words(identifier)
        severity = self.severities.get(identifier, "warning")
        folder = identifier.partition("/")[0]
        tags = [folder, *(f"external/cwe/cwe-{number}" for number in words["cwe"])]
        properties: dict[str, Any] = {"precision": "very-high", "problem.severity": _PROBLEM[severity]}
        if words["security"] is not None:
            tags.insert(0, "security")
            properties["security-severity"] = f"{float(words['security']):.1f}"
        properties["tags"] = tags[:10]
        sources = "".join(f"\n- [{title}]({url}), looked up {date}" for title, url, date in words["references"])
        return {
            "id": identifier,
            "name": pascal(identifier),
            "shortDescription": {"text": words["title"] + "."},
            "fullDescription": {"text": words["rationale"][:1000]},
            "help": {
                "text": f"{words['rationale']} {words['fix']}",
                "markdown": f"{words['rationale']}\n\n**Fix:** {words['fix']}"
                + (f"\n\nSources:{sources}" if sources else ""),
            },
            "helpUri": f"{self.run.ruleset.address}/blob/main/rules/{identifier}.yaml",
            "defaultConfiguration": {"level": severity},
            "messageStrings": {name: {"text": text} for name, text in words["messages"].items()},
            "properties": properties,
        }

    def result(self, finding: Finding) -> dict[str, Any]:
        """One finding."""
        source, start, end = finding.source, finding.start, finding.end
        place = self._location(source, start, end, True)
        line = place["region"]["startLine"]
        hashes = self.hashes.get(source.path)
        if hashes is None:
            self.hashes.clear()  # findings come file by file
            hashes = self.hashes[source.path] = LineHashes(source)
        made: dict[str, Any] = {
            "ruleId": finding.rule.id,
            "ruleIndex": self.indexes[finding.rule.id],
            "level": finding.severity,
            "kind": "fail",
            "message": {"text": finding.message, "id": finding.message_id, "arguments": list(finding.arguments)},
            "locations": [{"physicalLocation": place}],
            "partialFingerprints": {"primaryLocationLineHash": hashes.of(line)},
        }
        if finding.related:
            made["relatedLocations"] = [
                {
                    "id": number,
                    "physicalLocation": self._location(other, first, last, False),
                    "message": {"text": _sentence(words)},
                }
                for number, (other, first, last, words) in enumerate(finding.related, 1)
            ]
        change = change_of(self.run, finding, self.excerpts)
        if change is not None:
            made["fixes"] = [self._fix(change)]
        if finding.suppressed is not None:
            made["suppressions"] = [
                {
                    "kind": finding.suppressed.kind,
                    "status": "accepted",
                    "justification": mask(finding.suppressed.reason),
                }
            ]
        return made

    def _fix(self, change: Change) -> dict[str, Any]:
        """The edits of a change, file by file; what is not safe says so."""
        by_path: dict[str, list[Edit]] = {}
        for edit in sorted(change.edits, key=lambda each: (each.source.path, each.start, each.end)):
            by_path.setdefault(edit.source.path, []).append(edit)
        words = change.finding.fix if change.safety == "safe" else f"Think this over: {change.finding.fix}"
        return {
            "description": {"text": _sentence(words)},
            "artifactChanges": [
                {
                    "artifactLocation": {"uri": uri(self.run.prefix + path), "uriBaseId": "%SRCROOT%"},
                    "replacements": [_replacement(edit) for edit in edits],
                }
                for path, edits in by_path.items()
            ],
        }

    def _location(self, source: Source, start: int, end: int, context: bool) -> dict[str, Any]:
        region = _region(source, start, end)
        line, end_line = region["startLine"], region["endLine"]
        _, shown, first, last = self.excerpts.frame(source, start, end)
        text = shown[first:last] or shown or "(empty line)"
        region["snippet"] = {"text": text if len(text) <= LONG else crop(text, 0, 1)[0]}
        made: dict[str, Any] = {
            "artifactLocation": {"uri": uri(self.run.prefix + source.path), "uriBaseId": "%SRCROOT%"},
            "region": region,
        }
        lines = self.excerpts.lines(source)
        total = len(source.starts) - (1 if source.text.endswith("\n") else 0)
        low, high = max(1, line - 2), min(total, end_line + 2)
        wide = sum(map(len, lines[low - 1 : high])) > 4 * LONG
        if context and not wide and (low < line or high > end_line):
            made["contextRegion"] = {
                "startLine": low,
                "endLine": high,
                "snippet": {"text": "\n".join(lines[low - 1 : high])},
            }
        return made

    def notifications(self, left_out: int) -> list[dict[str, Any]]:
        """What the verdict could not take in."""
        texts = list(self.run.verdict.reasons)
        if left_out:
            texts.append(f"{left_out} results over the limit of {RESULT_LIMIT}, the least severe, were left out")
        return [
            {
                "descriptor": {"id": "not-analysed", "index": 0},
                "level": "error",
                "message": {"text": f"Not analysed: '{inert(text)}'.", "id": "default", "arguments": [inert(text)]},
            }
            for text in texts
        ]


def _region(source: Source, start: int, end: int) -> dict[str, Any]:
    line, column = source.position(start)
    end_line, end_column = source.position(end)
    return {
        "startLine": line,
        "startColumn": _units(source, line, column),
        "endLine": end_line,
        "endColumn": _units(source, end_line, end_column),
    }


def _replacement(edit: Edit) -> dict[str, Any]:
    from ..fixes.edit import written

    made: dict[str, Any] = {"deletedRegion": _region(edit.source, edit.start, edit.end)}
    if edit.text:
        made["insertedContent"] = {"text": written(edit)}
    return made


def _sentence(words: str) -> str:
    return words if words.endswith(".") else words + "."


def _units(source: Source, line: int, column: int) -> int:
    """A column in UTF-16 units, 1-based."""
    if source.text.isascii():
        return column
    before = source.text[source.starts[line - 1] : source.starts[line - 1] + column - 1]
    return len(before.encode("utf-16-le", "surrogatepass")) // 2 + 1


def render(run: Run, include_suppressed: bool = False) -> str:
    """The log as text, one result a line: `indent` would cost the C encoder, ten times the time."""
    import json

    log, findings, writer = _log(run, include_suppressed)
    head = json.dumps(log, indent=1, ensure_ascii=True)
    lines = ",\n".join(json.dumps(writer.result(finding)) for finding in findings)
    at = head.rindex("}", 0, head.rindex("]"))
    return f'{head[:at].rstrip()},\n   "results": [\n{lines}\n   ]\n  }}\n ]\n}}\n'
