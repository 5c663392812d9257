"""No tree makes a rule or a view fail: our examples, mutated at random, wrong types at every place, files by hand."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elo_gate import engine, examples, gate
from elo_gate.kinds import kind_of
from elo_gate.model import walk
from elo_gate.project import Project
from elo_gate.redact import mask
from elo_gate.ruleset.compile import read_rule, rule_files
from elo_gate.ruleset.load import Ruleset, data_dir, load

TREES = Path(__file__).resolve().parents[1] / "examples"


def read(tree: str) -> dict[str, str]:
    """The text files of an example."""
    found = {}
    for path in sorted((TREES / tree).rglob("*")):
        if path.is_file():
            found[path.relative_to(TREES / tree).as_posix()] = path.read_text(encoding="utf-8")
    return found


FILES = {tree: read(tree) for tree in ("intranet", "intranet-before")}
STRUCTURED = [(t, p) for t, files in FILES.items() for p in files if p.endswith((".yaml", ".json")) and kind_of(p)]
TEXTUAL = [(t, p) for t, files in FILES.items() for p in files if kind_of(p) and not p.endswith((".yaml", ".json"))]

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 70000), st.floats(allow_nan=False), st.text(max_size=8),
    st.sampled_from(["${X}", "${X:-1}", "{{ .V }}", "0x", "1e999", "-1", "::", "latest", "@", "a:b:c", "/", "..", "\u202e", "8080-"]),
    st.lists(st.text(max_size=3), max_size=3), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.just([[]]), st.just({"": None}), st.just([None, {}]),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value below."""
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


def change(value: Any, path: tuple[Any, ...], put: Any) -> Any:
    """A copy with another value at a path."""
    if not path:
        return put
    made = copy.copy(value)
    made[path[0]] = change(made[path[0]], path[1:], put)
    return made


@cache
def rules() -> Ruleset:
    return load()


def failures(files: dict[str, str]) -> list[Any]:
    """What failed when a tree in memory was judged with all rules."""
    ruleset = rules()
    project = Project(
        examples.MemoryTree(files), examples.AS_OF, ruleset.table, elo=True, ignores=examples.MemoryIgnores(files)
    )
    project.examined = True
    project.look()
    outcome = engine.judge(project.subjects(), ruleset, {}, mask)
    for finding in outcome.findings:
        assert 0 <= finding.start <= finding.end <= len(finding.source.text), finding.rule.id
    return outcome.failures


@pytest.mark.parametrize(("tree", "path"), STRUCTURED, ids=[f"{t}/{p}" for t, p in STRUCTURED])
@settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_wrong_types_in_documents(tree: str, path: str, data: st.DataObject) -> None:
    text = FILES[tree][path]
    documents = [json.loads(text)] if path.endswith(".json") else list(yaml.safe_load_all(text))
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.sampled_from(places(documents)[1:] or [()]))
        documents = change(documents, where, data.draw(ODD))
        if not isinstance(documents, list) or not documents:
            return
    made = json.dumps(documents[0]) if path.endswith(".json") else yaml.safe_dump_all(documents)
    assert failures({**FILES[tree], path: made}) == []


@pytest.mark.parametrize(("tree", "path"), TEXTUAL, ids=[f"{t}/{p}" for t, p in TEXTUAL])
@settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_broken_text(tree: str, path: str, data: st.DataObject) -> None:
    text = FILES[tree][path]
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.sampled_from([0, 1, 2, 7, 40])))
        put = data.draw(
            st.sampled_from(
                [
                    "",
                    "\n",
                    "'",
                    '"',
                    "{",
                    "}",
                    "[",
                    "$",
                    "${",
                    "\\",
                    "#",
                    "=",
                    ":",
                    "<<EOF\n",
                    "\t",
                    "FROM ",
                    "é",
                    "\x00",
                    "...",
                ]
            )
        )
        text = text[:start] + put + text[end:]
    assert failures({**FILES[tree], path: text}) == []


# -- every node in turn, in the places it is written

PUT = ['"x"', "7", '["x"]', '{"x": "y"}', "null", '""', "[[]]", "{}", "[null]", "-1", "1e999", '"${X}"', '[{"a": []}]']
PUT_TOML = ['"x"', "7", '["x"]', '{x = "y"}', '""', "[[]]", "{}", "-1", "[{a = []}]", "true", "1979-05-27"]
CASES = 30  # of each file; the sample is the same in every run


