"""Answers whether a Content-Security-Policy lets the services work that the application's browser code uses."""

from __future__ import annotations

import re

from ..kinds import env
from ..kinds.header import ALL, Header
from ..model import Fault, Item, Node, Undecided
from ..project.headers import POLICY
from ..syntax.csp import Policy
from .csp import Read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

    Answers = Iterator[Fault | Undecided]
    # One demand that a policy does not meet: directive, the origins of which one would do, the directive that decides.
    Lack = tuple[str, list[str], Node]

_TESTS = re.compile(
    r"(?:^|/)(?:__tests__|__mocks__|tests?|e2e|cypress|playwright|stories)/|\.(?:test|spec|stories)\.\w+$"
)
_CONDITIONS = ("packages", "words", "unless")


class Use:
    """How an application uses a service: where that is seen, and whether it is sure (code or a dependency say so)."""

    __slots__ = ("sdk", "node", "words", "sure")

    def __init__(self, sdk: dict[str, Any], node: Node, words: str, sure: bool) -> None:
        self.sdk = sdk
        self.node = node
        self.words = words
        self.sure = sure


def blocked(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each service in use that a policy for every path does not let work."""
    application: Artifact = it.facts["application"]
    headers: dict[tuple[str, int], Header] = {}
    for target in it.facts["targets"]:
        for each in target.headers():
            if each.name == POLICY and each.covers == ALL and not each.perhaps and not each.conditional:
                headers.setdefault((each.value.source.path, each.value.start), each)
    if not headers:
        return
    uses = _uses(application, file.project.table("sdk-origins")["sdks"])
    known = [domain for each in file.project.table("sdk-origins")["sdks"] for domain in each["domains"]]
    for header in headers.values():
        read = Read(header)
        policies = read.each()
        if len(policies) != 1 or read.open:
            if uses:
                yield Undecided("the policy is not known", header.value)
            continue
        for use in uses:
            yield from _judge(use, policies[0], header, known)


def _judge(use: Use, policy: Policy, header: Header, known: list[str]) -> Answers:
    needs, open_needs = _lacks(policy, use.sdk["needs"], use.sdk, known)
    also, open_also = _lacks(policy, use.sdk["also"], use.sdk, known)
    if not needs and not also:
        if open_needs or open_also:
            yield Undecided(f"whether the policy lets {use.sdk['name']} work is not known", header.value)
        return
    sure = use.sure or any(_names(policy, domain) for domain in use.sdk["domains"])
    lacks = [*needs, *also]
    places = [place for _, _, place in lacks]
    tried = next((each for each in places if any(_tried(policy, each, name) for name in use.sdk["domains"])), places[0])
    others = {id(each): (each, f"{each.value} decides too") for each in places if each is not tried}
    yield Fault(
        tried,
        [(use.node, use.words), *others.values()],
        message="default" if needs else "partly",
        severity="error" if needs and sure else "warning",
        sdk=use.sdk["name"],
        evidence=use.words,
        lacks=_words(lacks),
        source=use.sdk["source"],
    )


def _words(lacks: list[Lack]) -> str:
    """What is missing, by origin: `https://js.stripe.com in script-src, frame-src`."""
    found: dict[str, list[str]] = {}
    for name, origins, _ in lacks:
        origin = origins[0].replace(".*", ".<domain>") if origins[0].endswith(".*") else origins[0]
        found.setdefault(origin, []).append(name)
    return "; ".join(f"{origin} in {', '.join(names)}" for origin, names in found.items())


def _tried(policy: Policy, place: Node, domain: str) -> bool:
    """Whether the directive at a place names a host of a domain: there the owner meant to let the service in."""
    directive = next((each for each in policy.directives if each.node is place), None)
    return directive is not None and any(_host(each.text).endswith(domain) for each in directive.sources)


def _host(text: str) -> str:
    return text.rpartition("://")[2].partition("/")[0]


def _lacks(
    policy: Policy, demands: dict[str, list[list[str]]], sdk: dict[str, Any], known: list[str]
) -> tuple[list[Lack], bool]:
    """The demands that a policy does not meet, and whether one cannot be told."""
    found: list[Lack] = []
    unsure = False
    for name, wanted in demands.items():
        directive, sure = policy.governing("script-src-elem" if name == "script-src" else name)
        if directive is None:
            unsure = unsure or not sure
            continue
        for origins in wanted:
            answers = {_admits(policy, name, origin) for origin in origins}
            if True in answers:
                continue
            strange = sdk.get("own") and any(_strange(each.text, known) for each in directive.sources)
            if None in answers or strange:
                unsure = True
            else:
                found.append((name, origins, directive.node))
    return found, unsure


def _admits(policy: Policy, name: str, origin: str) -> bool | None:
    """As `Policy.admits`; `https://clerk.*` is any host that begins so."""
    name = "script-src-elem" if name == "script-src" else name
    if not origin.endswith(".*"):
        return policy.admits(name, origin)
    directive, _ = policy.governing(name)
    hosts = [_host(each.text) for each in directive.sources] if directive is not None else []
    if any(host.startswith(_host(origin)[:-1]) for host in hosts):
        return True
    if any(host.startswith("*.") for host in hosts):
        return None  # a wildcard of the site's own domain may cover it
    return policy.admits(name, origin[:-1] + "example")


def _strange(text: str, known: list[str]) -> bool:
    """Whether an expression names a host that no service of the table has."""
    host = _host(text)
    return "." in host and not any(host == each or host.endswith("." + each) for each in known)


def _names(policy: Policy, domain: str) -> bool:
    """Whether a policy names a host of a domain."""
    return any(_host(each.text).endswith(domain) for directive in policy.directives for each in directive.sources)


# -- what is in use


def _uses(application: Artifact, table: list[dict[str, Any]]) -> list[Use]:
    """The services that the application's code, its package.json or its env files name."""
    project = application.project
    package = project.package(application.path)
    home = package.path.rpartition("/")[0] if package is not None else application.path.rpartition("/")[0]
    code = _code(project, home)
    files, rerouted = _env_files(project, table)
    near = sorted((each for folder in {home, ""} for each in files.get(folder, ())), key=lambda each: each.path)
    found: list[Use] = []
    for number, sdk in enumerate(table):
        if number in rerouted or any(re.search(each, text) for each in sdk.get("unless", ()) for _, text in code):
            continue
        use = _in_code(project, sdk, code) or _in_package(sdk, package)
        if use is None and (package is None or not sdk["packages"]):
            use = _in_env(near, sdk)
        if use is not None:
            found.append(use)
    return found


def _env_files(project: Any, table: list[dict[str, Any]]) -> tuple[dict[str, list[Artifact]], set[int]]:
    """(folder -> its judged env files, the services whose traffic a name in any of them sends through the site)."""
    found: tuple[dict[str, list[Artifact]], set[int]] | None = project.facts.get("env files and services")
    if found is None:
        files: dict[str, list[Artifact]] = {}
        names: set[str] = set()
        for artifact in project.artifacts("env"):
            if artifact.state == "judged":
                files.setdefault(artifact.path.rpartition("/")[0], []).append(artifact)
                names.update(str(item.facts["name"]) for item in env.vars_of(artifact))
        rerouted = {
            number
            for number, sdk in enumerate(table)
            if any(re.search(each, name) for each in sdk.get("unless", ()) for name in names)
        }
        found = project.facts["env files and services"] = files, rerouted
    return found


def _code(project: Any, home: str) -> list[tuple[str, str]]:
    """The programs of an application that name any service: path and text."""
    table = project.table("sdk-origins")["sdks"]
    marks = {name for sdk in table for name in sdk["packages"]} | {"@sentry/", "@next/third-parties"}
    found = []
    prefix = f"{home}/" if home else ""
    for path in project.programs:
        if path.startswith(prefix) and not path.endswith(".py") and not _TESTS.search(path):
            text = project.text(path)
            if text is not None and any(mark in text for mark in marks):
                found.append((path, text))
    return found


def _in_code(project: Any, sdk: dict[str, Any], code: list[tuple[str, str]]) -> Use | None:
    imports = "|".join(re.escape(name) for name in sdk["packages"])
    tests = [rf"""["'](?:{imports})(?:/[\w/.-]+)?["']"""] if imports else []
    tests += sdk.get("words", ())
    for path, text in code:
        named = any(path.rpartition("/")[2].startswith(name) for name in sdk.get("files", ()))
        for test in [*tests, *(sdk.get("file_words", ()) if named else ())]:
            match = re.search(test, text, re.S)
            if match is not None:
                source = project.read(path)
                end = match.end() if "\n" not in match[0] else match.start() + len(match[0].split("\n", 1)[0])
                node = Node("scalar", match[0], source, match.start(), end)
                return Use(sdk, node, f"{path} uses it", True)
    return None


def _in_package(sdk: dict[str, Any], package: Any) -> Use | None:
    for name in sdk["packages"]:
        key = package.root.get("dependencies").key(name) if package is not None else None
        if key:
            return Use(sdk, key, f"{package.path} depends on '{name}'", True)
    return None


def _in_env(files: list[Artifact], sdk: dict[str, Any]) -> Use | None:
    for artifact in files:
        for item in env.vars_of(artifact):
            if item.facts["name"] in sdk["variables"]:
                return Use(sdk, item.facts["key"], f"{artifact.path} sets {item.facts['name']}", False)
    return None
