"""Exceptions at their edges: what a comment must say, what counts as used, and the arithmetic of a baseline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from elo_gate import gate
from elo_gate.policy import baseline
from elo_gate.policy.baseline import Baseline, Entry

Write = Callable[[dict[str, str]], Path]
AS_OF = "2026-11-25"
FILE = "Dockerfile.production"
BASE = 'FROM node:24.11.1-alpine3.22\nWORKDIR /app\n{}USER root\nCMD ["node", "server.js"]\n'


def judged(folder: Path, **more: object) -> gate.Run:
    return gate.run(str(folder), as_of=AS_OF, **more)  # type: ignore[arg-type]


def complaints(done: gate.Run) -> list[tuple[str, int, str]]:
    """(rule, line, message) of what is wrong with exceptions."""
    return [
        (each.rule.id, each.source.position(each.start)[0], each.message)
        for each in done.verdict.findings
        if each.rule.id.startswith("policy/")
    ]


@pytest.mark.parametrize(
    ("comment", "word"),
    [
        ("elo-gate: ignore[docker/root-user]", "why"),
        ("elo-gate: ignore docker/root-user because", ""),
        ("elo-gate: Ignore[docker/root-user] because", ""),
        ("elo-gate: ignore[docker/root-user because", ""),
        ("elo-gate: ignroe[docker/root-user] because", "ignore"),
        ("elo-gate: [docker/root-user] because", "ignore"),
        ("elo-gate: disable docker/root-user because", "ignore"),
        ("elo-gate: noqa[docker/root-user]", "ignore"),
        ("elo-gate: ignore[*] because", ""),
        ("elo-gate: ignore[docker/*] because", ""),
        ("elo-gate: ignore[] because", ""),
        ("elo-gate: ignore[docker/root-usre] because", "docker/root-user"),
        ("elo-gate: ignore[nothing/like-it] because", ""),
        ("elo-gate: ignore[docker/root-user] utnil=2027-01-01 because", "until"),
        ("elo-gate: ignore[docker/root-user] until=2027-01-01 until=2027-01-02 because", ""),
        ("elo-gate: ignore[docker/root-user] until=2027-13-01 because", ""),
        ("elo-gate: ignore[docker/root-user] -- !", "why"),
    ],
)
def test_a_comment_that_is_no_exception_is_told_and_lets_nothing_pass(comment: str, word: str, tree: Write) -> None:
    done = judged(tree({FILE: BASE.format(f"# {comment}\n")}))
    assert "docker/root-user" in {each.rule.id for each in done.verdict.findings}
    assert done.verdict.suppressed == []
    found = complaints(done)
    assert len(found) == 1, found
    assert found[0][1] == 3


@pytest.mark.parametrize(
    "comment", ["elo-gate: see the handbook", "elo-gate: off we go", "elo-gate: nothing here is ignored", "elo-gate:"]
)
def test_a_sentence_about_it_is_no_mistake(comment: str, tree: Write) -> None:
    assert complaints(judged(tree({FILE: BASE.format(f"# {comment}\n")}))) == []


def test_one_wrong_name_leaves_the_right_one_in_force(tree: Write) -> None:
    done = judged(
        tree(
            {
                FILE: BASE.format(
                    "# elo-gate: ignore[docker/*, docker/root-usre, docker/root-user] the base image needs it\n"
                )
            }
        )
    )
    assert {each.rule.id for each in done.verdict.suppressed} == {"docker/root-user"}
    assert len(complaints(done)) == 2


def test_a_day_that_is_the_last_one_counts(tree: Write) -> None:
    for until, passes in (("2026-11-24", False), ("2026-11-25", True), ("2026-11-26", True)):
        done = judged(tree({FILE: BASE.format(f"# elo-gate: ignore[docker/root-user] until={until} soon gone\n")}))
        assert bool(done.verdict.suppressed) is passes, until
        assert bool(complaints(done)) is not passes


@pytest.mark.parametrize(("terms", "comment", "passes"), [
    ("require_owner = true", "soon", False), ("require_owner = true", "owner=web soon", True),
    ("require_until = true", "soon", False), ("require_until = true", "until=2027-06-01 soon", True),
    ("max_days = 10", "soon", False), ("max_days = 10", "until=2026-12-05 soon", True), ("max_days = 10", "until=2026-12-06 soon", False),
    ('unsuppressable = ["docker/root-user"]', "soon", False), ('unsuppressable = ["docker/*"]', "soon", False), ('unsuppressable = ["k8s/*"]', "soon", True),
])  # fmt: skip
def test_the_policys_terms(terms: str, comment: str, passes: bool, tree: Write) -> None:
    folder = tree(
        {FILE: BASE.format(f"# elo-gate: ignore[docker/root-user] {comment}\n"), "elo-gate.toml": terms + "\n"}
    )
    done = judged(folder)
    assert bool(done.verdict.suppressed) is passes
    assert bool(complaints(done)) is not passes


def test_an_exception_that_lets_nothing_pass_is_told_with_its_place(tree: Write) -> None:
    text = BASE.format("").replace("USER root", "# elo-gate: ignore[docker/root-user] long gone\nUSER 1001")
    found = complaints(
        judged(
            tree(
                {FILE: text, "elo-gate.toml": '[[ignore]]\nrule = "docker/root-user"\npath = "old/**"\nreason = "x"\n'}
            )
        )
    )
    assert [(rule, line) for rule, line, _ in found] == [
        ("policy/unused-suppression", 3),
        ("policy/unused-suppression", 1),
    ]


def test_an_entry_lets_its_rule_pass_in_its_files_and_no_other(tree: Write) -> None:
    text = BASE.format("")
    files = {
        "a/" + FILE: text,
        "b/" + FILE: text,
        "elo-gate.toml": '[[ignore]]\nrule = "docker/root-user"\npath = "a/**"\nreason = "x"\n',
    }
    done = judged(tree(files))
    assert [(each.rule.id, each.source.path) for each in done.verdict.suppressed] == [("docker/root-user", "a/" + FILE)]
    assert "b/" + FILE in {each.source.path for each in done.verdict.findings if each.rule.id == "docker/root-user"}


# -- the baseline


def entry(at: str, path: str = "a", count: int = 1, used: int = 0) -> Entry:
    made = Entry(("docker/root-user", at, "x"), path, "known", count)
    made.used = used
    return made


@pytest.mark.parametrize(("now", "before", "more"), [
    ([entry("1")], [], 1), ([entry("1")], [entry("1")], 0), ([entry("1", count=3)], [entry("1")], 2), ([entry("1"), entry("1", "b")], [entry("1")], 1),
    ([entry("1"), entry("1", "b")], [entry("1", count=2)], 0), ([], [entry("1")], 0), ([entry("1"), entry("2")], [entry("1", "b"), entry("1", "c")], 1),
])  # fmt: skip
def test_what_a_change_accepts_beyond_the_reference(now: list[Entry], before: list[Entry], more: int) -> None:
    assert baseline.grown(now, before) == more


def test_prune_keeps_what_is_used_and_what_is_not_looked_at() -> None:
    moved = entry("5", "app/old", used=1)
    moved.moved = "app/new"
    held = Baseline(
        [
            entry("1", "app/a", 3, used=2),
            entry("2", "app/a"),
            entry("3", "other/a"),
            entry("4", "app/b", 2, used=2),
            moved,
            entry("5", "app/new", 2, used=2),
        ],
        prefix="app/",
    )
    assert held.gone() == 2
    assert baseline.prune(held) == 2
    assert {(each.identity[1], each.path): each.count for each in held.entries} == {
        ("1", "app/a"): 2, ("3", "other/a"): 1, ("4", "app/b"): 2, ("5", "app/new"): 3,
    }  # fmt: skip


def test_a_baseline_is_written_as_it_is_read() -> None:
    text = baseline.dump([entry("2", "b", 2), entry("1", "a")])
    rows = [line for line in text.splitlines() if '"rule"' in line]
    assert ['"count"' in row for row in rows] == [False, True]
    assert [row.split('"path": ')[1][:3] for row in rows] == ['"a"', '"b"']
    assert baseline.dump(baseline.parse(text, "x")) == text


def test_a_merge_that_is_not_finished_takes_both_sides(tree: Write) -> None:
    row = '{"rule": "docker/root-user", "at": "1", "is": "x", "path": "a", "reason": "known"},'
    text = f'{{"version": 1, "accepted": [\n<<<<<<< HEAD\n{row}\n=======\n{row.replace(chr(34) + "1" + chr(34), chr(34) + "2" + chr(34))}\n>>>>>>> x\nnull]}}\n'
    with pytest.raises(baseline.ConfigError, match="a merge is not finished"):
        baseline.parse(text, "x")
    assert [each.identity[1] for each in baseline.parse(text, "x", conflicts=True)] == ["1", "2"]
    with pytest.raises(baseline.ConfigError, match="no JSON"):
        baseline.parse(text.replace('"a", "reason"', '"a", "reason": ' + "[" * 100_000 + ', "x"'), "x", conflicts=True)
