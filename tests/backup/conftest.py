"""A PostgreSQL server of our own for drills, dumps of a database on it, and an S3 server; all real."""

from __future__ import annotations

import glob
import gzip
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"
# The password of the role that drills; it must stand nowhere but in variables of children.
CANARY = "canary-Zx81-drossel"
DAY = 86_400


def _programs() -> str | None:
    """The folder of initdb and pg_ctl: PATH, or where Debian puts them."""
    found = shutil.which("pg_ctl")
    if found:
        return str(Path(found).resolve().parent)
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin/pg_ctl"), key=lambda each: int(each.split("/")[4]))
    return str(Path(folders[-1]).parent) if folders else None


def free_port() -> int:
    """A port on 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """A running server: `dsn(database)` as its superuser, `drill` as a role that may only create databases."""

    def __init__(self, port: int, folder: str, programs: str) -> None:
        self.port = port
        self.folder = folder
        self.programs = programs
        self.drill = f"postgresql://driller:{CANARY}@127.0.0.1:{port}/postgres"

    def dsn(self, database: str = "postgres") -> str:
        return f"postgresql://root:owner-pw-3321@127.0.0.1:{self.port}/{database}"

    def sql(self, text: str, database: str = "postgres") -> str:
        done = subprocess.run(
            ["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", self.dsn(database)],
            input=text, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def dump(self, path: Path, *options: str, database: str = "shop") -> Path:
        with open(path, "wb") as file:
            subprocess.run(["pg_dump", *options, self.dsn(database)], stdout=file, check=True, timeout=120)
        return path

    def scratch(self) -> list[str]:
        """The scratch databases that are there."""
        return self.sql("SELECT datname FROM pg_database WHERE datname LIKE 'elo%'").split()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server with a database `shop`: users and orders, an owner and grants, prisma's migrations, rows with NULs' kin."""
    programs = _programs()
    if programs is None or shutil.which("psql") is None or shutil.which("pg_dump") is None:
        pytest.skip("no PostgreSQL server here: install postgresql (Debian), or put initdb and pg_ctl on the PATH")
    # Short: the path of a socket has at most 107 bytes. initdb refuses root, so another user owns the folder.
    import tempfile

    folder = tempfile.mkdtemp(prefix="elo-pg-")
    wrap: list[str] = []
    if os.getuid() == 0:
        user = next((name for name in ("postgres", "nobody") if _is_user(name)), None)
        if user is None or shutil.which("setpriv") is None:
            pytest.skip("initdb refuses root, and there is no setpriv or no user postgres or nobody")
        owner = pwd.getpwnam(user)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        wrap = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    quiet = {"cwd": folder, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "timeout": 180}
    data, secret = f"{folder}/data", f"{folder}/pw"
    Path(secret).write_text("owner-pw-3321\n")
    os.chmod(secret, 0o644)
    environment = {**os.environ, "HOME": folder, "LC_ALL": "C"}
    subprocess.run(
        [*wrap, f"{programs}/initdb", "-D", data, "-U", "root", "-E", "UTF8", "--locale=C", "-A", "scram-sha-256",
         f"--pwfile={secret}", "--no-sync"],
        check=True, env=environment, stderr=subprocess.PIPE, **quiet,
    )  # type: ignore[call-overload]  # fmt: skip
    for _ in range(5):
        port = free_port()
        options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off -c max_connections=40 -c shared_buffers=16MB"
        started = subprocess.run(
            [*wrap, f"{programs}/pg_ctl", "-D", data, "-w", "-t", "60", "-l", f"{folder}/log", "-o", options, "start"],
            check=False, env=environment, **quiet,
        )  # type: ignore[call-overload]  # fmt: skip
        if started.returncode == 0:
            break
    else:
        pytest.fail(Path(f"{folder}/log").read_text(errors="replace")[-2000:])
    made = Cluster(port, folder, programs)
    try:
        made.sql(
            f"CREATE ROLE driller LOGIN CREATEDB PASSWORD '{CANARY}'; CREATE ROLE app; CREATE DATABASE shop OWNER app;"
        )
        made.sql(SHOP, "shop")
        yield made
    finally:
        subprocess.run(
            [*wrap, f"{programs}/pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"],
            check=False,
            env=environment,
            **quiet,
        )  # type: ignore[call-overload]
        shutil.rmtree(folder, ignore_errors=True)


