"""An API server with a controller, as far as kubectl asks for it: strict, scripted, on 127.0.0.1 port 0.

A path, method, query or content type that it does not know fails the test. What is not here: admission, roles beyond
`forbidden`, and field ownership inside of lists, which are owned whole. A controller moves a workload by one step each
time somebody looks at it, so that a race is a list of steps and no sleep.
"""

from __future__ import annotations

import copy
import hashlib
import json
import ssl
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

RESOURCES: dict[str, dict[str, tuple[str, str]]] = {
    "v1": {"configmaps": ("ConfigMap", "cm"), "secrets": ("Secret", ""), "services": ("Service", "svc")},
    "apps/v1": {
        "deployments": ("Deployment", "deploy"), "statefulsets": ("StatefulSet", "sts"),
        "daemonsets": ("DaemonSet", "ds"), "replicasets": ("ReplicaSet", "rs"),
    },
    "batch/v1": {"jobs": ("Job", ""), "cronjobs": ("CronJob", "cj")},
    "coordination.k8s.io/v1": {"leases": ("Lease", "")},
    "networking.k8s.io/v1": {"ingresses": ("Ingress", "ing")},
}  # fmt: skip
VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]
QUERIES = {
    "GET": {"timeout", "limit", "labelSelector", "fieldSelector", "watch", "resourceVersion", "timeoutSeconds",
            "sendInitialEvents", "resourceVersionMatch", "allowWatchBookmarks"},
    "POST": {"fieldManager", "fieldValidation", "dryRun"},
    "PUT": {"fieldManager", "fieldValidation", "dryRun"},
    "PATCH": {"fieldManager", "fieldValidation", "dryRun", "force"},
}  # fmt: skip
SPECS = {
    "Deployment": {"replicas", "selector", "template", "strategy", "minReadySeconds", "revisionHistoryLimit", "paused",
                   "progressDeadlineSeconds"},
    "StatefulSet": {"replicas", "selector", "template", "serviceName", "updateStrategy", "podManagementPolicy",
                    "revisionHistoryLimit"},
    "DaemonSet": {"selector", "template", "updateStrategy", "minReadySeconds", "revisionHistoryLimit"},
    "Lease": {"holderIdentity", "leaseDurationSeconds", "acquireTime", "renewTime", "leaseTransitions"},
}  # fmt: skip
REVISION = "deployment.kubernetes.io/revision"
KEY = "elo-gate/deploy"
STEPS = ["unseen", "rolling", "done"]


