"""Turns a dump into a proof: restores it into a scratch database, asks it, and drops it whatever happens.

A table of contents can be listed of a dump that is cut off; only a restore shows that its rows are there.
Facts: PostgreSQL documentation 18, pg_restore, psql, DROP DATABASE, www.postgresql.org/docs/18/, 2026-11-25.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import time
from contextlib import closing, contextmanager

from ..deploy import child
from ..deploy.veil import Veil
from . import migrations, plain, server
from .answer import GOOD, RED, SKIPPED, UNKNOWN, Answer, words
from .archive import PLAIN, Torn, Unread
from .psql import IN_TRANSACTION, RESTRICTED, Psql, Said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .archive import Archive
    from .config import Drill

PREFIX = "elo_drill_"
_MINE = re.compile(rf"{PREFIX}[0-9a-f]{{16}}")
_SHORT = 60.0
# What pg_restore's words, which carry no SQLSTATE, say about the server or the role and not about the dump.
_OUTSIDE = re.compile(
    r'(role|tablespace|collation) "[^"]*" does not exist|is not available|could not open extension control file|'
    r"permission denied|must be (owner|superuser|a superuser|able)|unrecognized configuration parameter|"
    r"unsupported version|connection to server|server closed the connection|terminating connection|"
    r"could not extend file|No space left on device|has no equivalent in encoding"
)


class Refused(Exception):
    """A drill that is not begun: a variable, a program, or production itself stands in the way."""


class Ground:
    """Where a drill may be held: a server that is not production's, seen before anything is done."""

    __slots__ = ("server", "veil", "psql_version")

    def __init__(self, drill: Drill) -> None:
        """Raises Refused."""
        for name in (drill.admin_dsn_env, drill.production_dsn_env):
            if not os.environ.get(name):
                what = "the scratch server" if name == drill.admin_dsn_env else "production, so that it is left alone"
                raise Refused(f"${name} is not set: it names {what}; --no-drill looks at the rest")
        self.server = _read(drill.admin_dsn_env)
        production = _read(drill.production_dsn_env)
        self.veil = Veil(
            (drill.admin_dsn_env, drill.production_dsn_env),
            [each.values.get("password", "") for each in (self.server, production)],
        )
        try:
            self.server.variables()
            mine = self.server.addresses()
        except server.DsnError as error:
            raise Refused(f"${drill.admin_dsn_env}: {error}") from None
        try:
            theirs = production.addresses()
        except server.DsnError as error:
            raise Refused(f"${drill.production_dsn_env}: {error}: that the drill is elsewhere cannot be told") from None
        if mine & theirs:
            raise Refused(
                f"${drill.admin_dsn_env} leads to the server of ${drill.production_dsn_env}: a drill loads, fills and "
                "may end it, so it is held on another one"
            )
        for program in ("psql", "pg_restore"):
            if shutil.which(program) is None:
                raise Refused(f"{program} is not here: a drill needs the PostgreSQL client")
        done = child.run(["psql", "--version"], os.sep, child.environment(os.sep, ()), _SHORT)
        self.psql_version = done.out.decode("utf-8", "replace")


def _read(name: str) -> server.Server:
    try:
        return server.read(os.environ[name])
    except server.DsnError as error:
        raise Refused(f"${name}: {error}") from None


@contextmanager
def undisturbed() -> Iterator[None]:
    """While it lasts no signal ends this process; one that came ends it afterwards."""
    came: list[int] = []
    kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {each: signal.signal(each, lambda number, _: came.append(number)) for each in kinds}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        if came:
            os.kill(os.getpid(), came[0])


