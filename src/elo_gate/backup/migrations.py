"""Turns the migrations of the tree and those of a restored database into an answer: does this code run on this backup.

Facts: Prisma documentation, "Migrate: the _prisma_migrations table", www.prisma.io/docs/orm/prisma-migrate, 2026-11-25.
"""

from __future__ import annotations

import os

from .answer import GOOD, RED, SKIPPED, UNKNOWN, Answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .config import Drill
    from .psql import Psql

_PRISMA = "prisma/migrations"
_HEAD = (
    'SELECT migration_name FROM "_prisma_migrations" WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL '
    "ORDER BY migration_name DESC LIMIT 1"
)


def answer(psql: Psql, database: str, drill: Drill, tree: str) -> Answer:
    """Whether the newest migration in the database is one that the tree holds."""
    wanted = drill.migrations
    folder = wanted.folder if wanted is not None else _PRISMA
    query = (wanted.query if wanted is not None else "") or _HEAD
    held: list[str] = []
    if wanted is None or not wanted.expect:
        try:
            held = _names(os.path.join(tree, folder))
        except OSError as error:
            if wanted is None:
                return Answer("schema", SKIPPED, "the tree names no migrations")
            return Answer("schema", UNKNOWN, f"{folder}: cannot be read ({error.strerror})")
        if not held:
            return Answer("schema", SKIPPED, f"{folder}: holds no migration")
    said = psql.run(f"BEGIN READ ONLY;\n{query}\n;\nROLLBACK;\n", 60.0, database)
    if said.error and said.outside:
        return Answer("schema", UNKNOWN, f"the newest migration could not be asked: {said.error}")
    head = said.out.strip()
    if said.error or not head or "\n" in head or len(head) > 200:
        return Answer(
            "schema", RED, "the restored database does not say which migration it is at"
            + (f": {said.error}" if said.error else ""),
            "the next migration fails on it, or it is a dump of another database",
            "see that the dump holds the table of migrations",
        )  # fmt: skip
    if wanted is not None and wanted.expect:
        if head == wanted.expect:
            return Answer("schema", GOOD, f"the backup is at {head}", head=head)
        return Answer(
            "schema", RED, f"the backup is at {head}, and {wanted.expect} is expected",
            "the code does not fit the tables after a restore", "write the newest migration in `expect`", head=head,
        )  # fmt: skip
    at = next((number for number, name in enumerate(held) if name == head or _of(name) == head), None)
    if at is None:
        return Answer(
            "schema", RED, f"the backup is at {head}, which {folder} does not hold",
            "the code is older than the tables, or it is a dump of another database",
            "verify with the code that runs in production", head=head,
        )  # fmt: skip
    behind = held[at + 1 :]
    more = f"; {len(behind)} newer ones follow after a restore: {', '.join(behind[:3])}" if behind else ""
    return Answer("schema", GOOD, f"the backup is at {head}{more}", head=head, behind=behind[:100])


def _names(folder: str) -> list[str]:
    """The migrations of a folder, the oldest first: its folders, or where it has none its files."""
    with os.scandir(folder) as entries:
        found = [(entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith(".")]
    folders = sorted(name for name, is_folder in found if is_folder)
    files = sorted(name for name, is_folder in found if not is_folder and name[:1].isdigit())
    return folders or files


def _of(name: str) -> str:
    """The version that a file's name begins with: `20261101` of `20261101_users.sql`."""
    return name.split("_", 1)[0].split(".", 1)[0].split("-", 1)[0]
