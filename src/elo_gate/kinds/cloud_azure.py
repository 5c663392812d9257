"""Turns Azure Container Apps (YAML, or inside an ARM template) and Static Web Apps into services and containers.

Sources, looked up 2026-11-25: learn.microsoft.com/azure/container-apps/azure-resource-manager-api-spec,
learn.microsoft.com/azure/container-apps/ingress-how-to, learn.microsoft.com/azure/static-web-apps/configuration.
"""

from __future__ import annotations

import re

from ..model import SCALAR, UNKNOWN, Item, Node
from . import cloud


def services(root: Node, path: str) -> list[Item]:
    """The apps of one document."""
    if path.rpartition("/")[2].lower() == "staticwebapp.config.json":
        return [_static(root)] if root.value else []
    resources = [
        each for each in root.get("resources").elements() if each.get("type").text() == "Microsoft.App/containerApps"
    ]
    return [_app(each) for each in resources or [root] if each.get("properties")]


def _app(root: Node) -> Item:
    properties = root.get("properties")
    configuration, template = properties.get("configuration"), properties.get("template")
    ingress = configuration.get("ingress")
    external = ingress.get("external")
    name = root.get("name")
    place = template.key("containers") or root.key("properties")
    made = [_container(each, place) for each in template.get("containers").elements()]
    secrets = [
        Item(value, {"name": each.get("name").text() or "", "value": value}, each.get("name"))
        for each in configuration.get("secrets").elements()
        if (value := each.get("value")) and value.kind is SCALAR and each.get("name").kind is SCALAR
    ]
    port = ingress.get("targetPort")
    if port and made:
        made[0].facts["ports"] = [port]
    item = cloud.service(
        root,
        name if name.kind is SCALAR else place,
        "containerapp",
        name.text() or "",
        containers=made,
        public=None if external.kind is UNKNOWN else external.boolean() is True,
        insecure=ingress.get("allowInsecure"),
        least=template.get("scale", "minReplicas"),
        most=template.get("scale", "maxReplicas"),
        secrets=secrets,
    )
    for each in made:
        each.facts["service"] = item
    return item


def _container(node: Node, place: Node) -> Item:
    env = [
        cloud.variable(each.get("name"), each.get("value"), bool(each.get("secretRef")))
        for each in node.get("env").elements()
        if each.get("name").kind is SCALAR
    ]
    resources = node.get("resources")
    return cloud.container(
        node,
        node.key("image") or place,
        "containerapp",
        node.get("name").text() or "",
        env=env,
        memory=resources.get("memory"),
        memory_limit=resources.get("memory"),
        cpu=resources.get("cpu"),
        health=node.get("probes"),
    )


def _static(root: Node) -> Item:
    """Headers of all paths (`globalHeaders`) and of single routes, and the runtime of the API."""
    headers = [_header(key, value, "/") for key, value in root.get("globalHeaders").items()]
    for route in root.get("routes").elements():
        path = route.get("route").text() or ""
        headers += [_header(key, value, path) for key, value in route.get("headers").items()]
    runtimes = []
    runtime = root.get("platform", "apiRuntime")
    match = re.fullmatch(r"(node|python):(\d+(?:\.\d+)?)", runtime.text() or "")
    if match is not None:
        runtimes.append(Item(runtime, {"product": match[1], "cycle": match[2], "text": runtime.text()}))
    place = root.key("globalHeaders") or root.value[0][0]
    return cloud.service(root, place, "staticwebapp", "", public=True, headers=headers, runtimes=runtimes)


def _header(key: Node, value: Node, path: str) -> Item:
    return Item(value, {"name": str(key.value).lower(), "key": key, "value": value, "path": path}, key)
