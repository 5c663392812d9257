"""Turns the table of kinds into .pre-commit-hooks.yaml: `python -m elo_gate.kinds.hooks > .pre-commit-hooks.yaml`.

pre-commit and prek choose files by regular expressions over paths. Both know verbose ones, so a kind is a line. The
expressions say the same as `kind_of`, which is quicker; a test holds the two together. prek's expressions are Rust's:
nothing is used here that only Python knows.
"""

from __future__ import annotations

from . import KINDS

_YAML = r"[^/]*\.ya?ml"

# Kind -> what follows the last slash (or some slash, where folders decide) of paths that `kind_of` says are of it.
NAMES = {
    "action": r"action\.ya?ml",
    "checklist": r"[^/]*\.mdx?",
    "cloud": r"staticwebapp\.config\.json | [^/]*\.(json|ya?ml)",
    "code": r"[^/]*\.[cm]?[jt]s | [^/]*\.[jt]sx",
    "compose": rf"([^/]*[._-])?compose([._-][^/]*)?\.ya?ml | {_YAML}",
    "dockerfile": r"([^/]*\.)?(docker|container)file | (docker|container)file[._-][^/]*",
    "env": r"\.env([._-][^/]*)? | [^/]*\.env | env\.(example|sample|template|production)",
    "gitlab": rf"[^/]*\.gitlab-ci\.ya?ml | \.gitlab/(.*/)?{_YAML}",
    "k8s": _YAML,
    "next": r"next\.config\.([cm]?js|m?ts)",
    "nginx": r"[^/]*\.(conf|nginx) | [^/]*\.conf\.template | sites-(available|enabled)/[^/]+ | nginx/(.*/)?[^/.]+",
    "pipeline": r"(azure-pipelines|cloudbuild|buildspec)[^/]*\.ya?ml",
    "railway": r"railway\.(toml|json) | \.railway/railway\.ts",
    "schedule": r"cron | crontab | [^/]*\.(cron|crontab|timer) | [^/]*(cron\.d|crontabs)/[^/.]+",
    "script": r"[^/]*\.(ba)?sh",
    "sql": r"[^/]*\.sql",
    "vercel": r"vercel\.(json|toml|ts)",
    "workflow": rf"\.(github|gitea|forgejo)/(.*/)?workflows/{_YAML}",
}

# What the lines above take in and `kind_of` does not: words -> names.
ORDINARY = {
    "packages and workspaces": r"package\.json | tsconfig\.json | pnpm-workspace\.yaml",
    "lockfiles": r"package-lock\.json | pnpm-lock\.yaml",
    "what is made": r"[^/]*\.(d\.ts|min\.js)",
    "other pipelines": r"bitbucket-pipelines\.yml",
    "templates, notes and code about an image": (
        r"(docker|container)file([._-][^/]*)?\.(j2|tmpl|tpl|toml|txt|rst|adoc)"
        r" | (docker|container)file([._-][^/]*)?\.(kt|swift|vue|svelte|cpp|scss|proto)"
    ),
    "what an image leaves out": r"[^/]*\.dockerignore",
    "key stores, notes and code about an environment": (
        r"\.envrc | \.env\.(me|keys) | \.env\.vault([.-][^/]*)? | [^/]*\.vault\.env"
        r" | \.env[._-]([^/]*\.)?(rb|go|rs|java|kt|cs|php|swift|vue|svelte|c|h|cpp|proto)"
        r" | \.env[._-]([^/]*\.)?(html|css|scss|txt|rst|adoc|toml|diff)"
    ),
    "what else GitHub and editors read": (
        rf"\.(github|gitea|forgejo)/(?!(.*/)?(workflows/[^/]+|action\.ya?ml)$)(.*/)?{_YAML}"
    ),
}
# Of these the whole tree's model reads facts; a change in one may change the verdict.
FACTS = ("packages and workspaces", "lockfiles", "what an image leaves out")

# What else the model of the whole tree reads: words -> names.
READ = {
    "program code that reads its environment": r"[^/]*\.py",
    "more lockfiles": r"bun\.lockb? | yarn\.lock",
    "more packages": r"pyproject\.toml | requirements\.txt | setup\.py | pipfile | \.npmrc | \.gitmodules",
    "what is left out": r"\.(docker|git|vercel)ignore",
    "this gate": r"elo-gate\.toml",
    "other platforms and servers": r"caddyfile | _headers | netlify\.toml | procfile | [^/]*\.(tf|bicep)",
    "tasks": r"makefile | justfile",
}

_WIDTH = 82
_HEAD = """\
# Made by `python -m elo_gate.kinds.hooks` from the table of kinds; a test holds it fresh. See docs/pre-commit.md.
"""
_HOOKS = (
    (
        "elo-gate",
        "elo-gate (whole tree)",
        "Judges the working tree when a file that the verdict depends on is changed.",
        False,
    ),
    (
        "elo-gate-files",
        "elo-gate (changed files)",
        "Judges the changed files alone; rules across files are left out, and it says so.",
        True,
    ),
)


def files(whole: bool) -> str:
    """The expression of the names a hook is started for: those of a kind and, for the whole tree, those read for it."""
    rows = {KINDS[kind][1]: names for kind, names in NAMES.items()}
    return _expression({**rows, **READ} if whole else rows)


def exclude(whole: bool) -> str:
    """The expression of the names that `files` takes in and should not."""
    return _expression({words: names for words, names in ORDINARY.items() if not (whole and words in FACTS)})


def _expression(rows: dict[str, str]) -> str:
    lines: list[str] = []
    for words, names in rows.items():
        parts = _broken(names)
        for at, part in enumerate(parts):
            line = f"{'| ' if lines else '  '}{part}"
            lines.append(f"{line:<{_WIDTH}}  # {words}" if at == len(parts) - 1 else line)
    return "\n".join(["(?xi)(^|/)(", *lines, ")$"])


def _broken(names: str) -> list[str]:
    """The names as lines, none longer than need be."""
    lines: list[str] = []
    for name in names.split(" | "):
        if lines and len(lines[-1]) + len(name) + 5 <= _WIDTH:
            lines[-1] += f" | {name}"
        else:
            lines.append(name)
    return lines


def manifest() -> str:
    """The text of .pre-commit-hooks.yaml."""
    return _HEAD + "".join(_entry(*hook) for hook in _HOOKS)


def _entry(name: str, title: str, words: str, named: bool) -> str:
    lines = [
        f"- id: {name}",
        f"  name: {title}",
        f"  description: {words}",
        "  entry: elo-gate-hook",
        "  language: python",
        "  types: [file]",
        f"  pass_filenames: {str(named).lower()}",
        "  # One process: the list of names would else be split, or the whole tree be judged several times.",
        "  require_serial: true",
        "  stages: [pre-commit, pre-merge-commit, pre-push, manual]",
        "  minimum_pre_commit_version: 3.2.0",
        "  files: |-",
        *(f"    {line}" for line in files(not named).splitlines()),
        "  exclude: |-",
        *(f"    {line}" for line in exclude(not named).splitlines()),
    ]
    return "\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(manifest())
