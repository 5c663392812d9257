"""The Dockerfile reader: BuildKit's grammar by hand, spans by slicing, two other parsers as oracles where they are right."""

from __future__ import annotations

import io
import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elo_gate.model import Node, Source, walk
from elo_gate.syntax.dockerfile import Dockerfile, Instruction, parse
from elo_gate.syntax.dockerfile_variables import expand


def read(text: str) -> Dockerfile:
    return parse(Source("Dockerfile", text))


def words(instruction: Instruction) -> list[str]:
    return [node.value for node in instruction.args]


def pairs(instruction: Instruction) -> list[tuple[str, str | None]]:
    return [(key.value, value.value) for key, value in instruction.pairs]


def only(text: str) -> Instruction:
    """The last instruction of a text that has a FROM put before it."""
    file = read("FROM x\n" + text)
    assert not file.problems, [problem.message for problem in file.problems]
    return file.instructions[-1]


def sliced(node: Node) -> str:
    return node.source.text[node.start : node.end]


# By hand.


def test_directives_stand_first_and_are_no_comments() -> None:
    file = read("# syntax=docker/dockerfile:1\n# escape=`\n# note\nFROM x\nRUN a `\n b\n")
    assert {name: sliced(node) for name, node in file.directives.items()} == {
        "syntax": "docker/dockerfile:1", "escape": "`",
    }  # fmt: skip
    assert [file.root.source.text[start:end] for start, end in file.comments] == ["# note"]
    assert words(file.instructions[1]) == ["a  b"]


def test_a_comment_ends_the_directives() -> None:
    file = read("# hello\n# escape=`\nFROM x\nRUN a `\n")
    assert file.escape == "\\"
    assert len(file.comments) == 2


def test_continuations_hold_comments_and_blank_lines() -> None:
    file = read("FROM x\nRUN one \\\n  # why\n\n  two && \\\r\n\tthree\nUSER 1\n")
    assert [instruction.name for instruction in file.instructions] == ["FROM", "RUN", "USER"]
    assert words(file.instructions[1]) == ["one   two && \tthree"]
    assert [file.root.source.text[start:end] for start, end in file.comments] == ["# why"]


def test_an_escaped_escape_continues_nothing() -> None:
    file = read("FROM x\nRUN dir c:\\\\\nUSER 1\n")
    assert [instruction.name for instruction in file.instructions] == ["FROM", "RUN", "USER"]


def test_blanks_may_follow_a_continuation() -> None:
    assert words(only("RUN a \\ \t\n b\n")) == ["a  b"]


def test_from_takes_flags_and_a_name() -> None:
    instruction = read("FROM --platform=$BUILDPLATFORM node:24-alpine AS deps\n").instructions[0]
    assert words(instruction) == ["node:24-alpine", "AS", "deps"]
    assert sliced(instruction.flag("platform")) == "$BUILDPLATFORM"


def test_copy_takes_every_flag() -> None:
    instruction = only("COPY --from=deps --chown=1001:0 --link --exclude=*.md --exclude=x a b /to/\n")
    assert [(key.value, value.value) for key, value in instruction.flags] == [
        ("from", "deps"), ("chown", "1001:0"), ("link", None), ("exclude", "*.md"), ("exclude", "x"),
    ]  # fmt: skip
    assert sliced(instruction.flag("link")) == "link"
    assert words(instruction) == ["a", "b", "/to/"]


