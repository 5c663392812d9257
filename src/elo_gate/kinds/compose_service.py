"""Turns one service of a merged Compose tree into an item: image, ports, volumes, environment and what it is for."""

from __future__ import annotations

import re

from ..model import MAP, SCALAR, SEQ, UNKNOWN, Item, Node
from . import compose_interpolate as interpolation
from . import compose_roles as roles
from .compose_merge import entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .compose_model import Model

# What runs once and ends, by its name or by the last command it runs.
_JOB_NAME = re.compile(
    r"(?:^|[-_.])(?:migrat(?:e|or|ions?)|seed(?:er)?|setup|init|bootstrap|create-?buckets?|mc)(?:$|[-_.])"
)
_JOB_COMMAND = re.compile(
    r"\b(?:migrate(?:[:\s]+(?:deploy|latest|up|head))?|db:migrate|db:seed|db:setup|db:push|migrate:deploy|"
    r"upgrade\s+head|db\s+(?:push|seed)|(?:run\s+)?(?:db[:\-])?(?:migrate|seed)|collectstatic|createsuperuser|"
    r"mc\s+(?:mb|alias)|chown|CREATE\s+DATABASE)\b"
)
_SERVES = re.compile(r"\b(?:start|serve|server(?:\.js)?|gunicorn|uvicorn|exec|dev|run\s+start)\b")
_DIGITS = re.compile(r"[0-9]+(?:-[0-9]+)?")
LOOPBACK = ("127.", "::1", "[::1]", "localhost")


def service_item(key: Node, node: Node, model: Model) -> Item:
    """The item of a service: see docs of `kinds.compose` for its facts."""
    name = key.value
    facts: dict[str, Any] = {"name": name, "open": model.gaps.get(name) or model.gaps.get("")}
    image = entry(node, "image")
    facts["image"] = image_item(image, model) if image.kind in (SCALAR, UNKNOWN) and not image.is_null() else None
    facts["build"] = build_item(node, model)
    facts["environment"] = environment(node, model)
    facts["ports"] = [port_item(each, model) for each in entry(node, "ports").elements()]
    facts["volumes"] = [volume_item(each, model) for each in entry(node, "volumes").elements()]
    facts["depends_on"] = [
        Item(
            value if value.kind is MAP else each,
            {"name": each.value, "condition": _text(value, "condition", model) or "service_started"},
            each,
        )
        for each, value in entry(node, "depends_on").items()
    ]
    for attribute in ("user", "network_mode", "pid", "ipc"):
        facts[attribute] = scalar(entry(node, attribute))
    for attribute in ("privileged", "read_only"):
        value = entry(node, attribute)
        facts[attribute] = value if value.kind is UNKNOWN else value.boolean() is True
    for attribute in ("cap_add", "cap_drop", "security_opt", "profiles"):
        facts[attribute] = words(entry(node, attribute))
    facts["secrets"] = _sources(entry(node, "secrets"))
    facts["configs"] = _sources(entry(node, "configs"))
    facts["command"] = command(entry(node, "command"), model)
    facts["entrypoint"] = command(entry(node, "entrypoint"), model)
    networks = entry(node, "networks")
    facts["networks"] = [each.value for each, _ in networks.items()]
    if not facts["networks"] and not entry(node, "network_mode"):
        facts["networks"] = ["default"]
    facts["restart"] = _restart(node)
    facts["health"] = _health(node)
    _deployment(node, facts)
    _role(node, facts)
    return Item(node, facts, key)


def scalar(node: Node) -> str | Node | None:
    """A scalar's text, the node itself when unknown, None when absent."""
    return node if node.kind is UNKNOWN else node.text()


def words(node: Node) -> list[str]:
    """The texts of a list, or the one text."""
    found = [each.text() for each in (node.elements() if node.kind is SEQ else [node])]
    return [each for each in found if each is not None]


def shown(node: Node, model: Model) -> str:
    """The text of a scalar, and of an unknown the text that applies by default."""
    if node.kind is UNKNOWN:
        return interpolation.expand(node.value, model.values)
    return node.text() or ""


def _default(node: Node, piece: str, model: Model) -> str:
    """A piece of a scalar's text as it applies by default."""
    return interpolation.expand(piece, model.values) if node.kind is UNKNOWN else piece


def _text(node: Node, name: str, model: Model) -> str:
    return shown(entry(node, name), model)


def _sources(node: Node) -> list[Item]:
    return [
        Item(each, {"name": scalar(each.get("source")) if each.kind is MAP else scalar(each)})
        for each in node.elements()
        if each.kind in (MAP, SCALAR, UNKNOWN)
    ]


