"""Turns a tree into its platforms and, for each, the commands by which somebody goes back to an earlier version there.

A platform is one that elo-gate.toml declares, or one whose file is judged. Commands stand in scripts, pipelines, task
files and runbooks. Which subcommands go back is what the platforms document (vercel.com/docs/cli/rollback,
kubernetes.io/docs/reference/kubectl, helm.sh/docs/helm/helm_rollback, docs.docker.com/reference/cli/docker/service;
looked up 2026-11-25); Railway's command line has none, so there a redeployment of an older commit counts.
"""

from __future__ import annotations

import re

from ..model import SCALAR, Item, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Source

# Platform -> what goes back whatever the file is called, and what does so in a file that is about going back.
_COMMANDS = {
    "vercel": (r"\b(?:vercel|vc)\b[^\n|;&]{0,200}\b(?:rollback|promote)\b|"
               r"/v\d+/projects/[^\s\"']{1,80}/(?:rollback|promote)/",
               r"\b(?:vercel|vc)\s+(?:redeploy|alias|deploy|--prod)\b"),
    "railway": (r"(?:\brailway|@railway/cli(?:@\S+)?)\s+rollback\b|\bdeploymentRollback\b",
                r"(?:\brailway|@railway/cli(?:@\S+)?)\s+(?:up|redeploy|deployment|deploy)\b"),
    "kubernetes": (r"\bkubectl\b[^\n|;&]{0,200}\brollout\s+undo\b|\bhelm\b[^\n|;&]{0,200}\brollback\b|"
                   r"\bargocd\b[^\n|;&]{0,200}\brollback\b|"
                   r"\bkubectl-argo-rollouts\b[^\n]{0,200}\bundo\b",
                   r"\bkubectl\b[^\n|;&]{0,200}\b(?:set\s+image|apply|patch)\b|\bflux\b|\bkustomize\s+edit\s+set\s+image\b"),
    "docker": (r"\bdocker\s+service\s+(?:rollback|update\b[^\n]{0,200}--rollback)",
               r"\bdocker(?:-compose|\s+compose|\s+stack\s+deploy|\s+run|\s+service\s+update)\b"),
    "aws": (r"\baws\s+(?:deploy\s+stop-deployment|lambda\s+update-alias)\b",
            r"\baws\s+\w+|\beb\s+deploy\b|\bsam\s+deploy\b"),
    "gcp": (r"\bgcloud\b[^\n|;&]{0,200}\b(?:update-traffic|set-traffic|rollback)\b", r"\bgcloud\s"),
    "azure": (r"\baz\b[^\n|;&]{0,200}\b(?:slot\s+swap|revision\s+(?:activate|set-mode)|ingress\s+traffic\s+set)\b",
              r"\baz\s+\w+"),
}  # fmt: skip
_ABOUT = re.compile(r"roll[-_]?back|revert|undo|restore-version", re.I)
_JOB = re.compile(r"^ {0,4}[\w-]*(?:roll[-_]?back|revert)[\w-]*:", re.I | re.M)
_PROSE = re.compile(
    r"(?:^|[/_.-])(?:readme|runbook|rollback|deploy\w*|release\w*|operat\w*|recovery|incident\w*|checklist)", re.I
)
_TASKS = frozenset(("makefile", "justfile", "taskfile.yml", "taskfile.yaml", "package.json", "procfile"))
_MOST = 300


def items(project: Any) -> list[Item]:
    """The platforms of the tree, by name.

    Facts: `platform`, `declared`, `commands` (nodes), `unread` (a file about going back that holds nothing, ""). The
    place is the platform's name in elo-gate.toml, else what made it known.
    """
    found: list[Item] | None = project.facts.get("rollbacks")
    if found is None:
        found = []
        project.facts["rollbacks"] = found
        places = _places(project)
        if places:
            commands = _commands(project, set(places))
            for platform in sorted(places):
                place, declared = places[platform]
                facts = {
                    "platform": platform,
                    "declared": declared,
                    "commands": commands.get(platform, []),
                    "unread": _unread(project),
                }
                found.append(Item(place, facts, place))
    return found


