"""Turns what pipelines of any platform are made of into common nouns: pipelines, jobs, steps, scripts, calls.

| noun | what it is | made by |
|---|---|---|
| Pipeline | one file's jobs, what starts them, their common variables | the kinds workflow, gitlab, pipeline |
| Job | what runs on one machine: what it needs, its steps, its environment | the kinds |
| Step | one thing a job does: a script, or an action with inputs | the kinds |
| Script | shell text that stands in a value; places inside are exact, also in YAML block scalars | `Script(node)` |
| Call | one program of a script with its arguments, wrappers (`sudo`, `npx`, `env`) taken off | `script.calls` |

| question | answer | where |
|---|---|---|
| `gates(job)` | which of GATES a job runs: Gate(name, place, step, soft); the name "?" is "may run any" | job_gates |
| `deploys(job)` | what a job deploys: Deploy(platform, target, environment, place, step, call) | job_deploys |
| `steps(job)` | its steps, those of composite actions inside the repository in their place | here |

`Deploy.environment` is "production", another word ("preview", "staging"), or "" when nobody can tell.
`Gate.soft` says in words why a failure of the gate would pass unseen, "" when it would not.
"""

from __future__ import annotations

from ..model import ABSENT, MAP, SCALAR, SEQ, UNKNOWN, Node
from ..syntax import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..model import Artifact
    from .job_deploys import Deploy
    from .job_gates import Gate

GATES = ("types", "lint", "test", "coverage", "build", "audit")
TITLES = {
    "types": "type check", "lint": "lint", "test": "tests", "coverage": "coverage", "build": "build",
    "audit": "security audit",
}  # fmt: skip

# Wrappers that run the program behind them: how many words of their own they have, flags apart.
_WRAPPERS = {
    "sudo": 0, "env": 0, "time": 0, "nice": 0, "nohup": 0, "exec": 0, "command": 0, "npx": 0, "bunx": 0, "pnpx": 0,
    "cross-env": 0, "xvfb-run": 0, "timeout": 1, "dotenv": 0, "retry": 0,
}  # fmt: skip
_RUNNERS = {
    ("pnpm", "exec"), ("pnpm", "dlx"), ("yarn", "exec"), ("yarn", "dlx"), ("npm", "exec"), ("bun", "x"),
    ("doppler", "run"), ("infisical", "run"), ("op", "run"), ("poetry", "run"), ("uv", "run"), ("corepack", "npm"),
    ("corepack", "pnpm"), ("corepack", "yarn"),
}  # fmt: skip
_KEPT = frozenset(("npm", "pnpm", "yarn"))  # corepack starts them: they stay the program
_VALUED = frozenset(("-u", "--user", "-p", "--package", "-e", "-f", "-c", "-s", "--signal", "-n"))


class Pipeline:
    """One pipeline file. `triggers`: event -> its node (GitHub's `on`, GitLab's workflow rules); `open` says in words
    what of it stands elsewhere and cannot be read, "" when all is known."""

    __slots__ = (
        "artifact", "concurrency", "jobs", "name", "node", "open", "path", "permissions", "place", "triggers",
        "variables", "_by_id",
    )  # fmt: skip

    def __init__(self, artifact: Artifact, place: Node, node: Node = ABSENT) -> None:
        self.artifact = artifact
        self.path = artifact.path
        self.place = place
        self.node = node
        self.name: Node = ABSENT
        self.triggers: dict[str, Node] = {}
        self.jobs: list[Job] = []
        self.variables: dict[str, tuple[Node, Node]] = {}
        self.permissions: Node = ABSENT
        self.concurrency: Node = ABSENT
        self.open = ""
        self._by_id: tuple[int, dict[str, Job]] = (0, {})

    def job(self, name: str) -> Job | None:
        """The first job of that id."""
        count, known = self._by_id
        if count != len(self.jobs):
            known = {job.id: job for job in reversed(self.jobs)}
            self._by_id = len(self.jobs), known
        return known.get(name)


