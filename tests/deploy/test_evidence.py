"""What a deploy leaves behind, against its schemas; approvals with real keys."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest

from elo_gate.deploy import config

from .conftest import World

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"


def schema(name: str) -> jsonschema.Draft202012Validator:
    document = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def test_the_schema_of_the_table_is_the_table() -> None:
    assert (SCHEMAS / "deploy.schema.json").read_text() == json.dumps(config.schema(), indent=2) + "\n"


@pytest.mark.parametrize("health", [None, 500], ids=["good", "rolled-back"])
def test_journal_and_statements_keep_their_schemas(world: World, health: int | None) -> None:
    world.config(
        "in-place",
        more='[[deploy.targets.production.checklist]]\nphase = "pre"\nid = "docs-updated"\nmanual = "written"',
        verify='headers = "error"',
    )
    world.health = {"r1": health} if health else {}
    done = world.deploy("--confirm", "docs-updated=eva", "--break-glass", "try")
    assert done.returncode == (5 if health else 0), done.stderr
    lines, statements = schema("journal"), schema("evidence")
    for record in world.records():
        lines.validate(record)
    (proof,) = world.folder.glob("*/evidence.json")
    (gate,) = world.folder.glob("*/gate.vsa.json")
    for path in (proof, gate):
        statements.validate(json.loads(path.read_text()))
    said = json.loads(proof.read_text())
    assert {name.lower() for name, _ in said["predicate"]["verified"][-1]["checks"][-1]["headers"]} >= {"server"}
    assert said["subject"] == json.loads(gate.read_text())["subject"]
    assert said["predicate"]["gate"] == json.loads(gate.read_text())["predicate"]
    assert said["predicate"]["before"] == "r0" and said["predicate"]["release"] == ("r0" if health else "r1")
    assert said["predicate"]["journal"]["head"] in {each["hash"] for each in world.records()}
    world.run("rollback", "production", "--yes", "--to", "r-none")
    for record in world.records():
        lines.validate(record)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not here")
class TestApprovals:
    def keys(self, world: World) -> Path:
        folder = world.tree.parent / "keys"
        folder.mkdir()
        signers = ""
        for who in ("ana", "eva", "eve"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / who)], check=True)
            if who != "eve":
                signers += f'{who} namespaces="elo-gate-deploy" ' + (folder / f"{who}.pub").read_text()
        (folder / "allowed_signers").write_text(signers)
        world.config(target=f'approvals = {{ count = 1, allowed_signers = "{folder / "allowed_signers"}" }}')
        return folder

    def sign(self, world: World, digest: str, who: str, key: Path) -> int:
        return int(world.run("deploy", "approve", "production", digest, "--as", who, "--key", str(key)).returncode)

    def digest(self, world: World) -> str:
        return str(json.loads(world.run("deploy", "production", "--plan", "--json").stdout)["digest"])

    def test_one_of_another_person_over_these_bytes_counts(self, world: World) -> None:
        folder = self.keys(world)
        digest = self.digest(world)
        assert world.deploy().returncode == 3
        assert self.sign(world, digest, "ana", folder / "ana") == 0  # ana deploys
        assert self.sign(world, "0" * 64, "eva", folder / "eva") == 0  # other bytes
        assert world.deploy().returncode == 3
        assert self.sign(world, digest, "eva", folder / "eve") == 0  # not eva's key
        done = world.deploy()
        assert done.returncode == 3 and "no signature of theirs" in done.stderr and not world.calls("deploy")
        assert self.sign(world, digest, "eva", folder / "eva") == 0
        approval = world.folder / "approvals" / digest / "eva.approval"
        good = approval.read_bytes()
        approval.write_bytes(b"until: 2999-01-01T00:00:00.000Z\n" + good.partition(b"\n")[2])  # longer than was signed
        assert world.deploy().returncode == 3
        approval.write_bytes(b"until: 2001-01-01T00:00:00.000Z\n" + good.partition(b"\n")[2])
        assert "is over" in world.deploy().stderr
        approval.write_bytes(good)
        assert world.deploy().returncode == 0
        assert world.evidence()["predicate"]["approvals"] == [{"by": "eva", "digest": digest}]

    def test_signers_in_the_tree_need_a_branch(self, world: World) -> None:
        self.keys(world)
        world.config(target='approvals = { count = 1, allowed_signers = "ops/allowed_signers" }')
        done = world.deploy()
        assert done.returncode == 2 and "ref" in done.stderr
        world.config(target=f'approvals = {{ count = 1, allowed_signers = "{world.tree}/ops/allowed_signers" }}')
        assert world.deploy().returncode == 3
