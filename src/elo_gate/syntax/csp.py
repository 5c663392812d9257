"""Turns the value of a Content-Security-Policy header into policies, and answers what a browser lets through.

    for policy in parse(node):              # several where commas separate them: each must allow
        policy.inline("script-src-elem")    # do inline scripts run? True, False, None = cannot be told
        policy.admits("connect-src", "https://api.stripe.com")

Parsing and matching follow Content Security Policy Level 3 (w3.org/TR/CSP3, looked up 2026-11-25): directive names
without regard to case, the first of several of one name counts, `script-src-elem` falls back to `script-src` and that
to `default-src`, a nonce, a hash or 'strict-dynamic' switches 'unsafe-inline' off.

A value of which only parts are known (`'nonce-${nonce}'`) is read around its gaps: a gap inside quotes is one source
expression, a gap that stands alone may be any number of them, a gap where a directive's name would be may be any
directive. Every name and expression has its own span; where the text was joined from parts, the place of the part.
"""

from __future__ import annotations

import re

from ..model import SCALAR, UNKNOWN, Node, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

FETCH = frozenset(
    "default-src child-src connect-src font-src frame-src img-src manifest-src media-src object-src script-src "
    "script-src-elem script-src-attr style-src style-src-elem style-src-attr worker-src fenced-frame-src".split()
)
# Directives without a fallback to default-src.
OWN = frozenset(("base-uri", "form-action", "frame-ancestors"))
_OTHERS = frozenset(
    "sandbox report-uri report-to upgrade-insecure-requests require-trusted-types-for trusted-types webrtc".split()
)
# Browsers ignore these: dropped from the standard, or from every engine.
RETIRED = frozenset(
    "block-all-mixed-content plugin-types prefetch-src navigate-to reflected-xss referrer disown-opener "
    "require-sri-for".split()
)
DIRECTIVES = FETCH | OWN | _OTHERS | RETIRED
# Directives whose value is a list of source expressions.
LISTS = FETCH | OWN

KEYWORDS = frozenset(
    "'none' 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' 'unsafe-hashes' 'strict-dynamic' 'report-sample' "
    "'inline-speculation-rules' 'trusted-types-eval' 'unsafe-allow-redirects' 'report-sha256' 'report-sha384' "
    "'report-sha512'".split()
)
_BARE = frozenset(word.strip("'") for word in KEYWORDS)
_SECRET = re.compile(r"'(nonce-|sha(?:256|384|512)-)(.*)'\Z", re.S | re.I)
_BARE_SECRET = re.compile(r"[\"‘’“”]?(?:nonce-|sha(?:256|384|512)-)\S+", re.I)
_HOST = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?P<host>\*|(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])"
    r"(?P<port>:(?:\d+|\*))?(?P<path>/[^?#]*)?\Z",
    re.I,
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:\Z", re.I)

_CHAINS = {
    "script-src-elem": ("script-src-elem", "script-src", "default-src"),
    "script-src-attr": ("script-src-attr", "script-src", "default-src"),
    "style-src-elem": ("style-src-elem", "style-src", "default-src"),
    "style-src-attr": ("style-src-attr", "style-src", "default-src"),
    "worker-src": ("worker-src", "child-src", "script-src", "default-src"),
    "frame-src": ("frame-src", "child-src", "default-src"),
    "fenced-frame-src": ("fenced-frame-src", "frame-src", "child-src", "default-src"),
    "default-src": ("default-src",),
}

_QUOTES = re.compile(r"'+")
_GAP = "\ufffc"
_LONGEST = 1_000  # letters of a word that is looked for in the text
# What is not known of a text: `${...}` of a template or of envsubst, `{{ ... }}`, and nginx' `$name`.
_VARIABLE = re.compile(r"\{\{.*?\}\}|\$[A-Za-z_]\w*", re.S)