class Job:
    """One job. Nodes are ABSENT where nothing is written; `place` is the job's key.

    `needs`: (id, node) of the jobs that must have succeeded; for stages, those of all earlier stages.
    `manual`, `allow_failure`: None when that depends on what cannot be known. `variables`: name -> (key, value), those
    of the pipeline included. `uses` is a called pipeline's name, `called` the pipeline if it stands in the repository.
    `ignores_needs`: in words why it runs though a needed job failed, "" when it does not.
    `branches`: the branches or tags its own conditions admit, None when they admit whatever starts the pipeline.
    """

    __slots__ = (
        "allow_failure", "branches", "called", "concurrency", "condition", "container", "environment", "id",
        "ignores_needs", "image", "inputs", "manual", "matrix", "name", "needs", "node", "permissions", "pipeline",
        "place", "secrets", "services", "steps", "timeout", "uses", "variables", "_deploys", "_gates",
    )  # fmt: skip

    def __init__(self, pipeline: Pipeline, place: Node, node: Node) -> None:
        self.pipeline = pipeline
        self.place = place
        self.node = node
        self.id: str = place.value if isinstance(place.value, str) else ""
        self.name: Node = ABSENT
        self.needs: list[tuple[str, Node]] = []
        self.environment: Node = ABSENT
        self.condition: Node = ABSENT
        self.image: Node = ABSENT  # GitLab's image, GitHub's runs-on
        self.container: Node = ABSENT
        self.services: list[Node] = []
        self.variables: dict[str, tuple[Node, Node]] = {}
        self.permissions: Node = ABSENT
        self.manual: bool | None = False
        self.allow_failure: bool | None = False
        self.timeout: Node = ABSENT
        self.concurrency: Node = ABSENT
        self.matrix: Node = ABSENT
        self.uses: Node = ABSENT
        self.called: Pipeline | None = None
        self.inputs: Node = ABSENT
        self.secrets: Node = ABSENT
        self.ignores_needs = ""
        self.branches: list[str] | None = None
        self.steps: list[Step] = []
        self._gates: list[Gate] | None = None
        self._deploys: list[Deploy] | None = None


class Step:
    """One step. `scripts` holds its shell text; `uses` the action, `inputs` what is given to it (name -> (key, value)).

    `inner`: the steps of a composite action in the repository. `folder`: working directory from the root, "" for the
    root, None when unknown. `pipefail`: a failure inside a pipe fails the step. `continue_on_error`: None = unknown.
    """

    __slots__ = (
        "condition", "continue_on_error", "env", "folder", "id", "inner", "inputs", "job", "name", "node", "pipefail",
        "place", "remote", "scripts", "shell", "uses",
    )  # fmt: skip

    def __init__(self, job: Job | None, place: Node, node: Node) -> None:
        self.job = job
        self.place = place
        self.node = node
        self.id = ""
        self.name: Node = ABSENT
        self.scripts: list[Script] = []
        self.uses: Node = ABSENT
        self.inputs: dict[str, tuple[Node, Node]] = {}
        self.env: dict[str, tuple[Node, Node]] = {}
        self.condition: Node = ABSENT
        self.continue_on_error: bool | None = False
        self.folder: str | None = ""
        self.shell = ""
        self.pipefail = False
        self.remote = False  # its script runs on another machine (an ssh action)
        self.inner: list[Step] = []

    @property
    def calls(self) -> Iterator[Call]:
        """The calls of its scripts, in order, `cd` followed."""
        folder = self.folder
        for script in self.scripts:
            for call in script.calls:
                call.folder = folder
                if call.program == "cd" and not self.remote:
                    folder = below(folder, call.args[0]) if call.args else folder
                yield call

    @property
    def action(self) -> str:
        """The action's name in lower case, without its ref: `actions/checkout`; "" for none."""
        return (self.uses.text() or "").partition("@")[0].strip().lower()


