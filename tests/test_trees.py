"""Whole trees: our examples, the owner's guide, real repositories."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from elo_gate import gate
from elo_gate.report import json as json_report
from elo_gate.report import sarif, text

AS_OF = "2026-11-25"


@pytest.mark.parametrize("as_of", [AS_OF, "2027-11-25"])
def test_the_corrected_example_passes_with_nothing_to_say(root: Path, as_of: str) -> None:
    run = gate.run(str(root / "examples/intranet"), as_of=as_of, fail_on="note")
    assert [f"{each.source.path}: {each.message}" for each in run.verdict.findings] == []
    assert run.verdict.word == "passed"
    kinds = {each.kind for each in run.verdict.coverage.judged}
    assert kinds >= {"compose", "dockerfile", "k8s", "next", "railway", "vercel"}


def test_the_example_before_fails_in_every_kind(root: Path) -> None:
    run = gate.run(str(root / "examples/intranet-before"), as_of=AS_OF)
    assert run.verdict.word == "blocked"
    by_kind: dict[str, set[str]] = {}
    for finding in run.verdict.findings:
        by_kind.setdefault(finding.rule.id.partition("/")[0], set()).add(finding.severity)
    assert {kind for kind, found in by_kind.items() if "error" in found} >= {
        "compose", "docker", "env", "k8s", "next", "railway", "vercel",
    }  # fmt: skip


def test_the_twins_are_of_one_application(root: Path) -> None:
    names = [
        json.loads((root / "examples" / tree / "package.json").read_text())["name"]
        for tree in ("intranet", "intranet-before")
    ]
    assert names[0] == names[1]


# What an expert sees in the guide's files of the kinds that are judged: (path, line, rules one of which says it).
EXPECTED = [
    (".env.production", 2, "env/placeholder-value"),
    (".env.production", 5, "env/placeholder-value"),
    (".env.production", 10, "env/placeholder-value"),
    (".env.production", 20, "env/placeholder-value"),
    (".env.production", 23, "env/connection-without-tls"),
    (".env.production", 29, "env/placeholder-value"),
    ("Dockerfile.production", 2, "docker/end-of-life-base"),
    ("Dockerfile.production", 10, "docker/build-without-dev-dependencies"),
    ("Dockerfile.production", 16, "docker/unfiltered-context"),
    ("Dockerfile.production", 33, "docker/standalone-not-built"),
    ("docker-compose.production.yml", 2, "compose/version-obsolete"),
    ("docker-compose.production.yml", 10, "compose/app-bypasses-proxy"),
    ("docker-compose.production.yml", 15, "compose/dependency-not-ready"),
    ("docker-compose.production.yml", 25, "compose/password-in-environment"),
    ("docker-compose.production.yml", 30, "compose/redis-without-password"),
    ("docker-compose.production.yml", 35, "compose/floating-image"),
    ("docker-compose.production.yml", 41, "compose/mount-shadows-system"),
    ("k8s/production/app-deployment.yaml", 16, "k8s/weak-security-context"),
    ("k8s/production/app-deployment.yaml", 19, "k8s/floating-image-tag"),
    ("k8s/production/app-deployment.yaml", 19, "k8s/image-without-registry"),
    ("railway.toml", 3, "railway/deprecated-builder"),
    ("railway.toml", 10, "railway/toml-syntax"),
    ("railway.toml", 13, "railway/unknown-key"),
    ("railway.toml", 16, "railway/unknown-key"),
    ("railway.toml", 21, "railway/variable-self-reference"),
    ("vercel.json", 3, "vercel/builds-with-functions"),
    ("vercel.json", 24, "vercel/unknown-region"),
    ("vercel.json", 27, "vercel/secret-reference"),
]


def test_the_guide_is_judged_to_the_end(guide: Path) -> None:
    run = gate.run(str(guide), as_of=AS_OF)
    assert run.verdict.word == "blocked" and run.verdict.exit_code == 1
    found = {(each.source.path, each.source.position(each.start)[0], each.rule.id) for each in run.verdict.findings}
    assert set(EXPECTED) <= found, sorted(set(EXPECTED) - found)
    coverage = run.verdict.coverage
    listed = {each.path for each in (*coverage.judged, *coverage.aside)} | set(coverage.rest)
    assert listed == {path.relative_to(guide).as_posix() for path in guide.rglob("*") if path.is_file()}
    assert all(coverage.rest.values())


def test_the_guide_is_not_accused_of_what_is_right(guide: Path) -> None:
    """CATALOG's disproved candidates, by place: nothing but what stands at it for another reason."""
    run = gate.run(str(guide), as_of=AS_OF)
    errors = {
        (each.source.path, each.source.position(each.start)[0])
        for each in run.verdict.findings
        if each.severity == "error"
    }
    assert ("vercel.json", 9) not in errors, "routes beside functions are legacy, not refused"
    assert ("vercel.json", 21) not in errors, "maxDuration 30 is right"
    assert ("railway.toml", 3) not in errors, "Nixpacks still builds"
    assert ("docker-compose.production.yml", 21) not in errors, "PostgreSQL 15 is supported"


