"""The git hooks: fresh, started for the right names, and at work in pre-commit and prek without a network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from elo_gate.kinds import KINDS, PROGRAMS, hooks, kind_of
from elo_gate.kinds.package import LOCKFILES

Write = Callable[[dict[str, str]], Path]

# Names as repositories have them, of every kind and of none.
NAMES = """
action.yml .github/actions/setup/action.yaml tools/action/action.yml
docs/deploy-checklist.md README.md CHANGELOG.md docs/page.mdx
apprunner.yaml staticwebapp.config.json task-definition.json cloudrun.yaml ecs/task.JSON
src/proxy.ts src/app/page.tsx middleware.js src/a.jsx next.mjs lib/x.cjs lib/x.mts lib/x.cts types/global.d.ts public/app.min.js
compose.yaml compose.production.yaml docker-compose.yml docker-compose.prod.yml deploy/compose_prod.yaml app-compose.yml
Dockerfile Dockerfile.production Dockerfile-dev docker/web.Dockerfile Containerfile app.containerfile Dockerfile_old
Dockerfile.py Dockerfile.go Dockerfile.node.js Dockerfile.dockerignore Dockerfile.j2 Dockerfile.tmpl Dockerfile.tpl Dockerfile.md
Dockerfile.toml Dockerfile.kt Dockerfile.vue Dockerfile.txt Dockerfile.rst Dockerfile.sh Dockerfile.yaml dockerfile-lint.json Dockerfiles
.env .env.local .env.production .env.production.local .env-dev .env_test app.env config/web.env env.example env.production
env.sample env.template env.test .envrc .env.vault .env.me .env.keys .env.ts .env.d.ts .env.md .env.json .env.schema.toml .env.txt
.env.go .env.rb .env.html .env.diff .env.example .env.sh environment envs.txt .environment
.gitlab-ci.yml .gitlab-ci.yaml ci/deploy.gitlab-ci.yml .gitlab/ci/test.yml .gitlab/agents/prod/config.yaml .gitlab/CODEOWNERS
k8s/production/app.yaml deployment.yml kustomization.yaml Chart.yaml charts/web/values.yaml charts/web/templates/app.yaml
next.config.js next.config.mjs next.config.cjs next.config.ts next.config.mts apps/web/next.config.ts next.config.d.ts
nginx.conf conf.d/default.conf nginx/default.conf.template sites-available/shop sites-enabled/shop nginx/shop nginx/snippets/tls
nginx/README.txt app.nginx redis.conf nginx/data.bin docs/nginx.txt
azure-pipelines.yml azure-pipelines.prod.yaml cloudbuild.yaml cloudbuild-prod.yml buildspec.yml buildspec_test.yaml
railway.toml railway.json .railway/railway.ts apps/api/railway.toml railway.yaml
crontab cron deploy/backup.cron deploy/app.crontab backup.timer etc/cron.d/backup etc/crontabs/root cron.txt crontab.txt
scripts/backup.sh scripts/deploy.bash restore.SH run.zsh run.fish bin/deploy scripts/run.ps1
db/bootstrap.sql migrations/001_init.sql dump.sqlite schema.prisma
vercel.json vercel.toml vercel.ts apps/web/vercel.json .vercelignore
.github/workflows/production.yml .github/workflows/ci.yaml .github/dependabot.yml .github/labeler.yml .github/ISSUE_TEMPLATE/bug.yml
.gitea/workflows/ci.yml .forgejo/workflows/ci.yaml .forgejo/issue.yaml .github/release.yaml .github/CODEOWNERS .github/scripts/deploy.sh
.github/workflows/README.md .github/workflows/nested/x.yml sub/.github/workflows/x.yml
bitbucket-pipelines.yml pnpm-lock.yaml pnpm-workspace.yaml package.json package-lock.json tsconfig.json apps/web/package.json
yarn.lock bun.lock bun.lockb npm-shrinkwrap.json poetry.lock go.sum go.mod Cargo.toml Cargo.lock pyproject.toml requirements.txt setup.py
main.py manage.py src/app.go lib/x.rb Main.java app.rs x.kt x.cs x.php App.swift App.vue App.svelte x.c x.h x.cpp index.html main.css
main.scss x.proto notes.txt guide.rst guide.adoc .gitignore .dockerignore .npmrc .nvmrc .editorconfig .prettierrc LICENSE Makefile
Procfile Caddyfile netlify.toml _headers main.tf main.bicep elo-gate.toml logo.png font.woff2 data.csv archive.tar.gz favicon.ico
.husky/pre-commit .vscode/settings.json renovate.json5 src/app.test.ts x.snap x.lock x.pem x.key x.crt
""".split()  # fmt: skip

COMPOSE = """\
services:
  app:
    image: ghcr.io/acme/app:1.2.3
    restart: unless-stopped
    environment:
      NODE_ENV: production
