"""The gate on its own repository: it passes, hides nothing, and its pipelines satisfy their own kind's linters too."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from elo_gate import gate

AS_OF = "2026-11-25"
WORKFLOWS = (".github/workflows/ci.yml", ".github/workflows/release.yml")


def test_it_passes_with_nothing_undecided(root: Path) -> None:
    run = gate.run(str(root), as_of=AS_OF)
    coverage = run.verdict.coverage
    assert [f"{each.source.path}: {each.rule.id}" for each in run.verdict.findings] == []
    assert run.verdict.suppressed == [] and run.verdict.reasons == []
    assert coverage.undecided == [] and coverage.failures == [] and coverage.broken == []
    assert run.verdict.fail_on == "note" and run.verdict.exit_code == 0
    assert {each.path for each in coverage.judged} >= {"action.yml", *WORKFLOWS}


def test_what_is_excluded_would_pass_as_well(root: Path, tmp_path: Path) -> None:
    plain = tmp_path / "elo-gate.toml"
    plain.write_text('fail_on = "note"\n')
    run = gate.run(str(root), as_of=AS_OF, config=str(plain))
    assert [f"{each.source.path}: {each.rule.id}" for each in run.verdict.findings] == []
    assert run.verdict.exit_code == 0


def test_the_command_says_so(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "elo_gate", "check", ".", "--as-of", AS_OF],
        cwd=root, env={**os.environ, "PYTHONPATH": str(root / "src")}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.rstrip().endswith("Passed: no findings.")


# -- the pipelines


def workflow(root: Path, path: str) -> dict[str, Any]:
    made = yaml.safe_load((root / path).read_text(encoding="utf-8"))
    assert isinstance(made, dict)
    return made


def test_every_action_is_a_commit_with_its_version(root: Path) -> None:
    for path in (*WORKFLOWS, "action.yml"):
        for line in (root / path).read_text(encoding="utf-8").splitlines():
            uses = re.match(r"\s*(?:- )?uses: (.*)", line)
            if uses and not uses[1].startswith("$/"):
                assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", uses[1]), line


def test_one_commit_for_each_version_of_an_action(root: Path) -> None:
    pins: dict[str, set[str]] = {}
    for path in (
        *WORKFLOWS,
        "action.yml",
        *(each.relative_to(root).as_posix() for each in (root / "docs").glob("*.md")),
    ):
        for name, pin in re.findall(r"uses: ([\w./-]+)@([0-9a-f]{40} # v[\d.]+)", (root / path).read_text("utf-8")):
            pins.setdefault(name, set()).add(pin)
    assert {name for name, found in pins.items() if len(found) > 1} == set()


def test_only_the_publishing_job_can_sign_and_it_runs_no_code_of_ours(root: Path) -> None:
    release = workflow(root, WORKFLOWS[1])
    assert release["permissions"] == {} and workflow(root, WORKFLOWS[0])["permissions"] == {}
    may = {name: job["permissions"] for name, job in release["jobs"].items()}
    assert may == {
        "ci": {"contents": "read"},
        "build": {"contents": "read"},
        "publish": {"attestations": "write", "id-token": "write"},
        "announce": {"contents": "write"},
    }
    publish = release["jobs"]["publish"]
    assert publish["environment"]["name"] == "pypi"
    assert all("run" not in step and "checkout" not in step["uses"] for step in publish["steps"])
    order = {name: job.get("needs") for name, job in release["jobs"].items()}
    assert order == {"ci": None, "build": "ci", "publish": "build", "announce": "publish"}


@pytest.mark.parametrize("persona", ["regular", "pedantic", "auditor"])
def test_what_zizmor_says(root: Path, persona: str) -> None:
    if shutil.which("zizmor") is None:
        pytest.skip("zizmor is not installed")
    done = subprocess.run(
        ["zizmor", "--offline", "--no-progress", "--strict-collection", f"--persona={persona}", ".github", "action.yml"],
        cwd=root, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schema", "paths"), [("github-workflows", WORKFLOWS), ("dependabot", (".github/dependabot.yml",))]
)
def test_what_the_schemas_say(root: Path, schema: str, paths: tuple[str, ...]) -> None:
    if shutil.which("check-jsonschema") is None:
        pytest.skip("check-jsonschema is not installed")
    done = subprocess.run(
        ["check-jsonschema", "--builtin-schema", f"vendor.{schema}", *paths],
        cwd=root, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


# -- what a release is made with


def locked(path: Path) -> dict[str, str]:
    """The versions of a lock by name; every entry has to have a hash."""
    found = {}
    for entry in re.split(r"\n(?=\S)", path.read_text(encoding="utf-8").strip()):
        match = re.match(r"([a-z0-9-]+)==([\w.]+)[^\n]*\\\n", entry)
        assert match and re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]
        found[match[1]] = match[2]
    return found


def names(wanted: list[str]) -> set[str]:
    return {re.split(r"[^\w-]", each)[0].lower() for each in wanted} - {"elo-gate"}


def test_the_locks_hold_what_is_asked_for(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    wanted = [*project["project"]["dependencies"], *extras["test"], *extras["dev"]]
    assert names(wanted) <= set(locked(root / "requirements/dev.txt"))
    asked = (root / "requirements/release.in").read_text(encoding="utf-8").splitlines()
    asked = [line for line in asked if line and not line.startswith("#")]
    assert set(project["build-system"]["requires"]) <= set(asked)
    assert names(asked) <= set(locked(root / "requirements/release.txt"))


def built(root: Path, folder: Path, **environment: str) -> Path:
    """A wheel of a copy of the checkout."""
    copy = folder / "copy"
    copy.mkdir(parents=True)
    for name in ("src", "rules", "schemas"):
        shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "_compiled"))
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(root / name, copy / name)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "dist"],
        cwd=copy, env={**os.environ, "SOURCE_DATE_EPOCH": "1764028800", **environment}, check=True, capture_output=True,
        timeout=300,
    )  # fmt: skip
    return next((folder / "dist").iterdir())


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(root, tmp_path_factory.mktemp("release"), PYTHONHASHSEED="1")


def test_who_builds_it_again_gets_the_same_bytes(root: Path, wheel: Path, tmp_path: Path) -> None:
    again = built(root, tmp_path, PYTHONHASHSEED="2", TZ="Asia/Tokyo", LC_ALL="C")
    assert again.name == wheel.name and again.read_bytes() == wheel.read_bytes()


def test_the_bill_of_materials_names_what_is_installed(root: Path, wheel: Path) -> None:
    tools, wheels = os.environ.get("ELO_GATE_TOOLS"), os.environ.get("ELO_GATE_WHEELS")
    if not tools or not wheels or not Path(tools, "bin/cyclonedx-py").is_file():
        pytest.skip(
            "no tools or wheels: install requirements/release.txt into an environment that ELO_GATE_TOOLS names, "
            "pip download -r requirements/action.txt -d DIR, and set ELO_GATE_WHEELS to DIR"
        )
    made = [
        subprocess.run(
            [root / ".ci/sbom", wheel], cwd=root, check=True, capture_output=True, text=True, timeout=300
        ).stdout
        for _ in range(2)
    ]
    assert made[0] == made[1]
    bill = json.loads(made[0])
    assert bill["specVersion"] == "1.6" and "file:" not in made[0]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    component = bill["metadata"]["component"]
    assert component["name"] == "elo-gate" and component["version"] == wheel.name.split("-")[1]
    parts = {each["name"].lower().replace("_", "-"): each["version"] for each in bill["components"]}
    runtime = names(project["project"]["dependencies"])
    lock = locked(root / "requirements/action.txt")
    assert runtime <= set(parts) and "hatchling" not in parts and "pip" not in parts
    assert parts == {name: lock[name] for name in parts}
    edges = {each["ref"]: each.get("dependsOn", []) for each in bill["dependencies"]}
    assert {each.split("==")[0].lower() for each in edges[component["bom-ref"]]} == runtime
