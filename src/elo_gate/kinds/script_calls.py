"""Turns a shell script into its calls: the programs that really do something, with what starts them taken off.

`sudo -u postgres pg_dump`, `docker exec db pg_dump`, `kubectl exec db-0 -- pg_dump`, `ssh host 'pg_dump ...'`, a
heredoc to ssh, `sh -c "..."`, `trap '...' EXIT` and `xargs rm` are calls of the program inside; `wrappers` says what
stood around.
"""

from __future__ import annotations

from itertools import pairwise

from ..model import SCALAR, UNKNOWN, Node
from ..syntax import shell
from ..syntax.shell import script as nouns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..syntax.shell import Command, Script, Value, Word

# Programs that run the words behind their own: flags with a value, and how many words of their own they have.
_PREFIXES: dict[str, tuple[tuple[str, ...], int]] = {
    "sudo": (("-u", "--user", "-g", "--group", "-h", "-C", "-p", "-D"), 0),
    "doas": (("-u",), 0), "env": (("-u", "-C", "-S"), 0), "time": (("-f", "-o"), 0),
    "nice": (("-n", "--adjustment"), 0),
    "ionice": (("-c", "-n", "--class", "--classdata"), 0), "nohup": ((), 0), "exec": (("-a",), 0), "command": ((), 0),
    "builtin": ((), 0), "timeout": (("-s", "--signal", "-k", "--kill-after"), 1),
    "flock": (("-w", "-E", "--timeout"), 1),
    "chronic": ((), 0), "stdbuf": (("-o", "-i", "-e"), 0), "setsid": ((), 0), "retry": (("-n", "-t", "-d"), 0),
    "runuser": (("-u", "--user", "-g"), 0), "gosu": ((), 1), "su-exec": ((), 1), "pv": (("-s", "-N", "-L"), 0),
    "xargs": (("-I", "-n", "-P", "-d", "-L", "-a", "-s", "--max-args", "--delimiter"), 0),
    "npx": (("-p", "--package", "-c"), 0), "bunx": (("-p", "--package"), 0), "pnpx": ((), 0), "chpst": (("-u",), 0),
}  # fmt: skip
_FETCHERS = frozenset(("npx", "bunx", "pnpx"))
_RUNNERS = frozenset((
    ("pnpm", "exec"), ("pnpm", "dlx"), ("yarn", "exec"), ("yarn", "dlx"), ("npm", "exec"), ("bun", "x"),
    ("doppler", "run"), ("infisical", "run"), ("op", "run"), ("aws-vault", "exec"), ("dotenvx", "run"),
))  # fmt: skip
_SHELLS = frozenset(("sh", "bash", "zsh", "dash", "ash", "ksh"))
_SSH_VALUED = frozenset("-p -i -l -o -F -J -L -R -D -b -c -E -e -I -m -O -Q -S -W -w -B".split())
_DOCKER_VALUED = frozenset(
    "-e --env -u --user -w --workdir --env-file --detach-keys --index -f --file -p --project-name --profile --context "
    "-H --host -v --volume --network --name --entrypoint --platform -l --label --mount --project-directory".split()
)
_KUBECTL_VALUED = frozenset("-n --namespace -c --container --context --kubeconfig -f --filename --cluster".split())
# Programs whose short flags take what is glued to them (`-Ushop`), or whose long flags have one dash (`-delete`).
_GLUED = ("pg_", "psql", "mysql", "mariadb", "mongo", "find", "ssh", "scp", "java")
_MOST = 4  # scripts in scripts


