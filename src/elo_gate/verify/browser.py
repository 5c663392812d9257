"""Turns pages into what a real Chromium says about them: violations of their policy, errors, a picture.

Chromium is started headless with a profile of its own that is removed, and spoken to through two pipes
(`--remote-debugging-pipe`, chromedevtools.github.io/devtools-protocol, looked up 2026-11-25): no port is opened, and
messages are JSON that end in a zero byte.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .ask import BYPASS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless_shell")
_FLAGS = (
    "--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-component-update", "--disable-breakpad", "--disable-sync",
    "--disable-extensions", "--remote-debugging-pipe",
)  # fmt: skip
_PATIENCE = 30.0  # seconds for Chromium to start, and for it to answer a command
_QUIET = 1.0  # seconds after loading in which scripts may still complain
_MESSAGE = 32 << 20  # bytes of one message: a picture is the largest
_MOST = 50  # complaints that are kept
_EVENTS = 1_000
_NOTED = ("Audits.issueAdded", "Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")


class BrowserError(Exception):
    """Chromium cannot be used; the text says why."""


@dataclass(slots=True)
class Page:
    """What happened on one page. `violations` are (directive, what was refused, only reported); `failed`: why the page
    did not load."""

    path: str
    violations: list[tuple[str, str, bool]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    failed: str = ""

    def told(self) -> dict[str, Any]:
        """It as plain data."""
        return {
            "path": self.path,
            "violations": [
                {"directive": directive, "refused": what, "report_only": trial}
                for directive, what, trial in self.violations
            ],
            "errors": self.errors,
            "failed": self.failed,
        }


def program() -> str | None:
    """A Chromium on this machine: the one that ELO_GATE_CHROMIUM names, else one on the path."""
    named = os.environ.get("ELO_GATE_CHROMIUM")
    return next((found for name in ([named] if named else NAMES) if (found := shutil.which(name))), None)


def look(
    origin: str, paths: list[str], wait: float, key: str = "", bypass: str = "", screenshot: str = ""
) -> tuple[list[Page], str]:
    """(what happened on each page, Chromium's version). The picture is of the first page. Raises BrowserError.

    `key`: the public key of a certificate that was found good, so that authorities which this machine trusts and
    Chromium's own list does not are no obstacle; every other certificate is still refused.
    """
    executable = program()
    if executable is None:
        raise BrowserError("there is no Chromium: install one, or name it in ELO_GATE_CHROMIUM")
    with tempfile.TemporaryDirectory(prefix="elo-gate-", ignore_cleanup_errors=True) as home:
        chromium = Chromium(executable, home, wait, key)
        try:
            version = str(chromium.call("Browser.getVersion").get("product", ""))
            pages: list[Page] = []
            for path in paths:
                page = chromium.visit(origin, path, bypass)
                if screenshot and not pages and not page.failed:
                    chromium.picture(screenshot)
                pages.append(page)
            return pages, version
        finally:
            chromium.end()


class Chromium:
    """A running Chromium with one open tab."""

    def __init__(self, executable: str, home: str, wait: float, key: str) -> None:
        self._wait = wait
        self._rest = b""
        self._number = 0
        self._session = ""
        self._events: list[dict[str, Any]] = []
        flags = [*_FLAGS, f"--user-data-dir={home}"]
        flags += [f"--ignore-certificate-errors-spki-list={key}"] if key else []
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # Chromium's sandbox does not start for root
        theirs, self._write = (_high(each) for each in os.pipe())
        self._read, other = (_high(each) for each in os.pipe())
        environment = {"HOME": home, "PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, theirs, 3),
            (os.POSIX_SPAWN_DUP2, other, 4),
        ]
        try:
            self._pid = os.posix_spawn(
                executable, [executable, *flags, "about:blank"], environment, file_actions=actions, setpgroup=0
            )
        except OSError as error:
            os.close(self._write)
            os.close(self._read)
            raise BrowserError(f"Chromium does not start: {error.strerror}") from None
        finally:
            os.close(theirs)
            os.close(other)
        try:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Audits"):
                self.call(f"{domain}.enable")
        except BaseException as error:
            self.end()
            if not isinstance(error, (BrowserError, KeyError)):
                raise
            raise BrowserError("Chromium starts and does not answer; as a user without namespaces it cannot") from None

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a command; events on the way are kept. Raises BrowserError."""
        self._number += 1
        number = self._number
        self._send(number, method, params)
        until = time.monotonic() + _PATIENCE
        while True:
            answer = self._next(until)
            if answer is None:
                raise BrowserError("Chromium does not answer")
            if answer.get("id") == number:
                result = answer.get("result")
                if not isinstance(result, dict):
                    raise BrowserError(f"Chromium refuses {method}")
                return result

    def _send(self, number: int, method: str, params: dict[str, Any]) -> None:
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        try:
            os.write(self._write, json.dumps(message).encode() + b"\0")
        except OSError:
            raise BrowserError("Chromium has ended") from None

    def _next(self, until: float) -> dict[str, Any] | None:
        """The next message, None when there is none in time; events are kept too. Raises BrowserError."""
        if time.monotonic() >= until:
            return None  # a page that never stops talking does not go on for ever
        while b"\0" not in self._rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._read], [], [], left)[0]:
                return None
            data = os.read(self._read, 1 << 20)
            if not data:
                raise BrowserError("Chromium has ended")
            self._rest += data
            if len(self._rest) > _MESSAGE:
                raise BrowserError("Chromium says too much")
        line, _, self._rest = self._rest.partition(b"\0")
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            raise BrowserError("Chromium says what is no JSON") from None
        if not isinstance(message, dict):
            raise BrowserError("Chromium says what is no message")
        if message.get("method") in _NOTED and len(self._events) < _EVENTS:
            self._events.append(message)
        return message

    def visit(self, origin: str, path: str, bypass: str) -> Page:
        """Loads a page and listens until it is quiet. Raises BrowserError."""
        page = Page(path)
        self._events.clear()
        until = time.monotonic() + self._wait
        if bypass:
            # Only requests to the site itself carry the value, and it is sent anew for each of them.
            self.call("Fetch.enable", patterns=[{"urlPattern": f"{origin}/*"}])
        self._number += 1
        self._send(self._number, "Page.navigate", {"url": origin + path})
        asked = self._number
        quiet = 0.0
        while True:
            message = self._next(min(until, quiet) if quiet else until)
            if message is None:
                if not quiet:
                    page.failed = "it is not loaded in time"
                break
            if message.get("id") == asked:
                wrong = message.get("result", {}).get("errorText", "")
                if wrong:
                    page.failed = str(wrong)[:80]
                    break
            elif message.get("method") == "Fetch.requestPaused":
                self._let_through(message["params"], origin, bypass)
            elif message.get("method") == "Page.loadEventFired":
                quiet = time.monotonic() + _QUIET
            elif message.get("method") == "Inspector.targetCrashed":
                page.failed = "the page crashes"
                break
        for event in self._events:
            _note(page, event, origin)
        return page

    def _let_through(self, params: dict[str, Any], origin: str, bypass: str) -> None:
        request = params.get("request", {})
        headers = [{"name": name, "value": value} for name, value in request.get("headers", {}).items()]
        if _same(str(request.get("url", "")), origin):
            headers.append({"name": BYPASS, "value": bypass})
        self._number += 1
        self._send(
            self._number, "Fetch.continueRequest", {"requestId": params.get("requestId", ""), "headers": headers}
        )

    def picture(self, path: str) -> None:
        """Saves what the page looks like, as PNG. Raises BrowserError and OSError."""
        data = self.call("Page.captureScreenshot", format="png").get("data", "")
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def end(self) -> None:
        """Ends Chromium with all of its processes, gently first."""
        with contextlib.suppress(BrowserError, OSError):
            self._session = ""
            self._send(0, "Browser.close", {})
        until = time.monotonic() + 3
        ended = False
        while not ended and time.monotonic() < until:
            try:
                ended = os.waitpid(self._pid, os.WNOHANG)[0] != 0
            except ChildProcessError:
                ended = True
            if not ended:
                time.sleep(0.02)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)
        if not ended:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
        for each in (self._read, self._write):
            with contextlib.suppress(OSError):
                os.close(each)


