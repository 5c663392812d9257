"""Finds the compiled rules and hands them out by kind; compiles them anew where a source checkout has newer ones."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    Body = Callable[[Any, dict[str, Any], Any], Any]
    Template = tuple[str, Callable[..., tuple[str, ...]] | None]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class RuleError(Exception):
    """A rule file that is refused; the text names the file and what to write instead."""


class Rule:
    """The hot half of a rule: where it looks, its body, its messages."""

    __slots__ = (
        "id", "severity", "elo", "assumed", "standard", "select", "when", "test", "check", "params", "at",
        "messages", "fix", "edit",
    )  # fmt: skip

    def __init__(
        self,
        id: str,
        severity: str,
        elo: str | None,
        assumed: str | None,
        standard: tuple[str, ...],
        select: str,
        when: Body | None,
        test: Body | None,
        check: str | None,
        params: dict[str, Any],
        at: Body | None,
        messages: dict[str, Template],
        fix: Template,
        edit: tuple[str, str] | None = None,
    ) -> None:
        self.id = id
        self.severity = severity
        self.elo = elo
        self.assumed = assumed
        self.standard = standard
        self.select = select
        self.when = when
        self.test = test
        self.check = check
        self.params = params
        self.at = at
        self.messages = messages
        self.fix = fix
        self.edit = edit  # ("safe" or "unsafe", "module:function" in elo_gate.fixes)


def data_dir(name: str) -> str:
    """The folder `rules` or `schemas`: inside the package in a wheel, at the repository's top in a checkout."""
    checkout = os.path.dirname(os.path.dirname(_PACKAGE))
    if os.path.isfile(os.path.join(checkout, "pyproject.toml")) and os.path.isdir(os.path.join(checkout, name)):
        return os.path.join(checkout, name)
    return os.path.join(_PACKAGE, name)


def stamp(folder: str) -> str:
    """What changes when a rule file changes: names, sizes and times of all of them."""
    parts = []
    for parent in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if parent.is_dir():
            for entry in sorted(os.scandir(parent.path), key=lambda entry: entry.name):
                if entry.name.endswith(".yaml"):
                    status = entry.stat()
                    parts.append(f"{parent.name}/{entry.name}:{status.st_size}:{status.st_mtime_ns}")
        elif parent.name.startswith("STANDARD."):
            status = parent.stat()
            parts.append(f"{parent.name}:{status.st_size}:{status.st_mtime_ns}")
    return f"{hash_of(chr(10).join(parts)):x}:{len(parts)}"


