"""Runs the examples of rule files: each is a small tree in memory, judged like any other, compared with its `at`."""

from __future__ import annotations

from typing import Any

from . import engine
from .discover import Unreadable
from .gate import declare
from .kinds import KINDS
from .model import Artifact
from .project import Project
from .redact import mask
from .ruleset.load import Ruleset
from .ruleset.schema import Example, RuleFile
from .verdict import weigh

AS_OF = "2026-11-25"


class MemoryTree:
    """A tree that exists in memory only: path -> text."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    def names(self, folder: str) -> tuple[list[str], list[str]]:
        """(files, folders) in a folder."""
        prefix = folder + "/" if folder else ""
        rest = [path[len(prefix) :] for path in self.files if path.startswith(prefix)]
        return sorted(name for name in rest if "/" not in name), sorted(
            {name.split("/")[0] for name in rest if "/" in name}
        )

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        return path in ("", ".") or path in self.files or self.is_folder(path)

    def is_folder(self, path: str) -> bool:
        """Whether a folder is there."""
        return any(name.startswith(path + "/") for name in self.files)

    def read(self, path: str, limit: int = 0) -> bytes:
        """The bytes of a file. Raises Unreadable when there is none."""
        if path not in self.files:
            raise Unreadable("there is no such file")
        return self.files[path].encode()


class MemoryIgnores:
    """The ignore files of a tree in memory, outside of git."""

    def __init__(self, files: dict[str, str]) -> None:
        from .syntax import ignore

        found = [
            (path.rpartition("/")[0], ignore.Patterns(text, path.rpartition("/")[0]))
            for path, text in files.items()
            if path.rpartition("/")[2] == ".gitignore"
        ]
        self._rules = ignore.Tree(found)

    def ignored(self, path: str) -> bool:
        """Whether a pattern ignores a file."""
        return self._rules.ignored(path)

    def ignored_folder(self, path: str) -> bool:
        """Whether a pattern ignores a folder."""
        return self._rules.ignored(path, True)

    def tracked(self, path: str) -> bool | None:
        """Nothing is known: there is no git."""
        return None


def tree_of(rule: RuleFile, example: Example) -> dict[str, str]:
    """The files of an example; a single one lies at its kind's usual path."""
    if example.files is not None:
        return dict(example.files)
    return {example.path or KINDS[rule.kinds[0]][2]: example.file or ""}


def judge_tree(files: dict[str, str], ruleset: Ruleset, as_of: str, config: str = "") -> engine.Outcome:
    """The outcome of all rules on a tree in memory, under the text of a configuration."""
    from .policy.config import read_text

    policy = read_text("elo-gate.toml", config, "")
    project = Project(
        MemoryTree(files),
        as_of,
        ruleset.table,
        elo=policy.elo,
        platforms=policy.platforms,
        ignores=MemoryIgnores(files),
    )
    declare(project, policy)
    project.examined = True
    project.look()
    outcome = engine.judge(project.subjects(), ruleset, policy.settings, mask)
    weigh(project, outcome, policy, ruleset, mask)
    return outcome


def project_of(files: dict[str, str], ruleset: Ruleset, as_of: str = AS_OF) -> Project:
    """A looked-at project over a tree in memory."""
    project = Project(MemoryTree(files), as_of, ruleset.table, ignores=MemoryIgnores(files))
    project.examined = True
    project.look()
    return project


def artifact_of(
    kind: str, text: str, path: str = "", files: dict[str, str] | None = None, ruleset: Ruleset | None = None
) -> Artifact:
    """One loaded artifact of a tree in memory, for tests of kinds. Raises KeyError when there is none."""
    from .ruleset.load import load

    where = path or KINDS[kind][2]
    project = project_of({**(files or {}), where: text}, ruleset or load())
    for artifact in project.all():
        if artifact.path == where:
            return artifact
    raise KeyError(where)


def check(rule: RuleFile, ruleset: Ruleset) -> list[str]:
    """What is wrong with a rule's examples, in words; empty when they hold."""
    complaints = []
    for group, examples in (("bad", rule.bad), ("good", rule.good), ("undecided", rule.undecided)):
        for number, example in enumerate(examples, 1):
            where = f"{rule.id}: {group} example {number}" + (f" ({example.why})" if example.why else "")
            complaints += [f"{where}: {what}" for what in _check_one(rule, example, group, ruleset)]
    return complaints


def _check_one(rule: RuleFile, example: Example, group: str, ruleset: Ruleset) -> list[str]:
    files = tree_of(rule, example)
    if rule.kinds == ["policy"]:
        # Rules about exceptions look at what all the others find.
        from .ruleset.load import load

        ruleset = load()
    as_of = example.as_of.isoformat() if example.as_of else AS_OF
    outcome = judge_tree(files, ruleset, as_of, example.config or "")
    found = sorted(
        (each.source.path, each.source.position(each.start)[0]) for each in outcome.findings if each.rule.id == rule.id
    )
    failed = [why for identifier, _, _, why in outcome.failures if identifier == rule.id]
    undecided = [why for identifier, _, _, why in outcome.undecided if identifier == rule.id]
    if failed:
        return [failed[0]]
    if group == "bad":
        main = next(iter(files)) if len(files) == 1 else None
        wanted = sorted(_at(place, main, files) for place in example.places)
        if found != wanted:
            return [
                f"expected findings at {_show(wanted)}, found {_show(found) or 'none'}"
                + (f"; undecided: {undecided[0]}" if undecided else "")
            ]
        return []
    if found:
        return [f"expected no finding, found {_show(found)}"]
    if group == "undecided" and not undecided:
        return ["expected an undecided answer, the rule decided"]
    return []


def _at(place: int | str, main: str | None, files: dict[str, str]) -> tuple[str, int]:
    if isinstance(place, int):
        return main or sorted(files)[0], place
    path, _, line = place.rpartition(":")
    return (path, int(line)) if path else (main or sorted(files)[0], int(line))


def _show(places: list[tuple[str, int]]) -> str:
    return ", ".join(f"{path}:{line}" for path, line in places)


def test_rules(names: Any, folder: str | None = None) -> tuple[int, list[str]]:
    """(rules tested, complaints) for rules named by id or folder; all when none is named. Raises RuleError."""
    from .ruleset.compile import compile_rules, read_rule, rule_files, tables
    from .ruleset.load import data_dir, from_sources

    where = folder or data_dir("rules")
    chosen = []
    complaints = []
    for identifier, path in rule_files(where):
        if names and not any(identifier == name or identifier.startswith(name.rstrip("/") + "/") for name in names):
            continue
        chosen.append(read_rule(identifier, path))
    for rule in chosen:
        sources = compile_rules([rule])
        for name, table in tables(data_dir("rules")).items():
            sources["table_" + name.replace("-", "_")] = f"TABLE = {table!r}"
        complaints += check(rule, from_sources(sources))
    return len(chosen), complaints