def hold(name: str, archive: Archive, drill: Drill, ground: Ground, home: str, tree: str) -> list[Answer]:
    """The answers of a restore: `restore`, `rows`, `schema`. `home` is a private folder, `tree` the repository."""
    database = PREFIX + secrets.token_hex(8)
    psql = Psql(ground.server, ground.veil, home)
    if archive.kind == PLAIN and not plain.restricts(ground.psql_version):
        return [_unknown(
            "psql here is too old to be kept from running commands that a dump holds (CVE-2025-8714)",
            "a plain dump is a script", "install a newer PostgreSQL client, or use pg_dump --format=custom",
        )]  # fmt: skip
    answers: list[Answer] = []
    try:
        made = _create(psql, database)
        if made.error:
            return [_unknown(
                f"the scratch database cannot be made: {made.error}", "nothing can be restored into it",
                f"let the role of ${drill.admin_dsn_env} create databases, and see that its server runs",
            )]  # fmt: skip
        start = time.monotonic()
        answers.append(_restore(name, archive, psql, database, drill))
        answers[0].facts.update(database=database, restore_seconds=round(time.monotonic() - start, 3))
        if answers[0].state == GOOD:
            start = time.monotonic()
            answers += [_rows(psql, database, drill), migrations.answer(psql, database, drill, tree)]
            answers[1].facts["seconds"] = round(time.monotonic() - start, 3)
    finally:
        left = _drop(psql, database)
    answers.append(_scratch(psql, database, left))
    return answers


def _scratch(psql: Psql, database: str, left: str) -> Answer:
    """Whether the scratch database is gone, and those of runs that were killed."""
    if left:
        return Answer(
            "scratch", RED, f"the scratch database {database} could not be dropped: {left}",
            "it holds a copy of production's data", f'DROP DATABASE "{database}"', database=database,
        )  # fmt: skip
    said = psql.run(
        "SELECT datname FROM pg_database d WHERE datname ~ '^elo_drill_[0-9a-f]{16}$' "
        "AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid) ORDER BY 1;\n",
        _SHORT,
    )
    others = [each for each in said.out.split() if _MINE.fullmatch(each)]
    if others:
        return Answer(
            "scratch", GOOD, f"dropped; {others[0]} is there of another run, which goes on or was killed",
            "it holds a copy of production's data", f'where no drill goes on: DROP DATABASE "{others[0]}"',
            others=others,
        )  # fmt: skip
    return Answer("scratch", GOOD, "the scratch database was dropped")


def _unknown(what: str, why: str, do: str) -> Answer:
    return Answer("restore", UNKNOWN, what, why, do)


def _create(psql: Psql, database: str) -> Said:
    """A new, empty database. A server goes on making one for a client that is gone, so nothing ends it here."""
    with undisturbed():
        return psql.run(
            f"SET statement_timeout = '{int(_SHORT) - 10}s';\n"
            f'CREATE DATABASE "{_mine(database)}" TEMPLATE template0;\n'
            f"COMMENT ON DATABASE \"{database}\" IS 'elo-gate backup verify; may be dropped';\n"
            # So that pg_restore's words can be told apart; only a superuser may.
            "\\set ON_ERROR_STOP 0\n"
            f"ALTER DATABASE \"{database}\" SET lc_messages = 'C';\n",
            _SHORT,
        )


def _drop(psql: Psql, database: str) -> str:
    """Why the scratch database is still there; empty where it is gone."""
    with undisturbed():
        said = Said("")
        # FORCE ends what a killed program left at work; servers before 13 do not know it.
        for wait, force in ((0.0, " WITH (FORCE)"), (1.0, ""), (3.0, " WITH (FORCE)")):
            time.sleep(wait)
            said = psql.run(f'DROP DATABASE IF EXISTS "{_mine(database)}"{force};\n', _SHORT)
            if not said.error:
                return ""
        return said.error


def _mine(database: str) -> str:
    if not _MINE.fullmatch(database):
        raise AssertionError("only a scratch database is made and dropped")
    return database


