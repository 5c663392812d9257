"""Reports: SARIF by its schema, by sarif-om, by Microsoft's validator; JSON by its schema; no secret in any of them."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sarif_om

from elo_gate import gate
from elo_gate.model import Source
from elo_gate.report import json as json_report
from elo_gate.report import sarif, text
from elo_gate.report.linehash import LineHashes

Write = Callable[[dict[str, str]], Path]

AS_OF = "2026-11-25"
HOSTILE = 'services:\n  "a\\u202e::error::x":\n    image: nginx\n    privileged: true\n    restart: always\n  ünï🎉: {image: "x:latest", network_mode: host}\n'
# Made up for this test; the shapes are the vendors' (see redact).
SECRETS = {
    "STRIPE_SECRET_KEY": "sk_live_" + "51Hq7rT2eZvKYlo2CxN8wPdJm",
    "GITHUB_TOKEN": "ghp_" + "x7Kq2mWv9Rt4Bn6Zc1Ly8Hd3Jf5Pg0SaUeQi",
    "DB_PASSWORD": "Tr0ub4dor-and-3-horses",
    "SESSION_SECRET": "b7f3a9d2c4e8f1a6b5d0c9e2f7a3b8d1",
}


def run(folder: Path) -> gate.Run:
    return gate.run(str(folder), as_of=AS_OF)


def trees(tree: Write) -> dict[str, Path]:
    """Trees whose reports are judged: many findings, none, let pass, hostile names, broken, secrets."""
    parent = tree({})
    leaky = "".join(f"{name}={value}\n" for name, value in SECRETS.items())
    contents: dict[str, dict[str, str]] = {
        "plain": {"compose.production.yaml": "services:\n  db:\n    image: postgres\n    ports: ['5432:5432']\n"},
        "empty": {"README": ""},
        "let-pass": {
            "compose.production.yaml": "services:\n  db:\n    image: postgres:18.1\n    ports: ['5432:5432']\n",
            "elo-gate.toml": '[[ignore]]\nrule = "compose/data-store-published"\npath = "**"\nreason = "a lab"\n',
        },
        "hostile": {"k8s/production/ü 🎉 ##[set-env]::error:: $(x).yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c, image: x}]}\n", "compose.production.yaml": HOSTILE},
        "broken": {"compose.production.yaml": "services: [\n", "vercel.json": '{"builds": [}'},
        "secrets": {
            ".env.production": leaky,
            "compose.production.yaml": "services:\n  app:\n    build: .\n    environment:\n"
            + "".join(f"      {name}: {value}\n" for name, value in SECRETS.items()),
            "Dockerfile.production": "FROM node:18\n" + "".join(f"ENV {name}={value}\n" for name, value in SECRETS.items()),
            "vercel.json": json.dumps({"env": SECRETS, "regions": ["bru"]}, indent=1),
            "k8s/production/s.yaml": "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\ndata:\n"
            + "".join(f"  {name}: {base64.b64encode(value.encode()).decode()}\n" for name, value in SECRETS.items()),
        },
    }  # fmt: skip
    for name, files in contents.items():
        tree({f"{name}/{path}": body for path, body in files.items()})
    return {name: parent / name for name in contents}


def test_sarif_is_valid_by_schema_and_by_sarif_om(tree: Write) -> None:
    for name, folder in trees(tree).items():
        log = json.loads(sarif.render(run(folder)))
        _fits(sarif_om.SarifLog, log, name)


def _fits(kind: type, value: Any, where: str) -> None:
    """Every key is one that sarif-om's class of that object knows."""
    import attr

    known = {each.metadata.get("schema_property_name", each.name): each for each in attr.fields(kind)}
    for key, inner in value.items():
        assert key in known, f"{where}: {kind.__name__} has no {key}"
        next_kind = getattr(sarif_om, _CLASSES.get((kind.__name__, key), ""), None)
        if next_kind is not None:
            for each in inner if isinstance(inner, list) else [inner]:
                _fits(next_kind, each, where)


