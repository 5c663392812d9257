"""Azure Pipelines, Cloud Build and CodeBuild: three shapes, the same jobs, steps, gates and deployments."""

from __future__ import annotations

from elo_gate import examples
from elo_gate.kinds import jobs, pipeline
from elo_gate.kinds.jobs import Pipeline
from elo_gate.model import UNKNOWN, Artifact
from elo_gate.ruleset.load import from_sources

AZURE = """
trigger: {branches: {include: [main]}}
variables:
  - {name: region, value: eu}
  - group: shop
stages:
  - stage: Check
    jobs:
      - job: unit
        pool: {vmImage: ubuntu-24.04}
        steps:
          - task: UseNode@1
            inputs: {version: 24.x}
          - script: |
              npm ci
              npm run lint
          - task: Npm@1
            inputs: {command: custom, customCommand: run test}
            continueOnError: true
      - job: types
        dependsOn: unit
        steps:
          - bash: npx tsc --noEmit
  - stage: Ship
    condition: and(succeeded(), eq(variables['Build.SourceBranch'], 'refs/heads/main'))
    jobs:
      - deployment: web
        environment: production
        strategy:
          runOnce:
            deploy:
              steps:
                - task: AzureWebApp@1
                  inputs: {appName: shop}
"""


def artifact(text: str, path: str, **files: str) -> Artifact:
    """The artifact of a tree that holds the pipeline and other files (`__` in a name is a slash, `_` a dot)."""
    others = {name.replace("__", "/").replace("_", "."): body for name, body in files.items()}
    return examples.artifact_of("pipeline", text, path, others, from_sources({}))


def read(text: str, path: str, **files: str) -> Pipeline:
    """The pipeline of a text."""
    return pipeline.pipeline(artifact(text, path, **files))


def test_azure() -> None:
    made = read(AZURE, "azure-pipelines.yml")
    assert [each.id for each in made.jobs] == ["Check.unit", "Check.types", "Ship.web"]
    unit, types, ship = made.jobs
    assert [(gate.name, bool(gate.soft)) for gate in jobs.gates(unit)] == [("lint", False), ("test", True)]
    assert [gate.name for gate in jobs.gates(types)] == ["types"]
    assert [name for name, _ in types.needs] == ["Check.unit"]
    assert [name for name, _ in ship.needs] == ["Check.unit", "Check.types"]
    assert ship.branches == ["main"]
    assert [(deploy.platform, deploy.environment) for deploy in jobs.deploys(ship)] == [("azure", "production")]
    assert sorted(made.variables) == ["region"]


def test_azure_templates_of_the_repository() -> None:
    text = "steps:\n  - template: ci/steps.yml\n  - script: npm test\n"
    made = read(text, "azure-pipelines.yml", ci__steps_yml="steps:\n  - script: npm run lint\n")
    assert [gate.name for gate in jobs.gates(made.jobs[0])] == ["lint", "test"]
    assert made.open == ""


def test_azure_templates_from_elsewhere_leave_it_open() -> None:
    for text in (
        "steps:\n  - template: steps.yml@other\n",
        "steps:\n  - template: missing.yml\n",
        "extends: {template: base.yml}\n",
        "steps:\n  - ${{ if eq(parameters.x, 'y') }}:\n    - script: npm test\n",
    ):
        assert read(text, "azure-pipelines.yml").open


def test_an_azure_job_without_anything_is_a_job() -> None:
    assert [each.id for each in read("jobs: [{}]\n", "azure-pipelines.yml").jobs] == ["job 1"]


def test_azure_failures_that_are_passed_over() -> None:
    text = (
        "jobs:\n  - {job: a, steps: [{script: npm test}]}\n  - {job: b, dependsOn: a, condition: always(), steps: []}\n"
    )
    assert read(text, "azure-pipelines.yml").jobs[1].ignores_needs


CLOUD_BUILD = """
substitutions: {_TIER: web}
steps:
  - id: install
    name: node:24.11.1
    entrypoint: npm
    args: [ci]
  - id: check
    name: node:24.11.1
    entrypoint: bash
    args:
      - -ceu
      - |
        npm run lint
        npm test
    waitFor: [install]
  - name: gcr.io/cloud-builders/docker
    args: [build, -t, "eu.gcr.io/$PROJECT_ID/web:$SHORT_SHA", .]
    waitFor: ["-"]
  - name: gcr.io/google.com/cloudsdktool/cloud-sdk:slim
    entrypoint: gcloud
    args: [run, deploy, web, --region, europe-west3]
    dir: infra
"""


def test_cloud_build() -> None:
    made = read(CLOUD_BUILD, "cloudbuild.prod.yaml")
    assert [each.id for each in made.jobs] == ["install", "check", "step 3", "step 4"]
    assert [[name for name, _ in each.needs] for each in made.jobs] == [
        [], ["install"], [], ["install", "check", "step 3"],
    ]  # fmt: skip
    assert [gate.name for gate in jobs.gates(made.jobs[1])] == ["lint", "test"]
    assert [gate.name for gate in jobs.gates(made.jobs[2])] == ["build"]
    assert [(deploy.platform, deploy.environment) for deploy in jobs.deploys(made.jobs[3])] == [
        ("gcloud", "production")
    ]
    assert made.jobs[3].steps[0].folder == "infra"
    place = next(iter(made.jobs[1].steps[0].calls)).place
    assert place.source.text[place.start : place.end] == "npm run lint"


def test_buildspec() -> None:
    text = """
version: 0.2
env: {variables: {STAGE: production}}
phases:
  install: {runtime-versions: {nodejs: 20}, commands: [npm ci]}
  build: {commands: [npm run lint, npm test]}
  post_build: {commands: [aws ecs update-service --cluster shop --service web]}
"""
    found = artifact(text, "buildspec.yml")
    (job,) = pipeline.pipelines(found)[0].jobs
    assert [step.id for step in job.steps] == ["install", "build", "post_build"]
    assert [gate.name for gate in jobs.gates(job)] == ["lint", "test"]
    assert [deploy.platform for deploy in jobs.deploys(job)] == ["aws"]
    (image,) = pipeline.images(found)
    assert (image.facts["name"], image.facts["tag"], image.facts["runtime"]) == ("node", "20", True)


def test_an_azure_variable_leaves_an_image_unknown() -> None:
    text = "jobs:\n  - job: a\n    container: node:$(version)\n    steps: [{script: npm test}]\n"
    (image,) = pipeline.images(artifact(text, "azure-pipelines.yml"))
    assert image.facts["tag"].kind is UNKNOWN


def test_secrets() -> None:
    text = "steps:\n  - name: node\n    args: [x]\n    env: ['DB_PASSWORD=hT7kWq2mZx9Lp4Rv8NcB', 'A=b']\n"
    found = artifact(text, "cloudbuild.yaml")
    assert ["hT7kWq2mZx9Lp4Rv8NcB" in text[start:end] for start, end in pipeline.secrets(found)] == [True]


def test_what_is_a_pipeline() -> None:
    assert pipeline.looks_like("cloudbuild.yaml", "")
    assert pipeline.looks_like("ci/azure-pipelines-web.yml", "steps: []\n")
    assert not pipeline.looks_like("buildspecs.yml", "title: notes\n")
