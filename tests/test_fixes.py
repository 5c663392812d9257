"""Every fix on its rule's own bad examples, in the variants files come in: it mends, it keeps, it stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from elo_gate import gate
from elo_gate.fixes.propose import body_of
from elo_gate.fixes.rounds import Mended, mend
from elo_gate.fixes.write import refusal, write
from elo_gate.kinds import KINDS
from elo_gate.ruleset.compile import read_rule, rule_files
from elo_gate.ruleset.load import data_dir
from elo_gate.ruleset.schema import Example, RuleFile

AS_OF = "2026-11-25"
RULES = [read_rule(identifier, path) for identifier, path in rule_files(data_dir("rules"))]
SHOP = """\
services:
  web:
    image: ghcr.io/acme/web:1.4.2
    restart: always
    depends_on: {depends}
  migrate:
    image: ghcr.io/acme/web:1.4.2
    command: npx prisma migrate deploy
    restart: "no"
  db:
    image: postgres:17.2
    restart: always
    volumes: ["data:/var/lib/postgresql/data"]
    healthcheck: {{test: ["CMD-SHELL", "pg_isready -U acme"]}}
volumes: {{data: {{}}}}
"""
FIXED = [rule for rule in RULES if rule.edit is not None]
# Examples of a rule in which somebody has to decide have none that is mended: these are ours.
MORE: dict[str, list[dict[str, str]]] = {
    "ci/unlocked-install": [
        {
            "package.json": '{"name": "web"}\n',
            "package-lock.json": '{"lockfileVersion": 3}\n',
            ".github/workflows/production.yml": """\
on: {push: {branches: [main]}}
jobs:
  deploy:
    runs-on: ubuntu-24.04
    environment: production
    steps:
      - name: build
        run: |
          npm install --prefer-offline  # from the cache
          npm run build
      - run: npx vercel@48.2.0 deploy --prod