class Refused(Exception):
    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class Cluster:
    """`steps`: image -> what becomes of its rollout; `faults`: what goes wrong with which request, in order."""

    def __init__(self, token: str, certificate: str) -> None:
        """`certificate` is a file with a certificate for 127.0.0.1 and its key: kubectl tells no token without TLS."""
        self.token = token
        self.objects: dict[tuple[str, str, str], dict[str, Any]] = {}  # (group/version, resource, name)
        self.owners: dict[tuple[str, str, str], dict[str, set[tuple[str, ...]]]] = {}
        self.progress: dict[tuple[str, str, str], list[Any]] = {}
        self.serves: dict[str, Any] = {}  # workload -> the template of the pods that answer
        self.steps: dict[str, list[Any]] = {}
        self.jobs: dict[str, str] = {}  # job -> Complete, Failed, or nothing yet
        self.rejected: set[str] = set()
        self.forbidden: set[tuple[str, str]] = set()  # (method, resource)
        self.faults: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str, bool]] = []  # (method, resource/name, dry)
        self.arrivals: dict[str, int] = {}
        self.unknown: list[str] = []
        self.version = 100
        self.lock = threading.RLock()
        self.over = threading.Event()
        cluster = self

        class Api(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                Exchange(cluster, self).answer()

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
        self.server.daemon_threads = True
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.base = f"https://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    # -- what tests ask and set ----------------------------------------------------------------------------------

    def at(self, resource: str, name: str) -> dict[str, Any] | None:
        with self.lock:
            return next((each for key, each in self.objects.items() if key[1:] == (resource, name)), None)

    def image(self, name: str) -> str:
        """The image of the pods of a Deployment that answer."""
        template = self.serves[name]
        return str(template["spec"]["containers"][0]["image"])

    def seed(self, manifest: dict[str, Any], manager: str) -> None:
        """As if a manifest had been applied, and rolled out, by some tool before."""
        with self.lock:
            version = manifest["apiVersion"]
            resource = next(name for name, (kind, _) in RESOURCES[version].items() if kind == manifest["kind"])
            key = (version, resource, manifest["metadata"]["name"])
            self.objects[key] = self._apply(key, copy.deepcopy(manifest), manager, True)
            self._control(key)
            if key in self.progress:
                self.progress[key] = ["done"]
                self.look(key)

    def changed(self, resource: str, name: str, change: Any) -> None:
        """As if somebody had edited an object."""
        with self.lock:
            key = next(each for each in self.objects if each[1:] == (resource, name))
            before = self.objects[key]
            after = copy.deepcopy(before)
            change(after)
            self._own(key, before, after, "kubectl-edit")
            self.objects[key] = self._noted(before, after)
            self._control(key)

    def mutations(self, resource: str = "") -> list[tuple[str, str, bool]]:
        """The requests that were to change something, without dry runs."""
        return [
            each
            for each in self.requests
            if each[0] in ("POST", "PUT", "PATCH", "DELETE") and not each[2] and resource in each[1]
        ]

    # -- objects -------------------------------------------------------------------------------------------------

    def _noted(self, before: dict[str, Any] | None, after: dict[str, Any]) -> dict[str, Any]:
        """An object with what the server notes on it: a version, and a generation that counts its specs."""
        self.version += 1
        about = after["metadata"]
        about["resourceVersion"] = str(self.version)
        about.setdefault("uid", str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.version}")))
        about.setdefault("creationTimestamp", "2026-11-25T00:00:00Z")
        about.setdefault("namespace", "shop")
        same = before is not None and before.get("spec") == after.get("spec")
        about["generation"] = (before or {}).get("metadata", {}).get("generation", 0) + (0 if same else 1)
        return after

    def _apply(self, key: tuple[str, str, str], body: dict[str, Any], manager: str, force: bool) -> dict[str, Any]:
        """A server-side apply: fields of others conflict, fields that are no longer applied go."""
        before = self.objects.get(key)
        self._checked(key, before, body)
        _default_containers(body)  # so that a list is compared with what became of it
        after = (
            copy.deepcopy(before)
            if before
            else {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": {"name": key[2]}}
        )
        owners = copy.deepcopy(self.owners.get(key, {}))
        wanted = dict(_leaves(body))
        for other, fields in owners.items():
            clash = [
                path for path in wanted if other != manager and path in fields and _get(after, path) != wanted[path]
            ]
            if clash and not force:
                named = "".join(f".{each}" for each in clash[0])
                raise Refused(409, "Conflict", f'Apply failed with 1 conflict: conflict with "{other}": {named}')
            fields.difference_update(clash)
        for path in owners.get(manager, set()) - set(wanted):
            if not any(path in fields for other, fields in owners.items() if other != manager):
                _drop(after, path)
        for path, value in wanted.items():
            _set(after, path, copy.deepcopy(value))
        owners[manager] = set(wanted)
        _default(after)
        made = self._noted(before, after)
        made["_owners"] = owners
        return made

    def _checked(self, key: tuple[str, str, str], before: dict[str, Any] | None, body: dict[str, Any]) -> None:
        if key[2] in self.rejected:
            raise Refused(422, "Invalid", f'{body["kind"]} "{key[2]}" is invalid: spec: Invalid value')
        more = set(body.get("spec") or {}) - SPECS.get(body["kind"], set(body.get("spec") or {}))
        if more:
            raise Refused(400, "BadRequest", f'strict decoding error: unknown field "spec.{sorted(more)[0]}"')
        if body["kind"] == "Job" and before and _images(body) != _images(before):
            raise Refused(422, "Invalid", f'Job "{key[2]}" is invalid: spec.template: field is immutable')

    def _own(self, key: tuple[str, str, str], before: dict[str, Any], after: dict[str, Any], manager: str) -> None:
        old, new = dict(_leaves(before)), dict(_leaves(after))
        moved = {path for path in {*old, *new} if old.get(path) != new.get(path)}
        owners = self.owners.setdefault(key, {})
        for fields in owners.values():
            fields -= moved
        owners.setdefault(manager, set()).update(path for path in moved if path in new)

    def _control(self, key: tuple[str, str, str]) -> None:
        """What a controller does at once: a new template is a new revision that has yet to be rolled out."""
        made = self.objects[key]
        self.owners[key] = made.pop("_owners", self.owners.get(key, {}))
        if key[1] == "jobs":
            told = self.jobs.get(key[2], "Complete")
            made["status"] = {"conditions": [{"type": told, "status": "True"}] if told else []}
        if key[1] not in ("deployments", "statefulsets", "daemonsets"):
            return
        template = made["spec"]["template"]
        hashed = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]
        if made.setdefault("status", {}).get("_hash") != hashed:
            made["status"]["_hash"] = hashed
            self.progress[key] = list(self.steps.get(template["spec"]["containers"][0]["image"], STEPS))
            if key[1] == "deployments":
                self._revise(made, hashed)
        if key[1] == "deployments":
            set_ = self.objects["apps/v1", "replicasets", f"{key[2]}-{hashed}"]
            notes = {name: value for name, value in made["metadata"].get("annotations", {}).items() if name != REVISION}
            set_["metadata"]["annotations"] = {**notes, REVISION: set_["metadata"]["annotations"][REVISION]}

    def _revise(self, made: dict[str, Any], hashed: str) -> None:
        name = made["metadata"]["name"]
        sets = [each for key, each in self.objects.items() if key[1] == "replicasets" and key[2].startswith(name + "-")]
        number = str(1 + max([int(each["metadata"]["annotations"][REVISION]) for each in sets], default=0))
        template = copy.deepcopy(made["spec"]["template"])
        labels = {**template["metadata"]["labels"], "pod-template-hash": hashed}
        template["metadata"]["labels"] = labels
        set_ = {
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {
                "name": f"{name}-{hashed}", "labels": labels, "annotations": {REVISION: number},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": name,
                                     "uid": made["metadata"]["uid"], "controller": True}],
            },
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
        }  # fmt: skip
        self.objects["apps/v1", "replicasets", f"{name}-{hashed}"] = self._noted(None, set_)
        made["metadata"].setdefault("annotations", {})[REVISION] = number

    def look(self, key: tuple[str, str, str]) -> dict[str, Any]:
        """An object as it is after the controller has moved by one step."""
        made = self.objects[key]
        left = self.progress.get(key)
        if not left:
            return made
        step = left[0] if len(left) == 1 else left.pop(0)
        if callable(step):
            step(self)
            return self.objects[key]
        if step == "unseen":
            return made
        count = made["spec"].get("replicas", 1)
        done = step == "done"
        if done:
            self.serves[key[2]] = made["spec"]["template"]
        new = count if done else 0
        status: dict[str, Any] = {
            "_hash": made["status"]["_hash"],
            "observedGeneration": made["metadata"]["generation"],
        }
        if key[1] == "daemonsets":
            status |= {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2 if done else 1, "numberAvailable": 2}
        else:
            status |= {
                "replicas": count if done else count + 1,
                "updatedReplicas": new or 1,
                "availableReplicas": count,
                "readyReplicas": count,
            }
        if key[1] == "statefulsets":
            status |= {"updateRevision": status["_hash"], "currentRevision": status["_hash"] if done else "earlier"}
        if key[1] == "deployments":
            reason = {"done": "NewReplicaSetAvailable", "deadline": "ProgressDeadlineExceeded"}.get(
                step, "ReplicaSetUpdated"
            )
            told = "False" if step == "deadline" else "True"
            status["conditions"] = [
                {"type": "Progressing", "status": told, "reason": reason},
                {"type": "Available", "status": "True"},
            ]
            status["unavailableReplicas"] = 0 if done else 1
        if status != made["status"]:
            made["status"] = status
            self.version += 1
            made["metadata"]["resourceVersion"] = str(self.version)
        return made