class Call:
    """A program with its arguments. `program` has neither folder nor version (`version` is what stood behind its `@`).

    `wrappers`: the programs around it, outermost first. `user`: whom `sudo -u` runs it as. `fetched`: npx loads it.
    """

    __slots__ = (
        "args",
        "command",
        "fetched",
        "head",
        "outer",
        "program",
        "script",
        "user",
        "version",
        "words",
        "wrappers",
    )

    def __init__(self, script: Script, command: Command, words: list[Word], wrappers: tuple[str, ...]) -> None:
        self.script = script
        self.command = command
        self.words = words
        self.head = words[0]
        self.wrappers = wrappers
        self.user = ""
        self.fetched = False
        self.outer: Call | None = None
        name = script.value(words[0]).text.strip()
        name = name if name.startswith("@") else name.rpartition("/")[2]
        at = name.find("@", 1)
        self.program = name[:at] if at > 0 else name
        self.version = name[at + 1 :] if at > 0 else ""
        self.args = words[1:]

    @property
    def contained(self) -> bool:
        """Whether it runs in a container that exists already."""
        return any(each in ("docker", "docker-compose", "podman", "kubectl", "oc") for each in self.wrappers)

    @property
    def remote(self) -> bool:
        """Whether it runs on another machine."""
        return "ssh" in self.wrappers

    @property
    def start(self) -> int:
        return self.head.start

    @property
    def texts(self) -> list[str]:
        """The arguments as they are, `*` for what is not known."""
        return [self.script.value(word).text for word in self.args]

    def value(self, word: Word) -> Value:
        return self.script.value(word)

    def text(self, word: Word | None) -> str:
        """A word's value with a `*` for each hole, "" for no word."""
        return self.script.value(word).text if word is not None else ""

    def node(self, word: Word) -> Node:
        """A word as a node: unknown when a part of it is."""
        value = self.script.value(word)
        kind = SCALAR if value.known else UNKNOWN
        return Node(kind, value.text, self.script.source, word.start, word.end, "'")

    @property
    def place(self) -> Node:
        """The program's word."""
        return Node(SCALAR, self.program, self.script.source, self.head.start, self.head.end, "'")

    @property
    def shown(self) -> str:
        """Program and subcommands, for people: no value, and no flag but the one for production."""
        words = [self.program]
        for word in self.args[:3]:
            if word.text not in ("--prod", "--production"):
                if not word.known or word.text.startswith("-") or not word.text.replace("-", "").isalnum():
                    break
            words.append(word.text)
        return " ".join(words)

    def flag(self, *names: str) -> Word | None:
        """The first argument that is one of these flags: alone, with `=value`, or `-c` among `-vc`."""
        for word in self.args:
            text = word.text
            if text in names or (text.startswith("--") and text.partition("=")[0] in names):
                return word
        if self.program.startswith(_GLUED):
            return None
        for word in self.args:
            text = word.text
            if len(text) > 2 and text[0] == "-" and text[1] != "-" and text[1:].isalpha():
                if any(len(name) == 2 and name[1] in text[1:] for name in names):
                    return word
        return None

    def option(self, *names: str) -> Word | None:
        """The value of a flag: the next word, behind `=`, or glued to a short one (`-Fc`)."""
        for number, word in enumerate(self.args):
            text = word.text
            if text in names:
                return self.args[number + 1] if number + 1 < len(self.args) else None
            name, equals, _ = text.partition("=")
            if equals and name in names and name.startswith("--"):
                return _tail(word, len(name) + 1)
            if len(text) > 2 and text[:2] in names and text[1] != "-":
                return _tail(word, 2)
        return None

    def plain(self, *valued: str) -> list[Word]:
        """The arguments that are no flags; `valued` are the flags whose next word is their value."""
        found: list[Word] = []
        skip = ended = False
        for word in self.args:
            if skip:
                skip = False
            elif ended or not word.text.startswith("-") or len(word.text) == 1:
                found.append(word)
            elif word.text == "--":
                ended = True
            else:
                skip = word.text in valued
        return found

    @property
    def output(self) -> Word | None:
        """Where its standard output goes."""
        for redirect in reversed(self.command.redirects):
            if redirect.operator in (">", ">>", ">|", "&>", "&>>") and redirect.descriptor in ("", "1"):
                return redirect.target
        return None

    @property
    def input(self) -> Word | None:
        """The file its standard input comes from."""
        for redirect in self.command.redirects:
            if redirect.operator == "<":
                return redirect.target
        return None


