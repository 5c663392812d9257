"""The series of backups: moments, age, gaps, history, size, and what files hold, without a server."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import shutil
import subprocess
import time
from calendar import timegm
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elo_gate.backup import config, plain, series, stamp
from elo_gate.backup.source import Copy
from elo_gate.policy import ConfigError

from .conftest import DAY, run

SQL = b"--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE t ();\n\n-- PostgreSQL database dump complete\n--\n"
NOW = 1_795_000_000.0


def promise(text: str = "") -> config.Backup:
    return config.parse(f'[backup.shop]\nsource = "backups"\n{text}', "elo-gate.toml")["shop"]


def copies(*hours: float, size: int = 1000) -> list[Copy]:
    """Backups so many hours old, the oldest first."""
    return [
        Copy(f"{each}", stamp.Moment(NOW - each * 3600, 0.0, True), size, NOW) for each in sorted(hours, reverse=True)
    ]


@pytest.mark.parametrize(
    ("name", "zone", "moment"),
    [
        ("db-20261125T030000Z.dump", "", "2026-11-25 03:00:00"),
        ("db_2026-11-25_03-00-00+0000.sql.gz", "", "2026-11-25 03:00:00"),
        ("db-2026-11-25T03:00:00-03:00.dump", "", "2026-11-25 06:00:00"),
        ("db-20261125_030000.dump", "America/Sao_Paulo", "2026-11-25 06:00:00"),
        ("2026/11/25/0300.dump", "UTC", "2026-11-25 12:00:00"),
        ("v20250101-db-20261125030000.dump", "UTC", "2026-11-25 03:00:00"),
        ("db-1795575600.dump", "", "2026-11-25 03:00:00"),
        ("db-20261399.dump", "", "2020-01-01 00:00:00"),
        ("latest.dump", "", "2020-01-01 00:00:00"),
    ],
)
def test_the_name_says_when(name: str, zone: str, moment: str) -> None:
    changed = timegm((2020, 1, 1, 0, 0, 0))
    made = stamp.read(name, changed, zone)
    assert time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(made.at)) == moment


def test_what_a_name_leaves_open_the_file_says_where_they_agree() -> None:
    three = float(timegm((2026, 11, 25, 3, 0, 0)))
    # Written at three in Sao Paulo, six in UTC; the name has no zone.
    assert stamp.read("db-20261125-030000.dump", three + 3 * 3600, "").at == three + 3 * 3600
    assert stamp.read("db-20261125.dump", three, "").at == three
    # Touched a week later: the name counts, and what it leaves open is doubt.
    touched = stamp.read("db-20261125-030000.dump", three + 7 * DAY, "")
    assert (touched.at, touched.doubt) == (three, 14 * 3600.0)
    assert stamp.read("db-20261125.dump", three + 7 * DAY, "UTC").doubt == DAY / 2


@given(st.text(max_size=60), st.floats(0, 2e9))
def test_no_name_is_too_odd(name: str, changed: float) -> None:
    made = stamp.read(name, changed, "")
    assert made.named or made.at == changed


def test_the_age_of_the_newest() -> None:
    wanted = promise()
    assert series.age([], wanted, NOW).state == "red"
    assert series.age(copies(25), wanted, NOW).state == "good"
    assert series.age(copies(27, 60), wanted, NOW).state == "red"
    assert series.age(copies(-1, 5), wanted, NOW).state == "red"
    assert "not come yet" in series.age(copies(-1, 5), wanted, NOW).what
    unsure = [Copy("day", stamp.Moment(NOW - 30 * 3600, 12 * 3600.0, True), 1, NOW)]
    assert series.age(unsure, wanted, NOW).state == "unknown"


def test_gaps_and_known_gaps() -> None:
    whole = [24.0 * day + 1 for day in range(31)]
    assert series.gaps(copies(*whole), promise(), NOW).state == "good"
    holed = copies(*whole[:10], *whole[12:])
    found = series.gaps(holed, promise(), NOW)
    assert (found.state, len(found.facts["gaps"])) == ("red", 1)  # type: ignore[arg-type]
    day = time.strftime("%Y-%m-%d", time.gmtime(NOW - 11 * DAY))
    known = series.gaps(holed, promise(f'known_gaps = {{ "{day}" = "the host was moved" }}'), NOW)
    assert known.state == "good" and "the host was moved" in known.what
    # What lies before the retention is no gap any more.
    assert series.gaps(copies(1, 25, 49, 31 * 24), promise('retention = "2d"'), NOW).state == "good"


def test_history_reaches_back_and_no_further() -> None:
    month = copies(*(24.0 * day + 1 for day in range(31)))
    assert series.history(month, promise(), NOW).state == "good"
    assert series.history(month[20:], promise(), NOW).state == "red"
    began = time.strftime("%Y-%m-%d", time.gmtime(NOW - 10 * DAY))
    assert series.history(month[20:], promise(f'since = "{began}"'), NOW).state == "good"
    assert series.longer(month, month[-1], promise(), NOW).state == "good"
    old = copies(40 * 24, 1)
    assert series.longer(old, old[-1], promise(), NOW).state == "red"
    assert series.longer(old, old[-1], promise("keeps_longer = true"), NOW).state == "skipped"
    (only,) = copies(40 * 24)
    answer = series.longer([only], only, promise(), NOW)
    assert answer.state == "good" and "the newest good" in answer.what


@given(st.lists(st.integers(1, 10**12), min_size=3, max_size=12), st.integers(1, 10**12))
def test_size_is_held_to_the_median_of_seven(before: list[int], newest: int) -> None:
    found = copies(*range(2, len(before) + 2))
    for copy, size in zip(found, before, strict=True):
        copy.size = size
    last = copies(1, size=newest)[0]
    answer = series.size(last, [*found, last], promise())
    ordered = sorted(before[-7:])
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    assert answer.state == ("red" if newest / middle < 0.5 else "good")


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda data: gzip.compress(data, 1),
    "xz": lzma.compress,
    "bz2": bz2.compress,
}


def zstd(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-qc"], input=data, capture_output=True, check=True, timeout=60).stdout


def states(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    assert done.stdout, done.stderr
    return {each["id"]: each for each in json.loads(done.stdout)["backups"][0]["checks"]}


@pytest.mark.parametrize("packing", ["gz", "xz", "bz2", "zst"])
def test_a_packed_dump_is_read_to_its_end(packing: str, series: Callable[..., Path]) -> None:
    if packing == "zst" and shutil.which("zstd") is None:
        pytest.skip("no zstd program here")
    body = SQL.replace(b"CREATE", os.urandom(200_000).hex().encode() + b"\nCREATE")
    data = zstd(body) if packing == "zst" else PACK[packing](body)
    tree = series(data, days=1)
    done = run("--root", str(tree), "--json")
    assert states(done)["integrity"]["state"] == "good"
    assert states(done)["integrity"]["facts"]["unpacked"] == str(len(body))
    newest = next((tree / "backups").iterdir())
    for damaged in (data[: len(data) * 3 // 4], data[:50_000] + b"\0\0\0\0" + data[50_004:]):
        newest.write_bytes(damaged)
        done = run("--root", str(tree), "--json")
        assert (done.returncode, states(done)["integrity"]["state"]) == (1, "red"), packing


@pytest.mark.parametrize(
    ("body", "state", "words"),
    [
        (gzip.compress(b"", mtime=0), "red", "holds nothing"),
        (b"", "red", "holds nothing"),
        (SQL[:-60], "red", "last line"),
        (SQL, "good", "plain SQL"),
        (b"CREATE TABLE t ();\n", "unknown", "end cannot be told"),
        (b"age-encryption.org/v1\n-> X25519 abc\n", "unknown", "encrypted with age"),
        (b"\x85\x02\x0c\x03" + os.urandom(100), "unknown", "no dump"),
        (b"connection to server failed\n", "unknown", "no dump"),
        (b"-- MySQL dump 10.13\n", "unknown", "no dump"),
    ],
)
def test_what_a_file_holds(body: bytes, state: str, words: str, series: Callable[..., Path]) -> None:
    done = run("--root", str(series(body, days=1)), "--json", "--fresh")
    found = states(done)["integrity"]
    assert (found["state"], words in found["what"]) == (state, True), found
    assert done.returncode == {"red": 1, "unknown": 7, "good": 0}[state]


def test_an_empty_gzip_of_twenty_bytes_names_the_newest_good_one(series: Callable[..., Path]) -> None:
    tree = series(gzip.compress(b"", mtime=0), body=gzip.compress(SQL * 1))
    done = run("--root", str(tree))
    assert done.returncode == 1
    assert "do: set -o pipefail" in done.stdout and "the newest that can be read is shop-" in done.stdout


def test_a_whole_series_is_good_and_the_text_says_what_was_not_asked(series: Callable[..., Path]) -> None:
    done = run("--root", str(series(gzip.compress(SQL))))
    assert done.returncode == 0, done.stdout
    assert "only a restore proves" in done.stdout and "shop: good" in done.stdout


def test_old_and_gap_and_ahead(series: Callable[..., Path]) -> None:
    tree = series(gzip.compress(SQL))
    files = sorted((tree / "backups").iterdir(), reverse=True)
    files[5].unlink()
    assert states(run("--root", str(tree), "--json"))["gaps"]["state"] == "red"
    assert run("--root", str(tree), "--fresh").returncode == 0, "a gap of last week is no reason not to deploy"
    files[0].unlink()
    files[1].unlink()
    done = run("--root", str(tree), "--fresh", "--json")
    assert (done.returncode, states(done)["age"]["state"]) == (1, "red")
    # A copy of an old file with a new time is an old backup.
    os.utime(files[2])
    assert states(run("--root", str(tree), "--json"))["age"]["state"] == "red"
    ahead = time.strftime("shop-%Y%m%dT%H%M%SZ.dump", time.gmtime(time.time() + 3 * DAY))
    (tree / "backups" / ahead).write_bytes(SQL)
    found = states(run("--root", str(tree), "--json"))["age"]
    assert found["state"] == "red" and "not come yet" in found["what"]


def test_a_link_to_the_newest_is_no_backup(series: Callable[..., Path]) -> None:
    tree = series(gzip.compress(SQL), days=2)
    (tree / "backups/shop-latest").symlink_to(max((tree / "backups").iterdir()).name)
    assert json.loads(run("--root", str(tree), "--json").stdout)["backups"][0]["count"] == 2


@pytest.mark.parametrize(
    ("change", "state"), [("same", "good"), ("other", "red"), ("cut", "red"), ("gone", "red"), ("away", "unknown")]
)
def test_a_second_folder_is_compared_byte_by_byte(change: str, state: str, series: Callable[..., Path]) -> None:
    tree = series(gzip.compress(SQL), 'off_site = "second"\n', days=3)
    newest = max((tree / "backups").iterdir())
    if change != "away":
        (tree / "second/2026").mkdir(parents=True)
        there = tree / "second/2026" / newest.name
        data = newest.read_bytes()
        there.write_bytes({"other": data[:-1] + b"x", "cut": data[:-1]}.get(change, data))
        if change == "gone":
            there.unlink()
    found = states(run("--root", str(tree), "--json"))["off-site"]
    assert found["state"] == state, found


def test_hostile_names_are_shown_without_harm(series: Callable[..., Path]) -> None:
    tree = series(gzip.compress(SQL), days=1)
    old = next((tree / "backups").iterdir())
    old.rename(old.with_name(old.name + "-\x1b[31m\n::error::x"))
    done = run("--root", str(tree))
    assert "\x1b" not in done.stdout and "\n::error" not in done.stdout
    json.loads(run("--root", str(tree), "--json").stdout)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('source = "s3://AKIA:secret-71@bucket/x"', "backup.shop.source"),
        ('source = "s3://bucket/file:///etc/passwd"', "backup.shop.source"),
        ('source = "gs://bucket"', "other stores"),
        ('source = "b"\nmax_age = 26', "backup.shop.max_age"),
        ('source = "b"\nmax_age = "26"', "backup.shop.max_age"),
        ('source = "b"\nmax_agee = "26h"', "backup.shop.max_agee"),
        ('source = "b"\ntimezone = "Brasilia"', "time zone"),
        ('source = "b"\nsince = "2026-13-01"', "backup.shop.since"),
        ('source = "b"\nknown_gaps = { "2026-11-20" = "" }', "backup.shop.known_gaps"),
        ('source = "b"\noff_site = "b/"', "no second place"),
        ('source = "b"\ndrill = { admin_dsn_env = "postgresql://a:secret-71@h/x" }', "admin_dsn_env"),
        (
            'source = "b"\ndrill = { admin_dsn_env = "A", production_dsn_env = "postgresql://a:secret-71@h/x" }',
            "production",
        ),
        ('source = "b"\ndrill = { admin_dsn_env = "A", production_dsn_env = "A" }', "never runs on production"),
        ('source = "b"\ndrill = { admin_dsn_env = "A", migrations = { query = "SELECT 1" } }', "folder"),
        ("", "backup.shop.source"),
    ],
)
def test_a_wrong_key_is_named_and_no_value_shown(table: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        config.parse(f"[backup.shop]\n{table}\n", "elo-gate.toml")
    (tmp_path / "elo-gate.toml").write_text(f"[backup.shop]\n{table}\n")
    done = run("--root", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "") and words in done.stderr and "secret-71" not in done.stderr


def test_what_is_not_there_cannot_be_looked_at(tmp_path: Path) -> None:
    assert run("--root", str(tmp_path)).returncode == 2
    (tmp_path / "elo-gate.toml").write_text('[backup.shop]\nsource = "nowhere"\n')
    assert "cannot be read" in run("--root", str(tmp_path)).stderr
    done = run("--root", str(tmp_path), "shopp")
    assert done.returncode == 2 and "did you mean `shop`" in done.stderr
    (tmp_path / "nowhere").mkdir()
    done = run("--root", str(tmp_path))
    assert done.returncode == 1 and "there is no backup" in done.stdout


def test_a_place_that_cannot_be_read_hides_no_other(series: Callable[..., Path]) -> None:
    tree = series(gzip.compress(SQL))
    with open(tree / "elo-gate.toml", "a") as file:
        file.write('[backup.other]\nsource = "nowhere"\n')
    done = run("--root", str(tree), "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["exit_code"]) == (2, 2) and "other: " in done.stderr
    assert [(each["name"], each["state"]) for each in report["backups"]] == [("shop", "good")]
    assert run("--root", str(tree), "shop").returncode == 0


def test_a_drill_that_nothing_is_known_of_is_no_silent_pass(series: Callable[..., Path]) -> None:
    done = run("--root", str(series(gzip.compress(SQL))), "--drill")
    assert (done.returncode, done.stdout) == (2, "") and "has no `drill`" in done.stderr


def test_the_table_is_let_through_by_check_and_the_schema_is_made_from_it(root: Path, tmp_path: Path) -> None:
    from elo_gate.policy import config as policy

    policy.read_text("elo-gate.toml", '[backup.shop]\nsource = "x"\n', "")
    with pytest.raises(ConfigError, match="backup"):
        policy.read_text("elo-gate.toml", 'backup = "x"\n', "")
    written = json.loads((root / "schemas/backup.schema.json").read_text())
    assert written == config.schema(), "stale: python -m elo_gate.backup.config > schemas/backup.schema.json"


ROWS = b"COPY public.t (a) FROM stdin;\n\nGRANT x TO y;\n\n\\\\restrict a\n\\.\n"
HEAD = b"--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET x = 1;\n\n"
BODY = (
    b"CREATE TABLE public.t (a text);\n\n\nALTER TABLE public.t OWNER TO app;\n\n" + ROWS
    + b"\n\nGRANT SELECT ON TABLE public.t TO r;\nREVOKE ALL ON TABLE public.t FROM s;\n\n\\unrestrict abc\n\n"
)  # fmt: skip
LEFT = b"\\restrict key\n" + HEAD.replace(b"\\restrict abc\n", b"") + BODY.replace(
    b"ALTER TABLE public.t OWNER TO app;\n", b""
).replace(b"GRANT SELECT ON TABLE public.t TO r;\n", b"").replace(b"REVOKE ALL ON TABLE public.t FROM s;\n", b"").replace(
    b"\\unrestrict abc\n", b""
) + b"\n\\unrestrict key\n"  # fmt: skip


@given(st.integers(1, 400))
def test_owners_and_grants_are_left_out_and_rows_are_not_touched(cut: int) -> None:
    whole = HEAD + BODY
    script = plain.Script([whole[at : at + cut] for at in range(0, len(whole), cut)], "key")
    assert b"".join(script) == LEFT
    assert not script.drops


def test_a_line_longer_than_memory_should_hold_comes_in_pieces() -> None:
    line = b"COPY t FROM stdin;\n" + b"GRANT x TO y;" * 40_000 + b"\n\\.\n"
    made = list(plain.Script((line[at : at + 9999] for at in range(0, len(line), 9999)), "k"))
    assert b"".join(made) == b"\\restrict k\n" + line + b"\n\\unrestrict k\n"
    assert max(len(each) for each in made) < 300_000


@pytest.mark.parametrize(
    ("version", "knows"),
    [("psql (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", True), ("psql (PostgreSQL) 15.13", False),
     ("psql (PostgreSQL) 18.0", True), ("psql (PostgreSQL) 12.22", False), ("psql (PostgreSQL) 18devel", True), ("", False)],
)  # fmt: skip
def test_which_psql_keeps_a_dump_from_running_programs(version: str, knows: bool) -> None:
    assert plain.restricts(version) is knows
