"""Turns an address into one look: every path asked once, what was answered, and what is wrong with it.

Green, red or silent, for each path and for the whole: no answer is not a wrong answer, and a login that stands before
the site (401, 403, a platform's own page) says nothing about it.
"""

from __future__ import annotations

import re
import ssl
import time
from urllib.parse import urljoin, urlsplit

from . import health as routes
from . import judge, tls
from .ask import LOCAL, Answer, Bounds, Silence, ask, bypass
from .known import NOWHERE, Known
from .options import HOPS, REQUESTS, Options, Path
from .outcome import GREEN, RED, SILENT, Check, Look, evidence
from .redirects import MOVED, follow
from .words import Found, found

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass

# Where platforms send who is not signed in with them: vercel.com/docs/deployment-protection,
# developers.cloudflare.com/cloudflare-one/access-controls; looked up 2026-11-25.
_LOGINS = re.compile(r"(?:^|\.)(?:vercel\.com|cloudflareaccess\.com)\Z")
_ASSET = re.compile(r"\b(?:src|href)=[\"'](/(?!/)[^\"'<>\s]{1,300}?\.(?:js|css)(?:\?[^\"'<>\s]{0,100})?)[\"']", re.I)
_PAGES = 3  # that a browser opens


class CannotLook(Exception):
    """It cannot be asked for; the text says what is missing."""


def look(url: str, options: Options, digest: str = "", until: float | None = None, known: Known | None = None) -> Look:
    """Looks at a site once. `digest`: which release has to answer, "" when that is not asked; `until` in monotonic
    seconds. Raises CannotLook."""
    try:
        secret = bypass(options.bypass_env)
    except ValueError as error:
        raise CannotLook(str(error)) from None
    end = time.monotonic() + options.whole
    bounds = Bounds(options.answer, end if until is None else min(end, until), REQUESTS, secret)
    looked = _Looking(url, options, digest, bounds, known or Known())
    looked.all()
    looked.look.findings = judge.merged(looked.look.findings)
    return looked.look


