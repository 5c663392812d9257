"""Tells names and values that hold a credential from those that only sound like it."""

from __future__ import annotations

import re
from functools import lru_cache

from .randomness import ALNUM, odd

STARS = "***"


def _set(*words: str) -> frozenset[str]:
    return frozenset(" ".join(words).split())


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRETS = _set(
    "password passwd pwd pass passphrase passcode senha secret token credential credentials apikey htpasswd pepper",
    "salt psk authorization requirepass masterauth",
)
_ENDINGS = ("password", "passwd", "passphrase", "secret", "token", "apikey", "privatekey", "secretkey", "accesskey")
# Words before `key` that make it a secret.
_KEYS = _set(
    "api secret private access encryption encrypt signing sign auth master service license jwt session cookie hmac",
    "admin role storage account app shared webhook integration hash crypto cipher aes data security server deploy",
    "ssh gpg pgp rsa token openai stripe sendgrid resend anthropic mailgun postmark twilio",
)
# Words after the secret one that leave it a secret.
_TAILS = _set(
    "base prod production live old new previous current next base64 b64 hex pem value hash backup primary secondary",
    "main dev staging test default",
)
_NOT_SECRET = frozenset(
    ("existing secret", "id token", "image pull secret", "cancel token", "design token", "csrf token", "public token")
)