"""
PUBLISHED = COMPOSE + '  db:\n    image: postgres:18.1\n    ports: ["5432:5432"]\n    restart: always\n'
KEPT = ("src", "rules", "schemas", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "CHANGELOG.md")
MANIFEST = ".pre-commit-hooks.yaml"


def starts(hook: str, path: str) -> bool:
    """Whether a hook is started for a path, as pre-commit decides it (`filter_by_include_exclude`)."""
    whole = hook == "elo-gate"
    return bool(re.search(hooks.files(whole), path)) and not re.search(hooks.exclude(whole), path)


def test_the_manifest_is_fresh(root: Path) -> None:
    made = hooks.manifest()
    assert (root / MANIFEST).read_text(encoding="utf-8") == made, f"run: python -m elo_gate.kinds.hooks > {MANIFEST}"
    entries = yaml.safe_load(made)
    assert [each["id"] for each in entries] == ["elo-gate", "elo-gate-files"]
    for entry in entries:
        assert entry["entry"] == "elo-gate-hook" and entry["require_serial"] and entry["types"] == ["file"]
        assert entry["files"] == hooks.files(entry["id"] == "elo-gate")
    assert [each["pass_filenames"] for each in entries] == [False, True]


def test_every_kind_has_names() -> None:
    assert set(hooks.NAMES) == set(KINDS)
    for kind, (_, _, example) in KINDS.items():
        assert re.search(rf"(?xi)(^|/)({hooks.NAMES[kind]})$", example), kind
        assert starts("elo-gate-files", example) and starts("elo-gate", example)


@pytest.mark.parametrize("path", NAMES)
def test_changed_files_are_those_of_a_kind(path: str) -> None:
    assert starts("elo-gate-files", path) is (kind_of(path) is not None)


@pytest.mark.parametrize("path", NAMES)
def test_the_whole_tree_is_judged_for_those_and_what_is_read_for_them(path: str) -> None:
    read = path in {
        "package.json", "apps/web/package.json", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml",
        "pnpm-workspace.yaml", "yarn.lock", "bun.lock", "bun.lockb", "tsconfig.json", "pyproject.toml",
        "requirements.txt", ".npmrc", ".gitignore", ".dockerignore", "Dockerfile.dockerignore", ".vercelignore",
        "elo-gate.toml", "Caddyfile", "netlify.toml", "_headers", "Procfile", "Makefile", "main.tf", "main.bicep",
    }  # fmt: skip
    assert starts("elo-gate", path) is (kind_of(path) is not None or path.endswith(PROGRAMS[-1]) or read)


def test_lockfiles_and_programs_start_the_whole_tree() -> None:
    assert all(starts("elo-gate", name) for name in LOCKFILES)
    assert all(starts("elo-gate", f"src/a{ending}") for ending in PROGRAMS)


WORDS = st.sampled_from(
    "app web docker compose production dockerfile .env env next.config vercel railway nginx cron crontab action k8s".split()
)
ENDINGS = st.sampled_from(
    "yaml yml json ts js md sql sh conf toml txt env example local production go png lock".split()
)
FOLDERS = st.lists(
    st.sampled_from("src deploy .github workflows .gitlab nginx cron.d sites-enabled a".split()), max_size=3
)


@given(FOLDERS, st.lists(WORDS, min_size=1, max_size=2), st.sampled_from(".-_"), st.lists(ENDINGS, max_size=1))
def test_no_name_tells_them_apart(folders: list[str], words: list[str], joint: str, endings: list[str]) -> None:
    name = ".".join([joint.join(words), *endings])
    # In nginx's own folder every name is a site's: a Dockerfile's template there is nobody's file.
    assume("sites-enabled" not in folders[-1:] or not name.startswith(("dockerfile", ".env")))
    path = "/".join([*folders, name])
    assert starts("elo-gate-files", path) is (kind_of(path) is not None), path


# -- in the programs that run hooks


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which packages come from a folder of wheels and from nowhere else."""
    wheels = Path(os.environ.get("ELO_GATE_WHEELS", ""))
    if not wheels.parts or not any(wheels.glob("hatchling-*.whl")):
        pytest.skip(
            "no folder of wheels: pip download -r requirements/action.txt -d DIR, and set ELO_GATE_WHEELS to DIR"
        )
    home = tmp_path_factory.mktemp("home")
    nothing = home / "nothing"
    nothing.touch()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "UV_", "GIT_", "PREK_", "PRE_COMMIT", "PYTHON"))
    }
    return {
        **kept,
        "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": str(nothing),
        "UV_NO_INDEX": "1", "UV_FIND_LINKS": str(wheels), "UV_OFFLINE": "1", "UV_NO_CONFIG": "1",
        "HOME": str(home), "PRE_COMMIT_HOME": str(home / "pre-commit"), "PREK_HOME": str(home / "prek"),
        "XDG_CACHE_HOME": str(home / "cache"), "GIT_CONFIG_GLOBAL": str(nothing), "GIT_CONFIG_SYSTEM": str(nothing),
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@acme.test", "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@acme.test",
    }  # fmt: skip