def _high(descriptor: int) -> int:
    """The same pipe under a number that is neither 3 nor 4, where the child has its ends."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return moved


def _same(url: str, origin: str) -> bool:
    try:
        one, other = urlsplit(url), urlsplit(origin)
        return (one.scheme, one.hostname, one.port) == (other.scheme, other.hostname, other.port)
    except ValueError:
        return False


def _note(page: Page, event: dict[str, Any], origin: str) -> None:
    """Keeps what an event says against a page."""
    method, params = event.get("method"), event.get("params", {})
    if method == "Audits.issueAdded":
        details = params.get("issue", {}).get("details", {}).get("contentSecurityPolicyIssueDetails")
        if details is not None and len(page.violations) < _MOST:
            blocked = _short(str(details.get("blockedURL", ""))) or _KINDS.get(
                str(details.get("contentSecurityPolicyViolationType", "")), "inline"
            )
            found = (str(details.get("violatedDirective", "")), blocked, bool(details.get("isReportOnly")))
            page.violations.append(found)
        return
    text = ""
    if method == "Log.entryAdded":
        entry = params.get("entry", {})
        icon = str(entry.get("url", "")).partition("?")[0].endswith("/favicon.ico")
        if entry.get("level") == "error" and entry.get("source") != "security" and not icon:
            text = str(entry.get("text", ""))
            if entry.get("source") == "network":
                text = f"{_short(str(entry.get('url', '')))}: {text}"
    elif method == "Runtime.exceptionThrown":
        details = params.get("exceptionDetails", {})
        text = str(details.get("exception", {}).get("description") or details.get("text", "")).partition("\n")[0]
    elif method == "Runtime.consoleAPICalled" and params.get("type") == "error":
        text = " ".join(str(each.get("value", each.get("description", ""))) for each in params.get("args", ()))
    # The console repeats each violation in words.
    if text and "Content Security Policy" not in text and len(page.errors) < _MOST:
        from ..inert import inert
        from ..redact import mask

        page.errors.append(inert(mask(text), 200))


_KINDS = {
    "kInlineViolation": "inline", "kEvalViolation": "eval", "kWasmEvalViolation": "wasm-eval",
    "kTrustedTypesSinkViolation": "trusted-types", "kTrustedTypesPolicyViolation": "trusted-types",
}  # fmt: skip


def _short(url: str) -> str:
    """A URL without query and fragment, cut."""
    from ..inert import inert
    from ..redact import mask

    return inert(mask(url.partition("?")[0].partition("#")[0]), 120)
