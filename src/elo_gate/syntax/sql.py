"""Turns an SQL script for PostgreSQL into its statements: tokens with places, psql's commands, stray shell lines.

The lexical rules are those of PostgreSQL and of psql, which sends a statement at each `;` outside of parentheses
(https://www.postgresql.org/docs/18/sql-syntax-lexical.html, https://www.postgresql.org/docs/18/app-psql.html, looked
up 2026-11-25). A line of shell among the statements is taken alone, so that the rest is read as it was meant.
MySQL's strings differ (`\\'`), and its comments (`#`): the dialect is told beforehand by words that only it has.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ..model import Problem, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Token kinds.
WORD, NAME, STRING, NUMBER, MARK, VARIABLE, BODY = "word", "name", "string", "number", "mark", "variable", "body"
# Statement kinds.
SQL, META, SHELL = "sql", "meta", "shell"
POSTGRESQL, MYSQL, OTHER = "postgresql", "mysql", "other"

_BLANK = re.compile(r"[ \t\r\n\f\v\ufeff\xa0]++")
_WORD = re.compile(r"[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*+")
_NUMBER = re.compile(r"(?:\d[\d_]*+(?:\.\d*+)?+|\.\d++)(?:[eE][+-]?\d++)?+")
_DOLLAR = re.compile(r"\$(?:[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*+)?\$")
_PARAMETER = re.compile(r"\$\d++")
_VARIABLE = re.compile(r":(?:'[^'\n]*'|\"[^\"\n]*\"|\{\?\w+\}|[A-Za-z_]\w*+)")
_TEMPLATE = re.compile(r"\$\{[^}\n]*\}|\{\{[^}\n]*\}\}|\$[A-Za-z_]\w*+")
_COMMENT_MARK = re.compile(r"/\*|\*/")
_COPY_END = re.compile(r"^\\\.[ \t\r]*$", re.MULTILINE)
_ENDS_STATEMENT = re.compile(r"\\(?:g|gx|gexec|gset|gdesc|crosstabview|watch|bind|parse|sendpipeline)\b")
# What begins no statement of any SQL dialect and is a program people run beside a database.
_SHELL = re.compile(
    r"(?:#![^\n]*|(?:sudo|su|exec|time|nohup|env)[ \t]+[\w./-]|"
    r"(?:(?:/[\w.-]+)*/)?(?:pg_restore|pg_dump|pg_dumpall|pg_basebackup|psql|createdb|dropdb|createuser|dropuser|vacuumdb|"
    r"pg_ctl|pg_isready|initdb|mysqldump|mysql|mysqladmin|docker|docker-compose|podman|kubectl|systemctl|service|gunzip|"
    r"gzip|zcat|zstd|tar|aws|gsutil|gcloud|az|rclone|rsync|scp|ssh|curl|wget|ls|cd|cp|mv|rm|mkdir|chmod|chown|cat|echo|"
    r"printf|export|source|bash|sh|find|head|tail|sed|awk|xargs|vercel|railway|npx|npm|pnpm|yarn|node|gpg|age|openssl)"
    r"(?=[ \t]+[^\s=(,;)]|[ \t]*(?:\n|\r|\Z))"
    r"|[A-Za-z_]\w*+=(?:\$|\"|'|`|/))"
)
_TO_LINE_END = re.compile(r"(?:[^\n\\]|\\[^\n]|\\\n)*+\\?")
_MYSQL = re.compile(
    r"`|\bENGINE\s*=|\bAUTO_INCREMENT\b|\bIDENTIFIED\s+(?:WITH\s+\S+\s+)?BY\b|^[ \t]*DELIMITER\b|"
    r"\bFLUSH\s+PRIVILEGES\b|@@\w",
    re.I | re.M,
)
_OTHER = re.compile(
    r"^[ \t]*GO[ \t\r]*$|\[dbo\]|\bNVARCHAR\b|\bIDENTITY\s*\(\s*\d|\bVARCHAR2\b|\bAUTOINCREMENT\b|^[ \t]*PRAGMA\s|"
    r"\bWITHOUT\s+ROWID\b|\bENGINE\s*=\s*\w*MergeTree|\bDBMS_\w+\.|^[ \t]*USE\s+\[",
    re.I | re.M,
)
_REMARKS = re.compile(r"--[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/|'[^']*+'")
_DEPTH = 200


class Token:
    """A word, name, string, number, mark or variable. `text` is what it means: unquoted, a word in upper case.

    A body is a `$$ ... $$` string. A string is `known` unless a template or a psql variable stands in it.
    """

    __slots__ = ("end", "kind", "known", "start", "text")

    def __init__(self, kind: str, text: str, start: int, end: int, known: bool = True) -> None:
        self.kind = kind
        self.text = text
        self.start = start
        self.end = end
        self.known = known


class Statement:
    """Tokens from `start` to `end` (without the `;`), a psql command (`\\c name`) or a shell line; both have `text`.

    `guarded` marks a statement inside of a body (`DO $$ ... $$`), which runs under that body's conditions.
    `executed` is the psql command that ended it, as `\\gexec`, in place of a `;`.
    """

    __slots__ = ("end", "executed", "guarded", "kind", "start", "text", "tokens")

    def __init__(self, kind: str, start: int, guarded: bool = False) -> None:
        self.kind = kind
        self.start = start
        self.end = start
        self.tokens: list[Token] = []
        self.text = ""
        self.guarded = guarded
        self.executed = ""

    def words(self, *wanted: str) -> bool:
        """Whether it begins with these words."""
        tokens = self.tokens
        if len(tokens) < len(wanted):
            return False
        return all(tokens[at].kind is WORD and tokens[at].text == word for at, word in enumerate(wanted))


@lru_cache(maxsize=4)  # each view of a file asks
def dialect(text: str) -> str:
    """The dialect of a script by words that only one of them has; PostgreSQL when nothing says otherwise."""
    if not _OTHER.search(text) and not _MYSQL.search(text):
        return POSTGRESQL
    text = _REMARKS.sub(" ' ", text)
    if _OTHER.search(text):
        return OTHER
    return MYSQL if _MYSQL.search(text) else POSTGRESQL


def parse(source: Source, of: str = POSTGRESQL) -> tuple[list[Statement], list[Problem]]:
    """The statements of a script, in order, and what is wrong with it. Never raises.

    Problems: "shell-command" (a line of shell: not SQL, the rest is read), "unterminated" (a string, comment or body
    without its end: fatal, all behind it would be guessed).
    """
    reader = _Reader(source.text, of)
    reader.read()
    return reader.statements, reader.problems


def inner(source: Source, body: Token) -> list[Statement]:
    """The statements inside of a body of PL/pgSQL, `guarded`; none when it cannot be read."""
    text = source.text[body.start : body.end]
    opening = _DOLLAR.match(text)
    if opening is None:
        return []
    reader = _Reader(source.text, POSTGRESQL, body.start + opening.end(), body.end - opening.end())
    reader.guarded = True
    reader.read()
    return [] if reader.problems else reader.statements


# Words of PL/pgSQL behind which a statement begins.
_OPENERS = frozenset(("BEGIN", "THEN", "ELSE", "LOOP"))


class _Reader:
    """Where reading stands: the text, the statement at hand, what was found."""

    __slots__ = ("at", "blocks", "current", "end", "guarded", "mysql", "parens", "problems", "statements", "text")

    def __init__(self, text: str, of: str, at: int = 0, end: int = -1) -> None:
        self.text = text
        self.mysql = of == MYSQL
        self.at = at
        self.end = len(text) if end < 0 else end
        self.guarded = False
        self.statements: list[Statement] = []
        self.problems: list[Problem] = []
        self.current: Statement | None = None
        self.parens = 0
        self.blocks = 0  # of BEGIN ATOMIC ... END

    def read(self) -> None:
        text, end = self.text, self.end
        while self.at < end:
            at = self.at
            char = text[at]
            blank = _BLANK.match(text, at, end)
            if blank is not None:
                self.at = blank.end()
            elif self.current is None and not self.guarded and self._begins_shell(at):
                self._shell(at)
            elif text.startswith("--", at) or (char == "#" and (self.mysql or self.current is None)):
                found = text.find("\n", at, end)
                self.at = end if found < 0 else found
            elif text.startswith("/*", at):
                self._comment(at)
            elif char == "\\" and not self.guarded:
                self._command(at)
            elif char == ";":
                self.at = at + 1
                if self.parens > 0 or self.blocks > 0:
                    self._add(MARK, ";", at, at + 1)
                else:
                    self._finish(at)
            else:
                self._token(at, char)
        self._finish(end)

    def _add(self, kind: str, text: str, start: int, end: int, known: bool = True) -> None:
        if self.current is None:
            self.current = Statement(SQL, start, self.guarded)
        self.current.tokens.append(Token(kind, text, start, end, known))
        self.current.end = end
        self.at = end

    def _finish(self, at: int) -> None:
        statement, self.current = self.current, None
        self.parens = self.blocks = 0
        if statement is None:
            return
        self.statements.append(statement)
        if statement.words("COPY") and not self.guarded and _from_stdin(statement.tokens):
            # The data lies between this statement and a line that holds `\.` alone.
            found = _COPY_END.search(self.text, at, self.end)
            self.at = self.end if found is None else found.end()

    def _fatal(self, what: str, start: int) -> None:
        self.problems.append(Problem("unterminated", f"{what} without its end", start, start + 1, True))
        self.at = self.end

    def _begins_shell(self, at: int) -> bool:
        line = self.text.rfind("\n", 0, at) + 1
        return not self.text[line:at].strip() and _SHELL.match(self.text, at, self.end) is not None

    def _shell(self, at: int) -> None:
        found = _TO_LINE_END.match(self.text, at, self.end)
        end = found.end() if found is not None else self.end
        statement = Statement(SHELL, at)
        statement.text = self.text[at:end].rstrip()
        statement.end = at + len(statement.text)
        self.statements.append(statement)
        self.problems.append(Problem("shell-command", "a line of shell among SQL", at, statement.end))
        self.at = max(end, at + 1)

    def _comment(self, at: int) -> None:
        depth, place = 1, at + 2
        while depth:
            found = _COMMENT_MARK.search(self.text, place, self.end)
            if found is None:
                self._fatal("a comment", at)
                return
            # In MySQL a comment holds no other.
            depth += (0 if self.mysql else 1) if found[0] == "/*" else -1
            place = found.end()
        self.at = place

    def _command(self, at: int) -> None:
        """A command of psql: up to the end of the line; some of them send the statement before them."""
        found = self.text.find("\n", at, self.end)
        end = self.end if found < 0 else found
        if self.current is not None:
            if _ENDS_STATEMENT.match(self.text, at):
                self.current.executed = self.text[at:end].split()[0]
                self.at = end
                self._finish(end)
                return
            self.at = end
            return
        statement = Statement(META, at)
        statement.text = self.text[at:end].rstrip()
        statement.end = at + len(statement.text)
        self.statements.append(statement)
        self.at = max(end, at + 1)

    def _token(self, at: int, char: str) -> None:
        text, end = self.text, self.end
        if char == "'":
            self._string(at, at, self.mysql)
        elif char == '"' or (char == "`" and self.mysql):
            self._quoted(at, char)
        elif char == "$":
            self._dollar(at)
        elif char == ":" and (found := _VARIABLE.match(text, at, end)) is not None and text[at - 1 : at] != ":":
            self._add(VARIABLE, found[0], at, found.end(), False)
        elif (found := _WORD.match(text, at, end)) is not None:
            word = found[0]
            if text.startswith("'", found.end()) and word in ("E", "e", "B", "b", "X", "x", "N", "n"):
                self._string(at, found.end(), self.mysql or word in "Ee")
            elif word in ("U", "u") and text.startswith("&'", found.end()):
                self._string(at, found.end() + 1, False)
            else:
                self._word(word, at, found.end())
        elif char.isdigit() or char == "." and text[at + 1 : at + 2].isdigit():
            found = _NUMBER.match(text, at, end)
            stop = found.end() if found is not None else at + 1
            self._add(NUMBER, text[at:stop], at, stop)
        elif char == "{" and (found := _TEMPLATE.match(text, at, end)) is not None:
            self._add(VARIABLE, found[0], at, found.end(), False)
        else:
            if char == "(":
                self.parens += 1
            elif char == ")":
                self.parens = max(0, self.parens - 1)
            self._add(MARK, char, at, at + 1)

    def _word(self, word: str, at: int, end: int) -> None:
        upper = word.upper()
        self._add(WORD, upper, at, end)
        current = self.current
        if self.guarded:
            if upper in _OPENERS and self.parens == 0 and current is not None and current.tokens[0].text != "CREATE":
                self._finish(end)
        elif upper == "ATOMIC" and current is not None and len(current.tokens) > 1:
            if current.tokens[-2].text == "BEGIN" and current.words("CREATE"):
                self.blocks = 1
        elif self.blocks and upper in ("BEGIN", "CASE"):
            self.blocks = min(self.blocks + 1, _DEPTH)
        elif self.blocks and upper == "END":
            self.blocks -= 1

    def _string(self, start: int, quote: int, escapes: bool) -> None:
        text, end = self.text, self.end
        at = quote + 1
        pieces: list[str] = []
        while True:
            found = text.find("'", at, end)
            slash = text.find("\\", at, found if found >= 0 else end) if escapes else -1
            if slash >= 0:
                pieces.append(text[at:slash] + text[slash + 1 : slash + 2])
                at = slash + 2
                continue
            if found < 0:
                self._fatal("a string", start)
                return
            pieces.append(text[at:found])
            if text.startswith("'", found + 1) and found + 1 < end:
                pieces.append("'")
                at = found + 2
                continue
            break
        value = "".join(pieces)
        self._add(STRING, value, start, found + 1, _TEMPLATE.search(value) is None)

    def _quoted(self, start: int, quote: str) -> None:
        text, end = self.text, self.end
        at = start + 1
        while True:
            found = text.find(quote, at, end)
            if found < 0:
                self._fatal("a quoted name", start)
                return
            if not text.startswith(quote, found + 1):
                break
            at = found + 2
        value = text[start + 1 : found].replace(quote * 2, quote)
        # MySQL takes double quotes for strings.
        kind = STRING if self.mysql and quote == '"' else NAME
        self._add(kind, value, start, found + 1, _TEMPLATE.search(value) is None)

    def _dollar(self, at: int) -> None:
        text, end = self.text, self.end
        opening = _DOLLAR.match(text, at, end) if not self.mysql else None
        if opening is not None:
            found = text.find(opening[0], opening.end(), end)
            if found < 0:
                self._fatal("a dollar-quoted string", at)
                return
            self._add(BODY, text[opening.end() : found], at, found + len(opening[0]))
            return
        template = _TEMPLATE.match(text, at, end) or _PARAMETER.match(text, at, end)
        if template is not None:
            self._add(VARIABLE, template[0], at, template.end(), False)
        else:
            self._add(MARK, "$", at, at + 1)


def _from_stdin(tokens: list[Token]) -> bool:
    return any(
        token.kind is WORD and token.text == "FROM" and tokens[at + 1].text == "STDIN"
        for at, token in enumerate(tokens[:-1])
    )


def every(source: Source, statements: list[Statement]) -> Iterator[Statement]:
    """All statements in order, those inside of the bodies of `DO` too."""
    for statement in statements:
        if statement.words("DO"):
            for token in statement.tokens:
                if token.kind is BODY:
                    yield from inner(source, token)
        else:
            yield statement
