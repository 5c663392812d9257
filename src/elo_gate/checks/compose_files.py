"""Answers whether what a Compose file names is there: files, folders, volumes, networks, services, variables."""

from __future__ import annotations

from ..kinds import compose
from ..kinds import compose_interpolate as interpolation
from ..kinds import compose_roles as roles
from ..kinds.compose_model import documents, resolve
from ..model import MAP, SCALAR, Fault, Item, Node, Undecided, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_SYSTEM = frozenset(
    "/ /bin /boot /dev /etc /etc/ssl /etc/ssl/certs /etc/pki /lib /lib64 /proc /run /sbin /sys /usr /usr/bin /usr/lib "
    "/usr/local /usr/local/bin /usr/local/lib /usr/sbin /usr/share /var /var/lib /var/run".split()
)
_CONFIG_ENDINGS = (
    ".conf", ".cnf", ".yml", ".yaml", ".toml", ".json", ".ini", ".properties", ".cfg", ".crt", ".pem", ".key", ".cer",
    ".sql", ".sh", ".acl", ".rules", ".template", ".vcl", ".xml", ".lua", ".js", ".hcl",
)  # fmt: skip
_CONFIG_NAMES = frozenset(["Caddyfile", "Corefile", "htpasswd", ".htpasswd"])
_CONFIG_FOLDERS = ("/etc/", "/docker-entrypoint-initdb.d", "/usr/local/etc/", "/run/secrets/", "/certs", "/ssl")
# Written by the program that mounts them, or harmless.
_WRITTEN = ("acme.json", "/etc/localtime", "/etc/timezone", "/etc/letsencrypt", "/etc/resolv.conf", "/etc/hosts")
_WRITERS = frozenset(["certbot", "nginx-proxy", "portainer"])


def is_config(volume: Item) -> bool:
    """The mount holds configuration or certificates: what a service reads and has to find."""
    source: str = (volume.facts["source"] or "").rstrip("/")
    target: str = volume.facts["target"].rstrip("/")
    name = target.rpartition("/")[2]
    if name.endswith(_CONFIG_ENDINGS) or name in _CONFIG_NAMES or source.endswith(_CONFIG_ENDINGS):
        return True
    return (target + "/").startswith(_CONFIG_FOLDERS)


