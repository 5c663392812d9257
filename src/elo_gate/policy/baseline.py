"""Turns findings that are accepted into a file and back, and matches them with what is found today.

An entry is an identity (see `identity`), the file it was found in, and why it is accepted. The file only is a hint: an
entry first looks for its finding there; when the file is gone, in the file that took its place. One entry a line,
sorted, the last line without one, so that two branches change different lines.
"""

from __future__ import annotations

import json
import os

from . import ConfigError
from .identity import FIRST, Identities

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ..model import Finding
    from ..project import Project
    from ..ruleset.load import Ruleset
    from . import Policy

    Identity = tuple[str, str, str]

NAME = "elo-gate-baseline.json"
VERSION = 1
_HEAD = f'{{"version": {VERSION}, "accepted": [\n'
_FOOT = "null]}\n"
_CONFLICT = ("<<<<<<< ", "=======", "||||||| ", ">>>>>>> ")
_KEYS = ("rule", "at", "is", "path", "reason")


class Entry:
    """Accepted findings of one identity in one file: how many (`count`), and how many were found (`used`)."""

    __slots__ = ("count", "identity", "moved", "path", "reason", "used")

    kind = "external"
    until = ""
    owner = ""

    def __init__(self, identity: Identity, path: str, reason: str, count: int = 1) -> None:
        self.identity = identity
        self.path = path
        self.reason = reason
        self.count = count
        self.used = 0
        self.moved = ""  # where its finding is now, when its file is gone

    @property
    def rule(self) -> str:
        return self.identity[0]


class Baseline:
    """The entries of a file. `prefix` is where the judged root lies under the file's folder, with a final `/`."""

    __slots__ = ("entries", "path", "prefix")

    def __init__(self, entries: list[Entry], path: str = NAME, prefix: str = "") -> None:
        self.entries = entries
        self.path = path
        self.prefix = prefix

    def gone(self) -> int:
        """How many accepted findings were not found any more, of those below the judged root."""
        return sum(each.count - each.used for each in self.entries if each.path.startswith(self.prefix))


def parse(text: str, path: str, conflicts: bool = False) -> list[Entry]:
    """The entries of a baseline's text. Raises ConfigError.

    With `conflicts`, both sides of a merge that git left open are taken: entries do not depend on each other.
    """
    lines = text.splitlines()
    open_merge = any(line.startswith(_CONFLICT[0]) for line in lines)
    if open_merge and not conflicts:
        raise ConfigError(f"{path}: a merge is not finished; `elo-gate baseline prune` keeps what both sides accepted")
    if open_merge:
        rows = [line.strip().rstrip(",") for line in lines if line.lstrip().startswith('{"rule"')]
    else:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{path}:{getattr(error, 'lineno', 1)}: not a baseline: no JSON") from None
        listed = document.get("accepted") if isinstance(document, dict) else None
        if not isinstance(listed, list) or document.get("version") != VERSION:
            raise ConfigError(f"{path}: not a baseline of version {VERSION}; `elo-gate baseline add` writes one")
        rows = [each for each in listed if each is not None]
    merged: dict[tuple[Identity, str], Entry] = {}
    for number, row in enumerate(rows, 1):
        entry = _entry(row, f"{path}: entry {number}")
        known = merged.setdefault((entry.identity, entry.path), entry)
        known.count = max(known.count, entry.count)
    return list(merged.values())


def _entry(row: Any, where: str) -> Entry:
    if isinstance(row, str):
        try:
            row = json.loads(row)
        except (ValueError, RecursionError):
            raise ConfigError(f"{where}: no JSON") from None
    if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in _KEYS):
        raise ConfigError(f"{where}: it needs {', '.join(_KEYS)}, each a text")
    odd = sorted(set(row) - {*_KEYS, "count"})
    count = row.get("count", 1)
    if odd or type(count) is not int or count < 1:
        raise ConfigError(f"{where}: unknown key `{odd[0]}`" if odd else f"{where}: `count` is a number from 1 on")
    if not row["reason"].strip():
        raise ConfigError(f"{where}: it needs a reason")
    return Entry((row["rule"], row["at"], row["is"]), row["path"], row["reason"], count)