def image_item(node: Node, model: Model) -> Item:
    """registry, repository, tag, digest and the whole as `text`; a part that holds a reference is an UNKNOWN.

    `repository` and `registry` are those that apply by default.
    """
    unknown = node.kind is UNKNOWN
    written = node.value
    shown_text = shown(node, model)
    name, _, digest = shown_text.partition("@")
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    repository = head + slash + last
    registry = "docker.io"
    first, slash, rest = repository.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry, repository = first, rest
    if registry == "docker.io" and repository.startswith("library/"):
        repository = repository[len("library/") :]
    facts: dict[str, Any] = {"text": written, "registry": registry, "repository": repository, "digest": digest or None}
    facts["tag"] = tag or None
    if unknown:
        pieces = interpolation.split(written, "@")
        # A reference in front of the tag may bring a tag of its own: `hub${REF:-:latest}`.
        slashes = interpolation.split(pieces[0], "/")[-1]
        if "$" in slashes or (len(interpolation.split(pieces[0], "/")) == 1 and "$" in pieces[0]):
            facts["tag"] = Node(UNKNOWN, tag, node.source, node.start, node.end)
        if len(pieces) > 1 and "$" in pieces[1]:
            facts["digest"] = Node(UNKNOWN, digest, node.source, node.start, node.end)
    facts["known"] = not unknown
    return Item(node, facts)


def build_item(node: Node, model: Model) -> Item | None:
    """context, dockerfile, target (texts, UNKNOWNs, None) and inline; None when the service is not built."""
    build = entry(node, "build")
    if build.is_null() or build.kind not in (MAP, UNKNOWN):
        return None
    facts = {part: scalar(entry(build, part)) for part in ("context", "dockerfile", "target")}
    return Item(build, {**facts, "inline": bool(entry(build, "dockerfile_inline"))}, entry(build, "context") or build)


def environment(node: Node, model: Model) -> dict[str, Item]:
    """Name -> item of each variable under `environment`: `variable_item`."""
    return {
        key.value: variable_item(key, value, model)
        for key, value in entry(node, "environment").items()
        if value.kind in (SCALAR, UNKNOWN)
    }


def variable_item(key: Node, node: Node, model: Model) -> Item:
    """name, value (text or None), style, variables, default.

    `style`: "literal"; "inherited" (a name alone); "plain", "default", "required", "alternative": the weakest
    reference in it; "provided": every plain variable in it comes from a committed `.env`. `value`: the text when
    it is known. `default`: what applies when no variable is set beyond that `.env`, None for a literal.
    """
    facts: dict[str, Any] = {"name": key.value, "value": node.text() if node.kind is SCALAR else None}
    facts["variables"] = []
    facts["default"] = None
    if node.kind is UNKNOWN:
        references, _ = interpolation.scan(node.value)
        styles = [each.style for each in references if each.style != "plain" or each.name not in model.values]
        order = ("plain", "default", "alternative", "required")
        facts["style"] = next((each for each in order if each in styles), "provided")
        facts["variables"] = interpolation.names(node.value)
        facts["default"] = interpolation.expand(node.value, model.values)
    else:
        facts["style"] = "inherited" if node.is_null() and node.style == "" else "literal"
    return Item(node, facts, key)


def port_item(node: Node, model: Model) -> Item:
    """host_ip, published, target (texts as they apply by default), protocol and `reach`.

    `reach`: "all" interfaces, "loopback", "host" (one address), "unknown" when a variable decides.
    """
    facts: dict[str, Any] = {"protocol": "tcp"}
    host: str | None
    if node.kind is MAP:
        host_node = node.get("host_ip")
        host, published = _text(node, "host_ip", model), _text(node, "published", model)
        facts["target"] = _text(node, "target", model)
        facts["protocol"] = _text(node, "protocol", model) or "tcp"
        unknown_host = host_node.kind is UNKNOWN
    elif node.kind in (SCALAR, UNKNOWN):
        pieces = interpolation.split(node.value, ":")
        target, _, protocol = _default(node, pieces[-1], model).partition("/")
        facts["target"], facts["protocol"] = target, protocol or "tcp"
        published = _default(node, pieces[-2], model) if len(pieces) > 1 else ""
        host_text = ":".join(pieces[:-2])
        host = _default(node, host_text, model)
        unknown_host = "$" in host_text
        if not host_text and _may_hold_address(pieces, published):
            unknown_host = True
    else:
        host, published, unknown_host = "", "", True
        facts["target"] = ""
    facts["host_ip"] = host or None
    facts["published"] = published or None
    facts["reach"] = "unknown" if unknown_host else _reach(host or "")
    return Item(node, facts)


def _may_hold_address(pieces: list[str], published: str) -> bool:
    """`${WEB}:80` may be an address and a port, `${WEB_PORT}:80` and `${WEB:-8080}:80` are a port."""
    last = pieces[-2] if len(pieces) > 1 else pieces[-1]
    if "$" not in last or _DIGITS.fullmatch(published):
        return False
    return len(pieces) == 1 or "PORT" not in last.upper()


def _reach(host: str) -> str:
    if host.startswith(LOOPBACK):
        return "loopback"
    return "all" if host in ("", "0.0.0.0", "::", "[::]", "*") else "host"


