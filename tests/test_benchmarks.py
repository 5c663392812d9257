"""The benchmark: its corpora are what they say, its runs are counted right, its arithmetic and its picture hold."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from elo_gate import gate

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import compare  # noqa: E402
import corpora  # noqa: E402
import install  # noqa: E402
import page  # noqa: E402
import picture  # noqa: E402
import results  # noqa: E402
import run as bench  # noqa: E402

AS_OF = "2026-11-25"
KINDS = [*corpora.KINDS, "monorepo"]
# What one file in ten has.
MISTAKES = {
    "dockerfile": "docker/root-user", "compose": "compose/data-store-published", "env": "env/placeholder-value",
    "next": "headers/missing-headers",
}  # fmt: skip


# -- corpora


def test_they_have_the_sizes_that_were_asked_for() -> None:
    assert {kind: size for kind, (_, _, size) in corpora.KINDS.items()} == {
        "k8s": 2000, "dockerfile": 500, "compose": 300, "env": 500, "next": 200, "workflow": 200,
    }  # fmt: skip
    for kind in corpora.KINDS:
        assert len(corpora.of_kind(kind, corpora.corpus(kind, 120))) == 120
    for count in (10, 100, 3_700):
        files = corpora.corpus("monorepo", count)
        assert len(corpora.of_kind("monorepo", files)) == count
        assert all(corpora.of_kind(kind, files) for kind in corpora.KINDS)


def test_every_file_is_another_one() -> None:
    for kind in corpora.KINDS:
        files = corpora.corpus(kind, 300)
        texts = [files[path] for path in corpora.of_kind(kind, files)]
        assert len(set(texts)) == 300, kind


def test_a_manifest_has_some_eighty_lines() -> None:
    [(_, text)] = corpora.corpus("k8s", 1).items()
    assert 75 <= len(text.splitlines()) <= 90


def test_another_process_makes_the_same_files() -> None:
    code = (
        "import sys, hashlib; sys.path.insert(0, sys.argv[1]); import corpora\n"
        "print(hashlib.sha256(repr(corpora.corpus('monorepo', 200)).encode()).hexdigest())"
    )
    here = hashlib.sha256(repr(corpora.corpus("monorepo", 200)).encode()).hexdigest()
    for seed in ("1", "2"):
        there = subprocess.run(
            [sys.executable, "-c", code, BENCHMARKS],
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True, timeout=60,
        ).stdout  # fmt: skip
        assert there.strip() == here


@pytest.mark.parametrize("kind", KINDS)
def test_all_of_it_is_judged_and_nothing_undecided(kind: str, tmp_path: Path) -> None:
    files = corpora.corpus(kind, 74 if kind == "monorepo" else 20)
    corpora.write(files, tmp_path)
    run = gate.run(str(tmp_path), as_of=AS_OF)
    coverage = run.verdict.coverage
    assert sorted(each.path for each in coverage.judged) == corpora.of_kind(kind, files)
    assert coverage.undecided == [] and coverage.failures == [] and coverage.broken == [] and coverage.aside == []
    assert run.verdict.exit_code in (0, 1)
    if kind in MISTAKES:
        found = {each.source.path for each in run.verdict.findings if each.rule.id == MISTAKES[kind]}
        assert {re.findall(r"web-(\d+)", path)[0] for path in found} == {"7", "17"}


# -- runs


def command(code: str, folder: Path, proof: str = "", limit: int = 60) -> compare.Command:
    return compare.Command((sys.executable, "-c", code), folder, dict(os.environ), (0,), proof, limit)


def test_a_run_is_measured_with_what_it_started(tmp_path: Path) -> None:
    bare = compare.measure(command("pass", tmp_path), tmp_path)
    code = (
        "import subprocess, sys\n"
        "work = 'b = bytes(range(256)) * 400_000; t = __import__(\"time\").process_time\\nwhile t() < 0.4: pass'\n"
        "subprocess.run([sys.executable, '-c', work], check=True); print('proof')"
    )
    taken = compare.measure(command(code, tmp_path, "proof"), tmp_path)
    assert taken.cpu >= 0.4 > bare.cpu and taken.wall >= 0.4 and not taken.stopped
    assert taken.memory >= 97 and bare.memory < 40  # 102,400,000 bytes


def test_a_run_that_does_not_end_is_ended(tmp_path: Path) -> None:
    taken = compare.measure(command("while True: pass", tmp_path, "proof", 1), tmp_path)
    assert taken.stopped and taken.cpu >= 0.9
    asleep = compare.measure(command("import time; time.sleep(60)", tmp_path, "proof", 1), tmp_path)
    assert asleep.stopped and 9 < asleep.wall < 59


@pytest.mark.parametrize("code", ["raise SystemExit(3)", "print('other words')"])
def test_a_run_that_did_not_do_its_work_counts_for_nothing(code: str, tmp_path: Path) -> None:
    with pytest.raises(compare.Failed):
        compare.measure(command(code, tmp_path, "proof"), tmp_path)


# -- arithmetic


def sample(cpu: float, stopped: bool = False) -> compare.Sample:
    return compare.Sample(cpu, 2 * cpu, 10 * cpu, 0, stopped)


def measured(
    *seconds: float, stopped: bool = False
) -> tuple[list[str], Callable[[compare.Command, Path], compare.Sample]]:
    left, asked = list(seconds), []

    def measure(what: compare.Command, scratch: Path) -> compare.Sample:
        asked.append(what.words[0])
        return sample(left.pop(0), stopped and what.words[0] == "theirs")

    return asked, measure


def pair(tmp_path: Path) -> list[compare.Command]:
    return [compare.Command((name,), tmp_path, {}) for name in ("ours", "theirs")]


def test_they_run_in_turn_and_the_ratio_is_the_rounds_median(tmp_path: Path) -> None:
    found = compare.Comparison("k8s", 2, "x", "judges")
    asked, measure = measured(4.0, 1.0, 12.0, 2.0, 9.0, 3.0)
    compare.in_turn(found, *pair(tmp_path), tmp_path, 3, 60, measure)
    assert asked == ["theirs", "ours"] * 3
    assert found.ratios("cpu") == [4.0, 6.0, 3.0]
    assert found.ratio("cpu") == found.ratio("wall") == found.ratio("memory") == 4.0
    assert found.spread("cpu") == (3.0, 6.0)
    assert picture.ratio(found, "cpu") == "4.0" and not found.stopped


def test_two_rounds_at_least_and_no_more_once_time_is_over(tmp_path: Path) -> None:
    found = compare.Comparison("k8s", 2, "x", "judges")
    asked, measure = measured(*[1.0] * 20)
    compare.in_turn(found, *pair(tmp_path), tmp_path, 7, 0, measure)
    assert len(asked) == 4


def test_a_stopped_peer_runs_once_and_its_ratio_is_a_lower_bound(tmp_path: Path) -> None:
    found = compare.Comparison("k8s", 2, "x", "judges")
    asked, measure = measured(120.0, 2.0, stopped=True)
    compare.in_turn(found, *pair(tmp_path), tmp_path, 7, 60, measure)
    assert asked == ["theirs", "ours"] and picture.ratio(found, "cpu") == "> 60"
    row = page.peer_table([found])[-1]
    assert "| > 120 |" in row and "| > 60 |" in row


# -- what is kept


def test_what_was_measured_in_parts_is_told_together(tmp_path: Path) -> None:
    file = tmp_path / "samples.jsonl"
    first = results.Results(file)
    for each in comparisons():
        first.compared(each)
    first.alone("env", 1, {"check": [sample(2.0)], "hook": [sample(1.0)], page.BARE: [sample(0.5)]})
    first.grown(10, [sample(1.0)])
    first.missed("gone", "exit code 3")
    first.missed("slow", "exit code 3")
    second = results.Results(file)
    [slow, *_] = comparisons()
    slow.theirs = [sample(30.0)]
    second.compared(slow)
    second.grown(10, [sample(3.0)])
    second.grown(20, [sample(4.0)])
    second.counted(397)
    again = results.Results(file)
    assert [each.ratio("cpu") for each in again.comparisons.values()] == [30.0, 0.5, 1.0]
    assert again.failed == {"gone": "exit code 3"} and again.rules == 397
    assert page.growth_table(again.growth)[2:] == ["| 10 | 3 | 300.00 | 30 |  |", "| 20 | 4 | 200.00 | 40 |  |"]
    assert page.own_table(again.own)[2:] == [
        "| one env file | check | 2 | 4.0 | 4 | 15 |", "| one env file | hook | 1 | 2.0 | 2 | 5 |",
    ]  # fmt: skip


# -- what is told


def comparisons() -> list[compare.Comparison]:
    made = []
    for kind, count, peer, does, theirs in (
        ("dockerfile", 500, "slow", "judges", 300.0), ("dockerfile", 500, "fast", "validates", 0.5),
        ("workflow", 1, "even", "judges style", 1.0),
    ):  # fmt: skip
        made.append(compare.Comparison(kind, count, peer, does, [sample(1.0)], [sample(theirs)]))
    return made


def test_the_picture_shows_what_was_measured() -> None:
    drawn = ET.fromstring(picture.draw(comparisons(), [(10, 0.1), (100, 0.2), (1000, 2.0)]))
    space = "{http://www.w3.org/2000/svg}"
    words = ["".join(each.itertext()) for each in drawn.iter(f"{space}text")]
    assert {"500 Dockerfiles", "One GitHub workflow", "300 ×", "0.50 ×", "1.0 ×", "1,000 files", "2 s"} <= set(words)
    assert words.index("fast") < words.index("slow") < words.index("even")
    bars = [each for each in drawn.iter(f"{space}rect") if each.get("height") == "12"]
    one = float(next(each for each in drawn.iter(f"{space}line") if each.get("class") == "one").get("x1") or 0)
    places = [(each.get("class"), float(each.get("x") or 0), float(each.get("width") or 0)) for each in bars]
    assert [each[0] for each in places] == ["other", "judge", "other"]
    fast, slow, even = places
    assert fast[1] + fast[2] == pytest.approx(one, abs=0.2) and slow[1] == pytest.approx(one, abs=0.2)
    assert slow[2] > 5 * fast[2] > 5 * even[2]
    # Its own ground in both schemes: what is written is never on somebody else's.
    style = next(each for each in drawn.iter(f"{space}style")).text or ""
    assert style.count("--ground:") == style.count("--text:") == 2 and "prefers-color-scheme:dark" in style


def test_the_part_of_the_page_is_exchanged_and_nothing_else() -> None:
    text = f"before\n\n{page.START}\n\nold\n\n{page.END}\n\nafter\n"
    made = page.put(text, "new")
    assert made == text.replace("old", "new") and page.put(made, "new") == made
    with pytest.raises(SystemExit):
        page.put("before", "new")


def test_the_page_has_the_marks_before_the_budgets(root: Path) -> None:
    text = (root / "docs/performance.md").read_text(encoding="utf-8")
    assert text.index(page.START) < text.index(page.END) < text.index("<!-- measured -->")


def test_every_peer_is_pinned_and_says_what_it_does() -> None:
    for name, peer in install.PEERS.items():
        if "missing" in peer:
            assert list(peer) == ["missing"], name
            continue
        assert all(re.fullmatch(r"[\w-]+(==|@)[\w.]+", each) for each in peer["install"]), name
        assert set(peer["does"]) == set(peer["commands"]) <= set(KINDS), name
        assert all(words[0] == f"{{{peer['program']}}}" for words in peer["commands"].values()), name
        assert peer["exit"] and peer["rules"] and peer["across"], name


def test_who_is_left_out_is_named() -> None:
    options = bench.argparse.Namespace(peers="zizmor", folder=None)
    run, left = bench.chosen(options)
    assert run == [] and left["hadolint"] == "not asked for"
    assert "not installed" in left["zizmor"] and "PyPI" in left["kube-linter"]
    made = page.section({"coverage": [], "peers": [], "own": [], "growth": []}, left)
    assert "kube-linter, kube-score, conftest, dotenv-linter (Rust) (neither PyPI" in made
    with pytest.raises(SystemExit):
        bench.chosen(bench.argparse.Namespace(peers="nosuch", folder=None))


def test_the_command_runs(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "run.py", "--quick", "--peers", "", "--kinds", "env,growth"],
        cwd=root, env={**os.environ, "PYTHONPATH": str(root / "src")}, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\| 5 env files \| check \| [\d.]+ \| [\d.]+ \|", done.stdout, re.M)
    assert re.search(r"^\| one env file \| hook \|", done.stdout, re.M)
    assert re.search(r"^\| 40 \| [\d.]+ \| [\d.]+ \| \d+ \|  \|$", done.stdout, re.M)
    assert re.search(r"^\| elo-gate \| all of them: judges \| \d{3} ", done.stdout, re.M)
