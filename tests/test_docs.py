"""The documents tell the truth: their commands run, what they print is what is shown, their links lead somewhere."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

from elo_gate import gate
from elo_gate.cli import cli
from elo_gate.kinds import KINDS
from elo_gate.ruleset import site
from elo_gate.ruleset.load import load

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
AS_OF = "2026-11-25"
# The commands that judge, and so depend on the day.
DATED = {"check", "standard", "init", "baseline"}

_FENCE = re.compile(r"^(`{3,})(\w+)?([^\n]*)\n(.*?)^\1 *$", re.M | re.S)


def blocks(page: Path) -> Iterator[tuple[str, str, str]]:
    """(language, what stands behind it, text) of each fenced block, in order."""
    for found in _FENCE.finditer(page.read_text(encoding="utf-8")):
        yield found[2] or "", found[3].strip(), found[4]


def ids(pages: list[Path]) -> list[str]:
    return [page.name for page in pages]


RUN = [page for page in PAGES if any(language == "bash" and not behind for language, behind, _ in blocks(page))]


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A folder to run in and an environment in which `elo-gate` is this checkout, on the documents' day."""
    programs, folder = tmp_path / "bin", tmp_path / "shop"
    programs.mkdir()
    folder.mkdir()
    dated = "|".join(sorted(DATED))
    (programs / "elo-gate").write_text(
        f'#!/bin/sh\ncase "$*" in *--as-of*|*--help*) ;; *) case "$1" in\n  baseline) first="$1 $2"; shift 2;'
        f' exec {shlex.quote(sys.executable)} -m elo_gate $first --as-of {AS_OF} "$@";;\n'
        f'  {dated}) first=$1; shift; exec {shlex.quote(sys.executable)} -m elo_gate $first --as-of {AS_OF} "$@";;\n'
        f'esac;; esac\nexec {shlex.quote(sys.executable)} -m elo_gate "$@"\n'
    )
    (programs / "elo-gate-hook").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m elo_gate.hook "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    nothing = tmp_path / "nothing"
    nothing.touch()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "ELO_GATE_"))},
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1",
        "GIT_CONFIG_GLOBAL": str(nothing), "GIT_CONFIG_SYSTEM": str(nothing), "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@acme.test", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@acme.test",
    }  # fmt: skip
    return folder, environment


@pytest.mark.parametrize("page", RUN, ids=ids(RUN))
def test_every_command_marked_bash_runs_and_prints_what_is_shown(
    page: Path, place: tuple[Path, dict[str, str]]
) -> None:
    """Top to bottom: files are written, lines run, and a `text` block behind them is what the last one prints."""
    folder, environment = place
    text = page.read_text(encoding="utf-8")
    if "examples/" in text:
        shutil.copytree(ROOT / "examples", folder / "examples")
        subprocess.run(["git", "init", "-q"], cwd=folder, env=environment, check=True)
        subprocess.run(["git", "add", "-A"], cwd=folder, env=environment, check=True)
    printed: str | None = None
    for language, behind, body in blocks(page):
        if language == "text" and printed is not None:
            assert shown(body).fullmatch(printed), f"{page.name} shows\n{body}\nand it is\n{printed}"
        printed = None
        title = re.search(r'title="([^"]+)"', behind)
        if title:
            path = folder / title[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body, encoding="utf-8")
        elif language == "bash":
            for line in filter(str.strip, body.replace("\\\n", "").split("\n")):
                code = re.search(r"# exit code (\d)", line)
                done = subprocess.run(
                    ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=120,
                    check=False, stdin=subprocess.DEVNULL,
                )  # fmt: skip
                printed = done.stdout
                assert done.returncode == int(code[1] if code else 0), (
                    f"{page.name}: {line}\n{done.stdout[-3000:]}{done.stderr[-2000:]}"
                )


# What cannot run by itself: it waits for a change, a terminal or a buffer, or writes into the checkout.
WAITS = re.compile(r"--watch|< buffer|rules new|elo-gate init$|add-over-http")
PLAIN = [
    (page, line)
    for page in PAGES
    if page.name != "README.md"
    for language, _, body in blocks(page)
    if language == "sh"
    for line in (each.split(" # ")[0].strip() for each in body.split("\n"))
    if line.startswith(("elo-gate ", "eval ")) and not WAITS.search(line)
]


@pytest.mark.parametrize(("page", "line"), PLAIN, ids=[f"{page.name}: {line}" for page, line in PLAIN])
def test_commands_of_a_users_repository_run(page: Path, line: str, place: tuple[Path, dict[str, str]]) -> None:
    """In a copy of an example that is full of mistakes: 0 or 1, never a wrong call."""
    folder, environment = place
    shutil.copytree(ROOT / "examples" / "intranet-before", folder, dirs_exist_ok=True)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run(["git", *words], cwd=folder, env=environment, check=True)
    if "eval" in line and "zsh" in line:
        line = line.removeprefix("eval ")[3:-2]
    if "~/" in line:
        line = line.split(" > ")[0]
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode in (0, 1) and (done.stdout or "eval" in line), done.stdout[-2000:] + done.stderr[-2000:]


