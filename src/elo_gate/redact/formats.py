"""Finds credentials of well-known formats in a text; each format is from its vendor's public documentation."""

from __future__ import annotations

import re
from functools import lru_cache

from .names import readable, stand_in, well_known_pair
from .randomness import runs

# Kinds that are made to be seen, or that open a test account only.
PUBLIC = frozenset(("google api key", "stripe test key"))

_FORMATS = (
    ("stripe live key", r"(?:sk|rk)_live_[0-9A-Za-z]{10,}"),
    ("stripe test key", r"(?:sk|rk)_test_[0-9A-Za-z]{10,}"),
    ("webhook signing secret", r"whsec_[0-9A-Za-z+/]{16,}={0,2}"),
    ("github token", r"gh[pousr]_[0-9A-Za-z_]{20,}|github_pat_[0-9A-Za-z_]{22,}"),
    ("gitlab token", r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat|oas)-[0-9A-Za-z_\-.]{20,}"),
    ("aws access key", r"(?:AKIA|ASIA)[0-9A-Z]{16}"),
    ("slack token", r"xox[abeoprs]-[0-9A-Za-z-]{10,}|xapp-[0-9A-Za-z-]{10,}"),
    ("slack webhook", r"hooks\.slack\.com/(?:services|workflows|triggers)/[0-9A-Za-z_/]{20,}"),
    ("discord webhook", r"discord(?:app)?\.com/api/webhooks/[0-9]+/[0-9A-Za-z_-]{20,}"),
    ("google api key", r"AIza[0-9A-Za-z_-]{35}"),
    ("google oauth secret", r"GOCSPX-[0-9A-Za-z_-]{20,}|ya29\.[0-9A-Za-z_-]{20,}"),
    ("npm token", r"npm_[0-9A-Za-z]{30,}"),
    ("pypi token", r"pypi-[0-9A-Za-z_-]{50,}"),
    ("sendgrid key", r"SG\.[0-9A-Za-z_-]{16,64}\.[0-9A-Za-z_-]{16,}"),
    ("mailgun key", r"key-[0-9a-f]{32}"),
    ("mailchimp key", r"[0-9a-f]{32}-us[0-9]{1,2}"),
    ("anthropic key", r"sk-ant-[0-9A-Za-z_-]{20,}"),
    ("openai key", r"sk-(?:proj-|svcacct-|admin-)?[0-9A-Za-z_-]{20,}"),
    ("twilio key", r"SK[0-9a-f]{32}"),
    ("telegram token", r"[0-9]{8,10}:AA[0-9A-Za-z_-]{30,}"),
    ("shopify token", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    ("digitalocean token", r"do[opr]_v1_[0-9a-f]{64}"),
    ("docker token", r"dckr_[po]at_[0-9A-Za-z_-]{20,}"),
    ("vault token", r"hv[sbr]\.[0-9A-Za-z_-]{20,}"),
    ("hugging face token", r"hf_[0-9A-Za-z]{30,}"),
    ("supabase token", r"sb(?:p|_secret)_[0-9A-Za-z_]{20,}"),
    ("resend key", r"re_[0-9A-Za-z]{8,}_[0-9A-Za-z]{16,}"),
    ("linear key", r"lin_api_[0-9A-Za-z]{30,}"),
    ("notion token", r"(?:ntn|secret)_[0-9A-Za-z]{40,}"),
    ("sentry token", r"sntry[su]_[0-9A-Za-z+/=_-]{20,}"),
    ("planetscale password", r"pscale_(?:pw|tkn|oauth)_[0-9A-Za-z_.-]{20,}"),
    ("grafana token", r"gl(?:sa|c)_[0-9A-Za-z+/=_]{20,}"),
    ("postman key", r"PMAK-[0-9a-f-]{30,}"),
    ("age key", r"AGE-SECRET-KEY-1[0-9A-Z]{20,}"),
    ("json web token", r"eyJ[0-9A-Za-z_-]{8,2048}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]*"),
)
# No token and nothing random is shorter, and neither has another character in it.
_LONG = re.compile(r"[0-9A-Za-z_+/.%:=-]{10,}")
# Cheap: without one of these no format can match.
_HINT = re.compile(
    r"[sr]k[_-]|whsec_|gh[pousr]_|github_|gl[a-z]+[-_]|A[KS]IA|xox|xapp-|hooks\.slack|webhooks/|AIza|GOCSPX|ya29|npm_|"
    r"pypi-|SG\.|key-|-us[0-9]|SK[0-9a-f]|:AA|shp[a-z]|_v1_|dckr_|hv[sbr]\.|hf_|sbp?_|re_|lin_|ntn_|secret_|sntry|"
    r"pscale_|PMAK|AGE-S|eyJ"
)
# Published by their makers for local use: a storage emulator's account key, a demo project's keys.
_KNOWN = ("Eby8vdM0", "eyJpc3MiOiJzdXBhYmFzZS1kZW1v", "EXAMPLE")
_TAIL = re.compile(r"[\w-]{0,64}", re.ASCII)
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----(.*?)(?=-----END |\Z)", re.DOTALL)
# Greedy, so that a password with `/`, `:` or `@` unescaped is taken whole.
_USERINFO = re.compile(r"(?<=://)([^\s/:@'\"`<>]{0,256}):([^\s'\"`<>]{1,512})@")

_compiled: list[re.Pattern[str]] = []


def bare(text: str) -> bool:
    """Whether a look at the long words of a text, each once, says that it holds neither a token nor anything random."""
    if "PRIVATE KEY" in text or ("://" in text and "@" in text):
        return False
    return not any(_telling(word) if len(word) < 100 else True for word in set(_LONG.findall(text)))


@lru_cache(4096)  # the same words come again in every file
def _telling(word: str) -> bool:
    return _HINT.search(word) is not None or any(runs(word))


def tokens(text: str) -> list[tuple[int, int, str]]:
    """Where credentials of a well-known format stand: (start, end, kind), in order.

    Also "private key" (what a PEM block holds) and "url password". Stand-ins and values that their makers
    published are left out.
    """
    found = []
    if "PRIVATE KEY" in text:
        found += [(m.start(1), m.end(1), "private key") for m in _PEM.finditer(text) if _holds_key(m[1])]
    if "://" in text:
        found += [
            (m.start(2), m.end(2), "url password")
            for m in _USERINFO.finditer(text)
            if not readable(m[2]) and not well_known_pair(m[1], m[2])
        ]
    hinted = any(map(_HINT.search, _LONG.findall(text)))
    for match in _format().finditer(text) if hinted else ():
        token = match[0]
        if text[match.end() : match.end() + 1] in ("_", "-"):  # `sk_live_production_key` goes on in words
            token = text[match.start() : _TAIL.match(text, match.end()).end()]  # type: ignore[union-attr]
        if not any(known in token for known in _KNOWN) and not stand_in(token):
            found.append((*match.span(), _FORMATS[(match.lastindex or 1) - 1][0]))
    return sorted(found)


def _format() -> re.Pattern[str]:
    if not _compiled:
        body = "|".join(f"({pattern})" for _, pattern in _FORMATS)
        _compiled.append(re.compile(f"(?<![0-9A-Za-z])(?:{body})"))
    return _compiled[0]


def _holds_key(text: str) -> bool:
    return len(re.sub(r"\\[nr]|[\s.…*]", "", text)) > 8
