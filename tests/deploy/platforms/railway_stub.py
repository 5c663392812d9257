"""A Railway on loopback: strict about what it is asked, scripted in what it answers.

GraphQL is parsed, validated and executed by graphql-core over the schema next to this file. A path, header, document
or value that Railway would not know is an error that `check` raises.
"""

from __future__ import annotations

import io
import json
import tarfile
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

PROJECT, ENVIRONMENT, SERVICE = "11111111-1111-4111-8111-111111111111", "e-production", "s-web"
SCHEMA = Path(__file__).with_name("railway_schema.graphql")
HEADERS = {
    "host", "accept", "accept-encoding", "connection", "content-length", "content-type", "user-agent",
    "project-access-token", "authorization",
}  # fmt: skip


class RailwayStub:
    """One service. `modes` is operation -> how it fails, or a list of them, one a call; `script` the statuses a new
    deployment goes through, one a look; `back` whether a rollback starts the old deployment again or makes a new one.
    """

    def __init__(self, token: str, moved: Callable[[str | None], None] = lambda live: None) -> None:
        from graphql import build_schema

        self.schema = build_schema(SCHEMA.read_text())
        self.token = token
        self.header = "project-access-token"
        self.owner = PROJECT
        self.moved = moved
        self.modes: dict[str, Any] = {}
        self.script = ["SUCCESS"]
        self.back = "again"
        self.calls: list[str] = []
        self.uploads: list[dict[str, Any]] = []
        self.wrong: list[str] = []
        self.deployments: list[dict[str, Any]] = []
        self.variables = {"DATABASE_URL": "postgres://u:hunter22@db/app", "PORT": "8080"}
        self.came = threading.Event()
        self._free = threading.Event()
        self._lock = threading.RLock()
        self.add("SUCCESS", id="r0", meta={"imageDigest": "sha256:" + "0" * 64})
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                stub.serve(self, body)

            def do_GET(self) -> None:
                stub.wrong.append(f"GET {self.path}")
                self.send_error(405)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass  # a client that is gone; what a handler finds wrong is in `wrong`

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.base = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self._free.set()
        self.server.shutdown()
        self.server.server_close()

    def check(self) -> None:
        assert not self.wrong, self.wrong

    def add(self, status: str, id: str = "", meta: Any = None) -> dict[str, Any]:
        """A deployment that is there; one that runs takes the place of the one before."""
        with self._lock:
            number = len(self.deployments)
            made = {
                "id": id or f"r{number}", "status": status, "canRollback": True, "projectId": PROJECT,
                "environmentId": ENVIRONMENT, "serviceId": SERVICE,
                "createdAt": f"2026-11-25T10:{number // 60:02}:{number % 60:02}.000Z", "meta": meta, "script": [],
            }  # fmt: skip
            self.deployments.append(made)
            if status == "SUCCESS":
                self._live(made)
            return made

    def of(self, id: str) -> dict[str, Any]:
        return next(each for each in self.deployments if each["id"] == id)

    @property
    def live(self) -> str | None:
        return next((each["id"] for each in self.deployments if each["status"] in ("SUCCESS", "SLEEPING")), None)

    def arrivals(self, key: str) -> int:
        return sum(each["message"] == f"elo-gate:{key}" for each in self.uploads)

    def _live(self, made: dict[str, Any]) -> None:
        for each in self.deployments:
            if each is not made and each["status"] in ("SUCCESS", "SLEEPING", "CRASHED"):
                each["status"] = "REMOVED"
        self.moved(made["id"])

    def _step(self, made: dict[str, Any]) -> None:
        if made["script"]:
            made["status"] = made["script"].pop(0)
            if made["status"] in ("SUCCESS", "SLEEPING") or (made["status"] == "CRASHED" and made.get("ran")):
                made["ran"] = True
                self._live(made)

    # -- what is asked -------------------------------------------------------------------------------------------

    def serve(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        parts = urlsplit(handler.path)
        unknown = {name.lower() for name in handler.headers} - HEADERS
        if unknown:
            self.wrong.append(f"headers {sorted(unknown)}")
        said = json.loads(body) if parts.path == "/graphql/v2" else {}
        name = said.get("operationName", "") if said else "up"
        with self._lock:
            self.calls.append(name)
            mode = self.modes.get(name, "ok")
            if isinstance(mode, list):
                mode, self.modes[name] = mode[0], mode[1:] or ["ok"]
        given = handler.headers.get(self.header, "")
        if given.removeprefix("Bearer ") != self.token:
            return self._say(handler, 200, {"errors": [{"message": "Project Token not found"}], "data": None})
        if mode == "refuse":
            return self._say(handler, 401, {"message": f"token {self.token} refused"})
        if mode == "unauthorized":
            return self._say(handler, 200, {"errors": [{"message": f"Not Authorized {self.token}"}], "data": None})
        if mode in ("429", "503"):
            return self._say(handler, int(mode), {"message": "slow down"}, {"Retry-After": "0"})
        if mode == "413":
            return self._say(handler, 413, {"message": "large"})
        if mode == "400":
            return self._say(handler, 400, {"message": f"no such service, {self.token}"})
        if mode.startswith("redirect "):
            return self._say(handler, 307, {}, {"Location": mode.partition(" ")[2]})
        if mode == "nonsense":
            return self._say(handler, 200, b"<html>")
        if mode == "hang":
            self._free.wait(20)
            return None
        if mode == "lost-before":
            handler.close_connection = True
            return None
        answer = self._up(handler, parts, body) if not said else self._graphql(handler, said)
        self.came.set()
        if mode == "lost-after":
            handler.close_connection = True
            return None
        if mode == "wait-after":
            self._free.wait(20)
            return None
        return self._say(handler, 200 if "message" not in answer else 400, answer)

    def _say(
        self, handler: BaseHTTPRequestHandler, status: int, answer: Any, headers: dict[str, str] | None = None
    ) -> None:
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        try:
            handler.send_response(status)
            for name, value in (headers or {}).items():
                handler.send_header(name, value)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data)
        except OSError:
            pass

    def _up(self, handler: BaseHTTPRequestHandler, parts: Any, body: bytes) -> dict[str, Any]:
        query = parse_qs(parts.query, strict_parsing=True)
        good = (
            parts.path == f"/project/{PROJECT}/environment/{ENVIRONMENT}/up"
            and set(query) == {"serviceId", "message"}
            and query["serviceId"] == [SERVICE]
            and handler.headers["Content-Type"] == "application/gzip"
        )
        if not good:
            self.wrong.append(f"upload {handler.path} {handler.headers['Content-Type']}")
            return {"message": "no such address"}
        with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
            entries = {
                each.name: (each.mode, each.linkname if each.issym() else archive.extractfile(each).read())  # type: ignore[union-attr]
                for each in archive
            }
        with self._lock:
            number = len(self.deployments)
            self.uploads.append({"message": query["message"][0], "entries": entries, "body": body})
            made = self.add(
                "INITIALIZING",
                meta={"cliMessage": query["message"][0], "reason": "deploy", "imageDigest": f"sha256:{number:064}"},
            )
            made["script"] = list(self.script)
        return {"deploymentId": made["id"], "url": "u", "logsUrl": "l", "deploymentDomain": "d"}

    def _graphql(self, handler: BaseHTTPRequestHandler, said: dict[str, Any]) -> dict[str, Any]:
        from graphql import graphql_sync

        if (
            set(said) != {"query", "operationName", "variables"}
            or handler.headers["Content-Type"] != "application/json"
        ):
            self.wrong.append(f"body {sorted(said)}")
        with self._lock:
            made = graphql_sync(
                self.schema, said["query"], self._root(), variable_values=said["variables"],
                operation_name=said["operationName"],
            )  # fmt: skip
        for error in made.errors or ():
            if not isinstance(error.original_error, LookupError):
                self.wrong.append(error.message)
        return dict(made.formatted)

    def _root(self) -> dict[str, Any]:
        def deployment(_: Any, id: str) -> Any:
            found = next((each for each in self.deployments if each["id"] == id), None)
            if found is None:
                raise LookupError("Deployment not found")
            self._step(found)
            return found

        def deployments(_: Any, input: dict[str, Any], first: int = 10) -> Any:
            assert {name: input.get(name) for name in ("projectId", "environmentId", "serviceId")} == {
                "projectId": PROJECT, "environmentId": ENVIRONMENT, "serviceId": SERVICE,
            }  # fmt: skip
            wanted = (input.get("status") or {}).get("in")
            found = [each for each in reversed(self.deployments) if wanted is None or each["status"] in wanted]
            return {"edges": [{"node": each, "cursor": each["id"]} for each in found[:first]]}

        def rollback(_: Any, id: str) -> bool:
            found = self.of(id)
            mode = self.modes.get("back", "ok")
            if mode in ("said-no", "skipped"):
                return mode == "skipped"
            if mode == "foreign":
                self.add("SUCCESS", id="r-foreign", meta={"imageDigest": "sha256:" + "f" * 64})
            elif self.back == "again":
                found["status"] = "SUCCESS"
                self._live(found)
            else:
                self.add("SUCCESS", meta={**found["meta"], "reason": "rollback", "cliMessage": ""})
            return True

        return {
            "deployment": deployment,
            "deployments": deployments,
            "deploymentRollback": rollback,
            "projectToken": lambda _: {"projectId": self.owner, "environmentId": ENVIRONMENT},
            "environment": lambda _, id: {"id": id, "projectId": self.owner},
            "variables": lambda _, **__: self.variables,
        }