class Exchange:
    """One request and its answer."""

    def __init__(self, cluster: Cluster, http: BaseHTTPRequestHandler) -> None:
        self.cluster = cluster
        self.http = http
        parts = urlsplit(http.path)
        self.path = parts.path
        self.query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        self.method = http.command
        self.body = http.rfile.read(int(http.headers.get("Content-Length") or 0))

    def answer(self) -> None:
        if self.http.headers.get("Authorization") != f"Bearer {self.cluster.token}":
            self.fail(401, "Unauthorized", "Unauthorized")
            return
        try:
            if not self._discover():
                self._act()
        except Refused as refused:
            self.fail(refused.code, refused.reason, str(refused))
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.http.close_connection = True

    def fail(self, code: int, reason: str, message: str) -> None:
        self.send(
            {
                "kind": "Status",
                "apiVersion": "v1",
                "status": "Failure",
                "message": message,
                "reason": reason,
                "code": code,
            },
            code,
        )

    def send(self, value: Any, code: int = 200) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.http.send_response(code)
        self.http.send_header("Content-Type", "text/html" if isinstance(value, bytes) else "application/json")
        self.http.send_header("Content-Length", str(len(data)))
        self.http.end_headers()
        self.http.wfile.write(data)

    def strange(self, what: str) -> Refused:
        self.cluster.unknown.append(f"{self.method} {self.path} {self.query}: {what}")
        return Refused(404, "NotFound", f"unknown to this server: {what}")

    def _discover(self) -> bool:
        """The pages on which a server says what it has."""
        groups = [each for each in RESOURCES if "/" in each]
        pages: dict[str, Any] = {
            "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.0"},
            "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
                {"name": each.partition("/")[0], "versions": [{"groupVersion": each, "version": "v1"}],
                 "preferredVersion": {"groupVersion": each, "version": "v1"}} for each in groups]},
            "/openapi/v3": {"paths": {
                _root(each)[1:]: {"serverRelativeURL": f"/openapi/v3{_root(each)}?hash=1"} for each in RESOURCES}},
        }  # fmt: skip
        for version, resources in RESOURCES.items():
            pages[_root(version)] = {
                "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version,
                "resources": [{"name": name, "singularName": kind.lower(), "namespaced": True, "kind": kind,
                               "verbs": VERBS, "shortNames": [short] if short else []}
                              for name, (kind, short) in resources.items()],
            }  # fmt: skip
            about = {"parameters": [{"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}]}
            pages[f"/openapi/v3{_root(version)}"] = {"openapi": "3.0.0", "info": {"title": "k", "version": "1"}, "paths": {
                f"{_root(version)}/namespaces/{{namespace}}/{name}/{{name}}": {
                    verb: {"x-kubernetes-group-version-kind": {"group": version.rpartition("/")[0], "version": "v1", "kind": kind}, **about}
                    for verb in ("patch", "put", "post")} for name, (kind, _) in resources.items()}}  # fmt: skip
        if self.path not in pages:
            return False
        if self.method != "GET" or set(self.query) - {"timeout", "hash"}:
            raise self.strange("method or query")
        self.send(pages[self.path])
        return True

    def _act(self) -> None:
        cluster = self.cluster
        if self.path in ("/openapi/v2", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"):
            raise Refused(404, "NotFound", "not here")  # asked about a kind that no group has
        if (self.method, self.path) == ("GET", "/api/v1/namespaces/shop"):
            if ("GET", "namespaces") in cluster.forbidden:
                raise Refused(403, "Forbidden", 'namespaces "shop" is forbidden')
            self.send({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop"}})
            return
        for version in RESOURCES:
            head = f"{_root(version)}/namespaces/shop/"
            if self.path.startswith(head):
                resource, _, name = self.path.removeprefix(head).partition("/")
                break
        else:
            raise self.strange("path")
        if resource not in RESOURCES[version] or "/" in name:
            raise self.strange("resource")
        if set(self.query) - QUERIES.get(self.method, set()) or self.query.get("dryRun") not in (None, "All"):
            raise self.strange("method or query")
        dry = "dryRun" in self.query
        with cluster.lock:
            cluster.requests.append((self.method, f"{resource}/{name}", dry))
            fault = next((each for each in cluster.faults if each.get("method") in (None, self.method)
                          and each.get("resource") in (None, resource) and each.get("dry", dry) == dry), None)  # fmt: skip
            if fault is not None and fault.get("times") is not None:
                fault["times"] -= 1
                if not fault["times"]:
                    cluster.faults.remove(fault)
        if (self.method, resource) in cluster.forbidden:
            raise Refused(403, "Forbidden", f'{resource} "{name}" is forbidden: User "ci" cannot {self.method} it')
        what = fault["do"] if fault else ""
        if callable(what):
            what = what(cluster) or ""
        if what == "drop-before":
            self.http.close_connection = True
            return
        if what == "hang":
            cluster.over.wait(20)
            self.http.close_connection = True
            return
        if what == "nonsense":
            self.send(b"<html>")
            return
        if isinstance(what, int):
            raise Refused(what, "TooManyRequests" if what == 429 else "Forbidden", f"said {what}")
        if self.method == "GET" and self.query.get("watch") == "true":
            self._watch(version, resource)
            return
        with cluster.lock:
            made, code = self._do(version, resource, name, dry)
        if what == "drop-after":
            self.http.close_connection = True
            return
        self.send(_shown(made), code)

    def _do(self, version: str, resource: str, name: str, dry: bool) -> tuple[dict[str, Any], int]:
        cluster = self.cluster
        key = (version, resource, name)
        kind = RESOURCES[version][resource][0]
        if self.method == "GET":
            if not name:
                return {"kind": kind + "List", "apiVersion": version, "metadata": {"resourceVersion": str(cluster.version)},
                        "items": self._selected(version, resource)}, 200  # fmt: skip
            if key not in cluster.objects:
                raise Refused(404, "NotFound", f'{resource} "{name}" not found')
            return cluster.look(key), 200
        body = json.loads(self.body) if self.method != "PATCH" else None
        before = cluster.objects.get(key)
        if self.method == "POST":
            assert body is not None and not name
            key = (version, resource, body["metadata"]["name"])
            if key in cluster.objects:
                raise Refused(409, "AlreadyExists", f'{resource} "{key[2]}" already exists')
            cluster._checked(key, None, body)
            after = cluster._noted(None, body)
        elif self.method == "PUT":
            assert body is not None
            if before is None:
                raise Refused(404, "NotFound", f'{resource} "{name}" not found')
            if body["metadata"].get("resourceVersion") not in (None, before["metadata"]["resourceVersion"]):
                raise Refused(
                    409,
                    "Conflict",
                    f'Operation cannot be fulfilled on {resource} "{name}": the object has been modified',
                )
            cluster._checked(key, before, body)
            body["metadata"] = {**before["metadata"], **body["metadata"]}
            after = cluster._noted(before, body)
        else:
            after = self._patched(key, before)
        if not dry:
            cluster.objects[key] = after
            cluster._control(key)
        return after, 200 if before is not None else 201

    def _patched(self, key: tuple[str, str, str], before: dict[str, Any] | None) -> dict[str, Any]:
        cluster = self.cluster
        kind = self.http.headers.get("Content-Type", "")
        manager = self.query.get("fieldManager", "")
        if kind == "application/apply-patch+yaml":
            body = json.loads(self.body)
            if body["metadata"]["name"] != key[2] or manager == "":
                raise self.strange("apply")
            if "dryRun" not in self.query and key[1] in ("deployments", "statefulsets"):
                sent = body["metadata"].get("annotations", {}).get(KEY, "")
                cluster.arrivals[sent] = cluster.arrivals.get(sent, 0) + 1
            return cluster._apply(key, body, manager, self.query.get("force") == "true")
        if before is None:
            raise Refused(404, "NotFound", f'{key[1]} "{key[2]}" not found')
        after = copy.deepcopy(before)
        patch = json.loads(self.body)
        if kind == "application/merge-patch+json":
            _merge(after, patch)
        elif kind == "application/json-patch+json":
            for each in patch:
                if each["op"] not in ("replace", "add"):
                    raise self.strange(f"JSON patch {each['op']}")
                _set(after, tuple(each["path"].strip("/").split("/")), each["value"])
        else:
            raise self.strange(f"content type {kind}")
        if "dryRun" not in self.query:
            cluster._own(key, before, after, manager or "kubectl-patch")
        return cluster._noted(before, after)

    def _selected(self, version: str, resource: str) -> list[dict[str, Any]]:
        found = []
        for key in [each for each in self.cluster.objects if each[:2] == (version, resource)]:
            made = self.cluster.objects[key]
            labels = made["metadata"].get("labels", {})
            wanted = [each.split("=") for each in self.query.get("labelSelector", "").split(",") if each]
            field = self.query.get("fieldSelector", f"metadata.name={key[2]}")
            if field == f"metadata.name={key[2]}" and all(labels.get(name) == value for name, value in wanted):
                found.append(_shown(self.cluster.look(key)))
        return found

    def _watch(self, version: str, resource: str) -> None:
        """What there is, the mark that this is all, then what changes, until the asker has seen enough."""
        http, cluster = self.http, self.cluster
        http.send_response(200)
        http.send_header("Content-Type", "application/json")
        http.send_header("Connection", "close")
        http.end_headers()
        http.close_connection = True

        def tell(kind: str, value: Any) -> None:
            http.wfile.write(json.dumps({"type": kind, "object": value}).encode() + b"\n")
            http.wfile.flush()

        seen: dict[str, str] = {}
        until = time.monotonic() + 20
        initial = self.query.get("sendInitialEvents") == "true"
        while not cluster.over.is_set() and time.monotonic() < until:
            with cluster.lock:
                found = copy.deepcopy(self._selected(version, resource))
            for each in found:
                name, number = each["metadata"]["name"], each["metadata"]["resourceVersion"]
                if seen.get(name) != number:
                    tell("MODIFIED" if name in seen or not initial else "ADDED", each)
                    seen[name] = number
            if initial:
                notes = {"k8s.io/initial-events-end": "true"}
                tell("BOOKMARK", {"kind": RESOURCES[version][resource][0], "apiVersion": version,
                                  "metadata": {"resourceVersion": str(cluster.version), "annotations": notes}})  # fmt: skip
                initial = False
            time.sleep(0.02)


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


def _shown(made: dict[str, Any]) -> dict[str, Any]:
    shown = copy.deepcopy(made)
    shown.pop("_owners", None)
    for each in shown.get("items", [shown]):
        if isinstance(each.get("status"), dict):
            each["status"].pop("_hash", None)
    return shown


def _images(found: dict[str, Any]) -> list[str]:
    return [each["image"] for each in found["spec"]["template"]["spec"]["containers"]]


def _leaves(value: dict[str, Any], at: tuple[str, ...] = ()) -> Any:
    """(path, value) of everything that is no object; a list is one leaf."""
    for name, each in value.items():
        path = (*at, name)
        if path[0] in ("apiVersion", "kind", "status", "_owners") or path in (
            ("metadata", "name"),
            ("metadata", "namespace"),
            ("metadata", "creationTimestamp"),
        ):
            continue
        if isinstance(each, dict) and each:
            yield from _leaves(each, path)
        else:
            yield path, each


def _get(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _set(value: dict[str, Any], path: tuple[str, ...], new: Any) -> None:
    for name in path[:-1]:
        value = value.setdefault(name, {})
    value[path[-1]] = new


def _drop(value: dict[str, Any], path: tuple[str, ...]) -> None:
    if len(path) > 1:
        inner = value.get(path[0])
        if isinstance(inner, dict):
            _drop(inner, path[1:])
            if not inner:
                value.pop(path[0])
    else:
        value.pop(path[0], None)


def _merge(value: dict[str, Any], patch: dict[str, Any]) -> None:
    for name, each in patch.items():
        if each is None:
            value.pop(name, None)
        elif isinstance(each, dict) and isinstance(value.get(name), dict):
            _merge(value[name], each)
        else:
            value[name] = each


def _default(made: dict[str, Any]) -> None:
    """Some of what a server fills in."""
    if made["kind"] not in ("Deployment", "StatefulSet", "DaemonSet"):
        return
    if made["kind"] != "DaemonSet":
        made["spec"].setdefault("replicas", 1)
    if made["kind"] == "Deployment":
        made["spec"].setdefault("progressDeadlineSeconds", 600)
    pods = made["spec"]["template"]["spec"]
    pods.setdefault("restartPolicy", "Always")
    pods.setdefault("dnsPolicy", "ClusterFirst")


def _default_containers(made: dict[str, Any]) -> None:
    for each in made.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
        each.setdefault("terminationMessagePath", "/dev/termination-log")
        each.setdefault("imagePullPolicy", "IfNotPresent")
