"""Turns Amazon ECS task definitions and AWS App Runner's apprunner.yaml into services and containers.

Sources, looked up 2026-11-25: docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html,
docs.aws.amazon.com/apprunner/latest/dg/config-file-ref.html.
"""

from __future__ import annotations

import re

from ..model import SCALAR, UNKNOWN, Item, Node
from . import cloud


def services(root: Node, path: str) -> list[Item]:
    """The service of one document."""
    if root.get("containerDefinitions") or root.get("taskDefinition"):
        return [_task(root if root.get("containerDefinitions") else root.get("taskDefinition"))]
    return [_runner(root)] if root.get("run") or root.get("runtime") else []


def _task(root: Node) -> Item:
    place = root.key("containerDefinitions")
    family = root.get("family").text() or ""
    made = [_container(each, root, place) for each in root.get("containerDefinitions").elements()]
    item = cloud.service(root, root.key("family") or place, "ecs", family, containers=made)
    for each in made:
        each.facts["service"] = item
    return item


def _container(node: Node, root: Node, place: Node) -> Item:
    env = [
        cloud.variable(each.get("name"), each.get("value"), False)
        for each in node.get("environment").elements()
        if each.get("name").kind is SCALAR
    ]
    env += [
        cloud.variable(each.get("name"), Node(UNKNOWN, "", each.source, each.start, each.end), True)
        for each in node.get("secrets").elements()
        if each.get("name").kind is SCALAR
    ]
    memory = node.get("memory") or root.get("memory")
    name = node.get("name")
    return cloud.container(
        node,
        name if name.kind is SCALAR else place,
        "ecs",
        name.text() or "",
        env=env,
        ports=[port for each in node.get("portMappings").elements() if (port := each.get("containerPort"))],
        memory=memory or node.get("memoryReservation"),
        memory_limit=memory,
        cpu=node.get("cpu") or root.get("cpu"),
        health=node.get("healthCheck"),
        user=node.get("user"),
        privileged=node.get("privileged"),
        readonly=node.get("readonlyRootFilesystem"),
        essential=node.get("essential").boolean() is not False,
        capabilities=node.get("linuxParameters", "capabilities", "add"),
        fargate=_is_fargate(root),
    )


def _is_fargate(root: Node) -> bool:
    """Whether a task can run on Fargate, which demands a size of the task; undeclared, by the network it asks for."""
    declared = root.get("requiresCompatibilities")
    if declared:
        return any(each.text() == "FARGATE" for each in declared.elements()) or not declared.elements()
    return root.get("networkMode").text() == "awsvpc"


def _runner(root: Node) -> Item:
    """apprunner.yaml describes one container that App Runner builds; size, health and access are set in the service."""
    run = root.get("run")
    place = root.key("run") or root.value[0][0]
    env = [
        cloud.variable(each.get("name"), each.get("value"), False)
        for section in (run, root.get("build"))
        for each in section.get("env").elements()
        if each.get("name").kind is SCALAR
    ]
    env += [
        cloud.variable(each.get("name"), Node(UNKNOWN, "", each.source, each.start, each.end), True)
        for each in run.get("secrets").elements()
        if each.get("name").kind is SCALAR
    ]
    port = run.get("network", "port")
    one = cloud.container(run, place, "apprunner", "", env=env, ports=[port] if port else [])
    runtimes = []
    runtime = root.get("runtime")
    match = re.fullmatch(r"(nodejs|python)(\d+)", runtime.text() or "")
    version = run.get("runtime-version")
    if match is not None:
        product = {"nodejs": "node", "python": "python"}[match[1]]
        cycle = match[2] if product == "node" else ".".join((match[2][0], match[2][1:]))
        if len(match[2]) > 1 or product == "node":
            runtimes.append(Item(runtime, {"product": product, "cycle": cycle, "text": runtime.text()}))
    elif runtime.text() == "python3" and re.match(r"3\.\d+", version.text() or ""):
        cycle = ".".join(str(version.value).split(".")[:2])
        runtimes.append(Item(version, {"product": "python", "cycle": cycle, "text": version.value}))
    item = cloud.service(root, place, "apprunner", "", containers=[one], runtimes=runtimes)
    one.facts["service"] = item
    return item
