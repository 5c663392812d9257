"""The reader of SQL: statements as psql would send them, exact places, shell lines taken alone."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from elo_gate.model import Source
from elo_gate.syntax import sql

PIECES = ["'", '"', "$$", "$a$", "--", "/*", "*/", "\\", "\n", ";", "(", ")", "E'", "`", ":x", "::", "${", "}", "COPY x FROM stdin;",
          "\\.", "DO", "BEGIN", "END", "ATOMIC", "CREATE FUNCTION", "pg_dump x", "#!", "U&'", "1.5e3", ".", "é", "\r\n"]  # fmt: skip


def read(text: str, of: str = sql.POSTGRESQL) -> list[sql.Statement]:
    statements, problems = sql.parse(Source("x.sql", text), of)
    assert not [problem for problem in problems if problem.fatal], problems
    return statements


@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=30).map("".join),
    st.sampled_from([sql.POSTGRESQL, sql.MYSQL]),
)
@example("COPY x FROM stdin;\n1\n", sql.POSTGRESQL)
@example("DO $$ BEGIN IF 'x THEN END $$;", sql.POSTGRESQL)
def test_any_text_is_read_or_reported(text: str, of: str) -> None:
    source = Source("x.sql", text)
    statements, problems = sql.parse(source, of)
    end = 0
    for one in statements:
        assert end <= one.start <= one.end <= len(text)
        end = one.end
        if one.kind is sql.SQL:
            assert one.tokens[0].start == one.start
            assert one.tokens[-1].end == one.end
        else:
            assert text[one.start : one.end] == one.text
        at = one.start
        for token in one.tokens:
            assert at <= token.start < token.end
            at = token.end
            if token.kind is sql.WORD:
                assert text[token.start : token.end].upper() == token.text
    for problem in problems:
        assert 0 <= problem.start <= problem.end <= len(text)
    for one in sql.every(source, statements):
        assert one.end <= len(text)


def test_statements_end_where_psql_sends_them() -> None:
    text = """
    SELECT 1; CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM u; DELETE FROM v);
    CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;
    SELECT 'a;b', "c;d", $x$ e;f $$ $x$, E'g\\';h' -- i;j
    ; /* k; /* l; */ m; */ SELECT 3
    """
    told = [" ".join(token.text for token in one.tokens[:2]) for one in read(text)]
    assert told == ["SELECT 1", "CREATE RULE", "CREATE FUNCTION", "SELECT a;b", "SELECT 3"]


def test_a_command_of_psql_sends_the_statement_before_it() -> None:
    first, second, third = read("SELECT 'CREATE ROLE x'\\gexec\n\\c shop\nSELECT 1;")
    assert (first.executed, second.kind, second.text, third.kind) == ("\\gexec", sql.META, "\\c shop", sql.SQL)


def test_data_of_a_copy_is_no_sql() -> None:
    copy, after = read("COPY t (a) FROM stdin;\npg_dump 'x\n1;2\n\\.\nSELECT 1;")
    assert copy.words("COPY") and after.words("SELECT", "1") is False and after.words("SELECT")


@pytest.mark.parametrize(
    "line",
    ["pg_restore -U me -d shop -c /backups/x.dump", "sudo systemctl restart postgresql", "LATEST=$(ls -t | head -1)", "#!/bin/bash",
     "/usr/bin/psql -f x", "ls", "gunzip -c a.gz | psql \\\n  -d shop"],
)  # fmt: skip
def test_a_line_of_shell_is_taken_alone(line: str) -> None:
    text = f"-- first\n{line}\n\nSELECT 1;\n"
    statements, problems = sql.parse(Source("x.sql", text))
    assert [one.kind for one in statements] == [sql.SHELL, sql.SQL]
    assert statements[0].text == line
    assert [(problem.code, problem.fatal) for problem in problems] == [("shell-command", False)]
    assert text[problems[0].start : problems[0].end] == line


@pytest.mark.parametrize(
    "text", ["SELECT\nls\nFROM x;", "SELECT 1 AS\n  find;", "INSERT INTO cp VALUES (\n'x');", "ls.x := 1;"]
)
def test_words_of_programs_inside_a_statement_are_sql(text: str) -> None:
    assert [one.kind for one in read(text)] == [sql.SQL]


@pytest.mark.parametrize("text", ["SELECT 'x", 'SELECT "x', "SELECT $a$ x $b$", "/* /* */", "SELECT E'\\'"])
def test_what_has_no_end_is_fatal(text: str) -> None:
    _, problems = sql.parse(Source("x.sql", text))
    assert [(problem.code, problem.fatal) for problem in problems] == [("unterminated", True)]


def test_statements_inside_of_a_body_are_guarded() -> None:
    text = "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles) THEN CREATE ROLE x PASSWORD 'y'; END IF; END $$;"
    found = [one for one in sql.every(Source("x.sql", text), read(text)) if one.words("CREATE", "ROLE")]
    assert len(found) == 1 and found[0].guarded
    assert text[found[0].start : found[0].end] == "CREATE ROLE x PASSWORD 'y'"


def test_a_value_filled_in_later_is_unknown() -> None:
    (one,) = read("CREATE ROLE x PASSWORD '${PASSWORD}' :'other' 'plain';")
    assert [token.known for token in one.tokens] == [True, True, True, True, False, False, True]


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("CREATE TABLE `x` (id INT AUTO_INCREMENT) ENGINE=InnoDB;", sql.MYSQL),
        ("CREATE USER 'x'@'%' IDENTIFIED BY 'it\\'s';", sql.MYSQL),
        ("USE [shop]\nGO\n", sql.OTHER),
        ("PRAGMA foreign_keys = on;", sql.OTHER),
        ("-- don't use `psql`\nCREATE ROLE x; -- IDENTIFIED BY\nSELECT '`'; /* PRAGMA x */", sql.POSTGRESQL),
        ("CREATE ROLE x; SELECT a[1] FROM engine;", sql.POSTGRESQL),
    ],
)
def test_dialects_are_told_by_what_only_they_have(text: str, dialect: str) -> None:
    assert sql.dialect(text) == dialect
    sql.parse(Source("x.sql", text), dialect)
