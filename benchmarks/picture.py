"""Turns comparisons and growth into a picture: SVG that draws its own ground, so that it reads on light and on dark."""

from __future__ import annotations

from math import log10
from xml.sax.saxutils import escape

from compare import Comparison

WIDTH, LEFT, RIGHT = 880, 196, 120
ROW, HEAD = 19, 32
LEAST, MOST = 0.1, 1000.0
STYLE = """\
svg{--ground:#fff;--line:#d0d7de;--text:#1f2328;--faint:#59636e;--judge:#1a7f6b;--other:#9a6700;--own:#cf222e}
@media(prefers-color-scheme:dark){svg{--ground:#0d1117;--line:#30363d;--text:#e6edf3;--faint:#9198a1;--judge:#3fb99b;\
--other:#d29922;--own:#ff7b72}}
text{font:12px ui-sans-serif,system-ui,sans-serif;fill:var(--text)}.faint{fill:var(--faint)}.head{font-weight:600}
.ground{fill:var(--ground);stroke:var(--line)}.grid{stroke:var(--line)}.one{stroke:var(--own);stroke-width:1.5}
.judge{fill:var(--judge)}.other{fill:var(--other)}.curve{fill:none;stroke:var(--judge);stroke-width:2}
.linear{stroke:var(--faint);stroke-dasharray:4 4}.own{fill:var(--own)}"""
NAMES = {
    "k8s": "Kubernetes manifests", "dockerfile": "Dockerfiles", "compose": "Compose files", "env": "env files",
    "next": "next.config.ts", "workflow": "GitHub workflows", "monorepo": "files of all kinds, one tree",
}  # fmt: skip
ONE = {
    "k8s": "Kubernetes manifest", "dockerfile": "Dockerfile", "compose": "Compose file", "env": "env file",
    "next": "next.config.ts", "workflow": "GitHub workflow", "monorepo": "file of each kind",
}  # fmt: skip


def title(kind: str, count: int) -> str:
    """A corpus in words: "500 Dockerfiles"."""
    return f"one {ONE[kind]}" if count == 1 else f"{count:,} {NAMES[kind]}"


def judges(comparison: Comparison) -> bool:
    """Whether the peer judges what it reads, as elo-gate does, and not only validates, matches or looks for secrets."""
    return "judges" in comparison.does and "style" not in comparison.does


def ratio(comparison: Comparison, of: str) -> str:
    """A ratio as it is shown: two digits, more for large ones; a lower bound where the peer was stopped."""
    value = comparison.ratio(of)
    shown = f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"
    return f"> {shown}" if comparison.stopped else shown


def _x(value: float) -> float:
    inside = min(max(value, LEAST), MOST)
    return LEFT + (log10(inside) - log10(LEAST)) / (log10(MOST) - log10(LEAST)) * (WIDTH - LEFT - RIGHT)


def _text(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{escape(words)}</text>'


def draw(comparisons: list[Comparison], growth: list[tuple[int, float]]) -> str:
    """The SVG of CPU ratios, many files and one, and of seconds of CPU for trees of several sizes."""
    parts = [_text(20, 30, "CPU time as a multiple of elo-gate's on the same files", ' class="head"')]
    parts.append(_text(20, 50, "right of the line elo-gate takes less", ' class="faint"'))
    for at, mark, words in (
        (240, "judge", "judges"),
        (310, "other", "validates, matches, finds secrets, judges style"),
    ):
        parts.append(f'<rect class="{mark}" x="{at}" y="41" width="10" height="10"/>')
        parts.append(_text(at + 16, 50, words, ' class="faint"'))
    bars, y = _bars(comparisons, 64)
    grid = []
    for power in range(round(log10(LEAST)), round(log10(MOST)) + 1):
        x = _x(10**power)
        grid.append(f'<line class="grid" x1="{x:.1f}" y1="64" x2="{x:.1f}" y2="{y:.0f}"/>')
        parts.append(_text(x, y + 15, f"{10**power:g} ×", ' text-anchor="middle" class="faint"'))
    bars.append(f'<line class="one" x1="{_x(1):.1f}" y1="64" x2="{_x(1):.1f}" y2="{y:.0f}"/>')
    y += 34
    if len(growth) > 1:
        curve, y = _growth(growth, y)
        parts += curve
    height = y + 16
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" role="img" aria-label="CPU time of other tools as a multiple of elo-gate\'s">\n'
        f"<style>{STYLE}</style>\n"
        f'<rect class="ground" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1:.0f}" rx="6"/>\n'
        + "\n".join([*grid, *bars, *parts])
        + "\n</svg>\n"
    )


