"""Turns a workload, as the cluster tells of it, into how far it is, and what it runs into a fingerprint."""

from __future__ import annotations

import hashlib

from ...journal import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# `kubectl rollout restart` sets it; the same release starts anew.
# https://kubernetes.io/docs/reference/labels-annotations-taints/#kubectl-k8s-io-restart-at, 2026-11-25
_RESTARTED = "kubectl.kubernetes.io/restartedAt"
_REVISION = "deployment.kubernetes.io/revision"


def fingerprint(workloads: Mapping[str, dict[str, Any] | None]) -> str:
    """Twelve digits over the pod templates of workloads, by name; None is one that does not exist.

    The number of replicas is no part of it: an autoscaler sets it, and that is no release.
    """
    templates = {name: _template(each) for name, each in workloads.items()}
    return hashlib.sha256(canonical(templates)).hexdigest()[:12]


def _template(found: dict[str, Any] | None) -> Any:
    if found is None:
        return None
    template = dict(found.get("spec", {}).get("template") or {})
    about = dict(template.get("metadata") or {})
    about.pop("creationTimestamp", None)  # written as null by older servers, left out by newer ones
    notes = {name: value for name, value in (about.pop("annotations", None) or {}).items() if name != _RESTARTED}
    return {**template, "metadata": {**about, "annotations": notes}}


def revision(found: dict[str, Any]) -> str:
    """The number that a Deployment counts its templates with; empty where there is none."""
    said = (found["metadata"].get("annotations") or {}).get(_REVISION)
    return said if isinstance(said, str) and said.isdecimal() else ""


def progress(found: dict[str, Any]) -> tuple[str, str]:
    """(ready, pending or failed; a word on it) of what a workload's spec asks for.

    A status that belongs to an earlier spec says nothing, and a condition alone does not prove that a rollout is over:
    the numbers are compared. https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status,
    2026-11-25; https://github.com/kubernetes/kubernetes/issues/124264
    """
    spec, status = found.get("spec") or {}, found.get("status") or {}
    if status.get("observedGeneration", 0) < found["metadata"].get("generation", 0):
        return "pending", "not seen by its controller yet"
    if found.get("kind") == "DaemonSet":
        wanted = status.get("desiredNumberScheduled", 0)
        counts = [status.get(each, 0) for each in ("updatedNumberScheduled", "numberAvailable")]
    else:
        wanted = spec.get("replicas", 1)
        counts = [status.get(each, 0) for each in ("replicas", "updatedReplicas", "availableReplicas")]
    text = f"{wanted} wanted, {min(counts)} of them new and available"
    if found.get("kind") == "Deployment":
        reason = next(
            (each.get("reason") for each in status.get("conditions") or () if each.get("type") == "Progressing"), ""
        )
        if reason == "ProgressDeadlineExceeded":
            return "failed", f"{text}; its progress deadline is over"
    if found.get("kind") == "StatefulSet" and status.get("currentRevision") != status.get("updateRevision"):
        return "pending", text
    return ("ready", text) if all(each == wanted for each in counts) else ("pending", text)


def job(found: dict[str, Any]) -> tuple[str, str]:
    """(ready, pending or failed; a word on it) of a Job: ready when it is complete."""
    told = {
        each.get("type") for each in (found.get("status") or {}).get("conditions") or () if each.get("status") == "True"
    }
    if told & {"Failed", "FailureTarget"}:
        return "failed", "the job has failed"
    return ("ready", "") if "Complete" in told else ("pending", "the job has not ended")


def variables(found: dict[str, Any]) -> tuple[set[str], set[tuple[str, str, str]]]:
    """The names of the variables of a workload's containers, and what else they take names from: (kind, name, prefix).

    Values are not looked at.
    """
    pods = found.get("spec", {}).get("template", {}).get("spec", {})
    names: set[str] = set()
    sources: set[tuple[str, str, str]] = set()
    for container in [*(pods.get("containers") or ()), *(pods.get("initContainers") or ())]:
        names |= {each["name"] for each in container.get("env") or ()}
        for each in container.get("envFrom") or ():
            for field, kind in (("configMapRef", "configmap"), ("secretRef", "secret")):
                if each.get(field):
                    sources.add((kind, each[field]["name"], each.get("prefix") or ""))
    return names, sources
