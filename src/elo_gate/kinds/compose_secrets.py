"""Turns names and texts of a Compose file into what may be a credential, and where it stands.

Names that only sound like one (flags, paths, types, public keys) are left out: of the secret-like names in real
files most are these.
"""

from __future__ import annotations

import re

from ..model import MAP, SCALAR, SEQ, UNKNOWN, Node, walk
from . import compose_interpolate as interpolation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

KEY, PASSWORD = "key", "password"

_NOT = re.compile(
    r"(?:^|_)(?:FILE|PATH|DIR|ENABLED?|DISABLED?|TYPE|MANAGER|NAME|NAMES|ID|IDS|EXPIRY|EXPIRES?|EXPIRATION|TTL|LENGTH|"
    r"ALGORITHM|ALG|ISSUER|AUDIENCE|HEADER|PREFIX|URL|URI|URLS|REGION|HOST|PORT|VERSION|ROTATION|TIMEOUT|LIFETIME|"
    r"MIN|MAX|POLICY|COUNT|FIELD|PROVIDER|ROUNDS|IN|REQUIRED|REFRESH_INTERVAL|INTERVAL|METHOD|MODE|SECONDS|MINUTES|"
    r"HOURS|DAYS|SIZE|LIMIT|LIMITS|ENDPOINT|AUTH_METHOD|FORMAT|ARN|SECRET_REF|HINT|MODEL|BACKEND|STORE)$"
)
_PUBLIC = re.compile(
    r"(?:^|_)(?:PUBLIC|PUBLISHABLE|PUBLISHER|SITE|ANON|FIREBASE|POSTHOG|MIXPANEL|SEGMENT|MAPS|SEARCH_API)(?:_|$)|"
    r"^(?:VITE|REACT_APP)_"
)
_KEY = re.compile(
    r"(?:SECRET|SECRET_?KEY(?:_BASE)?|SIGNING_?KEY|ENCRYPT(?:ION)?_?KEY|PRIVATE_?KEY|MASTER_?KEY|API_?KEY|JWT_?KEY|"
    r"APP_KEY|AUTH_KEY|SESSION_KEY|COOKIE_KEY|SERVICE_(?:ROLE_)?KEY|SECRET_ACCESS_KEY|ACCOUNT_KEY|HASH_KEY|"
    r"(?:^|_)TOKEN|_TOKEN|(?:^|_)SALT)$"
)
_PASSWORD = re.compile(r"(?:PASSWORD|PASSWD|PASSPHRASE|(?:^|_)PASS|_PWD)$")
_WORDS = frozenset(
    "true false yes no on off none null disabled enabled auto default required optional development production".split()
)
# Stand-ins for services that ask for none, and the published keys of emulators.
_STAND_INS = ("dummy", "fake", "unused", "not-needed", "no-key", "sk-no-key", "ollama", "noop", "n/a", "xxx", "***")
_EMULATORS = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZS1kZW1v",
)
# `scheme://user:password@host`
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^\s:/@'\"$]*):([^\s/@'\"]+)@([^\s/'\":@?,]+)")
_OPTION = re.compile(
    r"(?:--requirepass|--masterauth|--password|--admin-password|--pass|--token|--secret)(?:=|\s+)(\S+)"
)
_NAMED_URL = re.compile(
    r"(?:DATABASE|DB|POSTGRES|PG|MYSQL|MONGO(?:DB)?|REDIS|RABBITMQ|AMQP|BROKER|CELERY|SMTP|MAIL)\w*_UR[IL]$|"
    r"^(?:DATABASE|REDIS|MONGO(?:DB)?|AMQP|BROKER)_UR[IL]$|_DSN$"
)


def kind_of(name: str) -> str | None:
    """KEY (signs, encrypts or authenticates), PASSWORD, or None for a name that holds no credential."""
    upper = name.upper().replace("-", "_").replace(".", "_")
    if _PUBLIC.search(upper) or _NOT.search(upper):
        return None
    if _PASSWORD.search(upper):
        return PASSWORD
    return KEY if _KEY.search(upper) else None


def holds_credentials(name: str) -> bool:
    """The name is one of a credential, or of a connection URL, which carries one."""
    return kind_of(name) is not None or _NAMED_URL.search(name.upper()) is not None


def is_value(text: str, kind: str | None) -> bool:
    """A text that can be a credential: not empty, no word, no path, no bare number unless it is a password."""
    text = text.strip()
    if len(text) < 2 or text.lower() in _WORDS or text.startswith(("/", "./", "~", "file:")):
        return False
    if text.isdigit():
        return kind == PASSWORD
    if text.startswith(_EMULATORS) or (kind == KEY and text.lower().startswith(_STAND_INS)):
        return False
    return "://" not in text and not text.startswith(("<", "{{"))


def url_credentials(text: str) -> tuple[str, str, str] | None:
    """(user, password, host) of the first URL with a password in a text."""
    found = _URL.search(text)
    return (found.group(1), found.group(2), found.group(3)) if found is not None else None


def spans(root: Node) -> list[tuple[int, int]]:
    """Where a file holds literal text that may be a credential, by name or by position; for masking."""
    found: set[tuple[int, int]] = set()
    for node in walk(root):
        if node.kind is MAP:
            for key, value in node.value:
                if key.kind is SCALAR and value.kind in (SCALAR, UNKNOWN) and kind_of(key.value) is not None:
                    found.update(_literals(value, 0))
        elif node.kind is SEQ:
            for each in node.value:
                name, mark, _ = each.value.partition("=") if each.kind is SCALAR else ("", "", "")
                if mark and kind_of(name) is not None:
                    found.update(_literals(each, len(name) + 1))
        elif node.kind is SCALAR and ("://" in node.value or "--" in node.value):
            token = node.source.text[node.start : node.end]
            for pattern, group in ((_URL, 2), (_OPTION, 1)):
                for match in pattern.finditer(token):
                    found.add((node.start + match.start(group), node.start + match.end(group)))
    return sorted(span for span in found if span[0] < span[1])


def _literals(node: Node, skip: int) -> Iterator[tuple[int, int]]:
    """The literal parts of a scalar from `skip` characters on: all of it, or the words of its references."""
    token = node.source.text[node.start : node.end]
    quote = 1 if node.style in ("'", '"') else 0
    start = quote + skip
    text = token[start : len(token) - quote]
    references, _ = interpolation.scan(text)
    if not references:
        if text and text.lower() not in _WORDS:
            yield node.start + start, node.end - quote
        return
    at = 0
    for each in references:
        if each.start > at:
            yield node.start + start + at, node.start + start + each.start
        if each.word and "?" not in each.operator:
            end = each.end - 1
            yield node.start + start + end - len(each.word), node.start + start + end
        at = each.end
    if at < len(text):
        yield node.start + start + at, node.start + start + len(text)