def call(folder: Path, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def commit(folder: Path, environment: dict[str, str]) -> str:
    """Commits everything and returns the commit's id."""
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x", "--no-verify"]):
        done = call(folder, environment, "git", *words)
        assert done.returncode == 0, done.stderr
    return call(folder, environment, "git", "rev-parse", "HEAD").stdout.strip()


@pytest.fixture(scope="module")
def gate(root: Path, offline: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that holds what a fresh clone of this one does."""
    copy = tmp_path_factory.mktemp("gate") / "elo-gate"
    copy.mkdir()
    for name in (*KEPT, MANIFEST):
        if (root / name).is_dir():
            shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "_compiled"))
        else:
            shutil.copy(root / name, copy / name)
    commit(copy, offline)
    return copy


RUNNERS = ("pre-commit", "prek")


@pytest.fixture(params=RUNNERS)
def runner(request: pytest.FixtureRequest, offline: dict[str, str]) -> str:
    """The program that runs hooks."""
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    if name == "prek" and shutil.which("uv") is None:
        pytest.skip("uv is not installed, and prek cannot fetch it without a network")
    return name


@pytest.fixture
def application(tmp_path: Path, gate: Path, offline: dict[str, str]) -> Path:
    """A repository that uses both hooks, with one file that is right and names that begin with `-`."""
    folder = tmp_path / "application"
    folder.mkdir()
    head = call(gate, offline, "git", "rev-parse", "HEAD").stdout.strip()
    hook = "  - repo: {}\n    rev: {}\n    hooks: [{{id: elo-gate}}, {{id: elo-gate-files}}]\n"
    (folder / ".pre-commit-config.yaml").write_text("repos:\n" + hook.format(gate, head))
    (folder / "compose.production.yaml").write_text(COMPOSE)
    (folder / "-rf.env").write_text("LOG_LEVEL=info\n")
    (folder / "--help.sql").write_text("-- nothing\n")
    commit(folder, offline)
    return folder


def test_the_manifest_is_one_that_runners_accept(root: Path, runner: str, offline: dict[str, str]) -> None:
    done = call(root, offline, runner, "validate-manifest", MANIFEST)
    assert done.returncode == 0, done.stdout + done.stderr


def test_try_repo_on_a_fresh_clone(application: Path, gate: Path, runner: str, offline: dict[str, str]) -> None:
    words = [runner, "try-repo", str(gate), "--all-files", "--verbose"]
    clean = call(application, offline, *words)
    assert clean.returncode == 0, clean.stdout + clean.stderr
    (application / "compose.production.yaml").write_text(PUBLISHED)
    planted = call(application, offline, *words)
    assert planted.returncode == 1
    # Both hooks see it, each with its place.
    assert planted.stdout.count("compose/data-store-published") == 2, planted.stdout
    assert "compose.production.yaml" in planted.stdout and "9:13" in planted.stdout


def test_what_is_staged_is_what_is_judged(application: Path, runner: str, offline: dict[str, str]) -> None:
    path = application / "compose.production.yaml"
    # Wrong in the working tree, right in the index: passes, and the working tree is as it was.
    path.write_text(COMPOSE + "# more\n")
    call(application, offline, "git", "add", "-A")
    path.write_text(PUBLISHED)
    right = call(application, offline, runner, "run")
    assert right.returncode == 0, right.stdout + right.stderr
    assert path.read_text() == PUBLISHED
    # Right in the working tree, wrong in the index: blocked.
    call(application, offline, "git", "add", "-A")
    path.write_text(COMPOSE)
    wrong = call(application, offline, runner, "run")
    assert wrong.returncode == 1 and "compose/data-store-published" in wrong.stdout
    assert path.read_text() == COMPOSE


def test_names_that_begin_with_a_dash_are_names(application: Path, runner: str, offline: dict[str, str]) -> None:
    (application / "-rf.env").write_text("LOG_LEVEL=debug\n")
    (application / "--help.sql").write_text("-- still nothing\n")
    call(application, offline, "git", "add", "-A")
    done = call(application, offline, runner, "run", "elo-gate-files", "--verbose")
    assert "no file of that name" not in done.stdout and "Usage" not in done.stdout
    assert done.returncode == 0, done.stdout + done.stderr


def test_ordinary_files_start_nothing(application: Path, runner: str, offline: dict[str, str]) -> None:
    (application / "logo.svg").write_text("<svg/>\n")
    call(application, offline, "git", "add", "-A")
    done = call(application, offline, runner, "run")
    assert done.returncode == 0 and done.stdout.count("no files to check") == 2


# -- the page about them


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs/pre-commit.md").read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.M | re.S)


def test_the_page_shows_a_configuration_and_commands_that_work(
    page: str, application: Path, gate: Path, runner: str, offline: dict[str, str]
) -> None:
    (config,) = blocks(page, "yaml")
    head = call(gate, offline, "git", "rev-parse", "HEAD").stdout.strip()
    config = config.replace("https://github.com/elo-gate/elo-gate", str(gate)).replace("COMMIT", head)
    (application / ".pre-commit-config.yaml").write_text(config + "      - id: elo-gate-files\n")
    call(application, offline, "git", "add", "-A")
    commands = [line for line in blocks(page, "sh")[0].splitlines() if line.split()[0] == runner]
    assert commands
    for command in commands:
        done = call(application, offline, *command.split())
        assert done.returncode == 0 and "Passed" in done.stdout, done.stdout + done.stderr


def test_the_page_names_the_wheels_as_ci_gets_them(page: str, root: Path) -> None:
    download, export = blocks(page, "sh")[1].splitlines()
    script = " ".join((root / ".ci/run").read_text(encoding="utf-8").split())
    assert download.partition("pip ")[2].removesuffix(" -d wheels") in script
    assert re.findall(r"(\w+)=", export) == ["PIP_NO_INDEX", "PIP_FIND_LINKS", "UV_NO_INDEX", "UV_FIND_LINKS"]