def volume_item(node: Node, model: Model) -> Item:
    """type ("bind", "volume", "tmpfs", "anonymous", "unknown"), source, target, read_only, create.

    `source` and `target` are texts as they apply by default; `known` is False when a variable decides the source.
    `create`: Docker makes the missing source of a bind (False only with `create_host_path: false`).
    """
    facts: dict[str, Any] = {"create": True, "known": True}
    if node.kind is MAP:
        source = node.get("source")
        facts["type"] = node.get("type").text() or "volume"
        facts["source"] = shown(source, model) or None
        facts["target"] = _text(node, "target", model)
        facts["read_only"] = node.get("read_only").boolean() is True
        facts["create"] = node.get("bind", "create_host_path").boolean() is not False
        facts["known"] = source.kind is not UNKNOWN
        if facts["type"] == "volume" and facts["source"] is None:
            facts["type"] = "anonymous"
        return Item(node, facts)
    text = node.value if node.kind in (SCALAR, UNKNOWN) else ""
    pieces = interpolation.split(text, ":")
    if len(pieces) > 2 and len(pieces[0]) == 1 and pieces[1][:1] in ("\\", "/"):
        pieces = [f"{pieces[0]}:{pieces[1]}", *pieces[2:]]  # a drive letter
    options = pieces[2].split(",") if len(pieces) > 2 else []
    facts["read_only"] = "ro" in options
    if len(pieces) == 1:
        facts.update(type="anonymous", source=None, target=_default(node, text, model))
        return Item(node, facts)
    source_text = _default(node, pieces[0], model)
    facts["known"] = "$" not in pieces[0] or node.kind is SCALAR
    facts["source"] = source_text or None
    facts["target"] = _default(node, pieces[1], model)
    is_path = source_text[:1] in (".", "/", "~") or source_text[1:3] in (":\\", ":/")
    facts["type"] = "bind" if is_path else "volume"
    if not facts["known"] and not source_text:
        facts["type"] = "unknown"
    return Item(node, facts)


def command(node: Node, model: Model) -> str:
    """A command as one text, references as they apply by default; "" when absent."""
    if node.kind is SEQ:
        return " ".join(shown(each, model) for each in node.value)
    return shown(node, model)


def _restart(node: Node) -> str | Node | None:
    restart = entry(node, "restart")
    if restart.kind is UNKNOWN or restart.text() is not None:
        return scalar(restart)
    # Compose honours it when `restart` is not set (reference/compose-file/deploy, restart_policy).
    policy = node.get("deploy", "restart_policy")
    return policy.get("condition").text() or "any" if policy.kind is MAP else None


def _health(node: Node) -> str:
    """One of "absent", "disabled", "present"."""
    check = entry(node, "healthcheck")
    if check.is_null():
        return "absent"
    test = check.get("test")
    if check.get("disable").boolean() is True or (test.kind is SEQ and words(test)[:1] == ["NONE"]):
        return "disabled"
    return "present" if test or check.get("disable").boolean() is None else "absent"


def _deployment(node: Node, facts: dict[str, Any]) -> None:
    limits = node.get("deploy", "resources", "limits")
    facts["memory_limit"] = bool(entry(limits, "memory") or entry(node, "mem_limit"))
    facts["cpu_limit"] = bool(entry(limits, "cpus") or entry(node, "cpus") or entry(node, "cpu_quota"))
    replicas = node.get("deploy", "replicas") or entry(node, "scale")
    facts["replicas"] = replicas.number()
    deploy = entry(node, "deploy")
    facts["swarm"] = any(entry(deploy, each) for each in ("mode", "placement", "update_config", "endpoint_mode"))
    logging = entry(node, "logging")
    facts["logging"] = logging if not logging.is_null() else None


def _role(node: Node, facts: dict[str, Any]) -> None:
    """role, product, official, job, for the service; `roles` says which there are."""
    image, build, name = facts["image"], facts["build"], facts["name"]
    role, product = (
        roles.of_image(image.facts["repository"]) if image is not None and build is None else (roles.APP, "")
    )
    if role == roles.APP and build is not None:
        role, product = roles.of_name(name)
    facts["product"] = product
    facts["official"] = build is None and roles.official(image)
    facts["role"] = roles.JOB if _is_job(role, facts) else role


def _is_job(role: str, facts: dict[str, Any]) -> bool:
    restart = facts["restart"]
    if isinstance(restart, Node) or restart in ("always", "unless-stopped", "any"):
        return False
    if facts["ports"] or facts["health"] == "present":
        return False
    if restart in ("no", "none") and (role not in roles.STORES or facts["command"] or facts["entrypoint"]):
        return True
    if role == roles.JOB:
        return True
    text = f"{facts['entrypoint']} {facts['command']}"
    last = re.split(r"&&|;|\|\|", text)[-1]
    if _JOB_COMMAND.search(last) and not _SERVES.search(last):
        return True
    return role == roles.APP and _JOB_NAME.search(facts["name"].lower()) is not None