def missing_source(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault for each configuration mount whose source is not in the tree."""
    project, model = file.project, compose.model_of(file)
    for volume in it.facts["volumes"]:
        source = volume.facts["source"]
        if volume.facts["type"] != "bind" or project is None or not source or source[:1] != ".":
            continue
        if not volume.facts["known"]:
            if is_config(volume):
                yield Undecided("a variable holds the source of the mount", volume)
            continue
        path = resolve(model.folder(volume.node), source)
        if not path or project.exists(path) or project.ignored(path) or project.ignored(f"{path}/any"):
            continue
        if _has_template(path, project):
            continue  # made from it by whoever installs
        if not volume.facts["create"]:
            yield Fault(volume, message="refused", service=it.facts["name"], source=source)
        elif is_config(volume):
            is_file = "." in source.rpartition("/")[2].lstrip(".")
            if not is_file and _is_filled_elsewhere(it, volume, file):
                continue
            yield Fault(
                volume, message="default" if is_file else "folder", service=it.facts["name"], source=source,
                target=volume.facts["target"],
            )  # fmt: skip


def _is_filled_elsewhere(it: Item, volume: Item, file: Artifact) -> bool:
    """A folder that the service itself, or another one that mounts it too, fills: applications, certbot."""
    if it.facts["role"] not in (roles.PROXY, *roles.STORES):
        return True
    if any(text in volume.facts["target"] for text in _WRITTEN):
        return True
    source = volume.facts["source"]
    return any(
        each.facts["source"] == source
        for service in compose.VIEWS["file"](file)[0].facts["all_services"]
        if service is not it
        for each in service.facts["volumes"]
    )


def _has_template(path: str, project: Any) -> bool:
    """`site.example.conf` or `site.conf.template` lies where `site.conf` is to be."""
    folder, _, name = path.rpartition("/")
    stem = name.partition(".")[0]
    return any(
        each.startswith(stem)
        and any(word in each for word in ("example", "sample", "template", "dist", ".tmpl", ".j2"))
        for each in project.names(folder)
    )


def missing_build(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault when the folder or the Dockerfile a service is built from is not in the tree."""
    build, project = it.facts["build"], file.project
    if build is None or project is None:
        return
    context, name = build.facts["context"], build.facts["dockerfile"]
    if isinstance(context, Node) or isinstance(name, Node):
        raise Undecided("a variable holds what the image is built from", build)
    folder = resolve(compose.model_of(file).folder(build.node), context or ".")
    if folder is None or (folder and project.ignored(f"{folder}/any")):
        return
    if folder and not project.exists(folder):
        yield Fault(build.node.get("context") or build, message="context", service=it.facts["name"], path=context)
        return
    path = resolve(folder, name or "Dockerfile")
    if build.facts["inline"] or path is None or project.exists(path) or project.ignored(path):
        return
    yield Fault(build.node.get("dockerfile") or build.node.get("context") or build, service=it.facts["name"], path=path)


def shadows_system(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for each bind mount that hides a folder the image's programs need."""
    for volume in it.facts["volumes"]:
        target, source = volume.facts["target"].rstrip("/") or "/", (volume.facts["source"] or "").rstrip("/")
        if volume.facts["type"] == "bind" and target in _SYSTEM and source != target and volume.facts["target"]:
            yield Fault(volume, service=it.facts["name"], source=volume.facts["source"], target=target)


def writable_config(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for each mount of configuration or certificates the container may write to."""
    if it.facts["product"] in _WRITERS:
        return
    for volume in it.facts["volumes"]:
        facts = volume.facts
        if facts["type"] != "bind" or facts["read_only"] or not is_config(volume):
            continue
        if any(text in f"{facts['source']} {facts['target']}" for text in _WRITTEN):
            continue
        yield Fault(volume, service=it.facts["name"], source=facts["source"], target=facts["target"])


def undeclared(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for each volume, network, secret, config or service that is used and not declared."""
    if it.facts["open"]:
        raise Undecided(str(it.facts["open"]), it)
    declared = {
        section: {each.facts["name"] for each in it.facts[section]}
        for section in ("volumes", "networks", "secrets", "configs")
    }
    services = {each.facts["name"] for each in it.facts["all_services"]}
    for service in it.facts["all_services"]:
        if service.facts["open"]:
            continue
        for what, names, known in (
            ("volume", _volumes(service), declared["volumes"]),
            ("network", _networks(service), declared["networks"] | {"default"}),
            ("secret", _grants(service, "secrets"), declared["secrets"]),
            ("config", _grants(service, "configs"), declared["configs"]),
            ("service", _dependencies(service), services),
        ):
            for name, place in names:
                if name not in known:
                    yield Fault(place, service=service.facts["name"], what=what, name=name)


def _volumes(service: Item) -> Iterator[tuple[str, Node | Item]]:
    for each in service.facts["volumes"]:
        if each.facts["type"] == "volume" and each.facts["known"] and each.facts["source"]:
            yield each.facts["source"], each


def _networks(service: Item) -> Iterator[tuple[str, Node | Item]]:
    for key, _ in service.node.get("networks").items():
        yield key.value, key


def _grants(service: Item, section: str) -> Iterator[tuple[str, Node | Item]]:
    for each in service.facts[section]:
        if isinstance(each.facts["name"], str):
            yield each.facts["name"], each


def _dependencies(service: Item) -> Iterator[tuple[str, Node | Item]]:
    for each in service.facts["depends_on"]:
        if each.node.get("required").boolean() is not False:
            yield each.facts["name"], each.place


def refused_dollar(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for each scalar with a `$` that Compose cannot read."""
    if "$" not in file.source.text:
        return
    for document in documents(file.root):
        for key, section in document.items():
            if key.value in ("services", "volumes", "networks", "secrets", "configs", "name", "include"):
                yield from _refused(section)


def _refused(section: Node) -> Iterator[Fault]:
    keys = {id(key) for node in walk(section) if node.kind is MAP for key, _ in node.value}
    for node in walk(section):
        if node.kind is not SCALAR or "$" not in node.value or id(node) in keys:
            continue
        found = interpolation.refused(node.value)
        if found:
            rest = node.value[found[0] :]
            command = rest.startswith("$(")
            yield Fault(node, message="command" if command else "default", text=_shape(rest))


def _shape(rest: str) -> str:
    """The refused dollar and its next character, nothing that could be a credential."""
    return "$(...)" if rest.startswith("$(") else "${...}" if rest.startswith("${") else rest[:1]
