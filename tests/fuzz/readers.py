"""Turns bytes into what a reader makes of them, and raises AssertionError where a promise of the reader breaks.

READERS is the table: a name, which is also a folder of `corpus/`, and a function that takes any bytes. What a promise
is: nothing is raised, places lie inside of the text, and judging a tree ends with neither a failure nor a secret shown.
"""

from __future__ import annotations

import json as stdlib_json
from collections.abc import Callable, Iterable
from functools import cache

from elo_gate import engine, examples
from elo_gate.discover import Unreadable, decode, index_names
from elo_gate.gate import Run
from elo_gate.kinds import KINDS
from elo_gate.model import ABSENT, SCALAR, Node, Problem, Source, walk
from elo_gate.policy import ConfigError, Policy
from elo_gate.policy import baseline as accepted
from elo_gate.policy import config as configuration
from elo_gate.project import Project
from elo_gate.redact import mask
from elo_gate.report import FORMATS, render
from elo_gate.ruleset.load import Ruleset, load
from elo_gate.syntax import command, csp, dockerfile, dotenv, ignore, javascript, json, nginx, sql, toml, yaml
from elo_gate.syntax.shell import parser as shell
from elo_gate.verdict import decide, weigh

# Between two files of a tree; the first byte of each chooses its path.
SEPARATOR = b"\xff"
PATHS = [row[2] for row in KINDS.values()] + [
    "package.json", ".gitignore", ".dockerignore", "kustomization.yaml", "vercel.ts", ".env.example", "src/app/api/health/route.ts",
    "compose.yaml", "railway.json", "task-definition.json", "buildspec.yml", "docs/runbook.md", "db/migrations/0001_x.sql", "nginx/site.conf",
]  # fmt: skip


def _inside(source: Source, roots: Iterable[Node], problems: Iterable[Problem]) -> None:
    for root in roots:
        for node in walk(root):
            if node is not ABSENT and node.source is source:
                assert 0 <= node.start <= node.end <= len(source.text), (node.kind, node.start, node.end)
    for problem in problems:
        assert 0 <= problem.start <= problem.end <= len(source.text), (problem.code, problem.start, problem.end)


def _yaml(source: Source) -> None:
    documents, problems = yaml.parse(source)
    for start, end in yaml.comments(source, documents):
        assert source.text[start] == "#"
        assert "\n" not in source.text[start:end]
    _inside(source, documents, problems)


def _json(source: Source) -> None:
    root, problems = json.parse(source)
    lenient, more = json.parse(source, comments=True)
    _inside(source, [root, lenient], [*problems, *more])
    if all(problem.code == "duplicate-key" for problem in problems):
        stdlib_json.loads(source.text, parse_int=str, parse_float=str)  # what we read, others can


def _toml(source: Source) -> None:
    root, problems = toml.parse(source)
    for start, end in toml.comments(source):
        assert source.text[start] == "#"
        assert "\n" not in source.text[start:end]
    _inside(source, [root], problems)


def _dotenv(source: Source) -> None:
    for dialect in ("next", "compose"):
        root, problems = dotenv.parse(source, dialect)
        values = dotenv.expand(root, {"HOME": "/root"})
        _inside(source, [root, *(each for each in values.values() if isinstance(each, Node))], problems)


def _dockerfile(source: Source) -> None:
    file = dockerfile.parse(source)
    _inside(source, [file.root, *file.directives.values()], file.problems)
    for start, end in file.comments:
        assert 0 <= start < end <= len(source.text)


def _javascript(source: Source) -> None:
    module = javascript.evaluate(source, read=lambda path: None)
    _inside(
        source,
        [module.default, module.result(module.default), *module.exports.values(), *module.outside],
        module.problems,
    )


def _shell(source: Source) -> None:
    script = shell.parse(source)
    _inside(source, [], script.problems)
    for each in script.commands:
        for word in each.words:
            assert 0 <= word.start <= word.end <= len(source.text)


