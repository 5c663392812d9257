"""Real sites on this machine: nginx with certificates of an authority of the test's own, a server that misbehaves,
Chromium, a built Next.js application."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from elo_gate.verify import browser, doors
from elo_gate.verify.options import Options
from elo_gate.verify.outcome import Look

# What every answer of a good site carries.
HEADERS = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), microphone=()",
}  # fmt: skip
PAGE = '<!DOCTYPE html><html lang=en><title>Here</title><h1>Here</h1><script src="/app.js"></script>'


def tool(name: str, *more: str) -> str:
    """A program on this machine; the test is skipped by name without it."""
    found = next((found for each in (name, *more) if (found := shutil.which(each))), None)
    if found is None:
        pytest.skip(f"no {name} here: install it to run this test")
    return found


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Authority:
    """A certificate authority, and certificates for localhost that are good, or bad in one way each."""

    def __init__(self, folder: Path, openssl: str) -> None:
        self.folder = folder
        self.openssl = openssl
        self.ca = folder / "ca.pem"
        self._key("ca")
        self._run(
            "req", "-x509", "-new", "-key", "ca.key", "-days", "3650", "-subj", "/O=Test Authority", "-out", "ca.pem"
        )
        (folder / "index.txt").write_text("")
        (folder / "serial").write_text("01\n")
        (folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ncertificate=ca.pem\n"
            "private_key=ca.key\ndefault_md=sha256\npolicy=any\nunique_subject=no\ncopy_extensions=copy\n"
            "[any]\ncommonName=supplied\n"
        )

    def _run(self, *words: str) -> None:
        subprocess.run([self.openssl, *words], cwd=self.folder, check=True, capture_output=True, timeout=60)

    def _key(self, name: str) -> None:
        self._run("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")

    def certificate(self, kind: str) -> tuple[Path, Path]:
        """(certificate, key): good, soon, expired, name, self."""
        cert, key = self.folder / f"{kind}.pem", self.folder / f"{kind}.key"
        if cert.exists():
            return cert, key
        self._key(kind)
        host = "other.test" if kind == "name" else "localhost"
        subject = ("-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}")
        if kind == "self":
            self._run("req", "-x509", "-new", "-key", key.name, "-days", "90", *subject, "-out", cert.name)
            return cert, key
        self._run("req", "-new", "-key", key.name, *subject, "-out", f"{kind}.csr")
        day = 86_400
        begin, end = {"expired": (-90 * day, -2 * day), "soon": (-87 * day, 3 * day + 600)}.get(kind, (-day, 89 * day))
        dates = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + each)) for each in (begin, end)]
        self._run(
            "ca", "-batch", "-notext", "-config", "ca.cnf", "-startdate", dates[0], "-enddate", dates[1],
            "-in", f"{kind}.csr", "-out", cert.name,
        )  # fmt: skip
        return cert, key


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), tool("openssl"))


@pytest.fixture(autouse=True)
def trust(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a test has an authority, this process trusts it, and nobody else."""
    if "authority" in request.fixturenames or "nginx" in request.fixturenames:
        monkeypatch.setenv("SSL_CERT_FILE", str(request.getfixturevalue("authority").ca))
        monkeypatch.setenv("SSL_CERT_DIR", "/nonexistent")


