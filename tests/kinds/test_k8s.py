"""Kubernetes manifests: what is read, what an overlay makes of a base, what is set aside, and that nothing raises."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elo_gate import engine
from elo_gate.examples import judge_tree, project_of
from elo_gate.kinds import cluster, credential, helm, k8s, manifest
from elo_gate.kinds.quantity import NANO, quantity
from elo_gate.model import ABSENT, SCALAR, UNKNOWN, Artifact, Item, Node, Source
from elo_gate.ruleset.load import load
from elo_gate.syntax import yaml


def scalar(text: str) -> Node:
    return yaml.parse(Source("a.yaml", f"a: {text}\n"))[0][0].get("a")


def environment(item: Item) -> list[tuple[str | None, str | None]]:
    return [(entry.get("name").text(), entry.get("value").text()) for entry in item.node.get("env").elements()]


def views(files: dict[str, str], path: str) -> tuple[Artifact, dict[str, list[Item]]]:
    project = project_of(files, load())
    artifact = project.artifact(path)
    assert artifact is not None
    return artifact, {name: engine.view(artifact, name) for name in k8s.VIEWS}


WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: web
          env: [{name: A, value: one}, {name: B, value: two}]
          ports: [{containerPort: 3000}]
        - name: log
          image: ghcr.io/acme/log:1
"""


# -- quantities and types


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("1", NANO), ("100m", NANO // 10), ("0.1", NANO // 10), (".5", NANO // 2), ("5.", 5 * NANO), ("1n", 1), ("1u", 1000),
        ("1Ki", 1024 * NANO), ("1k", 1000 * NANO), ("1.5Gi", 3 * 2**29 * NANO), ("1e3", 1000 * NANO), ("1E3", 1000 * NANO),
        ("1E", 10**18 * NANO), ("1e-3", NANO // 1000), ("+2", 2 * NANO), ("-1", -NANO), ("0.1n", 1), ("0", 0),
    ],
)  # fmt: skip
def test_quantity(text: str, nano: int) -> None:
    assert quantity(text) == nano


@pytest.mark.parametrize(
    "text", ["", ".", "512MB", "1gb", "1 Gi", "Mi", "1K", "1kI", "0x10", "1e", "1e400", "--1", "٣", "1_000"]
)
def test_no_quantity(text: str) -> None:
    assert quantity(text) is None


@given(st.integers(0, 10**12), st.sampled_from(["", "Ki", "Mi", "Gi", "k", "M", "G", "e3"]))
def test_quantity_is_exact(number: int, suffix: str) -> None:
    factor = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "k": 10**3, "M": 10**6, "G": 10**9, "e3": 10**3}[suffix]
    assert quantity(f"{number}{suffix}") == number * factor * NANO


@given(st.text(max_size=60))
def test_quantity_never_raises(text: str) -> None:
    quantity(text)


@pytest.mark.parametrize(
    ("text", "truth", "number", "is_text"),
    [
        ("yes", True, None, False), ("off", False, None, False), ('"true"', None, None, True), ("0755", None, 493, False),
        ("0o17", None, 15, False), ("0x1f", None, 31, False), ("1_000", None, 1000, False), ("1e3", None, None, False),
        (".5", None, None, False), ("1.10", None, None, False), ("1.2.3", None, None, True), ("10.0.0.1", None, None, True),
        ("8080", None, 8080, False), ("'8080'", None, None, True), ("512Mi", None, None, True), ("2026-11-25", None, None, True),
        ("-5", None, -5, False), ("1e-3", None, None, False), ("v1", None, None, True), ("on-call", None, None, True),
        ("~", None, None, False), (".inf", None, None, False), ("infinity", None, None, True), ("09", None, None, False),
    ],
)  # fmt: skip
def test_types(text: str, truth: bool | None, number: int | None, is_text: bool) -> None:
    node = scalar(text)
    assert (manifest.truth(node), manifest.integer(node), manifest.is_text(node)) == (truth, number, is_text)


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("redis", "", "redis", "", ""),
        ("redis:7-alpine", "", "redis", "7-alpine", ""),
        ("acme/web:1", "", "acme/web", "1", ""),
        ("localhost/web", "localhost", "web", "", ""),
        ("registry:5000/web", "registry:5000", "web", "", ""),
        ("ghcr.io/acme/web:1@sha256:ab", "ghcr.io", "acme/web", "1", "sha256:ab"),
    ],
)
def test_image(text: str, registry: str, repository: str, tag: str, digest: str) -> None:
    image = manifest.image(scalar(f'"{text}"'))
    assert isinstance(image, Item)
    facts = image.facts
    assert (facts["registry"], facts["repository"], facts["tag"], facts["digest"]) == (
        registry,
        repository,
        tag,
        digest,
    )


