"""What many tests share: the guide where it is present, trees on disk and in memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml  # noqa: F401 - the real package first, as a user's process may have it
from hypothesis import HealthCheck, settings

# No deadlines: a busy machine is no finding. The same examples on every machine that says it is CI, so that what
# passed once passes again; new ones elsewhere.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")

ROOT = Path(__file__).resolve().parents[1]


def _beside(name: str, variable: str, proof: str) -> Path | None:
    for candidate in (Path(os.environ.get(variable, "")), ROOT.parent / "shared" / name):
        if candidate.parts and (candidate / proof).is_file():
            return candidate
    return None


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def guide() -> Path:
    """The owner's deploy guide: a real application's files. Named by ELO_GATE_GUIDE, or beside the checkout."""
    found = _beside("guide", "ELO_GATE_GUIDE", "GUIDE.md")
    if found is None:
        pytest.skip("the deploy guide is not here: set ELO_GATE_GUIDE to its folder")
    return found


@pytest.fixture(scope="session")
def practice() -> Path:
    """Real repositories' configuration. Named by ELO_GATE_PRACTICE, or beside the checkout."""
    found = _beside("practice", "ELO_GATE_PRACTICE", "README.md")
    if found is None:
        pytest.skip("the practice repositories are not here: set ELO_GATE_PRACTICE to their folder")
    return found


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Writes files below a fresh folder and returns it."""

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` writes the golden files anew instead of comparing with them."""
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")
