"""Deploy checklists: which Markdown is one, what its items are, and the day it says it is from."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elo_gate.kinds import checklist
from elo_gate.kinds.checklist_text import updated
from elo_gate.model import Artifact, Source

TEXT = """# Operations

## Before the deploy
- [ ] tests pass
- [x] migrations were tried

```
- [ ] not an item
```

### After it
1. [ ] smoke tests

**Last updated:** 3 March 2026
"""


def read(text: str, path: str = "docs/deploy-checklist.md") -> Artifact:
    """A loaded artifact."""
    found = Artifact(Source(path, text), "checklist")
    checklist.load(found)
    return found


def test_items() -> None:
    found = checklist.items(read(TEXT))
    assert [(item.facts["text"], item.facts["done"], item.facts["phase"]) for item in found] == [
        ("tests pass", False, "Before the deploy"),
        ("migrations were tried", True, "Before the deploy"),
        ("smoke tests", False, "After it"),
    ]
    for item in found:
        assert TEXT[item.node.start : item.node.end] == item.facts["text"]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("docs/operations.md", TEXT, True),
        ("RELEASE-CHECKLIST.md", "- [ ] x\n", True),
        ("docs/deploy.md", "# Deploy\nfirst this, then that\n", False),
        ("README.md", "# App\n## Roadmap\n- [ ] deploy to the moon\n- [ ] release notes\n", False),
        ("README.md", "# App\n## Deploy\n- [ ] one item is no list\n", False),
        (".github/PULL_REQUEST_TEMPLATE.md", "# Release\n- [ ] a\n- [ ] b\n", False),
        ("guia.md", "## Checklist de Implantação\n- [ ] a\n- [ ] b\n", True),
        ("notes.md", "## Deployed\n```\n- [ ] a\n- [ ] b\n```\n", False),
        ("x.md", "", False),
    ],
)
def test_what_is_a_checklist(path: str, text: str, expected: bool) -> None:
    assert checklist.looks_like(path, text) is expected


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("Last updated: 2026-03-05", "2026-03-05"),
        ("last_updated: '2026-03'", "2026-03-31"),
        ("**📅 Última atualização**: Fevereiro 2025", "2025-02-31"),
        ("Atualizado em 5 de março de 2026", "2026-03-05"),
        ("_Updated on March 5th, 2026_", "2026-03-05"),
        ("Stand: 5. März 2026", "2026-03-05"),
        ("Mis à jour le 5 mars 2026", "2026-03-05"),
        ("Updated: 03/04/2026", "2026-04-03"),
        ("Last updated: 2025-01-01, last reviewed: June 2026", "2026-06-31"),
    ],
)
def test_the_day_it_is_from(words: str, day: str) -> None:
    text = f"# Deploy\n\n{words}\n"
    found = updated(text)
    assert found is not None and found[0] == day
    assert 0 < found[1] < found[2] <= len(text)


@pytest.mark.parametrize(
    "words", ["Released in March 2026", "Updated: soon", "Updated: 2026-13-01", "understand 2026", "Stand: 99"]
)
def test_no_day(words: str) -> None:
    assert updated(words) is None


def test_the_guide(guide: Path) -> None:
    text = (guide / "docs/deploy-checklist.md").read_text(encoding="utf-8")
    assert checklist.looks_like("docs/deploy-checklist.md", text)
    assert len(checklist.items(read(text))) == text.count("- [ ]")


@given(st.text(alphabet="-[ ]x#\n`~ *1.)deploy2026/", max_size=80))
def test_any_text(text: str) -> None:
    found = read(text)
    checklist.looks_like(found.path, text)
    for view in checklist.VIEWS.values():
        for item in view(found):
            assert 0 <= item.place.start <= item.place.end <= len(text)
