"""Turns a job's steps into the gates it runs: type check, lint, tests, coverage, build, audit.

A script of package.json is followed to what it starts; where that says nothing, its name tells what it is for. A shell
script of the repository is read, one level. What may run anything and cannot be read is the gate "?".
"""

from __future__ import annotations

import re

from .jobs import GATES, Script, below, known, package_of, steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ..model import Node
    from .jobs import Call, Job, Step

ANY = "?"
_DEPTH = 4

# Program -> gate, where the program does nothing else.
_PROGRAMS = {
    "eslint": "lint", "oxlint": "lint", "xo": "lint", "standard": "lint", "stylelint": "lint", "ruff": "lint",
    "flake8": "lint", "pylint": "lint", "golangci-lint": "lint", "clippy": "lint", "rubocop": "lint",
    "vue-tsc": "types", "tsgo": "types", "svelte-check": "types", "mypy": "types", "pyright": "types",
    "basedpyright": "types",
    "vitest": "test", "jest": "test", "mocha": "test", "ava": "test", "tap": "test", "pytest": "test",
    "cypress": "test", "tox": "test", "nox": "test", "karma": "test", "wtr": "test",
    "osv-scanner": "audit", "trivy": "audit", "semgrep": "audit", "gitleaks": "audit", "grype": "audit",
    "audit-ci": "audit", "better-npm-audit": "audit", "pip-audit": "audit", "codeql": "audit", "trufflehog": "audit",
    "bandit": "audit", "checkov": "audit",
}  # fmt: skip
# (program, subcommand) -> gate.
_COMMANDS = {
    ("next", "lint"): "lint", ("next", "build"): "build", ("vite", "build"): "build", ("nuxt", "build"): "build",
    ("astro", "build"): "build", ("astro", "check"): "types", ("remix", "build"): "build", ("gatsby", "build"): "build",
    ("vercel", "build"): "build", ("react-router", "build"): "build", ("nest", "build"): "build", ("tsup", ""): "build",
    ("docker", "build"): "build", ("docker", "buildx"): "build", ("pack", "build"): "build", ("webpack", ""): "build",
    ("rollup", ""): "build", ("esbuild", ""): "build", ("gcloud", "builds"): "build", ("skaffold", "build"): "build",
    ("biome", "check"): "lint", ("biome", "lint"): "lint", ("biome", "ci"): "lint", ("deno", "lint"): "lint",
    ("deno", "check"): "types", ("deno", "test"): "test", ("bun", "test"): "test", ("go", "test"): "test",
    ("go", "vet"): "lint", ("go", "build"): "build", ("cargo", "test"): "test", ("cargo", "clippy"): "lint",
    ("cargo", "build"): "build", ("playwright", "test"): "test", ("react-scripts", "test"): "test",
    ("react-scripts", "build"): "build", ("snyk", "test"): "audit", ("snyk", "code"): "audit",
    ("docker", "scout"): "audit",
    ("npm", "audit"): "audit", ("pnpm", "audit"): "audit", ("yarn", "audit"): "audit", ("bun", "audit"): "audit",
    ("dotnet", "test"): "test", ("dotnet", "build"): "build", ("gradle", "test"): "test", ("mvn", "test"): "test",
}  # fmt: skip
# Action -> gate; a prefix that ends with "/" covers a repository's actions.
_ACTIONS = {
    "docker/build-push-action": "build", "docker/bake-action": "build", "depot/build-push-action": "build",
    "cypress-io/github-action": "test", "artiomtr/jest-coverage-report-action": "coverage",
    "reviewdog/action-eslint": "lint", "wearerequired/lint-action": "lint", "super-linter/super-linter": "lint",
    "github/super-linter": "lint", "golangci/golangci-lint-action": "lint", "astral-sh/ruff-action": "lint",
    "github/codeql-action/analyze": "audit", "aquasecurity/trivy-action": "audit", "anchore/scan-action": "audit",
    "actions/dependency-review-action": "audit", "gitleaks/gitleaks-action": "audit",
    "trufflesecurity/trufflehog": "audit", "semgrep/semgrep-action": "audit",
    "sonarsource/sonarqube-scan-action": "audit",
    "sonarsource/sonarcloud-github-action": "audit", "sonarsource/sonarcloud-scan-action": "audit",
    "docker/scout-action": "audit", "bridgecrewio/checkov-action": "audit",
}  # fmt: skip
_ACTION_FOLDERS = {
    "snyk/actions": "audit", "google/osv-scanner-action": "audit", "aquasecurity/trivy-action": "audit",
}  # fmt: skip

