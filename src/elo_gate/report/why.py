"""Turns a finished run and a place into which rules looked there, what they saw and what they said."""

from __future__ import annotations

from textwrap import wrap

from .. import engine
from ..inert import inert
from ..model import Artifact, Item, Node
from ..redact import mask
from . import witness as seen
from .witness import Look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..gate import Run
    from ..model import Finding

_WIDTH = 100
# Facts that hold the value of an environment variable, which is never shown; kinds in which every node is one.
VALUES = frozenset(("value", "default", "raw", "password", "text"))
VALUED_KINDS = frozenset(("env",))


class Aside(Exception):
    """A file that no rule looks at; the message says why."""


def subject(run: Run, path: str) -> Artifact:
    """The artifact at a path. Raises Aside where rules do not look at it."""
    project = run.project
    artifact = next((each for each in project.all() if each.path == path), None)
    if artifact is None:
        why = project.aside.get(path)
        if why is not None:
            raise Aside(f"{inert(path)} is not judged: {why}")
        if not project.exists(path):
            raise Aside(f"{inert(path)}: there is no such file below the judged folder")
        raise Aside(f"{inert(path)} is not judged: it lies where nothing is looked at, or git ignores its folder")
    if artifact.state == "aside":
        raise Aside(
            f"{inert(path)} ({artifact.kind}) is set aside, {artifact.environment}: {artifact.why}; to have it judged, "
            f'say in elo-gate.toml: [[environment]] name = "production" files = ["{inert(path)}"]'
        )
    if artifact.state == "broken":
        problem = next((each for each in artifact.problems if each.fatal), None)
        line = artifact.source.position(problem.start)[0] if problem is not None else 1
        raise Aside(f"{inert(path)}:{line}: not analysed: {problem.message if problem is not None else artifact.why}")
    return artifact


def beside(run: Run, path: str) -> Artifact:
    """The artifact at a path; of a file that has none, or is set aside, one that says why. Raises Aside for no file.

    Rules that look at the tree as a whole may point to any file of it.
    """
    try:
        return subject(run, path)
    except Aside as reason:
        source = run.project.read(path) if run.project.whole() is not None else None
        if source is None:
            raise
        made = Artifact(source, "")
        made.state, made.why = "aside", str(reason)
        return made


def described(artifact: Artifact) -> str:
    """What a file is and in which environment, or why it is not judged."""
    if not artifact.kind:
        return artifact.why.removeprefix(f"{inert(artifact.path)} ").removeprefix("is ")
    assumed = "assumed " if artifact.environment == "production" and artifact.assumed else ""
    return f"{artifact.kind}, {assumed}{artifact.environment}: {artifact.why}"


def subjects(run: Run, artifact: Artifact) -> list[Artifact]:
    """What rules look at when they look at a file: the file, and the tree as a whole."""
    whole = run.project.whole()
    found = [artifact] if artifact.kind else []
    return [*found, whole] if whole is not None else found


# -- places


def lines_of(node: Any, path: str) -> tuple[int, int] | None:
    """First and last line of a node in a file; None where it is not in that file."""
    if not isinstance(node, Node) or node.source.path != path or not node.source.text:
        return None
    last = max(node.start, node.end - 1)
    return node.source.position(node.start)[0], node.source.position(last)[0]


def _covers(node: Any, path: str, line: int) -> bool:
    found = lines_of(node, path)
    return found is not None and found[0] <= line <= found[1]


def _reach(look: Look, path: str, line: int) -> int:
    """How a look concerns a line: 0 it points there, 1 its place is there, 2 its node covers it, -1 not at all."""
    for fault in look.faults:
        nodes = [fault.at, *(node for node, _ in fault.related)]
        for each in nodes:
            found = engine.place_of(each)
            if found is not None and _first(found, path) == line:
                return 0
    if look.why:
        found = engine.place_of(look.at) if look.at is not None else engine.place_of(look.item)
        if found is not None and _first(found, path) == line:
            return 0
    if _first(look.item.place, path) == line:
        return 1
    return 2 if _covers(look.item.node, path, line) else -1


def _first(node: Any, path: str) -> int:
    found = lines_of(node, path)
    return found[0] if found is not None else 0


# -- what a rule saw


def secrets_of(artifact: Artifact) -> frozenset[str]:
    """The texts of a file that its kind knows to be secrets."""
    from ..kinds import KINDS, module_of

    if artifact.kind not in KINDS:
        return frozenset()
    spans = getattr(module_of(artifact.kind), "secrets", None)
    try:
        found = spans(artifact) if spans is not None else ()
    except Exception:
        found = [(0, len(artifact.source.text))]
    text = artifact.source.text
    pieces = {piece for start, end in found for piece in (text[start:end], text[start:end].strip("\"'"))}
    return frozenset(piece for piece in pieces if len(piece) > 2)


def saw(item: Item, kind: str, secrets: frozenset[str]) -> str:
    """The facts of an item in short: plain ones by value, bigger ones by size, no value of a variable."""
    words = []
    own = item.facts.get("name")
    for name, value in item.facts.items():
        if value is None or value == "" or value is False or value in ([], {}):
            continue
        if not isinstance(value, (str, int, float, list, tuple, dict, Node, Item)) or callable(value):
            continue
        if name in VALUES or (kind in VALUED_KINDS and isinstance(value, Node) and name != "key"):
            words.append(f"{name} not shown")
            continue
        guide = own if isinstance(value, Node) and isinstance(own, str) and name != "key" else ""
        text = seen.show(value, secrets, guide if name != "name" else "")
        if text not in ("absent", "empty") and not (name == "key" and text == own):
            words.append(f"{name} {text}" if value is not True else name)
    if not words and kind not in VALUED_KINDS and item.node and item.node.kind in ("scalar", "unknown"):
        words.append(seen.show(item.node, secrets))
    return inert(mask(", ".join(words)), 400)


