"""GitHub workflows: every form of a workflow is read, no form raises, and places are exact."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elo_gate.examples import MemoryIgnores, MemoryTree
from elo_gate.kinds import action, jobs, workflow
from elo_gate.model import Source
from elo_gate.project import Project, pipelines
from elo_gate.syntax import yaml

PATH = ".github/workflows/production.yml"


def project_of(files: dict[str, str]) -> Project:
    project = Project(MemoryTree(files), "2026-11-25", lambda name: None, ignores=MemoryIgnores(files))
    project.look()
    return project


def pipeline_of(text: str, path: str = PATH, **more: str) -> jobs.Pipeline:
    artifact = project_of({path: text, **more}).artifact(path)
    assert artifact is not None
    return workflow.pipeline(artifact)


def deploy_of(run: str, name: str = "ship", on: str = "push", **job: str) -> jobs.Job:
    lines = "".join(f"    {key}: {value}\n" for key, value in job.items())
    text = f"on: {on}\njobs:\n  {name}:\n    runs-on: ubuntu-24.04\n{lines}    steps:\n      - run: |\n"
    text += "".join(f"          {line}\n" for line in run.splitlines())
    return pipeline_of(text, ".github/workflows/deploy.yml").jobs[0]


def gates_of(run: str, **files: str) -> set[str]:
    text = f"on: push\njobs:\n  t:\n    runs-on: x\n    steps:\n      - run: |\n          {run}\n"
    return {gate.name for gate in jobs.gates(pipeline_of(text, **files).jobs[0])}


@pytest.mark.parametrize(
    ("written", "events"),
    [
        ("push", {"push"}),
        ("[push, pull_request]", {"push", "pull_request"}),
        ("\n  push:\n    branches: [main]\n  workflow_dispatch:", {"push", "workflow_dispatch"}),
        ("3", {"3"}),
        ("", set()),
    ],
)
def test_every_form_of_on(written: str, events: set[str]) -> None:
    assert set(pipeline_of(f"on: {written}\njobs: {{a: {{runs-on: x, steps: [{{run: a}}]}}}}\n").triggers) == events


WRONG = ["3", "text", "null", "[1, {a: b}]", "{a: [b], c: {d: 1}}", "${{ x }}", "[[[]]]", "true", '""', "!!binary x"]


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize(
    "key",
    [
        "on", "env", "permissions", "concurrency", "defaults", "jobs", "jobs.j", "jobs.j.needs", "jobs.j.if",
        "jobs.j.environment", "jobs.j.env", "jobs.j.steps", "jobs.j.container", "jobs.j.services", "jobs.j.services.db",
        "jobs.j.uses", "jobs.j.with", "jobs.j.secrets", "jobs.j.strategy", "jobs.j.defaults", "jobs.j.continue-on-error",
        "jobs.j.timeout-minutes", "jobs.j.concurrency", "jobs.j.permissions",
    ],
)  # fmt: skip
def test_wrong_types_never_raise(key: str, value: str) -> None:
    text, indent = "", ""
    for part in key.split("."):
        text += f"{indent}{part}:\n"
        indent += "  "
    text = text.rstrip("\n") + f" {value}\n"
    if not key.startswith("jobs"):
        text += "jobs:\n  j:\n    runs-on: x\n    steps: [{run: vercel --prod}]\n"
    visit(project_of({PATH: text}))


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize(
    "key",
    ["name", "id", "if", "uses", "run", "with", "env", "shell", "working-directory", "continue-on-error", "parallel"],
)
def test_wrong_types_in_a_step_never_raise(key: str, value: str) -> None:
    step = f"      - {key}: {value}\n        {'run: npm test' if key != 'run' else 'name: x'}\n"
    visit(project_of({PATH: f"on: push\njobs:\n  j:\n    runs-on: x\n    steps:\n{step}"}))
    visit(project_of({"action.yml": f"name: x\nruns:\n  using: composite\n  steps:\n{step}"}))


@given(st.text(alphabet=st.sampled_from(list("abjobs: -\n\t{}[]'\"|>&*!?#${}onstepsrun0")), max_size=200))
def test_any_text_never_raises(text: str) -> None:
    visit(project_of({PATH: text, "action.yml": "runs: using:" + text}))


def visit(project: Project) -> None:
    """Asks everything of every pipeline, and checks that places stand in their files."""
    for artifact in project.all():
        if artifact.kind in ("workflow", "action"):
            module = workflow if artifact.kind == "workflow" else action
            for view in module.VIEWS.values():
                for item in view(artifact):
                    assert 0 <= item.place.start <= item.place.end <= len(item.place.source.text)
            for problem in artifact.problems:
                assert 0 <= problem.start <= problem.end <= len(artifact.source.text)
    for item in pipelines.items(project):
        assert item.facts["path"]
    pipelines.releases(project)


BODIES = st.text(alphabet=st.sampled_from(list("ab '\"\\$&|;\n-#é\t")), max_size=60)


@given(BODIES)
def test_words_of_a_block_slice_back(body: str) -> None:
    """Each word of a script in a literal block stands where its place says, quotes included."""
    text = "run: |\n" + "".join(f"    {line}\n" for line in body.split("\n")) + "next: 1\n"
    documents, problems = yaml.parse(Source("x.yml", text))
    if problems or not documents or documents[0].get("run").text() is None:
        return
    script = jobs.Script(documents[0].get("run"))
    for call in script.calls:
        for word in call.words:
            at = call.at(word)
            if at is not script.node:
                written = text[at.start : at.end]
                assert "".join(written.split()) == "".join(script.text[word.start : word.end].split())


@pytest.mark.parametrize(
    ("style", "value"),
    [
        ("plain", "npm  test"),
        ("single", "'echo ''a'' && npm test'"),
        ("double", '"npm test"'),
        ("folded", ">-\n  npm\n  test"),
    ],
)
def test_places_in_every_style(style: str, value: str) -> None:
    documents, _ = yaml.parse(Source("x.yml", f"run: {value}\n"))
    call = jobs.Script(documents[0].get("run")).calls[-1]
    at = call.place
    assert at.source.text[at.start : at.end].split() == ["npm", "test"]


def test_wrappers_are_taken_off() -> None:
    documents, _ = yaml.parse(Source("x.yml", "run: sudo -E env A=b npx --yes vercel@50.1.0 deploy --prod\n"))
    call = jobs.Script(documents[0].get("run")).calls[0]
    assert (call.program, call.version, call.fetched, call.texts) == ("vercel", "50.1.0", True, ["deploy", "--prod"])


# -- gates


@pytest.mark.parametrize(
    ("run", "found"),
    [
        ("npx tsc --noEmit", {"types"}),
        ("npx eslint . && npx vitest run --coverage", {"lint", "test", "coverage"}),
        ("npm run type-check", {"types"}),
        ("npm run test:coverage", {"test", "coverage"}),
        ("npm test", {"test"}),
        ("pnpm -r lint", {"lint"}),
        ("yarn workspace web build", {"build"}),
        ("npx turbo run lint test typecheck", {"lint", "test", "types"}),
        ("npx nx affected -t lint test", {"lint", "test"}),
        ("npx c8 node --test", {"test", "coverage"}),
        ("./ci.sh", {"?"}),
        ("npm ci", set()),
        ("npm audit --omit=dev", {"audit"}),
        ("echo tsc", set()),
        ("npm run contest", set()),
        ("npx tsc --version", set()),
        ("npx prisma generate", set()),
    ],
)
def test_gates_of_commands(run: str, found: set[str]) -> None:
    assert gates_of(run) == found


def test_scripts_are_followed_and_their_content_wins() -> None:
    package = '{"name": "a", "scripts": {"check": "npm run one && npm run two", "one": "eslint .", "two": "tsc", '
    package += (
        '"test": "echo \\"Error: no test specified\\" && exit 1", "lint": "echo skipped", "api": "cd api && npm test"}}'
    )
    files = {"package.json": package, "api/package.json": '{"name": "b", "scripts": {"test": "jest --coverage"}}'}
    assert gates_of("npm run check", **files) == {"lint", "types"}
    assert gates_of("npm test", **files) == set()
    assert gates_of("npm run lint", **files) == set()
    assert gates_of("npm run api", **files) == {"test", "coverage"}
    assert gates_of("make all", Makefile="all: x\n\t@npx eslint .\n") == {"lint"}
    assert gates_of("./ci.sh", **{"ci.sh": "set -e\nnpx vitest run\n"}) == {"test"}


@pytest.mark.parametrize(
    ("step", "soft"),
    [
        ("{run: npm test}", False),
        ("{run: npm test, continue-on-error: true}", True),
        ("{run: npm test || true}", True),
        ("{run: npm test || exit 1}", False),
        ("{run: npm test | tee log}", True),
        ("{run: npm test | tee log, shell: bash}", False),
        ("{run: 'set -o pipefail; npm test | tee log'}", False),
        ("{run: npm test, continue-on-error: '${{ matrix.x }}'}", False),
    ],
)
def test_gates_that_cannot_fail(step: str, soft: bool) -> None:
    job = pipeline_of(f"on: push\njobs: {{j: {{runs-on: x, steps: [{step}]}}}}\n").jobs[0]
    assert [bool(gate.soft) for gate in jobs.gates(job)] == [soft]


# -- deployments


@pytest.mark.parametrize(
    ("run", "platform", "environment"),
    [
        ("vercel --prod --yes", "vercel", "production"),
        ("npx vercel@50 deploy --prebuilt --prod", "vercel", "production"),
        ("vercel deploy", "vercel", "preview"),
        ("vercel --target=staging", "vercel", "staging"),
        ("vercel promote $URL", "vercel", "production"),
        ("vercel deploy $FLAGS", "vercel", ""),
        ("railway up --environment production", "railway", "production"),
        ("railway up", "railway", ""),
        ("kubectl apply -k k8s/overlays/prod", "kubernetes", "production"),
        ("kubectl set image deployment/a a=b -n shop-staging", "kubernetes", "staging"),
        ("helm upgrade web ./chart --namespace production", "kubernetes", "production"),
        ("ssh u@h 'cd /srv && docker compose up -d'", "compose", ""),
        ("netlify deploy --prod", "netlify", "production"),
        ("wrangler deploy --env production", "cloudflare", "production"),
        ("fly deploy -a web", "fly", ""),
        ("gcloud run deploy web --image x", "gcloud", ""),
        ("aws ecs update-service --cluster prod --service web", "aws", "production"),
        ("az containerapp update -n web", "azure", ""),
    ],
)
def test_deployments(run: str, platform: str, environment: str) -> None:
    found = jobs.deploys(deploy_of(run))
    assert [(each.platform, each.environment) for each in found] == [(platform, environment)]


@pytest.mark.parametrize(
    "run",
    [
        "vercel build --prod", "vercel pull --environment=production", "kubectl apply --dry-run=client -f k8s",
        "kubectl get pods", "docker compose up -d", "kubectl create namespace x", "helm template web", "railway run npm test",
        "echo vercel --prod", "npm run deploy:docs",
    ],
)  # fmt: skip
def test_what_deploys_nothing(run: str) -> None:
    assert jobs.deploys(deploy_of(run)) == []


def test_deployments_through_scripts() -> None:
    text = "on: push\njobs:\n  j:\n    runs-on: x\n    steps:\n      - run: npm run ship\n      - run: bash ops/go.sh\n"
    package = '{"name": "a", "scripts": {"ship": "npm run build && vercel deploy --prod"}}'
    files = {"package.json": package, "ops/go.sh": "set -e\nkubectl apply -k k8s/production\n"}
    found = jobs.deploys(pipeline_of(text, ".github/workflows/x.yml", **files).jobs[0])
    written = [each.place.source.text[each.place.start : each.place.end] for each in found]
    assert list(zip([each.platform for each in found], written, strict=True)) == [
        ("vercel", "npm run ship"),
        ("kubernetes", "bash ops/go.sh"),
    ]


def test_environments_from_the_job_and_its_triggers() -> None:
    release = "{push: {branches: [main]}}"
    assert jobs.deploys(deploy_of("railway up", environment="production"))[0].production
    assert jobs.deploys(deploy_of("railway up", environment="${{ inputs.target }}"))[0].environment == ""
    assert jobs.deploys(deploy_of("railway up", name="deploy-staging", on=release))[0].environment == "staging"
    assert pipeline_of(f"on: {release}\njobs: {{d: {{runs-on: x, steps: [{{run: fly deploy}}]}}}}\n")
    path = ".github/workflows/deploy.yml"
    text = f"on: {release}\njobs: {{d: {{runs-on: x, steps: [{{run: fly deploy}}]}}}}\n"
    [release_item] = pipelines.releases(project_of({path: text}))
    assert release_item.facts["deploys"][0].said == "the branch that starts it"
    assert pipelines.releases(project_of({path: text.replace("main", "next")})) == []
    assert pipelines.releases(project_of({path: text.replace("{push: {branches: [main]}}", "pull_request")})) == []


# -- job graphs


@pytest.mark.parametrize("own", ["./", "$/"])
def test_needs_across_called_workflows(own: str) -> None:
    files = {
        ".github/workflows/checks.yml": "on: workflow_call\njobs:\n  t:\n    runs-on: x\n    steps: [{run: npm test}]\n",
        ".github/workflows/ship.yml": (
            "on: workflow_call\njobs:\n  s:\n    runs-on: x\n    environment: production\n    steps: [{run: fly deploy}]\n"
        ),
        PATH: (
            "on: push\njobs:\n"
            f"  checks: {{uses: {own}.github/workflows/checks.yml}}\n"
            f"  ship: {{needs: checks, uses: {own}.github/workflows/ship.yml}}\n"
        ),
    }
    project = project_of(files)
    [item] = pipelines.releases(project)
    [way] = item.facts["ways"]
    assert way.start.path == PATH
    assert {gate.name for gate in pipelines.gates_before(item.facts["job"], way)} == {"test"}
    assert not way.open


def test_called_workflows_that_call_each_other_end() -> None:
    text = "on: [push, workflow_call]\njobs:\n  a: {{uses: ./.github/workflows/{other}.yml}}\n  d:\n    needs: [a, d]\n"
    text += "    runs-on: x\n    environment: production\n    steps: [{{run: fly deploy}}]\n"
    files = {
        f".github/workflows/{name}.yml": text.format(other=other) for name, other in (("one", "two"), ("two", "one"))
    }
    assert len(pipelines.releases(project_of(files))) == 2


def test_workflows_below_the_root_are_nobodys() -> None:
    project = project_of({"packages/a/.github/workflows/x.yml": "on: push\n", PATH: "on: push\n"})
    assert [artifact.path for artifact in project.artifacts("workflow")] == [PATH]


def test_the_guide(guide: Path) -> None:
    text = (guide / PATH).read_text(encoding="utf-8")
    pipeline = pipeline_of(text)
    assert [job.id for job in pipeline.jobs] == ["test", "build", "deploy", "notify"]
    assert [gate.name for gate in jobs.gates(pipeline.jobs[0])] == ["types", "lint", "test", "coverage"]
    [deploy] = jobs.deploys(pipeline.jobs[2])
    assert deploy.production
    assert deploy.place.source.text[deploy.place.start : deploy.place.end] == "vercel --prod --yes"
    [item] = pipelines.releases(project_of({PATH: text}))
    [way] = item.facts["ways"]
    assert [job.id for job in way.before] == ["build", "test"]
