"""vercel.json: its views, and what its rules must and must not say about files as people write them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elo_gate.checks import vercel_crons, vercel_globs
from elo_gate.examples import artifact_of
from elo_gate.kinds import vercel
from elo_gate.model import Artifact, Source


def artifact(text: str, path: str = "vercel.json") -> Artifact:
    made = Artifact(Source(path, text), "vercel")
    vercel.load(made)
    return made


class Tree:
    """As much of a project as the file questions need."""

    def __init__(self, *paths: str) -> None:
        self.paths = paths

    def exists(self, path: str) -> bool:
        return any(each == path or each.startswith(f"{path}/") for each in self.paths)

    def names(self, folder: str) -> list[str]:
        head = f"{folder}/" if folder else ""
        rest = [each[len(head) :] for each in self.paths if each.startswith(head)]
        return sorted({each.partition("/")[0] + ("/" if "/" in each else "") for each in rest})


def test_every_view_points_into_the_text() -> None:
    made = artifact(
        json.dumps({
            "builds": [{"src": "a.py", "use": "@vercel/python"}],
            "routes": [{"src": "/a", "dest": "/b"}],
            "functions": {"api/a.ts": {"regions": ["fra1"]}},
            "regions": ["iad1"],
            "headers": [{"source": "/(.*)", "headers": [{"key": "x-frame-options", "value": "DENY"}]}],
            "crons": [{"path": "/api/a", "schedule": "0 5 * * *"}],
            "env": {"A": "b"},
            "rewrites": [{"source": "/a", "destination": "/b"}],
            "redirects": [{"source": "/a", "destination": "/b"}],
        }, indent=1)
    )  # fmt: skip
    for name, view in vercel.VIEWS.items():
        items = view(made)
        assert items, name
        for item in items:
            assert made.source.text[item.place.start : item.place.end].strip(), name
            assert "\n" not in made.source.text[item.place.start : item.place.end], name


def test_headers_are_pairs_with_their_source() -> None:
    made = artifact('{"headers": [{"source": "/(.*)", "has": [], "headers": [{"key": "A", "value": "1"}]}]}')
    (item,) = vercel.headers(made)
    assert item.facts["source"].value == "/(.*)"
    assert [(key.value, value.value) for key, value in item.facts["headers"]] == [("A", "1")]
    assert item.facts["conditional"] is True


def test_toml_has_the_same_views() -> None:
    made = artifact('regions = ["fra1"]\n[functions."api/a.ts"]\nmaxDuration = 30\n', "vercel.toml")
    assert [item.facts["region"] for item in vercel.regions(made)] == ["fra1"]
    assert [item.facts["pattern"] for item in vercel.functions(made)] == ["api/a.ts"]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("exit 0", True),
        ("exit 1", False),
        ("echo no && exit 0", True),
        ("echo 'no; really && not' && exit 1", False),
        ('echo "not today"; exit 1', False),
        ("true", True),
        ("false", False),
        ("exit 256", True),
        ("git diff --quiet HEAD^ HEAD ./", None),
        ("npx turbo-ignore && exit 1", None),
        ("[ $VERCEL_ENV = production ] && exit 1 || exit 0", None),
        ('echo "$(date)" && exit 1', None),
        ("exit $CODE", None),
        ("echo 'open && exit 1", None),
        ("&& exit 1", None),
        ("", None),
    ],
)
def test_what_an_ignore_command_always_answers(command: str, answer: bool | None) -> None:
    assert vercel.skip_answer(command) is answer


@given(st.text(alphabet="exit 01echo'\"&;|$\\ ", max_size=40))
def test_any_command_gets_an_answer(command: str) -> None:
    assert vercel.skip_answer(command) in (True, False, None)


@pytest.mark.parametrize(
    ("source", "target", "same"),
    [
        ("/(.*)", "/$1", True),
        ("^/api/(.*)$", "/api/$1", True),
        ("/a/(.+)/b", "/a/$1/b", True),
        ("/a", "/a", True),
        ("/(.*)", "/b/$1", False),
        ("/(.*)/(.*)", "/$1/$2", False),
        ("/([0-9]+)", "/$1", False),
        ("/a", "/b", False),
    ],
)
def test_which_routes_do_nothing(source: str, target: str, same: bool) -> None:
    made = artifact(json.dumps({"routes": [{"src": source, "dest": target}]}))
    assert vercel.routes(made)[0].facts["noop"] is same


def test_a_route_that_does_more_is_no_noop() -> None:
    made = artifact('{"routes": [{"src": "/(.*)", "dest": "/$1", "headers": {"a": "b"}}]}')
    assert vercel.routes(made)[0].facts["noop"] is False


def test_values_of_variables_are_masked_and_references_are_not() -> None:
    made = artifact('{"env": {"A": "s3cr3t-value", "B": "@name", "C": "production", "D": "8080"}}')
    assert [made.source.text[start:end] for start, end in vercel.secrets(made)] == ['"s3cr3t-value"']


@pytest.mark.parametrize(
    ("pattern", "paths", "matches"),
    [
        ("api/*.ts", ["api/a.ts"], True),
        ("api/*.ts", ["api/b/a.ts"], False),
        ("api/**/*.ts", ["api/a.ts"], True),
        ("api/**/*.ts", ["api/b/c/a.ts"], True),
        ("api/**", ["api/b/c/a.py"], True),
        ("**/*.py", ["deep/er/a.py"], True),
        ("src/app/api/**/*.ts", ["app/api/a/route.ts"], False),
        ("app/api/[id]/route.ts", ["app/api/[id]/route.ts"], True),
        ("app/api/[id]/*.ts", ["app/api/[id]/route.ts"], False),
        ("{api,lib}/*.{js,ts}", ["lib/a.ts"], True),
        ("api/*.+(js|ts)", ["api/a.ts"], True),
        ("api/*", ["api/.hidden"], False),
        ("api/?.ts", ["api/a.ts"], True),
        ("api/a.ts", ["api/a.tsx"], False),
        ("api/@(a|b).ts", ["api/b.ts"], True),
        ("api/[a-c].ts", ["api/b.ts"], True),
        ("api/[!a-c].ts", ["api/b.ts"], False),
        ("api/*a*b*.ts", ["api/xaxbx.ts"], True),
        ("api/**/**/a.ts", ["api/a.ts"], True),
        ("**/.hidden/a.ts", ["x/.hidden/a.ts"], True),
        ("**/a.ts", [".hidden/a.ts"], False),
        ("*/a.ts", ["b/c/a.ts"], False),
        ("api", ["api/a.ts"], True),
    ],
)
def test_patterns_match_as_minimatch_does(pattern: str, paths: list[str], matches: bool) -> None:
    assert vercel_globs.matching(Tree(*paths), "", pattern) is matches


def test_a_pattern_made_to_take_long_does_not() -> None:
    tree = Tree(*(f"{'a/' * 20}{'a' * 200}{index}" for index in range(50)))
    assert not vercel_globs.matching(tree, "", "**/a/" * 20 + "*a" * 60 + "*z")


@pytest.mark.parametrize("pattern", ["api/!(a).ts", "api/*(a|b).ts", "api/{1..3}.ts", "{a,b}" * 7])
def test_patterns_beyond_us_are_said_to_be(pattern: str) -> None:
    with pytest.raises(vercel_globs.Unreadable):
        vercel_globs.matching(Tree("api/a.ts"), "", pattern)


def test_patterns_are_relative_to_the_folder() -> None:
    assert vercel_globs.matching(Tree("apps/a/api/x.ts"), "apps/a", "api/*.ts")
    assert not vercel_globs.matching(Tree("api/x.ts"), "apps/a", "api/*.ts")


@given(st.text(alphabet="ab/*?[]{},!()+@.-^\\", max_size=16))
def test_any_pattern_matches_or_says_why_not(pattern: str) -> None:
    try:
        vercel_globs.matching(Tree("a/b.ts", "ab/a/b"), "", pattern)
    except vercel_globs.Unreadable:
        pass


@pytest.mark.parametrize(
    "expression",
    ["* * * * *", "0 5 * * *", "*/15 8-18/2 * 1,7 1-5", "59 23 31 12 *", "0 0 * * 7", "5,10 0 1-7 * *"],
)
def test_expressions_that_run(expression: str) -> None:
    assert vercel_crons.cron_problem(expression) == ""


@pytest.mark.parametrize(
    "expression",
    ["* * * *", "0 5 * * MON", "60 0 * * *", "0 24 * * *", "0 0 0 * *", "0 0 1 * 1", "*/0 * * * *", "5-1 * * * *",
     "a b c d e", "@daily now x y z", "0 0 1 13 *", "1-2-3 * * * *"],
)  # fmt: skip
def test_expressions_that_do_not(expression: str) -> None:
    assert vercel_crons.cron_problem(expression)


PROGRAM = """\
import type { VercelConfig } from '@vercel/config/v1';

const regions = ['bru'];

export const config: VercelConfig = {
  framework: 'nextjs',
  regions,
  functions: { 'app/api/**/*.ts': { maxDuration: 30 } },
};
"""


def test_a_program_is_read_as_the_file_it_stands_for() -> None:
    made = artifact_of("vercel", PROGRAM, "vercel.ts")
    assert made.state == "judged" and not made.problems
    assert made.root.get("functions", "app/api/**/*.ts", "maxDuration").number() == 30
    [region] = vercel.VIEWS["regions"](made)
    assert region.facts["region"] == "bru" and made.source.position(region.node.start)[0] == 3


def test_a_program_that_computes_its_settings_fails_nothing() -> None:
    text = "import { make } from './make';\nexport const config = make(process.env.TEAM);\n"
    made = artifact_of("vercel", text, "vercel.ts")
    assert not any(problem.fatal for problem in made.problems)
    assert all(not view(made) or name == "file" for name, view in vercel.VIEWS.items())
