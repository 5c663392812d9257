"""The env file reader: what each dialect reads, exact spans, and no text that breaks it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elo_gate.model import MAP, SCALAR, UNKNOWN, Node, Source
from elo_gate.syntax import dotenv

PEM = "-----BEGIN PRIVATE KEY-----\nMIIabc\ndef==\n-----END PRIVATE KEY-----"


def read(text: str, dialect: str = "next") -> dict[str, str]:
    root, _ = dotenv.parse(Source(".env", text), dialect)
    return {key.value: value.value for key, value in root.items()}


def codes(text: str, dialect: str = "next") -> list[str]:
    return [problem.code for problem in dotenv.parse(Source(".env", text), dialect)[1]]


def expand(text: str, dialect: str = "next", **environment: str) -> dict[str, str | None]:
    root, _ = dotenv.parse(Source(".env", text), dialect)
    return {name: None if isinstance(v, Node) else v for name, v in dotenv.expand(root, environment).items()}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=1", "1"),
        ("A =  1  ", "1"),
        ("  export A=1", "1"),
        ("A='x # y'", "x # y"),
        ('A="x # y" # z', "x # y"),
        ("A=`x`", "x"),
        ("A=x#y", "x"),
        ("A=# a comment", ""),
        ("A=", ""),
        ('A=""', ""),
        ("A: yaml", "yaml"),
        ("A=it's", "it's"),
        ("A='it''s'", "it''s"),
        ('A={"a": 1, "b": [2]}', '{"a": 1, "b": [2]}'),
        (f'A="{PEM}"', PEM),
        ('A="a\\nb"', "a\nb"),
        ("A='a\\nb'", "a\\nb"),
        ('A="a\\"b"', 'a\\"b'),
        ("A=\n'x'", "x"),
        ("A='x'\r\n", "x"),
        ('A="x\r\ny"', "x\ny"),
        ('A="open', '"open'),
    ],
)
def test_next_reads(text: str, value: str) -> None:
    assert read(text) == {"A": value}
    assert read(f"# before\n\n{text}\nZ=z\n") == {"A": value, "Z": "z"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=x#y", "x#y"),
        ("A=x # y", "x"),
        ("A='x' # y", "x"),
        ("A='$B'", "$B"),
        ('A="a\\nb\\t\\"c\\""', 'a\nb\t"c"'),
        ("A='Let\\'s go'", "Let's go"),
        ("A: yaml", "yaml"),
        ("A:yaml", "yaml"),
        ("export A=1", "1"),
        ('A="two\nlines"', "two\nlines"),
        ('A="\\0101"', "A"),
    ],
)
def test_compose_reads(text: str, value: str) -> None:
    assert read(text, "compose") == {"A": value}


def test_lines_that_are_lost() -> None:
    text = "A=1\nnonsense here\nB=2\n  // a comment of another language\nC=3"
    root, problems = dotenv.parse(Source(".env", text))
    assert [key.value for key, _ in root.value] == ["A", "B", "C"]
    assert [text[p.start : p.end] for p in problems] == ["nonsense here", "// a comment of another language"]
    assert not any(problem.fatal for problem in problems)


def test_the_last_of_two_wins() -> None:
    text = "A=1\nB=2\nA=3"
    root, problems = dotenv.parse(Source(".env", text))
    assert root.get("A").value == "3"
    assert [(p.code, p.start) for p in problems] == [("duplicate-key", text.rindex("A"))]


def test_quotes_that_go_wrong() -> None:
    assert codes('A="open\nB=1') == ["unterminated-quote"]
    assert codes('A="a" b') == ["text-after-quote"]
    assert codes('A="a" # b') == []
    _, problems = dotenv.parse(Source(".env", "A='open\nB=1"), "compose")
    assert [(p.code, p.fatal) for p in problems] == [("unterminated-quote", True)]


def test_problems_quote_no_value() -> None:
    for text in ('PASSWORD="hunter2hunter2', "hunter2hunter2 hunter2", "A='x' hunter2hunter2"):
        for dialect in ("next", "compose"):
            _, problems = dotenv.parse(Source(".env", text), dialect)
            assert not any("hunter2" in problem.message for problem in problems)


def test_a_name_alone_is_inherited_by_compose() -> None:
    root, problems = dotenv.parse(Source(".env", "TOKEN\nA=1"), "compose")
    assert root.get("TOKEN").kind is UNKNOWN
    assert not problems
    assert expand("TOKEN\nA=1", "compose") == {"TOKEN": None, "A": "1"}
    assert expand("TOKEN\nA=1", "compose", TOKEN="t") == {"TOKEN": "t", "A": "1"}
    assert codes("TOKEN\nA=1") == ["syntax"]


def test_expansion_of_next() -> None:
    assert expand("A=1\nB=${A}-$A\nC='$A'")["B"] == "1-1"
    assert expand("A=1\nC='$A'")["C"] == "1"  # single quotes do not protect
    assert expand("B=${NOWHERE:-d}")["B"] == "d"
    assert expand("B=${NOWHERE}x")["B"] is None
    assert expand("B=$NOWHERE", NOWHERE="n")["B"] == "n"
    assert expand("B=a\\$b")["B"] == "a$b"
    assert expand("A=file", A="given")["A"] == "given"
    assert expand("A=$A")["A"] is None  # Next.js recurses until it gives the file up
    assert expand("A=x$B\nB=y$A") == {"A": None, "B": None}


def test_expansion_of_compose() -> None:
    assert expand("A=1\nB=${A}-$A", "compose")["B"] == "1-1"
    assert expand("A=1\nB='$A'", "compose")["B"] == "$A"
    assert expand("B=${N:-a${M:-b}c}", "compose")["B"] == "abc"
    assert expand("A=\nB=${A-d}${A:-e}", "compose")["B"] == "e"
    assert expand("A=1\nB=${A:+yes}${A:?no}", "compose")["B"] == "yes1"
    assert expand("B=${N:?needed}", "compose")["B"] is None
    assert expand("B=a$$b", "compose")["B"] == "a$b"
    assert expand('B="a\\$b"', "compose")["B"] == "a$b"


def test_expansion_does_not_explode() -> None:
    text = "A=" + "x" * 1000 + "\n" + "\n".join(f"B{i}=$B{i - 1}$B{i - 1}$A" for i in range(1, 200))
    for dialect in ("next", "compose"):
        values = expand(text.replace("$B0", "$A"), dialect)
        assert values["B199"] is None
        assert sum(len(v or "") for v in values.values()) < 5_000_000


def test_hostile_texts_are_read_in_linear_time() -> None:
    for text in (
        "\n" * 200_000,
        "A=\n" + " \n" * 100_000 + "x",
        "A='" + "\\'" * 100_000,
        "WORD \n" * 50_000,
        'A="\\"x\n' * 20_000,
        "A=" + "$" * 100_000,
    ):
        for dialect in ("next", "compose"):
            root, _ = dotenv.parse(Source(".env", text), dialect)
            dotenv.expand(root, {})


# What hypothesis writes: mostly lines that look like env files, and any text at all.
_NAME = st.sampled_from(["A", "B", "C_1", "LONG.NAME", "a-b"])
_PIECE = st.sampled_from(
    ["x", "y z", "'", '"', "`", "#", " #", "$", "$A", "${B}", "${C_1:-d}", "${A:-", "}", "\\", "\\n", "\\$", "\\'", '\\"',
     "=", ":", " ", "\t", "\n", "\r\n", "\u2028", "\xa0", "é", "$$", "$&", "{", "1"]
)  # fmt: skip
_VALUE = st.lists(_PIECE, max_size=8).map("".join)
_LINE = st.one_of(
    st.builds(lambda name, value: f"{name}={value}", _NAME, _VALUE),
    st.builds(lambda name, quote, value: f"{name}={quote}{value}{quote}", _NAME, st.sampled_from("'\"`"), _VALUE),
    st.builds(lambda name, value: f"export {name} = {value} # c", _NAME, _VALUE),
    st.builds(lambda name, value: f"{name}: {value}", _NAME, _VALUE),
    st.builds(lambda value: f"# {value}", _VALUE),
    _VALUE,
)
_FILE = st.lists(_LINE, max_size=6).map("\n".join)


@given(st.one_of(_FILE, st.text(max_size=80)), st.sampled_from(["next", "compose"]))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_read(text: str, dialect: str) -> None:
    source = Source(".env", text)
    root, problems = dotenv.parse(source, dialect)
    assert root.kind is MAP
    for key, value in root.value:
        assert text[key.start : key.end] == key.value
        token = text[value.start : value.end]
        assert token == token.strip(" \t\r\n")
        if value.style:
            assert token[0] == token[-1] == value.style
        elif value.kind is SCALAR and not token.startswith(("'", '"', "`")):
            assert token.replace("\r\n", "\n").replace("\r", "\n") == value.value
    for problem in problems:
        assert 0 <= problem.start < problem.end <= len(text)
    for name, found in dotenv.expand(root, {}).items():
        assert name in (root.index or {})
        assert isinstance(found, str) or found.kind is UNKNOWN


@given(_FILE.filter(lambda text: "\r" not in text))
def test_windows_line_ends_change_nothing(text: str) -> None:
    assert read(text.replace("\n", "\r\n")) == read(text)


# The oracle: the package itself, run by node.


def _next_env() -> Path | None:
    places = [os.environ.get("ELO_GATE_NEXT_ENV"), str(Path(__file__).resolve().parents[1] / "node_modules")]
    return next((Path(p) for p in places if p and (Path(p) / "@next" / "env" / "package.json").is_file()), None)


_RUN = """
const env = require(process.argv[1])
const out = []
for (const contents of JSON.parse(require('fs').readFileSync(0, 'utf8'))) {
  for (const name of Object.keys(process.env)) delete process.env[name]
  let failed = false
  const log = { info() {}, error() { failed = true } }
  const [, parsed] = env.processEnv([{ path: '.env', contents, env: {} }], undefined, log, true)
  out.push(failed ? null : parsed)
}
console.log(JSON.stringify(out))
"""

HAND = [
    "N=p#q\nH: yaml\nJ=`back`\nA=1\nC='a $A'\nD=${A}-${MISSING:-def}\nQ=${A:+alt}\nP='it''s'",
    "A=1\nB=${A:-d}\nC=$B costs 5$",
    "A=1\nA=2\nB=$A",
    "B=$A\nA=later",
    "A=x\nAB=y\nC=$AB$A",
    "A=a$$b\nB=$A",
    "A=\n'x'",
    "export A = 1 # c\nexport\nB=2",
    "A='a' 'b'\nB=\"a\" b\nC=\"open\nD='x'",
    f'KEY="{PEM}"\nB=1',
    'JSON={"a":"b"}\nJ2=\'{"a":"b#c"}\'\nJ3="{"a":1}"',
    "A=1\r\nB=\"x\r\ny\"\r\n\r\n# c\r\nC='z'",
    "A=x\u2028B=y\nC='p\u2028q'\u2028D=1",
    "\tA\t=\t1\n\xa0B=2\n=3\n-=4\n.=5",
    "A=\\$x\nB=\"\\\\n\"\nC='\\n'",
]


def test_the_port_reads_what_next_reads() -> None:
    node, package = shutil.which("node"), _next_env()
    if node is None or package is None:
        pytest.skip("needs node and @next/env (ELO_GATE_NEXT_ENV names a node_modules folder)")
    written: list[str] = []

    @given(_FILE)
    @settings(max_examples=2000, database=None, suppress_health_check=list(HealthCheck))
    def write(text: str) -> None:
        written.append(text)

    write()
    files, read_by_us = [], []
    for text in HAND + sorted(set(written)):
        root, _ = dotenv.parse(Source(".env", text))
        # A name the environment does not hold is empty there and unknown here: an empty one is the same to both.
        names = ["A", "B", "C_1", "MISSING", "x", "y", "1"]
        ours = dotenv.expand(root, {name: "" for name in names if name not in (root.index or {})})
        if not any(isinstance(value, Node) for value in ours.values()):  # a loop: node would recurse until it dies
            files.append(text)
            read_by_us.append(ours)
    assert len(files) > 500
    run = subprocess.run(
        [node, "-e", _RUN, str(package / "@next" / "env")],
        input=json.dumps(files), capture_output=True, text=True, check=True,
    )  # fmt: skip
    for text, ours, expected in zip(files, read_by_us, json.loads(run.stdout), strict=True):
        assert ours == expected, text