class _Looking:
    """A look while it is made."""

    def __init__(self, url: str, options: Options, digest: str, bounds: Bounds, known: Known) -> None:
        self.look = Look(url.rstrip("/"))
        self.options = options
        self.digest = digest
        self.bounds = bounds
        self.known = known
        self.answers: list[tuple[str, Answer]] = []

    @property
    def secure(self) -> bool:
        return self.look.url.startswith("https:")

    def all(self) -> None:
        look, options = self.look, self.options
        if options.transport and not self._transport():
            return
        if options.health is not None:
            self._health()
        for each in options.paths:
            self._path(each)
        if options.headers:
            self._asset()
            self._nonce()
            today = time.strftime("%Y-%m-%d", time.gmtime())
            look.findings += judge.headers(
                self.answers, self.known.headers, self.secure, options.elo, options.settings, today
            )
            look.remarks += self.known.remarks
        if options.cookies:
            look.findings += judge.cookies(self.answers, self.secure)
        if options.browser != "off":
            self._browser()

    # -- the way there

    def _transport(self) -> bool:
        """Looks at http, https and the certificate; False when nothing more may be asked."""
        parts = urlsplit(self.look.url)
        host = parts.hostname or ""
        if parts.scheme == "http":
            if host in LOCAL and not self._led_to_https():
                self.look.remarks.append("TLS, since this is http on this machine")
                return True
            if self.secure or self._led_to_https():
                return self._tls(urlsplit(self.look.url).hostname or host)
            return True
        if not self._tls(host):
            return False
        if parts.port in (None, 443):
            self._plain(host)
        return True

    def _led_to_https(self) -> bool:
        """Follows http to https on the same host and takes that for the site; else says that it is in the clear."""
        start = self.look.url + "/"
        try:
            answer, hops, _ = follow(start, self.bounds)
        except (Silence, ssl.SSLCertVerificationError):
            # Where http leads is all that is asked here.
            answer, hops = None, self._first_hop(start)
        host = urlsplit(start).hostname
        for _, where in hops:
            parts = urlsplit(where)
            if parts.scheme == "https" and parts.hostname == host:
                self.look.url = f"https://{parts.netloc}" + urlsplit(start).path.rstrip("/")
                return True
        local = host in LOCAL
        if not local and answer is not None and answer.status < 300:
            self.look.findings.append(found("verify/plain-http", "/", host=host))
        return False

    def _first_hop(self, start: str) -> list[tuple[int, str]]:
        try:
            answer = ask(start, self.bounds)
        except (Silence, ssl.SSLCertVerificationError):
            return []
        where = answer.first("location")
        return [(answer.status, urljoin(start, where))] if answer.status in MOVED and where else []

    def _tls(self, host: str) -> bool:
        look = self.look
        port = urlsplit(look.url).port or 443
        try:
            seen = look.tls = tls.look(host, port, self.bounds.answer)
        except Silence as error:
            look.checks += [Check(path, None, SILENT, str(error)) for path in self._paths()]
            return False
        detail = f" ({seen.detail})" if seen.detail else ""
        for problem in seen.problems:
            rule = f"verify/{problem}"
            look.findings.append(
                found(rule, "/", host=host, until=seen.not_after or "the day is not known", detail=detail)
            )
        if seen.problems:
            why = "not asked: what speaks there is not proven to be this site"
            look.checks += [Check(path, None, SILENT, why) for path in self._paths()]
            return False
        if seen.old:
            look.findings.append(found("verify/old-tls", "/", host=host))
        elif seen.old is None:
            look.remarks.append("whether TLS 1.0 or 1.1 is accepted, which this machine cannot ask")
        if seen.days is not None and seen.life is not None and seen.days < min(14, seen.life / 10):
            look.findings.append(
                found("verify/certificate-ends-soon", "/", host=host, days=seen.days, until=seen.not_after)
            )
        return True

    def _paths(self) -> list[str]:
        health = [self.options.health.path] if self.options.health is not None else []
        return [*health, *(each.path for each in self.options.paths)]

    def _plain(self, host: str) -> None:
        """Asks port 80, which may be closed or lead to https."""
        name = f"[{host}]" if ":" in host else host
        try:
            answer = ask(f"http://{name}/", Bounds(min(self.bounds.answer, 5.0), self.bounds.until, 1))
        except Silence:
            return
        if answer.status < 300:
            self.look.findings.append(found("verify/plain-http", "/", host=host))

    # -- paths

    def _url(self, path: str) -> str:
        return self.look.url + path

    def _path(self, wanted: Path) -> None:
        check = Check(wanted.path)
        self.look.checks.append(check)
        try:
            if wanted.status:
                answer, problem = ask(self._url(wanted.path), self.bounds), ""
            else:
                answer, check.hops, problem = follow(self._url(wanted.path), self.bounds)
        except (Silence, ssl.SSLCertVerificationError) as error:
            check.result, check.why = SILENT, _why(error)
            return
        self._seen(check, answer)
        if problem:
            chain = " -> ".join(urlsplit(where).path or "/" for _, where in check.hops[:4])
            self._red(check, found(problem, check.path, chain=chain, hops=HOPS))
            return
        if not self._answered(check, answer, wanted.status):
            return
        if answer.status not in MOVED:
            self.answers.append((wanted.path, answer))
        where, _, name = self.options.expect_release.partition(":")
        if self.digest and where == "header" and check.result == GREEN:
            self._release(check, answer.first(name.lower()), f"header {name}")

    def _seen(self, check: Check, answer: Answer) -> None:
        check.status = answer.status
        check.headers = evidence(answer)

    def _answered(self, check: Check, answer: Answer, wanted: int) -> bool:
        """Whether an answer is the site's own; judges its status."""
        first = check.hops[0][0] if check.hops else answer.status
        if wanted and first == wanted:
            return True
        away = urlsplit(check.hops[-1][1]).hostname or "" if check.hops and answer.status in MOVED else ""
        if answer.status in (401, 403, 407) or _LOGINS.search(away):
            check.result, check.why = SILENT, "asks for a login"
        elif answer.status == 429:
            check.result, check.why = SILENT, "is asked too often"
        elif wanted:
            self._red(
                check, found("verify/status", check.path, status=answer.status, wanted=wanted),
                f"answers {answer.status}, not {wanted}",
            )  # fmt: skip
        elif answer.status >= 500:
            self._red(
                check, found("verify/server-error", check.path, status=answer.status),
                f"answers {answer.status}",
            )  # fmt: skip
        return check.result != SILENT

    def _red(self, check: Check, finding: Found, why: str = "") -> None:
        check.result, check.why = RED, why or finding.message
        self.look.findings.append(finding)

    def _release(self, check: Check, said: object, where: str) -> None:
        if not routes.release(said, self.digest):
            self._red(check, found("verify/release", check.path, where=where), f"{where} does not name this release")

    # -- health

    def _health(self) -> None:
        health = self.options.health
        assert health is not None
        check = Check(health.path)
        self.look.checks.append(check)
        try:
            answer = ask(self._url(health.path), self.bounds)
        except (Silence, ssl.SSLCertVerificationError) as error:
            check.result, check.why = SILENT, _why(error)
            return
        self._seen(check, answer)
        if not self._answered(check, answer, 200):
            return
        self.answers.append((health.path, answer))
        if check.result != GREEN:
            return
        body = routes.read(answer)
        said = routes.judge(body, health)
        where, _, name = self.options.expect_release.partition(":")
        check.why = said.warned
        if said.wrong:
            self._red(check, found("verify/health", check.path, what=said.wrong), said.wrong)
        elif said.parts:
            what = ", ".join(said.parts[:5])
            self._red(check, found("verify/health-nested", check.path, status=answer.status, what=what), what)
        if self.digest and check.result == GREEN:
            if where == "json":
                self._release(check, routes.at(body, name), f"field {name}")
            elif where == "header":
                self._release(check, answer.first(name.lower()), f"header {name}")

    # -- more of what a page shows

    def _page(self) -> tuple[str, Answer] | None:
        return next(((path, each) for path, each in self.answers if each.html and each.status == 200), None)

    def _asset(self) -> None:
        """Asks for one script or style that the first page names: static files are often served by another layer."""
        page = self._page()
        if page is None:
            return
        named = _ASSET.search(page[1].body.decode("utf-8", "replace"))
        base = urlsplit(self.look.url).path
        if named is not None and named[1].isascii() and not base:
            self._path(Path(named[1].replace("&amp;", "&")))

    def _nonce(self) -> None:
        """Asks for a page with a nonce again: the nonce has to be another one."""
        page = self._page()
        if page is None or not judge.nonces(page[1]):
            return
        try:
            again = ask(page[1].url, self.bounds)
        except (Silence, ssl.SSLCertVerificationError):
            return
        if judge.nonces(page[1]) & judge.nonces(again):
            self.look.findings.append(found("verify/same-nonce", page[0]))

    def _browser(self) -> None:
        from . import browser

        look, options = self.look, self.options
        paths = [path for path, each in self.answers if each.html and each.status == 200][:_PAGES]
        if not paths:
            look.remarks.append("pages in a browser, since no path answers one")
            return
        wait = max(5.0, min(30.0, 3 * self.bounds.answer, self.bounds.until - time.monotonic()))
        parts = urlsplit(look.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        base = parts.path
        key = look.tls.key if look.tls is not None else ""
        try:
            look.pages, look.browser = browser.look(
                origin, [base + path for path in paths], wait, key, self.bounds.bypass, options.screenshot
            )
        except browser.BrowserError as error:
            if options.browser == "require":
                raise CannotLook(str(error)) from None
            look.remarks.append(f"pages in a browser: {error}")
            return
        except OSError as error:
            raise CannotLook(f"the picture cannot be written: {error.strerror}") from None
        for path, page in zip(paths, look.pages, strict=True):
            page.path = path
            look.findings += judge.page(page)


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not accepted"
    return str(error)


def default_paths(known: Known) -> tuple[Path, ...]:
    """The paths of a look that nobody has named: the first page, one that nobody has, and what a tree knows."""
    return tuple(Path(path) for path in dict.fromkeys(("/", NOWHERE, *known.paths)))
