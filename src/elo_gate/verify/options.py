"""What a look at a site takes in, and its bounds."""

from __future__ import annotations

from dataclasses import dataclass, field

# No look asks more often, or reads more of one answer.
REQUESTS = 60
BODY = 1 << 20
HOPS = 10


@dataclass(frozen=True, slots=True)
class Health:
    """The health route. `field` of its JSON answer must be `expect` ("": whatever it says); `warn` are told and pass.

    `nested` is where the parts say how they are, `checks.*.status`; "" asks nothing of them. Each must be `expect` or
    one of `warn`; without `expect` it must not be a word of FAILING. `plain`: the field, too, must not be one of these.
    """

    path: str
    field: str = "status"
    expect: str = ""
    warn: tuple[str, ...] = ()
    nested: str = ""
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """A path and the status that its first answer must have; 0: any but a server's error, after redirects."""

    path: str
    status: int = 0


@dataclass(frozen=True, slots=True)
class Options:
    """What to look at. Times are seconds.

    `headers`, `cookies`, `transport`: judge headers as served, the flags of cookies, TLS and the way from http to it.
    `browser`: "off", "auto" (where there is a Chromium), "require". `expect_release`: "header:NAME" or "json:FIELD",
    where an answer names its release. `bypass_env` is the name of a variable with the value that lets a request
    through a platform's login (vercel.com/docs/deployment-protection/methods-to-bypass-deployment-protection,
    looked up 2026-11-25).
    """

    health: Health | None = None
    paths: tuple[Path, ...] = ()
    answer: float = 10.0
    whole: float = 120.0
    expect_release: str = ""
    headers: bool = True
    cookies: bool = True
    transport: bool = True
    browser: str = "off"
    screenshot: str = ""
    bypass_env: str = ""
    settings: dict[str, tuple[str | None, dict[str, object]]] = field(default_factory=dict)
    elo: bool = False
