"""railway.toml, railway.json, .railway/railway.ts: one shape of service for three ways to write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elo_gate.kinds import railway
from elo_gate.model import SEQ, UNKNOWN, Artifact, Source

PROGRAM = """\
import { defineRailway, github, image, postgres, preserve, project, service } from "railway/iac";

const REPO = "acme/shop";

export default defineRailway((ctx) => {
  const production = ctx.environment === "production";
  const db = postgres("Postgres");
  const web = service("web", {
    source: github(REPO, { rootDirectory: "apps/web" }),
    build: { builder: "RAILPACK", buildCommand: "pnpm build" },
    start: "pnpm start",
    healthcheck: "/health",
    healthcheckTimeout: 60,
    replicas: production ? 3 : 1,
    domains: ["shop.example.com"],
    deploy: { startCommand: "never", restartPolicyType: "ALWAYS" },
    env: { DATABASE_URL: db.env.DATABASE_URL, STRIPE_KEY: preserve(), LOG_LEVEL: "info", SALT: "pa55-w0rd-xyz" },
  });
  const cache = service("cache", { source: image("valkey/valkey:8.1") });
  return project("shop", { resources: [db, web, cache] });
});
"""


class Project:
    """As much of a project as the kind asks for."""

    def __init__(self, as_of: str = "2026-11-25", *paths: str) -> None:
        self.as_of = as_of
        self.paths = paths

    def table(self, name: str) -> object:
        return {"config_as_code": {"ends": "2026-12-01"}} if name == "railway" else None

    def exists(self, path: str) -> bool:
        return path in self.paths

    def read(self, path: str) -> None:
        return None


def artifact(text: str, path: str = "railway.toml", project: Project | None = None) -> Artifact:
    made = Artifact(Source(path, text), "railway")
    made.project = project or Project()
    railway.load(made)
    return made


def test_a_program_describes_its_services() -> None:
    made = artifact(PROGRAM, ".railway/railway.ts")
    assert not made.problems
    web, cache = railway.services(made)
    assert (web.facts["name"], web.facts["folder"], web.facts["source"]) == ("web", "apps/web", "github")
    assert (cache.facts["name"], cache.facts["folder"], cache.facts["source"]) == ("cache", "", "image")
    told = {name: web.facts[name].text() for name in ("builder", "buildCommand", "startCommand", "healthcheckPath")}
    assert told == {
        "builder": "RAILPACK", "buildCommand": "pnpm build", "startCommand": "pnpm start", "healthcheckPath": "/health",
    }  # fmt: skip
    assert web.facts["numReplicas"].number() == 3, "the file is evaluated for production"
    assert web.facts["restartPolicyType"].text() == "ALWAYS"
    assert not cache.facts["startCommand"]


def test_variables_of_a_program() -> None:
    made = artifact(PROGRAM, ".railway/railway.ts")
    told = {item.facts["name"]: item.node.kind for item in railway.variables(made)}
    assert list(told) == ["DATABASE_URL", "STRIPE_KEY", "LOG_LEVEL", "SALT"]
    assert told["DATABASE_URL"] is UNKNOWN is told["STRIPE_KEY"]
    assert [made.source.text[start:end] for start, end in railway.secrets(made)] == ['"pa55-w0rd-xyz"']


def test_what_a_spread_may_hold_is_unknown() -> None:
    text = 'import { defineRailway, project, service } from "railway/iac";\nimport { common } from "shared";\n'
    text += 'export default defineRailway(() => project("a", { resources: [service("web", { ...common })] }));\n'
    (web,) = railway.services(artifact(text, ".railway/railway.ts"))
    assert web.facts["healthcheckPath"].kind is UNKNOWN


def test_a_short_build_is_a_command() -> None:
    text = 'import { defineRailway, project, service } from "railway/iac";\n'
    text += 'export default defineRailway(() => project("a", { resources: [service("web", { build: "make" })] }));\n'
    (web,) = railway.services(artifact(text, ".railway/railway.ts"))
    assert web.facts["buildCommand"].text() == "make"
    assert not web.facts["builder"]


@pytest.mark.parametrize("text", ["", "export default 1;", "export default defineRailway(() => {", "}{", "service()"])
def test_what_is_no_program_has_no_services(text: str) -> None:
    made = artifact(text, ".railway/railway.ts")
    assert made.root.kind is SEQ
    assert not [item for item in railway.services(made) if item.facts["name"]]


def test_production_overrides_the_base_and_staging_does_not() -> None:
    made = artifact(
        '[deploy]\nstartCommand = "a"\nhealthcheckPath = "/h"\n'
        '[environments.production.deploy]\nstartCommand = "b"\n[environments.staging.deploy]\nhealthcheckPath = "/s"\n'
    )
    (service,) = railway.services(made)
    assert service.facts["startCommand"].text() == "b"
    assert service.facts["healthcheckPath"].text() == "/h"
    told = {item.facts["name"]: item.facts["production"] for item in railway.environments(made)}
    assert told == {"production": True, "staging": False}


def test_toml_and_json_tell_the_same() -> None:
    toml = artifact('[build]\nbuilder = "DOCKERFILE"\n[deploy]\nhealthcheckTimeout = 100\n')
    json = artifact('{"build": {"builder": "DOCKERFILE"}, "deploy": {"healthcheckTimeout": 100}}', "railway.json")
    for name in ("builder", "healthcheckTimeout"):
        assert railway.services(toml)[0].facts[name].text() == railway.services(json)[0].facts[name].text()


def test_from_the_last_day_on_the_old_files_describe_nothing() -> None:
    text = '[deploy]\nstartCommand = "a"\n[variables]\nA = "b"\n[environments.production.deploy]\nstartCommand = "b"\n'
    before, after = artifact(text), artifact(text, project=Project("2026-12-01"))
    for name in ("services", "build", "deploy", "environments", "variables"):
        assert railway.VIEWS[name](before), name
        assert not railway.VIEWS[name](after), name
    assert [item.facts["ended"] for item in railway.file(after)] == [True]
    assert railway.services(artifact(PROGRAM, ".railway/railway.ts", Project("2027-01-01")))


def test_the_successor_is_found_above() -> None:
    made = artifact("[deploy]\n", "apps/api/railway.toml", Project("2026-11-25", ".railway/railway.py"))
    assert railway.file(made)[0].facts["program"] == ".railway/railway.py"


def test_variables_in_tables_that_nobody_reads() -> None:
    made = artifact(
        '[[services]]\nname = "web"\n[services.environment]\nA = "1"\n[[services]]\nname = "b"\nenv = { B = "2" }\n'
    )
    told = {item.facts["name"]: (item.facts["service"], item.facts["read"]) for item in railway.variables(made)}
    assert told == {"A": ("web", False), "B": ("b", False)}


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ('{"build": {}}', True),
        ('{"deploy": {"startCommand": "x"}}', True),
        ('{"$schema": "https://railway.com/railway.schema.json"}', True),
        ('{"name": "Railway", "category": "hosting", "logo": "railway.svg"}', False),
        ("[1, 2]", False),
        ("{", False),
    ],
)
def test_which_railway_json_is_railways(text: str, ours: bool) -> None:
    assert railway.recognises(artifact(text, "railway.json").root) is ours


@given(
    st.sampled_from(["railway.toml", "railway.json"]), st.text(alphabet='[]{}"=:,\n abuildeployvrsmt.$#', max_size=60)
)
def test_any_text_has_views(path: str, text: str) -> None:
    made = artifact(text, path)
    railway.secrets(made)
    railway.signs(made)
    for view in railway.VIEWS.values():
        for item in view(made):
            assert 0 <= item.place.start <= item.place.end <= len(text)
