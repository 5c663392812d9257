"""The reader of shell scripts: commands with their words, conditions and options, exact places, any text."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from elo_gate.model import Source
from elo_gate.syntax import shell
from elo_gate.syntax.shell import script as nouns
from elo_gate.syntax.shell.sound import is_sound

PIECES = [
    "'", '"', "`", "$(", ")", "${", "}", "${A:-", "$A/", "$1", "\\", "\n", ";", "|", "||", "&&", "&", "if ", "then ", "fi\n",
    "for x in ", "do ", "done\n", "case ", "in ", "esac\n", "{ ", "f() ", "<<EOF\n", "EOF\n", "<<< ", "> ", "2>&1", "<(", "((",
    "[[ ", " ]]", "set -e\n", "pg_dump ", "A=", "arr=(", "#", " ", "é", "\r\n", "\0", "!", "*.gz", "ssh h '", "trap '",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=25).map("".join)


def read(text: str) -> shell.Script:
    script = shell.parse(Source("x.sh", text))
    assert not script.problems, [problem.message for problem in script.problems]
    return script


def words(text: str) -> list[list[str]]:
    return [[word.text for word in command.words] for command in read(text).commands if not command.within]


@given(TEXTS)
@example("$A/$B/c")
@example('"é$A" > "$B/é"')
@example("x=$(a $(b `c`))\n")
@settings(max_examples=300)
def test_any_text_is_read_with_places_inside_of_it(text: str) -> None:
    source = Source("x.sh", text)
    script = shell.parse(source)
    is_sound(text)
    for problem in script.problems:
        assert 0 <= problem.start <= problem.end <= len(text)
    for command in script.commands:
        assert 0 <= command.start <= command.end <= len(text)
        for word in [*command.words, *(redirect.target for redirect in command.redirects)]:
            assert 0 <= word.start <= word.end <= len(text)
            at = word.start
            for piece in word.pieces:
                assert at <= piece.start <= piece.end <= word.end
                at = piece.end
                if piece.kind is nouns.TEXT and not piece.quoted and "\\" not in text:
                    assert text[piece.start : piece.end] == piece.text
            script.value(word)
        for body in command.heredocs:
            assert 0 <= body.start <= body.end <= len(text)
    for every in script.assignments.values():
        for each in every:
            assert 0 <= each.start <= each.end <= len(text)


@given(
    st.sampled_from(["(", "$(", "{ ", "if ", '"$(', "`", "${a:-", "a=(", "! ", "f() ", "a && ", "a | ", "[[ ( "]),
    st.integers(1, 5000),
)
@settings(max_examples=40)
def test_deep_nesting_ends(piece: str, count: int) -> None:
    shell.parse(Source("x.sh", piece * count + "a"))


PLAIN = st.lists(
    st.sampled_from(["a", "-b", "'c d'", '"e f"', '"$A"', "$A", "${A}x", "$A/$B/c", '"$A/"$B', "\\$A", "'$A'", '"\\$A"', "a\\ b",
                     '"a\\"b"', "x=y", "--p=$A", "é", "$A$B", "./*", "''", '""', "a#b", "$B.gz"]),
    min_size=1, max_size=8,
)  # fmt: skip


@given(PLAIN)
@settings(max_examples=60)
def test_words_are_those_of_bash(parts: list[str]) -> None:
    """bash splits the same line into the same words, once the variables are put in."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash to compare with")
    line = "printf '%s\\0' " + " ".join(parts)
    script = read(f"A=one\nB=two\n{line}\n")
    ours = [script.value(word).text for word in script.commands[-1].words[2:]]
    told = subprocess.run([bash, "-fc", f"A=one\nB=two\n{line}"], capture_output=True, check=True).stdout
    assert ours == told.decode().split("\0")[:-1]


def test_a_word_that_the_grammar_cuts_in_two_is_one() -> None:
    assert words("rsync -a $A/$B/ ${C}/$D/x") == [["rsync", "-a", "$A/$B/", "${C}/$D/x"]]
    script = read('A=/b\nF="$A"/$(date +%F)/x.gz\npg_dump > $F\n')
    assert script.value(script.commands[-1].redirects[0].target).text == "/b/*/x.gz"


def test_values_follow_straight_lines_only() -> None:
    text = """
    A=one
    B=$A/two
    A=three
    echo "$A" "$B" "${C:-four}" "${A:?}" "${A%e}"
    if x; then D=five; fi
    echo "$D"
    for E in a b; do echo "$E"; done
    F=six; f() { local G=$F; echo "$G" "$1"; }
    read H; echo "$H"
    G+=x; echo "$G"
    if y; then I=seven; echo "$I"; fi
    J=eight cmd "$J"
    """
    script = read(text)
    echoed = [
        [script.value(word).text for word in each.words[1:]] for each in script.commands if each.name in ("echo", "cmd")
    ]
    assert echoed == [
        ["three", "one/two", "four", "three", "*"],
        ["*"],
        ["*"],
        ["six", "*"],
        ["*"],
        ["*"],
        ["seven"],
        ["*"],
    ]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("#!/bin/bash -e\npg_dump", {"errexit"}),
        ("# x\n#!/bin/bash -e\npg_dump", set()),
        ("set -euo pipefail\npg_dump", {"errexit", "nounset", "pipefail"}),
        ("set -o errexit -o pipefail\npg_dump", {"errexit", "pipefail"}),
        ("set -e\nset +e\npg_dump", set()),
        ("pg_dump\nset -e", set()),
        ("(set -e; x)\npg_dump", set()),
        ("x && set -e\npg_dump", set()),
        ("set -- -e\npg_dump", set()),
        ("source lib.sh\npg_dump", {"sourced"}),
        (". ./.env\npg_dump", set()),
        ("f() { pg_dump; }\nset -e\nf", {"errexit"}),
        ("f() { set -e; pg_dump; }\nf", {"errexit"}),
        ("f() { pg_dump; }\nf\nset -e", set()),
    ],
)
def test_options_in_force(text: str, options: set[str]) -> None:
    script = read(text)
    dump = next(command for command in script.commands if command.name == "pg_dump")
    assert set(dump.options) == options


def test_conditions_and_pipes() -> None:
    script = read("a | b && c || { d; e; }\nif ! f | g; then h; fi\ni |& j > k || exit 1\nl &\nwhile m; do n; done\n")
    by = {command.name: command for command in script.commands}
    assert [each.name for each in by["a"].after] == ["b"]
    assert [each.name for each in by["a"].otherwise] == ["d", "e"]
    assert by["c"].needs == "&&" and by["c"].tested == "||"
    assert by["f"].tested == "!" or by["f"].tested == "if"
    assert by["h"].branch and not by["h"].tested
    assert by["j"].before == [by["i"]] and by["j"].redirects[0].target.text == "k"
    assert by["l"].background
    assert by["m"].tested == "while" and by["n"].branch


def test_what_is_no_shell_is_fatal() -> None:
    for text in ("if x; then y", 'echo "abc', "f() { a; ", "case a in b) c;; ", "x=$(a", "for i in a; do x"):
        assert any(problem.fatal for problem in shell.parse(Source("x.sh", text)).problems), text


def test_what_only_the_grammar_does_not_know_is_not_fatal() -> None:
    for text in ("for file do\n  echo $file\ndone\npg_dump x\n", "for i\ndo\n  echo $i\ndone\n"):
        assert is_sound(text)
        assert not any(problem.fatal for problem in shell.parse(Source("x.sh", text)).problems)