# Words of a script's name, split at `:`, `-`, `_`, `.`.
_NAMES = {
    "lint": "lint", "eslint": "lint", "linting": "lint",
    "types": "types", "typecheck": "types", "tsc": "types", "typescript": "types", "type": "types",
    "test": "test", "tests": "test", "unit": "test", "e2e": "test", "vitest": "test", "jest": "test", "spec": "test",
    "coverage": "coverage", "cov": "coverage", "build": "build", "audit": "audit", "security": "audit",
}  # fmt: skip
_MANAGERS = frozenset(("npm", "pnpm", "yarn", "bun"))
_OWN = frozenset(
    """install i ci add remove uninstall update upgrade dlx exec x publish pack version config cache login logout
    link unlink why list ls outdated prune rebuild dedupe info view init create setup store set plugins patch
    fetch import approve-builds pkg whoami root prefix bin help node ping search token team owner access
    audit deploy""".split()
)
# A line of these says nothing about what a script is for.
_SILENT = frozenset(
    """cd echo printf set export mkdir rm cp mv cat ls test [ [[ true false exit sleep source . node prisma
    drizzle-kit rimraf wait-on git curl jq sed grep awk tee tar gzip chmod touch read local return if trap
    shift""".split()
)
_TASKS = frozenset(("turbo", "nx", "lerna", "moon", "wireit", "rush"))
_OPAQUE = frozenset(("just", "task", "dagger", "earthly", "bazel", "bazelisk", "mage", "invoke", "rake", "gradlew"))
_COVERAGE = re.compile(
    r"--coverage\b(?!=false)|--cov\b|--collect-?coverage\b(?!=false)|--experimental-test-coverage", re.I
)
_COVERAGE_ON = re.compile(r"collectCoverage\s*:\s*true|coverage\s*:\s*\{[^}]*enabled\s*:\s*true", re.S)
_RUN_ALL = frozenset(("npm-run-all", "run-s", "run-p", "npm-run-all2", "concurrently", "conc"))


class Gate:
    """One run of a gate. `place` is what runs it as written; `soft` why its failure passes unseen, "" when it does not;
    `script` the package.json script that was followed, `step` the step it stands in."""

    __slots__ = ("name", "place", "script", "soft", "step")

    def __init__(self, name: str, place: Node, step: Step, soft: str = "", script: str = "") -> None:
        self.name = name
        self.place = place
        self.step = step
        self.soft = soft
        self.script = script


def of(job: Job) -> list[Gate]:
    """The gates of a job, in order."""
    found: list[Gate] = []
    for step in steps(job):
        found.extend(_of_step(step, job))
    return found


def _of_step(step: Step, job: Job) -> Iterator[Gate]:
    why = ""
    if job.allow_failure:
        why = "its job may fail"
    elif step.continue_on_error:
        why = "`continue-on-error`"
    name = step.action
    if name:
        gate = _ACTIONS.get(name) or next(
            (each for prefix, each in _ACTION_FOLDERS.items() if name.startswith(prefix + "/")), ""
        )
        if gate:
            yield Gate(gate, step.uses, step, why)
            return
    if step.remote:
        return
    for call in step.calls:
        names = dict.fromkeys(classify(call, job.pipeline.artifact, 0))
        for each in names:
            soft = why or call.tolerated
            if not soft and call.piped and not step.pipefail and call.after is not None and "set" not in _before(call):
                soft = f"the pipe into `{call.after.program}`"
            yield Gate(each, call.place, step, soft, run_script(call))


def _before(call: Call) -> str:
    """ "set" when the script sets pipefail before this call."""
    text = call.script.text[: call.words[0].start]
    return "set" if "pipefail" in text else ""