_CLASSES = {
    ("SarifLog", "runs"): "Run", ("Run", "tool"): "Tool", ("Tool", "driver"): "ToolComponent",
    ("ToolComponent", "rules"): "ReportingDescriptor", ("ToolComponent", "notifications"): "ReportingDescriptor",
    ("Run", "results"): "Result", ("Result", "message"): "Message", ("Result", "locations"): "Location",
    ("Result", "relatedLocations"): "Location", ("Location", "physicalLocation"): "PhysicalLocation",
    ("Location", "message"): "Message", ("PhysicalLocation", "artifactLocation"): "ArtifactLocation",
    ("PhysicalLocation", "region"): "Region", ("PhysicalLocation", "contextRegion"): "Region",
    ("Region", "snippet"): "ArtifactContent", ("Run", "invocations"): "Invocation",
    ("Invocation", "toolExecutionNotifications"): "Notification", ("Notification", "message"): "Message",
    ("Run", "automationDetails"): "RunAutomationDetails", ("Result", "suppressions"): "Suppression",
    ("ReportingDescriptor", "help"): "MultiformatMessageString",
    ("ReportingDescriptor", "defaultConfiguration"): "ReportingConfiguration",
}  # fmt: skip


def _multitool() -> Path | None:
    folder = Path(os.environ.get("ELO_GATE_SARIF_MULTITOOL", "/nonexistent"))
    return folder / "Sarif.Multitool" if (folder / "Sarif.Multitool").is_file() else None


def test_sarif_passes_microsofts_validator(tree: Write, guide: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    tool = _multitool()
    if tool is None:
        pytest.skip("set ELO_GATE_SARIF_MULTITOOL to the folder of @microsoft/sarif-multitool-linux")
    schema = json.loads((tool.parent / "sarif-2.1.0.json").read_text(encoding="utf-8-sig"))
    out = tmp_path_factory.mktemp("sarif")
    off = out / "no2006.json"
    off.write_text('{"SARIF2006.UrisShouldBeReachable.Options": {"RuleEnabled": "Disabled"}}')
    for name, folder in {**trees(tree), "guide": guide}.items():
        log = out / f"{name}.sarif"
        log.write_text(sarif.render(run(folder)))
        jsonschema.validators.validator_for(schema)(schema).validate(json.loads(log.read_text()))
        report = out / f"{name}.report.sarif"
        subprocess.run(
            [tool, "validate", log, "--rule-kind", "Sarif;Ghas", "-c", off, "--output", report, "--log", "ForceOverwrite"],
            check=True, capture_output=True, env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}, timeout=120,
        )  # fmt: skip
        (judged,) = json.loads(report.read_text(encoding="utf-8-sig"))["runs"]
        complaints = [
            (each["ruleId"], each.get("level", "warning"), each["message"])
            for each in judged["results"]
            if each.get("level", "warning") != "note"
        ]
        assert complaints == [], name
        notes = {each["ruleId"] for each in judged["results"]} - {"SARIF2009", "SARIF2003"}
        assert notes <= {"SARIF2012"}, (name, notes)


def test_sarif_holds_only_rules_that_fired_or_were_let_pass(tree: Write) -> None:
    folder = trees(tree)["let-pass"]
    done = run(folder)
    log = sarif.document(done)["runs"][0]
    fired = {each["ruleId"] for each in log["results"]}
    assert {each["id"] for each in log["tool"]["driver"]["rules"]} == fired | {"compose/data-store-published"}
    assert "compose/data-store-published" not in fired
    kept = sarif.document(done, include_suppressed=True)["runs"][0]["results"]
    assert [each["suppressions"][0]["justification"] for each in kept if "suppressions" in each] == ["a lab"]


