"""Turns the answer of a health route into what it says: of itself, of its parts, of the release that answers."""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .ask import Answer
    from .options import Health

# What health routes say when they are not well: "down" of Terminus and Spring Boot, "fail" of
# draft-inadarei-api-health-check, and what people write.
FAILING = frozenset(
    "unhealthy down error err fail failed failing failure critical outage unavailable dead offline disconnected ko "
    "not_ok out_of_service".split()
)
_MOST = 200  # parts that are looked at


class Said:
    """What an answer says. `wrong`: words on what is not well, ""; `parts`: the same for its parts; `warned`: told."""

    __slots__ = ("wrong", "parts", "warned")

    def __init__(self) -> None:
        self.wrong = ""
        self.parts: list[str] = []
        self.warned = ""


def read(answer: Answer) -> Any:
    """The JSON value of an answer, None when it is none."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def judge(body: Any, health: Health) -> Said:
    """What a health route's JSON says. Only words that are configured, or of FAILING, get into the text."""
    said = Said()
    if not isinstance(body, dict):
        said.wrong = "its answer is not a JSON object" if health.expect else ""
        return said
    word = at(body, health.field)
    if health.expect and word != health.expect:
        if isinstance(word, str) and word in health.warn:
            said.warned = f"{health.field} is one of those that are told"
        else:
            said.wrong = f"{health.field} is not '{health.expect}'"
    elif health.plain and not health.expect and _fails(word):
        said.wrong = f"{health.field} is '{str(word).lower()}'"
    for path, part in _parts(body, health.nested.split("."), "") if health.nested else ():
        if health.expect:
            if part != health.expect and not (isinstance(part, str) and part in health.warn):
                said.parts.append(f"{path} is not '{health.expect}'")
        elif _fails(part):
            said.parts.append(f"{path} is '{str(part).lower()}'")
    return said


def _fails(word: Any) -> bool:
    return word is False or (isinstance(word, str) and word.lower() in FAILING)


def at(body: Any, path: str) -> Any:
    """The value down a path of names with dots between, None when there is none."""
    for name in path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _parts(body: Any, steps: list[str], before: str) -> list[tuple[str, Any]]:
    """(path, value) of everything that a path with `*` leads to; `*` is every entry of a map and of a list."""
    found = [(before, body)]
    for step in steps:
        after = []
        for path, value in found[:_MOST]:
            if step == "*":
                entries: list[tuple[Any, Any]] = list(value.items()) if isinstance(value, dict) else []
                entries += list(enumerate(value)) if isinstance(value, list) else []
                after += [(f"{path}.{_name(name)}".lstrip("."), each) for name, each in entries[:_MOST]]
            elif isinstance(value, dict) and step in value:
                after.append((f"{path}.{step}".lstrip("."), value[step]))
            elif isinstance(value, list):  # draft-inadarei-api-health-check: a list of measurements for each check
                after += [(path, each[step]) for each in value[:_MOST] if isinstance(each, dict) and step in each]
        found = after
    return found[:_MOST]


def _name(name: Any) -> str:
    """The name of a part; what could be anything but a name is not repeated."""
    text = str(name)
    return text if re.fullmatch(r"[\w:.-]{1,40}", text) else "..."


def release(said: Any, digest: str) -> bool:
    """Whether a text names a release: at least twelve digits of its digest, so that a chance does not pass."""
    short = said.strip().removeprefix("sha256:").lower() if isinstance(said, str) else ""
    return len(short) >= 12 and digest.removeprefix("sha256:").lower().startswith(short)
