"""Answers what a Content-Security-Policy lets through that it is there to stop, and what it stops that must run."""

from __future__ import annotations

import re

from ..kinds import next_headers
from ..kinds.header import ALL, SOME, Header
from ..model import Fault, Item, Undecided
from ..project.header_layers import UNSURE
from ..project.headers import FRAMES, POLICY, PRESENT, REPORT_ONLY, Target, targets
from ..syntax import csp
from ..syntax.csp import Directive, Expression, Policy
from ..syntax.javascript import alternatives, lookup
from .headers import SERVED, headers_of, targets_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ..model import Artifact

    Answers = Iterator[Fault | Undecided]
    # An answer of one policy: whether it has the flaw, and where.
    Ask = Callable[[Policy], tuple[bool | None, Expression | Directive | None]]

_PROGRAMS = (".js", ".mjs", ".cjs", ".ts", ".mts")
_REPORTS = ("reporting-endpoints", "report-to")
_LOCAL = re.compile(r"(?:[a-z]+://)?(?:localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1\])(?::(?:\d+|\*))?(?:/.*)?\Z")


class Read:
    """One header with a policy: the policies of each value it can have. `open`: a value is not known."""

    __slots__ = ("header", "values", "open")

    def __init__(self, header: Header) -> None:
        self.header = header
        known = [each for each in alternatives(header.value) if csp.known(each)]
        self.values = [csp.parse(each) for each in known]
        self.open = len(known) != len(alternatives(header.value))

    def each(self) -> list[Policy]:
        """Every policy of every value."""
        return [policy for value in self.values for policy in value]


def enforced(it: Item, file: Artifact) -> list[Read]:
    """The policies that browsers enforce, a value of which is known."""
    found: list[Read] | None = it.facts.get("policies")
    if found is None:
        found = [Read(each) for each in headers_of(it, file) if each.name == POLICY]
        it.facts["policies"] = found
    return found


def _ask(reads: list[Read], ask: Ask, why: str) -> Iterator[tuple[Read, Policy, Expression | Directive] | Undecided]:
    """The headers every value of which has a flaw, by its first place; undecided where only some have it.

    Headers that share the words with the flaw are one answer.
    """
    told_of: set[tuple[str, int]] = set()
    for read in reads:
        answers = []
        place: tuple[Policy, Expression | Directive] | None = None
        for value in read.values:
            told = [(policy, *ask(policy)) for policy in value]
            # Several policies in one header must all let a thing through.
            flawed = all(answer for _, answer, _ in told) and bool(told)
            answers.append(True if flawed else False if any(each is False for _, each, _ in told) or not told else None)
            for policy, answer, found in told:
                if flawed and answer and found is not None and place is None:
                    place = policy, found
        if read.open:
            answers.append(None)
        if place is not None and set(answers) == {True}:
            at = (place[1].node.source.path, place[1].node.start)
            if at not in told_of:
                told_of.add(at)
                yield read, *place
        elif any(each is not False for each in answers):
            yield Undecided(why, read.header.value)


