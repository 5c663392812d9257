"""Text from stdin, `--watch`, progress and completion: what people and editors start again and again."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from elo_gate.gate import UsageError
from elo_gate.start import overlay, progress, watch

Write = Callable[[dict[str, str]], Path]

SOUND = "services:\n  app:\n    image: ghcr.io/acme/app:1.2.3\n    restart: always\n"
PUBLISHED = SOUND + '  db:\n    image: postgres:18.1\n    ports: ["5432:5432"]\n    restart: always\n'
AS_OF = ("--as-of", "2026-11-25")


def call(folder: Path, *words: str, given: str | bytes = "", module: str = "cli") -> subprocess.CompletedProcess[str]:
    data = given.encode() if isinstance(given, str) else given
    done = subprocess.run(
        [sys.executable, "-c", f"from elo_gate.{module} import main; main()", *words], cwd=folder, input=data,
        capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def places(text: str) -> set[tuple[str, str]]:
    return {(each["rule"], each["path"]) for each in json.loads(text)["findings"]}


# -- stdin


def test_stdin_counts_instead_of_the_file(tree: Write) -> None:
    folder = tree({"compose.production.yaml": SOUND})
    done = call(folder, "check", *AS_OF, "-f", "json", "--stdin-filename", "compose.production.yaml", given=PUBLISHED)
    assert done.returncode == 1
    assert ("compose/data-store-published", "compose.production.yaml") in places(done.stdout)
    back = call(tree({"compose.production.yaml": PUBLISHED}), "check", *AS_OF, "--stdin-filename", "compose.production.yaml", given=SOUND)  # fmt: skip
    assert back.returncode == 0


def test_a_file_that_is_not_there_yet(tree: Write) -> None:
    folder = tree({"README.md": "x"})
    done = call(folder, "check", *AS_OF, "-f", "json", "--stdin-filename", "deploy/new/compose.production.yaml", given=PUBLISHED)  # fmt: skip
    assert ("compose/data-store-published", "deploy/new/compose.production.yaml") in places(done.stdout)
    assert not (folder / "deploy").exists()


def test_the_rest_of_the_tree_is_seen_and_not_reported(tree: Write) -> None:
    folder = tree(
        {"other/compose.production.yaml": PUBLISHED, "Dockerfile": "FROM node:24.1.0\nCOPY . .\n", "node_modules/x": ""}
    )
    done = call(
        folder, "check", *AS_OF, "-f", "json", "--stdin-filename", "Dockerfile", given="FROM node:24.1.0\nCOPY . .\n"
    )
    found = places(done.stdout)
    assert found and {path for _, path in found} == {"Dockerfile"}


def test_a_folder_may_be_the_root(tree: Write) -> None:
    folder = tree({"web/compose.production.yaml": SOUND})
    words = ("check", "web", *AS_OF, "-f", "json", "--stdin-filename", "web/compose.production.yaml")
    assert ("compose/data-store-published", "compose.production.yaml") in places(
        call(folder, *words, given=PUBLISHED).stdout
    )


@pytest.mark.parametrize(
    ("words", "given", "says"),
    [
        (("--stdin-filename", "../x.yaml"), "", "outside of what is judged"),
        (("--stdin-filename", "/etc/compose.yaml"), "", "outside of what is judged"),
        (("--stdin-filename", "."), "", "not the name of a file"),
        (("--stdin-filename", ""), "", "not the name of a file"),
        (("--stdin-filename", "compose.yaml"), b"\xff\xfe\x00", "not analysed: UTF-16"),
        (("--stdin-filename", "compose.yaml"), b"a: \xff\n", "not analysed: not UTF-8"),
        (("--stdin-filename", "compose.yaml"), b" " * ((1 << 20) + 1), "larger than 1 MiB"),
        (("--stdin-filename", "compose.yaml", "--watch"), "", "not with --watch"),
        (("compose.yaml", "--stdin-filename", "compose.yaml"), "", "one folder at most"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_from_stdin_is_refused(
    words: tuple[str, ...], given: str | bytes, says: str, tree: Write
) -> None:
    done = call(tree({"compose.yaml": SOUND}), "check", *words, given=given)
    assert done.returncode == 2 and says in done.stderr and done.stdout == ""


def test_the_configuration_holds_for_stdin(tree: Write) -> None:
    folder = tree({"compose.production.yaml": SOUND, "elo-gate.toml": 'exclude = ["old/**"]\n'})
    done = call(
        folder, "check", *AS_OF, "-f", "json", "--stdin-filename", "old/compose.production.yaml", given=PUBLISHED
    )
    assert places(done.stdout) == set()


def test_the_hook_judges_stdin_alone(tree: Write) -> None:
    folder = tree({"compose.production.yaml": SOUND})
    done = call(folder, "--stdin-filename", "compose.production.yaml", given=PUBLISHED, module="hook")
    assert done.returncode == 1 and "compose/data-store-published" in done.stdout
    assert call(folder, "--stdin-filename", "compose.production.yaml", given=SOUND, module="hook").returncode == 0
    assert call(folder, "--stdin-filename", "../x", module="hook").returncode == 2


def test_to_the_hook_a_file_of_that_name_is_a_file(tree: Write) -> None:
    folder = tree({"compose.production.yaml": PUBLISHED, "--stdin-filename": "x"})
    done = call(folder, "--stdin-filename", "compose.production.yaml", given=SOUND, module="hook")
    assert done.returncode == 1, "the file on disk is judged, not stdin"
    alone = call(folder, "--stdin-filename", given=SOUND, module="hook")
    assert alone.returncode == 0


def test_names_of_an_overlay(tree: Write) -> None:
    folder = tree({"a/x.yaml": "1", "link.yaml": "2"})
    (folder / "away.yaml").symlink_to("/etc/hostname")
    made = overlay.Overlay(str(folder), {"a/b/c.yaml": "é", "away.yaml": "3", "a/x.yaml": "4"})
    assert made.names("") == (["away.yaml", "link.yaml"], ["a"])
    assert made.names("a") == (["x.yaml"], ["b"]) and made.names("a/b") == (["c.yaml"], [])
    assert made.exists("a/b/c.yaml") and made.is_folder("a/b") and not made.exists("a/b/d.yaml")
    assert made.read("a/b/c.yaml") == "é".encode() and made.read("a/x.yaml") == b"4" and made.read("away.yaml") == b"3"
    assert made.special == {}


def test_a_folder_may_be_reached_through_a_link(tree: Write) -> None:
    folder = tree({"real/x.yaml": "1"})
    (folder / "link").symlink_to("real")
    assert overlay.below(str(folder), str(folder / "link/y.yaml")) == "real/y.yaml"
    with pytest.raises(UsageError):
        overlay.below(str(folder / "real"), str(folder / "y.yaml"))


# -- watching


class Looks:
    """Instead of sleeping: does the next thing, and ends like Ctrl+C when nothing is left."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        self.steps = list(steps)
        self.pauses: list[float] = []

    def __call__(self, pause: float) -> None:
        self.pauses.append(pause)
        if not self.steps:
            raise KeyboardInterrupt
        self.steps.pop(0)()