_PLAIN = _set(
    "change replace insert enter put add paste set fill update edit todo fixme tbd placeholder dummy redacted",
    "your yours you my our the a an this that me it some any here aqui sua seu in with to for from of and or not real",
    "example sample fake mock please password passwd pass senha secret segredo secrets token key keys chave api apikey",
    "access private public secure strong strongly random randomly generated string value super very long production",
    "prod live test dev local staging client id app application user username usuario login jwt auth nextauth session",
    "cookie encryption encrypt signing refresh webhook database db redis url uri host hostname domain server name",
    "company org project account analytics measurement tracking service role admin root min max char chars character",
    "characters byte bytes bit hex base64 least more than generate openssl rand google gemini openai clerk stripe",
    "email sentry changeme changeit changethis replaceme slack github gitlab aws azure vercel pagerduty sendgrid",
    "resend",
)
_CHANGE = re.compile(
    r"change[-_ ]?(?:me|this|it|in[-_ ]?prod)|replace[-_ ]?(?:me|this|with)|to[-_]?be[-_]?(?:set|filled)"
)
_TELLING = _set("your yours changeme changeit placeholder dummy redacted fixme tbd sua seu")
_PAIRS = frozenset(
    (user, word)
    for user in ("user", "username", "usuario", "login", "youruser")
    for word in ("pass", "password", "passwd", "senha", "secret", "yourpassword")
)
_PREFIX = re.compile(
    r"(?:(?:sk|pk|rk)_(?:live|test)_|whsec_|sk-(?:proj-|ant-)?|gh[pousr]_|xox[a-z]-|re_|npm_|SG\.|phc_)"
)
_SEPARATED = re.compile(r"<?[\[{]{0,2}(?:[A-Za-z0-9]++[-_.:/ ]{0,4}+)++…?[\]}]{0,2}>?")
_DOTS = re.compile(r"[.*?_\-…]{3,}")
_ELLIPSIS = re.compile(
    r"(?:.*[_\-:/=.@]|(?:[sprw]k|AIza|AKIA|eyJ|gh[pousr]|SG|MII|xox[a-z]|re|G|GTM|UA)[A-Za-z0-9_-]{0,6})(?:\.{3,}|…)"
)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:([^\s?#]*)@)?([^\s/?#:@]*)(?::[0-9]+)?([^\s]*)")
_RESERVED = re.compile(r"(?:^|[.@])(?:example\.(?:com|org|net)|[a-z0-9-]+\.(?:example|invalid))$")
_UPPER = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_TEMPLATE_PATH = re.compile(r"/YOUR(?:[_/-]|\b)|/<[^<>]+>|/x{3,}\b|/\.\.\.$", re.ASCII)
_REFERENCE = re.compile(
    r"\$\{?[A-Z_][A-Z0-9_]*\}?|\$\{[A-Za-z_]\w*(?::?-|:?\?[^{}$\"'`]*)\}|\$\{\{?[ \t]*[\w.\-]*[ \t]*\}\}?|"
    r"\{\{-?[\w. \t|$]*-?\}\}|\$\([A-Za-z0-9 _./-]*\)|process\.env\.[A-Z_][A-Z0-9_]*!?",
    re.ASCII,
)
_DICTIONARY = _set(
    "password passwd passw pass admin administrator root postgres postgresql mysql mariadb redis mongo rabbitmq secret",
    "supersecret test guest user usuario senha qwerty letmein welcome default minio minioadmin dev prod production",
    "database db app login abc master super my the",
)
_FLAGS = _set("true false yes no on off null none nil undefined ~ {} []")


@lru_cache(4096)  # the same names come again on every line
def secret_name(name: str) -> bool:
    """Whether a name says that its value is a credential; not a flag, a path, a type or a public key."""
    words = [word.lower() for word in _WORD.findall(name)]
    while len(words) > 1 and (words[-1] in _TAILS or words[-1].isdigit()):
        words.pop()
    if not words:
        return False
    last = words[-1]
    if last == "key":
        return len(words) > 1 and words[-2] in _KEYS
    if last not in _SECRETS and not last.endswith(_ENDINGS):
        return False
    return not any(" ".join(words[-n:]) in _NOT_SECRET for n in (2, 3))


def placeholder(value: str, name: str = "") -> bool:
    """Whether a value is a stand-in that somebody was meant to replace."""
    return bool(stand_in(value, name))


def stand_in(value: str, name: str = "") -> str:
    """The part of a value that shows it is a stand-in (`your-api-key`, `user:pass`, `sk_live_...`); "" for none."""
    text = value.strip()
    if not text or len(text) > 300 or "\n" in text:
        return ""
    if "://" in text:
        return _url_stand_in(text)
    if text[0] == "<" and text[-1] == ">" and "<" not in text[1:] and len(text) > 2:
        return text
    if _DOTS.fullmatch(text) or _ELLIPSIS.fullmatch(text) or "EXAMPLE" in text:
        return text
    lower = text.lower()
    if tuple(lower.split(":", 1)) in _PAIRS or _RESERVED.search(lower):
        return text
    if " " in text and not ("your" in lower and lower.endswith("here")) and not _CHANGE.search(lower):
        return ""
    return text if _made_of_stand_ins(text, lower, name) else ""


def _made_of_stand_ins(text: str, lower: str, name: str) -> bool:
    prefix = _PREFIX.match(text)
    body = text[prefix.end() :] if prefix else text
    words = _split(body)
    if not words or any(len(word) > 11 and odd(word) for word in ALNUM.findall(body)):
        return False
    if any(len(word) > 2 and not word.strip("x") for word in words):
        return True
    if _CHANGE.search(lower) or any(word in _TELLING or word.startswith("your") for word in words):
        return True
    if len(words) > 1 and (words[-1] in ("here", "aqui") or "example" in words):
        return True
    secret = secret_name(name)
    plain = (secret or prefix is not None) and _SEPARATED.fullmatch(body) is not None
    generic = plain and all(word in _PLAIN or word.isdigit() for word in words)
    if generic and (len(words) > 1 or prefix or words[0] in ("todo", "example", "sample", "fake", "mock")):
        return True
    same = "".join(_split(name)) == "".join(words) and (secret or len(words) > 1)
    return same or (_UPPER.fullmatch(text) is not None and secret_name(text))


def _split(text: str) -> list[str]:
    return [word for word in re.split("[^a-z0-9]+", text.lower()) if word]


def _url_stand_in(text: str) -> str:
    match = _URL.fullmatch(text)
    if match is None:
        return text if _ELLIPSIS.fullmatch(text) else ""
    user, _, password = (match[1] or "").partition(":")
    if (user.lower(), password.lower()) in _PAIRS:
        return f"{user}:{password}"
    for part, name in ((password, "A_PASSWORD"), (user, "")):
        if part and not part.startswith(("$", "{", "%")) and stand_in(part, name):
            return part
    host = match[2]
    if host.lower() in ("host", "hostname", "domain", "server") or stand_in(host):
        return host
    return match[3].strip("/") if _TEMPLATE_PATH.search(match[3]) else ""


def weak_password(password: str, user: str = "") -> bool:
    """Whether a password is among the first that are tried: the user's name or known words, with digits between."""
    text = password.lower()
    if not text or len(text) > 24 or text[0] in "${%<" or stand_in(password, "A_PASSWORD"):
        return False
    parts = [part for part in re.split("[^a-z]+", text) if part]
    if not parts:
        return text.isdigit() and len(text) < 12
    own = set(re.split("[^a-z]+", user.lower()))
    return all(part in _DICTIONARY or part in own for part in parts) and not odd(text)


def readable(value: str) -> bool:
    """Whether what follows a secret's name is no secret: nothing, a flag, a reference, a stand-in, already masked.

    Stricter than `stand_in`: every word must be a known harmless one.
    """
    text = value.strip().strip("\"'")
    if len(text) > 200:
        return False
    if len(text) < 3 or text.lower() in _FLAGS or (text.isdigit() and len(text) < 5) or masked(text):
        return True
    if _REFERENCE.fullmatch(text):
        return not any(map(odd, ALNUM.findall(text)))
    if _DOTS.fullmatch(text):
        return True
    if not _SEPARATED.fullmatch(text):
        return False
    words = _split(_PREFIX.sub("", text, count=1))
    known = all(word in _PLAIN or not word.strip("x") or (word.isdigit() and len(word) < 3) for word in words)
    return known and bool(stand_in(text, "A_PASSWORD"))


def well_known_pair(user: str, password: str) -> bool:
    """Whether a user and a password are the stand-ins of the manuals (`user:pass`)."""
    return (user.lower(), password.lower()) in _PAIRS


def masked(text: str) -> bool:
    """Whether a text is what masking leaves."""
    return text.endswith(STARS) and len(text.rstrip("*")) < 5