@pytest.mark.parametrize(
    "text", ["$IMAGE", "<image>", "IMAGE", "web:IMAGE_TAG", "web:TAG", "tagwillbereplaced", "ko://acme/web"]
)
def test_stand_in_image_is_unknown(text: str) -> None:
    image = manifest.image(scalar(f'"{text}"'))
    assert isinstance(image, Node) and image.kind is UNKNOWN


# -- reading


def test_documents_lists_and_unknowns() -> None:
    text = (
        "apiVersion: v1\nkind: List\nitems:\n"
        "  - {apiVersion: v1, kind: Service, metadata: {name: a}}\n"
        "  - {apiVersion: v1, kind: ConfigMap, metadata: {name: '${NAME}'}}\n"
        "---\n---\n# only a comment\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: {{ name }}}\n"
    )
    _, found = views({"k8s/a.yaml": text}, "k8s/a.yaml")
    assert [item.facts["kind"] for item in found["objects"]] == ["Service", "ConfigMap", "Secret"]
    assert [item.facts["name"] for item in found["objects"]] == ["a", "", ""]
    assert found["objects"][2].node.get("metadata", "name").kind is UNKNOWN


def test_json_manifest() -> None:
    text = '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "a", "image": "redis:8"}]}}'
    _, found = views({"k8s/a.json": text}, "k8s/a.json")
    assert [item.facts["name"] for item in found["containers"]] == ["a"]


def test_servers_are_told_from_workers() -> None:
    files = {
        "k8s/web.yaml": WEB,
        "k8s/service.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: w}\nspec: {selector: {app: worker}}\n",
        "k8s/worker.yaml": WEB.replace("web", "worker").replace("          ports: [{containerPort: 3000}]\n", ""),
        "k8s/idle.yaml": WEB.replace("web", "idle").replace("          ports: [{containerPort: 3000}]\n", ""),
        "k8s/job.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {spec: {containers: "
        "[{name: j, image: 'a/j:1', ports: [{containerPort: 1}]}]}}}\n",
    }
    servers = {}
    for name in ("web", "worker", "idle", "job"):
        _, found = views(files, f"k8s/{name}.yaml")
        servers[name] = found["workloads"][0].facts["server"]
    assert servers == {"web": True, "worker": True, "idle": False, "job": False}


# -- what is set aside


def test_helm_chart_is_set_aside_with_the_reason() -> None:
    files = {
        "chart/Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\n",
        "chart/values.yaml": "apiVersion: v1\nkind: Pod\n",
        "chart/templates/web.yaml": "{{- if .Values.web }}\napiVersion: v1\nkind: Pod\n{{- end }}\n",
        "k8s/go.yaml": "{{#if x}}\napiVersion: v1\nkind: Pod\n{{/if}}\nspec: [\n",
    }
    project = project_of(files, load())
    reasons = {artifact.path: (artifact.state, artifact.why) for artifact in project.all()}
    assert reasons["chart/templates/web.yaml"] == ("aside", helm.TEMPLATE)
    assert reasons["chart/Chart.yaml"] == ("aside", helm.CHART)
    assert reasons["k8s/go.yaml"] == ("aside", helm.GO_TEMPLATE)
    assert not project.judged()


def test_patches_and_foreign_kinds_are_set_aside() -> None:
    files = {
        "k8s/production/kustomization.yaml": "resources: [web.yaml]\npatches: [{path: more.yaml}]\n",
        "k8s/production/web.yaml": WEB,
        "k8s/production/more.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 4}\n",
        "k8s/production/monitor.yaml": "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: a}\n",
    }
    states = {artifact.path: (artifact.state, artifact.why) for artifact in project_of(files, load()).all()}
    assert states["k8s/production/more.yaml"][0] == "aside" and "a patch of" in states["k8s/production/more.yaml"][1]
    assert states["k8s/production/monitor.yaml"] == ("aside", "it holds nothing that is judged (ServiceMonitor)")
    assert states["k8s/production/web.yaml"][0] == "judged"