def judged(folder: Path, *steps: Callable[[], object], **words: object) -> tuple[int, int]:
    count = 0

    def judge() -> None:
        nonlocal count
        count += 1

    code = watch.watch(judge, str(folder), rest=Looks(*steps), **words)  # type: ignore[arg-type]
    return count, code


def test_a_change_is_judged_again(tree: Write) -> None:
    folder = tree({"a.yaml": "1", ".gitignore": "out/\n", "out/x": "1", "node_modules/y": "1"})
    assert judged(folder) == (1, 130)
    assert judged(folder, lambda: None, lambda: None) == (1, 130)
    assert judged(folder, lambda: (folder / "a.yaml").write_text("22")) == (2, 130)
    assert judged(folder, lambda: (folder / "b.yaml").write_text("1"), (folder / "b.yaml").unlink) == (3, 130)
    assert judged(folder, lambda: (folder / ".gitignore").write_text("out/\n# x\n")) == (2, 130)
    assert judged(
        folder, lambda: (folder / "out/x").write_text("22"), lambda: (folder / "node_modules/y").write_text("22")
    ) == (1, 130)


def test_a_configuration_above_the_root_counts(tree: Write) -> None:
    folder = tree({"apps/web/a.yaml": "1", "elo-gate.toml": ""})
    (folder / ".git").mkdir()
    assert judged(folder / "apps/web", lambda: (folder / "elo-gate.toml").write_text("# x\n")) == (2, 130)


