"""Shell scripts: what proves one, what it dumps, carries away, deletes, deploys, provisions, through every wrapper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elo_gate import examples
from elo_gate.kinds import script
from elo_gate.model import Artifact, Item, Source
from elo_gate.ruleset.load import load as load_rules


def load(text: str, path: str = "scripts/backup.sh") -> Artifact:
    artifact = Artifact(Source(path, text), "script")
    script.load(artifact)
    return artifact


def view(text: str, name: str, path: str = "scripts/backup.sh") -> list[Item]:
    return script.view(load(text, path), name)


def facts(items: list[Item], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(item.facts[name] for name in names) for item in items]


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("scripts/backup.sh", "", True),
        ("ops/db_rollback.sh", "", True),
        ("deploy-production.sh", "", True),
        ("scripts/start.sh", "node server.js\n", False),
        ("scripts/nightly.sh", "pg_dump shop > x\n", True),
        ("scripts/env.sh", "vercel env add A production\n", True),
        ("scripts/lint.sh", "eslint .\n", False),
    ],
)
def test_what_proves_a_script(path: str, text: str, told: bool) -> None:
    assert script.looks_like(path, text) is told


@pytest.mark.parametrize(
    "line",
    [
        "pg_dump -Fc -f /b/x.dump shop",
        "sudo -u postgres pg_dump --format=custom --file=/b/x.dump shop",
        "docker exec -e A=b db pg_dump -F c shop > /b/x.dump",
        "docker compose -f c.yaml exec -T db pg_dump -Fc shop > /b/x.dump",
        "kubectl -n shop exec db-0 -c pg -- pg_dump -Fc shop > /b/x.dump",
        "ssh db.acme.io 'pg_dump -Fc shop > /b/x.dump'",
        "ssh db.acme.io <<'EOF'\npg_dump -Fc shop > /b/x.dump\nEOF",
        'bash -c "pg_dump -Fc shop > /b/x.dump"',
        "su - postgres -c 'pg_dump -Fc shop' > /b/x.dump",
        "D=/b; nice -n 19 timeout 30m pg_dump -Fc shop > $D/x.dump",
        "FORMAT=c\npg_dump -F$FORMAT shop | tee /b/x.dump",
        "if ! pg_dump -Fc shop > /b/x.dump; then exit 1; fi",
    ],
)
def test_a_dump_is_found_in_whatever_starts_it(line: str) -> None:
    assert facts(view(line, "dumps"), "tool", "format", "path", "built_in") == [
        ("pg_dump", "custom", "/b/x.dump", True)
    ]


def test_places_inside_of_quotes_are_exact() -> None:
    text = "# é\nssh host \"cd /é && pg_dump 'shop' > /b/x\"\n"
    (item,) = view(text, "dumps")
    assert text[item.place.start : item.place.end] == "pg_dump"


def test_copies_and_schemas_are_no_backups() -> None:
    assert not view('pg_dump "$A" | psql "$B"\npg_dump --schema-only shop > s.sql\npg_dump --version\n', "dumps")
    assert len(view("pg_dump -Uscott -hlocalhost shop > x\n", "dumps")) == 1


@pytest.mark.parametrize(
    ("line", "destination"),
    [
        ("aws s3 cp /b/x s3://bucket/x", "s3://bucket/x"),
        ("aws s3 cp --sse AES256 --only-show-errors /b/x s3://bucket/x", "s3://bucket/x"),
        ('aws --profile p s3 sync /b "s3://$BUCKET/x"', "s3://*/x"),
        ('aws s3 cp /b/x "$TARGET"', "*"),
        ("rclone copy /b vault:x", "vault:x"),
        ("scp -P 22 /b/x me@host:/v", "me@host:/v"),
        ("rsync -avP -e ssh /b/ me@host:/v/", "me@host:/v/"),
        ("gsutil -m cp /b/x gs://bucket/x", "gs://bucket/x"),
        ("aws s3 cp s3://bucket/x /b/x", None),
        ("aws s3 ls s3://bucket", None),
        ("rsync -a /a/ /b/", None),
        ("scp me@host:/v /b", None),
        ("rclone copy vault:x /b", None),
        ("curl -fsS https://acme.io/health", None),
        ("curl -T /b/x https://acme.io/up", "https://acme.io/up"),
    ],
)
def test_what_leaves_the_machine(line: str, destination: str | None) -> None:
    assert facts(view(line, "uploads"), "destination") == ([] if destination is None else [(destination,)])


@pytest.mark.parametrize(
    ("line", "days", "count"),
    [
        ("find /b -name '*.gz' -mtime +30 -delete", 30, None),
        ("N=14\nfind /b -name '*.gz' -mtime +$N -exec rm {} \\;", 14, None),
        ("find /b -name '*.gz' -mtime +\"${KEEP:-30}\" | xargs rm -f", 30, None),
        ("find /b -mmin +43200 -delete", 30, None),
        ("ls -t /b/*.gz | tail -n +31 | xargs -r rm --", None, 30),
        ("restic forget --keep-daily 30 --prune", 30, None),
        ("rclone delete --min-age 4w vault:x", 28, None),
        ("find /b -name '*.gz' -mtime +$1 -delete", None, None),
    ],
)
def test_what_is_deleted_when(line: str, days: int | None, count: int | None) -> None:
    assert facts(view(line, "prunes"), "days", "count") == [(days, count)]


def test_what_is_put_into_platforms() -> None:
    text = """
    vercel env add DATABASE_URL production
    printf %s "$S" | vercel env add SECRET staging
    vercel env add "$NAME" preview
    vercel env ls
    railway variables --set "A=1" --set B=2 -e production
    gh secret set TOKEN --env production --body "$T"
    kubectl create secret generic web --from-literal=KEY="$K" -n shop
    """
    found = view(text, "provisions", "scripts/env.sh")
    names = [name if isinstance(name, str) else "?" for (name,) in facts(found, "name")]
    assert names == ["DATABASE_URL", "SECRET", "?", "A", "B", "TOKEN", "KEY"]
    assert facts(found, "platform", "environment") == [
        ("vercel", "production"), ("vercel", "staging"), ("vercel", "preview"), ("railway", "production"),
        ("railway", "production"), ("github", "production"), ("kubernetes", "shop"),
    ]  # fmt: skip
    for item in found:
        assert not isinstance(item.facts["name"], str) or (
            text[item.place.start : item.place.end].strip("\"'") == item.facts["name"]
        )


def test_ways_to_production_and_back() -> None:
    text = "vercel --prod\nvercel --target staging\nnpx @railway/cli@4.11.0 up\nkubectl -n a rollout undo deploy/web\nvercel rollback\n"
    artifact = load(text, "scripts/deploy.sh")
    assert [item.facts["platform"] for item in script.view(artifact, "deploys")][:2] == ["vercel", "vercel"]
    assert facts(script.view(artifact, "rollbacks"), "platform", "subcommand") == [
        ("kubernetes", "rollout undo"),
        ("vercel", "rollback"),
    ]


def test_secrets_are_known_to_be_masked() -> None:
    text = "export DB_PASSWORD=vB7qk2Lr9sTz\nmysqldump -u a -pvB7qk2Lr9sTz shop > x\npsql postgresql://a:vB7qk2Lr9sTz@h/d\nPORT=3000\n"
    spans = script.secrets(load(text))
    masked = "".join(text[start:end] for start, end in spans)
    assert masked.count("vB7qk2Lr9sTz") == 3 and "3000" not in masked


def test_another_language_is_set_aside() -> None:
    artifact = load("#!/usr/bin/env python3\nprint('pg_dump (')\n", "scripts/backup.sh")
    assert artifact.state == "aside"
    for name in script.VIEWS:
        assert isinstance(script.view(artifact, name), list)


def test_a_place_that_the_grammar_does_not_read_matters_only_where_something_weighty_is_lost() -> None:
    harmless = load("for file do\n  echo $file\ndone\npg_dump shop > x\n")
    assert not any(problem.fatal for problem in harmless.problems)


def test_the_guide_is_read(guide: Path) -> None:
    path = guide / "scripts" / "backup-database.sh"
    artifact = load(path.read_text(encoding="utf-8"), "scripts/backup-database.sh")
    assert not artifact.problems
    assert facts(script.view(artifact, "dumps"), "format", "path") == [("custom", "/backups/elo_prod_*.sql")]
    assert facts(script.view(artifact, "prunes"), "folder", "names", "days") == [("/backups", "*.gz", 30)]
    assert facts(script.view(artifact, "uploads"), "bucket") == [("elo-backups",)]


PIECES = [
    "'", '"', "`", "$(", ")", "${", "}", "$A/", "$1", "\n", " ", ";", "|", "||", "&&", "if ", "then ", "fi\n", "set -e\n",
    "pg_dump ", "-Fc ", "-f ", "/b/x.sql", "gzip ", "aws s3 cp ", "s3://b/x ", "find /b ", "-mtime +", "-delete\n", "rm -rf ",
    "$A/$B ", "railway ", "rollback ", "up ", "vercel ", "--prod ", "env add ", "--token ", "$T ", "kubectl ", "rollout undo ",
    "deployment/web ", "-n ", "npm i -g ", "tar czf ", "rsync -a ", "A=$(date +%F)\n", "ssh h '", "docker exec db ", 'sh -c "',
    "trap '", "<<EOF\n", "EOF\n", "> ", "psql -f ", "--sse ", "xargs ", "#!/bin/bash\n", "restic forget ", "--keep-daily ",
    "railway variables --set ", "X=1 ", "mysqldump -p", "pg_restore -c ",
]  # fmt: skip


@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=30).map("".join),
    st.sampled_from(["scripts/backup.sh", "scripts/rollback.sh", "scripts/x.sh"]),
)
@settings(max_examples=60)
def test_no_rule_fails_whatever_a_script_says(text: str, path: str) -> None:
    other = {"scripts/backup-2.sh": "pg_dump x | gzip > /b/y.gz\n"}
    outcome = examples.judge_tree({path: text, **other}, load_rules(), "2026-11-25")
    assert not outcome.failures
    for finding in outcome.findings:
        assert 0 <= finding.start <= finding.end <= len(finding.source.text)
