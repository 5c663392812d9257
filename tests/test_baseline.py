"""The baseline: what identifies an accepted finding, what changes nothing, what the file never holds."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elo_gate import examples, gate
from elo_gate.policy import ConfigError, baseline
from elo_gate.policy.identity import shape_of
from elo_gate.project import Project
from elo_gate.redact import mask
from elo_gate.ruleset.load import data_dir, load
from elo_gate.verdict import weigh

Write = Callable[[dict[str, str]], Path]
AS_OF = "2026-11-25"
NAME = baseline.NAME
PUBLISHED = """\
services:
  db:
    image: postgres:18.1
    restart: always
    ports: ["5432:5432"]
  cache:
    image: valkey/valkey:9.0
    restart: always
    ports: ["6379:6379"]
"""


def judged(folder: Path, **options: object) -> gate.Run:
    return gate.run(str(folder), as_of=AS_OF, **options)  # type: ignore[arg-type]


def accept(folder: Path, reason: str = "as it was") -> int:
    run = judged(folder, growing=True)
    assert run.baseline is not None
    count = baseline.accept(run.baseline, run.verdict.findings, run.project, run.policy, run.ruleset, reason)
    baseline.write(run.baseline, str(folder / NAME))
    config = folder / "elo-gate.toml"
    text = config.read_text() if config.is_file() else ""
    if "baseline" not in text:
        config.write_text(f'baseline = "{NAME}"\n{text}')
    return count


def new(run: gate.Run) -> list[tuple[str, str, int]]:
    return [(each.rule.id, each.source.path, each.source.position(each.start)[0]) for each in run.verdict.findings]


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "init.defaultBranch=main", *words],
        cwd=folder, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def cli(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "elo_gate", *words], cwd=folder, capture_output=True, text=True, check=False
    )


# -- a large tree, made from the bad example


@pytest.fixture(scope="module")
def adopted(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with over 200 findings, all of them accepted."""
    folder = tmp_path_factory.mktemp("adopted")
    shutil.copytree(root / "examples/intranet-before", folder / "apps/intranet")
    shutil.copytree(root / "examples/intranet-before/k8s", folder / "apps/second/k8s")
    assert accept(folder) >= 200
    assert new(judged(folder)) == []
    return folder


@pytest.fixture
def copy(adopted: Path, tmp_path: Path) -> Path:
    target = tmp_path / "tree"
    shutil.copytree(adopted, target)
    return target


def _same(folder: Path) -> None:
    run = judged(folder)
    assert new(run) == [] and run.remarks == []


def test_a_renamed_folder_brings_nothing_back(copy: Path) -> None:
    (copy / "apps").rename(copy / "services")
    (copy / "services/intranet").rename(copy / "services/portal")
    _same(copy)


def test_inserted_lines_bring_nothing_back(copy: Path) -> None:
    for path in copy.rglob("*"):
        if path.suffix in (".yaml", ".yml", ".toml", ".conf", ".sql") or path.name.startswith(("Dockerfile", ".env")):
            path.write_text("# a word\n\n# another\n" * (path.suffix != ".sql") + path.read_text())
        if path.suffix in (".js", ".ts", ".tsx"):
            path.write_text("// a word\n\n" + path.read_text())
    _same(copy)


def test_reordered_keys_bring_nothing_back(copy: Path) -> None:
    for path in copy.rglob("vercel.json"):
        data = json.loads(path.read_text())
        path.write_text(json.dumps(dict(reversed(data.items())), indent=4))
    for path in copy.rglob("compose*.yaml"):
        path.write_text(_reordered(path.read_text()))
    for path in copy.rglob("k8s/**/*.yaml"):
        documents = path.read_text().split("\n---\n")
        path.write_text(
            "\n---\n".join(reversed([_reordered(each.rstrip("\n") + "\n").rstrip("\n") for each in documents])) + "\n"
        )
    _same(copy)


