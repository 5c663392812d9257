"""A Cloud Run on loopback that the real gcloud talks to through its proxy settings: strict, scripted.

It serves the four calls of the v1 API that gcloud makes for what we ask of it (one service, its revisions) and nothing
else; a PUT with an old resourceVersion is a conflict, as at Google's.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PROJECT, REGION, SERVICE = "eloproject", "southamerica-east1", "web"
HOST = f"{REGION}-run.localhost"
BASE = f"/apis/serving.knative.dev/v1/namespaces/{PROJECT}"
FIRST = {"web-a": 90, "web-b": 10}


class CloudRunStub:
    """One service whose traffic is split. `modes` is call -> how it fails, or a list, one a call; the calls are
    `service`, `revisions`, `create` and `traffic`. `script` is what Ready says of a new revision, one a look.
    """

    def __init__(self, token: str, site: str, moved: Callable[[str], None] = lambda live: None) -> None:
        self.token = token
        self.site = site
        self.moved = moved
        self.modes: dict[str, Any] = {}
        self.script = ["True"]
        self.calls: list[str] = []
        self.puts: list[dict[str, Any]] = []
        self.wrong: list[str] = []
        self.version = 1
        self.generation = 1
        self.observed = 1
        self.labels = {"cloud.googleapis.com/location": REGION}
        self.revisions: dict[str, list[str]] = {name: ["True"] for name in FIRST}
        self.images = dict.fromkeys(FIRST, "host/app@sha256:" + "0" * 64)
        self.spec: dict[str, Any] = {
            "template": {
                "metadata": {"name": "web-b"},
                "spec": {"containers": [{"image": self.images["web-b"], "env": [{"name": "DB", "value": "hunter22"}]}]},
            },
            "traffic": [{"revisionName": name, "percent": share} for name, share in FIRST.items()],
        }
        self.traffic = copy.deepcopy(self.spec["traffic"])
        self.free = threading.Event()
        self._lock = threading.RLock()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stub.serve(self, b"")

            def do_PUT(self) -> None:
                stub.serve(self, self.rfile.read(int(self.headers.get("Content-Length") or 0)))

            def do_CONNECT(self) -> None:
                stub.wrong.append(f"CONNECT {self.path}")
                self.send_error(403)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass  # a client that is gone; what a handler finds wrong is in `wrong`

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.proxy = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.free.set()
        self.server.shutdown()
        self.server.server_close()

    def check(self) -> None:
        assert not self.wrong, self.wrong

    def split(self) -> str:
        share: dict[str, int] = {}
        for each in self.traffic:
            if each.get("percent"):
                share[each["revisionName"]] = share.get(each["revisionName"], 0) + each["percent"]
        return "+".join(f"{name}={share[name]}" for name in sorted(share))

    def set_traffic(self, traffic: list[dict[str, Any]]) -> None:
        self.spec["traffic"] = traffic
        self.traffic = [
            {**each, **({"url": f"{self.site}/candidate/{each['revisionName']}"} if each.get("tag") else {})}
            for each in traffic
        ]
        self.moved(self.split())

    def foreign(self) -> None:
        """Somebody else deploys."""
        with self._lock:
            self.revisions["web-foreign"] = ["True"]
            self.set_traffic([{"revisionName": "web-foreign", "percent": 100}])
            self.version += 1

    # -- what is asked -------------------------------------------------------------------------------------------

    def serve(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        parts = urlsplit(handler.path)
        path, query = parts.path, parse_qs(parts.query)
        said = json.loads(body) if body else {}
        if path == f"{BASE}/services/{SERVICE}" and query == {"alt": ["json"]}:
            new = said["spec"]["template"]["metadata"]["name"] not in self.revisions if said else False
            name = "service" if handler.command == "GET" else "create" if new else "traffic"
        elif path == f"{BASE}/revisions" and handler.command == "GET":
            name = "revisions"
            if query != {"alt": ["json"], "labelSelector": [f"serving.knative.dev/service = {SERVICE}"]}:
                self.wrong.append(f"query {query}")
        else:
            name = ""
        if not name or parts.hostname != HOST:
            self.wrong.append(f"{handler.command} {handler.path}")
            return self._fail(handler, 404, "no such address")
        if handler.headers.get("Authorization") != f"Bearer {self.token}":
            return self._fail(handler, 401, "no token")
        with self._lock:
            self.calls.append(name)
            mode = self.modes.get(name, "ok")
            if isinstance(mode, list):
                mode, self.modes[name] = mode[0], mode[1:] or ["ok"]
        if mode == "refuse":
            return self._fail(handler, 403, f"token {self.token} refused")
        if mode == "429":
            return self._fail(handler, 429, "slow down")
        if mode == "nonsense":
            return self._say(handler, 200, b"<html>")
        if mode in ("hang", "lost-before"):
            if mode == "hang":
                self.free.wait(20)
            handler.close_connection = True
            return None
        if mode == "foreign":
            self.foreign()
        with self._lock:
            if name == "revisions":
                answer: Any = {
                    "apiVersion": "serving.knative.dev/v1",
                    "kind": "RevisionList",
                    "metadata": {"resourceVersion": "1"},
                    "items": self._items(),
                }
            elif name == "service":
                answer = self._service()
            elif said["metadata"].get("resourceVersion") != f"v{self.version}":
                return self._fail(handler, 409, "conflict")
            else:
                if mode != "skipped":
                    self._put(name, said)
                answer = self._service()
        if mode in ("lost-after", "wait-after"):
            if mode == "wait-after":
                self.free.wait(20)
            handler.close_connection = True
            return None
        return self._say(handler, 200, answer)

    def _fail(self, handler: BaseHTTPRequestHandler, code: int, message: str) -> None:
        self._say(handler, code, {"error": {"code": code, "message": message, "status": "FAILED"}})

    def _say(self, handler: BaseHTTPRequestHandler, status: int, answer: Any) -> None:
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        try:
            handler.send_response(status)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data)
        except OSError:
            pass

    def _put(self, name: str, said: dict[str, Any]) -> None:
        self.puts.append(said)
        self.version += 1
        self.generation += 1
        self.observed = self.generation
        self.spec = said["spec"]
        if name == "create":
            revision = self.spec["template"]["metadata"]["name"]
            self.revisions[revision] = list(self.script)
            self.images[revision] = self.spec["template"]["spec"]["containers"][0]["image"]
        self.set_traffic(self.spec["traffic"])

    def _service(self) -> dict[str, Any]:
        return {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Service",
            "metadata": {
                "name": SERVICE, "namespace": PROJECT, "generation": self.generation, "annotations": {},
                "resourceVersion": f"v{self.version}", "labels": self.labels, "uid": "u", "selfLink": "/apis/x",
            },
            "spec": self.spec,
            "status": {
                "observedGeneration": self.observed,
                "url": self.site,
                "traffic": self.traffic,
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        }  # fmt: skip

    def _items(self) -> list[dict[str, Any]]:
        found = []
        for name, script in self.revisions.items():
            state = script.pop(0) if len(script) > 1 else script[0]
            found.append({
                "apiVersion": "serving.knative.dev/v1",
                "kind": "Revision",
                "metadata": {
                    "name": name, "namespace": PROJECT, "generation": 1, "creationTimestamp": "2026-11-25T10:00:00Z",
                    "labels": {"serving.knative.dev/service": SERVICE, **self.labels},
                },
                "spec": {"containers": [{"image": self.images.get(name, "x"), "env": [{"name": "DB", "value": "hunter22"}]}]},
                "status": {
                    "conditions": [{"type": "Ready", "status": state, **({"message": "it does not listen"} if state == "False" else {})}]
                },
            })  # fmt: skip
        return found