class Expression:
    """One source expression. `text` is lower case but for nonces and hashes; `gap`: a part of it is not known."""

    __slots__ = ("text", "node", "gap", "anything")

    def __init__(self, text: str, node: Node) -> None:
        self.text = text if text[:1] == "'" and _SECRET.match(text) else text.lower()
        self.node = node
        self.gap = _GAP in text
        self.anything = self.gap and text[0] != "'"

    @property
    def secret(self) -> str | None:
        """ "nonce" or "hash" for an expression that names single scripts, else None."""
        match = _SECRET.match(self.text)
        return None if match is None or not match[2] else "nonce" if match[1].lower() == "nonce-" else "hash"

    @property
    def shown(self) -> str:
        """The expression for a message."""
        return self.text.replace(_GAP, "...")


class Directive:
    """One directive. `open`: it may hold expressions that are not seen. `ignored`: an earlier one has its name."""

    __slots__ = ("name", "node", "sources", "ignored")

    def __init__(self, name: str, node: Node, sources: list[Expression], ignored: bool) -> None:
        self.name = name
        self.node = node
        self.sources = sources
        self.ignored = ignored

    @property
    def open(self) -> bool:
        return any(each.anything for each in self.sources)

    def get(self, text: str) -> Expression | None:
        """The expression with a text."""
        return next((each for each in self.sources if each.text == text), None)

    def secrets(self) -> bool | None:
        """Whether a nonce or a hash is there; None when one may be."""
        if any(each.secret for each in self.sources):
            return True
        return None if self.open else False


class Policy:
    """One policy: its directives as written. `open`: it may have directives that are not seen."""

    __slots__ = ("node", "directives", "open", "_index")

    def __init__(self, node: Node, directives: list[Directive], more: bool) -> None:
        self.node = node
        self.directives = directives
        self.open = more
        self._index: dict[str, Directive] = {}
        for each in directives:
            self._index.setdefault(each.name, each)

    def get(self, name: str) -> Directive | None:
        """The directive of a name that counts."""
        return self._index.get(name)

    def governing(self, name: str) -> tuple[Directive | None, bool]:
        """The directive that decides for a kind of request, by fallback, and whether nothing unseen can come first."""
        for each in _CHAINS.get(name, (name,) if name in OWN else (name, "default-src")):
            found = self._index.get(each)
            if found is not None:
                return found, not self.open or each == name
        return None, not self.open

    def inline(self, name: str) -> bool | None:
        """Whether any inline script or style runs: `name` is one of the -elem and -attr directives."""
        found, sure = self.governing(name)
        if found is None:
            return True if sure else None
        wild = found.get("'unsafe-inline'") is not None
        closed = found.secrets() or (name.startswith("script") and found.get("'strict-dynamic'") is not None)
        if closed:
            return False if sure else None
        if not sure or found.open:
            return None
        return wild

    def evaluates(self) -> bool | None:
        """Whether `eval` and its like run."""
        found, sure = self.governing("script-src")
        if found is None:
            return True if sure else None
        if found.get("'unsafe-eval'") is not None:
            return True if sure else None
        return False if sure and not found.open else None

    def admits(self, name: str, wanted: str) -> bool | None:
        """Whether a request goes through: `wanted` is an origin (`https://*.x.com`: one of them), a scheme or 'self'.

        A script that another script loads goes through under 'strict-dynamic'; under a nonce it depends on the tag.
        """
        found, sure = self.governing(name)
        if found is None:
            return True if sure else None
        if name.startswith("script") and found.get("'strict-dynamic'") is not None:
            return True
        if any(_matches(each.text, wanted) for each in found.sources if not each.gap):
            return True if sure else None
        if not sure or any(each.gap and not each.secret for each in found.sources):
            return None
        return None if name.startswith("script") and found.secrets() else False


def parse(node: Node) -> list[Policy]:
    """The policies of a header's value: a scalar, or an unknown of which parts are known. Never raises."""
    if node.kind is SCALAR:
        text = str(node.value)
    elif node.kind is UNKNOWN:
        text = _gapped(str(node.value))
    else:
        return []
    places = _Places(node)
    found = []
    for part in text.split(","):
        directives: list[Directive] = []
        more = False
        seen: set[str] = set()
        for segment in part.split(";"):
            words = segment.split()
            if not words:
                continue
            name = words[0].lower()
            if _GAP in name:
                more = True
                continue
            at = places.directive(words)
            sources = [Expression(word, places.expression(word, at)) for word in words[1:]]
            directives.append(Directive(name, at, sources, name in seen))
            seen.add(name)
        if directives or more:
            found.append(Policy(node, directives, more))
    return found


