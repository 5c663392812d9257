"""The configurations of the documents are ones that can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from elo_gate.deploy import config

DOCS = Path(__file__).resolve().parents[2] / "docs" / "deploy"
WHOLE = [each.name for each in sorted(DOCS.glob("*.md"))]


@pytest.mark.parametrize("name", WHOLE)
def test_the_tables_of_a_page_are_a_configuration(name: str) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```$", (DOCS / name).read_text(), re.S | re.M)
    assert blocks
    targets = config.parse("\n".join(blocks), name).targets
    assert targets
    if name != "strategies.md":
        assert {each.platform for each in targets.values()} == {name.removesuffix(".md")}
