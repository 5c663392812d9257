"""Turns the words of a command into what a JavaScript package manager is told to do.

Sources: the commands and options of npm 11 (https://docs.npmjs.com/cli/v11/commands), pnpm 10, Yarn 1 and 4 and Bun;
how NODE_ENV decides on devDependencies: https://docs.npmjs.com/cli/v11/using-npm/config#omit.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MANAGERS = frozenset(("npm", "pnpm", "yarn", "bun"))
LOCKFILES = {
    "npm": ("package-lock.json", "npm-shrinkwrap.json"),
    "pnpm": ("pnpm-lock.yaml",),
    "yarn": ("yarn.lock",),
    "bun": ("bun.lock", "bun.lockb"),
}

_RUNNERS = frozenset(("npx", "bunx", "pnpx"))
# Programs that only start another one.
_WRAPPERS = frozenset(
    ("env", "exec", "sudo", "command", "nohup", "dumb-init", "tini", "catatonit", "cross-env", "corepack")
)
_AS_USER = frozenset(("su-exec", "gosu", "setpriv", "runuser"))
_INSTALL = {
    "npm": frozenset(
        ("install", "i", "in", "ins", "inst", "insta", "instal", "isnt", "add", "ci", "clean-install", "ic")
    ),
    "pnpm": frozenset(("install", "i", "add", "ci")),
    "yarn": frozenset(("install", "add")),
    "bun": frozenset(("install", "i", "add", "a", "ci")),
}
_CLEAN = frozenset(("ci", "clean-install", "ic"))
# Options whose value is the next word.
_VALUED = frozenset(
    ("--prefix", "-C", "--dir", "--cwd", "-w", "--workspace", "--filter", "-F", "--registry", "--loglevel", "--cache",
     "--omit", "--include", "--only", "--userconfig", "--network-timeout", "--network-concurrency", "--node-linker",
     "--store-dir", "--cache-folder", "--reporter", "--mode", "--config")
)  # fmt: skip
_FOLDERS = ("--prefix", "-C", "--dir", "--cwd")
_FROZEN = frozenset(("--frozen-lockfile", "--immutable", "--frozen"))
_BUILTIN = {
    "npm": frozenset(
        ("exec", "x", "cache", "config", "prune", "pkg", "rebuild", "audit", "uninstall", "update", "link", "set",
         "view", "version", "pack", "publish", "init", "root", "ls", "outdated", "login", "whoami", "help", "dedupe",
         "create")
    ),
    "pnpm": frozenset(
        ("exec", "dlx", "store", "config", "prune", "deploy", "fetch", "rebuild", "audit", "remove", "update", "up",
         "link", "import", "pack", "publish", "init", "root", "ls", "list", "setup", "env", "approve-builds", "create",
         "why", "set")
    ),
    "yarn": frozenset(
        ("exec", "dlx", "cache", "config", "workspaces", "workspace", "global", "set", "plugin", "rebuild", "audit",
         "remove", "upgrade", "up", "link", "pack", "publish", "init", "why", "node", "create", "autoclean", "info")
    ),
    "bun": frozenset(("x", "build", "test", "create", "link", "pm", "upgrade", "remove", "update", "init", "publish")),
}  # fmt: skip
_BUILD_TOOLS = frozenset(
    ("next", "vite", "nuxt", "astro", "remix", "nest", "nx", "turbo", "ng", "react-scripts", "gatsby", "rollup",
     "esbuild", "webpack", "tsup", "parcel", "vue-cli-service", "svelte-kit", "ncc", "tsc", "rspack", "lerna")
)  # fmt: skip
_BUILD_ALONE = frozenset(("tsc", "webpack", "rollup", "esbuild", "tsup", "rspack"))
_DEV_TOOLS = frozenset(("nodemon", "ts-node-dev", "tsnd", "concurrently"))
_DEV_SCRIPTS = frozenset(
    ("dev", "start:dev", "dev:start", "develop", "watch", "serve:dev", "start:watch", "dev:server")
)


class Call:
    """What one command asks for. Indexes are into its words; -1 when there is none.

    `manager`: npm, pnpm, yarn, bun or "". `installs`: it installs the project's own dependencies. `locked`: exactly
    what the lockfile says. `production`: True when devDependencies are left out by an option, False when an option
    brings them in, None when NODE_ENV decides. `flag`: that option; `retired`: an option npm has retired.
    `packages`: what is installed by name; `globally`. `script`: the package.json script that is run, "" when none;
    `tool` and `arguments`: the program behind npx, exec and wrappers, or the program itself. `folder`: where, as an
    option says; `filtered`: a workspace option picks the packages.
    """

    __slots__ = (
        "arguments", "filtered", "flag", "folder", "globally", "installs", "locked", "manager", "packages",
        "production", "retired", "script", "tool", "verb",
    )  # fmt: skip

    def __init__(self) -> None:
        self.manager = ""
        self.verb = ""
        self.installs = False
        self.locked = False
        self.globally = False
        self.production: bool | None = None
        self.flag = -1
        self.retired = -1
        self.packages: list[str] = []
        self.script = ""
        self.tool = ""
        self.arguments: list[str] = []
        self.folder = ""
        self.filtered = False

    @property
    def builds(self) -> bool:
        """It builds the application."""
        if self.script:
            return self.script.partition(":")[0] == "build" or self.script.endswith(":build")
        if self.tool in _BUILD_TOOLS:
            rest = [word for word in self.arguments if not word.startswith("-")]
            return "build" in rest or (self.tool in _BUILD_ALONE and "--watch" not in self.arguments)
        return False

    @property
    def develops(self) -> bool:
        """It starts a development server."""
        if self.script:
            return self.script in _DEV_SCRIPTS
        rest = [word for word in self.arguments if not word.startswith("-")]
        if self.tool in _DEV_TOOLS:
            return True
        if self.tool in ("next", "nuxt", "astro", "remix", "gatsby", "vite", "wrangler", "turbo"):
            return "dev" in rest[:2] or "develop" in rest[:1] or (self.tool == "vite" and not rest)
        if self.tool in ("tsx", "node", "bun", "deno"):
            return "watch" in rest[:1] or "--watch" in self.arguments or "--hot" in self.arguments
        if self.tool == "uvicorn":
            return "--reload" in self.arguments
        return self.tool == "flask" and "--debug" in self.arguments


def basename(word: str) -> str:
    return word[word.rfind("/") + 1 :]


def read(words: Sequence[str]) -> Call:
    """What the words of one command ask for."""
    call = Call()
    at = _program(words)
    if at >= len(words):
        return call
    program = basename(words[at])
    if program in _RUNNERS:
        _tool(call, words, at + 1)
    elif program in MANAGERS:
        call.manager = program
        _manager(call, words, at + 1)
    else:
        call.tool = program
        call.arguments = list(words[at + 1 :])
    return call


def _program(words: Sequence[str]) -> int:
    """The index of the program that does the work."""
    at, size = 0, len(words)
    while at < size:
        word = basename(words[at])
        if word in _WRAPPERS or word == "--" or (at and (word.startswith("-") or "=" in word)):
            if word == "corepack" and at + 1 < size and words[at + 1] not in MANAGERS:
                return at
            at += 1
        elif word in _AS_USER:
            at += 2
        elif word.endswith(".sh") and at + 1 < size and basename(words[at + 1]) in MANAGERS | _RUNNERS:
            at += 1  # a script of the repository that runs what it is given
        else:
            return at
    return at


def _tool(call: Call, words: Sequence[str], at: int) -> None:
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in ("-p", "--package", *_VALUED) else 1
    if at < len(words):
        call.tool = basename(words[at]).partition("@")[0] or words[at]
        call.arguments = list(words[at + 1 :])


def _manager(call: Call, words: Sequence[str], at: int) -> None:
    manager = call.manager
    names: list[int] = []
    skip = False
    for index in range(at, len(words)):
        word = words[index]
        if skip:
            skip = False
            continue
        if word == "--":
            break
        if not word.startswith("-"):
            names.append(index)
            if len(names) == 1 and word in ("exec", "dlx", "x"):
                call.verb = word
                _tool(call, words, index + 1)
                return
            continue
        skip = _option(call, words, index)
    if not names:
        if manager == "yarn" and "--version" not in words and "-v" not in words:
            call.verb, call.installs = "install", not call.globally
        _finish(call)
        return
    verb = call.verb = words[names[0]]
    rest = [words[index] for index in names[1:]]
    if verb in _INSTALL[manager]:
        call.packages = rest
        call.installs = not rest and not call.globally and verb not in ("add", "a")
        call.locked = call.locked or (verb in _CLEAN and manager != "yarn")
    elif verb in ("run", "run-script"):
        call.script = rest[0] if rest else ""
    elif manager == "yarn" and verb == "workspaces":
        call.installs = rest[:1] == ["focus"]
    elif manager == "yarn" and verb == "workspace":
        call.filtered = True
        call.script = next((word for word in rest[1:] if word != "run"), "")
    elif manager == "npm":
        call.script = verb if verb in ("start", "test", "stop", "restart") else ""
    elif verb not in _BUILTIN[manager]:
        call.script = verb
    if call.script and call.script in _BUILD_TOOLS and manager != "npm":
        # `pnpm next build`: no script of that name as a rule, but the program.
        call.tool, call.script = call.script, ""
        place = list(words).index(call.tool, names[0])
        call.arguments = list(words[place + 1 :])
    _finish(call)


def _option(call: Call, words: Sequence[str], index: int) -> bool:
    """Takes note of an option; True when the next word is its value."""
    name, equals, value = words[index].partition("=")
    valued = not equals and name in _VALUED
    if valued and index + 1 < len(words):
        value = words[index + 1]
    if name in _FROZEN:
        call.locked = value != "false"
    elif name in ("-g", "--global"):
        call.globally = True
    elif name in _FOLDERS:
        call.folder = value
    elif name in ("--filter", "-F", "-w", "--workspace", "--workspaces"):
        call.filtered = True
    elif name in ("--production", "--prod", "-P") or (name == "-p" and call.manager == "bun"):
        if name == "-P" and call.manager == "npm":
            return valued  # `npm install -P` is --save-prod
        call.production = value != "false"
        call.flag = index
        if call.manager == "npm" and name != "-P":
            call.retired = index
    elif name == "--only" and call.manager == "npm":
        call.retired = index
        if value in ("prod", "production"):
            call.production, call.flag = True, index
    elif name == "--omit" and "dev" in value:
        call.production, call.flag = True, index
    elif name == "--include" and "dev" in value:
        call.production, call.flag = False, index
    return valued


def _finish(call: Call) -> None:
    if not call.installs:
        call.locked = False
