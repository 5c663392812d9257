"""Ignore files: the git dialect against git itself, the docker dialect against cases worked out from Docker's rules."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elo_gate.syntax.ignore import Patterns, Tree

git_needed = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

FOLDERS = ["a", "b", "ab", ".x", "a/a", "a/b", "b/ab", "ab/.x", "a/b/a", "a/a/a", "b/ab/a d"]
FILES = ["c", "a.c", "a b", "[a]", "!c", "#c", "c\\", "z-", "-", "]", "^", "é"]


class Checkout:
    """An empty git repository with a fixed tree; says what git says."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {
            **os.environ, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(root), "GIT_CONFIG_GLOBAL": "/dev/null",
        }  # fmt: skip
        self.paths: dict[str, bool] = {}
        for folder in FOLDERS:
            (root / folder).mkdir(parents=True, exist_ok=True)
            self.paths[folder] = True
        for folder in ["", *FOLDERS]:
            for name in FILES:
                path = f"{folder}/{name}" if folder else name
                (root / path).write_text("")
                self.paths[path] = False
        subprocess.run(["git", "init", "-q", "."], cwd=root, check=True, env=self.environment)
        (root / ".git" / "info" / "exclude").unlink(missing_ok=True)

    def ignored(self, files: dict[str, str]) -> dict[str, bool]:
        for folder, text in files.items():
            (self.root / folder / ".gitignore").write_bytes(text.encode())
        try:
            answer = subprocess.run(
                ["git", "-c", "core.ignorecase=false", "check-ignore", "--no-index", "-v", "-n", "-z", "--stdin"],
                cwd=self.root,
                input="\0".join(self.paths).encode(),
                capture_output=True,
                env=self.environment,
                check=False,
            )
            assert answer.returncode in (0, 1), answer.stderr
        finally:
            for folder in files:
                (self.root / folder / ".gitignore").unlink()
        fields = answer.stdout.decode().split("\0")[:-1]
        return {
            path: pattern != "" and not pattern.startswith("!")
            for pattern, path in zip(fields[2::4], fields[3::4], strict=True)
        }


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("checkout"))


def agree(checkout: Checkout, files: dict[str, str]) -> None:
    tree = Tree((folder, Patterns(text, folder)) for folder, text in files.items())
    ours = {path: tree.ignored(path, is_dir) for path, is_dir in checkout.paths.items()}
    theirs = checkout.ignored(files)
    assert {path: ours[path] for path in theirs} == theirs


PATTERN = st.one_of(
    st.text(alphabet="abcxz.*?/\\[]!^-# é:", min_size=1, max_size=8),
    st.lists(
        st.sampled_from([
             "a", "b", "ab", "c", "*", "**", "/", "/**/", "**/", "?", "[a-c]", "[!a]", "[[:alpha:]]", ".", "\\a", " ",
             "\\ ", "[", "]", "!", "-", "a*", "*c", "***", "[]a]", "[a-", "\\", "[^]]",
        ]),
        min_size=1,
        max_size=6,
    ).map("".join),
)  # fmt: skip
TEXT = st.lists(st.tuples(st.sampled_from(["", "", "", "!", "/"]), PATTERN).map("".join), max_size=6).map("\n".join)


@git_needed
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXT, inner=TEXT)
def test_git_agrees(checkout: Checkout, text: str, inner: str) -> None:
    agree(checkout, {"": text, "a": inner})


@git_needed
@pytest.mark.parametrize(
    "text",
    [
        "a", "a/", "/a", "a/b", "/a/b/", "**/a", "a/**", "a/**/a", "**/a/**", "**", "*", "/*", "*/", "*.c", ".x*", "a*c",
        "***/a", "a***", "a**/a", "b/**b/a", "\\!c", "\\#c", "#c", "!c\nc", "c\n!c", "a\n!a/b", "a/*\n!a/b", "*\n!*/\n!c",
        "[a-c]", "[!a-c]", "[^a]*", "[]-]", "[]]", "[[:upper:][:lower:]]", "[[:nope:]]", "[a", "a[", "[z-a]", "\\[a\\]",
        "c\\\\", "c\\", "a b", "a b  ", "a\\ b", "a b\\ ", "c ", "c\\ ", "\tc", "c\r\na\r", "\ufeffc", "\\", "!", "/", "//a",
        "a//b", "a/b//", "?", "??", "a?c", "a/?", "a\\/b", "**\\/c", "é", "?\n!é", "[é]", "--\n-", "z-", "a/**/", "**/", "/**",
        "**/**", "a/**/**/a", "a/**b", "*a*b*", "a/*/a", "b/a*/a b", "?\\/**/?", "/-**", "./a", "a/.", "a/../b",
    ],
)  # fmt: skip
def test_git_agrees_by_hand(checkout: Checkout, text: str) -> None:
    agree(checkout, {"": text})
    agree(checkout, {"a": text, "": "!c\n*.c"})


