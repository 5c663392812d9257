"""GitLab pipelines: how includes, templates, references, stages and conditions become jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from elo_gate import examples
from elo_gate.kinds import gitlab, jobs, pipeline
from elo_gate.kinds.gitlab_config import expand
from elo_gate.kinds.jobs import Job, Pipeline
from elo_gate.model import SCALAR, UNKNOWN, Artifact, Node, Source
from elo_gate.project import pipelines
from elo_gate.ruleset.load import from_sources

PATH = ".gitlab-ci.yml"


def artifact(text: str, path: str = PATH, **files: str) -> Artifact:
    """The artifact of a tree that holds the pipeline and other files (`__` in a name is a slash, `_` a dot)."""
    others = {name.replace("__", "/").replace("_", "."): body for name, body in files.items()}
    kind = "gitlab" if "gitlab" in path else "pipeline"
    return examples.artifact_of(kind, text, path, others, from_sources({}))


def read(text: str, **files: str) -> Pipeline:
    """The pipeline of a text."""
    return gitlab.pipeline(artifact(text, **files))


def job(text: str, name: str, **files: str) -> Job:
    """One job of a text."""
    found = read(text, **files).job(name)
    assert found is not None
    return found


def calls(found: Job) -> list[str]:
    """The programs a job starts, with their first argument."""
    return [" ".join([call.program, *call.texts[:1]]) for step in found.steps for call in step.calls]


def test_templates_are_no_jobs_and_reserved_keys_neither() -> None:
    made = read("stages: [a]\n.hidden: {script: [x]}\nvariables: {A: b}\ndefault: {image: x}\nrun: {script: [y]}\n")
    assert [each.id for each in made.jobs] == ["run"]


def test_extends_merges_maps_and_replaces_lists() -> None:
    text = """
.base: {variables: {A: "1", B: "1"}, script: [old], image: node:24}
.more: {variables: {B: "2"}, tags: [x]}
run: {extends: [.base, .more], variables: {C: "3"}, script: [new]}
"""
    found = job(text, "run")
    assert {name: value.value for name, (_, value) in found.variables.items()} == {"A": "1", "B": "2", "C": "3"}
    assert calls(found) == ["new"]
    assert found.image.value == "node:24"


def test_extends_in_a_circle_ends() -> None:
    assert [each.id for each in read("a: {extends: b, script: [x]}\nb: {extends: a, script: [y]}\n").jobs] == ["a", "b"]


def test_a_template_that_is_not_here_is_remembered() -> None:
    found = artifact("a: {extends: .elsewhere, script: [x]}\n")
    list(gitlab.config(found).jobs())
    assert [each.value for each in gitlab.config(found).missing] == [".elsewhere"]
    found = artifact("include: {template: x}\na: {extends: .elsewhere, script: [x]}\n")
    list(gitlab.config(found).jobs())
    assert gitlab.config(found).missing == []


def test_reference_tags_are_followed_and_flattened() -> None:
    text = """
.setup: {script: [npm ci, [npm run lint]], rules: [{if: $CI_COMMIT_BRANCH == "main"}]}
run:
  rules: [!reference [.setup, rules]]
  script:
    - !reference [.setup, script]
    - npm test
"""
    found = job(text, "run")
    assert calls(found) == ["npm ci", "npm run", "npm test"]
    assert found.branches == ["main"]


def test_a_reference_to_nothing_is_unknown() -> None:
    assert job("run: {image: !reference [.none, image], script: [x]}\n", "run").image.kind is UNKNOWN


def test_local_includes_are_merged_below_the_file() -> None:
    text = "include: /ci/base.yml\ntest: {image: node:24}\n"
    base = "test: {image: node:20, script: [npm test]}\nlint: {script: [npm run lint]}\n"
    found = artifact(text, ci__base_yml=base)
    made = gitlab.pipeline(found)
    assert [each.id for each in made.jobs] == ["test", "lint"]
    assert made.jobs[0].image.value == "node:24"
    assert calls(made.jobs[0]) == ["npm test"]
    assert made.jobs[1].place.source.path == "ci/base.yml"
    assert gitlab.parts(found) == [PATH, "ci/base.yml"]
    assert made.open == ""


def test_includes_by_pattern_and_in_a_circle() -> None:
    text = "include: [{local: 'ci/*.yml'}]\na: {script: [x]}\n"
    made = read(text, ci__b_yml="include: /.gitlab-ci.yml\nb: {script: [y]}\n", ci__c_yml="c: {script: [z]}\n")
    assert sorted(each.id for each in made.jobs) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "include",
    ["{template: Jobs/SAST.gitlab-ci.yml}", "{project: acme/ci, file: /x.yml}", "https://example.com/x.yml",
     "{component: $CI_SERVER_FQDN/acme/x@1}", "/missing.yml", "$FILE", "[{remote: https://example.com/y.yml}]"],
)  # fmt: skip
def test_what_is_included_from_elsewhere_leaves_the_pipeline_open(include: str) -> None:
    assert read(f"include: {include}\na: {{script: [x]}}\n").open


def test_defaults_and_their_inheritance() -> None:
    text = """
