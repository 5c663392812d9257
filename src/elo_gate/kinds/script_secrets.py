"""Turns a shell script into the secrets it holds: values written down, and values that stand on a command line."""

from __future__ import annotations

from ..model import SCALAR, Node
from . import credential
from .script import program, reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model import Artifact
    from ..syntax.shell import Script, Word
    from .script_calls import Call

_FLAGS = ("--token", "--password", "--pass", "--secret", "--api-key", "--auth-token", "--access-token", "--secret-key")
# Programs whose own flag for a password is a short one, glued to its value or in front of it.
_SHORT = {"mysql": "-p", "mysqldump": "-p", "mariadb": "-p", "mariadb-dump": "-p", "vercel": "-t", "redis-cli": "-a",
          "sshpass": "-p", "mongodump": "-p", "mongorestore": "-p"}  # fmt: skip


_ASKING = frozenset(
    ("pg_dump", "pg_dumpall", "pg_restore", "pg_basebackup", "psql", "createdb", "dropdb", "createuser")
)


def literals(artifact: Artifact) -> list[tuple[Node, str, Node]]:
    """(the value, the name it goes by, where to point) of each credential that is written in the script."""
    found: list[tuple[Node, str, Node]] = []
    calls = reading(artifact)
    for script in calls.scripts:
        for name, every in script.assignments.items():
            for each in every:
                if each.value is not None and each.value.known and credential.literal(name, each.value.text):
                    at = Node(SCALAR, name, script.source, each.start, each.start + len(name), "'")
                    found.append((_value(script, each.value), name, at))
    for call in calls.calls:
        for word, name in arguments(call):
            if word.known and not credential.stand_in(word.text, "PASSWORD"):
                found.append((_value(call.script, word), name, call.place))
        for word in call.args:
            text = word.text
            span = credential.url_password(text) if word.known else None
            key, equals, value = text.partition("=")
            if span is not None:
                found.append((_value(call.script, word), "the password in the address", call.place))
            elif (
                equals and word.known and key.lstrip("-").isidentifier() and credential.literal(key.lstrip("-"), value)
            ):
                found.append((_value(call.script, word), key.lstrip("-"), call.place))
    return found


def arguments(call: Call) -> list[tuple[Word, str]]:
    """(value, flag) of each secret that a call takes on its command line."""
    found = []
    for flag in _FLAGS:
        word = call.option(flag)
        # `pg_dump --password --file=x` takes no value: it asks for the password.
        if word is not None and not word.text.startswith("-") and program(call) not in _ASKING:
            found.append((word, flag))
    short = _SHORT.get(program(call))
    if short is not None and not (
        program(call).startswith(("mysql", "mariadb")) and any(t == "-p" for t in call.texts)
    ):
        word = call.option(short)
        if word is not None and word.text:
            found.append((word, short))
    return found


def _value(script: Script, word: Word) -> Node:
    return Node(SCALAR, "", script.source, word.start, word.end, "'")
