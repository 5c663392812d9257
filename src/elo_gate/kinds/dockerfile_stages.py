"""Turns the instructions of a Dockerfile into its stages: what each is built from, inherits, runs, copies and sets.

Scope of variables: https://docs.docker.com/build/building/variables/. An ARG before the first FROM is seen by FROM
lines only, until a stage declares it again; a stage built `FROM` another inherits its ARGs, ENVs, USER, WORKDIR and
commands; ENV overrules ARG. What a base image from elsewhere sets is unknown.
"""

from __future__ import annotations

from ..model import ABSENT, SCALAR, UNKNOWN, Item, Node
from ..syntax.dockerfile import Dockerfile, Instruction
from ..syntax.dockerfile_variables import expand
from . import dockerfile_images as images
from . import dockerfile_runs as runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Set by BuildKit, or passed by its client, without a declaration in the global scope:
# https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope
_PLATFORM = frozenset(
    ("TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT", "BUILDPLATFORM", "BUILDOS", "BUILDARCH",
     "BUILDVARIANT")
)  # fmt: skip
# Stages that are not meant for production, by their names' words.
_ASIDE = frozenset(
    ("dev", "develop", "development", "devcontainer", "test", "tests", "testing", "lint", "linter", "debug", "ci",
     "e2e", "storybook", "check", "coverage", "docs", "bench", "benchmark", "local")
)  # fmt: skip
_RELEASE = frozenset(("prod", "production", "release", "runner", "runtime", "final", "deploy"))


class Stages:
    """The stages of a file, in order; `final`: those that are released; `arguments`: the ARGs before the first FROM."""

    __slots__ = ("arguments", "final", "instructions", "stages")

    def __init__(self) -> None:
        self.stages: list[Item] = []
        self.final: list[Item] = []
        self.arguments: list[Item] = []
        self.instructions: list[Item] = []


def build(file: Dockerfile) -> Stages:
    """The stages of a file, each an Item.

    Facts of a stage: name ("" when it has none), title (name, or `#2`), index, image (Item, UNKNOWN, None when it is
    built from a stage), parent (Item or None), chain (itself, its parent, ...), base (the image at the chain's end),
    user, env and args (name -> Item), workdir (text, None when unknown), ports, cmd, entrypoint, healthcheck (Item or
    None), runs and copies (Items), uses (stages it copies or mounts from), names (texts), final, shipped (part of the
    released image by FROM), built (needed for it), aside (a stage for development or tests), stopsignal.
    """
    return _Builder(file).run()


