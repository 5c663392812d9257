"""Turns an image reference into its parts, and into what is known about the image's own user.

The grammar: https://pkg.go.dev/github.com/distribution/reference. Without a registry it is Docker Hub's, without a
namespace an official image.
"""

from __future__ import annotations

import re

from ..model import UNKNOWN, Item, Node

# A variable, or what a template engine fills in.
_REFERENCE = re.compile(r"\$\{[^}]*\}?|\$[A-Za-z_][A-Za-z0-9_]*|\{\{.*?(?:\}\}|$)|<.*?(?:>|$)|%\w+%?|@@\w+@@")
# Mirrors of the official images, same images under another name.
_MIRRORS = ("public.ecr.aws/docker/library/", "mirror.gcr.io/library/", "registry.hub.docker.com/library/")

# Images whose own user is not root, by repository (registry included unless it is Docker Hub's).
_NONROOT = (
    "nginxinc/nginx-unprivileged", "nginx/nginx-unprivileged", "bitnami/", "bitnamilegacy/", "cgr.dev/chainguard/",
    "dhi.io/", "elasticsearch", "logstash", "kibana", "solr", "jenkins/jenkins", "grafana/", "prom/", "curlimages/curl",
    "chromedp/headless-shell", "keycloak", "quay.io/keycloak/keycloak", "sonarqube", "ghcr.io/puppeteer/puppeteer",
    "hasura/graphql-engine", "postgrest/postgrest",
)  # fmt: skip
# Images beside the official ones whose own user is root.
_ROOT = (
    "oven/bun", "denoland/deno", "gcr.io/distroless/", "mcr.microsoft.com/dotnet/", "mcr.microsoft.com/playwright",
    "nvidia/cuda", "cypress/",
)  # fmt: skip


def read(node: Node, text: str) -> Item:
    """An image reference in its parts; `text` is the reference after expansion, variables that are unknown kept.

    Facts: text, registry ("docker.io" by default), repository (without `library/`), name (repository, with the registry
    unless it is Docker Hub's), tag, digest (None when not written, UNKNOWN when a variable stands there), known,
    scratch.
    """
    bare = _REFERENCE.sub("\0", text)
    unknown = "\0" in bare
    whole, _, digest = bare.partition("@")
    slash = whole.rfind("/")
    colon = whole.rfind(":")
    tag = ""
    if colon > slash:
        whole, tag = whole[:colon], whole[colon + 1 :]
    for mirror in _MIRRORS:
        whole = whole.removeprefix(mirror)
    first, found, rest = whole.partition("/")
    registry = "docker.io"
    if found and ("." in first or ":" in first or first == "localhost"):
        registry, whole = first, rest
    if registry in ("docker.io", "index.docker.io"):
        registry = "docker.io"
        whole = whole.removeprefix("library/")
    # A variable in the name may bring its own tag.
    if "\0" in whole and not tag:
        tag = "\0"
    facts = {
        "text": text,
        "registry": _part(registry, node),
        "repository": _part(whole, node),
        "name": _part(whole if registry == "docker.io" else f"{registry}/{whole}", node),
        "tag": _part(tag, node) if tag else None,
        "digest": _part(digest, node) if digest else None,
        "known": not unknown,
        "scratch": whole == "scratch",
    }
    return Item(node, facts)


def _part(text: str, node: Node) -> str | Node:
    return Node(UNKNOWN, node.value, node.source, node.start, node.end) if "\0" in text else text


def runs_as_root(image: Item) -> bool | None:
    """Whether the image's own user is root; None when that is not known here.

    Docker's official images leave USER unset, those in the list above apart
    (https://github.com/docker-library/official-images). Distroless: only the `nonroot` tags set one
    (https://github.com/GoogleContainerTools/distroless). .NET: only the chiseled images do
    (https://github.com/dotnet/dotnet-docker).
    """
    name, tag = image.facts["name"], image.facts["tag"]
    if not isinstance(name, str):
        return None
    if isinstance(tag, Node):
        tag = ""  # a tag that is not known tells nothing about the user but in the cases below
        if name.startswith(("gcr.io/distroless/", "mcr.microsoft.com/dotnet/")):
            return None
    tag = tag or ""
    if image.facts["scratch"]:
        return True
    if "nonroot" in tag or "rootless" in tag or "unprivileged" in tag or "chiseled" in tag:
        return False
    if name.startswith(_NONROOT):
        return False
    if "/" not in name or name.startswith(_ROOT):
        return True
    return None
