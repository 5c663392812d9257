"""Judges the configuration of cloud services by the clauses that hold for every container and every web site."""

from __future__ import annotations

from ..model import SCALAR, UNKNOWN, WARNING, Fault, Item, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

    Answers = Iterator[Fault | Undecided]


def _name(it: Item) -> str:
    """What a container is called, or the service it belongs to."""
    return str(it.facts["name"] or it.facts["service"].facts["name"] or "the application")


def syntax(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a comment, a trailing comma or a key that is there twice."""
    yield Fault(it, name=file.path.rpartition("/")[2], problem=it.facts["message"])


def literals(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields one fault a container whose literal variables are credentials."""
    from ..kinds.credential import literal

    found = [
        entry
        for entry in it.facts["env"]
        if not entry.facts["secret"]
        and (text := entry.facts["value"].text())
        and "\n" not in text
        and literal(entry.facts["name"], text)
    ]
    if found:
        related = [(entry.place, "and here") for entry in found[1:]]
        names = [entry.facts["name"] for entry in found]
        yield Fault(found[0].place, related, names=names, where=_name(it), store=params["stores"][it.facts["platform"]])


def stored(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a secret whose value stands in the file."""
    from ..kinds.credential import stand_in

    text = it.facts["value"].text()
    if text and not stand_in(text, it.facts["name"]):
        store = params["stores"]["containerapp"]
        yield Fault(it, message="stored", names=it.facts["name"], where="secrets", store=store)


def floating(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault when a container's tag is absent, `latest`, or a word that names no version."""
    image = it.facts["image"]
    if image is None or image.facts["digest"] or image.facts["scratch"] or _written_by_pipeline(file):
        return
    tag = image.facts["tag"]
    if not image.facts["known"] and (isinstance(tag, Node) or tag is None):
        yield Undecided("the image is filled in when the service is deployed", it.facts["image_node"])
        return
    at, text = it.facts["image_node"], image.facts["text"]
    if not tag:
        yield Fault(at, message="untagged", image=text)
    elif tag in params["tags"]:
        yield Fault(at, image=text, tag=tag)
    elif not any(character.isdigit() for character in tag):
        yield Fault(at, message="word", severity="note" if file.assumed else WARNING, image=text, tag=tag)


# What writes the image into the file, or gives it beside the file, when a pipeline deploys it.
_WRITERS = ("render-task-definition", "--image", "--container-images", "image:", "sed -i", "jq ", "envsubst", "yq ")


def _written_by_pipeline(file: Artifact) -> bool:
    """Whether a pipeline of the repository names the file and writes an image."""
    name = file.path.rpartition("/")[2]
    for kind in ("workflow", "gitlab", "pipeline", "script"):
        for other in file.project.artifacts(kind):
            text = other.source.text
            if name in text and any(word in text for word in _WRITERS):
                return True
    return False


def no_health_check(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault when nothing asks a container that answers requests whether it still does."""
    facts = it.facts
    platform = facts["platform"]
    if platform not in params["checks"] or facts["health"] or facts["job"] or not facts["essential"]:
        return
    if platform == "ecs" and not facts["ports"]:
        return
    if platform == "cloudrun" and len(facts["service"].facts["containers"]) > 1 and not facts["ports"]:
        return  # a sidecar
    if platform == "containerapp" and (not facts["ports"] or facts["service"].facts["public"] is None):
        return
    # Cloud Run and Container Apps at least try whether the port is open.
    severity = None if platform == "ecs" else "note"
    yield Fault(it, severity=severity, message=platform, container=_name(it), fix_by=params["checks"][platform])


def no_memory_limit(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a container of ECS that may take all memory of its instance; elsewhere a limit is given."""
    facts = it.facts
    if facts["platform"] == "ecs" and not facts["memory_limit"] and not facts["fargate"]:
        yield Fault(it, container=_name(it))


_POWERS = ("ALL", "SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "SYS_MODULE", "DAC_READ_SEARCH")


def host_powers(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a container with the rights of its host, and one that runs as root by its user."""
    facts = it.facts
    if facts["privileged"].boolean() is True:
        yield Fault(facts["privileged"], message="privileged", container=_name(it), what="privileged")
        return
    added = facts["capabilities"].elements()
    powers = [each for each in added if each.kind is SCALAR and str(each.value).upper().removeprefix("CAP_") in _POWERS]
    if powers:
        what = ", ".join(str(each.value) for each in powers)
        yield Fault(powers[0], message="capability", severity=WARNING, container=_name(it), what=what)


def root_user(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault when a container is told to run as root; what is not told is the image's affair."""
    user = it.facts["user"]
    if user.kind is UNKNOWN:
        raise Undecided("the user is filled in when the service is deployed", user)
    text = user.text()
    if text is not None and text.partition(":")[0] in ("root", "0"):
        yield Fault(user, user=text, container=_name(it))


def plain_http(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault when an app lets plain HTTP in."""
    switch = it.facts["insecure"]
    if switch.kind is UNKNOWN:
        raise Undecided("the value is filled in when the app is deployed", switch)
    if switch.boolean() is True:
        severity = None if it.facts["public"] is not False else WARNING
        yield Fault(switch, severity=severity, name=it.facts["name"] or "the app", value=str(switch.value))


def missing_headers(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields one fault for the security headers that a static web app does not set for every path."""
    if it.facts["platform"] != "staticwebapp":
        return
    found = {
        header.facts["name"]: header
        for header in it.facts["headers"]
        if header.facts["path"] in ("/", "/*") and header.facts["value"].text() != ""
    }
    policy = found.get("content-security-policy")
    framed = policy is not None and "frame-ancestors" in str(policy.facts["value"].value)
    missing = [
        name
        for name in params["headers"]
        if name.lower() not in found and not (name.lower() == "x-frame-options" and framed)
    ]
    emptied = [
        header
        for header in it.facts["headers"]
        if header.facts["name"] in params["defaults"] and header.facts["value"].text() == ""
    ]
    missing += [str(header.facts["key"].value) for header in emptied]
    if missing:
        yield Fault(it, headers=missing)


def end_of_life(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a runtime whose line gets no fixes any more on the day of judgement."""
    table = file.project.table("end-of-life")
    if not table:
        return
    for line in table["products"].get(it.facts["product"], ()):
        end = line["eol"]
        if line["cycle"] == it.facts["cycle"] and end and str(end) <= file.project.as_of:
            title = table["titles"].get(it.facts["product"], it.facts["product"])
            yield Fault(it, runtime=it.facts["text"], title=title, day=str(end))