def inline(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a policy under which inline scripts (or styles) run whoever wrote them."""
    kind = str(params["kind"])

    def ask(policy: Policy) -> tuple[bool | None, Expression | Directive | None]:
        for name in (f"{kind}-src-elem", f"{kind}-src-attr"):
            found, _ = policy.governing(name)
            if kind == "style" and found is policy.governing("script-src-elem")[0]:
                continue  # the same words let scripts in, which is told
            answer = policy.inline(name) if found is not None else False
            if answer is not False:
                return answer, found.get("'unsafe-inline'") if found is not None else None
        return False, None

    for found in _ask(enforced(it, file), ask, f"whether inline {kind}s run under the policy is not known"):
        if isinstance(found, Undecided):
            yield found
        else:
            _, policy, at = found
            yield Fault(at.node, directive=_owner(policy, at), keyword="unsafe-inline")


def evaluates(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a policy under which `eval` runs."""

    def ask(policy: Policy) -> tuple[bool | None, Expression | Directive | None]:
        found, _ = policy.governing("script-src")
        return (policy.evaluates(), found.get("'unsafe-eval'")) if found is not None else (False, None)

    for found in _ask(enforced(it, file), ask, "whether 'eval' runs under the policy is not known"):
        if isinstance(found, Undecided):
            yield found
        else:
            _, policy, at = found
            yield Fault(at.node, directive=_owner(policy, at), keyword="unsafe-eval")


def _owner(policy: Policy, at: Expression | Directive) -> str:
    """The name of the directive an expression stands in."""
    return next((each.name for each in policy.directives if each is at or at in each.sources), "")


# What a directive decides for, in the order in which it is looked at: a wildcard of `default-src` counts for scripts.
_SCRIPTS = ("*", "http:", "https:", "data:", "http://*", "https://*", "filesystem:")


def wildcard(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each directive that admits every host; for scripts also `data:`, which is inline script."""
    told: set[tuple[str, int]] = set()
    for name, severity in params["directives"].items():
        script = name == "script-src"

        def ask(policy: Policy, name: str = name, script: bool = script) -> Any:
            found, sure = policy.governing("script-src-elem" if script else name)
            if found is None or (script and found.get("'strict-dynamic'") is not None):
                return False, None
            if name != found.name and not script:
                return False, None
            at = next((each for each in found.sources if _wide(each.text, name)), None)
            return (at is not None and (True if sure else None), at)

        for found in _ask(enforced(it, file), ask, f"whether '{name}' admits every host is not known"):
            if isinstance(found, Undecided):
                continue
            read, policy, at = found
            place = (at.node.source.path, at.node.start)
            if name == "frame-ancestors" and read.header.covers == SOME:
                continue  # the part of a site that is made to be framed
            if place not in told and isinstance(at, Expression):
                told.add(place)
                message = "scripts" if script else "frames" if name == "frame-ancestors" else "default"
                yield Fault(at.node, message=message, severity=severity, source=at.shown, directive=_owner(policy, at))


def _wide(text: str, name: str) -> bool:
    if text in ("data:", "filesystem:"):
        return name in ("script-src", "object-src")
    return text in _SCRIPTS


def missing(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields one fault a header for the directives it lacks and that nothing stands in for."""
    reads = enforced(it, file)
    found: dict[tuple[str, str], list[Header]] = {}
    for read in reads:
        header = read.header
        policies = read.each()
        if not policies or _one_file(header):
            continue
        if read.open or any(policy.open for policy in policies):
            yield Undecided("what else the policy says is not known", header.value)
            continue
        if all(policy.get("sandbox") or _inert(policy) for policy in policies):
            continue
        scripts = [policy for policy in policies if policy.governing("script-src-elem")[0] is not None]
        if not scripts:
            others = [each for each in reads if each is not read and any(p.get("default-src") for p in each.each())]
            if header.covers != SOME and not others:
                yield Fault(header.key, message="scripts", header=header.shown, directives=_list(policies[0]))
            continue
        lacks = [name for name in params["directives"] if not any(policy.get(name) for policy in policies)]
        if not any(policy.governing("object-src")[0] for policy in policies):
            lacks.append("object-src")
        if "frame-ancestors" in lacks and not _framed(header, it, file):
            lacks.remove("frame-ancestors")  # headers/missing-headers says that nothing forbids framing
        if lacks:
            found.setdefault((header.key.source.path, ", ".join(lacks)), []).append(header)
    for (_, directives), headers in found.items():
        first, *more = headers
        related = [(each.key, "here too") for each in more]
        yield Fault(first.key, related, header=first.shown, directives=directives)


def _one_file(header: Header) -> bool:
    """Whether a header is for one file by its name (`/sw.js`), which is no page."""
    name = str(header.source.value).rpartition("/")[2] if header.source.kind == "scalar" else ""
    return re.fullmatch(r"[\w-]+(?:\.[\w-]+)*\.\w{2,5}", name) is not None and not name.endswith((".html", ".htm"))


def _inert(policy: Policy) -> bool:
    """Whether a policy lets no script and no style in: that of an API or a download, whose document does nothing."""
    found = policy.governing("script-src-elem")[0]
    styles = policy.governing("style-src-elem")[0]
    return all(each is not None and [source.text for source in each.sources] == ["'none'"] for each in (found, styles))


def _list(policy: Policy) -> str:
    return ", ".join(each.name for each in policy.directives)


def _framed(header: Header, it: Item, file: Artifact) -> bool:
    """Whether X-Frame-Options is there on every target of a policy."""
    return all(target.state(FRAMES).word in (PRESENT, UNSURE) for target in _targets(header, it, file))


def _targets(header: Header, it: Item, file: Artifact) -> list[Target]:
    """The targets that a header reaches."""
    if file.kind in ("next", SERVED):
        return targets_of(it, file)[1]
    places = {(header.value.source.path, header.value.start)}
    return [
        target
        for target in targets(file.project)
        if any((each.value.source.path, each.value.start) in places for each in target.headers())
    ]


def mistakes(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each word of a policy that browsers ignore or read as something else."""
    for read in [Read(each) for each in headers_of(it, file) if each.name in (POLICY, REPORT_ONLY)]:
        told: set[tuple[str, int, str]] = set()
        for policy in read.each():
            for each in csp.mistakes(policy):
                at = (each.node.source.path, each.node.start, each.text)
                if at in told or (len(read.values) > 1 and not _everywhere(read, each)):
                    continue
                told.add(at)
                message = "near" if each.code == "unknown" and each.meant else each.code
                severity = params["severities"].get(message)
                if read.header.name == REPORT_ONLY and severity is None:
                    severity = "warning"  # on trial, nothing is blocked and nothing let through
                yield Fault(each.node, message=message, severity=severity, text=each.text, meant=each.meant.strip("'"))


def _everywhere(read: Read, mistake: csp.Mistake) -> bool:
    """Whether every value of a header has a mistake."""
    return all(
        any(
            each.code == mistake.code and each.text == mistake.text for policy in value for each in csp.mistakes(policy)
        )
        for value in read.values
    )


def report_only(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a policy that is only reported, and for reports that go nowhere."""
    headers = headers_of(it, file)
    names = {each.name for each in headers}
    for header in headers:
        if header.name not in (POLICY, REPORT_ONLY):
            continue
        read = Read(header)
        policies = read.each()
        if header.name == REPORT_ONLY and POLICY not in names:
            around = _targets(header, it, file)
            if any(target.doubt(POLICY) for target in around):
                yield Undecided("whether a policy is enforced is not known", header.key)
            else:
                yield Fault(header.key, header=header.shown)
            continue
        if read.open or not policies or any(policy.open for policy in policies):
            continue
        to = [policy.get("report-to") for policy in policies]
        if any(policy.get("report-uri") for policy in policies):
            continue
        if header.name == REPORT_ONLY and not any(to):
            yield Fault(header.key, message="silent", header=header.shown)
        elif any(to) and not names & set(_REPORTS):
            at = next(each for each in to if each is not None)
            words = " ".join(source.shown for source in at.sources)
            yield Fault(at.node, message="nowhere", header=header.shown, group=words)


def bypass(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each host of a script list that serves scripts with which anyone's script runs."""
    hosts = params["hosts"]

    def ask(policy: Policy) -> tuple[bool | None, Expression | Directive | None]:
        found, sure = policy.governing("script-src-elem")
        if found is None or found.get("'strict-dynamic'") is not None or policy.inline("script-src-elem") is not False:
            return False, None
        at = next((each for each in found.sources if _host(each.text) in hosts), None)
        return at is not None and (True if sure else None), at

    for found in _ask(enforced(it, file), ask, "the hosts that scripts may come from are not known"):
        if not isinstance(found, Undecided):
            _, policy, at = found
            if isinstance(at, Expression):
                what = hosts[_host(at.text)]
                yield Fault(at.node, host=at.shown, what=what, directive=_owner(policy, at))


def _host(text: str) -> str:
    """The host of an expression that admits the whole host; "" for one with a path."""
    bare = text.rpartition("://")[2]
    host, _, path = bare.partition("/")
    return host.partition(":")[0] if not path else ""


def leftover(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for hosts of a developer's machine, and for ones reached without encryption."""
    for read in enforced(it, file):
        told: set[str] = set()
        for policy in read.each():
            for directive in policy.directives:
                for each in directive.sources if directive.name in csp.LISTS else ():
                    local = _LOCAL.match(each.text) is not None
                    plain = each.text.startswith(("http://", "ws://")) and each.text not in ("http://*", "ws://*")
                    if (local or plain) and each.text not in told and not each.gap:
                        told.add(each.text)
                        message = "default" if local else "plain"
                        yield Fault(each.node, message=message, source=each.shown, directive=directive.name)


def fixed_nonce(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a nonce that every response shares."""
    for read in enforced(it, file):
        path = read.header.key.source.path
        name = path.rpartition("/")[2]
        for policy in read.each():
            at = next((one for each in policy.directives for one in each.sources if one.secret == "nonce"), None)
            if at is None:
                continue
            literal = not at.gap and re.fullmatch(r"'nonce-[A-Za-z0-9+/_-]+={0,2}'", at.text)
            if literal and "nonce" not in at.text[7:].lower() and "csp" not in at.text[7:].lower():
                yield Fault(at.node, nonce="nonce-...", file=name)
                break
            if at.gap and name.startswith("next.config."):
                yield Fault(at.node, message="once", nonce=at.shown.strip("'"), file=name)
                break


def line_break(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a value with a line break inside, which no server may send."""
    for header in headers_of(it, file):
        values = [str(each.value) for each in alternatives(header.value)]
        kind = header.key.source.path.rpartition(".")[2]
        if (
            kind in ("js", "mjs", "cjs", "ts", "mts")
            and values
            and all(re.search(r"[\r\n]", _edges(v, header)) for v in values)
        ):
            yield Fault(header.key, header=header.shown)


def _edges(text: str, header: Header) -> str:
    """The text as it is sent: `Headers.set` of a middleware cuts white space off its ends, next.config does not."""
    return text if header.key.source.path.rpartition("/")[2].startswith("next.config.") else text.strip()


# -- Next.js


def blocks_next(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a policy under which the scripts that Next.js writes into its pages do not run."""
    application, around = targets_of(it, file)
    told: set[int] = set()
    for target in around:
        for header in target.headers():
            if header.name != POLICY or header.covers != ALL or header.perhaps or header.conditional:
                continue
            if id(header.key) in told or (target.layers[-1].doubts and file.kind != "next"):
                continue
            told.add(id(header.key))
            yield from _blocked(header, application)


def _blocked(header: Header, application: Artifact) -> Answers:
    read = Read(header)
    for value in read.values if not read.open else ():
        for policy in value:
            found, sure = policy.governing("script-src-elem")
            if found is None or not sure or found.open:
                continue
            secrets = {each.secret for each in found.sources} - {None}
            if found.get("'strict-dynamic'") is not None and not secrets:
                yield Fault(found.get("'strict-dynamic'").node, message="dynamic", directive=found.name)  # type: ignore[union-attr]
                return
            if not _app_router(application) or "hash" in secrets:
                continue
            if not secrets and policy.inline("script-src-elem") is False:
                if not lookup(application.root, "experimental", "sri"):
                    yield Fault(found.node, message="inline", directive=found.name)
                return
            if secrets and _unasked(header, application):
                yield Fault(header.key, message="request", header=header.shown)
                return


def _unasked(header: Header, application: Artifact) -> bool:
    """Whether the middleware sets the policy on the response and on no request that it hands on."""
    path = header.key.source.path
    if path != next_headers.middleware(application):
        return False
    if any(each.name in (POLICY, REPORT_ONLY) for each in next_headers.asked(application)):
        return False
    # Headers handed on by a way that was not followed.
    return re.search(r"\brequest\s*:\s*\{|\brequest\s*[,}]\s*\)|new\s+Request\(", header.key.source.text) is None


def _app_router(application: Artifact) -> bool:
    folder = application.path.rpartition("/")[0]
    prefix = f"{folder}/" if folder else ""
    return any(application.project.exists(f"{prefix}{place}") for place in ("app", "src/app"))
