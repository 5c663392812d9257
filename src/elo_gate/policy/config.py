"""Turns elo-gate.toml (or `[tool.elo-gate]` of pyproject.toml) into a Policy, or says which key is wrong and where.

One table of keys and types, from which the reader and `schemas/config.schema.json` are both made.
"""

from __future__ import annotations

import os

from ..model import MAP, SCALAR, SEQ, Node, Source
from . import ConfigError, Ignore, Policy, glob, is_date

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LEVELS = ("error", "warning", "note")
RULE_LEVELS = (*LEVELS, "off")
PLATFORMS = ("vercel", "railway", "kubernetes", "docker", "aws", "gcp", "azure")
ENVIRONMENTS = ("production", "staging", "development", "test", "demo", "example")
# Where variables may be kept out of the repository's sight.
KEEPERS = (*PLATFORMS, "github", "gitlab")
# What documents promise and a configuration can hold.
PROMISES = (
    "alerts", "audit", "backup-encryption", "csp", "error-tracking", "health-check", "hpa", "logs", "metrics",
    "notification", "off-site-backup", "pdb", "rate-limit", "rollback", "scheduled-backup", "smoke-test", "staging",
    "zero-downtime",
)  # fmt: skip

# key -> (type, choices or None, what it means). A type in brackets is a list of it; a dict is a table.
_IGNORE: dict[str, Any] = {
    "rule": ("text", None, "the id of the rule whose findings are let pass"),
    "path": ("text", None, "a glob: the files in which they are"),
    "reason": ("text", None, "why; mandatory"),
    "owner": ("text", None, "who answers for it"),
    "until": ("date", None, "the last day on which it holds"),
}
KEYS: dict[str, Any] = {
    "extends": (["text"], None, "policies this one builds on: pkg:an_installed_package, or a file of the repository"),
    "fail_on": ("text", LEVELS, "the lowest severity that blocks; default error"),
    "exclude": (["text"], None, "globs of files that are not looked at"),
    "rules": (["text"], None, "folders with rule files of your own"),
    "platforms": (["text"], PLATFORMS, "what this repository deploys to"),
    "standard": ("text", ("elo",), "the standard whose own numbers are errors"),
    "promises": (["text"], PROMISES, "what the documents promise and the configuration must hold"),
    "allow_empty": ("boolean", None, "a tree in which everything is set aside passes"),
    "baseline": ("text", None, "the file with the findings that are accepted; `elo-gate baseline add` writes it"),
    "unsuppressable": (["text"], None, "ids of rules, or folder/*, that no exception lets pass"),
    "require_owner": ("boolean", None, "every exception names who answers for it"),
    "require_until": ("boolean", None, "every exception has a last day"),
    "max_days": ("number", None, "the last day of an exception is at most so many days away"),
    "rule": ("rules", None, "severity and parameters of one rule"),
    "environment": (
        [{
            "name": ("text", ENVIRONMENTS, "the environment"),
            "files": (["text"], None, "globs of the files that belong to it"),
        }],
        None,
        "overrides what path, siblings and content say",
    ),
    "service": (
        [{
            "name": ("text", None, "the service"),
            "files": (["text"], None, "globs of the files that describe it"),
        }],
        None,
        "overrides which files belong to one service",
    ),
    "provided": (
        [{
            "platform": ("text", KEEPERS, "where the variables are kept"),
            "names": (["text"], None, "their names; never a value"),
        }],
        None,
        "the variables that a platform holds outside of the repository",
    ),
    "ignore": ([_IGNORE], None, "findings that are let pass, with a reason"),
    "deploy": ("deploy", None, "where `elo-gate deploy` deploys to; schemas/deploy.schema.json"),
    "backup": ("deploy", None, "what `elo-gate backup verify` looks at; schemas/backup.schema.json"),
}  # fmt: skip


def find(root: str, top: str) -> str | None:
    """The configuration file of a judged root: the first found from the root up to the repository's top.

    Raises ConfigError when one folder holds both kinds.
    """
    folder = root
    while True:
        own = os.path.join(folder, "elo-gate.toml")
        shared = os.path.join(folder, "pyproject.toml")
        # What is no file (a folder, a pipe) is refused when it is read, rather than looked over.
        has_own, has_shared = os.path.lexists(own) and not os.path.isdir(own), _mentions(shared)
        if has_own and has_shared:
            raise ConfigError(f"{folder}: both elo-gate.toml and [tool.elo-gate] in pyproject.toml; keep one of them")
        if has_own or has_shared:
            found = own if has_own else shared
            return within(found, top, os.path.basename(found))
        above = os.path.dirname(folder)
        if folder in (top, above):
            return None
        folder = above