class Reading:
    """A script with its calls in order. `scripts`: the script itself and those inside of it."""

    __slots__ = ("_by", "calls", "script", "scripts")

    def __init__(self, script: Script) -> None:
        self.script = script
        self.scripts = [script]
        self.calls: list[Call] = []
        self._by: dict[int, list[Call]] = {}
        self._read(script, (), None, 0)
        self.calls.sort(key=lambda call: call.start)

    def after(self, call: Call) -> list[Call]:
        """The calls behind it in its pipeline."""
        found = [each for command in call.command.after for each in self._by.get(id(command), ())]
        if call.outer is not None and not found:
            found = self.after(call.outer)
        return found

    def before(self, call: Call) -> list[Call]:
        """The calls in front of it in its pipeline."""
        found = [each for command in call.command.before for each in self._by.get(id(command), ())]
        if call.outer is not None and not found:
            found = self.before(call.outer)
        return found

    def of(self, command: Command) -> list[Call]:
        """The calls of a command."""
        return self._by.get(id(command), [])

    def _read(self, script: Script, wrappers: tuple[str, ...], outer: Call | None, depth: int) -> None:
        for command in script.commands:
            if not command.words:
                continue
            for call in self._unwrap(script, command, command.words, wrappers, outer, depth):
                self.calls.append(call)
                self._by.setdefault(id(command), []).append(call)

    def _unwrap(
        self,
        script: Script,
        command: Command,
        words: list[Word],
        wrappers: tuple[str, ...],
        outer: Call | None,
        depth: int,
    ) -> Iterator[Call]:
        user, fetched = "", False
        around = wrappers
        for _ in range(8):
            name = words[0].text.rpartition("/")[2]
            rest = words[1:]
            if name in _PREFIXES:
                valued, own = _PREFIXES[name]
                if name in ("sudo", "doas", "runuser", "gosu", "su-exec"):
                    user = next((b.text for a, b in pairwise(rest) if a.text in ("-u", "--user")), "root")
                fetched = fetched or name in _FETCHERS
                inner = _skip(rest, frozenset(valued))[own:]
            elif len(rest) > 1 and (name, rest[0].text) in _RUNNERS:
                fetched = fetched or name in ("pnpm", "yarn", "npm", "bun")
                inner = _skip(rest[1:], frozenset(("-e", "--env", "-c", "--config", "-p", "--package")))
            else:
                inner = _contained(name, rest)
            if not inner:
                break
            around = (*around, name)
            words = inner
        call = Call(script, command, words, around)
        call.user, call.fetched, call.outer = user, fetched, outer
        inside = list(self._inside(call, depth)) if depth < _MOST else []
        if not inside:
            yield call
        for region, literal, title in inside:
            made = shell.parse(script.source, *region, outer=None if literal and title == "ssh" else script)
            self._inherit(made, call, title)
            self.scripts.append(made)
            kept = call
            self._read(made, (*around, title), kept, depth + 1)
        if inside:
            # A wrapper is a call of its own too: `ssh` may fail, `trap` is not the program it names.
            yield call

    @staticmethod
    def _inside(call: Call, depth: int) -> Iterator[tuple[tuple[int, int], bool, str]]:
        """(place, whether nothing was expanded before, wrapper) of the scripts that a call is given."""
        program, args = call.program, call.args
        if program in ("ssh", "sshpass"):
            rest = _skip(args, _SSH_VALUED)
            if program == "sshpass":
                rest = _skip([word for word in rest if word.text != "ssh"], _SSH_VALUED)
            if len(rest) == 2 and _region(rest[1]) is not None:
                yield (_region(rest[1]) or (0, 0)), _literal(call, rest[1]), "ssh"
            elif len(rest) > 1 and rest[1].text not in _SHELLS:
                yield (rest[1].start, rest[-1].end), False, "ssh"
            if len(rest) == 1 or rest[1].text in _SHELLS:
                for body in call.command.heredocs:
                    yield (body.start, body.end), body.literal, "ssh"
        elif program in _SHELLS or program in ("su", "eval"):
            text = call.option("-c", "--command") or next(
                (b for a, b in pairwise(args) if a.text.startswith("-") and a.text.endswith("c")),
                None,
            )
            if program == "eval":
                text = args[0] if len(args) == 1 else None
            if text is not None and _region(text) is not None:
                yield (_region(text) or (0, 0)), _literal(call, text), program
            elif text is None:
                for body in call.command.heredocs:
                    yield (body.start, body.end), body.literal, program
        elif program == "trap" and len(args) > 1 and _region(args[0]) is not None:
            yield (_region(args[0]) or (0, 0)), False, "trap"

    @staticmethod
    def _inherit(made: Script, call: Call, title: str) -> None:
        """What the commands inside take from the one around: its condition, its pipe, its output."""
        outer = call.command
        for command in made.commands:
            command.branch = command.branch or outer.branch
            command.function = command.function or outer.function
            command.trapped = command.trapped or outer.trapped or title == "trap"
            command.within = command.within or outer.within
        ends = [command for command in made.commands if not command.after]
        if title in ("eval", "trap"):
            for command in made.commands:
                command.options = command.options | outer.options
        for command in ends[-1:]:
            command.redirects = [*outer.redirects, *command.redirects]
            command.tested = command.tested or outer.tested
            command.otherwise = command.otherwise or outer.otherwise


