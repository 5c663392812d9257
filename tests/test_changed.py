"""What is read from git, and policies that build on others: `--changed`, `--policy-from`, `extends`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from elo_gate import gate, git
from elo_gate.policy import ConfigError, baseline
from elo_gate.policy.config import read_text

Write = Callable[[dict[str, str]], Path]
AS_OF = "2026-11-25"
RULE = "compose/data-store-published"
PUBLISHED = 'services:\n  db:\n    image: postgres:18.1\n    restart: always\n    ports: ["5432:5432"]\n'
QUIET = "services:\n  app:\n    image: ghcr.io/acme/app:1.2.3\n    restart: always\n"


def run_git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "init.defaultBranch=main", *words],
        cwd=folder, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip


def commit(folder: Path, message: str = "x") -> str:
    if not (folder / ".git").exists():
        run_git(folder, "init", "-q")
    run_git(folder, "add", "-A")
    run_git(folder, "commit", "-qm", message)
    return run_git(folder, "rev-parse", "HEAD")


def judged(folder: Path, **options: object) -> gate.Run:
    return gate.run(str(folder), as_of=AS_OF, **options)  # type: ignore[arg-type]


def paths(run: gate.Run, rule: str = RULE) -> list[str]:
    return [each.source.path for each in run.verdict.findings if each.rule.id == rule]


# -- --changed


def test_only_what_a_change_touches_is_reported(tree: Write) -> None:
    folder = tree({"a/compose.production.yaml": PUBLISHED, "b/compose.production.yaml": PUBLISHED})
    commit(folder)
    run = judged(folder, changed="HEAD")
    assert run.verdict.findings == [] and run.verdict.exit_code == 0
    assert "are not shown" in run.remarks[0]
    tree({"b/compose.production.yaml": PUBLISHED + "# a word\n", "c/compose.production.yaml": PUBLISHED})
    assert paths(judged(folder, changed="HEAD")) == ["b/compose.production.yaml", "c/compose.production.yaml"]
    assert len(judged(folder, changed="HEAD").verdict.coverage.judged) == 3


def test_a_related_place_in_a_changed_file_counts(tree: Write) -> None:
    dockerfile = 'FROM node:24-alpine\nENV NODE_ENV=production PORT=3000\nEXPOSE 3000\nCMD ["node", "server.js"]\n'
    compose = 'services:\n  web:\n    build: .\n    ports:\n      - "127.0.0.1:8080:%s"\n'
    folder = tree({"Dockerfile": dockerfile, "compose.production.yaml": compose % 8080})
    commit(folder)
    assert paths(judged(folder), "project/port-drift") == ["compose.production.yaml"]
    tree({"Dockerfile": dockerfile + "# a word\n"})
    assert paths(judged(folder, changed="HEAD"), "project/port-drift") == ["compose.production.yaml"]


def test_a_branch_is_compared_with_where_it_left(tree: Write) -> None:
    folder = tree({"a/compose.production.yaml": PUBLISHED})
    commit(folder)
    run_git(folder, "checkout", "-qb", "work")
    tree({"b/compose.production.yaml": PUBLISHED})
    commit(folder)
    run_git(folder, "checkout", "-q", "main")
    tree({"a/compose.production.yaml": PUBLISHED + "# main went on\n"})
    commit(folder)
    run_git(folder, "checkout", "-q", "work")
    assert paths(judged(folder, changed="main")) == ["b/compose.production.yaml"]


def test_a_folder_of_a_repository(tree: Write) -> None:
    folder = tree({"app/compose.production.yaml": PUBLISHED, "app/d/compose.production.yaml": PUBLISHED})
    commit(folder)
    tree({"app/d/compose.production.yaml": PUBLISHED + "# x\n"})
    assert paths(judged(folder / "app", changed="HEAD")) == ["d/compose.production.yaml"]


@pytest.mark.parametrize("ref", ["nowhere", "--upload-pack=x", "HEAD:a", "", "a\nb"])
def test_a_ref_that_is_none_is_exit_2(tree: Write, ref: str) -> None:
    folder = tree({"compose.production.yaml": PUBLISHED})
    commit(folder)
    for option in ("changed", "policy_from"):
        with pytest.raises(gate.UsageError):
            judged(folder, **{option: ref})


def test_outside_of_a_repository_it_is_exit_2(tree: Write) -> None:
    folder = tree({"compose.production.yaml": PUBLISHED})
    done = subprocess.run(
        [sys.executable, "-m", "elo_gate", "check", ".", "--changed"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and "no git repository" in done.stderr


# -- git is asked, nothing of the repository's is run


def test_no_program_of_the_repository_runs(tree: Write, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tree(
        {"compose.production.yaml": PUBLISHED, ".gitattributes": "* filter=evil diff=evil\n", "elo-gate.toml": ""}
    )
    commit(folder)
    mark = tmp_path_factory.mktemp("mark") / "ran"
    evil = folder / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    evil.chmod(0o755)
    with (folder / ".git/config").open("a") as file:
        file.write(
            f'[core]\n\tfsmonitor = {evil}\n\tpager = {evil}\n\tsshCommand = {evil}\n\thooksPath = {folder}\n'
            f'[filter "evil"]\n\tclean = {evil}\n\tsmudge = {evil}\n\trequired = true\n[diff "evil"]\n\ttextconv = {evil}\n'
            f'\tcommand = {evil}\n[diff]\n\texternal = {evil}\n[alias]\n\tcat-file = !{evil}\n'
            f'[remote "origin"]\n\turl = ext::{evil}\n\tpromisor = true\n[protocol "ext"]\n\tallow = always\n'
        )  # fmt: skip
    (folder / "compose.production.yaml").write_text(PUBLISHED + "# x\n")
    run = judged(folder, changed="HEAD", policy_from="HEAD")
    assert paths(run) == ["compose.production.yaml"]
    assert not mark.exists()


def test_a_git_inside_of_the_repository_is_not_used(tree: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree({"bin/git": "#!/bin/sh\nexit 0\n", "compose.production.yaml": PUBLISHED})
    commit(folder)
    (folder / "bin/git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}.{os.pathsep}{os.environ['PATH']}")
    assert not git._program(str(folder)).startswith(str(folder))
    monkeypatch.setenv("PATH", str(folder / "bin"))
    with pytest.raises(gate.UsageError, match="git is not installed"):
        judged(folder, changed="HEAD")


def test_object_ids_are_gits(tree: Write) -> None:
    folder = tree({"a b/ü.txt": "x\n", "c": ""})
    head = commit(folder)
    found = git.files(str(folder), head)
    assert set(found) == {"a b/ü.txt", "c"}
    for path, known in found.items():
        assert git.object_id((folder / path).read_bytes(), known) == known


# -- --policy-from


def test_a_change_cannot_lower_its_own_bar(tree: Write) -> None:
    folder = tree({"compose.production.yaml": PUBLISHED, "elo-gate.toml": 'fail_on = "error"\n'})
    base = commit(folder)
    own = f'exclude = ["**"]\n[rule."{RULE}"]\nseverity = "off"\n'
    tree({"elo-gate.toml": own})
    assert judged(folder).verdict.exit_code == 2
    assert paths(judged(folder, policy_from=base)) == ["compose.production.yaml"]
    (folder / "elo-gate.toml").unlink()
    tree({"pyproject.toml": '[tool.elo-gate]\nexclude = ["**"]\n'})
    assert paths(judged(folder, policy_from=base)) == ["compose.production.yaml"]


def test_a_new_policy_counts_once_it_is_merged(tree: Write) -> None:
    folder = tree({"compose.production.yaml": PUBLISHED})
    base = commit(folder)
    tree({"elo-gate.toml": f'[rule."{RULE}"]\nseverity = "off"\n'})
    assert paths(judged(folder, policy_from=base)) == ["compose.production.yaml"]
    head = commit(folder)
    assert paths(judged(folder, policy_from=head)) == []


def test_what_the_policy_extends_and_its_own_rules_come_from_there_too(tree: Write, root: Path) -> None:
    found = (root / "CONTRIBUTING.md").read_text(encoding="utf-8").split("```yaml\n", 1)[1].split("```", 1)[0]
    identifier = found.split("id: ", 1)[1].split("\n", 1)[0]
    folder = tree(
        {
            "Dockerfile.production": "FROM alpine:3.23\nADD http://downloads.acme.example/tool /opt/\nUSER 1001\n",
            f"policy/rules/{identifier}.yaml": found,
            "policy/base.toml": 'rules = ["rules"]\n',
            "elo-gate.toml": 'extends = ["policy/base.toml"]\n',
        }
    )
    base = commit(folder)
    assert paths(judged(folder), identifier) == ["Dockerfile.production"]
    tree({"policy/base.toml": "", f"policy/rules/{identifier}.yaml": "broken: ["})
    assert paths(judged(folder, policy_from=base), identifier) == ["Dockerfile.production"]


def test_a_policy_that_cannot_be_read_there_is_refused(tree: Write) -> None:
    folder = tree({"compose.production.yaml": QUIET, "elo-gate.toml": "fail_onn = 1\n"})
    base = commit(folder)
    tree({"elo-gate.toml": ""})
    with pytest.raises(ConfigError, match="did you mean `fail_on`"):
        judged(folder, policy_from=base)


def test_accepted_in_this_change(tree: Write) -> None:
    folder = tree(
        {
            "compose.production.yaml": QUIET,
            "elo-gate.toml": f'baseline = "{baseline.NAME}"\n',
            baseline.NAME: baseline.dump([]),
        }
    )
    base = commit(folder)
    tree({"compose.production.yaml": PUBLISHED})
    run = judged(folder, growing=True)
    assert run.baseline is not None
    count = baseline.accept(run.baseline, run.verdict.findings, run.project, run.policy, run.ruleset, "needed")
    baseline.write(run.baseline, str(folder / baseline.NAME))
    assert paths(judged(folder)) == []
    run = judged(folder, policy_from=base)
    assert paths(run) == ["compose.production.yaml"]
    assert run.remarks == [f"accepted in this change: {count} (the baseline of {base} counts)"]


def test_let_pass_by_a_comment_of_this_change(tree: Write) -> None:
    folder = tree({"compose.production.yaml": PUBLISHED})
    base = commit(folder)
    tree(
        {"compose.production.yaml": PUBLISHED.replace("    ports", f"    # elo-gate: ignore[{RULE}] a lab\n    ports")}
    )
    run = judged(folder, policy_from=base)
    assert paths(run) == [] and run.remarks == [f"let pass in this change: 1, by comments that {base} does not have"]
    assert judged(folder, policy_from=commit(folder)).remarks == []


# -- extends


def test_lists_join_and_later_values_win(tree: Write) -> None:
    folder = tree(
        {
            "policy/base.toml": 'fail_on = "warning"\nexclude = ["a/**"]\nplatforms = ["vercel"]\n'
            f'[rule."{RULE}"]\nseverity = "note"\nwith = {{x = 1}}\n',
            "policy/more.toml": 'extends = ["deeper/one.toml"]\nfail_on = "note"\n',
            "policy/deeper/one.toml": 'exclude = ["deep/**"]\nmax_days = 30\n',
            "elo-gate.toml": 'extends = ["policy/base.toml", "policy/more.toml"]\nexclude = ["b/**"]\nmax_days = 90\n'
            f'platforms = ["docker"]\n[rule."{RULE}"]\nseverity = "warning"\n',
        }
    )
    path = str(folder / "elo-gate.toml")
    policy = read_text(path, (folder / "elo-gate.toml").read_text(), "")
    assert (policy.fail_on, policy.exclude, policy.platforms) == (
        "note",
        ["a/**", "deep/**", "b/**"],
        ["vercel", "docker"],
    )
    assert policy.settings[RULE] == ("warning", {"x": 1})
    assert policy.max_days == 30
    assert policy.declared["platforms", "vercel"].source.path == "elo-gate.toml"


def test_what_a_policy_locks_stays_locked(tree: Write) -> None:
    folder = tree(
        {
            "base.toml": f'unsuppressable = ["{RULE}"]\nrequire_owner = true\n',
            "elo-gate.toml": f'extends = ["base.toml"]\nrequire_owner = false\n[rule."{RULE}"]\nseverity = "off"\n',
            "compose.production.yaml": PUBLISHED,
        }
    )
    with pytest.raises(ConfigError, match="locks this rule"):
        judged(folder)
    tree({"elo-gate.toml": 'extends = ["base.toml"]\nrequire_owner = false\n'})
    assert judged(folder).policy.require_owner is True


def test_an_ignore_that_comes_from_elsewhere_is_never_unused(tree: Write) -> None:
    entry = '[[ignore]]\nrule = "compose/docker-socket"\npath = "**"\nreason = "everywhere"\n'
    folder = tree({"base.toml": entry, "elo-gate.toml": 'extends = ["base.toml"]\n', "compose.production.yaml": QUIET})
    assert not [each for each in judged(folder).verdict.findings if each.rule.id.startswith("policy/")]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"elo-gate.toml": 'extends = ["elo-gate.toml"]\n'}, "comes back to itself"),
        ({"elo-gate.toml": 'extends = ["a.toml"]\n', "a.toml": 'extends = ["b.toml"]\n', "b.toml": 'extends = ["a.toml"]\n'}, "comes back"),
        ({"elo-gate.toml": 'extends = ["../a.toml"]\n'}, "outside of the repository"),
        ({"elo-gate.toml": 'extends = ["/etc/passwd"]\n'}, "outside of the repository"),
        ({"elo-gate.toml": 'extends = ["no.toml"]\n'}, "cannot be read"),
        ({"elo-gate.toml": 'extends = ["pkg:acme_no_such_policy"]\n'}, "no installed package"),
        ({"elo-gate.toml": 'extends = ["pkg:../x"]\n'}, "no installed package"),
        ({"elo-gate.toml": 'extends = ["a.toml"]\n', "a.toml": "fail_onn = 1\n"}, "a.toml:1:1: unknown key `fail_onn`"),
        ({"elo-gate.toml": 'extends = ["a.toml"]\n', "a.toml": '\n[[ignore]]\nrule = "a/b"\n'}, "a.toml:2: [[ignore]] needs `path`"),
        ({"elo-gate.toml": 'extends = "a.toml"\n'}, "is a list"),
    ],
)  # fmt: skip
def test_what_cannot_be_extended(tree: Write, files: dict[str, str], says: str) -> None:
    folder = tree({**files, "compose.production.yaml": QUIET})
    with pytest.raises(ConfigError) as refused:
        judged(folder)
    assert says in str(refused.value)


def test_a_package_is_found_and_never_imported(
    tree: Write, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path_factory.mktemp("lib") / "site-packages"
    (site / "acme_gate_policy").mkdir(parents=True)
    (site / "acme_gate_policy/__init__.py").write_text("raise SystemExit('imported')\n")
    (site / "acme_gate_policy/elo-gate.toml").write_text('fail_on = "note"\n')
    folder = tree({"elo-gate.toml": 'extends = ["pkg:acme_gate_policy"]\n', "compose.production.yaml": QUIET})
    monkeypatch.syspath_prepend(str(site))
    assert judged(folder).policy.fail_on == "note"
    assert "acme_gate_policy" not in sys.modules


def test_a_package_of_the_judged_tree_is_none(tree: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree(
        {
            "elo-gate.toml": 'extends = ["pkg:acme_gate_policy"]\n',
            "acme_gate_policy/elo-gate.toml": "",
            "venv/lib/site-packages/acme_gate_policy/elo-gate.toml": "",
            "compose.production.yaml": QUIET,
        }
    )
    monkeypatch.chdir(folder)
    for entry in ("", str(folder), str(folder / "venv/lib/site-packages")):
        monkeypatch.syspath_prepend(entry)
    with pytest.raises(ConfigError, match="no installed package"):
        judged(folder)


def test_a_link_that_leads_out_is_not_followed(tree: Write, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other") / "x.toml"
    other.write_text("")
    folder = tree({"elo-gate.toml": 'extends = ["base.toml"]\n', "compose.production.yaml": QUIET})
    (folder / "base.toml").symlink_to(other)
    with pytest.raises(ConfigError, match="leads out"):
        judged(folder)