def test_run_mounts_keep_their_quotes() -> None:
    instruction = only('RUN --mount=type=secret,id="a b" --network=none npm ci\n')
    assert sliced(instruction.flag("mount")) == 'type=secret,id="a b"'
    assert words(instruction) == ["npm ci"]


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ('CMD ["node", "server.js"]', "exec", ["node", "server.js"]),
        ('CMD [ "a\\tb" , "\\u00e9" ]', "exec", ["a\tb", "é"]),
        ("CMD []", "exec", []),
        ("CMD ['node', 'server.js']", "shell", ["['node', 'server.js']"]),
        ('CMD ["node", "server.js",]', "shell", ['["node", "server.js",]']),
        ('CMD ["node"] && x', "shell", ['["node"] && x']),
        ('CMD ["C:\\x"]', "shell", ['["C:\\x"]']),
        ("CMD node server.js", "shell", ["node server.js"]),
        ('RUN [ "$A" = b ] || exit 1', "shell", ['[ "$A" = b ] || exit 1']),
        ('CMD ["node", \\\n  "server.js"]', "exec", ["node", "server.js"]),
    ],
)
def test_exec_form_falls_back_to_shell_form(text: str, form: str, expected: list[str]) -> None:
    instruction = only(text + "\n")
    assert (instruction.form, words(instruction)) == (form, expected)


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("ENV A=b C='d e' F=\"g h\" I=j\\ k", "", [("A", "b"), ("C", "'d e'"), ("F", '"g h"'), ("I", "j\\ k")]),
        ("ENV OLD style value", "legacy", [("OLD", "style value")]),
        ("ENV A=b \\\n    C=d", "", [("A", "b"), ("C", "d")]),
        ("ENV A=", "", [("A", "")]),
        ("ARG A", "", [("A", None)]),
        ("ARG A=1 B", "", [("A", "1"), ("B", None)]),
        ("LABEL a.b=c", "", [("a.b", "c")]),
        ('ENV A="x \\\n  y"', "", [("A", '"x   y"')]),
    ],
)
def test_pairs(text: str, form: str, expected: list[tuple[str, str | None]]) -> None:
    instruction = only(text + "\n")
    assert (instruction.form, pairs(instruction)) == (form, expected)


def test_heredoc_bodies_are_no_instructions() -> None:
    file = read("FROM x\nRUN <<EOF\nUSER root\n\n# text\nEOF\nUSER 1\n")
    assert [instruction.name for instruction in file.instructions] == ["FROM", "RUN", "USER"]
    (heredoc,) = file.instructions[1].heredocs
    assert sliced(heredoc.body) == "USER root\n\n# text\n"
    assert heredoc.expand
    assert not file.comments


def test_several_heredocs_of_every_kind() -> None:
    file = read("FROM x\nCOPY <<A <<-'B C' 3<<\"D\" /to/\none\nA\n\ttwo\n\tB C\nD\nUSER 1\n")
    copy = file.instructions[1]
    assert [(doc.name, doc.expand, doc.strip, sliced(doc.body)) for doc in copy.heredocs] == [
        ("A", True, False, "one\n"), ("B C", False, True, "\ttwo\n"), ("D", False, False, ""),
    ]  # fmt: skip
    assert file.instructions[2].name == "USER"


def test_heredoc_with_windows_line_ends() -> None:
    file = read("FROM x\r\nRUN <<EOF\r\nUSER root\r\nEOF\r\nUSER 1\r\n")
    assert [instruction.name for instruction in file.instructions] == ["FROM", "RUN", "USER"]
    assert sliced(file.instructions[1].heredocs[0].body) == "USER root\r\n"


@pytest.mark.parametrize("text", ["RUN cat <<< word", "RUN echo $((1<<3))", 'RUN echo "<<EOF"', "RUN echo a<<b"])
def test_what_is_no_heredoc(text: str) -> None:
    assert not only(text + "\n").heredocs


def test_an_open_heredoc_is_fatal() -> None:
    (problem,) = read("FROM x\nRUN <<EOF\nUSER root\n").problems
    assert (problem.code, problem.fatal) == ("unterminated-heredoc", True)


def test_healthcheck() -> None:
    instruction = only("HEALTHCHECK --interval=5s CMD curl -f x || exit 1\n")
    assert (instruction.kind.value, instruction.form, words(instruction)) == ("CMD", "shell", ["curl -f x || exit 1"])
    assert only("HEALTHCHECK none\n").kind.value == "none"
    assert words(only('HEALTHCHECK CMD ["a", "b"]\n')) == ["a", "b"]


