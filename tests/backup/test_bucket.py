"""Backups in S3: the real aws program against a real server of moto's."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import DAY, Cluster, free_port, run

SECRET = "canary-aws-Kq92-key"


class S3:
    """A server with buckets; `environment` is what the aws program needs to reach it."""

    def __init__(self, port: int) -> None:
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "HOME": "/nonexistent",
            "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip

    def aws(self, *words: str) -> str:
        done = subprocess.run(
            ["aws", *words],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def put(self, bucket: str, key: str, path: Path, *more: str) -> None:
        self.aws("s3api", "put-object", f"--bucket={bucket}", f"--key={key}", f"--body={path}", *more)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    server = shutil.which("moto_server")
    if server is None or shutil.which("aws") is None:
        pytest.skip("no moto_server and aws on the PATH: pip install 'moto[server]' awscli")
    port = free_port()
    log = tmp_path_factory.mktemp("moto") / "log"
    with open(log, "wb") as file:
        process = subprocess.Popen(
            [server, "-H", "127.0.0.1", "-p", str(port)], stdout=file, stderr=file, stdin=subprocess.DEVNULL
        )
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
        made = S3(port)
        yield made
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def bucket(s3: S3, request: pytest.FixtureRequest) -> str:
    """A bucket of the test's own."""
    name = "b" + format(abs(hash(request.node.nodeid)) % (1 << 48), "x") + "x"
    s3.aws("s3api", "create-bucket", f"--bucket={name}")
    return name


def names(days: int, ending: str = "sql.gz") -> list[str]:
    """The names of a daily series, the newest first."""
    now = time.time() - 1800
    return [time.strftime(f"shop-%Y%m%dT%H%M%SZ.{ending}", time.gmtime(now - day * DAY)) for day in range(days)]


def asked(s3: S3, tree: Path, *words: str, **more: str) -> tuple[int, dict[str, Any], str]:
    done = run("--root", str(tree), "--json", *words, environment={**s3.environment, **more})
    assert SECRET not in done.stdout + done.stderr
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)["backups"][0], done.stderr


def states(report: dict[str, Any]) -> dict[str, str]:
    return {each["id"]: each["state"] for each in report["checks"]}


@pytest.fixture
def filled(s3: S3, bucket: str, tmp_path: Path) -> Callable[..., str]:
    """Writes a daily series below s3://BUCKET/db/ and gives the bucket."""

    def fill(body: bytes, days: int = 31) -> str:
        folder = tmp_path / "up"
        folder.mkdir()
        for name in names(days):
            (folder / name).write_bytes(body)
        (folder / "other.txt").write_bytes(b"no backup")
        s3.aws("s3", "cp", "--recursive", "--only-show-errors", str(folder), f"s3://{bucket}/db/")
        return bucket

    return fill


def test_a_series_in_a_bucket_is_drilled(
    s3: S3, cluster: Cluster, dumps: Path, filled: Callable[..., str], tmp_path: Path
) -> None:
    where = filled((dumps / "plain.gz").read_bytes())
    (tmp_path / "elo-gate.toml").write_text(
        f'[backup.shop]\nsource = "s3://{where}/db"\n'
        'drill = { admin_dsn_env = "ELO_DRILL_DSN", checks = ["SELECT count(*) = 4000 FROM users"] }\n'
    )
    given = {"ELO_DRILL_DSN": cluster.drill, "DATABASE_URL": "postgresql://192.0.2.10/shop"}
    code, report, _ = asked(s3, tmp_path, **given)
    assert (code, report["count"]) == (0, 31), report
    assert {states(report)[each] for each in ("age", "size", "integrity", "restore", "rows", "gaps", "history")} == {
        "good"
    }


def test_an_empty_gzip_in_a_bucket_is_red(s3: S3, bucket: str, dumps: Path, tmp_path: Path) -> None:
    s3.put(bucket, names(1)[0], dumps / "empty.gz")
    (tmp_path / "elo-gate.toml").write_text(f'[backup.shop]\nsource = "s3://{bucket}"\n')
    code, report, _ = asked(s3, tmp_path)
    assert (code, states(report)["integrity"]) == (1, "red")
    # A question in haste fetches nothing.
    code, report, _ = asked(s3, tmp_path, "--fresh")
    assert (code, states(report)["integrity"]) == (0, "skipped")


def test_more_objects_than_one_answer_holds(
    s3: S3, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from elo_gate.backup import bucket as module

    folder, week = tmp_path / "many", names(7)
    folder.mkdir()
    for name in week:
        (folder / name).write_bytes(b"x")
    s3.aws("s3", "cp", "--recursive", "--only-show-errors", str(folder), f"s3://{bucket}/db/")
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(module, "_PAGE", 3)
    found = module.Bucket(f"s3://{bucket}/db", ["*.gz"], "").series()
    assert [each.name for each in found] == sorted(week)


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ("none", "good", "the same MD5"),
        ("gone", "red", "does not hold"),
        ("cut", "red", "has"),
        ("other", "red", "other bytes"),
        ("kms", "good", "the same size"),
        ("parts", "good", "the same MD5 of its parts"),
        ("no-bucket", "unknown", "list"),
    ],
)
def test_the_second_place_holds_the_newest(
    change: str, state: str, words: str, s3: S3, bucket: str, tmp_path: Path, series: Callable[..., Path]
) -> None:
    whole = gzip.compress(os.urandom(9 << 20 if change == "parts" else 60_000), 1)
    text = gzip.compress(
        b"--\n-- PostgreSQL database dump\n--\n"
        + whole.hex().encode()
        + b"\n-- PostgreSQL database dump complete\n--\n"
    )
    tree = series(
        text, f'off_site = "s3://{"no-such-bucket-at-all" if change == "no-bucket" else bucket}/copies"\n', days=3
    )
    newest = max((tree / "backups").iterdir(), key=lambda each: each.name)
    body = {"cut": text[:-10], "other": text[:-1] + b"x", "kms": text[:-1] + b"x"}.get(change, text)
    there = tmp_path / "there"
    there.write_bytes(body)
    if change == "parts":
        s3.aws("s3", "cp", "--only-show-errors", str(there), f"s3://{bucket}/copies/{newest.name}")
        assert "-2" in s3.aws("s3api", "head-object", f"--bucket={bucket}", f"--key=copies/{newest.name}")
    elif change not in ("gone", "no-bucket"):
        s3.put(
            bucket, f"copies/{newest.name}", there, *(["--server-side-encryption=aws:kms"] if change == "kms" else [])
        )
    _, report, _ = asked(s3, tree)
    (found,) = [each for each in report["checks"] if each["id"] == "off-site"]
    assert (found["state"], words in found["what"]) == (state, True), found


def test_a_bucket_that_cannot_be_listed_is_no_judgement(s3: S3, tmp_path: Path) -> None:
    (tmp_path / "elo-gate.toml").write_text('[backup.shop]\nsource = "s3://no-such-bucket-at-all"\n')
    done = run("--root", str(tmp_path), environment=s3.environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert "NoSuchBucket" in done.stderr and SECRET not in done.stderr
    done = run("--root", str(tmp_path), environment={**s3.environment, "PATH": "/nonexistent"})
    assert done.returncode == 2 and "aws program" in done.stderr
