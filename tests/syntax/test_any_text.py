"""Any text in: every reader returns, with nodes and problems inside the text and no value in its words."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elo_gate.model import ABSENT, UNKNOWN, Node, Problem, Source, walk
from elo_gate.syntax import command, dockerfile, dotenv, ignore, javascript, json, toml, yaml

SECRET = "hunter2"  # stands in the samples; no problem's words may repeat it

Answer = tuple[Iterable[Node], Iterable[Problem]]


def read_yaml(source: Source) -> Answer:
    documents, problems = yaml.parse(source)
    for start, end in yaml.comments(source, documents):
        assert source.text[start] == "#" and "\n" not in source.text[start:end]
    return documents, problems


def read_json(source: Source) -> Answer:
    lenient, _ = json.parse(source, comments=True)
    root, problems = json.parse(source)
    assert bool(lenient) >= bool(root)
    return [root, lenient], problems


def read_toml(source: Source) -> Answer:
    for start, end in toml.comments(source):
        assert source.text[start] == "#" and "\n" not in source.text[start:end]
    root, problems = toml.parse(source)
    return [root], problems


def read_dotenv(dialect: str) -> Callable[[Source], Answer]:
    def read(source: Source) -> Answer:
        root, problems = dotenv.parse(source, dialect)
        values = dotenv.expand(root, {"HOME": "/root", "ELSEWHERE": Node(UNKNOWN, "?", source, 0, 0)})
        return [root, *(value for value in values.values() if isinstance(value, Node))], problems

    return read


def read_dockerfile(source: Source) -> Answer:
    file = dockerfile.parse(source)
    return [file.root, *file.directives.values()], file.problems


def read_javascript(source: Source) -> Answer:
    module = javascript.evaluate(source, read=lambda path: None)
    nodes = [module.default, *module.exports.values(), *module.outside]
    return [*nodes, module.result(module.default)], module.problems


def read_command(source: Source) -> Answer:
    for each in command.parse(source.text):
        for word in each.words:
            assert 0 <= word.start <= word.end <= len(source.text)
    return [], []


def read_ignore(source: Source) -> Answer:
    for dialect in (ignore.GIT, ignore.DOCKER, ignore.VERCEL):
        ignore.Patterns(source.text, dialect=dialect).match("a/b c/.env", is_dir=False)
    return [], []


SAMPLES: dict[str, tuple[Callable[[Source], Answer], str]] = {
    "yaml": (
        read_yaml,
        "%YAML 1.2\n---\na: &x {b: 'hunter2', c: [1, \"\\u00e9\", ~]} # c\n? d\n: - |\n    hunter2\n  - >-\n   e\n"
        "<<: *x\nf: !t hunter2\n---\ng: *y\n...\n",
    ),
    "json": (
        read_json,
        '{"a": ["hunter2", 1.5e3, true, null, {}], /* c */ "a": "\\u00e9\\ud800", // d\n "b": [1,],}\n',
    ),
    "toml": (
        read_toml,
        'a.b = \'hunter2\' # c\n[c."d"]\ne = [1, {f = 1979-05-27T07:32:00Z}]\n[[g]]\nh = """\nhunter2\\\n x"""\n[c.d]\ni = nan\n',
    ),
    "dotenv, next": (
        read_dotenv("next"),
        "# c\nexport A='hunter2'\nB=\"${A:-x}$C\\n\" # d\nC=`e\nf`\nD: g\nE\n=h\nA=1\n",
    ),
    "dotenv, compose": (
        read_dotenv("compose"),
        "A='hunter2'\nB=\"${A:-${C:?hunter2}}\" # d\nC=$B\nD\nexport E= f #g\n",
    ),
    "dockerfile": (
        read_dockerfile,
        "# syntax=docker/dockerfile:1\nARG A=hunter2\nFROM --platform=$B node:${A:-3} AS build\nRUN --mount=type=secret,id=x a \\\n"
        '  # c\n  && b <<EOF\nhunter2\nEOF\nENV C=\'d e\' F=g\\ h\nCMD ["node", "x"]\nONBUILD COPY --from=build ["a", "b"]\n',
    ),
    "javascript": (
        read_javascript,
        "import a from './b'\nconst c: string = `hunter2${process.env.D ?? 'e'}`\nexport default async (f) => ({ ...a, g: [c, !1, /x/g],"
        " async headers() { return [{ source: '/(.*)', h: c ? 1 : 2 }] } }) satisfies T\n",
    ),
    "command": (read_command, "A=hunter2 sh -c \"b $(c 'd')\" && e > f 2>&1 | g \\\n -h <<X\ni\nX\n"),
    "ignore": (read_ignore, "# c\n!a/**/[!b-c]*.?d\n\\#e\n/f/\ng\\ \n**/[[:alpha:]]h\n"),
}

# What may lead any of them astray.
ODD = st.sampled_from([
    "", " ", "\t", "\n", "\r", "\r\n", "\\", "\\\n", "'", '"', "`", "'''", '"""', "{", "}", "[", "]", "(", ")", "<<EOF", "<<", "$", "${",
    "${A", "$(", "#", "//", "/*", "*/", "=", ":", ": ", ",", "- ", "? ", "&a ", "*a", "!", "|", ">", "---\n", "...", "%", "@", ";", "\x00",
    "\x07", "\x0b", "\x0c", "\x85", "\u2028", "\ufeff", "\ud800", "\U0001f600", "é", "0", "1e999", "-", "[" * 60, "{a:" * 60, "(" * 60, "- " * 60,
])  # fmt: skip