def _restore(name: str, archive: Archive, psql: Psql, database: str, drill: Drill) -> Answer:
    start = time.monotonic()
    script = None
    try:
        if archive.kind == PLAIN:
            with closing(archive.pieces()) as pieces:
                script = plain.Script(pieces, secrets.token_hex(16))
                said = psql.run(script, drill.timeout, _mine(database), whole=True)
        else:
            said = _archived(archive, psql, database, drill.timeout)
    except Torn as error:
        return _failed(name, str(error))
    except Unread as error:
        return _unknown(f"{name}: {error}", "its content cannot be read here", error.do)
    took = time.monotonic() - start
    if said.error and script is not None and script.drops:
        return _unknown(
            f"{name} was made with --clean and drops what an empty database does not have: {said.error}",
            "it can only be restored over the database it came from",
            "use pg_dump without --clean, or with --if-exists",
        )  # fmt: skip
    if said.state in (IN_TRANSACTION, RESTRICTED):
        return _unknown(
            f"{name} makes or takes a database of its own, or runs a command of psql's: {said.error}",
            "only a scratch database may be written to", "use pg_dump without --create, and no pg_dumpall",
        )  # fmt: skip
    if said.error and said.outside:
        return _unknown(
            f"{name} cannot be tried on this server: {said.error}", "that says nothing about the dump",
            "the scratch server needs the version, extensions and roles of production, and the role its rights",
        )  # fmt: skip
    if said.error:
        return _failed(name, said.error)
    if drill.within is not None and took > drill.within:
        return Answer(
            "restore", RED, f"the restore took {words(took)}, and at most {words(drill.within)} are allowed",
            "production would be down at least as long", "restore in parallel, or from a physical backup",
            within=round(drill.within),
        )  # fmt: skip
    return Answer("restore", GOOD, f"{name} was restored in {words(took)}")


def _failed(name: str, words: str) -> Answer:
    return Answer(
        "restore", RED, f"{name} cannot be restored: {words}", "there is no backup of that moment",
        "see why the dump is damaged, make a new one now, and drill it", error=words,
    )  # fmt: skip


def _archived(archive: Archive, psql: Psql, database: str, seconds: float) -> Said:
    """Restores with pg_restore. Raises Torn and Unread."""
    argv = ["pg_restore", f"--format={archive.kind[0]}", "--exit-on-error", "--single-transaction", "--no-password"]
    argv += ["--no-owner", "--no-privileges", "--no-tablespaces", "--no-comments"]
    # A subscription would ask production for its rows.
    argv += ["--no-subscriptions", "--no-publications", f"--dbname={_mine(database)}"]
    for again in (True, False):
        if archive.packing:
            with closing(archive.pieces()) as pieces:
                done = child.run(argv, os.sep, psql.variables, seconds, feed=pieces)
        else:
            done = child.run([*argv, archive.path], os.sep, psql.variables, seconds)
        if done.code is None:
            return Said("", f"pg_restore cannot be started ({done.why})", True)
        if done.late:
            return Said("", "did not end in time", True)
        if not done.code:
            return Said("")
        text = done.err.decode("utf-8", "replace")
        if not (again and 'schema "public" already exists' in text):
            break
        # pg_dump --schema=public says CREATE SCHEMA public, which every new database has.
        psql.run("DROP SCHEMA public;\n", _SHORT, database)
    error, outside, _ = psql.reason(done.err)
    line = next((each for each in text.splitlines() if _OUTSIDE.search(each)), "")
    return Said("", error.removeprefix("pg_restore: error: "), outside or bool(line))


def _rows(psql: Psql, database: str, drill: Drill) -> Answer:
    """Whether every configured query answers `true`. What a query answers is not shown: it may be a person's data."""
    if not drill.checks:
        return Answer("rows", SKIPPED, "no `checks`: that the rows are there was not asked")
    for number, query in enumerate(drill.checks, 1):
        said = psql.run(
            f"BEGIN READ ONLY;\nSET LOCAL statement_timeout = '{int(_SHORT * 10) - 10}s';\n{query}\n;\nROLLBACK;\n",
            _SHORT * 10, database,
        )  # fmt: skip
        which = f"check {number} of {len(drill.checks)} ({query[:80]})"
        if said.error and said.outside:
            return Answer("rows", UNKNOWN, f"{which} could not be asked: {said.error}")
        if said.error or said.out.strip() != "t":
            how = f"failed: {said.error}" if said.error else (
                "answers false" if said.out.strip() == "f" else "does not answer one `true`"
            )  # fmt: skip
            return Answer(
                "rows", RED, f"{which} {how}", "it is a dump of another database, or its rows are missing",
                "see which database is dumped, and with which role", check=number,
            )  # fmt: skip
    return Answer("rows", GOOD, f"{len(drill.checks)} of {len(drill.checks)} checks answer true")
