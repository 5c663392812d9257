"""A platform made of one file, a site that serves what it says is live, and a tree that the gate passes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"

# Strict: an unknown verb or a wrong number of words fails. Scripted: `modes` says what each verb does.
PLATFORM = """#!{python} -SE
import fcntl, hashlib, json, os, sys, time
state = {state!r}
lock = open(state + ".lock", "w"); fcntl.flock(lock, fcntl.LOCK_EX)
now = json.load(open(state)); modes = now["modes"]
verb, words = sys.argv[1], sys.argv[2:]
now["calls"].append([verb, *words])
def save():
    json.dump(now, open(state + ".new", "w")); os.replace(state + ".new", state)
def leave(answer, code=0):
    save()
    if answer is not None: print(json.dumps(answer))
    sys.exit(code)
mode = modes.get(verb, "ok")
if isinstance(mode, list):
    mode, modes[verb] = mode[0], mode[1:] or mode[-1:]
if mode == "refuse":
    sys.stderr.write("token " + os.environ.get("PLATFORM_TOKEN", "none") + " refused\\n"); leave(None, 1)
if mode == "nonsense": save(); print("<html>"); sys.exit(0)
if mode == "hang": save(); fcntl.flock(lock, fcntl.LOCK_UN); time.sleep(60)
if verb == "current":
    assert not words; leave({{"id": now["live"]}})
elif verb == "deploy":
    snapshot, digest, key = words
    assert os.path.isdir(snapshot) and len(digest) == 64
    if mode == "lost-before": leave(None, 1)
    number = "r%d" % (len(now["releases"]))
    files = {{f: open(os.path.join(snapshot, f)).read() for f in sorted(os.listdir(snapshot)) if os.path.isfile(os.path.join(snapshot, f))}}
    now["releases"][number] = {{"key": key, "digest": digest, "files": files}}
    if not now["stage"] and mode != "not-live": now["live"] = number
    if mode == "lost-after": leave(None, 1)
    leave({{"id": number, "url": now["base"] + "/candidate/" + number}})
elif verb == "find":
    (key,) = words
    number = next((n for n, r in now["releases"].items() if r["key"] == key), None)
    leave({{"id": number, **({{"url": now["base"] + "/candidate/" + number}} if number else {{}})}})
elif verb == "status":
    (number,) = words; assert number in now["releases"]
    leave({{"state": "ready" if mode == "ok" else mode, "detail": ""}})
elif verb in ("promote", "rollback"):
    (number,) = words; assert number in now["releases"]
    if mode == "foreign": now["live"] = "r-foreign"
    elif mode != "skipped": now["live"] = number
    leave(None, 1 if mode == "said-no" else 0)
else:
    raise SystemExit("no such verb")
