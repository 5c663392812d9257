"""The HTML report in a real, headless Chromium: nothing on the console, no request, filters work, hostile text inert."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import re
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from elo_gate import gate
from elo_gate.report import graph, html
from elo_gate.report.html_style import STYLE

Write = Callable[[dict[str, str]], Path]

AS_OF = "2026-11-25"


def chromium() -> str | None:
    """A Chromium on this machine: ELO_GATE_CHROMIUM, else one on the path."""
    named = os.environ.get("ELO_GATE_CHROMIUM")
    names = [named] if named else ["chromium", "chromium-browser", "google-chrome", "chrome", "headless_shell"]
    return next((found for name in names if (found := shutil.which(name))), None)


class Browser:
    """Chromium spoken to through two pipes (`--remote-debugging-pipe`): no port, no library."""

    def __init__(self, program: str, home: Path) -> None:
        theirs, self.write = os.pipe()
        self.read, other = os.pipe()
        # The child finds its ends at 3 and 4, whatever numbers they have here.
        starter = 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
                 "--no-first-run", "--disable-background-networking", f"--user-data-dir={home}", "about:blank"]  # fmt: skip
        self.process = subprocess.Popen(
            ["bash", "-c", starter, "bash", str(theirs), str(other), program, *flags],
            pass_fds=(theirs, other), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs)
        os.close(other)
        self.rest = b""
        self.number = 0
        self.events: list[dict[str, Any]] = []
        self.session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Security"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Asks and waits for the answer; events on the way are kept."""
        self.number += 1
        message: dict[str, Any] = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next(60)
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def _next(self, seconds: float) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.read], [], [], max(0, end - time.monotonic()))
            assert ready, "Chromium does not answer"
            data = os.read(self.read, 1 << 20)
            assert data, "Chromium ended"
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\0")
        found: dict[str, Any] = json.loads(line)
        return found

    def open(self, page: Path) -> None:
        """Loads a page and forgets what was before."""
        self.events.clear()
        self.call("Page.navigate", url=page.as_uri())
        while not any(each.get("method") == "Page.loadEventFired" for each in self.events):
            self.events.append(self._next(60))

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def emulate(self, width: int = 1280, scheme: str = "light", media: str = "") -> None:
        """A window of a width, a colour scheme, a medium."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)

    def screenshot(self, path: Path, whole: bool = True) -> None:
        """What the page looks like."""
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))

    def complaints(self) -> list[str]:
        """What the console says, exceptions and violations of the policy."""
        found = []
        for each in self.events:
            if each.get("method") in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
                found.append(json.dumps(each["params"])[:500])
        return found

    def requests(self) -> list[str]:
        """The addresses of everything that was asked for and not stopped by the page's own policy."""
        stopped = {
            each["params"]["requestId"]
            for each in self.events
            if each.get("method") == "Network.loadingFailed" and each["params"].get("blockedReason") == "csp"
        }
        asked = [each["params"] for each in self.events if each.get("method") == "Network.requestWillBeSent"]
        urls = [each["request"]["url"] for each in asked if each["requestId"] not in stopped]
        return [url for url in urls if not url.startswith("data:")]

    def close(self) -> None:
        self.process.kill()
        self.process.wait(30)
        os.close(self.read)
        os.close(self.write)


# -- the trees

