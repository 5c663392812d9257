"""Answers whether the API server takes a Kubernetes object as it is written, and finds what it needs."""

from __future__ import annotations

from ..kinds import k8s
from ..kinds.cluster import cluster_of
from ..kinds.manifest import CLUSTER_WIDE, KINDS, WORKLOADS, is_text, references
from ..model import MAP, SCALAR, UNKNOWN, Fault, Item, Node, Undecided
from .k8s_network import declared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact


def removed_api(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for an API version that supported clusters no longer serve, or soon will not."""
    if file.project is None:
        return
    api, kind = it.facts["api"], it.facts["kind"]
    if "beta" not in api and "alpha" not in api and api != "extensions/v1beta1":
        return
    table = file.project.table("k8s-api")
    row = table.get("removed", {}).get(f"{api} {kind}")
    if row is None:
        return
    at = it.node.get("apiVersion")
    values = {"api": api, "kind": kind, "version": row["version"], "instead": row["instead"] or "nothing"}
    if file.project.as_of >= row["released"]:
        yield Fault(at, **values)
    else:
        yield Fault(at, message="soon", severity="warning", **values)


def not_text(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a plain number or boolean where the API takes text only."""
    kind = it.facts["kind"]
    if kind in WORKLOADS:
        for one in it.facts["containers"] + it.facts["init"]:
            for entry in one.node.get("env").elements():
                value = entry.get("value")
                if value.kind is SCALAR and not value.style and not value.is_null() and not is_text(value):
                    yield Fault(value, field=f"env {entry.get('name').text()}")
    elif kind in ("ConfigMap", "Secret"):
        for field in ("data", "stringData"):
            yield from _plain(it.node.get(field), field)
    metadata = it.facts["metadata"]
    for field in ("labels", "annotations"):
        if metadata.index is not None and field in metadata.index:
            yield from _plain(metadata.get(field), field)


def _plain(node: Node, field: str) -> Iterator[Fault]:
    for key, value in node.items():
        if value.kind is SCALAR and not value.style and value.value and not value.is_null() and not is_text(value):
            yield Fault(value, field=f"{field}.{key.value}")


def restart_policy(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a restart policy that the kind of workload does not allow."""
    kind, pod = it.facts["kind"], it.facts["pod"]
    policy = pod.get("restartPolicy")
    if pod.kind is not MAP or policy.kind is UNKNOWN:
        return
    text = policy.text() or "Always"
    if kind in ("Job", "CronJob"):
        allowed: tuple[str, ...] = ("OnFailure", "Never")
    elif kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"):
        allowed = ("Always",)
    else:
        return
    if text not in allowed:
        values = {"workload": it.facts["name"], "kind": kind, "policy": text, "allowed": " or ".join(allowed)}
        yield Fault(policy or it.facts["pod_place"], **values)


def no_namespace(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault a file whose objects go wherever the current context of kubectl points."""
    if file.assumed:
        return
    for item in k8s.view(file, "objects"):
        facts = item.facts
        if facts["kind"] not in KINDS or facts["kind"] in CLUSTER_WIDE or facts["metadata"].get("namespace"):
            continue
        if facts["metadata"].kind is not UNKNOWN:
            place = item.node.key("metadata") or item.place
            yield Fault(place, kind=facts["kind"], name=facts["name"])
        return


def undeclared(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault for each Secret or ConfigMap, or key of one, that a pod needs and nothing declares."""
    tree = cluster_of(file)
    seen: set[tuple[str, str, str]] = set()
    for kind, name, key, node in references(it.facts["pod"]):
        if (kind, name, "") in seen or (kind, name, key) in seen:
            continue
        found = declared(tree, kind, name, it)
        if found is None:
            seen.add((kind, name, ""))
            if tree.open:
                yield Undecided(f"the {kind} may come from elsewhere: {tree.open}", node)
            else:
                yield Fault(node, workload=it.facts["name"], kind=kind, name=name)
        elif key and None not in found and not any(keys is not None and key in keys for keys in found):
            seen.add((kind, name, key))
            yield Fault(node, message="key", workload=it.facts["name"], kind=kind, name=name, key=key)


def no_labels(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a workload that carries none of the labels which tools group objects by."""
    if file.assumed or it.facts["kind"] == "Pod":
        return
    own = it.facts["metadata"].get("labels")
    if own.kind is UNKNOWN:
        return
    names = set(own.index or ()) | set(it.facts["labels"])
    if not any(name.startswith("app.kubernetes.io/") for name in names):
        place = it.facts["metadata"].key("labels") or it.node.key("metadata") or it.place
        yield Fault(place, workload=it.facts["name"])


def missing_file(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for each path of a kustomization that is not in the tree."""
    for node in it.facts["missing"]:
        yield Fault(node, path=node.value)


def old_fields(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault a kustomization that lists the fields kustomize has replaced."""
    names = [name for name in params["fields"] if it.node.get(name)]
    if names:
        instead = [f"{name} -> {params['fields'][name]}" for name in names]
        yield Fault(it.node.key(names[0]), fields=names, instead=instead)