def test_base_follows_its_production_overlay() -> None:
    files = {
        "k8s/base/kustomization.yaml": "resources: [web.yaml]\n",
        "k8s/base/web.yaml": WEB,
        "k8s/overlays/dev/kustomization.yaml": "resources: [../../base]\nreplicas: [{name: web, count: 1}]\n",
        "k8s/overlays/prod/kustomization.yaml": "resources: [../../base]\nreplicas: [{name: web, count: 5}]\nnamespace: shop\n",
        "k8s/only-dev/kustomization.yaml": "resources: [web.yaml]\n",
        "k8s/only-dev/web.yaml": WEB,
    }
    artifact, found = views(files, "k8s/base/web.yaml")
    assert (artifact.environment, artifact.assumed) == ("production", False)
    assert found["workloads"][0].facts["replicas"] == 5
    assert found["workloads"][0].facts["namespace"] == "shop"
    artifact, _ = views(files, "k8s/only-dev/web.yaml")
    assert (artifact.state, artifact.environment) == ("aside", "development")


def test_component_that_nobody_takes_in_is_set_aside() -> None:
    files = {
        "k8s/extras/kustomization.yaml": "kind: Component\nresources: [web.yaml]\n",
        "k8s/extras/web.yaml": WEB,
    }
    artifact, _ = views(files, "k8s/extras/web.yaml")
    assert artifact.state == "aside" and "no kustomization takes in" in artifact.why
    files["k8s/kustomization.yaml"] = "components: [extras]\n"
    artifact, _ = views(files, "k8s/extras/web.yaml")
    assert artifact.state == "judged"


# -- kustomize


def built(extra: str, more: dict[str, str] | None = None) -> Item:
    files = {"k8s/kustomization.yaml": "resources: [web.yaml]\n" + extra, "k8s/web.yaml": WEB, **(more or {})}
    _, found = views(files, "k8s/web.yaml")
    return found["workloads"][0]


def test_images_are_completed_at_the_place_that_completes_them() -> None:
    item = built("images:\n  - {name: web, newName: ghcr.io/acme/web, newTag: '4'}\n")
    image = item.facts["containers"][0].facts["image"]
    assert image.facts["text"] == "ghcr.io/acme/web:4"
    node = image.node
    assert node.source.path == "k8s/kustomization.yaml" and node.source.text[node.start : node.end] == "'4'"
    other = item.facts["containers"][1].facts["image"]
    assert other.facts["text"] == "ghcr.io/acme/log:1"


def test_strategic_merge() -> None:
    patch = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 4\n  template:\n    spec:\n"
        "      containers:\n        - {name: web, env: [{name: B, value: three}, {name: C, value: four}], ports: null}\n"
        "        - {name: log, $patch: delete}\n        - {name: new, image: ghcr.io/acme/new:1}\n"
    )
    item = built("patches: [{path: p.yaml}]\n", {"k8s/p.yaml": patch})
    names = [one.facts["name"] for one in item.facts["containers"]]
    assert (names, item.facts["replicas"]) == (["web", "new"], 4)
    web = item.facts["containers"][0]
    assert environment(web) == [("A", "one"), ("B", "three"), ("C", "four")]
    assert not web.node.get("ports")
    assert web.facts["image"].facts["text"] == "web"
    assert item.node.get("spec", "replicas").source.path == "k8s/p.yaml"


def test_inline_json_patch_points_into_the_kustomization() -> None:
    item = built(
        "patches:\n  - target: {kind: Deployment, name: w.*}\n    patch: |\n"
        "      - {op: replace, path: /spec/replicas, value: 7}\n"
        "      - {op: add, path: /spec/template/spec/containers/1/ports/-, value: {containerPort: 1}}\n"
        "      - {op: add, path: /spec/template/spec/containers/-, value: {name: x, image: 'a/x:1'}}\n"
        "      - {op: remove, path: /spec/template/spec/containers/0/env/0}\n"
        "      - {op: add, path: /metadata/annotations, value: {a~1b: c}}\n"
    )
    assert item.facts["replicas"] == 7
    assert item.node.get("spec", "replicas").source.path == "k8s/kustomization.yaml"
    assert [one.facts["name"] for one in item.facts["containers"]] == ["web", "log", "x"]
    assert [name for name, _ in environment(item.facts["containers"][0])] == ["B"]


def test_patch_that_cannot_be_followed_leaves_the_spec_unknown() -> None:
    item = built(
        "patches:\n  - target: {kind: Deployment}\n    patch: |\n      - {op: move, from: /spec, path: /spec}\n"
    )
    assert item.node.get("spec").kind is UNKNOWN
    outcome = judge_tree(
        {
            "k8s/kustomization.yaml": "resources: [web.yaml]\npatches:\n  - target: {kind: Deployment}\n    patch: |\n"
            "      - {op: copy, from: /spec, path: /spec}\n",
            "k8s/web.yaml": WEB,
        },
        load(),
        "2026-11-25",
    )
    assert not outcome.failures
    assert not [
        each for each in outcome.findings if each.rule.id in ("k8s/weak-security-context", "k8s/selector-mismatch")
    ]


