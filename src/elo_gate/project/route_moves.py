"""Turns next.config and vercel.json into what they do to an application's paths: a base path, rewrites, redirects."""

from __future__ import annotations

import re

from ..model import CHOICE, MAP, SCALAR, SEQ, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def config_of(project: Any, folder: str) -> Any:
    """The artifact of the next.config of an application's folder, None when it has none."""
    for artifact in project.artifacts("next"):
        if artifact.path.rpartition("/")[0] == folder:
            return artifact
    return None


def base_path(config: Any) -> tuple[str, str]:
    """(the base path, why it cannot be told)."""
    from ..kinds import next as kind

    if config.state == "broken" or not config.source.text.strip():
        return "", "the configuration of Next.js is not known"
    if kind.option(config, "pageExtensions"):
        return "", "pageExtensions names other files as routes"
    node = kind.option(config, "basePath")
    if not node or node.is_null():
        return "", ""
    text = node.text()
    return ((text or "").rstrip("/"), "") if node.kind is SCALAR else ("", "the base path is not known")


def rules(project: Any, folder: str, config: Any) -> Iterator[tuple[Node | None, Node | None, str, str]]:
    """(source, destination, "rewrite" or "redirect", file) of what next.config and vercel.json move."""
    from ..syntax.javascript import alternatives, lookup

    if config is not None and config.state != "broken":
        from ..kinds import next as kind

        for name in ("redirects", "rewrites"):
            node = kind.returned(config, name)
            if not node or node.is_null():
                continue
            lists = [node]
            if node.kind is MAP:
                lists = [entry for part in ("beforeFiles", "afterFiles", "fallback") if (entry := lookup(node, part))]
            for each in lists:
                for option in alternatives(each):
                    if option.kind is not SEQ:
                        yield None, None, name[:-1], config.path
                        continue
                    for entry in option.value:
                        if entry.kind is not MAP:
                            yield None, None, name[:-1], config.path
                        elif lookup(entry, "has") or lookup(entry, "missing"):
                            # Only for some requests: it neither gives the path nor takes it away.
                            continue
                        else:
                            yield lookup(entry, "source"), lookup(entry, "destination"), name[:-1], config.path
            if node.kind is CHOICE:
                yield None, None, name[:-1], config.path
    prefix = folder + "/" if folder else ""
    for artifact in project.artifacts("vercel"):
        if artifact.path.rpartition("/")[0] + "/" != (prefix or "/"):
            continue
        if artifact.root.kind is not MAP:
            yield None, None, "rewrite", artifact.path
            continue
        for entry in artifact.root.get("routes").elements():
            # The old form, with regular expressions: read only where it leads where it comes from.
            source, destination = entry.get("src").text() or "", entry.get("dest").text()
            if source.replace("(.*)", "$1", 1) != destination and not entry.get("continue").boolean():
                yield None, None, "rewrite", artifact.path
        for name in ("redirects", "rewrites"):
            for entry in artifact.root.get(name).elements():
                if not entry.get("has") and not entry.get("missing"):
                    yield entry.get("source"), entry.get("destination"), name[:-1], artifact.path


def matches(source: str, path: str) -> bool | None:
    """Whether a `source` of Next.js or Vercel matches a path; None when it has something that is not read."""
    wanted = [part for part in source.split("/") if part]
    parts = [part for part in path.split("/") if part]
    for index, segment in enumerate(wanted):
        if segment in ("(.*)", ":path*", "**") or re.fullmatch(r":\w+(?:\*|\(\.\*\))", segment):
            return True
        if re.fullmatch(r":\w+\+", segment):
            return len(parts) > index
        if not re.fullmatch(r":\w+|[\w.~@-]+", segment):
            return None if index <= len(parts) else False
        if index >= len(parts) or not (segment[0] == ":" or segment == parts[index]):
            return False
    return len(parts) == len(wanted)