class Script:
    """Shell text in a node. An expression of the platform (`${{ ... }}`) makes the word that holds it unknown."""

    __slots__ = ("_calls", "_offsets", "node", "text")

    def __init__(self, node: Node, text: str | None = None) -> None:
        self.node = node
        self.text: str = (node.value if node.kind is SCALAR else "") if text is None else text
        self._calls: list[Call] | None = None
        self._offsets: list[int] | None = None

    @property
    def calls(self) -> list[Call]:
        """Its simple commands."""
        if self._calls is None:
            made = [Call(self, each) for each in command.parse(self.text) if each.words]
            for number, call in enumerate(made[1:]):
                made[number].after = call
            self._calls = made
        return self._calls

    def at(self, start: int, end: int) -> Node:
        """The node of a piece of the text; the whole value where its characters cannot be told apart."""
        node = self.node
        if self._offsets is None:
            self._offsets = _offsets(node, self.text)
        if not self._offsets or start >= end:
            return node
        first, last = self._offsets[start], self._offsets[end - 1] + 1
        return Node(SCALAR, self.text[start:end], node.source, first, last, "'") if first < last else node


class Call:
    """A program with arguments. `program` has neither folder nor version; `version` is what stood behind its `@`.

    `fetched`: npx or the like loads it. `after` is the next command of the script, `folder` the working directory.
    """

    __slots__ = ("after", "args", "command", "fetched", "folder", "head", "program", "script", "version", "words")

    def __init__(self, script: Script, parsed: command.Command) -> None:
        self.script = script
        self.command = parsed
        self.after: Call | None = None
        self.folder: str | None = ""
        words = parsed.words
        self.head: command.Word = words[0]
        self.words = words
        self.fetched = False
        words = self._unwrap(words)
        self.head = words[0]
        name = words[0].text.rpartition("/")[2] if not words[0].text.startswith("@") else words[0].text
        at = name.find("@", 1)
        self.program = name[:at] if at > 0 else name
        self.version = name[at + 1 :] if at > 0 else ""
        self.args: list[command.Word] = words[1:]

    def _unwrap(self, words: list[command.Word]) -> list[command.Word]:
        for _ in range(6):
            name = words[0].text.rpartition("/")[2]
            rest = words[1:]
            own = _WRAPPERS.get(name)
            if own is None:
                if len(rest) < 2 or (name, rest[0].text) not in _RUNNERS:
                    return words
                if rest[0].text in _KEPT:
                    words = rest
                    continue
                rest, own = rest[1:], 0
                self.fetched = self.fetched or name in ("pnpm", "yarn", "npm", "bun")
            elif name in ("npx", "bunx", "pnpx"):
                self.fetched = True
            while rest and (rest[0].text.startswith("-") or _assigns(rest[0].text)):
                flag = rest[0].text
                rest = rest[1:]
                if flag == "--":
                    break
                if flag in _VALUED and rest and name not in ("npx", "bunx") or flag in ("-p", "--package"):
                    rest = rest[1:]
            rest = rest[own:]
            if not rest:
                return words
            words = rest
        return words

    @property
    def place(self) -> Node:
        """The command as it is written, from its first word to its last."""
        return self.script.at(self.words[0].start, self.words[-1].end)

    def at(self, word: command.Word) -> Node:
        """The node of one word."""
        return self.script.at(word.start, word.end)

    @property
    def texts(self) -> list[str]:
        """The arguments as text."""
        return [word.text for word in self.args]

    def plain(self, *valued: str) -> list[command.Word]:
        """The arguments that are no flags; `valued` are the flags whose next word is their value."""
        found: list[command.Word] = []
        skip = False
        for word in self.args:
            if skip:
                skip = False
            elif word.text.startswith("-") and len(word.text) > 1:
                skip = word.text in valued
            else:
                found.append(word)
        return found

    def flag(self, *names: str) -> command.Word | None:
        """The first argument that is one of these flags, alone or with `=value`."""
        for word in self.args:
            if word.text in names or word.text.partition("=")[0] in names:
                return word
        return None

    def value(self, *names: str) -> command.Word | None:
        """The value of a flag: behind `=` or the next word (for `--x=y` the whole word)."""
        for number, word in enumerate(self.args):
            if word.text in names:
                return self.args[number + 1] if number + 1 < len(self.args) else None
            name, equals, value = word.text.partition("=")
            if equals and name in names:
                return command.Word(value, word.start, word.end, known(word))
        return None

    @property
    def tolerated(self) -> str:
        """Why its failure does not count, in words: what stands behind `||`; "" when it counts."""
        if self.after is not None and self.after.command.joiner == "||":
            if self.after.program in ("true", ":", "echo", "printf"):
                return f"`|| {self.after.program}`"
            if self.after.program == "exit" and self.after.texts[:1] == ["0"]:
                return "`|| exit 0`"
        return ""

    @property
    def piped(self) -> bool:
        """Its output goes into another program, whose exit status counts instead of its own."""
        return self.after is not None and self.after.command.joiner in ("|", "|&")


