"""Turns a release of elo-gate into what starts it in other people's repositories: a hook of pre-commit, a workflow."""

from __future__ import annotations

import re

from ..model import MAP, SEQ, Node, Source, walk
from ..syntax import yaml

HOOKS = ".pre-commit-config.yaml"
WORKFLOW = ".github/workflows/elo-gate.yml"

_HOOK = """\
- repo: local
  hooks:
    - id: elo-gate
      name: elo-gate
      description: Judges the working tree before it is committed.
      entry: elo-gate-hook
      language: python
      additional_dependencies: ["elo-gate=={version}"]
      types: [file]
      pass_filenames: false
      require_serial: true
"""

# `HEAD^1` is the base branch where the checkout is the merge that GitHub makes of a pull request.
_WORKFLOW = """\
# Judges what goes to production. Make this job a required check of the branch.
name: elo-gate

on:
  pull_request:
  push:
    branches: [{branch}]

permissions: {{}}

jobs:
  elo-gate:
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          fetch-depth: 2 # the change, and what it is compared with
          persist-credentials: false
      - name: Install elo-gate
        run: |
          python3 -m venv "$RUNNER_TEMP/elo-gate"
          "$RUNNER_TEMP/elo-gate/bin/pip" install --only-binary :all: elo-gate=={version}
      - name: Judge a pull request by the policy of its base
        if: github.event_name == 'pull_request'
        run: '"$RUNNER_TEMP/elo-gate/bin/elo-gate" check --format github --policy-from HEAD^1'
      - name: Judge
        if: github.event_name != 'pull_request'
        run: '"$RUNNER_TEMP/elo-gate/bin/elo-gate" check --format github'
"""


class NoPlace(Exception):
    """A file into which the hook cannot be written without rewriting it; the message says why."""


def hook(version: str) -> str:
    """A new .pre-commit-config.yaml."""
    return "repos:\n" + "".join(f"  {line}\n" for line in _HOOK.format(version=version).splitlines())


def workflow(version: str, branch: str) -> str:
    """A new workflow that judges changes and the branch."""
    plain = branch in ("main", "master") or re.fullmatch(r"[a-z]+(/[a-z]+)+", branch)
    return _WORKFLOW.format(version=version, branch=branch if plain else "'" + branch.replace("'", "''") + "'")


def has_hook(text: str) -> bool:
    """Whether the hooks of a configuration have elo-gate among them already."""
    documents, _ = yaml.parse(Source(HOOKS, text))
    return any(
        hook.get("id").text() in ("elo-gate", "elo-gate-files") or hook.get("entry").text() == "elo-gate-hook"
        for repo in (documents[0].get("repos").elements() if documents else ())
        for hook in repo.get("hooks").elements()
    )


def with_hook(text: str, version: str) -> tuple[str, int]:
    """A configuration with the hook behind the last one, everything else as it was; and the first new line's number.

    Raises NoPlace when the list is not written in a form that can be added to.
    """
    documents, problems = yaml.parse(Source(HOOKS, text))
    if problems or len(documents) != 1 or documents[0].kind != MAP:
        raise NoPlace("it is not read as one document of YAML")
    repos = documents[0].get("repos")
    if repos.kind != SEQ or not repos.elements():
        raise NoPlace("it has no list `repos` with an entry")
    last = repos.elements()[-1]
    begin = text.rfind("\n", 0, last.start) + 1
    dash = re.fullmatch(r"([ ]*)-([ ]+)", text[begin : last.start])
    if dash is None or text[repos.start] == "[" or last.kind != MAP:
        raise NoPlace("its list `repos` is not written one entry a line")
    at = _end(text, last)
    newline = "\r\n" if "\r\n" in text else "\n"
    entry = "".join(f"{dash[1]}{line}{newline}" for line in _HOOK.format(version=version).splitlines())
    head = text[:at]
    if not head.endswith("\n"):
        head += newline
    made = head + entry + text[at:]
    after, problems = yaml.parse(Source(HOOKS, made))
    same = len(after) == 1 and not problems and len(after[0].get("repos").elements()) == len(repos.elements()) + 1
    if not same or not has_hook(made):
        raise NoPlace("it would not mean the same with the hook in it")
    return made, head.count("\n") + 1


def _end(text: str, last: Node) -> int:
    """Where the line after the last one of an entry begins, comments at the end of its lines taken in."""
    end = max(node.end for node in walk(last) if node.kind not in (MAP, SEQ) or text[node.start] in "[{")
    while end > last.start and text[end - 1] in " \t\r\n":
        end -= 1
    at = text.find("\n", end)
    return len(text) if at < 0 else at + 1
