"""Turns a run of the gate that Passed into the only thing that lets bytes be shipped."""

from __future__ import annotations

import hashlib
import secrets

from .. import __version__
from ..verdict import Passed
from .journal import canonical, moment_of, stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..gate import Run
    from .snapshot import Snapshot


class NotAdmitted(Exception):
    """A run or a record that lets nothing be shipped; the message says why."""


class Admission:
    """Leave to ship one digest. `inputs` are path -> digest of what else was judged, `record` what is written down.

    Made by `admit` from a run and by `again` from what `admit` wrote; in no other way.
    """

    __slots__ = ("digest", "inputs", "record", "_salt")

    def __init__(self, passed: Passed, digest: str, inputs: dict[str, str], salt: str, record: dict[str, Any]) -> None:
        if not isinstance(passed, Passed):
            raise NotAdmitted("the gate has not passed")
        self.digest = digest
        self.inputs = inputs
        self.record = record
        self._salt = salt

    def keep(self) -> dict[str, Any]:
        """What `again` needs beside the record; it is forgotten when a deploy ends."""
        return {"salt": self._salt, "inputs": self.inputs}


def admit(run: Run, snapshot: Snapshot, given: dict[str, str], now: float) -> Admission:
    """The admission of a snapshot by a run over it. Raises NotAdmitted."""
    verdict = run.verdict
    if not isinstance(verdict, Passed):
        raise NotAdmitted("the gate has not passed")
    if not run.whole or verdict.coverage.partial:
        raise NotAdmitted("the gate looked at a part of the tree only, or accepted findings while it ran")
    # A file that the policy came from is not among what the tree was asked for.
    inputs = dict(given)
    salt = secrets.token_hex(32)
    record: dict[str, Any] = {
        "result": "PASSED",
        "digest": snapshot.digest,
        "at": stamp(now),
        "as_of": verdict.as_of,
        "verifier": __version__,
        "rules": hashlib.sha256(canonical([__version__, sorted(run.ruleset.ids)])).hexdigest(),
        "policy": policy_digest(run.policy.path),
        "inputs": {"sha256": sealed(inputs, salt), "count": len(inputs)},
        "fail_on": verdict.fail_on,
        "judged": len(verdict.coverage.judged),
        "aside": len(verdict.coverage.aside),
        "findings": {severity: verdict.count(severity) for severity in ("error", "warning", "note")},
        "let_pass": waived(run),
    }
    return Admission(verdict, snapshot.digest, inputs, salt, record)


def again(record: dict[str, Any], kept: dict[str, Any], digest: str, policy: str, age: float, now: float) -> Admission:
    """The admission that a journal tells of, for the same bytes, policy and rules, while it is young enough.

    `kept` is what `Admission.keep` gave. Raises NotAdmitted.
    """
    if record.get("result") != "PASSED" or record.get("digest") != digest:
        raise NotAdmitted("the journal tells of no gate that passed for these bytes")
    if record.get("verifier") != __version__ or record.get("policy") != policy_digest(policy):
        raise NotAdmitted("the gate or its policy is not the one that passed")
    if not 0 <= now - moment_of(record["at"]) <= age:
        raise NotAdmitted("the gate's record is older than gate_max_age")
    inputs, salt = kept.get("inputs"), kept.get("salt")
    if not isinstance(inputs, dict) or not isinstance(salt, str) or sealed(inputs, salt) != record["inputs"]["sha256"]:
        raise NotAdmitted("what was judged beside the release is not known any more")
    passed = Passed.__new__(Passed)  # what it judged stands in the record
    return Admission(passed, digest, inputs, salt, record)


def sealed(inputs: dict[str, str], salt: str) -> str:
    """One digest of what was judged; salted, for a file of secrets may be among it."""
    return hashlib.sha256(salt.encode() + canonical(inputs)).hexdigest()


def policy_digest(path: str) -> str:
    """The digest of a configuration file, of nothing where there is none."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return hashlib.sha256(b"").hexdigest()


def waived(run: Run) -> list[dict[str, Any]]:
    """The findings that exceptions let pass: where, and by which entry; nothing of what they say."""
    return [
        {"rule": each.rule.id, "path": each.source.path, "line": each.source.position(each.start)[0]}
        for each in run.verdict.suppressed
    ]