"""


class World:
    """The repository, the platform's state and the site."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "tree"
        self.state = folder / "platform.json"
        self.health: dict[str, Any] = {}  # release -> what its health route says: a dict, a status, None to hang up
        self.told: list[dict[str, Any]] = []
        world = self

        class Site(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                now = world.now()
                parts = self.path.split("/")
                release = parts[2] if self.path.startswith("/candidate/") else now["live"]
                path = "/" + "/".join(parts[3:]) if self.path.startswith("/candidate/") else self.path
                said = world.health.get(release, "good")
                if said is None:
                    self.close_connection = True
                    return
                code = said if isinstance(said, int) else 200
                body = (
                    said
                    if isinstance(said, dict)
                    else {"status": "healthy", "version": now["releases"].get(release, {}).get("digest", "")}
                )
                data = json.dumps(body).encode() if path == "/api/health" else b"page"
                self.send_response(code)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_POST(self) -> None:
                world.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.base = f"http://127.0.0.1:{self.server.server_port}"

    def now(self) -> dict[str, Any]:
        for _ in range(5):
            try:
                return dict(json.loads(self.state.read_text()))
            except ValueError:
                continue
        raise AssertionError("no state")

    def set(self, **values: Any) -> None:
        self.state.write_text(json.dumps({**self.now(), **values}))

    def calls(self, verb: str) -> list[list[str]]:
        return [each for each in self.now()["calls"] if each[0] == verb]

    def config(
        self,
        strategy: str = "stage",
        target: str = "",
        verify: str = "",
        command: str = "",
        more: str = "",
        rollback: bool = True,
        find: bool = True,
    ) -> None:
        """Writes elo-gate.toml; the arguments are lines of their tables."""
        program = '"./ops/platform"'
        lines = [
            "[deploy.targets.production]", 'platform = "command"', f'url = "{self.base}"', 'artifact = "dist"',
            f'strategy = "{strategy}"', 'settle = "50ms"', 'poll = "20ms"',
            *([] if "timeouts" in target else ['timeouts = { deploy = "2s", promote = "2s", verify = "3s", rollback = "2s", ask = "5s" }']),
            *([] if rollback else ['rollback = "manual"']), target,
            "[deploy.targets.production.verify]", 'health = { path = "/api/health", expect = "healthy" }', 'paths = ["/"]',
            "passes = 2", "failures = 2", "no_answer_limit = 2", 'interval = "20ms"', 'expect_release = "json:version"', verify,
            "[deploy.targets.production.command]",
            f'deploy = [{program}, "deploy", "{{snapshot}}", "{{digest}}", "{{key}}"]',
            f'current = [{program}, "current"]', f'status = [{program}, "status", "{{id}}"]',
            *([f'find = [{program}, "find", "{{key}}"]'] if find else []),
            *([f'promote = [{program}, "promote", "{{id}}"]'] if strategy == "stage" else []),
            *([f'rollback = [{program}, "rollback", "{{id}}"]'] if rollback else []),
            'env = ["PLATFORM_TOKEN"]', command, more,
        ]  # fmt: skip
        (self.tree / "elo-gate.toml").write_text("\n".join(lines) + "\n")
        self.set(stage=strategy == "stage")

    def run(self, *words: str, env: dict[str, str] | None = None, code: str = "", wait: bool = True) -> Any:
        """`elo-gate WORDS` in the tree, in a process of its own; `code` runs before it."""
        script = f"import sys\nimport elo_gate.gate as day\nday.today = lambda: '2026-11-25'\n{code}\nfrom elo_gate.cli import main\nsys.argv[0] = 'elo-gate'\nmain()"
        variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), "ELO_GATE_ACTOR": "ana", **(env or {})}
        process = subprocess.Popen(
            [sys.executable, "-c", script, *words], cwd=self.tree, env=variables, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if not wait:
            return process
        out, err = process.communicate(timeout=150)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def deploy(self, *words: str, **more: Any) -> Any:
        return self.run("deploy", "production", "--yes", *words, **more)

    @property
    def folder(self) -> Path:
        return self.tree / ".elo-gate" / "deploy" / "production"

    def records(self) -> list[dict[str, Any]]:
        from elo_gate.deploy.journal import read

        return read(str(self.folder / "journal.jsonl"))[0]

    def path(self) -> list[str]:
        return [each["to"] for each in self.records() if each["kind"] == "transition"]

    def evidence(self) -> dict[str, Any]:
        last = [each["deploy"] for each in self.records() if each["kind"] == "start"][-1]
        return dict(json.loads((self.folder / last / "evidence.json").read_text()))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A tree whose release r0 is live, with a target `production`."""
    made = World(tmp_path)
    (made.tree / "ops").mkdir(parents=True)
    (made.tree / "dist").mkdir()
    (made.tree / "dist" / "index.html").write_text("<p>new</p>")
    (made.tree / "Dockerfile").write_text(DOCKERFILE)
    (made.tree / ".dockerignore").write_text("node_modules\n.git\n.env*\n")
    made.state.write_text(
        json.dumps(
            {
                "live": "r0",
                "releases": {"r0": {"key": "", "digest": ""}},
                "calls": [],
                "modes": {},
                "stage": True,
                "base": made.base,
            }
        )
    )
    program = made.tree / "ops" / "platform"
    program.write_text(PLATFORM.format(python=os.path.realpath(sys.executable), state=str(made.state)))
    program.chmod(0o755)
    made.config()
    yield made
    made.server.shutdown()
    made.server.server_close()


DOCKERFILE = """FROM nginx:1.28-alpine@sha256:4ff102c5d78d254a6f0da062b3cf39eaf07f01eec0927fd21e219d0af8bc0591
COPY dist /usr/share/nginx/html
USER 101
EXPOSE 8080
HEALTHCHECK CMD wget -q -O /dev/null http://127.0.0.1:8080/ || exit 1
"""

Worlds = Callable[..., World]
