"""Answers what of a Compose file's services can be reached, and what they could reach, that need not be."""

from __future__ import annotations

from ..kinds import compose_roles as roles
from ..model import UNKNOWN, Fault, Item, Node, Undecided
from .compose_start import names, spread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

# Ports of protocols no HTTP proxy stands in front of: ssh, mail, DNS, MQTT, TURN ...
_OTHER_PROTOCOLS = frozenset("22 25 53 110 143 465 587 993 995 1883 2222 3478 5349 8883".split())
_SOCKET = ("/docker.sock", "/podman.sock", "/containerd.sock")
# What these are for is the socket: they get a warning at most, and the filtering proxy none.
_SOCKET_USERS = frozenset(
    "traefik nginx-proxy portainer dozzle watchtower autoheal certbot monitoring backup caddy".split()
)
_DANGEROUS_CAPABILITIES = frozenset(
    "ALL SYS_ADMIN SYS_MODULE SYS_PTRACE SYS_RAWIO SYS_BOOT DAC_READ_SEARCH BPF NET_ADMIN".split()
)
_HARD = frozenset(["ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO", "DAC_READ_SEARCH"])


def store_published(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for each port of a data store that every interface of the host answers on."""
    if it.facts["role"] not in (roles.DATABASE, roles.CACHE, roles.QUEUE):
        return
    for port in it.facts["ports"]:
        if port.facts["reach"] == "all":
            yield Fault(
                port, service=it.facts["name"], port=port.facts["published"] or "a random one",
                target=port.facts["target"], what=it.facts["product"] or it.facts["role"],
            )  # fmt: skip
        elif port.facts["reach"] == "unknown":
            raise Undecided("a variable may bind the port to the loopback address", port)


def admin_published(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for each port of a database administration tool that every interface answers on."""
    if it.facts["product"] not in params["products"]:
        return
    for port in it.facts["ports"]:
        if port.facts["reach"] == "all":
            image = it.facts["image"]
            what = image.facts["repository"] if image is not None else it.facts["product"]
            yield Fault(port, service=it.facts["name"], port=port.facts["published"] or "a random one", what=what)


def around_proxy(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for each port of an application that lets callers go around the proxy in front of it."""
    services = it.facts["services"]
    proxies = [each for each in it.facts["proxies"] if each.facts["product"] != "cloudflared" and _is_edge(each)]
    if not proxies:
        return
    apps = [each for each in services if each.facts["role"] == roles.APP]
    for app in apps:
        proxy = next((each for each in proxies if _fronts(each, app, apps)), None)
        if proxy is None:
            continue
        for port in app.facts["ports"]:
            if port.facts["reach"] != "all" or port.facts["protocol"] != "tcp":
                continue
            if port.facts["target"] in _OTHER_PROTOCOLS:
                continue
            yield Fault(
                port, [(proxy.place, "the proxy in front of it")], service=app.facts["name"],
                port=port.facts["published"] or "a random one", proxy=proxy.facts["name"],
            )  # fmt: skip


def _is_edge(proxy: Item) -> bool:
    if proxy.facts["network_mode"] == "host":
        return True
    return any(each.facts["target"] in ("80", "443", "8080", "8443") for each in proxy.facts["ports"])


def _fronts(proxy: Item, app: Item, apps: list[Item]) -> bool:
    """The proxy stands in front of the app: it waits for it, routes to it by label, or there is no other app."""
    if app.facts["name"] in [each.facts["name"] for each in proxy.facts["depends_on"]]:
        return True
    labels = [key.value for key, _ in app.node.get("labels").items()]
    if any(each.startswith(("traefik.http.", "caddy")) for each in labels):
        return True
    return len(apps) == 1


def docker_socket(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a mounted Docker socket."""
    if it.facts["product"] == "socket-proxy":
        return
    for volume in it.facts["volumes"]:
        if any((volume.facts[end] or "").endswith(_SOCKET) for end in ("source", "target")):
            severity = "warning" if it.facts["product"] in _SOCKET_USERS else None
            yield Fault(volume, severity=severity, service=it.facts["name"], source=volume.facts["source"])
            return


def host_powers(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault a service that takes powers over its host, listing them."""
    found: list[tuple[Node, str, bool]] = []
    privileged = it.facts["privileged"]
    if isinstance(privileged, Node):
        raise Undecided("a variable decides whether the container is privileged", privileged)
    if privileged:
        found.append((it.node.get("privileged"), "privileged", True))
    for attribute in ("pid", "ipc", "network_mode"):
        value = it.facts[attribute]
        if value == "host":
            found.append((it.node.get(attribute), f"{attribute}: host", attribute == "pid"))
    for each in it.node.get("cap_add").elements():
        name = (each.text() or "").upper().removeprefix("CAP_")
        if name in _DANGEROUS_CAPABILITIES:
            found.append((each, f"cap_add {name}", name in _HARD))
    for each in it.node.get("security_opt").elements():
        text = (each.text() or "").replace("=", ":")
        if text in ("seccomp:unconfined", "apparmor:unconfined"):
            found.append((each, text.replace(":", "=", 1), False))
    if not found:
        return
    hard = any(each[2] for each in found) and it.facts["role"] != roles.TOOL
    related: list[tuple[Node | Item, str]] = [(node, words) for node, words, _ in found[1:]]
    powers = ", ".join(words for _, words, _ in found)
    yield Fault(found[0][0], related, severity=None if hard else "warning", service=it.facts["name"], powers=powers)


def flat_network(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault a file in which the proxy that faces the internet can reach a data store."""
    stores = [each for each in it.facts["services"] if each.facts["role"] in (roles.DATABASE, roles.CACHE)]
    for proxy in it.facts["proxies"]:
        if not any(each.facts["reach"] == "all" for each in proxy.facts["ports"]):
            continue
        shared = [each for each in stores if set(each.facts["networks"]) & set(proxy.facts["networks"])]
        if shared:
            network = next(name for name in proxy.facts["networks"] if name in shared[0].facts["networks"])
            related: list[tuple[Node | Item, str]] = [(each.place, "on the same network") for each in shared]
            yield Fault(proxy.place, related, proxy=proxy.facts["name"], stores=names(shared), network=network)
            return


def not_hardened(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields one fault a file for the applications that keep privileges they can do without."""
    bare = []
    for each in it.facts["services"]:
        if each.facts["role"] not in (roles.APP, roles.PROXY) or each.facts["open"] or each.facts["privileged"]:
            continue
        options = [option.replace("=", ":") for option in each.facts["security_opt"]]
        unprivileged = "no-new-privileges:true" in options or "no-new-privileges" in options
        dropped = "ALL" in [name.upper() for name in each.facts["cap_drop"]]
        if not unprivileged and not dropped and each.facts["read_only"] is False:
            bare.append(each)
    if bare:
        yield Fault(bare[0].place, spread(bare, "no hardening either"), services=names(bare))


def root_user(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a long-lived application that is set to run as root."""
    user = it.facts["user"]
    if it.facts["role"] != roles.APP or user is None:
        return
    if isinstance(user, Node) and user.kind is UNKNOWN:
        raise Undecided("a variable holds the user", user)
    if str(user).partition(":")[0] in ("0", "root"):
        yield Fault(it.node.get("user"), service=it.facts["name"], user=user)
