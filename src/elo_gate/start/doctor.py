"""Turns this installation and this tree into a list of what works, what is amiss, and what to do about it.

No value of a variable, no environment and no path above the repository is in it: it is made to be sent to others.
"""

from __future__ import annotations

import os
import sys

from .. import __version__, gate
from ..inert import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

OK, WARN, FAIL = "ok", "warn", "fail"
OLD = 180  # days after which a table of dated facts is old
_GRAMMARS = (("tree_sitter_typescript", "TypeScript and JavaScript"), ("tree_sitter_bash", "shell"))


class Line:
    """One thing looked at: `state` is ok, warn or fail; `what` and `said` in words; `do` is what to do, or empty."""

    __slots__ = ("do", "said", "state", "what")

    def __init__(self, state: str, what: str, said: str, do: str = "") -> None:
        self.state = state
        self.what = what
        self.said = said
        self.do = do


def examine(
    root: str, as_of: str, config: str | None = None, environment: Mapping[str, str] | None = None
) -> list[Line]:
    """Every line, in order; what raises where nothing should is a line that fails."""
    found: list[Line] = []
    parts: list[tuple[str, Callable[[], Iterator[Line]]]] = [
        ("version", _versions),
        ("YAML", _yaml),
        ("grammars", _grammars),
        ("editor", _editor),
        ("rules", lambda: _rules(as_of)),
        ("tree", lambda: _tree(root, as_of, config)),
        ("git", lambda: _git(root)),
        ("terminal", lambda: _terminal(environment if environment is not None else os.environ)),
    ]
    for name, part in parts:
        try:
            found += part()
        except Exception as error:
            # The message of an unexpected error may quote anything: its class is enough to report it.
            found.append(Line(FAIL, name, f"the look itself failed: {type(error).__name__}", "report it as a bug"))
    return found


def _versions() -> Iterator[Line]:
    yield Line(OK, "elo-gate", __version__)
    number = ".".join(map(str, sys.version_info[:3]))
    yield Line(OK, "Python", f"{number} ({sys.implementation.name}, {sys.platform})")


def _yaml() -> Iterator[Line]:
    from importlib import metadata

    number = metadata.version("pyyaml")
    try:
        __import__("yaml._yaml")
    except ImportError:
        yield Line(
            WARN, "YAML", f"PyYAML {number} without its C extension: files are read ten times slower",
            "pip install --force-reinstall --only-binary :all: pyyaml",
        )  # fmt: skip
        return
    yield Line(OK, "YAML", f"PyYAML {number}, C extension")


def _grammars() -> Iterator[Line]:
    from importlib import metadata

    for module, language in _GRAMMARS:
        name = module.replace("_", "-")
        try:
            grammar = __import__(module)
            from tree_sitter import Language, Parser

            pointer = grammar.language() if module == "tree_sitter_bash" else grammar.language_typescript()
            Parser(Language(pointer)).parse(b"x")
            yield Line(OK, name, f"{metadata.version(name)}, reads {language}")
        except Exception as error:
            yield Line(
                FAIL, name, f"{language} cannot be read: {type(error).__name__}",
                f"pip install --force-reinstall --only-binary :all: tree-sitter {name}",
            )  # fmt: skip


def _editor() -> Iterator[Line]:
    from importlib import metadata

    try:
        yield Line(OK, "editor", f"pygls {metadata.version('pygls')}, for `elo-gate lsp`")
    except metadata.PackageNotFoundError:
        yield Line(OK, "editor", "not installed; `elo-gate lsp` needs: pip install 'elo-gate[lsp]'")


# -- rules


def _rules(as_of: str) -> Iterator[Line]:
    from ..ruleset import load

    try:
        ruleset = load.load()
    except load.RuleError as error:
        yield Line(FAIL, "rules", inert(str(error)), "mend the rule file, or reinstall elo-gate")
        return
    folder = load.data_dir("rules")
    made = "compiled" if ruleset is not None and _compiled(ruleset) else "compiled on the fly from the checkout"
    yield Line(OK, "rules", f"{len(ruleset.ids)} rules, {made}, digest {digest(folder)}")
    names = sorted(name[:-5] for name in os.listdir(os.path.join(folder, "data")) if name.endswith(".yaml"))
    days: dict[str, list[str]] = {}
    for name in names:
        day = str((ruleset.table(name) or {}).get("as_of", ""))
        if not day:
            yield Line(WARN, f"table {name}", "does not say of which day it is", "reinstall elo-gate")
            continue
        days.setdefault(day, []).append(name)
        age = _days(day, as_of)
        if age > OLD:
            yield Line(WARN, f"table {name}", f"as of {day}, {age} days ago", "update elo-gate: facts have moved on")
    for day, alike in sorted(days.items()):
        yield Line(OK, f"facts as of {day}", ", ".join(alike))


