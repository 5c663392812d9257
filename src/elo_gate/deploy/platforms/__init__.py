"""Turns the platform that a target names into its verbs: one module a platform, one class that keeps `Platform`.

A module holds `Options`, the target's table of its name, and the class. A platform that is not here is reached with
`command`, which takes programs in any language.
"""

from __future__ import annotations

from ..tool import Tool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..config import Place
    from ..lock import Lock
    from ..platform import Platform
    from ..veil import Veil


def make(
    place: Place, veil: Veil, home: str, lock: Lock | None = None, stop: Callable[[], bool] | None = None
) -> Platform:
    """The platform of a target. `home` is the folder its programs take for home; `stop` says whether to end them."""
    tool = Tool(place.folder, veil, home, place.target.options.variables(), lock, stop)
    target = place.target
    if target.command is not None:
        from .command import CommandPlatform

        return CommandPlatform(place, target.command, veil, tool)
    raise AssertionError("a target has the table of its platform")
