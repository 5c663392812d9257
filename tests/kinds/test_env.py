"""The env kind: variables with their facts, signs of an environment, and what has to be masked."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elo_gate.kinds import env
from elo_gate.model import SCALAR, UNKNOWN, Artifact, Item, Source
from elo_gate.redact import mask

SECRET = "h8Kq2mVx91LzTnB4" + "cYw7PfRd6GsJ3aEu"


def artifact_of(text: str, path: str = ".env.production") -> Artifact:
    artifact = Artifact(Source(path, text), "env")
    env.load(artifact)
    return artifact


def variables(text: str) -> dict[str, Item]:
    return {item.facts["name"]: item for item in env.variables(artifact_of(text))}


def test_facts_of_a_variable() -> None:
    found = variables(f'A=1\nB="${{A}}2"\nC=$NOWHERE\nJWT_SECRET={SECRET}\nNEXT_PUBLIC_X=your-key\nA=3')
    assert list(found) == ["A", "B", "C", "JWT_SECRET", "NEXT_PUBLIC_X"]
    assert found["A"].facts["value"].value == "3"
    assert found["B"].facts["value"].value == "32"
    assert found["B"].facts["raw"] == "${A}2"
    assert found["B"].facts["quoted"] and not found["A"].facts["quoted"]
    assert found["C"].facts["value"].kind is UNKNOWN
    assert found["JWT_SECRET"].facts["secret"] and not found["JWT_SECRET"].facts["browser"]
    assert found["NEXT_PUBLIC_X"].facts["browser"] and found["NEXT_PUBLIC_X"].facts["stand_in"] == "your-key"


def test_a_place_is_the_value_or_the_name_of_an_empty_one() -> None:
    text = 'A="one"\nB='
    for item in env.variables(artifact_of(text)):
        assert text[item.place.start : item.place.end] in ('"one"', "B")


def test_the_file_is_placed_at_its_first_name() -> None:
    (item,) = env.file(artifact_of("# c\nA=1\nB=2"))
    assert item.place.value == "A"
    assert item.facts["names"] == ["A", "B"]
    (empty,) = env.file(artifact_of("# nothing\n"))
    assert (empty.place.start, empty.place.end) == (0, 0)


@pytest.mark.parametrize(
    ("text", "environment"),
    [
        ("NODE_ENV=production", "production"),
        ('NODE_ENV="development"', "development"),
        ("NODE_ENV=test", "test"),
        ("APP_ENV=staging", "staging"),
        ("NEXTAUTH_URL=http://localhost:3000", "development"),
        ("NEXTAUTH_URL=https://app.acme.io", None),
        ("NODE_ENV=production\nNEXTAUTH_URL=http://localhost:3000", "production"),
        ("NODE_ENV=$MODE", None),
        ("PORT=3000", None),
    ],
)
def test_signs(text: str, environment: str | None) -> None:
    signs = env.signs(artifact_of(text))
    assert (signs[0] if signs else None) == environment


def test_secrets_are_the_spans_without_quotes() -> None:
    text = (
        f'JWT_SECRET="{SECRET}"\nPORT=3000\nURL=postgres://app:Xy7kdQ2m@db/app\nAPI_KEY=your-key\n'
        f"FLAG={SECRET}\nNEXT_PUBLIC_NAME='Acme shop'"
    )
    spans = env.secrets(artifact_of(text))
    assert [text[start:end] for start, end in spans] == [SECRET, "Xy7kdQ2m", SECRET]


def test_credentials() -> None:
    found = variables(
        f"JWT_SECRET={SECRET}\nDB_URL=postgres://a:{SECRET}@db/x\nWEAK_URL=postgres://a:password@db/x\nAPI_KEY=changeme\n"
        f"GIT_SHA=4be1c07d92fa5836e1b09c4d7f2a6835c9e04b17\nNEXT_PUBLIC_API_KEY={SECRET}\nTOKEN_TTL=3600\nX_TOKEN=$T"
    )
    assert [name for name, item in found.items() if env.credential(item)] == ["JWT_SECRET", "DB_URL"]


@given(st.text(max_size=120))
def test_any_text_is_loaded(text: str) -> None:
    artifact = artifact_of(text)
    for view in env.VIEWS.values():
        for item in view(artifact):
            assert item.place.source is artifact.source
            assert 0 <= item.place.start <= item.place.end <= len(text)
    env.signs(artifact)
    for start, end in env.secrets(artifact):
        assert 0 <= start <= end <= len(text)


@given(st.text("abcXYZ019-_$#\"' ", min_size=12, max_size=30))
def test_a_secret_of_a_file_is_never_shown(value: str) -> None:
    text = f"PORT=1\nAPI_SECRET={value}\nHOST=x\n"
    artifact = artifact_of(text)
    item = next(item for item in env.variables(artifact) if item.facts["name"] == "API_SECRET")
    held = item.facts["value"].value if item.facts["value"].kind is SCALAR else ""
    shown = mask(text, env.secrets(artifact))
    if mask(f"API_SECRET={held}") != f"API_SECRET={held}":
        assert not any(held[i : i + 10] in shown for i in range(len(held) - 9))


def test_the_guide(guide: Path) -> None:
    text = (guide / ".env.production").read_text()
    artifact = artifact_of(text)
    assert not artifact.problems
    left = [item for item in env.variables(artifact) if item.facts["stand_in"]]
    lines = [artifact.source.position(item.place.start)[0] for item in left]
    assert lines == [2, 5, 9, 10, 13, 14, 20, 23, 26, 29]