def within(path: str, top: str, named: str) -> str:
    """A path, where it lies in the repository and no link leads out of it. Raises ConfigError."""
    real = os.path.realpath(path)
    if not (real + os.sep).startswith(os.path.realpath(top) + os.sep):
        raise ConfigError(f"{path}: '{named}' leads out of the repository")
    return path


def _mentions(path: str) -> bool:
    from ..discover import Unreadable, read_file

    try:
        return os.path.isfile(path) and b"[tool.elo-gate" in read_file(os.path.realpath(path))
    except Unreadable:
        return False


def text_of(path: str, limit: int = 1 << 20) -> str:
    """The text of a file that a configuration is made of. Raises ConfigError; FileNotFoundError when there is none."""
    from ..discover import Unreadable, read_file

    if not os.path.lexists(path):
        raise FileNotFoundError(path)
    try:
        return read_file(os.path.realpath(path), limit).decode("utf-8")
    except Unreadable as error:
        raise ConfigError(f"{path}: {error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8") from None


def read(path: str, root: str) -> Policy:
    """The policy in a file, with globs made relative to the judged root. Raises ConfigError."""
    try:
        text = text_of(path)
    except FileNotFoundError:
        raise ConfigError(f"{path}: cannot be read (no such file)") from None
    # Globs are relative to the configuration's folder, which is the root or above it.
    below = os.path.relpath(root, os.path.dirname(path)).replace(os.sep, "/")
    return read_text(path, text, "" if below == "." else below + "/")


def read_text(path: str, text: str, below: str, opened: Callable[[str], str] | None = None) -> Policy:
    """As `read`; `below` is where the root lies under the configuration's folder, with a final `/`, or empty.

    `opened` gives the text of a file of the repository that it extends; without it the file is read from disk.
    """
    from ..syntax.toml import parse

    source = Source(path, text)
    root, problems = parse(source)
    if problems:
        first = problems[0]
        raise ConfigError(f"{path}:{source.position(first.start)[0]}: {first.message}")
    if os.path.basename(path) == "pyproject.toml":
        root = root.get("tool", "elo-gate")
    values = _table(root, KEYS, source, "") if root else {}
    values["rules"] = folders(values, path)
    if values.get("extends"):
        from .extends import merge

        values = merge(values, path, opened)
    policy = Policy()
    policy.path = path
    policy.below = below
    policy.baseline = values.get("baseline", "")
    policy.unsuppressable = values.get("unsuppressable", [])
    policy.require_owner = values.get("require_owner", False)
    policy.require_until = values.get("require_until", False)
    policy.max_days = values.get("max_days", 0)
    policy.fail_on = values.get("fail_on", "error")
    policy.exclude = [_under(each, below) for each in values.get("exclude", [])]
    policy.rules = values.get("rules", [])
    policy.platforms = values.get("platforms", [])
    policy.elo = values.get("standard") == "elo"
    policy.allow_empty = values.get("allow_empty", False)
    policy.settings = values.get("rule", {})
    policy.promises = values.get("promises", [])
    if not below:
        # A finding may stand at a declared word; one about a configuration above the root has no place below it.
        here = Source(os.path.basename(path), text)
        for name in ("platforms", "promises"):
            for each in root.get(name).elements():
                at = Node(SCALAR, each.value, here, each.start, each.end, each.style)
                policy.declared.setdefault((name, str(each.value)), at)
            for word in values.get(name, []) if values.get("extends") else ():
                policy.declared.setdefault((name, word), _at(root.get("extends"), here))
    for table, keys in (
        ("environment", ("name", "files")),
        ("service", ("name", "files")),
        ("provided", ("platform", "names")),
    ):
        for entry in values.get(table, []):
            for key in keys:
                if key not in entry:
                    raise ConfigError(f"{entry.get('file', path)}:{entry['line']}: [[{table}]] needs `{key}`")
    for entry in values.get("service", []):
        policy.services.append((entry["name"], tuple(glob(_under(each, below)) for each in entry["files"])))
    for entry in values.get("provided", []):
        policy.provided.setdefault(entry["platform"], set()).update(entry["names"])
    for entry in values.get("environment", []):
        policy.environments.append((entry["name"], [glob(_under(each, below)) for each in entry["files"]]))
    place = Source(os.path.basename(path), text)
    for entry in values.get("ignore", []):
        for key in ("rule", "path", "reason"):
            if not entry.get(key):
                raise ConfigError(f"{entry.get('file', path)}:{entry['line']}: [[ignore]] needs `{key}`")
        ignore = Ignore(
            entry["rule"],
            _under(entry["path"], below),
            entry["reason"],
            entry.get("owner", ""),
            entry.get("until", ""),
            entry["line"],
        )
        ignore.file = entry.get("file", "")
        if not below and not ignore.file:
            ignore.node = _at(entry["node"], place)
        policy.ignores.append(ignore)
    return policy


