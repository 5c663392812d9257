"""What `check --fix` does around the edits: which are kept, what is written and where, what is shown of it."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from elo_gate import gate
from elo_gate.cli import cli
from elo_gate.fixes import edit as edits
from elo_gate.fixes import propose
from elo_gate.fixes.edit import Change, Edit
from elo_gate.fixes.rounds import Mended, mend, summary
from elo_gate.fixes.write import WriteError, refusal, write
from elo_gate.model import Finding, Source
from elo_gate.ruleset.compile import read_rule, rule_files
from elo_gate.ruleset.load import data_dir

AS_OF = "2026-11-25"
SHOP = """\
# the shop
version: "3.8"
services:
  web:
    image: ghcr.io/acme/web:1.4.2  # what runs
    environment:
      SESSION_SECRET: ${SESSION_SECRET}
      STRIPE_KEY: "sk_live_51Habcdefghijklmnopqrstuv"
    volumes:
      - /srv/Caddyfile:/etc/caddy/Caddyfile
"""
IMAGE = "FROM node:24-alpine\nENV API_TOKEN 9f8e7d6c5b4a39281706f5e4d3c2b1a0\nENV PORT 3000\nUSER 1001\n"

Tree = Callable[[dict[str, str]], Path]


def run(folder: Path, *options: str) -> Result:
    """`elo-gate check` on a folder."""
    return CliRunner().invoke(cli, ["check", str(folder), "--as-of", AS_OF, *options])


def mended(folder: Path, unsafe: bool = False) -> Mended:
    def judge(texts: dict[str, str]) -> gate.Run:
        return gate.run(str(folder), as_of=AS_OF, origins=True, texts=texts)

    return mend(judge({}), judge, unsafe, refusal(str(folder)))


def test_safe_fixes_are_written_and_the_rest_is_reported(tree: Tree) -> None:
    folder = tree({"compose.yaml": SHOP})
    done = run(folder, "--fix", "-f", "concise", "--fail-on", "note")
    text = (folder / "compose.yaml").read_text(encoding="utf-8")
    assert text == (
        SHOP.replace('version: "3.8"\n', "")
        .replace("# what runs\n", "# what runs\n    restart: unless-stopped\n")
        .replace("${SESSION_SECRET}", "${SESSION_SECRET:?}")
    )
    assert done.exit_code == 1
    assert "compose/mount-writable" in done.stdout
    assert "compose/version-obsolete" not in done.stdout
    assert "fixed 3 findings in 1 file" in done.stderr


def test_fixes_to_think_over_are_asked_for(tree: Tree) -> None:
    folder = tree({"compose.yaml": SHOP})
    run(folder, "--fix", "--unsafe-fixes")
    assert "/etc/caddy/Caddyfile:ro" in (folder / "compose.yaml").read_text(encoding="utf-8")


def test_the_diff_changes_nothing_and_shows_no_secret(tree: Tree) -> None:
    folder = tree({"compose.yaml": SHOP, "Dockerfile": IMAGE})
    plain = run(folder)
    done = run(folder, "--diff", "--unsafe-fixes")
    assert done.exit_code == plain.exit_code == 1
    assert (folder / "compose.yaml").read_text(encoding="utf-8") == SHOP
    assert (folder / "Dockerfile").read_text(encoding="utf-8") == IMAGE
    assert sorted(os.listdir(folder)) == ["Dockerfile", "compose.yaml"]
    assert "+      - /srv/Caddyfile:/etc/caddy/Caddyfile:ro\n" in done.stdout
    assert "+ENV PORT=3000\n" in done.stdout
    assert "51Habcdef" not in done.output
    assert "9f8e7d6c" not in done.output


def test_the_diff_applies(tree: Tree) -> None:
    """Where nothing is masked, the diff says what would be written: read back by its own grammar."""
    folder = tree({"compose.yaml": SHOP.replace('      STRIPE_KEY: "sk_live_51Habcdefghijklmnopqrstuv"\n', "")})
    before = (folder / "compose.yaml").read_text(encoding="utf-8")
    shown = run(folder, "--diff").stdout.split("\n")[2:-1]
    removed = [line[1:] for line in shown if line[:1] == "-"]
    run(folder, "--fix")
    after = (folder / "compose.yaml").read_text(encoding="utf-8").split("\n")
    assert all(line in before.split("\n") for line in removed)
    assert all(line[1:] in after for line in shown if line[:1] in ("+", " "))


@pytest.mark.parametrize(
    "options", [["--unsafe-fixes"], ["--fix", "--watch"], ["--diff", "--stdin-filename", "x.yaml"]]
)
def test_options_that_do_not_go_together(options: list[str], tree: Tree) -> None:
    assert run(tree({"compose.yaml": SHOP}), *options).exit_code == 2


def test_mode_and_byte_order_mark_stay(tree: Tree) -> None:
    folder = tree({})
    path = folder / "compose.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SHOP.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    run(folder, "--fix")
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf# the shop\r\nservices:\r\n")
    assert data.count(b"\n") == data.count(b"\r\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_links_are_left_alone(tree: Tree) -> None:
    folder = tree({"real/shop.txt": SHOP})
    (folder / "compose.yaml").symlink_to("real/shop.txt")
    done = run(folder, "--fix")
    assert (folder / "real/shop.txt").read_text(encoding="utf-8") == SHOP
    assert "reached through a link" in done.stderr


def test_nothing_outside_is_written(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/x").write_text("a", encoding="utf-8")
    (tmp_path / "inside/link").symlink_to("../outside")
    for path in ("../outside/x", "link/x", "/etc/hostname", "missing"):
        with pytest.raises(WriteError):
            write(str(tmp_path / "inside"), path, "a", "b")
    assert (tmp_path / "outside/x").read_text(encoding="utf-8") == "a"


def test_what_has_changed_since_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("new", encoding="utf-8")
    with pytest.raises(WriteError, match="changed"):
        write(str(tmp_path), "x", "old", "mended")
    assert os.listdir(tmp_path) == ["x"]


def _proposing(monkeypatch: pytest.MonkeyPatch, name: str, body: Any) -> None:
    """Exchanges the edits of one rule."""
    real = propose.body_of
    monkeypatch.setattr(propose, "body_of", lambda each: body if each == name else real(each))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("      - SESSION_SECRET: [", "could not be read"),
        ('version: "2"', "the finding would stay"),
        ("name: ${", "it would bring a finding of"),
    ],
)
def test_an_edit_that_makes_it_worse_is_dropped(
    text: str, why: str, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tree({"compose.yaml": SHOP})

    def bad(fault: Any, it: Any, file: Any, params: Any) -> list[Edit]:
        node = it.node.get("version")
        return [Edit(node.source, it.node.key("version").start, node.end, text)]

    _proposing(monkeypatch, "compose:version", bad)
    done = mended(folder)
    assert 'version: "3.8"' in done.texts["compose.yaml"]
    assert "unless-stopped" in done.texts["compose.yaml"], "the others are kept"
    assert [change.finding.rule.id for change, _ in done.dropped] == ["compose/version-obsolete"]
    assert why in done.dropped[0][1]
    assert any("not fixed: compose/version-obsolete at compose.yaml:2" in line for line in summary(done, False))


def test_a_fix_that_raises_proposes_nothing(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    def bad(*_: Any) -> list[Edit]:
        raise ValueError("no")

    _proposing(monkeypatch, "compose:version", bad)
    assert "version" in mended(tree({"compose.yaml": SHOP})).texts["compose.yaml"]


def test_of_two_that_overlap_the_first_wins_and_the_other_comes_later(tree: Tree) -> None:
    """Both findings of one list rewrite all of it."""
    folder = tree(
        {
            "compose.yaml": """\
