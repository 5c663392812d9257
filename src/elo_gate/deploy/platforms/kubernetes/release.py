"""Turns a folder of manifests into the objects of one release, marked with its key, and into what speaks against it.

kubectl itself reads the manifests, so that what is judged here is what will be sent.
"""

from __future__ import annotations

import json
import os
import re

from ....model import MAP, SEQ, Source, walk
from ....syntax.yaml import parse
from ...journal import canonical, write_file
from ...platform import Lost
from .kubectl import name as name_of
from .options import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ....model import Node
    from .kubectl import Kubectl
    from .options import KubernetesOptions

KEY = "elo-gate/deploy"
DIGEST = "elo-gate/digest"
_SOUND = re.compile(r"[A-Za-z0-9_-]{1,64}")
# https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/, 2026-11-25
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_HTTP = re.compile(r"(?i)(^|=)https?:")
_PINNED = re.compile(r".+@sha256:[0-9a-f]{64}")
# Where the pod stands in what makes pods. https://kubernetes.io/docs/concepts/workloads/controllers/, 2026-11-25
_PODS: dict[str, tuple[str, ...]] = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"),
        ("spec", "template", "spec"),
    ),
}
# What runs once: to send it again for a way back would run it again.
ONCE = ("Job", "Pod")


def render(kubectl: Kubectl, folder: str, digest: str) -> list[dict[str, Any]]:
    """The objects of a folder, in kubectl's order, each with the release's digest. Raises Lost.

    The pods of workloads get it too: so they can say which release they are, and a changed ConfigMap starts them anew.
    """
    mark = ["annotate", "--local", "--overwrite", "-o", "json", f"{DIGEST}={digest}"]
    if any(os.path.isfile(os.path.join(folder, each)) for each in _KUSTOMIZATIONS):
        _refuse_fetched(folder)
        made = kubectl.local("kubectl kustomize", ["kustomize", folder])
        done = kubectl.local("kubectl annotate", [*mark, "-f", "-"], made.out)
    else:
        done = kubectl.local("kubectl annotate", [*mark, "-R", "-f", folder])
    objects = kubectl.parsed("the manifests", done)
    for each in objects:
        template = (each.get("spec") or {}).get("template")
        if each.get("kind", "").lower() in KINDS and isinstance(template, dict):
            about = template["metadata"] = dict(template.get("metadata") or {})
            about["annotations"] = {**(about.get("annotations") or {}), DIGEST: digest}
    return objects


def _refuse_fetched(folder: str) -> None:
    """Raises Lost where a kustomization takes something in over HTTP.

    What runs it has no way out, but Go never asks a proxy for this machine's own addresses.
    https://pkg.go.dev/net/http#ProxyFromEnvironment, 2026-11-25
    """
    for here, _, files in os.walk(folder):
        for file in set(files).intersection(_KUSTOMIZATIONS):
            path = os.path.relpath(os.path.join(here, file), folder)
            try:
                with open(os.path.join(here, file), encoding="utf-8-sig") as opened:
                    documents, _ = parse(Source(path, opened.read()))
            except (OSError, UnicodeDecodeError):
                raise Lost(f"the manifests: {path} cannot be read") from None
            if any(_HTTP.search(word) for document in documents for word in _words(document)):
                raise Lost(f"the manifests: {path} takes something in over HTTP, which nobody has judged; keep a copy")


def _words(document: Node) -> Iterator[str]:
    """What may be a path in a kustomization: entries of its lists but for literals, and values of `path`."""
    for node in walk(document):
        for key, value in node.items() if node.kind is MAP else ():
            if key.text() != "literals":
                for each in value.elements() if value.kind is SEQ else (value,) if key.text() == "path" else ():
                    yield each.text() or ""