def _contained(name: str, rest: list[Word]) -> list[Word]:
    """The words that `docker exec`, `docker compose exec`, `docker run`, `kubectl exec` run in a container."""
    if name in ("docker", "podman", "docker-compose"):
        words = _skip(rest, _DOCKER_VALUED)
        if name != "docker-compose" and words and words[0].text == "compose":
            words = _skip(words[1:], _DOCKER_VALUED)
        if len(words) < 3 or words[0].text not in ("exec", "run"):
            return []
        return _skip(words[1:], _DOCKER_VALUED)[1:]
    if name in ("kubectl", "oc"):
        words = _skip(rest, _KUBECTL_VALUED)
        if not words or words[0].text != "exec":
            return []
        for at, word in enumerate(words):
            if word.text == "--":
                return words[at + 1 :]
    return []


def _skip(words: list[Word], valued: frozenset[str]) -> list[Word]:
    """The words behind leading flags and assignments."""
    at = 0
    while at < len(words):
        text = words[at].text
        if text == "--":
            return words[at + 1 :]
        if text.startswith("-") and len(text) > 1:
            at += 2 if text in valued else 1
        elif "=" in text and text.partition("=")[0].isidentifier():
            at += 1
        else:
            break
    return words[at:]


def _region(word: Word) -> tuple[int, int] | None:
    """The text between the quotes of a word that is one quoted text; that of an unquoted one as it stands."""
    if len({piece.quoted for piece in word.pieces}) != 1 or word.end - word.start < 2:
        return None
    if not word.pieces[0].quoted:
        return (word.start, word.end)
    whole = word.pieces[0].kind is nouns.TEXT and len(word.pieces) == 1
    first, last = word.pieces[0], word.pieces[-1]
    if whole and first.start == word.start:  # in single quotes the piece takes them in
        return (word.start + 1, word.end - 1)
    return (word.start + 1, word.end - 1) if last.end == word.end - 1 or last.end == word.end else None


def _literal(call: Call, word: Word) -> bool:
    return call.script.source.text[word.start : word.start + 1] == "'"


def _tail(word: Word, skip: int) -> Word:
    """A word without its first characters, which have to be plain text."""
    first, *others = word.pieces
    pieces = [nouns.Piece(nouns.TEXT, first.text[skip:], first.start + skip, first.end, first.quoted), *others]
    if not first.text[skip:]:
        pieces = others or pieces
    return nouns.Word(pieces, word.start + skip, word.end, word.text[skip:])
