"""Secrets at random in many places of a tree, and none of them in anything that any command says or writes.

The oracle knows a secret in these forms: plain and any ten characters of it, reversed, hexadecimal, base64 and base64url
at each offset, percent-encoded, and unsalted digests. A file's name is no place: it is shown as it is (SECURITY.md).
"""

from __future__ import annotations

import base64
import hashlib
import os
import random
import string
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elo_gate import redact
from elo_gate.cli import cli
from elo_gate.lsp.workspace import Workspace
from elo_gate.report import FORMATS
from elo_gate.report.show import NOUNS

AS_OF = "2026-11-25"
ALNUM = string.ascii_letters + string.digits


def letters(alphabet: str, low: int, high: int | None = None) -> st.SearchStrategy[str]:
    """Random ones: what hypothesis likes best, words of the program itself, stand in every report."""
    return st.integers(0, 1 << 64).map(
        lambda seed: "".join((draw := random.Random(seed)).choices(alphabet, k=draw.randint(low, high or low)))
    )


# What is known by its form, wherever it stands.
TOKEN = st.one_of(
    st.builds("sk_live_{}".format, letters(ALNUM, 24)),
    st.builds("ghp_{}".format, letters(ALNUM, 36)),
    st.builds("npm_{}".format, letters(ALNUM, 36)),
    st.builds("glpat-{}".format, letters(ALNUM, 20)),
    st.builds("SG.{}.{}".format, letters(ALNUM, 22), letters(ALNUM, 43)),
    st.builds("AKIA{}".format, letters(string.ascii_uppercase + string.digits, 16)),
    letters("0123456789abcdef", 48),
).filter(lambda text: not redact.placeholder(text) and len(set(text[8:])) > 8 and "EXAMPLE" not in text)
# What only its place gives away.
VALUE = letters(ALNUM + "!%*-_.", 12, 30).filter(
    lambda text: (
        len(set(text)) > 8 and text[0].isalnum() and text[-1].isalnum() and not redact.placeholder(text, "PASSWORD")
    )
)