SHOP = r"""
SET ROLE app;
CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL UNIQUE, note text);
CREATE TABLE orders (id int PRIMARY KEY, buyer int NOT NULL REFERENCES users, total numeric(10,2));
INSERT INTO users SELECT n, 'person' || n || '@example.org', md5(n::text) || E'\n\\restrict a\nGRANT x TO y;\n\n' FROM generate_series(1, 4000) n;
INSERT INTO orders SELECT n, 1 + n % 4000, n / 7.0 FROM generate_series(1, 9000) n;
CREATE VIEW buyers AS SELECT email, sum(total) FROM users JOIN orders ON buyer = users.id GROUP BY email;
CREATE TABLE "_prisma_migrations" (id text PRIMARY KEY, migration_name text NOT NULL, finished_at timestamptz, rolled_back_at timestamptz);
INSERT INTO "_prisma_migrations" VALUES ('1', '20260101000000_init', now()), ('2', '20260801000000_orders', now());
RESET ROLE;
GRANT SELECT ON users TO driller;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO driller;
"""


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


@pytest.fixture(scope="session")
def dumps(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one dump of `shop` in every format, and damaged ones."""
    folder = tmp_path_factory.mktemp("dumps")
    cluster.dump(folder / "custom", "--format=custom")
    cluster.dump(folder / "tar", "--format=tar")
    cluster.dump(folder / "plain")
    cluster.dump(folder / "inserts", "--inserts")
    cluster.dump(folder / "clean", "--clean")
    cluster.dump(folder / "create", "--create")
    cluster.dump(folder / "public", "--format=custom", "--schema=public")
    subprocess.run(
        ["pg_dump", "--format=directory", f"--file={folder / 'directory'}", cluster.dsn("shop")],
        check=True,
        timeout=120,
    )
    (folder / "plain.gz").write_bytes(gzip.compress((folder / "plain").read_bytes()))
    (folder / "custom.gz").write_bytes(gzip.compress((folder / "custom").read_bytes()))
    (folder / "tar.gz").write_bytes(gzip.compress((folder / "tar").read_bytes()))
    (folder / "empty.gz").write_bytes(gzip.compress(b"", mtime=0))
    whole = (folder / "custom").read_bytes()
    (folder / "cut").write_bytes(whole[: len(whole) * 2 // 3])
    text = (folder / "plain").read_bytes()
    # In the middle of the rows of users: psql takes what there is and ends with 0.
    (folder / "plain-cut").write_bytes(text[: text.index(b"person3500@")])
    return folder


def run(
    *words: str, environment: dict[str, str] | None = None, timeout: float = 240
) -> subprocess.CompletedProcess[str]:
    """`elo-gate backup verify` with words, as a process."""
    return subprocess.run(
        command(*words), capture_output=True, text=True, timeout=timeout, check=False, env=variables(environment),
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "elo_gate", "backup", "verify", *words]


def variables(more: dict[str, str] | None = None) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PG", "AWS_", "ELO_", "DATABASE_"))
    }
    return {**kept, "PYTHONPATH": str(SOURCE), **(more or {})}


@pytest.fixture
def series(tmp_path: Path) -> Callable[..., Path]:
    """Writes a tree with elo-gate.toml and `backups/`: one file a day, named by its day, the newest as given."""

    def write(
        newest: bytes | Path, table: str = "", days: int = 31, name: str = "dump", body: bytes | None = None
    ) -> Path:
        folder = tmp_path / "backups"
        folder.mkdir()
        content = newest.read_bytes() if isinstance(newest, Path) else newest
        now = time.time()
        for day in range(days):
            at = now - day * DAY - 3600
            path = folder / time.strftime(f"shop-%Y%m%dT%H%M%SZ.{name}", time.gmtime(at))
            path.write_bytes(content if day == 0 or body is None else body)
            os.utime(path, (at, at))
        (tmp_path / "elo-gate.toml").write_text(f'[backup.shop]\nsource = "backups"\npattern = "shop-*"\n{table}')
        return tmp_path

    return write
