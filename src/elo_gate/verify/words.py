"""What a look can find beside the rules about headers: severity, clauses, what is wrong, why, what to do instead.

Rules of the static gate have their words in rules/; these are about what only a running site shows.
"""

from __future__ import annotations

import re

from ..model import ERROR, NOTE, WARNING

_NONCE = re.compile(r"(?<='nonce-)[^']+(?=')")

# What a rule of the static gate says of a file has the severity of that rule (next/powered-by-header,
# nginx/version-shown): one standard, two sources.
# id -> (severity, clauses of the standard, message, why, fix); `{name}` is filled in.
FOUND: dict[str, tuple[str, tuple[str, ...], str, str, str]] = {
    "verify/status": (
        ERROR, ("OBS-1",), "'{path}' answers {status}, not {wanted}.",
        "Who asks for it gets something else than what was to be there.",
        "Look at the log of the application for this request; change `paths` when this answer is meant.",
    ),
    "verify/server-error": (
        ERROR, ("OBS-1",), "'{path}' answers {status}.",
        "The application, or what stands before it, fails on this request.",
        "Look at the log of the application for this request.",
    ),
    "verify/redirect-loop": (
        ERROR, ("NET-2",), "'{path}' is redirected in a circle: {chain}.",
        "Browsers give up after some twenty steps and show an error.",
        "Two places redirect against each other, often the proxy and the application about http, www or the final "
        "slash: let one of them do it.",
    ),
    "verify/redirect-chain": (
        WARNING, ("NET-2",), "'{path}' is redirected more than {hops} times.",
        "Each step costs every visitor a round trip, and some clients give up.",
        "Redirect to the final address at once.",
    ),
    "verify/redirect-to-http": (
        ERROR, ("NET-2",), "'{path}' leads from https to http.",
        "From there on everybody on the way reads and changes what is sent, cookies without `Secure` too.",
        "Write the address with https; behind a proxy, hand on `X-Forwarded-Proto` and let the application trust it.",
    ),
    "verify/plain-http": (
        ERROR, ("NET-2",), "http://{host} serves the site without encryption.",
        "Whoever is on the way reads what visitors send and changes what they see.",
        "Answer on http with a redirect to https (301 or 308), and with nothing else.",
    ),
    "verify/certificate-expired": (
        ERROR, ("NET-2",), "The certificate of {host} has expired ({until}).",
        "Browsers show a warning in place of the site, and programs refuse to speak with it.",
        "Renew it, and find out why the renewal did not run: a timer, a rate limit, port 80 closed.",
    ),
    "verify/certificate-not-yet": (
        ERROR, ("NET-2",), "The certificate of {host} is not valid yet.",
        "Browsers show a warning in place of the site.",
        "Compare the clocks of this machine and of the one that issues certificates.",
    ),
    "verify/certificate-self-signed": (
        ERROR, ("NET-2",), "The certificate of {host} is signed by itself, or by an authority that this machine does "
        "not know.",
        "Nobody can tell it from the certificate of somebody who stands in between.",
        "Install one of a public authority; for an authority of your own, name its certificate in SSL_CERT_FILE.",
    ),
    "verify/certificate-untrusted": (
        ERROR, ("NET-2",), "The certificate of {host} leads to no authority that this machine trusts{detail}.",
        "Programs refuse to speak with the site; browsers often find what is missing elsewhere, so nobody sees it.",
        "Serve the intermediate certificates too (`fullchain.pem`); for an authority of your own, name its certificate "
        "in SSL_CERT_FILE.",
    ),
    "verify/certificate-name": (
        ERROR, ("NET-2",), "The certificate is not for {host}.",
        "Browsers show a warning in place of the site.",
        "Issue it for this name too; behind a proxy, see that the right `server_name` answers.",
    ),
    "verify/certificate-ends-soon": (
        WARNING, ("NET-2",), "The certificate of {host} ends in {days} days ({until}).",
        "By now a renewal that works would have replaced it.",
        "Renew it, and find out why the renewal did not run.",
    ),
    "verify/old-tls-only": (
        ERROR, ("NET-2",), "{host} speaks TLS 1.1 at best.",
        "Browsers refuse TLS 1.0 and 1.1 since 2020; their weaknesses are known (RFC 8996).",
        "Switch TLS 1.2 and 1.3 on: `ssl_protocols TLSv1.2 TLSv1.3;`.",
    ),
    "verify/old-tls": (
        WARNING, ("NET-2",), "{host} also accepts TLS 1.0 or 1.1.",
        "Both are withdrawn (RFC 8996): no browser needs them, and audits for payment cards refuse them.",
        "Switch them off: `ssl_protocols TLSv1.2 TLSv1.3;`.",
    ),
    "verify/health": (
        ERROR, ("OBS-1",), "'{path}' says that it is not well: {what}.",
        "The application answers, and says itself that it cannot do its work.",
        "Look at what the health route checks; `warn` lists words that are told and let pass.",
    ),
    "verify/health-nested": (
        ERROR, ("OBS-1",), "'{path}' answers {status}, and a part of it is not well: {what}.",
        "Probes and load balancers look at the status alone: for them this is a healthy application.",
        "Answer 503 when a part fails that requests need.",
    ),
    "verify/release": (
        ERROR, ("PIP-3",), "{where} does not name the release that was asked for.",
        "An earlier release still answers: a cache in front, an alias that was not moved, a machine that was left out.",
        "Empty the cache, look at what the name leads to; the digest, or its first twelve digits or more, has to stand "
        "there.",
    ),
    "verify/configured-not-served": (
        ERROR, ("NET-1",), "'{header}' is configured for '{path}' and is not in its answer.",
        "The file says that visitors are protected, and they are not: something on the way drops it, or another "
        "release answers.",
        "Look at what stands before the application: a location of nginx with an `add_header` of its own inherits "
        "none, and without `always` errors go without.",
    ),
    "verify/configured-otherwise": (
        WARNING, ("NET-1",), "'{header}' of '{path}' has another value than the one that is configured.",
        "What was judged before the deployment is not what visitors get.",
        "Find the other place that sets it, and keep one.",
    ),
    "verify/framework-told": (
        NOTE, ("NET-4",), "'{header}: {value}' tells what the site is made with.",
        "The header serves nobody but those who look for sites with a known flaw.",
        "Leave it out: `poweredByHeader: false` in next.config, `proxy_hide_header X-Powered-By;` in nginx.",
    ),
    "verify/version-told": (
        NOTE, ("NET-4",), "'{header}: {value}' tells the version of the server.",
        "Who looks for servers with a known flaw finds this one without asking it anything else.",
        "Leave the version out: `server_tokens off;` in nginx.",
    ),
    "verify/cookie-not-secure": (
        ERROR, ("NET-2",), "The cookie '{cookie}' has no 'Secure'.",
        "One request over http, to any path, sends it in the clear.",
        "Set `Secure` on every cookie of a site with https.",
    ),
    "verify/cookie-readable": (
        WARNING, ("NET-4",), "The session's cookie '{cookie}' has no 'HttpOnly'.",
        "A script that an attacker gets into a page reads it and takes the session over.",
        "Set `HttpOnly`: a page does not need to read the session's cookie.",
    ),
    "verify/cookie-anywhere": (
        WARNING, ("NET-4",), "The session's cookie '{cookie}' is sent with requests from every other site.",
        "Another site's form then acts in the name of whoever is signed in. What a browser does without `SameSite` "
        "differs between browsers.",
        "Set `SameSite=Lax` or `Strict`; `None` only for what other sites are to embed.",
    ),
    "verify/csp-violation": (
        ERROR, ("NET-3",), "The page '{path}' breaks its own Content Security Policy: {what}.",
        "The browser refuses what the page needs: scripts do not run, and the page looks right and does nothing.",
        "Give scripts the nonce of the policy, or name what is refused in it; the headers alone do not show this.",
    ),
    "verify/csp-report": (
        NOTE, ("NET-3",), "The page '{path}' would break the policy that is on trial: {what}.",
        "Enforced as it stands, it would refuse what the page needs.",
        "Name what is refused in the policy before it is enforced.",
    ),
    "verify/console-error": (
        WARNING, ("OBS-2",), "The page '{path}' writes errors to the browser's console: {what}.",
        "Something on the page fails for every visitor.",
        "Open the page with the browser's developer tools.",
    ),
    "verify/page-fails": (
        ERROR, ("OBS-1",), "The page '{path}' does not load in a browser: {what}.",
        "What answers a request well can still not be shown.",
        "Open the page with the browser's developer tools.",
    ),
    "verify/same-nonce": (
        ERROR, ("NET-3",), "Two answers of '{path}' carry the same nonce.",
        "A nonce that stays the same is read from any page and put on the injected script. Most often a cache hands "
        "out one page to all.",
        "Make the nonce for every request, and keep pages that carry one out of caches (`Cache-Control: no-store`).",
    ),
}  # fmt: skip