# path -> a text in which each `§` is a token of its own and each `¤` a value under a name that says so. Most lines stand
# beside a finding or are its place.
PLACES = {
    ".env.production": (
        "# was §\nAPI_PASSWORD=¤\nexport SMTP_PASS='¤' # §\nDATABASE_URL=postgresql://shop:¤@localhost:5432/shop?x=§\n§=1\nNEXT_PUBLIC_A=§\n"
        "KEY=\"-----BEGIN PRIVATE KEY-----\n§\n§\n-----END PRIVATE KEY-----\"\nA=§ B\nEMPTY=\nB=${C:-§}\nC=§§\nOAUTH_SECRET: ¤\nREDIS_URL=redis://:¤@h\n"
    ),
    "compose.production.yaml": (
        "# §\nx-a: &a {API_PASSWORD: ¤, §: 1}\nservices:\n  web:\n    image: ghcr.io/acme/shop:latest # §\n    labels: {'a.§': '§'}\n"
        "    environment:\n      <<: *a\n      DATABASE_URL: postgres://a:¤@db/x\n      STRIPE: §\n      MAIL_PASSWORD: >-\n        ¤\n"
        "    command: [sh, -c, 'mysql -p¤ -u root --token=§']\n    ports: ['5432:5432'] # password ¤\n"
        "    healthcheck: {test: 'curl -u admin:¤ http://localhost/§'}\n    volumes: ['/var/run/docker.sock:/x/§']\n    user: '§'\n"
        "  §:\n    image: 'a/b:§'\n    depends_on: [§]\n"
    ),
    "Dockerfile.production": (
        "# §\nFROM node:latest AS §\nARG NPM_TOKEN=¤\nENV API_PASSWORD=¤ PORT=3000 X=§\nLABEL a=\"§\"\nRUN curl -H 'Authorization: Bearer §' -u a:¤ http://x/§ | sh\n"
        "RUN <<EOF\nexport DB_PASSWORD=¤\necho §\nEOF\nADD https://u:¤@h/§ /x\nUSER root\nCMD [\"node\", \"--token\", \"§\"]\n"
    ),
    "k8s/production/app.yaml": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, annotations: {a: '§'}}\nspec:\n  template:\n    spec:\n      containers:\n"
        "      - name: web # §\n        image: a/b:latest\n        args: ['--password=¤', '§']\n        env:\n        - {name: API_PASSWORD, value: ¤}\n"
        "        - name: X\n          value: §\n        livenessProbe: {httpGet: {path: '/§', port: 1, httpHeaders: [{name: Authorization, value: 'Bearer §'}]}}\n"
        "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: ¤, §: x}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
        "data: {DB_PASSWORD: ¤, '.env': 'A=§'}\n"
    ),
    ".github/workflows/production.yml": (
        "# §\nname: '§'\non: push\nenv: {API_PASSWORD: ¤}\njobs:\n  §:\n    runs-on: ubuntu-latest\n    environment: {name: production, url: 'https://u:¤@h/§'}\n"
        "    steps:\n    - name: x §\n      uses: a/b@v1\n      with: {token: ¤, x: '§'}\n"
        "    - run: |\n        # §\n        vercel --prod --token ¤\n        curl -u a:¤ http://h -H 'X: §'\n        echo ${{ github.event.issue.title }} §\n"
    ),
    ".gitlab-ci.yml": "variables: {API_PASSWORD: ¤}\nship:\n  image: a:latest # §\n  script: [vercel --prod --token ¤, 'curl §']\n",
    "next.config.js": (
        "// §\nconst a = '§'\nmodule.exports = { env: { API_SECRET: '¤', '§': a }, async headers() { return [{ source: '/:p*', headers: [{ key: 'X-Api-Key', "
        "value: '§' }, { key: 'Content-Security-Policy', value: \"script-src 'unsafe-inline' https://u:¤@h 'nonce-§'\" }] }] } }\n"
    ),
    "vercel.json": (
        '{"env": {"API_PASSWORD": "¤", "§": "§"}, "crons": [{"path": "/api/a?key=§", "schedule": "x"}], "§": 1, "regions": ["§"],\n'
        '"rewrites": [{"source": "/x", "destination": "https://u:¤@h/§"}], "buildCommand": "TOKEN=¤ npm run build"}\n'
    ),
    "railway.toml": "# §\n[deploy]\nstartCommand = \"API_PASSWORD=¤ node s.js --token §\"\nhealthcheckPath = 'x?§'\n\"§\" = '§'\npassword = '¤'\n",
    "scripts/backup.sh": (
        "#!/bin/sh\n# §\nexport PGPASSWORD=¤\npg_dump postgresql://a:¤@db/x > /tmp/x.sql\ncurl -H 'Authorization: Bearer §' http://h\nrm -rf $X # §\n"
        "cat > /root/.pgpass <<EOF\ndb:5432:x:a:§\nEOF\n"
    ),
    "db/production.sql": "-- §\nCREATE ROLE shop LOGIN PASSWORD '¤';\nGRANT ALL ON DATABASE shop TO PUBLIC; -- §\nINSERT INTO k VALUES ('§');\n",
    "nginx/nginx.conf": (
        "# §\nevents {}\nhttp { server { listen 443 ssl; ssl_protocols SSLv3; # §\n proxy_set_header Authorization 'Bearer §';\n"
        " location / { proxy_pass http://u:¤@web:3000; add_header X-Token §; } } }\n"
    ),
    "crontab": "# §\nAPI_PASSWORD=¤\n0 3 * * * root PGPASSWORD=¤ pg_dump x > /b/x; curl https://h/§\n",
    "docs/deploy-checklist.md": "# Deploy checklist\n\n- [ ] STRIPE is `§`\n- [ ] password: ¤\n- [ ] DATABASE_URL=`postgres://a:¤@db/x`\n\n| § | x |\n",
    "src/proxy.ts": (
        "import { NextResponse } from 'next/server'\n// §\nexport function proxy() {\n  const r = NextResponse.next()\n  r.headers.set('X-Api-Key', '§')\n"
        "  const password = '¤'\n  return r\n}\n"
    ),
    "src/app/api/health/route.ts": "export async function GET() { return Response.json({ env: process.env, key: '§' }) } // §\n",
    "package.json": '{"name": "a", "dependencies": {"next": "15.0.0"}, "scripts": {"deploy": "vercel --token ¤", "x": "echo §"}}\n',
    "elo-gate.toml": '[[ignore]]\nrule = "docker/root-user"\npath = "Dockerfile.production"\nreason = "until § is gone"\nowner = "§"\n',
}  # fmt: skip
# Small enough to be read at once: what is broken is told too.
BROKEN = {
    "b/.env.production": "A='§\nB=§\n", "b/vercel.json": '{"env": {"API_PASSWORD": "¤", §', "b/railway.toml": "[deploy]\nx = \"§\n§ = 1\n",
    "b/next.config.js": "module.exports = { a: '§\n", "b/compose.production.yaml": "services:\n  web: [\n    §: ¤\n", "b/nginx.conf": "http { a 'Bearer §\n",
    "b/db/production.sql": "CREATE ROLE a PASSWORD '¤\n", "b/Dockerfile.production": "FROM a\nRUN <<EOF\n§\n", "b/scripts/backup.sh": "echo '§\n",
}  # fmt: skip


