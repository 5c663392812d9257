"""From end to end on loopback: a built Next.js application behind nginx, Chromium, and a platform that swaps an upstream.

A release is a file of nginx directives, copied with the application's address: what a page's headers are belongs to it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import World

APP = os.environ.get("ELO_GATE_NEXT_APP") or ""
NODE = shutil.which("node") or ""
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin") or ""
CHROMIUM = os.environ.get("ELO_GATE_CHROMIUM") or shutil.which("chromium") or ""
pytestmark = [
    pytest.mark.skipif(not (APP and NODE), reason="ELO_GATE_NEXT_APP names no built application, or no node is here"),
    pytest.mark.skipif(not NGINX, reason="no nginx here"),
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium here"),
]

GOOD = "# nothing of its own\n"
BROKEN_CSP = "add_header Content-Security-Policy \"script-src 'self'\" always;\n"
UNWELL = 'location = /api/health { default_type application/json; return 200 \'{"status": "down"}\'; }\n'

PLATFORM = """#!{python} -SE
import json, os, shutil, signal, socket, subprocess, sys, time
top = {top!r}
def read(name, other): return json.load(open(os.path.join(top, name))) if os.path.exists(os.path.join(top, name)) else other
def write(name, value):
    with open(os.path.join(top, name + ".new"), "w") as file: json.dump(value, file)
    os.replace(os.path.join(top, name + ".new"), os.path.join(top, name))
def free():
    with socket.socket() as s: s.bind(("127.0.0.1", 0)); return s.getsockname()[1]
def site(path, listen, release):
    text = "server {{ listen 127.0.0.1:%d; location / {{ proxy_pass http://127.0.0.1:%d; proxy_set_header Host $http_host; include %s; }} include %s; }}" % (
        listen, release["port"], release["headers"], release["paths"])
    with open(path + ".new", "w") as file: file.write(text)
    os.replace(path + ".new", path)
def reload():
    os.kill(int(open(os.path.join(top, "pid")).read()), signal.SIGHUP)
def live(id):
    site(os.path.join(top, "sites", "live.conf"), read("live-port", 0), read("releases", {{}})[id]); write("live", id); reload()
verb, words = sys.argv[1], sys.argv[2:]
releases = read("releases", {{}})
if verb == "current": print(json.dumps({{"id": read("live", None)}}))
elif verb == "deploy":
    snapshot, digest, key = words
    id = "r-" + key
    home = os.path.join(top, id); os.makedirs(home)
    said = open(os.path.join(snapshot, "release.inc")).read()
    for name, keep in (("headers", said if "location" not in said else ""), ("paths", said if "location" in said else "")):
        open(os.path.join(home, name), "w").write(keep)
    port, candidate = free(), free()
    log = open(os.path.join(home, "log"), "w")
    app = subprocess.Popen([{node!r}, "server.js"], cwd={app!r}, start_new_session=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        env={{"PATH": os.environ["PATH"], "PORT": str(port), "HOSTNAME": "127.0.0.1", "RELEASE": digest, "NODE_ENV": "production"}})
    releases[id] = {{"key": key, "port": port, "pid": app.pid, "candidate": candidate, "headers": os.path.join(home, "headers"), "paths": os.path.join(home, "paths")}}
    write("releases", releases)
    site(os.path.join(top, "sites", id + ".conf"), candidate, releases[id]); reload()
    if {in_place!r}:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try: socket.create_connection(("127.0.0.1", port), 1).close(); break
            except OSError: time.sleep(0.05)
        live(id)
    print(json.dumps({{"id": id, "url": "http://127.0.0.1:%d" % candidate}}))
elif verb == "find":
    found = next((id for id, each in releases.items() if each["key"] == words[0]), None)
    print(json.dumps({{"id": found}} if found is None else {{"id": found, "url": "http://127.0.0.1:%d" % releases[found]["candidate"]}}))
elif verb == "status":
    each = releases[words[0]]
    try:
        socket.create_connection(("127.0.0.1", each["port"]), 1).close(); state = "ready"
    except OSError: state = "pending"
    print(json.dumps({{"state": state}}))