class _Builder:
    __slots__ = ("by_name", "declared", "file", "made", "stage", "state")

    def __init__(self, file: Dockerfile) -> None:
        self.file = file
        self.made = Stages()
        self.declared: dict[str, Item] = {}  # the ARGs before the first FROM
        self.by_name: dict[str, Item] = {}
        self.stage: Item | None = None
        self.state: dict[str, Any] = {}

    def run(self) -> Stages:
        for instruction in self.file.instructions:
            if instruction.name == "FROM":
                self.begin(instruction)
            elif self.stage is not None:
                self.add(instruction)
            elif instruction.name == "ARG":
                for name, value in instruction.pairs:
                    item = self.pair(instruction, name, value, self.from_globals)
                    self.made.arguments.append(item)
                    self.declared[name.value] = item
            facts = {
                "name": instruction.name,
                "form": instruction.form,
                "instruction": instruction,
                "stage": self.stage,
            }
            self.made.instructions.append(Item(instruction.node, facts, instruction.keyword))
        _settle(self.made)
        return self.made

    # -- variables

    def from_globals(self, name: str) -> str | None:
        found = self.declared.get(name)
        return _text(found.facts["value"]) if found is not None else None

    def lookup(self, name: str) -> str | None:
        """The value of a variable inside of the current stage, None when it cannot be known."""
        found = self.state["env"].get(name)
        if found is None:
            found = self.state["args"].get(name)
        if found is not None:
            return _text(found.facts["value"])
        return "" if self.state["scratch"] and name not in _PLATFORM else None

    def resolve(self, node: Node, get: Any = None) -> Node:
        """The node with its variables filled in, UNKNOWN when that cannot be done."""
        if node.kind is not SCALAR:
            return node
        value = expand(node.value, get or self.lookup, self.file.escape)
        if value is None:
            return Node(UNKNOWN, node.value, node.source, node.start, node.end)
        return node if value == node.value else Node(SCALAR, value, node.source, node.start, node.end, '"')

    def pair(self, instruction: Instruction, name: Node, value: Node, get: Any) -> Item:
        resolved: Node | None = None
        if value:
            resolved = self.resolve(value, get)
        facts = {
            "name": name.value, "value": resolved, "written": value.value if value else None, "key": name,
            "instruction": instruction, "kind": instruction.name, "legacy": instruction.form == "legacy",
            "stage": self.stage, "inherited": None,
        }  # fmt: skip
        return Item(value if value else name, facts, name)

    # -- stages

    def begin(self, instruction: Instruction) -> None:
        index = len(self.made.stages)
        arguments = instruction.args
        name = arguments[2].value if len(arguments) == 3 else ""
        word = arguments[0] if arguments else instruction.keyword
        resolved = self.resolve(word, self.from_globals)
        text = resolved.value if resolved.kind is SCALAR else _partly(word.value, self.from_globals)
        parent = self.by_name.get(text.lower()) if resolved.kind is SCALAR else None
        if parent is not None:
            inherited = parent.facts
            state = {
                key: dict(inherited[key]) if key in ("env", "args") else inherited[key]
                for key in ("env", "args", "user", "workdir", "cmd", "entrypoint", "healthcheck", "scratch", "base")
            }
            state["image"] = None
            state["ports"] = list(inherited["ports"])
        else:
            image: Item | Node = images.read(word, text)
            if isinstance(image, Item) and not text.strip("\0"):
                image = Node(UNKNOWN, word.value, word.source, word.start, word.end)
            scratch = isinstance(image, Item) and image.facts["scratch"]
            state = {
                "env": {}, "args": {}, "user": None, "workdir": "/" if scratch else None, "cmd": None,
                "entrypoint": None, "healthcheck": None, "scratch": scratch, "base": image, "image": image, "ports": [],
            }  # fmt: skip
        facts: dict[str, Any] = {
            "name": name, "title": name or f"#{index + 1}", "index": index, "parent": parent, "runs": [], "copies": [],
            "uses": [], "final": False, "shipped": False, "built": False, "stopsignal": None, "onbuild": [],
            "instruction": instruction, "platform": self.resolve(instruction.flag("platform"), self.from_globals),
            "external": [], **state,
        }  # fmt: skip
        stage = Item(instruction.node, facts, arguments[2] if name else word)
        facts["chain"] = [
            stage,
            *(parent.facts["chain"] if parent is not None and len(parent.facts["chain"]) < 50 else ()),
        ]
        facts["aside"] = any(part in _ASIDE for part in name.lower().replace("-", "_").replace(".", "_").split("_"))
        if parent is not None:
            facts["uses"].append(parent)
        self.made.stages.append(stage)
        self.stage, self.state = stage, facts
        if name:
            self.by_name[name.lower()] = stage

    def add(self, instruction: Instruction) -> None:
        name, state = instruction.name, self.state
        if name == "RUN":
            self.run_instruction(instruction)
        elif name in ("COPY", "ADD"):
            self.copy(instruction)
        elif name == "ENV":
            # Every value of one ENV is expanded before the first of them is set.
            items = [self.pair(instruction, key, value, self.lookup) for key, value in instruction.pairs]
            state["env"].update({item.facts["name"]: item for item in items})
        elif name == "ARG":
            self.declare(instruction)
        elif name == "WORKDIR" and instruction.args:
            folder = self.resolve(instruction.args[0])
            state["workdir"] = runs.join(state["workdir"], folder.value) if folder.kind is SCALAR else None
        elif name == "USER" and instruction.args:
            state["user"] = self.user(instruction)
        elif name == "EXPOSE":
            state["ports"].extend(self.port(word) for word in instruction.args)
        elif name in ("CMD", "ENTRYPOINT"):
            state[name.lower()] = self.command(instruction)
            if name == "ENTRYPOINT" and state["cmd"] is not None and state["cmd"].facts["stage"] is not self.stage:
                state["cmd"] = None  # a new ENTRYPOINT drops the CMD that was inherited
        elif name == "HEALTHCHECK":
            item = self.command(instruction)
            item.facts["none"] = instruction.kind.value.upper() == "NONE" if instruction.kind else False
            state["healthcheck"] = item
        elif name == "ONBUILD":
            state["onbuild"].append(Item(instruction.node, {}, instruction.keyword))
        elif name == "STOPSIGNAL" and instruction.args:
            state["stopsignal"] = self.resolve(instruction.args[0])

    def declare(self, instruction: Instruction) -> None:
        for name, value in instruction.pairs:
            item = self.pair(instruction, name, value, self.lookup)
            inherited = self.declared.get(name.value)
            if item.facts["value"] is None and inherited is not None:
                item.facts["value"] = inherited.facts["value"]
                item.facts["inherited"] = inherited
            self.state["args"][name.value] = item

    def user(self, instruction: Instruction) -> Item:
        word = instruction.args[0]
        resolved = self.resolve(word)
        user: Node | str = resolved
        group: str | None = None
        if resolved.kind is SCALAR:
            user, _, rest = resolved.value.partition(":")
            group = rest or None
        elif ":" in word.value and "$" not in word.value.partition(":")[0]:
            user = word.value.partition(":")[0]
        facts = {
            "name": user, "group": group, "stage": self.stage,
            "numeric": user.isdecimal() if isinstance(user, str) else user,
            "root": user in ("root", "0") if isinstance(user, str) else user,
        }  # fmt: skip
        return Item(word, facts, instruction.keyword)

    def port(self, word: Node) -> Item:
        resolved = self.resolve(word)
        number: int | Node = Node(UNKNOWN, word.value, word.source, word.start, word.end)
        protocol = "tcp"
        if resolved.kind is SCALAR:
            text, _, rest = resolved.value.partition("/")
            protocol = rest.lower() or "tcp"
            if text.isdecimal() and len(text) < 6:
                number = int(text)
        return Item(word, {"port": number, "protocol": protocol, "stage": self.stage})

    def command(self, instruction: Instruction) -> Item:
        """CMD, ENTRYPOINT or the command of a HEALTHCHECK: its form and the commands in it."""
        facts: dict[str, Any] = {"form": instruction.form, "stage": self.stage, "instruction": instruction}
        item = Item(instruction.node, facts, instruction.keyword)
        facts["commands"] = runs.commands(instruction, self.stage, self.state, self.lookup, self.file.escape)
        facts["text"] = " ".join(word.value for word in instruction.args)
        return item

    def run_instruction(self, instruction: Instruction) -> None:
        state = self.state
        state["runs"].extend(runs.commands(instruction, self.stage, state, self.lookup, self.file.escape))
        for name, value in instruction.flags:
            if name.value == "mount" and value:
                for part in value.value.split(","):
                    key, _, target = part.partition("=")
                    if key.strip("\"'") == "from":
                        self.source(Node(SCALAR, target.strip("\"'"), value.source, value.start, value.end))

    def source(self, node: Node) -> Item | Node:
        """What a `from=` names: a stage, an image, or something that is not known."""
        resolved = self.resolve(node)
        if resolved.kind is not SCALAR:
            return resolved
        found = self.by_name.get(resolved.value.lower())
        if (
            found is None
            and resolved.value.isdecimal()
            and len(resolved.value) < 6
            and int(resolved.value) < len(self.made.stages) - 1
        ):
            found = self.made.stages[int(resolved.value)]
        if found is not None:
            self.state["uses"].append(found)
            return found
        image = images.read(node, resolved.value)
        self.state["external"].append(image)
        return image

    def copy(self, instruction: Instruction) -> None:
        state = self.state
        words = [self.resolve(word) for word in instruction.args]
        marks = {(doc.mark.start, doc.mark.end) for doc in instruction.heredocs}
        sources = [word for word in words[:-1] if (word.start, word.end) not in marks]
        target = words[-1] if len(words) > 1 else ABSENT
        flag = instruction.flag("from")
        place = runs.join(state["workdir"], target.value) if target.kind is SCALAR else None
        facts = {
            "add": instruction.name == "ADD", "sources": sources, "dest": target, "path": place,
            "from": self.source(flag) if flag else None, "stage": self.stage, "index": state["index"],
            "workdir": state["workdir"], "chown": instruction.flag("chown") or None,
            "chmod": instruction.flag("chmod") or None, "checksum": instruction.flag("checksum") or None,
            "excludes": [value.value for name, value in instruction.flags if name.value == "exclude" and value],
            "parents": bool(instruction.flag("parents")), "heredocs": instruction.heredocs, "instruction": instruction,
        }  # fmt: skip
        facts["whole"] = not flag and any(_whole(word) for word in sources)
        state["copies"].append(Item(instruction.node, facts, instruction.keyword))


