"""Turns a path into the kind of file it is: one table, and one module a kind that is imported on first match.

A kind's module has `load(artifact)`, `VIEWS` (name -> items of an artifact), `signs(artifact)` (what its content
says about its environment) and may have `secrets(artifact)` (spans to mask), `settle(artifact)` (a second look once
every artifact of the tree is loaded) and `looks_like(path, text)` (whether a file with such a name is of the kind at
all).
"""

from __future__ import annotations

from ..model import MAP, SCALAR, SEQ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from ..model import Node

# kind -> (module, what it is, the path an example of it has)
KINDS = {
    "action": ("action", "GitHub composite action", ".github/actions/setup/action.yml"),
    "checklist": ("checklist", "deploy checklist", "docs/deploy-checklist.md"),
    "cloud": ("cloud", "cloud service configuration", "cloudrun.yaml"),
    "code": ("code", "application code the standard names", "src/proxy.ts"),
    "compose": ("compose", "Compose file", "compose.production.yaml"),
    "dockerfile": ("dockerfile", "Dockerfile", "Dockerfile.production"),
    "env": ("env", "env file", ".env.production"),
    "gitlab": ("gitlab", "GitLab pipeline", ".gitlab-ci.yml"),
    "k8s": ("k8s", "Kubernetes manifest", "k8s/production/app.yaml"),
    "next": ("next", "Next.js configuration", "next.config.js"),
    "nginx": ("nginx", "nginx configuration", "nginx.conf"),
    "pipeline": ("pipeline", "cloud pipeline", "azure-pipelines.yml"),
    "railway": ("railway", "Railway configuration", "railway.toml"),
    "schedule": ("schedule", "schedule", "crontab"),
    "script": ("script", "shell script", "scripts/backup.sh"),
    "sql": ("sql", "SQL script", "db/bootstrap.sql"),
    "vercel": ("vercel", "Vercel configuration", "vercel.json"),
    "workflow": ("workflow", "GitHub workflow", ".github/workflows/production.yml"),
}

# Names of program code, for what it reads from its environment.
PROGRAMS = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".py")
# What GitHub and others publish for editors and bots: YAML, and no pipeline.
_GITHUB_OTHERS = frozenset(("dependabot", "renovate", "labeler", "release", "funding", "stale", "codecov", "settings"))
_PIPELINES = ("azure-pipelines", "cloudbuild", "buildspec")
_CODE = frozenset(
    "ts tsx js jsx mjs cjs mts cts py rb go rs java kt cs php swift vue svelte c h cpp html css scss proto".split()
)
_PROSE = frozenset("md mdx txt rst adoc".split())


def kind_of(path: str) -> str | None:
    """The kind of a path by its name; "yaml" or "json" when only the content can tell; None when it is of no kind."""
    folder, _, name = path.rpartition("/")
    lower = name.lower()
    stem, dot, ending = lower.rpartition(".")
    if not dot:
        stem, ending = lower, ""
    if ending in ("yaml", "yml"):
        return _yaml_kind(folder, stem, lower)
    if lower in ("vercel.json", "vercel.toml", "vercel.ts"):
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
        if lower == "staticwebapp.config.json":
            return "cloud"
        return "json" if lower not in ("package.json", "package-lock.json", "tsconfig.json") else None
    if ending in ("ts", "tsx", "js", "jsx", "mjs", "cjs", "mts", "cts"):
        return "code" if not lower.endswith((".d.ts", ".min.js")) else None
    return _by_ending(folder, lower, ending)


def _by_ending(folder: str, lower: str, ending: str) -> str | None:
    """The kinds that a name's ending, or its lack, gives away."""
    if ending in ("sh", "bash"):
        return "script"
    if ending == "sql":
        return "sql"
    if ending in ("conf", "nginx") or lower.endswith(".conf.template"):
        return "nginx"
    if folder.endswith(("sites-available", "sites-enabled")) or ("nginx" in folder.split("/") and "." not in lower):
        return "nginx"
    if lower in ("crontab", "cron") or ending in ("cron", "crontab", "timer"):
        return "schedule"
    if not ending and folder.endswith(("cron.d", "crontabs")):  # cron reads no name with a dot in these folders
        return "schedule"
    if ending in ("md", "mdx"):
        return "checklist"
    return None