def test_replacement_is_unknown_and_deleted_object_is_gone() -> None:
    item = built(
        "replacements:\n  - source: {kind: ConfigMap, name: c}\n    targets:\n      - select: {kind: Deployment}\n"
        "        fieldPaths: [spec.template.spec.containers.0.image, spec.nowhere]\n"
    )
    image = item.facts["containers"][0].facts["image"]
    assert isinstance(image, Node) and image.kind is UNKNOWN
    files = {
        "k8s/kustomization.yaml": "resources: [web.yaml]\npatches:\n  - patch: |\n      apiVersion: apps/v1\n"
        "      kind: Deployment\n      metadata: {name: web}\n      $patch: delete\n",
        "k8s/web.yaml": WEB,
    }
    _, found = views(files, "k8s/web.yaml")
    assert found["workloads"] == []


def test_kustomizations_that_name_each_other_end() -> None:
    files = {
        "k8s/a/kustomization.yaml": "resources: [../b, web.yaml]\n",
        "k8s/b/kustomization.yaml": "resources: [../a]\n",
        "k8s/c/kustomization.yaml": "resources: [../a]\n",
        "k8s/a/web.yaml": WEB,
    }
    _, found = views(files, "k8s/a/web.yaml")
    assert found["workloads"]


# -- the tree


def test_lookups_cross_files_and_keep_namespaces_apart() -> None:
    budget = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b, namespace: NS}\nspec: {selector: {matchLabels: {app: web}}}\n"
    files = {
        "k8s/web.yaml": WEB.replace("{name: web}", "{name: web, namespace: one}", 1),
        "k8s/budget.yaml": budget.replace("NS", "two"),
    }
    artifact, found = views(files, "k8s/web.yaml")
    item = found["workloads"][0]
    assert cluster.cluster_of(artifact).selecting("PodDisruptionBudget", item) == []
    files["k8s/budget.yaml"] = budget.replace("NS", "one")
    artifact, found = views(files, "k8s/web.yaml")
    assert len(cluster.cluster_of(artifact).selecting("PodDisruptionBudget", found["workloads"][0])) == 1


def test_remote_resources_and_charts_open_the_tree() -> None:
    files = {"k8s/kustomization.yaml": "resources: [web.yaml, 'https://github.com/a/b']\n", "k8s/web.yaml": WEB}
    artifact, _ = views(files, "k8s/web.yaml")
    assert "https://github.com/a/b" in cluster.cluster_of(artifact).open
    artifact, _ = views({"k8s/web.yaml": WEB}, "k8s/web.yaml")
    assert cluster.cluster_of(artifact).open == ""


@pytest.mark.parametrize(
    ("text", "environment"),
    [
        ("metadata: {name: a, namespace: shop-production}", "production"),
        ("metadata: {name: a, namespace: staging}", "staging"),
        ("metadata: {name: a, labels: {environment: dev}}", "development"),
        ("metadata: {name: a, namespace: latest-devtools}", None),
        ("metadata: {name: a, namespace: prod-test}", None),
    ],
)
def test_signs(text: str, environment: str | None) -> None:
    artifact, _ = views({"k8s/a.yaml": f"apiVersion: v1\nkind: Service\n{text}\n"}, "k8s/a.yaml")
    found = k8s.signs(artifact)
    assert (found[0] if found else None) == environment


def test_secrets_are_spans_of_values() -> None:
    text = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {anything: YWJj}\nstringData: {b: topsecret}\n---\n"
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - name: a\n      image: redis:8\n"
        "      args: ['--requirepass', '--password=hunter22']\n"
        "      env: [{name: DB_PASSWORD, value: hunter2}, {name: URL, value: 'postgres://a:hunter3@db/x'}, {name: PORT, value: '80'}]\n"
    )
    artifact, _ = views({"k8s/a.yaml": text}, "k8s/a.yaml")
    hidden = {text[start:end] for start, end in k8s.secrets(artifact)}
    assert hidden == {"YWJj", "topsecret", "hunter2", "'postgres://a:hunter3@db/x'", "'--password=hunter22'"}


