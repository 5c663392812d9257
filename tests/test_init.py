"""What `init` plans and writes: nothing that is there is lost, and what it leaves behind passes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from elo_gate import __version__
from elo_gate.policy.config import read_text
from elo_gate.start import init, pipelines

Write = Callable[[dict[str, str]], Path]

COMPOSE = """\
services:
  app:
    image: ghcr.io/acme/app:1.2.3
    restart: unless-stopped
  db:
    image: postgres:18.1
    ports: ["5432:5432"]
    restart: always
"""
VERCEL = '{"regions": ["fra1"]}\n'
TREE = {"compose.production.yaml": COMPOSE, "apps/web/vercel.json": VERCEL, ".github/CODEOWNERS": "* @acme\n"}
AS_OF = "2026-11-25"


def call(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "elo_gate", *words], cwd=folder, capture_output=True, text=True, timeout=120,
        env={**os.environ, **environment}, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_it_writes_passes(tree: Write) -> None:
    folder = tree(TREE)
    done = call(folder, "init", "--yes", "--as-of", AS_OF)
    assert (done.returncode, done.stderr) == (0, "")
    for name in (
        "elo-gate.toml",
        ".pre-commit-config.yaml",
        ".github/workflows/elo-gate.yml",
        "elo-gate-baseline.json",
    ):
        assert f"wrote {name}" in done.stdout
        assert (folder / name).is_file()
    assert contents(folder)["compose.production.yaml"] == COMPOSE.encode()
    policy = read_text("elo-gate.toml", (folder / "elo-gate.toml").read_text(), "")
    assert policy.platforms == ["docker", "vercel"] and policy.baseline == "elo-gate-baseline.json"
    after = call(folder, "check", "--as-of", AS_OF, "-f", "json")
    assert after.returncode == 0
    assert json.loads(after.stdout)["findings"] == []


def test_no_finding_is_about_the_pipelines_it_writes(tree: Write) -> None:
    folder = tree(TREE)
    call(folder, "init", "--yes", "--as-of", AS_OF)
    accepted = (folder / "elo-gate-baseline.json").read_text()
    assert ".github/workflows/elo-gate.yml" not in accepted and ".pre-commit-config.yaml" not in accepted


def test_the_best_fixes_are_shown_with_their_places(tree: Write) -> None:
    done = call(tree(TREE), "init", "--dry-run", "--as-of", AS_OF)
    best = done.stdout.partition("What buys most\n")[2].splitlines()
    assert 1 <= len(best) <= 3
    assert any(line.startswith("  compose.production.yaml:7  error  compose/data-store-published: ") for line in best)
    levels = [line.split()[1] for line in best]
    assert levels == sorted(levels, key=("error", "warning", "note").index)


def test_nothing_is_written_without_a_word(tree: Write) -> None:
    folder = tree(TREE)
    before = contents(folder)
    dry = call(folder, "init", "--dry-run", "--as-of", AS_OF)
    assert dry.returncode == 0 and 'platforms = ["docker", "vercel"]' in dry.stdout
    unasked = call(folder, "init", "--as-of", AS_OF)
    assert unasked.returncode == 2 and "nothing was written" in unasked.stderr
    assert contents(folder) == before


def test_what_is_there_stays_without_force(tree: Write) -> None:
    own = {
        "elo-gate.toml": '# ours\nfail_on = "warning"\n',
        ".pre-commit-config.yaml": "# ours\nrepos:\n  - repo: local\n    hooks: [{id: elo-gate}]\n",
        ".github/workflows/elo-gate.yml": "on: push\njobs: {}\n",
    }
    folder = tree({**TREE, **own})
    done = call(folder, "init", "--yes", "--as-of", AS_OF)
    assert done.returncode == 0
    assert {name: (folder / name).read_text() for name in own} == own
    assert "--force replaces it" in done.stdout and "it runs elo-gate already" in done.stdout
    assert not (folder / "elo-gate-baseline.json").exists()
    forced = call(folder, "init", "--yes", "--force", "--as-of", AS_OF)
    assert forced.returncode == 0 and "replaces: " in forced.stdout
    assert "# ours" not in (folder / "elo-gate.toml").read_text()
    assert call(folder, "check", "--as-of", AS_OF).returncode == 0


def test_twice_changes_nothing_more(tree: Write) -> None:
    folder = tree(TREE)
    call(folder, "init", "--yes", "--as-of", AS_OF)
    before = contents(folder)
    again = call(folder, "init", "--yes", "--as-of", AS_OF)
    assert again.returncode == 0 and "To write" not in again.stdout
    assert contents(folder) == before


def test_nothing_to_judge_is_nothing_to_set_up(tree: Write) -> None:
    done = call(tree({"README.md": "x"}), "init", "--yes")
    assert done.returncode == 2 and "nothing to judge" in done.stderr


def test_a_part_of_a_repository_gets_no_pipelines(tree: Write) -> None:
    folder = tree({f"apps/shop/{path}": text for path, text in TREE.items()})
    (folder / ".git").mkdir()
    done = call(folder / "apps/shop", "init", "--yes", "--as-of", AS_OF)
    assert done.returncode == 0 and "elo-gate check apps/shop" in done.stdout
    assert not (folder / "apps/shop/.pre-commit-config.yaml").exists()


def test_links_are_not_followed(tree: Write, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    folder = tree({"compose.production.yaml": COMPOSE})
    (folder / ".github").symlink_to(outside)
    (folder / "elo-gate-baseline.json").symlink_to(outside / "x.json")
    (folder / ".pre-commit-config.yaml").symlink_to(outside / "hooks.yaml")
    done = call(folder, "init", "--yes", "--force", "--github", "--as-of", AS_OF)
    assert done.returncode == 2
    assert list(outside.iterdir()) == []


def test_each_file_is_asked_for_on_a_terminal(tree: Write) -> None:
    folder = tree(TREE)
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "elo_gate", "init", "--as-of", AS_OF], cwd=folder, stdin=child, stdout=child,
        stderr=child, close_fds=True,
    )  # fmt: skip
    os.close(child)
    os.write(parent, b"y\nn\nn\nn\n")  # the configuration, not the baseline, not the pipelines
    said = b""
    while True:
        try:
            part = os.read(parent, 4096)
        except OSError:
            break
        if not part:
            break
        said += part
    os.close(parent)
    assert process.wait(60) == 0
    assert said.count(b"Write ") == 4
    assert (folder / "elo-gate.toml").is_file() and not (folder / "elo-gate-baseline.json").exists()
    # Without the baseline the configuration must not name one: the next check would be broken.
    assert read_text("elo-gate.toml", (folder / "elo-gate.toml").read_text(), "").baseline == ""


def test_names_that_are_no_text_do_no_harm(tree: Write) -> None:
    folder = tree({"a\nb = 1/docker-compose.dev.yml": COMPOSE, "## x/compose.production.yaml": COMPOSE})
    os.mkdir(os.fsencode(folder) + b"/c\xff")
    with open(os.fsencode(folder) + b"/c\xff/docker-compose.staging.yml", "w", encoding="utf-8") as file:
        file.write(COMPOSE)
    done = call(folder, "init", "--yes", "--as-of", AS_OF)
    assert done.returncode == 0, done.stderr
    text = (folder / "elo-gate.toml").read_text()
    assert read_text("elo-gate.toml", text, "").platforms == ["docker"]
    assert not [line for line in text.splitlines() if line.startswith("b = 1")]


# -- the list of hooks

CONFIGS = [
    "repos:\n- repo: https://example.org/a\n  rev: v1  # pinned\n  hooks:\n  - id: a\n",
    "# head\nrepos:\n  - repo: https://example.org/a\n    rev: v1\n    hooks:\n      - id: a\n        args: [--x]  # why\n\n# tail\nfail_fast: true\n",
    "repos:\r\n  -   repo: local\r\n      hooks:\r\n      -   id: a\r\n          entry: |\r\n            one\r\n            two\r\n          language: system\r\n",
    "repos:\n  - repo: meta\n    hooks: [{id: check-hooks-apply}]",
    "repos:\n  - hooks:\n      - id: a\n    repo: 'https://example.org/ä😀'\n  # the next one is off\n  # - repo: b\nci: {skip: [a]}\n",
]


@pytest.mark.parametrize("text", CONFIGS)
def test_a_hook_is_added_and_the_rest_stays(text: str) -> None:
    made, line = pipelines.with_hook(text, __version__)
    before, after = yaml.safe_load(text), yaml.safe_load(made)
    assert after["repos"][:-1] == before["repos"] and {**after, "repos": 0} == {**before, "repos": 0}
    (hook,) = after["repos"][-1]["hooks"]
    assert hook["id"] == "elo-gate" and hook["entry"] == "elo-gate-hook" and hook["pass_filenames"] is False
    # Everything old is there, in one piece before and one behind the new lines.
    lines, old = made.splitlines(keepends=True), text.splitlines(keepends=True)
    count = len(lines) - len(old)
    rest = lines[: line - 1] + lines[line - 1 + count :]
    assert [each.rstrip("\r\n") for each in rest] == [each.rstrip("\r\n") for each in old]
    assert ("\r\n" in text) == ("\r\n" in made) and made.count("\r\n") in (0, made.count("\n"))
    assert pipelines.has_hook(made) and not pipelines.has_hook(text)


@pytest.mark.parametrize(
    "text",
    ["", "repos: []\n", "repos: [{repo: meta, hooks: [{id: a}]}]\n", "- repo: x\n", "repos: {}\n", "repos:\n  - [\n",
     "a: 1\n---\nrepos:\n  - repo: x\n", "repos: &a\n  - &b {repo: x}\n", "repos:\n  - repo: x\nrepos:\n  - repo: y\n"],
)  # fmt: skip
def test_a_list_in_another_form_is_left_to_people(text: str) -> None:
    with pytest.raises(pipelines.NoPlace):
        pipelines.with_hook(text, __version__)


@given(st.text(alphabet="repos:-[]{}# \n\t'\"&*|a", max_size=60))
def test_any_text_is_added_to_or_left(text: str) -> None:
    try:
        made, _ = pipelines.with_hook("repos:\n" + text, __version__)
    except pipelines.NoPlace:
        return
    assert len(made) > len(text)


def test_what_cannot_be_added_is_shown_to_be_added_by_hand(tree: Write) -> None:
    folder = tree({"compose.production.yaml": COMPOSE, ".pre-commit-config.yaml": "repos: []\n"})
    done = call(folder, "init", "--yes", "--as-of", AS_OF)
    assert done.returncode == 0 and "add this by hand" in done.stdout and "entry: elo-gate-hook" in done.stdout
    assert (folder / ".pre-commit-config.yaml").read_text() == "repos: []\n"


# -- the workflow


@pytest.mark.parametrize("branch", ["main", "release/v1", "on", "it's", "1.0", "#x"])
def test_the_workflow_is_yaml_for_any_branch(branch: str) -> None:
    made = yaml.safe_load(pipelines.workflow(__version__, branch))
    assert made[True]["push"]["branches"] == [branch]  # `on` is true in YAML 1.1
    (job,) = made["jobs"].values()
    assert f"elo-gate=={__version__}" in job["steps"][1]["run"]


def test_the_pinned_checkout_is_the_documented_one(root: Path) -> None:
    made = yaml.safe_load(pipelines.workflow(__version__, "main"))
    assert made["jobs"]["elo-gate"]["steps"][0]["uses"] in (root / "docs/github-action.md").read_text()


def test_the_default_branch_is_the_clone_s(tree: Write) -> None:
    folder = tree({**TREE, ".git/refs/remotes/origin/HEAD": "ref: refs/remotes/origin/trunk\n"})
    made = init.plan(str(folder), AS_OF)
    (step,) = (each for each in made.steps if each.path == pipelines.WORKFLOW)
    assert "branches: ['trunk']" in step.text


def test_the_guide_is_set_up(guide: Path) -> None:
    made = init.plan(str(guide), AS_OF)
    text = next(step.text for step in made.steps if step.path == "elo-gate.toml")
    policy = read_text("elo-gate.toml", text, "")
    assert policy.platforms == ["docker", "kubernetes", "railway", "vercel"]
    assert len(made.best) == 3 and all(each.finding.severity == "error" for each in made.best)