def classify(call: Call, artifact: Any, depth: int) -> Iterator[str]:
    """The gates that a call runs, "?" for one that may run any."""
    program, texts = call.program, call.texts
    if depth > _DEPTH:
        return
    joined = " ".join(texts)
    if program in ("nyc", "c8"):
        yield "coverage"
        inner = call.plain()
        if inner:
            yield from _of_text(call.script.text[inner[0].start : call.words[-1].end], call, artifact, depth + 1)
        return
    if program in _PROGRAMS:
        gate = _PROGRAMS[program]
        if texts[:1] in (["--version"], ["--help"]) or (program == "ruff" and texts[:1] == ["format"]):
            return
        yield gate
        if gate == "test" and (_COVERAGE.search(joined) or _configured(call, artifact)):
            yield "coverage"
        return
    if program == "tsc":
        if not call.flag("--version", "--init", "--showConfig"):
            yield "types"
        return
    if program == "node" and "--test" in texts:
        yield "test"
        if "coverage" in joined:
            yield "coverage"
        return
    words = [
        word.text for word in call.plain("-C", "--dir", "--cwd", "--prefix", "-F", "--filter", "-w", "--workspace")
    ]
    first = words[0] if words else ""
    gate_of = _COMMANDS.get((program, first)) or (_COMMANDS.get((program, "")) if program not in _MANAGERS else None)
    if gate_of is not None:
        if (program, first) == ("docker", "buildx") and words[1:2] not in (["build"], ["bake"]):
            return
        yield gate_of
        if gate_of == "test" and _COVERAGE.search(joined):
            yield "coverage"
        if (program, first) == ("next", "build") and not _ignores_types(call, artifact):
            yield "types"
        return
    if program in _MANAGERS:
        yield from _of_script(call, artifact, depth)
    elif program in _TASKS:
        skipped = (
            ("run", "run-many", "affected", "exec", "test") if program != "nx" else ("run", "run-many", "affected")
        )
        targets = [text for text in words if text not in skipped or text == "test"]
        wanted = call.value("-t", "--target", "--targets")
        for text in [*targets, *(wanted.text.split(",") if wanted is not None else ())]:
            yield from by_name(
                text.rpartition("#")[2].rpartition(":")[2] if program == "nx" else text.rpartition("#")[2]
            )
    elif program in _RUN_ALL:
        for word in call.plain():
            text = word.text
            if " " in text:
                yield from _of_text(text, call, artifact, depth + 1)
            else:
                yield from _named(text.removeprefix("npm:"), call, artifact, depth)
    elif program in ("make", "gmake"):
        yield from _of_make(call, words, artifact, depth)
    elif program in ("sh", "bash", "zsh") and words:
        if call.flag("-c") is not None:
            yield from _of_text(words[0], call, artifact, depth + 1)
        else:
            yield from _of_file(words[0], call, artifact, depth)
    elif call.head.text.startswith(("./", "scripts/", "bin/", ".github/")) and program not in _SILENT:
        yield from _of_file(call.head.text, call, artifact, depth)
    elif program in _OPAQUE:
        named = list(by_name(first))
        yield from named or [ANY]


def _configured(call: Call, artifact: Any) -> bool:
    """Whether the runner's own configuration measures coverage at each run."""
    if artifact.project is None or call.folder is None or call.program not in ("vitest", "jest"):
        return False
    folder = call.folder + "/" if call.folder else ""
    for ending in ("ts", "mts", "js", "mjs", "cjs"):
        for name in (f"{call.program}.config.{ending}", f"vite.config.{ending}"):
            source = artifact.project.read(folder + name)
            if source is not None and _COVERAGE_ON.search(source.text):
                return True
    return False


def _ignores_types(call: Call, artifact: Any) -> bool:
    """Whether `next build` may pass with type errors: its configuration speaks of ignoring them, or cannot be read."""
    if artifact.project is None or call.folder is None:
        return True
    folder = call.folder + "/" if call.folder else ""
    for ending in ("ts", "js", "mjs", "cjs", "mts"):
        source = artifact.project.read(f"{folder}next.config.{ending}")
        if source is not None:
            return "ignoreBuildErrors" in source.text
    return not artifact.project.exists(folder + "tsconfig.json")


def run_script(call: Call) -> str:
    """The name of the package.json script a call runs (`npm run X`, `npm test`, `pnpm X`), "" for none."""
    if call.program not in _MANAGERS:
        return ""
    words = call.plain("-C", "--dir", "--cwd", "--prefix", "-F", "--filter", "-w", "--workspace")
    names = [word.text for word in words]
    if call.program == "yarn" and names[:1] == ["workspace"]:
        names = names[2:]
    elif names[:1] == ["workspaces"]:
        names = [name for name in names[1:] if name not in ("foreach", "run")]
        return names[0] if names else ""
    if not names:
        return ""
    first = names[0]
    if first in ("run", "run-script", "rum", "urn"):
        return names[1] if len(names) > 1 else ""
    if first in ("test", "t", "tst", "start", "stop", "restart"):
        return "test" if first in ("t", "tst") else first if call.program != "bun" else ""
    if call.program == "npm" or first in _OWN:
        return ""
    return first


def elsewhere(call: Call) -> bool:
    """Whether a package manager is told to work in another package than the one of the working directory."""
    flags = (
        "-C",
        "--dir",
        "--cwd",
        "--prefix",
        "-F",
        "--filter",
        "-w",
        "--workspace",
        "-r",
        "--recursive",
        "-ws",
        "--workspaces",
    )
    texts = call.texts
    return call.flag(*flags) is not None or texts[:1] in (["workspace"], ["workspaces"])


