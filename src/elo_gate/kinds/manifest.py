"""Turns the documents of a Kubernetes manifest into objects, pods and containers that rules can ask about.

Values are typed as Kubernetes does (sigs.k8s.io/yaml: YAML 1.1 words for booleans, octal integers). A
value of the wrong type is absent; a value that a tool fills in later (`${TAG}`, `{{ tag }}`) is unknown.
"""

from __future__ import annotations

from ..model import ABSENT, MAP, SCALAR, SEQ, UNKNOWN, Item, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

WORKLOADS = frozenset(
    ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Pod", "Job", "CronJob")
)
LONG_RUNNING = frozenset(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Pod"))

# What is judged; every other kind is counted only (its apiVersion is still looked at).
KINDS = WORKLOADS | frozenset(
    "Service Ingress Gateway HTTPRoute HorizontalPodAutoscaler PodDisruptionBudget NetworkPolicy Secret "
    "ExternalSecret SealedSecret Certificate ConfigMap ServiceAccount Namespace".split()
)
# Kinds without a namespace of their own.
CLUSTER_WIDE = frozenset(
    "Namespace ClusterRole ClusterRoleBinding CustomResourceDefinition PersistentVolume StorageClass PriorityClass "
    "IngressClass GatewayClass ClusterIssuer ClusterSecretStore ClusterExternalSecret ValidatingWebhookConfiguration "
    "MutatingWebhookConfiguration RuntimeClass APIService CSIDriver Node PodSecurityPolicy ClusterPolicy".split()
)
# Images of stores: one replica is right for them, however they are deployed.
_STORES = (
    "postgres", "postgresql", "mysql", "mariadb", "mongo", "mongodb", "redis", "valkey", "memcached", "rabbitmq",
    "elasticsearch", "opensearch", "meilisearch", "clickhouse", "minio", "influxdb", "etcd", "zookeeper", "kafka",
    "nats", "cassandra", "neo4j", "qdrant", "weaviate", "couchdb", "keydb", "dragonfly", "timescaledb", "pgvector",
    "postgis", "mssql", "server-mssql", "prometheus", "loki", "typesense", "registry", "vault", "consul",
)  # fmt: skip
_TRUE = frozenset(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"))
_FALSE = frozenset(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"))
_STAND_INS = ("placeholder", "replace", "changeme", "change_me", "change-me")


def truth(node: Node) -> bool | None:
    """The boolean of a plain scalar; None for anything else, quoted words included (the API refuses those)."""
    if node.kind is not SCALAR or node.style:
        return None
    return True if node.value in _TRUE else False if node.value in _FALSE else None


def integer(node: Node) -> int | None:
    """The whole number of a plain scalar, octal (`0755`) as YAML 1.1 reads it; None for anything else."""
    if node.kind is not SCALAR or node.style or not node.value or node.value[-1] not in "0123456789abcdefABCDEF":
        return None
    text = node.value.replace("_", "")
    try:
        if len(text) > 1 and text[0] == "0" and text.isdigit():
            return int(text, 8)
        return int(text, 0) if text[:2] in ("0x", "0o", "0b") else int(text)
    except ValueError:
        return None


def is_text(node: Node) -> bool:
    """Whether Kubernetes takes a scalar for a string: quoted, or plain and neither number, boolean nor null."""
    if node.kind is not SCALAR or node.style:
        return True
    text = node.value
    if text in _TRUE or text in _FALSE or node.is_null():
        return False
    if text[:1] not in "+-.0123456789" or text.count(".") > 1 or ("-" in text[1:] and "e" not in text.lower()):
        return True
    if integer(node) is not None:
        return False
    try:
        float(text.replace("_", ""))
    except ValueError:
        return text not in (".inf", "-.inf", "+.inf", ".nan", ".Inf", "-.Inf", ".NaN")
    return text.lower().lstrip("+-") in ("inf", "nan", "infinity")


def veil(root: Node) -> None:
    """Makes every value unknown that a tool fills in before Kubernetes reads it: `${NAME}` and `{{ name }}`."""
    stack = [root]
    seen = set()
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.kind is SCALAR:
            if "${" in node.value or "{{" in node.value:
                node.kind = UNKNOWN
        elif node.kind is MAP:
            if node.source.text.startswith("{{", node.start):
                node.kind, node.value, node.index = UNKNOWN, node.source.text[node.start : node.end], None
                continue
            stack.extend(value for _, value in node.value)
        elif node.kind is SEQ:
            stack.extend(node.value)


def flatten(documents: Sequence[Node]) -> list[Node]:
    """Documents that are objects, the items of a `kind: List` one by one."""
    found: list[Node] = []
    for document in documents:
        if document.kind is not MAP:
            continue
        kind = document.get("kind").text()
        items = document.get("items")
        if kind is not None and kind.endswith("List") and items.kind is SEQ:
            found.extend(item for item in items.value if item.kind is MAP)
        else:
            found.append(document)
    return found


def describe(node: Node) -> Item | None:
    """One object: kind, name, namespace ("" when not known) and apiVersion; None for what is no object."""
    index = node.index
    if index is None or "kind" not in index or "apiVersion" not in index:
        return None
    kind, api = index["kind"][1], index["apiVersion"][1]
    if kind.kind is not SCALAR or api.kind is not SCALAR:
        return None
    metadata = node.get("metadata")
    name = metadata.get("name")
    namespace = metadata.get("namespace")
    return Item(
        node,
        {
            "kind": kind.value,
            "api": api.value,
            "name": name.value if name.kind is SCALAR else "",
            "namespace": namespace.value if namespace.kind is SCALAR and not namespace.is_null() else "",
            "metadata": metadata,
            "annotations": metadata.get("annotations"),
        },
        kind,
    )


def labels(node: Node) -> dict[str, str | None]:
    """A map of labels as text; None stands for a value that cannot be known."""
    if node.index is None:
        return {}
    return {name: value.value if value.kind is SCALAR else None for name, (_, value) in node.index.items()}


def selects(selector: Node, pod: dict[str, str | None]) -> bool | None:
    """Whether a label selector (`matchLabels`, `matchExpressions`) fits a pod's labels; None when unknown."""
    if selector.kind is UNKNOWN:
        return None
    answer: bool | None = fits(labels(selector.get("matchLabels")), pod)
    for expression in selector.get("matchExpressions").elements():
        key, operator = expression.get("key").text(), expression.get("operator").text()
        values = [value.text() for value in expression.get("values").elements()]
        if key is None or operator is None or None in values or (key in pod and pod[key] is None):
            answer = None if answer else answer
            continue
        there = key in pod
        if operator == "In":
            holds = there and pod[key] in values
        elif operator == "NotIn":
            holds = not there or pod[key] not in values
        else:
            holds = there is (operator == "Exists")
        if not holds:
            return False
    return answer


def fits(wanted: dict[str, str | None], pod: dict[str, str | None]) -> bool | None:
    """Whether every wanted label is on the pod; None when that hangs on an unknown value."""
    answer: bool | None = True
    for key, value in wanted.items():
        if key not in pod:
            return False
        other = pod[key]
        if value is None or other is None:
            answer = None
        elif value != other:
            return False
    return answer


def workload(item: Item) -> Item:
    """An object that runs pods, with its pod's spec, labels and containers as further facts."""
    node, facts = item.node, item.facts
    kind = facts["kind"]
    spec = node.get("spec")
    pod = node.get(*pod_path(kind))
    template = node if kind == "Pod" else node.get(*pod_path(kind)[:-1])
    holder = node if kind == "Pod" else template
    facts["spec"] = spec
    facts["pod"] = pod
    facts["pod_place"] = holder.key("spec") or item.place
    facts["labels"] = labels(template.get("metadata", "labels"))
    facts["selector"] = spec.get("selector")
    facts["strategy"] = spec.get("strategy") if kind == "Deployment" else spec.get("updateStrategy")
    replicas = spec.get("replicas")
    count = integer(replicas)
    facts["replicas"] = replicas if replicas.kind is UNKNOWN else 1 if count is None else count
    facts["long_running"] = kind in LONG_RUNNING and not (
        kind == "Pod" and pod.get("restartPolicy").text() in ("Never", "OnFailure")
    )
    main = [container(one, item, False) for one in pod.get("containers").elements() if one.kind is MAP]
    init = [container(one, item, True) for one in pod.get("initContainers").elements() if one.kind is MAP]
    facts["containers"] = main
    facts["init"] = init
    # A patch names a container and what changes in it, never its image.
    facts["partial"] = pod.kind is not UNKNOWN and not any(one.node.get("image") for one in main)
    return item


def container(node: Node, owner: Item, init: bool) -> Item:
    """One container: image, ports, environment, probes and limits; what is missing points at its name."""
    name = node.get("name")
    resources = node.get("resources")
    return Item(
        node,
        {
            "name": name.value if name.kind is SCALAR else "",
            "workload": owner,
            "init": init,
            "sidecar": init and node.get("restartPolicy").text() == "Always",
            "image": image(node.get("image")),
            "requests": resources.get("requests"),
            "limits": resources.get("limits"),
            "resources": resources,
            "security": node.get("securityContext"),
            "liveness": node.get("livenessProbe"),
            "readiness": node.get("readinessProbe"),
            "startup": node.get("startupProbe"),
        },
        name if name.kind is SCALAR else owner.place,
    )


def ports(item: Item) -> list[tuple[str, int | None, Node]]:
    """(name, number, node) of a container's declared ports; a number that cannot be known is None."""
    found = []
    for port in item.node.get("ports").elements():
        if port.kind is MAP:
            found.append((port.get("name").text() or "", integer(port.get("containerPort")), port))
    return found


def image(node: Node) -> Item | Node:
    """An image reference in its parts (registry, repository, tag, digest); unknown when it is a stand-in."""
    if node.kind is not SCALAR or node.is_null():
        return node if node.kind is UNKNOWN else ABSENT
    text = node.value
    name, tag, digest = split_image(text)
    lowered = text.lower()
    if (
        name != name.lower()
        or "$" in text
        or "<" in text
        or "%" in text
        or "//" in text
        or any(word in lowered for word in _STAND_INS)
        or (tag.isupper() and (not any(c.isdigit() for c in tag) or "_" in tag))
    ):
        return Node(UNKNOWN, text, node.source, node.start, node.end, node.style)
    first, slash, rest = name.partition("/")
    registry = first if slash and ("." in first or ":" in first or first == "localhost") else ""
    repository = rest if registry else name
    return Item(
        node,
        {
            "text": text,
            "name": name,
            "registry": registry,
            "repository": repository,
            "base": repository.rpartition("/")[2],
            "tag": tag,
            "digest": digest,
            # A kustomization's name stands apart from its tag.
            "name_node": node.index["name"][1] if node.index and "name" in node.index else node,
        },
    )


def split_image(text: str) -> tuple[str, str, str]:
    """(name, tag, digest) of an image reference; parts that are not there are empty."""
    name, _, digest = text.partition("@")
    slash = name.rfind("/")
    colon = name.rfind(":")
    if colon > slash:
        return name[:colon], name[colon + 1 :], digest
    return name, "", digest


def pod_path(kind: str) -> tuple[str, ...]:
    """Where an object of a kind keeps its pod's spec."""
    if kind == "Pod":
        return ("spec",)
    if kind == "CronJob":
        return ("spec", "jobTemplate", "spec", "template", "spec")
    return ("spec", "template", "spec")


def is_store(image: Item) -> bool:
    """Whether an image is that of a data store."""
    return any(part in _STORES for part in image.facts["base"].split("-"))


def references(pod: Node) -> list[tuple[str, str, str, Node]]:
    """(kind, name, key, node) of the Secrets and ConfigMaps a pod cannot start without; key "" for all of it."""
    found: list[tuple[str, str, str, Node]] = []

    def add(kind: str, node: Node, name: str, key: str = "") -> None:
        target = node.get(name)
        if target.kind is SCALAR and not target.is_null() and truth(node.get("optional")) is not True:
            found.append((kind, target.value, key, target))

    for group in ("initContainers", "containers"):
        for one in pod.get(group).elements():
            for entry in one.get("env").elements():
                source = entry.get("valueFrom")
                for kind, field in (("Secret", "secretKeyRef"), ("ConfigMap", "configMapKeyRef")):
                    reference = source.get(field)
                    if reference.kind is MAP:
                        add(kind, reference, "name", reference.get("key").text() or "")
            for entry in one.get("envFrom").elements():
                add("Secret", entry.get("secretRef"), "name")
                add("ConfigMap", entry.get("configMapRef"), "name")
    for volume in pod.get("volumes").elements():
        add("Secret", volume.get("secret"), "secretName")
        add("ConfigMap", volume.get("configMap"), "name")
        for source in volume.get("projected", "sources").elements():
            add("Secret", source.get("secret"), "name")
            add("ConfigMap", source.get("configMap"), "name")
    return found


def backends(item: Item) -> list[tuple[str, Node, Node]]:
    """(service, port node, service name node) of every backend of an Ingress or HTTPRoute."""
    found: list[tuple[str, Node, Node]] = []

    def add(service: Node, port: Node) -> None:
        if service.kind is SCALAR:
            found.append((service.value, port, service))

    spec = item.node.get("spec")
    if item.facts["kind"] == "HTTPRoute":
        for rule in spec.get("rules").elements():
            for reference in rule.get("backendRefs").elements():
                if (reference.get("kind").text() or "Service") == "Service" and not reference.get("namespace"):
                    add(reference.get("name"), reference.get("port"))
        return found
    backend_nodes = [spec.get("defaultBackend"), spec.get("backend")]
    for rule in spec.get("rules").elements():
        backend_nodes.extend(path.get("backend") for path in rule.get("http", "paths").elements())
    for backend in backend_nodes:
        port = backend.get("service", "port")
        add(backend.get("service", "name"), port.get("number") or port.get("name"))
        add(backend.get("serviceName"), backend.get("servicePort"))
    return found