def shown(body: str) -> re.Pattern[str]:
    """What a block shows as a pattern: `...` at the end of a line is its rest, alone on a line any lines."""
    parts = []
    for line in body.splitlines():
        if line.strip() == "...":
            parts.append(r"(?:.*\n)*?")
        elif line.endswith("..."):
            parts.append(re.escape(line[:-3]) + r".*\n")
        else:
            parts.append(re.escape(line) + r"\n")
    return re.compile("".join(parts))


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_every_command_and_option_exists(page: Path) -> None:
    """Also in blocks that cannot run here: `elo-gate` with its words and options is what the command line knows."""
    wrong = []
    for language, _, body in blocks(page):
        if language not in ("sh", "bash", "console"):
            continue
        for line in body.replace("\\\n", " ").split("\n"):
            for call in re.findall(
                r"(?:^|[/;&|(]\s?|\$ )elo-gate\s+([a-z-][^|;&#>\n)]*)", line.strip().split(" # ")[0]
            ):
                problem = unknown(shlex.split(call.replace("'", "").replace('"', "")))
                if problem:
                    wrong.append(f"{line.strip()}: {problem}")
    assert not wrong


def unknown(words: list[str]) -> str:
    """What of a call the command line does not know; "" when it knows all of it."""
    command: click.Command = cli
    while words and isinstance(command, click.Group):
        if words[0].startswith("-"):
            break
        name = words.pop(0)
        context = click.Context(command)
        if name not in command.list_commands(context):
            return f"no command {name!r}"
        found = command.get_command(context, name)
        assert found is not None
        command = found
    known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    known |= {"-h", "--help"}
    for word in words:
        option = word.split("=")[0]
        if option.startswith("-") and option != "-" and option not in known:
            return f"no option {option!r}"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_links_inside_of_the_repository_lead_somewhere(page: Path) -> None:
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", text):
        path, _, part = (target[0] or target[1]).partition("#")
        if ":" in path:
            continue
        goal = (page.parent / path) if path else page
        if not goal.exists():
            dead.append(path)
        elif part and part not in anchors(goal):
            dead.append(f"{path}#{part}")
    assert not dead


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.M)
    }


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_every_rule_that_is_named_exists(page: Path) -> None:
    ruleset = load()
    folders = {identifier.partition("/")[0] for identifier in ruleset.ids}
    known = {*ruleset.ids, *ruleset.aliases, "docker/add-over-http"}
    named = re.findall(r"`([a-z0-9]+/[a-z0-9]+(?:-[a-z0-9]+)+)`", page.read_text(encoding="utf-8"))
    assert not {each for each in named if each.partition("/")[0] in folders} - known


