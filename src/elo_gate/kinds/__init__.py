"""Turns a path into the kind of file it is: one table, and one module a kind that is imported on first match.

A kind's module has `load(artifact)`, `VIEWS` (name -> items of an artifact), `signs(artifact)` (what its content
says about its environment) and may have `secrets(artifact)` (spans to mask) and `settle(artifact)` (a second look
once every artifact of the tree is loaded).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

# kind -> (module, what it is, the path an example of it has)
KINDS = {
    "compose": ("compose", "Compose file", "compose.production.yaml"),
    "dockerfile": ("dockerfile", "Dockerfile", "Dockerfile.production"),
    "env": ("env", "env file", ".env.production"),
    "k8s": ("k8s", "Kubernetes manifest", "k8s/production/app.yaml"),
    "next": ("next", "Next.js configuration", "next.config.js"),
    "railway": ("railway", "Railway configuration", "railway.toml"),
    "vercel": ("vercel", "Vercel configuration", "vercel.json"),
}

# What is recognised and not judged: (test, reason) in words of the coverage report.
_CI_FILES = frozenset(
    (".gitlab-ci.yml", "azure-pipelines.yml", "bitbucket-pipelines.yml", "cloudbuild.yaml", "cloudbuild.yml")
)
_CODE = frozenset(
    "ts tsx js jsx mjs cjs mts cts py rb go rs java kt cs php swift vue svelte c h cpp html css scss proto".split()
)
_PROSE = frozenset("md mdx txt rst adoc".split())
_COMPOSE_WORDS = ("compose", "docker-compose")


def kind_of(path: str) -> str | None:
    """The kind of a path by its name; "yaml" when only the content can tell; None when it is of no kind."""
    folder, _, name = path.rpartition("/")
    lower = name.lower()
    stem, _, ending = lower.rpartition(".")
    if ending in ("yaml", "yml"):
        return _yaml_kind(folder, lower)
    if lower in ("vercel.json", "vercel.toml"):
        return "vercel"
    if lower in ("railway.toml", "railway.json") or (
        lower == "railway.ts" and (folder == ".railway" or folder.endswith("/.railway"))
    ):
        return "railway"
    if stem == "next.config" and ending in ("js", "mjs", "cjs", "ts", "mts"):
        return "next"
    if _is_dockerfile(lower, ending):
        return "dockerfile"
    if _is_env(lower, ending):
        return "env"
    if ending == "json":
        return "json" if lower not in ("package.json", "package-lock.json", "tsconfig.json") else None
    return None


def _yaml_kind(folder: str, lower: str) -> str | None:
    if ".github" in folder.split("/") or lower in _CI_FILES or lower in ("pnpm-lock.yaml", "pnpm-workspace.yaml"):
        return None
    words = lower.replace("_", ".").replace("-", ".").split(".")
    if "compose" in words[:-1]:
        return "compose"
    return "yaml"


def _is_dockerfile(lower: str, ending: str) -> bool:
    if ending in ("dockerfile", "containerfile"):
        return True
    for word in ("dockerfile", "containerfile"):
        if lower == word:
            return True
        if lower.startswith((word + ".", word + "-", word + "_")):
            return ending not in (
                "dockerignore",
                "j2",
                "tmpl",
                "tpl",
                "yml",
                "yaml",
                "json",
                "toml",
                "sh",
            ) and ending not in (
                _CODE - {"js", "ts", "go", "py", "rs", "c", "h", "java", "php", "html", "css", "rb", "cs"} | _PROSE
            )
    return False


def _is_env(lower: str, ending: str) -> bool:
    if lower in (".envrc", ".env.vault", ".env.me", ".env.keys") or ".vault" in lower:
        return False
    if lower == ".env" or lower.startswith((".env.", ".env-", ".env_")):
        return ending not in _CODE | _PROSE | {"json", "yaml", "yml", "toml", "diff", "sh"}
    return ending == "env" or lower in ("env.example", "env.sample", "env.template", "env.production")


def kind_by_content(text: str) -> str | None:
    """The kind of a YAML or JSON file whose name says nothing: a Kubernetes object names its API and kind."""
    if "apiVersion" in text and "kind" in text:
        return "k8s"
    if (
        "services:" in text
        and ("\nservices:" in text or text.startswith("services:"))
        and ("image:" in text or "build:" in text)
    ):
        return "compose"
    return None


def always_k8s(path: str) -> bool:
    """Whether a YAML file belongs to Kubernetes by its name: a kustomization, or part of a Helm chart."""
    name = path.rpartition("/")[2].lower()
    return name in ("kustomization.yaml", "kustomization.yml", "chart.yaml") or "/templates/" in "/" + path


def reason_unjudged(path: str) -> str:
    """Why a file that is of no kind is not judged, in words."""
    folder, _, name = path.rpartition("/")
    lower = name.lower()
    ending = lower.rpartition(".")[2]
    if ".github/workflows" in folder or lower in _CI_FILES:
        return "a pipeline: not judged by this version"
    if ending in ("sh", "bash"):
        return "a shell script: not judged by this version"
    if ending == "sql":
        return "SQL: not judged by this version"
    if lower.startswith("nginx") or ending == "nginx" or lower.endswith(".conf"):
        return "a server configuration: not judged by this version"
    if lower == "package.json" or lower.endswith(("-lock.json", "-lock.yaml", ".lock", "ignore")):
        return "read for facts (dependencies, ignored files)"
    if ending in _CODE:
        return "program code"
    if ending in _PROSE:
        return "prose"
    return "no configuration of a kind that is judged"


def module_of(kind: str) -> ModuleType:
    """The module of a kind, imported on first use."""
    import sys

    name = f"{__name__}.{KINDS[kind][0]}"
    if name not in sys.modules:
        __import__(name)
    return sys.modules[name]
