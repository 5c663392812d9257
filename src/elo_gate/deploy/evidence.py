"""Turns a deploy's journal into two in-toto statements: what the gate verified, and what became of it.

The first is a SLSA verification summary (https://slsa.dev/spec/v1.1/verification_summary), the second our own predicate
that holds the first's. Statements as of https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md.
"""

from __future__ import annotations

import hashlib
import json
import os

from .. import __version__
from ..ruleset.load import load
from . import machine
from .journal import write_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STATEMENT = "https://in-toto.io/Statement/v1"
SUMMARY = "https://slsa.dev/verification_summary/v1"


def summary(record: dict[str, Any], url: str) -> dict[str, Any]:
    """The predicate of a verification summary for what the gate wrote down."""
    return {
        "verifier": {"id": load().address, "version": {"elo-gate": record["verifier"]}},
        "timeVerified": record["at"],
        "resourceUri": url,
        "policy": {"uri": "elo-gate.toml", "digest": {"sha256": record["policy"]}},
        "inputAttestations": [],
        "verificationResult": record["result"],
        "verifiedLevels": ["ELO_GATE_PASSED"],
        "slsaVersion": "1.1",
        # Beyond what the predicate names; readers ignore fields they do not know.
        "eloGate": {
            "rules": {"sha256": record["rules"]},
            "inputs": record["inputs"],
            "asOf": record["as_of"],
            "failOn": record["fail_on"],
            "judged": record["judged"],
            "findings": record["findings"],
            "letPass": record["let_pass"],
        },
    }


def statement(digest: str, name: str, kind: str, predicate: dict[str, Any]) -> dict[str, Any]:
    """A statement about one digest."""
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": digest}}],
        "predicateType": kind,
        "predicate": predicate,
    }


def of(records: list[dict[str, Any]], name: str, url: str, end: str) -> dict[str, Any]:
    """The statement about one deploy, of its journal's lines."""
    start = records[0]
    gate = next((each["gate"] for each in records if each["kind"] == "gate"), None)
    said = [each for each in records if each["kind"] != "start"]
    predicate: dict[str, Any] = {
        "deploy": start["deploy"],
        "what": start["what"],
        "target": name,
        "url": url,
        "actor": start["actor"],
        "started": start["ts"],
        "ended": records[-1]["ts"],
        "outcome": end,
        "exit": code(start["what"], end),
        "planDigest": start.get("plan"),
        "gate": summary(gate, url) if gate else None,
        "before": next((each["live"] for each in records if each["kind"] == "before"), None),
        "release": next((each["id"] for each in reversed(records) if each.get("id")), None),
        "approvals": [one for each in said if each["kind"] == "approvals" for one in each["by"]],
        "checklist": [each["answer"] for each in said if each["kind"] == "item"],
        "verified": [
            {"at": each["ts"], "result": each["result"], "url": each["url"], "checks": each["checks"]}
            for each in said
            if each["kind"] == "smoke"
        ],
        "transitions": [
            {"at": each["ts"], "from": each["from"], "to": each["to"], "seen": each["seen"], "why": each["why"]}
            for each in said
            if each["kind"] == "transition"
        ],
        "audit": [
            {"at": each["ts"], "event": each["event"], "by": each["actor"], "reason": each["reason"]}
            for each in said
            if each["kind"] == "audit"
        ],
        "journal": {"head": records[-1]["hash"]},
        "tool": {"elo-gate": __version__},
    }
    return statement(start["digest"], name, load().address + "/deploy/v1", predicate)


def code(what: str, end: str) -> int:
    """The exit code of a run; a rollback that was asked for and is verified is what was wanted."""
    return 0 if what == "rollback" and end == machine.ROLLED_BACK else machine.EXIT[end]


def write(folder: str, records: list[dict[str, Any]], name: str, url: str, end: str) -> dict[str, str]:
    """Writes the statements of a deploy; file name -> digest. Raises OSError."""
    made = {"evidence.json": of(records, name, url, end)}
    gate = next((each["gate"] for each in records if each["kind"] == "gate"), None)
    if gate is not None:
        made["gate.vsa.json"] = statement(gate["digest"], name, SUMMARY, summary(gate, url))
    found = {}
    for file, content in made.items():
        data = (json.dumps(content, indent=2, sort_keys=True) + "\n").encode()
        write_file(os.path.join(folder, file), data)
        found[file] = hashlib.sha256(data).hexdigest()
    return found
