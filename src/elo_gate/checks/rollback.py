"""Judges whether there is a way back on every platform, and whether that way leads anywhere."""

from __future__ import annotations

import re

from ..model import ERROR, SCALAR, WARNING, Fault, Item, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.jobs import Call
    from ..model import Artifact

    Answer = Iterator[Fault | Undecided]

# What to write, by platform.
COMMANDS = {
    "vercel": 'vercel rollback "$1" --yes',
    "railway": 'git checkout "$1" && railway up --service web --ci',
    "kubernetes": 'kubectl --namespace NAMESPACE rollout undo deployment/NAME --to-revision="$1"',
    "docker": 'TAG="$1" docker compose --file compose.production.yaml up --detach --wait',
    "aws": 'aws ecs update-service --cluster CLUSTER --service SERVICE --task-definition "$1"',
    "gcp": 'gcloud run services update-traffic SERVICE --to-revisions="$1"=100',
    "azure": "az webapp deployment slot swap --name APP --resource-group GROUP --slot staging",
}
_MOVING = frozenset(
    ("", "latest", "main", "master", "stable", "production", "prod", "release", "edge", "nightly", "dev")
)
# A deployment that gives every revision an image of its own, whatever the manifest says.
_SETS_IMAGE = re.compile(
    r"\bset\s+image\b|\bkustomize\s+edit\s+set\b|--set(?:-string)?[ =]\S{0,80}(?:tag|image)|"
    r"\bimage:\s*tag\b|yq\b[^\n]{0,200}\bimage\b|"
    r"sed\b[^\n]{0,200}(?:image|latest|IMAGE|TAG)|envsubst|azure/k8s-deploy|skaffold|argocd-image-updater|k8s-bake"
)


def plan_missing(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields one fault for the platforms that nothing in the tree goes back on.

    Where neither the standard nor a declaration asks for a plan, the repository's own does: one that covers another
    platform and forgets these. Nobody else is told to write one: a dashboard has a button.
    """
    from ..project import rollbacks

    project = file.project
    every = rollbacks.items(project)
    covered = [command for item in every for command in item.facts["commands"][:1]]
    strict = project.elo or "rollback" in project.promises
    asked = [item for item in every if strict or covered or item.facts["declared"]]
    missing = [item for item in asked if not item.facts["commands"]]
    if not missing or it is not missing[0]:
        return
    if it.facts["unread"]:
        raise Undecided(f"{it.facts['unread']} is empty here", it)
    related: list[tuple[Node | Item, str]] = [(other, "nor on this one") for other in missing[1:]]
    related.extend((command, "the way back on another platform") for command in covered[:2])
    yield Fault(
        it,
        related,
        severity=ERROR if strict else WARNING,
        platforms="', '".join(item.facts["platform"] for item in missing),
        commands="`, `".join(COMMANDS[item.facts["platform"]] for item in missing),
    )


def without_effect(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for `kubectl rollout undo` where every revision names the same moving tag, once a workload."""
    if it.facts["platform"] != "kubernetes":
        return
    commands: dict[tuple[str, str], list[Node]] = {}
    for node in it.facts["commands"]:
        target = _undone(node)
        if target is not None:
            commands.setdefault(target, []).append(node)
    if not commands:
        return
    sets = _sets_image(file.project)
    for (kind, name), nodes in commands.items():
        image = _image_of(file.project, kind, name)
        if image is None:
            continue
        nodes.sort(key=lambda node: node.source.path.endswith((".md", ".mdx", ".txt")))
        if sets:
            yield Undecided(f"{sets} may give each revision an image of its own", nodes[0])
            continue
        related = [(image, "the image of every revision"), *((other, "written here too") for other in nodes[1:])]
        yield Fault(nodes[0], related, name=name, image=str(image.value))


def _image_of(project: Any, kind: str, name: str) -> Node | None:
    """The moving image of a workload of the judged manifests, None when it has none."""
    from ..kinds import cluster

    for artifact in project.artifacts("k8s"):
        if artifact.state == "judged":
            for owner in cluster.objects(artifact):
                if owner.facts["name"] == name and owner.facts["kind"].lower() == kind and "containers" in owner.facts:
                    image = _moving(owner)
                    if image is not None:
                        return image
    return None


def _undone(node: Node) -> tuple[str, str] | None:
    """(kind, name) of what a `kubectl rollout undo` goes back on; None when that is not known."""
    text = node.source.text
    stop = text.find("\n", node.end)
    line = text[node.start : len(text) if stop < 0 else stop]
    from ..kinds.jobs import Script

    calls = Script(Node(SCALAR, line, node.source, node.start, node.start + len(line), "'"), line).calls
    if not calls or calls[0].program != "kubectl":
        return None
    words = [word for word in _plain(calls[0]) if word not in ("rollout", "undo")]
    if len(words) == 1 and "/" in words[0]:
        kind, _, name = words[0].partition("/")
    elif len(words) == 2:
        kind, name = words
    else:
        return None
    short = {"deploy": "deployment", "deployments": "deployment", "sts": "statefulset", "ds": "daemonset"}
    kind = kind.partition(".")[0].lower()
    return (short.get(kind, kind), name) if "$" not in name else None


def _plain(call: Call) -> list[str]:
    flags = ("-n", "--namespace", "--context", "--kubeconfig", "--to-revision", "-l", "--timeout")
    return [word.text for word in call.plain(*flags)]


def _moving(owner: Item) -> Node | None:
    """The first image of a workload whose tag can be pushed again; None when all are fixed or unknown."""
    for container in owner.facts["containers"]:
        image = container.facts["image"]
        if isinstance(image, Item) and not image.facts["digest"] and image.facts["tag"].lower() in _MOVING:
            return image.node
    return None


def _sets_image(project: Any) -> str:
    """The file whose deployment puts another image into the manifests; "" when there is none."""
    for kind in ("workflow", "gitlab", "pipeline", "script", "action"):
        for artifact in project.artifacts(kind):
            if artifact.state != "aside" and _SETS_IMAGE.search(artifact.source.text):
                return str(artifact.path)
    return ""