def known(word: command.Word) -> bool:
    """Whether a word's text is what the program gets."""
    return word.known and "${{" not in word.text


def text_of(node: Node) -> str | None:
    """The text of a scalar that holds no expression, else None."""
    text = node.text()
    return text if text is not None and "${{" not in text and node.kind is not UNKNOWN else None


def pairs(node: Node) -> dict[str, tuple[Node, Node]]:
    """The entries of a map with text keys; empty for anything else."""
    return dict(node.index) if node.kind is MAP and node.index is not None else {}


def listed(node: Node) -> Sequence[Node]:
    """The elements of a list, or the one value that stands for a list; nothing for an absent one."""
    if node.kind is SEQ:
        return node.elements()
    return [node] if node.kind is SCALAR and not node.is_null() else []


def steps(job: Job) -> Iterator[Step]:
    """The steps of a job in order, the steps of its composite actions after the step that uses them."""
    for step in job.steps:
        yield step
        yield from step.inner


def gates(job: Job) -> list[Gate]:
    """The gates a job runs, in order; see job_gates."""
    if job._gates is None:
        from .job_gates import of

        job._gates = of(job)
    return job._gates


def deploys(job: Job) -> list[Deploy]:
    """What a job deploys, in order; see job_deploys."""
    if job._deploys is None:
        from .job_deploys import of

        job._deploys = of(job)
    return job._deploys


def package_of(artifact: Any, folder: str | None) -> Any:
    """The package.json that governs a working directory, None when there is none or the directory is unknown."""
    if folder is None or artifact.project is None:
        return None
    return artifact.project.package(f"{folder}/package.json" if folder else "package.json")


def _assigns(text: str) -> bool:
    name, equals, _ = text.partition("=")
    return bool(equals) and name.isidentifier()


def below(folder: str | None, word: command.Word) -> str | None:
    """The folder after `cd word`, None when unknown or outside of the tree."""
    text = word.text
    if folder is None or not known(word) or text.startswith(("/", "~", "-")):
        return None
    parts = folder.split("/") if folder else []
    for part in text.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _offsets(node: Node, text: str) -> list[int]:
    """The offset in the source of each character of a value's text; empty where they cannot be matched.

    Blank characters apart, a plain, single-quoted or block scalar holds its text's characters in order.
    """
    raw = node.source.text
    at, end = node.start, node.end
    if node.kind is not SCALAR or raw[at : at + 1] == '"':
        inner = raw[at + 1 : end - 1]
        return list(range(at + 1, end - 1)) if inner == text and "\\" not in inner else []
    quoted = raw[at : at + 1] == "'"
    if quoted:
        at, end = at + 1, end - 1
    elif raw[at : at + 1] in ("|", ">"):
        at = raw.find("\n", at, end)
        if at < 0:
            return []
    found: list[int] = []
    for char in text:
        if char.isspace():
            found.append(at if at < end else end - 1)
            if at < end and raw[at].isspace():
                at += 1
            continue
        while at < end and raw[at].isspace():
            at += 1
        if at >= end or raw[at] != char:
            return []
        found.append(at)
        at += 2 if quoted and char == "'" else 1
    return found
