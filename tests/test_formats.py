"""One contract for every format: each finding is there, no secret is, nothing hostile acts, the same bytes every time."""

from __future__ import annotations

import base64
import html as entities
import json
import os
import re
import subprocess
import sys
import urllib.parse
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml

from elo_gate import gate
from elo_gate.inert import inert, inert_json
from elo_gate.report import FORMATS, github, markdown, markup, render, tap

Write = Callable[[dict[str, str]], Path]
Row = tuple[str, str, int]  # rule, path as it is shown, line

AS_OF = "2026-11-25"
OPTIONS: dict[str, Any] = {"colour": False, "verbose": True, "language": "en", "include_suppressed": True}
# Made up for this test; the shapes are the vendors' (see redact).
SECRETS = {
    "STRIPE_SECRET_KEY": "sk_live_" + "61Jq4rX8eBvKZmo3DyP9wQfKn",
    "GITHUB_TOKEN": "ghp_" + "y2Nq8mXv4Rs7Bk1Zd5Lw9Hf6Jg3Pt0TaVeQi",
    "DB_PASSWORD": "Qu1et-r1ver-and-7-stones",
    "SESSION_SECRET": "c4a8e1d6b3f7092a5e8c1d4f7b0a3e69",
}
TAG = '"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
NAMES = [
    "k8s/production/ü 🎉 ##[set-env]::error:: $(x).yaml",
    "k8s/production/<img src=x onerror=pwned=1>&amp;'\"`|*_[a](b).yaml",
    "k8s/production/\u202etxt.@everyone #1 ~~x~~ ##vso[task].yaml",
    "k8s/production/a,b%0A%25;col=1\\.yaml",
    "::error file=x::/production/-rf.yaml",
]
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec: {containers: [{name: c, image: 'x:latest', env: [{name: A, value: %s}]}]}\n"


def trees(tree: Write) -> dict[str, Path]:
    """Ordinary and hostile trees, each in a folder of its own."""
    leaky = "".join(f"{name}={value}\n" for name, value in SECRETS.items())
    listed = "".join(f"      {name}: {value}\n" for name, value in SECRETS.items())
    encoded = "".join(f"  {name}: {base64.b64encode(value.encode()).decode()}\n" for name, value in SECRETS.items())
    contents: dict[str, dict[str, str]] = {
        "plain": {
            "compose.production.yaml": "services:\n  db:\n    image: postgres\n    ports: ['5432:5432']\n",
            "vercel.json": '{"regions": ["bru1"]}\n',
        },
        "passed": {"Dockerfile.production": "FROM scratch\nCOPY app /app\nUSER 1001\nENTRYPOINT [\"/app\"]\n"},
        "empty": {"README": ""},
        "let-pass": {
            "compose.production.yaml": "services:\n  db:\n    image: postgres:18.1\n    ports: ['5432:5432']\n",
            "elo-gate.toml": f"[[ignore]]\nrule = \"compose/data-store-published\"\npath = \"**\"\nreason = '''a lab {TAG}'''\n",
        },
        "services": {
            "package.json": '{"name": "web", "scripts": {"start": "next start"}, "dependencies": {"next": "16.0.0"}}\n',
            "next.config.js": "module.exports = {}\n",
            "Dockerfile": "FROM node:24\nEXPOSE 8080\nCMD [\"npm\", \"start\"]\n",
            "compose.yaml": "services:\n  web:\n    build: .\n    ports: ['80:3000']\n  proxy:\n    image: nginx\n    ports: ['443:443']\n",
            ".github/workflows/deploy.yml": "on: push\njobs:\n  ship:\n    runs-on: ubuntu-latest\n    steps:\n      - run: vercel --prod\n",
            "vercel.json": '{"regions": ["gru1"]}\n',
        },
        "hostile": {
            **dict.fromkeys(NAMES, POD % (f"'{TAG}'", f"'::error::{TAG}'")),
            "compose.production.yaml": "services:\n"
            + "".join(
                f"  {json.dumps(name)}:\n    image: 'x:latest'\n    privileged: true\n    network_mode: host\n"
                for name in ("a\u202e::error::x", TAG, "{}{}", "`` | @all #12 ##[group]", "x" * 400)
            ),
        },
        "broken": {
            "compose.production.yaml": "services: [\n",
            "k8s/production/<b>::warning::##[x].yaml": "apiVersion: v1\nkind: Pod\nmetadata: {\n",
            "vercel.json": '{"builds": [}',
        },
        "secrets": {
            ".env.production": leaky,
            "compose.production.yaml": f"services:\n  app:\n    build: .\n    environment:\n{listed}",
            "Dockerfile.production": "FROM node:18\n" + "".join(f"ENV {name}={each}\n" for name, each in SECRETS.items()),
            "vercel.json": json.dumps({"env": SECRETS, "regions": ["bru"]}, indent=1),
            "k8s/production/s.yaml": f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\ndata:\n{encoded}",
            ".github/workflows/deploy.yml": "on: push\njobs:\n  ship:\n    runs-on: ubuntu-latest\n    steps:\n"
            + "".join(f"      - run: vercel --prod --token {each}\n" for each in SECRETS.values()),
        },
    }  # fmt: skip
    parent = tree({})
    for name, files in contents.items():
        tree({f"{name}/{path}": body for path, body in files.items()})
    return {name: parent / name for name in contents}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, gate.Run]:
    """The trees judged once for all tests."""
    parent = tmp_path_factory.mktemp("formats")

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = parent / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return parent

    return {name: gate.run(str(folder), as_of=AS_OF) for name, folder in trees(write).items()}