@st.composite
def broken(draw: st.DrawFn, sample: str) -> str:
    """A sample with parts cut out, doubled or put in."""
    text = sample
    for _ in range(draw(st.integers(0, 4))):
        start, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
        end = min(end, start + 20)
        text = text[:start] + draw(st.one_of(ODD, st.just(text[start:end] * 2), st.text(max_size=3))) + text[end:]
    return text


def check(read: Callable[[Source], Answer], text: str) -> None:
    source = Source("file", text)
    nodes, problems = read(source)
    for root in nodes:
        for node in walk(root):
            if node is not ABSENT:
                assert node.source is source
                assert 0 <= node.start <= node.end <= len(text)
    for problem in problems:
        assert 0 <= problem.start <= problem.end <= len(text)
        assert SECRET not in problem.message


@pytest.mark.parametrize("name", SAMPLES)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow]
)
@given(data=st.data())
def test_a_broken_file(name: str, data: st.DataObject) -> None:
    read, sample = SAMPLES[name]
    check(read, data.draw(broken(sample)))


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
@given(text=st.one_of(st.text(max_size=40), st.lists(ODD, max_size=12).map("".join)))
def test_any_text(name: str, text: str) -> None:
    check(SAMPLES[name][0], text)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(
    "unit",
    [
        "[", "{", "(", "- ", "? ", ": ", "a: ", "{a:", '{"a":', "[a: ", "a.", "[[", "'", '"', "`", "\\", "\\\n", "${", "${A:-", "$(", "<<A\n", "#",
        "# ", "/*", "//", "&a ", "*a ", "!a ", "*", "**/", "*a", "[!", "a=", "a=1\n", "A=$A", "\n", " ", "\t", "---\n", "\r", "\ufeff", "FROM a\n",
        "RUN <<A ", "ONBUILD ", "=>", "!", "a?", "a?.", "...", "`${", "<a>", "f(", "if(a)", "-", "export ",
    ],
)  # fmt: skip
def test_one_thing_again_and_again(name: str, unit: str) -> None:
    check(SAMPLES[name][0], unit * (6_000 // len(unit)))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_are_read(name: str) -> None:
    check(*SAMPLES[name])
    check(SAMPLES[name][0], "")