def replaced(files: dict[str, str], path: str, most: int) -> list[dict[str, str]]:
    """The tree with one node of one file in place of which something else stands, once for each of a sample."""
    artifact = examples.project_of(files, rules()).artifact(path)
    if artifact is None or artifact.state == "broken":
        return []
    spans = sorted(
        {
            (node.start, node.end)
            for node in walk(artifact.root)
            if node.source is artifact.source and node.start < node.end
        }
    )
    cases = [(span, put) for span in spans for put in (PUT_TOML if path.endswith(".toml") else PUT)]
    chosen = random.Random(path).sample(cases, min(most, len(cases)))
    text = files[path]
    return [{**files, path: text[:start] + put + text[end:]} for (start, end), put in chosen]


NODES = [
    (tree, path)
    for tree, files in FILES.items()
    for path in files
    if path.endswith((".yaml", ".yml", ".json", ".toml")) and kind_of(path)
]


@pytest.mark.parametrize(("tree", "path"), NODES, ids=[f"{t}/{p}" for t, p in NODES])
def test_another_type_in_place_of_a_node(tree: str, path: str) -> None:
    for files in replaced(FILES[tree], path, CASES):
        assert failures(files) == []


@pytest.mark.parametrize("folder", ["ci", "cloud", "compose", "k8s", "railway", "vercel", "project"])
def test_another_type_in_place_of_a_node_of_an_example(folder: str) -> None:
    """The kinds that our trees do not have: actions, GitLab, cloud pipelines and services."""
    for identifier, where in rule_files(data_dir("rules")):
        if not identifier.startswith(folder + "/"):
            continue
        rule = read_rule(identifier, where)
        for example in (*rule.bad, *rule.good, *rule.undecided):
            files = examples.tree_of(rule, example)
            for path in files:
                if path.endswith((".yaml", ".yml", ".json", ".toml")) and kind_of(path):
                    for made in replaced(files, path, 2):
                        assert failures(made) == [], (identifier, path)


# -- by hand: (name, path, text, exit code)

