"""Trees on disk: what is read, what git ignores and tracks, and what a hostile tree cannot make us open."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from elo_gate.discover import DiskTree, Ignores, Unreadable, decode, index_names, walk

Write = Callable[[dict[str, str]], Path]


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(folder), *words],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip


def paths(folder: Path) -> dict[str, bool]:
    tree = DiskTree(str(folder))
    return dict(walk(tree, Ignores(tree)))


def test_ignored_files_are_told_and_ignored_folders_not_entered(tree: Write) -> None:
    folder = tree(
        {".gitignore": ".env\nout/\n", ".env": "A=1", "out/x": "", "node_modules/y": "", "sub/.env": "B=2", "a": ""}
    )
    found = paths(folder)
    assert found == {".gitignore": False, ".env": True, "sub/.env": True, "a": False}


@pytest.mark.parametrize("version", ["2", "4"])
def test_tracked_agrees_with_git(tree: Write, version: str) -> None:
    folder = tree(
        {
            ".gitignore": "*.env\n",
            "kept.env": "A=1",
            "lost.env": "",
            "dir/deep/file": "x",
            "dir/deep/file2": "y",
            "ümlaut": "",
        }
    )
    git(folder, "init", "-q")
    git(folder, "config", "index.version", version)
    git(folder, "add", ".gitignore", "dir", "ümlaut")
    git(folder, "add", "-f", "kept.env")
    git(folder, "update-index", "--index-version", version)
    listed = set(git(folder, "-c", "core.quotepath=off", "ls-files", "-z").split("\0")) - {""}
    assert set(index_names((folder / ".git/index").read_bytes())) == listed
    ignores = Ignores(DiskTree(str(folder)))
    assert ignores.tracked("kept.env") is True and ignores.tracked("lost.env") is False
    assert not ignores.ignored("kept.env") and ignores.ignored("lost.env")


def test_rules_above_the_root_count_and_nothing_else_there(tree: Write) -> None:
    folder = tree({".gitignore": "app/*.env\n", "app/x.env": "", "app/y": "", "other": ""})
    git(folder, "init", "-q")
    assert paths(folder / "app") == {"x.env": True, "y": False}


def test_outside_of_git_nothing_is_tracked(tree: Write) -> None:
    assert Ignores(DiskTree(str(tree({"a": ""})))).tracked("a") is None


@pytest.mark.parametrize("data", [b"", b"DIRC", b"DIRC\0\0\0\x02\0\0\0\x09", b"DIRC\0\0\0\x09\0\0\0\0", b"\xff" * 90])
def test_a_broken_index_is_an_error_and_no_answer(data: bytes, tmp_path: Path) -> None:
    with pytest.raises((ValueError, IndexError)):
        index_names(data)


def test_links_devices_and_pipes(tree: Write, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.env"
    outside.write_text("A=1")
    folder = tree({"real.env": "A=1"})
    (folder / "out.env").symlink_to(outside)
    (folder / "in.env").symlink_to("real.env")
    (folder / "loop.env").symlink_to("loop.env")
    (folder / "null.env").symlink_to("/dev/null")
    (folder / "here").symlink_to(".")
    os.mkfifo(folder / "pipe.env")
    assert set(paths(folder)) == {"real.env", "in.env"}
    on_disk = DiskTree(str(folder))
    assert on_disk.read("in.env") == b"A=1"
    for name in ("out.env", "loop.env", "null.env", "pipe.env", "missing"):
        with pytest.raises(Unreadable):
            on_disk.read(name)
    assert not on_disk.exists("../outside") and not on_disk.exists("out.env") and not on_disk.exists("/etc/passwd")


def test_limits_and_encodings(tree: Write) -> None:
    folder = tree({"big": "x" * 2000})
    with pytest.raises(Unreadable, match="larger"):
        DiskTree(str(folder)).read("big", 1000)
    assert decode(b"\xef\xbb\xbfA=1") == "A=1"
    for data in (b"\xff\xfeA\0", b"A\0B", b"\xc3\x28"):
        with pytest.raises(Unreadable):
            decode(data)


def test_a_production_file_that_is_no_file_breaks_the_run(tree: Write) -> None:
    from elo_gate import gate

    folder = tree({"compose.production.yaml": "services: {a: {image: 'ghcr.io/a/b:1', restart: always}}\n"})
    os.mkfifo(folder / ".env.production")
    (folder / ".env.example").symlink_to("/etc/passwd")
    (folder / "Dockerfile").symlink_to("/etc/passwd")
    run = gate.run(str(folder), as_of="2026-11-25")
    assert run.verdict.word == "broken"
    assert [reason.partition(":")[0] for reason in run.verdict.reasons] == [".env.production", "Dockerfile"]
    assert "leads out of the tree" in run.verdict.reasons[1]
