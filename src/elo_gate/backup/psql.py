"""Turns SQL into what a server answers, through `psql`; of an error only what holds no rows gets out."""

from __future__ import annotations

import os
import re

from ..deploy import child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..deploy.veil import Veil
    from .server import Server

# Classes of SQLSTATE that say something about the server or the role, and nothing about the dump: connection,
# privilege (42501), not supported there (0A000, 58P01), resources, intervention, encoding; 25001 is a statement that
# no transaction takes.
_OUTSIDE = re.compile(r"08|28|3D|42501|0A000|58|53|57|25001|22P05|55006|XX")
# What the words of an undefined object (42704) say about the server.
_MISSING = re.compile(r'^(?:role|tablespace|collation) "[^"]*" does not exist|^unrecognized configuration parameter')
# CREATE DATABASE within the one transaction; a command of psql's that its restricted mode refuses.
IN_TRANSACTION, RESTRICTED = "25001", "restricted"
_ERROR = re.compile(r"(?:ERROR|FATAL|PANIC):\s+(?:([0-9A-Z]{5}): )?(.*)")
# PostgreSQL puts what it could not read, a piece of a row, last and in double quotes.
_VALUE = re.compile(r': ".*$')


class Said:
    """What psql did. `error` is empty where all went well, `outside`: it is not the dump's fault, `state`: SQLSTATE."""

    __slots__ = ("out", "error", "outside", "state")

    def __init__(self, out: str, error: str = "", outside: bool = False, state: str = "") -> None:
        self.out = out
        self.error = error
        self.outside = outside
        self.state = state


class Psql:
    """A server as its programs reach it. `home` is a private folder."""

    __slots__ = ("variables", "_veil")

    def __init__(self, server: Server, veil: Veil, home: str) -> None:
        """Raises DsnError."""
        self.variables = {**child.environment(home, ()), **server.variables()}
        self._veil = veil

    def run(
        self,
        sql: str | Iterable[bytes],
        seconds: float,
        database: str = "",
        *,
        whole: bool = False,
    ) -> Said:
        """Runs statements up to the first that fails; `whole` in one transaction."""
        argv = ["psql", "-X", "-A", "-t", "-q", "--no-password", "-v", "ON_ERROR_STOP=1"]
        argv += ["-v", "VERBOSITY=verbose", "-v", "SHOW_CONTEXT=never"]
        argv += [f"--dbname={database}"] if database else []
        argv += ["--single-transaction"] if whole else []
        feed = sql.encode() if isinstance(sql, str) else sql
        done = child.run([*argv, "--file=-"], os.sep, self.variables, seconds, feed=feed)
        if done.code is None:
            return Said("", f"psql cannot be started ({done.why})", True)
        if done.late:
            return Said("", "did not end in time", True)
        out = done.out.decode("utf-8", "replace")
        if not done.code:
            return Said(out)
        return Said(out, *self.reason(done.err, done.code == 2))

    def reason(self, err: bytes, unreached: bool = False) -> tuple[str, bool, str]:
        """(the first error in words, whether it is the server's and not the dump's, its SQLSTATE)."""
        text = err.decode("utf-8", "replace")
        found = _ERROR.search(text)
        if found is None:
            line = next((each for each in text.splitlines() if each.strip()), "it said nothing")
            known = RESTRICTED if "backslash commands are restricted" in text else ""
            return self._shown(re.sub(r"^psql:<stdin>:\d+: ", "", line)), unreached or bool(known), known
        state, words = found[1] or "", found[2]
        outside = unreached or _OUTSIDE.match(state) is not None or _MISSING.match(words) is not None
        if state[:2] in ("22", "23"):
            words = _VALUE.sub("", words)
        return self._shown(words + (f" ({state})" if state else "")), outside, state

    def _shown(self, words: str) -> str:
        return self._veil.hide(words, 240)