def hash_of(text: str) -> int:
    """FNV-1a, 64 bits over words of eight bytes: not for security, so that no hash module is imported."""
    data = text.encode()
    value = 0xCBF29CE484222325
    for at in range(0, len(data), 8):
        value = ((value ^ int.from_bytes(data[at : at + 8], "little")) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


class Ruleset:
    """All rules: `of(kind)` gives those of one kind, `words(id)` a rule's words, `table(name)` a data table."""

    def __init__(self, modules: Callable[[str], ModuleType | None]) -> None:
        self._module = modules
        self._rules: dict[str, list[Rule]] = {}
        self._docs: dict[str, dict[str, dict[str, Any]]] = {}
        self._extra: list[Ruleset] = []

    def of(self, kind: str) -> list[Rule]:
        """The rules of a kind, in order of id."""
        found = self._rules.get(kind)
        if found is None:
            module = self._module("kind_" + kind)
            found = [Rule(*row) for row in module.RULES] if module is not None else []
            for other in self._extra:
                found = found + other.of(kind)
            self._rules[kind] = found
        return found

    def and_own(self, other: Ruleset) -> Ruleset:
        """These rules and a user's own."""
        made = Ruleset(self._module)
        made._extra = [*self._extra, other]
        return made

    def words(self, identifier: str) -> dict[str, Any]:
        """Title, rationale, fix, messages, references, security, cwe, parameters of a rule. KeyError when unknown."""
        for other in self._extra:
            if identifier in other._kinds():
                return other.words(identifier)
        kind = self._kinds()[identifier]
        found = self._docs.get(kind)
        if found is None:
            module = self._module("docs_" + kind)
            found = self._docs[kind] = module.DOCS if module is not None else {}
        return found[identifier]

    def translated(self, identifier: str, language: str) -> dict[str, Any] | None:
        """The words of a rule in another language, see compile.translation; None where it has none."""
        for other in self._extra:
            if identifier in other._kinds():
                return other.translated(identifier, language)
        kind = self._kinds()[identifier]
        module = self._module(f"words_{language.lower().replace('-', '_')}_{kind}")
        found: dict[str, Any] | None = module.WORDS.get(identifier) if module is not None else None
        return found

    def _kinds(self) -> dict[str, str]:
        """Rule id to the kind its words lie with."""
        module = self._module("index")
        return module.IDS if module is not None else {}

    @property
    def ids(self) -> list[str]:
        """Every rule id, sorted."""
        return sorted([*self._kinds(), *(each for other in self._extra for each in other.ids)])

    @property
    def aliases(self) -> dict[str, str]:
        """Former rule id to the present one."""
        module = self._module("index")
        return dict(module.ALIASES) if module is not None else {}

    @property
    def kinds(self) -> list[str]:
        """The kinds that have rules."""
        module = self._module("index")
        return list(module.KINDS) if module is not None else []

    @property
    def clauses(self) -> dict[str, str]:
        """Clause id to heading."""
        module = self._module("clauses")
        return dict(module.CLAUSES) if module is not None else {}

    def headings(self, language: str) -> dict[str, str]:
        """Clause id to heading in a language, English where its edition of the standard has none."""
        module = self._module("clauses")
        return {**self.clauses, **module.EDITIONS.get(language, {})} if module is not None else {}

    @property
    def address(self) -> str:
        """The project's public address, from pyproject.toml."""
        module = self._module("index")
        return str(module.ADDRESS) if module is not None else ""

    def table(self, name: str) -> Any:
        """A data table of `rules/data/`, None when there is none."""
        module = self._module("table_" + name.replace("-", "_"))
        return module.TABLE if module is not None else None


def _installed(name: str) -> ModuleType | None:
    full = f"elo_gate._compiled.{name}"
    if full not in sys.modules:
        try:
            __import__(full)
        except ModuleNotFoundError:
            return None
    return sys.modules[full]


def from_sources(sources: dict[str, str]) -> Ruleset:
    """A ruleset from freshly compiled module sources."""
    from .evaluate import NAMES

    made: dict[str, ModuleType] = {}

    def module(name: str) -> ModuleType | None:
        if name not in made and name in sources:
            fresh = type(sys)(name)
            fresh.__dict__.update(NAMES)
            text = sources[name].replace("from elo_gate.ruleset.evaluate import *\n", "")
            # The source is ours: `compile` writes literals and calls into `evaluate` only.
            exec(compile(text, f"<rules {name}>", "exec"), fresh.__dict__)
            made[name] = fresh
        return made.get(name)

    return Ruleset(module)


_loaded: Ruleset | None = None


def load() -> Ruleset:
    """The built-in rules. Raises compile.RuleError in a source checkout with a broken rule file."""
    global _loaded
    if _loaded is None:
        folder = data_dir("rules")
        index = _installed("index")
        fresh = index is not None
        if index is not None and not folder.startswith(_PACKAGE):
            fresh = getattr(index, "STAMP", "") == stamp(folder)
        if fresh:
            _loaded = Ruleset(_installed)
        else:
            from .compile import compile_folder

            _loaded = from_sources(compile_folder(folder))
    return _loaded


def write_compiled(checkout: str) -> str:
    """Writes the compiled rules of a checkout into `src/elo_gate/_compiled/`; returns that folder."""
    from .compile import compile_folder

    folder = os.path.join(checkout, "rules")
    target = os.path.join(checkout, "src", "elo_gate", "_compiled")
    os.makedirs(target, exist_ok=True)
    sources = compile_folder(folder)
    sources["__init__"] = '"""The rules, compiled. Made by the build; not in git."""\n'
    sources["index"] += f"STAMP = {stamp(folder)!r}\n"
    for old in os.listdir(target):
        if old.endswith(".py") and old[:-3] not in sources:
            os.unlink(os.path.join(target, old))
    # The index, which says what the rest was made from, comes last: whoever reads meanwhile finds it stale.
    for name in sorted(sources, key=lambda each: each == "index"):
        part = os.path.join(target, f"{name}.{os.getpid()}.part")
        with open(part, "w", encoding="utf-8") as file:
            file.write(sources[name])
        os.replace(part, os.path.join(target, name + ".py"))
    return target