def expected(run: gate.Run) -> list[Row]:
    return sorted(
        (each.rule.id, inert(each.source.path), each.source.position(each.start)[0]) for each in run.verdict.findings
    )


def test_the_trees_show_what_they_are_for(runs: dict[str, gate.Run]) -> None:
    words = {name: run.verdict.word for name, run in runs.items()}
    assert words["plain"] == words["services"] == words["hostile"] == words["secrets"] == "blocked"
    assert words["empty"] == words["broken"] == "broken"
    assert words["passed"] == "passed"
    assert len(runs["hostile"].verdict.findings) > 3 * github.LIMIT
    assert runs["let-pass"].verdict.suppressed


# -- every finding, read back from each format


def read_text(text: str, run: gate.Run) -> list[Row]:
    found, path = [], ""
    for line in text.splitlines():
        match = re.fullmatch(r"  (?:error|warning|note)  (\S+)  (\d+):\d+", line)
        if match:
            found.append((match[1], path, int(match[2])))
        elif line and not line.startswith(" "):
            path = line.rpartition("  ")[0]
    return found


def read_concise(text: str, run: gate.Run) -> list[Row]:
    pattern = re.compile(r"(.*?):(\d+):\d+: (?:error|warning|note) ([a-z0-9]+/[a-z0-9-]+): ")
    return [(match[3], match[1], int(match[2])) for line in text.splitlines() if (match := pattern.match(line))]


def read_json(text: str, run: gate.Run) -> list[Row]:
    return [(each["rule"], inert(each["path"]), each["line"]) for each in json.loads(text)["findings"]]


def read_jsonl(text: str, run: gate.Run) -> list[Row]:
    lines = [json.loads(line) for line in text.splitlines()]
    assert [each["type"] for each in lines][-1] == "summary"
    assert lines[-1]["counts"] == {level: run.verdict.count(level) for level in ("error", "warning", "note")}
    return [(each["rule"], inert(each["path"]), each["line"]) for each in lines if each["type"] == "finding"]


def read_sarif(text: str, run: gate.Run) -> list[Row]:
    found = []
    for each in json.loads(text)["runs"][0]["results"]:
        place = each["locations"][0]["physicalLocation"]
        path = urllib.parse.unquote(place["artifactLocation"]["uri"])
        if "suppressions" not in each:
            found.append((each["ruleId"], inert(path), place["region"]["startLine"]))
    return found


