"""Turns the inputs of the GitHub action into a run of `elo-gate check`, and the run into outputs and a step summary.

`python -I -m elo_gate.action`, from action.yml alone. Inputs come in the environment, never in a shell's text. It ends
with 0 whatever the verdict is: action.yml uploads the report first and fails by the output `exit-code` last.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile

from .inert import inert
from .report.github import data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

AUTO, NONE = "auto", "none"
_WORDS = {0: "passed", 1: "blocked"}
# Events of a pull request whose GITHUB_SHA is the merge that GitHub makes of it (docs.github.com, "Events that trigger
# workflows"). Its first parent is the base branch.
_MERGES = ("pull_request", "pull_request_review", "pull_request_review_comment")


class InputError(Exception):
    """An input that cannot be followed; the message says what to write instead."""


def main() -> None:
    """Runs the gate for a step of the action."""
    environment = os.environ
    try:
        folder = tempfile.mkdtemp(prefix="elo-gate-report.", dir=environment.get("RUNNER_TEMP"))
        outputs = run(environment, folder)
        with open(environment["GITHUB_OUTPUT"], "a", encoding="utf-8") as file:
            file.writelines(f"{name}={single(value)}\n" for name, value in outputs.items())
    except OSError as error:
        sys.stderr.write(f"elo-gate: a folder or file of the runner's cannot be used ({error.strerror})\n")
        sys.exit(2)


def run(environment: Mapping[str, str], folder: str) -> dict[str, str]:
    """The action's outputs; reports are left in the folder, annotations on stdout, the summary where GitHub asks."""
    reports = {name: os.path.join(folder, f"elo-gate.{name}") for name in ("sarif", "json", "markdown")}
    said = io.StringIO()
    code = 2
    upload = False
    with contextlib.redirect_stderr(said):
        try:
            event = payload(environment)
            wanted = _choice(environment, "ELO_GATE_UPLOAD_SARIF", "true", "false") == "true"
            upload = wanted and may_upload(environment, event)
            code = _check(arguments(environment, event, reports))
        except InputError as error:
            said.write(f"elo-gate: {error}\n")
    remarks = [inert(line) for line in said.getvalue().splitlines() if line.strip()]
    sys.stderr.writelines(f"{line}\n" for line in remarks)
    report = _read(reports["json"])
    if report is None or code not in _WORDS:
        code = 2
    if report is None:
        sys.stdout.writelines(f"::error title=elo-gate::{data(line)}\n" for line in remarks)
    _summarise(environment, reports["markdown"], remarks)
    counts: dict[str, int] = report["counts"] if report is not None else {}
    sarif = reports["sarif"] if os.path.isfile(reports["sarif"]) else ""
    if sarif:
        categorise(sarif, environment.get("ELO_GATE_CATEGORY", ""))
    return {
        "verdict": _WORDS.get(code, "broken"),
        "exit-code": str(code),
        "findings": str(sum(counts.values())),
        "errors": str(counts.get("error", 0)),
        "sarif-file": sarif,
        "upload": str(bool(upload and sarif)).lower(),
    }


def arguments(environment: Mapping[str, str], event: Mapping[str, Any], reports: Mapping[str, str]) -> list[str]:
    """The words of `elo-gate check`. Raises InputError."""
    words = ["check", "--format=github"]
    words += [f"-o{name}={path}" for name, path in reports.items()]
    for option, name in (("--config", "CONFIG"), ("--fail-on", "FAIL_ON"), ("--as-of", "AS_OF")):
        value = environment.get(f"ELO_GATE_{name}", "")
        if value:
            words.append(f"{option}={value}")
    path = environment.get("ELO_GATE_PATH", "") or "."
    ref = environment.get("ELO_GATE_POLICY_FROM", "") or AUTO
    if ref == AUTO:
        ref = base(environment, event, _head(path))
    if ref != NONE:
        words.append(f"--policy-from={ref}")
    return [*words, "--", path]