def test_onbuild_keeps_the_flags_of_its_instruction() -> None:
    inner = only("ONBUILD RUN --mount=type=cache,target=/x npm ci\n").inner
    assert inner is not None
    assert (inner.name, sliced(inner.flag("mount")), words(inner)) == ("RUN", "type=cache,target=/x", ["npm ci"])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("FROM x\nFETCH y\n", "unknown-instruction"),
        ("FROM x\n&& npm ci\n", "unknown-instruction"),
        ("FROM\n", "syntax"),
        ("FROM a b\n", "syntax"),
        ("FROM x\nENV A\n", "syntax"),
        ("FROM x\nENV A=b c\n", "syntax"),
        ("FROM x\nONBUILD ONBUILD RUN y\n", "syntax"),
        ("FROM x\nSHELL bash\n", "syntax"),
        ("FROM x\nHEALTHCHECK curl y\n", "syntax"),
        ("RUN x\nFROM y\n", "syntax"),
        ("", "syntax"),
        ("# escape=x\nFROM y\n", "syntax"),
    ],
)
def test_problems(text: str, code: str) -> None:
    problems = read(text).problems
    assert [problem.code for problem in problems] == [code]
    assert not problems[0].fatal


# Expansion.

VARIABLES: dict[str, str | None] = {"A": "a", "EMPTY": "", "SECRET": None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$A-${A}", "a-a"),
        ("${A:-d}", "a"),
        ("${NO:-d}", "d"),
        ("${EMPTY:-${A}b}", "ab"),
        ("${A:+y}", "y"),
        ("${NO:+y}", ""),
        ("${NO:+$SECRET}", ""),
        ("${A:-$SECRET}", "a"),
        ("${NO:-$SECRET}", None),
        ("$SECRET", None),
        ("x${SECRET}y", None),
        ("${NO-d}", None),
        ("${A-d}", "a"),
        ("${A#x}", None),
        ("${A", None),
        ("'$A'", "$A"),
        ('"$A b"', "a b"),
        ("\\$A", "$A"),
        ('"\\$A\\n"', "$A\\n"),
        ("a\\ b", "a b"),
        ("$", "$"),
        ('"open', None),
        ("${A:?message}", "a"),
        ("${NO:?message}", None),
    ],
)
def test_expand(text: str, expected: str | None) -> None:
    assert expand(text, lambda name: VARIABLES.get(name, "")) == expected


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="$A{}:-+?\"'\\ x`", max_size=20))
def test_expand_takes_any_text(text: str) -> None:
    expand(text, lambda name: VARIABLES.get(name, ""))


def test_expand_does_not_recurse_without_end() -> None:
    assert expand("${A:+" * 5000 + "}" * 5000, lambda name: "a") is None


# Properties.

LINES = st.sampled_from(
    ["FROM x", "FROM --platform=linux/amd64 node:24 AS b", "RUN npm ci", "RUN a \\", "  # c", "", "# c", "ENV A=b C=\"d e\"",
     "ENV A b c", "COPY --from=b /a /b", "RUN <<EOF", "EOF", "COPY <<-'E' <<F /x", "\tE", "F", "CMD [\"a\", \"b\"]",
     "CMD [\"a\", \\", "\"b\"]", "ONBUILD RUN x", "HEALTHCHECK --timeout=1s CMD a", "USER $X", "LABEL", "NOPE x", "\\",
     "EXPOSE 80/tcp 443", "ARG A=1 B", "RUN --mount=type=cache,target=/x y", "éA ü", "\r", "   WORKDIR /a b "]
)  # fmt: skip
TEXT = st.one_of(
    st.text(max_size=80),
    st.lists(LINES, max_size=12).map("\n".join),
    st.lists(LINES, max_size=12).map("\r\n".join),
    st.text(alphabet="FROM RUNENV\\\n\"'[]=<-#, a$", max_size=80),
)


def joined(text: str, escape: str) -> str:
    """A token as written without its continuations: what the reader should have made of it."""
    out = []
    for line in text.split("\n"):
        bare = line.strip()
        if out and (not bare or bare.startswith("#")):
            continue
        cut = line.rstrip(" \t\r")
        out.append(cut[:-1] if cut.endswith(escape) and cut is not text else line)
    return "".join(out)


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_any_text_is_read_and_spans_slice_back(text: str) -> None:
    file = read(text)
    last = 0
    for instruction in file.instructions:
        assert instruction.node.start >= last
        last = instruction.node.end
        assert joined(sliced(instruction.keyword), file.escape).upper() == instruction.name
        for node in walk(instruction.node):
            if node.kind != "scalar":
                assert instruction.node.start <= node.start <= node.end <= instruction.node.end
                continue
            written = sliced(node)
            if node.style == '"':
                assert written[0] == written[-1] == '"'
            elif "\n" in written:
                assert joined(written, file.escape) == node.value
            else:
                assert written == node.value
    for start, end in file.comments:
        assert text[start] == "#" and "\n" not in text[start:end]
    for problem in file.problems:
        assert 0 <= problem.start <= problem.end <= len(text)


