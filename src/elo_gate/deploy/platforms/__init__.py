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
    if target.railway is not None:
        from .railway.platform import RailwayPlatform

        return RailwayPlatform(place, target.railway, veil, home, stop)
    if target.kubernetes is not None:
        from .kubernetes.platform import KubernetesPlatform

        return KubernetesPlatform(place, target.kubernetes, veil, tool)
    if target.ecs is not None:
        from .ecs import EcsPlatform

        return EcsPlatform(place, target.ecs, veil, tool)
    if target.s3_static is not None:
        from .s3_static import S3StaticPlatform

        return S3StaticPlatform(place, target.s3_static, veil, tool)
    if target.vercel is not None:
        from .vercel.platform import VercelPlatform

        return VercelPlatform(place, target.vercel, veil, tool)
    if target.cloudrun is not None:
        from .cloudrun import CloudRunPlatform

        return CloudRunPlatform(place, target.cloudrun, veil, tool)
    if target.azure is not None:
        from .azure import AzurePlatform

        return AzurePlatform(place, target.azure, veil, tool)
    raise AssertionError("a target has the table of its platform")
