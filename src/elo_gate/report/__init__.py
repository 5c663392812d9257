"""Turns a finished run into text for people and programs: a format is one module here, and one row of FORMATS."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..gate import Run

# The name of the format and of its module: what its `render(run, ...)` takes beside the run.
FORMATS: dict[str, tuple[str, ...]] = {
    "text": ("colour", "verbose", "language"),
    "concise": ("language",),
    "json": (),
    "jsonl": (),
    "sarif": ("include_suppressed",),
    "junit": (),
    "github": (),
    "gitlab": (),
    "markdown": ("language",),
    "html": ("language",),
    "checkstyle": (),
    "tap": (),
}


def render(run: Run, name: str, options: dict[str, Any]) -> str:
    """A run in a format; of the options those count that the format takes. Its module is imported here."""
    module = __import__(f"{__name__}.{name}", fromlist=["render"])
    text: str = module.render(run, **{key: options[key] for key in FORMATS[name] if key in options})
    return text
