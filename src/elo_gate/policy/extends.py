"""Turns `extends` into one set of values: the policies a configuration builds on, its own over theirs.

`pkg:acme_gate_policy` is the file elo-gate.toml in an installed package, found by name and never imported;
`policy/base.toml` a file of the repository. Lists are joined, tables of rules merged key by key, and what an earlier
policy locks (`unsuppressable`, `require_owner`, `require_until`, `max_days`) a later one cannot loosen.
"""

from __future__ import annotations

import os
import re
import sys

from ..model import Source
from . import ConfigError
from .config import KEYS, RULE_LEVELS, _table, folders, text_of, top_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

DEPTH = 10
COUNT = 100
_PACKAGE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\Z", re.A)
# Said by the configuration itself and not handed on.
_OWN = ("extends", "baseline")


def merge(
    values: dict[str, Any],
    path: str,
    opened: Callable[[str], str] | None = None,
    within: tuple[str, ...] = (),
    read: list[str] | None = None,
) -> dict[str, Any]:
    """The values of a configuration at a path with those it extends. Raises ConfigError."""
    merged: dict[str, Any] = {}
    line = 1
    here = within or (os.path.realpath(path),)
    read = [] if read is None else read
    for name in values["extends"]:
        base, text = _open(name, path, opened, line)
        key = os.path.realpath(base)
        if key in here:
            raise ConfigError(f"{path}: extends: '{name}' comes back to itself")
        if len(here) > DEPTH:
            raise ConfigError(f"{path}: extends: more than {DEPTH} policies, one on the other")
        read.append(key)
        if len(read) > COUNT:
            raise ConfigError(f"{path}: extends: more than {COUNT} policies in all")
        merged = _over(merged, _values(base, text, opened, (*here, key), read), path)
    return {**_over(merged, values, path), "extends": values["extends"], "baseline": values.get("baseline", "")}


def _values(
    path: str, text: str, opened: Callable[[str], str] | None, within: tuple[str, ...], read: list[str]
) -> dict[str, Any]:
    """The values of a policy that is extended, what it extends itself taken in."""
    from ..syntax.toml import parse

    source = Source(path, text)
    root, problems = parse(source)
    if problems:
        raise ConfigError(f"{path}:{source.position(problems[0].start)[0]}: {problems[0].message}")
    values = _table(root, KEYS, source, "")
    values["rules"] = folders(values, path)
    for entries in values.values():
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict):
                entry["file"] = path
    if values.get("extends"):
        values = merge(values, path, opened, within, read)
    return {name: value for name, value in values.items() if name not in _OWN}


def _open(name: str, path: str, opened: Callable[[str], str] | None, line: int) -> tuple[str, str]:
    """(path, text) of a policy by the name that `extends` gives it."""
    folder = os.path.dirname(os.path.abspath(path))
    top = top_of(folder)
    if name.startswith("pkg:"):
        found = _installed(name[4:], top)
        if found is None:
            raise ConfigError(f"{path}: extends: no installed package '{name[4:]}' holds an elo-gate.toml")
        return found, _read(found)
    full = os.path.normpath(os.path.join(folder, name))
    if os.path.isabs(name) or not (full + os.sep).startswith(top + os.sep):
        raise ConfigError(f"{path}: extends: '{name}' lies outside of the repository; an installed package is pkg:NAME")
    if opened is not None:
        return full, opened(full)
    if not os.path.realpath(full).startswith(os.path.realpath(top) + os.sep):
        raise ConfigError(f"{path}: extends: '{name}' leads out of the repository")
    return full, _read(full)


def _installed(name: str, top: str) -> str | None:
    """The elo-gate.toml of an installed package. Nothing of the judged repository counts as installed, save what lies
    in the site-packages from which elo-gate itself runs."""
    if not _PACKAGE.match(name):
        return None
    top = os.path.realpath(top)
    for entry in sys.path:
        if not os.path.isabs(entry):
            continue
        real = os.path.realpath(entry)
        inside = (real + os.sep).startswith(top + os.sep)
        if inside and not (os.path.basename(real) in ("site-packages", "dist-packages") and _runs_from(real)):
            continue
        path = os.path.join(entry, *name.split("."), "elo-gate.toml")
        if os.path.isfile(path):
            return path
    return None


def _runs_from(folder: str) -> bool:
    return any(
        os.path.realpath(getattr(module, "__file__", None) or "").startswith(folder + os.sep)
        for module in (sys.modules.get("elo_gate"), sys.modules.get("click"), sys.modules.get("yaml"))
    )


def _read(path: str) -> str:
    try:
        return text_of(path)
    except FileNotFoundError:
        raise ConfigError(f"{path}: cannot be read (no such file)") from None


def _over(base: dict[str, Any], own: dict[str, Any], path: str) -> dict[str, Any]:
    """One set of values over another."""
    merged = {**base, **own}
    for name, (kind, _, _) in KEYS.items():
        if isinstance(kind, list) and name in base and name in own and name != "extends":
            joined = base[name] + own[name]
            merged[name] = list(dict.fromkeys(joined)) if kind == ["text"] else joined
    for name in ("require_owner", "require_until"):
        merged[name] = bool(base.get(name)) or bool(own.get(name))
    limits = [each["max_days"] for each in (base, own) if each.get("max_days")]
    if limits:
        merged["max_days"] = min(limits)
    rules = dict(base.get("rule", {}))
    locked = base.get("unsuppressable", [])
    for identifier, (severity, parameters) in own.get("rule", {}).items():
        known, given = rules.get(identifier, (None, {}))
        if severity is not None and (identifier in locked or identifier.partition("/")[0] + "/*" in locked):
            if RULE_LEVELS.index(severity) > RULE_LEVELS.index(known or "error"):
                raise ConfigError(f'{path}: [rule."{identifier}"]: a policy that this one extends locks this rule')
        rules[identifier] = (severity or known, {**given, **parameters})
    merged["rule"] = rules
    return merged
