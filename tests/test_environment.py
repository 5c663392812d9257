"""Which file is production: words on whole segments, siblings, content, assumption."""

from __future__ import annotations

import pytest

from elo_gate.environment import by_path, by_siblings
from elo_gate.examples import project_of
from elo_gate.ruleset.load import load


@pytest.mark.parametrize(
    ("path", "kind", "environment"),
    [
        ("docker-compose.production.yml", "compose", "production"),
        ("docker/prod/compose.yaml", "compose", "production"),
        ("docker-compose.dev.yml", "compose", "development"),
        ("development.docker-compose.yml", "compose", "development"),
        (".env.production.example", "env", "example"),
        (".env.production", "env", "production"),
        ("config/dev/.env.production", "env", "production"),
        ("tests/fixtures/.env.production", "env", "test"),
        ("k8s/overlays/staging/app.yaml", "k8s", "staging"),
        ("apps/devtools/Dockerfile", "dockerfile", None),
        ("apps/latest/Dockerfile", "dockerfile", None),
        ("civitai/Dockerfile", "dockerfile", None),
        ("prod-eu/compose.yaml", "compose", "production"),
        ("apps/docs/vercel.json", "vercel", "production"),
        ("examples/shop/vercel.json", "vercel", "example"),
        ("apps/web/next.config.ts", "next", "production"),
        ("Dockerfile", "dockerfile", None),
        (".devcontainer/Dockerfile", "dockerfile", "development"),
        ("Dockerfile.debug", "dockerfile", "development"),
    ],
)
def test_words(path: str, kind: str, environment: str | None) -> None:
    found = by_path(path, kind)
    assert (found[0] if found else None) == environment


def test_a_development_twin_makes_the_plain_file_production() -> None:
    assert by_siblings("compose.yaml", "compose", ["compose.yaml", "compose.dev.yaml"])[0] == "production"  # type: ignore[index]
    assert by_siblings("Dockerfile", "dockerfile", ["Dockerfile", "Dockerfile.prod"])[0] == "development"  # type: ignore[index]
    assert by_siblings("compose.yaml", "compose", ["compose.yaml"]) is None
    assert by_siblings(".env", "env", [".env", ".env.production"]) is None


def test_why_is_said_and_assumption_admitted() -> None:
    files = {
        "Dockerfile": "FROM node:24\nCMD node server.js\n",
        "Dockerfile.dev": "FROM node:24\nCMD npm run dev\n",
        "api/Dockerfile": "FROM node:24\nCMD node server.js\n",
    }
    project = project_of(files, load())
    told = {each.path: (each.state, each.environment, each.assumed) for each in project.all()}
    assert told["Dockerfile"] == ("judged", "production", False)
    assert told["Dockerfile.dev"] == ("aside", "development", False)
    assert told["api/Dockerfile"] == ("judged", "production", True)
    assert all(each.why for each in project.all())