def dump(entries: Iterable[Entry]) -> str:
    """The text of a baseline: one entry a line, sorted."""
    lines = []
    for each in sorted(entries, key=lambda one: (one.rule, one.path, *one.identity)):
        rule, at, shape = each.identity
        row: dict[str, Any] = {"rule": rule, "at": at, "is": shape, "path": each.path, "reason": each.reason}
        if each.count > 1:
            row["count"] = each.count
        lines.append(json.dumps(row) + ",\n")
    return _HEAD + "".join(lines) + _FOOT


def grown(now: Iterable[Entry], before: Iterable[Entry]) -> int:
    """How many findings a baseline accepts that another one does not."""
    known: dict[Identity, int] = {}
    for each in before:
        known[each.identity] = known.get(each.identity, 0) + each.count
    more = 0
    for each in now:
        left = known.get(each.identity, 0)
        more += max(0, each.count - left)
        known[each.identity] = max(0, left - each.count)
    return more


def match(
    findings: list[Finding], baseline: Baseline, project: Project, fixed: Callable[[str], bool]
) -> tuple[list[Finding], list[Finding]]:
    """(findings that count, those accepted). `fixed` says of a rule that nothing lets it pass."""
    identities = Identities(project)
    prefix = baseline.prefix
    rest: list[tuple[Finding, Identity, str]] = []
    accepted: dict[int, Entry] = {}
    by_place: dict[tuple[str, Identity], list[Entry]] = {}
    by_first: dict[tuple[str, Identity], list[Entry]] = {}
    for entry in baseline.entries:
        by_place.setdefault((entry.path, _plain(entry.identity)), []).append(entry)
        by_first.setdefault((entry.path, _top(entry.identity)), []).append(entry)
    named = [
        (finding, identities.of(finding), prefix + finding.source.path)
        for finding in findings
        if not fixed(finding.rule.id)
    ]
    for finding, identity, path in named:
        found = _free(by_place.get((path, _plain(identity)), ()))
        if found is not None:
            found.used += 1
            accepted[id(finding)] = found
        else:
            rest.append((finding, identity, path))
    for path_of in (lambda path: path, _moved(rest, baseline, project)):
        left = []
        for finding, identity, path in rest:
            old = path_of(path)
            found = _free(by_place.get((old, _plain(identity)), ()))
            if found is None and FIRST in identity[1]:
                found = _free(by_first.get((old, _top(identity)), ()))
            if found is None:
                left.append((finding, identity, path))
            else:
                found.used += 1
                found.moved = path if path != found.path else ""
                accepted[id(finding)] = found
        rest = left
    kept, passed = [], []
    for finding in findings:
        hit = accepted.get(id(finding))
        if hit is None:
            kept.append(finding)
        else:
            finding.suppressed = hit
            passed.append(finding)
    return kept, passed


def _free(entries: Iterable[Entry]) -> Entry | None:
    """The first entry that accepts one finding more."""
    return next((each for each in entries if each.used < each.count), None)


def _plain(identity: Identity) -> Identity:
    """An identity without the mark of a first key."""
    return identity[0], identity[1].replace(FIRST, ""), identity[2]


def _top(identity: Identity) -> Identity:
    """An identity that says "the first key", whichever it is: what is missing in a whole document is told there."""
    rule, way, shape = identity
    head, mark, _ = way.rpartition(FIRST)
    return (rule, head + FIRST, shape) if mark else identity