def _reordered(text: str) -> str:
    """A YAML text with its outermost keys the other way round."""
    head, *parts = re.split(r"^(?=[A-Za-z][\w.-]*:)", text, flags=re.M)
    return head + "".join(part.rstrip("\n") + "\n" for part in reversed(parts))


def test_one_more_mistake_is_one_more_finding(copy: Path) -> None:
    path = copy / "apps/intranet/Dockerfile.production"
    path.write_text(path.read_text() + "ADD http://downloads.acme.example/tool /opt/\n")
    found = {rule for rule, _, _ in new(judged(copy))}
    assert found and all(rule.startswith("docker/") for rule in found)


def test_what_is_repaired_is_counted_and_pruned(copy: Path) -> None:
    (copy / "apps/second/k8s").rename(copy / "elsewhere")
    shutil.rmtree(copy / "elsewhere")
    run = judged(copy)
    assert new(run) == [] and "accepted findings are gone" in run.remarks[0]
    assert run.baseline is not None
    before = sum(each.count for each in run.baseline.entries)
    gone = baseline.prune(run.baseline)
    assert gone > 0 and sum(each.count for each in run.baseline.entries) == before - gone
    baseline.write(run.baseline, str(copy / NAME))
    _same(copy)


def test_the_file_holds_no_line_no_time_no_value(adopted: Path) -> None:
    text = (adopted / NAME).read_text()
    entries = json.loads(text)["accepted"]
    assert all(set(each) <= {"rule", "at", "is", "path", "reason", "count"} for each in entries[:-1])
    lines = text.splitlines()[1:-1]
    assert (
        lines
        == sorted(lines, key=lambda line: (json.loads(line.rstrip(","))["rule"], json.loads(line.rstrip(","))["path"]))
        and len(lines) == len(entries) - 1
    )
    for path in adopted.rglob(".env*"):
        for value in re.findall(r"=\s*['\"]?([^\s'\"]{8,})", path.read_text()):
            assert value not in text
    assert not re.search(r"\b[0-9a-f]{16,}\b", text)


# -- identities


@pytest.mark.parametrize(
    ("text", "shape"),
    [("3", "number"), ("true", "boolean"), ('"https://a.example"', "url"), ("${PORT}", "reference"), ("5432:5432", "port"),
     ("postgres:18", "image"), ("./data", "path"), ("hunter2", "word"), ("hunter3", "word"), ("", "empty"), ("a b", "words"),
     ("[1, 2]", "collection"), ("'*'", "wildcard")],
)  # fmt: skip
def test_shapes(text: str, shape: str) -> None:
    assert shape_of(text) == shape


def test_a_finding_has_the_way_of_names_to_its_place(tree: Write) -> None:
    folder = tree({"compose.production.yaml": PUBLISHED})
    accept(folder)
    ways = {each["at"] for each in json.loads((folder / NAME).read_text())["accepted"] if each}
    assert {"services > db > ports > [port]", "services > cache > ports > [port]"} <= ways


def test_what_a_script_lacks_is_not_tied_to_its_first_line(tree: Write) -> None:
    script = "#!/bin/bash\npg_dump shop > /backups/shop.sql\naws s3 cp /backups/shop.sql s3://shop-backups/\n"
    folder = tree({"scripts/backup.sh": script, "compose.production.yaml": PUBLISHED})
    assert "script/no-strict-mode" in {rule for rule, _, _ in new(judged(folder))}
    accept(folder)
    tree({"scripts/backup.sh": "# a word\ncd /srv\n" + script.removeprefix("#!/bin/bash\n")})
    assert "script/no-strict-mode" not in {rule for rule, _, _ in new(judged(folder))}


def test_a_neighbour_with_the_same_mistake_is_new(tree: Write) -> None:
    folder = tree({"compose.production.yaml": PUBLISHED})
    accept(folder)
    more = PUBLISHED + '  queue:\n    image: postgres:18.1\n    restart: always\n    ports: ["5433:5432"]\n'
    tree({"compose.production.yaml": more})
    assert ("compose/data-store-published", "compose.production.yaml", 13) in new(judged(folder))