def _command(source: Source) -> None:
    for each in command.parse(source.text):
        for word in each.words:
            assert 0 <= word.start <= word.end <= len(source.text)


def _nginx(source: Source) -> None:
    directives, problems = nginx.parse(source)
    _inside(source, [nginx.tree(directives, source)], problems)


def _sql(source: Source) -> None:
    for dialect in (sql.POSTGRESQL, sql.dialect(source.text)):
        statements, problems = sql.parse(source, dialect)
        _inside(source, [], problems)
        for each in sql.every(source, statements):
            assert 0 <= each.start <= each.end <= len(source.text)


def _csp(source: Source) -> None:
    for policy in csp.parse(Node(SCALAR, source.text, source, 0, len(source.text))):
        for _ in csp.mistakes(policy):
            pass


def _ignore(source: Source) -> None:
    for dialect in (ignore.GIT, ignore.DOCKER, ignore.VERCEL):
        ignore.Patterns(source.text, dialect=dialect).match("a/b c/.env", is_dir=False)


def _config(source: Source) -> None:
    try:
        configuration.read_text("elo-gate.toml", source.text, "", opened=lambda path: "")
    except ConfigError:
        pass


def _baseline(source: Source) -> None:
    try:
        entries = accepted.parse(source.text, "elo-gate-baseline.json", conflicts=True)
    except ConfigError:
        return
    again = accepted.dump(entries)
    assert accepted.dump(accepted.parse(again, "elo-gate-baseline.json")) == again


def _mask(source: Source) -> None:
    shown = mask(source.text)
    assert shown.count("\n") == source.text.count("\n"), "lines have to stay where they are"


def _of_text(read: Callable[[Source], None]) -> Callable[[bytes], None]:
    """A reader of text as one of bytes: what is no text ends where it ends in a run."""

    def take(data: bytes) -> None:
        try:
            text = decode(data)
        except Unreadable:
            return
        read(Source("file", text))

    return take


def _index(data: bytes) -> None:
    try:
        index_names(b"DIRC" + data)
    except (ValueError, IndexError):
        pass


@cache
def _rules() -> Ruleset:
    return load()


def _tree(data: bytes) -> None:
    """A whole tree, judged by every rule and shown in every format."""
    files: dict[str, str] = {}
    for part in data.split(SEPARATOR)[:6]:
        try:
            files[PATHS[part[0] % len(PATHS)] if part else PATHS[0]] = decode(part[1:])
        except Unreadable:
            continue
    ruleset = _rules()
    project = Project(
        examples.MemoryTree(files), examples.AS_OF, ruleset.table, elo=True, ignores=examples.MemoryIgnores(files)
    )
    project.examined = True
    project.look()
    outcome = engine.judge(project.subjects(), ruleset, {}, mask)
    passed, exceptions = weigh(project, outcome, Policy(), ruleset, mask)
    assert outcome.failures == [], outcome.failures
    for finding in outcome.findings:
        assert 0 <= finding.start <= finding.end <= len(finding.source.text), finding.rule.id
    run = Run(decide(project, outcome, Policy(), False, passed), project, ruleset, Policy(), "")
    run.exceptions = exceptions
    for name in FORMATS:
        render(run, name, {"verbose": True, "include_suppressed": True})


READERS: dict[str, Callable[[bytes], None]] = {
    "baseline": _of_text(_baseline),
    "command": _of_text(_command),
    "config": _of_text(_config),
    "csp": _of_text(_csp),
    "dockerfile": _of_text(_dockerfile),
    "dotenv": _of_text(_dotenv),
    "ignore": _of_text(_ignore),
    "index": _index,
    "javascript": _of_text(_javascript),
    "json": _of_text(_json),
    "mask": _of_text(_mask),
    "nginx": _of_text(_nginx),
    "shell": _of_text(_shell),
    "sql": _of_text(_sql),
    "toml": _of_text(_toml),
    "tree": _tree,
    "yaml": _of_text(_yaml),
}
