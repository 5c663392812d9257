"""Judges how a script behaves when something goes wrong: does it stop, does it delete the right thing, does it end."""

from __future__ import annotations

import re

from ..kinds import script
from ..kinds.script import program, reading, view
from ..model import ERROR, NOTE, SCALAR, WARNING, Fault, Node, Undecided
from ..syntax.shell import script as nouns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.script_calls import Call, Reading
    from ..model import Artifact, Item
    from ..syntax.shell import Command, Piece, Script, Word

    Answer = Iterator[Fault | Undecided]

# Commands whose failure changes nothing that anybody would want to know of.
_HARMLESS = frozenset(
    """echo printf : true false set unset export local readonly declare typeset shift exit return trap wait sleep date
    test [ [[ read umask log info warn error success debug step say shopt alias type hash source . break continue let
    tput clear logger notify figlet whoami hostname uname pwd ls command which""".split()
)


def late_shebang(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a `#!` line that is not the first."""
    found = script.shebang(file)
    if found is not None and found.start > 0:
        line = file.source.position(found.start)[0]
        yield Fault(found, shebang=found.value, line=line)


def windows_lines(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a script whose interpreter's name ends in a carriage return."""
    text = file.source.text
    end = text.find("\n")
    if not text.startswith("#!") or text[end - 1 : end] != "\r":
        return
    attributes = file.project.read(".gitattributes")
    if attributes is not None and re.search(r"\beol=lf\b", attributes.text):
        return  # only this working copy has them
    yield Fault(script.shebang(file) or it, shebang=text[: end - 1].strip())


# -- does it stop


def no_strict_mode(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields one fault for a script that goes on when something that matters has failed."""
    calls = reading(file)
    yield from _inside(calls)
    unseen = [call for call in calls.calls if call.outer is None and passes_unseen(call)]
    if not unseen:
        return
    if any(nouns.SOURCED in call.command.options for call in unseen):
        raise Undecided("a file that it reads in may set the options", unseen[0].place)
    weighty = serious(file)
    heavy = [call for call in unseen if call.start in weighty]
    shown = heavy or unseen
    related = [(call.place, "its failure passes unseen") for call in shown[:4]]
    yield Fault(it, related, severity=ERROR if heavy else WARNING, program=shown[0].shown, name=_name(file))


def _inside(calls: Reading) -> Answer:
    """Yields a fault for each shell that a script starts with several commands, elsewhere or here, and no `set -e`."""
    seen: set[int] = set()
    for call in calls.calls:
        outer = call.outer
        if outer is None or outer.program in ("trap", "eval") or id(call.script) in seen or not passes_unseen(call):
            continue
        seen.add(id(call.script))
        yield Fault(
            outer.place,
            [(call.place, "its failure passes unseen")],
            message="inside",
            severity=WARNING,
            program=call.shown,
            name=outer.program,
        )


def _name(file: Artifact) -> str:
    return str(file.path.rpartition("/")[2])


def serious(file: Artifact) -> set[int]:
    """Where the calls begin whose failure is a backup, a release or a way back that did not happen."""
    found = set()
    for name in ("dumps", "archives", "uploads", "prunes", "restores", "rollbacks", "deploys"):
        for item in view(file, name):
            call = item.facts["call"]
            if call is not None and not (name == "deploys" and item.facts["environment"] in ("preview", "development")):
                found.add(call.start)
    return found


def passes_unseen(call: Call) -> bool:
    """Whether its shell goes on when a call has failed, and ends as if nothing had happened."""
    command = call.command
    if program(call) in _HARMLESS or call.head.text.startswith(("[", "((")):
        return False
    if nouns.ERREXIT in command.options or command.tested or command.otherwise:
        return False
    if command.trapped or command.within or command.background or command.after:
        return False
    if "exec" in call.wrappers[:1] or call.script.functions.get(program(call)):
        return False
    first = True
    for each in call.script.commands:
        if each.start > command.start and not each.within and each.words and each.function == command.function:
            if first and "$?" in call.script.source.text[each.start : each.end]:
                return False
            first = False
            if each.name not in ("exit",) or each.words[1:2] and each.words[1].text == "0":
                return True
    return False


def masked_failure(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for each dump or archive whose failure a pipe hides."""
    calls = reading(file)
    if "PIPESTATUS" in file.source.text:
        return
    for name in ("dumps", "archives"):
        for item in view(file, name):
            call: Call = item.facts["call"]
            after = calls.after(call)
            if not after or call.command.within:
                continue
            options = call.command.options if call.command.after or call.outer is None else call.outer.command.options
            if nouns.PIPEFAIL in options:
                continue
            if nouns.SOURCED in options:
                yield Undecided("a file that it reads in may set pipefail", call.place)
                continue
            if call.outer is None and passes_unseen(after[-1]):
                continue  # told with the script that does not stop
            yield Fault(
                call.place,
                [(after[-1].place, "only its status counts")],
                program=program(call),
                last=program(after[-1]),
            )


# -- what it deletes

_SYSTEM = frozenset(
    """bin boot dev etc home lib lib64 opt proc root run sbin srv sys tmp usr var app data backup backups mnt
    media""".split()
)


def unguarded_delete(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for each `rm -r` that takes a whole folder along when one of its variables is empty."""
    for call in reading(file).calls:
        if program(call) != "rm" or not call.flag("-r", "-R", "--recursive"):
            continue
        for word in call.plain():
            found = _emptied(call, word)
            if found is not None:
                name, left = found
                node = Node(SCALAR, word.text, file.source, word.start, word.end, "'")
                yield Fault(node, path=_bare(word.text), name=name, left=left)


def _bare(text: str) -> str:
    return text.replace("'", "").replace('"', "")


def _emptied(call: Call, word: Word) -> tuple[str, str] | None:
    """(variable, what is deleted when it is empty), None when nothing bad is."""
    risky = [piece for piece in word.pieces if piece.kind is nouns.VARIABLE and not _guarded(call, piece)]
    names = {piece.text for piece in risky}
    for name in sorted(names):
        left = ""
        for piece in word.pieces:
            if piece.kind is nouns.VARIABLE and piece.text == name:
                continue
            part = nouns.Word([piece], piece.start, piece.end, piece.text)
            left += call.script.value(part).text if piece.kind is not nouns.TEXT else piece.text
        if _dreadful(left, word, name):
            return name, left
    return None


def _dreadful(left: str, word: Word, name: str) -> bool:
    """Whether a path is the root, a folder of the system, or the whole folder in which one thing was meant."""
    path = re.sub(r"/+", "/", left)
    if path in ("/", "/*", "/.*"):
        return True
    if path.startswith("/") and path.rstrip("/*").lstrip("/") in _SYSTEM:
        return True
    last = word.pieces[-1]
    ends_with = last.kind is nouns.VARIABLE and last.text == name
    return ends_with and path.endswith("/") and len(path) > 1 and path.strip("*/.") != ""


# Variables that the shell or the machine it runs on fills.
_ALWAYS_SET = frozenset(
    """$ ! # ? 0 PWD HOME USER UID HOSTNAME RANDOM SECONDS EPOCHSECONDS BASH_SOURCE RUNNER_TEMP GITHUB_WORKSPACE
    CI_PROJECT_DIR""".split()
)


def _guarded(call: Call, piece: Piece) -> bool:
    """Whether a variable cannot be empty where it is used."""
    if piece.operator in (":?", ":-", ":=") or piece.text in _ALWAYS_SET:
        return True
    script_ = call.script
    text = script_.source.text[script_.start : call.start]
    name = re.escape(piece.text)
    if re.search(rf"\$\{{{name}:\?|\[\[?\s+(?:!\s+)?-[znfde]\s+\"?\$\{{?{name}\b", text):
        return True
    if piece.text.isdigit() or piece.text in "@*":
        return re.search(r"\$#|\$\{#", text) is not None
    found = script_.assigned(piece.text, call.start)
    if found is None:
        # It comes from outside, or from one of several branches; `set -u` stops where nobody has set it.
        every = script_.assignments.get(piece.text, [])
        unset = nouns.NOUNSET in call.command.options or len(every) > 1
        return unset and all(each.value is not None and _has_text(each.value) for each in every)
    if found.value is None:
        return _from_loop(script_, piece.text)
    if any(each.kind is nouns.COMMAND for each in found.value.pieces) and not _has_text(found.value):
        return nouns.ERREXIT in _options_at(script_, found.start)
    value = script_.value(found.value)
    if value.known:
        return bool(value.text)
    return _has_text(found.value) or all(
        each.operator in (":?", ":-", ":=") or _guarded(call, each)
        for each in found.value.pieces
        if each.kind is nouns.VARIABLE
    )


def _from_loop(script_: Script, name: str) -> bool:
    """A loop's variable is never empty for what a pattern or a list of words gives."""
    return re.search(rf"\bfor\s+{re.escape(name)}\s+in\b", script_.source.text) is not None


def _has_text(word: Word) -> bool:
    return any(piece.kind is nouns.TEXT and piece.text.strip("/") for piece in word.pieces)


def _options_at(script_: Script, at: int) -> frozenset[str]:
    """The options of the command that stands at a place."""
    found: Command | None = None
    for command in script_.commands:
        if command.start <= at and not command.within:
            found = command if found is None or command.start >= found.start else found
    return found.options if found is not None else frozenset()


# -- what is split into words

_HURT = frozenset("rm cp mv tar rsync find gzip chmod chown ln mkdir zip scp".split())
_LISTS = re.compile(r"(?:opts?|options?|args?|flags?|params?|extra|files|dirs|paths|list|excludes?)$", re.I)


def unquoted(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields one fault for the unquoted variables in commands that delete, move or pack."""
    found: list[tuple[Call, Word, Piece, bool]] = []
    for call in reading(file).calls:
        if program(call) not in _HURT:
            continue
        for word in call.args:
            for piece in word.pieces:
                if piece.kind is nouns.VARIABLE and not piece.quoted and piece.operator != "length":
                    if (
                        piece.text in "?#$!"
                        or piece.text.isdigit()
                        and len(piece.text) > 1
                        or _LISTS.search(piece.text)
                    ):
                        continue
                    value = call.script.value(nouns.Word([piece], word.start, word.end, piece.text))
                    safe = _plain(value)
                    found.append((call, word, piece, safe))
    if not found:
        return
    unsafe = [each for each in found if not each[3]]
    shown = unsafe or found
    call, _, piece, _ = shown[0]
    source = file.source
    at = Node(SCALAR, source.text[piece.start : piece.end], source, piece.start, piece.end, "'")
    seen = {source.position(piece.start)[0]}
    related = []
    for _, _, other, _ in shown[1:]:
        line = source.position(other.start)[0]
        if line not in seen:
            seen.add(line)
            related.append((Node(SCALAR, "", source, other.start, other.end, "'"), "unquoted too"))
    yield Fault(
        at,
        related[:6],
        severity=WARNING if unsafe else NOTE,
        message="default" if unsafe else "today",
        variable=at.value,
        program=program(call),
    )


def _plain(value: Any) -> bool:
    """Whether a value has nothing to be split or expanded: known text, dates and numbers."""
    for segment in value.segments:
        if segment.text is None:
            if not re.match(
                r"[$`]\(?\s*(?:date\s+(?:-u\s+)?[\"']?\+[\"']?[^\s)\"']*[\"']?|mktemp\b[^|;]*)\)?`?$", segment.shape
            ):
                return False
        elif re.search(r"[\s*?\[]", segment.text):
            return False
    return True


# -- does it end


def never_returns(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for each command that runs until it is interrupted, with other commands behind it."""
    calls = reading(file)
    for call in calls.calls:
        command = call.command
        if call.outer is not None or command.background or command.branch or command.function or command.within:
            continue
        if "timeout" in call.wrappers or command.after or command.tested or not _follows(call):
            continue
        rest = [
            each for each in calls.calls if each.start > command.end and each.outer is None and not each.command.within
        ]
        rest = [each for each in rest if program(each) not in _HARMLESS and not each.command.function]
        if rest:
            severity = NOTE if program(call) == "railway" else None
            yield Fault(
                call.place,
                [(rest[0].place, "not reached")],
                severity=severity,
                command=call.shown,
                behind=rest[0].shown,
            )


def _follows(call: Call) -> bool:
    name = program(call)
    words = [
        word.text
        for word in call.plain("-n", "--namespace", "-c", "--context", "-s", "--service", "-e", "-a", "-p", "-f")
    ]
    follow = call.flag("-f", "--follow") is not None
    if name == "railway":
        return words[:1] == ["logs"] and not call.flag("-n", "--lines", "--since", "--until", "--json", "-S", "-U")
    if name == "docker" and words[:1] == ["compose"] or name == "docker-compose":
        # `-f` in front of the subcommand names a file.
        texts = call.texts
        return "logs" in texts and any(text in ("-f", "--follow") for text in texts[texts.index("logs") :])
    if name in ("kubectl", "docker", "vercel"):
        return words[:1] == ["logs"] and follow or (name == "kubectl" and words[:1] == ["port-forward"])
    if name == "heroku":
        return words[:1] == ["logs"] and call.flag("-t", "--tail") is not None
    if name == "fly":
        return words[:1] == ["logs"] and not call.flag("-n", "--no-tail")
    if name in ("tail", "journalctl"):
        return call.flag("-f", "-F", "--follow") is not None
    return name in ("watch", "stern")