def test_a_new_file_does_not_inherit_from_one_that_is_still_there(tree: Write) -> None:
    folder = tree({"a/compose.production.yaml": PUBLISHED})
    accept(folder)
    tree({"b/compose.production.yaml": PUBLISHED})
    found = [path for rule, path, _ in new(judged(folder)) if rule == "compose/data-store-published"]
    assert found == ["b/compose.production.yaml"] * 2
    # One file moved, one is new: the moved one keeps what was accepted.
    (folder / "a").rename(folder / "c")
    found = [path for rule, path, _ in new(judged(folder)) if rule == "compose/data-store-published"]
    assert len(found) == 2 and len(set(found)) == 1


def test_a_locked_rule_is_not_accepted(tree: Write) -> None:
    folder = tree({"compose.production.yaml": PUBLISHED})
    accept(folder)
    (folder / "elo-gate.toml").write_text(f'baseline = "{NAME}"\nunsuppressable = ["compose/data-store-published"]\n')
    assert [rule for rule, _, _ in new(judged(folder))] == ["compose/data-store-published"] * 2
    run = judged(folder, growing=True)
    assert baseline.accept(run.baseline, run.verdict.findings, run.project, run.policy, run.ruleset, "no") == 0  # type: ignore[arg-type]


# -- check, accept, check

_EXAMPLES = [
    (rule, example)
    for folder in ("compose", "docker", "env", "k8s", "vercel", "railway", "nginx", "sql", "next", "ci")
    for rule, path in __import__("elo_gate.ruleset.compile", fromlist=["rule_files"]).rule_files(data_dir("rules"))
    if rule.startswith(folder + "/")
    for example in __import__("elo_gate.ruleset.compile", fromlist=["read_rule"]).read_rule(rule, path).bad[:1]
]


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(range(len(_EXAMPLES))), min_size=1, max_size=4, unique=True))
def test_check_accept_check_is_clean(numbers: list[int]) -> None:
    ruleset = load()
    files: dict[str, str] = {}
    for number in numbers:
        rule, example = _EXAMPLES[number]
        found = examples.tree_of(_rule(rule), example)
        files.update({f"app{number}/{path}": text for path, text in found.items()})

    def outcome(known: baseline.Baseline | None) -> tuple[Project, examples.engine.Outcome]:
        project = Project(examples.MemoryTree(files), AS_OF, ruleset.table, ignores=examples.MemoryIgnores(files))
        project.look()
        done = examples.engine.judge(project.subjects(), ruleset, {}, mask)
        weigh(project, done, gate_policy(), ruleset, mask, known)
        return project, done

    project, first = outcome(None)
    made = baseline.Baseline([])
    baseline.add(
        made, [each for each in first.findings if not each.rule.id.startswith("policy/")], project, "as it was"
    )
    text = baseline.dump(made.entries)
    again = baseline.Baseline(baseline.parse(text, NAME))
    _, second = outcome(again)
    assert [each.rule.id for each in second.findings if not each.rule.id.startswith("policy/")] == []
    assert again.gone() == 0
    assert baseline.dump(again.entries) == text


def gate_policy() -> object:
    from elo_gate.policy import Policy

    return Policy()


def _rule(identifier: str) -> examples.RuleFile:
    from elo_gate.ruleset.compile import read_rule

    return read_rule(identifier, os.path.join(data_dir("rules"), identifier + ".yaml"))


