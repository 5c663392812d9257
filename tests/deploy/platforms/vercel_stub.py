"""A Vercel on loopback: strict about what it is asked, scripted in what it answers.

It knows the requests that the real CLI makes for the verbs of a deploy. A path, query, header or field beyond those is
an error that `check` raises.
"""

from __future__ import annotations

import hashlib
import json
import re
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TEAM, PROJECT, NAME = "team_elo1", "prj_web1", "intranet"
HEADERS = {
    "host", "accept", "accept-encoding", "accept-language", "connection", "content-length", "content-type",
    "sec-fetch-mode", "user-agent", "authorization", "x-vercel-cli-session-id", "x-vercel-cli-invocation-id",
    "x-now-digest", "x-now-size", "x-now-length", "transfer-encoding",
}  # fmt: skip
# What a deployment is made of, and no more; the files have fields of their own.
FIELDS = {
    "env", "build", "name", "project", "meta", "target", "projectSettings", "source", "autoAssignCustomDomains",
    "version", "files", "regions", "customEnvironmentSlugOrId",
}  # fmt: skip


class VercelStub:
    """One project of one team, whose domain is the host of the target's url.

    `modes` is verb -> how it behaves, or a list of that, one a call. `script` are the states that a new deployment goes
    through, one a look. `serve` starts a site for a deployment and gives its host and port.
    """

    def __init__(
        self, token: str, serve: Callable[[str], str] = lambda id: "localhost:9",
        moved: Callable[[str | None], None] = lambda live: None,
    ) -> None:  # fmt: skip
        self.token = token
        self.serve = serve
        self.moved = moved
        self.modes: dict[str, Any] = {}
        self.script = ["READY"]
        self.skew = 0.0  # seconds that this server's clock is behind
        self.project: dict[str, Any] = {
            "id": PROJECT, "name": NAME, "accountId": TEAM, "createdAt": 1, "updatedAt": 1, "rootDirectory": None,
            "framework": None, "link": None, "rollingRelease": None, "lastAliasRequest": None,
        }  # fmt: skip
        self.calls: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.creates: list[dict[str, Any]] = []
        self.wrong: list[str] = []
        self.files: set[str] = set()
        self.deployments: dict[str, dict[str, Any]] = {}
        self.live: str | None = "dpl_r0"
        self.came = threading.Event()  # a deployment was created
        self.held = threading.Event()  # set: whoever hangs goes on
        self._lock = threading.RLock()
        self.add("dpl_r0", "READY")
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                stub.answer(self)

            do_POST = do_GET
            do_PUT = do_GET
            do_PATCH = do_GET
            do_DELETE = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.base = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.held.set()
        self.server.shutdown()
        self.server.server_close()

    def check(self) -> None:
        assert not self.wrong, self.wrong

    def add(self, id: str, state: str, meta: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
        """A deployment that exists."""
        self.deployments[id] = {
            "id": id, "uid": id, "url": self.serve(id), "name": NAME, "projectId": PROJECT, "target": "production",
            "readyState": state, "state": state, "version": 2, "createdAt": 1_790_000_000_000 + len(self.deployments),
            "ownerId": TEAM, "team": {"id": TEAM, "slug": "elo"}, "creator": {"uid": "u1", "username": "ana"},
            "alias": [], "meta": meta or {}, "inspectorUrl": "https://vercel.com/elo/intranet/x", "public": False,
            "regions": ["gru1"], **more,
        }  # fmt: skip
        return self.deployments[id]

    def arrivals(self, key: str) -> int:
        """How many deployments there are under a key."""
        return sum(each["meta"].get("elo-gate-id") == key for each in self.deployments.values())

    def move(self, id: str | None) -> None:
        """Makes a deployment live."""
        self.live = id
        self.moved(id)

    # -- answering -----------------------------------------------------------------------------------------------

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Serves one request."""
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        parts = urlsplit(handler.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        strange = {name.lower() for name in handler.headers} - HEADERS
        if strange:
            self.wrong.append(f"{handler.path}: headers {sorted(strange)}")
        with self._lock:
            found = self._route(handler.command, parts.path, query)
            if found is None:
                self.wrong.append(f"{handler.command} {handler.path}")
                return self._say(handler, 500, {"error": {"code": "internal", "message": "no such endpoint"}})
            verb, words, allowed = found
            if set(query) - allowed:
                self.wrong.append(f"{handler.path}: query {sorted(set(query) - allowed)}")
            self.calls.append(verb)
            self.requests.append({
                "verb": verb, "method": handler.command, "path": parts.path, "query": query,
                "body": json.loads(body) if body and verb != "upload" else None,
            })  # fmt: skip
            if handler.headers.get("authorization") != f"Bearer {self.token}":
                return self._say(handler, 403, {"error": {"code": "forbidden", "message": "Not authorized"}})
            mode = self.modes.get(verb, "ok")
            if isinstance(mode, list):
                mode, self.modes[verb] = mode[0], mode[1:] or mode[-1:]
        if mode == "hang":
            self.held.wait(60)
        if mode == "refuse":
            said = f"Not authorized, {handler.headers.get('authorization')}"  # echoes it, as some servers do
            return self._say(handler, 403, {"error": {"code": "forbidden", "message": said}})
        if mode == "busy":
            return self._say(handler, 429, {"error": {"code": "rate_limited", "message": "Rate limit exceeded"}})
        if mode == "nonsense":
            return self._raw(handler, 200, b"<html>", "text/html")
        if mode == "lost-before":
            handler.close_connection = True
            return None
        with self._lock:
            code, answer = getattr(self, f"_{verb}")(mode, *words, query, body, handler.headers)
        if mode == "lost-after" and code != 400:
            handler.close_connection = True
            return None
        if verb == "create" and code == 200:
            self.came.set()
            if mode == "slow":
                self.held.wait(60)
        return self._say(handler, code, answer)

    def _say(self, handler: BaseHTTPRequestHandler, code: int, answer: Any) -> None:
        if answer is None:
            self._raw(handler, code, b"", "")
        else:
            self._raw(handler, code, json.dumps(answer).encode(), "application/json; charset=utf-8")

    def _raw(self, handler: BaseHTTPRequestHandler, code: int, data: bytes, kind: str) -> None:
        try:
            handler.send_response(code)
            if kind:
                handler.send_header("Content-Type", kind)
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data)
        except OSError:
            pass  # whoever asked is gone

    def _route(self, method: str, path: str, query: dict[str, str]) -> tuple[str, tuple[str, ...], set[str]] | None:
        """(verb, words of the path, the query's names) of a request."""
        team = {"teamId"}
        if "teamId" in query and query["teamId"] != TEAM:
            return None
        for asked, pattern, verb, names in (
            ("GET", r"/v2/user", "user", set()),
            ("GET", r"/v[12]/teams", "teams", {"limit", "since", "until"}),
            ("GET", rf"/teams/{TEAM}", "team", team),
            ("GET", rf"/v9/projects/{PROJECT}", "project", team | {"rollbackInfo"}),
            ("GET", rf"/projects/{PROJECT}/custom-environments", "environments", team | {"gitBranch"}),
            ("GET", rf"/v9/projects/{PROJECT}/custom-environments", "environments", team | {"gitBranch"}),
            ("POST", r"/v13/deployments", "create", team | {"skipAutoDetectionConfirmation", "prebuilt"}),
            ("POST", r"/v2/files", "upload", team),
            ("GET", r"/v13/deployments/(127\.0\.0\.1)", "current", team),
            ("GET", r"/v13/deployments/([^/]+)", "status", team),
            ("GET", r"/v11/deployments/(dpl_[^/]+)/builds", "builds", team),
            ("POST", rf"/v10/projects/{PROJECT}/promote/(dpl_[^/]+)", "promote", team),
            ("POST", rf"/v9/projects/{PROJECT}/rollback/(dpl_[^/]+)", "rollback", team),
            ("GET", rf"/v9/projects/{PROJECT}/(?:promote|rollback)/aliases", "aliases", team | {"failedOnly", "limit"}),
            ("GET", r"/v6/deployments", "list", team | {"limit", "projectId", "meta-elo-gate-id"}),
            ("GET", rf"/v10/projects/{PROJECT}/env", "env", team | {"target", "source", "customEnvironmentId"}),
        ):
            match = re.fullmatch(pattern, path)
            if match is not None and method == asked:
                return verb, match.groups(), names
        return None

    # -- the verbs -----------------------------------------------------------------------------------------------

    def _user(self, mode: str, *_: Any) -> tuple[int, Any]:
        return 200, {"user": {"id": "u1", "uid": "u1", "username": "ana", "email": "ana@elo.example"}}

    def _team(self, mode: str, *_: Any) -> tuple[int, Any]:
        return 200, {"id": TEAM, "slug": "elo", "name": "Elo"}

    def _teams(self, mode: str, *_: Any) -> tuple[int, Any]:
        rows = [{"id": TEAM, "slug": "elo", "name": "Elo"}, {"id": "team_other", "slug": "other", "name": "Other"}]
        return 200, {"teams": rows, "pagination": {"count": 2, "next": None, "prev": None}}

    def _project(self, mode: str, *_: Any) -> tuple[int, Any]:
        return 200, self.project

    def _environments(self, mode: str, *_: Any) -> tuple[int, Any]:
        return 200, {"environments": [{"id": "env_staging1", "slug": "staging", "name": "staging", "type": "preview"}]}

    def _create(self, mode: str, query: dict[str, str], body: bytes, headers: Any) -> tuple[int, Any]:
        asked = json.loads(body)
        if set(asked) - FIELDS:
            self.wrong.append(f"create: fields {sorted(set(asked) - FIELDS)}")
        missing = [each["sha"] for each in asked["files"] if each["sha"] not in self.files]
        if missing:
            return 400, {"error": {"code": "missing_files", "message": "Missing files", "missing": missing}}
        if mode == "broken":
            return 500, {"error": {"code": "internal", "message": "something went wrong"}}
        self.creates.append(asked)
        custom = asked.get("customEnvironmentSlugOrId") or (asked.get("target") or "").replace("production", "")
        made = self.add(f"dpl_r{len(self.deployments)}", "BUILDING", asked["meta"])
        made["target"] = None if custom else asked.get("target")
        made["custom"] = custom
        made["script"] = list(self.script)
        # Without the word that says otherwise, a build of production that is ready gets the domains.
        made["assign"] = asked.get("autoAssignCustomDomains") is not False
        return 200, self._shown(made)

    def _upload(self, mode: str, query: dict[str, str], body: bytes, headers: Any) -> tuple[int, Any]:
        digest = headers.get("x-now-digest")
        if hashlib.sha1(body, usedforsecurity=False).hexdigest() != digest:
            self.wrong.append("upload: other bytes than its digest says")
        self.files.add(digest)
        return 200, {"urls": []}

    def _current(self, mode: str, name: str, *_: Any) -> tuple[int, Any]:
        return self._status(mode, self.live or "none")

    def _status(self, mode: str, name: str, *_: Any) -> tuple[int, Any]:
        # The CLI asks for the host of an address without its port: the sites of deployments share one, the newest wins.
        hosts = {each["url"].partition(":")[0]: each for each in self.deployments.values()}
        found = self.deployments.get(name) or hosts.get(name)
        if found is None:
            return 404, {"error": {"code": "not_found", "message": "The deployment was not found"}}
        script = found.get("script")
        if script and name == found["id"]:
            found["readyState"] = found["state"] = script[0]
            found["script"] = script[1:]
            if script[0] == "READY" and found["assign"] and self.modes.get("assign") != "never":
                self.move(found["id"])
        shown = self._shown(found)
        if mode in ("pending", "failed", "odd"):
            shown["readyState"] = {"pending": "BUILDING", "failed": "ERROR", "odd": "POSTPONED"}[mode]
        return 200, shown

    def _shown(self, found: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in found.items() if name not in ("script", "assign", "custom")}

    def _builds(self, mode: str, *_: Any) -> tuple[int, Any]:
        return 200, {"builds": []}

    def _promote(self, mode: str, id: str, *_: Any) -> tuple[int, Any]:
        if mode == "queued":
            return 202, None
        self._alias("promote", id, mode)
        return 201, None

    def _rollback(self, mode: str, id: str, *_: Any) -> tuple[int, Any]:
        self._alias("rollback", id, mode)
        return 201, None

    def _alias(self, verb: str, id: str, mode: str) -> None:
        if mode == "foreign":
            self.move("dpl_foreign")
        elif mode not in ("skipped", "failed", "nothing"):
            self.move(id)
        status = {"skipped": "skipped", "failed": "failed"}.get(mode, "succeeded")
        at = int((time.time() - self.skew) * 1000)
        self.project["lastAliasRequest"] = {
            "jobStatus": status, "requestedAt": at, "toDeploymentId": id, "fromDeploymentId": "dpl_x", "type": verb,
        }  # fmt: skip

    def _aliases(self, mode: str, *_: Any) -> tuple[int, Any]:
        row = {"status": "failed", "alias": {"alias": "intranet.example", "deploymentId": "dpl_x"}, "id": "a"}
        return 200, {"aliases": [row], "pagination": {"count": 1, "next": None, "prev": None}}

    def _list(self, mode: str, query: dict[str, str], *_: Any) -> tuple[int, Any]:
        if query.get("projectId") != PROJECT:
            self.wrong.append("list: of no project")
        key = query.get("meta-elo-gate-id")
        rows = [self._shown(each) for each in self.deployments.values() if each["meta"].get("elo-gate-id") == key]
        return 200, {"deployments": rows, "pagination": {"count": len(rows), "next": None, "prev": None}}

    def _env(self, mode: str, *_: Any) -> tuple[int, Any]:
        rows = [("DATABASE_URL", "eyJ2IjoidjIi", "encrypted"), ("PUBLIC_NAME", f"clear {self.token}", "plain")]
        return 200, {
            "envs": [
                {"key": key, "value": value, "type": kind, "target": ["production"], "createdAt": 1, "id": key.lower()}
                for key, value, kind in rows
            ]
        }


class Sites:
    """An https site of its own for every deployment; `health` is id -> what its health route answers with."""

    def __init__(self, certificate: str, key: str) -> None:
        self.health: dict[str, int] = {}
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._servers: list[ThreadingHTTPServer] = []

    def serve(self, id: str) -> str:
        """Starts the site of a deployment; its host and port."""
        sites = self

        class Site(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                data = json.dumps({"status": "healthy"}).encode()
                self.send_response(sites.health.get(id, 200))
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
        server.daemon_threads = True
        server.socket = self._context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self._servers.append(server)
        return f"localhost:{server.server_port}"

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
