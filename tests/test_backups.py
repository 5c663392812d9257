"""The chain of a tree's backups: what is dumped, under which name, what deletes it, what reads it back, who starts it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elo_gate import gate
from elo_gate.kinds.jobs import Script
from elo_gate.model import SCALAR, Artifact, Node, Source
from elo_gate.project import backups

AS_OF = "2026-11-25"


def unit(text: str) -> backups.Unit:
    source = Source("scripts/x.sh", text)
    return backups.read(Artifact(source, "script"), Script(Node(SCALAR, text, source, 0, len(text)), text))


@pytest.mark.parametrize(
    ("text", "form", "file", "packed"),
    [
        ("pg_dump shop > /b/shop.sql", "plain", "/b/shop.sql", []),
        ('pg_dump -Fc -d shop -f "/b/shop-$(date +%F).dump"', "custom", "/b/shop-*.dump", []),
        ("pg_dump --format=directory --file /b/shop shop", "directory", "/b/shop", []),
        (
            'D=/b\nF="${D}/shop_$(date +"%Y").sql"\npg_dump shop -F c -f $F\ngzip $F',
            "custom",
            "/b/shop_*.sql.gz",
            [".gz"],
        ),
        ("pg_dump shop | gzip -9 > /b/shop.sql.gz", "plain", "/b/shop.sql.gz", [".gz"]),
        ("pg_dump shop | gzip | gpg -c -o /b/shop.gz.gpg", "plain", "/b/shop.gz.gpg", [".gz", ".gpg"]),
        ("mysqldump shop | gzip > $1", "plain", "*", [".gz"]),
        ("docker compose exec -T db pg_dump -U x shop > /b/shop.sql", "plain", "/b/shop.sql", []),
        ('kubectl exec db-0 -- sh -c "pg_dump -Fc shop" > /b/shop.dump', "custom", "/b/shop.dump", []),
        ("pg_dump shop | aws s3 cp - s3://b/shop.sql", "plain", "", []),
    ],
)
def test_dumps(text: str, form: str, file: str, packed: list[str]) -> None:
    (dump,) = unit(text).dumps
    assert (dump.facts["format"], dump.facts["file"], dump.facts["packed"]) == (form, file, packed)
    assert text[dump.place.start : dump.place.end].strip("\"'").split()[0] in backups.DUMPS


def test_a_login_is_read_in_every_spelling() -> None:
    for options in ("-U me -h db -d shop", "-Ume -hdb shop", "--username=me --host db --dbname=shop"):
        (dump,) = unit(f"pg_dump {options} -f /b/x").dumps
        assert [dump.facts[name].value for name in ("user", "host", "database")] == ["me", "db", "shop"], options


@pytest.mark.parametrize(
    ("text", "file", "unpacked"),
    [
        ("pg_restore -d shop -c /b/shop.dump", "/b/shop.dump", False),
        ("gunzip -c /b/shop.sql.gz | psql shop", "/b/shop.sql.gz", True),
        ("zcat < /b/shop.sql.gz | psql -d shop", "/b/shop.sql.gz", True),
        ("psql -d shop -v ON_ERROR_STOP=1 -f /b/shop_dump.sql", "/b/shop_dump.sql", False),
        ("psql shop < /b/backup.sql", "/b/backup.sql", False),
        ("L=$(ls -1t /b/shop_*.dump | head -1)\npg_restore -d shop $L", "/b/shop_*.dump", False),
        ('pg_restore -d shop "$1"', "*", False),
        ("docker exec -i db pg_restore -d shop < /b/shop.dump", "/b/shop.dump", False),
    ],
)
def test_restores(text: str, file: str, unpacked: bool) -> None:
    (restore,) = unit(text).restores
    assert (restore.facts["file"], restore.facts["unpacked"]) == (file, unpacked)


@pytest.mark.parametrize(
    "text", ["pg_restore --list /b/x.dump", "psql -c 'SELECT 1'", "psql -f db/schema.sql", "tar -xzf /b/x.tgz"]
)
def test_what_is_neither_backup_nor_restore(text: str) -> None:
    found = unit(text)
    assert not found.dumps and not found.restores and not found.backs_up


@given(st.text(alphabet="pg_dump |><$(){}\"'`\\\n-fFc/b*;&=x gzip find -delete", max_size=80))
def test_any_text_is_read(text: str) -> None:
    for prefix in ("", "pg_dump ", "D=$D\npg_restore $D ", "find ", "docker exec x sh -c "):
        whole = prefix + text
        found = unit(whole)
        for item in (*found.dumps, *found.copies, *found.prunes, *found.restores):
            assert 0 <= item.place.start <= item.place.end <= len(whole)


def found_in(tree: Path) -> set[tuple[str, int, str]]:
    run = gate.run(str(tree), as_of=AS_OF)
    return {(each.source.path, each.source.position(each.start)[0], each.rule.id) for each in run.verdict.findings}


def test_the_chain_of_the_guide(guide: Path) -> None:
    assert {
        ("db/production.sql", 5, "sql/database-created-twice"),
        ("db/production.sql", 6, "sql/role-used-before-created"),
        ("db/production.sql", 8, "sql/locale-not-in-image"),
        ("db/production.sql", 13, "sql/plaintext-password"),
        ("db/production.sql", 14, "sql/broad-grant"),
        ("db/production.sql", 18, "sql/setting-below-default"),
        ("db/production.sql", 19, "sql/setting-without-effect"),
        ("db/rollback.sql", 7, "sql/shell-command"),
        ("db/rollback.sql", 7, "sql/unguarded-restore"),
        ("db/rollback.sql", 7, "sql/fixed-backup-name"),
        ("db/rollback.sql", 7, "project/backup-restore-mismatch"),
        ("db/rollback.sql", 14, "sql/success-not-checked"),
        ("scripts/backup-database.sh", 12, "project/backup-not-scheduled"),
        ("scripts/backup-database.sh", 12, "sql/database-identity"),
        ("scripts/backup-database.sh", 18, "project/backup-prune-scope"),
        ("scripts/backup-files.sh", 5, "project/backup-source-not-mounted"),
        ("scripts/backup-files.sh", 10, "project/backup-not-scheduled"),
        ("scripts/rollback.sh", 8, "project/rollback-without-effect"),
    } <= found_in(guide)


def test_a_script_that_a_scheduled_script_calls_is_scheduled(tree: Callable[[dict[str, str]], Path]) -> None:
    root = tree({
        "scripts/backup-all.sh": "#!/bin/sh\nset -eu\n./scripts/backup-database.sh\n",
        "scripts/backup-database.sh": "#!/bin/sh\nset -eu\npg_dump shop > /var/backups/shop.sql\n",
        "crontab": "0 3 * * * /opt/shop/scripts/backup-all.sh\n",
    })  # fmt: skip
    assert not [rule for _, _, rule in found_in(root) if rule == "project/backup-not-scheduled"]
