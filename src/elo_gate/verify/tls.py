"""Turns a port into what its TLS is: version, certificate, whether it is trusted, and what else it would accept."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import ssl
import time
import warnings
from dataclasses import dataclass, field

from .ask import NoTls, Silence, dial, trusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# openssl.org/docs/man3.0/man1/openssl-verification-options, "Diagnostics"; looked up 2026-11-25.
_PROBLEMS = {
    9: "certificate-not-yet", 10: "certificate-expired", 18: "certificate-self-signed", 19: "certificate-self-signed",
    20: "certificate-untrusted", 21: "certificate-untrusted", 62: "certificate-name", 64: "certificate-name",
}  # fmt: skip
_OLD = ("unsupported protocol", "tlsv1 alert protocol version", "version too low")


@dataclass(slots=True)
class Tls:
    """What is spoken on a port. Dates are YYYY-MM-DD; `days` are those left, `life` all of them.

    `problems`: ids of `words`, with `detail`. `old`: whether TLS 1.0 or 1.1 is accepted, None where it could not be
    asked. `key` is the SHA-256 of the public key, base64, by which Chromium is told to accept this certificate.
    """

    version: str = ""
    names: list[str] = field(default_factory=list)
    issuer: str = ""
    not_after: str = ""
    days: int | None = None
    life: int | None = None
    fingerprint: str = ""
    key: str = ""
    old: bool | None = None
    problems: list[str] = field(default_factory=list)
    detail: str = ""

    def told(self) -> dict[str, Any]:
        """It as plain data."""
        return {
            "version": self.version,
            "names": self.names,
            "issuer": self.issuer,
            "not_after": self.not_after,
            "days_left": self.days,
            "fingerprint": self.fingerprint,
            "accepts_old": self.old,
            "problems": self.problems,
        }


def look(host: str, port: int, wait: float) -> Tls:
    """The TLS of a port, by two or three handshakes. Raises Silence when there is none to speak of."""
    seen = Tls()
    try:
        with dial(host, port, time.monotonic() + wait, trusted()) as link:
            seen.version = link.version() or ""
            told = link.getpeercert() or {}
            seen.names = [str(each[1])[:253] for each in told.get("subjectAltName", ())][:20]
            seen.issuer = _issuer(told)
            _certificate(seen, link.getpeercert(True) or b"")
    except ssl.SSLCertVerificationError as error:
        seen.problems.append(_PROBLEMS.get(error.verify_code, "certificate-untrusted"))
        seen.detail = error.verify_message if error.verify_code not in _PROBLEMS else ""
        _look_closer(seen, host, port, wait)
        return seen
    except NoTls as error:
        if error.reason in _OLD:
            seen.old = _accepts_old(host, port, wait)
            if seen.old:
                seen.problems.append("old-tls-only")
                return seen
        raise
    seen.old = _accepts_old(host, port, wait)
    return seen


def _look_closer(seen: Tls, host: str, port: int, wait: float) -> None:
    """The dates of a certificate that was not accepted, from a second handshake; nothing is asked over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with contextlib.suppress(Silence), dial(host, port, time.monotonic() + wait, context) as link:
        seen.version = link.version() or ""
        _certificate(seen, link.getpeercert(True) or b"")


def _accepts_old(host: str, port: int, wait: float) -> bool | None:
    """Whether a handshake with TLS 1.0 or 1.1 comes about; None where this OpenSSL or the network cannot try."""
    if not (ssl.HAS_TLSv1 or ssl.HAS_TLSv1_1):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            # ssl says of both constants that they are deprecated, which is what is asked about here.
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    except (ssl.SSLError, ValueError):
        return None
    try:
        with dial(host, port, time.monotonic() + wait, context):
            return True
    except NoTls as error:
        if error.reason == "inappropriate fallback":
            return True  # it took the older of the two; OpenSSL refuses that here, others do not
        # What this side refuses to offer is not the other side's answer.
        return None if error.reason == "no protocols available" else False
    except Silence:
        return False  # some servers close the connection in place of an alert


def _issuer(told: dict[str, Any]) -> str:
    named = {str(key): str(value) for part in told.get("issuer", ()) for key, value in part}
    return named.get("organizationName") or named.get("commonName") or ""


def _certificate(seen: Tls, data: bytes) -> None:
    """Fills in what a certificate says, from its DER."""
    import base64

    if not data:
        return
    seen.fingerprint = hashlib.sha256(data).hexdigest()
    try:
        begin, end, key = _read(data)
    except (IndexError, ValueError):
        return
    seen.key = base64.b64encode(hashlib.sha256(key).digest()).decode()
    seen.not_after = end.strftime("%Y-%m-%d")
    now = datetime.datetime.now(datetime.UTC)
    seen.days = (end - now).days
    seen.life = (end - begin).days


def _read(data: bytes) -> tuple[datetime.datetime, datetime.datetime, bytes]:
    """(begin, end, public key) of a certificate: RFC 5280, 4.1. Raises IndexError and ValueError."""
    body = _inside(data, _inside(data, (0, len(data)))[0])  # Certificate, TBSCertificate
    fields = body[1:] if data[body[0][0]] == 0xA0 else body  # without the version
    validity, key = fields[3], fields[5]
    begin, end = (_time(data, each) for each in _inside(data, validity)[:2])
    return begin, end, data[key[0] : key[1]]


def _inside(data: bytes, span: tuple[int, int]) -> list[tuple[int, int]]:
    """The spans of the elements within a DER element."""
    at, end = _content(data, span[0])
    found = []
    while at < end:
        _, after = _content(data, at)
        found.append((at, after))
        at = after
    return found


def _content(data: bytes, at: int) -> tuple[int, int]:
    """(begin, end) of the content of the element at a place."""
    size = data[at + 1]
    start = at + 2
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[start : start + count], "big")
        start += count
    if start + size > len(data):
        raise ValueError("cut off")
    return start, start + size


def _time(data: bytes, span: tuple[int, int]) -> datetime.datetime:
    """UTCTime (two digits of a year: 1950 to 2049) or GeneralizedTime."""
    start, end = _content(data, span[0])
    text = data[start:end].decode("ascii")
    if data[span[0]] == 0x17:
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    return datetime.datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=datetime.UTC)