def test_what_it_writes_itself_is_no_change(tree: Write) -> None:
    folder = tree({"a.yaml": "1"})
    report = folder / "report.json"
    assert judged(folder, lambda: report.write_text("1"), written=[str(report)]) == (1, 130)
    assert judged(folder, lambda: report.write_text("22")) == (2, 130)


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "elo_gate", "check", "--watch", *AS_OF, *words], cwd=folder, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def until(stream: object, word: str) -> str:
    said = ""
    while word not in said:
        line = stream.readline()  # type: ignore[attr-defined]
        assert line, said
        said += line
    return said


def test_watching_from_the_command_line(tree: Write) -> None:
    folder = tree({"compose.production.yaml": SOUND})
    process = start(folder, "-f", "concise")
    try:
        assert process.stdout is not None and process.stderr is not None
        until(process.stdout, "Passed")
        until(process.stderr, "watching")
        (folder / "compose.production.yaml").write_text(PUBLISHED)
        assert "compose/data-store-published" in until(process.stdout, "Blocked")
        (folder / "elo-gate.toml").write_text("fail_onn = 1\n")
        assert "did you mean" in until(process.stderr, "did you mean")
        (folder / "elo-gate.toml").unlink()
        until(process.stdout, "Blocked")
        until(process.stderr, "watching")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 130 and "\x1b" not in out
    finally:
        process.kill()
        process.wait()


# -- progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "answer"),
    [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({}, False), ({"TERM": "xterm", "CI": "true"}, False),
     ({"TERM": "xterm", "GITHUB_ACTIONS": "true"}, False), ({"TERM": "xterm", "CI": ""}, True)],
)  # fmt: skip
def test_to_whom_progress_is_shown(environment: dict[str, str], answer: bool) -> None:
    assert progress.wanted(Terminal(), environment) is answer
    assert progress.wanted(io.StringIO(), environment) is False


def test_progress_is_late_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    stream = Terminal()
    line = progress.Progress(stream)
    line.seen(1)
    line.done()
    assert stream.getvalue() == ""
    now = 1.01
    line.seen(700)
    line.seen(701)
    assert stream.getvalue() == "\relo-gate: 700 files read\x1b[K"
    now = 1.2
    line.seen(800)
    line.done()
    assert stream.getvalue().endswith("800 files read\x1b[K\r\x1b[K")


def test_a_run_on_a_terminal_says_the_same(tree: Write) -> None:
    folder = tree({"compose.production.yaml": PUBLISHED})
    plain = call(folder, "check", *AS_OF, "-f", "json")
    parent, child = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "elo_gate", "check", *AS_OF, "-f", "json"], cwd=folder, stdout=subprocess.PIPE,
        stderr=child, text=True, timeout=120, env={**os.environ, "TERM": "xterm", "CI": ""}, check=False,
    )  # fmt: skip
    os.close(child)
    os.close(parent)
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout)


# -- completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_and_starts_nothing(shell: str, tmp_path: Path) -> None:
    done = call(tmp_path, "completion", shell)
    assert done.returncode == 0 and f"_ELO_GATE_COMPLETE={shell}_complete" in done.stdout


def test_words_are_completed(tmp_path: Path) -> None:
    script = "import sys; sys.argv[0] = 'elo-gate'; from elo_gate.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "_ELO_GATE_COMPLETE": "bash_complete", "COMP_WORDS": "elo-gate do", "COMP_CWORD": "1"},
    )  # fmt: skip
    assert "plain,doctor" in done.stdout


# -- the editor's extra


def test_without_its_extra_the_server_says_what_to_install(tmp_path: Path) -> None:
    script = (
        "import importlib.metadata as m\n"
        "def gone(name): raise m.PackageNotFoundError(name)\n"
        "m.version = gone\nimport sys\nsys.argv = ['elo-gate', 'lsp']\nfrom elo_gate.cli import main\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2 and "pip install 'elo-gate[lsp]'" in done.stderr and done.stdout == ""


def test_time_is_not_spent_on_looking(tree: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree({"a.yaml": "1"})
    ticks = iter(range(0, 100, 2))
    monkeypatch.setattr(watch.time, "monotonic", lambda: float(next(ticks)))
    looks = Looks(lambda: None, lambda: None)
    watch.watch(lambda: None, str(folder), rest=looks)
    assert looks.pauses == [watch.EVERY, 2.0 * watch.SHARE, 2.0 * watch.SHARE]
