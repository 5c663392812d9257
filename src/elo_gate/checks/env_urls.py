"""Turns a variable's URL into what is wrong with it: a scheme that is not the service's, no TLS, an address
that no visitor reaches."""

from __future__ import annotations

import re

from ..model import SCALAR, UNKNOWN, Artifact, Fault, Item, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(?:[^\s/?#]*@)?(\[[0-9A-Fa-f:.]+\]|[^\s/?#:,]*)(?::([0-9]*))?([^\s]*)")
_LOCAL = re.compile(r"localhost|127\.[0-9.]+|0\.0\.0\.0|\[::1?\]|.*\.localhost", re.IGNORECASE)
_PRIVATE = re.compile(
    r"10\.[0-9.]+|192\.168\.[0-9.]+|172\.(?:1[6-9]|2[0-9]|3[01])\.[0-9.]+|100\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.[0-9.]+|"
    r".*\.(?:internal|local|lan|svc|cluster\.local|flycast|home\.arpa|intranet|corp)|\[f[cd][0-9a-f:]*\]",
    re.IGNORECASE,
)
# Drivers name their protocols `postgresql+asyncpg`; what counts is the part before the plus.
_ENCRYPTED = re.compile(
    r"[?&](?:sslmode=(?:require|verify-ca|verify-full|no-verify)|ssl(?:=|_ca=)(?!false|0|disable)[^&]+|ssl-mode=(?!disabled|preferred)[^&]+|"
    r"sslaccept=[^&]+|sslrootcert=[^&]+|sslcert=[^&]+|tls=(?!false|0)[^&]+|useSSL=true|encrypt=true|host=/[^&]*)",
    re.IGNORECASE,
)
_PLACEHOLDER_HOSTS = ("host", "hostname", "server", "domain")


def scheme(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault when the scheme of a connection URL is none that the service it is named for speaks."""
    wanted = next((row for row in params["services"] if re.search(row["names"], it.facts["name"])), None)
    if wanted is None:
        return
    value = it.facts["value"]
    if value.kind is UNKNOWN:
        raise Undecided("the value refers to a variable that this file does not set", it)
    match = _URL.match(value.value)
    if match is None:
        return
    found = match[1].lower().partition("+")[0]
    if found in wanted["schemes"]:
        return
    package = file.project.package(file.path)
    for name, also in wanted.get("clients", {}).items():
        if found in also and (package is None or package.has(name)):
            return
    yield Fault(it, name=it.facts["name"], scheme=match[1].lower(), expected=wanted["expected"])


def unencrypted(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault when a database, cache or queue outside of the own network is reached without TLS."""
    value = it.facts["value"]
    if value.kind is UNKNOWN:
        match = _URL.match(value.value)
        if match and match[1].lower().partition("+")[0] in params["plain"]:
            yield Undecided("the URL refers to a variable that this file does not set", it)
        return
    match = _URL.fullmatch(value.value.strip())
    if match is None:
        return
    found = match[1].lower().partition("+")[0]
    service = params["plain"].get(found)
    host, rest = match[2].lower(), match[4]
    if (
        service is None
        or match[1].endswith("+srv")
        or not host
        or _ENCRYPTED.search(rest)
        or "$" in host
        or "{" in host
    ):
        return
    if _LOCAL.fullmatch(host) or _PRIVATE.fullmatch(host):
        return
    if "." not in host and not host.startswith("[") and host not in _PLACEHOLDER_HOSTS and "host" not in host:
        return  # a name of the own network: a service of Compose, of Kubernetes, of a private DNS
    if host in _services(file):
        return
    if found.startswith("postgres") and _set_beside(file, "PGSSLMODE") in ("require", "verify-ca", "verify-full"):
        return
    yield Fault(it, message=service, name=it.facts["name"], host=match[2], scheme=match[1])


def _services(file: Artifact) -> set[str]:
    """Names under which the repository's own Compose files run something."""
    names: set[str] = set()
    for artifact in file.project.artifacts("compose"):
        names.update(key.value for key, _ in artifact.root.get("services").items())
    return names


def _set_beside(file: Artifact, name: str) -> str:
    return file.root.get(name).text() or ""


def address(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault when the address that browsers are sent to is the own machine or has no TLS."""
    if not re.search(params["names"], it.facts["name"]) or re.search(params["except"], it.facts["name"]):
        return
    value = it.facts["value"]
    if value.kind is UNKNOWN:
        yield Undecided("the value refers to a variable that this file does not set", it)
        return
    if it.facts["stand_in"]:
        return
    for part in value.value.split(","):
        match = _URL.match(part.strip())
        if match is None or match[1].lower() not in ("http", "https", "ws", "wss"):
            continue
        host = match[2]
        if _LOCAL.fullmatch(host):
            yield Fault(it, message="local", name=it.facts["name"], host=host)
            return
        if match[1].lower() in ("http", "ws") and not _PRIVATE.fullmatch(host) and "." in host:
            yield Fault(it, message="plain", name=it.facts["name"], host=host, scheme=match[1].lower())
            return


def smtp_port(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault when mail is handed over at a port that is not for submission."""
    if not re.search(params["names"], it.facts["name"]):
        return
    value = it.facts["value"]
    if value.kind is UNKNOWN:
        raise Undecided("the value refers to a variable that this file does not set", it)
    if value.value and value.number() not in params["ports"]:
        yield Fault(it, message="relay" if value.number() == 25 else "default", name=it.facts["name"], port=value.value)


_EMAIL = re.compile(r"[^\s@<>\",;]{1,64}@[^\s@<>\",;]{1,255}\.[^\s@<>\",;.]{2,}")


def email(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault when a sender or recipient holds no address."""
    if not re.search(params["names"], it.facts["name"]) or it.facts["stand_in"]:
        return
    value = it.facts["value"]
    if value.kind is UNKNOWN:
        raise Undecided("the value refers to a variable that this file does not set", it)
    if value.kind is SCALAR and value.value and not _EMAIL.search(value.value):
        yield Fault(it, name=it.facts["name"])


_POOLED = re.compile(
    r"[?&](?:pgbouncer=true|connection_limit=|pool)|pooler|pgbouncer|prisma|proxy|:6[45]32\b", re.IGNORECASE
)
# Clients that speak over HTTP or pool by themselves.
_HTTP_CLIENTS = (
    "@neondatabase/serverless",
    "@vercel/postgres",
    "@prisma/extension-accelerate",
    "@planetscale/database",
)


def unpooled(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a direct PostgreSQL address that functions of Vercel are given."""
    project = file.project
    if it.facts["name"] not in params["names"] or it.facts["value"].kind is not SCALAR:
        return
    match = _URL.match(it.facts["value"].value)
    if match is None or match[1].lower() not in ("postgres", "postgresql") or _LOCAL.fullmatch(match[2]):
        return
    vercel = [each for each in project.artifacts("vercel") if each.state == "judged"]
    if not vercel and "vercel" not in project.platforms:
        return
    package = project.package(file.path)
    if _POOLED.search(match[0]) or (package is not None and any(package.has(each) for each in _HTTP_CLIENTS)):
        return
    key = next((key for each in vercel for key, _ in each.root.items()), None)
    related = [(key, "the file for Vercel")] if key is not None else []
    yield Fault(it, related, name=it.facts["name"], host=match[2])