elif verb in ("promote", "rollback"): live(words[0])
else: raise SystemExit("no such verb")
"""


class Site:
    """nginx, the platform's folder, a tree whose artifact is one release, and the release A, live."""

    def __init__(self, world: World, folder: Path, in_place: bool) -> None:
        self.world = world
        self.top = folder
        (folder / "sites").mkdir(parents=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (folder / "live-port").write_text(str(self.port))
        temporary = "".join(
            f"{each}_temp_path {folder}/{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; events {{}}"
            f" http {{ access_log off; {temporary} include {folder}/sites/*.conf; }}"
        )
        self.nginx = subprocess.Popen(
            [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        )
        self.until(lambda: (folder / "pid").exists() and (folder / "pid").read_text().strip() != "")
        program = world.tree / "ops" / "platform"
        program.write_text(
            PLATFORM.format(
                python=os.path.realpath(sys.executable), top=str(folder), node=NODE, app=APP, in_place=in_place
            )
        )
        self.url = f"http://127.0.0.1:{self.port}"
        for name in ("index.html",):
            (world.tree / "dist" / name).unlink()
        world.config(
            "in-place" if in_place else "stage",
            target="first_deploy = true",
            verify='browser = "require"\nanswer = "20s"',
        )
        path = world.tree / "elo-gate.toml"
        text = path.read_text().replace(world.base, self.url).replace('interval = "20ms"', 'interval = "100ms"')
        text = text.replace(
            "first_deploy = true",
            'first_deploy = true\ntimeouts = { deploy = "60s", promote = "20s", verify = "60s", rollback = "20s", ask = "10s" }',
            1,
        )
        text = text.replace(
            'timeouts = { deploy = "2s", promote = "2s", verify = "3s", rollback = "2s", ask = "5s" }\n', ""
        )
        path.write_text(text)

    def until(self, done: Any) -> None:
        limit = time.monotonic() + 30
        while not done():
            assert time.monotonic() < limit
            time.sleep(0.05)

    def release(self, text: str) -> Any:
        (self.world.tree / "dist" / "release.inc").write_text(text)
        return self.world.deploy(env={"ELO_GATE_CHROMIUM": CHROMIUM})

    @property
    def live(self) -> str:
        return str(json.loads((self.top / "live").read_text()))

    def version(self) -> str:
        with urllib.request.urlopen(f"{self.url}/api/health", timeout=10) as answer:
            return str(json.loads(answer.read()).get("version", ""))

    def close(self) -> None:
        for each in (
            json.loads((self.top / "releases").read_text()).values() if (self.top / "releases").exists() else ()
        ):
            try:
                os.kill(each["pid"], signal.SIGTERM)
            except ProcessLookupError:
                pass
        self.nginx.terminate()
        self.nginx.wait(20)


class Visitor:
    """Asks again and again, at most 4,000 times: what went wrong, and which releases answered."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.failed: list[str] = []
        self.seen: list[str] = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.ask)

    def ask(self) -> None:
        for _ in range(4_000):
            if self.over.is_set():
                return
            try:
                with urllib.request.urlopen(f"{self.url}/api/health", timeout=20) as answer:
                    version = str(json.loads(answer.read())["version"])
                if not self.seen or self.seen[-1] != version:
                    self.seen.append(version)
            except (OSError, ValueError, urllib.error.URLError) as error:
                self.failed.append(str(error))
            time.sleep(0.01)

    def __enter__(self) -> Visitor:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join(30)


@pytest.fixture(params=[False, True], ids=["staged", "in-place"])
def site(world: World, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    made = Site(world, tmp_path / "platform", request.param)
    made.in_place = request.param  # type: ignore[attr-defined]
    try:
        yield made
    finally:
        made.close()


def test_good_releases_swap_unseen_and_bad_ones_do_not_stay(site: Any) -> None:
    world = site.world
    first = site.release(GOOD)
    assert first.returncode == 0, first.stderr
    a = site.live
    digest = world.records()[0]["digest"]
    assert site.version() == digest

    # A good one: no request of a visitor fails.
    with Visitor(site.url) as visitor:
        done = site.release(GOOD + "# the second\n")
        site.until(lambda: len(visitor.seen) >= 2)
    assert done.returncode == 0, done.stderr
    # While nginx reloads, an old worker may still answer after a new one did.
    assert visitor.failed == [] and visitor.seen[0] == digest and len(set(visitor.seen)) == 2
    second = next(each for each in visitor.seen if each != digest)
    b = site.live
    assert b != a

    # Perfect status codes and a page whose scripts the browser refuses: only the browser sees it.
    done = site.release(BROKEN_CSP)
    assert done.returncode == (5 if site.in_place else 4), done.stderr
    assert "Content Security Policy" in json.dumps(world.records()) or "CSP" in done.stderr
    assert site.live == b

    # A health route that says no.
    done = site.release(UNWELL)
    assert done.returncode == (5 if site.in_place else 4), done.stderr
    assert site.live == b and site.version() == second
    assert ("rolled-back" if site.in_place else "failed-clean") == world.path()[-1]

    # By hand, to the first.
    back = world.run("rollback", "production", "--yes", env={"ELO_GATE_CHROMIUM": CHROMIUM})
    assert back.returncode == 0, back.stderr
    assert site.live == a and site.version() == digest
    assert world.run("audit", "verify", "production").returncode == 0