def _compiled(ruleset: Any) -> bool:
    module = ruleset._module("index")
    return module is not None and module.__name__.startswith("elo_gate.")


def digest(folder: str) -> str:
    """What the files of a folder of rules hold, in twelve digits: the same in a wheel and in a checkout."""
    import hashlib

    made = hashlib.sha256()
    for above, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if name.endswith((".yaml", ".md")):
                path = os.path.join(above, name)
                with open(path, "rb") as file:
                    data = file.read()
                made.update(f"{os.path.relpath(path, folder).replace(os.sep, '/')}\0{len(data)}\0".encode())
                made.update(data)
    return made.hexdigest()[:12]


def _days(day: str, as_of: str) -> int:
    from datetime import date

    try:
        return (date.fromisoformat(as_of) - date.fromisoformat(day)).days
    except ValueError:
        return 0


# -- the tree


def _tree(root: str, as_of: str, config: str | None) -> Iterator[Line]:
    from ..discover import DiskTree, Unreadable
    from ..policy import ConfigError
    from ..ruleset.load import RuleError

    top = DiskTree(root).top()
    try:
        run = gate.run(root, as_of=as_of, config=config)
    except (ConfigError, gate.UsageError, RuleError, Unreadable) as error:
        yield Line(FAIL, "configuration", _below(str(error), root, top), "write what it says, then run doctor again")
        return
    if run.policy.path:
        where = inert(os.path.relpath(os.path.realpath(run.policy.path), os.path.realpath(root)))
        yield Line(OK, "configuration", where)
        for name, value, origin in settings(run.policy.path, root, top):
            yield Line(OK, f"  {name}", f"{value}  ({origin})")
    else:
        yield Line(
            OK,
            "configuration",
            "none from here to the top of the repository; all values are built in",
            "elo-gate init writes one",
        )
    coverage = run.verdict.coverage
    from ..kinds import KINDS

    kinds: dict[str, int] = {}
    for artifact in coverage.judged:
        kinds[artifact.kind] = kinds.get(artifact.kind, 0) + 1
    listed = ", ".join(f"{count} {KINDS[kind][1]}" for kind, count in sorted(kinds.items()))
    if not kinds:
        yield Line(WARN, "files", "none is judged", inert(run.verdict.reasons[0]) if run.verdict.reasons else "")
    else:
        yield Line(OK, "files", f"{len(coverage.judged)} judged: {listed}; {len(coverage.aside)} set aside")
    for artifact in coverage.broken[:5]:
        problem = next((each for each in artifact.problems if each.fatal), None)
        line = artifact.source.position(problem.start)[0] if problem is not None else 1
        said = inert(problem.message) if problem is not None else "it was not read"
        yield Line(WARN, f"  {inert(artifact.path)}:{line}", f"not analysed: {said}", "mend it, or exclude it")
    for rule, path, line, why in coverage.failures[:5]:
        yield Line(FAIL, f"  {inert(path)}:{line}", f"{rule}: {inert(why)}", "report it as a bug")
    if coverage.unlisted:
        yield Line(FAIL, "  folders", f"{len(coverage.unlisted)} cannot be looked into", "give the reader the right to")