# -- the file


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no JSON"),
        ("[]", "version 1"),
        ('{"version": 2, "accepted": []}', "version 1"),
        ('{"version": 1, "accepted": [{"rule": "a/b"}]}', "entry 1: it needs rule, at"),
        ('{"version": 1, "accepted": [{"rule": "a", "at": "", "is": "", "path": "", "reason": " "}]}', "needs a reason"),
        ('{"version": 1, "accepted": [{"rule": "a", "at": "", "is": "", "path": "", "reason": "x", "line": 3}]}', "`line`"),
        ('{"version": 1, "accepted": [{"rule": "a", "at": "", "is": "", "path": "", "reason": "x", "count": 0}]}', "`count`"),
        ("<<<<<<< HEAD\n", "baseline prune"),
    ],
)  # fmt: skip
def test_a_broken_baseline_is_refused(tree: Write, text: str, says: str) -> None:
    folder = tree({"compose.production.yaml": PUBLISHED, "elo-gate.toml": f'baseline = "{NAME}"\n', NAME: text})
    with pytest.raises(ConfigError, match=re.escape(says)):
        judged(folder)


def test_a_baseline_that_is_not_there_is_refused(tree: Write) -> None:
    folder = tree({"compose.production.yaml": PUBLISHED, "elo-gate.toml": f'baseline = "{NAME}"\n'})
    with pytest.raises(ConfigError, match="no such baseline"):
        judged(folder)
    with pytest.raises(ConfigError, match="no such baseline"):
        judged(folder, baseline=str(folder / "other.json"))


def test_the_commands(tree: Write) -> None:
    folder = tree({"compose.production.yaml": PUBLISHED})
    assert cli(folder, "baseline", "add", ".").returncode == 2
    assert cli(folder, "baseline", "add", ".", "--reason", " ").returncode == 2
    done = cli(folder, "baseline", "add", ".", "--rule", "compose/data-store-publish", "--reason", "x")
    assert done.returncode == 2 and "did you mean `compose/data-store-published`" in done.stderr
    done = cli(folder, "baseline", "add", ".", "--rule", "compose/data-store-published", "--reason", "a lab")
    assert done.returncode == 0 and done.stdout.startswith("accepted: 2;") and f'baseline = "{NAME}"' in done.stdout
    done = cli(folder, "check", ".", "--baseline", NAME, "-f", "json")
    report = json.loads(done.stdout)
    assert [each["reason"] for each in report["suppressed"]] == ["a lab"] * 2
    tree({"compose.production.yaml": PUBLISHED.replace('    ports: ["6379:6379"]\n', "")})
    done = cli(folder, "check", ".", "--baseline", NAME)
    assert "1 accepted findings are gone" in done.stderr
    done = cli(folder, "baseline", "prune", ".", "--baseline", NAME)
    assert done.returncode == 0 and done.stdout.startswith("forgotten: 1;")
    assert "cache" not in (folder / NAME).read_text()


def test_nothing_is_forgotten_while_a_file_is_not_read(tree: Write) -> None:
    folder = tree({"compose.production.yaml": PUBLISHED})
    cli(folder, "baseline", "add", ".", "--reason", "a lab")
    before = (folder / NAME).read_text()
    tree({"compose.production.yaml": "services:\n  a: [\n"})
    assert cli(folder, "baseline", "prune", ".").returncode == 2
    assert (folder / NAME).read_text() == before


# -- merging


def test_two_branches_that_accept_merge(tree: Write) -> None:
    service = '    image: postgres:18.1\n    restart: always\n    ports: ["5432:5432"]\n'
    files = {f"app{n}/compose.production.yaml": f"services:\n  db{n}:\n{service}" for n in range(1, 6)}
    folder = tree(files)
    git(folder, "init", "-q")
    accept(folder)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "adopt")
    for branch, app in (("one", 1), ("two", 4)):
        git(folder, "checkout", "-qb", branch, "main")
        path = folder / f"app{app}/compose.production.yaml"
        path.write_text(path.read_text() + f"  extra{app}:\n{service}")
        assert accept(folder, f"needed by {branch}") > 0
        git(folder, "commit", "-qam", branch)
    git(folder, "merge", "-q", "one")
    assert new(judged(folder)) == []
    reasons = {each["reason"] for each in json.loads((folder / NAME).read_text())["accepted"] if each}
    assert reasons == {"as it was", "needed by one", "needed by two"}


