"""Judges the newest migration: what it destroys, and what the version that still runs cannot live with."""

from __future__ import annotations

from ..kinds import sql as scripts
from ..model import Fault, Node, Undecided
from ..syntax import sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact, Item

    Answer = Iterator[Fault | Undecided]


def destructive(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields one fault for what the newest migration destroys, or breaks for the version that still runs."""
    if it.facts["sort"] != scripts.MIGRATION:
        return
    statements = scripts.all_statements(file)
    new = {_target(one) for one in statements if one.words("CREATE", "TABLE")}
    renamed = {_renamed(one) for one in statements if one.words("ALTER", "TABLE")}
    filled = {_target(one) for one in statements if one.words("UPDATE")}
    found: list[tuple[str, Node]] = []
    for one in statements:
        if one.words("DROP", "TABLE") and _target(one) not in renamed and _target(one) not in new:
            found.append((f"DROP TABLE {_target(one)}", scripts.node_of(file, one.tokens[1])))
        elif one.words("TRUNCATE"):
            found.append((f"TRUNCATE {_target(one)}", scripts.node_of(file, one.tokens[0])))
        elif one.words("ALTER", "TABLE") and _target(one) not in new:
            found.extend(_alterations(one, file, filled))
    if found:
        related = [(node, "this too") for _, node in found[1:]]
        what = "', '".join(words for words, _ in found[:5]) + (
            f"' and '{len(found) - 5} more" if len(found) > 5 else ""
        )
        yield Fault(found[0][1], related, what=what)


_SKIPPED = frozenset(("IF", "NOT", "EXISTS", "ONLY", "TABLE", "INTO", "CREATE", "DROP", "ALTER", "UPDATE", "TRUNCATE"))


def _target(one: sql.Statement) -> str:
    """The table a statement is about, without its schema."""
    for at, token in enumerate(one.tokens):
        if token.kind is sql.NAME or (token.kind is sql.WORD and token.text not in _SKIPPED):
            rest = one.tokens[at:]
            while len(rest) > 2 and rest[1].text == ".":
                rest = rest[2:]
            return rest[0].text if rest[0].kind is sql.NAME else rest[0].text.lower()
    return ""


def _renamed(one: sql.Statement) -> str:
    """What a table is renamed to; "" when it is not."""
    texts = [each.text for each in one.tokens]
    for at in range(len(texts) - 2):
        if texts[at] == "RENAME" and texts[at + 1] == "TO":
            token = one.tokens[at + 2]
            return token.text if token.kind is sql.NAME else token.text.lower()
    return ""


def _alterations(one: sql.Statement, file: Artifact, filled: set[str]) -> Iterator[tuple[str, Node]]:
    """The actions of an ALTER TABLE, each on its own: what it loses or refuses."""
    actions: list[list[sql.Token]] = [[]]
    depth = 0
    for token in one.tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind is sql.MARK else 0
        if token.text == "," and depth == 0:
            actions.append([])
        else:
            actions[-1].append(token)
    texts = [[each.text for each in action if each.kind is sql.WORD] for action in actions]
    defaulted = any("DEFAULT" in words and "SET" in words for words in texts)
    for action, words in zip(actions, texts, strict=True):
        table = _target(one)
        if "DROP" in words:
            at = next(place for place, each in enumerate(action) if each.text == "DROP")
            following = action[at + 1 :]
            if following and following[0].text == "COLUMN":
                names = [each for each in following[1:] if each.text not in ("IF", "EXISTS")]
                name = names[0].text if names and names[0].kind is sql.NAME else names[0].text.lower() if names else ""
                yield f"DROP COLUMN {table}.{name}", scripts.node_of(file, action[at])
        elif "TYPE" in words and ("ALTER" in words or "SET" in words) and "RENAME" not in words:
            at = next(place for place, each in enumerate(action) if each.text == "TYPE")
            kind = action[at + 1].text.upper() if len(action) > at + 1 else ""
            if kind not in ("TEXT", "BIGINT", "JSONB", "TIMESTAMPTZ", "DOUBLE", "NUMERIC", "INT8"):
                yield f"ALTER COLUMN TYPE on {table}", scripts.node_of(file, action[at])
        elif words[-2:] == ["NOT", "NULL"] and "SET" in words and not defaulted and table not in filled:
            at = next(place for place, each in enumerate(action) if each.text == "SET")
            yield f"SET NOT NULL on {table}", scripts.node_of(file, action[at])
        elif "ADD" in words and "NOT" in words and "NULL" in words and "DEFAULT" not in words and "CHECK" not in words:
            if "CONSTRAINT" in words or "GENERATED" in words or any("SERIAL" in each for each in words):
                continue
            at = next(place for place, each in enumerate(action) if each.text == "ADD")
            yield f"ADD COLUMN ... NOT NULL on {table}", scripts.node_of(file, action[at])
