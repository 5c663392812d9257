"""Answers how the released image starts: which form, which server, on which address, watched by whom."""

from __future__ import annotations

from ..kinds import dockerfile
from ..model import UNKNOWN, Fault, Item, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

_EVERYWHERE = ("0.0.0.0", "::", "[::]", "")
_LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]")


def shell_form(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault for a CMD or ENTRYPOINT behind a shell that keeps signals to itself."""
    for part in ("entrypoint", "cmd"):
        started = it.facts[part]
        commands = started.facts["commands"] if started is not None else []
        if not commands or commands[-1].facts["words"][0] == "exec":
            continue
        last = commands[-1]
        # `["sh", "-c", "a && b"]` is the same in other words; with one command alone many shells give way.
        if started.facts["form"] != "shell" and len(commands) == 1:
            continue
        if part == "cmd" and it.facts["entrypoint"] is not None and it.facts["entrypoint"].facts["form"] == "shell":
            continue  # the shell form of ENTRYPOINT ignores CMD
        yield Fault(started, instruction=part.upper(), command=started.facts["text"], program=last.facts["words"][0])


def development(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when the released image starts a development server."""
    for part in ("entrypoint", "cmd"):
        if it.facts[part] is not None:
            for command in it.facts[part].facts["commands"]:
                if command.facts["call"].develops:
                    yield Fault(command.node, command=command.facts["text"], stage=it.facts["title"])
                    return


def address(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault | Undecided]:
    """Yields a fault when the server of a Next.js standalone build listens where Docker's HOSTNAME says."""
    if not any(".next/standalone" in str(word.value) for copy in _copies(it) for word in copy.facts["sources"]):
        return
    server = next((command for command in dockerfile.started(it) if _is_server(command)), None)
    value = it.facts["env"].get("HOSTNAME")
    if value is not None:
        resolved = value.facts["value"]
        if resolved.kind is UNKNOWN:
            raise Undecided("a variable holds HOSTNAME", value)
        if resolved.value in _LOOPBACK:
            yield Fault(value.node, message="loopback", severity="error", value=resolved.value)
        return
    if server is None or "HOSTNAME" in server.facts["assigned"]:
        return
    services = [service for _, service in dockerfile.of(file)["context"].services]
    if services and all("HOSTNAME" in service.facts["environment"] for service in services):
        return
    yield Fault(server.node, command=server.facts["text"])


def _copies(stage: Item) -> list[Item]:
    return [copy for each in stage.facts["chain"] for copy in each.facts["copies"] if copy.facts["from"] is not None]


def _is_server(command: Item) -> bool:
    call = command.facts["call"]
    return call.tool == "node" and any(word.endswith("server.js") for word in call.arguments)


def healthcheck(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when Compose runs the image and neither of the two can tell whether it works."""
    check = it.facts["healthcheck"]
    if check is not None and not check.facts["none"]:
        return
    if not it.facts["ports"]:
        return  # no server, or none that is known to be one
    for other, service in dockerfile.of(file)["context"].services:
        facts = service.facts
        # What others wait for is reported where they wait.
        if other.state == "judged" and facts["health"] == "absent" and not facts["waited_on"]:
            yield Fault(it, [(service, "the service that runs it")], service=facts["name"], stage=it.facts["title"])
            return


def unwritable_cache(it: Item, file: Artifact, params: dict[str, Any]) -> Iterator[Fault]:
    """Yields a fault when the user of a Next.js standalone image owns nothing of `.next`."""
    user = it.facts["user"]
    if user is None or user.facts["root"]:
        return
    for copy in _copies(it):
        if copy.facts["chown"] is not None or copy.facts["chmod"] is not None:
            continue
        source = next((word for word in copy.facts["sources"] if ".next/standalone" in str(word.value)), None)
        if source is None:
            continue
        after = [
            command
            for each in it.facts["chain"]
            for command in each.facts["runs"]
            if command.facts["program"] in ("chown", "chmod", "mkdir", "install")
        ]
        if user.place.start < copy.place.start or any(_touches(command, copy) for command in after):
            continue
        name = user.facts["name"] if isinstance(user.facts["name"], str) else user.node.value
        yield Fault(source, [(user.node, "the user")], user=name)


def _touches(command: Item, copy: Item) -> bool:
    """Whether a chown or mkdir reaches the folder of the copy."""
    if command.facts["program"] == "mkdir":
        return ".next" in command.facts["text"]
    return command.place.start > copy.place.start or ".next" in command.facts["text"]
