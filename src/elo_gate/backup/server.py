"""Turns a connection string into variables for libpq's programs, and says whether two name one server.

The password travels in a variable of the child and stands in no argument list. Facts: PostgreSQL documentation 18,
"Connection Strings" and "Environment Variables" of libpq, www.postgresql.org/docs/18/libpq-connect.html, 2026-11-25.
"""

from __future__ import annotations

import os
import re
import socket
from urllib.parse import unquote

# libpq's parameters and their variables.
_VARIABLES = {
    "host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER",
    "password": "PGPASSWORD", "passfile": "PGPASSFILE", "channel_binding": "PGCHANNELBINDING",
    "connect_timeout": "PGCONNECT_TIMEOUT", "options": "PGOPTIONS", "application_name": "PGAPPNAME",
    "sslmode": "PGSSLMODE", "sslnegotiation": "PGSSLNEGOTIATION", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY",
    "sslrootcert": "PGSSLROOTCERT", "sslcrl": "PGSSLCRL", "sslcrldir": "PGSSLCRLDIR", "sslsni": "PGSSLSNI",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION", "gssencmode": "PGGSSENCMODE", "krbsrvname": "PGKRBSRVNAME",
    "target_session_attrs": "PGTARGETSESSIONATTRS", "require_auth": "PGREQUIREAUTH",
}  # fmt: skip
_HERE = "this machine"


class DsnError(ValueError):
    """A connection string that is refused; the words hold nothing of it but parameters' names."""


class Server:
    """Where a connection string leads: `places` are its (host, port), `values` libpq's parameters."""

    __slots__ = ("values", "places")

    def __init__(self, values: dict[str, str], places: list[tuple[str, str]]) -> None:
        self.values = values
        self.places = places

    def variables(self) -> dict[str, str]:
        """The variables of a child that connects there. Raises DsnError."""
        if len(self.places) != 1:
            raise DsnError("it names several servers; a drill needs one")
        host, port = self.places[0]
        values = {**self.values, "port": port, **({"host": host} if host else {})}
        if set(values) - set(_VARIABLES):
            raise DsnError(
                "it holds a parameter that is none of libpq's, as Prisma's `schema`, or has no variable there"
            )
        made = {_VARIABLES[name]: value for name, value in values.items()}
        if "PGPASSWORD" not in made and "PGPASSFILE" not in made:
            own = os.environ.get("PGPASSFILE") or os.path.join(os.path.expanduser("~"), ".pgpass")
            if os.path.isfile(own):
                made["PGPASSFILE"] = own
        made.setdefault("PGCONNECT_TIMEOUT", "10")
        return made

    def addresses(self) -> set[tuple[str, str]]:
        """Every (address, port) behind it; an address of this machine is one, by whatever name. Raises DsnError."""
        found = set()
        pinned = self.values.get("hostaddr", "")
        for host, port in self.places:
            found |= {(each, port) for each in _resolved(pinned or host)}
        return found


def read(dsn: str) -> Server:
    """A connection string of either form. Raises DsnError."""
    if re.match(r"postgres(ql)?://", dsn):
        values, places = _address(dsn)
    elif "://" in dsn:
        raise DsnError("it is no connection string of PostgreSQL")
    else:
        values, places = _words(dsn)
    if any("\0" in each for each in values.values()):
        raise DsnError("it holds a zero byte")
    if "service" in values:
        raise DsnError("`service` names its server in another file; write host and port")
    return Server(values, places)


def _address(dsn: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    rest = dsn.partition("://")[2]
    rest, _, query = rest.partition("?")
    before, _, base = rest.partition("/")
    who, _, hosts = before.rpartition("@")
    values = {}
    for each in filter(None, query.split("&")):
        name, equals, value = each.partition("=")
        if not equals:
            raise DsnError("a parameter has no value")
        values["sslmode" if name == "ssl" else unquote(name)] = "require" if name == "ssl" else unquote(value)
    user, _, password = who.partition(":")
    for name, value in (("user", user), ("password", password), ("dbname", base)):
        if value:
            values[name] = unquote(value)
    names, ports = [], []
    for each in hosts.split(","):
        found = re.fullmatch(r"(\[[0-9A-Fa-f:.%]+\]|[^:\[\]]*)(?::(\d*))?", each)
        if found is None:
            raise DsnError("its host and port are not written host:port; a special letter of a password is written %40")
        names.append(unquote(found[1].strip("[]")))
        ports.append(found[2] or "")
    return values, _places(values, names, ports)


_PAIR = re.compile(r"\s*([A-Za-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s\\']|\\.)*))(?=\s|$)", re.S)


def _words(dsn: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    values, at = {}, 0
    while at < len(dsn.rstrip()):
        found = _PAIR.match(dsn, at)
        if found is None:
            raise DsnError("it is neither postgresql://... nor host=... dbname=...")
        values[found[1]] = re.sub(r"\\(.)", r"\1", found[2] if found[2] is not None else found[3], flags=re.S)
        at = found.end()
    if not values:
        raise DsnError("it is empty")
    return values, _places(values, values.get("host", "").split(","), values.get("port", "").split(","))


def _places(values: dict[str, str], hosts: list[str], ports: list[str]) -> list[tuple[str, str]]:
    """(host, port) each; what a query says counts over what stands before it, as in libpq."""
    hosts = values.pop("host").split(",") if "host" in values else hosts
    ports = values.pop("port").split(",") if "port" in values else ports
    if len(ports) == 1:
        ports = ports * len(hosts)
    if len(ports) != len(hosts) or not all(re.fullmatch(r"\d{0,5}", each) for each in ports):
        raise DsnError("its ports do not fit its hosts")
    return [(host, port or "5432") for host, port in zip(hosts, ports, strict=True)]


def _resolved(host: str) -> set[str]:
    if not host or host[0] in "/@":
        return {_HERE}
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        raise DsnError("its host has no address here") from None
    return {_HERE if _own(each) else each.removeprefix("::ffff:") for each in found}


def _own(address: str) -> bool:
    """Whether an address is one of this machine's: only those can be bound to."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return address.startswith("127.") or address == "::1"
    return True
