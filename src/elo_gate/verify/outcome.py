"""What one look has seen: a check for each path, findings, TLS, pages; and whether that is green, red or silent."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..inert import inert
from ..model import SEVERITIES
from ..redact import mask
from . import served
from .judge import NONCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .ask import Answer
    from .browser import Page
    from .tls import Tls
    from .words import Found

GREEN = "green"
RED = "red"
SILENT = "silent"


@dataclass(slots=True)
class Check:
    """What one path answered: `status` None without an answer; `hops` are (status, address) of its redirects."""

    path: str
    status: int | None = None
    result: str = GREEN
    why: str = ""
    hops: list[tuple[int, str]] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """It as plain data, without what is new in each answer."""
        return {
            "path": self.path,
            "status": self.status,
            "result": self.result,
            "why": self.why,
            "redirects": [{"status": status, "to": mask(where)} for status, where in self.hops],
            "headers": [list(each) for each in self.headers],
        }


@dataclass(slots=True)
class Look:
    """One look. `url` is where the paths were asked, after http led to https; `remarks` are what was not looked at."""

    url: str
    checks: list[Check] = field(default_factory=list)
    findings: list[Found] = field(default_factory=list)
    tls: Tls | None = None
    pages: list[Page] = field(default_factory=list)
    browser: str = ""
    remarks: list[str] = field(default_factory=list)

    def result(self, fail_on: str = "warning") -> str:
        """Red by a path or by a finding of a severity or a graver one, else silent by a path, else green."""
        grave = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
        if any(each.result == RED for each in self.checks) or any(each.severity in grave for each in self.findings):
            return RED
        return SILENT if any(each.result == SILENT for each in self.checks) or not self.checks else GREEN


# Headers that are kept as evidence: those that are judged, and what says who answered.
_KEPT = frozenset(
    "strict-transport-security content-security-policy content-security-policy-report-only x-frame-options "
    "x-content-type-options referrer-policy permissions-policy access-control-allow-origin server x-powered-by "
    "cache-control content-type location set-cookie cross-origin-opener-policy".split()
)


def evidence(answer: Answer) -> list[tuple[str, str]]:
    """The headers of an answer that are worth keeping, without secrets and what is new in each answer."""
    return [(name, _shown(name, value)) for name, value in answer.headers if name.lower() in _KEPT]


def _shown(name: str, value: str) -> str:
    if name.lower() == "set-cookie":
        value = served.cookie(value)
    elif name.lower() == "location":
        value = served.location(value)
    return inert(mask(NONCE.sub("'nonce-***'", value)), 1_000)