def _yaml_kind(folder: str, stem: str, lower: str) -> str | None:
    folders = folder.split("/")
    if lower in ("pnpm-lock.yaml", "pnpm-workspace.yaml", "bitbucket-pipelines.yml"):
        return None
    if stem == "action":
        return "action"
    if ".github" in folders or ".gitea" in folders or ".forgejo" in folders:
        return "workflow" if folders[-1] == "workflows" else None
    if lower.endswith((".gitlab-ci.yml", ".gitlab-ci.yaml")) or ".gitlab" in folders:
        return "gitlab"
    if stem.startswith(_PIPELINES):
        return "pipeline"
    if stem == "apprunner":
        return "cloud"
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
    if '"containerDefinitions"' in text or "Microsoft.App/containerApps" in text or "managedEnvironmentId:" in text:
        return "cloud"
    if "apiVersion" in text and "kind" in text:
        # Cloud Run's services; beside other objects they are those of a cluster.
        cloud = text.count("apiVersion: serving.knative.dev/") + text.count("apiVersion: run.googleapis.com/")
        return "cloud" if cloud and cloud == text.count("apiVersion:") else "k8s"
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
    name = path.rpartition("/")[2]
    lower = name.lower()
    ending = lower.rpartition(".")[2]
    if lower == "bitbucket-pipelines.yml":
        return "a pipeline: not judged by this version"
    if ending in ("sh", "bash"):
        return "a shell script that neither deploys, backs up, restores nor rolls back"
    if ending == "sql":
        return "SQL that is not PostgreSQL's, or neither sets a database up nor restores one"
    if lower == "package.json" or lower.endswith(("-lock.json", "-lock.yaml", ".lock", "ignore")):
        return "read for facts (dependencies, ignored files)"
    if ending in _CODE:
        return "program code"
    if ending in _PROSE:
        return "prose"
    return "no configuration of a kind that is judged"


# Kind -> the entries of its map that have to be maps or lists. Whatever reads such a file refuses another shape, and
# nothing in it could be judged.
_SHAPES = {
    "action": (("runs", MAP),),
    "compose": (("services", MAP),),
    "gitlab": (),
    "k8s": (("metadata", MAP), ("spec", MAP)),
    "pipeline": (("phases", MAP), ("jobs", SEQ), ("stages", SEQ)),
    "vercel": (),
}


def misshapen(kind: str, root: Node) -> tuple[Node, str] | None:
    """(node, what it has to be) of the first part of a file that is no map or no list where nothing else is read."""
    entries = _SHAPES.get(kind)
    if entries is None:
        return None
    several = root.kind is SEQ and kind in ("compose", "gitlab", "k8s")
    for document in root.value if several else (root,):
        if document.kind is not MAP:
            if kind != "k8s" and document.kind in (SCALAR, SEQ) and not document.is_null():
                return document, "a map"
            continue
        for name, wanted in entries:
            value = document.get(name)
            known = value.kind in (MAP, SEQ) or (value.kind is SCALAR and "${{" not in value.value)
            if known and value.kind is not wanted and not value.is_null():
                return value, "a map" if wanted is MAP else "a list"
        for path in (("spec", "template", "spec", "containers"), ("spec", "containers")) if kind == "k8s" else ():
            containers = document.get(*path)
            if containers.kind in (SCALAR, MAP) and not containers.is_null():
                return containers, "a list"
        for _, service in document.get("services").items() if kind == "compose" else ():
            if service.kind in (SCALAR, SEQ) and not service.is_null():
                return service, "a map"
    return None


_modules: dict[str, ModuleType] = {}


def module_of(kind: str) -> ModuleType:
    """The module of a kind, imported on first use."""
    found = _modules.get(kind)
    if found is None:
        import sys

        name = f"{__name__}.{KINDS[kind][0]}"
        __import__(name)
        found = _modules[kind] = sys.modules[name]
    return found
