"""Turns YAML text into events, or into nodes of ours, by PyYAML's C extension without the rest of PyYAML.

`import yaml` costs more than reading a hundred manifests. The extension module takes the classes it
builds from the package when it is initialised and looks them up in its own globals ever after (PyYAML
6.0, yaml/_yaml.pyx). So it is initialised from a stub of the package, with our classes. It exists
only once in a process: a later `import yaml` finds a stand-in, which gives it back PyYAML's classes,
and from then on ours are put in for the time of a reading. Whatever fails here: plain `import yaml`.
"""

from __future__ import annotations

import sys

from elo_gate.model import MAP, SCALAR, SEQ, Node
from elo_gate.syntax.yaml.nodes import Map, Scalar, Seq

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    # What, anchor, tag, text, start, end, style. What: a node's kind, "alias", "end" (of a
    # collection), "document", "stream end" or something to skip.
    Event = tuple[str, str | None, str | None, Any, int, int, str]


def _event(what: str) -> Callable[..., Event]:
    """A maker of events that say nothing but what they are."""
    return lambda start, end, *_: (what, None, None, None, start.index, end.index, "")


_NODES: dict[str, Any] = {"ScalarNode": Scalar, "SequenceNode": Seq, "MappingNode": Map}
_EVENTS: dict[str, Callable[..., Event]] = {
    "StreamStartEvent": _event("stream"),
    "StreamEndEvent": _event("stream end"),
    "DocumentStartEvent": _event("document"),
    "DocumentEndEvent": _event("document end"),
    "AliasEvent": lambda anchor, start, end: ("alias", anchor, None, None, start.index, end.index, ""),
    "ScalarEvent": lambda anchor, tag, implicit, value, start, end, style: (
        SCALAR, anchor, None if tag == "!" else tag, value, start.index, end.index, style or ""
    ),
    "SequenceStartEvent": lambda anchor, tag, implicit, start, end, flow: (
        SEQ, anchor, None if tag == "!" else tag, None, start.index, end.index, "[" if flow else ""
    ),
    "MappingStartEvent": lambda anchor, tag, implicit, start, end, flow: (
        MAP, anchor, None if tag == "!" else tag, None, start.index, end.index, "{" if flow else ""
    ),
    "SequenceEndEvent": _event("end"),
    "MappingEndEvent": _event("end"),
}  # fmt: skip

_parser: Any = None  # the class of C parsers once loaded
_pure = False  # there is no C extension
_globals: dict[str, Any] = {}  # of the extension module
_theirs: dict[str, Any] = {}  # PyYAML's classes for ours, once PyYAML itself is in use


def compose(text: str) -> list[Node]:
    """The documents as the C composer builds them, of our nodes. Raises what it raises; without it, RuntimeError."""
    bind()
    try:
        parser = _parser(text)
        documents = []
        while parser.check_node():
            documents.append(parser.get_node())
        return documents
    finally:
        unbind()


def events(text: str) -> Callable[[], Event]:
    """What gives the next event of a text at each call, between `bind` and `unbind`."""
    if not _pure:
        return _parser(text).get_event  # type: ignore[no-any-return]
    import yaml

    reader: Any = yaml.Loader(text)

    def take() -> Event:
        event = reader.get_event()
        parts = vars(event)
        names = ("anchor", "tag", "implicit", "value", "start_mark", "end_mark", "style", "flow_style")
        given = [parts[name] for name in names if name in parts]
        return _EVENTS[type(event).__name__](*given)

    return take


def is_pure() -> bool:
    """There is no C extension; the parser written in Python reads."""
    return _pure


def bind() -> None:
    """Loads the parser once; puts our classes into it, if PyYAML's are there."""
    if _parser is None:
        _load()
    if _theirs:
        _globals.update(_NODES)
        _globals.update(_EVENTS)


def unbind() -> None:
    """Puts PyYAML's classes back."""
    if _theirs:
        _globals.update(_theirs)


def _nothing(*_: object) -> None:
    """Resolves no tags: scalars stay text."""


def _load() -> None:
    """Loads the extension module, alone where that works."""
    global _parser, _pure, _globals
    extension: Any = None
    if "yaml" not in sys.modules:
        try:
            extension = _load_alone()
        except Exception:  # it leans on internals of another project
            extension = None
    if extension is None:
        try:
            extension = __import__("yaml._yaml", fromlist=["CParser"])
        except ImportError:
            _parser, _pure = _no_parser, True
            sys.stderr.write("elo-gate: PyYAML has no C extension here; YAML is read about 30 times slower.\n")
            return
        _theirs.update((name, vars(extension)[name]) for name in (*_NODES, *_EVENTS))
    _globals = vars(extension)
    own = {name: staticmethod(_nothing) for name in ("resolve", "descend_resolver", "ascend_resolver")}
    _parser = type("_Parser", (extension.CParser,), own)


def _no_parser(text: str) -> Any:
    raise RuntimeError("no C extension")


class _Error(Exception):
    """Stands in for PyYAML's errors, whose parts it keeps."""

    context: Any = None
    context_mark: Any = None
    problem: Any = None
    problem_mark: Any = None

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        if len(parts) == 4:
            self.context, self.context_mark, self.problem, self.problem_mark = parts


class _Stub:
    """Stands in for a module of PyYAML and remembers which classes were asked for."""

    def __init__(self, module: str, asked: dict[str, str]) -> None:
        self.module = module
        self.asked = asked

    def __getattr__(self, name: str) -> Any:
        self.asked[name] = self.module
        return _NODES.get(name) or _EVENTS.get(name) or (_Error if name.endswith("Error") else object)


def _load_alone() -> Any:
    """The module yaml._yaml, initialised from stubs. Raises whatever goes wrong."""
    modules = sys.modules
    module = type(sys)
    asked: dict[str, str] = {}
    stub: Any = module("yaml")
    stub.__getattr__ = lambda name: _Stub(name, asked)
    for finder in sys.meta_path:
        spec = finder.find_spec("yaml", None)
        if spec is not None:
            stub.__path__ = list(spec.submodule_search_locations or ())
            break
    modules["yaml"] = stub
    try:
        extension: Any = __import__("yaml._yaml", fromlist=["CParser"])
    finally:
        for name in ("yaml", "yaml._yaml"):
            modules.pop(name, None)

    def give_back(name: str) -> Any:
        """Runs when PyYAML asks its extension for a class, all its other modules being loaded by then."""
        if modules.get("yaml._yaml") is stand_in:
            for wanted, where in asked.items():
                setattr(extension, wanted, getattr(modules["yaml." + where], wanted))
            extension.yaml = modules["yaml"]
            modules["yaml._yaml"] = extension
            _theirs.update((name, vars(extension)[name]) for name in (*_NODES, *_EVENTS))
        return getattr(extension, name)

    stand_in: Any = module("yaml._yaml")
    stand_in.__getattr__ = give_back
    modules["yaml._yaml"] = stand_in
    return extension
