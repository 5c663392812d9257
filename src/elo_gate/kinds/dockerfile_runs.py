"""Turns RUN, CMD and ENTRYPOINT instructions into commands: words with places, the folder they run in, what they do."""

from __future__ import annotations

from ..model import SCALAR, UNKNOWN, Item, Node
from ..syntax import command as shell
from ..syntax.dockerfile import EXEC, Instruction
from ..syntax.dockerfile_variables import expand
from . import packages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_SHELLS = frozenset(("sh", "bash", "ash", "dash", "zsh"))


def join(folder: str | None, path: str) -> str | None:
    """An absolute path from a folder and a path, `.` and `..` resolved; None when the folder is needed and unknown."""
    if not path.startswith("/"):
        if folder is None:
            return None
        path = f"{folder}/{path}"
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if parts:
                parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def commands(
    instruction: Instruction,
    stage: Item | None,
    state: dict[str, Any],
    get: Callable[[str], str | None],
    escape: str,
) -> list[Item]:
    """The commands of an instruction in order, heredoc scripts included.

    Facts of a command: words (texts, as written where unknown), nodes (a Node each, UNKNOWN where a variable is left),
    call (packages.Call), folder (absolute, None when unknown), joiner, pipes (the command it reads from, or None),
    production (devDependencies are left out), assigned (names set in front), stage, instruction, text.
    The place is the program's word.
    """
    if instruction.form == EXEC:
        words = [(node.value, node) for node in instruction.args]
        inner = _inline(words)
        if inner is None:
            return _items([("", words, [])], instruction, stage, state) if words else []
        found = shell.parse(inner.value)
        # Inside of a JSON string escapes may shift places: the whole string stands for each word.
        groups = [(each.joiner, [(word.text, inner) for word in each.words], each.assignments) for each in found]
        return _items(groups, instruction, stage, state)
    if not instruction.args:
        return []
    line, begin = instruction.line, instruction.at
    text = instruction.args[0].value
    groups = []
    for each in shell.parse(text):
        words = [_word(word, line.node(begin + word.start, begin + word.end), get, escape) for word in each.words]
        groups.append((each.joiner, words, each.assignments))
    programs = [packages.basename(words[0][0]) for _, words, _ in groups if words]
    for heredoc in instruction.heredocs:
        body = heredoc.body
        script = body.value
        first = script.split("\n", 1)[0]
        if first.startswith("#!") and packages.basename(first.split()[-1]) not in _SHELLS:
            continue
        if programs and not all(program in _SHELLS for program in programs):
            continue
        if heredoc.strip:
            script = "\n".join(each.lstrip("\t") for each in script.split("\n"))
        exact = script == body.value
        for each in shell.parse(script):
            places = [
                Node(SCALAR, word.text, body.source, body.start + word.start, body.start + word.end)
                if exact
                else heredoc.mark
                for word in each.words
            ]
            known = get if heredoc.expand else _nothing
            words = [_word(word, place, known, escape) for word, place in zip(each.words, places, strict=True)]
            groups.append((each.joiner or "\n", words, each.assignments))
    return _items(groups, instruction, stage, state)


def _nothing(name: str) -> str | None:
    return None


def _inline(words: list[tuple[str, Node]]) -> Node | None:
    """The script of `["sh", "-c", "..."]`."""
    if len(words) >= 3 and packages.basename(words[0][0]) in _SHELLS:
        for index, (option, _) in enumerate(words[1:-1], 2):
            if option.startswith("-") and option.endswith("c"):
                return words[index][1]
    return None


def _word(word: shell.Word, node: Node, get: Callable[[str], str | None], escape: str) -> tuple[str, Node]:
    if word.known:
        node.value = word.text
        return word.text, node
    value = expand(word.text, get, escape) if "$(" not in word.text and "`" not in word.text else None
    if value is None:
        node.kind = UNKNOWN
        node.value = word.text
        return word.text, node
    node.value = value
    return value, node


def _items(
    groups: list[tuple[str, list[tuple[str, Node]], list[shell.Word]]],
    instruction: Instruction,
    stage: Item | None,
    state: dict[str, Any],
) -> list[Item]:
    found: list[Item] = []
    folder = state["workdir"]
    environment = state["env"].get("NODE_ENV")
    mode = environment.facts["value"].value if environment is not None else ""
    previous: Item | None = None
    for joiner, words, assignments in groups:
        if not words:
            for word in assignments:
                if word.text.startswith("NODE_ENV="):
                    mode = word.text[9:]
            previous = None
            continue
        texts = [text for text, _ in words]
        if texts[0] == "cd" and len(texts) > 1:
            folder = join(folder, texts[1]) if words[1][1].kind is SCALAR else None
        elif texts[0] == "export":
            mode = next((text[9:] for text in texts[1:] if text.startswith("NODE_ENV=")), mode)
        call = packages.read(texts)
        assigned = {word.text.partition("=")[0]: word.text.partition("=")[2] for word in assignments}
        assigned.update(_environment(texts))
        production = call.production
        if production is None:
            by_mode = call.manager in ("npm", "yarn") and assigned.get("NODE_ENV", mode) == "production"
            production = call.installs and by_mode
        place, last = words[0][1], words[-1][1]
        where = folder
        if call.folder:
            where = join(folder, call.folder)
        facts: dict[str, Any] = {
            "words": texts, "nodes": [node for _, node in words], "call": call, "folder": where, "joiner": joiner,
            "pipes": previous if joiner in ("|", "|&") else None, "production": production, "assigned": assigned,
            "stage": stage, "instruction": instruction, "text": " ".join(texts), "copied": len(state["copies"]),
            "mode": mode, "program": packages.basename(texts[0]),
        }  # fmt: skip
        whole = Node(SCALAR, facts["text"], place.source, place.start, max(place.end, last.end))
        previous = Item(whole, facts, place)
        found.append(previous)
    return found


def _environment(words: list[str]) -> dict[str, str]:
    """The assignments behind `env` or `cross-env`."""
    if packages.basename(words[0]) not in ("env", "cross-env"):
        return {}
    pairs: dict[str, str] = {}
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if not equals:
            break
        pairs[name] = value
    return pairs