def known(node: Node) -> bool:
    """Whether enough of a value is known to read directives: a text, or an unknown that names one."""
    if node.kind is SCALAR:
        return True
    if node.kind is not UNKNOWN:
        return False
    words = re.split(r"[\s;,]+", _gapped(str(node.value)).lower())
    return any(word in DIRECTIVES for word in words)


def _gapped(text: str) -> str:
    """The text with one mark for each part that is not known."""
    out = []
    at = 0
    while True:
        start = text.find("${", at)
        if start < 0:
            break
        out.append(text[at:start])
        depth, end = 1, start + 2
        while end < len(text) and depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        out.append(_GAP)
        at = end
    out.append(text[at:])
    return _VARIABLE.sub(_GAP, "".join(out))


class _Places:
    """Finds the words of a policy in the text that wrote it: in order, else wherever in the file the directive is."""

    __slots__ = ("node", "source", "start", "end", "at")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.source: Source = node.source
        self.start, self.end = node.start, node.end
        self.at = node.start

    def directive(self, words: list[str]) -> Node:
        """The node of a directive's name; the whole value's when it is nowhere to be seen."""
        if len(words[0]) > _LONGEST:
            return self.node
        name = _pattern(words[0])
        text = self.source.text
        for start, end in ((self.at, self.end), (self.start, self.end)):
            match = name.search(text, start, end)
            if match is not None:
                return self._take(words[0].lower(), match)
        beside = _pattern(words[1]) if len(words) > 1 and len(words[1]) <= _LONGEST else None
        for match in name.finditer(text):
            line = text.rfind("\n", 0, match.start()) + 1
            if text[line : match.start()].lstrip().startswith(("//", "*", "/*", "#")):
                continue
            if beside is None or beside.search(text, match.end(), match.end() + 300):
                return self._take(words[0].lower(), match)
        return self.node

    def expression(self, word: str, owner: Node) -> Node:
        """The node of an expression after its directive's name; that name's when it is nowhere to be seen."""
        if owner is self.node or word == _GAP or len(word) > _LONGEST:
            return owner
        text, pattern = self.source.text, _pattern(word)
        match = pattern.search(text, self.at, min(len(text), max(self.end, self.at + 500)))
        if match is not None:
            return self._take(word, match)
        elsewhere = list(pattern.finditer(text))
        return self._node(word, elsewhere[0]) if len(elsewhere) == 1 else owner

    def _take(self, word: str, match: re.Match[str]) -> Node:
        self.at = match.end()
        return self._node(word, match)

    def _node(self, word: str, match: re.Match[str]) -> Node:
        kind = UNKNOWN if _GAP in word else SCALAR
        return Node(kind, word.replace(_GAP, "..."), self.source, match.start(), match.end(), "'")


def _pattern(word: str) -> re.Pattern[str]:
    """A word as it may be written: quotes escaped or doubled, `${...}` or a concatenation in its gaps.

    Steps grow with the text alone: a run of quotes is written in one way, and what stands behind a gap is the next one.
    """
    first, *others = (_QUOTES.sub(_as_written, re.escape(part)) for part in word.split(_GAP))
    written = first + "".join(rf"(?>[^;,]{{0,120}}?{part})" for part in others)
    return re.compile(rf"(?<![\w.*/-]){written}(?![\w*-]|[.:/]\w)", re.I)


def _as_written(quotes: re.Match[str]) -> str:
    count = len(quotes[0])
    return rf"(?:'{{{2 * count}}}|'{{{count}}}|(?:\\'){{{count}}})"