@st.composite
def planted(draw: st.DrawFn) -> tuple[dict[str, str], list[str]]:
    """(a tree, the secrets in it)."""
    secrets: list[str] = []
    tree = {}
    for path, text in {**PLACES, **(BROKEN if draw(st.booleans()) else {})}.items():
        for letter, kind in (("§", TOKEN), ("¤", VALUE)):
            while letter in text:
                secrets.append(draw(kind))
                text = text.replace(letter, secrets[-1], 1)
        tree[path] = text
    return tree, secrets


def forms(secret: str) -> Iterator[str]:
    """The forms in which a secret must not be seen."""
    data = secret.encode()
    for at in range(len(secret) - 9):
        yield secret[at : at + 10]
    yield secret[::-1][:10]
    yield data.hex()[:20]
    for pad in range(3):
        for code in (base64.b64encode, base64.urlsafe_b64encode):
            yield code(b"x" * pad + data).decode()[4:16]
    if urllib.parse.quote(secret, safe="") != secret:
        yield urllib.parse.quote(secret, safe="")[:14]
    for name in ("md5", "sha1", "sha256", "sha512"):
        yield hashlib.new(name, data).hexdigest()[:16]


def leaks(text: str, secrets: list[str]) -> list[tuple[str, str]]:
    """(secret, what is seen of it, with what stands around it)."""
    found = []
    for secret in secrets:
        for form in forms(secret):
            at = text.find(form)
            if at >= 0:
                found.append((secret, text[max(0, at - 120) : at + 40]))
                break
    return found


def said(folder: Path, out: Path) -> Iterator[tuple[str, str]]:
    """(the command, everything that it says) for every command that tells about a tree."""
    tree = str(folder)
    lines = [
        ("README", 1),
        (".env.production", 2),
        ("compose.production.yaml", 9),
        ("Dockerfile.production", 4),
        ("vercel.json", 1),
        ("scripts/backup.sh", 3),
    ]
    commands: list[list[str]] = [
        ["check", tree, "-v", f"--as-of={AS_OF}", *(f"-o{name}={out / name}" for name in FORMATS if name != "text"), "-otext=-", "--include-suppressed"],
        ["check", tree, "-v", "--lang=pt-BR", f"--as-of={AS_OF}", "-fhtml"],
        ["check", tree, "--diff", "--unsafe-fixes", f"--as-of={AS_OF}"],
        ["standard", tree, "-v"], ["ignores", tree, "-fjson"], ["doctor", tree],
        ["baseline", "add", tree, "--reason=x", f"--baseline={out / 'baseline.json'}", f"--as-of={AS_OF}"],
        ["baseline", "prune", tree, f"--baseline={out / 'baseline.json'}"],
        *(["show", noun, tree, form] for noun in NOUNS for form in ("-ftext", "-fjson")),
        *(["why", f"{path}:{line}", tree] for path, line in lines),
        ["why-not", "docker/root-user", "Dockerfile.production", tree], ["why-not", "env/public-secret", ".env.production", tree],
    ]  # fmt: skip
    for words in commands:
        done = CliRunner().invoke(cli, words)
        assert not isinstance(done.exception, Exception), (words, done.exception)
        yield " ".join(words[:2]), done.output
        yield f"stderr of {' '.join(words[:2])}", done.stderr
    for path in sorted(out.iterdir()):
        yield path.name, path.read_text(encoding="utf-8")
    space = Workspace(tree, AS_OF)
    space.judge({})
    for path, seen in space.seen.items():
        for each in seen.findings:
            related = " ".join(words for *_, words in each.related)
            yield f"editor: {path}", f"{each.message} {each.fix} {related}"
        for trouble in seen.troubles:
            yield f"editor: {path}", trouble.message


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(planted())
def test_no_planted_secret_is_told(
    tmp_path_factory: pytest.TempPathFactory, given_tree: tuple[dict[str, str], list[str]]
) -> None:
    tree, secrets = given_tree
    folder, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("out")
    for path, text in tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    before = os.getcwd()
    seen = list(said(folder, out))
    assert os.getcwd() == before
    assert "docker/" in dict(seen)["json"], "it found nothing"
    assert [(name, found) for name, text in seen if (found := leaks(text, secrets))] == []


def test_the_oracle_sees() -> None:
    secret = "q7ZxV2mLr9/TbKc4eWf8"
    for shown in (
        secret, secret[3:13], secret[::-1], secret.encode().hex(), base64.b64encode(secret.encode()).decode(),
        base64.urlsafe_b64encode(b"a:" + secret.encode()).decode(), urllib.parse.quote(secret, safe=""), hashlib.sha256(secret.encode()).hexdigest(),
    ):  # fmt: skip
        assert leaks(f"x {shown} y", [secret]), shown
    assert leaks("q7ZxV2mL and Kc4eWf8", [secret]) == []