def marked(objects: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Copies that carry the key of a deploy."""
    made = []
    for each in objects:
        about = each["metadata"]
        made.append({**each, "metadata": {**about, "annotations": {**(about.get("annotations") or {}), KEY: key}}})
    return made


def key_of(found: dict[str, Any] | None) -> str:
    """The key of the deploy that sent an object; empty where none did."""
    said = ((found or {}).get("metadata", {}).get("annotations") or {}).get(KEY)
    return said if isinstance(said, str) and _SOUND.fullmatch(said) else ""


def title(found: dict[str, Any]) -> str:
    """`deployment/web`: what an object is called, with its group where Kubernetes has not its own."""
    group = str(found.get("apiVersion", "")).rpartition("/")[0]
    own = "." not in group or group.endswith(".k8s.io")
    return f"{str(found.get('kind')).lower()}{'' if own else '.' + group}/{name_of(found)}"


def workloads_of(objects: Sequence[dict[str, Any]]) -> list[str]:
    """The workloads among objects."""
    return [each for each in map(title, objects) if each.partition("/")[0] in KINDS]


def reasons(objects: Sequence[dict[str, Any]], options: KubernetesOptions) -> list[str]:
    """What speaks against objects before any cluster is asked."""
    found = []
    there = workloads_of(objects)
    for name in sorted(set(options.workloads) - set(there)):
        found.append(f"{name}: stands in the configuration and not in the manifests")
    for name in sorted(set(there) - set(options.workloads)):
        found.append(f"{name}: stands in the manifests and not in `workloads`, so nobody would wait for it")
    titles = [(title(each), each["metadata"].get("namespace")) for each in objects]
    for what, space in titles:
        if space not in (None, options.namespace):
            found.append(f"{what}: is of the namespace {space}; a target has one, {options.namespace}")
    for name in sorted({what for what, _ in titles if [one for one, _ in titles].count(what) > 1}):
        found.append(f"{name}: stands there twice")
    for each in objects:
        what = title(each)
        for image in _images(each):
            if not _PINNED.fullmatch(image):
                found.append(
                    f"{what}: the image {image} has no @sha256: digest, so what was judged may not be what runs"
                )
        spec = each.get("spec") or {}
        strategy = spec.get("updateStrategy") or {}
        if each["kind"] == "Deployment" and spec.get("paused"):
            found.append(f"{what}: is paused and would roll nothing out")
        if each["kind"] in ("StatefulSet", "DaemonSet") and strategy.get("type") == "OnDelete":
            found.append(f"{what}: with OnDelete no pod gets the release before somebody deletes it")
        if each["kind"] == "StatefulSet" and (strategy.get("rollingUpdate") or {}).get("partition"):
            found.append(f"{what}: with a partition a part of its pods stays at the release before")
    return found


def _images(found: dict[str, Any]) -> Iterator[str]:
    pods: Any = found
    for step in _PODS.get(found["kind"], ("",)):
        pods = pods.get(step) if isinstance(pods, dict) else None
    for field in ("containers", "initContainers"):
        for each in (pods.get(field) if isinstance(pods, dict) else None) or ():
            yield str(each.get("image", "")) if isinstance(each, dict) else ""


def essence(found: dict[str, Any]) -> bytes:
    """What an object asks for: without its status, and without what the cluster and deploys note on it."""
    about = found["metadata"]
    notes = {key: value for key, value in (about.get("annotations") or {}).items() if key not in (KEY, DIGEST)}
    rest = {key: value for key, value in found.items() if key not in ("metadata", "status")}
    return canonical({**rest, "labels": about.get("labels") or {}, "annotations": notes})


def stream(objects: Sequence[dict[str, Any]]) -> bytes:
    """One object a line: kubectl checks the fields of a `List` the old way, with a description of all of the API."""
    return b"".join(canonical(each) + b"\n" for each in objects)


class Kept:
    """What is kept of each deploy on this machine, below the target's state: private, one folder a key."""

    __slots__ = ("_state",)

    def __init__(self, state: str) -> None:
        self._state = state

    def path(self, key: str) -> str:
        """The file that is applied: one object a line."""
        return os.path.join(self._state, key, "release.jsonl")

    def keep(self, key: str, objects: Sequence[dict[str, Any]], before: dict[str, Any]) -> None:
        """Writes the objects of a deploy, and `before`: {id, revisions} of what was live. Raises Lost."""
        try:
            os.makedirs(os.path.join(self._state, key), mode=0o700, exist_ok=True)
            write_file(os.path.join(self._state, key, "before.json"), canonical(before))
            write_file(self.path(key), stream(objects))
        except OSError as error:
            raise Lost(f"the release cannot be kept ({error.strerror}), so nothing is sent") from None

    def objects(self, key: str) -> list[dict[str, Any]]:
        """The objects that a deploy sent; empty where this machine has them not."""
        try:
            with open(self.path(key) if _SOUND.fullmatch(key) else os.devnull, "rb") as file:
                return [json.loads(line) for line in file]
        except (OSError, ValueError, RecursionError):
            return []

    def before(self, key: str) -> dict[str, Any]:
        """What was live before a deploy; empty where this machine does not know."""
        return self._read(os.path.join(self._state, key, "before.json"))

    def revisions(self, id: str) -> dict[str, str]:
        """workload -> number, as they were when a release that was not sent from here was live."""
        try:
            keys = sorted(os.listdir(self._state), reverse=True)
        except OSError:
            return {}
        for key in keys:
            before = self.before(key)
            if before.get("id") == id and isinstance(before.get("revisions"), dict):
                return dict(before["revisions"])
        return {}

    @staticmethod
    def _read(path: str) -> dict[str, Any]:
        try:
            with open(path, "rb") as file:
                found = json.loads(file.read())
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}
