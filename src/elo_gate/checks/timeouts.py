"""Answers whether the time limits on a request's way end from the inside out: database, function, proxy."""

from __future__ import annotations

import re

from ..model import SCALAR, Fault, Item, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

# `?statement_timeout=30000`, `options=-c statement_timeout=30s`, url-encoded too; PostgreSQL counts milliseconds.
_STATEMENT = re.compile(r"statement_timeout(?:=|%3D)'?(\d+)(ms|s|min)?", re.IGNORECASE)
_UNITS = {"": 0.001, "ms": 0.001, "s": 1.0, "min": 60.0}
_ANNOTATION = "nginx.ingress.kubernetes.io/proxy-read-timeout"


def ladder(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where an outer limit ends before an inner one."""
    project = file.project
    statements = list(_statements(project, params["names"]))
    functions = list(_functions(project))
    proxies = list(_proxies(project))
    if not statements:
        return
    longest, inside = max(statements, key=lambda each: each[0])
    for outer, message in ((functions, "function"), (proxies, "proxy")):
        if not outer:
            continue
        shortest, outside = min(outer, key=lambda each: each[0])
        if shortest <= longest:
            related = [(inside, f"lasts {longest:g} seconds")]
            yield Fault(outside, related, message=message, outer=f"{shortest:g}", inner=f"{longest:g}")


def _statements(project: Any, names: list[str]) -> Iterator[tuple[float, Node]]:
    """(seconds, node) of the statement timeouts that connection URLs and SQL scripts set."""
    artifacts = project.artifacts("env")
    if artifacts:
        from ..kinds import env
    for artifact in artifacts:
        if artifact.state == "judged":
            for item in env.vars_of(artifact):
                if item.facts["name"] in names and item.facts["value"].kind is SCALAR:
                    seconds = _seconds(item.facts["value"].value)
                    if seconds:
                        yield seconds, item.place
    for artifact in project.artifacts("sql"):
        if artifact.state == "judged" and "statement_timeout" in artifact.source.text.lower():
            yield from _set_in(artifact)


def _set_in(artifact: Artifact) -> Iterator[tuple[float, Node]]:
    """`SET statement_timeout = '30s'` and `TO 30000`, in whichever statement of a script it stands."""
    from ..kinds import sql

    for statement in sql.VIEWS["statements"](artifact):
        tokens = statement.facts["statement"].tokens
        for name, sign, value in zip(tokens, tokens[1:], tokens[2:], strict=False):
            if name.text.lower() == "statement_timeout" and sign.text in ("=", "TO"):
                seconds = _seconds(f"statement_timeout={sql.node_of(artifact, value).value}")
                if seconds:
                    yield seconds, sql.node_of(artifact, name)


def _seconds(text: str) -> float:
    match = _STATEMENT.search(text)
    return float(match[1]) * _UNITS[(match[2] or "").lower()] if match is not None else 0.0


def _functions(project: Any) -> Iterator[tuple[float, Node]]:
    for artifact in project.artifacts("vercel"):
        if artifact.state == "judged":
            for _, settings in artifact.root.get("functions").items():
                limit = settings.get("maxDuration")
                number = limit.number()
                if number:
                    yield float(number), limit


def _proxies(project: Any) -> Iterator[tuple[float, Node]]:
    for artifact in project.artifacts("nginx"):
        if artifact.state == "judged":
            from ..kinds import nginx

            for proxy in nginx.view(artifact, "proxies"):
                seconds, at = proxy.facts["read_timeout"], proxy.facts["read_timeout_at"]
                if at and isinstance(seconds, (int, float)):
                    yield float(seconds), at
    for artifact in project.artifacts("k8s"):
        if artifact.state == "judged" and _ANNOTATION in artifact.source.text:
            from ..kinds import k8s

            for item in k8s.view(artifact, "ingresses"):
                node = item.facts["annotations"].get(_ANNOTATION)
                number = node.number()
                if number:
                    yield float(number), node