def _matches(source: str, wanted: str) -> bool:
    """Whether a source expression lets an origin, a scheme or 'self' through; paths are not looked at."""
    if source == wanted:
        return True
    if source[:1] == "'" or wanted[:1] == "'":
        return False
    if wanted.endswith(":"):
        return False
    have = _HOST.match(source)
    want = _HOST.match(wanted)
    scheme = (want["scheme"] or "https").lower() if want is not None else ""
    if _SCHEME.match(source):
        return _scheme(source[:-1], scheme)
    if have is None or want is None or not _scheme((have["scheme"] or "https").lower(), scheme):
        return False
    host, other = have["host"], want["host"].lower()
    if host == "*":
        return True
    suffix = host[1:] if host.startswith("*.") else None
    if other.startswith("*."):
        return host.endswith(other[1:]) or (suffix is not None and other[1:].endswith(suffix))
    return other.endswith(suffix) if suffix is not None else host == other


def _scheme(have: str, want: str) -> bool:
    """CSP3's scheme-part match: a scheme admits its secure form, the web socket ones http's too."""
    return have == want or want in {"http": ("https",), "ws": ("wss", "http", "https"), "wss": ("https",)}.get(have, ())


# -- mistakes of writing


class Mistake:
    """One thing that a browser reads otherwise than it was meant. `code` names it; `meant`: what to write."""

    __slots__ = ("code", "node", "text", "meant")

    def __init__(self, code: str, node: Node, text: str, meant: str = "") -> None:
        self.code = code
        self.node = node
        self.text = text
        self.meant = meant


def mistakes(policy: Policy) -> Iterator[Mistake]:
    """What of a policy is ignored, or read as a host: names, quotes, separators."""
    for each in policy.directives:
        name = each.name
        if name not in DIRECTIVES:
            yield _stranger(each)
        elif each.ignored:
            yield Mistake("duplicate", each.node, name)
        elif name in RETIRED:
            yield Mistake("retired", each.node, name)
        elif name in LISTS:
            yield from _wrong(each)


def _stranger(directive: Directive) -> Mistake:
    """What a directive that browsers do not know was meant to be."""
    name, node = directive.name, directive.node
    if name.endswith(":") and name[:-1] in DIRECTIVES:
        return Mistake("colon", node, name, name[:-1])
    if name[0] == "'" or "://" in name or name in ("https:", "http:", "data:", "blob:", "*") or "." in name:
        return Mistake("separator", node, name)
    return Mistake("unknown", node, name, _nearest(name) or "")


def _nearest(name: str) -> str | None:
    """The directive one or two letters away."""
    plain = name.replace("_", "-")
    for each in sorted(DIRECTIVES - RETIRED):
        if plain == each or plain == each.replace("-", "") or plain + "-src" == each or _near(plain, each):
            return each
    return None


def _near(one: str, other: str) -> bool:
    """Whether one letter too many, too few, other, or two swapped, tell two words apart."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return one == other
    at = 0
    while at < min(len(one), len(other)) and one[at] == other[at]:
        at += 1
    rest, tail = one[at:], other[at:]
    swapped = len(rest) > 1 and rest[1:2] + rest[:1] + rest[2:] == tail
    return rest[1:] == tail[1:] or rest[1:] == tail or rest == tail[1:] or swapped


def _wrong(directive: Directive) -> Iterator[Mistake]:
    """Expressions that a browser drops or takes for a host."""
    alone = len(directive.sources) == 1
    for each in directive.sources:
        text = each.text
        if each.anything and not _BARE_SECRET.match(text):
            continue
        bare = text.strip("'\"‘’“”`").lower()
        if text in KEYWORDS:
            if text == "'none'" and not alone and not directive.open:
                yield Mistake("none", each.node, text)
        elif _SECRET.match(text):
            if not each.secret:
                yield Mistake("empty", each.node, text)
        elif bare in _BARE or _BARE_SECRET.match(text):
            yield Mistake("unquoted", each.node, each.shown, f"'{bare.replace(_GAP, '...')}'")
        elif bare in DIRECTIVES:
            yield Mistake("semicolon", each.node, text)
        elif text[0] == "'" or not (each.gap or _HOST.match(text) or _SCHEME.match(text)):
            yield Mistake("source", each.node, text)
