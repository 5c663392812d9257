"""Cloud services: five platforms, one form."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elo_gate.examples import project_of
from elo_gate.kinds import cloud, kind_by_content
from elo_gate.model import UNKNOWN, Artifact, Source
from elo_gate.ruleset.load import load

TASK = {
    "family": "shop-prod",
    "memory": "1024",
    "containerDefinitions": [
        {
            "name": "web",
            "image": "acme/web:1.4.2",
            "user": "1001",
            "portMappings": [{"containerPort": 3000}],
            "environment": [{"name": "MODE", "value": "full"}],
            "secrets": [{"name": "TOKEN", "valueFrom": "arn:aws:ssm:eu-central-1:111122223333:parameter/token"}],
            "healthCheck": {"command": ["CMD", "true"]},
        }
    ],
}
RUN = """\
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: shop
  annotations: {run.googleapis.com/ingress: all}
spec:
  template:
    metadata: {annotations: {autoscaling.knative.dev/maxScale: "10"}}
    spec:
      timeoutSeconds: 60
      containers:
        - image: europe-docker.pkg.dev/acme/shop/web:1.4.2
          ports: [{containerPort: 3000}]
          resources: {limits: {memory: 512Mi}}
          livenessProbe: {httpGet: {path: /api/health}}
          env:
            - {name: MODE, value: full}
            - name: TOKEN
              valueFrom: {secretKeyRef: {name: token, key: latest}}
"""
APP = """\
type: Microsoft.App/containerApps
name: shop
properties:
  managedEnvironmentId: /subscriptions/1
  configuration:
    ingress: {external: true, targetPort: 3000, allowInsecure: false}
    secrets: [{name: token, value: kB7vq2LmZp94xT}]
  template:
    containers:
      - image: acme.azurecr.io/web:1.4.2
        name: web
        resources: {cpu: 0.5, memory: 1Gi}
        probes: [{type: Liveness}]
        env: [{name: MODE, value: full}, {name: TOKEN, secretRef: token}]
    scale: {minReplicas: 1, maxReplicas: 5}
"""
RUNNER = """\
version: 1.0
runtime: python311
run:
  command: gunicorn app
  network: {port: 3000}
  env: [{name: MODE, value: full}]
  secrets: [{name: TOKEN, value-from: "arn:aws:ssm:eu-central-1:111122223333:parameter/token"}]
"""


def artifact(text: str, path: str) -> Artifact:
    made = Artifact(Source(path, text), "cloud")
    cloud.load(made)
    return made


@pytest.mark.parametrize(
    ("text", "path", "platform"),
    [
        (json.dumps(TASK), "taskdef.json", "ecs"),
        (RUN, "service.yaml", "cloudrun"),
        (APP, "app.yaml", "containerapp"),
        (RUNNER, "apprunner.yaml", "apprunner"),
    ],
)
def test_one_form(text: str, path: str, platform: str) -> None:
    (container,) = cloud.containers(artifact(text, path))
    facts = container.facts
    assert facts["platform"] == platform
    assert [port.value for port in facts["ports"]] == ["3000"]
    assert [(each.facts["name"], each.facts["secret"]) for each in facts["env"]] == [("MODE", False), ("TOKEN", True)]
    assert facts["service"].facts["containers"] == [container]
    if platform != "apprunner":
        assert facts["image"].facts["tag"] == "1.4.2"
        assert bool(facts["memory_limit"])
        assert bool(facts["health"])


def test_what_each_platform_adds() -> None:
    (run,) = cloud.services(artifact(RUN, "service.yaml"))
    assert (run.facts["public"], run.facts["most"].value, run.facts["timeout"].value) == (True, "10", "60")
    app = artifact(APP, "app.yaml")
    (one,) = cloud.services(app)
    assert (one.facts["public"], one.facts["least"].value, one.facts["insecure"].value) == (True, "1", "false")
    assert [each.facts["name"] for each in cloud.stored(app)] == ["token"]
    (runtime,) = cloud.runtimes(artifact(RUNNER, "apprunner.yaml"))
    assert (runtime.facts["product"], runtime.facts["cycle"]) == ("python", "3.11")


def test_headers_of_a_static_site() -> None:
    text = '{"globalHeaders": {"X-Frame-Options": "DENY"}, "routes": [{"route": "/a/*", "headers": {"B": "c"}}]}'
    found = cloud.headers(artifact(text, "staticwebapp.config.json"))
    assert [(each.facts["name"], each.facts["value"].value, each.facts["path"]) for each in found] == [
        ("x-frame-options", "DENY", "/"),
        ("b", "c", "/a/*"),
    ]


@pytest.mark.parametrize("hole", ["${TAG}", "<IMAGE1_NAME>", "__IMAGE__", "{{ image }}", "$IMAGE", "[parameters('i')]"])
def test_what_a_pipeline_fills_in_is_unknown(hole: str) -> None:
    text = json.dumps({"containerDefinitions": [{"name": "web", "image": hole}]})
    (container,) = cloud.containers(artifact(text, "taskdef.json"))
    assert container.facts["image_node"].kind is UNKNOWN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (json.dumps(TASK), "cloud"),
        (RUN, "cloud"),
        (APP, "cloud"),
        (RUN + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", "k8s"),
        ("apiVersion: apps/v1\nkind: Deployment\n# serving.knative.dev/v1\n", "k8s"),
        ("apiVersion: v1\nkind: Pod\nmetadata:\n  annotations: {run.googleapis.com/x: y}\n", "k8s"),
    ],
)
def test_content_tells_the_kind(text: str, expected: str) -> None:
    assert kind_by_content(text) == expected


def test_what_only_mentions_a_task_definition_is_set_aside() -> None:
    model = '{"shapes": {"TaskDefinition": {"members": {"containerDefinitions": {"shape": "ContainerDefinitions"}}}}}'
    project = project_of({"service-2.json": model}, load())
    found = project.artifact("service-2.json")
    assert found is not None
    assert (found.state, found.why) == ("aside", "it describes no cloud service")


def test_the_name_of_a_service_tells_its_environment() -> None:
    assert cloud.signs(artifact(json.dumps(TASK), "taskdef.json")) == ("production", "the service is called shop-prod")
    staging = json.dumps({**TASK, "family": "shop-staging"})
    assert (cloud.signs(artifact(staging, "taskdef.json")) or ("",))[0] == "staging"
    assert cloud.signs(artifact(RUN, "service.yaml")) is None
    assert (cloud.signs(artifact(RUNNER, "apprunner.yaml")) or ("",))[0] == "production"


def test_literal_values_are_masked() -> None:
    file = artifact(APP, "app.yaml")
    assert "kB7vq2LmZp94xT" in [APP[start:end] for start, end in cloud.secrets(file)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
        ["containerDefinitions", "properties", "template", "containers", "env", "environment", "name", "value", "image",
         "run", "globalHeaders", "routes", "headers", "spec", "metadata", "apiVersion", "kind", "secrets", "configuration",
         "resources", "type", "ingress", "portMappings", "platform", "apiRuntime", "linuxParameters", "taskDefinition"]
    ), inner, max_size=5),
    max_leaves=25,
)  # fmt: skip


@given(JSON, st.sampled_from(["taskdef.json", "app.yaml", "apprunner.yaml", "staticwebapp.config.json"]))
@settings(max_examples=300, deadline=None)
def test_any_shape_has_views(value: object, path: str) -> None:
    file = artifact(json.dumps(value), path)
    for view in cloud.VIEWS.values():
        view(file)
    cloud.secrets(file)
    cloud.signs(file)