def _places(project: Any) -> dict[str, tuple[Node, bool]]:
    """Platform -> (where it is said, whether by the configuration)."""
    found: dict[str, tuple[Node, bool]] = {}
    for platform, node in _known(project):
        found.setdefault(platform, (node, False))
    for platform in project.platforms:
        place = project.declared.get(("platforms", platform))
        if place is not None:
            found[platform] = (place, True)
        elif platform in found:
            found[platform] = (found[platform][0], True)
    return found


def _known(project: Any) -> Iterator[tuple[str, Node]]:
    """What the judged files deploy to."""
    kubernetes = False
    for artifact in project.judged():
        if artifact.kind in ("vercel", "railway"):
            root = artifact.root
            first = next((key for key, _ in root.items()), None) if root else None
            if first is not None:
                yield artifact.kind, first
        elif artifact.kind == "k8s" and not kubernetes:
            from ..kinds import cluster

            for owner in cluster.objects(artifact):
                if owner.facts.get("long_running") and owner.facts["kind"] in (
                    "Deployment",
                    "StatefulSet",
                    "DaemonSet",
                ):
                    kubernetes = True
                    yield "kubernetes", owner.node.get("kind")
                    break


def _commands(project: Any, platforms: set[str]) -> dict[str, list[Node]]:
    """Platform -> where a command goes back there."""
    found: dict[str, list[Node]] = {}
    tests = {
        platform: (re.compile(always), re.compile(about)) for platform, (always, about) in _COMMANDS.items()
        if platform in platforms
    }  # fmt: skip
    for source, prose in _texts(project):
        text = source.text
        about = _about(source)
        for platform, (always, within) in tests.items():
            for match in always.finditer(text):
                if prose or not _commented(text, match.start()):
                    found.setdefault(platform, []).append(_node(source, match))
            first = within.search(text) if about else None
            if first is not None and not _commented(text, first.start()):
                found.setdefault(platform, []).append(_node(source, first))
    return found


def _node(source: Source, match: re.Match[str]) -> Node:
    return Node(SCALAR, match[0], source, match.start(), match.end(), "'")


def _unread(project: Any) -> str:
    """A script about going back whose text is not here, "" when there is none."""
    for source, prose in _texts(project):
        if not prose and _ABOUT.search(source.path.rpartition("/")[2]) is not None and not source.text.strip():
            return str(source.path)
    return ""


def _about(source: Source) -> bool:
    """Whether a file is about going back: by its name, or a pipeline by the name of one of its jobs."""
    if _ABOUT.search(source.path.rpartition("/")[2]) is not None:
        return True
    return source.path.endswith((".yml", ".yaml")) and _JOB.search(source.text) is not None


def _commented(text: str, at: int) -> bool:
    line = text.rfind("\n", 0, at) + 1
    return text[line:at].lstrip().startswith(("#", "//", "--"))


def _texts(project: Any) -> Iterator[tuple[Source, bool]]:
    """The texts that may hold such commands, and whether each is prose."""
    seen = set()
    for kind in ("script", "workflow", "action", "gitlab", "pipeline", "checklist"):
        for artifact in project.artifacts(kind):
            seen.add(artifact.path)
            yield artifact.source, kind == "checklist"
    count = 0
    for path in sorted(project.aside):
        name = path.rpartition("/")[2].lower()
        prose = name.endswith((".md", ".mdx", ".txt")) and _PROSE.search(path) is not None
        shell = name.endswith((".sh", ".bash", ".mk")) or name in _TASKS
        if path in seen or not (prose or shell) or count >= _MOST or project.ignored(path):
            continue
        count += 1
        source = project.read(path)
        if source is not None:
            yield source, prose
