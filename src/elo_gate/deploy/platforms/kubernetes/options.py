"""Turns the table `kubernetes` of a target into checked values: which cluster, which namespace, which workloads."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from ...fields import Address, Below, Name, Table

# What a release is read off; the plural is what the cluster's addresses say.
KINDS = {"deployment": "deployments.apps", "statefulset": "statefulsets.apps", "daemonset": "daemonsets.apps"}
# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names, 2026-11-25
_NAME = r"[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?"


def _workload(text: str) -> str:
    kind, _, name = text.partition("/")
    if kind not in KINDS or not re.fullmatch(_NAME, name):
        raise ValueError('a workload is written "deployment/web", "statefulset/db" or "daemonset/agent"')
    return text


def _context(text: str) -> str:
    if not text or not text.isprintable() or len(text) > 250:
        raise ValueError("the name of a context of the kubeconfig stands here")
    return text


class KubernetesOptions(Table):
    """`context` and `server` say the same cluster twice, so that a kubeconfig that changed is noticed.

    `workloads` are what the release consists of for its users: what is live is read off them, and they are waited for.
    `path` is a folder of manifests, or one with a kustomization, inside of the artifact.
    """

    context: Annotated[str, AfterValidator(_context)]
    server: Address
    namespace: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
    workloads: list[Annotated[str, AfterValidator(_workload)]] = Field(min_length=1, max_length=50)
    path: Below = "."
    kubeconfig_env: Name = "KUBECONFIG"
    force_conflicts: bool = False
    env: list[Name] = Field(default=[])

    def stages(self) -> bool:
        """As Options.stages: a rollout replaces what serves."""
        return False

    def goes_back(self) -> bool:
        """As Options.goes_back."""
        return True

    def variables(self) -> list[str]:
        """As Options.variables."""
        return [self.kubeconfig_env, *self.env]

    def programs(self) -> list[list[str]]:
        """As Options.programs: kubectl is none of the repository's files."""
        return []