def settings(path: str, root: str, top: str) -> Iterator[tuple[str, str, str]]:
    """(key, value, where it comes from) of every setting of a configuration, defaults among them."""
    from ..model import Source
    from ..policy import ConfigError
    from ..policy.config import KEYS, plain
    from ..redact import mask
    from ..syntax.toml import parse

    with open(path, encoding="utf-8") as file:
        source = Source(path, file.read())
    table, _ = parse(source)
    if os.path.basename(path) == "pyproject.toml":
        table = table.get("tool", "elo-gate")
    name = inert(os.path.relpath(os.path.realpath(path), os.path.realpath(root)))
    extended = ", ".join(str(plain(each)) for each in table.get("extends").elements())
    merged: dict[str, Any] = {}
    if extended:
        from ..policy.config import _table
        from ..policy.extends import merge

        try:
            merged = merge(_table(table, KEYS, source, ""), path)
        except ConfigError:
            merged = {}
    for key, (kind, _, _) in KEYS.items():
        node = table.get(key)
        if node:
            line = source.position(table.key(key).start)[0]
            many = isinstance(kind, list) and isinstance(kind[0], dict)
            value = _value(plain(node))
            if many or kind == "rules":
                value = f"{len(node.elements()) or len(node.items())} entries"
            origin = f"{name}:{line}"
            if merged and isinstance(kind, list):
                origin += f", joined with {inert(extended)}"
        elif merged.get(key):
            value, origin = _value(merged[key]), inert(extended)
        elif key == "fail_on":
            value, origin = "error", "built in"
        else:
            continue
        yield key, inert(mask(value), 160), origin


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) if all(isinstance(each, str) for each in value) else f"{len(value)} entries"
    if isinstance(value, dict):
        return f"{len(value)} entries"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _below(text: str, root: str, top: str) -> str:
    """A message without the folders above the repository: they name people."""
    for folder in sorted({os.path.realpath(root), os.path.realpath(top), root, top}, key=len, reverse=True):
        text = text.replace(folder.rstrip(os.sep) + os.sep, "")
    home = os.path.expanduser("~")
    return inert(text.replace(home + os.sep, "~/") if len(home) > 1 else text)


# -- git


def _git(root: str) -> Iterator[Line]:
    from .. import git
    from ..discover import DiskTree, Ignores

    tree = DiskTree(root)
    top = tree.top()
    entry = os.path.join(top, ".git")
    if not os.path.lexists(entry):
        yield Line(WARN, "git", "no repository: ignored files cannot be told", "judge a checkout")
        return
    try:
        git.commit(top, "HEAD")
    except git.GitError as error:
        yield Line(WARN, "git", _below(str(error), root, top), "--changed and --policy-from need git and a commit")
    else:
        yield Line(OK, "git", "reads HEAD")
    if os.path.isdir(entry) and os.path.isfile(os.path.join(entry, "index")):
        if Ignores(tree).tracked("") is None:
            yield Line(
                WARN,
                "git index",
                "cannot be read: which files are tracked is not known",
                "git update-index --index-version 4",
            )
    if os.path.isfile(os.path.join(entry, "shallow")):
        yield Line(
            WARN, "git history", "shallow: a base for --changed and --policy-from may be missing",
            "fetch-depth: 2 for a pull request's base, 0 for any other",
        )  # fmt: skip


# -- the terminal


def _terminal(environment: Mapping[str, str]) -> Iterator[Line]:
    encoding = (sys.stdout.encoding or "unknown").lower()
    if encoding.replace("-", "").replace("_", "") == "utf8":
        yield Line(OK, "terminal", "UTF-8")
    else:
        yield Line(
            WARN,
            "terminal",
            f"{inert(encoding)}: letters it lacks are written as \\u....",
            "PYTHONUTF8=1, or LC_ALL=C.UTF-8",
        )
    yield Line(OK, "colours", _colours(environment))


def _colours(environment: Mapping[str, str]) -> str:
    """Which way `--color auto` goes, and why; as cli decides it."""
    if environment.get("NO_COLOR"):
        return "off, by NO_COLOR"
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        if environment.get(name):
            return f"on, by {name}"
    if environment.get("TERM") == "dumb":
        return "off, by TERM=dumb"
    return "on" if sys.stdout.isatty() else "off: stdout is no terminal"


def exit_code(found: list[Line]) -> int:
    """1 when something fails, else 0."""
    return 1 if any(line.state == FAIL for line in found) else 0


def render(found: list[Line], form: str = "text") -> str:
    """The lines for people, or as JSON."""
    if form == "json":
        import json

        rows = [{"state": each.state, "what": each.what.strip(), "said": each.said, "do": each.do} for each in found]
        document = {"version": 1, "lines": rows, "exit_code": exit_code(found)}
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    width = min(28, max(len(each.what) for each in found))
    lines = []
    for each in found:
        lines.append(f"{each.state:4}  {each.what:{width}}  {each.said}")
        if each.do:
            lines.append(f"{'':4}  {'':{width}}  do: {each.do}")
    return "\n".join(lines) + "\n"