default: {image: node:24, before_script: [npm ci]}
variables: {A: "1", B: "2"}
a: {script: [npm test]}
b: {script: [npm test], before_script: [], inherit: {default: [image], variables: [A]}}
c: {script: [npm test], inherit: {default: false, variables: false}}
"""
    made = read(text)
    assert [each.image.value for each in made.jobs] == ["node:24", "node:24", None]
    assert [calls(each) for each in made.jobs] == [["npm ci", "npm test"], ["npm test"], ["npm test"]]
    assert [sorted(each.variables) for each in made.jobs] == [["A", "B"], ["A"], []]


def test_stages_and_needs() -> None:
    text = """
stages: [build, test, ship]
build: {stage: build, script: [x]}
lint: {stage: test, script: [x]}
unit: {script: [x], needs: []}
ship: {stage: ship, script: [x]}
fast: {stage: ship, script: [x], needs: [{job: unit, artifacts: false}, build]}
first: {stage: .pre, script: [x]}
"""
    made = read(text)
    needs = {each.id: [name for name, _ in each.needs] for each in made.jobs}
    assert needs["unit"] == []
    assert needs["lint"] == ["build", "first"]
    assert needs["ship"] == ["build", "lint", "unit", "first"]
    assert needs["fast"] == ["unit", "build"]
    assert needs["first"] == []


@pytest.mark.parametrize(
    ("conditions", "branches", "manual", "optional"),
    [
        ("only: [main]", ["main"], False, False),
        ("only: {refs: [main, tags]}", ["main", "release"], False, False),
        ("only: [branches]", None, False, False),
        ("only: [/^release/]", ["?"], False, False),
        ("when: manual", None, True, True),
        ("when: manual\n  allow_failure: false", None, True, False),
        ("rules: [{if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH}]", ["main"], False, False),
        ("rules: [{if: $CI_COMMIT_BRANCH == 'main', when: manual}]", ["main"], True, False),
        ("rules: [{if: $CI_COMMIT_TAG}]", ["release"], False, False),
        ("rules: [{if: $CI_COMMIT_BRANCH != 'main', when: never}, {when: manual}]", ["main"], True, False),
        ("rules: [{if: $X}, {if: $CI_COMMIT_BRANCH == 'main', when: manual}]", ["?", "main"], None, False),
        ("rules: [{changes: [src/**/*]}]", None, False, False),
        ("allow_failure: {exit_codes: [3]}", None, False, None),
    ],
)
def test_conditions(conditions: str, branches: Any, manual: Any, optional: Any) -> None:
    found = job(f"run:\n  script: [x]\n  {conditions}\n", "run")
    assert (found.branches, found.manual, found.allow_failure) == (branches, manual, optional)


def test_workflow_rules_hold_for_each_job() -> None:
    text = "workflow: {rules: [{if: $CI_COMMIT_BRANCH == 'main'}]}\nrun: {script: [x]}\n"
    assert job(text, "run").branches == ["main"]


def test_variables_in_images() -> None:
    text = """
