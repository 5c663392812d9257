"""Turns a tree and a door into what came out of it, and that into broken promises, in words."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import resource
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from xml.etree import ElementTree

SECONDS = 20
MEMORY = 512 << 20
AS_OF = "2026-11-25"
BOOT = Path(__file__).with_name("boot.py")
SRC = Path(__file__).resolve().parents[2] / "src"
FILES = ("sarif", "json", "jsonl", "junit", "github", "gitlab", "markdown", "html", "checkstyle", "tap", "concise")
# Letters that move the cursor or the reading direction.
CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
RUNNER = re.compile(r"##\[|##vso\[|##teamcity\[")
COMMAND = re.compile(r"^\s*::", re.M)
ANNOTATION = re.compile(r"^\s*::(?!(?:error|warning|notice) [a-z]+=|group::\d+ more|endgroup::$)", re.M)
TRACE = re.compile(
    r"internal error|Traceback \(most recent|^\w*(?:Error|Exception)\b.*$|Fatal Python|Segmentation|Aborted", re.M
)


class Result:
    """What one process did: exit code, what it printed, the reports it wrote, how long it took (CPU seconds)."""

    def __init__(self, code: int, out: bytes, err: bytes, reports: dict[str, bytes], spent: float) -> None:
        self.code = code
        self.out = out
        self.err = err
        self.reports = reports
        self.spent = spent

    def texts(self) -> dict[str, str]:
        """Everything that people or programs get to see, by name."""
        shown = {"stdout": self.out, "stderr": self.err, **self.reports}
        return {name: data.decode("utf-8", "surrogateescape") for name, data in shown.items()}


def limits() -> None:
    """In the child, before the door: what it may take."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def environment(**more: str) -> dict[str, str]:
    """No HOME, nothing of the test's own, no bytecode written."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join([str(SRC), *(each for each in sys.path if each.endswith("-packages"))]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        **more,
    }


def runner(tree: Path, out: Path) -> dict[str, str]:
    """What a step of a GitHub workflow finds in its environment, and the inputs of our action
    (docs.github.com, "Variables reference", 2026-11-25)."""
    home = out / "runner"
    home.mkdir(exist_ok=True)
    home.chmod(0o777)
    for name in ("output", "summary", "env", "path"):
        (home / name).touch()
        (home / name).chmod(0o666)
    (home / "event.json").write_text('{"ref": "refs/heads/main", "after": "' + "0" * 40 + '"}')
    return {
        "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(tree), "GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(home / "event.json"),
        "GITHUB_OUTPUT": str(home / "output"), "GITHUB_STEP_SUMMARY": str(home / "summary"), "GITHUB_ENV": str(home / "env"), "GITHUB_PATH": str(home / "path"),
        "GITHUB_REF": "refs/heads/main", "GITHUB_SHA": "0" * 40, "GITHUB_REPOSITORY": "acme/shop", "GITHUB_ACTOR": "somebody", "GITHUB_JOB": "gate",
        "RUNNER_TEMP": str(home), "RUNNER_OS": "Linux", "RUNNER_DEBUG": "1", "TMPDIR": str(home), "ELO_GATE_AS_OF": AS_OF, "ELO_GATE_UPLOAD_SARIF": "true",
    }  # fmt: skip


def stranger() -> list[str] | None:
    """The interpreter for somebody who is not root and owns nothing here; None where there is none."""
    names = (sys.executable, f"/usr/bin/python3.{sys.version_info[1]}", f"/usr/local/bin/python3.{sys.version_info[1]}")
    for path in map(os.path.realpath, names):
        folders = Path(path).parents
        if os.path.isfile(path) and all(folder.stat().st_mode & stat.S_IXOTH for folder in (*folders, *BOOT.parents)):
            return [path]
    return None


def run(
    tree: Path, out: Path, door: str = "check", words: tuple[str, ...] = (), uid: int | None = None, git: bool = False
) -> Result:
    """A door on a tree, watched and limited; its working directory is the tree itself."""
    wanted = {
        "tree": str(tree.resolve()),
        "out": str(out.resolve()),
        "outside": str((tree.parent / "outside").resolve()),
        "git": git,
    }
    interpreter = [sys.executable] if uid is None else stranger() or [sys.executable]
    command = [*interpreter, str(BOOT), json.dumps(wanted), door]
    more: dict[str, str] = {}
    if door == "action":
        more = runner(tree, out)
    if door == "check":
        command += [f"--as-of={AS_OF}", "-v", *(f"-o{each}={out / each}" for each in FILES), "-otext=-"]
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(
            [*command, *words], cwd=tree, env=environment(**more), stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
            preexec_fn=limits, start_new_session=True, user=uid, group=uid,  # noqa: PLW1509
            extra_groups=None if uid is None else [],
        )  # fmt: skip
        late = threading.Timer(6 * SECONDS, process.kill)
        late.start()
        _, status, usage = os.wait4(process.pid, 0)
        late.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        stderr.seek(0)
        said = stdout.read(), stderr.read()
    reports = {each: (out / each).read_bytes() for each in FILES if (out / each).is_file()}
    code = process.returncode
    if door == "action":
        reports = {
            path.name: path.read_bytes()
            for path in (out / "runner").rglob("*")
            if path.is_file() and path.stat().st_size
        }
        given = re.findall(rb"(?m)^exit-code=(\d+)$", reports.get("output", b""))
        # The step ends with 0; a later one fails by what it said.
        code = int(given[-1]) if code == 0 and given else code or -1
    return Result(code, *said, reports, usage.ru_utime + usage.ru_stime)


def digest(tree: Path) -> str:
    """Everything of a tree that somebody could have changed."""
    made = hashlib.sha256()
    for folder, folders, files in os.walk(os.fsencode(tree)):
        folders.sort()
        for name in sorted(files + folders):
            path = os.path.join(folder, name)
            try:
                status = os.lstat(path)
            except OSError:
                continue  # its path is too long for a call
            made.update(repr((path, status.st_mode, status.st_size, status.st_mtime_ns)).encode())
            if stat.S_ISREG(status.st_mode) and status.st_size < 1 << 21:
                with open(path, "rb") as file:
                    made.update(file.read())
            elif stat.S_ISLNK(status.st_mode):
                made.update(os.readlink(path))
    return made.hexdigest()


def traces(secret: str) -> list[str]:
    """The forms in which a secret may get out: plain, its begin, reversed, base64 at every offset, hex, digests."""
    data = secret.encode()
    found = [secret, secret[:10], secret[::-1], secret[::-1][:10], data.hex()[:20]]
    for pad in range(3):
        coded = base64.b64encode(b"x" * pad + data).decode()
        found.append(coded[(0, 2, 3)[pad] : -4][:16])
    found += [hashlib.new(name, data).hexdigest() for name in ("md5", "sha1", "sha256", "sha512")]
    return found


def broken_promises(result: Result, secrets: dict[str, str], door: str) -> list[str]:
    """What a process did that it must not, whatever the tree is."""
    said: list[str] = []
    err = result.err.decode("utf-8", "replace")
    if result.code not in (0, 1, 2):
        said.append(f"exit {result.code}: {err[-300:]}")
    if TRACE.search(err):
        said.append("a traceback: " + err[-1500:])
    for where, text in result.texts().items():
        for name, secret in secrets.items():
            for form in traces(secret):
                if form in text or form.upper() in text.upper() and form == form.lower() and len(form) > 30:
                    at = text.find(form)
                    said.append(f"{where}: leaks {name} as {form[:4]}...: {text[max(0, at - 80) : at + 12]!r}")
                    break
        if RUNNER.search(text):
            said.append(f"{where}: a runner's command")
        if forged := (ANNOTATION if where == "github" or door == "action" and where == "stdout" else COMMAND).search(
            text
        ):
            said.append(f"{where}: a forged command {text[forged.start() : forged.start() + 60]!r}")
        if (odd := CONTROL.search(text)) is not None:
            said.append(f"{where}: U+{ord(odd[0]):04X} after {text[max(0, odd.start() - 60) : odd.start()]!r}")
        if "<script>alert" in text and where in ("html", "markdown", "junit", "checkstyle"):
            said.append(f"{where}: markup of the tree")
    if door != "hook" and not said and result.reports:
        said += _unsound(result.reports)
    if door == "action":
        said += [f"it wrote to GITHUB_{each.upper()}" for each in ("env", "path") if each in result.reports]
        names = [
            line.partition("=")[0] for line in result.reports.get("output", b"").decode("utf-8", "replace").splitlines()
        ]
        if len(names) != len(set(names)) or not all(re.fullmatch(r"[a-z-]+", each) for each in names):
            said.append(f"outputs that are none of ours: {names}")
    if door == "check" and result.code in (0, 1) and set(result.reports) != set(FILES):
        said.append(f"reports missing: {sorted(set(FILES) - set(result.reports))}")
    return said


def _unsound(reports: dict[str, bytes]) -> list[str]:
    """Reports that programs could not read."""
    said = []
    for name, data in reports.items():
        try:
            if name in ("sarif", "json", "gitlab", "elo-gate.sarif", "elo-gate.json"):
                json.loads(data)
            elif name == "jsonl":
                for line in data.splitlines():
                    json.loads(line)
            elif name in ("junit", "checkstyle"):
                ElementTree.fromstring(data)
        except (ValueError, ElementTree.ParseError) as error:
            said.append(f"{name}: {type(error).__name__}")
    return said
