"""Answers what a Kubernetes pod may do to its node and to the cluster."""

from __future__ import annotations

from ..kinds.cluster import cluster_of
from ..kinds.manifest import integer, is_store, truth
from ..model import ABSENT, UNKNOWN, Fault, Item, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_USER, _ESCALATION, _CAPABILITIES, _SECCOMP = (
    "runAsNonRoot",
    "allowPrivilegeEscalation: false",
    "capabilities.drop: [ALL]",
    "seccompProfile",
)


def _all(it: Item) -> list[Item]:
    found: list[Item] = it.facts["containers"] + it.facts["init"]
    return found


def _effective(pod: Node, container: Node, field: str) -> Node:
    """A security field as it counts: the container's own, else the pod's."""
    return container.get("securityContext", field) or pod.get("securityContext", field)


def weak_context(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault a workload: the fields of the restricted profile that all its containers, or the worst, lack.

    Images of data stores leave root by themselves in their entry point, so theirs is a warning.
    """
    pod = it.facts["pod"]
    if pod.get("os", "name").text() == "windows":
        return
    found = []
    for one in _all(it):
        fields = list(_lacking(pod, one.node))
        if fields:
            found.append((one, fields))
    if not found:
        return
    worst, fields = max(found, key=lambda pair: len(pair[1]))
    names = [name for name, _ in fields]
    severity = None
    if not any(name in (_USER, _ESCALATION) for _, lacking in found for name, _ in lacking):
        if file.assumed:
            return
        severity = "warning"
    elif all(_store(one) for one, _ in found):
        severity = "note" if file.assumed else "warning"
    contradicting = next((node for _, node in fields if node), ABSENT)
    values = {"workload": it.facts["name"], "container": worst.facts["name"]}
    if len(found) == len(_all(it)) and all(len(other) == len(fields) for _, other in found):
        if not pod.get("securityContext") and not any(one.node.get("securityContext") for one, _ in found):
            names.append("readOnlyRootFilesystem")
        place = contradicting or pod.key("securityContext") or it.facts["pod_place"]
        yield Fault(place, severity=severity, missing=names, **values)
    else:
        place = contradicting or worst.node.key("securityContext") or worst.place
        related = [(one.place, "this container lacks some too") for one, _ in found if one is not worst]
        yield Fault(place, related=related, message="container", severity=severity, missing=names, **values)


def _store(one: Item) -> bool:
    image = one.facts["image"]
    return isinstance(image, Item) and is_store(image)


def _lacking(pod: Node, container: Node) -> Iterator[tuple[str, Node]]:
    """(field, contradicting value) for every field of the profile that a container lacks."""
    user = _effective(pod, container, "runAsUser")
    root = _effective(pod, container, "runAsNonRoot")
    number = integer(user)
    if UNKNOWN not in (user.kind, root.kind) and truth(root) is not True and not number:
        yield _USER, user if number == 0 else root
    own = container.get("securityContext")
    if own.kind is UNKNOWN or pod.get("securityContext").kind is UNKNOWN:
        return
    escalation = own.get("allowPrivilegeEscalation")
    if escalation.kind is not UNKNOWN and truth(escalation) is not False and truth(own.get("privileged")) is not True:
        yield _ESCALATION, escalation
    dropped = own.get("capabilities", "drop")
    if dropped.kind is not UNKNOWN and not any((one.text() or "").upper() == "ALL" for one in dropped.elements()):
        yield _CAPABILITIES, ABSENT
    profile = _effective(pod, container, "seccompProfile").get("type")
    if profile.kind is not UNKNOWN and profile.text() not in ("RuntimeDefault", "Localhost"):
        yield _SECCOMP, profile


def contradiction(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where a container must not be root and is told to be."""
    pod = it.facts["workload"].facts["pod"]
    user = _effective(pod, it.node, "runAsUser")
    root = _effective(pod, it.node, "runAsNonRoot")
    if truth(root) is True and integer(user) == 0:
        yield Fault(user, related=[(root, "must not be root")], container=it.facts["name"])


def writable_root(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault a workload whose containers are otherwise confined and may write to their image."""
    pod = it.facts["pod"]
    if it.facts["stateful"] or not it.facts["long_running"]:
        return
    names = []
    place: Node = ABSENT
    for one in it.facts["containers"]:
        own = one.node.get("securityContext")
        value = own.get("readOnlyRootFilesystem")
        if own.kind is UNKNOWN or value.kind is UNKNOWN or truth(value) is True:
            continue
        if own or pod.get("securityContext"):
            names.append(one.facts["name"])
            place = place or value or one.node.key("securityContext") or pod.key("securityContext")
    if names:
        yield Fault(place, workload=it.facts["name"], containers=names)


def mounted_token(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where a pod with no identity of its own carries the default account's token."""
    pod = it.facts["pod"]
    automount = pod.get("automountServiceAccountToken")
    if pod.kind is UNKNOWN or automount.kind is UNKNOWN or truth(automount) is False:
        return
    account = pod.get("serviceAccountName") or pod.get("serviceAccount")
    if account.kind is UNKNOWN:
        raise Undecided("the service account is filled in when the manifest is deployed", account)
    if account and account.text() != "default":
        return
    for one in cluster_of(file).named("ServiceAccount", "default", it):
        if truth(one.node.get("automountServiceAccountToken")) is False:
            return
    yield Fault(automount or it.facts["pod_place"], workload=it.facts["name"])


def host_access(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for each way in which a pod steps out of its isolation; node agents are let be."""
    facts = it.facts
    pod = facts["pod"]
    agent = facts["kind"] == "DaemonSet" or facts["namespace"] in params["system_namespaces"]
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if truth(pod.get(field)) is True and not agent:
            yield Fault(pod.get(field), workload=facts["name"], what=f"{field}: true")
    for volume in pod.get("volumes").elements():
        path = volume.get("hostPath", "path")
        text = path.text()
        if text is not None and text.rstrip("/").endswith(tuple(params["sockets"])):
            yield Fault(path, message="socket", workload=facts["name"], what=text)
        elif text is not None and not agent and (text.rstrip("/") or "/") in params["paths"]:
            yield Fault(path, message="path", workload=facts["name"], what=text)
    for one in _all(it):
        value = one.node.get("securityContext", "privileged")
        if truth(value) is True:
            severity = "warning" if agent else None
            yield Fault(value, severity=severity, workload=facts["name"], what="privileged: true")
        for capability in one.node.get("securityContext", "capabilities", "add").elements():
            text = (capability.text() or "").upper().removeprefix("CAP_")
            if text in params["capabilities"] and not agent:
                yield Fault(capability, workload=facts["name"], what=f"capability {text}")


def read_only_cache(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where Next.js cannot write its cache: a read-only root and no volume over `.next`."""
    if truth(_effective(it.facts["workload"].facts["pod"], it.node, "readOnlyRootFilesystem")) is not True:
        return
    if not it.facts["serves"] or file.project is None or not file.project.exists("package.json"):
        return
    package = file.project.package("")  # one application a repository: of several, nobody knows whose image this is
    words = " ".join(node.text() or "" for field in ("command", "args") for node in it.node.get(field).elements())
    runs_next = (
        "next start" in words
        or "server.js" in words
        or any(node.get("containerPort").text() == "3000" for node in it.node.get("ports").elements())
    )
    if package is None or not package.has("next") or not runs_next:
        return
    for mount in it.node.get("volumeMounts").elements():
        path = mount.get("mountPath")
        if path.kind is UNKNOWN or ".next" in (path.text() or ""):
            return
    place = it.node.get("securityContext", "readOnlyRootFilesystem") or it.place
    yield Fault(place, container=it.facts["name"])
