"""Turns a Cloud Build configuration into jobs, one a step: each runs in a container after those it waits for.

Source, looked up 2026-11-25: docs.cloud.google.com/build/docs/build-config-file-schema
"""

from __future__ import annotations

from ..model import ABSENT, MAP, SCALAR, Node
from .jobs import Job, Script, Step, pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .jobs import Pipeline

# What an image of these repositories starts when no entrypoint is given.
_ENTRIES = {"cloud-sdk": "", "skaffold": "", "gke-deploy": "gke-deploy", "kaniko-project": "kaniko"}
_SHELLS = ("bash", "sh", "/bin/bash", "/bin/sh", "/usr/bin/bash")


def fill(made: Pipeline, root: Node) -> None:
    """Adds the jobs of a Cloud Build configuration."""
    made.variables = pairs(root.get("substitutions"))
    common = _listed(root.get("options", "env"))
    names: list[str] = []
    for number, node in enumerate(root.get("steps").elements()):
        if node.kind is not MAP:
            continue
        key = node.get("id") if node.get("id").text() else node.get("name")
        job = Job(made, key or node, node)
        job.id = node.get("id").text() or f"step {number + 1}"
        job.container = job.image = node.get("name")
        job.allow_failure = node.get("allowFailure").boolean() if node.get("allowFailure") else False
        job.timeout = node.get("timeout")
        job.variables = {**common, **_listed(node.get("env"))}
        waits = node.get("waitFor")
        for each in waits.elements():
            if each.text() not in (None, "-"):
                job.needs.append((each.text() or "", each))
        if not waits:
            job.needs = [(name, key) for name in names]
        names.append(job.id)
        job.steps = [_step(job, node)]
        made.jobs.append(job)


def _listed(node: Node) -> dict[str, tuple[Node, Node]]:
    """A list of `NAME=value` as name -> (place, value); the value's place is the entry."""
    found = {}
    for each in node.elements():
        name, equals, value = (each.text() or "").partition("=")
        if equals:
            found[name] = (each, Node(SCALAR, value, each.source, each.start, each.end, "'"))
    return found


def _step(job: Job, node: Node) -> Step:
    place = node.key("script") or node.key("args") or node.key("name") or job.place
    step = Step(job, place, node)
    step.env = job.variables
    step.folder = (node.get("dir").text() or "").strip("/.") if "$" not in (node.get("dir").text() or "") else None
    step.continue_on_error = job.allow_failure
    script = node.get("script")
    if script.kind is SCALAR:
        step.scripts = [Script(script)]
        return step
    args = node.get("args")
    words = [each.text() or "" for each in args.elements()] if args.elements() else [args.text() or ""] if args else []
    entry = node.get("entrypoint").text() or _entry(node.get("name").text() or "")
    if entry in _SHELLS:
        inline = [each for each in args.elements() if each.kind is SCALAR and not (each.text() or "-").startswith("-")]
        if any(word[:1] == "-" and word[:2] != "--" and "c" in word for word in words) and inline:
            step.scripts = [Script(inline[0])]
            step.shell = "bash"
            step.pipefail = any("pipefail" in word for word in words)
            return step
    if words or entry:
        line = " ".join([entry, *(_quoted(word) for word in words)]).strip()
        at = args or node.get("name") or ABSENT
        step.scripts = [Script(at, line)] if line and at else []
    return step


def _entry(image: str) -> str:
    """The program that an image of the cloud builders starts: the last word of its name."""
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    folder = image.rpartition("/")[0].rpartition("/")[2]
    if name in _ENTRIES or folder in _ENTRIES:
        return _ENTRIES.get(name, _ENTRIES.get(folder, ""))
    return name if "cloud-builders" in image or name in ("docker", "kubectl", "npm", "yarn", "gcloud") else ""


def _quoted(word: str) -> str:
    if word and not any(char in " \t\n'\"\\|&;<>()`" for char in word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("`", "\\`")
    return f'"{escaped}"'
