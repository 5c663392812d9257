"""Answers whether a Kubernetes workload stays up while nodes drain, pods restart and releases roll."""

from __future__ import annotations

from ..kinds.cluster import Cluster, cluster_of
from ..kinds.manifest import integer, truth
from ..model import MAP, SCALAR, UNKNOWN, Fault, Item, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact


def _replicas(it: Item, tree: Cluster) -> tuple[int, Node]:
    """How many replicas run at least, and what says so: an autoscaler's minimum, else the workload's own."""
    scalers = tree.autoscalers(it)
    if scalers:
        node = scalers[0].node.get("spec", "minReplicas") or scalers[0].node.get("spec", "minReplicaCount")
        if node.kind is UNKNOWN:
            raise Undecided("the number of replicas is filled in when the manifest is deployed", node)
        return integer(node) or 1, node or scalers[0].place
    count = it.facts["replicas"]
    if isinstance(count, Node):
        raise Undecided("the number of replicas is filled in when the manifest is deployed", count)
    return count, it.node.get("spec", "replicas") or it.node.key("spec") or it.place


def few_replicas(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault where a stateless server runs fewer replicas than a node's loss or a release needs."""
    facts = it.facts
    if not facts["server"] or facts["stateful"] or facts["kind"] != "Deployment":
        return
    if it.node.get("spec", "strategy", "type").text() == "Recreate":
        return
    elo = file.project is not None and file.project.elo
    least = params["declared"] if elo else params["minimum"]
    tree = cluster_of(file)
    count, place = _replicas(it, tree)
    if count == 0 or count >= least:
        return
    if tree.open and not tree.autoscalers(it):
        yield Undecided(f"an autoscaler may raise the number: {tree.open}", place)
        return
    yield Fault(place, workload=facts["name"], count=count, minimum=least)


def fragile(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields one fault a replicated server that lists what keeps it up and is not there."""
    facts = it.facts
    if facts["kind"] not in ("Deployment", "StatefulSet") or not facts["server"]:
        return
    tree = cluster_of(file)
    count, _ = _replicas(it, tree)
    if count < 2:
        return
    pod = facts["pod"]
    if pod.kind is UNKNOWN:
        raise Undecided("the pod is filled in when the manifest is deployed", pod)
    missing = []
    scaled = tree.autoscalers(it)
    if not tree.open:
        if facts["kind"] == "Deployment" and not scaled and not facts["stateful"]:
            missing.append("a HorizontalPodAutoscaler")
        if not tree.selecting("PodDisruptionBudget", it):
            missing.append("a PodDisruptionBudget")
    if not pod.get("topologySpreadConstraints") and not pod.get("affinity", "podAntiAffinity"):
        missing.append("topologySpreadConstraints")
    if facts["services"] and not any(one.node.get("lifecycle", "preStop") for one in facts["containers"]):
        missing.append("a preStop hook")
    allowed = _unavailable(it, count)
    if allowed is not None and allowed >= count:
        missing.append("a rollout that keeps pods up (maxUnavailable below the number of replicas)")
    elo = file.project is not None and file.project.elo
    if missing == ["a HorizontalPodAutoscaler"] and not elo:
        missing = []
    if missing:
        yield Fault(it.place, workload=facts["name"], count=count, missing=missing)
    elif tree.open:
        yield Undecided(f"a budget or autoscaler may come from elsewhere: {tree.open}", it)


def _unavailable(it: Item, count: int) -> int | None:
    """How many pods a rollout may take down at once, None when that cannot be known."""
    strategy = it.facts["strategy"]
    if strategy.get("type").text() == "Recreate":
        return count
    value = strategy.get("rollingUpdate", "maxUnavailable")
    if value.kind is not SCALAR:
        return None
    if value.value.endswith("%") and value.value[:-1].isdecimal() and len(value.value) < 20:
        return count * int(value.value[:-1]) // 100
    return integer(value)


def abrupt_stop(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where a pod is killed before it can finish: no grace, or a hook that uses all of it."""
    facts = it.facts
    pod = facts["pod"]
    grace = pod.get("terminationGracePeriodSeconds")
    seconds = integer(grace) if grace else 30
    if seconds is None or not facts["long_running"]:
        return
    if seconds == 0:
        if facts["server"]:
            yield Fault(grace, workload=facts["name"], seconds=0)
        return
    for one in facts["containers"]:
        hook = one.node.get("lifecycle", "preStop")
        place, pause = _pause(hook)
        if pause is not None and pause >= seconds:
            yield Fault(place, message="hook", workload=facts["name"], seconds=seconds, pause=pause)


def _pause(hook: Node) -> tuple[Node, int | None]:
    """How long a preStop hook sleeps, and where that is written."""
    node = hook.get("sleep", "seconds")
    if node:
        return node, integer(node)
    for word in hook.get("exec", "command").elements():
        parts = (word.text() or "").split()
        for at, part in enumerate(parts[1:], 1):
            if parts[at - 1] in ("sleep", "/bin/sleep") and part.rstrip(";&").isdecimal() and len(part) < 20:
                return word, int(part.rstrip(";&"))
    words = [word.text() or "" for word in hook.get("exec", "command").elements()]
    if len(words) == 2 and words[0] in ("sleep", "/bin/sleep") and words[1].isdecimal() and len(words[1]) < 20:
        return hook.get("exec", "command", 1), int(words[1])
    return hook, None


def fixed_replicas(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where a manifest sets the number that an autoscaler manages."""
    if it.facts["kind"] not in ("Deployment", "StatefulSet"):
        return
    replicas = it.node.get("spec", "replicas")
    if not replicas:
        return
    scalers = cluster_of(file).autoscalers(it)
    if scalers:
        name = scalers[0].facts["name"]
        related = [(scalers[0], "the autoscaler")]
        yield Fault(replicas, related=related, workload=it.facts["name"], autoscaler=name, count=replicas)


def autoscaler(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault for an autoscaler that cannot scale: no such target, or no request to measure against."""
    spec = it.node.get("spec")
    target = spec.get("scaleTargetRef")
    kind, name = target.get("kind").text(), target.get("name").text()
    if kind is None or name is None or kind not in ("Deployment", "StatefulSet", "ReplicaSet"):
        return
    tree = cluster_of(file)
    found = [one for one in tree.named(kind, name, it) if not one.facts["partial"]]
    if not found:
        if tree.open or not tree.of_kind(kind, it):
            yield Undecided("its target may come from outside of the tree", target.get("name"))
        else:
            yield Fault(target.get("name"), autoscaler=it.facts["name"], target=f"{kind} {name}")
        return
    for metric in spec.get("metrics").elements():
        source = metric.get("resource")
        resource = source.get("name").text()
        if source.get("target", "type").text() != "Utilization" or resource not in ("cpu", "memory"):
            continue
        pod = found[0].facts["pod"]
        if pod.get("resources").kind is MAP or tree.of_kind("LimitRange", found[0]):
            continue
        for one in found[0].facts["containers"]:
            requests, limits = one.facts["requests"], one.facts["limits"]
            asked = requests.get(resource) or limits.get(resource)
            if not asked and UNKNOWN not in (one.facts["resources"].kind, requests.kind, limits.kind):
                yield Fault(
                    source.get("name"),
                    related=[(one.place, "this container has no request for it")],
                    message="request",
                    autoscaler=it.facts["name"],
                    resource=resource,
                    container=one.facts["name"],
                )


def no_history(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where no earlier revision is kept to roll back to."""
    limit = it.node.get("spec", "revisionHistoryLimit")
    if integer(limit) == 0:
        yield Fault(limit, workload=it.facts["name"])


def shared_volume(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where several replicas of a Deployment mount a claim that one node may mount."""
    facts = it.facts
    if facts["kind"] != "Deployment":
        return
    tree = cluster_of(file)
    count, place = _replicas(it, tree)
    if count < 2:
        return
    for volume in facts["pod"].get("volumes").elements():
        name = volume.get("persistentVolumeClaim", "claimName")
        if name.kind is not SCALAR or truth(volume.get("persistentVolumeClaim", "readOnly")) is True:
            continue
        for claim in tree.named("PersistentVolumeClaim", name.value, it):
            modes = {mode.text() for mode in claim.node.get("spec", "accessModes").elements()}
            if modes and modes <= {"ReadWriteOnce", "ReadWriteOncePod"}:
                related: list[tuple[Node | Item, str]] = [(claim, "the claim"), (place, "the replicas")]
                yield Fault(name, related=related, workload=facts["name"], claim=name.value, count=count)
