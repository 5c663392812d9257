"""The journal: synced, chained, read again after a crash."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elo_gate.deploy.journal import Journal, JournalError, moment_of, read, stamp


def filled(path: Path, count: int = 4) -> Journal:
    journal = Journal(str(path))
    for number in range(count):
        journal.append("intent" if number % 2 == 0 else "outcome", "d1", verb="deploy", number=number)
    return journal


def test_lines_are_chained_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = filled(path)
    records, torn, open_end = read(str(path))
    assert records == journal.records and not torn and not open_end
    assert [each["n"] for each in records] == [0, 1, 2, 3]
    assert all(after["prev"] == before["hash"] for before, after in pairwise(records))
    assert path.stat().st_mode & 0o077 == 0


def test_no_file_is_an_empty_journal(tmp_path: Path) -> None:
    assert read(str(tmp_path / "none")) == ([], b"", False)


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_torn_last_line_is_kept_told_of_and_gone_on_after(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "journal.jsonl"
    filled(path)
    data = path.read_bytes()
    path.write_bytes(data[:-cut])
    journal = Journal(str(path))
    # Without its newline alone, the last line still holds.
    assert len(journal.records) == (4 if cut == 1 else 3)
    assert bool(journal.torn) == (cut > 1)
    journal.append("outcome", "d1")
    assert path.read_bytes().startswith(data[:-cut] + b"\n")
    again, torn, _ = read(str(path))
    assert not torn
    assert [each["kind"] for each in again][-2:] == (["outcome", "outcome"] if cut == 1 else ["torn", "outcome"])


def test_a_changed_a_lost_and_a_moved_line_are_found(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    filled(path)
    lines = path.read_bytes().splitlines(keepends=True)
    changed = json.loads(lines[1])
    changed["number"] = 99
    for bad in (
        [lines[0], json.dumps(changed).encode() + b"\n", *lines[2:]],
        [lines[0], *lines[2:]],
        [lines[1], lines[0], *lines[2:]],
        [*lines[:3], b"{}\n"],
        [*lines[:3], lines[3][:20] + b"\n", lines[3]],
        lines[1:],
    ):
        path.write_bytes(b"".join(bad))
        with pytest.raises(JournalError):
            read(str(path))


@given(st.integers(0, 2000), st.integers(0, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
def test_any_flipped_byte_is_found_or_the_last_line_is_torn(tmp_path: Path, at: int, value: int) -> None:
    path = tmp_path / "journal.jsonl"
    path.unlink(missing_ok=True)
    filled(path)
    data = bytearray(path.read_bytes())
    at %= len(data)
    if data[at] == value:
        return
    data[at] = value
    path.write_bytes(bytes(data))
    try:
        records, torn, open_end = read(str(path))
    except JournalError:
        return
    assert len(records) == 3 or (len(records) == 4 and at == len(data) - 1 and (torn or open_end))


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"")
    (tmp_path / "journal.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError):
        Journal(str(tmp_path / "journal.jsonl"))


def test_the_hook_is_told_after_the_line_is_there(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    told = []
    journal = Journal(str(path), lambda n, kind: told.append((n, kind, len(read(str(path))[0]))))
    journal.append("start", "d1")
    journal.append("intent", "d1")
    assert told == [(0, "start", 1), (1, "intent", 2)]


def test_moments_go_there_and_back() -> None:
    assert stamp(1_764_000_000.25) == "2025-11-24T16:00:00.250Z"
    assert moment_of(stamp(1_764_000_000.25)) == 1_764_000_000.25
