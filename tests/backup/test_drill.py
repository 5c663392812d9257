"""Restores of real dumps into a real server: what a drill says of good and of damaged ones, and what it leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import CANARY, Cluster, command, free_port, run, variables

DRILL = 'drill = { admin_dsn_env = "ELO_DRILL_DSN", checks = ["SELECT count(*) = 4000 FROM users", "SELECT count(*) > 0 FROM orders;"] }\n'
PRODUCTION = "postgresql://app:prod-pw-5511@192.0.2.10:5432/shop"


def drilled(cluster: Cluster, tree: Path, *words: str, **more: str) -> tuple[int, dict[str, Any], str]:
    """(exit code, the one report, all output) of a drill on the cluster."""
    done = run(
        "--root", str(tree), "--json", *words,
        environment={"ELO_DRILL_DSN": cluster.drill, "DATABASE_URL": PRODUCTION, **more},
    )  # fmt: skip
    assert done.stdout.startswith("{"), done.stderr
    assert CANARY not in done.stdout + done.stderr and "prod-pw-5511" not in done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout)["backups"][0], done.stdout + done.stderr


def answer(report: dict[str, Any], id: str) -> dict[str, Any]:
    (found,) = [each for each in report["checks"] if each["id"] == id]
    return found


@pytest.mark.parametrize("kind", ["custom", "tar", "plain", "inserts", "plain.gz", "custom.gz", "tar.gz", "public"])
def test_a_good_dump_of_every_format_is_restored_and_dropped(
    kind: str, cluster: Cluster, dumps: Path, series: Callable[..., Path]
) -> None:
    code, report, _ = drilled(cluster, series(dumps / kind, DRILL))
    assert (code, report["state"]) == (0, "good"), report
    assert answer(report, "restore")["state"] == answer(report, "rows")["state"] == "good"
    assert answer(report, "restore")["facts"]["database"].startswith("elo_drill_")
    assert report["restore_seconds"] > 0
    assert answer(report, "restore")["facts"]["database"] not in cluster.scratch()


def test_a_dump_in_directory_format_is_one_backup(cluster: Cluster, dumps: Path, tmp_path: Path) -> None:
    name = time.strftime("shop-%Y%m%dT%H%M%SZ", time.gmtime(time.time() - 60))
    shutil.copytree(dumps / "directory", tmp_path / "backups" / name)
    (tmp_path / "elo-gate.toml").write_text(f'[backup.shop]\nsource = "backups"\nretention = "1d"\n{DRILL}')
    code, report, _ = drilled(cluster, tmp_path)
    assert (code, report["count"], answer(report, "restore")["state"]) == (0, 1, "good"), report


def test_a_custom_dump_that_is_cut_off_can_be_listed_and_not_restored(
    cluster: Cluster, dumps: Path, series: Callable[..., Path]
) -> None:
    listed = subprocess.run(["pg_restore", "-l", dumps / "cut"], capture_output=True, check=False, timeout=60)
    assert listed.returncode == 0 and b"TABLE DATA public users" in listed.stdout
    tree = series(dumps / "cut", DRILL, body=(dumps / "custom").read_bytes())
    code, report, _ = drilled(cluster, tree)
    assert code == 1
    assert answer(report, "restore")["state"] == "red"
    assert answer(report, "size")["state"] == "good", "two thirds of the usual size are no anomaly"
    assert report["newest_good"]["name"] != report["newest"]["name"]
    # Without a server too: pg_restore reads it to its end.
    code, report, _ = drilled(cluster, tree, "--no-drill")
    assert (code, answer(report, "integrity")["state"], answer(report, "restore")["state"]) == (1, "red", "skipped")


def test_a_plain_dump_that_is_cut_off_in_its_rows_is_red_though_psql_ends_well(
    cluster: Cluster, dumps: Path, series: Callable[..., Path]
) -> None:
    code, report, _ = drilled(cluster, series(dumps / "plain-cut", DRILL))
    assert (code, answer(report, "integrity")["state"]) == (1, "red")
    assert "last line" in answer(report, "integrity")["what"]


def test_a_dump_of_another_database_fails_the_rows(
    cluster: Cluster, series: Callable[..., Path], tmp_path: Path
) -> None:
    other = cluster.dump(tmp_path / "other", "--format=custom", database="postgres")
    code, report, _ = drilled(cluster, series(other, DRILL))
    assert (code, answer(report, "restore")["state"], answer(report, "rows")["state"]) == (1, "good", "red")
    assert 'relation "users" does not exist' in answer(report, "rows")["what"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT count(*) > 5000 FROM users", "answers false"),
        ("SELECT email FROM users ORDER BY id LIMIT 1", "does not answer one `true`"),
        ("SELECT email::int > 0 FROM users", "invalid input syntax"),
        ("DELETE FROM users RETURNING true", "read-only"),
    ],
)
def test_rows_that_do_not_answer_true_are_red_and_shown_to_nobody(
    query: str, words: str, cluster: Cluster, dumps: Path, series: Callable[..., Path]
) -> None:
    table = f'drill = {{ admin_dsn_env = "ELO_DRILL_DSN", checks = ["{query}"] }}\n'
    code, report, shown = drilled(cluster, series(dumps / "custom", table))
    assert (code, answer(report, "rows")["state"]) == (1, "red")
    assert words in answer(report, "rows")["what"]
    assert "@example.org" not in shown


@pytest.mark.parametrize(
    ("kind", "words"), [("create", "a database of its own"), ("clean", "--clean"), ("missing-role", "role")]
)
def test_what_says_nothing_about_the_dump_is_unknown(
    kind: str, words: str, cluster: Cluster, dumps: Path, series: Callable[..., Path], tmp_path: Path
) -> None:
    path = dumps / kind
    if kind == "missing-role":
        text = (dumps / "plain").read_text()
        path = tmp_path / "with-policy"
        path.write_text(text.replace(
            "-- PostgreSQL database dump complete",
            "CREATE POLICY p ON public.users TO nobody_here;\n-- PostgreSQL database dump complete",
        ))  # fmt: skip
    code, report, _ = drilled(cluster, series(path, DRILL))
    assert (code, answer(report, "restore")["state"]) == (7, "unknown"), report
    assert words in answer(report, "restore")["what"]


def test_a_dump_cannot_run_a_program_or_reach_another_database(
    cluster: Cluster, dumps: Path, series: Callable[..., Path], tmp_path: Path
) -> None:
    text = (dumps / "plain").read_text()
    begin = text.index("SET statement_timeout")
    hostile = tmp_path / "hostile"
    hostile.write_text(text[:begin] + f"SELECT 1 \\! touch {tmp_path}/ran\n" + text[begin:])
    code, report, _ = drilled(cluster, series(hostile, DRILL))
    assert code == 7 and "restricted" in answer(report, "restore")["what"]
    assert not (tmp_path / "ran").exists()


def test_the_migrations_of_the_tree_are_compared(cluster: Cluster, dumps: Path, series: Callable[..., Path]) -> None:
    tree = series(dumps / "custom", DRILL)
    for name in ("20260101000000_init", "20260801000000_orders", "20261120000000_invoices"):
        (tree / "prisma/migrations" / name).mkdir(parents=True)
    (tree / "prisma/migrations/migration_lock.toml").write_text('provider = "postgresql"\n')
    code, report, _ = drilled(cluster, tree)
    assert (code, answer(report, "schema")["state"]) == (0, "good")
    assert answer(report, "schema")["facts"] == {"head": "20260801000000_orders", "behind": ["20261120000000_invoices"]}
    (tree / "prisma/migrations/20260801000000_orders").rename(tree / "prisma/migrations/20260801000000_other")
    code, report, _ = drilled(cluster, tree)
    assert (code, answer(report, "schema")["state"]) == (1, "red")


@pytest.mark.parametrize(("expect", "code"), [("20260801000000_orders", 0), ("20270101000000_later", 1)])
def test_a_query_of_ones_own_names_the_migration(
    expect: str, code: int, cluster: Cluster, dumps: Path, series: Callable[..., Path]
) -> None:
    query = "SELECT max(migration_name) FROM _prisma_migrations"
    table = f'[backup.shop.drill]\nadmin_dsn_env = "ELO_DRILL_DSN"\nmigrations = {{ query = "{query}", expect = "{expect}" }}\n'
    got, report, _ = drilled(cluster, series(dumps / "custom", table))
    assert (got, answer(report, "schema")["state"]) == (code, "red" if code else "good")


def test_a_restore_that_takes_longer_than_promised_is_red(
    cluster: Cluster, dumps: Path, series: Callable[..., Path], tmp_path: Path
) -> None:
    # `within` is minutes at least; a sleeping pg_restore would be as slow, so the limit itself is tried.
    from elo_gate.backup import archive, config, drill

    os.environ["ELO_T_ADMIN"], os.environ["ELO_T_PROD"] = cluster.drill, PRODUCTION
    made = config.Drill(admin_dsn_env="ELO_T_ADMIN", production_dsn_env="ELO_T_PROD", within="1m")
    try:
        ground = drill.Ground(made)
        slow = made.model_copy(update={"within": 0.000_001})
        found = drill.hold("shop", archive.Archive(str(dumps / "custom")), slow, ground, str(tmp_path), str(tmp_path))
    finally:
        del os.environ["ELO_T_ADMIN"], os.environ["ELO_T_PROD"]
    assert found[0].state == "red" and "at most" in found[0].what


def test_production_is_refused_by_whatever_name(cluster: Cluster, dumps: Path, series: Callable[..., Path]) -> None:
    tree = series(dumps / "custom", DRILL)
    before = cluster.scratch()
    for production in (
        cluster.drill,
        f"postgresql://app:prod-pw-5511@localhost:{cluster.port}/shop",
        f"postgres://app:prod-pw-5511@[::1]:{cluster.port}/shop?schema=public&connection_limit=5",
        f"host={cluster.folder} port={cluster.port} dbname=shop password='prod-pw-5511'",
        f"postgresql://app:prod-pw-5511@192.0.2.10:5432,127.0.0.1:{cluster.port}/shop",
    ):
        done = run("--root", str(tree), environment={"ELO_DRILL_DSN": cluster.drill, "DATABASE_URL": production})
        assert done.returncode == 2 and "leads to the server of $DATABASE_URL" in done.stderr, production
        assert CANARY not in done.stderr and "prod-pw-5511" not in done.stderr
        assert not done.stdout
    assert cluster.scratch() == before


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"DATABASE_URL": PRODUCTION}, "$ELO_DRILL_DSN is not set"),
        ({"ELO_DRILL_DSN": "postgresql://a:secret-pw-71@127.0.0.1/x"}, "$DATABASE_URL is not set"),
        ({"ELO_DRILL_DSN": "mysql://a:secret-pw-71@127.0.0.1/x", "DATABASE_URL": PRODUCTION}, "no connection string"),
        ({"ELO_DRILL_DSN": "secret-pw-71", "DATABASE_URL": PRODUCTION}, "neither"),
        ({"ELO_DRILL_DSN": "postgresql://a:secret-pw-71@h1,h2/x", "DATABASE_URL": PRODUCTION}, "several servers"),
        (
            {"ELO_DRILL_DSN": "postgresql://a:secret-pw-71@127.0.0.1/x?secret-pw-71=1", "DATABASE_URL": PRODUCTION},
            "parameter",
        ),
        ({"ELO_DRILL_DSN": "postgresql://a:secret:pw-71/@127.0.0.1/x", "DATABASE_URL": PRODUCTION}, "host:port"),
        (
            {"ELO_DRILL_DSN": "postgresql://a@127.0.0.1/x", "DATABASE_URL": "postgresql://no-such-host.invalid/x"},
            "no address",
        ),
    ],
)
def test_a_drill_that_cannot_know_where_it_is_does_not_begin(
    given: dict[str, str], words: str, dumps: Path, series: Callable[..., Path]
) -> None:
    done = run("--root", str(series(dumps / "custom", DRILL)), environment=given)
    assert done.returncode == 2 and words in done.stderr
    assert "secret-pw-71" not in done.stdout + done.stderr


def test_a_server_that_is_down_is_unknown_and_the_rest_is_told(dumps: Path, series: Callable[..., Path]) -> None:
    given = {"ELO_DRILL_DSN": f"postgresql://a:{CANARY}@127.0.0.1:{free_port()}/x", "DATABASE_URL": PRODUCTION}
    done = run("--root", str(series(dumps / "custom", DRILL)), "--json", environment=given)
    report = json.loads(done.stdout)["backups"][0]
    assert done.returncode == 7
    assert (answer(report, "restore")["state"], answer(report, "age")["state"]) == ("unknown", "good")
    assert CANARY not in done.stdout + done.stderr


def test_without_its_server_a_dump_is_read_all_the_same(dumps: Path, series: Callable[..., Path]) -> None:
    given = {"ELO_DRILL_DSN": f"postgresql://a:{CANARY}@127.0.0.1:{free_port()}/x", "DATABASE_URL": PRODUCTION}
    done = run("--root", str(series(dumps / "cut", DRILL)), "--json", environment=given)
    report = json.loads(done.stdout)["backups"][0]
    assert (done.returncode, answer(report, "integrity")["state"]) == (1, "red")


def test_what_a_killed_drill_leaves_is_named_and_left(
    cluster: Cluster, dumps: Path, series: Callable[..., Path]
) -> None:
    left = "elo_drill_00000000deadbeef"
    cluster.sql(f"CREATE DATABASE {left}")
    try:
        code, report, _ = drilled(cluster, series(dumps / "custom", DRILL))
        assert (code, left in answer(report, "scratch")["facts"]["others"]) == (0, True)
        assert left in cluster.scratch()
    finally:
        cluster.sql(f"DROP DATABASE {left}")


def test_a_role_that_may_not_create_databases_is_told(
    cluster: Cluster, dumps: Path, series: Callable[..., Path]
) -> None:
    weak = "weak-role-pw-8812"
    cluster.sql(f"CREATE ROLE weak LOGIN PASSWORD '{weak}'")
    try:
        given = {"ELO_DRILL_DSN": f"host=127.0.0.1 port={cluster.port} user=weak dbname=postgres password='{weak}'"}
        tree = series(dumps / "custom", DRILL)
        code, report, shown = drilled(cluster, tree, **given)
        assert (code, answer(report, "restore")["state"]) == (7, "unknown")
        assert "permission denied to create database" in answer(report, "restore")["what"] and weak not in shown
        given = {"ELO_DRILL_DSN": given["ELO_DRILL_DSN"].replace(weak, "wrong-pw-9913")}
        code, report, shown = drilled(cluster, tree, **given)
        assert code == 7 and "password authentication failed" in answer(report, "restore")["what"]
        assert "wrong-pw-9913" not in shown
    finally:
        cluster.sql("DROP ROLE weak")


def test_the_password_stands_in_no_argument_list_and_no_output(
    cluster: Cluster, dumps: Path, series: Callable[..., Path], tmp_path: Path
) -> None:
    secrets = (CANARY, "prod-pw-5511")
    slow = tmp_path / "slow"
    slow.write_text((dumps / "plain").read_text().replace(
        "-- PostgreSQL database dump complete", "SELECT pg_sleep(1);\n-- PostgreSQL database dump complete"
    ))  # fmt: skip
    tree = series(slow, DRILL)
    process = subprocess.Popen(
        command("--root", str(tree)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        env=variables({"ELO_DRILL_DSN": cluster.drill, "DATABASE_URL": PRODUCTION}),
    )  # fmt: skip
    seen: set[bytes] = set()
    try:
        while process.poll() is None:
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit():
                    try:
                        seen.add((entry / "cmdline").read_bytes())
                    except OSError:
                        pass
            time.sleep(0.02)
        out = process.stdout.read() if process.stdout is not None else b""
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, out
    assert any(b"psql" in each and b"--single-transaction" in each for each in seen), "the restore was seen"
    assert not any(secret.encode() in each for secret in secrets for each in [*seen, out])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_interrupted_drill_leaves_no_database(
    number: signal.Signals, cluster: Cluster, dumps: Path, series: Callable[..., Path], tmp_path: Path
) -> None:
    slow = tmp_path / "slow"
    slow.write_text((dumps / "plain").read_text().replace(
        "-- PostgreSQL database dump complete", "SELECT pg_sleep(60);\n-- PostgreSQL database dump complete"
    ))  # fmt: skip
    tree = series(slow, DRILL)
    before = set(cluster.scratch())
    process = subprocess.Popen(
        command("--root", str(tree)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        env=variables({"ELO_DRILL_DSN": cluster.drill, "DATABASE_URL": PRODUCTION, "TMPDIR": str(tmp_path)}),
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        sleeping = (
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%' AND datname LIKE 'elo%'"
        )
        while cluster.sql(sleeping) == "0":
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.1)
        assert set(cluster.scratch()) - before, "it is there while the drill goes on"
        process.send_signal(number)
        process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGHUP: 129}[number]
    assert set(cluster.scratch()) <= before
    assert not [each for each in tmp_path.iterdir() if each.name.startswith("elo-gate-")], "nor a scratch folder"


@pytest.mark.parametrize("slow", ["CREATE DATABASE", "DROP DATABASE"])
def test_signals_while_a_database_is_made_or_dropped_wait(
    slow: str, cluster: Cluster, dumps: Path, series: Callable[..., Path], tmp_path: Path
) -> None:
    real = shutil.which("psql")
    programs, mark = tmp_path / "bin", tmp_path / "mark"
    programs.mkdir()
    (programs / "psql").write_text(
        f'#!/bin/sh\ncase "$*" in *--version*|*single*) exec {real} "$@";; esac\n'
        f'sql=$(cat)\ncase "$sql" in *"{slow}"*) touch {mark}; sleep 1.5;; esac\nprintf "%s\\n" "$sql" | {real} "$@"\n'
    )
    (programs / "psql").chmod(0o755)
    tree = series(dumps / "custom", DRILL)
    before = set(cluster.scratch())
    process = subprocess.Popen(
        command("--root", str(tree)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        env=variables({
            "ELO_DRILL_DSN": cluster.drill, "DATABASE_URL": PRODUCTION, "PATH": f"{programs}:{os.environ['PATH']}",
        }),
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while not mark.exists():
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.05)
        for _ in range(3):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
        process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 143
    assert set(cluster.scratch()) <= before