def _bars(comparisons: list[Comparison], y: float) -> tuple[list[str], float]:
    """A group of bars for each corpus, those of many files first, and where they end."""
    parts: list[str] = []
    one = _x(1)
    for single in (False, True):
        shown = [each for each in comparisons if (each.count == 1) is single]
        for kind, count in dict.fromkeys((each.kind, each.count) for each in shown):
            y += HEAD
            words = title(kind, count)
            parts.append(_text(20, y - 8, words[0].upper() + words[1:], ' class="head"'))
            beside = [each for each in shown if (each.kind, each.count) == (kind, count)]
            for each in sorted(beside, key=lambda one: one.ratio("cpu")):
                y += ROW
                value = _x(each.ratio("cpu"))
                mark, least, width = "judge" if judges(each) else "other", min(one, value), max(abs(value - one), 1)
                parts.append(_text(LEFT - 10, y - 5, each.peer, ' text-anchor="end"'))
                parts.append(f'<rect class="{mark}" x="{least:.1f}" y="{y - 15:.1f}" width="{width:.1f}" height="12"/>')
                parts.append(_text(max(one, value) + 6, y - 5, f"{ratio(each, 'cpu')} ×"))
    return parts, y + 8


def _growth(growth: list[tuple[int, float]], y: float) -> tuple[list[str], float]:
    """The curve of seconds over files, both logarithmic, with the line of mere proportion to the largest tree."""
    parts = [_text(20, y + 10, "elo-gate: seconds of CPU for trees of all kinds", ' class="head"')]
    parts.append(_text(330, y + 10, "dashed: in proportion to the largest tree", ' class="faint"'))
    top, height, width = y + 26, 170.0, WIDTH - LEFT - RIGHT
    foot = top + height
    (least, _), (most, last) = growth[0], growth[-1]
    floor, ceiling = log10(min(each for _, each in growth)) - 0.2, log10(max(each for _, each in growth)) + 0.2

    def place(files: float, seconds: float) -> tuple[float, float]:
        across = (log10(files) - log10(least)) / (log10(most) - log10(least))
        return LEFT + across * width, foot - (log10(seconds) - floor) / (ceiling - floor) * height

    parts.append(f'<line class="grid" x1="{LEFT}" y1="{foot:.1f}" x2="{LEFT + width}" y2="{foot:.1f}"/>')
    start = max(least, 10**floor * most / last)
    (x1, y1), (x2, y2) = place(start, start * last / most), place(most, last)
    parts.append(f'<line class="linear" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')
    points = [place(files, seconds) for files, seconds in growth]
    parts.append(f'<polyline class="curve" points="{" ".join(f"{x:.1f},{up:.1f}" for x, up in points)}"/>')
    for (files, seconds), (x, up) in zip(growth, points, strict=True):
        parts.append(f'<circle class="judge" cx="{x:.1f}" cy="{up:.1f}" r="3.5"/>')
        parts.append(_text(x, up - 9, f"{seconds:.2g} s", ' text-anchor="end"'))
        parts.append(_text(x, foot + 17, f"{files:,} files", ' text-anchor="middle" class="faint"'))
    return parts, foot + 24
