"""Turns a tree-sitter tree of the grammar for bash into a `Script`."""

from __future__ import annotations

from bisect import bisect_right

from . import words
from .script import (
    ERREXIT,
    NOUNSET,
    PIPEFAIL,
    SOURCED,
    TEXT,
    Assignment,
    Command,
    Heredoc,
    Piece,
    Redirect,
    Script,
    Word,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node as Branch


DEPTH = 200
_LETTERS = {"e": ERREXIT, "u": NOUNSET}
_NAMES = frozenset((ERREXIT, NOUNSET, PIPEFAIL))
_EMPTY: frozenset[str] = frozenset()


class Deep(Exception):
    """The tree goes deeper than anybody reads."""


class _State:
    """Where a statement stands: what is passed down to the commands in it."""

    __slots__ = ("branch", "function", "needs", "otherwise", "tested", "until", "within")

    def __init__(self, until: int) -> None:
        self.until = until
        self.function = ""
        self.branch = False
        self.within = False
        self.tested = ""
        self.needs = ""
        self.otherwise: list[Command] = []

    def but(self, **changes: object) -> _State:
        made = _State(self.until)
        for name in _State.__slots__:
            setattr(made, name, changes.get(name, getattr(self, name)))
        return made


class Reader:
    """Reads one tree. `options` are those in force at the statement that is read."""

    __slots__ = ("_ends", "_extra", "base", "calls", "data", "depth", "options", "script", "text")

    def __init__(self, script: Script, text: str) -> None:
        self.script = script
        self.text = text
        self.base = script.start
        self.options = _of_shebang(text) if script.shebang is not None else _EMPTY
        self.calls: dict[str, frozenset[str]] = {}  # function -> the options at its first call
        self.depth = 0
        self._ends: list[int] = []
        self._extra: list[int] = [0]
        self.data = text.encode("utf-8", "surrogatepass")
        if len(self.data) != len(text):
            extra = 0
            for index, character in enumerate(text):
                if character > "\x7f":
                    width = 2 if character < "\u0800" else 3 if character < "\U00010000" else 4
                    self._ends.append(index + extra + width)
                    extra += width - 1
                    self._extra.append(extra)

    # -- places

    def start(self, node: Branch) -> int:
        return self._at(node.start_byte)

    def end(self, node: Branch) -> int:
        return self._at(node.end_byte)

    def _at(self, at: int) -> int:
        return self.base + (at - self._extra[bisect_right(self._ends, at)] if self._ends else at)

    def text_of(self, node: Branch) -> str:
        return self.script.source.text[self.start(node) : self.end(node)]

    # -- statements

    def script_of(self, root: Branch) -> None:
        """Reads everything, then gives the commands of functions the options of their first call."""
        self.block(root.children, _State(self.script.end))
        for command in self.script.commands:
            if command.function:
                command.options = command.options | self.calls.get(command.function, self.options)
            command.options = command.options & (_NAMES | {SOURCED})

    def block(self, children: list[Branch], state: _State) -> list[Command]:
        """The commands of statements that stand one behind the other."""
        found: list[Command] = []
        for child in children:
            made = self.statement(child, state)
            found.extend(made)
            if child.type == "&" and found:
                found[-1].background = True
        return found

    def statement(self, node: Branch, state: _State) -> list[Command]:
        """The commands of one statement, in order."""
        self.depth += 1
        if self.depth > DEPTH:
            raise Deep
        try:
            return self._statement(node, state)
        finally:
            self.depth -= 1

    def _statement(self, node: Branch, state: _State) -> list[Command]:
        kind = node.type
        if not node.is_named or kind == "comment":
            return []
        if kind in ("command", "declaration_command", "unset_command", "test_command", "variable_assignment"):
            return self._simple(node, state)
        if kind == "variable_assignments":
            return self.block(node.children, state)
        if kind in ("list", "pipeline"):
            return self._list(node, state)
        if kind == "redirected_statement":
            return self._redirected(node, state)
        if kind == "negated_command":
            return self.block(node.children, state.but(tested="!"))
        if kind == "function_definition":
            return self._function(node, state)
        if kind == "subshell":
            kept = self.options
            found = self.block(node.children, state.but(until=self.end(node)))
            self.options = kept
            return found
        if kind in ("if_statement", "elif_clause", "else_clause"):
            return self._if(node, state)
        if kind in ("while_statement", "until_statement", "for_statement", "c_style_for_statement", "select_statement"):
            return self._loop(node, state)
        if kind == "case_statement":
            found = []
            for child in node.children:
                if child.type == "case_item":
                    inside = state.but(branch=True, until=self.end(child))
                    values = child.children_by_field_name("value")
                    found += self.block([each for each in child.children if each not in values], inside)
            return found
        if kind in ("compound_statement", "do_group", "ERROR", "program"):
            return self.block(node.children, state)
        return []

    def _list(self, node: Branch, state: _State) -> list[Command]:
        """`a | b && c || d`."""
        chain = self._chain(node)
        found: list[Command] = []
        for at, (joiner, members) in enumerate(chain):
            follows = chain[at + 1][0] if at + 1 < len(chain) else ""
            inside = state
            if any(member.type == "negated_command" for member in members):
                inside = inside.but(tested=state.tested or "!")
            if follows:
                inside = inside.but(tested=inside.tested or follows)
            if joiner:
                inside = inside.but(needs=joiner, branch=True, until=self.end(members[-1]))
            made = _piped([self.statement(member, inside) for member in members])
            if joiner == "||":
                for each in found:
                    each.otherwise = each.otherwise or made
                    each.tested = "||" if each.tested == "&&" else each.tested
            found += made
        return found

    def _chain(self, node: Branch) -> list[tuple[str, list[Branch]]]:
        """(joiner, members of a pipeline) of a list. The grammar nests lists to the left, and a list behind a `|` into
        the pipeline."""
        self.depth += 1
        if self.depth > DEPTH:
            raise Deep
        behind: list[tuple[str, Branch]] = []
        while node.type == "list":
            children = [child for child in node.children if child.type != "comment"]
            if len(children) < 3:
                break
            behind.append((children[-2].type, children[-1]))
            node = children[0]
        found: list[tuple[str, list[Branch]]] = []
        for joiner, part in [("", node), *reversed(behind)]:
            if part.type != "pipeline":
                found.append((joiner, [part]))
                continue
            members = [child for child in part.children if child.is_named and child.type != "comment"]
            if members and members[-1].type in ("list", "pipeline"):
                (_, first), *rest = self._chain(members[-1])
                found.append((joiner, [*members[:-1], *first]))
                found.extend(rest)
            elif members:
                found.append((joiner, members))
        self.depth -= 1
        return found

    def _redirected(self, node: Branch, state: _State) -> list[Command]:
        found: list[Command] = []
        redirects: list[Redirect] = []
        heredocs: list[Heredoc] = []
        piped: list[list[Command]] = []
        for child in node.children:
            if child.type in ("file_redirect", "herestring_redirect"):
                redirects += self._redirect(child)
            elif child.type == "heredoc_redirect":
                self._heredoc(child, redirects, heredocs, piped, state, found)
            else:
                found += self.statement(child, state)
        # The grammar puts the redirections of a pipeline's last command around the whole pipeline.
        last = [each for each in found if not each.after] or found
        for command in last[-1:] if node.children and node.children[0].type in ("pipeline", "list") else found:
            command.redirects += redirects
        for command in found[:1]:
            command.heredocs += heredocs
        for parts in piped:
            _piped([found, parts])
            found = found + parts
        return found

    def _heredoc(
        self,
        node: Branch,
        redirects: list[Redirect],
        heredocs: list[Heredoc],
        piped: list[list[Command]],
        state: _State,
        found: list[Command],
    ) -> None:
        """A heredoc, and what stands behind its delimiter on the same line."""
        literal = False
        body: Branch | None = None
        joiner = ""
        for child in node.children:
            if child.type == "heredoc_start":
                literal = self.text_of(child)[:1] in ("'", '"', "\\")
            elif child.type == "heredoc_body":
                body = child
            elif child.type in ("file_redirect", "herestring_redirect"):
                redirects += self._redirect(child)
            elif child.type in ("&&", "||"):
                joiner = child.type
            elif child.type == "pipeline":
                parts = [self.statement(each, state) for each in child.children if each.is_named]
                _piped(parts)
                piped.append([each for part in parts for each in part])
            elif child.is_named and child.type not in ("heredoc_end", "file_descriptor"):
                if child.type in ("word", "string", "raw_string", "concatenation", "simple_expansion", "expansion"):
                    for command in found[-1:]:
                        command.words.append(words.word(self.script.source.text, self.start(child), self.end(child)))
                    continue
                made = self.statement(child, state.but(needs=joiner, branch=bool(joiner) or state.branch))
                if joiner:
                    for each in found:
                        each.tested = each.tested or joiner
                        if joiner == "||":
                            each.otherwise = each.otherwise or made
                piped.append(made) if not joiner else None
        if body is not None:
            heredocs.append(Heredoc(self.start(body), self.end(body), literal))

    def _function(self, node: Branch, state: _State) -> list[Command]:
        name = node.child_by_field_name("name")
        body = node.child_by_field_name("body")
        if name is None or body is None:
            return []
        title = self.text_of(name)
        self.script.functions[title] = (self.start(node), self.end(node))
        kept = self.options
        self.options = _EMPTY
        self.statement(body, _State(self.end(node)).but(function=title))
        self.options = kept
        return []

    def _if(self, node: Branch, state: _State) -> list[Command]:
        """The condition's commands are tested; the others run sometimes."""
        conditions = node.children_by_field_name("condition")
        clauses = [child.start_byte for child in node.children if child.type in ("elif_clause", "else_clause")]
        until = self._at(clauses[0]) if clauses else self.end(node)
        found: list[Command] = []
        for child in node.children:
            if child in conditions:
                found += self.statement(child, state.but(tested="if"))
            else:
                found += self.statement(child, state.but(branch=True, until=until))
        return found

    def _loop(self, node: Branch, state: _State) -> list[Command]:
        inside = state.but(branch=True, until=self.end(node))
        found: list[Command] = []
        conditions = node.children_by_field_name("condition") if node.type.startswith(("while", "until")) else []
        variable = node.child_by_field_name("variable")
        if variable is not None:
            at = self.start(variable)
            self._remember(Assignment(self.text_of(variable), None, at, self.end(variable), self.end(node)))
        for child in node.children:
            if child in conditions:
                found += self.statement(child, inside.but(tested="while"))
            elif child.type in ("do_group", "compound_statement"):
                found += self.statement(child, inside)
            elif child.is_named:
                self.inner_of(child, inside)
        return found

    # -- commands

    def _simple(self, node: Branch, state: _State) -> list[Command]:
        command = Command(self.start(node), self.end(node))
        command.options = self.options
        command.function = state.function
        command.branch = state.branch
        command.tested = state.tested
        command.needs = state.needs
        command.within = state.within
        if node.type == "test_command":
            command.words = [_plain(self.text_of(node), command.start, command.end)]
        else:
            self._parts(node, command, state)
        self.inner_of(node, state)
        self.script.commands.append(command)
        if command.words and not state.function:
            self.calls.setdefault(command.words[0].text, self.options)
        self._set(command)
        return [command]

    def _parts(self, node: Branch, command: Command, state: _State) -> None:
        declares = node.type == "declaration_command"
        made = words.read(self.script.source.text, command.start, command.end, declares)
        command.words = made.words
        command.redirects = made.redirects
        for name, value, start, end in made.assigned:
            one = Assignment(name, value, start, end, state.until, bool(made.words) and not declares)
            command.assignments.append(one)
            self._remember(one)
        if command.words and command.words[0].text == "read":
            for word in command.words[1:]:
                if word.known and word.text.isidentifier():
                    self._remember(Assignment(word.text, None, word.start, word.end, state.until))

    def _remember(self, made: Assignment) -> None:
        self.script.assignments.setdefault(made.name, []).append(made)

    def _set(self, command: Command) -> None:
        """Follows `set -e`, `set -o pipefail`, `set +e` and a file that is sourced."""
        name = command.name
        if name in ("source", ".") and len(command.words) > 1 and "env" not in command.words[1].text.rpartition("/")[2]:
            self.options = self.options | {SOURCED}
        if name != "set" or command.needs:
            return
        self.options = _with([word.text for word in command.words[1:]], self.options)

    def _redirect(self, node: Branch) -> list[Redirect]:
        return words.read(self.script.source.text, self.start(node), self.end(node)).redirects

    def inner_of(self, node: Branch, state: _State) -> list[Command]:
        """The commands that stand in the substitutions below a node."""
        found: list[Command] = []
        if node.type in ("command_substitution", "process_substitution"):
            kept = self.options
            found = self.block(node.children, state)
            self.options = kept
            return found
        for child in node.children:
            self.depth += 1
            if self.depth > DEPTH:
                raise Deep
            found += self.inner_of(child, state.but(within=True))
            self.depth -= 1
        return found


def _piped(parts: list[list[Command]]) -> list[Command]:
    """Tells commands of a pipeline what stands in front of and behind them."""
    for at, part in enumerate(parts):
        for command in part:
            command.before = [each for other in parts[:at] for each in other] + command.before
            command.after = command.after + [each for other in parts[at + 1 :] for each in other]
    return [command for part in parts for command in part]


def _plain(text: str, start: int, end: int) -> Word:
    return Word([Piece(TEXT, text, start, end, False)], start, end, text)


def _of_shebang(text: str) -> frozenset[str]:
    """The options a shebang gives to its shell: `#!/bin/bash -eu`."""
    words = text.partition("\n")[0][2:].split()
    return _with([word for word in words[1:] if word.startswith("-")], _EMPTY)


def _with(words: list[str], options: frozenset[str]) -> frozenset[str]:
    """The options behind `set WORDS`."""
    named = ""
    for word in words:
        if named:
            if word in _NAMES:
                options = options | {word} if named == "-" else options - {word}
            named = ""
            continue
        sign, letters = word[:1], word[1:]
        if sign not in "-+" or word == "--":
            break
        for letter in letters:
            if letter in _LETTERS:
                options = options | {_LETTERS[letter]} if sign == "-" else options - {_LETTERS[letter]}
            elif letter == "o":
                named = sign
    return options