@pytest.mark.parametrize(
    ("name", "value", "real"),
    [
        ("DB_PASSWORD", "kB7vq2LmZp94", True), ("DB_PASSWORD", "postgres", True), ("DATABASE_URL", "postgres://u:kB7vq2@h/d", True),
        ("DB_PASSWORD", "", False), ("DB_PASSWORD", "changeme", False), ("DB_PASSWORD", "$(OTHER)", False),
        ("API_KEY", "API_KEY_VAL", False), ("PASSWORD_FILE", "/run/secrets/x", False), ("DATABASE_URL", "postgres://user:pass@h/d", False),
        ("NEXT_PUBLIC_API_KEY", "kB7vq2LmZp94", False), ("TOKEN", "vault:shop/token", False), ("FLAG_SECRET", "true", False),
    ],
)  # fmt: skip
def test_credentials(name: str, value: str, real: bool) -> None:
    assert credential.literal(name, value) is real


# -- nothing raises


@given(st.text(max_size=300))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_text_loads(text: str) -> None:
    artifact = Artifact(Source("k8s/a.yaml", text), "k8s")
    k8s.load(artifact)
    for name in k8s.VIEWS:
        engine.view(artifact, name)
    k8s.signs(artifact)
    k8s.secrets(artifact)


KEYS = (
    "apiVersion kind metadata spec name namespace labels annotations replicas selector matchLabels template containers "
    "initContainers image ports containerPort env value valueFrom secretKeyRef key resources requests limits cpu memory "
    "livenessProbe readinessProbe httpGet path port securityContext capabilities drop add volumes hostPath "
    "persistentVolumeClaim claimName tls hosts rules host http paths backend service number data stringData type "
    "strategy rollingUpdate maxUnavailable metrics resource scaleTargetRef matchExpressions operator values items "
    "lifecycle preStop exec command sleep seconds restartPolicy affinity jobTemplate listeners protocol backendRefs"
).split()
KINDS = [*sorted(manifest.KINDS), "List", "Kustomization", "LimitRange"]
VALUES = st.recursive(
    st.sampled_from(["a", "1", "true", "512Mi", "${X}", "Deployment", "web", "ALL", "[]", "{}", "~", '"8080"', "25%"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=5).map(
            lambda entries: "{" + ", ".join(f"{key}: {value}" for key, value in entries.items()) + "}"
        ),
    ),
    max_leaves=25,
)


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6), VALUES, VALUES)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_wrong_types_are_absent(kind: str, entries: dict[str, str], metadata: str, pod: str) -> None:
    lines = ["apiVersion: v1", f"kind: {kind}", f"metadata: {metadata}"]
    lines += [f"{key}: {value}" for key, value in entries.items() if key not in ("apiVersion", "kind", "metadata")]
    nested = f"apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: web}}\nspec: {{template: {{metadata: {metadata}, spec: {pod}}}}}\n"
    files: dict[str, Any] = {
        "k8s/a.yaml": "\n".join(lines) + "\n---\n" + nested,
        "k8s/web.yaml": WEB,
        "k8s/kustomization.yaml": f"resources: [a.yaml, web.yaml]\npatches: {pod}\nimages: {metadata}\nreplacements: {pod}\n",
    }
    outcome = judge_tree(files, load(), "2026-11-25", 'standard = "elo"')
    assert outcome.failures == []


def test_guide(guide: Any) -> None:
    path = "k8s/production/app-deployment.yaml"
    text = (guide / path).read_text()
    outcome = judge_tree({path: text}, load(), "2026-11-25")
    found = {(each.rule.id, each.source.position(each.start)[0]) for each in outcome.findings}
    assert found >= {
        ("k8s/floating-image-tag", 19),
        ("k8s/image-without-registry", 19),
        ("k8s/weak-security-context", 16),
        ("k8s/fragile-availability", 3),
        ("k8s/no-network-policy", 3),
        ("k8s/liveness-equals-readiness", 37),
        ("k8s/missing-startup-probe", 37),
        ("k8s/undeclared-secret", 28),
        ("k8s/ingress-class-annotation", 71),
        ("k8s/retired-ingress-controller", 71),
    }
    assert not outcome.failures


def test_absent_needs_no_project() -> None:
    artifact = Artifact(Source("k8s/web.yaml", WEB), "k8s")
    k8s.load(artifact)
    assert [item.facts["name"] for item in engine.view(artifact, "containers")] == ["web", "log"]
    assert artifact.root.get(0, "kind").kind is SCALAR and artifact.root.get(9) is ABSENT