class Found:
    """One finding: `paths` are the URL paths it holds for, the first one is its place.

    `evidence` is the line of the answer with `start` and `end` of the marked part, "" without one; `related` are
    (place, words) pairs.
    """

    __slots__ = (
        "rule", "severity", "standard", "message", "why", "fix", "paths", "line", "evidence", "start", "end", "related",
    )  # fmt: skip

    def __init__(
        self,
        rule: str,
        severity: str,
        standard: tuple[str, ...],
        message: str,
        why: str,
        fix: str,
        path: str,
        related: list[tuple[str, str]],
    ) -> None:
        self.rule = rule
        self.severity = severity
        self.standard = standard
        self.message = message
        self.why = why
        self.fix = fix
        self.paths = [path]
        self.line = 0
        self.evidence = ""
        self.start = 0
        self.end = 0
        self.related = related

    def show(self, line: str, start: int, end: int) -> None:
        """Takes a line of the answer as evidence, with the part to mark; what is secret or new each time is covered.

        A nonce stays as long as it is: the mark has to fit.
        """
        from ..inert import inert
        from ..redact import mask

        still = _NONCE.sub(lambda match: "*" * len(match[0]), line)
        safe = inert(mask(still))
        self.evidence = safe
        self.start, self.end = (start, min(end, len(safe))) if len(safe) == len(still) else (0, len(safe))


def found(rule: str, path: str, *related: tuple[str, str], **values: object) -> Found:
    """A finding of this table for a path, its values masked and inert."""
    from ..inert import inert
    from ..redact import mask

    severity, standard, message, why, fix = FOUND[rule]
    safe = {name: inert(mask(str(value)), 200) for name, value in {**values, "path": path}.items()}
    return Found(rule, severity, standard, message.format(**safe), why, fix, path, list(related))