@pytest.mark.parametrize(
    "name",
    ["Blinknur__hsedigital", "Dbxstudio__dbx-studio", "GoogleCloudPlatform__microservices-demo",
     "formbricks__formbricks", "karakeep-app__karakeep", "mfts__papermark"],
)  # fmt: skip
def test_real_repositories_are_judged_without_a_failure(practice: Path, name: str) -> None:
    run = gate.run(str(practice / name), as_of=AS_OF)
    assert run.verdict.coverage.failures == []
    assert run.verdict.word in ("passed", "blocked"), run.verdict.reasons
    assert run.verdict.count("error") <= 10
    for render in (text.render, json_report.render, sarif.render):
        assert render(run)  # type: ignore[operator]


@pytest.mark.parametrize("tree", ["examples/intranet-before", "examples/intranet"])
def test_golden_text_and_sarif(root: Path, tree: str, request: pytest.FixtureRequest) -> None:
    """The reports of our examples, byte for byte; `--update-golden` writes them anew."""
    run = gate.run(str(root / tree), as_of=AS_OF)
    # Whether git tracks the files depends on where the tests run: a packed source has no index.
    name = tree.rpartition("/")[2]
    for ending, made in (("txt", text.render(run)), ("sarif", sarif.render(run))):
        path = root / "tests/golden" / f"{name}.{ending}"
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(made, encoding="utf-8")
        if run.project.tracked("package.json") is None:
            pytest.skip("outside of a git checkout the tracked files are not known")
        assert made == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("tree", ["examples/intranet-before", "guide"])
def test_every_finding_has_a_place_and_says_three_things(root: Path, request: pytest.FixtureRequest, tree: str) -> None:
    folder = request.getfixturevalue("guide") if tree == "guide" else root / tree
    run = gate.run(str(folder), as_of=AS_OF)
    assert run.verdict.findings
    for finding in run.verdict.findings:
        places = [(finding.source, finding.start, finding.end), *(each[:3] for each in finding.related)]
        for source, start, end in places:
            assert (folder / source.path).is_file()
            assert 0 <= start < end <= len(source.text), (finding.rule.id, source.path, start, end)
            assert "\n" not in source.text[start:end].rstrip("\n"), (finding.rule.id, source.path)
        words = run.ruleset.words(finding.rule.id)
        assert finding.message and finding.fix and words["rationale"]
        assert "{" not in finding.message.replace("${", "").replace("{{", ""), finding.message
        assert "nothing" not in finding.arguments, (finding.rule.id, finding.message)


def test_one_file_alone_is_not_accused_of_what_another_file_holds(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file of the corrected example through the hook by its name: what is elsewhere is not missing."""
    from elo_gate import hook

    folder = root / "examples/intranet"
    monkeypatch.chdir(folder)
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        assert hook.run([path.relative_to(folder).as_posix()]) == 0, path
