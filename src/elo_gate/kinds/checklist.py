"""Turns a Markdown file into the checklist of a deployment: its items by phase, and the day it says it is from.

A file is one when items `- [ ]` stand below words of a release: in a heading, or in the file's name.
"""

from __future__ import annotations

from ..model import SCALAR, SEQ, Item, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..model import Artifact


def looks_like(path: str, text: str) -> bool:
    """Whether it is the checklist of a deployment; a template for issues and pull requests is none."""
    if not ("[ ] " in text or "[x] " in text or "[X] " in text) or path.startswith(".github/") or "/.github/" in path:
        return False
    from .checklist_text import releases

    return releases(path, text)


def load(artifact: Artifact) -> None:
    """Sets the tree: a list of the items' texts."""
    from .checklist_text import tasks

    source = artifact.source
    found = [
        Node(SCALAR, match[2].rstrip(), source, match.start(2), match.start(2) + len(match[2].rstrip()), "'")
        for match, _ in tasks(source.text)
    ]
    artifact.root = Node(SEQ, found, source, 0, len(source.text))


def signs(artifact: Artifact) -> tuple[str, str] | None:
    return None


def items(artifact: Artifact) -> list[Item]:
    """Every item: facts `text`, `done`, `phase` (the nearest heading)."""
    from .checklist_text import tasks

    found = []
    for node, (match, heading) in zip(artifact.root.elements(), tasks(artifact.source.text), strict=True):
        facts = {"text": node.value, "done": match[1] != " ", "phase": heading.rpartition(" / ")[2].strip(" *#")}
        found.append(Item(node, facts))
    return found


def file(artifact: Artifact) -> list[Item]:
    """The checklist as a whole: facts `updated` (the last day of what it says, YYYY-MM-DD, "" for nothing), `said`
    (as written). Place: the date, else the first item."""
    from .checklist_text import updated

    source = artifact.source
    first = artifact.root.get(0) or Node(SCALAR, "", source, 0, min(1, len(source.text)), "'")
    found = updated(source.text)
    if found is None:
        return [Item(first, {"updated": "", "said": ""})]
    day, start, end = found
    place = Node(SCALAR, source.text[start:end], source, start, end, "'")
    return [Item(first, {"updated": day, "said": source.text[start:end]}, place)]


VIEWS: dict[str, Callable[[Artifact], list[Item]]] = {"file": file, "items": items}