# -- why FILE:LINE


def why(run: Run, path: str, line: int) -> str:
    """Which rules looked at a line, what they saw and said. Raises Aside."""
    artifact = beside(run, path)
    total = len(artifact.source.starts)
    if not 1 <= line <= total:
        raise Aside(f"{inert(path)} has {total} lines, and none with the number {line}")
    witness, _ = seen.watch(run, subjects(run, artifact))
    from .excerpt import Excerpts

    shown = [f"{inert(path)}:{line}  {described(artifact)}"]
    shown += [f"  {line} | {Excerpts(run.project).line(artifact.source, line)}"]
    found: dict[tuple[int, str, int], list[tuple[int, Look]]] = {}
    for look in witness.looks:
        reach = _reach(look, path, line)
        if reach >= 0:
            span = lines_of(look.item.node, path)
            size = span[1] - span[0] if span is not None else 0
            found.setdefault((size, look.rule.select, id(look.item)), []).append((reach, look))
    groups: dict[tuple[int, int, str, int], list[Look]] = {}
    for item, looks in found.items():
        # What points here and what begins here is told together; what only covers the line apart.
        nearest = min(reach for reach, _ in looks)
        for reach, look in looks:
            groups.setdefault((nearest if reach < 2 else 2, *item), []).append(look)
    secrets = secrets_of(artifact)
    titles = ("points here", "looked at what begins here", "looked at what covers this line")
    last = -1
    told: set[int] = set()
    for key in sorted(groups, key=lambda each: (each[:3], lines_of(groups[each][0].item.node, path) or (0, 0))):
        if key[0] != last:
            last = key[0]
            shown += ["", titles[last][0].upper() + titles[last][1:]]
        shown += _group(run, groups[key], artifact, secrets, line, told)
    if not groups and not artifact.kind:
        raise Aside(artifact.why)
    if not groups:
        shown += ["", "No rule looked at this line."]
    return "\n".join(each.rstrip() for each in shown) + "\n"


def _group(
    run: Run, looks: list[Look], artifact: Artifact, secrets: frozenset[str], line: int, told: set[int]
) -> Iterator[str]:
    """The looks at one item: where, what was seen, and what each rule said; those content with it on one line.

    What a rule says of the line itself is told in full, what it says of other lines by its place.
    """
    first = looks[0]
    place = engine.place_of(first.item)
    where = ""
    if place is not None:
        number = place.source.position(place.start)[0]
        where = f"  line {number}" if place.source.path == artifact.path else f"  {inert(place.source.path)}:{number}"
    yield ""
    yield f"  {'the tree: ' if first.path == '' else ''}{first.rule.select}{where}"
    facts = saw(first.item, artifact.kind if first.path else "", secrets)
    if facts and id(first.item) not in told:
        told.add(id(first.item))
        yield from hang("    saw        ", facts)
    for look in looks:
        yield from _faults(run, look, artifact.path, line)
        if look.answer == seen.FAILED:
            yield f"    failed     {look.rule.id} raised an error"
        if look.why:
            yield from hang("    undecided  ", f"{look.rule.id}: {mask(look.why)}")
    for answer, word in ((seen.FINE, "fine"), (seen.SKIPPED, "not for it")):
        names = sorted({look.rule.id for look in looks if look.answer == answer})
        if names:
            yield from hang(f"    {word:10} ", ", ".join(names))


def _faults(run: Run, look: Look, path: str, line: int) -> Iterator[str]:
    others = []
    for fault in look.faults:
        place = engine.place_of(fault.at) or engine.place_of(look.item)
        if place is None:
            continue
        finding, let_pass = finding_at(run, look.rule.id, place)
        word = "let pass" if let_pass else finding.severity if finding is not None else "fault"
        where = f"{inert(place.source.path)}:{place.source.position(place.start)[0]}"
        if any(_first(engine.place_of(each), path) == line for each in (fault.at, *(at for at, _ in fault.related))):
            yield f"    {word:10} {look.rule.id}  {where}"
            if finding is not None:
                yield from hang(" " * 15, finding.message)
        else:
            others.append((word, where))
    for word in dict.fromkeys(word for word, _ in others):
        places = [where for each, where in others if each == word]
        shown = ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
        yield from hang(f"    {word:10} ", f"{look.rule.id}  {shown}")


def finding_at(run: Run, rule: str, place: Node) -> tuple[Finding | None, bool]:
    """The run's finding of a rule at a place, and whether it was let pass."""
    for findings, let_pass in ((run.verdict.findings, False), (run.verdict.suppressed, True)):
        for each in findings:
            if each.rule.id == rule and each.source.path == place.source.path and each.start == place.start:
                return each, let_pass
    return None, False


def hang(head: str, text: str) -> Iterator[str]:
    """A text behind a head, its further lines below its first."""
    pieces = wrap(inert(text), _WIDTH - len(head), break_on_hyphens=False) or [""]
    yield head + pieces[0]
    for piece in pieces[1:]:
        yield " " * len(head) + piece