def test_match_tells_three_states() -> None:
    patterns = Patterns("*.log\n!keep.log\nbuild/\n")
    assert patterns.match("x.log") is True
    assert patterns.match("deep/keep.log") is False
    assert patterns.match("x.txt") is None
    assert patterns.match("build", is_dir=True) is True
    assert patterns.match("build") is None
    assert patterns.match("build/x") is None
    assert patterns.ignored("build/x")


def test_base_limits_the_reach() -> None:
    patterns = Patterns("/x\ny", "apps/web")
    assert patterns.match("x") is None
    assert patterns.match("apps/web/x") is True
    assert patterns.match("apps/web/z/x") is None
    assert patterns.match("apps/web/z/y") is True


def test_tree_keeps_what_lies_below_an_ignored_folder_ignored() -> None:
    tree = Tree([("", Patterns("out"))])
    assert tree.ignored("out/keep")
    tree.add("out", Patterns("!keep", "out"))
    assert tree.ignored("out/keep")
    tree.add("src", Patterns("!out", "src"))
    assert not tree.ignored("src/out/keep")


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("node_modules", "node_modules", True),
        ("node_modules", "node_modules/x/y", True),
        ("node_modules", "apps/node_modules/x", None),
        ("**/node_modules", "apps/node_modules/x", True),
        ("**/node_modules", "node_modules", True),
        ("/foo/bar", "foo/bar", True),
        ("foo/bar/", "foo/bar/x", True),
        ("./foo", "foo", True),
        ("../foo", "foo", True),
        ("*/temp*", "a/temporary", True),
        ("*/temp*", "temporary", None),
        ("*/*/temp*", "a/b/temp", True),
        ("temp?", "tempa", True),
        ("temp?", "temp", None),
        ("**/*.go", "x.go", True),
        ("**/*.go", "a/b/x.go", True),
        ("*.md\n!README.md", "README.md", False),
        ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", True),
        ("*.md\nREADME-secret.md\n!README*.md", "README-secret.md", False),
        ("*\n!src", "src/a/b", False),
        ("*\n!src", "other/a", True),
        ("node_modules\n!node_modules/keep", "node_modules/keep/x", False),
        ("  .env*  ", ".env.production", True),
        (".env*", "apps/.env", None),
        ("**/.env*", "apps/.env.local", True),
        ("# comment", "# comment", None),
        (" # no comment", "# no comment", True),
        ("! .env", ".env", False),
        ("[a-c]x", "bx", True),
        ("[^a-c]x", "bx", None),
        ("[!b]x", "bx", True),
        ("a\\*", "a*", True),
        ("a\\*", "ab", None),
        ("**", "a/b", True),
        ("a/**", "a/b", True),
        ("a**b", "a/x/b", True),
        ("**a**b", "ax/ab", True),
        ("x\r\ny\r\n", "x", True),
        (".", "x", None),
        ("/", "x", None),
        ("!", "x", None),
    ],
)
def test_docker_dialect(text: str, path: str, expected: bool | None) -> None:
    assert Patterns(text, dialect="docker").match(path) is expected


def test_vercel_leaves_out_its_own_list() -> None:
    patterns = Patterns("docs\n!.env.local", dialect="vercel")
    assert patterns.ignored("node_modules/x")
    assert patterns.ignored("docs/x")
    assert not patterns.ignored(".env.local")
    assert patterns.ignored(".env.production.local")
    assert not patterns.ignored(".env.production")


@settings(max_examples=300, deadline=None)
@given(
    text=st.text(max_size=60),
    path=st.text(min_size=1, max_size=20),
    dialect=st.sampled_from(["git", "docker", "vercel"]),
)
def test_any_text_is_read(text: str, path: str, dialect: str) -> None:
    assert Patterns(text, dialect=dialect).match(path) in (True, False, None)


@pytest.mark.parametrize("dialect", ["git", "docker"])
@pytest.mark.parametrize(
    "pattern", ["*a" * 40 + "b", "**/" + "*a/" * 20 + "b", "**/a" * 40 + "/b", "**a" * 30 + "b", "a**" * 30 + "/b"]
)
def test_many_stars_do_not_hang(pattern: str, dialect: str) -> None:
    patterns = Patterns(pattern, dialect=dialect)
    assert patterns.match("a" * 400) is None
    assert patterns.match("a/" * 200 + "c") is None
