"""Turns a folder and an editor's texts into findings by file: the whole tree when asked, one file as it is typed."""

from __future__ import annotations

import os

from .. import gate
from ..discover import Unreadable
from ..policy import ConfigError
from ..policy.suppress import locked
from ..ruleset.load import RuleError
from ..start.overlay import Overlay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..model import Finding, Source

    Key = tuple[str, str, int]

NOT_ANALYSED = "not-analysed"


class Trouble:
    """What is no finding and yet has to be seen: a file that is not analysed, a configuration that is refused."""

    __slots__ = ("code", "end", "message", "source", "start")

    def __init__(self, code: str, message: str, source: Source, start: int, end: int) -> None:
        self.code = code
        self.message = message
        self.source = source
        self.start = start
        self.end = end


class Seen:
    """What is known about a file: findings, with what fixes need of them, and troubles."""

    __slots__ = ("findings", "origins", "troubles")

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.origins: dict[Finding, Any] = {}
        self.troubles: list[Trouble] = []


class Workspace:
    """One root. `texts` are the editor's, by path; `seen` is path -> what is to be shown there."""

    def __init__(self, root: str, as_of: str | None = None) -> None:
        self.root = os.path.realpath(root)
        self.texts: dict[str, str] = {}
        self.seen: dict[str, Seen] = {}
        self.error = ""  # why nothing can be judged, in words
        self.ruleset: Any = None
        self.locked: Callable[[str], bool] = lambda _: False
        self._as_of = as_of
        self._whole: dict[str, Seen] = {}  # what the last judgement of the whole tree found, with which texts
        self._with: dict[str, str] = {}
        self._corrections: dict[str, tuple[list[Finding], set[Key]]] = {}

    def below(self, path: str) -> str | None:
        """A file's path below the root; None when it lies outside."""
        folder, name = os.path.split(path)
        found = os.path.relpath(os.path.join(os.path.realpath(folder), name), self.root)
        return None if found == os.pardir or found.startswith(os.pardir + os.sep) else found.replace(os.sep, "/")

    def judge(self, texts: dict[str, str]) -> set[str]:
        """Judges the whole tree with some texts; the paths of which something is, or was, to be shown."""
        run = self._run(texts, None)
        before = set(self.seen)
        if run is None:
            return before
        self._whole = _by_path(run)
        self._with = texts
        self._corrections = {}
        self.seen = dict(self._whole)
        return before | set(self.seen)

    def judge_one(self, path: str, texts: dict[str, str]) -> set[str]:
        """Judges one file alone, and corrects that as the whole tree corrected it last, line by line."""
        if path not in self._corrections:
            self._corrections[path] = self._correction(path)
        run = self._run(texts, [path])
        if run is None:
            return {path}
        new = _by_path(run).get(path) or Seen()
        source = run.project.read(path)
        old = self.seen.get(path)
        more, less = self._corrections[path]
        if new.troubles and old is not None:
            more, less = old.findings, set()  # a file that is being typed is often one that does not parse
        new.findings = [each for each in new.findings if _key(each) not in less]
        if source is not None:
            for finding in more:
                moved = _moved(finding, source)
                if moved is not None:
                    new.findings.append(moved)
        self.seen[path] = new
        return {path}

    def _correction(self, path: str) -> tuple[list[Finding], set[Key]]:
        """(findings of a file that only the whole tree gives, those that a file alone gives and the tree takes back).

        A file alone says more where another one makes good what it lacks, and less where another one is needed.
        """
        whole = self._whole.get(path) or Seen()
        run = self._run(self._with, [path])
        alone = (_by_path(run).get(path) or Seen()).findings if run is not None else []
        without = {(_key(each), each.message) for each in alone}
        within = {(_key(each), each.message) for each in whole.findings}
        more = [each for each in whole.findings if (_key(each), each.message) not in without]
        return more, {_key(each) for each in alone if (_key(each), each.message) not in within}

    def _run(self, texts: dict[str, str], files: list[str] | None) -> gate.Run | None:
        try:
            run = gate.run(
                self.root, as_of=self._as_of, files=files, hook=True, origins=True, tree=Overlay(self.root, texts)
            )
        except (ConfigError, gate.UsageError, RuleError, Unreadable) as error:
            self.error = str(error)
            return None
        self.error = ""
        self.ruleset = run.ruleset
        self.locked = locked(run.policy, run.ruleset)
        return run


def _by_path(run: gate.Run) -> dict[str, Seen]:
    found: dict[str, Seen] = {}
    for finding in run.verdict.findings:
        seen = found.setdefault(finding.source.path, Seen())
        seen.findings.append(finding)
        if finding in run.origins:
            seen.origins[finding] = run.origins[finding]
    for artifact in run.verdict.coverage.broken:
        problem = next((each for each in artifact.problems if each.fatal), None)
        if problem is not None:
            trouble = Trouble(NOT_ANALYSED, problem.message, artifact.source, problem.start, problem.end)
            found.setdefault(artifact.path, Seen()).troubles.append(trouble)
    return found


def _moved(finding: Finding, source: Source) -> Finding | None:
    """A finding at the place its line has now: the nearest one with the same text; None when there is none."""
    number, column = finding.source.position(finding.start)
    wanted = finding.source.line(number)
    lines = [at for at in range(1, len(source.starts) + 1) if source.line(at) == wanted]
    if not lines:
        return None
    nearest = min(lines, key=lambda at: abs(at - number))
    start = source.offset(nearest, column)
    length = min(finding.end, finding.source.offset(number) + len(wanted)) - finding.start
    from copy import copy

    moved = copy(finding)
    moved.source, moved.start, moved.end = source, start, start + max(length, 0)
    return moved


def _key(finding: Finding) -> Key:
    """A finding wherever its line has moved to: the rule, the line, the column."""
    number, column = finding.source.position(finding.start)
    return finding.rule.id, finding.source.line(number), column