WORKFLOW = """\
on: [push, {a: 1}, 7]
name: {x: y}
permissions: [read]
env: [A, B]
concurrency: {group: [x], cancel-in-progress: {}}
defaults: 7
jobs:
  a: 7
  b: [x]
  c: null
  d: {needs: {x: 1}, if: [1], runs-on: {group: [1]}, steps: {run: x}, environment: [production], strategy: {matrix: 7}}
  e:
    needs: [a, 7, [x], {y: 1}]
    runs-on: null
    steps:
      - 7
      - null
      - [x]
      - {run: [vercel, --prod]}
      - {run: {a: b}}
      - {uses: [x]}
      - {uses: 7, with: [a]}
      - {run: vercel --prod, env: [X], with: 7, working-directory: [a]}
    environment: {name: {a: b}, url: [1]}
    timeout-minutes: []
  7: {steps: [{run: vercel deploy --prod}]}
  f: {uses: {x: y}, with: [1], secrets: [inherit]}
"""
COMPOSE = """\
services:
  web:
    image: {a: b}
    ports: {x: y}
    environment: 7
    volumes: [[a], 7, {type: [b]}]
    depends_on: 7
    healthcheck: [x]
    deploy: [y]
    networks: 7
    command: {a: b}
    user: [1]
    secrets: {a: 1}
    build: [x]
    env_file: {a: 1}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: [w], labels: 7, annotations: [x]}
spec: {replicas: [3], selector: 7, template: {metadata: 7, spec: {containers: {a: b}, volumes: 7, securityContext: [x]}}}
---
- 1
---
7
---
apiVersion: v1
kind: List
items: {a: b}
"""
GITLAB = """\
stages: {a: b}
variables: [x]
include: 7
image: [a]
default: 7
a: 7
b: {script: {x: y}, stage: [1], rules: 7, only: {a: [b]}, needs: {x: 1}, artifacts: [x], environment: [production]}
c: {script: 7, extends: [b, c, 7], rules: [7, [x], {if: [a]}], image: {name: [x]}, parallel: {matrix: 7}}
"""
MYSQL = """\
USE `shop`;
CREATE TABLE `x` (`id` int(11) NOT NULL AUTO_INCREMENT, PRIMARY KEY (`id`)) ENGINE=InnoDB;
DELIMITER //
CREATE PROCEDURE p() BEGIN SELECT 1; END //
DELIMITER ;
SET GLOBAL max_connections=500;
"""
TSQL = """\
USE [master]
GO
IF NOT EXISTS (SELECT 1 FROM sys.databases WHERE name = N'shop')
BEGIN
  CREATE DATABASE [shop]
END
GO
BACKUP DATABASE [shop] TO DISK = N'C:\\backup\\shop.bak' WITH INIT;
"""
BY_HAND = [
    ("a workflow of wrong types", ".github/workflows/production.yml", WORKFLOW, 1),
    ("a workflow that is a list", ".github/workflows/production.yml", "- on: push\n- jobs: {}\n", 1),
    ("a block of nginx that is not closed", "nginx/nginx.conf", "events {}\nhttp {\n  server { listen 80;\n", 2),
    ("a brace of nginx too many", "nginx/nginx.conf", "events {}\nhttp { server { listen 80; } } }\n", 2),
    ("a quote of the shell that is not closed", "scripts/backup.sh", '#!/bin/bash\nset -e\npg_dump "shop > /b.sql\n', 2),
    ("a loop of the shell without its words", "scripts/backup.sh", "#!/bin/bash\nset -e\nfor do done\nfi\n", 2),
    ("SQL of MySQL", "db/restore.sql", MYSQL, 0),
    ("SQL of SQL Server", "db/restore.sql", TSQL, 0),
    ("rubbish in a crontab", "crontab", "@@@ rubbish\n* * *\n61 25 * 13 9 backup.sh\n\x01\x02\nMAILTO=\n0 2 * * *\n", 1),
    ("services that are a list", "compose.production.yaml", "services: [a, {b: c}]\nvolumes: 7\n", 2),
    ("a service that is a number", "compose.production.yaml", "services:\n  a: 7\n", 2),
    ("a service of wrong types", "compose.production.yaml", COMPOSE, 0),
    ("a Deployment without a map", "k8s/production/app.yaml", "apiVersion: apps/v1\nkind: Deployment\nspec: 7\n", 2),
    ("a Deployment of wrong types", "k8s/production/app.yaml", DEPLOYMENT, 2),
    ("a vercel.json that is a list", "vercel.json", '[1, {"a": 2}]', 2),
    ("a vercel.json of wrong types", "vercel.json", '{"builds": 7, "functions": [1], "regions": {"a": 1}}', 1),
    ("a railway.toml of wrong types", "railway.toml", 'build = 7\ndeploy = ["x"]\n', 1),
    ("a GitLab pipeline of wrong types", ".gitlab-ci.yml", GITLAB, 0),
    ("an Azure pipeline of wrong types", "azure-pipelines.yml", "trigger: 7\nstages: {a: b}\nsteps: [7]\n", 2),
    ("an env file of rubbish", ".env.production", '=\n==\nA\n"X"=1\nA="unclosed\n', 1),
    ("a configuration that is a number", "next.config.js", "module.exports = 7\n", 0),
    ("a list that breaks off", "docs/deploy-checklist.md", "# Deploy\n- [ ] `\n- [ ] [x](\n- [x\n```\n", 0),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "code"), [each[1:] for each in BY_HAND], ids=[each[0] for each in BY_HAND])
def test_a_file_by_hand(tree: Callable[[dict[str, str]], Path], path: str, text: str, code: int) -> None:
    """It is refused with a finding, or not analysed, or there is nothing to say; the file beside it is judged."""
    beside = "FROM node:24-alpine\nUSER root\n"
    run = gate.run(str(tree({path: text, "web/Dockerfile.production": beside})), as_of=examples.AS_OF)
    assert run.verdict.coverage.failures == []
    assert "docker/root-user" in {each.rule.id for each in run.verdict.findings}
    own = [each for each in run.verdict.findings if each.source.path == path and each.severity == "error"]
    broken = [each.path for each in run.verdict.coverage.broken]
    assert (broken == [path], bool(own) and not broken) == (code == 2, code == 1), [each.rule.id for each in own]
    assert run.verdict.exit_code == (2 if code == 2 else 1)
