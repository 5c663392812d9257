"""ECS as a service that rolls, and CloudFront in front of moto's, both for the real command line.

Strict: an operation or a field nobody expects answers 400 and is remembered in `strange`. Scripted: `modes` says what
becomes of the next release, `answers` what an operation says instead.
"""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ACCOUNT = "123456789012"
ARN = f"arn:aws:ecs:eu-central-1:{ACCOUNT}:"
IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    "<Arn>arn:aws:iam::{0}:user/ci</Arn><UserId>U</UserId><Account>{0}</Account></GetCallerIdentityResult>"
    "</GetCallerIdentityResponse>"
)
# Operation -> the fields it may have.
FIELDS = {
    "DescribeServices": {"cluster", "services"},
    "RegisterTaskDefinition": {"family", "containerDefinitions", "tags", "networkMode", "cpu", "memory"},
    "UpdateService": {"cluster", "service", "taskDefinition", "deploymentConfiguration"},
    "ListTaskDefinitions": {"familyPrefix", "sort", "nextToken", "maxResults"},
    "DescribeTaskDefinition": {"taskDefinition", "include"},
}


class Ecs:
    """One cluster `shop` with one service `web`, whose release web:1 runs."""

    def __init__(self) -> None:
        self.account = ACCOUNT
        self.definitions: list[dict[str, Any]] = [{"family": "web", "tags": []}]
        self.desired = 2
        self.deployments = [self.row("ecs-svc/1", "web:1", "PRIMARY", "COMPLETED", 2)]
        self.mode = "ok"  # ok, never, failed, breaker, zero: what becomes of the next release
        self.answers: dict[str, list[Any]] = {}  # operation -> (status, type) or "drop", one a call
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.strange: list[str] = []
        self.seen_tokens: list[str] = []

    def row(self, id: str, release: str, status: str, state: str, running: int) -> dict[str, Any]:
        return {
            "id": id, "status": status, "taskDefinition": f"{ARN}task-definition/{release}", "rolloutState": state,
            "desiredCount": self.desired, "runningCount": running, "rolloutStateReason": "",
        }  # fmt: skip

    def count(self, name: str) -> int:
        return sum(each == name for each, _ in self.calls)

    @property
    def live(self) -> str:
        """What users get: the newest release with running tasks."""
        running = [each for each in self.deployments if each["runningCount"] and each["rolloutState"] == "COMPLETED"]
        return running[0]["taskDefinition"].rpartition("/")[2] if running else ""

    def step(self) -> None:
        """What the service's scheduler does between two looks."""
        primary = self.deployments[0]
        if primary["rolloutState"] != "IN_PROGRESS" or primary.get("stuck"):
            return
        mode = primary.pop("mode", "ok")
        if mode == "never":
            primary["stuck"] = True
        elif mode == "failed":
            primary.update(rolloutState="FAILED", rolloutStateReason="tasks failed to start", runningCount=0)
        elif mode == "breaker":
            old = self.deployments[1]
            back = self.row("ecs-svc/9", old["taskDefinition"].rpartition("/")[2], "PRIMARY", "COMPLETED", self.desired)
            primary.update(status="INACTIVE", rolloutState="FAILED", runningCount=0)
            primary["rolloutStateReason"] = "ECS deployment circuit breaker: tasks failed to start."
            self.deployments = [back, primary]
        else:
            primary.update(rolloutState="COMPLETED", runningCount=0 if mode == "zero" else self.desired)
            primary["desiredCount"] = 0 if mode == "zero" else self.desired
            self.deployments = [primary]

    def answer(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        if name == "DescribeServices":
            assert body == {"cluster": "shop", "services": ["web"]}, body
            self.step()
            return {
                "services": [
                    {
                        "serviceName": "web", "status": "ACTIVE", "desiredCount": self.desired,
                        "deploymentController": {"type": "ECS"},
                        "deployments": [
                            {k: v for k, v in each.items() if k not in ("mode", "stuck")} for each in self.deployments
                        ],
                    }
                ]
            }  # fmt: skip
        if name == "RegisterTaskDefinition":
            self.definitions.append(body)
            return {"taskDefinition": {"taskDefinitionArn": f"{ARN}task-definition/web:{len(self.definitions)}"}}
        if name == "ListTaskDefinitions":
            numbers = range(len(self.definitions), 0, -1)
            return {"taskDefinitionArns": [f"{ARN}task-definition/web:{each}" for each in numbers]}
        if name == "DescribeTaskDefinition":
            number = int(body["taskDefinition"].rpartition(":")[2])
            return {"taskDefinition": {}, "tags": self.definitions[number - 1].get("tags", [])}
        assert name == "UpdateService", name
        assert body["deploymentConfiguration"] == {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
        self.give(body["taskDefinition"], self.mode)
        self.mode = "ok"
        return {"service": {"serviceName": "web"}}

    def give(self, release: str, mode: str = "ok") -> None:
        """A new deployment of a release; tests use it as somebody else."""
        new = self.row(f"ecs-svc/{len(self.calls)}", release, "PRIMARY", "IN_PROGRESS", 0)
        new["mode"] = mode
        for each in self.deployments:
            each["status"] = "ACTIVE"
        self.deployments = [new, *self.deployments]


class Cloud:
    """The address that AWS_ENDPOINT_URL names: STS and ECS are ours, everything else goes on to moto where there is one.

    `late` is how many looks at a distribution say that it is not everywhere yet.
    """

    def __init__(self, moto: str = "") -> None:
        self.ecs = Ecs()
        self.moto = moto
        self.late = 0
        self.conflicts = 0  # how many updates of a distribution somebody else was faster than
        self.puts: list[str] = []
        self.updates: list[str] = []
        self.fail_put = ""  # a pattern of a key whose upload is refused
        cloud = self
        lock = threading.Lock()

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                target = self.headers.get("X-Amz-Target", "")
                with lock:
                    if target.startswith("AmazonEC2ContainerServiceV20141113."):
                        self.ecs(target.partition(".")[2], json.loads(body))
                    elif b"Action=GetCallerIdentity" in body:
                        self.say(200, IDENTITY.format(cloud.ecs.account).encode(), "text/xml")
                    else:
                        self.on(body)

            def do_GET(self) -> None:
                with lock:
                    self.on(b"")

            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with lock:
                    if "/distribution/" in self.path:
                        cloud.updates.append(re.findall(rb"<OriginPath>(.*?)</OriginPath>", body)[0].decode())
                        if cloud.conflicts:
                            cloud.conflicts -= 1
                            self.say(
                                412,
                                b"<ErrorResponse><Error><Code>PreconditionFailed</Code></Error></ErrorResponse>",
                                "text/xml",
                            )
                            return
                    elif cloud.fail_put and re.search(cloud.fail_put, self.path):
                        self.say(403, b"<Error><Code>AccessDenied</Code></Error>", "text/xml")
                        return
                    else:
                        cloud.puts.append(self.path.partition("?")[0])
                    self.on(body)

            def ecs(self, name: str, body: dict[str, Any]) -> None:
                service = cloud.ecs
                service.calls.append((name, body))
                script = service.answers.get(name)
                if script:
                    said = script.pop(0)
                    if said == "drop-after":
                        service.answer(name, body)
                    if str(said).startswith("drop"):
                        self.close_connection = True
                        self.connection.close()
                        return
                    if said == "nonsense":
                        self.say(200, b'{"services": [', "application/x-amz-json-1.1")
                        return
                    if said is not None:
                        status, kind = said
                        self.say(
                            status, json.dumps({"__type": kind, "message": kind}).encode(), "application/x-amz-json-1.1"
                        )
                        return
                try:
                    strange = set(body) - FIELDS[name]
                    assert not strange, strange
                    answer = service.answer(name, body)
                except (AssertionError, KeyError) as error:
                    service.strange.append(f"{name}: {error}")
                    self.say(400, b'{"__type": "ClientException"}', "application/x-amz-json-1.1")
                    return
                self.say(200, json.dumps(answer).encode(), "application/x-amz-json-1.1")

            def on(self, body: bytes) -> None:
                """Hands a request on to moto."""
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection", "expect")}
                headers.setdefault("Content-Type", "application/xml")  # urllib would call it a form
                request = urllib.request.Request(cloud.moto + self.path, body or None, headers, method=self.command)
                try:
                    with urllib.request.urlopen(request, timeout=20) as answer:
                        status, data, about = answer.status, answer.read(), answer.headers
                except urllib.error.HTTPError as error:
                    status, data, about = error.code, error.read(), error.headers
                if self.command == "GET" and "/distribution/" in self.path and cloud.late:
                    cloud.late -= 1
                    data = data.replace(b"<Status>Deployed</Status>", b"<Status>InProgress</Status>")
                self.send_response(status)
                for name, value in about.items():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def say(self, status: int, data: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
