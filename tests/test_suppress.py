"""Exceptions: comments in every format, `[[ignore]]`, their terms and their end, and the list of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elo_gate import gate
from elo_gate.examples import MemoryIgnores, MemoryTree
from elo_gate.model import Source
from elo_gate.policy import ConfigError
from elo_gate.policy.comments import comments
from elo_gate.project import Project
from elo_gate.report import ignores, sarif
from elo_gate.ruleset.load import load

Write = Callable[[dict[str, str]], Path]
RULE = "compose/data-store-published"
AS_OF = "2026-11-25"


def compose(comment: str = "", trailing: str = "") -> str:
    """A Compose file that publishes a database."""
    above = f"    {comment}\n" if comment else ""
    return (
        f'services:\n  db:\n    image: postgres:18.1\n    restart: always\n{above}    ports: ["5432:5432"]{trailing}\n'
    )


def judged(folder: Path, **options: object) -> gate.Run:
    return gate.run(str(folder), as_of=AS_OF, **options)  # type: ignore[arg-type]


def rules(run: gate.Run) -> list[str]:
    return [
        each.rule.id for each in run.verdict.findings if each.rule.id in (RULE,) or each.rule.id.startswith("policy/")
    ]


# -- what a comment covers

SAY = "elo-gate: ignore[a/b] why"


@pytest.mark.parametrize(
    ("path", "kind", "text", "covered"),
    [
        ("a.yaml", "k8s", f"# {SAY}\nspec:\n  a: 1\n  b: 2\nother: 3\n", [2, 3, 4]),
        ("a.yaml", "k8s", f"a:\n  # {SAY}\n  - name: x\n    b: 1\n  - name: y\n", [3, 4]),
        ("a.yaml", "k8s", f"a:\n- b: 1\n# {SAY}\n\n# another\n- c: 2\n  d: 3\n- e: 4\n", [6, 7]),
        ("a.yaml", "k8s", f"# {SAY}\n---\na: 1\nb: 2\n", [3]),
        ("a.yaml", "k8s", f"a: 1\nb: 2  # {SAY}\nc: 3\n", [2]),
        ("a.yaml", "k8s", f"web:  # {SAY}\n  a: 1\n", [1]),
        ("a.yaml", "k8s", f"x: &x {{a: 1}}\n# {SAY}\ny: *x\nz: 1\n", [3]),
        ("a.yaml", "workflow", f"run: |\n  # {SAY}\n  curl x \\\n    -d y\n  rm z\n", [3, 4]),
        ("railway.toml", "railway", f"# {SAY}\n[deploy]\na = 1\nb = 2\n[build]\nc = 3\n", [2, 3, 4]),
        ("railway.toml", "railway", f"[deploy]\na = 1 # {SAY}\nb = 2\n", [2]),
        ("Dockerfile", "dockerfile", f"FROM a\n# {SAY}\nRUN x \\\n  && y\nUSER 1\n", [3, 4]),
        (".env", "env", f"A=1\n# {SAY}\nB=\"x\ny\"\nC=2\n", [3, 4]),
        ("next.config.ts", "next", f"export default {{\n  // {SAY}\n  images: {{\n    a: 1,\n  }},\n  b: 2,\n}}\n", [3, 4, 5]),
        ("next.config.ts", "next", f"const é = 'ü'\n// {SAY}\nconst a = {{\n  b: 1,\n}}\nconst c = 1\n", [3, 4, 5]),
        ("next.config.ts", "next", f"const a = {{\n  b: 1, // {SAY}\n  c: 2,\n}}\n", [2]),
        ("a.tsx", "", f"const a = (\n  <a>\n    {{/* {SAY} */}}\n    <b\n      c\n    />\n    <d />\n  </a>\n)\n", [4, 5, 6]),
        ("nginx.conf", "nginx", f"# {SAY}\nserver {{\n  listen 80;\n}}\nuser x;\n", [2, 3, 4]),
        ("nginx.conf", "nginx", f"a \"#\"; # {SAY}\nb c;\n", [1]),
        ("a.sql", "sql", f"-- {SAY}\nCREATE ROLE x\n  LOGIN;\nSELECT 1;\n", [2, 3]),
        ("a.sql", "sql", f"SELECT '--'; -- {SAY}\nSELECT 2;\n", [1]),
        ("a.sh", "script", f"# {SAY}\nif x; then\n  y\nfi\ncurl a \\\n  b\n", [2]),
        ("a.sh", "script", f"# {SAY}\ncurl a \\\n  b\nz\n", [2, 3]),
        ("a.sh", "script", f"curl \"#\" # {SAY}\nz\n", [1]),
        ("crontab", "schedule", f"# {SAY}\n0 3 * * * x\n0 4 * * * y\n", [2]),
        ("docs/a.md", "checklist", f"<!-- {SAY} -->\n- [ ] a\n- [ ] b\n", [2]),
        ("docs/a.md", "checklist", f"- [ ] a <!-- {SAY} -->\n- [ ] b\n", [1]),
        (".dockerignore", "", f"# {SAY}\nnode_modules\n.git\n", [2]),
        ("a.py", "", f"# {SAY}\nx = f(\n  1,\n)\ny = 2\n", [2, 3, 4]),
    ],
)  # fmt: skip
def test_what_a_comment_covers(path: str, kind: str, text: str, covered: list[int]) -> None:
    source = Source(path, text)
    (found,) = comments(source, kind)
    assert found.body == SAY
    assert found.covers is not None
    lines = sorted({source.position(at)[0] for at in range(*found.covers) if not text[at].isspace()})
    assert lines == covered


@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        ("Dockerfile", "dockerfile", f"FROM a # {SAY}\n"),
        (".env", "env", f"A=1 # {SAY}\n"),
        ("crontab", "schedule", f"0 3 * * * x # {SAY}\n"),
        (".dockerignore", "", f"a # {SAY}\n"),
    ],
)
def test_where_a_line_has_no_trailing_comment_it_covers_nothing(path: str, kind: str, text: str) -> None:
    assert [each.covers for each in comments(Source(path, text), kind)] == [None]


@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        ("vercel.json", "vercel", f'{{"a": "// {SAY}"}} // {SAY}\n'),
        ("a.yaml", "k8s", f'a: "# {SAY}"\nb: x#{SAY}\n'),
        (".env", "env", f'A="\n# {SAY}\n"\n'),
        ("next.config.js", "next", f'const a = "// {SAY}"\n'),
        ("a.sql", "sql", f"SELECT '-- {SAY}';\n"),
        ("a.yaml", "k8s", f"# see the words: {SAY}\na: 1\n"),
    ],
)
def test_what_is_no_comment_of_the_file(path: str, kind: str, text: str) -> None:
    assert comments(Source(path, text), kind) == []


@given(
    st.sampled_from(["a.yaml", "a.toml", "Dockerfile", ".env", "a.ts", "a.conf", "a.sql", "a.sh", "a.md", "crontab"]),
    st.lists(st.sampled_from(["# ", "// ", "-- ", "<!-- ", " -->", "/* ", "*/", SAY, "elo-gate:", "ignore[", "]", "\n", "\r\n",
                              "  ", "- ", "a: ", "{", "}", "'", '"', "`", "\\", ";", "é", "|\n  ", "<<EOF", "*", "&a "]), max_size=25),
)  # fmt: skip
def test_any_text_is_read(path: str, parts: list[str]) -> None:
    kinds = {"Dockerfile": "dockerfile", ".env": "env", "crontab": "schedule"}
    source = Source(path, "".join(parts))
    for each in comments(source, kinds.get(path, "")):
        assert each.body.startswith("elo-gate:") and "elo-gate:" in source.text[each.start : each.end]
        assert each.covers is None or 0 <= each.covers[0] <= each.covers[1] <= len(source.text)


# -- in a run


def test_a_comment_lets_its_rule_pass_and_nothing_else(tree: Write) -> None:
    folder = tree({"compose.production.yaml": compose(f"# elo-gate: ignore[{RULE}] owner=data a lab")})
    run = judged(folder)
    assert rules(run) == []
    (passed,) = run.verdict.suppressed
    assert (passed.rule.id, passed.suppressed.reason, passed.suppressed.owner) == (RULE, "a lab", "data")
    tree({"compose.production.yaml": compose("# elo-gate: ignore[compose/docker-socket] a lab")})
    assert rules(judged(folder)) == ["policy/unused-suppression", RULE]


def test_a_comment_above_a_service_covers_the_service_and_not_its_neighbour(tree: Write) -> None:
    service = '    image: postgres:18.1\n    ports: ["5432:5432"]\n'
    text = f"services:\n  # elo-gate: ignore[{RULE}] a lab\n  one:\n{service}  two:\n{service}"
    run = judged(tree({"compose.production.yaml": text}))
    found = [each.source.position(each.start)[0] for each in run.verdict.findings if each.rule.id == RULE]
    assert found == [8]
    assert [each.source.position(each.start)[0] for each in run.verdict.suppressed] == [5]


def test_one_comment_for_several_rules_tells_which_is_not_needed(tree: Write) -> None:
    text = compose(f"# elo-gate: ignore[{RULE}, compose/docker-socket] a lab")
    run = judged(tree({"compose.production.yaml": text}))
    assert rules(run) == ["policy/unused-suppression"]
    assert "compose/docker-socket" in run.verdict.findings[0].message + run.verdict.findings[-1].message


def test_an_expired_comment_brings_the_finding_back(tree: Write) -> None:
    folder = tree({"compose.production.yaml": compose(f"# elo-gate: ignore[{RULE}] until=2026-11-24 a lab")})
    assert rules(judged(folder)) == ["policy/expired-suppression", RULE]
    assert rules(gate.run(str(folder), as_of="2026-11-24")) == []


def test_findings_about_exceptions_cannot_be_excepted(tree: Write) -> None:
    text = compose(
        "# elo-gate: ignore[policy/unused-suppression] no\n    # elo-gate: ignore[compose/docker-socket] a lab"
    )
    assert rules(judged(tree({"compose.production.yaml": text}))) == [
        "policy/refused-suppression", "policy/unused-suppression", RULE,
    ]  # fmt: skip


def test_their_severity_is_the_policys(tree: Write) -> None:
    folder = tree(
        {
            "compose.production.yaml": compose("# elo-gate: ignore[compose/docker-socket] a lab"),
            "elo-gate.toml": '[rule."policy/unused-suppression"]\nseverity = "off"\n',
        }
    )
    assert rules(judged(folder)) == [RULE]


def test_a_rule_that_could_not_decide_leaves_its_exception_alone(tree: Write) -> None:
    text = (
        "FROM node:24.11.1-alpine3.22\nARG APP_USER\n# elo-gate: ignore[docker/root-user] it drops privileges itself\n"
        'USER $APP_USER\nCMD ["node", "server.js"]\n'
    )
    run = judged(tree({"Dockerfile.production": text}))
    assert any(rule == "docker/root-user" for rule, _, _, _ in run.verdict.coverage.undecided)
    assert rules(run) == []


def test_nothing_is_unused_where_only_some_files_are_looked_at(tree: Write) -> None:
    folder = tree({"compose.production.yaml": compose("# elo-gate: ignore[project/port-drift] a lab")})
    assert rules(judged(folder, files=["compose.production.yaml"], hook=True)) == [RULE]
    assert rules(judged(folder)) == ["policy/unused-suppression", RULE]


ENTRY = f'[[ignore]]\nrule = "{RULE}"\npath = "**/*.yaml"\nreason = "a lab"\n'


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (f'unsuppressable = ["{RULE}"]\n' + ENTRY, f"elo-gate.toml:2: '{RULE}' may not be ignored"),
        ("require_owner = true\n" + ENTRY, "needs `owner`"),
        ("require_until = true\n" + ENTRY, "needs `until`"),
        ("max_days = 30\n" + ENTRY + "until = 2027-01-01\n", "allows 30 days"),
        (ENTRY.replace(RULE, "policy/unused-suppression"), "may not be ignored"),
        ("max_days = -1\n", "whole number"),
        ('max_days = "3"\n', "whole number"),
        (ENTRY.replace(RULE, "compose/data-store-publish"), f"did you mean `{RULE}`"),
    ],
)
def test_an_entry_that_may_not_be_is_refused(tree: Write, config: str, says: str) -> None:
    folder = tree({"compose.production.yaml": compose(), "elo-gate.toml": config})
    with pytest.raises(ConfigError) as refused:
        judged(folder)
    assert says in str(refused.value)


def test_entries_end_and_go_out_of_use(tree: Write) -> None:
    gone = ENTRY.replace(RULE, "compose/docker-socket")
    old = ENTRY + "until = 2026-11-01\n"
    folder = tree({"app/compose.production.yaml": compose(), "elo-gate.toml": gone + old})
    found = {
        (each.rule.id, each.source.path, each.source.position(each.start)[0])
        for each in judged(folder).verdict.findings
        if each.rule.id.startswith("policy/")
    }
    assert found == {
        ("policy/unused-suppression", "elo-gate.toml", 1),
        ("policy/expired-suppression", "elo-gate.toml", 5),
    }
    # Of a folder below the configuration's, nothing is said: the rest of the repository was not looked at.
    (folder / ".git").mkdir()
    (folder / ".git/HEAD").write_text("ref: refs/heads/main\n")
    assert rules(judged(folder / "app")) == [RULE]


def test_the_list_of_exceptions(tree: Write) -> None:
    folder = tree(
        {
            "compose.production.yaml": compose(f"# elo-gate: ignore[{RULE}] until=2026-12-05 owner=data a lab"),
            "elo-gate.toml": ENTRY.replace(RULE, "compose/docker-socket"),
        }
    )
    made = ignores.document(judged(folder))
    first, second = made["exceptions"]
    assert (first["path"], first["line"], first["days_left"], first["state"], first["owner"]) == (
        "compose.production.yaml", 5, 10, "in force", "data",
    )  # fmt: skip
    assert (second["kind"], second["state"], second["until"], second["line"]) == ("ignore", "unused", None, 1)
    text = ignores.render(judged(folder))
    assert "10 days left" in text and "no last day" in text and "a lab" in text
    done = subprocess.run(
        [sys.executable, "-m", "elo_gate", "ignores", ".", "-f", "json", "--as-of", AS_OF],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == made


def test_sarif_says_where_an_exception_stands(tree: Write) -> None:
    folder = tree({"compose.production.yaml": compose(f"# elo-gate: ignore[{RULE}] a lab")})
    (run,) = sarif.document(judged(folder), include_suppressed=True)["runs"]
    (kept,) = [each["suppressions"][0] for each in run["results"] if "suppressions" in each]
    assert kept == {"kind": "inSource", "status": "accepted", "justification": "a lab"}


def test_without_a_comment_nothing_reads_comments(tree: Write) -> None:
    folder = tree({"compose.production.yaml": compose()})
    script = "import sys\nfrom elo_gate import hook\nhook.run([])\nprint([m for m in sys.modules if m.startswith('elo_gate.policy.') or m == 'elo_gate.git'])"
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_tree_in_memory_is_weighed_too() -> None:
    from elo_gate import engine
    from elo_gate.policy import Policy
    from elo_gate.redact import mask
    from elo_gate.verdict import weigh

    files = {"compose.production.yaml": compose(trailing=f"  # elo-gate: ignore[{RULE}] a lab")}
    ruleset = load()
    project = Project(MemoryTree(files), AS_OF, ruleset.table, ignores=MemoryIgnores(files))
    project.look()
    outcome = engine.judge(project.subjects(), ruleset, {}, mask)
    passed, exceptions = weigh(project, outcome, Policy(), ruleset, mask)
    assert [each.rule.id for each in passed] == [RULE]
    assert exceptions is not None and exceptions.inline[0].used == 1


def test_the_hook_knows_exceptions_too(tree: Write) -> None:
    folder = tree({"compose.production.yaml": compose(f"# elo-gate: ignore[{RULE}] a lab")})
    done = subprocess.run(
        [sys.executable, "-c", "from elo_gate.hook import main; main()", "compose.production.yaml"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert RULE not in done.stdout and "1 let pass" in done.stdout