def read_junit(text: str, run: gate.Run) -> list[Row]:
    root = ElementTree.fromstring(text)
    assert root.tag == "testsuites"
    found = []
    for suite in root:
        cases = suite.findall("testcase")
        assert suite.tag == "testsuite" and len(cases) == int(suite.attrib["tests"])
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert len(suite.findall(f"testcase/{tag}")) == int(suite.attrib[count])
        for case in cases:
            assert set(case.attrib) == {"name", "classname", "file", "line", "time"}
            match = re.fullmatch(r"(\S+/\S+) \((\d+):\d+\)", case.attrib["name"])
            if match:
                assert [each.tag for each in case] in (["failure"], ["system-out"])
                found.append((match[1], case.attrib["file"], int(match[2])))
    for count in ("tests", "failures", "errors", "skipped"):
        assert int(root.attrib[count]) == sum(int(suite.attrib[count]) for suite in root)
    assert bool(int(root.attrib["failures"])) == any(each.severity == "error" for each in run.verdict.findings)
    assert bool(int(root.attrib["errors"])) == bool(run.verdict.reasons)
    return found


def unescape(text: str, names: dict[str, str]) -> str:
    return re.sub("|".join(names), lambda match: names[match[0]], text)


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """The workflow commands of a log as actions/runner reads them."""
    found = []
    for line in text.splitlines():
        match = re.fullmatch(r"::([a-z]+)(?: (.*?))?::(.*)", line.lstrip())
        if match:
            properties = {}
            for pair in filter(None, (match[2] or "").split(",")):
                key, _, each = pair.partition("=")
                properties[key] = unescape(each, {"%25": "%", "%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","})
            message = unescape(match[3], {"%25": "%", "%0D": "\r", "%0A": "\n"})
            found.append((match[1], properties, message))
    return found


def read_github(text: str, run: gate.Run) -> list[Row]:
    found = []
    counts = dict.fromkeys(("error", "warning", "notice"), 0)
    for name, properties, message in commands(text):
        assert name in ("error", "warning", "notice", "group", "endgroup")
        if name in counts:
            counts[name] += 1
        if "file" in properties and "not analysed" not in properties["title"]:
            rule = properties["title"].partition(":")[0]
            row = (rule, properties["file"], int(properties["line"]))
            mine = [each for each in run.verdict.findings if each.rule.id == rule and message.startswith(each.message)]
            assert mine, (rule, message)
            found.append(row)
    assert all(number <= github.LIMIT for number in counts.values())
    return found + read_concise(text, run)


def read_gitlab(text: str, run: gate.Run) -> list[Row]:
    entries = json.loads(text)
    assert isinstance(entries, list)
    for each in entries:
        assert set(each) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert each["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert re.fullmatch("[0-9a-f]{32}", each["fingerprint"]) and each["description"]
        assert isinstance(each["location"]["lines"]["begin"], int) and not each["location"]["path"].startswith("/")
    assert len({each["fingerprint"] for each in entries}) == len(entries)
    assert sum(each["check_name"] == "not-analysed" for each in entries) == len(run.verdict.reasons)
    return [
        (each["check_name"], each["location"]["path"], each["location"]["lines"]["begin"])
        for each in entries
        if each["check_name"] != "not-analysed"
    ]


def plain(cell: str) -> str:
    return entities.unescape(re.sub("<[^>]+>", "", cell)).replace("\u200b", "")


def read_markdown(text: str, run: gate.Run) -> list[Row]:
    found = []
    for line in text.splitlines():
        if line.startswith("| <code>"):
            cells = line.split("|")
            assert len(cells) == 5, line
            path, number, _ = plain(cells[1]).strip().rsplit(":", 2)
            found.append((plain(cells[2]).rsplit("/", 1)[0].split(".")[-1].strip(), path, int(number)))
            rule = re.search(r"<sub><code>(.*?)</code></sub>", cells[2])
            assert rule
            found[-1] = (plain(rule[1]), path, int(number))
    return found


class Page(HTMLParser):
    """The elements of a page, with the text below those that are findings."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.options: dict[str, str] = {}
        self._value: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._value = dict(attrs).get("value") if tag == "option" else None

    def handle_data(self, data: str) -> None:
        if self._value:
            self.options[self._value] = self.options.get(self._value, "") + data


def read_html(text: str, run: gate.Run) -> list[Row]:
    page = Page()
    page.feed(text)
    keys = [each for tag, each in page.tags if tag == "article"]
    lines = [int(each) for each in re.findall(r'<div class="meta">.*?<span>line (\d+):\d+</span>', text)]
    assert len(lines) == len(keys)
    return [
        (str(each["data-rule"]), page.options[str(each["data-file"])], line)
        for each, line in zip(keys, lines, strict=True)
    ]


def read_checkstyle(text: str, run: gate.Run) -> list[Row]:
    root = ElementTree.fromstring(text)
    assert root.tag == "checkstyle" and root.attrib["version"]
    found = []
    for file in root:
        assert file.tag == "file" and set(file.attrib) == {"name"}
        for each in file:
            assert each.tag == "error" and set(each.attrib) == {"line", "column", "severity", "message", "source"}
            assert each.attrib["severity"] in ("error", "warning", "info")
            rule = each.attrib["source"].removeprefix("elo-gate.").replace(".", "/", 1)
            if rule != "not-analysed":
                found.append((rule, file.attrib["name"], int(each.attrib["line"])))
    return found


def read_tap(text: str, run: gate.Run) -> list[Row]:
    lines = text.splitlines()
    assert lines[0] == "TAP version 14"
    points = [line for line in lines if re.match(r"(not )?ok \d+ - ", line)]
    assert lines[1] == f"1..{len(points)}"
    assert [int(re.sub("^not ", "", line).split()[1]) for line in points] == list(range(1, len(points) + 1))
    failing = [line for line in points if line.startswith("not ok") and not re.search(r"(?<!\\) # TODO", line)]
    assert len(failing) == run.verdict.count("error") + len(run.verdict.reasons)
    found = []
    for block in re.findall(r"(?ms)^  ---$(.*?)^  \.\.\.$", text):
        fields = yaml.safe_load(block)
        found.append((fields["rule"], fields["path"], fields["line"]))
    return found


READERS: dict[str, Callable[[str, gate.Run], list[Row]]] = {
    "text": read_text, "concise": read_concise, "json": read_json, "jsonl": read_jsonl, "sarif": read_sarif,
    "junit": read_junit, "github": read_github, "gitlab": read_gitlab, "markdown": read_markdown, "html": read_html,
    "checkstyle": read_checkstyle, "tap": read_tap,
}  # fmt: skip


def test_every_format_has_a_reader() -> None:
    assert set(READERS) == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_every_finding_is_there_and_the_report_is_valid(name: str, runs: dict[str, gate.Run]) -> None:
    for key, run in runs.items():
        assert sorted(READERS[name](render(run, name, OPTIONS), run)) == expected(run), key


@pytest.mark.parametrize("name", FORMATS)
def test_why_a_run_is_broken_is_there(name: str, runs: dict[str, gate.Run]) -> None:
    text = render(runs["broken"], name, OPTIONS)

    def letters(words: str) -> str:
        """What stays of a text however it is escaped."""
        return re.sub(r"[\W_]", "", re.sub(r"%[0-9A-F]{2}|\\u0023", "", entities.unescape(words)))

    for reason in runs["broken"].verdict.reasons:
        assert letters(reason) in letters(text), reason
    assert len(runs["broken"].verdict.reasons) == 3


# -- secrets


def _forms(secret: str) -> list[str]:
    """What of a secret may stand in no output: any ten characters, base64 at each offset, hex, reversed."""
    forms = [secret[at : at + 10] for at in range(len(secret) - 9)]
    forms += [secret[::-1][:10], secret.encode().hex()[:20]]
    forms += [base64.b64encode(b"x" * pad + secret.encode()).decode()[4:18] for pad in range(3)]
    return [*forms, base64.b64encode(secret.encode()).decode()[:14]]


@pytest.mark.parametrize("language", ["en", "pt-BR"])
@pytest.mark.parametrize("name", FORMATS)
def test_no_secret(name: str, language: str, runs: dict[str, gate.Run]) -> None:
    text = render(runs["secrets"], name, {**OPTIONS, "language": language})
    for output in (text, entities.unescape(text), plain(text), urllib.parse.unquote(text)):
        for key, secret in SECRETS.items():
            shown = [form for form in _forms(secret) if form in output]
            assert not shown, (key, output[max(0, output.find(shown[0]) - 200) :][:400])


# -- hostile text


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_hostile_acts(name: str, runs: dict[str, gate.Run]) -> None:
    for key in ("hostile", "broken", "let-pass"):
        text = render(runs[key], name, OPTIONS)
        assert all(letter == "\n" or letter.isprintable() for letter in text.replace("\u200b", "")), key
        assert not re.search(r"##\[|##vso\[|##teamcity\[", text), key
        lines = [line for line in text.splitlines() if line.lstrip().startswith("::")]
        assert (
            lines == []
            if name != "github"
            else all(re.match("::(error|warning|notice|group|endgroup)[: ]", each) for each in lines)
        )
    if name in ("markdown", "html"):
        assert "<img" not in text
    if name == "markdown":
        tags = set(re.findall(r"</?([a-z]+)", text))
        assert tags <= {"details", "summary", "b", "code", "br", "sub"}


def test_markdown_mentions_nobody_and_refers_to_nothing() -> None:
    shown = markdown.escape("@all #12 `x` | <b> http://x www.x.y [a](b) **c** __d__ ~e~ ![f](g)")
    assert not set("@`|<>[]*_~!#") & set(re.sub(r"&#?\w+;", "", shown)), shown
    assert plain(shown) == "@all #12 `x` | <b> http://x www.x.y [a](b) **c** __d__ ~e~ ![f](g)"
    assert not re.search("[@#](?!\u200b)", entities.unescape(shown)), "a sign and what follows must be parted"


def test_markdown_ends_before_its_limit_and_counts_the_rest(runs: dict[str, gate.Run]) -> None:
    run = runs["hostile"]
    whole = markdown.render(run)
    cut = markdown.render(run, limit=12_000)
    assert len(cut.encode()) < 12_000 < len(whole.encode())
    rows = len(read_markdown(cut, run))
    assert f"{len(run.verdict.findings) - rows} more findings do not fit here." in cut
    assert cut.count("<details") == cut.count("</details>"), "what was opened is closed"


def test_github_shows_the_most_severe_first(runs: dict[str, gate.Run]) -> None:
    order = [
        name for name, properties, _ in commands(render(runs["hostile"], "github", OPTIONS)) if "file" in properties
    ]
    assert order == sorted(order, key=("error", "warning", "notice").index)
    assert order.count("error") == github.LIMIT


def test_github_properties_come_back_as_they_were() -> None:
    values = {"file": "a,b:c%0Ad%25", "title": "x: y, z = 100%"}
    (found,) = commands(github.command("error", values, "first, line: 50%\nsecond"))
    assert found == ("error", values, "first, line: 50%\nsecond")


def test_github_and_gitlab_paths_start_at_the_repositorys_top(tree: Write) -> None:
    folder = tree({
        ".git/HEAD": "",
        "deploy/compose.production.yaml": "services:\n  db:\n    image: postgres\n    ports: ['5432:5432']\n",
    })  # fmt: skip
    run = gate.run(str(folder / "deploy"), as_of=AS_OF)
    assert "file=deploy/compose.production.yaml," in render(run, "github", {})
    assert {each["location"]["path"] for each in json.loads(render(run, "gitlab", {}))} == {
        "deploy/compose.production.yaml"
    }
    assert render(run, "concise", {}).startswith("compose.production.yaml:")


def test_gitlab_fingerprints_stay_when_lines_move(tree: Write) -> None:
    body = "services:\n  db:\n    image: postgres\n    ports: ['5432:5432']\n"
    folder = tree({"compose.production.yaml": body})
    first = {each["fingerprint"] for each in json.loads(render(gate.run(str(folder), as_of=AS_OF), "gitlab", {}))}
    tree({"compose.production.yaml": "# a line more\n\n" + body})
    assert first == {
        each["fingerprint"] for each in json.loads(render(gate.run(str(folder), as_of=AS_OF), "gitlab", {}))
    }


def test_json_lines_are_the_report_in_parts(runs: dict[str, gate.Run], root: Path) -> None:
    schema = json.loads((root / "schemas/report.schema.json").read_text())
    for run in runs.values():
        lines = [json.loads(line) for line in render(run, "jsonl", {}).splitlines()]
        parts: dict[str, list[Any]] = {"finding": [], "suppressed": [], "summary": []}
        for line in lines:
            parts[line.pop("type")].append(line)
        whole = {**parts["summary"][0], "findings": parts["finding"], "suppressed": parts["suppressed"]}
        assert whole == json.loads(render(run, "json", {}))
        jsonschema.Draft202012Validator(schema).validate(whole)


def test_inert_json_means_the_same() -> None:
    for text in ("##[x]", "###[x", "\\##[", "a\\\\##vso[", "#", "# #", "####"):
        shown = inert_json(json.dumps({text: [text]}))
        assert "##" not in shown and json.loads(shown) == {text: [text]}


def test_tap_escapes_what_would_be_a_directive() -> None:
    assert tap.description("a # TODO b \\ c\nd") == "a \\# TODO b \\\\ c\\\\nd"


def test_words_in_backticks_are_code_and_a_single_one_is_text() -> None:
    assert markup.prose("Write `USER <1>` now") == "Write <code>USER &lt;1&gt;</code> now"
    assert markup.prose("a ` b") == "a ` b"
    assert markup.prose("`a` and ` b <i>") == "<code>a</code> and ` b &lt;i&gt;"


# -- languages


@pytest.mark.parametrize("name", [name for name, takes in FORMATS.items() if "language" in takes])
def test_reports_for_people_speak_portuguese(name: str, runs: dict[str, gate.Run]) -> None:
    text = plain(render(runs["plain"], name, {"language": "pt-BR"}))
    assert "Bloqueado" in text and "Blocked" not in text
    assert "compose/data-store-published" in text, "ids stay"


def test_machine_formats_have_no_language(runs: dict[str, gate.Run]) -> None:
    for name, takes in FORMATS.items():
        if "language" not in takes:
            assert render(runs["plain"], name, {"language": "pt-BR"}) == render(runs["plain"], name, {})


# -- the command line


def elo_gate(*arguments: str, cwd: Path, seed: str = "0") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", "elo_gate", "check", ".", "--as-of", AS_OF, *arguments],
        cwd=cwd, capture_output=True, text=True, encoding="utf-8", timeout=120, env=environment, check=False,
    )  # fmt: skip


def test_one_run_writes_all_formats_and_the_same_bytes_again(
    tree: Write, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = trees(tree)["services"]
    made = []
    for seed in ("1", "2"):
        out = tmp_path_factory.mktemp("out")
        done = elo_gate(*(part for name in FORMATS for part in ("-o", f"{name}={out / name}")), cwd=folder, seed=seed)
        assert done.returncode == 1, done.stderr
        assert sorted(each.name for each in out.iterdir()) == sorted(FORMATS), "no half file stays"
        made.append({name: (out / name).read_bytes() for name in FORMATS})
    assert made[0] == made[1]
    for name, data in made[0].items():
        assert data.endswith(b"\n") and b"\r" not in data and str(folder).encode() not in data, name


def test_a_report_that_cannot_be_written_leaves_what_was_there(tree: Write, tmp_path: Path) -> None:
    folder = trees(tree)["plain"]
    taken = tmp_path / "taken"
    taken.mkdir()
    done = elo_gate("-o", f"html={taken}", cwd=folder)
    assert done.returncode == 2 and "cannot be written" in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.part"))
    assert elo_gate("-o", f"html={tmp_path / 'no' / 'folder'}", cwd=folder).returncode == 2


def test_an_unknown_format_names_those_there_are(tree: Write) -> None:
    done = elo_gate("-o", "pdf=x", cwd=trees(tree)["plain"])
    assert done.returncode == 2
    assert all(name in done.stderr for name in FORMATS)


def test_a_format_is_imported_when_it_is_asked_for(tree: Write) -> None:
    folder = trees(tree)["services"]
    script = (
        "import sys\nfrom elo_gate.cli import cli\n"
        "try:\n    cli(['check', '.', '-f', sys.argv[1]])\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write('MODULES ' + ' '.join(sys.modules))"
    )
    mine = {f"elo_gate.report.{name}" for name in (*FORMATS, "graph", "html_style", "html_findings", "markup")}
    expect = {"text": {"elo_gate.report.text"}, "concise": {"elo_gate.report.concise"}}
    for name, modules in expect.items():
        done = subprocess.run(
            [sys.executable, "-c", script, name], cwd=folder, capture_output=True, text=True, timeout=120, check=True
        )
        assert set(done.stderr.rpartition("MODULES ")[2].split()) & mine == modules


def test_the_documentation_lists_every_format(root: Path) -> None:
    rows = re.findall(r"(?m)^\| `([a-z]+)` \|", (root / "docs/formats.md").read_text())
    assert rows == list(FORMATS)
