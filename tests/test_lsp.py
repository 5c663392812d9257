"""The editor's server: what it judges as one types, where it points, and what it says over stdin and stdout."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elo_gate.lsp import actions, hover, positions
from elo_gate.lsp.workspace import Workspace
from elo_gate.model import Source
from elo_gate.ruleset.load import load

Write = Callable[[dict[str, str]], Path]

AS_OF = "2026-11-25"
SOUND = "services:\n  app:\n    image: ghcr.io/acme/app:1.2.3\n    restart: always\n"
PUBLISHED = SOUND + '  db:\n    image: postgres:18.1\n    ports: ["5432:5432"]\n    restart: always\n'
DATABASE = "compose/data-store-published"
PATH = "compose.production.yaml"


# -- positions


@given(st.text(alphabet="aé€😀\t\n", max_size=40), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_positions_lead_back(text: str, encoding: str) -> None:
    source = Source("x", text)
    for at in range(len(text) + 1):
        assert positions.offset(source, *positions.place(source, at, encoding), encoding) == at


def test_columns_are_utf_16() -> None:
    source = Source("x", "a😀b\né€x\r\n")
    assert positions.place(source, 2) == (0, 3) and positions.place(source, 2, "utf-32") == (0, 2)
    assert positions.place(source, 2, "utf-8") == (0, 5)
    assert positions.offset(source, 0, 3) == 2
    assert positions.offset(source, 1, 99) == 7, "behind the end of a line is its end"
    assert positions.offset(source, 9, 0) == len(source.text)


# -- judging


def rules(found: Workspace, path: str = PATH) -> list[tuple[str, int]]:
    seen = found.seen.get(path)
    return [(each.rule.id, each.source.position(each.start)[0]) for each in seen.findings] if seen is not None else []


def test_the_text_of_the_editor_counts(tree: Write) -> None:
    found = Workspace(str(tree({PATH: SOUND})), AS_OF)
    found.judge({})
    assert DATABASE not in dict(rules(found))
    assert found.judge_one(PATH, {PATH: PUBLISHED}) == {PATH}
    assert (DATABASE, 7) in rules(found)
    found.judge_one(PATH, {PATH: "# one line more\n" + PUBLISHED})
    assert (DATABASE, 8) in rules(found)
    found.judge({})
    assert DATABASE not in dict(rules(found))


APP = {
    "package.json": '{"name": "app", "dependencies": {"next": "16.0.7"}}',
    "next.config.js": "module.exports = { output: 'standalone' };\n",
    "Dockerfile": "FROM node:24.11.1-alpine\nWORKDIR /app\nCOPY . .\nUSER 1001\nEXPOSE 3000\nENV PORT=8080\nCMD [\"node\", \"server.js\"]\n",
    "k8s/production/app.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\nspec:\n  replicas: 3\n  selector: {matchLabels: {app: app}}\n"
    "  template:\n    metadata: {labels: {app: app}}\n    spec:\n      containers:\n        - name: app\n          image: ghcr.io/acme/app:1.2.3\n"
    "          ports: [{containerPort: 3000}]\n",
}  # fmt: skip


def test_one_file_alone_says_what_the_tree_says(tree: Write) -> None:
    folder = tree(APP)
    found = Workspace(str(folder), AS_OF)
    found.judge({})
    for path in [path for path in APP if path in found.seen]:
        whole = sorted(rules(found, path))
        found.judge_one(path, {})
        assert sorted(rules(found, path)) == whole, path


def test_the_guide_typed_in_is_the_guide(guide: Path) -> None:
    found = Workspace(str(guide), AS_OF)
    found.judge({})
    for path in sorted(found.seen):
        whole = sorted(rules(found, path))
        text = Source(path, (guide / path).read_text(encoding="utf-8")).text
        found.judge_one(path, {path: text + "\n"})
        found.judge_one(path, {path: text})
        assert sorted(rules(found, path)) == whole, path


def test_a_file_that_does_not_parse_keeps_what_was_known(tree: Write) -> None:
    found = Workspace(str(tree({PATH: PUBLISHED})), AS_OF)
    found.judge({})
    before = rules(found)
    found.judge_one(PATH, {PATH: PUBLISHED + "  x: [\n"})
    (trouble,) = found.seen[PATH].troubles
    assert trouble.code == "not-analysed" and rules(found) == before
    found.judge_one(PATH, {PATH: PUBLISHED})
    assert not found.seen[PATH].troubles and rules(found) == before


def test_a_line_that_is_gone_takes_its_finding_with_it(tree: Write) -> None:
    found = Workspace(str(tree({PATH: PUBLISHED})), AS_OF)
    found.judge({})
    found.judge_one(PATH, {PATH: SOUND + "  x: [\n"})
    assert DATABASE not in dict(rules(found))


def test_a_refused_configuration_is_told_and_forgotten(tree: Write) -> None:
    folder = tree({PATH: PUBLISHED, "elo-gate.toml": "fail_onn = 1\n"})
    found = Workspace(str(folder), AS_OF)
    found.judge({})
    assert "did you mean" in found.error
    (folder / "elo-gate.toml").unlink()
    found.judge({})
    assert found.error == "" and DATABASE in dict(rules(found))


def test_what_lies_outside_is_not_judged(tree: Write) -> None:
    folder = tree({"a/" + PATH: SOUND, "b/" + PATH: SOUND})
    found = Workspace(str(folder / "a"), AS_OF)
    assert found.below(str(folder / "a" / PATH)) == PATH and found.below(str(folder / "b" / PATH)) is None


# -- pages and offers


def test_every_rule_has_a_page() -> None:
    ruleset = load()
    for identifier in ruleset.ids:
        page = hover.page(ruleset, identifier)
        assert identifier in page and "**Why** " in page and "**Fix** " in page
        assert page.count("\n```") % 2 == 0


def test_offers_are_the_edits_of_the_rules(tree: Write) -> None:
    text = 'version: "3.8"\n' + PUBLISHED
    found = Workspace(str(tree({PATH: text})), AS_OF)
    found.judge({PATH: text})
    offers = [each for each in actions.actions(found.seen[PATH], 0, len(text), {PATH: text}) if "mend" in each.title]
    assert offers, "compose/version-obsolete knows its edit"
    mended = text
    for _, start, end, new in sorted(offers[0].edits, key=lambda each: -each[1]):
        mended = mended[:start] + new + mended[end:]
    identifier = offers[0].finding.rule.id
    found.judge({PATH: mended})
    assert identifier not in dict(rules(found))
    # What was judged with another text than the editor's gets no offer: the places would be wrong.
    found.judge({PATH: text})
    assert actions.actions(found.seen[PATH], 0, len(text), {PATH: "# x\n" + text}) == []


@pytest.mark.parametrize(
    ("path", "text", "rule", "line", "comment"),
    [
        (PATH, PUBLISHED, DATABASE, 7, f"    # elo-gate: ignore[{DATABASE}] "),
        ("Dockerfile", "FROM node:24.11.1\r\nCMD node x.js\r\n", "docker/unpinned-image", 1, "# elo-gate: ignore[docker/unpinned-image] \r"),
        (".env.production", "A=1\nA=2\n", "env/duplicate-name", 2, "# elo-gate: ignore[env/duplicate-name] "),
    ],
)  # fmt: skip
def test_an_exception_stands_where_it_covers_and_wants_a_reason(
    path: str, text: str, rule: str, line: int, comment: str, tree: Write
) -> None:
    found = Workspace(str(tree({})), AS_OF)
    found.judge({path: text})
    offers = [
        each for each in actions.actions(found.seen[path], 0, len(text), {path: text}) if "let pass" in each.title
    ]
    (offer,) = (each for each in offers if each.finding.rule.id == rule)
    ((_, start, end, new),) = offer.edits
    fixed = actions.actions(found.seen[path], 0, len(text), {path: text}, lambda _: True)
    assert not [each for each in fixed if "let pass" in each.title], "what nothing lets pass has no such offer"
    made = text[:start] + new + text[end:]
    assert made.split("\n")[line - 1] == comment and not offer.safe
    found.judge({path: made})
    assert "policy/" in " ".join(dict(rules(found, path))), "a comment without a reason is a finding"
    found.judge({path: made.replace("] ", "] the lab reaches it from outside", 1)})
    assert rule not in dict(rules(found, path))


def test_json_has_no_place_for_an_exception(tree: Write) -> None:
    text = '{"regions": ["xyz9"]}\n'
    found = Workspace(str(tree({})), AS_OF)
    found.judge({"vercel.json": text})
    assert found.seen["vercel.json"].findings
    assert not [each for each in actions.actions(found.seen["vercel.json"], 0, 99, {}) if "let pass" in each.title]


# -- over stdin and stdout


class Client:
    """An editor: sends, and hands out what comes back by kind."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "elo_gate", "lsp"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ},
        )  # fmt: skip
        self.folder = folder
        self.number = 0
        self.came: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.kept: list[dict[str, Any]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while True:
            length = 0
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if line == b"":
                self.came.put(None)
                return
            self.came.put(json.loads(stream.read(length)))

    def send(self, method: str, params: Any, number: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if number is not None:
            message["id"] = number
        data = json.dumps(message).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(data) + data)
        self.process.stdin.flush()

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        for each in self.kept:
            if wanted(each):
                self.kept.remove(each)
                return each
        while True:
            message = self.came.get(timeout=60)
            assert message is not None, "the server ended"
            if wanted(message):
                return message
            self.kept.append(message)

    def ask(self, method: str, params: Any) -> Any:
        self.number += 1
        number = self.number
        self.send(method, params, number)
        answer = self.until(lambda each: each.get("id") == number and "method" not in each)
        assert "error" not in answer, answer
        return answer["result"]

    def uri(self, path: str) -> str:
        return (self.folder / path).as_uri()

    def diagnostics(self, path: str, wanted: Callable[[list[Any]], bool] = lambda _: True) -> list[Any]:
        def fits(each: dict[str, Any]) -> bool:
            if each.get("method") != "textDocument/publishDiagnostics" or each["params"]["uri"] != self.uri(path):
                return False
            return wanted(each["params"]["diagnostics"])

        found: list[Any] = self.until(fits)["params"]["diagnostics"]
        return found

    def begin(self, **capabilities: Any) -> Any:
        folders = [{"uri": self.folder.as_uri(), "name": "x"}]
        params = {
            "processId": None,
            "rootUri": self.folder.as_uri(),
            "capabilities": capabilities,
            "workspaceFolders": folders,
        }
        answer = self.ask("initialize", params)
        self.send("initialized", {})
        return answer

    def open(self, path: str, text: str) -> None:
        document = {"uri": self.uri(path), "languageId": "yaml", "version": 1, "text": text}
        self.send("textDocument/didOpen", {"textDocument": document})

    def type(self, path: str, version: int, *changes: dict[str, Any]) -> None:
        document = {"uri": self.uri(path), "version": version}
        self.send("textDocument/didChange", {"textDocument": document, "contentChanges": list(changes)})


@pytest.fixture
def client(tree: Write) -> Iterator[Callable[[dict[str, str]], Client]]:
    pytest.importorskip("pygls", reason="the extra elo-gate[lsp] is not installed")
    started: list[Client] = []

    def begin(files: dict[str, str]) -> Client:
        started.append(Client(tree(files)))
        return started[-1]

    yield begin
    for each in started:
        each.process.kill()
        each.process.wait()


def codes(found: list[Any]) -> dict[str, Any]:
    return {each["code"]: each for each in found}


def test_from_opening_to_ending(client: Callable[[dict[str, str]], Client]) -> None:
    editor = client({PATH: SOUND})
    abilities = editor.begin()["capabilities"]
    assert abilities["positionEncoding"] == "utf-16" and abilities["hoverProvider"]
    assert abilities["codeActionProvider"]["codeActionKinds"] == ["quickfix"]
    editor.open(PATH, PUBLISHED)
    found = codes(editor.diagnostics(PATH))[DATABASE]
    assert found["severity"] == 1 and found["source"] == "elo-gate" and "\nfix: " in found["message"]
    assert found["range"] == {"start": {"line": 6, "character": 12}, "end": {"line": 6, "character": 23}}
    page = editor.ask(
        "textDocument/hover", {"textDocument": {"uri": editor.uri(PATH)}, "position": {"line": 6, "character": 14}}
    )
    assert page["contents"]["kind"] == "markdown" and DATABASE in page["contents"]["value"]
    nothing = editor.ask(
        "textDocument/hover", {"textDocument": {"uri": editor.uri(PATH)}, "position": {"line": 0, "character": 0}}
    )
    assert nothing is None
    assert editor.ask("shutdown", None) is None
    editor.send("exit", None)
    assert editor.process.wait(30) == 0


def test_an_editor_that_is_gone_ends_the_server(client: Callable[[dict[str, str]], Client]) -> None:
    editor = client({PATH: SOUND})
    editor.begin()
    assert editor.process.stdin is not None
    editor.process.stdin.close()
    assert editor.process.wait(30) == 1


def test_typing_changes_the_diagnostics(client: Callable[[dict[str, str]], Client]) -> None:
    editor = client({PATH: PUBLISHED})
    editor.begin()
    editor.open(PATH, PUBLISHED)
    assert DATABASE in codes(editor.diagnostics(PATH))
    span = {"start": {"line": 6, "character": 13}, "end": {"line": 6, "character": 13}}
    editor.type(PATH, 2, {"range": span, "text": "127.0.0.1:"})
    assert DATABASE not in codes(editor.diagnostics(PATH, lambda found: DATABASE not in codes(found)))
    editor.type(PATH, 3, {"text": PUBLISHED + "  x: [\n"})
    assert "not-analysed" in codes(editor.diagnostics(PATH, lambda found: "not-analysed" in codes(found)))
    # Closed without saving: what is on disk counts again.
    editor.send("textDocument/didClose", {"textDocument": {"uri": editor.uri(PATH)}})
    assert DATABASE in codes(editor.diagnostics(PATH, lambda found: DATABASE in codes(found)))


def test_columns_over_the_wire_are_the_client_s(client: Callable[[dict[str, str]], Client]) -> None:
    flow = 'services:\n  app: {image: "ghcr.io/acme/app:1.2.3", restart: always}\n  db: {labels: {a: "😀"}, image: "postgres:18.1", ports: ["5432:5432"], restart: always}\n'
    editor = client({PATH: flow})
    editor.begin()
    editor.open(PATH, flow)
    found = codes(editor.diagnostics(PATH))[DATABASE]["range"]
    line = flow.splitlines()[2]
    before = line[: line.index("[")]
    assert found["start"]["line"] == 2
    start = line.encode("utf-16-le")[: 2 * found["start"]["character"]].decode("utf-16-le")
    assert start in (before, before + "["), start


def test_quick_fixes_over_the_wire(client: Callable[[dict[str, str]], Client]) -> None:
    text = "# 😀\n" + PUBLISHED
    editor = client({PATH: text})
    editor.begin()
    editor.open(PATH, text)
    at = codes(editor.diagnostics(PATH))[DATABASE]["range"]
    asked = {"textDocument": {"uri": editor.uri(PATH)}, "range": at, "context": {"diagnostics": []}}
    offers = editor.ask("textDocument/codeAction", asked)
    (offer,) = (each for each in offers if each["title"].startswith(DATABASE + ": let pass"))
    assert offer["kind"] == "quickfix" and offer["isPreferred"] is False and offer["diagnostics"][0]["code"] == DATABASE
    ((uri, (edit,)),) = offer["edit"]["changes"].items()
    line = {"line": 7, "character": 0}
    assert uri == editor.uri(PATH) and edit["range"] == {"start": line, "end": line}
    editor.type(PATH, 2, {"range": edit["range"], "text": edit["newText"].replace("] ", "] the lab needs it")})
    assert DATABASE not in codes(editor.diagnostics(PATH, lambda found: DATABASE not in codes(found)))


def test_saving_judges_the_tree(client: Callable[[dict[str, str]], Client]) -> None:
    editor = client({PATH: SOUND})
    editor.begin()
    editor.open(PATH, SOUND)
    editor.diagnostics(PATH)
    (editor.folder / "other").mkdir()
    (editor.folder / "other" / PATH).write_text(PUBLISHED)
    editor.send("textDocument/didSave", {"textDocument": {"uri": editor.uri(PATH)}})
    assert DATABASE in codes(editor.diagnostics("other/" + PATH)), "files that are not open are shown too"
    (editor.folder / "other" / PATH).unlink()
    editor.send("workspace/didChangeWatchedFiles", {"changes": []})
    assert editor.diagnostics("other/" + PATH) == []


def test_a_configuration_that_is_refused_is_said_once(client: Callable[[dict[str, str]], Client]) -> None:
    editor = client({PATH: SOUND, "elo-gate.toml": "fail_onn = 1\n"})
    editor.begin()
    editor.open(PATH, SOUND)
    said = editor.until(lambda each: each.get("method") == "window/showMessage")["params"]
    assert said["type"] == 1 and "did you mean" in said["message"]


def test_no_value_goes_over_the_wire(client: Callable[[dict[str, str]], Client]) -> None:
    secret = "kJ8s0dPq2LmN5vXz7RtY"
    text = f"NODE_ENV=production\nSESSION_SECRET={secret}\nDATABASE_URL=postgres://app:{secret}@localhost/db\nbroken {secret}\n"
    editor = client({".env.production": text, "package.json": '{"dependencies": {"next": "16.0.7"}}'})
    editor.begin()
    editor.open(".env.production", text)
    found = editor.diagnostics(".env.production")
    assert found and secret not in json.dumps(found)
    for each in found:
        asked = {"textDocument": {"uri": editor.uri(".env.production")}, "position": each["range"]["start"]}
        assert secret not in json.dumps(editor.ask("textDocument/hover", asked))


def test_what_is_no_file_is_passed_over(client: Callable[[dict[str, str]], Client]) -> None:
    editor = client({PATH: PUBLISHED})
    editor.begin()
    document = {"uri": "untitled:Untitled-1", "languageId": "yaml", "version": 1, "text": PUBLISHED}
    editor.send("textDocument/didOpen", {"textDocument": document})
    assert (
        editor.ask(
            "textDocument/hover",
            {"textDocument": {"uri": "untitled:Untitled-1"}, "position": {"line": 6, "character": 14}},
        )
        is None
    )
    editor.open(PATH, PUBLISHED)
    assert DATABASE in codes(editor.diagnostics(PATH))
