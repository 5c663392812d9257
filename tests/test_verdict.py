"""The verdict by itself: which word and code a run ends with, its reasons, and what is let pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from elo_gate import gate
from elo_gate.model import SEVERITIES
from elo_gate.verdict import Blocked, Broken, Passed

Write = Callable[[dict[str, str]], Path]
AS_OF = "2026-11-25"

GOOD = 'FROM node:24.11.1-alpine3.22\nWORKDIR /app\nCOPY --chown=1001 server.js ./\nUSER 1001\nHEALTHCHECK CMD wget -q http://localhost/\nCMD ["node", "server.js"]\n'
ROOT = GOOD.replace("USER 1001", "USER root")
ENV = "DATABASE_URL=${DATABASE_URL}\n"


def run(folder: Path, **more: object) -> gate.Run:
    return gate.run(str(folder), as_of=AS_OF, **more)  # type: ignore[arg-type]


def test_passed(tree: Write) -> None:
    done = run(tree({"Dockerfile.production": GOOD, ".dockerignore": ".env*\n.git\nnode_modules\n"}), fail_on="error")
    verdict = done.verdict
    assert (type(verdict), verdict.word, verdict.exit_code, verdict.reasons) == (Passed, "passed", 0, [])
    assert [each.path for each in verdict.coverage.judged] == ["Dockerfile.production"]
    assert verdict.coverage.rules > 20
    assert (verdict.as_of, verdict.fail_on, verdict.coverage.partial) == (AS_OF, "error", "")


def test_blocked_from_a_severity_on(tree: Write) -> None:
    folder = tree({"Dockerfile.production": ROOT})
    found = {each.severity for each in run(folder).verdict.findings}
    assert "error" in found and len(found) > 1
    for level in SEVERITIES:
        verdict = run(folder, fail_on=level).verdict
        assert (type(verdict), verdict.word, verdict.exit_code, verdict.reasons) == (Blocked, "blocked", 1, [])
        assert verdict.count(level) == sum(each.severity == level for each in verdict.findings)


@pytest.mark.parametrize(("severity", "fail_on", "blocks"), [
    ("error", "error", True), ("error", "note", True), ("warning", "error", False), ("warning", "warning", True), ("warning", "note", True),
    ("note", "error", False), ("note", "warning", False), ("note", "note", True),
])  # fmt: skip
def test_what_blocks(severity: str, fail_on: str, blocks: bool, tree: Write) -> None:
    """One finding alone, of each severity, against each bar."""
    others = {each.rule.id for each in run(tree({"Dockerfile.production": ROOT})).verdict.findings} - {
        "docker/root-user"
    }
    off = "".join(f'[rule."{each}"]\nseverity = "off"\n' for each in sorted(others))
    folder = tree({"elo-gate.toml": f'{off}[rule."docker/root-user"]\nseverity = "{severity}"\n'})
    verdict = run(folder, fail_on=fail_on).verdict
    assert [each.severity for each in verdict.findings] == [severity]
    assert type(verdict) is (Blocked if blocks else Passed)


def test_a_file_that_is_not_read_breaks_and_the_others_are_judged(tree: Write) -> None:
    folder = tree({"Dockerfile.production": ROOT, "compose.production.yaml": "services:\n  web: [\n"})
    verdict = run(folder).verdict
    assert (type(verdict), verdict.word, verdict.exit_code) == (Broken, "broken", 2)
    assert len(verdict.reasons) == 1
    assert verdict.reasons[0].startswith("compose.production.yaml:2:8: not analysed: ")
    assert [each.path for each in verdict.coverage.broken] == ["compose.production.yaml"]
    assert {each.path for each in verdict.coverage.judged} == {"Dockerfile.production"}
    assert "docker/root-user" in {each.rule.id for each in verdict.findings}


def test_a_file_without_text_is_named_without_a_line(tree: Write) -> None:
    folder = tree({"Dockerfile.production": GOOD})
    (folder / ".env.production").write_bytes(b"\xff\xfea\x00")
    (reason,) = run(folder).verdict.reasons
    assert reason.startswith(".env.production: not analysed: UTF-16")


def test_a_link_out_of_the_tree_breaks(tree: Write, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tree({"Dockerfile.production": GOOD})
    outside = tmp_path_factory.mktemp("outside") / "x"
    outside.write_text(ENV)
    (folder / ".env.production").symlink_to(outside)
    verdict = run(folder).verdict
    assert type(verdict) is Broken
    assert sum(each.startswith(".env.production: not ") for each in verdict.reasons) == 1, "named once"


def test_a_folder_that_cannot_be_listed_breaks(tree: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    from elo_gate.discover import DiskTree

    folder = tree({"Dockerfile.production": GOOD, "sub/x": ""})
    seen = DiskTree(str(folder))
    seen.unlisted["sub"] = "Permission denied"
    assert "sub/: not looked at: Permission denied" in run(folder, tree=seen).verdict.reasons
    seen.unlisted[""] = "Input/output error"
    assert "./: not looked at: Input/output error" in run(folder, tree=seen).verdict.reasons


def test_a_rule_that_fails_breaks(tree: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    from elo_gate import engine

    def failing(rule: object) -> object:
        raise KeyError("text of a file")

    monkeypatch.setattr(engine, "check_of", failing)
    verdict = run(tree({"Dockerfile.production": GOOD})).verdict
    assert type(verdict) is Broken
    assert any(
        each.endswith("the rule failed: KeyError") and each.startswith("Dockerfile.production:")
        for each in verdict.reasons
    )
    assert not any("text of a file" in each for each in verdict.reasons)


def test_nothing_to_judge(tree: Write) -> None:
    folder = tree({"README": ""})
    verdict = run(folder).verdict
    assert type(verdict) is Broken
    assert len(verdict.reasons) == 1 and verdict.reasons[0].startswith("nothing to judge: no file of a kind")
    assert type(run(folder, hook=True).verdict) is Passed, "a commit may touch none of our files"


def test_everything_set_aside(tree: Write) -> None:
    folder = tree({"tests/fixtures/Dockerfile": ROOT})
    verdict = run(folder).verdict
    assert type(verdict) is Broken
    (reason,) = verdict.reasons
    assert reason.startswith("every recognised file was set aside (tests/fixtures/Dockerfile: ")
    assert 'files = ["tests/fixtures/Dockerfile"]' in reason
    assert type(run(folder, hook=True).verdict) is Passed
    tree({"elo-gate.toml": "allow_empty = true\n"})
    assert type(run(folder).verdict) is Passed


def test_nothing_judged_beside_a_broken_file_has_one_reason(tree: Write) -> None:
    verdict = run(tree({"compose.production.yaml": "services:\n  web: [\n"})).verdict
    assert len(verdict.reasons) == 1 and "not analysed" in verdict.reasons[0]


def test_comments_and_entries_and_the_baseline_let_pass(tree: Write) -> None:
    """Each of the three by itself and all together; what is let pass is kept, with what let it."""
    commented = ROOT.replace("USER root", "# elo-gate: ignore[docker/root-user] the base image needs it\nUSER root")
    folder = tree(
        {"Dockerfile.production": commented, "web/Dockerfile.production": ROOT, "api/Dockerfile.production": ROOT}
    )
    verdict = run(folder).verdict
    assert [each.source.path for each in verdict.suppressed if each.rule.id == "docker/root-user"] == [
        "Dockerfile.production"
    ]
    tree({"elo-gate.toml": '[[ignore]]\nrule = "docker/root-user"\npath = "web/**"\nreason = "never deployed"\n'})
    verdict = run(folder).verdict
    assert {each.source.path for each in verdict.suppressed} == {"Dockerfile.production", "web/Dockerfile.production"}
    from elo_gate.policy import baseline

    before = run(folder, baseline=str(folder / "b.json"), growing=True)
    assert before.baseline is not None
    assert baseline.add(before.baseline, before.verdict.findings, before.project, "known") > 0
    (folder / "b.json").write_text(baseline.dump(before.baseline.entries))
    verdict = run(folder, baseline=str(folder / "b.json")).verdict
    assert type(verdict) is Passed
    assert {each.source.path for each in verdict.suppressed} >= {
        "web/Dockerfile.production",
        "api/Dockerfile.production",
        "Dockerfile.production",
    }


def test_a_comment_in_a_file_that_is_no_subject_counts(tree: Write) -> None:
    """Without any comment in a judged file nothing that reads comments is imported; one elsewhere is found all the same."""
    text = "import { NextResponse } from 'next/server'\n// elo-gate: ignore[no/such-rule] x\nexport function proxy() { return NextResponse.next() }\n"
    done = run(
        tree(
            {
                "package.json": '{"dependencies": {"next": "16.3.3"}}',
                "next.config.js": "module.exports = {}\n",
                "src/proxy.ts": text,
            }
        )
    )
    assert "src/proxy.ts" in {each.source.path for each in done.verdict.findings if each.rule.id.startswith("policy/")}


def test_without_exceptions_there_are_none(tree: Write) -> None:
    done = run(tree({"Dockerfile.production": ROOT}))
    assert done.exceptions is None
    assert done.verdict.suppressed == []


def test_what_is_wrong_with_exceptions_is_found_in_its_place(tree: Write) -> None:
    commented = ROOT.replace("USER root", "# elo-gate: ignore[docker/root-user]\nUSER root")
    verdict = run(tree({"Dockerfile.production": commented})).verdict
    rules = [each.rule.id for each in verdict.findings if each.source.path == "Dockerfile.production"]
    assert "docker/root-user" in rules, "without a reason nothing is let pass"
    assert any(each.startswith("policy/") for each in rules)
    places = [(each.source.path, each.start, each.end, each.rule.id, each.message) for each in verdict.findings]
    assert places == sorted(places)
    plain = run(tree({"Dockerfile.production": ROOT})).verdict
    assert verdict.coverage.rules > plain.coverage.rules, "the rules about exceptions are counted where they looked"


def test_a_file_of_no_kind_of_its_own_that_is_not_handed_out_breaks(tree: Write) -> None:
    """A package.json decides what others are: unread, nothing is known; it is named once, by its own reason."""
    from elo_gate.discover import DiskTree, Failed

    class Torn(DiskTree):
        def read(self, path: str, limit: int = 1 << 20) -> bytes:
            if path in ("package.json", ".env.production"):
                raise Failed("cannot be read (Input/output error)")
            return super().read(path, limit)

    folder = tree(
        {
            "Dockerfile.production": GOOD,
            "package.json": "{}",
            "next.config.js": "module.exports = {}\n",
            ".env.production": ENV,
        }
    )
    verdict = run(folder, tree=Torn(str(folder))).verdict
    assert type(verdict) is Broken
    assert sorted(each.partition(": cannot")[0] for each in verdict.reasons) == [
        ".env.production: not analysed",
        "package.json: not looked at",
    ]
