"""No secret of a tree in anything that tells about it: the model, why and why not, the standard clause by clause."""

from __future__ import annotations

from typing import Any

import pytest

from elo_gate import gate
from elo_gate.report import show, standard, why, why_not

AS_OF = "2026-11-25"
# Made for this test; none may be seen again.
SECRETS = {
    "url": "q7ZxV2mLr9TbKc4e",
    "plain": "hG5tWq8zXn3LsVb6",
    "token": "sk_live_" + "51Hx9QzLr7TbVn3KcWmYp2",
    "inline": "Zr4tYp9wQx7nLv2c",
}


def planted() -> dict[str, str]:
    """A tree with a secret in every place that can hold one."""
    url, plain, token, inline = SECRETS["url"], SECRETS["plain"], SECRETS["token"], SECRETS["inline"]
    return {
        "package.json": '{"name": "shop", "dependencies": {"next": "16.3.3"}}\n',
        ".env.production": f"DATABASE_URL=postgresql://shop:{url}@db:5432/shop\nSESSION_SECRET={plain}\nSTRIPE_KEY={token}\n",
        "compose.production.yaml": (
            "services:\n  web:\n    image: ghcr.io/acme/shop:1\n    restart: always\n    environment:\n"
            f"      DATABASE_URL: postgresql://shop:{url}@db:5432/shop\n      STRIPE_KEY: {token}\n"
            f"      API_PASSWORD: {plain}\n    healthcheck:\n"
            f"      test: [CMD, curl, -H, 'Authorization: Bearer {token}', http://localhost:3000/api/health]\n"
        ),
        "Dockerfile.production": f"FROM node:24-alpine\nENV API_TOKEN={token} PORT=3000\nUSER 1001\nCMD [\"node\", \"s.js\"]\n",
        "k8s/production/web.yaml": (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n"
            "      containers:\n      - name: web\n        image: ghcr.io/acme/shop:1\n        env:\n"
            f"        - {{name: API_PASSWORD, value: {plain}}}\n---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\n"
            f"stringData: {{password: {plain}, url: 'postgresql://a:{url}@db/x'}}\n"
        ),
        "next.config.js": (
            "module.exports = {async headers() { return [{source: '/:path*', headers: [{key: 'X-Api-Key', "
            f"value: '{token}'}}]}}] }}, env: {{API_SECRET: '{inline}'}}}}\n"
        ),
        "vercel.json": f'{{"env": {{"API_PASSWORD": "{plain}", "DATABASE_URL": "postgresql://a:{url}@h/x"}}}}\n',
        "railway.toml": f'[deploy]\nstartCommand = "API_PASSWORD={plain} node s.js"\n',
        ".github/workflows/production.yml": (
            f"on: push\nenv:\n  API_PASSWORD: {plain}\njobs:\n  ship:\n    runs-on: ubuntu-24.04\n    environment: production\n"
            f"    steps:\n      - run: npx vercel deploy --prod --token {token}\n"
        ),
        ".gitlab-ci.yml": f"variables:\n  API_PASSWORD: {plain}\nship:\n  script: [vercel --prod --token {token}]\n",
        "scripts/backup.sh": f"#!/bin/sh\nset -eu\nexport PGPASSWORD={plain}\npg_dump postgresql://a:{url}@db/x > /b/x.sql\n",
        "db/production.sql": f"CREATE ROLE shop LOGIN PASSWORD '{plain}';\nCREATE DATABASE shop OWNER shop;\n",
        "src/middleware.ts": (
            "import { NextResponse } from 'next/server'\nexport function middleware() {\n  const r = NextResponse.next()\n"
            f"  r.headers.set('X-Api-Key', '{token}')\n  return r\n}}\n"
        ),
    }  # fmt: skip


def secrets_in(text: str) -> list[str]:
    return [name for name, secret in SECRETS.items() if secret in text]


def test_no_secret_is_shown_by_any_of_it(tree: Any) -> None:
    folder = tree(planted())
    run = gate.run(str(folder), as_of=AS_OF)
    assert len(run.verdict.coverage.judged) >= 11, "the tree is read"
    for noun in show.NOUNS:
        for form in ("text", "json"):
            assert secrets_in(show.render(run.project, noun, form)) == [], (noun, form)


def test_no_secret_is_told(tree: Any) -> None:
    run = gate.run(str(tree(planted())), as_of=AS_OF)
    for artifact in run.verdict.coverage.judged:
        for line in range(1, len(artifact.source.starts) + 1):
            assert secrets_in(why.why(run, artifact.path, line)) == [], (artifact.path, line)
        for rule in run.ruleset.of(artifact.kind):
            assert secrets_in(why_not.why_not(run, rule.id, artifact.path)) == [], (artifact.path, rule.id)
    first = run.verdict.coverage.judged[0]
    for rule in run.ruleset.of("project"):
        assert secrets_in(why_not.why_not(run, rule.id, first.path)) == [], rule.id


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_no_secret_in_any_form(form: str, tree: Any) -> None:
    run = gate.run(str(tree(planted())), as_of=AS_OF)
    assert secrets_in(standard.render(run, form, verbose=True)) == []
