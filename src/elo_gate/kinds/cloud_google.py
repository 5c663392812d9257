"""Turns the YAML of Cloud Run services, jobs and worker pools into services and containers.

Source, looked up 2026-11-25: docs.cloud.google.com/run/docs/reference/yaml/v1. A Knative service of one's own cluster
has the same form.
"""

from __future__ import annotations

from ..model import SCALAR, UNKNOWN, Item, Node
from . import cloud


def services(root: Node, path: str) -> list[Item]:
    """The service or job of one document."""
    kind = root.get("kind").text()
    if kind not in ("Service", "Job", "WorkerPool", "Configuration", "Revision"):
        return []
    spec = root.get("spec")
    template = spec.get("template")
    # A job has one template more: of the execution, then of the task.
    pod = template.get("spec", "template", "spec") if kind == "Job" else template.get("spec")
    if not pod.get("containers"):
        pod = spec if spec.get("containers") else pod
    notes, revision = root.get("metadata", "annotations"), template.get("metadata", "annotations")
    ingress = notes.get("run.googleapis.com/ingress")
    name = root.get("metadata", "name")
    place = pod.key("containers") or root.key("spec") or root.value[0][0]
    job = kind in ("Job", "WorkerPool")
    made = [_container(each, place, job) for each in pod.get("containers").elements()]
    public = None if ingress.kind is UNKNOWN else not job and (ingress.text() or "all") == "all"
    least = revision.get("autoscaling.knative.dev/minScale") or notes.get("run.googleapis.com/minScale")
    item = cloud.service(
        root,
        name if name.kind is SCALAR else place,
        "cloudrun",
        name.text() or "",
        containers=made,
        job=job,
        public=public,
        least=least,
        most=revision.get("autoscaling.knative.dev/maxScale") or notes.get("run.googleapis.com/maxScale"),
        timeout=pod.get("timeoutSeconds"),
        open_to_all=notes.get("run.googleapis.com/invoker-iam-disabled"),
    )
    for each in made:
        each.facts["service"] = item
    return [item]


def _container(node: Node, place: Node, job: bool) -> Item:
    env = [
        cloud.variable(each.get("name"), each.get("value"), bool(each.get("valueFrom")))
        for each in node.get("env").elements()
        if each.get("name").kind is SCALAR
    ]
    limits = node.get("resources", "limits")
    return cloud.container(
        node,
        node.key("image") or place,
        "cloudrun",
        node.get("name").text() or "",
        env=env,
        ports=[port for each in node.get("ports").elements() if (port := each.get("containerPort"))],
        memory=limits.get("memory"),
        memory_limit=limits.get("memory"),
        cpu=limits.get("cpu"),
        health=node.get("livenessProbe") or node.get("startupProbe"),
        liveness=node.get("livenessProbe"),
        startup=node.get("startupProbe"),
        job=job,
    )