def test_sarif_is_cut_at_githubs_limit_and_says_so(tree: Write) -> None:
    services = "".join(
        f"  s{number}:\n    image: postgres\n    privileged: true\n    restart: always\n" for number in range(2600)
    )
    done = run(tree({"compose.production.yaml": "services:\n" + services}))
    assert len(done.verdict.findings) > sarif.RESULT_LIMIT
    (log,) = sarif.document(done)["runs"]
    assert len(log["results"]) == sarif.RESULT_LIMIT
    assert "were left out" in log["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    errors = sum(each.severity == "error" for each in done.verdict.findings)
    assert sum(each["level"] == "error" for each in log["results"]) == min(errors, sarif.RESULT_LIMIT)


@pytest.mark.parametrize(
    ("content", "hashes"),
    [
        ("", ["c129715d7a2bc9a3:1"]),
        ("x = 2\nx = 1\nprint(x)\nx = 3\nprint(x)\nx = 4\nprint(x)\n",
         ["e54938cc54b302f1:1", "bb609acbe9138d60:1", "1131fd5871777f34:1", "5c482a0f8b35ea28:1", "54517377da7028d2:1",
          "2c644846cb18d53e:1", "f1b89f20de0d133:1", "c129715d7a2bc9a3:1"]),
        ("x = 2\r\nx = 1\r\nprint(x)\r\nx = 3\r\nprint(x)\r\nx = 4\r\nprint(x)\r\n",
         ["e54938cc54b302f1:1", "bb609acbe9138d60:1", "1131fd5871777f34:1", "5c482a0f8b35ea28:1", "54517377da7028d2:1",
          "2c644846cb18d53e:1", "f1b89f20de0d133:1", "c129715d7a2bc9a3:1"]),
        ("Lorem ipsum dolor sit amet.\n" * 10,
         ["a7f2ff13bc495cf2:1", "a7f2ff13bc495cf2:2", "a7f2ff13bc495cf2:3", "a7f2ff13bc495cf2:4", "a7f2ff13bc495cf2:5",
          "a7f2ff13bc495cf2:6", "a7f2ff1481e87703:1", "a9cf91f7bbf1862b:1", "55ec222b86bcae53:1", "cc97dc7b1d7d8f7b:1",
          "c129715d7a2bc9a3:1"]),
    ],
)  # fmt: skip
def test_line_hashes_are_githubs(content: str, hashes: list[str]) -> None:
    made = LineHashes(Source("x", content))
    assert [made.of(number) for number in range(1, len(hashes) + 1)] == hashes


def test_columns_are_utf16_and_paths_encoded(tree: Write) -> None:
    (log,) = sarif.document(run(trees(tree)["hostile"]))["runs"]
    uris = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in log["results"]}
    assert all(uri.isascii() and " " not in uri and "#" not in uri for uri in uris)
    assert any("%F0%9F%8E%89" in uri for uri in uris)


def test_sarif_paths_start_at_the_repositorys_top_and_text_at_the_root(tree: Write) -> None:
    folder = tree(
        {
            ".git/HEAD": "",
            "deploy/compose.production.yaml": "services:\n  db:\n    image: postgres\n    ports: ['5432:5432']\n",
        }
    )
    done = run(folder / "deploy")
    (log,) = sarif.document(done)["runs"]
    assert {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in log["results"]} == {
        "deploy/compose.production.yaml"
    }
    assert text.render(done).startswith("compose.production.yaml")


def _forms(secret: str) -> list[str]:
    """What of a secret may stand in no output: any ten characters, base64 at each offset, hex, reversed."""
    forms = [secret[at : at + 10] for at in range(len(secret) - 9)]
    forms += [secret[::-1][:10], secret.encode().hex()[:20]]
    forms += [base64.b64encode(b"x" * pad + secret.encode()).decode()[4:18] for pad in range(3)]
    return [*forms, base64.b64encode(secret.encode()).decode()[:14]]


def test_no_secret_in_any_report(tree: Write) -> None:
    done = run(trees(tree)["secrets"])
    assert done.verdict.findings
    outputs = [text.render(done, True, True), json_report.render(done), sarif.render(done, True)]
    for output in outputs:
        for name, secret in SECRETS.items():
            shown = [form for form in _forms(secret) if form in output]
            assert not shown, (name, output[max(0, output.find(shown[0]) - 200) :][:400])


def test_terminal_and_runner_commands_are_inert(tree: Write) -> None:
    output = text.render(run(trees(tree)["hostile"]))
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in output
    assert not any(line.lstrip().startswith("::") for line in output.splitlines())
    assert "##[" not in output


def test_json_fits_its_schema(tree: Write, root: Path) -> None:
    schema = json.loads((root / "schemas/report.schema.json").read_text())
    for folder in trees(tree).values():
        jsonschema.Draft202012Validator(schema).validate(json.loads(json_report.render(run(folder))))


def test_the_same_tree_elsewhere_gives_the_same_bytes(tree: Write, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name, folder in trees(tree).items():
        copy = tmp_path_factory.mktemp("copy") / "elsewhere"
        shutil.copytree(folder, copy)
        for render in (text.render, json_report.render, sarif.render):
            assert render(run(folder)) == render(run(copy)), name  # type: ignore[operator]


def test_the_order_in_which_a_folder_is_listed_changes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def report() -> str:
        return json_report.render(gate.run(str(root / "examples/intranet-before"), as_of="2026-11-25"))

    wanted = report()
    listed = os.scandir

    class Reversed:
        def __init__(self, path: str) -> None:
            with listed(path) as entries:
                self.entries = sorted(entries, key=lambda each: each.name, reverse=True)

        def __enter__(self) -> list[os.DirEntry[str]]:
            return self.entries

        def __exit__(self, *_: object) -> None:
            return None

    monkeypatch.setattr(os, "scandir", Reversed)
    assert report() == wanted
