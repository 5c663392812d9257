"""A bucket behind CloudFront with the real `aws` command line and moto; what the edge keeps is not shown here."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from elo_gate.deploy import commands, platforms
from elo_gate.deploy.platform import Lost
from elo_gate.deploy.veil import Veil

from ..conftest import World
from .aws_stub import ACCOUNT, Cloud

AWS = os.environ.get("ELO_GATE_AWS") or shutil.which("aws") or ""
MOTO = os.environ.get("ELO_GATE_MOTO") or shutil.which("moto_server") or ""
CANARY = "wJalrXUtnFEMI/K7MDENG/kq-Vt7zx93mmLw2"
pytestmark = [
    pytest.mark.skipif(not AWS, reason="no `aws` command line on PATH or in ELO_GATE_AWS"),
    pytest.mark.skipif(not MOTO, reason="no `moto_server` on PATH or in ELO_GATE_MOTO"),
]
CONFIG = {
    "CallerReference": "r", "Comment": "", "Enabled": True,
    "Origins": {
        "Quantity": 1,
        "Items": [
            {
                "Id": "o", "DomainName": "site.s3.amazonaws.com", "OriginPath": "/releases/r0",
                "S3OriginConfig": {"OriginAccessIdentity": ""},
            }
        ],
    },
    "DefaultCacheBehavior": {
        "TargetOriginId": "o", "ViewerProtocolPolicy": "redirect-to-https", "MinTTL": 0,
        "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
    },
}  # fmt: skip


def ask(url: str, service: str) -> Any:
    """What moto says; it looks at who asks, and not whether that is true."""
    said = f"AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    return urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": said}), timeout=10)


class Edge:
    """A tree, a bucket with the release r0, a distribution, where wanted a second one, and a server that is the edge."""

    def __init__(self, world: World, cloud: Cloud, folder: Path) -> None:
        self.world = world
        self.cloud = cloud
        self.env = {
            "AWS_ENDPOINT_URL": cloud.address,
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": CANARY,
        }
        self.folder = folder
        self.aws("s3", "mb", "s3://site")
        (folder / "index.html").write_text("<p>old</p>")
        self.aws("s3", "cp", str(folder / "index.html"), "s3://site/releases/r0/index.html")
        self.live = self.distribution("a")
        self.preview = self.distribution("b")
        (world.tree / "dist" / "assets").mkdir()
        (world.tree / "dist" / "assets" / "app.4f2a.js").write_text("1")
        edge = self

        class Site(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = edge.preview if self.path.startswith("/preview") else edge.live
                path = self.path.removeprefix("/preview") or "/"
                path += "index.html" if path.endswith("/") else ""
                try:
                    with ask(f"{cloud.moto}/site{edge.path(name)}{path}", "s3") as answer:
                        status, data, about = answer.status, answer.read(), answer.headers
                except urllib.error.HTTPError as error:
                    status, data, about = error.code, b"", error.headers
                self.send_response(status)
                for header in ("x-amz-meta-elo-release", "cache-control"):
                    if about.get(header):
                        self.send_header(header, about[header])
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.config()

    def aws(self, *words: str) -> Any:
        """What the command line says, asked directly of moto."""
        variables = {"PATH": os.environ["PATH"], **self.env, "AWS_ENDPOINT_URL": self.cloud.moto, "AWS_PAGER": ""}
        done = subprocess.run(
            [AWS, *words, "--region", "us-east-1", "--output", "json"], env=variables, capture_output=True, text=True,
            timeout=60, check=True,
        )  # fmt: skip
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout

    def distribution(self, reference: str) -> str:
        path = self.folder / "distribution.json"
        path.write_text(json.dumps({**CONFIG, "CallerReference": reference}))
        made = self.aws("cloudfront", "create-distribution", "--distribution-config", f"file://{path}")
        return str(made["Distribution"]["Id"])

    def path(self, name: str) -> str:
        with ask(f"{self.cloud.moto}/2020-05-31/distribution/{name}", "cloudfront") as answer:
            return str(answer.read().decode().partition("<OriginPath>")[2].partition("</OriginPath>")[0])

    def config(self, preview: bool = True, verify: str = "", deploy: str = "60s") -> None:
        second = f'preview = {{ distribution = "{self.preview}", url = "{self.url}/preview" }}' if preview else ""
        (self.world.tree / "elo-gate.toml").write_text(f"""
