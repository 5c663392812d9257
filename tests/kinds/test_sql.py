"""SQL scripts: which are looked at, what they set up, what in them must not be shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elo_gate.kinds import sql
from elo_gate.model import UNKNOWN, Artifact, Source


class Project:
    """As much of a project as the kind asks for."""

    def __init__(self, *paths: str) -> None:
        self.paths = paths

    def names(self, folder: str) -> list[str]:
        inner = [path[len(folder) + 1 :] for path in self.paths if path.startswith(folder + "/")]
        return sorted({name.partition("/")[0] + "/" * ("/" in name) for name in inner})

    def artifacts(self, kind: str) -> list[Artifact]:
        return []

    def exists(self, path: str) -> bool:
        return path in self.paths


def artifact(text: str, path: str = "db/bootstrap.sql", project: Project | None = None) -> Artifact:
    made = Artifact(Source(path, text), "sql")
    made.project = project or Project()
    sql.load(made)
    return made


@pytest.mark.parametrize(
    ("path", "text", "wanted"),
    [
        ("db/rollback.sql", "", True),
        ("db/bootstrap.sql", "", True),
        ("prisma/migrations/20260101_x/migration.sql", "", True),
        ("packages/db/drizzle/0093_x.sql", "", True),
        ("db/migrations/0004_x.down.sql", "", False),
        ("db/anything.sql", "GRANT SELECT ON t TO u;", True),
        ("db/anything.sql", "-- create role x\nSELECT 1;", False),
        ("db/schema.sql", "CREATE TABLE users (id int);", False),
        ("queries/report.sql", "SELECT role FROM users;", False),
        ("db/rollback.sql", "USE [shop]\nGO\nCREATE LOGIN x WITH PASSWORD = 'y'", False),
    ],
)
def test_which_scripts_are_looked_at(path: str, text: str, wanted: bool) -> None:
    assert sql.looks_like(path, text) is wanted


def test_what_a_script_sets_up() -> None:
    made = artifact(
        "CREATE DATABASE Shop WITH OWNER = app ENCODING 'UTF8' LC_COLLATE='C';\n"
        "CREATE ROLE IF NOT EXISTS app SUPERUSER PASSWORD 'pw-1';\n"
        "ALTER USER \"App\" PASSWORD :'pw';\n"
        "GRANT ALL PRIVILEGES ON DATABASE shop TO app;\n"
        "GRANT SELECT, INSERT ON sales.orders TO app, PUBLIC;\n"
        "ALTER SYSTEM SET Work_Mem TO '4MB';\n"
        "ALTER SYSTEM SET log_min_duration_statement = -1;\n"
    )
    (database,) = sql.VIEWS["databases"](made)
    assert database.facts["name"].value == "shop"
    told = [database.facts[name].value for name in ("owner", "encoding", "lc_collate")]
    assert told == ["app", "UTF8", "C"]
    first, second = sql.VIEWS["roles"](made)
    assert first.facts["name"].value == "app" and first.facts["super"] and first.facts["password"].value == "pw-1"
    assert second.facts["name"].value == "App" and second.facts["password"].kind is UNKNOWN
    grants = sql.VIEWS["grants"](made)
    assert [(each.facts["privileges"], each.facts["on"]) for each in grants] == [
        ("ALL", "DATABASE"), ("SELECT, INSERT", "TABLE"),
    ]  # fmt: skip
    assert [each.value for each in grants[1].facts["to"]] == ["app", "public"]
    settings = [(each.facts["name"], each.facts["value"].value) for each in sql.VIEWS["settings"](made)]
    assert settings == [("work_mem", "4MB"), ("log_min_duration_statement", "-1")]


def test_passwords_are_masked() -> None:
    text = (
        "CREATE ROLE a PASSWORD 'first-pw';\n"
        "DO $$ BEGIN CREATE ROLE b PASSWORD 'second-pw'; END $$;\n"
        "CREATE SUBSCRIPTION s CONNECTION 'host=db password=third-pw dbname=x' PUBLICATION p;\n"
        "SELECT dblink('postgres://me:fourth-pw@db/x');\n"
        "PGPASSWORD=fifth-pw psql -d x\n"
    )
    made = artifact(text)
    hidden = [text[start:end].strip("'") for start, end in sql.secrets(made)]
    assert {"first-pw", "second-pw", "third-pw", "fourth-pw"} <= set(hidden)


def test_only_the_newest_migration_is_judged() -> None:
    paths = ("db/migrations/V9__a.sql", "db/migrations/V10__b.sql", "db/migrations/V10__b.down.sql")
    states = []
    for path in paths[:2]:
        made = artifact("SELECT 1;", path, Project(*paths))
        sql.settle(made)
        states.append(made.state)
    assert states == ["aside", "judged"]


@given(st.text(alphabet="CREATEROLUSDPW '\"$;()=,\nxGNT", max_size=80))
def test_views_take_any_script(text: str) -> None:
    made = artifact(text)
    for view in sql.VIEWS.values():
        for item in view(made):
            assert item.place.start <= item.place.end <= len(text)
    sql.secrets(made)