def _text(value: Node | None) -> str | None:
    return value.value if value is not None and value.kind is SCALAR else None


def _partly(text: str, get: Any) -> str:
    """The text with the variables filled in that are known: plain `$NAME` and `${NAME}`, one after the other."""
    import re

    return re.sub(r"\$\{(\w+)\}|\$(\w+)", lambda match: get(match[1] or match[2]) or match[0], text)


def _whole(word: Node) -> bool:
    return word.kind is SCALAR and word.value in (".", "./", "/", "*", "./*", "/.", "./.")


def _settle(made: Stages) -> None:
    """Finds the released stage and what goes into it. (`released` overrules it when a target is configured.)"""
    if not made.stages:
        return
    leaves = _leaves(made)
    last = made.stages[-1]
    if last.facts["aside"]:
        # The last stage is what a plain build makes, but nobody releases the one that runs the tests.
        named = [stage for stage in made.stages if stage.facts["name"].lower() in _RELEASE]
        last = next(reversed(leaves or named), last)
    release(made, [last])


def _leaves(made: Stages) -> list[Item]:
    """The stages no other one is made from. One that a test is built upon counts, one it only copies from does not."""
    used = {
        id(stage)
        for each in made.stages
        for stage in each.facts["uses"]
        if not each.facts["aside"] or stage is not each.facts["parent"]
    }
    return [stage for stage in made.stages if id(stage) not in used and not stage.facts["aside"]]


def release(made: Stages, final: list[Item]) -> None:
    """Marks the stages that are released, those they are made from, and those that are built for them."""
    made.final = final
    for stage in made.stages:
        stage.facts["final"] = stage in final
        stage.facts["shipped"] = stage.facts["built"] = False
    for stage in final:
        for each in stage.facts["chain"]:
            each.facts["shipped"] = True
    # A leaf that is no test is a further target of the file.
    pending = final + _leaves(made)
    while pending:
        stage = pending.pop()
        if not stage.facts["built"]:
            stage.facts["built"] = True
            pending.extend(stage.facts["uses"])
