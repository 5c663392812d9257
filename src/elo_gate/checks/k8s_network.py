"""Answers whether traffic reaches a Kubernetes pod, how, and who else can."""

from __future__ import annotations

from ..kinds.cluster import Cluster, cluster_of, together
from ..kinds.manifest import backends, integer, labels, ports
from ..model import ABSENT, MAP, SCALAR, UNKNOWN, Fault, Item, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact


def selector_mismatch(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault where a workload's selector does not fit its own pod template."""
    facts = it.facts
    if facts["kind"] not in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"):
        return
    selector = facts["selector"]
    if selector.kind is UNKNOWN:
        raise Undecided("the selector is filled in when the manifest is deployed", selector)
    if selector.kind is not MAP or not selector.value:
        if it.node.get("spec").kind is MAP:
            yield Fault(it.node.key("spec"), message="missing", workload=facts["name"], kind=facts["kind"])
        return
    wanted = labels(selector.get("matchLabels"))
    for key, value in wanted.items():
        there = facts["labels"].get(key)
        if key in facts["labels"] and (there is None or value is None):
            yield Undecided("a label is filled in when the manifest is deployed", selector)
        elif there != value or key not in facts["labels"]:
            place = selector.get("matchLabels").key(key)
            found = f"{key}={there}" if there else None
            yield Fault(place, workload=facts["name"], label=f"{key}={value}", found=found)


def no_pods(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault where a Service selects no pod of any workload in its namespace."""
    selector = it.node.get("spec", "selector")
    wanted = labels(selector)
    if not wanted or it.node.get("spec", "type").text() == "ExternalName":
        return
    tree = cluster_of(file)
    found = tree.selected(wanted, it)
    if found is None:
        raise Undecided("a label is filled in when the manifest is deployed", selector)
    if found:
        return
    own = tree.by_path.get(it.node.source.path, ())
    neighbours = [pod for pod in own if pod.facts.get("partial") is False and together(pod, it)]
    namespace = it.facts["namespace"]
    if tree.open or not tree.pods or (namespace and not tree.namespaces & {namespace, ""}):
        yield Undecided("its pods may come from outside of the tree", selector)
        return
    words = ", ".join(f"{key}={value}" for key, value in wanted.items())
    related = [(pod, f"the pods of {pod.facts['name']} carry other labels") for pod in neighbours[:1]]
    place = it.node.get("spec").key("selector")
    yield Fault(place, related=related, service=it.facts["name"], selector=words)


def target_port(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where a Service sends traffic to a port that none of its pods' containers declares."""
    wanted = labels(it.node.get("spec", "selector"))
    pods = cluster_of(file).selected(wanted, it) if wanted else None
    if not pods:
        return
    pods = [pod for pod in pods if pod.node.source is it.node.source] or pods
    declared = [port for pod in pods for one in _listeners(pod) for port in ports(one)]
    names = {name for name, _, _ in declared if name}
    numbers = {number for _, number, _ in declared}
    for port in it.node.get("spec", "ports").elements():
        target = port.get("targetPort") or port.get("port")
        if target.kind is not SCALAR:
            continue
        number = integer(target)
        values = {"service": it.facts["name"], "port": target.value, "workload": pods[0].facts["name"]}
        related = [(node.get("containerPort"), "a declared port") for _, _, node in declared[:3]]
        if number is None and not (target.value.isdecimal() and len(target.value) < 20):
            if target.value not in names and not any(_unknown_ports(pod) for pod in pods):
                yield Fault(target, related=related, message="name", **values)
        elif declared and None not in numbers and (number or int(target.value)) not in numbers:
            if not _told(pods, target.value):
                yield Fault(target, related=related, **values)


def _listeners(pod: Item) -> list[Item]:
    main: list[Item] = pod.facts["containers"]
    return main + [one for one in pod.facts["init"] if one.facts["sidecar"]]


def _unknown_ports(pod: Item) -> bool:
    return any(one.node.get("ports").kind is UNKNOWN for one in pod.facts["containers"])


def _told(pods: list[Item], port: str) -> bool:
    """Whether a container's environment names the port, so that it listens there without declaring it."""
    for pod in pods:
        for one in pod.facts["containers"]:
            for entry in one.node.get("env").elements():
                value = entry.get("value")
                if value.kind is UNKNOWN or port in (value.text() or ""):
                    return True
    return False


def unknown_backend(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault where an Ingress or HTTPRoute sends traffic to a Service or port that is not there."""
    tree = cluster_of(file)
    seen = set()
    for name, port, node in backends(it):
        services = tree.named("Service", name, it)
        if (name, port.text()) in seen:
            continue
        seen.add((name, port.text()))
        if not services:
            if tree.open or not tree.of_kind("Service", it):
                yield Undecided("the Service may come from outside of the tree", node)
            else:
                yield Fault(node, message="service", route=it.facts["name"], service=name)
            continue
        if port.kind is SCALAR and not any(_offers(service, port) for service in services):
            related = [(services[0], "the Service")]
            yield Fault(port, related=related, route=it.facts["name"], service=name, port=port.value)


def _offers(service: Item, port: Node) -> bool:
    for one in service.node.get("spec", "ports").elements():
        for field in ("port", "name"):
            value = one.get(field)
            if value.kind is UNKNOWN or (value.kind is SCALAR and value.value == port.value):
                return True
    return service.node.get("spec", "type").text() == "ExternalName"


def exposed_service(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where a Service opens a door of its own: to a data store, beside an Ingress, on every node."""
    spec = it.node.get("spec")
    kind = spec.get("type")
    if kind.text() not in ("NodePort", "LoadBalancer") or _internal(it, params):
        return
    tree = cluster_of(file)
    values = {"service": it.facts["name"], "type": kind.value}
    for port in spec.get("ports").elements():
        number = integer(port.get("targetPort")) or integer(port.get("port"))
        store = params["stores"].get(str(number))
        if store:
            yield Fault(kind, message="store", store=store, **values)
            return
    for route in _routes(tree, it):
        if tree.deployed(route, file) and any(name == it.facts["name"] for name, _, _ in backends(route)):
            severity = "note" if file.assumed else "warning"
            related = [(route, "the route to the same Service")]
            yield Fault(kind, related=related, message="bypass", severity=severity, route=route.facts["name"], **values)
            return
    if kind.value == "NodePort":
        yield Fault(kind, message="node", severity="note" if file.assumed else "warning", **values)
    elif not any(word in key.value for key, _ in it.facts["annotations"].items() for word in ("ssl", "tls", "cert")):
        plain = [port for port in spec.get("ports").elements() if integer(port.get("port")) not in (443, 8443)]
        if plain and not file.assumed:
            yield Fault(kind, severity="warning", **values)


def _internal(it: Item, params: dict[str, Any]) -> bool:
    """Whether annotations or source ranges keep a load balancer inside of the network."""
    spec = it.node.get("spec")
    if spec.get("loadBalancerSourceRanges") or spec.get("loadBalancerClass").text() == "tailscale":
        return True
    for key, value in it.facts["annotations"].items():
        name, text = key.value.lower(), str(value.value).lower()
        if ("internal" in name and text not in ("false", "0.0.0.0/0")) or ("scheme" in name and text == "internal"):
            return True
        if name.endswith("load-balancer-type") and text == "internal":
            return True
    return False


def _routes(tree: Cluster, near: Item) -> list[Item]:
    return tree.of_kind("Ingress", near) + tree.of_kind("HTTPRoute", near)


def no_policy(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields one fault a namespace: at its first server when it has no policy at all, else at each one left out."""
    if not it.facts["server"]:
        return
    tree = cluster_of(file)
    if tree.selecting("NetworkPolicy", it):
        return
    for kind in params["other_kinds"]:
        if tree.of_kind(kind, it):
            raise Undecided(f"a {kind} of the namespace may do it", it)
    if tree.open:
        raise Undecided(f"a policy may come from elsewhere: {tree.open}", it)
    namespace = it.facts["namespace"] or "default"
    if tree.of_kind("NetworkPolicy", it):
        yield Fault(it.place, message="left_out", workload=it.facts["name"], namespace=namespace)
        return
    first = tree.first_server(it.facts["namespace"], file)
    if first is None or first is it.node:
        yield Fault(it.place, workload=it.facts["name"], namespace=namespace)


# -- Ingress and Gateway


def _annotation(it: Item, name: str) -> Node:
    node: Node = it.facts["annotations"].get(name)
    return node


def no_tls(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault for an Ingress without TLS, or a Gateway that listens on HTTP alone."""
    spec = it.node.get("spec")
    if it.facts["kind"] == "Gateway":
        listeners = spec.get("listeners").elements()
        protocols = {listener.get("protocol").text() for listener in listeners}
        if listeners and None not in protocols and protocols <= {"HTTP"}:
            yield Fault(spec.key("listeners"), message="gateway", name=it.facts["name"])
        return
    tls = spec.get("tls")
    if tls.kind is UNKNOWN or spec.kind is UNKNOWN:
        raise Undecided("tls is filled in when the manifest is deployed", tls)
    if tls.elements():
        return
    if it.facts["annotations"].kind is UNKNOWN:
        raise Undecided("the annotations are filled in when the manifest is deployed", it.facts["annotations"])
    for key, value in it.facts["annotations"].items():
        name = key.value.lower()
        if any(word in name for word in params["annotations"]):
            return
        if name.endswith("/listen-ports") and (value.kind is UNKNOWN or "HTTPS" in (value.text() or "")):
            return
    if ingress_class(it)[0] in params["classes"]:
        return
    yield Fault(it.node.key("spec") or it.place, name=it.facts["name"])


def uncovered_host(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a host of an Ingress that no entry under `tls` names."""
    spec = it.node.get("spec")
    entries = spec.get("tls").elements()
    if not entries or any(entry.kind is UNKNOWN or not entry.get("hosts").elements() for entry in entries):
        return
    hosts = [host for entry in entries for host in entry.get("hosts").elements()]
    if any(host.kind is not SCALAR for host in hosts):
        return
    covered = {host.value.lower() for host in hosts}
    for rule in spec.get("rules").elements():
        host = rule.get("host")
        name = (host.text() or "").lower()
        if name and name not in covered and "*." + name.partition(".")[2] not in covered:
            related = [(spec.key("tls"), "the hosts with a certificate")]
            yield Fault(host, related=related, name=it.facts["name"], host=host.value)


def ingress_class(it: Item) -> tuple[str, Node]:
    """The class of an Ingress and where it is written: the field, else the old annotation."""
    for node in (it.node.get("spec", "ingressClassName"), _annotation(it, "kubernetes.io/ingress.class")):
        if node.kind is SCALAR and not node.is_null():
            return node.value, node
    return "", ABSENT


def class_annotation(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for the annotation that `spec.ingressClassName` has replaced."""
    annotation = _annotation(it, "kubernetes.io/ingress.class")
    text = annotation.text()
    if text is None or text in params["required_by"]:
        return
    field = it.node.get("spec", "ingressClassName")
    place = it.facts["annotations"].key("kubernetes.io/ingress.class")
    if field:
        related = [(field, "the class field")]
        yield Fault(place, related=related, message="both", severity="error", name=it.facts["name"], value=text)
    else:
        yield Fault(place, name=it.facts["name"], value=text)


def retired_controller(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for an Ingress that ingress-nginx serves, as far as its class or annotations tell."""
    table = file.project.table("k8s-api") if file.project is not None else {}
    retired = table.get("ingress_nginx", {}).get("retired", "")
    if not retired or file.project.as_of < retired:
        return
    for key, _ in it.facts["annotations"].items():
        if key.value.startswith("nginx.ingress.kubernetes.io/"):
            yield Fault(ingress_class(it)[1] or key, message="certain", name=it.facts["name"], since=retired)
            return
        if key.value.startswith("nginx.org/"):
            return
    name, node = ingress_class(it)
    if name in params["classes"]:
        yield Fault(node, name=it.facts["name"], value=name, since=retired)


def no_issuer(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault where nothing in the tree brings the certificate that `tls` names."""
    for key, _ in it.facts["annotations"].items():
        if key.value.startswith(("cert-manager.io/", "kubernetes.io/tls-acme", "certmanager.k8s.io/")):
            return
    tree = cluster_of(file)
    for entry in it.node.get("spec", "tls").elements():
        name = entry.get("secretName")
        text = name.text()
        if text is None or declared(tree, "Secret", text, it) is not None:
            continue
        if tree.open:
            yield Undecided(f"the Secret may come from elsewhere: {tree.open}", name)
        else:
            yield Fault(name, name=it.facts["name"], secret=text)


def staging_issuer(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault where the certificate comes from an issuer whose certificates browsers refuse."""
    nodes = [_annotation(it, name) for name in ("cert-manager.io/cluster-issuer", "cert-manager.io/issuer")]
    nodes.append(it.node.get("spec", "issuerRef", "name"))
    for node in nodes:
        words = (node.text() or "").lower().replace("_", "-").replace(".", "-").split("-")
        if any(word in params["words"] for word in words):
            yield Fault(node, name=it.facts["name"], issuer=node.value)
            continue
        if not words[0]:
            continue
        for kind in ("ClusterIssuer", "Issuer"):
            for issuer in cluster_of(file).named(kind, node.value, it):
                server = issuer.node.get("spec", "acme", "server")
                if "staging" in (server.text() or ""):
                    related = [(server, "the staging server")]
                    yield Fault(node, related=related, name=it.facts["name"], issuer=node.value)
                    break


def declared(tree: Cluster, kind: str, name: str, near: Item) -> list[frozenset[str] | None] | None:
    """The key sets of what declares a Secret or ConfigMap of a name, None where keys are not known.

    None in place of the list when nothing declares it.
    """
    found: list[frozenset[str] | None] = []
    for item in tree.named(kind, name, near):
        keys: set[str] = set()
        for field in ("data", "stringData", "binaryData"):
            keys.update(item.node.get(field).index or ())
        found.append(frozenset(keys))
    for namespace, generated in tree.generated.get((kind, name), ()):
        if not namespace or not near.facts["namespace"] or namespace == near.facts["namespace"]:
            found.append(generated)
    if kind == "Secret":
        found += _brought(tree, name, near)
    return found or None


# Objects from which other controllers make Secrets under names that only they know.
_BRINGERS = ("SecretProviderClass", "VaultStaticSecret", "VaultDynamicSecret", "InfisicalSecret", "OnePasswordItem")


def _brought(tree: Cluster, name: str, near: Item) -> list[frozenset[str] | None]:
    """Secrets that a controller makes of another object: SealedSecret, ExternalSecret, Certificate."""
    found: list[frozenset[str] | None] = []
    for item in tree.of_kind("SealedSecret", near):
        if (item.node.get("spec", "template", "metadata", "name").text() or item.facts["name"]) == name:
            found.append(frozenset(item.node.get("spec", "encryptedData").index or ()))
    for item in tree.of_kind("ExternalSecret", near):
        spec = item.node.get("spec")
        if (spec.get("target", "name").text() or item.facts["name"]) == name:
            keys = frozenset(entry.get("secretKey").text() or "" for entry in spec.get("data").elements())
            found.append(None if spec.get("dataFrom") or spec.get("target", "template") else keys)
    for item in tree.of_kind("Certificate", near):
        if item.node.get("spec", "secretName").text() == name:
            found.append(frozenset(("tls.crt", "tls.key", "ca.crt")))
    for kind in _BRINGERS:
        if tree.of_kind(kind, near):
            found.append(None)
    return found