[deploy.targets.production]
platform = "s3-static"
url = "{self.url}"
artifact = "dist"
settle = "50ms"
poll = "50ms"
timeouts = {{ deploy = "{deploy}", promote = "60s", verify = "5s", rollback = "60s", ask = "30s" }}
[deploy.targets.production.verify]
paths = ["/"]
passes = 1
failures = 1
no_answer_limit = 2
interval = "20ms"
expect_release = "header:x-amz-meta-elo-release"
{verify}
[deploy.targets.production.s3-static]
cli = "{AWS}"
account = "{ACCOUNT}"
region = "us-east-1"
bucket = "site"
distribution = "{self.live}"
{second}
""")

    def deploy(self, *words: str, **more: Any) -> Any:
        return self.world.run("deploy", "production", "--yes", *words, env=self.env, **more)

    def objects(self) -> dict[str, int]:
        found = self.aws("s3api", "list-objects-v2", "--bucket", "site")
        return {each["Key"]: each["Size"] for each in found.get("Contents", [])}

    def key(self) -> str:
        return str([each["deploy"] for each in self.world.records() if each["kind"] == "start"][-1])

    def head(self, key: str) -> Any:
        return self.aws("s3api", "head-object", "--bucket", "site", "--key", key)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [MOTO, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=5).close()
            break
        except OSError:
            assert process.poll() is None and time.monotonic() < until, "moto does not come up"
            time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(10)


@pytest.fixture
def edge(world: World, moto: str, tmp_path: Path) -> Iterator[Edge]:
    urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", method="POST"), timeout=20).close()
    cloud = Cloud(moto)
    made = Edge(world, cloud, tmp_path)
    yield made
    made.server.shutdown()
    made.server.server_close()
    cloud.close()


def test_a_release_is_looked_at_on_the_second_distribution_and_then_goes_live(edge: Edge) -> None:
    done = edge.deploy()
    assert done.returncode == 0, done.stderr
    key = edge.key()
    assert edge.cloud.updates == [f"/releases/{key}"] * 2
    assert edge.path(edge.live) == f"/releases/{key}"
    assert edge.world.path()[-4:] == ["staged", "promoting", "verifying", "succeeded"]
    digest = edge.world.records()[0]["digest"]
    assert edge.head(f"releases/{key}/index.html")["Metadata"] == {"elo-release": digest}
    assert edge.head(f"releases/{key}/index.html")["CacheControl"] == "public, max-age=0, must-revalidate"
    assert edge.head(f"releases/{key}/assets/app.4f2a.js")["CacheControl"] == "public, max-age=31536000, immutable"
    assert [each for each in edge.objects() if each.startswith("releases/r0/")], "the release before stays"
    # Each file once, the mark last.
    assert len(edge.cloud.puts) == len(set(edge.cloud.puts)) == 3 and edge.cloud.puts[-1].endswith(
        f"elo-gate/{key}.json"
    )
    # And back.
    back = edge.world.run("rollback", "production", "--yes", env=edge.env)
    assert back.returncode == 0, back.stderr
    assert edge.path(edge.live) == "/releases/r0"
    assert CANARY not in done.stdout + done.stderr + back.stdout + back.stderr
    assert not any(CANARY.encode() in each.read_bytes() for each in edge.world.folder.rglob("*") if each.is_file())


def test_without_a_second_distribution_a_red_look_goes_back(edge: Edge) -> None:
    edge.config(preview=False)
    (edge.world.tree / "elo-gate.toml").write_text(
        (edge.world.tree / "elo-gate.toml").read_text().replace('paths = ["/"]', 'paths = ["/", "/new.html"]')
    )
    done = edge.deploy()
    # What answers there has no name of a release in it: not what was sent.
    assert done.returncode == 5, done.stderr
    assert edge.path(edge.live) == "/releases/r0"


@pytest.fixture
def platform(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in edge.env.items():
        monkeypatch.setenv(name, value)
    place = commands.place_of(str(edge.world.tree), "production")
    return platforms.make(place, Veil(place.secrets()), str(edge.world.tree.parent))


def test_a_half_upload_is_never_seen(edge: Edge, platform: Any) -> None:
    edge.cloud.fail_put = r"app\.4f2a\.js"
    with pytest.raises(Lost, match="s3 cp"):
        platform.deploy(str(edge.world.tree / "dist"), "5" * 64, "k1")
    assert edge.cloud.updates == [] and edge.path(edge.live) == "/releases/r0"
    assert not any(key.startswith("elo-gate/") for key in edge.objects())
    assert platform.find("k1") is None
    edge.cloud.fail_put = ""
    assert platform.deploy(str(edge.world.tree / "dist"), "5" * 64, "k1").id == "k1"
    found = platform.find("k1")
    assert found.id == "k1" and found.url == f"{edge.url}/preview"
    assert platform.current() == "r0" and platform.status("k1")[0] == "ready"


def test_somebody_faster_is_not_overwritten(edge: Edge, platform: Any) -> None:
    edge.cloud.conflicts = 1
    with pytest.raises(Lost, match="PreconditionFailed"):
        platform.deploy(str(edge.world.tree / "dist"), "5" * 64, "k1")
    assert edge.path(edge.preview) == edge.path(edge.live) == "/releases/r0"


def test_while_the_edge_changes_nobody_knows_what_is_live(edge: Edge, platform: Any) -> None:
    edge.cloud.late = 1
    with pytest.raises(Lost, match="on its way"):
        platform.current()
    assert platform.current() == "r0"
    edge.cloud.late = 2
    assert sum("on its way" in each for each in platform.preflight(str(edge.world.tree / "dist"), "5" * 64)) == 2


def test_what_is_against(edge: Edge, platform: Any) -> None:
    folder = edge.world.tree / "dist"
    assert platform.preflight(str(folder), "5" * 64) == []
    edge.cloud.ecs.account = "210987654321"
    (folder / "index.html").rename(folder / "start.html")
    (folder / "other.html").symlink_to("start.html")
    said = "; ".join(platform.preflight(str(folder), "5" * 64))
    assert "account" in said and "index.html" in said and "other.html: a link" in said


def test_killed_before_the_pointer_moved(edge: Edge) -> None:
    edge.config(preview=False)
    hook = """