def base(environment: Mapping[str, str], event: Mapping[str, Any], head: str) -> str:
    """The commit that a change is compared with, "none" where the event is no change. Raises InputError.

    `head` is the commit that is checked out. Nothing the change's author chooses may decide: the first parent of HEAD
    is trusted only where HEAD is the merge GitHub made.
    """
    name = environment.get("GITHUB_EVENT_NAME", "")
    given = environment.get("GITHUB_SHA", "")
    if name in _MERGES and head and head == given and environment.get("GITHUB_REF", "").endswith("/merge"):
        return "HEAD^1"
    if name == "merge_group":
        return _commit(event, "merge_group", "base_sha")
    if name in _MERGES or name == "pull_request_target":
        if name == "pull_request_target" and head and head == given:
            return "HEAD"  # the base branch itself is checked out
        return _commit(event, "pull_request", "base", "sha")
    return NONE


def may_upload(environment: Mapping[str, str], event: Mapping[str, Any]) -> bool:
    """Whether the token has the right: on pull requests from forks and of Dependabot GitHub makes it read-only."""
    if environment.get("GITHUB_EVENT_NAME") not in _MERGES:
        return True
    if environment.get("GITHUB_ACTOR") == "dependabot[bot]":
        return False
    source = _at(event, "pull_request", "head", "repo", "full_name")
    return isinstance(source, str) and source == environment.get("GITHUB_REPOSITORY")


def payload(environment: Mapping[str, str]) -> Mapping[str, Any]:
    """What GitHub says of the event; empty where it says nothing."""
    try:
        with open(environment.get("GITHUB_EVENT_PATH", ""), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def categorise(path: str, category: str) -> None:
    """Writes the category into a SARIF file: the one in the file counts, not the one of the upload action."""
    name = inert(category, 200).strip("/ ")
    if name in ("", "elo-gate"):
        return
    with open(path, encoding="utf-8") as file:
        log = json.load(file)
    for each in log["runs"]:
        each["automationDetails"] = {"id": f"{name}/"}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(log, file)


def single(value: str) -> str:
    """A value for GITHUB_OUTPUT, which knows no quoting: a second line would be an output of its own."""
    if "\n" in value or "\r" in value:
        raise ValueError("an output is one line")
    return value


def _check(words: list[str]) -> int:
    from .cli import cli

    try:
        cli.main(words, prog_name="elo-gate")
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 2
    return 2


def _head(path: str) -> str:
    """The commit that is checked out around a path, empty where git cannot say."""
    from . import git
    from .discover import DiskTree

    folder = os.path.realpath(path if os.path.isdir(path) else os.path.dirname(path) or ".")
    try:
        return git.commit(DiskTree(folder).top(), "HEAD")
    except (git.GitError, OSError):
        return ""


def _commit(event: Mapping[str, Any], *keys: str) -> str:
    found = _at(event, *keys)
    if not isinstance(found, str) or not found.isalnum():
        raise InputError(f"policy-from: the event does not name {'.'.join(keys)}; name a commit, or none")
    return found


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _choice(environment: Mapping[str, str], name: str, *choices: str) -> str:
    value = environment.get(name) or choices[0]
    if value not in choices:
        label = name.removeprefix("ELO_GATE_").lower().replace("_", "-")
        raise InputError(f"{label}: {inert(value, 40)} is not one of {', '.join(choices)}")
    return value


def _read(path: str) -> dict[str, Any] | None:
    try:
        with open(path, encoding="utf-8") as file:
            found: dict[str, Any] = json.load(file)
    except FileNotFoundError:
        return None
    return found


def _summarise(environment: Mapping[str, str], path: str, remarks: list[str]) -> None:
    from .report.markdown import escape

    target = environment.get("GITHUB_STEP_SUMMARY")
    if not target:
        return
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        text = "### elo-gate: broken\n\n" + "".join(f"- {escape(line)}\n" for line in remarks)
    with open(target, "a", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
