"""Turns findings in Kubernetes manifests into edits."""

from __future__ import annotations

from ..model import SCALAR, Item, Node
from .edit import Edit
from .maps import add_entry, inner, plain_scalar, remove_entry, slice_of, written_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..model import Artifact, Fault


def quoted(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """Quotes around the value as it is written."""
    node = fault.at.node if isinstance(fault.at, Item) else fault.at
    written = slice_of(node)
    if not plain_scalar(node) or written != node.value or not written.replace(".", "").replace("_", "").isalnum():
        return []
    return [Edit(node.source, node.start, node.end, f'"{written}"')]


def restart_policy(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """`Always`, where the API takes nothing else; of a job's two policies one has to be chosen."""
    if fault.values["allowed"] != "Always" or not isinstance(fault.at, Node):
        return []
    return inner(fault.at, fault.values["policy"], "Always")


# Kinds whose served version has no notable changes (kubernetes.io/docs/reference/using-api/deprecation-guide, looked up
# on 2026-11-25), but for those that `served_api` looks at.
_SAME = frozenset(
    """CronJob PodDisruptionBudget HorizontalPodAutoscaler Role RoleBinding ClusterRole ClusterRoleBinding PriorityClass
    Lease IngressClass RuntimeClass APIService StorageClass CSIDriver CSINode VolumeAttachment""".split()
)


def served_api(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """The version that is served, where the object means the same in it."""
    api, kind, instead = fault.values["api"], fault.values["kind"], fault.values["instead"]
    if kind not in _SAME or not isinstance(fault.at, Node) or api.partition("/")[0] != instead.partition("/")[0]:
        return []
    if kind == "PodDisruptionBudget":
        selector = it.node.get("spec", "selector")
        if not (selector.get("matchLabels") or selector.get("matchExpressions")):
            return []  # an empty selector meant no pod, and means every one
    if kind == "HorizontalPodAutoscaler" and (api != "autoscaling/v2beta2" or "targetAverage" in slice_of(it.node)):
        return []
    return inner(fault.at, api, instead)


def account_token(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """Switches the mount off: somebody has to know that nothing in the pod asks the API."""
    pod = it.facts["pod"]
    given = pod.get("automountServiceAccountToken")
    if given:
        return inner(given, str(given.value), "false") if given.kind is SCALAR else []
    if not written_at(it.facts["pod_place"], pod):
        return []
    return add_entry(pod, "automountServiceAccountToken: false", ("serviceAccountName",))


def class_field(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """The field in the place of the annotation; an IngressClass of that name has to be there."""
    name, annotations = "kubernetes.io/ingress.class", it.facts["annotations"]
    metadata = it.node.get("metadata")
    removed = remove_entry(annotations, name) if len(annotations.value) > 1 else remove_entry(metadata, "annotations")
    spec = it.node.get("spec")
    if not removed or not written_at(it.node.key("spec"), spec):
        return []
    if fault.message == "both":
        return removed
    value = slice_of(annotations.get(name))
    return [*removed, *added] if (added := add_entry(spec, f"ingressClassName: {value}")) else []


def old_field(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """`resources` for `bases`, which is the same list; the other fields changed more than their names."""
    if fault.values["fields"] != ["bases"] or it.node.get("resources"):
        return []
    return inner(it.node.key("bases"), "bases", "resources")


def history(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """Takes the line out: ten revisions are kept."""
    return remove_entry(it.node.get("spec"), "revisionHistoryLimit")


def fixed_replicas(fault: Fault, it: Item, file: Artifact, params: dict[str, Any]) -> list[Edit]:
    """Takes the line out; the next `apply` sets one replica once."""
    return remove_entry(it.node.get("spec"), "replicas")