services:
  web:
    image: ghcr.io/acme/web:1.4.2
    depends_on: [db, migrate]
  migrate:
    image: ghcr.io/acme/web:1.4.2
    command: npx prisma migrate deploy
    restart: "no"
  db:
    image: postgres:17.2
    healthcheck: {test: ["CMD-SHELL", "pg_isready -U acme"]}
"""
        }
    )
    text = mended(folder).texts["compose.yaml"]
    assert "{db: {condition: service_healthy}, migrate: {condition: service_completed_successfully}}" in text


def test_flow_style_stays(tree: Tree) -> None:
    folder = tree({"compose.yaml": "services: {web: {image: 'ghcr.io/acme/web:1.4.2'}}  # all of it\n"})
    text = mended(folder).texts["compose.yaml"]
    assert text == ("services: {web: {image: 'ghcr.io/acme/web:1.4.2', restart: unless-stopped}}  # all of it\n")


def test_what_an_anchor_stands_for_is_left_alone(tree: Tree) -> None:
    folder = tree(
        {"compose.yaml": "x-base: &base\n  image: ghcr.io/acme/web:1.4.2\nservices:\n  web: *base\n  worker: *base\n"}
    )
    assert not mended(folder).texts


def test_accepted_findings_are_not_mended(tree: Tree) -> None:
    comment = "# elo-gate: ignore[compose/version-obsolete] an old tool reads it\n"
    folder = tree({"compose.yaml": SHOP.replace("version:", comment + "version:")})
    assert 'version: "3.8"' in mended(folder).texts["compose.yaml"]


@given(st.text(alphabet="ab\n", max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5), st.text("xy"))))
def test_edits_are_applied_as_if_one_by_one(text: str, wanted: list[tuple[int, int, str]]) -> None:
    source = Source("x", text)

    class Rule:
        id = "x/y"

    finding = Finding(Rule, "note", "", "", [], "", source, 0, 0, [])
    changes = [
        Change(finding, "safe", [Edit(source, at, min(len(text), at + size), new)])
        for at, size, new in wanted
        if at <= len(text)
    ]
    chosen = edits.apart(changes)
    assert chosen[:1] == changes[:1]
    expected = text
    for change in sorted(chosen, key=lambda each: each.edits[0].start, reverse=True):
        (one,) = change.edits
        expected = expected[: one.start] + one.text + expected[one.end :]
    assert edits.applied(chosen).get("x", text) == expected


def _applied(text: str, replacements: list[dict[str, Any]]) -> str:
    lines = [0]
    for line in text.split("\n")[:-1]:
        lines.append(lines[-1] + len(line) + 1)
    for each in reversed(replacements):
        region = each["deletedRegion"]
        start = lines[region["startLine"] - 1] + region["startColumn"] - 1
        end = lines[region["endLine"] - 1] + region["endColumn"] - 1
        text = text[:start] + each.get("insertedContent", {"text": ""})["text"] + text[end:]
    return text


def test_sarif_carries_what_would_be_written(tree: Tree) -> None:
    folder = tree({"compose.yaml": SHOP, "Dockerfile": IMAGE})
    results = json.loads(run(folder, "-f", "sarif").stdout)["runs"][0]["results"]
    found = {each["ruleId"]: each["fixes"][0] for each in results if "fixes" in each}
    assert "compose/version-obsolete" in found
    change = found["compose/version-obsolete"]["artifactChanges"][0]
    assert change["artifactLocation"]["uri"].endswith("compose.yaml")
    assert _applied(SHOP, change["replacements"]) == SHOP.replace('version: "3.8"\n', "")
    assert found["compose/mount-writable"]["description"]["text"].startswith("Think this over: ")
    assert "docker/legacy-env-form" not in found, "one of its lines holds a secret"


def test_json_carries_them_too(tree: Tree) -> None:
    findings = json.loads(run(tree({"compose.yaml": SHOP}), "-f", "json").stdout)["findings"]
    found = {each["rule"]: each for each in findings if "edits" in each}
    assert found["compose/version-obsolete"]["safety"] == "safe"
    (one,) = found["compose/variable-not-required"]["edits"]
    assert (one["line"], one["text"]) == (7, "${SESSION_SECRET:?}")


def test_the_page_lists_every_fix(root: Path) -> None:
    page = (root / "docs/fixes.md").read_text(encoding="utf-8")
    safe, unsafe = page.partition("## To think over")[::2]
    for identifier, path in rule_files(data_dir("rules")):
        edit = read_rule(identifier, path).edit
        assert (f"| `{identifier}` |" in safe) == (edit is not None and edit.safety == "safe"), identifier
        assert (f"| `{identifier}` |" in unsafe) == (edit is not None and edit.safety == "unsafe"), identifier