""",
        }
    ],
    "k8s/kustomize-old-field": [
        {
            "k8s/production/kustomization.yaml": "namespace: shop\nbases: [../base]\n",
            "k8s/base/kustomization.yaml": "resources: []\n",
        }
    ],
    "compose/dependency-not-ready": [
        {"compose.yaml": SHOP.format(depends=depends)}
        for depends in ("[db, migrate]", "\n      - db  # note 91\n      - migrate", "\n    - migrate\n    - db")
    ],
    "docker/shell-form-command": [
        {"Dockerfile": f"FROM node:24-alpine\nUSER 1001\n{command}\n"}
        for command in (
            "CMD node server.js --port $PORT",
            "CMD npx prisma migrate deploy && node server.js",
            "ENTRYPOINT node server.js --name 'a b'",
        )
    ],
}
CASES = [(rule, example) for rule in FIXED for example in rule.bad]
CASES += [
    (rule, Example(files=files, why=f"ours, {number}"))
    for rule in FIXED
    for number, files in enumerate(MORE.get(rule.id, ()))
]

Tree = Callable[[dict[str, str]], Path]


def files_of(rule: RuleFile, example: Example) -> dict[str, str]:
    """The files of an example and its configuration."""
    files = dict(example.files or {example.path or KINDS[rule.kinds[0]][2]: example.file or ""})
    if example.config:
        files["elo-gate.toml"] = example.config
    return files


def mended(folder: Path, unsafe: bool, as_of: str = AS_OF) -> Mended:
    """The rounds over a folder, nothing written."""

    def judge(texts: dict[str, str]) -> Any:
        return gate.run(str(folder), as_of=as_of, origins=True, texts=texts)

    return mend(judge({}), judge, unsafe, refusal(str(folder)))


def save(folder: Path, done: Mended) -> None:
    for path, text in done.texts.items():
        before = (folder / path).read_bytes().decode().removeprefix("\ufeff")
        write(str(folder), path, before, text)


def comments(text: str) -> list[str]:
    return sorted(re.findall(r"note \d+", text))


def with_comments(path: str, text: str) -> str:
    """A comment above every line of its own, where the format has comments and no line is in the middle of something."""
    if path.endswith((".json", ".lock", ".toml")) and not path.endswith("railway.toml"):
        return text
    if path.endswith((".ts", ".js", ".mjs", ".tsx")):
        return f"// note 1\n{text}"
    if path.endswith(".sql"):
        return f"-- note 1\n{text}"
    return text if text.startswith("#!") else f"# note 1\n{text}"


def behind(path: str, text: str) -> str:
    """A comment behind every line of a YAML file that is not in a block scalar."""
    if not path.endswith((".yaml", ".yml")) or re.search(r":\s*[|>][-+]?\s*$", text, re.M):
        return text
    lines = text.split("\n")
    return "\n".join(
        f"{line}  # note {n}" if line.strip() and "#" not in line else line for n, line in enumerate(lines)
    )


VARIANTS: dict[str, Callable[[str, str], str]] = {
    "as written": lambda path, text: text,
    "CRLF": lambda path, text: text.replace("\n", "\r\n"),
    "a comment above": with_comments,
    "comments behind": behind,
    "comments behind, CRLF": lambda path, text: behind(path, text).replace("\n", "\r\n"),
    "no final newline": lambda path, text: text.rstrip("\n"),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("rule", "example"), CASES, ids=[f"{rule.id}-{example.why or 'it'}" for rule, example in CASES]
)
def test_a_fix_mends_and_keeps(rule: RuleFile, example: Example, variant: str, tree: Tree) -> None:
    files = {path: VARIANTS[variant](path, text) for path, text in files_of(rule, example).items()}
    folder = tree({})
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())
    as_of = example.as_of.isoformat() if example.as_of else AS_OF
    before = gate.run(str(folder), as_of=as_of)
    done = mended(folder, True, as_of)
    kept = [change for change in done.kept if change.finding.rule.id == rule.id]
    count = sum(each.rule.id == rule.id for each in before.verdict.findings)
    left = sum(each.rule.id == rule.id for each in done.run.verdict.findings)
    assert left == count - len(kept)
    assert len(done.run.verdict.findings) <= len(before.verdict.findings) - len(done.kept)
    for path, text in done.texts.items():
        assert comments(text) == comments(files[path]), "no comment is lost"
        assert text.endswith("\n") == files[path].endswith("\n")
        if "\r\n" in files[path]:
            assert text.count("\n") == text.count("\r\n")
            assert "\r\r" not in text
    save(folder, done)
    again = mended(folder, True, as_of)
    assert not again.texts, "a second run changes nothing"


@pytest.mark.parametrize(
    ("rule", "example"), CASES, ids=[f"{rule.id}-{example.why or 'it'}" for rule, example in CASES]
)
def test_no_fix_raises(rule: RuleFile, example: Example, tree: Tree) -> None:
    folder = tree(files_of(rule, example))
    run = gate.run(str(folder), as_of=example.as_of.isoformat() if example.as_of else AS_OF, origins=True)
    for finding, origin in run.origins.items():
        for edit in body_of(finding.rule.edit[1])(*origin):
            assert 0 <= edit.start <= edit.end <= len(edit.source.text)


def test_every_fix_mends_one_of_its_examples(tree: Tree, tmp_path: Path) -> None:
    idle = []
    for number, rule in enumerate(FIXED):
        worked = False
        for at, example in enumerate([example for each, example in CASES if each is rule]):
            folder = tmp_path / f"{number}-{at}"
            for path, text in files_of(rule, example).items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text, encoding="utf-8")
            as_of = example.as_of.isoformat() if example.as_of else AS_OF
            done = mended(folder, True, as_of)
            worked = worked or any(change.finding.rule.id == rule.id for change in done.kept)
        if not worked:
            idle.append(rule.id)
    assert not idle
