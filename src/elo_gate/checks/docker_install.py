"""Answers how a Dockerfile installs JavaScript dependencies and builds with them."""

from __future__ import annotations

from ..kinds import dockerfile
from ..kinds.packages import LOCKFILES
from ..model import SCALAR, Fault, Item, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_LOCKED = {
    "npm": "npm ci", "pnpm": "pnpm install --frozen-lockfile", "yarn": "yarn install --frozen-lockfile",
    "bun": "bun install --frozen-lockfile",
}  # fmt: skip
# What builds are made of and projects keep in devDependencies.
_BUILDERS = frozenset(
    ("typescript", "next", "vite", "webpack", "webpack-cli", "rollup", "esbuild", "tsup", "turbo", "nx", "tailwindcss",
     "postcss", "autoprefixer", "sass", "prisma", "ts-node", "tsx", "react-scripts", "parcel", "astro", "nuxt")
)  # fmt: skip
_BUILDER_SCOPES = (
    "@types/",
    "@nestjs/cli",
    "@babel/",
    "@angular/cli",
    "@angular-devkit/",
    "@sveltejs/",
    "@tailwindcss/",
)


def unlocked(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault for an install that may change what the lockfile says, or has none."""
    call = it.facts["call"]
    if not call.installs or call.locked or not call.manager:
        return
    if "CI" in it.facts["assigned"] or "CI" in it.facts["stage"].facts["env"]:
        return  # pnpm and Yarn refuse to change the lockfile there
    context = dockerfile.of(file)["context"]
    if context.folder is None:
        return
    lockfile = next((path for path in _lockfiles(it, context, call.manager)), None)
    command = f"{call.manager} {call.verb}"
    if lockfile is not None:
        yield Fault(it.node, command=command, lockfile=lockfile, locked=_LOCKED[call.manager])
    elif context.certain or any(context.exists(folder + "package.json") for folder in _folders(it)):
        wanted = LOCKFILES[call.manager][0]
        yield Fault(it.node, message="missing", command=command, lockfile=wanted, locked=_LOCKED[call.manager])
    else:
        yield Undecided("the build context is not known", it)


def _folders(command: Item) -> list[str]:
    """Folders of the context whose package.json the stage has copied before a command, "" first."""
    found = [""]
    for stage in command.facts["stage"].facts["chain"]:
        for copy in stage.facts["copies"]:
            for source in copy.facts["sources"]:
                if (
                    source.kind is SCALAR
                    and copy.facts["from"] is None
                    and "package" in source.value.rpartition("/")[2]
                ):
                    folder = source.value.rpartition("/")[0].removeprefix("./")
                    found.append(folder + "/" if folder else "")
    return list(dict.fromkeys(found))


def _lockfiles(command: Item, context: Any, manager: str) -> Iterator[str]:
    for folder in _folders(command):
        for name in LOCKFILES[manager]:
            if context.exists(folder + name):
                yield folder + name


def retired_option(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for an option that npm has retired."""
    call = it.facts["call"]
    if call.retired >= 0 and call.installs:
        written = it.facts["words"][call.retired]
        instead = "--include=dev" if call.production is False else "--omit=dev"
        yield Fault(it.facts["nodes"][call.retired], option=written, instead=instead)


def without_builders(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault for each install without devDependencies on whose result a build is run."""
    seen: set[int] = set()
    for stage in dockerfile.stages(file):
        for build in stage.facts["runs"]:
            if not build.facts["call"].builds:
                continue
            found = _provider(stage, build)
            if found is None or not found[0].facts["production"] or id(found[0]) in seen:
                continue
            install, copy = found
            call = install.facts["call"]
            if call.manager == "yarn" and call.flag < 0 and _modern_yarn(file):
                continue
            seen.add(id(install))
            why = _needs_builders(file, build)
            if why is None:
                continue
            if not why:
                yield Undecided("package.json is not known", install)
                continue
            related = [(build, "the build")]
            if copy is not None:
                related.insert(0, (copy, "its node_modules come here"))
            yield Fault(
                install.facts["nodes"][call.flag] if call.flag >= 0 else install,
                related,
                command=install.facts["text"],
                build=build.facts["text"],
                stage=stage.facts["title"],
                needs=why,
            )


def _modern_yarn(file: Artifact) -> bool:
    """Whether Yarn 2 or later is in use, which does not look at NODE_ENV."""
    return bool(dockerfile.of(file)["context"].exists(".yarnrc.yml"))


def _provider(stage: Item, build: Item) -> tuple[Item, Item | None] | None:
    """(the install, the copy that brings its node_modules) on which a build runs."""
    events: list[tuple[int, Item]] = []
    for each in stage.facts["chain"]:
        events += [(command.place.start, command) for command in each.facts["runs"] if command.facts["call"].installs]
        events += [(copy.place.start, copy) for copy in each.facts["copies"] if _brings_modules(copy)]
    before = sorted(
        (event for event in events if event[0] < build.place.start), key=lambda event: event[0], reverse=True
    )
    for _, item in before:
        if "call" in item.facts:
            if _within(build.facts["folder"], item.facts["folder"]):
                return item, None
        elif _within(build.facts["folder"], item.facts["path"].removesuffix("/node_modules")):
            source = item.facts["from"]
            installs = [
                command
                for each in source.facts["chain"]
                for command in each.facts["runs"]
                if command.facts["call"].installs
            ]
            return (max(installs, key=lambda command: command.place.start), item) if installs else None
    return None


def _brings_modules(copy: Item) -> bool:
    source = copy.facts["from"]
    if not isinstance(source, Item) or "runs" not in source.facts or copy.facts["path"] is None:
        return False
    return copy.facts["path"].endswith("/node_modules") or any(
        word.kind is SCALAR and word.value.rstrip("/").endswith("node_modules") for word in copy.facts["sources"]
    )


def _within(inner: str | None, outer: str | None) -> bool:
    """Whether a folder lies in another, as far as both are known."""
    if inner is None or outer is None:
        return True
    outer = outer.rstrip("/")
    return inner == outer or inner.startswith(outer + "/")


def _needs_builders(file: Artifact, build: Item) -> str | None:
    """What the build needs of devDependencies, in words; None when nothing, "" when that is not known."""
    context, project = dockerfile.of(file)["context"], file.project
    if context.folder is None:
        return ""
    package = project.package(f"{context.folder}/x" if context.folder else "x")
    if package is not None and package.scripts_known:
        names = [key.value for key, _ in package.root.get("devDependencies").items()]
        script = package.script(build.facts["call"].script) or build.facts["text"]
        needed = [
            name
            for name in names
            if name in _BUILDERS or name.startswith(_BUILDER_SCOPES) or name in script.replace("&", " ").split()
        ]
        return ", ".join(needed[:3]) or None
    folders = ["", "src", "app", "pages", "lib", "src/app", "src/lib", "src/pages"]
    names = [name for folder in folders for name in project.names(context.path(folder) or "")]
    if "tsconfig.json" in names or any(name.endswith((".ts", ".tsx")) for name in names):
        return "typescript"
    return ""


def built_in_place(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when the released image is the one the application was built in."""
    commands = [command for stage in it.facts["chain"] for command in stage.facts["runs"]]
    commands.sort(key=lambda command: command.place.start)
    builds = [command for command in commands if command.facts["call"].builds]
    if not builds:
        return
    last = builds[-1].place.start
    for command in commands:
        call = command.facts["call"]
        if command.place.start > last and (call.verb == "prune" or (call.installs and command.facts["production"])):
            return
    yield Fault(builds[0].node, build=builds[0].facts["text"], stage=it.facts["title"])


def sources_first(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when all sources are copied before the dependencies are installed."""
    facts = it.facts
    if not facts["whole"] or facts["stage"].facts["aside"]:
        return
    stage = facts["stage"]
    installs = [
        command for each in stage.facts["chain"] for command in each.facts["runs"] if command.facts["call"].installs
    ]
    if any(command.place.start < it.place.start for command in installs):
        return
    later = [command for command in installs if command.place.start > it.place.start]
    if later and not any(name.value == "mount" for name, _ in later[0].facts["instruction"].flags):
        yield Fault(it, [(later[0], "the install")], install=later[0].facts["text"])


def missing_script(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault for each package.json script that is run while the image is built or started and is not there."""
    commands = [command for stage in dockerfile.stages(file) for command in stage.facts["runs"]]
    for stage in dockerfile.final_stage(file):
        for part in ("entrypoint", "cmd"):
            if stage.facts[part] is not None:
                commands += stage.facts[part].facts["commands"]
    for command in commands:
        call = command.facts["call"]
        # `pnpm x` also starts a program of node_modules/.bin, `bun run x` a file.
        if not call.script or call.filtered or not (call.verb in ("run", "run-script") or call.manager == "npm"):
            continue
        if "." in call.script or "/" in call.script or "$" in call.script:
            continue
        package = _package(file, command)
        if package is None or not package.scripts_known or package.script(call.script) is not None:
            continue
        if call.script == "start" and file.project.exists(package.folder + "server.js"):
            continue  # npm's default for it
        if call.script == "restart" or "--if-present" in command.facts["words"]:
            continue
        yield Fault(command.node, command=command.facts["text"], script=call.script, package=package.path)


def _package(file: Artifact, command: Item) -> Any:
    """The package.json a command of a stage finds in its folder, as far as the copies of the stage tell."""
    context = dockerfile.of(file)["context"]
    folder = command.facts["folder"]
    if folder is None or context.folder is None:
        return None
    if not context.certain and not any(context.exists(name) for name in ("package.json",)):
        return None
    for stage in command.facts["stage"].facts["chain"]:
        for copy in reversed(stage.facts["copies"]):
            place = copy.facts["path"]
            if copy.facts["from"] is not None or place is None:
                continue
            for source in copy.facts["sources"]:
                if source.kind is not SCALAR:
                    continue
                home, _, name = source.value.removeprefix("./").rpartition("/")
                if name in ("package.json", "package*.json") and place == folder:
                    return _at(file, context.path(home))
                if copy.facts["whole"] and _within(folder, place):
                    return _at(file, context.path(folder[len(place.rstrip("/")) :]))
    return None


def _at(file: Artifact, folder: str | None) -> Any:
    if folder is None:
        return None
    path = f"{folder}/package.json" if folder else "package.json"
    return file.project.package(path) if file.project.exists(path) else None


def without_client(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault when Prisma's client is generated by nothing before the application is built."""
    context, project = dockerfile.of(file)["context"], file.project
    if context.folder is None:
        return
    schema = next((name for name in ("prisma/schema.prisma", "prisma", "schema.prisma") if context.exists(name)), None)
    if schema is None or context.folder + "/" in ("prisma/",):
        return
    commands = [command for stage in dockerfile.stages(file) for command in stage.facts["runs"]]
    if any("prisma" in command.facts["text"] and "generate" in command.facts["text"] for command in commands):
        return
    builds = [command for command in commands if command.facts["call"].builds]
    if not builds:
        return
    if any(command.facts["call"].script.endswith("generate") for command in commands):
        return
    package = project.package(context.path("x") or "x")
    if package is None or not package.scripts_known:
        yield Undecided("package.json is not known: a script of it may generate the client", builds[0])
        return
    if not package.has("@prisma/client"):
        return
    if any(
        "prisma" in (package.script(name) or "") for name in ("build", "prebuild", "postinstall", "prepare", "generate")
    ):
        return
    for stage in dockerfile.stages(file):
        for command in stage.facts["runs"]:
            if command.facts["call"].installs and _schema_before(stage, command):
                return  # the package's own postinstall has generated it (before Prisma 7)
    yield Fault(builds[0], build=builds[0].facts["text"], schema=context.path(schema) or schema)


def _schema_before(stage: Item, command: Item) -> bool:
    return any(
        copy.place.start < command.place.start
        and (copy.facts["whole"] or any("prisma" in str(word.value) for word in copy.facts["sources"]))
        for each in stage.facts["chain"]
        for copy in each.facts["copies"]
    )