class Nginx:
    """nginx with one site: `server` is what stands in its server block for https, `plain` in the one for http."""

    def __init__(
        self, folder: Path, server: str, plain: str, certificate: tuple[Path, Path], tls: str, top: str
    ) -> None:
        self.http, self.https = free_port(), free_port()
        (folder / "html").mkdir()
        (folder / "html" / "index.html").write_text(PAGE)
        (folder / "html" / "app.js").write_text("document.title = 'ran';\n")
        folders = "".join(
            f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        text = f"""
            daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
            events {{}}
            http {{
              {folders}
              access_log off; server_tokens off;
              types {{ text/html html; application/javascript js; application/json json; text/plain txt; }}
              {top}
              server {{ listen 127.0.0.1:{self.http}; {plain or f"return 301 https://localhost:{self.https}$request_uri;"} }}
              server {{
                listen 127.0.0.1:{self.https} ssl;
                ssl_certificate {certificate[0]}; ssl_certificate_key {certificate[1]}; {tls}
                root {folder}/html;
                {server}
              }}
            }}
        """
        (folder / "nginx.conf").write_text(text)
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            pytest.skip("no nginx here: install it to run this test")
        self.process = subprocess.Popen(
            [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        until = time.monotonic() + 20
        while True:
            if self.process.poll() is not None:
                assert self.process.stderr is not None
                raise AssertionError(self.process.stderr.read().decode())
            try:
                socket.create_connection(("127.0.0.1", self.https), 1).close()
                break
            except OSError:
                assert time.monotonic() < until, "nginx does not start"
                time.sleep(0.02)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.https}"

    @property
    def plain(self) -> str:
        return f"http://localhost:{self.http}"


def lines(headers: dict[str, str], but: str = "") -> str:
    """nginx's directives for headers, one left out."""
    return "\n".join(f'add_header {name} "{value}" always;' for name, value in headers.items() if name != but)


GOOD = (
    lines(HEADERS)
    + """
    location = /api/health { default_type application/json; return 200 '{"status":"healthy","checks":{"db":{"status":"healthy"}}}'; }
"""
)

TLS = "ssl_protocols TLSv1.2 TLSv1.3;"
Start = Callable[..., Nginx]


@pytest.fixture
def nginx(tmp_path: Path, authority: Authority) -> Iterator[Start]:
    """Starts nginx: a good site where nothing else is said."""
    started: list[Nginx] = []

    def start(server: str = GOOD, plain: str = "", certificate: str = "good", tls: str = TLS, top: str = "") -> Nginx:
        for attempt in range(5):
            folder = tmp_path / f"nginx{len(started)}-{attempt}"
            folder.mkdir()
            try:
                started.append(Nginx(folder, server, plain, authority.certificate(certificate), tls, top))
                return started[-1]
            except AssertionError as error:
                if "in use" not in str(error):  # another test was quicker with the port
                    raise
        raise AssertionError("no port is free")

    yield start
    for each in started:
        each.process.terminate()
        try:
            each.process.wait(10)
        except subprocess.TimeoutExpired:
            each.process.kill()
            each.process.wait(10)
        assert each.process.stderr is not None
        each.process.stderr.close()


class Raw:
    """A server that gives each client what a function makes of its request: bytes, or pieces with pauses."""

    def __init__(self, give: Callable[[bytes], Any], host: str = "127.0.0.1") -> None:
        self.server = socket.create_server((host, 0))
        self.give = give
        self.asked: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return "http://{}:{}".format(*self.server.getsockname())

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(client,), daemon=True).start()

    def _one(self, client: socket.socket) -> None:
        try:
            with client:
                client.settimeout(20)
                request = client.recv(65_536)
                self.asked.append(request)
                answer = self.give(request)
                for piece in [answer] if isinstance(answer, bytes) else answer:
                    client.sendall(piece)
        except OSError:
            pass


@pytest.fixture
def raw() -> Iterator[Callable[[Callable[[bytes], Any]], Raw]]:
    """Starts a server that misbehaves as it is told."""
    started: list[Raw] = []

    def start(give: Callable[[bytes], Any], host: str = "127.0.0.1") -> Raw:
        started.append(Raw(give, host))
        return started[-1]

    yield start
    for each in started:
        each.server.close()


def answer(status: int = 200, body: bytes = b"<h1>Here</h1>", kind: str = "text/html", **more: str) -> bytes:
    """The bytes of an answer with the headers of a good site; a value of None-like "" leaves one out."""
    headers = {**HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    text = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
    return f"HTTP/1.1 {status} X\r\n{text}Connection: close\r\n\r\n".encode() + body


def seen(url: str, **options: Any) -> Look:
    """One look with options."""
    from elo_gate.verify.look import look
    from elo_gate.verify.options import Path as Asked

    paths = tuple(each if isinstance(each, Asked) else Asked(each) for each in options.pop("paths", ("/",)))
    digest = options.pop("digest", "")
    known = options.pop("known", None)
    return look(url, Options(paths=paths, **options), digest, known=known)


def rules(look: Look) -> list[str]:
    """The ids of what a look has found."""
    return sorted(each.rule for each in look.findings)


def command(where: str, **given: Any) -> tuple[int, str]:
    """(exit code, output) of `elo-gate verify`, in this process."""
    asked = doors.Asked()
    for name, value in given.items():
        setattr(asked, name, value)
    written: list[str] = []

    def target(root: str, name: str) -> Any:
        from elo_gate.deploy import doors as targets

        return targets.looked_at(root, name)

    return doors.run(where, asked, target, written.append), "".join(written)


@pytest.fixture(scope="session")
def chromium() -> str:
    found = browser.program()
    if found is None:
        pytest.skip("no Chromium here: install one, or name it in ELO_GATE_CHROMIUM")
    return found


@pytest.fixture(scope="session")
def next_app() -> Iterator[Callable[..., str]]:
    """Starts the built Next.js application of next_app/, and gives its address."""
    named = os.environ.get("ELO_GATE_NEXT_APP", "")
    if not (Path(named) / "server.js").is_file():
        pytest.skip("no built application here: tests/verify/next_app/build.sh OUT, then ELO_GATE_NEXT_APP=OUT")
    started: list[subprocess.Popen[bytes]] = []
    running: dict[str, str] = {}

    def start(release: str = "") -> str:
        if release in running:
            return running[release]
        port = free_port()
        environment = {"PATH": os.environ["PATH"], "PORT": str(port), "HOSTNAME": "127.0.0.1", "RELEASE": release,
                       "NEXT_TELEMETRY_DISABLED": "1", "NODE_ENV": "production"}  # fmt: skip
        process = subprocess.Popen(
            [tool("node"), "server.js"],
            cwd=named,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < until, "the application does not start"
                time.sleep(0.1)
        running[release] = f"http://127.0.0.1:{port}"
        return running[release]

    yield start
    for each in started:
        each.terminate()
        try:
            each.wait(15)
        except subprocess.TimeoutExpired:
            each.kill()
            each.wait(10)