def _moved(rest: list[tuple[Finding, Identity, str]], baseline: Baseline, project: Project) -> Callable[[str], str]:
    """From a file that the baseline does not know to the gone file in whose place it stands, by name and by what is
    found in both."""
    prefix = baseline.prefix
    known = {each.path for each in baseline.entries}
    old: dict[str, set[Identity]] = {}
    for entry in baseline.entries:
        if entry.used < entry.count and entry.path.startswith(prefix) and not project.exists(entry.path[len(prefix) :]):
            old.setdefault(entry.path, set()).add(_top(entry.identity))
    new: dict[str, set[Identity]] = {}
    for _, identity, path in rest:
        if path not in known:
            new.setdefault(path, set()).add(_top(identity))
    scores: list[tuple[int, int, int, str, str]] = []
    for before, was in old.items():
        for after, now in new.items():
            shared = len(was & now)
            if shared:
                scores.append((_tail(before, after), shared, -len(was ^ now), before, after))
    # The longest common end of the path first, then the most in common; a tie stands for two files that cannot be
    # told apart, where either pairing accepts the same findings.
    pairs: dict[str, str] = {}
    taken: set[str] = set()
    for _, _, _, before, after in sorted(scores, key=lambda one: (-one[0], -one[1], -one[2], one[3], one[4])):
        if after not in pairs and before not in taken:
            pairs[after] = before
            taken.add(before)
    return lambda path: pairs.get(path, "")


def _tail(one: str, other: str) -> int:
    """How many segments two paths have in common at their end."""
    count = 0
    for left, right in zip(reversed(one.split("/")), reversed(other.split("/")), strict=False):
        if left != right:
            break
        count += 1
    return count


def read(path: str, conflicts: bool = False) -> list[Entry]:
    """The entries of a file on disk. Raises ConfigError, and FileNotFoundError when there is none."""
    from .config import text_of

    return parse(text_of(path, 64 << 20), path, conflicts)


def add(baseline: Baseline, findings: Iterable[Finding], project: Project, reason: str) -> int:
    """Accepts findings; how many."""
    identities = Identities(project)
    known = {(each.path, each.identity): each for each in baseline.entries}
    count = 0
    for finding in findings:
        identity = identities.of(finding)
        path = baseline.prefix + finding.source.path
        count += 1
        entry = known.get((path, identity))
        if entry is None:
            entry = known[path, identity] = Entry(identity, path, reason)
            baseline.entries.append(entry)
        else:
            entry.count += 1
        entry.used += 1
    return count


def accept(
    baseline: Baseline,
    findings: Iterable[Finding],
    project: Project,
    policy: Policy,
    ruleset: Ruleset,
    reason: str,
    only: Iterable[str] = (),
) -> int:
    """Accepts the findings of a run, those of some rules only where they are named, never those that nothing lets
    pass; how many."""
    from .suppress import locked

    fixed, named = locked(policy, ruleset), frozenset(only)
    chosen = [each for each in findings if (not named or each.rule.id in named) and not fixed(each.rule.id)]
    return add(baseline, chosen, project, " ".join(reason.split()))


def prune(baseline: Baseline) -> int:
    """Drops what was not found any more and follows files that moved; how many findings were dropped."""
    gone = baseline.gone()
    merged: dict[tuple[str, Identity], Entry] = {}
    for each in baseline.entries:
        if each.path.startswith(baseline.prefix):
            if not each.used:
                continue
            each.count = each.used
            each.path, each.moved = each.moved or each.path, ""
        known = merged.setdefault((each.path, each.identity), each)
        if known is not each:
            known.count += each.count
    baseline.entries = list(merged.values())
    return gone


def merging(path: str) -> str:
    """The line that the .gitattributes beside a baseline lacks; empty where it has it, or there is no git.

    Entries stand alone and the last line is none, so that git may simply keep what both sides have added.
    """
    folder, name = os.path.split(os.path.abspath(path))
    above = folder
    while not os.path.exists(os.path.join(above, ".git")):
        if os.path.dirname(above) == above:
            return ""
        above = os.path.dirname(above)
    line = f"{name} merge=union"
    for place in {folder, above}:
        try:
            with open(os.path.join(place, ".gitattributes"), encoding="utf-8", errors="replace") as file:
                if line in " ".join(file.read(1 << 20).split()):
                    return ""
        except OSError:
            continue
    return line


def write(baseline: Baseline, path: str) -> None:
    """Writes the file as a whole or not at all. Raises OSError."""
    part = f"{path}.{os.getpid()}.part"
    with open(part, "w", encoding="utf-8", newline="\n") as file:
        file.write(dump(baseline.entries))
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