TAG = '"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script><style>*{display:none}</style>'
TREE = {
    "package.json": '{"name": "web", "scripts": {"start": "next start"}, "dependencies": {"next": "16.0.0"}}\n',
    "next.config.js": "module.exports = {}\n",
    "Dockerfile": 'FROM node:24\nEXPOSE 8080\nCMD ["npm", "start"]\n',
    "compose.yaml": "services:\n  web:\n    build: .\n    ports: ['80:3000']\n  proxy:\n    image: nginx\n    ports: ['443:443']\n"
    f"  {json.dumps(TAG)}:\n    image: 'x:latest'\n    privileged: true\n"
    '  "a\\u202e\\u2066b": {image: "y:latest", network_mode: host, environment: {LONG: "' + "x" * 500 + '"}}\n',
    "k8s/production/<img src=x onerror=pwned=1>\u202e.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n"
    f"spec: {{containers: [{{name: c, image: 'x:latest', args: ['{TAG}']}}]}}\n",
    ".github/workflows/deploy.yml": "on: push\njobs:\n  ship:\n    runs-on: ubuntu-latest\n    steps:\n      - run: vercel --prod\n",
    "vercel.json": '{"regions": ["gru1"]}\n',
    "elo-gate.toml": f"[[ignore]]\nrule = \"docker/no-healthcheck\"\npath = \"**\"\nreason = '''{TAG}'''\n",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> gate.Run:
    folder = tmp_path_factory.mktemp("tree")
    for name, text in TREE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return gate.run(str(folder), as_of=AS_OF)


@pytest.fixture(scope="module")
def page(run: gate.Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html.render(run), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium here: install one, or name it in ELO_GATE_CHROMIUM")
    started = Browser(program, tmp_path_factory.mktemp("chromium"))
    yield started
    started.close()


# -- without a browser


class Reader(HTMLParser):
    """The elements of a page in order; every one must be closed where it was opened."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br", "input", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, (tag, self.open[-3:])
        self.open.pop()


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    assert reader.open == [], "every element is closed"
    return reader


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_the_page_is_well_formed_and_its_links_lead_somewhere(run: gate.Run, language: str) -> None:
    reader = read(html.render(run, language))
    ids = [str(each["id"]) for _, each in reader.elements if "id" in each]
    assert len(ids) == len(set(ids))
    for tag, each in reader.elements:
        target = str(each.get("href", ""))
        if tag == "a":
            assert target.startswith("#") and target[1:] in ids, target
        for name in ("aria-labelledby", "for"):
            assert all(part in ids for part in str(each.get(name, "")).split()), each
    assert reader.elements[0][1] == {"lang": language}


def test_headings_are_in_order_and_landmarks_are_there(run: gate.Run) -> None:
    names = [tag for tag, _ in read(html.render(run)).elements]
    levels = [int(tag[1]) for tag in names if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert [names.count(each) for each in ("header", "main", "nav", "footer", "h1")] == [1] * 5


def test_nothing_comes_from_elsewhere_and_only_what_has_its_digest_named_is_inline(run: gate.Run) -> None:
    text = html.render(run)
    reader = read(text)
    for tag, each in reader.elements:
        assert not [name for name in each if name.startswith("on") or name in ("src", "style", "action", "srcdoc")], (
            each
        )
        assert "://" not in str(each.get("href", ""))
        assert tag not in ("img", "iframe", "object", "embed", "base")
    (policy,) = [str(each["content"]) for _, each in reader.elements if each.get("http-equiv")]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    for name in ("style", "script"):
        (body,) = re.findall(f"<{name}>(.*?)</{name}>", text, re.S)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy


def test_the_drawing_has_words_and_a_table(run: gate.Run) -> None:
    text = html.render(run)
    (drawing,) = re.findall("<svg class=.drawing.*?</svg>", text, re.S)
    assert "<title" in drawing and "<desc" in drawing
    table = text.partition("The same as a table")[2].partition("</table>")[0]
    assert drawing.count('<g class="card') == table.count('scope="row"') > 4
    for words in ("Dockerfile:1", "compose.yaml:2", "vercel.json:1", "deploy.yml:3"):
        assert words in table and words in drawing


def test_a_broken_link_shows_the_number_of_its_finding(run: gate.Run) -> None:
    broken = [wire for band in graph.of(run) for wire in band.wires if wire.findings]
    assert broken, "the pipeline deploys past its gates"
    text = html.render(run)
    for wire in broken:
        number = wire.findings[0]
        assert f'href="#f{number}" class="mark' in text
        assert run.verdict.findings[number - 1].severity != "note"


@pytest.mark.parametrize(
    "files", [{"README": ""}, {".env.production": "A=b\n"}, {"compose.production.yaml": "services: [\n"}]
)
def test_a_tree_without_services_has_a_page_without_a_drawing(tree: Write, files: dict[str, str]) -> None:
    text = html.render(gate.run(str(tree(files)), as_of=AS_OF))
    read(text)
    assert "<svg" not in text


def test_a_drawing_that_cannot_be_made_is_said_so(run: gate.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "of", lambda run: 1 // 0)
    assert "The drawing could not be made: ZeroDivisionError." in html.render(run)


def _light(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(each * 2 for each in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_can_be_read() -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text, on each ground that it stands on, in light, dark and print."""
    bodies = re.findall(r":root\{(.*?)\}", STYLE, re.S)
    schemes = [dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{3,6})", body)) for body in bodies]
    assert len(schemes) == 3
    for scheme in schemes:
        colours = {**schemes[0], **scheme}
        pairs = [(ink, ground) for ink in ("text", "muted", "link") for ground in ("bg", "panel", "code", "soft")]
        tones = ("error", "warning", "note", "passed", "broken")
        pairs += [(tone, ground) for tone in tones for ground in ("panel", f"{tone}-bg")] + [("text", "mark")]
        for ink, ground in pairs:
            one, other = sorted((_light(colours[ink]), _light(colours[ground])))
            assert (other + 0.05) / (one + 0.05) >= 4.5, (ink, ground, colours[ink], colours[ground])


# -- in Chromium

SHOWN = "[...document.querySelectorAll('.finding')].filter(each => each.offsetParent).length"
PAUSE = "new Promise(done => setTimeout(done, 200))"


def test_the_console_is_silent_and_nothing_is_asked_for(browser: Browser, page: Path) -> None:
    browser.emulate()
    browser.open(page)
    browser.run(PAUSE)
    assert browser.complaints() == []
    assert browser.requests() == [page.as_uri()]


def test_hostile_text_is_only_text(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.run("window.pwned") is None
    assert browser.run("document.querySelectorAll('script').length") == 1
    assert browser.run("document.querySelectorAll('style').length") == 1
    assert browser.run("document.querySelectorAll('img').length") == 0
    assert browser.run("document.body.innerText.includes('onerror=')"), "it is there to be read"
    assert browser.run(r"/[\u202a-\u202e\u2066-\u2069]/.test(document.documentElement.outerHTML)") is False


def test_the_policy_stops_what_is_put_in_later(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run("{const e = document.createElement('script'); e.text = 'window.late = 1'; document.body.append(e); 1}")
    browser.run("document.body.insertAdjacentHTML('beforeend', '<img src=https://example.invalid/x.png>')")
    browser.run(PAUSE)
    assert browser.run("window.late") is None
    assert [each for each in browser.requests() if "example.invalid" in each] == []
    assert len(browser.complaints()) >= 2


def test_filters(browser: Browser, page: Path, run: gate.Run) -> None:
    browser.emulate()
    browser.open(page)
    findings = run.verdict.findings
    assert browser.run(SHOWN) == len(findings)

    def set_to(name: str, value: str | bool) -> int:
        field = f"document.querySelector('#filter').elements[{json.dumps(name)}]"
        what = "checked" if isinstance(value, bool) else "value"
        event = f"{field}.dispatchEvent(new Event('change', {{bubbles: true}}))"
        browser.run(f"{field}.{what} = {json.dumps(value)}; {event}")
        return int(browser.run(SHOWN))

    assert set_to("error", False) == run.verdict.count("warning") + run.verdict.count("note")
    assert set_to("error", True) == len(findings)
    rule = findings[0].rule.id
    assert set_to("rule", rule) == sum(each.rule.id == rule for each in findings)
    set_to("rule", "")
    path = findings[-1].source.path
    keys = browser.run("[...document.querySelectorAll('.file h3')].map(each => each.id)")
    assert set_to("file", keys[-1]) == sum(each.source.path == path for each in findings)
    assert browser.run("[...document.querySelectorAll('.file')].filter(each => each.offsetParent).length") == 1
    set_to("file", "")
    assert set_to("words", "no such words anywhere") == 0
    assert browser.run("document.querySelector('#filter output').textContent") == f"0 of {len(findings)} findings shown"
    browser.run("document.querySelector('#filter button').click()")
    browser.run(PAUSE)
    assert browser.run(SHOWN) == len(findings)


def test_a_link_to_a_finding_that_is_filtered_away_brings_it_back(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run("document.querySelector('#filter').elements.words.value = 'zzzz'")
    browser.run("document.querySelector('#filter').dispatchEvent(new Event('input'))")
    assert browser.run(SHOWN) == 0
    browser.run("document.querySelector('.clauses a').click()")
    browser.run(PAUSE)
    assert browser.run("document.querySelector(location.hash).offsetParent !== null")


def test_without_the_script_everything_is_shown(browser: Browser, page: Path, run: gate.Run) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(page)
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.run(SHOWN) == len(run.verdict.findings)
    assert browser.run("document.querySelector('#filter').offsetParent === null")


def test_everything_that_can_be_used_has_a_name(browser: Browser, page: Path) -> None:
    browser.open(page)
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    used = ("link", "button", "checkbox", "combobox", "searchbox", "form", "navigation", "region", "article")
    found = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node.get("ignored") and node.get("role", {}).get("value") in used
    ]
    assert {role for role, _ in found} >= {"link", "button", "checkbox", "combobox", "navigation", "article"}
    assert [each for each in found if not each[1].strip()] == []


def test_the_keyboard_reaches_the_drawing_and_the_focus_is_seen(browser: Browser, page: Path) -> None:
    browser.open(page)
    seen = []
    for _ in range(40):
        for kind in ("rawKeyDown", "keyUp"):
            browser.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        one = "document.activeElement"
        seen.append(
            browser.run(f"({one}.className.baseVal ?? {one}.className) + '|' + getComputedStyle({one}).outlineStyle")
        )
    assert seen[0].startswith("skip|")
    assert any(each.startswith("mark") for each in seen), "the marks in the drawing"
    assert any(each.startswith("scroll|") and not each.endswith("none") for each in seen), "what scrolls"


def test_dark_narrow_and_print(browser: Browser, page: Path) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    browser.emulate(1280, "light")
    browser.open(page)
    light = browser.run(ground)
    browser.emulate(1280, "dark")
    assert browser.run(ground) != light
    browser.emulate(360, "light")
    assert browser.run("document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off at the side"
    browser.emulate(794, "dark", "print")
    assert browser.run(ground) == "rgb(255, 255, 255)"
    for each in ("nav", "#filter"):
        assert browser.run(f"document.querySelector('{each}').offsetParent === null"), each
    browser.emulate()


def test_the_page_of_the_guide(browser: Browser, guide: Path, tmp_path: Path) -> None:
    done = gate.run(str(guide), as_of=AS_OF)
    path = tmp_path / "guide.html"
    path.write_text(html.render(done), encoding="utf-8")
    browser.emulate(360)
    browser.open(path)
    assert browser.run(SHOWN) == len(done.verdict.findings)
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    assert browser.complaints() == [] and browser.requests() == [path.as_uri()]
    browser.emulate()