def _of_script(call: Call, artifact: Any, depth: int) -> Iterator[str]:
    name = run_script(call)
    if not name:
        return
    joined = " ".join(call.texts)
    extra = " --coverage" if _COVERAGE.search(joined) else ""
    if elsewhere(call):
        yield from by_name(name)
    else:
        yield from _named(name, call, artifact, depth)
    if extra:
        yield "coverage"


def _named(name: str, call: Call, artifact: Any, depth: int) -> Iterator[str]:
    """The gates of a package.json script: what it starts, else what its name says."""
    package = package_of(artifact, call.folder)
    body = package.script(name) if package is not None and package.scripts_known else None
    if body is None:
        yield from by_name(name)
        return
    found = list(_of_text(body, call, artifact, depth + 1))
    if found and any(gate != ANY for gate in found):
        yield from found
    elif "no test specified" not in body and not _does_nothing(body):
        yield from by_name(name) if any(by_name(name)) else found


def _does_nothing(body: str) -> bool:
    """Whether a script only says something and ends well."""
    from ..syntax import command

    programs = {each.words[0].text for each in command.parse(body) if each.words}
    return bool(programs) and programs <= {"echo", "true", ":", "exit", "printf"}


def of_script(name: str, package: Any, artifact: Any) -> list[str]:
    """The gates that a script of package.json runs, wherever it is started."""
    body = package.script(name)
    if body is None:
        return []
    call = Script(package.root, f"npm run {name}").calls[0]
    call.folder = package.folder.rstrip("/")
    return list(dict.fromkeys(_of_text(body, call, artifact, 1)))


def _of_text(text: str, call: Call, artifact: Any, depth: int) -> Iterator[str]:
    """The gates of other shell text that runs where the call does."""
    folder = call.folder
    for inner in Script(call.script.node, text).calls:
        inner.folder = folder
        if inner.program == "cd":
            folder = below(folder, inner.args[0]) if inner.args else folder
        elif not inner.tolerated:
            yield from classify(inner, artifact, depth)


def _of_file(path: str, call: Call, artifact: Any, depth: int) -> Iterator[str]:
    """The gates of a shell script of the repository; "?" when it cannot be read."""
    project = artifact.project
    if project is None or call.folder is None or "$" in path:
        yield ANY
        return
    where = f"{call.folder}/{path.removeprefix('./')}".lstrip("/")
    source = project.read(where) if depth < 2 else None
    if source is None:
        yield ANY
        return
    yield from _of_text(source.text, call, artifact, depth + 2)


def _of_make(call: Call, words: list[str], artifact: Any, depth: int) -> Iterator[str]:
    """The gates of make's targets: their recipes, else what their names say."""
    source = None
    if artifact.project is not None and call.folder is not None and call.flag("-C", "-f") is None:
        source = artifact.project.read(f"{call.folder}/Makefile".lstrip("/"))
    for target in words or ["all"]:
        recipe = ""
        if source is not None and depth < 2:
            match = re.search(
                rf"^{re.escape(target)}[ \t]*:(?!=)[^\n]*\n((?:\t[^\n]*(?:\n|\Z))*)", source.text, re.MULTILINE
            )
            recipe = re.sub(r"^\t[@+]*", "", match.group(1), flags=re.MULTILINE) if match is not None else ""
        found = list(_of_text(recipe, call, artifact, depth + 1)) if recipe else []
        yield from found or list(by_name(target)) or [ANY]


def by_name(name: str) -> Iterator[str]:
    """The gates that a script's or a task's name stands for."""
    words = re.split(r"[:\-_./]", name.lower())
    said: list[str] = []
    for word in words:
        gate = _NAMES.get(word)
        if gate is not None and gate not in said:
            said.append(gate)
    if "type" in words and "types" in said and not ({"check", "checks", "checking"} & set(words)):
        said.remove("types")
    if "coverage" in said and "test" not in said:
        said.insert(0, "test")
    if "build" in said and len(said) > 1:
        said.remove("build")
    yield from said


def missing(names: Iterable[str], found: Iterable[Gate]) -> list[str]:
    """Which of the gates nobody runs, in the order of GATES."""
    run = {gate.name for gate in found}
    wanted = set(names)
    return [name for name in GATES if name in wanted and name not in run]


__all__ = ["ANY", "Gate", "by_name", "classify", "known", "missing", "of", "run_script"]