# Oracles.


def containerfile(text: str) -> list[tuple[str, int, list[str]]] | None:
    """(keyword, line, heredoc bodies) as tree-sitter-containerfile sees them, None when it sees an error."""
    tree_sitter = pytest.importorskip("tree_sitter")
    grammar = pytest.importorskip("tree_sitter_containerfile")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    root = parser.parse(text.encode()).root_node
    if root.has_error:
        return None
    found = []
    for node in root.children:
        if not node.type.endswith("_instruction"):
            continue
        bodies: list[str] = []
        stack = [node]
        while stack:
            current = stack.pop()
            if current.type == "heredoc_block":
                content = [part for part in current.children if part.type == "heredoc_content"]
                bodies.append("".join(part.text.decode() for part in content))
            stack.extend(reversed(current.children))
        found.append((node.type.removesuffix("_instruction").upper(), node.start_point[0] + 1, bodies))
    return found


def ours(text: str) -> list[tuple[str, int, list[str]]]:
    source = Source("Dockerfile", text)
    return [
        (item.name, source.position(item.node.start)[0], [doc.body.value for doc in item.heredocs])
        for item in parse(source).instructions
    ]


# The cases on which five parsers were compared; the grammar is right on each of them.
CASES = [
    "FROM x\nRUN <<EOF\nUSER root\nEOF\nUSER 1\n",
    "FROM x\nCOPY <<A <<B /d/\nRUN x\nA\nUSER root\nB\nUSER 1\n",
    "FROM x\nRUN a && \\\n\n  # why\n  b\nUSER 1\n",
    "# escape=`\nFROM x\nRUN a `\n  b\nUSER 1\n",
    "FROM alpine:${TAG:-3.20}\nUSER 1\n",
    "FROM x\nONBUILD RUN --mount=type=cache,target=/x npm ci\nUSER 1\n",
    "FROM x\nENV OLD style value\nUSER 1\n",
    "FROM x\r\nRUN a && \\\r\n  b\r\nUSER 1\r\n",
]


@pytest.mark.parametrize("text", CASES)
def test_the_grammar_agrees_on_the_hard_cases(text: str) -> None:
    theirs = containerfile(text)
    assert theirs is not None
    assert [item[:2] for item in ours(text)] == [item[:2] for item in theirs]


SIMPLE = st.sampled_from(
    ["FROM x", "FROM x AS b", "RUN npm ci", "RUN a \\\n  && b", "RUN a \\\n  # c\n  && b", "# c", "ENV A=b C=\"d e\"", "COPY a b /c/",
     "COPY --from=b /a /b", "RUN <<EOF\nUSER root\nEOF", "COPY <<E <<F /x\none\nE\ntwo\nF", "CMD [\"a\", \"b\"]", "USER 1001",
     "HEALTHCHECK --timeout=1s CMD a", "EXPOSE 80 443", "ARG A=1", "WORKDIR /a", "LABEL a=b", "ENTRYPOINT [\"a\"]"]
)  # fmt: skip
FILES = st.lists(SIMPLE, min_size=1, max_size=10).map(lambda lines: "FROM x\n" + "\n".join(lines) + "\n")


@settings(max_examples=200, deadline=None)
@given(FILES)
def test_the_grammar_agrees(text: str) -> None:
    theirs = containerfile(text)
    if theirs is not None:
        assert [(name, line, bodies) for name, line, bodies in ours(text)] == theirs


@settings(max_examples=100, deadline=None)
@given(FILES)
def test_dockerfile_parse_agrees_where_it_is_right(text: str) -> None:
    module: Any = pytest.importorskip("dockerfile_parse")
    if "<<" in text or "\\\n  #" in text:
        return  # it takes heredoc bodies and comments inside continuations for instructions
    theirs = module.DockerfileParser(fileobj=io.BytesIO(text.encode())).structure
    expected = [(item["instruction"], item["startline"] + 1) for item in theirs if item["instruction"] != "COMMENT"]
    assert [item[:2] for item in ours(text)] == expected