def folders(values: dict[str, Any], path: str) -> list[str]:
    """The folders of own rules that a configuration names, which lie in its repository. Raises ConfigError."""
    base = os.path.dirname(os.path.abspath(path))
    found = []
    for each in values.get("rules", []):
        full = os.path.join(os.path.dirname(path), each)
        if os.path.isabs(each):
            raise ConfigError(f"{path}: rules: '{each}' is relative to the configuration's folder")
        found.append(full)
        within(os.path.normpath(full), top_of(base), each)
    return found


def top_of(folder: str) -> str:
    """The nearest folder at or above one that holds `.git`, else the folder itself."""
    at = folder
    while True:
        if os.path.lexists(os.path.join(at, ".git")):
            return at
        above = os.path.dirname(at)
        if above == at:
            return folder
        at = above


def _at(node: Node, here: Source) -> Node:
    """A place of the configuration under its name below the judged root."""
    return Node(node.kind, [], here, node.start, node.end)


def _under(pattern: str, below: str) -> str:
    """A glob of the configuration's folder as one of the judged root; what cannot match below it matches nothing."""
    if not below:
        return pattern
    if pattern.startswith("**/"):
        return pattern
    return pattern[len(below) :] if pattern.startswith(below) else "\0"


def _table(node: Node, keys: dict[str, Any], source: Source, where: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if node.kind is not MAP:
        raise _error(source, node, f"{where or 'the file'} is a table")
    for key, value in node.items():
        name = key.value
        if name not in keys:
            raise _error(source, key, f"unknown key `{where}{name}`{nearest(name, keys)}")
        kind, choices, _ = keys[name]
        values[name] = _value(value, kind, choices, source, where + name)
    return values


def _value(node: Node, kind: Any, choices: tuple[str, ...] | None, source: Source, where: str) -> Any:
    if isinstance(kind, list):
        if node.kind is not SEQ:
            raise _error(source, node, f"`{where}` is a list")
        (inner,) = kind
        if isinstance(inner, dict):
            return [
                {**_table(each, inner, source, where + "."), "line": source.position(each.start)[0], "node": each}
                for each in node.value
            ]
        return [_value(each, inner, choices, source, where) for each in node.value]
    if kind == "rules":
        return _rules(node, source)
    if kind == "deploy":
        # Its reader is deploy.config, or backup.config, which knows every key; judging a tree needs none of them.
        if node.kind is not MAP:
            raise _error(source, node, f"`{where}` is a table")
        return {}
    if node.kind is not SCALAR:
        raise _error(source, node, f"`{where}` is a {kind}")
    text = str(node.value)
    if kind == "boolean":
        if node.style != "" or text not in ("true", "false"):
            raise _error(source, node, f"`{where}` is true or false, without quotes")
        return text == "true"
    if kind == "number":
        if node.style != "" or not text.isascii() or not text.isdigit():
            raise _error(source, node, f"`{where}` is a whole number")
        return int(text)
    if kind == "date":
        if not is_date(text):
            raise _error(source, node, f"`{where}` is a date, written 2027-03-01")
        return text
    if node.style == "":
        raise _error(source, node, f"`{where}` is text, in quotes")
    if choices is not None and text not in choices:
        raise _error(source, node, f"`{where}` is one of {', '.join(choices)}{nearest(text, choices)}")
    return text


def _rules(node: Node, source: Source) -> dict[str, tuple[str | None, dict[str, Any]]]:
    if node.kind is not MAP:
        raise _error(source, node, '`rule` is written [rule."docker/root-user"]')
    settings: dict[str, tuple[str | None, dict[str, Any]]] = {}
    for key, table in node.items():
        where = f'rule."{key.value}".'
        values = (
            _table(table, {"severity": ("text", RULE_LEVELS, ""), "with": ("any", None, "")}, source, where)
            if (not table.get("with"))
            else {"severity": table.get("severity").text()}
        )
        for name, _ in table.items():
            if name.value not in ("severity", "with"):
                raise _error(
                    source, name, f"unknown key `{where}{name.value}`{nearest(name.value, ('severity', 'with'))}"
                )
        level = values.get("severity")
        if level is not None and level not in RULE_LEVELS:
            raise _error(source, table.get("severity"), f"`{where}severity` is one of {', '.join(RULE_LEVELS)}")
        parameters = (
            {name.value: plain(value) for name, value in table.get("with").items()} if table.get("with") else {}
        )
        settings[str(key.value)] = (level, parameters)
    return settings


def plain(node: Node) -> Any:
    """A TOML value as plain data."""
    if node.kind is MAP:
        return {key.value: plain(value) for key, value in node.items()}
    if node.kind is SEQ:
        return [plain(value) for value in node.value]
    if node.style == "":
        boolean = node.boolean() if node.value in ("true", "false") else None
        number = node.number()
        return boolean if boolean is not None else number if number is not None else node.value
    return node.value


def check_rules(policy: Policy, ids: list[str], parameters: Callable[[str], set[str]]) -> None:
    """Refuses a rule id or a parameter that does not exist. Raises ConfigError."""
    known = set(ids)
    for identifier, (_, given) in policy.settings.items():
        if identifier not in known:
            raise ConfigError(f'{policy.path}: [rule."{identifier}"]: there is no such rule{nearest(identifier, ids)}')
        wrong = sorted(set(given) - parameters(identifier))
        if wrong:
            names = parameters(identifier)
            raise ConfigError(
                f'{policy.path}: [rule."{identifier}"]: no parameter `{wrong[0]}`'
                + (nearest(wrong[0], names) or f"; there are {', '.join(sorted(names)) or 'none'}")
            )
    for entry in policy.ignores:
        if entry.rule not in known:
            raise ConfigError(f"{policy.path}:{entry.line}: no rule '{entry.rule}'{nearest(entry.rule, ids)}")


def nearest(name: str, known: Any) -> str:
    """`; did you mean ...?` when a known name is close, else empty."""
    from difflib import get_close_matches

    names = sorted(str(each) for each in known)
    found = get_close_matches(name, names, 1, 0.6) or [
        each for each in names if len(name) > 2 and each.startswith(name)
    ]
    return f"; did you mean `{found[0]}`?" if found else ""


def _error(source: Source, node: Node, message: str) -> ConfigError:
    line, column = source.position(node.start) if node else (1, 1)
    return ConfigError(f"{source.path}:{line}:{column}: {message}")


def schema() -> dict[str, Any]:
    """The JSON schema of the configuration, made from KEYS."""

    def of(kind: Any, choices: tuple[str, ...] | None, words: str) -> dict[str, Any]:
        made: dict[str, Any]
        if isinstance(kind, list):
            inner = kind[0]
            items = table(inner) if isinstance(inner, dict) else of(inner, choices, "")
            made = {"type": "array", "items": items}
        elif kind == "rules":
            made = {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"severity": {"enum": list(RULE_LEVELS)}, "with": {"type": "object"}},
                },
            }
        elif kind == "deploy":
            made = {"type": "object"}
        elif kind == "boolean":
            made = {"type": "boolean"}
        elif kind == "number":
            made = {"type": "integer", "minimum": 0}
        elif kind == "date":
            made = {"type": "string", "format": "date"}
        else:
            made = {"type": "string"}
            if choices:
                made["enum"] = list(choices)
        return {**made, "description": words} if words else made

    def table(keys: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {name: of(*row) for name, row in keys.items()},
        }

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "elo-gate.toml",
        **table(KEYS),
    }


if __name__ == "__main__":
    import json
    import sys

    # Writes the schema: python -m elo_gate.policy.config > schemas/config.schema.json
    sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