def test_the_readme_names_every_kind(root: Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    table = text[text.index("## What it reads") :].split("\n## ")[0]
    missing = [kind for kind, (_, what, _) in KINDS.items() if what.lower() not in table.lower()]
    assert not missing


def test_the_five_findings_of_the_readme_are_found(root: Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `([^`]+):(\d+)` \| `([^`]+)` \|", text, re.M))
    run = gate.run(str(root / "examples" / "intranet-before"), as_of=AS_OF)
    found = {
        (each.source.path, str(each.source.position(each.start)[0]), each.rule.id) for each in run.verdict.findings
    }
    assert len(told) == 5 and told <= found


def test_our_numbers_in_the_readme_are_the_measured_ones(root: Path) -> None:
    """Within a third: `tests/perf/measure.py --write` may be run on another machine."""
    measured = (root / "docs" / "performance.md").read_text(encoding="utf-8")
    readme = (root / "README.md").read_text(encoding="utf-8")
    for here, there in (
        ("one Dockerfile", "one Dockerfile, hook"),
        ("one Compose file", "one Compose file, hook"),
        ("one Kubernetes manifest", "one Kubernetes manifest, hook"),
        ("500 Dockerfiles", "500 Dockerfiles"),
    ):
        said = re.search(rf"^\| {here} \| ([\d.]+) \|", readme, re.M)
        true = re.search(rf"^\| {there} \| ([\d.]+) \|", measured, re.M)
        assert said and true, here
        assert abs(float(said[1]) - float(true[1])) <= float(true[1]) / 3, f"{here}: {said[1]}, measured {true[1]}"


FAULTS = {
    "Dockerfile.production": "FROM node\nUSER root\nCMD node server.js\n",
    "k8s/production/app.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      hostNetwork: true
      hostPID: true
      hostIPC: true
      containers:
        - name: web
          image: ghcr.io/acme/web
          ports: [{containerPort: 3000}]
          securityContext: {privileged: true, capabilities: {add: [SYS_ADMIN]}}
          volumeMounts: [{name: socket, mountPath: /var/run/docker.sock}]
      volumes: [{name: socket, hostPath: {path: /var/run/docker.sock}}]
""",
    ".github/workflows/pull.yml": """\
on: pull_request_target
jobs:
  title:
    runs-on: ubuntu-24.04
    steps:
      - run: echo "${{ github.event.pull_request.title }}"
""",
}


@pytest.mark.parametrize("tool", ["hadolint", "checkov", "trivy"])
def test_the_counterparts_of_other_tools_rules_fire(root: Path, tmp_path: Path, tool: str) -> None:
    for name, text in FAULTS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    page = (root / "docs" / f"from-{tool}.md").read_text(encoding="utf-8")
    table = page[page.index(f"| {tool} | elo-gate |") :].split("\n\n")[0]
    counterparts = set(re.findall(r"`([a-z0-9]+/[a-z0-9-]+)`", table))
    found = {each.rule.id for each in gate.run(str(tmp_path), as_of=AS_OF).verdict.findings}
    assert counterparts and counterparts <= found


def test_the_picture_is_what_a_run_prints(root: Path) -> None:
    """Numbers of files and rules aside: they change with every rule."""
    terminal = module(root / "docs" / "img" / "terminal.py")
    drawn = (root / "docs" / "img" / "check.svg").read_text(encoding="utf-8")
    told = "draw it anew: python docs/img/terminal.py"
    assert without_counts(drawn) == without_counts(terminal.picture()), told


def without_counts(picture: str) -> list[str]:
    words = re.findall(r">([^<>\n]+)</text>", picture)
    start = next(at for at, word in enumerate(words) if word.startswith("Looked&#160;at"))
    return words[:start]


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site's pages in Markdown."""
    out = tmp_path_factory.mktemp("site")
    assert site.main([str(out / "docs")]) == 0
    return out


def test_a_page_for_every_rule_with_its_examples(made: Path) -> None:
    ruleset = load()
    listed = (made / "docs/rules/index.md").read_text(encoding="utf-8")
    for identifier in ruleset.ids:
        page = (made / f"docs/rules/{identifier}.md").read_text(encoding="utf-8")
        for heading in ("## Why", "## Fix", "## What it says"):
            assert heading in page, identifier
        assert f"({identifier}.md)" in listed
        # No fence ends early: an even number of them, and the examples' last line inside.
        assert len(re.findall(r"^`{3,}", page, re.M)) % 2 == 0, identifier


def test_each_clause_leads_to_its_rules_in_both_languages(made: Path) -> None:
    ruleset = load()
    for name in ("standard.md", "standard.pt-BR.md"):
        text = (made / "docs" / name).read_text(encoding="utf-8")
        assert {clause.lower() for clause in ruleset.clauses} == set(re.findall(r"\{#([a-z]{3}-\d+)\}", text))
        assert "(rules/docker/root-user.md)" in text


def test_the_navigation_names_pages_that_are_there_and_all_documents(made: Path, root: Path) -> None:
    text = (root / "mkdocs.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"([\w/.-]+\.md)$", text.split("\nnav:")[1], re.M))
    there = {str(path.relative_to(made / "docs")) for path in (made / "docs").rglob("*.md")}
    assert named <= there
    assert {page for page in there if not page.startswith("rules/")} <= named


def test_plain_words_stay_plain() -> None:
    assert site.prose("a <b> *c* `d <e>` [f] g_h {#i} |") == r"a &lt;b&gt; \*c\* `d <e>` \[f\] g\_h \{\#i\} &#124;"


def test_without_a_checkout_the_site_says_so(tmp_path: Path) -> None:
    with pytest.raises(site.SiteError, match="docs/"):
        site.pages(str(tmp_path), load())


@pytest.mark.parametrize("tool", ["zensical", "mkdocs"])
def test_the_site_builds_and_no_link_in_it_is_dead(tool: str, made: Path, root: Path) -> None:
    """Strictly: a link or an anchor that leads nowhere ends the build."""
    program = os.environ.get(f"ELO_GATE_{tool.upper()}") or shutil.which(tool)
    if not program:
        package = {"zensical": "'.[docs]'", "mkdocs": "mkdocs-material"}[tool]
        pytest.skip(f"no {tool}: pip install {package}, or set ELO_GATE_{tool.upper()} to the program")
    text = (root / "mkdocs.yml").read_text(encoding="utf-8")
    text = text.replace("docs_dir: build/docs", "docs_dir: docs").replace("site_dir: build/site", f"site_dir: {tool}")
    (made / "mkdocs.yml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [program, "build", "--strict"], cwd=made, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    assert (made / tool / "rules" / "docker" / "root-user.html").is_file()
    found = (
        json.loads((made / tool / "search.json").read_text(encoding="utf-8")) if tool == "zensical" else {"items": 1}
    )
    assert found