def test_two_branches_that_accept_at_one_spot_merge_by_the_attribute(tree: Write) -> None:
    service = '    image: postgres:18.1\n    restart: always\n    ports: ["5432:5432"]\n'
    folder = tree(
        {
            "elo-gate.toml": f'baseline = "{NAME}"\n',
            "compose.production.yaml": "services: {}\n",
            NAME: baseline.dump([]),
        }
    )
    git(folder, "init", "-q")
    hint = baseline.merging(str(folder / NAME))
    assert hint == f"{NAME} merge=union"
    (folder / ".gitattributes").write_text(hint + "\n")
    assert baseline.merging(str(folder / NAME)) == ""
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "empty")
    for branch in ("one", "two"):
        git(folder, "checkout", "-qb", branch, "main")
        tree({f"{branch}/compose.production.yaml": f"services:\n  {branch}:\n{service}"})
        assert accept(folder, f"needed by {branch}") > 0
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", branch)
    git(folder, "merge", "-q", "one")
    assert new(judged(folder)) == []
    reasons = {each["reason"] for each in json.loads((folder / NAME).read_text())["accepted"] if each}
    assert reasons == {"needed by one", "needed by two"}


def test_a_merge_that_git_leaves_open_is_ended_by_prune(tree: Write) -> None:
    service = '    image: postgres:18.1\n    restart: always\n    ports: ["5432:5432"]\n'
    folder = tree(
        {
            "elo-gate.toml": f'baseline = "{NAME}"\n',
            "compose.production.yaml": "services: {}\n",
            NAME: baseline.dump([]),
        }
    )
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "empty")
    for branch in ("one", "two"):
        git(folder, "checkout", "-qb", branch, "main")
        tree({f"{branch}/compose.production.yaml": f"services:\n  {branch}:\n{service}"})
        assert accept(folder, f"needed by {branch}") > 0
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", branch)
    merged = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", "merge", "-q", "one"],
        cwd=folder, capture_output=True, check=False,
    )  # fmt: skip
    assert merged.returncode == 1 and "<<<<<<<" in (folder / NAME).read_text()
    assert cli(folder, "check", ".", "--as-of", AS_OF).returncode == 2
    assert cli(folder, "baseline", "prune", ".", "--as-of", AS_OF).returncode == 0
    assert new(judged(folder)) == []


def test_no_secret_gets_into_the_file(tree: Write) -> None:
    secrets = [
        "hunterspassword",
        "Tr0ub4dor-and-3",
        "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
        "correct horse battery",
        "JBSWY3DPEHPK3PXP",
    ]
    files = {}
    for number, secret in enumerate(secrets):
        files |= {
            f"a{number}/.env.production": f"DATABASE_URL=postgres://elo:{secret}@db.internal/x\nNEXTAUTH_SECRET={secret}\nSMTP_PASS='{secret}'\n",
            f"a{number}/compose.production.yaml": "services:\n  db:\n    image: postgres\n    command: [--password, '"
            f"{secret}']\n    environment:\n      - POSTGRES_PASSWORD={secret}\n      - {{name: {secret!r}}}\n    ports: ['5432:5432']\n",
            f"a{number}/scripts/backup.sh": f"export PGPASSWORD={secret}\npg_dump -h db -U elo --password {secret} x > y\nmysql {secret} | aws s3 cp - s3://x\n",
            f"a{number}/db/init.sql": f"CREATE ROLE elo LOGIN PASSWORD '{secret}';\nALTER USER elo PASSWORD '{secret}';\n",
            f"a{number}/Dockerfile.production": f"FROM node\nENV API_TOKEN={secret}\nRUN echo {secret} > x\n",
            f"a{number}/k8s/production/s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData:\n"
            f"  password: {secret}\n  list: [{{key: {secret!r}, value: {secret!r}}}]\n",
        }  # fmt: skip
    folder = tree(files)
    assert accept(folder) > 50
    text = (folder / NAME).read_text()
    assert [each for each in secrets if each in text] == []