import os, elo_gate.deploy.platforms.s3_static as s
s.S3StaticPlatform._point = lambda *_: os.kill(os.getpid(), 9)
"""
    assert edge.deploy(code=hook).returncode == -9
    assert edge.path(edge.live) == "/releases/r0"
    done = edge.deploy("--resume")
    assert done.returncode == 0, done.stderr
    assert edge.path(edge.live) == f"/releases/{edge.key()}"
    assert [each for each in edge.objects() if each.startswith("elo-gate/")] == [f"elo-gate/{edge.key()}.json"]


def test_only_releases_that_are_there_can_be_gone_back_to(edge: Edge, platform: Any) -> None:
    for id in ("never-was", "other:somewhere/else"):
        with pytest.raises(Lost, match=r"no such release|not a release"):
            platform.rollback(id)
    with pytest.raises(Lost, match="no whole release"):
        platform.promote("r0")
    assert edge.cloud.updates == []
    platform.rollback("r0")
    assert edge.path(edge.live) == "/releases/r0" and edge.cloud.updates == ["/releases/r0"]


def test_what_is_asked_and_not_said(edge: Edge, platform: Any) -> None:
    assert platform.find("no-such-key") is None
    assert platform.variables(str(edge.world.tree / "dist")) is None
    assert platform.current() == "r0"
    assert CANARY not in repr(platform.calls())
