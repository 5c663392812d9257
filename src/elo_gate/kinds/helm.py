"""Turns a path of a Helm chart into what the file is there: its metadata, its values, a template.

A template becomes YAML only when Helm renders it with values that live elsewhere, so it is recognised,
set aside and said so; nothing is concluded from its text.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TEMPLATE = "a Helm template: its YAML exists only after Helm has rendered it"
CHART = "the metadata of a Helm chart"
VALUES = "the values of a Helm chart: they are judged when the chart is rendered"
GO_TEMPLATE = "a template with control lines: its YAML exists only after it has been rendered"

_CONTROL = r"^[ \t]*\{\{-?[ \t]*(?:if|else|end|range|with|define|block|template|include|/\*|[#/^]|\$\w+[ \t]*:=)"


def role(path: str, project: Any) -> str:
    """Why a file of a chart is not judged, in words; empty for a file of no chart."""
    folder, _, name = path.rpartition("/")
    if name in ("Chart.yaml", "Chart.yml", "Chart.lock"):
        return CHART
    start = 0
    while True:
        at = ("/" + path).find("/templates/", start)
        if at < 0:
            break
        if _exists(project, path[:at] + "Chart.yaml"):
            return TEMPLATE
        start = at + 1
    if name.startswith("values") and _exists(project, folder + "/Chart.yaml" if folder else "Chart.yaml"):
        return VALUES
    return ""


def is_template(text: str) -> bool:
    """Whether a text is steered by template lines (`{{ if ... }}`), so that it is no YAML by itself."""
    if "{{" not in text:
        return False
    import re

    return re.search(_CONTROL, text, re.M) is not None


def _exists(project: Any, path: str) -> bool:
    return project is not None and bool(project.exists(path))