variables: {NODE: "24", FULL: node:$NODE}
a: {image: $FULL, script: [x]}
b: {image: "node:${NODE}-alpine", variables: {NODE: "22"}, script: [x]}
c: {image: "$CI_REGISTRY_IMAGE:$NODE", script: [x]}
d: {image: "node:$NODE", parallel: {matrix: [{NODE: ["20", "22"]}]}, script: [x]}
"""
    made = read(text)
    assert [each.image.value for each in made.jobs[:2]] == ["node:24", "node:22-alpine"]
    assert [each.image.kind for each in made.jobs] == [SCALAR, SCALAR, UNKNOWN, UNKNOWN]
    for each in made.jobs:
        written = each.image.source.text[each.image.start : each.image.end].strip("\"'")
        assert written.startswith(("$", "node:$"))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [("production", "production"), ("{name: prod/eu}", "production"), ("review/$CI_COMMIT_REF_SLUG", "preview"),
     ("{name: $WHERE}", ""), ("{name: eu, deployment_tier: production}", "production"), ("staging", "staging")],
)  # fmt: skip
def test_which_environment_is_deployed(environment: str, expected: str) -> None:
    found = job(f"ship:\n  script: [railway up]\n  environment: {environment}\n", "ship")
    assert [deploy.environment for deploy in jobs.deploys(found)] == [expected]


def test_an_after_script_counts_for_nothing() -> None:
    found = job("run: {script: [npm test], after_script: [npm run lint]}\n", "run")
    assert {gate.name: bool(gate.soft) for gate in jobs.gates(found)} == {"test": False, "lint": True}


def test_merge_keys_and_anchors() -> None:
    text = ".d: &d {image: node:24, only: [main]}\nrun:\n  <<: *d\n  script: &s [npm test]\nmore: {script: *s}\n"
    assert job(text, "run").branches == ["main"]
    assert calls(job(text, "more")) == ["npm test"]


def test_a_pipeline_that_a_job_starts_belongs_to_the_file() -> None:
    text = "test: {script: [npm test]}\nship: {stage: deploy, trigger: {include: ci/ship.yml}}\n"
    child = "web: {script: [railway up], environment: production}\nagain: {trigger: {include: ci/ship.yml}}\n"
    found = artifact(text, ci__ship_yml=child)
    main, started = gitlab.pipelines(found)
    assert main.jobs[1].called is started
    assert [each.id for each in started.jobs] == ["web", "again"]
    assert gitlab.parts(found) == [PATH, "ci/ship.yml"]
    project = found.project
    (way,) = pipelines.ways(project, started.jobs[0])
    assert [each.id for each in way.before] == ["test"]


def test_an_input_is_unknown() -> None:
    text = "spec: {inputs: {v: {default: '24'}}}\n---\nrun: {image: 'node:$[[ inputs.v ]]', script: [x]}\n"
    found = artifact(text)
    assert gitlab.pipelines(found)[0].jobs[0].image.kind is UNKNOWN
    (image,) = gitlab.images(found)
    assert isinstance(image.facts["tag"], Node)


def test_a_spec_header_is_no_job() -> None:
    assert [each.id for each in read("spec: {inputs: {x: {default: y}}}\n---\nrun: {script: [x]}\n").jobs] == ["run"]


def test_a_template_nobody_includes_is_set_aside() -> None:
    found = artifact("run: {script: [x]}\n", "templates/deploy.gitlab-ci.yml")
    assert found.state == "aside"


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [(PATH, "", True), ("apps/web/.gitlab-ci.yml", "x", True), (".gitlab/route-map.yml", "- source: /x/\n", False),
     (".gitlab/ci/build.yml", "build:\n  script: [make]\n", True)],
)  # fmt: skip
def test_what_is_a_pipeline(path: str, text: str, expected: bool) -> None:
    assert gitlab.looks_like(path, text) is expected


def test_expand() -> None:
    at = Source("x", "")
    values = {name: (Node(SCALAR, name, at, 0, 0), Node(SCALAR, text, at, 0, 0, "'")) for name, text in
              {"A": "1", "B": "$A.2", "LOOP": "$LOOP"}.items()}  # fmt: skip
    assert expand("x-$A-${B}-$$A", values) == "x-1-1.2-$A"
    assert expand("$NONE", values) is None
    assert expand("$LOOP", values) is None


def test_secrets_cover_what_is_a_credential_and_nothing_else() -> None:
    text = "variables:\n  API_TOKEN: hT7kWq2mZx9Lp4Rv8NcB\n  NODE_ENV: test\nrun: {script: [x]}\n"
    found = artifact(text)
    assert [text[start:end] for start, end in gitlab.secrets(found)] == ["hT7kWq2mZx9Lp4Rv8NcB"]


def test_the_guide(guide: Path) -> None:
    made = read((guide / PATH).read_text(encoding="utf-8"))
    assert [each.id for each in made.jobs] == ["test", "build", "deploy:production"]
    ship = made.jobs[2]
    assert [gate.name for each in made.jobs for gate in jobs.gates(each)] == [
        "types",
        "lint",
        "test",
        "coverage",
        "build",
    ]
    assert [(deploy.platform, deploy.environment) for deploy in jobs.deploys(ship)] == [("vercel", "production")]
    assert (ship.manual, ship.branches, ship.image.value) == (True, ["main"], "node:18")


ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["main", "$X", "${X", "manual", "test", "", ".t", "*"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["job", ".t", "script", "extends", "include", "local", "rules", "if", "when", "only", "refs", "needs", "stage",
             "stages", "default", "image", "name", "variables", "value", "environment", "artifacts", "paths", "reports",
             "coverage_report", "workflow", "inherit", "services", "trigger", "parallel", "matrix", "allow_failure",
             "dependencies", "except", "coverage", "resource_group", "steps", "args", "phases", "commands", "jobs", "pool",
             "strategy", "task", "inputs", "build", "env", "substitutions", "options", "template", "dependsOn", "deployment"]
        ),
        inner, max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@given(ODD)
def test_wrong_types_never_raise(value: Any) -> None:
    text = yaml.safe_dump(value)
    for path, module in (
        (PATH, gitlab), ("azure-pipelines.yml", pipeline), ("cloudbuild.yaml", pipeline), ("buildspec.yml", pipeline)
    ):  # fmt: skip
        found = artifact(text, path)
        module.secrets(found)
        for view in module.VIEWS.values():
            for item in view(found):
                assert 0 <= item.place.start <= item.place.end <= len(text)
        for made in module.pipelines(found):
            for each in made.jobs:
                jobs.gates(each)
                jobs.deploys(each)


@given(st.text())
def test_any_text_never_raises(text: str) -> None:
    for path, module in ((PATH, gitlab), ("cloudbuild.yaml", pipeline)):
        found = Artifact(Source(path, text), "x")
        module.load(found)
        for view in module.VIEWS.values():
            view(found)
